"""scripts/bench: one table of benchmarks and figures, which the documents and the code agree with; and `all`."""

import ast
import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "bench"


@pytest.fixture
def module(monkeypatch):
    """Imports one of bench/; what was imported is forgotten afterwards, since its names are common ones."""
    monkeypatch.syspath_prepend(str(BENCH))
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(BENCH)):
            del sys.modules[name]


@pytest.fixture
def figures(module):
    return module("figures")


def calls_of_add(name):
    """The first argument of each report.add() in a benchmark, as a regular expression; None: a variable."""
    for node in ast.walk(ast.parse((BENCH / f"{name.replace('-', '_')}.py").read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "report.add":
            if isinstance(node.args[0], ast.Constant):
                yield re.escape(node.args[0].value)
            elif isinstance(node.args[0], ast.JoinedStr):
                yield "".join(
                    re.escape(part.value) if isinstance(part, ast.Constant) else ".*" for part in node.args[0].values
                )
            else:
                yield None


def test_everybody_knows_the_same_benchmarks(figures):
    known = list(figures.BENCHES)
    told = subprocess.run([ROOT / "scripts/bench", "--help"], capture_output=True, text=True, check=True).stdout
    assert re.findall(r"^  ([a-z-]+) +\S.*\?$", told, re.M) == known
    assert set(re.findall(r"^\| `scripts/bench ([a-z-]+)", (BENCH / "README.md").read_text(), re.M)) == set(known)
    for name in known:
        assert "def run(quick" in (BENCH / f"{name.replace('-', '_')}.py").read_text()


@pytest.mark.parametrize("name", re.findall(r'^    "([a-z-]+)": Bench\(', (BENCH / "figures.py").read_text(), re.M))
def test_a_driver_finds_its_modules(name):
    """Those of bench/ and those of tests/faults may have the same names."""
    code = f"import measure; assert measure.load({name!r}).run"
    done = subprocess.run([sys.executable, "-c", code], cwd=BENCH, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_page_is_the_real_browsers_side(figures):
    """What keeps a history and is judged runs page.js and event-queue.js: an imitation would not have our mistakes."""
    for name, bench in figures.BENCHES.items():
        if bench.fleet_of_faults:
            source = (BENCH / f"{name}.py").read_text()
            assert re.search("^from (node_pages|drive) import", source, re.M) and "--node" in bench.setup, name


def test_the_documents_tables_are_those_of_the_code(figures):
    text = (BENCH / "README.md").read_text()
    for name, table in figures.tables().items():
        assert table in text, f"the table of {name} in bench/README.md is not what `python bench/figures.py` prints"


def test_every_figure_is_in_the_table_and_every_row_of_it_is_measured(figures):
    for name, bench in figures.BENCHES.items():
        calls = list(calls_of_add(name))
        for call in calls:
            if call is not None and ".*" not in call:
                assert bench.figure(re.sub(r"\\(.)", r"\1", call))
            elif call is not None:
                assert any(re.fullmatch(call, one.name) for one in bench.figures), (name, call)
        for one in bench.figures:
            assert None in calls or any(re.fullmatch(call, one.name) for call in calls), (name, one.name)


def test_all_that_a_judge_counts_must_be_zero(figures, monkeypatch, module):
    monkeypatch.syspath_prepend(str(ROOT / "tests" / "faults"))
    for count in module("judge").COUNTS:
        assert figures.BENCHES["faults"].figure(count).mark == "0"


@pytest.mark.parametrize(
    ("mark", "reached", "missed"),
    [("<= 1.8", 1.8, 1.81), (">= 0.9", 0.9, 0.89), ("< 25", 24.9, 25), ("> 0", 1, 0), ("0", 0, 1)],
)
def test_marks(figures, mark, reached, missed):
    figure = figures.Figure("a", "ratio", mark)
    assert figure.reached(reached) is True and figure.reached(missed) is False
    assert figures.Figure("a", "ratio").reached(1) is None


def test_every_mark_can_be_read(figures):
    for bench in figures.BENCHES.values():
        assert all(figure.reached(1.0) is not None for figure in bench.figures if figure.mark)


def test_a_figure_that_is_not_in_the_table_is_refused(module):
    report = module("harness").Report("roundtrip")
    report.add("p50_over_bare_zmq", 1.5)
    assert report.figures == [
        {"name": "p50_over_bare_zmq", "value": 1.5, "unit": "ratio", "mark": "<= 1.8", "reached": True}
    ]
    with pytest.raises(RuntimeError, match="not in bench/figures.py"):
        report.add("p51", 1.0)
    with pytest.raises(RuntimeError, match="p50_over_bare_zmq is nan"):
        report.add("p50_over_bare_zmq", float("nan"))


def measured(name, *figures):
    """What a benchmark prints with --json."""
    names = ("name", "value", "unit", "mark", "reached")
    machine = {"cpu": "X", "cpus": 2, "kernel": "6", "load_before": 0.0}
    rows = [dict(zip(names, figure, strict=True)) for figure in figures]
    return {"bench": name, "figures": rows, "machine": machine, "versions": {"python": "3.11", "commit": "abc"}}


def test_all_goes_on_when_one_fails(module, tmp_path, capsys):
    run, asked = module("run"), []
    results = {
        "wire": measured("wire", ("a_bytes", 53.0, "bytes", "<= 64", True), ("b_bytes", 9.0, "bytes", "", None)),
        "soak": {"bench": "soak", "error": "ended with 1"},
        "apply": measured("apply", ("a_ms", 0.7, "ms", "<= 0.5", False)),
    }

    def one(name, quick, minutes):
        asked.append(name)
        return results[name]

    path = tmp_path / "made" / "figures.json"
    assert run.run_all(["soak", "wire", "apply"], True, False, run=one, results_path=path) == 1
    assert asked == ["soak", "wire", "apply"]
    said = capsys.readouterr()
    assert f"{path}" in said.err and "2 of 3 benchmarks ran; 1 of 2 marks reached; not measured: soak" in said.err
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in said.out.splitlines() if "|" in line]
    assert rows[2:] == [
        ["soak", "**not measured**", "ended with 1", "", "", ""],
        ["wire", "a_bytes", "53", "bytes", "<= 64", "yes"],
        ["wire", "b_bytes", "9", "bytes", "", ""],
        ["apply", "a_ms", "0.7", "ms", "<= 0.5", "**no**"],
    ]
    assert path.with_suffix(".md").read_text() in said.out
    written = json.loads(path.read_text())
    assert written["machine"] == {"cpu": "X", "cpus": 2, "kernel": "6"} and written["versions"]["commit"] == "abc"
    assert [one["bench"] for one in written["benches"]] == ["soak", "wire", "apply"]


def test_all_is_well_when_each_ran_even_if_a_mark_is_missed(module, tmp_path, capsys):
    result = measured("apply", ("a_ms", 0.7, "ms", "<= 0.5", False))
    path = tmp_path / "figures.json"
    assert module("run").run_all(["apply"], True, True, run=lambda *_: result, results_path=path) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(path.read_text())


def test_one_that_cannot_be_measured_is_told(module, monkeypatch):
    run = module("run")
    monkeypatch.setattr(run, "measure", lambda *_: [sys.executable, "-c", "import sys; sys.exit(3)"])
    result = run.run_one("wire", True, None)
    assert result["bench"] == "wire" and result["error"].startswith("ended with 3")


def test_one_that_hangs_is_ended(module, monkeypatch):
    run = module("run")
    monkeypatch.setattr(run, "measure", lambda *_: [sys.executable, "-c", "import signal; signal.pause()"])
    monkeypatch.setattr(run, "PATIENCE_SECONDS", 0)
    assert run.run_one("wire", True, None)["error"] == "took too long"


def test_a_benchmark_from_end_to_end(figures):
    """The cheapest one, as scripts/bench runs it once all is built."""
    command = [sys.executable, BENCH / "measure.py", "row-change", "--quick", "--json"]
    env = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    named = {one["name"]: one for one in told["figures"]}
    assert named["turn_us"]["mark"] == "<= 150" and type(named["turn_us"]["reached"]) is bool
    assert {"python", "django", "libzmq"} <= set(told["versions"]) and {"cpus", "kernel"} <= set(told["machine"])

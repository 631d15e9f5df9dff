"""The gate of Django's own tests sees every kind of difference, and excuses only what is listed."""

import json

import django_suites as suites
import pytest
from test_counts import Counts


def line(outcome="passed", *renders, native=0, text=""):
    """What gate_runner writes of a test."""
    return {"outcome": outcome, "renders": list(renders), "native": {"ops": native} if native else {}, "text": text}


def differences(on_stock, ours):
    """[(test, kind, what stock says, what ours says)]."""
    return [(one.test, one.kind, one.stock, one.ours) for one in suites.compare(on_stock, ours)]


def test_the_same():
    both = {"a": line("passed", "x/1"), "b": line("failed"), "c": line("skipped")}
    assert differences(both, json.loads(json.dumps(both))) == []


@pytest.mark.parametrize(
    "outcome", ["failed", "error", "skipped", "expected failure", "unexpected success", "failed [i=1]"]
)
def test_another_outcome(outcome):
    assert differences({"a": line()}, {"a": line(outcome)}) == [("a", "outcome", "passed", outcome)]
    assert differences({"a": line(outcome)}, {"a": line()}) == [("a", "outcome", outcome, "passed")]


def test_not_run():
    assert differences({"a": line()}, {}) == [("a", "outcome", "passed", "not run")]
    assert differences({}, {"a": line()}) == [("a", "outcome", "not run", "passed")]


def test_another_output():
    assert differences({"a": line("passed", "x/1", "y/2")}, {"a": line("passed", "x/1", "z/2")}) == [
        ("a", "output", "y/2", "z/2")
    ]
    assert differences({"a": line("passed", "x/1")}, {"a": line("passed")}) == [("a", "output", "x/1", "none")]
    assert differences({"a": line("passed")}, {"a": line("passed", "raised KeyError")}) == [
        ("a", "output", "none", "raised KeyError")
    ]


def test_a_traceback_is_not_compared():
    """C has no frames to show, so a debug page cannot be the same; what comes after it is still compared."""
    assert differences({"a": line("passed", "traceback")}, {"a": line("passed", "x/1")}) == []
    on_stock, ours = line("passed", "traceback", "y/2"), line("passed", "x/1", "z/2")
    assert differences({"a": on_stock}, {"a": ours}) == [("a", "output", "y/2", "z/2")]
    assert differences({"a": line("passed", "traceback")}, {"a": line()}) == [("a", "output", "traceback", "none")]


def test_excused():
    rows = [("5.*", "app.tests.T.test_repr", "the class has another name")]
    (outcome,) = suites.compare({"app.tests.T.test_repr": line()}, {"app.tests.T.test_repr": line("failed")})
    (output,) = suites.compare({"app.tests.T.test_repr": line()}, {"app.tests.T.test_repr": line("passed", "x/1")})
    (other,) = suites.compare({"app.tests.T.test_str": line()}, {"app.tests.T.test_str": line("failed")})
    assert suites.excused("5.2.19", outcome, rows) == "the class has another name"
    assert suites.excused("4.2.30", outcome, rows) is None
    assert suites.excused("5.2.19", other, rows) is None
    assert suites.excused("5.2.19", output, rows) is None  # what is rendered may never differ


def test_every_reason_is_complete():
    for version, pattern, reason in suites.reasons():
        assert version and pattern.count(".") >= 2 and len(reason.split()) > 3


def test_read(tmp_path):
    path = tmp_path / "out.jsonl"
    path.write_text('{"test": "a", "outcome": "passed"}\n{"test": "a", "outcome": "failed"}\n')
    found = suites.read(path)
    assert {name: entry["outcome"] for name, entry in found.tests.items()} == {"a": "passed", "a#2": "failed"}
    assert not found.complete
    with path.open("a") as out:
        out.write('{"end": true}\n')
    assert suites.read(path).complete
    assert not suites.read(tmp_path / "nothing").complete


@pytest.fixture
def sides(monkeypatch, tmp_path):
    """What each side is made to say: {"stock": [Outcomes, of each next run], "troupe": Outcomes}."""
    said = {"stock": [], "troupe": None}
    monkeypatch.setattr(suites, "stock", lambda version, label, fresh=False: said["stock"][fresh])
    monkeypatch.setattr(suites, "run", lambda version, side, label, out: said[side])
    monkeypatch.setattr(suites, "reasons", lambda: [("*", "app.known", "is known to differ so")])
    return said


def row(sides, tests, ours, again=None, complete=True):
    """The Row of one label where the sides say this."""
    sides["stock"] = [suites.Outcomes(tests, True), suites.Outcomes(again or tests, True)]
    sides["troupe"] = suites.Outcomes(ours, complete, "the log")
    return suites.label_row("5.2.19", "app", "/nowhere")


def test_row_same(sides):
    found = row(sides, {"a": line(), "app.known": line()}, {"a": line(native=3), "app.known": line("failed")})
    assert (found.same, len(found.accepted), found.failed(), found.native["ops"]) == (1, 1, 0, 3)
    assert suites.counted([found]) == Counts(passed=2)


def test_row_differs(sides):
    found = row(sides, {"a": line(), "b": line()}, {"a": line(native=3), "b": line("error")})
    assert (found.same, found.failed()) == (1, 1)
    assert suites.counted([found]) == Counts(passed=1, failed=1)


def test_row_without_anything_native(sides):
    assert "natively" in row(sides, {"a": line()}, {"a": line()}).trouble
    some = {"a": line("passed", "x/1", native=2), "b": line("passed", "y/1")}
    assert row(sides, some, some).trouble.endswith("in 1 tests that render: b")


def test_row_that_died(sides):
    found = row(sides, {"a": line(), "b": line()}, {"a": line(native=1)}, complete=False)
    assert "the log" in found.trouble and found.failed() == 2


def test_row_with_output_of_today(sides):
    """What stock Django renders now is what ours is compared with, and what it renders anew each time is not."""
    yesterday, today, now = (line("passed", day, native=1) for day in ("monday", "tuesday", "tuesday"))
    assert row(sides, {"a": yesterday}, {"a": today}, again={"a": now}).failed() == 0
    one, ours, two = (line("passed", text, native=1) for text in "xzy")
    found = row(sides, {"a": one}, {"a": ours}, again={"a": two})
    assert (found.failed(), len(found.varying)) == (0, 1)
    assert row(sides, {"a": one}, {"a": ours}, again={"a": one}).failed() == 1


def test_without_sources(monkeypatch, capsys):
    def fetch(version):
        raise suites.Unavailable("no registry")

    monkeypatch.setattr(suites, "fetch", fetch)
    assert suites.run_group(("5.2.19", "6.1.3")) == (Counts(skipped=2), 0)
    assert "skipped: no registry" in capsys.readouterr().out

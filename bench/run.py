"""scripts/bench: sets up, builds, and runs one benchmark, or all of them in turn. Needs no packages."""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from figures import BENCHES, table

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "build" / "bench" / "figures.json"  # and .md
PROGRAMS = ("load", "bare", "flood")
PATIENCE_SECONDS = 1800  # beyond --minutes; what takes longer hangs


def say(text):
    """Progress, for whoever is at the terminal."""
    print(text, file=sys.stderr, flush=True)


def prepare(names):
    """Sets up what these benchmarks need, and builds. SystemExit: it cannot be done; whoever failed said why."""
    parts = sorted({part for name in names for part in BENCHES[name].setup})
    programs = [f"bench/troupe-bench-{name}" for name in PROGRAMS]
    for command in (
        ["scripts/setup", *parts],
        ["scripts/build"],
        ["ninja", "--quiet", "-C", "build", *programs],
    ):
        code = subprocess.run(command, cwd=ROOT, stdout=sys.stderr).returncode
        if code:
            sys.exit(code)


def measure(name, quick, minutes=None):
    """The command that runs one benchmark, without its output's form."""
    command = [str(ROOT / ".venv" / "bin" / "python"), str(ROOT / "bench" / "measure.py"), name]
    command += ["--quick"] if quick else []
    return command + (["--minutes", str(minutes)] if minutes and BENCHES[name].minutes else [])


def run_one(name, quick, minutes):
    """What it printed with --json, and "seconds"; or {"bench", "error", "seconds"}."""
    start = time.monotonic()
    process = subprocess.Popen([*measure(name, quick, minutes), "--json"], stdout=subprocess.PIPE, text=True)
    output, error = "", None
    try:
        output, _ = process.communicate(timeout=PATIENCE_SECONDS + 60 * (minutes or BENCHES[name].minutes))
    except subprocess.TimeoutExpired:
        error = "took too long"
    finally:  # Ctrl-C as well: asked to end, it ends what it started
        process.terminate()
        process.wait()
    if process.returncode and not error:
        error = f"ended with {process.returncode}; standard error says more"
    result = {"bench": name, "error": error} if error else json.loads(output)
    return {**result, "seconds": round(time.monotonic() - start, 1)}


def rows_of(result):
    """Its rows in the table."""
    if "error" in result:
        return [(result["bench"], "**not measured**", result["error"], "", "", "")]
    rows = []
    for figure in result["figures"]:
        reached = {True: "yes", False: "**no**", None: ""}[figure["reached"]]
        rows.append((result["bench"], figure["name"], f"{figure['value']:g}", figure["unit"], figure["mark"], reached))
    return rows


def text_of(report):
    """The table, and what it was measured on, as Markdown."""
    headings = ("bench", "figure", "value", "unit", "mark", "reached")
    rows = [row for result in report["benches"] for row in rows_of(result)]
    widths = [max(len(row[at]) for row in [headings, *rows]) for at in range(len(headings))]
    padded = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in [headings, *rows]]
    facts = ", ".join(f"{name} {value}" for name, value in {**report["machine"], **report["versions"]}.items())
    return f"{table(padded[0], padded[1:])}\n\n{facts}{'; --quick: rough' if report['quick'] else ''}\n"


def combine(results, quick):
    """One report of all. machine, versions: what is the same for each of them."""
    measured = [result for result in results if "error" not in result]
    same = measured[0] if measured else {"machine": {}, "versions": {}}
    machine = {name: same["machine"][name] for name in ("cpu", "cpus", "kernel") if name in same["machine"]}
    return {"quick": quick, "machine": machine, "versions": same["versions"], "benches": results}


def verdict(results):
    """(last line, exit code)."""
    failed = [result["bench"] for result in results if "error" in result]
    marked = [figure["reached"] for result in results for figure in result.get("figures", ()) if figure["mark"]]
    text = (
        f"{len(results) - len(failed)} of {len(results)} benchmarks ran; {sum(marked)} of {len(marked)} marks reached"
    )
    return text + (f"; not measured: {', '.join(failed)}" if failed else ""), 1 if failed else 0


def run_all(names, quick, as_json, minutes=None, run=run_one, results_path=RESULTS):
    """Runs them in turn, whatever becomes of each; writes and prints one table. The exit code."""
    results = []
    for number, name in enumerate(names, 1):
        say(f"\n== {number} of {len(names)}: {name}")
        results.append(run(name, quick, minutes))
        say(f"{name} {'failed' if 'error' in results[-1] else 'took'} {results[-1].get('seconds', 0)} s")
    report = combine(results, quick)
    text, (last, code) = text_of(report), verdict(results)
    results_path.parent.mkdir(parents=True, exist_ok=True)
    results_path.write_text(json.dumps(report, indent=1) + "\n")
    results_path.with_suffix(".md").write_text(text)
    print(json.dumps(report) if as_json else f"\n{text}")
    say(f"{results_path} and {results_path.with_suffix('.md').name}\n{last}")
    return code


def main():
    """Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Sets up, builds, and measures; see bench/README.md.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(f"  {name:<11} {bench.question}" for name, bench in BENCHES.items()),
    )
    parser.add_argument("name", metavar="NAME|all", choices=(*BENCHES, "all"))
    parser.add_argument("--json", action="store_true", help="print one JSON object, progress to standard error")
    parser.add_argument("--quick", action="store_true", help="under 30 seconds each; figures are rough")
    parser.add_argument("--minutes", type=float, help="how long faults (10) and soak (30) go on")
    given = parser.parse_args()
    names = list(BENCHES) if given.name == "all" else [given.name]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    prepare(names)
    if given.name == "all":
        return run_all(names, given.quick, given.json, given.minutes)
    command = measure(given.name, given.quick, given.minutes) + (["--json"] if given.json else [])
    os.execv(command[0], command)


if __name__ == "__main__":
    sys.exit(main())

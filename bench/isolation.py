"""What handlers that wait or compute cost everybody else.

Light events are paced over 64 sessions on two workers. Beside them, in turns: nothing; eight handlers that
sleep for a second again and again and 200 coroutines that await for one; a handler that computes for a second
again and again; a process outside the fleet that does. Then the first two with Channels alone in one process,
with djust where it can be installed, and with Troupe, all three over WebSockets.
"""

import json
import socket
import subprocess

from harness import BUILD, PROJECT, PYTHON, ROOT, Fleet, Processes, Report, environment, group, median, say

DJUST = "1.2.6"
LIGHT = group("light", "increment", 64, rate=640)
BESIDE = {
    "quiet": (),
    "sleep": (group("sleep", "sleep", 8, stagger=1000), group("nap", "nap", 200, stagger=1000)),
    "burn": (group("burn", "burn", 1),),
    "outside": (),
}


def _phase(processes, fleet, beside, seconds):
    outside = None
    if beside == "outside":
        outside = processes.start("burner", [PYTHON, "-m", "benched.plain", "burn"], ready="ready")
    try:
        return fleet.load(LIGHT, *BESIDE[beside], seconds=seconds, warm_up=1.2)["groups"]
    finally:
        if outside:
            processes.stop(outside)


def _burner(groups):
    """The worker that the burner's session is on."""
    return next(pid for pid, worker in groups["burn"]["workers"].items() if worker["sessions"])


def measure_fleet(report, rounds, seconds):
    """Adds the figures of the fleet, loaded from C without HTTP."""
    seen = {beside: [] for beside in BESIDE}
    with Processes() as processes:
        fleet = Fleet(processes, workers=2)
        for number in range(rounds):
            for beside, all_of_them in seen.items():
                all_of_them.append(_phase(processes, fleet, beside, seconds))
            p99 = {beside: all_of_them[-1]["light"]["p99_us"] / 1e3 for beside, all_of_them in seen.items()}
            say(f"round {number + 1} of {rounds}: p99 in ms " + ", ".join(f"{k} {v:.2f}" for k, v in p99.items()))
        _add_fleet(report, seen, fleet.pids)


def _add_fleet(report, seen, pids):
    def light(beside, pid=None):
        groups = [groups_seen["light"] for groups_seen in seen[beside]]
        return [(group["workers"][pid] if pid else group)["p99_us"] / 1e3 for group in groups]

    def ratio(over, under):
        return median([a / b for a, b in zip(over, under, strict=True)])

    burning = _burner(seen["burn"][0])
    if any(_burner(groups) != burning for groups in seen["burn"]):
        raise RuntimeError("the burner was not on the same worker in each round")
    other = next(pid for pid in pids if pid != burning)
    burn, outside = light("burn", other), light("outside", other)
    report.add("sleep_p99_ratio", ratio(light("sleep"), light("quiet")))
    report.add("burn_other_p99_ratio", ratio(burn, outside))
    report.add("burn_same_p99_ms", median(light("burn", burning)))
    report.add("quiet_p99_ms", median(light("quiet")))
    report.add("sleep_p99_ms", median(light("sleep")))
    report.add("burn_other_p99_ms", median(burn))
    report.add("outside_other_p99_ms", median(outside))
    for beside, groups in seen.items():
        p50 = median([group["light"]["p50_us"] for group in groups]) / 1e3
        report.add(f"{beside}_p50_ms", p50)


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _over_sockets(processes, name, python, package, env, rounds, seconds):
    """The load of sockets.py on one uvicorn; {"quiet", "sleep"}."""
    port = _free_port()
    command = [
        python,
        "-m",
        "uvicorn",
        f"{package}.asgi:application",
        "--port",
        str(port),
        "--lifespan",
        "off",
    ]
    env = {"DJANGO_SETTINGS_MODULE": f"{package}.settings", **env}
    server = processes.start(f"uvicorn of {name}", command, ready="Uvicorn running on", env=env)
    load = [PYTHON, ROOT / "bench" / "sockets.py", name, str(port), str(rounds), str(seconds)]
    done = subprocess.run(load, env=environment(), cwd=PROJECT, capture_output=True, text=True, timeout=150)
    processes.stop(server)
    if done.returncode:
        raise RuntimeError(f"the load on {name} failed\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)


def _add_sockets(report, name, seen):
    pairs = zip(seen["sleep"], seen["quiet"], strict=True)
    report.add(f"{name}_sleep_p99_ratio", median([a["p99_us"] / b["p99_us"] for a, b in pairs]))
    for phase in ("quiet", "sleep"):
        report.add(f"{name}_{phase}_p99_ms", median([group["p99_us"] for group in seen[phase]]) / 1e3)


def _djust_python():
    """An interpreter with djust in an environment of its own, under build/. RuntimeError: it does not install."""
    folder = BUILD / "bench-djust"
    python, stamp = folder / "bin" / "python", folder / f"djust-{DJUST}"
    if not stamp.exists():
        say(f"installing djust {DJUST} into {folder}")
        same = ["uvicorn", "uvloop", "websockets", "channels"]
        pins = [line for line in (ROOT / "requirements.txt").read_text().split() if line.split("==")[0] in same]
        for command in (
            [PYTHON, "-m", "venv", "--clear", folder],
            [python, "-m", "pip", "--quiet", "install", "--retries", "1", f"djust=={DJUST}", *pins],
        ):
            done = subprocess.run(command, capture_output=True, text=True, timeout=240)
            if done.returncode:
                raise RuntimeError(done.stderr.strip().splitlines()[-1])
        stamp.touch()
    return python


def measure_sockets(report, quick):
    """Adds the figures of the three, each over WebSockets to one uvicorn."""
    rounds, seconds = (1, 1.5) if quick else (2, 3)
    with Processes() as processes:
        fleet = Fleet(processes, workers=2)
        plan = [("channels", lambda: PYTHON, "benched", {})]
        if not quick:
            plan.insert(0, ("troupe", lambda: PYTHON, "benched", {"TROUPE_FRONT": fleet.front}))
            plan.append(("djust", _djust_python, "benched_djust", {"PYTHONPATH": str(PROJECT)}))
        for name, python, package, env in plan:
            try:
                seen = _over_sockets(processes, name, python(), package, env, rounds, seconds)
            except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
                if name != "djust":
                    raise
                report.note(f"djust {DJUST} is left out: {error}")
                continue
            say(f"{name}: p99 in ms {[(k, round(group['p99_us'] / 1e3, 1)) for k, v in seen.items() for group in v]}")
            _add_sockets(report, "troupe_sockets" if name == "troupe" else name, seen)
    report.note("sleep_*, burn_*, outside_* and quiet_*: 640 light events/s from C, through the broker")
    report.note("troupe_sockets_*, channels_* and djust_*: 320 light events/s over WebSockets, to one uvicorn each")


def run(quick):
    """The whole benchmark; a Report."""
    report = Report("isolation")
    measure_fleet(report, *((1, 1.5) if quick else (4, 4)))
    measure_sockets(report, quick)
    return report

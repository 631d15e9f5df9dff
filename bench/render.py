"""What rendering costs: the same templates with the same contexts by Django's backend and by ours.

Both are in this process and are timed in turns, a batch of each a round; what they give is compared before. The
admin's changelist is a real one, of 100 rows in SQLite: its TemplateResponse is made once, and its template is
rendered. djust is in a process of its own, since it has an environment of its own; of its two ways of rendering,
the engine called with a template's text and its Django backend, the faster one is compared.
"""

import math
import os
import re
import subprocess
import sys

import isolation
from answering import Answering
from harness import BUILD, PROJECT, ROOT, Report, median, say

BATCH_US = 40_000  # about so long is a batch of one side
TOKEN = re.compile(r'(name="csrfmiddlewaretoken" value=")\w+')  # differs at every rendering
NEEDS_LOADER = ("rendered/page.html", "rendered/plain.html")  # they extend: djust's bare engine has no loader
WAYS = {"djust": "engine", "djust_backend": "backend"}


class Here:
    """A template and its context, rendered in this process."""

    def __init__(self, template, context, request):
        self._render = lambda: template.render(context, request)

    def output(self):
        """What it renders."""
        return str(self._render())

    def times(self, count):
        """timed() of so many renderings."""
        from timing import timed

        return timed(self._render, count)


def start_djust():
    """The process of djust's side. RuntimeError or OSError: it does not install, or ended."""
    command = [str(isolation._djust_python()), "-m", "rendered.djust_side"]
    return Answering(command, PROJECT, dict(os.environ, PYTHONPATH=str(PROJECT)))


class There:
    """The same as Here, in djust's process."""

    def __init__(self, djust, name, way):
        self._djust, self._template = djust, (name, way)

    def output(self):
        """What it renders."""
        return self._djust.ask("output", *self._template)

    def times(self, count):
        """timed() of so many renderings."""
        return self._djust.ask("time", *self._template, count)


def prepare():
    """Sets Django up with both backends and an empty database; {case: {side: Here}}."""
    sys.path[:0] = [str(PROJECT), str(ROOT / "python")]
    os.environ["DJANGO_SETTINGS_MODULE"] = "rendered.settings"
    import troupe

    troupe.__path__.insert(0, str(BUILD / "worker" / "py"))  # the extension module of the build that is measured
    import django

    django.setup()
    from django.core.management import call_command
    from django.template.loader import select_template
    from rendered import cases

    call_command("migrate", run_syncdb=True, verbosity=0)
    known = {name: ([template], context, None) for name, (template, context) in cases.PLAIN.items()}
    known.update(cases.more())
    return {
        name: {side: Here(select_template(templates, using=side), *given) for side in ("django", "troupe")}
        for name, (templates, *given) in known.items()
    }


def compare(name, sides):
    """Drops the sides of djust that do not render the same text, and returns what to say of them. RuntimeError: ours
    does not.
    """
    from troupe._native import figures

    texts, notes = {}, []
    for side, process in sides.items():
        before = figures()
        texts[side] = TOKEN.sub(r"\1~", process.output())
        if side == "troupe" and figures() == before:
            raise RuntimeError(f"{name}: nothing was rendered natively")
    for side, text in texts.items():
        if text == texts["django"]:
            continue
        pairs = zip(texts["django"].splitlines(), text.splitlines(), strict=False)
        line = next((pair for pair in pairs if pair[0] != pair[1]), ("all of it", "another number of lines"))
        message = f"{name}: {side} renders {line[1]!r} where Django renders {line[0]!r}"
        if side not in WAYS:
            raise RuntimeError(message)
        notes.append(f"left out: {message}"[:300])
        del sides[side]
    return notes


def measure(name, sides, rounds):
    """{side: [(times, processor time) of each round]}; the sides take turns."""
    counts = {side: max(1, round(BATCH_US / process.times(5)[1])) for side, process in sides.items()}
    seen = {side: [] for side in sides}
    for number in range(rounds):
        order = list(sides) if number % 2 else list(reversed(sides))
        for side in order:
            seen[side].append(sides[side].times(counts[side]))
    text = ", ".join(f"{side} {median(_times(seen[side])):.1f}" for side in sides)
    say(f"{name}: p50 in us: {text}")
    return seen


def _times(rounds):
    return [duration for times, _ in rounds for duration in times]


def _p99(times):
    return sorted(times)[math.ceil(len(times) * 0.99) - 1]


def _ratio(seen, side):
    """How many times less of the processor ours takes than this side: the median over the rounds."""
    pairs = zip(seen[side], seen["troupe"], strict=True)
    return median([theirs / ours for (_, theirs), (_, ours) in pairs])


def add(report, all_seen):
    """The figures: first the ratios."""
    for name, seen in all_seen.items():
        report.add(f"{name}_over_django", _ratio(seen, "django"))
    for name, seen in all_seen.items():
        known = [_ratio(seen, side) for side in WAYS if side in seen]
        if known:
            report.add(f"{name}_over_djust", min(known))
    for name, seen in all_seen.items():
        for side, rounds in seen.items():
            times = _times(rounds)
            report.add(f"{name}_{side}_p50_us", median(times))
            report.add(f"{name}_{side}_p99_us", _p99(times))


def run(quick):
    """The whole benchmark; a Report."""
    report = Report("render")
    cases, djust = prepare(), None
    try:
        if not quick:
            djust = join_djust(report, cases)
        for name, sides in cases.items():
            for note in compare(name, sides):
                report.note(note)
        add(report, {name: measure(name, sides, 5 if quick else 15) for name, sides in cases.items()})
    finally:
        if djust:
            djust.stop()
    report.note(
        "X_over_Y: Y's processor time to render X over ours, the median of each round's ratio; p50, p99: the clock"
    )
    return report


def join_djust(report, cases):
    """Adds djust's sides to the cases that it can render; the Djust, or None where it is not to be had."""
    from rendered.cases import PLAIN

    djust = None
    try:
        djust = start_djust()
        djust.ask("output", "counter", "engine")
    except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
        report.note(f"djust {isolation.DJUST} is left out: {error}")
        if djust:
            djust.stop()
        return None
    for name, (template, _) in PLAIN.items():
        for side, way in WAYS.items():
            if way == "backend" or template not in NEEDS_LOADER:
                cases[name][side] = There(djust, name, way)
    return djust

"""The demo's views through random events. A program: it needs the demo's own settings. Prints what it counted.

.venv/bin/python tests/property/demo_views.py [SEED]
"""

import os
import random
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
DEMO = HERE.parent.parent / "examples" / "demo"
EVENTS_A_VIEW = 30
EVENTS_OF_TABLE = 5  # each is a thousand rows to compare
TEXTS = ("milk", "<b>bread</b>", "a & b", "", "ö" * 30, "the")
# View → event → a function that makes its parameters.
EVENTS = {
    "Counter": {"increment": lambda pick: {"by": pick([1, -3, 100])}, "reset": None},
    "CounterView": {"increment": None},
    "Todo": {
        "add": lambda pick: {"text": pick(TEXTS)},
        "tick": lambda pick: {"task": pick([1, 2, 3, 4]), "value": pick([True, False])},
        "delete": lambda pick: {"task": pick([1, 2, 3, 4, 5])},
        "choose": lambda pick: {"which": pick(["all", "open", "done"])},
        "find": lambda pick: {"value": pick(["", "the", "x", "L"])},
    },
    "Table": {"change_one": None, "sell": lambda pick: {"row": pick([1, 2, 500, 1000])}},
    "Burn": {"choose": lambda pick: {"seconds": pick(["0.5", "1", "3"])}},
    "Sleep": {"choose": lambda pick: {"seconds": pick(["0.5", "1", "3"])}},
}


def set_up():
    """Django with the demo's settings."""
    os.environ["TROUPE_FRONT"] = "inproc://"
    import run

    sys.path.insert(0, str(DEMO))
    run.set_up("demo.settings")


def stock(view):
    """A function that gives the page by Django alone, for the view's state."""
    from django.conf import settings
    from django.template.backends.django import DjangoTemplates

    given = dict(settings.TEMPLATES[0], NAME="stock")
    given.pop("BACKEND")
    engine = DjangoTemplates({**given, "OPTIONS": dict(given["OPTIONS"])})
    if view.template_string is not None:
        template = engine.from_string(view.template_string)
        return lambda: f"<div dj-root>{template.render(view.get_context_data(), view.request)}</div>"
    return lambda: engine.get_template(view.template_name).render(view.get_context_data(), view.request)


def play(browser, name, pick, counts):
    """One view. Difference: the page is not what Django renders."""
    from equivalence import Run
    from system_under_test import Server, facts_of

    from demo import views

    view = getattr(views, name)()
    view.mount(None)
    server = Server(view, facts_of())
    rendered = stock(view)
    run = Run(browser, server, counts)
    try:
        run.open(rendered(), cached=False)
        for step in range(1, (EVENTS_OF_TABLE if name == "Table" else EVENTS_A_VIEW) + 1):
            event = pick(list(EVENTS[name]))
            make = EVENTS[name][event]
            frames = server.event(event, **(make(pick) if make else {}))
            run.settle(step, frames, rendered())
    finally:
        server.close()


def main():
    """All of them."""
    sys.path.insert(0, str(HERE))
    set_up()
    from browser import Jsdom
    from equivalence import Counts

    seed = sys.argv[1] if len(sys.argv) > 1 else str(random.randrange(1 << 32))
    print(f"TROUPE_SEED={seed}")
    with Jsdom() as browser:
        for name in EVENTS:
            counts = Counts()
            play(browser, name, random.Random(f"{seed}:{name}").choice, counts)
            print(f"-- {name}\n{counts.table()}")
            missed = [kind for kind in counts.all if "without slots" in kind or kind.startswith("asked: whole")]
            if missed:
                sys.exit(f"{name}: {missed}")


if __name__ == "__main__":
    main()

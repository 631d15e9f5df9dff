"""Random pages through random changes: what the browser shows is what Django renders. And: a difference is noticed."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from case import Case, make
from equivalence import Counts, Difference, Discarded, check, frames_of
from run import run_in_jobs
from shrink import told
from system_under_test import Stock
from template_tree import IGNORED

from troupe import _native

CASES = int(os.environ.get("TROUPE_CASES") or 300)
SEED = os.environ.get("TROUPE_SEED") or str(random.randrange(1 << 32))
IN_CHROMIUM = min(200, CASES // 10)
TAMPERED = 30


def test_pages_are_as_django_renders_them(capsys):
    counts, found = run_in_jobs(CASES, SEED, os.cpu_count() or 1)
    with capsys.disabled():
        print(f"\n{CASES} cases, TROUPE_SEED={SEED}\n{counts.table()}")
    texts = [f"case {name}: {text}\n{case}" for name, text, case in found]
    assert not found, f"TROUPE_SEED={SEED}: {len(found)} differ\n\n" + "\n\n".join(texts[:10])
    assert counts.all["cases"] > 0.9 * CASES  # the others are templates that Django itself does not take
    for missed in (
        "pages without slots",
        "frames: whole root, without slots",
        "asked: whole root",
        "asked: give up slots",
    ):
        # Now and then the grammar makes something that is not as calm as it looks.
        assert counts.all[f"{missed}, calm"] <= CASES // 500, f"TROUPE_SEED={SEED}: {missed} in calm pages"


def test_a_seed_gives_the_same_case():
    assert repr(make("7:1")) == repr(make("7:1")) != repr(make("7:2"))


def changed_text(value):
    """The value with one text in it another one; None: there is none."""
    if isinstance(value, str):
        return value.replace(">", " data-spoiled>", 1) if "<" in value and ">" in value else value + "?"
    if isinstance(value, dict):
        for key in value:
            new = None if key in ("b", "x", "m", "-") else changed_text(value[key])
            if new is not None:
                return {**value, key: new}
    return None


def without_one(value):
    """The slots without the last of them."""
    return {key: value[key] for key in list(value)[:-1]}


TAMPERS = {"another text": changed_text, "one slot less": without_one}


@pytest.mark.parametrize("name", TAMPERS)
def test_a_wrong_patch_is_noticed(browser, name):
    tampered = noticed = number = 0
    while tampered < TAMPERED:
        number += 1
        touched = []

        def tamper(frames, touched=touched):
            frame = json.loads(frames[0]) if frames else {}
            slots = TAMPERS[name](frame["d"]) if frame.get("d") and not touched else None
            if slots is None:
                return frames
            touched.append(frame)
            return [json.dumps({**frame, "d": slots})]

        try:
            # The same pages each time: this is a test of the check itself, and a share of 30 random ones says little.
            check(make(f"1:tampered:{number}"), browser, Counts(), tamper=tamper)
        except Discarded:
            continue
        except Difference:
            noticed += bool(touched)
        tampered += bool(touched)
    assert noticed > 0.8 * tampered, f"{noticed} of {tampered} were noticed"


def test_the_demo():
    """Its pages need settings of their own, and so a process."""
    program = Path(__file__).resolve().parent / "demo_views.py"
    done = subprocess.run([sys.executable, program, SEED], capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, f"TROUPE_SEED={SEED}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    assert done.stdout.count("frames: slots") == 6


@pytest.mark.parametrize("around", [IGNORED, "<div>"])
def test_only_what_is_ignored_may_fail_unseen(browser, around):
    page = [
        "<div dj-root>{{ b }}",
        (around, ["{% for x in rows %}{{ a|wordcount|last }}{% endfor %}"], "</div>"),
        "</div>",
    ]
    states = [{"rows": [], "a": "x", "b": 1}, {"rows": [1], "a": "x", "b": 1}, {"rows": [1], "a": "x", "b": 2}]
    case = Case({"main.html": page}, states, [True] * 3, [False] * 3, kind="fragment")
    check(case, browser, Counts())  # a worker that fails where Django does is right in any case
    careless = SimpleNamespace(view=SimpleNamespace(), event=lambda name: ["a frame"])
    if around == IGNORED:
        assert frames_of(careless, case, 2, states[2], None) == (
            ["a frame"],
            "<div dj-root>2" + IGNORED + "</div></div>",
        )
    else:
        with pytest.raises(Difference):
            frames_of(careless, case, 2, states[2], None)


def test_a_page_over_the_limit_says_nothing(browser):
    source = "<div dj-root>{% for x in rows %}{% for y in rows %}{{ a }}{% endfor %}{% endfor %}</div>"
    states = [{"a": "x", "rows": ["x"] * 300}, {"a": "long " * 40, "rows": ["x"] * 300}]
    with pytest.raises(Discarded):
        check(Case({"main.html": source}, states, [True] * 2, [False] * 2), browser, Counts())


def test_what_is_compared_with_is_django_alone():
    """No program of ours runs when Django renders what a page is held against."""
    source = "<div dj-root>{% for x in rows %}{{ x|upper }}{% endfor %}{% include 'inc1.html' %}</div>"
    case = Case({"main.html": source, "inc1.html": "{{ rows|length }}"}, [{"rows": ["a"]}], [True], [False])
    before = _native.figures()
    assert ">A1<" in Stock(case).render(case.states[0])
    assert _native.figures() == before


def test_a_real_browser_agrees(chromium, capsys):
    counts, found = Counts(), []
    for number in range(IN_CHROMIUM):
        case = make(f"{SEED}:{number}")
        try:
            check(case, chromium, counts, cached=number % 2 == 1)
        except Discarded:
            continue
        except Difference as error:
            found.append(f"case {SEED}:{number}: {error}\n{told(case)}")
    with capsys.disabled():
        print(f"\n{counts.all['cases']} cases in Chromium, TROUPE_SEED={SEED}")
    assert not found, f"{len(found)} differ\n\n" + "\n\n".join(found[:10])
    assert counts.all["cases"] > 0.9 * IN_CHROMIUM

"""scripts/check paths: documentation that names what does not exist is found, and examples are left alone."""

import check_paths
import pytest

TREE = {
    "worker/actor/event_turn.c": "static int s_admit(void) { return turn_run(); }\n",
    "worker/io/pool.c": 'log_event(LEVEL_ERROR, "stuck", "view=%s", view);\n',
    "python/troupe/token.py": 'logger.warning("event=slow view=%s", view)\n',
    "scripts/bench": "",
    "docs/guide.md": "# Guide\n\n## More than one machine\n",
}


@pytest.fixture
def problems(tmp_path):
    """What the gate says of a document that stands in the small tree."""
    for path, text in TREE.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)

    def check(text, document="README.md"):
        (tmp_path / document).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / document).write_text(text)
        return check_paths.check(tmp_path)

    return check


@pytest.mark.parametrize(
    "text",
    [
        "`worker/actor/event_turn.c` and its `turn_run()`, in `worker/actor/`",
        "`event_turn.c`, `actor/event_turn.c`, `troupe/token.py`, `worker/*/pool.c`",
        "`scripts/bench row-change`",
        "`mysite/urls.py` is the reader's, `ipc:///run/x.c` and `*.cert` no files, `build/bench/x.c` is built",
        "[more](docs/guide.md#more-than-one-machine), [elsewhere](https://example.org/x.md)",
        "Code:\n\n    `worker/gone.c`\n\n```\n`worker/gone.c`\n```\n",
    ],
)
def test_true(problems, text):
    assert problems(text) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("one\n`worker/turn.c`", "README.md:2: no file worker/turn.c"),
        ("`gone.c`", "README.md:1: no file gone.c"),
        ("`io/turn.c`", "README.md:1: no file io/turn.c"),
        ("`worker/gone/`", "README.md:1: no file worker/gone/"),
        ("`worker/*/gone.c`", "README.md:1: no file worker/*/gone.c"),
        ("`scripts/gone row-change`", "README.md:1: no file scripts/gone"),
        ("`turn_walk()`", "README.md:1: no function turn_walk()"),
        ("[a](docs/gone.md)", "README.md:1: no file docs/gone.md"),
        ("[a]\n\n[a]: docs/gone.md", "README.md:3: no file docs/gone.md"),
        ("[a](docs/guide.md#gone)", "README.md:1: no heading docs/guide.md#gone"),
        ("- an item\n\n  `gone.c`", "README.md:3: no file gone.c"),
    ],
)
def test_false(problems, text, problem):
    assert problems(text) == [problem]


def test_the_guide_is_read_for_its_links_only(problems):
    """Its files are those of the reader's project."""
    assert problems("`gone.c` [a](gone.md)", "docs/guide.md") == ["docs/guide.md:1: no file gone.md"]


def test_log_events(problems):
    text = "`event=stuck view=…`, `event=slow` and `event=gone`"
    assert problems(text, "docs/guide.md") == ["docs/guide.md:1: no log event gone"]


def test_the_changelog_names_log_events_that_are_gone(problems):
    assert problems("`event=gone`", "CHANGELOG.md") == []


def test_decisions_are_read(problems):
    assert problems("`gone.c`", "docs/decisions/0001-x.md") == ["docs/decisions/0001-x.md:1: no file gone.c"]

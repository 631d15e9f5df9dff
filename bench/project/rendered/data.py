"""What the templates are rendered with: the same at every run. Needs no Django, so that djust's side has it too."""

import datetime

WORDS = "amber birch cedar delta ember fjord grove heath islet jetty knoll larch maple north ocean pearl".split()
ZONE = datetime.timezone.utc  # noqa: UP017 (as Django names it)
START = datetime.datetime(2026, 1, 31, 22, 5, tzinfo=ZONE)


class Row:
    """A row as a plain object."""

    def __init__(self, **values):
        self.__dict__.update(values)


def row(number):
    """One row of the table."""
    return {
        "id": number,
        "name": f"{WORDS[number % 16]} & {WORDS[number % 7]}",
        "price": number * 1.37 + 0.005,
        "stock": number % 5 * 3,
        "active": number % 3 != 0,
    }


def table(count):
    """The table's context."""
    return {"rows": [row(number) for number in range(1, count + 1)]}


def objects(count):
    """The same with plain objects."""
    return {"rows": [Row(**row(number)) for number in range(1, count + 1)]}


def page():
    """The page's context: 50 articles, each with a date, and one date more."""
    articles = [
        {
            "title": f"On {WORDS[number % 16]}",
            "text": " ".join(WORDS[(number + step) % 16] for step in range(12)),
            "kind": "new" if number % 4 else "old",
            "words": number * 37,
            "date": START + datetime.timedelta(days=number, minutes=7 * number),
        }
        for number in range(50)
    ]
    return {
        "heading": "All that was written",
        "written": START,
        "articles": articles,
        "links": [{"url": f"/{word}/", "text": word.title(), "here": word == "delta"} for word in WORDS[:6]],
        "person": {"name": "ada lovelace", "unread": 3},
        "latest": [f"{word} and what came of it" for word in WORDS[:5]],
        "year": 2026,
    }

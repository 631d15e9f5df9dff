"""A table and what happens to it: the same for every system that is measured. Imports no framework."""

import random
import uuid

COLUMNS = (
    '<td class="n">{{ row.count }}</td><td>{{ row.name }}</td><td>{{ row.price|floatformat:2 }}</td>'
    '<td>{{ row.city|upper }}</td><td>{{ row.note|default:"-" }}</td>'
)
TABLE = (
    '<div dj-root><h1 class="{{ tone }}">{{ title }}</h1><table><thead><tr><th>Count</th><th>Name</th><th>Price</th>'
    "<th>City</th><th>Note</th></tr></thead><tbody>"
    '{% for row in rows %}<tr dj-key="{{ row.id }}">' + COLUMNS + "</tr>{% endfor %}"
    '</tbody></table><button dj-click="change">change</button></div>'
)
CITIES = ("Vienna", "Graz", "Linz", "Salzburg")


class Thing:
    """A row that is a plain object."""

    def __init__(self, **fields):
        self.__dict__.update(fields)


def make_row(number, keys="numbers"):
    """One row. keys: "numbers" or "uuids"."""
    chosen = random.Random(number)
    return {
        "id": number if keys == "numbers" else str(uuid.UUID(int=chosen.getrandbits(128))),
        "count": number % 10,
        "name": f"Item {number}",
        "price": chosen.randrange(10000) / 100,
        "city": CITIES[number % len(CITIES)],
        "note": "" if number % 3 else "to check",
    }


def make_rows(count, keys="numbers", things=False):
    """A list of rows."""
    rows = [make_row(number, keys) for number in range(1, count + 1)]
    return [Thing(**row) for row in rows] if things else rows


def _field(row, name, change):
    if isinstance(row, dict):
        row[name] = change(row[name])
    else:
        setattr(row, name, change(getattr(row, name)))


class Table:
    """What a view of the table holds, and the changes by name. A mixin: `rows`, `keys`, `title`, `tone`."""

    def fill(self, count, keys="numbers", things=False):
        """A new table."""
        self.rows, self.keys = make_rows(count, keys, things), keys
        self.title, self.tone = "Items", "calm"

    def _next(self):
        numbers = [int(row["name"].split()[1]) for row in self.rows]
        return make_row(max(numbers) + 1, self.keys)

    def one_cell(self):
        _field(self.rows[len(self.rows) * 6 // 10], "count", lambda count: (count + 1) % 10)

    def one_cell_anew(self):
        """One cell, by rows that are all made anew, as from a query."""
        self.rows = [dict(row) for row in self.rows]
        self.one_cell()

    def one_class(self):
        self.tone = "loud" if self.tone == "calm" else "calm"

    def append(self):
        self.rows.append(self._next())

    def prepend(self):
        self.rows.insert(0, self._next())

    def remove_first(self):
        del self.rows[0]

    def remove_last(self):
        del self.rows[-1]

    def swap(self):
        rows, last = self.rows, len(self.rows) - 2
        rows[1], rows[last] = rows[last], rows[1]

    def reverse(self):
        self.rows.reverse()

    def sort(self):
        """By price: as good as a shuffle."""
        self.rows.sort(key=lambda row: row["price"])

    def unsort(self):
        self.rows.sort(key=lambda row: int(row["name"].split()[1]))

    def all_cells(self):
        """Of every row, all that it shows."""
        for row in self.rows:
            row["count"] = (row["count"] + 1) % 10
            row["name"] = row["name"].swapcase()
            row["price"] = round(row["price"] + 1, 2)
            row["city"] = row["city"][::-1]
            row["note"] += "!"


CHANGES = ("one_cell", "one_class", "append", "prepend", "remove_first", "swap", "reverse", "sort", "all_cells")
# What brings the table back, so that a change can be measured again and again.
UNDO = {
    "append": "remove_last",
    "prepend": "remove_first",
    "remove_first": "prepend",
    "swap": "swap",
    "reverse": "reverse",
    "sort": "unsort",
}

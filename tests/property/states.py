"""Random states, and random changes of them. See state_specs.py for what a state is."""

import copy

CALM = [
    "",
    "x",
    "Ada",
    "7",
    "two words",
    "naïve",
    "שלום",
    "emoji 🎈",
    "a & b",
    "5 < 6",
    'say "hi"',
    "it's",
    "l1\nl2",
    " pad ",
]
WILD = [
    "<b>bold</b>",
    "</p>",
    "</p><p>",
    "<div>",
    "&amp;",
    "&notin;",
    "&#0;",
    "cr\r\nlf\r",
    "nul\0l",
    "half \ud83d pair",
    "<!--",
    "-->",
    "<!--$b1-->",
    "]]>",
    "</textarea>",
    "</script><script>",
    "</title>",
    "\n\nlines",
    "=\"'>",
    "\u2028",
    "\u202egnirts",
    "$",
    "{{ a }}",
    "long " * 60,
]
CALM_HTML = [
    "",
    "plain",
    "<b>b</b>",
    "x <i>y</i> z",
    "a &amp; b",
    "<br>",
    "<em>1</em><em>2</em>",
    "&quot;q&quot;",
    "<!-- c -->",
]
WILD_HTML = [
    "</p>",
    "</div>",
    "</section>",
    "<div>",
    "<b>open",
    "<p>one<p>two",
    "<td>cell</td>",
    "<tr><td>row</td></tr>",
    "<li>item",
    "<table><tr><td>1</table>",
    "<svg><path d='M0'/></svg>",
    "<!--$b1-->",
    "<!--$-->",
    "<!--$,-->",
    "a & b < c",
    "&nbsp;&lt;&bogus;",
    "<option>o</option>",
    "</table>",
    "<textarea>\n\nt</textarea>",
    "<input value='v' checked>",
    "<a href=x>",
    "</tbody>",
    "cr\r\nlf",
    "nul\0",
    '<i title="',
]
CLASSES = ["", "one", "one two", "three", "is-on  one"]
DATES = ["2024-01-31", "1999-12-31", "2030-06-05"]
TIMES = ["2024-01-31T13:05:09", "1999-12-31T23:59:59", "2030-06-05T00:00:00+00:00"]
INCLUDES = ["inc1.html", "inc2.html"]
PARENTS = ["base1.html", "base2.html"]
EDITS = "edit edit edit append insert remove first last swap move move reverse shuffle clear".split()
FIELDS = ("name", "n", "on", "html", "tags", "kids")


class States:
    """Makes states. wild: hostile texts, duplicate keys and markup that is not balanced may occur."""

    def __init__(self, rng, wild):
        self.rng, self.wild = rng, wild

    def text(self):
        """A text of the user's."""
        return self.rng.choice(CALM + WILD if self.wild and self.rng.random() < 0.5 else CALM)

    def html(self):
        """What somebody marked as safe; sometimes not."""
        if self.rng.random() < 0.2:
            return self.text()
        return ("safe", self.rng.choice(CALM_HTML + WILD_HTML if self.wild and self.rng.random() < 0.5 else CALM_HTML))

    def bool(self):
        """Either."""
        return self.rng.random() < 0.5

    def number(self):
        """Mostly small."""
        return self.rng.choice([0, 1, 2, 3, 4, 5, 12, 1234567, -3])

    def key(self, taken):
        """A key of a row that no other row has; in a wild state it may be taken, or missing, or odd."""
        if self.wild and self.rng.random() < 0.06:
            return self.rng.choice([1, "1", "", None, "a b", 'q"k', "<k>", "é", ("safe", "&eacute;"), 1.5])
        while True:
            key = self.rng.randrange(1, 60)
            if key not in taken:
                return key

    def rows(self, make=None, most=6):
        """A list of rows; now and then a long one."""
        rows = []
        most = most if self.rng.random() < 0.9 else 20
        for _ in range(self.rng.randrange(most)):
            row = self.row(rows)
            rows.append(make(row) if make else row)
        return rows

    def row(self, among, deep=True):
        """A row for a list that has these."""
        row = {"id": self.key([fields_of(one)["id"] for one in among])}
        row.update({name: self.field(name, deep) for name in FIELDS})
        return row

    def field(self, name, deep=True):
        """A value for one of a row's fields."""
        if name in ("name", "html"):
            return self.text() if name == "name" else self.html()
        if name in ("n", "on"):
            return self.number() if name == "n" else self.bool()
        if name == "tags":
            return [self.text() for _ in range(self.rng.randrange(4))]
        kids = []
        for _ in range(self.rng.randrange(4) if deep else 0):
            kids.append(self.row(kids, deep=False))
        return kids

    def tree(self, depth=0):
        """Nodes with children, for templates that include themselves."""
        most = 3 if depth < 3 else 1
        return {"name": self.text(), "kids": [self.tree(depth + 1) for _ in range(self.rng.randrange(most))]}

    def value(self, name):
        """A value for one of the roots."""
        return getattr(self, "root_" + name, self.text)()

    # The roots that are not plain text.

    def root_n(self):
        return self.number()

    def root_m(self):
        return self.rng.choice([0, 1, 2, 3])

    def root_big(self):
        return self.rng.choice([1234567.891, 0.1, -2.5, 1e20, 12345678])

    def root_flag(self):
        return self.bool()

    def root_on(self):
        return self.rng.choice([True, False, None, "yes"])

    def root_html(self):
        return self.html()

    def root_more(self):
        return self.html()

    def root_cls(self):
        return self.rng.choice(CLASSES)

    def root_rows(self):
        return self.rows()

    def root_objs(self):
        return self.rows(lambda row: ("obj", row), most=4)

    def root_words(self):
        return [self.text() for _ in range(self.rng.randrange(5))]

    def root_pairs(self):
        return [("tuple", [self.text(), self.number()]) for _ in range(self.rng.randrange(4))]

    def root_d(self):
        keys = self.rng.sample(["k", "l", "items2", "x y", "0"], self.rng.randrange(5))
        return {key: self.text() for key in keys}

    def root_gen(self):
        return ("gen", self.rows(most=4))

    def root_lazy(self):
        return ("lazy", self.text())

    def root_call(self):
        return ("call", self.text())

    def root_none(self):
        return self.rng.choice([None, None, "not none"])

    def root_dec(self):
        return ("dec", self.rng.choice(["1.50", "1234.5678", "0", "-0.005"]))

    def root_day(self):
        return ("date", self.rng.choice(DATES))

    def root_when(self):
        return ("when", self.rng.choice(TIMES))

    def root_tree(self):
        return self.tree()

    def root_inc(self):
        return self.rng.choice(INCLUDES)

    def root_parent(self):
        return self.rng.choice(PARENTS)

    def root_form(self):
        return ("form", self.rng.choice([{}, {"name": self.text(), "note": self.text(), "kind": "b"}]))

    def root_thing(self):
        return ("boom",) if self.wild and self.rng.random() < 0.04 else ("obj", self.row([]))


ROOTS = ["a", "b", "c"] + [name[5:] for name in vars(States) if name.startswith("root_")]
LISTS = ("rows", "objs", "words", "pairs", "gen")


def fields_of(row):
    """The dict of a row's fields, be it a dict or an object."""
    return row[1] if type(row) is tuple else row


class Changes:
    """Makes the next state out of a state."""

    def __init__(self, rng, states, names):
        self.rng, self.states, self.names = rng, states, names

    def next(self, state):
        """A changed copy; in one of ten cases nothing is changed."""
        state = copy.deepcopy(state)
        for _ in range(bool(self.names) and self.rng.choice([0, 1, 1, 1, 1, 2, 2, 3, 4, 6])):
            self.once(state, self.rng.choice(self.names))
        return state

    def once(self, state, name):
        """One change of one root, in place."""
        value = state[name]
        if name == "gen" and self.rng.random() < 0.8:
            state[name] = ("gen", self.list(list(value[1]), "rows"))
        elif name in LISTS and name != "gen" and self.rng.random() < 0.9:
            state[name] = self.list(list(value), name)
        else:
            state[name] = self.states.value(name)

    def list(self, items, name):
        """One change of the list of that root: rows come, go, move, and change."""
        rng = self.rng
        kind = rng.choice(EDITS)
        at = rng.randrange(len(items)) if items else 0
        if not items or kind in ("append", "insert"):
            items.insert(at if kind == "insert" else len(items), self.item(items, name))
        elif kind == "edit":
            items[at] = self.edited(items[at])
        elif kind in ("remove", "first", "last"):
            items.pop({"remove": at, "first": 0, "last": -1}[kind])
        elif kind == "swap":
            other = rng.randrange(len(items))
            items[at], items[other] = items[other], items[at]
        elif kind == "move":
            items.insert(rng.randrange(len(items)), items.pop(at))
        elif kind == "reverse":
            items.reverse()
        elif kind == "shuffle":
            rng.shuffle(items)
        else:
            items.clear()
        return items

    def item(self, items, name):
        """A new item for the list of that root."""
        if name == "words":
            return self.states.text()
        if name == "pairs":
            return ("tuple", [self.states.text(), self.states.number()])
        row = self.states.row(items)
        return ("obj", row) if name == "objs" else row

    def edited(self, item):
        """The item with one thing changed. Now and then it is another row altogether, or has another key."""
        if type(item) is str:
            return self.states.text()
        if type(item) is tuple and item[0] == "tuple":
            return ("tuple", [self.states.text(), self.states.number()])
        fields = dict(fields_of(item))
        name = self.rng.choice([*FIELDS, "kids", "id"])
        if name == "kids" and fields["kids"] and self.rng.random() < 0.7:
            fields["kids"] = self.list(list(fields["kids"]), "rows")
        else:
            fields[name] = self.states.key([]) if name == "id" else self.states.field(name)
        return ("obj", fields) if type(item) is tuple else fields

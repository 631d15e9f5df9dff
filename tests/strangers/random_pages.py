"""Random live pages for strangers: their templates and states. Every element of the server's is named by data-s."""

import random

LEAVES = ("span", "em", "b", "i", "small")
BOXES = ("div", "section", "article")
PAGE = (
    '<!doctype html><html><head><title>s</title><script src="/client/early.js"></script></head>'
    '<body><main dj-root data-s="0">{}</main></body></html>'
)


class RandomPage:
    """A template in `source`, its states, and how many hooks for strangers it has. Repeats itself for the same seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.names, self.hooks, self.number, self.shown = [], 0, 0, 0
        self.source = PAGE.format(self._content(3))
        self.states = [self._state(None)]
        for _ in range(self.random.randint(2, 4)):
            self.states.append(self._state(self.states[-1]))

    # The template.

    def _chance(self, share):
        return self.random.random() < share

    def _name(self, kind):
        self.names.append((kind, f"{kind}{len(self.names)}"))
        return self.names[-1][1]

    def _shown(self, row=None):
        if row:
            return f"{{{{ {row}.{self.random.choice('xy')} }}}}"
        return f"{{{{ {self._name('v')} }}}}"

    def _open(self, tag, row=None, key=False):
        self.number += 1
        suffix = f"-{{{{ {row}.id }}}}" if row else ""
        attributes = [f'data-s="{self.number}{suffix}"']
        if key:
            attributes.append(f'dj-key="{{{{ {row}.id }}}}"')
        if self._chance(0.3):
            attributes.append(f'class="k {self._shown(row)}"')
        if self._chance(0.2):
            attributes.append(f'title="{self._shown(row)}"')
        if not row and self._chance(0.2):
            attributes.append(f'id="e{self.number}"')
        self.random.shuffle(attributes)
        return f"<{tag} {' '.join(attributes)}>"

    def _hook(self, depth, row):
        self.hooks += 1
        return f"<script>parent.hook({self.hooks - 1})</script>"

    def _content(self, depth, row=None):
        return "".join(self._piece(depth, row) for _ in range(self.random.randint(2, 5)))

    def _piece(self, depth, row):
        kinds = ["text", "value", "leaf", "leaf", "leaf"]
        if depth:
            kinds += ["box", "box", "branch", "branch"]
            kinds += [] if row else ["list", "list", "list"]
        if not row:
            kinds += ["hook", "hook"]
        return getattr(self, f"_{self.random.choice(kinds)}")(depth, row)

    def _text(self, depth, row):
        return self.random.choice([" static ", "\n", " &amp; "])

    def _value(self, depth, row):
        return self._shown(row)

    def _leaf(self, depth, row):
        tag = self.random.choice(LEAVES)
        return f"{self._open(tag, row)}{self._shown(row)}</{tag}>"

    def _box(self, depth, row):
        tag = self.random.choice(BOXES)
        return f"{self._open(tag, row)}{self._content(depth - 1, row)}</{tag}>"

    def _branch(self, depth, row):
        test = f"{row}.on" if row else self._name("b")
        other = f"{{% else %}}{self._content(depth - 1, row)}" if self._chance(0.5) else ""
        return f"{{% if {test} %}}{self._content(depth - 1, row)}{other}{{% endif %}}"

    def _list(self, depth, row):
        name, each = self._name("l"), f"r{len(self.names)}"
        kind = self.random.choice(["li", "li", "tr", "dt", "leaf"])
        key, space = self._chance(0.6), self.random.choice(["", "\n  "])
        if kind == "dt":
            inside = f"{self._open('dt', each, key)}{self._shown(each)}</dt>"
            inside += f"{self._open('dd', each)}{self._content(0, each)}</dd>"
            begin, end = self._open("dl"), "</dl>"
        elif kind == "tr":
            inside = f"{self._open('tr', each, key)}{self._open('td', each)}{self._content(0, each)}</td></tr>"
            begin, end = f"{self._open('table')}<tbody>", "</tbody></table>"
        elif kind == "li":
            inside = f"{self._open('li', each, key)}{self._content(depth - 1, each)}</li>"
            begin, end = self._open("ul"), "</ul>"
        else:
            inside = f"{self._open('b', each, key)}{self._shown(each)}</b>"
            begin, end = self.random.choice([("", ""), (self._open("div"), "</div>")])
        tag = "b" if kind == "leaf" else kind
        empty = f"{{% empty %}}{self._open(tag)}none</{tag}>" if self._chance(0.3) else ""
        return f"{begin}{{% for {each} in {name} %}}{space}{inside}{space}{empty}{{% endfor %}}{end}"

    # Its states.

    def _word(self):
        self.shown += 1
        return f"w{self.shown}"

    def _row(self, number):
        return {"id": number, "x": self._word(), "y": self._word(), "on": self._chance(0.5)}

    def _state(self, before):
        state = {}
        for kind, name in self.names:
            if before and self._chance(0.5):
                state[name] = before[name]
            elif kind == "v":
                state[name] = self._word()
            elif kind == "b":
                state[name] = self._chance(0.6)
            else:
                state[name] = self._rows(before[name] if before else [])
        return state

    def _rows(self, rows):
        rows = [row if self._chance(0.7) else {**row, "x": self._word()} for row in rows if self._chance(0.8)]
        highest = max((row["id"] for row in rows), default=self.random.randrange(100, 900))
        rows += [self._row(highest + at) for at in range(1, self.random.randint(1, 4))]
        if self._chance(0.4):
            self.random.shuffle(rows)
        return rows

"""Makes a case that fails as small as it gets while it still fails."""

import copy

from states import fields_of
from template_tree import lists, source, without_alternatives

MOST_TRIES = 1500


class Shrinker:
    """fails(case): whether it (still) does."""

    def __init__(self, case, fails, tries=MOST_TRIES):
        self.case, self.fails, self.tries = case, fails, tries

    def run(self):
        """The smallest case that was found."""
        before = None
        while before != repr(self.case) and self.tries > 0:
            before = repr(self.case)
            self.states()
            self.pieces()
            self.plain()
            self.values()
        return self.case

    def attempt(self, edit):
        """Keeps what edit(copy of the case) makes, if that fails as well. edit returns False: nothing to do."""
        changed = copy.deepcopy(self.case)
        if self.tries <= 0 or edit(changed) is False or repr(changed) == repr(self.case):
            return False
        self.tries -= 1
        if not self.fails(changed):
            return False
        self.case = changed
        return True

    def states(self):
        """Fewer steps, and those without changes in place."""
        at = 0
        while at < len(self.case.states):

            def drop(case, at=at):
                del case.states[at], case.in_place[at], case.lost[at]
                return bool(case.states)

            at += 0 if self.attempt(drop) else 1
        for at in range(len(self.case.in_place)):
            self.attempt(lambda case, at=at: case.in_place.__setitem__(at, False))
            self.attempt(lambda case, at=at: case.lost.__setitem__(at, False))

    def plain(self):
        """Without what a case can do without."""
        self.attempt(lambda case: setattr(case, "language", None))
        self.attempt(lambda case: setattr(case, "invalid", False))
        for name in list(self.case.templates):
            self.attempt(lambda case, name=name: name != "main.html" and case.templates.pop(name) and None)

    def pieces(self):
        """Shorter templates."""
        for name in self.case.templates:
            at = 0
            while at < len(list(lists(self.case.templates[name]))):
                self._list(name, at)
                at += 1

    def _list(self, name, number):
        def of(case):
            return list(lists(case.templates[name]))[number]

        self.attempt(lambda case: of(case).clear())
        at = 0
        while at < len(of(self.case)):
            piece = of(self.case)[at]
            if self.attempt(lambda case, at=at: of(case).pop(at) and None):
                continue
            if not isinstance(piece, str):
                self._piece(of, at, piece)
            at += 1

    def _piece(self, of, at, piece):
        """Instead of a piece: one of the lists in it, or a piece with fewer alternatives."""
        for inner in [part for part in piece if type(part) is list]:
            if self.attempt(lambda case, inner=inner: of(case).__setitem__(slice(at, at + 1), copy.deepcopy(inner))):
                return
        for shorter in without_alternatives(piece):
            self.attempt(lambda case, shorter=shorter: of(case).__setitem__(at, copy.deepcopy(shorter)))

    def values(self):
        """Fewer and simpler values, and fewer that change."""
        text = "".join(source(pieces) for pieces in self.case.templates.values())
        for name in sorted(self.case.states[0]):
            if name not in text or name in ("inc", "parent", "tree"):
                continue
            self.attempt(
                lambda case, name=name: [state.__setitem__(name, case.states[-1][name]) for state in case.states]
            )
            for at in range(len(self.case.states)):
                self._value(name, at)

    def _value(self, name, at):
        value = self.case.states[at][name]
        if type(value) is not list:
            for simple in ("x", 1, []):
                self.attempt(lambda case, simple=simple: case.states[at].__setitem__(name, simple))
            return
        row = 0
        while row < len(self.case.states[at][name]):
            if not self.attempt(lambda case, row=row: case.states[at][name].pop(row) and None):
                self._row(name, at, row)
                row += 1

    def _row(self, name, at, row):
        fields = fields_of(self.case.states[at][name][row])
        if type(fields) is not dict:
            return
        for field, value in list(fields.items()):
            simple = [] if type(value) is list else "x" if type(value) is str or type(value) is tuple else 1
            self.attempt(
                lambda case, field=field, simple=simple: fields_of(case.states[at][name][row]).__setitem__(
                    field, simple
                )
            )


def told(case):
    """The case for a reader: its templates, and its states without what no template names."""
    text = "".join(source(pieces) for pieces in case.templates.values())
    lines = [f"# {name}\n{body}" for name, body in case.sources().items()]
    for state, in_place, lost in zip(case.states, case.in_place, case.lost, strict=True):
        used = {name: value for name, value in state.items() if name in text}
        lines.append(f"state{' (in place)' * in_place}{' (the socket is lost)' * lost}: {used!r}")
    lines.append(f"language={case.language} invalid={case.invalid} kind={case.kind} wild={case.wild}")
    return "\n".join(lines)

"""States as plain data, so that they can be printed, shrunk and built again: a dict of name → spec.

A spec is None, a bool, a number, a text, a list or a dict of specs, or a tuple for what is none of these:
("safe", text) ("lazy", text) ("gen", [spec…]) ("obj", {…}) ("call", spec) ("tuple", [spec…]) ("dec", text)
("date", iso) ("time", iso) ("when", iso) ("form", {…}) ("boom",)
"""

import datetime
import decimal

from django import forms
from django.utils.functional import lazystr
from django.utils.safestring import mark_safe


class Thing:
    """A plain object of the user's own, with attributes."""

    def __init__(self, **fields):
        self.__dict__.update(fields)

    def __str__(self):
        return f"<thing {self.__dict__.get('name', '')}>"

    def shout(self):
        """Templates call this."""
        return str(self.name).upper()

    def delete(self):
        """Templates must not call this."""
        raise AssertionError("a template called what alters data")

    delete.alters_data = True


class Boom:
    """Everything that is asked of it fails."""

    def __str__(self):
        raise ValueError("boom")


class Asked(forms.Form):
    """A form with one of each."""

    name = forms.CharField(max_length=40)
    note = forms.CharField(widget=forms.Textarea, required=False)
    kind = forms.ChoiceField(choices=[("a", "A & a"), ("b", "<B>")], required=False)
    sure = forms.BooleanField(required=False)


class Items:
    """Something to loop over that is made anew for each render, and can be gone through once."""

    def __init__(self, items):
        self.items = items

    def __call__(self):
        return (build(item) for item in self.items)


_MAKERS = {
    "safe": mark_safe,
    "lazy": lazystr,
    "gen": Items,
    "obj": lambda fields: Thing(**build(fields)),
    "call": lambda spec: lambda: build(spec),
    "tuple": lambda items: tuple(build(item) for item in items),
    "dec": decimal.Decimal,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "when": datetime.datetime.fromisoformat,
    "form": lambda data: Asked(data or None, auto_id="f_%s"),
    "boom": Boom,
}


def build(spec):
    """A new value."""
    if type(spec) is tuple:
        return _MAKERS[spec[0]](*spec[1:])
    if type(spec) is list:
        return [build(item) for item in spec]
    if type(spec) is dict:
        return {name: build(item) for name, item in spec.items()}
    return spec


def _same_shape(old, new):
    if type(old) is not type(new):
        return False
    if type(old) is tuple:
        return old[0] == new[0] == "obj"
    return type(old) in (list, dict)


def change(value, old, new):
    """A value for the spec `new`, made out of `value`, which was built from `old`, in place where that is possible.

    What did not change keeps its identity, and what changed may keep it too.
    """
    if repr(old) == repr(new):
        return value
    if not _same_shape(old, new):
        return build(new)
    if type(new) is list:
        value[:] = _changed_items(list(value), old, new)
    elif type(new) is dict:
        _change_fields(value, old, new)
    else:
        _change_fields(value.__dict__, old[1], new[1])
    return value


def _identity(spec, at):
    fields = spec[1] if type(spec) is tuple and spec[0] == "obj" else spec
    return ("id", repr(fields["id"])) if type(fields) is dict and "id" in fields else ("at", at)


def _changed_items(values, old, new):
    had = {_identity(spec, at): at for at, spec in enumerate(old)}
    changed = []
    for at, spec in enumerate(new):
        was = had.pop(_identity(spec, at), None)
        changed.append(build(spec) if was is None else change(values[was], old[was], spec))
    return changed


def _change_fields(fields, old, new):
    changed = {
        name: change(fields[name], old[name], spec) if name in old else build(spec) for name, spec in new.items()
    }
    fields.clear()  # and filled in the new order, which a template can see
    fields.update(changed)


def context_of(values):
    """The template's context: generators are new ones at each render."""
    return {name: value() if type(value) is Items else value for name, value in values.items()}

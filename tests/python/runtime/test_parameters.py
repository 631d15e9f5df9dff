"""What a handler is called with, whatever the page, other scripts and strangers send."""

import functools

import pytest
from django import forms
from django.http import QueryDict
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_variables

from troupe import event_handler
from troupe.runtime.faults import Refused
from troupe.runtime.parameters import Binder, Event

VIEW = object()


def call(function, namespace=None, /, **params):
    """What a function that returns what it was given gets. The short way and the long one agree."""
    binder = Binder(function, "handler", namespace or {})
    got = binder(VIEW, params)
    positional, named = binder._bind(Event(params))
    long = function(VIEW, *positional, **named)
    assert long == got or isinstance(got, forms.Form)
    return got


def refused(function, /, **params):
    with pytest.raises(Refused) as caught:
        call(function, **params)
    return caught.value


def form(*pairs, lists=(), boxes=None, **others):
    """The parameters of a form's event."""
    return {**others, "_fields": [list(pair) for pair in pairs], "_lists": list(lists), "_boxes": boxes or {}}


def passes_on(function):
    @functools.wraps(function)
    def wrapper(self, *args, **kwargs):
        return function(self, *args, **kwargs)

    return wrapper


def passes_all(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


def by_position(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)

    return wrapper


def adds_one(function):
    @functools.wraps(function)
    def wrapper(self, token, **kwargs):
        return token, function(self, **kwargs)

    return wrapper


def takes_away(function):
    @functools.wraps(function)
    def wrapper(self):
        return function(self, 7)

    return wrapper


def nothing(self):
    return "ran"


def two(self, id, other="o"):
    return id, other


ALIEN = {"bs_toggle": "tooltip", "testid": "x", "turbo": "false", "darkreader_inline_color": "", "gramm": "false"}


@pytest.mark.parametrize("decorator", [lambda function: function, passes_on, passes_all, by_position])
def test_only_what_the_handler_takes_reaches_it(decorator):
    assert call(decorator(nothing), **ALIEN, value="v", _target="t", key="k") == "ran"
    assert call(decorator(two), **ALIEN, id="3") == ("3", "o")
    assert "'id' is missing; what came: bs_toggle, testid" in str(refused(decorator(two), **ALIEN))


def test_what_is_missing_is_named_with_what_came():
    refusal = refused(two, ids="3", value="x")
    assert refusal.kind == "params"
    assert str(refusal) == "handler(): parameter 'id' is missing; what came: ids, value. Did you mean 'ids'?"
    assert "what came: nothing" in str(refused(two))
    assert "has the request as self.request" in str(refused(lambda self, request, title: None, title="x"))


def test_kwargs_get_the_rest():
    def handler(self, id, **rest):
        return id, rest

    assert call(handler, **ALIEN, id="3", value="v") == ("3", {**ALIEN, "value": "v"})
    assert call(handler, id="3", self="x", VIEW="y") == ("3", {"VIEW": "y"})  # data-self="x" is nobody's
    assert call(lambda view, /, **rest: rest, view="1") == {"view": "1"}


def test_all_kinds_of_parameters():
    def mixed(self, a, b="b", /, c="c", *, d, e="e"):
        return a, b, c, d, e

    def trailing(self, a="a", b="b", /):
        return a, b

    assert call(mixed, a="1", d="4") == ("1", "b", "c", "4", "e")
    assert call(mixed, a="1", b="2", c="3", d="4", e="5", f="6") == ("1", "2", "3", "4", "5")
    assert call(trailing, b="2") == ("a", "2")
    assert call(trailing) == ("a", "b")
    assert call(lambda self, *args, **kwargs: (args, kwargs), _args="1, 2", x="3") == ((1, 2), {"x": "3"})


def test_arguments_by_position():
    def move(self, id: int, column, quick=False):
        return id, column, quick

    def many(self, first, *others, key=None):
        return first, others, key

    assert call(move, _args="3, 'done', true") == (3, "done", True)
    assert call(move, _args="3", column="c") == (3, "c", False)
    assert call(move, _args="3, 'done'", id="4") == (3, "done", False)  # by position, it goes first
    assert call(many, _args="1, 2, 3", key="k") == (1, (2, 3), "k")
    assert "takes 3 arguments by position, and 4 came" in str(refused(move, _args="1, 2, 3, 4"))
    assert "takes 0 arguments by position, and 1 came" in str(refused(nothing, _args="1"))
    assert "cannot be read: x is a name" in str(refused(move, _args="x"))
    assert "'id' must be a whole number, and 'a' came" in str(refused(move, _args="'a', 1"))


def test_decorators_that_change_the_signature():
    assert call(adds_one(two), token="t", id="3") == ("t", ("3", "o"))
    assert call(takes_away(two), id="3") == (7, "o")
    assert call(method_decorator(sensitive_variables("id"))(two), **ALIEN, id="3") == ("3", "o")

    @passes_on
    def typed(self, id: int):
        return id

    assert call(typed, id="3") == 3


def test_hints_are_followed_unless_switched_off():
    @event_handler
    def typed(self, id: int):
        return id

    @event_handler(coerce_types=False)
    def raw(self, id: int):
        return id

    assert call(typed, id="3") == 3 and call(raw, id="3") == "3"
    assert "parameter 'id' must be a whole number, and 'xxxx" in str(refused(typed, id="x" * 100))
    assert len(str(refused(typed, id="x" * 10000))) < 200


def test_hints_written_as_text(caplog):
    def handler(self, a: "int", b: "list['int']" = (), c: "Later" = None, d: "Inner" = None):  # noqa: F821
        return a, b, c, d

    class Inner(int):
        pass

    got = call(handler, {"Inner": Inner}, a="1", b="1,2", c="x", d="3")
    assert got == (1, [1, 2], "x", "3")  # no constructor of the project's is called
    assert [record.message.split(" message=")[0] for record in caplog.records] == [
        'event=hint_unresolved handler=handler parameter=c hint="Later"'
    ]


def test_suffixes_are_exact():
    def handler(self, id):
        return id

    assert call(handler, **{"id:int": "1234567890123456789"}) == 1234567890123456789
    assert call(handler, **{"id": "1", "id:int": "2"}) == 2  # dj-value-* comes after data-*
    assert call(handler, **{"id:": "x"}) == "x"
    for suffix, text, value in [
        ("float", "1.5", 1.5),
        ("number", "3", 3),
        ("number", "3.5", 3.5),
        ("bool", "False", False),
        ("boolean", "on", True),
        ("json", '{"a": [1]}', {"a": [1]}),
        ("list", "a, b", ["a", "b"]),
    ]:
        assert call(handler, **{f"id:{suffix}": text}) == value
    for text in ("1.234", "1,234", "1 234", "1\u202f234"):
        assert "unlocalize" in str(refused(handler, **{"id:int": text}))
    assert "'id' is empty, and has no default" in str(refused(handler, **{"id:int": ""}))
    assert "there is no type 'foo', but int" in str(refused(handler, **{"id:foo": "1"}))
    assert call(nothing, **{"id:int": "1.234"}) == "ran"  # it takes none of it


def test_a_colon_in_the_names_of_others_is_no_type():
    def rest(self, **fields):
        return fields

    def optional(self, id=0):
        return id

    assert call(rest, **{"x:y": "1", "x": "2", "n:int": "3"}) == {"x:y": "1", "x": "2", "n": 3}
    assert call(nothing, **{"x:y": "1"}) == "ran"
    assert call(optional, **{"id": "1", "id:y": "2"}) == "1"
    assert "there is no type 'itn', but int" in str(refused(optional, **{"id:itn": "2"}))


class Pizza(forms.Form):
    """Has every kind of field whose widget reads several names or values."""

    toppings = forms.MultipleChoiceField(choices=[("ham", ""), ("corn", "")], widget=forms.CheckboxSelectMultiple)
    sizes = forms.MultipleChoiceField(choices=[("s", ""), ("l", "")], required=False)
    when = forms.SplitDateTimeField(required=False)
    agree = forms.BooleanField(required=False)


@pytest.mark.parametrize("ticked", [["ham"], ["ham", "corn"]])
def test_a_form_is_as_valid_as_in_an_ordinary_view(ticked):
    def by_name(self, **fields):
        return Pizza(fields)

    def whole(self, data: QueryDict):
        return Pizza(data)

    pairs = [*(("toppings", each) for each in ticked), ("when_0", "2024-05-06"), ("when_1", "07:08"), ("sizes", "l")]
    params = form(*pairs, lists=["toppings", "sizes"], boxes={"agree": False})
    for handler in (by_name, whole):
        bound = call(handler, **params)
        assert bound.is_valid(), bound.errors
        assert bound.cleaned_data["toppings"] == ticked and bound.cleaned_data["when"].minute == 8
    nothing_ticked = call(by_name, **form(("x", "1"), lists=["toppings"]))
    assert nothing_ticked.errors["toppings"] == ["This field is required."]


def test_a_forms_fields_by_hint_and_by_markup():
    def handler(self, tags: list[str], title: str = "none", n: int = 5, agree: bool = True, **rest):
        return tags, title, n, agree, rest

    assert call(handler, **form(("tags", "a,b"), ("n", ""), boxes={"agree": False})) == (["a,b"], "none", 5, False, {})
    assert call(handler, **form(("x", "1"), ("x", "2"), ("y", "3"), lists=["y"])) == (
        [],
        "none",
        5,
        True,
        {"x": "2", "y": ["3"]},
    )
    assert call(lambda self, tags: tags, **form(("tags[]", "a"))) == ["a"]
    assert call(lambda self, **rest: rest, **form(("tags[]", "a"))) == {"tags[]": ["a"]}
    assert call(lambda self, card_number: card_number, **form(("card-number", "a"))) == "a"
    assert call(lambda self, agree: agree, **form(("agree", "yes"), boxes={"agree": True})) == "yes"

    def ticked(self, agree: bool):
        return agree

    assert call(ticked, **form(("agree", "whatever"), boxes={"agree": True})) is True
    assert call(ticked, **form()) is False


def test_a_querydict_holds_what_a_post_would():
    def save(self, data: QueryDict):
        return data

    data = call(save, **form(("a", "1"), ("a", "2"), lists=["b"], value="no field"))
    assert data.getlist("a") == ["1", "2"] and data["a"] == "2" and data.getlist("b") == [] and "value" not in data
    with pytest.raises(AttributeError):
        data["a"] = "3"
    assert call(save, a="1", b=["2", "3"]).getlist("b") == ["2", "3"]  # an event of a program's


def test_what_breaks_the_protocol_is_refused():
    for pairs in ([["a"]], ["a"], [[1, "b"]], [{"a": "b"}]):
        assert "not pairs" in str(refused(nothing, _fields=pairs))
    assert call(lambda self, **rest: rest, _fields="x", _lists={}, _boxes=[]) == {
        "_fields": "x",
        "_lists": {},
        "_boxes": [],
    }
    assert call(nothing, _fields=[["a", {"b": []}]], _lists=[1, {}], _boxes={"a": 2}) == "ran"


def test_many_names_cost_no_more_than_few():
    names = [f"n{number}" for number in range(20_000)]
    params = form(*((name, "1") for name in names), lists=names)
    got = Binder(lambda self, **rest: rest, "handler", {})(VIEW, params)  # without a scan of the list for each
    assert len(got) == 20_000 and got["n7"] == ["1"]
    refusal = str(refused(two, **params, ids="3"))
    assert len(refusal) < 600 and "'id' is missing" in refusal


def test_development_names_what_the_handler_does_not_take(settings, caplog):
    settings.DEBUG = True

    def validate_field(self, field_name="", value=None, **kw):
        return field_name, value, sorted(kw)

    assert call(validate_field, field="email", value="x") == ("", "x", ["field"])
    assert "'field_name' never came; did you mean 'field'?" in caplog.text
    caplog.clear()
    binder = Binder(two, "two", {})
    for _ in range(3):
        binder(VIEW, {**ALIEN, "id:": "1", "othr:": "2"})
    assert len(caplog.records) == 2
    assert "'other' never came; did you mean 'othr'?" in caplog.text
    assert "sends 'othr' (dj-value-*), which the handler does not take; did you mean 'other'?" in caplog.text
    caplog.clear()
    settings.DEBUG = False
    binder = Binder(two, "two", {})
    binder(VIEW, {"id:": "1", "othr:": "2"})
    assert not caplog.records

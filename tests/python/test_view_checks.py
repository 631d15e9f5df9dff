"""System checks of views and their templates: what would be silently inert is named, and nothing else is."""

import re
from pathlib import Path

import pytest
import urls
from django.core.checks import run_checks
from django.template import Engine
from django.urls import clear_url_caches, path

from troupe import LiveView, event_handler, view_checks
from troupe.runtime.converters import SUFFIXES
from troupe.template import live_attributes
from troupe.template.markup_check import read_markup

STATIC = Path(live_attributes.__file__).parents[1] / "static" / "troupe"


def mistakes(source):
    return [(each.kind, each.text) for each in read_markup(Engine().from_string(source)).mistakes]


def calls(source):
    return [(each.attribute, each.name(), each.spot.line) for each in read_markup(Engine().from_string(source)).calls]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<button dj-click=go>x</button>", [("dj-click", "go", 1)]),
        ("\n<p>\n<input\n dj-keydown.enter='add'></p>", [("dj-keydown.enter", "add", 3)]),
        ("{% if a %}<i dj-click=a>{% else %}<i dj-blur=b>{% endif %}", [("dj-click", "a", 1), ("dj-blur", "b", 1)]),
        ("{% for x in xs %}<i dj-click=a {% if x %}id='{{ x }}'{% endif %}></i>{% endfor %}", [("dj-click", "a", 1)]),
        ("<i dj-click='move({{ x }})'></i><i dj-click='{{ name }}'></i>", []),
        ("<i dj-click=\"move(3, 'done')\"></i>", [("dj-click", "move", 1)]),
        ("<i dj-click='not a name'></i>", [("dj-click", None, 1)]),
        ("<!-- <i dj-click='one'> --><script>'<i dj-click=two>'</script>", []),
        ("<i dj-click=''></i>", []),
    ],
)  # fmt: skip
def test_calls_of_handlers(source, expected):
    assert calls(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<i dj-clik='x'>", "dj-clik means nothing here: did you mean dj-click?"),
        ("<i dj-keydwon.enter='x'>", "dj-keydwon.enter means nothing here: did you mean dj-keydown?"),
        ("<i dj-model='x'>", "dj-model means nothing here. Use dj-input with a handler"),
        ("<i dj-model.lazy='x'>", "dj-model.lazy means nothing here. Use dj-input with a handler"),
        ("<i dj-window-keydown='x'>", "dj-window-keydown means nothing here. It has no counterpart yet."),
        ("<i dj-quux>", "dj-quux means nothing here. The attributes are dj-blur,"),
        ("<div dj-submit='x'>", "dj-submit on <div> does nothing: only a <form> is submitted"),
        ("<i dj-click.prevent='x'>", "dj-click.prevent means nothing here: dj-click takes no modifiers."),
        ("<i dj-keydown.ctrl.s='x'>", "dj-keydown.ctrl.s means nothing here: a key is named alone"),
        ("<i dj-keydown.esc='x'>", "dj-keydown.esc means nothing here: did you mean dj-keydown.escape?"),
        ("<i dj-keydown.entre='x'>", "dj-keydown.entre means nothing here: did you mean dj-keydown.enter?"),
        ("<i dj-value-id:itn='1'>", "dj-value-id:itn means nothing here: the types are int, integer,"),
        ("<i dj-debounce='soon'>", 'dj-debounce="soon" is not a number of milliseconds'),
        ("<i dj-throttle=blur>", 'dj-throttle="blur" is not a number of milliseconds'),
        ("<i dj-debounce>", 'dj-debounce="" is not a number of milliseconds'),
        ("<i dj-update='append'>", 'dj-update="append" means nothing here. Only dj-update="ignore" does'),
    ],
)
def test_attributes_that_mean_nothing(source, expected):
    [(kind, text)] = mistakes(source)
    assert kind == "attribute"
    assert text.startswith(expected)


@pytest.mark.parametrize(
    "source",
    [
        "<main dj-root><i dj-click='a' dj-value-id:int='3' dj-keydown.enter='b' dj-key=c data-dj-x></i></main>",
        "<i {{ x }}-clik='x' dj-value-{{ name }}='1'>",
        "<body><i dj-click='x'></i></body>",
        "<div><main dj-root><main><i dj-click='x'></i></main><i dj-click='x'></i></main></div>",
        "{% if a %}<main dj-root><i dj-click='x'></i></main>{% else %}<p dj-root><i dj-click='x'></i></p>{% endif %}",
        "<main dj-root>{% if a %}</main>{% else %}<i dj-click='x'></i></main>{% endif %}<i></i>",
        "<main dj-root><input dj-input='x'><br></main><p>outside</p>",
        "<i dj-debounce=blur></i><i dj-debounce=' 300 ' dj-throttle='0.5e3' dj-update=ignore></i>",
        "<i dj-debounce='{{ x }}'>",
        "<i dj-keydown.up='x' dj-keydown.arrowup='x' dj-keydown.a='x' dj-keydown.mediaplay='x' dj-value-a.b='1'>",
    ],
)
def test_nothing_to_say(source):
    assert mistakes(source) == []


def test_places_in_what_a_page_extends_and_includes():
    """Texts that touch are one, and each is of another template."""
    sources = {
        "base": "<b>{% block a %}{% endblock %}</b>\n<i dj-a></i>{# gone #}\n<p dj-root>{% block x %}{% endblock %}",
        "row": "\n\n<i dj-b></i>",
        "page": "{% extends 'base' %}\n{% block x %}\n{% include 'row' with a=1 %}\n\n<i dj-c></i>{% endblock %}",
    }
    engine = Engine(loaders=[("django.template.loaders.locmem.Loader", sources)])
    spots = [str(each.spot) for each in read_markup(engine.get_template("page")).mistakes]
    assert spots == ["base, line 2", "row, line 3", "page, line 5"]


def test_outside_of_the_root_and_two_roots():
    [(kind, text)] = mistakes("<i dj-click='a'></i><main dj-root><b dj-click='b'></b></main>")
    assert (kind, text) == ("outside", "dj-click stands outside of the element with dj-root: it does nothing there")
    [(kind, _)] = mistakes("<main dj-root></main><i dj-click='a'></i>")
    assert kind == "outside"
    kinds = [kind for kind, _ in mistakes("<main dj-root></main><div dj-root><i dj-click='b'></i></div>")]
    assert kinds[0] == "roots"


def test_every_attribute_that_the_browser_side_reads_is_known():
    code = "\n".join(path.read_text() for path in STATIC.glob("*.js"))
    code = re.sub(r"//[^\n]*|/\*.*?\*/", "", code, flags=re.S)
    read = set(re.findall(r"[\[`']\.?(dj-[a-z-]*[a-z])(?![a-z])", code)) - {"dj-loading"}  # a class
    assert read, "the pattern finds none"
    assert {name for name in read if live_attributes.trouble(name)} == set()


def test_the_types_of_values_are_those_that_convert():
    assert live_attributes.TYPES == tuple(SUFFIXES)


class Sound(LiveView):
    template_string = "<main dj-root><b dj-click='go'></b></main>"

    @event_handler
    def go(self):
        pass


@pytest.fixture
def check(settings, monkeypatch):
    """Checks these classes alone, and gives (id, text and hint) of each message."""
    settings.TROUPE = {"BROKER": "inproc://"}

    def run(*classes):
        monkeypatch.setattr(view_checks, "live_views", lambda: [(cls, {}) for cls in classes])
        return [(message.id, f"{message.msg} {message.hint or ''}".strip()) for message in view_checks.check_views()]

    return run


def test_a_sound_view_has_nothing_to_mend(check):
    assert check(Sound) == []


def test_handlers_that_are_missing_or_not_decorated(check, settings):
    class Typos(Sound):
        template_string = "<main dj-root>\n<b dj-click='goo'></b><i dj-click='xyz'></i><u dj-click='plain'></u></main>"

        def plain(self):
            pass

    class Named(Sound):
        template_string = "<main dj-root><b dj-click='go(name)'></b></main>"

    [(code, text)] = check(Named)
    assert code == "troupe.W020" and 'dj-click="go(name)": name' in text
    one, two, three = check(Typos)
    assert one[0] == "troupe.W020"
    assert "template_string, line 2: dj-click=\"goo\"" in one[1]
    assert one[1].endswith("Did you mean 'go'?")
    assert two[0] == "troupe.W020"
    assert two[1].endswith("Define it in the view, decorated with @event_handler.")
    assert three[0] == "troupe.W021"
    settings.TROUPE = {"BROKER": "inproc://", "STRICT_EVENTS": False}
    assert [code for code, _ in check(Typos)] == ["troupe.W020", "troupe.W020"]


def test_templates_that_are_missing_or_broken(check):
    class Absent(LiveView):
        template_name = "no/such.html"

    class Broken(LiveView):
        template_string = "{% if %}"

    class Parentless(LiveView):
        template_string = "{% extends 'no/parent.html' %}"

    assert check(Absent) == [
        (
            "troupe.W025",
            f"{__name__}.test_templates_that_are_missing_or_broken.<locals>.Absent: template 'no/such.html' does not "
            "exist. Each template directory and installed app of TEMPLATES was searched.",
        )
    ]
    assert [code for code, _ in check(Broken)] == ["troupe.W026"]
    [(code, text)] = check(Parentless)
    assert code == "troupe.W025"
    assert "template 'no/parent.html', which template_string needs, does not exist." in text


def test_keywords_of_as_view_name_the_template(settings, monkeypatch):
    settings.TROUPE = {"BROKER": "inproc://"}
    view = path("sound/", Sound.as_view(template_string="<b dj-click='nope'></b>"))
    monkeypatch.setattr(urls, "urlpatterns", [*urls.urlpatterns, view])
    clear_url_caches()
    assert ["troupe.W020"] == [message.id for message in view_checks.check_views() if message.obj is Sound]
    clear_url_caches()


def test_it_is_one_of_djangos_checks(settings, monkeypatch):
    settings.TROUPE = {"BROKER": "inproc://"}
    monkeypatch.setattr(Sound, "template_string", "<b dj-clik='go'></b>")
    assert "troupe.W022" in [message.id for message in run_checks()]

"""One template, rendered by Django and by troupe.template: both sides see a context made anew, and must agree in
output, type, exception and in what they did to the objects of the context.
"""

import re

import pytest
from django.template import Context, Engine, TemplateSyntaxError
from django.template.context import RequestContext

pytest.importorskip("troupe._native")

from troupe.template import TroupeEngine  # noqa: E402
from troupe.template.native import NodeList  # noqa: E402

LIBRARIES = {name: f"django.templatetags.{name}" for name in ("cache", "i18n", "l10n", "static", "tz")}
ADDRESS = re.compile(r"0x[0-9a-f]+", re.I)  # of objects: both sides have their own


def engines(files, **options):
    """(Django's, ours), with templates from a dict."""
    loaders = [("django.template.loaders.locmem.Loader", files)]
    given = {"loaders": loaders, "libraries": LIBRARIES, "builtins": ["probe_tags"], **options}
    return Engine(**given), TroupeEngine(**given)


def told(error):
    """What can be compared of an exception."""
    debug = getattr(error, "template_debug", None)
    if isinstance(error, RecursionError):  # where exactly the stack ends depends on how deep it was
        return ("RecursionError",)
    debug = debug and {**debug, "message": ADDRESS.sub("0x", str(debug["message"]))}
    return type(error).__name__, ADDRESS.sub("0x", str(error)), error.__cause__ is not None, debug


def outcome(engine, source, make, request=None):
    """("text", type, text) or ("error", …), and the log that the context's objects wrote."""
    values, log = make()
    context = RequestContext(request, values) if request is not None else Context(values)
    try:
        template = engine.from_string(source) if not source.startswith("file:") else engine.get_template(source[5:])
        text = template.render(context)
    except Exception as error:
        return ("error", *told(error)), log, len(context.dicts)
    return ("text", type(text).__name__, ADDRESS.sub("0x", text)), log, len(context.dicts)


def agree(source, make=lambda: ({}, []), files=(), request=None, **options):
    """Asserts that both sides agree, twice each; what came of it."""
    files = dict(files)
    django, ours = engines(files, **options)
    for _ in range(2):
        expected, found = outcome(django, source, make, request), outcome(ours, source, make, request)
        assert found == expected, source
    return expected[0]


def is_native(engine, source):
    """A template of ours that is lowered."""
    template = engine.from_string(source)
    assert type(template.nodelist) is NodeList
    return template


__all__ = ["TemplateSyntaxError", "agree", "engines", "is_native", "outcome"]


def nobody(request):
    """A context processor."""
    return {"processed": "by nobody"}

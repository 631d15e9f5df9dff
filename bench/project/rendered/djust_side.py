"""djust's side of bench/render.py, in an environment of its own: it answers one line of JSON a line.

["output", case, way] -> the rendered text; ["time", case, way, count] -> what timed() says of so many renderings.
way: "engine" is its renderer called with the template's text, "backend" its Django template backend.
"""

import json
import sys

import django
from django.conf import settings
from timing import timed

from rendered import cases
from rendered.settings import DIRS, LANGUAGE_CODE, TIME_ZONE, USE_TZ

BACKEND = {"BACKEND": "djust.template_backend.DjustTemplateBackend", "DIRS": DIRS, "APP_DIRS": False, "OPTIONS": {}}


def renderers():
    """{(case, way): callable() -> text}."""
    same = {"USE_TZ": USE_TZ, "TIME_ZONE": TIME_ZONE, "LANGUAGE_CODE": LANGUAGE_CODE}
    settings.configure(TEMPLATES=[BACKEND], INSTALLED_APPS=["djust"], DJUST_CONFIG={"update_check": False}, **same)
    django.setup()
    from django.template.loader import get_template
    from djust._rust import render_template

    found = {}
    for name in cases.PLAIN:
        template, context = cases.PLAIN[name]
        source, made = (DIRS[0] / template).read_text(), get_template(template)
        found[name, "engine"] = lambda source=source, context=context: render_template(source, context)
        found[name, "backend"] = lambda made=made, context=context: made.render(context)
    return found


def main():
    found = renderers()
    for line in sys.stdin:
        command, name, way, *count = json.loads(line)
        render = found[name, way]
        print(json.dumps(str(render()) if command == "output" else timed(render, count[0])), flush=True)


if __name__ == "__main__":
    main()

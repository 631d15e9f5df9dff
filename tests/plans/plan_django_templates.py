"""Plans all templates that come with Django, and prints what became of them as JSON: how real templates are cut.

.venv/bin/python tests/plans/plan_django_templates.py [template…]
"""

import json
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "python"))

import django  # noqa: E402
from django.conf import settings  # noqa: E402

DJANGO = Path(django.__file__).parent
APPS = "admin admindocs auth contenttypes flatpages gis humanize messages postgres redirects sessions sitemaps sites"
# Those two need libraries and drivers that need not be here; their templates need nothing.
FOLDERS = [DJANGO / "forms/templates", DJANGO / "contrib/gis/templates", DJANGO / "contrib/postgres/templates"]


def set_up():
    """Settings with all of Django's own apps that load anywhere."""
    settings.configure(
        SECRET_KEY="templates need none, but 3.2 asks for one",
        SITE_ID=1,
        INSTALLED_APPS=[f"django.contrib.{app}" for app in APPS.split() if app not in ("gis", "postgres")],
        TEMPLATES=[
            {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "DIRS": FOLDERS},
        ],
    )
    django.setup()


def names():
    """The names of all templates."""
    folders = [*FOLDERS, *(DJANGO / "contrib").glob("*/templates")]
    return sorted({str(path.relative_to(at)) for at in folders for path in at.rglob("*") if path.is_file()})


def survey(wanted):
    """Plans templates; what became of them."""
    from django.template import Context, TemplateSyntaxError, engines

    from troupe.template.explain import count_slots
    from troupe.template.inlining import Unplannable
    from troupe.template.plan import plan_page

    found = {"planned": 0, "not_parsed": [], "whole": {}, "slots": {}, "regions": {}, "slowest_ms": 0}
    for name in wanted:
        try:
            template = engines["django"].engine.get_template(name)
        except TemplateSyntaxError as error:
            found["not_parsed"].append(f"{name}: {error}")
            continue
        began = time.process_time()
        try:
            page = plan_page(template, Context())
        except Unplannable as error:
            found["whole"][name] = str(error)
            continue
        found["slowest_ms"] = max(found["slowest_ms"], round(1000 * (time.process_time() - began), 1))
        found["planned"] += 1
        slots, regions = count_slots(page)
        for letter, number in slots.items():
            found["slots"][letter] = found["slots"].get(letter, 0) + number
        for reason, where, line in regions:
            found["regions"].setdefault(f"{where}:{line} {reason}", []).append(name)
    return found


if __name__ == "__main__":
    set_up()
    print(json.dumps(survey(sys.argv[1:] or names()), indent=1))

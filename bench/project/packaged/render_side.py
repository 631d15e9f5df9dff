"""One engine's side of bench/packages.py, in a process of its own: it answers one line of JSON a line.

["prepare", key]: migrates and fills the database, and logs a user in under this session key. ["output", page, state] ->
the text; ["time", page, count] -> (microseconds of each rendering, processor time of one) of so many in state 0.
"""

import json
import os
import sys

import django

import troupe

if os.environ.get("BENCH_BUILD"):
    troupe.__path__.insert(0, os.path.join(os.environ["BENCH_BUILD"], "worker", "py"))
django.setup()

from django.template.loader import get_template  # noqa: E402
from django.test import RequestFactory  # noqa: E402
from timing import timed  # noqa: E402

from packaged.pages import PAGES  # noqa: E402

made = {}


def prepare():
    """The session key of a user who is logged in; and a database with what the pages list."""
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.test import Client

    from packaged.pages import fill

    call_command("migrate", run_syncdb=True, verbosity=0)
    fill()
    client = Client()
    client.force_login(get_user_model().objects.get(username="ada"), "django.contrib.auth.backends.ModelBackend")
    return client.cookies["sessionid"].value


def rendering(name, state):
    """A function that renders a page in a state; what it shows was read before."""
    from django.contrib.auth import get_user_model
    from django.contrib.messages.storage.fallback import FallbackStorage
    from django.contrib.sessions.backends.signed_cookies import SessionStore

    request = RequestFactory().get(f"/pages/{name}/")
    request.session = SessionStore()
    request._messages = FallbackStorage(request)
    request.user = get_user_model().objects.get(username="ada")
    request.META["CSRF_COOKIE"] = "c" * 32
    template, context = PAGES[name](request, state)
    template = get_template(template)
    return lambda: template.render(context, request)


def answer(command, *given):
    """To one line."""
    if command == "prepare":
        return prepare()
    if command == "output":
        return str(rendering(*given)())
    name, count = given
    render = made.get(name) or made.setdefault(name, rendering(name, 0))
    return timed(render, count)


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answer(*json.loads(line))), flush=True)

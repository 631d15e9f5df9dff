"""The table as a djust view, and a peer that times its render and diff.

`python -m benched_djust.tables` reads lines {"rows": n, "times": n} and answers each with a list of seconds.
"""

import json
import sys
import time

from benched.rows import TABLE, Table
from djust import LiveView
from djust.decorators import event_handler


class TableView(Table, LiveView):
    """See benched.tables."""

    template = TABLE
    login_required = False

    def mount(self, request, count=1000, keys="numbers", **kwargs):
        self.fill(int(count), keys)

    @event_handler()
    def change(self, name="one_cell", **kwargs):
        getattr(self, name)()


def _time(view, request, times):
    seconds = []
    for _ in range(times):
        view.one_cell()
        start = time.perf_counter()
        view.render_with_diff(request)
        seconds.append(time.perf_counter() - start)
    return seconds


def main():
    """The peer."""
    import django

    django.setup()
    from django.test import RequestFactory

    views = {}
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        request = RequestFactory().get("/")
        view = views.get(asked["rows"])
        if view is None:
            view = views[asked["rows"]] = TableView()
            view.request = request
            view.mount(request, asked["rows"])
            view.render_with_diff(request)
        print(json.dumps(_time(view, request, asked["times"])), flush=True)


if __name__ == "__main__":
    main()

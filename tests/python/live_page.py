"""What the tests of live turns share: a page of a view, as a browser would see it."""

import json
import re

from django.template import Context, engines

from troupe import LiveView, event_handler, wire
from troupe import _native as native

SESSION, VIEW = b"s" * 16, b"v" * 16


class Shown(LiveView):
    """A view whose context is what the test says."""

    template_string = None

    def __init__(self, template, **data):
        self.template_string, self.data, self.asked = template, data, 0

    def get_context_data(self):
        self.asked += 1
        return dict(self.data)

    @event_handler
    def nothing(self):
        pass


class Page:
    """A view in a session, mounted for a page and joined; versions and frames as a browser would see them."""

    def __init__(self, template, **data):
        self.view = Shown(template, **data)
        self.session = native.Session(SESSION)
        self.number = 0
        body = {"path": "shop.Shown", "params": {}, "view": VIEW}
        kind, mounted = self.ask(wire.MOUNT, body, wire.PAGE, view=self.view)
        assert kind == wire.MOUNTED, mounted
        self.html = mounted["html"].decode()
        entry = {"view": VIEW, "version": 1, "path": "shop.Shown", "params": {}}
        kind, joined = self.ask(wire.JOIN, {"generation": 0, "views": [entry], "request": {}})
        self.joined = joined["views"][0]

    def ask(self, kind, body, flags=wire.BROWSER, number=wire.REQUEST_BIT, view=None):
        header = wire.pack_header(kind, flags, SESSION, 0, number, 0)
        frame, answer = self.session.run(header, wire.pack_body(body), view)
        return wire.unpack_header(frame)[1], wire.unpack_body(answer)

    def event(self, flags=wire.BROWSER):
        self.number += 1
        return self.ask(wire.EVENT, {"view": VIEW, "name": "nothing", "params": {}}, flags, self.number)

    def turn(self, **data):
        """The frame that answers a change of the context."""
        self.view.data.update(data)
        kind, done = self.event()
        assert kind == wire.DONE, done
        return json.loads(done["frame"])

    def changes(self, **data):
        """What of the page changed: the frame's `d`."""
        return self.turn(**data).get("d", {})

    def refresh(self, **more):
        kind, done = self.ask(wire.REFRESH, {"view": VIEW, **more})
        assert kind == wire.DONE, done
        return json.loads(done["frame"])


def of_django(template, **data):
    return engines["django"].from_string(template).template.render(Context(data))


def without_anchors(html):
    return re.sub(r"<!--\$.*?-->", "", html)


TABLE = """<table dj-root><tbody>{% for row in rows %}<tr id="r{{ row.id }}"><td>{{ row.name }}</td>
<td class="{% if row.on %}on{% endif %}">{{ total }}</td></tr>{% endfor %}</tbody></table>"""


def rows(*names):
    return [{"id": i, "name": name, "on": False} for i, name in enumerate(names)]


def of_list(changes):
    [(_, value)] = changes.items()
    return value


def cost(page, **data):
    before = native.figures()["ops"]
    page.changes(**data)
    return native.figures()["ops"] - before

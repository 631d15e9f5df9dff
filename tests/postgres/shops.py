"""A fleet of tests/postgres/project, and sessions of its view."""

import html
import re
from pathlib import Path

from fleet import Fleet

from troupe import wire

HERE = Path(__file__).resolve().parent
SHOP = "shop.views.Shop"


class PostgresFleet(Fleet):
    """One worker of tests/postgres/project, without a web server."""

    name = "pg"

    def __init__(self, folder, server, env=None, **options):
        env = {"PG_FOLDER": str(server.folder), **(env or {})}
        super().__init__(folder, workers=1, web=False, env=env, project=HERE / "project", **options)


class Shop:
    """A session with a Shop."""

    def __init__(self, peer):
        self.session = peer.mount(SHOP)

    def post(self, event, /, **params):
        """Send an event; its key, for peer.answer_to()."""
        return self.session.post(event, params)

    def ask(self, event, /, **params):
        """What it shows after an event, which must succeed."""
        answer = self.session.event(event, params)
        assert answer.kind == wire.DONE, answer
        return shown(answer)

    def try_to(self, event, /, **params):
        """The error's type if an event fails; None if it succeeds."""
        answer = self.session.event(event, params)
        assert answer.kind in (wire.DONE, wire.FAILED), answer
        return answer.body["type"] if answer.kind == wire.FAILED else None


def shown(answer):
    """The text of the page in an answer."""
    return html.unescape(re.search(r"<p dj-root>(.*?)</p>", answer.body["html"].decode())[1])

"""The package over inproc:// with the real turns of worker/: the same pages and sockets as with the fake worker."""

import asyncio
import json
import re

import pytest
import urls
from asgi_socket import WebSocket
from django.contrib.auth.models import User
from django.test import AsyncClient, Client, TestCase
from samples import Counter

from troupe import ActorError, LiveView, create_session_actor, event_handler
from troupe.testing import LiveViewTestClient
from troupe.web.transport import inproc

pytest.importorskip("troupe._native")
ORIGIN = [(b"origin", b"http://testserver"), (b"host", b"testserver")]


@pytest.fixture(autouse=True)
def fresh():
    inproc.reset()
    yield
    inproc.reset()


class People(LiveView):
    template_string = "<main dj-root>{{ names|join:', ' }}</main>"

    def mount(self, request):
        self.load()

    def load(self):
        self.names = list(User.objects.order_by("username").values_list("username", flat=True))

    @event_handler
    def add(self, name):
        User.objects.create(username=name)
        self.load()


class TransactionTests(TestCase):
    """What a TestCase wrote is seen by handlers, and what they write is undone with it."""

    def test_the_transaction_holds(self):
        User.objects.create(username="ada")
        client = LiveViewTestClient(People).mount()
        self.assertIn("ada", client.html)
        client.send_event("add", name="grace")
        client.assert_state(names=["ada", "grace"])
        self.assertEqual(User.objects.count(), 2)

    def test_nothing_is_left(self):
        self.assertEqual(User.objects.count(), 0)


def test_the_test_client():
    client = LiveViewTestClient(Counter, step=3).mount(start=5)
    assert ">5</main>" in client.html
    client.send_event("increment", by=2)
    client.send_event("later")
    client.assert_state(count=17)
    assert ">17</main>" in client.html and client.patches == {"1": "17"}
    with pytest.raises(ValueError, match="^nothing to count$") as error:
        client.send_event("broken")
    assert error.traceback[-1].name == "broken"
    client.raise_request_exception = False
    with pytest.raises(ActorError, match=r"Error in samples\.Counter\.broken\(\): nothing to count") as error:
        client.send_event("broken")
    assert error.value.type == "ValueError" and error.value.frames
    for name in ("undecorated", "mount", "_private", "no_such", "get_context_data"):
        with pytest.raises(ActorError) as error:
            client.send_event(name)
        assert error.value.kind == "handler_not_found"
    client.send_event("increment")
    client.assert_state(count=20)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "status"),
    [("/counter/5/", 200), ("/moved/", 302), ("/missing/", 404), ("/refusing/", 403), ("/broken/", 500)],
)
def test_pages(path, status):
    assert Client(raise_request_exception=False).get(path).status_code == status


@pytest.mark.django_db
def test_embedded_views():
    text = Client().get("/embedding/").content.decode()
    assert len(re.findall(r'<main data-troupe="[^"]+" dj-root>|<main dj-root data-troupe="[^"]+">', text)) == 2


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_a_page_and_its_socket():
    text = (await AsyncClient().get("/counter/5/")).content.decode()
    found = re.search(r'data-troupe="([^"]+)"', text)[1]
    socket = WebSocket(urls.application, "/ws/troupe/", headers=ORIGIN)

    async def ask(**frame):
        await socket.send(text=json.dumps(frame))
        return json.loads(await socket.text())

    assert (await socket.connect())[0]
    joined = await ask(t="join", views=[{"token": found}])
    assert joined["n"] == 0 and joined["fresh"] is False and "html" not in joined["views"][0]
    view = joined["views"][0]["v"]
    assert joined["views"][0]["i"] == 0 and len(joined["views"][0]["k"]) == 1  # the page's own chunk
    patch = await ask(t="event", n=1, v=view, e="increment", p={})
    assert (patch["v"], patch["s"], patch["a"]) == (0, 2, 1)
    assert patch["d"] == {"1": "7"}
    assert await ask(t="event", n=1, v=view, e="increment", p={}) == patch  # a repeat, not executed again
    refused = await ask(t="event", n=5, v=view, e="increment", p={})
    assert (refused["t"], refused["reason"]) == ("refused", "gap")
    await socket.disconnect()


@pytest.mark.asyncio
async def test_sessions_interleave():
    async def one(number):
        actor = await create_session_actor(f"s{number}")
        await actor.mount("samples.Counter", {"start": number})
        results = [await actor.event("later", {}) for _ in range(3)]
        await actor.shutdown()
        return results[-1]["html"]

    pages = await asyncio.gather(*(one(number) for number in range(20)))
    assert all(f">{number + 30}<" in html for number, html in enumerate(pages))
    assert len(inproc.get()) == 0

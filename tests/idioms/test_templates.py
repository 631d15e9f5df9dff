"""Templates on live pages beside the same on ordinary ones: what differs between Djangos, and what packages do to
Django's engine. Each row shows two states; Django, under the same code, is the judge.
"""

import functools
import re

import pytest
from django.template import engines
from django.template.base import Node, NodeList, Template
from django.urls import path
from live_pages import LivePage

from troupe import LiveView, event_handler

ROWS = [
    # What Django 6 added or changed.
    "{% for x in rows %}{{ forloop.length }}{% endfor %}",
    "<ul>{% for x in rows %}<li>{{ x }} of {{ forloop.length }}</li>{% endfor %}</ul>",
    "{% for x in rows %}<p>{% for y in rows %}<b>{{ forloop.parentloop.length }}</b>{% endfor %}</p>{% endfor %}",
    "{% for x in rows %}<p>{% if forloop.length > 2 %}many{% else %}few{% endif %}</p>{% endfor %}",
    "<p>[{{ text|center:7 }}]</p><p>[{{ text|center:0 }}]</p>",
    '<p title="{{ text|center:"6" }}">{{ n|center:4 }}</p>',
]


class Row(LiveView):
    n = 0

    def mount(self, request, number):
        self.number = number

    def get_context_data(self, **kwargs):
        return state(self.n)

    @event_handler
    def more(self):
        self.n += 1

    @event_handler
    def less(self):
        self.n -= 1


def state(n):
    return {"rows": ["a", "b", "c"][: 2 + n], "text": ("ab", "abcd")[n], "n": n}


class RowNumber(Row):
    """The template of a row."""

    def get_template_names(self):
        return engines.all()[0].from_string(f"<main dj-root>{ROWS[self.number]}</main>")


urlpatterns = [path("row/<int:number>/", RowNumber.as_view())]
pytestmark = [pytest.mark.asyncio, pytest.mark.urls(__name__), pytest.mark.django_db(transaction=True)]


def stock(number, n):
    """What Django renders."""
    return engines.all()[0].from_string(f"<main dj-root>{ROWS[number]}</main>").render(state(n))


async def shown(page):
    return re.sub(r' data-troupe="[^"]*"|<!--\$.*?-->', "", await page.html())


@pytest.mark.parametrize("number", range(len(ROWS)))
async def test_a_live_page_shows_what_an_ordinary_one_does(number):
    async with LivePage(f"/row/{number}/") as page:
        for n in (0, 1):
            assert await shown(page) == stock(number, n)
            if n == 0:
                await page.event("more")


def processed(method):
    """As a package does that puts something into rendered pages."""

    @functools.wraps(method)
    def render(self, context):
        return method(self, context).replace("<p>", "<p data-seen>").replace("few", "FEW")

    return render


@pytest.mark.parametrize(
    ("cls", "name"), [(Template, "render"), (Template, "_render"), (NodeList, "render"), (Node, "render_annotated")]
)
async def test_rendering_that_a_package_replaces(monkeypatch, caplog, cls, name):
    monkeypatch.setattr(cls, name, processed(getattr(cls, name)))
    async with LivePage("/row/3/") as page:
        for n in (0, 1):
            assert await shown(page) == stock(3, n) and "data-seen" in stock(3, n)
            if n == 0:
                assert "h" in (await page.event("more"))["d"]["0"]  # the root, as HTML
    assert caplog.text.count("event=rendering_replaced") == 1


async def test_rendering_that_is_replaced_while_a_page_is_open(monkeypatch):
    async with LivePage("/row/3/") as page:
        monkeypatch.setattr(Template, "render", processed(Template.render))
        assert "data-seen" in (await page.event("more"))["d"]["0"]["h"]
        assert await shown(page) == stock(3, 1)
        monkeypatch.undo()
        await page.event("less")
        assert await shown(page) == stock(3, 0) and "data-seen" not in stock(3, 0)

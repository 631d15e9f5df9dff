"""A queryset in a view's state: evaluated anew for each turn and each rendering, once, wherever it is kept."""

import re

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import Count
from django.test.utils import CaptureQueriesContext
from django.urls import path
from django.views.generic.list import MultipleObjectMixin
from live_pages import LivePage

from troupe import LiveView, computed, event_handler

pytestmark = [pytest.mark.asyncio, pytest.mark.urls(__name__), pytest.mark.django_db(transaction=True)]
ROWS = "{% for g in groups %}{{ g.name }} {% endfor %}|{{ groups.count }}"
SLICE = ROWS.replace("groups.count", "groups|length")

# What mount() keeps, and the template that shows it: the names of the groups, and a number, at least.
KEPT = {
    "all": (lambda: Group.objects.order_by("pk"), ROWS),
    "slice": (lambda: Group.objects.order_by("pk")[:9], SLICE),
    "values": (lambda: Group.objects.order_by("pk").values("name"), ROWS),
    "annotate": (lambda: Group.objects.order_by("pk").annotate(n=Count("user")), ROWS),
    "prefetch": (lambda: Group.objects.order_by("pk").prefetch_related("user_set"), ROWS),
    "union": (lambda: Group.objects.filter(pk=0).union(Group.objects.all()).order_by("pk"), ROWS),
    "raw": (lambda: Group.objects.raw("SELECT * FROM auth_group ORDER BY id"), SLICE),
    "in a dict": (lambda: {"of": [Group.objects.order_by("pk")]}, ROWS.replace("groups", "groups.of.0")),
    "by the view": (
        lambda: Group.objects.order_by("pk"),
        "{% for g in view.groups %}{{ g.name }} {% endfor %}|{{ view.total }}",
    ),
    "computed": (
        lambda: Group.objects.order_by("pk"),
        "{% for name in names %}{{ name }} {% endfor %}|{{ names|length }}",
    ),
}


class Kept(LiveView):
    """Keeps one of these, by the word in its URL."""

    def mount(self, request, what):
        self.groups = KEPT[what.replace("_", " ")][0]()
        self.what = what.replace("_", " ")

    def get_template_names(self):
        return [f"{self.what}.html"]

    def total(self):
        return len(self.groups)

    @computed
    def names(self):
        return [group.name for group in self.groups]

    @event_handler
    def add(self, name):
        Group.objects.create(name=name)

    @event_handler
    def look_and_add(self, name):
        """What was evaluated in the handler is not what is shown."""
        groups = self.groups["of"][0] if isinstance(self.groups, dict) else self.groups
        before = len(list(groups))
        Group.objects.create(name=name)
        assert before == len(list(groups)), "one turn sees one result, as one request does"

    @event_handler
    async def add_later(self, name):
        groups = self.groups["of"][0] if isinstance(self.groups, dict) else self.groups
        if hasattr(groups, "__aiter__"):
            assert "b" in [getattr(group, "name", "b") async for group in groups]
        await Group.objects.acreate(name=name)


class Listed(MultipleObjectMixin, LiveView):
    """Django's own mixin, with pages."""

    model = Group
    ordering = "pk"
    paginate_by = 2
    template_string = "<main dj-root>{% for g in page_obj %}{{ g.name }} {% endfor %}|{{ paginator.count }}</main>"

    def mount(self, request):
        self.object_list = self.get_queryset()

    @event_handler
    def add(self, name):
        Group.objects.create(name=name)


class Counted(LiveView):
    template_string = (
        "<main dj-root>{% for g in groups %}{{ g.name }} {% endfor %}{% for g in groups %}{{ g.pk }} {% endfor %}"
        "{{ groups.count }}{% if groups %}!{% endif %}{{ groups|length }}</main>"
    )
    asked: list = []  # noqa: RUF012

    def mount(self, request):
        self.groups = Group.objects.all()
        self.listed = list(Group.objects.prefetch_related("user_set"))

    def get_context_data(self, **kwargs):
        self.capture = CaptureQueriesContext(connection)
        self.capture.__enter__()
        return super().get_context_data(**kwargs)

    @event_handler
    def nothing(self):
        del self.__dict__["capture"]

    @event_handler
    def counted(self):
        type(self).asked.append([query["sql"] for query in self.capture.captured_queries])
        with CaptureQueriesContext(connection) as again:
            list(self.listed[0].user_set.all())
        type(self).asked.append(len(again))


class Decorated(LiveView):
    """What a handler sets on rows."""

    template_string = "<main dj-root>{% for g in groups %}{{ g.name }}{{ g.mark }} {% endfor %}</main>"

    def mount(self, request, how):
        self.groups = Group.objects.order_by("pk") if how == "queryset" else list(Group.objects.order_by("pk"))

    @event_handler
    def mark(self):
        for group in self.groups:
            group.mark = "*"


urlpatterns = [
    path("kept/<what>/", Kept.as_view()),
    path("listed/", Listed.as_view()),
    path("counted/", Counted.as_view()),
    path("decorated/<how>/", Decorated.as_view()),
]


@pytest.fixture
def templates(settings):
    pages = {f"{name}.html": f"<main dj-root>{source}</main>" for name, (_, source) in KEPT.items()}
    engine = {**settings.TEMPLATES[0], "APP_DIRS": False}
    loaders = {"loaders": [("django.template.loaders.locmem.Loader", pages)]}
    settings.TEMPLATES = [{**engine, "OPTIONS": {**engine["OPTIONS"], **loaders}}]


async def shown(page):
    return " ".join(re.sub(r"<[^>]*>", "", await page.html()).split())


@pytest.mark.parametrize("what", KEPT)
async def test_a_new_row_is_there(templates, what):
    await Group.objects.abulk_create([Group(name="a"), Group(name="b")])
    async with LivePage(f"/kept/{what.replace(' ', '_')}/") as page:
        assert await shown(page) == "a b |2"
        for number, handler in enumerate(("add", "look_and_add", "add_later"), 3):
            assert (await page.event(handler, name="cde"[number - 3]))["a"]
            assert await shown(page) == f"{'a b c d e'[: 2 * number - 1]} |{number}"
        await Group.objects.filter(name="a").adelete()
        assert await shown(page) == "b c d e |4"


async def test_the_mixin_of_lists():
    await Group.objects.abulk_create([Group(name="a"), Group(name="b")])
    async with LivePage("/listed/") as page:
        await Group.objects.filter(name="a").adelete()
        await page.event("add", name="c")
        assert await shown(page) == "b c |2"


async def test_once_a_rendering():
    await Group.objects.acreate(name="a")
    Counted.asked.clear()
    async with LivePage("/counted/") as page:
        for _ in range(2):
            await page.event("nothing")
            await page.event("counted")
    assert [len(Counted.asked[0]), len(Counted.asked[2])] == [1, 1], Counted.asked
    assert Counted.asked[1] == Counted.asked[3] == 0  # what was prefetched stays with its instance


@pytest.mark.parametrize(("how", "expected"), [("queryset", "a"), ("list", "a*")])
async def test_what_is_set_on_rows(settings, how, expected):
    """A list keeps it; of a queryset, which does not, the browser's console says so while developing."""
    settings.DEBUG = True
    await Group.objects.acreate(name="a")
    async with LivePage(f"/decorated/{how}/") as page:
        frame = await page.event("mark")
        assert await shown(page) == expected
        assert ("mark, set on instances of auth.Group" in str(frame.get("warnings"))) == (how == "queryset")



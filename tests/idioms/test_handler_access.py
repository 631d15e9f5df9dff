"""Who may call a handler, and how often: @login_required, @permission_required, @rate_limit. on_mount. Who is sent to
the login page.
"""

from urllib.parse import quote

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Permission, User
from django.shortcuts import redirect
from django.test import AsyncClient
from django.urls import path
from live_pages import LivePage

from troupe import LiveView, event_handler, handler_rate
from troupe.decorators import login_required, permission_required, rate_limit

pytestmark = [pytest.mark.asyncio, pytest.mark.urls(__name__), pytest.mark.django_db(transaction=True)]
NOT_ALLOWED = "you do not have the permission for that."


class Shop(LiveView):
    template_string = "<main dj-root>{{ done|safe }}</main>"

    def mount(self, request):
        self.done = ""

    @event_handler
    @login_required
    def buy(self, count: int = 1):
        self.done += f"bought {count} "

    @permission_required("auth.view_user")
    @event_handler
    async def ship(self, **kwargs):
        self.done += "shipped "

    @event_handler
    @permission_required(["auth.view_user", "auth.add_user"])
    def refund(self):
        self.done += "refunded "

    @rate_limit(1, burst=2)
    @event_handler
    def look(self):
        self.done += "looked "


class Renamed(Shop):
    login_required, redirect_field_name = True, "then"


class Secret(Shop):
    login_required, raise_exception, permission_denied_message = True, True, "members only"


def hook(name):
    def call(view, request, **kwargs):
        view.done = [*getattr(view, "done", []), f"{name}{kwargs['n']}"]
        if request.GET.get("stop") == name:
            return redirect("/elsewhere/")
        return "/text/" if request.GET.get("text") == name else None

    return call


class Parent(LiveView):
    on_mount = [hook("first"), hook("second")]
    template_string = "<main dj-root>{{ done|join:' ' }}</main>"

    def mount(self, request, n):
        self.done = [*self.done, "mount"]


class Child(Parent):
    on_mount = [hook("third")]


class OnlyMembers(LiveView):
    template_string = "<main dj-root>members {{ n }}</main>"
    login_required = True
    login_url = "/members/log-in/"
    n = 0

    @event_handler
    def add(self):
        self.n += 1


urlpatterns = [
    path("shop/", Shop.as_view()),
    path("parent/<int:n>/", Parent.as_view()),
    path("child/<int:n>/", Child.as_view()),
    path("members/", OnlyMembers.as_view()),
    path("renamed/", Renamed.as_view()),
    path("secret/", Secret.as_view()),
]


@pytest.fixture
def ann():
    return User.objects.create_user("ann")


@pytest.fixture
def client(ann):
    client = AsyncClient()
    client.force_login(ann)
    return client


@sync_to_async
def give(user, *names):
    user.user_permissions.set(Permission.objects.filter(codename__in=names))


async def test_a_stranger_is_sent_to_log_in_and_back(caplog):
    async with LivePage("/shop/?of=1") as page:
        for event in ("buy", "ship", "refund"):
            frame = await page.event(event)
            assert frame["t"] == "failed" and frame["error"]["kind"] == "forbidden"
            assert frame["redirect"] == "/accounts/login/?next=" + quote("/shop/?of=1", safe="/")
        assert "bought" not in await page.html()
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_a_user_calls_what_they_may(ann, client):
    async with LivePage("/shop/", client) as page:
        assert "a" in await page.event("buy", count="3")
        for given, fails in (((), 2), (("view_user",), 1), (("view_user", "add_user"), 0)):
            await give(ann, *given)
            frames = [await page.event(event) for event in ("ship", "refund")]
            refused = [frame for frame in frames if "t" in frame]
            assert len(refused) == fails
            for frame in refused:
                assert (frame["error"]["kind"], frame["error"]["message"]) == ("forbidden", NOT_ALLOWED)
                assert "redirect" not in frame
        assert "bought 3 shipped shipped refunded" in await page.html()


async def test_a_rate_is_kept_to_for_each_page(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(handler_rate, "clock", lambda: now[0])
    async with LivePage("/shop/") as page, LivePage("/shop/") as other:
        kinds = [(await page.event("look")).get("error", {}).get("kind") for _ in range(4)]
        assert kinds == [None, None, "rate_limited", "rate_limited"]
        assert "a" in await other.event("look")
        now[0] += 1
        kinds = [(await page.event("look")).get("error", {}).get("kind") for _ in range(2)]
        assert kinds == [None, "rate_limited"]
        assert (await page.html()).count("looked") == 3


async def test_hooks_run_before_mount_those_of_the_parents_first():
    response = await AsyncClient().get("/child/7/")
    assert b"first7 second7 third7 mount" in response.content
    for query, target in (("stop=second", "/elsewhere/"), ("text=third", "/text/")):
        response = await AsyncClient().get(f"/child/7/?{query}")
        assert (response.status_code, response["Location"]) == (302, target)
    assert b"first7 second7 mount" in (await AsyncClient().get("/parent/7/?text=third")).content


async def test_a_page_whose_user_is_gone_leads_to_its_own_login_page(ann, client):
    response = await AsyncClient().get("/members/?a=b")
    assert (response.status_code, response["Location"]) == (302, "/members/log-in/?next=/members/%3Fa%3Db")
    async with LivePage("/members/?a=b", client) as page:
        await User.objects.filter(pk=ann.pk).aupdate(is_active=False)
        frame = await page.event("add")
        assert frame["redirect"] == "/members/log-in/?next=/members/%3Fa%3Db"
        assert frame["error"]["message"] == NOT_ALLOWED


@pytest.mark.parametrize(
    ("attributes", "what"),
    [
        ({"login_required": login_required}, "login_required must be True or False"),
        ({"permission_required": 5}, "permission_required must be a permission"),
        ({"on_mount": hook("x")}, "on_mount must be a list of functions"),
        ({"has_object_permission": lambda self, request, obj: True}, r"define get_object\(self\) as well"),
        ({"check_permissions": lambda self: True}, "check_permissions"),
        ({"dispatch": lambda self: None}, "dispatch"),
        ({"setup": lambda self: None}, "setup"),
    ],
)
async def test_what_could_not_be_asked_is_no_class(attributes, what):
    with pytest.raises(TypeError, match=what):
        type("Wrong", (LiveView,), {"__module__": __name__, **attributes})


async def test_attributes_of_djangos_access_mixin_beside_login_required(client):
    assert (await AsyncClient().get("/renamed/")).headers["Location"].endswith("?then=/renamed/")
    assert (await AsyncClient().get("/secret/")).status_code == 403
    async with LivePage("/secret/", client) as page:
        await User.objects.aupdate(is_active=False)
        frame = await page.event("look")
        assert frame["error"]["kind"] == "forbidden" and "redirect" not in frame, frame

"""Pages that not everybody may see, and users who lose that right while one is open. See sites/case_01_access."""

import signal

import pytest
from browser import Visitor
from fleet import wait_until

SITE = "/case_01_access/"
FORBIDDEN = r"Forbidden \(Permission denied\)"  # Django's own line, with the traceback of PermissionDenied
NAMES = ["Private", "PrivateBehind", "Permitted", "Tested", "Ticking", "login_required", "permission_required"]
GIVE = (
    "from django.contrib.auth.models import User, Permission\n"
    "user = User.objects.get(username='ann')\n"
    "user.user_permissions.add(Permission.objects.get(codename='view_user'))\n"
)
TAKE = "from django.contrib.auth.models import User\nUser.objects.get(username='ann').user_permissions.clear()\n"
ACTIVE = "from django.contrib.auth.models import User\nUser.objects.filter(username='ann').update(is_active={})\n"


@pytest.fixture
def ann(fleet):
    fleet.shell(GIVE)
    return Visitor(fleet.port, sessionid=fleet.log_in("ann"))


@pytest.mark.parametrize("name", NAMES)
def test_a_stranger_does_not_see_it(fleet, visitor, ann, name):
    if name == "permission_required":
        fleet.expect_log(FORBIDDEN)
    reply = visitor.get(f"{SITE}{name}/")
    assert reply.status in (302, 403) and "secret" not in reply.text
    if reply.status == 302:
        assert reply.headers["Location"] == f"/accounts/login/?next={SITE}{name}/"
    assert "secret 0" in ann.get(f"{SITE}{name}/").text
    with ann.open(f"{SITE}{name}/") as page:
        assert "d" in page.event("add")


def test_a_view_inside_of_a_page_is_asked_too(fleet, visitor, ann):
    fleet.expect_log(FORBIDDEN)
    for name in ("Private", "Permitted", "Tested", "Ticking"):
        reply = visitor.get(f"{SITE}around/{name}/")
        assert reply.status == 403 and "secret" not in reply.text
    with ann.open(f"{SITE}around/Permitted/") as page:
        assert "secret 1" in page.shows("add")
        fleet.shell(TAKE)
        assert page.event("add")["error"]["kind"] == "forbidden"
        joined = page.reconnect()
        assert joined["views"][0]["error"]["kind"] == "forbidden" and "secret" not in str(joined)


@pytest.mark.parametrize("name", ["Permitted", "Tested", "permission_required"])
def test_what_is_taken_away_counts_at_once(fleet, ann, name):
    with ann.open(f"{SITE}{name}/") as page:
        assert "secret 1" in page.shows("add")
        fleet.shell(TAKE)
        frame = page.event("add")
        assert frame["t"] == "failed"
        assert (frame["error"]["kind"], frame["error"]["type"]) == ("forbidden", "Not allowed")
        page.send(t="refresh", v=page.views[0])
        assert page.receive()["error"]["kind"] == "forbidden"
        tokens = list(page.tokens)
        assert page.reconnect() == {"t": "reload", "reason": "forbidden"}
        fleet.shell(GIVE)
        page.tokens, page.versions, page.renewals = tokens, [None], [None]
        assert page.reconnect()["t"] == "joined"


def test_a_page_that_moves_by_itself_stops(fleet, ann):
    with ann.open(f"{SITE}Ticking/") as page:
        page.wait_for(lambda frame: "d" in frame)
        fleet.shell(TAKE)
        page.wait_type("reload")
    fleet.expect_log("event=tick_failed .*kind=forbidden")


def test_another_users_page_is_no_use(fleet, visitor, ann):
    tokens = ann.get(f"{SITE}Permitted/").roots.tokens
    for other in (visitor, Visitor(fleet.port, sessionid=fleet.log_in("bob"))):
        with ann.open(f"{SITE}Permitted/") as page:
            page.visitor, page.tokens, page.versions, page.renewals = other, tokens, [None], [None]
            assert page.reconnect() == {"t": "reload", "reason": "foreign"}


def test_a_restored_page_is_asked(make_fleet, tmp_path):
    quick = ["--heartbeat-ms", "100", "--worker-dead-ms", "1000", "--keep", str(tmp_path / "sessions")]
    fleet = make_fleet(broker=quick)
    fleet.shell(GIVE)
    ann = Visitor(fleet.port, sessionid=fleet.log_in("ann"))
    fleet.expect_log("event=worker_lost")
    for allowed in (True, False):
        page = ann.open(f"{SITE}Permitted/")
        assert "secret 1" in page.shows("add")
        worker = next(iter(fleet.workers.values()))
        worker.signal(signal.SIGKILL)
        worker.wait_exit()
        wait_until(lambda: "event=worker_lost" in fleet.broker.text(), "the broker to notice")
        if not allowed:
            fleet.shell(TAKE)
        fleet.start_worker("w1")
        joined = page.reconnect()
        while joined["t"] == "error":
            joined = page.reconnect()
        if allowed:
            assert joined["t"] == "joined" and "secret 1" in joined["views"][0]["html"]
            assert "secret 2" in page.shows("add")
        else:
            assert joined == {"t": "reload", "reason": "forbidden"}


def test_the_browser_goes_to_the_login_page(fleet, browse):
    site = browse(fleet, log_in="ann")
    site.open("case_01_access/Private/?a=b")
    site.click("#add")
    site.wait_texts("h1", ["secret 1"])
    fleet.shell(ACTIVE.format(False))
    site.click("#add")
    site.wait(lambda: "/accounts/login/" in site.driver.current_url, "the login page")
    assert site.driver.current_url.endswith("?next=/case_01_access/Private/%3Fa%3Db")
    fleet.shell(ACTIVE.format(True))


def test_a_user_is_disconnected_everywhere(make_fleet):
    fleet = make_fleet(workers=2)
    ann, again = Visitor(fleet.port, sessionid=fleet.log_in("ann")), Visitor(fleet.port, sessionid=fleet.log_in("ann"))
    bob = Visitor(fleet.port, sessionid=fleet.log_in("bob")).open(f"{SITE}Private/")
    stranger = Visitor(fleet.port).open(f"{SITE}Support/")
    ways = {
        "a handler": lambda: stranger.event("disconnect", {"name": "ann"}),
        "an async handler": lambda: stranger.event("disconnect_later", {"name": "ann"}),
        "a view": lambda: stranger.visitor.get(f"{SITE}disconnected/ann/"),
        "a command": lambda: fleet.shell("from troupe import disconnect_user\ndisconnect_user(1)"),
    }
    assert fleet.shell("from django.contrib.auth.models import User\nprint(User.objects.get(pk=1))").endswith("ann")
    for way, disconnect in ways.items():
        pages = [visitor.open(f"{SITE}{name}/") for visitor in (ann, again) for name in ("Private", "Support") * 2]
        disconnect()
        for page in pages:
            assert page.wait_type("reload") == {"t": "reload", "reason": "logout"}, way
            page.connection.close()
    for page in (bob, stranger):
        assert "secret 1" in page.shows("add")


def test_who_disconnects_themselves_gets_the_answer_first(fleet):
    ann = Visitor(fleet.port, sessionid=fleet.log_in("ann"))
    with ann.open(f"{SITE}Support/") as page:
        assert page.event("disconnect", {"name": "ann"})["a"] == 1
        page.wait_type("reload")
    with ann.open(f"{SITE}Support/") as page:  # who is still logged in
        assert "secret 1" in page.shows("add")


def test_a_browser_loads_the_page_again(fleet, browse):
    site = browse(fleet, log_in="ann")
    site.open("case_01_access/Private/")
    site.click("#add")
    site.wait_texts("h1", ["secret 1"])
    fleet.shell(ACTIVE.format(False) + "from troupe import disconnect_user\ndisconnect_user(1)")
    site.wait(lambda: "/accounts/login/" in site.driver.current_url, "the login page")
    fleet.shell(ACTIVE.format(True))

"""Case 34: the user comes from a proxy's header. See sites/case_34_user_by_proxy_header."""

import sys

import pytest
from browser import Page, Visitor

PAGE = "/case_34_user_by_proxy_header/Who/"
OWN = "MIDDLEWARE.append('case_34_user_by_proxy_header.views.HeaderUser')"
STOCK = """
MIDDLEWARE.append("case_34_user_by_proxy_header.views.ProxyUser")
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.RemoteUserBackend"]
"""


class Proxied(Visitor):
    """A visitor behind a proxy that names the user: on pages, and on sockets unless told not to."""

    def __init__(self, port, user, on_sockets=True):
        super().__init__(port)
        self.user, self.on_sockets = {"X-Forwarded-User": user}, on_sockets

    def request(self, method, path, headers=None):
        return super().request(method, path, {**self.user, **(headers or {})})

    def _cookie(self):
        return {**super()._cookie(), **(self.user if self.on_sockets else {})}


def works(fleet):
    """ann's page lives, and bob's socket does not get it."""
    ann = Proxied(fleet.port, "ann")
    with ann.open(PAGE) as page:
        assert "<b>ann</b>" in page.html
        for n in (1, 2):
            page.answer_to(page.post("more"))
            assert f"<output>{n} ann</output>" in page.root()
        assert page.reconnect()["t"] == "joined"
        bob = Proxied(fleet.port, "bob")
        bob.cookies = dict(ann.cookies)
        fleet.expect_log("event=bad_token reason=foreign", name="web")
        with Page(bob, page.tokens) as stolen:
            assert stolen.join() == {"t": "reload", "reason": "foreign"}


def refused(fleet, message):
    """A proxy that does not name the user on sockets: the page is told once, and the log says what is missing."""
    visitor = Proxied(fleet.port, "ann", on_sockets=False)
    fleet.expect_log(message, times=1, name="web")
    with Page(visitor, visitor.get(PAGE).roots.tokens) as page:
        joined = page.join()
        assert (joined["t"], joined["reason"]) == ("reload", "user_unknown") and joined["message"], joined
    assert "<b>ann</b>" in visitor.get(PAGE).text  # still logged in


def test_middleware_of_the_projects_own(make_fleet):
    fleet = make_fleet(settings=OWN)
    works(fleet)
    fleet.watch.allow("Internal Server Error")  # its KeyError
    refused(fleet, "event=user_unknown .*headers that middleware asked for and that it lacks: X-Forwarded-User")


def test_remote_user_middleware(make_fleet):
    fleet = make_fleet(settings=STOCK)
    works(fleet)
    refused(fleet, "event=user_unknown .*lacks the header x-forwarded-user, from which ProxyUser takes the user")


def test_in_chromium(make_fleet, browse):
    site = behind_proxy(browse(make_fleet(settings=OWN)))
    site.open(PAGE[1:])
    site.click("#more")
    site.wait_texts("output", ["1 ann"])


def test_the_browser_says_it_and_does_not_reload(make_fleet, browse):
    fleet = make_fleet(settings=OWN, web=False)
    fleet.watch.allow("Internal Server Error: /case_34")
    fleet.watch.allow("event=user_unknown")
    application = "case_34_user_by_proxy_header.stripped:application"
    command = ["-m", "uvicorn", application, "--host", "127.0.0.1", "--port", "0", "--lifespan", "off"]
    fleet.port = fleet.wait_web(fleet.spawn("web", [sys.executable, *command]))
    site = behind_proxy(browse(fleet))
    site.open(PAGE[1:])
    site.run("window.same = true")
    site.wait(lambda: "cannot tell who you are" in "".join(site.texts(".troupe-note")), "the note")
    assert site.run("return window.same")


@pytest.fixture(autouse=True)
def no_proxy(driver):
    """Chromium's headers are as they were, afterwards."""
    yield
    driver.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {}})


def behind_proxy(site):
    """Chromium with a header that a proxy would set."""
    site.driver.execute_cdp_cmd("Network.enable", {})
    site.driver.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {"X-Forwarded-User": "ann"}})
    return site

"""Case 18, its half about TROUPE["REQUEST_ATTRS"]: values of any kind that a snapshot can hold."""

from browser import Visitor

SETTINGS = """
MIDDLEWARE.append("case_18_request_attrs.views.Organisation")
TROUPE["REQUEST_ATTRS"] = ["organisation", "terms", "plan"]
"""
PAGE = "/case_18_request_attrs/Attrs/"


def test_at_mount_in_an_event_and_on_another_worker(make_fleet):
    fleet = make_fleet(settings=SETTINGS)
    seen = "<output>bob 2027 10.90 7 FREE</output>"
    with Visitor(fleet.port).open(PAGE) as page:
        assert seen in page.html
        page.answer_to(page.post("look"))
        assert seen in page.root()
        fleet.workers["w1"].signal(9)
        fleet.workers["w1"].wait_exit()
        fleet.start_worker("w1")
        assert page.reconnect()["t"] == "joined"
        page.answer_to(page.post("look"))
        assert seen in page.root()
        fleet.expect_log("Internal Server Error: /case_18.*name it in TROUPE", name="w1")
        fleet.watch.allow("event=failed .*name it in TROUPE")
        assert page.answer_to(page.post("forgotten"))["t"] == "failed"


def test_what_cannot_be_sent_is_named(make_fleet):
    fleet = make_fleet(settings=SETTINGS.replace('"plan"', '"lock"'))
    fleet.expect_log("request.lock, which TROUPE.*cannot be sent to a worker: a object cannot be", name="web")
    assert Visitor(fleet.port).get(PAGE).status == 500

"""State that comes back on another worker, or whose page says that it did not; rows that are deleted meanwhile."""

import re
import signal

import pytest
from browser import Visitor
from fleet import wait_until

SITE = "/case_39_state/"
QUICK = ["--heartbeat-ms", "100", "--worker-dead-ms", "1000"]
ROWS = """
from case_39_state.models import Task
for title in ("tea", "milk"):
    print(Task.objects.create(title=title).pk)
"""
LOST = "event=worker_lost"
SHOWN = "Yes No 2 [1] bc milk file.txt 3 tea1 milk1 milk True"


@pytest.fixture
def kept(make_fleet, tmp_path):
    """A fleet whose broker has a store, and the keys of two rows."""
    fleet = make_fleet(broker=[*QUICK, "--keep", str(tmp_path / "sessions")])
    fleet.keys = fleet.shell(ROWS).split()
    return fleet


# Of sites/case_39_state/changing.py: what the log says where a value cannot be made again, and what can.
GONE = {
    "class": "value: module 'case_39_state.changing' has no attribute 'Line'",
    "nested": "value: module 'case_39_state.changing' has no attribute 'Line'",
    "member": "value: Status has no member 'HELD' by now",
    "flag": "value: (Rights has no 3 by now|.*is not a valid Rights|.*invalid value 3)",
    "new_field": "value: Priced has a field price by now, without a default",
    "new_part": "value: Point has a field z by now, without a default",
    "function": "value: module 'case_39_state.changing' has no attribute 'by_title'",
    "factory": "value: module 'case_39_state.changing' has no attribute 'Rows'",
    "model": "value: App 'case_39_state' doesn't have a 'Removed' model",
    "queryset": "value: .*owner",
    "queryset_of_a_model": "value: App 'case_39_state' doesn't have a 'Removed' model",
}
KEPT = ["with_a_default", "a_part_less", "row", "rows", "unsaved"]


def deploy(fleet, **environment):
    """Another worker in place of the first one, as after a crash: that is what a deploy does to state, too."""
    fleet.expect_log(LOST, name="broker")
    fleet.workers["w1"].signal(signal.SIGKILL)
    fleet.workers["w1"].wait_exit()
    wait_until(lambda: LOST in fleet.broker.text(), "the broker to notice")
    fleet.start_worker("w2", **environment)


def rejoin(page):
    """Joins again; the frame that answers."""
    frame = page.reconnect()
    while frame["t"] == "error":
        frame = page.reconnect()
    return frame


def delete(fleet):
    fleet.shell("from case_39_state.models import Task\nTask.objects.filter(title='tea').delete()")


def text(page, view=0):
    return " ".join(re.sub(r"<[^>]*>", " ", page.root(view)).split())


def test_what_comes_back(kept):
    with Visitor(kept.port).open(SITE + "Kinds/") as page:
        assert "d" in page.event("inc")
        deploy(kept)
        joined = rejoin(page)
        assert joined.get("restored") and text(page) == "1 " + SHOWN
        page.event("rename")  # two names for one line
        assert text(page) == "1 " + SHOWN.replace("milk", "cream", 1)


def test_13_a_queryset_is_asked_anew(kept):
    """At each event, and by the next worker."""
    with Visitor(kept.port).open(SITE + "Tasks/") as page:
        assert text(page) == "tea milk 2"
        page.event("add", {"title": "rice"})
        assert text(page) == "tea milk rice 3"
        delete(kept)
        deploy(kept)
        assert rejoin(page).get("restored") and text(page) == "milk rice 2"
        page.event("add", {"title": "salt"})
        assert text(page) == "milk rice salt 3"


def test_what_does_not_is_named(kept):
    reason = "reason=.*form: a Form cannot be serialized: keep its data, and make it in restore"
    kept.expect_log(f"event=snapshot_failed .*{reason}", times=1, name="w1")
    with Visitor(kept.port).open(SITE + "Form/") as page:
        page.event("inc")
        deploy(kept)
        joined = rejoin(page)
        assert joined["fresh"] and not joined.get("restored")
        kept.expect_log("event=snapshot_failed", name="w2")
        assert text(page) == "0 +"


def test_while_developing_the_console_says_so(make_fleet, tmp_path):
    """With the answer to the first event, and once."""
    options = {"broker": ["--keep", str(tmp_path / "sessions")], "settings": "DEBUG = True"}
    fleet = make_fleet(**options)
    fleet.expect_log("event=snapshot_failed", name="w1")
    with Visitor(fleet.port).open(SITE + "Form/") as page:
        (warning,) = page.event("inc")["warnings"]
        assert "the state of this page is not kept" in warning and "form: a Form cannot be serialized" in warning
        assert "warnings" not in page.event("inc")


def test_what_restore_forgets_is_named(kept):
    with Visitor(kept.port).open(SITE + "Careless/") as page:
        page.event("inc")
        deploy(kept)
        kept.expect_log("event=not_rebuilt view=case_39_state.views.Careless attribute=form", times=1, name="w2")
        assert rejoin(page).get("restored") and text(page) == "1 +"


def test_what_a_deploy_changes(kept):
    """A page that has what cannot be made again begins anew, and goes on; each is named, with its traceback."""
    pages = {kind: Visitor(kept.port).open(f"{SITE}changing/{kind}/") for kind in [*GONE, *KEPT]}
    for page in pages.values():
        page.event("inc")
    deploy(kept, CASE_39_DEPLOYED="1")
    for kind, page in pages.items():
        if kind in GONE:
            reason = f"event=restore_failed .*Error in restoring case_39_state.views.Changing: {GONE[kind]}"
            kept.expect_log(reason, name="w2")
        joined = rejoin(page)
        assert (joined["fresh"], joined.get("restored", False)) == (kind in GONE, kind in KEPT), kind
        assert text(page) == ("0 +" if kind in GONE else "1 +"), kind
        assert "d" in page.event("inc"), kind
        page.connection.close()
    kept.expect_reports(len(GONE), r"views.Changing\nTraceback \(most recent call last\):")


@pytest.mark.parametrize("name", ["Raising", "Forgetting"])
def test_a_restore_that_fails(kept, name):
    """Its page begins anew, is told so, and goes on; on the next worker as well."""
    if name == "Forgetting":
        kept.expect_log("event=not_rebuilt .*attribute=form", name="w2")
    with Visitor(kept.port).open(SITE + name + "/") as page:
        page.event("inc")
        deploy(kept)
        reason = r"Raising.restore\(\): no price in the answer" if name == "Raising" else "no attribute 'form'"
        kept.expect_log(f"event=restore_failed .*view=.*{name}.*{reason}", times=1, name="w2")
        kept.expect_reports(1)
        (view,) = rejoin(page)["views"]
        assert view["anew"] and "error" not in view
        assert text(page) == "0 +" and "d" in page.event("inc") and text(page) == "1 +"
        assert "anew" not in rejoin(page)["views"][0] and text(page) == "1 +"


def test_a_restore_that_fails_on_the_move(kept):
    """The worker leaves: the page stays on its socket, and is told to join."""
    visitor = Visitor(kept.port)
    with visitor.open(SITE + "Raising/") as raising, visitor.open(SITE + "Forgetting/") as forgetting:
        for page in (raising, forgetting):
            page.event("inc")
        kept.start_worker("w2")
        kept.expect_log("event=(migrated_without_request|restore_failed) .*no price", times=2, name="w2")
        kept.expect_log("event=not_rebuilt", name="w2")
        kept.workers["w1"].signal(signal.SIGTERM)
        kept.workers["w1"].wait_exit()
        raising.wait_type("lost")
        assert raising.join()["views"][0]["anew"] and text(raising) == "0 +"
        kept.expect_log("event=restore_failed .*no attribute 'form'", times=1, name="w2")
        assert forgetting.event("inc")["t"] == "failed"
        forgetting.wait_type("lost")
        assert forgetting.join()["views"][0]["anew"] and text(forgetting) == "0 +"
        assert "d" in forgetting.event("inc") and text(forgetting) == "1 +"
        kept.expect_reports()


def test_a_view_that_can_be_neither_restored_nor_mounted(kept):
    """Its state is kept for the time when it can; each event asks for that, once."""
    with Visitor(kept.port).open(SITE + "Never/") as page:
        page.event("inc")
        deploy(kept, CASE_39_DEPLOYED="1")
        kept.expect_log("event=restore_failed .*no price", times=2, name="w2")
        kept.expect_reports(4)
        assert rejoin(page)["views"][0]["error"]
        assert page.event("inc")["t"] == "failed"
        page.wait_type("lost")
        assert page.join()["views"][0]["error"]


@pytest.mark.parametrize("name", ["one", "refreshing"])
def test_a_row_that_is_gone(kept, name):
    """The page is loaded again, and is a 404."""
    address = f"{SITE}{name}/{kept.keys[0]}/"
    visitor = Visitor(kept.port)
    with visitor.open(address) as page:
        page.event("inc")
        delete(kept)
        deploy(kept)
        if name == "one":
            kept.expect_log("level=WARN .*event=restore_failed .*task: the case_39_state.Task with the key", name="w2")
        else:
            kept.expect_log("DoesNotExist", name="w2")
        kept.expect_log("event=page_refused", times=1, name="web")
        frame = rejoin(page)
        assert (frame["t"], frame["reason"]) == ("reload", "not_found")
    assert visitor.get(address).status == 404


def test_a_row_that_is_gone_at_a_tick(kept):
    address = f"{SITE}ticking/{kept.keys[0]}/"
    kept.expect_log("event=tick_failed", times=1, name="w1")
    kept.expect_log("event=page_refused", times=1, name="web")
    with Visitor(kept.port).open(address) as page:
        delete(kept)
        assert page.wait_type("reload")["reason"] == "not_found"


def test_a_row_of_a_view_in_an_ordinary_page(kept):
    address = f"{SITE}embedding/{kept.keys[0]}/"
    visitor = Visitor(kept.port)
    with visitor.open(address) as page:
        page.event("inc", view=1)
        delete(kept)
        deploy(kept)
        kept.expect_log("event=restore_failed", name="w2")
        kept.expect_log("event=page_refused", times=1, name="web")
        assert rejoin(page)["t"] == "reload"
    assert visitor.get(address).status == 404


def test_the_page_says_that_it_began_anew(kept, browse):
    site = browse(kept)
    site.open(SITE.strip("/") + "/Form/")
    site.wait(site.connected, "the join")
    site.click("button")
    site.wait_texts("output", ["1"])
    kept.expect_log("event=snapshot_failed")
    deploy(kept)
    site.wait(lambda: site.texts("[role=alert]"), "a message")
    assert "start over" in site.texts("[role=alert]")[0] and site.texts("output") == ["0"]

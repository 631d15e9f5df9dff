"""Case 11: request.auser() in an async handler, logged in or not. See sites/case_11_async_request_user."""


def test_auser_of_somebody(fleet, browse):
    site = browse(fleet, log_in="ann")
    site.open("case_11_async_request_user/Ask/")
    site.click("#auser")
    site.wait_texts("output", ["ann"])
    site.click("#both")  # loaded for this event; the next one looks the user up again
    site.wait_texts("output", ["ann!"])


def test_auser_of_nobody(site):
    site.open("case_11_async_request_user/Ask/")
    site.click("#auser")
    site.wait_texts("output", ["nobody"])


def test_user_that_is_not_loaded_is_djangos_own_error(fleet, visitor):
    visitor.cookies["sessionid"] = fleet.log_in("ann")
    with visitor.open("/case_11_async_request_user/Ask/") as page:
        fleet.expect_log("Internal Server Error: /case_11.*You cannot call this from an async context", name="w1")
        fleet.watch.allow("event=failed .*You cannot call this from an async context")
        assert page.answer_to(page.post("user"))["t"] == "failed"
        page.answer_to(page.post("auser"))
        assert "<output>ann</output>" in page.root()

"""What is typed before the page's script is there does not get into the address, nor anywhere else."""

PAGE = "case_23_form_sent_early/Login/"


def fill(site):
    site.find("[name=user]").send_keys("ann")
    site.find("[name=password]").send_keys("secret")
    site.click("#go")


def test_nothing_leaks_and_the_form_works_once_the_script_is_there(fleet, browse):
    site = browse(fleet)
    blocked = {"urls": ["*/static/troupe/*"]}
    site.driver.execute_cdp_cmd("Network.enable", {})
    site.driver.execute_cdp_cmd("Network.setBlockedURLs", blocked)
    site.open(PAGE)
    site.run("window.first = true")
    fill(site)
    site.wait(lambda: not site.run("return window.first"), "the browser to come back to the page")
    assert site.driver.current_url == site.url + PAGE
    assert site.texts("output") == ["-"]
    site.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    site.errors()
    site.open(PAGE)
    site.wait(site.connected, "the page to join")
    fill(site)
    site.wait_texts("output", ["ann 6"])
    assert not site.errors()


def test_a_post_does_nothing(visitor):
    reply = visitor.request("POST", f"/{PAGE}?next=1")
    assert (reply.status, reply.headers["Location"]) == (303, f"/{PAGE}?next=1")


def test_a_view_that_answers_posts_itself_is_protected(fleet, visitor):
    fleet.expect_log("Forbidden", times=1, name="web")
    assert visitor.request("POST", "/case_23_form_sent_early/Own/").status == 403

"""The harness itself: see sites/case_00_plain."""

PAGE = "case_00_plain/Counter/"


def test_in_chromium(site):
    site.open(PAGE)
    site.click("#more")
    site.wait_texts("output", ["1"])


def test_by_http_and_frames(visitor):
    with visitor.open(f"/{PAGE}") as page:
        page.answer_to(page.post("more"))
        assert "<output>1</output>" in page.root()


def test_logged_in_with_settings_of_its_own(make_fleet, browse):
    fleet = make_fleet(settings="SESSION_COOKIE_HTTPONLY = False")
    site = browse(fleet, log_in="ann")
    site.open(PAGE)
    site.wait_texts("b", ["ann"])
    site.click("#more")
    site.wait_texts("output", ["1"])
    assert "sessionid" in site.run("return document.cookie")


def test_over_a_slow_line(fleet, browse):
    site = browse(fleet, delay=0.05)
    site.open(PAGE)
    site.click("#more")
    site.click("#more")
    site.wait_texts("output", ["2"])

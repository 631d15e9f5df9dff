"""Case 12: a language chosen in a handler holds; one chosen elsewhere reaches an open page."""

PAGE = "case_12_language_in_a_handler/Lang/"
LOCALE = "MIDDLEWARE.insert(2, 'django.middleware.locale.LocaleMiddleware')\nTIME_ZONE = 'UTC'"


def test_it_holds_until_another_is_chosen_and_for_this_page_only(site):
    site.open(PAGE)
    for button in ("#de", "#more", "#de_async", "#more"):
        site.click(button)
        site.wait_texts("p", ["Ja"])
        assert site.texts("i") != ["12:00"]
    site.open(PAGE)
    site.click("#more")
    site.wait_texts("output", ["1"])
    assert site.texts("p") == ["Yes"]


def test_after_a_crash(make_fleet, tmp_path):
    from browser import Visitor

    fleet = make_fleet(settings=LOCALE, workers=2, broker=("--keep", str(tmp_path / "sessions")))
    for event in ("de", "de_async"):
        with Visitor(fleet.port).open(f"/{PAGE}") as page:
            page.answer_to(page.post(event))
            root = page.root()
            assert "<p>Ja</p><i>21:00</i>" in root, root
            for name in list(fleet.workers):
                fleet.workers[name].signal(9)
                fleet.workers[name].wait_exit()
                fleet.start_worker(name)
            joined = page.reconnect()
            assert joined["t"] == "joined" and joined.get("restored"), joined
            page.answer_to(page.post("more"))
            root = page.root()
            assert "<p>Ja</p><i>21:00</i><output>1</output>" in root, root


def test_chosen_in_another_tab(make_fleet, browse):
    site = browse(make_fleet(settings=LOCALE))
    site.open(PAGE)
    site.click("#more")
    site.wait_texts("output", ["1"])
    first = site.driver.current_window_handle
    site.driver.switch_to.new_window("tab")
    site.open(PAGE)
    site.click("#set")
    site.wait(lambda: site.texts("p") == ["Ja"], "the language of the new tab")
    site.driver.close()
    site.driver.switch_to.window(first)
    assert site.texts("p") == ["Yes"]
    site.click("#more")
    site.wait_texts("output", ["2"])
    site.wait_texts("p", ["Ja"])


def test_in_a_tick(make_fleet, browse):
    site = browse(make_fleet(settings=LOCALE), log_in="ann")
    path = PAGE.replace("Lang", "Ticking")
    site.open(f"{path}?q=7")
    site.wait_texts("output", [f"en UTC /{path} ann 7"])
    site.click("#de")
    site.wait_texts("output", [f"de Asia/Tokyo /{path} ann 7"])
    ticks = int(site.texts("b")[0])
    site.wait(lambda: int(site.texts("b")[0]) > ticks + 3, "more ticks")
    assert site.texts("output") == [f"de Asia/Tokyo /{path} ann 7"]

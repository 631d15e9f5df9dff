"""Pages that change while nobody touches them."""

ANGLES = "return [...document.querySelectorAll('.clock line')].map(line => line.getAttribute('transform'))"


def ticks(site):
    """How many ticks the page shows."""
    return int(site.texts("#ticks")[0])


def test_a_clock_goes_by_itself(site):
    site.open("clock/")
    site.run("window.kept = document.querySelector('.second')")
    site.click("[dj-value-pace='10']")
    site.wait_texts("[aria-pressed=true]", ["10"])
    begun, angles = ticks(site), site.run(ANGLES)
    site.wait(lambda: ticks(site) >= begun + 30, "thirty ticks")  # more than a page may have without a word
    now = site.run(ANGLES)
    assert now[2] != angles[2] and now[1] != angles[1]
    assert site.run("return window.kept === document.querySelector('.second')"), "the hand was replaced"
    drawn = site.find(".trace polyline").get_attribute("points").split()
    assert len(drawn) > 20
    site.click("[dj-value-pace='none']")
    site.wait_texts("[aria-pressed=true]", ["none"])
    stopped = ticks(site)
    for _ in range(2):  # a tick of before would have come by the time of the second answer
        site.click("[dj-value-pace='none']")
        site.wait(lambda: not site.all(".dj-loading"), "the answer")
    assert ticks(site) == stopped


def test_a_page_that_ticks_survives_its_worker(fragile):
    site, fleet = fragile
    site.open("clock/")
    site.click("[dj-value-pace='10']")
    site.wait(lambda: ticks(site) >= 10, "ten ticks")
    fleet.lose_workers()
    site.wait(lambda: not site.connected(), "the page to notice")
    before = ticks(site)
    site.wait(site.connected, "the page to join again")
    site.wait(lambda: ticks(site) >= before + 10, "ten more ticks")
    assert site.texts("[aria-pressed=true]") == ["10"]
    site.errors()

"""A project's Django that finds the fleet of another: it must not get that project's pages."""


def test_it_is_told_whose_fleet_it_is(make_fleet, browse):
    fleet = make_fleet()
    own = fleet.port
    other = fleet.start_web(
        "other", wait=False, CASES_SETTINGS="SECRET_KEY = 'the other project has a key of its own'\nDEBUG = True"
    )
    fleet.port = fleet.wait_web(other)
    fleet.expect_log(r"ERROR django\.request Internal Server Error: .*this fleet serves the project", name="other")
    site = browse(fleet)
    site.open("case_00_plain/Counter/")
    text = site.find("body").text
    assert "this fleet serves the project 'cases.settings'" in text
    assert "manage.py troupe up" in text and "TROUPE['BROKER']" in text
    site.errors()  # the console names the 500
    fleet.port = own
    site = browse(fleet)
    site.open("case_00_plain/Counter/")
    site.click("#more")
    site.wait_texts("output", ["1"])

"""One handler for several inputs knows which one it was, and in development a wrong name of a parameter is said."""


def test_the_control_is_named(make_fleet, browse):
    fleet = make_fleet(settings="DEBUG = True")
    with fleet.watch_logs():
        fleet.expect_log("'field_name' never came; did you mean 'field'", times=1)
        site = browse(fleet)
        site.open("input_09_parameter_names/Field/")
        site.wait(site.connected, "the page to join")
        site.find("#e").send_keys("x\t")
        site.wait_texts("output", ["/x/email"])
        site.find("#p").send_keys("y\t")
        site.wait_texts("output", ["/y/phone"])

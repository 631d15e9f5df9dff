"""One handler for several inputs knows which one it was, and in development a wrong name of a parameter is said."""


def console(site):
    """Everything that the page has said since the last call."""
    return [entry["message"] for entry in site.driver.get_log("browser")]


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
        said = console(site)
        assert sum("validate_field(): 'field_name' never came; did you mean 'field'?" in text for text in said) == 2
        # What comes at run time, and does nothing.
        site.run(
            "const main = document.querySelector('main')\n"
            "main.insertAdjacentHTML('beforeend', '<i dj-clik=a></i><i dj-click=validate></i>')\n"
            "document.body.insertAdjacentHTML('beforeend', '<i dj-click=validate_field></i>')"
        )
        said = "\n".join(console(site))
        assert "dj-clik means nothing here: did you mean dj-click?" in said
        assert 'dj-click=\\"validate\\": the view has no handler of that name' in said
        assert "dj-click stands outside of a live root (dj-root), and does nothing there" in said

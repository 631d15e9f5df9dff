"""With DEBUG, an exception in a worker looks as Django's debug page does: in the page, and in its place."""

import pytest
from browser import Visitor

SITE = "case_22_errors"
DEBUG = "DEBUG = True\n"
STRICT = DEBUG + "MIDDLEWARE = [*MIDDLEWARE, 'case_22_errors.views.StrictPolicy']\n"
INSIDE = """
const frame = document.querySelector('dialog.troupe-debug-page iframe')
const inside = frame && frame.contentDocument
return inside && inside.querySelector('.exception_value') && (%s)
"""


@pytest.fixture
def debugging(make_fleet):
    def start(settings=DEBUG):
        fleet = make_fleet(settings=settings)
        fleet.watch.allow("ERROR django.request Internal Server Error")
        return fleet

    return start


def inside(site, expression):
    """What JavaScript says of the debug page in the page, once it is there."""
    return site.wait(lambda: site.run(INSIDE % expression), expression)


@pytest.mark.parametrize("settings", [DEBUG, STRICT], ids=["no policy", "a strict policy"])
def test_it_opens_over_the_page(debugging, browse, settings):
    site = browse(debugging(settings))
    site.open(f"{SITE}/Failing/")
    site.click("#fail")
    assert inside(site, "inside.querySelector('.exception_value').textContent") == "boom"
    text = inside(site, "inside.body.textContent")
    assert "ValueError" in text and "secret_number" in text and "4711" in text and f"/{SITE}/Failing/" in text
    assert "raise ValueError(" in text
    assert inside(site, "frame.getAttribute('sandbox')") == "allow-same-origin"  # and no scripts
    # Django's style sheet holds, whatever the page's policy says.
    assert inside(site, "getComputedStyle(inside.querySelector('#summary')).backgroundColor") != "rgba(0, 0, 0, 0)"
    assert inside(site, "getComputedStyle(inside.querySelector('#traceback ol')).display !== 'none'")
    site.click("dialog.troupe-debug-page button")
    site.wait(lambda: not site.all("dialog.troupe-debug-page"), "it to close")
    assert not site.all(".troupe-note")
    site.click("#fail")  # the page lives on
    assert inside(site, "inside.querySelector('.exception_value').textContent") == "boom"
    assert not site.errors()


def test_the_line_of_the_template(debugging, browse):
    site = browse(debugging())
    site.open(f"{SITE}/Partly/")
    site.click("#fail")
    text = inside(site, "inside.querySelector('#template').textContent")
    assert f"{SITE}/partly.html" in text and "error at line" in text and "3" in text
    assert "ZeroDivisionError" in inside(site, "inside.querySelector('h1').textContent")


def test_settings_are_cleansed_in_it(debugging):
    with Visitor(debugging().port).open(f"/{SITE}/Failing/") as page:
        html = page.event("fail")["error"]["page"]
    assert "SECRET_KEY" in html and "which signs nothing that matters" not in html


def test_never_without_debug(fleet):
    fleet.expect_reports()
    with Visitor(fleet.port).open(f"/{SITE}/Failing/") as page:
        assert "page" not in page.event("fail")["error"]
    assert "debug-page.js" not in Visitor(fleet.port).get(f"/{SITE}/Failing/").text


def test_a_page_that_cannot_be_mounted(debugging):
    fleet = debugging()
    for name, words in (("BrokenMount", "number_of_the_beast"), ("BrokenTemplate", "error at line <strong>3")):
        reply = Visitor(fleet.port).get(f"/{SITE}/{name}/")
        assert reply.status == 500 and words in reply.text and f"/{SITE}/{name}/" in reply.text


def test_a_web_process_without_debug_passes_nothing_on(make_fleet):
    fleet = make_fleet(settings="import os\nDEBUG = 'WORKER_DEBUG' in os.environ", web=False, workers=0)
    fleet.start_broker()
    fleet.start_worker("w1", WORKER_DEBUG="1")
    fleet.expect_reports()
    port = fleet.start_web("web")
    with Visitor(port).open(f"/{SITE}/Failing/") as page:
        assert page.event("fail")["error"] == {"kind": "python", "message": "The event 'fail' could not be handled."}
    reply = Visitor(port).get(f"/{SITE}/BrokenMount/")
    assert reply.status == 500 and "beast" not in reply.text

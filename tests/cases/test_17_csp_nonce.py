"""Case 17: a strict policy with nonces, by django-csp 4. See sites/case_17_csp_nonce."""

import re

import pytest

CSP = """
MIDDLEWARE.append("csp.middleware.CSPMiddleware")
from csp.constants import NONCE, NONE, SELF
CONTENT_SECURITY_POLICY = {"DIRECTIVES": {
    "default-src": [NONE], "script-src": [NONCE], "style-src": [NONCE], "connect-src": [SELF],
}}
"""


@pytest.mark.parametrize("debug", [False, True])
def test_the_page_lives(make_fleet, browse, debug):
    fleet = make_fleet(settings=f"{CSP}\nDEBUG = {debug}")
    site = browse(fleet)
    site.open("case_17_csp_nonce/Csp/")
    assert site.run("return window.ran") == 1
    assert site.run("return document.querySelector('[data-troupe-socket]').nonce")
    site.wait(site.connected, "the socket")
    site.click("#more")
    site.wait_texts("output", ["1"])
    site.click("#send")  # by a part of the script that it loads itself
    site.wait_texts("output", ["2"])
    assert "1, 2, 2" in site.run("return getComputedStyle(document.querySelector('output')).color")
    same = "return document.querySelector('#late').nonce == document.querySelector('[data-troupe-socket]').nonce"
    assert site.run(same)
    assert not [text for text in site.errors() if "favicon" not in text]


def test_the_nonce_is_that_of_the_header_and_stays(make_fleet):
    from browser import Visitor

    fleet = make_fleet(settings=CSP)
    with Visitor(fleet.port).open("/case_17_csp_nonce/Csp/") as page:
        reply = page.visitor.get("/case_17_csp_nonce/Csp/")
        nonce = re.search(r"nonce-([^']+)'", reply.headers["Content-Security-Policy"])[1]
        assert reply.text.count(f'nonce="{nonce}"') == 6
        (own,) = set(re.findall(r'nonce="([^"]+)"', page.html))
        page.answer_to(page.post("more"))
        assert set(re.findall(r'nonce="([^"]+)"', page.root())) == {own}
        fleet.workers["w1"].signal(9)  # without a store the page is mounted anew
        fleet.workers["w1"].wait_exit()
        fleet.start_worker("w1")
        assert page.reconnect()["t"] == "joined"
        assert set(re.findall(r'nonce="([^"]+)"', page.root())) == {own}


def test_a_nonce_in_html_that_is_morphed(make_fleet, browse):
    site = browse(make_fleet(settings=CSP))
    site.open("case_17_csp_nonce/Region/")
    site.wait(site.connected, "the socket")
    site.run("window.style = document.querySelector('#style')")
    hidden = site.run("return style.getAttribute('nonce')")
    for n in ("1", "2"):
        site.click("#more")
        site.wait_texts("output", [n])
        assert site.run("return style === document.querySelector('#style') && style.nonce !== ''")
        assert f"1, 2, {n}" in site.run("return getComputedStyle(document.querySelector('output')).color")
        assert site.run("return style.getAttribute('nonce')") == hidden == ""
    site.run("window.late = document.querySelector('#late')")
    assert site.run("return [late.nonce === style.nonce, late.getAttribute('nonce')]") == [True, ""]
    assert not [text for text in site.errors() if "favicon" not in text]

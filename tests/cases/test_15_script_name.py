"""Case 15: a site that is not at the root. See sites/case_15_script_name."""

import sys

from browser import Visitor

SITE = "case_15_script_name"


def check_in_chromium(site, prefix):
    """A live page below the prefix, as an ordinary one there."""
    site.open(f"{prefix}{SITE}/plain/")
    seen = site.find("body").text.replace("plain", "Prefix", 1).replace("plain", "Prefix", 1).replace("plain", "prefix")
    site.open(f"{prefix}{SITE}/Prefix/")
    for button, n in (("#more", "1"), ("#later", "2")):
        assert [text.split() for text in site.texts("b")] == [seen.split()]
        assert site.texts("i") == [f"/{prefix}{SITE}/plain/"]
        assert site.find("#a").get_attribute("href") == f"{site.url}{prefix}{SITE}/plain/"
        assert site.find("u").text == f"/{prefix}static/troupe/troupe.js"
        site.wait(site.connected, "the socket")
        site.click(button)
        site.wait_texts("output", [n])
    site.open(f"{prefix}{SITE}/Moved/")
    assert site.driver.current_url == f"{site.url}{prefix}{SITE}/plain/"
    site.errors()


def test_at_the_root(fleet, browse):
    check_in_chromium(browse(fleet), "")


def test_root_path_with_paths_that_have_it(make_fleet, browse):
    """As daphne and hypercorn have it with --root-path."""
    fleet = make_fleet(web=False, settings="STATIC_URL = '/app/static/'")
    command = ["-m", "uvicorn", f"{SITE}.mounted:application", "--host", "127.0.0.1", "--port", "0"]
    fleet.port = fleet.wait_web(fleet.spawn("web", [sys.executable, *command]))
    check_in_chromium(browse(fleet), "app/")


def test_root_path_of_uvicorn_behind_a_proxy_that_strips_it(make_fleet):
    fleet = make_fleet(web=False)
    options = ("--root-path", "/app", "--ws-max-size", "131072")
    fleet.port = fleet.wait_web(fleet.start_web("web", wait=False, options=options))
    visitor = Visitor(fleet.port)
    seen = visitor.get(f"/{SITE}/plain/").text.replace("plain", "Prefix", 2).replace("plain", "prefix")
    with visitor.open(f"/{SITE}/Prefix/") as page:
        assert 'data-troupe-socket="/app/ws/troupe/"' in page.html
        assert f"<b>{seen}</b>" in page.html and "/app/case_15" in seen, (seen, page.html)
        page.answer_to(page.post("later"))
        root = page.root()
        assert f"<b>{seen}</b>" in root and f"<i>/app/{SITE}/plain/</i>" in root


def test_force_script_name_with_and_without_a_proxy_that_strips_it(make_fleet, browse):
    fleet = make_fleet(settings="FORCE_SCRIPT_NAME = '/app'")
    visitor = Visitor(fleet.port)
    with visitor.open(f"/{SITE}/Prefix/") as page:
        assert 'data-troupe-socket="/app/ws/troupe/"' in page.html and f'href="/app/{SITE}/plain/"' in page.html
        page.answer_to(page.post("more"))
        assert f"<i>/app/{SITE}/plain/</i>" in page.root()
    visitor.socket(path="/app/ws/troupe/").close()


def test_a_socket_path_that_has_the_prefix_already(make_fleet):
    socket = "TROUPE['SOCKET_PATH'] = '/app/ws/troupe/'\nFORCE_SCRIPT_NAME = '/app'"
    fleet = make_fleet(settings=socket)
    visitor = Visitor(fleet.port)
    assert 'data-troupe-socket="/app/ws/troupe/"' in visitor.get(f"/{SITE}/Prefix/").text
    for path in ("/app/ws/troupe/", "/ws/troupe/"):
        visitor.socket(path=path).close()

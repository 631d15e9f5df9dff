"""Live pages that another script fetches and puts into the document: htmx, Turbo, innerHTML."""

import pytest

HERE = "case_33_roots_later/"
HTMX = "npm/htmx.org/dist/htmx.js"
LIBRARIES = [HTMX, "npm/htmx4/dist/htmx.js", "npm/@hotwired/turbo/dist/turbo.es2017-umd.js"]


def open_page(site, page, library):
    site.open(f"{HERE}{page}?library={library}")
    site.run("window.stays = true")  # gone when the document is another one


def click_until(site, css, texts, of="h1"):
    """Clicks, once the page answers."""
    site.wait(site.connected, "the page to join")
    site.click(css)
    site.wait_texts(of, texts)


@pytest.mark.parametrize("library", LIBRARIES)
def test_from_an_ordinary_page_to_a_live_one_and_on(site, library):
    open_page(site, "", library)
    site.click("#wizard")
    site.wait_texts("h1", ["Step 1"])
    click_until(site, "#next", ["Step 2"])
    site.click("#counter")
    site.wait_texts("h1", ["Count 0"])
    click_until(site, ".inc", ["Count 1"])
    assert site.run("return window.ran") == 1
    site.click("#wizard")
    site.wait_texts("h1", ["Step 1"])
    click_until(site, "#next", ["Step 2"])
    assert site.run("return [window.stays, document.querySelectorAll('[data-troupe]').length]") == [True, 1]


@pytest.mark.parametrize("library", LIBRARIES)
def test_back_and_forward(site, library):
    def goes_on(css, word):
        """A page that the library brought back answers, when it has joined again."""
        site.wait(lambda: site.texts(css)[:1] and site.texts(css)[0].startswith(word), "the page to be back")
        before = int(site.texts(css)[0].split()[1])
        site.wait(lambda: site.click(".inc") or int(site.texts(css)[0].split()[1]) > before, "it to answer")
        return before

    open_page(site, "Counter/", library)
    site.wait_texts("h1", ["Count 0"])
    click_until(site, ".inc", ["Count 1"])
    click_until(site, ".inc", ["Count 2"])
    site.click("#other")
    site.wait_texts("h2", ["Framed 0"])
    click_until(site, ".inc", ["Framed 1"], "h2")
    for _ in range(2):
        site.run("history.back()")
        goes_on("h1", "Count")
        site.run("history.forward()")
        goes_on("h2", "Framed")


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_page_whose_root_is_the_body(site, library):
    open_page(site, "Counter/", library)
    click_until(site, ".inc", ["Count 1"])
    site.click("#whole")
    site.wait_texts("h1", ["Whole 0"])
    site.wait(lambda: site.run("return document.body.hasAttribute('data-troupe')"), "the body's root")
    click_until(site, ".inc", ["Whole 1"])
    site.click("#counter")
    site.wait_texts("h1", ["Count 0"])
    site.wait(lambda: site.run("return !document.body.hasAttribute('data-troupe')"), "the page's own root")
    click_until(site, ".inc", ["Count 1"])


def test_a_fragment_beside_a_live_page(site):
    open_page(site, "", HTMX)
    site.click("#load")
    site.wait_texts("h1", ["Home", "Count 0"])
    click_until(site, ".inc", ["Home", "Count 1"])


@pytest.mark.parametrize(
    "put",
    [
        "here.innerHTML = html",
        "here.insertAdjacentHTML('beforeend', html)",
        "const box = document.createElement('p'); here.append(box); box.outerHTML = html",
        "here.replaceWith(document.createRange().createContextualFragment(html))",
        "const box = document.createElement('div'); box.innerHTML = html; here.append(box.firstElementChild)",
    ],
)
def test_by_hand_and_beside_another(site, put):
    open_page(site, "Counter/", HTMX)
    click_until(site, ".inc", ["Count 1"])
    site.run("window.joined = 1; document.addEventListener('troupe:connected', () => window.joined++)")
    site.driver.set_script_timeout(60)
    site.driver.execute_async_script(
        "const [put, page, done] = arguments\n"
        "fetch(page).then((answer) => answer.text()).then((text) => {\n"
        "  const html = new DOMParser().parseFromString(text, 'text/html').querySelector('main').outerHTML\n"
        "  const here = document.body.appendChild(document.createElement('div'))\n"
        "  Function('here', 'html', put)(here, html)\n"
        "  done()\n"
        "})",
        put,
        f"/{HERE}Wizard/?library={HTMX}",
    )
    site.wait_texts("h1", ["Count 1", "Step 1"])
    site.wait(lambda: site.run("return window.joined") == 2, "the new root to join")
    site.click("#next")
    site.wait_texts("h1", ["Count 1", "Step 2"])
    site.click(".inc")
    site.wait_texts("h1", ["Count 2", "Step 2"])
    site.run("document.querySelector('main').remove()")
    site.click("#next")
    site.wait_texts("h1", ["Step 3"])


def test_a_frame(site):
    open_page(site, "", LIBRARIES[2])
    site.click("#framed")
    site.wait_texts("h2", ["Framed 0"])
    site.wait(site.connected, "the page to join")
    site.click(".inc")
    site.wait_texts("h2", ["Framed 1"])

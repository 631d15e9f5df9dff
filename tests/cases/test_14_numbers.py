"""A number in an attribute is the number that the page says, or refused: never another one."""

import pytest

PAGE = "case_14_numbers/Ids/"
LISTEN = "window.refused = []; document.addEventListener('troupe:failed', e => refused.push(e.detail.error.message))"


def test_large_numbers_are_exact(site):
    site.open(PAGE)
    site.wait(site.connected, "the page to join")
    site.run("document.querySelectorAll('.suffix')[1].click()")
    site.wait_texts("output", ["1234567890123456789"])
    site.run("document.querySelectorAll('.hint')[1].click()")
    site.wait_texts("output", ["hinted 1234567890123456789"])
    site.click("#move")
    site.wait_texts("output", ["1234567890123456789 do(n)e True"])


@pytest.mark.parametrize("language", ["de", "en", "fr"])
def test_a_localized_number_is_refused(make_fleet, browse, language):
    settings = f"DEBUG = True\nUSE_THOUSAND_SEPARATOR = True\nLANGUAGE_CODE = {language!r}\nUSE_I18N = True"
    fleet = make_fleet(settings=settings)
    site = browse(fleet)
    site.open(PAGE)
    site.wait(site.connected, "the page to join")
    site.run(LISTEN)
    for css in (".suffix", ".hint"):
        site.run("refused.length = 0")
        site.click(css)
        said = site.wait(lambda: site.run("return window.refused[0]"), "the refusal")
        assert "must be a whole number without separators" in said and "unlocalize" in said
    assert site.texts("output") == ["-"]

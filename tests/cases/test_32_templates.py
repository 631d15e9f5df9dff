"""Django's test tools under `manage.py test` (sites/case_32_templates/tests.py), and a package that replaces
Template.render() as django-components does (project/cases/components.py).
"""

import pytest

EARLY = """
import sys
if "test" in sys.argv:
    INSTALLED_APPS = [*INSTALLED_APPS, "cases.early.EarlyConfig"]
"""


@pytest.mark.parametrize("early", [False, True], ids=["at the first page", "when apps are loaded"])
def test_the_tools_work_whenever_the_runtime_is_imported(make_fleet, early):
    fleet = make_fleet(workers=0, web=False, settings=EARLY if early else "")
    done = fleet.manage("test", "case_32_templates.tests", check=False)
    assert done.returncode == 0 and "Ran 4 tests" in done.stderr, done.stderr


COMPONENTS = """
INSTALLED_APPS = [*INSTALLED_APPS, "cases.components.ComponentsConfig"]
"""


def test_a_live_page_is_what_an_ordinary_one_is_where_a_package_renders(make_fleet, browse):
    fleet = make_fleet(settings=COMPONENTS)
    fleet.expect_log(r"event=rendering_replaced .*cases\.components has replaced Template\.render\(\)", times=1)
    site = browse(fleet)
    ordinary = []
    for n in (0, 1, 2):
        site.open(f"case_46_components/ordinary/{n}/")
        ordinary.append(site.run("return document.querySelector('main').innerHTML"))
    site.open("case_46_components/Components/")
    site.wait(site.connected, "the socket")
    assert "1, 2, 3" in site.run("return getComputedStyle(document.querySelector('.card')).color")
    for n, expected in enumerate(ordinary):
        if n:
            site.click("button")
        site.wait_texts("output", [str(n)])
        shown = site.run("return document.querySelector('main').innerHTML")
        assert shown.replace(' class=""', "") == expected  # of the button, while it waited
    assert not site.errors()


def test_the_check_says_that_a_package_renders(make_fleet):
    fleet = make_fleet(settings=COMPONENTS, workers=0, web=False)
    assert "troupe.W044" in fleet.manage("check").stderr
    told = fleet.manage("troupe_template", "case_46_components/page.html").stdout
    assert "sent as a whole whenever it changes: cases.components has replaced Template.render()" in told

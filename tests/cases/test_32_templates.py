"""Django's test tools under `manage.py test`: see sites/case_32_templates/tests.py."""

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

"""A worker's environment is that of manage.py: here, of a system's Python with packages of the user's own."""

import subprocess
import sysconfig
from pathlib import Path

import pytest
from browser import Visitor

SYSTEM = "/usr/bin/python3"  # of Debian; the test environment is made of it
SITES = Path(__file__).parent / "sites"


@pytest.fixture
def user_base(tmp_path):
    """A PYTHONUSERBASE with one module in its site-packages."""
    script = "import site; print(site.getusersitepackages())"
    env = {"PYTHONUSERBASE": str(tmp_path / "base")}
    folder = subprocess.run([SYSTEM, "-c", script], env=env, capture_output=True, text=True, check=True).stdout.strip()
    Path(folder).mkdir(parents=True)
    Path(folder, "only_in_user_site.py").write_text("NAME = 'found'\n")
    return env


def page_of(fleet):
    return Visitor(fleet.port).get("/case_31_environment/Where/").text


def test_a_system_python_has_the_users_packages(make_fleet, user_base):
    packages = sysconfig.get_path("purelib")
    worker = ("--python", SYSTEM, "--path", packages, "--path", SITES)
    assert "manage.py troupe worker found utf-8" in page_of(make_fleet(env=user_base, worker=worker))
    without = {**user_base, "PYTHONNOUSERSITE": "1"}
    assert "manage.py troupe worker missing" in page_of(make_fleet(env=without, worker=worker))


def test_a_virtual_environment_does_not(make_fleet, user_base):
    assert "manage.py troupe worker missing" in page_of(make_fleet(env=user_base))

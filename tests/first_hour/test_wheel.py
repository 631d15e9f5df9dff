"""The wheels of scripts/wheel: what is in them, and on which machines they run."""

import re
import subprocess
import zipfile

from conftest import ROOT

GLIBC = 36  # Debian 12's is 2.36, Ubuntu 24.04's 2.39


def test_the_worker_runs_in_the_users_interpreter(wheel):
    names = zipfile.ZipFile(wheel.path).namelist()
    assert f"troupe/_worker.cpython-{wheel.tag.removeprefix('cp')}-x86_64-linux-gnu.so" in names
    assert not [name for name in names if name.endswith("troupe.scripts/troupe-worker")]


def test_it_names_no_path_of_the_machine_that_built_it(wheel):
    code = "import sysconfig; print(sysconfig.get_path('include'))"
    headers = subprocess.run([wheel.python, "-c", code], capture_output=True, check=True).stdout.strip()
    named = re.compile(rb"(?:%s|/tmp/tmp\.)[\w./-]*" % b"|".join(map(re.escape, (headers, str(ROOT).encode()))))
    with zipfile.ZipFile(wheel.path) as archive:
        found = {name: named.findall(archive.read(name)) for name in archive.namelist()}
    assert {name: paths for name, paths in found.items() if paths} == {}


def test_it_asks_for_no_newer_c_library_than_debian_12_has(wheel):
    versions = set()
    with zipfile.ZipFile(wheel.path) as archive:
        for name in archive.namelist():
            data = archive.read(name)
            if data.startswith(b"\x7fELF"):
                versions.update(map(int, re.findall(rb"\0GLIBC_2\.(\d+)", data)))
    assert max(versions) <= GLIBC
    assert int(re.search(r"manylinux_2_(\d+)_", wheel.path.name)[1]) <= GLIBC

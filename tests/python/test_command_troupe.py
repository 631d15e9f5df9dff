"""manage.py troupe: which program it becomes, and with which arguments."""

import json
import os
import re
import subprocess
import sys

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from troupe import programs
from troupe.management import shared_libraries
from troupe.management.commands import troupe as command


@pytest.fixture
def became(monkeypatch):
    """What os.execv was called with."""
    calls = []
    monkeypatch.setattr(os, "execv", lambda program, argv: calls.append((program, argv)))
    monkeypatch.setattr(command, "find_program", lambda: "/bin/troupe")
    return calls


def test_up_knows_the_project(became, settings, monkeypatch):
    settings.TROUPE = {"BROKER": "ipc:///run/x/front"}
    monkeypatch.setattr(sys, "path", ["/srv/site", "/srv/more", *_plain_path()])
    command.Command().run_from_argv(["manage.py", "troupe", "up", "--workers", "3", "--settings", "other"])
    [(program, argv)] = became
    assert program == argv[0] == "/bin/troupe"
    assert argv[1:] == [
        "up",
        f"--settings={os.environ['DJANGO_SETTINGS_MODULE']}",
        f"--python={sys.executable}",
        "--path=/srv/site",
        "--path=/srv/more",
        "--front=ipc:///run/x/front",
        "--workers",
        "3",
    ]


def _plain_path():
    """sys.path of this interpreter alone, whose folders workers have by themselves."""
    script = "import json, sys; print(json.dumps(sys.path[1:]))"
    return json.loads(subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout)


def test_the_path_of_manage_py_where_the_interpreter_does_not_start(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    monkeypatch.setattr(sys, "path", ["", "/srv/more"])
    assert command.added_paths() == [os.getcwd()]


def test_the_project_has_a_state_directory_of_its_own(became, settings, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/mine")
    monkeypatch.delenv("TROUPE_DEFAULT_STATE", raising=False)
    call_command("troupe", "status")
    first = os.environ["TROUPE_DEFAULT_STATE"]
    assert re.fullmatch(r"/run/mine/troupe/settings-[0-9a-f]{8}", first)
    settings.SECRET_KEY = "another project's"
    call_command("troupe", "status")
    assert os.environ["TROUPE_DEFAULT_STATE"] != first
    monkeypatch.delenv("TROUPE_DEFAULT_STATE")
    monkeypatch.setenv("TROUPE_STATE", "/var/fleet")
    call_command("troupe", "status")
    assert "TROUPE_DEFAULT_STATE" not in os.environ


def test_no_broker_in_the_settings(became, settings):
    settings.TROUPE = {}
    call_command("troupe", "up")
    assert not [word for word in became[0][1] if word.startswith("--front")]


def test_other_commands_are_passed_on(became):
    command.Command().run_from_argv(["manage.py", "troupe", "status", "--json"])
    command.Command().run_from_argv(["manage.py", "troupe"])
    assert became == [("/bin/troupe", ["/bin/troupe", "status", "--json"]), ("/bin/troupe", ["/bin/troupe"])]


def test_djangos_own_options_are_for_django(became):
    words = ["--settings=a", "--json", "--pythonpath", "src", "--configuration", "Dev", "--traceback", "--no-color"]
    command.Command().run_from_argv(["manage.py", "troupe", "status", *words, "--settings"])
    assert became.pop()[1][1:] == ["status", "--json"]


def test_sessions_are_asked_of_the_projects_broker(became, settings):
    settings.TROUPE = {"BROKER": "ipc:///run/x/front"}
    for words in (["sessions", "--json"], ["evict", "ab"]):
        command.Command().run_from_argv(["manage.py", "troupe", *words])
        assert became.pop()[1][1:] == [words[0], "--front=ipc:///run/x/front", words[1]]


def test_inproc(became, settings, capsys):
    settings.TROUPE = {"BROKER": "inproc://"}
    with pytest.raises(SystemExit) as ended:
        command.Command().run_from_argv(["manage.py", "troupe", "up"])
    assert ended.value.code == 1 and not became
    assert "inproc://" in capsys.readouterr().err


def test_no_program(became, monkeypatch):
    monkeypatch.setattr(command, "find_program", lambda: None)
    with pytest.raises(CommandError, match="no `troupe` program"):
        call_command("troupe", "status")


def test_where_the_program_is(monkeypatch, tmp_path):
    """The package's own first, then the checkout's, then PATH's."""
    on_path, own = tmp_path / "path" / "troupe", tmp_path / "bin" / "troupe"
    for file in (on_path, own):
        file.parent.mkdir()
        file.write_text("")
        file.chmod(0o755)
    monkeypatch.setenv("PATH", str(on_path.parent))
    monkeypatch.setattr(programs, "BIN", own.parent)
    assert command.find_program() == str(own)
    own.chmod(0o644)
    monkeypatch.setattr(command, "__file__", str(tmp_path / "a" / "b" / "c" / "d" / "troupe.py"))
    assert command.find_program() == str(on_path)
    built = tmp_path / "build" / "fleet" / "troupe"
    built.parent.mkdir(parents=True)
    built.write_text("")
    built.chmod(0o755)
    monkeypatch.setattr(command, "__file__", str(tmp_path / "python" / "troupe" / "management" / "commands" / "x.py"))
    assert command.find_program() == str(built)
    monkeypatch.setenv("PATH", "")
    built.chmod(0o644)
    assert command.find_program() is None


LDD = """\
	linux-vdso.so.1 (0x00007f0c7abef000)
	libczmq.so.4 => not found
	libother.so.9 => not found
	libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f0c7a89a000)
"""


def test_missing_libraries_are_named_at_once_as_packages(became, monkeypatch, tmp_path, capsys):
    ldd = tmp_path / "ldd"
    ldd.write_text(f"#!/bin/sh\ncat <<'END'\n{LDD}END\n[ $1 = /bin/troupe ] || echo '	liblmdb.so.0 => not found'\n")
    ldd.chmod(0o755)
    (tmp_path / "troupe-worker").touch()
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(command, "find_program", lambda: str(tmp_path / "troupe"))
    with pytest.raises(SystemExit):
        command.Command().run_from_argv(["manage.py", "troupe", "up"])
    said = capsys.readouterr().err
    assert "missing shared libraries: libczmq.so.4, liblmdb.so.0, libother.so.9" in said
    assert "apt-get install libczmq4 liblmdb0." in said and became == []
    command.Command().run_from_argv(["manage.py", "troupe", "status"])  # asks nothing of the linker
    assert len(became) == 1


def test_programs_with_all_libraries_and_no_ldd(monkeypatch):
    assert shared_libraries.missing([sys.executable, "/bin/sh", "/nonexistent"]) == []
    monkeypatch.setenv("PATH", "/nonexistent")
    assert shared_libraries.missing(["/bin/sh"]) == []

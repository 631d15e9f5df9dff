"""Where a project's fleet is looked for: a directory that no other project, and no other user, has."""

import os
import re

import pytest

from troupe import conf, state_directory


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    for name in ("TROUPE_STATE", "TROUPE_FRONT", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)


def test_it_is_the_projects_own(monkeypatch, settings):
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/mine")
    first = state_directory.default()
    assert re.fullmatch(r"/run/mine/troupe/settings-[0-9a-f]{8}", first)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a new key", [settings.SECRET_KEY]
    assert state_directory.default() == first, "a key is being replaced"
    settings.SECRET_KEY_FALLBACKS = []
    assert state_directory.default() != first


def test_a_name_that_is_no_name_of_a_file(monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/mine")
    monkeypatch.setattr(state_directory.project, "identity", lambda: {"name": "../ä" + "x" * 99, "keys": []})
    assert state_directory.default() == "/run/mine/troupe/project"
    monkeypatch.setattr(state_directory.project, "identity", lambda: {"name": "ä" + "x" * 99, "keys": ["0123456789"]})
    assert state_directory.default() == "/run/mine/troupe/_" + "x" * 23 + "-01234567"


def test_a_fleet_that_was_started_without_manage_py_is_found(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    own = state_directory.default()
    assert state_directory.find() == own
    (tmp_path / "troupe").mkdir()
    (tmp_path / "troupe" / "front").touch()
    assert state_directory.find() == f"{tmp_path}/troupe"
    os.mkdir(own)
    open(f"{own}/front", "w").close()
    assert state_directory.find() == own
    monkeypatch.setenv("TROUPE_STATE", "fleet")
    assert state_directory.find() == os.path.abspath("fleet")


def test_without_a_runtime_directory_it_is_in_tmp_and_private(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    real = os.mkdir
    made = []
    monkeypatch.setattr(os, "mkdir", lambda path, mode: made.append(path) or real(tmp_path / "made", mode))
    assert state_directory.shared() == f"/tmp/troupe-{os.getuid()}" == made[0]
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_a_directory_that_others_may_use_is_refused(monkeypatch, tmp_path, mode, settings, caplog):
    path = tmp_path / "squatted"
    path.mkdir()
    path.chmod(mode)
    with pytest.raises(state_directory.NotPrivateError, match="remove it, or set TROUPE_STATE"):
        state_directory._private(str(path))
    path.chmod(0o700)
    assert state_directory._private(str(path)) == str(path)
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    with pytest.raises(state_directory.NotPrivateError):
        state_directory._private(str(path))


def test_no_broker_where_somebody_else_could_listen(monkeypatch, caplog):
    def refuse():
        raise state_directory.NotPrivateError("it is not private")

    monkeypatch.setattr(state_directory, "find", refuse)
    assert conf.default_broker() == conf.NO_BROKER
    assert 'event=state_directory_refused message="it is not private"' in caplog.text


def test_a_fleet_that_would_be_found_but_for_a_setting_is_named(monkeypatch, tmp_path, settings):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    own = state_directory.own_name()
    front = f"ipc://{state_directory.default()}/front"
    assert state_directory.explain_missing(front) == ""
    settings.SECRET_KEY = "made anew"
    other = state_directory.own_name()
    for name in (own, f"other_settings-{other.rpartition('-')[2]}"):
        folder = tmp_path / "troupe" / name
        folder.mkdir(parents=True)
        (folder / "front").touch()
        text = state_directory.explain_missing(f"ipc://{state_directory.default()}/front")
        assert str(folder) in text and ("another SECRET_KEY" in text) == (name == own)
        (folder / "front").unlink()
    assert state_directory.explain_missing("tcp://127.0.0.1:1") == ""


def test_a_socket_of_another_user_is_named(monkeypatch):
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) != "/usr/lib" and real(path, mode))
    assert state_directory.explain_missing("ipc:///usr/lib/a/front").startswith(". /usr/lib belongs to another user")
    assert state_directory.explain_missing("ipc:///usr/nothing/front") == ""

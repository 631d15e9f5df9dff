"""TROUPE's keys: what is documented, what is known and what is checked are the same; no value raises."""

import ast
import decimal
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import django.test.utils
import pytest
from django.conf import settings as django_settings
from django.core.checks import run_checks
from django.core.management.base import CommandError
from django.test import override_settings

from troupe import conf
from troupe.management.commands import troupe as command
from troupe.web import page, rate_limit

ROOT = Path(__file__).resolve().parents[2]

NAN, INFINITE = float("nan"), float("inf")
ODD = [None, True, False, 0, -1, 5, 2.5, NAN, INFINITE, -INFINITE, 1e-320, 1e308, 10**400, 10**5000]
ODD += ["", "x", "/", "//evil.example/", "/<int:n>/", "\ud800", "a\nb", b"x", decimal.Decimal(1), object(), print]
ODD += [[], [1], [None], ["x y"], ["\ud800"], ["http://["], [["x"]], (), ("x",), {}, {"x": 1}, {1}, type]
LISTS = ("VIEW_MODULES", "REQUEST_ATTRS", "OBSERVERS", "ORIGINS", "TRUSTED_PROXIES")


def written(text):
    """The TROUPE = {...} in a text."""
    found = re.search(r"^ *TROUPE = (\{\n.*?\n *\})$", text, re.MULTILINE | re.DOTALL)
    return ast.literal_eval(found[1])


def default(name):
    value = conf.SETTINGS[name].default
    return value() if callable(value) else value


@pytest.mark.parametrize("where", ["docs/guide.md", "python/troupe/conf.py"])
def test_what_is_documented_is_what_is_known(where, settings):
    text = (ROOT / where).read_text()
    documented = written(text[text.index("## Settings") :] if where.endswith(".md") else text)
    assert list(documented) == list(conf.SETTINGS)
    for name, value in documented.items():
        if name != "BROKER":
            assert value == default(name), name
    settings.TROUPE = documented
    assert [conf.problem(name) for name in documented] == [None] * len(documented)


@pytest.mark.parametrize("name", conf.SETTINGS)
def test_every_default_is_accepted(name):
    assert conf.SETTINGS[name].accepts(default(name))


def test_nobody_reads_the_setting_but_conf():
    readers = [
        file.name
        for file in (ROOT / "python" / "troupe").rglob("*.py")
        if re.search(r"settings\.TROUPE|settings, \"TROUPE\"", file.read_text())
    ]
    assert readers == ["conf.py"]


def errors():
    """The texts of the errors that `manage.py check` shows of this setting."""
    return [message.msg for message in run_checks() if message.id == "troupe.E004"]


@pytest.mark.parametrize("name", conf.SETTINGS)
def test_a_value_is_used_or_named_by_the_check(name, settings, monkeypatch, caplog):
    monkeypatch.setattr(sys, "argv", ["manage.py", "migrate"])
    refused = 0
    for value in ODD:
        settings.TROUPE = {"BROKER": "inproc://", name: value}
        found = errors()
        caplog.clear()
        used = conf.get(name)
        if conf.SETTINGS[name].accepts(value):
            assert found == [] and used is value
            continue
        refused += 1
        assert len(found) == 1 and f"TROUPE[{name!r}]" in found[0] and len(found[0]) < 300, value
        assert used == (conf.NO_BROKER if name == "BROKER" else default(name))
        invalid = [text for text in caplog.messages if text.startswith("event=setting_invalid")]
        assert [text.split(" message=")[0] for text in invalid] == [f"event=setting_invalid name={name}"]
        assert "\n" not in invalid[0]
    assert refused > len(ODD) // 2


@pytest.mark.parametrize("value", [[], [1], "x", "", 5, 0, True, False, 2.5, ("BROKER", "x"), print])
def test_a_setting_that_is_no_dict(value, settings, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["manage.py", "migrate"])
    settings.TROUPE = value
    found = errors()
    assert len(found) == 1 and found[0].startswith("TROUPE must be a dict, not ")
    assert conf.get("EVENT_RATE") == 100 and conf.get("BROKER") == conf.NO_BROKER
    with pytest.raises(CommandError, match="TROUPE must be a dict"):
        command.broker_options()


def test_a_test_run_never_reaches_a_fleet(monkeypatch):
    """Not even with the project's own broker in an override, which {**settings.TROUPE} copies."""
    own = {"BROKER": "ipc:///run/site/front", "EVENT_RATE": 7}
    monkeypatch.setattr(django_settings._wrapped, "TROUPE", own, raising=False)
    conf._configured.cache_clear()
    assert conf.get("BROKER") == "inproc://" and conf.is_inproc()
    with override_settings(TROUPE={**own, "EVENT_RATE": 9}):
        assert (conf.get("BROKER"), conf.get("EVENT_RATE")) == ("inproc://", 9)
    with override_settings(TROUPE={"EVENT_RATE": 9}):
        assert conf.get("BROKER") == "inproc://"
    with override_settings(TROUPE={"BROKER": "ipc:///tmp/mine/front"}), override_settings(DEBUG=True):
        assert conf.get("BROKER") == "ipc:///tmp/mine/front"
    assert conf.get("BROKER") == "inproc://"
    monkeypatch.delattr(django.test.utils._TestState, "saved_data")
    assert conf.get("BROKER") == "ipc:///run/site/front"


def test_who_reads_them_gets_what_works(settings):
    """The page, its limits and its script, with each number at the ends of what is accepted."""
    for number in (0.001, 10**9, NAN, 10**400, None, "x"):
        settings.TROUPE = dict.fromkeys(("EVENT_RATE", "EVENT_BURST", "ADDRESS_RATE", "ADDRESS_SOCKETS"), number)
        settings.TROUPE["TRUSTED_PROXIES"] = ["127.0.0.1"]
        scope = {"client": ("127.0.0.1", 1), "headers": [(b"x-forwarded-for", b"1.2.3.4")]}
        limits = rate_limit.SocketLimits(scope, lambda: 5.0)
        assert limits.admits_socket() and limits.admits_frame()
        for event in range(1, 200):
            limits.event_refusal(event)
        limits.close()
    settings.TROUPE = {"SOCKET_PATH": 5, "MINIFIED": "no"}
    assert 'data-troupe-socket="/ws/troupe/"' in page.script_tag()


@pytest.mark.parametrize(
    ("value", "code", "expected"),
    [({"BROKER": "inproc://", "HARD_LIMIT": 30}, 0, ""), ({"HARD_LIMIT": "30"}, 1, "HARD_LIMIT"), ([], 1, "a dict")],
)
def test_manage_py_check(value, code, expected, tmp_path):
    (tmp_path / "site_settings.py").write_text(f"from settings import *\nTROUPE = {json.loads(json.dumps(value))!r}\n")
    path = os.pathsep.join([str(tmp_path), str(ROOT / "tests" / "python"), str(ROOT / "python")])
    env = {**os.environ, "PYTHONPATH": path, "DJANGO_SETTINGS_MODULE": "site_settings"}
    done = subprocess.run([sys.executable, "-m", "django", "check"], env=env, capture_output=True, text=True)
    assert "Traceback" not in done.stderr, done.stderr
    assert (done.returncode, done.stderr.count("troupe.E004")) == (code, code), done.stderr
    assert expected in done.stderr

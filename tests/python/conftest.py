"""Fixtures: the fake worker in this process (`native`), or behind a real socket (`broker`)."""

import logging
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent / "python")]
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"

import django  # noqa: E402

django.setup()

import fake_worker  # noqa: E402
import pytest  # noqa: E402

from troupe.web.transport import client, inproc  # noqa: E402


@pytest.fixture
def clock():
    """A clock that stands still: `clock.now += 1`."""

    class Clock:
        now = 1000.0

        def __call__(self):
            return self.now

    return Clock()


@pytest.fixture
def native(clock):
    """The in-process transport, with fake sessions and a clock that stands still."""
    fake_worker.Session.made.clear()
    transport = inproc.Inproc(fake_worker, clock)
    inproc.reset(transport)
    yield transport
    inproc.reset()


@pytest.fixture
def broker(tmp_path, settings):
    """A fake broker that TROUPE["BROKER"] names."""
    fake_worker.Session.made.clear()
    found = fake_worker.Broker(f"ipc://{tmp_path}/front")
    settings.TROUPE = {**settings.TROUPE, "BROKER": found.address}
    yield found
    for connected in list(client._clients.values()):
        if connected.address == found.address and not connected.loop.is_running():
            connected.close()
    found.close()


@pytest.fixture
def quiet(caplog):
    """Fail on an unexpected WARNING or worse of ours; a test takes what it expects with `quiet.expect("event=…")`."""

    class Quiet:
        def expect(self, start):
            for record in caplog.records:
                if record.name == "troupe" and record.getMessage().startswith(start):
                    caplog.records.remove(record)
                    return record.getMessage()
            raise AssertionError(f"no line that starts with {start!r}: {caplog.messages}")

    yield Quiet()
    ours = [record for record in caplog.records if record.name == "troupe"]
    left = [record.getMessage() for record in ours if record.levelno >= logging.WARNING]
    assert not left

"""breakpoint() where there is no terminal."""

import sys
from bdb import BdbQuit

import pytest

from troupe.runtime import debugger, faults


@pytest.fixture
def refused(monkeypatch):
    monkeypatch.setattr(sys, "breakpointhook", sys.breakpointhook)
    monkeypatch.setattr(debugger, "_refused", False)
    monkeypatch.delenv("PYTHONBREAKPOINT", raising=False)
    debugger.refuse()


def test_it_raises_what_to_do(refused):
    with pytest.raises(RuntimeError, match="run `manage.py troupe up --debug`"):
        breakpoint()


called = []


def own(*args, **kwargs):
    called.append((args, kwargs))


def test_another_debugger_is_called(refused, monkeypatch):
    monkeypatch.setenv("PYTHONBREAKPOINT", f"{__name__}.own")
    breakpoint(1, two=2)
    monkeypatch.setenv("PYTHONBREAKPOINT", "0")
    breakpoint()
    assert called == [((1,), {"two": 2})]


def test_pdb_that_found_no_user(refused, monkeypatch):
    assert "--debug" in faults.describe(BdbQuit(), "shop.Cart.add()")[1]
    monkeypatch.setattr(debugger, "_refused", False)  # with a terminal: its user quit
    assert faults.describe(BdbQuit(), "shop.Cart.add()")[1] == "Error in shop.Cart.add(): BdbQuit"

"""Actors for callers without a loop."""

import os

import pytest

from troupe import sync


@pytest.fixture(params=["native", "broker"])
def either(request):
    return request.getfixturevalue(request.param)


def test_sync_callers(either):
    actor = sync.create_session_actor("report")
    assert actor.session_id == "report"
    assert "5" in actor.mount("samples.Counter", {"start": 5})["html"]
    assert "6" in actor.event("increment", {})["html"]
    assert actor.ping() is True
    actor.unmount()
    actor.shutdown()


def test_a_fork_gets_a_thread_of_its_own(broker):
    assert sync.create_session_actor("before").mount("samples.Counter", {})
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            actor = sync.create_session_actor("after")
            os.write(write, actor.mount("samples.Counter", {"start": 8})["html"].encode())
        finally:
            os._exit(0)
    os.close(write)
    assert b">8<" in os.read(read, 1000)
    os.close(read)
    os.waitpid(child, 0)

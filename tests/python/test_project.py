"""Whose project a request is from: workers refuse another's."""

import pytest

from troupe import project
from troupe.runtime import entry
from troupe.runtime.faults import Refused
from troupe.views import LiveView
from troupe.web import request_facts


class Plain(LiveView):
    template_string = "<main dj-root></main>"


@pytest.fixture
def foreign(settings):
    """The identity of another project."""
    own = settings.SECRET_KEY
    settings.SECRET_KEY = "the other project's own key"
    found = project.identity()
    settings.SECRET_KEY = own
    return found


def test_its_own_is_accepted(settings):
    view = Plain()
    assert entry.mount_view(view, "shop.Plain", {"path": "/", "project": project.identity()}, "", {}) is None
    assert view.request.path == "/"
    entry.join_view(view, "shop.Plain", {"path": "/", "project": project.identity()}, "/here/")
    assert view.request.path == "/here/"


def test_a_programs_view_has_no_request():
    view = Plain()
    assert entry.mount_view(view, "shop.Plain", {"project": project.identity()}, "", {}) is None
    assert view.request is None


def test_another_projects_is_refused(foreign):
    for call in (
        lambda: entry.mount_view(Plain(), "shop.Plain", {"path": "/", "project": dict(foreign)}, "", {}),
        lambda: entry.mount_view(Plain(), "shop.Plain", {"project": dict(foreign)}, "", {}),
        lambda: entry.join_view(Plain(), "shop.Plain", {"path": "/", "project": dict(foreign)}, ""),
    ):
        with pytest.raises(Refused, match="serves the project 'settings', and the request came from") as refused:
            call()
        assert refused.value.kind == "foreign_project"
        assert "--state" in str(refused.value)
        assert "TROUPE['BROKER']" in str(refused.value)


def test_a_key_may_be_replaced_while_both_run(settings):
    before = project.identity()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a new key", [settings.SECRET_KEY]
    after = project.identity()
    assert before["keys"] != after["keys"]
    assert project.explain_foreign(before) is None  # the page's process is older than the worker
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = settings.SECRET_KEY_FALLBACKS[0], []
    assert project.explain_foreign(after) is None  # and newer


@pytest.mark.parametrize("sender", [None, 5, {}, {"keys": []}, {"keys": 5}, {"name": "x"}])
def test_who_does_not_say_is_accepted(sender):
    assert project.explain_foreign(sender) is None


def test_no_key_is_given_away(settings, foreign):
    settings.SECRET_KEY_FALLBACKS = [f"key {number}" for number in range(50)]
    found = project.identity()
    assert len(found["keys"]) == project.MAX_KEYS
    assert all(len(key) == 16 for key in found["keys"])
    settings.SECRET_KEY = b"bytes are a key as well"
    assert len(project.identity()["keys"][0]) == 16


def test_both_ways_of_making_a_map_say_it(rf, db):
    token = {"url": "/", "attrs": {}, "language": None, "time_zone": None}
    login = {"user": None, "backend": None, "session_key": None}
    assert request_facts.of_http(rf.get("/"))["project"] == project.identity()
    assert request_facts.of_scope({"headers": []}, login, token)["project"] == project.identity()

"""What stands for a Django session, by its engine."""

import pytest
from django.contrib.sessions.backends import signed_cookies

from troupe import session_engine, wire


class SessionStore(signed_cookies.SessionStore):
    """An engine of a project's own: this module."""


def test_a_session_with_a_key_of_its_own():
    assert session_engine.identity_of("7", "key") == wire.identity_of("key") != wire.identity_of("other")
    assert session_engine.identity_of("7", None) == b"" and not session_engine.is_in_cookies()


@pytest.mark.parametrize("engine", [signed_cookies.__name__, __name__])
def test_one_whose_text_changes_with_each_write(settings, engine):
    settings.SESSION_ENGINE = engine
    assert session_engine.is_in_cookies()
    for text in ("one text", "another"):
        assert session_engine.identity_of("7", text) == wire.user_mark("7")
    assert session_engine.identity_of(None, "one text") == b""

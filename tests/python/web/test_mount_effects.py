"""What a mount needs of the page's request before, where tests/idioms/test_mount_effects.py cannot see it."""

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import transaction
from django.test import RequestFactory

from troupe.web import mount_effects


@pytest.fixture
def request_(monkeypatch):
    """A page's request whose session was written to, with a broker elsewhere."""
    monkeypatch.setattr(mount_effects.conf, "is_inproc", lambda: False)
    request = RequestFactory().get("/")
    request.session = SessionStore()
    request.session["n"] = 1
    return request


@pytest.mark.django_db(transaction=True)
def test_in_a_transaction_the_session_is_stored_outside_of_it(request_):
    """A worker has to see it, and must not wait for the row until the page is done."""
    with transaction.atomic():
        mount_effects.prepare(request_)
        assert request_.session.session_key
        transaction.set_rollback(True)
    assert SessionStore(request_.session.session_key)["n"] == 1
    assert request_.session.modified  # so that the response sets the cookie


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("in_transaction", [False, True])
def test_a_session_that_was_deleted_meanwhile(request_, in_transaction):
    request_.session.save()
    SessionStore(request_.session.session_key).delete()
    request_.session["n"] = 2
    with pytest.raises(SessionInterrupted, match="deleted before the request completed") as raised:
        if in_transaction:
            with transaction.atomic():
                mount_effects.prepare(request_)
        else:
            mount_effects.prepare(request_)
    assert isinstance(raised.value.__cause__, UpdateError)

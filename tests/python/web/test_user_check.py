"""When the user of a socket is looked at, and who is none to look at."""

import django
import pytest
from channels.db import database_sync_to_async
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore

from troupe.web import request_facts
from troupe.web.user_check import UserCheck

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ann():
    return get_user_model().objects.create_user("ann", password="x")


@pytest.fixture
def session(ann):
    """A session in which ann logged in."""
    return logged_in(ann)


def logged_in(user):
    """A session of that user."""
    store = SessionStore()
    store["_auth_user_id"] = str(user.pk)
    store["_auth_user_backend"] = "django.contrib.auth.backends.ModelBackend"
    store["_auth_user_hash"] = user.get_session_auth_hash()
    store.save()
    return store


def joined(scope, clock):
    """A check of a socket that joined just now."""
    check = UserCheck(clock)
    check.joined(scope, request_facts.login_of_scope(scope, False), "/")
    return check


@pytest.mark.parametrize(
    ("seconds", "after", "due"),
    [(1, 0.9, False), (1, 1, True), (0, 0, True), (None, 1e6, False), (0.25, 0.25, True)],
)
def test_when_it_is_due(session, ann, clock, settings, seconds, after, due):
    settings.TROUPE = {**settings.TROUPE, "USER_CHECK_SECONDS": seconds}
    check = joined({"session": session, "user": ann}, clock)
    clock.now += after
    assert check.is_due() is due


@pytest.mark.parametrize("seconds", [0, 1])
def test_nobody_is_never_looked_at(session, ann, clock, settings, seconds, django_assert_num_queries):
    settings.TROUPE = {**settings.TROUPE, "USER_CHECK_SECONDS": seconds}
    plain = SessionStore()
    plain["basket"] = 5
    plain.save()
    settings_of = ({}, {"session": plain, "user": AnonymousUser()}, {"session": plain, "user": ann})
    checks = [joined(scope, clock) for scope in settings_of]  # the last: a user of the project's own middleware
    clock.now += 100
    with django_assert_num_queries(0):
        assert not any(check.is_due() for check in checks)


@pytest.mark.asyncio
async def test_a_look_counts_from_its_beginning(clock):
    @database_sync_to_async
    def made():
        user = get_user_model().objects.create_user("bob")
        return user, joined({"session": logged_in(user), "user": user}, clock)

    user, check = await made()
    clock.now += 5
    assert await check.is_same() and not check.is_due()
    await database_sync_to_async(type(user).objects.filter(pk=user.pk).update)(is_active=False)
    assert not await check.is_same()


def test_a_look_changes_nothing(session, ann, settings):
    """With a new SECRET_KEY get_user() gives a session a new key, which only a response can tell the browser."""
    if django.VERSION >= (4, 1):
        settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another"
    scope = {"headers": [(b"cookie", f"sessionid={session.session_key}".encode())]}
    for _ in range(2):
        found = request_facts.login_of_scope(scope, True)
        assert (found["user"], found["session_key"]) == (str(ann.pk), session.session_key)
    ann.set_password("y")
    ann.save()
    assert request_facts.login_of_scope(scope, True)["user"] is None
    assert SessionStore(session.session_key)["_auth_user_id"] == str(ann.pk)

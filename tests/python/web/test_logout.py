"""What ends live sessions from outside: disconnect_user(). test_consumer.py and test_checks.py have the log-out."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.utils.functional import SimpleLazyObject

from troupe import ActorError, adisconnect_user, disconnect_user, wire
from troupe.web.transport import client

PROXY = type("Customer", (User,), {"__module__": __name__, "Meta": type("Meta", (), {"proxy": True, "app_label": "x"})})


def expected(user):
    return wire.NO_SESSION, {"identity": wire.user_mark(str(user.pk))}


@pytest.mark.parametrize(
    "name_it",
    [
        lambda user: user,
        lambda user: user.pk,
        lambda user: str(user.pk),
        lambda user: SimpleLazyObject(lambda: user),
        lambda user: PROXY(pk=user.pk),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_whoever_is_named_is_told_to_every_worker(broker, name_it):
    user = User.objects.create_user("ann")
    disconnect_user(name_it(user))
    # It returned, so that the broker has it: a management command may end now.
    assert broker.seen.get_nowait() == (wire.LOGOUT, *expected(user))


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_from_async_code(broker):
    user = await User.objects.acreate(username="ann")
    await adisconnect_user(user)
    assert broker.seen.get_nowait() == (wire.LOGOUT, *expected(user))
    disconnect_user(user)  # an async view's call blocks for the moment that it takes
    await asyncio.to_thread(broker.wait_for, wire.LOGOUT)


@pytest.mark.parametrize("nobody", [None, AnonymousUser(), User(username="not saved"), True])
def test_nobody_is_an_error(nobody, broker):
    with pytest.raises(ValueError, match=r"disconnect_user\(\) takes a user"):
        disconnect_user(nobody)
    assert broker.seen.empty()


@pytest.mark.django_db(transaction=True)
def test_a_transaction_is_waited_for(broker):
    user = User.objects.create_user("ann")
    with pytest.raises(KeyError), transaction.atomic():
        disconnect_user(user)
        raise KeyError
    with transaction.atomic():
        disconnect_user(user)
        assert broker.seen.empty()
    assert broker.seen.get_nowait() == (wire.LOGOUT, *expected(user))


@pytest.mark.django_db(transaction=True)
def test_without_a_broker_the_caller_hears_of_it(settings, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(client, "CONNECT_WAIT", 0.0)
    settings.TROUPE = {**settings.TROUPE, "BROKER": f"ipc://{tmp_path}/nobody"}
    user = User.objects.create_user("ann")
    with pytest.raises(ActorError) as raised:
        disconnect_user(user)
    assert raised.value.kind == "unreachable"
    caplog.clear()
    with transaction.atomic():
        disconnect_user(user)
    assert "unreachable" in caplog.text or "no broker" in caplog.text.lower()


@pytest.mark.django_db(transaction=True)
def test_over_inproc(native):
    user, other = User.objects.create_user("ann"), User.objects.create_user("bob")
    for number, (key, who) in enumerate([("a", user), ("b", user), ("c", other), (None, None)]):
        owner = wire.owner_of(wire.identity_of(key), who and str(who.pk))
        native._entry(wire.MOUNT, 0, bytes([number]) * 16, {"identity": owner})
    disconnect_user(user)
    assert list(native._entries) == [b"\2" * 16, b"\3" * 16]
    with transaction.atomic():
        disconnect_user(other)
        assert len(native) == 2
    assert list(native._entries) == [b"\3" * 16]


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_over_inproc_from_async_code(native):
    user = await User.objects.acreate(username="ann")
    owner = wire.owner_of(b"", str(user.pk))  # whom middleware knows, without a session
    for disconnect in (adisconnect_user, sync_to_async(disconnect_user)):
        native._entry(wire.MOUNT, 0, b"s" * 16, {"identity": owner})
        await disconnect(user)
        assert not native._entries

"""Which project a process belongs to. Requests say it, and a worker refuses those of another project: two projects of
one developer may find each other's fleet, whose pages, code and database are not theirs.
"""

import functools
import hashlib
import os
from typing import Any, TypedDict

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.dispatch import receiver

MAX_KEYS = 8
_DIGEST = 8  # bytes


class Identity(TypedDict):
    """name: the settings module. keys: fingerprints of SECRET_KEY and its fallbacks, in hex: two processes belong to
    one project if they have one in common, so that a key can be replaced while both are running.
    """

    name: str
    keys: list[str]


@functools.cache
def identity() -> Identity:
    """This process's own. keys is empty without a SECRET_KEY."""
    try:
        secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    except ImproperlyConfigured:
        secrets = []
    keys = [_fingerprint(secret) for secret in secrets if isinstance(secret, (str, bytes)) and secret]
    return {"name": os.environ.get("DJANGO_SETTINGS_MODULE") or "", "keys": keys[:MAX_KEYS]}


def explain_foreign(sender: Any) -> str | None:
    """Why a request with this identity is not for this process; None: it may be. What does not say whose it is, may be:
    a program that is not Django's.
    """
    own = identity()
    keys = sender.get("keys") if isinstance(sender, dict) else None
    if not isinstance(keys, list) or not keys or not own["keys"] or any(key in own["keys"] for key in keys):
        return None
    return (
        f"this fleet serves the project {own['name']!r}, and the request came from {str(sender.get('name'))[:100]!r}, "
        "whose SECRET_KEY is another. Start a fleet of that project's own (manage.py troupe up, with another --state "
        "if both use the same), or set its TROUPE['BROKER'] to the address of its fleet"
    )


def _fingerprint(secret: str | bytes) -> str:
    """Tells keys apart without giving them away."""
    data = secret.encode() if isinstance(secret, str) else secret
    return hashlib.blake2b(data, digest_size=_DIGEST, person=b"troupe.project").hexdigest()


@receiver(setting_changed, dispatch_uid="troupe.project")
def _clear(*, setting: str, **_: object) -> None:
    if setting in ("SECRET_KEY", "SECRET_KEY_FALLBACKS"):
        identity.cache_clear()

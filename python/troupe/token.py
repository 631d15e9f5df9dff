"""Page tokens: what a page needs to get its views back, signed, timestamped and bound to a Django session and
user.

A token is readable by the visitor (it is signed, not encrypted): so are the view's parameters and
TROUPE["REQUEST_ATTRS"].
"""

from django.core import signing

from . import conf, wire
from .errors import TokenError
from .request import identity_of

SALT = "troupe.page"


class _Serializer:
    def dumps(self, token):
        return wire.pack_body(token)

    def loads(self, data):
        return wire.unpack_body(data)


def make(session, view, path, params, init, facts, version, generation=0):
    """The contents of the token of a page that was just mounted. facts: the request map. session, view: 16
    bytes.
    """
    query = facts["query"]
    return {
        "session": session,
        "view": view,
        "path": path,
        "params": params,
        "init": init,
        "url": facts["path"] + ("?" + query if query else ""),
        "attrs": facts["attrs"],
        "language": facts["language"],
        "time_zone": facts["time_zone"],
        "user": facts["user"],
        "identity": identity_of(facts["session_key"]),
        "version": version,
        "generation": generation,
    }


def sign(token):
    """The token as text, fit for an attribute's value."""
    return signing.dumps(token, salt=SALT, serializer=_Serializer, compress=True)


def read(text, person):
    """The contents of a token. person: {"user", "session_key"…} who shows it.

    TokenError: `forged`, `expired` (TROUPE["TOKEN_MAX_AGE"]), or `foreign` (made for another session or
    user).
    """
    try:
        token = signing.loads(text, salt=SALT, serializer=_Serializer, max_age=conf.get("TOKEN_MAX_AGE"))
    except signing.SignatureExpired as error:
        raise TokenError("expired") from error
    except Exception as error:  # what decompresses and decodes it raises much besides BadSignature
        raise TokenError("forged") from error
    if token["user"] != person["user"] or token["identity"] != identity_of(person["session_key"]):
        raise TokenError("foreign")
    return token

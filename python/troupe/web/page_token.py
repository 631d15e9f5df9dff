"""Page tokens: what a page needs to get its views back, signed, timestamped and bound to a Django session and
user.

A token is readable by the visitor (it is signed, not encrypted): so are the view's parameters and
TROUPE["REQUEST_ATTRS"].
"""

from django.core import signing

from .. import conf, wire
from ..errors import TokenError
from .request_facts import identity_of

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


def origin(token):
    """The session of the page load that this token goes back to, over whatever sessions began in its place."""
    return token.get("origin", token["session"])


def set_origin(token, session):
    """The token goes back to that session."""
    if token["session"] != session:
        token["origin"] = session


def sign(token):
    """The token as text, fit for an attribute's value."""
    return signing.dumps(token, salt=SALT, serializer=_Serializer, compress=True)


def _renewal_salt(token):
    return f"troupe.renewal.{token['session'].hex()}.{token['view'].hex()}"


def renew(token):
    """A short text that makes an older token of the same view good for the next join: its new generation, and
    a new beginning of its age.
    """
    return signing.dumps(token["generation"], salt=_renewal_salt(token))


def read(text, person, renewal=None):
    """The contents of a token. person: {"user", "session_key"…} who shows it. renewal: renew()'s, if there is one.

    TokenError: `forged`, `expired` (TROUPE["TOKEN_MAX_AGE"]), or `foreign` (made for another session or
    user).
    """
    age = conf.get("TOKEN_MAX_AGE")
    try:
        token = signing.loads(text, salt=SALT, serializer=_Serializer, max_age=None if renewal else age)
        if renewal:
            token["generation"] = signing.loads(renewal, salt=_renewal_salt(token), max_age=age)
    except signing.SignatureExpired as error:
        raise TokenError("expired") from error
    except Exception as error:  # what decompresses and decodes it raises much besides BadSignature
        raise TokenError("forged") from error
    if token["user"] != person["user"] or token["identity"] != identity_of(person["session_key"]):
        raise TokenError("foreign")
    return token

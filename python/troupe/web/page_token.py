"""Page tokens: what a page needs to get its views back, signed, timestamped, and bound to a Django session and user.

The visitor can read a token (it is signed, not encrypted): so the view's parameters and TROUPE["REQUEST_ATTRS"] are no
secret to them. Only the nonce of the page's Content-Security-Policy is encrypted, as browsers hide it from whoever can
read a page's attributes, by way of a style sheet, say.
"""

import hashlib
from typing import Any, TypedDict

from django.conf import settings
from django.core import signing
from django.utils.crypto import salted_hmac

from .. import conf, wire
from ..errors import TokenError
from ..session_engine import identity_of
from ..wire import RequestMap
from .page_facts import of_token, page_headers
from .request_facts import Login, PageFacts

SALT = "troupe.page"


class _Origin(TypedDict, total=False):
    origin: bytes  # see origin()


class Token(PageFacts, _Origin):
    """A token's contents."""

    session: bytes
    view: bytes
    path: str
    params: dict[str, Any]
    init: dict[str, Any]
    user: str | None
    identity: bytes
    version: int
    generation: int


class _Serializer:
    def dumps(self, token: dict[str, Any]) -> bytes:
        return wire.pack_body(token)

    def loads(self, data: bytes) -> dict[str, Any]:
        return wire.unpack_body(data)


def make(
    session: bytes,
    view: bytes,
    path: str,
    params: dict[str, Any],
    init: dict[str, Any],
    facts: RequestMap,
    version: int,
    generation: int = 0,
) -> Token:
    """The token of a page that was just mounted. session, view: 16 bytes. path: the view class's dotted path."""
    query = facts["query"]
    token: Token = {
        "session": session,
        "view": view,
        "path": path,
        "params": params,
        "init": init,
        "url": facts["path"] + ("?" + query if query else ""),
        "attrs": facts["attrs"],
        "language": facts["language"],
        "time_zone": facts["time_zone"],
        "route": facts.get("route"),
        "user": facts["user"],
        "identity": identity_of(facts["user"], facts["session_key"]),
        "version": version,
        "generation": generation,
    }
    headers = page_headers(facts.get("headers", {}))
    if headers:
        token["headers"] = headers
    return {**token, **of_token(facts)}


def origin(token: Token) -> bytes:
    """The session of the page load that this token goes back to, over all sessions that replaced it."""
    return token.get("origin", token["session"])


def set_origin(token: Token, session: bytes) -> None:
    """Makes the token go back to that session."""
    if token["session"] != session:
        token["origin"] = session


def sign(token: Token) -> str:
    """The token as text that is safe in an attribute's value."""
    contents: dict[str, Any] = {**token}
    if "nonce" in contents:
        contents["nonce"] = _xor(contents["nonce"].encode(), token, settings.SECRET_KEY)
    return signing.dumps(contents, salt=SALT, serializer=_Serializer, compress=True)


def _xor(nonce: bytes, token: Token, key: str | bytes) -> bytes:
    """A nonce encrypted, or decrypted. session and view are random and a page's own: no two are encrypted alike."""
    seed = salted_hmac("troupe.nonce", token["session"] + token["view"], secret=key, algorithm="sha256").digest()
    return bytes(left ^ right for left, right in zip(nonce, hashlib.shake_256(seed).digest(len(nonce)), strict=True))


def _decrypt_nonce(token: Token) -> None:
    """Sets the token's nonce. Signed with whichever key is still valid; another key gives bytes that are no text."""
    encrypted: Any = token.pop("nonce", None)
    if not isinstance(encrypted, bytes):
        return
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        text = _xor(encrypted, token, key)
        if text.isascii() and text.decode().isprintable():
            token["nonce"] = text.decode()
            return


def _renewal_salt(token: Token) -> str:
    return f"troupe.renewal.{token['session'].hex()}.{token['view'].hex()}"


def renew(token: Token) -> str:
    """A short text that renews an older token of the same view: its new generation, signed now."""
    return signing.dumps(token["generation"], salt=_renewal_salt(token))


def read(text: str, login: Login, renewal: str | None = None) -> Token:
    """A token's contents. login: who shows it. renewal: what renew() returned, if the page has one.

    TokenError: `forged`, `expired` (TROUPE["TOKEN_MAX_AGE"]), or `foreign` (made for another session or user).
    """
    token = load(text, renewal)
    check_login(token, login)
    return token


def load(text: str, renewal: str | None = None) -> Token:
    """A token's contents; whose it is remains to be checked. TokenError: `forged` or `expired`."""
    age = conf.get("TOKEN_MAX_AGE")
    try:
        token: Token = signing.loads(text, salt=SALT, serializer=_Serializer, max_age=None if renewal else age)
        _decrypt_nonce(token)
        if renewal:
            token["generation"] = signing.loads(renewal, salt=_renewal_salt(token), max_age=age)
    except signing.SignatureExpired as error:
        raise TokenError("expired") from error
    except Exception as error:  # decompressing and decoding raises much besides BadSignature
        raise TokenError("forged") from error
    return token


def check_login(token: Token, login: Login) -> None:
    """TokenError(foreign): the token was made for another session or user.

    An anonymous page whose session began after it was made (with its own response, say) belongs to whoever has it.
    """
    is_anonymous = token["user"] is None and not token["identity"]
    if token["user"] != login["user"]:
        raise TokenError("foreign")
    if not is_anonymous and token["identity"] != identity_of(login["user"], login["session_key"]):
        raise TokenError("foreign")

"""Keys for tcp:// addresses (proto/PROTOCOL.md 10): what this process shows to a broker, and whom it takes for one."""

import ipaddress
from typing import NamedTuple

import zmq
import zmq.auth

# What a handshake may end in, when it does not succeed.
FAILURES = zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
# After these ZeroMQ does not try again by itself.
FINAL = zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL


class KeysError(ValueError):
    """The keys of an address cannot be had. The text says why, for a person."""


class Keys(NamedTuple):
    """Our pair, and the broker's public key; Z85."""

    public: bytes
    secret: bytes
    server: bytes

    def lock(self, socket):
        """Have a socket's connections encrypted."""
        socket.curve_publickey, socket.curve_secretkey, socket.curve_serverkey = self


def load(address, key, server_key):
    """The Keys for an address, from the two files; None where none are needed and none are given."""
    if not address.startswith("tcp://"):
        return None
    if not key and not server_key and is_loopback(address):
        return None
    if not key or not server_key:
        more = "or neither" if is_loopback(address) else "tcp:// off the loopback is never used without keys"
        raise KeysError(f"{address} wants both TROUPE['KEY'] and TROUPE['SERVER_KEY']: {more}")
    public, secret = _read(key)
    if secret is None:
        raise KeysError(f"{key}: only the public key is in it: name the file that ends in _secret")
    return Keys(public, secret, _read(server_key)[0])


def is_loopback(address):
    """Whether a tcp:// address stays on this machine, without asking a resolver."""
    host = address.removeprefix("tcp://").rpartition(":")[0]
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def refusal(event, keys):
    """What a monitor's event says of a broker that does not let us in; None: nothing."""
    if event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
        return "the broker does not know this key: its public file belongs into the folder clients of --allow"
    if event == zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL:
        return "the broker wants no keys there" if keys else "the broker wants keys: TROUPE['KEY'] and ['SERVER_KEY']"
    if event == zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL:
        perhaps = "TROUPE['SERVER_KEY'] is not this broker's" if keys else "the broker wants keys"
        return f"the handshake breaks off: perhaps {perhaps}"
    return None


def _read(path):
    try:
        public, secret = zmq.auth.load_certificate(path)
    except OSError as error:
        raise KeysError(f"{path}: {error.strerror or 'there is no such file'}") from error
    except (ValueError, IndexError):
        public = secret = b""
    if any(key is not None and len(key) != 40 for key in (public, secret)):
        raise KeysError(f"{path}: it is no key file, as `troupe keygen` makes them")
    return public, secret

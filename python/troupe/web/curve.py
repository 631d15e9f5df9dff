"""CURVE keys for tcp:// addresses (proto/PROTOCOL.md 10): this process's key pair, and the broker's public key."""

import ipaddress
import os
from typing import NamedTuple

import zmq
import zmq.auth

# Socket monitor events that report a failed handshake.
FAILURES = zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
# ZeroMQ does not reconnect by itself after these.
FINAL_FAILURES = zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL

Path = str | os.PathLike[str]


class KeysError(ValueError):
    """The keys for an address are missing or cannot be used. The message is for an operator."""


class Keys(NamedTuple):
    """Our key pair and the broker's public key, in Z85."""

    public: bytes
    secret: bytes
    server: bytes

    def apply(self, socket: "zmq.Socket[bytes]") -> None:
        """Sets the keys of a socket, before it connects."""
        socket.curve_publickey, socket.curve_secretkey, socket.curve_serverkey = self


def load(address: str, key: Path | None, server_key: Path | None) -> Keys | None:
    """The Keys for an address, read from the two files. None: the address needs none, and none are given. KeysError."""
    if not address.startswith("tcp://"):
        return None
    if not key and not server_key and is_loopback(address):
        return None
    if not key or not server_key:
        more = ", or neither" if is_loopback(address) else ": tcp:// off the loopback requires keys"
        raise KeysError(f"{address} requires both TROUPE['KEY'] and TROUPE['SERVER_KEY']{more}")
    public, secret = _read(key)
    if secret is None:
        raise KeysError(f"{key}: contains only the public key: name the file that ends in _secret")
    return Keys(public, secret, _read(server_key)[0])


def is_loopback(address: str) -> bool:
    """Whether a tcp:// address stays on this machine, without asking a resolver."""
    host = address.removeprefix("tcp://").rpartition(":")[0]
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def refusal(event: int, keys: Keys | None) -> str | None:
    """Why the broker refuses the connection, by an event of the socket's monitor. None: it does not."""
    if event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
        return "the broker does not know this key: put its public file into the folder clients of --allow"
    if event == zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL:
        if keys:
            return "the broker uses no keys on this address"
        return "the broker requires keys: TROUPE['KEY'] and TROUPE['SERVER_KEY']"
    if event == zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL:
        if keys:
            return "the handshake failed: TROUPE['SERVER_KEY'] may not be this broker's"
        return "the handshake failed: the broker probably requires keys"
    return None


def _read(path: Path) -> tuple[bytes, bytes | None]:
    """(public, secret) of a key file. secret: None in a public one."""
    public: bytes
    secret: bytes | None
    try:
        public, secret = zmq.auth.load_certificate(path)
    except OSError as error:
        raise KeysError(f"{path}: {error.strerror or 'no such file'}") from error
    except (ValueError, IndexError):
        public = secret = b""
    if any(key is not None and len(key) != 40 for key in (public, secret)):
        raise KeysError(f"{path}: not a key file as made by `troupe keygen`")
    return public, secret

#!/usr/bin/env python3
"""Writes proto/vectors/messages.json, invalid.json and values.json (see proto/vectors/README.md).

Run it in an environment that has msgpack: .venv/bin/python scripts/lib/make_vectors.py [FOLDER]. It
is written from PROTOCOL.md, with Python's msgpack and struct, and shares nothing with the C code that the
vectors test.
"""

import json
import pathlib
import struct
import sys

import msgpack
from vectors_base import (
    BROWSER,
    EMBED,
    EPOCH,
    HTML,
    OTHER,
    PAGE,
    REPEAT,
    SESSION,
    TYPES,
    U64,
    UNADOPTED,
    VIEW,
    join_view,
    nested,
    valid,
)
from vectors_invalid import all_invalid
from vectors_values import all_values

LISTED_REST = {"attached": True, "epoch": EPOCH, "pending": 2, "bytes": 4711}
WEB_REQUEST = {
    "method": "GET",
    "path": "/todos/",
    "query": "page=2&q=%C3%A9",
    "scheme": "https",
    "headers": {"host": "example.test", "user-agent": "vector"},
    "cookies": {"sessionid": "abc", "theme": "dark"},
    "remote_addr": "192.0.2.7",
    "server": ["example.test", 443],
    "user": "17",
    "backend": "django.contrib.auth.backends.ModelBackend",
    "session_key": "s" * 32,
    "csrf": "c" * 32,
    "language": "de-at",
    "time_zone": "Europe/Vienna",
    "attrs": {"tenant": "blue"},
}
# A value of every kind that params may hold (PROTOCOL.md 6 has the extension types).
EVERY_VALUE = {
    "nil": None,
    "yes": True,
    "no": False,
    "zero": 0,
    "fix": 127,
    "u8": 128,
    "u16": 256,
    "u32": 65536,
    "u53": 2**53,
    "u64": U64,
    "minus": -1,
    "i8": -33,
    "i16": -129,
    "i32": -32769,
    "i64": -(2**63),
    "float": 0.5,
    "text": "",
    "umlaut": "Grüße 🎭",
    "str8": "x" * 32,
    "str16": "y" * 256,
    "bytes": b"",
    "bin": b"\x00\xff",
    "list": [],
    "nested": [1, [2, [3, {"four": []}]]],
    "sixteen": list(range(16)),
    "map": {},
    "datetime": msgpack.ExtType(1, b"2024-02-29T12:30:00+00:00"),
    "date": msgpack.ExtType(2, b"2024-02-29"),
    "time": msgpack.ExtType(3, b"12:30:00"),
    "decimal": msgpack.ExtType(4, b"1.10"),
    "uuid": msgpack.ExtType(5, SESSION),
    "safe": msgpack.ExtType(6, b"<b>bold</b>"),
    "timedelta": msgpack.ExtType(7, struct.pack(">q", -1)),
}


def requests():
    """Valid messages from clients."""
    mount = {"path": "demo.views.Counter", "params": {}}
    event = {"view": VIEW, "name": "increment", "params": {}}
    return [
        valid("mount_least", "MOUNT", mount, epoch=0),
        valid(
            "mount_full",
            "MOUNT",
            {
                **mount,
                "params": {"pk": 7},
                "request": WEB_REQUEST,
                "init": {"title": "Hi"},
                "view": VIEW,
                "identity": b"\xaa" * 32,
                "timeout": 2500,
            },
            epoch=0,
            flags=BROWSER | PAGE | UNADOPTED,
            ttl=5000,
        ),
        valid(
            "mount_nil_optionals",
            "MOUNT",
            {**mount, "request": None, "init": None, "view": None, "identity": None, "timeout": None},
        ),
        valid("mount_longest_path", "MOUNT", {**mount, "path": "p" * 255}, flags=HTML),
        valid(
            "mount_unknown_keys",
            "MOUNT",
            {"later": [1, {"x": b"y"}], **mount, "": None},
            flags=0xFFC0 | EMBED,
        ),
        valid("mount_32_keys", "MOUNT", {**mount, **{f"k{i}": i for i in range(30)}}),
        valid("join_none", "JOIN", {"generation": 0, "views": [], "request": {}}, epoch=0),
        valid(
            "join_two",
            "JOIN",
            {
                "generation": 4,
                "views": [join_view(), join_view(view=OTHER, init={"a": 1}, url="/todos/?page=2")],
                "request": WEB_REQUEST,
                "identity": b"\x01",
            },
        ),
        valid(
            "join_64_views",
            "JOIN",
            {"generation": U64, "request": {}, "views": [join_view(version=i) for i in range(64)]},
        ),
        valid(
            "join_nil_optionals",
            "JOIN",
            {"generation": 1, "views": [join_view(init=None, url=None)], "request": {}, "identity": None},
        ),
        valid("event_least", "EVENT", event, sequence=1),
        valid(
            "event_full",
            "EVENT",
            {**event, "params": EVERY_VALUE},
            flags=BROWSER,
            sequence=2**53 - 1,
            ttl=2**32 - 1,
        ),
        valid("event_longest_name", "EVENT", {**event, "name": "n" * 64}, flags=HTML),
        valid("event_zero_view", "EVENT", {**event, "view": bytes(16)}, session=b"\xff" * 16, epoch=U64),
        valid("event_depth_16", "EVENT", {**event, "params": nested(15)}),
        valid("event_many_params", "EVENT", {**event, "params": {f"p{i}": i for i in range(256)}}),
        valid("unmount", "UNMOUNT", {"view": VIEW}),
        valid("ping_broker", "PING", {}, session=bytes(16), epoch=0),
        valid("ping_session", "PING", {}),
        valid("shutdown", "SHUTDOWN", {}),
        valid("stats", "STATS", {}, session=bytes(16), epoch=0),
        valid("ack", "ACK", {"view": VIEW, "version": 2**53 - 1}),
        valid("leave", "LEAVE", {}),
        *refreshes(),
        *without_session(),
    ]


def without_session():
    """LOGOUT, EXITED and SESSIONS; and EVICT."""
    nobody = {"session": bytes(16), "epoch": 0}
    turn = {"session": VIEW, "sequence": 41, "view": "shop.Cart", "event": "add"}
    return [
        valid("logout", "LOGOUT", {"identity": b"\x5a" * 32}, **nobody),
        valid("logout_shortest", "LOGOUT", {"identity": b"\x00"}, **nobody),
        valid("exited", "EXITED", {"pid": 4711}, **nobody),
        valid("exited_most", "EXITED", {"pid": 2**31 - 1}, **nobody),
        valid("exited_running", "EXITED", {"pid": 7, "running": [turn, {**turn, "view": None}]}, **nobody),
        valid("exited_64_running", "EXITED", {"pid": 7, "running": [turn] * 64}, **nobody),
        valid("sessions", "SESSIONS", {}, **nobody),
        valid("sessions_nil", "SESSIONS", {"after": None, "worker": None}, **nobody),
        valid("sessions_after", "SESSIONS", {"after": b"\xff" * 16, "worker": "w" * 64}, **nobody),
        valid("evict", "EVICT", {}),
    ]


def refreshes():
    """REFRESH, in all its kinds."""
    return [
        valid("refresh", "REFRESH", {"view": OTHER}),
        valid("refresh_nil_optionals", "REFRESH", {"view": OTHER, "chunks": None, "whole": None}),
        valid("refresh_chunks", "REFRESH", {"view": VIEW, "chunks": ["abcdefgh", ""], "whole": False}),
        valid("refresh_256_chunks", "REFRESH", {"view": VIEW, "chunks": ["x" * 16] * 256}),
        valid("refresh_whole", "REFRESH", {"view": VIEW, "whole": True}),
    ]


EFFECTS = {"redirect": "/thanks/", "ticket": "t1", "login": {"user": "7", "backend": None, "session_key": "abc"}}


def mount_replies():
    """MOUNTED and JOINED. Keys stand in the order that our C encoders write, here and in replies()."""
    return [
        valid("mounted", "MOUNTED", {"view": VIEW, "version": 1, "last": 0, "html": "<p>Ä</p>".encode()}),
        valid(
            "mounted_at",
            "MOUNTED",
            {"view": VIEW, "version": 2**32, "last": 40, "at": 5, "html": b"<body></body>"},
        ),
        valid("mounted_empty_at_zero", "MOUNTED", {"view": VIEW, "version": 1, "last": 0, "at": 0, "html": b""}),
        valid(
            "mounted_session",
            "MOUNTED",
            {"view": VIEW, "version": 1, "last": 0, "effects": {"session": True}, "html": b"<p>"},
        ),
        valid(
            "mounted_login",
            "MOUNTED",
            {"view": VIEW, "version": 1, "last": 0, "effects": {"login": EFFECTS["login"]}, "html": b"<p>"},
        ),
        valid(
            "mounted_redirect",
            "MOUNTED",
            {"status": 302, "headers": [["Location", "/login/"], ["Set-Cookie", "a=b; Path=/"]], "body": b""},
        ),
        valid(
            "mounted_redirect_messages",
            "MOUNTED",
            {
                "status": 302,
                "headers": [["Location", "/login/"]],
                "body": b"",
                "effects": {"messages": {"used": False, "new": [[25, "saved", None]]}, "csrf": "secret"},
            },
        ),
        valid("mounted_not_found", "MOUNTED", {"status": 404, "headers": [], "body": b"<h1>Not Found</h1>"}),
        valid("joined_none", "JOINED", {"generation": 1, "last": 0, "fresh": True, "views": []}),
        valid(
            "joined_each_kind",
            "JOINED",
            {
                "generation": 5,
                "last": 40,
                "fresh": False,
                "views": [
                    {"view": VIEW, "version": 3, "number": 0, "chunks": ["abcdefgh", "ABCDEF_-"]},
                    {"view": VIEW, "version": 3, "number": 1, "chunks": [], "anew": True},
                    {"view": OTHER, "version": 1, "number": 2, "title": b'"Hi"', "html": b"<p></p>", "error": None},
                    {"view": OTHER, "version": 1, "number": 3, "effects": {"redirect": "/"}},
                    {
                        "view": SESSION,
                        "version": 0,
                        "error": {"kind": "forbidden", "message": "the user may not do that"},
                    },
                ],
            },
        ),
    ]


def replies_with_effects():
    """What a turn did beside its patch."""
    return [
        valid(
            "done_effects",
            "DONE",
            {"version": 13, "effects": EFFECTS, "frame": b'{"v":0,"s":13,"a":41,"redirect":"/thanks/","ticket":"t1"}'},
            flags=BROWSER,
        ),
        valid("done_redirect", "DONE", {"version": 13, "effects": {"redirect": "/thanks/"}}),
        valid(
            "failed_redirect",
            "FAILED",
            {"kind": "forbidden", "message": "the user may not do that", "effects": {"redirect": "/login/?next=/"}},
        ),
        valid(
            "push_redirect",
            "PUSH",
            {"frame": b'{"v":0,"s":14,"a":0,"redirect":"/over/"}', "effects": {"redirect": "/over/"}},
            sequence=0,
        ),
    ]


def replies():
    """The other valid messages to clients."""
    frames = [["views.py", 12, "increment", "self.count += by"], ["", 0, "", ""]]
    failed = {"kind": "python", "message": "Error in demo.views.Counter.increment(): no"}
    return replies_with_effects() + [
        valid("done_unchanged", "DONE", {"version": 12}),
        valid("done_frame", "DONE", {"version": 13, "frame": b'{"v":"10","s":13,"a":41}'}, flags=BROWSER),
        valid("done_html", "DONE", {"version": 13, "patch": b'{"0":{"h":"x"}}', "html": b"x"}, flags=REPEAT),
        valid("done_all", "DONE", {"version": U64, "frame": b"f", "patch": b"p", "html": b"h" * 300}),
        valid("done_nil_optionals", "DONE", {"version": 1, "frame": None, "patch": None, "html": None}),
        valid("failed_least", "FAILED", {**failed, "kind": "internal", "message": ""}),
        valid(
            "failed_full",
            "FAILED",
            {
                **failed,
                "type": "ValueError",
                "view_path": "demo.views.Counter",
                "event": "increment",
                "frames": frames,
            },
        ),
        valid(
            "failed_debug",
            "FAILED",
            {"kind": "template", "message": "no", "debug_page": bytes.fromhex("789c030000000001")},
        ),
        valid("not_executed", "NOT_EXECUTED", {"reason": "gap", "message": "the event's number does not follow"}),
        valid(
            "not_executed_busy",
            "NOT_EXECUTED",
            {"reason": "busy", "message": "too many requests are waiting", "retry_ms": 100},
            sent_by="broker",
        ),
        valid(
            "unknown",
            "UNKNOWN",
            {"reason": "worker_lost", "message": "the worker died in the middle"},
            sent_by="broker",
        ),
        valid("unmounted", "UNMOUNTED", {}),
        valid("pong", "PONG", {}, sent_by="broker", session=bytes(16), epoch=0),
        valid("ended", "ENDED", {"reason": "shutdown"}),
        valid("ended_unasked", "ENDED", {"reason": "worker_lost"}, sent_by="broker", sequence=0),
        valid(
            "figures",
            "FIGURES",
            {"figures": {"sessions": 12, "load": 0.25, "name": "w1", "workers": [{"pid": 7}]}},
            sent_by="broker",
            session=bytes(16),
            epoch=0,
        ),
        valid("listed_nothing", "LISTED", {"sessions": []}, sent_by="broker", session=bytes(16), epoch=0),
        valid(
            "listed",
            "LISTED",
            {
                "more": True,
                "sessions": [
                    {"session": VIEW, "state": "active", "worker": "worker-1.1"} | LISTED_REST,
                    {"session": OTHER, "state": "stored"} | LISTED_REST | {"attached": False, "epoch": 0, "pending": 0},
                ],
            },
            sent_by="broker",
            session=bytes(16),
            epoch=0,
        ),
        valid("working", "WORKING", {}, sequence=0),
        valid("working_event", "WORKING", {}, sent_by="broker"),
        valid("push", "PUSH", {"frame": b'{"v":"10","s":14,"a":0}'}, sequence=0),
        valid(
            "push_failed",
            "PUSH",
            {"frame": b"", "view": VIEW, "error": {"kind": "python", "message": "Error in handle_tick(): no"}},
            sequence=0,
        ),
    ]


def control():
    """Valid messages between worker and broker."""
    nobody = {"session": bytes(16), "epoch": 0}
    counts = ("sessions", "views", "queued", "running", "busy_ms", "turns")
    return [
        valid("register", "REGISTER", {"name": "w1", "pid": 4711, "threads": 4, "version": "0.1.0"}, **nobody),
        valid(
            "register_longest",
            "REGISTER",
            {"name": "w" * 64, "pid": 2**22, "threads": 32, "version": "v" * 32},
            **nobody,
        ),
        valid("welcome", "WELCOME", {"boot": U64, "heartbeat_ms": 1000}, **nobody),
        valid("welcome_snapshots", "WELCOME", {"boot": 7, "heartbeat_ms": 1000, "snapshots": True}, **nobody),
        valid("welcome_dead", "WELCOME", {"boot": 7, "heartbeat_ms": 100, "dead_ms": 900}, **nobody),
        valid("refused", "REFUSED", {"reason": "name_taken", "message": "a live worker has this name"}, **nobody),
        valid(
            "heartbeat_worker",
            "HEARTBEAT",
            {"sent": 2**40, **{key: i for i, key in enumerate(counts)}},
            **nobody,
        ),
        valid(
            "heartbeat_worker_parked",
            "HEARTBEAT",
            {"sent": 2**40, **dict.fromkeys(counts, 1), "parked": 300},
            **nobody,
        ),
        valid("heartbeat_worker_most", "HEARTBEAT", {"sent": U64, **dict.fromkeys(counts, U64)}, **nobody),
        valid("heartbeat_echo", "HEARTBEAT", {"sent": 2**40, "boot": 99}, sent_by="broker", **nobody),
        valid("goodbye", "GOODBYE", {"reason": "drain"}, **nobody),
        valid("released", "RELEASED", {"reason": "expired"}),
        valid("identify", "IDENTIFY", {"boot": 99}, **nobody),
        valid("restore", "RESTORE", {}),
        valid("drain", "DRAIN", {}, **nobody),
        valid("move", "MOVE", {}),
        valid("move_no_more", "MOVE", {}, **nobody),
        valid("moved", "MOVED", {}),
        valid("announce_nothing", "ANNOUNCE", {"sessions": [], "last": True}, **nobody),
        valid(
            "announce",
            "ANNOUNCE",
            {
                "sessions": [
                    {"session": SESSION, "epoch": EPOCH, "state": "attached", "client": b"django-1"},
                    {"session": OTHER, "epoch": EPOCH + 1, "state": "unadopted"},
                ]
            },
            **nobody,
        ),
        valid("disown", "DISOWN", {}),
        valid("keep", "KEEP", {}),
        valid("kept", "KEPT", {}),
    ]


def write(path, vectors):
    """One vector a line, so that a difference shows which one changed."""
    names = [vector["name"] for vector in vectors]
    assert len(set(names)) == len(names), "names repeat"
    lines = ",\n".join(json.dumps(vector, ensure_ascii=True) for vector in vectors)
    path.write_text(f"[\n{lines}\n]\n")


def main():
    """Writes the files into FOLDER (default: proto/vectors)."""
    default = pathlib.Path(__file__).resolve().parents[2] / "proto" / "vectors"
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default
    messages = requests() + mount_replies() + replies() + control()
    assert {vector["message"] for vector in messages} == set(TYPES), "a message without a vector"
    write(folder / "messages.json", messages)
    write(folder / "invalid.json", all_invalid())
    write(folder / "values.json", all_values())


if __name__ == "__main__":
    main()

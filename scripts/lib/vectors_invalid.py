"""The golden vectors that a receiver must refuse."""

import msgpack
from vectors_base import VIEW, header, header_bytes, invalid, join_view, nested


def invalid_headers():
    """Headers that are refused before anybody looks at the body."""
    ping = header_bytes(header("PING"))
    cut = [
        {
            "name": f"header_of_{size}_bytes",
            "message": "PING",
            "from": "client",
            "hex": ping[:size].hex(),
            "error": "malformed",
        }
        for size in (0, 1, 20, 39)
    ]
    return [
        *cut,
        invalid("version_0", "PING", {}, "version", version=0),
        invalid("version_2", "PING", {}, "version", version=2),
        invalid("version_before_type", "PING", {}, "version", version=255, type=0),
        *(
            invalid(f"type_{code:02x}", "PING", {}, "type", type=code)
            for code in (0x00, 0x1F, 0x20, 0x3F, 0x40, 0x5F, 0xFF)
        ),
        invalid("type_before_body", "PING", b"\xc1", "type", type=0x7F),
    ]


def invalid_shapes():
    """EVENT bodies that are no map of distinct string keys, or no msgpack."""
    view, name, params = b"\xa4view\xc4\x10" + VIEW, b"\xa4name\xa1x", b"\xa6params\x80"
    rest = name + params
    deep = msgpack.packb(nested(16))
    return [
        invalid("body_empty", "EVENT", b"", "malformed"),
        invalid("body_nil", "EVENT", b"\xc0", "malformed"),
        invalid("body_list", "EVENT", b"\x93" + VIEW[:3], "malformed"),
        invalid("body_reserved_byte", "EVENT", b"\xc1", "malformed"),
        invalid("body_cut", "EVENT", b"\x83" + view + name + params[:-1], "malformed"),
        invalid("body_trailing_byte", "EVENT", b"\x83" + view + rest + b"\xc0", "malformed"),
        invalid("body_two_values", "EVENT", b"\x83" + view + rest + b"\x80", "malformed"),
        invalid("map_count_too_high", "EVENT", b"\x84" + view + rest, "malformed"),
        invalid("map_count_too_low", "EVENT", b"\x82" + view + rest, "malformed"),
        invalid("map_count_of_4_billion", "EVENT", b"\xdf\xff\xff\xff\xff" + view + rest, "malformed"),
        invalid("bin_length_of_4_billion", "EVENT", b"\x83\xa4view\xc6\xff\xff\xff\xff" + VIEW + rest, "malformed"),
        invalid(
            "list_count_of_4_billion",
            "EVENT",
            b"\x84" + view + rest + b"\xa1l\xdd\xff\xff\xff\xff",
            "malformed",
        ),
        invalid(
            "ext_length_of_4_billion",
            "EVENT",
            b"\x84" + view + rest + b"\xa1e\xc9\xff\xff\xff\xff\x01",
            "malformed",
        ),
        invalid("key_repeated", "EVENT", b"\x84" + view + rest + name, "malformed"),
        invalid("key_repeated_unknown", "EVENT", b"\x85" + view + rest + b"\xa1z\x01\xa1z\x01", "malformed"),
        invalid("key_repeated_other_width", "EVENT", b"\x84" + view + rest + b"\xd9\x04name\xa1x", "malformed"),
        invalid("key_a_number", "EVENT", b"\x84" + view + rest + b"\x01\x01", "malformed"),
        invalid("key_bin", "EVENT", b"\x84" + view + rest + b"\xc4\x01z\x01", "malformed"),
        invalid("key_not_utf8", "EVENT", b"\x84" + view + rest + b"\xa1\xff\x01", "malformed"),
        invalid("depth_17", "EVENT", b"\x83" + view + name + b"\xa6params" + deep, "malformed"),
        invalid("depth_17_unknown_key", "EVENT", b"\x84" + view + rest + b"\xa1z" + deep, "malformed"),
    ]


def invalid_requests():
    """Bodies that parse and do not say what their message needs."""
    mount = {"path": "demo.views.Counter", "params": {}}
    event = {"view": VIEW, "name": "increment", "params": {}}
    join = {"generation": 1, "views": [join_view()], "request": {}}
    out = []

    def wrong(label, name, body, error="malformed"):
        out.append(invalid(label, name, body, error))

    for name, body in (("MOUNT", mount), ("EVENT", event), ("JOIN", join)):
        for key in body:
            wrong(f"{name.lower()}_without_{key}", name, {k: v for k, v in body.items() if k != key})
            wrong(f"{name.lower()}_nil_{key}", name, {**body, key: None})
            wrong(f"{name.lower()}_float_{key}", name, {**body, key: 1.5})
    for key in ("view", "version", "path", "params"):
        wrong(
            f"join_view_without_{key}",
            "JOIN",
            {**join, "views": [{k: v for k, v in join_view().items() if k != key}]},
        )
    wrong("join_view_not_a_map", "JOIN", {**join, "views": [join_view(), 7]})
    wrong("join_65_views", "JOIN", {**join, "views": [join_view()] * 65}, "too_large")
    wrong("join_generation_negative", "JOIN", {**join, "generation": -1})
    wrong("join_generation_bool", "JOIN", {**join, "generation": True})
    wrong("event_view_of_15_bytes", "EVENT", {**event, "view": VIEW[:15]})
    wrong("event_view_as_str", "EVENT", {**event, "view": "0123456789abcdef"})
    wrong("event_view_of_17_bytes", "EVENT", {**event, "view": VIEW + b"x"}, "too_large")
    wrong("event_name_of_65_bytes", "EVENT", {**event, "name": "n" * 65}, "too_large")
    wrong("event_name_as_bin", "EVENT", {**event, "name": b"increment"})
    for label, text in (
        ("overlong", b"\xc0\xaf"),
        ("surrogate", b"\xed\xa0\x80"),
        ("cut", b"a\xe2\x82"),
        ("beyond", b"\xf4\x90\x80\x80"),
        ("alone", b"\x80"),
    ):
        packed = b"\x83\xa4view\xc4\x10" + VIEW + b"\xa4name" + bytes([0xA0 | len(text)]) + text + b"\xa6params\x80"
        wrong(f"event_name_utf8_{label}", "EVENT", packed)
    wrong("event_params_list", "EVENT", {**event, "params": []})
    wrong("mount_path_of_256_bytes", "MOUNT", {**mount, "path": "p" * 256}, "too_large")
    wrong("mount_identity_of_33_bytes", "MOUNT", {**mount, "identity": b"i" * 33}, "too_large")
    wrong("mount_identity_as_str", "MOUNT", {**mount, "identity": "me"})
    wrong("mount_request_list", "MOUNT", {**mount, "request": [1]})
    wrong("mount_33_keys", "MOUNT", {**mount, **{f"k{i}": i for i in range(31)}}, "too_large")
    wrong("unmount_empty", "UNMOUNT", {})
    wrong("refresh_view_str", "REFRESH", {"view": "x" * 16})
    wrong("refresh_chunks_map", "REFRESH", {"view": VIEW, "chunks": {}})
    wrong("refresh_chunks_of_numbers", "REFRESH", {"view": VIEW, "chunks": ["a", 1]})
    wrong("refresh_chunk_not_utf8", "REFRESH", b"\x82\xa4view\xc4\x10" + VIEW + b"\xa6chunks\x91\xa1\xff")
    wrong("refresh_257_chunks", "REFRESH", {"view": VIEW, "chunks": ["a"] * 257}, "too_large")
    wrong("refresh_chunk_of_17_bytes", "REFRESH", {"view": VIEW, "chunks": ["h" * 17]}, "too_large")
    wrong("refresh_whole_number", "REFRESH", {"view": VIEW, "whole": 1})
    wrong("ack_without_version", "ACK", {"view": VIEW})
    wrong("ack_version_str", "ACK", {"view": VIEW, "version": "1"})
    wrong("logout_identity_empty", "LOGOUT", {"identity": b""})
    wrong("logout_identity_of_33_bytes", "LOGOUT", {"identity": b"x" * 33}, "too_large")
    wrong("exited_without_pid", "EXITED", {})
    wrong("exited_pid_zero", "EXITED", {"pid": 0})
    wrong("exited_pid_negative", "EXITED", {"pid": -1})
    wrong("sessions_after_of_15_bytes", "SESSIONS", {"after": b"x" * 15})
    wrong("sessions_after_empty", "SESSIONS", {"after": b""})
    wrong("sessions_after_of_17_bytes", "SESSIONS", {"after": b"x" * 17}, "too_large")
    wrong("sessions_after_str", "SESSIONS", {"after": "x" * 16})
    wrong("sessions_worker_of_65_bytes", "SESSIONS", {"worker": "w" * 65}, "too_large")
    wrong("exited_pid_of_32_bits", "EXITED", {"pid": 2**31}, "too_large")
    turn = {"session": VIEW, "sequence": 1, "view": "shop.Cart", "event": "add"}
    for label, running, error in (
        ("a_map", {}, "malformed"),
        ("of_numbers", [1], "malformed"),
        ("without_session", [{"sequence": 1}], "malformed"),
        ("of_65", [turn] * 65, "too_large"),
        ("view_of_256_bytes", [{**turn, "view": "v" * 256}], "too_large"),
        ("event_of_65_bytes", [turn, {**turn, "event": "e" * 65}], "too_large"),
    ):
        wrong(f"exited_running_{label}", "EXITED", {"pid": 1, "running": running}, error)
    return out


def invalid_control():
    """Bodies that a worker or the broker must refuse from the other."""
    register = {"name": "w1", "pid": 1, "threads": 4, "version": "0.1.0"}
    beat = {"sent": 1, "sessions": 0, "views": 0, "queued": 0, "running": 0, "busy_ms": 0, "turns": 0}
    out = []

    def wrong(label, name, body, error="malformed", sent_by=None):
        out.append(invalid(label, name, body, error, sent_by=sent_by, session=bytes(16), epoch=0))

    for key in register:
        wrong(f"register_without_{key}", "REGISTER", {k: v for k, v in register.items() if k != key})
    wrong("register_name_empty", "REGISTER", {**register, "name": ""})
    wrong("register_name_of_65_bytes", "REGISTER", {**register, "name": "w" * 65}, "too_large")
    wrong("register_pid_negative", "REGISTER", {**register, "pid": -4711})
    for key in beat:
        wrong(f"heartbeat_without_{key}", "HEARTBEAT", {k: v for k, v in beat.items() if k != key})
    wrong("heartbeat_echo_without_boot", "HEARTBEAT", {"sent": 1}, sent_by="broker")
    wrong("welcome_without_boot", "WELCOME", {"heartbeat_ms": 1000})
    wrong("refused_without_reason", "REFUSED", {"message": "no"})
    wrong("goodbye_reason_bin", "GOODBYE", {"reason": b"drain"})
    wrong("released_empty", "RELEASED", {})
    wrong("identify_boot_negative", "IDENTIFY", {"boot": -1})
    return out


def invalid_replies():
    """Replies whose required keys are missing or of another type."""
    out = []

    def wrong(label, name, body):
        out.append(invalid(label, name, body, "malformed"))

    wrong("mounted_empty", "MOUNTED", {})
    wrong("mounted_html_as_str", "MOUNTED", {"view": VIEW, "version": 1, "last": 0, "html": "<p>"})
    wrong("joined_without_views", "JOINED", {"generation": 1, "last": 0, "fresh": True})
    wrong("joined_without_fresh", "JOINED", {"generation": 1, "last": 0, "views": []})
    wrong("done_without_version", "DONE", {"frame": b"x"})
    wrong("done_version_negative", "DONE", {"version": -1})
    wrong("done_not_a_map", "DONE", b"\x91\x01")
    wrong("done_cut", "DONE", b"\x81\xa7versio")
    wrong("failed_without_kind", "FAILED", {"message": "m"})
    wrong("not_executed_without_reason", "NOT_EXECUTED", {"message": "m"})
    wrong("unknown_reason_number", "UNKNOWN", {"reason": 7, "message": "m"})
    wrong("ended_empty", "ENDED", {})
    wrong("figures_list", "FIGURES", {"figures": []})
    wrong("push_without_frame", "PUSH", {})
    row = {"session": VIEW, "state": "active", "attached": True, "epoch": 1, "pending": 0, "bytes": 0}
    wrong("listed_without_sessions", "LISTED", {"more": True})
    wrong("listed_of_numbers", "LISTED", {"sessions": [1]})
    wrong("listed_short_id", "LISTED", {"sessions": [{**row, "session": b"x"}]})
    for key in ("session", "state", "epoch", "pending", "bytes"):
        wrong(f"listed_without_{key}", "LISTED", {"sessions": [{k: v for k, v in row.items() if k != key}]})
    return out


def all_invalid():
    """Every entry of invalid.json."""
    return invalid_headers() + invalid_shapes() + invalid_requests() + invalid_control() + invalid_replies()

#!/usr/bin/env python3
"""Turns proto/vectors/*.json into the C arrays that tests/proto/golden.h declares.

Usage: vectors_c.py messages.json invalid.json OUT. Needs nothing but Python's standard library.
"""

import json
import sys


def literal(data):
    """Bytes as a C string literal; every byte escaped, so that no escape runs into the next."""
    return '"' + "".join(f"\\x{byte:02x}" for byte in data) + '"'


def node(kind, number=0, real=0.0, data=b""):
    """One initialiser of a `node`."""
    return f"{{NODE_{kind}, UINT64_C({number}), {real!r}, (const uint8_t *){literal(data)}, {len(data)}}}"


def nodes(value):
    """The value in preorder: a map is its count, then key, value, key, value."""
    if value is None:
        return [node("NIL")]
    if isinstance(value, bool):
        return [node("BOOL", number=int(value))]
    if isinstance(value, int):
        return [node("UINT", number=value) if value >= 0 else node("INT", number=value & (2**64 - 1))]
    if isinstance(value, float):
        return [node("FLOAT", real=value)]
    if isinstance(value, str):
        return [node("STR", data=value.encode())]
    if isinstance(value, list):
        return [node("LIST", number=len(value))] + [one for item in value for one in nodes(item)]
    if "hex" in value:
        data = bytes.fromhex(value["hex"])
        return [node("EXT", number=value["ext"], data=data) if "ext" in value else node("BIN", data=data)]
    return [node("MAP", number=len(value))] + [one for key, item in value.items() for one in nodes(key) + nodes(item)]


def vector(entry, index):
    """One initialiser of a `golden`."""
    frame = bytes.fromhex(entry["hex"])
    header, body = frame[:40], frame[40:]
    fields = entry.get("header")
    decoded = "{0}"
    if fields:
        session = ", ".join(str(byte) for byte in bytes.fromhex(fields["session"]))
        decoded = (
            f"{{{fields['version']}, {fields['type']}, {fields['flags']}, {{{{{session}}}}}, "
            f"UINT64_C({fields['epoch']}), UINT64_C({fields['sequence']}), {fields['ttl']}U}}"
        )
    error = {
        "malformed": "ERR_MALFORMED",
        "version": "ERR_VERSION",
        "type": "ERR_TYPE",
        "too_large": "ERR_TOO_LARGE",
    }
    body_nodes = f"s_nodes_{index}, sizeof s_nodes_{index} / sizeof *s_nodes_{index}" if fields else "NULL, 0"
    return (
        f"{{{json.dumps(entry['name'])}, MSG_{entry['message']}, {json.dumps(entry['from'])}, "
        f"(const uint8_t *){literal(header)}, {len(header)}, (const uint8_t *){literal(body)}, {len(body)}, "
        f"{decoded}, {body_nodes}, {error[entry['error']] if 'error' in entry else 'OK'}}},"
    )


def main():
    """Writes OUT."""
    messages_path, invalid_path, out_path = sys.argv[1:]
    with open(messages_path) as file:
        messages = json.load(file)
    with open(invalid_path) as file:
        wrong = json.load(file)
    with open(out_path, "w") as out:
        out.write('#include "tests/proto/golden.h"\n')
        for index, entry in enumerate(messages):
            lines = ",\n    ".join(nodes(entry["body"]))
            out.write(f"static const node s_nodes_{index}[] = {{\n    {lines}}};\n")
        for name, entries in (("messages", messages), ("invalid", wrong)):
            lines = "\n".join(vector(entry, index) for index, entry in enumerate(entries))
            out.write(f"const golden golden_{name}[] = {{\n{lines}\n}};\n")
            out.write(f"const size_t golden_{name}_count = {len(entries)};\n")


if __name__ == "__main__":
    main()

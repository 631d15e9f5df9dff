"""PROTOCOL.md against the code's tables: messages, flags, errors, limits and the session's states."""

import itertools
import re

import check_tree
import limits_table

SPEC = "proto/PROTOCOL.md"
SETTINGS = "python/troupe/conf.py"
DIRECTIONS = {"5.1": "REQUEST", "5.2": "REPLY", "5.3": "CONTROL"}
# A row of section 8: how it begins, and the constants of limits.def, or the settings, that its numbers are,
# in order. None: a number that follows from another.
LIMITS = {
    "body of a request": ("MAX_REQUEST_BODY",),
    "body of a reply": ("MAX_REPLY_BODY",),
    "message at a socket": ("MAX_FRONT_MESSAGE", "MAX_BACK_MESSAGE"),
    "routing id": ("MAX_ROUTING_ID",),
    "keys in a body; nesting": ("MAX_KEYS", "MAX_DEPTH"),
    "view path": ("MAX_VIEW_PATH",),
    "event name": ("MAX_EVENT_NAME",),
    "worker name": ("MAX_WORKER_NAME",),
    "parameters of an event or mount": ("MAX_PARAM_COUNT", "MAX_REQUEST_BODY", "MAX_BROWSER_FRAME"),
    "views in a session": ("MAX_VIEWS",),
    "views in a JOIN": ("MAX_VIEWS",),
    "chunks in a REFRESH": ("MAX_CHUNKS_ASKED", "MAX_CHUNK_HASH"),
    "turns in an EXITED": ("MAX_RUNNING",),
    "identity": ("MAX_IDENTITY",),
    "waiting requests of one session": ("MAX_MAILBOX", "MAX_MAILBOX_BETWEEN"),
    "replies kept for repeats": ("MAX_REPLIES_KEPT", "MAX_REPLY_KEPT"),
    "versions that a page did not acknowledge": ("MAX_UNACKED",),
    "unadopted sessions of a worker": ("MAX_UNADOPTED",),
    "detached sessions of a worker in which no event was executed": ("MAX_UNUSED",),
    "the same in the store": ("MAX_STORED_UNUSED", "MAX_STORED_PASSIVE"),
    "snapshot of a session": ("MAX_SNAPSHOT",),
    "sessions in an ANNOUNCE": ("MAX_ANNOUNCED",),
    "sessions in a LISTED": ("MAX_LISTED",),
    "parked requests of sessions that move": ("MAX_MAILBOX", "MAX_PARKED"),
    "buffered while a snapshot is missing (section 5.5)": ("MAX_GAP_BUFFER_PUSHES", "MAX_GAP_BUFFER"),
    "requests in flight to a worker": ("WORKER_CREDIT", "LEAST_CREDIT"),
    "bytes of all requests in flight": ("MAX_IN_FLIGHT",),
    "sessions of a worker": ("WORKER_SESSIONS",),
    "events of a page": ("EVENT_RATE", "EVENT_BURST"),
    "frames of a page that wait for its join": ("MAX_HELD_FRAMES", "MAX_HELD_BYTES"),
    "frames that wait for a browser to read": ("MAX_UNSENT_MESSAGES", "MAX_UNSENT_BYTES"),
    "events of an address": ("ADDRESS_RATE", "ADDRESS_SOCKETS", "ADDRESS_OPEN_SOCKETS"),
    "joins of a socket": ("JOIN_RATE", "JOIN_BURST", "ADDRESS_JOINS", None),
    "sessions of a page load in place of one that is spent": ("TOKEN_SESSIONS", "TOKEN_SECONDS"),
}
# What the text says in passing: a pattern with the number, what one of it is, and the constant.
SENTENCES = (
    (r"the receiver's default \(([\d,]+)\)", 1, "DEFAULT_TTL_MS"),
    (r"A worker silent for (\d+) s is dead", 1000, "WORKER_DEAD_MS"),
    (r"takes one silent for (\d+) s for dead", 1000, "CLIENT_DEAD_MS"),
    (r"MAY ignore up to (\d+) of them", 1, "MAX_SNAPSHOT_FRAMES"),
    (r"A session is at most (\d+) MiB", 1 << 20, "MAX_SNAPSHOT"),
    (r"A view that is (\d+) versions ahead", 1, "MAX_UNACKED"),
    (r"Between two pushes of a view are at least (\d+) ms", 1, "PUSH_PACE_MS"),
    (r"whose page says nothing for (\d+) s", 1000, "PUSH_AGAIN_MS"),
)
UNITS = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20}


def sections(document):
    """{"5.1": its text, …}: from each numbered heading to the next one of any depth."""
    parts = re.split(r"^#+ (\d+(?:\.\d+)?)\.? .*$", document, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def rows(text):
    """The cells of each table row in the text, stripped; head and rule included."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]


def differences(noun, specified, coded, where):
    """Lines for each key in which two dicts differ."""
    return [
        f"{noun} {key}: {SPEC} says {specified.get(key, 'nothing')}, {where} {coded.get(key, 'nothing')}"
        for key in sorted(set(specified) | set(coded))
        if specified.get(key) != coded.get(key)
    ]


def check_messages(parts, root):
    """Sections 5.1 to 5.3 against message.def."""
    listed = {}
    for section, direction in DIRECTIONS.items():
        for cells in rows(parts.get(section, "")):
            if re.fullmatch(r"0x[0-9A-F]{2}", cells[0]):
                listed[cells[1]] = f"{cells[0]} {direction}"
    source = check_tree.text(root, "proto/message.def")
    found = re.findall(r"^MESSAGE\((\w+), (0x[0-9A-F]{2}), (\w+)\)", source, re.MULTILINE)
    return differences(
        "message", listed, {name: f"{code} {where}" for name, code, where in found}, "message.def"
    )


def check_flags(parts, root):
    """Section 4 against the FLAG_ constants of message.h."""
    listed_flags = re.findall(r"^ +(0x\w{4}) +([A-Z]+)\b", parts.get("4", ""), re.MULTILINE)
    listed = {name: int(bits, 16) for bits, name in listed_flags}
    found = re.findall(r"\bFLAG_(\w+) = (0x\w+)", check_tree.text(root, "proto/message.h"))
    return differences("flag", listed, {name: int(bits, 16) for name, bits in found}, "message.h")


def listed(text, opening):
    """The words in backquotes from opening to the end of its sentence, those in parentheses left out."""
    _, found, rest = text.partition(opening)
    sentence = re.sub(r"\([^()]*\)", "", re.sub(r"`\w+\(\)`", "", rest)).split(".")[0] if found else ""
    return re.findall(r"`(\w+)`", sentence)


def check_errors(parts, root):
    """Section 7 against errors.def: reasons, kinds, and what cannot be told."""
    text = parts.get("7", "")
    listed_reasons = {cells[0].strip("`"): "NOT_EXECUTED" for cells in rows(text) if cells[0].startswith("`")}
    listed_reasons.update(dict.fromkeys(listed(text, "Its kinds: "), "FAILED"))
    listed_reasons.update(dict.fromkeys(listed(text, "**UNKNOWN** says that it cannot be told: "), "UNKNOWN"))
    source = check_tree.text(root, "common/errors.def")
    found = re.findall(r'^ERROR\(\w+, "(\w+)", (\w+),', source, re.MULTILINE)
    return differences(
        "error", listed_reasons, {word: outcome for word, outcome in found if outcome != "LOCAL"}, "errors.def"
    )


def constants(root):
    """{name: value} of limits.def, and of the settings whose defaults are whole numbers."""
    found = re.findall(r'^    "(\w+)": _number\((\d+),', check_tree.text(root, SETTINGS), re.MULTILINE)
    return {name: int(value) for name, value in found} | limits_table.values(
        check_tree.text(root, limits_table.SOURCE)
    )


def numbers(cell):
    """The numbers in a cell of section 8, in bytes where it says KiB or MiB."""
    found = re.findall(r"(?<![\w.])(\d[\d,]*)(?: (KiB|MiB))?", cell)
    return [int(digits.replace(",", "")) * UNITS[unit] for digits, unit in found]


def check_limits(parts, root, document):
    """Section 8, and the numbers in the text, against limits.def and the settings."""
    values = constants(root)
    problems, seen = [], set()

    def compare(name, listed, where):
        if name and values.get(name) != listed:
            problems.append(f"limit {name}: {where} says {listed}, the table {values.get(name, 'nothing')}")

    for cells in rows(parts.get("8", ""))[2:]:
        row = next((start for start in LIMITS if cells[0].startswith(start)), None)
        if row is None:
            problems.append(f"limit '{cells[0]}': a row that check_spec.py does not know")
            continue
        seen.add(row)
        listed_limits = numbers(cells[1])
        if len(listed_limits) != len(LIMITS[row]):
            problems.append(
                f"limit '{row}': {len(listed_limits)} numbers in '{cells[1]}', {len(LIMITS[row])} expected"
            )
            continue
        for name, number in zip(LIMITS[row], listed_limits, strict=True):
            compare(name, number, f"'{row}'")
    problems += [f"limit '{row}': not in section 8" for row in LIMITS if row not in seen]
    for pattern, unit, name in SENTENCES:
        match = re.search(pattern.replace(" ", r"\s+"), document)
        if match:
            compare(name, int(match[1].replace(",", "")) * unit, f"'{match[0]}'")
        else:
            problems.append(f"limit {name}: {SPEC} no longer says '{pattern}'")
    return problems


def check_session(document, root):
    """session.def: each state with each input, just once; and the table of PROTOCOL.md, if it has one."""
    path = root / "proto/session.def"
    if not path.exists():
        return []
    source = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    named = {
        kind: re.findall(rf"^{kind}\((\w+)", source, re.MULTILINE)
        for kind in ("STATE", "INPUT", "ACTION")
    }
    found = re.findall(r"^T\((\w+), (\w+), (\w+), (\w+)\)", source, re.MULTILINE)
    problems = []
    pairs = [(state, input_) for state, input_, _, _ in found]
    for pair in itertools.product(named["STATE"], named["INPUT"]):
        if pairs.count(pair) != 1:
            problems.append(f"session.def: {pair[0]} with {pair[1]} stands there {pairs.count(pair)} times")
    for state, input_, following, action in found:
        for kind, word in (
            ("STATE", state),
            ("INPUT", input_),
            ("STATE", following),
            ("ACTION", action),
        ):
            if word not in named[kind]:
                problems.append(f"session.def: T({state}, {input_}, …) names no {kind}: {word}")
    tables = [cells for cells in rows(document) if len(cells) == 4]
    if ["state", "input", "next", "action"] in tables:
        listed = {
            f"{cells[0]} {cells[1]}": f"{cells[2]} {cells[3]}"
            for cells in tables
            if cells[0] in named["STATE"]
        }
        coded = {
            f"{state} {input_}": f"{following} {action}" for state, input_, following, action in found
        }
        problems += differences("session", listed, coded, "session.def")
    return problems


def check(root):
    """Returns the problems as lines."""
    document = check_tree.text(root, SPEC)
    parts = sections(document)
    return (
        check_messages(parts, root)
        + check_flags(parts, root)
        + check_errors(parts, root)
        + limits_table.check(root)
        + check_limits(parts, root, document)
        + check_session(document, root)
    )

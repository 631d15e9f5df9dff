"""Values in log lines. A record is one line of key=value pairs, and readers must be able to rely on that: what comes
from outside (a browser, a header, a token, an exception's text, a worker's reply) is quoted here.

Pure. Any thread.
"""

import re

MAX_QUOTED = 500  # characters of a value, before they are escaped

_WORD = re.compile(r"[\w.:/<>+@-]+", re.ASCII)
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def quoted(value: object, limit: int = MAX_QUOTED) -> str:
    """A value's text as "…": on one line, of printable characters only, cut to `limit` characters."""
    text = value if isinstance(value, str) else _text(value)
    cut = text[: limit - 1] + "…" if len(text) > limit else text
    if not cut.isprintable() or '"' in cut or "\\" in cut:
        cut = "".join(_escaped(character) for character in cut)
    return f'"{cut}"'


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception as error:  # exceptions of user code may have a __str__ that raises
        return f"<{type(value).__name__}: its text raised {type(error).__name__}>"


def _escaped(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    if character.isprintable():
        return character
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def word(value: object, limit: int = MAX_QUOTED) -> str:
    """A value that should be one word (a name, a path, an address): bare if it is one, otherwise quoted."""
    text = value if isinstance(value, str) else _text(value)
    return text if len(text) <= limit and _WORD.fullmatch(text) else quoted(text, limit)

"""Gives forms whose events the page's script sends a method, for the time before the script is there.

Without one a browser would put what was typed, passwords too, into the address. Posted to the page, nothing is done
with it (page.respond). Pure; works on the page's first HTML, whose forms the script takes over.
"""

import re

# What may hold "<form" and is none, to its end; and a form's open tag.
_TAGS = re.compile(
    rb"""<!--.*?(?:-->|\Z) | <(script|style|textarea|title)\b.*?(?:</\1|\Z)
    | <form(?=[\s/>])(?P<attributes>(?:[^>"']|"[^"]*"|'[^']*')*)>""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_ATTRIBUTE = re.compile(rb"""([^\s=>"'/]+)(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>]*))?""")
_BUTTON = re.compile(rb"""<(?:button|input)\s(?:[^>"']|"[^"]*"|'[^']*')*?\bdj-click""", re.IGNORECASE)


def with_methods(html: bytes) -> bytes:
    """The HTML with method="post" in each form that has none, and either dj-submit or a button with dj-click."""
    if b"dj-submit" not in html and (b"dj-click" not in html or b"<form" not in html):
        return html
    return _TAGS.sub(lambda match: _with_method(match, html), html)


def _with_method(match: re.Match[bytes], html: bytes) -> bytes:
    attributes = match["attributes"]
    if attributes is None:
        return match[0]
    names = {name.lower() for name in _ATTRIBUTE.findall(attributes)}
    if b"method" in names or not (b"dj-submit" in names or _has_button(html, match.end())):
        return match[0]
    return match[0][:5] + b' method="post"' + match[0][5:]


def _has_button(html: bytes, start: int) -> bool:
    """Whether a button with dj-click stands in the form that begins at `start`."""
    end = html.find(b"</form", start)
    return _BUTTON.search(html, start, len(html) if end < 0 else end) is not None

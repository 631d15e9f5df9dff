"""The dj-* attributes of a live view's markup: those that mean something, and what to do in place of others."""

import difflib
import re

HANDLERS = frozenset(("dj-click", "dj-submit", "dj-input", "dj-change", "dj-keydown", "dj-focus", "dj-blur"))
OTHERS = frozenset(
    (
        "dj-root", "dj-key", "dj-ignore", "dj-update", "dj-confirm", "dj-debounce", "dj-throttle", "dj-value",
        "dj-view",
    )
)  # fmt: skip
KNOWN = HANDLERS | OTHERS
PREFIXES = ("dj-value-",)
TIMED = ("dj-debounce", "dj-throttle")
_PAUSE = re.compile(r"\s*\+?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*", re.ASCII | re.IGNORECASE)

_LATER = "It has no counterpart yet."
# Attributes of djust that mean nothing here, by their longest known beginning: what to do.
INSTEAD = {
    "dj-model": "Use dj-input with a handler that stores `value`.",
    "dj-loading": "Style the class dj-loading, which an element has while its event is unanswered.",
    "dj-disable-with": "Style the class dj-loading; a form is not sent again before its answer is there.",
    "dj-lock": "Style the class dj-loading.",
    "dj-keyup": "Use dj-keydown.",
    "dj-poll": "Set tick_interval on the view, and define handle_tick().",
    "dj-mounted": "Do it in the view's mount().",
    "dj-patch": "Use an ordinary link.",
    "dj-navigate": "Use an ordinary link.",
    "dj-prefetch": "Use an ordinary link.",
    "dj-target": "Leave it out: only what changed is sent anyway.",
    "dj-stream": "Use an ordinary {% for %} with dj-key on its rows: only rows that changed are sent.",
    "dj-copy": "Use a script of your own.",
    "dj-upload": "Use an ordinary form with enctype=multipart/form-data, and a view function.",
    "dj-hook": "Use a custom element, or a script of your own on an element with dj-ignore.",
    "dj-params": "Use dj-value-NAME.",
    **dict.fromkeys(
        (
            "dj-window-", "dj-document-", "dj-click-away", "dj-shortcut", "dj-mouseenter", "dj-mouseleave", "dj-paste",
            "dj-cloak", "dj-scroll-into-view", "dj-sticky-", "dj-auto-recover", "dj-no-recover", "dj-force-value",
            "dj-dialog", "dj-no-submit", "dj-trigger-action", "dj-form-pending", "dj-track-static", "dj-viewport-",
            "dj-virtual", "dj-transition", "dj-remove", "dj-group-", "dj-flip", "dj-view-transitions", "dj-mutation",
            "dj-lazy", "dj-offline-", "dj-optimistic", "dj-preset", "dj-audio", "dj-dropdown", "dj-accordion",
            "dj-modal",
        ),
        _LATER,
    ),
}  # fmt: skip

# Of dj-value-x:TYPE.
TYPES = ("int", "integer", "float", "bool", "boolean", "number", "json", "object", "list", "array")

# Of dj-keydown.KEY: event.key in lower case, and what others call some of them.
KEYS = frozenset(
    (
        "enter", "escape", "tab", "space", "backspace", "delete", "insert", "home", "end", "pageup", "pagedown",
        "arrowup", "arrowdown", "arrowleft", "arrowright", "up", "down", "left", "right", "shift", "control", "alt",
        "meta", "capslock", "contextmenu", "pause", "printscreen", *(f"f{number}" for number in range(1, 25)),
    )
)  # fmt: skip
KEY_INSTEAD = {
    "esc": "escape", "return": "enter", "ctrl": "control", "del": "delete", "spacebar": "space", "cmd": "meta",
    "command": "meta", "win": "meta", "option": "alt", "page-up": "pageup", "page-down": "pagedown",
    "arrow-up": "arrowup", "arrow-down": "arrowdown", "arrow-left": "arrowleft", "arrow-right": "arrowright",
    "comma": ",", "dot": ".", "period": ".", "slash": "/", "plus": "+", "minus": "-",
}  # fmt: skip


def base_name(attribute: str) -> str:
    """The name without modifiers: dj-keydown of dj-keydown.enter, dj-value-id of dj-value-id:int."""
    return attribute.partition(".")[0].partition(":")[0]


def trouble(attribute: str) -> str | None:
    """What is wrong with an attribute that begins with dj-, and what to do. None: it means something."""
    name = base_name(attribute)
    if name in KNOWN or name.startswith(PREFIXES):
        return _modifier_trouble(name, attribute.removeprefix(name))
    starts = [start for start in INSTEAD if name.startswith(start)]
    near = difflib.get_close_matches(name, sorted(KNOWN), 1, 0.75)
    if near and not starts:
        return f"{attribute} means nothing here: did you mean {near[0]}?"
    advice = INSTEAD[max(starts, key=len)] if starts else f"The attributes are {', '.join(sorted(KNOWN))}."
    return f"{attribute} means nothing here. {advice}"


def value_trouble(attribute: str, value: str) -> str | None:
    """What is wrong with the value of an attribute that means something and is no handler's. None: nothing."""
    if attribute in TIMED and not _PAUSE.fullmatch(value) and (attribute, value) != ("dj-debounce", "blur"):
        return f'{attribute}="{value}" is not a number of milliseconds, and has no effect'
    if attribute == "dj-update" and value != "ignore":
        return f'dj-update="{value}" means nothing here. Only dj-update="ignore" does; rows with dj-key need nothing.'
    return None


def _modifier_trouble(name: str, modifier: str) -> str | None:
    """The same of what stands behind a name: the .enter of dj-keydown.enter, the :int of dj-value-id:int."""
    mark, word = modifier[:1], modifier[1:]
    what = f"{name}{modifier} means nothing here"
    if not mark or (mark == "." and name.startswith("dj-value")):
        return None
    if mark == ":" and name.startswith("dj-value"):
        return None if word in TYPES else f"{what}: the types are {', '.join(TYPES)}."
    if name != "dj-keydown" or mark != ".":
        return f"{what}: {name} takes no modifiers."
    if word in KEYS or len(word) == 1:
        return None
    if "." in word or "+" in word:
        return f"{what}: a key is named alone, without modifiers."
    near = KEY_INSTEAD.get(word) or next(iter(difflib.get_close_matches(word, sorted(KEYS), 1, 0.75)), None)
    return f"{what}: did you mean {name}.{near}?" if near else None

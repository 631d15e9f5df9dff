"""Random templates whose markup is nearly right: for tests that plans are right whatever stands in a template."""

_NAMES = (
    "div p b i a ul ol li table tbody thead tr td th select option optgroup svg g circle foreignObject h1 h2 form "
    "button span pre textarea script style dl dt dd template caption colgroup col br input hr title math mi ruby rt "
    "rb rp rtc main section nobr iframe"
).split()
_SENSIBLE = {
    "table": ("tbody", "thead", "tr", "caption"), "tbody": ("tr",), "thead": ("tr",), "tr": ("td", "th"),
    "ul": ("li",), "ol": ("li",), "select": ("option", "optgroup", "hr"), "optgroup": ("option",), "dl": ("dt", "dd"),
    "svg": ("g", "circle", "foreignObject"), "colgroup": ("col",), "math": ("mi",), "ruby": ("rt", "rp", "rb", "rtc"),
    "rtc": ("rt", "rp"),
}  # fmt: skip
_TEXTLESS = {"table", "tbody", "thead", "tr", "colgroup"}
_ATTRIBUTES = (
    "", "", "", ' class="{{ a }}"', " {% if a %}x{% endif %}", " id={{ a }}", " z=1/", ' y="q {% if b %}q{% endif %}"',
    "{% if a %} z{% endif %}", " title='{{ b }}' lang=\"{{ a }}\"",
)  # fmt: skip
_TEXTS = (
    "{{ a }}",
    "text",
    " ",
    "\n",
    "{{ b }}",
    "<!-- x -->",
    "&amp;",
    "{{ a }} {{ b }}",
    "{% if b %}, {{ b }}{% endif %}",
)
DATA = ({"a": 1, "b": 0, "xs": [1, 2]}, {"a": "", "b": "B", "xs": []}, {"a": "<", "b": 1, "xs": [1]})


def make(random, odd=0.05, inside="div", depth=0):
    """A template. odd: how often something stands where it should not."""
    return "".join(_piece(random, odd, inside, depth) for _ in range(random.randrange(1, 5 if depth else 7)))


def _piece(random, odd, inside, depth):
    choice = random.random()
    strange = random.random() < odd
    name = random.choice(_NAMES if strange or inside not in _SENSIBLE else _SENSIBLE[inside])
    start = f"<{name}{random.choice(_ATTRIBUTES)}>"
    if strange and choice < 0.5:
        return start if choice < 0.25 else f"</{name}>"
    if depth > 4 or choice < 0.35:
        return random.choice(_TEXTS) if strange or inside not in _TEXTLESS else " "
    if choice < 0.7:
        return f"{start}{make(random, odd, name, depth + 1)}</{name}>"
    first, second = (make(random, odd, inside, depth + 1) for _ in range(2))
    if choice < 0.8:
        return f"{{% if a %}}{first}{{% endif %}}"
    if choice < 0.87:
        return f"{{% if b %}}{first}{{% else %}}{second}{{% endif %}}"
    if choice < 0.95:
        return f"{{% for x in xs %}}{first}{{% endfor %}}"
    return f"{{% with c=a %}}{first}{{% endwith %}}"

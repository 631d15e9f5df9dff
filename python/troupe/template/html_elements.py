"""Names of elements and attributes by what an HTML parser does with them. Data from the HTML standard."""

_ASCII_LOWER = str.maketrans({chr(c): chr(c + 32) for c in range(ord("A"), ord("Z") + 1)})


def ascii_lower(name: str) -> str:
    """A name in lower case as HTML does it: ASCII only."""
    return name.translate(_ASCII_LOWER)


HTML, SVG, MATH = "html", "svg", "math"

VOID = frozenset("area base br col embed hr img input link meta param source track wbr keygen basefont bgsound".split())
RAW = frozenset("textarea title style script iframe noembed noframes xmp noscript".split())
SLOT_RAW = frozenset("textarea title style script noscript".split())  # their text can be a slot
SECTIONS = frozenset(("tbody", "thead", "tfoot"))
CELLS = frozenset(("td", "th"))
HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
TABLEISH = frozenset(("table", "tbody", "thead", "tfoot", "tr", "colgroup"))
FORMATTING = frozenset("a b big code em font i nobr s small strike strong tt u".split())
# What an end tag around it closes without a word.
IMPLIED = frozenset("dd dt li optgroup option p rb rp rt rtc tbody thead tfoot tr td th colgroup caption".split())
# What a part of a <ruby> closes: not the <rtc> that an <rt> or an <rp> may stand in.
RUBY_IMPLIED = frozenset("dd dt li optgroup option p rb rp rt".split())
RUBY_PARTS = {"rb": RUBY_IMPLIED | {"rtc"}, "rtc": RUBY_IMPLIED | {"rtc"}, "rp": RUBY_IMPLIED, "rt": RUBY_IMPLIED}
TABLE_PARTS = frozenset("caption col colgroup tbody td tfoot th thead tr".split())
P_CLOSERS = HEADINGS | frozenset(
    "address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer header "
    "hgroup main menu nav ol p search section summary ul pre listing form table hr xmp li dd dt plaintext".split()
)
# End tags that close whatever is open inside; others give up at the first element of SPECIAL.
STRONG_ENDS = HEADINGS | frozenset(
    "address applet article aside blockquote button center dd details dialog dir div dl dt fieldset figcaption figure "
    "footer form header hgroup li listing main marquee menu nav object ol p pre search section select summary table "
    "tbody td template tfoot th thead tr ul caption colgroup".split()
)
SPECIAL = HEADINGS | frozenset(
    "address applet area article aside base basefont bgsound blockquote body br button caption center col "
    "colgroup dd details dir div dl dt embed fieldset figcaption figure footer form frame frameset head header "
    "hgroup hr html iframe img input keygen li link listing main marquee menu meta nav noembed noframes noscript "
    "object ol p param plaintext pre script search section select source style summary table tbody td template "
    "textarea tfoot th thead title tr track ul wbr xmp".split()
)
# What hides the elements around it from what looks for one. svg and math stand for their <desc>, <mi> and the like.
SCOPE = frozenset("applet caption html table td th marquee object template select svg math".split())
BUTTON_SCOPE = SCOPE | {"button"}
TABLE_SCOPE = frozenset(("table", "template", "html"))
MARKERS = frozenset(("applet", "object", "marquee", "template", "td", "th", "caption"))
BREAKOUT = HEADINGS | frozenset(
    "b big blockquote body br center code dd div dl dt em embed font head hr i img li listing menu meta nobr ol p "
    "pre ruby s small span strong strike sub sup table tt u ul var".split()
)
NEVER = {
    "html": "a second <html>", "head": "a second <head>", "body": "a second <body>", "frameset": "<frameset>",
    "frame": "<frame>", "plaintext": "<plaintext>",
}  # fmt: skip
TEXT_POINTS = frozenset(("mi", "mo", "mn", "ms", "mtext"))
SVG_POINTS = frozenset(("foreignObject", "desc", "title"))
SVG_NAMES = {
    ascii_lower(name): name
    for name in (
        "altGlyph altGlyphDef altGlyphItem animateColor animateMotion animateTransform clipPath feBlend "
        "feColorMatrix feComponentTransfer feComposite feConvolveMatrix feDiffuseLighting feDisplacementMap "
        "feDistantLight feDropShadow feFlood feFuncA feFuncB feFuncG feFuncR feGaussianBlur feImage feMerge "
        "feMergeNode feMorphology feOffset fePointLight feSpecularLighting feSpotLight feTile feTurbulence "
        "foreignObject glyphRef linearGradient radialGradient textPath"
    ).split()
}
SVG_ATTRIBUTES = {
    ascii_lower(name): name
    for name in (
        "attributeName attributeType baseFrequency baseProfile calcMode clipPathUnits diffuseConstant edgeMode "
        "filterUnits glyphRef gradientTransform gradientUnits kernelMatrix kernelUnitLength keyPoints keySplines "
        "keyTimes lengthAdjust limitingConeAngle markerHeight markerUnits markerWidth maskContentUnits maskUnits "
        "numOctaves pathLength patternContentUnits patternTransform patternUnits pointsAtX pointsAtY pointsAtZ "
        "preserveAlpha preserveAspectRatio primitiveUnits refX refY repeatCount repeatDur requiredExtensions "
        "requiredFeatures specularConstant specularExponent spreadMethod startOffset stdDeviation stitchTiles "
        "surfaceScale systemLanguage tableValues targetX targetY textLength viewBox viewTarget xChannelSelector "
        "yChannelSelector zoomAndPan"
    ).split()
}

# Start tags before which the parser makes no <body>, and end tags for which it does make one.
HEAD_STARTS = frozenset(
    "html head base basefont bgsound link meta title noscript noframes script style template".split()
)
HEAD_ENDS = frozenset(("body", "html", "br"))

# Flags of a leaf: worker/page/html/place.h, PLACE_*.
PRE, FOREIGN, QUOTE_SINGLE, KNOWN = 1, 2, 4, 1 << 8
QUIET = 1 << 30  # a leaf whose value is made once, but not what else it does: evaluated, never compared or patched
EDGE = 1 << 29  # a leaf of text with an anchor behind it, which must not part a CR from its LF
IN_P, IN_LI, IN_DD, IN_HEADING, IN_A, IN_BUTTON, IN_FORM = (1 << bit for bit in range(9, 16))
IN_TABLE, IN_ROWS, IN_ROW, IN_COLGROUP, IN_SELECT, IN_OPTION, TEXT_ONLY = (1 << bit for bit in range(16, 23))
NOSCRIPT = 1 << 23
PARENTS = {
    "table": IN_TABLE, "tbody": IN_ROWS, "thead": IN_ROWS, "tfoot": IN_ROWS, "tr": IN_ROW,
    "colgroup": IN_COLGROUP, "select": IN_SELECT, "optgroup": IN_SELECT, "option": IN_OPTION,
    "template": TEXT_ONLY, "noscript": TEXT_ONLY, "frameset": TEXT_ONLY, "ruby": TEXT_ONLY,
    **dict.fromkeys(HEADINGS, IN_HEADING),
}  # fmt: skip

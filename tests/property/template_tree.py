"""A template as a tree that can be cut down: a piece is a text, or a tuple of texts and lists of pieces in turns.

("{% if a %}", ["x"], "{% else %}", [], "{% endif %}") stands for {% if a %}x{% else %}{% endif %}.
"""


def source(piece):
    """The template's text."""
    if isinstance(piece, str):
        return piece
    return "".join(source(part) for part in piece)


def lists(piece):
    """Every list of pieces inside of a piece, the outer ones first."""
    if isinstance(piece, str):
        return
    if type(piece) is list:
        yield piece
    for part in piece:
        yield from lists(part)


def without_alternatives(piece):
    """The shorter forms of a tuple: without what stands between two inner tags ({% else %}, {% empty %})."""
    for at in range(2, len(piece) - 1, 2):
        if piece[at].startswith("{% e"):
            yield piece[:at] + piece[at + 2 :]


IGNORED = '<div dj-update="ignore">'


def without_ignored(piece):
    """The piece, with nothing in the elements that another script looks after."""
    if isinstance(piece, str):
        return piece
    if piece and piece[0] == IGNORED:
        return (IGNORED, [], piece[-1])
    return type(piece)(without_ignored(part) for part in piece)

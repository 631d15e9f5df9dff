"""Names in C: locals and parameters are named by what they are, and a folder's static functions by different names."""

import re

import check_tree

# Prepositions and fillers. `at`, `from`, `in`, `into` and `out` may stay: they name positions, the ends of a range, and
# what something is read from or written to.
FILLERS = ("of", "to", "on", "by", "for_", "with", "upon", "one", "said", "gone", "what", "whose", "such", "his", "its")

PROGRAMS = ("tests", "bench")  # where each file is a program of its own, and may have helpers of the same name

TEXT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
AGGREGATE = re.compile(r"\b(?:struct|union|enum)\b[^;{}()=]*\{")
# A type, which no statement's keyword is, perhaps stars, and the name: `child *of = …`, `size_t of,`, `for (char *of;`.
NO_TYPE = "return|goto|case|else|do|in|sizeof|typedef"
DECLARED = re.compile(rf"\b(?!(?:{NO_TYPE})\b)[A-Za-z_]\w*\s+\**(?:const\s+)?({'|'.join(FILLERS)})\b\s*(?=[;,=)\[])")
FUNCTION = re.compile(r"^(s_\w+)\(", re.MULTILINE)


def blank(match):
    """As many newlines as were there, so that lines keep their numbers."""
    return "\n" * match[0].count("\n") or " "


def without_members(source):
    """C without comments, literals, and the members of structs, unions and enums; every line keeps its number."""
    source = TEXT.sub(blank, source)
    parts, end = [], 0
    while match := AGGREGATE.search(source, end):
        depth, place = 1, match.end()
        while depth and place < len(source):
            depth += {"{": 1, "}": -1}.get(source[place], 0)
            place += 1
        parts += [source[end : match.end()], "\n" * source.count("\n", match.end(), place), "}"]
        end = place
    return "".join([*parts, source[end:]])


def fillers(root, path):
    """The problems with one file's locals and parameters."""
    code = without_members(check_tree.text(root, path))
    for match in DECLARED.finditer(code):
        line = code.count("\n", 0, match.start(1)) + 1
        yield f"{path}:{line}: `{match[1]}` names a local or a parameter; name it by what it is"


def repeated(root, paths):
    """The problems with static functions that have the name of another one in the folder."""
    seen = {}
    for path in paths:
        for name in dict.fromkeys(FUNCTION.findall(check_tree.text(root, path))):
            first = seen.setdefault((path.parent, name), path)
            if first != path:
                yield f"{path}: {name} is also the name of a static function in {first.name}"


def check(root):
    """Returns the problems as lines."""
    files = check_tree.with_suffix(root, ".c", ".h")
    problems = [line for path in files for line in fillers(root, path)]
    own = [path for path in files if path.suffix == ".c" and path.parts[0] not in PROGRAMS]
    return problems + list(repeated(root, own))

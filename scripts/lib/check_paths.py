"""What the documentation names exists: paths, functions, log events, and the targets of links."""

import fnmatch
import pathlib
import re

import check_tree

SOURCES = (".c", ".h", ".def", ".py", ".js", ".mjs")
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "bench/README.md",
    "tests/README.md",
    "tests/property/README.md",
    "proto/PROTOCOL.md",
    "proto/vectors/README.md",
    "docs/ARCHITECTURE.md",
)
# The project that README.md tells its reader to make, and folders that building makes.
ELSEWHERE = ("mysite", "cart", "build")
SPAN = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"[\w.*-]+(/[\w.*-]+)*/?")
CALL = re.compile(r"(\w+)\(\)")
EVENT = re.compile(r"\bevent=(\w+)")
HISTORY = "CHANGELOG.md"  # it names what is gone
LINK = re.compile(r"\]\(([^)\s]+)\)|^\[[^\]]+\]: +(\S+)")
HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)


def prose(text):
    """Lines with their numbers, those of code blocks left out: fenced ones, and indented ones behind a blank line."""
    fenced = code = False
    before = ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            code = line.startswith("    ") and (code or not before.strip())
            if not code:
                yield number, line
        before = line


def slug(heading):
    """The anchor that a heading gets where Markdown is shown: lower case, no punctuation, dashes for spaces."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


class Tree:
    """The files of a tree, the functions that its sources define, declare or call, and the events that they log."""

    def __init__(self, root):
        self.root = root
        files = check_tree.files(root)
        self.paths = {path.as_posix() for path in files}
        self.names = {path.name for path in files}
        self.folders = {parent.as_posix() for path in files for parent in path.parents}
        self.top = {path.parts[0] for path in files if len(path.parts) > 1}
        self.calls, self.events = set(), set()
        for path in files:
            if path.suffix in SOURCES:
                text = check_tree.text(root, path)
                self.calls.update(re.findall(r"\b(\w+)\(", text))
                self.events.update(re.findall(r'(?:"(?:event=)?|\bevent=)(\w+)', text))

    def has(self, name, folder):
        """Whether a path exists: from the root, from the document's folder, or as the end of one file's path."""
        name = name.rstrip("/")
        if "*" in name:
            return any(fnmatch.fnmatchcase(path, name) or fnmatch.fnmatchcase(path, f"*/{name}") for path in self.paths)
        if "/" not in name:
            return name in self.names or name in self.folders
        known = self.paths | self.folders
        return name in known or f"{folder}/{name}" in known or any(path.endswith(f"/{name}") for path in self.paths)

    def is_path(self, name):
        """Whether this is said of a file or folder of this tree: by its first folder, or by its suffix."""
        first = name.split("/")[0]
        if first in ELSEWHERE or not PATH.fullmatch(name):
            return False
        return ("/" in name and first in self.top) or (name.endswith(SOURCES) and not name.startswith((".", "*.")))


def named(tree, document, text):
    """Problems of the paths and functions that stand in backquotes."""
    folder = pathlib.PurePath(document).parent.as_posix()
    for number, line in prose(text):
        for span in SPAN.findall(line):
            name = span.split()[0] if span.strip() else ""
            call = CALL.fullmatch(span)
            if call and call[1] not in tree.calls:
                yield f"{document}:{number}: no function {span}"
            elif not call and tree.is_path(name) and not tree.has(name, folder):
                yield f"{document}:{number}: no file {name}"


def logged(tree, document, text):
    """Problems of the log events that are named, as event=NAME."""
    for number, line in prose(text):
        for name in EVENT.findall(line):
            if name not in tree.events:
                yield f"{document}:{number}: no log event {name}"


def linked(tree, document, text):
    """Problems of the links to files of this tree, and to headings in them."""
    folder = pathlib.PurePath(document).parent
    for number, line in prose(text):
        for target in map("".join, LINK.findall(line)):
            if ":" in target:
                continue
            name, _, anchor = target.partition("#")
            file = (tree.root / folder / name).resolve() if name else tree.root / document
            if not file.exists():
                yield f"{document}:{number}: no file {target}"
            elif anchor and anchor not in map(slug, HEADING.findall(file.read_text())):
                yield f"{document}:{number}: no heading {target}"


def check(root):
    """Returns the problems as lines."""
    tree, problems = Tree(root), []
    for path in check_tree.with_suffix(root, ".md"):
        document, text = path.as_posix(), check_tree.text(root, path)
        if document in DOCUMENTS or document.startswith("docs/decisions/"):
            problems += named(tree, document, text)
        if document != HISTORY:
            problems += logged(tree, document, text)
        problems += linked(tree, document, text)
    return problems

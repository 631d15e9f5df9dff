"""Reads the recipes of README.md and docs/guide.md, so that they are tried as they are written."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]


class Step(NamedTuple):
    """An indented block of a Markdown section. text: the paragraph above it. code: the block, without its indent."""

    text: str
    code: str

    @property
    def file(self):
        """The file that the block is, or None: a block of commands."""
        found = re.match(r"(?:Append to )?`([\w./]+\.(?:py|html))`", self.text)
        return found[1] if found else None

    @property
    def appends(self):
        """Whether it goes to the end of that file."""
        return self.text.startswith("Append to")

    @property
    def commands(self):
        """The block's commands, one each; lines that a backslash continues are one."""
        return self.code.replace("\\\n", " ").splitlines()


def steps(document, heading):
    """The steps of a document's section, in order."""
    text = (ROOT / document).read_text()
    section = re.split(r"^## ", text.split(f"\n## {heading}\n", 1)[1], maxsplit=1, flags=re.M)[0]
    found = []
    paragraph = ""
    for block in re.split(r"\n{2,}(?=\S)", section.strip("\n")):
        code = re.search(r"\A(?: {4}.*(?:\n|\Z)|\n)+\Z", block)
        head, _, rest = block.partition("\n\n")
        if code:
            found.append(Step(paragraph, _dedented(block)))
        elif rest.startswith("    "):
            found.append(Step(head, _dedented(rest)))
        paragraph = head
    return found


def _dedented(block):
    return "\n".join(line[4:] for line in block.strip("\n").splitlines()) + "\n"


def script(recipe):
    """One shell script that does what the steps say, as if they were pasted one after the other."""
    parts = ["set -e"]
    for step in recipe:
        if step.file:
            parts.append(f"cat {'>>' if step.appends else '>'} {step.file} <<'END_OF_FILE'\n{step.code}END_OF_FILE")
        else:
            parts.append(step.code)
    return "\n".join(parts)

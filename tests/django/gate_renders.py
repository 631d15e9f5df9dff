"""What every outermost rendering of a test came to: a short hash of its output, or the type of what it raised.

Two runs of the same test are compared by these as well as by their outcome: a test seldom looks at all of a page.
"""

import hashlib
import os
import random
import re
import threading
from pathlib import Path

from django.template.base import Template

# What differs from run to run on any Django: addresses and ids of objects, temporary files, the time and what is
# signed with it. And the modules that {% debug %} lists: ours are among them.
SHIFTING = re.compile(
    r"0x[0-9a-f]{6,}|\d{12,}|\b\d{10}\.\d+|\b[a-z0-9]{6}-[0-9a-f]{32}\b|\b(django_|tmp)\w{8}\b|\d\d?:\d\d(:\d\d)?(\.\d+)?"
    r"|(&#x27;[\w.-]+&#x27;:\s+&lt;module .*?&gt;,?\s*)+",
    re.DOTALL,
)
# A page that shows a traceback through Django's template code: C has no frames to show, so it is not compared.
FRAMES = re.compile(r"/django/template/\w+\.py")
TRACEBACK = "traceback"

_dice = random.Random()  # in place of the system's: tokens, salts and UUIDs are the same on both sides
_inside = threading.local()  # a rendering within a rendering is part of it
_seen = {"test": "", "renders": [], "native": {}}
_figures = None  # set by gate_hook: callable() -> {name: number}
_dump = None


def measure(figures):
    """Takes the callable that tells what ran natively so far."""
    global _figures
    _figures = figures


def begin(test):
    """A test starts."""
    random.seed(test)
    _dice.seed(test)
    _seen.update(test=test, renders=[], native=_figures() if _figures else {})


def end():
    """A test ended: {"renders", "native"} since begin()."""
    before, now = _seen["native"], _figures() if _figures else {}
    grown = {name: number - before.get(name, 0) for name, number in now.items() if number != before.get(name, 0)}
    return {"renders": _seen["renders"], "native": grown}


def _note(output):
    text = SHIFTING.sub("~", str.__str__(output))
    code = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
    _seen["renders"].append(TRACEBACK if FRAMES.search(text) else f"{code}/{len(text)}")
    if _dump:
        path = Path(_dump, f"{_seen['test']}.{len(_seen['renders'])}.html")
        path.write_text(text, encoding="utf-8", errors="surrogatepass")


def install(dump):
    """Wraps Template.render, whatever it is by now. dump: a folder for all the outputs, or ""."""
    global _dump
    if dump:
        Path(dump).mkdir(parents=True, exist_ok=True)
        _dump = dump
    os.urandom = random._urandom = _dice.randbytes
    inner = Template.render

    def render(self, context):
        if getattr(_inside, "depth", 0):
            return inner(self, context)
        _inside.depth = 1
        try:
            output = inner(self, context)
        except BaseException as error:
            _seen["renders"].append(f"raised {type(error).__name__}")
            raise
        finally:
            _inside.depth = 0
        _note(output)
        return output

    Template.render = render

"""The property: after any changes, the page is what a fresh parse of Django's own render would be."""

import json
from collections import Counter

from system_under_test import Failed, Server, Stock, Subject, facts_of, install

CHUNKS = {}  # hash → descriptors, of all that was sent: a page asks only for what it does not have
MAX_HTML = 8 << 20  # the worker refuses a page of twice that, with its anchors (MAX_HTML)
MAX_ROUNDS = 6  # of frames that the page asks for, until it must have what it needs


class Discarded(Exception):
    """The case says nothing: Django itself does not take it."""


class Difference(Exception):
    """A page that differs. step: 0 is the page as it came."""

    def __init__(self, step, text, history=()):
        super().__init__("\n  ".join([f"step {step}: {text}", *history]))
        self.step, self.text = step, text

    def kind(self):
        """Its first word: what shrinks is to fail in the same way."""
        return "differs" if self.text.split()[0] not in ("the", "FAILED", "Django") else " ".join(self.text.split()[:3])


def page_of(html):
    """With a doctype: without one a parser has other rules (a table in a paragraph), which patches do not know."""
    return html if html.lstrip()[:9].lower() == "<!doctype" else "<!doctype html>" + html


class Run:
    """One page in a browser, and its server."""

    def __init__(self, browser, server, counts):
        self.browser, self.server, self.counts = browser, server, counts
        self.history = []

    def open(self, html, cached):
        """Opens the page and joins it; it must show html. cached: the browser keeps the chunks of earlier pages."""
        told = self.browser.order(open=page_of(self.server.page()), cached=cached)
        if told["error"]:
            raise Difference(0, f"the client did not start: {told['error']}")
        self.settle(0, self.server.join(), html)

    def lose(self):
        """The socket goes; the frames that answer the page's new join."""
        self.counts.all["sockets lost"] += 1
        self.server.leave()
        (asked,) = self.browser.order(lose=True)["sent"]
        self.history.append(f"the socket is lost; page -> {json.dumps(asked)}")
        return self.server.join(asked["views"][0].get("s"))

    def settle(self, step, frames, html):
        """Brings frames to the page and answers what it asks; then it must show html."""
        history = self.history
        history.append(f"step {step}:")
        for _ in range(MAX_ROUNDS):
            for frame in frames:
                self.counts.frame(json.loads(frame))
            history += [f"page <- {frame}" for frame in frames]
            told = self.browser.order(say=frames, expect=page_of(html), title=bool(self.counts.known))
            if told["error"]:
                raise Difference(step, f"the client raised {told['error']}", history)
            if not told["sent"]:
                if told["differs"]:
                    raise Difference(step, told["differs"], history)
                return
            self.counts.asked(told["sent"])
            history += [f"page -> {json.dumps(frame)}" for frame in told["sent"]]
            history += [f"console: {line}" for line in told["said"]]
            frames = [frame for asked in told["sent"] for frame in self.server.answer(asked)]
        raise Difference(step, "the page asks again and again", history)


def _render(stock, spec):
    try:
        return stock.render(spec)
    except Exception:  # whatever a user's template may raise
        return None


def _stock(case):
    """The HTML for each state; None where the template raises."""
    try:
        stock = Stock(case)
    except Exception as error:  # a tag's own mistakes come as anything
        raise Discarded(f"{type(error).__name__}: {error}") from error
    shown = [_render(stock, spec) for spec in case.states]
    if shown[0] is None:
        raise Discarded("the first state cannot be shown")
    if max(len((html or "").encode("utf-8", "replace")) for html in shown) > MAX_HTML:
        raise Discarded("a page is too large to be shown")
    return shown


def check(case, browser, counts, cached=False, tamper=None):
    """Runs a case. Difference, Discarded. tamper(frames): frames to bring instead, to see that it is noticed."""
    shown = _stock(case)
    install(case)
    server = Server(Subject(case.states[0]), facts_of(case.language))
    run = Run(browser, server, counts)
    try:
        counts.case(case.wild or None in shown)
        run.open(shown[0], cached)
        now = shown[0]
        for step, spec in enumerate(case.states[1:], 1):
            counts.all["changes"] += 1
            frames, html = frames_of(server, case, step, spec, shown[step])
            frames = run.lose() if case.lost[step] else tamper(frames) if tamper else frames
            now = now if html is None else html
            run.settle(step, frames, now)
    except Failed as error:
        raise Difference(0, f"FAILED {error}", run.history) from error
    finally:
        server.close()


def frames_of(server, case, step, spec, html):
    """The frames of a step, and what the page is to show then; None: what it shows already."""
    try:
        server.view.coming = (spec, case.in_place[step])
        frames = server.event("change")
    except Failed as error:
        if html is not None:
            raise Difference(step, f"FAILED {error}, where Django renders {html!r}") from error
        return [], None
    # What stands in an ignored part is shown once. It need not be evaluated again, and then cannot fail.
    if html is None and (html := _render(Stock(case.without_ignored()), spec)) is None:
        raise Difference(step, f"Django raises, and these frames came: {frames}")
    return frames, html


class Counts:
    """What was done: shows that not everything went through whole roots."""

    def __init__(self):
        self.all = Counter()
        self.known = []  # hashes of the case's view, by number
        self.kind = "calm"

    def case(self, wild):
        """A case begins. wild: not everything in it can be had by slots."""
        self.all["cases"] += 1
        self.kind = "wild" if wild else "calm"
        self.all[f"{self.kind} cases"] += 1
        self.known = []

    def asked(self, sent):
        """The page asked by itself."""
        for frame in sent:
            kind = "chunks" if "c" in frame else "give up slots" if frame.get("w") else "whole root"
            self.all[f"asked: {kind}" + ("" if "c" in frame else f", {self.kind}")] += 1

    def frame(self, frame):
        """A frame on its way to the page."""
        if frame.get("t") == "joined":
            known = frame["views"][0].get("k")
            self.all[("pages without slots, " if known is None else "pages with slots, ") + self.kind] += 1
            self.known = known or []
            return
        if "k" in frame:
            self.known = list(frame["k"])
        for name, chunk in frame.get("c", ()):
            CHUNKS[name] = json.loads(chunk) if isinstance(chunk, str) else chunk
            if name not in self.known:
                self.known.append(name)
        if "d" not in frame:
            self.all["frames: nothing changed" if "s" in frame and "c" not in frame else "frames: chunks"] += 1
        elif "d" in frame["d"].get("0", ()):
            self.all["frames: differences of the root"] += 1
        elif "0" in frame["d"]:
            self.all["frames: whole root" + ("" if "k" in frame else ", without slots") + f", {self.kind}"] += 1
        else:
            self.all["frames: slots"] += 1
            self.slots(1, frame["d"])

    def slots(self, chunk, values):
        """The slots of an instance of a block."""
        name = self.known[chunk - 1] if 0 < chunk <= len(self.known) else None
        descriptors = CHUNKS[name]["s"] if name in CHUNKS else []
        for slot, value in values.items():
            if not slot.isdigit():
                continue
            at = int(slot) - 1
            kind = descriptors[at][0] if at < len(descriptors) else "in rows"
            self.slot(kind, value)

    def slot(self, kind, value):
        """One write."""
        if kind in ("b", "l", "in rows") and isinstance(value, dict) and not {"h", "d"} & value.keys():
            self.nested(kind, value)
        else:
            how = "" if not isinstance(value, dict) else " difference" if "d" in value else " markup"
            self.all[f"writes: {kind}{how}"] += 1

    def nested(self, kind, value):
        """A branch or a list."""
        for key, name in (
            ("b", "shown"),
            ("x", "mode"),
            ("-", "removed"),
            ("m", "moved"),
            ("r", "rows"),
            ("e", "empty"),
        ):
            if key in value:
                self.all[f"writes: {kind} {name}"] += 1
        rows = [move[2] for move in value.get("m", ()) if len(move) > 2] + list(value.get("r", {}).values())
        for row in rows:
            self.all["rows written"] += 1
            self.slots(value.get("b", 0), row)

    def add(self, other):
        """Another's counts."""
        self.all.update(other.all)

    def table(self):
        """Lines."""
        width = max(map(len, self.all), default=0)
        return "\n".join(f"{name:<{width}}  {count:>9}" for name, count in sorted(self.all.items()))

"""What one run of a random page is, as data for the browser: the page, and frames with what Django renders for each."""

import json
import random
import types

from random_pages import RandomPage
from system_under_test import MAIN, VIEW, Server, Stock, Subject, facts_of, install


def make_run(seed):
    """The run of a seed. `pause`: the hook behind which the page's HTML pauses for a while, or None. Steps have
    `frames`, `expect` (Django's HTML), `root` and `chunks` (frames that answer what the page may ask).
    """
    page = RandomPage(seed)
    choices = random.Random(f"{seed} choices")
    case = types.SimpleNamespace(
        sources=lambda: {MAIN: page.source}, invalid=False, language=None, wrapped=False, states=page.states
    )
    install(case)
    stock, server = Stock(case), Server(Subject(page.states[0]), facts_of())
    try:
        html = server.page()
        steps = [_step(server, server.join(), stock.render(page.states[0]))]
        for state in page.states[1:]:
            server.view.coming = (state, False)
            frames = server.event("change")
            steps.append(_step(server, frames, stock.render(state)))
            if choices.random() < 0.15:
                steps.append(_step(server, [steps[-1]["root"]], steps[-1]["expect"]))
    finally:
        server.close()
    hooks = html.count("parent.hook(")
    pause = choices.randrange(hooks) if hooks and choices.random() < 0.4 else None
    if pause is not None:
        behind = [at for at in range(len(html)) if html.startswith("</script>", at)][1 + pause] + len("</script>")
        parts = [html[:behind], html[behind:]]
        pause = int(html[:behind].rpartition("parent.hook(")[2].partition(")")[0])
    else:
        parts = [html]
    return {"seed": seed, "parts": parts, "pause": pause, "steps": steps, "cached": choices.random() < 0.5}


def _step(server, frames, html):
    asked = {"t": "refresh", "v": VIEW.hex()}
    (root,) = server.answer(asked)
    known = json.loads(root).get("k") or []
    chunks = server.answer({**asked, "c": known}) if known else []
    return {"frames": frames, "expect": html, "root": root, "chunks": chunks}

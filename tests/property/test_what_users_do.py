"""What a user did stays while the markup around it changes, in Chromium: text in a field where the server's value is
the same, the caret, the focus, what is open, scrolled or loaded. Each page goes through its states, one of them behind
a lost socket.
"""

import pytest
from case import Case
from equivalence import Counts, Run
from system_under_test import Server, Subject, facts_of, install

IN_PAGE = (
    "const w = document.querySelector('iframe').contentWindow; return Function('w', 'd', arguments[0])(w, w.document)"
)
LONG = "<p>" + "what stays as it is " * 40 + "</p>"
CAPTION = f"<caption>{LONG}</caption>"
FIELD = "<input id=a name=a>"
TYPE = "const e = d.querySelector('#a'); e.focus(); e.value = 'typed'; e.setSelectionRange(2, 3)"
TYPED = "d.querySelector('#a').value == 'typed'"
FOCUSED = f"{TYPED} && d.activeElement == d.querySelector('#a') && d.activeElement.selectionStart == 2"
REGION = "<div>{{ h|safe }}</div>"
TABLE = "<table>{{ h|safe }}</table>"
ORDERS = ([1, 2, 3], [4, 1, 2, 3], [1, 3], [5, 6, 1])
MOVES = ([1, 2, 3], [3, 1, 2], [2, 3, 1], [2, 1])
LINES = "<table>\n{% for r in rows %}\n <tr id='{{ r }}'><td>{{ n }}<td><input id='i{{ r }}'></tr>\n"
LINES += "{% endfor %}\n</table>"
DETAILS = (
    "<table><tbody>{% for r in rows %}<tr dj-key='{{ r }}'><td>{{ n }}<td><input id='i{{ r }}'></tr>"
    "{% if n > r %}<tr><td><input></tr>{% endif %}{% endfor %}</tbody></table>"
)
IN_ROW = ("d.querySelector('#i1').value = 'typed'", "d.querySelector('#i1').value == 'typed'")


def each(make):
    """States of `h`."""
    return [{"h": ("safe", make(n)), "n": n} for n in range(4)]


def rows(orders):
    return each(
        lambda n: CAPTION + "".join(f"<tr id=r{at}><td>{n}<td>{FIELD if at == 1 else '<input>'}" for at in orders[n])
    )


CONTROLS = "<textarea id=t>\nx</textarea><select id=s><option>1<option>2</select><input type=checkbox id=c>"
MEDIA = "<details id=o><summary>s</summary></details>"
MEDIA += "<div id=s style='height:9px;overflow:auto'><p style='height:99px'>z</div>"
FRAME = "<iframe id=f></iframe><video id=v></video>"

# name: (template, states, what the user does, what holds from then on)
PAGES = {
    "text changes around a field": (REGION, each(lambda n: f"{LONG}<i>{n}</i>{FIELD}<b>{n}</b>"), TYPE, FOCUSED),
    "elements come before a field": (REGION, each(lambda n: LONG + "<p>x</p><input>" * n + FIELD), TYPE, FOCUSED),
    "an error comes behind a field": (
        "<form>{{ h|safe }}</form>",
        each(lambda n: f"{LONG}<div class='mb-3{'' if n % 2 else ' bad'}'>{FIELD}{f'<b>bad {n}</b>' * (n % 2)}</div>"),
        TYPE,
        FOCUSED,
    ),
    "rows come and go": (TABLE, rows(ORDERS), TYPE, FOCUSED),
    "rows move": (TABLE, rows(MOVES), TYPE, TYPED),
    "rows on lines of their own move": (LINES, [{"rows": MOVES[n], "n": n} for n in range(4)], *IN_ROW),
    "rows with details move": (DETAILS, [{"rows": MOVES[n], "n": n} for n in range(4)], *IN_ROW),
    "controls": (
        REGION,
        each(lambda n: f"{LONG}<b>{n}</b>{CONTROLS}"),
        "d.querySelector('#t').value = 'mine'; d.querySelector('#s').value = '2'; d.querySelector('#c').checked = true",
        "d.querySelector('#t').value == 'mine' && d.querySelector('#s').value == '2' && d.querySelector('#c').checked",
    ),
    "what is open or scrolled": (
        REGION,
        each(lambda n: f"{LONG}<b>{n}</b>{MEDIA}" + "<i>x</i>" * n),
        "d.querySelector('#o').open = true; d.querySelector('#s').scrollTop = 7",
        "d.querySelector('#o').open && d.querySelector('#s').scrollTop == 7",
    ),
    "a frame is not loaded again": (
        REGION,
        each(lambda n: LONG + "<p>x</p>" * (n % 3) + FRAME + f"<b>{n}</b>"),
        "w.v = d.querySelector('#v'); w.f = d.querySelector('#f').contentWindow; w.f.mark = 1",
        "w.v == d.querySelector('#v') && w.f == d.querySelector('#f').contentWindow && w.f.mark == 1",
    ),
    "what others draw in an ignored part": (
        REGION,
        each(lambda n: f"{LONG}<b>{n}</b><div dj-ignore id=g>{n}</div>"),
        "d.querySelector('#g').innerHTML = '<canvas></canvas>'",
        "Boolean(d.querySelector('#g > canvas'))",
    ),
    "markup without slots": (REGION.replace("div", "b", 1), each(lambda n: f"{LONG}<i>{n}{FIELD}"), TYPE, FOCUSED),
}  # fmt: skip


def bring(browser, server, frames):
    """Gives the page its frames, and answers what it asks."""
    for _ in range(4):
        told = browser.order(say=frames, expect="", title=False)
        assert not told["error"], told
        frames = [frame for asked in told["sent"] for frame in server.answer(asked)]
        if not frames:
            return
    raise AssertionError("the page asks again and again")


@pytest.mark.parametrize("name", PAGES)
def test_it_stays(chromium, name):
    template, states, done, holds = PAGES[name]
    page = f"<!doctype html><html><head></head><body dj-root>{template}<output>{{{{ n }}}}</output></body></html>"
    install(Case({"main.html": page}, states, [], [], kind="body"))
    server = Server(Subject(states[0]), facts_of())
    run = Run(chromium, server, Counts())
    assert not chromium.order(open=server.page(), cached=False)["error"]
    bring(chromium, server, server.join())
    chromium.driver.execute_script(IN_PAGE, done)
    for step, state in enumerate(states[1:], 1):
        server.view.coming = (state, False)
        frames = server.event("change")
        bring(chromium, server, run.lose() if step == 2 else frames)
        shown = chromium.driver.execute_script(IN_PAGE, "return d.querySelector('output').textContent")
        assert shown == str(step)
        assert chromium.driver.execute_script(IN_PAGE, f"return {holds}"), step
    server.close()

"""What a patch weighs on pages of template packages, whether the DOM is right then, and what rendering them costs.

Each page (project/packaged/pages.py) is a live page of a real fleet, in headless Chromium. It goes through four states;
in each, its DOM must equal a fresh parse of what a stock Django, in a server of its own, renders for that state. The
packages are in an environment of their own (requirements-packages.txt). Rendering is timed in two processes, one with
Django's engine and one with ours, in turns.
"""

import http.client
import math
import os
import re
import subprocess

from answering import Answering
from apply import chromium
from harness import BUILD, PROJECT, PYTHON, ROOT, Fleet, Processes, Report, environment, median, say
from pages import PATIENCE, free_port

PAGES = ("tables2", "crispy", "filter", "allauth", "wagtail", "changelist", "index", "components")
# django-components replaces Template.render(): its pages are on a site of their own. Each rendering of a component has
# another random id, which Django's page has too: a patch holds all of them, and does not count for the worst.
WITH_COMPONENTS = ("components",)
STATES = (0, 1, 2, 3)
ONE_VALUE = (1, 2)  # those in which one value differs from the page as it was loaded
BATCH_US = 40_000
COMPARE = ROOT / "tests" / "property" / "js" / "compare.js"
RANDOM_ID = re.compile(r"data-djc-id-(\w+)")

# Before the page's own scripts: counts what its socket sends and receives.
COUNT = """
window.counted = { received: 0, bytes: 0, asked: [] }
const Real = window.WebSocket
window.WebSocket = class extends Real {
  send(text) {
    const frame = JSON.parse(text)
    if (frame.t !== 'ack') window.counted.asked.push(frame) // of all others an answer comes
    super.send(text)
  }
  set onmessage(handler) {
    super.onmessage = handler && ((message) => {
      handler.call(this, message)
      window.counted.received++
      window.counted.bytes += new Blob([message.data]).size
    })
  }
}
"""
# Fires the page's event, and is done when all that the page asked has been answered.
GO = """
const [state, done] = arguments
const seen = window.counted
Object.assign(seen, { received: 0, bytes: 0, asked: [] })
const button = document.createElement('button')
button.setAttribute('dj-click', 'go')
button.setAttribute('dj-value-state', state)
button.id = 'bench-go'
const root = document.querySelector('[dj-root]') ?? document.body
root.append(button)
button.click()
button.remove()
const wait = () => {
  const settled = () => seen.asked.length && seen.received >= seen.asked.length
  if (settled()) setTimeout(() => settled() ? done(seen) : wait(), 0)
  else setTimeout(wait, 1)
}
wait()
"""
DIFFER = """
const [html, module, done] = arguments
import(URL.createObjectURL(new Blob([module], { type: 'text/javascript' }))).then(({ difference, rootOf }) => {
  const wanted = new DOMParser().parseFromString(html, 'text/html')
  const live = rootOf(document)
  const ours = [...live.querySelectorAll('script[data-troupe-socket]')]
  const scripts = ours.map((el) => [el, el.parentNode, el.nextSibling])
  for (const [el] of scripts) el.remove()
  const found = difference(live, rootOf(wanted))
  for (const [el, parent, next] of scripts) parent.insertBefore(el, next)
  done(found)
}).catch((error) => done(String(error)))
"""


def python():
    """An interpreter with the packages, in an environment under build/. RuntimeError: they do not install."""
    folder, wanted = BUILD / "bench-packages", ROOT / "requirements-packages.txt"
    pins = wanted.read_text() + (ROOT / "requirements.txt").read_text()
    executable, stamp = folder / "bin" / "python", folder / "installed.txt"
    if not stamp.exists() or stamp.read_text() != pins:
        say(f"installing the packages of {wanted.name} into {folder}")
        for command in (
            [PYTHON, "-m", "venv", "--clear", folder],
            [executable, "-m", "pip", "--quiet", "install", "--retries", "1", "-r", wanted],
        ):
            done = subprocess.run(command, capture_output=True, text=True, timeout=900)
            if done.returncode:
                raise RuntimeError(done.stderr.strip().splitlines()[-1])
        stamp.write_text(pins)
    return executable


def settings(processes, backend, components):
    """The environment of a process with that engine, of the site with or without django-components."""
    return {
        "DJANGO_SETTINGS_MODULE": "packaged.settings",
        "PACKAGED_DB": str(processes.folder / "db.sqlite3"),
        "PACKAGED_BACKEND": backend,
        "PACKAGED_COMPONENTS": "yes" if components else "",
        "PYTHONHASHSEED": "0",  # packages write sets into pages
        "PYTHONWARNINGS": "ignore",
        "BENCH_BUILD": str(BUILD),
    }


def start_side(processes, backend, components):
    """A process of one engine's; see project/packaged/render_side.py."""
    command = [python(), "-m", "packaged.render_side"]
    return Answering(command, PROJECT, environment(settings(processes, backend, components)))


def stock(port, key, csrf, name, state):
    """The HTML of a page as Django renders it in a state."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    headers = {"X-State": str(state), "Cookie": f"sessionid={key}; csrftoken={csrf}"}
    connection.request("GET", f"/pages/{name}/", headers=headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{name} answered {answer.status}: {text[-1500:]}")
    return text


def with_ids_of(html, live):
    """The HTML with the random ids that the live page has, in their order, if there are as many."""
    mine, theirs = (list(dict.fromkeys(RANDOM_ID.findall(text))) for text in (live, html))
    if len(mine) != len(theirs):
        return html
    names = dict(zip(theirs, mine, strict=True))
    return RANDOM_ID.sub(lambda match: f"data-djc-id-{names[match[1]]}", html)


class Browser:
    """Chromium with a user who is logged in, on the live site; beside it the stock one."""

    def __init__(self, driver, live, plain, key):
        self.driver, self.live, self.plain, self.key = driver, live, plain, key
        driver.execute_cdp_cmd("Network.enable", {})  # the packages' own scripts change the DOM as well
        driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/static/admin/*", "*/static/wagtail*"]})
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": COUNT})
        driver.get(f"http://127.0.0.1:{live}/static/troupe/morph.js")
        driver.delete_all_cookies()
        driver.add_cookie({"name": "sessionid", "value": key})
        driver.add_cookie({"name": "csrftoken", "value": "c" * 32})

    def open(self, name):
        """Opens a page and waits until it is joined; the bytes of its HTML."""
        from selenium.webdriver.support.ui import WebDriverWait

        html = self._html(name)
        self.driver.get(f"http://127.0.0.1:{self.live}/pages/{name}/")
        joined = "return document.documentElement.classList.contains('troupe-connected')"
        WebDriverWait(self.driver, PATIENCE).until(lambda _: self.driver.execute_script(joined), f"{name} to be joined")
        return len(html.encode())

    def _html(self, name):
        return stock(self.live, self.key, "c" * 32, name, 0)

    def go(self, state):
        """Brings the page to a state: what COUNT counted."""
        return self.driver.execute_async_script(GO, state)

    def differs(self, name, state):
        """Where the DOM differs from Django's page; None: nowhere."""
        html = stock(self.plain, self.key, "c" * 32, name, state)
        html = with_ids_of(html, self.driver.execute_script("return document.documentElement.outerHTML"))
        return self.driver.execute_async_script(DIFFER, html, COMPARE.read_text())


def patches(report, browser, names):
    """Adds the sizes of patches: (the shares of the pages' HTML, how many states differ)."""
    differ, shares = 0, {}
    for name in names:
        size = browser.open(name)
        sizes = []
        for state in (*STATES[1:], 0):
            counted = browser.go(state)
            whole = sum(1 for frame in counted["asked"] if frame.get("t") == "refresh" and "c" not in frame)
            if state in ONE_VALUE:
                sizes.append(counted["bytes"])
            found = browser.differs(name, state)
            differ += bool(found)
            said = f"{name} {state}: {counted['bytes']} bytes, {whole} whole roots asked for"
            say(f"{said}; {found}" if found else said)
        shares[name] = max(sizes) / size
        report.add(f"{name}_patch_over_html", shares[name])
        report.add(f"{name}_html_bytes", size)
        report.add(f"{name}_patch_bytes", max(sizes))
    return shares, differ


def _p99(times):
    return sorted(times)[math.ceil(len(times) * 0.99) - 1]


def times(report, sides, names, rounds):
    """Adds what rendering costs, the sides in turns."""
    for name in names:
        counts = {side: max(1, round(BATCH_US / process.ask("time", name, 3)[1])) for side, process in sides.items()}
        seen = {side: [] for side in sides}
        for number in range(rounds):
            for side in list(sides) if number % 2 else list(reversed(sides)):
                seen[side].append(sides[side].ask("time", name, counts[side]))
        pairs = zip(seen["django"], seen["troupe"], strict=True)
        report.add(f"{name}_over_django", median([theirs / ours for (_, theirs), (_, ours) in pairs]))
        for side, all_seen in seen.items():
            every = [time for times, _ in all_seen for time in times]
            report.add(f"{name}_{side}_p50_us", median(every))
            report.add(f"{name}_{side}_p99_us", _p99(every))
            say(f"{name}: {side} {median(every):.0f} us")


def servers(processes, components):
    """(port of the live site, port of the stock one)."""
    ports = []
    env = settings(processes, "troupe", components)
    fleet = Fleet(processes, 1, settings="packaged.settings", python=python(), env=env)
    for backend, front in (("troupe", fleet.front), ("django", "inproc://")):
        port = free_port()
        command = [python(), "-m", "uvicorn", "packaged.asgi:application", "--port", str(port), "--lifespan", "off"]
        env = {**settings(processes, backend, components), "TROUPE_FRONT": front}
        processes.start(f"uvicorn of {backend}", command, ready="Uvicorn running on", env=env)
        ports.append(port)
    return ports


def measure(report, names, components, rounds):
    """One of the sites, with these pages: what patches() gives."""
    sides = {}
    with Processes() as processes:
        try:
            sides["django"] = start_side(processes, "django", components)
            key = sides["django"].ask("prepare")
            sides["troupe"] = start_side(processes, "troupe", components)
            with chromium(processes.folder) as driver:
                found = patches(report, Browser(driver, *servers(processes, components), key), names)
            times(report, sides, names, rounds)
        finally:
            for side in sides.values():
                side.stop()
    return found


def run(quick):
    """The whole benchmark; a Report."""
    wanted = os.environ.get("BENCH_PACKAGES", "").split() or PAGES
    report = Report("packages")
    all_shares, all_differ = {}, 0
    for components in (False, True):
        names = [name for name in wanted if (name in WITH_COMPONENTS) == components]
        if names:
            shares, differ = measure(report, names, components, 3 if quick else 11)
            all_differ += differ
            all_shares.update({} if components else shares)
    report.add("worst_patch_over_html", max(all_shares.values(), default=0))
    report.add("states_that_differ", all_differ)
    report.note("X_over_django: Django's processor time to render X over ours, the median of each round's ratio")
    return report

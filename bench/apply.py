"""What a patch costs in the browser: headless Chromium, the real client, a table of 1,000 rows.

Timed is the script's time from the WebSocket's message to the changed page, without layout and paint. Each change is
undone by another before it is made again. Beside it, idiomorph brings the same page from the same HTML to the same.
"""

import contextlib

from harness import ROOT, Processes, Report, say
from pages import serve_troupe

ROWS = 1000
TIMED = ("one_cell", "one_class", "append", "prepend", "remove_first", "swap", "reverse", "sort", "all_cells")
MORPHED = ("one_cell", "append", "prepend", "swap", "reverse")
IDIOMORPH = ROOT / "tests" / "js" / "node_modules" / "idiomorph" / "dist" / "idiomorph.js"
FLAGS = "--headless=new --no-sandbox --disable-gpu --disable-quic --disable-dev-shm-usage --no-first-run".split()

# Before the page's own scripts: how long the client is busy with each message of its socket.
LISTEN = """
window.bench = { heard() {} }
const Real = window.WebSocket
window.WebSocket = class extends Real {
  set onmessage(handler) {
    super.onmessage = handler && ((message) => {
      const start = performance.now()
      handler.call(this, message)
      window.bench.heard(performance.now() - start, message.data)
    })
  }
}
window.bench.change = (name) => new Promise((resolve, reject) => {
  const button = document.querySelector('button')
  button.setAttribute('dj-value-name', name)
  window.bench.heard = (took, text) => {
    const frame = JSON.parse(text)
    if (frame.t === 'failed') reject(new Error(text))
    if (frame.a) resolve(took)
  }
  button.click()
})
"""
CHANGE = """
const [name, undo, times, done] = arguments
const run = async () => {
  const taken = []
  for (let n = 0; n < times; n++) {
    taken.push(await window.bench.change(name))
    if (undo) await window.bench.change(undo)
  }
  return taken
}
run().then(done, (error) => done(String(error)))
"""
# The page's root before and after, and a copy of it that goes from one to the other.
MORPH = """
const [name, undo, times, done] = arguments
const run = async () => {
  const root = document.querySelector('[dj-root]')
  const before = root.outerHTML
  await window.bench.change(name)
  const after = root.outerHTML
  await window.bench.change(undo)
  const place = document.createElement('div')
  place.innerHTML = before
  document.body.append(place)
  const taken = []
  for (let n = 0; n < times; n++) {
    const start = performance.now()
    Idiomorph.morph(place.firstElementChild, after)
    taken.push(performance.now() - start)
    Idiomorph.morph(place.firstElementChild, before)
  }
  place.remove()
  return taken
}
run().then(done, (error) => done(String(error)))
"""


@contextlib.contextmanager
def chromium(folder):
    """A driver of a headless Chromium."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in [*FLAGS, f"--user-data-dir={folder}/chromium"]:
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    driver.set_script_timeout(300)
    try:
        yield driver
    finally:
        driver.quit()


def _open(driver, port):
    from selenium.webdriver.support.ui import WebDriverWait

    driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": LISTEN})
    driver.get(f"http://127.0.0.1:{port}/table/{ROWS}/numbers/")
    joined = "return document.documentElement.classList.contains('troupe-connected')"
    WebDriverWait(driver, 60).until(lambda _: driver.execute_script(joined))
    if not driver.execute_script("return crossOriginIsolated"):
        raise RuntimeError("the page is not isolated: its clock is too coarse")


def _times(driver, script, *given):
    taken = driver.execute_async_script(script, *given)
    if isinstance(taken, str):
        raise RuntimeError(f"{given[0]}: {taken}")
    return sorted(taken)


def _rank(taken, percent):
    return taken[min(len(taken) - 1, len(taken) * percent // 100)]


def measure(report, driver, times):
    """Adds the figures."""
    from benched.rows import UNDO

    for name in TIMED:
        undo = UNDO.get(name)
        _times(driver, CHANGE, name, undo, 3)
        taken = _times(driver, CHANGE, name, undo, times)
        report.add(f"{name}_ms", _rank(taken, 50))
        report.add(f"{name}_p95_ms", _rank(taken, 95))
        say(f"{name}: {_rank(taken, 50):.3f} ms, p95 {_rank(taken, 95):.3f} ms")
    driver.execute_script(IDIOMORPH.read_text() + "\nwindow.Idiomorph = Idiomorph")
    for name in MORPHED:
        taken = _times(driver, MORPH, name, UNDO.get(name, name), max(3, times // 10))
        report.add(f"idiomorph_{name}_ms", _rank(taken, 50))
        say(f"idiomorph {name}: {_rank(taken, 50):.2f} ms")
    complaints = [
        line for line in driver.get_log("browser") if line["level"] == "SEVERE" and "favicon" not in line["message"]
    ]
    if complaints:
        raise RuntimeError(f"the page complained: {complaints[0]['message'][:500]}")


def run(quick):
    """The whole benchmark; a Report."""
    import sys

    from harness import PROJECT

    sys.path.insert(0, str(PROJECT))  # benched.rows
    report = Report("apply")
    with Processes() as processes, chromium(processes.folder) as driver:
        _open(driver, serve_troupe(processes, BENCH_BROWSER="1"))
        measure(report, driver, 20 if quick else 200)
    report.note(
        f"script time of the client a message, median and 95th percentile; {driver.capabilities['browserVersion']}"
    )
    return report

"""The demo's whole fleet, and Chromium to visit it with. Screenshots go to pytest's temporary directory."""

import sys
from pathlib import Path

import pytest
from demo_fleet import DemoFleet, free_port
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.append(str(Path(__file__).resolve().parent))  # slow_line
PATIENCE = 120  # seconds until something that was to appear counts as missing; nothing waits for it otherwise
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage --window-size=1100,900"
).split()


class Site:
    """The demo as a person sees it in one browser."""

    def __init__(self, driver, url):
        self.driver = driver
        self.url = url

    def open(self, path=""):
        """Goes to a page of the demo, by its path without the leading slash."""
        self.driver.get(self.url + path)

    def find(self, css):
        """The first element that matches."""
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def all(self, css):
        """Every element that matches."""
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def click(self, css):
        """Clicks on the first element that matches."""
        self.find(css).click()

    def texts(self, css):
        """The texts of all that match, read in one step, so that no patch can come in between."""
        script = "return [...document.querySelectorAll(arguments[0])].map(e => e.textContent.trim())"
        return self.run(script, css)

    def run(self, script, *values):
        """What a piece of JavaScript returns."""
        return self.driver.execute_script(script, *values)

    def connected(self):
        """Whether the page's socket is joined."""
        return self.run("return document.documentElement.classList.contains('troupe-connected')")

    def wait(self, condition, what):
        """Returns what `condition()` gives once that is true. Fails with `what` if it does not get so."""
        return WebDriverWait(self.driver, PATIENCE, 0.02).until(lambda _: condition(), f"waited for {what}")

    def wait_texts(self, css, wanted):
        """Returns once the texts of all that match are these."""
        try:
            self.wait(lambda: self.texts(css) == wanted, "")
        except Exception:
            assert self.texts(css) == wanted  # says what there was instead
            raise

    def errors(self):
        """What the page complained of on the console since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def color_scheme(self, scheme):
        """Makes the browser prefer "light" or "dark"."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def width(self, pixels):
        """Makes the window this wide."""
        size = {"width": pixels, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


@pytest.fixture(scope="session")
def fleet():
    """A broker, two workers and the demo on a free port."""
    said = []
    with DemoFleet(ROOT, free_port(), sink=lambda name, line: said.append(f"{name}: {line}")) as fleet:
        yield fleet
    unexpected = [line for line in said if "level=error" in line.lower() or "Traceback" in line]
    assert not unexpected, "\n".join(said[-100:])


@pytest.fixture(scope="session")
def driver(tmp_path_factory):
    """Chromium, headless, with a profile of its own."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in [*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    yield driver
    driver.quit()


@pytest.fixture
def site(fleet, driver):
    """The demo in the browser. The test fails if a page complained on the console."""
    site = Site(driver, fleet.url)
    site.errors()
    yield site
    driver.switch_to.default_content()
    assert not site.errors()


@pytest.fixture
def fragile(driver):
    """(Site, DemoFleet) of a demo with one worker, whose end the broker notices within a second."""
    quick = ("--heartbeat-ms", "100", "--worker-dead-ms", "1000")
    with DemoFleet(ROOT, free_port(), workers=1, broker=quick) as fleet:
        yield Site(driver, fleet.url), fleet

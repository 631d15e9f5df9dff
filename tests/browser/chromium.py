"""Chromium, headless, and a page in it as its user sees it."""

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE = 120  # seconds until something that was to appear counts as missing; nothing waits for it otherwise
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage --window-size=1100,900"
).split()


def start(profile, *flags):
    """A driver of a Chromium of its own. profile: an empty folder. flags: more arguments. The caller quits it."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in [*FLAGS, *flags, f"--user-data-dir={profile}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))


class Site:
    """A web site as a user sees it in one browser. url: its root, with the slash."""

    def __init__(self, driver, url):
        self.driver = driver
        self.url = url

    def open(self, path=""):
        """Goes to a page, by its path without the leading slash."""
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

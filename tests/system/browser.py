"""Chromium for tests: a page of the web client, and what a person would do with it."""

import os
import pathlib

import pytest
from stack import ROOT, TIMEOUT, until

webdriver = pytest.importorskip("selenium.webdriver", reason="python3-selenium is not installed")
from selenium.webdriver.chrome.service import Service  # noqa: E402 pylint: disable=wrong-import-position
from selenium.webdriver.common.by import By  # noqa: E402 pylint: disable=wrong-import-position
from selenium.webdriver.common.keys import Keys  # noqa: E402,F401 pylint: disable=wrong-import-position,unused-import
from selenium.webdriver.support.ui import Select  # noqa: E402 pylint: disable=wrong-import-position

CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
SCREENS = pathlib.Path(os.environ.get("CTIBUS_SCREENS", ROOT / "build-ci" / "screens"))
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--ignore-certificate-errors")

needs_browser = pytest.mark.skipif(not (os.path.exists(CHROMIUM) and os.path.exists(DRIVER)),
                                   reason="chromium and chromium-driver are not installed")


class Page:
    """One browser with one page. Clicks wait for what they need."""

    def __init__(self, url, width=1280, height=850, dark=False, language="en"):
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for flag in (*FLAGS, f"--window-size={width},{height}", f"--lang={language}"):
            options.add_argument(flag)
        options.add_experimental_option("prefs", {"intl.accept_languages": language})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.url = url
        self.driver = webdriver.Chrome(service=Service(DRIVER), options=options)
        self.driver.set_page_load_timeout(TIMEOUT)
        self.resize(width, height)
        if dark:
            self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                        {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
        self.driver.get(url)

    def resize(self, width, height):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                    {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.driver.quit()

    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def one(self, css, timeout=TIMEOUT):
        return until(lambda: next(iter(self.all(css)), None), lambda: f"{css} on the page: {self.text()[:2000]}", timeout)

    def js(self, script, *args):
        return self.driver.execute_script(script, *args)

    def text(self, css="body"):
        """What is to be read there; empty when it is not there."""
        return self.js("return [...document.querySelectorAll(arguments[0])].map(e => e.innerText).join('\\n')", css)

    def wait_text(self, text, css="body", timeout=TIMEOUT):
        until(lambda: text in self.text(css), lambda: f"{text!r} in {css}: {self.text(css)[:1500]}", timeout)

    def gone(self, css, timeout=TIMEOUT):
        until(lambda: not self.all(css), f"{css} is gone", timeout)

    def click(self, css=None, label=None, inside=""):
        """A button by its selector, or by its name as it is read aloud or shown."""
        find = """const all = [...document.querySelectorAll(arguments[0])];
                  return all.find(e => !arguments[1] || (e.getAttribute('aria-label') ?? e.innerText).trim() === arguments[1]);"""
        at = css or f"{inside} button, {inside} a, {inside} [role=option], {inside} [role^=menuitem]"
        element = until(lambda: self.js(find, at, label), lambda: f"{label or css} can be clicked: {self.text()[:1500]}")
        self.js("arguments[0].scrollIntoView({block: 'nearest'})", element)
        element.click()

    def type(self, css, text):
        element = self.one(css)
        element.clear()
        element.send_keys(text)

    def choose(self, css, text):
        """An option of a select, by its text."""
        Select(self.one(css)).select_by_visible_text(text)

    def date(self, css, value):
        """A day, "2001-01-02", as a calendar puts it into the field."""
        self.js("""const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set;
                   set.call(arguments[0], arguments[1]); arguments[0].dispatchEvent(new Event('input', {bubbles: true}));""", self.one(css), value)

    def login(self, user="alice", password=None, stay=True):
        self.type("input[name=user]", user)
        self.type("input[name=password]", password or user)
        if not stay:
            self.click("input[type=checkbox]")
        self.click(".button.primary")
        self.one(".shell, .wall, .admin")
        return self

    def go(self, view):
        self.js("window.location.hash = arguments[0]", view)

    def card(self, name):
        """What the card of a colleague says."""
        return self.text(f".person[aria-label^='{name},']")

    def lamp(self, name):
        for lamp in ("idle", "ringing", "busy", "hold", "offline", "none"):
            if self.all(f".person[aria-label^='{name},'].is-{lamp}"):
                return lamp
        return None

    def screen(self, name):
        SCREENS.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(SCREENS / f"{name}.png"))

    def settle(self):
        """For what must not happen: what the page had to do is done (events are handled, two frames drawn), and a request of it
        that came after is answered."""
        answer = self.driver.execute_async_script("""
            const done = arguments[0];
            setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() =>
                fetch('/', {cache: 'no-store'}).then(r => r.text()).then(t => done(t.length), e => done(String(e)))))));""")
        assert isinstance(answer, int) and answer > 0, answer

    def problems(self):
        """What the browser has complained about, but for connections that were cut on purpose."""
        return [line for line in self.driver.get_log("browser") if line["level"] == "SEVERE"
                and "WebSocket" not in line["message"] and "net::ERR" not in line["message"]]

# SPDX-License-Identifier: Apache-2.0
"""A browser for the console's pages: Debian's Chromium with its WebDriver. faults() returns a page's errors (CSP reports, messages on the browser's
console)."""
import contextlib
import json
import os
import subprocess
import tempfile
import urllib.request

import npm
import waiting
from selenium import webdriver
from selenium.common.exceptions import JavascriptException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

ROOT = npm.ROOT
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def axe_source():
    return npm.read(npm.module("axe-core/axe.min.js"))


class Browser:
    def __init__(self, home, insecure=False):
        options = Options()
        for word in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server", "--hide-scrollbars",
                     f"--user-data-dir={home}"):
            options.add_argument(word)
        options.binary_location = "/usr/bin/chromium"
        options.accept_insecure_certs = insecure
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.driver.set_script_timeout(waiting.HANG_S)

    def run(self, script, *args):
        return self.driver.execute_script(script, *args)

    def open(self, url):
        self.driver.get(url)

    def until(self, script, *args, what=None):
        """Waits until the script returns a true value, and returns that value. Elements that the script reads may not exist yet."""
        failure = ""

        def holds():
            nonlocal failure
            try:
                return self.run(script, *args)
            except JavascriptException as e:
                failure = e.msg
                return None
        try:
            return waiting.wait_until(holds, what or script, shows=self.text, every_s=0.05)
        except waiting.Stalled as why:
            raise AssertionError(f"{what or script}: {str(why).partition('; last seen')[0]} {failure}; the page says: {self.text()[:1500]}") from None

    def click(self, script, *args, what=None):
        """Clicks on the element that the script returns, once it exists and nothing covers it. Opens the menu "Actions" if the element is in it."""
        element = self.until(script, *args, what=what)
        self.run("arguments[0].closest('.actions .sheet')?.parentNode.setAttribute('open', '')", element)
        self.run("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def text(self):
        return self.run("return document.body?.innerText ?? ''")

    def until_text(self, words):
        return self.until("return document.body?.innerText.includes(arguments[0])", words, what=words)

    def repaint(self):
        """Waits until requested changes are visible: the page paints at the next frame."""
        self.driver.execute_async_script("const [done] = arguments; requestAnimationFrame(() => requestAnimationFrame(done));")

    def size(self, width, height=800):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})

    def dress(self, language, theme):
        """Switches language and theme without reloading the page."""
        self.driver.execute_async_script(
            "const [language, theme, done] = arguments; document.documentElement.style.colorScheme = theme;"
            "const base = document.querySelector('script[type=module]').src.replace(/main\\.js$/, '');"
            "import(base + 'words.js').then(m => m.speak(language)).then(() => requestAnimationFrame(() => requestAnimationFrame(done)));", language, theme)

    def press(self, *keys):
        chain = ActionChains(self.driver)
        for key in keys:
            chain.send_keys(key)
        chain.perform()

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def faults(self):
        """Errors since the last call. Refused API requests are not errors: the page reports them itself."""
        return [line["message"] for line in self.driver.get_log("browser") if line["level"] in ("SEVERE", "WARNING")
                and not ("/api/v1/" in line["message"] and ("Failed to load resource" in line["message"] or "ERR_" in line["message"]))]

    def axe(self, source, within="html"):
        """Accessibility violations (axe) within the elements of that selector, as lines."""
        if not self.run("return Boolean(window.axe)"):
            self.run(source)
        said = self.driver.execute_async_script(
            "const [tags, within, done] = arguments; axe.run(within, {runOnly: tags, resultTypes: ['violations']}).then("
            "r => done(r.violations.map(v => v.id + ': ' + v.help + ' — ' + v.nodes.slice(0, 3).map(n => n.html.slice(0, 160) + ' ' + (n.any[0] || n.all[0] || {}).message).join(' | '))));", AXE_RULES, within)
        return said

    def overflow(self):
        """Elements that overflow the page at its right edge; empty if there are none."""
        return self.run("const w = innerWidth; if (document.documentElement.scrollWidth <= w) return ''; return [...document.querySelectorAll('body *')]"
                        ".filter(e => e.getBoundingClientRect().right > w + 1 && !e.closest('.scroll, nav.side')).slice(0, 4).map(e => e.outerHTML.slice(0, 120)).join('\\n') || 'something';")


@contextlib.contextmanager
def browser(insecure=False):
    """insecure: accept servers whose certificate has no known authority."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        b = Browser(home, insecure)
        try:
            yield b
        finally:
            b.driver.quit()


def link_of(dev, account="dev"):
    """A one-time sign-in link, as `dari console` prints it: for the region's administrator, a user of the account admin only."""
    said = subprocess.run([os.environ.get("DARI", os.path.join(os.environ.get("DARI_BUILD", os.path.join(ROOT, "build/main")), "src/daemon/dari")), "--config", dev.config,
                           "console", "--account", account, "--json"], check=True, capture_output=True, text=True)
    return json.loads(said.stdout)["url"]


def ask(url, method="GET", body=None, headers=None):
    """(status, headers, body) of a request, redirects not followed."""
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None
    request = urllib.request.Request(url, method=method, data=body if body is None or isinstance(body, bytes) else json.dumps(body).encode(), headers=headers or {})
    try:
        with urllib.request.build_opener(Stay).open(request, timeout=waiting.HANG_S) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as problem:
        return problem.code, problem.headers, problem.read()

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: web src/api/console
# when: long
"""Remote consoles in a browser (chromium with its WebDriver), under the pages' content security policy. The display is noVNC's page, the terminal
Dari's."""
import os
import sys
import tempfile

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud as lib  # noqa: E402
from dev import Dev  # noqa: E402
import waiting  # noqa: E402



@pytest.fixture(scope="module")
def browser():
    with tempfile.TemporaryDirectory() as home:
        options = Options()
        for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server",
                     f"--user-data-dir={home}"):
            options.add_argument(word)
        options.binary_location = "/usr/bin/chromium"
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        yield driver
        driver.quit()


@pytest.fixture(scope="module")
def project():
    with Dev() as dev:
        own = lib.own(dev)
        image = own.ok("GET", "/image/v2/images")["images"][0]["id"]
        wish = {"server": {"name": "seen", "imageRef": image, "flavorRef": "t3.micro", "networks": "auto"}}
        own.seen = own.ok("POST", "/compute/v2.1/servers", wish, version="compute 2.37")["server"]["id"]
        await_status(own, "ACTIVE")
        yield own


def await_status(project, wanted):
    def status():
        return project.ok("GET", f"/compute/v2.1/servers/{project.seen}")["server"]["status"]
    waiting.wait_until(lambda: status() == wanted, wanted, shows=status)


def open_console(browser, project, protocol, kind):
    wish = {"remote_console": {"protocol": protocol, "type": kind}}
    path = f"/compute/v2.1/servers/{project.seen}/remote-consoles"
    browser.get(project.ok("POST", path, wish, version="compute 2.6")["remote_console"]["url"])


def wait_until(browser, words, look):
    said = []
    waiting.wait_until(look, words, shows=lambda: said.extend(browser.get_log("browser")) or said)


def check_policy(browser):
    """Checks that the policy blocked nothing on the page."""
    assert [] == [line for line in browser.get_log("browser") if "Content Security Policy" in line["message"]]


def test_display(browser, project):
    open_console(browser, project, "vnc", "novnc")
    middle = """const screen = document.querySelector("canvas");
                return screen && screen.width == 640 && screen.height == 400
                       && Array.from(screen.getContext("2d").getImageData(320, 200, 1, 1).data).join(" ");"""
    wait_until(browser, "the guest's picture", lambda: browser.execute_script(middle) == "255 255 255 255")
    assert "simulated" in browser.title
    check_policy(browser)


def test_terminal(browser, project):
    open_console(browser, project, "serial", "serial")
    screen, state = (browser.find_element(By.ID, name) for name in ("screen", "state"))
    wait_until(browser, "what the guest wrote", lambda: "there is no machine" in screen.text)
    assert state.get_attribute("class") == "open"
    screen.send_keys("ls -l /tmq", Keys.BACK_SPACE, "p", Keys.ENTER)
    wait_until(browser, "what was typed", lambda: screen.text.rstrip().endswith("ls -l /tmp"))
    check_policy(browser)
    project.ok("POST", f"/compute/v2.1/servers/{project.seen}/action", {"os-stop": None})
    wait_until(browser, "that the guest is off", lambda: state.get_attribute("class") != "open")
    assert "ls -l /tmp" in screen.text


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-x", "-p", "no:cacheprovider", *sys.argv[1:]]))

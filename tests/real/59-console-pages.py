#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: web src/api/console
"""The console's pages of a running guest, in Debian's Chromium: the display is drawn and the serial port answers, both opened from the instance's
page; and the processor chart rises under load."""
# limit: 900 s
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import browser as web  # noqa: E402
from waiting import soon  # noqa: E402
from region import Region, wait_until  # noqa: E402

BUSY = "(timeout 120 sh -c 'while :; do :; done' </dev/null >/dev/null 2>&1 &)"
# Number of non-black pixels of the display.
LIGHT = ("const c = document.querySelector('#screen canvas'); if (!c?.width) return 0;"
         "const one = new OffscreenCanvas(c.width, c.height).getContext('2d', {willReadFrequently: true}); one.drawImage(c, 0, 0);"
         "const d = one.getImageData(0, 0, c.width, c.height).data; let n = 0; for (let k = 0; k < d.length; k += 4) n += d[k] + d[k + 1] + d[k + 2] > 60;"
         "return n;")
# Caption of the processor chart.
USED = "return [...document.querySelectorAll('figcaption')].find(f => f.innerText.includes('CPU'))?.innerText ?? ''"


def button(browser, words):
    browser.click("return [...document.querySelectorAll('main [role=toolbar] button, main .bar button')].find(b => b.innerText === arguments[0] && !b.disabled)",
                  words, what=words)


def open_page(browser, region, identifier):
    browser.open(f"http://127.0.0.1:{region.port}/console/instances/{identifier}")
    browser.until("return document.querySelector('figcaption, .charts')", what="the page of the instance")


def screen(region, browser, identifier):
    open_page(browser, region, identifier)
    button(browser, "Console (VNC)")
    browser.until_text("Press Ctrl+F6 to release it")
    light = []

    def is_drawn():
        light[:] = [browser.run(LIGHT)]
        return light[0] > 500
    region.check_soon("the guest's screen is drawn in the page", is_drawn)
    region.check(f"without a report of the policy or an error ({light[0]} points are light)", not browser.faults())


def serial(region, browser, identifier):
    open_page(browser, region, identifier)
    first = browser.driver.current_window_handle
    button(browser, "Serial console")
    wait_until(lambda: len(browser.driver.window_handles) == 2, "the window of the serial port")
    browser.driver.switch_to.window(next(w for w in browser.driver.window_handles if w != first))
    browser.until("return document.querySelector('#state.open')", what="the serial port")
    browser.press("\n")
    browser.until("return document.querySelector('#screen').textContent.includes('# ')", what="a prompt")
    browser.press("echo one-$((40 + 2))-two\n")
    browser.until("return document.querySelector('#screen').textContent.includes('one-42-two')", what="the answer")
    region.check("a command typed into the page answers there", True)
    region.check("without a report of the policy or an error", not browser.faults())
    browser.driver.close()
    browser.driver.switch_to.window(first)


def percent(browser):
    found = re.search(r"([\d.]+)\s?%", browser.run(USED))
    return float(found[1]) if found else None


def chart(region, browser, identifier, address):
    open_page(browser, region, identifier)
    wait_until(lambda: percent(browser) is not None, "figures of the guest")
    calm = percent(browser)
    soon(lambda: percent(browser) < 30, shows=lambda: percent(browser))  # an emulated guest is busy for a while after its boot
    calm = percent(browser)
    region.ssh(address, BUSY)
    seen = []

    def rises():
        seen[:] = [percent(browser)]
        return seen[0] > calm + 10  # a busy machine gives the guest little processor time
    region.check_soon(f"the chart of its processors rises from {calm} %", rises)
    region.check(f"to {seen[0]} %, as the chart says to who does not see it", "CPU" in browser.run(
        "return document.querySelector('dari-chart').getAttribute('aria-label')"))
    region.check("it is drawn", browser.run("return document.querySelector('dari-chart canvas')?.width > 100"))


def main():
    with Region("web") as region:
        _, identifier, address = region.witness("people")
        region.command("user", "create", "anna", "--account", "people")
        with web.browser() as browser:
            browser.size(1280)
            browser.open(region.command("console", "--user", "anna", "--account", "people")["url"])
            browser.until("return document.querySelector('nav.side')", what="the frame of the pages")
            screen(region, browser, identifier)
            serial(region, browser, identifier)
            chart(region, browser, identifier, address)
        region.check_clean()


main()

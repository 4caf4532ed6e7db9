#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: web src/api/console src/base/picture
# when: long
"""Displays and serial ports in a browser: an instance's display in the console's pages, drawn by noVNC's core; the page of a serial port, a line
terminal until the guest addresses the cursor or the user asks for more. The guests are simulated: a display of one colour, and a port that echoes."""
import os
import re
import sys

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import browser as web  # noqa: E402
import native  # noqa: E402
from console import go, instance, look, pages, world  # noqa: E402
import waiting  # noqa: E402

TEXT = "document.querySelector('.xterm-accessibility-tree').innerText"


@pytest.fixture(scope="module")
def dev():
    with world() as region:
        yield region


@pytest.fixture(scope="module")
def page(dev):
    with pages(dev) as b:
        yield b


# ---- screens ----

def drawn(b):
    """Size of the canvas, and the colour in its middle: red, green, blue, opacity."""
    return b.run("const c = document.querySelector('#screen canvas'), one = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});"
                 "if (!c?.width) return null; one.drawImage(c, -(c.width >> 1), -(c.height >> 1)); return [c.width, c.height, ...one.getImageData(0, 0, 1, 1).data];")


@pytest.fixture
def screen(page, dev):
    one = instance(dev, "web-1")
    go(page, dev, f"instances/{one}")
    page.faults()
    page.click("return [...document.querySelectorAll('main .bar button')].find(b => b.innerText === 'Console (VNC)')", what="the button")
    page.until("return location.pathname === arguments[0]", f"/console/screen/{one}")
    page.until_text("Press Ctrl+F6 to release it")
    return page


def test_a_screen_is_drawn(screen):
    def is_drawn():
        seen = drawn(screen)
        return seen and seen[:2] == [640, 400] and seen[2:5] != [0, 0, 0]
    waiting.wait_until(is_drawn, "the screen is drawn", shows=lambda: drawn(screen))
    assert not screen.faults()


def test_keys_are_the_guests_until_it_is_left(screen, dev):
    path = screen.run("return location.pathname")
    screen.until("return document.activeElement.matches('#screen canvas')", what="the focus")
    screen.press("gi?c", Keys.TAB)  # keys that navigate on the page itself
    assert screen.run("return [location.pathname, document.activeElement.tagName, Boolean(document.querySelector('dialog'))]") == [path, "CANVAS", False]
    ActionChains(screen.driver).key_down(Keys.CONTROL).send_keys(Keys.F6).key_up(Keys.CONTROL).perform()
    assert screen.run("return document.activeElement.id") == "screen-first"
    screen.press(Keys.ENTER)
    assert screen.run("return document.activeElement.tagName") == "CANVAS"


def test_a_text_is_typed(screen):
    screen.click("return [...document.querySelectorAll('main .bar button')].find(b => b.innerText === 'Send text…')")
    screen.until("return document.activeElement?.name === 'text'", what="the field")
    screen.press("echo ")
    screen.run("document.activeElement.value += '다리 €\\n'")
    screen.click("return [...document.querySelectorAll('dialog button')].find(b => b.innerText.startsWith('Send'))")
    screen.until("return !document.querySelector('dialog')", what="the dialog gone")
    assert "Press Ctrl+F6 to release it" in screen.text() and not screen.faults()


def test_a_screen_ends_with_its_page(screen, dev):
    """And reconnects: the old connection does not occupy a slot."""
    for _ in range(12):  # more than an account may have open
        go(screen, dev, "volumes")
        screen.until("return !document.querySelector('#screen')", what="the other page")
        go(screen, dev, f"screen/{instance(dev, 'web-2')}")
        screen.until_text("Press Ctrl+F6 to release it")
    assert not screen.faults()


def test_a_screen_is_closed_with_its_guest(screen, dev):
    one = instance(dev, "web-1")
    dev.ec2.stop_instances(InstanceIds=[one])
    screen.until_text("Console closed.")
    dev.rest()
    screen.click("return [...document.querySelectorAll('main .bar button')].find(b => b.innerText === 'Reconnect')")
    screen.until("return document.querySelector('[role=alert]')", what="why it cannot be opened")
    dev.ec2.start_instances(InstanceIds=[one])
    dev.rest()
    screen.click("return [...document.querySelectorAll('main .bar button')].find(b => b.innerText === 'Reconnect')")
    screen.until_text("Press Ctrl+F6 to release it")


def test_dresses_of_a_screen(page, dev):
    path = f"screen/{instance(dev, 'web-2')}"
    wrong = look(page, dev, path, [("en", "light", 1280), ("ko", "dark", 1280), ("ko", "dark", 360)])
    assert not wrong, "\n".join(wrong)


def test_no_such_instance(page, dev):
    go(page, dev, "screen/i-0123456789abcdef0")
    page.until_text("Instance not found")


# ---- serial ports ----

@pytest.fixture
def port(dev):
    """open(language, width): the page of a port, connected."""
    with web.browser() as b:
        def start(language="en", width=1280):
            b.size(width)
            b.open(dev.url + "/console/")
            b.run("localStorage.setItem('dari.language', arguments[0])", language)
            url = native.admin(dev).api_ok("POST", f"/instances/{instance(dev, 'web-1')}/console", {"type": "serial"})["url"]
            b.faults()
            b.open(url)
            b.until("return document.querySelector('#state.open') && document.querySelector('#screen').textContent.includes('no machine')", what="the port")
            return b
        yield start


def send(b, text):
    """Sends text as if it was typed; the port echoes it."""
    b.run("send(arguments[0])", text)


def test_paper_stays_for_what_it_can_show(port):
    b = port()
    b.press("uname")
    b.until("return document.querySelector('#screen').textContent.endsWith('uname')", what="what was typed")
    send(b, "\x1b[1;32mgreen\x1b[0m \x1b[H\x1b[2J\x1b[Kplain")
    b.until("return document.querySelector('#screen').textContent === 'plain'", what="the paper")
    assert b.run("return performance.getEntriesByType('resource').every(r => !r.name.includes('xterm'))"), "xterm was loaded for nothing"
    assert not b.faults()


def test_a_guest_that_moves_the_cursor_has_a_terminal(port):
    b = port()
    send(b, "before\r\x1b[?1049h\x1b[5;10Hhere \x1b[38;2;250;10;10mred\x1b[0m <b>no markup</b>")
    b.until("return document.querySelector('#screen').hidden && document.querySelector('.xterm')", what="the terminal")
    b.until(f"return {TEXT}.includes('here red <b>no markup</b>')", what="what was said before it was loaded")
    rows = b.run("return [...document.querySelectorAll('.xterm-rows > div')].map(e => e.innerText.replace(/\\u00a0/g, ' '))")
    assert rows[4].startswith("         here red"), rows[:6]
    colour = b.run("return getComputedStyle([...document.querySelectorAll('.xterm-rows span')].find(e => e.innerText.includes('red'))).color")
    assert colour == "rgb(250, 10, 10)"
    assert re.fullmatch(r"stty cols \d+ rows \d+", b.run("return document.querySelector('#size').innerText"))
    b.press("typed")
    b.until(f"return {TEXT}.includes('typed')", what="what is typed into it")
    ActionChains(b.driver).key_down(Keys.CONTROL).send_keys(Keys.F6).key_up(Keys.CONTROL).perform()
    assert b.run("return document.activeElement.id") == "other"
    b.press(Keys.ENTER)
    b.until("return !document.querySelector('#screen').hidden", what="the paper again")
    send(b, "\x1b[9;9H")  # after the user's choice the guest cannot switch any more
    b.press("x")
    b.until("return document.querySelector('#screen').textContent.endsWith('x')", what="the paper")
    assert not b.run("return document.querySelector('#screen').hidden")
    assert not b.faults()


def test_nothing_is_loaded_by_itself_where_it_is_narrow(port):
    b = port("ko", 360)
    assert "연결되었습니다" in b.text() and b.run("return document.documentElement.lang") == "ko" and b.driver.title == "시리얼 콘솔"
    send(b, "\x1b[5;10Hthere")
    b.until("return document.querySelector('#screen').textContent.includes('there')", what="the paper")
    assert not b.run("return document.querySelector('.xterm')")
    assert not b.overflow()
    b.click("return document.querySelector('#other')")
    b.until(f"return document.querySelector('.xterm') && {TEXT}.includes('there')", what="the terminal, asked for")
    assert not b.overflow() and not b.faults()


@pytest.mark.parametrize("full", [False, True])
def test_what_axe_finds_on_a_port(port, full):
    b = port()
    if full:
        b.click("return document.querySelector('#other')")
        b.until(f"return document.querySelector('.xterm') && {TEXT}.includes('no machine')", what="the terminal")
    wrong = b.axe(web.axe_source())
    assert not wrong, "\n".join(wrong)


def test_words_of_the_port_are_whole():
    with open(os.path.join(web.ROOT, "web/console/serial.js"), encoding="utf-8") as f:
        text = f.read()
    table = text.split("const KO = {")[1].split("};")[0]
    assert set(re.findall(r'\bword\("([^"]+)"\)', text)) == set(re.findall(r'"([^"]+)":', table))


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))

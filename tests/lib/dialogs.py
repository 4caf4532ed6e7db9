# SPDX-License-Identifier: Apache-2.0
"""Operates buttons, dialogs and fields of the console's pages. axe checks each dialog, also at 360 px in Korean."""


def press(b, words, where="main"):
    """Clicks the button with that text or label."""
    b.click(f"return [...document.querySelectorAll('{where} button')].find(e => !e.disabled && (e.innerText.replace(/…$/, '') === arguments[0] || e.getAttribute('aria-label') === arguments[0]"
            " || e.textContent.replace(/…$/, '') === arguments[0]))", words, what=f"the button {words}")


def open_row(b, words):
    b.click("return [...document.querySelectorAll('tr[data-id]')].find(r => r.innerText.includes(arguments[0]))?.querySelector('a')", words, what=words)


def dialog(b, title):
    """Waits until the dialog of that title is open, then checks it by axe and on a narrow page in Korean."""
    b.until("return document.querySelector('dialog[open] h2')?.innerText.startsWith(arguments[0])", title, what=f"the dialog {title}")
    b.size(360)
    b.dress("ko", "dark")
    wrong = [b.axe(b.axe_text, "dialog"), b.overflow()]
    b.dress("en", "light")
    b.size(1280)
    assert not any(wrong), wrong


def fill(b, **values):
    for name, value in values.items():
        b.run("const [name, value] = arguments, e = document.querySelector(`dialog [name=\"${name}\"]`); e.value = value; e.dispatchEvent(new Event('input', {bubbles: true}));"
              "e.dispatchEvent(new Event('change', {bubbles: true}));", name, str(value))


def tick(b, name, value=None):
    b.run("const [name, value] = arguments; [...document.querySelectorAll(`dialog input[name=\"${name}\"]`)].find(e => value === null || e.value === value).click();", name, value)


def answer(b, kind="b1"):
    b.click(f"return document.querySelector('dialog .{kind}:not(:disabled)')", what="the answer")


def closed(b):
    b.until("return !document.querySelector('dialog[open]')", what="the dialog gone")


def command(b, words):
    b.until("return document.querySelector('.cmd pre')?.innerText.includes(arguments[0])", words, what=f"the command {words}")

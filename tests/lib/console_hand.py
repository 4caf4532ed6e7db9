# SPDX-License-Identifier: Apache-2.0
"""A user's hand in the console: by keyboard alone or by pointer, at a width, in a language. Labels are English sentences, the keys of the console's
catalogue: the hand looks for their translation. By keyboard it presses Tab until the control has the focus, so a control that Tab does not reach, or
whose focus cannot be seen, fails the task."""
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

REPLACED_MAX = 5  # repaints that replace an element while it is clicked
TABS_MAX = 160  # presses until a control must have been reached
WIDE = 1000  # CSS pixels: from here on an open row stands beside its list

# Text of a control without decoration: an aria-label, or the text without hidden parts, keys, counts and the dots of a dialog.
LIBRARY = """
const plain = (e) => { const c = e.cloneNode(true); c.querySelectorAll('[aria-hidden], kbd, .num').forEach((x) => x.remove()); return c.textContent.replace(/\\s+/g, ' ').trim().replace(/…$/, ''); };
const control = (words, within) => [...document.querySelectorAll(within)].flatMap((w) => [...w.querySelectorAll('button, a, summary')])
	.find((e) => !e.disabled && (plain(e) === words || e.getAttribute('aria-label') === words) && (e.getClientRects().length || e.closest('details.actions')));
"""
FOCUS_IS_SEEN = "const e = document.activeElement, s = getComputedStyle(e.closest('.opt') ?? e); return s.outlineStyle !== 'none' || e.matches('dialog, main, .palette input')"

# Collects the texts of all notes, because a note leaves the page after seconds. Closes those of the task before, whose buttons "Undo" come first.
HEARING = """if (!window.heard) {
	let before = [];
	window.heard = [];
	new MutationObserver(() => {
		const now = [...document.querySelectorAll('.note')].map((e) => e.innerText);
		for (const words of now) {
			const at = before.indexOf(words);
			at < 0 ? window.heard.push(words) : before.splice(at, 1);
		}
		before = now;
	}).observe(document.body, {subtree: true, childList: true, characterData: true});
}
document.querySelectorAll('.note .plain').forEach((e) => e.click());
window.heard.length = 0;
"""


class Hand:
    def __init__(self, b, way, width, language, axe):
        self.b, self.way, self.width, self.language, self.axe = b, way, width, language, axe
        self.words = {}
        b.size(width)
        b.dress(language, "light")
        b.run(HEARING)

    # ---- words ----

    def word(self, key, /, **values):
        """The sentence in the reader's language."""
        known = (key, *sorted(values.items()))
        if known not in self.words:
            self.words[known] = self.b.driver.execute_async_script(
                "const [key, values, done] = arguments, base = document.querySelector('script[type=module]').src.replace(/main\\.js$/, '');"
                "import(base + 'words.js').then((m) => done(m.t(key, values)));", key, values or None)
        return self.words[known].removesuffix("…")

    def says(self, key, within="body", /, **values):
        """Waits for the sentence."""
        self.b.until("return [...document.querySelectorAll(arguments[1])].some((e) => e.innerText.includes(arguments[0]))", self.word(key, **values), within, what=f"{key} in {within}")

    def hears(self, key, /, **values):
        """Waits for a note with the sentence, which may have left the page already. Each note counts once. Closes the note unless it has the button
        "Undo": an equal note that replaces it in the same frame would not be heard."""
        self.b.until("const at = window.heard.findIndex((words) => words.includes(arguments[0])); if (at < 0) return false;"
                     "[...document.querySelectorAll('.note')].filter((e) => e.innerText === window.heard[at] && !e.querySelector('button:not(.plain)')).forEach((e) => e.querySelector('.plain').click());"
                     "return window.heard.splice(at, 1)", self.word(key, **values), what=f"a note: {key}")

    # ---- keys and pointer ----

    def reach(self, find, *args, what):
        """Tab until the element that the script returns has the focus."""
        self.b.until(find, *args, what=what)
        for _ in range(TABS_MAX):
            if self.b.run(f"return document.activeElement === (() => {{ {find} }})()", *args):
                assert self.b.run(FOCUS_IS_SEEN), f"the focus is not seen on {what}"
                return
            self.b.press(Keys.TAB)
        raise AssertionError(f"Tab does not reach {what}; the focus is on {self.b.run('return document.activeElement.outerHTML.slice(0, 200)')}")

    def use(self, find, *args, what):
        """Activates a button, a link or a menu."""
        if self.way == "pointer":
            self.click(find, *args, what=what)
        else:
            self.reach(find, *args, what=what)
            self.b.press(Keys.ENTER)

    def click(self, find, *args, what):
        """Clicks on the element; again, if a repaint has replaced it between the search and the click."""
        for _ in range(REPLACED_MAX):
            element = self.b.until(find, *args, what=what)
            try:
                self.b.run("arguments[0].scrollIntoView({block: 'center'})", element)
                element.click()
                return
            except StaleElementReferenceException:
                continue
        raise AssertionError(f"{what} is replaced all the time")

    def press(self, key, within="main", /, **values):
        """Presses the button or link with that label; a menu around it is opened first."""
        words, find = self.word(key, **values), LIBRARY + "return control(arguments[0], arguments[1])"
        self.b.until(find, words, within, what=f"{key} ({words}) in {within}")
        if self.b.run(LIBRARY + "const e = control(arguments[0], arguments[1]), menu = e.closest('details.actions'); return menu && !menu.open && e.tagName !== 'SUMMARY'", words, within):
            self.use(LIBRARY + "return control(arguments[0], arguments[1])?.closest('details.actions').querySelector('summary')", words, within, what="the menu of actions")
        self.use(find, words, within, what=f"{key} ({words})")

    def fill(self, name, value, within="dialog[open]"):
        """Types a value, chooses an option, or sets a box."""
        css = f"{within} [name=\"{name}\"]"
        find = "return document.querySelector(arguments[0])"
        element = self.b.until(find, css, what=css)
        if self.way == "pointer":
            self.b.run("arguments[0].scrollIntoView({block: 'center'})", element)
        else:
            self.reach(find, css, what=css)
        kind = self.b.run("return arguments[0].tagName === 'SELECT' ? 'select' : arguments[0].type", element)
        if kind == "select":
            self.choose(element, str(value))
        elif kind == "checkbox":
            if element.is_selected() != value:
                element.click() if self.way == "pointer" else self.b.press(Keys.SPACE)
        else:
            if self.way == "pointer":
                element.click()
            element.send_keys(Keys.CONTROL, "a")
            element.send_keys(str(value) or Keys.DELETE)

    def use_box(self, find, *args):
        """Checks or unchecks a box without a name."""
        if self.way == "pointer":
            self.b.until(find, *args).click()
        else:
            self.reach(find, *args, what="the box")
            self.b.press(Keys.SPACE)

    def choose(self, element, value):
        """By the arrows, as a keyboard's user does, or by a click on the option."""
        if self.way == "pointer":
            Select(element).select_by_value(value)
            return
        values = self.b.run("return [...arguments[0].options].map((o) => o.value)", element)
        at, to = self.b.run("return arguments[0].selectedIndex", element), values.index(value)
        for _ in range(abs(to - at)):
            self.b.press(Keys.ARROW_DOWN if to > at else Keys.ARROW_UP)
        assert self.b.run("return arguments[0].value", element) == value

    # ---- pages, rows, dialogs ----

    def release_display(self):
        """Takes the keyboard back from a guest's display, which has it once it is open: otherwise Ctrl K goes to the guest."""
        if self.way == "keyboard":
            self.b.until("return document.activeElement.closest('#screen')", what="the display with the focus")
            self.b.driver.switch_to.active_element.send_keys(Keys.CONTROL, Keys.F6)
            self.b.until("return !document.activeElement.closest('#screen')", what="the display without the focus")

    def go(self, name):
        """Opens a page: by Ctrl K and its title, or by its link in the menu."""
        self.b.until("return !document.querySelector('dialog[open]')", what="no dialog")
        if self.way == "pointer":
            link = self.b.until("return document.querySelector(`nav.side a[href$='/console/${arguments[0]}']`)", name, what=f"{name} in the menu")
            self.b.run("arguments[0].scrollIntoView({block: 'center', inline: 'center'})", link)
            link.click()
        else:
            title = self.b.run(LIBRARY + "return plain(document.querySelector(`nav.side a[href$='/console/${arguments[0]}']`))", name)
            self.b.driver.switch_to.active_element.send_keys(Keys.CONTROL, "k")
            self.b.until("return document.activeElement.closest('.palette')", what="the palette")
            self.b.press(name)  # the English name works in each language
            place = "[...document.querySelectorAll('.palette li')].findIndex((e) => e.querySelector('.title').textContent === arguments[0])"
            self.b.until(f"return {place} >= 0", title, what=f"{title} in the palette")
            for _ in range(self.b.run(f"return {place}", title)):
                self.b.press(Keys.ARROW_DOWN)
            self.b.press(Keys.ENTER)
        self.b.until("return location.pathname.split('/')[2] === arguments[0] && !location.pathname.split('/')[3] && document.querySelector('main h1')", name, what=f"the page {name}")
        self.b.until("return ![...document.querySelectorAll('main p[role=status]')].some((p) => /…$/.test(p.textContent))", what=f"the rows of {name}")
        self.b.repaint()

    @property
    def place(self):
        """The element that contains an open row's actions."""
        return "aside.beside" if self.width >= WIDE else "main"

    def filter_for(self, text):
        """Filters a list that does not draw all its rows, or lacks the row. A list draws only rows in view and continues where it was left, so the row
        that is drawn now may be gone once the cursor moves; and earlier tasks leave theirs."""
        if self.b.run("const rows = [...document.querySelectorAll('tr[data-id]')], count = rows[0]?.closest('table').ariaRowCount;"
                      "return rows.some((r) => r.innerText.includes(arguments[0])) && (!count || Number(count) === rows.length + 1)", text):
            return
        if self.way == "pointer":
            self.b.until("return document.getElementById('q')", what="the filter").click()
        else:
            self.b.run("document.activeElement.matches('input') && document.activeElement.blur()")
            self.b.press("/")
            self.b.until("return document.activeElement.id === 'q'", what="the filter with the focus")
        self.b.driver.switch_to.active_element.send_keys(Keys.CONTROL, "a")
        self.b.press(text)
        # The list may still be unfiltered, and show the row: a key would move the focus to another row, which the filter then removes.
        self.b.until("return new URLSearchParams(location.search).get('q') === arguments[0]", text, what=f"the filter {text} in the address")
        self.b.repaint()
        self.b.until("return [...document.querySelectorAll('tr[data-id]')].some((r) => r.innerText.includes(arguments[0]))", text, what=f"the row {text} behind its filter")
        if self.way == "keyboard":
            self.b.press(Keys.ARROW_DOWN)  # from the field to the first row

    def row(self, text):
        """Opens the row with that text."""
        self.filter_for(text)
        find = "return [...document.querySelectorAll('tr[data-id]')].find((r) => r.innerText.includes(arguments[0]))?.querySelector('a[href]')"
        link = self.b.until(find, text, what=f"the row {text}")
        path = self.b.run("return new URL(arguments[0].href).pathname", link)
        if self.way == "pointer":
            self.b.run("arguments[0].scrollIntoView({block: 'center'})", link)
            link.click()
        else:
            self.walk(text)
            self.b.press(Keys.ENTER)
        self.b.until("return document.querySelector('aside.beside') || location.pathname === arguments[0]", path, what=f"{text} opened")

    def walk(self, text):
        """Moves the cursor to the row with J and K."""
        self.b.run("document.getElementById('main').focus({preventScroll: true})") if self.b.run("return document.activeElement === document.body") else None
        at = "const rows = [...document.querySelectorAll('tr[data-id]')], here = rows.findIndex((r) => r.contains(document.activeElement)), to = rows.findIndex((r) => r.innerText.includes(arguments[0]));"
        for _ in range(TABS_MAX):
            here, to = self.b.run(at + "return [here, to]", text)
            if here == to:
                return
            self.b.press("k" if here > to else "j")
            self.b.repaint()
            self.b.repaint()
        raise AssertionError(f"J and K do not reach {text}: {here}, {to}, " + self.b.run("const e = document.activeElement; return `${e.outerHTML.slice(0, 200)} ${document.getElementById('q')?.value}`"))

    def pick(self, text):
        """Selects the row."""
        self.filter_for(text)
        find = "return [...document.querySelectorAll('tr[data-id]')].find((r) => r.innerText.includes(arguments[0]))?.querySelector('input[type=checkbox]')"
        box = self.b.until(find, text, what=f"the row {text}")
        if self.way == "pointer":
            box.click()
        else:
            self.walk(text)
            self.b.press(Keys.SPACE)
        self.b.until("return [...document.querySelectorAll('tr[aria-selected=true]')].some((r) => r.innerText.includes(arguments[0]))", text, what=f"{text} selected")

    def act(self, key, /, **values):
        """An action of the open row."""
        self.press(key, f"{self.place} [role=toolbar]", **values)

    def dialog(self):
        """A dialog is open: axe and overflow."""
        self.b.until("return document.querySelector('dialog[open] h2')", what="the dialog")
        wrong = [*self.b.axe(self.axe, "dialog"), self.b.overflow()]
        assert not any(wrong), wrong

    def answer(self, key, /, **values):
        """Presses the dialog's button, and waits for its end."""
        title = self.b.until("return document.querySelector('dialog[open] h2')?.innerText", what="the dialog")
        self.dialog()
        self.press(key, "dialog[open]", **values)
        self.b.until("return document.querySelector('dialog[open] h2')?.innerText !== arguments[0]", title, what=f"the end of the dialog {title}")

    def gone(self, text):
        self.b.until("return ![...document.querySelectorAll('tr[data-id]')].some((r) => r.innerText.includes(arguments[0]))", text, what=f"{text} gone")

    def back(self):
        """Closes the open row, or a dialog without an answer."""
        self.b.press(Keys.ESCAPE)
        self.b.repaint()



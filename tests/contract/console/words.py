#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: web src/engine
"""The console's catalogues, read without a browser: every sentence in both languages, events compared with the engine's sentences, plural forms, one
key for each page, and readable colours."""
import os
import re
import sys

import pytest

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.."))
CONSOLE = os.path.join(ROOT, "web/console")
# Old paraphrases, replaced by the field's words.
OLD = ["What it is", "What it does", "What happened", "Whose", "Made", "Leads to", "stays yours", "Ways out", "Can A reach B?", "Who may do this?", "People", "You", "Look again", "The same, as", "It cannot be undone.",
       "Bring an image in", "Take away", "picked", "lead nowhere", "is gone", "stands still", "on its way"]


def read(*path):
    with open(os.path.join(CONSOLE, *path), encoding="utf-8") as f:
        return f.read()


def said():
    """Every sentence in a module of the pages."""
    found = set()
    for folder, _, names in os.walk(CONSOLE):
        for name in names:
            if name.endswith(".js") and not folder.endswith("words"):
                found |= set(re.findall(r'\bt\("((?:[^"\\]|\\.)*)"', read(folder, name)))
    return found


def literals():
    """All string literals of src/engine, with %s for each value; adjacent literals are joined."""
    found = []
    for folder, _, names in os.walk(os.path.join(ROOT, "src/engine")):
        for name in names:
            if name.endswith((".c", ".h")):
                with open(os.path.join(folder, name), encoding="utf-8") as f:
                    found += re.findall(r'"((?:[^"\\\n]|\\.)*)"', re.sub(r'"\s*(?:STR_FMT|PRI\w+)\s*"|"\s*(?:STR_FMT|PRI\w+)(?=\s*[,)])', lambda m: "s" + ("" if m[0].endswith('"') and m[0].count('"') == 2 else '"'), re.sub(r'"\s*\n\s*"', "", f.read())))
    return set(found)


def test_the_fields_words_are_used():
    sentences = said()
    assert not sentences & set(OLD)
    assert not [s for s in sentences for words in OLD[-5:] if words in s]


def test_events_are_the_engines():
    """A pattern is a literal of the engine, or a format that produces one; its code is a word of the engine."""
    found = literals()
    formats = [re.compile(".*".join(map(re.escape, re.split(r"%[a-z]+", f)))) for f in found if "%" in f and re.search(r"[a-z]", re.sub(r"%[a-z]+", "", f))]
    events = re.findall(r'\["(\w+)", "([^"]+)", "((?:[^"\\]|\\.)*)", \(', read("event_words.js"))
    assert len(events) > 100
    for kind, what, pattern in events:
        assert what in found or what in ("up", "down"), (kind, what)
        assert pattern in found or pattern.rstrip(".") in found or re.fullmatch(r"(\{\w+\}[:. ]*)+", pattern) or any(f.fullmatch(pattern) for f in formats), (kind, what, pattern)


def test_plural_forms():
    """A sentence with a count has a singular form."""
    forms = read("words/en.js")
    counted = [s for s in said() if re.search(r"\{n\} (\w+ )*(instances|volumes|snapshots|addresses|images|groups|hosts|accounts|users|members|prices|vCPUs|interfaces|pairs|rules)\b", s) and not s.startswith("All ")]
    assert [s for s in counted if f'"{s}"]' not in forms and "?" not in s and not s.startswith("{up}")] == []


def test_each_page_has_a_key_of_its_own():
    keys = [k for k in re.findall(r'key: "(\w?)"', read("pages.js")) if k]
    assert len(keys) == len(set(keys)), sorted(keys)


def test_words_are_whole():
    """Every sentence of the pages has a Korean translation, and there are no unused ones."""
    own, of_server = read("words/ko.js").split("// Words from the server:")
    known = set(re.findall(r'"((?:[^"\\]|\\.)*)":', own))
    also = set(re.findall(r'"((?:[^"\\]|\\.)*)":', of_server))
    assert not said() - known - also and not known - said()
    for key, value in re.findall(r'"((?:[^"\\]|\\.)*)": "((?:[^"\\]|\\.)*)"', own + of_server):
        assert set(re.findall(r"\{\w+\}", key)) == set(re.findall(r"\{\w+\}", value)), key


def test_colours_can_be_read():
    """Contrast of text on each background, in both themes: at least 4.5."""
    colours = {name: (a, b) for name, a, b in re.findall(r"--(\w+):light-dark\((#\w+),(#\w+)\)", read("app.css"))}

    def luminance(colour):
        digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
        parts = [int(digits[k:k + 2], 16) / 255 for k in (0, 2, 4)]
        r, g, b = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    def contrast(one, other):
        high, low = sorted((luminance(one), luminance(other)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    for theme in (0, 1):
        for word in ("ink", "dim", "acc", "ok", "go", "bad", "off"):
            for ground in ("bg", "card", "sel", "hover", "code"):
                assert contrast(colours[word][theme], colours[ground][theme]) >= 4.5, (theme, word, ground)
        assert contrast(colours["on"][theme], colours["acc"][theme]) >= 4.5 and contrast(colours["on"][theme], colours["bad"][theme]) >= 4.5


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: web src/engine
"""The console's catalogues, read without a browser: every sentence in both languages, events compared with the engine's sentences, plural forms, one
key for each page, and readable colours."""
import glob
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


def table():
    """Rows of event_table.js: (kind, what, pattern)."""
    text = read("event_table.js")
    rows = re.findall(r'\["(\w+)", "([^"]+)", "((?:[^"\\]|\\.)*)", \(', text.split("const NAMED")[0])
    for kind, noun, codes in re.findall(r'\["(\w+)", "([^"]+)", "([cud]+)", \(', text):
        rows += [(kind, {"c": "created", "u": "changed", "d": "deleted"}[code], f"{noun} {{name}}.") for code in codes]
    return rows


def test_events_are_the_engines():
    """A pattern is a literal of the engine, or a format that produces one; its code is a word of the engine."""
    found = literals()
    formats = [re.compile(".*".join(map(re.escape, re.split(r"%[a-z]+", f)))) for f in found if "%" in f and re.search(r"[a-z]", re.sub(r"%[a-z]+", "", f))]
    events = table()
    assert len(events) > 400
    words = found | {"up", "down"} | {word for path in glob.glob(os.path.join(ROOT, "schema/*.toml")) for line in open(path, encoding="utf-8") for word in re.findall(r"enum:([\w,-]+)", line) for word in word.split(",")}
    for kind, what, pattern in events:
        assert what in words, (kind, what)
        assert pattern in found or pattern.rstrip(".") in found or re.fullmatch(r"(\{\w+\}[:. ]*)+", pattern) or any(f.fullmatch(pattern) for f in formats), (kind, what, pattern)


def arguments(text, at):
    """Arguments of a call in C, from behind its parenthesis."""
    found, one, depth = [], "", 1
    for token in re.finditer(r'"(?:[^"\\]|\\.)*"|[(),]|[^"(),]+', text[at:]):
        depth += (token[0] == "(") - (token[0] == ")")
        if depth == 0:
            return [" ".join(a.split()) for a in [*found, one]]
        if token[0] == "," and depth == 1:
            found, one = [*found, one], ""
        else:
            one += token[0]
    raise AssertionError(text[at:at + 200])


CHOICES = re.compile(r'"((?:[^"\\]|\\.)*)"')


def sentences(written, values):
    """Sentences that a format makes: "%s" with a choice of words stands for each of them."""
    made = [re.sub(r'"\s*"', "", re.sub(r"\b(STR_FMT|PRI\w+)\b", '"s"', written))]
    made = CHOICES.findall(made[0])
    for value in values:
        words = CHOICES.findall(value) if "?" in value else ["7"]
        made = [re.sub(r"%[a-z]+", lambda _, w=word: w, sentence, count=1) for sentence in made for word in words]
    return [re.sub(r"%[a-z]+", "7", sentence) for sentence in made]


def logged():
    """Events that the engine logs with a literal code: (kind, what, a sentence)."""
    for path in glob.glob(os.path.join(ROOT, "src/engine/**/*.c"), recursive=True):
        with open(path, encoding="utf-8") as f:
            text = f.read()
        for call in re.finditer(r"engine_log_event\(", text):
            _, kind, _, what, written, *values = arguments(text, call.end())
            words = CHOICES.findall(what)
            if not kind.startswith("KIND_") or not words or "[" in what:
                continue  # the code is a word of a table
            made = sentences(written, values)
            share = len(made) // len(words) if len(made) % len(words) == 0 else 0  # one choice decides both the code and the sentence
            for k, word in enumerate(words):
                for sentence in made[k * share:(k + 1) * share] if share else made:
                    yield kind[len("KIND_"):].lower(), word, sentence, os.path.relpath(path, ROOT)


def test_each_event_has_words():
    """Each sentence that the engine logs is translated: a new event needs a row in event_table.js."""
    rows = {}
    for kind, what, pattern in table():
        rows.setdefault((kind, what), []).append(re.compile("".join(".*" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{\w+\})", pattern))))
    missing = sorted({(kind, what, sentence, path) for kind, what, sentence, path in logged() if not any(p.fullmatch(sentence) for p in rows.get((kind, what), []))})
    assert not missing, "\n".join(map(str, missing))


def test_each_kind_of_an_event_has_words():
    """Pages name the resource of an event by its kind, if it is no row of theirs."""
    known = set(re.findall(r'"kind:(\w+)":', read("words/ko.js")))
    assert not {kind for kind, *_ in logged()} - known


def test_plural_forms():
    """A sentence with a count has a singular form."""
    forms = read("words/en.js")
    counted = [s for s in said() if re.search(r"\{n\} (\w+ )*(instances|volumes|snapshots|addresses|images|groups|hosts|accounts|users|members|prices|vCPUs|interfaces|pairs|rules)\b", s) and not s.startswith("All ")]
    assert [s for s in counted if f'"{s}"]' not in forms and "?" not in s and not s.startswith("{up}")] == []


def test_each_page_has_a_key_of_its_own():
    keys = [k for k in re.findall(r'key: "(\w?)"', read("pages.js")) if k]
    assert len(keys) == len(set(keys)), sorted(keys)


def test_keys_of_lists_do_not_collide():
    """A list's letter belongs to one of its actions, and is no letter of every page."""
    everywhere = set(re.findall(r'key === "(\S)"', read("keys.js")))
    assert {"g", "c", "j", "k", "z", "/", "?"} <= everywhere
    found = 0
    for folder, _, names in os.walk(CONSOLE):
        for name in names:
            if name.endswith(".js") and name not in ("pages.js", "keys.js"):
                letters = [k for k in re.findall(r'\bid: "[\w-]+", key: "(\w)"', read(folder, name))]
                found += len(letters)
                assert len(letters) == len(set(letters)) and not set(letters) & everywhere, (name, letters)
    assert found


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

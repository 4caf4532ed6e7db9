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


def test_the_fields_words_are_used():
    sentences = said()
    assert not sentences & set(OLD)
    assert not [s for s in sentences for words in OLD[-5:] if words in s]


def table():
    """Rows of event_table.js: (kind, what, pattern)."""
    text = read("event_table.js")
    rows = [(kind, what, pattern.replace('\\"', '"')) for kind, what, pattern in re.findall(r'\["(\w+)", "([^"]+)", "((?:[^"\\]|\\.)*)", \(', text.split("const NAMED")[0])]
    for kind, noun, codes in re.findall(r'\["(\w+)", "([^"]+)", "([cud]+)", \(', text):
        rows += [(kind, {"c": "created", "u": "changed", "d": "deleted"}[code], f"{noun} {{name}}.") for code in codes]
    return rows


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


STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
CONVERSION = re.compile(r"%(?:\.\*s|(?:ll|l|z)?[du]|s)")  # those that event_split() knows


def template(words):
    """A sentence with "{}" for each argument, as the engine's log holds it."""
    return re.sub(r"\{\w*\}", "{}", words)


def sentences(written):
    """Sentences of an expression in C: adjacent literals are joined, and a choice has several."""
    macros = re.sub(r"\bSTR_FMT\b", '".*s"', re.sub(r"\bPRI([du])64\b", r'"l\1"', written))
    joined = [re.sub(r'"\s+"', "", one) for one in re.split(r"[?:](?=(?:[^\"]|\"(?:[^\"\\\\]|\\\\.)*\")*$)", macros)]
    return [found[0].replace('\\"', '"') for found in map(STRING.findall, joined) if len(found) == 1]


def logged():
    """Events that the engine logs: (kind or None, what or None, a sentence, the file); None: it comes from a table."""
    for path in glob.glob(os.path.join(ROOT, "src/engine/**/*.c"), recursive=True):
        with open(path, encoding="utf-8") as f:
            text = f.read()
        for call in re.finditer(r"\b(?:engine_log_event|engine_log_sentence|(engine_log_event_to))\(", text):
            given = arguments(text, call.end())
            if call[1]:
                _, _, kind, _, what, written = given[:6]
            else:
                _, kind, _, what, written = given[:5]
            if "condition" in what:
                continue  # shown by its name: event_words.js
            kind = kind[len("KIND_"):].lower() if kind.startswith("KIND_") else None
            words = (STRING.findall(what) if "[" not in what else []) or [None]
            made = sentences(written)
            for k, word in enumerate(words):
                for sentence in [made[k]] if "?" in what and what.split("?")[0] == written.split("?")[0] else made:  # the same choice decides both
                    yield kind, word, sentence, os.path.relpath(path, ROOT)
        for call in re.finditer(r"\b(?:migration_put_logged)\(", text):
            for sentence in sentences(arguments(text, call.end())[2]):
                yield "cloud_migration", None, sentence, os.path.relpath(path, ROOT)


def test_formats_are_of_events():
    """event_split() reads the conversions that events use, and takes each value of them."""
    for *_, sentence, path in logged():
        assert "%" not in CONVERSION.sub("", sentence).replace("%%", ""), (sentence, path)
        assert "{}" not in sentence, (sentence, path)


def test_each_event_has_words():
    """Each sentence that the engine logs is translated: a new event needs a row in event_table.js."""
    rows = [(kind, what, template(pattern)) for kind, what, pattern in table()]
    assert len(rows) > 400
    assert sorted({row for row in rows if rows.count(row) > 1}) == []
    missing = sorted({(kind or "", what or "", sentence, path) for kind, what, sentence, path in logged()
                      if not any(kind in (None, k) and what in (None, w) and template(CONVERSION.sub("{}", sentence)) == p for k, w, p in rows)})
    assert not missing, "\n".join(map(str, missing))


def test_each_row_has_an_event():
    """A row of event_table.js that no event has is a translation that nobody sees."""
    known, texts = {}, set()
    for kind, what, sentence, _ in logged():
        known.setdefault(CONVERSION.sub("{}", sentence).replace("%%", "%"), set()).add((kind, what))
    for path in glob.glob(os.path.join(ROOT, "src/engine/**/*.c"), recursive=True):
        with open(path, encoding="utf-8") as f:
            text = f.read()
        for name, value in re.findall(r'^#define (\w+) ("[^"]*")', text, re.MULTILINE):
            text = re.sub(rf"\b{name}\b", lambda _, v=value: v, text)
        texts |= set(STRING.findall(re.sub(r'"\s+"', "", text)))
    unknown = [(kind, what, pattern) for kind, what, pattern in table()
               if pattern not in texts and not any(k in (None, kind) and w in (None, what) for k, w in known.get(template(pattern), ()))]
    assert not unknown, "\n".join(map(str, unknown))


def test_each_kind_of_an_event_has_words():
    """Pages name the resource of an event by its kind, if it is no row of theirs."""
    known = set(re.findall(r'"kind:(\w+)":', read("words/ko.js")))
    assert not {kind for kind, *_ in logged() if kind} - known


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

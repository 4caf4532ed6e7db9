# SPDX-License-Identifier: Apache-2.0
"""Runs the matrices of tests/contract/cross/: the same cases for each face, generated from its tables. `--face NAME`, which may be repeated, chooses
faces; default: all. The cases of a face run one after the other in one region."""
import os
import sys

import pytest

CHOSEN = "DARI_TEST_FACES"


def chosen(faces):
    """The adapters named on the command line, in their order."""
    names = os.environ.get(CHOSEN, "").split()
    assert set(names) <= {f.name for f in faces}, f"--face is one of {', '.join(f.name for f in faces)}"
    return [f for f in faces if not names or f.name in names]


# Plugins of pytest that the matrices do not need: they cost half of the time of a case that sends nothing.
UNUSED = ("cacheprovider", "doctest", "faulthandler", "junitxml", "logging", "nose", "pastebin", "recwarn", "setuponly", "setupplan", "stepwise",
          "threadexception", "unittest", "unraisableexception", "warnings")


class Places:
    """A pytest plugin: orders the cases by face, and keeps the region of the present face."""

    def __init__(self, opener):
        self.opener = opener
        self.face, self.manager, self.made = None, None, None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items):
        items[:] = [i for i in items if hasattr(i.callspec.params["face"], "actions")]  # excludes faces that were not chosen
        order = list(dict.fromkeys(i.callspec.params["face"] for i in items))
        items.sort(key=lambda i: order.index(i.callspec.params["face"]))

    @pytest.fixture
    def place(self, face):
        if face is not self.face:
            self.close()
            self.face, self.made, self.manager = face, None, getattr(face, self.opener)()
            self.made = self.manager.__enter__()
        assert self.made, "the region or what is in it could not be made: see the first case"
        return self.made

    def close(self):
        manager, self.manager, self.face = self.manager, None, None
        if manager and self.made:
            manager.__exit__(None, None, None)

    def pytest_runtest_teardown(self, item, nextitem):
        """Ends the region after its last case: a failed assertion at the end fails that case."""
        if nextitem is None or nextitem.callspec.params["face"] is not item.callspec.params["face"]:
            self.close()

    def pytest_sessionfinish(self):
        self.close()


def cases(faces, of_face):
    """Decorates a test with its cases: (face, *of_face(face)) each; their ids begin with the face's name."""
    found = [(face, *(case if isinstance(case, tuple) else (case,))) for face in faces for case in of_face(face)]
    names = ("face", "name", "param")[:len(found[0]) if found else 2]
    return pytest.mark.parametrize(",".join(names), found, ids=["-".join([c[0].name, *map(str, c[1:])]) for c in found])


def kinds(faces):
    """Decorates a test with (face, name, kind) for each entry of the adapters' .cases, {kind: names}."""
    return cases(faces, lambda face: [(what, kind) for kind, asked in face.cases.items() for what in asked])


def ask(place, face, what, kind):
    """Runs one such case: the method named by the kind asserts, or returns complaints."""
    wrong = list(getattr(face, kind)(place, what) or ())
    assert not wrong, "\n" + "\n".join(wrong)


def main(script, opener="open"):
    """Runs the script's cases; returns the exit status. opener: name of the adapters' function that creates what the cases need."""
    rest, names, argv = [], [], iter(sys.argv[1:])
    for word in argv:
        if word == "--face":
            names.append(next(argv))
        elif word.startswith("--face="):
            names.append(word.partition("=")[2])
        else:
            rest.append(word)
    os.environ[CHOSEN] = " ".join(names)
    quick = [option for name in UNUSED for option in ("-p", f"no:{name}")]
    return pytest.main(["-q", "--tb=short", *quick, "--import-mode=importlib", *rest, script], plugins=[Places(opener)])

# SPDX-License-Identifier: Apache-2.0
"""Steps of a tour in Python: each prints "ok - WORDS" or "not ok - WORDS: REASON", which tests/clients/run counts.

This module needs the standard library alone, because it runs in each client's own virtual environment."""
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback

ENDPOINT, CA_FILE = os.environ["ENDPOINT"], os.environ["CA_FILE"]
MOST_LOOKS = 600  # of await_that(); a client's own waiting has the client's limits


def tell(words, fault=None):
    reason = " ".join(str(fault).split())[:int(os.environ.get("TOUR_WORDS", "400"))]
    print(f"ok - {words}" if fault is None else f"not ok - {words}: {reason}", flush=True)


@contextlib.contextmanager
def step(words):
    """A step fails with whatever its body raises; the tour goes on."""
    try:
        yield
    except Exception as e:  # pylint: disable=broad-except
        tell(words, f"{type(e).__name__}: {e}")
    else:
        tell(words)


def same(got, wanted):
    assert got == wanted, f"got {got!r} instead of {wanted!r}"


def refused(call, wanted, read=str):
    """The call must fail, and what `read` finds in its exception must be `wanted` or, if it is a text, contain that."""
    try:
        got = call()
    except Exception as e:  # pylint: disable=broad-except
        found = read(e)
        assert found == wanted or (isinstance(found, str) and wanted in found), f"refused with {found!r} instead of {wanted!r}"
        return
    raise AssertionError(f"answered {got!r} instead of refusing with {wanted!r}")


def await_that(holds, words):
    """Looks until holds() is true."""
    for _ in range(MOST_LOOKS):
        if holds():
            return
        time.sleep(0.2)
    raise AssertionError(f"{words} did not come true")


class Failed(Exception):
    """A command's exit status was not 0; the text is what it wrote to standard error."""


class Program:
    """A client that is a command. `last` is appended to each call's words, and `env` is added to the environment.

    `main` runs the command in a fork of this process instead of a new one: a client in Python, imported once, takes a tenth of the time."""

    def __init__(self, *argv, last=(), env=None, main=None):
        self.argv, self.last, self.env, self.main = argv, last, env or {}, main

    def copy(self, last=None, **env):
        return Program(*self.argv, last=self.last if last is None else last, env={**self.env, **env}, main=self.main)

    def text(self, *words, status=0):
        argv = [*self.argv, *words, *self.last]
        got, out, errors = self.forked(argv) if self.main else self.started(argv)
        if got != status:
            raise Failed(f"exit status {got}: {errors or out}")
        return out

    def started(self, argv):
        done = subprocess.run(argv, env={**os.environ, **self.env}, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def forked(self, argv):
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
            child = os.fork()
            if not child:
                os.dup2(out.fileno(), 1)
                os.dup2(errors.fileno(), 2)
                os.environ.update(self.env)
                sys.argv = list(argv)
                run_main(self.main)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            out.seek(0)
            errors.seek(0)
            return status, out.read(), errors.read()

    def say(self, *words):
        """The command's JSON value."""
        text = self.text(*words)
        return json.loads(text) if text.strip() else None


def run_main(main):
    """Ends the process as the command would, and never returns into the tour."""
    status = 1
    try:
        status = main() or 0
    except SystemExit as e:
        status = e.code if isinstance(e.code, int) else int(e.code is not None)
    except BaseException:  # pylint: disable=broad-except
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: long
# subjects: src/drivers/remote src/engine/remote src/reconcile/remote
"""The region is killed before and after requests of a migration, also while the answer is on its way. Afterwards the migration goes on by itself: the disks are
equal, there is one instance, and nothing is left there."""
import os
import shutil
import signal
import sys
import tempfile
import threading

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import elsewhere  # noqa: E402
from block_cloud import BlockCloud, block  # noqa: E402
from dev import Dev  # noqa: E402
from migrating import begin, do, finish, is_clean, rests_in, root_of  # noqa: E402


class World:
    """The cloud, a proxy in front of it, and a region that can be killed and started again with its data."""

    def __init__(self, there):
        self.there, self.data, self.proxy = there, tempfile.mkdtemp(), BlockCloud(there, 3)
        there.ec2 = there.account.client()
        self.home = Dev("--data", self.data)
        elsewhere.add(self.home, "there", "aws", there, self.proxy.url)

    def again(self):
        port = self.home.port
        self.home.end(signal.SIGKILL)
        self.home = Dev("--data", self.data, port=port)

    def die_at(self, word, when, nth=1):
        """The region is to be killed at the nth request that has the word: before it is passed on, or before its answer is. Returns what waits for that."""
        met, dead = threading.Event(), threading.Event()
        left = [nth]

        def meets(path, body):
            if (word in path.encode() or word in body) and b"DryRun" not in body and not met.is_set():
                left[0] -= 1
                return left[0] == 0
            return False

        def hold():
            met.set()
            dead.wait(120)

        def meddle(method, path, body):
            if when == "after" or not meets(path, body):
                return None
            hold()
            return 200, {}, None

        def note(path, body, answer):
            answer = self.proxy.note(path, body, answer)
            if when == "after" and meets(path, body):
                hold()
                return None
            return answer
        self.proxy.meddle, self.proxy.change = meddle, note

        def wait():
            assert met.wait(120), word
            self.again()
            self.proxy.meddle, self.proxy.change = lambda *_: None, self.proxy.note
            dead.set()
        return wait


@pytest.fixture(scope="module")
def world():
    with Dev() as there:
        made = World(there)
        yield made
        made.home.end()
        made.proxy.end()
        shutil.rmtree(made.data)


COPYING = [(b"Action=CreateSnapshots", 1), (b"Action=DescribeSnapshots", 2), (b"/blocks?", 2), (b"/blocks/5?", 1), (b"/blocks/700?", 1)]
CUTOVER = [(b"Action=StopInstances", 1), (b"Action=CreateSnapshots", 1), (b"/changedblocks", 1), (b"Action=DescribeInstances", 3), (b"Action=DeleteSnapshot", 1)]


def whens(cases):
    """Each case before its request, and of EC2's calls, which the region there answers, before the answer, too."""
    return [(*c, when) for c in cases for when in ("before", "after") if when == "before" or c[0].startswith(b"Action")]


@pytest.mark.parametrize("word,nth,when", whens(COPYING))
def test_copying(world, word, nth, when):
    waits = world.die_at(word, when, nth)
    ref = begin(world)
    waits()
    rests_in(world, ref, "synced")
    root_of(world, ref)[9] = block("last ")
    finish(world, ref)


@pytest.mark.parametrize("word,nth,when", whens(CUTOVER))
def test_cutover(world, word, nth, when):
    ref = begin(world)
    rests_in(world, ref, "synced")
    root_of(world, ref)[9] = block("last ")
    waits = world.die_at(word, when, nth)
    do(world, "cutover", ref)
    waits()
    finish(world, ref)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("word", [b"Action=DeleteSnapshot", b"Action=StartInstances"])
def test_undo(world, word, when):
    ref = begin(world)
    rests_in(world, ref, "synced")
    if word == b"Action=StartInstances":
        world.proxy.meddle = lambda method, path, body: (503, {"Content-Type": "application/json"}, b"{}") if "/changedblocks" in path else None
        do(world, "cutover", ref)
        rests_in(world, ref, "copying")
    waits = world.die_at(word, when)
    do(world, "undo", ref)
    waits()
    rests_in(world, ref, "undone")
    is_clean(world, ref)


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: long
# subjects: src/drivers/remote src/engine/remote src/reconcile/remote
"""The region is killed before and after requests of a migration to another cloud, also while the answer is on its way. Afterwards the migration goes on by
itself: the disks there are equal, nothing was made twice, and nothing is left there but the machine."""
import os
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from block_cloud import block  # noqa: E402
from dev import Dev  # noqa: E402
from elsewhere import power_there  # noqa: E402
from faces.native import ask  # noqa: E402
from moving_out import RUNNING, Home  # noqa: E402
from waiting import wait_until  # noqa: E402

BUSY = 503, {"Content-Type": "application/json"}, b"{}"


@pytest.fixture(scope="module")
def world():
    data = tempfile.mkdtemp()
    with Dev() as there:
        made = Home(Dev, there, "--data", data)
        yield made
        made.end()
        shutil.rmtree(data)


PLAN = [(b"/snapshots/snap-", 1), (b"/snapshots/completion/", 1)]
COPYING = [(b'"ClientToken"', 1), (b"/blocks/0", 1), (b"/blocks/700", 1), (b"/snapshots/completion/", 1), (b"Action=DescribeSnapshots&Version", 1)]
CUTOVER = [(b'"ClientToken"', 1), (b"/snapshots/completion/", 1), (b"Action=DescribeImages", 1), (b"Action=RegisterImage", 1), (b"Action=RunInstances", 1),
           (b"&InstanceId.1=", 1), (b"Action=DeregisterImage", 1), (b"Action=DeleteSnapshot", 1)]


def whens(cases):
    return [(*c, when) for c in cases for when in ("before", "after")]


@pytest.mark.parametrize("word,nth,when", whens(PLAN))
def test_plan(world, word, nth, when):
    ref = world.make()
    waits = world.die_at(word, when, nth)
    made = ask(world.home.account, "POST", "/cloud-migrations", {"instance": ref, "provider": "there"})
    assert made.status in (200, 201, 202), made
    waits()
    world.rests_in(ref, "planned")
    world.do("delete", ref)
    world.forget(ref)


@pytest.mark.parametrize("word,nth,when", whens(COPYING))
def test_copying(world, word, nth, when):
    ref = world.make()
    world.plan(ref)
    waits = world.die_at(word, when, nth)
    world.do("start", ref)
    waits()
    world.rests_in(ref, "synced")
    world.contents[ref]["/dev/xvda"][9] = block("last ")
    world.write(ref)
    world.do("cutover", ref)
    world.forget(ref, world.finish(ref))


@pytest.mark.parametrize("word,nth,when", whens(CUTOVER))
def test_cutover(world, word, nth, when):
    ref = world.make()
    world.plan(ref)
    world.do("start", ref)
    world.rests_in(ref, "synced")
    world.contents[ref]["/dev/xvda"][9] = block("last ")
    world.write(ref)
    waits = world.die_at(word, when, nth)
    world.do("cutover", ref)
    waits()
    world.forget(ref, world.finish(ref))


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("word", [b"Action=TerminateInstances", b"Action=DeregisterImage", b"Action=DeleteSnapshot"])
def test_undo(world, word, when):
    """The undo of a machine that is requested and was not seen running."""
    ref = world.make()
    world.plan(ref)
    world.do("start", ref)
    world.rests_in(ref, "synced")
    held = [True]
    world.proxy.spoil = lambda method, path, body: BUSY if held and b"Action=DescribeInstances" in body and b"InstanceId.1" in body else world.watch(method, path, body)
    world.do("cutover", ref)
    world.rests_in(ref, "starting")
    waits = world.die_at(word, when)
    world.do("undo", ref)
    held.clear()
    waits()
    machine = world.rests_in(ref, "undone")["ref"]
    wait_until(lambda: power_there(world.home, ref) == RUNNING, "the instance runs")
    assert power_there(world.there, machine) == "terminated"
    assert not world.left_there(), world.left_there()
    world.made_once()
    world.forget(ref)


def test_audits(world):
    """Neither region has anything left over."""
    world.home.audit()
    world.there.audit()


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

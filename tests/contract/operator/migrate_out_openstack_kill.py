#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: long
# subjects: src/drivers/remote/openstack src/engine/remote src/reconcile/remote
"""The region is killed before and after requests of a migration to OpenStack, also while the answer is on its way. Afterwards the migration goes on by itself:
the disks there are equal, nothing was made twice, and nothing is left there but the machine."""
import os
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from block_cloud import block  # noqa: E402
from dev import Dev  # noqa: E402
from moving_to_openstack import OpenStackHome  # noqa: E402


@pytest.fixture(scope="module")
def world():
    data = tempfile.mkdtemp()
    with Dev() as there:
        made = OpenStackHome(Dev, there, "--data", data)
        yield made
        made.end()
        shutil.rmtree(data)


def whens(words):
    return [(word, when) for word in words for when in ("before", "after")]


def end(world, ref):
    """The migration ends, and makes room for the next test."""
    world.forget(ref, world.finish(ref))
    world.arrived = None


@pytest.mark.parametrize("word,when", whens([b'"container_format"', b"/file"]))
def test_copying(world, word, when):
    ref = world.make()
    world.plan(ref)
    waits = world.die_at(word, when)
    world.do("start", ref)
    waits()
    world.rests_in(ref, "synced")
    world.contents[ref]["/dev/xvda"][9] = block("last ")
    world.write(ref)
    world.do("cutover", ref)
    end(world, ref)


@pytest.mark.parametrize("word,when", whens([b'"imageRef"', b'"flavorRef"', b"/file"]))
def test_cutover(world, word, when):
    ref = world.make()
    world.plan(ref)
    world.do("start", ref)
    world.rests_in(ref, "synced")
    world.contents[ref]["/dev/xvda"][9] = block("last ")
    world.write(ref)
    waits = world.die_at(word, when)
    world.do("cutover", ref)
    waits()
    end(world, ref)


def test_audits(world):
    """Neither region has anything left over."""
    world.home.audit()
    world.there.audit()


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

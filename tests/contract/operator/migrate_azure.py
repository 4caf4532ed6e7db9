#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: long
# subjects: src/drivers/remote/azure src/engine/remote src/reconcile/remote src/api/azure/compute
"""Virtual machines of another region move here by its Azure face: plan, two whole copies of VHDs, cutover, undo, and a cloud that answers badly. Both regions are
simulated; the disks are compared byte by byte."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from block_cloud import block  # noqa: E402
from dev import Dev  # noqa: E402
from elsewhere import power_there, run  # noqa: E402
from migrating import RUNNING, STOPPED, ZERO, do, instance_here, migration, rests_in  # noqa: E402
from moving_from_azure import FromAzure  # noqa: E402
from waiting import wait_until  # noqa: E402

BUSY = 503, {"Content-Type": "application/json"}, b'{"error": {"code": "ServerBusy", "message": "busy"}}'


@pytest.fixture(scope="module")
def world():
    made = FromAzure(Dev)
    yield made
    made.end()


@pytest.fixture(autouse=True)
def honest(world):
    yield
    world.honest()


def test_whole_way(world):
    """A first copy while the machine runs, the last one when it is deallocated: the disks are equal, and no snapshot is left there. An undo afterwards starts the
    machine again."""
    ref = world.make(more=2)
    planned = run(world.home, "migrate", "plan", ref)
    assert planned.returncode == 0 and "refused" not in planned.stdout and "lacks_virtio" in planned.stdout, planned
    do(world, "set", ref, "--lacks-virtio", "no")
    do(world, "start", ref)
    assert rests_in(world, ref, "synced")["round"] == 1
    assert power_there(world.there, world.ec2_of(ref)) == RUNNING
    root = world.root(ref)
    root[5], root[600], root[1] = block("later "), block("new "), ZERO
    del root[9]
    world.write(ref)
    world.finish(ref)
    do(world, "undo", ref, "--accept-loss")
    rests_in(world, ref, "undone")
    assert power_there(world.there, world.ec2_of(ref)) == RUNNING and instance_here(world, ref)["State"]["Name"] == STOPPED
    world.forget(ref)


HOLDS = {"freezing": lambda method, path: method == "PUT" and "/snapshots/" in path, "copying": lambda method, path: "/azure/disks/" in path,
         "stopping": lambda method, path: path.split("?")[0].endswith("/deallocate")}


@pytest.mark.parametrize("stage", ["planned", *HOLDS, "synced"])
def test_undo(world, stage):
    """An undo leaves nothing at any stage, and the machine runs. The stage is held by answers that do not come to an end."""
    ref = world.make()

    def spoil(method, path, _body):
        return BUSY if stage in HOLDS and HOLDS[stage](method, path) else None
    do(world, "plan", ref)
    if stage in ("freezing", "copying"):
        world.proxy.spoil = spoil
    if stage != "planned":
        do(world, "start", ref)
        rests_in(world, ref, "synced" if stage == "stopping" else stage)
    if stage == "stopping":
        world.proxy.spoil = spoil
        do(world, "cutover", ref)
        rests_in(world, ref, stage)
    do(world, "undo", ref)
    world.honest()
    rests_in(world, ref, "undone")
    world.is_clean(ref)
    world.forget(ref)


def test_cut_download(world):
    """A connection that ends during the download: it begins anew."""
    ref, cut = world.make(), []

    def change(path, body, answer):
        if "/azure/disks/" in path and len(cut) < 2:
            cut.append(path)
            return None
        return world.note(path, body, answer)
    do(world, "plan", ref)
    world.proxy.change = change
    do(world, "start", ref)
    wait_until(lambda: len(cut) == 2, "two cut downloads", shows=lambda: migration(world, ref))
    world.finish(ref)
    world.forget(ref)


def test_audits(world):
    """Neither region has anything left over."""
    world.home.audit()
    world.there.audit()


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: long
# subjects: src/drivers/remote src/engine/remote src/reconcile/remote
"""The region is killed before and after requests of a migration from OpenStack, also while the answer is on its way. Afterwards the migration goes on by itself:
the disks are equal, there is one instance, and nothing is left there."""
import os
import shutil
import signal
import sys
import tempfile
import threading

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from block_cloud import block  # noqa: E402
from dev import Dev  # noqa: E402
from migrating import do, instance_here, migration, rests_in  # noqa: E402
from moving_from_openstack import FromOpenStack  # noqa: E402
from waiting import HANG_S, wait_until  # noqa: E402


class World(FromOpenStack):
    """The region can be killed, and started again with its data."""

    def __init__(self):
        self.data = tempfile.mkdtemp()
        super().__init__(Dev, "--data", self.data)

    def again(self):
        port = self.home.port
        self.home.end(signal.SIGKILL)
        self.home = Dev("--data", self.data, port=port)

    def die_at(self, method, word, when):
        """The region is to be killed at the first such request: before it is passed on, or before its answer is. Returns what waits for that."""
        met, dead = threading.Event(), threading.Event()

        def meets(path, body):
            return not met.is_set() and (word in path.encode() or word in body) and (method != "GET" or not body)

        def hold():
            met.set()
            dead.wait(HANG_S)

        def spoil(verb, path, body):
            if when == "after" or verb != method or not meets(path, body):
                return None
            hold()
            return 200, {}, None

        def change(path, body, answer):
            answer = self.note(path, body, answer)
            if when == "after" and meets(path, body):
                hold()
                return None
            return answer
        self.proxy.spoil, self.proxy.change = spoil, change

        def wait():
            wait_until(met.is_set, f"a request with {word}", shows=lambda: self.home.command("migrate", "list"))
            self.again()
            self.honest()
            dead.set()
        return wait


@pytest.fixture(scope="module")
def world():
    made = World()
    yield made
    made.end()
    shutil.rmtree(made.data)


CASES = [("POST", b'"createImage"'), ("POST", b'"volume_id"'), ("POST", b'"snapshot_id"'), ("POST", b'"os-volume_upload_image"'), ("GET", b"/file")]
ENDS = [("POST", b'"os-stop"'), ("GET", b"/file"), ("DELETE", b"/v2/images/"), ("DELETE", b"/volumes/")]


def whens(cases):
    return [(*c, when) for c in cases for when in ("before", "after") if c[0] != "DELETE" or when == "before"]


@pytest.mark.parametrize("method,word,when", whens(CASES))
def test_copying(world, method, word, when):
    ref = world.make(more=1)
    do(world, "plan", ref)
    waits = world.die_at(method, word, when)
    do(world, "start", ref)
    waits()
    rests_in(world, ref, "synced")
    world.root(ref)[9] = block("last ")
    world.write(ref)
    world.finish(ref)
    world.forget(ref)


@pytest.mark.parametrize("method,word,when", whens(ENDS))
def test_cutover(world, method, word, when):
    ref = world.begin(more=1)
    rests_in(world, ref, "synced")
    world.root(ref)[9] = block("last ")
    world.write(ref)
    waits = world.die_at(method, word, when)
    do(world, "cutover", ref)
    waits()
    world.finish(ref)
    assert len([i for r in world.home.account.client().describe_instances()["Reservations"] for i in r["Instances"]
                if i["InstanceId"] == instance_here(world, ref)["InstanceId"]]) == 1
    world.forget(ref)


@pytest.mark.parametrize("when", ["before", "after"])
def test_undo(world, when):
    """The undo starts the server again, and is killed at that request."""
    ref = world.begin()
    rests_in(world, ref, "synced")
    world.proxy.spoil = lambda method, path, body: (503, {"Content-Type": "application/json"}, b"{}") if path.endswith("/file") else None
    do(world, "cutover", ref)
    wait_until(lambda: migration(world, ref)["is_final"] and migration(world, ref)["stage"] == "copying", "the last round", shows=lambda: migration(world, ref))
    waits = world.die_at("POST", b'"os-start"', when)
    do(world, "undo", ref)
    waits()
    rests_in(world, ref, "undone")
    world.is_clean(ref)
    world.forget(ref)


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

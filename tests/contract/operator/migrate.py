#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: long
# subjects: src/drivers/remote src/engine/remote src/reconcile/remote src/daemon/client/commands_migrate.c src/api/native/remote
"""Machines of another region move here: plan, rounds, cutover, undo at each stage, and a cloud that answers badly. Both regions are simulated; the proxy
between them has the blocks."""
import json
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import elsewhere  # noqa: E402
from block_cloud import BLOCK, BlockCloud, block  # noqa: E402
from dev import Dev  # noqa: E402
from elsewhere import power_there, run  # noqa: E402
from migrating import ZERO, begin, do, finish, instance_here, is_clean, is_same, make_machine, migration, rests_in, root_of  # noqa: E402
from waiting import wait_until  # noqa: E402

JSON = {"Content-Type": "application/json"}


class World:
    def __init__(self, there, home):
        self.there, self.home, self.proxy = there, home, BlockCloud(there, 3)
        there.ec2 = there.account.client()
        elsewhere.add(home, "there", "aws", there, self.proxy.url)


@pytest.fixture(scope="module")
def world():
    with Dev() as there, Dev() as home:
        made = World(there, home)
        yield made
        made.proxy.end()


@pytest.fixture(autouse=True)
def honest(world):
    yield
    world.proxy.meddle, world.proxy.damage = lambda *_: None, lambda index, data: data


def test_whole_way(world):
    """Plan, rounds while the machine runs, cutover: the disks are equal, nothing is left there. After the cutover an undo says what is lost."""
    ref = make_machine(world, more=2)
    planned = run(world.home, "migrate", "plan", ref)
    assert planned.returncode == 0 and "refused" not in planned.stdout and "/dev/sdf" in planned.stdout, planned
    again = run(world.home, "migrate", "plan", ref)
    assert again.returncode != 0 and "is being migrated" in again.stderr, again
    do(world, "start", ref)
    assert rests_in(world, ref, "synced")["round"] == 1
    assert power_there(world.there, ref) == "running"
    root = root_of(world, ref)
    root[5], root[600] = block("later "), block("new ")
    del root[9]
    root[1] = ZERO
    do(world, "set", ref, "--round-s", "10")
    wait_until(lambda: migration(world, ref)["round"] >= 2 and migration(world, ref)["stage"] == "synced", "another round", shows=lambda: migration(world, ref))
    assert migration(world, ref)["delta"] in (0, 3 * BLOCK)  # 0: that of a third round
    root[700] = block("last ")
    do(world, "cutover", ref)
    rests_in(world, ref, "done")
    is_same(world, ref)
    finish(world, ref)
    assert {"Key": "Name", "Value": "web"} in instance_here(world, ref)["Tags"]
    refused = run(world.home, "migrate", "undo", ref)
    assert refused.returncode != 0 and "has run" in refused.stderr and instance_here(world, ref)["InstanceId"] in refused.stderr, refused
    do(world, "undo", ref, "--accept-loss")
    rests_in(world, ref, "undone")
    assert power_there(world.there, ref) == "running" and instance_here(world, ref)["State"]["Name"] == "stopped"
    do(world, "delete", ref)


@pytest.mark.parametrize("stage", ["planned", "freezing", "copying", "synced", "stopping", "making"])
def test_undo(world, stage):
    """An undo leaves nothing at any stage, and the machine runs. The stage is held by answers that do not come to an end."""
    busy = 503, {"Content-Type": "text/xml"}, b"<Response><Errors><Error><Code>Unavailable</Code><Message>busy</Message></Error></Errors></Response>"
    ref = make_machine(world)
    do(world, "plan", ref)
    if stage == "freezing":
        world.proxy.meddle = lambda method, path, body: busy if b"Action=CreateSnapshots" in body else None
    if stage == "copying":
        world.proxy.meddle = lambda method, path, body: (503, JSON, b"{}") if "/blocks/1?" in path else None
    if stage != "planned":
        do(world, "start", ref)
        rests_in(world, ref, "synced" if stage in ("stopping", "making") else stage)
    if stage in ("stopping", "making"):
        if stage == "stopping":
            world.proxy.meddle = lambda method, path, body: busy if b"Action=StopInstances" in body and b"DryRun" not in body else None
        do(world, "cutover", ref)
        if stage == "making":  # the machine stops, and its look before the launch is refused
            world.proxy.meddle = lambda method, path, body: (busy if b"Action=DescribeInstances" in body and b"InstanceId" in body
                                                             and migration(world, ref)["stage"] == "making" else None)
        rests_in(world, ref, stage)
    if stage == "stopping":
        wait_until(lambda: migration(world, ref)["is_stopped"], "the request to stop is noted")
    do(world, "undo", ref)
    world.proxy.meddle = lambda *_: None
    rests_in(world, ref, "undone")
    is_clean(world, ref)
    do(world, "delete", ref)


def endless(method, path, body):
    if "/blocks?" in path:
        return 200, JSON, json.dumps({"Blocks": [], "BlockSize": BLOCK, "NextToken": "more"}).encode()
    return None


@pytest.mark.parametrize("bad,words", [
    (lambda m, p, b: (200, JSON, json.dumps({"Blocks": [{"BlockIndex": 5, "BlockToken": "a"}, {"BlockIndex": 5, "BlockToken": "a"}]}).encode()) if "/blocks?" in p else None,
     "do not ascend"),
    (lambda m, p, b: (200, JSON, json.dumps({"Blocks": [{"BlockIndex": 2**40, "BlockToken": "a"}]}).encode()) if "/blocks?" in p else None, "behind the end"),
    (lambda m, p, b: (200, JSON, json.dumps({"Blocks": [{"BlockIndex": 5}]}).encode()) if "/blocks?" in p else None, "no usable token"),
    (lambda m, p, b: (200, JSON, json.dumps({"Blocks": [], "BlockSize": 4096}).encode()) if "/blocks?" in p else None, "not of 512 KiB"),
    (lambda m, p, b: (200, JSON, b"[" * 100000) if "/blocks?" in p else None, "no JSON object"),
    (lambda m, p, b: (200, {}, bytes(BLOCK)) if "/blocks/1?" in p else None, "differs from its checksum"),
    (lambda m, p, b: (200, {}, b"short") if "/blocks/1?" in p else None, "has not 512 KiB"),
    (lambda m, p, b: (302, {"Location": "http://169.254.169.254/"}, b"") if "/blocks/1?" in p else None, "redirects are not followed"),
    (lambda m, p, b: (400, {**JSON, "x-amzn-ErrorType": "RequestThrottledException"}, b'{"Message": "slow down"}') if "/blocks?" in p else None, "slow down"),
    (endless, "more pages than blocks"),
])
def test_bad_blocks(world, bad, words):
    """The disk says what is wrong, and no such block is written: when the cloud answers well again, the disks are equal."""
    ref = make_machine(world)
    do(world, "plan", ref)
    world.proxy.meddle = bad
    do(world, "start", ref)
    wait_until(lambda: words in run(world.home, "migrate", "show", ref).stdout, words, shows=lambda: run(world.home, "migrate", "show", ref).stdout)
    world.proxy.meddle = lambda *_: None
    finish(world, ref)


def test_damaged_block(world):
    """A block whose bytes were changed on the way is not written."""
    damaged = []

    def damage(index, data):
        if index == 9 and len(damaged) < 2:
            damaged.append(index)
            return b"x" + data[1:]
        return data
    world.proxy.damage = damage
    ref = begin(world)
    wait_until(lambda: len(damaged) == 2, "two damaged answers")
    finish(world, ref)


def test_lost_points(world):
    """Snapshots that somebody deletes there: copying begins anew with others."""
    world.proxy.meddle = lambda method, path, body: (503, JSON, b"{}") if "/blocks/5?" in path else None
    ref = begin(world)
    rests_in(world, ref, "copying")
    wait_until(lambda: "status 503" in run(world.home, "migrate", "show", ref).stdout, "a copy that waits")
    root_of(world, ref)[0] = block("changed ")
    world.proxy.points.clear()
    world.proxy.meddle = lambda *_: None
    wait_until(lambda: migration(world, ref)["round"] >= 2, "another round", shows=lambda: migration(world, ref))
    rests_in(world, ref, "synced")
    world.proxy.points.clear()  # the base, too
    root_of(world, ref)[1] = block("changed ")
    finish(world, ref)


def test_silent_cloud(world):
    """The cloud does not answer, as if it were down: the migration waits, and goes on."""
    silent = [False]
    world.proxy.meddle = lambda method, path, body: (200, {}, None) if silent[0] else None
    ref = begin(world)
    rests_in(world, ref, "synced")
    do(world, "cutover", ref)
    wait_until(lambda: migration(world, ref)["is_final"], "the last round", shows=lambda: migration(world, ref))
    silent[0] = True
    wait_until(lambda: any(word in run(world.home, "migrate", "show", ref).stdout for word in ("\nproblem ", " copied: ")), "a problem",
               shows=lambda: run(world.home, "migrate", "show", ref).stdout)
    assert migration(world, ref)["stage"] not in ("failed", "undone")
    silent[0] = False
    finish(world, ref)


def test_started_meanwhile(world):
    """Somebody starts the machine during the cutover: it is off, and nothing runs here."""
    held = [True]
    world.proxy.meddle = lambda method, path, body: (503, JSON, b"{}") if "/changedblocks" in path and held[0] else None
    ref = begin(world)
    rests_in(world, ref, "synced")
    do(world, "cutover", ref)
    wait_until(lambda: migration(world, ref)["is_final"] and migration(world, ref)["stage"] == "copying", "the last round", shows=lambda: migration(world, ref))
    world.there.ec2.start_instances(InstanceIds=[ref])
    world.there.rest()
    held[0] = False
    wait_until(lambda: "Somebody has started" in migration(world, ref).get("problem", ""), "the cutover is off", shows=lambda: migration(world, ref))
    assert not migration(world, ref).get("instance") and power_there(world.there, ref) == "running"
    root_of(world, ref)[1] = block("meanwhile ")
    finish(world, ref)


def test_missing_right(world):
    """A right that the credentials lack is named by the plan."""
    denied = b"<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>"
    ref = make_machine(world)
    world.proxy.meddle = lambda method, path, body: (403, {"Content-Type": "text/xml"}, denied) if b"Action=CreateSnapshots" in body else None
    said = run(world.home, "migrate", "plan", ref)
    assert "ec2:CreateSnapshots" in said.stdout, said
    assert migration(world, ref)["stage"] == "failed"


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

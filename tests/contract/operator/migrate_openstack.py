#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: long
# subjects: src/drivers/remote src/engine/remote src/reconcile/remote src/daemon/client/commands_migrate.c src/api/native/remote
"""Servers of another region move here by its OpenStack face: plan, two whole copies, cutover, undo at each stage, and a cloud that answers badly. Both regions
are simulated; the images are read byte by byte."""
import json
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from block_cloud import block  # noqa: E402
from dev import Dev  # noqa: E402
from elsewhere import power_there, run  # noqa: E402
from migrating import RUNNING, STOPPED, ZERO, do, instance_here, migration, rests_in  # noqa: E402
from moving_from_openstack import FromOpenStack  # noqa: E402
from waiting import wait_until  # noqa: E402

JSON = {"Content-Type": "application/json"}
BUSY = 503, JSON, b'{"message": "busy"}'


@pytest.fixture(scope="module")
def world():
    made = FromOpenStack(Dev)
    yield made
    made.end()


@pytest.fixture(autouse=True)
def honest(world):
    yield
    world.honest()


def test_whole_way(world):
    """A first copy while the server runs, the last one when it is stopped: the disks are equal, and nothing is left there. An undo afterwards says what is
    lost."""
    ref = world.make(more=2)
    planned = run(world.home, "migrate", "plan", ref)
    assert planned.returncode == 0 and "refused" not in planned.stdout and "/dev/vda" in planned.stdout and "whole" in planned.stdout, planned
    assert migration(world, ref)["copies_whole"] and migration(world, ref)["vcpus"] == 2, migration(world, ref)
    do(world, "start", ref)
    assert rests_in(world, ref, "synced")["round"] == 1
    assert power_there(world.there, world.ec2_of(ref)) == RUNNING
    root = world.root(ref)
    root[5], root[600], root[1] = block("later "), block("new "), ZERO
    del root[9]
    world.write(ref)
    world.finish(ref)
    assert migration(world, ref)["round"] == 2
    assert set(world.made.values()) <= {0, 1}, world.made
    refused = run(world.home, "migrate", "undo", ref)
    assert refused.returncode != 0 and "has run" in refused.stderr and instance_here(world, ref)["InstanceId"] in refused.stderr, refused
    do(world, "undo", ref, "--accept-loss")
    rests_in(world, ref, "undone")
    assert power_there(world.there, world.ec2_of(ref)) == RUNNING and instance_here(world, ref)["State"]["Name"] == STOPPED
    world.forget(ref)


def test_volume_booted(world):
    """A server that boots from a volume, whose disk Cinder copies."""
    image = world.call("GET", "/image/v2/images").json["images"][0]["id"]
    flavor = next(f["id"] for f in world.call("GET", "/compute/v2.1/flavors").json["flavors"] if f["name"] == "t3.micro")
    disk = {"uuid": image, "source_type": "image", "destination_type": "volume", "boot_index": 0, "volume_size": 10, "delete_on_termination": True}
    made = world.call("POST", "/compute/v2.1/servers", {"server": {"name": "booted", "flavorRef": flavor, "block_device_mapping_v2": [disk]}})
    ref = made.json["server"]["id"]
    world.there.rest()
    world.fill(ref)
    do(world, "plan", ref)
    assert [d["volume"] for d in world.disk_rows(ref)] == [v for v, _ in world.volumes(ref).values()], world.disk_rows(ref)
    do(world, "start", ref)
    rests_in(world, ref, "synced")
    world.root(ref)[600] = block("last ")
    world.write(ref)
    world.finish(ref)
    world.forget(ref)


HOLDS = {"freezing": lambda method, path: method == "POST" and path.endswith("/snapshots"), "copying": lambda method, path: path.endswith("/file"),
         "stopping": lambda method, path: method == "POST" and path.endswith("/action")}


@pytest.mark.parametrize("stage", ["planned", "freezing", "copying", "synced", "stopping", "making"])
def test_undo(world, stage):
    """An undo leaves nothing at any stage, and the server runs. The stage is held by answers that do not come to an end."""
    ref = world.make(more=1)

    def spoil(method, path, _body):
        if stage == "making":
            return BUSY if method == "GET" and path.endswith(f"/servers/{ref}") and migration(world, ref)["stage"] == "making" else None
        return BUSY if stage in HOLDS and HOLDS[stage](method, path) else None
    do(world, "plan", ref)
    if stage in ("freezing", "copying"):
        world.proxy.spoil = spoil
    if stage != "planned":
        do(world, "start", ref)
        rests_in(world, ref, "synced" if stage in ("stopping", "making") else stage)
    if stage in ("stopping", "making"):
        world.proxy.spoil = spoil
        do(world, "cutover", ref)
        rests_in(world, ref, stage)
    if stage == "freezing":
        wait_until(lambda: world.left_there(), "the image of the root disk")
    do(world, "undo", ref)
    world.honest()
    rests_in(world, ref, "undone")
    world.is_clean(ref)
    world.forget(ref)


def test_started_meanwhile(world):
    """Somebody starts the server during the cutover: it is off, and nothing runs here."""
    ref = world.begin()
    rests_in(world, ref, "synced")
    world.proxy.spoil = lambda method, path, body: BUSY if path.endswith("/file") else None
    do(world, "cutover", ref)
    wait_until(lambda: migration(world, ref)["is_final"] and migration(world, ref)["stage"] == "copying", "the last round", shows=lambda: migration(world, ref))
    world.there.ec2.start_instances(InstanceIds=[world.ec2_of(ref)])
    world.there.rest()
    world.honest()
    wait_until(lambda: "Somebody has started" in migration(world, ref).get("problem", ""), "the cutover is off", shows=lambda: migration(world, ref))
    assert not migration(world, ref).get("instance") and power_there(world.there, world.ec2_of(ref)) == RUNNING
    world.root(ref)[1] = block("meanwhile ")
    world.write(ref)
    world.finish(ref)
    world.forget(ref)


def test_lost_image(world):
    """An image that somebody deletes there: the round is repeated."""
    ref = world.make()
    do(world, "plan", ref)
    world.proxy.spoil = lambda method, path, body: BUSY if path.endswith("/file") else None
    do(world, "start", ref)
    rests_in(world, ref, "copying")
    for kind, identifier in world.left_there():
        assert world.call("DELETE", f"/image/v2/images/{identifier}").status == 204, kind
    world.honest()
    wait_until(lambda: migration(world, ref)["round"] >= 2, "another round", shows=lambda: migration(world, ref))
    world.finish(ref)
    world.forget(ref)


@pytest.mark.parametrize("bad,words", [
    (lambda path, answer: answer[:-1] + bytes([answer[-1] ^ 1]) if path.endswith("/file") else answer, "differ from their checksum"),
    (lambda path, answer: None if path.endswith("/file") else answer, "does not answer"),
    (lambda path, answer: b"" if path.endswith("/file") else answer, "no data"),
])
def test_damaged(world, bad, words):
    """Data that differ, or do not come, are not used. Later the same image is read again."""
    ref = world.make()
    do(world, "plan", ref)
    world.proxy.change = lambda path, body, answer: bad(path, world.note(path, body, answer))
    do(world, "start", ref)
    wait_until(lambda: words in run(world.home, "migrate", "show", ref).stdout, words, shows=lambda: run(world.home, "migrate", "show", ref).stdout)
    world.honest()
    world.finish(ref)
    world.forget(ref)


def test_foreign_format(world):
    """The guest can write what looks like another format: the cloud's word counts. A format that is no disk's ends the migration."""
    ref = world.make()
    do(world, "plan", ref)
    world.proxy.change = lambda path, body, answer: world.note(path, body, answer).replace(b'"disk_format":"qcow2"', b'"disk_format":"iso"')
    do(world, "start", ref)
    wait_until(lambda: migration(world, ref)["stage"] == "failed" and migration(world, ref).get("ended_us"), "it fails", shows=lambda: migration(world, ref))
    assert "format iso" in migration(world, ref)["problem"], migration(world, ref)
    world.honest()
    world.is_clean(ref)
    world.forget(ref)


def test_refusals(world):
    """The plan refuses a server in another state, a locked one, encrypted and shared volumes, and local disks."""
    ref = world.make(more=1)

    def changed(old, new):
        world.proxy.change = lambda path, body, answer: world.note(path, body, answer).replace(old, new)
        said = run(world.home, "migrate", "plan", ref).stdout
        world.honest()
        do(world, "delete", ref)
        return said
    assert "only ACTIVE and SHUTOFF" in changed(b'"status":"ACTIVE"', b'"status":"RESCUE"')
    assert "locked" in changed(b'"locked":false', b'"locked":true')
    assert "is encrypted" in changed(b'"encrypted":false', b'"encrypted":true')
    assert "Multi-Attach" in changed(b'"multiattach":false', b'"multiattach":true')
    assert "drop_local" in changed(b'"ephemeral":0', b'"ephemeral":20').replace("drops_local", "drop_local")
    world.forget(ref)


def test_missing_right(world):
    """The plan names a policy that refuses the credentials."""
    ref = world.make()
    denied = 403, JSON, b'{"forbidden": {"code": 403, "message": "Policy does not allow this."}}'
    world.proxy.spoil = lambda method, path, body: denied if method == "POST" and path.endswith("/snapshots") else None
    run(world.home, "migrate", "plan", ref)
    assert any("volume:create_snapshot" in text for text in migration(world, ref)["refusals"]), migration(world, ref)
    world.honest()
    world.forget(ref)


def test_silent_cloud(world):
    """The cloud does not answer, as if it were down: the migration waits, and goes on."""
    ref = world.begin()
    rests_in(world, ref, "synced")
    do(world, "cutover", ref)
    wait_until(lambda: migration(world, ref)["is_final"], "the last round", shows=lambda: migration(world, ref))
    world.proxy.spoil = lambda *_: (200, {}, None)
    wait_until(lambda: any(word in run(world.home, "migrate", "show", ref).stdout for word in ("\nproblem ", " copied: ")), "a problem",
               shows=lambda: json.dumps(migration(world, ref)))
    assert migration(world, ref)["stage"] not in ("failed", "undone")
    world.honest()
    world.finish(ref)
    world.forget(ref)


def test_audits(world):
    """Neither region has anything left over."""
    world.home.audit()
    world.there.audit()


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

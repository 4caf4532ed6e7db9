#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: long
# subjects: src/drivers/remote src/engine/remote src/reconcile/remote src/daemon/client/commands_migrate.c src/api/native/remote src/drivers/sim
"""Instances move to another region by its OpenStack face: plan, upload, cutover, undo at each stage, and a cloud that answers badly. Both regions are
simulated; the images there are read byte by byte before they are deleted."""
import os
import sys
import threading

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from block_cloud import block  # noqa: E402
from dev import Dev  # noqa: E402
from elsewhere import power_there, run  # noqa: E402
from faces.native import ask  # noqa: E402
from moving_out import RUNNING, STOPPED, ZERO  # noqa: E402
from moving_to_openstack import OpenStackHome  # noqa: E402
from waiting import HANG_S, wait_until  # noqa: E402

BUSY = 503, {"Content-Type": "application/json"}, b'{"message": "busy"}'


@pytest.fixture(scope="module")
def world():
    with Dev() as there:
        made = OpenStackHome(Dev, there)
        yield made
        made.end()


@pytest.fixture(autouse=True)
def honest(world):
    yield
    world.honest()
    world.arrived = None


def begin(world, more=None):
    """An instance whose first copy is there."""
    ref = world.make(more=more)
    world.plan(ref)
    world.do("start", ref)
    assert world.rests_in(ref, "synced")["round"] == 1
    return ref


def undone(world, ref):
    world.rests_in(ref, "undone")
    wait_until(lambda: power_there(world.home, ref) == RUNNING, "the instance runs")
    assert not world.left_there(), world.left_there()
    machine = world.migration(ref).get("ref")
    assert not machine or world.power(machine) == "terminated"
    world.made_once()
    world.forget(ref)


def test_warm(world):
    """A first copy while the instance runs, the last one when it is stopped, and an undo afterwards says what is lost."""
    ref = world.make(more=2)
    planned = world.plan(ref)
    assert planned["copies_whole"] and not planned.get("refusals"), planned
    assert any("whole" in w for w in planned["warnings"]), planned
    world.do("start", ref)
    assert world.rests_in(ref, "synced")["round"] == 1
    assert power_there(world.home, ref) == RUNNING
    root = world.contents[ref]["/dev/xvda"]
    root[5], root[600] = block("later "), block("new ")
    del root[9]
    root[1] = ZERO
    world.write(ref)
    world.do("cutover", ref)
    machine = world.finish(ref)
    server = world.call("GET", f"/compute/v2.1/servers/{machine}").json["server"]
    assert server["name"] == "web" and not server["image"], server
    found = world.there.ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": ["i-" + machine.replace("-", "")[:17]]}])["Volumes"]
    kept = {v["Attachments"][0]["Device"]: v["Attachments"][0]["DeleteOnTermination"] for v in found}
    assert sorted(kept.values()) == [False, True] and len(world.volumes_there()) == 2, (kept, world.volumes_there())
    refused = run(world.home, "migrate", "undo", ref)
    assert refused.returncode != 0 and "has run" in refused.stderr and machine in refused.stderr, refused
    world.do("undo", ref, "--accept-loss")
    world.rests_in(ref, "undone")
    assert world.power(machine) == STOPPED
    assert len(world.volumes_there()) == 2, world.volumes_there()
    wait_until(lambda: power_there(world.home, ref) == RUNNING, "the instance runs")
    world.forget(ref, machine)


def test_cold(world):
    """A stopped instance."""
    ref = world.make()
    world.home.ec2.stop_instances(InstanceIds=[ref])
    world.home.rest()
    world.plan(ref)
    world.do("start", ref)
    world.rests_in(ref, "synced")
    world.do("cutover", ref)
    world.forget(ref, world.finish(ref))


@pytest.mark.parametrize("stage", ["planned", "copying", "synced", "making", "starting"])
def test_undo(world, stage):
    """An undo leaves nothing at any stage, and the instance runs. The stage is held by answers that do not come to an end."""
    holds = {"copying": lambda method, path: method == "PUT" and path.endswith("/file"), "making": lambda method, path: method == "POST" and path.endswith("/volumes"),
             "starting": lambda method, path: method == "GET" and "/servers/" in path and "detail" not in path}.get(stage, lambda *_: False)
    ref = world.make()
    world.plan(ref)
    world.proxy.spoil = lambda method, path, body: BUSY if holds(method, path) else world.watch(method, path, body)
    if stage != "planned":
        world.do("start", ref)
        world.rests_in(ref, "copying" if stage == "copying" else "synced")
    if stage in ("making", "starting"):
        world.do("cutover", ref)
        world.rests_in(ref, stage)
        if stage == "starting":
            refused = ask(world.home.account, "POST", "/instances/start", {"instances": [ref]})
            assert refused.status in (400, 404, 409), refused
    world.do("undo", ref)
    world.honest()
    undone(world, ref)


def test_started_meanwhile(world):
    """Somebody starts the instance during the cutover: it is off, and the next cutover copies what was written since."""
    ref = begin(world)
    world.proxy.spoil = lambda method, path, body: BUSY if method == "POST" and path.endswith("/volumes") else None
    world.do("cutover", ref)
    world.rests_in(ref, "making")
    world.home.ec2.start_instances(InstanceIds=[ref])
    found = world.rests_in(ref, "synced")
    assert "started the instance" in found["problem"], found
    world.honest()
    world.contents[ref]["/dev/xvda"][9] = block("meanwhile ")
    world.write(ref)
    world.do("cutover", ref)
    world.forget(ref, world.finish(ref))


HANGS = [b'"container_format"', b"/file", b'"imageRef"', b'"flavorRef"']


def test_hang(world):
    """A request that the cloud carries out without an answer is repeated, and makes nothing twice. Each of several migrations loses the answer to another
    request, all at once, since each waits for the driver's whole timeout."""
    refs = [world.make(name=f"hung{k}") for k in range(len(HANGS))]
    held, over, lock = set(), threading.Event(), threading.Lock()

    def change(path, body, answer):
        answer = world.note(path, body, answer)
        with lock:
            word = next((w for w in HANGS if w not in held and (path.encode().endswith(w) or (len(body) < 10000 and w in body))), None)
            held.add(word)
        if word:
            over.wait(HANG_S)
            return None
        return answer
    for ref in refs:
        world.plan(ref)
    world.proxy.change = change
    for ref in refs:
        world.do("start", ref)
    for ref in refs:
        world.rests_in(ref, "synced")
        world.do("cutover", ref)
    machines = [world.rests_in(ref, "done")["ref"] for ref in refs]
    over.set()
    assert held >= set(HANGS), held
    assert all(world.power(machine) == RUNNING for machine in machines) and not world.left_there(), world.left_there()
    world.made_once()
    for ref, machine in zip(refs, machines):
        world.forget(ref, machine)


def test_damaged(world):
    """An image whose data differ there is not used: another one is uploaded."""
    ref, seen = world.make(), []

    def change(path, body, answer):
        if not seen and b'"os_hash_value"' in answer and b'"active"' in answer and "/v2/images/" in path:
            seen.append(path)
            return answer.replace(b'"os_hash_value":"', b'"os_hash_value":"0')
        return world.note(path, body, answer)
    world.plan(ref)
    world.proxy.change = change
    world.do("start", ref)
    world.rests_in(ref, "synced")
    assert seen and len(world.images()) == 2, (seen, world.images())
    world.do("cutover", ref)
    world.forget(ref, world.finish(ref))


def test_broken_server(world):
    """A server that cannot be made ends the migration, which leaves nothing there, and the instance runs again."""
    ref = begin(world)

    def change(path, body, answer):
        answer = world.note(path, body, answer)
        return answer.replace(b'"ACTIVE"', b'"ERROR"').replace(b'"BUILD"', b'"ERROR"') if "/servers/" in path and "detail" not in path else answer
    world.proxy.change = change
    world.do("cutover", ref)
    wait_until(lambda: world.migration(ref)["stage"] == "failed" and world.migration(ref).get("ended_us"), "it fails", shows=lambda: world.migration(ref))
    assert "could not be made" in world.migration(ref)["problem"], world.migration(ref)
    wait_until(lambda: power_there(world.home, ref) == RUNNING, "the instance runs")
    assert not world.left_there(), world.left_there()
    world.forget(ref)


def test_missing_rights(world):
    """The plan names policies that refuse the credentials."""
    ref = world.make()

    def spoil(method, path, body):
        if (method, path.rsplit("/", 1)[-1]) in (("POST", "images"), ("POST", "servers")):
            return 403, {"Content-Type": "application/json"}, b'{"message": "You are not authorized to complete this action.<br /><br />\\n\\n"}'
        return world.watch(method, path, body)
    world.proxy.spoil = spoil
    run(world.home, "migrate", "plan", ref, "--to", "there")
    shown = world.migration(ref)
    assert shown["stage"] == "failed", shown
    for policy in ("image:add_image", "os_compute_api:servers:create"):
        assert any(f" {policy}. " in text for text in shown["refusals"]), shown
    world.do("delete", ref)
    world.forget(ref)


def test_audits(world):
    """Neither region has anything left over."""
    world.home.audit()
    world.there.audit()


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: long
# subjects: src/drivers/remote src/engine/remote src/reconcile/remote src/daemon/client/commands_migrate.c src/api/native/remote src/drivers/sim
"""Instances move to another region by its EC2 face and EBS direct: plan, rounds, cutover, undo at each stage, and a cloud that answers badly. Both regions are
simulated; the snapshots there are read byte by byte before they are deleted."""
import json
import os
import re
import sys
import threading

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
from block_cloud import BLOCK, block  # noqa: E402
from dev import REGION, Dev  # noqa: E402
from elsewhere import owner, power_there, run  # noqa: E402
from faces.native import ask  # noqa: E402
from moving_out import RUNNING, STOPPED, ZERO, Home  # noqa: E402
from waiting import HANG_S, wait_until  # noqa: E402

BUSY = 503, {"Content-Type": "text/xml"}, b"<Response><Errors><Error><Code>Unavailable</Code><Message>busy</Message></Error></Errors></Response>"


@pytest.fixture(scope="module")
def world():
    with Dev() as there:
        made = Home(Dev, there)
        yield made
        made.end()


@pytest.fixture(autouse=True)
def honest(world):
    yield
    world.honest()
    world.arrived = None


def test_cold(world):
    """A stopped instance with one disk: one round, one more after the cutover, and the disk there is equal byte by byte."""
    ref = world.make()
    world.home.ec2.stop_instances(InstanceIds=[ref])
    world.home.rest()
    world.plan(ref)
    world.do("start", ref)
    world.rests_in(ref, "synced")
    world.do("cutover", ref)
    machine = world.finish(ref)
    found = world.there.ec2.describe_instances(InstanceIds=[machine])["Reservations"][0]["Instances"][0]
    assert found["InstanceType"] == "t3.micro" and {"Key": "Name", "Value": "web"} in found["Tags"], found
    world.do("undo", ref, "--accept-loss")
    world.rests_in(ref, "undone")
    assert power_there(world.there, machine) == STOPPED and power_there(world.home, ref) == STOPPED
    world.do("delete", ref)


def test_warm(world):
    """Rounds copy what a running instance has changed, the cutover stops it, and an undo afterwards says what is lost."""
    ref = world.make(more=2)
    planned = run(world.home, "migrate", "plan", ref, "--to", "there")
    assert planned.returncode == 0 and "/dev/sdf" in planned.stdout, planned
    again = run(world.home, "migrate", "plan", ref, "--to", "there")
    assert again.returncode != 0 and "is being migrated" in again.stderr, again
    world.do("set", ref, "--to-type", "t3.micro", "--round-s", "10")
    world.do("start", ref)
    assert world.rests_in(ref, "synced")["round"] == 1
    assert world.migration(ref)["delta"] == 10 * BLOCK
    assert power_there(world.home, ref) == RUNNING
    root = world.contents[ref]["/dev/xvda"]
    root[5], root[600] = block("later "), block("new ")
    del root[9]
    root[1] = ZERO
    world.write(ref)
    wait_until(lambda: world.migration(ref)["round"] >= 3 and world.migration(ref)["stage"] == "synced", "another round", shows=lambda: world.migration(ref))
    root[700] = block("last ")
    world.write(ref)
    world.do("cutover", ref)
    machine = world.finish(ref)
    kept = {m["DeviceName"]: m["Ebs"]["DeleteOnTermination"]
            for m in world.there.ec2.describe_instances(InstanceIds=[machine])["Reservations"][0]["Instances"][0]["BlockDeviceMappings"]}
    assert kept == {"/dev/xvda": True, "/dev/sdf": False}, kept
    refused = run(world.home, "migrate", "undo", ref)
    assert refused.returncode != 0 and "has run" in refused.stderr and machine in refused.stderr, refused
    world.do("undo", ref, "--accept-loss")
    world.rests_in(ref, "undone")
    assert power_there(world.there, machine) == STOPPED
    wait_until(lambda: power_there(world.home, ref) == RUNNING, "the instance runs")


@pytest.mark.parametrize("stage", ["planned", "copying", "synced", "making", "starting"])
def test_undo(world, stage):
    """An undo leaves nothing at any stage, and the instance runs. The stage is held by answers that do not come to an end."""
    holds = {"copying": lambda path, body: "/blocks/" in path, "making": lambda path, body: b"Action=RegisterImage" in body and b"DryRun" not in body,
             "starting": lambda path, body: b"Action=DescribeInstances" in body and b"InstanceId.1" in body}.get(stage, lambda *_: False)
    ref = world.make()
    world.plan(ref)
    world.proxy.spoil = lambda method, path, body: BUSY if holds(path, body) else world.watch(method, path, body)
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
    world.rests_in(ref, "undone")
    wait_until(lambda: power_there(world.home, ref) == RUNNING, "the instance runs")
    assert not world.left_there(), world.left_there()
    machine = world.migration(ref).get("ref")
    assert not machine or power_there(world.there, machine) == "terminated"


def test_started_meanwhile(world):
    """Somebody starts the instance during the cutover: it is off, and copying goes on."""
    ref = world.make()
    world.plan(ref)
    world.do("start", ref)
    world.rests_in(ref, "synced")
    world.proxy.spoil = lambda method, path, body: BUSY if b"Action=RegisterImage" in body else None
    world.do("cutover", ref)
    world.rests_in(ref, "making")
    world.home.ec2.start_instances(InstanceIds=[ref])
    found = world.rests_in(ref, "synced", "freezing", "copying")
    assert "started the instance" in found["problem"] or found["round"] > 2, found
    world.honest()
    world.do("undo", ref)
    world.rests_in(ref, "undone")
    assert power_there(world.home, ref) == RUNNING and not world.left_there()


def test_refused(world):
    """The plan names properties and cures."""
    ref = world.make()
    world.home.ec2.modify_instance_attribute(InstanceId=ref, DisableApiStop={"Value": True})
    world.do("plan", ref, "--to", "there")
    shown = world.migration(ref)
    assert any(r.startswith("protect_stop: ") and r.endswith("Turn it off.") for r in shown["refusals"]), shown
    refused = run(world.home, "migrate", "start", ref)
    assert refused.returncode != 0 and "protect_stop" in refused.stderr, refused
    other = ask(world.home.account, "PATCH", f"/cloud-migrations/{shown['id']}", {"type": "t3.micro"})
    assert other.status == 400 and "type" in other.text, other
    both = ask(world.home.account, "POST", "/cloud-migrations", {"instance": ref, "machine": "00000000-0000-0000-0000-000000000001"})
    assert both.status == 400, both
    half = ask(world.home.account, "POST", "/cloud-migrations", {"instance": ref})
    assert half.status == 400 and "provider" in half.text, half
    world.home.ec2.modify_instance_attribute(InstanceId=ref, DisableApiStop={"Value": False})
    world.do("delete", ref)


def documented_rights():
    """The rights in the other cloud, as docs/migrate.md lists them."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../docs/migrate.md"), encoding="utf-8") as f:
        sentence = re.search(r"^The rights there are .*?\.\s", f.read(), re.MULTILINE | re.DOTALL)[0]
    return re.findall(r"`(\w+:\w+)`", sentence)


def add_user(world, name, rights):
    """A provider with the credentials of a user of the other region who has those rights alone."""
    iam = world.there.account.client("iam")
    iam.create_user(UserName=name)
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": rights, "Resource": "*"}]}
    iam.put_user_policy(UserName=name, PolicyName="some", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    options = ["--region", REGION, "--login", key["AccessKeyId"], "--endpoint", world.proxy.url, "--secret-stdin", "--poll-s", "1", "--account", owner(world.home)]
    done = run(world.home, "provider", "add", "aws", name, *options, text=key["SecretAccessKey"] + "\n")
    assert done.returncode == 0, done


def test_missing_rights(world):
    """The plan names each right that the credentials lack."""
    rights = documented_rights()
    add_user(world, "poor", ["ec2:DescribeInstances"])
    ref = world.make()
    run(world.home, "migrate", "plan", ref, "--to", "poor")
    shown = world.migration(ref)
    named = {right for right in rights for text in shown["refusals"] if text.startswith("rights: ") and f" {right}. " in text}
    assert named == set(rights) - {"ec2:DescribeInstances"}, (set(rights) - named, shown["refusals"])
    assert shown["stage"] == "failed", shown
    world.do("delete", ref)
    world.forget(ref)


def test_enough_rights(world):
    """The documented rights are enough for a whole migration."""
    add_user(world, "enough", documented_rights())
    ref = world.make()
    world.do("plan", ref, "--to", "enough")
    world.do("set", ref, "--to-type", "t3.micro")
    assert not world.migration(ref).get("refusals"), world.migration(ref)
    world.do("start", ref)
    world.rests_in(ref, "synced")
    world.do("cutover", ref)
    world.forget(ref, world.finish(ref))


def waits_with(world, ref, words):
    wait_until(lambda: any(words in (row.get("problem") or "") for row in [world.migration(ref), *world.disk_rows(ref)]), words,
               shows=lambda: (world.migration(ref), world.disk_rows(ref)))


def change_quota(world, service, name, number):
    """Changes a quota of the account there; returns the old one."""
    path = f"/{service}/os-quota-sets/{cloud.own(world.there).id}"
    before = cloud.admin(world.there).ok("GET", path)["quota_set"][name]
    cloud.admin(world.there).ok("PUT", path, {"quota_set": {name: number}})
    return before


@pytest.mark.parametrize("service,name,words,stage", [("volume/v3", "snapshots", "402", "copying"), ("compute/v2.1", "instances", "InstanceLimitExceeded", "making")])
def test_full_quota(world, service, name, words, stage):
    """A full quota there is shown and waited for."""
    ref = world.make()
    world.plan(ref)
    before = change_quota(world, service, name, 0)
    world.do("start", ref)
    if stage == "making":
        world.rests_in(ref, "synced")
        world.do("cutover", ref)
    waits_with(world, ref, words)
    assert world.migration(ref)["stage"] == stage, world.migration(ref)
    change_quota(world, service, name, before)
    if stage == "copying":
        world.rests_in(ref, "synced")
        assert not any(d.get("resets") for d in world.disk_rows(ref)), world.disk_rows(ref)
        world.do("cutover", ref)
    world.forget(ref, world.finish(ref))


HANGS = [b'"ClientToken"', b"/blocks/5", b"Action=RunInstances"]


def test_hang(world):
    """A request that the cloud carries out without an answer is repeated, and makes nothing twice. Each of several migrations loses the answer to another
    request, all at once, since each waits for the driver's whole timeout."""
    refs = [world.make(name=f"hung{k}") for k in range(len(HANGS))]
    held, over, lock = set(), threading.Event(), threading.Lock()

    def change(path, body, answer):
        answer = world.note(path, body, answer)
        with lock:
            word = next((w for w in HANGS if w not in held and b"DryRun" not in body and (w in path.encode() or w in body)), None)
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


def test_undo_overtakes(world):
    """An undo is requested while the cloud starts a snapshot, whose answer is lost: nothing is left there."""
    ref, held, over = world.make(), [], threading.Event()

    def change(path, body, answer):
        if not held and path == "/snapshots" and b'"ClientToken"' in body:
            held.append(path)
            over.wait(HANG_S)
            return None
        return world.note(path, body, answer)

    def spoil(method, path, body):  # the cloud carries the request out after the undo
        if not held and path == "/snapshots" and b'"ClientToken"' in body:
            world.do("undo", ref)
            wait_until(lambda: world.migration(ref)["stage"] == "undoing", "the undo begins")
        return world.watch(method, path, body)
    world.plan(ref)
    world.proxy.spoil, world.proxy.change = spoil, change
    world.do("start", ref)
    world.rests_in(ref, "undone")
    over.set()
    assert held and power_there(world.home, ref) == RUNNING and not world.left_there(), world.left_there()
    world.forget(ref)


def test_terminated_meanwhile(world):
    """The instance is terminated while it is copied: the migration says so, and leaves nothing there."""
    ref = world.make()
    world.plan(ref)
    world.do("set", ref, "--round-s", "10")
    world.do("start", ref)
    world.rests_in(ref, "synced")
    world.home.ec2.terminate_instances(InstanceIds=[ref])
    wait_until(lambda: world.migration(ref)["stage"] == "failed" and world.migration(ref).get("ended_us"), "it fails", shows=lambda: world.migration(ref))
    assert world.migration(ref)["problem"] == "The instance has been terminated.", world.migration(ref)
    assert not world.left_there(), world.left_there()


def test_lost_target(world):
    """A snapshot there that is deleted while it is written is replaced, with all blocks."""
    ref, seen = world.make(), []
    world.plan(ref)

    def spoil(method, path, body):
        if method == "PUT" and "/blocks/5" in path and not seen:
            seen.append(path)
            world.there.ec2.delete_snapshot(SnapshotId=path.split("/")[2])
        return world.watch(method, path, body)
    world.proxy.spoil = spoil
    world.do("start", ref)
    world.rests_in(ref, "synced")
    assert seen
    world.do("cutover", ref)
    world.finish(ref)


def test_audits(world):
    """Neither region has anything left over."""
    world.home.audit()
    world.there.audit()


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

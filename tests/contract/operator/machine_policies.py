#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/engine/machine_policy src/reconcile/machine_policy.c src/api/native/remote/machine_policies.c src/daemon/client/commands_policies.c
"""Machine policies over two clouds: a rule finds instances of the region and machines of a provider alike, a dry run tells what would happen to which
machine and why, and the actions reach both. Policies of IAM decide about actions when they run."""
import datetime
import json
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import elsewhere  # noqa: E402
import native  # noqa: E402
from dev import Account, Dev  # noqa: E402
from elsewhere import launch, machines, power_there, provider, run  # noqa: E402
from faces import face  # noqa: E402
from faces import native as matrix_native  # noqa: E402
from waiting import wait_until  # noqa: E402


@pytest.fixture(scope="module")
def world():
    with Dev() as there, Dev() as home:
        there.ec2, home.ec2 = there.account.client(), home.account.client()
        home.there, home.refs, home.here = there, launch(there, 2), launch(home, 2)
        home.mine = native.own(home)
        elsewhere.add(home, "bank", "aws", there)
        wait_until(lambda: set(machines(home, "bank")) == set(home.refs), "the listing", shows=lambda: provider(home, "bank"))
        yield home


@pytest.fixture(autouse=True)
def rested(world):
    yield
    for policy in world.command("machine", "policy", "list"):
        assert run(world, "machine", "policy", "remove", policy["name"]).returncode == 0
    assert not findings(world)
    world.ec2.start_instances(InstanceIds=world.here)
    wait_until(lambda: all_run(world), "all machines run", shows=lambda: machines(world, "bank"))


def all_run(world):
    """Starts what is listed as stopped at each look: the listing may be older than the stop."""
    listed = machines(world, "bank")
    for ref in world.refs:
        if listed[ref]["power"] == "stopped":
            run(world, "remote", "start", ref)
    return {listed[ref]["power"] for ref in world.refs} == {power_there(world.there, ref) for ref in world.refs} == {"running"} == powers(world)


def powers(world):
    return {power_there(world, ref) for ref in world.here}


def findings(world):
    """(id of the machine, finding)."""
    refs = {m["id"]: m["ref"] for m in machines(world, "bank").values()} | {i["id"]: i["ec2"] for i in world.mine.rows("/instances?fields=ec2")}
    return {refs.get(f.get("machine") or f.get("instance")): f for f in world.command("machine", "policy", "findings")}


def add(world, name, *words):
    done = run(world, "machine", "policy", "add", name, "--account", elsewhere.owner(world), "--check-s", "1", *words)
    assert done.returncode == 0, done
    return done.stdout


def would(world, name, *words):
    """Machines that a dry run tells: id of the machine -> row."""
    done = run(world, "machine", "policy", "add", name, "--account", elsewhere.owner(world), "--dry", "--json", *words)
    assert done.returncode == 0, done
    ids = {i["id"]: i["ec2"] for i in world.mine.rows("/instances?fields=ec2")}
    return {m.get("ref") or ids[m["id"]]: m for m in json.loads(done.stdout)["machines"]}


def test_tags(world):
    """Machines of both clouds lack a tag; a dry run says so and changes nothing."""
    told = would(world, "owned", "--rule", "required_tags", "--key", "owner", "--act", "stop", "--grace-hours", "1")
    assert set(told) == {*world.here, *world.refs} and all(m["reason"] == "Missing tags: owner." and m["act"] == "stop" and m["due_us"] for m in told.values()), told
    assert not world.command("machine", "policy", "list")
    add(world, "owned", "--rule", "required_tags", "--key", "owner")
    wait_until(lambda: set(findings(world)) == {*world.here, *world.refs}, "the findings", shows=lambda: findings(world))
    world.ec2.create_tags(Resources=[world.here[0]], Tags=[{"Key": "owner", "Value": "ann"}])
    world.there.ec2.create_tags(Resources=[world.refs[0]], Tags=[{"Key": "owner", "Value": "ann"}])
    wait_until(lambda: set(findings(world)) == {world.here[1], world.refs[1]}, "that two are in order", shows=lambda: findings(world))
    row = machines(world, "bank")[world.refs[0]]
    happened = world.mine.api_ok("GET", f"/remote-machines/{row['id']}/events")["items"]
    assert {"policy found", "policy ended"} <= {e["what"] for e in happened}, happened
    assert powers(world) == {"running"}


def test_power(world):
    """A machine that somebody turned off is turned on again, in each cloud."""
    add(world, "on", "--rule", "power_state", "--act", "correct")
    world.ec2.stop_instances(InstanceIds=[world.here[0]])
    world.there.ec2.stop_instances(InstanceIds=[world.refs[0]])
    row = next(i for i in world.mine.rows("/instances?fields=ec2") if i["ec2"] == world.here[0])
    for path in (f"/instances/{row['id']}", f"/remote-machines/{machines(world, 'bank')[world.refs[0]]['id']}"):
        wait_until(lambda path=path: {"policy found", "policy act", "policy ended"} <= {e["what"] for e in world.mine.api_ok("GET", f"{path}/events")["items"]}, "that it runs",
                   shows=lambda: findings(world))
    assert powers(world) == {"running"} and power_there(world.there, world.refs[0]) == "running"


def test_scope(world):
    """A policy of one provider, and of one tag, finds those machines alone."""
    told = would(world, "x", "--rule", "power_state", "--power", "stopped", "--provider", "bank", "--scope", "elsewhere")
    assert set(told) == set(world.refs) and {m["kind"] for m in told.values()} == {"remote_machine"}
    assert set(would(world, "x", "--rule", "power_state", "--power", "stopped", "--scope", "here")) == set(world.here)
    assert not would(world, "x", "--rule", "power_state", "--power", "stopped", "--tag-key", "Name", "--tag-value", "nobody")


def test_retirement(world):
    """A machine is stopped on the day that its tag says; the warning comes before."""
    today = datetime.datetime.now(datetime.timezone.utc)
    late, soon = today - datetime.timedelta(days=1), today + datetime.timedelta(days=5)
    for ref, day, client in ((world.here[0], late, world.ec2), (world.refs[0], late, world.there.ec2), (world.refs[1], soon, world.there.ec2)):
        client.create_tags(Resources=[ref], Tags=[{"Key": "retire-on", "Value": f"{day:%Y-%m-%d}"}])
    world.ec2.create_tags(Resources=[world.here[1]], Tags=[{"Key": "retire-on", "Value": "soon"}])
    wait_until(lambda: all("retire-on" in machines(world, "bank")[r]["remote_tags"] for r in world.refs), "the tags")
    add(world, "old", "--rule", "retirement", "--date-tag", "retire-on", "--warn-days", "7", "--act", "stop")
    wait_until(lambda: power_there(world, world.here[0]) == "stopped" and power_there(world.there, world.refs[0]) == "stopped", "the stops", shows=lambda: findings(world))
    found = findings(world)
    assert found[world.refs[1]]["state"] == "found" and found[world.refs[1]]["due_us"] > today.timestamp() * 1e6, found
    assert "is no date" in found[world.here[1]]["reason"] and power_there(world, world.here[1]) == power_there(world.there, world.refs[1]) == "running"
    for client, refs in ((world.ec2, world.here), (world.there.ec2, world.refs)):
        client.delete_tags(Resources=refs, Tags=[{"Key": "retire-on"}])


def test_schedule(world):
    """A dry run tells the next time; the unit tests let time pass."""
    told = would(world, "night", "--rule", "schedule", "--stop-at", "0 20 * * *", "--timezone", "Asia/Seoul")
    assert set(told) == {*world.here, *world.refs} and len({m["due_us"] for m in told.values()}) == 1 and {m["act"] for m in told.values()} == {"stop"}
    add(world, "night", "--rule", "schedule", "--stop-at", "* * * * *", "--scope", "elsewhere")
    wait_until(lambda: {power_there(world.there, r) for r in world.refs} == {"stopped"}, "the minute", shows=lambda: findings(world))
    assert powers(world) == {"running"}
    assert {f["reason"] for f in findings(world).values()} == {"Scheduled stop."}


def test_rights(world):
    """An action has the rights that its policy's user has when it runs."""
    owner = Account(world, world.account.key_id, world.account.secret)
    guest = face.Guest(owner, "keeper")
    allowed = {"Effect": "Allow", "Action": ["dari:*MachinePolic*", "ec2:StartInstances", "ec2:DescribeInstances"], "Resource": "*"}
    caller = guest.has(json.dumps({"Version": "2012-10-17", "Statement": [allowed]}))
    body = {"name": "off", "rule": "power_state", "power": "stopped", "act": "correct", "scope": "here"}
    answer = matrix_native.ask(caller, "POST", "/machine-policies", body)
    assert answer.status < 300, answer.text
    made = answer.json["items"][0]
    wait_until(lambda: {findings(world).get(r, {}).get("state") for r in world.here} == {"failed"}, "the refusals", shows=lambda: findings(world))
    assert all("ec2:StopInstances" in findings(world)[r]["problem"] or "not authorized" in findings(world)[r]["problem"] for r in world.here), findings(world)
    assert powers(world) == {"running"} and made["name"] == "off"
    row = {"name": "seen", "rule": "required_tags", "keys": ["owner"]}
    told = matrix_native.ask(caller, "POST", "/machine-policies?dry=1", row).json["would"]
    assert {m["kind"] for m in told["machines"]} == {"instance"}, told  # the caller may not list machines elsewhere
    other = native.another(world, "mine")
    assert not other.rows("/machine-policies") and not other.rows("/policy-findings")
    assert other.api("DELETE", f"/machine-policies/{made['id']}").status == 404


@pytest.mark.parametrize("body, field", [({"rule": "retirement"}, "date_tag"), ({"rule": "schedule"}, "stop_at"), ({"rule": "schedule", "stop_at": "soon"}, "stop_at"),
                                         ({"rule": "schedule", "stop_at": "0 20 * * *", "act": "stop"}, "act"), ({"rule": "required_tags"}, "keys"),
                                         ({"rule": "required_tags", "keys": ["a"], "act": "correct"}, "act"), ({"rule": "power_state", "act": "terminate"}, "act"),
                                         ({"rule": "power_state", "age_days": 3}, "age_days"), ({"rule": "retirement", "age_days": 3, "check_s": 5}, "check_s"),
                                         ({"rule": "schedule", "stop_at": "0 20 * * *", "timezone": "Moon"}, "timezone"),
                                         ({"rule": "retirement", "age_days": 3, "timezone": "Asia/Seoul"}, "timezone"), ({"rule": "required_tags", "keys": ["a"], "power": "running"}, "power")])
def test_refused(world, body, field):
    answer = world.mine.api("POST", "/machine-policies", {"name": "x", **body})
    assert answer.status == 400 and answer.json["field"] == field, answer.text


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/remote src/engine/remote src/reconcile/remote src/api/native/remote/remotes.c src/daemon/client/commands_remote.c schema/provider.toml schema/remote_machine.toml
"""Providers: one `dari dev` lists and changes the machines of another one through its EC2 face: listing, acts, changes made there, missing rights,
revoked credentials, an outside cloud that is down, machines that vanish, and the rights of accounts here."""
import json
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import elsewhere  # noqa: E402
import native  # noqa: E402
from dev import REGION, Account, Dev  # noqa: E402
from elsewhere import launch, machines, owner, power_there, provider, run  # noqa: E402
from faces import face  # noqa: E402
from faces import native as matrix_native  # noqa: E402
from waiting import wait_until  # noqa: E402


def add(home, name, key, secret, endpoint):
    done = run(home, "provider", "add", "aws", name, "--region", REGION, "--login", key, "--secret-stdin", "--endpoint", endpoint, "--poll-s", "1",
               "--account", owner(home), "--json", text=secret + "\n")
    assert done.returncode == 0, done
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def world():
    with Dev() as there, Dev() as home:
        there.ec2 = there.account.client()
        home.there, home.admin = there, native.admin(home)
        home.refs = launch(there, 3)
        home.shown = add(home, "there", there.account.key_id, there.account.secret, there.url)
        wait_until(lambda: len(machines(home)) == 3, "the first listing")
        yield home


def test_list(world):
    """The verification names the account there and finds no right missing; rows have what EC2 says."""
    assert world.shown["status"] == "ok" and world.shown["identity"].isdigit() and not world.shown.get("lacks"), world.shown
    shown, there = machines(world), world.there.ec2.describe_instances(InstanceIds=[world.refs[0]])["Reservations"][0]["Instances"][0]
    row = shown[world.refs[0]]
    assert set(shown) == set(world.refs)
    assert (row["name"], row["power"], row["type"], row["image"]) == ("web", "running", "t3.micro", there["ImageId"])
    assert row["private_ips"] == [there["PrivateIpAddress"]] and row["network"] == there["VpcId"] and row["groups"] == [g["GroupId"] for g in there["SecurityGroups"]]
    assert row["remote_tags"] == {"Name": "web"} and row["refreshed_us"] > 0
    assert not world.account.client().describe_instances()["Reservations"], "machines elsewhere are never in a face's local answers"
    assert "secret" not in json.dumps(world.admin.rows("/providers?fields=*"))


def test_quiet(world):
    """A listing without changes commits nothing, and makes the rows fresher."""
    wait_until(lambda: provider(world)["status"] == "ok", "rest")
    elsewhere.is_quiet(world)


def test_act(world):
    """Acts reach the cloud, and the row follows."""
    ref = world.refs[0]
    for act, power in (("stop", "stopped"), ("start", "running"), ("reboot", "running")):
        assert run(world, "remote", act, ref).returncode == 0
        wait_until(lambda power=power: machines(world)[ref]["power"] == power and "act_problem" not in machines(world)[ref]
                   and machines(world)[ref]["act"] == "none", act)
        assert power_there(world.there, ref) == power
    assert run(world, "remote", "tag", ref, "--tag", "team=red").returncode == 0
    wait_until(lambda: machines(world)[ref]["remote_tags"] == {"Name": "web", "team": "red"}, "tags")
    happened = world.admin.api_ok("GET", f"/remote-machines/{machines(world)[ref]['id']}/events")["items"]
    assert {"stop", "start", "reboot", "tag", "done"} <= {e["what"] for e in happened}, happened
    assert "dari:StopRemoteMachines" in run(world, "log", "audit", "--json").stdout


def test_snapshot(world):
    """A snapshot of each disk is made there once, and AWS has no act save: the answer says so at once."""
    ref = world.refs[0]
    assert run(world, "remote", "snapshot", ref).returncode == 0
    wait_until(lambda: machines(world)[ref]["act"] == "none", "the end of the act", shows=lambda: machines(world)[ref])
    made = [s for s in world.there.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"] if s["Description"].startswith("dari-")]
    assert [s["VolumeId"] for s in made] == machines(world)[ref]["volumes"] and "act_problem" not in machines(world)[ref], made
    done = run(world, "remote", "save", ref)
    assert done.returncode and "(aws) have no act save" in done.stderr and machines(world)[ref]["act"] == "none", done


def test_behind_our_back(world):
    """A change made there shows by the second listing; a terminated machine is shown as such."""
    ref, extra = world.refs[1], launch(world.there)[0]
    world.there.ec2.stop_instances(InstanceIds=[ref])
    wait_until(lambda: machines(world)[ref]["power"] == "stopped" and extra in machines(world), "the change")
    assert run(world, "remote", "terminate", extra).returncode == 0
    wait_until(lambda: machines(world)[extra]["power"] == "terminated", "the end")
    assert power_there(world.there, extra) == "terminated"
    done = run(world, "remote", "start", extra)
    assert done.returncode and "terminated" in done.stderr, done


def test_rights_here(world):
    """Another account sees nothing; only administrators reach this machine's addresses; policies decide by ARN."""
    other = native.another(world, "mine")
    assert not other.rows("/providers") and not other.rows("/remote-machines")
    row = machines(world)[world.refs[0]]
    assert other.api("POST", f"/remote-machines/{row['id']}/stop", {}).status == 404
    body = {"name": "x", "cloud": "aws", "region": REGION, "login": "AKIAX", "secret": "s", "endpoint": world.there.url}
    assert other.api("POST", "/providers", body).status == 400, "http is for administrators"
    made = other.api_ok("POST", "/providers", dict(body, endpoint=f"https://127.0.0.1:{world.there.port}"))["items"][0]
    wait_until(lambda: "not allowed" in other.api_ok("GET", f"/providers/{made['id']}")["item"].get("problem", ""), "the refused address")
    assert other.api("DELETE", f"/providers/{made['id']}").status < 300
    wait_until(lambda: not other.rows("/providers"), "the removal")


def test_policies_here(world):
    """A user of the account may what its policy allows, by the names of provider and machine."""
    owner = Account(world, world.account.key_id, world.account.secret)
    row, account = machines(world)[world.refs[0]], owner.ok("GetCallerIdentity", {}, service="sts", version="2011-06-15").first(".//Account")
    arn = f"arn:aws:dari:{REGION}:{account}:remote/there"
    guest = face.Guest(owner, "clerk")

    def may(act, effect="Allow", resource=f"{arn}/machine/{row['ref']}"):
        statement = [{"Effect": "Allow", "Action": "dari:*", "Resource": "*"}] if effect == "Deny" else []
        statement.append({"Effect": effect, "Action": "dari:StopRemoteMachines", "Resource": resource})
        caller = guest.has(json.dumps({"Version": "2012-10-17", "Statement": statement}))
        return matrix_native.ask(caller, "POST", f"/remote-machines/{row['id']}/{act}", {}).status

    assert may("stop", resource=f"{arn}/machine/{world.refs[1]}") == 403 and may("start") == 403
    assert may("stop", "Deny") == 403
    assert may("stop") < 300
    wait_until(lambda: machines(world)[row["ref"]]["power"] == "stopped" and machines(world)[row["ref"]]["act"] == "none", "the stop")
    assert may("start", "Deny") < 300
    wait_until(lambda: machines(world)[row["ref"]]["power"] == "running" and machines(world)[row["ref"]]["act"] == "none", "the start")


def test_threads_are_reused(world):
    """A provider that is added takes over the thread of one that was removed."""
    def threads():
        folder = f"/proc/{world.process.pid}/task"
        names = [open(f"{folder}/{task}/comm", encoding="ascii").read().strip() for task in os.listdir(folder)]
        return names.count("provider")

    count = len(world.command("provider", "list")) + 1
    for n in range(4):
        add(world, f"brief-{n}", world.there.account.key_id, world.there.account.secret, world.there.url)
        wait_until(lambda n=n: len(machines(world, f"brief-{n}")) >= 3, "its listing")
        assert run(world, "provider", "remove", f"brief-{n}").returncode == 0
        wait_until(lambda n=n: f"brief-{n}" not in [p["name"] for p in world.command("provider", "list")] and not machines(world, f"brief-{n}"), "the removal")
    assert 0 < threads() <= count + 1


def test_missing_right(world):
    """A policy there takes one right away: the verification names it."""
    iam = world.there.account.client("iam")
    iam.create_user(UserName="reader")
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    allowed = {"Effect": "Allow", "Action": ["ec2:Describe*", "ec2:StartInstances", "ec2:StopInstances", "ec2:RebootInstances", "ec2:CreateTags"], "Resource": "*"}
    iam.put_user_policy(UserName="reader", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}))
    add(world, "reader", key["AccessKeyId"], key["SecretAccessKey"], world.there.url)
    wait_until(lambda: provider(world, "reader").get("lacks") == ["ec2:TerminateInstances", "ec2:RunInstances", "ec2:ModifyInstanceAttribute"], "the missing right", shows=lambda: provider(world, "reader"))
    wait_until(lambda: len(machines(world, "reader")) >= 3, "its listing")
    assert run(world, "remote", "terminate", machines(world, "reader")[world.refs[2]]["id"]).returncode == 0
    wait_until(lambda: "UnauthorizedOperation" in machines(world, "reader")[world.refs[2]].get("act_problem", ""), "the refusal")
    iam.update_access_key(UserName="reader", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    wait_until(lambda: provider(world, "reader")["status"] == "denied", "the revoked key")
    shown = provider(world, "reader")
    assert "AuthFailure" in shown["problem"] and len(machines(world, "reader")) >= 3, shown
    assert run(world, "provider", "remove", "reader").returncode == 0
    wait_until(lambda: all(p["name"] != "reader" for p in world.command("provider", "list")), "the removal")
    assert not machines(world, "reader")


def test_outside_is_down(world):
    """Without the cloud the rows stay, with their freshness; the provider says why."""
    before = machines(world)
    world.there.end()
    wait_until(lambda: provider(world)["status"] == "unreachable", "that it is down")
    assert set(machines(world)) == set(before) and "does not answer" in provider(world)["problem"]
    since = provider(world)["refreshed_us"]
    assert run(world, "provider", "refresh", "there").returncode == 0
    assert provider(world)["refreshed_us"] == since


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

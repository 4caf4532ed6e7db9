#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/remote src/engine/remote src/reconcile/remote src/api/native/remote/remotes.c src/daemon/client/commands_remote.c
"""Providers of each cloud: one `dari dev` lists and changes the machines of another one through its OpenStack, CloudStack and Azure faces. What a machine
is like, acts, changes made there, missing rights, wrong secrets and revoked tokens."""
import json
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
import elsewhere  # noqa: E402
import native  # noqa: E402
from dev import REGION, Dev  # noqa: E402
from elsewhere import add, launch, machines, power_there, provider, rests, run  # noqa: E402
from waiting import wait_until  # noqa: E402

CLOUDS = ["openstack", "credential", "cloudstack", "azure"]


def ref_of(kind, instance):
    """The id of an instance in that cloud's own form."""
    if kind == "azure":
        return f"dari-default:{instance}"
    digits = instance[2:]
    return next(r for r in KNOWN[kind] if r.replace("-", "").startswith(digits))


KNOWN = {}


@pytest.fixture(scope="module")
def world():
    with Dev() as there, Dev() as home:
        there.ec2 = there.account.client()
        home.there, home.admin = there, native.admin(home)
        home.refs = launch(there, 3)
        home.shown = {}
        one = there.ec2.describe_instances(InstanceIds=[home.refs[0]])["Reservations"][0]["Instances"][0]
        home.volumes = [d["Ebs"]["VolumeId"] for d in one["BlockDeviceMappings"]]
        yield home


@pytest.fixture(params=CLOUDS)
def kind(world, request):
    name = request.param
    if name not in world.shown:
        world.shown[name] = add(world, name, name, world.there)
        wait_until(lambda: set(map(len, [machines(world, name)])) != {0} and provider(world, name).get("refreshed_us"), "the first listing",
                   shows=lambda: provider(world, name))
    KNOWN[name] = machines(world, name)
    return name


def test_list(world, kind):
    """The verification names the account there and finds no right missing; rows have what the face says."""
    shown, listed = world.shown[kind], machines(world, kind)
    assert shown["status"] == "ok" and len(shown["identity"]) >= 32 and not shown.get("lacks"), shown
    instance = world.there.ec2.describe_instances(InstanceIds=[world.refs[0]])["Reservations"][0]["Instances"][0]
    row = listed[ref_of(kind, world.refs[0])]
    assert (row["power"], row["type"]) == ("running", "t3.micro"), row
    assert row["name"] == ("web" if kind != "azure" else world.refs[0])
    assert row["launched_us"] > 0 and row["zone"]
    assert row["private_ips"] == [instance["PrivateIpAddress"]]
    if kind != "azure":  # ARM says the size alone
        assert row["vcpus"] == 2
    assert row["remote_tags"]["Name"] == "web"
    assert run(world, "remote", "show", row["id"]).returncode == 0


def test_act(world, kind):
    """Acts reach the cloud, and the row follows."""
    ref = ref_of(kind, world.refs[1])
    for act, power in (("stop", "stopped"), ("start", "running"), ("reboot", "running")):
        row = machines(world, kind)[ref]
        done = run(world, "remote", act, row["id"])
        assert done.returncode == 0, done
        rests(world, ref, power, kind)
        assert "act_problem" not in machines(world, kind)[ref], machines(world, kind)[ref]
        assert power_there(world.there, world.refs[1]) == power
    assert run(world, "remote", "tag", row["id"], "--tag", f"by={kind}").returncode == 0
    if kind == "openstack":  # CloudStack does not replace a tag
        wait_until(lambda: machines(world, kind)[ref]["remote_tags"].get("by") == kind, "tags", shows=lambda: machines(world, kind)[ref])


def test_snapshot(world, kind):
    """OpenStack makes an image of a machine, CloudStack and Azure a snapshot of each of its volumes, once."""
    row = machines(world, kind)[ref_of(kind, world.refs[0])]
    world.there.rest()  # Nova makes one image of a machine at a time
    mine = {s["SnapshotId"] for s in snapshots_there(world)}
    done = run(world, "remote", "snapshot", row["id"])
    assert done.returncode == 0, done
    wait_until(lambda: machines(world, kind)[row["ref"]]["act"] == "none", "the end of the act", shows=lambda: machines(world, kind))
    assert "act_problem" not in machines(world, kind)[row["ref"]], machines(world, kind)[row["ref"]]
    named = [i["Name"] for i in world.there.ec2.describe_images(Owners=["self"])["Images"] if i["Name"].startswith("dari-")]
    if kind in ("openstack", "credential"):
        assert len(named) == 1 + (kind == "credential"), named
        return
    made = [s for s in snapshots_there(world) if s["SnapshotId"] not in mine]
    assert [s["VolumeId"] for s in made] == world.volumes, made
    assert run(world, "provider", "refresh", kind).returncode == 0

    def listed():
        found = world.command("remote", "resources", "--provider", kind, "--type", "snapshot")
        return any(r["name"].startswith("dari-") for r in found)
    wait_until(listed, "the snapshot in the list", shows=lambda: world.command("remote", "resources", "--provider", kind, "--type", "snapshot"))


def snapshots_there(world):
    return world.there.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]


def test_console(world, kind):
    """The link of a machine's page at its cloud; clouds without a known page refuse it by name."""
    row = machines(world, kind)[ref_of(kind, world.refs[0])]
    done = run(world, "remote", "console", row["id"])
    if kind == "cloudstack":
        assert done.stdout == f"{world.there.url}/client/#/vm/{row['ref']}\n", done
        return
    assert done.returncode and ("endpoint of its own" if kind == "azure" else "OpenStack has no page") in done.stderr, done


def test_behind_our_back(world, kind):
    """A change made there shows by the next listing; a machine that is terminated from here is forgotten, or shown as such."""
    extra = launch(world.there, name="x y")[0]
    wait_until(lambda: set(machines(world, kind)) - set(KNOWN[kind]), "the new machine")  # an earlier one may go meanwhile
    KNOWN[kind] = machines(world, kind)
    ref = ref_of(kind, extra)
    world.there.ec2.stop_instances(InstanceIds=[extra])
    wait_until(lambda: machines(world, kind)[ref]["power"] == "stopped", "the change")
    assert run(world, "remote", "terminate", machines(world, kind)[ref]["id"]).returncode == 0
    wait_until(lambda: machines(world, kind).get(ref, {"power": "terminated"})["power"] == "terminated", "the end", shows=lambda: machines(world, kind))
    assert power_there(world.there, extra) == ("stopped" if kind == "cloudstack" else "terminated"), "CloudStack keeps destroyed machines for a while"


def test_quiet(world, kind):
    """A listing without changes commits nothing, and makes the rows fresher."""
    for name in world.shown:
        if name != kind:
            assert run(world, "provider", "remove", name).returncode == 0
    world.shown = {kind: world.shown[kind]}
    wait_until(lambda: len(world.command("provider", "list")) == 1, "that the others are gone")
    wait_until(lambda: all(m["act"] == "none" and m["power"] != "terminating" for m in machines(world, kind).values()), "rest")
    elsewhere.is_quiet(world, kind)


def test_wrong_secret(world, kind):
    """A wrong secret is named with the cloud's words, and the rows stay."""
    before = machines(world, kind)
    assert run(world, "provider", "set", kind, "--secret-stdin", text="wrong\n").returncode == 0
    wait_until(lambda: provider(world, kind)["status"] == "denied", "the refusal", shows=lambda: provider(world, kind))
    assert set(machines(world, kind)) == set(before) and "401" in provider(world, kind)["problem"]
    assert run(world, "provider", "set", kind, "--secret-stdin", text=elsewhere.credentials(world.there, kind)[2] + "\n").returncode == 0 or kind == "credential"
    if kind != "credential":
        wait_until(lambda: provider(world, kind)["status"] == "ok", "the right secret", shows=lambda: provider(world, kind))


def test_revoked_token(world):
    """A token that Keystone revokes early is replaced by another sign-in."""
    proxy = elsewhere.Proxy(world.there, "/identity/v3")
    proxy.change = lambda path, body, answer: answer.replace(str(world.there.port).encode(), str(proxy.port).encode())
    add(world, "revoked", "openstack", world.there, proxy.url)
    wait_until(lambda: provider(world, "revoked").get("refreshed_us"), "a listing", shows=lambda: provider(world, "revoked"))
    signed_in = proxy.asked("/auth/tokens")
    refused = []

    def refuse(method, path, body):
        if "/servers/detail" in path and not refused:
            refused.append(path)
            return 401, {"Content-Type": "application/json"}, b'{"error": {"code": 401, "message": "The request you have made requires authentication."}}'
        return None
    proxy.spoil = refuse
    wait_until(lambda: refused and proxy.asked("/auth/tokens") > signed_in, "another sign-in")
    since = provider(world, "revoked")["refreshed_us"]
    wait_until(lambda: provider(world, "revoked")["refreshed_us"] > since and provider(world, "revoked")["status"] == "ok", "another listing")
    assert run(world, "provider", "remove", "revoked").returncode == 0


PATHS = {"openstack": "/identity/v3", "cloudstack": "/client/api", "azure": ""}


def through_proxy(world, name, kind, change=lambda answer: answer):
    """Adds a provider behind a proxy, to which the cloud's answers lead as well."""
    proxy = elsewhere.Proxy(world.there, PATHS[kind])
    proxy.change = lambda path, body, answer: change(answer).replace(f"127.0.0.1:{world.there.port}".encode(), f"127.0.0.1:{proxy.port}".encode())
    add(world, name, kind, world.there, proxy.url)
    wait_until(lambda: provider(world, name).get("refreshed_us"), "the first listing", shows=lambda: provider(world, name))
    return proxy


@pytest.mark.parametrize("kind", PATHS)
def test_page_of_a_proxy(world, kind):
    """A refusal without the cloud's own words says nothing about the credentials: the provider is listed again without anybody's help."""
    name = f"page-{kind}"
    proxy = through_proxy(world, name, kind)
    for status, text in ((403, b"<html>Access denied by the gateway</html>"), (401, b'{"message": "Unauthorized"}')):
        proxy.spoil = lambda *_, status=status, text=text: (status, {"Content-Type": "text/html"}, text)
        wait_until(lambda: provider(world, name)["status"] != "ok", "the refusal")
        shown = provider(world, name)
        assert shown["status"] == "failing" and f"status {status}" in shown["problem"], shown
        proxy.spoil = lambda *_: None
        wait_until(lambda: provider(world, name)["status"] == "ok", "the next listing", shows=lambda: provider(world, name))
    assert run(world, "provider", "remove", name).returncode == 0
    proxy.end()


def test_names_of_any_script(world):
    """Azure: machines of a resource group whose name has letters outside ASCII are not shown, and the provider says so."""
    group = "gr\u00f6\u00dfe"
    moved = b"/resourceGroups/" + group.encode() + b"/providers/Microsoft.Compute/virtualMachines/" + world.refs[2].encode()
    proxy = through_proxy(world, "names", "azure", lambda answer: re.sub(
        b"/resourceGroups/dari-default/providers/Microsoft.Compute/virtualMachines/" + world.refs[2].encode(), moved, answer, flags=re.IGNORECASE))
    shown = provider(world, "names")
    assert shown["status"] == "ok" and "not shown: 1." in shown["problem"] and group in shown["problem"], shown
    assert machines(world, "names") and f"dari-default:{world.refs[2]}" not in machines(world, "names")
    assert "MachinesUnnamed" in world.explain(shown["id"])
    elsewhere.is_quiet(world, "names")
    proxy.change = lambda path, body, answer: answer.replace(f"127.0.0.1:{world.there.port}".encode(), f"127.0.0.1:{proxy.port}".encode())
    wait_until(lambda: f"dari-default:{world.refs[2]}" in machines(world, "names"), "the machine with another name")
    wait_until(lambda: not provider(world, "names").get("problem"), "the end of the problem")
    assert "MachinesUnnamed" not in world.explain(shown["id"]).partition("history, newest first")[0]
    assert run(world, "provider", "remove", "names").returncode == 0
    proxy.end()


def test_a_reader(world):
    """OpenStack: credentials that may only read are named as such."""
    there, admin = world.there, cloud.admin(world.there)
    project = cloud.own(there)
    user = admin.ok("POST", "/identity/v3/users", {"user": {"name": "looker", "password": "looking-0123456", "domain_id": "default"}})["user"]["id"]
    reader = next(r["id"] for r in admin.ok("GET", "/identity/v3/roles")["roles"] if r["name"] == "reader")
    admin.ok("PUT", f"/identity/v3/projects/{project.id}/users/{user}/roles/{reader}")
    done = run(world, "provider", "add", "openstack", "looker", "--region", REGION, "--endpoint", f"{there.url}/identity/v3", "--login", "looker", "--project",
               project.name, "--secret-stdin", "--account", elsewhere.owner(world), "--json", text="looking-0123456\n")
    assert done.returncode == 0, done
    wait_until(lambda: provider(world, "looker").get("lacks") == ["role:member"], "the missing role", shows=lambda: provider(world, "looker"))
    assert "looking-0123456" not in json.dumps(world.admin.rows("/providers?fields=*"))


def test_another_dari(world):
    """The word of the command for another Dari, whose EC2 API it drives."""
    shown = add(world, "sister", "dari", world.there)
    assert shown["cloud"] == "aws" and shown["status"] == "ok" and shown["endpoint"] == world.there.url, shown
    wait_until(lambda: set(world.refs) <= set(machines(world, "sister")), "the machines", shows=lambda: provider(world, "sister"))
    assert run(world, "provider", "remove", "sister").returncode == 0


def test_what_is_needed(world):
    """Each cloud says what it needs."""
    for word, options, needed in (("openstack", ["--region", "r", "--login", "u"], "Keystone"), ("cloudstack", ["--region", "z", "--login", "k"], "client/api"),
                                  ("azure", ["--region", "r", "--login", "u"], "subscription"), ("gcp", ["--region", "r", "--login", "u"], "cloud"),
                                  ("dari", ["--region", "r", "--login", "u"], "--endpoint")):
        done = run(world, "provider", "add", word, "x", *options, "--secret-stdin", "--account", elsewhere.owner(world), text="s\n")
        assert done.returncode and needed in done.stderr, done


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/engine/remote/provider_share.c src/engine/resolve.c src/api/native/list.c src/api/native/list_read.c src/api/native/kinds.c src/api/native/rows.c src/api/native/rows_read.c src/api/native/remote
"""Providers that are shared with accounts below the owner. Three accounts: the owner, in the default domain; a child, in a domain below; and a stranger beside
the owner. The child sees what is there without credentials, acts if the owner lets it and its own policies do, and the end of sharing ends both at once."""
import json
import os
import sys
import threading

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import elsewhere  # noqa: E402
import native  # noqa: E402
from dev import Account, Dev  # noqa: E402
from elsewhere import launch, machines, provider, rests  # noqa: E402
from faces.native import ask  # noqa: E402
from waiting import wait_until  # noqa: E402

LISTS = ("providers", "remote-machines", "remote-resources")
SECRET = ("login", "endpoint", "identity", "lacks", "pin", "ca", "problem", "prices", "shared_with")  # of a provider: the owner's alone


def child_of(home, name):
    """A project in a domain below the default one, with a user who is a member and manages it."""
    admin = native.admin(home)
    domain = admin.ok("POST", "/identity/v3/domains", {"domain": {"name": name}})["domain"]["id"]
    project = admin.ok("POST", "/identity/v3/projects", {"project": {"name": name, "domain_id": domain}})["project"]["id"]
    user = admin.ok("POST", "/identity/v3/users", {"user": {"name": name, "domain_id": domain, "password": "pass-" + name}})["user"]["id"]
    for role in admin.ok("GET", "/identity/v3/roles")["roles"]:
        if role["name"] in ("member", "manager"):
            answer = admin.call("PUT", f"/identity/v3/projects/{project}/users/{user}/roles/{role['id']}")
            assert answer.status == 204, answer
    key = admin.ok("POST", f"/identity/v3/users/{user}/credentials/OS-EC2", {"tenant_id": project})["credential"]
    account = Account(home, key["access"], key["secret"])
    account.id, account.name = elsewhere.uuid_of(project), f"{name}/{name}"
    return account


@pytest.fixture(scope="module")
def world():
    with Dev() as there, Dev() as home:
        there.ec2 = there.account.client()
        home.there, home.owner, home.refs = there, home.account, launch(there, 4)
        home.child, home.stranger = child_of(home, "below"), native.another(home, "beside").root
        home.proxy = elsewhere.Proxy(there)
        elsewhere.add(home, "bank", "aws", there, home.proxy.url)
        wait_until(lambda: len(machines(home, "bank")) == 4, "the machines", shows=lambda: provider(home, "bank"))
        wait_until(lambda: rows(home.owner, "remote-resources"), "the resources")
        home.id, home.machines = provider(home, "bank")["id"], {ref: m["id"] for ref, m in machines(home, "bank").items()}
        yield home
        home.proxy.end()


def rows(caller, kind, query=""):
    answer = ask(caller, "GET", f"/{kind}?fields=*&limit=1000{query}")
    assert answer.status == 200, answer
    return answer.json["items"]


def share(world, *accounts, acts=False, caller=None):
    return ask(caller or world.owner, "POST", f"/providers/{world.id}/share", {"accounts": list(accounts), "acts": acts})


@pytest.fixture(autouse=True)
def alone(world):
    world.proxy.spoil = lambda *_: None
    yield
    assert share(world).status < 300


def sees_nothing(world, caller):
    machine = next(iter(world.machines.values()))
    assert not any(rows(caller, kind) for kind in LISTS)
    assert ask(caller, "GET", f"/providers/{world.id}").status == 404
    assert ask(caller, "GET", f"/remote-machines/{machine}").status == 404
    assert ask(caller, "GET", f"/remote-machines/{machine}/advice").status == 404
    assert ask(caller, "GET", f"/remote-machines/{machine}/metrics").status == 404
    assert ask(caller, "POST", f"/remote-machines/{machine}/stop", {}).status == 404


def test_before(world):
    sees_nothing(world, world.child)
    sees_nothing(world, world.stranger)


def test_view(world):
    """The child sees the provider without credentials, the machines and the resources. It changes nothing; a stranger sees nothing."""
    assert share(world, world.child.id).status < 300
    assert [p["name"] for p in rows(world.child, "providers")] == ["bank"]
    shown = ask(world.child, "GET", f"/providers/{world.id}").json["item"]
    assert not set(SECRET) & set(shown) and set(shown) >= {"name", "cloud", "region", "status"}, shown
    assert "login" in ask(world.owner, "GET", f"/providers/{world.id}").json["item"]
    assert {m["ref"] for m in rows(world.child, "remote-machines")} == set(world.refs)
    assert len(rows(world.child, "remote-resources")) == len(rows(world.owner, "remote-resources"))
    assert {m["ref"] for m in rows(world.child, "remote-machines", f"&provider={world.id}&q={world.refs[0]}")} == {world.refs[0]}
    machine = world.machines[world.refs[0]]
    assert ask(world.child, "GET", f"/remote-machines/{machine}/advice").status == 200
    assert ask(world.child, "POST", f"/remote-machines/{machine}/stop", {}).status == 403
    create = {"provider": world.id, "name": "x", "image": "ami-1", "type": "t3.micro"}
    assert ask(world.child, "POST", "/remote-machines", create).status == 403
    for method, path, body in (("PATCH", "", {"poll_s": 300}), ("POST", "/refresh", {}), ("DELETE", "", None), ("POST", "/share", {"accounts": []}),
                               ("POST", "/prices", {"currency": "EUR", "prices": {}})):
        assert ask(world.child, method, f"/providers/{world.id}{path}", body).status in (403, 404), (method, path)
    sees_nothing(world, world.stranger)


def test_problems_are_the_owners(world):
    """Conditions and history name endpoints, users and requests: the child reads neither, and the owner does."""
    world.proxy.spoil = lambda *_: (403, {"Content-Type": "text/xml"}, b"<Response><Errors><Error><Code>AuthFailure</Code><Message>no</Message></Error></Errors></Response>")
    assert ask(world.owner, "POST", f"/providers/{world.id}/refresh", {}).status < 300
    wait_until(lambda: ask(world.owner, "GET", f"/providers/{world.id}").json["item"]["conditions"], "a condition", shows=lambda: provider(world, "bank"))
    assert share(world, world.child.id).status < 300
    shown = ask(world.child, "GET", f"/providers/{world.id}").json["item"]
    assert shown["conditions"] == [] and rows(world.child, "providers")[0]["conditions"] == [], shown
    for caller, is_told in ((world.owner, True), (world.child, False)):
        assert bool(ask(caller, "GET", f"/providers/{world.id}/events").json["items"]) == is_told
        explained = ask(caller, "GET", f"/explain/{world.id}").json
        assert bool(explained["events"]["items"]) == is_told and ("in_its_way" in explained) == is_told, explained
    world.proxy.spoil = lambda *_: None
    assert ask(world.owner, "POST", f"/providers/{world.id}/refresh", {}).status < 300
    wait_until(lambda: not ask(world.owner, "GET", f"/providers/{world.id}").json["item"]["conditions"], "the condition's end", shows=lambda: provider(world, "bank"))


@pytest.mark.parametrize("query", ["&endpoint=http%2A", "&login=%2A", "&order=endpoint", "&order=-login", "&q=127.0.0.1"])
def test_no_oracle(world, query):
    """Filters, an order and words do not tell of members that only the owner sees."""
    assert share(world, world.child.id).status < 300
    assert rows(world.child, "providers") and not rows(world.child, "providers", query)
    assert len(rows(world.owner, "providers", query)) == 1


@pytest.mark.parametrize("kind", LISTS)
def test_kept_lists(world, kind):
    """A list that the child keeps is out of date once the sharing ends."""
    assert share(world, world.child.id).status < 300
    before = ask(world.child, "GET", f"/{kind}?limit=1000").headers["ETag"]
    assert before and ask(world.child, "GET", f"/{kind}?limit=1000").headers["ETag"] == before
    assert share(world).status < 300
    assert ask(world.child, "GET", f"/{kind}?limit=1000").headers["ETag"] != before


def test_prices_are_the_owners(world):
    """Advice for the child has neither the provider's prices nor those of the owner's list."""
    machine = next(m for m in rows(world.owner, "remote-machines") if m["ref"] == world.refs[0])
    assert ask(world.owner, "POST", f"/providers/{world.id}/prices", {"currency": "EUR", "prices": {machine["type"]: "0.25"}}).status < 300
    assert share(world, world.child.id).status < 300
    of_owner, of_child = (ask(caller, "GET", f"/remote-machines/{machine['id']}/advice").json for caller in (world.owner, world.child))
    assert of_owner["price"]["hour_micro"] == 250000, of_owner
    assert "price" not in of_child and "shares no prices" in of_child["price_note"], of_child


def test_end(world):
    """The end of sharing takes the view away with the same answer."""
    assert share(world, world.child.id, acts=True).status < 300
    assert rows(world.child, "remote-machines")
    assert share(world).status < 300
    sees_nothing(world, world.child)


def test_acts(world):
    """With acts, the child stops and starts a machine, and creates one, which belongs to the owner."""
    assert share(world, world.child.id, acts=True).status < 300
    ref = world.refs[1]
    for act, power in (("stop", "stopped"), ("start", "running")):
        assert ask(world.child, "POST", f"/remote-machines/{world.machines[ref]}/{act}", {}).status < 300
        rests(world, ref, power, "bank")
    image = world.there.ec2.describe_images()["Images"][0]["ImageId"]
    made = ask(world.child, "POST", "/remote-machines", {"provider": world.id, "name": "ours", "image": image, "type": "t3.micro"})
    assert made.status < 300, made
    wait_until(lambda: any(m["name"] == "ours" and m["power"] == "running" for m in machines(world, "bank").values()), "the machine", shows=lambda: machines(world, "bank"))
    row = next(m for m in rows(world.owner, "remote-machines") if m["name"] == "ours")
    assert ask(world.child, "POST", f"/remote-machines/{row['id']}/terminate", {}).status < 300


def test_policies(world):
    """Policies of the child name the owner's account: a Deny for one machine holds there alone."""
    assert share(world, world.child.id, acts=True).status < 300
    iam = world.child.client("iam")
    number = world.owner.client("sts").get_caller_identity()["Account"]
    iam.create_user(UserName="narrow")
    target = f"arn:aws:dari:*:{number}:remote/bank/machine/{world.refs[2]}"
    iam.put_user_policy(UserName="narrow", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "dari:*", "Resource": "*"}, {"Effect": "Deny", "Action": "dari:RebootRemoteMachines", "Resource": target},
        {"Effect": "Deny", "Action": "dari:CreateRemoteMachines", "Resource": f"arn:aws:dari:*:{number}:remote/bank/machine/*"}]}))
    key = iam.create_access_key(UserName="narrow")["AccessKey"]
    user = Account(world, key["AccessKeyId"], key["SecretAccessKey"])
    assert ask(user, "POST", f"/remote-machines/{world.machines[world.refs[2]]}/reboot", {}).status == 403
    assert ask(user, "POST", "/remote-machines", {"provider": world.id, "name": "x", "image": "ami-1", "type": "t3.micro"}).status == 403
    assert ask(user, "POST", f"/remote-machines/{world.machines[world.refs[3]]}/reboot", {}).status < 300
    rests(world, world.refs[3], "running", "bank")


def test_end_while_an_act_waits(world):
    """An act that waits for its cloud ends with the sharing: no request is sent."""
    assert share(world, world.child.id, acts=True).status < 300
    held, ref = threading.Event(), world.refs[0]

    def busy(_method, _path, body):
        if b"Action=DescribeInstances" not in body or b"InstanceId.1" not in body:
            return None
        held.set()
        return 503, {"Content-Type": "text/xml"}, b"<Response><Errors><Error><Code>ServiceUnavailable</Code><Message>busy</Message></Error></Errors></Response>"
    world.proxy.spoil = busy
    sent = world.proxy.asked("Action=StopInstances&")
    assert ask(world.child, "POST", f"/remote-machines/{world.machines[ref]}/stop", {}).status < 300
    assert held.wait(120)
    assert share(world, world.child.id).status < 300
    world.proxy.spoil = lambda *_: None
    wait_until(lambda: machines(world, "bank")[ref]["act"] == "none", "the end of the act", shows=lambda: machines(world, "bank")[ref])
    assert "not shared" in machines(world, "bank")[ref]["act_problem"] and world.proxy.asked("Action=StopInstances&") == sent


def test_only_below(world):
    """An account beside the owner, one above, and one that does not exist are refused with the same words."""
    other = next(a["id"] for a in native.admin(world).rows("/accounts") if a["name"] == "beside")
    absent = "00000000-0000-4000-8000-000000000001"
    answers = [share(world, name) for name in (other, absent)]
    assert all(a.status == 404 for a in answers), answers
    told = [json.dumps(a.json).replace(name, "ID") for a, name in zip(answers, (other, absent))]
    assert told[0].split('"request_id"')[0] == told[1].split('"request_id"')[0], told
    assert share(world, world.child.id, caller=world.stranger).status == 404
    assert share(world, acts=True).status == 400


def test_audit(world):
    """Each change of the sharing is in the audit log."""
    assert share(world, world.child.id).status < 300
    log = native.admin(world).api_ok("GET", "/audit-log?limit=50")["items"]
    assert any(e["action"] == "dari:PutProvider" for e in log), log[:3]


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/engine/remote src/reconcile/remote src/engine/people/asker.c src/auth/guard/guard_later.c schema/remote_machine.toml
"""Acts on machines elsewhere that wait for their cloud ask again, before they are sent, whether the user who requested them still may. A Deny, a policy that was
taken away and a user who is gone stop the act: no request leaves, the row says why, and its history has an event."""
import json
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import elsewhere  # noqa: E402
import native  # noqa: E402
from dev import Account, Dev  # noqa: E402
from elsewhere import machines  # noqa: E402
from faces import face  # noqa: E402
from faces import native as matrix_native  # noqa: E402
from waiting import wait_until  # noqa: E402

ALLOW = {"Effect": "Allow", "Action": "dari:*", "Resource": "*"}
BUSY = 503, {"Content-Type": "text/xml"}, b"<Response><Errors><Error><Code>ServiceUnavailable</Code><Message>busy</Message></Error></Errors></Response>"
# the request that each act sends, and the body with which it is requested
SENDS = {"start": "StartInstances", "stop": "StopInstances", "reboot": "RebootInstances", "tag": "CreateTags", "resize": "ModifyInstanceAttribute",
         "terminate": "TerminateInstances", "create": "RunInstances"}
# number of the machine that it is tried on: the first four are stopped
TRIED_ON = {"start": 0, "resize": 1, "stop": 4, "reboot": 5, "tag": 6, "terminate": 7, "create": 4}
BODIES = {"tag": {"tags": {"team": "red"}}, "resize": {"type": "t3.small"}}


def looks(body):
    """True for the look at one machine with which each act begins, or for a machine that may have been created already."""
    return b"Action=DescribeInstances" in body and (b"InstanceId.1" in body or b"Filter.1" in body)


class Caller:
    """A user of the account whose only right is its policy."""

    def __init__(self, home, name):
        self.guest = face.Guest(Account(home, home.account.key_id, home.account.secret), name)
        self.may(ALLOW)

    def may(self, *statements):
        self.guest.has(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))

    def ask(self, method, path, body):
        answer = matrix_native.ask(self.guest.caller, method, path, body)
        assert answer.status < 300, answer
        return answer.json

    def leave(self):
        self.guest.iam("DeleteUserPolicy", {"PolicyName": "matrix"})
        self.guest.iam("DeleteAccessKey", {"AccessKeyId": self.guest.caller.key_id})
        self.guest.iam("DeleteUser", {})


@pytest.fixture(scope="module")
def world():
    with Dev() as there, Dev() as home:
        there.ec2 = there.account.client()
        home.there, home.admin, home.refs = there, native.admin(home), elsewhere.launch(there, 12)
        there.ec2.stop_instances(InstanceIds=home.refs[:4])
        home.image = there.ec2.describe_images()["Images"][0]["ImageId"]
        home.proxy = elsewhere.Proxy(there)
        elsewhere.add(home, "there", "aws", there, home.proxy.url)
        wait_until(lambda: len(machines(home)) == 12 and machines(home)[home.refs[3]]["power"] == "stopped", "the first listing")
        # the row of a refused creation goes after two listings; each listing ends the pause after failed tries
        assert elsewhere.run(home, "provider", "set", "there", "--poll-s", "5").returncode == 0
        yield home
        home.proxy.end()


def request(world, caller, act, ref):
    """Requests the act while the cloud is busy. Returns the id of the machine's row."""
    held = []

    def hold(_method, _path, body):
        if not looks(body):
            return None
        held.append(body)
        return BUSY
    world.proxy.spoil = hold
    if act == "create":
        made = caller.ask("POST", "/remote-machines", {"provider": "there", "name": "late", "image": world.image, "type": "t3.micro"})
        identifier = made["items"][0]["id"]
    else:
        identifier = machines(world)[ref]["id"]
        caller.ask("POST", f"/remote-machines/{identifier}/{act}", BODIES.get(act, {}))
    wait_until(lambda: held, "that the act waits")
    return identifier


def row(world, identifier):
    return world.admin.api_ok("GET", f"/remote-machines/{identifier}")["item"]


def is_stopped(world, identifier, act, words):
    """The cloud is there again: the act ends with these words, and no request has left for it."""
    sent = world.proxy.asked(f"Action={SENDS[act]}&")
    world.proxy.spoil = lambda *_: None
    wait_until(lambda: row(world, identifier)["act"] == "none", "the end of the act", shows=lambda: row(world, identifier))
    assert words in row(world, identifier)["act_problem"], row(world, identifier)
    events = world.admin.api_ok("GET", f"/remote-machines/{identifier}/events")["items"]
    assert any(e["what"] == "failed" and words in e["text"] for e in events), events
    assert world.proxy.asked(f"Action={SENDS[act]}&") == sent


@pytest.mark.parametrize("act", SENDS)
def test_denied(world, act):
    """A Deny that is attached while the act waits; without it the same act is carried out."""
    ref = world.refs[TRIED_ON[act]]
    caller = Caller(world, f"denied-{act}")
    dry = world.proxy.asked(f"Action={SENDS[act]}&")
    identifier = request(world, caller, act, ref)
    permission = f"dari:{act.capitalize()}RemoteMachines"
    caller.may(ALLOW, {"Effect": "Deny", "Action": permission, "Resource": "*"})
    is_stopped(world, identifier, act, "explicit deny")
    caller.may(ALLOW)
    identifier = request(world, caller, act, ref)
    world.proxy.spoil = lambda *_: None
    wait_until(lambda: row(world, identifier)["act"] == "none", "the act", shows=lambda: row(world, identifier))
    assert not row(world, identifier).get("act_problem") and world.proxy.asked(f"Action={SENDS[act]}&") > dry


def test_named_machine(world):
    """A Deny of another machine stops nothing; an Allow of this machine alone is enough."""
    caller, arn = Caller(world, "named"), "arn:aws:dari:*:*:remote/there/machine/"
    identifier = request(world, caller, "stop", world.refs[8])
    caller.may({"Effect": "Allow", "Action": "dari:StopRemoteMachines", "Resource": arn + world.refs[8]},
               {"Effect": "Deny", "Action": "*", "Resource": arn + world.refs[9]})
    world.proxy.spoil = lambda *_: None
    elsewhere.rests(world, world.refs[8], "stopped")
    assert not row(world, identifier).get("act_problem")
    caller.may(ALLOW)
    identifier = request(world, caller, "stop", world.refs[9])
    caller.may(ALLOW, {"Effect": "Deny", "Action": "*", "Resource": arn + world.refs[9]})
    is_stopped(world, identifier, "stop", "explicit deny")


def test_without_a_policy(world):
    """The policy that allowed the act was taken away."""
    caller = Caller(world, "poor")
    identifier = request(world, caller, "stop", world.refs[9])
    caller.guest.iam("DeleteUserPolicy", {"PolicyName": "matrix"})
    is_stopped(world, identifier, "stop", "not authorized")


def test_deleted_user(world):
    caller = Caller(world, "leaver")
    identifier = request(world, caller, "stop", world.refs[9])
    caller.leave()
    is_stopped(world, identifier, "stop", "may not act for the account any more")


def test_disabled_user(world):
    """A disabled user is refused as one who is gone."""
    caller = Caller(world, "suspended")
    identifier = request(world, caller, "stop", world.refs[9])
    user = row(world, identifier)["made_by"].replace("-", "")
    answer = world.admin.call("PATCH", f"/identity/v3/users/{user}", {"user": {"enabled": False}})
    assert answer.status == 200, answer
    is_stopped(world, identifier, "stop", "may not act for the account any more")


def test_a_listing_keeps_the_asker(world):
    """A listing that changes the row while the act waits does not make the act the region's own."""
    caller = Caller(world, "patient")
    identifier = request(world, caller, "stop", world.refs[10])
    user = row(world, identifier)["made_by"]
    world.there.ec2.create_tags(Resources=[world.refs[10]], Tags=[{"Key": "seen", "Value": "yes"}])
    wait_until(lambda: row(world, identifier)["remote_tags"].get("seen") == "yes", "the listing")
    assert row(world, identifier)["made_by"] == user
    caller.may(ALLOW, {"Effect": "Deny", "Action": "dari:StopRemoteMachines", "Resource": "*"})
    is_stopped(world, identifier, "stop", "explicit deny")


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

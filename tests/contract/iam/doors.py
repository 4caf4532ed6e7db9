#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: always
# subjects: src/api/iam src/auth/guard
"""The matrix of IAM's doors: each action, with each parameter that names a user, a group, a role, a profile, a policy or a
provider, by a user whose policies keep them from it. What is refused changes nothing, so all refusals are tried first;
then the same calls are made with a policy about another one, and none of them is refused."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import dev as ec2  # noqa: E402
import doors  # noqa: E402
from iam_world import ACTIONS, World, wire  # noqa: E402

KINDS = {"UserName": "user", "GroupName": "user_group", "RoleName": "iam_role", "InstanceProfileName": "instance_profile",
         "PolicyArn": "policy", "PermissionsBoundary": "policy", "OpenIDConnectProviderArn": "oidc_provider", "AccessKeyId": "user"}
WORDS = {"user": "user/ann", "user_group": "group/team", "iam_role": "role/deploy", "instance_profile": "instance-profile/web"}
NOT_ASKED = {  # what names one that is to be made, or the caller alone
    ("CreateUser", "UserName"), ("CreateGroup", "GroupName"), ("CreateRole", "RoleName"), ("CreateInstanceProfile", "InstanceProfileName"),
    ("CreateOpenIDConnectProvider", "OpenIDConnectProviderArn")}


@pytest.fixture(scope="module")
def world():
    with ec2.Dev() as dev:
        made = World(dev)
        made.number = made.arn.split(":")[4]
        made.iam.create_user(UserName="guest")
        key = made.iam.create_access_key(UserName="guest")["AccessKey"]
        made.guest = ec2.Account(dev, key["AccessKeyId"], key["SecretAccessKey"])
        made.now = None
        yield made


def by_guest(world, document, request):
    if document != world.now:
        world.iam.put_user_policy(UserName="guest", PolicyName="matrix", PolicyDocument=document)
        world.now = document
    request = dict(request)
    return world.guest.call(request.pop("Action"), request, service="iam", version="2010-05-08")


def row_of(world, param):
    kind = KINDS[param]
    start = f"arn:aws:iam::{world.number}:"
    arn = world.values["PolicyArn"] if kind == "policy" else world.provider if kind == "oidc_provider" else start + WORDS[kind]
    return doors.Row(kind, arn, arn.rpartition("/")[0] + "/other")


def request(world, action, param):
    """With what the tables cannot say."""
    more = {"CreateUser": {"UserName": "fresh"}, "CreateRole": {"RoleName": "fresh"}, "DeleteAccessKey": {"UserName": "ann"},
            "UpdateAccessKey": {"UserName": "ann"}}.get(action["name"], {})
    return {**world.request(action, param), **more, wire(param["name"]): world.values[param["name"]]}


CASES = [(name, p["name"]) for name, a in sorted(ACTIONS.items()) for p in a["params"]
         if p["name"] in KINDS and p["built"] and (name, p["name"]) not in NOT_ASKED]


def case(world, name, wanted):
    param = next(p for p in ACTIONS[name]["params"] if p["name"] == wanted)
    return ACTIONS[name], row_of(world, wanted), request(world, ACTIONS[name], param)


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_action(world, name):
    """A Deny of its word, and no policy that allows it."""
    action = ACTIONS[name]
    asked = world.request(action, {"name": ""})
    for document in (doors.policy(doors.ALLOW, doors.deny(action["permit"], "*")), doors.policy({**doors.ALLOW, "Action": "ec2:*"})):
        answer = by_guest(world, document, asked)
        assert (answer.status, answer.code) == (403, "AccessDenied"), answer


@pytest.mark.parametrize("name,param", CASES)
def test_refused(world, name, param):
    action, row, asked = case(world, name, param)
    changes = not name.startswith(("Get", "List", "Simulate"))
    for what, document, refuses in doors.cells(action, row, changes):
        if refuses:
            answer = by_guest(world, document, asked)
            assert (answer.status, answer.code) == (403, "AccessDenied"), f"{what}: {answer}"


@pytest.mark.parametrize("name,param", [c for c in CASES if "Delete" not in c[0]] + [c for c in CASES if "Delete" in c[0]])
def test_goes_through(world, name, param):
    action, row, asked = case(world, name, param)
    for what, document, refuses in doors.cells(action, row, True):
        if not refuses and "other" in document:
            answer = by_guest(world, document, asked)
            assert answer.code != "AccessDenied", f"{what}: {answer}"


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

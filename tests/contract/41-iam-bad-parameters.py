#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every parameter of every action of IAM, spoilt as its row in the tables knows: the answer is one of IAM's codes, it
names the parameter or the value, and nothing has changed for the account. Each action's request is made of what is there."""
import json
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import dev as ec2  # noqa: E402

TABLES = json.loads(subprocess.run([ec2.DARI, "dump", "iam"], check=True, capture_output=True).stdout)
ACTIONS = {a["name"]: a for a in TABLES["actions"]}
DOCUMENT = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}})
TRUST = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole"}})
CODES = {"ValidationError", "MalformedPolicyDocument", "NoSuchEntity", "InvalidInput", "InvalidAction", "EntityAlreadyExists",
         "PasswordPolicyViolation", "LimitExceeded", "DeleteConflict"}
LISTS = ("ListUsers", "ListGroups", "ListRoles", "ListInstanceProfiles", "ListPolicies", "ListAccountAliases", "GetAccountSummary",
         "ListAttachedUserPolicies", "ListOpenIDConnectProviders", "ListUserPolicies", "ListUserTags", "ListRoleTags", "ListAccessKeys", "GetGroup", "ListRolePolicies")

class World:
    """What requests name, in an account of its own."""

    def __init__(self, dev):
        self.account = dev.new_account("iam")
        self.iam = self.account.client("iam")
        self.iam.create_user(UserName="ann")
        self.iam.create_group(GroupName="team")
        self.iam.create_role(RoleName="deploy", AssumeRolePolicyDocument=TRUST)
        self.iam.create_instance_profile(InstanceProfileName="web")
        self.arn = self.iam.create_policy(PolicyName="look", PolicyDocument=DOCUMENT)["Policy"]["Arn"]
        self.key = self.iam.create_access_key(UserName="ann")["AccessKey"]["AccessKeyId"]
        number = self.arn.split(":")[4]
        self.provider = self.iam.create_open_id_connect_provider(
            Url="https://issuer.example.com", ThumbprintList=["a" * 40])["OpenIDConnectProviderArn"]
        self.values = {
            "UserName": "ann", "GroupName": "team", "RoleName": "deploy", "InstanceProfileName": "web", "PolicyArn": self.arn,
            "AccessKeyId": self.key, "PolicyName": "look", "PolicyDocument": DOCUMENT, "AssumeRolePolicyDocument": TRUST,
            "VersionId": "v1", "PermissionsBoundary": self.arn, "Status": "Active", "Description": "x", "AccountAlias": "corner",
            "Password": "Correct-horse-1", "OldPassword": "Correct-horse-1", "NewPassword": "Correct-horse-2",
            "PolicySourceArn": f"arn:aws:iam::{number}:user/ann", "ActionNames.member.N": "ec2:RunInstances",
            "OpenIDConnectProviderArn": self.provider, "Url": "https://id.example.com", "ClientID": "c", "ThumbprintList.member.N": "a" * 40,
            "Tags.member.N.Key": "k", "Tags.member.N.Value": "v", "TagKeys.member.N": "k"}

    def call(self, parameters):
        return self.account.call(parameters.pop("Action"), parameters, service="iam", version="2010-05-08")

    def request(self, action, but):
        """Only what is required, and the head of the list that the spoilt one is in."""
        wanted = [p for p in action["params"] if p["required"] and p["name"] in self.values and (
            ".N." not in p["name"] or p["name"].split(".N.")[0] == but["name"].split(".N.")[0] or p["name"].startswith("Tags."))]
        wanted = [p for p in wanted if ".N." not in p["name"] or any(
            q["required"] for q in action["params"] if q["name"] == p["name"].split(".N.")[0] + ".N") or but["name"].startswith("Tags.")]
        values = {**self.values, **({"PolicyDocument": TRUST} if action["name"] == "UpdateAssumeRolePolicy" else {})}
        return {"Action": action["name"], **{wire(p["name"]): values[p["name"]] for p in wanted}}

    def state(self):
        said = [self.call({"Action": name, **{wire(p["name"]): self.values[p["name"]] for p in ACTIONS[name]["params"] if p["required"]}})
                for name in LISTS]
        assert all(a.status == 200 for a in said), said
        return [re.sub("<RequestId>.*</RequestId>", "", a.text) for a in said]


def wire(name):
    return name.replace(".N", ".1")


def spoilt(param):
    """Values that the parameter must not have."""
    if param["type"] == "any":
        yield "true" if param.get("only") == "false" else "x"
        return
    if param["type"] == "boolean":
        yield from ("maybe", "")
    elif param["type"] == "integer":
        yield from ("x", "1.5", str(2**63), str(param["min"] - 1), str(param["max"] + 1))
    elif param["type"] in ("string", "list of strings"):
        if param.get("words"):
            yield "no-such-word"
        elif "max" in param:
            yield "x" * (param["max"] + 1)
            yield "a\x01b" * 7
        if param.get("min", 0) > 0:
            yield ""
        if param.get("form") == "name":
            yield "nobody"


@pytest.fixture(scope="module")
def world():
    with ec2.Dev() as dev:
        yield World(dev)


def complaint(param, value, answer):
    if not 400 <= answer.status < 500:
        return "was not refused"
    if answer.code not in CODES:
        return "the code is not IAM's"
    if param["type"] == "any" and answer.code != "InvalidAction":
        return "what is not built is InvalidAction"
    leaf = param["name"].split(".N")[0]
    if leaf not in answer.message and leaf.split(".")[0] not in answer.message and not (value and value in answer.message):
        return "neither the parameter nor the value is named"
    return ""


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_action(name, world):
    action, wrong = ACTIONS[name], []
    before = world.state()
    for param in action["params"]:
        if param["type"] == "list of structures":
            continue
        request = world.request(action, param)
        cases = [(value, {**request, wire(param["name"]): value}) for value in spoilt(param)]
        if param["required"] and ".N" not in param["name"]:
            cases.append((None, {k: v for k, v in request.items() if k != param["name"]}))
        for value, spoiled in cases:
            answer = world.call(dict(spoiled))
            why = complaint(param, value, answer)
            if why:
                wrong.append(f"{param['name']}={(value or '(absent)')[:40]!r}: {why}: {answer.status} {answer.code} {answer.message[:160]}")
    unknown = world.call({"Action": name, "NoSuchParameter": "x"})
    if unknown.code != "ValidationError":
        wrong.append(f"an unknown parameter: {unknown}")
    assert not wrong, "\n" + "\n".join(wrong)
    assert world.state() == before, "something has changed"


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

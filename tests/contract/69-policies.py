#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""IAM's policies through stock aws: made, attached, simulated; what they deny is denied in EC2, Nova and Neutron, and
each refusal says why."""
import json
import os
import re
import sys

import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import cloud as lib  # noqa: E402
import dev as ec2  # noqa: E402
import warm  # noqa: E402
from faces import COMPUTE, IDENTITY, NETWORK, code  # noqa: E402
from shop import dev, policy, shop  # noqa: E402, F401  fixtures

AWS = "/usr/bin/aws"


class Iam:
    """aws iam, by an account's owner."""

    def __init__(self, dev, account, room):
        self.url = dev.url
        self.env = {"PATH": "/usr/bin:/bin", "HOME": str(room), "AWS_DEFAULT_REGION": ec2.REGION, "AWS_PAGER": "",
                    "AWS_ACCESS_KEY_ID": account.key_id, "AWS_SECRET_ACCESS_KEY": account.secret, "AWS_MAX_ATTEMPTS": "1"}

    def run(self, *words):
        return warm.run([AWS, "--endpoint-url", self.url, "--output", "json", *words], self.env)

    def __call__(self, *words):
        done = self.run("iam", *words)
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else None


def deny(*actions, **more):
    return {"Sid": "No", "Effect": "Deny", "Action": list(actions), "Resource": "*", **more}


@pytest.fixture(scope="module")
def iam(dev, shop, tmp_path_factory):
    return Iam(dev, shop.root, tmp_path_factory.mktemp("home"))


@pytest.fixture()
def carol(dev, shop, iam):
    """A member of the account, with a key for EC2; without policies at the beginning."""
    admin = lib.admin(dev)
    name = "carol"
    users = admin.ok("GET", f"{IDENTITY}/users?name={name}")["users"]
    for user in users:
        assert admin.call("DELETE", f"{IDENTITY}/users/{user['id']}").status == 204
    user = admin.ok("POST", f"{IDENTITY}/users", {"user": {"name": name, "password": "geheim"}})["user"]["id"]
    role = admin.ok("GET", f"{IDENTITY}/roles?name=member")["roles"][0]["id"]
    assert admin.call("PUT", f"{IDENTITY}/projects/{shop.id}/users/{user}/roles/{role}").status == 204
    person = lib.Project(dev, shop.name, name, "geheim")
    made = person.ok("POST", f"{IDENTITY}/users/{user}/credentials/OS-EC2", {"tenant_id": shop.id})["credential"]
    account = ec2.Account(dev, made["access"], made["secret"])
    person.ec2, person.iam = account.client(), account.client("iam")
    return person


def test_managed_policies(iam, carol):
    made = iam("create-policy", "--policy-name", "keep", "--policy-document", policy(deny("ec2:TerminateInstances")))["Policy"]
    arn = made["Arn"]
    assert re.fullmatch(r"arn:aws:iam::\d{12}:policy/keep", arn) and made["DefaultVersionId"] == "v1"
    iam("attach-user-policy", "--user-name", "carol", "--policy-arn", arn)
    assert [p["PolicyArn"] for p in iam("list-attached-user-policies", "--user-name", "carol")["AttachedPolicies"]] == [arn]
    assert iam("get-policy", "--policy-arn", arn)["Policy"]["AttachmentCount"] == 1
    assert [p["PolicyName"] for p in iam("list-policies", "--scope", "Local")["Policies"]] == ["keep"]
    text = iam("get-policy-version", "--policy-arn", arn, "--version-id", "v1")["PolicyVersion"]["Document"]
    assert text["Statement"][0]["Action"] == ["ec2:TerminateInstances"]
    done = iam.run("iam", "delete-policy", "--policy-arn", arn)
    assert "(DeleteConflict)" in done.stderr
    iam("detach-user-policy", "--user-name", "carol", "--policy-arn", arn)
    iam("delete-policy", "--policy-arn", arn)
    assert "(NoSuchEntity)" in iam.run("iam", "get-policy", "--policy-arn", arn).stderr


def test_malformed(iam):
    done = iam.run("iam", "create-policy", "--policy-name", "x", "--policy-document", policy({"Effect": "Allow", "Action": "ec2:*"}))
    assert "(MalformedPolicyDocument)" in done.stderr and "Missing required field Resource" in done.stderr


def test_deny_holds_in_nova_and_neutron(shop, iam, carol, dev):
    instance = shop.ec2.run_instances(ImageId=shop.image, InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    dev.rest()
    server = shop.server(instance)["id"]
    iam("put-user-policy", "--user-name", "carol", "--policy-name", "no",
        "--policy-document", policy(deny("ec2:TerminateInstances", "ec2:CreateSecurityGroup")))
    assert code(carol.ec2.terminate_instances, InstanceIds=[instance]) == "UnauthorizedOperation"
    assert carol.call("DELETE", f"{COMPUTE}/servers/{server}").status == 403
    assert carol.call("POST", f"{NETWORK}/security-groups", {"security_group": {"name": "g"}}).status == 403
    assert carol.call("GET", f"{COMPUTE}/servers/{server}").status == 200
    iam("delete-user-policy", "--user-name", "carol", "--policy-name", "no")
    assert carol.call("POST", f"{NETWORK}/security-groups", {"security_group": {"name": "g"}}).status == 201
    assert carol.call("DELETE", f"{COMPUTE}/servers/{server}").status == 204


def test_a_refusal_explains_itself(shop, iam, carol, dev):
    iam("put-user-policy", "--user-name", "carol", "--policy-name", "no", "--policy-document", policy(deny("ec2:DescribeVpcs")))
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        carol.ec2.describe_vpcs()
    message = refused.value.response["Error"]["Message"]
    encoded = message.partition("failure message: ")[2]
    decoded = json.loads(shop.root.client("sts").decode_authorization_message(EncodedMessage=encoded)["DecodedMessage"])
    assert decoded["explicitDeny"] and decoded["context"]["action"] == "ec2:DescribeVpcs"
    assert decoded["matchedStatements"]["items"][0]["statementId"] == "No"
    told = dev.explain(refused.value.response["ResponseMetadata"]["RequestId"])
    assert "ec2:DescribeVpcs" in told and "user/carol" in told and "statement 1 (No)" in told


def test_simulation(iam, carol, shop):
    account = shop.root.client("sts").get_caller_identity()["Account"]
    iam("put-user-policy", "--user-name", "carol", "--policy-name", "no", "--policy-document", policy(
        deny("ec2:StopInstances", Condition={"StringEquals": {"aws:ResourceTag/env": "prod"}})))
    said = iam("simulate-principal-policy", "--policy-source-arn", f"arn:aws:iam::{account}:user/carol", "--action-names",
               "ec2:StopInstances", "ec2:StartInstances", "--context-entries",
               "ContextKeyName=aws:ResourceTag/env,ContextKeyValues=prod,ContextKeyType=string")["EvaluationResults"]
    assert [r["EvalDecision"] for r in said] == ["explicitDeny", "allowed"]
    said = iam("simulate-custom-policy", "--policy-input-list", policy({"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}),
               "--action-names", "ec2:DescribeVpcs", "s3:GetObject")["EvaluationResults"]
    assert [r["EvalDecision"] for r in said] == ["allowed", "implicitDeny"]


def test_boundary(iam, carol):
    arn = iam("create-policy", "--policy-name", "bound", "--policy-document", policy(
        {"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}))["Policy"]["Arn"]
    iam("put-user-permissions-boundary", "--user-name", "carol", "--permissions-boundary", arn)
    assert carol.ec2.describe_vpcs()["Vpcs"]
    assert code(carol.ec2.create_vpc, CidrBlock="10.9.0.0/16") == "UnauthorizedOperation"
    assert carol.call("POST", f"{NETWORK}/routers", {"router": {"name": "r"}}).status == 403
    iam("delete-user-permissions-boundary", "--user-name", "carol")
    carol.ec2.create_vpc(CidrBlock="10.9.0.0/16")
    iam("delete-policy", "--policy-arn", arn)


def test_a_member_decides_nothing(carol):
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        carol.iam.list_policies()
    assert refused.value.response["Error"]["Code"] == "AccessDenied"


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/iam src/auth/policy src/auth/policy/simulation
"""IAM policies through stock aws: created, attached, simulated; their Denies apply in EC2, Nova and Neutron, and each refusal says why."""
import json
import os
import re
import sys

import boto3
import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
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
    """A member of the account, with a key for EC2; initially without policies."""
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
    assert "(MalformedPolicyDocument)" in done.stderr and "Policy statement must contain resources." in done.stderr


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


def test_when_a_password_was_last_used(iam, carol):
    iam("create-user", "--user-name", "emil")
    assert "PasswordLastUsed" not in iam("get-user", "--user-name", "emil")["User"]
    iam("delete-user", "--user-name", "emil")
    assert carol.ec2.describe_vpcs()["Vpcs"]
    used = iam("get-user", "--user-name", "carol")["User"]["PasswordLastUsed"]  # for Keystone's token, just before
    assert [u.get("PasswordLastUsed") for u in iam("list-users")["Users"] if u["UserName"] == "carol"] == [used]


AMAZON = "arn:aws:iam::aws:policy/"


@pytest.fixture()
def dora(dev, shop):
    """A user of the account itself, initially without policies."""
    iam = shop.root.client("iam")
    iam.create_user(UserName="dora")
    key = iam.create_access_key(UserName="dora")["AccessKey"]
    account = ec2.Account(dev, key["AccessKeyId"], key["SecretAccessKey"])
    account.ec2, account.iam = account.client(), account.client("iam")
    yield account
    iam.delete_access_key(UserName="dora", AccessKeyId=key["AccessKeyId"])
    for attached in iam.list_attached_user_policies(UserName="dora")["AttachedPolicies"]:
        iam.detach_user_policy(UserName="dora", PolicyArn=attached["PolicyArn"])
    for name in iam.list_user_policies(UserName="dora")["PolicyNames"]:
        iam.delete_user_policy(UserName="dora", PolicyName=name)
    iam.delete_user(UserName="dora")


def test_what_amazon_calls_its_policies(dev, iam, dora):
    """Attached by ARN they apply at once, in this account only; nobody can change them."""
    assert code(dora.ec2.describe_vpcs) == "UnauthorizedOperation"
    iam("attach-user-policy", "--user-name", "dora", "--policy-arn", AMAZON + "AmazonEC2ReadOnlyAccess")
    assert dora.ec2.describe_vpcs()["Vpcs"]
    assert code(dora.ec2.create_vpc, CidrBlock="10.9.0.0/16") == "UnauthorizedOperation"
    iam("create-group", "--group-name", "builders")
    iam("add-user-to-group", "--group-name", "builders", "--user-name", "dora")
    iam("attach-group-policy", "--group-name", "builders", "--policy-arn", AMAZON + "AmazonVPCFullAccess")
    dora.ec2.delete_vpc(VpcId=dora.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"])
    iam("put-user-permissions-boundary", "--user-name", "dora", "--permissions-boundary", AMAZON + "AmazonVPCReadOnlyAccess")
    assert code(dora.ec2.create_vpc, CidrBlock="10.9.0.0/16") == "UnauthorizedOperation"
    assert iam("get-user", "--user-name", "dora")["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == AMAZON + "AmazonVPCReadOnlyAccess"
    listed = [p["PolicyName"] for p in iam("list-policies", "--scope", "AWS", "--only-attached")["Policies"]]
    assert listed == ["AmazonEC2ReadOnlyAccess", "AmazonVPCFullAccess", "AmazonVPCReadOnlyAccess"]
    bounds = iam("list-policies", "--scope", "AWS", "--policy-usage-filter", "PermissionsBoundary")["Policies"]
    assert [(p["PolicyName"], p["AttachmentCount"], p["PermissionsBoundaryUsageCount"]) for p in bounds] == [("AmazonVPCReadOnlyAccess", 0, 1)]
    entities = iam("list-entities-for-policy", "--policy-arn", AMAZON + "AmazonVPCFullAccess")
    assert [g["GroupName"] for g in entities["PolicyGroups"]] == ["builders"] and not entities["PolicyUsers"]
    details = iam("get-account-authorization-details", "--filter", "AWSManagedPolicy")["Policies"]
    assert {p["PolicyName"] for p in details} == set(listed)
    other = dev.new_account("elsewhere").client("iam")
    assert other.get_policy(PolicyArn=AMAZON + "AmazonVPCFullAccess")["Policy"]["AttachmentCount"] == 0
    assert not other.list_policies(Scope="AWS", OnlyAttached=True)["Policies"]
    iam("delete-user-permissions-boundary", "--user-name", "dora")
    iam("detach-user-policy", "--user-name", "dora", "--policy-arn", AMAZON + "AmazonEC2ReadOnlyAccess")
    iam("remove-user-from-group", "--group-name", "builders", "--user-name", "dora")
    assert code(dora.ec2.describe_vpcs) == "UnauthorizedOperation"
    iam("detach-group-policy", "--group-name", "builders", "--policy-arn", AMAZON + "AmazonVPCFullAccess")
    iam("delete-group", "--group-name", "builders")


def test_amazons_policies_are_nobodys_to_change(iam):
    arn, document = AMAZON + "ReadOnlyAccess", policy(deny("ec2:*"))
    for words in (["delete-policy"], ["create-policy-version", "--policy-document", document], ["delete-policy-version", "--version-id", "v1"],
                  ["set-default-policy-version", "--version-id", "v1"], ["tag-policy", "--tags", "Key=a,Value=b"], ["untag-policy", "--tag-keys", "a"]):
        assert "(AccessDenied)" in iam.run("iam", words[0], "--policy-arn", arn, *words[1:]).stderr, words
    version = iam("get-policy", "--policy-arn", arn)["Policy"]["DefaultVersionId"]
    assert iam("get-policy-version", "--policy-arn", arn, "--version-id", version)["PolicyVersion"]["Document"]["Statement"]
    assert iam("list-policy-tags", "--policy-arn", arn)["Tags"] == []
    assert "(NoSuchEntity)" in iam.run("iam", "get-policy", "--policy-arn", AMAZON + "ViewOnlyAccess").stderr  # its ARN contains a path


def test_amazons_policies_bound_sessions(dev, shop, iam, dora):
    number = shop.root.client("sts").get_caller_identity()["Account"]
    trust = policy({"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{number}:user/dora"}, "Action": "sts:AssumeRole"})
    role = iam("create-role", "--role-name", "all", "--assume-role-policy-document", trust)["Role"]["Arn"]
    iam("attach-role-policy", "--role-name", "all", "--policy-arn", AMAZON + "AdministratorAccess")
    sts = dora.client("sts")
    taken = sts.assume_role(RoleArn=role, RoleSessionName="job", PolicyArns=[{"arn": AMAZON + "AmazonEC2ReadOnlyAccess"}])["Credentials"]
    session = boto3.client("ec2", region_name=ec2.REGION, endpoint_url=dev.url, aws_access_key_id=taken["AccessKeyId"],
                           aws_secret_access_key=taken["SecretAccessKey"], aws_session_token=taken["SessionToken"])
    assert session.describe_vpcs()["Vpcs"]
    assert code(session.create_vpc, CidrBlock="10.9.0.0/16") == "UnauthorizedOperation"
    assert code(sts.assume_role, RoleArn=role, RoleSessionName="job", PolicyArns=[{"arn": AMAZON + "NoSuchPolicy"}]) == "ValidationError"
    said = iam("simulate-principal-policy", "--policy-source-arn", role, "--action-names", "ec2:RunInstances", "iam:CreateUser")["EvaluationResults"]
    assert [(r["EvalDecision"], r["MatchedStatements"][0]["SourcePolicyId"]) for r in said] == [("allowed", "AdministratorAccess")] * 2
    iam("detach-role-policy", "--role-name", "all", "--policy-arn", AMAZON + "AdministratorAccess")
    iam("delete-role", "--role-name", "all")


def test_which_policies_may_be_attached(iam, dora):
    """iam:PolicyARN limits the policies that a user may attach."""
    iam("put-user-policy", "--user-name", "dora", "--policy-name", "hand-on", "--policy-document", policy(
        {"Effect": "Allow", "Action": ["iam:AttachUserPolicy", "iam:DetachUserPolicy"], "Resource": "*",
         "Condition": {"ArnLike": {"iam:PolicyARN": AMAZON + "AmazonEC2*"}}}))
    dora.iam.attach_user_policy(UserName="dora", PolicyArn=AMAZON + "AmazonEC2ReadOnlyAccess")
    assert code(dora.iam.attach_user_policy, UserName="dora", PolicyArn=AMAZON + "AdministratorAccess") == "AccessDenied"
    dora.iam.detach_user_policy(UserName="dora", PolicyArn=AMAZON + "AmazonEC2ReadOnlyAccess")


def test_a_member_decides_nothing(carol):
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        carol.iam.list_policies()
    assert refused.value.response["Error"]["Code"] == "AccessDenied"


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

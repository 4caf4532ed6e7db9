#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Roles taken through stock aws and boto3: STS decides by the trust policy and the caller's own, temporary credentials
hold in EC2 and IAM as far as the role and what was passed let them, and end with what they stand on."""
import datetime
import json
import os
import re
import subprocess
import sys

import boto3
import botocore.config
import pytest
import requests
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import dev as ec2  # noqa: E402
import warm  # noqa: E402
from faces import code  # noqa: E402
from shop import dev, iam, number, policy, shop  # noqa: E402, F401  fixtures

AWS = "/usr/bin/aws"


def allow(*actions, resource="*", **more):
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


def trust(principal, *actions, effect="Allow", **more):
    return {"Effect": effect, "Principal": {"AWS": principal}, "Action": list(actions) or ["sts:AssumeRole", "sts:TagSession"], **more}


class Session:
    """Clients of some credentials, temporary or not."""

    def __init__(self, dev, key_id, secret, token=None):
        self.dev, self.key_id, self.secret, self.token = dev, key_id, secret, token

    def client(self, service="ec2"):
        return boto3.client(service, region_name=ec2.REGION, endpoint_url=self.dev.url, aws_access_key_id=self.key_id,
                            aws_secret_access_key=self.secret, aws_session_token=self.token,
                            config=botocore.config.Config(retries={"max_attempts": 0}, parameter_validation=False))

    def env(self, room):
        return {"PATH": "/usr/bin:/bin", "HOME": str(room), "AWS_DEFAULT_REGION": ec2.REGION, "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "1",
                "AWS_ACCESS_KEY_ID": self.key_id, "AWS_SECRET_ACCESS_KEY": self.secret,
                **({"AWS_SESSION_TOKEN": self.token} if self.token else {})}


def session_of(dev, answer):
    c = answer["Credentials"]
    return Session(dev, c["AccessKeyId"], c["SecretAccessKey"], c["SessionToken"])


@pytest.fixture(scope="module")
def person(dev, iam):
    """A function that makes users with a key and a policy."""
    def make(name, *statements):
        iam.create_user(UserName=name)
        if statements:
            iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=policy(*statements))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return Session(dev, key["AccessKeyId"], key["SecretAccessKey"])
    return make


@pytest.fixture(scope="module")
def ann(person):
    return person("ann", allow("sts:AssumeRole", "sts:TagSession"))


@pytest.fixture(scope="module")
def bea(person):
    return person("bea", allow("ec2:DescribeVpcs"))


@pytest.fixture(scope="module")
def role(iam):
    """A function that makes roles; their ARNs."""
    def make(name, statements, trusts, **words):
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(*trusts), **words)["Role"]["Arn"]
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy(*statements))
        return arn
    return make


@pytest.fixture(scope="module")
def looker(role, number):
    """What whoever has the account's leave may take, to describe."""
    return role("looker", [allow("ec2:Describe*", "ec2:CreateTags")], [trust(number)], Path="/app/", Tags=[{"Key": "team", "Value": "red"}])


def take(dev, who, arn, name="job", **words):
    return session_of(dev, who.client("sts").assume_role(RoleArn=arn, RoleSessionName=name, **words))


def test_what_is_answered(dev, shop, ann, looker, number):
    before = datetime.datetime.now(datetime.timezone.utc)
    answer = ann.client("sts").assume_role(RoleArn=looker, RoleSessionName="job-1", DurationSeconds=900)
    assert answer["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{number}:assumed-role/looker/job-1"
    assert re.fullmatch(r"AROA[0-9A-F]{17}:job-1", answer["AssumedRoleUser"]["AssumedRoleId"])
    assert 898 <= (answer["Credentials"]["Expiration"] - before).total_seconds() <= 930
    assert re.fullmatch(r"ASIA[A-Z2-7]{16}", answer["Credentials"]["AccessKeyId"]) and len(answer["Credentials"]["SecretAccessKey"]) == 40
    session = session_of(dev, answer)
    who = session.client("sts").get_caller_identity()
    assert (who["Arn"], who["UserId"]) == (answer["AssumedRoleUser"]["Arn"], answer["AssumedRoleUser"]["AssumedRoleId"])
    assert who["Account"] == number
    root = shop.root.client("sts")
    assert root.get_access_key_info(AccessKeyId=session.key_id)["Account"] == number
    assert root.get_access_key_info(AccessKeyId=ann.key_id)["Account"] == number
    assert code(root.get_access_key_info, AccessKeyId="ASIAAAAAAAAAAAAAAAAA") == "ValidationError"
    assert code(ann.client("sts").get_access_key_info, AccessKeyId=ann.key_id) == "AccessDenied"


def test_it_may_what_its_role_may(dev, ann, looker):
    session = take(dev, ann, looker)
    vpc = session.client().describe_vpcs()["Vpcs"][0]["VpcId"]
    session.client().create_tags(Resources=[vpc], Tags=[{"Key": "a", "Value": "b"}])
    assert session.client().describe_tags(Filters=[{"Name": "resource-id", "Values": [vpc]}])["Tags"][0]["Value"] == "b"
    assert code(session.client().create_vpc, CidrBlock="10.9.0.0/16") == "UnauthorizedOperation"
    assert code(session.client("iam").list_users) == "AccessDenied"
    assert code(session.client("sts").get_session_token) == "AccessDenied"
    assert code(ann.client().describe_vpcs) == "UnauthorizedOperation"  # her own policy gives no more than the taking


def test_what_a_role_makes(dev, ann, role, number):
    arn = role("maker", [allow("ec2:*")], [trust(number)])
    client = take(dev, ann, arn).client()
    vpc = client.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]
    assert vpc["OwnerId"] == number
    image = client.describe_images()["Images"][0]["ImageId"]
    made = client.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    client.get_waiter("instance_running").wait(InstanceIds=[made], WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    client.terminate_instances(InstanceIds=[made])


def test_who_may_take_it(dev, shop, ann, bea, looker, role, number):
    assert code(bea.client("sts").assume_role, RoleArn=looker, RoleSessionName="job") == "AccessDenied"
    assert code(shop.root.client("sts").assume_role, RoleArn=looker, RoleSessionName="job") == "AccessDenied"
    named = role("named", [], [trust(f"arn:aws:iam::{number}:user/bea")])
    take(dev, bea, named)  # by name: no policy of hers is asked
    assert code(ann.client("sts").assume_role, RoleArn=named, RoleSessionName="job") == "AccessDenied"
    take(dev, bea, role("anybody", [], [trust("*")]))
    denied = role("denied", [], [trust("*"), trust(f"arn:aws:iam::{number}:user/bea", effect="Deny")])
    take(dev, ann, denied)
    assert code(bea.client("sts").assume_role, RoleArn=denied, RoleSessionName="job") == "AccessDenied"
    for arn in (looker.replace("looker", "nobody"), looker.replace("/app/", "/"), looker.replace(number, "000000000000")):
        assert code(ann.client("sts").assume_role, RoleArn=arn, RoleSessionName="job") == "AccessDenied"


def test_conditions_of_trust(dev, ann, bea, role, number):
    arn = role("outside", [], [trust("*", Condition={"StringEquals": {"sts:ExternalId": "x-1"}, "ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{number}:user/a*"}})])
    take(dev, ann, arn, ExternalId="x-1")
    assert code(ann.client("sts").assume_role, RoleArn=arn, RoleSessionName="job", ExternalId="x-2") == "AccessDenied"
    assert code(ann.client("sts").assume_role, RoleArn=arn, RoleSessionName="job") == "AccessDenied"
    assert code(bea.client("sts").assume_role, RoleArn=arn, RoleSessionName="job", ExternalId="x-1") == "AccessDenied"


def test_across_accounts(dev, role, number):
    """Both must let: the role's trust policy, and the caller's own account."""
    other = dev.new_account("depot")
    depot = other.client("sts").get_caller_identity()["Account"]
    theirs = other.client("iam")
    arn = role("shared", [allow("ec2:DescribeVpcs")], [trust(f"arn:aws:iam::{depot}:root")])
    theirs.create_user(UserName="dan")
    key = theirs.create_access_key(UserName="dan")["AccessKey"]
    dan = Session(dev, key["AccessKeyId"], key["SecretAccessKey"])
    assert code(dan.client("sts").assume_role, RoleArn=arn, RoleSessionName="job") == "AccessDenied"
    theirs.put_user_policy(UserName="dan", PolicyName="own", PolicyDocument=policy(allow("sts:AssumeRole", resource=arn)))
    session = take(dev, dan, arn)
    assert session.client("sts").get_caller_identity()["Account"] == number
    assert {v["OwnerId"] for v in session.client().describe_vpcs()["Vpcs"]} == {number}
    closed = role("closed", [], [trust(number)])
    theirs.put_user_policy(UserName="dan", PolicyName="own", PolicyDocument=policy(allow("sts:AssumeRole")))
    assert code(dan.client("sts").assume_role, RoleArn=closed, RoleSessionName="job") == "AccessDenied"


def test_session_policies(dev, ann, iam, looker):
    """Their union bounds; none of them gives."""
    vpcs = iam.create_policy(PolicyName="vpcs", PolicyDocument=policy(allow("ec2:DescribeVpcs", "ec2:CreateVpc")))["Policy"]["Arn"]
    answer = ann.client("sts").assume_role(RoleArn=looker, RoleSessionName="job", Policy=policy(allow("ec2:DescribeSubnets")), PolicyArns=[{"arn": vpcs}])
    assert 1 <= answer["PackedPolicySize"] <= 100
    client = session_of(dev, answer).client()
    client.describe_vpcs()
    client.describe_subnets()
    assert code(client.describe_volumes) == "UnauthorizedOperation"
    assert code(client.create_vpc, CidrBlock="10.9.0.0/16") == "UnauthorizedOperation"
    no = take(dev, ann, looker, Policy=policy(allow("*"), {"Effect": "Deny", "Action": "ec2:DescribeVpcs", "Resource": "*"})).client()
    no.describe_subnets()
    assert code(no.describe_vpcs) == "UnauthorizedOperation"
    only = take(dev, ann, looker, PolicyArns=[{"arn": vpcs}]).client()
    only.describe_vpcs()
    iam.delete_policy(PolicyArn=vpcs)
    assert code(only.describe_vpcs) == "UnauthorizedOperation"  # what it was taken with is gone, not its bound


def test_what_policies_see(dev, ann, role, number):
    seen = {"StringEquals": {"aws:PrincipalTag/team": "${aws:PrincipalTag/desk}", "aws:PrincipalType": "AssumedRole",
                             "aws:PrincipalArn": f"arn:aws:iam::{number}:role/seen"},
            "StringLike": {"aws:userid": "AROA*:job"}, "Null": {"aws:username": "true", "aws:TokenIssueTime": "false"}}
    arn = role("seen", [allow("ec2:DescribeVpcs", Condition=seen)], [trust(number)], Tags=[{"Key": "team", "Value": "red"}, {"Key": "desk", "Value": "4"}])
    assert code(take(dev, ann, arn).client().describe_vpcs) == "UnauthorizedOperation"
    take(dev, ann, arn, Tags=[{"Key": "team", "Value": "4"}]).client().describe_vpcs()
    untagged = role("untagged", [], [trust(number, "sts:AssumeRole")])
    take(dev, ann, untagged)
    assert code(ann.client("sts").assume_role, RoleArn=untagged, RoleSessionName="job", Tags=[{"Key": "a", "Value": "b"}]) == "AccessDenied"


def test_chained(dev, ann, role, number):
    first = role("first", [allow("sts:AssumeRole")], [trust(number)])
    second = role("second", [allow("ec2:DescribeVpcs")], [trust(first)], MaxSessionDuration=7200)
    session = take(dev, ann, first)
    take(dev, session, second).client().describe_vpcs()
    assert code(session.client("sts").assume_role, RoleArn=second, RoleSessionName="job", DurationSeconds=7200) == "ValidationError"
    assert code(ann.client("sts").assume_role, RoleArn=second, RoleSessionName="job") == "AccessDenied"


def test_a_session_of_ones_own(dev, bea, iam, person, number):
    session = session_of(dev, bea.client("sts").get_session_token(DurationSeconds=900))
    assert session.client("sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{number}:user/bea"
    session.client().describe_vpcs()
    assert code(session.client().describe_subnets) == "UnauthorizedOperation"
    assert code(session.client("iam").list_users) == "InvalidClientTokenId"
    cid = person("cid", allow("ec2:DescribeVpcs"))
    session = session_of(dev, cid.client("sts").get_session_token())
    session.client().describe_vpcs()
    iam.delete_access_key(UserName="cid", AccessKeyId=cid.key_id)
    iam.delete_user_policy(UserName="cid", PolicyName="own")
    iam.delete_user(UserName="cid")
    assert code(session.client().describe_vpcs) == "AuthFailure"


def test_it_ends_with_its_role(dev, ann, iam, role, number):
    arn = role("gone", [allow("ec2:DescribeVpcs")], [trust(number)])
    session = take(dev, ann, arn)
    session.client().describe_vpcs()
    iam.delete_role_policy(RoleName="gone", PolicyName="own")
    assert code(session.client().describe_vpcs) == "UnauthorizedOperation"
    iam.delete_role(RoleName="gone")
    assert code(session.client().describe_vpcs) == "AuthFailure"
    role("gone", [allow("ec2:DescribeVpcs")], [trust(number)])
    assert code(session.client().describe_vpcs) == "AuthFailure"  # another role of that name


def test_wrong_tokens(dev, ann, looker):
    good = take(dev, ann, looker)
    other = take(dev, ann, looker)
    spoilt = good.token[:40] + ("A" if good.token[40] != "A" else "B") + good.token[41:]
    for token in (None, other.token, spoilt, "x", "A" * 9000):
        bad = Session(dev, good.key_id, good.secret, token)
        assert code(bad.client().describe_vpcs) == "AuthFailure"
        assert code(bad.client("sts").get_caller_identity) == "InvalidClientTokenId"
        assert code(bad.client("iam").list_users) == "InvalidClientTokenId"
    assert code(Session(dev, ann.key_id, ann.secret, good.token).client("sts").get_caller_identity) == "InvalidClientTokenId"
    assert code(Session(dev, good.key_id, other.secret, good.token).client("sts").get_caller_identity) == "SignatureDoesNotMatch"


def test_presigned(dev, ann, looker):
    good = take(dev, ann, looker)
    request = AWSRequest("GET", dev.url + "/", params={"Action": "DescribeVpcs", "Version": "2016-11-15"})
    SigV4QueryAuth(Credentials(good.key_id, good.secret, good.token), "ec2", ec2.REGION, expires=60).add_auth(request)
    assert requests.get(request.prepare().url, timeout=10).status_code == 200


BAD = [({"RoleSessionName": "a b"}, "ValidationError"), ({"RoleArn": "arn:aws:iam::123456789012:user/ann"}, "ValidationError"),
       ({"DurationSeconds": 899}, "ValidationError"), ({"DurationSeconds": 43201}, "ValidationError"), ({"DurationSeconds": 3601}, "ValidationError"),
       ({"ExternalId": "a b"}, "ValidationError"), ({"Policy": "{"}, "MalformedPolicyDocument"), ({"Policy": "x" * 2049}, "ValidationError"),
       ({"PolicyArns": [{"arn": "arn:aws:iam::123456789012:policy/none"}]}, "ValidationError"),
       ({"Tags": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}, "ValidationError"), ({"Tags": [{"Key": "aws:a", "Value": "1"}]}, "ValidationError"),
       ({"Tags": [{"Key": f"{n:0128}", "Value": "v" * 256} for n in range(10)]}, "PackedPolicyTooLarge"),
       ({"SourceIdentity": "ann"}, "InvalidAction"), ({"SerialNumber": "arn:aws:iam::1:mfa/x", "TokenCode": "123456"}, "InvalidAction")]


@pytest.mark.parametrize("words,wanted", BAD, ids=[f"{n}-{list(words)[0]}" for n, (words, _) in enumerate(BAD)])
def test_bad_parameters(dev, ann, looker, words, wanted):
    assert code(ann.client("sts").assume_role, **{"RoleArn": looker, "RoleSessionName": "job", **words}) == wanted


def test_stock_aws(dev, ann, looker, number, tmp_path):
    done = warm.run([AWS, "--endpoint-url", dev.url, "--output", "json", "sts", "assume-role", "--role-arn", looker, "--role-session-name", "cli"], ann.env(tmp_path))
    assert done.returncode == 0, done.stderr
    session = session_of(dev, json.loads(done.stdout))
    done = warm.run([AWS, "--endpoint-url", dev.url, "--output", "json", "ec2", "describe-vpcs"], session.env(tmp_path))
    assert done.returncode == 0 and {v["OwnerId"] for v in json.loads(done.stdout)["Vpcs"]} == {number}, done.stderr


def test_a_profile_that_takes_a_role(dev, ann, looker, number, tmp_path, monkeypatch):
    """boto3 takes it by itself, from AWS's configuration files."""
    (tmp_path / "config").write_text(f"[profile job]\nrole_arn = {looker}\nrole_session_name = profile\nsource_profile = ann\nregion = {ec2.REGION}\n"
                                     f"[profile ann]\nregion = {ec2.REGION}\n")
    (tmp_path / "credentials").write_text(f"[ann]\naws_access_key_id = {ann.key_id}\naws_secret_access_key = {ann.secret}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    program = ("import boto3, sys; import botocore.session as s;"
               "make = s.Session.create_client;"
               "s.Session.create_client = lambda self, name, *a, **k: make(self, name, *a, **{**k, 'endpoint_url': sys.argv[1]});"
               "print(boto3.Session(profile_name='job').client('sts').get_caller_identity()['Arn'])")
    done = subprocess.run(["/usr/bin/python3", "-c", program, dev.url], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == f"arn:aws:sts::{number}:assumed-role/looker/profile", done.stderr


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

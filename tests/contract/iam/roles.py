#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/iam src/auth/guard/guard_trust.c src/auth/sign_in/session
"""Roles assumed through stock aws and boto3: STS decides by the trust policy and the caller's own policies; temporary credentials work in EC2 and IAM
within the role's and the session's policies, and end with their preconditions; and the roles of instance profiles."""
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

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import dev as ec2  # noqa: E402
import warm  # noqa: E402
from faces import code  # noqa: E402
from waiting import HANG_S  # noqa: E402
from iam_session import AWS, Session, allow, session_of, trust  # noqa: E402
from shop import dev, iam, number, policy, shop  # noqa: E402, F401  fixtures


@pytest.fixture(scope="module")
def person(dev, iam):
    """A function that creates users with a key and a policy."""
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
    """A function that creates roles; returns their ARNs."""
    def make(name, statements, trusts, **words):
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(*trusts), **words)["Role"]["Arn"]
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy(*statements))
        return arn
    return make


@pytest.fixture(scope="module")
def looker(role, number):
    """A role with read access that the account's users may assume."""
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


def test_when_it_was_last_used(dev, ann, iam, role, number):
    """Last-used times of roles and keys, up to date without a commit."""
    arn = role("idle", [allow("ec2:DescribeVpcs")], [trust(number)])
    assert iam.get_role(RoleName="idle")["Role"]["RoleLastUsed"] == {}
    session = take(dev, ann, arn)
    assert iam.get_role(RoleName="idle")["Role"]["RoleLastUsed"] == {}  # it was assumed, but not used
    before = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    session.client().describe_vpcs()
    used = iam.get_role(RoleName="idle")["Role"]["RoleLastUsed"]
    assert used["Region"] == ec2.REGION and 0 <= (used["LastUsedDate"] - before).total_seconds() < 30
    key = iam.get_access_key_last_used(AccessKeyId=ann.key_id)
    assert (key["UserName"], key["AccessKeyLastUsed"]["ServiceName"]) == ("ann", "sts")
    assert 0 <= (before - key["AccessKeyLastUsed"]["LastUsedDate"]).total_seconds() < 30


def test_it_may_what_its_role_may(dev, ann, looker):
    session = take(dev, ann, looker)
    vpc = session.client().describe_vpcs()["Vpcs"][0]["VpcId"]
    session.client().create_tags(Resources=[vpc], Tags=[{"Key": "a", "Value": "b"}])
    assert session.client().describe_tags(Filters=[{"Name": "resource-id", "Values": [vpc]}])["Tags"][0]["Value"] == "b"
    assert code(session.client().create_vpc, CidrBlock="10.9.0.0/16") == "UnauthorizedOperation"
    assert code(session.client("iam").list_users) == "AccessDenied"
    assert code(session.client("sts").get_session_token) == "AccessDenied"
    assert code(ann.client().describe_vpcs) == "UnauthorizedOperation"  # her own policy only allows assuming the role


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
    take(dev, bea, named)  # the trust policy names her, so her own policies are not asked
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
    """Both must allow it: the role's trust policy, and the caller's own account."""
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
    """Their union limits the session; they grant nothing themselves."""
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
    assert code(only.describe_vpcs) == "UnauthorizedOperation"  # the session policy's policy is deleted, but still limits the session


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
    assert code(session.client().describe_vpcs) == "AuthFailure"  # another role with that name


def test_wrong_tokens(dev, ann, looker):
    good = take(dev, ann, looker)
    other = take(dev, ann, looker)
    mutated = good.token[:40] + ("A" if good.token[40] != "A" else "B") + good.token[41:]
    for token in (None, other.token, mutated, "x", "A" * 9000):
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
    assert requests.get(request.prepare().url, timeout=HANG_S).status_code == 200


BAD = [({"RoleSessionName": "a b"}, "ValidationError"), ({"RoleArn": "arn:aws:iam::123456789012:user/ann"}, "ValidationError"),
       ({"DurationSeconds": 899}, "ValidationError"), ({"DurationSeconds": 43201}, "ValidationError"), ({"DurationSeconds": 3601}, "ValidationError"),
       ({"ExternalId": "a b"}, "ValidationError"), ({"Policy": "{"}, "MalformedPolicyDocument"), ({"Policy": "x" * 2049}, "ValidationError"),
       ({"PolicyArns": [{"arn": "arn:aws:iam::123456789012:policy/none"}]}, "ValidationError"),
       ({"Tags": [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]}, "InvalidParameterValue"), ({"Tags": [{"Key": "aws:a", "Value": "1"}]}, "ValidationError"),
       ({"Tags": [{"Key": f"{n:0128}", "Value": "v" * 256} for n in range(10)]}, "PackedPolicyTooLarge"),
       ({"SourceIdentity": "ann"}, "InvalidAction"), ({"SerialNumber": "arn:aws:iam::1:mfa/x", "TokenCode": "123456"}, "AccessDenied")]


@pytest.mark.parametrize("words,wanted", BAD, ids=[f"{n}-{list(words)[0]}" for n, (words, _) in enumerate(BAD)])
def test_bad_parameters(dev, ann, looker, words, wanted):
    assert code(ann.client("sts").assume_role, **{"RoleArn": looker, "RoleSessionName": "job", **words}) == wanted


def test_stock_aws(dev, ann, looker, number, tmp_path):
    done = warm.run([AWS, "--endpoint-url", dev.url, "--output", "json", "sts", "assume-role", "--role-arn", looker, "--role-session-name", "cli"], ann.env(tmp_path))
    assert done.returncode == 0, done.stderr
    session = session_of(dev, json.loads(done.stdout))
    done = warm.run([AWS, "--endpoint-url", dev.url, "--output", "json", "ec2", "describe-vpcs"], session.env(tmp_path))
    assert done.returncode == 0 and {v["OwnerId"] for v in json.loads(done.stdout)["Vpcs"]} == {number}, done.stderr


# ---- instance profiles

OF_EC2 = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}


@pytest.fixture(scope="module")
def profile(iam, role):
    """A function that creates profiles, each with a role of its name."""
    def make(name, *statements, trusts=(OF_EC2,)):
        role(name, list(statements), list(trusts))
        iam.create_instance_profile(InstanceProfileName=name)
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
        return name
    return make


@pytest.fixture(scope="module")
def launch(shop):
    """A function that launches an instance; returns its id."""
    def run(client=None, **words):
        client = client or shop.root.client()
        image = client.describe_images()["Images"][0]["ImageId"]
        return client.run_instances(ImageId=image, InstanceType="t3.nano", MinCount=1, MaxCount=1, **words)["Instances"][0]["InstanceId"]
    return run


class Guest:
    """Metadata of an instance, requested as from its guest."""

    def __init__(self, dev, instance):
        self.dev, self.instance = dev, instance
        self.url = f"{dev.metadata}/{instance}/"

    def get(self, path):
        answer = requests.get(f"{self.url}latest/meta-data/iam/{path}", timeout=HANG_S)
        return answer.text if answer.status_code == 200 else answer.status_code

    def session(self):
        told = json.loads(self.get("security-credentials/" + self.get("security-credentials/")))
        assert told["Code"] == "Success" and told["Type"] == "AWS-HMAC", told
        return Session(self.dev, told["AccessKeyId"], told["SecretAccessKey"], told["Token"])


def test_a_guest_has_its_role(dev, shop, iam, profile, launch, number):
    web = iam.get_instance_profile(InstanceProfileName=profile("web", allow("ec2:DescribeVpcs")))["InstanceProfile"]
    guest = Guest(dev, launch(IamInstanceProfile={"Arn": web["Arn"]}))
    info = json.loads(guest.get("info"))
    assert (info["Code"], info["InstanceProfileArn"], info["InstanceProfileId"]) == ("Success", web["Arn"], web["InstanceProfileId"])
    assert guest.get("") == "info\nsecurity-credentials/" and guest.get("security-credentials/") == "web"
    told = json.loads(guest.get("security-credentials/web"))
    assert list(told) == ["Code", "LastUpdated", "Type", "AccessKeyId", "SecretAccessKey", "Token", "Expiration"]
    times = [datetime.datetime.strptime(told[name], "%Y-%m-%dT%H:%M:%SZ") for name in ("LastUpdated", "Expiration")]
    assert times[1] - times[0] == datetime.timedelta(hours=6)
    assert guest.get("security-credentials/web") == guest.get("security-credentials/web") and guest.get("security-credentials/job") == 404
    session = guest.session()
    assert session.client("sts").get_caller_identity()["Arn"] == f"arn:aws:sts::{number}:assumed-role/web/{guest.instance}"
    session.client().describe_vpcs()
    assert code(session.client().describe_subnets) == "UnauthorizedOperation"
    iam.put_role_policy(RoleName="web", PolicyName="own", PolicyDocument=policy(allow("ec2:DescribeSubnets")))
    session.client().describe_subnets()  # at once
    assert code(session.client().describe_vpcs) == "UnauthorizedOperation"
    iam.remove_role_from_instance_profile(InstanceProfileName="web", RoleName="web")
    assert guest.get("") == "info" and guest.get("security-credentials/") == 404
    session.client().describe_subnets()  # until they expire
    iam.delete_instance_profile(InstanceProfileName="web")
    assert guest.get("") == 404 and guest.get("info") == 404
    iam.delete_role_policy(RoleName="web", PolicyName="own")
    iam.delete_role(RoleName="web")
    assert code(session.client().describe_subnets) == "AuthFailure"


def test_another_profile(dev, shop, profile, launch):
    ec2 = shop.root.client()
    guest = Guest(dev, launch())
    assert guest.get("") == 404
    made = ec2.associate_iam_instance_profile(InstanceId=guest.instance, IamInstanceProfile={"Name": profile("one", allow("ec2:DescribeVpcs"))})
    first = guest.session()
    assert code(ec2.associate_iam_instance_profile, InstanceId=guest.instance, IamInstanceProfile={"Name": "one"}) == "IncorrectState"
    made = made["IamInstanceProfileAssociation"]["AssociationId"]
    other = ec2.replace_iam_instance_profile_association(AssociationId=made, IamInstanceProfile={"Name": profile("two", allow("ec2:DescribeSubnets"))})
    other = other["IamInstanceProfileAssociation"]["AssociationId"]
    assert other != made and code(ec2.disassociate_iam_instance_profile, AssociationId=made) == "NoSuchAssociation"
    second = guest.session()
    second.client().describe_subnets()
    assert code(second.client().describe_vpcs) == "UnauthorizedOperation"
    first.client().describe_vpcs()
    assert ec2.disassociate_iam_instance_profile(AssociationId=other)["IamInstanceProfileAssociation"]["State"] == "disassociating"
    assert guest.get("security-credentials/two") == 404
    found = ec2.describe_iam_instance_profile_associations(Filters=[{"Name": "instance-id", "Values": [guest.instance]}])
    assert found["IamInstanceProfileAssociations"] == []
    second.client().describe_subnets()


def test_a_role_that_is_not_for_guests(dev, profile, launch, number):
    guest = Guest(dev, launch(IamInstanceProfile={"Name": profile("people", allow("ec2:*"), trusts=[trust(number)])}))
    told = json.loads(guest.get("security-credentials/people"))
    assert told["Code"] == "AssumeRoleUnauthorizedAccess" and "AccessKeyId" not in told


def test_what_policies_see_of_a_guest(dev, profile, launch, shop, number):
    vpc = next(v["VpcId"] for v in shop.root.client().describe_vpcs()["Vpcs"] if v["IsDefault"])
    mine = {"ArnLike": {"ec2:SourceInstanceARN": f"arn:aws:ec2:us-east-1:{number}:instance/i-*"}, "StringEquals": {"aws:EC2InstanceSourceVpc": vpc}}
    name = profile("seen-of", allow("ec2:DescribeVpcs", Condition=mine), allow("ec2:DescribeSubnets", Condition={
        "StringEquals": {"aws:EC2InstanceSourceVpc": "vpc-0123456789abcdef0"}}))
    session = Guest(dev, launch(IamInstanceProfile={"Name": name})).session()
    session.client().describe_vpcs()
    assert code(session.client().describe_subnets) == "UnauthorizedOperation"


def test_passing_a_role(dev, shop, iam, person, profile, launch, number):
    """The right to launch does not include passing a role."""
    profile("strong", allow("*"))
    arn = f"arn:aws:iam::{number}:role/strong"
    eve = person("eve", allow("ec2:*"))
    given = {"IamInstanceProfile": {"Name": "strong"}}
    assert code(launch, eve.client(), **given) == "UnauthorizedOperation"
    instance = launch(eve.client())
    ec2 = eve.client()
    assert code(ec2.associate_iam_instance_profile, InstanceId=instance, **given) == "UnauthorizedOperation"
    passing = allow("iam:PassRole", resource=arn, Condition={"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}})
    elsewhere = allow("iam:PassRole", resource=arn, Condition={"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}})
    for statement in (allow("iam:PassRole", resource=arn + "er"), elsewhere):
        iam.put_user_policy(UserName="eve", PolicyName="passing", PolicyDocument=policy(statement))
        assert code(launch, ec2, **given) == "UnauthorizedOperation"
    iam.put_user_policy(UserName="eve", PolicyName="passing", PolicyDocument=policy(passing))
    launch(ec2, **given)
    iam.create_instance_profile(InstanceProfileName="empty")
    launch(ec2, IamInstanceProfile={"Name": "empty"})  # the profile has no role
    iam.put_user_policy(UserName="eve", PolicyName="passing", PolicyDocument=policy(allow("iam:AddRoleToInstanceProfile")))
    add = {"InstanceProfileName": "empty", "RoleName": "strong"}
    assert code(eve.client("iam").add_role_to_instance_profile, **add) == "AccessDenied"
    iam.put_user_policy(UserName="eve", PolicyName="passing", PolicyDocument=policy(allow("iam:AddRoleToInstanceProfile"), passing))
    eve.client("iam").add_role_to_instance_profile(**add)
    made = ec2.associate_iam_instance_profile(InstanceId=instance, **given)["IamInstanceProfileAssociation"]["AssociationId"]
    iam.put_user_policy(UserName="eve", PolicyName="passing", PolicyDocument=policy({"Effect": "Deny", "Action": "iam:PassRole", "Resource": "*"}))
    assert code(ec2.replace_iam_instance_profile_association, AssociationId=made, **given) == "UnauthorizedOperation"


def test_which_profile(dev, shop, iam, person, profile, launch, number):
    """Policies can name the present profile, the new one, and the instance that gets the role."""
    for name in ("which-one", "which-two"):
        profile(name, allow("ec2:DescribeVpcs"))
    ida = person("ida")

    def arn(name):
        return f"arn:aws:iam::{number}:instance-profile/{name}"

    def let(*statements):
        iam.put_user_policy(UserName="ida", PolicyName="which", PolicyDocument=policy(*statements))
        return ida.client()

    def like(key, value):
        return {"ArnLike": {key: value}}

    def without(key):
        return {"Null": {key: "true"}}

    passing = allow("iam:PassRole")
    ec2 = let(passing, allow("ec2:*", Condition=like("ec2:InstanceProfile", arn("which-one"))), allow("ec2:*", Condition=without("ec2:InstanceProfile")))
    instance, bare = launch(ec2, IamInstanceProfile={"Name": "which-one"}), launch(ec2)
    assert code(launch, ec2, IamInstanceProfile={"Name": "which-two"}) == "UnauthorizedOperation"
    ec2 = let(passing, allow("ec2:*"), {"Effect": "Deny", "Action": "ec2:*", "Resource": "*", "Condition": like("ec2:NewInstanceProfile", arn("which-two"))})
    assert code(ec2.associate_iam_instance_profile, InstanceId=bare, IamInstanceProfile={"Name": "which-two"}) == "UnauthorizedOperation"
    made = ec2.associate_iam_instance_profile(InstanceId=bare, IamInstanceProfile={"Name": "which-one"})["IamInstanceProfileAssociation"]["AssociationId"]
    assert code(ec2.replace_iam_instance_profile_association, AssociationId=made, IamInstanceProfile={"Name": "which-two"}) == "UnauthorizedOperation"
    ec2 = let(passing, allow("ec2:*", Condition=like("ec2:InstanceProfile", arn("which-two"))))
    assert code(ec2.disassociate_iam_instance_profile, AssociationId=made) == "UnauthorizedOperation"
    ec2 = let(passing, allow("ec2:*", Condition=like("ec2:InstanceProfile", arn("which-one"))))
    ec2.disassociate_iam_instance_profile(AssociationId=made)
    mine = f"arn:aws:ec2:us-east-1:{number}:instance/{bare}"
    ec2 = let(allow("iam:PassRole", Condition=like("iam:AssociatedResourceArn", mine)), allow("ec2:*"))
    assert code(launch, ec2, IamInstanceProfile={"Name": "which-one"}) == "UnauthorizedOperation"
    held = ec2.describe_iam_instance_profile_associations(Filters=[{"Name": "instance-id", "Values": [instance]}])["IamInstanceProfileAssociations"][0]
    assert code(ec2.replace_iam_instance_profile_association, AssociationId=held["AssociationId"], IamInstanceProfile={"Name": "which-two"}) == "UnauthorizedOperation"
    ec2.associate_iam_instance_profile(InstanceId=bare, IamInstanceProfile={"Name": "which-two"})
    ec2 = let(allow("iam:PassRole", Condition=like("iam:AssociatedResourceArn", mine.replace(bare, "*"))), allow("ec2:*"))
    launch(ec2, IamInstanceProfile={"Name": "which-one"})


def test_profiles_of_another_account(dev, shop, iam, profile, launch):
    """The error equals that for a missing profile."""
    stranger = dev.new_account("stranger").client()
    profile("ours", allow("*"))
    arn = iam.get_instance_profile(InstanceProfileName="ours")["InstanceProfile"]["Arn"]
    instance = launch(stranger)
    for key, value in (("Name", "ours"), ("Arn", arn)):
        words = []
        for asked in (value, value.replace("ours", "none")):
            with pytest.raises(stranger.exceptions.ClientError) as caught:
                stranger.associate_iam_instance_profile(InstanceId=instance, IamInstanceProfile={key: asked})
            assert caught.value.response["Error"]["Code"] == "InvalidParameterValue"
            words.append(caught.value.response["Error"]["Message"].replace(asked, "x"))
        assert words[0] == words[1]


def test_stock_aws_in_a_guest(dev, profile, launch, number, tmp_path):
    """aws finds the credentials automatically, over IMDSv2."""
    guest = Guest(dev, launch(IamInstanceProfile={"Name": profile("stock", allow("ec2:DescribeVpcs"))}, MetadataOptions={"HttpTokens": "required"}))
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "AWS_DEFAULT_REGION": ec2.REGION, "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "1",
           "AWS_EC2_METADATA_SERVICE_ENDPOINT": guest.url}
    assert guest.get("info") == 401

    def aws(*words):
        return warm.run([AWS, "--endpoint-url", dev.url, "--output", "json", *words], env)

    done = aws("sts", "get-caller-identity")
    assert done.returncode == 0 and json.loads(done.stdout)["Arn"] == f"arn:aws:sts::{number}:assumed-role/stock/{guest.instance}", done.stderr
    done = aws("ec2", "describe-vpcs")
    assert done.returncode == 0 and {v["OwnerId"] for v in json.loads(done.stdout)["Vpcs"]} == {number}, done.stderr
    done = aws("ec2", "describe-subnets")
    assert done.returncode != 0 and "UnauthorizedOperation" in done.stderr


def test_the_region_of_global_services(dev):
    """SDKs sign for "aws-global", a pseudo-region, where a service has one endpoint. EC2 has one in each region, so it refuses that scope."""
    def client(service):
        return boto3.client(service, region_name="aws-global", endpoint_url=dev.url, aws_access_key_id=dev.account.key_id,
                            aws_secret_access_key=dev.account.secret, config=botocore.config.Config(retries={"max_attempts": 0}))
    assert client("sts").get_caller_identity()["Account"].isdigit()
    assert "Users" in client("iam").list_users()
    assert code(client("ec2").describe_vpcs) == "AuthFailure"


def test_a_profile_that_takes_a_role(dev, ann, looker, number, tmp_path, monkeypatch):
    """boto3 assumes it automatically, from AWS's configuration files."""
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
    done = subprocess.run(["/usr/bin/python3", "-c", program, dev.url], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == f"arn:aws:sts::{number}:assumed-role/looker/profile", done.stderr


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))


def test_principals_in_every_spelling(iam, shop, person, number):
    """A principal is followed however its ARN is written in JSON, and a condition stays as it was set."""
    person("dora")
    arn, sqs = f"arn:aws:iam::{number}:user/dora", shop.root.client("sqs")
    url = sqs.create_queue(QueueName="spelled")["QueueUrl"]
    statement = {"Effect": "Deny", "Principal": {"AWS": [arn, arn, number]}, "Action": "sqs:SendMessage", "Resource": "*", "Condition": {"ArnEquals": {"aws:PrincipalArn": arn}}}

    def named(text):
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": text})
        return url

    def shown():
        return json.loads(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"])["Statement"][0]
    named(policy(statement).replace("user/dora", "user\\/dora", 1).replace("user/dora", "\\u0075ser/dora", 1))
    iam.update_user(UserName="dora", NewUserName="dorothea")
    later = f"arn:aws:iam::{number}:user/dorothea"
    assert shown() == {**statement, "Principal": {"AWS": [later, later, number]}}
    named(policy({**statement, "Principal": {"AWS": later}}))
    iam.update_user(UserName="dorothea", NewUserName="dora")
    assert shown() == {**statement, "Principal": {"AWS": arn}}
    sqs.delete_queue(QueueUrl=url)


def test_principals_are_kept_by_id(iam, shop, person, role, dev, number):
    """Policies follow the principal that they named: one who is renamed keeps what they give, and one who comes later under the old name gets nothing."""
    cleo = person("cleo")
    sqs, sns = (shop.root.client(service) for service in ("sqs", "sns"))
    arn, later = f"arn:aws:iam::{number}:user/cleo", f"arn:aws:iam::{number}:user/team/leo"
    url = sqs.create_queue(QueueName="named")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = sns.create_topic(Name="named")["TopicArn"]

    def statement(action, on):
        return {"Effect": "Allow", "Principal": {"AWS": [arn, number]}, "Action": action, **({"Resource": on} if on else {})}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy(statement("sqs:SendMessage", queue))})
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy(statement("sns:Publish", topic)))
    taken = role("for-cleo", [], [statement("sts:AssumeRole", None)])

    def named():
        texts = (sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"], sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"],
                 json.dumps(iam.get_role(RoleName="for-cleo")["Role"]["AssumeRolePolicyDocument"]))
        return {json.loads(text)["Statement"][0]["Principal"]["AWS"][0] for text in texts}

    def calls(who):
        return ((who.client("sqs").send_message, {"QueueUrl": url, "MessageBody": "x"}), (who.client("sns").publish, {"TopicArn": topic, "Message": "x"}),
                (who.client("sts").assume_role, {"RoleArn": taken, "RoleSessionName": "job"}))

    def reach(who):
        for call, asked in calls(who):
            call(**asked)
    assert named() == {arn}
    reach(cleo)
    iam.update_user(UserName="cleo", NewUserName="leo", NewPath="/team/")
    assert named() == {later}
    reach(cleo)
    unique = iam.get_user(UserName="leo")["User"]["UserId"]
    iam.delete_access_key(UserName="leo", AccessKeyId=cleo.key_id)
    iam.delete_user(UserName="leo")
    assert named() == {unique}
    iam.create_user(UserName="leo", Path="/team/")
    key = iam.create_access_key(UserName="leo")["AccessKey"]
    other = ec2.Account(dev, key["AccessKeyId"], key["SecretAccessKey"])
    assert [code(call, **asked) for call, asked in calls(other)] == ["AccessDenied", "AuthorizationError", "AccessDenied"]

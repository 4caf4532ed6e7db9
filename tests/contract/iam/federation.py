#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/ec2/account/sts_federation.c src/auth/guard src/auth/sign_in/session src/auth/key/sigv4.c src/engine/people/asker.c
"""GetFederationToken through stock aws and boto3: a federated session may do what both the user's policies and its session policies allow, in EC2, SQS
and Dari's own API; without session policies it may do nothing, and with them neither IAM nor STS."""
import datetime
import http.client
import json
import os
import re
import sys

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import dev as ec2  # noqa: E402
import warm  # noqa: E402
from faces import code  # noqa: E402
from iam_session import AWS, Session, allow, session_of, trust  # noqa: E402
from shop import dev, iam, number, policy, shop  # noqa: E402, F401  fixtures
from waiting import HANG_S, wait_until  # noqa: E402

ALL = policy(allow("*"))


@pytest.fixture(scope="module")
def person(dev, iam):
    """A function that creates users with a key and a policy."""
    def make(name, *statements, **words):
        iam.create_user(UserName=name, **words)
        if statements:
            iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=policy(*statements))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return Session(dev, key["AccessKeyId"], key["SecretAccessKey"])
    return make


@pytest.fixture(scope="module")
def ann(person):
    """A user who may do everything in EC2, IAM and SQS, and federate guests."""
    return person("ann", allow("ec2:*", "iam:*", "sqs:*", "dari:*", "sts:*"), Tags=[{"Key": "team", "Value": "red"}])


@pytest.fixture(scope="module")
def root(dev, shop):
    return Session(dev, shop.root.key_id, shop.root.secret)


def federate(dev, who, *statements, name="guest", **words):
    if statements:
        words["Policy"] = policy(*statements)
    return session_of(dev, who.client("sts").get_federation_token(Name=name, **words))


def native(session, method, path, body=b""):
    """Status and JSON of a call of Dari's own API."""
    request = AWSRequest(method, f"{session.dev.url}/api/v1{path}", data=body, headers={"Content-Type": "application/json"})
    SigV4Auth(Credentials(session.key_id, session.secret, session.token), "ec2", ec2.REGION).add_auth(request)
    connection = http.client.HTTPConnection("127.0.0.1", session.dev.port, timeout=HANG_S)
    connection.request(method, "/api/v1" + path, body, dict(request.headers))
    answer = connection.getresponse()
    text = answer.read()
    return answer.status, json.loads(text) if text else None


def test_what_is_answered(dev, ann, number):
    before = datetime.datetime.now(datetime.timezone.utc)
    answer = ann.client("sts").get_federation_token(Name="guest@x.y", Policy=ALL, DurationSeconds=900, Tags=[{"Key": "team", "Value": "blue"}])
    assert answer["FederatedUser"] == {"Arn": f"arn:aws:sts::{number}:federated-user/guest@x.y", "FederatedUserId": f"{number}:guest@x.y"}
    assert 898 <= (answer["Credentials"]["Expiration"] - before).total_seconds() <= 930
    assert re.fullmatch(r"ASIA[A-Z2-7]{16}", answer["Credentials"]["AccessKeyId"]) and 1 <= answer["PackedPolicySize"] <= 100
    assert "PackedPolicySize" not in ann.client("sts").get_federation_token(Name="guest")
    who = session_of(dev, answer).client("sts").get_caller_identity()
    assert (who["Arn"], who["UserId"], who["Account"]) == (answer["FederatedUser"]["Arn"], answer["FederatedUser"]["FederatedUserId"], number)
    absent = ann.client("sts").get_federation_token(Name="guest")["Credentials"]["Expiration"] - before
    assert 43190 <= absent.total_seconds() <= 43260


def test_how_long_the_root_user_s_lasts(root):
    before = datetime.datetime.now(datetime.timezone.utc)
    answer = root.client("sts").get_federation_token(Name="guest", Policy=ALL, DurationSeconds=129600)
    assert 3590 <= (answer["Credentials"]["Expiration"] - before).total_seconds() <= 3660


def test_it_may_what_both_allow(dev, ann, person):
    session = federate(dev, ann, allow("ec2:DescribeVpcs", "ec2:CreateTags", "cloudwatch:*"))
    vpc = session.client().describe_vpcs()["Vpcs"][0]["VpcId"]
    session.client().create_tags(Resources=[vpc], Tags=[{"Key": "a", "Value": "b"}])
    assert code(session.client().describe_subnets) == "UnauthorizedOperation"  # her policy alone
    assert code(session.client("cloudwatch").describe_alarms) == "AccessDenied"  # the session's alone
    narrow = person("nan", allow("ec2:DescribeVpcs", "sts:GetFederationToken"))
    assert code(federate(dev, narrow, allow("ec2:*")).client().describe_subnets) == "UnauthorizedOperation"
    denied = federate(dev, ann, allow("ec2:*"), {"Effect": "Deny", "Action": "ec2:DeleteTags", "Resource": f"arn:aws:ec2:*:*:vpc/{vpc}"})
    assert code(denied.client().delete_tags, Resources=[vpc], Tags=[{"Key": "a"}]) == "UnauthorizedOperation"
    denied.client().describe_subnets()


def test_managed_session_policies(dev, ann, iam, number):
    arn = iam.create_policy(PolicyName="looks", PolicyDocument=policy(allow("ec2:DescribeVpcs")))["Policy"]["Arn"]
    session = federate(dev, ann, PolicyArns=[{"arn": arn}])
    session.client().describe_vpcs()
    assert code(session.client().describe_subnets) == "UnauthorizedOperation"
    federate(dev, ann, PolicyArns=[{"arn": "arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess"}]).client().describe_subnets()
    iam.delete_policy(PolicyArn=arn)
    assert code(session.client().describe_vpcs) == "UnauthorizedOperation"
    assert code(ann.client("sts").get_federation_token, Name="guest", PolicyArns=[{"arn": f"arn:aws:iam::{number}:policy/none"}]) == "ValidationError"


@pytest.mark.parametrize("who", ["ann", "root"])
def test_without_a_session_policy_it_may_nothing(dev, request, who):
    session = federate(dev, request.getfixturevalue(who))
    client = session.client()
    assert code(client.describe_vpcs) == "UnauthorizedOperation"
    assert code(client.create_vpc, CidrBlock="10.9.0.0/16") == "UnauthorizedOperation"
    assert code(client.describe_regions) == "UnauthorizedOperation"
    assert code(session.client("sqs").list_queues) == "AccessDenied"
    session.client("sts").get_caller_identity()
    for path in ("/instances", "/subnets", "/access-keys", "/users", "/costs", "/events"):
        assert native(session, "GET", path)[0] == 403, path
    assert not any(found for name, found in native(session, "GET", "/search?q=vpc")[1].items() if isinstance(found, list))


@pytest.mark.parametrize("who", ["ann", "root"])
def test_neither_iam_nor_sts(dev, request, who, number):
    session = federate(dev, request.getfixturevalue(who), allow("*"))
    assert code(session.client("iam").list_users) == "InvalidClientTokenId"
    assert code(session.client("iam").create_access_key) == "InvalidClientTokenId"
    sts = session.client("sts")
    sts.get_caller_identity()
    for call in (sts.get_session_token, lambda: sts.get_federation_token(Name="guest", Policy=ALL), lambda: sts.get_access_key_info(AccessKeyId=session.key_id),
                 lambda: sts.assume_role(RoleArn=f"arn:aws:iam::{number}:role/any", RoleSessionName="job"),
                 lambda: sts.decode_authorization_message(EncodedMessage="00")):
        assert code(call) == "AccessDenied"
    for method, path, body in (("GET", "/users", b""), ("GET", "/access-keys", b""), ("POST", "/access-keys", b"{}"), ("GET", "/second-factors", b""),
                               ("POST", "/second-factors/totp", b'{"name": "x"}'), ("GET", "/iam-roles", b"")):
        assert native(session, method, path, body)[0] == 403, path


def test_a_role_does_not_let_it_in(dev, root, iam, number):
    arn = iam.create_role(RoleName="open", AssumeRolePolicyDocument=policy(trust(number), trust(f"arn:aws:sts::{number}:federated-user/guest")))["Role"]["Arn"]
    session = federate(dev, root, allow("sts:*", "ec2:*"))
    assert code(session.client("sts").assume_role, RoleArn=arn, RoleSessionName="job") == "AccessDenied"


def test_the_root_user_is_bound_by_it(dev, root, number):
    session = federate(dev, root, allow("ec2:CreateVpc", "ec2:DescribeVpcs"))
    assert session.client().create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["OwnerId"] == number
    assert code(session.client().create_subnet, VpcId="vpc-0", CidrBlock="10.7.0.0/24") == "UnauthorizedOperation"
    me = native(session, "GET", "/me")[1]
    assert (me["principal"], me["is_owner"], me["is_admin"]) == (f"arn:aws:sts::{number}:federated-user/guest", False, False)
    for permission, may in (("router.create", True), ("instance.create", False)):
        assert native(session, "GET", f"/may?permission={permission}") == (200, {"may": {permission: may}})


def test_only_by_long_term_keys(dev, ann, iam, number):
    words = {"Name": "guest", "Policy": ALL}
    assert code(session_of(dev, ann.client("sts").get_session_token()).client("sts").get_federation_token, **words) == "AccessDenied"
    arn = iam.create_role(RoleName="taken", AssumeRolePolicyDocument=policy(trust(number)))["Role"]["Arn"]
    iam.put_role_policy(RoleName="taken", PolicyName="own", PolicyDocument=ALL)
    role = session_of(dev, ann.client("sts").assume_role(RoleArn=arn, RoleSessionName="job"))
    assert code(role.client("sts").get_federation_token, **words) == "AccessDenied"


def test_who_may_federate(dev, person, number):
    arn = f"arn:aws:sts::{number}:federated-user/"
    one = person("one", allow("ec2:*"), allow("sts:GetFederationToken", resource=arn + "one-*"), allow("sts:TagSession", **{
        "Condition": {"StringEquals": {"aws:RequestTag/team": "red"}}})).client("sts")
    one.get_federation_token(Name="one-1")
    one.get_federation_token(Name="one-1", Tags=[{"Key": "team", "Value": "red"}])
    for words in ({"Name": "two"}, {"Name": "one-1", "Tags": [{"Key": "team", "Value": "blue"}]}):
        assert code(one.get_federation_token, **words) == "AccessDenied"


def test_condition_keys(dev, ann, number):
    """aws:userid, aws:PrincipalArn, aws:PrincipalType and the tags are the federated user's; there is no aws:username."""
    good = {"StringEquals": {"aws:userid": f"{number}:guest", "aws:PrincipalArn": f"arn:aws:sts::{number}:federated-user/guest",
                             "aws:PrincipalType": "FederatedUser", "aws:PrincipalTag/team": "blue", "aws:PrincipalTag/a": "b"}, "Null": {"aws:username": "true"}}
    tags = [{"Key": "team", "Value": "blue"}, {"Key": "a", "Value": "b"}]
    federate(dev, ann, allow("ec2:DescribeVpcs", Condition=good), Tags=tags).client().describe_vpcs()
    assert code(federate(dev, ann, allow("ec2:DescribeVpcs", Condition=good)).client().describe_vpcs) == "UnauthorizedOperation"
    own = {"StringEquals": {"aws:PrincipalTag/team": "red"}}
    federate(dev, ann, allow("ec2:DescribeVpcs", Condition=own)).client().describe_vpcs()


def test_session_policies_last(dev, root, iam):
    """Work that goes on after the call is limited by the session's policies, as they are when it runs. The root user's federated session is no
    root user then, either."""
    managed = iam.create_policy(PolicyName="lasting", PolicyDocument=ALL)["Policy"]["Arn"]
    session = session_of(dev, root.client("sts").get_federation_token(Name="guest", PolicyArns=[{"arn": managed}]))
    client, groups = session.client(), session.client("autoscaling")
    image = client.describe_images()["Images"][0]["ImageId"]
    client.create_launch_template(LaunchTemplateName="later", LaunchTemplateData={"ImageId": image, "InstanceType": "t3.micro"})
    zone = client.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
    groups.create_auto_scaling_group(AutoScalingGroupName="lasting", MinSize=0, MaxSize=3, DesiredCapacity=1, AvailabilityZones=[zone],
                                     LaunchTemplate={"LaunchTemplateName": "later"})
    own = root.client("autoscaling")

    def members():
        return len(own.describe_auto_scaling_groups(AutoScalingGroupNames=["lasting"])["AutoScalingGroups"][0]["Instances"])

    wait_until(lambda: members() == 1, "the group has launched by the session's policy")
    iam.create_policy_version(PolicyArn=managed, PolicyDocument=policy(allow("*"), {"Effect": "Deny", "Action": "ec2:RunInstances", "Resource": "*"}), SetAsDefault=True)
    own.set_desired_capacity(AutoScalingGroupName="lasting", DesiredCapacity=2)
    wait_until(lambda: any(a["StatusCode"] == "Failed" for a in own.describe_scaling_activities(AutoScalingGroupName="lasting")["Activities"]), "a launch has failed")
    dev.rest()
    assert members() == 1
    own.delete_auto_scaling_group(AutoScalingGroupName="lasting", ForceDelete=True)


def test_inline_policies_last(dev, root):
    """A fleet and an alarm of a session with an inline policy."""
    session = federate(dev, root, allow("*"), {"Effect": "Deny", "Action": "ec2:RunInstances", "Resource": "*", "Condition": {"StringEquals": {"ec2:InstanceType": "t3.small"}}})
    client = session.client()
    image = client.describe_images()["Images"][0]["ImageId"]
    template = client.create_launch_template(LaunchTemplateName="inline", LaunchTemplateData={"ImageId": image, "InstanceType": "t3.micro"})["LaunchTemplate"]["LaunchTemplateId"]
    fleet = {"LaunchTemplateConfigs": [{"LaunchTemplateSpecification": {"LaunchTemplateId": template, "Version": "1"}}], "TargetCapacitySpecification": {"TotalTargetCapacity": 1}}
    made = client.create_fleet(**fleet)["FleetId"]
    wait_until(lambda: len(client.describe_fleet_instances(FleetId=made)["ActiveInstances"]) == 1, "the fleet has launched")
    small = [{**fleet["LaunchTemplateConfigs"][0], "Overrides": [{"InstanceType": "t3.small"}]}]
    assert code(client.create_fleet, **{**fleet, "LaunchTemplateConfigs": small}) == "UnauthorizedOperation"
    narrow = federate(dev, root, allow("ec2:CreateFleet"))
    assert code(narrow.client().create_fleet, **fleet) == "UnauthorizedOperation"
    client.delete_fleets(FleetIds=[made], TerminateInstances=True)



def test_senders_of_messages(dev, root, number):
    queues = federate(dev, root, allow("sqs:*")).client("sqs")
    url = queues.create_queue(QueueName="q")["QueueUrl"]
    queues.send_message(QueueUrl=url, MessageBody="x")
    message = queues.receive_message(QueueUrl=url, AttributeNames=["SenderId"])["Messages"][0]
    assert message["Attributes"]["SenderId"] == f"{number}:guest"


def test_it_ends_with_its_user(dev, person, iam):
    pat = person("pat", allow("ec2:*", "sts:*"))
    session = federate(dev, pat, allow("ec2:*"))
    session.client().describe_vpcs()
    iam.delete_user_policy(UserName="pat", PolicyName="own")
    assert code(session.client().describe_vpcs) == "UnauthorizedOperation"
    iam.delete_access_key(UserName="pat", AccessKeyId=pat.key_id)
    iam.delete_user(UserName="pat")
    assert code(session.client().describe_vpcs) == "AuthFailure"


def test_other_accounts_see_nothing(dev, root, number):
    session = federate(dev, root, allow("*"))
    other = dev.new_account("stranger").client().create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    assert code(session.client().describe_vpcs, VpcIds=[other]) == "InvalidVpcID.NotFound"
    assert code(session.client().delete_vpc, VpcId=other) == "InvalidVpcID.NotFound"


BAD = [({"Name": "x"}, "ValidationError"), ({"Name": "x" * 33}, "ValidationError"), ({"Name": "a b"}, "ValidationError"), ({"Name": None}, "ValidationError"),
       ({"DurationSeconds": 899}, "ValidationError"), ({"DurationSeconds": 129601}, "ValidationError"), ({"Policy": "{"}, "MalformedPolicyDocument"),
       ({"Policy": "x" * 2049}, "ValidationError"), ({"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}] * 11}, "ValidationError"),
       ({"Tags": [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]}, "InvalidParameterValue"), ({"Tags": [{"Key": "aws:a", "Value": "1"}]}, "ValidationError"),
       ({"Tags": [{"Key": f"{n:0128}", "Value": "v" * 256} for n in range(10)]}, "PackedPolicyTooLarge")]


@pytest.mark.parametrize("words,wanted", BAD, ids=[f"{n}-{list(words)[0]}" for n, (words, _) in enumerate(BAD)])
def test_bad_parameters(ann, words, wanted):
    given = {name: value for name, value in {"Name": "guest", **words}.items() if value is not None}
    assert code(ann.client("sts").get_federation_token, **given) == wanted


def test_stock_aws(dev, ann, number, tmp_path):
    done = warm.run([AWS, "--endpoint-url", dev.url, "--output", "json", "sts", "get-federation-token", "--name", "cli", "--policy", policy(allow("ec2:DescribeVpcs"))],
                    ann.env(tmp_path))
    assert done.returncode == 0, done.stderr
    session = session_of(dev, json.loads(done.stdout))
    done = warm.run([AWS, "--endpoint-url", dev.url, "--output", "json", "ec2", "describe-vpcs"], session.env(tmp_path))
    assert done.returncode == 0 and {v["OwnerId"] for v in json.loads(done.stdout)["Vpcs"]} == {number}, done.stderr


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

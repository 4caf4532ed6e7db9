#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api src/store
"""A list read page by page while rows are deleted: before each next page the row that the last page ended with is deleted. A token that counts rows would
then skip one, so a token names a row instead. (Azure's lists: contract/azure/refused.py.)"""
import json
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
import native  # noqa: E402
import target_world  # noqa: E402
from dev import Dev  # noqa: E402

ROWS = 8
POLICY = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}})
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}]})
VOLUMES = "/volume/v3/volumes"


class Region:
    """A region with the clients of its faces, a security group and a user."""

    def __init__(self, dev):
        self.account, self.own = dev.account, native.own(dev)
        self.zone = self.account.ok("DescribeAvailabilityZones").first(".//zoneName")
        self.group = self.ec2("CreateSecurityGroup", GroupName="busy", GroupDescription="x").first(".//groupId")
        self.iam("CreateUser", UserName="busy")

    def ec2(self, action, **params):
        return self.account.ok(action, {name.replace("_", "."): value for name, value in params.items()})

    def iam(self, action, **params):
        return self.account.ok(action, {name.replace("_", "."): value for name, value in params.items()}, service="iam", version="2010-05-08")

    def volume(self, name):
        return self.own.ok("POST", VOLUMES, {"volume": {"size": 1, "name": name}}, version=cloud.VOLUME)["volume"]["id"]


@pytest.fixture(scope="module")
def region():
    with Dev() as dev:
        yield Region(dev)


def rule(region, k):
    return region.ec2("AuthorizeSecurityGroupIngress", GroupId=region.group, IpProtocol="tcp", FromPort=k + 1, ToPort=k + 1, CidrIp="10.0.0.0/8").first(".//securityGroupRuleId")


def tagged(region, k):
    region.ec2("CreateTags", ResourceId_1=region.group, Tag_1_Key=f"k{k}", Tag_1_Value="paged")
    return f"k{k}"


def attached(region, k):
    made = region.iam("CreatePolicy", PolicyName=f"attached{k}", PolicyDocument=POLICY).first(".//Arn")
    region.iam("AttachUserPolicy", UserName="busy", PolicyArn=made)
    return made


def inline(region, k):
    region.iam("PutUserPolicy", UserName="busy", PolicyName=f"inline{k}", PolicyDocument=POLICY)
    return f"inline{k}"


def joined(region, k):
    region.iam("CreateGroup", GroupName=f"joined{k}")
    region.iam("AddUserToGroup", UserName="busy", GroupName=f"joined{k}")
    return f"joined{k}"


def named(action, member, **params):
    """Creates an IAM resource below the path /paged/; returns its name."""
    def make(region, k):
        region.iam(action, Path="/paged/", **{member: f"paged{k}"}, **params)
        return f"paged{k}"
    return make


EC2 = {  # action → filters, place of the id, one more row, its deletion
    "DescribeVolumes": ({"Filter_1_Name": "size", "Filter_1_Value_1": "7"}, "volumeSet/item/volumeId",
                        lambda r, k: r.ec2("CreateVolume", Size=7, AvailabilityZone=r.zone).first(".//volumeId"), lambda r, i: r.ec2("DeleteVolume", VolumeId=i)),
    "DescribeSecurityGroups": ({"Filter_1_Name": "description", "Filter_1_Value_1": "paged"}, "securityGroupInfo/item/groupId",
                               lambda r, k: r.ec2("CreateSecurityGroup", GroupName=f"paged{k}", GroupDescription="paged").first(".//groupId"),
                               lambda r, i: r.ec2("DeleteSecurityGroup", GroupId=i)),
    "DescribeSecurityGroupRules": ({}, "securityGroupRuleSet/item/securityGroupRuleId", rule,
                                   lambda r, i: r.ec2("RevokeSecurityGroupIngress", GroupId=r.group, SecurityGroupRuleId_1=i)),
    "DescribeTags": ({"Filter_1_Name": "value", "Filter_1_Value_1": "paged"}, "tagSet/item/key", tagged,
                     lambda r, i: r.ec2("DeleteTags", ResourceId_1=r.group, Tag_1_Key=i)),
    "DescribeLaunchTemplates": ({}, "launchTemplates/item/launchTemplateId",
                                lambda r, k: r.ec2("CreateLaunchTemplate", LaunchTemplateName=f"paged{k}", LaunchTemplateData_InstanceType="t3.micro").first(".//launchTemplateId"),
                                lambda r, i: r.ec2("DeleteLaunchTemplate", LaunchTemplateId=i)),
}
IAM = {
    "ListUsers": ({"PathPrefix": "/paged/"}, "Users/member/UserName", named("CreateUser", "UserName"), lambda r, i: r.iam("DeleteUser", UserName=i)),
    "ListGroups": ({"PathPrefix": "/paged/"}, "Groups/member/GroupName", named("CreateGroup", "GroupName"), lambda r, i: r.iam("DeleteGroup", GroupName=i)),
    "ListRoles": ({"PathPrefix": "/paged/"}, "Roles/member/RoleName", named("CreateRole", "RoleName", AssumeRolePolicyDocument=TRUST), lambda r, i: r.iam("DeleteRole", RoleName=i)),
    "ListPolicies": ({"PathPrefix": "/paged/"}, "Policies/member/Arn",
                     lambda r, k: r.iam("CreatePolicy", PolicyName=f"paged{k}", Path="/paged/", PolicyDocument=POLICY).first(".//Arn"),
                     lambda r, i: r.iam("DeletePolicy", PolicyArn=i)),
    "ListUserPolicies": ({"UserName": "busy"}, "PolicyNames/member", inline, lambda r, i: r.iam("DeleteUserPolicy", UserName="busy", PolicyName=i)),
    "ListAttachedUserPolicies": ({"UserName": "busy"}, "AttachedPolicies/member/PolicyArn", attached, lambda r, i: r.iam("DetachUserPolicy", UserName="busy", PolicyArn=i)),
    "ListGroupsForUser": ({"UserName": "busy"}, "Groups/member/GroupName", joined, lambda r, i: r.iam("RemoveUserFromGroup", UserName="busy", GroupName=i)),
}


def read(first, ids_of, token_of, delete):
    """Returns the ids of all pages; deletes the last row of each page before it asks for the next page."""
    page = first(None)
    seen, pages = ids_of(page), 1
    while token_of(page):
        delete(seen[-1])
        page = first(token_of(page))
        seen, pages = seen + ids_of(page), pages + 1
    assert pages > 1 and len(seen) == len(set(seen))
    return seen


@pytest.mark.parametrize("action", EC2)
def test_ec2(region, action):
    more, place, make, delete = EC2[action]
    if action == "DescribeSecurityGroupRules":
        more = {"Filter_1_Name": "group-id", "Filter_1_Value_1": region.group}
    made = [make(region, k) for k in range(ROWS)]
    seen = read(lambda token: region.ec2(action, MaxResults=5, **more, **({"NextToken": token} if token else {})), lambda page: page.all(f".//{place}"),
                lambda page: page.first(".//nextToken"), lambda one: delete(region, one) if one in made else None)
    assert set(made) <= set(seen)


@pytest.mark.parametrize("action", IAM)
def test_iam(region, action):
    more, place, make, delete = IAM[action]
    made = [make(region, k) for k in range(ROWS)]
    seen = read(lambda token: region.iam(action, MaxItems=3, **more, **({"Marker": token} if token else {})), lambda page: page.all(f".//{place}"),
                lambda page: page.first(".//Marker"), lambda one: delete(region, one))
    assert set(made) <= set(seen)


EVENTS = {  # list → filters, place of the name in a row, what deletes the row
    "ListRules": ({"NamePrefix": "paged"}, lambda page: [r["Name"] for r in page["Rules"]], lambda name: ("DeleteRule", {"Name": name})),
    "ListRuleNamesByTarget": ({}, lambda page: page["RuleNames"], lambda name: ("RemoveTargets", {"Rule": name, "Ids": ["t"]})),
    "ListTargetsByRule": ({"Rule": "busy"}, lambda page: [t["Id"] for t in page["Targets"]], lambda name: ("RemoveTargets", {"Rule": "busy", "Ids": [name]})),
}


@pytest.mark.parametrize("action", EVENTS)
def test_events(region, action):
    more, names_of, delete = EVENTS[action]
    bus = target_world.World(region.account, "events")
    queue = region.account.ok("CreateQueue", {"QueueName": f"of-{action}"}, service="sqs", version="2012-11-05").first(".//QueueUrl")
    arn = f"arn:aws:sqs:us-east-1:{':'.join(queue.split('/')[-2:])}"
    made = [f"paged{k}" for k in range(5)]  # a rule has up to five targets
    rules = ["busy"] if action == "ListTargetsByRule" else made
    for name in rules:
        bus.ok("PutRule", {"Name": name, "EventPattern": '{"source": ["paged"]}'})
    if action != "ListRules":
        for name in made:
            bus.ok("PutTargets", {"Rule": name if len(rules) > 1 else "busy", "Targets": [{"Id": "t" if len(rules) > 1 else name, "Arn": arn}]})
    asked = {"Limit": 2, **more, **({"TargetArn": arn} if action == "ListRuleNamesByTarget" else {})}
    seen = read(lambda token: bus.ok(action, {**asked, "NextToken": token}).json, names_of, lambda page: page.get("NextToken"), lambda one: bus.ok(*delete(one)))
    assert seen == made


def test_native(region):
    made = [region.volume("paged") for _ in range(ROWS)]
    seen = read(lambda token: region.own.api_ok("GET", f"/volumes?limit=3&name=paged{f'&after={token}' if token else ''}"),
                lambda page: [row["id"] for row in page["items"]], lambda page: page.get("next"),
                lambda one: region.own.call("DELETE", f"{VOLUMES}/{one}", version=cloud.VOLUME))
    assert set(made) <= set(seen)


def test_openstack(region):
    """A marker is an id. If its row is deleted the services refuse the marker, so the test deletes the row before."""
    made = [region.volume("marked") for _ in range(ROWS)]
    region.account.dev.rest()
    page = region.own.ok("GET", f"{VOLUMES}?limit=3&name=marked", version=cloud.VOLUME)
    seen = [v["id"] for v in page["volumes"]]
    while "volumes_links" in page:
        region.own.call("DELETE", f"{VOLUMES}/{seen[-2]}", version=cloud.VOLUME)
        page = region.own.ok("GET", page["volumes_links"][0]["href"].replace(region.account.dev.url, ""), version=cloud.VOLUME)
        seen += [v["id"] for v in page["volumes"]]
    assert set(seen) == set(made) and len(seen) == len(made)


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

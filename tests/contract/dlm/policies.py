#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/dlm src/engine/storage/snapshot/lifecycle_policy src/engine/storage/snapshot/snapshot_policy src/reconcile/storage/snapshot_policy
"""Data Lifecycle Manager through stock boto3: policies by tags, their filters and tags, and what is refused. Runs are in tests/unit/reconcile/test_snapshot_policies.c."""
import copy
import json
import os
import re
import sys

import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from cloudstack import call, wait  # noqa: E402
from dev import REGION, Dev  # noqa: E402
from faces import holds  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")

DETAILS = {
    "PolicyType": "EBS_SNAPSHOT_MANAGEMENT", "ResourceTypes": ["VOLUME"], "ResourceLocations": ["CLOUD"], "TargetTags": [{"Key": "backup", "Value": "yes"}],
    "Schedules": [{"Name": "Daily", "CopyTags": True, "TagsToAdd": [{"Key": "by", "Value": "dlm"}], "VariableTags": [],
                   "CreateRule": {"Location": "CLOUD", "Interval": 12, "IntervalUnit": "HOURS", "Times": ["21:30"]}, "RetainRule": {"Count": 7}}]}


class Place:
    """An account with a role for DLM."""

    def __init__(self, dev, name):
        self.account = dev.new_account(name)
        self.dlm, self.iam = self.account.client("dlm"), self.account.client("iam")
        self.number = self.account.client("sts").get_caller_identity()["Account"]
        trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "dlm.amazonaws.com"}}]}
        self.role = self.iam.create_role(RoleName="dlm", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]

    def make(self, details=DETAILS, **more):
        return self.dlm.create_lifecycle_policy(**{"ExecutionRoleArn": self.role, "Description": "Nightly", "State": "ENABLED", "PolicyDetails": details, **more})["PolicyId"]

    def get(self, policy):
        return self.dlm.get_lifecycle_policy(PolicyId=policy)["Policy"]


@pytest.fixture(scope="module")
def dev():
    with Dev() as region:
        yield region


@pytest.fixture(scope="module")
def place(dev):
    return Place(dev, "dlm")


def changed(*path, value=None, drop=False):
    """DETAILS with another value at the path."""
    details = copy.deepcopy(DETAILS)
    at = details
    for step in path[:-1]:
        at = at[step]
    if drop:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return details


def refused(call, *words, code="InvalidRequestException"):
    with pytest.raises(botocore.exceptions.ClientError) as failed:
        call()
    error = failed.value.response["Error"]
    assert error["Code"] == code, error
    for word in words:
        assert word in (error["Message"] or failed.value.response.get("Message", "")), error


def test_a_policy_is_shown_as_it_was_made(place):
    made = place.make(Tags={"team": "ops"})
    assert re.fullmatch("policy-[0-9a-f]{17}", made)
    shown = place.get(made)
    assert shown["PolicyDetails"] == DETAILS
    assert (shown["PolicyId"], shown["Description"], shown["State"], shown["ExecutionRoleArn"], shown["Tags"]) == (made, "Nightly", "ENABLED", place.role, {"team": "ops"})
    assert shown["PolicyArn"] == f"arn:aws:dlm:{REGION}:{place.number}:policy/{made}"
    assert shown["DateCreated"] <= shown["DateModified"]
    place.dlm.delete_lifecycle_policy(PolicyId=made)
    refused(lambda: place.get(made), made, code="ResourceNotFoundException")
    refused(lambda: place.dlm.delete_lifecycle_policy(PolicyId=made), code="ResourceNotFoundException")


@pytest.mark.parametrize("details", [
    changed("Schedules", 0, "CreateRule", value={"CronExpression": "cron(15 3 ? * MON-FRI *)"}),
    changed("Schedules", 0, "RetainRule", value={"Interval": 3, "IntervalUnit": "MONTHS"}),
    changed("TargetTags", value=[{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]),
    {**changed("Schedules", 0, "VariableTags", value=[{"Key": "of", "Value": "$(instance-id)"}]), "ResourceTypes": ["INSTANCE"], "Parameters": {"ExcludeBootVolume": True}},
])
def test_other_details(place, details):
    made = place.make(details)
    shown = place.get(made)["PolicyDetails"]
    shown["Schedules"][0]["CreateRule"].pop("Location")
    wanted = copy.deepcopy(details)
    wanted["Schedules"][0]["CreateRule"].pop("Location", None)
    assert shown == wanted
    place.dlm.delete_lifecycle_policy(PolicyId=made)


def test_defaults(place):
    """AWS takes a time of its own choice without Times: 09:00, as the model says."""
    made = place.make(changed("Schedules", 0, "CreateRule", value={"Interval": 24, "IntervalUnit": "HOURS"}))
    assert place.get(made)["PolicyDetails"]["Schedules"][0]["CreateRule"]["Times"] == ["09:00"]
    place.dlm.delete_lifecycle_policy(PolicyId=made)


def test_changes(place):
    made = place.make()
    place.dlm.update_lifecycle_policy(PolicyId=made, State="DISABLED")
    assert (place.get(made)["State"], place.get(made)["Description"]) == ("DISABLED", "Nightly")
    place.dlm.update_lifecycle_policy(PolicyId=made, Description="Weekly", PolicyDetails=changed("Schedules", 0, "RetainRule", value={"Count": 2}))
    shown = place.get(made)
    assert (shown["State"], shown["Description"], shown["PolicyDetails"]["Schedules"][0]["RetainRule"]) == ("DISABLED", "Weekly", {"Count": 2})
    refused(lambda: place.dlm.update_lifecycle_policy(PolicyId=made, PolicyDetails=changed("Schedules", 0, "RetainRule", value={"Interval": 1, "IntervalUnit": "DAYS"})), "retention")
    place.dlm.update_lifecycle_policy(PolicyId=made, State="ENABLED")
    assert place.get(made)["State"] == "ENABLED"
    refused(lambda: place.dlm.update_lifecycle_policy(PolicyId="policy-0123456789abcdef0", State="ENABLED"), code="ResourceNotFoundException")
    place.dlm.delete_lifecycle_policy(PolicyId=made)


def test_lists(place):
    one = place.make(Tags={"team": "ops"})
    two = place.make({**changed("TargetTags", value=[{"Key": "other", "Value": "x=y"}]), "ResourceTypes": ["INSTANCE"]}, State="DISABLED")
    for asked, found in (({}, {one, two}), ({"PolicyIds": [one]}, {one}), ({"PolicyIds": [one, two]}, {one, two}), ({"State": "DISABLED"}, {two}), ({"ResourceTypes": ["VOLUME"]}, {one}),
                         ({"TargetTags": ["other=x=y"]}, {two}), ({"TargetTags": ["backup=no"]}, set()), ({"TagsToAdd": ["by=dlm"]}, {one, two}), ({"TagsToAdd": ["by=me"]}, set())):
        listed = place.dlm.get_lifecycle_policies(**asked)["Policies"]
        assert {p["PolicyId"] for p in listed} == found, asked
    (shown,) = place.dlm.get_lifecycle_policies(PolicyIds=[one])["Policies"]
    assert shown == {"PolicyId": one, "Description": "Nightly", "State": "ENABLED", "Tags": {"team": "ops"}, "PolicyType": "EBS_SNAPSHOT_MANAGEMENT"}
    refused(lambda: place.dlm.get_lifecycle_policies(PolicyIds=[one, "policy-0123456789abcdef0"]), "policy-0123456789abcdef0", code="ResourceNotFoundException")
    for policy in (one, two):
        place.dlm.delete_lifecycle_policy(PolicyId=policy)


def test_tags(place):
    made = place.make(Tags={"a": "1"})
    arn = place.get(made)["PolicyArn"]
    place.dlm.tag_resource(ResourceArn=arn, Tags={"a": "2", "b": "3"})
    assert place.dlm.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"a": "2", "b": "3"}
    place.dlm.untag_resource(ResourceArn=arn, TagKeys=["a", "c"])
    assert place.dlm.list_tags_for_resource(ResourceArn=arn)["Tags"] == place.get(made)["Tags"] == {"b": "3"}
    refused(lambda: place.dlm.list_tags_for_resource(ResourceArn=arn.replace(place.number, "000000000000")), "ARN")
    place.dlm.delete_lifecycle_policy(PolicyId=made)


@pytest.mark.parametrize("words, details", [
    (["IMAGE_MANAGEMENT", "PolicyType"], changed("PolicyType", value="IMAGE_MANAGEMENT")),
    (["EVENT_BASED_POLICY", "PolicyType"], changed("PolicyType", value="EVENT_BASED_POLICY")),
    (["OUTPOST"], changed("ResourceLocations", value=["OUTPOST"])),
    (["Location"], changed("Schedules", 0, "CreateRule", "Location", value="OUTPOST_LOCAL")),
    (["Schedules"], changed("Schedules", value=DETAILS["Schedules"] * 2)),
    (["FastRestoreRule"], changed("Schedules", 0, "FastRestoreRule", value={"Count": 1, "AvailabilityZones": ["us-east-1a"]})),
    (["CrossRegionCopyRules"], changed("Schedules", 0, "CrossRegionCopyRules", value=[{"TargetRegion": "eu-west-1", "Encrypted": False}])),
    (["ShareRules"], changed("Schedules", 0, "ShareRules", value=[{"TargetAccounts": ["111122223333"]}])),
    (["ArchiveRule"], changed("Schedules", 0, "ArchiveRule", value={"RetainRule": {"RetentionArchiveTier": {"Count": 1}}})),
    (["DeprecateRule"], changed("Schedules", 0, "DeprecateRule", value={"Count": 1})),
    (["CreateRule"], changed("Schedules", 0, "CreateRule", value={"CronExpression": "cron(0 9 * * ? *)", "Interval": 1, "IntervalUnit": "HOURS"})),
    (["CreateRule"], changed("Schedules", 0, "CreateRule", value={"Interval": 1})),
    (["CreateRule"], changed("Schedules", 0, "CreateRule", drop=True)),
    (["Interval"], changed("Schedules", 0, "CreateRule", "Interval", value=5)),
    (["CronExpression"], changed("Schedules", 0, "CreateRule", value={"CronExpression": "cron(0/5 9 * * ? *)"})),
    (["CronExpression"], changed("Schedules", 0, "CreateRule", value={"CronExpression": "cron(0 9 * * * *)"})),
    (["RetainRule"], changed("Schedules", 0, "RetainRule", value={"Count": 0})),
    (["RetainRule"], changed("Schedules", 0, "RetainRule", value={"Count": 1, "Interval": 1, "IntervalUnit": "DAYS"})),
    (["RetainRule"], changed("Schedules", 0, "RetainRule", value={"Interval": 101, "IntervalUnit": "YEARS"})),
    (["VariableTags"], changed("Schedules", 0, "VariableTags", value=[{"Key": "of", "Value": "$(instance-id)"}])),
    (["ExcludeBootVolume"], {**DETAILS, "Parameters": {"ExcludeBootVolume": True}}),
    (["NoReboot"], {**DETAILS, "Parameters": {"NoReboot": False}}),
    (["EventSource"], {**DETAILS, "EventSource": {"Type": "MANAGED_CWE"}}),
    (["aws:"], changed("Schedules", 0, "TagsToAdd", value=[{"Key": "aws:x", "Value": "y"}])),
])
def test_refusals(place, words, details):
    refused(lambda: place.make(details), *words)
    assert place.dlm.get_lifecycle_policies()["Policies"] == []


def test_roles(place):
    refused(lambda: place.make(ExecutionRoleArn=place.role + "-absent"), "does not exist")
    refused(lambda: place.make(ExecutionRoleArn=place.role.replace(place.number, "000000000000")), "does not exist")
    refused(lambda: place.make(Description="not / allowed"), "Description")
    refused(lambda: place.make(changed("Schedules", 0, "Name", value="a\x07")), "Name")  # a tag of each snapshot
    refused(lambda: place.make(changed("Schedules", 0, "CreateRule", "Times", value=["+1:+1"])), "Times")


@holds("What each face calls it: snapshot policy")
def test_other_accounts(dev, place):
    """Policies of another account are not found, and neither are policies of one volume."""
    made = place.make()
    arn, theirs = place.get(made)["PolicyArn"], Place(dev, "theirs")
    for call in (lambda: theirs.get(made), lambda: theirs.dlm.delete_lifecycle_policy(PolicyId=made), lambda: theirs.dlm.update_lifecycle_policy(PolicyId=made, State="DISABLED")):
        refused(call, code="ResourceNotFoundException")
    refused(lambda: theirs.dlm.tag_resource(ResourceArn=arn, Tags={"a": "b"}))
    assert theirs.dlm.get_lifecycle_policies()["Policies"] == []
    place.dlm.delete_lifecycle_policy(PolicyId=made)


def test_denies_in_other_faces(dev, place):
    """CloudStack's calls for snapshot policies reach DLM's policies, too; a Deny of DLM's calls holds there."""
    made = place.make()
    path = "/api/v1/snapshot-policies"
    rows = json.loads(place.account.send("GET", path, place.account.sign("GET", "", b"", "ec2", path)).text)["items"]
    (row,) = [r["id"] for r in rows if r["id"].replace("-", "").startswith(made.removeprefix("policy-"))]
    place.iam.create_user(UserName="other")
    key = place.iam.create_access_key(UserName="other")["AccessKey"]
    who = {"_key": key["AccessKeyId"], "_secret": key["SecretAccessKey"]}

    def says(*statements):
        place.iam.put_user_policy(UserName="other", PolicyName="p", PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": actions, "Resource": "*"} for effect, actions in statements]}))

    def is_done(command, **given):
        status, answer, _ = call(dev, command, **who, **given)
        return status == 200 and ("jobid" not in answer or wait(dev, answer, **who)[0] == 1)
    says(("Allow", "*"), ("Deny", ["dlm:UpdateLifecyclePolicy", "dlm:DeleteLifecyclePolicy"]))
    assert not is_done("updateSnapshotPolicy", id=row, fordisplay="false") and not is_done("deleteSnapshotPolicies", id=row)
    assert place.get(made)["State"] == "ENABLED"
    says(("Allow", "*"))
    assert is_done("updateSnapshotPolicy", id=row, fordisplay="false") and place.get(made)["State"] == "DISABLED"
    assert is_done("deleteSnapshotPolicies", id=row)
    refused(lambda: place.get(made), code="ResourceNotFoundException")


def test_permissions(dev, place):
    """A user needs dlm's permissions, and that to pass the role."""
    place.iam.create_user(UserName="worker")
    key = place.iam.create_access_key(UserName="worker")["AccessKey"]
    worker = type(place.account)(dev, key["AccessKeyId"], key["SecretAccessKey"]).client("dlm")

    def allow(*actions):
        place.iam.put_user_policy(UserName="worker", PolicyName="p", PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}))

    def make():
        return worker.create_lifecycle_policy(ExecutionRoleArn=place.role, Description="d", State="ENABLED", PolicyDetails=DETAILS)["PolicyId"]

    allow("dlm:GetLifecyclePolicies")
    refused(make, code="AccessDeniedException")
    allow("dlm:*")
    refused(make, code="AccessDeniedException")
    allow("dlm:*", "iam:PassRole")
    made = make()
    place.iam.put_user_policy(UserName="worker", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "dlm:*", "Resource": f"arn:aws:dlm:{REGION}:{place.number}:policy/policy-00000000000000000"}]}))
    refused(lambda: worker.delete_lifecycle_policy(PolicyId=made), code="AccessDeniedException")
    place.dlm.delete_lifecycle_policy(PolicyId=made)


def test_unknown_operations(place):
    refused(lambda: place.dlm._make_api_call("GetLifecyclePolicy", {"PolicyId": "x/y"}), code="ResourceNotFoundException")


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

# SPDX-License-Identifier: Apache-2.0
"""Data Lifecycle Manager: an account with policies, and a valid request of each action."""
import json

import dev as lib
import rest_world
import target_world

ABSENT = "policy-0123456789abcdef0"
DETAILS = {
    "PolicyType": "EBS_SNAPSHOT_MANAGEMENT", "ResourceTypes": ["VOLUME"], "ResourceLocations": ["CLOUD"], "TargetTags": [{"Key": "backup", "Value": "yes"}],
    "Schedules": [{"Name": "Daily", "CopyTags": True, "TagsToAdd": [{"Key": "by", "Value": "dlm"}], "VariableTags": [],
                   "CreateRule": {"Location": "CLOUD", "Interval": 12, "IntervalUnit": "HOURS", "Times": ["21:30"]}, "RetainRule": {"Count": 7}}]}


class Policies(rest_world.World):
    """Policies `main` and `spare`, and a role that they run with."""
    actions = target_world.actions("dlm")
    service = "dlm"

    def __init__(self, dev, account):
        self.dev, self.account = dev, account
        self.mark = account.key_id[-8:].lower()
        self.number = account.call("GetCallerIdentity", {}, service="sts", version="2011-06-15").first(".//Account")
        trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "dlm.amazonaws.com"}}]}
        self.role = account.ok("CreateRole", {"RoleName": f"dlm-{self.mark}", "AssumeRolePolicyDocument": json.dumps(trust)}, service="iam",
                               version=target_world.IAM_VERSION).first(".//Arn")
        made = {"ExecutionRoleArn": self.role, "Description": f"Nightly {self.mark}", "State": "ENABLED", "PolicyDetails": DETAILS, "Tags": {"k": self.mark}}
        self.main, self.spare = (self.ok("CreateLifecyclePolicy", made).json["PolicyId"] for _ in range(2))
        dev.rest()
        named, tagged = {"policyId": self.main}, {"resourceArn": self.arn(self.main)}
        self.requests = {
            "CreateLifecyclePolicy": made, "GetLifecyclePolicies": {"policyIds": [self.main]}, "GetLifecyclePolicy": named,
            "UpdateLifecyclePolicy": {**named, "ExecutionRoleArn": self.role, "Description": made["Description"], "State": "ENABLED", "PolicyDetails": DETAILS},
            "DeleteLifecyclePolicy": {"policyId": self.spare}, "TagResource": {**tagged, "Tags": {"k": self.mark}}, "UntagResource": {**tagged, "tagKeys": ["none"]},
            "ListTagsForResource": tagged}

    def arn(self, policy):
        return f"arn:aws:dlm:{lib.REGION}:{self.number}:policy/{policy}"

    def state(self):
        self.dev.rest()
        return [self.ok("GetLifecyclePolicies", {}).json, *(self.ok("GetLifecyclePolicy", {"policyId": p}).json for p in (self.main, self.spare))]

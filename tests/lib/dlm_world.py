# SPDX-License-Identifier: Apache-2.0
"""Data Lifecycle Manager with the standard library alone, where boto3 would refuse the request or repeat it: an account with policies, and a valid
request of each action, from the tables of `dari dump dlm`."""
import copy
import json

import dev as lib
import target_world

ABSENT = "policy-0123456789abcdef0"
DETAILS = {
    "PolicyType": "EBS_SNAPSHOT_MANAGEMENT", "ResourceTypes": ["VOLUME"], "ResourceLocations": ["CLOUD"], "TargetTags": [{"Key": "backup", "Value": "yes"}],
    "Schedules": [{"Name": "Daily", "CopyTags": True, "TagsToAdd": [{"Key": "by", "Value": "dlm"}], "VariableTags": [],
                   "CreateRule": {"Location": "CLOUD", "Interval": 12, "IntervalUnit": "HOURS", "Times": ["21:30"]}, "RetainRule": {"Count": 7}}]}


class Answer(target_world.Answer):
    def __init__(self, answer):
        super().__init__(answer)
        self.message = self.json.get("Message", "")


class Policies:
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

    def call(self, name, body, by=None, headers=None, raw=None, more=()):
        """Sends the action with these members, of which the tables say whether they are in the path, the query or the body; more: further pairs of the query."""
        action, members, account = self.actions[name], dict(body), by or self.account
        path, sign_path, pairs = action["path"], action["path"], list(more)
        for word in [n for n in members if "{" + n + "}" in path]:
            quoted = lib.quote(str(members.pop(word)))
            path, sign_path = path.replace("{" + word + "}", quoted), sign_path.replace("{" + word + "}", lib.quote(quoted))
        if action["method"] in ("GET", "DELETE"):
            pairs += [(k, v) for k, values in members.items() if values is not None for v in (values if isinstance(values, list) else [values])]
            data = b""
        else:
            data = json.dumps(members).encode()
        return self.send(account, action["method"], path, sign_path, pairs, data if raw is None else raw, headers)

    def send(self, account, method, path, sign_path, pairs=(), data=b"", headers=None):
        query = "&".join(sorted(f"{lib.quote(str(k))}={lib.quote(str(v))}" for k, v in pairs))
        sent = {**account.sign(method, query, data, self.service, sign_path), "Content-Type": "application/json", **(headers or {})}
        return Answer(account.send(method, path + ("?" + query if query else ""), {k: v for k, v in sent.items() if v is not None}, data))

    def ok(self, name, body):
        answer = self.call(name, body)
        assert answer.status == 200, f"{name}: {answer}"
        return answer

    def request(self, name):
        return copy.deepcopy(self.requests[name])

    def arn(self, policy):
        return f"arn:aws:dlm:{lib.REGION}:{self.number}:policy/{policy}"

    def state(self):
        self.dev.rest()
        return [self.ok("GetLifecyclePolicies", {}).json, *(self.ok("GetLifecyclePolicy", {"policyId": p}).json for p in (self.main, self.spare))]

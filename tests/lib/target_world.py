# SPDX-License-Identifier: Apache-2.0
"""Services of AWS JSON 1.1 whose actions a header names: calls without boto3, which would refuse or repeat them; and accounts with resources of
EventBridge, ACM and EC2 Instance Connect, with a valid request of each action."""
import base64
import copy
import json
import subprocess
import urllib.error
import urllib.request

import dev as ec2
import pem
import waiting

JSON = "application/x-amz-json-1.1"
SERVICES = {  # face: service in the scope of signatures, beginning of X-Amz-Target
    "acm": ("acm", "CertificateManager."), "events": ("events", "AWSEvents."), "connect": ("ec2-instance-connect", "AWSEC2InstanceConnectService."),
    "support": ("support", "AWSSupport_20130415.")}
IAM_VERSION = "2010-05-08"


def actions(face):
    tables = json.loads(subprocess.run([ec2.DARI, "dump", face], check=True, capture_output=True).stdout)
    return {a["name"]: a for a in tables["actions"]}


class Answer:
    def __init__(self, answer):
        self.status, self.headers, self.text = answer.status, answer.headers, answer.text
        self.json = json.loads(self.text) if self.text else {}
        self.code, self.message = self.headers.get("x-amzn-ErrorType", ""), self.json.get("message", "")

    def same(self):
        """The answer without what differs from call to call."""
        return {k: v for k, v in self.json.items() if k != "RequestId"}

    def __repr__(self):
        return f"{self.status} {self.code} {self.text[:300]}"


# ---- members by the names of the tables, such as Targets.N.Id

ABSENT = object()


def put(body, name, value):
    """Sets a member, or removes it if the value is ABSENT; N is the first element of a list. Returns the body."""
    *path, last = name.split(".")
    at = body
    for word, following in zip(path, [*path[1:], last]):
        at = at[0] if word == "N" else at.setdefault(word, [{}] if following == "N" else {})
    if value is ABSENT:
        at.pop(last, None)
    else:
        at[last] = value
    return body


def get(body, name):
    for word in name.split("."):
        body = body[0] if word == "N" else body.get(word)
        if body is None:
            return None
    return body


class World:
    """Base of the services' worlds, which by itself has no resources. .requests: a valid body of each action."""
    actions, requests = {}, {}

    def __init__(self, account, face):
        self.account, self.dev = account, account.dev
        self.service, self.prefix = SERVICES[face]

    def call(self, action, body, by=None, headers=None, raw=None):
        data = json.dumps(body).encode() if raw is None else raw
        account = by or self.account
        sent = {**account.sign("POST", "", data, self.service), "X-Amz-Target": self.prefix + action, "Content-Type": JSON, **(headers or {})}
        return Answer(account.send("POST", "/", {k: v for k, v in sent.items() if v is not None}, data))

    def ok(self, action, body):
        answer = self.call(action, body)
        assert answer.status == 200 and not answer.json.get("FailedEntryCount"), f"{action}: {answer}"
        return answer

    def request(self, name):
        return copy.deepcopy(self.requests[name])


class Events(World):
    """Rules `orders` with a target, and `spare` without; a queue, a topic and a role."""
    actions = actions("events")

    def __init__(self, dev, account):
        super().__init__(account, "events")
        mark = account.key_id[-8:].lower()
        self.number = account.call("GetCallerIdentity", {}, service="sts", version="2011-06-15").first(".//Account")
        account.ok("CreateQueue", {"QueueName": f"told-{mark}"}, service="sqs", version="2012-11-05")
        self.queue = f"arn:aws:sqs:{ec2.REGION}:{self.number}:told-{mark}"
        self.topic = account.ok("CreateTopic", {"Name": f"told-{mark}"}, service="sns", version="2010-03-31").first(".//TopicArn")
        trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "events.amazonaws.com"}}]}
        self.role = account.ok("CreateRole", {"RoleName": f"events-{mark}", "AssumeRolePolicyDocument": json.dumps(trust)}, service="iam", version=IAM_VERSION).first(".//Arn")
        self.orders, self.spare = f"orders-{mark}", f"spare-{mark}"
        pattern = json.dumps({"source": [f"shop-{mark}"]})
        for name in (self.orders, self.spare):
            self.ok("PutRule", {"Name": name, "EventPattern": pattern, "Description": name, "Tags": [{"Key": "k", "Value": mark}]})
        target = {"Id": "q", "Arn": self.queue}
        self.ok("PutTargets", {"Rule": self.orders, "Targets": [{**target, "DeadLetterConfig": {"Arn": self.queue}}, {"Id": "t", "Arn": self.topic, "RoleArn": self.role}]})
        dev.rest()
        named, ruled, tagged = {"Name": self.orders}, {"Rule": self.orders}, {"ResourceARN": self.arn(self.orders)}
        event = {"id": "1", "account": self.number, "source": "shop", "time": "2026-01-01T00:00:00Z", "region": ec2.REGION, "resources": [], "detail-type": "order", "detail": {}}
        self.requests = {
            "PutRule": {**named, "EventPattern": pattern, "Description": self.orders}, "DescribeRule": named, "EnableRule": named, "DisableRule": named, "DeleteRule": {"Name": self.spare},
            "ListRules": {}, "ListRuleNamesByTarget": {"TargetArn": self.queue}, "PutTargets": {**ruled, "Targets": [target]}, "RemoveTargets": {**ruled, "Ids": ["q"]},
            "ListTargetsByRule": ruled, "DescribeEventBus": {}, "ListEventBuses": {}, "PutEvents": {"Entries": [{"Source": "shop", "DetailType": "order", "Detail": "{}"}]},
            "TestEventPattern": {"EventPattern": pattern, "Event": json.dumps(event)}, "TagResource": {**tagged, "Tags": [{"Key": "k", "Value": mark}]},
            "UntagResource": {**tagged, "TagKeys": ["none"]}, "ListTagsForResource": tagged}

    def arn(self, rule):
        return f"arn:aws:events:{ec2.REGION}:{self.number}:rule/{rule}"

    def state(self):
        self.dev.rest()
        return [self.ok(*asked).json for asked in (("ListRules", {}), ("ListTargetsByRule", {"Rule": self.orders}), ("ListTagsForResource", {"ResourceARN": self.arn(self.orders)}))]


class Acm(World):
    """Certificates `main` and `spare`, with tags."""
    actions = actions("acm")

    def __init__(self, dev, account):
        super().__init__(account, "acm")
        self.dev, self.number = dev, account.call("GetCallerIdentity", {}, service="sts", version="2011-06-15").first(".//Account")
        authority = pem.Certificate("authority")
        self.mark = account.key_id[-8:].lower()
        self.given = self.encode(authority.issue(f"main-{self.mark}"))
        self.main, self.spare = (self.ok("ImportCertificate", {**body, "Tags": [{"Key": "k", "Value": self.mark}]}).json["CertificateArn"]
                                 for body in (self.given, self.encode(authority.issue(f"spare-{self.mark}"))))
        dev.rest()
        named, tagged = {"CertificateArn": self.main}, {"CertificateArn": self.main, "Tags": [{"Key": "k", "Value": self.mark}]}
        self.requests = {
            "ImportCertificate": {**self.given, **named}, "DescribeCertificate": named, "GetCertificate": named, "DeleteCertificate": {"CertificateArn": self.spare},
            "ListCertificates": {"Includes": {"keyTypes": ["EC_prime256v1"]}}, "AddTagsToCertificate": tagged, "RemoveTagsFromCertificate": {**tagged, "Tags": [{"Key": "none"}]},
            "ListTagsForCertificate": named, "ExportCertificate": {**named, "Passphrase": "c2VjcmV0"}, "RequestCertificate": {"DomainName": "a.example.com"},
            "RenewCertificate": named, "ResendValidationEmail": named, "UpdateCertificateOptions": named}

    @staticmethod
    def encode(certificate):
        parts = {"Certificate": certificate.text, "PrivateKey": certificate.key, "CertificateChain": certificate.issuer.text}
        return {name: base64.b64encode(text.encode()).decode() for name, text in parts.items()}

    def state(self):
        self.dev.rest()
        asked = (("ListCertificates", self.request("ListCertificates")), ("ListTagsForCertificate", {"CertificateArn": self.main}), ("DescribeCertificate", {"CertificateArn": self.main}))
        return [self.ok(*one).json for one in asked]


class Connect(World):
    """A running instance."""
    actions = actions("connect")
    KEY = "ssh-ed25519 " + base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + bytes(range(32))).decode()

    def __init__(self, dev, account):
        super().__init__(account, "connect")
        self.number = account.call("GetCallerIdentity", {}, service="sts", version="2011-06-15").first(".//Account")
        image = account.ok("DescribeImages").first(".//imageId")
        self.instance = account.ok("RunInstances", {"ImageId": image, "InstanceType": "t3.micro", "MinCount": "1", "MaxCount": "1"}).first(".//instanceId")
        shown = waiting.wait_until(self.running, "the instance runs", of=dev)
        self.requests = {"SendSSHPublicKey": {"InstanceId": self.instance, "InstanceOSUser": "debian", "SSHPublicKey": self.KEY,
                                              "AvailabilityZone": shown.first(".//placement/availabilityZone")}}

    def running(self):
        shown = self.account.ok("DescribeInstances", {"InstanceId.1": self.instance})
        return shown if shown.first(".//instanceState/name") == "running" else None

    def arn(self, instance):
        return f"arn:aws:ec2:{ec2.REGION}:{self.number}:instance/{instance}"

    def state(self):
        """Users of the guest who have a key. The key of a successful call leaves after a minute."""
        try:
            with urllib.request.urlopen(f"{self.dev.metadata}/{self.instance}/latest/meta-data/managed-ssh-keys/active-keys/", timeout=waiting.HANG_S) as answer:
                return answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code

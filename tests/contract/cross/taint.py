#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api src/api/metadata src/engine/resolve src/auth/guard src/store/query
# limit: 1200 s
"""Each of two accounts writes its own mark into every text that it can: names, descriptions, tags, tickets, history. Meanwhile both read all lists of
each face, the events, the searches, the live streams, the exports, and what each of their guests is told (IMDS, OpenStack's meta_data.json, Azure's
instance document, CloudStack's user data). The other account's mark in any answer fails the test; and the account's own marks must
appear in some answers of each face. SEEDS=20 runs more histories."""
import json
import os
import random
import re
import sys
import urllib.error
import urllib.request

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import azure  # noqa: E402
import cloud  # noqa: E402
import cloudstack  # noqa: E402
import dev as ec2  # noqa: E402
import autoscaling_world  # noqa: E402
import classic_world  # noqa: E402
import cloudwatch_world  # noqa: E402
import elb_world  # noqa: E402
import scim  # noqa: E402
import target_world  # noqa: E402
from dev import Dev  # noqa: E402
from faces import face  # noqa: E402
from faces.native import Place, ask  # noqa: E402
from messaging_world import Queues, Topics  # noqa: E402
from waiting import HANG_S  # noqa: E402
from world import HOSTS  # noqa: E402

SEEDS, STEPS, ROUNDS = range(1, 1 + int(os.environ.get("SEEDS", "1"))), 30, 2
TABLES = {name: json.loads(ec2.subprocess.run([ec2.DARI, "dump", name], check=True, capture_output=True).stdout)["actions"]
          for name in ("actions", "iam", "elb", "elb-classic", "autoscaling", "cloudwatch", "sqs", "sns", "openstack", "cloudstack", "native", "azure", "scim")}
QUERY = {"actions": ec2.VERSION, "iam": face.IAM_VERSION, "elb": elb_world.VERSION, "elb-classic": classic_world.VERSION,
         "autoscaling": autoscaling_world.VERSION, "cloudwatch": cloudwatch_world.VERSION, "sqs": Queues.version, "sns": Topics.version}
STS_VERSION = "2011-06-15"
READS = ("Describe", "List", "Get")
NEEDS = {"GET /search": "?q={}", "GET /events": "?limit=1000"}  # queries of these calls


AZURE_LISTS = [a for a in TABLES["azure"] if a["method"] == "GET" and not a["open"] and set(re.findall(r"{(\w+)}", a["path"])) <= {"subscriptionId"}]
GROUPS, SETS = "2021-04-01", "2023-04-01"
FOR_GUESTS = ("openstack/latest/meta_data.json", "openstack/latest/user_data", "openstack/latest/vendor_data.json", "openstack/latest/network_data.json",
              "metadata/instance?api-version=2021-02-01", "latest/user-data", "latest/dynamic/instance-identity/document")


# A queue takes messages of topics and rules only if its policy admits them.
ADMITS = {"Attribute.1.Name": "Policy", "Attribute.1.Value": json.dumps({"Statement": [{
    "Effect": "Allow", "Principal": {"Service": ["sns.amazonaws.com", "events.amazonaws.com"]}, "Action": "sqs:SendMessage", "Resource": "*"}]})}


class Side:
    """An account, its mark, and counts of the answers that contained the mark."""

    def __init__(self, dev, name):
        self.place = Place(dev, name)
        self.mark, self.count, self.seen = f"taint-{name}-{os.urandom(3).hex()}", 0, {}
        self.other = None
        self.azure = azure.Plain(dev)
        self.subscription = self.azure.subscription(self.place.root)
        self.groups = []
        self.events, self.connect = (target_world.World(self.place.root, face_of) for face_of in ("events", "connect"))
        self.domain = scim.Domain(cloud.admin(dev), f"{self.mark}-domain")

    def word(self):
        self.count += 1
        return f"{self.mark}-{self.count}"

    # ---- writes

    def patch(self, draw):
        """Changes the texts of a row, by /api/v1."""
        action = draw.choice([a for a in TABLES["native"] if a["method"] == "PATCH" and a["kind"] in self.place.rows and not a["admin"]])
        body = {p["name"]: self.word() for p in action["params"] if p["in"] == "body" and p["type"] == "string" and not p.get("kind")}
        texts = {name: value for name, value in body.items() if draw.random() < 0.7} or body
        return ask(self.place.root, "PATCH", action["path"].replace("{id}", self.place.rows[action["kind"]]["id"]), texts)

    def tag(self, draw):
        row = draw.choice([r for r in self.place.rows.values() if r.get("ec2")])
        return self.place.root.call("CreateTags", {"ResourceId.1": row["ec2"], "Tag.1.Key": self.word(), "Tag.1.Value": self.word()})

    def key_pair(self, draw):
        name = self.word()
        answer = self.place.root.call("CreateKeyPair", {"KeyName": name})
        return self.place.root.call("DeleteKeyPair", {"KeyName": name}) if draw.random() < 0.5 else answer

    def volume(self, _):
        return self.place.owner.call("POST", "/volume/v3/volumes", {"volume": {"size": 1, "name": self.word(), "description": self.word()}})

    def group(self, _):
        return self.place.owner.call("POST", "/network/v2.0/security-groups", {"security_group": {"name": self.word(), "description": self.word()}})

    def person(self, _):
        return self.place.root.call("CreateUser", {"UserName": self.word()}, service="iam", version=face.IAM_VERSION)

    def target_group(self, _):
        vpc = self.place.root.ok("DescribeVpcs", {}).first(".//vpcId")
        asked = {"Name": self.word(), "Protocol": "TCP", "Port": "80", "VpcId": vpc, "Tags.member.1.Key": self.word(), "Tags.member.1.Value": self.word()}
        return self.place.root.call("CreateTargetGroup", asked, service="elasticloadbalancing", version=elb_world.VERSION)

    def launch_configuration(self, _):
        asked = {"LaunchConfigurationName": self.word(), "ImageId": self.word(), "InstanceType": "t3.micro"}
        return self.place.root.call("CreateLaunchConfiguration", asked, service="autoscaling", version=autoscaling_world.VERSION)

    def balancer(self, _):
        zone = self.place.root.ok("DescribeAvailabilityZones", {}).first(".//zoneName")
        asked = {"LoadBalancerName": self.word(), "AvailabilityZones.member.1": zone, "Tags.member.1.Key": self.word(), "Tags.member.1.Value": self.word(),
                 **{f"Listeners.member.1.{k}": v for k, v in (("Protocol", "TCP"), ("LoadBalancerPort", "80"), ("InstancePort", "80"))}}
        return self.place.root.call("CreateLoadBalancer", asked, service="elasticloadbalancing", version=classic_world.VERSION)

    def alarm(self, _):
        asked = {"AlarmName": self.word(), "AlarmDescription": self.word(), "Namespace": self.word(), "MetricName": self.word(), "Statistic": "Sum", "Period": "60",
                 "EvaluationPeriods": "1", "Threshold": "1", "ComparisonOperator": "GreaterThanThreshold"}
        return self.place.root.call("PutMetricAlarm", asked, service="monitoring", version=cloudwatch_world.VERSION)

    def metric(self, _):
        asked = {"Namespace": self.word(), "MetricData.member.1.MetricName": self.word(), "MetricData.member.1.Value": "1",
                 "MetricData.member.1.Dimensions.member.1.Name": self.word(), "MetricData.member.1.Dimensions.member.1.Value": self.word()}
        return self.place.root.call("PutMetricData", asked, service="monitoring", version=cloudwatch_world.VERSION)

    def queue(self, _):
        """A topic that leads to a queue, and a message in each."""
        queue = self.place.root.ok("CreateQueue", {"QueueName": self.word(), "Tag.1.Key": self.word(), "Tag.1.Value": self.word(), **ADMITS}, service="sqs", version=Queues.version)
        topic = self.place.root.ok("CreateTopic", {"Name": self.word()}, service="sns", version=Topics.version).first(".//TopicArn")
        arn = topic.replace(":sns:", ":sqs:").rpartition(":")[0] + ":" + queue.first(".//QueueUrl").rpartition("/")[2]
        self.place.root.ok("Subscribe", {"TopicArn": topic, "Protocol": "sqs", "Endpoint": arn}, service="sns", version=Topics.version)
        self.place.root.ok("Publish", {"TopicArn": topic, "Message": self.word(), "Subject": self.word()}, service="sns", version=Topics.version)
        return self.place.root.call("SendMessage", {"QueueUrl": queue.first(".//QueueUrl"), "MessageBody": self.word()}, service="sqs", version=Queues.version)

    def rule(self, _):
        """A rule of the event bus whose target is a queue."""
        queue = self.place.root.ok("CreateQueue", {"QueueName": self.word(), **ADMITS}, service="sqs", version=Queues.version).first(".//QueueUrl")
        arn = f"arn:aws:sqs:{ec2.REGION}:{':'.join(queue.split('/')[-2:])}"
        name = self.word()
        self.events.ok("PutRule", {"Name": name, "Description": self.word(), "EventPattern": json.dumps({"source": [self.word()]}), "Tags": [{"Key": self.word(), "Value": self.word()}]})
        self.events.ok("PutTargets", {"Rule": name, "Targets": [{"Id": self.word(), "Arn": arn, "Input": json.dumps(self.word())}]})
        return self.events.call("PutEvents", {"Entries": [{"Source": self.word(), "DetailType": self.word(), "Detail": json.dumps({"a": self.word()})}]})

    def guest_key(self, _):
        """A user of the guest with a key of Instance Connect."""
        return self.connect.call("SendSSHPublicKey", {"InstanceId": self.place.rows["instance"]["ec2"], "InstanceOSUser": self.word(), "SSHPublicKey": target_world.Connect.KEY})

    def ticket(self, _):
        return self.place.owner.api("POST", "/tickets", {"subject": self.word(), "body": self.word()})

    def address_group(self, _):
        return self.place.owner.call("POST", "/network/v2.0/address-groups", {"address_group": {"name": self.word(), "addresses": ["192.0.2.0/24"]}})

    def offered(self, _):
        return cloudstack.call(self.place.dev, "createSSHKeyPair", post=True, name=self.word(), **self.key)[0]

    def resource_group(self, _):
        self.groups.append(self.word())
        return self.azure.ask("PUT", f"{self.subscription}/resourceGroups/{self.groups[-1]}", GROUPS, self.place.root,
                              {"location": "us-east-1", "tags": {self.word(): self.word()}})[0]

    def provisioned(self, draw):
        """A user or a group of the side's own domain, by SCIM."""
        if draw.random() < 0.3:
            return self.domain.call("POST", "/Groups", {"displayName": self.word(), "members": [{"value": self.domain.boss}]})
        return self.domain.call("POST", "/Users", {"userName": self.word(), "externalId": self.word(), "emails": [{"value": self.word()}], scim.ENTERPRISE: {"division": self.word()}})

    def set_of_ports(self, draw):
        if not self.groups:
            return self.resource_group(draw)
        where = f"{self.subscription}/resourceGroups/{draw.choice(self.groups)}/providers/Microsoft.Network/applicationSecurityGroups/{self.word()}"
        return self.azure.ask("PUT", where, SETS, self.place.root, {"location": "us-east-1", "tags": {"a": self.word()}})[0]

    @property
    def key(self):
        return {"_key": self.place.root.key_id, "_secret": self.place.root.secret}

    @property
    def deeds(self):
        return [self.patch, self.tag, self.key_pair, self.volume, self.group, self.person, self.ticket, self.address_group, self.offered, self.resource_group,
                self.set_of_ports, self.provisioned, self.target_group, self.launch_configuration, self.balancer, self.alarm, self.metric, self.queue, self.rule, self.guest_key]

    def step(self, draw):
        self.do(draw.choice([*self.deeds, self.patch, self.patch, self.tag, self.target_group]), draw)

    def do(self, deed, draw):
        answer = deed(draw)
        status = answer if isinstance(answer, int) else answer.status
        assert status < 500 or status in (530, 531), f"{deed.__name__}: {answer}"

    # ---- reads

    def take(self, name, what, text):
        assert self.other.mark not in text, f"{name} {what} tells {self.mark} of {text[max(0, text.index(self.other.mark) - 300):][:600]}"
        self.seen[name] = self.seen.get(name, 0) + (self.mark in text)

    def read_native(self):
        for a in TABLES["native"]:
            if a["method"] != "GET" or "{" in a["path"] or a["path"].startswith("/stream"):
                continue
            query = NEEDS.get(f"GET {a['path']}", "?fields=*&limit=1000" if a["lists"] else "").format(self.other.mark)
            for caller in (lambda: ask(self.place.root, "GET", a["path"] + query), lambda: self.place.owner.api("GET", a["path"] + query)):
                answer = caller()
                if answer.status == 200:
                    self.take("native", a["path"], answer.text)

    def read_query(self):
        for name, version in QUERY.items():
            for a in TABLES[name]:
                if not a["name"].startswith(READS) or a["writes"]:
                    continue
                answer = self.place.root.call(a["name"], service=a["service"], version=STS_VERSION if a["service"] == "sts" else version)
                self.take(name, a["name"], answer.text)

    def read_openstack(self):
        for a in TABLES["openstack"]:
            if a["method"] == "GET" and "{" not in a["path"]:
                answer = self.place.owner.call("GET", a["prefix"] + a["path"], version=cloud.version_of(a))
                self.take("openstack", a["path"], answer.text)

    def read_cloudstack(self):
        for a in TABLES["cloudstack"]:
            if a["name"].startswith("list"):
                for more in ({}, {"listall": "true"}, {"listall": "true", "keyword": self.other.mark}):
                    status, answer, _ = cloudstack.call(self.place.dev, a["name"], **more, **self.key)
                    if status == 200:
                        self.take("cloudstack", a["name"], json.dumps(answer))

    def read_support(self):
        client = self.place.root.client("support")
        cases = client.describe_cases(includeResolvedCases=True, includeCommunications=True)["cases"]
        self.take("support", "DescribeCases", json.dumps(cases, default=str))

    def read_events(self):
        rules = self.events.ok("ListRules", {}).json["Rules"]
        self.take("events", "ListRules", json.dumps(rules))
        for rule in rules:
            for action, asked in (("ListTargetsByRule", {"Rule": rule["Name"]}), ("ListTagsForResource", {"ResourceARN": rule["Arn"]})):
                self.take("events", action, self.events.ok(action, asked).text)

    def read_azure(self):
        asked = [("GET", a["path"], a["versions"].split("|")[-1]) for a in AZURE_LISTS]
        for method, path, version in asked:
            status, _, answer = self.azure.ask(method, path.replace("/subscriptions/{subscriptionId}", self.subscription), version, self.place.root)
            if status == 200:
                self.take("azure", path, json.dumps(answer))

    def read_scim(self):
        for a in TABLES["scim"]:
            if a["lists"]:
                for text in ("", f'userName co "{self.other.mark}"' if a["kind"] == "user" else f'displayName co "{self.other.mark}"', "not (externalId eq \"x\")"):
                    self.take("scim", a["path"], json.dumps(self.domain.listed(a, text)))

    def read_exports(self):
        """Files that are made of many rows: templates of groups, and the report of who has which keys."""
        for group in self.groups:
            status, _, answer = self.azure.ask("POST", f"{self.subscription}/resourceGroups/{group}/exportTemplate", GROUPS, self.place.root, {"resources": ["*"]})
            assert status in (200, 202), answer
            self.take("exports", "exportTemplate", json.dumps(answer))
        iam = self.place.root.client("iam")
        iam.generate_credential_report()
        self.take("exports", "credential report", iam.get_credential_report()["Content"].decode())

    def crawl(self, base, path):
        """Reads a directory of IMDS, with all below it."""
        for line in self.told(base, path).splitlines():
            name = line.split("=")[0] + "/" if "public-keys/" in path and "=" in line else line  # "0=name" is the directory "0"
            if name.endswith("/"):
                self.crawl(base, path + name)
            elif "security-credentials" not in path:  # issuing them is recorded
                self.told(base, path + name)

    def told(self, base, path):
        request = urllib.request.Request(f"{base}/{path}", headers={"Metadata": "true"})
        try:
            with urllib.request.urlopen(request, timeout=HANG_S) as answer:
                text = answer.read().decode(errors="replace")
        except urllib.error.HTTPError as refused:
            text = refused.read().decode(errors="replace")
            assert refused.code < 500, f"{path}: {refused.code} {text}"
            self.take("metadata", path, text)
            return ""
        self.take("metadata", path, text)
        return text

    def read_metadata(self):
        for row in ask(self.place.root, "GET", "/instances?fields=*&limit=1000").json["items"]:
            base = f"{self.place.dev.metadata}/{row['ec2']}"
            self.crawl(base, "latest/meta-data/")
            for path in FOR_GUESTS:
                self.told(base, path)

    def name_guest(self):
        """Puts each account's mark into a running guest's name: its metadata must show that mark and no other."""
        guest = self.place.rows["instance"]["id"]
        assert ask(self.place.root, "PATCH", f"/instances/{guest}", {"name": self.word()}).status < 300

    def read(self):
        self.name_guest()
        for face_of in (self.read_native, self.read_query, self.read_openstack, self.read_cloudstack, self.read_support, self.read_events, self.read_azure,
                        self.read_scim, self.read_exports, self.read_metadata):
            face_of()


@pytest.fixture(scope="module")
def sides():
    with Dev(*HOSTS) as dev:
        one, two = Side(dev, "mine"), Side(dev, "theirs")
        one.other, two.other = two, one
        yield one, two


@pytest.mark.parametrize("seed", SEEDS)
def test_no_answer_holds_a_foreign_mark(sides, seed):
    draw = random.Random(seed)
    streams = [(side, side.place.owner.watch(query)) for side in sides for query in ("", "?kinds=instances", "?kinds=volumes,tickets")]
    for side in sides:  # each deed once, so that no face depends on the draw
        for deed in side.deeds:
            side.do(deed, draw)
    for _ in range(ROUNDS):
        for _ in range(STEPS):
            draw.choice(sides).step(draw)
        sides[0].place.dev.rest()
        for side in sides:
            side.read()
    for side, stream in streams:
        side.take("stream", "events", json.dumps(list(stream.events), default=str))
        stream.close()
    for side in sides:
        missing = [name for name in ("native", *QUERY, "openstack", "cloudstack", "support", "events", "azure", "scim", "exports", "metadata", "stream") if not side.seen.get(name)]
        assert not missing, f"{side.mark} is in no answer of {missing}, so that these prove nothing"


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", __file__, *sys.argv[1:]]))

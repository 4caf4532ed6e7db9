# SPDX-License-Identifier: Apache-2.0
"""Accounts with queues and topics, and requests made from the tables of SQS's and SNS's faces."""
import json
import re
import subprocess

import dev as ec2

POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"*"}]}'


def actions(face):
    tables = json.loads(subprocess.run([ec2.DARI, "dump", face], check=True, capture_output=True).stdout)
    return {a["name"]: a for a in tables["actions"] if a["name"] != "GetSigningCertificate"}


def wire(name):
    return re.sub(r"\.N(?=\.|$)", ".1", name)


class World:
    """Base of both services' worlds. A request has an action's required parameters, plus those of the structure that contains `but`."""

    def make(self, action, params):
        answer = self.call({"Action": action, **params})
        assert answer.status == 200, answer
        return answer

    def call(self, parameters, account=None):
        return (account or self.account).call(parameters.pop("Action"), parameters, service=self.service, version=self.version)

    def request(self, action, but):
        name, wanted, place = action["name"], set(), but["name"].rpartition(".")[0]
        params = {p["name"]: p for p in action["params"]}
        lists = {p["name"].removesuffix(".N") + ".N" for p in action["params"] if p["required"] and p["type"] == "list of structures"}
        for p in action["params"]:
            head = re.sub(r"(\.member)?\.N$", "", p["name"]).rpartition(".")[0]
            is_open = not head or head in lists or (place and (place + ".").startswith(head + "."))
            if p["required"] and p["name"] in self.values and is_open:
                wanted.add(p["name"])
        wanted |= self.more(name, place)
        return {"Action": name, **{wire(n): self.of(name)[n] for n in sorted(wanted) if n in params}}

    def of(self, _name):
        return self.values

    def without_ids(self, answers):
        return [re.sub("<RequestId>.*</RequestId>", "", a.text) for a in answers]


class Labels:
    """Statements of policies: AddPermission adds one that is not there, and RemovePermission removes one that is."""

    def prepare(self, world, made):
        subject = {n: made[n] for n in ("QueueUrl", "TopicArn") if n in made}
        accounts, actions = (name + (".member.1" if "TopicArn" in subject else ".1") for name in ("AWSAccountId", "ActionName"))
        if made["Action"] == "AddPermission":
            world.call({"Action": "RemovePermission", **subject, "Label": made["Label"]})
        if made["Action"] == "RemovePermission":
            world.call({"Action": "AddPermission", **subject, "Label": made["Label"], accounts: world.number, actions: "SendMessage" if "QueueUrl" in subject else "Publish"})


class Queues(World):
    """A queue `jobs` with a message in flight and a hidden one, its dead-letter queue, and a queue `spare` that may go."""

    service, version, actions, labels = "sqs", "2012-11-05", actions("sqs"), Labels()

    def __init__(self, dev, account):
        self.account = account
        mark = account.key_id[-8:].lower()
        self.number = account.call("GetCallerIdentity", {}, service="sts", version="2011-06-15").first(".//Account")
        self.dead, self.jobs, self.spare = (self.make("CreateQueue", {"QueueName": f"{name}-{mark}", "Tag.1.Key": "k", "Tag.1.Value": "v"}).first(".//QueueUrl")
                                            for name in ("dead", "jobs", "spare"))
        self.make("SetQueueAttributes", {"QueueUrl": self.jobs, "Attribute.1.Name": "RedrivePolicy", "Attribute.1.Value":
                                         json.dumps({"deadLetterTargetArn": self.arn(self.dead), "maxReceiveCount": 100})})
        for text in ("one", "two"):
            self.make("SendMessage", {"QueueUrl": self.jobs, "MessageBody": text})
        handle = self.make("ReceiveMessage", {"QueueUrl": self.jobs, "VisibilityTimeout": "43200"}).first(".//ReceiptHandle")
        dev.rest()
        self.values = {"QueueUrl": self.jobs, "QueueName": f"jobs-{mark}", "MessageBody": "text", "ReceiptHandle": handle, "VisibilityTimeout": "43200",
                       "Attribute.N.Name": "DelaySeconds", "Attribute.N.Value": "0", "Tag.N.Key": "k", "Tag.N.Value": "v", "TagKey.N": "none", "AttributeName.N": "All",
                       "MessageAttribute.N.Name": "a", "MessageAttribute.N.Value.DataType": "String", "MessageAttribute.N.Value.StringValue": "v",
                       "AWSAccountId.N": self.number, "ActionName.N": "SendMessage", "Label": "peer"}
        for entry in ("SendMessageBatchRequestEntry.N.", "DeleteMessageBatchRequestEntry.N.", "ChangeMessageVisibilityBatchRequestEntry.N."):
            self.values |= {entry + "Id": "e", entry + "MessageBody": "text", entry + "ReceiptHandle": handle, entry + "VisibilityTimeout": "43200",
                            entry + "MessageAttribute.N.Name": "a", entry + "MessageAttribute.N.Value.DataType": "String", entry + "MessageAttribute.N.Value.StringValue": "v"}

    def arn(self, url):
        return f"arn:aws:sqs:{ec2.REGION}:{self.number}:{url.rpartition('/')[2]}"

    def request(self, action, but):
        made = super().request(action, but)
        self.labels.prepare(self, made)
        return made

    def of(self, name):
        return {**self.values, "QueueUrl": self.spare} if name in ("DeleteQueue", "PurgeQueue", "AddPermission", "RemovePermission") else self.values

    def more(self, name, place):
        return {"QueueUrl"} | ({"Attribute.N.Value"} if name == "SetQueueAttributes" else set()) | {p["name"] for p in self.actions[name]["params"] if "RequestEntry.N." in p["name"] and (p["required"] or p["name"].endswith(".Id")) and "Attribute" not in p["name"]} | (
            {n for n in self.values if n.startswith(place + ".Value.") or n == place + ".StringValue"} if "MessageAttribute" in place else set())

    def state(self):
        return self.without_ids([self.make("ListQueues", {}), self.make("ListQueueTags", {"QueueUrl": self.jobs}),
                                 self.make("GetQueueAttributes", {"QueueUrl": self.jobs, "AttributeName.1": "All"})])


class Topics(World):
    """A topic `news` with a queue that is subscribed, and a topic `spare` that may go."""

    service, version, actions, labels = "sns", "2010-03-31", actions("sns"), Labels()

    def request(self, action, but):
        made = super().request(action, but)
        self.labels.prepare(self, made)
        return made

    def __init__(self, dev, account):
        self.account = account
        mark = account.key_id[-8:].lower()
        queue = account.call("CreateQueue", {"QueueName": f"told-{mark}"}, service="sqs", version="2012-11-05").first(".//QueueUrl")
        self.number = queue.split("/")[-2]
        self.queue = f"arn:aws:sqs:{ec2.REGION}:{self.number}:told-{mark}"
        self.news, self.spare = (self.make("CreateTopic", {"Name": f"{name}-{mark}", "Tags.member.1.Key": "k", "Tags.member.1.Value": "v"}).first(".//TopicArn") for name in ("news", "spare"))
        self.told, self.ended = (self.make("Subscribe", {"TopicArn": t, "Protocol": "sqs", "Endpoint": self.queue}).first(".//SubscriptionArn") for t in (self.news, self.spare))
        dev.rest()
        self.values = {"TopicArn": self.news, "TargetArn": self.news, "ResourceArn": self.news, "SubscriptionArn": self.told, "Name": f"news-{mark}", "Message": "text", "Protocol": "sqs",
                       "Endpoint": self.queue, "Token": "0" * 64, "AttributeName": "DisplayName", "AttributeValue": "", "Attributes.entry.N.key": "DisplayName",
                       "Attributes.entry.N.value": "", "AWSAccountId.member.N": self.number, "ActionName.member.N": "Publish", "Label": "peer", "Tags.member.N.Key": "k", "Tags.member.N.Value": "v", "TagKeys.member.N": "none",
                       "MessageAttributes.entry.N.Name": "a", "MessageAttributes.entry.N.Value.DataType": "String", "MessageAttributes.entry.N.Value.StringValue": "v"}
        entry = "PublishBatchRequestEntries.member.N."
        self.values |= {entry + "Id": "e", entry + "Message": "text", entry + "MessageAttributes.entry.N.Name": "a", entry + "MessageAttributes.entry.N.Value.DataType": "String",
                        entry + "MessageAttributes.entry.N.Value.StringValue": "v"}

    def of(self, name):
        return {**self.values, **self.own(name)}

    def own(self, name):
        return {"Subscribe": {"Attributes.entry.N.key": "RawMessageDelivery", "Attributes.entry.N.value": "false"},
                "SetSubscriptionAttributes": {"AttributeName": "RawMessageDelivery", "AttributeValue": "false"},
                "DeleteTopic": {"TopicArn": self.spare}, "AddPermission": {"TopicArn": self.spare}, "RemovePermission": {"TopicArn": self.spare}, "Unsubscribe": {"SubscriptionArn": self.ended}}.get(name, {})

    def more(self, name, place):
        wanted = {"AttributeValue"} if name.startswith("Set") else {"TopicArn"} if name == "Publish" else set()
        return wanted | ({n for n in self.values if n.startswith(place + ".Value.") or n == place + ".StringValue"} if "MessageAttributes" in place else set()) | (
            {place + ".value"} if place.startswith("Attributes") else set())

    def state(self):
        return self.without_ids([self.make("ListTopics", {}), self.make("ListSubscriptions", {}), self.make("GetTopicAttributes", {"TopicArn": self.news}),
                                 self.make("ListTagsForResource", {"ResourceArn": self.news})])

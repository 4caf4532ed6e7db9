#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/auth/policy src/auth/guard src/api/sqs src/api/sns src/engine/messaging
"""Policies of queues and topics, as IAM's guide evaluates them together with the policies of callers: in one account and across accounts,
for users, roles, sessions and services. Each test sets one policy and asks with stock boto3."""
import json
import os
import sys

import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import dev as ec2  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
SEND = "sqs:SendMessage"


def code(call, **params):
    """The error's code; None: the call succeeded."""
    try:
        call(**params)
    except botocore.exceptions.ClientError as e:
        return e.response["Error"]["Code"]
    return None


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(principal, action=SEND, resource="*", **members):
    return {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource, **members}


def deny(principal, action=SEND, resource="*", **members):
    return {**allow(principal, action, resource, **members), "Effect": "Deny"}


class Caller:
    """A user of an account, with an inline policy and a boundary if they are given."""

    def __init__(self, account, name, own=None, boundary=None):
        iam = account.client("iam")
        more = {"PermissionsBoundary": iam.create_policy(PolicyName=f"{name}-boundary", PolicyDocument=boundary)["Policy"]["Arn"]} if boundary else {}
        self.arn = iam.create_user(UserName=name, **more)["User"]["Arn"]
        if own:
            iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=own)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        self.signer = ec2.Account(account.dev, key["AccessKeyId"], key["SecretAccessKey"])

    def client(self, service):
        return self.signer.client(service)


def identity(effect="Allow", action="sqs:*"):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": "*"}]})


class Place:
    def __init__(self, region):
        self.region = region
        self.mine, self.theirs = region.new_account("policies-mine"), region.new_account("policies-theirs")
        self.sqs, self.sns = self.mine.client("sqs"), self.mine.client("sns")
        self.number = self.mine.client("sts").get_caller_identity()["Account"]
        self.other = self.theirs.client("sts").get_caller_identity()["Account"]
        self.url = self.sqs.create_queue(QueueName="shared")["QueueUrl"]
        self.arn = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.topic = self.sns.create_topic(Name="shared")["TopicArn"]
        self.none = Caller(self.mine, "none")
        self.all = Caller(self.mine, "all", identity())
        self.denied = Caller(self.mine, "denied", identity("Deny"))
        self.bounded = Caller(self.mine, "bounded", None, identity(action="ec2:*"))
        self.foreign = Caller(self.theirs, "foreign", identity(action=["sqs:*", "sns:*"]))
        self.foreign_none = Caller(self.theirs, "foreign-none")

    def set(self, *statements):
        self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": document(*statements) if statements else ""})

    def send(self, caller):
        return code(caller.client("sqs").send_message, QueueUrl=self.url, MessageBody="x")


@pytest.fixture(scope="module")
def place():
    with ec2.Dev() as region:
        yield Place(region)


def test_own_account(place):
    """Rows: how the policy names the caller. Columns: a caller without policies, one whose policy allows, one whose policy denies, and one
    whose boundary does not include the action."""
    NO = "AccessDenied"
    callers = (place.none, place.all, place.denied, place.bounded)
    rows = [
        ((), (NO, None, NO, NO)),
        ((allow({"AWS": [c.arn for c in callers]}),), (None, None, NO, None)),
        ((allow("*"),), (None, None, NO, NO)),
        ((allow({"AWS": "*"}),), (None, None, NO, NO)),
        ((allow({"AWS": place.number}),), (NO, None, NO, NO)),
        ((allow({"AWS": f"arn:aws:iam::{place.number}:root"}),), (NO, None, NO, NO)),
        ((allow({"Service": "sns.amazonaws.com"}),), (NO, None, NO, NO)),
        ((allow("*", "sqs:ReceiveMessage"),), (NO, None, NO, NO)),
        ((allow("*", resource=place.arn + "-other"),), (NO, None, NO, NO)),
        ((allow("*"), deny("*")), (NO, NO, NO, NO)),
        ((allow("*"), deny({"AWS": place.number})), (NO, NO, NO, NO)),
        ((allow("*"), deny({"AWS": place.all.arn})), (None, NO, NO, NO)),
        ((allow("*", Condition={"StringEquals": {"AWS:PrincipalArn": place.none.arn}}),), (None, None, NO, NO)),
        ((allow("*", Condition={"StringEquals": {"aws:PrincipalAccount": place.other}}),), (NO, None, NO, NO)),
        ((allow("*", Condition={"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:*"}}),), (NO, None, NO, NO)),
        ((allow("*", Condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}),), (NO, None, NO, NO)),
        ((allow("*"), deny("*", Condition={"Bool": {"aws:SecureTransport": "false"}})), (NO, NO, NO, NO)),
        ((allow("*"), {"Effect": "Deny", "NotPrincipal": {"AWS": place.none.arn}, "Action": SEND, "Resource": "*"}), (NO, NO, NO, NO)),
        ((allow("*"), {"Effect": "Deny", "NotPrincipal": {"AWS": [place.number, place.none.arn]}, "Action": SEND, "Resource": "*"}), (None, NO, NO, NO)),
        (({"Effect": "Allow", "NotPrincipal": {"AWS": place.none.arn}, "Action": SEND, "Resource": "*"},), (NO, None, NO, NO)),
    ]
    for statements, expected in rows:
        place.set(*statements)
        assert tuple(place.send(c) for c in callers) == expected, statements


def test_other_account(place):
    """Both accounts must allow. A caller whom the policy does not name gets the answer for a queue that does not exist."""
    ABSENT, NO = "AWS.SimpleQueueService.NonExistentQueue", "AccessDenied"
    missing = place.foreign.client("sqs")
    assert code(missing.send_message, QueueUrl=place.url + "-absent", MessageBody="x") == ABSENT
    rows = [
        ((), (ABSENT, ABSENT)),
        ((allow({"AWS": place.other}),), (None, NO)),
        ((allow({"AWS": place.foreign.arn}),), (None, ABSENT)),
        ((allow({"AWS": place.number}),), (ABSENT, ABSENT)),
        ((allow("*"),), (None, NO)),
        ((allow("*"), deny({"AWS": place.other})), (ABSENT, ABSENT)),
        ((allow("*", Condition={"StringEquals": {"aws:PrincipalAccount": place.other}}),), (None, NO)),
        ((allow("*", Condition={"StringEquals": {"aws:PrincipalAccount": place.number}}),), (ABSENT, ABSENT)),
        ((allow({"AWS": place.other}, "sqs:ReceiveMessage"),), (ABSENT, ABSENT)),
    ]
    for statements, expected in rows:
        place.set(*statements)
        assert (place.send(place.foreign), place.send(place.foreign_none)) == expected, statements


def test_use_of_another_accounts_queue(place):
    place.sqs.purge_queue(QueueUrl=place.url)
    place.set(allow({"AWS": place.other}, "sqs:*"))
    sqs = place.foreign.client("sqs")
    assert sqs.get_queue_url(QueueName="shared", QueueOwnerAWSAccountId=place.number)["QueueUrl"] == place.url
    assert code(sqs.get_queue_url, QueueName="shared") == "AWS.SimpleQueueService.NonExistentQueue"
    shown = sqs.get_queue_attributes(QueueUrl=place.url, AttributeNames=["QueueArn"])["Attributes"]
    assert shown["QueueArn"] == place.arn
    sqs.send_message(QueueUrl=place.url, MessageBody="across")
    got = sqs.receive_message(QueueUrl=place.url, WaitTimeSeconds=5)["Messages"][0]
    assert got["Body"] == "across"
    sqs.change_message_visibility(QueueUrl=place.url, ReceiptHandle=got["ReceiptHandle"], VisibilityTimeout=60)
    sqs.delete_message(QueueUrl=place.url, ReceiptHandle=got["ReceiptHandle"])
    # Actions that never cross accounts, although the policy says sqs:*
    for call, params in (("delete_queue", {}), ("tag_queue", {"Tags": {"a": "b"}}), ("list_queue_tags", {}), ("untag_queue", {"TagKeys": ["a"]}),
                         ("set_queue_attributes", {"Attributes": {"VisibilityTimeout": "1"}})):
        assert code(getattr(sqs, call), QueueUrl=place.url, **params) == "AWS.SimpleQueueService.NonExistentQueue", call
    assert "QueueUrls" not in sqs.list_queues()


def test_sessions(place):
    """A role's session: the role's ARN and "*" are limited by the session policy, the session's ARN is not."""
    iam, sts = place.mine.client("iam"), place.all.client("sts")
    trust = document({"Effect": "Allow", "Principal": {"AWS": place.all.arn}, "Action": "sts:AssumeRole"})
    role = iam.create_role(RoleName="sender", AssumeRolePolicyDocument=trust)["Role"]["Arn"]

    def send(**policy):
        keys = sts.assume_role(RoleArn=role, RoleSessionName="one", **policy)["Credentials"]
        client = ec2.Account(place.region, keys["AccessKeyId"], keys["SecretAccessKey"]).client("sqs", token=keys["SessionToken"])
        return code(client.send_message, QueueUrl=place.url, MessageBody="x")

    session = f"arn:aws:sts::{place.number}:assumed-role/sender/one"
    narrow, wide, denies = ({"Policy": identity(action="ec2:*")}, {"Policy": identity()}, {"Policy": identity("Deny")})
    NO = "AccessDenied"
    rows = [
        ((), (NO, NO, NO, NO)),
        ((allow({"AWS": role}),), (None, NO, None, NO)),
        ((allow("*"),), (None, NO, None, NO)),
        ((allow({"AWS": session}),), (None, None, None, NO)),
        ((allow({"AWS": session + "-other"}),), (NO, NO, NO, NO)),
        ((allow({"AWS": place.number}),), (NO, NO, NO, NO)),
        ((allow("*"), {"Effect": "Deny", "NotPrincipal": {"AWS": [place.number, role]}, "Action": SEND, "Resource": "*"}), (NO, NO, NO, NO)),
        ((allow("*"), {"Effect": "Deny", "NotPrincipal": {"AWS": [place.number, role, session]}, "Action": SEND, "Resource": "*"}), (None, NO, None, NO)),
    ]
    for statements, expected in rows:
        place.set(*statements)
        assert (send(), send(**narrow), send(**wide), send(**denies)) == expected, statements


def test_root_repairs_a_policy(place):
    """A policy that denies everybody everything holds for the root user, too, but for the calls that repair it."""
    place.set(deny("*", "sqs:*"))
    assert code(place.sqs.send_message, QueueUrl=place.url, MessageBody="x") == "AccessDenied"
    assert code(place.all.client("sqs").set_queue_attributes, QueueUrl=place.url, Attributes={"Policy": ""}) == "AccessDenied"
    assert code(place.sqs.get_queue_attributes, QueueUrl=place.url, AttributeNames=["Policy"]) is None
    place.set()
    assert place.send(place.all) is None


def test_malformed(place):
    good = allow({"AWS": place.number})
    bad = ["nonsense", "{}", '{"Statement":[]}', document({**good, "principal": "*"}), document({**good, "Effect": "allow"}), document({**good, "Action": "sns:Publish"}),
           document({k: v for k, v in good.items() if k != "Principal"}), document(allow({"AWS": "123456789012"})), document(allow({"AWS": f"arn:aws:iam::{place.number}:user/absent"})),
           document(allow({"AWS": f"arn:aws:iam::{place.number}:user/*"})), document(allow({"Service": "*"})), document(allow({"AWS": "arn:aws:iam::*:root"})),
           document(*[good] * 21), document(allow({"AWS": [place.number] * 51})), document({**good, "Action": [f"sqs:{k}" for k in ("A", "B", "C", "D", "E", "F", "G", "H")]}),
           document({**good, "Condition": {"StringEquals": {f"aws:k{k}": "x" for k in range(11)}}}), document({**good, "Sid": "x" * 8192}),
           document(good)[:-1] + ',"Statement":[]}', document(good).replace('"Effect": "Allow"', '"Effect": "Deny", "Effect": "Allow"')]
    for text in bad:
        assert code(place.sqs.set_queue_attributes, QueueUrl=place.url, Attributes={"Policy": text}) == "InvalidAttributeValue", text


def test_topics(place):
    """The same for topics. A caller of another account whom the policy does not admit finds no topic."""
    sns, other = place.sns, place.foreign.client("sns")

    def policy(*statements):
        sns.set_topic_attributes(TopicArn=place.topic, AttributeName="Policy", AttributeValue=document(*statements))

    def publish(client):
        return code(client.publish, TopicArn=place.topic, Message="x")

    assert publish(other) == "NotFound"
    assert publish(place.none.client("sns")) == "AuthorizationError"
    policy(allow({"AWS": place.other}, ["sns:Publish", "sns:Subscribe", "SNS:GetTopicAttributes"], place.topic), allow({"AWS": place.none.arn}, "sns:Publish", place.topic))
    assert (publish(other), publish(place.foreign_none.client("sns")), publish(place.none.client("sns"))) == (None, "AuthorizationError", None)
    assert other.get_topic_attributes(TopicArn=place.topic)["Attributes"]["Owner"] == place.number
    assert code(other.set_topic_attributes, TopicArn=place.topic, AttributeName="DisplayName", AttributeValue="x") == "NotFound"
    policy(allow("*", "sns:Publish", place.topic), deny({"AWS": place.other}, "sns:Publish", place.topic))
    assert publish(other) == "NotFound"


def test_malformed_topic_policies(place):
    good = allow({"AWS": place.number}, "sns:Publish", place.topic)
    bad = {"nonsense": "Policy Error: null", document({**good, "Action": "sns:*"}): "Policy statement action out of service scope!",
           document({**good, "Action": "sqs:SendMessage"}): "Policy statement action out of service scope!",
           document({**good, "Principal": {"AWS": f"arn:aws:iam::{place.number}:user/absent"}}): "Policy Error: PrincipalNotFound",
           document({**good, "Resource": place.topic + "x"}): "Policy statement resource", document(*[good] * 101): "Policy Error: null"}
    for text, words in bad.items():
        with pytest.raises(botocore.exceptions.ClientError) as caught:
            place.sns.set_topic_attributes(TopicArn=place.topic, AttributeName="Policy", AttributeValue=text)
        assert caught.value.response["Error"]["Code"] == "InvalidParameter"
        assert words in caught.value.response["Error"]["Message"], text


def test_subscription_across_accounts(place):
    """An account subscribes its queue to another account's topic; each of the two may end the subscription, and nobody else."""
    other, queues = place.foreign.client("sns"), place.theirs.client("sqs")
    topic = place.sns.create_topic(Name="spread", Attributes={"Policy": document(allow({"AWS": place.other}, "sns:Subscribe", f"arn:aws:sns:us-east-1:{place.number}:spread"))})["TopicArn"]
    url = queues.create_queue(QueueName="spread")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": document(allow({"Service": "sns.amazonaws.com"}, Condition={"ArnEquals": {"aws:SourceArn": topic}}))})
    made = other.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)["SubscriptionArn"]
    assert made.startswith(topic + ":")
    listed = place.sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert [(s["SubscriptionArn"], s["Owner"]) for s in listed] == [(made, place.other)]
    assert made in [s["SubscriptionArn"] for s in other.list_subscriptions()["Subscriptions"]]
    place.sns.publish(TopicArn=topic, Message="spread")
    got = queues.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"][0]
    assert json.loads(got["Body"])["Message"] == "spread"
    assert code(other.publish, TopicArn=topic, Message="x") == "NotFound"
    place.sns.unsubscribe(SubscriptionArn=made)
    assert place.sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []


def test_permissions(place):
    """AddPermission and RemovePermission write statements for accounts, beside those that are there."""
    sqs, other = place.sqs, place.foreign.client("sqs")
    place.set(allow({"AWS": place.none.arn}))
    sqs.add_permission(QueueUrl=place.url, Label="peer", AWSAccountIds=[place.other], Actions=["SendMessage", "GetQueueUrl"])
    statements = json.loads(sqs.get_queue_attributes(QueueUrl=place.url, AttributeNames=["Policy"])["Attributes"]["Policy"])["Statement"]
    assert statements[1] == {"Sid": "peer", "Effect": "Allow", "Principal": {"AWS": [f"arn:aws:iam::{place.other}:root"]}, "Action": ["SQS:SendMessage", "SQS:GetQueueUrl"],
                             "Resource": place.arn}
    assert (place.send(place.foreign), place.send(place.none), code(other.receive_message, QueueUrl=place.url)) == (None, None, "AWS.SimpleQueueService.NonExistentQueue")
    assert code(other.add_permission, QueueUrl=place.url, Label="own", AWSAccountIds=[place.other], Actions=["*"]) == "AWS.SimpleQueueService.NonExistentQueue"
    again = {"QueueUrl": place.url, "Label": "peer", "AWSAccountIds": [place.other], "Actions": ["SendMessage"]}
    for change in ({}, {"Label": "x", "AWSAccountIds": ["000000000001"]}, {"Label": "x", "Actions": ["DeleteQueue"]}, {"Label": "a b"}):
        assert code(sqs.add_permission, **{**again, **change}) == "InvalidParameterValue", change
    assert code(sqs.add_permission, **{**again, "Label": "x", "AWSAccountIds": [place.other] * 51}) == "OverLimit"
    sqs.remove_permission(QueueUrl=place.url, Label="peer")
    assert place.send(place.foreign) == "AWS.SimpleQueueService.NonExistentQueue"
    assert code(sqs.remove_permission, QueueUrl=place.url, Label="peer") == "InvalidParameterValue"


def test_permissions_of_topics(place):
    sns, other = place.sns, place.foreign.client("sns")
    topic = sns.create_topic(Name="peers")["TopicArn"]
    sns.add_permission(TopicArn=topic, Label="peer", AWSAccountId=[place.other], ActionName=["Publish"])
    policy = json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])
    assert [s["Sid"] for s in policy["Statement"]] == ["__default_statement_ID", "peer"]
    assert code(other.publish, TopicArn=topic, Message="x") is None
    assert code(other.get_topic_attributes, TopicArn=topic) == "NotFound"
    for change in ({}, {"Label": "x", "AWSAccountId": ["000000000001"]}, {"Label": "x", "ActionName": ["SetSubscriptionAttributes"]}):
        assert code(sns.add_permission, **{"TopicArn": topic, "Label": "peer", "AWSAccountId": [place.other], "ActionName": ["Publish"], **change}) == "InvalidParameter", change
    sns.remove_permission(TopicArn=topic, Label="peer")
    assert code(other.publish, TopicArn=topic, Message="x") == "NotFound"
    assert code(sns.remove_permission, TopicArn=topic, Label="peer") == "InvalidParameter"


def test_alarms(place):
    """Alarms publish to a topic with the standard policy, and to one that names CloudWatch; a policy that names others refuses them."""
    watch, sns, queues = place.mine.client("cloudwatch"), place.sns, place.sqs
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    url = queues.create_queue(QueueName="alerts", Attributes={"Policy": document(allow({"Service": "sns.amazonaws.com"}))})["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    watch.put_metric_alarm(AlarmName="a", Namespace="x", MetricName="m", Period=60, EvaluationPeriods=1, Threshold=1, Statistic="Sum", ComparisonOperator="GreaterThanThreshold",
                           AlarmActions=[topic], OKActions=[topic])
    alarm = watch.describe_alarms(AlarmNames=["a"])["MetricAlarms"][0]["AlarmArn"]

    def told(state):
        """True if the alarm's message arrives, as the alarm's history says."""
        watch.set_alarm_state(AlarmName="a", StateValue=state, StateReason="test")
        place.region.rest()
        newest = watch.describe_alarm_history(AlarmName="a", HistoryItemType="Action", MaxRecords=1, ScanBy="TimestampDescending")["AlarmHistoryItems"][0]["HistorySummary"]
        return newest.startswith("Successfully")

    def policy(*statements):
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=document(*statements))

    assert told("ALARM") and json.loads(queues.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"][0]["Body"])["AlarmName"] == "a"
    policy(allow({"AWS": place.number}, "sns:Publish", topic))
    assert not told("OK")
    policy(allow({"Service": "cloudwatch.amazonaws.com"}, "sns:Publish", topic, Condition={"ArnLike": {"aws:SourceArn": alarm}, "StringEquals": {"aws:SourceAccount": place.number}}))
    assert told("ALARM")
    policy(allow({"Service": "cloudwatch.amazonaws.com"}, "sns:Publish", topic, Condition={"StringEquals": {"aws:SourceAccount": place.other}}))
    assert not told("OK")


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", *sys.argv[1:], __file__]))

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/sns src/engine/messaging src/reconcile/messaging
"""FIFO topics of SNS through stock boto3: order, deduplication, dead letters; queues of other accounts; what SNS says of bad requests, in words that were
recorded from AWS (LocalStack's snapshots)."""
import json
import os
import sys

import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import dev as ec2  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
FIFO = {"FifoTopic": "true", "ContentBasedDeduplication": "true"}


def fail(call, **params):
    """Code and message of the refusal."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


ADMITS_SNS = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*"}]})


class Place:
    def __init__(self, region, name):
        self.account = region.new_account(name)
        self.sns, self.sqs = self.account.client("sns"), self.account.client("sqs")

    def queue(self, name, **attributes):
        """A queue that takes messages of topics, unless a policy is given."""
        url = self.sqs.create_queue(QueueName=name, Attributes={"Policy": ADMITS_SNS, **attributes})["QueueUrl"]
        return url, self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def receive(self, url):
        """The next message, deleted."""
        got = self.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20, AttributeNames=["All"])["Messages"][0]
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=got["ReceiptHandle"])
        return got


@pytest.fixture(scope="module")
def region():
    with ec2.Dev() as made:
        yield made


@pytest.fixture(scope="module")
def place(region):
    return Place(region, "fifo")


def test_attributes(place):
    sns = place.sns
    arn = sns.create_topic(Name="shown.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    shown = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    assert (shown["FifoTopic"], shown["ContentBasedDeduplication"]) == ("true", "false") and "FifoThroughputScope" not in shown
    sns.set_topic_attributes(TopicArn=arn, AttributeName="ContentBasedDeduplication", AttributeValue="true")
    sns.set_topic_attributes(TopicArn=arn, AttributeName="FifoThroughputScope", AttributeValue="MessageGroup")
    shown = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    assert (shown["ContentBasedDeduplication"], shown["FifoThroughputScope"]) == ("true", "MessageGroup")
    plain = sns.create_topic(Name="shown", Attributes={"FifoTopic": "false"})["TopicArn"]
    assert "FifoTopic" not in sns.get_topic_attributes(TopicArn=plain)["Attributes"]
    assert fail(sns.set_topic_attributes, TopicArn=plain, AttributeName="FifoTopic", AttributeValue="true") == ("InvalidParameter", "Invalid parameter: AttributeName")
    assert fail(sns.set_topic_attributes, TopicArn=plain, AttributeName="ContentBasedDeduplication", AttributeValue="true")[0] == "InvalidParameter"
    for name, attributes in (("a.fifo", {}), ("a", {"FifoTopic": "true"}), (".fifo", FIFO), ("", {})):
        assert fail(sns.create_topic, Name=name, Attributes=attributes) == ("InvalidParameter", "Invalid parameter: Topic Name")


def test_order_and_deduplication(place, region):
    sns = place.sns
    arn = sns.create_topic(Name="orders.fifo", Attributes=FIFO)["TopicArn"]
    fifo, fifo_arn = place.queue("orders.fifo", FifoQueue="true")
    plain, plain_arn = place.queue("orders")
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=fifo_arn)
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=plain_arn, Attributes={"RawMessageDelivery": "true"})
    sent = [sns.publish(TopicArn=arn, Message=f"m{k}", MessageGroupId="g") for k in range(5)]
    again = sns.publish(TopicArn=arn, Message="m0", MessageGroupId="g")
    assert (again["MessageId"], again["SequenceNumber"]) == (sent[0]["MessageId"], sent[0]["SequenceNumber"])
    assert sorted(s["SequenceNumber"] for s in sent) == [s["SequenceNumber"] for s in sent] and len({s["SequenceNumber"] for s in sent}) == 5
    got = [place.receive(fifo) for _ in range(5)]
    bodies = [json.loads(g["Body"]) for g in got]
    assert [b["Message"] for b in bodies] == [f"m{k}" for k in range(5)]
    assert bodies[0]["SequenceNumber"] == sent[0]["SequenceNumber"] and "Signature" not in bodies[0]
    assert got[0]["Attributes"]["MessageGroupId"] == "g" and len(got[0]["Attributes"]["MessageDeduplicationId"]) == 64
    assert sorted(place.receive(plain)["Body"] for _ in range(5)) == [f"m{k}" for k in range(5)]
    region.rest()
    for url in (fifo, plain):  # the repeated message has reached neither
        assert place.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["ApproximateNumberOfMessages"] == "0"
    done = sns.publish_batch(TopicArn=arn, PublishBatchRequestEntries=[
        {"Id": str(k), "Message": f"b{k}", "MessageGroupId": "g", "MessageDeduplicationId": f"d{k // 2}"} for k in range(4)])["Successful"]
    assert len({d["SequenceNumber"] for d in done}) == 2 and [place.receive(plain)["Body"] for _ in range(2)]


def test_scope_of_deduplication(place):
    arn = place.sns.create_topic(Name="scoped.fifo", Attributes={**FIFO, "FifoThroughputScope": "MessageGroup"})["TopicArn"]
    one, two, three = (place.sns.publish(TopicArn=arn, Message="same", MessageGroupId=g)["MessageId"] for g in ("a", "b", "a"))
    assert one == three != two


def test_what_a_topic_asks_for(place):
    sns = place.sns
    fifo = sns.create_topic(Name="strict.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    plain = sns.create_topic(Name="strict")["TopicArn"]
    group = "Invalid parameter: The MessageGroupId parameter is required for FIFO topics"
    assert fail(sns.publish, TopicArn=fifo, Message="x") == ("InvalidParameter", group)
    assert fail(sns.publish_batch, TopicArn=fifo, PublishBatchRequestEntries=[{"Id": "1", "Message": "x"}]) == ("InvalidParameter", group)
    assert fail(sns.publish, TopicArn=fifo, Message="x", MessageGroupId="g") == (
        "InvalidParameter", "Invalid parameter: The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
    assert fail(sns.publish, TopicArn=plain, Message="x", MessageDeduplicationId="d") == (
        "InvalidParameter", "Invalid parameter: MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type")
    assert fail(sns.subscribe, TopicArn=fifo, Protocol="http", Endpoint="http://example.com/")[0] == "InvalidParameter"
    _, queue = place.queue("strict.fifo", FifoQueue="true")
    _, standard = place.queue("strict")
    assert fail(sns.subscribe, TopicArn=plain, Protocol="sqs", Endpoint=queue) == (
        "InvalidParameter", "Invalid parameter: Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics")
    assert fail(sns.subscribe, TopicArn=fifo, Protocol="sqs", Endpoint=queue, Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": standard})}) == (
        "InvalidParameter", "Invalid parameter: RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic.")
    metric = {"AlarmName": "a", "MetricName": "m", "Namespace": "n", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1,
              "ComparisonOperator": "GreaterThanThreshold"}
    assert fail(place.account.client("cloudwatch").put_metric_alarm, **metric, AlarmActions=[fifo])[0] == "ValidationError"


def test_group_of_a_standard_topic(place):
    """A message group reaches a standard queue, too, whose consumers share it fairly."""
    arn = place.sns.create_topic(Name="fair")["TopicArn"]
    url, queue = place.queue("fair")
    place.sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue)
    assert "SequenceNumber" not in place.sns.publish(TopicArn=arn, Message="x", MessageGroupId="tenant")
    assert place.receive(url)["Attributes"]["MessageGroupId"] == "tenant"


def test_dead_letters(place):
    """A subscription may name a queue that does not exist; its messages go to the dead-letter queue, with their group."""
    arn = place.sns.create_topic(Name="lost.fifo", Attributes=FIFO)["TopicArn"]
    dead, dead_arn = place.queue("lost-dead.fifo", FifoQueue="true")
    absent = dead_arn.replace("lost-dead", "absent")
    place.sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=absent, Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": dead_arn})})
    place.sns.publish(TopicArn=arn, Message="lost", MessageGroupId="g")
    got = place.receive(dead)
    assert (got["Body"], got["Attributes"]["MessageGroupId"]) == ("lost", "g")


def test_queue_of_another_account(place, region):
    """The topic asks another account's queue to confirm, and only if the queue's policy admits the topic."""
    other = Place(region, "fifo-other")
    arn = place.sns.create_topic(Name="shared")["TopicArn"]
    admits = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*",
                                        "Condition": {"ArnEquals": {"aws:SourceArn": arn}}}]})
    closed, closed_arn = other.queue("closed", Policy="")
    url, queue = other.queue("shared", Policy=admits)
    for endpoint in (closed_arn, queue):
        assert place.sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=endpoint)["SubscriptionArn"] == "pending confirmation"
    asked = json.loads(other.receive(url)["Body"])
    assert asked["Type"] == "SubscriptionConfirmation" and asked["TopicArn"] == arn
    place.sns.publish(TopicArn=arn, Message="too early")
    other.sns.confirm_subscription(TopicArn=arn, Token=asked["Token"])
    place.sns.publish(TopicArn=arn, Message="hello")
    assert json.loads(other.receive(url)["Body"])["Message"] == "hello"
    region.rest()
    assert other.sqs.get_queue_attributes(QueueUrl=closed, AttributeNames=["All"])["Attributes"]["ApproximateNumberOfMessages"] == "0"


def test_words(place):
    sns = place.sns
    arn = sns.create_topic(Name="words")["TopicArn"]
    one = sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=arn.replace(":sns:", ":sqs:"))["SubscriptionArn"]
    invalid = "InvalidParameter"
    for call, params, words in (
            (sns.get_topic_attributes, {"TopicArn": "words"}, "TopicArn Reason: An ARN must have at least 6 elements, not 1"),
            (sns.publish, {"TopicArn": "arn:aws", "Message": "x"}, "TopicArn Reason: An ARN must have at least 6 elements, not 2"),
            (sns.publish, {"TopicArn": arn.replace(ec2.REGION, "eu-west-9"), "Message": "x"}, "TopicArn"),
            (sns.publish, {"TopicArn": arn, "Message": ""}, "Empty message"),
            (sns.publish, {"TopicArn": arn, "Message": "x", "Subject": ""}, "Subject"),
            (sns.publish, {"TopicArn": arn, "Message": "x", "Subject": "s" * 101}, "Subject"),
            (sns.publish, {"TopicArn": arn, "Message": "x" * 262145}, "Message too long"),
            (sns.publish, {"PhoneNumber": "+1a234", "Message": "x"}, "PhoneNumber Reason: +1a234 is not valid to publish to"),
            (sns.subscribe, {"TopicArn": arn, "Protocol": "sqs", "Endpoint": "unknown"}, "SQS endpoint ARN"),
            (sns.subscribe, {"TopicArn": arn, "Protocol": "pigeon", "Endpoint": "x"}, "Amazon SNS does not support this protocol string: pigeon"),
            (sns.subscribe, {"TopicArn": arn, "Protocol": "sqs", "Endpoint": "unknown", "Attributes": {"RawMessageDelivery": "maybe"}},
             "Attributes Reason: RawMessageDelivery: Invalid value [maybe]. Must be true or false."),
            (sns.set_subscription_attributes, {"SubscriptionArn": one, "AttributeName": "Invented", "AttributeValue": "x"}, "AttributeName"),
            (sns.set_subscription_attributes, {"SubscriptionArn": one, "AttributeName": "RawMessageDelivery", "AttributeValue": ""},
             "RawMessageDelivery: Invalid value []. Must be true or false."),
            (sns.unsubscribe, {"SubscriptionArn": "a:b:c:d:e"}, "SubscriptionArn Reason: An ARN must have at least 6 elements, not 5")):
        assert fail(call, **params) == (invalid, "Invalid parameter: " + words)
    assert fail(sns.subscribe, TopicArn=arn, Protocol="sms", Endpoint="+15--551234567") == (invalid, "Invalid SMS endpoint: +15--551234567")
    assert fail(sns.publish, TopicArn=arn, Message="x", MessageAttributes={"a": {"DataType": "String", "StringValue": ""}}) == (
        "ParameterValueInvalid", "The message attribute 'a' must contain non-empty message attribute value for message attribute type 'String'.")
    assert fail(sns.get_subscription_attributes, SubscriptionArn=arn + ":unknown") == ("NotFound", "Subscription does not exist")
    assert fail(sns.publish_batch, TopicArn=arn, PublishBatchRequestEntries=[{"Id": "a.b", "Message": "x"}]) == (
        "InvalidBatchEntryId", "The Id of a batch entry in the batch request contains an impermissible character: a.b")
    assert fail(sns.publish_batch, TopicArn=arn, PublishBatchRequestEntries=[{"Id": "a" * 81, "Message": "x"}]) == (
        "InvalidBatchEntryId", "The Id of a batch entry in the batch request is too long: " + "a" * 81)
    assert fail(sns.publish_batch, TopicArn=arn, PublishBatchRequestEntries=[{"Id": str(k), "Message": "x" * 200000} for k in range(2)]) == (
        "BatchRequestTooLong", "The length of all the messages put together is more than the limit.")
    assert fail(sns.tag_resource, ResourceArn=arn, Tags=[{"Key": str(k), "Value": ""} for k in range(51)])[0] == "TagLimitExceeded"


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))

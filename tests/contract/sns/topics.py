#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/sns src/engine/messaging src/reconcile/messaging src/engine/alarm src/drivers/web_post
"""Topics of SNS through stock boto3: subscriptions of queues and of servers, signatures, dead letters, and alarms that publish."""
import base64
import http.server
import json
import os
import sys
import threading
import urllib.error
import urllib.request

import botocore.exceptions
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import dev as ec2  # noqa: E402
import waiting  # noqa: E402
from dev import WEB_ADDRESS  # noqa: E402
from faces import holds  # noqa: E402
from waiting import wait_until  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")


def code(call, **params):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**params)
    return caught.value.response["Error"]["Code"]


ADMITS_SNS = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*"}]})


class Place:
    def __init__(self, region, name):
        self.region, self.account = region, region.new_account(name)
        self.sns, self.sqs, self.watch = (self.account.client(s) for s in ("sns", "sqs", "cloudwatch"))

    def queue(self, name, **attributes):
        """A queue that takes messages of topics, unless a policy is given."""
        url = self.sqs.create_queue(QueueName=name, Attributes={"Policy": ADMITS_SNS, **attributes})["QueueUrl"]
        return url, self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def receive(self, url):
        """The next message, deleted."""
        got = self.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20, MessageAttributeNames=["All"])["Messages"][0]
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=got["ReceiptHandle"])
        return got


@pytest.fixture(scope="module")
def region():
    with ec2.Dev() as made:
        yield made


@pytest.fixture(scope="module")
def place(region):
    return Place(region, "topics")


def check_signature(message, names):
    """Checks a signature with the certificate that the message names, as subscribers do."""
    with urllib.request.urlopen(message["SigningCertURL"], timeout=waiting.HANG_S) as answer:
        certificate = x509.load_pem_x509_certificate(answer.read())
    text = "".join(f"{n}\n{message[n]}\n" for n in names if n in message)
    digest = hashes.SHA256() if message["SignatureVersion"] == "2" else hashes.SHA1()
    certificate.public_key().verify(base64.b64decode(message["Signature"]), text.encode(), padding.PKCS1v15(), digest)


NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")


def test_topics(place):
    sns = place.sns
    arn = sns.create_topic(Name="news", Tags=[{"Key": "a", "Value": "1"}], Attributes={"DisplayName": "News"})["TopicArn"]
    assert arn.endswith(":news") and sns.create_topic(Name="news")["TopicArn"] == arn
    assert {"TopicArn": arn} in sns.list_topics()["Topics"]
    assert sns.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "1"}]
    sns.tag_resource(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}])
    sns.untag_resource(ResourceArn=arn, TagKeys=["a"])
    assert sns.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    for tags in ([{"Key": "aws:x", "Value": "1"}], [{"Key": "a", "Value": "1"}] * 2):
        assert code(sns.create_topic, Name="reserved", Tags=tags) == "InvalidParameter", tags
    two = [{"Key": "b", "Value": "1"}, {"Key": "a", "Value": "2"}]
    assert sns.create_topic(Name="two", Tags=two)["TopicArn"] == sns.create_topic(Name="two", Tags=two[::-1])["TopicArn"]
    sns.set_topic_attributes(TopicArn=arn, AttributeName="DisplayName", AttributeValue="Latest")
    shown = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    assert (shown["DisplayName"], shown["SubscriptionsConfirmed"], shown["TopicArn"]) == ("Latest", "0", arn)
    assert code(sns.create_topic, Name="a b") == "InvalidParameter"
    assert code(sns.set_topic_attributes, TopicArn=arn, AttributeName="KmsMasterKeyId", AttributeValue="alias/a") == "InvalidParameter"
    assert code(sns.subscribe, TopicArn=arn, Protocol="sms", Endpoint="+1") == "InvalidParameter"
    assert code(sns.subscribe, TopicArn=arn, Protocol="sqs", Endpoint="arn:aws:sqs:x:1:none") == "InvalidParameter"
    other = Place(place.region, "others")
    assert code(other.sns.publish, TopicArn=arn, Message="x") == "NotFound"
    sns.delete_topic(TopicArn=arn)
    sns.delete_topic(TopicArn=arn)
    assert code(sns.get_topic_attributes, TopicArn=arn) == "NotFound"


@holds("Instances: Topics")
def test_publish_to_queues(place):
    sns, arn = place.sns, place.sns.create_topic(Name="orders")["TopicArn"]
    plain, plain_arn = place.queue("plain")
    raw, raw_arn = place.queue("raw")
    one = sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=plain_arn)["SubscriptionArn"]
    assert sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=plain_arn)["SubscriptionArn"] == one
    two = sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=raw_arn, Attributes={"RawMessageDelivery": "true"})["SubscriptionArn"]
    assert {s["SubscriptionArn"] for s in sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]} == {one, two}
    assert sns.get_subscription_attributes(SubscriptionArn=two)["Attributes"]["RawMessageDelivery"] == "true"
    sent = sns.publish(TopicArn=arn, Message="hello", Subject="greeting", MessageAttributes={"k": {"DataType": "String", "StringValue": "v"}})
    message = json.loads(place.receive(plain)["Body"])
    assert (message["Type"], message["Message"], message["Subject"], message["TopicArn"]) == ("Notification", "hello", "greeting", arn)
    assert message["MessageId"] == sent["MessageId"] and message["MessageAttributes"] == {"k": {"Type": "String", "Value": "v"}}
    check_signature(message, NOTIFICATION)
    got = place.receive(raw)
    assert got["Body"] == "hello" and got["MessageAttributes"]["k"]["StringValue"] == "v"
    sns.set_topic_attributes(TopicArn=arn, AttributeName="SignatureVersion", AttributeValue="2")
    done = sns.publish_batch(TopicArn=arn, PublishBatchRequestEntries=[{"Id": str(k), "Message": f"m{k}"} for k in range(3)])
    assert len(done["Successful"]) == 3
    messages = [json.loads(place.receive(plain)["Body"]) for _ in range(3)]
    assert sorted(m["Message"] for m in messages) == ["m0", "m1", "m2"] and messages[0]["SignatureVersion"] == "2"
    check_signature(messages[0], NOTIFICATION)
    sns.unsubscribe(SubscriptionArn=two)
    assert code(sns.get_subscription_attributes, SubscriptionArn=two) == "NotFound"


def test_policy_of_a_queue(place):
    """A policy that admits another topic refuses this one; the message goes to the subscription's dead-letter queue."""
    arn = place.sns.create_topic(Name="refused")["TopicArn"]
    dead, dead_arn = place.queue("undelivered")
    _, strict = place.queue("strict", Policy=json.dumps({"Statement": [{
        "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*",
        "Condition": {"ArnEquals": {"aws:SourceArn": arn + "-other"}}}]}))
    place.sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=strict, Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": dead_arn})})
    place.sns.publish(TopicArn=arn, Message="lost")
    assert place.receive(dead)["Body"] == "lost"
    other, other_arn = place.queue("strict-undelivered", Policy=json.dumps({"Statement": [{
        "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Condition": {"ArnEquals": {"aws:SourceArn": arn + "-other"}}}]}))
    place.sns.set_subscription_attributes(SubscriptionArn=place.sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"][0]["SubscriptionArn"],
                                          AttributeName="RedrivePolicy", AttributeValue=json.dumps({"deadLetterTargetArn": other_arn}))
    place.sns.publish(TopicArn=arn, Message="lost, too")
    place.region.rest()
    assert place.sqs.get_queue_attributes(QueueUrl=other, AttributeNames=["All"])["Attributes"]["ApproximateNumberOfMessages"] == "0"


def test_filter_policies(place):
    """A subscription gets the messages that its filter policy matches, by attributes or by the body."""
    sns, arn = place.sns, place.sns.create_topic(Name="filtered")["TopicArn"]
    url, queue_arn = place.queue("filtered")
    policy = json.dumps({"store": ["shop"], "price": [{"numeric": [">=", 100, "<", 200]}]})
    one = sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue_arn, Attributes={"FilterPolicy": policy, "RawMessageDelivery": "true"})["SubscriptionArn"]
    shown = sns.get_subscription_attributes(SubscriptionArn=one)["Attributes"]
    assert (shown["FilterPolicy"], shown["FilterPolicyScope"]) == (policy, "MessageAttributes")
    assert code(sns.subscribe, TopicArn=arn, Protocol="sqs", Endpoint=queue_arn, Attributes={"RawMessageDelivery": "true"}) == "InvalidParameter"

    def publish(text, **attributes):
        sns.publish(TopicArn=arn, Message=text, MessageAttributes={
            k: {"DataType": "String" if isinstance(v, str) else "Number", "StringValue": str(v)} for k, v in attributes.items()})

    publish("none")
    publish("cheap", store="shop", price=99)
    publish("elsewhere", store="mall", price=150)
    publish("yes", store="shop", price=150)
    assert place.receive(url)["Body"] == "yes"
    nested = json.dumps({"order": {"state": [{"anything-but": ["draft"]}]}})
    refused = {"SubscriptionArn": one, "AttributeName": "FilterPolicy", "AttributeValue": nested}
    assert code(sns.set_subscription_attributes, **refused) == "InvalidParameter"
    sns.set_subscription_attributes(SubscriptionArn=one, AttributeName="FilterPolicyScope", AttributeValue="MessageBody")
    sns.set_subscription_attributes(**refused)
    for body in ('{"order": {"state": "draft"}}', "no JSON", '{"order": {"state": "paid"}}'):
        publish(body)
    assert place.receive(url)["Body"] == '{"order": {"state": "paid"}}'
    sns.set_subscription_attributes(SubscriptionArn=one, AttributeName="FilterPolicy", AttributeValue="{}")
    assert "FilterPolicy" not in sns.get_subscription_attributes(SubscriptionArn=one)["Attributes"]
    publish("anything")
    assert place.receive(url)["Body"] == "anything"
    assert code(sns.set_subscription_attributes, SubscriptionArn=one, AttributeName="FilterPolicyScope", AttributeValue="Headers") == "InvalidParameter"


def test_message_structure(place):
    """A message may have a text for each protocol."""
    sns, arn = place.sns, place.sns.create_topic(Name="texts")["TopicArn"]
    url, queue_arn = place.queue("texts")
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue_arn, Attributes={"RawMessageDelivery": "true"})
    sns.publish(TopicArn=arn, Message=json.dumps({"default": "all", "sqs": "queue", "email": "mail"}), MessageStructure="json")
    assert place.receive(url)["Body"] == "queue"
    done = sns.publish_batch(TopicArn=arn, PublishBatchRequestEntries=[{"Id": "1", "Message": json.dumps({"default": "all"}), "MessageStructure": "json"}])
    assert len(done["Successful"]) == 1 and place.receive(url)["Body"] == "all"
    for message, structure in ((json.dumps({"sqs": "x"}), "json"), ("no JSON", "json"), (json.dumps({"default": "x"}), "xml")):
        assert code(sns.publish, TopicArn=arn, Message=message, MessageStructure=structure) == "InvalidParameter"


def test_bounds(place):
    """Attributes count in a message's size; FIFO queues take nothing from standard topics."""
    arn = place.sns.create_topic(Name="bounds")["TopicArn"]
    large = {str(k): {"DataType": "String", "StringValue": "v" * 100000} for k in range(3)}
    assert code(place.sns.publish, TopicArn=arn, Message="x", MessageAttributes=large) == "InvalidParameter"
    entries = [{"Id": str(k), "Message": "x", "MessageAttributes": {"0": large["0"]}} for k in range(3)]
    assert code(place.sns.publish_batch, TopicArn=arn, PublishBatchRequestEntries=entries) == "BatchRequestTooLong"
    _, fifo = place.queue("bounds.fifo", FifoQueue="true")
    assert code(place.sns.subscribe, TopicArn=arn, Protocol="sqs", Endpoint=fifo) == "InvalidParameter"
    _, plain = place.queue("bounded")
    assert code(place.sns.subscribe, TopicArn=arn, Protocol="sqs", Endpoint=plain, Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": fifo})}) == "InvalidParameter"


def test_alarm_publishes(place):
    arn = place.sns.create_topic(Name="alerts")["TopicArn"]
    url, queue_arn = place.queue("alerts")
    place.sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue_arn)
    metric = {"AlarmName": "deep", "AlarmDescription": "too deep", "MetricName": "Depth", "Namespace": "Shop", "Statistic": "Average", "Period": 60,
              "EvaluationPeriods": 1, "Threshold": 10, "ComparisonOperator": "GreaterThanThreshold", "Dimensions": [{"Name": "q", "Value": "1"}]}
    assert code(place.watch.put_metric_alarm, **metric, AlarmActions=[arn + "-none"]) == "ValidationError"
    place.watch.put_metric_alarm(**metric, AlarmActions=[arn], OKActions=[arn])
    place.watch.set_alarm_state(AlarmName="deep", StateValue="ALARM", StateReason="tried")
    message = json.loads(place.receive(url)["Body"])
    assert message["Subject"] == f'ALARM: "deep" in {ec2.REGION}'
    body = json.loads(message["Message"])
    assert (body["AlarmName"], body["AlarmDescription"], body["NewStateValue"], body["OldStateValue"]) == ("deep", "too deep", "ALARM", "INSUFFICIENT_DATA")
    assert body["NewStateReason"] == "tried" and body["AlarmActions"] == [arn] and body["AlarmArn"].endswith(":alarm:deep")
    assert body["Trigger"] == {
        "MetricName": "Depth", "Namespace": "Shop", "StatisticType": "Statistic", "Statistic": "AVERAGE", "Unit": None, "Dimensions": [{"value": "1", "name": "q"}],
        "Period": 60, "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 10.0, "TreatMissingData": "",
        "EvaluateLowSampleCountPercentile": ""}
    place.watch.set_alarm_state(AlarmName="deep", StateValue="OK", StateReason="fine")
    assert json.loads(json.loads(place.receive(url)["Body"])["Message"])["OldStateValue"] == "ALARM"
    done = place.watch.describe_alarm_history(AlarmName="deep", HistoryItemType="Action")["AlarmHistoryItems"]
    assert done[0]["HistorySummary"].startswith("Successfully executed action")


class Server(http.server.ThreadingHTTPServer):
    """A subscriber's web server. It keeps each request, and answers with `status`."""

    def __init__(self, address):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.server.seen.append((dict(self.headers), body.decode()))
                self.send_response(self.server.status)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.seen, self.status = [], 200
        super().__init__((address, 0), Handler)
        self.url = f"http://{address}:{self.server_port}/hook"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def next(self, count):
        wait_until(lambda: len(self.seen) >= count, "the server is sent nothing")
        return self.seen[count - 1]


def test_server_confirms_and_is_told(place):
    arn = place.sns.create_topic(Name="outward")["TopicArn"]
    dead, dead_arn = place.queue("outward-dead")
    server = Server(WEB_ADDRESS)
    subscribe = {"TopicArn": arn, "Protocol": "http", "Endpoint": server.url, "Attributes": {"RedrivePolicy": json.dumps({"deadLetterTargetArn": dead_arn})}}
    assert place.sns.subscribe(**subscribe)["SubscriptionArn"] == "pending confirmation"
    headers, body = server.next(1)
    asked = json.loads(body)
    assert (headers["x-amz-sns-message-type"], asked["Type"], asked["TopicArn"]) == ("SubscriptionConfirmation", "SubscriptionConfirmation", arn)
    check_signature(asked, ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"))
    place.sns.publish(TopicArn=arn, Message="too early")
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(asked["SubscribeURL"].replace(asked["Token"], "0" * 64), timeout=waiting.HANG_S)
    with urllib.request.urlopen(asked["SubscribeURL"], timeout=waiting.HANG_S) as answer:
        assert b"ConfirmSubscriptionResult" in answer.read()
    found = place.sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"][0]
    assert found["SubscriptionArn"].startswith(arn + ":")
    place.sns.publish(TopicArn=arn, Message="hello")
    headers, body = server.next(2)
    told = json.loads(body)
    assert told["Message"] == "hello" and headers["x-amz-sns-subscription-arn"] == found["SubscriptionArn"]
    check_signature(told, NOTIFICATION)
    server.status = 403  # refused for good: no retries
    place.sns.publish(TopicArn=arn, Message="refused")
    assert place.receive(dead)["Body"] == "refused"
    server.shutdown()


def test_delete_a_topic_with_waiting_messages(place):
    """Messages go in several changes; the topic's name is free at once."""
    arn = place.sns.create_topic(Name="crowded")["TopicArn"]
    server = Server(WEB_ADDRESS)
    subscription = place.sns.subscribe(TopicArn=arn, Protocol="http", Endpoint=server.url, ReturnSubscriptionArn=True)["SubscriptionArn"]
    with urllib.request.urlopen(json.loads(server.next(1)[1])["SubscribeURL"], timeout=waiting.HANG_S) as answer:
        answer.read()
    server.status = 500  # asked again later
    for _ in range(0, 450, 10):
        place.sns.publish_batch(TopicArn=arn, PublishBatchRequestEntries=[{"Id": str(n), "Message": "m"} for n in range(10)])
    place.sns.delete_topic(TopicArn=arn)
    assert code(place.sns.publish, TopicArn=arn, Message="late") == code(place.sns.get_subscription_attributes, SubscriptionArn=subscription) == "NotFound"
    shown = place.sns.list_topics()["Topics"], place.sns.list_subscriptions()["Subscriptions"]
    assert not [t for t in shown[0] if "*" in t["TopicArn"]] and not [s for s in shown[1] if s["Endpoint"] == server.url]
    assert place.sns.create_topic(Name="crowded")["TopicArn"] == arn
    path = "/api/v1/topics"

    def has_gone():
        rows = json.loads(place.account.send("GET", path, place.account.sign("GET", "", b"", "ec2", path)).text)["items"]
        return not [t for t in rows if t["name"].startswith("*")]

    wait_until(has_gone, "the deleted topic's messages stay")
    assert place.sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"] == []
    server.shutdown()


def test_server_within_is_out_of_bounds(place):
    """A server on the machine itself is not asked."""
    server = Server("127.0.0.1")
    arn = place.sns.create_topic(Name="inward")["TopicArn"]
    place.sns.subscribe(TopicArn=arn, Protocol="http", Endpoint=server.url)
    path = "/api/v1/topic-subscriptions"

    def problems():
        rows = place.account.send("GET", path, place.account.sign("GET", "", b"", "ec2", path)).text
        return [s for s in json.loads(rows)["items"] if s["endpoint"] == server.url and s.get("problem")]

    assert "not allowed" in wait_until(problems, "the refusal is not told")[0]["problem"]
    server.shutdown()
    assert server.seen == []


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/sqs src/engine/messaging src/reconcile/messaging src/api/query
"""Queues of SQS through stock boto3: standard and FIFO, visibility, dead letters, long polling. No test waits for a timeout to pass, except where a
call itself waits."""
import json
import os
import socket
import sys
import threading

import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import dev as ec2  # noqa: E402
from faces import holds  # noqa: E402
from waiting import HANG_S, wait_until  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")


def code(call, **params):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**params)
    return caught.value.response["Error"]["Code"]


@pytest.fixture(scope="module")
def region():
    with ec2.Dev() as made:
        yield made


@pytest.fixture(scope="module")
def account(region):
    return region.new_account("queues")


@pytest.fixture(scope="module")
def sqs(account):
    return account.client("sqs")


@pytest.fixture
def queue(sqs, request):
    url = sqs.create_queue(QueueName=request.node.name.replace("[", "-").replace("]", ""))["QueueUrl"]
    yield url
    sqs.delete_queue(QueueUrl=url)


def texts(answer):
    return [m["Body"] for m in answer.get("Messages", [])]


@holds("What each face calls it: queue, topic, subscription", "Instances: Queues")
def test_create_find_list_delete(sqs, region):
    url = sqs.create_queue(QueueName="jobs", Attributes={"VisibilityTimeout": "45"}, tags={"team": "blue"})["QueueUrl"]
    assert url.startswith(region.url) and url.endswith("/jobs")
    assert sqs.create_queue(QueueName="jobs", Attributes={"VisibilityTimeout": "45"})["QueueUrl"] == url
    assert sqs.create_queue(QueueName="jobs")["QueueUrl"] == url
    assert code(sqs.create_queue, QueueName="jobs", Attributes={"VisibilityTimeout": "46"}) in ("QueueAlreadyExists", "QueueNameExists")
    assert sqs.get_queue_url(QueueName="jobs")["QueueUrl"] == url
    assert url in sqs.list_queues()["QueueUrls"] and "QueueUrls" not in sqs.list_queues(QueueNamePrefix="nothing")
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"team": "blue"}
    sqs.tag_queue(QueueUrl=url, Tags={"a": "1"})
    sqs.untag_queue(QueueUrl=url, TagKeys=["team"])
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"a": "1"}
    assert code(sqs.create_queue, QueueName="reserved", tags={"aws:x": "1"}) == "InvalidParameterValue"
    shown = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (shown["VisibilityTimeout"], shown["DelaySeconds"], shown["MessageRetentionPeriod"]) == ("45", "0", "345600")
    assert shown["QueueArn"].endswith(":jobs") and shown["ApproximateNumberOfMessages"] == "0"
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "3", "ReceiveMessageWaitTimeSeconds": "0"})
    assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["DelaySeconds"])["Attributes"] == {"DelaySeconds": "3"}
    sqs.delete_queue(QueueUrl=url)
    gone = code(sqs.get_queue_url, QueueName="jobs")
    assert gone in ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"), gone
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.get_queue_url(QueueName="jobs")


def test_refusals(sqs, queue):
    assert code(sqs.create_queue, QueueName="a b") == "InvalidParameterValue"
    assert code(sqs.create_queue, QueueName="x", Attributes={"FifoQueue": "true"}) == "InvalidParameterValue"
    for name, value in (("VisibilityTimeout", "43201"), ("DelaySeconds", "-1"), ("MaximumMessageSize", "1"), ("MessageRetentionPeriod", "x")):
        assert code(sqs.set_queue_attributes, QueueUrl=queue, Attributes={name: value}) == "InvalidAttributeValue"
    assert code(sqs.set_queue_attributes, QueueUrl=queue, Attributes={"Nonsense": "1"}) == "InvalidAttributeName"
    assert "UnsupportedOperation" in code(sqs.set_queue_attributes, QueueUrl=queue, Attributes={"KmsMasterKeyId": "alias/a"})
    assert code(sqs.set_queue_attributes, QueueUrl=queue, Attributes={"RedrivePolicy": "{}"}) == "InvalidParameterValue"
    assert code(sqs.delete_message, QueueUrl=queue, ReceiptHandle="nonsense") == "ReceiptHandleIsInvalid"
    assert code(sqs.send_message, QueueUrl=queue, MessageBody="x", MessageDeduplicationId="1") == "InvalidParameterValue"


def test_send_receive_delete(sqs, queue):
    sent = sqs.send_message(QueueUrl=queue, MessageBody="hello", MessageAttributes={
        "color": {"DataType": "String", "StringValue": "blue"}, "raw": {"DataType": "Binary", "BinaryValue": b"\x00\x01"}})
    assert sent["MD5OfMessageBody"] == "5d41402abc4b2a76b9719d911017c592"
    got = sqs.receive_message(QueueUrl=queue, AttributeNames=["All"], MessageAttributeNames=["All"])["Messages"]
    assert len(got) == 1 and got[0]["MessageId"] == sent["MessageId"] and got[0]["Body"] == "hello"
    assert got[0]["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert got[0]["MessageAttributes"]["raw"]["BinaryValue"] == b"\x00\x01" and got[0]["MessageAttributes"]["color"]["StringValue"] == "blue"
    assert got[0]["Attributes"]["ApproximateReceiveCount"] == "1" and int(got[0]["Attributes"]["SentTimestamp"]) > 1e12
    assert texts(sqs.receive_message(QueueUrl=queue)) == []
    shown = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert (shown["ApproximateNumberOfMessages"], shown["ApproximateNumberOfMessagesNotVisible"]) == ("0", "1")
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=got[0]["ReceiptHandle"], VisibilityTimeout=0)
    again = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert again[0]["ReceiptHandle"] != got[0]["ReceiptHandle"]
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=got[0]["ReceiptHandle"], VisibilityTimeout=0)  # an earlier handle stays valid
    last = sqs.receive_message(QueueUrl=queue)["Messages"]
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=last[0]["ReceiptHandle"])
    assert sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]["ApproximateNumberOfMessagesNotVisible"] == "0"
    assert "MessageNotInflight" in code(sqs.change_message_visibility, QueueUrl=queue, ReceiptHandle=last[0]["ReceiptHandle"], VisibilityTimeout=1)


def test_batches(sqs, queue):
    sent = sqs.send_message_batch(QueueUrl=queue, Entries=[{"Id": str(k), "MessageBody": f"m{k}"} for k in range(10)])
    assert len(sent["Successful"]) == 10
    got = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert sorted(m["Body"] for m in got) == sorted(f"m{k}" for k in range(10))
    entries = [{"Id": str(k), "ReceiptHandle": m["ReceiptHandle"]} for k, m in enumerate(got)]
    assert len(sqs.change_message_visibility_batch(QueueUrl=queue, Entries=[{**e, "VisibilityTimeout": 60} for e in entries])["Successful"]) == 10
    done = sqs.delete_message_batch(QueueUrl=queue, Entries=[*entries[:9], {"Id": "bad", "ReceiptHandle": "nonsense"}])
    assert len(done["Successful"]) == 9 and done["Failed"][0]["Code"] == "ReceiptHandleIsInvalid"
    assert code(sqs.send_message_batch, QueueUrl=queue, Entries=[]).rpartition(".")[2] in ("EmptyBatchRequest", "InvalidParameterValue")  # the query protocol sends an empty text
    assert "TooManyEntries" in code(sqs.send_message_batch, QueueUrl=queue, Entries=[{"Id": str(k), "MessageBody": "m"} for k in range(11)])
    assert "NotDistinct" in code(sqs.send_message_batch, QueueUrl=queue, Entries=[{"Id": "1", "MessageBody": "m"}] * 2)
    assert "InvalidBatchEntryId" in code(sqs.send_message_batch, QueueUrl=queue, Entries=[{"Id": "a b", "MessageBody": "m"}])
    assert "InvalidBatchEntryId" in code(sqs.delete_message_batch, QueueUrl=queue, Entries=[{"Id": "", "ReceiptHandle": "x"}])
    odd = {"höhe": {"DataType": "String", "StringValue": "1"}}
    assert code(sqs.send_message, QueueUrl=queue, MessageBody="m", MessageAttributes=odd) == "InvalidParameterValue"
    assert "NonExistentQueue" in code(sqs.delete_message, QueueUrl=queue + "-none", ReceiptHandle="x")


def test_batch_of_a_fifo_queue(sqs):
    """A message without what a FIFO queue needs refuses the whole batch; a delay beyond the bounds its message alone. A queue's name stands for its URL."""
    fifo = sqs.create_queue(QueueName="batched.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    whole = {"Id": "1", "MessageBody": "m", "MessageGroupId": "g", "MessageDeduplicationId": "1"}
    assert code(sqs.send_message_batch, QueueUrl=fifo, Entries=[whole, {"Id": "2", "MessageBody": "m"}]) == "InvalidParameterValue"
    assert code(sqs.send_message_batch, QueueUrl=fifo, Entries=[whole, {"Id": "2", "MessageBody": "m", "MessageGroupId": "g"}]) == "InvalidParameterValue"
    assert texts(sqs.receive_message(QueueUrl=fifo)) == []
    sqs.delete_queue(QueueUrl=fifo)
    url = sqs.create_queue(QueueName="delays")["QueueUrl"]
    sent = sqs.send_message_batch(QueueUrl="delays", Entries=[{"Id": "ok", "MessageBody": "m"}, {"Id": "late", "MessageBody": "m", "DelaySeconds": 901}])
    assert [e["Id"] for e in sent["Successful"]] == ["ok"] and sent["Failed"][0]["Message"] == (
        "Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.")
    sqs.delete_queue(QueueUrl=url)


def test_batch_refuses_one_message(sqs, queue):
    """A message that the queue does not take stops no other of its batch; attributes count in the size."""
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"MaximumMessageSize": "1024"})
    sent = sqs.send_message_batch(QueueUrl=queue, Entries=[{"Id": "long", "MessageBody": "x" * 2000}, {"Id": "short", "MessageBody": "x"}])
    assert [e["Id"] for e in sent["Successful"]] == ["short"] and [(e["Id"], e["Code"]) for e in sent["Failed"]] == [("long", "InvalidParameterValue")]
    assert texts(sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)) == ["x"]
    large = {"a": {"DataType": "String", "StringValue": "v" * 600000}}
    assert "BatchRequestTooLong" in code(sqs.send_message_batch, QueueUrl=queue, Entries=[{"Id": str(k), "MessageBody": "m", "MessageAttributes": large} for k in range(2)])


def send_many(sqs, url, count, **more):
    for k in range(0, count, 10):
        entries = [{"Id": str(n), "MessageBody": "m", **{key: value.format(n) for key, value in more.items()}} for n in range(k, k + 10)]
        assert len(sqs.send_message_batch(QueueUrl=url, Entries=entries)["Successful"]) == 10


def test_delete_a_full_queue(sqs, account):
    """Messages go in several changes; the queue's name is free at once, and the new queue has none of them."""
    url = sqs.create_queue(QueueName="full")["QueueUrl"]
    send_many(sqs, url, 450)
    sqs.delete_queue(QueueUrl=url)
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix="*") and url not in sqs.list_queues().get("QueueUrls", [])
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.send_message(QueueUrl=url, MessageBody="late")
    assert sqs.create_queue(QueueName="full")["QueueUrl"] == url
    assert texts(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)) == []

    def has_gone():
        path = "/api/v1/queues"
        names = [q["name"] for q in json.loads(account.send("GET", path, account.sign("GET", "", b"", "ec2", path)).text)["items"]]
        return "full" in names and not any(n.startswith("*") for n in names)

    wait_until(has_gone, "the deleted queue's messages stay")
    sqs.delete_queue(QueueUrl=url)


def test_purge(sqs, queue):
    for k in range(3):
        sqs.send_message(QueueUrl=queue, MessageBody=str(k))
    sqs.purge_queue(QueueUrl=queue)
    assert texts(sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)) == []
    assert "PurgeQueueInProgress" in code(sqs.purge_queue, QueueUrl=queue)
    sqs.send_message(QueueUrl=queue, MessageBody="new")
    assert texts(sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)) == ["new"]


def test_delay(sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody="later", DelaySeconds=900)
    assert texts(sqs.receive_message(QueueUrl=queue)) == []
    assert sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]["ApproximateNumberOfMessagesDelayed"] == "1"


def test_dead_letters(sqs, queue):
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = '{"deadLetterTargetArn":"%s","maxReceiveCount":2}' % arn
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "0"})
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [queue]
    sqs.send_message(QueueUrl=queue, MessageBody="poison")
    assert [texts(sqs.receive_message(QueueUrl=queue)) for _ in range(3)] == [["poison"], ["poison"], []]
    got = sqs.receive_message(QueueUrl=dead, AttributeNames=["All"])["Messages"][0]
    assert got["Body"] == "poison" and got["Attributes"]["DeadLetterQueueSourceArn"].endswith(":" + queue.rsplit("/", 1)[1])
    sqs.delete_queue(QueueUrl=dead)


def test_redrive_allow(sqs, queue):
    """A queue says which others may name it as their dead-letter queue."""
    dead = sqs.create_queue(QueueName="choosy")["QueueUrl"]
    dead_arn, arn = (sqs.get_queue_attributes(QueueUrl=u, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"] for u in (dead, queue))

    def allow(**policy):
        sqs.set_queue_attributes(QueueUrl=dead, Attributes={"RedriveAllowPolicy": json.dumps(policy)})

    def use():
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 2})})

    for policy in ({"redrivePermission": "denyAll"}, {"redrivePermission": "byQueue", "sourceQueueArns": [arn + "-other"]}):
        allow(**policy)
        assert json.loads(sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["RedriveAllowPolicy"])["Attributes"]["RedriveAllowPolicy"]) == policy
        with pytest.raises(sqs.exceptions.ClientError):
            use()
    allow(redrivePermission="byQueue", sourceQueueArns=[arn])
    use()
    for policy in ({}, {"redrivePermission": "some"}, {"redrivePermission": "byQueue"}, {"redrivePermission": "denyAll", "sourceQueueArns": [arn]},
                   {"redrivePermission": "byQueue", "sourceQueueArns": [arn] * 11}, {"redrivePermission": "byQueue", "sourceQueueArns": ["arn:aws:sqs:x:1:y"]}):
        with pytest.raises(sqs.exceptions.ClientError):
            allow(**policy)
    sqs.delete_queue(QueueUrl=dead)


def test_dead_letters_without_a_queue(sqs, queue):
    """A message that was received often enough is not received again while its dead-letter queue is gone."""
    dead = sqs.create_queue(QueueName="gone-dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": '{"deadLetterTargetArn":"%s","maxReceiveCount":1}' % arn, "VisibilityTimeout": "0"})
    send_many(sqs, queue, 20)
    for _ in range(2):
        assert len(texts(sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10))) == 10
    sqs.delete_queue(QueueUrl=dead)
    assert texts(sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=1)) == []


def test_long_poll(sqs, queue, account):
    """A receive that waits is answered by a message, without a thread that waits in the server."""
    found = []

    def wait():
        """Another consumer may take the message first; then the receive ends early, and is repeated."""
        client, got = account.client("sqs"), []
        while not got:
            got = texts(client.receive_message(QueueUrl=queue, WaitTimeSeconds=20))
        found.extend(got)

    waiters = [threading.Thread(target=wait) for _ in range(8)]
    for w in waiters:
        w.start()
    for k in range(8):
        sqs.send_message(QueueUrl=queue, MessageBody=str(k))
    for w in waiters:
        w.join()
    assert sorted(found) == [str(k) for k in range(8)]


def test_long_poll_sees_what_appears(sqs, queue, account):
    """A wait ends when a delayed message appears, and when a FIFO group goes on, before its own time has passed."""
    fifo = sqs.create_queue(QueueName="waited.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    for k in ("1", "2"):
        sqs.send_message(QueueUrl=fifo, MessageBody=k, MessageGroupId="g", MessageDeduplicationId=k)
    held = sqs.receive_message(QueueUrl=fifo)["Messages"][0]
    found = {}

    def wait(url):
        found[url] = texts(account.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=20))

    waiters = [threading.Thread(target=wait, args=(url,)) for url in (queue, fifo)]
    for w in waiters:
        w.start()
    sqs.send_message(QueueUrl=queue, MessageBody="later", DelaySeconds=1)
    sqs.delete_message(QueueUrl=fifo, ReceiptHandle=held["ReceiptHandle"])
    for w in waiters:
        w.join()
    assert found == {queue: ["later"], fifo: ["2"]}
    sqs.delete_queue(QueueUrl=fifo)


def test_long_poll_ends_empty(sqs, queue):
    assert texts(sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1)) == []


def test_fifo(sqs):
    url = sqs.create_queue(QueueName="orders.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    assert code(sqs.send_message, QueueUrl=url, MessageBody="x") == "MissingParameter"
    assert code(sqs.send_message, QueueUrl=url, MessageBody="x", MessageGroupId="g") == "InvalidParameterValue"
    first = sqs.send_message(QueueUrl=url, MessageBody="1", MessageGroupId="a", MessageDeduplicationId="d1")
    assert sqs.send_message(QueueUrl=url, MessageBody="other", MessageGroupId="a", MessageDeduplicationId="d1")["MessageId"] == first["MessageId"]
    second = sqs.send_message(QueueUrl=url, MessageBody="2", MessageGroupId="a", MessageDeduplicationId="d2")
    sqs.send_message(QueueUrl=url, MessageBody="3", MessageGroupId="b", MessageDeduplicationId="d3")
    assert first["SequenceNumber"] < second["SequenceNumber"]
    got = sqs.receive_message(QueueUrl=url, AttributeNames=["All"])["Messages"]
    assert [m["Body"] for m in got] == ["1"] and got[0]["Attributes"]["MessageGroupId"] == "a"
    assert texts(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)) == ["3"]  # group a waits for its first message
    sqs.delete_message(QueueUrl=url, ReceiptHandle=got[0]["ReceiptHandle"])
    assert texts(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)) == ["2"]
    sqs.send_message(QueueUrl=url, MessageBody="1", MessageGroupId="a", MessageDeduplicationId="d1")  # deleted, and still known
    assert texts(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)) == []
    sqs.delete_queue(QueueUrl=url)


def test_fifo_behind_deleted_messages(sqs):
    """Rows of deleted messages remain while their deduplication IDs count; new messages are received behind any number of them."""
    url = sqs.create_queue(QueueName="busy.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    send_many(sqs, url, 1010, MessageGroupId="g{}", MessageDeduplicationId="d{}")
    for _ in range(101):
        got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        assert len(sqs.delete_message_batch(QueueUrl=url, Entries=[{"Id": str(k), "ReceiptHandle": m["ReceiptHandle"]} for k, m in enumerate(got)])["Successful"]) == 10
    sqs.send_message(QueueUrl=url, MessageBody="next", MessageGroupId="g", MessageDeduplicationId="next")
    assert texts(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)) == ["next"]
    sqs.delete_queue(QueueUrl=url)


def test_other_account(sqs, queue, region):
    other = region.new_account("others").client("sqs")
    with pytest.raises(other.exceptions.QueueDoesNotExist):
        other.receive_message(QueueUrl=queue)


def test_policy(sqs, queue):
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = ('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage",'
              '"Resource":"%s","Condition":{"ArnEquals":{"aws:SourceArn":"arn:aws:sns:x:1:t"}}}]}') % arn
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    assert sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])["Attributes"]["Policy"] == policy
    assert code(sqs.set_queue_attributes, QueueUrl=queue, Attributes={"Policy": "nonsense"}) == "InvalidAttributeValue"


def words(call, **params):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**params)
    return caught.value.response["Error"]["Message"]


def test_large_messages(sqs, queue):
    """A message has up to 1 MiB, as has a batch; what JSON escapes does not count."""
    most = 1048576
    assert sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["MaximumMessageSize"])["Attributes"]["MaximumMessageSize"] == str(most)
    for text in ("b" * most, '"' * most):
        sqs.send_message(QueueUrl=queue, MessageBody=text)
        got = sqs.receive_message(QueueUrl=queue)["Messages"][0]
        assert got["Body"] == text
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=got["ReceiptHandle"])
    shorter = f"One or more parameters are invalid. Reason: Message must be shorter than {most} bytes."
    assert words(sqs.send_message, QueueUrl=queue, MessageBody="b" * (most + 1)) == shorter
    assert words(sqs.send_message_batch, QueueUrl=queue, Entries=[{"Id": "1", "MessageBody": "b" * (most + 1)}]) == (
        f"Batch requests cannot be longer than {most} bytes. You have sent {most + 1} bytes.")
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"MaximumMessageSize": "1024"})
    assert words(sqs.send_message, QueueUrl=queue, MessageBody="b" * 1025) == shorter.replace(str(most), "1024")
    assert "InvalidAttributeValue" in code(sqs.set_queue_attributes, QueueUrl=queue, Attributes={"MaximumMessageSize": str(most + 1)})
    assert code(sqs.send_message, QueueUrl=queue, MessageBody="b" * (5 << 20)) in ("413", "RequestEntityTooLarge")


def test_large_requests_of_strangers(region):
    """A few bodies above the limit of other services are held at once; a signature is not known before a body has arrived."""
    head = ("POST / HTTP/1.1\r\nHost: x\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIAX/20261129/us-east-1/sqs/aws4_request\r\n"
            f"Content-Length: {3 << 20}\r\n\r\n").encode()
    held = []
    try:
        is_refused = False
        while not is_refused and len(held) < 132:  # an attempt may take the place of one that is still arriving, which is refused then
            held.append(socket.create_connection(("127.0.0.1", region.port)))
            held[-1].sendall(head + b"x" * (1200 << 10))
            is_refused = len(held) >= 32 and refused(region, head)
        assert is_refused, "a further large body is taken"
    finally:
        for one in held:
            one.close()
    assert any(not refused(region, head) for _ in range(100)), "the places stay taken"


def refused(region, head):
    """True if a further large body is refused for its size, not for its signature."""
    with socket.create_connection(("127.0.0.1", region.port)) as one:
        one.settimeout(HANG_S)
        try:
            one.sendall(head + b"x" * (3 << 20))
        except OSError:
            return True  # closed behind an early answer
        return one.recv(100).startswith(b"HTTP/1.1 413")


def test_trace_header(sqs, queue):
    trace = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-3152b799-8954dae64eda91bc9a23a7e8;Sampled=1"}}
    sqs.send_message(QueueUrl=queue, MessageBody="x", MessageSystemAttributes=trace)
    sqs.send_message_batch(QueueUrl=queue, Entries=[{"Id": "1", "MessageBody": "y", "MessageSystemAttributes": trace}])
    got = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, AttributeNames=["AWSTraceHeader"])["Messages"]
    assert [m["Attributes"] for m in got] == [{"AWSTraceHeader": trace["AWSTraceHeader"]["StringValue"]}] * 2
    assert code(sqs.send_message, QueueUrl=queue, MessageBody="x", MessageSystemAttributes={"AWSTraceHeader": {"DataType": "Number", "StringValue": "1"}}) == "InvalidParameterValue"


def test_deduplication_of_a_group(sqs):
    """High throughput: an ID counts in its message group alone."""
    attributes = {"FifoQueue": "true", "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
    url = sqs.create_queue(QueueName="fast.fifo", Attributes=attributes)["QueueUrl"]
    shown = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert {k: shown[k] for k in attributes} == attributes
    sent = [sqs.send_message(QueueUrl=url, MessageBody="x", MessageGroupId=g, MessageDeduplicationId="d")["MessageId"] for g in ("a", "b", "a")]
    assert sent[0] == sent[2] != sent[1]
    assert words(sqs.create_queue, QueueName="fast.fifo", Attributes={"FifoQueue": "true", "DeduplicationScope": "queue", "FifoThroughputLimit": "perQueue"}) == (
        "A queue already exists with the same name and a different value for attribute DeduplicationScope")
    assert "InvalidAttributeValue" in code(sqs.set_queue_attributes, QueueUrl=url, Attributes={"DeduplicationScope": "queue"})
    assert words(sqs.create_queue, QueueName="slow", Attributes={"DeduplicationScope": "queue"}) == "You can specify the DeduplicationScope only when FifoQueue is set to true."


def test_words(sqs, queue):
    """Sentences that were recorded from SQS (LocalStack's snapshots)."""
    for call, params, expected in (
            (sqs.receive_message, {"MaxNumberOfMessages": 11}, "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."),
            (sqs.receive_message, {"WaitTimeSeconds": -1}, "Value -1 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided."),
            (sqs.send_message, {"MessageBody": "x", "MessageAttributes": {"a": {"DataType": "String", "StringValue": ""}}},
             "Message (user) attribute 'a' must contain a non-empty value of type 'String'."),
            (sqs.get_queue_attributes, {"AttributeNames": [""]}, "Unknown Attribute ."),
            (sqs.tag_queue, {"Tags": {}}, f"The request must contain the parameter Tag{'s' * (sqs.meta.service_model.protocol == 'json')}."),
            (sqs.tag_queue, {"Tags": {str(k): "" for k in range(51)}}, f"Too many tags added for queue {queue.rpartition('/')[2]}.")):
        assert words(call, QueueUrl=queue, **params) == expected
    assert words(sqs.create_queue, QueueName="") == "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))

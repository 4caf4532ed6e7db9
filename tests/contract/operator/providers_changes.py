#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/remote/ec2/changes.c src/drivers/remote/azure/changes.c src/drivers/remote/openstack/changes.c src/reconcile/remote/changes.c
"""Change feeds of providers: another Dari's EventBridge puts events into a queue of its SQS, its Azure face has an activity log, and its Nova lists what has changed. A change made there shows long
before the next listing, which is a day away; lost, repeated, forged and malformed messages do no harm, and without the feed the listings go on."""
import json
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import elsewhere  # noqa: E402
from dev import Dev  # noqa: E402
from elsewhere import launch, machines, provider, run  # noqa: E402
from waiting import wait_until  # noqa: E402

DAY_S = 86400


def add(home, name, kind, there, endpoint, *options):
    word, said, secret = elsewhere.credentials(there, kind)
    said[said.index("--endpoint") + 1] = endpoint
    done = run(home, "provider", "add", word, name, *said, "--secret-stdin", "--poll-s", str(DAY_S), "--account", elsewhere.owner(home), *options, text=secret + "\n")
    assert done.returncode == 0, done


class World:
    """The queue, a provider with it behind a proxy that counts listings, and one of Azure's face."""

    def __init__(self, there, home):
        self.there, self.home = there, home
        there.ec2, self.sqs, self.events = there.account.client(), there.account.client("sqs"), there.account.client("events")
        self.queue = self.sqs.create_queue(QueueName="changes")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn}]}
        self.sqs.set_queue_attributes(QueueUrl=self.queue, Attributes={"Policy": json.dumps(policy)})
        self.events.put_rule(Name="changes", EventPattern=json.dumps({"source": ["aws.ec2"]}))
        assert self.events.put_targets(Rule="changes", Targets=[{"Id": "q", "Arn": arn}])["FailedEntryCount"] == 0
        self.refs = launch(there, 3)
        self.proxy, self.azure = elsewhere.Proxy(there), elsewhere.Proxy(there)
        self.azure.change = lambda path, body, answer: answer.replace(there.url.encode(), self.azure.url.encode())
        add(home, "there", "aws", there, self.proxy.url, "--queue", self.queue)
        add(home, "azure", "azure", there, self.azure.url)
        for name in ("there", "azure"):
            wait_until(lambda name=name: len(machines(home, name)) == 3, "the first listing", shows=lambda name=name: provider(home, name))
        wait_until(self.is_empty, "an empty queue")

    def listings(self):
        """Listings of machines that the cloud was asked for."""
        return sum(b"Action=DescribeInstances&" in body and b"MaxResults" in body for _, _, body in list(self.proxy.seen))

    def looks(self):
        """Machines that were read by themselves."""
        return sum(b"Action=DescribeInstances&" in body and b"InstanceId.1" in body for _, _, body in list(self.proxy.seen))

    def is_empty(self):
        about = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["All"])["Attributes"]
        return about["ApproximateNumberOfMessages"] == about["ApproximateNumberOfMessagesNotVisible"] == "0"

    def send(self, *bodies):
        for body in bodies:
            self.sqs.send_message(QueueUrl=self.queue, MessageBody=body if isinstance(body, str) else json.dumps(body))

    def conditions(self, name="there"):
        return "ChangesNotRead" in [c["name"] for c in provider(self.home, name).get("conditions", [])]

    def power(self, ref, name="there"):
        return machines(self.home, name).get(ref, {}).get("power")


def event(ref, state="stopped", number=0):
    return {"version": "0", "id": f"7ab7e0f9-0000-4000-8000-{number:012x}", "detail-type": "EC2 Instance State-change Notification", "source": "aws.ec2", "account": "1",
            "time": "2026-11-11T21:29:54Z", "region": "us-east-1", "resources": [f"arn:aws:ec2:us-east-1:1:instance/{ref}"], "detail": {"instance-id": ref, "state": state}}


@pytest.fixture(scope="module")
def world():
    with Dev() as there, Dev() as home:
        w = World(there, home)
        yield w
        w.proxy.end()
        w.azure.end()


@pytest.fixture(autouse=True)
def honest(world):
    yield
    world.proxy.spoil = lambda *_: None


def test_change_without_a_listing(world):
    """A stop, a start, a new machine and its end, as EventBridge tells them."""
    listings = world.listings()
    for change, power in ((world.there.ec2.stop_instances, "stopped"), (world.there.ec2.start_instances, "running")):
        change(InstanceIds=[world.refs[0]])
        wait_until(lambda power=power: world.power(world.refs[0]) == power, power, shows=lambda: provider(world.home))
    (made,) = launch(world.there, 1, "new")
    wait_until(lambda: world.power(made) == "running", "the new machine")
    world.there.ec2.terminate_instances(InstanceIds=[made])
    wait_until(lambda: world.power(made) in ("terminated", None), "its end")
    wait_until(world.is_empty, "messages are deleted")
    assert world.listings() == listings and not world.conditions()


def test_hostile_messages(world):
    """Messages that lie, repeat, or are no events; messages that are gone. Only the cloud's own answers change rows."""
    before, listings = {ref: world.power(ref) for ref in world.refs}, world.listings()
    world.send(event(world.refs[0], "terminated", 1), event("i-0123456789abcdef0", "running", 2), "no JSON", "[[[[", {"resources": ["i-" + "f" * 300]},
               "{" * 1000, {"a": ["x" * 1000] * 200}, {"Type": "Notification", "Message": json.dumps(event(world.refs[1], "terminated", 3))})
    wait_until(world.is_empty, "the messages are read")
    assert {ref: world.power(ref) for ref in world.refs} == before and "i-0123456789abcdef0" not in machines(world.home)
    world.send(event(world.refs[2], number=4))
    wait_until(world.is_empty, "an event")
    looks = world.looks()
    world.send(*[event(world.refs[2], number=4)] * 12)
    wait_until(world.is_empty, "the same event again")
    assert world.looks() <= looks + 1 and world.listings() == listings and not world.conditions()


def test_volumes_are_listed(world):
    """An event about another resource lists its type again."""
    zone = world.there.ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
    volume = world.there.ec2.create_volume(Size=1, AvailabilityZone=zone)["VolumeId"]
    wait_until(lambda: volume in {r["ref"] for r in world.home.command("remote", "resources", "--provider", "there", "--type", "volume")}, "the volume")


def test_without_the_feed(world):
    """A queue that refuses is a condition; a refresh and the listings show changes, and acts go on."""
    world.proxy.spoil = lambda method, path, body: (400, {"Content-Type": "application/json"}, b'{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"no queue"}') \
        if b'"QueueUrl"' in body else None
    wait_until(world.conditions, "the condition", shows=lambda: provider(world.home))
    assert provider(world.home)["status"] == "ok"
    world.there.ec2.stop_instances(InstanceIds=[world.refs[1]])
    assert run(world.home, "provider", "refresh", "there").returncode == 0
    wait_until(lambda: world.power(world.refs[1]) == "stopped", "the listing")
    assert run(world.home, "remote", "start", machines(world.home)[world.refs[1]]["id"]).returncode == 0
    wait_until(lambda: world.power(world.refs[1]) == "running", "the act")
    world.proxy.spoil = lambda *_: None
    wait_until(lambda: not world.conditions(), "the feed again")


def test_settings(world):
    """The queue is the owner's to set and to end; other clouds have none."""
    assert provider(world.home)["queue"] == world.queue
    bad = run(world.home, "provider", "set", "there", "--queue", "nowhere")
    assert bad.returncode and "queue of SQS" in bad.stderr, bad
    other = run(world.home, "provider", "set", "azure", "--queue", world.queue)
    assert other.returncode and "change feed of this cloud is no queue" in other.stderr, other
    assert run(world.home, "provider", "set", "there", "--queue", "none").returncode == 0
    assert not provider(world.home).get("queue")
    assert run(world.home, "provider", "set", "there", "--queue", world.queue).returncode == 0


def test_activity_log(world):
    """Azure's log tells of a stop that somebody else asks of it; the machine is read by itself."""
    ref = next(iter(machines(world.home, "azure")))
    phases = world.azure.asked("statusOnly=true")
    add(world.home, "else", "azure", world.there, world.there.url)
    wait_until(lambda: ref in machines(world.home, "else"), "another way to the same machines")
    assert run(world.home, "remote", "stop", machines(world.home, "else")[ref]["id"]).returncode == 0
    wait_until(lambda: world.power(ref, "azure") == "stopped", "the stop", shows=lambda: (machines(world.home, "azure")[ref], provider(world.home, "azure")))
    assert world.azure.asked("eventtypes/management/values") and world.azure.asked("statusOnly=true") == phases
    world.azure.spoil = lambda method, path, body: (403, {"Content-Type": "application/json"}, b'{"error":{"code":"AuthorizationFailed","message":"no"}}') \
        if "eventtypes" in path else None
    wait_until(lambda: world.conditions("azure"), "the condition")
    assert provider(world.home, "azure")["status"] == "ok"


def test_changed_servers(world):
    """Nova lists servers that have changed; each is read by itself."""
    proxy = elsewhere.Proxy(world.there, "/identity/v3")
    proxy.change = lambda path, body, answer: answer.replace(world.there.url.encode(), proxy.url.removesuffix("/identity/v3").encode())
    add(world.home, "nova", "openstack", world.there, proxy.url)
    wait_until(lambda: len(machines(world.home, "nova")) >= 3, "the listing", shows=lambda: provider(world.home, "nova"))
    ref = next(r for r in machines(world.home, "nova") if r.replace("-", "").endswith(world.refs[2][2:]) or world.refs[2][2:] in r.replace("-", ""))
    listings = proxy.asked("/servers/detail?limit")
    world.there.ec2.stop_instances(InstanceIds=[world.refs[2]])
    wait_until(lambda: world.power(ref, "nova") == "stopped", "the stop", shows=lambda: machines(world.home, "nova")[ref])
    assert proxy.asked("changes-since") and proxy.asked("/servers/detail?limit") == listings
    proxy.end()


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

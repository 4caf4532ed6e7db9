#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/remote/ec2 src/reconcile/remote tests/clients/moto
# when: long
# limit: 1200 s
"""Providers of AWS against a stranger's EC2: moto's server, which checks signatures and policies. Listing, acts, a machine made and removed, missing rights,
other resources; then a proxy in front of it that throttles, cuts, expires and sends half a page. What moto does otherwise than AWS is said where it matters."""
import datetime
import json
import os
import re
import sys
import types

import pytest
from botocore.exceptions import ClientError

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import elsewhere  # noqa: E402
from dev import Dev  # noqa: E402
from elsewhere import machines, provider, rests, run  # noqa: E402
from moto_server import REGION, Moto  # noqa: E402
from waiting import wait_until  # noqa: E402


def add(home, name, key, url):
    done = run(home, "provider", "add", "aws", name, "--region", REGION, "--login", key[0], "--secret-stdin", "--endpoint", url, "--poll-s", "1",
               "--account", elsewhere.owner(home), "--json", text=key[1] + "\n")
    assert done.returncode == 0, done
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def world():
    moto = Moto()
    with Dev() as home:
        home.moto = moto
        home.image, home.refs = moto.launch(4)
        home.refs += moto.launch(1)[1] + moto.launch(1)[1]
        moto.ec2.create_key_pair(KeyName="ann")
        moto.ec2.allocate_address(Domain="vpc")
        home.proxy = elsewhere.Proxy(types.SimpleNamespace(port=moto.port))
        home.shown = add(home, "there", moto.key, home.proxy.url)
        wait_until(lambda: set(machines(home)) == set(home.refs), "the first listing", shows=lambda: provider(home))
        yield home
        home.proxy.end()
    moto.end()


@pytest.fixture(autouse=True)
def honest(world):
    yield
    world.proxy.spoil, world.proxy.change = lambda *_: None, lambda path, body, answer: answer


def test_list(world):
    """A stranger accepts the signatures, and rows have what it says."""
    assert world.shown["status"] == "ok" and world.shown["identity"] == "123456789012" and not world.shown["lacks"], world.shown
    there = world.moto.ec2.describe_instances(InstanceIds=[world.refs[0]])["Reservations"][0]["Instances"][0]
    row = machines(world)[world.refs[0]]
    assert (row["name"], row["power"], row["type"], row["image"]) == ("web", "running", "t3.micro", world.image)
    assert row["private_ips"] == [there["PrivateIpAddress"]] and row["network"] == there["VpcId"] and row["subnets"] == [there["SubnetId"]]


def test_act(world):
    for act, power in (("stop", "stopped"), ("start", "running"), ("reboot", "running")):
        assert run(world, "remote", act, world.refs[0]).returncode == 0
        rests(world, world.refs[0], power)
        assert "act_problem" not in machines(world)[world.refs[0]] and world.moto.power(world.refs[0]) == power
    assert run(world, "remote", "tag", world.refs[0], "--tag", "team=red").returncode == 0
    wait_until(lambda: machines(world)[world.refs[0]]["remote_tags"].get("team") == "red", "the tag")


def test_behind_our_back(world):
    world.moto.ec2.stop_instances(InstanceIds=[world.refs[1]])
    wait_until(lambda: machines(world)[world.refs[1]]["power"] == "stopped", "the change")


def test_create_and_terminate(world):
    """moto ignores the client token: the tag alone keeps Dari from a second machine when the answer is lost."""
    lost = []

    def lose(_path, body, answer):
        if b"Action=RunInstances" in body and b"DryRun" not in body and not lost:
            lost.append(0)
            return b""
        return answer
    world.proxy.change = lose
    done = run(world, "remote", "create", "made", "--provider", "there", "--image", world.image, "--type", "t3.micro", "--key", "ann", "--tag", "a=b")
    assert done.returncode == 0, done
    wait_until(lambda: [m for m in machines(world).values() if m["name"] == "made" and m["power"] == "running" and m["act"] == "none"], "the machine",
               shows=lambda: [m for m in machines(world).values() if m["name"] == "made"])
    (row,) = [m for m in machines(world).values() if m["name"] == "made"]
    found = world.moto.ec2.describe_instances(Filters=[{"Name": "tag:dari:id", "Values": [row["id"]]}])["Reservations"]
    assert lost and [i["InstanceId"] for r in found for i in r["Instances"]] == [row["ref"]] and row["key_name"] == "ann"
    assert run(world, "remote", "terminate", row["id"]).returncode == 0
    wait_until(lambda: world.moto.power(row["ref"]) == "terminated" and machines(world).get(row["ref"], {"power": "terminated"})["power"] == "terminated", "the end")


def test_resources(world):
    """moto sends its lists in one page: 1,300 images of others are left out by Owner=self."""
    def types_of():
        return {r["type"] for r in world.command("remote", "resources", "--provider", "there")}
    wanted = {"network", "subnet", "security_group", "volume", "instance_type", "key_pair", "address"}
    wait_until(lambda: types_of() >= wanted, "the resources", shows=lambda: (types_of(), provider(world).get("unlisted")))
    rows = world.command("remote", "resources", "--provider", "there")
    micro = next(r for r in rows if r["type"] == "instance_type" and r["ref"] == "t3.micro")
    assert micro["size"] == 1 << 30 and micro["attributes"]["vcpus"] == "2", micro
    assert {r["parent"] for r in rows if r["type"] == "volume"} & set(world.refs)


METRICS = {"CPUUtilization": ("Percent", 25.0), "NetworkIn": ("Bytes", 3e6), "NetworkOut": ("Bytes", 6e5), "EBSReadBytes": ("Bytes", 0.0), "EBSWriteBytes": ("Bytes", 9e6)}


def test_metrics(world):
    """A stranger's CloudWatch serves the points of the last whole hour. A machine without metrics has none."""
    now = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=10)
    hours = [now.replace(minute=0, second=0, microsecond=0) - datetime.timedelta(hours=n) for n in (0, 1, 2)]  # the hour may change meanwhile
    data = [{"MetricName": name, "Dimensions": [{"Name": "InstanceId", "Value": world.refs[0]}], "Unit": unit, "Value": value,
             "Timestamp": hour + datetime.timedelta(minutes=5 * n)} for name, (unit, value) in METRICS.items() for hour in hours for n in range(12)]
    cloudwatch = world.moto.client("cloudwatch")
    for k in range(0, len(data), 20):
        cloudwatch.put_metric_data(Namespace="AWS/EC2", MetricData=data[k:k + 20])
    assert run(world, "provider", "set", "there", "--metrics", "yes").returncode == 0

    def points(ref):
        return world.command("remote", "metrics", ref)
    wait_until(lambda: len(points(world.refs[0])) == 12, "an hour's points", shows=lambda: (points(world.refs[0]), provider(world)))
    for _at, cpu, _memory, received, sent, _, _, read, written, *_ in points(world.refs[0]):
        assert (cpu, received, sent, read, written) == (25.0, 10000, 2000, 0, 30000)
    assert not points(world.refs[2])
    advice = world.command("remote", "advice", world.refs[0])
    assert advice["days"] <= 2 and not advice["advice"] and "7 of the last 30 days" in advice["note"], advice
    assert run(world, "provider", "set", "there", "--metrics", "no").returncode == 0


def test_missing_right(world):
    """moto answers AccessDenied, where AWS says UnauthorizedOperation."""
    key = world.moto.user("reader", {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["ec2:Describe*", "ec2:StartInstances"], "Resource": "*"}]})
    add(world, "reader", key, world.moto.url)
    wait_until(lambda: len(machines(world, "reader")) >= 4, "its listing", shows=lambda: provider(world, "reader"))
    lacks = provider(world, "reader")["lacks"]
    assert "ec2:StopInstances" in lacks and "ec2:RunInstances" in lacks and "ec2:StartInstances" not in lacks, lacks
    assert run(world, "remote", "terminate", machines(world, "reader")[world.refs[3]]["id"]).returncode == 0
    wait_until(lambda: "AccessDenied" in machines(world, "reader")[world.refs[3]].get("act_problem", ""), "the refusal")
    assert world.moto.power(world.refs[3]) == "running"


def test_wrong_secret(world):
    add(world, "wrong", (world.moto.key[0], "x" * 40), world.moto.url)
    wait_until(lambda: provider(world, "wrong")["status"] == "denied" and not machines(world, "wrong"), "the refusal", shows=lambda: provider(world, "wrong"))
    with pytest.raises(ClientError):
        world.moto.client("ec2", (world.moto.key[0], "x" * 40)).describe_instances()


TEMPLATE = {"AWSTemplateFormatVersion": "2010-09-09", "Description": "A network", "Resources": {
    "Net": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.7.0.0/16"}},
    "Part": {"Type": "AWS::EC2::Subnet", "Properties": {"CidrBlock": "10.7.1.0/24", "VpcId": {"Ref": "Net"}}}}}


def test_stacks(world):
    """Stacks with their resources, more of them than a page; both go with the stack."""
    cloudformation = world.moto.client("cloudformation")
    for n in range(3):
        cloudformation.create_stack(StackName=f"net-{n}", TemplateBody=json.dumps(TEMPLATE), Tags=[{"Key": "team", "Value": "red"}])

    def rows(kind, *more):
        return {r["ref"]: r for r in world.command("remote", "resources", "--provider", "there", "--type", kind, *more)}
    assert run(world, "provider", "refresh", "there").returncode == 0
    wait_until(lambda: set(rows("stack")) == {"net-0", "net-1", "net-2"} and len(rows("stack_resource")) == 6, "the stacks", shows=lambda: (rows("stack"), provider(world)))
    stack, parts = rows("stack")["net-1"], rows("stack_resource", "--of", "net-1")
    assert (stack["state"], stack["remote_tags"], stack["attributes"]["description"]) == ("CREATE_COMPLETE", {"team": "red"}, "A network") and "arn:aws:cloudformation" in stack["attributes"]["id"]
    assert set(parts) == {"net-1/Net", "net-1/Part"} and parts["net-1/Net"]["attributes"]["resource_type"] == "AWS::EC2::VPC"
    assert parts["net-1/Net"]["attributes"]["physical_id"].startswith("vpc-") and parts["net-1/Net"]["parent"] == "net-1"
    cloudformation.delete_stack(StackName="net-1")
    assert run(world, "provider", "refresh", "there").returncode == 0
    wait_until(lambda: set(rows("stack")) == {"net-0", "net-2"} and len(rows("stack_resource")) == 4, "the end of one", shows=lambda: (rows("stack"), rows("stack_resource")))
    assert not provider(world).get("unlisted")


def reservations(answer):
    """moto's reservations, and what is before and behind them."""
    found = list(re.finditer(rb"<item>\s*<reservationId>.*?</instancesSet>\s*.*?</item>", answer, re.DOTALL))
    return answer[:found[0].start()], [m.group(0) for m in found], answer[found[-1].end():]


def refreshes(world):
    since = provider(world)["refreshed_us"]
    wait_until(lambda: provider(world)["refreshed_us"] > since, "a listing", shows=lambda: provider(world))


def test_pages_in_another_order(world):
    """The proxy deals a listing out in pages of one reservation, the last one first. moto itself sends small lists whole."""
    whole, before = [], set(machines(world))

    def deal(_path, body, answer):
        if b"Action=DescribeInstances&" not in body or b"InstanceId" in body or b"Filter" in body:
            return answer
        whole[:] = [answer]
        return page(0)

    def page(n):
        head, items, tail = reservations(whole[0])
        more = b"</reservationSet>" + (b"<nextToken>page-%d</nextToken>" % (n + 1) if n + 1 < len(items) else b"")
        return head + items[-1 - n] + tail.replace(b"</reservationSet>", more)

    def rest(_method, _path, body):
        token = re.search(rb"NextToken=page-(\d+)", body)
        return (200, {"Content-Type": "text/xml"}, page(int(token[1]))) if token else None
    world.proxy.change, world.proxy.spoil = deal, rest
    asked = world.proxy.asked("NextToken=page-2")
    refreshes(world)
    refreshes(world)
    assert world.proxy.asked("NextToken=page-2") > asked, world.proxy.seen[-3:]
    assert set(machines(world)) == before and provider(world)["status"] == "ok" and not provider(world)["held"]
    elsewhere.is_quiet(world)


def error(code):
    return f"<Response><Errors><Error><Code>{code}</Code><Message>no</Message></Error></Errors></Response>".encode()


@pytest.mark.parametrize("answer, status", [((503, {}, error("RequestLimitExceeded")), "failing"), ((400, {}, error("RequestExpired")), "denied"),
                                            ((0, {}, b"<DescribeInstancesResponse>"), "unreachable failing"), ((502, {}, b"<html>bad gateway</html>"), "failing")],
                         ids=["throttled", "expired", "cut", "page"])
def test_bad_answers(world, answer, status):
    """A proxy that spoils answers loses no machine; the next good answer mends everything."""
    before = set(machines(world))
    world.proxy.spoil = lambda method, path, body: answer if b"Action=DescribeInstances" in body else None
    assert run(world, "provider", "refresh", "there").returncode == 0
    wait_until(lambda: provider(world)["status"] in status.split(), status, shows=lambda: provider(world))
    assert set(machines(world)) == before
    world.proxy.spoil = lambda *_: None
    assert run(world, "provider", "refresh", "there").returncode == 0
    wait_until(lambda: provider(world)["status"] == "ok", "rest", shows=lambda: provider(world))


def test_half_a_page(world):
    """An answer without most of the machines forgets none of them."""
    before = set(machines(world))
    first = re.compile(rb"(<reservationSet>).*(</reservationSet>)", re.DOTALL)
    world.proxy.change = lambda path, body, answer: first.sub(rb"\1\2", answer) if b"Action=DescribeInstances" in body else answer
    wait_until(lambda: provider(world)["held"] > 0, "the guard", shows=lambda: provider(world))
    since = provider(world)["refreshed_us"]
    wait_until(lambda: provider(world)["refreshed_us"] > since + 1000000, "another listing")
    alive = {ref for ref, m in machines(world).items() if m["power"] != "terminated"}
    assert alive >= before & set(world.refs)


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/ec2 src/api/elb src/api/openstack/compute src/api/openstack/network src/api/openstack/volume src/engine/storage
"""Replays the calls of Kubernetes' controllers that no test runs, in the order in which they send them. recorded/NAME.calls lists them, one a line:

    ec2 ACTION NAME=VALUE…              a request of EC2; `elb`, `elbv2` and `iam` likewise
    compute METHOD PATH BODY            a request of an OpenStack service, BODY in JSON; `volume` and `network` likewise

NAME?=VALUE is a filter, RESOURCE+=KEY=VALUE,… a tag specification. `until` before a line repeats it until it is answered so. Behind " -> " stands the answer:

    CODE                                of a refusal; a status of OpenStack's
    ELEMENT=VALUE  ELEMENT=?  ELEMENT=  an element's value; any value; no such element. ELEMENT is an XPath, or a.0.b in JSON
    ELEMENT>NAME                        keeps the value as $NAME
    ~PATTERN                            a pattern that the message matches
"""
import glob
import json
import os
import re
import sys
import urllib.parse

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
from dev import VERSION, Dev  # noqa: E402
from waiting import Stalled, wait_until  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
CALLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "recorded")
QUERIES = {"ec2": ("ec2", VERSION), "elb": ("elasticloadbalancing", "2012-06-01"), "elbv2": ("elasticloadbalancing", "2015-12-01"),
           "iam": ("iam", "2010-05-08")}
SERVICES = {"compute": "/compute/v2.1", "volume": "/volume/v3", "network": "/network/v2.0"}


def lines_of(name):
    with open(f"{CALLS}/{name}.calls", encoding="utf-8") as file:
        return [(number, line.strip()) for number, line in enumerate(file, 1) if line.strip() and not line.startswith("#")]


def wire(words):
    """Wire parameters of a query request's words."""
    pairs, filters, tags = {}, 0, 0
    for word in words:
        name, _, value = word.partition("=")
        value = urllib.parse.unquote(value)
        if name.endswith("?"):
            filters += 1
            pairs[f"Filter.{filters}.Name"] = name[:-1]
            pairs.update({f"Filter.{filters}.Value.{n}": v for n, v in enumerate(value.split(","), 1)})
        elif name.endswith("+"):
            tags += 1
            pairs[f"TagSpecification.{tags}.ResourceType"] = name[:-1]
            for n, tag in enumerate(value.split(","), 1):
                pairs[f"TagSpecification.{tags}.Tag.{n}.Key"], _, pairs[f"TagSpecification.{tags}.Tag.{n}.Value"] = tag.partition("=")
        else:
            pairs[name] = value
    return pairs


def at(value, path):
    """The part of a JSON value at a path a.0.b; "" if there is none."""
    for name in path.split("."):
        if isinstance(value, list):
            value = value[int(name)] if int(name) < len(value) else None
        else:
            value = value.get(name) if isinstance(value, dict) else None
    return "" if value is None else json.dumps(value) if isinstance(value, (bool, dict, list)) else str(value)


class Player:
    """Sends the requests of a list, and keeps what later ones name."""

    def __init__(self, dev, account, project, values):
        self.dev, self.account, self.project, self.values = dev, account, project, dict(values)

    def fill(self, text):
        return re.sub(r"\$(\w+)", lambda m: self.values[m[1]], text)

    def send(self, request):
        """(code or status, message, function that finds an element)"""
        kind, _, rest = request.partition(" ")
        if kind in QUERIES:
            action, *words = rest.split()
            service, version = QUERIES[kind]
            answer = self.account.call(action, wire(words), service=service, version=version)
            return answer.code, answer.message, answer.first
        method, path, *body = rest.split(" ", 2)
        version = {"compute": "compute 2.79", "volume": "volume 3.44"}.get(kind)
        answer = self.project.call(method, SERVICES[kind] + path, json.loads(body[0]) if body else None, version)
        return str(answer.status) if answer.status >= 300 else "", answer.text, lambda path: at(answer.json, path)

    def compare(self, wanted, got):
        """Describes the first difference between the wanted words and the answer; keeps the values that they name."""
        code, message, find = got
        words = wanted.split()
        named = [w for w in words if not re.search(r"[=>~]", w)]
        if code != (named[0] if named else ""):
            return f"answered {code or 'success'}: {message[:600]}"
        for word in words:
            if word.startswith("~"):
                if not re.search(word[1:], message):
                    return f"answered {message}"
            elif ">" in word:
                path, name = word.split(">")
                if not find(path):
                    return f"{path} is absent"
                self.values[name] = find(path)
            elif "=" in word:
                path, value = re.fullmatch(r"(.*)=(.*)", word).groups()
                if (not find(path)) if value == "?" else find(path) != value:
                    return f"{path} is {find(path)!r}"
        return ""

    def play(self, line):
        """Sends the line's request, with `until` until it is answered as wanted; returns the difference from that."""
        repeats = line.startswith("until ")
        request, _, wanted = line.removeprefix("until ").partition(" -> ")
        request, wanted = self.fill(request), self.fill(wanted)
        difference = ""

        def matches():
            nonlocal difference
            difference = self.compare(wanted, self.send(request))
            return not difference
        try:
            if not repeats:
                matches()
            else:
                wait_until(matches, line, shows=lambda: difference)
        except Stalled as why:
            return str(why)
        return difference


@pytest.fixture(scope="module", name="dev")
def start_dev():
    with Dev(instant=False) as made:
        yield made


def furnished(dev, name):
    """A project with a machine behind a router, and the values that lists begin with."""
    project = cloud.another(dev, name.replace("_", "-"))
    account = project.root
    ec2 = account.client()
    image = ec2.describe_images()["Images"][0]["ImageId"]
    values = {"image": image, "account": account.client("sts").get_caller_identity()["Account"], "token": "a" * 64, "token2": "b" * 64, "token3": "c" * 64}
    zone = ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
    values["instance"] = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1, Placement={"AvailabilityZone": zone})["Instances"][0]["InstanceId"]
    if name.startswith(("openstack", "cinder")):
        values.update(name="node-1", **make_server(project))
    if name == "openshift_openstack":
        values["image"] = project.ok("GET", "/image/v2/images")["images"][0]["id"]
    dev.rest()
    return account, project, values


def make_server(project):
    network = project.ok("POST", "/network/v2.0/networks", {"network": {"name": "nodes"}})["network"]["id"]
    subnet = project.ok("POST", "/network/v2.0/subnets", {"subnet": {"network_id": network, "cidr": "10.9.0.0/24", "ip_version": 4}})["subnet"]["id"]
    outside = project.ok("GET", "/network/v2.0/networks?router:external=true")["networks"][0]["id"]
    router = project.ok("POST", "/network/v2.0/routers", {"router": {"name": "nodes", "external_gateway_info": {"network_id": outside}}})["router"]["id"]
    project.ok("PUT", f"/network/v2.0/routers/{router}/add_router_interface", {"subnet_id": subnet})
    image = project.ok("GET", "/image/v2/images")["images"][0]["id"]
    flavor, = (f["id"] for f in project.ok("GET", "/compute/v2.1/flavors")["flavors"] if f["name"] == "t3.micro")
    server = project.ok("POST", "/compute/v2.1/servers", {"server": {"name": "node-1", "imageRef": image, "flavorRef": flavor, "networks": [{"uuid": network}]}})["server"]["id"]
    return {"server": server, "net": network, "router": router}


@pytest.mark.parametrize("name", sorted(os.path.basename(path).removesuffix(".calls") for path in glob.glob(f"{CALLS}/*.calls")))
def test_calls(dev, name):
    player = Player(dev, *furnished(dev, name))
    for number, line in lines_of(name):
        difference = player.play(line)
        assert not difference, f"{name}.calls:{number}: {line}\n{difference}"


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider", *sys.argv[1:]]))

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/remote src/reconcile/remote/metrics.c src/reconcile/figures/cloud_figures.c
"""Metrics of machines in OpenStack (Gnocchi), CloudStack (usage history) and Azure (Azure Monitor). The machines are those of another `dari dev`; none of its
faces serves these metrics, so the proxy in front of it answers them, in the form of each service's reference. Missing services and rights, and answers that are
not usable, become a condition of the provider and leave the machines as they are."""
import datetime
import json
import os
import re
import sys
import urllib.parse

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
import elsewhere  # noqa: E402
from dev import REGION, Dev  # noqa: E402
from elsewhere import add, launch, machines, provider, run  # noqa: E402
from waiting import wait_until  # noqa: E402

JSON = {"Content-Type": "application/json"}
STEP_S = 300
VCPUS = 2
BYTES = {"received": 600000, "sent": 1200000, "read": 0, "written": 300000}  # of five minutes
CPU, FREE = 25.0, 600 << 20


def iso(at_s, zone="Z"):
    return datetime.datetime.fromtimestamp(at_s, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") + zone


def seconds(text):
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


class Gnocchi:
    """Each server has a metric of its processors, and one interface and one disk with counters that grow. Ids of metrics tell their server and their counter."""
    TYPES = {"instance": ["cpu"], "instance_network_interface": ["network.incoming.bytes", "network.outgoing.bytes"],
             "instance_disk": ["disk.device.read.bytes", "disk.device.write.bytes"]}
    GROWTH = [CPU / 100 * STEP_S * 10**9 * VCPUS, BYTES["received"], BYTES["sent"], BYTES["read"], BYTES["written"]]
    NAMES = [name for names in TYPES.values() for name in names]

    def __init__(self, without=""):
        self.without, self.searches, self.reads = without, 0, 0

    def __call__(self, method, path, body):
        kind = path.rpartition("/")[2]
        if path.startswith("/v1/search/resource/"):
            self.searches += 1
            (attribute, ids), = json.loads(body)["in"].items()
            found = [{"id": one if kind == "instance" else one[::-1], attribute: one, "type": kind, "original_resource_id": one, "ended_at": None,
                      "metrics": {name: f"{one[:-1]}{self.NAMES.index(name)}" for name in self.TYPES[kind]}} for one in ids if one != self.without]
            return 200, JSON, json.dumps(found).encode()
        if path.startswith("/v1/aggregates?"):
            self.reads += 1
            asked = dict(urllib.parse.parse_qsl(path.partition("?")[2]))
            assert asked["granularity"] == "300", asked
            start, stop = seconds(asked["start"]), seconds(asked["stop"])
            word, *series = json.loads(body)["operations"]
            assert word == "metric" and {aggregation for _, aggregation in series} == {"mean"}, body
            measures = {one: {"mean": [[iso(at, "+00:00"), 300.0, 10**9 + self.GROWTH[int(one[-1])] * (at - start) // STEP_S] for at in range(start, stop, STEP_S)]}
                        for one, _ in series}
            return 200, JSON, json.dumps({"measures": measures}).encode()
        return None


def usage_history(without=""):
    """A measurement each minute, of the minute before; CloudStack tells its server's zone."""
    def answer(_method, _path, body):
        asked = dict(urllib.parse.parse_qsl(body.decode()))
        if asked.get("command") != "listVirtualMachinesUsageHistory":
            return None
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", asked["startdate"]), asked
        since = seconds(asked["startdate"].replace(" ", "T") + "Z")
        stats = [{"timestamp": iso(at + 9 * 3600, "+0900"), "cpuused": "25%" if at % 120 else "25,00%", "networkkbsread": BYTES["received"] / 5 / 1024,
                  "networkkbswrite": BYTES["sent"] / 5 / 1024, "diskkbsread": 0, "diskkbswrite": BYTES["written"] / 5 / 1024, "diskioread": 0, "diskiowrite": 3,
                  "diskiopstotal": 3, "memoryintfreekbs": -1, "memorykbs": 1048576, "memorytargetkbs": 1048576} for at in range(since, since + 24 * 3600, 60)]
        rows = [{"id": one, "name": "web", "displayname": "web", "stats": [] if one == without else stats} for one in asked["ids"].split(",")]
        return 200, JSON, json.dumps({"listvirtualmachinesusagehistoryresponse": {"count": len(rows), "virtualmachine": rows}}).encode()
    return answer


def monitor(without=""):
    """Azure Monitor: one machine a request. An interval in which the machine was off has no value."""
    values = {"Percentage CPU": ("average", CPU), "Network In Total": ("total", BYTES["received"]), "Network Out Total": ("total", BYTES["sent"]),
              "Disk Read Bytes": ("total", 0), "Disk Write Bytes": ("total", BYTES["written"]), "Available Memory Bytes": ("average", FREE)}

    def answer(method, path, _body):
        if "/providers/Microsoft.Insights/metrics?" not in path:
            return None
        asked = dict(urllib.parse.parse_qsl(path.partition("?")[2]))
        assert method == "GET" and asked["interval"] == "PT5M" and asked["api-version"] == "2018-01-01", path
        start, stop = map(seconds, asked["timespan"].split("/"))
        ref = path.split("/virtualMachines/")[1].partition("/")[0]
        times = [iso(at) for at in range(start, stop, STEP_S)]
        rows = [{"id": path, "type": "Microsoft.Insights/metrics", "name": {"value": name, "localizedValue": name}, "unit": "Bytes", "errorCode": "Success",
                 "timeseries": [{"metadatavalues": [], "data": [{"timeStamp": at, **({} if ref == without else {values[name][0]: values[name][1]})} for at in times]}]}
                for name in asked["metricnames"].split(",")]
        return 200, JSON, json.dumps({"cost": 59, "timespan": asked["timespan"], "interval": "PT5M", "value": rows}).encode()
    return answer


SERVERS = {"openstack": Gnocchi, "cloudstack": usage_history, "azure": monitor}


@pytest.fixture(scope="module")
def world():
    with Dev() as there, Dev() as home:
        there.ec2 = there.account.client()
        home.there, home.refs, home.proxies = there, launch(there, 3), {}
        yield home
        for proxy in home.proxies.values():
            proxy.end()


def with_gnocchi(proxy, answer):
    """Keystone's answer, with a catalog that has Gnocchi at the proxy."""
    said = json.loads(answer)
    said["token"]["catalog"].append({"type": "metric", "name": "gnocchi", "id": "m" * 32, "endpoints": [
        {"id": "e" * 32, "interface": "public", "region": REGION, "region_id": REGION, "url": proxy.url.removesuffix("/identity/v3")}]})
    return json.dumps(said).encode()


def place(world, name, kind):
    """A provider behind a proxy, without metrics so far."""
    paths = {"openstack": "/identity/v3", "cloudstack": "/client/api", "azure": ""}
    proxy = elsewhere.Proxy(world.there, paths[kind])
    world.proxies[name] = proxy
    add(world, name, kind, world.there, proxy.url)
    wait_until(lambda: len(machines(world, name)) == 3 and provider(world, name).get("refreshed_us"), "the listing", shows=lambda: provider(world, name))
    return proxy


def ask(world, name, wanted="yes"):
    assert run(world, "provider", "set", name, "--metrics", wanted).returncode == 0


def points(world, row):
    return world.command("remote", "metrics", row["id"])


def problem(world, name):
    return [c["message"] for c in provider(world, name).get("conditions", []) if c["name"] == "MetricsNotRead"]


@pytest.mark.parametrize("kind", SERVERS)
def test_points(world, kind):
    """The last whole hour comes in points of five minutes; a machine without metrics has none."""
    proxy = place(world, kind, kind)
    without = sorted(machines(world, kind))[1]
    server = SERVERS[kind](without.partition(":")[2] if kind == "azure" else without)
    proxy.spoil = server
    if kind == "openstack":
        proxy.change = lambda path, body, answer: with_gnocchi(proxy, answer) if path.endswith("/auth/tokens") else answer
        assert run(world, "provider", "set", kind, "--secret-stdin", text=cloud.own(world.there).password + "\n").returncode == 0
    ask(world, kind)
    rows = machines(world, kind)
    for ref, row in sorted(rows.items()):
        if ref == without:
            continue
        wait_until(lambda: len(points(world, row)) == 12, f"an hour's points of {ref}", shows=lambda: (points(world, row), provider(world, kind)))
        for _at, cpu, memory, received, sent, _, _, read, written, *_ in points(world, row):
            got = {"received": received, "sent": sent, "read": read, "written": written}
            assert got == {name: value // STEP_S for name, value in BYTES.items()}, got
            assert abs(cpu - CPU) < 0.1 and not memory, (cpu, memory)  # a provider of all locations lists no types
    assert not points(world, rows[without]) and not problem(world, kind)
    if kind == "openstack":
        assert (server.searches, server.reads) == (3, 1)
    ask(world, kind, "no")


BAD = {"openstack": [("/v1/search/", (403, JSON, b'{"code": 403, "title": "Forbidden", "description": "Insufficient privileges"}')),
                     ("/v1/search/", (200, JSON, b'{"found": []}')), ("/v1/aggregates", (200, JSON, b'{"measures": 1}'))],
       "cloudstack": [("UsageHistory", (432, JSON, b'{"errorresponse": {"errorcode": 432, "errortext": "The given command does not exist or it is not available for user"}}')),
                      ("UsageHistory", (502, JSON, b"<html>"))],
       "azure": [("Insights", (403, JSON, b'{"error": {"code": "AuthorizationFailed", "message": "The client does not have authorization to perform action"}}')),
                 ("Insights", (200, JSON, b'{"value": {}}'))]}


@pytest.mark.parametrize("kind, word, answer", [(k, w, a) for k, rows in BAD.items() for w, a in rows])
def test_refusals(world, kind, word, answer):
    """Metrics that cannot be read are a condition of the provider; its machines and its status stay. The condition goes with the next good hour."""
    proxy, good = world.proxies[kind], SERVERS[kind]()
    proxy.spoil = lambda method, path, body: answer if word in path or word.encode() in body else good(method, path, body)
    ask(world, kind)
    wait_until(lambda: problem(world, kind), "the condition", shows=lambda: provider(world, kind))
    assert len(machines(world, kind)) == 3 and provider(world, kind)["status"] == "ok"
    ask(world, kind, "no")
    proxy.spoil = good
    ask(world, kind)
    wait_until(lambda: not problem(world, kind), "no condition", shows=lambda: provider(world, kind))
    ask(world, kind, "no")


def test_without_gnocchi(world):
    """A cloud whose catalog has no service of metrics is named as such."""
    place(world, "plain", "openstack")
    ask(world, "plain")
    wait_until(lambda: any("service" in text for text in problem(world, "plain")), "the condition", shows=lambda: provider(world, "plain"))


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/daemon/commands_whatif.c src/engine/virtual src/engine/region
"""Compares `dari whatif` and `dari balance --plan` with what then happens: a drain uses the predicted hosts, a launch fits as predicted, the planned
moves are accepted and produce the predicted load. And asking changes nothing."""
import json
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import DARI, Dev  # noqa: E402
import waiting  # noqa: E402



class Region:
    """Open and closed hosts, and machines on them."""

    def __init__(self, dev):
        self.dev, self.ec2 = dev, dev.account.client()
        self.image = self.ec2.describe_images()["Images"][0]["ImageId"]
        self.hosts = [h["name"] for h in dev.command("host", "list")]
        self.zones = {h["name"]: h["zone"] for h in dev.command("host", "list")}

    def zone_hosts(self):
        """Hosts of the first zone."""
        return [h for h in self.hosts if self.zones[h] == self.zones[self.hosts[0]]]

    def launch(self, count, kind="t3.micro", **how):
        how["Placement"] = {"AvailabilityZone": self.zones[self.hosts[0]], **how.get("Placement", {})}
        made = self.ec2.run_instances(ImageId=self.image, InstanceType=kind, MinCount=count, MaxCount=count, **how)["Instances"]
        self.dev.rest()
        return [i["InstanceId"] for i in made]

    def ask(self, *words, status=0):
        before = self.dev.command("host", "list")
        done = subprocess.run([DARI, "--config", self.dev.config, *words], capture_output=True, text=True, check=False)
        assert done.returncode == status, (done.stdout, done.stderr)
        value = subprocess.run([DARI, "--config", self.dev.config, *words, "--json"], capture_output=True, text=True, check=False).stdout
        assert self.dev.command("host", "list") == before
        return json.loads(value), done.stdout

    def close_all_but(self, *names):
        """Closes hosts by a scheduled maintenance: nothing new is placed there."""
        for host in self.hosts:
            if host not in names:
                self.dev.command("host", "maintenance", host, "--from", "2040-01-01T00:00:00Z")

    def open_all(self):
        for host in self.hosts:
            subprocess.run([DARI, "--config", self.dev.config, "host", "maintenance", host, "--end"], capture_output=True, check=False)

    def moved(self):
        """Waits until no instance is migrating."""
        waiting.wait_until(lambda: all(i["State"]["Name"] == "running" for r in self.ec2.describe_instances()["Reservations"] for i in r["Instances"]),
                           "all run")
        self.dev.rest()

    def load(self):
        return {h["name"]: (h["vcpus_used"], h["memory_used"], h["instances"]) for h in self.dev.command("host", "list")}


@pytest.fixture
def region():
    with Dev("--hosts", "6") as dev:
        yield Region(dev)


def test_drain_goes_where_it_was_said(region):
    first, *others = region.zone_hosts()
    assert others
    region.close_all_but(first)
    machines = region.launch(4)
    region.open_all()
    said, text = region.ask("whatif", "drain", first)
    assert {m["instance"] for m in said["machines"]} == set(machines) and said["not_fitting"] == 0
    assert "0 of 4 instances would stay" in text
    done = region.dev.command("host", "drain", first)
    assert {m["instance"]: m["target"] for m in done} == {m["instance"]: m["host"] for m in said["machines"]}
    region.moved()
    assert region.load()[first] == (0, 0, 0)


def test_drain_says_what_stays(region):
    first = region.zone_hosts()[0]
    region.close_all_but(first)
    (machine,) = region.launch(1)
    said, text = region.ask("whatif", "drain", first, status=1)
    assert said["not_fitting"] == 1 and said["machines"][0]["instance"] == machine and not said["machines"][0]["fits"]
    assert "are closed to new instances" in said["machines"][0]["problem"] and "stays:" in text
    assert region.dev.command("host", "drain", first)[0]["problem"] == said["machines"][0]["problem"]


def test_host_down(region):
    """Machines of every state count; one that does not fit lists a reason for each host."""
    first, *others = region.zone_hosts()
    region.close_all_but(first)
    machines = region.launch(3)
    region.ec2.stop_instances(InstanceIds=machines[:1])
    region.dev.rest()
    region.open_all()
    said, text = region.ask("whatif", "host-down", first)
    assert {m["instance"] for m in said["machines"]} == set(machines) and {m["host"] for m in said["machines"]} <= set(others)
    assert "fits on" in text
    region.close_all_but(first)
    said, text = region.ask("whatif", "host-down", first, status=1)
    assert said["not_fitting"] == 3
    assert all(f"1 do not answer ({first})" in m["problem"] for m in said["machines"])
    assert region.ask("whatif", "host-down", others[0])[0] == {"machines_tried": 0, "not_fitting": 0, "cut": False, "machines": []}


def test_groups_hold(region):
    """As many anti-affine machines as the zone has hosts: one host less leaves one machine out. A new host helps."""
    hosts = region.zone_hosts()
    region.ec2.create_placement_group(GroupName="spread", Strategy="spread")
    region.launch(len(hosts), Placement={"GroupName": "spread"})
    said, _ = region.ask("whatif", "host-down", hosts[0], status=1)
    assert said["not_fitting"] == said["machines_tried"] == 1 and "are against its server group" in said["machines"][0]["problem"]
    said, text = region.ask("whatif", "add", "--cpus", "8", "--memory", "16384", "--zone", region.zones[hosts[0]])
    by_host = {h["host"]: h for h in said["hosts"]}
    assert all((by_host[h]["machines"], by_host[h]["not_fitting"], by_host[h]["not_fitting_with_it"]) == (1, 1, 0) for h in hosts)
    assert "if it is down:" in text
    elsewhere = [h for h in region.hosts if region.zones[h] != region.zones[hosts[0]]]
    said, _ = region.ask("whatif", "add", "--cpus", "8", "--memory", "16384", "--zone", region.zones[elsewhere[0]])
    assert {h["host"]: h["not_fitting_with_it"] for h in said["hosts"] if h["host"] in hosts} == dict.fromkeys(hosts, 1)
    assert "the-new-host" not in [h["name"] for h in region.dev.command("host", "list")]


def test_dedicated_hosts_hold(region):
    """A machine of a dedicated host has no other host; and no other account's machine goes to one."""
    zone = region.zones[region.hosts[0]]
    (dedicated,) = region.ec2.allocate_hosts(AvailabilityZone=zone, InstanceType="t3.micro", Quantity=1, AutoPlacement="on")["HostIds"]
    (machine,) = region.launch(1, Placement={"Tenancy": "host", "HostId": dedicated})
    (there,) = [h for h, load in region.load().items() if load[2]]
    said, _ = region.ask("whatif", "host-down", there, status=1)
    assert said["machines"][0]["instance"] == machine and "against its tenancy or dedicated to others" in said["machines"][0]["problem"]
    others = [h for h in region.zone_hosts() if h != there]
    region.close_all_but(others[0])
    region.launch(1)
    region.open_all()
    region.close_all_but(there, others[0])
    said, _ = region.ask("whatif", "host-down", others[0], status=1)
    assert said["not_fitting"] == 1 and f"dedicated to others ({there})" in said["machines"][0]["problem"]


def test_balance(region):
    first, *others = region.zone_hosts()
    region.close_all_but(first)
    region.launch(5, "t3.2xlarge")
    region.open_all()
    plan, text = region.ask("balance", "--plan")
    assert plan["moves"] and plan["fullest_after"] < plan["fullest_before"]
    assert "% full" in text
    for move in plan["moves"]:
        assert move["from"] == first and move["to"] in others
        assert f"dari host move {move['instance']} --to {move['to']}\n" in text
        assert max(move["from_after"], move["to_after"]) < move["from_before"]
        region.dev.command("host", "move", move["instance"], "--to", move["to"])
    region.moved()
    again, text = region.ask("balance", "--plan")
    assert again["moves"] == [] and "no move would help" in text
    assert again["fullest_before"] == pytest.approx(plan["fullest_after"], abs=0.002)
    assert again["emptiest_before"] == pytest.approx(plan["emptiest_after"], abs=0.002)


def test_balance_of_few_moves(region):
    first = region.zone_hosts()[0]
    region.close_all_but(first)
    region.launch(5, "t3.2xlarge")
    assert region.ask("balance", "--plan")[0]["moves"] == []  # no destination
    region.open_all()
    assert len(region.ask("balance", "--plan", "--moves", "1")[0]["moves"]) == 1


@pytest.mark.parametrize("words, says", [
    (["balance"], "nothing moves by itself"),
    (["balance", "--plan", "--moves", "51"], "--moves wants a number from 1 to 50"),
    (["whatif", "host-down", "nobody"], "nobody"),
    (["whatif", "drain", "nobody"], "nobody"),
    (["whatif", "add", "--cpus", "0", "--memory", "1024"], "--cpus wants a number from 1"),
    (["whatif", "add", "--cpus", "4"], "--memory"),
    (["whatif", "add", "--cpus", "4", "--memory", "1024", "--zone", "moon"], "moon"),
])
def test_what_cannot_be_asked(region, words, says):
    done = subprocess.run([DARI, "--config", region.dev.config, *words], capture_output=True, text=True, check=False)
    assert done.returncode != 0 and says in done.stderr, (done.returncode, done.stdout, done.stderr)


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

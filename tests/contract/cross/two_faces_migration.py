#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: docs/mapping.md src/reconcile/instance/instance_migration src/engine/region
"""Live migration: requested by the stock openstack command and by CloudStack, observed, and cancelled; and the other faces' view of it. The hosts are
simulated and take time."""
import contextlib
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
from cloudstack import admin_key, call, wait  # noqa: E402
from dev import Dev  # noqa: E402
from faces import COMPUTE, NEWEST, holds  # noqa: E402
import waiting  # noqa: E402



class Region:
    def __init__(self, dev):
        self.dev, self.admin, self.key = dev, cloud.admin(dev), admin_key(dev)
        self.ec2 = dev.account.client()

    def launch(self):
        """A running instance: its EC2 id and its Nova id."""
        image = self.ec2.describe_images()["Images"][0]["ImageId"]
        made = self.ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
        self.until(lambda: self.state(made) == "running", "running")
        self.dev.rest()
        return made, self.dev.command("explain", made)["id"]

    def state(self, made):
        return self.ec2.describe_instances(InstanceIds=[made])["Reservations"][0]["Instances"][0]["State"]["Name"]

    def server(self, server):
        return self.admin.ok("GET", f"{COMPUTE}/servers/{server}")["server"]

    def host(self, server):
        return self.server(server)["OS-EXT-SRV-ATTR:host"]

    def migrations(self, server):
        return self.admin.ok("GET", f"{COMPUTE}/servers/{server}/migrations", version=NEWEST)["migrations"]

    @contextlib.contextmanager
    def at_rate(self, server, mib_a_second):
        """Limits the transfer rate from the server's host, so that a Python client can start during the migration."""
        host = self.host(server)
        self.dev.command("host", "set", host, "--move-rate", str(mib_a_second))
        yield
        self.dev.command("host", "set", host, "--move-rate", "0")

    def until(self, holds_now, words):
        waiting.wait_until(holds_now, words, every_s=0.05)


@pytest.fixture(scope="module")
def region():
    with Dev("--hosts", "6", instant=False) as dev:
        yield Region(dev)


@holds("Instances: on its way to another host")
def test_nova_moves_it(region):
    made, server = region.launch()
    source = region.host(server)
    with region.at_rate(server, 40):
        region.admin.openstack("--os-compute-api-version", "2.30", "server", "migrate", "--live-migration", server)
        shown = region.server(server)
        assert (shown["status"], shown["OS-EXT-STS:task_state"], shown["OS-EXT-STS:vm_state"]) == ("MIGRATING", "migrating", "active")
        assert region.state(made) == "running"
        region.until(lambda: any(m["memory_processed_bytes"] for m in region.migrations(server)), "it is told how much was sent")
        [under_way] = region.migrations(server)
        assert under_way["status"] == "running" and under_way["memory_total_bytes"] == 1 << 30
        listed = region.admin.openstack("--os-compute-api-version", "2.80", "server", "migration", "list", "--server", server, "-f", "json")
        assert [(m["Status"], m["Type"], m["Source Compute"]) for m in listed] == [("running", "live-migration", source)]
    region.until(lambda: region.server(server)["status"] == "ACTIVE", "it is there")
    region.until(lambda: region.migrations(server) == [], "the network followed")
    assert region.host(server) != source and region.state(made) == "running"
    last = region.admin.ok("GET", f"{COMPUTE}/os-migrations?instance_uuid={server}", version=NEWEST)["migrations"][0]
    assert (last["status"], last["migration_type"], last["source_compute"], last["dest_compute"]) == \
        ("completed", "live-migration", source, region.host(server))


def test_it_is_called_off(region):
    _, server = region.launch()
    source = region.host(server)
    with region.at_rate(server, 5):
        region.admin.ok("POST", f"{COMPUTE}/servers/{server}/action", {"os-migrateLive": {"host": None, "block_migration": "auto"}}, version=NEWEST)
        region.until(lambda: [m["status"] for m in region.migrations(server)] == ["running"], "it is being sent")
        number = str(region.migrations(server)[0]["id"])
        region.admin.openstack("--os-compute-api-version", "2.24", "server", "migration", "abort", server, number)
    region.until(lambda: region.server(server)["status"] == "ACTIVE", "it stays")
    assert region.host(server) == source
    assert region.admin.ok("GET", f"{COMPUTE}/os-migrations?instance_uuid={server}", version=NEWEST)["migrations"][0]["status"] == "cancelled"


def test_it_is_hastened(region):
    _, server = region.launch()
    with region.at_rate(server, 5):
        region.admin.ok("POST", f"{COMPUTE}/servers/{server}/action", {"os-migrateLive": {"host": None, "block_migration": True}}, version=NEWEST)
        region.until(lambda: [m["status"] for m in region.migrations(server)] == ["running"], "it is being sent")
        number = str(region.migrations(server)[0]["id"])
        region.admin.openstack("--os-compute-api-version", "2.22", "server", "migration", "force", "complete", server, number)
    region.until(lambda: region.server(server)["status"] == "ACTIVE", "it is there")


@holds("Instances: moved off, not confirmed")
def test_nova_moves_it_off(region):
    made, server = region.launch()
    source = region.host(server)
    region.admin.openstack("--os-compute-api-version", "2.56", "server", "migrate", server)
    assert region.server(server)["status"] == "RESIZE"
    region.until(lambda: region.server(server)["status"] == "VERIFY_RESIZE", "it is there")
    there = region.host(server)
    assert there != source and region.state(made) == "running"
    region.admin.openstack("server", "migrate", "revert", server)
    region.until(lambda: region.server(server)["status"] == "ACTIVE", "it is back")
    assert region.host(server) == source
    region.dev.rest()
    region.admin.openstack("--os-compute-api-version", "2.56", "server", "migrate", "--host", there, server)
    region.until(lambda: region.server(server)["status"] == "VERIFY_RESIZE", "it is there again")
    region.admin.openstack("server", "migrate", "confirm", server)
    assert region.server(server)["status"] == "ACTIVE" and region.host(server) == there
    listed = region.admin.ok("GET", f"{COMPUTE}/os-migrations?instance_uuid={server}", version=NEWEST)["migrations"]
    assert [(m["migration_type"], m["status"]) for m in listed] == [("migration", "confirmed"), ("migration", "reverted")]


def test_a_maintenance_moves_it(region):
    made, server = region.launch()
    source = region.host(server)
    said = region.dev.command("host", "maintenance", source, "--from", "now", "--kind", "move", "--reason", "New fans")
    assert {e["instance"]: e["event"] for e in said}[made] == "system-maintenance"
    status = region.ec2.describe_instance_status(InstanceIds=[made])["InstanceStatuses"][0]
    assert [(e["Code"], e["Description"].split("] ")[-1]) for e in status["Events"]] == [("system-maintenance", "New fans")]
    region.until(lambda: region.host(server) != source and region.server(server)["status"] == "ACTIVE", "it is elsewhere")
    assert region.state(made) == "running"
    region.dev.command("host", "maintenance", source, "--end")


def test_a_weaker_host_is_refused_by_name(region):
    made, server = region.launch()
    region.dev.command("host", "add", "weak", "--uri", "sim://?lacks=avx2", "--zone", region.server(server)["OS-EXT-AZ:availability_zone"])
    region.until(lambda: [h for h in region.dev.command("host", "list") if h["name"] == "weak" and h["state"] == "up"], "it is up")
    with pytest.raises(subprocess.CalledProcessError) as refused:
        region.dev.command("host", "move", made, "--to", "weak")
    assert "The processor of weak lacks what the instance has: avx2" in refused.value.stderr + refused.value.stdout
    shown = region.dev.command("host", "show", "weak")
    assert "-avx2" in shown["processor"] and "-avx2" in shown["guests get"]
    later, other = region.launch()
    is_near = region.server(other)["OS-EXT-AZ:availability_zone"] == region.server(server)["OS-EXT-AZ:availability_zone"]
    if is_near and region.dev.command("explain", later)["fields"]["host"] != "weak":
        region.dev.command("host", "move", later, "--to", "weak")


@holds("Instances: on its way to another host")
def test_ec2_stops_it_meanwhile(region):
    """Nova refuses a stop; EC2's users cannot see the migration, so a stop is carried out on the present host."""
    made, server = region.launch()
    region.admin.ok("POST", f"{COMPUTE}/servers/{server}/action", {"os-migrateLive": {"host": None, "block_migration": "auto"}}, version=NEWEST)
    refused = region.admin.call("POST", f"{COMPUTE}/servers/{server}/action", {"os-stop": None})
    assert refused.status == 409
    region.ec2.stop_instances(InstanceIds=[made])
    region.until(lambda: region.state(made) == "stopped", "it is stopped")


@holds("Instances: on its way to another host")
def test_cloudstack_moves_it(region):
    made, server = region.launch()
    source = region.host(server)
    status, answer, _ = call(region.dev, "migrateVirtualMachine", virtualmachineid=server, **region.key)
    assert status == 200, answer
    machine = call(region.dev, "listVirtualMachines", id=server, **region.key)[1]["virtualmachine"][0]
    assert machine["state"] == "Migrating" and region.state(made) == "running"
    done, result = wait(region.dev, answer, **region.key)
    assert done == 1 and result["virtualmachine"]["state"] == "Running"
    assert result["virtualmachine"]["hostname"] != source


def test_a_host_is_drained(region):
    made, server = region.launch()
    source = region.host(server)
    said = region.dev.command("host", "drain", source, "--reason", "New fans")
    assert {i["instance"]: bool(i["target"]) for i in said}[made]
    region.until(lambda: region.host(server) != source, "it is elsewhere")
    assert region.state(made) == "running"
    services = region.admin.ok("GET", f"{COMPUTE}/os-services?host={source}")["services"]
    assert [(s["status"], s["disabled_reason"]) for s in services] == [("disabled", "New fans")]


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))

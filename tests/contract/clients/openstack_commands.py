#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/openstack
"""The stock openstack command: every subcommand for everyday calls that no other test of this folder covers. The same client reads each change back."""
import os
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud as lib  # noqa: E402
from dev import Dev  # noqa: E402
import waiting  # noqa: E402



SILENT = {"set", "unset", "delete", "add", "remove", "reboot", "resize", "confirm", "revoke"}


class Project(lib.Project):
    def say(self, *argv):
        """The command's output as JSON, or as text."""
        quiet = SILENT & {word for word in argv[:4] if word[:1] != "-"}
        return self.openstack(*argv, *([] if quiet else ["-f", "json"]))


class Clients:
    """The project's user and the region's administrator."""

    def __init__(self, dev):
        self.dev = dev
        self.own = Project(dev, lib.said(dev, "OS_PROJECT_NAME"), lib.said(dev, "OS_USERNAME"), lib.said(dev, "OS_PASSWORD"))
        self.admin = Project(dev, "admin", "admin", lib.admin(dev).password)
        self.image = self.own.say("image", "list")[0]["ID"]

    def server(self, name, *words):
        self.own.say("server", "create", "--image", self.image, "--flavor", "t3.micro", *words, "--wait", name)
        return name

    def await_that(self, words, look):
        waiting.wait_until(look, words)

    def await_server(self, name, status):
        self.await_that(f"{name}: {status}", lambda: self.own.say("server", "show", name)["status"] == status)


@pytest.fixture(scope="module")
def c():
    with Dev() as dev:
        yield Clients(dev)


def names(rows, column="Name"):
    return {row[column] for row in rows}


# ---- identity

def test_what_there_is(c):
    services = c.admin.say("service", "list")
    assert {"identity", "compute", "image", "network", "volumev3", "placement"} <= names(services, "Type")
    compute = next(s for s in services if s["Type"] == "compute")
    assert c.admin.say("service", "show", compute["ID"])["type"] == "compute"
    endpoints = c.admin.say("endpoint", "list")
    mine = next(e for e in endpoints if e["Service Type"] == "compute")
    assert c.admin.say("endpoint", "show", mine["ID"])["url"] == mine["URL"]
    assert [r["Region"] for r in c.admin.say("region", "list")] == ["us-east-1"]
    assert "compute" in names(c.own.say("catalog", "list"), "Type")
    assert {"Region Name", "Service Type", "Version", "Status", "Endpoint"} <= set(c.own.say("versions", "show")[0])
    assert names(c.own.say("project", "list", "--my-projects")) == {c.own.name}


def test_people(c):
    c.admin.say("project", "create", "tried")
    c.admin.say("project", "set", "--description", "for trials", "tried")
    assert c.admin.say("project", "show", "tried")["description"] == "for trials"
    c.admin.say("user", "create", "--password", "secret", "tester")
    c.admin.say("user", "set", "--email", "t@example.com", "tester")
    assert c.admin.say("user", "show", "tester")["email"] == "t@example.com"
    c.admin.say("role", "create", "auditor")
    c.admin.say("role", "add", "--project", "tried", "--user", "tester", "auditor")
    given = c.admin.say("role", "assignment", "list", "--project", "tried", "--user", "tester", "--names")
    assert names(given, "Role") == {"auditor"}
    c.admin.say("role", "remove", "--project", "tried", "--user", "tester", "auditor")
    c.admin.say("role", "delete", "auditor")
    assert "auditor" not in names(c.admin.say("role", "list"))
    c.admin.say("user", "delete", "tester")
    c.admin.say("project", "delete", "tried")
    assert "tried" not in names(c.admin.say("project", "list"))


def test_token(c):
    token = c.own.say("token", "issue")["id"]
    header = {"X-Auth-Token": token}
    assert c.own.call("GET", "/compute/v2.1/servers", headers=header).status == 200
    c.own.say("token", "revoke", token)
    assert c.own.call("GET", "/compute/v2.1/servers", headers=header).status == 401


# ---- compute

def test_server_actions(c):
    server = c.server("acted", "--property", "a=1", "--property", "b=2")
    c.own.say("server", "unset", "--property", "a", server)
    assert c.own.say("server", "show", server)["properties"] == {"b": "2"}
    c.own.say("server", "reboot", "--hard", "--wait", server)
    c.own.say("server", "resize", "--flavor", "t3.small", "--wait", server)
    c.own.say("server", "resize", "confirm", server)
    c.await_server(server, "ACTIVE")
    assert "t3.small" in str(c.own.say("server", "show", server)["flavor"])
    c.own.say("server", "image", "create", "--name", "of-acted", "--wait", server)
    assert c.own.say("image", "show", "of-acted")["status"] == "active"
    c.own.say("server", "rebuild", "--image", c.image, "--wait", server)
    c.await_server(server, "ACTIVE")
    events = c.own.say("server", "event", "list", server)
    shown = c.own.say("server", "event", "show", server, events[0]["Request ID"])
    assert shown["action"] == events[0]["Action"]
    c.own.say("image", "delete", "of-acted")
    c.own.say("server", "delete", "--wait", server)


def test_server_parts(c):
    server = c.server("parted")
    c.own.say("security", "group", "create", "doors")
    c.own.say("security", "group", "set", "--description", "of parted", "doors")
    assert c.own.say("security", "group", "show", "doors")["description"] == "of parted"
    c.own.say("server", "add", "security", "group", server, "doors")
    assert "doors" in names(c.own.say("server", "show", server)["security_groups"], "name")
    c.own.say("server", "remove", "security", "group", server, "doors")
    assert "doors" not in names(c.own.say("server", "show", server)["security_groups"], "name")
    c.own.say("security", "group", "delete", "doors")

    network = c.own.say("port", "list", "--server", server, "--long")
    assert len(network) == 1
    subnet = network[0]["Fixed IP Addresses"][0]["subnet_id"]
    net = c.own.say("subnet", "show", subnet)["network_id"]
    c.own.say("port", "create", "--network", net, "second")
    c.own.say("port", "set", "--name", "another", "--description", "second", "second")
    assert c.own.say("port", "show", "another")["description"] == "second"
    c.own.say("server", "add", "port", server, "another")
    c.await_that("the port", lambda: len(c.own.say("port", "list", "--server", server)) == 2)
    c.own.say("server", "remove", "port", server, "another")
    c.await_that("no port", lambda: len(c.own.say("port", "list", "--server", server)) == 1)
    c.own.say("server", "add", "network", server, net)
    c.await_that("its network", lambda: len(c.own.say("port", "list", "--server", server)) == 2)

    mine = c.own.say("server", "show", server)["OS-EXT-AZ:availability_zone"]
    other = next(z for z in names(c.own.say("availability", "zone", "list", "--volume"), "Zone Name") if z != mine)
    c.own.say("volume", "create", "--size", "1", "--availability-zone", other, "data")
    c.await_that("a volume", lambda: c.own.say("volume", "show", "data")["status"] == "available")
    c.own.say("server", "add", "volume", server, "data")
    c.await_that("its volume", lambda: c.own.say("volume", "show", "data")["status"] == "in-use")
    assert c.own.say("volume", "show", "data")["availability_zone"] == mine
    volume = c.own.say("volume", "show", "data")["id"]
    assert volume in names(c.own.say("server", "volume", "list", server), "Volume ID")
    c.own.say("server", "remove", "volume", server, "data")
    c.await_that("a free volume", lambda: c.own.say("volume", "show", "data")["status"] == "available")
    c.own.say("volume", "delete", "data")
    c.own.say("server", "delete", "--wait", server)


def test_flavors_and_keys(c):
    c.admin.say("flavor", "create", "--ram", "512", "--vcpus", "1", "--disk", "1", "--property", "hw:x=1", "tried")
    assert "tried" in names(c.own.say("flavor", "list"))
    c.admin.say("flavor", "unset", "--property", "hw:x", "tried")
    assert c.admin.say("flavor", "show", "tried")["properties"] == {}
    c.admin.say("flavor", "delete", "tried")
    assert "tried" not in names(c.own.say("flavor", "list"))
    c.own.say("keypair", "create", "--private-key", "/dev/null", "door")
    assert c.own.say("keypair", "show", "door")["type"] == "ssh"
    c.own.say("keypair", "delete", "door")


def test_limits_and_quotas(c):
    limits = {row["Name"]: row["Value"] for row in c.own.say("limits", "show", "--absolute")}
    assert {"maxTotalInstances", "maxTotalCores", "maxTotalVolumes", "totalSnapshotsUsed"} <= set(limits)
    project = c.own.name
    before = c.own.say("quota", "show")
    assert c.own.say("quota", "show", "--default")
    c.admin.say("quota", "set", "--instances", "7", "--volumes", "8", "--networks", "9", project)
    after = c.admin.say("quota", "show", project)
    row = {k: after[k] for k in ("instances", "volumes", "networks")} if isinstance(after, dict) else \
        {r["Resource"]: r["Limit"] for r in after if r["Resource"] in ("instances", "volumes", "networks")}
    assert row == {"instances": 7, "volumes": 8, "networks": 9}, after
    assert before != after
    used = c.admin.say("quota", "list", "--detail", "--compute")
    assert "instances" in names(used, "Resource")
    assert "networks" in names(c.admin.say("quota", "list", "--detail", "--network"), "Resource")


def test_hosts(c):
    hosts = c.admin.say("hypervisor", "list")
    assert hosts and c.admin.say("hypervisor", "show", hosts[0]["Hypervisor Hostname"])["state"] == "up"
    assert names(c.admin.say("hypervisor", "list", "--matching", "sim"), "Hypervisor Hostname") == names(hosts, "Hypervisor Hostname")
    assert "nova-compute" in names(c.admin.say("compute", "service", "list"), "Binary")
    agents = c.admin.say("network", "agent", "list")
    assert agents and c.admin.say("network", "agent", "show", agents[0]["ID"])["host"] == agents[0]["Host"]
    for part in ("--compute", "--network", "--volume"):
        zones = c.own.say("availability", "zone", "list", part)
        assert "us-east-1a" in names(zones, "Zone Name"), part


# ---- images, networks, volumes

def test_images(c):
    with tempfile.NamedTemporaryFile() as file:
        file.write(bytes(1 << 20))
        file.flush()
        c.own.say("image", "create", "--disk-format", "raw", "--file", file.name, "--tag", "first", "--shared", "tried")
    c.own.say("image", "set", "--tag", "second", "tried")
    c.own.say("image", "unset", "--tag", "first", "tried")
    assert c.own.say("image", "show", "tried")["tags"] == ["second"]
    other = lib.another(c.dev, "reader", Project)
    image = c.own.say("image", "show", "tried")["id"]
    c.own.say("image", "add", "project", image, other.id)
    other.say("image", "set", "--accept", image)
    members = c.own.say("image", "member", "list", image)
    assert [(m["Member ID"], m["Status"]) for m in members] == [(other.id, "accepted")]
    assert image in names(other.say("image", "list"), "ID")
    c.own.say("image", "remove", "project", image, other.id)
    assert image not in names(other.say("image", "list"), "ID")
    c.own.say("image", "delete", image)


def test_networks(c):
    c.own.say("network", "create", "--tag", "mine", "plain")
    c.own.say("subnet", "create", "--network", "plain", "--subnet-range", "10.77.0.0/24", "plain")
    c.own.say("subnet", "set", "--dns-nameserver", "192.0.2.53", "--name", "named", "plain")
    assert c.own.say("subnet", "show", "named")["dns_nameservers"] == ["192.0.2.53"]
    assert c.own.say("network", "show", "plain")["tags"] == ["mine"]
    c.own.say("network", "set", "--no-tag", "--tag", "yours", "plain")
    assert c.own.say("network", "show", "plain")["tags"] == ["yours"]
    c.own.say("subnet", "delete", "named")
    c.own.say("network", "delete", "plain")
    assert "plain" not in names(c.own.say("network", "list"))
    assert "security-group" in names(c.own.say("extension", "list", "--network"), "Alias")
    assert isinstance(c.own.say("extension", "list", "--volume"), list)


def test_volumes(c):
    c.own.say("volume", "create", "--size", "1", "--property", "a=1", "tried")
    c.await_that("a volume", lambda: c.own.say("volume", "show", "tried")["status"] == "available")
    c.own.say("volume", "set", "--property", "b=2", "--read-only", "tried")
    c.own.say("volume", "unset", "--property", "a", "tried")
    shown = c.own.say("volume", "show", "tried")
    assert shown["properties"].get("b") == "2" and "a" not in shown["properties"]
    c.own.say("volume", "snapshot", "create", "--volume", "tried", "cut")
    c.await_that("a snapshot", lambda: c.own.say("volume", "snapshot", "show", "cut")["status"] == "available")
    c.own.say("volume", "snapshot", "set", "--name", "cut-again", "--description", "mine", "cut")
    assert c.own.say("volume", "snapshot", "show", "cut-again")["description"] == "mine"
    c.own.say("image", "create", "--volume", "tried", "of-volume")
    c.await_that("an image", lambda: c.own.say("image", "show", "of-volume")["status"] == "active")
    c.own.say("image", "delete", "of-volume")
    c.own.say("volume", "snapshot", "delete", "cut-again")
    c.await_that("no snapshot", lambda: "cut-again" not in names(c.own.say("volume", "snapshot", "list")))
    c.own.say("volume", "delete", "tried")
    c.await_that("no volume", lambda: "tried" not in names(c.own.say("volume", "list")))


def test_volume_types(c):
    c.admin.say("volume", "type", "create", "--property", "x=1", "--property", "y=2", "tried")
    c.admin.say("volume", "type", "unset", "--property", "x", "tried")
    assert c.admin.say("volume", "type", "show", "tried")["properties"] == {"y": "2"}
    c.admin.say("volume", "type", "delete", "tried")
    assert "tried" not in names(c.own.say("volume", "type", "list"))


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider", *sys.argv[1:]]))

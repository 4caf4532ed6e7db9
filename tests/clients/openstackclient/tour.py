# SPDX-License-Identifier: Apache-2.0
"""The openstack command with its plug-ins: a project's day, and its administrator's."""
import os
import sys

import openstackclient.compute.v2.server
import openstackclient.image.v2.image
import openstackclient.network.v2.port  # imported once, before the commands that use them
import openstackclient.volume.v3.volume
from openstackclient import shell
from steps import Failed, Program, await_that, refused, same, step, tell

plain = Program("openstack", main=lambda: shell.main(sys.argv[1:]))
own = plain.copy(last=["-f", "json"])
plain_admin = plain.copy(OS_USERNAME="admin", OS_PROJECT_NAME="admin", OS_PROJECT_ID="", OS_PASSWORD=os.environ["ADMIN_PASSWORD"])
admin = plain_admin.copy(last=["-f", "json"])
NOBODY = {name: "" for name in ("OS_USERNAME", "OS_PASSWORD", "OS_PROJECT_ID", "OS_PROJECT_NAME", "OS_USER_DOMAIN_NAME", "OS_PROJECT_DOMAIN_NAME", "OS_DOMAIN_NAME")}


def names(rows, column="Name"):
    return {row[column] for row in rows}


def fails(*words):
    """Error output of a command that must fail."""
    try:
        plain.text(*words)
    except Failed as e:
        return str(e)
    raise AssertionError("the command succeeded")


def identity():
    with step("a token and the catalog"):
        assert own.say("token", "issue")["id"]
        assert {"compute", "network", "image", "placement"} <= names(own.say("catalog", "list"), "Type")
    with step("a project, a user and a role"):
        admin.say("project", "create", "shop")
        admin.say("user", "create", "--password", "secret-7", "--project", "shop", "anna")
        plain_admin.text("role", "add", "--project", "shop", "--user", "anna", "member")
        same(names(admin.say("role", "assignment", "list", "--project", "shop", "--names"), "Role"), {"member"})
        hers = own.copy(OS_USERNAME="anna", OS_PASSWORD="secret-7", OS_PROJECT_NAME="shop", OS_PROJECT_ID="")
        same(hers.say("server", "list"), [])
        plain_admin.text("user", "delete", "anna")
        plain_admin.text("project", "delete", "shop")
        assert "shop" not in names(admin.say("project", "list"))
    with step("application credentials"):
        made = {name.lower(): value for name, value in own.say("application", "credential", "create", "robot").items()}
        robot = own.copy(**NOBODY, OS_AUTH_TYPE="v3applicationcredential", OS_APPLICATION_CREDENTIAL_ID=made["id"],
                         OS_APPLICATION_CREDENTIAL_SECRET=made["secret"])
        assert robot.say("token", "issue")["id"]
        plain.text("application", "credential", "delete", "robot")


def network():
    with step("a network, a subnet and a router to the outside"):
        own.say("network", "create", "inner")
        own.say("subnet", "create", "--network", "inner", "--subnet-range", "10.20.0.0/24", "--dns-nameserver", "9.9.9.9", "inner-v4")
        outside = next(iter(names(own.say("network", "list", "--external"))))
        own.say("router", "create", "way")
        plain.text("router", "set", "--external-gateway", outside, "way")
        plain.text("router", "add", "subnet", "way", "inner-v4")
        assert own.say("router", "show", "way")["interfaces_info"]
        os.environ["OUTSIDE"] = outside
    with step("a security group with rules"):
        own.say("security", "group", "create", "web")
        own.say("security", "group", "rule", "create", "--protocol", "tcp", "--dst-port", "80:81", "--remote-ip", "192.0.2.0/24", "web")
        own.say("security", "group", "rule", "create", "--protocol", "icmp", "web")
        rules = own.say("security", "group", "rule", "list", "web")
        same(len(rules), 4)
        same({rule["Port Range"] for rule in rules if rule["IP Protocol"] == "tcp"}, {"80:81"})
        own.say("security", "group", "rule", "create", "--protocol", "tcp", "--dst-port", "22", "default")
        refused(lambda: own.say("security", "group", "rule", "create", "--protocol", "icmp", "web"), "409")
    with step("a port, changed and found by filters"):
        own.say("port", "create", "--network", "inner", "--fixed-ip", "subnet=inner-v4,ip-address=10.20.0.77", "--security-group", "web", "door")
        plain.text("port", "set", "--allowed-address", "ip-address=10.20.0.200", "--name", "gate", "door")
        same(names(own.say("port", "list", "--fixed-ip", "ip-address=10.20.0.77")), {"gate"})
        same(own.say("port", "show", "gate")["allowed_address_pairs"][0]["ip_address"], "10.20.0.200")
        plain.text("port", "unset", "--allowed-address", "ip-address=10.20.0.200,mac-address=" + own.say("port", "show", "gate")["mac_address"], "gate")
        plain.text("port", "delete", "gate")


def machines():
    with step("flavors and images"):
        assert "t3.micro" in names(own.say("flavor", "list"))
        image = own.say("image", "list", "--status", "active")[0]
        same(own.say("image", "show", image["ID"])["status"], "active")
        os.environ["OS_IMAGE"] = image["ID"]
    with step("an uploaded image"):
        with open("disk.raw", "wb") as disk:
            disk.write(bytes(1 << 20))
        own.say("image", "create", "--disk-format", "raw", "--container-format", "bare", "--file", "disk.raw", "--property", "made=here", "--tag", "t1", "mine")
        same(own.say("image", "show", "mine")["properties"]["made"], "here")
        plain.text("image", "set", "--min-disk", "2", "mine")
        plain.text("image", "save", "--file", "back.raw", "mine")
        same(os.path.getsize("back.raw"), 1 << 20)
        plain.text("image", "delete", "mine")
    with step("a key pair"):
        assert "PRIVATE KEY" in plain.text("keypair", "create", "desk")
        assert own.say("keypair", "list")[0]["Fingerprint"]
    with step("two servers are made, and the command waits"):
        words = ["--image", os.environ["OS_IMAGE"], "--flavor", "t3.micro", "--network", "inner", "--key-name", "desk", "--security-group", "web", "--wait"]
        same(own.say("server", "create", *words, "--property", "team=blue", "one")["status"], "ACTIVE")
        same(own.say("server", "create", *words, "--boot-from-volume", "2", "two")["status"], "ACTIVE")
    with step("servers by filters and pages"):
        same(names(own.say("server", "list", "--name", "^on", "--status", "ACTIVE")), {"one"})
        same(len(own.say("server", "list", "--limit", "1")), 1)
        same(names(own.say("server", "list", "--sort-column", "Name")), {"one", "two"})
    with step("a floating IP"):
        address = own.say("floating", "ip", "create", os.environ["OUTSIDE"])["floating_ip_address"]
        plain.text("server", "add", "floating", "ip", "one", address)
        assert address in str(own.say("server", "show", "one")["addresses"])
        plain.text("server", "remove", "floating", "ip", "one", address)
        plain.text("floating", "ip", "delete", address)
    with step("stop, start, pause, resize, rebuild"):
        plain.text("server", "stop", "one")
        wait("one", "SHUTOFF")
        plain.text("server", "start", "one")
        wait("one", "ACTIVE")
        plain.text("server", "pause", "one")
        wait("one", "PAUSED")
        plain.text("server", "unpause", "one")
        wait("one", "ACTIVE")
        plain.text("server", "resize", "--flavor", "t3.small", "--wait", "one")
        plain.text("server", "resize", "confirm", "one")
        wait("one", "ACTIVE")
        plain.text("server", "rebuild", "--image", os.environ["OS_IMAGE"], "--wait", "one")
    with step("a server group, events and a snapshot"):
        own.say("server", "group", "create", "--policy", "anti-affinity", "apart")
        assert "create" in names(own.say("server", "event", "list", "one"), "Action")
        same(own.say("server", "image", "create", "--name", "shot", "--wait", "one")["status"], "active")
        plain.text("image", "delete", "shot")
        plain.text("server", "group", "delete", "apart")


def wait(server, status):
    await_that(lambda: own.say("server", "show", server)["status"] == status, f"{server}: {status}")


def disks():
    with step("a volume, attached, grown, and its snapshot"):
        own.say("volume", "create", "--size", "1", "--property", "a=1", "data")
        await_volume("available")
        own.say("server", "add", "volume", "one", "data")
        await_volume("in-use")
        plain.text("server", "remove", "volume", "one", "data")
        await_volume("available")
        plain.text("volume", "set", "--size", "2", "data")
        await_volume("available")
        same(own.say("volume", "show", "data")["size"], 2)
        own.say("volume", "snapshot", "create", "--volume", "data", "shot")
        own.say("volume", "create", "--snapshot", "shot", "--size", "2", "copy")
    with step("a volume with a snapshot stays"):
        assert "400" in fails("volume", "delete", "data") or "nvalid" in fails("volume", "delete", "data")
    with step("quotas and limits"):
        quota = {row["Resource"]: row["Limit"] for row in own.say("quota", "show")}
        assert quota["instances"] and quota["volumes"]
        assert own.say("limits", "show", "--absolute")


def await_volume(status, name="data"):
    await_that(lambda: own.say("volume", "show", name)["status"] == status, f"{name}: {status}")


def operators():
    with step("hypervisors, services and placement"):
        hosts = names(admin.say("hypervisor", "list"), "Hypervisor Hostname")
        assert hosts and admin.say("compute", "service", "list")
        providers = names(admin.say("resource", "provider", "list"), "name")
        assert hosts <= providers, (hosts, providers)
        first = admin.say("resource", "provider", "list")[0]["uuid"]
        assert {"VCPU", "MEMORY_MB"} <= names(admin.say("resource", "provider", "inventory", "list", first), "resource_class")
    with step("a flavor of the administrator's"):
        admin.say("flavor", "create", "--vcpus", "1", "--ram", "256", "--disk", "1", "tour.tiny")
        plain_admin.text("flavor", "delete", "tour.tiny")


def clean_up():
    with step("what does not exist, and what a member may not"):
        assert "No Server found" in fails("server", "show", "nobody") or "No server" in fails("server", "show", "nobody")
        assert "403" in fails("user", "list") or "orbidden" in fails("user", "list")
    with step("a router with interfaces stays"):
        assert "409" in fails("router", "delete", "way") or "onflict" in fails("router", "delete", "way")
    with step("all is deleted"):
        plain.text("server", "delete", "--wait", "one", "two")
        await_volume("available", "copy")
        plain.text("volume", "delete", "copy")
        plain.text("volume", "snapshot", "delete", "shot")
        await_that(lambda: "shot" not in names(own.say("volume", "snapshot", "list")), "the snapshot is gone")
        plain.text("volume", "delete", "data")
        plain.text("router", "remove", "subnet", "way", "inner-v4")
        plain.text("router", "delete", "way")
        plain.text("network", "delete", "inner")
        plain.text("security", "group", "delete", "web")
        plain.text("keypair", "delete", "desk")
        same(own.say("server", "list"), [])


for part in (identity, network, machines, disks, operators, clean_up):
    part()
tell("end of tour")

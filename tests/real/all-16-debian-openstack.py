#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/metadata src/drivers/drive_file
"""Debian guests created with the stock openstack command: cloud-init detects OpenStack, over the network and on a config drive, and applies key, name
and user data."""
# limit: 2400 s
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from region import Region, wait_until  # noqa: E402

USER_DATA = "#!/bin/sh\necho user data ran on $(hostname), told by $(cloud-init query subplatform) | tee /var/tmp/ran >/dev/console\n"

QUESTIONS = """cat /run/cloud-init/result.json && echo --- && cloud-id && hostname &&
cat /var/tmp/ran && sudo grep -c '"colour": "red"' /run/cloud-init/instance-data.json"""


def openstack(region, *argv):
    """The stock client's output, as JSON if possible."""
    shown = [*argv, "-f", "json"] if {"create", "show"} & set(argv) and argv[0] != "console" else argv
    text = region.run("/usr/bin/env", f"OS_CLIENT_CONFIG_FILE={region.demo}/clouds.yaml", "/usr/bin/openstack", "--os-cloud",
                      "demo", "--os-compute-api-version", "2.90", *shown)
    return json.loads(text[text.index("{"):]) if shown is not argv and "{" in text else text


def make_network(region):
    openstack(region, "network", "create", "inside")
    openstack(region, "subnet", "create", "--network", "inside", "--subnet-range", "10.7.0.0/24", "inside")
    openstack(region, "router", "create", "way-out")
    openstack(region, "router", "set", "--external-gateway", "internet", "way-out")
    openstack(region, "router", "add", "subnet", "way-out", "inside")
    openstack(region, "security", "group", "create", "ssh")
    openstack(region, "security", "group", "rule", "create", "--protocol", "tcp", "--dst-port", "22", "ssh")


def make_server(region, name, *more):
    with open(f"{region.demo}/user-data", "w", encoding="ascii") as f:
        f.write(USER_DATA)
    made = openstack(region, "server", "create", "--image", "debian", "--flavor", "t2.nano", "--key-name", "k", "--user-data",
                     f"{region.demo}/user-data", "--property", "colour=red", "--wait", *more, name)
    region.check(f"{name} is ACTIVE", made["status"] == "ACTIVE")
    return made


def over_the_network(region):
    make_server(region, "web-1", "--network", "inside", "--security-group", "ssh")
    address = openstack(region, "floating", "ip", "create", "internet")["floating_ip_address"]
    openstack(region, "server", "add", "floating", "ip", "web-1", address)
    said = []

    def has_ended():
        """cloud-init has finished; everything is read in one ssh command, because ssh on a busy machine may need several tries."""
        said[:] = region.ssh(address, QUESTIONS, fails=True).partition("\n---\n")[::2]
        return bool(said[1])

    try:
        wait_until(has_ended, "ssh with the key, over the floating address, and cloud-init's end")
    except TimeoutError:
        print(openstack(region, "console", "log", "show", "web-1")[-4000:])
        raise
    result, rest = json.loads(said[0])["v1"], said[1].splitlines()
    region.check("cloud-init finds OpenStack", rest[0] == "openstack")
    region.check("over the network", "DataSourceOpenStack" in result["datasource"])
    region.check("it needed no second try", not [e for e in result["errors"] if "locale" not in e])  # the image has no locales
    region.check("its name is the server's", rest[1] == "web-1")
    region.check(f"user data ran: {rest[2]}", "user data ran on web-1, told by metadata (http" in rest[2])
    region.check("its metadata are there", rest[3] != "0")


def on_a_drive(region):
    """A guest without network access."""
    told = lambda: openstack(region, "console", "log", "show", "alone")  # noqa: E731
    words = "user data ran on alone, told by config-disk (/dev/v"
    try:
        wait_until(lambda: words in told(), "user data of the drive")
    except TimeoutError:
        print(told()[-4000:])
        raise
    region.check("cloud-init finds the drive, without a network", True)
    shown = openstack(region, "server", "show", "alone")
    region.check("it is shown", shown["config_drive"] == "True")
    openstack(region, "server", "delete", "--wait", "alone")


def main():
    with Region("og", image="debian", login="debian") as region:
        region.run(region.dari, "account", "rc", "demo", "--directory", region.demo)
        region.make_key()
        openstack(region, "keypair", "create", "--public-key", f"{region.demo}/key.pub", "k")
        make_network(region)
        make_server(region, "alone", "--network", "none", "--use-config-drive")
        over_the_network(region)
        on_a_drive(region)
        region.check_clean()


main()

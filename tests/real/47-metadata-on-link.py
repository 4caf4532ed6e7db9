#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/ovn/nb_network.c src/drivers/plug.c src/api/metadata/places.c
"""A Neutron network without a router: its guest gets key and user data from 169.254.169.254, also if a second, routed interface follows; and no
longer from the link once the subnet has a router."""
# limit: 600 s
import base64
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import cloud as lib  # noqa: E402
from region import Region  # noqa: E402

NET, NOVA = "/network/v2.0", "/compute/v2.1/servers"
SAY = '#!/bin/sh\necho "user data of {name}; keys $(grep -c ed25519 /root/.ssh/authorized_keys); $(ip route get 169.254.169.254 | head -n 1)"\n'


def make(project, kind, path, **members):
    return project.ok("POST", f"{NET}/{path}", {kind: members})[kind]["id"]


def make_network(project, name, block):
    network = make(project, "network", "networks", name=name)
    return network, make(project, "subnet", "subnets", network_id=network, ip_version=4, cidr=block)


def start(region, project, name, *networks):
    image = next(i["id"] for i in project.ok("GET", "/image/v2/images")["images"] if i["name"] == "tiny")
    flavor = next(f["id"] for f in project.ok("GET", "/compute/v2.1/flavors")["flavors"] if f["name"] == "t3.nano")
    data = base64.b64encode(SAY.format(name=name).encode()).decode()
    return project.ok("POST", NOVA, {"server": {"name": name, "imageRef": image, "flavorRef": flavor, "key_name": "k", "user_data": data,
                                                "networks": [{"uuid": n} for n in networks]}})["server"]["id"]


def says(project, server, words):
    said = project.call("POST", f"{NOVA}/{server}/action", {"os-getConsoleOutput": {}})
    return words in said.text


def main():
    with Region("on-link") as region:
        region.account("link")
        password = region.command("user", "create", "anna", "--account", "link", "--role", "admin")["password"]
        project = lib.Project(region, "link", "anna", password)
        project.ok("POST", "/compute/v2.1/os-keypairs", {"keypair": {"name": "k", "public_key": region.make_key().decode().strip()}})
        alone, subnet = make_network(project, "alone", "10.77.0.0/24")
        routed, inside = make_network(project, "routed", "10.78.0.0/24")
        router = make(project, "router", "routers", name="r")
        project.ok("PUT", f"{NET}/routers/{router}/add_router_interface", {"subnet_id": inside})
        one, two = start(region, project, "one", alone), start(region, project, "two", alone, routed)
        for name, server in (("one", one), ("two", two)):
            region.check_soon(f"guest {name} has user data and key", lambda s=server, n=name: says(project, s, f"user data of {n}; keys 1"))
        region.check("the first asks on its link", says(project, one, "169.254.169.254 dev eth0"))
        project.ok("PUT", f"{NET}/routers/{router}/add_router_interface", {"subnet_id": subnet})
        three = start(region, project, "three", alone)
        region.check_soon("behind a router it asks there", lambda: says(project, three, "169.254.169.254 via 10.77.0.1"))
        region.check_soon("and gets the same", lambda: says(project, three, "user data of three; keys 1"))
        region.check_clean()


main()

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/ovn src/daemon/commands_network.c src/engine/network
"""An external network that an administrator creates through Neutron, as a VLAN of a second physical network: a real guest is reachable at its
floating address and reaches outside, and the operator's network is unaffected. A physical network that no host has is refused."""
# limit: 900 s
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import cloud as lib  # noqa: E402
from region import Region, open_ssh, wait_until  # noqa: E402

NET, NOVA, OPENSTACK = "/network/v2.0", "/compute/v2.1/servers", "/usr/bin/openstack"
VLAN, BLOCK, HOP = 77, "192.0.2.0/24", "192.0.2.1"


def make_person(region, name, role):
    password = region.command("user", "create", name, "--account", "ext", "--role", role)["password"]
    return lib.Project(region, "ext", name, password)


def client(region, admin, *argv, fails=False):
    """Output of the stock client."""
    env = {"OS_AUTH_URL": f"http://127.0.0.1:{region.port}/identity/v3", "OS_USERNAME": admin.user, "OS_PASSWORD": admin.password,
           "OS_PROJECT_NAME": admin.name, "OS_USER_DOMAIN_NAME": "Default", "OS_PROJECT_DOMAIN_NAME": "Default",
           "OS_IDENTITY_API_VERSION": "3"}
    return region.run("env", *[f"{key}={value}" for key, value in env.items()], OPENSTACK, *argv, fails=fails).strip()


def wire(region):
    """Each host has a second bridge, whose only port removes the VLAN tag: behind it is the upstream router."""
    region.on("inet", "ip", "addr", "add", f"{HOP}/24", "dev", "wan0")
    for host in ("hv1", "hv2"):
        mappings = region.on(host, "ovs-vsctl", "get", "open", ".", "external_ids:ovn-bridge-mappings").strip().strip('"')
        region.on(host, "ovs-vsctl", "add-br", "br-ex2", "--", "set", "bridge", "br-ex2", "datapath_type=netdev",
                  "--", "add-port", "br-ex", "one", "--", "set", "interface", "one", "type=patch", "options:peer=two",
                  "--", "add-port", "br-ex2", "two", f"tag={VLAN}", "--", "set", "interface", "two", "type=patch", "options:peer=one",
                  "--", "set", "open", ".", f"external_ids:ovn-bridge-mappings={mappings},physnet2:br-ex2")
    wait_until(lambda: "physnet2" in region.command("host", "show", "hv1")["networks"], "a host tells its bridges")


def make_outside(region, admin):
    """Creates the network and its subnet with the stock client; returns the id."""
    provider = ["--provider-network-type", "vlan", "--provider-segment", str(VLAN)]
    region.check("a physical network that no host maps is refused", "physical_network 'nowhere' unknown for VLAN provider network" in
                 client(region, admin, "network", "create", "--external", *provider, "--provider-physical-network", "nowhere", "ext", fails=True))
    client(region, admin, "network", "create", "--external", *provider, "--provider-physical-network", "physnet2", "ext")
    client(region, admin, "subnet", "create", "--network", "ext", "--no-dhcp", "--subnet-range", BLOCK, "--gateway", HOP,
           "--allocation-pool", "start=192.0.2.100,end=192.0.2.120", "ext")
    return client(region, admin, "network", "show", "-c", "id", "-f", "value", "ext")


def make_server(project, outside, key):
    """A server behind a router to that network, and its floating address."""
    def make(kind, path, **members):
        return project.ok("POST", f"{NET}/{path}", {kind: members})[kind]
    network = make("network", "networks", name="inner")["id"]
    subnet = make("subnet", "subnets", network_id=network, ip_version=4, cidr="10.7.0.0/24")["id"]
    router = make("router", "routers", name="r", external_gateway_info={"network_id": outside})
    project.ok("PUT", f"{NET}/routers/{router['id']}/add_router_interface", {"subnet_id": subnet})
    group = make("security_group", "security-groups", name="ssh")["id"]
    for protocol in ("tcp", "icmp"):
        make("security_group_rule", "security-group-rules", security_group_id=group, direction="ingress", protocol=protocol)
    port = make("port", "ports", network_id=network, security_groups=[group])["id"]
    project.ok("POST", "/compute/v2.1/os-keypairs", {"keypair": {"name": "n", "public_key": key}})
    image = project.ok("GET", "/image/v2/images?name=tiny")["images"][0]["id"]
    flavor = next(f["id"] for f in project.ok("GET", "/compute/v2.1/flavors")["flavors"] if f["name"] == "t2.nano")
    project.ok("POST", NOVA, {"server": {"name": "g", "imageRef": image, "flavorRef": flavor, "key_name": "n", "networks": [{"port": port}]}})
    floating = make("floatingip", "floatingips", floating_network_id=outside, port_id=port)
    return router, floating


def main():
    with Region("extnet") as region:
        region.account("ext")
        key = region.make_key().decode()
        project, admin = make_person(region, "anna", "member"), make_person(region, "root", "admin")
        wire(region)
        outside = make_outside(region, admin)
        router, floating = make_server(project, outside, key)
        address = floating["floating_ip_address"]
        own = router["external_gateway_info"]["external_fixed_ips"][0]["ip_address"]
        region.check("both are of the subnet's pool", all(ip.startswith("192.0.2.1") for ip in (address, own)))
        wait_until(lambda: region.boot_id(address), "ssh to the guest at its floating address")
        region.check("the guest answers ssh there", True)
        region.check_soon("and a ping", lambda: " 0% packet loss" in region.on("inet", "ping", "-c", "2", "-W", "2", address, fails=True))
        region.check_soon("it reaches the upstream router", lambda: " 0% packet loss" in region.ssh(address, f"ping -c 2 -W 3 {HOP}", fails=True))
        project.ok("PUT", f"{NET}/floatingips/{floating['id']}", {"floatingip": {"port_id": None}})
        region.check_soon("no more without the floating address", lambda: "100% packet loss" in
                          region.on("inet", "ping", "-c", "1", "-W", "1", address, fails=True))
        ec2 = region.client(*region.keys["ext"])
        open_ssh(ec2)
        region.check("EC2's addresses are the operator's still", ec2.allocate_address(Domain="vpc")["PublicIp"].startswith("203.0.113."))
        region.check("the network is not deleted while a router leads there", "NetworkInUse" in client(
            region, admin, "network", "delete", "ext", fails=True) or client(region, admin, "network", "show", "-c", "id", "-f", "value", "ext") == outside)
        region.check_clean()


main()

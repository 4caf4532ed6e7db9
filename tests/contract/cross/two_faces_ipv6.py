#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: docs/mapping.md src/engine/network src/base/ip
"""IPv6 through two faces, as docs/mapping.md says: Neutron's IPv6 subnets, and EC2's view of them."""
import ipaddress
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud as lib  # noqa: E402
import faces  # noqa: E402
from dev import Dev  # noqa: E402
from faces import NETWORK, code, ec2_id, holds  # noqa: E402

POOL = "2001:db8:d000::/40"  # the region's pool


@pytest.fixture(scope="module")
def both():
    with Dev() as dev:
        yield lib.another(dev, "both", faces.Both)


def make(both, kind, collection, **members):
    return both.ok("POST", f"{NETWORK}/{collection}", {kind: members})[kind]


def make_dual(both, mode):
    """A network with both families on a router, and its subnets."""
    router = make(both, "router", "routers", name="six")
    network = make(both, "network", "networks", name="dual")
    four = make(both, "subnet", "subnets", network_id=network["id"], ip_version=4, cidr="10.49.0.0/24")
    six = make(both, "subnet", "subnets", network_id=network["id"], ip_version=6, cidr="fd00:49::/64", ipv6_ra_mode=mode, ipv6_address_mode=mode)
    for subnet in (four, six):
        both.ok("PUT", f"{NETWORK}/routers/{router['id']}/add_router_interface", {"subnet_id": subnet["id"]})
    return router, network, four, six


def end_dual(both, router, network, *subnets):
    for subnet in subnets:
        both.ok("PUT", f"{NETWORK}/routers/{router['id']}/remove_router_interface", {"subnet_id": subnet["id"]})
    for kind, made in (("routers", router), ("networks", network)):
        both.delete(f"{NETWORK}/{kind}/{made['id']}")
    both.rest()


@holds("The network: IPv6")
def test_ipv6_of_neutron(both):
    """An IPv6 subnet beside an IPv4 one is the latter's IPv6 block in EC2; alone it is a separate subnet there."""
    router, network, four, six = make_dual(both, "dhcpv6-stateful")
    (shown,) = both.ec2.describe_subnets(SubnetIds=[ec2_id("subnet", four["id"])])["Subnets"]
    (block,) = shown["Ipv6CidrBlockAssociationSet"]
    assert (block["Ipv6CidrBlock"], block["AssociationId"]) == (six["cidr"], ec2_id("subnet-cidr-assoc", six["id"]))
    assert not [s for s in both.ec2.describe_subnets()["Subnets"] if s["SubnetId"] == ec2_id("subnet", six["id"])]
    port = make(both, "port", "ports", network_id=network["id"])
    assert [f["subnet_id"] for f in port["fixed_ips"]] == [four["id"], six["id"]]
    (nic,) = both.ec2.describe_network_interfaces(NetworkInterfaceIds=[ec2_id("eni", port["id"])])["NetworkInterfaces"]
    assert (nic["PrivateIpAddress"], nic["Ipv6Addresses"][0]["Ipv6Address"]) == tuple(f["ip_address"] for f in port["fixed_ips"])
    both.delete(f"{NETWORK}/ports/{port['id']}")
    both.rest()
    both.ok("PUT", f"{NETWORK}/routers/{router['id']}/remove_router_interface", {"subnet_id": four["id"]})
    native = ec2_id("subnet", six["id"])
    (shown,) = both.ec2.describe_subnets(Filters=[{"Name": "ipv6-native", "Values": ["true"]}])["Subnets"]
    assert (shown["SubnetId"], shown["Ipv6Native"], shown["AvailableIpAddressCount"]) == (native, True, 0) and "CidrBlock" not in shown
    assert [b["Ipv6CidrBlock"] for b in shown["Ipv6CidrBlockAssociationSet"]] == [six["cidr"]]
    (acl,) = both.ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [native]}])["NetworkAcls"]
    assert acl["IsDefault"] and [a["SubnetId"] for a in acl["Associations"]] == [native]
    made = both.ec2.create_network_interface(SubnetId=native, Ipv6Addresses=[{"Ipv6Address": "fd00:49::77"}])["NetworkInterface"]
    (nic,) = both.ec2.describe_network_interfaces(
        Filters=[{"Name": "ipv6-addresses.ipv6-address", "Values": ["fd00:49::77"]}])["NetworkInterfaces"]
    assert (nic["NetworkInterfaceId"], nic["Ipv6Native"], nic["Ipv6Address"]) == (made["NetworkInterfaceId"], True, "fd00:49::77")
    assert len(nic["Ipv6Addresses"]) == 1 and "PrivateIpAddress" not in nic
    (port,) = both.ok("GET", f"{NETWORK}/ports?network_id={network['id']}&fixed_ips=ip_address%3Dfd00:49::77")["ports"]
    assert port["fixed_ips"] == [{"subnet_id": six["id"], "ip_address": "fd00:49::77"}]
    both.ec2.delete_network_interface(NetworkInterfaceId=made["NetworkInterfaceId"])
    both.rest()
    both.ok("PUT", f"{NETWORK}/routers/{router['id']}/add_router_interface", {"subnet_id": four["id"]})
    end_dual(both, router, network, four, six)


@holds("The network: IPv6 alone")
def test_ipv6_alone(both):
    """EC2's IPv6-only subnet is the only one on its network in Neutron, and its interface a port with one address in it."""
    vpc = both.ec2.create_vpc(CidrBlock="10.47.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"]
    (block,) = both.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"]
    cidr = str(next(ipaddress.ip_network(block["Ipv6CidrBlock"]).subnets(new_prefix=64)))
    native = both.ec2.create_subnet(VpcId=vpc, Ipv6Native=True, Ipv6CidrBlock=cidr)["Subnet"]
    (six,) = both.ok("GET", f"{NETWORK}/subnets?cidr={cidr}")["subnets"]
    assert (ec2_id("subnet", six["id"]), six["ip_version"], six["ipv6_ra_mode"], six["ipv6_address_mode"]) \
        == (native["SubnetId"], 6, "dhcpv6-stateful", "dhcpv6-stateful")
    assert both.ok("GET", f"{NETWORK}/networks/{six['network_id']}")["network"]["subnets"] == [six["id"]]
    nic = both.ec2.create_network_interface(SubnetId=native["SubnetId"])["NetworkInterface"]
    (port,) = both.ok("GET", f"{NETWORK}/ports?network_id={six['network_id']}&mac_address={nic['MacAddress']}")["ports"]
    assert port["fixed_ips"] == [{"subnet_id": six["id"], "ip_address": nic["Ipv6Addresses"][0]["Ipv6Address"]}]
    assert "PrivateIpAddress" not in nic and nic["Ipv6Native"]
    assert code(both.ec2.disassociate_subnet_cidr_block, AssociationId=ec2_id("subnet-cidr-assoc", six["id"])) == "OperationNotPermitted"
    image = both.ec2.describe_images()["Images"][0]["ImageId"]
    run = both.ec2.run_instances(ImageId=image, InstanceType="t3.nano", MinCount=1, MaxCount=1, SubnetId=native["SubnetId"])
    made = run["Instances"][0]["InstanceId"]
    both.ec2.get_waiter("instance_running").wait(InstanceIds=[made], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    (server,) = [s for s in both.ok("GET", "/compute/v2.1/servers/detail")["servers"] if ec2_id("i", s["id"]) == made]
    assert server["config_drive"] == "True"
    both.ec2.terminate_instances(InstanceIds=[made])
    both.ec2.get_waiter("instance_terminated").wait(InstanceIds=[made], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    both.ec2.delete_network_interface(NetworkInterfaceId=nic["NetworkInterfaceId"])
    both.rest()
    both.ec2.delete_subnet(SubnetId=native["SubnetId"])
    both.rest()
    both.ec2.delete_vpc(VpcId=vpc)


@holds("The network: Names of ids")
def test_names_of_ids(both):
    """A server started by OpenStack has the resource names that EC2 set on its subnet."""
    router, network, four, six = make_dual(both, "dhcpv6-stateful")
    subnet = ec2_id("subnet", four["id"])
    both.ec2.modify_subnet_attribute(SubnetId=subnet, PrivateDnsHostnameTypeOnLaunch="resource-name")
    both.ec2.modify_subnet_attribute(SubnetId=subnet, EnableResourceNameDnsAAAARecordOnLaunch={"Value": True})
    image = both.ok("GET", "/image/v2/images")["images"][0]["id"]
    flavor = next(f["id"] for f in both.ok("GET", "/compute/v2.1/flavors")["flavors"] if f["name"] == "t3.nano")
    server = both.ok("POST", "/compute/v2.1/servers", {"server": {
        "name": "named", "imageRef": image, "flavorRef": flavor, "networks": [{"uuid": network["id"]}]}})["server"]
    made = ec2_id("i", server["id"])
    (shown,) = both.ec2.describe_instances(InstanceIds=[made])["Reservations"][0]["Instances"]
    assert shown["PrivateDnsName"].startswith(made + ".")
    assert shown["PrivateDnsNameOptions"] == {"HostnameType": "resource-name", "EnableResourceNameDnsARecord": False,
                                              "EnableResourceNameDnsAAAARecord": True}
    both.ec2.get_waiter("instance_running").wait(InstanceIds=[made], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    both.ec2.terminate_instances(InstanceIds=[made])
    both.ec2.get_waiter("instance_terminated").wait(InstanceIds=[made], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    end_dual(both, router, network, four, six)


@holds("The network: Automatic addresses")
def test_automatic_addresses(both):
    router, network, four, six = make_dual(both, "slaac")
    port = make(both, "port", "ports", network_id=network["id"], mac_address="02:00:00:00:00:49",
                fixed_ips=[{"ip_address": "10.49.0.9"}])
    own = {"subnet_id": six["id"], "ip_address": "fd00:49::ff:fe00:49"}
    assert port["fixed_ips"] == [{"subnet_id": four["id"], "ip_address": "10.49.0.9"}, own]
    nic = ec2_id("eni", port["id"])
    assert code(both.ec2.assign_ipv6_addresses, NetworkInterfaceId=nic, Ipv6Addresses=["fd00:49::7"]) == "InvalidParameterValue"
    assert code(both.ec2.unassign_ipv6_addresses, NetworkInterfaceId=nic, Ipv6Addresses=[own["ip_address"]]) == "OperationNotPermitted"
    assert both.status("POST", f"{NETWORK}/ports", {"port": {"network_id": network["id"], "fixed_ips": [{"ip_address": "fd00:49::7"}]}}) == 400
    bare = make(both, "port", "ports", network_id=network["id"], fixed_ips=[])
    assert bare["fixed_ips"] == []
    later = make(both, "subnet", "subnets", network_id=network["id"], ip_version=6, cidr="fd00:50::/64", ipv6_ra_mode="dhcpv6-stateless",
                 ipv6_address_mode="dhcpv6-stateless")
    shown = both.ok("GET", f"{NETWORK}/ports/{port['id']}")["port"]["fixed_ips"]
    assert {"subnet_id": later["id"], "ip_address": "fd00:50::ff:fe00:49"} in shown and len(shown) == 3
    assert both.ok("GET", f"{NETWORK}/ports/{bare['id']}")["port"]["fixed_ips"] == []
    both.delete(f"{NETWORK}/subnets/{later['id']}")
    assert both.ok("GET", f"{NETWORK}/ports/{port['id']}")["port"]["fixed_ips"] == port["fixed_ips"]
    for one in (port, bare):
        both.delete(f"{NETWORK}/ports/{one['id']}")
    both.rest()
    lone = make(both, "network", "networks", name="lone")
    only = make(both, "subnet", "subnets", network_id=lone["id"], ip_version=6, cidr="fd00:51::/64", ipv6_ra_mode="slaac")
    left = make(both, "port", "ports", network_id=lone["id"])
    both.delete(f"{NETWORK}/subnets/{only['id']}")
    assert both.ok("GET", f"{NETWORK}/ports/{left['id']}")["port"]["fixed_ips"] == []
    both.delete(f"{NETWORK}/ports/{left['id']}")
    both.rest()
    both.delete(f"{NETWORK}/networks/{lone['id']}")
    end_dual(both, router, network, four, six)


@holds("The network: IPv6 outside")
def test_ipv6_outside(both):
    """A subnet of the region's pool has a default route of its own; blocks allocated by one face are not allocated by the other."""
    admin = lib.admin(both.dev)
    outside = both.ok("GET", f"{NETWORK}/networks?router:external=true")["networks"][0]["id"]
    pool = admin.ok("POST", f"{NETWORK}/subnetpools", {"subnetpool": {"name": "six", "prefixes": [POOL], "shared": True}})["subnetpool"]
    router = make(both, "router", "routers", name="six", external_gateway_info={"network_id": outside})
    network = make(both, "network", "networks", name="six")
    six = make(both, "subnet", "subnets", network_id=network["id"], ip_version=6, subnetpool_id=pool["id"], ipv6_ra_mode="slaac", ipv6_address_mode="slaac")
    both.ok("PUT", f"{NETWORK}/routers/{router['id']}/add_router_interface", {"subnet_id": six["id"]})
    tables = both.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [ec2_id("vpc", router["id"])]}])["RouteTables"]
    assert "::/0" in [r.get("DestinationIpv6CidrBlock") for r in tables[0]["Routes"]]
    assert both.ok("GET", f"{NETWORK}/routers/{router['id']}")["router"]["routes"] == []
    vpc = both.ec2.create_vpc(CidrBlock="10.48.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"]
    (block,) = both.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"]
    taken, given = ipaddress.ip_network(six["cidr"]), ipaddress.ip_network(block["Ipv6CidrBlock"])
    assert not taken.overlaps(given) and taken.subnet_of(ipaddress.ip_network(POOL))
    inside = str(next(given.subnets(new_prefix=64)))
    assert both.status("POST", f"{NETWORK}/subnets", {"subnet": {"network_id": network["id"], "ip_version": 6, "cidr": inside,
                                                                  "subnetpool_id": pool["id"]}}) == 409
    both.ec2.delete_vpc(VpcId=vpc)
    both.ok("PUT", f"{NETWORK}/routers/{router['id']}/remove_router_interface", {"subnet_id": six["id"]})
    both.delete(f"{NETWORK}/routers/{router['id']}")
    both.delete(f"{NETWORK}/networks/{network['id']}")
    both.rest()
    assert admin.call("DELETE", f"{NETWORK}/subnetpools/{pool['id']}").status == 204


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

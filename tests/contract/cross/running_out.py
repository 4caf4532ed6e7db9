#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/engine/capacity src/engine/condition src/engine/limits src/engine/quota
"""A pool that runs out is reported everywhere: in the answer of the failed call, which changes nothing; in `dari doctor`, with advice; in `dari
explain` of the waiting resource; and, before it is full, in the metrics. When more is available, waiting resources recover."""
import os
import re
import subprocess
import sys
import urllib.request

import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud as lib  # noqa: E402
import cloudstack  # noqa: E402
import faces  # noqa: E402
import native  # noqa: E402
from dev import DARI, Dev, Unchanged, dump  # noqa: E402
from faces import COMPUTE, IMAGE, NETWORK, VOLUME  # noqa: E402
from waiting import HANG_S  # noqa: E402

FEW = 10  # number of addresses of each kind in this region


@pytest.fixture
def dev():
    with Dev("--addresses", str(FEW)) as dev:
        yield dev


def doctor(dev):
    """Exit status of `dari doctor`, and each line with its advice, by the checked part."""
    done = subprocess.run([DARI, "--config", dev.config, "doctor"], capture_output=True, text=True, check=False)
    return done.returncode, {name: (mark == "ok", rest) for mark, name, rest in
                             re.findall(r"^(ok|!!)  (\S+(?: \S+)*)  +(.*(?:\n      .*)?)", done.stdout, re.MULTILINE)}


def pool(dev, name):
    """Used part and size of a pool, according to /metrics."""
    with urllib.request.urlopen(dev.url + "/metrics", timeout=HANG_S) as answer:
        text = answer.read().decode()
    return tuple(int(re.search(rf'^dari_pool_{what}{{pool="{name}"}} (\d+)$', text, re.MULTILINE)[1]) for what in ("used", "size"))


def refused(call, wanted, **members):
    with pytest.raises(botocore.exceptions.ClientError) as e:
        call(**members)
    assert e.value.response["Error"]["Code"] == wanted, e.value
    return e.value.response["Error"]["Message"]


def neutron_says(project, method, path, body):
    answer = project.call(method, path, body)
    error = answer.json["NeutronError"]
    return answer.status, error["type"], error["message"]


def launch(ec2, least=1, most=1, **more):
    image = ec2.describe_images()["Images"][0]["ImageId"]
    return [i["InstanceId"] for i in ec2.run_instances(ImageId=image, InstanceType="t3.nano", MinCount=least, MaxCount=most, **more)["Instances"]]


def public_ip(ec2, instance):
    return ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0].get("PublicIpAddress")


def make_vpc(ec2):
    return ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"], ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]


def fill_link(dev, ec2):
    """Attaches gateways while addresses are left; doctor warns when there are few. Returns the last VPC and its gateway."""
    used, size = pool(dev, "gateway_addresses")
    assert size == FEW
    while used < size:
        fine, words = doctor(dev)[1]["gateway_addresses"]
        assert fine == (used < 9) and f"internet: {used} of {FEW} addresses" in words, words
        vpc, gateway = make_vpc(ec2)
        ec2.attach_internet_gateway(VpcId=vpc, InternetGatewayId=gateway)
        used += 1
        assert pool(dev, "gateway_addresses") == (used, size)
    return vpc, gateway


def test_gateway_addresses(dev):
    """Gateway addresses: an attachment is refused; a default VPC's gateway waits, and resources behind it say so."""
    ec2, unchanged_of = dev.account.client(), dump()
    last, last_gateway = fill_link(dev, ec2)
    vpc, gateway = make_vpc(ec2)
    unchanged = Unchanged(unchanged_of, dev.account)
    assert "link to the outside" in refused(ec2.attach_internet_gateway, "InsufficientAddressCapacity", VpcId=vpc, InternetGatewayId=gateway)
    assert unchanged.holds()
    status, found = doctor(dev)
    assert status == 1 and "dari network set-gateway-range" in found["gateway_addresses"][1]
    outside = dev.command("network", "list")[0]["name"]
    assert outside == "internet"

    other = dev.new_account("late")
    late = other.client()
    (attached,) = late.describe_internet_gateways()["InternetGateways"]
    assert "NoWayOut" in dev.explain(attached["InternetGatewayId"])
    assert doctor(dev)[1]["internet gateways"] == (False, "1 attached, but without an external network\n      dari network add-external, or "
                                                          "set-gateway-range: Dari then connects them.")
    unchanged = Unchanged(unchanged_of, other)
    assert attached["InternetGatewayId"] in refused(lambda: launch(late), "InsufficientAddressCapacity")
    assert unchanged.holds()
    subnet = late.describe_subnets()["Subnets"][0]["SubnetId"]
    (inside,) = launch(late, NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": subnet, "AssociatePublicIpAddress": False}])
    address = late.allocate_address()["AllocationId"]
    late.get_waiter("instance_running").wait(InstanceIds=[inside], WaiterConfig={"Delay": 1})
    assert "leads nowhere" in refused(late.associate_address, "Gateway.NotAttached", AllocationId=address, InstanceId=inside)
    nat = late.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]["NatGatewayId"]
    (shown,) = late.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"]
    assert (shown["State"], shown["FailureCode"]) == ("failed", "Gateway.NotAttached") and "leads nowhere" in shown["FailureMessage"]
    assert "leads nowhere" in dev.explain(nat)

    ec2.detach_internet_gateway(VpcId=last, InternetGatewayId=last_gateway)  # its address goes to the waiting gateway
    assert re.search("^in its way +nothing$", dev.explain(attached["InternetGatewayId"]), re.MULTILINE)
    assert public_ip(late, launch(late)[0])
    refused(ec2.attach_internet_gateway, "InsufficientAddressCapacity", VpcId=vpc, InternetGatewayId=gateway)
    dev.command("network", "set-gateway-range", "internet", "--gateway-range", "198.18.0.2-198.18.0.101")
    ec2.attach_internet_gateway(VpcId=vpc, InternetGatewayId=gateway)
    assert doctor(dev)[1]["gateway_addresses"][0] and pool(dev, "gateway_addresses") == (FEW + 1, 100)
    dev.rest()
    assert not dev.audit()


def test_public_addresses(dev):
    """A launch creates as many instances as there are public addresses; a start without one is refused; so are OpenStack's floating IPs."""
    ec2 = dev.account.client()
    for used in range(FEW - 3):
        assert doctor(dev)[1]["public_addresses"][0] and pool(dev, "public_addresses") == (used, FEW)
        address = ec2.allocate_address()["AllocationId"]
    unchanged = Unchanged(dump(), dev.account)
    refused(lambda: launch(ec2, 4, 4), "InsufficientAddressCapacity")
    assert unchanged.holds()
    made = launch(ec2, 1, 4)
    assert len(made) == 3 and all(public_ip(ec2, i) for i in made)
    fine, words = doctor(dev)[1]["public_addresses"]
    assert not fine and f"internet: {FEW} of {FEW} public addresses in use (100 %)\n      " in words and "dari network add-range" in words
    outside = lib.another(dev, "outside", faces.Both)
    (network,) = outside.ok("GET", f"{NETWORK}/networks?router:external=true")["networks"]
    shown = dev.explain(network["id"])
    assert f"in its way     {FEW} of {FEW} public addresses in use (100 %)" in shown and "dari network add-range" in shown, shown

    unchanged = Unchanged(dump(), dev.account)
    refused(ec2.allocate_address, "InsufficientAddressCapacity")
    refused(lambda: launch(ec2), "InsufficientAddressCapacity")
    assert unchanged.holds()
    wish = {"floatingip": {"floating_network_id": network["id"]}}
    assert neutron_says(outside, "POST", f"{NETWORK}/floatingips", wish) == (
        400, "ExternalIpAddressExhausted", f"Unable to find any IP address on external network {network['id']}.")
    router = outside.ok("POST", f"{NETWORK}/routers", {"router": {"name": "r"}})["router"]["id"]
    gateway = {"router": {"external_gateway_info": {"network_id": network["id"]}}}
    assert neutron_says(outside, "PUT", f"{NETWORK}/routers/{router}", gateway) == (
        409, "IpAddressGenerationFailure", f"No more IP addresses available on network {network['id']}.")
    assert outside.ok("GET", f"{NETWORK}/routers/{router}")["router"]["external_gateway_info"] is None

    # a stopped instance releases its address, and another one takes it
    ec2.stop_instances(InstanceIds=made[:1])
    dev.rest()
    ec2.allocate_address()
    unchanged = Unchanged(dump(), dev.account)
    refused(ec2.start_instances, "InsufficientAddressCapacity", InstanceIds=made[:1])
    assert unchanged.holds()
    dev.command("network", "add-range", "internet", "--range", "198.19.1.1-198.19.1.100")
    ec2.start_instances(InstanceIds=made[:1])
    assert public_ip(ec2, made[0]).startswith("198.19.1.")
    assert doctor(dev)[1]["public_addresses"][0] and pool(dev, "public_addresses") == (FEW + 1, FEW + 100)
    outside.ok("POST", f"{NETWORK}/floatingips", wish)
    ec2.release_address(AllocationId=address)


def test_ipv6_blocks(dev):
    """Blocks of the IPv6 pool."""
    ec2 = dev.account.client()
    assert pool(dev, "ipv6_blocks") == (0, 65536)
    dev.command("network", "set-ipv6", "internet", "--pool", "2001:db8:d000::/55", "--next-hop", "fe80::1")
    six = {"CidrBlock": "10.0.0.0/16", "AmazonProvidedIpv6CidrBlock": True}
    ec2.create_vpc(**six)
    assert doctor(dev)[1]["ipv6_blocks"][0] and pool(dev, "ipv6_blocks") == (1, 2)
    vpc = ec2.create_vpc(**six)["Vpc"]["VpcId"]
    fine, words = doctor(dev)[1]["ipv6_blocks"]
    assert not fine and "2 of 2 IPv6 blocks" in words and "dari network set-ipv6" in words
    unchanged = Unchanged(dump(), dev.account)
    refused(ec2.create_vpc, "InsufficientAddressCapacity", **six)
    assert unchanged.holds()
    dev.command("network", "set-ipv6", "internet", "--pool", "2001:db8:d000::/40", "--next-hop", "fe80::1")
    assert pool(dev, "ipv6_blocks") == (2, 65536)
    ec2.create_vpc(**six)
    ec2.delete_vpc(VpcId=vpc)
    dev.rest()
    assert pool(dev, "ipv6_blocks") == (2, 65536)


def test_keys_of_ovn(dev):
    """Ports of a network and of a VPC's router, and the region's OVN keys; an operator sets their numbers here."""
    ec2, both = dev.account.client(), lib.another(dev, "both", faces.Both)
    assert pool(dev, "macs")[1] == 2 ** 40 and pool(dev, "network_keys")[1] == 16711680 and pool(dev, "router_ports")[1] == 32000
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    dev.command("limit", "set", "ports_of_network", "10")
    for used in range(1, 11):
        ec2.create_network_interface(SubnetId=subnet)
        assert pool(dev, "network_ports") == (used, 10)
        fine, words = doctor(dev)[1]["network_ports"]
        assert fine == (used < 9) and f": {used} of 10 ports of a network" in words
    unchanged = Unchanged(dump(), dev.account)
    refused(ec2.create_network_interface, "NetworkInterfaceLimitExceeded", SubnetId=subnet)
    assert unchanged.holds()
    network = both.ok("POST", f"{NETWORK}/networks", {"network": {"name": "n"}})["network"]["id"]
    both.ok("POST", f"{NETWORK}/subnets", {"subnet": {"network_id": network, "ip_version": 4, "cidr": "10.9.0.0/24"}})
    for _ in range(10):
        both.ok("POST", f"{NETWORK}/ports", {"port": {"network_id": network}})
    assert neutron_says(both, "POST", f"{NETWORK}/ports", {"port": {"network_id": network}})[:2] == (409, "OverQuota")
    assert "10 of 10 ports of a network in use (100 %)" in dev.explain(network)

    dev.command("limit", "set", "subnets_of_router", "2")
    ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")
    assert "2 of 2 subnets of a VPC in use (100 %)" in dev.explain(vpc) and not doctor(dev)[1]["router_ports"][0]
    refused(ec2.create_subnet, "SubnetLimitExceeded", VpcId=vpc, CidrBlock="10.0.2.0/24")
    used = pool(dev, "network_keys")[0]
    dev.command("limit", "set", "network_keys", str(used + 1))
    refused(ec2.create_vpc, "VpcLimitExceeded", CidrBlock="10.0.0.0/16")
    both.ok("POST", f"{NETWORK}/networks", {"network": {"name": "last"}})
    assert neutron_says(both, "POST", f"{NETWORK}/networks", {"network": {"name": "one more"}})[:2] == (409, "OverQuota")
    fine, words = doctor(dev)[1]["network_keys"]
    assert not fine and f"{used + 1} of {used + 1} keys" in words


def test_macs(dev):
    """MAC addresses; an operator sets a small number here."""
    ec2, both = dev.account.client(), lib.another(dev, "both", faces.Both)
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    network = both.ok("POST", f"{NETWORK}/networks", {"network": {"name": "n"}})["network"]["id"]
    used = pool(dev, "macs")[0]
    dev.command("limit", "set", "macs", str(used + 1))
    ec2.create_network_interface(SubnetId=subnet)
    assert pool(dev, "macs") == (used + 1, used + 1)
    fine, words = doctor(dev)[1]["macs"]
    assert not fine and f"{used + 1} of {used + 1} MAC addresses" in words and "Delete network interfaces" in words
    unchanged = Unchanged(dump(), dev.account)
    assert "MAC" in refused(ec2.create_network_interface, "InsufficientAddressCapacity", SubnetId=subnet)
    assert "MAC" in refused(lambda: launch(ec2), "InsufficientAddressCapacity")
    assert unchanged.holds()
    assert neutron_says(both, "POST", f"{NETWORK}/ports", {"port": {"network_id": network}}) == (
        503, "NetworkMacAddressGenerationFailure", f"Unable to generate unique mac on network {network}.")
    dev.command("limit", "set", "macs", str(used + 2))
    launch(ec2)


def test_bytes_of_an_account(dev):
    """Memory of an account's rows: above its limit each face refuses, with its own error, whatever would add to it, but allows deletions. Disk space
    of its files: an upload that would exceed the limit is refused while it is received, and leaves nothing."""
    mine, operator = lib.another(dev, "heavy", native.Native), native.admin(dev)
    account = mine.api_ok("GET", "/me")["account"]
    mine.ec2.create_key_pair(KeyName="k")
    operator.api_ok("PATCH", f"/accounts/{account}/limits", {"rows_bytes": 1})
    unchanged = Unchanged(dump(), mine.root)
    refused(mine.ec2.create_key_pair, "ResourceLimitExceeded", KeyName="l")
    refused(mine.root.client("iam").create_group, "LimitExceeded", GroupName="g")
    assert neutron_says(mine, "POST", f"{NETWORK}/security-groups", {"security_group": {"name": "g"}})[:2] == (409, "OverQuota")
    assert mine.call("POST", f"{COMPUTE}/os-keypairs", {"keypair": {"name": "l"}}).status == 403
    assert mine.call("POST", f"{VOLUME}/volumes", {"volume": {"size": 1}}).status == 413
    image = {"name": "i", "disk_format": "raw", "container_format": "bare"}
    assert mine.call("POST", f"{IMAGE}/images", image).status == 413
    answer = mine.api("POST", "/key-pairs", {"name": "l"})
    assert answer.status == 422 and "over-quota" in answer.text, answer
    answer = cloudstack.call(dev, "createSSHKeyPair", post=True, _key=mine.root.key_id, _secret=mine.root.secret, name="l")
    assert "4280" in str(answer), answer
    assert unchanged.holds()
    mine.ec2.delete_key_pair(KeyName="k")
    operator.api_ok("PATCH", f"/accounts/{account}/limits", {"rows_bytes": -1, "disk_bytes": 1 << 20})
    made = mine.ok("POST", f"{IMAGE}/images", image)["id"]
    binary = {"Content-Type": "application/octet-stream"}
    answer = mine.call("PUT", f"{IMAGE}/images/{made}/file", raw=os.urandom(4 << 20), headers=binary)
    assert answer.status == 413, answer
    assert mine.ok("GET", f"{IMAGE}/images/{made}")["status"] == "queued"
    operator.api_ok("PATCH", f"/accounts/{account}/limits", {"disk_bytes": 64 << 20})
    answer = mine.call("PUT", f"{IMAGE}/images/{made}/file", raw=os.urandom(4 << 20), headers=binary)
    assert answer.status == 204, answer
    used = {q["name"]: q["used"] for q in mine.api_ok("GET", "/quotas")["items"]}
    assert used["disk_bytes"] >= 4 << 20, used


def test_enough():
    """Without --addresses there are 65,000 of each kind, and the gateways' link has no other limit."""
    with Dev() as dev:
        assert pool(dev, "gateway_addresses")[1] == pool(dev, "public_addresses")[1] == 65000
        assert all(fine for fine, _ in doctor(dev)[1].values())


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

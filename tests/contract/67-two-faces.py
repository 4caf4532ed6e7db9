#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""One engine, two faces: what either makes is read, changed and deleted by the other, both ways, as docs/mapping.md says."""
# limit: 120 s
import os
import sys
import uuid

import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import cloud as lib  # noqa: E402
from dev import Dev  # noqa: E402

COMPUTE, NETWORK, VOLUME, IMAGE = "/compute/v2.1", "/network/v2.0", "/volume/v3", "/image/v2"
LATEST = "compute 2.93"


@pytest.fixture(scope="module")
def both():
    """A project, its EC2 client as .ec2."""
    with Dev() as dev:
        yield lib.another(dev, "both")


def ec2_id(prefix, identifier):
    """EC2's name for a UUID."""
    return f"{prefix}-{identifier.replace('-', '')[:17]}"


def found(items, prefix, ec2):
    """The item whose UUID has that EC2 id."""
    (item,) = [i for i in items if ec2_id(prefix, i["id"]) == ec2]
    return item


def code(call, **arguments):
    """The EC2 error that the call gets."""
    with pytest.raises(botocore.exceptions.ClientError) as error:
        call(**arguments)
    return error.value.response["Error"]["Code"]


def image_of(both):
    return both.ec2.describe_images(Filters=[{"Name": "is-public", "Values": ["true"]}])["Images"][0]["ImageId"]


def ec2_instance(both, identifier):
    return both.ec2.describe_instances(InstanceIds=[identifier])["Reservations"][0]["Instances"][0]


def server_of(both, instance):
    return found(both.ok("GET", f"{COMPUTE}/servers/detail")["servers"], "i", instance)


# ---- machines

def test_an_instance_is_a_server(both):
    instance = both.ec2.run_instances(ImageId=image_of(both), InstanceType="t3.micro", MinCount=1, MaxCount=1, TagSpecifications=[
        {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "web"}, {"Key": "a", "Value": "b"}]}])["Instances"][0]
    both.dev.rest()
    server = server_of(both, instance["InstanceId"])
    path = f"{COMPUTE}/servers/{server['id']}"
    assert (server["name"], server["status"], server["flavor"]["id"]) == ("web", "ACTIVE", "t3.micro")
    assert server["metadata"] == {"Name": "web", "a": "b"}
    (addresses,) = server["addresses"].values()
    assert instance["PrivateIpAddress"] in [a["addr"] for a in addresses]
    both.ok("POST", f"{path}/metadata", {"metadata": {"c": "d"}})
    assert {"Key": "c", "Value": "d"} in ec2_instance(both, instance["InstanceId"])["Tags"]
    both.call("POST", f"{path}/action", {"os-stop": None})
    both.dev.rest()
    assert ec2_instance(both, instance["InstanceId"])["State"]["Name"] == "stopped"
    both.ec2.start_instances(InstanceIds=[instance["InstanceId"]])
    both.dev.rest()
    assert both.ok("GET", path)["server"]["status"] == "ACTIVE"
    both.ec2.modify_instance_attribute(InstanceId=instance["InstanceId"], DisableApiTermination={"Value": True})
    assert both.call("DELETE", path).status == 409
    both.ec2.modify_instance_attribute(InstanceId=instance["InstanceId"], DisableApiTermination={"Value": False})
    assert both.call("DELETE", path).status == 204
    both.dev.rest()
    assert both.call("GET", path).status == 404
    assert ec2_instance(both, instance["InstanceId"])["State"]["Name"] == "terminated"


def make_network(both, name, cidr):
    network = both.ok("POST", f"{NETWORK}/networks", {"network": {"name": name}})["network"]["id"]
    subnet = both.ok("POST", f"{NETWORK}/subnets", {"subnet": {"network_id": network, "cidr": cidr, "ip_version": 4, "name": name}})
    return network, subnet["subnet"]["id"]


def image_uuid(both):
    server = both.ec2.run_instances(ImageId=image_of(both), InstanceType="t3.nano", MinCount=1, MaxCount=1)["Instances"][0]
    try:
        return server_of(both, server["InstanceId"])["image"]["id"]
    finally:
        both.ec2.terminate_instances(InstanceIds=[server["InstanceId"]])
        both.dev.rest()


def test_a_server_is_an_instance(both):
    network, subnet = make_network(both, "apart", "10.20.0.0/24")
    made = both.ok("POST", f"{COMPUTE}/servers", {"server": {
        "name": "db", "flavorRef": "t3.micro", "imageRef": image_uuid(both), "networks": [{"uuid": network}],
        "metadata": {"k": "v"}}}, version=LATEST)["server"]["id"]
    both.dev.rest()
    instance = ec2_instance(both, ec2_id("i", made))
    assert instance["State"]["Name"] == "running" and instance["InstanceType"] == "t3.micro"
    assert instance["SubnetId"] == ec2_id("subnet", subnet) and instance["PrivateIpAddress"].startswith("10.20.0.")
    assert {"Key": "k", "Value": "v"} in instance["Tags"]
    both.ec2.create_tags(Resources=[instance["InstanceId"]], Tags=[{"Key": "from", "Value": "ec2"}])
    assert both.ok("GET", f"{COMPUTE}/servers/{made}/metadata")["metadata"]["from"] == "ec2"
    both.ec2.stop_instances(InstanceIds=[instance["InstanceId"]], Force=True)
    both.dev.rest()
    assert both.ok("GET", f"{COMPUTE}/servers/{made}")["server"]["status"] == "SHUTOFF"
    both.ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
    both.dev.rest()
    assert both.call("GET", f"{COMPUTE}/servers/{made}").status == 404
    assert both.call("DELETE", f"{NETWORK}/networks/{network}").status == 204


# ---- the network

def test_a_vpc_is_a_router(both):
    vpc = both.ec2.create_vpc(CidrBlock="10.30.0.0/16")["Vpc"]["VpcId"]
    zone = both.ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
    subnet = both.ec2.create_subnet(VpcId=vpc, CidrBlock="10.30.1.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
    router = found(both.ok("GET", f"{NETWORK}/routers")["routers"], "vpc", vpc)
    seen = found(both.ok("GET", f"{NETWORK}/subnets")["subnets"], "subnet", subnet)
    assert (seen["cidr"], seen["gateway_ip"], seen["enable_dhcp"]) == ("10.30.1.0/24", "10.30.1.1", True)
    port = both.ok("POST", f"{NETWORK}/ports", {"port": {"network_id": seen["network_id"], "name": "p"}})["port"]
    (interface,) = both.ec2.describe_network_interfaces(Filters=[{"Name": "subnet-id", "Values": [subnet]}])["NetworkInterfaces"]
    assert interface["NetworkInterfaceId"] == ec2_id("eni", port["id"])
    assert interface["PrivateIpAddress"] == port["fixed_ips"][0]["ip_address"] and interface["VpcId"] == vpc
    assert code(both.ec2.delete_subnet, SubnetId=subnet) == "DependencyViolation"
    both.ec2.delete_network_interface(NetworkInterfaceId=interface["NetworkInterfaceId"])
    both.dev.rest()
    assert both.call("GET", f"{NETWORK}/ports/{port['id']}").status == 404
    both.ec2.delete_subnet(SubnetId=subnet)
    both.ec2.delete_vpc(VpcId=vpc)
    both.dev.rest()
    assert both.call("GET", f"{NETWORK}/routers/{router['id']}").status == 404


def test_a_router_is_a_vpc(both):
    network, subnet = make_network(both, "inside", "10.40.0.0/24")
    assert code(both.ec2.describe_subnets, SubnetIds=[ec2_id("subnet", subnet)]) == "InvalidSubnetID.NotFound"
    router = both.ok("POST", f"{NETWORK}/routers", {"router": {"name": "r"}})["router"]["id"]
    both.ok("PUT", f"{NETWORK}/routers/{router}/add_router_interface", {"subnet_id": subnet})
    vpc = both.ec2.describe_vpcs(VpcIds=[ec2_id("vpc", router)])["Vpcs"][0]
    assert vpc["CidrBlock"] == "10.40.0.0/24"
    assert both.ec2.describe_subnets(SubnetIds=[ec2_id("subnet", subnet)])["Subnets"][0]["VpcId"] == vpc["VpcId"]
    assert code(both.ec2.create_subnet, VpcId=vpc["VpcId"], CidrBlock="10.40.1.0/24") == "InvalidSubnet.Range"
    interface = both.ec2.create_network_interface(SubnetId=ec2_id("subnet", subnet))["NetworkInterface"]
    port = found(both.ok("GET", f"{NETWORK}/ports?network_id={network}")["ports"], "eni", interface["NetworkInterfaceId"])
    assert port["fixed_ips"] == [{"subnet_id": subnet, "ip_address": interface["PrivateIpAddress"]}]
    assert both.call("DELETE", f"{NETWORK}/ports/{port['id']}").status == 204
    both.dev.rest()
    assert code(both.ec2.describe_network_interfaces,
                NetworkInterfaceIds=[interface["NetworkInterfaceId"]]) == "InvalidNetworkInterfaceID.NotFound"
    both.ok("PUT", f"{NETWORK}/routers/{router}/remove_router_interface", {"subnet_id": subnet})
    both.ec2.delete_vpc(VpcId=vpc["VpcId"])
    both.dev.rest()
    assert both.call("GET", f"{NETWORK}/routers/{router}").status == 404
    assert both.call("DELETE", f"{NETWORK}/networks/{network}").status == 204


def test_addresses(both):
    elastic = both.ec2.allocate_address(Domain="vpc")
    floating = found(both.ok("GET", f"{NETWORK}/floatingips")["floatingips"], "eipalloc", elastic["AllocationId"])
    assert (floating["floating_ip_address"], floating["status"]) == (elastic["PublicIp"], "DOWN")
    assert both.call("DELETE", f"{NETWORK}/floatingips/{floating['id']}").status == 204
    both.dev.rest()
    assert code(both.ec2.describe_addresses, AllocationIds=[elastic["AllocationId"]]) == "InvalidAllocationID.NotFound"
    made = both.ok("POST", f"{NETWORK}/floatingips", {"floatingip": {"floating_network_id": floating["floating_network_id"]}})
    (seen,) = both.ec2.describe_addresses(AllocationIds=[ec2_id("eipalloc", made["floatingip"]["id"])])["Addresses"]
    assert seen["PublicIp"] == made["floatingip"]["floating_ip_address"]
    both.ec2.release_address(AllocationId=seen["AllocationId"])
    both.dev.rest()
    assert both.call("GET", f"{NETWORK}/floatingips/{made['floatingip']['id']}").status == 404


def test_groups_and_rules(both):
    group = both.ec2.create_security_group(GroupName="web", Description="d")["GroupId"]
    both.ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=80, ToPort=81, CidrIp="192.0.2.0/24")
    seen = found(both.ok("GET", f"{NETWORK}/security-groups")["security_groups"], "sg", group)
    (rule,) = [r for r in seen["security_group_rules"] if r["direction"] == "ingress"]
    assert (rule["protocol"], rule["port_range_min"], rule["port_range_max"], rule["remote_ip_prefix"]) == \
        ("tcp", 80, 81, "192.0.2.0/24")
    assert both.call("DELETE", f"{NETWORK}/security-group-rules/{rule['id']}").status == 204
    assert both.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"] == []
    assert both.call("DELETE", f"{NETWORK}/security-groups/{seen['id']}").status == 204
    both.dev.rest()
    assert code(both.ec2.describe_security_groups, GroupIds=[group]) == "InvalidGroup.NotFound"
    made = both.ok("POST", f"{NETWORK}/security-groups", {"security_group": {"name": "db", "description": "e"}})["security_group"]
    both.ok("POST", f"{NETWORK}/security-group-rules", {"security_group_rule": {
        "security_group_id": made["id"], "direction": "ingress", "protocol": "udp", "port_range_min": 53, "port_range_max": 53,
        "remote_ip_prefix": "198.51.100.0/24"}})
    (seen,) = both.ec2.describe_security_groups(GroupIds=[ec2_id("sg", made["id"])])["SecurityGroups"]
    assert "VpcId" not in seen and seen["GroupName"] == "db"
    (permission,) = seen["IpPermissions"]
    assert (permission["IpProtocol"], permission["FromPort"], permission["IpRanges"][0]["CidrIp"]) == ("udp", 53, "198.51.100.0/24")
    both.ec2.delete_security_group(GroupId=seen["GroupId"])
    both.dev.rest()
    assert both.call("GET", f"{NETWORK}/security-groups/{made['id']}").status == 404


# ---- disks and images

def test_volumes_and_snapshots(both):
    zone = both.ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
    volume = both.ec2.create_volume(AvailabilityZone=zone, Size=2, VolumeType="gp3", TagSpecifications=[
        {"ResourceType": "volume", "Tags": [{"Key": "a", "Value": "b"}]}])["VolumeId"]
    both.dev.rest()
    seen = found(both.ok("GET", f"{VOLUME}/volumes/detail")["volumes"], "vol", volume)
    assert (seen["size"], seen["status"], seen["volume_type"], seen["metadata"]) == (2, "available", "gp3", {"a": "b"})
    assert both.call("POST", f"{VOLUME}/volumes/{seen['id']}/action", {"os-extend": {"new_size": 3}}).status == 202
    both.dev.rest()
    assert both.ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["Size"] == 3
    snapshot = both.ok("POST", f"{VOLUME}/snapshots", {"snapshot": {"volume_id": seen["id"], "name": "s"}})["snapshot"]["id"]
    both.dev.rest()
    (taken,) = both.ec2.describe_snapshots(SnapshotIds=[ec2_id("snap", snapshot)])["Snapshots"]
    assert (taken["State"], taken["VolumeId"], taken["VolumeSize"]) == ("completed", volume, 3)
    both.ec2.delete_snapshot(SnapshotId=taken["SnapshotId"])
    both.dev.rest()
    assert both.call("GET", f"{VOLUME}/snapshots/{snapshot}").status == 404
    assert both.call("DELETE", f"{VOLUME}/volumes/{seen['id']}").status == 202
    both.dev.rest()
    assert code(both.ec2.describe_volumes, VolumeIds=[volume]) == "InvalidVolume.NotFound"
    made = both.ok("POST", f"{VOLUME}/volumes", {"volume": {"size": 1, "name": "mine", "availability_zone": zone}})["volume"]["id"]
    both.dev.rest()
    assert both.ec2.describe_volumes(VolumeIds=[ec2_id("vol", made)])["Volumes"][0]["State"] == "available"
    both.ec2.delete_volume(VolumeId=ec2_id("vol", made))
    both.dev.rest()
    assert both.call("GET", f"{VOLUME}/volumes/{made}").status == 404


def test_images(both):
    instance = both.ec2.run_instances(ImageId=image_of(both), InstanceType="t3.nano", MinCount=1, MaxCount=1)["Instances"][0]
    both.dev.rest()
    image = both.ec2.create_image(InstanceId=instance["InstanceId"], Name="golden", NoReboot=True)["ImageId"]
    both.dev.rest()
    seen = found(both.ok("GET", f"{IMAGE}/images?limit=100")["images"], "ami", image)
    assert (seen["name"], seen["status"], seen["owner"]) == ("golden", "active", both.id)
    both.ec2.create_tags(Resources=[image], Tags=[{"Key": "k", "Value": "v"}])
    assert both.call("DELETE", f"{IMAGE}/images/{seen['id']}").status == 204
    both.dev.rest()
    assert code(both.ec2.describe_images, ImageIds=[image]) == "InvalidAMIID.NotFound"
    both.ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
    made = both.ok("POST", f"{IMAGE}/images", {"name": "empty", "disk_format": "raw", "container_format": "bare"})["id"]
    (pending,) = both.ec2.describe_images(ImageIds=[ec2_id("ami", made)], Owners=["self"])["Images"]
    assert (pending["State"], pending["Name"]) == ("pending", "empty")
    both.ec2.deregister_image(ImageId=pending["ImageId"])
    both.dev.rest()
    assert both.call("GET", f"{IMAGE}/images/{made}").status == 404


# ---- the rest

def test_key_pairs(both):
    both.ec2.create_key_pair(KeyName="one")
    assert "one" in [k["keypair"]["name"] for k in both.ok("GET", f"{COMPUTE}/os-keypairs")["keypairs"]]
    assert both.call("DELETE", f"{COMPUTE}/os-keypairs/one").status in (202, 204)
    assert code(both.ec2.describe_key_pairs, KeyNames=["one"]) == "InvalidKeyPair.NotFound"
    both.ok("POST", f"{COMPUTE}/os-keypairs", {"keypair": {"name": "two"}})
    (pair,) = both.ec2.describe_key_pairs(KeyNames=["two"])["KeyPairs"]
    both.ec2.delete_key_pair(KeyPairId=pair["KeyPairId"])
    assert both.call("GET", f"{COMPUTE}/os-keypairs/two").status == 404


def test_volumes_in_servers(both):
    zone = both.ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
    volume = both.ec2.create_volume(AvailabilityZone=zone, Size=1)["VolumeId"]
    instance = both.ec2.run_instances(ImageId=image_of(both), InstanceType="t3.micro", MinCount=1, MaxCount=1,
                                      Placement={"AvailabilityZone": zone})["Instances"][0]["InstanceId"]
    both.dev.rest()
    both.ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")
    both.dev.rest()
    server = server_of(both, instance)["id"]
    (attachment,) = both.ok("GET", f"{COMPUTE}/servers/{server}/os-volume_attachments")["volumeAttachments"]
    assert ec2_id("vol", attachment["volumeId"]) == volume
    assert both.call("DELETE", f"{COMPUTE}/servers/{server}/os-volume_attachments/{attachment['volumeId']}").status == 202
    both.dev.rest()
    assert both.ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["State"] == "available"
    both.ok("POST", f"{COMPUTE}/servers/{server}/os-volume_attachments", {"volumeAttachment": {"volumeId": attachment["volumeId"]}})
    both.dev.rest()
    assert both.ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["Attachments"][0]["InstanceId"] == instance
    both.ec2.terminate_instances(InstanceIds=[instance])
    both.dev.rest()
    both.ec2.delete_volume(VolumeId=volume)


def test_quotas_are_one(both):
    """The operator's limit holds for both, and counts what either made."""
    limit = both.ok("GET", f"{COMPUTE}/limits")["limits"]["absolute"]
    assert limit["maxTotalInstances"] > 0
    before = limit["totalInstancesUsed"]
    instance = both.ec2.run_instances(ImageId=image_of(both), InstanceType="t3.nano", MinCount=1, MaxCount=1)["Instances"][0]
    assert both.ok("GET", f"{COMPUTE}/limits")["limits"]["absolute"]["totalInstancesUsed"] == before + 1
    by = lib.admin(both.dev)
    by.ok("PUT", f"{COMPUTE}/os-quota-sets/{both.id}", {"quota_set": {"instances": before + 1}})
    assert code(both.ec2.run_instances, ImageId=image_of(both), InstanceType="t3.nano", MinCount=1, MaxCount=1) == "InstanceLimitExceeded"
    by.ok("PUT", f"{COMPUTE}/os-quota-sets/{both.id}", {"quota_set": {"instances": limit["maxTotalInstances"]}})
    both.ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])


def test_words_for_nothing(both):
    """The same absence in each face's words."""
    absent = str(uuid.UUID(int=7, version=4))
    assert both.call("GET", f"{COMPUTE}/servers/{absent}").json["itemNotFound"]["code"] == 404
    assert code(both.ec2.describe_instances, InstanceIds=[ec2_id("i", absent)]) == "InvalidInstanceID.NotFound"
    assert both.call("GET", f"{NETWORK}/ports/{absent}").json["NeutronError"]["type"] == "PortNotFound"
    assert code(both.ec2.describe_network_interfaces, NetworkInterfaceIds=[ec2_id("eni", absent)]) == "InvalidNetworkInterfaceID.NotFound"


def test_the_region_is_as_its_rows_say(both):
    assert both.dev.audit() == []


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

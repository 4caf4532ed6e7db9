#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/ec2 src/api/query
"""EC2 data of botocore and boto3, tested here: each waiter, each paginator, each collection and resource of boto3, and each request of `aws …
--generate-cli-skeleton`, sent without values."""
import json
import os
import re
import sys

import boto3
import botocore.config
import botocore.exceptions
import pytest
from botocore import xform_name
from botocore.utils import ArgumentGenerator

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import REGION, Dev, dump  # noqa: E402
from world import ABSENT_DIGITS, HOSTS, World  # noqa: E402

TABLES = dump()
ACTIONS = {a["name"]: a for a in TABLES["actions"] if a["service"] == "ec2"}
DATA = os.path.join(os.path.dirname(boto3.__file__), "../botocore/data/ec2/2016-11-15")
BOTO3 = os.path.join(os.path.dirname(boto3.__file__), "data/ec2/2016-11-15/resources-1.json")
ERRORS = re.compile(r"\w+(\.\w+)*$")


def read(path):
    with open(path, encoding="utf-8") as page:
        return json.load(page)


GUESTS_WORD = {"PasswordDataAvailable"}  # waits for a Windows guest, and no guest runs here
NO_EXPORT = {"ExportTaskCancelled", "ExportTaskCompleted"}  # the world exports no instance, which takes a bucket
WAITERS = {name: w for name, w in read(DATA + "/waiters-2.json")["waiters"].items() if w["operation"] in ACTIONS and name not in GUESTS_WORD | NO_EXPORT
           and "never" not in ACTIONS[w["operation"]]}  # a list that is always empty has no id to wait for
PAGES = {name: p for name, p in read(DATA + "/paginators-1.json")["pagination"].items() if name in ACTIONS}
RESOURCES = read(BOTO3)
SKELETONS = [name for name, o in read(DATA + "/service-2.json")["operations"].items() if name in ACTIONS and "input" in o]

# EC2's own code for a missing resource, where the waiter expects another.
OTHER_CODES = {"InternetGatewayExists": "InvalidInternetGatewayID.NotFound"}


@pytest.fixture(scope="module", name="world")
def fill_world():
    with Dev(*HOSTS) as dev:
        world = World(dev.account, TABLES)
        call = dev.account.ok
        for n in range(6):
            call("CreateVpc", {"CidrBlock": f"10.{100 + n}.0.0/16"})
            call("CreateVolume", {"AvailabilityZone": "us-east-1a", "Size": 1})
        stopped = call("RunInstances", {"ImageId": world.image, "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1}).first(".//instanceId")
        world.await_state(stopped, "running")
        call("StopInstances", {"InstanceId.1": stopped})
        world.await_state(stopped, "stopped")
        call("CreateImage", {"InstanceId": stopped, "Name": "of-stopped"})
        dev.rest()
        world.ids["stopped i"] = stopped
        yield world


@pytest.fixture(name="ec2", scope="module")
def connect(world):
    return world.account.client()


@pytest.fixture(name="resource", scope="module")
def connect_resource(world):
    account = world.account
    return boto3.resource("ec2", region_name=REGION, endpoint_url=account.dev.url, aws_access_key_id=account.key_id,
                          aws_secret_access_key=account.secret)


# ---- waiters

def ids_member(ec2, operation):
    """The member that takes ids, and their prefix."""
    members = ec2.meta.service_model.operation_model(operation).input_shape.members
    own = next(p for p in ACTIONS[operation]["params"] if p.get("prefix") and re.fullmatch(r"\w+\.N", p["name"]))
    name = own["name"].removesuffix(".N")
    wanted = {name, name + "s", name.removesuffix("Id") + "Ids"}
    member = next(m for m, shape in members.items() if m in wanted or shape.serialization.get("name", "").lower() == name.lower())
    return member, own["prefix"]


def wait(ec2, name, member, identifier):
    """Result of polling once: "success", "failure", or "retry" if it would poll again."""
    try:
        ec2.get_waiter(xform_name(name)).wait(**{member: [identifier]}, WaiterConfig={"Delay": 1, "MaxAttempts": 1})
        return "success"
    except botocore.exceptions.WaiterError as e:
        return "retry" if "Max attempts exceeded" in str(e) else "failure"


@pytest.mark.parametrize("name", WAITERS)
def test_waiter(ec2, world, name):
    """An existing resource ends the waiter; a missing one gives a code that the waiter knows."""
    operation = WAITERS[name]["operation"]
    member, prefix = ids_member(ec2, operation)
    ids = {i for label, i in world.ids.items() if i.startswith(prefix + "-") and label != "r"} | {i for i in world.deleted.values() if i.startswith(prefix + "-")}
    ends = {identifier: wait(ec2, name, member, identifier) for identifier in sorted(ids)}
    assert "success" in ends.values(), ends
    codes = [a["expected"] for a in WAITERS[name]["acceptors"] if a["matcher"] == "error"]
    with pytest.raises(botocore.exceptions.ClientError) as absent:
        getattr(ec2, xform_name(operation))(**{member: [f"{prefix}-{ABSENT_DIGITS}"]})
    code = absent.value.response["Error"]["Code"]
    assert not codes or code in codes or code == OTHER_CODES.get(name), f"{code}, and not one of {codes}"


# ---- paginators

def in_order(key, rows):
    """Instances are paged in groups of reservations, which may be split; an unpaged list of tags is unordered."""
    if key == "Tags":
        return sorted(rows, key=lambda tag: (tag["ResourceId"], tag["Key"]))
    if key != "Reservations":
        return rows
    merged = {}
    for row in rows:
        merged.setdefault(row["ReservationId"], {**row, "Instances": []})["Instances"] += row["Instances"]
    return [{**merged[r], "Instances": sorted(merged[r]["Instances"], key=lambda i: i["InstanceId"])} for r in sorted(merged)]


@pytest.mark.parametrize("name", PAGES)
def test_paginator(ec2, world, name):
    """All pages together equal the unpaged list, and no page exceeds the requested size."""
    shape = ec2.meta.service_model.operation_model(name).input_shape
    asked = {m: world.ids[p["prefix"]] for m in shape.required_members for p in ACTIONS[name]["params"] if p["name"] == m}
    if name == "DescribeLaunchTemplateVersions":
        asked = {"LaunchTemplateId": world.ids["lt"]}
    keys = PAGES[name]["result_key"]
    keys = keys if isinstance(keys, list) else [keys]
    least = next(p.get("min", 1) for p in ACTIONS[name]["params"] if p["name"] == "MaxResults")
    pages = list(ec2.get_paginator(xform_name(name)).paginate(**asked, PaginationConfig={"PageSize": least}))
    whole = ec2.get_paginator(xform_name(name)).paginate(**asked).build_full_result()
    for key in keys:
        parts = [row for page in pages for row in page[key]]
        assert in_order(key, parts) == in_order(key, whole[key])
        assert all(len(page[key]) <= least for page in pages)
    assert (len(pages) > 1) == any(len(whole[key]) > least for key in keys)


# ---- boto3's resources

def is_built(request):
    return request["operation"] in ACTIONS


COLLECTIONS = [name for name, many in RESOURCES["service"]["hasMany"].items() if is_built(many["request"])]


def members(thing):
    """All of a resource's attributes."""
    return {name: getattr(thing, name) for name in thing.meta.resource_model.get_attributes(
        thing.meta.client.meta.service_model.shape_for(thing.meta.resource_model.shape))}


@pytest.mark.parametrize("name", COLLECTIONS)
def test_collection(resource, name):
    """Each collection finds existing resources; each resource can be loaded, and its own collections listed."""
    found = list(getattr(resource, xform_name(name)).all())
    if name == "ClassicAddresses":  # EC2-Classic addresses, requested by domain=standard, do not exist
        assert found == []
        return
    assert found
    first = found[0]
    if hasattr(first, "reload"):
        first.reload()
    model = first.meta.resource_model
    assert any(value is not None for value in members(first).values())
    for many in RESOURCES["resources"][model.name].get("hasMany", {}):
        if is_built(RESOURCES["resources"][model.name]["hasMany"][many]["request"]):
            rows = list(getattr(first, xform_name(many)).all())
            assert len({getattr(r, "id", str(r)) for r in rows}) == len(rows)


def test_what_boto3_has_and_is_not_here():
    """Parts of boto3's service resource that cannot be used; shrinks as calls are built."""
    missing = {a["request"]["operation"] for part in ("actions", "hasMany") for a in RESOURCES["service"][part].values() if not is_built(a["request"])}
    assert missing <= {"CreateNetworkAcl"}


def test_actions(world, resource):
    """boto3's objects and their methods, from a VPC's creation to its end."""
    vpc = resource.create_vpc(CidrBlock="10.200.0.0/16")
    vpc.wait_until_exists()
    vpc.create_tags(Tags=[{"Key": "a", "Value": "b"}])
    vpc.modify_attribute(EnableDnsHostnames={"Value": True})
    assert vpc.describe_attribute(Attribute="enableDnsHostnames")["EnableDnsHostnames"]["Value"] is True
    gateway = resource.create_internet_gateway()
    gateway.attach_to_vpc(VpcId=vpc.id)
    assert [g.id for g in vpc.internet_gateways.all()] == [gateway.id]
    subnet = vpc.create_subnet(CidrBlock="10.200.1.0/24", AvailabilityZone="us-east-1a")
    table = vpc.create_route_table()
    route = table.create_route(DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway.id)
    association = table.associate_with_subnet(SubnetId=subnet.id)
    assert [a.subnet_id for a in resource.RouteTable(table.id).associations] == [subnet.id]
    group = vpc.create_security_group(GroupName="g", Description="d")
    rule = {"IpPermissions": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "192.0.2.0/24"}]}]}
    group.authorize_ingress(**rule)
    group.authorize_egress(**rule)
    assert group.ip_permissions[0]["FromPort"] == 22
    group.revoke_ingress(**rule)
    group.revoke_egress(**rule)
    port = subnet.create_network_interface(Groups=[group.id])
    port.assign_private_ip_addresses(SecondaryPrivateIpAddressCount=1)
    port.modify_attribute(Description={"Value": "plug"})
    port.reload()
    assert port.description == "plug" and len(port.private_ip_addresses) == 2 and port.vpc == vpc and port.subnet == subnet
    (machine,) = subnet.create_instances(ImageId=world.image, InstanceType="t3.micro", MinCount=1, MaxCount=1)
    world.account.dev.rest()
    machine.wait_until_running()
    machine.reload()
    assert machine.state["Name"] == "running" and [i.id for i in vpc.instances.all()] == [machine.id]
    assert "simulated" in machine.console_output()["Output"]
    machine.monitor()
    machine.unmonitor()
    machine.reboot()
    attachment = port.attach(InstanceId=machine.id, DeviceIndex=1)["AttachmentId"]
    volume = resource.create_volume(AvailabilityZone="us-east-1a", Size=1)
    world.account.dev.rest()
    machine.attach_volume(VolumeId=volume.id, Device="/dev/sdh")
    world.account.dev.rest()
    assert volume.id in [v.id for v in machine.volumes.all()] and volume.describe_status()["VolumeStatuses"]
    address = resource.VpcAddress(world.account.client().allocate_address(Domain="vpc")["AllocationId"])
    address.associate(NetworkInterfaceId=port.id)
    address.reload()
    assert address.network_interface_id == port.id
    address.association.delete()
    address.release()
    snapshot = volume.create_snapshot()
    world.account.dev.rest()
    snapshot.wait_until_completed()
    volume.detach_from_instance(InstanceId=machine.id)
    port.detach(AttachmentId=attachment)
    machine.stop()
    world.account.dev.rest()
    machine.wait_until_stopped()
    image = machine.create_image(Name="boto3")
    world.account.dev.rest()
    image.modify_attribute(Description={"Value": "x"})
    image.reload()
    assert (image.state, image.description, image.name) == ("available", "x", "boto3")
    machine.start()
    world.account.dev.rest()
    machine.terminate()
    world.account.dev.rest()
    machine.wait_until_terminated()
    disks = [d["Ebs"]["SnapshotId"] for d in image.block_device_mappings]
    image.deregister()
    world.account.dev.rest()
    for made in (*[resource.Snapshot(d) for d in disks], snapshot, volume, port, group, association, route, table, subnet):
        made.delete()
        world.account.dev.rest()
    gateway.detach_from_vpc(VpcId=vpc.id)
    gateway.delete()
    vpc.delete()
    assert vpc.id not in [v.id for v in resource.vpcs.all()]


# ---- skeletons

@pytest.fixture(name="unchecked", scope="module")
def connect_unchecked(world):
    """A client that also sends values that the model considers too short."""
    account, config = world.account, botocore.config.Config(parameter_validation=False, retries={"max_attempts": 0})
    return boto3.client("ec2", region_name=REGION, endpoint_url=account.dev.url, aws_access_key_id=account.key_id,
                        aws_secret_access_key=account.secret, config=config)


def with_blobs(value):
    """The generator omits them."""
    if isinstance(value, dict):
        return {name: with_blobs(inner) for name, inner in value.items()}
    return [with_blobs(inner) for inner in value] if isinstance(value, list) else b"" if value is None else value


@pytest.mark.parametrize("name", SKELETONS)
def test_skeleton(unchecked, name):
    """Every member is empty or zero: the answer is one of EC2's errors, and the server keeps running."""
    shape = unchecked.meta.service_model.operation_model(name).input_shape
    try:
        getattr(unchecked, xform_name(name))(**with_blobs(ArgumentGenerator().generate_skeleton(shape)))
    except botocore.exceptions.ClientError as e:
        assert 400 <= e.response["ResponseMetadata"]["HTTPStatusCode"] < 500 and ERRORS.match(e.response["Error"]["Code"]), e


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=40", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

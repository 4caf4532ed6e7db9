#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: docs/mapping.md src/engine/instance src/api/ec2/compute src/api/openstack/compute
"""One engine, two faces: resources created by one face are read, changed and deleted by the other, both ways, as docs/mapping.md says. This script
has machines and their prerequisites; two_faces_*.py have the network, the disks, and users. Each row of that page is named by a case that
proves it (mapping_rows.py)."""
import base64
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud as lib  # noqa: E402
import faces  # noqa: E402
from dev import Dev  # noqa: E402
from faces import COMPUTE, NETWORK, NEWEST, VOLUME, code, ec2_id, holds  # noqa: E402

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGWrnDmbTVbdaWdQ0S1XZkn2QJ6rIxdGAXBWVkEeLvZG"


@pytest.fixture(scope="module")
def both():
    with Dev() as dev:
        yield lib.another(dev, "both", faces.Both)


@pytest.fixture(scope="module")
def admin(both):
    return lib.admin(both.dev)


# ---- instances and servers

@holds("What each face calls it: image, instance, key pair", "What each face calls it: `r-` (reservation)",
       "What each face calls it: instance types")
def test_an_instance_is_a_server(both, admin):
    both.ec2.import_key_pair(KeyName="of-ec2", PublicKeyMaterial=KEY)
    subnet = both.ec2.describe_subnets()["Subnets"][0]
    group = both.ec2.create_security_group(GroupName="of-ec2", Description="d")["GroupId"]
    made = both.ec2.run_instances(
        ImageId=both.image, InstanceType="t3.micro", MinCount=2, MaxCount=2, KeyName="of-ec2", SubnetId=subnet["SubnetId"],
        SecurityGroupIds=[group], UserData="#!/bin/sh\n", TagSpecifications=[{"ResourceType": "instance", "Tags": [
            {"Key": "Name", "Value": "web"}, {"Key": "a", "Value": "b"}, {"Key": "word", "Value": ""}]}])
    both.rest()
    first, second = (i["InstanceId"] for i in made["Instances"])
    instance, server = both.instance(first), both.server(first)
    path = f"{COMPUTE}/servers/{server['id']}"
    assert (server["name"], server["status"], server["OS-EXT-STS:vm_state"], server["OS-EXT-STS:power_state"]) == ("web", "ACTIVE", "active", 1)
    assert (server["flavor"]["original_name"], server["flavor"]["vcpus"], server["flavor"]["ram"]) == ("t3.micro", 2, 1024)
    assert ec2_id("ami", server["image"]["id"]) == instance["ImageId"] and server["key_name"] == "of-ec2"
    assert server["metadata"] == {"Name": "web", "a": "b"} and server["tags"] == ["word"]
    assert server["OS-EXT-AZ:availability_zone"] == instance["Placement"]["AvailabilityZone"] == subnet["AvailabilityZone"]
    assert server["created"] == instance["LaunchTime"].strftime("%Y-%m-%dT%H:%M:%SZ")
    assert server["security_groups"] == [{"name": "of-ec2"}] and server["tenant_id"] == both.id
    ((address, *others),) = server["addresses"].values()
    assert address["addr"] == instance["PrivateIpAddress"]
    assert address["OS-EXT-IPS-MAC:mac_addr"] == instance["NetworkInterfaces"][0]["MacAddress"]
    assert [a["addr"] for a in others] == ([instance["PublicIpAddress"]] if "PublicIpAddress" in instance else [])
    told = admin.ok("GET", path, version=NEWEST)["server"]
    assert told["OS-EXT-SRV-ATTR:reservation_id"] == made["ReservationId"] and told["OS-EXT-SRV-ATTR:launch_index"] == instance["AmiLaunchIndex"]
    assert base64.b64decode(told["OS-EXT-SRV-ATTR:user_data"]) == b"#!/bin/sh\n"
    assert told["OS-EXT-SRV-ATTR:root_device_name"] == instance["RootDeviceName"]
    both.act(server["id"], "os-stop")
    assert both.instance(first)["State"]["Name"] == "stopped"
    both.act(server["id"], "os-start")
    assert both.instance(first)["State"]["Name"] == "running"
    both.act(server["id"], "removeSecurityGroup", {"name": "of-ec2"})
    both.act(server["id"], "addSecurityGroup", {"name": "default"})
    assert [g["GroupName"] for g in both.instance(first)["SecurityGroups"]] == ["default"]
    both.ec2.modify_instance_attribute(InstanceId=first, DisableApiTermination={"Value": True})
    assert both.status("DELETE", path) == 409
    both.ec2.modify_instance_attribute(InstanceId=first, DisableApiTermination={"Value": False})
    both.delete(path)
    assert both.instance(first)["State"]["Name"] == "terminated"
    both.terminate(second)
    both.ec2.delete_security_group(GroupId=group)


@holds("What each face calls it: image, instance, key pair")
def test_a_server_is_an_instance(both):
    network = both.ok("POST", f"{NETWORK}/networks", {"network": {"name": "apart"}})["network"]["id"]
    subnet = both.ok("POST", f"{NETWORK}/subnets", {"subnet": {"network_id": network, "cidr": "10.20.0.0/24", "ip_version": 4}})["subnet"]["id"]
    both.ok("POST", f"{COMPUTE}/os-keypairs", {"keypair": {"name": "of-nova", "public_key": KEY}})
    group = both.ok("POST", f"{NETWORK}/security-groups", {"security_group": {"name": "of-nova"}})["security_group"]["id"]
    made = both.ok("POST", f"{COMPUTE}/servers", {"server": {
        "name": "db", "flavorRef": "t3.micro", "imageRef": both.image_uuid, "networks": [{"uuid": network}], "key_name": "of-nova",
        "metadata": {"k": "v"}, "tags": ["word"], "security_groups": [{"name": "of-nova"}], "availability_zone": both.zone,
        "user_data": base64.b64encode(b"data").decode(), "min_count": 2, "max_count": 2}}, version=NEWEST)["server"]["id"]
    both.rest()
    identifier, path = ec2_id("i", made), f"{COMPUTE}/servers/{made}"
    instance = both.instance(identifier)
    assert (instance["State"]["Name"], instance["InstanceType"], instance["ImageId"]) == ("running", "t3.micro", both.image)
    assert instance["SubnetId"] == ec2_id("subnet", subnet) and instance["PrivateIpAddress"].startswith("10.20.0.")
    assert instance["KeyName"] == "of-nova" and "VpcId" not in instance and "PublicIpAddress" not in instance
    assert instance["SecurityGroups"] == [{"GroupId": ec2_id("sg", group), "GroupName": "of-nova"}]
    assert {t["Key"]: t["Value"] for t in instance["Tags"]} == {"k": "v", "word": ""}
    assert instance["Placement"]["AvailabilityZone"] == both.zone
    data = both.ec2.describe_instance_attribute(InstanceId=identifier, Attribute="userData")["UserData"]["Value"]
    assert base64.b64decode(data) == b"data"
    shown = both.ok("GET", path)["server"]
    assert shown["created"] == instance["LaunchTime"].strftime("%Y-%m-%dT%H:%M:%SZ")
    (other,) = [s["id"] for s in both.listed(COMPUTE, "servers") if s["id"] != made]
    reservation = [r for r in both.ec2.describe_instances()["Reservations"] if r["Instances"][0]["InstanceId"] in (identifier, ec2_id("i", other))]
    assert len(reservation) == 1 and len(reservation[0]["Instances"]) == 2
    both.ec2.stop_instances(InstanceIds=[identifier], Force=True)
    both.rest()
    assert both.ok("GET", path)["server"]["status"] == "SHUTOFF"
    both.ec2.modify_instance_attribute(InstanceId=identifier, InstanceType={"Value": "t3.small"})
    assert both.ok("GET", path)["server"]["flavor"]["id"] == "t3.small"
    both.ec2.modify_instance_attribute(InstanceId=identifier, UserData={"Value": b"other"})
    both.ec2.start_instances(InstanceIds=[identifier])
    both.rest()
    assert both.ok("GET", path)["server"]["status"] == "ACTIVE"
    both.ec2.reboot_instances(InstanceIds=[identifier])
    both.rest()
    assert both.ok("GET", path)["server"]["status"] == "ACTIVE"
    both.terminate(identifier, ec2_id("i", other))
    assert both.status("GET", path) == 404 and both.status("DELETE", path) == 404
    assert both.status("DELETE", f"{NETWORK}/networks/{network}") == 204
    assert both.status("DELETE", f"{NETWORK}/security-groups/{group}") == 204
    both.ec2.delete_key_pair(KeyName="of-nova")


def test_metadata_and_tags(both):
    instance = both.run()
    server = both.server(instance)["id"]
    path = f"{COMPUTE}/servers/{server}"

    def tags():
        return {t["Key"]: t["Value"] for t in both.instance(instance).get("Tags", [])}
    both.ok("POST", f"{path}/metadata", {"metadata": {"a": "1", "b": "2"}})
    both.ok("PUT", f"{path}/metadata/a", {"meta": {"a": "3"}})
    assert both.status("PUT", f"{path}/tags/word", version=NEWEST) == 201
    assert tags() == {"a": "3", "b": "2", "word": ""}
    both.ec2.create_tags(Resources=[instance], Tags=[{"Key": "b", "Value": "4"}, {"Key": "of-ec2", "Value": ""}])
    assert both.ok("GET", f"{path}/metadata")["metadata"] == {"a": "3", "b": "4"}
    assert sorted(both.ok("GET", f"{path}/tags", version=NEWEST)["tags"]) == ["of-ec2", "word"]
    both.ok("PUT", f"{path}/metadata", {"metadata": {"c": "5"}})
    assert tags() == {"c": "5", "word": "", "of-ec2": ""}
    assert both.status("DELETE", f"{path}/tags", version=NEWEST) == 204
    assert both.status("DELETE", f"{path}/metadata/c") == 204
    assert tags() == {}
    both.ec2.create_tags(Resources=[instance], Tags=[{"Key": "Name", "Value": "from-ec2"}])
    assert both.ok("GET", path)["server"]["name"] == "from-ec2"
    both.ok("PUT", path, {"server": {"name": "from-nova", "description": "d"}}, version=NEWEST)
    assert both.ok("GET", path)["server"]["name"] == "from-nova"
    both.ec2.delete_tags(Resources=[instance], Tags=[{"Key": "Name"}])
    assert tags() == {}
    both.terminate(instance)


def test_console_output(both):
    instance = both.run()
    text = both.ec2.get_console_output(InstanceId=instance)["Output"]
    server = both.server(instance)["id"]
    assert text and both.act(server, "os-getConsoleOutput", {}).json["output"] == text
    both.terminate(instance)


# ---- where one face has a word and another has none

STATES = [  # action and its face; then Nova's status and vm_state, EC2's state
    (("os-stop", None), "SHUTOFF", "stopped", "stopped"),
    ("start", "ACTIVE", "active", "running"),
    (("pause", None), "PAUSED", "paused", "running"),
    ("reboot", "ACTIVE", "active", "running"),
    (("pause", None), "PAUSED", "paused", "running"),
    ("stop", "SHUTOFF", "stopped", "stopped"),
    ("start", "ACTIVE", "active", "running"),
    (("pause", None), "PAUSED", "paused", "running"),
    (("unpause", None), "ACTIVE", "active", "running"),
    (("suspend", None), "SUSPENDED", "suspended", "stopped"),
    ("start", "ACTIVE", "active", "running"),
    (("suspend", None), "SUSPENDED", "suspended", "stopped"),
    (("resume", None), "ACTIVE", "active", "running"),
    (("reboot", {"type": "HARD"}), "ACTIVE", "active", "running"),
    ("stop", "SHUTOFF", "stopped", "stopped"),
    (("os-start", None), "ACTIVE", "active", "running"),
]


@holds("Instances: its processors stand still", "Instances: off, its memory kept on its host")
def test_states(both):
    instance = both.run()
    server = both.server(instance)["id"]
    calls = {"start": both.ec2.start_instances, "stop": both.ec2.stop_instances, "reboot": both.ec2.reboot_instances}
    for step, status, vm_state, state in STATES:
        if isinstance(step, tuple):
            both.act(server, *step)
        else:
            calls[step](InstanceIds=[instance])
            both.rest()
        shown = both.server(instance)
        assert (shown["status"], shown["OS-EXT-STS:vm_state"], shown["OS-EXT-STS:task_state"]) == (status, vm_state, None), step
        assert both.instance(instance)["State"]["Name"] == state, step
    both.act(server, "suspend")
    (root,) = both.instance(instance)["BlockDeviceMappings"]
    assert code(both.ec2.detach_volume, VolumeId=root["Ebs"]["VolumeId"]) == "IncorrectState"
    both.terminate(instance)


def test_states_on_the_way():
    """States of slow actions are shown in each face's word."""
    words = {"pending": ("BUILD", "building"), "running": ("ACTIVE", "active"), "stopping": ("ACTIVE", "active"),
             "stopped": ("SHUTOFF", "stopped"), "shutting-down": ("ACTIVE", "active")}
    with Dev(instant=False) as dev:
        slow = lib.another(dev, "slow", faces.Both)
        (launched,) = slow.ec2.run_instances(ImageId=slow.image, InstanceType="t3.nano", MinCount=1, MaxCount=1)["Instances"]
        instance, seen = launched["InstanceId"], {launched["State"]["Name"]}  # on a busy machine it may run before the first look

        def look(until):
            while until not in seen:
                before, server = slow.instance(instance)["State"]["Name"], slow.server(instance)
                if slow.instance(instance)["State"]["Name"] == before:
                    assert (server["status"], server["OS-EXT-STS:vm_state"]) == words[before]
                    seen.add(before)
        look("running")
        slow.act(slow.server(instance)["id"], "os-stop")
        look("stopped")
        assert {"pending", "running", "stopped"} <= seen, seen
        slow.ec2.terminate_instances(InstanceIds=[instance])


@holds("Instances: its host has a maintenance ahead", "Instances: off until that is over")
def test_maintenance(both, admin):
    instance = both.run()
    server = both.server(instance)["id"]

    def shown():
        (service,) = [s for s in admin.ok("GET", f"{COMPUTE}/os-services")["services"] if s["host"] == host]
        events = both.ec2.describe_instance_status(InstanceIds=[instance], IncludeAllInstances=True)["InstanceStatuses"][0].get("Events", [])
        return service["status"], service["disabled_reason"], [e["Code"] + e["Description"] for e in events]
    path = f"{COMPUTE}/servers/{server}"
    host = admin.ok("GET", path)["server"]["OS-EXT-SRV-ATTR:host"]
    assert shown() == ("enabled", None, [])
    both.dev.command("host", "maintenance", host, "--from", "2090-01-31T22:00:00Z", "--kind", "reboot", "--reason", "fans")
    assert shown() == ("disabled", "fans", ["system-rebootfans"])
    assert admin.ok("GET", path, version=NEWEST)["server"]["host_status"] == "MAINTENANCE"
    for enable, binary in ((f"{COMPUTE}/os-services/enable", "nova-compute"), (f"{VOLUME}/os-services/enable", "cinder-volume")):
        refused = admin.call("PUT", enable, {"host": host, "binary": binary})
        assert refused.status == 400 and f"dari host maintenance {host} --end" in str(refused.json), refused
    assert shown() == ("disabled", "fans", ["system-rebootfans"])
    both.dev.command("host", "maintenance", host, "--from", "now", "--kind", "reboot", "--reason", "fans")
    both.rest()
    assert (both.server(instance)["status"], both.instance(instance)["State"]["Name"]) == ("SHUTOFF", "pending")
    both.dev.command("host", "maintenance", host, "--end")
    both.rest()
    assert shown() == ("enabled", None, ["system-reboot[Completed] fans"])
    assert (both.server(instance)["status"], both.instance(instance)["State"]["Name"]) == ("ACTIVE", "running")
    both.terminate(instance)


@holds("Instances: another size, not confirmed")
def test_resize(both):
    instance = both.run()
    server = both.server(instance)["id"]
    for end, size in (("revertResize", "t3.micro"), ("confirmResize", "t3.small")):
        both.act(server, "resize", {"flavorRef": "t3.small"})
        assert both.server(instance)["status"] == "VERIFY_RESIZE"
        shown = both.instance(instance)
        assert (shown["InstanceType"], shown["State"]["Name"]) == ("t3.small", "running")
        both.act(server, end)
        assert (both.server(instance)["status"], both.instance(instance)["InstanceType"]) == ("ACTIVE", size)
    both.terminate(instance)


@holds("Instances: a new root disk")
def test_rebuild(both):
    instance = both.run()
    copy = both.ec2.copy_image(SourceImageId=both.image, SourceRegion="us-east-1", Name="copy")["ImageId"]
    both.rest()
    server = both.server(instance)["id"]
    (old,) = both.instance(instance)["BlockDeviceMappings"]
    both.act(server, "rebuild", {"imageRef": both.seen(faces.IMAGE, "images", copy)["id"]})
    shown = both.instance(instance)
    (new,) = shown["BlockDeviceMappings"]
    assert (shown["ImageId"], shown["State"]["Name"], both.server(instance)["status"]) == (copy, "running", "ACTIVE")
    assert new["DeviceName"] == old["DeviceName"] and new["Ebs"]["VolumeId"] != old["Ebs"]["VolumeId"]
    both.terminate(instance)
    both.ec2.deregister_image(ImageId=copy)


@holds("Instances: its licence is its owner's own", "Instances: Licences")
def test_licences(both):
    copy = both.ec2.copy_image(SourceImageId=both.image, SourceRegion="us-east-1", Name="licensed")["ImageId"]
    both.rest()

    def words(shown):
        return shown["PlatformDetails"], shown["UsageOperation"]
    both.dev.command("subscriptions", "image", copy, "rhel:included")
    assert words(both.ec2.describe_images(ImageIds=[copy])["Images"][0]) == ("Red Hat Enterprise Linux", "RunInstances:0010")
    assert both.seen(faces.IMAGE, "images", copy)["dari:licence"] == "rhel:included"
    both.dev.command("subscriptions", "image", copy, "rhel:byos")
    assert words(both.ec2.describe_images(ImageIds=[copy])["Images"][0]) == ("Red Hat BYOL Linux", "RunInstances:00g0")
    assert both.seen(faces.IMAGE, "images", copy)["dari:licence"] == "rhel:byos"
    instance = both.run()
    assert words(both.instance(instance)) == ("Linux/UNIX", "RunInstances")
    both.dev.command("subscriptions", "convert", instance, "--to", "rhel:byos")
    assert words(both.instance(instance)) == ("Red Hat BYOL Linux", "RunInstances:00g0")
    both.terminate(instance)
    both.ec2.deregister_image(ImageId=copy)


@holds("Instances: rescued", "Instances: Rescue")
def test_rescue(both):
    instance = both.run()
    server = both.server(instance)["id"]
    (root,) = both.instance(instance)["BlockDeviceMappings"]
    both.act(server, "rescue")
    shown = both.instance(instance)
    (rescue,) = [m for m in shown["BlockDeviceMappings"] if m["Ebs"]["VolumeId"] != root["Ebs"]["VolumeId"]]
    assert (both.server(instance)["status"], shown["State"]["Name"], len(shown["BlockDeviceMappings"])) == ("RESCUE", "running", 2)
    assert both.server(instance)["os-extended-volumes:volumes_attached"] == []
    assert both.ok("GET", f"{COMPUTE}/servers/{server}/os-volume_attachments")["volumeAttachments"] == []
    assert code(both.ec2.detach_volume, VolumeId=rescue["Ebs"]["VolumeId"]) == "OperationNotPermitted"
    assert both.status("POST", f"{COMPUTE}/servers/{server}/action", {"os-stop": None}) == 409
    both.act(server, "unrescue")
    shown = both.instance(instance)
    assert [m["Ebs"]["VolumeId"] for m in shown["BlockDeviceMappings"]] == [root["Ebs"]["VolumeId"]]
    assert both.server(instance)["status"] == "ACTIVE"
    both.ec2.stop_instances(InstanceIds=[instance])
    both.rest()
    both.act(server, "rescue")
    assert both.instance(instance)["State"]["Name"] == "running"
    both.terminate(instance)
    assert both.ec2.describe_volumes()["Volumes"] == []


@holds("Instances: shelved", "Instances: Shelves")
def test_shelves(both, admin):
    instance = both.run()
    shown = both.server(instance)
    server, name = shown["id"], f"{shown['name']}-shelved"
    (disk,) = both.instance(instance)["BlockDeviceMappings"]

    def images():
        return [i["name"] for i in both.ok("GET", f"/image/v2/images?name={name}")["images"]]

    both.act(server, "shelve")
    assert (both.server(instance)["status"], both.instance(instance)["State"]["Name"], images()) == ("SHELVED_OFFLOADED", "stopped", [name])
    assert admin.ok("GET", f"{COMPUTE}/servers/{server}")["server"]["OS-EXT-SRV-ATTR:host"] is None
    assert both.ec2.describe_volumes(VolumeIds=[disk["Ebs"]["VolumeId"]])["Volumes"][0]["Attachments"][0]["State"] == "attaching"
    assert both.status("POST", f"{COMPUTE}/servers/{server}/action", {"os-start": None}) == 409
    assert code(both.ec2.modify_instance_attribute, InstanceId=instance, InstanceType={"Value": "t3.small"}) == "IncorrectInstanceState"
    both.act(server, "shelveOffload")
    both.act(server, "unshelve")
    assert (both.server(instance)["status"], both.instance(instance)["State"]["Name"], images()) == ("ACTIVE", "running", [])
    both.act(server, "shelve")
    both.ec2.start_instances(InstanceIds=[instance])
    both.rest()
    assert (both.server(instance)["status"], both.instance(instance)["State"]["Name"], images()) == ("ACTIVE", "running", [])
    assert both.instance(instance)["BlockDeviceMappings"][0]["Ebs"]["VolumeId"] == disk["Ebs"]["VolumeId"]
    both.act(server, "shelve")
    both.terminate(instance)
    assert images() == []


@holds("Instances: marked by an operator (`os-resetState`)", "Instances: os-resetState")
def test_marks(both, admin):
    instance = both.run()
    path = f"{COMPUTE}/servers/{both.server(instance)['id']}/action"
    mark = {"os-resetState": {"state": "error"}}
    assert both.status("POST", path, mark) == 403
    for undo in ({"os-resetState": {"state": "active"}}, {"reboot": {"type": "HARD"}}):
        admin.ok("POST", path, mark)
        assert (both.server(instance)["status"], both.instance(instance)["State"]["Name"]) == ("ERROR", "running")
        admin.ok("POST", path, undo)
        both.rest()
        assert both.server(instance)["status"] == "ACTIVE"
    both.terminate(instance)


@holds("Instances: Passwords")
def test_passwords(both):
    def make(**more):
        return both.ok("POST", f"{COMPUTE}/servers", {"server": {
            "name": "p", "imageRef": both.image_uuid, "flavorRef": "t3.micro", "networks": "none", **more}}, version=NEWEST)["server"]
    drawn, again, said = make(), make(config_drive=True), make(adminPass="mine")
    assert len(drawn["adminPass"]) == 16 and drawn["adminPass"] != again["adminPass"] and said["adminPass"] == "mine"
    both.rest()
    assert both.ok("POST", f"{COMPUTE}/servers/{said['id']}/action", {"rescue": {"adminPass": "other"}}) == {"adminPass": "other"}
    path = f"{COMPUTE}/servers/{drawn['id']}"
    assert both.ok("GET", f"{path}/os-server-password") == {"password": ""} and both.status("DELETE", f"{path}/os-server-password") == 204
    assert both.status("POST", f"{path}/action", {"changePassword": {"adminPass": "x"}}) == 400
    both.rest()
    for made in (drawn, again, said):
        both.ok("DELETE", f"{COMPUTE}/servers/{made['id']}")
    both.rest()


@holds("Instances: Usage")
def test_usage(both, admin):
    window = "start=2020-01-01T00:00:00&end=2100-01-01T00:00:00"
    path = f"{COMPUTE}/os-simple-tenant-usage"

    def told():
        return {u["instance_id"]: u for u in both.ok("GET", f"{path}/{both.id}?{window}")["tenant_usage"]["server_usages"]}

    instance = both.run()
    server = both.server(instance)["id"]
    begun = told()[server]
    assert (begun["flavor"], begun["vcpus"], begun["memory_mb"], begun["state"], begun["ended_at"]) == ("t3.micro", 2, 1024, "active", None)
    both.ec2.stop_instances(InstanceIds=[instance])
    both.rest()
    assert told()[server]["state"] == "stopped" and told()[server]["ended_at"] is None
    both.ec2.modify_instance_attribute(InstanceId=instance, InstanceType={"Value": "t3.small"})
    usages = [u for u in both.ok("GET", f"{path}/{both.id}?{window}")["tenant_usage"]["server_usages"] if u["instance_id"] == server]
    assert [(u["flavor"], u["ended_at"] is None) for u in usages] == [("t3.micro", False), ("t3.small", True)]
    both.terminate(instance)
    ended = told()[server]
    assert ended["ended_at"] and ended["state"] == "terminated"
    (mine,) = [u for u in admin.ok("GET", f"{path}?{window}&detailed=1")["tenant_usages"] if u["tenant_id"] == both.id]
    assert mine["total_hours"] == pytest.approx(sum(u["hours"] for u in mine["server_usages"]))
    assert both.status("GET", path) == 403 and both.status("GET", f"{path}/{admin.id}") == 403
    assert both.status("GET", f"{path}/{both.id}?start=2100-01-01T00:00:00&end=2020-01-01T00:00:00") == 400
    first = both.ok("GET", f"{path}/{both.id}?{window}&limit=1", version="compute 2.40")
    (link,) = first["tenant_usage_links"]
    rest = both.ok("GET", link["href"][link["href"].index("/compute"):], version="compute 2.40")
    assert first["tenant_usage"]["server_usages"][0]["instance_id"] < rest["tenant_usage"]["server_usages"][0]["instance_id"]


@holds("Instances: locked")
def test_locks(both):
    instance = both.run()
    server = both.server(instance)["id"]
    both.act(server, "lock", {"locked_reason": "mine"})
    shown = both.server(instance)
    assert shown["locked"] is True and shown["locked_reason"] == "mine"
    for call in (both.ec2.stop_instances, both.ec2.reboot_instances, both.ec2.terminate_instances):
        assert code(call, InstanceIds=[instance]) == "OperationNotPermitted"
    assert code(both.ec2.modify_instance_attribute, InstanceId=instance, DisableApiTermination={"Value": True}) == "OperationNotPermitted"
    assert both.status("DELETE", f"{COMPUTE}/servers/{server}") == 409
    both.act(server, "unlock")
    both.terminate(instance)


@holds("Instances: accepted, and no host has room, or a storage pool takes no disks")
def test_no_room(both, admin):
    huge = {"flavor": {"name": "huge", "id": "huge", "ram": 2 * 1024 * 1024, "vcpus": 2, "disk": 0}}
    admin.ok("POST", f"{COMPUTE}/flavors", huge)
    assert code(both.ec2.run_instances, ImageId=both.image, InstanceType="huge", MinCount=1, MaxCount=1) == "InsufficientInstanceCapacity"
    made = both.ok("POST", f"{COMPUTE}/servers", {"server": {"name": "x", "flavorRef": "huge", "imageRef": both.image_uuid, "networks": "none"}},
                   version=NEWEST)["server"]["id"]
    both.rest()
    shown = both.ok("GET", f"{COMPUTE}/servers/{made}")["server"]
    assert shown["status"] == "ERROR" and "No valid host was found" in shown["fault"]["message"]
    assert both.instance(ec2_id("i", made))["State"]["Name"] == "pending"
    both.terminate(ec2_id("i", made))
    assert both.status("GET", f"{COMPUTE}/servers/{made}") == 404
    assert admin.call("DELETE", f"{COMPUTE}/flavors/huge").status == 202


@holds("What each face calls it: launch template, its versions")
def test_launch_templates(both):
    """Launch templates exist in EC2 only; an instance launched from one is an ordinary server, whose template tags cannot be removed."""
    both.ec2.create_launch_template(LaunchTemplateName="small", LaunchTemplateData={"ImageId": both.image, "InstanceType": "t3.nano"})
    made = both.ec2.run_instances(MinCount=1, MaxCount=1, LaunchTemplate={"LaunchTemplateName": "small"})["Instances"][0]["InstanceId"]
    both.rest()
    path = f"{COMPUTE}/servers/{both.server(made)['id']}"
    both.ok("PUT", f"{path}/metadata", {"metadata": {"a": "b"}})
    both.ec2.delete_tags(Resources=[made])
    assert sorted(t["Key"] for t in both.instance(made)["Tags"]) == ["aws:ec2launchtemplate:id", "aws:ec2launchtemplate:version"]
    assert code(lambda: both.ec2.delete_tags(Resources=[made], Tags=[{"Key": "aws:ec2launchtemplate:id"}])) == "InvalidParameterValue"
    both.ec2.delete_launch_template(LaunchTemplateName="small")
    assert both.instance(made)["State"]["Name"] == "running"
    both.terminate(made)


@holds("Instances: a server group", "Instances: Placement groups")
def test_placement_groups(both):
    """Groups of one face are groups of the other; Nova's hard and soft policies of a kind are one strategy."""
    group = both.ok("POST", f"{COMPUTE}/os-server-groups", {"server_group": {"name": "novas", "policy": "affinity"}}, version=NEWEST)["server_group"]
    found = both.ec2.describe_placement_groups(GroupNames=["novas"])["PlacementGroups"][0]
    assert (found["GroupId"], found["Strategy"], found["State"]) == (ec2_id("pg", group["id"]), "cluster", "available")
    near = both.ec2.create_placement_group(GroupName="near", Strategy="cluster")["PlacementGroup"]
    both.ec2.create_placement_group(GroupName="apart", Strategy="spread")
    both.ec2.create_placement_group(GroupName="parts", Strategy="partition", PartitionCount=2)
    policies = {g["name"]: g["policy"] for g in both.ok("GET", f"{COMPUTE}/os-server-groups", version=NEWEST)["server_groups"]}
    assert policies == {"novas": "affinity", "near": "soft-affinity", "apart": "anti-affinity", "parts": "soft-anti-affinity"}
    made = both.ec2.run_instances(ImageId=both.image, InstanceType="t3.nano", MinCount=2, MaxCount=2, Placement={"GroupName": "parts"})["Instances"]
    assert sorted(i["Placement"]["PartitionNumber"] for i in made) == [1, 2]
    shown = {g["name"]: g["members"] for g in both.ok("GET", f"{COMPUTE}/os-server-groups", version=NEWEST)["server_groups"]}
    assert sorted(ec2_id("i", m) for m in shown["parts"]) == sorted(i["InstanceId"] for i in made)
    assert code(lambda: both.ec2.delete_placement_group(GroupName="parts")) == "InvalidPlacementGroup.InUse"
    both.terminate(*(i["InstanceId"] for i in made))
    for name in ("parts", "apart", "novas"):
        both.ec2.delete_placement_group(GroupName=name)
    assert both.status("DELETE", f"{COMPUTE}/os-server-groups/" + next(
        g["id"] for g in both.ok("GET", f"{COMPUTE}/os-server-groups", version=NEWEST)["server_groups"] if ec2_id("pg", g["id"]) == near["GroupId"])) == 204


@holds("Instances: a server group")
def test_server_groups(both, admin):
    group = both.ok("POST", f"{COMPUTE}/os-server-groups", {"server_group": {"name": "apart", "policy": "anti-affinity"}}, version=NEWEST)["server_group"]
    made = [both.ok("POST", f"{COMPUTE}/servers", {
        "server": {"name": n, "flavorRef": "t3.nano", "imageRef": both.image_uuid, "networks": "none"},
        "os:scheduler_hints": {"group": group["id"]}}, version=NEWEST)["server"]["id"] for n in "ab"]
    both.rest()

    def hosts():
        return [admin.ok("GET", f"{COMPUTE}/servers/{s}")["server"]["OS-EXT-SRV-ATTR:host"] for s in made]
    before = hosts()
    assert len(set(before)) == 2
    instances = [ec2_id("i", s) for s in made]
    both.ec2.stop_instances(InstanceIds=instances)
    both.rest()
    for name, members in [("", [made[1]]), ("apart", sorted(made))]:
        both.ec2.modify_instance_placement(InstanceId=instances[0], GroupName=name)
        assert sorted(both.ok("GET", f"{COMPUTE}/os-server-groups/{group['id']}", version=NEWEST)["server_group"]["members"]) == members
    both.ec2.start_instances(InstanceIds=instances)
    both.rest()
    assert len(set(hosts())) == 2
    both.terminate(*instances)
    assert both.status("DELETE", f"{COMPUTE}/os-server-groups/{group['id']}") == 204


@holds("What each face calls it: dedicated host", "Instances: Dedicated hosts")
def test_dedicated_hosts(both, admin):
    """All hosts of a region become dedicated to one account: Nova finds none for another's server until they are released."""
    def hypervisors():
        return sorted(h["hypervisor_hostname"] for h in admin.ok("GET", f"{COMPUTE}/os-hypervisors")["hypervisors"])
    before, other = hypervisors(), lib.another(both.dev, "hosts", faces.Both)
    account = both.dev.account.client()
    both.rest()
    hosts = [h for zone in "ab" for h in account.allocate_hosts(AvailabilityZone=f"us-east-1{zone}", InstanceFamily="t3", Quantity=2)["HostIds"]]
    assert hypervisors() == before and len(hosts) == len(before)
    assert other.ec2.describe_hosts()["Hosts"] == []
    server = {"server": {"name": "x", "flavorRef": "t3.nano", "imageRef": other.image_uuid, "networks": "none"}}
    made = other.ok("POST", f"{COMPUTE}/servers", server, version=NEWEST)["server"]["id"]
    other.rest()
    shown = other.ok("GET", f"{COMPUTE}/servers/{made}")["server"]
    assert shown["status"] == "ERROR" and "No valid host was found" in shown["fault"]["message"]
    assert code(other.ec2.run_instances, ImageId=other.image, InstanceType="t3.nano", MinCount=1, MaxCount=1) == "InsufficientInstanceCapacity"
    (owners,) = account.run_instances(ImageId=other.image, InstanceType="t3.nano", MinCount=1, MaxCount=1, Placement={"Tenancy": "host"})["Instances"]
    assert owners["Placement"]["HostId"] in hosts
    assert code(account.run_instances, ImageId=other.image, InstanceType="t3.nano", MinCount=1, MaxCount=1) == "InsufficientInstanceCapacity"
    other.terminate(ec2_id("i", made))
    account.terminate_instances(InstanceIds=[owners["InstanceId"]])
    other.rest()
    assert account.release_hosts(HostIds=hosts)["Unsuccessful"] == []
    made = other.ok("POST", f"{COMPUTE}/servers", server, version=NEWEST)["server"]["id"]
    other.rest()
    assert other.ok("GET", f"{COMPUTE}/servers/{made}")["server"]["status"] == "ACTIVE"
    other.terminate(ec2_id("i", made))


@holds("Instances: Capacity reservations")
def test_capacity_reservations(both):
    """A Nova server takes a unit of an open reservation, and gives it back when it is deleted."""
    made = both.ec2.create_capacity_reservation(InstanceType="t3.nano", InstancePlatform="Linux/UNIX", AvailabilityZone=both.zone,
                                                InstanceCount=1)["CapacityReservation"]["CapacityReservationId"]

    def free():
        return both.ec2.describe_capacity_reservations(CapacityReservationIds=[made])["CapacityReservations"][0]["AvailableInstanceCount"]
    assert free() == 1
    server = {"name": "x", "flavorRef": "t3.nano", "imageRef": both.image_uuid, "networks": "none", "availability_zone": both.zone}
    taker = both.ok("POST", f"{COMPUTE}/servers", {"server": server}, version=NEWEST)["server"]["id"]
    both.rest()
    assert free() == 0
    both.terminate(ec2_id("i", taker))
    both.rest()
    assert free() == 1
    both.ec2.cancel_capacity_reservation(CapacityReservationId=made)


@holds("Instances: Dedicated VPCs")
def test_dedicated_vpcs(both):
    """A Nova server in a dedicated VPC shares its host with no other account."""
    vpc = both.ec2.create_vpc(CidrBlock="10.77.0.0/16", InstanceTenancy="dedicated")["Vpc"]["VpcId"]
    subnet = both.ec2.create_subnet(VpcId=vpc, CidrBlock="10.77.1.0/24", AvailabilityZone=both.zone)["Subnet"]["SubnetId"]
    (network,) = [s["network_id"] for s in both.listed(NETWORK, "subnets") if ec2_id("subnet", s["id"]) == subnet]
    server = {"server": {"name": "alone", "flavorRef": "t3.nano", "imageRef": both.image_uuid, "networks": [{"uuid": network}]}}
    made = both.ok("POST", f"{COMPUTE}/servers", server)["server"]["id"]
    both.rest()
    assert both.instance(ec2_id("i", made))["Placement"]["Tenancy"] == "dedicated"
    both.delete(f"{COMPUTE}/servers/{made}")
    assert both.ec2.modify_vpc_tenancy(VpcId=vpc, InstanceTenancy="default")["ReturnValue"]
    made = both.ok("POST", f"{COMPUTE}/servers", server)["server"]["id"]
    both.rest()
    assert both.instance(ec2_id("i", made))["Placement"]["Tenancy"] == "default"
    both.delete(f"{COMPUTE}/servers/{made}")
    both.ec2.delete_subnet(SubnetId=subnet)
    both.ec2.delete_vpc(VpcId=vpc)


# ---- prerequisites of machines

@holds("What each face calls it: instance types")
def test_types_and_flavors(both, admin):
    types = {t["InstanceType"]: t for page in both.ec2.get_paginator("describe_instance_types").paginate() for t in page["InstanceTypes"]}
    flavors = {f["id"]: f for f in both.ok("GET", f"{COMPUTE}/flavors/detail")["flavors"]}
    assert set(types) == set(flavors)
    for name, flavor in flavors.items():
        assert (flavor["name"], flavor["vcpus"], flavor["ram"]) == (
            name, types[name]["VCpuInfo"]["DefaultVCpus"], types[name]["MemoryInfo"]["SizeInMiB"])
    admin.ok("POST", f"{COMPUTE}/flavors", {"flavor": {"name": "own.size", "id": "77", "ram": 512, "vcpus": 1, "disk": 12}})
    (shown,) = both.ec2.describe_instance_types(InstanceTypes=["own.size"])["InstanceTypes"]
    assert (shown["VCpuInfo"]["DefaultVCpus"], shown["MemoryInfo"]["SizeInMiB"]) == (1, 512)
    by_id = both.run(instance_type="77")  # one namespace
    assert both.instance(by_id)["InstanceType"] == "own.size" and both.server(by_id)["flavor"]["original_name"] == "own.size"
    (root,) = both.instance(by_id)["BlockDeviceMappings"]
    assert both.volume(root["Ebs"]["VolumeId"])["Size"] == 12
    both.terminate(by_id)
    for taken in ("t3.nano", "77", "own.size"):
        answer = admin.call("POST", f"{COMPUTE}/flavors", {"flavor": {"name": "other", "id": taken, "ram": 512, "vcpus": 1, "disk": 0}})
        assert answer.status == 409, answer
    assert admin.call("DELETE", f"{COMPUTE}/flavors/77").status == 202
    assert code(both.ec2.describe_instance_types, InstanceTypes=["own.size"]) == "InvalidInstanceType"
    admin.ok("POST", f"{COMPUTE}/flavors", {"flavor": {"name": "private", "id": "78", "ram": 512, "vcpus": 1, "disk": 0, "os-flavor-access:is_public": False}})
    assert code(both.ec2.describe_instance_types, InstanceTypes=["private"]) == "InvalidInstanceType"
    admin.ok("POST", f"{COMPUTE}/flavors/78/action", {"addTenantAccess": {"tenant": both.id}})
    assert both.ec2.describe_instance_types(InstanceTypes=["private"])["InstanceTypes"]
    assert admin.call("DELETE", f"{COMPUTE}/flavors/78").status == 202


@holds("What each face calls it: image, instance, key pair")
def test_key_pairs(both):
    one = both.ec2.create_key_pair(KeyName="one")
    shown = both.ok("GET", f"{COMPUTE}/os-keypairs/one")["keypair"]
    assert (shown["name"], shown["fingerprint"]) == ("one", one["KeyFingerprint"])
    (told,) = both.ec2.describe_key_pairs(KeyNames=["one"], IncludePublicKey=True)["KeyPairs"]
    assert shown["public_key"].split()[:2] == told["PublicKey"].split()[:2]
    assert "one" in [k["keypair"]["name"] for k in both.ok("GET", f"{COMPUTE}/os-keypairs")["keypairs"]]
    both.delete(f"{COMPUTE}/os-keypairs/one")
    assert code(both.ec2.describe_key_pairs, KeyNames=["one"]) == "InvalidKeyPair.NotFound"
    made = both.ok("POST", f"{COMPUTE}/os-keypairs", {"keypair": {"name": "two", "public_key": KEY}})["keypair"]
    (pair,) = both.ec2.describe_key_pairs(KeyNames=["two"], IncludePublicKey=True)["KeyPairs"]
    assert (pair["KeyFingerprint"], pair["PublicKey"].split()[:2]) == (made["fingerprint"], KEY.split()[:2])
    assert code(both.ec2.create_key_pair, KeyName="two") == "InvalidKeyPair.Duplicate"
    assert both.status("POST", f"{COMPUTE}/os-keypairs", {"keypair": {"name": "two"}}) == 409
    both.ec2.delete_key_pair(KeyPairId=pair["KeyPairId"])
    assert both.status("GET", f"{COMPUTE}/os-keypairs/two") == 404


@holds("What each face calls it: zone ids (`use1-az1`)")
def test_zones(both):
    zones = both.ec2.describe_availability_zones()["AvailabilityZones"]
    names = sorted(z["ZoneName"] for z in zones if z["State"] == "available")
    assert sorted((z["ZoneName"], z["ZoneId"]) for z in zones) == [(name, f"use1-az{n}") for n, name in enumerate(names, 1)]
    assert sorted(z["zoneName"] for z in both.ok("GET", f"{COMPUTE}/os-availability-zone")["availabilityZoneInfo"] if z["zoneState"]["available"]) == names
    assert sorted(z["zoneName"] for z in both.ok("GET", f"{VOLUME}/os-availability-zone")["availabilityZoneInfo"] if z["zoneState"]["available"]) == names
    network = both.ok("GET", f"{NETWORK}/availability_zones")["availability_zones"]
    assert sorted({z["name"] for z in network}) == names


QUOTAS = [  # service path and quota name, EC2's creation; EC2's error, and OpenStack's: status, method, path, body
    (f"{COMPUTE}/os-quota-sets", "quota_set", "instances", lambda b: b.run("t3.nano"), "InstanceLimitExceeded",
     (403, f"{COMPUTE}/servers", lambda b: {"server": {"name": "x", "flavorRef": "t3.nano", "imageRef": b.image_uuid, "networks": "none"}})),
    (f"{VOLUME}/os-quota-sets", "quota_set", "volumes", lambda b: b.ec2.create_volume(AvailabilityZone=b.zone, Size=1), "VolumeLimitExceeded",
     (413, f"{VOLUME}/volumes", lambda b: {"volume": {"size": 1}})),
    (f"{VOLUME}/os-quota-sets", "quota_set", "gigabytes", lambda b: b.ec2.create_volume(AvailabilityZone=b.zone, Size=1), "VolumeLimitExceeded",
     (413, f"{VOLUME}/volumes", lambda b: {"volume": {"size": 1}})),
    (f"{VOLUME}/os-quota-sets", "quota_set", "per_volume_gigabytes", lambda b: b.ec2.create_volume(AvailabilityZone=b.zone, Size=1), "VolumeLimitExceeded",
     (413, f"{VOLUME}/volumes", lambda b: {"volume": {"size": 1}})),
    (f"{COMPUTE}/os-quota-sets", "quota_set", "key_pairs", lambda b: b.ec2.create_key_pair(KeyName="q"), "KeyPairLimitExceeded",
     (403, f"{COMPUTE}/os-keypairs", lambda b: {"keypair": {"name": "q", "public_key": KEY}})),
    (f"{COMPUTE}/os-quota-sets", "quota_set", "server_groups", lambda b: b.ec2.create_placement_group(GroupName="q", Strategy="spread"),
     "PlacementGroupLimitExceeded", (403, f"{COMPUTE}/os-server-groups", lambda b: {"server_group": {"name": "q", "policy": "affinity"}})),
    (f"{COMPUTE}/os-quota-sets", "quota_set", "metadata_items", lambda b: b.run("t3.nano", TagSpecifications=[
        {"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "b"}]}]), "TagLimitExceeded",
     (403, f"{COMPUTE}/servers", lambda b: {"server": {
         "name": "x", "flavorRef": "t3.nano", "imageRef": b.image_uuid, "networks": "none", "metadata": {"a": "b"}}})),
    (f"{NETWORK}/quotas", "quota", "router", lambda b: b.ec2.create_vpc(CidrBlock="10.99.0.0/16"), "VpcLimitExceeded",
     (409, f"{NETWORK}/routers", lambda b: {"router": {}})),
    (f"{NETWORK}/quotas", "quota", "subnet", lambda b: b.ec2.create_subnet(
        VpcId=b.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"], CidrBlock="172.31.240.0/24"),
     "SubnetLimitExceeded", (409, f"{NETWORK}/subnets", lambda b: {"subnet": {
         "network_id": b.listed(NETWORK, "subnets")[0]["network_id"], "cidr": "10.98.0.0/24", "ip_version": 4}})),
    (f"{NETWORK}/quotas", "quota", "network", lambda b: b.ec2.create_subnet(
        VpcId=b.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"], CidrBlock="172.31.240.0/24"),
     "SubnetLimitExceeded", (409, f"{NETWORK}/networks", lambda b: {"network": {}})),
    (f"{NETWORK}/quotas", "quota", "port", lambda b: b.ec2.create_network_interface(SubnetId=b.ec2.describe_subnets()["Subnets"][0]["SubnetId"]),
     "NetworkInterfaceLimitExceeded", (409, f"{NETWORK}/ports", lambda b: {"port": {
         "network_id": b.listed(NETWORK, "subnets")[0]["network_id"]}})),
    (f"{NETWORK}/quotas", "quota", "floatingip", lambda b: b.ec2.allocate_address(), "AddressLimitExceeded",
     (409, f"{NETWORK}/floatingips", lambda b: {"floatingip": {
         "floating_network_id": b.ok("GET", f"{NETWORK}/networks?router:external=true")["networks"][0]["id"]}})),
    (f"{NETWORK}/quotas", "quota", "security_group", lambda b: b.ec2.create_security_group(GroupName="q", Description="q"),
     "SecurityGroupLimitExceeded", (409, f"{NETWORK}/security-groups", lambda b: {"security_group": {"name": "q"}})),
]


@pytest.mark.parametrize("path, wrap, name, make, refusal, other", QUOTAS, ids=[q[2] for q in QUOTAS])
def test_quotas_are_one(both, admin, path, wrap, name, make, refusal, other):
    """Resources of both faces count together, and the operator's limit applies to both."""
    mine = f"{path}/{both.id}"
    before = both.ok("GET", mine)[wrap][name]
    used = both.ok("GET", f"{mine}/details" if path.startswith(NETWORK) else f"{mine}?usage=True" if path.startswith(VOLUME) else f"{mine}/detail")[wrap][name]
    count = used["used"] if path.startswith(NETWORK) else used["in_use"]
    admin.ok("PUT", mine, {wrap: {name: count}})
    assert code(make, both) == refusal
    status, where, body = other
    answer = both.call("POST", where, body(both), version=NEWEST if where.startswith(COMPUTE) else None)
    assert answer.status == status and any(words in answer.text for words in ["limit", "Quota exceeded", "exceeded for quota"]), answer
    admin.ok("PUT", mine, {wrap: {name: before}})


def test_the_region_is_as_its_rows_say(both):
    assert both.dev.audit() == []


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

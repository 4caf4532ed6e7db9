#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/azure/compute src/engine/instance
"""Azure's virtual machines and disks: created, changed and deleted by raw requests and by az, and compared with EC2."""
import os
import subprocess
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from azure import Cloud, sign_in_az  # noqa: E402
from dev import Dev  # noqa: E402


def make_key():
    """A public key's line."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", f"{folder}/key"], check=True)
        with open(f"{folder}/key.pub", encoding="ascii") as file:
            return file.read().strip()


KEY = make_key()


@pytest.fixture(scope="module")
def cloud():
    with Dev("--tls") as dev:
        here = Cloud(dev)
        os.environ.update(AWS_CA_BUNDLE=here.ca, SSL_CERT_FILE=here.ca)  # botocore's, and urllib's
        yield here


@pytest.fixture(scope="module")
def ec2(cloud):
    return cloud.dev.account.client()


@pytest.fixture(scope="module")
def group(cloud):
    """A resource group's path."""
    path = f"{cloud.subscription()}/resourceGroups/Machines"
    assert cloud.ask("PUT", path, "2021-04-01", body={"location": "us-east-1"})[0] == 201
    return path


@pytest.fixture(scope="module")
def interfaces(cloud, ec2):
    """Ids of network interfaces that EC2 made."""
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    made = [ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"] for _ in range(3)]
    at = f"{cloud.subscription()}/resourceGroups/dari-default/providers/Microsoft.Network/networkInterfaces"
    return [f"{at}/{name}" for name in made]


def image_of(cloud):
    at = f"{cloud.subscription()}/providers/Microsoft.Compute/locations/useast1/publishers"
    offer = cloud.ask("GET", f"{at}/dari/artifacttypes/vmimage/offers")[2][0]["name"]
    return {"publisher": "dari", "offer": offer, "sku": "default", "version": "latest"}


def machine_body(cloud, interface, **properties):
    return {"location": "useast1", "tags": {"a": "b"}, "properties": {
        "hardwareProfile": {"vmSize": "Standard_B1s"},
        "storageProfile": {"imageReference": image_of(cloud), "osDisk": {"createOption": "FromImage", "caching": "ReadOnly", "name": None}},
        "osProfile": {"computerName": "vm1", "adminUsername": "azureuser", "linuxConfiguration": {
            "disablePasswordAuthentication": True,
            "ssh": {"publicKeys": [{"path": "/home/azureuser/.ssh/authorized_keys", "keyData": KEY}]}}},
        "networkProfile": {"networkInterfaces": [{"id": interface}]}, **properties}}


def test_disks(cloud, group, ec2):
    at = f"{group}/providers/Microsoft.Compute/disks"
    body = {"location": "useast1", "tags": {"a": "b"}, "zones": ["1"], "sku": {"name": "Premium_LRS"},
            "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 4, "osType": None}}
    made = cloud.done("PUT", f"{at}/Data", "2023-04-02", body=body)
    assert made["id"] == f"{at}/Data" and made["name"] == "Data" and made["tags"] == {"a": "b"} and made["zones"] == ["1"]
    one = cloud.ask("GET", f"{at}/data", "2023-04-02")[2]
    assert one["properties"]["diskState"] == "Unattached" and one["properties"]["provisioningState"] == "Succeeded"
    volume, = ec2.describe_volumes(Filters=[{"Name": "tag:a", "Values": ["b"]}])["Volumes"]
    assert (volume["Size"], volume["VolumeType"]) == (4, "gp3")
    status, _, again = cloud.ask("PUT", f"{at}/data", "2023-04-02", body=one)
    assert status == 200 and again == one  # sending it again changes nothing
    cloud.done("PATCH", f"{at}/data", "2023-04-02", body={"tags": {"c": "d"}, "properties": {"diskSizeGB": 6}})
    one = cloud.ask("GET", f"{at}/data", "2023-04-02")[2]
    assert one["tags"] == {"c": "d"} and one["properties"]["diskSizeGB"] == 6
    copy = {"location": "useast1", "properties": {"creationData": {"createOption": "Copy", "sourceResourceId": f"{at}/DATA"}}}
    assert cloud.done("PUT", f"{at}/copy", "2023-04-02", body=copy)["properties"]["creationData"]["sourceResourceId"] == f"{at}/DATA"
    listed = cloud.ask("GET", at, "2023-04-02")[2]["value"]
    assert {d["name"] for d in listed} == {"Data", "copy"}

    def refused(name, version="2023-04-02", **changes):
        return cloud.refused("PUT", f"{at}/{name}", version, body={**body, **changes})
    assert refused("x", location=None) == (400, "LocationRequired")
    assert refused("x", location="westeurope") == (400, "LocationNotAvailableForResourceType")
    assert refused("x-") == (400, "InvalidResourceName")
    assert refused("x", zones=["9"]) == (400, "InvalidParameter")
    assert refused("x", tags={str(k): "" for k in range(51)}) == (400, "InvalidParameter")
    assert refused("data", properties={"creationData": {"createOption": "Empty"}, "diskSizeGB": 1}) == (409, "OperationNotAllowed")
    for creation, code in [({}, "InvalidParameter"), ({"createOption": "Copy", "sourceResourceId": "x"}, "LinkedInvalidPropertyId"),
                           ({"createOption": "Copy", "sourceResourceId": f"{at}/none"}, "InvalidResourceReference"),
                           ({"createOption": "Import"}, "InvalidParameter")]:
        assert refused("x", properties={"creationData": creation, "diskSizeGB": 1})[1] == code
    assert cloud.refused("PUT", f"{at.replace('Machines', 'none')}/x", "2023-04-02", body=body) == (404, "ResourceGroupNotFound")
    cloud.done("DELETE", f"{at}/copy", "2023-04-02")
    assert cloud.ask("DELETE", f"{at}/copy", "2023-04-02")[0] == 204


def test_machine(cloud, group, ec2, interfaces):
    at = f"{group}/providers/Microsoft.Compute"
    one = f"{at}/virtualMachines/VM1"
    body = machine_body(cloud, interfaces[0])
    body["properties"]["storageProfile"]["dataDisks"] = [
        {"lun": 5, "createOption": "Empty", "diskSizeGB": 1, "managedDisk": {"storageAccountType": "Standard_LRS"}},
        {"lun": 2, "createOption": "Attach", "managedDisk": {"id": f"{at}/disks/data"}}]
    made = cloud.done("PUT", one, body=body)
    assert made["properties"]["provisioningState"] == "Creating" and made["tags"] == {"a": "b"}
    now = cloud.ask("GET", f"{one.lower()}?$expand=instanceView")[2]
    properties = now["properties"]
    assert properties["provisioningState"] == "Succeeded" and now["id"] == one
    assert "PowerState/running" in [s["code"] for s in properties["instanceView"]["statuses"]]
    assert properties["hardwareProfile"]["vmSize"] == "Standard_B1s" and properties["osProfile"]["adminUsername"] == "azureuser"
    disk = properties["storageProfile"]["osDisk"]
    assert disk["name"].startswith("VM1_OsDisk_1_") and disk["caching"] == "ReadOnly" and disk["deleteOption"] == "Detach"
    assert {d["lun"]: d["managedDisk"]["storageAccountType"] for d in properties["storageProfile"]["dataDisks"]} == \
        {5: "Standard_LRS", 2: "Premium_LRS"}
    assert cloud.ask("GET", disk["managedDisk"]["id"], "2023-04-02")[2]["managedBy"] == one
    instance, = [i for r in ec2.describe_instances(Filters=[{"Name": "tag:a", "Values": ["b"]}])["Reservations"] for i in r["Instances"]]
    assert instance["NetworkInterfaces"][0]["NetworkInterfaceId"] == interfaces[0].rsplit("/", 1)[1] and instance["KeyName"].startswith("azure-")
    # sending back what was read changes nothing
    whole = cloud.ask("GET", one)[2]
    assert cloud.ask("PUT", one, body=whole)[0] == 200 and cloud.ask("GET", one)[2] == whole
    # licence, while it runs
    def license_as(word):
        cloud.done("PATCH", one, body={"properties": {"licenseType": word}})
        found, = ec2.describe_instances(InstanceIds=[instance["InstanceId"]])["Reservations"][0]["Instances"]
        return cloud.ask("GET", one)[2]["properties"].get("licenseType"), found["UsageOperation"]
    assert license_as("RHEL_BYOS") == ("RHEL_BYOS", "RunInstances:00g0")
    assert cloud.refused("PATCH", one, body={"properties": {"licenseType": "None"}})[0] == 403  # the operator does not sell the product
    cloud.dev.command("subscriptions", "product", "rhel", "--sold", "yes")
    assert license_as("None") == (None, "RunInstances:0010")
    assert license_as("RHEL_BYOS")[1] == "RunInstances:00g0" and license_as("RHEL_BASE") == (None, "RunInstances:0010")
    assert cloud.refused("PATCH", one, body={"properties": {"licenseType": "MINE"}}) == (400, "InvalidParameter")
    whole = cloud.ask("GET", one)[2]
    # delete options, changed on the existing machine
    def say_fates(root, data):
        disks = [{**d, "deleteOption": data} for d in whole["properties"]["storageProfile"]["dataDisks"]]
        cloud.done("PATCH", one, body={"properties": {"storageProfile": {"osDisk": {"deleteOption": root}, "dataDisks": disks}}})
        storage = cloud.ask("GET", one)[2]["properties"]["storageProfile"]
        found, = ec2.describe_instances(InstanceIds=[instance["InstanceId"]])["Reservations"][0]["Instances"]
        return storage["osDisk"]["deleteOption"], {d["deleteOption"] for d in storage["dataDisks"]}, \
            [m["Ebs"]["DeleteOnTermination"] for m in sorted(found["BlockDeviceMappings"], key=lambda m: m["DeviceName"] != found["RootDeviceName"])]
    assert say_fates("Delete", "Detach") == ("Delete", {"Detach"}, [True, False, False])
    assert say_fates("Detach", "Delete") == ("Detach", {"Delete"}, [False, True, True])
    assert say_fates("Detach", "Detach") == ("Detach", {"Detach"}, [False, False, False])
    # one disk is added, one removed
    whole["properties"]["storageProfile"]["dataDisks"] = [d for d in whole["properties"]["storageProfile"]["dataDisks"] if d["lun"] == 2] + \
        [{"lun": 0, "createOption": "Empty", "name": "third", "diskSizeGB": 2, "managedDisk": None}]
    cloud.done("PUT", one, body=whole)
    cloud.dev.rest()
    assert {d["lun"]: d["name"] for d in cloud.ask("GET", one)[2]["properties"]["storageProfile"]["dataDisks"]} == {2: "Data", 0: "third"}
    # the size changes while it is off
    whole["properties"]["hardwareProfile"]["vmSize"] = "Standard_B2s"
    whole["properties"]["storageProfile"].pop("dataDisks")
    assert cloud.refused("PUT", one, body=whole) == (409, "OperationNotAllowed")
    cloud.done("POST", f"{one}/deallocate")
    cloud.done("PUT", one, body=whole)
    assert cloud.ask("GET", one)[2]["properties"]["hardwareProfile"]["vmSize"] == "Standard_B2s"
    whole["properties"]["networkProfile"]["networkInterfaces"].append({"id": interfaces[1], "properties": {"primary": False}})
    cloud.done("PUT", one, body=whole)
    assert [n["id"] for n in cloud.ask("GET", one)[2]["properties"]["networkProfile"]["networkInterfaces"]] == interfaces[:2]
    whole["properties"]["osProfile"]["adminUsername"] = "other"
    assert cloud.refused("PUT", one, body=whole) == (409, "PropertyChangeNotAllowed")


def test_machine_refused(cloud, group, interfaces):
    one = f"{group}/providers/Microsoft.Compute/virtualMachines/vm2"
    free = interfaces[2]

    def refused(**properties):
        return cloud.refused("PUT", one, body=machine_body(cloud, free, **properties))
    assert refused(hardwareProfile={"vmSize": "Standard_X"}) == (400, "InvalidParameter")
    assert refused(hardwareProfile=None) == (400, "InvalidParameter")
    assert refused(networkProfile={"networkInterfaces": []}) == (400, "InvalidParameter")
    assert refused(networkProfile={"networkInterfaces": [{"id": f"{free}x"}]}) == (400, "InvalidResourceReference")
    assert refused(networkProfile={"networkInterfaces": [{"id": interfaces[0]}]}) == (400, "NicInUse")
    assert refused(priority="Spot") == (409, "OperationNotAllowed")
    for image in [{"publisher": "dari"}, {"publisher": "x", "offer": "x", "sku": "x", "version": "latest"}]:
        assert refused(storageProfile={"imageReference": image, "osDisk": {"createOption": "FromImage"}})[1] in \
            ("InvalidParameter", "PlatformImageNotFound")
    data = [{"lun": 1, "createOption": "Empty", "diskSizeGB": 1}] * 2
    assert refused(storageProfile={"imageReference": image_of(cloud), "osDisk": {"createOption": "FromImage"}, "dataDisks": data}) == \
        (400, "InvalidParameter")
    assert cloud.refused("GET", one) == (404, "ResourceNotFound")
    assert cloud.refused("PATCH", one, body={"tags": {}}) == (404, "ResourceNotFound")


def test_snapshots_and_images(cloud, group, ec2):
    at = f"{group}/providers/Microsoft.Compute"
    of_disk = {"location": "useast1", "tags": {"s": "1"}, "properties": {"incremental": True, "creationData": {
        "createOption": "Copy", "sourceResourceId": f"{at}/disks/Data"}}}
    cloud.done("PUT", f"{at}/snapshots/s1", "2023-04-02", body=of_disk)
    one = cloud.ask("GET", f"{at}/snapshots/S1", "2023-04-02")[2]
    assert one["properties"]["provisioningState"] == "Succeeded" and one["properties"]["incremental"] is True
    assert one["properties"]["diskSizeGB"] == 6 and one["tags"] == {"s": "1"}
    assert cloud.ask("PATCH", f"{at}/snapshots/s1", "2023-04-02", body={"tags": {"s": "2"}})[2]["tags"] == {"s": "2"}
    assert len(ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]) == 1
    cloud.done("PUT", f"{at}/disks/again", "2023-04-02", body={"location": "useast1", "properties": {"creationData": {
        "createOption": "Copy", "sourceResourceId": f"{at}/snapshots/s1"}}})
    assert cloud.refused("PUT", f"{at}/snapshots/s2", "2023-04-02", body={"location": "useast1", "properties": {}}) == (400, "InvalidParameter")
    image = {"location": "useast1", "properties": {"sourceVirtualMachine": {"id": f"{at}/virtualMachines/vm1"}}}
    assert cloud.refused("PUT", f"{at}/images/golden", body=image) == (409, "OperationNotAllowed")
    assert cloud.ask("POST", f"{at}/virtualMachines/vm1/generalize")[0] == 200
    states = cloud.ask("GET", f"{at}/virtualMachines/vm1/instanceView")[2]["statuses"]
    assert "OSState/generalized" in [s["code"] for s in states]
    cloud.done("PUT", f"{at}/images/golden", body=image)
    one = cloud.ask("GET", f"{at}/images/golden")[2]["properties"]
    assert one["provisioningState"] == "Succeeded" and one["sourceVirtualMachine"]["id"] == f"{at}/virtualMachines/VM1"
    assert one["storageProfile"]["osDisk"]["osState"] == "Generalized" and len(one["storageProfile"]["dataDisks"]) == 2
    from_snapshot = {"location": "useast1", "properties": {"storageProfile": {"osDisk": {
        "osType": "Linux", "osState": "Generalized", "snapshot": {"id": f"{at}/snapshots/s1"}}}}}
    cloud.done("PUT", f"{at}/images/second", body=from_snapshot)
    assert {i["name"] for i in cloud.ask("GET", f"{at}/images")[2]["value"]} == {"golden", "second"}
    cloud.done("DELETE", f"{at}/images/second")
    assert {i["Name"] for i in ec2.describe_images(Owners=["self"])["Images"]} == {"golden"}


def test_sets_and_keys(cloud, group, ec2, interfaces):
    at = f"{group}/providers/Microsoft.Compute"
    status, _, made = cloud.ask("PUT", f"{at}/availabilitySets/apart", body={
        "location": "useast1", "sku": {"name": "Aligned"}, "properties": {"platformFaultDomainCount": 2, "platformUpdateDomainCount": 3}})
    assert status == 200 and made["properties"]["platformUpdateDomainCount"] == 3 and made["properties"]["virtualMachines"] == []
    assert cloud.ask("PUT", f"{at}/proximityPlacementGroups/near", body={"location": "useast1"})[0] == 201
    assert [g["name"] for g in cloud.ask("GET", f"{at}/proximityPlacementGroups")[2]["value"]] == ["near"]
    cloud.done("PUT", f"{at}/virtualMachines/vm3", body=machine_body(cloud, interfaces[2], availabilitySet={"id": f"{at}/availabilitySets/APART"}))
    assert cloud.ask("GET", f"{at}/virtualMachines/vm3")[2]["properties"]["availabilitySet"]["id"] == f"{at}/availabilitySets/apart"
    assert cloud.ask("GET", f"{at}/availabilitySets/apart")[2]["properties"]["virtualMachines"] == [{"id": f"{at}/virtualMachines/vm3"}]
    assert cloud.refused("DELETE", f"{at}/availabilitySets/apart")[0] == 409
    assert cloud.ask("DELETE", f"{at}/proximityPlacementGroups/near")[0] == 200
    key = {"location": "useast1", "properties": {"publicKey": KEY}}
    assert cloud.ask("PUT", f"{at}/sshPublicKeys/mine", body=key)[0] == 201
    assert cloud.ask("GET", f"{at}/sshPublicKeys/mine")[2]["properties"]["publicKey"] == KEY
    assert "mine" in {k["KeyName"] for k in ec2.describe_key_pairs()["KeyPairs"]}
    assert cloud.refused("PUT", f"{at}/sshPublicKeys/bad", body={"location": "useast1", "properties": {"publicKey": "x"}}) == (400, "InvalidParameter")
    assert cloud.ask("DELETE", f"{at}/sshPublicKeys/mine")[0] == 200


def test_az(cloud, group, tmp_path):
    az = sign_in_az(cloud, tmp_path)

    def here(*words, **how):
        return az(*words, "-g", "machines", **how)
    assert {i["offer"] for i in az("vm", "image", "list", "--all", "-p", "dari")} >= {image_of(cloud)["offer"]}
    here("disk", "create", "-n", "more", "--size-gb", "3", "--sku", "Standard_LRS")
    here("vm", "disk", "attach", "--vm-name", "vm1", "-n", "more")
    assert "more" in {d["name"] for d in here("vm", "show", "-n", "vm1")["storageProfile"]["dataDisks"]}
    here("vm", "disk", "detach", "--vm-name", "vm1", "-n", "more")
    assert here("disk", "show", "-n", "more")["diskState"] == "Unattached"
    here("disk", "update", "-n", "more", "--size-gb", "4")
    here("disk", "delete", "-n", "more", "-y")
    here("vm", "resize", "-n", "vm1", "--size", "Standard_B1s")
    assert here("vm", "show", "-n", "vm1")["hardwareProfile"]["vmSize"] == "Standard_B1s"
    here("vm", "update", "-n", "vm1", "--set", "tags.x=y")
    assert here("vm", "show", "-n", "vm1")["tags"] == {"a": "b", "x": "y"}


def test_group_goes(cloud, group, ec2):
    """Deletes everything in the group, and nothing else."""
    cloud.done("DELETE", group, "2021-04-01")
    assert cloud.refused("GET", group, "2021-04-01") == (404, "ResourceGroupNotFound")
    cloud.dev.rest()
    assert not ec2.describe_volumes()["Volumes"]
    assert len(ec2.describe_network_interfaces()["NetworkInterfaces"]) >= 1


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider", *sys.argv[1:]]))

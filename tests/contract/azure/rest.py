#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/azure/identities src/api/azure/compute src/engine/resource_move src/drivers/image/image_file
"""Azure Resource Manager besides machines and networks: access to disks' bytes, boot diagnostics, generated keys, managed identities, moves between
groups, exported templates, tag names, the activity log, and resources by their ids."""
import http.client
import json
import os
import sys
import urllib.parse
import urllib.request

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from azure import Cloud, sign_in_az  # noqa: E402
from dev import Dev  # noqa: E402
from faces import holds  # noqa: E402
from faces.face import Guest  # noqa: E402

NOWHERE = "00000000-0000-4000-8000-000000000000"
RESOURCES = "2021-04-01"
DISKS = "2023-04-02"


@pytest.fixture(scope="module")
def cloud():
    with Dev("--tls") as dev:
        here = Cloud(dev)
        os.environ.update(AWS_CA_BUNDLE=here.ca, SSL_CERT_FILE=here.ca)
        yield here


@pytest.fixture(scope="module")
def ec2(cloud):
    return cloud.dev.account.client()


@pytest.fixture(scope="module")
def here(cloud):
    return cloud.subscription()


@pytest.fixture(scope="module")
def group(cloud, here):
    return make_group(cloud, f"{here}/resourceGroups/Rest")


@pytest.fixture(scope="module")
def machine(ec2):
    image = ec2.describe_images()["Images"][0]["ImageId"]
    made = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    ec2.get_waiter("instance_running").wait(InstanceIds=[made])
    return made


@pytest.fixture(scope="module")
def az(cloud, tmp_path_factory):
    return sign_in_az(cloud, tmp_path_factory.mktemp("az"))


def test_answers_over_tls_ask_for_tls(cloud):
    """RFC 6797: every answer, refusals included. cross/guard.py holds that none does without TLS (7.2)."""
    for method, path in [("GET", "/healthz"), ("GET", "/console/"), ("GET", "/subscriptions?api-version=2019-11-01"), ("POST", "/?Action=DescribeVpcs"),
                         ("GET", "/identity/v3/projects"), ("GET", "/client/api?command=listZones"), ("GET", "/api/v1/instances"), ("GET", "/nowhere")]:
        connection = http.client.HTTPSConnection("127.0.0.1", cloud.dev.port, context=cloud.tls)
        connection.request(method, path)
        answer = connection.getresponse()
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000", (path, answer.status)
        connection.close()


def make_group(cloud, path, **more):
    assert cloud.ask("PUT", path, RESOURCES, body={"location": "useast1", **more})[0] in (200, 201)
    return path


def make_disk(cloud, group, name, **more):
    path = f"{group}/providers/Microsoft.Compute/disks/{name}"
    cloud.done("PUT", path, DISKS, body={"location": "useast1", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 1}, **more})
    return path


def fetch(url):
    with urllib.request.urlopen(url) as answer:
        return answer.status, answer.headers, answer.read()


def finish(cloud, method, path, version, body=None):
    """The finished operation of a call, and the answer of its Location."""
    status, headers, answer = cloud.ask(method, path, version, body=body)
    assert status == 202, answer
    token = {"Authorization": f"Bearer {cloud.token_of(cloud.dev.account)}"}
    while True:
        told = cloud.send("GET", headers["Azure-AsyncOperation"].replace(cloud.dev.url, ""), **token)[2]
        if told["status"] != "InProgress":
            return told, cloud.send("GET", headers["Location"].replace(cloud.dev.url, ""), **token)[2]


# ---- bytes ----

@holds("Azure: access to a disk's bytes")
@pytest.mark.parametrize("of", ["disks", "snapshots"])
def test_access(cloud, group, of, ec2):
    disk = make_disk(cloud, group, f"bytes-of-{of}")
    path = disk
    if of == "snapshots":
        path = f"{group}/providers/Microsoft.Compute/snapshots/bytes"
        cloud.done("PUT", path, DISKS, body={"location": "useast1", "properties": {"creationData": {"createOption": "Copy", "sourceResourceId": disk}}})
    told, result = finish(cloud, "POST", f"{path}/beginGetAccess", DISKS, {"access": "Read", "durationInSeconds": 600})
    assert told["status"] == "Succeeded", told
    assert told["properties"]["output"] == result and set(result) == {"accessSAS"}
    url = result["accessSAS"]
    status, headers, body = fetch(url)
    assert status == 200 and int(headers["Content-Length"]) == len(body)
    if of == "disks":
        assert cloud.ask("GET", disk, DISKS)[2]["properties"]["diskState"] == "ActiveSAS"
    assert len(ec2.describe_images(Owners=["self"])["Images"]) == 1  # it is an image of the account
    # the signature covers the whole URL
    for bad in [url[:-1] + ("0" if url[-1] != "0" else "1"), url.replace("se=", "se=9"), url.split("&sig=")[0]]:
        with pytest.raises(urllib.error.HTTPError) as refused:
            fetch(bad)
        assert refused.value.code == 403
    assert cloud.refused("POST", f"{path}/beginGetAccess", DISKS, body={"access": "Read", "durationInSeconds": 5}) == (409, "OperationNotAllowed")
    for body in [{}, {"access": "Write", "durationInSeconds": 1}, {"access": "Read"}, {"access": "Read", "durationInSeconds": 0}]:
        assert cloud.refused("POST", f"{path}/beginGetAccess", DISKS, body=body) == (400, "InvalidParameter")
    assert cloud.ask("POST", f"{path}/endGetAccess", DISKS)[0] in (200, 202)
    with pytest.raises(urllib.error.HTTPError):
        fetch(url)
    assert cloud.ask("POST", f"{path}/endGetAccess", DISKS)[0] in (200, 202) and not ec2.describe_images(Owners=["self"])["Images"]


def test_access_is_for_whoever_asked(cloud, group):
    """A user who may list jobs, and not read disks, gets no address from the operation of another user's call."""
    disk = make_disk(cloud, group, "bytes-of-mine")
    told, _ = finish(cloud, "POST", f"{disk}/beginGetAccess", DISKS, {"access": "Read", "durationInSeconds": 600})
    operation = f"{disk.split('/resourceGroups')[0]}/providers/Microsoft.Compute/locations/useast1/operations/{told['name']}"
    guest = Guest(cloud.dev.account, "looker").has(json.dumps({"Version": "2012-10-17",
                                                              "Statement": {"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}}))
    for query in ("", "&monitor=resource"):
        status, _, shown = cloud.ask("GET", operation + (f"?{query[1:]}" if query else ""), account=guest)
        assert status in (200, 204) and "accessSAS" not in json.dumps(shown), shown
    assert "accessSAS" in json.dumps(cloud.ask("GET", operation)[2])


def test_boot_diagnostics(cloud, here, machine):
    path = f"{here}/resourceGroups/dari-default/providers/Microsoft.Compute/virtualMachines/{machine}"
    status, _, answer = cloud.ask("POST", f"{path}/retrieveBootDiagnosticsData")
    assert status == 200, answer
    url = answer["serialConsoleLogBlobUri"]
    assert fetch(url)[0] == 200 and fetch(url)[1]["Content-Type"].startswith("text/plain")
    with pytest.raises(urllib.error.HTTPError):
        fetch(url.replace("bootDiagnostics", "disks"))
    assert cloud.refused("POST", f"{path}/retrieveBootDiagnosticsData?sasUriExpirationTimeInMinutes=0") == (400, "InvalidParameter")
    assert cloud.refused("POST", f"{path}x/retrieveBootDiagnosticsData") == (404, "ResourceNotFound")


# ---- machines ----

@holds("Azure: reimage", "Azure: redeploy")
def test_machine(cloud, here, machine, ec2):
    path = f"{here}/resourceGroups/dari-default/providers/Microsoft.Compute/virtualMachines/{machine}"
    listed = cloud.ask("GET", f"{here}/providers/Microsoft.Compute/locations/useast1/virtualMachines")[2]["value"]
    assert machine in {m["name"] for m in listed}
    assert finish(cloud, "POST", f"{path}/reapply", "2022-08-01")[0]["status"] == "Succeeded"
    assert cloud.refused("POST", f"{path}/capture", body={"vhdPrefix": "a", "destinationContainerName": "b", "overwriteVhds": True}) == \
        (409, "OperationNotAllowed")
    old, = ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [machine]}])["Volumes"]
    assert finish(cloud, "POST", f"{path}/reimage", "2022-08-01", {})[0]["status"] == "Succeeded"
    cloud.dev.rest()
    new, = ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [machine]}])["Volumes"]
    assert new["VolumeId"] != old["VolumeId"]
    assert finish(cloud, "POST", f"{path}/redeploy", "2022-08-01")[0]["status"] == "Succeeded"
    assert ec2.describe_instances(InstanceIds=[machine])["Reservations"][0]["Instances"][0]["State"]["Name"] == "running"


@holds("Azure: availability set, proximity placement group", "Azure: size")
def test_sizes_of_a_set(cloud, group, ec2):
    path = f"{group}/providers/Microsoft.Compute/availabilitySets/set"
    assert cloud.ask("PUT", path, body={"location": "useast1", "sku": {"name": "Aligned"}, "properties": {}})[0] in (200, 201)
    near = f"{group}/providers/Microsoft.Compute/proximityPlacementGroups/near"
    assert cloud.ask("PUT", near, body={"location": "useast1", "properties": {}})[0] in (200, 201)
    assert len(ec2.describe_placement_groups()["PlacementGroups"]) == 2
    sizes = {s["name"]: s for s in cloud.ask("GET", f"{path}/vmSizes")[2]["value"]}
    assert sizes["Standard_B1s"]["memoryInMB"] >= 1024 and {t["InstanceType"] for t in ec2.describe_instance_types()["InstanceTypes"]} <= set(sizes)
    assert cloud.refused("GET", f"{path}x/vmSizes") == (404, "ResourceNotFound")


@holds("Azure: SSH public key")
def test_generated_key(cloud, group, ec2):
    path = f"{group}/providers/Microsoft.Compute/sshPublicKeys/made"
    status, _, made = cloud.ask("PUT", path, body={"location": "useast1"})
    assert status == 201 and made["properties"] == {}
    with pytest.raises(ec2.exceptions.ClientError):  # a key pair without a key cannot be used for a launch
        ec2.run_instances(ImageId=ec2.describe_images()["Images"][0]["ImageId"], InstanceType="t3.micro", MinCount=1, MaxCount=1, KeyName="made")
    status, _, pair = cloud.ask("POST", f"{path}/generateKeyPair", body={})
    assert status == 200 and pair["privateKey"].startswith("-----BEGIN") and pair["publicKey"].startswith("ssh-rsa "), pair
    assert pair["id"].lower() == path.lower()
    assert cloud.ask("GET", path)[2]["properties"]["publicKey"] == pair["publicKey"]
    assert [k["KeyName"] for k in ec2.describe_key_pairs()["KeyPairs"]] == ["made"]
    assert cloud.refused("POST", f"{path}/generateKeyPair", body={}) == (409, "OperationNotAllowed")
    assert cloud.ask("DELETE", path)[0] == 200


def test_extension_images(cloud, here):
    at = f"{here}/providers/Microsoft.Compute/locations/useast1/publishers/Dari/artifacttypes/vmextension/types"
    assert {t["name"] for t in cloud.ask("GET", at)[2]} >= {"RunCommand", "RunCommandLinux"}
    version, = cloud.ask("GET", f"{at}/RunCommand/versions")[2]
    assert cloud.ask("GET", f"{at}/RunCommand/versions/{version['name']}")[2]["properties"]["operatingSystem"] == "Linux"
    assert cloud.refused("GET", f"{at}/none/versions") == (404, "ArtifactNotFound")
    documents = f"{here}/providers/Microsoft.Compute/locations/useast1/runCommands"
    assert [d["id"] for d in cloud.ask("GET", documents)[2]["value"]] == ["RunShellScript"]
    assert cloud.ask("GET", f"{documents}/RunShellScript")[2]["osType"] == "Linux"
    assert cloud.ask("GET", f"{documents}/none")[0] == 404


# ---- identities ----

@holds("Azure: user-assigned managed identity")
def test_identity(cloud, group, machine, here):
    path = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/Worker"
    status, _, made = cloud.ask("PUT", path, "2023-01-31", body={"location": "useast1", "tags": {"a": "b"}})
    assert status == 201 and made["id"] == path and made["properties"]["clientId"] == made["properties"]["principalId"], made
    assert cloud.ask("PUT", path, "2023-01-31", body={"location": "useast1", "tags": {"a": "b"}})[::2] == (200, made)
    iam = cloud.dev.account.client("iam")
    role, = [r["RoleName"] for r in iam.list_roles()["Roles"] if r["RoleName"].startswith("Worker-")]
    assert [p["InstanceProfileName"] for p in iam.list_instance_profiles_for_role(RoleName=role)["InstanceProfiles"]] == [role]
    vm = f"{here}/resourceGroups/dari-default/providers/Microsoft.Compute/virtualMachines/{machine}"
    cloud.done("PATCH", vm, body={"identity": {"type": "UserAssigned", "userAssignedIdentities": {path.lower(): {}}}})
    shown = cloud.ask("GET", vm)[2]["identity"]
    assert shown == {"type": "UserAssigned", "userAssignedIdentities": {path: {k: made["properties"][k] for k in ("principalId", "clientId")}}}
    # its token authenticates to each face
    request = urllib.request.Request(f"{cloud.dev.metadata}/{machine}/metadata/identity/oauth2/token?api-version=2018-02-01&resource="
                                     + urllib.parse.quote(f"{cloud.dev.url}/"), headers={"Metadata": "true"})
    try:
        with urllib.request.urlopen(request) as answer:
            token = json.load(answer)["access_token"]
        assert cloud.send("GET", "/subscriptions?api-version=2019-11-01", Authorization=f"Bearer {token}")[0] == 200
    except urllib.error.HTTPError as problem:
        assert problem.code in (400, 404), problem  # a machine whose personality is EC2's has no such endpoint
    assert cloud.refused("PATCH", vm, body={"identity": {"type": "SystemAssigned"}}) == (409, "OperationNotAllowed")
    cloud.done("PATCH", vm, body={"identity": {"type": "None"}})
    assert "identity" not in cloud.ask("GET", vm)[2]
    cloud.done("PATCH", vm, body={"identity": {"type": "UserAssigned", "userAssignedIdentities": {path: {}}}})
    assert cloud.ask("DELETE", path, "2023-01-31")[0] == 200 and "identity" not in cloud.ask("GET", vm)[2]
    assert cloud.ask("DELETE", path, "2023-01-31")[0] == 204


# ---- resources by their ids ----

def test_by_id(cloud, group, here):
    disk = make_disk(cloud, group, "by-id")
    assert cloud.ask("HEAD", disk, DISKS)[0] == 204 and cloud.ask("HEAD", f"{disk}x", DISKS)[0] == 404
    assert cloud.ask("HEAD", f"{here}/resourceGroups/none/providers/Microsoft.Compute/disks/x", DISKS)[0] == 404
    types = cloud.ask("GET", f"{here}/providers/Microsoft.Compute/resourceTypes", RESOURCES)[2]["value"]
    assert "disks" in {t["resourceType"] for t in types}
    spaces = [p["namespace"] for p in cloud.ask("GET", f"{here}/providers", RESOURCES)[2]["value"]]
    assert len(spaces) == len(set(spaces))


def test_move(cloud, here, group, ec2):
    other = make_group(cloud, f"{here}/resourceGroups/Other")
    disk = make_disk(cloud, group, "moved")
    volume = ec2.create_volume(AvailabilityZone=ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"], Size=1)["VolumeId"]

    def move(ids, where=other, of=group, verb="moveResources"):
        return cloud.ask("POST", f"{of}/{verb}", RESOURCES, body={"resources": ids, "targetResourceGroup": where})
    assert move([disk], verb="validateMoveResources")[0] == 204 and cloud.ask("GET", disk, DISKS)[0] == 200
    assert move([disk])[0] == 204
    assert cloud.ask("GET", disk, DISKS)[0] == 404 and cloud.ask("GET", disk.replace("Rest", "other"), DISKS)[0] == 200
    # also resources created by EC2
    default = f"{here}/resourceGroups/dari-default"
    assert move([f"{default}/providers/Microsoft.Compute/disks/{volume}"], of=default)[0] == 204
    assert cloud.ask("GET", f"{other}/providers/Microsoft.Compute/disks/{volume}", DISKS)[0] == 200
    again = make_disk(cloud, group, "moved")
    assert move([again], verb="validateMoveResources")[2]["error"]["code"] == "Conflict"
    assert move([f"{group}/providers/Microsoft.Compute/disks/none"])[0] == 404
    assert move([again], f"{here}/resourceGroups/none")[2]["error"]["code"] == "ResourceGroupNotFound"
    for ids, where in [([], other), ([again.replace("Rest", "Other")], other), (["x"], other), ([again], "x"), ([7], other)]:
        assert move(ids, where)[0] == 400, (ids, where)
    lock = f"{again}/providers/Microsoft.Authorization/locks/l"
    assert cloud.ask("PUT", lock, "2016-09-01", body={"properties": {"level": "CanNotDelete"}})[0] == 201
    third = make_group(cloud, f"{here}/resourceGroups/Third")
    assert move([again], third)[2]["error"]["code"] == "ScopeLocked"
    cloud.ask("DELETE", lock, "2016-09-01")
    assert move([again], third)[0] == 204


def test_export(cloud, here):
    group = make_group(cloud, f"{here}/resourceGroups/Exported")
    disk = make_disk(cloud, group, "one", tags={"a": "[b]"})
    cloud.done("PUT", f"{group}/providers/Microsoft.Compute/snapshots/two", DISKS,
               body={"location": "useast1", "properties": {"creationData": {"createOption": "Copy", "sourceResourceId": disk}}})
    status, _, answer = cloud.ask("POST", f"{group}/exportTemplate", RESOURCES, body={"resources": ["*"]})
    assert status == 200, answer
    template = answer["template"]
    of = {r["name"]: r for r in template["resources"]}
    reference = "[resourceId('Microsoft.Compute/disks', 'one')]"
    assert of["two"]["dependsOn"] == [reference] and of["two"]["properties"]["creationData"]["sourceResourceId"] == reference
    assert of["one"]["tags"] == {"a": "[[b]"} and "provisioningState" not in json.dumps(template)
    # deploying the exported template into its own group changes nothing
    deployment = {"properties": {"mode": "Incremental", "template": template, "parameters": {}}}
    status, _, whatif = cloud.ask("POST", f"{group}/providers/Microsoft.Resources/deployments/again/whatIf", RESOURCES, body=deployment)
    assert status == 200 and {c["changeType"] for c in whatif["properties"]["changes"]} == {"NoChange"}, whatif
    only = cloud.ask("POST", f"{group}/exportTemplate", RESOURCES, body={"resources": [disk]})[2]["template"]["resources"]
    assert [r["name"] for r in only] == ["one"]
    assert cloud.ask("POST", f"{here}/resourceGroups/none/exportTemplate", RESOURCES, body={"resources": ["*"]})[0] == 404


@holds("Azure: resource group, the name of a resource")
def test_group_goes(cloud, here, ec2):
    """Deletes everything in the group, whichever face created it."""
    group = make_group(cloud, f"{here}/resourceGroups/Gone")
    disk = make_disk(cloud, group, "gone", tags={"of": "gone"})
    cloud.done("PUT", f"{group}/providers/Microsoft.Compute/snapshots/gone", DISKS,
               body={"location": "useast1", "properties": {"creationData": {"createOption": "Copy", "sourceResourceId": disk}}})
    cloud.ask("PUT", f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/gone", "2023-01-31", body={"location": "useast1"})
    assert finish(cloud, "DELETE", group, RESOURCES)[0]["status"] == "Succeeded"
    assert not ec2.describe_volumes(Filters=[{"Name": "tag:of", "Values": ["gone"]}])["Volumes"]
    assert not [r for r in cloud.dev.account.client("iam").list_roles()["Roles"] if r["RoleName"].startswith("gone-")]
    assert cloud.ask("GET", group, RESOURCES)[0] == 404


def test_template_hash(cloud):
    def ask(template):
        return cloud.ask("POST", "/providers/Microsoft.Resources/calculateTemplateHash", RESOURCES, body=template)
    status, _, one = ask({"resources": []})
    assert status == 200 and one["minifiedTemplate"] == '{"resources":[]}' and one == ask({"resources": []})[2]
    assert ask({"resources": [1]})[2]["templateHash"] != one["templateHash"]


@holds("Azure: tag names that were said beforehand")
def test_tag_names(cloud, here, group):
    make_disk(cloud, group, "tagged", tags={"Stage": "test"})

    def names():
        return {n["tagName"]: {v["tagValue"]: v["count"]["value"] for v in n["values"]} for n in cloud.ask("GET", f"{here}/tagNames", RESOURCES)[2]["value"]}
    assert names()["Stage"] == {"test": 1}
    at = f"{here}/tagNames/Owner"
    assert cloud.ask("PUT", f"{at}/tagValues/me", RESOURCES)[0] == 404
    assert cloud.ask("PUT", at, RESOURCES)[0] == 201 and cloud.ask("PUT", at, RESOURCES)[0] == 200
    assert cloud.ask("PUT", f"{at}/tagValues/me", RESOURCES)[0] == 201
    assert names()["Owner"] == {"me": 0}
    assert cloud.refused("DELETE", f"{here}/tagNames/stage", RESOURCES) == (409, "Conflict")
    assert cloud.ask("DELETE", f"{at}/tagValues/me", RESOURCES)[0] == 200 and names()["Owner"] == {}
    assert cloud.ask("DELETE", at, RESOURCES)[0] == 200 and "Owner" not in names()


def test_activity_log(cloud, here, group):
    disk = make_disk(cloud, group, "logged")
    at = f"{here}/providers/Microsoft.Insights/eventtypes/management/values"

    def ask(words):
        return cloud.ask("GET", f"{at}?$filter={urllib.parse.quote(words)}", "2015-04-01")
    events = ask("eventTimestamp ge '2020-01-01T00:00:00.123456Z' and resourceGroupName eq 'rest'")[2]["value"]
    event, = [e for e in events if e["resourceId"] == disk]
    assert event["operationName"]["value"] == "Microsoft.Compute/disks/write" and event["status"]["value"] == "Succeeded"
    assert ask("eventTimestamp ge '2999-01-01T00:00:00Z'")[2] == {"value": []}
    assert ask("colour eq 'x'")[0] == 400


def test_aliases(cloud):
    status, _, answer = cloud.send("GET", "/aliases.json")
    linux = answer["outputs"]["aliases"]["value"]["Linux"]
    assert status == 200 and linux and all(set(a) == {"publisher", "offer", "sku", "version", "architecture"} for a in linux.values())
    told = cloud.send("GET", "/metadata/endpoints?api-version=2020-06-01")[2][0]
    assert told["vmImageAliasDoc"] == f"{cloud.dev.url}/aliases.json"


# ---- az ----

def test_az(az, cloud, here, tmp_path_factory):
    az("group", "create", "-n", "ByAz", "-l", "useast1")
    az("disk", "create", "-g", "ByAz", "-n", "d", "--size-gb", "1")
    sas = az("disk", "grant-access", "-g", "ByAz", "-n", "d", "--duration-in-seconds", "300")
    assert fetch(sas["accessSas"])[0] == 200
    az("disk", "revoke-access", "-g", "ByAz", "-n", "d")
    az("snapshot", "create", "-g", "ByAz", "-n", "s", "--source", "d")
    az("identity", "create", "-g", "ByAz", "-n", "i", "-l", "useast1")
    assert az("identity", "show", "-g", "ByAz", "-n", "i")["name"] == "i"
    az("tag", "create", "-n", "Colour")
    az("tag", "add-value", "-n", "Colour", "--value", "red")
    assert "Colour" in {t["tagName"] for t in az("tag", "list")}
    az("tag", "remove-value", "-n", "Colour", "--value", "red")
    az("tag", "delete", "-n", "Colour", "-y")
    exported = az("group", "export", "-n", "ByAz")
    assert {r["name"] for r in exported["resources"]} >= {"d", "s", "i"}
    az("group", "create", "-n", "ByAz2", "-l", "useast1")
    az("resource", "move", "--destination-group", "ByAz2", "--ids", f"{here}/resourceGroups/ByAz/providers/Microsoft.Compute/disks/d")
    assert az("resource", "show", "--ids", f"{here}/resourceGroups/ByAz2/providers/Microsoft.Compute/disks/d")["name"] == "d"
    assert az("vm", "image", "list") is not None
    az("group", "delete", "-n", "ByAz", "-y")
    az("group", "delete", "-n", "ByAz2", "-y")


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider", *sys.argv[1:]]))

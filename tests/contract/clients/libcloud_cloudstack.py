#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/cloudstack
"""CloudStack's API: by Debian's Apache Libcloud, and by signed requests where the format of an answer matters."""
import base64
import datetime
import http.client
import json
import os
import sys
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ET

import pytest
from libcloud.compute.providers import get_driver
from libcloud.compute.types import Provider

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import clone  # noqa: E402
import cloud  # noqa: E402
from cloudstack import admin_key, call, let_users_expunge, sign, wait  # noqa: E402
from dev import REGION, Dev  # noqa: E402
from faces import holds  # noqa: E402
from waiting import HANG_S  # noqa: E402

REFUSED = "unable to verify user credentials and/or request signature"


@pytest.fixture(scope="module")
def dev():
    with Dev() as region:
        let_users_expunge(region)
        yield region


@pytest.fixture(scope="module")
def machines(dev):
    """Three instances of alice, launched through EC2; one of them is terminated."""
    ec2 = dev.account.client()
    image = ec2.describe_images()["Images"][0]["ImageId"]
    made = [i["InstanceId"] for i in ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=3, MaxCount=3)["Instances"]]
    ec2.get_waiter("instance_running").wait(InstanceIds=made)
    ec2.terminate_instances(InstanceIds=made[2:])
    ec2.get_waiter("instance_terminated").wait(InstanceIds=made[2:])
    return made[:2]


def test_libcloud(dev, machines):
    driver = get_driver(Provider.CLOUDSTACK)(key=dev.account.key_id, secret=dev.account.secret, secure=False, host="127.0.0.1",
                                             port=dev.port, path="/client/api")
    assert [z.name for z in driver.list_locations()] == [REGION + "a", REGION + "b"]
    micro = next(s for s in driver.list_sizes() if s.name == "t3.micro")
    assert micro.ram == 1024 and micro.extra["cpu"] == 2
    answer = driver._sync_request(command="listVirtualMachines")
    assert len(answer["virtualmachine"]) == answer["count"] == 2


def test_machines(dev, machines):
    _, answer, name = call(dev, "listVirtualMachines")
    assert name == "listvirtualmachinesresponse" and answer["count"] == 2
    one = answer["virtualmachine"][0]
    assert {"i-" + m["id"].replace("-", "")[:17] for m in answer["virtualmachine"]} == set(machines)
    assert one["state"] == "Running" and one["hypervisor"] == "KVM" and one["serviceofferingname"] == "t3.micro"
    assert one["cpunumber"] == 2 and one["memory"] == 1024 and one["created"].endswith("+0000")
    nic, = one["nic"]
    assert nic["isdefault"] and nic["netmask"] == "255.255.240.0" and nic["gateway"].startswith("172.31.")
    assert [g["name"] for g in one["securitygroup"]] == ["default"]
    for key, value in [("id", one["id"]), ("ids", one["id"]), ("name", one["name"]), ("keyword", one["name"][3:9].upper())]:
        assert call(dev, "listVirtualMachines", **{key: value})[1]["virtualmachine"] == [one]
    for key in ["zoneid", "templateid", "serviceofferingid", "state"]:
        assert call(dev, "listVirtualMachines", **{key: one[key]})[1]["count"] == 2
    assert call(dev, "listVirtualMachines", state="Stopped")[1] == {}
    assert call(dev, "listVirtualMachines", state="Stopped", id=one["id"])[:2] == (200, {})  # it exists, and the filter excludes it
    assert call(dev, "LISTVIRTUALMACHINES", post=True, Id=one["id"])[1]["virtualmachine"] == [one]


def test_public_address(dev, machines):
    """A public address associated by EC2 is shown as the machine's own, and only there."""
    ec2 = dev.account.client()
    address = ec2.allocate_address()
    association = ec2.associate_address(AllocationId=address["AllocationId"], InstanceId=machines[0])["AssociationId"]
    shown = {"i-" + m["id"].replace("-", "")[:17]: m.get("publicip") for m in call(dev, "listVirtualMachines")[1]["virtualmachine"]}
    assert shown[machines[0]] == address["PublicIp"] != shown[machines[1]]
    ec2.disassociate_address(AssociationId=association)
    ec2.release_address(AllocationId=address["AllocationId"])


def test_pages(dev, machines):
    whole = call(dev, "listVirtualMachines", pagesize="-1")[1]["virtualmachine"]
    first, second = (call(dev, "listVirtualMachines", page=str(n), pagesize="1")[1] for n in (1, 2))
    assert first["count"] == second["count"] == 2 and first["virtualmachine"] + second["virtualmachine"] == whole
    for wrong in [{"page": "1"}, {"pagesize": "10"}, {"page": "1", "pagesize": "-1"}, {"page": "1", "pagesize": "501"}, {"page": "x", "pagesize": "1"}]:
        status, answer, name = call(dev, "listVirtualMachines", **wrong)
        assert status == answer["errorcode"] == 431 and name == "listvirtualmachinesresponse", wrong


def test_another_account_sees_nothing(dev, machines):
    other = dev.new_account("cloudstack-other")
    mine = call(dev, "listVirtualMachines")[1]["virtualmachine"][0]
    assert call(dev, "listVirtualMachines", _key=other.key_id, _secret=other.secret)[1] == {}
    status, answer, _ = call(dev, "listVirtualMachines", _key=other.key_id, _secret=other.secret, id=mine["id"])
    assert status == 431 and f"Invalid parameter id value={mine['id']} due to incorrect long value format, or entity does not exist" in answer["errortext"]
    assert "entity does not exist" in call(dev, "listVirtualMachines", id="x")[1]["errortext"]


def test_xml(dev):
    """The default format of answers is XML."""
    parameters = {"command": "listZones", "apiKey": dev.account.key_id}
    parameters["signature"] = sign(dev.account.secret, parameters)
    with urllib.request.urlopen(f"http://127.0.0.1:{dev.port}/client/api?{urllib.parse.urlencode(parameters)}") as answer:
        assert answer.headers["Content-Type"].startswith("text/xml")
        root = ET.fromstring(answer.read())
    assert root.tag == "listzonesresponse" and root.get("cloud-stack-version") == "4.18.0.0"
    assert root.findtext("count") == "2" and [z.findtext("name") for z in root.findall("zone")] == [REGION + "a", REGION + "b"]


def test_apis(dev):
    """The lists from which CloudMonkey syncs, and Marvin generates its classes."""
    answer = call(dev, "listApis")[1]
    apis = {api["name"]: api for api in answer["api"]}
    assert answer["count"] == len(apis) and "listVirtualMachines" in apis
    for api in apis.values():
        assert {"name", "description", "isasync", "related", "params", "response"} <= set(api) and isinstance(api["isasync"], bool)
        assert all({"name", "type", "required"} <= set(p) for p in api["params"]) and all({"name", "type"} <= set(p) for p in api["response"]), api["name"]
    zone = next(p for p in apis["listVirtualMachines"]["params"] if p["name"] == "zoneid")
    assert (zone["type"], zone["required"], zone["related"]) == ("uuid", False, "listZones")
    assert call(dev, "listApis", name="LISTZONES")[1]["api"] == [apis["listZones"]]
    assert call(dev, "listApis", name="listFlyingMachines")[0] == 431
    assert call(dev, "listCapabilities")[1]["capability"]["cloudstackversion"] == "4.18.0.0"


@pytest.fixture(scope="module")
def admin(dev):
    return admin_key(dev)


@holds("CloudStack: Roles in CloudStack's words")
def test_people(dev, admin):
    """Keystone's domains, projects and users are CloudStack's domains, accounts and users."""
    root, = call(dev, "listDomains", **admin, level="0")[1]["domain"]
    assert (root["name"], root["path"], root["level"], root["state"]) == ("ROOT", "ROOT", 0, "Active")
    mine, = call(dev, "listAccounts", **admin)[1]["account"]
    assert (mine["name"], mine["accounttype"], mine["roletype"], mine["domain"]) == ("admin", 1, "Admin", "ROOT")
    everybody = {a["name"]: a for a in call(dev, "listAccounts", listall="true", **admin)[1]["account"]}
    assert {"admin", "dev"} <= set(everybody) and everybody["dev"]["accounttype"] == 0
    own, = call(dev, "listAccounts", listall="true")[1]["account"]  # a user sees only the own account
    assert own == everybody["dev"] and own["vmtotal"] >= 0 and own["vmlimit"] == "Unlimited"
    users = call(dev, "listUsers")[1]["user"]
    assert {u["account"] for u in users} == {"dev"} and dev.account.key_id in {u.get("apikey") for u in users}
    assert {u["id"] for u in users} == {u["id"] for u in own["user"]}
    assert call(dev, "listUsers", account="dev", domainid=root["id"], **admin)[1]["user"] == users
    names = {r["name"]: r["type"] for r in call(dev, "listRoles")[1]["role"]}
    assert names["Root Admin"] == "Admin" and names["User"] == "User" and names["Domain Admin"] == "DomainAdmin"
    role, = [r for r in call(dev, "listRoles", keyword="user")[1]["role"] if r["name"] == "User"]
    rules = [(p["rule"], p["permission"]) for p in call(dev, "listRolePermissions", roleid=role["id"])[1]["rolepermission"]]
    assert ("listVirtualMachines", "allow") in rules and rules[-1] == ("*", "deny")


def test_keys(dev, admin):
    other = dev.new_account("cloudstack-keys")
    user, = call(dev, "listUsers", _key=other.key_id, _secret=other.secret)[1]["user"]
    keys = call(dev, "getUserKeys", id=user["id"], _key=other.key_id, _secret=other.secret)[1]["userkeys"]
    assert keys == {"apikey": other.key_id, "secretkey": other.secret}
    assert call(dev, "getUserKeys", id=user["id"], **admin)[1]["userkeys"] == keys
    assert call(dev, "getUserKeys", id=user["id"])[0] == 431  # another account's user cannot be found
    new = call(dev, "registerUserKeys", id=user["id"], _key=other.key_id, _secret=other.secret)[1]["userkeys"]
    assert call(dev, "listZones", _key=new["apikey"], _secret=new["secretkey"])[1]["count"] == 2


PERSON = {"username": "bea", "password": "Secret-1234", "email": "bea@example.org", "firstname": "Bea", "lastname": "Ay"}


@holds("CloudStack: Domains", "CloudStack: Users")
def test_people_are_made(dev, admin):
    """A domain, an account in it, and its users: Keystone shows them, and each can sign in by password and key until disabled."""
    domain = call(dev, "createDomain", name="works", **admin)[1]["domain"]
    assert (domain["name"], domain["path"], domain["level"], domain["parentdomainname"]) == ("works", "ROOT/works", 1, "ROOT")
    account = call(dev, "createAccount", account="lab", domainid=domain["id"], accounttype="0", **PERSON, **admin)[1]["account"]
    assert (account["name"], account["domain"], account["accounttype"], account["rolename"]) == ("lab", "works", 0, "User")
    user, = account["user"]
    assert (user["username"], user["firstname"], user["lastname"], user["email"], user["state"]) == ("bea", "Bea", "Ay", "bea@example.org", "enabled")
    assert cloud.admin(dev).ok("GET", f"/identity/v3/projects/{account['id'].replace('-', '')}")["project"]["name"] == "lab"
    assert log_in(dev, username="bea", password="Secret-1234", domain="/works")[1]["account"] == "lab"
    keys = call(dev, "registerUserKeys", id=user["id"], **admin)[1]["userkeys"]
    bea = {"_key": keys["apikey"], "_secret": keys["secretkey"]}
    assert call(dev, "listAccounts", **bea)[1]["account"][0]["id"] == account["id"]
    assert call(dev, "getUserKeys", id=user["id"], **bea)[1]["userkeys"] == keys
    assert call(dev, "createAccount", **PERSON, **bea)[0] == 401  # for administrators
    second = call(dev, "createUser", account="lab", domainid=domain["id"], **{**PERSON, "username": "cy"}, **admin)[1]["user"]
    assert second["account"] == "lab" and {u["username"] for u in call(dev, "listUsers", **bea)[1]["user"]} == {"bea", "cy"}
    assert call(dev, "createUser", account="lab", domainid=domain["id"], **PERSON, **admin)[0] == 431  # the name is in use
    changed = call(dev, "updateUser", id=second["id"], lastname="Young", password="Secret-5678", **admin)[1]["user"]
    assert (changed["firstname"], changed["lastname"]) == ("Bea", "Young")
    assert log_in(dev, username="cy", password="Secret-5678", domain="works")[0] == 200
    assert wait(dev, call(dev, "disableUser", id=second["id"], **admin)[1], **admin)[1]["user"]["state"] == "disabled"
    assert log_in(dev, username="cy", password="Secret-5678", domain="works")[0] == 531
    assert wait(dev, call(dev, "disableAccount", id=account["id"], lock="false", **admin)[1], **admin)[1]["account"]["state"] == "disabled"
    assert call(dev, "listZones", **bea)[0] == 401
    assert call(dev, "enableAccount", account="lab", domainid=domain["id"], **admin)[1]["account"]["state"] == "enabled"
    assert call(dev, "listZones", **bea)[0] == 200
    assert call(dev, "deleteDomain", id=domain["id"], **admin)[0] == 530  # it is not empty
    assert wait(dev, call(dev, "deleteAccount", id=account["id"], **admin)[1], **admin) == (1, {"success": True})
    assert call(dev, "listUsers", listall="true", username="bea", **admin)[1] == {}
    assert wait(dev, call(dev, "deleteDomain", id=domain["id"], **admin)[1], **admin) == (1, {"success": True})
    assert "works" not in {d["name"] for d in call(dev, "listDomains", **admin)[1]["domain"]}


def test_administrators_are_made(dev, admin):
    made = call(dev, "createAccount", accounttype="1", **{**PERSON, "username": "root2"}, **admin)[1]["account"]
    keys = call(dev, "registerUserKeys", id=made["user"][0]["id"], **admin)[1]["userkeys"]
    assert made["roletype"] == "Admin" and call(dev, "listAccounts", listall="true", _key=keys["apikey"], _secret=keys["secretkey"])[1]["count"] > 2


@holds("CloudStack: For whom")
def test_for_whom(dev, admin, machines):
    """An administrator acts for any account, others for accounts in which they have a role."""
    mine = call(dev, "listVirtualMachines")[1]
    root = call(dev, "listDomains", level="0", **admin)[1]["domain"][0]["id"]
    account = call(dev, "listAccounts")[1]["account"][0]
    assert "virtualmachine" not in call(dev, "listVirtualMachines", **admin)[1]
    for owner in [{"account": "dev", "domainid": root}, {"projectid": account["id"]}, {"listall": "true"}, {"domainid": root, "isrecursive": "true"}]:
        assert call(dev, "listVirtualMachines", **owner, **admin)[1]["count"] == mine["count"], owner
    assert call(dev, "listVirtualMachines", account="dev", domainid=root)[1] == mine
    status, answer, _ = call(dev, "listVirtualMachines", account="admin", domainid=root)
    assert (status, answer["cserrorcode"]) == (531, 4365) and "Can't create/list resources for account admin in domain ROOT, permission denied" in answer["errortext"]
    admins = call(dev, "listAccounts", **admin)[1]["account"][0]["id"]
    assert call(dev, "listVirtualMachines", projectid=admins)[0] == 431
    assert call(dev, "listVirtualMachines", account="dev", projectid=account["id"])[0] == 431


@holds("CloudStack: Jobs")
def test_power_and_jobs(dev, machines):
    """An asynchronous command answers with a job, and jobs on one machine run in sequence."""
    mine = call(dev, "listVirtualMachines")[1]["virtualmachine"][0]
    stopping, starting, again = (call(dev, command, id=mine["id"])[1] for command in ["stopVirtualMachine", "startVirtualMachine", "rebootVirtualMachine"])
    assert set(stopping) == {"jobid"} and len({stopping["jobid"], starting["jobid"], again["jobid"]}) == 3
    for job in [stopping, starting, again]:  # none is refused because of the previous one
        status, result = wait(dev, job)
        assert status == 1 and result["virtualmachine"]["id"] == mine["id"], result
    assert call(dev, "listVirtualMachines", id=mine["id"])[1]["virtualmachine"][0]["state"] == "Running"
    known = call(dev, "listAsyncJobs")[1]
    assert known["count"] == len(known["asyncjobs"]) >= 3 and {"startVirtualMachine", "stopVirtualMachine"} <= {j["cmd"] for j in known["asyncjobs"]}
    assert call(dev, "listAsyncJobs", startdate="2999-01-01T00:00:00+0000")[1] == {}
    other = dev.new_account("cloudstack-jobs")
    assert call(dev, "queryAsyncJobResult", jobid=stopping["jobid"], _key=other.key_id, _secret=other.secret)[0] == 431  # another account's job
    assert call(dev, "stopVirtualMachine", id=mine["id"], _key=other.key_id, _secret=other.secret)[0] == 431
    status, answer, _ = call(dev, "stopVirtualMachine")
    assert (status, answer["errortext"]) == (431, "Unable to execute API command stopvirtualmachine due to missing parameter id")


def deploy(dev, **parameters):
    """Id of a running machine of the smallest type from the newest template."""
    template = call(dev, "listVirtualMachines")[1]["virtualmachine"][0]["templateid"]
    offering = call(dev, "listServiceOfferings", name="t3.micro")[1]["serviceoffering"][0]["id"]
    zone = call(dev, "listZones")[1]["zone"][0]["id"]
    return call(dev, "deployVirtualMachine", **{"serviceofferingid": offering, "templateid": template, "zoneid": zone, **parameters})


def test_deploy(dev, machines):
    status, answer, name = deploy(dev, name="web", displayname="The first", userdata=base64.b64encode(b"#!/bin/sh").decode())
    assert status == 200 and set(answer) == {"id", "jobid"} and name == "deployvirtualmachineresponse", answer
    status, result = wait(dev, answer)
    one = result["virtualmachine"]
    assert status == 1 and (one["id"], one["name"], one["displayname"], one["state"]) == (answer["id"], "web", "The first", "Running")
    assert one["username"] and one["nic"][0]["ipaddress"] and call(dev, "listVirtualMachines", id=one["id"])[1]["virtualmachine"] == [one]
    for wrong in ["serviceofferingid", "templateid", "zoneid"]:
        status, refused, _ = call(dev, "deployVirtualMachine", **{k: one[k] for k in ["serviceofferingid", "templateid", "zoneid"] if k != wrong})
        assert (status, refused["errortext"]) == (431, f"Unable to execute API command deployvirtualmachine due to missing parameter {wrong}")
    assert call(dev, "destroyVirtualMachine", id=one["id"], expunge="true")[0] == 200
    status, answer, _ = deploy(dev, name="later", startvm="false", rootdisksize="20")
    status, result = wait(dev, answer)
    assert status == 1 and result["virtualmachine"]["state"] == "Stopped"
    assert wait(dev, call(dev, "startVirtualMachine", id=answer["id"])[1])[1]["virtualmachine"]["state"] == "Running"
    status, result = wait(dev, call(dev, "destroyVirtualMachine", id=answer["id"])[1])
    assert status == 1 and result["virtualmachine"]["state"] == "Destroyed"
    assert call(dev, "listVirtualMachines", name="later")[1] == {}
    status, refused, _ = deploy(dev, details="x", **{"details[0].nicAdapter": "e1000"})
    assert status == 431, refused


@holds("CloudStack: A machine's two names")
def test_deploy_fails(dev, machines):
    """If no host has room, the job fails with the placement's message."""
    largest = max(call(dev, "listServiceOfferings")[1]["serviceoffering"], key=lambda o: o["memory"])
    mine = call(dev, "listVirtualMachines")[1]["virtualmachine"][0]
    status, answer, _ = call(dev, "deployVirtualMachine", serviceofferingid=largest["id"], templateid=mine["templateid"], zoneid=mine["zoneid"])
    assert status == 200, answer
    status, result = wait(dev, answer)
    assert status == 2 and result["errorcode"] == 530 and "lack memory" in result["errortext"] and "Internal" not in result["errortext"], result
    assert call(dev, "listVirtualMachines", id=answer["id"])[1]["virtualmachine"][0]["state"] == "Error"
    assert wait(dev, call(dev, "expungeVirtualMachine", id=answer["id"])[1]) == (1, {"success": True})


@holds("CloudStack: Disk offerings")
def test_volumes(dev, machines):
    """Created, attached, detached and deleted; EC2 shows the same."""
    offering = call(dev, "listDiskOfferings", name="gp3")[1]["diskoffering"][0]
    machine = call(dev, "listVirtualMachines")[1]["virtualmachine"][0]
    status, answer, _ = call(dev, "createVolume", name="data", diskofferingid=offering["id"], size="2", zoneid=machine["zoneid"])
    assert status == 200 and set(answer) == {"id", "jobid"}, answer
    status, result = wait(dev, answer)
    volume = result["volume"]
    assert status == 1 and (volume["id"], volume["name"], volume["size"], volume["type"], volume["state"]) == (answer["id"], "data", 2 << 30, "DATADISK", "Ready")
    attached = wait(dev, call(dev, "attachVolume", id=volume["id"], virtualmachineid=machine["id"])[1])[1]["volume"]
    assert (attached["virtualmachineid"], attached["vmstate"]) == (machine["id"], "Running")
    assert {v["type"] for v in call(dev, "listVolumes", virtualmachineid=machine["id"])[1]["volume"]} == {"ROOT", "DATADISK"}
    assert call(dev, "deleteVolume", id=volume["id"])[0] in (431, 536)
    assert call(dev, "attachVolume", id=volume["id"], virtualmachineid=machine["id"])[0] in (431, 536)
    status, result = wait(dev, call(dev, "detachVolume", virtualmachineid=machine["id"], deviceid=str(attached["deviceid"]))[1])
    assert status == 1 and "virtualmachineid" not in result["volume"]
    assert call(dev, "createVolume", name="x")[0] == 431
    assert call(dev, "deleteVolume", id=volume["id"])[1] == {"success": "true"}
    assert call(dev, "listVolumes", name="data")[1] == {}


def test_a_shared_volume(dev, machines):
    """A Multi-Attach volume of EC2: each instance attaches and detaches it by a job of its own."""
    ec2 = dev.account.client()
    ec2.create_placement_group(GroupName="together", Strategy="cluster")  # on one host, as Multi-Attach requires
    image = ec2.describe_images()["Images"][0]["ImageId"]
    ids = [i["InstanceId"] for i in ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=2, MaxCount=2, Placement={"GroupName": "together"})["Instances"]]
    ec2.get_waiter("instance_running").wait(InstanceIds=ids)
    one, two = [m for m in call(dev, "listVirtualMachines")[1]["virtualmachine"] if "i-" + m["id"].replace("-", "")[:17] in ids]
    made = ec2.create_volume(VolumeType="io2", Iops=100, Size=4, MultiAttachEnabled=True, AvailabilityZone=one["zonename"])["VolumeId"]
    ec2.get_waiter("volume_available").wait(VolumeIds=[made])
    volume = next(v["id"] for v in call(dev, "listVolumes")[1]["volume"] if "vol-" + v["id"].replace("-", "")[:17] == made)
    for machine in [one, two]:
        assert wait(dev, call(dev, "attachVolume", id=volume, virtualmachineid=machine["id"])[1])[0] == 1
    for machine in [two, one]:
        assert wait(dev, call(dev, "detachVolume", id=volume, virtualmachineid=machine["id"])[1])[0] == 1
        left = {a["InstanceId"] for a in ec2.describe_volumes(VolumeIds=[made])["Volumes"][0]["Attachments"]}
        assert left == ({"i-" + one["id"].replace("-", "")[:17]} if machine is two else set())
    assert call(dev, "deleteVolume", id=volume)[0] == 200
    ec2.terminate_instances(InstanceIds=ids)


def test_keys_and_tags(dev, machines):
    made = call(dev, "createSSHKeyPair", name="made")[1]["keypair"]
    assert made["privatekey"].startswith("-----BEGIN") and made["name"] == "made"
    line = dev.account.client().describe_key_pairs(KeyNames=["made"], IncludePublicKey=True)["KeyPairs"][0]["PublicKey"]
    taken = call(dev, "registerSSHKeyPair", name="taken", publickey=line)[1]["keypair"]
    assert "privatekey" not in taken and [k["name"] for k in call(dev, "listSSHKeyPairs")[1]["sshkeypair"]] == ["made", "taken"]
    assert call(dev, "registerSSHKeyPair", name="wrong", publickey="x")[1]["errortext"] == "Public key is invalid"
    assert call(dev, "createSSHKeyPair", name="made")[0] == 431
    for name in ["made", "taken"]:
        assert call(dev, "deleteSSHKeyPair", name=name)[1] == {"success": "true"}  # a string: Libcloud compares it
    assert call(dev, "deleteSSHKeyPair", name="made")[0] == 431
    machine = call(dev, "listVirtualMachines")[1]["virtualmachine"][0]
    tags = {"tags[0].key": "tier", "tags[0].value": "web", "tags[1].key": "owner", "tags[1].value": "ann"}
    assert wait(dev, call(dev, "createTags", resourceids=machine["id"], resourcetype="UserVm", **tags)[1]) == (1, {"success": True})
    shown = call(dev, "listVirtualMachines", id=machine["id"])[1]["virtualmachine"][0]["tags"]
    assert {t["key"]: t["value"] for t in shown} == {"tier": "web", "owner": "ann"} and {t["resourcetype"] for t in shown} == {"UserVm"}
    assert call(dev, "listVirtualMachines", **{"tags[0].key": "tier", "tags[0].value": "web"})[1]["count"] == 1
    assert call(dev, "listVirtualMachines", **{"tags[0].key": "tier", "tags[0].value": "db"})[1] == {}
    assert call(dev, "listTags", resourceid=machine["id"], key="tier")[1]["tag"] == [t for t in shown if t["key"] == "tier"]
    assert call(dev, "listTags", resourcetype="UserVm", page="1", pagesize="1")[1]["count"] == 2
    assert wait(dev, call(dev, "deleteTags", resourceids=machine["id"], resourcetype="uservm", **{"tags[0].key": "tier"})[1])[0] == 1
    assert [t["key"] for t in call(dev, "listTags", resourceid=machine["id"])[1]["tag"]] == ["owner"]
    assert call(dev, "createTags", resourceids=machine["id"], resourcetype="Spaceship", **tags)[0] == 431
    assert call(dev, "createTags", resourceids="x", resourcetype="UserVm", **tags)[0] == 431


@holds("CloudStack: Templates of others")
def test_templates_and_networks(dev, machines):
    machine = call(dev, "listVirtualMachines")[1]["virtualmachine"][0]
    for name in ["featured", "executable", "all"]:
        template = next(t for t in call(dev, "listTemplates", templatefilter=name)[1]["template"] if t["id"] == machine["templateid"])
        assert template["isready"] and template["status"] == "Download Complete" and template["hypervisor"] == "KVM"
    assert call(dev, "listTemplates", templatefilter="self")[1] == {}
    assert call(dev, "listTemplates", templatefilter="executable", id=machine["templateid"], zoneid=machine["zoneid"])[1]["template"][0]["zoneid"] == machine["zoneid"]
    assert call(dev, "listTemplates")[1]["errortext"].endswith("due to missing parameter templatefilter")
    networks = {n["id"]: n for n in call(dev, "listNetworks")[1]["network"]}
    mine = networks[machine["nic"][0]["networkid"]]
    assert (mine["state"], mine["traffictype"], mine["netmask"]) == ("Implemented", "Guest", machine["nic"][0]["netmask"]) and mine["cidr"].startswith("172.31.")
    assert call(dev, "listNetworks", vpcid=mine["vpcid"])[1]["count"] == len(networks)
    assert call(dev, "listNetworks", zoneid=mine["zoneid"])[1]["count"] < len(networks)
    status, answer, _ = deploy(dev, networkids=mine["id"], zoneid=mine["zoneid"], name="in-a-network")
    result = wait(dev, answer)[1]["virtualmachine"]
    assert [n["networkid"] for n in result["nic"]] == [mine["id"]]
    elsewhere = next(z["id"] for z in call(dev, "listZones")[1]["zone"] if z["id"] != mine["zoneid"])
    assert deploy(dev, networkids=mine["id"], zoneid=elsewhere)[0] == 431
    assert call(dev, "destroyVirtualMachine", id=result["id"])[0] == 200


def log_in(dev, method="POST", **parameters):
    """(status, answer, cookies)"""
    connection = http.client.HTTPConnection("127.0.0.1", dev.port, timeout=HANG_S)
    form = urllib.parse.urlencode({"command": "login", "response": "json", **parameters})
    if method == "POST":
        connection.request("POST", "/client/api", form, {"Content-Type": "application/x-www-form-urlencoded"})
    else:
        connection.request("GET", "/client/api?" + form)
    answer = connection.getresponse()
    cookies = [c.split(";")[0] for c in answer.headers.get_all("Set-Cookie", [])]
    return answer.status, json.loads(answer.read())["loginresponse"], "; ".join(cookies)


def in_session(dev, cookies, command, **parameters):
    query = urllib.parse.urlencode({"command": command, "response": "json", **parameters})
    connection = http.client.HTTPConnection("127.0.0.1", dev.port, timeout=HANG_S)
    connection.request("GET", "/client/api?" + query, headers={"Cookie": cookies})
    answer = connection.getresponse()
    (inner,) = json.loads(answer.read()).values()
    return answer.status, inner


@holds("CloudStack: Sessions")
def test_sessions(dev, admin):
    region = cloud.admin(dev)
    account = call(dev, "listAccounts")[1]["account"][0]["id"].replace("-", "")
    user = region.ok("POST", "/identity/v3/users", {"user": {"name": "ann", "password": "Secret-1234", "firstname": "Ann"}})["user"]["id"]
    role = region.ok("GET", "/identity/v3/roles?name=member")["roles"][0]["id"]
    assert region.call("PUT", f"/identity/v3/projects/{account}/users/{user}/roles/{role}").status == 204
    status, said, cookies = log_in(dev, username="ann", password="Secret-1234", domain="/")
    assert status == 200 and (said["username"], said["account"], said["type"], said["firstname"]) == ("ann", "dev", "0", "Ann") and said["timeout"] > 60
    assert {c.split("=")[0] for c in cookies.split("; ")} == {"JSESSIONID", "sessionkey"}
    key = {"sessionkey": said["sessionkey"]}
    assert in_session(dev, cookies, "listZones", **key)[1]["count"] == 2
    assert in_session(dev, cookies, "listVirtualMachines", **key)[1] == call(dev, "listVirtualMachines")[1]
    assert in_session(dev, cookies, "listZones")[0] == in_session(dev, "", "listZones", **key)[0] == 401  # cookie and session key are both required
    assert in_session(dev, cookies, "listZones", sessionkey=said["sessionkey"][:-1] + "x")[0] == 401
    assert in_session(dev, cookies, "logout", **key) == (200, {"description": "success"})
    assert in_session(dev, cookies, "listZones", **key)[0] == 401
    for wrong in [{"password": "no"}, {"username": "nobody"}, {"domain": "/elsewhere"}]:
        status, said, cookies = log_in(dev, **{"username": "ann", "password": "Secret-1234", **wrong})
        assert (status, said["errorcode"], said["cserrorcode"], cookies) == (531, 531, 4290, ""), said
    assert log_in(dev, "GET", username="ann", password="Secret-1234")[0] == 405
    for _ in range(5):
        log_in(dev, username="ann", password="no")
    assert log_in(dev, username="ann", password="Secret-1234")[0] == 531  # locked out for a while


def test_a_second_port():
    """Some clients can only use port 8080."""
    port = clone.reserve_ports()
    with Dev("--cloudstack-port", str(port)) as region:
        parameters = {"command": "listZones", "response": "json", "apiKey": region.account.key_id}
        parameters["signature"] = sign(region.account.secret, parameters)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/client/api?{urllib.parse.urlencode(parameters)}") as answer:
            assert json.load(answer)["listzonesresponse"]["count"] == 2


def test_who_asks(dev):
    assert call(dev, "listZones", _secret="wrong")[:2] == (401, {"uuidList": [], "errorcode": 401, "cserrorcode": 9999, "errortext": REFUSED})
    assert call(dev, "listZones", _key="AKIAUNKNOWN")[0] == 401
    later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=10)
    for expires, status in [(later, 200), (later - datetime.timedelta(hours=1), 401)]:
        assert call(dev, "listZones", signatureVersion="3", expires=expires.strftime("%Y-%m-%dT%H:%M:%S+0000"))[0] == status
    assert call(dev, "listZones", signatureVersion="3")[0] == 401


def test_policies_hold(dev, machines):
    """A Deny on EC2's action applies here."""
    iam = dev.account.client("iam")
    deny = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "ec2:DescribeInstances", "Resource": "*"}]}
    iam.create_user(UserName="denied")
    iam.put_user_policy(UserName="denied", PolicyName="deny", PolicyDocument=json.dumps(deny))
    key = iam.create_access_key(UserName="denied")["AccessKey"]
    status, answer, _ = call(dev, "listVirtualMachines", _key=key["AccessKeyId"], _secret=key["SecretAccessKey"])
    assert (status, answer["errorcode"]) == (401, 401) and "The given command 'listVirtualMachines' either does not exist" in answer["errortext"]
    may = {api["name"] for api in call(dev, "listApis", _key=key["AccessKeyId"], _secret=key["SecretAccessKey"])[1]["api"]}
    theirs = call(dev, "listAsyncJobs")[1]["asyncjobs"][0]["jobid"]  # the job's result needs further rights
    assert call(dev, "queryAsyncJobResult", jobid=theirs, _key=key["AccessKeyId"], _secret=key["SecretAccessKey"])[0] == 431
    assert may == {"listApis", "listCapabilities", "queryAsyncJobResult", "login", "logout"}  # and no policy allows any other command


def test_refusals(dev):
    status, answer, name = call(dev, "listFlyingMachines")
    assert (status, answer["errorcode"], name) == (432, 432, "errorresponse") and answer["errortext"] == "Unknown API command: listFlyingMachines"
    status, answer, _ = call(dev, "listVirtualMachines", vpcid="x")
    assert status == 431 and "vpcid" in answer["errortext"]
    status, answer, name = call(dev, "")
    assert (status, name) == (400, "errorresponse") and answer["errortext"] == "Invalid request, no command sent"
    status, answer, _ = call(dev, "listZones", page="x", pagesize="1")
    assert answer["errortext"] == "Unable to execute API command listzones due to invalid value x for parameter page"
    assert call(dev, "listZones", post=True, keyword="x" * 70000)[0] == 431  # too long to compute signatures for
    assert call(dev, "listVirtualMachines", unheardof="x", zoneid="")[0] == 200  # unknown, and empty


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))

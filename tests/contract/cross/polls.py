#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api src/engine/job.c src/auth/guard src/engine/storage/image/import_task.c src/model/permissions.def
"""Another user of the account polls work that goes on: jobs, Azure's operations and deployments, imports, transfers, backups, tickets, and the actions
of a server. Every read of each face's tables is tried, with the work's id where the read takes one, and the live stream. A user whom a policy forbids to
list such work, and a user without rights, get the face's refusal or not-found, and no answer contains the work's mark."""
import json
import os
import re
import sys
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import azure  # noqa: E402
import cloud  # noqa: E402
import cloudstack  # noqa: E402
import dev as ec2  # noqa: E402
import doors  # noqa: E402
import native  # noqa: E402
from dev import Account, Dev  # noqa: E402
from faces import face  # noqa: E402
from faces.native import ask  # noqa: E402

READS = ("Describe", "List", "Get", "list", "query")
TABLES = {name: face.tables(name)["actions"] for name in ("actions", "iam", "openstack", "cloudstack", "native", "azure")}
VERSIONS = {"ec2": ec2.VERSION, "iam": face.IAM_VERSION, "sts": "2011-06-15"}
GROUP = "polled"
TEMPLATE = {"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0", "resources": []}
# IAM's name of the list of each kind, from the table of /api/v1
WORDS = {a["kind"]: a["iam"] for a in TABLES["native"] if a["lists"]} | {"instance_action": "ec2:DescribeInstanceActions"}


class Work:
    """Work that the owner has asked for. ids: values of path parameters, and of parameters of its kind; mark: a text that nothing else contains."""

    def __init__(self, kind, mark, **ids):
        self.kind, self.mark, self.ids, self.word = kind, mark, ids, WORDS[kind]

    def id_of(self, param):
        return self.ids.get(param["name"]) or (self.ids.get("id") if param.get("kind") == self.kind else None)


class Maker:
    """The owner of an account, who asks for one piece of work of each kind."""

    def __init__(self, dev):
        self.dev, self.owner = dev, native.another(dev, "polled")
        self.root, self.azure = self.owner.root, azure.Plain(dev)
        self.key = {"_key": self.root.key_id, "_secret": self.root.secret}
        self.subscription = self.azure.subscription(self.root)
        self.client = self.root.client()
        self.volume = self.client.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
        image = self.client.describe_images()["Images"][0]["ImageId"]
        self.client.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)
        dev.rest()
        self.server = self.owner.ok("GET", "/compute/v2.1/servers")["servers"][0]["id"]

    def mark(self, name):
        return f"poll-{name}-{os.urandom(4).hex()}"

    def imports(self):
        disk, mark = {"Format": "raw", "Url": "http://192.0.2.1/x.raw"}, self.mark("snapshot")
        made = self.client.import_snapshot(Description=mark, DiskContainer=disk)["ImportTaskId"]
        yield Work("import_snapshot_task", mark, id=made)
        mark = self.mark("image")
        made = self.client.import_image(Description=mark, DiskContainers=[disk])["ImportTaskId"]
        yield Work("import_image_task", mark, id=made)

    def jobs(self):
        zone = cloudstack.ok(self.dev, "listZones", **self.key)["zone"][0]["id"]
        offering = cloudstack.ok(self.dev, "listDiskOfferings", name="gp3", **self.key)["diskoffering"][0]["id"]
        job = cloudstack.call(self.dev, "createVolume", name="v", size="1", zoneid=zone, diskofferingid=offering, **self.key)[1]["jobid"]
        yield Work("async_job", job, id=job)
        where = f"{self.subscription}/resourceGroups/{GROUP}"
        assert self.azure.ask("PUT", where, "2021-04-01", self.root, {"location": "us-east-1"})[0] in (200, 201)
        status, headers, answer = self.azure.ask("PUT", f"{where}/providers/Microsoft.Compute/disks/{self.mark('disk')}", "2023-04-02", self.root, {
            "location": "us-east-1", "properties": {"diskSizeGB": 1, "creationData": {"createOption": "Empty"}}})
        assert status in (200, 201, 202), answer
        job = re.search(r"/operations/([0-9a-f-]{36})", headers["Azure-AsyncOperation"])[1]
        yield Work("async_job", job, id=job, operationId=job, location="us-east-1")

    def deployments(self):
        for where, ids in ((f"/resourceGroups/{GROUP}", {"resourceGroupName": GROUP}), ("", {})):
            mark = self.mark("deployment")
            body = {"properties": {"mode": "Incremental", "template": TEMPLATE}, **({} if where else {"location": "us-east-1"})}
            status, headers, answer = self.azure.ask("PUT", f"{self.subscription}{where}/providers/Microsoft.Resources/deployments/{mark}", "2021-04-01", self.root, body)
            assert status in (200, 201), answer
            operation = re.search(r"/operationStatuses/(\w+)", headers["Azure-AsyncOperation"])[1]
            yield Work("deployment", mark, deploymentName=mark, operationId=operation, **ids)

    def others(self):
        account = {"project_id": self.owner.id}
        volume = next(v["id"] for v in self.owner.ok("GET", f"/volume/v3/{self.owner.id}/volumes/detail")["volumes"] if v["name"] != "v")
        mark = self.mark("backup")
        made = self.owner.ok("POST", f"/volume/v3/{self.owner.id}/backups", {"backup": {"volume_id": volume, "name": mark}})["backup"]["id"]
        yield Work("backup", mark, id=made, backup_id=made, **account)
        self.dev.rest()
        mark = self.mark("transfer")
        spare = self.owner.ok("POST", f"/volume/v3/{self.owner.id}/volumes", {"volume": {"size": 1}})["volume"]["id"]
        self.dev.rest()
        made = self.owner.ok("POST", f"/volume/v3/{self.owner.id}/os-volume-transfer", {"transfer": {"volume_id": spare, "name": mark}})["transfer"]["id"]
        yield Work("volume_transfer", mark, id=made, transfer_id=made, **account)
        mark = self.mark("ticket")
        made = self.owner.api_ok("POST", "/tickets", {"subject": mark, "body": mark})["items"][0]["id"]
        yield Work("support_ticket", mark, id=made)
        actions = self.owner.ok("GET", f"/compute/v2.1/servers/{self.server}/os-instance-actions", version="compute 2.93")["instanceActions"]
        yield Work("instance_action", None, server_id=self.server, request_id=actions[0]["request_id"])

    def make(self):
        return [w for works in (self.imports, self.jobs, self.deployments, self.others) for w in works()]


class Reader:
    """A user of the account who reads by every face. project: for OpenStack's face and for streams; None: the user has no token."""

    def __init__(self, maker, key, project=None):
        self.dev, self.key, self.project, self.azure, self.subscription = maker.dev, key, project, maker.azure, maker.subscription

    def native(self, work):
        for a in TABLES["native"]:
            named = [p["name"] for p in a["params"] if p["in"] == "path" and p.get("kind") == work.kind]
            if a["method"] != "GET" or a["path"].startswith("/stream") or a["admin"] or ("{" in a["path"] and not named):
                continue
            query = "?fields=*&limit=1000" if a["lists"] else f"?q={work.mark}" if a["path"] == "/search" else ""
            answer = ask(self.key, "GET", re.sub(r"{\w+}", work.ids.get("id", ""), a["path"]) + query)
            yield bool(named), answer.status, answer.text

    def query(self, work):
        for a in TABLES["actions"] + TABLES["iam"]:
            if a["writes"] or not a["name"].startswith(READS):
                continue
            named = {p["name"].replace(".N", ".1"): work.ids["id"] for p in a["params"] if p.get("kind") == work.kind and work.ids.get("id")}
            for params in ({}, named) if named else ({},):
                answer = self.key.call(a["name"], params, service=a["service"], version=VERSIONS.get(a["service"], ec2.VERSION))
                yield bool(params), answer.status, answer.text

    def openstack(self, work):
        for a in TABLES["openstack"] if self.project else []:
            names = set(re.findall(r"{(\w+)}", a["path"]))
            if a["method"] == "GET" and names <= set(work.ids):
                path = re.sub(r"{(\w+)}", lambda m: work.ids[m[1]], a["path"])
                answer = self.project.call("GET", a["prefix"] + path, version=cloud.version_of(a))
                yield bool(names - {"project_id"}) and a["iam"] == work.word, answer.status, answer.text

    def cloudstack(self, work):
        who = {"_key": self.key.key_id, "_secret": self.key.secret}
        for a in TABLES["cloudstack"]:
            if a["writes"] or not a["name"].startswith(READS):
                continue
            named = {p["name"]: work.ids["id"] for p in a["params"] if p.get("kind") == work.kind and work.ids.get("id")}
            for params in ({}, named) if named else ({},):
                status, answer, _ = cloudstack.call(self.dev, a["name"], **params, **who)
                yield bool(params), status, json.dumps(answer)

    def of_azure(self, work):
        for a in TABLES["azure"]:
            names = set(re.findall(r"{(\w+)}", a["path"])) - {"subscriptionId"}
            if a["method"] != "GET" or a["open"] or not names <= set(work.ids):
                continue
            path = re.sub(r"{(\w+)}", lambda m: work.ids[m[1]], a["path"].replace("/subscriptions/{subscriptionId}", self.subscription))
            status, _, answer = self.azure.ask("GET", path, a["versions"].split("|")[-1], self.key)
            yield bool(names - {"resourceGroupName", "location"}), status, json.dumps(answer)

    def read(self, work):
        """Yields (face, true if the read names the work, status, text) of each read."""
        for read in (self.native, self.query, self.openstack, self.cloudstack, self.of_azure):
            for names_it, status, text in read(work):
                yield read.__name__, names_it, status, text


@pytest.fixture(scope="module")
def region():
    with Dev() as dev:
        maker = Maker(dev)
        maker.works = maker.make()
        maker.guest = face.project_guest(dev, maker.owner, "polls", "member")
        key = cloudstack.key_of(maker.guest.caller)
        maker.member = Reader(maker, Account(dev, key["_key"], key["_secret"]), maker.guest.caller)
        maker.nobody = Reader(maker, face.Guest(maker.root, "nobody").caller)
        dev.rest()
        yield maker


def leaks(reader, work):
    wrong = []
    for name, names_it, status, text in reader.read(work):
        if names_it and status < 400:
            wrong.append(f"{name} {status}: {text[:300]}")
        elif work.mark and work.mark in text and (status < 400 or work.mark not in work.ids.values()):  # an error repeats the id that it was asked for
            wrong.append(f"{name} {status}, a list: {text[max(0, text.index(work.mark) - 200):][:400]}")
    return wrong


def test_a_member_may(region):
    """The marks are in answers without a policy, so that their absence proves something."""
    region.guest.has(doors.policy(doors.ALLOW))
    for work in region.works:
        assert any(status < 400 and (names_it or (work.mark and work.mark in text)) for _, names_it, status, text in region.member.read(work)), work.kind


@pytest.mark.parametrize("kind", sorted(WORDS.keys() & {"import_snapshot_task", "import_image_task", "async_job", "deployment", "backup", "volume_transfer",
                                                        "support_ticket", "instance_action"}))
def test_forbidden_by_policy(region, kind):
    works = [w for w in region.works if w.kind == kind]
    region.guest.has(doors.policy(doors.ALLOW, doors.deny([WORDS[kind], *(["support:*"] if kind == "support_ticket" else [])], "*")))
    assert works and not (wrong := [w for work in works for w in leaks(region.member, work)]), "\n".join(wrong)


def test_without_rights(region):
    wrong = [f"{work.kind}: {w}" for work in region.works for w in leaks(region.nobody, work)]
    assert not wrong, "\n".join(wrong)


def test_streams(region):
    """A stream that begins under the policies tells nothing of later work; the owner's stream tells of it."""
    kinds = {w.kind for w in region.works if w.mark}
    region.guest.has(doors.policy(doors.ALLOW, doors.deny([WORDS[k] for k in kinds], "*")))
    streams = region.guest.caller.watch(), region.owner.watch()
    made = [w for w in region.make() if w.mark]
    region.dev.rest()
    streams[1].soon(lambda: all(w.mark in json.dumps(streams[1].events) for w in made), "the marks in the owner's stream")
    last = region.owner.api_ok("POST", "/key-pairs", {"name": f"last-{time.time_ns()}"})["items"][0]["id"]
    streams[0].soon(lambda: last in json.dumps(streams[0].events), "the last row in the member's stream")
    told = json.dumps(streams[0].events)
    for stream in streams:
        stream.close()
    assert not [w.kind for w in made if w.mark in told]


def test_events_of_kinds_without_lists(region):
    """Events of a kind that /api/v1 does not list are told to those alone who may list it in another face."""
    region.root.ok("CreateVirtualMFADevice", {"VirtualMFADeviceName": f"polled-{time.time_ns()}"}, service="iam", version=face.IAM_VERSION)
    for statements, is_told in (((doors.ALLOW,), True), ((doors.ALLOW, doors.deny("iam:ListVirtualMFADevices", "*")), False)):
        region.guest.has(doors.policy(*statements))
        kinds = {e["kind"] for e in ask(region.member.key, "GET", "/events?limit=1000").json["items"]}
        assert ("mfa_device" in kinds) == is_told, kinds


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", __file__, *sys.argv[1:]]))

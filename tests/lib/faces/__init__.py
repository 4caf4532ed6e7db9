# SPDX-License-Identifier: Apache-2.0
"""One project seen through two faces; and the rows and bold words of docs/mapping.md, each of which must be named by a case that proves it."""
import ast
import glob
import os
import re

import botocore.exceptions
import pytest

import cloud
from dev import ROOT

COMPUTE, NETWORK, VOLUME, IMAGE, IDENTITY = "/compute/v2.1", "/network/v2.0", "/volume/v3", "/image/v2", "/identity/v3"
NEWEST = "compute 2.93"
PREFIXES = {"address-groups": "pl", "servers": "i", "volumes": "vol", "snapshots": "snap", "images": "ami", "ports": "eni", "subnets": "subnet", "routers": "vpc",
            "floatingips": "eipalloc", "security-groups": "sg"}


# ---- docs/mapping.md

def rows():
    """Rows of docs/mapping.md as "Section: first cell", and the bold words that begin its list items."""
    section, found, table = "", [], []
    with open(os.path.join(ROOT, "docs/mapping.md"), encoding="utf-8") as page:
        for line in page:
            heading = re.match(r"##? ([^:,]*)", line)
            cells = re.match(r"\| (.*?) \|", line)
            bold = re.match(r"\* \*\*(.*?)\.?\*\*", line)
            section = heading[1].strip() if heading else section
            table = [*table, cells[1]] if cells else []
            if bold or len(table) > 2:  # skip the heading of a table and the line below
                found.append(f"{section}: {bold[1] if bold else cells[1]}")
    return found


def holds(*names):
    """Names the rows of docs/mapping.md that a case proves."""
    def mark(function):
        function.holds = names
        return function
    return mark


def held():
    """Rows of docs/mapping.md that some case in tests/contract names."""
    found = set()
    for path in glob.glob(os.path.join(ROOT, "tests/contract/*/*.py")):
        with open(path, encoding="utf-8") as source:
            text = source.read()
            for node in ast.walk(ast.parse(text)) if "@holds(" in text else ():
                for mark in getattr(node, "decorator_list", []):  # a script may have a function of the same name
                    if isinstance(mark, ast.Call) and getattr(mark.func, "id", "") == "holds":
                        found.update(ast.literal_eval(arg) for arg in mark.args)
    return found


# ---- ids

def ec2_id(prefix, identifier):
    """EC2's form of a UUID."""
    return f"{prefix}-{identifier.replace('-', '')[:17]}"


def found(items, prefix, ec2):
    """The item whose UUID corresponds to that EC2 id."""
    (item,) = [i for i in items if ec2_id(prefix, i["id"]) == ec2]
    return item


def code(call, *given, **arguments):
    """Error code of an EC2 call that must fail."""
    with pytest.raises(botocore.exceptions.ClientError) as error:
        call(*given, **arguments)
    return error.value.response["Error"]["Code"]


class Both(cloud.Project):
    """A project with its EC2 client as .ec2; converts ids of one face to rows of the other."""

    def rest(self):
        self.dev.rest()

    # OpenStack

    def listed(self, path, collection):
        query = "/detail" if collection in ("servers", "volumes", "snapshots") else "?limit=200" if collection == "images" else ""
        return self.ok("GET", f"{path}/{collection}{query}", version=NEWEST if path == COMPUTE else None)[collection.replace("-", "_")]

    def seen(self, path, collection, ec2):
        """OpenStack's view of the resource with that EC2 id."""
        return found(self.listed(path, collection), PREFIXES[collection], ec2)

    def server(self, instance):
        return self.seen(COMPUTE, "servers", instance)

    def status(self, method, path, body=None, **how):
        return self.call(method, path, body, **how).status

    def act(self, server, name, value=None):
        answer = self.call("POST", f"{COMPUTE}/servers/{server}/action", {name: value}, version=NEWEST)
        assert answer.status in (200, 202, 204), answer
        self.rest()
        return answer

    def delete(self, path, gone=404):
        """Deletes a resource and checks that it is gone."""
        answer = self.call("DELETE", path)
        assert answer.status in (202, 204), f"{path}: {answer}"
        self.rest()
        assert self.status("GET", path) == gone

    # EC2

    @property
    def image(self):
        return self.ec2.describe_images(Filters=[{"Name": "is-public", "Values": ["true"]}])["Images"][0]["ImageId"]

    @property
    def image_uuid(self):
        return self.seen(IMAGE, "images", self.image)["id"]

    @property
    def zone(self):
        return self.ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]

    def run(self, instance_type="t3.micro", **how):
        made = self.ec2.run_instances(ImageId=self.image, InstanceType=instance_type, MinCount=1, MaxCount=1, **how)["Instances"][0]
        self.rest()
        return made["InstanceId"]

    def instance(self, identifier):
        return self.ec2.describe_instances(InstanceIds=[identifier])["Reservations"][0]["Instances"][0]

    def volume(self, identifier):
        return self.ec2.describe_volumes(VolumeIds=[identifier])["Volumes"][0]

    def terminate(self, *identifiers):
        self.ec2.terminate_instances(InstanceIds=list(identifiers))
        self.rest()
        for i in identifiers:
            assert self.instance(i)["State"]["Name"] == "terminated"

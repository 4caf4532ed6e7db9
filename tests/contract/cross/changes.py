#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/azure src/api/openstack
"""Each member of each change of a resource, sent with other values than it has: the change is refused, or the resource shows the value. A service that answers 200
and keeps the old value makes its client believe that something was done. The members come from the faces' tables; create.py asks the same of creations."""
import copy
import json
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import azure  # noqa: E402
import cloud  # noqa: E402
from dev import DARI, Dev  # noqa: E402

COMPUTE, NETWORK = "/providers/Microsoft.Compute", "/providers/Microsoft.Network"
ID = "/identity/v3"
VALUES = {"boolean": [True, False], "string": ["other", "Größe"], "object of strings": [{"q": "r"}], "list of strings": [["other"]], "ip": ["10.9.0.77"], "cidr": ["10.9.0.0/25"]}
OPENSTACK = {  # members whose effect a GET cannot show as it was sent, and why
    "display_name": "the older name of name", "display_description": "the older name of description",
    "is_default": "Neutron keeps it for external networks alone", "password": "never shown", "original_password": "never shown",
    "shared": "a grant to the project also shares its network", "position": "one behind the last place is the last"}
AZURE = {
    "properties.virtualMachineProfile.osProfile.adminPassword": "never shown",
    "sku.tier": "Regional is the only one, and is not shown", "properties.ipConfigurations.N.properties.primary": "the only one is the primary",
    "properties.ipConfigurations.N.properties.privateIPAddress": "the method is Dynamic: Azure chooses the address"}


def values_of(param):
    if param.get("words"):
        return param["words"].split("|")
    if param["type"] == "integer":
        return [param.get("min", 1) + 1, param.get("min", 1) + 2]
    return VALUES.get(param["type"], [])


def member(body, name):
    for word in name.split("."):
        if not isinstance(body, (dict, list)) or not body:
            return None
        body = body[0] if word == "N" else body.get(word)
    return body


def shows(got, sent):
    if isinstance(sent, dict) and isinstance(got, dict):
        return all(got.get(k) == v for k, v in sent.items())
    return str(got).lower() == str(sent).lower()


# ---- OpenStack

def people(admin):
    """Creates one identity resource of each kind; returns the ids by the variable of their path."""
    bodies = {"project": {}, "user": {"password": "geheim"}, "group": {}, "role": {}, "domain": {}, "region": {"id": "named"}, "service": {"type": "named"},
              "policy": {"blob": "x", "type": "y"}}
    return {f"{kind}_id": admin.ok("POST", f"{ID}/{'policies' if kind == 'policy' else kind + 's'}", {kind: {"name": "named", **more} if kind not in ("region", "policy") else more})[kind]["id"]
            for kind, more in bodies.items()}


@pytest.fixture(scope="module")
def stack():
    with Dev() as dev:
        project, admin = cloud.another(dev, "changed", role="manager"), cloud.admin(dev)
        cloud.furnish(dev, project)
        dev.rest()
        yield project, admin, cloud.ids_of(project), people(admin)


def openstack_changes():
    for action in cloud.dump()["actions"]:
        variables = re.findall(r"\{([^}]*)\}", action["path"].replace("/{project_id}/", "/") if action["prefix"] == "/volume" else action["path"])
        if action["method"] in ("PUT", "PATCH") and len(variables) == 1 and action["path"].endswith("}") and cloud.members(action):
            yield action


@pytest.mark.parametrize("action", list(openstack_changes()), ids=cloud.title)
def test_openstack(stack, action):
    project, admin, ids, named = stack
    variable = re.findall(r"\{([^}]*)\}", action["path"])[-1]
    by, read = (admin, admin) if action["service"] == "identity" else (project, admin)
    path = cloud.path_of(action, ids)
    if action["service"] == "identity" and variable in named:
        path = f"{action['prefix']}{action['path'].replace('{' + variable + '}', named[variable])}"
    version, lost = cloud.version_of(action), []
    for param in cloud.members(action):
        for value in values_of(param) if param["name"].split(".")[-1] not in OPENSTACK and not param["required"] else []:
            answer = by.call(action["method"], path, cloud.body_of(action, param["name"], value), version=version)
            if answer.status >= 300:
                continue
            shown = read.call("GET", path, version=version)
            got = member(shown.json[action["wrap"]] if action["wrap"] else shown.json, param["name"]) if shown.status == 200 else "nothing"
            if not shows(got, value) and not (param["name"] == "enabled" and value):
                lost.append(f"{param['name']}: sent {value!r}, shown {got!r}")
    assert not lost, "\n".join(lost)


# ---- Azure

class Group:
    """A resource group with one resource of each type that a PUT makes at once."""

    def __init__(self, dev):
        self.cloud = azure.Cloud(dev)
        self.id = f"{self.cloud.subscription()}/resourceGroups/changed"
        self.cloud.done("PUT", self.id, "2021-04-01", body={"location": "useast1"})
        subnet = {"name": "a", "properties": {"addressPrefix": "10.1.1.0/24"}}
        inside = {"subnet": {"id": f"{self.id}{NETWORK}/virtualNetworks/v/subnets/a"}}
        self.bodies = {
            f"{NETWORK}/virtualNetworks/v": {"properties": {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}, "subnets": [subnet]}},
            f"{NETWORK}/virtualNetworks/v/subnets/a": subnet,
            f"{COMPUTE}/disks/d": {"sku": {"name": "Standard_LRS"}, "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 4}},
            f"{COMPUTE}/snapshots/s": {"properties": {"creationData": {"createOption": "Copy", "sourceResourceId": f"{self.id}{COMPUTE}/disks/d"}}},
            f"{COMPUTE}/availabilitySets/a": {"sku": {"name": "Aligned"}, "properties": {"platformFaultDomainCount": 2}},
            f"{COMPUTE}/proximityPlacementGroups/p": {},
            f"{NETWORK}/networkSecurityGroups/g": {}, f"{NETWORK}/routeTables/t": {}, f"{NETWORK}/applicationSecurityGroups/a": {},
            f"{NETWORK}/publicIPAddresses/i": {"sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}},
            f"{NETWORK}/publicIPPrefixes/p": {"sku": {"name": "Standard"}, "properties": {"prefixLength": 30}},
            f"{NETWORK}/networkInterfaces/n": {"properties": {"ipConfigurations": [{"name": "c", "properties": inside}]}},
            f"{NETWORK}/loadBalancers/l": {"sku": {"name": "Standard"}, "properties": {"frontendIPConfigurations": [{"name": "f", "properties": inside}]}},
            f"{NETWORK}/natGateways/n": {"sku": {"name": "Standard"}},
            f"{COMPUTE}/virtualMachineScaleSets/s": self.scale_set(inside)}
        for path, body in self.bodies.items():
            if "/subnets/" not in path:
                self.cloud.done("PUT", self.id + path, "2026-04-01", body={"location": "useast1", **body})

    def scale_set(self, inside):
        at = f"{self.cloud.subscription()}{COMPUTE}/locations/useast1/publishers/dari/artifacttypes/vmimage/offers"
        image = {"publisher": "dari", "offer": self.cloud.ask("GET", at)[2][0]["name"], "sku": "default", "version": "latest"}
        return {"sku": {"name": "Standard_B1s", "capacity": 0}, "properties": {"virtualMachineProfile": {
            "osProfile": {"adminUsername": "me", "adminPassword": "Correct-horse-1"}, "storageProfile": {"imageReference": image},
            "networkProfile": {"networkInterfaceConfigurations": [{"name": "n", "properties": {"ipConfigurations": [{"name": "c", "properties": inside}]}}]}}}}

    def get(self, path):
        return self.cloud.ask("GET", self.id + path, "2026-04-01")[2]

    def change(self, method, path, body):
        """True if the change was accepted and succeeded."""
        status, headers, answer = self.cloud.ask(method, self.id + path, "2026-04-01", body=body)
        where = headers["Azure-AsyncOperation"]
        if status >= 400 or not where:
            assert status < 500, answer
            return status < 400
        token = {"Authorization": f"Bearer {self.cloud.token_of(self.cloud.dev.account)}"}
        return azure.outcome(lambda: self.cloud.send("GET", where.replace(self.cloud.dev.url, ""), **token)[2], where)["status"] == "Succeeded"


@pytest.fixture(scope="module")
def group():
    with Dev("--tls") as dev:
        yield Group(dev)


def azure_changes():
    for action in json.loads(subprocess.run([DARI, "dump", "azure"], check=True, capture_output=True).stdout)["actions"]:
        if action["method"] in ("PUT", "PATCH") and re.match(r"/subscriptions/\{[^}]*\}/resourceGroups/\{[^}]*\}/providers/Microsoft.(Compute|Network)/", action["path"]):
            yield action


@pytest.mark.parametrize("action", list(azure_changes()), ids=lambda a: a["name"])
def test_azure(group, action):
    form = "^" + re.sub(r"\{[^}]*\}", "[^/]+", action["path"]) + "$"
    lost = []
    for path in [p for p in group.bodies if re.match(form, group.id + p)]:
        before = group.get(path)
        for param in action["params"]:
            for value in values_of(param) if param["in"] == "body" and param["name"] not in AZURE else []:
                body = copy.deepcopy(before) if action["method"] == "PUT" else {}
                cloud.put(body, param["name"], value)
                if group.change(action["method"], path, body) and not shows(got := member(group.get(path), param["name"]), value):
                    lost.append(f"{path} {param['name']}: sent {value!r}, shown {got!r}")
    assert not lost, "\n".join(lost)


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=40", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

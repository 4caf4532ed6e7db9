# SPDX-License-Identifier: Apache-2.0
"""az against a region, registered and signed in as docs/clients.md says; a machine with its network, disks, roles and a deployment."""
import json
import os
import re
import shlex
import string
import subprocess
import sys

from azure.cli.core import get_default_cli
from steps import Failed, Program, await_that, same, step, tell

HOME = os.environ["HOME"]
az = Program("az", last=["-o", "json"], main=lambda: get_default_cli().invoke(sys.argv[1:]),
             env={"AZURE_CONFIG_DIR": f"{HOME}/az", "AZURE_CORE_COLLECT_TELEMETRY": "0"})
plain = az.copy(last=["-o", "tsv"])
G = ["-g", "web"]


def fails(text, *words):
    try:
        az.text(*words)
    except Failed as e:
        assert text in str(e), e
        return
    raise AssertionError("the command succeeded")


def names(rows):
    return {row["name"] for row in rows}


def sign_in():
    with step("the cloud is registered, and a service principal signs in"):
        az.text("cloud", "register", "-n", "Dari", "--endpoint-resource-manager", os.environ["ENDPOINT"])
        az.text("cloud", "set", "-n", "Dari")
        who = ["login", "--service-principal", "--tenant", os.environ["TENANT"], "-u", os.environ["AWS_ACCESS_KEY_ID"], "-p"]
        fails("AADSTS7000215", *who, "wrong")
        same(az.say(*who, os.environ["AWS_SECRET_ACCESS_KEY"])[0]["id"], os.environ["SUBSCRIPTION"])
    with step("the subscription's locations and a group"):
        location = az.say("account", "list-locations")[0]["name"]
        same(az.say("group", "create", "-n", "web", "-l", location, "--tags", "team=blue")["properties"]["provisioningState"], "Succeeded")
        same(names(az.say("group", "list", "--tag", "team=blue")), {"web"})
        os.environ["LOCATION"] = location


def network():
    with step("a network with a subnet, a security group and a rule"):
        az.say("network", "vnet", "create", *G, "-n", "inner", "--address-prefixes", "10.1.0.0/16", "--subnet-name", "s1", "--subnet-prefixes", "10.1.1.0/24")
        az.say("network", "nsg", "create", *G, "-n", "wall")
        az.say("network", "nsg", "rule", "create", *G, "--nsg-name", "wall", "-n", "web", "--priority", "200", "--destination-port-ranges", "80", "443", "--protocol", "Tcp")
        same(az.say("network", "nsg", "rule", "show", *G, "--nsg-name", "wall", "-n", "web")["destinationPortRanges"], ["80", "443"])
        az.say("network", "vnet", "subnet", "update", *G, "--vnet-name", "inner", "-n", "s1", "--network-security-group", "wall")
    with step("a public address and an interface"):
        az.say("network", "public-ip", "create", *G, "-n", "door", "--sku", "Standard")
        az.say("network", "nic", "create", *G, "-n", "nic1", "--vnet-name", "inner", "--subnet", "s1", "--public-ip-address", "door")
        same(az.say("network", "nic", "show", *G, "-n", "nic1")["ipConfigurations"][0]["privateIPAddress"], "10.1.1.4")


def machines():
    with step("sizes and images"):
        assert "Standard_B1s" in names(az.say("vm", "list-sizes", "-l", os.environ["LOCATION"]))
        at = f"/subscriptions/{os.environ['SUBSCRIPTION']}/providers/Microsoft.Compute/locations/{os.environ['LOCATION']}/publishers"
        offer = az.say("rest", "--method", "get", "--url", f"{at}/dari/artifacttypes/vmimage/offers?api-version=2022-08-01")[0]["name"]
        os.environ["URN"] = f"dari:{offer}:default:latest"
    with step("a machine with the interface"):
        subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", f"{HOME}/key"], check=True)
        made = az.say("vm", "create", *G, "-n", "vm1", "--image", os.environ["URN"], "--size", "Standard_B1s", "--nics", "nic1", "--admin-username", "azureuser",
                      "--ssh-key-values", f"{HOME}/key.pub", "--tags", "team=blue")
        same((made["powerState"], made["privateIpAddress"]), ("VM running", "10.1.1.4"))
    with step("machines are listed, shown and queried"):
        same(names(az.say("vm", "list", "-d")), {"vm1"})
        same(az.say("vm", "get-instance-view", *G, "-n", "vm1")["instanceView"]["statuses"][1]["code"], "PowerState/running")
        same(az.say("resource", "list", *G, "--resource-type", "Microsoft.Compute/virtualMachines", "--query", "[].name"), ["vm1"])
    with step("deallocate, resize, start, restart"):
        az.text("vm", "deallocate", *G, "-n", "vm1")
        az.text("vm", "resize", *G, "-n", "vm1", "--size", "Standard_B2s")
        az.text("vm", "start", *G, "-n", "vm1")
        az.text("vm", "restart", *G, "-n", "vm1")
        same(az.say("vm", "show", *G, "-n", "vm1")["hardwareProfile"]["vmSize"], "Standard_B2s")
        same(az.say("vm", "update", *G, "-n", "vm1", "--set", "tags.more=yes")["tags"], {"team": "blue", "more": "yes"})


def disks():
    with step("a disk, attached, grown, its snapshot"):
        same(az.say("disk", "create", *G, "-n", "data", "--size-gb", "2")["diskSizeGB"], 2)
        az.text("vm", "disk", "attach", *G, "--vm-name", "vm1", "--name", "data")
        same(az.say("vm", "show", *G, "-n", "vm1")["storageProfile"]["dataDisks"][0]["name"], "data")
        az.text("vm", "disk", "detach", *G, "--vm-name", "vm1", "--name", "data")
        await_that(lambda: az.say("disk", "show", *G, "-n", "data")["diskState"] == "Unattached", "the disk is free")
        same(az.say("disk", "update", *G, "-n", "data", "--size-gb", "3")["diskSizeGB"], 3)
        same(az.say("snapshot", "create", *G, "-n", "shot", "--source", "data")["provisioningState"], "Succeeded")


def people():
    with step("an identity with a role"):
        made = az.say("identity", "create", *G, "-n", "robot")
        roles = az.say("role", "definition", "list", "--name", "Reader")
        same([role["roleName"] for role in roles], ["Reader"])
        az.say("role", "assignment", "create", "--assignee-object-id", made["principalId"], "--assignee-principal-type", "ServicePrincipal", "--role",
               roles[0]["name"], "--scope", f"/subscriptions/{os.environ['SUBSCRIPTION']}/resourceGroups/web")
        scope = f"/subscriptions/{os.environ['SUBSCRIPTION']}/resourceGroups/web"
        mine = [row for row in az.say("role", "assignment", "list", "--scope", scope, "--fill-principal-name", "false", "--fill-role-definition-name", "false")
                if row["principalId"] == made["principalId"]]
        same(len(mine), 1)
        az.text("role", "assignment", "delete", "--ids", mine[0]["id"])


def deployments():
    with step("a deployment, first as what-if"):
        template = {"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0", "resources": [
            {"type": "Microsoft.Network/networkSecurityGroups", "apiVersion": "2024-05-01", "name": "second", "location": "[resourceGroup().location]"}]}
        with open("template.json", "w", encoding="ascii") as file:
            json.dump(template, file)
        az.text("deployment", "group", "validate", *G, "--template-file", "template.json")
        same([c["changeType"] for c in az.say("deployment", "group", "what-if", *G, "--template-file", "template.json", "--no-pretty-print")["changes"]
              if c["resourceId"].endswith("/second")], ["Create"])
        same(az.say("deployment", "group", "create", *G, "-n", "d1", "--template-file", "template.json")["properties"]["provisioningState"], "Succeeded")


def clean_up():
    with step("errors have their codes"):
        fails("ResourceNotFound", "vm", "show", *G, "-n", "nobody")
        fails("InUseSubnetCannotBeDeleted", "network", "vnet", "subnet", "delete", *G, "--vnet-name", "inner", "-n", "s1")
        fails("InvalidParameter", "disk", "create", *G, "-n", "none", "--size-gb", "0")
    with step("the activity log"):
        assert az.say("monitor", "activity-log", "list", *G, "--max-events", "5")
    with step("the machine and the group are deleted"):
        az.text("vm", "delete", *G, "-n", "vm1", "--yes")
        az.text("group", "delete", "-n", "web", "--yes")
        same(az.say("group", "exists", "-n", "web"), False)


def check_line(line, values):
    """Runs one line of `lines`; its output, or its refusal, must be what stands behind the arrow."""
    words, arrow, wanted = ([*re.split(r" ([=~!]>) ", line, maxsplit=1), "", ""])[:3]
    argv = shlex.split(string.Template(words).safe_substitute(values))
    wanted = string.Template(wanted).safe_substitute(values)
    if arrow == "!>":
        return fails(wanted, *argv)
    text = plain.text(*argv)
    if arrow == "~>":
        assert wanted in text, text
    elif arrow:
        same(text.strip(), wanted)
    return None


def lines():
    """Every line that people type (the file `lines`), each as a step."""
    with open(f"{HOME}/key.pub", encoding="ascii") as file:
        key = file.read().strip()
    values = {"LOCATION": os.environ["LOCATION"], "URN": os.environ["URN"], "SUB": os.environ["SUBSCRIPTION"], "KEY": key}
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "lines"), encoding="ascii") as file:
        for line in filter(lambda text: not text.startswith("#"), file.read().splitlines()):
            with step(f"az {line}"):
                check_line(line, values)


for part in (sign_in, network, machines, disks, people, deployments, clean_up, lines):
    part()
tell("end of tour")

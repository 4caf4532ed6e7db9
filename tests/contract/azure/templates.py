#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/azure/template src/api/azure/deployments
"""Templates in the style of Bicep's output and Azure's own samples: a machine with everything it needs, a load balancer over several machines,
modules, loops and conditions. Each is deployed twice: the second time must report no change for every resource, and change nothing."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from azure import Cloud  # noqa: E402
from dev import Dev  # noqa: E402
import waiting  # noqa: E402

VERSION = "2021-04-01"
NET, MACHINE = "2022-01-01", "2022-08-01"
LOCATION = "useast1"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKBKLO6Z7tYwC8Xk2mZlY5eTgZC3tBzC1b1nV8j1V3Qy user@example"


@pytest.fixture(scope="module")
def cloud():
    with Dev("--tls") as dev:
        here = Cloud(dev)
        os.environ.update(AWS_CA_BUNDLE=here.ca, SSL_CERT_FILE=here.ca)
        yield here


def bicep(resources, parameters=None, variables=None, outputs=None):
    return {"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
            "metadata": {"_generator": {"name": "bicep", "version": "0.30.23.60470", "templateHash": "1"}},
            "parameters": parameters or {}, "variables": variables or {}, "resources": resources, "outputs": outputs or {}}


def resource(kind, version, name, properties=None, **more):
    return {"type": kind, "apiVersion": version, "name": name, "location": "[parameters('location')]", **more,
            **({} if properties is None else {"properties": properties})}


def ref(kind, *names):
    return f"[resourceId('{kind}', {', '.join(names)})]"


HERE = {"location": {"type": "string", "defaultValue": "[resourceGroup().location]"}}
COMPUTE, NETWORK = "Microsoft.Compute", "Microsoft.Network"


def machine(name, nic, image, **more):
    return resource(f"{COMPUTE}/virtualMachines", MACHINE, name, {
        "hardwareProfile": {"vmSize": "[parameters('size')]"},
        "storageProfile": {"osDisk": {"createOption": "FromImage", "managedDisk": {"storageAccountType": "Standard_LRS"}},
                           "imageReference": {"id": image}},
        "networkProfile": {"networkInterfaces": [{"id": nic}]},
        "osProfile": {"computerName": name, "adminUsername": "azureuser", "linuxConfiguration": {
            "disablePasswordAuthentication": True,
            "ssh": {"publicKeys": [{"path": "/home/azureuser/.ssh/authorized_keys", "keyData": KEY}]}}}}, **more)


def group_rules():
    return resource(f"{NETWORK}/networkSecurityGroups", NET, "[variables('group')]", {"securityRules": [{"name": "SSH", "properties": {
        "priority": 1000, "protocol": "Tcp", "access": "Allow", "direction": "Inbound", "sourceAddressPrefix": "*", "sourcePortRange": "*",
        "destinationAddressPrefix": "*", "destinationPortRange": "22"}}]})


def one_machine(image):
    """A machine with network, security group, public address and interface, like Azure's first sample."""
    nic, public = ref(f"{NETWORK}/networkInterfaces", "variables('nic')"), ref(f"{NETWORK}/publicIPAddresses", "variables('public')")
    rules, net = ref(f"{NETWORK}/networkSecurityGroups", "variables('group')"), ref(f"{NETWORK}/virtualNetworks", "variables('net')")
    return bicep(
        [resource(f"{NETWORK}/networkInterfaces", NET, "[variables('nic')]", {
            "ipConfigurations": [{"name": "ipconfig1", "properties": {
                "subnet": {"id": ref(f"{NETWORK}/virtualNetworks/subnets", "variables('net')", "'default'")},
                "privateIPAllocationMethod": "Dynamic", "publicIPAddress": {"id": public}}}],
            "networkSecurityGroup": {"id": rules}}, dependsOn=[rules, public, net]),
         group_rules(),
         resource(f"{NETWORK}/virtualNetworks", NET, "[variables('net')]", {
             "addressSpace": {"addressPrefixes": ["10.1.0.0/16"]},
             "subnets": [{"name": "default", "properties": {"addressPrefix": "10.1.0.0/24", "privateEndpointNetworkPolicies": "Enabled",
                                                            "privateLinkServiceNetworkPolicies": "Enabled"}}]}),
         resource(f"{NETWORK}/publicIPAddresses", NET, "[variables('public')]", {
             "publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4", "idleTimeoutInMinutes": 4,
             "dnsSettings": {"domainNameLabel": "[toLower(format('{0}-{1}', parameters('name'), uniqueString(resourceGroup().id)))]"}},
             sku={"name": "Standard"}),
         machine("[parameters('name')]", nic, image, dependsOn=[nic])],
        {**HERE, "name": {"type": "string", "defaultValue": "simpleLinuxVM"}, "size": {"type": "string", "defaultValue": "t3.micro"}},
        {"public": "[format('{0}PublicIP', parameters('name'))]", "nic": "[format('{0}NetInt', parameters('name'))]", "net": "vNet", "group": "SecGroupNet"},
        {"hostname": {"type": "string", "value": f"[reference({public[1:-1]}, '{NET}').dnsSettings.fqdn]"}})


def balanced(image):
    """A loop of machines behind a load balancer with an address from a prefix, and a resource under a condition."""
    nic = ref(f"{NETWORK}/networkInterfaces", "format('nic-{0}', copyIndex())")
    balancer, net = ref(f"{NETWORK}/loadBalancers", "variables('balancer')"), ref(f"{NETWORK}/virtualNetworks", "variables('net')")
    block = ref(f"{NETWORK}/publicIPPrefixes", "'block'")
    public, rules = ref(f"{NETWORK}/publicIPAddresses", "'front'"), ref(f"{NETWORK}/networkSecurityGroups", "variables('group')")
    part = {k: ref(f"{NETWORK}/loadBalancers/{k}", "variables('balancer')", f"'{v}'")
            for k, v in (("frontendIPConfigurations", "out"), ("backendAddressPools", "pool"), ("probes", "probe"))}
    loop = {"name": "machines", "count": "[length(range(0, parameters('count')))]"}
    return bicep(
        [resource(f"{NETWORK}/publicIPAddresses", NET, "front", {"publicIPAllocationMethod": "Static", "publicIPPrefix": {"id": block}},
                  sku={"name": "Standard"}, dependsOn=[block]),
         resource(f"{NETWORK}/publicIPPrefixes", NET, "block", {"prefixLength": 31}, sku={"name": "Standard"}),
         group_rules(),
         resource(f"{NETWORK}/virtualNetworks", NET, "[variables('net')]", {
             "addressSpace": {"addressPrefixes": "[variables('space')]"},
             "subnets": [{"name": "default", "properties": {"addressPrefix": "10.2.0.0/24", "networkSecurityGroup": {"id": rules}}}]},
             dependsOn=[rules]),
         resource(f"{NETWORK}/loadBalancers", NET, "[variables('balancer')]", {
             "frontendIPConfigurations": [{"name": "out", "properties": {"publicIPAddress": {"id": public}}}],
             "backendAddressPools": [{"name": "pool"}],
             "loadBalancingRules": [{"name": "ssh", "properties": {
                 "frontendIPConfiguration": {"id": part["frontendIPConfigurations"]}, "backendAddressPool": {"id": part["backendAddressPools"]},
                 "probe": {"id": part["probes"]}, "protocol": "Tcp", "frontendPort": 22, "backendPort": 22, "idleTimeoutInMinutes": 4}}],
             "probes": [{"name": "probe", "properties": {"protocol": "Tcp", "port": 22, "intervalInSeconds": 5, "numberOfProbes": 2}}]},
             sku={"name": "Standard"}, dependsOn=[public]),
         resource(f"{NETWORK}/networkInterfaces", NET, "[format('nic-{0}', copyIndex())]", {"ipConfigurations": [{"name": "ipconfig", "properties": {
             "privateIPAllocationMethod": "Dynamic", "primary": True,
             "subnet": {"id": ref(f"{NETWORK}/virtualNetworks/subnets", "variables('net')", "'default'")},
             "loadBalancerBackendAddressPools": [{"id": part["backendAddressPools"]}]}}]}, copy={**loop, "name": "nics"}, dependsOn=[balancer, net]),
         machine("[format('machine-{0}', copyIndex())]", nic, image, copy={**loop, "mode": "serial", "batchSize": 1}, dependsOn=["nics"],
                 tags={"number": "[string(copyIndex(1))]"}),
         {**resource(f"{NETWORK}/routeTables", NET, "table", {"routes": []}), "condition": "[parameters('withTable')]"}],
        {**HERE, "size": {"type": "string", "defaultValue": "t3.micro"}, "count": {"type": "int", "defaultValue": 2, "minValue": 1},
         "withTable": {"type": "bool", "defaultValue": False}},
        {"net": "balanced", "balancer": "balancer", "group": "balancedGroup", "space": ["10.2.0.0/16"]},
        {"names": {"type": "array", "copy": {"count": "[parameters('count')]", "input": "[format('machine-{0}', copyIndex())]"}}})


def modules(_):
    """A module for the network, and one for its machine, which uses outputs of the first."""
    def module(called, inner, after=(), **parameters):
        return {"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": called, "dependsOn": list(after), "properties": {
            "expressionEvaluationOptions": {"scope": "inner"}, "mode": "Incremental",
            "parameters": {k: {"value": v} for k, v in parameters.items()}, "template": inner}}
    network = bicep([resource(f"{NETWORK}/virtualNetworks", NET, "[parameters('name')]", {
        "addressSpace": {"addressPrefixes": ["[parameters('space')]"]},
        "copy": [{"name": "subnets", "count": "[length(parameters('subnets'))]", "input": {
            "name": "[parameters('subnets')[copyIndex('subnets')]]",
            "properties": {"addressPrefix": "[cidrSubnet(parameters('space'), 24, copyIndex('subnets'))]"}}}]})],
        {**HERE, "name": {"type": "string"}, "space": {"type": "string"}, "subnets": {"type": "array"}},
        outputs={"subnet": {"type": "string", "value": "[reference(resourceId('Microsoft.Network/virtualNetworks', parameters('name')), "
                                                       f"'{NET}').subnets[1].id]"}})
    inside = bicep([resource(f"{NETWORK}/networkInterfaces", NET, "inside", {"ipConfigurations": [
        {"name": "one", "properties": {"subnet": {"id": "[parameters('subnet')]"}}}]})], {**HERE, "subnet": {"type": "string"}})
    first = "[resourceId('Microsoft.Resources/deployments', 'network')]"
    return bicep([module("network", network, name="[parameters('name')]", space="10.3.0.0/16", subnets=["web", "data"]),
                  module("inside", inside, [first], subnet=f"[reference({first[1:-1]}, '2022-09-01').outputs.subnet.value]")],
                 {"name": {"type": "string", "defaultValue": "modular"}})


def deploy(cloud, group, document):
    path = f"{group}/providers/Microsoft.Resources/deployments/main"
    status, _, answer = cloud.ask("PUT", path, VERSION, body={"properties": {"mode": "Incremental", "template": document}})
    assert status in (200, 201), answer

    def ended():
        answer = cloud.ask("GET", path, VERSION)[2]
        return answer["properties"]["provisioningState"] not in ("Accepted", "Running") and answer
    answer = waiting.wait_until(ended, "the deployment ends")
    assert answer["properties"]["provisioningState"] == "Succeeded", answer["properties"].get("error")
    return answer["properties"]


def read_all(cloud, group):
    listed = cloud.ask("GET", f"{group}/resources", VERSION)[2]["value"]
    versions = {COMPUTE: MACHINE, NETWORK: NET}
    return {r["id"]: cloud.ask("GET", r["id"], versions.get(r["type"].split("/")[0], VERSION))[2] for r in listed}


@pytest.mark.parametrize("of, resources", [(one_machine, 6), (balanced, 11), (modules, 2)])
def test_twice(cloud, of, resources):
    ec2 = cloud.dev.account.client()
    image = ec2.describe_images()["Images"][0]["ImageId"]
    document = of(f"{cloud.subscription()}/resourceGroups/dari-default/providers/Microsoft.Compute/images/{image}")
    group = f"{cloud.subscription()}/resourceGroups/{of.__name__}"
    assert cloud.ask("PUT", group, VERSION, body={"location": LOCATION})[0] == 201
    first = deploy(cloud, group, document)
    cloud.dev.rest()
    before = read_all(cloud, group)
    assert len(before) == resources, list(before)
    status, _, told = cloud.ask("POST", f"{group}/providers/Microsoft.Resources/deployments/main/whatIf", VERSION,
                                body={"properties": {"mode": "Incremental", "template": document}})
    assert status == 200, told
    unchanged = {"NoChange", "Ignore"} | ({"Unsupported"} if of is modules else set())  # what-if cannot know a module's use of another's outputs
    assert not [c for c in told["properties"]["changes"] if c["changeType"] not in unchanged]
    second = deploy(cloud, group, document)
    cloud.dev.rest()
    assert read_all(cloud, group) == before
    assert second.get("outputs") == first.get("outputs")
    assert sorted(r["id"] for r in second["outputResources"]) == sorted(r["id"] for r in first["outputResources"])


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=5", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

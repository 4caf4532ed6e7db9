#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/azure
"""Requests that Azure's face must refuse, with the services' own errors, rather than ignore; and requests of current clients that it must accept.
Each case is a request of a client in use."""
import json
import os
import sys
import urllib.parse

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
from azure import Cloud  # noqa: E402
from dev import Dev  # noqa: E402
import waiting  # noqa: E402

COMPUTE, NETWORK = "/providers/Microsoft.Compute", "/providers/Microsoft.Network"
NIL = "00000000-0000-0000-0000-000000000000"
RULE = {"priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "Tcp", "sourceAddressPrefix": "10.0.0.0/8",
        "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "22"}
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl a"
OTHER_KEY = KEY.replace("9GKJl", "9GKJk")


class Place:
    """A resource group with a machine, a disk and two networks."""

    def __init__(self, dev):
        self.cloud = Cloud(dev)
        self.group = f"{self.cloud.subscription()}/resourceGroups/rg"
        self.put("", {"location": "useast1"}, "2021-04-01")
        self.vnet("vn1", "10.1.0.0/16", "10.1.1.0/24")
        self.put(f"{NETWORK}/networkSecurityGroups/g", {"location": "useast1"})
        subnet = f"{self.group}{NETWORK}/virtualNetworks/vn1/subnets/a"
        nic = {"ipConfigurations": [{"name": "c", "properties": {"subnet": {"id": subnet}}}]}
        self.put(f"{NETWORK}/networkInterfaces/nic", {"location": "useast1", "properties": nic})
        names = self.ask("GET", f"{self.cloud.subscription()}{COMPUTE}/locations/useast1/publishers/dari/artifacttypes/vmimage/offers",
                         "2022-08-01")[2]
        assert names
        self.machine = {"location": "useast1", "properties": {
            "hardwareProfile": {"vmSize": "Standard_B1s"},
            "storageProfile": {"imageReference": {"publisher": "dari", "offer": names[0]["name"], "sku": "default",
                                                  "version": "latest"},
                               "osDisk": {"createOption": "FromImage", "name": "os", "diskSizeGB": 10},
                               "dataDisks": [{"lun": 0, "createOption": "Empty", "diskSizeGB": 4, "name": "data", "caching": "ReadOnly"}]},
            "osProfile": {"computerName": "vm", "adminUsername": "joe", "customData": "aGVsbG8=",
                          "linuxConfiguration": {"disablePasswordAuthentication": True, "ssh": {
                              "publicKeys": [{"path": "/home/joe/.ssh/authorized_keys", "keyData": KEY}]}}},
            "networkProfile": {"networkInterfaces": [{"id": f"{self.group}{NETWORK}/networkInterfaces/nic"}]}}}
        self.done("PUT", f"{COMPUTE}/virtualMachines/vm", self.machine)
        self.disk = {"location": "useast1", "sku": {"name": "Standard_LRS"},
                     "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 4}}
        self.done("PUT", f"{COMPUTE}/disks/d", self.disk)

    def ask(self, method, path, version, body=None):
        return self.cloud.ask(method, path, version, body=body)

    def at(self, method, path, body=None, version="2026-04-01"):
        return self.cloud.ask(method, self.group + path, version, body=body)

    def put(self, path, body, version="2026-04-01"):
        status, _, answer = self.at("PUT", path, body, version)
        assert status in (200, 201, 202), answer
        return answer

    def done(self, method, path, body=None):
        return self.cloud.done(method, self.group + path, "2026-04-01", body=body)

    def vnet(self, name, block, subnet=None):
        parts = [{"name": "a", "properties": {"addressPrefix": subnet}}] if subnet else []
        self.put(f"{NETWORK}/virtualNetworks/{name}",
                 {"location": "useast1", "properties": {"addressSpace": {"addressPrefixes": [block]}, "subnets": parts}})


@pytest.fixture(scope="module")
def place():
    with Dev("--tls", "--instant") as dev:
        yield Place(dev)


def refused(answer, status, code, *words):
    got, _, body = answer
    assert (got, body["error"]["code"]) == (status, code), body
    text = json.dumps(body)
    for word in words:
        assert word in text, body
    return body["error"]


def without(rule, name, **more):
    return {**{k: v for k, v in rule.items() if k != name}, **more}


# ---- a rule without one side allows nothing ----

@pytest.mark.parametrize("side, many", [("sourceAddressPrefix", "sourceAddressPrefixes"),
                                        ("destinationAddressPrefix", "destinationAddressPrefixes"),
                                        ("sourcePortRange", "sourcePortRanges"), ("destinationPortRange", "destinationPortRanges")])
@pytest.mark.parametrize("how", ["absent", "null", "empty text", "empty list"])
def test_a_rule_without_a_side(place, side, many, how):
    more = {"absent": {}, "null": {side: None, many: None}, "empty text": {side: ""}, "empty list": {many: []}}[how]
    body = {"properties": without(RULE, side, **more)}
    path = f"{NETWORK}/networkSecurityGroups/g/securityRules/open"
    refused(place.at("PUT", path, body), 400, "SecurityRuleParametersMissing", "Security rule must specify", many[1:])
    whole = {"location": "useast1", "properties": {"securityRules": [{"name": "open", **body}]}}
    refused(place.at("PUT", f"{NETWORK}/networkSecurityGroups/g", whole), 400, "SecurityRuleParametersMissing")
    assert place.at("GET", path)[0] == 404


def test_a_misspelt_side(place):
    body = {"properties": without(RULE, "sourceAddressPrefix", sourceAddresPrefix="10.0.0.0/8")}
    refused(place.at("PUT", f"{NETWORK}/networkSecurityGroups/g/securityRules/open", body), 400, "InvalidRequestFormat",
            "InvalidJson", "Could not find member 'sourceAddresPrefix' on object of type 'SecurityRulePropertiesFormat'")


def test_a_side_said_twice(place):
    path = f"{NETWORK}/networkSecurityGroups/g/securityRules/open"
    assert place.at("PUT", path, {"properties": {**RULE, "sourceAddressPrefixes": ["192.168.0.0/16"]}})[0] == 400
    body = {"properties": without(RULE, "sourceAddressPrefix", sourceAddressPrefixes=["Internet"])}
    refused(place.at("PUT", path, body), 400, "SecurityRuleParameterContainsUnsupportedValue", "Unsupported value used: Internet")
    assert place.at("PUT", path, {"properties": {**RULE, "sourceAddressPrefixes": []}})[0] == 201
    assert place.at("DELETE", path)[0] in (200, 202)


# ---- members and parameters that no table names ----

UNKNOWN = [
    ("virtualMachines/vm", COMPUTE, {"properties": {"x": 1}}, "BadRequest", "'x' on object of type 'VirtualMachineProperties'"),
    ("virtualMachines/vm", COMPUTE, {"properties": {"storageProfile": {"osDisk": {"sizeGb": 1}}}}, "BadRequest", "'OSDisk'"),
    ("disks/d", COMPUTE, {"properties": {"size": 1}}, "BadRequest", "'DiskProperties'"),
    ("disks/d", COMPUTE, {"AccountType": "x"}, "InvalidRequestContent",
     "could not be deserialized: 'Could not find member 'AccountType' on object of type"),
    ("snapshots/s", COMPUTE, {"properties": {"x": 1}}, "BadRequest", "'SnapshotProperties'"),
    ("virtualNetworks/vn1", NETWORK, {"properties": {"x": 1}}, "InvalidRequestFormat", "'VirtualNetworkPropertiesFormat'"),
    ("publicIPAddresses/i", NETWORK, {"properties": {"Sku": 1}}, "InvalidRequestFormat", "'PublicIPAddressPropertiesFormat'"),
    ("loadBalancers/l", NETWORK, {"properties": {"x": []}}, "InvalidRequestFormat", "'LoadBalancerPropertiesFormat'"),
]


@pytest.mark.parametrize("name, space, body, code, words", UNKNOWN)
def test_an_unknown_member(place, name, space, body, code, words):
    refused(place.at("PUT", f"{space}/{name}", {"location": "useast1", **body}), 400, code, words)


@pytest.mark.parametrize("method, path", [
    ("GET", f"{COMPUTE}/virtualMachines?$filter=name eq 'x'".replace(" ", "%20")), ("GET", f"{COMPUTE}/disks?$filter=x"),
    ("POST", f"{COMPUTE}/virtualMachines/vm/deallocate?hibernate=true"), ("POST", f"{COMPUTE}/virtualMachines/vm/start?x=1")])
def test_an_unknown_parameter(place, method, path):
    refused(place.at(method, path), 409, "OperationNotAllowed")


@pytest.mark.parametrize("change", [{"networkAccessPolicy": "AllowPrivate"}, {"tier": "P10"}, {"dataAccessAuthMode": "AzureActiveDirectory"},
                                    {"encryption": {"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": "/x"}},
                                    {"burstingEnabled": True}, {"optimizedForFrequentAttach": True}])
def test_a_disk_that_is_not_built(place, change):
    body = {"properties": change}
    status, _, answer = place.at("PATCH", f"{COMPUTE}/disks/d", body)
    assert status in (400, 409) and "error" in answer, answer


def test_a_disk_that_nobody_may_read(place):
    assert place.put(f"{COMPUTE}/disks/d", place.disk)["properties"]["networkAccessPolicy"] == "AllowAll"
    place.done("PATCH", f"{COMPUTE}/disks/d", {"properties": {"networkAccessPolicy": "DenyAll"}})
    assert place.at("GET", f"{COMPUTE}/disks/d")[2]["properties"]["networkAccessPolicy"] == "DenyAll"
    refused(place.at("POST", f"{COMPUTE}/disks/d/beginGetAccess", {"access": "Read", "durationInSeconds": 60}), 409,
            "OperationNotAllowed")


# ---- values that no call knows, and members of a neighbour ----

@pytest.mark.parametrize("path, status", [
    (f"{COMPUTE}/virtualMachines/vm?$expand=foo", 400), (f"{COMPUTE}/virtualMachines?$expand=userData", 400),
    (f"{COMPUTE}/virtualMachines/vm?$expand=userData", 200), (f"{COMPUTE}/virtualMachines/vm/extensions?$expand=foo", 400)])
def test_a_value_of_expand(place, path, status):
    assert place.at("GET", path)[0] == status


@pytest.mark.parametrize("query, status", [("$orderby=name%20desc&$top=1", 200), ("$orderby=age", 400), ("$expand=foo", 400)])
def test_the_order_of_images(place, query, status):
    at = f"{place.cloud.subscription()}{COMPUTE}/locations/useast1/publishers"
    assert place.ask("GET", f"{at}?{query}", "2022-08-01")[0] == status
    assert place.ask("GET", f"{place.cloud.subscription()}/providers?$expand=foo", "2021-04-01")[0] == 400


def test_groups_of_machines_have_their_own_members(place):
    """An availability set has fault domains, which stay; a proximity placement group has none, and an intent that is not built."""
    near, many = f"{COMPUTE}/proximityPlacementGroups/near", f"{COMPUTE}/availabilitySets/many"

    def body(**properties):
        return {"location": "useast1", "properties": properties}
    refused(place.at("PUT", near, body(platformFaultDomainCount=2)), 400, "BadRequest", "'ProximityPlacementGroupProperties'")
    refused(place.at("PUT", near, body(intent={"vmSizes": []})), 409, "OperationNotAllowed", "intent")
    refused(place.at("PUT", many, body(intent={"vmSizes": []})), 400, "BadRequest", "'AvailabilitySetProperties'")
    assert place.put(many, body(platformFaultDomainCount=2))["properties"]["platformFaultDomainCount"] == 2
    refused(place.at("PUT", many, body(platformFaultDomainCount=3)), 409, "PropertyChangeNotAllowed")
    assert place.put(many, body())["properties"]["platformFaultDomainCount"] == 2


@pytest.mark.parametrize("path, version", [(f"{COMPUTE}/disks/d", "2026-04-01"), (f"{NETWORK}/virtualNetworks/vn1", "2026-04-01"), ("", "2021-04-01")])
def test_a_change_goes_to_no_other_location(place, path, version):
    refused(place.at("PATCH", path, {"location": "westeurope"}, version), 400, "LocationNotAvailableForResourceType")
    assert place.at("PATCH", path, {"location": "US East 1"}, version)[0] == 200


# ---- letters ----

def test_letters_of_all_scripts(place):
    """Names of tags and of groups ignore case beyond ASCII; a path may be encoded, and no answer is."""
    refused(place.at("PATCH", f"{COMPUTE}/disks/d", {"tags": {"\u00c9tat": "a", "\u00e9tat": "b"}}), 400, "InvalidParameter", "case-insensitive")
    assert place.at("PATCH", f"{COMPUTE}/disks/d", {"tags": {"\u00c9tat": "a"}})[0] == 200
    asked = urllib.parse.quote("tagName eq '\u00e9TAT' and tagValue eq 'a'")
    found = place.ask("GET", f"{place.cloud.subscription()}/resources?$filter={asked}", "2021-04-01")[2]["value"]
    assert [r["name"] for r in found] == ["d"]

    def group(method, name, body=None):
        return place.ask(method, f"{place.cloud.subscription()}/resourceGroups/{urllib.parse.quote(name, safe='')}", "2021-04-01", body)
    for name, other in (("Gr\u00d6\u00dfe", "gr\u00f6\u00dfe"), ("two(2)", "TWO(2)")):
        status, _, made = group("PUT", name, {"location": "useast1"})
        assert (status, made["name"]) == (201, name) and made["id"].endswith(f"/resourceGroups/{name}"), made
        assert group("GET", other)[2]["name"] == name
        assert group("PUT", other, {"location": "useast1"})[0] == 200
    for name in ("a b", "a%b", "a?", "ends."):
        refused(group("PUT", name, {"location": "useast1"}), 400, "InvalidParameter", "resource group name")
    assert group("PUT", "a/b", {"location": "useast1"})[0] == 400


# ---- changes that a machine cannot make ----

def changed(place, path, value):
    body = json.loads(json.dumps(place.machine))
    at = body
    for word in path[:-1]:
        at = at[word]
    at[path[-1]] = value
    return place.at("PUT", f"{COMPUTE}/virtualMachines/vm", body)


DISK, PROFILE = ("properties", "storageProfile", "osDisk"), ("properties", "osProfile")
KEYS = [{"path": "/home/joe/.ssh/authorized_keys", "keyData": OTHER_KEY}]


@pytest.mark.parametrize("path, value, code", [
    (DISK + ("diskSizeGB",), 20, "ResizeDiskError"), (DISK + ("name",), "other", "PropertyChangeNotAllowed"),
    (DISK + ("managedDisk",), {"storageAccountType": "Standard_LRS"}, "PropertyChangeNotAllowed"),
    (("properties", "storageProfile", "dataDisks", 0, "diskSizeGB"), 8, "ResizeDiskError"),
    (("properties", "storageProfile", "dataDisks", 0, "name"), "other", "PropertyChangeNotAllowed"),
    (PROFILE + ("customData",), "d29ybGQ=", "PropertyChangeNotAllowed"),
    (PROFILE + ("linuxConfiguration", "ssh", "publicKeys"), KEYS, "PropertyChangeNotAllowed"),
    (PROFILE + ("allowExtensionOperations",), False, "PropertyChangeNotAllowed"), (("zones",), ["2"], "PropertyChangeNotAllowed"),
    (PROFILE + ("secrets",), [{"sourceVault": {}}], "OperationNotAllowed"),
    (("properties", "storageProfile", "diskControllerType"), "NVMe", "OperationNotAllowed"),
    (("properties", "hardwareProfile", "vmSizeProperties"), {"vCPUsAvailable": 1}, "OperationNotAllowed")])
def test_a_machine_that_cannot_change(place, path, value, code):
    refused(changed(place, path, value), 409, code)


def test_a_machine_sent_back(place):
    assert place.put(f"{COMPUTE}/virtualMachines/vm", place.machine)
    shown = place.at("GET", f"{COMPUTE}/virtualMachines/vm?$expand=instanceView")[2]
    assert place.put(f"{COMPUTE}/virtualMachines/vm", shown)["properties"]["vmId"] == shown["properties"]["vmId"]
    data = shown["properties"]["storageProfile"]["dataDisks"][0]
    assert (data["caching"], data["createOption"], data["name"]) == ("ReadOnly", "Empty", "data")


@pytest.mark.parametrize("path", [f"{COMPUTE}/disks/d", f"{NETWORK}/virtualNetworks/vn1", f"{NETWORK}/networkInterfaces/nic",
                                  f"{NETWORK}/networkSecurityGroups/g", f"{COMPUTE}/virtualMachines/vm"])
def test_what_is_shown_may_be_sent_back(place, path):
    shown = place.at("GET", path)[2]
    assert place.at("PUT", path, shown)[0] == 200
    again = place.at("GET", path)[2]
    assert again == {**shown, **({"etag": again["etag"]} if "etag" in shown else {})}


# ---- ids, versions, pages ----

def test_the_nil_uuid_names_nothing(place):
    refused(place.ask("GET", f"/subscriptions/{NIL}", "2022-12-01"), 404, "SubscriptionNotFound")
    refused(place.ask("GET", f"/subscriptions/{NIL}{COMPUTE}/disks", "2022-07-02"), 404, "SubscriptionNotFound")


@pytest.mark.parametrize("version, status", [("2026-12-31", 200), ("2031-02-03-preview", 200), ("2001-01-01", 400), ("2026-13-01", 400),
                                             ("latest", 400)])
def test_versions_never_run_out(place, version, status):
    assert place.at("GET", f"{COMPUTE}/virtualMachines/vm", version=version)[0] == status


def test_pages_lose_no_row(place):
    for k in range(4):
        place.done("PUT", f"{COMPUTE}/disks/p{k}", place.disk)
    path = f"{COMPUTE}/disks?$top=1"
    every = [d["name"] for d in place.at("GET", f"{COMPUTE}/disks")[2]["value"]]
    seen, status, answer = [], *place.at("GET", path)[::2]
    while True:
        seen += [d["name"] for d in answer["value"]]
        if "nextLink" not in answer:
            break
        if len(seen) == 3:
            place.done("DELETE", f"{COMPUTE}/disks/{seen[-1]}")
        where = answer["nextLink"].replace(place.cloud.dev.url, "")
        status, _, answer = place.cloud.send("GET", where, Authorization=f"Bearer {place.cloud.token_of(place.cloud.dev.account)}")
        assert status == 200, answer
    assert seen == every


# ---- results of a change ----

def test_location_leads_to_the_resource(place):
    status, headers, _ = place.at("PUT", f"{COMPUTE}/disks/where", place.disk)
    assert status == 202
    place.done("PUT", f"{COMPUTE}/disks/where", place.disk)
    token = place.cloud.token_of(place.cloud.dev.account)

    def look():
        status, _, answer = place.cloud.send("GET", headers["Location"].replace(place.cloud.dev.url, ""), Authorization=f"Bearer {token}")
        return None if status == 202 else (status, answer)
    status, answer = waiting.wait_until(look, "the operation has ended")
    assert status == 200 and answer["name"] == "where" and answer["properties"]["provisioningState"] == "Succeeded", answer


def test_operations_that_are_not_built(place):
    for word, said in (("assessPatches", "neither assessed nor installed"), ("simulateEviction", "simulateEviction")):
        refused(place.at("POST", f"{COMPUTE}/virtualMachines/vm/{word}", {}), 409, "OperationNotAllowed", said, "'vm'")


def test_the_activity_log_as_az_asks(place):
    terms = ["eventTimestamp ge 2020-01-01T00:00:00Z and resourceGroupName eq 'rg'",
             "eventTimestamp ge 2020-01-01T00:00:00.123456Z and eventTimestamp le 2039-01-01T00:00:00Z and eventChannels eq 'Admin, Operation'",
             "eventTimestamp ge '2020-01-01T00:00:00Z' and resourceProvider eq 'Microsoft.Compute'"]
    for term in terms:
        path = f"{place.cloud.subscription()}/providers/Microsoft.Insights/eventtypes/management/values?$filter={term.replace(' ', '%20')}"
        status, _, answer = place.ask("GET", path, "2015-04-01")
        assert status == 200 and answer["value"], answer


# ---- networks ----

def test_a_peer_of_the_hub_that_overlaps(place):
    for name, block in (("hub", "10.10.0.0/16"), ("one", "10.11.0.0/16"), ("two", "10.11.0.0/16")):
        place.vnet(name, block)
    at = f"{NETWORK}/virtualNetworks"
    ids = {n: f"{place.group}{at}/{n}" for n in ("hub", "one", "two")}
    for a, b in (("hub", "one"), ("one", "hub")):
        place.put(f"{at}/{a}/virtualNetworkPeerings/to-{b}", {"properties": {"remoteVirtualNetwork": {"id": ids[b]}}})
    refused(place.at("PUT", f"{at}/two/virtualNetworkPeerings/p", {"properties": {"remoteVirtualNetwork": {"id": ids["hub"]}}}), 400,
            "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet")


def test_two_parts_of_one_name(place):
    rules = [{"name": "same", "properties": {**RULE, "priority": p}} for p in (100, 200)]
    refused(place.at("PUT", f"{NETWORK}/networkSecurityGroups/twice", {"location": "useast1", "properties": {"securityRules": rules}}),
            400, "InvalidRequestFormat", "DuplicateResourceName", "two child resources with the same name (same)")
    pools = [{"name": "p"}, {"name": "P"}]
    refused(place.at("PUT", f"{NETWORK}/loadBalancers/twice", {"location": "useast1", "properties": {"backendAddressPools": pools}}),
            400, "InvalidRequestFormat", "DuplicateResourceName")


# ---- locks, from another face ----

def test_a_locked_subnet_keeps_its_network(place):
    """Neutron's network is no resource in Azure: turned off or deleted it would take the locked subnet with it."""
    place.vnet("kept", "10.77.0.0/16", "10.77.1.0/24")
    own = cloud.own(place.cloud.dev)
    network = next(s for s in own.ok("GET", "/network/v2.0/subnets")["subnets"] if s["cidr"] == "10.77.1.0/24")["network_id"]
    path, lock = f"/network/v2.0/networks/{network}", f"{NETWORK}/virtualNetworks/kept/providers/Microsoft.Authorization/locks/l"
    place.put(lock, {"properties": {"level": "ReadOnly"}}, "2020-05-01")
    for down in (True, False):
        answer = own.call("PUT", path, {"network": {"admin_state_up": not down}})
        assert answer.status == (409 if down else 200) and (not down or "management lock 'l'" in answer.text), answer
    assert place.at("DELETE", lock, version="2020-05-01")[0] in (200, 204)
    assert own.call("PUT", path, {"network": {"admin_state_up": False}}).status == 200


# ---- templates that cannot be deployed ----

def template(*resources):
    return {"properties": {"mode": "Incremental", "template": {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
        "resources": list(resources)}}}


def network(**more):
    return {"type": "Microsoft.Network/virtualNetworks", "apiVersion": "2026-03-01", "name": "tv", "location": "useast1",
            "properties": {"addressSpace": {"addressPrefixes": ["10.50.0.0/16"]},
                           "subnets": [{"name": "a", "properties": {"addressPrefix": "10.50.1.0/24"}}]}, **more}


def interface(place, subnet):
    return {"type": "Microsoft.Network/networkInterfaces", "apiVersion": "2026-03-01", "name": "tn", "location": "useast1",
            "dependsOn": ["[resourceId('Microsoft.Network/virtualNetworks', 'tv')]"], "properties": {"ipConfigurations": [
                {"name": "c", "properties": {"subnet": {"id": f"{place.group}{NETWORK}/virtualNetworks/{subnet}"}}}]}}


@pytest.mark.parametrize("word", ["validate", "whatIf"])
def test_a_template_that_cannot_be_deployed(place, word):
    path = f"/providers/Microsoft.Resources/deployments/t/{word}"
    assert place.at("POST", path, template(network(), interface(place, "tv/subnets/a")))[0] in (200, 202)
    refused(place.at("POST", path, template(network(location="westeurope"))), 400, "InvalidTemplateDeployment",
            "LocationNotAvailableForResourceType")
    refused(place.at("POST", path, template(network(apiVersion="2001-01-01"))), 400, "InvalidTemplateDeployment", "NoRegisteredProviderFound")
    missing = interface(place, "vn1/subnets/none")
    del missing["dependsOn"]
    refused(place.at("POST", path, template(missing)), 400, "InvalidTemplateDeployment", "InvalidResourceReference")
    assert place.at("GET", f"{NETWORK}/virtualNetworks/tv")[0] == 404


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))

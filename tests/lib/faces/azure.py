# SPDX-License-Identifier: Apache-2.0
"""Azure for the matrices of tests/contract/cross/: a subscription with one of each type, and who asks about it."""
import base64
import contextlib
import os
import re

import doors
from azure import Cloud
from dev import Dev

from . import face

TABLES = face.tables("azure")["actions"]
RESOURCES = {f"{a['method']} {a['path'].split('/providers/', 1)[1]}": a for a in TABLES
             if not a["open"] and "/resourceGroups/{resourceGroupName}/providers/Microsoft." in a["path"]
             and not a["path"].split("/providers/", 1)[1].startswith(("Microsoft.Resources", "Microsoft.Authorization"))}
GROUP = "matrix"
NET, COMPUTE = "Microsoft.Network", "Microsoft.Compute"
ADDRESS = {"sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}}
RULE = {"priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "*", "sourceAddressPrefix": "*", "sourcePortRange": "*",
        "destinationAddressPrefix": "*", "destinationPortRange": "*"}
KEY = "ssh-rsa " + base64.b64encode(b"".join(len(part).to_bytes(4, "big") + part for part in (b"ssh-rsa", b"\1\0\1", b"\0" + b"\xc7" * 256))).decode()

# What each subscription has: by a word of ours, the type and name of a resource. The last parts are made with their whole.
OWN = {
    "network": f"{NET}/virtualNetworks/v", "subnet": f"{NET}/virtualNetworks/v/subnets/a", "other_network": f"{NET}/virtualNetworks/w",
    "policy": f"{NET}/networkSecurityGroups/g", "rule": f"{NET}/networkSecurityGroups/g/securityRules/r", "set": f"{NET}/applicationSecurityGroups/s",
    "plan": f"{NET}/routeTables/t", "route": f"{NET}/routeTables/t/routes/r", "prefix": f"{NET}/publicIPPrefixes/pf",
    "nat_prefix": f"{NET}/publicIPPrefixes/pg", "address": f"{NET}/publicIPAddresses/p",
    "other_address": f"{NET}/publicIPAddresses/po", "nat_address": f"{NET}/publicIPAddresses/pn", "balancer_address": f"{NET}/publicIPAddresses/pb", "nat": f"{NET}/natGateways/n",
    "peering": f"{NET}/virtualNetworks/v/virtualNetworkPeerings/x", "balancer": f"{NET}/loadBalancers/l",
    "frontend": f"{NET}/loadBalancers/l/frontendIPConfigurations/f", "pool": f"{NET}/loadBalancers/l/backendAddressPools/b",
    "probe": f"{NET}/loadBalancers/l/probes/t", "nat_rule": f"{NET}/loadBalancers/l/inboundNatRules/i",
    "interface": f"{NET}/networkInterfaces/i", "machine_interface": f"{NET}/networkInterfaces/im", "disk": f"{COMPUTE}/disks/d",
    "snapshot": f"{COMPUTE}/snapshots/sn", "image": f"{COMPUTE}/images/im", "availability_set": f"{COMPUTE}/availabilitySets/as",
    "proximity_group": f"{COMPUTE}/proximityPlacementGroups/pp", "key": f"{COMPUTE}/sshPublicKeys/k", "machine": f"{COMPUTE}/virtualMachines/m",
    "extension": f"{COMPUTE}/virtualMachines/m/extensions/e", "command": f"{COMPUTE}/virtualMachines/m/runCommands/c",
    "identity": "Microsoft.ManagedIdentity/userAssignedIdentities/u"}
PARTS = {"subnet", "rule", "route", "frontend", "pool", "probe", "nat_rule", "extension", "command"}

KINDS = {  # the kind that a policy knows it by
    "network": "router", "other_network": "router", "subnet": "subnet", "policy": "port_policy",
    "set": "port_set", "plan": "route_plan", "address": "address",
    "prefix": "address_prefix", "nat_prefix": "address_prefix",
    "nat": "source_nat", "peering": "peering", "balancer": "balancer_set",
    "interface": "port", "disk": "volume", "snapshot": "snapshot",
    "image": "image", "availability_set": "server_group",
    "proximity_group": "server_group", "key": "key_pair", "machine": "instance"}


def shape(name):
    return re.sub(r"\{\w+\}", "{}", name)


def shape_of(path):
    provider, *parts = path.split("/")
    return "/".join([provider, *(part if n % 2 == 0 else "{}" for n, part in enumerate(parts))])


BY_SHAPE = {shape(name): action for name, action in RESOURCES.items()}
WORD_OF_SHAPE = {}
for ours, where in OWN.items():
    WORD_OF_SHAPE.setdefault(shape_of(where), ours)


class World:
    """A subscription's resources, and who asks."""

    def __init__(self, cloud, account, image):
        self.cloud, self.account, self.image = cloud, account, image
        self.subscription = cloud.subscription(account)
        self.group = f"{self.subscription}/resourceGroups/{GROUP}"
        self.ids = {word: f"{self.group}/providers/{path}" for word, path in OWN.items()}

    def ref(self, word):
        return {"id": self.ids[word]}

    def bodies(self):
        """A good body for each type that is put, in the order in which they can be made."""
        front = {"name": "f", "properties": {"publicIPAddress": self.ref("balancer_address")}}
        return {
            "network": {"properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
                                       "subnets": [{"name": "a", "properties": {"addressPrefix": "10.0.0.0/24"}}]}},
            "other_network": {"properties": {"addressSpace": {"addressPrefixes": ["10.9.0.0/16"]}}},
            "policy": {"properties": {"securityRules": [{"name": "r", "properties": RULE}]}}, "set": {},
            "plan": {"properties": {"routes": [{"name": "r", "properties": {"addressPrefix": "192.0.2.0/24", "nextHopType": "None"}}]}},
            "prefix": {"properties": {"prefixLength": 31}}, "nat_prefix": {"properties": {"prefixLength": 31}},
            "address": ADDRESS, "other_address": ADDRESS, "nat_address": ADDRESS, "balancer_address": ADDRESS,
            "nat": {"sku": {"name": "Standard"}, "properties": {"publicIpAddresses": [self.ref("nat_address")]}},
            "peering": {"properties": {"remoteVirtualNetwork": self.ref("other_network")}},
            "balancer": {"sku": {"name": "Standard"}, "properties": {
                "frontendIPConfigurations": [front], "backendAddressPools": [{"name": "b"}],
                "probes": [{"name": "t", "properties": {"protocol": "Tcp", "port": 80, "intervalInSeconds": 15, "numberOfProbes": 2}}],
                "loadBalancingRules": [{"name": "r", "properties": {
                    "frontendIPConfiguration": self.ref("frontend"), "backendAddressPool": self.ref("pool"), "probe": self.ref("probe"),
                    "protocol": "Tcp", "frontendPort": 80, "backendPort": 80}}],
                "inboundNatRules": [{"name": "i", "properties": {
                    "frontendIPConfiguration": self.ref("frontend"), "protocol": "Tcp", "frontendPort": 2222, "backendPort": 22}}]}},
            "interface": {"properties": {"ipConfigurations": [{"name": "c", "properties": {"subnet": self.ref("subnet")}}]}},
            "machine_interface": {"properties": {"ipConfigurations": [{"name": "c", "properties": {"subnet": self.ref("subnet")}}]}},
            "disk": {"properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 1}},
            "snapshot": {"properties": {"creationData": {"createOption": "Copy", "sourceResourceId": self.ids["disk"]}}},
            "availability_set": {}, "proximity_group": {}, "key": {"properties": {"publicKey": KEY}}, "identity": {},
            "machine": self.machine("machine_interface"),
            "image": {"properties": {"storageProfile": {"osDisk": {"osType": "Linux", "osState": "Generalized", "snapshot": self.ref("snapshot")}}}}}

    def machine(self, interface):
        return {"properties": {
            "hardwareProfile": {"vmSize": "Standard_B1s"}, "networkProfile": {"networkInterfaces": [self.ref(interface)]},
            "storageProfile": {"imageReference": self.image},
            "osProfile": {"computerName": "m", "adminUsername": "me", "adminPassword": "Correct-horse-1"}}}

    def ask(self, method, path, body=None, account=None):
        action = BY_SHAPE[f"{method} {shape_of(path)}"]
        if body is not None and method == "PUT" and "/subnets/" not in path and "Peerings/" not in path and not path.endswith("/r"):
            body = {"location": "useast1", **body}
        return self.cloud.ask(method, f"{self.group}/providers/{path}", action["versions"].split("|")[-1], account or self.account, body)

    def make(self):
        assert self.cloud.ask("PUT", self.group, "2021-04-01", self.account, {"location": "useast1"})[0] == 201
        for word, body in self.bodies().items():
            status, _, answer = self.ask("PUT", OWN[word], body)
            assert status in (200, 201, 202), (word, answer)
            self.cloud.dev.rest()
            assert self.ask("GET", OWN[word])[2]["properties"].get("provisioningState", "Succeeded") == "Succeeded", word


@contextlib.contextmanager
def region():
    """A region that speaks TLS: its Cloud, and the image that machines are made of."""
    before = {name: os.environ.get(name) for name in ("AWS_CA_BUNDLE", "SSL_CERT_FILE")}
    with Dev("--tls") as dev:
        cloud = Cloud(dev)
        os.environ.update(dict.fromkeys(before, cloud.ca))
        try:
            here = f"{cloud.subscription(dev.account)}/providers/{COMPUTE}/locations/useast1/publishers"
            publisher = cloud.ask("GET", here, "2022-08-01")[2][0]["name"]
            at = f"{here}/{publisher}/artifacttypes/vmimage/offers"
            offer = cloud.ask("GET", at)[2][0]["name"]
            sku = cloud.ask("GET", f"{at}/{offer}/skus")[2][0]["name"]
            yield cloud, {"publisher": publisher, "offer": offer, "sku": sku, "version": "latest"}
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})


def named_rows(form):
    """The words of the rows that the call's path names, as policies know them."""
    provider, *parts = form.split("/")
    return sorted({WORD_OF_SHAPE.get("/".join([provider, *parts[:n]]), "") for n in (2, 4)} & set(KINDS))


class Azure(face.Face):
    name = "azure"
    # Of calls with a body it is worked out before the guard decides, so that each needs a good one: those that name a row have it.
    actions = BY_SHAPE

    def __init__(self):
        # A path names the whole that a part is of, too: it is asked about where the action is decided on such.
        self.doors = [(name, word) for name, action in sorted(self.actions.items(), key=lambda a: a[0].startswith("DELETE"))
                      for word in named_rows(name.split(" ")[1]) if doors.is_decided(action, KINDS[word])]
        self.goes = [c for c in self.doors if c[0].split(" ")[0] in ("PUT", "PATCH")]  # after which others can be made

    @contextlib.contextmanager
    def open(self):
        with region() as (cloud, image):
            made = World(cloud, cloud.dev.new_account("mallory"), image)
            made.make()
            made.guest = face.Guest(made.account, "guest")
            yield made

    def ask(self, caller, name, request):
        world, path, body = request
        status, _, answer = world.ask(name.split(" ")[0], path, body, account=caller)
        return status, answer

    def is_refused(self, answer):
        status, document = answer
        return status == 403 and document["error"]["code"] == "AuthorizationFailed"

    def alone(self, place, name):
        return self.request(place, name, next(iter(named_rows(name.split(" ")[1])), None))

    def request(self, place, name, word):
        method, form = name.split(" ")
        own = WORD_OF_SHAPE.get(form)
        parts = iter(OWN[own or word].split("/")[2::2] if own or word else ())
        path = form
        while "{}" in path:
            path = path.replace("{}", next(parts, "c"), 1)
        body = place.bodies().get(own, {"properties": {}}) if method == "PUT" else {"tags": {"a": "b"}} if method == "PATCH" else {}
        if own in PARTS:
            body = {"properties": {"addressPrefix": "10.0.0.0/24"} if word in ("network", "subnet") else RULE if word in ("policy", "rule")
                    else {"addressPrefix": "192.0.2.0/24", "nextHopType": "None"} if word in ("plan", "route")
                    else {"publisher": "Dari", "type": "RunCommand", "typeHandlerVersion": "1.0", "settings": {"script": ["true"]}}
                    if form.endswith("extensions/{}") else {"source": {"script": "true"}}}
        return place, path, body if method not in ("GET", "HEAD", "DELETE") else None

    def seen(self, place, _name, word):
        place.cloud.dev.rest()
        return place.ask("GET", OWN[word])[2]

    def asked(self, place, name, word):
        """All rows of the kind, for what ids they have is not told."""
        arn = face.row("*", KINDS[word], "*", "*")
        start = arn.arn.rpartition("/")[0]
        yield word, self.request(place, name, word), doors.Row(KINDS[word], f"{start}/*", f"{start}/none")

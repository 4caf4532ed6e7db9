# SPDX-License-Identifier: Apache-2.0
"""Azure's adapter for the matrices of tests/contract/cross/: a subscription with one resource of each type, and its credentials."""
import base64
import contextlib
import copy
import json
import os
import re

import doors
from azure import Cloud
from dev import Dev, Still

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

# Resources of each subscription: label → type and name. The last ones are created together with their parent.
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
    "scale_set": f"{COMPUTE}/virtualMachineScaleSets/ss", "set_machine": f"{COMPUTE}/virtualMachineScaleSets/ss/virtualMachines/0",
    "extension": f"{COMPUTE}/virtualMachines/m/extensions/e", "command": f"{COMPUTE}/virtualMachines/m/runCommands/c",
    "setting": "Microsoft.Insights/autoscaleSettings/au", "identity": "Microsoft.ManagedIdentity/userAssignedIdentities/u"}
PARTS = {"subnet", "rule", "route", "frontend", "pool", "probe", "nat_rule", "extension", "command"}

KINDS = {  # kind under which policies know the resource
    "network": "router", "other_network": "router", "subnet": "subnet", "policy": "port_policy",
    "set": "port_set", "plan": "route_plan", "address": "address",
    "prefix": "address_prefix", "nat_prefix": "address_prefix",
    "nat": "source_nat", "peering": "peering", "balancer": "balancer_set",
    "interface": "port", "disk": "volume", "snapshot": "snapshot",
    "image": "image", "availability_set": "server_group",
    "proximity_group": "server_group", "key": "key_pair", "machine": "instance", "scale_set": "scaling_group", "setting": "autoscale_setting"}


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
    """A subscription's resources, and its credentials."""

    def __init__(self, cloud, account, image):
        self.cloud, self.account, self.image = cloud, account, image
        self.subscription = cloud.subscription(account)
        self.group = f"{self.subscription}/resourceGroups/{GROUP}"
        self.ids = {word: f"{self.group}/providers/{path}" for word, path in OWN.items()}

    def ref(self, word):
        return {"id": self.ids[word]}

    def bodies(self):
        """A valid body for each type, in an order in which they can be created."""
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
            "machine": self.machine("machine_interface"), "scale_set": self.scale_set(), "setting": self.setting(),
            "image": {"properties": {"storageProfile": {"osDisk": {"osType": "Linux", "osState": "Generalized", "snapshot": self.ref("snapshot")}}}}}

    def machine(self, interface):
        return {"properties": {
            "hardwareProfile": {"vmSize": "Standard_B1s"}, "networkProfile": {"networkInterfaces": [self.ref(interface)]},
            "storageProfile": {"imageReference": self.image},
            "osProfile": {"computerName": "m", "adminUsername": "me", "adminPassword": "Correct-horse-1"}}}

    def setting(self):
        rule = {"metricTrigger": {"metricName": "Percentage CPU", "metricResourceUri": self.ids["scale_set"], "timeGrain": "PT1M", "statistic": "Average",
                                  "timeWindow": "PT5M", "timeAggregation": "Average", "operator": "GreaterThan", "threshold": 75},
                "scaleAction": {"direction": "Increase", "type": "ChangeCount", "value": "1", "cooldown": "PT5M"}}
        profile = {"name": "default", "capacity": {"minimum": "1", "maximum": "2", "default": "1"}, "rules": [rule]}
        return {"properties": {"enabled": True, "targetResourceUri": self.ids["scale_set"], "profiles": [profile]}}

    def scale_set(self):
        config = {"name": "c", "properties": {"subnet": self.ref("subnet")}}
        return {"sku": {"name": "Standard_B1s", "capacity": 1}, "properties": {"virtualMachineProfile": {
            "osProfile": {"adminUsername": "me", "adminPassword": "Correct-horse-1"}, "storageProfile": {"imageReference": self.image},
            "networkProfile": {"networkInterfaceConfigurations": [{"name": "n", "properties": {"ipConfigurations": [config]}}]}}}}

    def ask(self, method, path, body=None, account=None):
        form = shape_of(path)
        within = re.sub(r"/providers/\{\}", "/providers/" + path.partition("/providers/")[2].partition("/")[0], form)  # a provider's part of another's resource
        action = BY_SHAPE.get(f"{method} {form}") or BY_SHAPE.get(f"{method} {within}") or BY_SHAPE[f"{method} {form.rpartition('/')[0]}/{path.rpartition('/')[2]}"]
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

    def make_parts(self):
        """Makes the parts of the machine that doors.py makes itself."""
        for word in ("extension", "command"):
            _, path, body = Azure().request(self, f"PUT {shape_of(OWN[word])}", word)
            assert self.ask("PUT", path, {"location": "useast1", **body})[0] in (200, 201, 202), word
        self.cloud.dev.rest()


@contextlib.contextmanager
def region():
    """A region with TLS: its Cloud, and the image of its machines."""
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
    """Labels of the rows that the call's path names, as policies know them."""
    provider, *parts = form.split("/")
    return sorted({WORD_OF_SHAPE.get("/".join([provider, *parts[:n]]), "") for n in (2, 4)} & set(KINDS))


def is_part_changed(name, word):
    """True if the call changes a part of that row: in Azure a resource's rights include its parts, whichever row IAM decides on."""
    method, form = name.split(" ")
    return method in ("PUT", "DELETE") and word in named_rows(form) and shape_of(OWN[word]).count("/") < form.count("/")


class Azure(face.Face):
    name = "azure"
    # Bodies are parsed before the guard decides, so calls with a body need a valid one: only those that name a row have it.
    actions = BY_SHAPE

    def __init__(self):
        self.others = list(WORDS)
        # A path also names the parent of a part, which is asked about if the action is decided on its kind.
        self.doors = [(name, word) for name, action in sorted(self.actions.items(), key=lambda a: a[0].startswith("DELETE"))
                      for word in named_rows(name.split(" ")[1]) if doors.is_decided(action, KINDS[word]) or is_part_changed(name, word)]
        self.goes = [c for c in self.doors if c[0].split(" ")[0] in ("PUT", "PATCH")]  # after these, others can still be created

    @contextlib.contextmanager
    def open(self):
        with region() as (cloud, image):
            made = World(cloud, cloud.dev.new_account("mallory"), image)
            made.make()
            made.guest = face.Guest(made.account, "guest")
            yield made

    @contextlib.contextmanager
    def open_two(self):
        with region() as (cloud, image):
            made = face.Two(*(World(cloud, cloud.dev.new_account(name), image) for name in ("mallory", "alice")))
            made.theirs.make()
            made.mine.make()
            made.unchanged = Still(cloud.dev, lambda: None)
            yield made

    def compare(self, place, name, param):
        """Another subscription's resource is refused like a missing one, and nothing is committed."""
        mine, word = place.mine, WORDS[name, param]
        path, body = referring(mine, name, param, "no")
        mine.cloud.dev.rest()
        before, told = mine.cloud.dev.commits(), []
        for identifier in (place.theirs.ids[word], place.theirs.ids[word] + "-none"):
            status, _, answer = mine.ask(name.split(" ")[0], path, put(copy.deepcopy(body), param, identifier))
            assert status in (400, 403, 404, 409), answer
            assert not re.search(r"(?i)\b(10\.\d+\.\d+\.\d+|alice)\b", answer["error"]["message"]), answer
            told.append((status, answer["error"]["code"]))
        mine.cloud.dev.rest()
        assert mine.cloud.dev.commits() == before
        yield word, *told

    def unchanged(self, place):
        return True  # compare() checks this

    def own(self, place, name, param):
        """Names the caller's own resource: (result, expected result); None if the call succeeds."""
        mine, word, serial = place.mine, WORDS[name, param], self.others.index((name, param))
        path, body = referring(mine, name, param, serial)
        if word == "disk":
            mine.ids["spare"] = f"{mine.ids['disk']}-of-{serial}"
            assert mine.ask("PUT", f"{OWN['disk']}-of-{serial}", mine.bodies()["disk"])[0] in (200, 201, 202)
            mine.cloud.dev.rest()
        if WORD_OF_SHAPE[name.split(" ")[1]] == "machine":
            assert mine.ask("PUT", f"{OWN['interface']}-of-{serial}", mine.bodies()["interface"])[0] == 201
        identifier = mine.ids["other_address" if word == "address" and "networkInterfaces" in name else "spare" if word == "disk" else word]
        method, kind = name.split(" ")[0], name.split("/")[1]
        status, _, answer = mine.ask(method, path, put(body, param, identifier))
        mine.cloud.dev.rest()
        anyway = [code for (what, place_of), code in REFUSED_ANYWAY.items() if what == f"{method} {kind}" and param.endswith(place_of)]
        return (status, answer["error"]["code"]) if status >= 300 else None, anyway[0] if anyway else None

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
        if form.endswith(("virtualMachineScaleSets/{}/delete", "virtualMachineScaleSets/{}/manualupgrade")):
            body = {"instanceIds": ["*"]}
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
        """All rows of the kind, because they do not show which ids they have."""
        if KINDS[word] == "scaling_group":
            groups = "arn:aws:autoscaling:*:*:autoScalingGroup:*:autoScalingGroupName/"
            yield word, self.request(place, name, word), doors.Row("scaling_group", f"{groups}*", f"{groups}none")
            return
        arn = face.row("*", KINDS[word], "*", "*")
        start = arn.arn.rpartition("/")[0]
        yield word, self.request(place, name, word), doors.Row(KINDS[word], f"{start}/*", f"{start}/none")


# ---- two accounts

# Referenced type by the reference's place; in a body of the given type if it differs between types.
REFERENCES = {
    "networkSecurityGroup.id": "policy", "routeTable.id": "plan", "natGateway.id": "nat", "ApplicationSecurityGroups.N.id": "set",
    "applicationSecurityGroups.N.id": "set", "remoteVirtualNetwork.id": "other_network", "publicIpAddresses.N.id": "address", "publicIpPrefixes.N.id": "nat_prefix",
    "publicIPAddress.id": "address", "publicIPPrefix.id": "prefix", "subnet.id": "subnet", "frontendIPConfiguration.id": "frontend", "backendAddressPool.id": "pool", "backendAddressPools.N.id": "pool",
    "probe.id": "probe", "loadBalancerBackendAddressPools.N.id": "pool", "loadBalancerInboundNatRules.N.id": "nat_rule",
    "sourceResourceId": "disk", "imageReference.id": "image", "sourceVirtualMachine.id": "machine", "snapshot.id": "snapshot",
    "managedDisk.id": "disk", "networkInterfaces.N.id": "interface", "availabilitySet.id": "availability_set",
    "proximityPlacementGroup.id": "proximity_group", "virtualMachineScaleSet.id": "scale_set"}


def references(action):
    """Yields (parameter, label of the row that it names)."""
    for p in action["params"]:
        if p["built"] and not p.get("passed_over") and p["name"].endswith((".id", "sourceResourceId")):
            found = [word for place, word in REFERENCES.items() if p["name"].endswith(place)]
            assert found, f"{p['name']} names what the test does not know"
            yield p["name"], found[0]


WORDS = {(name, p): word for name, action in sorted(BY_SHAPE.items()) if action["method"] in ("PUT", "PATCH") for p, word in references(action)}


def put(body, name, value):
    """Sets the member at a dotted name; "N" is the first element of a list."""
    parts, at = name.split("."), body
    for part, following in zip(parts[:-1], parts[1:]):
        if part == "N":
            continue
        if following == "N":
            rows = at.setdefault(part, [{}])
            at = rows[0]
        else:
            at = at.setdefault(part, {})
    at[parts[-1]] = value
    return body


EMPTY_IMAGE = {"properties": {"storageProfile": {"osDisk": {"osType": "Linux", "osState": "Generalized"}}}}
SPECIAL = {  # bodies in which that reference is meaningful
    ("disks", "sourceResourceId"): {"properties": {"creationData": {"createOption": "Copy"}}},
    ("disks", "imageReference.id"): {"properties": {"creationData": {"createOption": "FromImage"}}},
    ("snapshots", "sourceResourceId"): {"properties": {"creationData": {"createOption": "Copy"}}},
    ("natGateways", "publicIpPrefixes.N.id"): {"properties": {}},
    ("images", "sourceVirtualMachine.id"): {"properties": {}},
    ("images", "osDisk.snapshot.id"): EMPTY_IMAGE, ("images", "osDisk.managedDisk.id"): EMPTY_IMAGE}


CHANGE, NOT_BUILT = (409, "PropertyChangeNotAllowed"), (409, "OperationNotAllowed")
REFUSED_ANYWAY = {  # refused even with the caller's own resource
    ("PATCH disks", "creationData.sourceResourceId"): CHANGE, ("PATCH disks", "imageReference.id"): CHANGE,
    ("PATCH virtualMachines", "imageReference.id"): CHANGE, ("PATCH virtualMachines", "availabilitySet.id"): CHANGE,
    ("PATCH virtualMachines", "proximityPlacementGroup.id"): CHANGE,
    ("PATCH virtualMachines", "virtualMachineScaleSet.id"): CHANGE, ("PUT virtualMachines", "virtualMachineScaleSet.id"): NOT_BUILT,
    ("PATCH virtualMachines", "osDisk.managedDisk.id"): NOT_BUILT,
    ("PATCH virtualMachines", "networkInterfaces.N.id"): NOT_BUILT,  # the machine is running
    ("PUT publicIPPrefixes", "natGateway.id"): CHANGE,  # the NAT gateway names the prefix
    ("PUT images", "sourceVirtualMachine.id"): NOT_BUILT,  # the machine is not generalized
    ("PUT images", "managedDisk.id"): NOT_BUILT,
    ("PUT virtualMachines", "osDisk.managedDisk.id"): (400, "InvalidParameter"),  # the disk has nothing to boot
    ("PUT loadBalancers", "inboundNatRules.N.properties.backendAddressPool.id"): NOT_BUILT,
    ("PUT loadBalancers", "inboundNatRules.N.properties.backendAddressPools.N.id"): NOT_BUILT,
    ("PUT loadBalancers", "inboundNatRules.N.properties.probe.id"): NOT_BUILT}


def referring(world, name, param, serial):
    """The path and a body that is valid except for the reference, which the caller adds."""
    method, form = name.split(" ")
    word = WORD_OF_SHAPE[form]
    path = OWN[word]
    kind = form.split("/")[1]
    if word == "scale_set":
        body = copy.deepcopy(world.scale_set())
        if "imageReference" in param:
            body["properties"]["virtualMachineProfile"]["storageProfile"]["imageReference"] = {}
        return (path if method == "PATCH" else f"{path}-{serial}"), body
    if method == "PATCH":
        return path, {"properties": {"storageProfile": {"dataDisks": [{"lun": 0, "createOption": "Attach"}]}} if "dataDisks" in param else {}}
    body = copy.deepcopy(world.bodies().get(word, {}))
    for (special, place), instead in SPECIAL.items():
        if special == kind and param.endswith(place):
            body = copy.deepcopy(instead)
    if word == "subnet":
        body = {"properties": {"addressPrefix": "10.0.0.0/24"}}
    elif word == "rule":
        body = {"properties": dict(RULE)}
    elif word in ("network", "peering", "balancer"):
        pass  # as it is, with one more reference, or another one
    else:
        path = f"{path}-{serial}"
    if word == "machine":
        world.ids["fresh"] = f"{world.ids['interface']}-of-{serial}"
        body = world.machine("fresh")
        if "imageReference" in param:
            body["properties"]["storageProfile"]["imageReference"] = {}
        if "osDisk" in param:
            del body["properties"]["storageProfile"]["imageReference"], body["properties"]["osProfile"]
            body["properties"]["storageProfile"]["osDisk"] = {"createOption": "Attach", "osType": "Linux"}
        if "dataDisks" in param:
            body["properties"]["storageProfile"]["dataDisks"] = [{"lun": 0, "createOption": "Attach"}]
    if "Application" in param and word in ("policy", "rule"):
        of = body["properties"]["securityRules"][0]["properties"] if word == "policy" else body["properties"]
        of.pop("sourceAddressPrefix" if "source" in param else "destinationAddressPrefix")
    if param.endswith("frontendIPConfigurations.N.properties.subnet.id"):
        del body["properties"]["frontendIPConfigurations"][0]["properties"]["publicIPAddress"], body["properties"]["inboundNatRules"]
        path = f"{path}-private"
        body = json.loads(json.dumps(body).replace("/loadBalancers/l/", "/loadBalancers/l-private/"))
    if "dataDisks" in param and kind == "images":
        body["properties"]["storageProfile"]["dataDisks"] = [{"lun": 0}]
    return path, body

# SPDX-License-Identifier: Apache-2.0
"""EC2 for the matrices of tests/contract/cross/: an account with one of each kind (world), dry runs."""
import contextlib

import doors
from dev import Dev
from world import HOSTS, World, wire

from . import face

# What lies between two resources, or within one, is named by an id of its own: the resource that policies know.
STANDS_FOR = {"eipassoc": "eipalloc", "nat eipassoc": None, "rtbassoc": "subnet", "aclassoc": "subnet", "eni-attach": "loose eni",
              "vpc-cidr-assoc": "vpc", "ipv6 vpc-cidr-assoc": "vpc", "subnet-cidr-assoc": "subnet", "spare subnet-cidr-assoc": "spare subnet",
              "iip-assoc": "i", "instance-event": "event i", "r": None, "vpce": None}
PREFIX_KINDS = {k["prefix"]: k["name"] for k in face.KINDS.values() if k["prefix"] and k["name"] != "peering_side"}
MAKES_NAMES = ("CreateKeyPair", "ImportKeyPair", "CreateSecurityGroup", "CreatePlacementGroup", "CreateLaunchTemplate")
# Kinds that are named by a word: the word, and the label of what has it.
WORDS = {"key_pair": ("contract", "key"), "server_group": ("contract", "pg"), "launch_template": ("contract", "lt")}
NOT_AS_IT_IS = {"CreateDefaultVpc", "CreateDefaultSubnet"}  # there are such already
NOT_ASKED = {  # parameters that name a resource and are asked nothing about it
    ("CreateVpcPeeringConnection", "PeerVpcId"): "AWS: the VPC resource of this action is always the requester's",
}
for _rules in ("AuthorizeSecurityGroupEgress", "AuthorizeSecurityGroupIngress", "RevokeSecurityGroupEgress", "RevokeSecurityGroupIngress",
               "UpdateSecurityGroupRuleDescriptionsEgress", "UpdateSecurityGroupRuleDescriptionsIngress"):
    for _member in ("VpcId", "VpcPeeringConnectionId"):
        NOT_ASKED[_rules, f"IpPermissions.N.Groups.N.{_member}"] = "is only compared with the group's own"
TAGGED = ("spare", "loose", "still", "lone", "public", "bare", "event", "plugged")
NAMED = ("id", "name")


class EC2(face.Face):
    name = "ec2"
    compares = True
    tables = face.EC2

    def __init__(self):
        self.actions = {a["name"]: a for a in self.tables["actions"] if a["service"] == "ec2"}
        self.doors = [(name, "*") for name, a in sorted(self.actions.items())
                      if any(p.get("form") in NAMED for p in a["params"]) and not a.get("never")]

    @contextlib.contextmanager
    def open(self):
        with Dev(*HOSTS) as dev:
            made = World(dev.account, self.tables)
            made.labels = {identifier: label for label, identifier in made.ids.items()}
            made.tagged = {i for label, i in made.ids.items() if (" " not in label or label.split()[0] in TAGGED) and dev.account.call(
                "CreateTags", {"ResourceId.1": i, "Tag.1.Key": doors.TAG, "Tag.1.Value": i}).status == 200}
            made.number = dev.account.ok("DescribeVpcs").first(".//ownerId")
            made.guest = face.Guest(dev.account, "guest")
            dev.rest()
            yield made

    def ask(self, caller, name, request):
        return caller.call(name, {**request, "DryRun": "true"})

    def is_refused(self, answer):
        return (answer.status, answer.code) == (403, "UnauthorizedOperation")

    def comes_to(self, answer):
        return "through" if answer.code == "DryRunOperation" else answer.code or answer.status

    def alone(self, place, name):
        return place.request(name)

    def check_alone(self, place, name, request):
        """The request is good, for the owner and for whom a policy allows it."""
        owners = self.comes_to(self.ask(place.account, name, request))
        allowed = place.guest.has(doors.policy(doors.ALLOW, doors.deny("ec2:NoSuchAction", "*")))
        assert self.comes_to(self.ask(allowed, name, request)) == owners
        assert owners == "through" or self.actions[name].get("never") or name in NOT_AS_IT_IS, f"the world's request is not good: {owners}"

    def asked(self, place, name, _param):
        for param in self.actions[name]["params"]:
            if param.get("form") not in NAMED or not param["built"] or (name, param["name"]) in NOT_ASKED:
                continue
            request = place.request(name, param)
            value = value_of(place, name, param, request)
            found = value and row_of(place, value)
            if found:
                yield param["name"], {**request, wire(param["name"]): value[0] if isinstance(value, tuple) else value}, found

    def tagged_request(self, place, name):
        """The action's request with a tag for what it makes."""
        request = {k: v for k, v in place.request(name).items() if not k.startswith("TagSpecification.")}
        for word in [*sorted({k["arn_type"] for k in face.KINDS.values() if k["prefix"] or k["arn_is_named"]}), "reservation"]:
            tagged = {**request, "TagSpecification.1.ResourceType": word, "TagSpecification.1.Tag.1.Key": "made", "TagSpecification.1.Tag.1.Value": "here"}
            if self.comes_to(self.ask(place.account, name, tagged)) == "through":
                return tagged
        raise AssertionError(f"{name} takes a TagSpecification for none of the types")


def value_of(world, name, param, request):
    """What the parameter says; None: it names nothing that policies know."""
    if param["form"] == "id":
        return request.get(wire(param["name"])) or world.value(name, param)
    if name in MAKES_NAMES or param.get("kind") not in WORDS:
        return None
    return WORDS[param["kind"]]


def row_of(world, value):
    """The resource that the value names; None: it is none that policies know."""
    label = value[1] if isinstance(value, tuple) else world.labels.get(value)
    label = STANDS_FOR.get(label, label)
    kind = label and PREFIX_KINDS.get(label.split()[-1])
    if not kind:
        return None
    identifier = world.ids[label]
    name = "contract" if label in ("key", "pg") else world.names["KeyName"]
    return face.row(world.number, kind, identifier, name, identifier if identifier in world.tagged else None)

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: always
# subjects: src/api/ec2 src/auth/guard src/model/permissions.def
"""The matrix of EC2's doors: each action, with each parameter that names a resource, against policies that keep its
caller from that resource. Refused in EC2's words; and with a policy about another resource it comes to what the
account's owner gets. Calls are dry runs, so that nothing changes and each may be made again."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import doors  # noqa: E402
from dev import Account, Dev, dump  # noqa: E402
from world import HOSTS, ID, World, wire  # noqa: E402

TABLES = dump()
ACTIONS = {a["name"]: a for a in TABLES["actions"] if a["service"] == "ec2"}
TYPES = {  # kind → its name in ARNs, and whether these bear the account
    "instance": "instance", "volume": "volume", "snapshot": "snapshot", "image": "image", "router": "vpc", "subnet": "subnet",
    "port": "network-interface", "security_group": "security-group", "security_group_rule": "security-group-rule",
    "gateway": "internet-gateway", "egress_gateway": "egress-only-internet-gateway", "route_table": "route-table",
    "network_acl": "network-acl", "nat_gateway": "natgateway", "peering": "vpc-peering-connection", "address": "elastic-ip",
    "key_pair": "key-pair", "server_group": "placement-group", "launch_template": "launch-template", "address_group": "prefix-list",
    "dedicated_host": "dedicated-host", "dhcp_options": "dhcp-options", "import_snapshot_task": "import-snapshot-task",
    "import_image_task": "import-image-task", "subnet_reservation": "subnet-cidr-reservation"}
NAMED = {"key_pair", "server_group"}  # their ARNs end with a name
# What lies between two resources, or within one, is named by an id of its own: the resource that policies know.
STANDS_FOR = {"eipassoc": "eipalloc", "nat eipassoc": None, "rtbassoc": "subnet", "aclassoc": "subnet", "eni-attach": "loose eni",
              "vpc-cidr-assoc": "vpc", "ipv6 vpc-cidr-assoc": "vpc", "subnet-cidr-assoc": "subnet", "spare subnet-cidr-assoc": "spare subnet",
              "iip-assoc": "i", "instance-event": "event i", "r": None, "vpce": None}
PREFIX_KINDS = {"i": "instance", "vol": "volume", "snap": "snapshot", "ami": "image", "vpc": "router", "subnet": "subnet", "eni": "port",
                "sg": "security_group", "sgr": "security_group_rule", "igw": "gateway", "eigw": "egress_gateway", "rtb": "route_table",
                "acl": "network_acl", "nat": "nat_gateway", "pcx": "peering", "eipalloc": "address", "key": "key_pair", "pg": "server_group",
                "lt": "launch_template", "pl": "address_group", "h": "dedicated_host", "dopt": "dhcp_options", "scr": "subnet_reservation",
                "import-snap": "import_snapshot_task", "import-ami": "import_image_task"}


@pytest.fixture(scope="module")
def world():
    with Dev(*HOSTS) as dev:
        made = World(dev.account, TABLES)
        made.labels = {identifier: label for label, identifier in made.ids.items()}
        made.tagged = {i for label, i in made.ids.items() if " " not in label or label.split()[0] in ("spare", "loose", "still", "lone", "public", "bare", "event", "plugged")
                       if dev.account.call("CreateTags", {"ResourceId.1": i, "Tag.1.Key": doors.TAG, "Tag.1.Value": i}).status == 200}
        made.number = dev.account.ok("DescribeVpcs").first(".//ownerId")
        made.guest = guest(dev)
        dev.rest()
        yield made


class Guest:
    """A user of the account who has one policy at a time."""

    def __init__(self, dev, owner, name):
        self.owner, self.name, self.now = owner, name, None
        self.iam("CreateUser", {})
        key = self.iam("CreateAccessKey", {})
        self.account = Account(dev, key.first(".//AccessKeyId"), key.first(".//SecretAccessKey"))

    def iam(self, action, params):
        return self.owner.ok(action, {"UserName": self.name, **params}, service="iam", version="2010-05-08")

    def has(self, document):
        if document != self.now:
            self.iam("PutUserPolicy", {"PolicyName": "matrix", "PolicyDocument": document})
            self.now = document
        return self.account


def guest(dev):
    return Guest(dev, dev.account, "guest")


MAKES_NAMES = ("CreateKeyPair", "ImportKeyPair", "CreateSecurityGroup", "CreatePlacementGroup", "CreateLaunchTemplate")
# Kinds that are named by a word: the word, and the label of what has it.
WORDS = {"key_pair": ("contract", "key"), "server_group": ("contract", "pg"), "launch_template": ("contract", "lt")}


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
    if label in STANDS_FOR:
        label = STANDS_FOR[label]
    if label is None:
        return None
    identifier = world.ids[label]
    kind = PREFIX_KINDS.get(label.split()[-1])
    if kind is None:
        return None
    account = "" if kind in ("image", "snapshot") else world.number
    name = identifier
    if kind in NAMED:
        name = "contract" if label in ("key", "pg") else world.names["KeyName"]
    start = f"arn:aws:ec2:us-east-1:{account}:{TYPES[kind]}/"
    return doors.Row(kind, start + name, start + "other", identifier if identifier in world.tagged else None)


def code(answer):
    return "through" if answer.code == "DryRunOperation" else answer.code or answer.status


def dry(account, action, request):
    return account.call(action, {**request, "DryRun": "true"})


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_action(world, name):
    """Each action by itself: a Deny of its word, another's Deny, no policy that allows it."""
    action, request = ACTIONS[name], world.request(name)
    owners = code(dry(world.account, name, request))
    allowed = world.guest.has(doors.policy(doors.ALLOW, doors.deny("ec2:NoSuchAction", "*")))
    assert code(dry(allowed, name, request)) == owners
    assert owners == "through" or action.get("never") or name in NOT_AS_IT_IS, f"the world's request is not good: {owners}"
    for document in (doors.policy(doors.ALLOW, doors.deny(action["permit"], "*")), doors.policy({**doors.ALLOW, "Action": "iam:*"}),
                     doors.policy({"Effect": "Allow", "NotAction": action["permit"], "Resource": "*"})):
        answer = dry(world.guest.has(document), name, request)
        assert (answer.status, answer.code) == (403, "UnauthorizedOperation"), f"{document}: {answer}"


NOT_AS_IT_IS = {"CreateDefaultVpc", "CreateDefaultSubnet"}  # there are such already
NOT_ASKED = {  # parameters that name a resource and are asked nothing about it
    ("CreateVpcPeeringConnection", "PeerVpcId"): "AWS: the VPC resource of this action is always the requester's",
}
for _rules in ("AuthorizeSecurityGroupEgress", "AuthorizeSecurityGroupIngress", "RevokeSecurityGroupEgress", "RevokeSecurityGroupIngress",
               "UpdateSecurityGroupRuleDescriptionsEgress", "UpdateSecurityGroupRuleDescriptionsIngress"):
    for _member in ("VpcId", "VpcPeeringConnectionId"):
        NOT_ASKED[_rules, f"IpPermissions.N.Groups.N.{_member}"] = "is only compared with the group's own"


def named_rows(world, name):
    """(parameter, its value, the resource): whatever of an action's request names one."""
    for param in ACTIONS[name]["params"]:
        if param.get("form") not in ("id", "name") or not param["built"] or (name, param["name"]) in NOT_ASKED:
            continue
        request = world.request(name, param)
        value = value_of(world, name, param, request)
        row = value and row_of(world, value)
        if row:
            yield param["name"], {**request, wire(param["name"]): value[0] if isinstance(value, tuple) else value}, row


@pytest.mark.parametrize("name", sorted(a for a in ACTIONS if any(p.get("form") in ("id", "name") for p in ACTIONS[a]["params"])))
def test_rows(world, name):
    action, wrong = ACTIONS[name], []
    for param, request, row in named_rows(world, name):
        owners = code(dry(world.account, name, request))
        if action.get("never"):
            continue
        for what, document, refuses in doors.cells(action, row, action["writes"]):
            got = code(dry(world.guest.has(document), name, request))
            if got != ("UnauthorizedOperation" if refuses else owners):
                wrong.append(f"{param} ({row.kind}), {what}: {got}, not {'refused' if refuses else owners}")
    assert not wrong, "\n" + "\n".join(wrong)


# ---- what an action does not name

def test_detaching_from_a_protected_instance(world):
    """The instance that loses a disk or an interface is asked about, though the call names another thing."""
    ids, number = world.ids, world.number
    instance = f"arn:aws:ec2:us-east-1:{number}:instance/{ids['i']}"
    for action, request in (("DetachVolume", {"VolumeId": ids["plugged vol"]}), ("DetachNetworkInterface", {"AttachmentId": ids["eni-attach"]})):
        for document, wanted in [(doors.policy(doors.ALLOW, doors.deny("*", instance)), "UnauthorizedOperation"),
                                 (doors.policy(doors.ALLOW, doors.deny("*", instance + "0")), "through")]:
            assert code(dry(world.guest.has(document), action, request)) == wanted, f"{action}: {document}"


# ---- what an action makes

def tagged_request(world, name):
    """The action's request with a tag for what it makes; None: it takes none."""
    if not any(p["name"] == "TagSpecification.N" and p["built"] for p in ACTIONS[name]["params"]):
        return None
    request = {k: v for k, v in world.request(name).items() if not k.startswith("TagSpecification.")}
    for word in [*TYPES.values(), "reservation"]:
        tagged = {**request, "TagSpecification.1.ResourceType": word, "TagSpecification.1.Tag.1.Key": "made", "TagSpecification.1.Tag.1.Value": "here"}
        if code(dry(world.account, name, tagged)) == "through":
            return tagged
    raise AssertionError(f"{name} takes a TagSpecification for none of the types")


NO_REQUEST_TAG = {"CreateSubnetCidrReservation"}  # AWS gives this action no aws:RequestTag
MAKES = sorted(a for a in ACTIONS if any(p["name"] == "TagSpecification.N" and p["built"] for p in ACTIONS[a]["params"]) and not ACTIONS[a].get("never"))


@pytest.mark.parametrize("name", MAKES)
def test_made(world, name):
    """The tags of what is made are permitted as those set later, and conditions may ask for them."""
    request, word = tagged_request(world, name), ACTIONS[name]["permit"]
    asked = "aws:RequestTag/made"
    for refuses, document in [
            (True, doors.policy(doors.ALLOW, doors.deny("ec2:CreateTags", "*"))),
            (True, doors.policy(doors.ALLOW, doors.deny(word, "*", StringEquals={asked: "here"}))),
            (True, doors.policy(doors.ALLOW, doors.deny("ec2:CreateTags", "*", StringEquals={"ec2:CreateAction": word.partition(":")[2]}))),
            (False, doors.policy(doors.ALLOW, doors.deny(word, "*", StringEquals={asked: "elsewhere"}))),
            (False, doors.policy(doors.ALLOW, doors.deny("ec2:CreateTags", "*", StringEquals={"ec2:CreateAction": "NoSuchAction"})))]:
        if asked in document and refuses and name in NO_REQUEST_TAG:
            continue
        got = code(dry(world.guest.has(document), name, request))
        assert got == ("UnauthorizedOperation" if refuses else "through"), document


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

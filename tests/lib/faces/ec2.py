# SPDX-License-Identifier: Apache-2.0
"""EC2's adapter for the matrices of tests/contract/cross/: an account with one resource of each kind (world), dry runs."""
import contextlib
import re

import doors
from dev import ASKED, Dev, Unchanged, describes
from world import ABSENT_DIGITS, HOSTS, ID, World, ids_in, wire

from . import face

# Associations and attachments have ids of their own: the resource by which policies know each.
STANDS_FOR = {"eipassoc": "eipalloc", "nat eipassoc": None, "rtbassoc": "subnet", "aclassoc": "subnet", "eni-attach": "loose eni",
              "vpc-cidr-assoc": "vpc", "ipv6 vpc-cidr-assoc": "vpc", "subnet-cidr-assoc": "subnet", "spare subnet-cidr-assoc": "spare subnet",
              "iip-assoc": "i", "instance-event": "event i", "r": None, "vpce": None}
PREFIX_KINDS = {k["prefix"]: k["name"] for k in face.KINDS.values() if k["prefix"] and k["name"] != "peering_side"}
MAKES_NAMES = ("CreateKeyPair", "ImportKeyPair", "CreateSecurityGroup", "CreatePlacementGroup", "CreateLaunchTemplate")
# Kinds that are named by a word: the word, and the label of the resource.
WORDS = {"key_pair": ("contract", "key"), "server_group": ("contract", "pg"), "launch_template": ("contract", "lt")}
NOT_AS_IT_IS = {"CreateDefaultVpc", "CreateDefaultSubnet",  # refused because one exists already
                "StartVpcEndpointServicePrivateDnsVerification"}  # always refused
NOT_ASKED = {  # parameters that name a resource about which policies are not asked
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
        self.others = [(name, "ids") for name in sorted(self.actions) if any(p.get("form") == "id" for p in self.actions[name]["params"])]
        self.others += [(name, "names") for name in sorted(self.actions) if named(self.actions, name)]
        self.filters = sorted(name for name, a in self.actions.items() if a["filters"])

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

    @contextlib.contextmanager
    def open_two(self):
        with Dev(*HOSTS) as dev:
            mine, theirs = World(dev.account, self.tables), World(dev.new_account("theirs"), self.tables)
            made = face.Two(mine, theirs, Unchanged(self.tables, mine.account, theirs.account))
            made.strangers = one_of_each(theirs)  # which does not change, because nothing is changed
            made.number = theirs.account.ok("DescribeVpcs").first(".//ownerId")
            made.words = sorted(all_texts(theirs) - all_texts(mine))
            yield made
            made.unchanged.ends()

    def compare(self, place, name, which):
        """Each parameter that takes an id, with every kind of resource of the other account; and each that takes a name."""
        mine, action = place.mine, self.actions[name]
        for param in [p for p in action["params"] if p.get("form") == "id" and (name, p["name"]) not in FAILS_LATER] if which == "ids" else []:
            for kind, identifier in place.strangers.items():
                nobody = NOBODYS_FLEETS.get(kind, f"{kind}-{ABSENT_DIGITS}")
                yield self.pair(mine, name, param, identifier, nobody)
        for param in named(self.actions, name) if which == "names" else []:
            leaf = param["name"].removesuffix(".N").split(".")[-1]
            yield self.pair(mine, name, param, place.theirs.names.get(leaf, place.number), NOBODYS[leaf])

    def pair(self, mine, name, param, theirs, nobodys):
        request = mine.request(name, param)
        answers = [mine.account.call(name, {**request, wire(param["name"]): value}) for value in (theirs, nobodys)]
        told = [tell_apart(a.text, v) for a, v in zip(answers, (theirs, nobodys))]
        return f"{wire(param['name'])}={theirs}", *told

    def shared(self, place):
        """Resources that both accounts see, except public ones, and the region's services and prefix lists."""
        mine, theirs = (all_ids(world) for world in (place.mine, place.theirs))
        assert len(by_kind(mine)) >= 10 and by_kind(mine).keys() == by_kind(theirs).keys()
        own = {*place.mine.ids.values(), *place.theirs.ids.values()}
        return {i for i in mine & theirs if i in own or not i.startswith(("vpce-svc-", "pl-"))}

    def filtered(self, place, name):
        """Yields (query, rows found) for each filter with each id and each word of the other account. A search of routes by a block finds the
        caller's own ones around it."""
        assert len(place.words) > 100
        requests = [(name, {**ASKED.get(name, {}), **place.mine.asked(name), "Filter.1.Name": word, **part}) for word in self.actions[name]["filters"]
                    if not word.endswith(":") and not word.startswith("route-search.") for part in parts(place.words, OF_IDS.get((name, word), ""))]
        for request, answer in zip(requests, place.mine.account.call_all(requests)):
            assert answer.status == 200, f"{request}: {answer}"
            yield request[1]["Filter.1.Name"], ID.search(answer.text) and str(answer)

    def ask(self, caller, name, request):
        return caller.call(name, {**request, "DryRun": "true"})

    def is_refused(self, answer):
        return (answer.status, answer.code) == (403, "UnauthorizedOperation")

    def comes_to(self, answer):
        return "through" if answer.code == "DryRunOperation" else answer.code or answer.status

    def alone(self, place, name):
        return place.request(name)

    def check_alone(self, place, name, request):
        """Checks that the request is valid for the owner, and for a user whom a policy allows it."""
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
        """The action's request with a tag for the created resource."""
        request = {k: v for k, v in place.request(name).items() if not k.startswith("TagSpecification.")}
        for word in [*sorted({k["arn_type"] for k in face.KINDS.values() if k["prefix"] or k["arn_is_named"]}), "reservation", "export-instance-task"]:
            tagged = {**request, "TagSpecification.1.ResourceType": word, "TagSpecification.1.Tag.1.Key": "made", "TagSpecification.1.Tag.1.Value": "here"}
            if self.comes_to(self.ask(place.account, name, tagged)) == "through":
                return tagged
        raise AssertionError(f"{name} takes a TagSpecification for none of the types")


def value_of(world, name, param, request):
    """Value of the parameter; None if it names nothing that policies know."""
    if param["form"] == "id":
        return request.get(wire(param["name"])) or world.value(name, param)
    if name in MAKES_NAMES or param.get("kind") not in WORDS:
        return None
    return WORDS[param["kind"]]


def row_of(world, value):
    """The resource that the value names; None if policies do not know it."""
    label = value[1] if isinstance(value, tuple) else world.labels.get(value)
    label = STANDS_FOR.get(label, label)
    kind = label and PREFIX_KINDS.get(label.split()[-1])
    if not kind:
        return None
    identifier = world.ids[label]
    name = "contract" if label in ("key", "pg") else world.names["KeyName"]
    return face.row(world.number, kind, identifier, name, identifier if identifier in world.tagged else None)


# ---- two accounts

def all_ids(world):
    """All ids that an account sees."""
    found = set()
    for answer in world.account.call_all([(name, {}) for name in describes(face.EC2)]):
        found |= set(ids_in(answer.text))
    return found - world.public


def by_kind(ids):
    """One id of each kind."""
    return {identifier.rpartition("-")[0]: identifier for identifier in sorted(ids)}


def one_of_each(world):
    """One id of each kind, if possible of a live resource."""
    return {**by_kind(all_ids(world)), **{label: i for label, i in world.ids.items() if " " not in label and i not in world.public}}


def all_texts(world):
    """Every word in an account's lists."""
    answers = world.account.call_all([(name, {}) for name in describes(face.EC2)])
    return {e.text for answer in answers for e in answer.root.iter() if e.text} | set(world.names.values())


def tell_apart(text, identifier):
    return re.sub(r"<(request(?:Id|ID)|RequestI[dD])>[^<]*", "", text.replace(identifier, "ID"))


# A peering with any VPC id is created, in the failed state: tests/golden/ec2/CreateVpcPeeringConnection.
FAILS_LATER = {("CreateVpcPeeringConnection", "PeerVpcId")}


# Ids of fleets contain whole UUIDs.
NOBODYS_FLEETS = {"fleet": "fleet-01234567-89ab-cdef-0123-456789abcdef", "sfr": "sfr-01234567-89ab-8def-8123-456789abcdef"}
# Parameters that take a name or number of an account's own, with a value that no account has.
NOBODYS = {"KeyName": "only-nobodys", "LaunchTemplateName": "only-nobodys", "GroupName": "only-nobodys", "SecurityGroup": "only-nobodys", "PublicIp": "192.0.2.77",
           "Owner": "999999999999", "ExecutableBy": "999999999999", "RestorableBy": "999999999999"}


def named(actions, action):
    """Excludes parameters of launch templates and of fleets' overrides, which are resolved at the launch."""
    return [p for p in actions[action]["params"] if not p["name"].startswith(("LaunchTemplateData.", "LaunchTemplateConfigs.")) and
            p["name"].removesuffix(".N").split(".")[-1] in NOBODYS and action not in MAKES_NAMES]


OF_IDS = {("DescribeSecurityGroupRules", "group-id"): "sg-"}  # filters that accept only ids


def parts(words, prefix):
    """Splits words with that prefix into the values of as many requests as needed."""
    words = [w for w in words if w.startswith(prefix) and len(w) <= 1024]  # longer values are refused
    assert words
    return [dict(zip((f"Filter.1.Value.{n}" for n in range(1, 151)), words[at:at + 150])) for at in range(0, len(words), 150)]

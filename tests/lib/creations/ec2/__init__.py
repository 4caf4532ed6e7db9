# SPDX-License-Identifier: Apache-2.0
"""EC2: creates every kind of resource with boto3, describes it again, and compares each member, both for every built parameter and
for the defaults of omitted ones.

A row: action, its arguments; parts of the answer to store, by label; the describing call, the path of the resource in its answer, and
the expected members. "{label}" is replaced by the stored part; "+Name" is a wire parameter that Debian's boto3 does not know. Actions
unknown to boto3 are written as on the wire."""
import contextlib
import ipaddress
import itertools
import re
import uuid

import botocore.exceptions
import jmespath

import waiting
from dev import Dev
from faces import face
from world import ids_in

from . import disks, instances, network, transit
from .looks import OTHER_LOOKS, TELLING, UNSEEN
from .values import DEFAULT, Some

ACTIONS = {a["name"]: a for a in face.EC2["actions"]}
CREATES = re.compile("(Allocate|Assign|Associate|Attach|Authorize|Copy|Create|Import|Register|Request|Run)[A-Z]")
ROWS = [*network.ROWS, *instances.ROWS, *transit.ROWS, *disks.ROWS]


def leaves(value, name=""):
    """Yields (name, value) for each leaf."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from leaves(each, re.sub(r".*[.\]]", "", key) or name)
    elif isinstance(value, list):
        for each in value:
            yield from leaves(each, name)
    else:
        yield name, value


def members(element):
    """Converts an answer's element into dictionaries and lists, by the names on the wire."""
    if len(element) and element[0].tag == "item":
        return [members(item) for item in element]
    return {child.tag: members(child) for child in element} if len(element) else element.text


class Region:
    """A server, the created resources by label, and the wire parameters sent to each action."""

    def __init__(self, dev):
        self.account, self.ec2 = dev.account, dev.account.client()
        self.sent, self.compared, self.newer = {}, {}, {}
        profile = dev.account.client("iam").create_instance_profile(InstanceProfileName="web", Path="/app/")["InstanceProfile"]
        self.ec2.meta.events.register("before-call.ec2", self.record)
        self.made = {
            "profile arn": profile["Arn"], "profile id": profile["InstanceProfileId"],
            "owner": dev.account.client("sts").get_caller_identity()["Account"],
            "image": self.ec2.describe_images()["Images"][0]["ImageId"],
            "snap": self.ec2.describe_images()["Images"][0]["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"],
            "snap size": str(self.ec2.describe_images()["Images"][0]["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"]),
        }
        self.end_default_vpc()
        self.made["balancer"] = self.make_balancer(dev)

    def make_balancer(self, dev):
        """A network load balancer in a VPC of its own, which an endpoint service can offer."""
        vpc = self.ec2.create_vpc(CidrBlock="10.250.0.0/16")["Vpc"]["VpcId"]
        subnet = self.ec2.create_subnet(VpcId=vpc, CidrBlock="10.250.1.0/24")["Subnet"]["SubnetId"]
        made = dev.account.client("elbv2").create_load_balancer(Name="offered", Type="network", Scheme="internal", Subnets=[subnet])
        return made["LoadBalancers"][0]["LoadBalancerArn"]

    def end_default_vpc(self):
        """Deletes the account's default VPC, because the first row creates another."""
        (vpc,) = self.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
        (gateway,) = self.ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [vpc["VpcId"]]}])["InternetGateways"]
        for subnet in self.ec2.describe_subnets(Filters=DEFAULT)["Subnets"]:
            self.ec2.delete_subnet(SubnetId=subnet["SubnetId"])
        self.ec2.detach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=vpc["VpcId"])
        self.ec2.delete_vpc(VpcId=vpc["VpcId"])

    def record(self, model, params, **_):
        params["body"].update(self.newer)
        self.last = {(re.sub(r"\.\d+(?=\.|$)", ".N", name), str(value)) for name, value in params["body"].items()}
        self.sent.setdefault(model.name, set()).update(name for name, _ in self.last)

    def compare(self, action, sent, *expected):
        """Records which parameters the expected members confirm: by value, or by name if the value is ambiguous."""
        members = {(name.lower(), str(value).lower()) for each in expected for name, value in leaves(self.fill(each))}
        values = {value for _, value in members}
        found = self.compared.setdefault(action, set())
        for name, value in sent:
            last = re.sub(r"(\.N)+$", "", name).rpartition(".")[2].lower()
            if (last, value.lower()) in members or (value not in ("true", "false", "0", "1") and value.lower() in values):
                found.add(name)

    def call(self, action, arguments):
        method = self.ec2.meta.method_to_api_mapping
        name = next((python for python, api in method.items() if api == action), None)
        arguments = self.fill(arguments)
        if not name:
            return self.call_newer(action, arguments)
        self.newer = {k[1:]: v for k, v in arguments.items() if k[0] == "+"}

        def answer():
            try:
                return getattr(self.ec2, name)(**{k: v for k, v in arguments.items() if k[0] != "+"})
            except botocore.exceptions.ClientError as error:
                if error.response["Error"]["Code"] != "IncorrectState":
                    raise
                return None  # until the hosts have realised earlier rows
        return waiting.wait_until(answer, f"{action} {arguments}: no IncorrectState", every_s=0.05)

    def call_newer(self, action, arguments):
        """Calls an action that boto3 does not know."""
        self.last = {(re.sub(r"\.\d+(?=\.|$)", ".N", name), value) for name, value in arguments.items()}
        self.sent.setdefault(action, set()).update(name for name, _ in self.last)
        return members(self.account.ok(action, arguments).root)

    def divide(self, label):
        """Divides an IPv6 block into parts, and picks addresses of the first."""
        first, second, third = itertools.islice(ipaddress.ip_network(self.made[label]).subnets(new_prefix=64), 3)
        self.made.update({f"{label} first": str(first), f"{label} second": str(second), f"{label} third": str(third)})
        self.made.update({f"{label} {name}": str(first[0x70 + n]) for n, name in enumerate("abcd")})
        prefixes = itertools.islice(first.subnets(new_prefix=80), 7, 10)
        self.made.update({f"six prefix {name}": str(prefix) for name, prefix in zip("abc", prefixes)})

    def keep(self, kept, answer):
        """Stores parts of the answer by label. "then …" of a row refers to the later description."""
        for label, where in kept.items():
            self.made[label] = jmespath.search(where, answer)
            assert self.made[label], f"{where} is not in {answer}"
            if label == "six block":
                self.divide(label)

    def fill(self, value):
        """The value with created ids in place of labels."""
        if isinstance(value, str):
            return re.sub(r"(?<!\$)\{([a-z ]+)\}", lambda m: self.made[m[1]], value)
        if isinstance(value, Some):
            return Some(self.fill(value.pattern))
        if isinstance(value, list):
            return [self.fill(v) for v in value]
        return {k: self.fill(v) for k, v in value.items()} if isinstance(value, dict) else value


# Resource types whose tags turn a request with a known token into a different request.
TAGGED_AS = {"RequestSpotInstances": "spot-instances-request", "CreateFleet": "fleet", "RequestSpotFleet": "spot-fleet-request", "CreateCapacityReservation": "capacity-reservation", "AllocateHosts": "dedicated-host", "ImportSnapshot": "import-snapshot-task", "ImportImage": "import-image-task", "ExportImage": "export-image-task", "CreateInstanceExportTask": "export-instance-task", "RunInstances": "instance", "CreateRouteTable": "route-table", "CreateNetworkInterface": "network-interface",
             "CreateVolume": "volume", "CreateNatGateway": "natgateway", "CreateVpcPeeringConnection": "vpc-peering-connection", "CreateNetworkAcl": "network-acl", "CreateLaunchTemplate": "launch-template", "CreateManagedPrefixList": "prefix-list",
             "CreateEgressOnlyInternetGateway": "egress-only-internet-gateway", "CreateVpcEndpoint": "vpc-endpoint", "CreateVpcEndpointServiceConfiguration": "vpc-endpoint-service", "CreateFlowLogs": "vpc-flow-log"}
# Parameters that are read to refuse them, or that are newer than Debian's botocore; golden cases have them.
REFUSED = {("CreateFlowLogs", "LogGroupName"), ("CreateCustomerGateway", "BgpAsnExtended")}
# Values for a second request where a resource takes each configuration once: no row of the region has them.
ANOTHER = {"CreateFlowLogs": {"TrafficType": "ACCEPT"}}
CREATING = sorted(a for a in ACTIONS if CREATES.match(a) and "never" not in ACTIONS[a])
NUMBERED = {f"{n} {row[0]}": row for n, row in enumerate(ROWS)}
LOOKS = {f"{row[0]} {row[1]}": row for row in OTHER_LOOKS}


class EC2:
    name = "ec2"
    actions = ACTIONS
    cases = {"made": list(NUMBERED), "other_look": list(LOOKS), "whole": CREATING,
             "token": [a for a in CREATING if any(p["name"] == "ClientToken" and p["built"] for p in ACTIONS[a]["params"])]}

    @contextlib.contextmanager
    def make(self):
        with Dev("--hosts", "20") as dev:
            yield Region(dev)

    def made(self, region, name):
        """Runs the row's action, and checks the description afterwards."""
        action, arguments, kept, describe, selection, path, expected = NUMBERED[name]
        answer = region.call(action, arguments)
        sent = region.last
        region.keep({label: where for label, where in kept.items() if not where.startswith("then ")}, answer)
        thing = jmespath.search(path, region.call(describe, selection))
        region.keep({label: where[5:] for label, where in kept.items() if where.startswith("then ")}, thing)
        wrong = [f"{member}: {jmespath.search(member, thing)!r}, not {region.fill(value)!r}" for member, value in expected.items()
                 if region.fill(value) != jmespath.search(member, thing)]
        assert not wrong, "\n".join(wrong) + f"\n{thing}"
        region.compare(action, sent, expected, selection, {"": re.findall("'([^']*)'", path)})

    def other_look(self, region, name):
        action, parameter, describe, selection, path, expected = LOOKS[name]
        assert parameter in region.sent[action], f"no row of {action} gives {parameter}"
        found = region.call(describe, selection)
        assert jmespath.search(path, found) == region.fill(expected), found

    def whole(self, region, action):
        """Runs after the rows: some row must have given every built parameter, and have compared its effect."""
        assert any(row[0] == action for row in ROWS), f"{action} creates something and is not in this table"
        built = {p["name"] for p in ACTIONS[action]["params"] if p["built"] and p["type"] != "list of structures" and p["name"] != "DryRun"
                 and (action, p["name"]) not in REFUSED}
        missing = built - region.sent.get(action, set())
        assert not missing, f"no row of {action} gives {', '.join(sorted(missing))}"
        told = {name for name in built if any(TELLING.get((action, name)) in row[6] for row in ROWS if row[0] == action)}
        looked = {row[1] for row in OTHER_LOOKS if row[0] == action}
        blind = built - region.compared[action] - told - looked - set(UNSEEN)
        assert not blind, f"no row of {action} compares {', '.join(sorted(blind))}"

    def token(self, region, action):
        """The same token and request return the same answer and create nothing. Another request with the token is refused."""
        row = next(row for row in ROWS if row[0] == action)
        arguments = {k: v for k, v in row[1].items() if k not in ("+ClientToken", "PrivateIpAddress", "TagSpecifications", "CidrBlock")}
        arguments["ClientToken" if "ClientToken" in row[1] else "+ClientToken"] = str(uuid.uuid4())
        for name in [name for name in arguments if name in ("Name", "LaunchTemplateName")]:
            arguments[name] = "made-twice"
        arguments.update(ANOTHER.get(action, {}))
        first, second = (sorted(ids_in(str(region.call(action, arguments)))) for _ in range(2))
        assert first and first == second, f"{first} {second}"
        other = {"TagSpecifications": [{"ResourceType": TAGGED_AS[action], "Tags": [{"Key": "other", "Value": "x"}]}]} if action in TAGGED_AS else {
            "VersionDescription" if "LaunchTemplateData" in arguments else "Description": "other words"}
        try:
            answer = region.call(action, {**arguments, **other})
        except botocore.exceptions.ClientError as error:
            answer = error.response["Error"]["Code"]
        assert answer == "IdempotentParameterMismatch", answer

# SPDX-License-Identifier: Apache-2.0
"""EC2's requests that must be refused: the world's valid request of each action, mutated in one place."""
import contextlib
import re

from dev import VERSION, Dev, Unchanged, quote
from faces import face
from world import ABSENT_DIGITS, HOSTS, World, wire

from . import BY_HTTP, Mutants

TABLES = face.EC2
ACTIONS = {a["name"]: a for a in TABLES["actions"] if a["service"] == "ec2"}
PREFIXES = sorted({p["prefix"] for a in ACTIONS.values() for p in a["params"] if "prefix" in p})

# Words with a meaning beyond their form: a value that does not exist.
MEANINGLESS = {"InstanceType": "x9.huge", "AvailabilityZone": "us-mars-1a", "AvailabilityZoneId": "mars1-az1", "KeyType": "dsa",
               "IpProtocol": "carrier-pigeon", "ZoneName.N": "us-mars-1a", "ZoneId.N": "mars1-az1", "RegionName.N": "us-mars-1",
               "InstanceType.N": "x9.huge", "PublicKeyMaterial": "bm8ga2V5", "UserId": "999999999999", "SourceRegion": "us-mars-1", "DestinationRegion": "us-mars-1",
               "NetworkBorderGroup": "us-mars-1", "Ipv6CidrBlockNetworkBorderGroup": "us-mars-1", "ResourceType": "spaceship", "NextToken": "bm8gdG9rZW4=", "AttributeName.N": "no-such-attribute", "Cidr": "10.0.0.0/33", "DomainName": "mail..example.com"}
# Values that EC2 accepts: deleting twice, or naming nothing.
HARMLESS = {("DeleteKeyPair", "KeyName"): re.compile(r"[\w-]{1,64}"), ("DeleteKeyPair", "KeyPairId"): re.compile("key-[0-9a-f]{17}"),
            # The answer lists the failure of each resource; the call itself succeeds.
            ("ModifyHosts", "HostId.N"): re.compile("h-[0-9a-f]{17}"), ("ReleaseHosts", "HostId.N"): re.compile("h-[0-9a-f]{17}"),
            ("DeleteFleets", "FleetId.N"): re.compile(""), ("CancelSpotFleetRequests", "SpotFleetRequestId.N"): re.compile(""),
            **{(f"{verb}TransitGatewayRoute", "DestinationCidrBlock"): re.compile("2001:db8::/32") for verb in ("Create", "Delete")},
            ("CancelSpotInstanceRequests", "SpotInstanceRequestId.N"): re.compile("sir-[0-9a-f]{17}"),  # an ended one stays as it is
            **{("CreateFleet", f"LaunchTemplateConfigs.N.Overrides.N.{name}"): re.compile("x9.huge|us-mars-1a")
               for name in ("InstanceType", "AvailabilityZone", "Placement.AvailabilityZone")},
            **{(verb, "VpcEndpointId.N"): re.compile("vpce-[0-9a-f]{17}")
               for verb in ("DeleteVpcEndpoints", "AcceptVpcEndpointConnections", "RejectVpcEndpointConnections")},
            ("DeleteVpcEndpointServiceConfigurations", "ServiceId.N"): re.compile("vpce-svc-[0-9a-f]{17}"),
            ("ModifyInstanceCreditSpecification", "InstanceCreditSpecification.N.InstanceId"): re.compile("i-[0-9a-f]{17}")}
# Resources that stay visible for a while can be described, and deleted once more.
LINGERING = re.compile("(i|nat|pcx|h|cr|pl|sir|tgw|tgw-attach|vpn|vgw|cgw)-[0-9a-f]{17}|(fleet|sfr)-[0-9a-f-]{36}")
ENDS = {"TerminateInstances", "DeleteNatGateway", "DeleteVpcPeeringConnection", "RejectVpcPeeringConnection", "DeleteTransitGateway", "DeleteTransitGatewayVpcAttachment"}
# EC2's own messages, which name the resource and not the parameter.
NAMELESS = {"InvalidKey.Format"}
NAMELESS_TEXTS = ("No instances specified", "Tag key cannot be null or empty.", "Tag specification resource type must have a value", "The ID '' is not valid", "You must specify one or more tags to create",
                  "At least one of the launch templates specified in the request does not exist.")
# Missing parameters for which EC2 has another code than MissingParameter.
MISSING_CODES = {("CreateTags", "Tag.N.Key"): "InvalidParameterValue", ("CreateTags", "Tag.N"): "InvalidParameterValue",
                 ("DeleteTags", "Tag.N.Key"): "InvalidParameterValue", ("CreateTransitGatewayVpcAttachment", "SubnetIds.N"): "MissingInput"}
# A resource that does not exist in the given account: the message names the resource.
OF_ANOTHER = {("UserId", "InvalidGroup.NotFound"), ("InstanceId", "InvalidInstanceEventIDNotFound")}
# Codes from EC2's documentation of errors: families by pattern, the rest by name.
FAMILIES = re.compile(r"Invalid\w+\.(Malformed|NotFound|Duplicate|InUse|Range|Conflict|Unavailable|Format)")
CODES = {"InvalidServiceName", "InvalidConversionTaskId", "InvalidPrefixListModification", "PrefixListVersionMismatch", "PrefixListMaxEntriesExceeded", "MissingParameter", "InvalidParameterValue", "InvalidParameterCombination", "InvalidParameter", "UnknownParameter",
         "UnsupportedOperation", "InvalidRequest", "IncorrectState", "IncorrectInstanceState", "DependencyViolation", "InvalidID",
         "VPCIdNotSpecified", "OperationNotPermitted", "InvalidAMIAttributeItemValue", "InvalidInstanceType", "UnsupportedTenancy",
         "InvalidAffinity", "InvalidAutoPlacement", "InvalidQuantity", "InvalidCpuCredits", "InvalidFormat", "InvalidRegion", "InvalidVpcEndpointType", "InvalidInstanceFamily",
         "InvalidClientToken", "UnknownVolumeType", "FilterLimitExceeded", "MissingInput", "RouteAlreadyExists", "Resource.AlreadyAssociated", "Gateway.NotAttached",
         "InvalidNextToken", "InvalidInstanceID", "InvalidInstanceAttributeValue", "NatGatewayNotFound", "InvalidPlacementGroup.Unknown", "InvalidLaunchTemplateName.NotFoundException", "InvalidLaunchTemplateName.MalformedException",
         "InvalidLaunchTemplateName.AlreadyExistsException", "InvalidLaunchTemplateId.VersionNotFound", "NatGatewayMalformed", "InvalidInstanceEventIDNotFound", "InvalidInstanceEventStartTime", "InvalidInput", "Unsupported", "NoSuchAssociation", "InvalidTagKey.Malformed", "InvalidStateTransition", "InvalidSubnet", "DuplicateTransitGatewayAttachment", "DuplicateSubnetsInSameZone"}
# Created even for an unknown id, in the failed state: see tests/golden/ec2/CreateVpcPeeringConnection.
FAILS_LATER = {("CreateVpcPeeringConnection", "PeerVpcId"): re.compile("vpc-[0-9a-f]{17}")}
# An id of a deleted resource finds nothing for a while: tests/golden/ec2/DeregisterImage.
GONE_IS_NOTHING = {("DescribeImages", "ImageId.N")}


def mutated(param, mine, theirs):
    """Invalid values of the parameter."""
    if param["type"] == "any":
        allowed = param.get("only", "").split("|")
        yield "no-such-value" if allowed != ["true", "false"] and allowed != ["false"] else "maybe"
        return
    if param["type"] == "boolean":
        yield from ["maybe", ""]
    if param["type"] == "integer":
        yield from ["x", "1.5", str(2**63), str(-2**70)]
        if param.get("max"):
            yield from [str(param["min"] - 1), str(param["max"] + 1)]
    if param["required"] and param["type"] != "boolean":
        yield ""
    form, text = param.get("form"), "max" in param and param["type"] != "integer"
    if form == "ipv4":
        yield from ["999.1.1.1", "10.0.0", "2001:db8::1", ""]
    elif form == "cidr":
        yield from ["10.0.0.0/99", "10.0.0.0", "2001:db8::/32", "mars", ""]
    elif form == "ipv6 cidr":
        yield from ["2001:db8::/129", "2001:db8::", "10.0.0.0/8", "mars", ""]
    elif form == "base64":
        yield from ["*not*", "A"]
    elif form == "name":
        yield "no-such-name"
        leaf = param["name"].removesuffix(".N").split(".")[-1]
        yield from (names[leaf] for names in (theirs.names, mine.deleted_names) if leaf in names)
    elif form == "id":
        prefix = param.get("prefix", "vpc")
        other = next(p for p in PREFIXES if p != prefix)
        yield from ["xyz", prefix + "-xyz", prefix + "-" + ABSENT_DIGITS[:-1], f"{prefix}-{ABSENT_DIGITS}0", prefix.upper() + "-" + ABSENT_DIGITS,
                    f"{prefix}-{ABSENT_DIGITS}"]
        if param.get("prefix"):
            yield f"{other}-{ABSENT_DIGITS}"
        yield from [i for i in (theirs.ids[prefix], theirs.ids.get("spare " + prefix)) if i not in (None, *mine.public)][:1]
        if prefix in mine.deleted:
            yield mine.deleted[prefix]
    if param.get("words"):
        yield "no-such-word"
    last = re.sub(r".*\.(?!N$)", "", param["name"])
    if param["name"].startswith("LaunchTemplateData."):
        last = ""  # a launch resolves the names in a template
    if last in MEANINGLESS:
        yield MEANINGLESS[last]
    if last == "PrivateIpAddress" or last == "PrivateIpAddress.N":
        yield "192.0.2.200"
    if (last, form) == ("Address", "ipv4"):
        yield from ["192.0.2.200", theirs.names["PublicIp"]]
    if text and param["type"] != "list of structures" and not param.get("words") and form != "base64":
        yield "x" * (param["max"] + 1)
        yield "tab\x01"
    if text and form == "base64":
        yield "A" * (param["max"] * 2 // 4 * 4)


def cases(action, mine, theirs):
    """Yields (parameter, value or None for its absence, the whole request)."""
    for param in ACTIONS[action]["params"]:
        if param["name"] == "DryRun":
            request = mine.request(action)
            yield from ((param, value, {**request, "DryRun": value}) for value in ["maybe", ""])
            continue
        if param["type"] == "list of structures":
            if param["required"]:
                head = wire(param["name"]).rpartition(".")[0] + "."
                yield param, None, {k: v for k, v in mine.request(action).items() if not k.startswith(head)}
            continue
        request = mine.request(action, param)
        later = FAILS_LATER.get((action, param["name"]))
        for value in mutated(param, mine, theirs):
            if later and later.fullmatch(value) or (action, param["name"]) in GONE_IS_NOTHING and value in mine.deleted.values():
                continue
            yield param, value, {**request, wire(param["name"]): value}
        if param["type"].startswith("list") and param["built"]:
            for number in ["-1", "1001", "x", "01"]:
                yield param, "x", {**request, wire(param["name"])[:-1] + number: "x"}
        if param["required"]:
            left = {k: v for k, v in request.items() if k != wire(param["name"]) and not k.startswith(wire(param["name"]) + ".")}
            if any(k.startswith(wire(param["name"]).rsplit(".", 1)[0] + ".") for k in left) or param["name"].count(".N") == param["name"].endswith(".N"):
                yield param, None, left


def is_named(value, message):
    return value is not None and ((len(value) > 2 and value in message) or f'"{value}"' in message)


def complaint(action, param, value, answer, gone):
    """Complaint about the answer; empty if there is none."""
    if not 400 <= answer.status < 500 or answer.status == 412:
        harmless = HARMLESS.get((action, param["name"]))
        if not harmless and (action in ENDS or not ACTIONS[action]["writes"]) and value in gone:
            harmless = LINGERING
        return "" if answer.status == 200 and harmless and value is not None and harmless.fullmatch(value) else "was not refused"
    if answer.code not in CODES and not FAMILIES.fullmatch(answer.code):
        return "the code is not in the documentation"
    if param["type"] == "any" and answer.code not in ("UnsupportedOperation", "UnsupportedTenancy"):
        return "what is not built is UnsupportedOperation"
    of_tags = "InvalidParameterValue" if ".Tag.N" in param["name"] else "MissingParameter"
    missing = "InvalidParameterCombination" if answer.message == "No instances specified" else MISSING_CODES.get((action, param["name"]), of_tags)
    if value is None and answer.code != missing:
        return f"what is missing is {missing}"
    if answer.code == ANSWERS.get(action):
        return ""  # refused with any value
    if answer.code in NAMELESS or answer.message.endswith(NAMELESS_TEXTS) or (param["name"].rpartition(".")[2], answer.code) in OF_ANOTHER:
        return ""
    named = re.sub(r"\.\d+", ".", answer.message).lower()  # EC2 writes names of parameters with a lower-case first letter
    first = param["name"].split(".N")[0].lower()
    if first not in named and first.split(".")[-1] not in named and not is_named(value, answer.message):
        return "neither the parameter nor the value is named"
    return ""


# Actions whose valid request does not answer DryRunOperation: a default VPC exists.
ANSWERS = {"StartVpcEndpointServicePrivateDnsVerification": "UnsupportedOperation",  # always refused
           "CreateDefaultVpc": "DefaultVpcAlreadyExists"}


# The query protocols have no trait that binds a header to an input: Smithy, aws.protocols#ec2Query and #awsQuery, "Supported traits".
BY_QUERY = dict.fromkeys(("If-Match", "If-None-Match"), "Smithy, aws.protocols#ec2Query, Supported traits: no header is an input")


class EC2(Mutants):
    name = "ec2"
    actions = ACTIONS
    unread = {"names": ACTIONS}
    passed_over = {**BY_HTTP, **BY_QUERY}
    cases = {"requests": ACTIONS, "strangers": ACTIONS, "parameters": ACTIONS}

    @contextlib.contextmanager
    def make(self):
        with Dev(*HOSTS) as dev:
            made = face.Two(World(dev.account, TABLES), World(dev.new_account("theirs"), TABLES))
            default = dev.account.ok("DescribeSubnets", {"Filter.1.Name": "default-for-az", "Filter.1.Value.1": "true", "Filter.2.Name": "availability-zone",
                                                         "Filter.2.Value.1": "us-east-1b"}).first(".//subnetId")
            dev.account.ok("DeleteSubnet", {"SubnetId": default})  # for CreateDefaultSubnet
            made.still = Unchanged(TABLES, made.mine.account, made.theirs.account)
            yield made
            made.still.ends()

    def requests(self, place, name):
        """Checks that the request to be mutated is valid."""
        request = place.mine.request(name)
        answer = place.mine.account.call(name, {**request, "DryRun": "true"})
        if answer.code != ANSWERS.get(name, "DryRunOperation"):
            yield f"{request}: {answer}"

    def strangers(self, place, name):
        """Without a signature, and with an altered one."""
        account = place.mine.account
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        body = f"Action={name}&Version=2016-11-15".encode()
        signed = account.sign("POST", "", body, "ec2")
        for what, headers, code in [("unsigned", {}, "MissingParameter"),
                                    ("changed", {**signed, "Authorization": signed["Authorization"][:-8] + "00000000"}, "AuthFailure")]:
            answer = account.send("POST", "/", {**headers, **form}, body)
            if answer.code != code:
                yield f"{what}: {answer}"

    def parameters(self, place, name):
        for param, value, request in cases(name, place.mine, place.theirs):
            answer = place.mine.account.call(name, request)
            why = complaint(name, param, value, answer, set(place.mine.deleted.values()))
            if why:
                yield f"{wire(param['name'])}={(value or '(absent)')[:60]!r}: {why}: {answer.status} {answer.code} {answer.message[:200]}"

    def told(self, place, name, headers):
        answer = send(place.mine.account, "ec2", {"Action": name, "Version": VERSION, **place.mine.request(name), "DryRun": "true"}, headers)
        return answer.status, answer.same()

    def names(self, place, name):
        """Unknown names at the top level and in each structure; and headers, since a look at the whole account is dear here."""
        yield from self.headers(place, name)
        request = place.mine.request(name)
        for head in heads(self.actions[name]):
            answer = place.mine.account.call(name, {**request, head + "Colour": "red", "DryRun": "true"})
            if answer.code != "UnknownParameter" or head + "Colour" not in answer.message:
                yield f"{head}Colour: {answer}"


def send(account, service, parameters, headers):
    """A signed POST with more headers, which are not signed."""
    body = "&".join(f"{quote(k)}={quote(v)}" for k, v in sorted(parameters.items())).encode()
    form = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    return account.send("POST", "/", {**account.sign("POST", "", body, service), **form, **headers}, body)


def heads(action):
    """Wire names of the structures in a request."""
    return sorted({wire(p["name"])[:at + 1] for p in action["params"] for at, c in enumerate(wire(p["name"])) if c == "." and not wire(p["name"])[at + 1:].isdigit()} | {""})

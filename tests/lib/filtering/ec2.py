# SPDX-License-Identifier: Apache-2.0
"""EC2's filters and pages. The value for a filter is looked up in the resource's own description, by name: attachment.instance-id is instanceId in
attachmentSet. VALUES lists filters with other names. A filter for which neither has a value must find nothing. A list that is always empty must be
marked so in the tables."""
import contextlib
import re
import tempfile
import xml.etree.ElementTree as ET

from dev import ASKED, Dev
from faces import face
from world import HOSTS, World

ACTIONS = {a["name"]: a for a in face.EC2["actions"] if a["service"] == "ec2"}

EMPTY = {a for a in ACTIONS if "never" in ACTIONS[a]}

# The resource to filter for: its label in the world, or "=" and a text that only its description contains.
LOOKED_AT = {"DescribeCustomerGateways": "cgw", "DescribeVpnGateways": "vgw", "DescribeVpnConnections": "vpn", "DescribePrefixLists": "=<prefixListId>", "DescribeAddresses": "eipalloc", "DescribeHosts": "h", "DescribeCapacityReservations": "cr", "DescribeImages": "ami", "DescribeIamInstanceProfileAssociations": "iip-assoc", "DescribeInstances": "i", "DescribeInstanceStatus": "i",
             **{("DescribeInstanceStatus", f"event.{name}"): "event i" for name in ("code", "description", "instance-event-id", "not-after", "not-before", "not-before-deadline")},
             "DescribeInternetGateways": "igw", "DescribeIpv6Pools": "ipv6pool-ec2", "DescribeEgressOnlyInternetGateways": "eigw", "DescribeVpcEndpoints": "vpce", "DescribeFlowLogs": "fl", "DescribeVpcEndpointServiceConfigurations": "vpce-svc", "DescribeVpcEndpointConnections": "offered vpce", "DescribeVpcEndpointServicePermissions": "vpce-svc", "DescribeVpcEndpointServices": "=<serviceName>com.amazonaws.us-east-1.sts<", "DescribeKeyPairs": "key", "DescribeFleets": "fleet", "DescribeFleetInstances": "=>t3.nano<", "DescribeSpotInstanceRequests": "sir", "DescribeSpotPriceHistory": "=>t3.nano<", ("DescribeInstances", "spot-instance-request-id"): "spot i", ("DescribeInstances", "capacity-reservation-id"): "reserved i",
             ("DescribeInstances", "capacity-reservation-specification.capacity-reservation-target.capacity-reservation-id"): "reserved i", ("DescribeInstances", "instance-lifecycle"): "spot i", "DescribeNatGateways": "nat", "DescribeVpcPeeringConnections": "pcx", "DescribeTransitGateways": "tgw", "DescribeTransitGatewayAttachments": "tgw-attach", "DescribeTransitGatewayVpcAttachments": "tgw-attach",
             "DescribeTransitGatewayRouteTables": "tgw-rtb", "GetTransitGatewayRouteTableAssociations": "tgw-attach", "GetTransitGatewayRouteTablePropagations": "tgw-attach",
             "GetTransitGatewayAttachmentPropagations": "tgw-rtb", "SearchTransitGatewayRoutes": "=10.1.0.0/16", ("DescribeVpcPeeringConnections", "expiration-time"): "spare pcx", "DescribeImportSnapshotTasks": "import-snap", "DescribeImportImageTasks": "import-ami", "DescribeExportImageTasks": "export-ami", "DescribePlacementGroups": "pg", "DescribeLaunchTemplates": "lt", "DescribeDhcpOptions": "dopt", "DescribeManagedPrefixLists": "pl", "GetSubnetCidrReservations": "scr", "DescribeLaunchTemplateVersions": "lt", "DescribeNetworkAcls": "acl", "DescribeNetworkInterfaces": "eni",
             "DescribeRouteTables": "rtb", "DescribeSecurityGroupRules": "sgr", "DescribeSecurityGroups": "sg", "DescribeSecurityGroupVpcAssociations": "sg", "DescribeSubnets": "subnet",
             "DescribeSnapshots": "snap", ("DescribeSnapshots", "owner-alias"): "operators snap", "DescribeTags": "i", "DescribeVolumes": "vol",
             "DescribeVolumeStatus": "vol", "DescribeVolumesModifications": "vol", "DescribeVpcs": "vpc", "DescribeAvailabilityZones": "=us-east-1a",
             "DescribeRegions": "=us-east-1", "DescribeInstanceTypes": "=>t3.nano<", "DescribeInstanceTypeOfferings": "=>t3.nano<", "DescribeInstanceCreditSpecifications": "i", "DescribeVpcClassicLink": "vpc", "DescribeVpcClassicLinkDnsSupport": "vpc",
             ("DescribeNetworkInterfaces", "ipv6-addresses.ipv6-address"): "loose eni", ("DescribeNetworkInterfaces", "requester-id"): "loose eni",
             ("DescribeInstances", "reason"): "stopped i", ("DescribeInstances", "state-reason-code"): "stopped i",
             ("DescribeInstances", "state-reason-message"): "stopped i", ("DescribePlacementGroups", "spread-level"): "spread pg",
             "GetSecurityGroupsForVpc": "sg", ("DescribeInstances", "affinity"): "hosted i", ("DescribeInstances", "host-id"): "hosted i",
             ("DescribeInstances", "placement-group-name"): "grouped i", ("DescribeInstances", "placement-partition-number"): "grouped i"}

# Filters whose name differs from the member's: the member's path, "=" and the value, or "@" and a label.
VALUES = {
    "vpc-endpoint-state": "state", ("DescribeVpcEndpointConnections", "vpc-endpoint-state"): "vpcEndpointState",
    "supported-ip-address-types": "=ipv4", "vpc-endpoint-region": "=us-east-1",
    "bgp-asn": "=65010",
    "cidr": "cidrBlock", "entry.cidr": "entrySet/item/cidrBlock", "dns-name": "=", "association.public-dns-name": "=", "fast-restored": "=false", "operator.managed": "=false", "supported-usage-class": "=on-demand",
    "instance-status.reachability": "instanceStatus/details/item/status", "system-status.reachability": "systemStatus/details/item/status",
    **{f"event.{name}": f"eventsSet/item/{member}" for name, member in {
        "code": "code", "description": "description", "instance-event-id": "instanceEventId", "not-after": "notAfter", "not-before": "notBefore",
        "not-before-deadline": "notBeforeDeadline"}.items()},
    "task-state": "status", "is-default-version": "defaultVersion", "is-classic-link-enabled": "classicLinkEnabled",
    "placement-group-name": "placement/groupName", "placement-partition-number": "placement/partitionNumber",
    "instance.group-id": "groupSet/item/groupId", "instance.group-name": "groupSet/item/groupName",
    "state-reason-code": "stateReason/code", "state-reason-message": "stateReason/message",
    "network-interface.availability-zone": "placement/availabilityZone", "network-interface.requester-managed": "=false", "network-interface.requester-id": "ownerId",
    "network-interface.association.allocation-id": "@eipalloc", "network-interface.association.association-id": "@eipassoc",
    "network-interface.attachment.instance-id": "instanceId", "network-interface.attachment.instance-owner-id": "ownerId",
    "ip-permission.cidr": "ipPermissions/item/ipRanges/item/cidrIp", "ip-permission.ipv6-cidr": "ipPermissions/item/ipv6Ranges/item/cidrIpv6",
    "egress.ip-permission.ipv6-cidr": "ipPermissionsEgress/item/ipv6Ranges/item/cidrIpv6", "entry.ipv6-cidr": "entrySet/item/ipv6CidrBlock", "ip-permission.group-id": "ipPermissions/item/groups/item/groupId",
    "ip-permission.user-id": "ipPermissions/item/groups/item/userId",
    "egress.ip-permission.cidr": "ipPermissionsEgress/item/ipRanges/item/cidrIp",
    "egress.ip-permission.protocol": "ipPermissionsEgress/item/ipProtocol",
    "egress.ip-permission.from-port": "ipPermissionsEgress/item/fromPort", "egress.ip-permission.to-port": "ipPermissionsEgress/item/toPort",
    "egress.ip-permission.group-id": "ipPermissionsEgress/item/groups/item/groupId",
    "egress.ip-permission.user-id": "ipPermissionsEgress/item/groups/item/userId",
    "volume-status.status": "volumeStatus/status", "volume-status.details-name": "volumeStatus/details/item/name",
    "volume-status.details-status": "volumeStatus/details/item/status",
    "private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record": "=false",
    "availability-zone-id": "=use1-az1", "launched-availability-zone-id": "=use1-az1", "free-tier-eligible": "=false", "current-instance-boot-mode": "=legacy-bios",
    "metadata-options.http-protocol-ipv4": "=enabled", "network-interface.operator.managed": "=false", "network-interface.ipv6-native": "=false",
    "network-interface.tag-key": "=contract", "network-interface.tag-value": "=yes",
    "network-interface.public-dns-name": "=", "network-interface.association.public-dns-name": "=",
    "network-interface.addresses.association.public-dns-name": "=", "private-dns-name-options.enable-resource-name-dns-aaaa-record": "=false",
    **{f"network-interface.{name}-prefixes.{name}-prefix": f"networkInterfaceSet/item/{name}PrefixSet/item/{name}Prefix" for name in ("ipv4", "ipv6")},
    "network-interface.addresses.association.allocation-id": "@eipalloc", "network-interface.addresses.association.association-id": "@eipassoc",
}


def make_more(world):
    """Resources that filters need beyond the world, and so many of each kind that they exceed the smallest page."""
    call, vpc, subnet, group = world.account.ok, world.ids["vpc"], world.ids["subnet"], world.ids["sg"]
    for direction in ("Ingress", "Egress"):
        call(f"AuthorizeSecurityGroup{direction}", {"GroupId": group, "IpPermissions.1.IpProtocol": "tcp", "IpPermissions.1.FromPort": 443,
                                                    "IpPermissions.1.ToPort": 444, "IpPermissions.1.Groups.1.GroupId": group})
    stopped = call("RunInstances", {"ImageId": world.image, "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1}).first(".//instanceId")
    world.ids["stopped i"] = stopped
    world.await_state(stopped, "running")
    call("StopInstances", {"InstanceId.1": stopped})
    world.await_state(stopped, "stopped")
    for _ in range(4):
        call("RequestSpotInstances", {"LaunchSpecification.ImageId": world.image, "LaunchSpecification.InstanceType": "t3.nano"})
    world.ids["spot i"] = call("DescribeSpotInstanceRequests", {"SpotInstanceRequestId.1": world.ids["sir"]}).first(".//instanceId")
    call("ModifyFleet", {"FleetId": world.ids["fleet"], "TargetCapacitySpecification.TotalTargetCapacity": 2})
    world.await_word("DescribeFleets", {"FleetId.1": world.ids["fleet"]}, ".//fulfilledCapacity", "2.0")
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as prices:
        prices.write("price_list: {name: public, currency: EUR, from: 2023-01-01T00:00:00Z, parent: null, owner: null}\n"
                     'items:\n- {sku: vm, meter: instance, unit: hour, price: 0.01}\n')
        prices.flush()
        world.account.dev.command("prices", "load", prices.name)
    world.make("spread pg", "CreatePlacementGroup", {"GroupName": "apart", "Strategy": "spread"}, "groupId")
    world.make("parted pg", "CreatePlacementGroup", {"GroupName": "parted", "Strategy": "partition"}, "groupId")
    world.make("grouped i", "RunInstances", {"ImageId": world.image, "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1,
                                             "Placement.GroupName": "parted"}, "instanceId")
    world.make("hosted i", "RunInstances", {"ImageId": world.image, "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1,
                                            "Placement.Tenancy": "host", "Placement.HostId": world.ids["h"]}, "instanceId")
    world.make("reserved i", "RunInstances", {
        "ImageId": world.image, "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1, "Placement.AvailabilityZone": "us-east-1a",
        "CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationId": world.ids["cr"]}, "instanceId")
    call("AllocateHosts", {"AvailabilityZone": "us-east-1b", "Quantity": 7, "InstanceFamily": "t3"})
    world.ids["operators snap"] = world.operators_snapshot
    for n in range(7):
        spoke = call("CreateVpc", {"CidrBlock": f"10.{100 + n}.0.0/16", "Ipv6Pool": world.ids["ipv6pool-ec2"]}).first(".//vpcId")
        call("CreateSubnet", {"VpcId": vpc, "CidrBlock": f"10.1.{100 + n}.0/24"})
        call("CreateInternetGateway")
        call("CreateRouteTable", {"VpcId": vpc})
        call("CreateNetworkInterface", {"SubnetId": subnet})
        call("CreateNatGateway", {"SubnetId": subnet, "ConnectivityType": "private"})
        call("CreateVpcPeeringConnection", {"VpcId": world.ids["loose vpc"], "PeerVpcId": f"vpc-{n:017x}"})
        call("AllocateAddress")
        call("DeleteTransitGateway", {"TransitGatewayId": call("CreateTransitGateway").first(".//transitGatewayId")})
        subnet_there = call("CreateSubnet", {"VpcId": spoke, "CidrBlock": f"10.{100 + n}.1.0/24"}).first(".//subnetId")
        call("CreateVpcEndpoint", {"VpcId": spoke, "ServiceName": "com.amazonaws.us-east-1.ec2"})
        call("CreateVpcEndpoint", {"VpcId": spoke, "ServiceName": "com.amazonaws.vpce.us-east-1." + world.ids["vpce-svc"], "VpcEndpointType": "Interface"})
        call("CreateVpcEndpointServiceConfiguration", {"NetworkLoadBalancerArn.1": world.ids["balancer"]})
        call("ModifyVpcEndpointServicePermissions", {"ServiceId": world.ids["vpce-svc"], "AddAllowedPrincipals.1": f"arn:aws:iam::{n:012}:root"})
        call("CreateFlowLogs", {"ResourceType": "VPC", "ResourceId.1": spoke, "TrafficType": "ALL", "LogDestinationType": "s3",
                                "LogDestination": "arn:aws:s3:::flow-logs"})
        call("CreateTransitGatewayVpcAttachment", {"TransitGatewayId": world.ids["tgw"], "VpcId": spoke, "SubnetIds.1": subnet_there})
        table = call("CreateTransitGatewayRouteTable", {"TransitGatewayId": world.ids["tgw"]}).first(".//transitGatewayRouteTableId")
        call("EnableTransitGatewayRouteTablePropagation", {"TransitGatewayRouteTableId": table, "TransitGatewayAttachmentId": world.ids["tgw-attach"]})
        call("CopySnapshot", {"SourceSnapshotId": world.operators_snapshot, "SourceRegion": "us-east-1"})
        call("ImportSnapshot", {"DiskContainer.Url": "http://127.0.0.1:9/disk"})
        call("ImportImage", {"DiskContainer.1.Url": "http://127.0.0.1:9/disk"})
        call("CreateKeyPair", {"KeyName": f"page-{n}"})
        call("CreateManagedPrefixList", {"PrefixListName": f"page-{n}", "MaxEntries": 1, "AddressFamily": "IPv4"})
        call("CreateSubnetCidrReservation", {"SubnetId": subnet, "Cidr": f"10.1.1.{144 + 16 * n}/28", "ReservationType": "prefix"})
        call("CreateDhcpOptions", {"DhcpConfiguration.1.Key": "domain-name", "DhcpConfiguration.1.Value.1": f"page-{n}"})
        call("CreateLaunchTemplate", {"LaunchTemplateName": f"page-{n}", "LaunchTemplateData.KeyName": f"page-{n}"})
        group = call("CreateSecurityGroup", {"GroupName": f"page-{n}", "GroupDescription": "words", "VpcId": vpc}).first("groupId")
        call("CreateTags", {"ResourceId.1": group, "Tag.1.Key": "page", "Tag.1.Value": str(n)})
        call("AssociateSecurityGroupVpc", {"GroupId": group, "VpcId": world.ids["peer vpc"]})
        call("RunInstances", {"ImageId": world.image, "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1, "SubnetId": subnet,
                              "IamInstanceProfile.Name": "contract"})
    make_shown(world)
    for volume in call("DescribeVolumes").all("volumeSet/item/volumeId"):
        call("ModifyVolume", {"VolumeId": volume, "Size": 50, "VolumeType": "gp3"})


def make_shown(world):
    """Makes resources for members that few resources show: images with their instances, routes and ACL entries of each form."""
    call, ids = world.account.ok, world.ids
    disk = {"BlockDeviceMapping.1.DeviceName": "/dev/sda1", "BlockDeviceMapping.1.Ebs.SnapshotId": ids["snap"]}
    uefi = call("RegisterImage", {"Name": "filters uefi", "BootMode": "uefi", "TpmSupport": "v2.0", **disk}).first(".//imageId")
    call("CreateImage", {"InstanceId": ids["stopped i"], "Name": "filters made"})
    call("ImportImage", {"DiskContainer.1.SnapshotId": ids["snap"], "Platform": "Windows", "LicenseType": "BYOL"})
    windows = {"Filter.1.Name": "platform", "Filter.1.Value.1": "windows"}
    world.await_word("DescribeImages", {"Owner.1": "self", **windows}, ".//platform", "windows")
    for image in (uefi, call("DescribeImages", {"Owner.1": "self", **windows}).first(".//imageId")):
        call("RunInstances", {"ImageId": image, "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1})
    table = call("CreateRouteTable", {"VpcId": ids["vpc"]}).first(".//routeTableId")
    for block, hop in (("192.0.2.0/26", {"NatGatewayId": ids["nat"]}), ("192.0.2.64/26", {"VpcPeeringConnectionId": ids["pcx"]}),
                       ("192.0.2.128/26", {"TransitGatewayId": ids["tgw"]}), ("192.0.2.192/26", {"NetworkInterfaceId": ids["eni"]})):
        call("CreateRoute", {"RouteTableId": table, "DestinationCidrBlock": block, **hop})
    call("CreateRoute", {"RouteTableId": table, "DestinationIpv6CidrBlock": "::/0", "EgressOnlyInternetGatewayId": ids["eigw"]})
    call("AssociateRouteTable", {"RouteTableId": call("CreateRouteTable", {"VpcId": ids["vpc"]}).first(".//routeTableId"), "GatewayId": ids["igw"]})
    for number, more in ((901, {"Protocol": 1, "Icmp.Type": 8, "Icmp.Code": 0}), (902, {"Protocol": 6, "PortRange.From": 22, "PortRange.To": 23})):
        call("CreateNetworkAclEntry", {"NetworkAclId": ids["acl"], "RuleNumber": number, "Egress": "false", "RuleAction": "allow",
                                       "CidrBlock": "192.0.2.0/24", **more})


def items(answer):
    """Elements of an answer's set; instances are separate."""
    instances = answer.root.findall(".//instancesSet/item")
    if instances or answer.root.find("reservationSet") is not None:
        return [outer for outer in answer.root.findall("reservationSet/item")] and instances
    return answer.root.findall("serviceDetailSet/item" if answer.root.find("serviceDetailSet") is not None else "./*/item")


def look(world, action, **params):
    answer = world.account.ok(action, {**ASKED.get(action, {}), **world.asked(action), **params})
    return items(answer), answer


def find_item(world, action, name):
    """Description of the resource: its element, for an instance including the members of its reservation."""
    label = LOOKED_AT.get((action, name)) or LOOKED_AT.get(action)
    assert label, f"LOOKED_AT has to say which resource {action} is to find"
    wanted = label[1:] if label.startswith("=") else world.ids[label]
    if action not in world.looks:
        world.looks[action] = look(world, action)
    found, answer = world.looks[action]
    item = next(i for i in found if wanted in ET.tostring(i, encoding="unicode"))
    for reservation in answer.root.findall("reservationSet/item"):
        if item in reservation.findall("instancesSet/item") and item.find("reservationId") is None:
            item.extend(e for e in reservation if e.tag in ("reservationId", "ownerId", "requesterId"))
    return item


def words_of(name):
    """Splits a name into words: networkInterfaceId and network-interface-id have the same words."""
    name = name.replace("VCpu", "Vcpu").replace("vCpu", "Vcpu").replace("MiB", "Mib")
    return [word.rstrip("s") for word in re.findall(r"[a-z0-9]+", re.sub(r"([A-Z])", r"-\1", name).lower())]


def leaves(element, words=()):
    for child in element:
        inner = words if child.tag == "item" else (*words, *(w for w in words_of(child.tag) if w != "set"))
        if len(child):
            yield from leaves(child, inner)
        elif child.text:
            yield inner, child.text


def is_within(short, long):
    """True if `short` occurs in `long` in that order, with the same last word; other words may lie between."""
    rest = iter(long)
    return short[-1] == long[-1] and all(word in rest for word in short)


def value_of(name, item, world):
    """The value that the filter compares, or None."""
    path = VALUES.get(name)
    if path and path[0] in "=@":
        return path[1:] if path[0] == "=" else world.ids[path[1:]]
    if path and item.find(path) is not None:
        return item.findtext(path)
    wanted = words_of(name)
    found = sorted((len(words), value) for words, value in leaves(item) if is_within(wanted, words))
    return found[0][1] if found else None


# Filters that accept only ids: an unknown id, and the error code for other forms.
OF_IDS = {("DescribeSecurityGroupRules", "group-id"): ("sg-00000000000000000", "InvalidGroupId.Malformed")}
# Filters that compare blocks, without wildcards: a further block that fits as well.
OF_BLOCKS = {"route-search.exact-match": "10.1.0.0/16", "route-search.longest-prefix-match": "10.1.2.3",
             "route-search.subnet-of-match": "10.0.0.0/12", "route-search.supernet-of-match": "10.1.2.0/24"}
PAGED = {a: next(p for p in ACTIONS[a]["params"] if p["name"] == "MaxResults") for a in sorted(ACTIONS)
         if any(p["name"] == "MaxResults" and p["built"] for p in ACTIONS[a]["params"])
         and all(p["built"] for p in ACTIONS[a]["params"] if p["name"] == "NextToken")}
SMALL = {"DescribeImages", "DescribeIpv6Pools", "DescribePrefixLists", "DescribeExportImageTasks"}  # lists of a few public rows


class EC2:
    name = "ec2"
    actions = ACTIONS
    cases = {"finds": [f"{a} {f}" for a in sorted(ACTIONS) for f in ACTIONS[a]["filters"]],
             "shown": [f"{a} {m['name']}" for a in sorted(ACTIONS) for m in ACTIONS[a].get("answer", []) if "filter" in m], "pages": list(PAGED), "tokens": list(PAGED),
             "ids_are_not_paged": list(PAGED)}

    @contextlib.contextmanager
    def make(self):
        with Dev(*HOSTS) as dev:
            world = World(dev.account, face.EC2)
            make_more(world)
            world.looks = {}
            yield world

    def finds(self, world, name):
        """The resource's own value finds it, another value does not, and wildcards work."""
        action, _, name = name.partition(" ")
        if action in EMPTY:
            self.finds_nothing(world, action, name)
            return
        item = find_item(world, action, name)
        value = value_of(name, item, world)
        if value is None and name not in OF_BLOCKS:  # another resource may show the member
            item = next((i for i in world.looks[action][0] if value_of(name, i, world) is not None), item)
            value = value_of(name, item, world)
        same = ET.tostring(item)[:60]

        def finds(*values):
            params = {"Filter.1.Name": name, **{f"Filter.1.Value.{n}": v for n, v in enumerate(values, 1)}}
            return any(ET.tostring(i).startswith(same) for i in look(world, action, **params)[0])

        if name in OF_BLOCKS:
            assert finds(OF_BLOCKS[name]) and finds("no-such-value", OF_BLOCKS[name])
            assert not any(finds(text) for text in ("*", "10.1.*", "192.0.2.0/24", "no-such-value"))
            return
        if value is None:
            assert not look(world, action, **{"Filter.1.Name": name, "Filter.1.Value.1": "*"})[0], \
                "it finds something, and no member of the description has its name: VALUES has to say where to look"
            return
        print(f"{name} = {value}")
        malformed, absent = ("no-such-value", value + "x", value.swapcase() + "!"), "no-such-value"
        if (action, name) in OF_IDS:
            absent, code = OF_IDS[action, name]
            for text in malformed:
                answer = world.account.call(action, {"Filter.1.Name": name, "Filter.1.Value.1": text})
                assert answer.code == code, answer
            malformed = ()
        assert finds(value) and finds(absent, value) and finds("*") and not finds(absent)
        assert not any(finds(text) for text in malformed)
        assert not finds(value + "?") and not finds("\\" + "*")
        if value:
            assert finds(value[:-1] + "?") and finds("*" + value[1:]) and finds(value[:1] + "*")

    def shown(self, world, name):
        """The value that an answer shows of a member finds the item, for each row of attributes with a filter."""
        action, _, member = name.partition(" ")
        word, path = next(m["filter"] for m in ACTIONS[action]["answer"] if m["name"] == member), member.replace(".N.", "/item/").replace(".", "/")
        whole = look(world, action)[0]
        values = sorted({e.text for item in whole for e in item.findall(path) if e.text})
        assert values, f"no item shows {member}"
        for value in values:
            found = {ET.tostring(i) for i in look(world, action, **{"Filter.1.Name": word, "Filter.1.Value.1": value})[0]}
            assert {ET.tostring(i) for i in whole if value in [e.text for e in i.findall(path)]} <= found, f"{word}={value}"

    def finds_nothing(self, world, action, name):
        named = name + "env" if name.endswith(":") else name
        assert not look(world, action, **{"Filter.1.Name": named, "Filter.1.Value.1": "*"})[0]
        answer = world.account.call(action, {"Filter.1.Name": "x" + name, "Filter.1.Value.1": "*"})
        assert answer.code == "InvalidParameterValue" and "x" + name in answer.message, answer

    def pages(self, world, action):
        """A walk by tokens returns the same as one answer."""
        whole, pages = texts(look(world, action)[0]), walk(world, action)
        assert sorted(whole) == sorted(text for page in pages for text in texts(page))
        assert not (whole and action in EMPTY)
        assert len(pages) > 1 or action in SMALL | EMPTY or len(ACTIONS[action]["filters"]) == 0, f"only {len(whole)} of them: make_more() has to make more"
        assert len(pages) <= len(whole) + 1, pages

    def tokens(self, world, action):
        """A token is valid only for its request; an unknown token, or one of another request, is refused."""
        asked = {**ASKED.get(action, {}), **world.asked(action), "MaxResults": smallest(action)}
        answer = world.account.call(action, {**asked, "NextToken": "garbage"})
        assert answer.code in ("InvalidParameterValue", "InvalidNextToken") and answer.status == 400, answer
        token = look(world, action, MaxResults=smallest(action))[1].first("nextToken")
        if token and ACTIONS[action]["filters"]:
            answer = world.account.call(action, {**asked, "NextToken": token, "Filter.1.Name": ACTIONS[action]["filters"][0], "Filter.1.Value.1": "*"})
            assert answer.code in ("InvalidParameterValue", "InvalidNextToken"), answer

    def ids_are_not_paged(self, world, action):
        ids = [p for p in ACTIONS[action]["params"] if p.get("form") == "id" and p["type"] == "list of strings" and p.get("prefix") in world.ids]
        for param in ids[:1]:
            answer = world.account.call(action, {param["name"][:-1] + "1": world.ids[param["prefix"]], "MaxResults": smallest(action)})
            assert answer.code == "InvalidParameterCombination", answer


def smallest(action):
    """The smallest page size that the action accepts."""
    return max(PAGED[action]["min"], 1)


def texts(found):
    return [ET.tostring(i) for i in found]


def walk(world, action):
    """All pages of the smallest size, in order."""
    pages, token = [], None
    while token != "":
        found, answer = look(world, action, MaxResults=smallest(action), **({"NextToken": token} if token else {}))
        assert len(found) <= smallest(action)
        pages.append(found)
        token = answer.first("nextToken")
    return pages

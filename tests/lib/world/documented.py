# SPDX-License-Identifier: Apache-2.0
"""Prerequisites of the AWS CLI's documented examples, created right before each example is sent. before(…) names the examples.
The result of such a function replaces values of the example: a label of World.ids, or a documented id, becomes our id; other
words become ours."""
import base64
import ipaddress
import os
import tempfile
import time

from . import disks
from .values import VALUES

BEFORE = {}
FAR = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + 86400))


def before(*names):
    def keep(function):
        for name in names:
            BEFORE[name] = function
        return function
    return keep


def one_of(w, action, params, path):
    return w.account.ok(action, params).first(".//" + path)


def spare_as(name):
    """Uses the resource that nothing depends on in place of the first."""
    return lambda w: {name: w.ids[f"spare {name}"]}


for _example, _name in {
        "accept-vpc-peering-connection 1": "pcx", "delete-managed-prefix-list 1": "pl",
        "disable-image-deprecation 1": "ami", "disassociate-subnet-cidr-block 1": "subnet-cidr-assoc"}.items():
    BEFORE[_example] = spare_as(_name)

# Names of another account or region, and misspellings in the documentation.
for _example, _words in {
        "allocate-address 2": {"us-west-2-lax-1": "us-east-1"},
        "associate-vpc-cidr-block 1": {"us-west-2-lax-1": "us-east-1"},
        "copy-image 2": {"ami-name": "encrypted-name", "alias/my-kms-key": "alias/aws/ebs"},
        "copy-image 3": {"ami-name": "tagged-name"},
        "copy-snapshot 2": {"alias/my-kms-key": "alias/aws/ebs"},
        "create-network-interface 1": {"10.0.2.17": "10.1.1.41"},
        "create-subnet-cidr-reservation 1": {"10.1.0.20/26": "10.1.1.192/26"},
        "create-subnet 1": {"10.0.0.0/24": "10.1.100.0/24"},
        "modify-ebs-default-kms-key-id 1": {"alias/my-cmk": "alias/aws/ebs"}}.items():
    BEFORE[_example] = lambda _, words=_words: words


# Others of the world, for "name of what is in the example": its label.
for _example, _labels in {
        "associate-transit-gateway-route-table 1": {"tgw-rtb": "hub tgw-rtb", "tgw-attach": "spare tgw-attach"},
        "create-transit-gateway-vpc-attachment 1": {"vpc": "spoke vpc", "subnet": "spoke subnet"},
        "create-transit-gateway-vpc-attachment 2": {"tgw": "hub tgw", "subnet-dEXAMPLE": "subnet", "subnet-6EXAMPLE": "transit subnet"},
        "delete-transit-gateway 1": {"tgw": "spare tgw"}, "delete-transit-gateway-route-table 1": {"tgw-rtb": "spare tgw-rtb"},
        "modify-transit-gateway-vpc-attachment 1": {"tgw-attach": "spare tgw-attach", "subnet": "spoke b subnet"}}.items():
    BEFORE[_example] = lambda w, labels=_labels: {shown: w.ids[label] for shown, label in labels.items()}


# ---- instances, images and disks ----

@before("allocate-hosts 1", "allocate-hosts 3")
def make_room_for_host(w):
    for host in w.account.ok("DescribeHosts").all(".//hostId"):
        if host != w.ids["h"]:
            w.account.ok("ReleaseHosts", {"HostId.1": host})
    return {}


@before("associate-iam-instance-profile 1")
def name_profile(w):
    return {"i": w.ids["lone i"], "admin-role": "contract"}


@before("replace-iam-instance-profile-association 1")
def find_association(w):
    found = one_of(w, "DescribeIamInstanceProfileAssociations",
                   {"Filter.1.Name": "instance-id", "Filter.1.Value.1": w.ids["lone i"]}, "associationId")
    return {"iip-assoc": found, "AdminRole": "contract"}


@before("create-image 2")
def name_other_image(w):
    return {"i": w.ids["lone i"], "My server": "My other server"}


@before("attach-volume 1", "modify-volume 2")
def make_volume(w):
    return {"vol": disks.make_volume(w, "documented vol"), "i": w.ids["lone i"]}


@before("detach-volume 1")
def name_plugged(w):
    return {"vol": w.ids["plugged vol"]}


@before("create-volume 2")
def make_larger_snapshot(w):
    volume = w.make("larger vol", "CreateVolume", {"AvailabilityZone": "us-east-1a", "Size": 20}, "volumeId")
    w.await_word("DescribeVolumes", {"VolumeId.1": volume}, ".//status", "available")
    snapshot = w.make("larger snap", "CreateSnapshot", {"VolumeId": volume}, "snapshotId")
    w.await_word("DescribeSnapshots", {"SnapshotId.1": snapshot}, ".//status", "completed")
    return {"snap": snapshot}


@before("describe-snapshots 1")
def tag_snapshot(w):
    w.account.ok("CreateTags", {"ResourceId.1": w.ids["snap"], "Tag.1.Key": "Stack", "Tag.1.Value": "test"})
    return {}


@before("cancel-import-task 1")
def name_endless_import(w):
    return {"import-ami": w.ids["endless import-snap"]}


@before("enable-image-deprecation 1")
def deprecate_later(w):
    return {"ami": w.ids["spare ami"], "2022-10-15T13:17:12.000Z": FAR}


@before("modify-instance-placement 1", "modify-instance-placement 2")
def put_on_host(w):
    """A host in the instance's own zone: the existing ones are in another zone."""
    if "documented h" not in w.ids:
        make_room_for_host(w)
        w.make("documented h", "AllocateHosts", {
            "AvailabilityZone": "us-east-1a", "Quantity": 1, "InstanceFamily": "t3"}, "hostIdSet/item")
    host = w.ids["documented h"]
    w.account.ok("ModifyInstancePlacement", {"InstanceId": w.ids["still i"], "Tenancy": "host", "HostId": host})
    return {"i": w.ids["still i"], "h": host, "--host-id i-0e6ddf6187EXAMPLE": "--host-id h-0e6ddf6187EXAMPLE"}


def make_template(w):
    """Creates two versions with all data of the documentation's; the second is the default."""
    data = {"InstanceType": "t3.micro", "ImageId": w.image, "KeyName": "contract", "UserData": "",
            "NetworkInterface.1.SubnetId": w.ids["subnet"], "NetworkInterface.1.DeviceIndex": 0,
            "NetworkInterface.1.DeleteOnTermination": "false", "NetworkInterface.1.AssociatePublicIpAddress": "true",
            "NetworkInterface.1.SecurityGroupId.1": w.ids["sg"],
            "NetworkInterface.1.Ipv6Addresses.1.Ipv6Address": w.ids["free ipv6"]}
    params = {f"LaunchTemplateData.{name}": value for name, value in data.items()}
    template = w.make("documented lt", "CreateLaunchTemplate",
                      {"LaunchTemplateName": f"documented-{time.monotonic_ns()}", **params}, "launchTemplateId")
    w.account.ok("CreateLaunchTemplateVersion", {"LaunchTemplateId": template, **params})
    w.account.ok("ModifyLaunchTemplate", {"LaunchTemplateId": template, "SetDefaultVersion": "2"})
    return {"lt": template}


for _example in ("describe-launch-template-versions 1", "create-launch-template-version 1",
                 "delete-launch-template-versions 1", "modify-launch-template 1"):
    BEFORE[_example] = make_template


def keep_file(content):
    with tempfile.NamedTemporaryFile(prefix="dari-example-", delete=False) as file:
        file.write(content)
    return file.name


@before("import-key-pair 1")
def write_public_key(w):
    w.file = keep_file(base64.b64decode(VALUES["PublicKeyMaterial"]))
    return {"~/.ssh/my-key.pub": w.file}


@before("get-password-data 2")
def write_private_key(w):
    key = w.account.ok("CreateKeyPair", {"KeyName": "documented"}).first(".//keyMaterial")
    w.file = keep_file(key.encode())
    return {"C:\\Keys\\MyKeyPair.pem": w.file}


def forget_file(w):
    if getattr(w, "file", None):
        os.unlink(w.file)
        w.file = None


# ---- addresses and interfaces ----

DOCUMENTED_IPV6 = ("2001:db8:1234:1a00:3304:8879:34cf:4071", "2001:db8:1234:1a00:9691:9503:25ad:1761")


@before("assign-ipv6-addresses 1")
def choose_ipv6(w):
    free = ipaddress.ip_address(w.ids["free ipv6"])
    return {words: str(free + n) for n, words in enumerate(DOCUMENTED_IPV6, 1)}


@before("unassign-ipv6-addresses 1")
def assign_ipv6(w):
    address = str(ipaddress.ip_address(w.ids["free ipv6"]) + 3)
    w.account.ok("AssignIpv6Addresses", {"NetworkInterfaceId": w.ids["eni"], "Ipv6Addresses.1": address})
    return {DOCUMENTED_IPV6[0]: address}


@before("associate-address 1")
def name_spare_address(w):
    return {"i": w.ids["lone i"], "eipalloc": w.ids["spare eipalloc"]}


@before("attach-network-interface 1")
def name_spare_interface(w):
    return {"i": w.ids["lone i"], "eni": w.ids["spare eni"]}


@before("describe-addresses-attribute 1")
def name_address(w):
    w.account.ok("ModifyAddressAttribute", {"AllocationId": w.ids["eipalloc"], "DomainName": "example.com"})
    return {}


# ---- VPCs and their parts ----

def make_vpc(w, number):
    return w.make(f"documented vpc {number}", "CreateVpc", {"CidrBlock": f"10.{number}.0.0/16"}, "vpcId")


@before("create-vpc-peering-connection 1")
def make_two_vpcs(w):
    return {"vpc-1a2b3c4d": make_vpc(w, 80), "vpc-11122233": make_vpc(w, 81)}


@before("reject-vpc-peering-connection 1")
def make_peering(w):
    return {"pcx": w.make("documented pcx", "CreateVpcPeeringConnection",
                          {"VpcId": make_vpc(w, 82), "PeerVpcId": make_vpc(w, 83)}, "vpcPeeringConnectionId")}


@before("modify-vpc-peering-connection-options 3")
def make_active_peering(w):
    requester, accepter = make_vpc(w, 84), make_vpc(w, 85)
    for vpc in (requester, accepter):
        w.account.ok("ModifyVpcAttribute", {"VpcId": vpc, "EnableDnsHostnames.Value": "true"})
    peering = w.make("documented pcx", "CreateVpcPeeringConnection",
                     {"VpcId": requester, "PeerVpcId": accepter}, "vpcPeeringConnectionId")
    w.account.ok("AcceptVpcPeeringConnection", {"VpcPeeringConnectionId": peering})
    w.await_word("DescribeVpcPeeringConnections", {"VpcPeeringConnectionId.1": peering}, ".//status/code", "active")
    return {"pcx-aaaabbbb": peering}


@before("create-default-vpc 1")
def delete_default_vpc(w):
    call, vpc = w.account.ok, one_of(w, "DescribeVpcs", {"Filter.1.Name": "is-default", "Filter.1.Value.1": "true"}, "vpcId")
    of_it = {"Filter.1.Name": "vpc-id", "Filter.1.Value.1": vpc}
    call("DeleteFleets", {"FleetId.1": w.ids["fleet"], "FleetId.2": w.ids["spare fleet"], "TerminateInstances": "true"})
    call("CancelSpotFleetRequests", {"SpotFleetRequestId.1": w.ids["sfr"], "SpotFleetRequestId.2": w.ids["spare sfr"], "TerminateInstances": "true"})
    w.account.dev.rest()
    for subnet in call("DescribeSubnets", of_it).all(".//subnetId"):
        call("DeleteSubnet", {"SubnetId": subnet})
    gateway = one_of(w, "DescribeInternetGateways",
                     {"Filter.1.Name": "attachment.vpc-id", "Filter.1.Value.1": vpc}, "internetGatewayId")
    call("DetachInternetGateway", {"InternetGatewayId": gateway, "VpcId": vpc})
    for group in call("DescribeSecurityGroups", of_it).root.findall(".//securityGroupInfo/item"):
        if group.findtext("groupName") != "default":
            call("DeleteSecurityGroup", {"GroupId": group.findtext("groupId")})
    call("DeleteVpc", {"VpcId": vpc})
    return {}


@before("create-egress-only-internet-gateway 1")
def name_loose_vpc(w):
    return {"vpc": w.ids["loose vpc"]}


@before("associate-subnet-cidr-block 1")
def name_bare_subnet(w):
    return {"subnet": w.ids["bare subnet"], "2001:db8:1234:1a00::/64": w.ids["free part"]}


@before("create-subnet 2")
def choose_both_blocks(w):
    return {"10.0.0.0/24": "10.1.101.0/24", "2600:1f16:cfe:3660::/64": str(next(w.parts))}


@before("create-subnet 3")
def choose_ipv6_block(w):
    return {"2600:1f16:115:200::/64": str(next(w.parts))}


@before("disassociate-vpc-cidr-block 1")
def associate_ipv6_block(w):
    return {"vpc-cidr-assoc": one_of(w, "AssociateVpcCidrBlock", {
        "VpcId": w.ids["peer vpc"], "AmazonProvidedIpv6CidrBlock": "true"}, "associationId")}


@before("disassociate-vpc-cidr-block 2")
def associate_block(w):
    return {"vpc-cidr-assoc": one_of(w, "AssociateVpcCidrBlock", {
        "VpcId": w.ids["peer vpc"], "CidrBlock": "10.86.0.0/16"}, "associationId")}


@before("describe-route-tables 1")
def route_to_nat(w):
    w.account.ok("CreateRoute", {"RouteTableId": w.ids["rtb"], "DestinationCidrBlock": "198.51.100.0/24",
                                 "NatGatewayId": w.ids["nat"]})
    return {}


# ---- prefix lists and rules ----

@before("get-managed-prefix-list-entries 1", "modify-managed-prefix-list 1")
def make_prefix_list(w):
    return {"pl": w.make("documented pl", "CreateManagedPrefixList", {
        "PrefixListName": "documented", "MaxEntries": 5, "AddressFamily": "IPv4", "Entry.1.Cidr": "10.0.0.0/16",
        "Entry.1.Description": "vpc-a", "Entry.2.Cidr": "10.2.0.0/16", "Entry.2.Description": "vpc-b"}, "prefixListId")}


def authorize(w, direction, port, **peer):
    w.account.ok(f"AuthorizeSecurityGroup{direction}", {
        "GroupId": w.ids["sg"], "IpPermissions.1.IpProtocol": "tcp", "IpPermissions.1.FromPort": port,
        "IpPermissions.1.ToPort": port, **{f"IpPermissions.1.{name}": value for name, value in peer.items()}})
    return {}


@before("update-security-group-rule-descriptions-egress 1")
def authorize_egress(w):
    return authorize(w, "Egress", 80, **{"IpRanges.1.CidrIp": "203.0.113.0/24"})


@before("update-security-group-rule-descriptions-ingress 1")
def authorize_ingress(w):
    return authorize(w, "Ingress", 22, **{"IpRanges.1.CidrIp": "203.0.113.0/16"})


@before("update-security-group-rule-descriptions-ingress 2")
def authorize_list(w):
    return authorize(w, "Ingress", 22, **{"PrefixListIds.1.PrefixListId": w.ids["pl"]})

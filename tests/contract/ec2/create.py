#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/ec2
"""Whatever creates something: made with boto3, described again, and compared member by member, with
every parameter that is built and with the defaults of those that are left out. An action that
creates and is not in the table fails, and so does a parameter that no row of it gives."""
import base64
import ipaddress
import itertools
import os
import re
import sys
import uuid

import botocore.exceptions
import jmespath
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import uefi_data  # noqa: E402
from dev import Dev, dump  # noqa: E402
from world import VALUES, ids_in  # noqa: E402
import waiting  # noqa: E402

ACTIONS = {a["name"]: a for a in dump()["actions"]}
CREATES = re.compile("(Allocate|Assign|Associate|Attach|Authorize|Copy|Create|Import|Register|Request|Run)[A-Z]")

KEY = " ".join(base64.b64decode(VALUES["PublicKeyMaterial"]).decode().split()[:2])
TAGS = [{"Key": "colour", "Value": "red"}, {"Key": "empty", "Value": ""}]


def tags(kind):
    return [{"ResourceType": kind, "Tags": TAGS}]


class Some:
    """A text of that form."""

    def __init__(self, pattern="(?s).+"):
        self.pattern = pattern

    def __eq__(self, other):
        return bool(re.fullmatch(self.pattern, str(other)))

    def __repr__(self):
        return f"Some({self.pattern!r})"


UEFI_DATA = base64.b64encode(uefi_data.write({"Motto": uefi_data.Variable("Motto", b"given", uefi_data.GLOBAL, 7, None, None)})).decode()
KMS_KEY = Some(r"arn:aws:kms:us-east-1:\d{12}:key/[0-9a-f-]{36}")
TEMPLATE = {
    "ImageId": "ami-0123456789abcdef0", "InstanceType": "t3.micro", "KeyName": "a-key", "EbsOptimized": True,
    "IamInstanceProfile": {"Arn": "arn:aws:iam::111122223333:instance-profile/web", "Name": "job"}, "Monitoring": {"Enabled": True},
    "Placement": {"AvailabilityZone": "us-east-1b", "GroupName": "parts", "GroupId": "pg-0123456789abcdef0", "PartitionNumber": 2,
                  "Tenancy": "host", "Affinity": "host", "HostId": "h-0123456789abcdef0"},
    "DisableApiTermination": True, "DisableApiStop": False, "InstanceInitiatedShutdownBehavior": "terminate", "UserData": "IyEvYmluL3NoCg==",
    "SecurityGroupIds": ["sg-0123456789abcdef0"], "SecurityGroups": ["web"], "CreditSpecification": {"CpuCredits": "standard"},
    "MetadataOptions": {"HttpTokens": "required", "HttpEndpoint": "enabled", "HttpPutResponseHopLimit": 3, "InstanceMetadataTags": "disabled", "HttpProtocolIpv6": "enabled"},
    "PrivateDnsNameOptions": {"HostnameType": "resource-name", "EnableResourceNameDnsARecord": True, "EnableResourceNameDnsAAAARecord": True},
    "MaintenanceOptions": {"AutoRecovery": "disabled"},
    "BlockDeviceMappings": [
        {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": "snap-0123456789abcdef0", "VolumeSize": 9, "VolumeType": "gp3", "Iops": 3500, "Encrypted": True, "KmsKeyId": "alias/aws/ebs",
                                            "Throughput": 200, "DeleteOnTermination": False}},
        {"DeviceName": "/dev/sdh", "VirtualName": "ephemeral0"}, {"DeviceName": "/dev/sdi", "NoDevice": ""}],
    "NetworkInterfaces": [
        {"DeviceIndex": 0, "NetworkInterfaceId": "eni-0123456789abcdef0", "SubnetId": "subnet-0123456789abcdef0", "Description": "first",
         "Groups": ["sg-0123456789abcdef1"], "PrivateIpAddress": "10.20.1.33", "SecondaryPrivateIpAddressCount": 4,
         "PrivateIpAddresses": [{"PrivateIpAddress": "10.20.1.34", "Primary": True}], "AssociatePublicIpAddress": False,
         "DeleteOnTermination": True, "Ipv6AddressCount": 3, "Ipv6Addresses": [{"Ipv6Address": "2001:db8::9"}],
         "Ipv4PrefixCount": 1, "Ipv4Prefixes": [{"Ipv4Prefix": "10.20.1.48/28"}], "Ipv6PrefixCount": 2, "Ipv6Prefixes": [{"Ipv6Prefix": "2001:db8::/80"}]}],
    "TagSpecifications": [{"ResourceType": "instance", "Tags": TAGS}, {"ResourceType": "volume", "Tags": [{"Key": "of", "Value": "disks"}]}],
}


# Action, its arguments; what is kept of the answer, by label; how it is looked at, where the thing is in
# that answer, and what it has to be there. "{label}" stands for what was kept; "+Name" is a wire parameter that the model of Debian's boto3 has not.
# Actions that it has not are said as they are on the wire.
DEFAULT = [{"Name": "default-for-az", "Values": ["true"]}]

ROWS = [
    # Before anything is launched, while hosts are empty.
    ("AllocateHosts", {"AvailabilityZone": "us-east-1b", "Quantity": 2, "InstanceType": "t3.nano", "AutoPlacement": "off", "ClientToken": "hosts",
                       "HostRecovery": "on", "TagSpecifications": tags("dedicated-host")}, {"h": "HostIds[0]"}, "DescribeHosts", {"HostIds": ["{h}"]}, "Hosts[0]",
     {"HostId": "{h}", "AvailabilityZone": "us-east-1b", "AutoPlacement": "off", "State": "available", "Tags": TAGS, "ClientToken": "hosts", "Instances": [],
      "HostProperties.InstanceType": "t3.nano", "HostProperties.InstanceFamily": "t3", "AllowsMultipleInstanceTypes": "off", "OwnerId": "{owner}",
      "HostRecovery": "on"}),
    ("AllocateHosts", {"AvailabilityZone": "us-east-1a", "Quantity": 1, "InstanceFamily": "t3"}, {"family h": "HostIds[0]"}, "DescribeHosts",
     {"HostIds": ["{family h}"]}, "Hosts[0]",
     {"AvailabilityZone": "us-east-1a", "AutoPlacement": "on", "HostProperties.InstanceFamily": "t3", "HostProperties.InstanceType": None,
      "AllowsMultipleInstanceTypes": "on", "Tags": [], "HostRecovery": "off"}),
    # Before anything is launched, which might draw it.
    ("AllocateAddress", {"Domain": "vpc", "Address": "198.19.113.200", "NetworkBorderGroup": "us-east-1", "TagSpecifications": tags("elastic-ip")},
     {"eip": "AllocationId"}, "DescribeAddresses", {"AllocationIds": ["{eip}"]}, "Addresses[0]",
     {"PublicIp": "198.19.113.200", "Domain": "vpc", "NetworkBorderGroup": "us-east-1", "Tags": TAGS, "AssociationId": None}),
    ("CreateDefaultVpc", {}, {"default vpc": "Vpc.VpcId"}, "DescribeVpcs", {"VpcIds": ["{default vpc}"]}, "Vpcs[0]",
     {"IsDefault": True, "CidrBlock": "172.31.0.0/16", "OwnerId": "{owner}", "Tags": []}),
    ("DescribeSubnets", {"Filters": DEFAULT}, {"one": "Subnets[0].SubnetId", "two": "Subnets[1].SubnetId"}, "DescribeInternetGateways",
     {"Filters": [{"Name": "attachment.vpc-id", "Values": ["{default vpc}"]}]}, "@", {"length(InternetGateways)": 1}),
    ("DeleteSubnet", {"SubnetId": "{one}"}, {}, "DescribeSubnets", {"Filters": DEFAULT}, "@", {"length(Subnets)": 1}),
    ("DeleteSubnet", {"SubnetId": "{two}"}, {}, "DescribeSubnets", {"Filters": DEFAULT}, "@", {"length(Subnets)": 0}),
    ("CreateDefaultSubnet", {"AvailabilityZone": "us-east-1b"}, {"default b": "Subnet.SubnetId"}, "DescribeSubnets", {"SubnetIds": ["{default b}"]},
     "Subnets[0]", {"VpcId": "{default vpc}", "CidrBlock": "172.31.0.0/20", "AvailabilityZone": "us-east-1b", "DefaultForAz": True,
                    "MapPublicIpOnLaunch": True, "Tags": []}),
    ("CreateDefaultSubnet", {"AvailabilityZone": "", "+AvailabilityZoneId": "use1-az1"}, {"default a": "Subnet.SubnetId"}, "DescribeSubnets",
     {"SubnetIds": ["{default a}"]}, "Subnets[0]", {"CidrBlock": "172.31.16.0/20", "AvailabilityZoneId": "use1-az1", "DefaultForAz": True}),
    ("CreateVpc", {"CidrBlock": "10.20.0.0/16", "TagSpecifications": tags("vpc")}, {"vpc": "Vpc.VpcId"},
     "DescribeVpcs", {"VpcIds": ["{vpc}"]}, "Vpcs[0]",
     {"CidrBlock": "10.20.0.0/16", "State": "available", "IsDefault": False, "InstanceTenancy": "default", "OwnerId": "{owner}",
      "Tags": TAGS, "CidrBlockAssociationSet[0].CidrBlockState.State": "associated", "Ipv6CidrBlockAssociationSet": []}),
    ("AssociateVpcCidrBlock", {"VpcId": "{vpc}", "CidrBlock": "10.65.0.0/16"}, {"block": "CidrBlockAssociation.AssociationId"},
     "DescribeVpcs", {"Filters": [{"Name": "cidr-block-association.association-id", "Values": ["{block}"]}]}, "Vpcs[0]",
     {"VpcId": "{vpc}", "CidrBlock": "10.20.0.0/16", "CidrBlockAssociationSet[1].AssociationId": "{block}",
      "CidrBlockAssociationSet[1].CidrBlock": "10.65.0.0/16", "CidrBlockAssociationSet[1].CidrBlockState.State": "associated"}),
    ("DisassociateVpcCidrBlock", {"AssociationId": "{block}"}, {"block": "CidrBlockAssociation.AssociationId"},
     "DescribeVpcs", {"VpcIds": ["{vpc}"]}, "Vpcs[0]", {"CidrBlockAssociationSet[].CidrBlock": ["10.20.0.0/16"]}),
    ("CreateSubnet", {"VpcId": "{vpc}", "CidrBlock": "10.20.1.0/24", "AvailabilityZone": "us-east-1b", "TagSpecifications": tags("subnet")},
     {"subnet": "Subnet.SubnetId"}, "DescribeSubnets", {"SubnetIds": ["{subnet}"]}, "Subnets[0]",
     {"VpcId": "{vpc}", "CidrBlock": "10.20.1.0/24", "AvailabilityZone": "us-east-1b", "AvailabilityZoneId": "use1-az2",
      "AvailableIpAddressCount": 251, "DefaultForAz": False, "MapPublicIpOnLaunch": False, "State": "available", "Tags": TAGS,
      "AssignIpv6AddressOnCreation": False, "SubnetArn": Some("arn:aws:ec2:us-east-1:{owner}:subnet/{subnet}")}),
    ("AssociateVpcCidrBlock", {"VpcId": "{vpc}", "AmazonProvidedIpv6CidrBlock": True, "Ipv6CidrBlockNetworkBorderGroup": "us-east-1"},
     {"six": "Ipv6CidrBlockAssociation.AssociationId"},
     "DescribeVpcs", {"Filters": [{"Name": "ipv6-cidr-block-association.association-id", "Values": ["{six}"]}]}, "Vpcs[0]",
     {"VpcId": "{vpc}", "Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock": Some("[0-9a-f:]+::/56"),
      "Ipv6CidrBlockAssociationSet[0].NetworkBorderGroup": "us-east-1",
      "Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlockState.State": "associated"}),
    ("DisassociateVpcCidrBlock", {"AssociationId": "{six}"}, {"six": "Ipv6CidrBlockAssociation.AssociationId"},
     "DescribeVpcs", {"VpcIds": ["{vpc}"]}, "Vpcs[0]", {"Ipv6CidrBlockAssociationSet": []}),
    ("CreateSubnet", {"VpcId": "{vpc}", "CidrBlock": "10.20.2.0/28", "AvailabilityZoneId": "use1-az1"}, {"small": "Subnet.SubnetId"},
     "DescribeSubnets", {"SubnetIds": ["{small}"]}, "Subnets[0]",
     {"AvailabilityZone": "us-east-1a", "AvailabilityZoneId": "use1-az1", "AvailableIpAddressCount": 11, "Tags": []}),
    ("CreateSubnetCidrReservation", {"SubnetId": "{small}", "Cidr": "10.20.2.8/29", "ReservationType": "explicit", "Description": "by hand",
                                     "TagSpecifications": tags("subnet-cidr-reservation")}, {"scr": "SubnetCidrReservation.SubnetCidrReservationId"},
     "GetSubnetCidrReservations", {"SubnetId": "{small}"}, "@",
     {"SubnetIpv4CidrReservations[0].SubnetCidrReservationId": "{scr}", "SubnetIpv4CidrReservations[0].SubnetId": "{small}",
      "SubnetIpv4CidrReservations[0].Cidr": "10.20.2.8/29", "SubnetIpv4CidrReservations[0].ReservationType": "explicit",
      "SubnetIpv4CidrReservations[0].OwnerId": "{owner}", "SubnetIpv4CidrReservations[0].Description": "by hand",
      "SubnetIpv4CidrReservations[0].Tags": TAGS}),
    ("DeleteSubnetCidrReservation", {"SubnetCidrReservationId": "{scr}"}, {"scr": "DeletedSubnetCidrReservation.SubnetCidrReservationId"},
     "GetSubnetCidrReservations", {"SubnetId": "{small}"}, "@", {"SubnetIpv4CidrReservations": []}),
    ("CreateInternetGateway", {"TagSpecifications": tags("internet-gateway")}, {"igw": "InternetGateway.InternetGatewayId"},
     "DescribeInternetGateways", {"InternetGatewayIds": ["{igw}"]}, "InternetGateways[0]",
     {"Attachments": [], "OwnerId": "{owner}", "Tags": TAGS}),
    ("AttachInternetGateway", {"InternetGatewayId": "{igw}", "VpcId": "{vpc}"}, {},
     "DescribeInternetGateways", {"InternetGatewayIds": ["{igw}"]}, "InternetGateways[0]",
     {"Attachments": [{"State": "available", "VpcId": "{vpc}"}]}),
    ("CreateRouteTable", {"VpcId": "{vpc}", "TagSpecifications": tags("route-table"), "+ClientToken": "a-token"},
     {"rtb": "RouteTable.RouteTableId"}, "DescribeRouteTables", {"RouteTableIds": ["{rtb}"]}, "RouteTables[0]",
     {"VpcId": "{vpc}", "OwnerId": "{owner}", "Associations": [], "Tags": TAGS, "Routes[0].DestinationCidrBlock": "10.20.0.0/16",
      "Routes[0].GatewayId": "local", "Routes[0].State": "active", "Routes[0].Origin": "CreateRouteTable"}),
    ("AssociateRouteTable", {"RouteTableId": "{rtb}", "SubnetId": "{subnet}"}, {"rtbassoc": "AssociationId"},
     "DescribeRouteTables", {"RouteTableIds": ["{rtb}"]}, "RouteTables[0].Associations[0]",
     {"RouteTableAssociationId": "{rtbassoc}", "SubnetId": "{subnet}", "Main": False, "AssociationState.State": "associated"}),
    ("CreateRoute", {"RouteTableId": "{rtb}", "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "{igw}"}, {},
     "DescribeRouteTables", {"RouteTableIds": ["{rtb}"]}, "RouteTables[0].Routes[?DestinationCidrBlock=='0.0.0.0/0'] | [0]",
     {"GatewayId": "{igw}", "State": "active", "Origin": "CreateRoute"}),
    ("CreateRoute", {"RouteTableId": "{rtb}", "DestinationIpv6CidrBlock": "::/0", "GatewayId": "{igw}"}, {},
     "DescribeRouteTables", {"RouteTableIds": ["{rtb}"]}, "RouteTables[0].Routes[?DestinationIpv6CidrBlock=='::/0'] | [0]",
     {"GatewayId": "{igw}", "State": "active", "Origin": "CreateRoute"}),
    ("CreateNetworkAcl", {"VpcId": "{vpc}", "TagSpecifications": tags("network-acl"), "+ClientToken": "a-list"}, {"acl": "NetworkAcl.NetworkAclId"},
     "DescribeNetworkAcls", {"NetworkAclIds": ["{acl}"]}, "NetworkAcls[0]",
     {"VpcId": "{vpc}", "OwnerId": "{owner}", "IsDefault": False, "Associations": [], "Tags": TAGS, "Entries[].RuleNumber": [32767, 32767],
      "Entries[].RuleAction": ["deny", "deny"], "Entries[].Egress": [False, True], "Entries[].CidrBlock": ["0.0.0.0/0", "0.0.0.0/0"]}),
    ("CreateNetworkAclEntry", {"NetworkAclId": "{acl}", "RuleNumber": 90, "Protocol": "tcp", "RuleAction": "allow", "Egress": False,
                               "CidrBlock": "192.0.2.7/24", "PortRange": {"From": 80, "To": 88}}, {},
     "DescribeNetworkAcls", {"NetworkAclIds": ["{acl}"]}, "NetworkAcls[0].Entries[?RuleNumber==`90`] | [0]",
     {"RuleNumber": 90, "Protocol": "6", "RuleAction": "allow", "Egress": False, "CidrBlock": "192.0.2.0/24", "PortRange": {"From": 80, "To": 88}, "IcmpTypeCode": None}),
    ("CreateNetworkAclEntry", {"NetworkAclId": "{acl}", "RuleNumber": 91, "Protocol": "1", "RuleAction": "deny", "Egress": True,
                               "CidrBlock": "192.0.2.0/24", "IcmpTypeCode": {"Type": 3, "Code": 4}}, {},
     "DescribeNetworkAcls", {"NetworkAclIds": ["{acl}"]}, "NetworkAcls[0].Entries[?RuleNumber==`91`] | [0]",
     {"Protocol": "1", "RuleAction": "deny", "Egress": True, "CidrBlock": "192.0.2.0/24", "PortRange": None, "IcmpTypeCode": {"Type": 3, "Code": 4}}),
    ("CreateNetworkAclEntry", {"NetworkAclId": "{acl}", "RuleNumber": 92, "Protocol": "58", "RuleAction": "deny", "Egress": True,
                               "Ipv6CidrBlock": "2001:db8::/32", "IcmpTypeCode": {"Type": 128, "Code": 0}}, {},
     "DescribeNetworkAcls", {"NetworkAclIds": ["{acl}"]}, "NetworkAcls[0].Entries[?RuleNumber==`92`] | [0]",
     {"Protocol": "58", "Ipv6CidrBlock": "2001:db8::/32", "CidrBlock": None, "PortRange": None, "IcmpTypeCode": {"Type": 128, "Code": 0}}),
    ("ReplaceNetworkAclEntry", {"NetworkAclId": "{acl}", "RuleNumber": 91, "Protocol": "47", "RuleAction": "allow", "Egress": True,
                                "CidrBlock": "198.51.100.0/24"}, {},
     "DescribeNetworkAcls", {"NetworkAclIds": ["{acl}"]}, "NetworkAcls[0].Entries[?RuleNumber==`91`] | [0]",
     {"Protocol": "47", "RuleAction": "allow", "CidrBlock": "198.51.100.0/24", "PortRange": None, "IcmpTypeCode": None}),
    ("CreateSecurityGroup", {"GroupName": "web", "Description": "for the web", "VpcId": "{vpc}", "TagSpecifications": tags("security-group")},
     {"sg": "GroupId"}, "DescribeSecurityGroups", {"GroupIds": ["{sg}"]}, "SecurityGroups[0]",
     {"GroupName": "web", "Description": "for the web", "VpcId": "{vpc}", "OwnerId": "{owner}", "IpPermissions": [], "Tags": TAGS,
      "IpPermissionsEgress[0].IpProtocol": "-1", "IpPermissionsEgress[0].IpRanges[0].CidrIp": "0.0.0.0/0"}),
    ("CreateManagedPrefixList", {"PrefixListName": "office", "MaxEntries": 7, "AddressFamily": "IPv4", "TagSpecifications": tags("prefix-list"), "ClientToken": "pl-token",
                                 "Entries": [{"Cidr": "192.0.2.0/24", "Description": "here"}]}, {"pl": "PrefixList.PrefixListId"},
     "DescribeManagedPrefixLists", {"PrefixListIds": ["{pl}"]}, "PrefixLists[0]",
     {"PrefixListName": "office", "MaxEntries": 7, "AddressFamily": "IPv4", "State": "create-complete", "Version": 1, "OwnerId": "{owner}", "Tags": TAGS,
      "PrefixListArn": Some("arn:aws:ec2:us-east-1:{owner}:prefix-list/{pl}")}),
    ("CreateManagedPrefixList", {"PrefixListName": "changed", "MaxEntries": 7, "AddressFamily": "IPv6"}, {"changed pl": "PrefixList.PrefixListId"},
     "DescribeManagedPrefixLists", {"PrefixListIds": ["{changed pl}"]}, "PrefixLists[0]", {"AddressFamily": "IPv6", "Tags": []}),
    ("ModifyManagedPrefixList", {"PrefixListId": "{changed pl}", "CurrentVersion": 1, "AddEntries": [{"Cidr": "2001:db8::/32", "Description": "there"}]}, {},
     "GetManagedPrefixListEntries", {"PrefixListId": "{changed pl}"}, "@", {"Entries": [{"Cidr": "2001:db8::/32", "Description": "there"}]}),
    ("ModifyManagedPrefixList", {"PrefixListId": "{changed pl}", "CurrentVersion": 2, "RemoveEntries": [{"Cidr": "2001:db8::/32"}], "PrefixListName": "other"}, {},
     "DescribeManagedPrefixLists", {"PrefixListIds": ["{changed pl}"]}, "PrefixLists[0]", {"PrefixListName": "other", "Version": 3, "State": "modify-complete"}),
    ("RestoreManagedPrefixListVersion", {"PrefixListId": "{changed pl}", "PreviousVersion": 2, "CurrentVersion": 3}, {},
     "GetManagedPrefixListEntries", {"PrefixListId": "{changed pl}", "TargetVersion": 4}, "@", {"Entries[].Cidr": ["2001:db8::/32"]}),
    ("ModifyManagedPrefixList", {"PrefixListId": "{changed pl}", "MaxEntries": 2}, {},
     "DescribeManagedPrefixLists", {"PrefixListIds": ["{changed pl}"]}, "PrefixLists[0]", {"MaxEntries": 2, "Version": 4}),
    ("AuthorizeSecurityGroupIngress", {"GroupId": "{sg}", "IpPermissions": [
        {"IpProtocol": "udp", "FromPort": 99, "ToPort": 99, "PrefixListIds": [{"PrefixListId": "{pl}", "Description": "they"}]}]}, {},
     "DescribeSecurityGroups", {"GroupIds": ["{sg}"]}, "SecurityGroups[0].IpPermissions[?FromPort==`99`] | [0]",
     {"PrefixListIds": [{"PrefixListId": "{pl}", "Description": "they"}], "IpRanges": []}),
    ("AuthorizeSecurityGroupEgress", {"GroupId": "{sg}", "IpPermissions": [
        {"IpProtocol": "udp", "FromPort": 99, "ToPort": 99, "PrefixListIds": [{"PrefixListId": "{changed pl}", "Description": "those"}]}]}, {},
     "DescribeSecurityGroups", {"GroupIds": ["{sg}"]}, "SecurityGroups[0].IpPermissionsEgress[?FromPort==`99`] | [0]",
     {"PrefixListIds": [{"PrefixListId": "{changed pl}", "Description": "those"}], "IpRanges": []}),
    ("CreateSecurityGroup", {"GroupName": "plain", "Description": "in the default VPC"}, {"plain": "GroupId"},
     "DescribeSecurityGroups", {"GroupIds": ["{plain}"]}, "SecurityGroups[0]", {"VpcId": "{default vpc}", "Tags": None}),
    ("AuthorizeSecurityGroupIngress",
     {"GroupId": "{sg}", "TagSpecifications": tags("security-group-rule"),
      "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 88, "IpRanges": [{"CidrIp": "192.0.2.0/24", "Description": "us"}],
                         "Ipv6Ranges": [{"CidrIpv6": "2001:db8::/32", "Description": "them"}]}]},
     {"sgr": "SecurityGroupRules[0].SecurityGroupRuleId"},
     "DescribeSecurityGroupRules", {"SecurityGroupRuleIds": ["{sgr}"]}, "SecurityGroupRules[0]",
     {"GroupId": "{sg}", "GroupOwnerId": "{owner}", "IsEgress": False, "IpProtocol": "tcp", "FromPort": 80, "ToPort": 88,
      "CidrIpv4": "192.0.2.0/24", "Description": "us", "Tags": TAGS, "ReferencedGroupInfo": None}),
    ("AuthorizeSecurityGroupIngress",
     {"GroupId": "{sg}", "IpPermissions": [{"IpProtocol": "-1", "UserIdGroupPairs": [
         {"GroupId": "{sg}", "UserId": "{owner}", "VpcId": "{vpc}", "Description": "among us"}]}]},
     {"sgr": "SecurityGroupRules[0].SecurityGroupRuleId"},
     "DescribeSecurityGroupRules", {"SecurityGroupRuleIds": ["{sgr}"]}, "SecurityGroupRules[0]",
     {"IpProtocol": "-1", "FromPort": -1, "ToPort": -1, "CidrIpv4": None, "Description": "among us",
      "ReferencedGroupInfo.GroupId": "{sg}", "ReferencedGroupInfo.UserId": "{owner}"}),
    ("AuthorizeSecurityGroupIngress", {"GroupName": "plain", "IpProtocol": "udp", "FromPort": 53, "ToPort": 53, "CidrIp": "198.51.100.7/32"}, {},
     "DescribeSecurityGroups", {"GroupIds": ["{plain}"]}, "SecurityGroups[0].IpPermissions[0]",
     {"IpProtocol": "udp", "FromPort": 53, "ToPort": 53, "IpRanges": [{"CidrIp": "198.51.100.7/32"}]}),
    ("AuthorizeSecurityGroupIngress",
     {"GroupName": "plain", "IpPermissions": [{"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1, "UserIdGroupPairs": [{"GroupName": "plain"}]}]}, {},
     "DescribeSecurityGroups", {"GroupIds": ["{plain}"]}, "SecurityGroups[0].IpPermissions[?IpProtocol=='icmp'] | [0]",
     {"FromPort": 8, "ToPort": -1, "UserIdGroupPairs": [{"GroupId": "{plain}", "UserId": "{owner}"}]}),
    ("AuthorizeSecurityGroupEgress",
     {"GroupId": "{sg}", "TagSpecifications": tags("security-group-rule"),
      "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "out"}],
                         "Ipv6Ranges": [{"CidrIpv6": "::/0", "Description": "out by IPv6"}],
                         "UserIdGroupPairs": [{"GroupId": "{sg}", "GroupName": "web", "UserId": "{owner}", "VpcId": "{vpc}", "Description": "own"}]}]},
     {"egress sgr": "SecurityGroupRules[0].SecurityGroupRuleId"},
     "DescribeSecurityGroups", {"GroupIds": ["{sg}"]}, "SecurityGroups[0].IpPermissionsEgress[?IpProtocol=='tcp'] | [0]",
     {"FromPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "out"}],
      "Ipv6Ranges": [{"CidrIpv6": "::/0", "Description": "out by IPv6"}],
      "UserIdGroupPairs": [{"GroupId": "{sg}", "UserId": "{owner}", "Description": "own"}]}),
    ("AuthorizeSecurityGroupEgress", {"GroupId": "{plain}", "IpProtocol": "udp", "FromPort": 1, "ToPort": 2, "CidrIp": "192.0.2.0/24"}, {},
     "DescribeSecurityGroups", {"GroupIds": ["{plain}"]}, "SecurityGroups[0].IpPermissionsEgress[?IpProtocol=='udp'] | [0]",
     {"FromPort": 1, "ToPort": 2, "IpRanges": [{"CidrIp": "192.0.2.0/24"}]}),
    ("CreateKeyPair", {"KeyName": "drawn", "KeyType": "ed25519", "TagSpecifications": tags("key-pair")},
     {"key": "KeyPairId", "fingerprint": "KeyFingerprint"}, "DescribeKeyPairs", {"KeyNames": ["drawn"]}, "KeyPairs[0]",
     {"KeyPairId": "{key}", "KeyType": "ed25519", "KeyFingerprint": "{fingerprint}", "Tags": TAGS}),
    ("CreateKeyPair", {"KeyName": "common"}, {"material": "KeyMaterial"},
     "DescribeKeyPairs", {"KeyNames": ["common"]}, "KeyPairs[0]", {"KeyType": "rsa", "Tags": []}),
    ("ImportKeyPair", {"KeyName": "brought", "PublicKeyMaterial": VALUES["PublicKeyMaterial"], "TagSpecifications": tags("key-pair")}, {},
     "DescribeKeyPairs", {"KeyNames": ["brought"], "IncludePublicKey": True}, "KeyPairs[0]",
     {"KeyType": "ed25519", "Tags": TAGS, "PublicKey": Some(re.escape(KEY) + ".*\n?")}),
    ("CreateDhcpOptions",
     {"DhcpConfigurations": [{"Key": "domain-name", "Values": ["corp.example"]}, {"Key": "domain-name-servers", "Values": ["192.0.2.53", "192.0.2.54"]},
                             {"Key": "ntp-servers", "Values": ["192.0.2.123"]}, {"Key": "netbios-name-servers", "Values": ["192.0.2.137,192.0.2.138"]},
                             {"Key": "netbios-node-type", "Values": ["2"]}], "TagSpecifications": tags("dhcp-options")},
     {"dopt": "DhcpOptions.DhcpOptionsId"}, "DescribeDhcpOptions", {"DhcpOptionsIds": ["{dopt}"]}, "DhcpOptions[0]",
     {"DhcpOptionsId": "{dopt}", "OwnerId": "{owner}", "Tags": TAGS, "DhcpConfigurations[].Key":
      ["domain-name", "domain-name-servers", "ntp-servers", "netbios-name-servers", "netbios-node-type"],
      "DhcpConfigurations[].Values[].Value": ["corp.example", "192.0.2.53", "192.0.2.54", "192.0.2.123", "192.0.2.137", "192.0.2.138", "2"]}),
    ("CreateDhcpOptions", {"DhcpConfigurations": [{"Key": "domain-name-servers", "Values": ["AmazonProvidedDNS"]}]}, {"provided": "DhcpOptions.DhcpOptionsId"},
     "DescribeDhcpOptions", {"DhcpOptionsIds": ["{provided}"]}, "DhcpOptions[0]",
     {"DhcpConfigurations": [{"Key": "domain-name-servers", "Values": [{"Value": "AmazonProvidedDNS"}]}], "Tags": []}),
    ("AssociateDhcpOptions", {"DhcpOptionsId": "{dopt}", "VpcId": "{vpc}"}, {}, "DescribeVpcs", {"VpcIds": ["{vpc}"]}, "Vpcs[0]",
     {"DhcpOptionsId": "{dopt}", "VpcId": "{vpc}"}),
    ("AssociateDhcpOptions", {"DhcpOptionsId": "default", "VpcId": "{vpc}"}, {}, "DescribeVpcs", {"VpcIds": ["{vpc}"]}, "Vpcs[0]", {"DhcpOptionsId": "default"}),
    ("CreatePlacementGroup", {"GroupName": "parts", "Strategy": "partition", "PartitionCount": 3, "TagSpecifications": tags("placement-group")},
     {"pg": "PlacementGroup.GroupId"}, "DescribePlacementGroups", {"GroupIds": ["{pg}"]}, "PlacementGroups[0]",
     {"GroupName": "parts", "State": "available", "Strategy": "partition", "PartitionCount": 3, "GroupId": "{pg}", "Tags": TAGS,
      "GroupArn": Some("arn:aws:ec2:us-east-1:{owner}:placement-group/parts"), "SpreadLevel": None}),
    ("CreatePlacementGroup", {"GroupName": "near"}, {}, "DescribePlacementGroups", {"GroupNames": ["near"]}, "PlacementGroups[0]",
     {"Strategy": "cluster", "PartitionCount": None, "Tags": []}),
    ("CreatePlacementGroup", {"GroupName": "apart", "Strategy": "spread"}, {"apart": "PlacementGroup.GroupId"},
     "DescribePlacementGroups", {"GroupNames": ["apart"]}, "PlacementGroups[0]", {"Strategy": "spread", "SpreadLevel": "rack"}),
    ("CreateNetworkInterface",
     {"SubnetId": "{subnet}", "Description": "a port", "PrivateIpAddress": "10.20.1.44", "Groups": ["{sg}"], "ClientToken": "a-port",
      "TagSpecifications": tags("network-interface")}, {"eni": "NetworkInterface.NetworkInterfaceId"},
     "DescribeNetworkInterfaces", {"NetworkInterfaceIds": ["{eni}"]}, "NetworkInterfaces[0]",
     {"SubnetId": "{subnet}", "VpcId": "{vpc}", "Description": "a port", "PrivateIpAddress": "10.20.1.44", "Status": "available",
      "Groups": [{"GroupId": "{sg}", "GroupName": "web"}], "TagSet": TAGS, "SourceDestCheck": True, "AvailabilityZone": "us-east-1b",
      "InterfaceType": "interface", "RequesterManaged": False, "OwnerId": "{owner}", "Attachment": None,
      "PrivateIpAddresses[0].Primary": True, "MacAddress": Some("([0-9a-f]{2}:){5}[0-9a-f]{2}")}),
    ("CreateNetworkInterface", {"SubnetId": "{small}", "PrivateIpAddresses": [
        {"PrivateIpAddress": "10.20.2.9"}, {"PrivateIpAddress": "10.20.2.8", "Primary": True}]}, {"wide": "NetworkInterface.NetworkInterfaceId"},
     "DescribeNetworkInterfaces", {"NetworkInterfaceIds": ["{wide}"]}, "NetworkInterfaces[0]",
     {"PrivateIpAddress": "10.20.2.8", "PrivateIpAddresses[].[PrivateIpAddress, Primary]": [["10.20.2.8", True], ["10.20.2.9", False]]}),
    ("AssignPrivateIpAddresses", {"NetworkInterfaceId": "{wide}", "PrivateIpAddresses": ["10.20.2.10"]},
     {"assigned": "AssignedPrivateIpAddresses[0].PrivateIpAddress"}, "DescribeNetworkInterfaces",
     {"Filters": [{"Name": "addresses.private-ip-address", "Values": ["{assigned}"]}]}, "NetworkInterfaces[0]",
     {"NetworkInterfaceId": "{wide}", "PrivateIpAddresses[2].PrivateIpAddress": "10.20.2.10"}),
    ("CreateNetworkInterface", {"SubnetId": "{small}"}, {"bare": "NetworkInterface.NetworkInterfaceId"},
     "DescribeNetworkInterfaces", {"NetworkInterfaceIds": ["{bare}"]}, "NetworkInterfaces[0]",
     {"Groups[0].GroupName": "default", "Description": "", "PrivateIpAddress": Some("10.20.2.([4-9]|1[0-4])"), "TagSet": []}),
    ("CreateNetworkInterface", {"SubnetId": "{small}", "SecondaryPrivateIpAddressCount": 2}, {"counted": "NetworkInterface.NetworkInterfaceId"},
     "DescribeNetworkInterfaces", {"NetworkInterfaceIds": ["{counted}"]}, "NetworkInterfaces[0]",
     {"PrivateIpAddresses[].Primary": [True, False, False]}),
    ("AssignPrivateIpAddresses", {"NetworkInterfaceId": "{counted}", "PrivateIpAddresses": ["10.20.2.10"], "AllowReassignment": True}, {},
     "DescribeNetworkInterfaces", {"Filters": [{"Name": "addresses.private-ip-address", "Values": ["10.20.2.10"]}]}, "NetworkInterfaces[0]",
     {"NetworkInterfaceId": "{counted}"}),
    ("AssignPrivateIpAddresses", {"NetworkInterfaceId": "{wide}", "SecondaryPrivateIpAddressCount": 1}, {},
     "DescribeNetworkInterfaces", {"NetworkInterfaceIds": ["{wide}"]}, "NetworkInterfaces[0]",
     {"PrivateIpAddresses[].Primary": [True, False, False]}),
    ("CreateRoute", {"RouteTableId": "{rtb}", "DestinationCidrBlock": "198.18.0.0/15", "NetworkInterfaceId": "{eni}"}, {},
     "DescribeRouteTables", {"RouteTableIds": ["{rtb}"]}, "RouteTables[0].Routes[?DestinationCidrBlock=='198.18.0.0/15'] | [0]",
     {"NetworkInterfaceId": "{eni}", "Origin": "CreateRoute"}),
    ("CreateRouteTable", {"VpcId": "{vpc}"}, {"edge rtb": "RouteTable.RouteTableId"}, "DescribeRouteTables", {"RouteTableIds": ["{edge rtb}"]}, "RouteTables[0]", {"Associations": []}),
    ("AssociateRouteTable", {"RouteTableId": "{edge rtb}", "GatewayId": "{igw}"}, {"edge": "AssociationId"},
     "DescribeRouteTables", {"Filters": [{"Name": "association.gateway-id", "Values": ["{igw}"]}]}, "RouteTables[0].Associations[0]",
     {"RouteTableAssociationId": "{edge}", "GatewayId": "{igw}", "SubnetId": None, "Main": False, "AssociationState.State": "associated"}),
    ("ReplaceRoute", {"RouteTableId": "{edge rtb}", "DestinationCidrBlock": "10.20.0.0/16", "NetworkInterfaceId": "{eni}"}, {},
     "DescribeRouteTables", {"RouteTableIds": ["{edge rtb}"]}, "RouteTables[0].Routes[?DestinationCidrBlock=='10.20.0.0/16'] | [0]",
     {"NetworkInterfaceId": "{eni}", "GatewayId": None, "Origin": "CreateRouteTable"}),
    ("ReplaceRoute", {"RouteTableId": "{edge rtb}", "DestinationCidrBlock": "10.20.0.0/16", "LocalTarget": True}, {},
     "DescribeRouteTables", {"RouteTableIds": ["{edge rtb}"]}, "RouteTables[0].Routes[?DestinationCidrBlock=='10.20.0.0/16'] | [0]",
     {"NetworkInterfaceId": None, "GatewayId": "local", "Origin": "CreateRouteTable"}),
    ("DisassociateRouteTable", {"AssociationId": "{edge}"}, {}, "DescribeRouteTables", {"RouteTableIds": ["{edge rtb}"]}, "RouteTables[0]", {"Associations": []}),
    ("RunInstances",
     {"ImageId": "{image}", "InstanceType": "t3.small", "MinCount": 1, "MaxCount": 1, "KeyName": "drawn", "SubnetId": "{subnet}",
      "SecurityGroupIds": ["{sg}"], "PrivateIpAddress": "10.20.1.10", "UserData": "#!/bin/sh\n", "ClientToken": "an-instance",
      "Placement": {"AvailabilityZone": "us-east-1b"}, "Monitoring": {"Enabled": True}, "EbsOptimized": True,
      "IamInstanceProfile": {"Arn": "{profile arn}"},
      "DisableApiTermination": True, "DisableApiStop": True, "InstanceInitiatedShutdownBehavior": "terminate", "CreditSpecification": {"CpuCredits": "standard"},
      "MetadataOptions": {"HttpTokens": "required", "HttpEndpoint": "enabled", "HttpPutResponseHopLimit": 3, "InstanceMetadataTags": "enabled",
                          "HttpProtocolIpv6": "enabled"},
      "PrivateDnsNameOptions": {"HostnameType": "resource-name", "EnableResourceNameDnsARecord": True, "EnableResourceNameDnsAAAARecord": True},
      "MaintenanceOptions": {"AutoRecovery": "disabled"},
      "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 9, "VolumeType": "gp2", "DeleteOnTermination": False}}],
      "TagSpecifications": tags("instance") + tags("volume") + tags("network-interface")},
     {"i": "Instances[0].InstanceId", "r": "ReservationId"},
     "DescribeInstances", {"InstanceIds": ["{i}"]}, "Reservations[0].Instances[0]",
     {"ImageId": "{image}", "InstanceType": "t3.small", "KeyName": "drawn", "SubnetId": "{subnet}", "VpcId": "{vpc}", "AmiLaunchIndex": 0,
      "PrivateIpAddress": "10.20.1.10", "PrivateDnsName": "{i}.ec2.internal", "ClientToken": "an-instance", "Tags": TAGS,
      "Placement.AvailabilityZone": "us-east-1b", "Placement.Tenancy": "default", "Monitoring.State": "enabled", "EbsOptimized": True,
      "MetadataOptions.HttpTokens": "required", "MetadataOptions.HttpEndpoint": "enabled", "MetadataOptions.HttpPutResponseHopLimit": 3,
      "MetadataOptions.InstanceMetadataTags": "enabled", "MetadataOptions.HttpProtocolIpv6": "enabled",
      "PrivateDnsNameOptions.HostnameType": "resource-name", "PrivateDnsNameOptions.EnableResourceNameDnsARecord": True,
      "PrivateDnsNameOptions.EnableResourceNameDnsAAAARecord": True, "MaintenanceOptions.AutoRecovery": "disabled", "SecurityGroups": [{"GroupId": "{sg}", "GroupName": "web"}],
      "BlockDeviceMappings[0].DeviceName": "/dev/xvda", "BlockDeviceMappings[0].Ebs.DeleteOnTermination": False,
      "Architecture": "x86_64", "VirtualizationType": "hvm", "RootDeviceType": "ebs", "RootDeviceName": Some("/dev/.*"),
      "PublicIpAddress": None, "SourceDestCheck": True, "State.Name": Some("pending|running"),
      "IamInstanceProfile.Arn": "{profile arn}", "IamInstanceProfile.Id": "{profile id}",
      "NetworkInterfaces[0].Attachment.DeviceIndex": 0, "NetworkInterfaces[0].PrivateIpAddress": "10.20.1.10"}),
    ("RunInstances", {"ImageId": "{image}", "MinCount": 1, "MaxCount": 2, "SecurityGroups": ["plain"],
                      "+Placement.AvailabilityZoneId": "use1-az1"},
     {"plain i": "Instances[0].InstanceId", "plain r": "ReservationId"}, "DescribeInstances", {"InstanceIds": ["{plain i}"]}, "Reservations[0].Instances[0]",
     {"InstanceType": Some(r"\w+\.\w+"), "VpcId": "{default vpc}", "SecurityGroups[0].GroupId": "{plain}", "KeyName": None, "Tags": None,
      "PublicIpAddress": Some(r"198\.19\.\d+\.\d+"), "Placement.AvailabilityZone": "us-east-1a", "Monitoring.State": "disabled",
      "BlockDeviceMappings[0].Ebs.DeleteOnTermination": True, "MetadataOptions.HttpTokens": "optional", "ClientToken": Some(".*")}),
    ("RunInstances",
     {"ImageId": "{image}", "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1, "NetworkInterfaces": [
         {"DeviceIndex": 0, "SubnetId": "{subnet}", "PrivateIpAddresses": [{"PrivateIpAddress": "10.20.1.21", "Primary": True}]}]},
     {"list i": "Instances[0].InstanceId"}, "DescribeInstances", {"InstanceIds": ["{list i}"]}, "Reservations[0].Instances[0]",
     {"PrivateIpAddress": "10.20.1.21", "PublicIpAddress": None, "SubnetId": "{subnet}"}),
    ("RunInstances",
     {"ImageId": "{image}", "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1, "NetworkInterfaces": [
         {"DeviceIndex": 0, "SubnetId": "{subnet}", "Groups": ["{sg}"], "PrivateIpAddress": "10.20.1.20", "AssociatePublicIpAddress": True,
          "Description": "first", "DeleteOnTermination": True, "SecondaryPrivateIpAddressCount": 1}]},
     {"port i": "Instances[0].InstanceId"}, "DescribeInstances", {"InstanceIds": ["{port i}"]}, "Reservations[0].Instances[0]",
     {"PrivateIpAddress": "10.20.1.20", "PublicIpAddress": Some(r"198\.19\.\d+\.\d+"), "NetworkInterfaces[0].Description": "first",
      "NetworkInterfaces[0].PrivateIpAddresses[].Primary": [True, False], "NetworkInterfaces[0].Attachment.DeleteOnTermination": True,
      "NetworkInterfaces[0].Attachment.DeviceIndex": 0, "SecurityGroups[0].GroupId": "{sg}"}),
    ("RunInstances", {"ImageId": "{image}", "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1,
                      "Placement": {"Tenancy": "host", "HostId": "{h}", "Affinity": "host"}},
     {"hosted i": "Instances[0].InstanceId"}, "DescribeInstances", {"InstanceIds": ["{hosted i}"]}, "Reservations[0].Instances[0]",
     {"Placement.Tenancy": "host", "Placement.HostId": "{h}", "Placement.Affinity": "host", "Placement.AvailabilityZone": "us-east-1b"}),
    ("AssociateIamInstanceProfile", {"InstanceId": "{port i}", "IamInstanceProfile": {"Arn": "{profile arn}"}},
     {"iip": "IamInstanceProfileAssociation.AssociationId"}, "DescribeIamInstanceProfileAssociations", {"AssociationIds": ["{iip}"]},
     "IamInstanceProfileAssociations[0]", {"InstanceId": "{port i}", "State": "associated", "IamInstanceProfile.Arn": "{profile arn}",
                                           "IamInstanceProfile.Id": "{profile id}", "AssociationId": "{iip}"}),
    ("AssociateIamInstanceProfile", {"InstanceId": "{list i}", "IamInstanceProfile": {"Name": "web"}}, {}, "DescribeInstances", {"InstanceIds": ["{list i}"]},
     "Reservations[0].Instances[0]", {"InstanceId": "{list i}", "IamInstanceProfile.Id": "{profile id}"}),
    ("RunInstances",
     {"ImageId": "{image}", "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1, "IamInstanceProfile": {"Name": "web"}, "NetworkInterfaces": [
         {"DeviceIndex": 0, "NetworkInterfaceId": "{bare}"}]},
     {"bare i": "Instances[0].InstanceId"}, "DescribeInstances", {"InstanceIds": ["{bare i}"]}, "Reservations[0].Instances[0]",
     {"SubnetId": "{small}", "NetworkInterfaces[0].NetworkInterfaceId": "{bare}", "IamInstanceProfile.Id": "{profile id}",
      "NetworkInterfaces[0].Attachment.DeleteOnTermination": False}),
    ("CreateLaunchTemplate", {"LaunchTemplateName": "whole", "VersionDescription": "the first", "LaunchTemplateData": TEMPLATE,
                              "ClientToken": "a-template", "TagSpecifications": tags("launch-template")},
     {"whole lt": "LaunchTemplate.LaunchTemplateId"}, "DescribeLaunchTemplateVersions", {"LaunchTemplateId": "{whole lt}"}, "LaunchTemplateVersions[0]",
     {"LaunchTemplateName": "whole", "VersionNumber": 1, "VersionDescription": "the first", "DefaultVersion": True, "LaunchTemplateData": TEMPLATE,
      "CreatedBy": Some("arn:aws:iam::{owner}:root")}),
    ("CreateLaunchTemplateVersion", {"LaunchTemplateId": "{whole lt}", "VersionDescription": "the second", "LaunchTemplateData": TEMPLATE,
                                     "ClientToken": "a-version"}, {},
     "DescribeLaunchTemplateVersions", {"LaunchTemplateId": "{whole lt}", "Versions": ["2"]}, "LaunchTemplateVersions[0]",
     {"VersionNumber": 2, "VersionDescription": "the second", "DefaultVersion": False, "LaunchTemplateId": "{whole lt}", "LaunchTemplateData": TEMPLATE}),
    ("CreateLaunchTemplateVersion", {"LaunchTemplateName": "whole", "SourceVersion": "1", "LaunchTemplateData": {
        "InstanceType": "t3.large", "SecurityGroupIds": ["sg-0123456789abcdef2"], "Placement": {"GroupName": "other"}}}, {},
     "DescribeLaunchTemplateVersions", {"LaunchTemplateName": "whole", "Versions": ["$Latest"]}, "LaunchTemplateVersions[0]",
     {"LaunchTemplateName": "whole", "VersionNumber": 3, "LaunchTemplateData": {
         **{k: v for k, v in TEMPLATE.items() if k != "SecurityGroups"}, "InstanceType": "t3.large", "SecurityGroupIds": ["sg-0123456789abcdef2"],
         "Placement": {"AvailabilityZone": "us-east-1b", "GroupName": "other", "PartitionNumber": 2, "Tenancy": "host", "Affinity": "host",
                                                        "HostId": "h-0123456789abcdef0"}}}),
    ("CreateLaunchTemplate", {"LaunchTemplateName": "small", "LaunchTemplateData": {
        "ImageId": "{image}", "InstanceType": "t3.small", "DisableApiStop": True, "TagSpecifications": [
            {"ResourceType": "instance", "Tags": [{"Key": "colour", "Value": "green"}, {"Key": "of", "Value": "template"}]}]}},
     {"small lt": "LaunchTemplate.LaunchTemplateId"}, "DescribeLaunchTemplates", {"LaunchTemplateNames": ["small"]}, "LaunchTemplates[0]",
     {"LaunchTemplateId": "{small lt}", "DefaultVersionNumber": 1, "LatestVersionNumber": 1, "Tags": None}),
    ("RunInstances", {"MinCount": 1, "MaxCount": 1, "LaunchTemplate": {"LaunchTemplateId": "{small lt}"}},
     {"small i": "Instances[0].InstanceId"}, "DescribeInstances", {"InstanceIds": ["{small i}"]}, "Reservations[0].Instances[0]",
     {"ImageId": "{image}", "InstanceType": "t3.small", "Tags": [
         {"Key": "aws:ec2launchtemplate:id", "Value": "{small lt}"}, {"Key": "aws:ec2launchtemplate:version", "Value": "1"},
         {"Key": "colour", "Value": "green"}, {"Key": "of", "Value": "template"}]}),
    ("RunInstances", {"MinCount": 1, "MaxCount": 1, "InstanceType": "t3.nano", "LaunchTemplate": {"LaunchTemplateName": "small", "Version": "$Latest"},
                      "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "colour", "Value": "blue"}]}]},
     {"other i": "Instances[0].InstanceId"}, "DescribeInstances", {"InstanceIds": ["{other i}"]}, "Reservations[0].Instances[0]",
     {"ImageId": "{image}", "InstanceType": "t3.nano", "Tags[2:]": [{"Key": "colour", "Value": "blue"}, {"Key": "of", "Value": "template"}]}),
    ("RunInstances",
     {"ImageId": "{image}", "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1, "Placement": {"GroupName": "parts", "PartitionNumber": 2}},
     {"part i": "Instances[0].InstanceId"}, "DescribeInstances", {"InstanceIds": ["{part i}"]}, "Reservations[0].Instances[0]",
     {"Placement.GroupName": "parts", "Placement.PartitionNumber": 2}),
    ("RunInstances",
     {"ImageId": "{image}", "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1, "Placement": {"GroupId": "{apart}"}},
     {"apart i": "Instances[0].InstanceId"}, "DescribeInstances", {"InstanceIds": ["{apart i}"]}, "Reservations[0].Instances[0]",
     {"Placement.GroupName": "apart", "Placement.PartitionNumber": None}),
    ("AttachNetworkInterface", {"NetworkInterfaceId": "{eni}", "InstanceId": "{i}", "DeviceIndex": 1}, {"attachment": "AttachmentId"},
     "DescribeNetworkInterfaces", {"NetworkInterfaceIds": ["{eni}"]}, "NetworkInterfaces[0]",
     {"Status": "in-use", "Attachment.AttachmentId": "{attachment}", "Attachment.InstanceId": "{i}", "Attachment.DeviceIndex": 1,
      "Attachment.DeleteOnTermination": False, "Attachment.InstanceOwnerId": "{owner}"}),
    ("AllocateAddress", {"PublicIpv4Pool": "amazon"}, {"other eip": "AllocationId", "other ip": "PublicIp"}, "DescribeAddresses", {"PublicIps": ["{other ip}"]},
     "Addresses[0]", {"AllocationId": "{other eip}", "Domain": "vpc", "PublicIpv4Pool": "amazon", "Tags": None}),
    ("AssociateAddress", {"AllocationId": "{eip}", "NetworkInterfaceId": "{wide}"}, {}, "DescribeAddresses", {"AllocationIds": ["{eip}"]},
     "Addresses[0]", {"NetworkInterfaceId": "{wide}", "PrivateIpAddress": "10.20.2.8", "InstanceId": None}),
    ("AssociateAddress", {"AllocationId": "{eip}", "NetworkInterfaceId": "{eni}", "PrivateIpAddress": "10.20.1.44", "AllowReassociation": True},
     {"eipassoc": "AssociationId"}, "DescribeAddresses", {"AllocationIds": ["{eip}"]}, "Addresses[0]",
     {"AssociationId": "{eipassoc}", "InstanceId": "{i}", "NetworkInterfaceId": "{eni}", "PrivateIpAddress": "10.20.1.44",
      "NetworkInterfaceOwnerId": "{owner}"}),
    ("AssociateAddress", {"PublicIp": "{other ip}", "InstanceId": "{port i}"}, {}, "DescribeInstances", {"InstanceIds": ["{port i}"]},
     "Reservations[0].Instances[0]", {"PublicIpAddress": "{other ip}"}),
    ("CreateNatGateway", {"SubnetId": "{subnet}", "ConnectivityType": "private", "PrivateIpAddress": "10.20.1.60", "ClientToken": "a-nat",
                          "TagSpecifications": tags("natgateway")},
     {"nat": "NatGateway.NatGatewayId"}, "DescribeNatGateways", {"NatGatewayIds": ["{nat}"]}, "NatGateways[0]",
     {"SubnetId": "{subnet}", "VpcId": "{vpc}", "ConnectivityType": "private", "State": Some("pending|available"), "Tags": TAGS,
      "NatGatewayAddresses[0].PrivateIp": "10.20.1.60", "NatGatewayAddresses[0].PublicIp": None, "FailureCode": None, "DeleteTime": None}),
    ("AllocateAddress", {}, {"nat eip": "AllocationId", "nat ip": "PublicIp"}, "DescribeAddresses", {"PublicIps": ["{nat ip}"]},
     "Addresses[0]", {"AllocationId": "{nat eip}"}),
    ("AllocateAddress", {}, {"more eip": "AllocationId", "more ip": "PublicIp"}, "DescribeAddresses", {"PublicIps": ["{more ip}"]},
     "Addresses[0]", {"AllocationId": "{more eip}"}),
    ("CreateNatGateway", {"SubnetId": "{subnet}", "AllocationId": "{nat eip}", "+SecondaryAllocationId.1": "{more eip}"}, {"public nat": "NatGateway.NatGatewayId"},
     "DescribeNatGateways", {"NatGatewayIds": ["{public nat}"]}, "NatGateways[0]",
     {"ConnectivityType": "public", "Tags": [], "NatGatewayAddresses[].AllocationId": ["{nat eip}", "{more eip}"],
      "NatGatewayAddresses[1].PublicIp": "{more ip}", "NatGatewayAddresses[0].PublicIp": "{nat ip}",
      "NatGatewayAddresses[0].PrivateIp": Some(r"10\.20\.1\.\d+"), "NatGatewayAddresses[0].NetworkInterfaceId": Some("eni-.*")}),
    ("AllocateAddress", {}, {"third eip": "AllocationId"}, "DescribeAddresses", {"AllocationIds": ["{third eip}"]},
     "Addresses[0]", {"AllocationId": "{third eip}"}),
    ("AssociateNatGatewayAddress", {"NatGatewayId": "{public nat}", "AllocationId.1": "{third eip}", "PrivateIpAddress.1": "10.20.1.61"}, {},
     "DescribeNatGateways", {"NatGatewayIds": ["{public nat}"]}, "NatGateways[?NatGatewayAddresses[?PrivateIp=='10.20.1.61']] | [0]",
     {"NatGatewayId": "{public nat}", "NatGatewayAddresses[?PrivateIp=='10.20.1.61'].AllocationId | [0]": "{third eip}"}),
    ("CreateRoute", {"RouteTableId": "{rtb}", "DestinationCidrBlock": "203.0.112.0/24", "NatGatewayId": "{nat}"}, {},
     "DescribeRouteTables", {"RouteTableIds": ["{rtb}"]}, "RouteTables[0].Routes[?DestinationCidrBlock=='203.0.112.0/24'] | [0]",
     {"NatGatewayId": "{nat}", "State": "active", "Origin": "CreateRoute"}),
    ("CreateRoute", {"RouteTableId": "{rtb}", "DestinationCidrBlock": "192.0.2.0/24", "InstanceId": "{port i}"}, {},
     "DescribeRouteTables", {"RouteTableIds": ["{rtb}"]}, "RouteTables[0].Routes[?DestinationCidrBlock=='192.0.2.0/24'] | [0]",
     {"InstanceId": "{port i}", "InstanceOwnerId": "{owner}", "NetworkInterfaceId": Some("eni-.*"), "Origin": "CreateRoute"}),
    ("CreateVpc", {"CidrBlock": "10.44.0.0/16"}, {"peer vpc": "Vpc.VpcId"}, "DescribeVpcs", {"VpcIds": ["{peer vpc}"]}, "Vpcs[0]", {"CidrBlock": "10.44.0.0/16"}),
    ("CreateVpcPeeringConnection", {"VpcId": "{vpc}", "PeerVpcId": "{peer vpc}", "PeerOwnerId": "{owner}", "PeerRegion": "us-east-1",
                                    "TagSpecifications": tags("vpc-peering-connection")},
     {"pcx": "VpcPeeringConnection.VpcPeeringConnectionId"}, "DescribeVpcPeeringConnections", {"VpcPeeringConnectionIds": ["{pcx}"]},
     "VpcPeeringConnections[0]",
     {"RequesterVpcInfo.VpcId": "{vpc}", "AccepterVpcInfo.VpcId": "{peer vpc}", "AccepterVpcInfo.OwnerId": "{owner}", "AccepterVpcInfo.Region": "us-east-1",
      "Status.Code": "pending-acceptance", "Tags": TAGS, "AccepterVpcInfo.CidrBlock": None}),
    ("CreateRoute", {"RouteTableId": "{rtb}", "DestinationCidrBlock": "10.44.0.0/16", "VpcPeeringConnectionId": "{pcx}"}, {},
     "DescribeRouteTables", {"RouteTableIds": ["{rtb}"]}, "RouteTables[0].Routes[?DestinationCidrBlock=='10.44.0.0/16'] | [0]",
     {"VpcPeeringConnectionId": "{pcx}", "State": "blackhole", "Origin": "CreateRoute"}),
    ("AcceptVpcPeeringConnection", {"VpcPeeringConnectionId": "{pcx}"}, {}, "DescribeVpcPeeringConnections",
     {"VpcPeeringConnectionIds": ["{pcx}"]}, "VpcPeeringConnections[0]", {"Status.Code": Some("provisioning|active")}),
    ("CreateSecurityGroup", {"GroupName": "peers", "Description": "there", "VpcId": "{peer vpc}"}, {"peer sg": "GroupId"},
     "DescribeSecurityGroups", {"GroupIds": ["{peer sg}"]}, "SecurityGroups[0]", {"VpcId": "{peer vpc}"}),
    *((f"AuthorizeSecurityGroup{way}", {"GroupId": "{sg}", "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 77, "ToPort": 77, "UserIdGroupPairs": [
        {"GroupId": "{peer sg}", "VpcId": "{peer vpc}", "VpcPeeringConnectionId": "{pcx}", "PeeringStatus": "active"}]}]}, {},
       "DescribeSecurityGroups", {"GroupIds": ["{sg}"]}, f"SecurityGroups[0].{where}[?FromPort==`77`].UserIdGroupPairs[] | [0]",
       {"GroupId": "{peer sg}", "VpcId": "{peer vpc}", "VpcPeeringConnectionId": "{pcx}", "PeeringStatus": Some("provisioning|active")})
      for way, where in [("Ingress", "IpPermissions"), ("Egress", "IpPermissionsEgress")]),
    ("AssociateSecurityGroupVpc", {"GroupId": "{sg}", "VpcId": "{peer vpc}"}, {}, "DescribeSecurityGroupVpcAssociations", {"Filter.1.Name": "group-id", "Filter.1.Value.1": "{sg}"},
     "securityGroupVpcAssociationSet[0]",
     {"groupId": "{sg}", "vpcId": "{peer vpc}", "state": "associated", "groupOwnerId": "{owner}", "vpcOwnerId": "{owner}"}),
    ("DisassociateSecurityGroupVpc", {"GroupId": "{sg}", "VpcId": "{peer vpc}"}, {}, "DescribeSecurityGroupVpcAssociations", {}, "@", {"securityGroupVpcAssociationSet": None}),
    ("CreateVpc", {"CidrBlock": "10.46.0.0/16", "AmazonProvidedIpv6CidrBlock": True, "Ipv6CidrBlockNetworkBorderGroup": "us-east-1",
                   "InstanceTenancy": "dedicated"},
     {"six vpc": "Vpc.VpcId", "six block": "then Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock"}, "DescribeVpcs", {"VpcIds": ["{six vpc}"]}, "Vpcs[0]",
     {"Ipv6CidrBlockAssociationSet[0].NetworkBorderGroup": "us-east-1", "Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlockState.State": "associated",
      "Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock": Some("[0-9a-f:]+::/56"),
      "InstanceTenancy": "dedicated"}),
    ("DescribeIpv6Pools", {}, {"pool": "Ipv6Pools[0].PoolId"}, "DescribeIpv6Pools", {}, "Ipv6Pools[0]",
     {"PoolId": Some("ipv6pool-ec2-[0-9a-f]+"), "PoolCidrBlocks[0].Cidr": Some("[0-9a-f:]+/[0-9]+"), "Tags": []}),
    ("AssociateVpcCidrBlock", {"VpcId": "{six vpc}", "Ipv6Pool": "{pool}"},
     {"pooled": "Ipv6CidrBlockAssociation.AssociationId", "pool block": "then Ipv6CidrBlockAssociationSet[1].Ipv6CidrBlock"},
     "DescribeVpcs", {"VpcIds": ["{six vpc}"]}, "Vpcs[0]", {"Ipv6CidrBlockAssociationSet[1].Ipv6Pool": "{pool}"}),
    ("DisassociateVpcCidrBlock", {"AssociationId": "{pooled}"}, {}, "DescribeVpcs", {"VpcIds": ["{six vpc}"]}, "Vpcs[0]",
     {"length(Ipv6CidrBlockAssociationSet)": 1}),
    ("AssociateVpcCidrBlock", {"VpcId": "{six vpc}", "Ipv6Pool": "{pool}", "Ipv6CidrBlock": "{pool block}"},
     {"pooled again": "Ipv6CidrBlockAssociation.AssociationId"}, "DescribeVpcs", {"VpcIds": ["{six vpc}"]}, "Vpcs[0]",
     {"Ipv6CidrBlockAssociationSet[1].Ipv6CidrBlock": "{pool block}", "Ipv6CidrBlockAssociationSet[1].Ipv6Pool": "{pool}"}),
    ("DisassociateVpcCidrBlock", {"AssociationId": "{pooled again}"}, {}, "DescribeVpcs", {"VpcIds": ["{six vpc}"]}, "Vpcs[0]",
     {"length(Ipv6CidrBlockAssociationSet)": 1}),
    ("CreateVpc", {"CidrBlock": "10.47.0.0/16", "Ipv6Pool": "{pool}", "Ipv6CidrBlock": "{pool block}"},
     {"pool vpc": "Vpc.VpcId"}, "DescribeVpcs", {"VpcIds": ["{pool vpc}"]}, "Vpcs[0]",
     {"Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock": "{pool block}", "Ipv6CidrBlockAssociationSet[0].Ipv6Pool": "{pool}"}),
    ("CreateEgressOnlyInternetGateway", {"VpcId": "{six vpc}", "ClientToken": "an-eigw", "TagSpecifications": tags("egress-only-internet-gateway")},
     {"eigw": "EgressOnlyInternetGateway.EgressOnlyInternetGatewayId"}, "DescribeEgressOnlyInternetGateways", {"EgressOnlyInternetGatewayIds": ["{eigw}"]},
     "EgressOnlyInternetGateways[0]", {"Attachments": [{"State": "attached", "VpcId": "{six vpc}"}], "Tags": TAGS}),
    ("CreateRouteTable", {"VpcId": "{six vpc}"}, {"six rtb": "RouteTable.RouteTableId"}, "DescribeRouteTables", {"RouteTableIds": ["{six rtb}"]},
     "RouteTables[0]", {"VpcId": "{six vpc}", "Routes[?DestinationIpv6CidrBlock].GatewayId": ["local"]}),
    ("CreateRoute", {"RouteTableId": "{six rtb}", "DestinationIpv6CidrBlock": "2001:db8:e100::/40", "EgressOnlyInternetGatewayId": "{eigw}"}, {},
     "DescribeRouteTables", {"RouteTableIds": ["{six rtb}"]}, "RouteTables[0].Routes[?DestinationIpv6CidrBlock=='2001:db8:e100::/40'] | [0]",
     {"EgressOnlyInternetGatewayId": "{eigw}", "State": "active", "Origin": "CreateRoute"}),
    ("DeleteEgressOnlyInternetGateway", {"EgressOnlyInternetGatewayId": "{eigw}"}, {}, "DescribeRouteTables", {"RouteTableIds": ["{six rtb}"]},
     "RouteTables[0].Routes[?DestinationIpv6CidrBlock=='2001:db8:e100::/40'] | [0]", {"EgressOnlyInternetGatewayId": "{eigw}", "State": "blackhole"}),
    ("CreateSubnet", {"VpcId": "{six vpc}", "CidrBlock": "10.46.1.0/24", "Ipv6CidrBlock": "{six block first}"}, {"six subnet": "Subnet.SubnetId"},
     "DescribeSubnets", {"SubnetIds": ["{six subnet}"]}, "Subnets[0]",
     {"Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock": "{six block first}", "CidrBlock": "10.46.1.0/24"}),
    # Named prefixes lie in it: nothing that is drawn does.
    ("CreateSubnetCidrReservation", {"SubnetId": "{six subnet}", "Cidr": "10.46.1.192/26", "ReservationType": "explicit"},
     {"kept": "SubnetCidrReservation.SubnetCidrReservationId"}, "GetSubnetCidrReservations", {"SubnetId": "{six subnet}"},
     "SubnetIpv4CidrReservations[0]", {"SubnetCidrReservationId": "{kept}", "Cidr": "10.46.1.192/26"}),
    ("CreateSubnet", {"VpcId": "{six vpc}", "CidrBlock": "10.46.2.0/24"}, {"late subnet": "Subnet.SubnetId"},
     "DescribeSubnets", {"SubnetIds": ["{late subnet}"]}, "Subnets[0]", {"Ipv6CidrBlockAssociationSet": []}),
    ("AssociateSubnetCidrBlock", {"SubnetId": "{late subnet}", "Ipv6CidrBlock": "{six block second}"},
     {"late six": "Ipv6CidrBlockAssociation.AssociationId"}, "DescribeSubnets",
     {"Filters": [{"Name": "ipv6-cidr-block-association.association-id", "Values": ["{late six}"]}]}, "Subnets[0]",
     {"SubnetId": "{late subnet}", "Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock": "{six block second}",
      "Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlockState.State": "associated"}),
    ("DisassociateSubnetCidrBlock", {"AssociationId": "{late six}"}, {"late six": "Ipv6CidrBlockAssociation.AssociationId"}, "DescribeSubnets",
     {"SubnetIds": ["{late subnet}"]}, "Subnets[0]", {"Ipv6CidrBlockAssociationSet": []}),
    # The network may still have the second part.
    ("CreateSubnet", {"VpcId": "{six vpc}", "Ipv6Native": True, "Ipv6CidrBlock": "{six block third}"}, {"native": "Subnet.SubnetId"},
     "DescribeSubnets", {"SubnetIds": ["{native}"]}, "Subnets[0]",
     {"Ipv6Native": True, "Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock": "{six block third}", "CidrBlock": None, "AvailableIpAddressCount": 0,
      "AssignIpv6AddressOnCreation": True, "MapPublicIpOnLaunch": False, "PrivateDnsNameOptionsOnLaunch.HostnameType": "resource-name"}),
    ("CreateNetworkInterface", {"SubnetId": "{native}", "Ipv6AddressCount": 2}, {"native eni": "NetworkInterface.NetworkInterfaceId"},
     "DescribeNetworkInterfaces", {"NetworkInterfaceIds": ["{native eni}"]}, "NetworkInterfaces[0]",
     {"length(Ipv6Addresses)": 2, "PrivateIpAddress": None, "PrivateIpAddresses": []}),
    ("RunInstances", {"ImageId": "{image}", "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1, "SubnetId": "{native}"},
     {"native i": "Instances[0].InstanceId"}, "DescribeInstances", {"Filters": [{"Name": "private-dns-name", "Values": ["{native i}.ec2.internal"]}]},
     "Reservations[0].Instances[0]",
     {"InstanceId": "{native i}", "PrivateDnsName": "{native i}.ec2.internal", "PrivateIpAddress": None, "PublicIpAddress": None,
      "PrivateDnsNameOptions.HostnameType": "resource-name", "length(NetworkInterfaces[0].Ipv6Addresses)": 1}),
    ("CreateNetworkInterface", {"SubnetId": "{six subnet}", "Ipv6AddressCount": 2}, {"six eni": "NetworkInterface.NetworkInterfaceId"},
     "DescribeNetworkInterfaces", {"NetworkInterfaceIds": ["{six eni}"]}, "NetworkInterfaces[0]", {"length(Ipv6Addresses)": 2}),
    ("CreateNetworkInterface", {"SubnetId": "{six subnet}", "Ipv6Addresses": [{"Ipv6Address": "{six block a}"}]}, {"other eni": "NetworkInterface.NetworkInterfaceId"},
     "DescribeNetworkInterfaces", {"NetworkInterfaceIds": ["{other eni}"]}, "NetworkInterfaces[0].Ipv6Addresses[0]", {"Ipv6Address": "{six block a}"}),
    ("CreateNetworkInterface", {"SubnetId": "{six subnet}", "Ipv4PrefixCount": 1, "Ipv6PrefixCount": 2}, {"prefix eni": "NetworkInterface.NetworkInterfaceId"},
     "DescribeNetworkInterfaces", {"NetworkInterfaceIds": ["{prefix eni}"]}, "NetworkInterfaces[0]", {"length(Ipv4Prefixes)": 1, "length(Ipv6Prefixes)": 2}),
    ("CreateNetworkInterface", {"SubnetId": "{six subnet}", "Ipv4Prefixes": [{"Ipv4Prefix": "10.46.1.192/28"}], "Ipv6Prefixes": [{"Ipv6Prefix": "{six prefix a}"}]},
     {"named eni": "NetworkInterface.NetworkInterfaceId"}, "DescribeNetworkInterfaces", {"NetworkInterfaceIds": ["{named eni}"]}, "NetworkInterfaces[0]",
     {"Ipv4Prefixes[0].Ipv4Prefix": "10.46.1.192/28", "Ipv6Prefixes[0].Ipv6Prefix": "{six prefix a}"}),
    ("AssignPrivateIpAddresses", {"NetworkInterfaceId": "{prefix eni}", "Ipv4PrefixCount": 1}, {}, "DescribeNetworkInterfaces",
     {"NetworkInterfaceIds": ["{prefix eni}"]}, "NetworkInterfaces[0]", {"length(Ipv4Prefixes)": 2}),
    ("AssignPrivateIpAddresses", {"NetworkInterfaceId": "{prefix eni}", "Ipv4Prefixes": ["10.46.1.208/28"]}, {}, "DescribeNetworkInterfaces",
     {"NetworkInterfaceIds": ["{prefix eni}"]}, "NetworkInterfaces[0].Ipv4Prefixes[?Ipv4Prefix=='10.46.1.208/28'] | [0]", {"Ipv4Prefix": "10.46.1.208/28"}),
    ("AssignIpv6Addresses", {"NetworkInterfaceId": "{prefix eni}", "Ipv6PrefixCount": 1}, {}, "DescribeNetworkInterfaces",
     {"NetworkInterfaceIds": ["{prefix eni}"]}, "NetworkInterfaces[0]", {"length(Ipv6Prefixes)": 3}),
    ("AssignIpv6Addresses", {"NetworkInterfaceId": "{named eni}", "Ipv6Prefixes": ["{six prefix b}"]}, {}, "DescribeNetworkInterfaces",
     {"NetworkInterfaceIds": ["{named eni}"]}, "NetworkInterfaces[0]", {"Ipv6Prefixes[1].Ipv6Prefix": "{six prefix b}"}),
    ("RunInstances", {"ImageId": "{image}", "InstanceType": "t3.small", "MinCount": 1, "MaxCount": 1, "NetworkInterfaces": [
        {"DeviceIndex": 0, "SubnetId": "{six subnet}", "Ipv4PrefixCount": 1, "Ipv6PrefixCount": 1},
        {"DeviceIndex": 1, "SubnetId": "{six subnet}", "Ipv4Prefixes": [{"Ipv4Prefix": "10.46.1.224/28"}], "Ipv6Prefixes": [{"Ipv6Prefix": "{six prefix c}"}]}]},
     {"prefix i": "Instances[0].InstanceId"}, "DescribeInstances", {"InstanceIds": ["{prefix i}"]}, "Reservations[0].Instances[0]",
     {"NetworkInterfaces[?Attachment.DeviceIndex==`0`].Ipv4Prefixes[] | length(@)": 1, "NetworkInterfaces[?Attachment.DeviceIndex==`0`].Ipv6Prefixes[] | length(@)": 1,
      "NetworkInterfaces[?Attachment.DeviceIndex==`1`].Ipv4Prefixes[].Ipv4Prefix": ["10.46.1.224/28"],
      "NetworkInterfaces[?Attachment.DeviceIndex==`1`].Ipv6Prefixes[].Ipv6Prefix": ["{six prefix c}"]}),
    ("AssignIpv6Addresses", {"NetworkInterfaceId": "{six eni}", "Ipv6Addresses": ["{six block b}"]}, {}, "DescribeNetworkInterfaces",
     {"NetworkInterfaceIds": ["{six eni}"]}, "NetworkInterfaces[0]",
     {"NetworkInterfaceId": "{six eni}", "length(Ipv6Addresses)": 3, "Ipv6Addresses[?ends_with(Ipv6Address, ':71')] | [0].Ipv6Address": "{six block b}"}),
    ("AssignIpv6Addresses", {"NetworkInterfaceId": "{other eni}", "Ipv6AddressCount": 2}, {}, "DescribeNetworkInterfaces",
     {"NetworkInterfaceIds": ["{other eni}"]}, "NetworkInterfaces[0]", {"length(Ipv6Addresses)": 3}),
    ("RunInstances", {"ImageId": "{image}", "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1, "SubnetId": "{six subnet}", "Ipv6AddressCount": 2},
     {"six i": "Instances[0].InstanceId"}, "DescribeInstances", {"InstanceIds": ["{six i}"]}, "Reservations[0].Instances[0].NetworkInterfaces[0]",
     {"length(Ipv6Addresses)": 2}),
    ("RunInstances", {"ImageId": "{image}", "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1, "SubnetId": "{six subnet}",
                      "Ipv6Addresses": [{"Ipv6Address": "{six block c}"}]},
     {"six i": "Instances[0].InstanceId"}, "DescribeInstances", {"InstanceIds": ["{six i}"]}, "Reservations[0].Instances[0]",
     {"Ipv6Address": "{six block c}", "NetworkInterfaces[0].Ipv6Addresses[0].Ipv6Address": "{six block c}"}),
    ("RunInstances", {"ImageId": "{image}", "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1, "NetworkInterfaces": [
        {"DeviceIndex": 0, "SubnetId": "{six subnet}", "Ipv6AddressCount": 2}, {"DeviceIndex": 1, "SubnetId": "{six subnet}", "Ipv6Addresses": [{"Ipv6Address": "{six block d}"}]}]},
     {"six i": "Instances[0].InstanceId"}, "DescribeInstances", {"InstanceIds": ["{six i}"]}, "Reservations[0].Instances[0]",
     {"NetworkInterfaces[?Attachment.DeviceIndex==`0`].Ipv6Addresses[] | length(@)": 2,
      "NetworkInterfaces[?Attachment.DeviceIndex==`1`].Ipv6Addresses[] | [0].Ipv6Address": "{six block d}"}),
    ("CreateTags", {"Resources": ["{i}", "{vpc}"], "Tags": [{"Key": "later", "Value": "yes"}, {"Key": "colour", "Value": "blue"}]}, {},
     "DescribeVpcs", {"VpcIds": ["{vpc}"]}, "Vpcs[0]",
     {"Tags": [{"Key": "colour", "Value": "blue"}, {"Key": "empty", "Value": ""}, {"Key": "later", "Value": "yes"}]}),
    # What a launch tags besides the instance.
    ("CreateTags", {"Resources": ["{i}"], "Tags": [{"Key": "empty", "Value": ""}]}, {},
     "DescribeVolumes", {"Filters": [{"Name": "attachment.instance-id", "Values": ["{i}"]}]}, "Volumes[0]",
     {"Size": 9, "VolumeType": "gp2", "State": "in-use", "Tags": TAGS, "AvailabilityZone": "us-east-1b", "Attachments[0].InstanceId": "{i}",
      "Attachments[0].DeleteOnTermination": False, "Attachments[0].Device": "/dev/xvda", "Encrypted": False}),
    ("CreateVolume", {"AvailabilityZone": "us-east-1b", "Size": 10, "VolumeType": "gp3", "Iops": 4000, "Throughput": 300,
                      "ClientToken": "a-volume", "TagSpecifications": tags("volume")}, {"data": "VolumeId"},
     "DescribeVolumes", {"VolumeIds": ["{data}"]}, "Volumes[0]",
     {"Size": 10, "VolumeType": "gp3", "Iops": 4000, "Throughput": 300, "AvailabilityZone": "us-east-1b", "Encrypted": False, "Tags": TAGS,
      "SnapshotId": "", "Attachments": [], "MultiAttachEnabled": False, "State": Some("creating|available")}),
    ("CreateVolume", {"AvailabilityZone": "", "+AvailabilityZoneId": "use1-az1", "SnapshotId": "{snap}"}, {"copy": "VolumeId"},
     "DescribeVolumes", {"VolumeIds": ["{copy}"]}, "Volumes[0]",
     {"SnapshotId": "{snap}", "VolumeType": "gp2", "Iops": 100, "AvailabilityZone": "us-east-1a", "Tags": None}),
    ("CreateVolume", {"AvailabilityZone": "us-east-1b", "Size": 4, "VolumeType": "io2", "Iops": 100, "MultiAttachEnabled": True},
     {"shared": "VolumeId"}, "DescribeVolumes", {"VolumeIds": ["{shared}"]}, "Volumes[0]", {"MultiAttachEnabled": True, "Iops": 100}),
    ("AttachVolume", {"VolumeId": "{data}", "InstanceId": "{i}", "Device": "/dev/sdf"}, {},
     "DescribeVolumes", {"VolumeIds": ["{data}"]}, "Volumes[0].Attachments[0]",
     {"InstanceId": "{i}", "Device": "/dev/sdf", "State": Some("attaching|attached"), "DeleteOnTermination": False}),
    ("RunInstances",
     {"ImageId": "{image}", "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1, "BlockDeviceMappings": [
         {"DeviceName": "/dev/sdf", "Ebs": {"SnapshotId": "{snap}", "VolumeType": "io1", "VolumeSize": 4, "Iops": 150,
                                              "Encrypted": True, "KmsKeyId": "alias/aws/ebs"}},
         {"DeviceName": "/dev/sdg", "Ebs": {"VolumeSize": 8, "VolumeType": "gp3", "Iops": 3500, "Throughput": 200}},
         {"DeviceName": "/dev/sdh", "VirtualName": "ephemeral0"}, {"DeviceName": "/dev/sdi", "NoDevice": ""}]},
     {"disks i": "Instances[0].InstanceId"}, "DescribeVolumes",
     {"Filters": [{"Name": "attachment.instance-id", "Values": ["{disks i}"]}, {"Name": "attachment.device", "Values": ["/dev/sdf"]}]},
     "Volumes[0]", {"SnapshotId": "{snap}", "Size": 4, "VolumeType": "io1", "Iops": 150, "Attachments[0].DeleteOnTermination": True,
                     "Encrypted": True, "KmsKeyId": KMS_KEY}),
    ("CreateSnapshot", {"VolumeId": "{data}", "Description": "of data", "TagSpecifications": tags("snapshot")}, {"data snap": "SnapshotId"},
     "DescribeSnapshots", {"SnapshotIds": ["{data snap}"]}, "Snapshots[0]",
     {"VolumeId": "{data}", "VolumeSize": 10, "Description": "of data", "Tags": TAGS, "State": Some("pending|completed"), "OwnerId": "{owner}",
      "Progress": Some(r"\d+%"), "Encrypted": False, "StorageTier": "standard", "OwnerAlias": None}),
    ("CreateVolume", {"AvailabilityZone": "us-east-1b", "Size": 1, "Encrypted": True, "KmsKeyId": "alias/aws/ebs"}, {"sealed": "VolumeId"},
     "DescribeVolumes", {"VolumeIds": ["{sealed}"]}, "Volumes[0]", {"Encrypted": True, "KmsKeyId": KMS_KEY}),
    ("CreateVolume", {"AvailabilityZone": "us-east-1b", "Size": 1}, {"more": "VolumeId"}, "DescribeVolumes", {"VolumeIds": ["{more}"]},
     "Volumes[0]", {"Size": 1, "VolumeType": "gp2", "Tags": None}),
    ("AttachVolume", {"VolumeId": "{more}", "InstanceId": "{i}", "Device": "/dev/sdm"}, {}, "DescribeVolumes", {"VolumeIds": ["{more}"]},
     "Volumes[0].Attachments[0]", {"InstanceId": "{i}", "Device": "/dev/sdm"}),
    ("CreateSnapshots", {"InstanceSpecification": {"InstanceId": "{i}", "ExcludeBootVolume": True, "ExcludeDataVolumeIds": ["{more}"]},
                         "Description": "all", "CopyTagsFromSource": "volume",
                         "TagSpecifications": [{"ResourceType": "snapshot", "Tags": [{"Key": "later", "Value": "yes"}]}]},
     {"all snap": "Snapshots[0].SnapshotId"}, "DescribeSnapshots", {"SnapshotIds": ["{all snap}"]}, "Snapshots[0]",
     {"VolumeId": "{data}", "Description": "all", "Tags": [*TAGS, {"Key": "later", "Value": "yes"}]}),
    ("CopySnapshot", {"SourceSnapshotId": "{snap}", "SourceRegion": "us-east-1", "Description": "own", "TagSpecifications": tags("snapshot")},
     {"own snap": "SnapshotId"}, "DescribeSnapshots", {"SnapshotIds": ["{own snap}"]}, "Snapshots[0]",
     {"State": "completed", "Progress": "100%", "Description": "own", "Tags": TAGS, "OwnerId": "{owner}", "VolumeSize": Some("{snap size}")}),
    ("CopySnapshot", {"SourceSnapshotId": "{snap}", "SourceRegion": "us-east-1", "Encrypted": True, "KmsKeyId": "alias/aws/ebs"},
     {"sealed snap": "SnapshotId"}, "DescribeSnapshots", {"SnapshotIds": ["{sealed snap}"]}, "Snapshots[0]",
     {"State": Some("pending|completed"), "Encrypted": True, "KmsKeyId": KMS_KEY}),
    ("ImportSnapshot", {"DiskContainer": {"Url": "http://127.0.0.1:9/disk"}, "Encrypted": True, "KmsKeyId": "alias/aws/ebs"}, {"sealed task": "ImportTaskId"},
     "DescribeImportSnapshotTasks", {"ImportTaskIds": ["{sealed task}"]}, "ImportSnapshotTasks[0].SnapshotTaskDetail",
     {"Encrypted": True, "KmsKeyId": KMS_KEY}),
    ("ImportImage", {"DiskContainers": [{"Url": "http://127.0.0.1:9/disk"}], "Encrypted": True, "KmsKeyId": "alias/aws/ebs"}, {"sealed machine": "ImportTaskId"},
     "DescribeImportImageTasks", {"ImportTaskIds": ["{sealed machine}"]}, "ImportImageTasks[0]", {"Encrypted": True, "KmsKeyId": KMS_KEY}),
    ("CopyImage", {"SourceImageId": "{image}", "SourceRegion": "us-east-1", "Name": "sealed", "Encrypted": True, "KmsKeyId": "alias/aws/ebs"},
     {"sealed ami": "ImageId"}, "DescribeImages", {"ImageIds": ["{sealed ami}"]}, "Images[0].BlockDeviceMappings[0].Ebs", {"Encrypted": True}),
    ("ImportSnapshot",
     {"Description": "task", "DiskContainer": {"Description": "disk", "Format": "VMDK", "Url": "http://127.0.0.1:9/disk.vmdk"}, "ClientToken": "a-disk",
      "ClientData": {"Comment": "words", "UploadStart": "2026-01-01T00:00:00Z", "UploadEnd": "2026-01-01T01:00:00Z", "UploadSize": 1.5},
      "TagSpecifications": tags("import-snapshot-task")}, {"disk task": "ImportTaskId"},
     "DescribeImportSnapshotTasks", {"ImportTaskIds": ["{disk task}"]}, "ImportSnapshotTasks[0]",
     {"Description": "task", "SnapshotTaskDetail.Description": "disk", "SnapshotTaskDetail.Format": "VMDK",
      "SnapshotTaskDetail.Url": "http://127.0.0.1:9/disk.vmdk", "Tags": TAGS, "SnapshotTaskDetail.Encrypted": False,
      "SnapshotTaskDetail.SnapshotId": None}),
    ("ImportImage",
     {"Architecture": "arm64", "BootMode": "uefi", "Description": "machine", "Platform": "Windows", "ClientToken": "a-machine",
      "ClientData": {"Comment": "words", "UploadStart": "2026-01-01T00:00:00Z", "UploadEnd": "2026-01-01T01:00:00Z", "UploadSize": 1.5},
      "DiskContainers": [{"Description": "root", "DeviceName": "/dev/sda1", "Format": "VHDX", "Url": "http://127.0.0.1:9/disk.vhdx"},
                         {"SnapshotId": "{snap}", "DeviceName": "/dev/sdf"}], "TagSpecifications": tags("import-image-task")},
     {"machine task": "ImportTaskId"}, "DescribeImportImageTasks", {"ImportTaskIds": ["{machine task}"]}, "ImportImageTasks[0]",
     {"Architecture": "arm64", "BootMode": "uefi", "Description": "machine", "Platform": "Windows", "Tags": TAGS,
      "SnapshotDetails[0].Description": "root", "SnapshotDetails[0].DeviceName": "/dev/sda1", "SnapshotDetails[0].Format": "VHDX",
      "SnapshotDetails[0].Url": "http://127.0.0.1:9/disk.vhdx", "SnapshotDetails[1].SnapshotId": "{snap}", "ImageId": None}),
    ("RegisterImage",
     {"Name": "registered", "Description": "of own", "Architecture": "x86_64", "RootDeviceName": "/dev/sda1", "EnaSupport": False,
      "BootMode": "uefi", "TpmSupport": "v2.0", "ImdsSupport": "v2.0", "UefiData": UEFI_DATA, "BillingProducts": ["bp-63a5400a"], "+TagSpecification.1.ResourceType": "image", "+TagSpecification.1.Tag.1.Key": "colour", "+TagSpecification.1.Tag.1.Value": "red",
      "BlockDeviceMappings": [
          {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 8, "VolumeType": "gp3", "Iops": 3500, "Throughput": 200, "Encrypted": True}},
          {"DeviceName": "/dev/sda1", "Ebs": {"SnapshotId": "{own snap}", "DeleteOnTermination": False}},
          {"DeviceName": "/dev/sdh", "VirtualName": "ephemeral0"}, {"DeviceName": "/dev/sdi", "NoDevice": ""}]},
     {"ami": "ImageId"}, "DescribeImages", {"ImageIds": ["{ami}"]}, "Images[0]",
     {"Name": "registered", "Description": "of own", "Architecture": "x86_64", "State": "available", "RootDeviceName": "/dev/sda1",
      "UsageOperation": "RunInstances:00g0", "PlatformDetails": "Red Hat BYOL Linux",
      "EnaSupport": False, "BootMode": "uefi", "TpmSupport": "v2.0", "ImdsSupport": "v2.0", "Public": False, "OwnerId": "{owner}", "Tags": [{"Key": "colour", "Value": "red"}],
      "BlockDeviceMappings[0].DeviceName": "/dev/sda1", "BlockDeviceMappings[0].Ebs.SnapshotId": "{own snap}",
      "BlockDeviceMappings[0].Ebs.DeleteOnTermination": False, "BlockDeviceMappings[1].Ebs.VolumeSize": 8,
      "BlockDeviceMappings[1].Ebs.Throughput": 200, "BlockDeviceMappings[1].Ebs.Iops": 3500, "BlockDeviceMappings[1].Ebs.VolumeType": "gp3",
      "BlockDeviceMappings[1].Ebs.Encrypted": True,
      "length(BlockDeviceMappings)": 2}),
    ("CopyImage", {"SourceImageId": "{ami}", "SourceRegion": "us-east-1", "Name": "copied", "Description": "copy", "CopyImageTags": True,
                   "ClientToken": "a-copy"},
     {"copied ami": "ImageId"}, "DescribeImages", {"ImageIds": ["{copied ami}"]}, "Images[0]",
     {"Name": "copied", "Description": "copy", "State": "available", "BootMode": "uefi", "length(BlockDeviceMappings)": 2, "OwnerId": "{owner}", "Tags": [{"Key": "colour", "Value": "red"}],
      "BlockDeviceMappings[0].Ebs.SnapshotId": Some("snap-[0-9a-f]{17}")}),
    ("CopyImage", {"SourceImageId": "{image}", "SourceRegion": "us-east-1", "Name": "tagged",
                   "+TagSpecification.1.ResourceType": "image", "+TagSpecification.1.Tag.1.Key": "colour",
                   "+TagSpecification.1.Tag.1.Value": "blue"},
     {"tagged ami": "ImageId"}, "DescribeImages", {"ImageIds": ["{tagged ami}"]}, "Images[0]", {"Tags": [{"Key": "colour", "Value": "blue"}]}),
    ("CreateImage",
     {"InstanceId": "{i}", "Name": "captured", "Description": "of i", "NoReboot": True, "TagSpecifications": tags("image") + tags("snapshot"),
      "BlockDeviceMappings": [
          {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 12, "VolumeType": "gp3", "Iops": 3500, "Throughput": 200, "DeleteOnTermination": True}},
          {"DeviceName": "/dev/sdf", "NoDevice": ""}, {"DeviceName": "/dev/sdm", "NoDevice": ""},
          {"DeviceName": "/dev/sdg", "Ebs": {"SnapshotId": "{own snap}"}}, {"DeviceName": "/dev/sdh", "VirtualName": "ephemeral0"},
          {"DeviceName": "/dev/sdj", "Ebs": {"VolumeSize": 1, "Encrypted": True}}]},
     {"captured ami": "ImageId"}, "DescribeImages", {"ImageIds": ["{captured ami}"]}, "Images[0]",
     {"Name": "captured", "Description": "of i", "State": Some("pending|available"), "Tags": TAGS, "RootDeviceName": "/dev/xvda",
      "BlockDeviceMappings[0].Ebs.VolumeSize": 12, "BlockDeviceMappings[0].Ebs.Iops": 3500, "BlockDeviceMappings[0].Ebs.Throughput": 200,
      "BlockDeviceMappings[0].Ebs.VolumeType": "gp3", "BlockDeviceMappings[0].Ebs.DeleteOnTermination": True, "BlockDeviceMappings[1].DeviceName": "/dev/sdg",
      "BlockDeviceMappings[1].Ebs.SnapshotId": "{own snap}", "BlockDeviceMappings[2].Ebs.Encrypted": True, "length(BlockDeviceMappings)": 3}),
    ("CreateLaunchTemplate", {"LaunchTemplateName": "slim", "LaunchTemplateData": {"InstanceType": "t3.nano", "ImageId": "{image}"}},
     {"slim lt": "LaunchTemplate.LaunchTemplateId"}, "DescribeLaunchTemplates", {"LaunchTemplateIds": ["{slim lt}"]}, "LaunchTemplates[0]",
     {"LaunchTemplateName": "slim"}),
    # What another override says of its placement none of these instances can show: nothing is launched by it.
    ("CreateFleet",
     {"Type": "instant", "ClientToken": "a-fleet", "LaunchTemplateConfigs": [
         {"LaunchTemplateSpecification": {"LaunchTemplateId": "{slim lt}", "Version": "1"}, "Overrides": [
             {"InstanceType": "t3.micro", "SubnetId": "{subnet}", "AvailabilityZone": "us-east-1b", "ImageId": "{image}", "WeightedCapacity": 2.5,
              "Priority": 1.5, "Placement": {"GroupName": "parts", "PartitionNumber": 3}},
             {"Priority": 7, "Placement": {"GroupId": "{pg}", "AvailabilityZone": "us-east-1b", "Tenancy": "host", "Affinity": "host",
                                           "HostId": "h-0123456789abcdef0"}}]},
         {"LaunchTemplateSpecification": {"LaunchTemplateName": "whole"}}],
      "TargetCapacitySpecification": {"TotalTargetCapacity": 4, "OnDemandTargetCapacity": 4, "SpotTargetCapacity": 0,
                                      "DefaultTargetCapacityType": "on-demand"},
      "OnDemandOptions": {"AllocationStrategy": "prioritized", "SingleInstanceType": True, "SingleAvailabilityZone": True, "MinTargetCapacity": 3},
      "TagSpecifications": tags("fleet")},
     {"fleet": "FleetId", "fleet i": "Instances[0].InstanceIds[0]"}, "DescribeFleets", {"FleetIds": ["{fleet}"]}, "Fleets[0]",
     {"Type": "instant", "ClientToken": "a-fleet", "FleetState": "active", "Tags": TAGS, "FulfilledCapacity": 5.0, "FulfilledOnDemandCapacity": 5.0,
      "LaunchTemplateConfigs[0].LaunchTemplateSpecification": {"LaunchTemplateId": "{slim lt}", "Version": "1"},
      "LaunchTemplateConfigs[0].Overrides[0]": {
          "InstanceType": "t3.micro", "SubnetId": "{subnet}", "AvailabilityZone": "us-east-1b", "ImageId": "{image}", "WeightedCapacity": 2.5,
          "Priority": 1.5, "Placement": {"GroupName": "parts"}},
      "LaunchTemplateConfigs[1].LaunchTemplateSpecification.LaunchTemplateName": "whole",
      "TargetCapacitySpecification": {"TotalTargetCapacity": 4, "OnDemandTargetCapacity": 4, "SpotTargetCapacity": 0,
                                      "DefaultTargetCapacityType": "on-demand"},
      "OnDemandOptions": {"AllocationStrategy": "prioritized", "SingleInstanceType": True, "SingleAvailabilityZone": True, "MinTargetCapacity": 3},
      "Errors": [], "length(Instances[0].InstanceIds)": 2, "Instances[0].InstanceType": "t3.micro", "Instances[0].Lifecycle": "on-demand"}),
]


def leaves(value, name=""):
    """(name, value) of everything in it."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from leaves(each, re.sub(r".*[.\]]", "", key) or name)
    elif isinstance(value, list):
        for each in value:
            yield from leaves(each, name)
    else:
        yield name, value


# What another look than the row's own tells: action and parameter, how it is looked at, where, what it has to be.
OTHER_LOOKS = [
    ("AllocateHosts", "Quantity", "DescribeHosts", {"Filter": [{"Name": "client-token", "Values": ["hosts"]}]}, "Hosts | length(@)", 2),
    ("CreateLaunchTemplate", "TagSpecification.N.Tag.N.Key", "DescribeLaunchTemplates", {"LaunchTemplateIds": ["{whole lt}"]}, "LaunchTemplates[0].Tags", TAGS),
    ("CreateLaunchTemplate", "TagSpecification.N.Tag.N.Value", "DescribeLaunchTemplates", {"LaunchTemplateIds": ["{whole lt}"]},
     "LaunchTemplates[0].LatestVersionNumber", 3),
    ("RunInstances", "UserData", "DescribeInstanceAttribute", {"InstanceId": "{i}", "Attribute": "userData"}, "UserData.Value", "IyEvYmluL3NoCg=="),
    ("RunInstances", "DisableApiTermination", "DescribeInstanceAttribute", {"InstanceId": "{i}", "Attribute": "disableApiTermination"},
     "DisableApiTermination.Value", True),
    ("RunInstances", "DisableApiStop", "DescribeInstanceAttribute", {"InstanceId": "{i}", "Attribute": "disableApiStop"}, "DisableApiStop.Value", True),
    ("RunInstances", "InstanceInitiatedShutdownBehavior", "DescribeInstanceAttribute",
     {"InstanceId": "{i}", "Attribute": "instanceInitiatedShutdownBehavior"}, "InstanceInitiatedShutdownBehavior.Value", "terminate"),
    ("RunInstances", "CreditSpecification.CpuCredits", "DescribeInstanceCreditSpecifications", {"InstanceIds": ["{i}"]},
     "InstanceCreditSpecifications[0].CpuCredits", "standard"),
    ("RunInstances", "MaxCount", "DescribeInstances", {"Filters": [{"Name": "reservation-id", "Values": ["{plain r}"]}]},
     "Reservations[0].Instances | length(@)", 2),
    ("RunInstances", "BlockDeviceMapping.N.NoDevice", "DescribeInstances", {"InstanceIds": ["{disks i}"]},
     "Reservations[0].Instances[0].BlockDeviceMappings[].DeviceName | sort(@)", ["/dev/sdf", "/dev/sdg", "/dev/xvda"]),
    ("RunInstances", "BlockDeviceMapping.N.Ebs.Throughput", "DescribeVolumes",
     {"Filters": [{"Name": "attachment.instance-id", "Values": ["{disks i}"]}, {"Name": "attachment.device", "Values": ["/dev/sdg"]}]},
     "Volumes[0].[Throughput, Iops, VolumeType, Size]", [200, 3500, "gp3", 8]),
    ("CreateManagedPrefixList", "Entry.N.Cidr", "GetManagedPrefixListEntries", {"PrefixListId": "{pl}"}, "Entries[].Cidr", ["192.0.2.0/24"]),
    ("CreateManagedPrefixList", "Entry.N.Description", "GetManagedPrefixListEntries", {"PrefixListId": "{pl}"}, "Entries[].Description", ["here"]),
    ("AuthorizeSecurityGroupIngress", "IpPermissions.N.PrefixListIds.N.PrefixListId", "GetManagedPrefixListAssociations", {"PrefixListId": "{pl}"},
     "PrefixListAssociations", [{"ResourceId": "{sg}", "ResourceOwner": "{owner}"}]),
    ("AuthorizeSecurityGroupIngress", "IpPermissions.N.Ipv6Ranges.N.CidrIpv6", "DescribeSecurityGroups", {"GroupIds": ["{sg}"]},
     "SecurityGroups[0].IpPermissions[?FromPort==`80`].Ipv6Ranges[].CidrIpv6", ["2001:db8::/32"]),
    ("AuthorizeSecurityGroupIngress", "IpPermissions.N.Ipv6Ranges.N.Description", "DescribeSecurityGroups", {"GroupIds": ["{sg}"]},
     "SecurityGroups[0].IpPermissions[?FromPort==`80`].Ipv6Ranges[].Description", ["them"]),
    ("AuthorizeSecurityGroupEgress", "TagSpecification.N.Tag.N.Key", "DescribeSecurityGroupRules", {"SecurityGroupRuleIds": ["{egress sgr}"]},
     "SecurityGroupRules[0].Tags", TAGS),
    ("AuthorizeSecurityGroupEgress", "TagSpecification.N.Tag.N.Value", "DescribeSecurityGroupRules", {"SecurityGroupRuleIds": ["{egress sgr}"]},
     "SecurityGroupRules[0].IsEgress", True),
    ("CreateSnapshots", "InstanceSpecification.ExcludeBootVolume", "DescribeSnapshots", {"Filters": [{"Name": "description", "Values": ["all"]}]},
     "Snapshots[].VolumeId", ["{data}"]),
    ("CreateSnapshots", "InstanceSpecification.ExcludeDataVolumeId.N", "DescribeSnapshots", {"Filters": [{"Name": "volume-id", "Values": ["{more}"]}]},
     "Snapshots", []),
    ("RegisterImage", "UefiData", "DescribeImageAttribute", {"ImageId": "{ami}", "Attribute": "uefiData"}, "UefiData.Value", UEFI_DATA),
]
# Members of a row that tell of a parameter in other words.
TELLING = {
    ("AssignIpv6Addresses", "Ipv6AddressCount"): "length(Ipv6Addresses)",
    ("AssociateVpcCidrBlock", "AmazonProvidedIpv6CidrBlock"): "Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock",
    ("CreateVpc", "AmazonProvidedIpv6CidrBlock"): "Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock",
    ("CreateNetworkInterface", "Ipv6AddressCount"): "length(Ipv6Addresses)",
    ("CreateNetworkInterface", "Ipv4PrefixCount"): "length(Ipv4Prefixes)",
    ("CreateNetworkInterface", "Ipv6PrefixCount"): "length(Ipv6Prefixes)",
    ("AssignPrivateIpAddresses", "Ipv4PrefixCount"): "length(Ipv4Prefixes)",
    ("AssignIpv6Addresses", "Ipv6PrefixCount"): "length(Ipv6Prefixes)",
    ("RunInstances", "NetworkInterface.N.Ipv4PrefixCount"): "NetworkInterfaces[?Attachment.DeviceIndex==`0`].Ipv4Prefixes[] | length(@)",
    ("RunInstances", "NetworkInterface.N.Ipv6PrefixCount"): "NetworkInterfaces[?Attachment.DeviceIndex==`0`].Ipv6Prefixes[] | length(@)",
    ("RunInstances", "Ipv6AddressCount"): "length(Ipv6Addresses)",
    ("RunInstances", "NetworkInterface.N.Ipv6AddressCount"): "NetworkInterfaces[?Attachment.DeviceIndex==`0`].Ipv6Addresses[] | length(@)",
    ("AssignPrivateIpAddresses", "AllowReassignment"): "NetworkInterfaceId",
    ("AssignPrivateIpAddresses", "SecondaryPrivateIpAddressCount"): "PrivateIpAddresses[].Primary",
    ("AssociateAddress", "AllowReassociation"): "NetworkInterfaceId",
    ("AssociateIamInstanceProfile", "IamInstanceProfile.Name"): "IamInstanceProfile.Id",
    ("AuthorizeSecurityGroupEgress", "IpPermissions.N.Groups.N.GroupName"): "UserIdGroupPairs",
    ("AuthorizeSecurityGroupIngress", "IpPermissions.N.Groups.N.GroupName"): "UserIdGroupPairs",
    ("AuthorizeSecurityGroupIngress", "GroupName"): "IpRanges",
    ("CopyImage", "CopyImageTags"): "Tags",
    ("CopyImage", "SourceImageId"): "BootMode",
    ("CopySnapshot", "SourceSnapshotId"): "VolumeSize",
    ("CreateImage", "InstanceId"): "RootDeviceName",
    ("CreateImage", "BlockDeviceMapping.N.NoDevice"): "length(BlockDeviceMappings)",
    ("CreateNetworkInterface", "PrivateIpAddresses.N.Primary"): "PrivateIpAddress",
    ("CreateNetworkInterface", "SecondaryPrivateIpAddressCount"): "PrivateIpAddresses[].Primary",
    ("CreateSnapshots", "CopyTagsFromSource"): "Tags",
    ("CreateSnapshots", "InstanceSpecification.InstanceId"): "VolumeId",
    ("CreateVolume", "AvailabilityZoneId"): "AvailabilityZone",
    ("ImportKeyPair", "PublicKeyMaterial"): "PublicKey",
    ("RegisterImage", "BlockDeviceMapping.N.NoDevice"): "length(BlockDeviceMappings)",
    ("RegisterImage", "BillingProduct.N"): "UsageOperation",
    ("RunInstances", "IamInstanceProfile.Name"): "IamInstanceProfile.Id",
    ("RunInstances", "Monitoring.Enabled"): "Monitoring.State",
    ("RunInstances", "NetworkInterface.N.AssociatePublicIpAddress"): "PublicIpAddress",
    ("RunInstances", "NetworkInterface.N.PrivateIpAddresses.N.Primary"): "PrivateIpAddress",
    ("RunInstances", "NetworkInterface.N.SecondaryPrivateIpAddressCount"): "NetworkInterfaces[0].PrivateIpAddresses[].Primary",
    ("RunInstances", "LaunchTemplate.LaunchTemplateName"): "Tags[2:]",
    ("RunInstances", "LaunchTemplate.Version"): "Tags[2:]",
    ("CreateLaunchTemplateVersion", "SourceVersion"): "LaunchTemplateData",
    ("RunInstances", "Placement.GroupId"): "Placement.GroupName",
    ("RunInstances", "Placement.AvailabilityZoneId"): "Placement.AvailabilityZone",
    ("RunInstances", "SecurityGroup.N"): "SecurityGroups[0].GroupId",
}
# What nothing shows, and why.
UNSEEN = {
    **{f"LaunchTemplateConfigs.N.Overrides.N.Placement.{name}": "as RunInstances' own" for name in (
        "AvailabilityZone", "Affinity", "GroupId", "PartitionNumber", "HostId", "Tenancy")},
    "IpPermissions.N.Groups.N.PeeringStatus": "is not looked at",
    "ClientToken": "what it does is test_token's",
    "DestinationRegion": "there is one region",
    "SourceRegion": "there is one region",
    "PresignedUrl": "is not looked at",
    "KmsKeyId": "there is one key, whichever way it is named",
    "BlockDeviceMapping.N.Ebs.KmsKeyId": "likewise",
    "ClientData.Comment": "nobody is told of it, in EC2 neither",
    "ClientData.UploadStart": "likewise",
    "ClientData.UploadEnd": "likewise",
    "ClientData.UploadSize": "likewise",
    "TagSpecification.N.ResourceType": "the tags are compared",
    "BlockDeviceMapping.N.VirtualName": "names a disk that no type has here: it is left out as EC2 does",
    "IpPermissions.N.Groups.N.VpcId": "the group says it; another is refused",
    "MinCount": "is seen when so many do not fit: tests/contract/ec2/in_use.py",
    "NoReboot": "is the guest's: tests/unit/reconcile/test_images.c",
}


def members(element):
    """Of an answer, by their names on the wire."""
    if len(element) and element[0].tag == "item":
        return [members(item) for item in element]
    return {child.tag: members(child) for child in element} if len(element) else element.text


class Region:
    """A server; what was made in it, by label; which wire parameters were sent to which action."""

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

    def end_default_vpc(self):
        """The one that came with the account: the first row makes another."""
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
        """Notes which parameters the members expected tell of: by their value, or where it is one that any
        member might have by its name."""
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
                return None  # until the hosts have brought about what was made before
        return waiting.wait_until(answer, f"{action} {arguments}: no IncorrectState", every_s=0.05)

    def call_newer(self, action, arguments):
        """What boto3 has no method for."""
        self.last = {(re.sub(r"\.\d+(?=\.|$)", ".N", name), value) for name, value in arguments.items()}
        self.sent.setdefault(action, set()).update(name for name, _ in self.last)
        return members(self.account.ok(action, arguments).root)

    def divide(self, label):
        """Parts of an IPv6 block, and addresses of the first."""
        first, second, third = itertools.islice(ipaddress.ip_network(self.made[label]).subnets(new_prefix=64), 3)
        self.made.update({f"{label} first": str(first), f"{label} second": str(second), f"{label} third": str(third)})
        self.made.update({f"{label} {name}": str(first[0x70 + n]) for n, name in enumerate("abcd")})
        prefixes = itertools.islice(first.subnets(new_prefix=80), 7, 10)
        self.made.update({f"six prefix {name}": str(prefix) for name, prefix in zip("abc", prefixes)})

    def keep(self, kept, answer):
        """By labels, what is there in the answer; "then …" of a row: in what is described afterwards."""
        for label, where in kept.items():
            self.made[label] = jmespath.search(where, answer)
            assert self.made[label], f"{where} is not in {answer}"
            if label == "six block":
                self.divide(label)

    def fill(self, value):
        """With what was made in place of labels."""
        if isinstance(value, str):
            return re.sub(r"\{([a-z ]+)\}", lambda m: self.made[m[1]], value)
        if isinstance(value, Some):
            return Some(self.fill(value.pattern))
        if isinstance(value, list):
            return [self.fill(v) for v in value]
        return {k: self.fill(v) for k, v in value.items()} if isinstance(value, dict) else value


@pytest.fixture(scope="module")
def region():
    with Dev("--hosts", "18") as dev:
        yield Region(dev)


@pytest.mark.parametrize("row", ROWS, ids=[f"{n}-{row[0]}" for n, row in enumerate(ROWS)])
def test_row(row, region):
    action, arguments, kept, describe, selection, path, expected = row
    answer = region.call(action, arguments)
    sent = region.last
    region.keep({label: where for label, where in kept.items() if not where.startswith("then ")}, answer)
    thing = jmespath.search(path, region.call(describe, selection))
    region.keep({label: where[5:] for label, where in kept.items() if where.startswith("then ")}, thing)
    wrong = [f"{member}: {jmespath.search(member, thing)!r}, not {region.fill(value)!r}" for member, value in expected.items()
             if region.fill(value) != jmespath.search(member, thing)]
    assert not wrong, "\n".join(wrong) + f"\n{thing}"
    region.compare(action, sent, expected, selection, {"": re.findall("'([^']*)'", path)})


@pytest.mark.parametrize("action, parameter, describe, selection, path, expected", OTHER_LOOKS, ids=[f"{row[0]}-{row[1]}" for row in OTHER_LOOKS])
def test_other_look(action, parameter, describe, selection, path, expected, region):
    assert parameter in region.sent[action], f"no row of {action} gives {parameter}"
    found = region.call(describe, selection)
    assert jmespath.search(path, found) == region.fill(expected), found


@pytest.mark.parametrize("action", sorted(a for a in ACTIONS if CREATES.match(a) and "never" not in ACTIONS[a]))
def test_is_whole(action, region):
    """After the rows: every built parameter was given in one of them, and what it did compared."""
    assert any(row[0] == action for row in ROWS), f"{action} creates something and is not in this table"
    built = {p["name"] for p in ACTIONS[action]["params"] if p["built"] and p["type"] != "list of structures" and p["name"] != "DryRun"}
    missing = built - region.sent.get(action, set())
    assert not missing, f"no row of {action} gives {', '.join(sorted(missing))}"
    told = {name for name in built if any(TELLING.get((action, name)) in row[6] for row in ROWS if row[0] == action)}
    looked = {row[1] for row in OTHER_LOOKS if row[0] == action}
    blind = built - region.compared[action] - told - looked - set(UNSEEN)
    assert not blind, f"no row of {action} compares {', '.join(sorted(blind))}"


# What tags of a request with a token are for: with others it is another request.
TAGGED_AS = {"CreateFleet": "fleet", "AllocateHosts": "dedicated-host", "ImportSnapshot": "import-snapshot-task", "ImportImage": "import-image-task", "RunInstances": "instance", "CreateRouteTable": "route-table", "CreateNetworkInterface": "network-interface",
             "CreateVolume": "volume", "CreateNatGateway": "natgateway", "CreateVpcPeeringConnection": "vpc-peering-connection", "CreateNetworkAcl": "network-acl", "CreateLaunchTemplate": "launch-template", "CreateManagedPrefixList": "prefix-list",
             "CreateEgressOnlyInternetGateway": "egress-only-internet-gateway"}


@pytest.mark.parametrize("action", sorted(a for a in ACTIONS if CREATES.match(a) and "never" not in ACTIONS[a] and any(p["name"] == "ClientToken" and p["built"] for p in ACTIONS[a]["params"])))
def test_token(action, region):
    """The same token and request: the same answer, and nothing more. Another request: refused."""
    row = next(row for row in ROWS if row[0] == action)
    arguments = {k: v for k, v in row[1].items() if k not in ("+ClientToken", "PrivateIpAddress", "TagSpecifications", "CidrBlock")}
    arguments["ClientToken" if "ClientToken" in row[1] else "+ClientToken"] = str(uuid.uuid4())
    for name in [name for name in arguments if name in ("Name", "LaunchTemplateName")]:
        arguments[name] = "made-twice"
    first, second = (sorted(ids_in(str(region.call(action, arguments)))) for _ in range(2))
    assert first and first == second
    other = {"TagSpecifications": [{"ResourceType": TAGGED_AS[action], "Tags": [{"Key": "other", "Value": "x"}]}]} if action in TAGGED_AS else {
        "VersionDescription" if "LaunchTemplateData" in arguments else "Description": "other words"}
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        region.call(action, {**arguments, **other})
    assert caught.value.response["Error"]["Code"] == "IdempotentParameterMismatch"


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

# SPDX-License-Identifier: Apache-2.0
"""What an account holds in the contract tests, and requests made from the face's own tables.

A World is filled with at least one resource of every kind; request() builds from `dari dump actions`
the smallest request of an action that would succeed, so that a test can spoil it in one place. What
the tables cannot say (which subnet, which range) stands in VALUES and REQUESTS below.
"""
import ipaddress
import re
import time

from dev import PATIENCE_S
from endless import Endless

IAM_VERSION = "2010-05-08"
HOSTS = ("--hosts", "24")  # options of a region that a world fits into: it takes hosts for itself
ABSENT_DIGITS = "0123456789abcdef0"  # no id of ours ends so
ID = re.compile(r"\b((?:instance-|vpc-cidr-|subnet-cidr-|iip-|import-)?[a-z]+(?:-attach)?)-[0-9a-f]{17}\b")

# Values of parameters that are words, by name.
VALUES = {
    "KmsKeyId": "alias/aws/ebs", "ServiceName": "com.amazonaws.us-east-1.s3", "PolicyDocument": "{}", "DomainName": "mail.example.com",
    "Arn": lambda w: w.profile_arn, "AttributeName": "supported-platforms", "CidrBlock": "10.1.9.0/24", "Cidr": "203.0.113.0/24", "CidrIp": "192.0.2.0/24", "CidrIpv4": "192.0.2.0/24", "CidrIpv6": "2001:db8::/32",
    "Ipv6CidrBlock": lambda w: w.ids["free part"], "Ipv6Address": lambda w: w.ids["free ipv6"], "Ipv6Addresses": lambda w: w.ids["free ipv6"],
    "Description": "words",
    "InstanceFamily": "t3", "DestinationCidrBlock": "198.18.0.0/15", "DestinationIpv6CidrBlock": "2001:db8:e000::/48", "Device": "/dev/sdh", "DeviceName": "/dev/sdf", "FromPort": "8080", "GroupDescription": "words",
    "GroupName": "fresh", "ImageId": lambda w: w.image, "InstanceType": "t3.nano", "IpProtocol": "tcp", "Key": "colour",
    "KeyName": "fresh", "LaunchTemplateName": "fresh", "LaunchTemplateVersion": "2", "KeyType": "ed25519", "MaxCount": "1", "MinCount": "1", "Name": "fresh",
    "PrefixListName": "fresh", "PrivateIpAddress": "10.1.1.77", "ResourceType": "vpc", "Egress": "true", "InstanceTenancy": "default", "Protocol": "tcp", "RuleAction": "deny", "RuleNumber": "100", "ToPort": "8080", "Value": "red",
    "PublicKeyMaterial": "c3NoLWVkMjU1MTkgQUFBQUMzTnphQzFsWkRJMU5URTVBQUFBSUxGT2ZUd1JyL1lYUHl3YTB5UXdkaVdhdnlLQ2JuL3ZGcHNo"
                         "aEhqSWxvTWIgeA==",
    "NotBefore": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 40 * 86400)),
    "DeprecateAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400)), "Size": "1", "Url": "http://127.0.0.1:9/disk", "SourceRegion": "us-east-1", "SourceDestCheck": "true", "AvailabilityZone": "us-east-1a",
}

CHANGED_RULE = {"GroupId": "sg", "SecurityGroupRule.1.SecurityGroupRuleId": "sgr", "SecurityGroupRule.1.SecurityGroupRule.IpProtocol": "=tcp",
                "SecurityGroupRule.1.SecurityGroupRule.FromPort": "=81", "SecurityGroupRule.1.SecurityGroupRule.ToPort": "=81"}

# What a request needs besides, or else than, the required parameters with the first resource of a kind: a
# resource's label, or "=" and a value. For one parameter of several that exclude each other: by both names.
REQUESTS = {
    ("AssignPrivateIpAddresses", "SecondaryPrivateIpAddressCount"): {"NetworkInterfaceId": "spare eni"},
    "AssignPrivateIpAddresses": {"NetworkInterfaceId": "spare eni", "PrivateIpAddress.1": "=10.1.1.89"},
    "AssociateAddress": {"AllocationId": "spare eipalloc", "NetworkInterfaceId": "spare eni"},
    ("AssociateAddress", "PublicIp"): {"NetworkInterfaceId": "spare eni"},
    ("AssociateAddress", "InstanceId"): {"AllocationId": "spare eipalloc"},
    ("AssociateIamInstanceProfile", "IamInstanceProfile.Arn"): {"InstanceId": "lone i"},
    "AssociateIamInstanceProfile": {"InstanceId": "lone i", "IamInstanceProfile.Name": "=contract"},
    ("ReplaceIamInstanceProfileAssociation", "IamInstanceProfile.Arn"): {},
    "ReplaceIamInstanceProfileAssociation": {"IamInstanceProfile.Name": "=contract"},
    "AssociateSecurityGroupVpc": {"GroupId": "sg", "VpcId": "loose vpc"}, "DisassociateSecurityGroupVpc": {"GroupId": "sg", "VpcId": "peer vpc"},
    "AssociateNatGatewayAddress": {"NatGatewayId": "public nat", "AllocationId.1": "spare eipalloc"},
    "AssociateRouteTable": {"RouteTableId": "spare rtb", "SubnetId": "spare subnet"},
    ("AssociateVpcCidrBlock", "AmazonProvidedIpv6CidrBlock"): {"VpcId": "spare vpc"},
    "CreateSubnet": {"CidrBlock": "=10.1.9.0/24"}, ("CreateSubnet", "Ipv6Native"): {"Ipv6CidrBlock": "free part"},
    "AssociateSubnetCidrBlock": {"SubnetId": "bare subnet", "Ipv6CidrBlock": "free part"},
    "AssignIpv6Addresses": {"NetworkInterfaceId": "spare eni", "Ipv6AddressCount": "=1"},
    ("AssignIpv6Addresses", "Ipv6Addresses"): {"NetworkInterfaceId": "spare eni"},
    "UnassignIpv6Addresses": {"NetworkInterfaceId": "loose eni", "Ipv6Addresses.1": "taken ipv6"},
    "DisassociateSubnetCidrBlock": {"AssociationId": "spare subnet-cidr-assoc"},
    "AssociateVpcCidrBlock": {"VpcId": "spare vpc", "CidrBlock": "=10.66.0.0/16"},
    "AttachInternetGateway": {"InternetGatewayId": "spare igw", "VpcId": "spare vpc"},
    "AttachNetworkInterface": {"NetworkInterfaceId": "spare eni", "InstanceId": "i", "DeviceIndex": "=2"},
    ("AuthorizeSecurityGroupEgress", "IpPermissions"): {"GroupId": "sg", "IpPermissions.1.FromPort": "=81", "IpPermissions.1.ToPort": "=81"},
    ("AuthorizeSecurityGroupIngress", "IpPermissions"): {"GroupId": "sg", "IpPermissions.1.FromPort": "=81", "IpPermissions.1.ToPort": "=81"},
    ("AuthorizeSecurityGroupIngress", "GroupName"): {"IpProtocol": "=tcp", "FromPort": "=81", "ToPort": "=81", "CidrIp": "=192.0.2.0/24"},
    "AuthorizeSecurityGroupEgress": {"GroupId": "sg", "IpProtocol": "=tcp", "FromPort": "=81", "ToPort": "=81", "CidrIp": "=192.0.2.0/24"},
    "AuthorizeSecurityGroupIngress": {"GroupId": "sg", "IpProtocol": "=tcp", "FromPort": "=81", "ToPort": "=81", "CidrIp": "=192.0.2.0/24"},
    "CopyImage": {"SourceImageId": "ami", "SourceRegion": "=us-east-1", "Name": "=fresh"},
    "CopySnapshot": {"SourceSnapshotId": "snap", "SourceRegion": "=us-east-1"},
    "CreateImage": {"InstanceId": "i", "Name": "=fresh", "NoReboot": "=true"},
    "CreateSnapshot": {"VolumeId": "plugged vol"},
    "ImportImage": {"DiskContainer.1.Url": "=http://127.0.0.1:9/disk"},
    ("ImportImage", "DiskContainer.N.SnapshotId"): {},
    "CancelImportTask": {"ImportTaskId": "endless import-snap"},
    "CreateSnapshots": {"InstanceSpecification.InstanceId": "i"},
    "DeleteSnapshot": {"SnapshotId": "spare snap"},
    "DeregisterImage": {"ImageId": "spare ami"},
    "GetInstanceUefiData": {"InstanceId": "event i"},
    "DescribeSnapshotAttribute": {"SnapshotId": "spare snap", "Attribute": "=createVolumePermission"},
    "ModifySnapshotAttribute": {"SnapshotId": "spare snap", "CreateVolumePermission.Add.1.Group": "=all"},
    ("ModifySnapshotAttribute", "CreateVolumePermission"): {"SnapshotId": "spare snap"},
    ("ModifySnapshotAttribute", "UserId"): {"SnapshotId": "spare snap", "OperationType": "=add"},
    ("ModifySnapshotAttribute", "UserGroup"): {"SnapshotId": "spare snap", "OperationType": "=add"},
    "ResetSnapshotAttribute": {"SnapshotId": "spare snap", "Attribute": "=createVolumePermission"},
    "ModifyInstanceEventStartTime": {"InstanceId": "event i", "InstanceEventId": "instance-event"},
    "EnableImageDeprecation": {"ImageId": "spare ami"},
    "DisableImageDeprecation": {"ImageId": "spare ami"},
    "DisableImage": {"ImageId": "spare ami"},
    "EnableImage": {"ImageId": "spare ami"},
    "ModifyInstanceCreditSpecification": {"InstanceCreditSpecification.1.InstanceId": "i", "InstanceCreditSpecification.1.CpuCredits": "=standard"},
    "ModifyEbsDefaultKmsKeyId": {"KmsKeyId": "=alias/aws/ebs"},
    "ModifyInstanceMetadataDefaults": {"HttpTokens": "=optional"},
    "ReportInstanceStatus": {"InstanceId.1": "i", "Status": "=ok", "ReasonCode.1": "=other"},
    "DescribeImageAttribute": {"ImageId": "spare ami", "Attribute": "=description"},
    "ModifyImageAttribute": {"ImageId": "spare ami", "Description.Value": "=words"},
    ("ModifyImageAttribute", "UserId"): {"ImageId": "spare ami", "OperationType": "=add"},
    ("ModifyImageAttribute", "UserGroup"): {"ImageId": "spare ami", "OperationType": "=add"},
    "RegisterImage": {"Name": "=fresh", "BlockDeviceMapping.1.DeviceName": "=/dev/sda1", "BlockDeviceMapping.1.Ebs.SnapshotId": "snap"},
    "ResetImageAttribute": {"ImageId": "spare ami", "Attribute": "=launchPermission"},
    "AttachVolume": {"VolumeId": "spare vol", "InstanceId": "i", "Device": "=/dev/sdh"},
    "CreateVolume": {"AvailabilityZone": "=us-east-1a", "Size": "=1"},
    ("CreateVolume", "AvailabilityZoneId"): {"Size": "=1"},
    ("CreateVolume", "SnapshotId"): {"AvailabilityZone": "=us-east-1a"},
    "DeleteVolume": {"VolumeId": "spare vol"},
    "DetachVolume": {"VolumeId": "plugged vol"},
    "ModifyVolumeAttribute": {"VolumeId": "spare vol", "AutoEnableIO.Value": "=true"},
    "DescribeVolumeAttribute": {"VolumeId": "spare vol", "Attribute": "=autoEnableIO"},
    "ModifyVolume": {"VolumeId": "spare vol", "Size": "=2"},
    "CreateNatGateway": {"SubnetId": "subnet", "AllocationId": "spare eipalloc"},
    "CreateRoute": {"RouteTableId": "spare rtb", "DestinationCidrBlock": "=198.18.0.0/15", "GatewayId": "igw"},
    ("CreateRoute", "DestinationIpv6CidrBlock"): {"RouteTableId": "spare rtb", "GatewayId": "igw"},
    **{("CreateRoute", name): {"RouteTableId": "spare rtb", "DestinationCidrBlock": "=198.18.0.0/15"}
       for name in ("InstanceId", "NatGatewayId", "NetworkInterfaceId", "VpcPeeringConnectionId")},
    ("CreateRoute", "EgressOnlyInternetGatewayId"): {"RouteTableId": "spare rtb", "DestinationIpv6CidrBlock": "=2001:db8:e001::/48"},
    ("ReplaceRoute", "EgressOnlyInternetGatewayId"): {"RouteTableId": "rtb", "DestinationIpv6CidrBlock": "=2001:db8:e000::/48"},
    "CreateEgressOnlyInternetGateway": {"VpcId": "loose vpc"},
    "DeleteEgressOnlyInternetGateway": {"EgressOnlyInternetGatewayId": "spare eigw"},
    ("ReplaceRoute", "DestinationIpv6CidrBlock"): {"RouteTableId": "rtb", "GatewayId": "igw"},
    ("DeleteRoute", "DestinationIpv6CidrBlock"): {"RouteTableId": "rtb"},
    ("ReplaceRoute", "VpcPeeringConnectionId"): {"RouteTableId": "rtb", "DestinationCidrBlock": "=0.0.0.0/0"},
    "CreateVpcPeeringConnection": {"VpcId": "peer vpc", "PeerVpcId": "loose vpc"},
    "AcceptVpcPeeringConnection": {"VpcPeeringConnectionId": "spare pcx"},
    "RejectVpcPeeringConnection": {"VpcPeeringConnectionId": "spare pcx"},
    "DeleteVpcPeeringConnection": {"VpcPeeringConnectionId": "spare pcx"},
    "ModifyVpcPeeringConnectionOptions": {"VpcPeeringConnectionId": "pcx", "RequesterPeeringConnectionOptions.AllowDnsResolutionFromRemoteVpc": "=false"},
    "CreateVpc": {"CidrBlock": "=10.9.0.0/16"},
    "AssociateDhcpOptions": {"DhcpOptionsId": "dopt", "VpcId": "spare vpc"},
    ("ModifySecurityGroupRules", "SecurityGroupRule.N.SecurityGroupRule.PrefixListId"): CHANGED_RULE,
    "CreateManagedPrefixList": {"PrefixListName": "=fresh", "MaxEntries": "=5", "AddressFamily": "=IPv4"},
    ("ModifyManagedPrefixList", "AddEntry"): {"PrefixListId": "spare pl"}, ("ModifyManagedPrefixList", "RemoveEntry"): {"PrefixListId": "spare pl"},
    "ModifyManagedPrefixList": {"PrefixListId": "spare pl", "PrefixListName": "=fresh"},
    "RestoreManagedPrefixListVersion": {"PrefixListId": "pl", "PreviousVersion": "=1", "CurrentVersion": "=2"},
    "DeleteManagedPrefixList": {"PrefixListId": "spare pl"},
    "CreateSubnetCidrReservation": {"SubnetId": "spare subnet", "Cidr": "=10.1.2.160/28", "ReservationType": "=explicit"},
    "DeleteSubnetCidrReservation": {"SubnetCidrReservationId": "spare scr"},
    ("CreateNetworkAclEntry", "Icmp.Type"): {"RuleNumber": "=310", "CidrBlock": "=10.1.9.0/24", "Protocol": "=icmp", "Icmp.Code": "=-1"},
    ("CreateNetworkAclEntry", "Icmp.Code"): {"RuleNumber": "=310", "CidrBlock": "=10.1.9.0/24", "Protocol": "=icmp", "Icmp.Type": "=8"},
    ("CreateNetworkAclEntry", "Ipv6CidrBlock"): {"RuleNumber": "=300", "PortRange.From": "=22", "PortRange.To": "=22"},
    ("ReplaceNetworkAclEntry", "Ipv6CidrBlock"): {"PortRange.From": "=22", "PortRange.To": "=22"},
    "CreateNetworkAclEntry": {"RuleNumber": "=300", "CidrBlock": "=10.1.9.0/24", "PortRange.From": "=22", "PortRange.To": "=22"},
    ("ReplaceNetworkAclEntry", "Icmp.Type"): {"CidrBlock": "=10.1.9.0/24", "Protocol": "=icmp", "Icmp.Code": "=-1"},
    ("ReplaceNetworkAclEntry", "Icmp.Code"): {"CidrBlock": "=10.1.9.0/24", "Protocol": "=icmp", "Icmp.Type": "=8"},
    "ReplaceNetworkAclEntry": {"CidrBlock": "=10.1.9.0/24", "PortRange.From": "=22", "PortRange.To": "=22"},
    "DeleteNetworkAcl": {"NetworkAclId": "spare acl"},
    "CreateDefaultSubnet": {"AvailabilityZone": "=us-east-1b"}, ("CreateDefaultSubnet", "AvailabilityZoneId"): {},
    "DeleteNetworkAclEntry": {"NetworkAclId": "spare acl"},
    "ReplaceNetworkAclAssociation": {"NetworkAclId": "spare acl"},
    "CreateDhcpOptions": {"DhcpConfiguration.1.Key": "=domain-name-servers", "DhcpConfiguration.1.Value.1": "=192.0.2.53"},
    "DeleteDhcpOptions": {"DhcpOptionsId": "spare dopt"},
    "DeleteInternetGateway": {"InternetGatewayId": "spare igw"},
    "DeleteKeyPair": {"KeyName": "=contract"},
    "DeleteNetworkInterface": {"NetworkInterfaceId": "spare eni"},
    ("CreateLaunchTemplateVersion", "LaunchTemplateName"): {"LaunchTemplateData.InstanceType": "=t3.nano"},
    "CreateLaunchTemplateVersion": {"LaunchTemplateId": "lt", "LaunchTemplateData.InstanceType": "=t3.nano"},
    "CreateLaunchTemplate": {"LaunchTemplateName": "=fresh", "LaunchTemplateData.InstanceType": "=t3.nano"},
    ("DeleteLaunchTemplate", "LaunchTemplateName"): {},
    "DeleteLaunchTemplate": {"LaunchTemplateId": "spare lt"},
    ("DeleteLaunchTemplateVersions", "LaunchTemplateName"): {"LaunchTemplateVersion.1": "=2"},
    "DeleteLaunchTemplateVersions": {"LaunchTemplateId": "lt", "LaunchTemplateVersion.1": "=2"},
    ("DescribeLaunchTemplateVersions", "LaunchTemplateName"): {},
    "DescribeLaunchTemplateVersions": {"LaunchTemplateId": "lt"},
    ("ModifyLaunchTemplate", "LaunchTemplateName"): {"SetDefaultVersion": "=1"},
    "ModifyLaunchTemplate": {"LaunchTemplateId": "lt", "SetDefaultVersion": "=1"},
    ("RunInstances", "LaunchTemplate.Version"): {"ImageId": "operators ami", "LaunchTemplate.LaunchTemplateId": "lt"},
    "RunInstances": {"ImageId": "operators ami"},
    "DeletePlacementGroup": {"GroupName": "=contract"},
    "DeleteRoute": {"RouteTableId": "rtb", "DestinationCidrBlock": "=0.0.0.0/0"},
    "DeleteRouteTable": {"RouteTableId": "spare rtb"},
    ("DeleteSecurityGroup", "GroupName"): {},
    "DeleteSecurityGroup": {"GroupId": "spare sg"},
    "DeleteSubnet": {"SubnetId": "spare subnet"},
    "DeleteVpc": {"VpcId": "spare vpc"},
    "DetachInternetGateway": {"InternetGatewayId": "loose igw", "VpcId": "loose vpc"},
    ("DisassociateAddress", "PublicIp"): {},
    "DisassociateAddress": {"AssociationId": "eipassoc"},
    "DisassociateNatGatewayAddress": {"NatGatewayId": "public nat", "AssociationId.1": "nat eipassoc"},
    ("ModifyInstanceAttribute", "Attribute"): {"Value": "=true"},
    ("ModifyInstanceAttribute", "Value"): {"Attribute": "=disableApiTermination"},
    ("ModifyInstanceAttribute", "GroupId"): {"InstanceId": "lone i"},
    ("ModifyInstanceAttribute", "SourceDestCheck"): {"InstanceId": "lone i"},
    ("ModifyInstanceAttribute", "BlockDeviceMapping"): {"BlockDeviceMapping.1.DeviceName": "=/dev/xvda",
                                                        "BlockDeviceMapping.1.Ebs.DeleteOnTermination": "=true"},
    ("ModifyInstanceAttribute", "InstanceType"): {}, ("ModifyInstanceAttribute", "UserData"): {}, ("ModifyInstanceAttribute", "EbsOptimized"): {},
    "ModifyInstanceAttribute": {"DisableApiTermination.Value": "=true"},
    ("ModifyInstancePlacement", "GroupId"): {"InstanceId": "still i"},
    ("ModifyInstancePlacement", "Tenancy"): {"InstanceId": "still i"},
    ("ModifyInstancePlacement", "HostId"): {"InstanceId": "still i", "Tenancy": "=host"},
    ("ModifyInstancePlacement", "Affinity"): {"InstanceId": "still i", "Tenancy": "=host"},
    ("AllocateHosts", "InstanceFamily"): {"AvailabilityZone": "=us-east-1b", "Quantity": "=1"},
    "AllocateHosts": {"AvailabilityZone": "=us-east-1b", "Quantity": "=1", "InstanceType": "=t3.nano"},
    ("ModifyHosts", "InstanceFamily"): {"HostId.1": "spare h"},
    ("ModifyHosts", "InstanceType"): {"HostId.1": "spare h"},
    "ModifyHosts": {"HostId.1": "spare h", "AutoPlacement": "=on"},
    "ReleaseHosts": {"HostId.1": "spare h"},
    ("RunInstances", "Placement.HostId"): {"ImageId": "operators ami", "InstanceType": "=t3.nano", "Placement.Tenancy": "=host"},
    ("RunInstances", "Placement.Affinity"): {"ImageId": "operators ami", "InstanceType": "=t3.nano", "Placement.Tenancy": "=host"},
    "ModifyInstancePlacement": {"InstanceId": "still i", "GroupName": "=contract"},
    "ResetInstanceAttribute": {"InstanceId": "lone i", "Attribute": "=sourceDestCheck"},
    ("ModifyNetworkInterfaceAttribute", "SecurityGroupId"): {"NetworkInterfaceId": "spare eni"},
    ("ModifyNetworkInterfaceAttribute", "Attachment"): {"NetworkInterfaceId": "loose eni", "Attachment.DeleteOnTermination": "=true"},
    "ModifyNetworkInterfaceAttribute": {"NetworkInterfaceId": "spare eni", "Description.Value": "=words"},
    ("ModifyVpcAttribute", "EnableDnsHostnames"): {"VpcId": "spare vpc"},
    ("ModifyVpcAttribute", "EnableNetworkAddressUsageMetrics"): {"VpcId": "spare vpc"},
    "ModifyVpcAttribute": {"VpcId": "spare vpc", "EnableDnsSupport.Value": "=true"},
    ("ReleaseAddress", "PublicIp"): {},
    "ReleaseAddress": {"AllocationId": "spare eipalloc"},
    "ReplaceRoute": {"RouteTableId": "rtb", "DestinationCidrBlock": "=0.0.0.0/0", "NetworkInterfaceId": "eni"},
    ("ReplaceRoute", "InstanceId"): {"RouteTableId": "rtb", "DestinationCidrBlock": "=0.0.0.0/0"},
    ("ReplaceRoute", "NatGatewayId"): {"RouteTableId": "rtb", "DestinationCidrBlock": "=0.0.0.0/0"},
    ("ReplaceRoute", "GatewayId"): {"RouteTableId": "rtb", "DestinationCidrBlock": "=0.0.0.0/0"},
    "ReplaceRouteTableAssociation": {"RouteTableId": "spare rtb"},
    "ModifySecurityGroupRules": {**CHANGED_RULE, "SecurityGroupRule.1.SecurityGroupRule.CidrIpv4": "=192.0.2.0/24"},
    ("ModifySecurityGroupRules", "SecurityGroupRule.N.SecurityGroupRule.CidrIpv6"): CHANGED_RULE,
    ("ModifySecurityGroupRules", "SecurityGroupRule.N.SecurityGroupRule.ReferencedGroupId"): CHANGED_RULE,
    ("RevokeSecurityGroupEgress", "IpPermissions"): {"GroupId": "sg", "IpPermissions.1.FromPort": "=81", "IpPermissions.1.ToPort": "=81"},
    ("RevokeSecurityGroupIngress", "IpPermissions"): {"GroupId": "sg", "IpPermissions.1.FromPort": "=81", "IpPermissions.1.ToPort": "=81"},
    ("RevokeSecurityGroupIngress", "GroupName"): {"SecurityGroupRuleId.1": "sgr"},
    "RevokeSecurityGroupEgress": {"SecurityGroupRuleId.1": "egress sgr", "GroupId": "sg"},
    "RevokeSecurityGroupIngress": {"SecurityGroupRuleId.1": "sgr", "GroupId": "sg"},
    ("UpdateSecurityGroupRuleDescriptionsIngress", "IpPermissions"): {"GroupId": "sg", "IpPermissions.1.FromPort": "=81", "IpPermissions.1.ToPort": "=81"},
    ("UpdateSecurityGroupRuleDescriptionsIngress", "GroupName"): {"SecurityGroupRuleDescription.1.SecurityGroupRuleId": "sgr"},
    "UpdateSecurityGroupRuleDescriptionsIngress": {"GroupId": "sg", "SecurityGroupRuleDescription.1.SecurityGroupRuleId": "sgr"},
    ("UpdateSecurityGroupRuleDescriptionsEgress", "IpPermissions"): {"GroupId": "sg", "IpPermissions.1.FromPort": "=81", "IpPermissions.1.ToPort": "=81"},
    ("UpdateSecurityGroupRuleDescriptionsEgress", "GroupName"): {"SecurityGroupRuleDescription.1.SecurityGroupRuleId": "egress sgr"},
    "UpdateSecurityGroupRuleDescriptionsEgress": {"GroupId": "sg", "SecurityGroupRuleDescription.1.SecurityGroupRuleId": "egress sgr"},
    "UnassignPrivateIpAddresses": {"NetworkInterfaceId": "loose eni", "PrivateIpAddress.1": "=10.1.1.88"},
}


for _action in ("AuthorizeSecurityGroupEgress", "AuthorizeSecurityGroupIngress", "RevokeSecurityGroupEgress", "RevokeSecurityGroupIngress",
                "UpdateSecurityGroupRuleDescriptionsEgress", "UpdateSecurityGroupRuleDescriptionsIngress"):
    for _member in ("UserId", "VpcId", "VpcPeeringConnectionId", "PeeringStatus"):  # of a group that is named
        REQUESTS[_action, f"IpPermissions.N.Groups.N.{_member}"] = {**REQUESTS[_action, "IpPermissions"], "IpPermissions.1.Groups.1.GroupId": "sg"}


class World:
    """The resources of one account: by label, "vpc" or "spare vpc"; deleted ones by their prefix; what has
    a name that no other account has, by the parameter that takes it; deleted ones likewise."""

    def __init__(self, account, tables):
        self.account, self.tables = account, {a["name"]: a for a in tables["actions"]}
        self.ids, self.deleted, self.names, self.deleted_names = {}, {}, {}, {}
        images = account.ok("DescribeImages")
        self.image, self.operators_snapshot, self.images_made = images.first(".//imageId"), images.first(".//snapshotId"), 0
        self.public = set(ids_in(images.text))
        self.ids["operators ami"] = self.image
        self.ids["vpce"] = "vpce-0fedcba9876543210"  # there is no endpoint
        self.fill()
        self.spare()
        self.delete_spare()
        self.deleted_names = self.names
        account.dev.rest()  # an address is free again when the network has confirmed
        self.spare()
        self.make_the_rest()
        self.ids.setdefault("ami", self.image)
        account.dev.rest()
        # What was given back may have been drawn once more: then it is not one that is gone.
        address = {"Filter.1.Name": "public-ip", "Filter.1.Value.1": self.deleted_names["PublicIp"]}
        if account.ok("DescribeAddresses", address).first(".//publicIp"):
            del self.deleted_names["PublicIp"]

    @staticmethod
    def image_of(account):
        return account.ok("DescribeImages").first(".//imageId")

    def make(self, label, action, params, path):
        self.ids[label] = self.account.ok(action, params).first(".//" + path)
        assert self.ids[label], f"{action} names no {path}"
        return self.ids[label]

    def host_of(self, label):
        return self.account.dev.command("explain", self.ids[label])["fields"]["host"]

    def plan_maintenance(self):
        """Of its host, in a month; the event of the instance."""
        begin, latest, end = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + days * 86400)) for days in (30, 60, 90))
        self.account.dev.command("host", "maintenance", self.host_of("event i"), "--from", begin, "--deadline", latest, "--to", end, "--kind", "reboot")
        return self.account.ok("DescribeInstanceStatus", {"InstanceId.1": self.ids["event i"], "IncludeAllInstances": "true"}).first(".//instanceEventId")

    def fill(self):
        """One of each kind, in use. Addresses are chosen: what is drawn might be one that a test wants."""
        call, make = self.account.ok, self.make
        vpc = make("vpc", "CreateVpc", {"CidrBlock": "10.1.0.0/16"}, "vpcId")
        make("h", "AllocateHosts", {"AvailabilityZone": "us-east-1b", "Quantity": 1, "InstanceType": "t3.nano", "ClientToken": "contract"}, "hostIdSet/item")
        make("vpc-cidr-assoc", "AssociateVpcCidrBlock", {"VpcId": vpc, "CidrBlock": "10.65.0.0/16"}, "associationId")
        igw = make("igw", "CreateInternetGateway", {}, "internetGatewayId")
        call("AttachInternetGateway", {"InternetGatewayId": igw, "VpcId": vpc})
        subnet = make("subnet", "CreateSubnet", {"VpcId": vpc, "CidrBlock": "10.1.1.0/24", "AvailabilityZone": "us-east-1a"}, "subnetId")
        make("scr", "CreateSubnetCidrReservation", {"SubnetId": subnet, "Cidr": "10.1.1.128/28", "ReservationType": "explicit"}, "subnetCidrReservationId")
        make("ipv6 vpc-cidr-assoc", "AssociateVpcCidrBlock", {"VpcId": vpc, "AmazonProvidedIpv6CidrBlock": "true"}, "associationId")
        self.parts = ipaddress.ip_network(call("DescribeVpcs", {"VpcId.1": vpc}).first(".//ipv6CidrBlock")).subnets(new_prefix=64)
        part = next(self.parts)
        make("subnet-cidr-assoc", "AssociateSubnetCidrBlock", {"SubnetId": subnet, "Ipv6CidrBlock": str(part)}, "associationId")
        self.ids["taken ipv6"], self.ids["free ipv6"] = str(part[0x77]), str(part[0x99])
        table = make("rtb", "CreateRouteTable", {"VpcId": vpc}, "routeTableId")
        make("rtbassoc", "AssociateRouteTable", {"RouteTableId": table, "SubnetId": subnet}, "associationId")
        call("CreateRoute", {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": igw})
        call("CreateRoute", {"RouteTableId": table, "DestinationIpv6CidrBlock": "2001:db8:e000::/48", "GatewayId": igw})
        make("eigw", "CreateEgressOnlyInternetGateway", {"VpcId": vpc}, "egressOnlyInternetGatewayId")
        group = make("sg", "CreateSecurityGroup", {"GroupName": "contract", "GroupDescription": "words", "VpcId": vpc}, "groupId")
        make("sgr", "AuthorizeSecurityGroupIngress", {"GroupId": group, "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
                                                      "CidrIp": "198.51.100.0/24"}, "securityGroupRuleId")
        make("egress sgr", "AuthorizeSecurityGroupEgress", {"GroupId": group, "IpProtocol": "udp", "FromPort": 53, "ToPort": 53,
                                                            "CidrIp": "198.51.100.0/24"}, "securityGroupRuleId")
        port = make("loose eni", "CreateNetworkInterface", {
            "SubnetId": subnet, "PrivateIpAddress": "10.1.1.14", "PrivateIpAddresses.1.PrivateIpAddress": "10.1.1.88",
            "Ipv6Addresses.1.Ipv6Address": self.ids["taken ipv6"]}, "networkInterfaceId")
        make("key", "CreateKeyPair", {"KeyName": "contract"}, "keyPairId")
        make("lt", "CreateLaunchTemplate", {
            "LaunchTemplateName": "contract", "LaunchTemplateData.InstanceType": "t3.nano", "LaunchTemplateData.ImageId": self.image,
            "LaunchTemplateData.EbsOptimized": "true", "LaunchTemplateData.MetadataOptions.HttpTokens": "optional",
            "LaunchTemplateData.MetadataOptions.HttpEndpoint": "enabled"}, "launchTemplateId")
        make("pg", "CreatePlacementGroup", {"GroupName": "contract"}, "groupId")
        make("pl", "CreateManagedPrefixList", {"PrefixListName": "contract", "MaxEntries": 9, "AddressFamily": "IPv4", "Entry.1.Cidr": "192.0.2.0/24"}, "prefixListId")
        call("ModifyManagedPrefixList", {"PrefixListId": self.ids["pl"], "AddEntry.1.Cidr": "198.51.100.0/24"})
        make("dopt", "CreateDhcpOptions", {"DhcpConfiguration.1.Key": "domain-name", "DhcpConfiguration.1.Value.1": "corp.example"}, "dhcpOptionsId")
        make("i", "RunInstances", {"ImageId": self.image, "InstanceType": "t3.xlarge", "MinCount": 1, "MaxCount": 1, "KeyName": "contract",
                                   "SubnetId": subnet, "PrivateIpAddress": "10.1.1.10", "SecurityGroupId.1": group, "ClientToken": "contract"}, "instanceId")
        self.profile_arn = call("CreateInstanceProfile", {"InstanceProfileName": "contract"}, version=IAM_VERSION, service="iam").first(".//Arn")
        make("iip-assoc", "AssociateIamInstanceProfile", {"InstanceId": self.ids["i"], "IamInstanceProfile.Name": "contract"}, "associationId")
        make("lone i", "RunInstances", {"ImageId": self.image, "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1, "SubnetId": subnet,
                                        "PrivateIpAddress": "10.1.1.11"}, "instanceId")
        make("still i", "RunInstances", {"ImageId": self.image, "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1, "SubnetId": subnet,
                                         "PrivateIpAddress": "10.1.1.15", "Placement.Tenancy": "dedicated"}, "instanceId")
        make("snap", "CopySnapshot", {"SourceSnapshotId": self.operators_snapshot, "SourceRegion": "us-east-1", "Description": "words"}, "snapshotId")
        uefi = call("RegisterImage", {"Name": "contract uefi", "BootMode": "uefi", "BlockDeviceMapping.1.DeviceName": "/dev/sda1",
                                      "BlockDeviceMapping.1.Ebs.SnapshotId": self.ids["snap"]}).first(".//imageId")
        make("event i", "RunInstances", {"ImageId": uefi, "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1,
                                         "SubnetId": subnet, "PrivateIpAddress": "10.1.1.16"}, "instanceId")
        found = call("DescribeInstances", {"InstanceId.1": self.ids["i"]})
        call("DeregisterImage", {"ImageId": uefi})
        self.ids["r"], self.ids["eni"] = found.first(".//reservationId"), found.first(".//networkInterfaceId")
        call("ModifyNetworkInterfaceAttribute", {"NetworkInterfaceId": self.ids["eni"], "Description.Value": "first"})
        self.ids["vol"] = found.first(".//volumeId")
        make("import-snap", "ImportSnapshot", {"DiskContainer.Url": "http://127.0.0.1:9/disk"}, "importTaskId")
        make("endless import-snap", "ImportSnapshot", {"DiskContainer.Url": Endless().url}, "importTaskId")  # active as long as the world is
        self.account.dev.endless += 1
        make("import-ami", "ImportImage", {"DiskContainer.1.Url": "http://127.0.0.1:9/disk"}, "importTaskId")
        self.await_word("DescribeInstances", {"InstanceId.1": self.ids["i"]}, ".//instanceState/name", "running")
        self.await_state(self.ids["still i"], "running")
        call("StopInstances", {"InstanceId.1": self.ids["still i"]})
        self.await_state(self.ids["still i"], "stopped")
        self.deleted["instance-event"] = self.plan_maintenance()
        self.account.dev.command("host", "maintenance", self.host_of("event i"), "--end")
        self.ids["instance-event"] = self.plan_maintenance()
        volume = self.make_volume("plugged vol")
        call("AttachVolume", {"VolumeId": volume, "InstanceId": self.ids["i"], "Device": "/dev/sdg"})
        address = make("eipalloc", "AllocateAddress", {}, "allocationId")
        make("eipassoc", "AssociateAddress", {"AllocationId": address, "InstanceId": self.ids["i"]}, "associationId")
        make("eni-attach", "AttachNetworkInterface", {"NetworkInterfaceId": port, "InstanceId": self.ids["i"], "DeviceIndex": 1}, "attachmentId")
        loose, gateway = make("loose vpc", "CreateVpc", {"CidrBlock": "10.3.0.0/16"}, "vpcId"), make("loose igw", "CreateInternetGateway", {}, "internetGatewayId")
        call("AttachInternetGateway", {"InternetGatewayId": gateway, "VpcId": loose})
        peer = make("peer vpc", "CreateVpc", {"CidrBlock": "10.4.0.0/16"}, "vpcId")
        call("AssociateSecurityGroupVpc", {"GroupId": group, "VpcId": peer})
        make("pcx", "CreateVpcPeeringConnection", {"VpcId": vpc, "PeerVpcId": peer}, "vpcPeeringConnectionId")
        call("AcceptVpcPeeringConnection", {"VpcPeeringConnectionId": self.ids["pcx"]})
        make("nat", "CreateNatGateway", {"SubnetId": subnet, "ConnectivityType": "private", "PrivateIpAddress": "10.1.1.13"}, "natGatewayId")
        nat = make("public nat", "CreateNatGateway", {"SubnetId": subnet, "PrivateIpAddress": "10.1.1.17",
                                                      "AllocationId": call("AllocateAddress").first(".//allocationId")}, "natGatewayId")
        make("nat eipassoc", "AssociateNatGatewayAddress", {"NatGatewayId": nat, "PrivateIpAddress.1": "10.1.1.18",
                                                            "AllocationId.1": call("AllocateAddress").first(".//allocationId")}, "associationId")
        acls = call("DescribeNetworkAcls", {"Filter.1.Name": "vpc-id", "Filter.1.Value.1": vpc})
        self.ids["acl"], self.ids["aclassoc"] = acls.first(".//networkAclId"), acls.first(".//networkAclAssociationId")
        call("CreateTags", {**{f"ResourceId.{n}": self.ids[k] for n, k in enumerate(["vpc", "subnet", "i", "vol", "eni", "sg"], 1)},
                            "Tag.1.Key": "contract", "Tag.1.Value": "yes"})

    def spare(self):
        """One that nothing depends on."""
        make, vpc = self.make, self.ids["vpc"]
        make("spare vpc", "CreateVpc", {"CidrBlock": "10.2.0.0/16"}, "vpcId")
        make("spare igw", "CreateInternetGateway", {}, "internetGatewayId")
        make("spare eigw", "CreateEgressOnlyInternetGateway", {"VpcId": self.ids["peer vpc"]}, "egressOnlyInternetGatewayId")
        make("spare h", "AllocateHosts", {"AvailabilityZone": "us-east-1b", "Quantity": 1, "InstanceFamily": "t3"}, "hostIdSet/item")
        make("spare pcx", "CreateVpcPeeringConnection", {"VpcId": self.ids["loose vpc"], "PeerVpcId": vpc}, "vpcPeeringConnectionId")
        make("spare subnet", "CreateSubnet", {"VpcId": vpc, "CidrBlock": "10.1.2.0/24"}, "subnetId")
        make("bare subnet", "CreateSubnet", {"VpcId": vpc, "CidrBlock": f"10.1.{20 + len(self.deleted)}.0/24"}, "subnetId")
        make("spare subnet-cidr-assoc", "AssociateSubnetCidrBlock", {"SubnetId": self.ids["spare subnet"], "Ipv6CidrBlock": str(next(self.parts))},
             "associationId")
        self.ids["free part"] = str(next(self.parts))
        make("spare scr", "CreateSubnetCidrReservation", {"SubnetId": self.ids["spare subnet"], "Cidr": "10.1.2.128/28", "ReservationType": "prefix"},
             "subnetCidrReservationId")
        make("spare rtb", "CreateRouteTable", {"VpcId": vpc}, "routeTableId")
        acl = make("spare acl", "CreateNetworkAcl", {"VpcId": vpc}, "networkAclId")
        self.account.ok("CreateNetworkAclEntry", {"NetworkAclId": acl, "RuleNumber": 100, "Egress": "true", "Protocol": -1, "RuleAction": "allow",
                                                  "CidrBlock": "10.1.9.0/24"})
        make("spare sg", "CreateSecurityGroup", {"GroupName": "spare", "GroupDescription": "words", "VpcId": vpc}, "groupId")
        make("spare eni", "CreateNetworkInterface", {"SubnetId": self.ids["subnet"], "PrivateIpAddress": "10.1.1.12"}, "networkInterfaceId")
        make("spare eipalloc", "AllocateAddress", {}, "allocationId")
        self.make_volume("spare vol")
        name = f"only-{self.account.key_id[-8:].lower()}-{len(self.deleted)}"
        make("spare key", "CreateKeyPair", {"KeyName": name}, "keyPairId")
        make("named sg", "CreateSecurityGroup", {"GroupName": name, "GroupDescription": "words"}, "groupId")
        make("spare lt", "CreateLaunchTemplate", {"LaunchTemplateName": name, "LaunchTemplateData.InstanceType": "t3.nano"}, "launchTemplateId")
        make("spare pg", "CreatePlacementGroup", {"GroupName": name}, "groupId")
        make("spare pl", "CreateManagedPrefixList", {"PrefixListName": name, "MaxEntries": 1, "AddressFamily": "IPv6"}, "prefixListId")
        make("spare dopt", "CreateDhcpOptions", {"DhcpConfiguration.1.Key": "netbios-node-type", "DhcpConfiguration.1.Value.1": "2"}, "dhcpOptionsId")
        self.names = {"KeyName": name, "LaunchTemplateName": name, "GroupName": name, "SecurityGroup": name,
                      "PublicIp": self.account.ok("DescribeAddresses", {"AllocationId.1": self.ids["spare eipalloc"]}).first(".//publicIp")}
        make("spare snap", "CopySnapshot", {"SourceSnapshotId": self.operators_snapshot, "SourceRegion": "us-east-1"}, "snapshotId")
        self.images_made += 1
        make("spare ami", "RegisterImage", {"Name": f"contract {self.images_made}", "BlockDeviceMapping.1.DeviceName": "/dev/sda1",
                                            "BlockDeviceMapping.1.Ebs.SnapshotId": self.ids["snap"]}, "imageId")

    def make_volume(self, label):
        volume = self.make(label, "CreateVolume", {"AvailabilityZone": "us-east-1a", "Size": 1}, "volumeId")
        self.await_word("DescribeVolumes", {"VolumeId.1": volume}, ".//status", "available")
        return volume

    def await_word(self, action, params, path, word):
        """Until the reconciler has brought it about."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            found = self.account.ok(action, params).first(path)
            if found == word:
                return
            time.sleep(0.01)
        what = self.account.dev.explain(next(iter(params.values())))
        raise AssertionError(f"{action} {params}: {found}, not {word}\n{what}")

    def delete_spare(self):
        """Ids of what was there."""
        self.take_apart()
        self.account.ok("DeletePlacementGroup", {"GroupName": self.names["GroupName"]})
        self.deleted["pg"] = self.ids["spare pg"]
        for label, action, name in [("spare scr", "DeleteSubnetCidrReservation", "SubnetCidrReservationId"), ("spare subnet", "DeleteSubnet", "SubnetId"), ("spare rtb", "DeleteRouteTable", "RouteTableId"),
                                    ("spare acl", "DeleteNetworkAcl", "NetworkAclId"),
                                    ("named sg", "DeleteSecurityGroup", "GroupId"), ("spare sg", "DeleteSecurityGroup", "GroupId"),
                                    ("spare key", "DeleteKeyPair", "KeyPairId"), ("spare igw", "DeleteInternetGateway", "InternetGatewayId"),
                                    ("spare eigw", "DeleteEgressOnlyInternetGateway", "EgressOnlyInternetGatewayId"),
                                    ("spare eipalloc", "ReleaseAddress", "AllocationId"), ("spare vol", "DeleteVolume", "VolumeId"),
                                    ("spare lt", "DeleteLaunchTemplate", "LaunchTemplateId"), ("spare h", "ReleaseHosts", "HostId.1"), ("spare dopt", "DeleteDhcpOptions", "DhcpOptionsId"),
                                    ("spare pl", "DeleteManagedPrefixList", "PrefixListId"),
                                    ("spare snap", "DeleteSnapshot", "SnapshotId"), ("spare ami", "DeregisterImage", "ImageId"),
                                    ("spare eni", "DeleteNetworkInterface", "NetworkInterfaceId"), ("spare vpc", "DeleteVpc", "VpcId")]:
            self.account.ok(action, {name: self.ids[label]})
            self.deleted[label.split()[1]] = self.ids[label]

    def take_apart(self):
        """Ids of what lies between two of them, and of what stays visible after its end."""
        call, ids, gone = self.account.ok, self.ids, self.deleted
        gone["sgr"] = call("AuthorizeSecurityGroupIngress", {"GroupId": ids["spare sg"], "IpProtocol": "tcp", "FromPort": 1, "ToPort": 1,
                                                             "CidrIp": "198.51.100.0/24"}).first(".//securityGroupRuleId")
        call("RevokeSecurityGroupIngress", {"GroupId": ids["spare sg"], "SecurityGroupRuleId.1": gone["sgr"]})
        gone["vpc-cidr-assoc"] = call("AssociateVpcCidrBlock", {"VpcId": ids["spare vpc"], "CidrBlock": "10.66.0.0/16"}).first(".//associationId")
        call("DisassociateVpcCidrBlock", {"AssociationId": gone["vpc-cidr-assoc"]})
        gone["subnet-cidr-assoc"] = ids["spare subnet-cidr-assoc"]
        call("DisassociateSubnetCidrBlock", {"AssociationId": gone["subnet-cidr-assoc"]})
        gone["rtbassoc"] = call("AssociateRouteTable", {"RouteTableId": ids["spare rtb"], "SubnetId": ids["spare subnet"]}).first(".//associationId")
        call("DisassociateRouteTable", {"AssociationId": gone["rtbassoc"]})
        gone["eipassoc"] = call("AssociateAddress", {"AllocationId": ids["spare eipalloc"], "NetworkInterfaceId": ids["spare eni"]}).first(".//associationId")
        call("DisassociateAddress", {"AssociationId": gone["eipassoc"]})
        gone["eni-attach"] = call("AttachNetworkInterface", {"NetworkInterfaceId": ids["spare eni"], "InstanceId": ids["i"], "DeviceIndex": 3}).first(".//attachmentId")
        self.account.dev.rest()
        call("DetachNetworkInterface", {"AttachmentId": gone["eni-attach"]})
        gone["acl"] = call("DescribeNetworkAcls", {"Filter.1.Name": "vpc-id", "Filter.1.Value.1": ids["spare vpc"]}).first(".//networkAclId")
        gone["nat"] = call("CreateNatGateway", {"SubnetId": ids["subnet"], "ConnectivityType": "private"}).first(".//natGatewayId")
        gone["i"] = call("RunInstances", {"ImageId": self.image, "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1,
                                          "SubnetId": ids["subnet"]}).first(".//instanceId")
        gone["iip-assoc"] = call("AssociateIamInstanceProfile", {"InstanceId": gone["i"], "IamInstanceProfile.Name": "contract"}).first(".//associationId")
        self.account.dev.rest()
        call("DeleteNatGateway", {"NatGatewayId": gone["nat"]})
        gone["pcx"] = ids["spare pcx"]
        call("DeleteVpcPeeringConnection", {"VpcPeeringConnectionId": gone["pcx"]})
        call("TerminateInstances", {"InstanceId.1": gone["i"]})
        self.await_state(gone["i"], "terminated")
        self.account.dev.rest()

    def make_the_rest(self):
        """Kinds that are known to the tables and not to fill(): by whatever creates them."""
        for action in self.tables.values():
            if re.match("Create|Allocate|Register|Import|Copy", action["name"]) and not self.has_kinds_of(action["name"]):
                answer = self.account.call(action["name"], self.request(action["name"]))
                for identifier in ids_in(answer.text) if answer.status == 200 else []:
                    self.ids.setdefault(identifier.rpartition("-")[0], identifier)

    def has_kinds_of(self, action):
        return action in ("CreateVpc", "CreateNetworkInterface", "CreateInternetGateway", "CreateEgressOnlyInternetGateway", "CreateSubnet", "CreateRouteTable", "CreateRoute", "CreateSecurityGroup", "CreateVolume",
                          "CopySnapshot", "ImportSnapshot", "ImportImage", "CreateSnapshot", "CreateSnapshots", "CopyImage", "CreateImage", "RegisterImage",
                          "CreateKeyPair", "ImportKeyPair", "AllocateAddress", "AllocateHosts", "CreateTags", "CreateNatGateway", "CreateVpcPeeringConnection", "CreatePlacementGroup", "CreateLaunchTemplate", "CreateLaunchTemplateVersion", "CreateDhcpOptions", "CreateManagedPrefixList", "CreateSubnetCidrReservation", "CreateNetworkAcl", "CreateNetworkAclEntry", "CreateDefaultSubnet", "CreateDefaultVpc")

    def await_state(self, instance, wanted):
        self.await_word("DescribeInstances", {"InstanceId.1": instance}, ".//instanceState/name", wanted)

    # ---- requests

    def value(self, action, param):
        """A value that the parameter may have."""
        leaf = re.sub(r"(\.N)+$", "", param["name"]).split(".")[-1]
        if param.get("form") == "id" and leaf not in VALUES:
            prefix = param.get("prefix", "vpc")
            assert prefix in self.ids, f"{action}: no resource {prefix}-… is known: tests/lib/world.py has to make one"
            return self.ids[prefix]
        if param.get("words"):
            return next(w for w in param["words"].split("|") if w)
        if param["type"] == "boolean":
            return "true"
        value = VALUES.get(leaf, param.get("absent"))
        if value is None and param["type"] == "integer":
            value = param.get("min", 1)
        assert value is not None, f"{action}: {param['name']} has no example in VALUES of tests/lib/world.py"
        return value(self) if callable(value) else value

    def request(self, action, spoilt=None):
        """The smallest request that should succeed; around a parameter that is going to be spoilt, with
        what has to be there for its value to be looked at."""
        request = {}
        heads = [spoilt["name"], spoilt["name"].split(".")[0]] if spoilt else []
        table = next((REQUESTS[action, head] for head in heads if (action, head) in REQUESTS), REQUESTS.get(action, {}))
        for name, value in table.items():
            request[name] = value[1:] if value.startswith("=") else self.ids[value]
        for param in self.tables[action]["params"]:
            if param["required"] and not re.search(r"\.N\.", param["name"]):
                self.add(action, param, request)
        if spoilt:
            self.add_around(action, spoilt, request)
        return request

    def asked(self, action):
        """The ids that a list has to be asked with."""
        return {p["name"]: self.ids[p["prefix"]] for p in self.tables[action]["params"] if p["required"] and p.get("prefix") and "." not in p["name"]}

    def add(self, action, param, request):
        """Adds the parameter, and what the element of a list that it stands in needs besides."""
        if param["type"] != "list of structures":
            request.setdefault(wire(param["name"]), self.value(action, param))
        elif not any(p for p in self.members(action, param) if p["required"]):
            self.add(action, next(p for p in self.members(action, param) if p["built"]), request)
        self.add_around(action, param, request)

    def add_around(self, action, param, request):
        for outer in self.outer_lists(action, param):
            for member in self.members(action, outer):
                name = wire(member["name"])
                if member["required"] and member is not param and not any((k + ".").startswith(name + ".") for k in request):
                    self.add(action, member, request)

    def members(self, action, table):
        """Of a list of structures: its own, not those of lists within."""
        return [p for p in self.tables[action]["params"] if p["name"].startswith(table["name"] + ".") and
                ".N." not in p["name"][len(table["name"]) + 1:]]

    def outer_lists(self, action, param):
        return [p for p in self.tables[action]["params"] if p["type"] == "list of structures" and
                (param["name"].startswith(p["name"] + ".") or p is param)]


def wire(name):
    """A parameter's name with its lists' first element."""
    return re.sub(r"\.N(?=\.|$)", ".1", name)


def ids_in(text):
    return [m[0] for m in ID.finditer(text)]

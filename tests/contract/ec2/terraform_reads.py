#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/ec2/network src/api/ec2/compute src/api/ec2/account src/api/iam
"""Values that Terraform's AWS provider reads after it has created a resource, and that must equal the written ones; otherwise each plan would change
it again. Terraform is not in Debian; boto3 makes its calls here, resource by resource."""
import base64
import os
import sys

import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import REGION, Dev  # noqa: E402


@pytest.fixture(scope="module", name="dev")
def start_dev():
    with Dev() as region:
        yield region


@pytest.fixture(scope="module", name="ec2")
def connect(dev):
    return dev.account.client()


NAMED = [{"Key": "Name", "Value": "tf"}]


def tagged(sort):
    return [{"ResourceType": sort, "Tags": NAMED}]


def only(rows):
    (row,) = rows
    return row


def where(**filters):
    return [{"Name": name.replace("_", "-"), "Values": [value]} for name, value in filters.items()]


@pytest.fixture(scope="module", name="vpc")
def make_vpc(ec2):
    made = ec2.create_vpc(CidrBlock="10.50.0.0/16", InstanceTenancy="default", TagSpecifications=tagged("vpc"))["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=made, EnableDnsHostnames={"Value": True})
    return made


@pytest.fixture(scope="module", name="subnet")
def make_subnet(ec2, vpc):
    made = ec2.create_subnet(VpcId=vpc, CidrBlock="10.50.1.0/24", AvailabilityZone=REGION + "a", TagSpecifications=tagged("subnet"))["Subnet"]["SubnetId"]
    ec2.modify_subnet_attribute(SubnetId=made, MapPublicIpOnLaunch={"Value": True})
    return made


@pytest.fixture(scope="module", name="group")
def make_group(ec2, vpc):
    """The provider first removes the group's default egress rule."""
    made = ec2.create_security_group(GroupName="tf", Description="Managed by Terraform", VpcId=vpc, TagSpecifications=tagged("security-group"))["GroupId"]
    ec2.revoke_security_group_egress(GroupId=made, IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
    ec2.authorize_security_group_ingress(GroupId=made, IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "192.0.2.0/24", "Description": "ssh"}]}])
    return made


def test_provider_starts(dev, ec2):
    assert dev.account.client("sts").get_caller_identity()["Account"]
    assert ec2.describe_account_attributes(AttributeNames=["supported-platforms"])["AccountAttributes"][0]["AttributeValues"] == [{"AttributeValue": "VPC"}]
    assert {z["ZoneName"] for z in ec2.describe_availability_zones()["AvailabilityZones"]} >= {REGION + "a"}


def test_aws_vpc(ec2, vpc):
    (found,) = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"]
    assert (found["CidrBlock"], found["InstanceTenancy"], found["State"], found["Tags"]) == (
        "10.50.0.0/16", "default", "available", [{"Key": "Name", "Value": "tf"}]) and found["DhcpOptionsId"] and found["OwnerId"]
    for name, value in (("enableDnsHostnames", True), ("enableDnsSupport", True), ("enableNetworkAddressUsageMetrics", False)):
        shown = ec2.describe_vpc_attribute(VpcId=vpc, Attribute=name)
        assert shown[name[0].upper() + name[1:]]["Value"] is value
    assert len(ec2.describe_network_acls(Filters=where(default="true", vpc_id=vpc))["NetworkAcls"]) == 1
    assert len(ec2.describe_security_groups(Filters=where(group_name="default", vpc_id=vpc))["SecurityGroups"]) == 1
    main = [{"Name": "association.main", "Values": ["true"]}, *where(vpc_id=vpc)]
    assert len(ec2.describe_route_tables(Filters=main)["RouteTables"]) == 1


def test_aws_subnet(ec2, vpc, subnet):
    (found,) = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"]
    assert (found["VpcId"], found["CidrBlock"], found["AvailabilityZone"], found["State"]) == (vpc, "10.50.1.0/24", REGION + "a", "available")
    assert found["MapPublicIpOnLaunch"] is True and found["AssignIpv6AddressOnCreation"] is False and found["AvailabilityZoneId"] and found["SubnetArn"]
    asked = [*where(subnet_id=subnet), {"Name": "description", "Values": ["AWS Lambda VPC ENI*"]}]  # before the deletion
    assert ec2.describe_network_interfaces(Filters=asked)["NetworkInterfaces"] == []


def test_aws_security_group(ec2, vpc, group):
    (found,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert (found["GroupName"], found["Description"], found["VpcId"], found["IpPermissionsEgress"]) == ("tf", "Managed by Terraform", vpc, [])
    (rule,) = found["IpPermissions"]
    assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"], rule["IpRanges"]) == ("tcp", 22, 22, [{"CidrIp": "192.0.2.0/24", "Description": "ssh"}])
    rules = ec2.describe_security_group_rules(Filters=where(group_id=group))["SecurityGroupRules"]
    assert [(r["IsEgress"], r["CidrIpv4"], r["Description"]) for r in rules] == [(False, "192.0.2.0/24", "ssh")]


def test_aws_ebs_volume(dev, ec2):
    made = ec2.create_volume(AvailabilityZone=REGION + "a", Size=2, VolumeType="gp3", TagSpecifications=tagged("volume"))["VolumeId"]
    dev.rest()
    (found,) = ec2.describe_volumes(VolumeIds=[made])["Volumes"]
    assert (found["State"], found["Size"], found["VolumeType"], found["Encrypted"], found["Iops"], found["Throughput"]) == (
        "available", 2, "gp3", False, 3000, 125)
    ec2.modify_volume(VolumeId=made, Size=3)
    (change,) = ec2.describe_volumes_modifications(VolumeIds=[made])["VolumesModifications"]
    assert change["ModificationState"] in ("modifying", "optimizing", "completed")
    dev.rest()
    assert ec2.describe_volumes(VolumeIds=[made])["Volumes"][0]["Size"] == 3
    ec2.delete_volume(VolumeId=made)
    dev.rest()
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidVolume.NotFound"):
        ec2.describe_volumes(VolumeIds=[made])


def test_aws_launch_template(ec2, group):
    data = {"ImageId": "ami-0123456789abcdef0", "InstanceType": "t3.micro", "SecurityGroupIds": [group], "EbsOptimized": True,
            "MetadataOptions": {"HttpTokens": "required"}, "TagSpecifications": tagged("instance"),
            "BlockDeviceMappings": [{"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 2, "DeleteOnTermination": True}}]}
    made = ec2.create_launch_template(LaunchTemplateName="terraform", LaunchTemplateData=data, TagSpecifications=tagged("launch-template"))["LaunchTemplate"]
    (found,) = ec2.describe_launch_templates(LaunchTemplateIds=[made["LaunchTemplateId"]])["LaunchTemplates"]
    assert (found["LaunchTemplateName"], found["DefaultVersionNumber"], found["LatestVersionNumber"], found["Tags"]) == (
        "terraform", 1, 1, [{"Key": "Name", "Value": "tf"}])
    (version,) = ec2.describe_launch_template_versions(LaunchTemplateId=made["LaunchTemplateId"], Versions=["1"])["LaunchTemplateVersions"]
    shown = version["LaunchTemplateData"]
    assert {k: shown[k] for k in data if k != "MetadataOptions"} == {k: data[k] for k in data if k != "MetadataOptions"}
    assert shown["MetadataOptions"]["HttpTokens"] == "required"
    ec2.delete_launch_template(LaunchTemplateId=made["LaunchTemplateId"])


def test_aws_instance(dev, ec2, vpc, subnet, group):
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]
    (made,) = ec2.run_instances(ImageId=image["ImageId"], InstanceType="t3.micro", MinCount=1, MaxCount=1, SubnetId=subnet, SecurityGroupIds=[group],
                                UserData="#!/bin/sh\n", TagSpecifications=tagged("instance"), CreditSpecification={"CpuCredits": "unlimited"})["Instances"]
    dev.rest()
    instance = made["InstanceId"]
    (found,) = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"]
    assert (found["State"]["Name"], found["InstanceType"], found["SubnetId"], found["VpcId"], found["Tags"]) == (
        "running", "t3.micro", subnet, vpc, [{"Key": "Name", "Value": "tf"}])
    assert found["Placement"]["AvailabilityZone"] == REGION + "a" and found["Placement"]["Tenancy"] == "default"
    assert found["Monitoring"]["State"] == "disabled" and found["EbsOptimized"] is False and found["MetadataOptions"]["HttpEndpoint"] == "enabled"
    (port,) = found["NetworkInterfaces"]
    assert port["SourceDestCheck"] is True and [g["GroupId"] for g in port["Groups"]] == [group] and port["Attachment"]["DeviceIndex"] == 0
    for name, value in (("disableApiTermination", False), ("disableApiStop", False), ("instanceInitiatedShutdownBehavior", "stop")):
        assert ec2.describe_instance_attribute(InstanceId=instance, Attribute=name)[name[0].upper() + name[1:]]["Value"] == value
    data = ec2.describe_instance_attribute(InstanceId=instance, Attribute="userData")["UserData"]["Value"]
    assert base64.b64decode(data) == b"#!/bin/sh\n"
    (disk,) = ec2.describe_volumes(VolumeIds=[b["Ebs"]["VolumeId"] for b in found["BlockDeviceMappings"]])["Volumes"]
    assert found["RootDeviceName"] == found["BlockDeviceMappings"][0]["DeviceName"] and disk["Attachments"][0]["DeleteOnTermination"] is True
    (sort,) = ec2.describe_instance_types(InstanceTypes=["t3.micro"])["InstanceTypes"]
    assert sort["BurstablePerformanceSupported"] is True and sort["VCpuInfo"]["DefaultCores"] >= 1
    (credit,) = ec2.describe_instance_credit_specifications(InstanceIds=[instance])["InstanceCreditSpecifications"]
    assert credit["CpuCredits"] == "unlimited"
    ec2.terminate_instances(InstanceIds=[instance])
    dev.rest()
    assert ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]["State"]["Name"] == "terminated"


def test_aws_internet_gateway_and_route_table(ec2, vpc, subnet):
    gateway = ec2.create_internet_gateway(TagSpecifications=tagged("internet-gateway"))["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    found = only(ec2.describe_internet_gateways(InternetGatewayIds=[gateway])["InternetGateways"])
    assert (found["Attachments"], found["Tags"]) == ([{"VpcId": vpc, "State": "available"}], NAMED) and found["OwnerId"]
    table = ec2.create_route_table(VpcId=vpc, TagSpecifications=tagged("route-table"))["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    found = only(ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"])
    assert (found["VpcId"], found["PropagatingVgws"], found["Associations"], found["Tags"]) == (vpc, [], [], NAMED) and found["OwnerId"]
    routes = {r["DestinationCidrBlock"]: (r["GatewayId"], r["Origin"], r["State"]) for r in found["Routes"]}
    assert routes == {"10.50.0.0/16": ("local", "CreateRouteTable", "active"), "0.0.0.0/0": (gateway, "CreateRoute", "active")}
    association = ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)["AssociationId"]
    asked = [{"Name": "association.route-table-association-id", "Values": [association]}]
    shown = only(only(ec2.describe_route_tables(Filters=asked)["RouteTables"])["Associations"])
    assert (shown["SubnetId"], shown["Main"], shown["AssociationState"]) == (subnet, False, {"State": "associated"})
    main = only(ec2.describe_route_tables(Filters=[{"Name": "association.main", "Values": ["true"]}, *where(vpc_id=vpc)])["RouteTables"])
    before = only(a for a in main["Associations"] if a["Main"])["RouteTableAssociationId"]
    after = ec2.replace_route_table_association(AssociationId=before, RouteTableId=table)["NewAssociationId"]
    shown = only(ec2.describe_route_tables(Filters=[{"Name": "association.route-table-association-id", "Values": [after]}])["RouteTables"])
    assert shown["RouteTableId"] == table
    ec2.replace_route_table_association(AssociationId=after, RouteTableId=main["RouteTableId"])
    ec2.disassociate_route_table(AssociationId=association)
    assert ec2.describe_route_tables(Filters=asked)["RouteTables"] == []
    ec2.delete_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")
    ec2.delete_route_table(RouteTableId=table)
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidRouteTableID.NotFound"):
        ec2.describe_route_tables(RouteTableIds=[table])
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidInternetGatewayID.NotFound"):
        ec2.describe_internet_gateways(InternetGatewayIds=[gateway])


def test_aws_eip_and_nat_gateway(dev, ec2, vpc, subnet):
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    made = ec2.allocate_address(Domain="vpc", TagSpecifications=tagged("elastic-ip"))
    allocation = made["AllocationId"]
    found = only(ec2.describe_addresses(AllocationIds=[allocation])["Addresses"])
    assert (found["Domain"], found["PublicIp"], found["Tags"]) == ("vpc", made["PublicIp"], NAMED) and "AssociationId" not in found
    assert found["PublicIpv4Pool"] and found["NetworkBorderGroup"]
    names = ec2.describe_addresses_attribute(AllocationIds=[allocation], Attribute="domain-name")["Addresses"]
    assert [n["AllocationId"] for n in names] in ([], [allocation]) and not any("PtrRecordUpdate" in n for n in names)
    nat = ec2.create_nat_gateway(ClientToken="terraform-nat", AllocationId=allocation, ConnectivityType="public", SubnetId=subnet,
                                 TagSpecifications=tagged("natgateway"))["NatGateway"]["NatGatewayId"]
    dev.rest()
    found = only(ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"])
    assert (found["State"], found["ConnectivityType"], found["SubnetId"], found["VpcId"], found["Tags"]) == ("available", "public", subnet, vpc, NAMED)
    address = only(found["NatGatewayAddresses"])
    assert (address["AllocationId"], address["PublicIp"]) == (allocation, made["PublicIp"])
    assert address["NetworkInterfaceId"] and address["PrivateIp"]
    shown = only(ec2.describe_addresses(AllocationIds=[allocation])["Addresses"])
    assert shown["AssociationId"] and shown["NetworkInterfaceId"] == address["NetworkInterfaceId"]
    ec2.delete_nat_gateway(NatGatewayId=nat)
    dev.rest()
    assert only(ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"])["State"] == "deleted"
    ec2.release_address(AllocationId=allocation)
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidAllocationID.NotFound"):
        ec2.describe_addresses(AllocationIds=[allocation])
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)


def test_aws_network_acl(ec2, vpc, subnet):
    """Subnets are assigned one by one, each by replacing its present association; and back to the default ACL before the deletion."""
    made = ec2.create_network_acl(VpcId=vpc, TagSpecifications=tagged("network-acl"))["NetworkAcl"]["NetworkAclId"]
    ec2.create_network_acl_entry(NetworkAclId=made, Egress=False, RuleNumber=100, Protocol="6", RuleAction="allow", CidrBlock="10.3.0.0/18",
                                 PortRange={"From": 80, "To": 80})
    default = only(ec2.describe_network_acls(Filters=where(default="true", vpc_id=vpc))["NetworkAcls"])["NetworkAclId"]

    def move(acl):
        holder = only(ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])["NetworkAcls"])
        association = only(a for a in holder["Associations"] if a["SubnetId"] == subnet)["NetworkAclAssociationId"]
        return ec2.replace_network_acl_association(AssociationId=association, NetworkAclId=acl)["NewAssociationId"]

    association = move(made)
    found = only(ec2.describe_network_acls(NetworkAclIds=[made])["NetworkAcls"])
    assert (found["VpcId"], found["IsDefault"], found["Tags"]) == (vpc, False, NAMED) and found["OwnerId"]
    assert [(a["NetworkAclAssociationId"], a["SubnetId"]) for a in found["Associations"]] == [(association, subnet)]
    entries = [(e["Egress"], e["RuleNumber"], e["Protocol"], e["RuleAction"], e.get("CidrBlock"), e.get("PortRange")) for e in found["Entries"] if e["RuleNumber"] < 32767]
    assert entries == [(False, 100, "6", "allow", "10.3.0.0/18", {"From": 80, "To": 80})]
    asked = [{"Name": "association.association-id", "Values": [association]}]
    assert only(ec2.describe_network_acls(Filters=asked)["NetworkAcls"])["NetworkAclId"] == made
    move(default)
    ec2.delete_network_acl(NetworkAclId=made)
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidNetworkAclID.NotFound"):
        ec2.describe_network_acls(NetworkAclIds=[made])


def test_aws_key_pair(ec2):
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILFOfTwRr/YXPywa0yQwdiWavyKCbn/vFphshhHjIloM"
    made = ec2.import_key_pair(KeyName="terraform", PublicKeyMaterial=key.encode(), TagSpecifications=tagged("key-pair"))
    found = only(ec2.describe_key_pairs(KeyNames=["terraform"])["KeyPairs"])
    assert (found["KeyPairId"], found["KeyFingerprint"], found["KeyType"], found["Tags"]) == (made["KeyPairId"], made["KeyFingerprint"], "ed25519", NAMED)
    found = only(ec2.describe_key_pairs(KeyPairIds=[made["KeyPairId"]], IncludePublicKey=True)["KeyPairs"])
    assert found["PublicKey"].strip().startswith(key) and found["CreateTime"]
    ec2.delete_key_pair(KeyName="terraform")
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidKeyPair.NotFound"):
        ec2.describe_key_pairs(KeyNames=["terraform"])


def test_aws_network_interface(dev, ec2, subnet, group):
    made = ec2.create_network_interface(ClientToken="terraform-eni", SubnetId=subnet, Groups=[group], Description="d", SecondaryPrivateIpAddressCount=1,
                                        TagSpecifications=tagged("network-interface"))["NetworkInterface"]["NetworkInterfaceId"]
    ec2.modify_network_interface_attribute(NetworkInterfaceId=made, SourceDestCheck={"Value": False})
    found = only(ec2.describe_network_interfaces(NetworkInterfaceIds=[made])["NetworkInterfaces"])
    assert (found["Status"], found["InterfaceType"], found["SourceDestCheck"], found["Description"], found["SubnetId"], found["TagSet"]) == (
        "available", "interface", False, "d", subnet, NAMED)
    assert [g["GroupId"] for g in found["Groups"]] == [group] and "Attachment" not in found
    assert found["MacAddress"] and found["OwnerId"] and found["PrivateIpAddress"] and len(found["PrivateIpAddresses"]) == 2
    assert [a["Primary"] for a in found["PrivateIpAddresses"]] == [True, False] and found["Ipv6Addresses"] == []
    dev.rest()
    ec2.delete_network_interface(NetworkInterfaceId=made)
    dev.rest()
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidNetworkInterfaceID.NotFound"):
        ec2.describe_network_interfaces(NetworkInterfaceIds=[made])


def test_aws_vpc_security_group_ingress_rule(ec2, group):
    wanted = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "198.51.100.0/24"}]}
    made = only(ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[wanted], TagSpecifications=tagged("security-group-rule"))["SecurityGroupRules"])
    rule = made["SecurityGroupRuleId"]
    changed = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 444, "CidrIpv4": "198.51.100.0/24", "Description": "more"}
    ec2.modify_security_group_rules(GroupId=group, SecurityGroupRules=[{"SecurityGroupRuleId": rule, "SecurityGroupRule": changed}])
    found = only(ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule])["SecurityGroupRules"])
    assert {k: found[k] for k in changed} == changed and (found["IsEgress"], found["GroupId"], found["Tags"]) == (False, group, NAMED)
    ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[rule])
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidSecurityGroupRuleId.NotFound"):
        ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule])


def launch(dev, ec2, subnet, group, **more):
    """The provider's request: unset options are sent as disabled, and the zone as an empty string."""
    image = only(ec2.describe_images(Owners=["amazon"], Filters=where(name="tiny"))["Images"])
    root = only(ec2.describe_images(ImageIds=[image["ImageId"]])["Images"])["RootDeviceName"]
    disks = [{"DeviceName": root, "Ebs": {"VolumeSize": 8, "VolumeType": "gp3", "Iops": 3500, "Throughput": 200, "DeleteOnTermination": True}},
             {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 1, "DeleteOnTermination": False, "Encrypted": False}}]
    made = only(ec2.run_instances(
        ImageId=image["ImageId"], InstanceType="t3.micro", MinCount=1, MaxCount=1, ClientToken=f"terraform-{len(more)}", DisableApiTermination=False,
        EbsOptimized=False, Monitoring={"Enabled": False}, Placement={"AvailabilityZone": ""}, HibernationOptions={"Configured": False},
        CreditSpecification={"CpuCredits": "unlimited"}, BlockDeviceMappings=disks, TagSpecifications=[*tagged("instance"), *tagged("volume")],
        NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": subnet, "Groups": [group], "AssociatePublicIpAddress": False}], **more)["Instances"])["InstanceId"]
    dev.rest()
    return made


def test_aws_volume_attachment_and_eip_association(dev, ec2, subnet, group, vpc):
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    instance = launch(dev, ec2, subnet, group)
    found = only(only(ec2.describe_instances(InstanceIds=[instance])["Reservations"])["Instances"])
    assert found["State"]["Name"] == "running" and "PublicIpAddress" not in found and found["PrivateDnsName"] and found["PrivateIpAddress"]
    disks = {a["Device"]: v for v in ec2.describe_volumes(VolumeIds=[b["Ebs"]["VolumeId"] for b in found["BlockDeviceMappings"]])["Volumes"] for a in v["Attachments"]}
    root, other = disks.pop(found["RootDeviceName"]), disks.pop("/dev/sdf")
    assert (root["Size"], root["VolumeType"], root["Iops"], root["Throughput"], root["Encrypted"], root["Tags"]) == (8, "gp3", 3500, 200, False, NAMED)
    assert (other["Size"], other["Attachments"][0]["DeleteOnTermination"], other["Tags"]) == (1, False, NAMED)
    ids = [root["VolumeId"], other["VolumeId"]]
    assert sorted(t["ResourceId"] for t in ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": ids}])["Tags"]) == sorted(ids)
    assert ec2.describe_tags(Filters=[*where(resource_id=instance), {"Name": "key", "Values": ["aws:ec2launchtemplate:id"]}])["Tags"] == []
    assert only(ec2.describe_vpcs(VpcIds=[found["VpcId"]])["Vpcs"])["IsDefault"] is False
    volume = ec2.create_volume(AvailabilityZone=REGION + "a", Size=1)["VolumeId"]
    dev.rest()
    asked = {"Filters": [{"Name": "attachment.device", "Values": ["/dev/sdh"]}, {"Name": "attachment.instance-id", "Values": [instance]}], "VolumeIds": [volume]}
    assert ec2.describe_volumes(**asked)["Volumes"] == []
    ec2.attach_volume(Device="/dev/sdh", InstanceId=instance, VolumeId=volume)
    dev.rest()
    shown = only(ec2.describe_volumes(**asked)["Volumes"])
    assert [(a["State"], a["Device"], a["InstanceId"]) for a in shown["Attachments"]] == [("attached", "/dev/sdh", instance)]
    ec2.detach_volume(Device="/dev/sdh", Force=False, InstanceId=instance, VolumeId=volume)
    dev.rest()
    assert ec2.describe_volumes(**asked)["Volumes"] == []
    allocation = ec2.allocate_address(Domain="vpc")["AllocationId"]
    association = ec2.associate_address(AllocationId=allocation, InstanceId=instance, AllowReassociation=True)["AssociationId"]
    shown = only(ec2.describe_addresses(Filters=where(association_id=association))["Addresses"])
    assert (shown["AllocationId"], shown["InstanceId"], shown["PrivateIpAddress"]) == (allocation, instance, found["PrivateIpAddress"])
    assert shown["NetworkInterfaceId"] and shown["NetworkInterfaceOwnerId"]
    ec2.disassociate_address(AssociationId=association)
    assert ec2.describe_addresses(Filters=where(association_id=association))["Addresses"] == []
    ec2.release_address(AllocationId=allocation)
    ec2.modify_instance_attribute(InstanceId=instance, DisableApiTermination={"Value": False})  # before the deletion
    ec2.terminate_instances(InstanceIds=[instance])
    dev.rest()
    for left in (volume, other["VolumeId"]):
        ec2.delete_volume(VolumeId=left)
    dev.rest()
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)


def test_aws_instance_of_a_launch_template(dev, ec2, subnet, group):
    template = ec2.create_launch_template(LaunchTemplateName="of-terraform", ClientToken="terraform-template",
                                          LaunchTemplateData={"InstanceType": "t3.nano"})["LaunchTemplate"]["LaunchTemplateId"]
    version = only(ec2.describe_launch_template_versions(LaunchTemplateId=template, Versions=["$Default"])["LaunchTemplateVersions"])
    assert version["LaunchTemplateData"] == {"InstanceType": "t3.nano"} and version["DefaultVersion"] is True
    instance = launch(dev, ec2, subnet, group, LaunchTemplate={"LaunchTemplateId": template, "Version": "$Default"})
    for key, value in (("aws:ec2launchtemplate:id", template), ("aws:ec2launchtemplate:version", "1")):
        shown = ec2.describe_tags(Filters=[*where(resource_id=instance), {"Name": "key", "Values": [key]}])["Tags"]
        assert [t["Value"] for t in shown] == [value]
    data = ec2.get_launch_template_data(InstanceId=instance)["LaunchTemplateData"]
    assert data["InstanceType"] == "t3.micro"
    disk = only(ec2.describe_volumes(Filters=[{"Name": "attachment.device", "Values": ["/dev/sdf"]}, {"Name": "attachment.instance-id", "Values": [instance]}])["Volumes"])
    ec2.terminate_instances(InstanceIds=[instance])
    dev.rest()
    ec2.delete_volume(VolumeId=disk["VolumeId"])
    ec2.delete_launch_template(LaunchTemplateId=template)
    for asked in (lambda: ec2.describe_launch_templates(LaunchTemplateIds=[template]),
                  lambda: ec2.describe_launch_template_versions(LaunchTemplateId=template, Versions=["$Default"])):
        with pytest.raises(botocore.exceptions.ClientError, match="InvalidLaunchTemplateId.NotFound"):
            asked()


def test_aws_ebs_snapshot_and_ami(dev, ec2):
    """The provider sends an empty string for omitted texts. It polls a deregistered image until it is not found."""
    volume = ec2.create_volume(AvailabilityZone=REGION + "a", Size=1)["VolumeId"]
    dev.rest()
    snapshot = ec2.create_snapshot(VolumeId=volume, Description="d", TagSpecifications=tagged("snapshot"))["SnapshotId"]
    dev.rest()
    found = only(ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"])
    assert (found["State"], found["VolumeId"], found["VolumeSize"], found["Encrypted"], found["Description"], found["Tags"]) == (
        "completed", volume, 1, False, "d", NAMED) and found["OwnerId"] and found["StorageTier"] == "standard"
    image = ec2.register_image(
        Name="of-terraform", Architecture="x86_64", Description="", EnaSupport=True, ImageLocation="", RootDeviceName="/dev/sda1", SriovNetSupport="simple",
        VirtualizationType="hvm", BlockDeviceMappings=[{"DeviceName": "/dev/sda1", "Ebs": {
            "DeleteOnTermination": True, "SnapshotId": snapshot, "VolumeSize": 1, "VolumeType": "standard"}}])["ImageId"]
    ec2.create_tags(Resources=[image], Tags=NAMED)
    dev.rest()
    found = only(ec2.describe_images(ImageIds=[image])["Images"])
    assert {k: found[k] for k in ("State", "Name", "Architecture", "EnaSupport", "Hypervisor", "ImageType", "Public", "RootDeviceName", "SriovNetSupport",
                                  "VirtualizationType", "PlatformDetails", "UsageOperation", "Tags")} == {
        "State": "available", "Name": "of-terraform", "Architecture": "x86_64", "EnaSupport": True, "Hypervisor": "xen", "ImageType": "machine", "Public": False,
        "RootDeviceName": "/dev/sda1", "SriovNetSupport": "simple", "VirtualizationType": "hvm", "PlatformDetails": "Linux/UNIX",
        "UsageOperation": "RunInstances", "Tags": NAMED} and found["OwnerId"] and found["ImageLocation"]
    disk = only(found["BlockDeviceMappings"])["Ebs"]
    assert (disk["SnapshotId"], disk["VolumeSize"], disk["VolumeType"], disk["DeleteOnTermination"], disk["Encrypted"]) == (snapshot, 1, "standard", True, False)
    friend = dev.new_account("friend").client("sts").get_caller_identity()["Account"]
    ec2.modify_image_attribute(ImageId=image, Attribute="launchPermission", LaunchPermission={"Add": [{"UserId": friend}]})
    assert ec2.describe_image_attribute(ImageId=image, Attribute="launchPermission")["LaunchPermissions"] == [{"UserId": friend}]
    ec2.modify_image_attribute(ImageId=image, Attribute="launchPermission", LaunchPermission={"Remove": [{"UserId": friend}]})
    ec2.modify_image_attribute(ImageId=image, Description={"Value": "later"})
    assert only(ec2.describe_images(ImageIds=[image])["Images"])["Description"] == "later"
    ec2.deregister_image(ImageId=image)
    dev.rest()
    assert ec2.describe_images(ImageIds=[image])["Images"] == []
    ec2.delete_snapshot(SnapshotId=snapshot)
    dev.rest()
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidSnapshot.NotFound"):
        ec2.describe_snapshots(SnapshotIds=[snapshot])
    ec2.delete_volume(VolumeId=volume)


def test_small_things(ec2, vpc):
    """Placement groups, prefix lists, DHCP options, a tag by itself."""
    ec2.create_placement_group(GroupName="terraform", Strategy="cluster", TagSpecifications=tagged("placement-group"))
    found = only(ec2.describe_placement_groups(GroupNames=["terraform"])["PlacementGroups"])
    assert (found["State"], found["Strategy"], found["Tags"]) == ("available", "cluster", NAMED) and found["GroupId"] and found["GroupArn"]
    ec2.delete_placement_group(GroupName="terraform")
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidPlacementGroup.Unknown"):
        ec2.describe_placement_groups(GroupNames=["terraform"])
    made = ec2.create_managed_prefix_list(ClientToken="terraform-list", PrefixListName="terraform", AddressFamily="IPv4", MaxEntries=5,
                                          Entries=[{"Cidr": "10.1.0.0/16", "Description": "one"}], TagSpecifications=tagged("prefix-list"))["PrefixList"]["PrefixListId"]
    found = only(ec2.describe_managed_prefix_lists(PrefixListIds=[made])["PrefixLists"])
    assert (found["State"], found["AddressFamily"], found["MaxEntries"], found["Version"], found["Tags"]) == ("create-complete", "IPv4", 5, 1, NAMED)
    assert ec2.get_managed_prefix_list_entries(PrefixListId=made)["Entries"] == [{"Cidr": "10.1.0.0/16", "Description": "one"}]
    ec2.delete_managed_prefix_list(PrefixListId=made)
    options = ec2.create_dhcp_options(DhcpConfigurations=[{"Key": "domain-name", "Values": ["shop.example"]}], TagSpecifications=tagged("dhcp-options"))["DhcpOptions"]
    ec2.associate_dhcp_options(DhcpOptionsId=options["DhcpOptionsId"], VpcId=vpc)
    found = only(ec2.describe_dhcp_options(DhcpOptionsIds=[options["DhcpOptionsId"]])["DhcpOptions"])
    assert (found["DhcpConfigurations"], found["Tags"]) == ([{"Key": "domain-name", "Values": [{"Value": "shop.example"}]}], NAMED) and found["OwnerId"]
    assert only(ec2.describe_vpcs(Filters=where(dhcp_options_id=options["DhcpOptionsId"]))["Vpcs"])["VpcId"] == vpc
    ec2.associate_dhcp_options(DhcpOptionsId="default", VpcId=vpc)
    ec2.delete_dhcp_options(DhcpOptionsId=options["DhcpOptionsId"])
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidDhcpOptionID.NotFound"):
        ec2.describe_dhcp_options(DhcpOptionsIds=[options["DhcpOptionsId"]])
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "k", "Value": "v"}])
    assert only(ec2.describe_tags(Filters=where(resource_id=vpc, key="k"))["Tags"])["Value"] == "v"
    ec2.delete_tags(Resources=[vpc], Tags=[{"Key": "k", "Value": "v"}])


def test_aws_vpc_peering_connection(dev, ec2, vpc):
    """Accepted automatically, in one account; polled until it is active; its options are read and written."""
    other = ec2.create_vpc(CidrBlock="10.51.0.0/16")["Vpc"]["VpcId"]
    made = ec2.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=other, TagSpecifications=tagged("vpc-peering-connection"))["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    assert only(ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[made])["VpcPeeringConnections"])["Status"]["Code"] == "pending-acceptance"
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=made)
    dev.rest()
    found = only(ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[made])["VpcPeeringConnections"])
    assert (found["Status"]["Code"], found["Tags"]) == ("active", NAMED)
    assert (found["RequesterVpcInfo"]["VpcId"], found["AccepterVpcInfo"]["VpcId"]) == (vpc, other)
    assert found["AccepterVpcInfo"]["OwnerId"] and found["AccepterVpcInfo"]["Region"] == REGION and "PeeringOptions" in found["AccepterVpcInfo"]
    ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=made)
    assert only(ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[made])["VpcPeeringConnections"])["Status"]["Code"] in ("deleting", "deleted")
    dev.rest()
    ec2.delete_vpc(VpcId=other)


def test_aws_vpc_peering_connection_accepter(dev, ec2, vpc):
    """The other account accepts, and sets tags of its own on the peering."""
    stranger = dev.new_account("accepter").client()
    other = stranger.create_vpc(CidrBlock="10.52.0.0/16")["Vpc"]
    made = ec2.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=other["VpcId"], PeerOwnerId=other["OwnerId"],
                                             TagSpecifications=tagged("vpc-peering-connection"))["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    stranger.accept_vpc_peering_connection(VpcPeeringConnectionId=made)
    stranger.create_tags(Resources=[made], Tags=[{"Key": "Side", "Value": "Accepter"}])
    dev.rest()
    for client, tags in ((ec2, NAMED), (stranger, [{"Key": "Side", "Value": "Accepter"}])):
        assert only(client.describe_vpc_peering_connections(VpcPeeringConnectionIds=[made])["VpcPeeringConnections"])["Tags"] == tags
        assert [(t["Key"], t["Value"]) for t in client.describe_tags(Filters=where(resource_id=made))["Tags"]] == [(t["Key"], t["Value"]) for t in tags]
    stranger.delete_tags(Resources=[made], Tags=[{"Key": "Side"}, {"Key": "Name"}])
    assert only(ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[made])["VpcPeeringConnections"])["Tags"] == NAMED
    stranger.delete_vpc_peering_connection(VpcPeeringConnectionId=made)
    dev.rest()
    stranger.delete_vpc(VpcId=other["VpcId"])


def test_aws_ec2_transit_gateway(dev, ec2, vpc, subnet):
    """A gateway, an attachment and a route table, each polled until it is available; an association and a propagation, which are lists of their
    table's; a route, looked up by its destination. What is deleted is polled until it is deleted, or not found."""
    made = ec2.create_transit_gateway(Description="hub", Options={"AmazonSideAsn": 64512, "DefaultRouteTableAssociation": "disable"},
                                      TagSpecifications=tagged("transit-gateway"))["TransitGateway"]["TransitGatewayId"]
    dev.rest()
    found = only(ec2.describe_transit_gateways(TransitGatewayIds=[made])["TransitGateways"])
    assert (found["State"], found["Description"], found["Tags"]) == ("available", "hub", NAMED) and found["TransitGatewayArn"].endswith("/" + made)
    wanted = {"AmazonSideAsn": 64512, "AutoAcceptSharedAttachments": "disable", "DefaultRouteTableAssociation": "disable", "DefaultRouteTablePropagation": "enable",
              "DnsSupport": "enable", "MulticastSupport": "disable", "VpnEcmpSupport": "enable"}
    assert {k: found["Options"][k] for k in wanted} == wanted
    attachment = ec2.create_transit_gateway_vpc_attachment(TransitGatewayId=made, VpcId=vpc, SubnetIds=[subnet])["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"]
    dev.rest()
    found = only(ec2.describe_transit_gateway_vpc_attachments(TransitGatewayAttachmentIds=[attachment])["TransitGatewayVpcAttachments"])
    assert (found["State"], found["SubnetIds"], found["VpcId"], found["TransitGatewayId"]) == ("available", [subnet], vpc, made)
    assert (found["Options"]["DnsSupport"], found["Options"]["Ipv6Support"], found["Options"]["ApplianceModeSupport"]) == ("enable", "disable", "disable")
    table = ec2.create_transit_gateway_route_table(TransitGatewayId=made, TagSpecifications=tagged("transit-gateway-route-table"))
    table = table["TransitGatewayRouteTable"]["TransitGatewayRouteTableId"]
    found = only(ec2.describe_transit_gateway_route_tables(TransitGatewayRouteTableIds=[table])["TransitGatewayRouteTables"])
    assert (found["State"], found["DefaultAssociationRouteTable"], found["DefaultPropagationRouteTable"], found["Tags"]) == ("available", False, False, NAMED)
    use = {"TransitGatewayRouteTableId": table, "TransitGatewayAttachmentId": attachment}
    ec2.associate_transit_gateway_route_table(**use)
    ec2.enable_transit_gateway_route_table_propagation(**use)
    by = where(transit_gateway_attachment_id=attachment)
    found = only(ec2.get_transit_gateway_route_table_associations(TransitGatewayRouteTableId=table, Filters=by)["Associations"])
    assert found == {"TransitGatewayAttachmentId": attachment, "ResourceId": vpc, "ResourceType": "vpc", "State": "associated"}
    found = only(ec2.get_transit_gateway_route_table_propagations(TransitGatewayRouteTableId=table, Filters=by)["TransitGatewayRouteTablePropagations"])
    assert (found["ResourceId"], found["State"]) == (vpc, "enabled")
    ec2.create_transit_gateway_route(DestinationCidrBlock="10.90.0.0/16", **use)
    found = only(ec2.search_transit_gateway_routes(TransitGatewayRouteTableId=table, Filters=[
        {"Name": "type", "Values": ["static"]}, {"Name": "route-search.exact-match", "Values": ["10.90.0.0/16"]}])["Routes"])
    assert (found["State"], found["TransitGatewayAttachments"][0]["TransitGatewayAttachmentId"]) == ("active", attachment)
    ec2.delete_transit_gateway_route(TransitGatewayRouteTableId=table, DestinationCidrBlock="10.90.0.0/16")
    ec2.disable_transit_gateway_route_table_propagation(**use)
    ec2.disassociate_transit_gateway_route_table(**use)
    ec2.delete_transit_gateway_route_table(TransitGatewayRouteTableId=table)
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidRouteTableID.NotFound"):
        ec2.describe_transit_gateway_route_tables(TransitGatewayRouteTableIds=[table])
    with pytest.raises(botocore.exceptions.ClientError, match="IncorrectState.* has non-deleted Transit Gateway Attachments"):
        ec2.delete_transit_gateway(TransitGatewayId=made)
    ec2.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=attachment)
    dev.rest()
    assert only(ec2.describe_transit_gateway_vpc_attachments(TransitGatewayAttachmentIds=[attachment])["TransitGatewayVpcAttachments"])["State"] == "deleted"
    ec2.delete_transit_gateway(TransitGatewayId=made)
    dev.rest()
    assert only(ec2.describe_transit_gateways(TransitGatewayIds=[made])["TransitGateways"])["State"] == "deleted"


def test_aws_eip_domain_name(ec2):
    """Polled until no change is pending; after its deletion there is no record."""
    made = ec2.allocate_address(Domain="vpc")["AllocationId"]

    def read():
        return only(ec2.describe_addresses_attribute(AllocationIds=[made], Attribute="domain-name")["Addresses"])

    changed = ec2.modify_address_attribute(AllocationId=made, DomainName="mail.example.com")["Address"]
    assert (changed["AllocationId"], changed["PtrRecordUpdate"]) == (made, {"Value": "mail.example.com.", "Status": "PENDING"})
    assert read()["PtrRecord"] == "mail.example.com." and "PtrRecordUpdate" not in read()
    assert ec2.reset_address_attribute(AllocationId=made, Attribute="domain-name")["Address"]["PtrRecord"] == "mail.example.com."
    assert not {"PtrRecord", "PtrRecordUpdate"} & set(read())
    ec2.release_address(AllocationId=made)


def test_aws_vpc_endpoint(ec2, vpc, subnet):
    """Reads after creation, change and deletion; services that no region of ours has; a missing endpoint."""
    code = botocore.exceptions.ClientError
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    made = ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=f"com.amazonaws.{REGION}.ec2", VpcEndpointType="Gateway", RouteTableIds=[table],
                                   TagSpecifications=tagged("vpc-endpoint"))["VpcEndpoint"]["VpcEndpointId"]
    found = only(ec2.describe_vpc_endpoints(VpcEndpointIds=[made])["VpcEndpoints"])
    assert (found["State"], found["RouteTableIds"], found["PrivateDnsEnabled"]) == ("available", [table], False)
    prefixes = only(ec2.describe_prefix_lists(Filters=where(prefix_list_name=f"com.amazonaws.{REGION}.ec2"))["PrefixLists"])
    routes = only(ec2.describe_route_tables(Filters=[{"Name": "route.gateway-id", "Values": [made]}])["RouteTables"])["Routes"]
    assert {"DestinationPrefixListId": prefixes["PrefixListId"], "GatewayId": made, "Origin": "CreateRoute", "State": "active"} in routes
    ec2.modify_vpc_endpoint(VpcEndpointId=made, RemoveRouteTableIds=[table])
    assert ec2.describe_route_tables(Filters=[{"Name": "route.gateway-id", "Values": [made]}])["RouteTables"] == []
    ec2.modify_vpc_endpoint(VpcEndpointId=made, AddRouteTableIds=[table])
    ec2.delete_route_table(RouteTableId=table)  # leaves the endpoint
    assert only(ec2.describe_vpc_endpoints(VpcEndpointIds=[made])["VpcEndpoints"])["RouteTableIds"] == []
    assert ec2.delete_vpc_endpoints(VpcEndpointIds=[made])["Unsuccessful"] == []
    inner = ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=f"com.amazonaws.{REGION}.sts", VpcEndpointType="Interface", SubnetIds=[subnet],
                                    PrivateDnsEnabled=False)["VpcEndpoint"]["VpcEndpointId"]
    found = only(ec2.describe_vpc_endpoints(Filters=where(vpc_endpoint_type="Interface"))["VpcEndpoints"])
    assert (found["SubnetIds"], len(found["NetworkInterfaceIds"]), len(found["DnsEntries"])) == ([subnet], 1, 1)
    ec2.delete_vpc_endpoints(VpcEndpointIds=[inner])
    with pytest.raises(code, match="InvalidServiceName"):
        ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=f"com.amazonaws.{REGION}.s3", VpcEndpointType="Gateway", TagSpecifications=tagged("vpc-endpoint"))
    with pytest.raises(code, match="InvalidServiceName"):
        ec2.describe_vpc_endpoint_services(ServiceNames=[f"com.amazonaws.{REGION}.s3"])
    with pytest.raises(code, match="InvalidVpcEndpointId.NotFound"):
        ec2.describe_vpc_endpoints(VpcEndpointIds=["vpce-0123456789abcdef0"])
    told = only(ec2.delete_vpc_endpoints(VpcEndpointIds=["vpce-0123456789abcdef0"])["Unsuccessful"])
    assert (told["ResourceId"], told["Error"]["Code"]) == ("vpce-0123456789abcdef0", "InvalidVpcEndpoint.NotFound")
    assert ec2.describe_prefix_lists(Filters=where(prefix_list_name=f"com.amazonaws.{REGION}.s3"))["PrefixLists"] == []


def test_data_sources(ec2, vpc, subnet):
    """The filters have older names."""
    default = only(ec2.describe_vpcs(Filters=[{"Name": "isDefault", "Values": ["true"]}])["Vpcs"])
    assert default["IsDefault"] is True
    assert only(ec2.describe_vpcs(Filters=where(cidr="10.50.0.0/16", state="available"))["Vpcs"])["VpcId"] == vpc
    asked = [{"Name": "availabilityZone", "Values": [REGION + "a"]}, {"Name": "cidrBlock", "Values": ["10.50.1.0/24"]}, *where(vpc_id=vpc, state="available")]
    assert only(ec2.describe_subnets(Filters=asked)["Subnets"])["SubnetId"] == subnet
    asked = [{"Name": "defaultForAz", "Values": ["true"]}, *where(vpc_id=default["VpcId"])]
    found = ec2.describe_subnets(Filters=asked)["Subnets"]
    assert found and all(s["DefaultForAz"] for s in found)
    zones = ec2.describe_availability_zones(AllAvailabilityZones=False, Filters=where(state="available"))["AvailabilityZones"]
    assert zones and all(z["ZoneId"] and z["GroupName"] and z["ZoneType"] and z["OptInStatus"] and z["NetworkBorderGroup"] for z in zones)
    region = only(ec2.describe_regions(AllRegions=True, Filters=[{"Name": "region-name", "Values": [REGION]}])["Regions"])
    assert region["Endpoint"] and region["OptInStatus"]
    images = ec2.describe_images(Owners=["amazon"], IncludeDeprecated=False, Filters=[*where(name="tin*", virtualization_type="hvm", root_device_type="ebs")])["Images"]
    assert [i["Name"] for i in images] == ["tiny"] and images[0]["CreationDate"]
    offered = ec2.describe_instance_type_offerings(LocationType="availability-zone", Filters=[{"Name": "instance-type", "Values": ["t3.micro"]}])["InstanceTypeOfferings"]
    assert {o["Location"] for o in offered} >= {REGION + "a"}


def test_the_end(dev, ec2, vpc, subnet, group):
    """The provider polls until each is not found."""
    ec2.delete_security_group(GroupId=group)
    ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=vpc)
    dev.rest()
    for read, code in ((lambda: ec2.describe_security_groups(GroupIds=[group]), "InvalidGroup.NotFound"),
                       (lambda: ec2.describe_subnets(SubnetIds=[subnet]), "InvalidSubnetID.NotFound"),
                       (lambda: ec2.describe_vpcs(VpcIds=[vpc]), "InvalidVpcID.NotFound")):
        with pytest.raises(botocore.exceptions.ClientError, match=code):
            read()


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

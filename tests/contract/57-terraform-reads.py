#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What Terraform's provider for AWS reads after it has made a thing, and expects to find as it was written: else each plan
would change it again. Terraform is not in Debian; its calls are made here by boto3, resource by resource."""
import base64
import os
import sys

import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from dev import REGION, Dev  # noqa: E402


@pytest.fixture(scope="module", name="dev")
def start_dev():
    with Dev() as region:
        yield region


@pytest.fixture(scope="module", name="ec2")
def connect(dev):
    return dev.account.client()


def tagged(sort):
    return [{"ResourceType": sort, "Tags": [{"Key": "Name", "Value": "tf"}]}]


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
    """Its rule for all that leaves is taken away first, as the provider does."""
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
    asked = [*where(subnet_id=subnet), {"Name": "description", "Values": ["AWS Lambda VPC ENI*"]}]  # before it is deleted
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


def test_the_end(dev, ec2, vpc, subnet, group):
    """It waits until each is not found."""
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

# SPDX-License-Identifier: Apache-2.0
"""boto3 against EC2, IAM and STS: what a script of an operator does, by paginators, waiters and resources."""
import os

import boto3
from botocore.exceptions import WaiterError
from steps import await_that, refused, same, step, tell

ec2, iam, sts = (boto3.client(name) for name in ("ec2", "iam", "sts"))
resource = boto3.resource("ec2")
TAGS = [{"Key": "team", "Value": "blue"}]
BRIEF = {"Delay": 1, "MaxAttempts": 300}
made = {}


def tagged(kind):
    return [{"ResourceType": kind, "Tags": TAGS}]


def code(error):
    return error.response["Error"]["Code"]


def count(operation, member, **asked):
    return len([item for page in ec2.get_paginator(operation).paginate(PaginationConfig={"PageSize": 5}, **asked) for item in page[member]])


def look_around():
    with step("who the caller is"):
        assert sts.get_caller_identity()["Arn"].startswith("arn:aws:")
    with step("regions and zones"):
        same([r["RegionName"] for r in ec2.describe_regions()["Regions"]], [os.environ["AWS_DEFAULT_REGION"]])
        assert ec2.describe_availability_zones()["AvailabilityZones"]
    with step("instance types by pages"):
        types = [t["InstanceType"] for page in ec2.get_paginator("describe_instance_types").paginate(MaxResults=5) for t in page["InstanceTypes"]]
        assert "t3.micro" in types and len(types) == len({*types})
    with step("images by owner"):
        assert os.environ["IMAGE"] in [i["ImageId"] for i in ec2.describe_images(Filters=[{"Name": "state", "Values": ["available"]}])["Images"]]


def network():
    with step("a VPC with a subnet, a route and a security group"):
        made["vpc"] = vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16", TagSpecifications=tagged("vpc"))["Vpc"]["VpcId"]
        ec2.get_waiter("vpc_available").wait(VpcIds=[vpc], WaiterConfig=BRIEF)
        made["subnet"] = ec2.create_subnet(VpcId=vpc, CidrBlock="10.7.1.0/24")["Subnet"]["SubnetId"]
        made["gateway"] = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=made["gateway"], VpcId=vpc)
        table = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"][0]["RouteTableId"]
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=made["gateway"])
        made["group"] = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    with step("rules of a security group"):
        ec2.authorize_security_group_ingress(GroupId=made["group"], IpPermissions=[{
            "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "192.0.2.0/24", "Description": "office"}]}])
        rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [made["group"]]}])["SecurityGroupRules"]
        same(sorted(r["IsEgress"] for r in rules), [False, True])
        refused(lambda: ec2.authorize_security_group_ingress(GroupId=made["group"], IpProtocol="tcp", FromPort=443, ToPort=443,
                                                             CidrIp="192.0.2.0/24"), "InvalidPermission.Duplicate", code)
    with step("a subnet outside of its VPC is refused"):
        refused(lambda: ec2.create_subnet(VpcId=made["vpc"], CidrBlock="10.8.0.0/24"), "InvalidSubnet.Range", code)


def machines():
    with step("a key pair"):
        assert ec2.create_key_pair(KeyName="desk", KeyType="ed25519")["KeyMaterial"].startswith("-----BEGIN")
    with step("three instances, one call"):
        ran = ec2.run_instances(ImageId=os.environ["IMAGE"], InstanceType="t3.micro", MinCount=3, MaxCount=3, SubnetId=made["subnet"], KeyName="desk",
                                SecurityGroupIds=[made["group"]], TagSpecifications=tagged("instance"), ClientToken="tour-1")
        made["instances"] = [i["InstanceId"] for i in ran["Instances"]]
    with step("the same client token makes no more"):
        again = ec2.run_instances(ImageId=os.environ["IMAGE"], InstanceType="t3.micro", MinCount=3, MaxCount=3, SubnetId=made["subnet"], KeyName="desk",
                                  SecurityGroupIds=[made["group"]], TagSpecifications=tagged("instance"), ClientToken="tour-1")
        same(sorted(i["InstanceId"] for i in again["Instances"]), sorted(made["instances"]))
    with step("a dry run"):
        refused(lambda: ec2.run_instances(ImageId=os.environ["IMAGE"], InstanceType="t3.micro", MinCount=1, MaxCount=1, DryRun=True), "DryRunOperation", code)
    with step("waiters of instances"):
        ec2.get_waiter("instance_running").wait(InstanceIds=made["instances"], WaiterConfig=BRIEF)
        ec2.get_waiter("instance_status_ok").wait(InstanceIds=made["instances"], WaiterConfig=BRIEF)
    with step("instances by pages and filters"):
        same(count("describe_instances", "Reservations", Filters=[{"Name": "tag:team", "Values": ["b*"]}]), 1)
        same(count("describe_instances", "Reservations", Filters=[{"Name": "tag:team", "Values": ["red"]}]), 0)
        same(count("describe_network_interfaces", "NetworkInterfaces", Filters=[{"Name": "subnet-id", "Values": [made["subnet"]]}]), 3)
    with step("a resource object reads and tags"):
        instance = resource.Instance(made["instances"][0])
        instance.create_tags(Tags=[{"Key": "Name", "Value": "first"}])
        instance.reload()
        same({t["Key"] for t in instance.tags}, {"team", "Name"})
    with step("stop, change of type, start"):
        ec2.stop_instances(InstanceIds=made["instances"][:1])
        ec2.get_waiter("instance_stopped").wait(InstanceIds=made["instances"][:1], WaiterConfig=BRIEF)
        ec2.modify_instance_attribute(InstanceId=made["instances"][0], InstanceType={"Value": "t3.small"})
        ec2.start_instances(InstanceIds=made["instances"][:1])
        ec2.get_waiter("instance_running").wait(InstanceIds=made["instances"][:1], WaiterConfig=BRIEF)
    with step("user data, console output and reboot"):
        same(ec2.describe_instance_attribute(InstanceId=made["instances"][0], Attribute="userData")["UserData"], {})
        ec2.reboot_instances(InstanceIds=made["instances"])
        ec2.get_console_output(InstanceId=made["instances"][0])
    with step("an instance that does not exist"):
        refused(lambda: ec2.describe_instances(InstanceIds=["i-0123456789abcdef0"]), "InvalidInstanceID.NotFound", code)
        refused(lambda: ec2.describe_instances(InstanceIds=["nonsense"]), "InvalidInstanceID.Malformed", code)


def disks():
    with step("a volume, attached and grown"):
        zone = ec2.describe_instances(InstanceIds=made["instances"][:1])["Reservations"][0]["Instances"][0]["Placement"]["AvailabilityZone"]
        made["volume"] = volume = ec2.create_volume(AvailabilityZone=zone, Size=2, VolumeType="gp3", TagSpecifications=tagged("volume"))["VolumeId"]
        ec2.get_waiter("volume_available").wait(VolumeIds=[volume], WaiterConfig=BRIEF)
        ec2.attach_volume(VolumeId=volume, InstanceId=made["instances"][0], Device="/dev/sdf")
        ec2.get_waiter("volume_in_use").wait(VolumeIds=[volume], WaiterConfig=BRIEF)
        ec2.modify_volume(VolumeId=volume, Size=3)
        await_that(lambda: ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["Size"] == 3, "the volume's new size")
    with step("a snapshot, and an image of an instance"):
        made["snapshot"] = ec2.create_snapshot(VolumeId=made["volume"])["SnapshotId"]
        ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[made["snapshot"]], WaiterConfig=BRIEF)
        made["image"] = ec2.create_image(InstanceId=made["instances"][1], Name="tour", NoReboot=True)["ImageId"]
        ec2.get_waiter("image_available").wait(ImageIds=[made["image"]], WaiterConfig=BRIEF)
    with step("an address, associated and released"):
        address = ec2.allocate_address(Domain="vpc")["AllocationId"]
        ec2.associate_address(AllocationId=address, InstanceId=made["instances"][0])
        same(ec2.describe_addresses(AllocationIds=[address])["Addresses"][0]["InstanceId"], made["instances"][0])
        refused(lambda: ec2.release_address(AllocationId=address), "InvalidIPAddress.InUse", code)
        ec2.disassociate_address(AssociationId=ec2.describe_addresses(AllocationIds=[address])["Addresses"][0]["AssociationId"])
        ec2.release_address(AllocationId=address)
    with step("a launch template"):
        template = ec2.create_launch_template(LaunchTemplateName="tour", LaunchTemplateData={"ImageId": made["image"], "InstanceType": "t3.micro"})
        made["template"] = template["LaunchTemplate"]["LaunchTemplateId"]
        ran = ec2.run_instances(LaunchTemplate={"LaunchTemplateId": made["template"]}, MinCount=1, MaxCount=1, SubnetId=made["subnet"])
        made["instances"].append(ran["Instances"][0]["InstanceId"])


def people():
    trust = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:Describe*","Resource":"*"}]}'
    with step("a user with a policy and a key may do what it says"):
        iam.create_user(UserName="anna")
        iam.put_user_policy(UserName="anna", PolicyName="look", PolicyDocument=policy)
        key = iam.create_access_key(UserName="anna")["AccessKey"]
        hers = boto3.client("ec2", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
        assert hers.describe_instances()["Reservations"]
        refused(lambda: hers.create_vpc(CidrBlock="10.9.0.0/16"), "UnauthorizedOperation", code)
    with step("a role, its policy and its instance profile"):
        iam.create_role(RoleName="tour", AssumeRolePolicyDocument=trust)
        arn = iam.create_policy(PolicyName="tour", PolicyDocument=policy)["Policy"]["Arn"]
        iam.attach_role_policy(RoleName="tour", PolicyArn=arn)
        iam.create_instance_profile(InstanceProfileName="tour")
        iam.add_role_to_instance_profile(InstanceProfileName="tour", RoleName="tour")
        iam.get_waiter("instance_profile_exists").wait(InstanceProfileName="tour")
        same([r["RoleName"] for page in iam.get_paginator("list_roles").paginate(PaginationConfig={"PageSize": 1}) for r in page["Roles"]
              if r["RoleName"] == "tour"], ["tour"])
        refused(lambda: iam.delete_policy(PolicyArn=arn), "DeleteConflict", code)
    with step("people and roles are deleted"):
        iam.remove_role_from_instance_profile(InstanceProfileName="tour", RoleName="tour")
        iam.delete_instance_profile(InstanceProfileName="tour")
        iam.detach_role_policy(RoleName="tour", PolicyArn=arn)
        iam.delete_policy(PolicyArn=arn)
        iam.delete_role(RoleName="tour")
        iam.delete_access_key(UserName="anna", AccessKeyId=key["AccessKeyId"])
        iam.delete_user_policy(UserName="anna", PolicyName="look")
        iam.delete_user(UserName="anna")
        refused(lambda: iam.get_user(UserName="anna"), "NoSuchEntity", code)


def clean_up():
    with step("a VPC that is in use stays"):
        refused(lambda: ec2.delete_vpc(VpcId=made["vpc"]), "DependencyViolation", code)
    with step("instances are terminated"):
        ec2.terminate_instances(InstanceIds=made["instances"])
        ec2.get_waiter("instance_terminated").wait(InstanceIds=made["instances"], WaiterConfig=BRIEF)
        try:
            ec2.get_waiter("instance_running").wait(InstanceIds=made["instances"][:1], WaiterConfig=BRIEF)
        except WaiterError as e:
            assert "terminal failure state" in str(e), e
    with step("all else is deleted"):
        ec2.delete_launch_template(LaunchTemplateId=made["template"])
        ec2.deregister_image(ImageId=made["image"])
        ec2.delete_snapshot(SnapshotId=made["snapshot"])
        ec2.get_waiter("volume_available").wait(VolumeIds=[made["volume"]], WaiterConfig=BRIEF)
        ec2.delete_volume(VolumeId=made["volume"])
        ec2.get_waiter("volume_deleted").wait(VolumeIds=[made["volume"]], WaiterConfig=BRIEF)
        ec2.delete_key_pair(KeyName="desk")
        ec2.delete_security_group(GroupId=made["group"])
        ec2.detach_internet_gateway(InternetGatewayId=made["gateway"], VpcId=made["vpc"])
        ec2.delete_internet_gateway(InternetGatewayId=made["gateway"])
        ec2.delete_subnet(SubnetId=made["subnet"])
        ec2.delete_vpc(VpcId=made["vpc"])
    with step("a wrong signature is refused"):
        refused(boto3.client("ec2", aws_secret_access_key="wrong", aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"]).describe_vpcs,
                "AuthFailure", code)


for part in (look_around, network, machines, disks, people, clean_up):
    part()
tell("end of tour")

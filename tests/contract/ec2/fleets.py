#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/ec2/compute/fleets.c src/api/ec2/compute/fleet_members.c src/engine/instance/launch/fleet.c src/engine/instance/launch/fleet_follow.c src/reconcile/launch/fleet.c
"""EC2 Fleets by boto3 on simulated hosts: a fleet keeps its target, follows ModifyFleet, tells what happened, and launches by the present policies of the
user who made it."""
import json
import os
import sys

import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import Account, Dev  # noqa: E402
from waiting import wait_until  # noqa: E402


@pytest.fixture(scope="module", name="dev")
def start():
    with Dev("--hosts", "2") as dev:
        yield dev


@pytest.fixture(scope="module", name="ec2")
def connect(dev):
    return dev.account.client()


@pytest.fixture(scope="module", name="template")
def make_template(ec2):
    image = ec2.describe_images()["Images"][0]["ImageId"]
    made = ec2.create_launch_template(LaunchTemplateName="base", LaunchTemplateData={"ImageId": image, "InstanceType": "t3.micro"})
    return [{"LaunchTemplateSpecification": {"LaunchTemplateId": made["LaunchTemplate"]["LaunchTemplateId"], "Version": "$Latest"}}]


def fleet_of(ec2, ident):
    return ec2.describe_fleets(FleetIds=[ident])["Fleets"][0]


def instances(ec2, ident):
    return {i["InstanceId"]: i for i in ec2.describe_fleet_instances(FleetId=ident)["ActiveInstances"]}


def await_units(ec2, ident, count):
    wait_until(lambda: len(instances(ec2, ident)) == count and fleet_of(ec2, ident)["FleetState"] == "active", f"the fleet has {count} instances")


def history(ec2, ident, **more):
    records = ec2.describe_fleet_history(FleetId=ident, StartTime="2024-01-01T00:00:00Z", **more)["HistoryRecords"]
    return [r["EventInformation"]["EventSubType"] for r in records]


def test_it_keeps_its_target(ec2, template):
    fleet = ec2.create_fleet(LaunchTemplateConfigs=template, TargetCapacitySpecification={
        "TotalTargetCapacity": 3, "OnDemandTargetCapacity": 1, "DefaultTargetCapacityType": "spot"})["FleetId"]
    await_units(ec2, fleet, 3)
    first = instances(ec2, fleet)
    assert sorted("SpotInstanceRequestId" in i for i in first.values()) == [False, True, True]
    assert fleet_of(ec2, fleet)["FulfilledCapacity"] == 3.0 and fleet_of(ec2, fleet)["FulfilledOnDemandCapacity"] == 1.0
    tags = ec2.describe_instances(InstanceIds=[next(iter(first))])["Reservations"][0]["Instances"][0]["Tags"]
    assert {"Key": "aws:ec2:fleet-id", "Value": fleet} in tags
    lost = next(iter(first))
    ec2.terminate_instances(InstanceIds=[lost])
    wait_until(lambda: lost not in instances(ec2, fleet) and len(instances(ec2, fleet)) == 3, "the instance is replaced")
    assert history(ec2, fleet, EventType="instance-change").count("launched") == 4
    assert ec2.modify_fleet(FleetId=fleet, TargetCapacitySpecification={"TotalTargetCapacity": 1})["Return"]
    await_units(ec2, fleet, 1)
    assert fleet_of(ec2, fleet)["TargetCapacitySpecification"]["SpotTargetCapacity"] == 0
    deleted = ec2.delete_fleets(FleetIds=[fleet], TerminateInstances=True)["SuccessfulFleetDeletions"]
    assert deleted == [{"CurrentFleetState": "deleted_terminating", "PreviousFleetState": "active", "FleetId": fleet}]
    wait_until(lambda: fleet_of(ec2, fleet)["FleetState"] == "deleted", "the fleet is deleted")
    wait_until(lambda: history(ec2, fleet, EventType="fleet-change")[-1] == "deleted", "the history ends")


def test_it_asks_its_users_policies_again(dev, ec2, template):
    iam = dev.account.client("iam")
    iam.create_user(UserName="maker")
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["ec2:*"], "Resource": "*"}]}
    iam.put_user_policy(UserName="maker", PolicyName="all", PolicyDocument=json.dumps(allow))
    key = iam.create_access_key(UserName="maker")["AccessKey"]
    maker = Account(dev, key["AccessKeyId"], key["SecretAccessKey"]).client()
    fleet = maker.create_fleet(LaunchTemplateConfigs=template, TargetCapacitySpecification={
        "TotalTargetCapacity": 1, "DefaultTargetCapacityType": "on-demand"})["FleetId"]
    await_units(ec2, fleet, 1)
    deny = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "ec2:CreateFleet", "Resource": "*"}]}
    iam.put_user_policy(UserName="maker", PolicyName="none", PolicyDocument=json.dumps(deny))
    ec2.terminate_instances(InstanceIds=list(instances(ec2, fleet)))
    wait_until(lambda: "iamFleetRoleInvalid" in history(ec2, fleet, EventType="service-error"), "the launch is refused")
    assert not instances(ec2, fleet) and fleet_of(ec2, fleet)["ActivityStatus"] == "error"
    ec2.delete_fleets(FleetIds=[fleet], TerminateInstances=True)


@pytest.mark.parametrize("kind", ["instant", "maintain"])
def test_its_creator_must_be_allowed_to_launch(dev, ec2, template, kind):
    iam, name = dev.account.client("iam"), f"launcher-{kind}"
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    user = Account(dev, key["AccessKeyId"], key["SecretAccessKey"]).client()

    def create(*statements):
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))
        return user.create_fleet(Type=kind, LaunchTemplateConfigs=template, TargetCapacitySpecification={
            "TotalTargetCapacity": 1, "DefaultTargetCapacityType": "on-demand"})["FleetId"]
    allow = {"Effect": "Allow", "Action": ["ec2:CreateFleet", "ec2:Describe*", "ec2:CreateTags", "iam:PassRole"], "Resource": "*"}
    launch = dict(allow, Action="ec2:RunInstances")
    deny = dict(launch, Effect="Deny", Resource="arn:aws:ec2:*:*:image/*")
    for statements in ([allow], [allow, launch, deny]):
        with pytest.raises(botocore.exceptions.ClientError, match="UnauthorizedOperation.*ec2:RunInstances"):
            create(*statements)
    assert not [f for f in ec2.describe_fleets()["Fleets"] if f["FleetState"] == "active" and f["Type"] == kind]
    fleet = create(allow, launch)
    if kind == "maintain":
        await_units(ec2, fleet, 1)
    assert fleet_of(ec2, fleet)["FulfilledCapacity"] == 1
    ec2.delete_fleets(FleetIds=[fleet], TerminateInstances=True)


def narrow_session(dev, name):
    """A client that may do everything but launch the type m5.large, by the policy of its session alone."""
    iam = dev.account.client("iam")
    who = dev.account.client("sts").get_caller_identity()["Account"]
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": who}, "Action": "sts:AssumeRole"}]}
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    deny = {"Effect": "Deny", "Action": ["ec2:RunInstances", "ec2:CreateFleet"], "Resource": "*",
            "Condition": {"StringEquals": {"ec2:InstanceType": "m5.large"}}}
    narrow = Account(dev, key["AccessKeyId"], key["SecretAccessKey"]).client("sts").assume_role(
        RoleArn=role, RoleSessionName="narrow", Policy=json.dumps({"Version": "2012-10-17", "Statement": [allow, deny]}))["Credentials"]
    return Account(dev, narrow["AccessKeyId"], narrow["SecretAccessKey"]).client(token=narrow["SessionToken"])


@pytest.mark.parametrize("version", [{"Version": "$Latest"}, {"Version": "$Default"}, {}])
def test_a_session_launches_the_versions_it_was_asked_about(dev, ec2, version):
    """The policy of a session is not known later, so a new version of the template must not launch what it denies."""
    name = f"narrow{len(version)}{version.get('Version', '')[1:]}"
    session = narrow_session(dev, name)
    image = ec2.describe_images()["Images"][0]["ImageId"]
    template = session.create_launch_template(LaunchTemplateName=name, LaunchTemplateData={"ImageId": image, "InstanceType": "t3.micro"})
    template = template["LaunchTemplate"]["LaunchTemplateId"]
    capacity = {"TotalTargetCapacity": 0, "DefaultTargetCapacityType": "on-demand"}
    fleet = session.create_fleet(LaunchTemplateConfigs=[{"LaunchTemplateSpecification": {"LaunchTemplateId": template, **version}}],
                                 TargetCapacitySpecification=capacity)["FleetId"]
    session.create_launch_template_version(LaunchTemplateId=template, LaunchTemplateData={"ImageId": image, "InstanceType": "m5.large"})
    session.modify_launch_template(LaunchTemplateId=template, DefaultVersion="2")
    session.modify_fleet(FleetId=fleet, TargetCapacitySpecification={"TotalTargetCapacity": 1})
    await_units(ec2, fleet, 1)
    assert [i["InstanceType"] for i in instances(ec2, fleet).values()] == ["t3.micro"]
    ec2.delete_fleets(FleetIds=[fleet], TerminateInstances=True)


def test_a_session_launches_the_template_it_was_asked_about(dev, ec2):
    """The same of a template by name: another one of that name must not launch what the session's policy denies."""
    session, image = narrow_session(dev, "named"), ec2.describe_images()["Images"][0]["ImageId"]
    session.create_launch_template(LaunchTemplateName="named", LaunchTemplateData={"ImageId": image, "InstanceType": "t3.micro"})
    fleet = session.create_fleet(LaunchTemplateConfigs=[{"LaunchTemplateSpecification": {"LaunchTemplateName": "named", "Version": "1"}}],
                                 TargetCapacitySpecification={"TotalTargetCapacity": 0, "DefaultTargetCapacityType": "on-demand"})["FleetId"]
    session.delete_launch_template(LaunchTemplateName="named")
    session.create_launch_template(LaunchTemplateName="named", LaunchTemplateData={"ImageId": image, "InstanceType": "m5.large"})
    session.modify_fleet(FleetId=fleet, TargetCapacitySpecification={"TotalTargetCapacity": 1})
    wait_until(lambda: instances(ec2, fleet) or "spotFleetRequestConfigurationInvalid" in history(ec2, fleet) or
               history(ec2, fleet, EventType="service-error"), "the fleet has tried to launch")
    assert not instances(ec2, fleet)
    ec2.delete_fleets(FleetIds=[fleet], TerminateInstances=True)


@pytest.mark.parametrize("field", ["WeightedCapacity", "Priority"])
def test_no_negative_fraction(ec2, template, field):
    with pytest.raises(botocore.exceptions.ClientError, match=field[1:]):
        ec2.create_fleet(LaunchTemplateConfigs=[dict(template[0], Overrides=[{field: -0.5}])],
                         TargetCapacitySpecification={"TotalTargetCapacity": 1, "DefaultTargetCapacityType": "on-demand"})


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/ec2/compute/spot_fleets.c src/api/ec2/compute/spot_fleet_specs.c src/api/ec2/compute/fleet_ src/engine/instance/launch/fleet src/model/id.c
"""Spot fleets by boto3 on simulated hosts: a request keeps its target or launches once, follows ModifySpotFleetRequest, tells what happened, and is
another thing than a fleet of CreateFleet. The calls are those of Terraform's aws_spot_fleet_request."""
import base64
import json
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import Account, Dev  # noqa: E402
from faces import code, holds  # noqa: E402
from waiting import wait_until  # noqa: E402

TAGS = [{"Key": "team", "Value": "red"}]


@pytest.fixture(scope="module", name="dev")
def start():
    with Dev("--hosts", "2") as dev:
        yield dev


@pytest.fixture(scope="module", name="ec2")
def connect(dev):
    return dev.account.client()


@pytest.fixture(scope="module", name="role")
def make_role(dev):
    return f"arn:aws:iam::{dev.account.client('sts').get_caller_identity()['Account']}:role/aws-ec2-spot-fleet-tagging-role"


@pytest.fixture(scope="module", name="image")
def find_image(ec2):
    return ec2.describe_images()["Images"][0]["ImageId"]


@pytest.fixture(scope="module", name="request_of")
def make_request(ec2, role, image):
    """A function that requests a spot fleet of t3.micro instances, unless `more` says else."""
    def make(client=ec2, **more):
        config = {"IamFleetRole": role, "TargetCapacity": 1, "LaunchSpecifications": [{"ImageId": image, "InstanceType": "t3.micro"}], **more}
        return client.request_spot_fleet(SpotFleetRequestConfig={k: v for k, v in config.items() if v is not None})["SpotFleetRequestId"]
    return make


def shown(ec2, ident):
    return ec2.describe_spot_fleet_requests(SpotFleetRequestIds=[ident])["SpotFleetRequestConfigs"][0]


def instances(ec2, ident):
    return {i["InstanceId"]: i for i in ec2.describe_spot_fleet_instances(SpotFleetRequestId=ident)["ActiveInstances"]}


def await_units(ec2, ident, count):
    wait_until(lambda: len(instances(ec2, ident)) == count and shown(ec2, ident)["SpotFleetRequestState"] == "active"
               and shown(ec2, ident)["ActivityStatus"] == "fulfilled", f"the request has {count} instances")


def history(ec2, ident, **more):
    records = ec2.describe_spot_fleet_request_history(SpotFleetRequestId=ident, StartTime="2024-01-01T00:00:00Z", **more)["HistoryRecords"]
    return [r["EventInformation"]["EventSubType"] for r in records]


def end(ec2, ident):
    ec2.cancel_spot_fleet_requests(SpotFleetRequestIds=[ident], TerminateInstances=True)
    wait_until(lambda: shown(ec2, ident)["SpotFleetRequestState"] == "cancelled", "the request is cancelled")


def test_it_keeps_its_target(ec2, request_of):
    ident = request_of(TargetCapacity=3, OnDemandTargetCapacity=1, TagSpecifications=[{"ResourceType": "spot-fleet-request", "Tags": TAGS}])
    assert ident.startswith("sfr-") and len(ident) == 40
    await_units(ec2, ident, 3)
    first = instances(ec2, ident)
    assert sorted("SpotInstanceRequestId" in i for i in first.values()) == [False, True, True]
    row = shown(ec2, ident)
    config = row["SpotFleetRequestConfig"]
    assert (config["FulfilledCapacity"], config["OnDemandFulfilledCapacity"], row["Tags"]) == (3.0, 1.0, TAGS)
    tags = ec2.describe_instances(InstanceIds=[next(iter(first))])["Reservations"][0]["Instances"][0]["Tags"]
    assert {"Key": "aws:ec2spot:fleet-request-id", "Value": ident} in tags
    lost = next(iter(first))
    ec2.terminate_instances(InstanceIds=[lost])
    wait_until(lambda: lost not in instances(ec2, ident) and len(instances(ec2, ident)) == 3, "the instance is replaced")
    assert history(ec2, ident, EventType="instanceChange").count("launched") == 4
    assert ec2.modify_spot_fleet_request(SpotFleetRequestId=ident, TargetCapacity=1)["Return"]
    await_units(ec2, ident, 1)
    assert shown(ec2, ident)["SpotFleetRequestConfig"]["OnDemandTargetCapacity"] == 1
    ec2.modify_spot_fleet_request(SpotFleetRequestId=ident, OnDemandTargetCapacity=0, ExcessCapacityTerminationPolicy="noTermination")
    wait_until(lambda: shown(ec2, ident)["SpotFleetRequestConfig"]["OnDemandTargetCapacity"] == 0, "the share is changed")
    assert shown(ec2, ident)["SpotFleetRequestConfig"]["ExcessCapacityTerminationPolicy"] == "noTermination"
    done = ec2.cancel_spot_fleet_requests(SpotFleetRequestIds=[ident, "sfr-01234567-89ab-4def-8123-456789abcdef", "sfr-x"], TerminateInstances=True)
    assert [(d["SpotFleetRequestId"], d["CurrentSpotFleetRequestState"]) for d in done["SuccessfulFleetRequests"]] == [(ident, "cancelled_terminating")]
    assert [f["Error"]["Code"] for f in done["UnsuccessfulFleetRequests"]] == ["fleetRequestIdDoesNotExist", "fleetRequestIdMalformed"]
    wait_until(lambda: not instances(ec2, ident) and shown(ec2, ident)["SpotFleetRequestState"] == "cancelled", "the request is cancelled")
    changes = history(ec2, ident, EventType="fleetRequestChange")
    assert changes[:2] == ["submitted", "active"] and "modify_in_progress" in changes
    wait_until(lambda: history(ec2, ident, EventType="fleetRequestChange")[-2:] == ["cancelled_terminating", "cancelled"], "the history ends")


def test_it_launches_once(ec2, request_of):
    ident = request_of(Type="request", TargetCapacity=2)
    await_units(ec2, ident, 2)
    ec2.terminate_instances(InstanceIds=list(instances(ec2, ident)))
    wait_until(lambda: not instances(ec2, ident), "the instances have ended")
    assert history(ec2, ident).count("launched") == 2
    assert code(ec2.modify_spot_fleet_request, SpotFleetRequestId=ident, TargetCapacity=3) == "FleetNotInModifiableState"
    done = ec2.cancel_spot_fleet_requests(SpotFleetRequestIds=[ident], TerminateInstances=False)["SuccessfulFleetRequests"][0]
    assert (done["CurrentSpotFleetRequestState"], done["PreviousSpotFleetRequestState"]) == ("cancelled_running", "active")


def test_its_instances_go_on(ec2, request_of):
    ident = request_of()
    await_units(ec2, ident, 1)
    ec2.cancel_spot_fleet_requests(SpotFleetRequestIds=[ident], TerminateInstances=False)
    assert shown(ec2, ident)["SpotFleetRequestState"] == "cancelled_running"
    assert len(instances(ec2, ident)) == 1
    end(ec2, ident)


def test_launch_specifications(ec2, request_of, image):
    """Each member of a specification is shown again, and reaches the instances; subnets that are separated by commas are launches of their own."""
    subnets = [s["SubnetId"] for s in ec2.describe_subnets()["Subnets"]][:2]
    group = ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]
    ec2.create_key_pair(KeyName="spot")
    spec = {"ImageId": image, "InstanceType": "t3.nano", "KeyName": "spot", "SubnetId": ", ".join(subnets), "SpotPrice": "0.03", "WeightedCapacity": 2.0,
            "EbsOptimized": True, "Monitoring": {"Enabled": True}, "SecurityGroups": [{"GroupId": group}],
            "UserData": base64.b64encode(b"#!/bin/sh\n").decode(), "Placement": {"Tenancy": "default"},
            "BlockDeviceMappings": [{"DeviceName": "/dev/sdb", "Ebs": {"VolumeSize": 1, "DeleteOnTermination": True}}],
            "TagSpecifications": [{"ResourceType": "instance", "Tags": TAGS}]}
    ident = request_of(LaunchSpecifications=[spec], TargetCapacity=4, AllocationStrategy="diversified", SpotPrice="0.05")
    await_units(ec2, ident, 2)
    config = shown(ec2, ident)["SpotFleetRequestConfig"]
    assert config["LaunchSpecifications"] == [spec] and config["SpotPrice"] == "0.05" and config["AllocationStrategy"] == "diversified"
    made = [r["Instances"][0] for r in ec2.describe_instances(InstanceIds=list(instances(ec2, ident)))["Reservations"]]
    assert {i["SubnetId"] for i in made} == set(subnets)
    for i in made:
        assert (i["InstanceType"], i["KeyName"], i["ImageId"], i["EbsOptimized"]) == ("t3.nano", "spot", image, True)
        assert [g["GroupId"] for g in i["SecurityGroups"]] == [group] and TAGS[0] in i["Tags"]
    asked = ec2.describe_spot_instance_requests(SpotInstanceRequestIds=[i["SpotInstanceRequestId"] for i in made])["SpotInstanceRequests"]
    assert {float(r["SpotPrice"]) for r in asked} == {0.03}
    end(ec2, ident)


def test_launch_templates(ec2, request_of, image):
    template = ec2.create_launch_template(LaunchTemplateName="base", LaunchTemplateData={"ImageId": image, "InstanceType": "t3.small"})
    config = {"LaunchTemplateSpecification": {"LaunchTemplateId": template["LaunchTemplate"]["LaunchTemplateId"], "Version": "1"},
              "Overrides": [{"InstanceType": "t3.micro", "WeightedCapacity": 0.5, "Priority": 2.0, "SpotPrice": "0.02"},
                            {"InstanceType": "t3.nano", "Priority": 1.0}]}
    ident = request_of(LaunchSpecifications=None, LaunchTemplateConfigs=[config], AllocationStrategy="lowestPrice", SpotPrice="0.04")
    await_units(ec2, ident, 1)
    assert shown(ec2, ident)["SpotFleetRequestConfig"]["LaunchTemplateConfigs"] == [config]
    only = next(iter(instances(ec2, ident).values()))
    asked = ec2.describe_spot_instance_requests(SpotInstanceRequestIds=[only["SpotInstanceRequestId"]])["SpotInstanceRequests"][0]
    assert (only["InstanceType"], float(asked["SpotPrice"])) == ("t3.nano", 0.04)
    end(ec2, ident)


def test_times_and_dry_run(ec2, request_of, role, image):
    later = {"ValidFrom": "2033-01-01T00:00:00Z", "ValidUntil": "2034-01-01T00:00:00Z", "TerminateInstancesWithExpiration": True}
    ident = request_of(**later)
    row = shown(ec2, ident)
    assert row["SpotFleetRequestState"] == "submitted" and row["ActivityStatus"] == "pending_fulfillment"
    assert row["SpotFleetRequestConfig"]["ValidUntil"].year == 2034 and row["SpotFleetRequestConfig"]["TerminateInstancesWithExpiration"]
    end(ec2, ident)
    config = {"IamFleetRole": role, "TargetCapacity": 1, "LaunchSpecifications": [{"ImageId": image, "InstanceType": "t3.micro"}]}
    before = len(ec2.describe_spot_fleet_requests()["SpotFleetRequestConfigs"])
    assert code(ec2.request_spot_fleet, SpotFleetRequestConfig=config, DryRun=True) == "DryRunOperation"
    assert len(ec2.describe_spot_fleet_requests()["SpotFleetRequestConfigs"]) == before
    first = request_of(ClientToken="once", TargetCapacity=0)
    assert request_of(ClientToken="once", TargetCapacity=0) == first
    assert code(request_of, ClientToken="once", TargetCapacity=1) == "IdempotentParameterMismatch"
    end(ec2, first)


@holds("Instances: Spot fleets")
def test_it_is_no_other_fleet(ec2, request_of):
    """Neither dialect finds, lists, changes or deletes the other's."""
    template = [{"LaunchTemplateSpecification": {"LaunchTemplateName": "base", "Version": "1"}}]
    ident = request_of(TargetCapacity=0)
    fleet = ec2.create_fleet(LaunchTemplateConfigs=template, TargetCapacitySpecification={"TotalTargetCapacity": 0})["FleetId"]
    assert [f["FleetId"] for f in ec2.describe_fleets()["Fleets"]] == [fleet]
    assert fleet.replace("fleet-", "sfr-") not in [f["SpotFleetRequestId"] for f in ec2.describe_spot_fleet_requests()["SpotFleetRequestConfigs"]]
    twin = "fleet-" + ident[4:], "sfr-" + fleet[6:]
    assert code(ec2.describe_fleets, FleetIds=[twin[0]]) == code(ec2.describe_fleets, FleetIds=[ident]) == "InvalidFleetId.NotFound"
    assert code(ec2.describe_spot_fleet_requests, SpotFleetRequestIds=[twin[1]]) == "InvalidSpotFleetRequestId.NotFound"
    assert code(ec2.describe_spot_fleet_requests, SpotFleetRequestIds=[fleet]) == "InvalidSpotFleetRequestId.Malformed"
    assert code(ec2.describe_spot_fleet_instances, SpotFleetRequestId=twin[1]) == "InvalidSpotFleetRequestId.NotFound"
    assert code(ec2.describe_fleet_instances, FleetId=ident) == "InvalidFleetId.NotFound"
    assert code(ec2.describe_fleet_history, FleetId=ident, StartTime="2024-01-01T00:00:00Z") == "InvalidFleetId.NotFound"
    assert code(ec2.modify_fleet, FleetId=ident, TargetCapacitySpecification={"TotalTargetCapacity": 1}) == "InvalidFleetId.NotFound"
    assert code(ec2.modify_spot_fleet_request, SpotFleetRequestId=twin[1], TargetCapacity=1) == "InvalidSpotFleetRequestId.NotFound"
    done = ec2.delete_fleets(FleetIds=[ident], TerminateInstances=True)
    assert [f["Error"]["Code"] for f in done["UnsuccessfulFleetDeletions"]] == ["fleetIdDoesNotExist"]
    ec2.delete_fleets(FleetIds=[fleet], TerminateInstances=True)
    end(ec2, ident)


def test_tags(ec2, request_of):
    ident = request_of(TargetCapacity=0)
    ec2.create_tags(Resources=[ident], Tags=TAGS)
    found = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [ident]}])["Tags"]
    assert [(t["ResourceType"], t["ResourceId"], t["Value"]) for t in found] == [("spot-fleet-request", ident, "red")]
    assert found[0] in ec2.describe_tags(Filters=[{"Name": "resource-type", "Values": ["spot-fleet-request"]}])["Tags"]
    assert not [t for t in ec2.describe_tags(Filters=[{"Name": "resource-type", "Values": ["fleet"]}])["Tags"] if t["ResourceId"] == ident]
    assert shown(ec2, ident)["Tags"] == TAGS
    end(ec2, ident)


def test_policies(dev, ec2, request_of):
    """Spot fleets have actions and ARNs of their own, and launch by the present policies of their user."""
    iam = dev.account.client("iam")
    iam.create_user(UserName="maker")
    key = iam.create_access_key(UserName="maker")["AccessKey"]
    maker = Account(dev, key["AccessKeyId"], key["SecretAccessKey"]).client()

    def may(*statements):
        iam.put_user_policy(UserName="maker", PolicyName="own", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))
    allow = {"Effect": "Allow", "Action": ["ec2:RequestSpotFleet", "ec2:Describe*", "ec2:CreateTags", "ec2:CancelSpotFleetRequests"], "Resource": "*"}
    launch = {"Effect": "Allow", "Action": "ec2:RunInstances", "Resource": "*"}
    may(allow)
    assert code(request_of, maker) == "UnauthorizedOperation"  # it launches
    may(dict(allow, Action="ec2:CreateFleet"), launch)
    assert code(request_of, maker) == "UnauthorizedOperation"  # another action
    may(allow, launch)
    ident = request_of(maker)
    await_units(ec2, ident, 1)
    may(allow, launch, {"Effect": "Deny", "Action": "ec2:*", "Resource": "arn:aws:ec2:*:*:spot-fleet-request/*"})
    assert code(maker.cancel_spot_fleet_requests, SpotFleetRequestIds=[ident], TerminateInstances=True) == "UnauthorizedOperation"
    ec2.terminate_instances(InstanceIds=list(instances(ec2, ident)))
    may(launch)
    wait_until(lambda: "iamFleetRoleInvalid" in history(ec2, ident, EventType="error"), "the launch is refused")
    assert shown(ec2, ident)["ActivityStatus"] == "error"
    end(ec2, ident)


def test_other_accounts(dev, ec2, request_of):
    ident = request_of(TargetCapacity=0)
    other = dev.new_account("stranger").client()
    assert not other.describe_spot_fleet_requests()["SpotFleetRequestConfigs"]
    for call, words in ((other.describe_spot_fleet_requests, {"SpotFleetRequestIds": [ident]}), (other.describe_spot_fleet_instances, {"SpotFleetRequestId": ident}),
                        (other.describe_spot_fleet_request_history, {"SpotFleetRequestId": ident, "StartTime": "2024-01-01T00:00:00Z"}),
                        (other.modify_spot_fleet_request, {"SpotFleetRequestId": ident, "TargetCapacity": 1})):
        assert code(call, **words) == "InvalidSpotFleetRequestId.NotFound"
    end(ec2, ident)


BAD = [({"LaunchSpecifications": None}, "InvalidSpotFleetRequestConfig"), ({"OnDemandTargetCapacity": 2}, "InvalidSpotFleetRequestConfig"),
       ({"IamFleetRole": "arn:aws:iam::1:user/x"}, "InvalidSpotFleetRequestConfig"), ({"Type": "request", "TargetCapacity": 0}, "InvalidSpotFleetRequestConfig"),
       ({"TargetCapacity": 10001}, "InvalidParameterValue"), ({"SpotPrice": "free"}, "InvalidParameterValue"), ({"ValidUntil": "2001-01-01T00:00:00Z"}, "InvalidParameterValue"),
       ({"InstanceInterruptionBehavior": "stop"}, "UnsupportedOperation"), ({"ReplaceUnhealthyInstances": True}, "UnsupportedOperation"),
       ({"IamFleetRole": None}, "MissingParameter"), ({"AllocationStrategy": "cheap"}, "InvalidParameterValue"),
       ({"LaunchSpecifications": [{"InstanceType": "t3.nano"}]}, "MissingParameter"),
       ({"TagSpecifications": [{"ResourceType": "instance", "Tags": TAGS}]}, "InvalidParameterValue")]


@pytest.mark.parametrize("words,wanted", BAD, ids=[f"{n}-{list(words)[0]}" for n, (words, _) in enumerate(BAD)])
def test_bad_parameters(dev, role, image, words, wanted):
    import botocore.config  # noqa: PLC0415
    import boto3  # noqa: PLC0415
    free = boto3.client("ec2", region_name="us-east-1", endpoint_url=dev.url, aws_access_key_id=dev.account.key_id, aws_secret_access_key=dev.account.secret,
                        config=botocore.config.Config(parameter_validation=False, retries={"max_attempts": 0}))
    config = {"IamFleetRole": role, "TargetCapacity": 1, "LaunchSpecifications": [{"ImageId": image, "InstanceType": "t3.micro"}], **words}
    assert code(free.request_spot_fleet, SpotFleetRequestConfig={k: v for k, v in config.items() if v is not None}) == wanted


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

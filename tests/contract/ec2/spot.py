#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/ec2/compute/spot_requests.c src/engine/instance/launch/spot.c src/engine/instance/launch/spot_room.c src/reconcile/launch/spot_request.c
"""Spot instances by boto3 on simulated hosts: an on-demand launch takes a spot instance's room, whose guest reads the notice in its metadata, and starts
when it has gone."""
import base64
import datetime
import json
import os
import sys
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import Dev  # noqa: E402
from waiting import HANG_S, wait_until  # noqa: E402

LARGE = "m5.8xlarge"  # one of these fills a simulated host


@pytest.fixture(scope="module", name="dev")
def start():
    with Dev("--hosts", "1") as dev:
        yield dev


@pytest.fixture(scope="module", name="ec2")
def connect(dev):
    return dev.account.client()


@pytest.fixture(scope="module", name="image")
def find_image(ec2):
    return ec2.describe_images()["Images"][0]["ImageId"]


def instance(ec2, ident):
    return ec2.describe_instances(InstanceIds=[ident])["Reservations"][0]["Instances"][0]


def request_of(ec2, ident):
    return ec2.describe_spot_instance_requests(SpotInstanceRequestIds=[ident])["SpotInstanceRequests"][0]


def metadata(dev, ident, path):
    """The text at the path, or the status."""
    try:
        return urllib.request.urlopen(f"{dev.metadata}/{ident}/latest/meta-data/{path}", timeout=HANG_S).read().decode()
    except urllib.error.HTTPError as error:
        return error.code


def code(call, **parameters):
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return refused.value.response["Error"]["Code"]


def warnings(dev):
    """A queue that gets the warnings of interruptions; returns a call that receives the next one."""
    events, sqs = dev.account.client("events"), dev.account.client("sqs")
    admits = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*"}
    url = sqs.create_queue(QueueName="warnings", Attributes={"Policy": json.dumps({"Statement": [admits]})})["QueueUrl"]
    events.put_rule(Name="warnings", EventPattern=json.dumps({"source": ["aws.ec2"], "detail-type": ["EC2 Spot Instance Interruption Warning"]}))
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    assert events.put_targets(Rule="warnings", Targets=[{"Id": "q", "Arn": arn}])["FailedEntryCount"] == 0
    return lambda: json.loads(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"][0]["Body"])


def test_an_on_demand_launch_takes_the_room(dev, ec2, image):
    next_warning = warnings(dev)
    made = ec2.request_spot_instances(LaunchSpecification={"ImageId": image, "InstanceType": LARGE})["SpotInstanceRequests"][0]
    assert made["State"] == "open" and made["Status"]["Code"] == "pending-evaluation"
    sir = made["SpotInstanceRequestId"]
    ec2.get_waiter("spot_instance_request_fulfilled").wait(SpotInstanceRequestIds=[sir])
    spot = request_of(ec2, sir)["InstanceId"]
    wait_until(lambda: instance(ec2, spot)["State"]["Name"] == "running", "the spot instance runs")
    assert instance(ec2, spot)["InstanceLifecycle"] == "spot" and instance(ec2, spot)["SpotInstanceRequestId"] == sir
    assert metadata(dev, spot, "instance-life-cycle") == "spot" and metadata(dev, spot, "spot/instance-action") == 404
    assert code(ec2.run_instances, ImageId=image, InstanceType=LARGE, MinCount=1, MaxCount=1,
                InstanceMarketOptions={"MarketType": "spot"}) == "InsufficientInstanceCapacity"

    launched = ec2.run_instances(ImageId=image, InstanceType=LARGE, MinCount=1, MaxCount=1)["Instances"][0]
    assert launched["State"]["Name"] == "pending" and "InstanceLifecycle" not in launched
    marked = request_of(ec2, sir)
    assert (marked["State"], marked["Status"]["Code"]) == ("active", "marked-for-termination")
    warning = next_warning()
    assert warning["detail"] == {"instance-id": spot, "instance-action": "terminate"}
    assert warning["resources"] == [f"arn:aws:ec2:{launched['Placement']['AvailabilityZone']}:instance/{spot}"]
    action = json.loads(metadata(dev, spot, "spot/instance-action"))
    assert action["action"] == "terminate" and action["time"] == metadata(dev, spot, "spot/termination-time")
    due = datetime.datetime.strptime(action["time"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)
    assert abs(due - marked["Status"]["UpdateTime"] - datetime.timedelta(minutes=2)) <= datetime.timedelta(seconds=1)

    wait_until(lambda: datetime.datetime.now(datetime.timezone.utc) >= due, "the notice has passed")
    wait_until(lambda: instance(ec2, launched["InstanceId"])["State"]["Name"] == "running", "the on-demand instance runs")
    gone = instance(ec2, spot)
    assert gone["State"]["Name"] == "terminated" and gone["StateReason"]["Code"] == "Server.SpotInstanceTermination"
    closed = request_of(ec2, sir)
    assert (closed["State"], closed["Status"]["Code"]) == ("closed", "instance-terminated-no-capacity")
    ec2.terminate_instances(InstanceIds=[launched["InstanceId"]])
    ec2.get_waiter("instance_terminated").wait(InstanceIds=[launched["InstanceId"]])


def test_a_persistent_request_launches_again(ec2, image):
    made = ec2.request_spot_instances(Type="persistent", SpotPrice="0.5", LaunchSpecification={"ImageId": image, "InstanceType": "t3.nano"})
    sir = made["SpotInstanceRequests"][0]["SpotInstanceRequestId"]
    first = request_of(ec2, sir)["InstanceId"]
    ec2.terminate_instances(InstanceIds=[first])
    wait_until(lambda: request_of(ec2, sir).get("InstanceId") not in (None, first), "another instance is launched")
    assert request_of(ec2, sir)["State"] == "active"
    cancelled = ec2.cancel_spot_instance_requests(SpotInstanceRequestIds=[sir])["CancelledSpotInstanceRequests"]
    assert cancelled == [{"SpotInstanceRequestId": sir, "State": "cancelled"}]
    assert request_of(ec2, sir)["Status"]["Code"] == "request-canceled-and-instance-running"
    last = request_of(ec2, sir)["InstanceId"]
    ec2.terminate_instances(InstanceIds=[last])
    wait_until(lambda: request_of(ec2, sir)["Status"]["Code"] == "instance-terminated-by-user", "the request has ended")
    assert request_of(ec2, sir)["State"] == "cancelled"


def test_a_thousand_requests_fit_into_an_answer(ec2, image):
    """The forms of a thousand requests are larger than the memory of a call, and most cancelled ones are forgotten at once."""
    disks = [{"DeviceName": f"/dev/sd{letter}{number}", "Ebs": {"VolumeSize": 1}} for letter in "bcdefghijk" for number in (1, 2)]
    form = {"ImageId": image, "InstanceType": "t3.nano", "UserData": base64.b64encode(bytes(16384)).decode(), "BlockDeviceMappings": disks}
    made = ec2.request_spot_instances(InstanceCount=1000, ValidFrom="2099-01-01T00:00:00Z", LaunchSpecification=form)["SpotInstanceRequests"]
    ids = {r["SpotInstanceRequestId"] for r in made}
    found = ec2.describe_spot_instance_requests(Filters=[{"Name": "launch.image-id", "Values": [image]}, {"Name": "state", "Values": ["open"]}])
    assert len(ids) == 1000 and {r["SpotInstanceRequestId"] for r in found["SpotInstanceRequests"]} == ids
    assert len(found["SpotInstanceRequests"][0]["LaunchSpecification"]["BlockDeviceMappings"]) == len(disks)
    cancelled = ec2.cancel_spot_instance_requests(SpotInstanceRequestIds=sorted(ids))["CancelledSpotInstanceRequests"]
    assert len(cancelled) == 1000 and {r["State"] for r in cancelled} == {"cancelled"}


def test_a_limit_of_the_type_is_refused_at_once(ec2, image):
    """A request for later, and a fleet, wait for room and for quotas; they never wait for a limit of the instance type."""
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    form = {"ImageId": image, "InstanceType": "t3.micro", "NetworkInterfaces": [{"DeviceIndex": n, "SubnetId": subnet} for n in range(7)]}
    requests = len(ec2.describe_spot_instance_requests()["SpotInstanceRequests"])
    refused = code(ec2.run_instances, MinCount=1, MaxCount=1, **form)
    assert code(ec2.request_spot_instances, ValidFrom="2099-01-01T00:00:00Z", LaunchSpecification=form) == refused
    assert len(ec2.describe_spot_instance_requests()["SpotInstanceRequests"]) == requests
    made = ec2.create_launch_template(LaunchTemplateName="seven", LaunchTemplateData=form)["LaunchTemplate"]["LaunchTemplateId"]
    chosen = {"LaunchTemplateSpecification": {"LaunchTemplateId": made, "Version": "1"}}
    target = {"TotalTargetCapacity": 1, "DefaultTargetCapacityType": "on-demand"}
    assert code(ec2.create_fleet, Type="maintain", LaunchTemplateConfigs=[chosen], TargetCapacitySpecification=target) == refused
    assert not ec2.describe_fleets()["Fleets"]


def test_a_launch_without_a_zone_finds_the_spot_instance():
    with Dev("--hosts", "2") as dev:  # one in each of two zones
        ec2 = dev.account.client()
        first, last = (s["SubnetId"] for s in ec2.describe_subnets()["Subnets"])
        launch = {"ImageId": ec2.describe_images()["Images"][0]["ImageId"], "InstanceType": LARGE, "MinCount": 1, "MaxCount": 1}
        ec2.run_instances(**launch, SubnetId=first)
        ec2.run_instances(**launch, SubnetId=last, InstanceMarketOptions={"MarketType": "spot"})
        assert ec2.run_instances(**launch)["Instances"][0]["SubnetId"] == last


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

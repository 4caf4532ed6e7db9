#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/ec2/compute/capacity_reservations.c src/engine/reservation/capacity_reservation.c src/engine/reservation/capacity_follow.c src/reconcile/launch/capacity_reservation.c
"""Capacity reservations by boto3 on simulated hosts: they keep room that others do not get, instances use and give back units, and they end."""
import datetime
import os
import sys

import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import Dev  # noqa: E402
from waiting import wait_until  # noqa: E402

ZONE = "us-east-1a"


@pytest.fixture(scope="module", name="dev")
def start():
    with Dev("--hosts", "2") as dev:
        yield dev


@pytest.fixture(scope="module", name="ec2")
def connect(dev):
    return dev.account.client()


@pytest.fixture(scope="module", name="image")
def find_image(ec2):
    return ec2.describe_images()["Images"][0]["ImageId"]


def reserve(ec2, count, **more):
    return ec2.create_capacity_reservation(
        InstanceType="t3.nano", InstancePlatform="Linux/UNIX", AvailabilityZone=ZONE, InstanceCount=count, **more)["CapacityReservation"]


def shown(ec2, made):
    return ec2.describe_capacity_reservations(CapacityReservationIds=[made["CapacityReservationId"]])["CapacityReservations"][0]


def run(ec2, image, count=1, **more):
    made = ec2.run_instances(ImageId=image, InstanceType="t3.nano", MinCount=count, MaxCount=count, Placement={"AvailabilityZone": ZONE}, **more)
    return [i["InstanceId"] for i in made["Instances"]]


def instance(ec2, ident):
    return ec2.describe_instances(InstanceIds=[ident])["Reservations"][0]["Instances"][0]


def code(call, *args, **more):
    with pytest.raises(botocore.exceptions.ClientError) as failed:
        call(*args, **more)
    return failed.value.response["Error"]["Code"]


def end(ec2, idents):
    ec2.terminate_instances(InstanceIds=idents)
    wait_until(lambda: {instance(ec2, i)["State"]["Name"] for i in idents} == {"terminated"}, "they are terminated")


def most(ec2):
    """The largest reservation that the zone has room for, found by halves; nothing is left of it."""
    low, high = 0, 1000
    while low < high:
        middle = (low + high + 1) // 2
        try:
            ec2.cancel_capacity_reservation(CapacityReservationId=reserve(ec2, middle)["CapacityReservationId"])
            low = middle
        except botocore.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] in ("InsufficientInstanceCapacity", "VcpuLimitExceeded", "InstanceLimitExceeded")
            high = middle - 1
    return low


def test_nobody_else_gets_the_room(dev, ec2, image):
    other = dev.new_account("other").client()
    room = most(other)
    kept = reserve(ec2, min(room, most(ec2)) - 1)
    left = most(other)
    assert left == room - kept["TotalInstanceCount"]
    idents = run(ec2, image, 2)
    assert {instance(ec2, i)["CapacityReservationId"] for i in idents} == {kept["CapacityReservationId"]}
    assert most(other) == left and shown(ec2, kept)["AvailableInstanceCount"] == kept["TotalInstanceCount"] - 2
    usage = ec2.get_capacity_reservation_usage(CapacityReservationId=kept["CapacityReservationId"])
    assert usage["InstanceUsages"] == [{"AccountId": kept["OwnerId"], "UsedInstanceCount": 2}]
    end(ec2, idents)
    wait_until(lambda: shown(ec2, kept)["AvailableInstanceCount"] == kept["TotalInstanceCount"], "the units are back")
    assert most(other) == left
    assert ec2.cancel_capacity_reservation(CapacityReservationId=kept["CapacityReservationId"])["Return"]
    assert shown(ec2, kept)["State"] == "cancelled" and most(other) == room


def test_preferences_and_targets(ec2, image):
    targeted = reserve(ec2, 1, InstanceMatchCriteria="targeted")
    ident = targeted["CapacityReservationId"]
    (plain,) = run(ec2, image)
    assert "CapacityReservationId" not in instance(ec2, plain)
    aim = {"CapacityReservationTarget": {"CapacityReservationId": ident}}
    (aimed,) = run(ec2, image, CapacityReservationSpecification=aim)
    assert instance(ec2, aimed)["CapacityReservationId"] == ident
    assert instance(ec2, aimed)["CapacityReservationSpecification"] == aim
    assert code(run, ec2, image, CapacityReservationSpecification=aim) == "ReservationCapacityExceeded"
    found = ec2.describe_instances(Filters=[{"Name": "capacity-reservation-id", "Values": [ident]}])["Reservations"]
    assert [i["InstanceId"] for r in found for i in r["Instances"]] == [aimed]
    wait_until(lambda: instance(ec2, plain)["State"]["Name"] == "running", "it runs")
    ec2.stop_instances(InstanceIds=[plain])
    wait_until(lambda: instance(ec2, plain)["State"]["Name"] == "stopped", "it is stopped")
    ec2.modify_instance_capacity_reservation_attributes(InstanceId=plain, CapacityReservationSpecification=aim)
    assert code(ec2.start_instances, InstanceIds=[plain]) == "ReservationCapacityExceeded"
    assert ec2.modify_capacity_reservation(CapacityReservationId=ident, InstanceCount=2)["Return"]
    ec2.start_instances(InstanceIds=[plain])
    assert instance(ec2, plain)["CapacityReservationId"] == ident and shown(ec2, targeted)["AvailableInstanceCount"] == 0
    assert code(ec2.modify_capacity_reservation, CapacityReservationId=ident, InstanceCount=1) == "InvalidParameterValue"
    end(ec2, [plain, aimed])
    ec2.cancel_capacity_reservation(CapacityReservationId=ident)


def test_templates_say_it(ec2, image):
    targeted = reserve(ec2, 1, InstanceMatchCriteria="targeted")
    aim = {"CapacityReservationTarget": {"CapacityReservationId": targeted["CapacityReservationId"]}}
    ec2.create_launch_template(LaunchTemplateName="aimed", LaunchTemplateData={
        "ImageId": image, "InstanceType": "t3.nano", "CapacityReservationSpecification": aim})
    made = ec2.run_instances(MinCount=1, MaxCount=1, LaunchTemplate={"LaunchTemplateName": "aimed"})["Instances"][0]["InstanceId"]
    assert instance(ec2, made)["CapacityReservationId"] == targeted["CapacityReservationId"]
    data = ec2.describe_launch_template_versions(LaunchTemplateName="aimed")["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    assert data["CapacityReservationSpecification"] == aim
    end(ec2, [made])
    ec2.cancel_capacity_reservation(CapacityReservationId=targeted["CapacityReservationId"])


def test_it_ends_by_itself(ec2, image):
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3)
    made = reserve(ec2, 1, EndDateType="limited", EndDate=soon)
    (ident,) = run(ec2, image)
    assert instance(ec2, ident)["CapacityReservationId"] == made["CapacityReservationId"]
    wait_until(lambda: shown(ec2, made)["State"] == "expired", "it has expired")
    assert "CapacityReservationId" not in instance(ec2, ident)
    end(ec2, [ident])


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

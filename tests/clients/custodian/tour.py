# SPDX-License-Identifier: Apache-2.0
"""Cloud Custodian: policies that find, mark, stop and delete, each run once and looked at by boto3."""
import os
import subprocess
import sys

import boto3
from steps import same, step, tell

HOME = os.environ["HOME"]
CUSTODIAN = os.path.join(os.path.dirname(sys.executable), "custodian")
ec2 = boto3.client("ec2")
made = {}
POLICIES = """
policies:
  - {name: unmarked, resource: aws.ec2, filters: [{"tag:owner": absent}, {"State.Name": running}], actions: [{type: tag, key: owner, value: nobody}]}
  - {name: stop, resource: aws.ec2, filters: [{"tag:owner": nobody}], actions: [stop]}
  - {name: unused, resource: aws.ebs, filters: [{Attachments: []}], actions: [delete]}
  - {name: snapshots, resource: aws.ebs-snapshot, filters: [{type: value, key: VolumeSize, value: 1}], actions: [delete]}
  - {name: open, resource: aws.security-group, filters: [{type: ingress, Ports: [22], Cidr: {value: "0.0.0.0/0"}}], actions: [{type: remove-permissions, ingress: matched}]}
  - {name: addresses, resource: aws.elastic-ip, filters: [{AssociationId: absent}], actions: [release]}
  - {name: images, resource: aws.ami, filters: [{Name: tour}], actions: [{type: deregister}]}
  - {name: users, resource: aws.iam-user, filters: [{type: value, key: UserName, value: "tour-*", op: glob}], actions: [delete]}
  - {name: roles, resource: aws.iam-role, filters: [{type: unused}]}
  - {name: networks, resource: aws.vpc, filters: [{"tag:a": b}]}
"""


def play(policy):
    """Runs the named policy; returns how many resources it matched."""
    done = subprocess.run([CUSTODIAN, "run", "--region", os.environ["AWS_DEFAULT_REGION"], "-p", policy, "-s", f"{HOME}/out", "--cache-period", "0",
                           f"{HOME}/policies.yml"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr[-400:]
    found = [line for line in done.stderr.splitlines() if "count:" in line]
    return int(found[-1].split("count:")[1].split()[0])


def furnish():
    group = ec2.create_security_group(GroupName="open", Description="open")["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0")
    made["group"] = group
    made["instance"] = ec2.run_instances(ImageId=os.environ["IMAGE"], InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    ec2.get_waiter("instance_running").wait(InstanceIds=[made["instance"]], WaiterConfig={"Delay": 1, "MaxAttempts": 300})
    zone = ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
    made["volume"] = ec2.create_volume(AvailabilityZone=zone, Size=1)["VolumeId"]
    ec2.get_waiter("volume_available").wait(VolumeIds=[made["volume"]], WaiterConfig={"Delay": 1, "MaxAttempts": 300})
    made["snapshot"] = ec2.create_snapshot(VolumeId=made["volume"])["SnapshotId"]
    ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[made["snapshot"]], WaiterConfig={"Delay": 1, "MaxAttempts": 300})
    ec2.allocate_address(Domain="vpc")
    boto3.client("iam").create_user(UserName="tour-anna")
    with open(f"{HOME}/policies.yml", "w", encoding="ascii") as file:
        file.write(POLICIES)


with step("a region to clean up"):
    furnish()
with step("instances without an owner are marked, and stopped"):
    same(play("unmarked"), 1)
    same(play("unmarked"), 0)
    same(play("stop"), 1)
    ec2.get_waiter("instance_stopped").wait(InstanceIds=[made["instance"]], WaiterConfig={"Delay": 1, "MaxAttempts": 300})
with step("snapshots and unused volumes are deleted"):
    same(play("snapshots"), 1)
    same(play("unused"), 1)
with step("an open port is closed"):
    same(play("open"), 1)
    same(ec2.describe_security_groups(GroupIds=[made["group"]])["SecurityGroups"][0]["IpPermissions"], [])
with step("unused addresses are released"):
    same(play("addresses"), 1)
    same(ec2.describe_addresses()["Addresses"], [])
with step("users are deleted by name"):
    same(play("users"), 1)
    same([u for u in boto3.client("iam").list_users()["Users"] if u["UserName"] == "tour-anna"], [])
with step("policies that only look"):
    same(play("networks"), 0)
    same(play("images"), 0)
    play("roles")
tell("end of tour")

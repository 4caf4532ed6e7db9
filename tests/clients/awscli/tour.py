# SPDX-License-Identifier: Apache-2.0
"""The aws command: queries, waiters, skeletons, generated help of what is refused, and errors in the command's own form."""
import json
import os

import awscli.clidriver
from steps import Failed, Program, same, step, tell

aws = Program("aws", last=["--output", "json"], main=awscli.clidriver.main)
made = {}


def ask(*words, query=None):
    return aws.say(*words, *(["--query", query] if query else []))


def fails(code, *words):
    try:
        aws.text(*words)
    except Failed as e:
        assert f"({code})" in str(e), e
        return
    raise AssertionError("the command succeeded")


def look_around():
    with step("identity, regions and types"):
        assert ask("sts", "get-caller-identity")["Account"]
        same(ask("ec2", "describe-regions", query="Regions[].RegionName"), [os.environ["AWS_DEFAULT_REGION"]])
        assert "t3.micro" in ask("ec2", "describe-instance-types", "--page-size", "5", query="InstanceTypes[].InstanceType")
        same(len(ask("ec2", "describe-instance-types", "--max-items", "2")["InstanceTypes"]), 2)


def network():
    with step("a network"):
        made["vpc"] = ask("ec2", "create-vpc", "--cidr-block", "10.7.0.0/16", "--tag-specifications", "ResourceType=vpc,Tags=[{Key=a,Value=b}]", query="Vpc.VpcId")
        aws.text("ec2", "wait", "vpc-available", "--vpc-ids", made["vpc"])
        made["subnet"] = ask("ec2", "create-subnet", "--vpc-id", made["vpc"], "--cidr-block", "10.7.1.0/24", query="Subnet.SubnetId")
        made["group"] = ask("ec2", "create-security-group", "--group-name", "web", "--description", "web", "--vpc-id", made["vpc"], query="GroupId")
        ask("ec2", "authorize-security-group-ingress", "--group-id", made["group"], "--protocol", "tcp", "--port", "80", "--cidr", "0.0.0.0/0")
        same(ask("ec2", "describe-vpcs", "--filters", "Name=tag:a,Values=b", query="Vpcs[].VpcId"), [made["vpc"]])


def machines():
    with step("an instance, by user data and a waiter"):
        with open("user-data", "w", encoding="ascii") as file:
            file.write("#!/bin/sh\ntrue\n")
        made["instance"] = ask("ec2", "run-instances", "--image-id", os.environ["IMAGE"], "--instance-type", "t3.micro", "--subnet-id", made["subnet"],
                               "--security-group-ids", made["group"], "--user-data", "file://user-data", query="Instances[0].InstanceId")
        aws.text("ec2", "wait", "instance-running", "--instance-ids", made["instance"])
        text = ask("ec2", "describe-instance-attribute", "--instance-id", made["instance"], "--attribute", "userData", query="UserData.Value")
        assert text.startswith("IyEvYmlu"), text
    with step("a skeleton of input is taken"):
        with open("input.json", "w", encoding="ascii") as file:
            json.dump({"Filters": [{"Name": "instance-id", "Values": [made["instance"]]}]}, file)
        same(ask("ec2", "describe-instances", "--cli-input-json", "file://input.json", query="Reservations[].Instances[].InstanceId"), [made["instance"]])
    with step("tags"):
        aws.text("ec2", "create-tags", "--resources", made["instance"], made["vpc"], "--tags", "Key=Name,Value=one")
        same(len(ask("ec2", "describe-tags", "--filters", "Name=value,Values=one")["Tags"]), 2)
    with step("a volume, encrypted"):
        zone = ask("ec2", "describe-instances", query="Reservations[0].Instances[0].Placement.AvailabilityZone")
        made["volume"] = ask("ec2", "create-volume", "--availability-zone", zone, "--size", "1", "--encrypted", query="VolumeId")
        aws.text("ec2", "wait", "volume-available", "--volume-ids", made["volume"])
        aws.text("ec2", "attach-volume", "--volume-id", made["volume"], "--instance-id", made["instance"], "--device", "/dev/sdf")
    with step("text and table output"):
        assert made["instance"] in aws.copy(last=[]).text("ec2", "describe-instances", "--output", "text")
        assert "DescribeInstances" in aws.copy(last=[]).text("ec2", "describe-instances", "--output", "table")


def errors():
    with step("errors have their codes"):
        fails("InvalidInstanceID.NotFound", "ec2", "describe-instances", "--instance-ids", "i-0123456789abcdef0")
        fails("InvalidParameterValue", "ec2", "run-instances", "--image-id", os.environ["IMAGE"], "--instance-type", "nonsense")
        fails("DependencyViolation", "ec2", "delete-vpc", "--vpc-id", made["vpc"])
        fails("NoSuchEntity", "iam", "get-user", "--user-name", "nobody")


def people():
    with step("the credential report and empty lists that audits ask for"):
        ask("iam", "generate-credential-report")
        assert ask("iam", "get-credential-report")["Content"]
        same(ask("iam", "list-virtual-mfa-devices")["VirtualMFADevices"], [])
        same(ask("iam", "list-server-certificates")["ServerCertificateMetadataList"], [])
        assert ask("iam", "get-account-summary")["SummaryMap"]
    with step("policies of a user"):
        ask("iam", "create-user", "--user-name", "anna")
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "ec2:*", "Resource": "*"}]}
        aws.text("iam", "put-user-policy", "--user-name", "anna", "--policy-name", "no", "--policy-document", json.dumps(policy))
        same(ask("iam", "get-user-policy", "--user-name", "anna", "--policy-name", "no")["PolicyDocument"], policy)
        aws.text("iam", "delete-user-policy", "--user-name", "anna", "--policy-name", "no")
        aws.text("iam", "delete-user", "--user-name", "anna")


def clean_up():
    with step("all is deleted"):
        aws.text("ec2", "terminate-instances", "--instance-ids", made["instance"])
        aws.text("ec2", "wait", "instance-terminated", "--instance-ids", made["instance"])
        aws.text("ec2", "wait", "volume-available", "--volume-ids", made["volume"])
        aws.text("ec2", "delete-volume", "--volume-id", made["volume"])
        aws.text("ec2", "wait", "volume-deleted", "--volume-ids", made["volume"])
        aws.text("ec2", "delete-security-group", "--group-id", made["group"])
        aws.text("ec2", "delete-subnet", "--subnet-id", made["subnet"])
        aws.text("ec2", "delete-vpc", "--vpc-id", made["vpc"])


for part in (look_around, network, machines, errors, people, clean_up):
    part()
tell("end of tour")

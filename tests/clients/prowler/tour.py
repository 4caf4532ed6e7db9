# SPDX-License-Identifier: Apache-2.0
"""Prowler's checks of EC2 and IAM: no check fails to run, and faults that the region has are found."""
import glob
import json
import os
import re
import subprocess
import sys

import boto3
from steps import same, step, tell

HOME = os.environ["HOME"]
FOLDER = os.path.dirname(sys.executable)
SHODAN = "ec2_elastic_ip_shodan"  # asks a service on the Internet for a fee
ALL = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
TRUST = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
NAMED = {  # what Prowler logs as an error, and why
    r"\(InvalidAction\) when calling the GenerateServiceLastAccessedDetails": "the region records when a key was last used, not for which service",
    r"\(InvalidAction\) when calling the ListOrganizationsFeatures": "the region has no organizations of AWS",
    r"\(NoSuchEntity\) when calling the ListEntitiesForPolicy operation: Policy arn:aws:iam::aws:policy/": "policies for AWS's own support and CloudShell",
    r"Invalid action pattern 'codestar:": "Prowler's list of privilege escalations names a service that its list of actions has not",
}
FOUND = ["ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_22", "ec2_elastic_ip_unassigned", "ec2_ebs_volume_encryption",
         "ec2_instance_imdsv2_enabled", "ec2_networkacl_allow_ingress_tcp_port_22", "iam_inline_policy_no_administrative_privileges",
         "iam_customer_attached_policy_no_administrative_privileges", "iam_user_mfa_enabled_console_access", "iam_password_policy_number"]
ec2, iam = boto3.client("ec2"), boto3.client("iam")


def furnish():
    ec2.create_security_group(GroupName="shop", Description="of the tour")  # Prowler passes over regions that have default groups alone
    group = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["default"]}])["SecurityGroups"][0]["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0")
    made = ec2.run_instances(ImageId=os.environ["IMAGE"], InstanceType="t3.micro", MinCount=1, MaxCount=1, UserData="#!/bin/sh\n")["Instances"][0]["InstanceId"]
    ec2.get_waiter("instance_running").wait(InstanceIds=[made], WaiterConfig={"Delay": 1, "MaxAttempts": 300})
    zone = ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
    volume = ec2.create_volume(AvailabilityZone=zone, Size=1)["VolumeId"]
    ec2.get_waiter("volume_available").wait(VolumeIds=[volume], WaiterConfig={"Delay": 1, "MaxAttempts": 300})
    ec2.create_snapshot(VolumeId=volume)
    ec2.allocate_address(Domain="vpc")
    ec2.create_launch_template(LaunchTemplateName="tour", LaunchTemplateData={"InstanceType": "t3.micro"})
    iam.create_user(UserName="ann")
    iam.create_access_key(UserName="ann")
    iam.create_login_profile(UserName="ann", Password="Secret-word-7")
    iam.attach_user_policy(UserName="ann", PolicyArn=iam.create_policy(PolicyName="all", PolicyDocument=ALL)["Policy"]["Arn"])
    iam.put_user_policy(UserName="ann", PolicyName="own", PolicyDocument=ALL)
    iam.create_group(GroupName="staff")
    iam.create_role(RoleName="guest", AssumeRolePolicyDocument=TRUST)


def run():
    """Prowler's findings: [(check, status)]. Exit status 3 says that checks failed, which `-z` turns off."""
    done = subprocess.run([os.path.join(FOLDER, "prowler"), "aws", "--services", "ec2", "iam", "--excluded-checks", SHODAN, "--region", os.environ["AWS_REGION"],
                           "-M", "json-ocsf", "-o", f"{HOME}/out", "--no-banner", "--no-color", "-z", "--log-level", "WARNING", "--log-file", f"{HOME}/log"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, env={**os.environ, "PATH": f"{FOLDER}:/usr/bin:/bin"})
    assert done.returncode == 0, done.stderr or done.stdout
    with open(glob.glob(f"{HOME}/out/*.ocsf.json")[0], encoding="utf-8") as file:
        return [(row["metadata"]["event_code"], row["status_code"]) for row in json.load(file)]


def errors():
    with open(f"{HOME}/log", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file if line.strip()]
    return [row["message"] for row in rows if row["level"] in ("ERROR", "CRITICAL")]


with step("a region with faults"):
    furnish()
findings = []
with step("the checks of EC2 and IAM run"):
    findings += run()
    assert len({check for check, _ in findings}) >= 90, f"{len({check for check, _ in findings})} checks"
with step("no check meets an answer that it can't read"):
    same([text for text in errors() if not any(re.search(known, text) for known in NAMED)], [])
with step("the faults are found"):
    same([check for check in FOUND if (check, "FAIL") not in findings], [])
with step("the root user's sign-ins are read"):
    assert ("iam_avoid_root_usage", "PASS") in findings or ("iam_avoid_root_usage", "FAIL") in findings
tell("end of tour")

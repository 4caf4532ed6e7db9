#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: examples src/api/ec2 src/api/elb src/api/autoscaling
"""The three-tier application of examples/ with Debian's aws and Debian's Ansible: creates it, checks what exists, deletes it, checks that nothing is left."""
import base64
import json
import os
import pathlib
import subprocess
import sys

import boto3
import pytest
import yaml

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import warm  # noqa: E402
from dev import REGION, ROOT, Dev  # noqa: E402
from waiting import soon  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
EXAMPLE = pathlib.Path(ROOT, "examples/three-tier")
FIRST = """
import functools, time, boto3, botocore.loaders, ansible.module_utils.basic
import ansible_collections.amazon.aws.plugins.module_utils.modules
plain, wait = botocore.loaders.JSONFileLoader.load_file, time.sleep
kept = functools.lru_cache(None)(lambda path: plain(botocore.loaders.JSONFileLoader(), path))
botocore.loaders.JSONFileLoader.load_file = lambda self, path: kept(path)
time.sleep = lambda seconds: wait(min(seconds, 0.2))
for service in ("ec2", "autoscaling", "elbv2"):
    boto3.Session().client(service, region_name="us-east-1")
"""
LISTS = [("ec2", "describe_vpcs", "Vpcs"), ("ec2", "describe_subnets", "Subnets"), ("ec2", "describe_volumes", "Volumes"),
         ("ec2", "describe_network_interfaces", "NetworkInterfaces"), ("ec2", "describe_addresses", "Addresses"),
         ("ec2", "describe_internet_gateways", "InternetGateways"), ("ec2", "describe_route_tables", "RouteTables"),
         ("ec2", "describe_security_groups", "SecurityGroups"), ("ec2", "describe_launch_templates", "LaunchTemplates"),
         ("elbv2", "describe_load_balancers", "LoadBalancers"), ("elbv2", "describe_target_groups", "TargetGroups"),
         ("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups"), ("autoscaling", "describe_policies", "ScalingPolicies"),
         ("cloudwatch", "describe_alarms", "MetricAlarms")]


class Place:
    """An account in which an example is played, and what a shell of its user has."""

    def __init__(self, dev, room):
        self.dev, self.room, self.account = dev, room, dev.new_account(room.name)
        self.env = {"PATH": f"{room}:/usr/bin:/bin", "HOME": str(room), "AWS_ENDPOINT_URL": dev.url, "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION,
                    "AWS_ACCESS_KEY_ID": self.account.key_id, "AWS_SECRET_ACCESS_KEY": self.account.secret, "AWS_PAGER": "", "LC_ALL": "C.UTF-8"}
        self.before = self.counts()

    def client(self, service):
        return boto3.client(service, region_name=REGION, endpoint_url=self.dev.url, aws_access_key_id=self.account.key_id,
                            aws_secret_access_key=self.account.secret)

    def counts(self):
        clients = {service: self.client(service) for service, *_ in LISTS}
        return {what: len(getattr(clients[service], call)()[what]) for service, call, what in LISTS}

    def check_gone(self):
        self.dev.rest()
        assert self.counts() == self.before
        states = {i["State"]["Name"] for r in self.client("ec2").describe_instances()["Reservations"] for i in r["Instances"]}
        assert states == {"terminated"}

    def check_there(self):
        """Two machines of the application are registered behind the balancer, and each tier is open to the one before it alone."""
        ec2, elb, asg = (self.client(s) for s in ("ec2", "elbv2", "autoscaling"))
        assert soon(lambda: [i["LifecycleState"] for i in asg.describe_auto_scaling_groups()["AutoScalingGroups"][0]["Instances"]] == ["InService"] * 2)
        targets = elb.describe_target_groups()["TargetGroups"][0]
        assert targets["HealthCheckPath"] == "/health"
        assert len(elb.describe_target_health(TargetGroupArn=targets["TargetGroupArn"])["TargetHealthDescriptions"]) == 2
        policy = asg.describe_policies()["ScalingPolicies"][0]
        assert policy["TargetTrackingConfiguration"]["TargetValue"] == 60 and len(policy["Alarms"]) == 2
        groups = {g["GroupName"]: g for g in ec2.describe_security_groups()["SecurityGroups"]}
        balancer, app, database = (groups["guestbook-" + name] for name in ("balancer", "app", "database"))
        assert self.sources(balancer) == [(80, "0.0.0.0/0")]
        assert self.sources(app) == [(8080, balancer["GroupId"])] and self.sources(database) == [(5432, app["GroupId"])]
        machines = {i["PrivateIpAddress"]: i for r in ec2.describe_instances()["Reservations"] for i in r["Instances"]}
        address, = (ip for ip, i in machines.items() if {"Key": "backup", "Value": "nightly"} in i["Tags"])
        volume, = ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [machines[address]["InstanceId"]]},
                                                {"Name": "attachment.device", "Values": ["/dev/sdf"]}])["Volumes"]
        assert volume["Encrypted"] and volume["Size"] == 20
        self.check_user_data(ec2, address)

    @staticmethod
    def sources(group):
        return [(p["FromPort"], s) for p in group["IpPermissions"]
                for s in [r["CidrIp"] for r in p["IpRanges"]] + [pair["GroupId"] for pair in p["UserIdGroupPairs"]]]

    @staticmethod
    def check_user_data(ec2, address):
        """Both tiers got the same password, and the application the database's address."""
        template = ec2.describe_launch_template_versions(LaunchTemplateName="guestbook", Versions=["$Latest"])["LaunchTemplateVersions"][0]
        app = base64.b64decode(template["LaunchTemplateData"]["UserData"]).decode()
        unit = next(f["content"] for f in yaml.safe_load(app)["write_files"] if f["path"].endswith(".service"))
        password = unit.split("password=")[1].split('"')[0]
        database, = (i["InstanceId"] for r in ec2.describe_instances()["Reservations"] for i in r["Instances"] if i["PrivateIpAddress"] == address)
        told = ec2.describe_instance_attribute(InstanceId=database, Attribute="userData")["UserData"]["Value"]
        assert f"host={address} " in unit and len(password) >= 24 and f"PASSWORD '{password}'" in base64.b64decode(told).decode()
        assert "@" not in password + unit


@pytest.fixture(scope="module", name="dev")
def start_dev():
    with Dev() as made:
        yield made


def run(place, *argv):
    done = subprocess.run(argv, env=place.env, cwd=place.room, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


def test_shell(dev, tmp_path_factory):
    place = Place(dev, tmp_path_factory.mktemp("shell"))
    warm.command(place.room / "aws", "/usr/bin/aws", place.env)
    said = run(place, EXAMPLE / "cli/up.sh")
    name = place.client("elbv2").describe_load_balancers()["LoadBalancers"][0]["DNSName"]
    assert f"http://{name}/" in said
    place.check_there()
    run(place, EXAMPLE / "cli/down.sh")
    place.check_gone()
    run(place, EXAMPLE / "cli/down.sh")  # there is nothing left to delete


def test_ansible(dev, tmp_path_factory):
    place = Place(dev, tmp_path_factory.mktemp("ansible"))
    (place.room / "first.py").write_text(FIRST)
    warm.interpreter(place.room / "python3", str(place.room / "first.py"), place.env)
    place.env |= {"ANSIBLE_HOME": str(place.room), "ANSIBLE_STDOUT_CALLBACK": "json", "ANSIBLE_PIPELINING": "1", "ANSIBLE_LOCALHOST_WARNING": "false",
                  "ANSIBLE_PYTHON_INTERPRETER": str(place.room / "python3")}

    def play(book):
        said = json.loads(run(place, "/usr/bin/ansible-playbook", "-i", "localhost,", "-c", "local", "-e", f"password_file={place.room}/password", EXAMPLE / "ansible" / book))
        return [task["task"]["name"] for play in said["plays"] for task in play["tasks"] if task["hosts"]["localhost"].get("changed")]

    assert play("up.yml")
    place.check_there()
    assert play("up.yml") == []
    assert play("down.yml")
    place.check_gone()
    assert play("down.yml") == []


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider", *sys.argv[1:]]))

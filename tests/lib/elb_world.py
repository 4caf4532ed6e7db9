# SPDX-License-Identifier: Apache-2.0
"""An account with a load balancer of each name that requests need, and requests made from the tables of ELBv2's face."""
import json
import re
import subprocess

import dev as ec2

TABLES = json.loads(subprocess.run([ec2.DARI, "dump", "elb"], check=True, capture_output=True).stdout)
ACTIONS = {a["name"]: a for a in TABLES["actions"]}
VERSION = "2015-12-01"
LISTS = ("DescribeLoadBalancers", "DescribeTargetGroups")
GROUP = "DefaultActions.member.N.TargetGroupArn"
ABSENT = "0123456789abcdef"


def wire(name):
    return name.replace(".N", ".1")


class World:
    """A VPC with an instance, and a load balancer whose listener leads to a target group with the instance. No listener uses the target
    group `spare`."""

    def __init__(self, dev, account):
        self.account = account
        self.ec2 = account.client("ec2")
        self.vpc = self.ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
        self.subnet = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock="10.7.1.0/24")["Subnet"]["SubnetId"]
        self.instance = self.ec2.run_instances(ImageId=self.ec2.describe_images()["Images"][0]["ImageId"], InstanceType="t3.micro", MinCount=1, MaxCount=1,
                                               SubnetId=self.subnet)["Instances"][0]["InstanceId"]
        self.address = self.ec2.allocate_address(Domain="vpc")["AllocationId"]
        self.balancer = self.make("CreateLoadBalancer", {"Name": "web", "Type": "network", "Scheme": "internal", "Subnets.member.1": self.subnet}, "LoadBalancerArn")
        self.group = self.make("CreateTargetGroup", {"Name": "web", "Protocol": "TCP", "Port": "80", "VpcId": self.vpc}, "TargetGroupArn")
        self.spare = self.make("CreateTargetGroup", {"Name": "spare", "Protocol": "TCP", "Port": "81", "VpcId": self.vpc}, "TargetGroupArn")
        self.listener = self.make("CreateListener", {"LoadBalancerArn": self.balancer, "Protocol": "TCP", "Port": "80",
                                                     "DefaultActions.member.1.Type": "forward", wire(GROUP): self.group}, "ListenerArn")
        assert self.call({"Action": "RegisterTargets", "TargetGroupArn": self.group, "Targets.member.1.Id": self.instance}).status == 200
        self.number = self.balancer.split(":")[4]
        dev.rest()
        self.values = {
            "LoadBalancerArn": self.balancer, "TargetGroupArn": self.group, "ListenerArn": self.listener, "ResourceArns.member.N": self.balancer,
            "LoadBalancerArns.member.N": self.balancer, "TargetGroupArns.member.N": self.group, "ListenerArns.member.N": self.listener,
            "Subnets.member.N": self.subnet, "SubnetMappings.member.N.SubnetId": self.subnet, "SubnetMappings.member.N.AllocationId": self.address,
            "VpcId": self.vpc, "Name": "new", "Protocol": "TCP", "Port": "90", "Type": "network", "Scheme": "internal", "IpAddressType": "ipv4",
            "DefaultActions.member.N.Type": "forward", GROUP: self.group, "Targets.member.N.Id": self.instance, "Tags.member.N.Key": "k",
            "Tags.member.N.Value": "v", "TagKeys.member.N": "k", "SecurityGroups.member.N": "sg-0123456789abcdef0",
            "DefaultActions.member.N.ForwardConfig.TargetGroups.member.N.TargetGroupArn": self.group,
            "Attributes.member.N.Key": "load_balancing.cross_zone.enabled", "Attributes.member.N.Value": "false"}

    def make(self, action, params, member):
        answer = self.call({"Action": action, **params})
        assert answer.status == 200, answer
        return answer.first(f".//{member}")

    def call(self, parameters, account=None):
        return (account or self.account).call(parameters.pop("Action"), parameters, service="elasticloadbalancing", version=VERSION)

    def request(self, action, but):
        """A valid request with only the required parameters, plus those of the structure that contains `but`."""
        lists = {p["name"] for p in action["params"] if p["required"] and p["type"] == "list of structures"}
        place = but["name"].rpartition(".N.")[0]
        values = dict(self.values)
        if action["name"] == "ModifyTargetGroupAttributes":
            values.update({"Attributes.member.N.Key": "deregistration_delay.timeout_seconds", "Attributes.member.N.Value": "300"})
        if action["name"] == "DeleteTargetGroup":
            values["TargetGroupArn"] = self.spare
        wanted = {"Type", "Scheme"} & {p["name"] for p in action["params"]} if action["name"] == "CreateLoadBalancer" else set()
        for p in action["params"]:
            head = p["name"].rpartition(".N.")[0]
            if p["required"] and p["name"] in values and (not head or head + ".N" in lists or (place and place.startswith(head))):
                wanted.add(p["name"])
        if action["name"] in ("CreateLoadBalancer", "SetSubnets") and "Subnets" not in but["name"] and "SubnetMappings" not in but["name"]:
            wanted.add("Subnets.member.N")
        if action["name"] in ("CreateListener", "ModifyListener") and but["name"].startswith("DefaultActions.member.N.") and "ForwardConfig" not in but["name"] \
                or action["name"] == "CreateListener":
            wanted.add(GROUP)
        if action["name"] == "DescribeListeners" and but["name"] != "ListenerArns.member.N":
            wanted.add("LoadBalancerArn")
        return {"Action": action["name"], **{wire(n): values[n] for n in sorted(wanted)}}

    def state(self):
        said = [self.call({"Action": name}) for name in LISTS]
        said += [self.call({"Action": "DescribeListeners", "LoadBalancerArn": self.balancer}), self.call({"Action": "DescribeLoadBalancerAttributes", "LoadBalancerArn": self.balancer}),
                 self.call({"Action": "DescribeTargetGroupAttributes", "TargetGroupArn": self.group}),
                 self.call({"Action": "DescribeTags", "ResourceArns.member.1": self.balancer, "ResourceArns.member.2": self.group}),
                 self.call({"Action": "DescribeTargetHealth", "TargetGroupArn": self.group})]
        assert all(a.status == 200 for a in said), said
        return [re.sub("<RequestId>.*</RequestId>", "", a.text) for a in said]

# SPDX-License-Identifier: Apache-2.0
"""An account with a load balancer of each name that requests need, and requests made from the tables of ELBv2's face."""
import json
import re
import subprocess
import tempfile

import dev as ec2

TABLES = json.loads(subprocess.run([ec2.DARI, "dump", "elb"], check=True, capture_output=True).stdout)
ACTIONS = {a["name"]: a for a in TABLES["actions"]}
VERSION = "2015-12-01"
LISTS = ("DescribeLoadBalancers", "DescribeTargetGroups")
GROUP = "DefaultActions.member.N.TargetGroupArn"
ABSENT = "0123456789abcdef"


def wire(name):
    return name.replace(".N", ".1")


def make_certificate():
    """A certificate of its own and its key, in PEM."""
    with tempfile.TemporaryDirectory() as place:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj", "/CN=web",
                        "-keyout", f"{place}/key", "-out", f"{place}/crt"], check=True, capture_output=True)
        with open(f"{place}/key", encoding="ascii") as key, open(f"{place}/crt", encoding="ascii") as body:
            return {"PrivateKey": key.read(), "CertificateBody": body.read()}


class World:
    """A VPC with an instance, and a load balancer whose listener leads to a target group with the instance. No listener uses the target
    group `spare`. An application load balancer has an HTTPS listener, a rule, and a target group of its own."""

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
        self.make_application()
        self.number = self.balancer.split(":")[4]
        dev.rest()
        self.values = {
            "LoadBalancerArn": self.balancer, "TargetGroupArn": self.group, "ListenerArn": self.listener, "ResourceArns.member.N": self.balancer,
            "LoadBalancerArns.member.N": self.balancer, "TargetGroupArns.member.N": self.group, "ListenerArns.member.N": self.listener,
            "Subnets.member.N": self.subnet, "SubnetMappings.member.N.SubnetId": self.subnet, "SubnetMappings.member.N.AllocationId": self.address,
            "VpcId": self.vpc, "Name": "new", "Protocol": "TCP", "Port": "90", "Type": "network", "Scheme": "internal", "IpAddressType": "ipv4",
            "DefaultActions.member.N.Type": "forward", GROUP: self.group, "Targets.member.N.Id": self.instance, "Tags.member.N.Key": "k",
            "Tags.member.N.Value": "v", "TagKeys.member.N": "k", "SecurityGroups.member.N": self.groups[0]["GroupId"],
            "RuleArn": self.rule, "RuleArns.member.N": self.rule, "Priority": "7", "RulePriorities.member.N.RuleArn": self.rule, "RulePriorities.member.N.Priority": "5",
            "Conditions.member.N.Field": "path-pattern", "Conditions.member.N.Values.member.N": "/b", "Actions.member.N.Type": "forward",
            "Actions.member.N.TargetGroupArn": self.http, "Actions.member.N.ForwardConfig.TargetGroups.member.N.TargetGroupArn": self.http,
            "Conditions.member.N.QueryStringConfig.Values.member.N.Value": "v", "Certificates.member.N.CertificateArn": self.further,
            "DefaultActions.member.N.ForwardConfig.TargetGroups.member.N.TargetGroupArn": self.group,
            "Attributes.member.N.Key": "load_balancing.cross_zone.enabled", "Attributes.member.N.Value": "false"}

    def make_application(self):
        uploaded = self.account.call("UploadServerCertificate", {"ServerCertificateName": "web", **make_certificate()}, service="iam", version="2010-05-08")
        self.certificate, more = uploaded.first(".//Arn"), self.account.call(
            "UploadServerCertificate", {"ServerCertificateName": "more", **make_certificate()}, service="iam", version="2010-05-08")
        self.further = more.first(".//Arn")
        self.application = self.make("CreateLoadBalancer", {"Name": "app", "Scheme": "internal", "Subnets.member.1": self.subnet}, "LoadBalancerArn")
        self.http = self.make("CreateTargetGroup", {"Name": "http", "Protocol": "HTTP", "Port": "80", "VpcId": self.vpc}, "TargetGroupArn")
        self.front = self.make("CreateListener", {"LoadBalancerArn": self.application, "Protocol": "HTTPS", "Port": "443",
                                                  "Certificates.member.1.CertificateArn": self.certificate,
                                                  "DefaultActions.member.1.Type": "forward", wire(GROUP): self.http}, "ListenerArn")
        self.rule = self.make("CreateRule", {"ListenerArn": self.front, "Priority": "5", "Conditions.member.1.Field": "path-pattern",
                                             "Conditions.member.1.Values.member.1": "/a", "Actions.member.1.Type": "forward",
                                             "Actions.member.1.TargetGroupArn": self.http}, "RuleArn")
        self.groups = self.ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])["SecurityGroups"]

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
        if "Rule" in action["name"] or "Certificates" in action["name"]:
            values["ListenerArn"] = self.front
        if action["name"] == "CreateLoadBalancer" and "SecurityGroups" in but["name"]:
            values["Type"] = "application"
        if action["name"] in ("CreateListener", "ModifyListener") and ("Certificates" in but["name"] or but["name"] == "SslPolicy"):
            values.update({"LoadBalancerArn": self.application, "ListenerArn": self.front, "Protocol": "HTTPS", GROUP: self.http})
        if action["name"] == "SetSecurityGroups":
            values["LoadBalancerArn"] = self.application
        if action["name"] == "ModifyListenerAttributes":
            values.update({"ListenerArn": self.front, "Attributes.member.N.Key": "routing.http.response.server.enabled", "Attributes.member.N.Value": "true"})
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
        if action["name"] in ("CreateTargetGroup", "CreateListener"):
            wanted |= {"Protocol", "Port"}
        if action["name"] in ("AddListenerCertificates", "RemoveListenerCertificates"):
            wanted.add("Certificates.member.N.CertificateArn")
        if action["name"] == "CreateRule":
            wanted |= {"Conditions.member.N.Field", "Conditions.member.N.Values.member.N", "Actions.member.N.Type", "Actions.member.N.TargetGroupArn"}
        if action["name"] == "ModifyRule" and but["name"].startswith("Actions."):
            wanted |= {"Actions.member.N.Type", "Actions.member.N.TargetGroupArn"}
        if action["name"] == "ModifyRule" and but["name"].startswith("Conditions."):
            wanted |= {"Conditions.member.N.Field", "Conditions.member.N.Values.member.N"}
        if action["name"] == "DescribeRules" and but["name"] != "RuleArns.member.N":
            wanted.add("ListenerArn")
        if action["name"] == "DescribeListeners" and but["name"] != "ListenerArns.member.N":
            wanted.add("LoadBalancerArn")
        return {"Action": action["name"], **{wire(n): values[n] for n in sorted(wanted)}}

    def state(self):
        said = [self.call({"Action": name}) for name in LISTS]
        said += [self.call({"Action": "DescribeListeners", "LoadBalancerArn": self.balancer}), self.call({"Action": "DescribeLoadBalancerAttributes", "LoadBalancerArn": self.balancer}),
                 self.call({"Action": "DescribeTargetGroupAttributes", "TargetGroupArn": self.group}),
                 self.call({"Action": "DescribeTags", "ResourceArns.member.1": self.balancer, "ResourceArns.member.2": self.group}),
                 self.call({"Action": "DescribeTargetHealth", "TargetGroupArn": self.group}), self.call({"Action": "DescribeRules", "ListenerArn": self.front}),
                 self.call({"Action": "DescribeListenerCertificates", "ListenerArn": self.front}),
                 self.call({"Action": "DescribeListenerAttributes", "ListenerArn": self.front}),
                 self.call({"Action": "DescribeLoadBalancerAttributes", "LoadBalancerArn": self.application})]
        assert all(a.status == 200 for a in said), said
        return [re.sub("<RequestId>.*</RequestId>", "", a.text) for a in said]

# SPDX-License-Identifier: Apache-2.0
"""An account with Classic Load Balancers, and requests made from the tables of their face."""
import json
import re
import subprocess

import dev as ec2
import elb_world
from elb_world import wire

TABLES = json.loads(subprocess.run([ec2.DARI, "dump", "elb-classic"], check=True, capture_output=True).stdout)
ACTIONS = {a["name"]: a for a in TABLES["actions"]}
SERVICE, VERSION = "elasticloadbalancing", "2012-06-01"
LISTENER = {"Listeners.member.N.Protocol": "HTTP", "Listeners.member.N.LoadBalancerPort": "80", "Listeners.member.N.InstancePort": "8080"}
CHECK = {"HealthCheck.Target": "TCP:8080", "HealthCheck.Interval": "10", "HealthCheck.Timeout": "5", "HealthCheck.UnhealthyThreshold": "2",
         "HealthCheck.HealthyThreshold": "2"}


class World:
    """A load balancer of the account's own name with an instance, an HTTP and an HTTPS listener, and a policy of each type that no listener has. Its
    second zone has a subnet of the load balancer, too."""

    def __init__(self, dev, account):
        self.account = account
        self.ec2 = account.client("ec2")
        self.name = f"web-{account.key_id[-8:].lower()}"
        self.vpc = self.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        self.subnet = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
        image = self.ec2.describe_images()["Images"][0]["ImageId"]
        self.instance = self.ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1, SubnetId=self.subnet)["Instances"][0]["InstanceId"]
        self.group = self.ec2.create_security_group(GroupName="front", Description="x", VpcId=self.vpc)["GroupId"]
        iam = lambda name: account.call("UploadServerCertificate", {"ServerCertificateName": name, **elb_world.make_certificate()},  # noqa: E731
                                        service="iam", version="2010-05-08").first(".//Arn")
        self.certificate, self.further = iam("web"), iam("more")
        self.make("CreateLoadBalancer", {"LoadBalancerName": self.name, "Scheme": "internal", "Subnets.member.1": self.subnet, **{wire(k): v for k, v in LISTENER.items()},
                                         "Listeners.member.2.Protocol": "HTTPS", "Listeners.member.2.LoadBalancerPort": "443", "Listeners.member.2.InstancePort": "8080",
                                         "Listeners.member.2.SSLCertificateId": self.certificate})
        self.make("RegisterInstancesWithLoadBalancer", {"LoadBalancerName": self.name, "Instances.member.1.InstanceId": self.instance})
        self.make("CreateLBCookieStickinessPolicy", {"LoadBalancerName": self.name, "PolicyName": "sticky"})
        self.make("CreateLoadBalancerPolicy", {"LoadBalancerName": self.name, "PolicyName": "proxy", "PolicyTypeName": "ProxyProtocolPolicyType",
                                               "PolicyAttributes.member.1.AttributeName": "ProxyProtocol", "PolicyAttributes.member.1.AttributeValue": "true"})
        self.make("AddTags", {"LoadBalancerNames.member.1": self.name, "Tags.member.1.Key": "k", "Tags.member.1.Value": "v"})
        self.zone = self.ec2.describe_subnets(SubnetIds=[self.subnet])["Subnets"][0]["AvailabilityZone"]
        self.number = self.certificate.split(":")[4]
        self.arn = f"arn:aws:elasticloadbalancing:{ec2.REGION}:{self.number}:loadbalancer/{self.name}"
        dev.rest()
        self.values = {**LISTENER, **CHECK, "LoadBalancerName": self.name, "LoadBalancerNames.member.N": self.name, "LoadBalancerPorts.member.N": "80",
                       "LoadBalancerPort": "80", "InstancePort": "8080", "Subnets.member.N": self.subnet, "SecurityGroups.member.N": self.group,
                       "AvailabilityZones.member.N": self.zone, "Instances.member.N.InstanceId": self.instance, "SSLCertificateId": self.further,
                       "Listeners.member.N.SSLCertificateId": self.further, "PolicyName": "new", "PolicyNames.member.N": "sticky", "CookieName": "SESSION",
                       "PolicyTypeName": "LBCookieStickinessPolicyType", "PolicyTypeNames.member.N": "LBCookieStickinessPolicyType", "Tags.member.N.Key": "k",
                       "Tags.member.N.Value": "v", "PolicyAttributes.member.N.AttributeName": "CookieExpirationPeriod", "PolicyAttributes.member.N.AttributeValue": "60",
                       "LoadBalancerAttributes.AdditionalAttributes.member.N.Key": "elb.http.desyncmitigationmode",
                       "LoadBalancerAttributes.AdditionalAttributes.member.N.Value": "defensive", "Scheme": "internal"}

    def make(self, action, params):
        answer = self.call({"Action": action, **params})
        assert answer.status == 200, answer
        return answer

    def call(self, parameters, account=None):
        return (account or self.account).call(parameters.pop("Action"), parameters, service=SERVICE, version=VERSION)

    def request(self, action, but):
        """A valid request with only the required parameters, plus those of the structure that contains `but`."""
        name, wanted, values = action["name"], set(), dict(self.values)
        lists = {p["name"] for p in action["params"] if p["required"] and p["type"] == "list of structures"}
        place = but["name"].rpartition(".N.")[0]
        for p in action["params"]:
            head = p["name"].rpartition(".N.")[0]
            if p["required"] and p["name"] in values and (not head or head + ".N" in lists or (place and place.startswith(head))):
                wanted.add(p["name"])
        if name == "CreateLoadBalancer":
            values["LoadBalancerName"] = "new"
            wanted |= {"Scheme"} | ({"Subnets.member.N"} if not but["name"].startswith("AvailabilityZones") else set())
        if name in ("CreateLoadBalancer", "CreateLoadBalancerListeners") and but["name"] == "Listeners.member.N.SSLCertificateId":
            values.update({"Listeners.member.N.Protocol": "HTTPS", "Listeners.member.N.LoadBalancerPort": "444"})
        if name == "SetLoadBalancerListenerSSLCertificate":
            values["LoadBalancerPort"] = "443"
        if name == "DescribeLoadBalancerPolicies" and but["name"] != "LoadBalancerName":
            wanted.add("LoadBalancerName")
        if name == "SetLoadBalancerPoliciesForBackendServer":
            values["PolicyNames.member.N"] = "proxy"
        if name == "DeleteLoadBalancerPolicy":
            values["PolicyName"] = "sticky"
        return {"Action": name, **{wire(n): values[n] for n in sorted(wanted)}}

    def state(self):
        said = [self.call({"Action": "DescribeLoadBalancers"}), self.call({"Action": "DescribeTags", "LoadBalancerNames.member.1": self.name}),
                self.call({"Action": "DescribeLoadBalancerAttributes", "LoadBalancerName": self.name}),
                self.call({"Action": "DescribeInstanceHealth", "LoadBalancerName": self.name}),
                self.call({"Action": "DescribeLoadBalancerPolicies", "LoadBalancerName": self.name})]
        assert all(a.status == 200 for a in said), said
        return [re.sub("<RequestId>.*</RequestId>", "", a.text) for a in said]

# SPDX-License-Identifier: Apache-2.0
"""An account with a scaling group of each part that requests need, and requests made from the tables of EC2 Auto Scaling's face."""
import json
import re
import subprocess

import dev as ec2
import elb_world
from waiting import soon

TABLES = json.loads(subprocess.run([ec2.DARI, "dump", "autoscaling"], check=True, capture_output=True).stdout)
ACTIONS = {a["name"]: a for a in TABLES["actions"]}
SERVICE, VERSION = "autoscaling", "2011-01-01"
LISTS = ("DescribeAutoScalingGroups", "DescribeScheduledActions", "DescribeAutoScalingInstances", "DescribePolicies", "DescribeLaunchConfigurations", "DescribeTags", "DescribeScalingActivities", "DescribeNotificationConfigurations")
TEMPLATE = "LaunchTemplate.LaunchTemplateId"
MIXED = "MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateId"
DESIRED = "DesiredConfiguration."
SOURCES = {"LaunchConfigurationName", "LaunchTemplate.LaunchTemplateName", TEMPLATE}


def wire(name):
    return name.replace(".N", ".1")


class World:
    """A group `web` with one instance, a lifecycle hook, a policy and a tag; a group `idle` without instances; a launch configuration, a target group,
    and a running instance of no group. Names are the account's own."""

    def __init__(self, dev, account):
        self.account = account
        self.ec2 = account.client("ec2")
        mark = account.key_id[-8:].lower()
        self.web, self.idle, self.configuration = f"web-{mark}", f"idle-{mark}", f"config-{mark}"
        self.vpc = self.ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
        self.subnet = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock="10.8.1.0/24")["Subnet"]["SubnetId"]
        image = self.ec2.describe_images()["Images"][0]["ImageId"]
        self.template = self.ec2.create_launch_template(LaunchTemplateName=f"base-{mark}", LaunchTemplateData={"ImageId": image, "InstanceType": "t3.micro"})["LaunchTemplate"]["LaunchTemplateId"]
        self.lone = self.ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1, SubnetId=self.subnet)["Instances"][0]["InstanceId"]
        asked = {"Action": "CreateTargetGroup", "Name": "scaled", "Protocol": "TCP", "Port": "80", "VpcId": self.vpc}
        self.target = account.call(asked.pop("Action"), asked, service="elasticloadbalancing", version=elb_world.VERSION).first(".//TargetGroupArn")
        self.balancer = f"classic-{mark}"
        asked = {"LoadBalancerName": self.balancer, "Scheme": "internal", "Subnets.member.1": self.subnet, "Listeners.member.1.Protocol": "TCP",
                 "Listeners.member.1.LoadBalancerPort": "80", "Listeners.member.1.InstancePort": "80"}
        assert account.call("CreateLoadBalancer", asked, service="elasticloadbalancing", version="2012-06-01").status == 200
        self.make("CreateLaunchConfiguration", {"LaunchConfigurationName": self.configuration, "ImageId": image, "InstanceType": "t3.micro"})
        group = {"MaxSize": "3", TEMPLATE: self.template, "VPCZoneIdentifier": self.subnet, "Tags.member.1.Key": "k", "Tags.member.1.Value": "v"}
        self.make("CreateAutoScalingGroup", {**group, "AutoScalingGroupName": self.web, "MinSize": "0", "DesiredCapacity": "1", "TargetGroupARNs.member.1": self.target,
                                             "LoadBalancerNames.member.1": self.balancer})
        self.make("CreateAutoScalingGroup", {**group, "AutoScalingGroupName": self.idle, "MinSize": "0"})
        assert soon(lambda: self.instances() and self.states() == ["InService"])
        self.instance = self.instances()[0]
        self.make("PutLifecycleHook", {"AutoScalingGroupName": self.web, "LifecycleHookName": "hook", "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING"})
        self.make("PutScalingPolicy", {"AutoScalingGroupName": self.web, "PolicyName": "more", "AdjustmentType": "ChangeInCapacity", "ScalingAdjustment": "0"})
        self.make("PutScheduledUpdateGroupAction", {"AutoScalingGroupName": self.web, "ScheduledActionName": "night", "Recurrence": "0 22 * * *", "MinSize": "0"})
        self.number = self.target.split(":")[4]
        self.topic = account.call("CreateTopic", {"Name": "scaling"}, service="sns", version="2010-03-31").first(".//TopicArn")
        self.make("PutNotificationConfiguration", {"AutoScalingGroupName": self.web, "TopicARN": self.topic,
                                                   "NotificationTypes.member.1": "autoscaling:EC2_INSTANCE_LAUNCH_ERROR"})
        self.arns = {name: self.groups(name).first(".//AutoScalingGroupARN") for name in (self.web, self.idle)}
        dev.rest()
        self.values = {
            "AutoScalingGroupName": self.web, "AutoScalingGroupNames.member.N": self.web, "LaunchConfigurationName": self.configuration,
            "LaunchConfigurationNames.member.N": self.configuration, "InstanceId": self.instance, "InstanceIds.member.N": self.instance, "MinSize": "0", "MaxSize": "3",
            "DesiredCapacity": "1", "VPCZoneIdentifier": self.subnet, TEMPLATE: self.template, MIXED: self.template, DESIRED + TEMPLATE: self.template, DESIRED + MIXED: self.template, "LaunchTemplate.LaunchTemplateName": f"base-{mark}",
            "TargetGroupARNs.member.N": self.target, "LoadBalancerNames.member.N": self.balancer, "TrafficSources.member.N.Identifier": self.target, "ShouldDecrementDesiredCapacity": "true",
            "HealthStatus": "Healthy", "Granularity": "1Minute", "Metrics.member.N": "GroupMaxSize", "ProtectedFromScaleIn": "false", "LifecycleHookName": "hook", "LifecycleHookNames.member.N": "hook",
            "LifecycleHookSpecificationList.member.N.LifecycleHookName": "new", "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
            "LifecycleHookSpecificationList.member.N.LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING", "LifecycleActionResult": "CONTINUE", "PolicyName": "more",
            "PolicyNames.member.N": "more", "AdjustmentType": "ChangeInCapacity", "ScalingAdjustment": "0", "StepAdjustments.member.N.ScalingAdjustment": "1",
            "Tags.member.N.Key": "k", "Tags.member.N.Value": "v", "Tags.member.N.ResourceId": self.web, "ImageId": image, "InstanceType": "t3.micro",
            "BlockDeviceMappings.member.N.DeviceName": "/dev/sda1", "Filters.member.N.Name": "tag-key", "Filters.member.N.Values.member.N": "k", "MetricValue": "1",
            "BreachThreshold": "1", "LifecycleActionToken": "0" * 36, "ScheduledActionName": "night", "ScheduledActionNames.member.N": "night",
            "ScheduledUpdateGroupActions.member.N.ScheduledActionName": "night", "ScheduledUpdateGroupActions.member.N.Recurrence": "0 22 * * *",
            "TopicARN": self.topic, "NotificationTypes.member.N": "autoscaling:EC2_INSTANCE_LAUNCH_ERROR",
            "ScheduledUpdateGroupActions.member.N.MinSize": "0", "Recurrence": "0 22 * * *"}

    def make(self, action, params):
        answer = self.call({"Action": action, **params})
        assert answer.status == 200, answer
        return answer

    def call(self, parameters, account=None):
        return (account or self.account).call(parameters.pop("Action"), parameters, service=SERVICE, version=VERSION)

    def groups(self, *names):
        return self.make("DescribeAutoScalingGroups", {f"AutoScalingGroupNames.member.{n + 1}": name for n, name in enumerate(names)})

    def instances(self):
        return re.findall("<InstanceId>(.*?)</InstanceId>", self.groups(self.web).text)

    def states(self):
        return re.findall("<LifecycleState>(.*?)</LifecycleState>", self.groups(self.web).text)

    def request(self, action, but):
        """A valid request with only the required parameters, plus those of the structure that contains `but`."""
        name, wanted = action["name"], set()
        lists = {p["name"] for p in action["params"] if p["required"] and p["type"] == "list of structures"}
        place = but["name"].rpartition(".N.")[0]
        values = dict(self.values)
        for p in action["params"]:
            head = p["name"].rpartition(".N.")[0]
            if p["required"] and p["name"] in values and (not head or head + ".N" in lists or (place and place.startswith(head))):
                wanted.add(p["name"])
        if name == "CreateAutoScalingGroup":
            values["AutoScalingGroupName"] = "new"
            wanted |= {TEMPLATE} if but["name"] not in SOURCES and not but["name"].startswith("Mixed") else {MIXED} if but["name"].startswith("Mixed") else set()
            wanted |= {"VPCZoneIdentifier"} if not but["name"].startswith("AvailabilityZones") else set()
        if name == "DeleteAutoScalingGroup":
            values["AutoScalingGroupName"] = self.idle
        if name == "CreateLaunchConfiguration":
            values["LaunchConfigurationName"] = "new"
            wanted |= {"ImageId", "InstanceType"}
        if name == "AttachInstances":
            values["InstanceIds.member.N"] = self.lone
        if name in ("CreateOrUpdateTags", "DeleteTags"):
            wanted.add("Tags.member.N.ResourceId")
        if name == "DescribeTags":
            values.update({"Filters.member.N.Name": "key"})
        if name in ("ExecutePolicy", "DeletePolicy"):
            wanted.add("AutoScalingGroupName")
        if name in ("CompleteLifecycleAction", "RecordLifecycleActionHeartbeat") and but["name"] != "LifecycleActionToken":
            wanted.add("InstanceId")
        if name == "PutScheduledUpdateGroupAction":
            wanted |= {"Recurrence", "MinSize"}
        if name == "BatchPutScheduledUpdateGroupAction":
            wanted |= {"ScheduledUpdateGroupActions.member.N.Recurrence", "ScheduledUpdateGroupActions.member.N.MinSize"}
        if name == "PutScalingPolicy":
            wanted |= {"AdjustmentType", "ScalingAdjustment"}
        return {"Action": name, **{wire(n): values[n] for n in sorted(wanted)}}

    def state(self):
        said = [self.call({"Action": name}) for name in LISTS] + [self.call({"Action": "DescribeLifecycleHooks", "AutoScalingGroupName": self.web})]
        assert all(a.status == 200 for a in said), said
        return [re.sub("<RequestId>.*</RequestId>", "", a.text) for a in said]

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/autoscaling src/engine/scaling src/reconcile/scaling src/api/ec2/compute/scaling_launches
"""Scaling groups through stock boto3: from creation to deletion, as Terraform, kOps and the cluster autoscaler call."""
import datetime
import json
import os
import sys

import boto3
import botocore.config
import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import dev as ec2  # noqa: E402
from faces import holds  # noqa: E402
from waiting import soon  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def region():
    with ec2.Dev() as made:
        yield made


def client(region, account, service):
    return boto3.client(service, region_name=ec2.REGION, endpoint_url=region.url, aws_access_key_id=account.key_id,
                        aws_secret_access_key=account.secret, config=botocore.config.Config(retries={"max_attempts": 0}))


def code(call, **params):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**params)
    assert caught.value.response["Error"]["Message"], caught.value
    return caught.value.response["Error"]["Code"]


class Place:
    """A VPC with a subnet in each of two zones, and a launch template."""

    def __init__(self, region, name):
        self.region, self.account = region, region.new_account(name)
        self.ec2, self.asg, self.elb = (client(region, self.account, s) for s in ("ec2", "autoscaling", "elbv2"))
        self.vpc = self.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        self.zones = [z["ZoneName"] for z in self.ec2.describe_availability_zones()["AvailabilityZones"]][:2]
        self.subnets = [self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.9.{n}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
                        for n, zone in enumerate(self.zones)]
        self.image = self.ec2.describe_images()["Images"][0]["ImageId"]
        self.template = self.ec2.create_launch_template(LaunchTemplateName="base", LaunchTemplateData={
            "ImageId": self.image, "InstanceType": "t3.micro", "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "from", "Value": "template"}]}]})[
                "LaunchTemplate"]["LaunchTemplateId"]

    def create(self, name, **more):
        params = {"AutoScalingGroupName": name, "MinSize": 0, "MaxSize": 4, "DesiredCapacity": 2, "VPCZoneIdentifier": ",".join(self.subnets),
                  "LaunchTemplate": {"LaunchTemplateId": self.template}, **more}
        for absent in [k for k, v in params.items() if v is None]:
            del params[absent]
        self.asg.create_auto_scaling_group(**params)

    def group(self, name):
        return self.asg.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][0]

    def instances(self, name, state="InService"):
        return [i["InstanceId"] for i in self.group(name)["Instances"] if i["LifecycleState"] == state]

    def has(self, name, count, state="InService"):
        assert soon(lambda: len(self.instances(name, state)) == count and len(self.group(name)["Instances"]) == count), self.group(name)
        return self.instances(name, state)

    def activities(self, name):
        return self.asg.describe_scaling_activities(AutoScalingGroupName=name)["Activities"]

    def delete(self, name):
        self.asg.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)
        assert soon(lambda: not self.asg.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"])


@pytest.fixture(scope="module")
def place(region):
    return Place(region, "scaling")


def test_group_takes_after_an_instance(place):
    """The launch configuration that the group gets has the instance's settings, without its disks, and stays when the group goes."""
    group_id = place.ec2.create_security_group(GroupName="alike", Description="d", VpcId=place.vpc)["GroupId"]
    model = place.ec2.run_instances(ImageId=place.image, InstanceType="t3.small", MinCount=1, MaxCount=1, SubnetId=place.subnets[0], UserData="hello",
                                    SecurityGroupIds=[group_id], MetadataOptions={"HttpTokens": "required"})["Instances"][0]["InstanceId"]
    place.create("alike", InstanceId=model, LaunchTemplate=None, DesiredCapacity=1)
    made = place.ec2.describe_instances(InstanceIds=place.has("alike", 1))["Reservations"][0]["Instances"][0]
    assert (made["ImageId"], made["InstanceType"], made["MetadataOptions"]["HttpTokens"]) == (place.image, "t3.small", "required")
    assert [g["GroupId"] for g in made["SecurityGroups"]] == [group_id]
    shown = place.asg.describe_launch_configurations(LaunchConfigurationNames=["alike"])["LaunchConfigurations"][0]
    assert place.group("alike")["LaunchConfigurationName"] == "alike" and (shown["UserData"], shown["SecurityGroups"]) == ("aGVsbG8=", [group_id])
    assert code(place.create, name="alike-2", InstanceId="i-0123456789abcdef0", LaunchTemplate=None) == "ValidationError"
    assert [c["LaunchConfigurationName"] for c in place.asg.describe_launch_configurations()["LaunchConfigurations"]] == ["alike"]
    place.delete("alike")
    place.asg.delete_launch_configuration(LaunchConfigurationName="alike")
    place.ec2.terminate_instances(InstanceIds=[model])


@holds("What each face calls it: scaling group, launch configuration", "Instances: Scaling groups")
def test_life(place):
    """Created, grown, shrunk, replaced and deleted; instances are spread over zones, and have the group's tags."""
    place.create("web", Tags=[{"Key": "team", "Value": "a", "PropagateAtLaunch": True, "ResourceId": "web", "ResourceType": "auto-scaling-group"},
                              {"Key": "own", "Value": "b", "PropagateAtLaunch": False, "ResourceId": "web", "ResourceType": "auto-scaling-group"}])
    made = place.has("web", 2)
    shown = place.group("web")
    assert shown["AutoScalingGroupARN"].endswith(":autoScalingGroupName/web") and "Version" not in shown["LaunchTemplate"]
    assert sorted(shown["AvailabilityZones"]) == sorted(place.zones) == sorted(i["AvailabilityZone"] for i in shown["Instances"])
    assert shown["ServiceLinkedRoleARN"].endswith(":role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling")
    assert shown["TerminationPolicies"] == ["Default"] and shown["HealthCheckType"] == "EC2" and shown["DefaultCooldown"] == 300
    for instance in place.ec2.describe_instances(InstanceIds=made)["Reservations"]:
        tags = {t["Key"]: t["Value"] for t in instance["Instances"][0]["Tags"]}
        assert tags["aws:autoscaling:groupName"] == "web" and tags["team"] == "a" and tags["from"] == "template" and "own" not in tags
    place.asg.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=4)
    place.has("web", 4)
    newest = place.activities("web")[0]
    assert newest["Description"].startswith("Launching a new EC2 instance: i-") and newest["StatusCode"] == "Successful" and newest["Progress"] == 100
    assert "a user request explicitly set group desired capacity changing the desired capacity from 2 to 4." in newest["Cause"]
    assert "an instance was started in response to a difference between desired and actual capacity, increasing the capacity from" in newest["Cause"]
    place.ec2.terminate_instances(InstanceIds=made[:1])
    assert soon(lambda: made[0] not in place.instances("web") and len(place.instances("web")) == 4)
    causes = " ".join(a["Cause"] for a in place.activities("web"))
    assert "an EC2 health check indicating it has been terminated or stopped." in causes
    assert "an instance was started in response to an unhealthy instance needing to be replaced." in causes
    place.asg.update_auto_scaling_group(AutoScalingGroupName="web", MaxSize=1)
    place.has("web", 1)
    assert "was selected for termination." in " ".join(a["Cause"] for a in place.activities("web"))
    assert code(place.asg.delete_auto_scaling_group, AutoScalingGroupName="web") == "ResourceInUse"
    place.delete("web")
    assert code(place.asg.describe_scaling_activities, AutoScalingGroupName="web") == "ValidationError"


def test_terminate_and_health(place):
    place.create("few", MinSize=1)
    one, two = place.has("few", 2)
    asked = place.asg.terminate_instance_in_auto_scaling_group(InstanceId=one, ShouldDecrementDesiredCapacity=True)["Activity"]
    assert asked["Description"] == f"Terminating EC2 instance: {one}" and "shrinking the capacity from 2 to 1" in asked["Cause"]
    assert place.has("few", 1) == [two]
    assert code(place.asg.terminate_instance_in_auto_scaling_group, InstanceId=two, ShouldDecrementDesiredCapacity=True) == "ValidationError"
    place.asg.set_instance_health(InstanceId=two, HealthStatus="Unhealthy")
    assert soon(lambda: two not in place.instances("few") and len(place.instances("few")) == 1)
    three = place.instances("few")[0]
    place.asg.set_instance_protection(AutoScalingGroupName="few", InstanceIds=[three], ProtectedFromScaleIn=True)
    place.asg.update_auto_scaling_group(AutoScalingGroupName="few", MinSize=0, DesiredCapacity=0)
    place.region.rest()
    assert place.instances("few") == [three] and place.group("few")["Instances"][0]["ProtectedFromScaleIn"]
    listed = place.asg.describe_auto_scaling_instances(InstanceIds=[three])["AutoScalingInstances"][0]
    assert listed["AutoScalingGroupName"] == "few" and listed["LaunchTemplate"] == {"LaunchTemplateId": place.template, "LaunchTemplateName": "base", "Version": "1"}
    place.delete("few")


def test_moves(place):
    """Standby, detaching and attaching."""
    place.create("moved")
    one, two = place.has("moved", 2)
    asked = {"AutoScalingGroupName": "moved", "InstanceIds": [one]}
    left = place.asg.enter_standby(**asked, ShouldDecrementDesiredCapacity=True)["Activities"][0]
    assert left["Description"] == f"Moving EC2 instance to Standby: {one}" and place.group("moved")["DesiredCapacity"] == 1
    assert place.instances("moved", "Standby") == [one]
    assert code(place.asg.enter_standby, **asked, ShouldDecrementDesiredCapacity=True) == "ValidationError"
    assert place.asg.exit_standby(**asked)["Activities"][0]["Description"] == f"Moving EC2 instance out of Standby: {one}"
    assert place.group("moved")["DesiredCapacity"] == 2
    place.asg.detach_instances(**asked, ShouldDecrementDesiredCapacity=True)
    assert place.has("moved", 1) == [two]
    assert not [t for t in place.ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [one]}])["Tags"] if t["Key"] == "aws:autoscaling:groupName"]
    place.asg.attach_instances(**asked)
    assert sorted(place.has("moved", 2)) == sorted([one, two]) and place.group("moved")["DesiredCapacity"] == 2
    assert code(place.asg.attach_instances, **asked) == "ValidationError"
    place.delete("moved")


def test_suspended(place):
    place.create("still", DesiredCapacity=0)
    place.asg.suspend_processes(AutoScalingGroupName="still", ScalingProcesses=["Launch"])
    place.asg.set_desired_capacity(AutoScalingGroupName="still", DesiredCapacity=1)
    place.region.rest()
    assert not place.group("still")["Instances"] and [p["ProcessName"] for p in place.group("still")["SuspendedProcesses"]] == ["Launch"]
    place.asg.resume_processes(AutoScalingGroupName="still")
    place.has("still", 1)
    place.delete("still")


def test_metrics(place):
    place.create("measured")
    place.has("measured", 2)
    assert place.group("measured")["EnabledMetrics"] == []
    assert code(place.asg.enable_metrics_collection, AutoScalingGroupName="measured", Granularity="1Minute", Metrics=["Heat"]) == "ValidationError"
    place.asg.enable_metrics_collection(AutoScalingGroupName="measured", Granularity="1Minute")
    kinds = [m["Metric"] for m in place.asg.describe_metric_collection_types()["Metrics"]]
    assert [m["Metric"] for m in place.group("measured")["EnabledMetrics"]] == kinds and len(kinds) == 20
    watch, dimensions = client(place.region, place.account, "cloudwatch"), [{"Name": "AutoScalingGroupName", "Value": "measured"}]

    def newest(metric):
        now = datetime.datetime.now(datetime.timezone.utc)
        points = watch.get_metric_statistics(Namespace="AWS/AutoScaling", MetricName=metric, Dimensions=dimensions, Statistics=["Average", "SampleCount"], Period=60,
                                             StartTime=now - datetime.timedelta(minutes=5), EndTime=now + datetime.timedelta(minutes=1))["Datapoints"]
        return max(points, key=lambda p: p["Timestamp"]) if points else None

    assert soon(lambda: newest("GroupInServiceInstances"))
    point = newest("GroupInServiceInstances")
    assert (point["Average"], point["SampleCount"]) == (2, 1)
    assert newest("GroupMaxSize")["Average"] == 4 and newest("GroupPendingInstances")["Average"] == 0
    listed = watch.list_metrics(Namespace="AWS/AutoScaling", Dimensions=dimensions)["Metrics"]
    assert sorted(m["MetricName"] for m in listed) == sorted(kinds)
    place.asg.disable_metrics_collection(AutoScalingGroupName="measured", Metrics=kinds[1:])
    assert place.group("measured")["EnabledMetrics"] == [{"Metric": "GroupMinSize", "Granularity": "1Minute"}]
    place.asg.disable_metrics_collection(AutoScalingGroupName="measured")
    assert place.group("measured")["EnabledMetrics"] == []
    place.region.rest()
    place.asg.delete_auto_scaling_group(AutoScalingGroupName="measured", ForceDelete=True)


def make_queue(place, name):
    sqs = client(place.region, place.account, "sqs")
    admits = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*"}
    url = sqs.create_queue(QueueName=name, Attributes={"Policy": json.dumps({"Statement": [admits]})})["QueueUrl"]
    return sqs, url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def receive_all(sqs, url, ends):
    """Messages of a queue, as JSON, until one that ends the wait."""
    got = []

    def fetch():
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", []):
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            got.append(json.loads(message["Body"]))
        return any(ends(m) for m in got)

    assert soon(fetch), got
    return got


def test_notifications(place):
    """A group publishes its launches and terminations to a topic, in the words of EC2 Auto Scaling."""
    sns = client(place.region, place.account, "sns")
    topic = sns.create_topic(Name="scaling")["TopicArn"]
    sqs, url, queue_arn = make_queue(place, "scaling")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn, Attributes={"RawMessageDelivery": "true"})
    types = place.asg.describe_auto_scaling_notification_types()["AutoScalingNotificationTypes"]
    assert "autoscaling:EC2_INSTANCE_LAUNCH" in types and len(types) == 5
    place.create("told", DesiredCapacity=0)
    wanted = {"AutoScalingGroupName": "told", "TopicARN": topic}
    assert code(place.asg.put_notification_configuration, AutoScalingGroupName="told", TopicARN=topic + "-none", NotificationTypes=types[:1]) == "ValidationError"
    assert code(place.asg.put_notification_configuration, **wanted, NotificationTypes=["autoscaling:NONE"]) == "ValidationError"
    place.asg.put_notification_configuration(**wanted, NotificationTypes=["autoscaling:EC2_INSTANCE_TERMINATE", "autoscaling:EC2_INSTANCE_LAUNCH"])
    shown = place.asg.describe_notification_configurations(AutoScalingGroupNames=["told"])["NotificationConfigurations"]
    assert shown == [{"AutoScalingGroupName": "told", "TopicARN": topic, "NotificationType": f"autoscaling:EC2_INSTANCE_{t}"} for t in ("LAUNCH", "TERMINATE")]
    assert place.asg.describe_notification_configurations(AutoScalingGroupNames=["other"])["NotificationConfigurations"] == []
    place.asg.set_desired_capacity(AutoScalingGroupName="told", DesiredCapacity=1)
    one, = place.has("told", 1)
    place.asg.set_desired_capacity(AutoScalingGroupName="told", DesiredCapacity=0)
    test, launch, end = receive_all(sqs, url, lambda m: m["Event"] == "autoscaling:EC2_INSTANCE_TERMINATE")
    assert test["Event"] == "autoscaling:TEST_NOTIFICATION" and test["Service"] == "AWS Auto Scaling"
    assert set(test) == {"AccountId", "RequestId", "AutoScalingGroupARN", "AutoScalingGroupName", "Service", "Event", "Time"}
    assert launch["Event"] == "autoscaling:EC2_INSTANCE_LAUNCH" and end["EC2InstanceId"] == launch["EC2InstanceId"] == one
    assert launch["Description"] == f"Launching a new EC2 instance: {one}" and launch["Cause"] and launch["AutoScalingGroupARN"] == place.group("told")["AutoScalingGroupARN"]
    assert launch["Details"]["Availability Zone"] in place.zones and launch["Details"]["Subnet ID"] in place.subnets
    assert {a["ActivityId"] for a in place.activities("told")} == {launch["ActivityId"], end["ActivityId"]}
    place.asg.delete_notification_configuration(**wanted)
    place.asg.delete_notification_configuration(**wanted)
    assert place.asg.describe_notification_configurations()["NotificationConfigurations"] == []
    place.delete("told")


def test_hook_targets(place):
    """A hook sends a queue a message about each instance that it holds, with the token that ends the wait."""
    sqs, url, queue_arn = make_queue(place, "hooks")
    iam = client(place.region, place.account, "iam")
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "autoscaling.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    role = iam.create_role(RoleName="hooks", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    place.create("hooked", DesiredCapacity=0)
    wanted = {"AutoScalingGroupName": "hooked", "LifecycleHookName": "ready", "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING"}
    assert code(place.asg.put_lifecycle_hook, **wanted, NotificationTargetARN=queue_arn) == "ValidationError"
    assert code(place.asg.put_lifecycle_hook, **wanted, NotificationTargetARN=queue_arn, RoleARN=role + "-none") == "ValidationError"
    assert code(place.asg.put_lifecycle_hook, **wanted, NotificationTargetARN=queue_arn + "-none", RoleARN=role) == "ValidationError"
    place.asg.put_lifecycle_hook(**wanted, NotificationTargetARN=queue_arn, RoleARN=role, NotificationMetadata="blue")
    shown = place.asg.describe_lifecycle_hooks(AutoScalingGroupName="hooked")["LifecycleHooks"][0]
    assert (shown["NotificationTargetARN"], shown["RoleARN"]) == (queue_arn, role)
    place.asg.set_desired_capacity(AutoScalingGroupName="hooked", DesiredCapacity=1)
    test, held = receive_all(sqs, url, lambda m: "LifecycleActionToken" in m)
    assert test["Event"] == "autoscaling:TEST_NOTIFICATION"
    assert (held["LifecycleHookName"], held["NotificationMetadata"], held["Origin"], held["Destination"]) == ("ready", "blue", "EC2", "AutoScalingGroup")
    assert held["LifecycleTransition"] == "autoscaling:EC2_INSTANCE_LAUNCHING" and place.instances("hooked", "Pending:Wait") == [held["EC2InstanceId"]]
    place.asg.complete_lifecycle_action(AutoScalingGroupName="hooked", LifecycleHookName="ready", LifecycleActionToken=held["LifecycleActionToken"],
                                        LifecycleActionResult="CONTINUE")
    place.has("hooked", 1)
    place.asg.put_lifecycle_hook(AutoScalingGroupName="hooked", LifecycleHookName="ready", NotificationTargetARN="")
    assert "NotificationTargetARN" not in place.asg.describe_lifecycle_hooks(AutoScalingGroupName="hooked")["LifecycleHooks"][0]
    place.delete("hooked")


def test_target_groups(place):
    """Instances in service are registered, and leave the target group with their service."""
    target = place.elb.create_target_group(Name="web", Protocol="TCP", Port=80, VpcId=place.vpc)["TargetGroups"][0]["TargetGroupArn"]

    def registered():
        return sorted(t["Target"]["Id"] for t in place.elb.describe_target_health(TargetGroupArn=target)["TargetHealthDescriptions"])
    place.create("served", TargetGroupARNs=[target], HealthCheckType="ELB", HealthCheckGracePeriod=60)
    assert sorted(place.has("served", 2)) == registered() and place.group("served")["TargetGroupARNs"] == [target]
    assert place.asg.describe_load_balancer_target_groups(AutoScalingGroupName="served")["LoadBalancerTargetGroups"] == [
        {"LoadBalancerTargetGroupARN": target, "State": "Added"}]
    place.asg.set_desired_capacity(AutoScalingGroupName="served", DesiredCapacity=1)
    assert place.has("served", 1) == registered()
    place.asg.detach_load_balancer_target_groups(AutoScalingGroupName="served", TargetGroupARNs=[target])
    assert registered() == []
    source = {"AutoScalingGroupName": "served", "TrafficSources": [{"Identifier": target}]}
    place.asg.attach_traffic_sources(**source)
    assert registered() == place.instances("served")
    assert [s["TrafficSource"] for s in place.asg.describe_traffic_sources(AutoScalingGroupName="served", TrafficSourceType="elbv2")["TrafficSources"]] == [target]
    place.delete("served")
    place.elb.delete_target_group(TargetGroupArn=target)


def test_hook_target_needs_the_right_to_send(place):
    """A hook sends as the region, so whoever names its target must be allowed to send there, also when a group is created with the hook."""
    queue = make_queue(place, "guarded")[2]
    topic = client(place.region, place.account, "sns").create_topic(Name="guarded")["TopicArn"]
    iam = client(place.region, place.account, "iam")
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "autoscaling.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    role = iam.create_role(RoleName="guarded", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    trust["Statement"][0]["Principal"]["Service"] = "ec2.amazonaws.com"
    distrusting = iam.create_role(RoleName="distrusting", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    place.create("guarded", DesiredCapacity=0)
    assert code(place.asg.put_lifecycle_hook, AutoScalingGroupName="guarded", LifecycleHookName="ready", RoleARN=distrusting, NotificationTargetARN=queue,
                LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING") == "ValidationError"
    iam.create_user(UserName="hooker")
    key = iam.create_access_key(UserName="hooker")["AccessKey"]
    hooker = client(place.region, ec2.Account(place.region, key["AccessKeyId"], key["SecretAccessKey"]), "autoscaling")
    hook = {"LifecycleHookName": "ready", "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING", "RoleARN": role}
    for target, action in ((queue, "sqs:SendMessage"), (topic, "sns:Publish")):
        own = [{"Effect": "Allow", "Action": ["autoscaling:*", "ec2:*"], "Resource": "*"},
               {"Effect": "Allow", "Action": "iam:PassRole", "Resource": role, "Condition": {"StringEquals": {"iam:PassedToService": "autoscaling.amazonaws.com"}}}]
        asked = {**hook, "NotificationTargetARN": target}
        new = {"AutoScalingGroupName": "by-hooker", "MinSize": 0, "MaxSize": 1, "VPCZoneIdentifier": ",".join(place.subnets),
               "LaunchTemplate": {"LaunchTemplateId": place.template}, "LifecycleHookSpecificationList": [asked]}
        for right in (None, {"Effect": "Allow", "Action": action, "Resource": target + "-other"}):
            iam.put_user_policy(UserName="hooker", PolicyName="own", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [*own, *([right] if right else [])]}))
            assert code(hooker.put_lifecycle_hook, AutoScalingGroupName="guarded", **asked) == "AccessDenied", right
            assert code(hooker.create_auto_scaling_group, **new) == "AccessDenied", right
        assert place.asg.describe_lifecycle_hooks(AutoScalingGroupName="guarded")["LifecycleHooks"] == []
        assert [g["AutoScalingGroupName"] for g in place.asg.describe_auto_scaling_groups(AutoScalingGroupNames=["by-hooker"])["AutoScalingGroups"]] == []
        right = {"Effect": "Allow", "Action": action, "Resource": target}
        iam.put_user_policy(UserName="hooker", PolicyName="own", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [*own, right]}))
        hooker.put_lifecycle_hook(AutoScalingGroupName="guarded", **asked)
        hooker.create_auto_scaling_group(**new)
        for name in ("guarded", "by-hooker"):
            assert place.asg.describe_lifecycle_hooks(AutoScalingGroupName=name)["LifecycleHooks"][0]["NotificationTargetARN"] == target
        place.asg.delete_lifecycle_hook(AutoScalingGroupName="guarded", LifecycleHookName="ready")
        place.delete("by-hooker")
    place.delete("guarded")


def test_hooks(place):
    place.create("held", DesiredCapacity=0)
    asked = {"AutoScalingGroupName": "held", "LifecycleHookName": "ready"}
    place.asg.put_lifecycle_hook(**asked, LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING", HeartbeatTimeout=600)
    assert place.asg.describe_lifecycle_hooks(AutoScalingGroupName="held")["LifecycleHooks"] == [
        {**asked, "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING", "HeartbeatTimeout": 600, "GlobalTimeout": 60000, "DefaultResult": "ABANDON"}]
    place.asg.set_desired_capacity(AutoScalingGroupName="held", DesiredCapacity=1)
    one = place.has("held", 1, "Pending:Wait")[0]
    assert place.activities("held")[0]["StatusCode"] == "MidLifecycleAction"
    place.asg.record_lifecycle_action_heartbeat(**asked, InstanceId=one)
    place.asg.complete_lifecycle_action(**asked, InstanceId=one, LifecycleActionResult="CONTINUE")
    assert place.has("held", 1) == [one]
    assert code(place.asg.complete_lifecycle_action, **asked, InstanceId=one, LifecycleActionResult="CONTINUE") == "ValidationError"
    place.asg.put_lifecycle_hook(AutoScalingGroupName="held", LifecycleHookName="last", LifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING")
    place.asg.set_desired_capacity(AutoScalingGroupName="held", DesiredCapacity=0)
    assert place.has("held", 1, "Terminating:Wait") == [one]
    place.asg.complete_lifecycle_action(AutoScalingGroupName="held", LifecycleHookName="last", InstanceId=one, LifecycleActionResult="CONTINUE")
    place.has("held", 0)
    place.asg.delete_lifecycle_hook(**asked)
    place.delete("held")


def test_policies(place):
    place.create("stepped", DesiredCapacity=1)
    place.has("stepped", 1)
    name = {"AutoScalingGroupName": "stepped"}
    arn = place.asg.put_scaling_policy(**name, PolicyName="more", AdjustmentType="ChangeInCapacity", ScalingAdjustment=1)["PolicyARN"]
    assert arn.endswith(":autoScalingGroupName/stepped:policyName/more")
    place.asg.execute_policy(PolicyName=arn)
    place.has("stepped", 2)
    assert code(place.asg.execute_policy, **name, PolicyName="more", HonorCooldown=True) == "ScalingActivityInProgress"
    place.asg.put_scaling_policy(**name, PolicyName="steps", PolicyType="StepScaling", AdjustmentType="ExactCapacity", EstimatedInstanceWarmup=0, StepAdjustments=[
        {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 10, "ScalingAdjustment": 3}, {"MetricIntervalLowerBound": 10, "ScalingAdjustment": 4}])
    place.asg.execute_policy(**name, PolicyName="steps", MetricValue=65, BreachThreshold=50)
    place.has("stepped", 4)
    assert code(place.asg.execute_policy, **name, PolicyName="steps", MetricValue=1, BreachThreshold=50) == "ValidationError"
    tracking = {"TargetValue": 50, "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"}}
    assert len(place.asg.put_scaling_policy(**name, PolicyName="t", PolicyType="TargetTrackingScaling", TargetTrackingConfiguration=tracking)["Alarms"]) == 2
    place.asg.delete_policy(**name, PolicyName="t")
    assert [p["PolicyName"] for p in place.asg.describe_policies(**name)["ScalingPolicies"]] == ["more", "steps"]
    place.asg.delete_policy(**name, PolicyName="more")
    assert code(place.asg.delete_policy, **name, PolicyName="more") == "ValidationError"
    place.delete("stepped")


def test_mixed(place):
    """A mixed instances policy with weights: spot beyond the base."""
    place.create("mixed", LaunchTemplate=None, DesiredCapacity=4, MixedInstancesPolicy={
        "LaunchTemplate": {"LaunchTemplateSpecification": {"LaunchTemplateId": place.template, "Version": "$Latest"},
                           "Overrides": [{"InstanceType": "t3.small", "WeightedCapacity": "2"}]},
        "InstancesDistribution": {"OnDemandBaseCapacity": 2, "OnDemandPercentageAboveBaseCapacity": 0}})
    made = place.has("mixed", 2)
    found = [r["Instances"][0] for r in place.ec2.describe_instances(InstanceIds=made)["Reservations"]]
    assert {i["InstanceType"] for i in found} == {"t3.small"} and sorted(i.get("InstanceLifecycle", "") for i in found) == ["", "spot"]
    shown = place.group("mixed")["MixedInstancesPolicy"]
    assert shown["LaunchTemplate"]["Overrides"] == [{"InstanceType": "t3.small", "WeightedCapacity": "2"}]
    assert shown["InstancesDistribution"]["OnDemandBaseCapacity"] == 2 and place.group("mixed")["Instances"][0]["WeightedCapacity"] == "2"
    place.delete("mixed")


def test_launch_configurations(place):
    asked = {"LaunchConfigurationName": "old", "ImageId": place.image, "InstanceType": "t3.micro", "AssociatePublicIpAddress": False,
             "BlockDeviceMappings": [{"DeviceName": "/dev/xvdb", "Ebs": {"VolumeSize": 2, "DeleteOnTermination": True}}], "InstanceMonitoring": {"Enabled": False}}
    place.asg.create_launch_configuration(**asked)
    assert code(place.asg.create_launch_configuration, **asked) == "AlreadyExists"
    shown = place.asg.describe_launch_configurations(LaunchConfigurationNames=["old"])["LaunchConfigurations"][0]
    assert {k: shown[k] for k in asked} == asked and isinstance(shown["CreatedTime"], datetime.datetime)
    place.create("configured", LaunchTemplate=None, LaunchConfigurationName="old", DesiredCapacity=1)
    one = place.has("configured", 1)
    assert place.group("configured")["Instances"][0]["LaunchConfigurationName"] == "old"
    disks = place.ec2.describe_instances(InstanceIds=one)["Reservations"][0]["Instances"][0]["BlockDeviceMappings"]
    assert "/dev/xvdb" in [d["DeviceName"] for d in disks]
    assert code(place.asg.delete_launch_configuration, LaunchConfigurationName="old") == "ResourceInUse"
    place.delete("configured")
    place.asg.delete_launch_configuration(LaunchConfigurationName="old")


def test_refused(place):
    """Refuses settings that are wrong or not built, and makes nothing."""
    assert code(place.create, name="a", MinSize=5) == "ValidationError"
    assert code(place.create, name="a", DesiredCapacity=9) == "ValidationError"
    assert code(place.create, name="a", VPCZoneIdentifier="subnet-0123456789abcdef0") == "ValidationError"
    assert code(place.create, name="a", VPCZoneIdentifier=None) == "ValidationError"
    assert code(place.create, name="a", LaunchTemplate={"LaunchTemplateId": "lt-0123456789abcdef0"}) == "ValidationError"
    assert code(place.create, name="a", LaunchTemplate=None) == "ValidationError"
    assert code(place.create, name="a", CapacityRebalance=True) == "ValidationError"
    assert code(place.create, name="a", MaxInstanceLifetime=86400) == "ValidationError"
    broken = place.ec2.create_launch_template(LaunchTemplateName="broken", LaunchTemplateData={"InstanceType": "t3.micro"})["LaunchTemplate"]["LaunchTemplateId"]
    assert code(place.create, name="a", LaunchTemplate={"LaunchTemplateId": broken}) == "ValidationError"
    assert code(place.asg.set_desired_capacity, AutoScalingGroupName="a", DesiredCapacity=1) == "ValidationError"
    assert code(place.asg.put_scheduled_update_group_action, AutoScalingGroupName="a", ScheduledActionName="s", DesiredCapacity=1) == "ValidationError"
    assert not place.asg.describe_auto_scaling_groups()["AutoScalingGroups"]


class User:
    """A user of the account whose only policy allows the actions."""

    def __init__(self, place, name, *actions):
        iam = client(place.region, place.account, "iam")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        self.key_id, self.secret = key["AccessKeyId"], key["SecretAccessKey"]
        self.asg = client(place.region, self, "autoscaling")


def test_permissions(place):
    """A user who may create groups, but launch nothing, creates none."""
    asked = {"AutoScalingGroupName": "denied", "MinSize": 1, "MaxSize": 1, "VPCZoneIdentifier": place.subnets[0], "LaunchTemplate": {"LaunchTemplateId": place.template}}
    assert code(User(place, "scaler", "autoscaling:*").asg.create_auto_scaling_group, **asked) == "AccessDenied"
    assert code(User(place, "reader", "ec2:RunInstances").asg.create_auto_scaling_group, **asked) == "AccessDenied"
    assert not place.asg.describe_auto_scaling_groups()["AutoScalingGroups"]


def test_later_launches(place):
    """A group launches by the rights of the user who chose its template, and that user needs no right to create groups."""
    place.create("kept", DesiredCapacity=1)
    place.has("kept", 1)
    chooser = User(place, "chooser", "autoscaling:UpdateAutoScalingGroup", "ec2:RunInstances", "ec2:CreateTags")
    chooser.asg.update_auto_scaling_group(AutoScalingGroupName="kept", LaunchTemplate={"LaunchTemplateId": place.template, "Version": "1"}, DesiredCapacity=2)
    place.has("kept", 2)
    client(place.region, place.account, "iam").delete_user_policy(UserName="chooser", PolicyName="p")
    place.asg.set_desired_capacity(AutoScalingGroupName="kept", DesiredCapacity=3)
    assert soon(lambda: any(a["StatusCode"] == "Failed" for a in place.activities("kept"))), place.activities("kept")
    assert len(place.instances("kept")) == 2
    place.delete("kept")


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))

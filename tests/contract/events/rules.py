#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/events src/engine/events src/reconcile/events src/engine/messaging/json_pattern src/engine/alarm/alarm_event src/engine/scaling/scaling_event
"""EventBridge through stock boto3: rules on changes of instances, volumes, snapshots, alarms and scaling groups reach queues and topics; patterns, schedules, inputs, dead letters, rights."""
import json
import os
import signal
import subprocess
import sys

import boto3
import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import REGION, Dev  # noqa: E402
from faces import code, holds  # noqa: E402
from waiting import HANG_S  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")


ADMITS_SERVICES = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"Service": ["events.amazonaws.com", "sns.amazonaws.com"]}, "Action": "sqs:SendMessage", "Resource": "*"}]})


class Place:
    """An account with a queue for events."""

    def __init__(self, dev, name):
        self.dev, self.account = dev, dev.new_account(name)
        for service in ("events", "sqs", "sns", "ec2", "cloudwatch", "autoscaling", "iam"):
            setattr(self, service, self.account.client(service))
        self.number = self.account.client("sts").get_caller_identity()["Account"]

    def queue(self, name, **attributes):
        url = self.sqs.create_queue(QueueName=name, Attributes={"Policy": ADMITS_SERVICES, **attributes})["QueueUrl"]
        return url, self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def receive(self, url, wait=20):
        """The next message, deleted; None: none came."""
        got = self.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=wait, MessageAttributeNames=["All"]).get("Messages")
        if not got:
            return None
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=got[0]["ReceiptHandle"])
        return got[0]

    def event(self, url):
        return json.loads(self.receive(url)["Body"])

    def until(self, url, fits):
        """The first event that fits, with those before it."""
        before = []
        while len(before) < 200:
            before.append(self.event(url))
            if fits(before[-1]):
                return before
        raise AssertionError(before)

    def rule(self, name, pattern, *targets):
        self.events.put_rule(Name=name, EventPattern=json.dumps(pattern))
        answer = self.events.put_targets(Rule=name, Targets=[{"Id": str(k), **({"Arn": t} if isinstance(t, str) else t)} for k, t in enumerate(targets)])
        assert answer["FailedEntryCount"] == 0, answer

    def put(self, detail, source="shop", **more):
        answer = self.events.put_events(Entries=[{"Source": source, "DetailType": "order", "Detail": json.dumps(detail), **more}])
        assert answer["FailedEntryCount"] == 0, answer
        return answer["Entries"][0]["EventId"]


@pytest.fixture(scope="module", name="dev")
def start_dev():
    with Dev() as dev:
        yield dev


@pytest.fixture(scope="module", name="place")
def make_place(dev):
    return Place(dev, "events")


@pytest.fixture(scope="module", name="ticking", autouse=True)
def make_ticking(dev):
    """An account whose rules have a schedule. Its first events come while the other tests run."""
    made = Place(dev, "ticking")
    made.urls = {}
    for name, state in (("resting", "DISABLED"), ("ticking", "ENABLED")):
        made.urls[name], arn = made.queue(name)
        made.rule_arn = made.events.put_rule(Name=name, ScheduleExpression="rate(1 minute)", State=state)["RuleArn"]
        assert made.events.put_targets(Rule=name, Targets=[{"Id": "q", "Arn": arn}])["FailedEntryCount"] == 0
    return made


@holds("What each face calls it: rule of an event bus", "Instances: Events")
def test_instance_to_queue(place):
    url, arn = place.queue("states")
    place.rule("states", {"source": ["aws.ec2"], "detail-type": ["EC2 Instance State-change Notification"]}, arn)
    image = place.ec2.describe_images()["Images"][0]["ImageId"]
    made = place.ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    events = place.until(url, lambda e: e["detail"]["state"] == "running")
    assert [e["detail"]["state"] for e in events] == ["pending", "running"]
    event = events[0]
    assert sorted(event) == sorted(["version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"])
    assert event["version"] == "0" and event["account"] == place.number and event["region"] == REGION and event["time"].endswith("Z")
    assert event["resources"] == [f"arn:aws:ec2:{REGION}:{place.number}:instance/{made}"]
    assert event["detail"] == {"instance-id": made, "state": "pending"}
    place.ec2.stop_instances(InstanceIds=[made])
    assert [e["detail"]["state"] for e in place.until(url, lambda e: e["detail"]["state"] == "stopped")] == ["stopping", "stopped"]
    place.ec2.terminate_instances(InstanceIds=[made])
    states = [e["detail"]["state"] for e in place.until(url, lambda e: e["detail"]["state"] == "terminated")]
    assert states == ["shutting-down", "terminated"]


def test_volumes_and_snapshots(place):
    url, arn = place.queue("disks")
    place.rule("disks", {"source": ["aws.ec2"], "detail-type": [{"prefix": "EBS "}]}, arn)
    zone = place.ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
    volume = place.ec2.create_volume(AvailabilityZone=zone, Size=1)["VolumeId"]
    event = place.event(url)
    assert event["detail-type"] == "EBS Volume Notification" and event["resources"] == [f"arn:aws:ec2:{REGION}:{place.number}:volume/{volume}"]
    assert {k: event["detail"][k] for k in ("result", "cause", "event")} == {"result": "available", "cause": "", "event": "createVolume"}
    image = place.ec2.describe_images()["Images"][0]["ImageId"]
    instance = place.ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1, Placement={"AvailabilityZone": zone})["Instances"][0]["InstanceId"]
    place.ec2.get_waiter("instance_running").wait(InstanceIds=[instance], WaiterConfig={"Delay": 1})

    def is_of_volume(what):
        return lambda e: e["resources"][0].endswith(volume) and e["detail"]["event"] == what

    place.ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")
    assert place.until(url, is_of_volume("attachVolume"))[-1]["detail"]["result"] == "attached"
    place.ec2.detach_volume(VolumeId=volume)
    assert place.until(url, is_of_volume("detachVolume"))[-1]["detail"]["result"] == "detached"
    snapshot = place.ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    event = place.until(url, lambda e: e["detail-type"] == "EBS Snapshot Notification")[-1]
    assert event["detail"]["event"] == "createSnapshot" and event["detail"]["result"] == "succeeded"
    assert event["detail"]["snapshot_id"] == event["resources"][0] == f"arn:aws:ec2::{REGION}:snapshot/{snapshot}"
    assert event["detail"]["source"].endswith(f":volume/{volume}") and event["detail"]["endTime"] >= event["detail"]["startTime"]
    place.ec2.modify_volume(VolumeId=volume, Size=2)
    assert place.until(url, is_of_volume("modifyVolume"))[-1]["detail"]["result"] == "optimizing"
    place.ec2.delete_volume(VolumeId=volume)
    assert place.until(url, is_of_volume("deleteVolume"))[-1]["detail"]["result"] == "deleted"
    place.ec2.terminate_instances(InstanceIds=[instance])


def test_alarms(place):
    url, arn = place.queue("alarms")
    place.rule("alarms", {"source": ["aws.cloudwatch"], "detail": {"state": {"value": ["ALARM"]}}}, arn)
    place.cloudwatch.put_metric_alarm(AlarmName="hot", Namespace="Mine", MetricName="heat", Statistic="Maximum", Period=60, EvaluationPeriods=1, Threshold=5,
                                      ComparisonOperator="GreaterThanThreshold", AlarmDescription="too hot", Dimensions=[{"Name": "room", "Value": "1"}])
    place.cloudwatch.set_alarm_state(AlarmName="hot", StateValue="ALARM", StateReason="a test")
    event = place.event(url)
    assert event["detail-type"] == "CloudWatch Alarm State Change" and event["resources"] == [f"arn:aws:cloudwatch:{REGION}:{place.number}:alarm:hot"]
    detail = event["detail"]
    assert detail["alarmName"] == "hot" and detail["state"]["value"] == "ALARM" and detail["state"]["reason"] == "a test"
    assert detail["previousState"]["value"] == "INSUFFICIENT_DATA" and detail["state"]["timestamp"].endswith("+0000")
    metric = detail["configuration"]["metrics"][0]["metricStat"]
    assert metric == {"metric": {"namespace": "Mine", "name": "heat", "dimensions": {"room": "1"}}, "period": 60, "stat": "Maximum"}
    assert detail["configuration"]["description"] == "too hot"
    place.cloudwatch.delete_alarms(AlarmNames=["hot"])


def test_scaling_groups(place):
    url, arn = place.queue("groups")
    place.rule("groups", {"source": ["aws.autoscaling"]}, arn)
    image = place.ec2.describe_images()["Images"][0]["ImageId"]
    place.ec2.create_launch_template(LaunchTemplateName="fleet", LaunchTemplateData={"ImageId": image, "InstanceType": "t3.micro"})
    zone = place.ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
    place.autoscaling.create_auto_scaling_group(AutoScalingGroupName="fleet", MinSize=0, MaxSize=1, DesiredCapacity=0, AvailabilityZones=[zone],
                                                LaunchTemplate={"LaunchTemplateName": "fleet", "Version": "$Latest"})
    place.autoscaling.put_lifecycle_hook(AutoScalingGroupName="fleet", LifecycleHookName="ready", LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING",
                                         NotificationMetadata="note")
    place.autoscaling.set_desired_capacity(AutoScalingGroupName="fleet", DesiredCapacity=1)
    event = place.event(url)
    assert event["detail-type"] == "EC2 Instance-launch Lifecycle Action" and len(event["resources"]) == 1
    detail = event["detail"]
    assert detail["LifecycleTransition"] == "autoscaling:EC2_INSTANCE_LAUNCHING" and detail["NotificationMetadata"] == "note"
    assert detail["Origin"] == "EC2" and detail["Destination"] == "AutoScalingGroup" and detail["AutoScalingGroupName"] == "fleet"
    place.autoscaling.complete_lifecycle_action(AutoScalingGroupName="fleet", LifecycleHookName="ready", LifecycleActionToken=detail["LifecycleActionToken"],
                                                LifecycleActionResult="CONTINUE")
    event = place.event(url)
    assert event["detail-type"] == "EC2 Instance Launch Successful"
    assert event["resources"][1].endswith(event["detail"]["EC2InstanceId"]) and event["detail"]["AutoScalingGroupName"] == "fleet"
    place.autoscaling.set_desired_capacity(AutoScalingGroupName="fleet", DesiredCapacity=0)
    assert place.event(url)["detail-type"] == "EC2 Instance Terminate Successful"
    place.autoscaling.delete_auto_scaling_group(AutoScalingGroupName="fleet", ForceDelete=True)


def test_rules(place):
    events = place.events
    arn = events.put_rule(Name="nightly", ScheduleExpression="cron(0 2 * * ? *)", Description="each night", Tags=[{"Key": "a", "Value": "1"}])["RuleArn"]
    assert arn == f"arn:aws:events:{REGION}:{place.number}:rule/nightly"
    rule = events.describe_rule(Name="nightly")
    assert {k: rule[k] for k in ("Arn", "Name", "State", "Description", "ScheduleExpression", "EventBusName", "CreatedBy")} == {
        "Arn": arn, "Name": "nightly", "State": "ENABLED", "Description": "each night", "ScheduleExpression": "cron(0 2 * * ? *)",
        "EventBusName": "default", "CreatedBy": place.number}
    events.disable_rule(Name="nightly")
    assert events.describe_rule(Name="nightly")["State"] == "DISABLED"
    events.enable_rule(Name="nightly", EventBusName="default")
    assert events.describe_rule(Name="nightly")["State"] == "ENABLED"
    assert [r["Name"] for r in events.list_rules(NamePrefix="night")["Rules"]] == ["nightly"]
    first = events.list_rules(Limit=1)
    assert len(first["Rules"]) == 1 and events.list_rules(NextToken=first["NextToken"])["Rules"][0]["Name"] > first["Rules"][0]["Name"]
    events.tag_resource(ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}])
    events.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert events.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    queue = place.queue("nightly")[1]
    events.put_targets(Rule="nightly", Targets=[{"Id": "one", "Arn": queue, "RetryPolicy": {"MaximumRetryAttempts": 2}, "Input": '{"a": 1}'}])
    assert events.list_targets_by_rule(Rule="nightly")["Targets"] == [
        {"Id": "one", "Arn": queue, "Input": '{"a": 1}', "RetryPolicy": {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 86400}}]
    assert events.list_rule_names_by_target(TargetArn=queue)["RuleNames"] == ["nightly"]
    assert code(events.delete_rule, Name="nightly") == "ValidationException"
    gone = events.remove_targets(Rule="nightly", Ids=["one", "two"])
    assert gone["FailedEntryCount"] == 1 and gone["FailedEntries"][0]["TargetId"] == "two" and gone["FailedEntries"][0]["ErrorCode"] == "ResourceNotFoundException"
    events.delete_rule(Name="nightly")
    assert code(events.describe_rule, Name="nightly") == "ResourceNotFoundException"


def test_refusals(place):
    events = place.events
    assert events.describe_event_bus()["Arn"] == f"arn:aws:events:{REGION}:{place.number}:event-bus/default"
    assert [b["Name"] for b in events.list_event_buses()["EventBuses"]] == ["default"]
    assert code(events.create_event_bus, Name="mine") == "UnknownOperationException"
    assert code(events.put_rule, Name="x", EventBusName="mine", EventPattern='{"a":["b"]}') == "ResourceNotFoundException"
    assert code(events.put_rule, Name="x") == "ValidationException"
    assert code(events.put_rule, Name="x y", EventPattern='{"a":["b"]}') == "ValidationException"
    for pattern in ('[]', '{"a":"b"}', '{"a":[]}', '{"a":[{"glob":"x"}]}', '{"a":[{"wildcard":"x**y"}]}', '{"a":[{"numeric":["=","1"]}]}', '{}'):
        assert code(events.put_rule, Name="x", EventPattern=pattern) == "InvalidEventPatternException", pattern
    for schedule in ("rate(1 minutes)", "rate(0 minutes)", "cron(0 2 * * * *)", "cron(60 2 * * ? *)", "every day"):
        assert code(events.put_rule, Name="x", ScheduleExpression=schedule) == "ValidationException", schedule
    events.put_rule(Name="x", EventPattern='{"a":["b"]}')
    arn = place.queue("refused")[1]
    kinds = events.put_targets(Rule="x", Targets=[{"Id": "f", "Arn": f"arn:aws:lambda:{REGION}:{place.number}:function:f"}, {"Id": "q", "Arn": arn + "-none"}])
    assert [f["TargetId"] for f in kinds["FailedEntries"]] == ["f", "q"] and kinds["FailedEntryCount"] == 2
    assert [f["ErrorCode"] for f in kinds["FailedEntries"]] == ["ValidationException", "ResourceNotFoundException"]
    for target in ({"Input": "{"}, {"InputPath": "detail"}, {"Input": "{}", "InputPath": "$.a"}, {"SqsParameters": {"MessageGroupId": "g"}},
                   {"DeadLetterConfig": {"Arn": "arn:aws:sqs:elsewhere:1:q"}}, {"RetryPolicy": {"MaximumRetryAttempts": 186}},
                   {"RoleArn": f"arn:aws:iam::{place.number}:role/none"}):
        assert code(events.put_targets, Rule="x", Targets=[{"Id": "a", "Arn": arn, **target}]) == "ValidationException", target
    assert code(events.put_targets, Rule="x", Targets=[{"Id": str(k), "Arn": arn} for k in range(6)]) == "LimitExceededException"
    assert events.list_targets_by_rule(Rule="x")["Targets"] == []
    entries = events.put_events(Entries=[{"Source": "aws.ec2", "DetailType": "x", "Detail": "{}"}, {"Source": "a", "DetailType": "x", "Detail": "[]"},
                                         {"Source": "a", "DetailType": "x"}, {"Source": "a", "DetailType": "x", "Detail": "{}"}])
    assert entries["FailedEntryCount"] == 3
    assert [e.get("ErrorCode") for e in entries["Entries"]] == ["NotAuthorizedForSourceException", "MalformedDetail", "InvalidArgument", None]
    events.delete_rule(Name="x")


EVENT = {"id": "1", "account": "1", "source": "shop", "time": "2026-01-01T00:00:00Z", "region": "r", "resources": ["a", "b"], "detail-type": "order",
         "detail": {"state": "Running", "price": 12.5, "count": 300, "ip": "10.1.2.3", "path": "/a/b.png", "none": None, "flags": [True, 1], "lines": [{"n": 1, "s": "x"}, {"n": 2, "s": "y"}]}}


@pytest.mark.parametrize("pattern, matches", [
    ({"source": ["shop"]}, True), ({"source": ["shops"]}, False), ({"resources": ["b"]}, True), ({"detail": {"none": [None]}}, True),
    ({"detail": {"state": [{"prefix": "Run"}]}}, True), ({"detail": {"state": [{"prefix": "run"}]}}, False),
    ({"detail": {"state": [{"prefix": {"equals-ignore-case": "run"}}]}}, True), ({"detail": {"state": [{"suffix": {"equals-ignore-case": "ING"}}]}}, True),
    ({"detail": {"state": [{"equals-ignore-case": "running"}]}}, True), ({"detail": {"path": [{"suffix": ".png"}]}}, True),
    ({"detail": {"state": [{"anything-but": "Running"}]}}, False), ({"detail": {"state": [{"anything-but": ["a", "b"]}]}}, True),
    ({"detail": {"count": [{"anything-but": [300, 400]}]}}, False), ({"detail": {"state": [{"anything-but": {"prefix": ["Run", "Stop"]}}]}}, False),
    ({"detail": {"path": [{"anything-but": {"suffix": ".jpg"}}]}}, True), ({"detail": {"path": [{"anything-but": {"wildcard": "*/b*"}}]}}, False),
    ({"detail": {"state": [{"anything-but": {"equals-ignore-case": ["running"]}}]}}, False),
    ({"detail": {"price": [{"numeric": [">", 10, "<=", 12.5]}]}}, True), ({"detail": {"price": [{"numeric": ["<", 12.5]}]}}, False),
    ({"detail": {"count": [{"numeric": ["=", 300.0]}]}}, True), ({"detail": {"count": [300]}}, True), ({"detail": {"count": [300.0]}}, False),
    ({"detail": {"ip": [{"cidr": "10.1.0.0/16"}]}}, True), ({"detail": {"ip": [{"cidr": "10.2.0.0/16"}]}}, False),
    ({"detail": {"absent": [{"exists": False}]}}, True), ({"detail": {"state": [{"exists": False}]}}, False), ({"detail": {"state": [{"exists": True}]}}, True),
    ({"detail": {"path": [{"wildcard": "/a/*.png"}]}}, True), ({"detail": {"path": [{"wildcard": "/a/*.jpg"}]}}, False), ({"detail": {"path": [{"wildcard": "*"}]}}, True),
    ({"$or": [{"source": ["x"]}, {"detail": {"count": [300]}}]}, True), ({"$or": [{"source": ["x"]}, {"detail": {"count": [301]}}]}, False),
    ({"detail": {"lines": {"n": [1], "s": ["x"]}}}, True), ({"detail": {"lines": {"n": [1], "s": ["y"]}}}, False), ({"detail": {"flags": [True]}}, True),
])
def test_patterns(place, pattern, matches):
    assert place.events.test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(EVENT))["Result"] is matches


def test_custom_events_and_inputs(place):
    (url, queue), (topic_url, topic_queue) = place.queue("orders"), place.queue("orders-topic")
    topic = place.sns.create_topic(Name="orders")["TopicArn"]
    admits = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sns:Publish", "Resource": topic}
    place.sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps({"Statement": [admits]}))
    place.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=topic_queue, Attributes={"RawMessageDelivery": "true"})
    transformer = {"InputPathsMap": {"who": "$.detail.who", "all": "$.detail", "first": "$.resources[0]", "gone": "$.detail.gone"},
                   "InputTemplate": '{"text": "<who> of <first> by <aws.events.rule-name>", "all": <all>, "who": <who>, "gone": <gone>}'}
    place.rule("orders", {"source": ["shop"], "detail": {"who": [{"exists": True}]}}, queue, topic, {"Arn": queue, "InputPath": "$.detail.who"},
               {"Arn": queue, "Input": '{"constant": true}'}, {"Arn": queue, "InputTransformer": transformer})
    ident = place.put({"who": 'a "b"'}, Resources=["r1"], Time=1700000000)
    place.put({"else": 1})
    got = [json.loads(place.receive(url)["Body"]) for _ in range(4)]
    whole = [g for g in got if isinstance(g, dict) and "detail-type" in g][0]
    assert whole["id"] == ident and whole["time"] == "2023-11-14T22:13:20Z" and whole["resources"] == ["r1"] and whole["source"] == "shop"
    assert 'a "b"' in got and {"constant": True} in got
    assert {"text": 'a "b" of r1 by orders', "all": {"who": 'a "b"'}, "who": 'a "b"', "gone": ""} in got
    assert json.loads(place.receive(topic_url)["Body"])["id"] == ident
    assert place.receive(url, wait=0) is None
    place.events.disable_rule(Name="orders")
    place.put({"who": "nobody"})
    place.rule("after", {"source": ["after"]}, queue)
    place.put({}, source="after")
    assert place.event(url)["source"] == "after"


def test_fifo_and_dead_letters(place):
    url, fifo = place.queue("line.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    (closed_url, closed), (dead_url, dead) = place.queue("closed"), place.queue("dead")
    place.rule("line", {"source": ["line"]}, {"Arn": fifo, "SqsParameters": {"MessageGroupId": "g"}}, {"Arn": closed, "DeadLetterConfig": {"Arn": dead}})
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": closed}]}
    place.sqs.set_queue_attributes(QueueUrl=closed_url, Attributes={"Policy": json.dumps(policy)})
    ident = place.put({"n": 1}, source="line")
    assert place.event(url)["id"] == ident
    lost = place.receive(dead_url)
    assert json.loads(lost["Body"])["id"] == ident
    said = {k: v["StringValue"] for k, v in lost["MessageAttributes"].items()}
    assert said["ERROR_CODE"] == "NO_PERMISSIONS" and said["TARGET_ARN"] == closed and said["RULE_ARN"].endswith(":rule/line")
    policy["Statement"][0].update(Principal={"Service": "events.amazonaws.com"}, Condition={"ArnEquals": {"aws:SourceArn": said["RULE_ARN"]}})
    place.sqs.set_queue_attributes(QueueUrl=closed_url, Attributes={"Policy": json.dumps(policy)})
    ident = place.put({"n": 2}, source="line")
    assert place.event(closed_url)["id"] == ident and place.event(url)["id"] == ident


def test_stock_cli(place):
    env = {**os.environ, "AWS_ACCESS_KEY_ID": place.account.key_id, "AWS_SECRET_ACCESS_KEY": place.account.secret, "AWS_DEFAULT_REGION": REGION}

    def aws(*words):
        out = subprocess.run(["/usr/bin/aws", "--endpoint-url", place.dev.url, "events", *words], env=env, check=True, capture_output=True, timeout=HANG_S).stdout
        return json.loads(out) if out else None

    url, queue = place.queue("cli")
    assert aws("put-rule", "--name", "cli", "--event-pattern", '{"source":["cli"]}')["RuleArn"].endswith(":rule/cli")
    assert aws("put-targets", "--rule", "cli", "--targets", f"Id=q,Arn={queue}")["FailedEntryCount"] == 0
    assert aws("put-events", "--entries", json.dumps([{"Source": "cli", "DetailType": "t", "Detail": "{}"}]))["FailedEntryCount"] == 0
    assert place.event(url)["detail-type"] == "t"
    assert aws("list-targets-by-rule", "--rule", "cli")["Targets"][0]["Id"] == "q"
    aws("remove-targets", "--rule", "cli", "--ids", "q")
    aws("delete-rule", "--name", "cli")


def test_rights(dev, place):
    iam = place.iam
    url, queue = place.queue("rights")
    place.events.put_rule(Name="open", EventPattern='{"source":["x"]}')
    iam.create_user(UserName="ruler")
    iam.put_user_policy(UserName="ruler", PolicyName="own", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["events:PutRule", "events:PutTargets", "events:DescribeRule"], "Resource": f"arn:aws:events:*:*:rule/own*"}]}))
    key = iam.create_access_key(UserName="ruler")["AccessKey"]
    ruler = boto3.client("events", region_name=REGION, endpoint_url=dev.url, aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    ruler.put_rule(Name="own-1", EventPattern='{"source":["x"]}')
    assert ruler.describe_rule(Name="own-1")["Name"] == "own-1"
    assert code(ruler.put_rule, Name="open", EventPattern='{"source":["y"]}') == "AccessDeniedException"
    assert code(ruler.delete_rule, Name="own-1") == "AccessDeniedException"
    assert code(ruler.put_events, Entries=[{"Source": "x", "DetailType": "t", "Detail": "{}"}]) == "AccessDeniedException"
    assert code(ruler.put_targets, Rule="own-1", Targets=[{"Id": "q", "Arn": queue}]) == "AccessDeniedException"  # nor may it send there
    iam.put_user_policy(UserName="ruler", PolicyName="send", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue}]}))
    assert ruler.put_targets(Rule="own-1", Targets=[{"Id": "q", "Arn": queue}])["FailedEntryCount"] == 0
    other = Place(dev, "other-events")
    assert other.events.list_rules()["Rules"] == [] and code(other.events.describe_rule, Name="open") == "ResourceNotFoundException"
    refused = other.events
    refused.put_rule(Name="theirs", EventPattern='{"source":["x"]}')
    assert refused.put_targets(Rule="theirs", Targets=[{"Id": "q", "Arn": queue}])["FailedEntryCount"] == 1
    place.put({}, source="x")
    assert place.event(url)["account"] == place.number


def test_passed_roles(dev, place):
    """A role must trust the service that it is for, and a policy may permit to pass it to that service alone."""
    def trust(service, **more):
        return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}, **more}]})
    queue = place.queue("passed")[1]
    role = place.iam.create_role(RoleName="passed", AssumeRolePolicyDocument=trust("ec2.amazonaws.com"))["Role"]["Arn"]
    place.iam.create_user(UserName="passer")
    key = place.iam.create_access_key(UserName="passer")["AccessKey"]
    passer = boto3.client("events", region_name=REGION, endpoint_url=dev.url, aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])

    def permit(service):
        passing = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": role, "Condition": {"StringEquals": {"iam:PassedToService": service}}}
        place.iam.put_user_policy(UserName="passer", PolicyName="own", PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["events:*", "sqs:SendMessage"], "Resource": "*"}, passing]}))

    def put(events, arn=role):
        events.put_rule(Name="passed", ScheduleExpression="rate(1 day)", State="DISABLED", RoleArn=arn)
        assert events.put_targets(Rule="passed", Targets=[{"Id": "a", "Arn": queue, "RoleArn": arn}])["FailedEntryCount"] == 0
    place.events.put_rule(Name="passed", ScheduleExpression="rate(1 day)", State="DISABLED")
    with pytest.raises(botocore.exceptions.ClientError, match="ValidationException.*Provided role '.*:role/passed' cannot be assumed by principal 'events.amazonaws.com'"):
        put(place.events)
    assert code(place.events.put_targets, Rule="passed", Targets=[{"Id": "a", "Arn": queue, "RoleArn": role}]) == "ValidationException"
    of_account = {"StringEquals": {"aws:SourceAccount": place.number}, "ArnLike": {"aws:SourceArn": f"arn:aws:events:*:{place.number}:rule/passed"}}
    place.iam.update_assume_role_policy(RoleName="passed", PolicyDocument=trust("events.amazonaws.com", Condition=of_account))
    permit("ec2.amazonaws.com")
    assert code(put, passer) == "AccessDeniedException"
    permit("events.amazonaws.com")
    put(passer)
    assert code(put, place.events, role.replace(":role/", ":role/elsewhere/")) == "ValidationException"
    place.events.remove_targets(Rule="passed", Ids=["a"])
    place.events.delete_rule(Name="passed")


def test_sent_back(place):
    """A rule and its targets that are put as they are shown do not change."""
    role = place.iam.create_role(RoleName="back", AssumeRolePolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "events.amazonaws.com"}}]}))["Role"]["Arn"]
    fifo = place.queue("back.fifo", FifoQueue="true", ContentBasedDeduplication="true")[1]
    queue = place.queue("back")[1]
    place.events.put_rule(Name="back", EventPattern='{"source":["back"]}', ScheduleExpression="rate(1 day)", State="DISABLED", Description="text", RoleArn=role)
    place.events.put_targets(Rule="back", Targets=[
        {"Id": "a", "Arn": queue, "RoleArn": role, "InputPath": "$.detail", "RetryPolicy": {"MaximumRetryAttempts": 0}, "DeadLetterConfig": {"Arn": queue}},
        {"Id": "b", "Arn": fifo, "SqsParameters": {"MessageGroupId": "g"}, "InputTransformer": {"InputPathsMap": {"x": "$.detail"}, "InputTemplate": "<x>"}},
        {"Id": "c", "Arn": queue, "Input": "7"}])

    def shown():
        rule, targets = place.events.describe_rule(Name="back"), place.events.list_targets_by_rule(Rule="back")["Targets"]
        return {k: v for k, v in rule.items() if k not in ("ResponseMetadata", "Arn", "CreatedBy")}, targets

    before = shown()
    assert len(before[0]) == 7 and [len(t) for t in before[1]] == [6, 4, 3]
    place.events.put_rule(**before[0])
    assert place.events.put_targets(Rule="back", Targets=before[1])["FailedEntryCount"] == 0
    assert shown() == before


def test_schedule(ticking):
    for _ in range(int(HANG_S) // 20 + 1):
        message = ticking.receive(ticking.urls["ticking"])
        if message:
            break
    event = json.loads(message["Body"])
    assert event["source"] == "aws.events" and event["detail-type"] == "Scheduled Event" and event["detail"] == {}
    assert event["resources"] == [ticking.rule_arn] and event["account"] == ticking.number
    assert ticking.receive(ticking.urls["resting"], wait=0) is None


def test_killed_on_the_way(tmp_path):
    """Events that were accepted before kill -9 arrive after the next start, in all rules' targets, and none arrives twice."""
    options, count = ("--data", str(tmp_path / "region")), 40
    with Dev(*options) as dev:
        account = dev.account
        place = Place.__new__(Place)
        place.events, place.sqs = account.client("events"), account.client("sqs")
        urls = [place.queue(f"kept-{k}") for k in range(3)]
        for k, (_, arn) in enumerate(urls):
            place.rule(f"kept-{k}", {"source": ["kept"]}, arn)
        sent = {place.put({"n": n}, source="kept") for n in range(count)}
        dev.process.send_signal(signal.SIGKILL)
        dev.process.wait()
    with Dev(*options) as dev:
        place.sqs = dev.account.client("sqs")
        for url, _ in urls:
            url = place.sqs.get_queue_url(QueueName=url.rpartition("/")[2])["QueueUrl"]
            got = [place.event(url)["id"] for _ in range(count)]
            assert set(got) == sent and place.receive(url, wait=0) is None


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/cloudwatch src/engine/alarm src/reconcile/alarm src/reconcile/figures/metrics src/engine/scaling/scaling_policy src/engine/scaling/scaling_schedule
"""Metrics of an account's own, alarms on them and what alarms do, through stock boto3. Datapoints are published for minutes that have passed, so an alarm
decides as soon as it is put, and no test waits for a minute to pass."""
import datetime
import gzip
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.credentials
import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import dev as ec2  # noqa: E402
from faces import holds  # noqa: E402
from waiting import wait_until  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
MINUTE = datetime.timedelta(minutes=1)


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def client(region, account, service):
    return boto3.client(service, region_name=ec2.REGION, endpoint_url=region.url, aws_access_key_id=account.key_id,
                        aws_secret_access_key=account.secret, config=botocore.config.Config(retries={"max_attempts": 0}))


def code(call, **params):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**params)
    assert caught.value.response["Error"]["Message"], caught.value
    return caught.value.response["Error"]["Code"]


class Place:
    def __init__(self, region, name):
        self.region, self.account = region, region.new_account(name)
        self.watch, self.ec2, self.asg = (client(region, self.account, s) for s in ("cloudwatch", "ec2", "autoscaling"))

    def publish(self, name, *values, **more):
        """The values of the minutes that have passed, the newest last."""
        at = now() - datetime.timedelta(seconds=80)  # an alarm looks at a period 20 s after its end
        for k, value in enumerate(reversed(values)):
            self.watch.put_metric_data(Namespace="Shop", MetricData=[{"MetricName": name, "Value": value, "Timestamp": at - k * MINUTE, **more}])

    def put(self, name, metric="Queue", **more):
        params = {"AlarmName": name, "MetricName": metric, "Namespace": "Shop", "Statistic": "Average", "Period": 60, "EvaluationPeriods": 1,
                  "Threshold": 10, "ComparisonOperator": "GreaterThanThreshold", **more}
        self.watch.put_metric_alarm(**{k: v for k, v in params.items() if v is not None})

    def alarm(self, name):
        found = self.watch.describe_alarms(AlarmNames=[name])
        return (found["MetricAlarms"] + found["CompositeAlarms"])[0]

    def state(self, name):
        return self.alarm(name)["StateValue"]

    def launch(self):
        image = self.ec2.describe_images()["Images"][0]["ImageId"]
        made = self.ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
        self.ec2.get_waiter("instance_running").wait(InstanceIds=[made], WaiterConfig={"Delay": 1})
        return made

    def history(self, name, kind):
        return [i["HistorySummary"] for i in self.watch.describe_alarm_history(AlarmName=name, HistoryItemType=kind)["AlarmHistoryItems"]]


@pytest.fixture(scope="module")
def region():
    with ec2.Dev() as made:
        yield made


@pytest.fixture(scope="module")
def place(region):
    return Place(region, "watch")


@holds("Instances: Metrics of an account")
def test_published_metrics_are_listed_and_read(place):
    dimensions = [{"Name": "Shop", "Value": "north"}, {"Name": "Desk", "Value": "1"}]
    at = now().replace(second=0, microsecond=0) - 3 * MINUTE
    place.watch.put_metric_data(Namespace="Shop", MetricData=[
        {"MetricName": "Sales", "Dimensions": dimensions, "Timestamp": at, "Values": [1, 2], "Counts": [3, 1], "Unit": "Count"},
        {"MetricName": "Sales", "Dimensions": dimensions, "Timestamp": at + datetime.timedelta(seconds=59), "Value": 5, "Unit": "Count"},
        {"MetricName": "Sales", "Dimensions": dimensions, "Timestamp": at + MINUTE, "Unit": "Count",
         "StatisticValues": {"SampleCount": 2, "Sum": 8, "Minimum": 3, "Maximum": 5}}])
    found = place.watch.list_metrics(Namespace="Shop", MetricName="Sales")["Metrics"]
    assert found == [{"Namespace": "Shop", "MetricName": "Sales", "Dimensions": sorted(dimensions, key=lambda d: d["Name"])}]
    assert place.watch.list_metrics(Namespace="Shop", Dimensions=[{"Name": "Desk", "Value": "2"}])["Metrics"] == []
    read = place.watch.get_metric_statistics(Namespace="Shop", MetricName="Sales", Dimensions=dimensions, StartTime=at, EndTime=at + 2 * MINUTE, Period=60,
                                             Statistics=["SampleCount", "Sum", "Minimum", "Maximum", "Average"])["Datapoints"]
    assert [(p["SampleCount"], p["Sum"], p["Minimum"], p["Maximum"], p["Average"], p["Unit"]) for p in sorted(read, key=lambda p: p["Timestamp"])] == [
        (5, 10, 1, 5, 2, "Count"), (2, 8, 3, 5, 4, "Count")]
    data = place.watch.get_metric_data(StartTime=at, EndTime=at + 2 * MINUTE, ScanBy="TimestampAscending", MetricDataQueries=[
        {"Id": "s", "MetricStat": {"Metric": {"Namespace": "Shop", "MetricName": "Sales", "Dimensions": dimensions}, "Period": 60, "Stat": "Sum"}}])
    assert data["MetricDataResults"][0]["Values"] == [10, 8]


def test_units_stay_apart(place):
    at = now() - datetime.timedelta(minutes=5)
    place.watch.put_metric_data(Namespace="Units", MetricData=[
        {"MetricName": "Wait", "Value": 2, "Unit": "Seconds", "Timestamp": at}, {"MetricName": "Wait", "Value": 5, "Timestamp": at}])
    assert [m["MetricName"] for m in place.watch.list_metrics(Namespace="Units")["Metrics"]] == ["Wait"]
    span = {"StartTime": at - MINUTE, "EndTime": at + 2 * MINUTE}
    read = place.watch.get_metric_statistics(Namespace="Units", MetricName="Wait", Period=300, Statistics=["Sum"], **span)["Datapoints"]
    assert {p["Unit"]: p["Sum"] for p in read} == {"Seconds": 2, "None": 5}
    read = place.watch.get_metric_statistics(Namespace="Units", MetricName="Wait", Period=300, Statistics=["Sum"], Unit="Seconds", **span)["Datapoints"]
    assert [(p["Unit"], p["Sum"]) for p in read] == [("Seconds", 2)]
    stat = lambda **unit: {"Metric": {"Namespace": "Units", "MetricName": "Wait"}, "Period": 3600, "Stat": "Sum", **unit}  # noqa: E731
    span = {"StartTime": at - 120 * MINUTE, "EndTime": at + 120 * MINUTE}
    read = place.watch.get_metric_data(**span, MetricDataQueries=[
        {"Id": "all", "MetricStat": stat()}, {"Id": "one", "MetricStat": stat(Unit="None")}, {"Id": "other", "MetricStat": stat(Unit="Count")}])
    assert {r["Id"]: r["Values"] for r in read["MetricDataResults"]} == {"all": [7], "one": [5], "other": []}


def test_large_calls_are_compressed(place):
    """Current SDKs compress PutMetricData; Debian's does not, so the body is compressed here."""
    at = (now() - 2 * MINUTE).isoformat()
    data = [{"MetricName": "Many", "Value": k, "Timestamp": at, "Dimensions": [{"Name": "n", "Value": str(k % 7)}]} for k in range(400)]
    form = {"Action": "PutMetricData", "Version": "2010-08-01", "Namespace": "Large"}
    for k, datum in enumerate(data, 1):
        start = f"MetricData.member.{k}."
        form.update({start + "MetricName": datum["MetricName"], start + "Value": datum["Value"], start + "Timestamp": at,
                     start + "Dimensions.member.1.Name": "n", start + "Dimensions.member.1.Value": datum["Dimensions"][0]["Value"]})

    def send(body, encoding="gzip"):
        request = botocore.awsrequest.AWSRequest("POST", place.region.url + "/", {"Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": encoding}, body)
        botocore.auth.SigV4Auth(botocore.credentials.Credentials(place.account.key_id, place.account.secret), "monitoring", ec2.REGION).add_auth(request)
        try:
            with urllib.request.urlopen(urllib.request.Request(request.url, body, dict(request.headers))) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
    whole = urllib.parse.urlencode(form).encode()
    assert send(gzip.compress(whole)) == 200
    assert len(place.watch.list_metrics(Namespace="Large")["Metrics"]) == 7
    assert send(whole) == 400 and send(gzip.compress(whole)[:-9]) == 400 and send(gzip.compress(bytes(8 << 20))) == 400 and send(whole, "br") == 400


def test_older_datapoints_are_read(place):
    at = now().replace(second=0, microsecond=0) - 2 * MINUTE
    place.watch.put_metric_data(Namespace="Shop", MetricData=[{"MetricName": "Kept", "Timestamp": at - 90 * MINUTE, "Value": 7}])
    read = lambda: place.watch.get_metric_statistics(Namespace="Shop", MetricName="Kept", StartTime=at - 120 * MINUTE, EndTime=at, Period=60,  # noqa: E731
                                                     Statistics=["Sum"])["Datapoints"]
    assert [p["Sum"] for p in read()] == [7]


def test_what_cannot_be_published_is_refused(place):
    put = place.watch.put_metric_data
    assert code(put, Namespace="AWS/EC2", MetricData=[{"MetricName": "CPUUtilization", "Value": 1}]) == "InvalidParameterValue"
    assert code(put, Namespace="Shop", MetricData=[{"MetricName": "Old", "Value": 1, "Timestamp": now() - datetime.timedelta(days=4)}]) == "InvalidParameterValue"
    assert code(put, Namespace="Shop", MetricData=[{"MetricName": "Late", "Value": 1, "Timestamp": now() + datetime.timedelta(hours=3)}]) == "InvalidParameterValue"
    assert code(put, Namespace="Shop", MetricData=[{"MetricName": "Both", "Value": 1, "Values": [1]}]) == "InvalidParameterCombination"
    for value in (1e300, -1e300, float("inf"), float("nan")):
        assert code(put, Namespace="Shop", MetricData=[{"MetricName": "Huge", "Value": value}]) == "InvalidParameterValue"
    for statistics in ({"SampleCount": 1e-300, "Sum": 1e100}, {"SampleCount": 0, "Sum": 1}):
        assert code(put, Namespace="Shop", MetricData=[
            {"MetricName": "Huge", "StatisticValues": {**statistics, "Minimum": 0, "Maximum": 1}}]) == "InvalidParameterValue"
    assert place.watch.list_metrics(Namespace="Shop", MetricName="Huge")["Metrics"] == []
    assert code(put, Namespace="Shop", MetricData=[{"MetricName": "Uneven", "Values": [1, 2], "Counts": [1]}]) == "InvalidParameterValue"
    assert place.watch.list_metrics(Namespace="Shop", MetricName="Both")["Metrics"] == []


@holds("What each face calls it: alarm, metric of an account, dashboard", "Instances: Alarms")
def test_alarm_follows_its_metric(place):
    place.publish("Queue", 4, 20)
    place.put("long", AlarmDescription="a long queue", TreatMissingData="ignore")
    wait_until(lambda: place.state("long") == "ALARM", "the alarm is in ALARM", of=place.region)
    shown = place.alarm("long")
    assert "Threshold Crossed: 1 out of the last 1 datapoint [20.0 (" in shown["StateReason"] and json.loads(shown["StateReasonData"])["threshold"] == 10
    assert (shown["Threshold"], shown["ComparisonOperator"], shown["TreatMissingData"], shown["AlarmDescription"]) == (
        10, "GreaterThanThreshold", "ignore", "a long queue")
    assert shown["AlarmArn"].endswith(":alarm:long") and shown["ActionsEnabled"]
    place.put("two", EvaluationPeriods=2)
    wait_until(lambda: place.state("two") == "OK", "two periods do not both breach", of=place.region)
    place.put("two", EvaluationPeriods=2, DatapointsToAlarm=1)
    wait_until(lambda: place.state("two") == "ALARM", "one of two is enough", of=place.region)
    place.put("none", metric="Absent")
    assert place.state("none") == "INSUFFICIENT_DATA"
    assert [a["AlarmName"] for a in place.watch.describe_alarms_for_metric(Namespace="Shop", MetricName="Queue")["MetricAlarms"]] == ["long", "two"]
    assert [a["AlarmName"] for a in place.watch.describe_alarms(StateValue="ALARM", AlarmNamePrefix="l")["MetricAlarms"]] == ["long"]
    assert "Alarm updated from INSUFFICIENT_DATA to ALARM" in place.history("long", "StateUpdate")
    assert place.history("two", "ConfigurationUpdate") == ['Alarm "two" updated', 'Alarm "two" created']
    for order in ("TimestampDescending", "TimestampAscending"):
        span = {"ScanBy": order, "EndDate": now()}
        whole = place.watch.describe_alarm_history(**span)["AlarmHistoryItems"]
        pages = place.watch.get_paginator("describe_alarm_history").paginate(**span, PaginationConfig={"PageSize": 2})
        times = [i["Timestamp"] for i in whole]
        assert len(whole) > 4 and [i for page in pages for i in page["AlarmHistoryItems"]] == whole
        assert times == sorted(times, reverse=order == "TimestampDescending")
    page = place.watch.describe_alarms(MaxRecords=2)
    assert len(page["MetricAlarms"]) == 2 and page["NextToken"]
    place.watch.delete_alarms(AlarmNames=["long", "two", "none"])
    assert place.watch.describe_alarms()["MetricAlarms"] == []


def test_short_periods_find_the_datapoint_of_the_minute(place):
    place.watch.put_metric_data(Namespace="Shop", MetricData=[{"MetricName": "Burst", "Value": 20}])
    place.put("short", metric="Burst", Period=10, EvaluationPeriods=6, DatapointsToAlarm=1)
    wait_until(lambda: place.state("short") == "ALARM", "the one datapoint breaches", of=place.region)
    assert place.alarm("short")["Period"] == 10
    assert code(place.put, name="shorter", Period=5) == "ValidationError"
    place.watch.delete_alarms(AlarmNames=["short"])


def test_alarm_stops_an_instance(place):
    guest = place.launch()
    stop = f"arn:aws:automate:{ec2.REGION}:ec2:stop"
    of_guest = {"Namespace": "AWS/EC2", "metric": "CPUUtilization", "Dimensions": [{"Name": "InstanceId", "Value": guest}], "AlarmActions": [stop]}
    place.put("idle", **of_guest, ActionsEnabled=False)
    set_state = lambda: place.watch.set_alarm_state(AlarmName="idle", StateValue="ALARM", StateReason="tried")  # noqa: E731
    set_state()
    place.region.rest()
    state = lambda: place.ec2.describe_instances(InstanceIds=[guest])["Reservations"][0]["Instances"][0]["State"]["Name"]  # noqa: E731
    assert state() == "running"
    place.watch.set_alarm_state(AlarmName="idle", StateValue="OK", StateReason="again")
    place.watch.enable_alarm_actions(AlarmNames=["idle"])
    set_state()
    wait_until(lambda: state() == "stopped", "the alarm's action stops the instance", of=place.region)
    assert place.history("idle", "Action") == [f"Successfully executed action {stop}"]
    assert code(place.put, name="bad", AlarmActions=[stop]) == "ValidationError"
    assert code(place.put, name="bad", AlarmActions=["arn:aws:sns:us-east-1:1:topic"]) == "ValidationError"
    place.ec2.terminate_instances(InstanceIds=[guest])


def test_who_may_not_stop_puts_no_alarm_that_does(place):
    guest = place.launch()
    iam = client(place.region, place.account, "iam")
    iam.create_user(UserName="watcher")
    iam.put_user_policy(UserName="watcher", PolicyName="p", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "cloudwatch:*", "Resource": "*"}]}))
    key = iam.create_access_key(UserName="watcher")["AccessKey"]
    watcher = boto3.client("cloudwatch", region_name=ec2.REGION, endpoint_url=place.region.url, aws_access_key_id=key["AccessKeyId"],
                           aws_secret_access_key=key["SecretAccessKey"], config=botocore.config.Config(retries={"max_attempts": 0}))
    params = {"AlarmName": "theirs", "MetricName": "CPUUtilization", "Namespace": "AWS/EC2", "Statistic": "Average", "Period": 300, "EvaluationPeriods": 1,
              "Threshold": 1, "ComparisonOperator": "LessThanThreshold", "Dimensions": [{"Name": "InstanceId", "Value": guest}]}
    watcher.put_metric_alarm(**params)
    assert code(watcher.put_metric_alarm, **params, AlarmActions=[f"arn:aws:automate:{ec2.REGION}:ec2:terminate"]) == "AccessDenied"
    assert place.alarm("theirs")["AlarmActions"] == []
    place.ec2.terminate_instances(InstanceIds=[guest])
    place.watch.delete_alarms(AlarmNames=["theirs", "idle"])


def test_composite_alarms(place):
    for name in ("a", "b"):
        place.put(name, metric="Absent")
    place.watch.put_composite_alarm(AlarmName="either", AlarmRule='ALARM("a") OR (ALARM(b) AND NOT OK(a))', ActionsEnabled=False)
    place.watch.put_composite_alarm(AlarmName="over", AlarmRule="OK(either)")
    assert (place.state("either"), place.state("over")) == ("OK", "ALARM")
    place.watch.set_alarm_state(AlarmName="a", StateValue="ALARM", StateReason="x")
    assert (place.state("either"), place.state("over")) == ("ALARM", "OK")
    put = place.watch.put_composite_alarm
    assert code(put, AlarmName="either", AlarmRule="ALARM(over)") == "ValidationError"
    assert code(put, AlarmName="bad", AlarmRule="ALARM(nobody)") == "ValidationError"
    assert code(put, AlarmName="bad", AlarmRule="ALARM(a") == "ValidationError"
    assert code(put, AlarmName="bad", AlarmRule="(" * 50 + "TRUE" + ")" * 50) == "ValidationError"
    assert code(place.watch.delete_alarms, AlarmNames=["a"]) == "ValidationError"
    assert [a["AlarmName"] for a in place.watch.describe_alarms(ParentsOfAlarmName="either", AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]] == ["over"]
    place.watch.delete_alarms(AlarmNames=["a", "b", "either", "over"])


def test_composite_alarms_that_depend_on_each_other(place):
    """Each rule names the one before a hundred times, and each is evaluated once: else the last would take longer than anybody waits."""
    place.put("a", metric="Absent")
    names = [f"level{k}" for k in range(12)]
    for below, name in zip(["a", *names], names):
        place.watch.put_composite_alarm(AlarmName=name, AlarmRule=" OR ".join([f"ALARM({below})"] * 100))
    place.watch.set_alarm_state(AlarmName="a", StateValue="ALARM", StateReason="x")
    assert place.state(names[-1]) == "ALARM"
    assert code(place.watch.put_composite_alarm, AlarmName=names[0], AlarmRule=f"ALARM({names[-1]})") == "ValidationError"
    assert code(place.watch.put_composite_alarm, AlarmName="self", AlarmRule="ALARM(self)") == "ValidationError"
    place.watch.put_composite_alarm(AlarmName="never", AlarmRule=f"ALARM({names[0]}) AND NOT ALARM({names[-1]})")
    for state in ("OK", "ALARM"):
        place.watch.set_alarm_state(AlarmName="a", StateValue=state, StateReason="x")
    assert place.history("never", "StateUpdate") == ["Alarm updated from INSUFFICIENT_DATA to OK"]  # on the way up and down it holds nowhere
    place.watch.delete_alarms(AlarmNames=["a", "never", *names])


def test_composite_alarms_have_limits(region):
    place = Place(region, "deep")
    place.put("a", metric="Absent")
    put = place.watch.put_composite_alarm
    for k in range(21):
        put(AlarmName=f"c{k}", AlarmRule=f"ALARM(c{k - 1})" if k else "ALARM(a)")
    assert code(put, AlarmName="c21", AlarmRule="ALARM(c20)") == "ValidationError"
    put(AlarmName="below", AlarmRule="ALARM(a)")
    assert code(put, AlarmName="c0", AlarmRule="ALARM(below)") == "ValidationError"  # twenty stand upon it
    long = "ALARM(a)" + " " * 10232
    for k in range(51):
        put(AlarmName=f"long{k}", AlarmRule=long)
    assert code(put, AlarmName="long51", AlarmRule=long) == "LimitExceeded"
    place.watch.set_alarm_state(AlarmName="a", StateValue="ALARM", StateReason="x")
    assert place.state("long50") == place.state("c20") == "ALARM"


def test_alarm_on_metric_math(place):
    place.publish("Good", 8, 8)
    place.publish("Bad", 1, 4)
    stat = lambda name: {"Metric": {"Namespace": "Shop", "MetricName": name}, "Period": 60, "Stat": "Sum"}  # noqa: E731
    queries = [{"Id": "share", "Expression": "100 * bad / SUM([good, bad])", "Label": "share", "ReturnData": True},
               {"Id": "good", "MetricStat": stat("Good"), "ReturnData": False}, {"Id": "bad", "MetricStat": stat("Bad"), "ReturnData": False}]
    place.watch.put_metric_alarm(AlarmName="share", Metrics=queries, EvaluationPeriods=1, Threshold=30, ComparisonOperator="GreaterThanThreshold")
    wait_until(lambda: place.state("share") == "ALARM", "the expression breaches", of=place.region)
    assert "[33.3" in place.alarm("share")["StateReason"]
    assert [q["Id"] for q in place.alarm("share")["Metrics"]] == ["share", "good", "bad"]
    put = place.watch.put_metric_alarm
    rest = {"AlarmName": "bad", "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "LessThanThreshold"}
    for expression in ("good +", "SEARCH('x')", "nobody * 2", "good bad", "METRICS()"):
        assert code(put, Metrics=[{"Id": "e", "Expression": expression}] + queries[1:], **rest) == "ValidationError", expression
    assert code(put, Metrics=queries[1:], **rest) == "ValidationError"
    place.watch.delete_alarms(AlarmNames=["share"])


def test_tags(place):
    with pytest.raises(botocore.exceptions.ClientError, match="reserved"):
        place.put("reserved", Tags=[{"Key": "aws:x", "Value": "1"}])
    place.put("tagged", Tags=[{"Key": "team", "Value": "shop"}])
    arn = place.alarm("tagged")["AlarmArn"]
    place.watch.tag_resource(ResourceARN=arn, Tags=[{"Key": "stage", "Value": "test"}])
    place.watch.untag_resource(ResourceARN=arn, TagKeys=["team"])
    assert place.watch.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "stage", "Value": "test"}]
    assert code(place.watch.list_tags_for_resource, ResourceARN=arn + "x") == "ResourceNotFoundException"
    place.watch.delete_alarms(AlarmNames=["tagged"])


# ---- scaling ----

@pytest.fixture(scope="module")
def group(place):
    vpc = place.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = place.ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.0.0/24")["Subnet"]["SubnetId"]
    image = place.ec2.describe_images()["Images"][0]["ImageId"]
    template = place.ec2.create_launch_template(LaunchTemplateName="base", LaunchTemplateData={"ImageId": image, "InstanceType": "t3.micro"})["LaunchTemplate"]
    place.asg.create_auto_scaling_group(AutoScalingGroupName="web", MinSize=1, MaxSize=5, DesiredCapacity=1, VPCZoneIdentifier=subnet,
                                        LaunchTemplate={"LaunchTemplateId": template["LaunchTemplateId"]}, DefaultCooldown=0, DefaultInstanceWarmup=0)

    def look():
        return place.asg.describe_auto_scaling_groups(AutoScalingGroupNames=["web"])["AutoScalingGroups"][0]
    wait_until(lambda: [i["LifecycleState"] for i in look()["Instances"]] == ["InService"], "the instance is in service", of=place.region)
    yield look
    place.asg.delete_auto_scaling_group(AutoScalingGroupName="web", ForceDelete=True)


@holds("Instances: Target tracking")
def test_target_tracking(place, group):
    place.publish("Load", 90, 90, 90)
    made = place.asg.put_scaling_policy(AutoScalingGroupName="web", PolicyName="load", PolicyType="TargetTrackingScaling", EstimatedInstanceWarmup=0,
                                        TargetTrackingConfiguration={"TargetValue": 30.0, "CustomizedMetricSpecification": {
                                            "Namespace": "Shop", "MetricName": "Load", "Statistic": "Average"}})
    names = sorted(a["AlarmName"] for a in made["Alarms"])
    assert [n[:29] for n in names] == ["TargetTracking-web-AlarmHigh-", "TargetTracking-web-AlarmLow-" + names[1][28]]
    high, low = (place.alarm(n) for n in names)
    assert (high["EvaluationPeriods"], high["Threshold"], low["EvaluationPeriods"], low["Threshold"]) == (3, 30, 15, 27)
    wait_until(lambda: group()["DesiredCapacity"] == 3, "three instances have the load of one three times its target", of=place.region)
    wait_until(lambda: len(group()["Instances"]) == 3, "they are launched", of=place.region)
    causes = [a["Cause"] for a in place.asg.describe_scaling_activities(AutoScalingGroupName="web")["Activities"]]
    assert any(f"a monitor alarm {names[0]} in state ALARM triggered policy load changing the desired capacity from 1 to 3" in c for c in causes), causes
    assert code(place.watch.delete_alarms, AlarmNames=names[:1]) == "ValidationError"
    shown = place.asg.describe_policies(AutoScalingGroupName="web")["ScalingPolicies"][0]
    assert shown["PolicyType"] == "TargetTrackingScaling" and shown["TargetTrackingConfiguration"]["TargetValue"] == 30
    again = place.asg.put_scaling_policy(AutoScalingGroupName="web", PolicyName="load", PolicyType="TargetTrackingScaling",
                                         TargetTrackingConfiguration={"TargetValue": 50.0, "DisableScaleIn": True, "PredefinedMetricSpecification": {
                                             "PredefinedMetricType": "ASGAverageCPUUtilization"}})
    assert sorted(a["AlarmName"] for a in again["Alarms"]) == names
    assert place.alarm(names[0])["Dimensions"] == [{"Name": "AutoScalingGroupName", "Value": "web"}]
    put = place.asg.put_scaling_policy
    tracking = {"TargetValue": 50.0, "PredefinedMetricSpecification": {"PredefinedMetricType": "ALBRequestCountPerTarget"}}
    assert code(put, AutoScalingGroupName="web", PolicyName="x", PolicyType="TargetTrackingScaling", TargetTrackingConfiguration=tracking) == "ValidationError"
    place.asg.delete_policy(AutoScalingGroupName="web", PolicyName="load")
    assert place.watch.describe_alarms(AlarmNamePrefix="TargetTracking-")["MetricAlarms"] == []


def test_target_tracking_by_metric_math(place, group):
    place.publish("Backlog", 240, 240, 240)
    place.publish("Workers", 4, 4, 4)
    stat = lambda name: {"Metric": {"Namespace": "Shop", "MetricName": name}, "Stat": "Sum"}  # noqa: E731
    metrics = [{"Id": "m1", "MetricStat": stat("Backlog"), "ReturnData": False}, {"Id": "m2", "MetricStat": stat("Workers"), "ReturnData": False},
               {"Id": "e1", "Expression": "m1 / m2", "Label": "backlog of one"}]
    put = lambda queries, **more: place.asg.put_scaling_policy(  # noqa: E731
        AutoScalingGroupName="web", PolicyName="backlog", PolicyType="TargetTrackingScaling", EstimatedInstanceWarmup=0,
        TargetTrackingConfiguration={"TargetValue": 20.0, "CustomizedMetricSpecification": {"Metrics": queries, **more}})
    before = group()["DesiredCapacity"]
    names = sorted(a["AlarmName"] for a in put(metrics)["Alarms"])
    wait_until(lambda: group()["DesiredCapacity"] > before, "the backlog of one is three times its target", of=place.region)
    shown = place.asg.describe_policies(PolicyNames=["backlog"])["ScalingPolicies"][0]["TargetTrackingConfiguration"]["CustomizedMetricSpecification"]["Metrics"]
    assert [q["Id"] for q in shown] == ["m1", "m2", "e1"] and shown[2] == {**metrics[2], "ReturnData": True} and "Period" not in shown[0]["MetricStat"]
    assert [q.get("Expression") for q in place.alarm(names[0])["Metrics"]] == [None, None, "m1 / m2"]
    for bad in (metrics[:2], metrics[:1] + metrics[2:], [*metrics, metrics[2]], [{"Id": "E", "Expression": "1"}], [{"Id": "m1", "Expression": "1", "MetricStat": stat("x")}]):
        assert code(put, queries=bad) == "ValidationError", bad
    assert code(put, queries=metrics, Namespace="Shop") == "ValidationError"
    place.asg.delete_policy(AutoScalingGroupName="web", PolicyName="backlog")


def test_target_tracking_of_a_group_named_like_an_alarm(place, group):
    name = "a-AlarmLow-b"
    place.asg.create_auto_scaling_group(AutoScalingGroupName=name, MinSize=0, MaxSize=0, VPCZoneIdentifier=group()["VPCZoneIdentifier"],
                                        LaunchTemplate={"LaunchTemplateName": "base"})
    for target in (50.0, 60.0):
        made = place.asg.put_scaling_policy(AutoScalingGroupName=name, PolicyName="cpu", PolicyType="TargetTrackingScaling", TargetTrackingConfiguration={
            "TargetValue": target, "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"}})
        alarms = [place.alarm(a["AlarmName"]) for a in made["Alarms"]]
        assert sorted((a["ComparisonOperator"], a["Threshold"]) for a in alarms) == [("GreaterThanThreshold", target), ("LessThanThreshold", target * 0.9)]
    place.asg.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)


def test_alarm_executes_a_policy(place, group):
    place.asg.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=1)
    arn = place.asg.put_scaling_policy(AutoScalingGroupName="web", PolicyName="more", PolicyType="StepScaling", AdjustmentType="ExactCapacity",
                                       StepAdjustments=[{"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 50, "ScalingAdjustment": 2},
                                                        {"MetricIntervalLowerBound": 50, "ScalingAdjustment": 4}])["PolicyARN"]
    place.publish("Steps", 25)
    place.put("steps", metric="Steps", AlarmActions=[arn])
    wait_until(lambda: group()["DesiredCapacity"] == 2, "the first step", of=place.region)
    assert [a["AlarmName"] for a in place.asg.describe_policies(PolicyNames=["more"])["ScalingPolicies"][0]["Alarms"]] == ["steps"]
    place.watch.delete_alarms(AlarmNames=["steps"])
    assert code(place.put, name="steps", AlarmActions=[arn.replace("scalingPolicy:", "scalingPolicy:0")]) == "ValidationError"


@holds("Instances: Scheduled actions")
def test_scheduled_actions(place, group):
    put = place.asg.put_scheduled_update_group_action
    put(AutoScalingGroupName="web", ScheduledActionName="soon", StartTime=now() + datetime.timedelta(seconds=2), MinSize=3, MaxSize=4)
    wait_until(lambda: (group()["MinSize"], group()["MaxSize"], group()["DesiredCapacity"]) == (3, 4, 3), "the action's time comes", of=place.region)
    wait_until(lambda: place.asg.describe_scheduled_actions(AutoScalingGroupName="web")["ScheduledUpdateGroupActions"] == [], "it is over", of=place.region)
    put(AutoScalingGroupName="web", ScheduledActionName="nightly", Recurrence="0 22 * * *", TimeZone="Europe/Berlin", DesiredCapacity=0)
    shown = place.asg.describe_scheduled_actions(AutoScalingGroupName="web")["ScheduledUpdateGroupActions"][0]
    assert (shown["Recurrence"], shown["TimeZone"], shown["DesiredCapacity"]) == ("0 22 * * *", "Europe/Berlin", 0) and "MinSize" not in shown
    assert shown["StartTime"] > now() and shown["ScheduledActionARN"].endswith(":autoScalingGroupName/web:scheduledActionName/nightly")
    put(AutoScalingGroupName="web", ScheduledActionName="bounded", StartTime=now() + 60 * MINUTE, EndTime=now() + 120 * MINUTE, MinSize=1)
    place.asg.delete_scheduled_action(AutoScalingGroupName="web", ScheduledActionName="bounded")
    assert code(put, AutoScalingGroupName="web", ScheduledActionName="x", StartTime=now() + 120 * MINUTE, EndTime=now() + 60 * MINUTE, MinSize=1) == "ValidationError"
    assert code(put, AutoScalingGroupName="web", ScheduledActionName="x", Recurrence="nonsense", MinSize=1) == "ValidationError"
    assert code(put, AutoScalingGroupName="web", ScheduledActionName="x", StartTime=now() - MINUTE, MinSize=1) == "ValidationError"
    assert code(put, AutoScalingGroupName="web", ScheduledActionName="x", StartTime=now() + MINUTE) == "ValidationError"
    assert code(put, AutoScalingGroupName="web", ScheduledActionName="x", Recurrence="0 1 * * *", TimeZone="Mars/Base", MinSize=1) == "ValidationError"
    failed = place.asg.batch_put_scheduled_update_group_action(AutoScalingGroupName="web", ScheduledUpdateGroupActions=[
        {"ScheduledActionName": "good", "Recurrence": "0 1 * * *", "MinSize": 1}, {"ScheduledActionName": "crossed", "Recurrence": "0 1 * * *", "MinSize": 3, "MaxSize": 2}])
    assert [f["ScheduledActionName"] for f in failed["FailedScheduledUpdateGroupActions"]] == ["crossed"]
    failed = place.asg.batch_delete_scheduled_action(AutoScalingGroupName="web", ScheduledActionNames=["good", "never"])
    assert [f["ScheduledActionName"] for f in failed["FailedScheduledActions"]] == ["never"]
    place.asg.delete_scheduled_action(AutoScalingGroupName="web", ScheduledActionName="nightly")
    assert place.asg.describe_scheduled_actions()["ScheduledUpdateGroupActions"] == []


def words(call, **params):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**params)
    return caught.value.response["Error"]["Message"]


def test_words(place):
    """Sentences that were recorded from CloudWatch."""
    put, one = place.watch.put_metric_data, "MetricData.member.1."
    for datum, expected in (
            ({"Value": float("nan")}, f"The value NaN for parameter {one}Value is invalid."),
            ({"Value": 1, "Values": [1]}, f"The parameters {one}Value and {one}Values are mutually exclusive and you have specified both."),
            ({"Value": 1, "StatisticValues": {"SampleCount": 1, "Sum": 1, "Minimum": 1, "Maximum": 1}},
             f"The parameters {one}Value and {one}StatisticValues are mutually exclusive and you have specified both."),
            ({"Values": [1, 2], "Counts": [1]}, f"The parameters {one}Values and {one}Counts must be of the same size.")):
        assert words(put, Namespace="Shop", MetricData=[{"MetricName": "Worded", **datum}]) == expected
    at = now().replace(microsecond=20000)
    query = [{"Id": "a", "MetricStat": {"Metric": {"Namespace": "Shop", "MetricName": "m"}, "Period": 60, "Stat": "Sum"}}]
    late = at.replace(microsecond=987000)
    assert words(place.watch.get_metric_data, MetricDataQueries=query, StartTime=at, EndTime=late) == "The parameter StartTime must not equal parameter EndTime."
    assert words(place.watch.get_metric_data, MetricDataQueries=query, StartTime=at + MINUTE, EndTime=at) == "The parameter EndTime must be greater than StartTime."
    assert words(place.watch.get_metric_statistics, Namespace="Shop", MetricName="m", Period=60, Statistics=["Sum"], StartTime=at, EndTime=late) == (
        "The parameter StartTime must be less than the parameter EndTime.")


def test_names_of_absent_alarms_are_passed_over(place):
    place.watch.put_metric_alarm(AlarmName="passed", MetricName="m", Namespace="n", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1,
                                 ComparisonOperator="GreaterThanThreshold")
    shown = lambda: place.watch.describe_alarms(AlarmNames=["passed"])["MetricAlarms"]  # noqa: E731
    place.watch.disable_alarm_actions(AlarmNames=["absent", "passed"])
    assert shown()[0]["ActionsEnabled"] is False
    place.watch.enable_alarm_actions(AlarmNames=["passed", "absent"])
    assert shown()[0]["ActionsEnabled"] is True
    place.watch.delete_alarms(AlarmNames=["absent", "passed"])
    place.watch.delete_alarms(AlarmNames=["absent"])
    assert shown() == []


@holds("Instances: Dashboards")
def test_dashboards(place, region):
    body = json.dumps({"widgets": [{"type": "text", "x": 0, "y": 0, "width": 3, "height": 3, "properties": {"markdown": "Hello"}}]})
    assert place.watch.put_dashboard(DashboardName="web", DashboardBody=body)["DashboardValidationMessages"] == []
    place.watch.put_dashboard(DashboardName="db-1", DashboardBody='{"widgets": []}')
    got = place.watch.get_dashboard(DashboardName="web")
    assert got["DashboardBody"] == body and got["DashboardArn"].startswith("arn:aws:cloudwatch::") and got["DashboardArn"].endswith(":dashboard/web")
    place.watch.put_dashboard(DashboardName="web", DashboardBody='{"widgets": [], "start": "-PT1H"}')
    entries = place.watch.list_dashboards()["DashboardEntries"]
    assert [(d["DashboardName"], d["Size"]) for d in entries] == [("db-1", 15), ("web", 33)] and entries[0]["LastModified"] <= entries[1]["LastModified"]
    assert [d["DashboardName"] for d in place.watch.list_dashboards(DashboardNamePrefix="we")["DashboardEntries"]] == ["web"]
    for name, text, expected in (("web", '{"widgets": ', "InvalidParameterInput"), ("web", "[]", "InvalidParameterInput"), ("web", "{}", "InvalidParameterInput"),
                                 ("a b", body, "InvalidParameterValue")):
        assert code(place.watch.put_dashboard, DashboardName=name, DashboardBody=text) == expected
    assert code(place.watch.get_dashboard, DashboardName="none") == "ResourceNotFound"
    other = region.new_account("dashboards").client("cloudwatch")
    assert other.list_dashboards()["DashboardEntries"] == [] and code(other.get_dashboard, DashboardName="web") == "ResourceNotFound"
    assert code(place.watch.delete_dashboards, DashboardNames=[]) == "InvalidParameterValue"
    assert code(place.watch.delete_dashboards, DashboardNames=["web", "none"]) == "ResourceNotFound"
    assert place.watch.list_dashboards()["DashboardEntries"]
    place.watch.delete_dashboards(DashboardNames=["web", "web"])
    assert [d["DashboardName"] for d in place.watch.list_dashboards()["DashboardEntries"]] == ["db-1"]


def test_expressions_of_metric_data(place):
    at = now().replace(second=0, microsecond=0)
    for name, values in (("In", (1, 2, 3)), ("Out", (4, 5))):
        place.watch.put_metric_data(Namespace="Math", MetricData=[{"MetricName": name, "Value": v, "Timestamp": at - k * MINUTE} for k, v in enumerate(values)])

    def metric(name, period=60):
        return {"Id": name.lower(), "MetricStat": {"Metric": {"Namespace": "Math", "MetricName": name}, "Period": period, "Stat": "Sum"}, "ReturnData": False}

    def ask(*queries, **more):
        return place.watch.get_metric_data(MetricDataQueries=list(queries), StartTime=at - 10 * MINUTE, EndTime=at + MINUTE, ScanBy="TimestampAscending", **more)

    total = {"Id": "total", "Expression": "in + out", "Label": "both"}
    got = ask(total, {"Id": "twice", "Expression": "total * 2"}, metric("In"), metric("Out"))["MetricDataResults"]
    assert [(r["Id"], r["Label"], r["Values"]) for r in got] == [("total", "both", [7, 5]), ("twice", "twice", [14, 10])]
    assert [t.timestamp() for t in got[0]["Timestamps"]] == [(at - k * MINUTE).timestamp() for k in (1, 0)]
    page = ask(total, metric("In"), metric("Out"), MaxDatapoints=1)
    assert page["MetricDataResults"][0]["Values"] == [7] and page["MetricDataResults"][0]["StatusCode"] == "PartialData"
    assert ask(total, metric("In"), metric("Out"), MaxDatapoints=1, NextToken=page["NextToken"])["MetricDataResults"][0]["Values"] == [5]
    for queries in ([{"Id": "a", "Expression": "nowhere + 1", "Period": 60}], [{"Id": "a", "Expression": "a +", "Period": 60}], [{"Id": "a", "Expression": "1 + 1"}],
                    [total, metric("In"), metric("Out", 300)], [{**metric("In"), "Expression": "1"}], [{"Id": f"e{k}", "Expression": "1", "Period": 60} for k in range(11)]):
        assert code(place.watch.get_metric_data, MetricDataQueries=queries, StartTime=at - 10 * MINUTE, EndTime=at + MINUTE) == "ValidationError", queries
    with pytest.raises(botocore.exceptions.ClientError, match="The parameter MetricDataQueries.member.1.MetricStat is required."):
        ask({"Id": "a", "Label": "b"})


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))

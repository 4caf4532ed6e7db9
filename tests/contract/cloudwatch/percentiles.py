#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/reconcile/figures src/api/cloudwatch src/reconcile/alarm src/engine/alarm
"""Percentiles and their like through stock boto3, in JSON and in the query protocol: from published values they are exact, from statistic sets they are absent, and
they survive the process."""
import datetime
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import Dev  # noqa: E402
from faces import code, holds  # noqa: E402
from waiting import wait_until  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
MINUTE = datetime.timedelta(minutes=1)
START = datetime.datetime.now(datetime.timezone.utc).replace(minute=0, second=0, microsecond=0) - 120 * MINUTE  # an hour that has passed


@pytest.fixture(scope="module", name="dev")
def start_dev():
    with Dev() as dev:
        yield dev


@pytest.fixture(scope="module", name="watch")
def make_watch(dev):
    return dev.new_account("statistics").client("cloudwatch")


def publish(watch, name, minute=0, **datum):
    watch.put_metric_data(Namespace="Shop", MetricData=[{"MetricName": name, "Timestamp": START + minute * MINUTE, **datum}])


def ask(watch, name, *statistics, period=300):
    points = watch.get_metric_statistics(Namespace="Shop", MetricName=name, StartTime=START, EndTime=START + 20 * MINUTE, Period=period,
                                         ExtendedStatistics=list(statistics))["Datapoints"]
    return [p["ExtendedStatistics"] for p in sorted(points, key=lambda p: p["Timestamp"])]


def ask_data(watch, name, stat, period=3600):
    query = {"Id": "q", "MetricStat": {"Metric": {"Namespace": "Shop", "MetricName": name}, "Period": period, "Stat": stat}}
    return watch.get_metric_data(MetricDataQueries=[query], StartTime=START, EndTime=START + 60 * MINUTE)["MetricDataResults"][0]["Values"]


@holds("Instances: Percentiles")
def test_percentiles(watch):
    publish(watch, "hundred", Values=[float(v) for v in range(1, 101)])
    got = ask(watch, "hundred", "p0", "p50", "p90", "p99", "p99.9", "p100", "tm90", "IQM", "TM(10%:90%)", "PR(:25)")
    assert got == [{"p0": 1.0, "p50": 50.0, "p90": 90.0, "p99": 99.0, "p99.9": 100.0, "p100": 100.0, "tm90": 45.5, "IQM": 50.5, "TM(10%:90%)": 50.5, "PR(:25)": 25.0}]
    for stat, value in {"p95": 95, "tc90": 90, "ts90": 4095, "wm90": (4095 + 900) / 100, "TC(10:20)": 10, "TS(10:20)": 155, "TM(90:)": 95.5, "PR(10:20)": 10, "Average": 50.5}.items():
        assert ask_data(watch, "hundred", stat) == [value], stat


def test_minutes_add_up(watch):
    for minute, value in enumerate([5, 1, 4, 2, 3]):
        publish(watch, "five", minute, Value=float(value))
        publish(watch, "five", minute, Value=float(value))
    assert ask_data(watch, "five", "p40") == [2.0] and ask_data(watch, "five", "SampleCount") == [10.0]
    publish(watch, "counted", Values=[1.0, 2.0], Counts=[3.0, 1.0])
    publish(watch, "counted", 1, StatisticValues={"SampleCount": 4, "Sum": 12, "Minimum": 3, "Maximum": 3})
    assert ask_data(watch, "counted", "p50") == [2.0] and ask_data(watch, "counted", "p75") == [3.0] and ask_data(watch, "counted", "p30") == [1.0]


def test_what_cannot_be_told(watch):
    publish(watch, "set", StatisticValues={"SampleCount": 2, "Sum": 3, "Minimum": 1, "Maximum": 2})
    publish(watch, "set", 10, StatisticValues={"SampleCount": 1, "Sum": 7, "Minimum": 7, "Maximum": 7})
    assert [p["p50"] for p in ask(watch, "set", "p50", period=60)] == [7.0] and ask_data(watch, "set", "p50") == [] and ask_data(watch, "set", "Sum") == [10.0]
    publish(watch, "mixed", Value=1.0)
    publish(watch, "mixed", StatisticValues={"SampleCount": 2, "Sum": 3, "Minimum": 1, "Maximum": 2})
    assert ask_data(watch, "mixed", "p50") == [] and ask_data(watch, "mixed", "Maximum") == [2.0]
    publish(watch, "negative", Values=[-1.0, 2.0])
    assert ask_data(watch, "negative", "p50") == [] and ask_data(watch, "negative", "Minimum") == [-1.0]
    for part in range(2):
        publish(watch, "many", Values=[part * 1000 + k / 7 for k in range(150)])
    assert ask_data(watch, "many", "p50") == [] and ask_data(watch, "many", "SampleCount") == [300.0]


def test_refusals(watch):
    for stat in ("p101", "p", "p-1", "q50", "TM()", "TM(90%:10%)", "TM(1:5%)", "PR(1%:2%)", "IQR", "tm"):
        assert code(watch.get_metric_statistics, Namespace="Shop", MetricName="five", StartTime=START, EndTime=START + MINUTE, Period=60,
                    ExtendedStatistics=[stat]).startswith("InvalidParameterValue"), stat
    assert code(watch.get_metric_statistics, Namespace="Shop", MetricName="five", StartTime=START, EndTime=START + MINUTE, Period=60,
                Statistics=["Sum"], ExtendedStatistics=["p50"]).startswith("InvalidParameterCombination")
    base = {"AlarmName": "a", "MetricName": "five", "Namespace": "Shop", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold"}
    for more in ({}, {"Statistic": "Sum", "ExtendedStatistic": "p9"}, {"ExtendedStatistic": "Sum"}, {"ExtendedStatistic": "p101"},
                 {"Statistic": "Sum", "EvaluateLowSampleCountPercentile": "ignore"}):
        code(watch.put_metric_alarm, **base, **more)


def test_alarms(watch):
    now = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=80)
    for name, low in (("slow", None), ("slow-careful", "ignore")):
        watch.put_metric_data(Namespace="Shop", MetricData=[{"MetricName": "latency", "Timestamp": now, "Values": [1.0, 100.0], "Counts": [90.0, 10.0]}])
        watch.put_metric_alarm(AlarmName=name, Namespace="Shop", MetricName="latency", ExtendedStatistic="p95", Period=60, EvaluationPeriods=1, Threshold=50,
                               ComparisonOperator="GreaterThanThreshold", **({"EvaluateLowSampleCountPercentile": low} if low else {}))
    alarms = {a["AlarmName"]: a for a in watch.describe_alarms(AlarmNamePrefix="slow")["MetricAlarms"]}
    assert alarms["slow"]["ExtendedStatistic"] == "p95" and "Statistic" not in alarms["slow"] and "EvaluateLowSampleCountPercentile" not in alarms["slow"]
    assert alarms["slow-careful"]["EvaluateLowSampleCountPercentile"] == "ignore"
    wait_until(lambda: watch.describe_alarms(AlarmNames=["slow"])["MetricAlarms"][0]["StateValue"] == "ALARM", "the alarm on p95")
    # p95 needs 200 samples, and the period has 100 or 200: the state is decided only with enough of them
    few = watch.describe_alarms(AlarmNames=["slow-careful"])["MetricAlarms"][0]["StateValue"]
    assert few in ("INSUFFICIENT_DATA", "ALARM")
    found = watch.describe_alarms_for_metric(Namespace="Shop", MetricName="latency", ExtendedStatistic="p95")["MetricAlarms"]
    assert sorted(a["AlarmName"] for a in found) == ["slow", "slow-careful"]


def test_query_protocol(dev):
    account = dev.new_account("xml")
    publish(account.client("cloudwatch"), "xml", Values=[1.0, 2.0, 3.0])
    answer = account.ok("GetMetricStatistics", {"Namespace": "Shop", "MetricName": "xml", "StartTime": (START - MINUTE).isoformat(), "EndTime": (START + MINUTE).isoformat(),
                                                "Period": "60", "ExtendedStatistics.member.1": "p50"}, service="monitoring", version="2010-08-01")
    assert (answer.first(".//ExtendedStatistics/entry/key"), answer.first(".//ExtendedStatistics/entry/value")) == ("p50", "2")


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

# SPDX-License-Identifier: Apache-2.0
"""An account with alarms and a metric of its own, and requests made from the tables of CloudWatch's face."""
import json
import re
import subprocess

import dev as ec2

TABLES = json.loads(subprocess.run([ec2.DARI, "dump", "cloudwatch"], check=True, capture_output=True).stdout)
ACTIONS = {a["name"]: a for a in TABLES["actions"]}
SERVICE, VERSION = "monitoring", "2010-08-01"
QUERY = "MetricDataQueries.member.N."
STAT = QUERY + "MetricStat."
MATH = "Metrics.member.N."
DATUM = "MetricData.member.N."


def wire(name):
    return re.sub(r"\.N(?=\.|$)", ".1", name)


class World:
    """An alarm `cpu` on a metric, an alarm `all` on that one, an alarm `spare` that may go, and a published metric. Names are the account's own. No
    alarm watches the published metric, so states stay while a test compares lists."""

    def __init__(self, dev, account):
        self.account = account
        mark = account.key_id[-8:].lower()
        self.cpu, self.all, self.spare = f"cpu-{mark}", f"all-{mark}", f"spare-{mark}"
        self.number = account.call("GetCallerIdentity", {}, service="sts", version="2011-06-15").first(".//Account")
        metric = {"MetricName": "Queue", "Namespace": "Shop", "Statistic": "Sum", "Period": "300", "EvaluationPeriods": "1", "Threshold": "1",
                  "ComparisonOperator": "LessThanThreshold"}
        watched = {**metric, "MetricName": "Unpublished"}  # a metric without datapoints leaves the alarm in INSUFFICIENT_DATA
        for name in (self.cpu, self.spare):
            self.make("PutMetricAlarm", {**watched, "AlarmName": name, "Tags.member.1.Key": "k", "Tags.member.1.Value": "v"})
        self.make("PutCompositeAlarm", {"AlarmName": self.all, "AlarmRule": f"OK({self.cpu})"})
        self.make("PutMetricData", {"Namespace": "Shop", "MetricData.member.1.MetricName": "Queue", "MetricData.member.1.Value": "7"})
        self.web, self.old = f"web-{mark}", f"old-{mark}"
        for name in (self.web, self.old):
            self.make("PutDashboard", {"DashboardName": name, "DashboardBody": '{"widgets": []}'})
        dev.rest()
        self.values = {
            "DashboardName": self.web, "DashboardBody": '{"widgets": []}', "DashboardNames.member.N": self.old,
            "AlarmName": self.cpu, "AlarmNames.member.N": self.spare, "ResourceARN": self.arn(self.cpu), "AlarmRule": "TRUE", "StateValue": "OK", "StateReason": "tried",
            "Tags.member.N.Key": "k", "Tags.member.N.Value": "v", "TagKeys.member.N": "k", "StartTime": "2026-01-01T00:00:00Z", "EndTime": "2026-01-01T01:00:00Z",
            "Statistics.member.N": "Sum", "Dimensions.member.N.Name": "d", "Dimensions.member.N.Value": "v", **metric,
            QUERY + "Id": "q", STAT + "Metric.MetricName": "Queue", STAT + "Metric.Namespace": "Shop", STAT + "Period": "300", STAT + "Stat": "Sum",
            STAT + "Metric.Dimensions.member.N.Name": "d", MATH + "Id": "q", MATH + "Expression": "1 + 1", MATH + "Period": "60",
            MATH + "MetricStat.Metric.MetricName": "Queue", MATH + "MetricStat.Metric.Namespace": "Shop", MATH + "MetricStat.Metric.Dimensions.member.N.Name": "d",
            DATUM + "MetricName": "Queue", DATUM + "Value": "7", DATUM + "Dimensions.member.N.Name": "d", DATUM + "StatisticValues.SampleCount": "1",
            DATUM + "StatisticValues.Sum": "1", DATUM + "StatisticValues.Minimum": "1", DATUM + "StatisticValues.Maximum": "1"}

    def arn(self, name):
        if name in (self.web, self.old):
            return f"arn:aws:cloudwatch::{self.number}:dashboard/{name}"
        return f"arn:aws:cloudwatch:{ec2.REGION}:{self.number}:alarm:{name}"

    def make(self, action, params):
        answer = self.call({"Action": action, **params})
        assert answer.status == 200, answer
        return answer

    def call(self, parameters, account=None):
        return (account or self.account).call(parameters.pop("Action"), parameters, service=SERVICE, version=VERSION)

    def request(self, action, but):
        """A valid request with only the required parameters, plus those of the structure that contains `but`."""
        name, wanted, place = action["name"], set(), but["name"].rpartition(".")[0]
        params = {p["name"]: p for p in action["params"]}
        lists = {p["name"] + ".N" if not p["name"].endswith(".N") else p["name"] for p in action["params"] if p["required"] and p["type"] == "list of structures"}
        for p in action["params"]:
            head = p["name"].removesuffix(".member.N").rpartition(".")[0]
            is_open = not head or head in lists or (place and (place + ".").startswith(head + "."))
            if p["required"] and p["name"] in self.values and is_open:
                wanted.add(p["name"])
        if name == "PutMetricAlarm":
            wanted.add("Threshold")
            wanted |= {MATH + "Id", MATH + "Expression", MATH + "Period"} if but["name"].startswith("Metrics.") else {"MetricName", "Namespace", "Period", "Statistic"}
        if name == "PutMetricData" and "StatisticValues" not in but["name"]:
            wanted.add(DATUM + "Value")
        if name == "GetMetricData":
            wanted |= {STAT + "Metric.MetricName", STAT + "Metric.Namespace", STAT + "Period", STAT + "Stat"}
        if name == "GetMetricStatistics":
            wanted.add("Statistics.member.N")
        if name == "DeleteDashboards":
            wanted.add("DashboardNames.member.N")
        values = dict(self.values)
        if name == "PutCompositeAlarm":
            values["AlarmName"] = self.all
        return {"Action": name, **{wire(n): values[n] for n in sorted(wanted) if n in params}}

    def state(self):
        said = [self.make("DescribeAlarms", {"AlarmTypes.member.1": "MetricAlarm", "AlarmTypes.member.2": "CompositeAlarm"}), self.make("ListMetrics", {}),
                self.make("ListTagsForResource", {"ResourceARN": self.arn(self.cpu)}), self.make("ListDashboards", {}), self.make("GetDashboard", {"DashboardName": self.web})]
        return [re.sub("<RequestId>.*</RequestId>", "", a.text) for a in said]

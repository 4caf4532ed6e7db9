#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/azure/compute/metrics.c src/reconcile/figures
"""Azure Monitor's metrics of a virtual machine, by raw requests and by az. The guest is simulated: its processor is never idle. Minutes pass."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from azure import Cloud, sign_in_az  # noqa: E402
from dev import Dev  # noqa: E402
from faces import holds  # noqa: E402
from waiting import wait_until  # noqa: E402

INSIGHTS = "providers/Microsoft.Insights"


class Place:
    def __init__(self, dev):
        self.cloud = Cloud(dev)
        os.environ.update(AWS_CA_BUNDLE=self.cloud.ca, SSL_CERT_FILE=self.cloud.ca)
        ec2 = dev.account.client()
        image = ec2.describe_images()["Images"][0]["ImageId"]
        self.name = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
        ec2.get_waiter("instance_running").wait(InstanceIds=[self.name], WaiterConfig={"Delay": 1})
        self.machine = f"{self.cloud.subscription()}/resourceGroups/dari-default/providers/Microsoft.Compute/virtualMachines/{self.name}"

    def get(self, what, query=""):
        status, _, answer = self.cloud.ask("GET", f"{self.machine}/{INSIGHTS}/{what}?{query.lstrip('&')}" if query else f"{self.machine}/{INSIGHTS}/{what}", "2018-01-01")
        return status, answer


@pytest.fixture(scope="module")
def place():
    with Dev("--tls") as dev:
        yield Place(dev)


def test_definitions(place):
    status, answer = place.get("metricDefinitions")
    names = [m["name"]["value"] for m in answer["value"]]
    assert status == 200 and names == ["Percentage CPU", "Network In Total", "Network Out Total", "Disk Read Bytes", "Disk Write Bytes"]
    assert answer["value"][0]["unit"] == "Percent" and answer["value"][0]["resourceId"].endswith(place.name)
    assert place.get("metricNamespaces")[1]["value"][0]["properties"]["metricNamespaceName"] == "Microsoft.Compute/virtualMachines"


@pytest.mark.parametrize("query, words", [
    ("&metricnames=Temperature", "Valid metrics: Percentage CPU"), ("&interval=PT7M", "invalid time grain"), ("&timespan=yesterday", "invalid time span"),
    ("&aggregation=Median", "is not valid"), ("&$filter=a%20eq%20%27b%27", "no dimensions"), ("&metricnamespace=other", "is not valid"),
    ("&timespan=2026-01-01T00:00:00Z/2026-03-01T00:00:00Z&interval=PT1M", "longer interval")])
def test_what_is_no_question_is_refused(place, query, words):
    status, answer = place.get("metrics", query)
    assert status == 400 and words in answer["error"]["message"], answer


@holds("Azure: metrics of a virtual machine")
def test_az_reads_the_processor(place, tmp_path):
    az = sign_in_az(place.cloud, tmp_path)
    az("cloud", "set", "-n", "Dari", "--profile", "latest")  # the hybrid profile has no such commands
    assert "Percentage CPU" in [m["name"]["value"] for m in az("monitor", "metrics", "list-definitions", "--resource", place.machine)]

    def read(*more):
        shown = az("monitor", "metrics", "list", "--resource", place.machine, "--interval", "PT1M", *more)
        return [m["timeseries"][0]["data"] for m in shown["value"]]

    def points():
        return [p for p in read("--metric", "Percentage CPU", "--aggregation", "Average", "Maximum")[0] if p["average"] is not None]

    wait_until(points, "a minute of the processor is read")
    assert all(0 < p["average"] <= p["maximum"] <= 100 for p in points())
    cpu, traffic = read("--metric", "Percentage CPU", "Network In Total")
    assert cpu and len(cpu) == len(traffic) and traffic[0]["total"] >= 0


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

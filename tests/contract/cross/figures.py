#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/reconcile/figures src/api/cloudwatch src/store/series src/store/history.c src/store/sqlite_series.c
"""Metrics of guests: live and stored ones by /api/v1, only for users who may see the guest; sums for Prometheus; and CloudWatch's calls by AWS's own
clients. The test writes stored points into the region's database while it is stopped, in the format of src/reconcile/figures/pack.c, to avoid
waiting for five minutes."""
import datetime
import glob
import json
import os
import re
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import native  # noqa: E402
from dev import Dev, REGION  # noqa: E402
import waiting  # noqa: E402

SHORT, LONG = 300, 3600
COVERED, SAMPLES, CPUS, LEAST, MOST, CPU_NS, RX, TX, RX_PACKETS, TX_PACKETS, READ, WRITE, READS, WRITES, MEMORY = range(15)
NOW = int(time.time()) // LONG * LONG  # an hour has just begun: earlier hours are complete


def number(n):
    out = b""
    while n >> 7:
        out, n = out + bytes([n & 0x7f | 0x80]), n >> 7
    return out + bytes([n])


def pack(points):
    """{id: numbers} → the text of a host's row."""
    return b"\x01" + b"".join(uuid.UUID(i).bytes + b"".join(number(n) for n in numbers) for i, numbers in points.items())


def point(cpu_percent, traffic, step=SHORT):
    """A point of a guest with two processors."""
    numbers = [0] * 15
    numbers[COVERED], numbers[SAMPLES], numbers[CPUS] = step * 10**6, step // 10, 2
    numbers[LEAST], numbers[MOST] = 100, 5000
    numbers[CPU_NS] = int(step * 2 * cpu_percent / 100 * 10**9)
    numbers[RX], numbers[TX], numbers[READ], numbers[READS], numbers[MEMORY] = traffic, traffic // 2, traffic * 3, 30, 10**8
    return numbers


@pytest.fixture(scope="module")
def region():
    with tempfile.TemporaryDirectory() as folder:
        with Dev("--data", folder) as dev:
            ec2 = dev.account.client()
            image = ec2.describe_images()["Images"][0]["ImageId"]
            short = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
            dev.rest()
            row = native.admin(dev).api_ok("GET", f"/instances/{short}")["item"]
        with sqlite3.connect(glob.glob(f"{folder}/**/*.db", recursive=True)[0]) as db:
            for k in range(1, 13):  # the last hour: 10 %, 20 %, … of a processor's time, 1000, 2000, … bytes
                db.execute("INSERT INTO series VALUES (?, ?, ?, ?)", (row["host"], SHORT * 10**6, (NOW - k * SHORT) * 10**6, pack({str(uuid.uuid4()): point(99, 7), row["id"]: point(5 * k, 1000 * k)})))
            for k in range(1, 101):
                db.execute("INSERT INTO series VALUES (?, ?, ?, ?)", (row["host"], LONG * 10**6, (NOW - k * LONG) * 10**6, pack({row["id"]: point(50, 60000, LONG)})))
        db.close()
        with Dev("--data", folder) as dev:
            dev.id, dev.short, dev.host = row["id"], short, row["host"]
            yield dev


@pytest.fixture(scope="module")
def watch(region):
    return region.account.client("cloudwatch")


def at(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)


# ---- /api/v1 ----

def column(said, name):
    k = [c["name"] for c in said["columns"]].index(name)
    return [p[k] for p in said["points"]]


def enough(said, points):
    return len(points(said)) >= 3 and said


def test_figures_while_they_are_taken(region):
    mine, begun = native.admin(region), NOW
    for path in (f"/instances/{region.short}/metrics", f"/hosts/{region.host}/metrics"):
        said = waiting.wait_until(lambda p=path: enough(mine.api_ok("GET", p), lambda s: s["points"]), "three points")
        assert said["columns"][:2] == [{"name": "at", "unit": "us"}, {"name": "cpu", "unit": "percent"}]
        times = column(said, "at")
        assert times == sorted(times) and begun < times[-1] / 1e6 <= time.time()
        assert all(0 <= v <= 100 for v in column(said, "cpu")) and column(said, "memory")[-1] > 0
        assert any(v > 0 for v in column(said, "received")) and any(v > 0 for v in column(said, "written"))


def test_newest_of_many(region):
    """One answer for the rows of a page; deleted instances and those of other accounts are omitted."""
    mine = native.admin(region)
    path = f"/instances/metrics?ids={region.id},{uuid.uuid4()}"
    said = waiting.wait_until(lambda: enough(mine.api_ok("GET", path), lambda s: s["items"][0]["points"]), "three points")
    assert [c["name"] for c in said["columns"]] == ["at", "cpu"] and [i["id"] for i in said["items"]] == [region.id]
    assert all(0 <= cpu <= 100 for _, cpu in said["items"][0]["points"])
    other = native.another(region, "elsewhere")
    assert other.api_ok("GET", path)["items"] == []
    for wrong, status in (("", 400), (",".join([region.id] * 101), 413)):
        assert mine.api("GET", f"/instances/metrics?ids={wrong}").status in (status, 400)


def test_screen(region):
    """A JPEG, only for users who see the instance, and while it runs."""
    def ask(project):
        request = urllib.request.Request(f"{region.url}/api/v1/instances/{region.id}/screen", headers={"X-Auth-Token": project.token})
        with urllib.request.urlopen(request, timeout=waiting.HANG_S) as said:
            return said.headers["Content-Type"], said.read()
    kind, data = ask(native.admin(region))
    assert kind == "image/jpeg" and data[:3] == b"\xff\xd8\xff"
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(native.another(region, "elsewhere else"))
    assert refused.value.code == 404


def test_figures_that_were_kept(region):
    mine = native.admin(region)
    said = mine.api_ok("GET", f"/instances/{region.id}/metrics?from={(NOW - 3600) * 10**6}&to={NOW * 10**6}&step=300")
    assert said["step_s"] == SHORT and len(said["points"]) == 12
    assert column(said, "at")[0] == (NOW - 3600 + SHORT) * 10**6
    assert column(said, "cpu") == [5 * k for k in range(12, 0, -1)]
    assert column(said, "received") == [1000 * k // SHORT for k in range(12, 0, -1)]
    hours = mine.api_ok("GET", f"/instances/{region.id}/metrics?from={(NOW - 100 * 3600) * 10**6}")
    assert hours["step_s"] == LONG and len(hours["points"]) == 100 and set(column(hours, "cpu")) == {50}


@pytest.mark.parametrize("query, field", [("from=x", "from"), ("from=5&to=4", "from"), ("step=7", "step"), (f"from=1&to={10**15}&step=300", "step"), ("to=-1", "to")])
def test_bad_questions(region, query, field):
    answer = native.admin(region).api("GET", f"/instances/{region.id}/metrics?{query}")
    assert answer.status == 400 or answer.status == 413, answer
    assert answer.json["field"] == field


def test_nobody_elses(region):
    other = native.another(region, "theirs")
    assert other.api("GET", f"/instances/{region.id}/metrics").status == 404
    assert other.api("GET", f"/instances/{region.id}/console").status == 404
    assert other.api("GET", f"/hosts/{region.host}/metrics").status in (403, 404)
    with pytest.raises(StopIteration):
        next(m for m in region.new_account("others").client("cloudwatch").list_metrics()["Metrics"])


def test_console_text(region):
    said = native.admin(region).api_ok("GET", f"/instances/{region.short}/console")
    assert said["text"] and abs(said["at_us"] / 1e6 - time.time()) < 3600


def test_sums_for_prometheus(region):
    def told():
        with urllib.request.urlopen(region.url + "/metrics", timeout=waiting.HANG_S) as answer:
            text = answer.read().decode()
        found = {name: float(value) for name, value in re.findall(r"^(dari_guests_\w+) (\S+)$", text, re.MULTILINE)}
        return (found["dari_guests_running"] == 1 and found["dari_guests_cpu_seconds_total"] > 0
                and found["dari_guests_received_bytes_total"] > 0 and text)
    text = waiting.wait_until(told, "the guest's figures")
    assert region.short not in text and region.id not in text


# ---- CloudWatch ----

def dimension(value):
    return [{"Name": "InstanceId", "Value": value}]


def test_list_metrics(region, watch):
    metrics = watch.list_metrics(Namespace="AWS/EC2")["Metrics"]
    assert {m["MetricName"] for m in metrics} == {"CPUUtilization", "NetworkIn", "NetworkOut", "NetworkPacketsIn", "NetworkPacketsOut", "EBSReadOps", "EBSWriteOps",
                                                  "EBSReadBytes", "EBSWriteBytes"}
    assert all(m["Namespace"] == "AWS/EC2" and m["Dimensions"] == dimension(region.short) for m in metrics)
    assert len(watch.list_metrics(MetricName="NetworkIn", Dimensions=[{"Name": "InstanceId"}])["Metrics"]) == 1
    for nothing in ({"Namespace": "AWS/RDS"}, {"MetricName": "no"}, {"Dimensions": [{"Name": "ImageId"}]}, {"Dimensions": dimension("i-0123456789abcdef0")}):
        assert watch.list_metrics(**nothing)["Metrics"] == []


def statistics(watch, region, name, period=SHORT, since=3600, words=("Average", "Sum", "Minimum", "Maximum", "SampleCount"), **more):
    return watch.get_metric_statistics(Namespace="AWS/EC2", MetricName=name, Dimensions=dimension(region.short), StartTime=at(NOW - since), EndTime=at(NOW), Period=period,
                                       Statistics=list(words), **more)


def test_statistics(region, watch):
    said = statistics(watch, region, "CPUUtilization")
    points = sorted(said["Datapoints"], key=lambda p: p["Timestamp"])
    assert said["Label"] == "CPUUtilization" and len(points) == 12
    assert points[0] == {"Timestamp": at(NOW - 3600), "SampleCount": 5, "Average": 60, "Sum": 300, "Minimum": 1, "Maximum": 50, "Unit": "Percent"}
    whole = statistics(watch, region, "NetworkIn", period=3600)["Datapoints"]
    assert len(whole) == 1
    assert (whole[0]["Sum"], whole[0]["SampleCount"], whole[0]["Average"], whole[0]["Unit"]) == (78000, 60, 1300, "Bytes")
    assert (whole[0]["Minimum"], whole[0]["Maximum"]) == (200, 2400)
    old = statistics(watch, region, "NetworkIn", period=3600, since=100 * 3600)["Datapoints"]
    assert len(old) == 100 and {p["Sum"] for p in old} == {60000}
    assert statistics(watch, region, "NetworkIn", Unit="Count")["Datapoints"] == []
    assert statistics(watch, region, "NoSuch")["Datapoints"] == []


def test_data(region, watch):
    def query(name, stat, number):
        return {"Id": f"m{number}", "MetricStat": {"Metric": {"Namespace": "AWS/EC2", "MetricName": name, "Dimensions": dimension(region.short)}, "Period": SHORT, "Stat": stat}}
    asked = [query("CPUUtilization", "Average", 1), {**query("EBSReadBytes", "Sum", 2), "Label": "read"}, {**query("NetworkIn", "Sum", 3), "ReturnData": False}]
    said = watch.get_metric_data(MetricDataQueries=asked, StartTime=at(NOW - 3600), EndTime=at(NOW), ScanBy="TimestampAscending")["MetricDataResults"]
    assert [(r["Id"], r["Label"], r["StatusCode"]) for r in said] == [("m1", "CPUUtilization", "Complete"), ("m2", "read", "Complete")]
    assert said[0]["Values"] == [5 * k for k in range(12, 0, -1)] and said[1]["Values"] == [3000 * k for k in range(12, 0, -1)]
    assert said[0]["Timestamps"][0] == at(NOW - 3600)
    turned = watch.get_metric_data(MetricDataQueries=asked[:1], StartTime=at(NOW - 3600), EndTime=at(NOW))["MetricDataResults"][0]
    assert turned["Values"] == said[0]["Values"][::-1] and turned["Timestamps"][0] == at(NOW - SHORT)


def data_query(region, name, stat, word, period=SHORT):
    return {"Id": word, "MetricStat": {"Metric": {"Namespace": "AWS/EC2", "MetricName": name, "Dimensions": dimension(region.short)}, "Period": period, "Stat": stat}}


def pages(region, form, said):
    """All pages, in one of the protocols."""
    if form == "query":
        watch, answers = region.account.client("cloudwatch"), []
        said = {**said, **{k: at(said[k]) for k in ("StartTime", "EndTime")}}
        while not answers or "NextToken" in answers[-1]:
            token = {"NextToken": answers[-1]["NextToken"]} if answers else {}
            answers.append(watch.get_metric_data(**said, **token))
            for result in answers[-1]["MetricDataResults"]:
                result["Timestamps"] = [t.timestamp() for t in result["Timestamps"]]
        return answers
    answers = []
    said = {**said, **{k: (int if form == "json" else float)(said[k]) for k in ("StartTime", "EndTime")}}
    while not answers or "NextToken" in answers[-1]:
        status, _, answer = ask(region, form, "GetMetricData", {**said, **({"NextToken": answers[-1]["NextToken"]} if answers else {})})
        assert status == 200, answer
        answers.append(answer)
    return answers


@pytest.mark.parametrize("form", ["query", "json", "cbor"])
@pytest.mark.parametrize("order", ["TimestampDescending", "TimestampAscending"])
@pytest.mark.parametrize("most", [1, 2, 5, 12, 24, 25, 100800])
def test_pages_of_data(region, form, order, most):
    """Each page has that many points of all queries together, in order; all pages together are complete."""
    asked = {"MetricDataQueries": [data_query(region, "CPUUtilization", "Average", "cpu"), data_query(region, "NetworkIn", "Sum", "hours", LONG),
                                   {**data_query(region, "NetworkOut", "Sum", "hidden"), "ReturnData": False}, data_query(region, "NetworkIn", "Sum", "net")],
             "StartTime": NOW - 3600, "EndTime": NOW, "ScanBy": order, "MaxDatapoints": most}
    answers = pages(region, form, asked)
    told, times = {"cpu": [], "hours": [], "net": []}, []
    for number, answer in enumerate(answers):
        results, is_last = {r["Id"]: r for r in answer["MetricDataResults"]}, number + 1 == len(answers)
        assert list(results) == ["cpu", "hours", "net"] and answer["Messages"] == []
        assert sum(len(r["Values"]) for r in results.values()) == (25 - most * number if is_last else most)
        assert ("PartialData" in {r["StatusCode"] for r in results.values()}) == (not is_last)
        times.append([t for r in results.values() for t in r["Timestamps"]])
        for word, result in results.items():
            assert len(result["Values"]) == len(result["Timestamps"])
            told[word] += zip(result["Timestamps"], result["Values"])
            missing = {"cpu": 12, "hours": 1, "net": 12}[word] - len(told[word])
            assert result["StatusCode"] == ("PartialData" if missing else "Complete")
    assert len(answers) == -(-25 // most)
    turn = 1 if order == "TimestampAscending" else -1
    for before, after in zip(times, times[1:]):  # pages are in order
        assert max(turn * t for t in before) <= min(turn * t for t in after)
    assert told["cpu"][::turn] == [(NOW - 3600 + k * SHORT, 5 * (12 - k)) for k in range(12)]
    assert told["net"][::turn] == [(NOW - 3600 + k * SHORT, 1000 * (12 - k)) for k in range(12)]
    assert told["hours"] == [(NOW - 3600, 78000)]


def test_pages_by_a_paginator(region, watch):
    asked = {"MetricDataQueries": [data_query(region, "CPUUtilization", "Average", "a"), data_query(region, "CPUUtilization", "Maximum", "b")],
             "StartTime": at(NOW - 3600), "EndTime": at(NOW)}
    said = watch.get_paginator("get_metric_data").paginate(**asked, PaginationConfig={"PageSize": 7}).build_full_result()["MetricDataResults"]
    assert len(said) == 2 * 4 and {r["Label"] for r in said} == {"CPUUtilization Average", "CPUUtilization Maximum"}
    assert [v for r in said if r["Id"] == "a" for v in r["Values"]] == [5 * k for k in range(1, 13)]
    everything = watch.get_paginator("list_metrics").paginate(Namespace="AWS/EC2").build_full_result()["Metrics"]
    assert everything == watch.list_metrics(Namespace="AWS/EC2")["Metrics"]


@pytest.mark.parametrize("form", ["json", "cbor"])
def test_bad_tokens(region, form):
    time_of = int if form == "json" else float
    asked = {"MetricDataQueries": [data_query(region, "NetworkIn", "Sum", "a")], "StartTime": time_of(NOW - 3600), "EndTime": time_of(NOW)}
    for token in ("x", "D", "D..", "D.1.", "D.1.1", "A.1.0", "D.-1.0", "D.1.-1", "D.99999999999999999999.0", "D.1.0.0", "\u20ac" * 300):
        status, headers, said = ask(region, form, "GetMetricData", {**asked, "NextToken": token})
        assert (status, said["__type"], headers["x-amzn-query-error"]) == (400, "com.amazonaws.cloudwatch#InvalidNextToken", "InvalidNextToken;Sender"), token
        status, _, said = ask(region, form, "ListMetrics", {"NextToken": token})
        assert (status, said["__type"]) == (400, "com.amazonaws.cloudwatch#InvalidParameterValueException"), token
    assert ask(region, form, "GetMetricData", {**asked, "NextToken": "D.1.0"})[2]["MetricDataResults"][0]["Values"] == []  # the end


def test_short_periods_are_not_kept(region, watch):
    """Data older than fifteen days have points of five minutes, and older than sixty-three of hours."""
    def points(days, period):
        return statistics(watch, region, "NetworkIn", period=period, since=days * 86400)["Datapoints"]
    assert points(2, 300) and points(20, 3600) and points(80, 2 * 3600)
    assert points(20, 25 * 60) and points(20, 24 * 60) == [] and points(80, 2 * 3600 + 300) == []


@pytest.mark.parametrize("code, more", [
    ("InvalidParameterValue", {"Period": 61}), ("InvalidParameterValue", {"StartTime": at(NOW)}), ("InvalidParameterCombination", {"Statistics": None}),
    ("InvalidParameterCombination", {"Period": 60, "StartTime": at(NOW - 86400 * 3)}), ("InvalidParameterValue", {"Statistics": ["Median"]}), ("InvalidParameterValue", {"Unit": "Pounds"})])
def test_wrong_statistics(region, watch, code, more):
    asked = {"Namespace": "AWS/EC2", "MetricName": "NetworkIn", "Dimensions": dimension(region.short), "StartTime": at(NOW - 3600), "EndTime": at(NOW), "Period": SHORT, "Statistics": ["Sum"], **more}
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        watch.get_metric_statistics(**{k: v for k, v in asked.items() if v is not None})
    assert refused.value.response["Error"]["Code"] == code, refused.value


def test_a_policy_denies(region):
    iam = region.account.client("iam")
    iam.create_user(UserName="ann")
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    ann = type(region.account)(region, key["AccessKeyId"], key["SecretAccessKey"]).client("cloudwatch")
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        ann.list_metrics()
    assert refused.value.response["Error"]["Code"] == "AccessDenied"
    iam.put_user_policy(UserName="ann", PolicyName="look", PolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"cloudwatch:ListMetrics","Resource":"*"}]}')
    assert ann.list_metrics()["Metrics"]


# ---- typed protocols

def cbor(value):
    """RFC 8949; maps in the forms that SDKs write, including indefinite length."""
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return b"\x1a" + value.to_bytes(4, "big")
    if isinstance(value, float):
        return b"\xc1\xfb" + struct.pack(">d", value)  # times are the only floats here
    if isinstance(value, str):
        return b"\x79" + len(value.encode()).to_bytes(2, "big") + value.encode()
    if isinstance(value, list):
        return b"\x99" + len(value).to_bytes(2, "big") + b"".join(map(cbor, value))
    return b"\xbf" + b"".join(cbor(k) + cbor(v) for k, v in value.items()) + b"\xff"


def read_cbor(data):
    """The value, and the remaining bytes."""
    major, info = data[0] >> 5, data[0] & 31
    if data[:1] == b"\xc1":
        return read_cbor(data[1:])
    if data[:1] == b"\xfb":
        return struct.unpack(">d", data[1:9])[0], data[9:]
    if major == 3:
        head = 0 if info < 24 else 1 << info - 24  # the shortest form, because SDKs compare keys by their bytes
        size = int.from_bytes(data[1:1 + head], "big") if head else info
        assert size >= {0: 0, 1: 24, 2: 256, 4: 65536}[head]
        return data[1 + head:1 + head + size].decode(), data[1 + head + size:]
    assert info == 31 and major in (4, 5), data[:20]
    data, items = data[1:], []
    while data[:1] != b"\xff":
        item, data = read_cbor(data)
        items.append(item)
    return (items if major == 4 else dict(zip(items[::2], items[1::2]))), data[1:]


def ask(region, form, operation, said, body=None):
    """(status, headers, answer) of a document signed as by SDKs."""
    path, more = {"cbor": (f"/service/GraniteServiceVersion20100801/operation/{operation}",
                           {"Smithy-Protocol": "rpc-v2-cbor", "Content-Type": "application/cbor", "x-amzn-query-mode": "true"}),
                  "json": ("/", {"X-Amz-Target": f"GraniteServiceVersion20100801.{operation}", "Content-Type": "application/x-amz-json-1.0"})}[form]
    body = body if body is not None else cbor(said) if form == "cbor" else json.dumps(said).encode()
    request = botocore.awsrequest.AWSRequest("POST", region.url + path, data=body, headers=more)
    botocore.auth.SigV4Auth(botocore.credentials.Credentials(region.account.key_id, region.account.secret), "monitoring", "us-east-1").add_auth(request)
    try:
        with urllib.request.urlopen(urllib.request.Request(region.url + path, body, dict(request.headers))) as answer:
            status, headers, text = answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as refused:
        status, headers, text = refused.code, refused.headers, refused.read()
    if form == "cbor":
        assert headers["Content-Type"] == "application/cbor" and headers["smithy-protocol"] == "rpc-v2-cbor"
        value, rest = read_cbor(text)
        assert rest == b""
        return status, headers, value
    assert headers["Content-Type"] == "application/x-amz-json-1.0"
    return status, headers, json.loads(text)


@pytest.mark.parametrize("form", ["json", "cbor"])
def test_typed(region, watch, form):
    """The same answer as in the query protocol."""
    time_of = int if form == "json" else float
    told = watch.list_metrics(Namespace="AWS/EC2")["Metrics"]
    assert ask(region, form, "ListMetrics", {"Namespace": "AWS/EC2"})[2] == {"Metrics": told}
    span = {"StartTime": time_of(NOW - 3600), "EndTime": time_of(NOW)}
    status, _, said = ask(region, form, "GetMetricStatistics", {"Namespace": "AWS/EC2", "MetricName": "CPUUtilization", "Dimensions": dimension(region.short), **span,
                                                                "Period": SHORT, "Statistics": ["Average", "Sum"]})
    points = sorted(statistics(watch, region, "CPUUtilization", words=("Average", "Sum"))["Datapoints"], key=lambda p: p["Timestamp"])
    assert status == 200 and said == {"Label": "CPUUtilization", "Datapoints": [{**p, "Timestamp": p["Timestamp"].timestamp()} for p in points]}
    stat = {"Metric": {"Namespace": "AWS/EC2", "MetricName": "NetworkIn", "Dimensions": dimension(region.short)}, "Period": SHORT, "Stat": "Sum"}
    asked = [{"Id": "a", "MetricStat": stat}, {"Id": "b", "MetricStat": stat, "ReturnData": False}]
    _, _, said = ask(region, form, "GetMetricData", {"MetricDataQueries": asked, **span, "ScanBy": "TimestampAscending"})
    assert said["Messages"] == [] and [r["Id"] for r in said["MetricDataResults"]] == ["a"]
    result = said["MetricDataResults"][0]
    assert result["Values"] == [1000 * k for k in range(12, 0, -1)] and result["Timestamps"][0] == NOW - 3600 and result["StatusCode"] == "Complete"


@pytest.mark.parametrize("form", ["json", "cbor"])
def test_typed_refusals(region, form):
    asked = {"Namespace": "AWS/EC2", "MetricName": "NetworkIn", "StartTime": 0, "EndTime": 300, "Period": 61, "Statistics": ["Sum"]}
    status, headers, said = ask(region, form, "GetMetricStatistics", asked)
    assert (status, said["__type"]) == (400, "com.amazonaws.cloudwatch#InvalidParameterValueException")
    assert headers["x-amzn-query-error"] == "InvalidParameterValue;Sender" and "Period" in said["message"]
    assert ask(region, form, "GetMetricStatistics", {})[2]["__type"] == "com.amazonaws.cloudwatch#MissingRequiredParameterException"
    assert ask(region, form, "StartMetricStreams", {})[2]["__type"] == "com.amazonaws.cloudwatch#UnknownOperationException"
    deep = {}
    for _ in range(20):
        deep = {"Dimensions": [deep]}
    many = {"Statistics": ["Sum"] * 3000}
    for bad in [deep, many, {"Nonsense": "x"}, {**asked, "StartTime": "x"}]:
        assert ask(region, form, "GetMetricStatistics", bad)[0] == 400
    documents = {"json": [b"[]", b"{", b'{"Period": 1, "Period": 2}', b'{"Period": 1e999}', b"\xff"],
                 "cbor": [b"\x80", b"\xbf", b"\xa1", b"\xbf\x01\x02\xff", b"\xa1\x61\x61\x5f", b"\xbb" + b"\xff" * 8, b"\xa1\x7b" + b"\xff" * 8, b"\xa0\xa0",
                          b"\xa1\x6dStatistics\x00", b"\xa1\x69StartTime\xfb\x7f\xf0" + bytes(6), b"\xa1\x61\x61\x1c", b"\xa1\x61\x61\xf9\x00\x00", b"\xff"]}
    documents["json"].append(b'{"Dimensions": [' + b", ".join([b"null"] * 65000) + b"]}")
    documents["cbor"].append(b"\xa1\x6aDimensions\x99\xfd\xe8" + b"\xf6" * 65000)  # too many, though none has a value
    for document in documents[form]:
        status, _, said = ask(region, form, "ListMetrics", None, document)
        assert status == 400 and said["message"], document

def test_aws_command(region, tmp_path):
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "AWS_DEFAULT_REGION": REGION, "AWS_PAGER": "", "AWS_ACCESS_KEY_ID": region.account.key_id,
           "AWS_SECRET_ACCESS_KEY": region.account.secret}
    done = subprocess.run(["/usr/bin/aws", "--endpoint-url", region.url, "cloudwatch", "get-metric-statistics", "--namespace", "AWS/EC2", "--metric-name", "NetworkOut", "--dimensions",
                           f"Name=InstanceId,Value={region.short}", "--start-time", at(NOW - 600).isoformat(), "--end-time", at(NOW).isoformat(), "--period", "300", "--statistics", "Sum",
                           "--output", "text", "--query", "sort_by(Datapoints, &Timestamp)[].Sum"], env=env, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["1000.0", "500.0"], done
    query = json.dumps([data_query(region, "NetworkIn", "Sum", "a"), data_query(region, "NetworkOut", "Sum", "b")])
    for more, count in ((("--page-size", "5"), 24), (("--page-size", "5", "--max-items", "2"), 5), (("--no-paginate", "--max-datapoints", "3"), 3)):
        done = subprocess.run(["/usr/bin/aws", "--endpoint-url", region.url, "cloudwatch", "get-metric-data", "--metric-data-queries", query, "--start-time", at(NOW - 3600).isoformat(),
                               "--end-time", at(NOW).isoformat(), "--output", "json", *more], env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done
        said = json.loads(done.stdout)
        assert sum(len(r["Values"]) for r in said["MetricDataResults"]) == count and ("NextToken" in said) == (count < 24), (more, said)


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))

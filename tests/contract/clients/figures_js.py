#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/cloudwatch
# when: long
"""CloudWatch by AWS's SDK for JavaScript, version 3, after its change from the query protocol: in AWS JSON, its default, and in CBOR. The package
from npm is cached."""
# limit: 600 s
import json
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import REGION, ROOT, Dev  # noqa: E402

PACKAGE = "@aws-sdk/client-cloudwatch@3.955.0"  # the newest version that node 18 runs
CACHE = os.path.join(os.environ.get("DARI_CACHE", os.path.join(ROOT, "build/cache")), "cloudwatch-js-3.955.0")
NPM = ["/usr/bin/npm", "install", "--no-audit", "--no-fund", "--no-update-notifier", "--ignore-scripts", "--no-save", "--prefix", CACHE, PACKAGE]
PROGRAM = """
const given = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const need = require("node:module").createRequire(given.modules + "/");
const sdk = need("@aws-sdk/client-cloudwatch");
const protocol = given.form === "cbor" ? { protocol: new (need("@aws-sdk/core/protocols").AwsSmithyRpcV2CborProtocol)(
  { defaultNamespace: "com.amazonaws.cloudwatch", awsQueryCompatible: true }) } : {};
const client = new sdk.CloudWatchClient({ region: given.region, endpoint: given.endpoint, maxAttempts: 1,
  credentials: { accessKeyId: given.key, secretAccessKey: given.secret }, ...protocol });
let sent;
client.middlewareStack.add((next) => (args) => { sent = args.request.headers; return next(args); }, { step: "finalizeRequest" });
const of = { Namespace: "AWS/EC2", MetricName: "CPUUtilization", Dimensions: [{ Name: "InstanceId", Value: given.instance }] };
const span = { StartTime: new Date(Date.now() - 3600e3), EndTime: new Date() };
(async () => {
  const listed = await client.send(new sdk.ListMetricsCommand({ Namespace: "AWS/EC2" }));
  const data = await client.send(new sdk.GetMetricDataCommand({ ...span, MetricDataQueries: [
    { Id: "a", MetricStat: { Metric: of, Period: 300, Stat: "Average" } }] }));
  const points = await client.send(new sdk.GetMetricStatisticsCommand({ ...of, ...span, Period: 300, Statistics: ["Sum"] }));
  let refusal;
  try {
    await client.send(new sdk.GetMetricStatisticsCommand({ ...of, ...span, Period: 61, Statistics: ["Sum"] }));
  } catch (e) {
    refusal = [e.name, e.$metadata.httpStatusCode, e.message];
  }
  console.log(JSON.stringify({ type: sent["content-type"], metrics: listed.Metrics, results: data.MetricDataResults, label: points.Label,
    datapoints: points.Datapoints, refusal }));
})();
"""


@pytest.fixture(scope="module")
def region():
    os.makedirs(CACHE, exist_ok=True)
    if not os.path.exists(os.path.join(CACHE, "node_modules/.package-lock.json")):  # npm writes it last
        subprocess.run(NPM, check=True, cwd=CACHE, stdin=subprocess.DEVNULL)
    with Dev() as dev:
        ec2 = dev.account.client()
        image = ec2.describe_images()["Images"][0]["ImageId"]
        dev.instance = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
        dev.rest()
        yield dev


@pytest.mark.parametrize("form,media_type", [("json", "application/x-amz-json-1.0"), ("cbor", "application/cbor")])
def test_sdk(region, form, media_type):
    given = {"modules": CACHE, "form": form, "region": REGION, "endpoint": region.url, "key": region.account.key_id,
             "secret": region.account.secret, "instance": region.instance}
    done = subprocess.run(["/usr/bin/node", "-e", PROGRAM], input=json.dumps(given), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["type"] == media_type
    assert told["metrics"] == [{**m, "Dimensions": m["Dimensions"]} for m in region.account.client("cloudwatch").list_metrics(Namespace="AWS/EC2")["Metrics"]]
    assert [(r["Id"], r["Label"], r["StatusCode"]) for r in told["results"]] == [("a", "CPUUtilization", "Complete")]
    assert told["label"] == "CPUUtilization" and isinstance(told["datapoints"], list)
    assert told["refusal"][0] == "InvalidParameterValueException" and told["refusal"][1] == 400 and "Period" in told["refusal"][2]


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/cost src/metering src/engine/billing
"""AWS Cost Explorer: charges by service, account, tag and day, by boto3 and Debian's aws; unsupported calls are refused in its protocol."""
import datetime
import decimal
import json
import os
import subprocess
import sys
import time

import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import DARI, REGION, Dev  # noqa: E402

D = decimal.Decimal
PRICES = """
price_list: {name: public, currency: EUR, from: 2020-01-01T00:00:00Z, parent: null, owner: null}
items:
- {sku: vm.t3.micro, meter: "instance:t3.micro", unit: hour, minimum_s: 60, price: 3.6}
- {sku: vol, meter: volume, unit: gib_month, price: 8000}
- {sku: rest, meter: held, unit: hour, price: 0}
- {sku: image, meter: image, unit: gib_month, price: 0}
"""
COMPUTE, OTHER = "Amazon Elastic Compute Cloud - Compute", "EC2 - Other"
TODAY = datetime.datetime.now(datetime.timezone.utc).date()
PERIOD = {"Start": str(TODAY), "End": str(TODAY + datetime.timedelta(days=1))}


@pytest.fixture(scope="module")
def dev(tmp_path_factory):
    with Dev() as region:
        path = tmp_path_factory.mktemp("prices") / "list.yaml"
        path.write_text(PRICES)
        region.command("prices", "load", str(path))
        yield region


@pytest.fixture(scope="module")
def other(dev):
    return dev.new_account("other")


def launch(account, team):
    ec2 = account.client()
    image = ec2.describe_images()["Images"][0]["ImageId"]
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "team", "Value": team}]}]
    made = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1, TagSpecifications=tags)["Instances"][0]["InstanceId"]
    return made


@pytest.fixture(scope="module")
def ce(dev, other):
    """alice's two instances have run and are off, so their costs do not grow; the other account has one, too."""
    made = [launch(dev.account, "red"), launch(dev.account, "blue")]
    theirs = launch(other, "red")
    dev.rest()
    time.sleep(1.2)
    dev.account.client().stop_instances(InstanceIds=made)
    other.client().stop_instances(InstanceIds=[theirs])
    dev.rest()
    time.sleep(1.2)
    return dev.account.client("ce")


def usage(ce, *groups, metrics=("UnblendedCost",), granularity="DAILY", period=None, **more):
    by = [{"Type": "TAG", "Key": g[4:]} if g.startswith("tag:") else {"Type": "DIMENSION", "Key": g} for g in groups]
    return ce.get_cost_and_usage(TimePeriod=period or PERIOD, Granularity=granularity, Metrics=list(metrics), **({"GroupBy": by} if by else {}), **more)


def amounts(answer, metric="UnblendedCost"):
    return {tuple(g["Keys"]): D(g["Metrics"][metric]["Amount"]) for r in answer["ResultsByTime"] for g in r["Groups"]}


def test_by_service_usage_type_and_account(dev, ce):
    by_service = amounts(usage(ce, "SERVICE"))
    assert set(by_service) == {(COMPUTE,), (OTHER,)}
    assert by_service[COMPUTE,] == 2 * D("3.6") * D("0.016667")  # two minima of 60 s
    by_both = amounts(usage(ce, "LINKED_ACCOUNT", "USAGE_TYPE"))
    number = dev.command("account", "list")
    mine = {n for n, _ in by_both}
    assert len(mine) == 1 and mine < {a["account_id"] for a in number}
    assert {"vm.t3.micro", "rest", "vol"} <= {sku for _, sku in by_both}
    assert amounts(usage(ce, "INSTANCE_TYPE"))["t3.micro",] == by_service[COMPUTE,]
    assert set(amounts(usage(ce, "REGION"))) == {(REGION,)}
    zones = {key for key, in amounts(usage(ce, "AZ"))}
    assert zones and zones <= {REGION + "a", REGION + "b"} and set(amounts(usage(ce, "RECORD_TYPE"))) == {("Usage",)}


def test_by_tag(ce):
    by_tag = amounts(usage(ce, "tag:team", Filter={"Dimensions": {"Key": "SERVICE", "Values": [COMPUTE]}}))
    assert set(by_tag) == {("team$red",), ("team$blue",)} and len(set(by_tag.values())) == 1
    assert ("team$",) in amounts(usage(ce, "tag:team"))
    one = usage(ce, Filter={"And": [{"Tags": {"Key": "team", "Values": ["red"]}}, {"Dimensions": {"Key": "USAGE_TYPE", "Values": ["vm."], "MatchOptions": ["STARTS_WITH"]}}]})
    assert D(one["ResultsByTime"][0]["Total"]["UnblendedCost"]["Amount"]) == by_tag["team$red",]
    none = usage(ce, "SERVICE", Filter={"Not": {"Tags": {"Key": "team", "MatchOptions": ["ABSENT"]}}})
    assert set(amounts(none)) == {(COMPUTE,)}
    assert not amounts(usage(ce, "SERVICE", Filter={"Or": [{"Tags": {"Key": "team", "Values": ["green"]}}]}))


def test_days_and_months(ce):
    period = {"Start": str(TODAY - datetime.timedelta(days=3)), "End": str(TODAY + datetime.timedelta(days=2))}
    days = usage(ce, metrics=["UnblendedCost", "AmortizedCost", "UsageQuantity"], period=period)["ResultsByTime"]
    assert [d["TimePeriod"]["Start"] for d in days] == [str(TODAY + datetime.timedelta(days=n)) for n in range(-3, 2)]
    assert days[0]["Total"]["UnblendedCost"] == {"Amount": "0", "Unit": "EUR"} and days[0]["Groups"] == [] and days[3]["Estimated"]
    assert days[3]["Total"]["UsageQuantity"]["Unit"] == "N/A" and D(days[3]["Total"]["UnblendedCost"]["Amount"]) > 0
    assert D(days[3]["Total"]["AmortizedCost"]["Amount"]) > 0
    whole = {"Start": str(TODAY.replace(day=1)), "End": str(TODAY + datetime.timedelta(days=1))}
    months = usage(ce, granularity="MONTHLY", period=whole)["ResultsByTime"]
    assert len(months) == 1 and months[0]["TimePeriod"] == whole and D(months[0]["Total"]["UnblendedCost"]["Amount"]) > 0


def test_values(dev, ce):
    values = ce.get_dimension_values(TimePeriod=PERIOD, Dimension="SERVICE")
    assert [v["Value"] for v in values["DimensionValues"]] == sorted([COMPUTE, OTHER]) and values["TotalSize"] == values["ReturnSize"] == 2
    names = {a["account_id"]: a["name"] for a in dev.command("account", "list")}
    for value in ce.get_dimension_values(TimePeriod=PERIOD, Dimension="LINKED_ACCOUNT")["DimensionValues"]:
        assert value["Attributes"]["description"] == names[value["Value"]]
    assert ce.get_tags(TimePeriod=PERIOD)["Tags"] == ["team"]
    assert ce.get_tags(TimePeriod=PERIOD, TagKey="team")["Tags"] == ["blue", "red"]
    assert ce.get_tags(TimePeriod=PERIOD, TagKey="team", SearchString="bl")["Tags"] == ["blue"]


def test_what_a_policy_denies(dev, ce):
    iam = dev.account.client("iam")
    iam.create_user(UserName="clerk")
    key = iam.create_access_key(UserName="clerk")["AccessKey"]
    clerk = type(dev.account)(dev, key["AccessKeyId"], key["SecretAccessKey"]).client("ce")
    with pytest.raises(botocore.exceptions.ClientError) as e:
        usage(clerk)
    assert e.value.response["Error"]["Code"] == "AccessDeniedException"
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ce:GetCostAndUsage", "Resource": "*"}]}
    iam.put_user_policy(UserName="clerk", PolicyName="p", PolicyDocument=json.dumps(policy))
    assert usage(clerk)["ResultsByTime"]
    with pytest.raises(botocore.exceptions.ClientError):
        clerk.get_tags(TimePeriod=PERIOD)


def refused(call, **words):
    with pytest.raises(botocore.exceptions.ClientError) as e:
        call(**words)
    return e.value.response["Error"]["Code"], e.value.response["Error"]["Message"]


@pytest.mark.parametrize("change, code, says", [
    ({"TimePeriod": {"Start": str(TODAY), "End": str(TODAY)}}, "ValidationException", "before end date"),
    ({"TimePeriod": {"Start": "2019-01-01", "End": "2019-01-02"}}, "ValidationException", "14 months"),
    ({"TimePeriod": {"Start": "yesterday", "End": "2019-01-02"}}, "ValidationException", "YYYY-MM-DD"),
    ({"Granularity": "HOURLY"}, "DataUnavailableException", "hourly"),
    ({"Granularity": "YEARLY"}, "ValidationException", "DAILY or MONTHLY"),
    ({"Metrics": ["NormalizedUsageAmount"]}, "ValidationException", "NormalizedUsageAmount"),
    ({"GroupBy": [{"Type": "DIMENSION", "Key": "PLATFORM"}]}, "ValidationException", "PLATFORM"),
    ({"GroupBy": [{"Type": "COST_CATEGORY", "Key": "c"}]}, "ValidationException", "COST_CATEGORY"),
    ({"GroupBy": [{"Type": "DIMENSION", "Key": "AZ"}] * 3}, "ValidationException", "two groups"),
    ({"Filter": {}}, "ValidationException", "exactly one root"),
    ({"Filter": {"CostCategories": {"Key": "c", "Values": ["v"]}}}, "ValidationException", "CostCategories"),
    ({"Filter": {"Dimensions": {"Key": "AZ", "Values": ["a"], "MatchOptions": ["CONTAINS"]}}}, "ValidationException", "CONTAINS"),
    ({"Filter": {"And": [{"Or": [{"Dimensions": {"Key": "AZ", "Values": ["a"]}}] * 150}] * 2}}, "LimitExceededException", "too large"),
    ({"NextPageToken": "x"}, "ValidationException", "NextPageToken"),
])
def test_what_is_wrong_or_not_built_is_refused(ce, change, code, says):
    words = {"TimePeriod": PERIOD, "Granularity": "DAILY", "Metrics": ["UnblendedCost"], **change}
    got, message = refused(ce.get_cost_and_usage, **words)
    assert got == code and says in message


def test_other_actions_and_bad_signatures(dev, ce):
    assert refused(ce.get_cost_forecast, TimePeriod=PERIOD, Metric="UNBLENDED_COST", Granularity="DAILY")[0] == "UnknownOperationException"
    stranger = type(dev.account)(dev, dev.account.key_id, "x" * 40).client("ce")
    assert refused(stranger.get_tags, TimePeriod=PERIOD)[0] == "InvalidSignatureException"
    answer = dev.account.send("POST", "/", {**dev.account.sign("POST", "", b"[]", "ce"), "X-Amz-Target": "AWSInsightsIndexService.GetTags",
                                            "Content-Type": "application/x-amz-json-1.1"}, b"[]")
    assert answer.status == 400 and json.loads(answer.text)["__type"] == "SerializationException"


def test_debians_aws(dev, ce, tmp_path):
    assert ce
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "AWS_DEFAULT_REGION": REGION, "AWS_PAGER": "", "AWS_ACCESS_KEY_ID": dev.account.key_id,
           "AWS_SECRET_ACCESS_KEY": dev.account.secret, "AWS_MAX_ATTEMPTS": "1"}
    done = subprocess.run(["/usr/bin/aws", "--endpoint-url", dev.url, "ce", "get-cost-and-usage", "--time-period", f"Start={PERIOD['Start']},End={PERIOD['End']}",
                           "--granularity", "DAILY", "--metrics", "UnblendedCost", "--group-by", "Type=DIMENSION,Key=SERVICE"],
                          env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
    assert {g["Keys"][0] for g in json.loads(done.stdout)["ResultsByTime"][0]["Groups"]} == {COMPUTE, OTHER}


def test_a_closed_month_is_final(dev, ce):
    assert subprocess.run([DARI, "--config", dev.config, "bill", "close", (TODAY.replace(day=1) - datetime.timedelta(days=1)).strftime("%Y-%m"),
                           "--grace-hours", "0"], capture_output=True, check=False).returncode == 0
    day = TODAY.replace(day=1) - datetime.timedelta(days=1)
    result = usage(ce, period={"Start": str(day), "End": str(day + datetime.timedelta(days=1))})["ResultsByTime"][0]
    assert result["Estimated"] is False


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/query src/api/ec2/core src/auth/sigv4 src/auth/canonical.c
"""The forms in which a request may come: POST, GET, presigned, of old dates, in odd letters; and
the form of what comes back."""
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import REGION, Dev, describes, dump  # noqa: E402
from waiting import HANG_S  # noqa: E402

TABLES = dump()


@pytest.fixture(scope="module")
def dev():
    with Dev() as dev:
        yield dev


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=HANG_S) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("action", describes(TABLES))
def test_method(dev, action, method):
    answer = dev.account.call(action, method=method)
    assert answer.status == 200 and answer.root.tag == action + "Response"
    assert answer.headers["Content-Type"] == "text/xml;charset=UTF-8"
    assert answer.headers["x-amzn-RequestId"] == answer.first("requestId") and re.fullmatch("[0-9a-f-]{36}", answer.first("requestId"))
    assert answer.same() == dev.account.call(action).same()


@pytest.mark.parametrize("version", ["2013-10-15", "2014-10-01", "2016-09-15", "2016-11-15"])
def test_version(dev, version):
    answer = dev.account.call("DescribeVpcs", version=version)
    assert answer.status == 200 and answer.xmlns == f"http://ec2.amazonaws.com/doc/{version}/"


@pytest.mark.parametrize("version, code", [("", "MissingParameter"), ("yesterday", "NoSuchVersion"), ("2016-11", "NoSuchVersion")])
def test_bad_version(dev, version, code):
    answer = dev.account.call("DescribeVpcs", version=version)
    assert (answer.status, answer.code) == (400, code) and "Version" in answer.message


def presigned(dev, expires=60, **params):
    client = dev.account.client()
    return client.generate_presigned_url("describe_vpcs", Params=params, ExpiresIn=expires, HttpMethod="GET")


def test_presigned(dev):
    status, _, text = get(presigned(dev, Filters=[{"Name": "is-default", "Values": ["true"]}]))
    assert status == 200 and "<isDefault>true</isDefault>" in text


def test_presigned_expired(dev):
    url = presigned(dev, expires=1)
    time.sleep(2.1)
    status, _, text = get(url)
    assert status == 400 and "<Code>RequestExpired</Code>" in text


def test_presigned_changed(dev):
    status, _, text = get(presigned(dev) + "&MaxResults=5")
    assert status in (401, 403) and re.search("<Code>(AuthFailure|SignatureDoesNotMatch)</Code>", text)


def test_error_form(dev):
    answer = dev.account.call("DescribeVpcs", {"VpcId.1": "vpc-0123456789abcdef0"})
    assert (answer.status, answer.xmlns, answer.root.tag) == (400, "", "Response")
    assert answer.first("Errors/Error/Code") == "InvalidVpcID.NotFound"
    assert answer.first("RequestID") == answer.headers["x-amzn-RequestId"]


@pytest.mark.parametrize("action, code", [("LaunchRockets", "InvalidAction"), (TABLES["unbuilt"][0], "UnsupportedOperation"), ("", "MissingAction")])
def test_action(dev, action, code):
    answer = dev.account.call(action)
    assert (answer.status, answer.code) == (400, code)


def test_identity(dev):
    answer = dev.account.call("GetCallerIdentity", version="2011-06-15", service="sts")
    assert answer.xmlns == "https://sts.amazonaws.com/doc/2011-06-15/"
    number = answer.first("GetCallerIdentityResult/Account")
    assert re.fullmatch(r"\d{12}", number) and number in answer.first("GetCallerIdentityResult/Arn")
    assert answer.first("ResponseMetadata/RequestId")


@pytest.mark.parametrize("text", ["plain", "a b+c&d=e%", "다리 \u00fc \U0001f309", "<&>\"'", "  around  ", "line\nline\ttab"])
def test_text_comes_back(dev, text):
    """What is sent as a tag comes back as it was, whatever it is made of."""
    vpc = dev.account.ok("DescribeVpcs").first(".//vpcId")
    for method in ("POST", "GET"):
        dev.account.ok("CreateTags", {"ResourceId.1": vpc, "Tag.1.Key": "text", "Tag.1.Value": text}, method=method)
        assert dev.account.ok("DescribeVpcs", {"VpcId.1": vpc}).first(".//tagSet/item/value") == text


def test_filter_escapes(dev):
    """A star in a value is found by an escaped one only as itself."""
    vpc = dev.account.ok("DescribeVpcs").first(".//vpcId")
    for value, pattern, found in [("a*b", r"a\*b", True), ("axb", r"a\*b", False), ("axb", "a?b", True), ("a?b", r"a\?b", True), (r"a\b", r"a\\b", True)]:
        dev.account.ok("CreateTags", {"ResourceId.1": vpc, "Tag.1.Key": "star", "Tag.1.Value": value})
        answer = dev.account.ok("DescribeVpcs", {"Filter.1.Name": "tag:star", "Filter.1.Value.1": pattern})
        assert bool(answer.all(".//vpcId")) == found, (value, pattern)


def test_regions(dev):
    """The endpoint that DescribeRegions names is where a client gets through."""
    answer = dev.account.ok("DescribeRegions")
    assert answer.all(".//regionName") == [REGION] and answer.first(".//regionEndpoint") == f"127.0.0.1:{dev.port}"


def test_aws(dev):
    """Debian's own command, with the lines that dari dev prints."""
    exports = "\n".join(line for line in dev.banner.splitlines() if line.startswith(("export AWS", "aws()")))
    script = exports + "\naws ec2 describe-vpcs --query 'Vpcs[].IsDefault' --output text"
    env = dict(os.environ, PATH="/usr/bin:/bin", HOME="/nonexistent")
    done = subprocess.run(["/bin/bash", "-euc", script], capture_output=True, text=True, env=env, check=False)
    assert done.stdout.strip() == "True", done.stderr


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

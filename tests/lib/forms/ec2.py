# SPDX-License-Identifier: Apache-2.0
"""EC2's request formats: POST, GET, presigned, with old dates, with unusual characters; and the format of answers."""
import contextlib
import os
import re
import subprocess
import time
import urllib.error
import urllib.request

from dev import REGION, Dev, describes
from faces import face
from waiting import HANG_S

TABLES = face.EC2
BAD_VERSIONS = {"": "MissingParameter", "yesterday": "NoSuchVersion", "2016-11": "NoSuchVersion", "2016-13-01": "NoSuchVersion", "2016-11-32": "NoSuchVersion"}
BAD_ACTIONS = {"LaunchRockets": "InvalidAction", TABLES["unbuilt"][0]: "UnsupportedOperation", "": "MissingAction"}
TEXTS = ["plain", "a b+c&d=e%", "다리 \u00fc \U0001f309", "<&>\"'", "  around  ", "line\nline\ttab"]


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=HANG_S) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


class EC2:
    name = "ec2"
    actions = {a["name"]: a for a in TABLES["actions"] if a["service"] == "ec2"}
    cases = {
        "post": describes(TABLES), "get": describes(TABLES), "version": ["2013-10-15", "2014-10-01", "2016-09-15", "2016-11-15", "2031-02-28"],
        "bad_version": list(BAD_VERSIONS), "presigned": ["as it is", "expired", "changed"], "errors": ["DescribeVpcs"], "bad_action": list(BAD_ACTIONS),
        "identity": ["GetCallerIdentity"], "text_comes_back": TEXTS, "filter_escapes": ["tag:star"], "regions": ["DescribeRegions"], "aws": ["describe-vpcs"]}

    @contextlib.contextmanager
    def make(self):
        with Dev() as dev:
            yield dev

    def post(self, dev, action):
        self.answer(dev, action, "POST")

    def get(self, dev, action):
        self.answer(dev, action, "GET")

    def answer(self, dev, action, method):
        answer = dev.account.call(action, method=method)
        assert answer.status == 200 and answer.root.tag == action + "Response", answer
        assert answer.headers["Content-Type"] == "text/xml;charset=UTF-8"
        assert answer.headers["x-amzn-RequestId"] == answer.first("requestId") and re.fullmatch("[0-9a-f-]{36}", answer.first("requestId"))
        assert answer.same() == dev.account.call(action).same()

    def version(self, dev, version):
        answer = dev.account.call("DescribeVpcs", version=version)
        assert answer.status == 200 and answer.xmlns == f"http://ec2.amazonaws.com/doc/{version}/"

    def bad_version(self, dev, version):
        answer = dev.account.call("DescribeVpcs", version=version)
        assert (answer.status, answer.code) == (400, BAD_VERSIONS[version]) and "Version" in answer.message, answer

    def presigned(self, dev, how):
        if how == "as it is":
            status, _, text = get(presign(dev, Filters=[{"Name": "is-default", "Values": ["true"]}]))
            assert status == 200 and "<isDefault>true</isDefault>" in text, text
        elif how == "expired":
            url = presign(dev, expires=1)
            time.sleep(2.1)
            status, _, text = get(url)
            assert status == 400 and "<Code>RequestExpired</Code>" in text, text
        else:
            status, _, text = get(presign(dev) + "&MaxResults=5")
            assert status in (401, 403) and re.search("<Code>(AuthFailure|SignatureDoesNotMatch)</Code>", text), text

    def errors(self, dev, action):
        answer = dev.account.call(action, {"VpcId.1": "vpc-0123456789abcdef0"})
        assert (answer.status, answer.xmlns, answer.root.tag) == (400, "", "Response")
        assert answer.first("Errors/Error/Code") == "InvalidVpcID.NotFound"
        assert answer.first("RequestID") == answer.headers["x-amzn-RequestId"]

    def bad_action(self, dev, action):
        answer = dev.account.call(action)
        assert (answer.status, answer.code) == (400, BAD_ACTIONS[action]), answer

    def identity(self, dev, action):
        answer = dev.account.call(action, version="2011-06-15", service="sts")
        assert answer.xmlns == "https://sts.amazonaws.com/doc/2011-06-15/"
        number = answer.first("GetCallerIdentityResult/Account")
        assert re.fullmatch(r"\d{12}", number) and number in answer.first("GetCallerIdentityResult/Arn")
        assert answer.first("ResponseMetadata/RequestId")

    def text_comes_back(self, dev, text):
        """A tag is returned unchanged, whatever characters it has."""
        vpc = dev.account.ok("DescribeVpcs").first(".//vpcId")
        for method in ("POST", "GET"):
            dev.account.ok("CreateTags", {"ResourceId.1": vpc, "Tag.1.Key": "text", "Tag.1.Value": text}, method=method)
            assert dev.account.ok("DescribeVpcs", {"VpcId.1": vpc}).first(".//tagSet/item/value") == text

    def filter_escapes(self, dev, name):
        """An escaped star in a filter matches only a literal star."""
        vpc = dev.account.ok("DescribeVpcs").first(".//vpcId")
        for value, pattern, found in [("a*b", r"a\*b", True), ("axb", r"a\*b", False), ("axb", "a?b", True), ("a?b", r"a\?b", True), (r"a\b", r"a\\b", True)]:
            dev.account.ok("CreateTags", {"ResourceId.1": vpc, "Tag.1.Key": "star", "Tag.1.Value": value})
            answer = dev.account.ok("DescribeVpcs", {"Filter.1.Name": name, "Filter.1.Value.1": pattern})
            assert bool(answer.all(".//vpcId")) == found, (value, pattern)

    def regions(self, dev, action):
        """The endpoint in DescribeRegions works for clients."""
        answer = dev.account.ok(action)
        assert answer.all(".//regionName") == [REGION] and answer.first(".//regionEndpoint") == f"127.0.0.1:{dev.port}"

    def aws(self, dev, command):
        """Debian's aws command, with the lines printed by dari dev."""
        exports = "\n".join(line for line in dev.banner.splitlines() if line.startswith(("export AWS", "aws()")))
        script = exports + f"\naws ec2 {command} --query 'Vpcs[].IsDefault' --output text"
        env = dict(os.environ, PATH="/usr/bin:/bin", HOME="/nonexistent")
        done = subprocess.run(["/bin/bash", "-euc", script], capture_output=True, text=True, env=env, check=False)
        assert done.stdout.strip() == "True", done.stderr


def presign(dev, expires=60, **params):
    client = dev.account.client()
    return client.generate_presigned_url("describe_vpcs", Params=params, ExpiresIn=expires, HttpMethod="GET")

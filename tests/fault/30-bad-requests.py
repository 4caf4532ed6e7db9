#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/http src/api/query
"""Bad requests get the documented code with the parameter's name, and leave no trace."""
import datetime
import os
import socket
import sys
import urllib.error
import urllib.parse
import urllib.request

import botocore.auth
import botocore.awsrequest
import botocore.credentials

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from region import Region, image_of  # noqa: E402
from waiting import HANG_S  # noqa: E402


class Raw:
    """Sends requests that no client would send."""

    def __init__(self, region, key):
        self.region, self.key = region, key
        self.url = f"http://127.0.0.1:{region.port}/"

    def sign(self, body, secret=None, when=None):
        request = botocore.awsrequest.AWSRequest("POST", self.url, data=body, headers={
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8"})
        credentials = botocore.credentials.Credentials(self.key["access_key_id"], secret or self.key["secret_access_key"])
        signer = botocore.auth.SigV4Auth(credentials, "ec2", "us-east-1")
        signer.add_auth(request)
        if when:
            stamp = when.strftime("%Y%m%dT%H%M%SZ")
            request.headers.replace_header("X-Amz-Date", stamp)
            request.context["timestamp"] = stamp
            del request.headers["Authorization"]
            request.headers["Authorization"] = "AWS4-HMAC-SHA256 Credential=" + signer.scope(request) + \
                ", SignedHeaders=content-type;host;x-amz-date, Signature=" + \
                signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
        return dict(request.headers.items())

    def send(self, body, headers):
        request = urllib.request.Request(self.url, data=body, headers=headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=HANG_S) as answer:
                return answer.status, answer.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")
        except OSError as error:
            return 0, str(error)

    def call(self, parameters, **how):
        body = parameters if isinstance(parameters, bytes) else urllib.parse.urlencode(parameters).encode()
        return self.send(body, self.sign(body, **how))

    def expect(self, words, status, code, parameters, naming="", **how):
        got, body = self.call(parameters, **how)
        fine = got == status and f"<Code>{code}</Code>" in body and naming in body
        self.region.check(f"{words}: {status} {code} {naming}" + ("" if fine else f" (was {got}: {' '.join(body.split())[:300]})"), fine)


def action(name, **more):
    return {"Action": name, "Version": "2016-11-15", **more}


def signatures(raw):
    now = datetime.datetime.utcnow()
    raw.expect("wrong secret", 401, "AuthFailure", action("DescribeVpcs"), secret="x" * 40)
    raw.expect("an hour late", 400, "RequestExpired", action("DescribeVpcs"), when=now - datetime.timedelta(hours=1))
    raw.expect("an hour early", 400, "RequestExpired", action("DescribeVpcs"), when=now + datetime.timedelta(hours=1))
    status, body = raw.send(b"Action=DescribeVpcs&Version=2016-11-15", {})
    raw.region.check(f"no signature at all: {status}", status in (400, 401) and "<Code>" in body)
    body = b"Action=DescribeVpcs&Version=2016-11-15"
    headers = raw.sign(body)
    status, answer = raw.send(body + b"&DryRun=true", headers)
    raw.region.check("a body that was not signed", status == 401 and "AuthFailure" in answer)


def parameters(raw, ami):
    raw.expect("no such action", 400, "InvalidAction", action("LaunchRockets"))
    raw.expect("an action not built", 400, "UnsupportedOperation", action("CreateTransitGatewayConnect"))
    raw.expect("missing parameter", 400, "MissingParameter", action("RunInstances", MinCount=1, MaxCount=1), "ImageId")
    raw.expect("not a number", 400, "InvalidParameterValue", action("RunInstances", ImageId=ami, MinCount="two", MaxCount=2),
               "minCount")
    raw.expect("malformed id", 400, "InvalidInstanceID.Malformed", action("DescribeInstances", **{"InstanceId.1": "i-xyz"}))
    raw.expect("id not there", 400, "InvalidInstanceID.NotFound",
               action("DescribeInstances", **{"InstanceId.1": "i-0123456789abcdef0"}))
    raw.expect("impossible CIDR", 400, "InvalidParameterValue", action("CreateVpc", CidrBlock="10.0.0.0/99"), "10.0.0.0/99")
    raw.expect("CIDR out of range", 400, "InvalidVpc.Range", action("CreateVpc", CidrBlock="10.0.0.0/8"))
    raw.expect("bad filter", 400, "InvalidParameterValue",
               action("DescribeInstances", **{"Filter.1.Name": "colour", "Filter.1.Value.1": "red"}), "colour")
    raw.expect("broken UTF-8", 400, "InvalidParameterValue",
               b"Action=CreateTags&Version=2016-11-15&ResourceId.1=" + ami.encode() + b"&Tag.1.Key=%ff%fe&Tag.1.Value=x")
    raw.expect("huge list", 400, "InvalidRequest",
               action("DescribeInstances", **{f"InstanceId.{k}": "i-0123456789abcdef0" for k in range(1, 3001)}), "2000 parameters")


def sizes(raw):
    status, body = raw.send(b"x" * 10_000_000, {"Content-Type": "application/x-www-form-urlencoded"})
    raw.region.check(f"a body of 10 MB is refused: {status}", status in (0, 413))
    with socket.create_connection(("127.0.0.1", raw.region.port), timeout=HANG_S) as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: y\r\n" % k for k in range(20000)) + b"\r\n")
        answer = s.recv(64)
        raw.region.check(f"20,000 headers are refused: {answer[:20]}", answer[9:10] == b"4" or answer == b"")
    with socket.create_connection(("127.0.0.1", raw.region.port), timeout=HANG_S) as s:
        s.sendall(os.urandom(4096))
        raw.region.check("noise does no harm", s.recv(64) is not None)


def strangers(region, mine, theirs):
    """Another account's ids look like unknown ones."""
    vpc = mine.describe_vpcs()["Vpcs"][0]["VpcId"]
    subnet = mine.describe_subnets()["Subnets"][0]["SubnetId"]
    group = mine.describe_security_groups()["SecurityGroups"][0]["GroupId"]
    address = mine.allocate_address(Domain="vpc")["AllocationId"]
    region.refuses("another's VPC", "InvalidVpcID.NotFound", theirs.delete_vpc, VpcId=vpc)
    region.refuses("another's subnet", "InvalidSubnetID.NotFound", theirs.delete_subnet, SubnetId=subnet)
    region.refuses("another's group", "InvalidGroup.NotFound", theirs.delete_security_group, GroupId=group)
    region.refuses("another's address", "InvalidAllocationID.NotFound", theirs.release_address, AllocationId=address)
    region.refuses("tags on another's VPC", "InvalidVpcID.NotFound", theirs.create_tags, Resources=[vpc],
                   Tags=[{"Key": "a", "Value": "b"}])
    mine.release_address(AllocationId=address)


def rows(region):
    """Number of rows of each kind in the database, without kinds that grow by themselves (events, usage and its ledger, metrics), and
    without the record that the audit log adds once a minute for a key that proves nothing."""
    import sqlite3
    with sqlite3.connect(f"file:{region.demo}/data/dari.db?mode=ro", uri=True) as db:
        tables = [r[0] for r in db.execute("select name from sqlite_master where type = 'table'")]
        where = {"audit": " where action <> 'dari:ProveKey'"}
        return {t: db.execute(f'select count(*) from "{t}"{where.get(t, "")}').fetchone()[0] for t in tables
                if t not in ("event", "usage", "ledger", "series", "meta", "condition") and not t.startswith("sqlite")}


def main():
    with Region("fb") as region:
        key = region.command("account", "create", "one")
        mine = region.client(key["access_key_id"], key["secret_access_key"])
        theirs = region.account("two")
        raw = Raw(region, key)
        before = rows(region)
        signatures(raw)
        parameters(raw, image_of(mine))
        sizes(raw)
        strangers(region, mine, theirs)
        after = rows(region)
        after.pop("address", None), before.pop("address", None)
        region.check(f"no trace is left {set(after.items()) ^ set(before.items())}", after == before)
        region.check("it still answers", bool(mine.describe_vpcs()["Vpcs"]) and region.health() != {})
        region.check_clean()


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/http src/api/core src/base/xml src/base/json_write
"""Malformed bodies to every face that reads documents: JSON of another type, too deep, truncated, with half a character; CBOR with altered bytes.
Each is refused as the client's error, and the server exits normally. Under a sanitizer (tests/lib/sanitized.sh) an overread or a double free ends
the server."""
import json
import os
import random
import struct
import sys
import urllib.error
import urllib.request

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
from dev import REGION, Dev  # noqa: E402
from waiting import HANG_S  # noqa: E402

DEEP = 2000  # jansson's limit is 2048
STRANGE = {
    "list": b"[]", "list of lists": b"[[[]], {}]", "text": b'"x"', "number": b"1", "null": b"null", "open": b"{", "closed twice": b"{}}",
    "comment": b"{/**/}", "twice the same": b'{"a": 1, "a": 2}', "half a pair": b'{"a": "\\ud800"}', "nul": b'{"a": "\\u0000"}',
    "no UTF-8": b'{"a": "\xc3"}', "mark": b"\xef\xbb\xbf{}", "too large": b'{"a": 1e999}', "too long": b'{"a": 99999999999999999999}',
    "deep lists": b"[" * DEEP + b"]" * DEEP, "deeper lists": b"[" * 50000, "deep objects": b'{"a":' * DEEP + b"1" + b"}" * (DEEP + 1)}
OPERATION = "/service/GraniteServiceVersion20100801/operation/ListMetrics"
JSON = {"Content-Type": "application/json"}
CHANGED = 400


@pytest.fixture(scope="module")
def dev():
    dev = Dev()
    yield dev
    assert dev.end() == 0


def send(dev, method, path, headers, body):
    request = urllib.request.Request(dev.url + path, method=method, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=HANG_S) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as failed:
        return failed.code, failed.read()


def signed(dev, path, service, body, headers):
    request = botocore.awsrequest.AWSRequest("POST", dev.url + path, data=body, headers=headers)
    credentials = botocore.credentials.Credentials(dev.account.key_id, dev.account.secret)
    botocore.auth.SigV4Auth(credentials, service, REGION).add_auth(request)
    return send(dev, "POST", path, dict(request.headers.items()), body)


@pytest.fixture(scope="module")
def places(dev, tmp_path_factory):
    """{name: function that sends a body there}"""
    secret = tmp_path_factory.mktemp("desk") / "secret"
    secret.write_text("a secret of sixteen letters")
    own = cloud.own(dev)
    image = own.ok("GET", "/image/v2/images")["images"][0]["id"]
    desk = dev.command("desk", "add", "hook", "--driver", "webhook", "--url", "http://127.0.0.1:9/", "--secret-file", str(secret), "--inbound")["token"]
    ticket = "/tmf-api/troubleTicket/v4/troubleTicket"
    token = {**JSON, "X-Auth-Token": own.token}

    def to(method, path, headers):
        return lambda body: send(dev, method, path, headers, body)

    def aws(service, target, kind="application/x-amz-json-1.1"):
        return lambda body: signed(dev, "/", service, body, {"X-Amz-Target": target, "Content-Type": kind})
    found = {"tokens": to("POST", "/identity/v3/auth/tokens", JSON),
             "image patch": to("PATCH", f"/image/v2/images/{image}", {**token, "Content-Type": "application/openstack-images-v2.1-json-patch"}),
             "session": to("POST", "/api/v1/session", {**JSON, "Sec-Fetch-Site": "same-origin"}),
             "instances": to("POST", "/api/v1/instances", token),
             "ticket": to("POST", ticket, {**JSON, "Authorization": f"Bearer {desk}"}),
             "ticket patch": to("PATCH", ticket + "/t-0123456789abcdef0", {"Content-Type": "application/json-patch+json", "Authorization": f"Bearer {desk}"}),
             "support": aws("support", "AWSSupport_20130415.CreateCase"),
             "certificate": aws("acm", "CertificateManager.ImportCertificate"),
             "secret": to("POST", "/key-manager/v1/secrets", token),
             "events": aws("events", "AWSEvents.PutEvents"),
             "connect": aws("ec2-instance-connect", "AWSEC2InstanceConnectService.SendSSHPublicKey"),
             "rule": aws("events", "AWSEvents.PutRule"),
             "target": aws("events", "AWSEvents.PutTargets"),
             "cost": aws("ce", "AWSInsightsIndexService.GetCostAndUsage"),
             "figures": aws("monitoring", "GraniteServiceVersion20100801.GetMetricData", "application/x-amz-json-1.0")}
    for path in ("/compute/v2.1/servers", "/network/v2.0/networks", f"/volume/v3/{own.id}/volumes", "/image/v2/images"):
        found[path] = to("POST", path, token)
    return found


def test_documents(places):
    strange = [f"{place}: {name}: {status} {said[:200]!r}" for place, ask in places.items() for name, body in STRANGE.items()
               for status, said in [ask(body)] if not 400 <= status < 500]
    assert not strange, "\n".join(strange)


# ---- CBOR

def cbor(value):
    if isinstance(value, (int, float)):
        return struct.pack(">Bd", 0xfb, value)
    if isinstance(value, str):
        return struct.pack(">BH", 0x79, len(value)) + value.encode()
    items = [cbor(x) for pair in value.items() for x in pair] if isinstance(value, dict) else [cbor(x) for x in value]
    return struct.pack(">BH", 0xb9 if isinstance(value, dict) else 0x99, len(value)) + b"".join(items)


GOOD = cbor({"Namespace": "AWS/EC2", "MetricName": "CPUUtilization", "Dimensions": [{"Name": "InstanceId", "Value": "i-0123456789abcdef0"}]})


def change(draw, body):
    """Replaces, removes and repeats a few bytes."""
    body = bytearray(body)
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(body))
        end = min(len(body), at + draw.randint(1, 8))
        kind = draw.randrange(3)
        if kind == 0:
            body[at] = draw.choice([0, 0x1f, 0x5f, 0x7f, 0x9f, 0xbf, 0xdf, 0xff, 0x9b, 0xbb, 0x7b, draw.randrange(256)])
        elif kind == 1 and len(body) > 8:
            del body[at:end]
        else:
            body[at:at] = body[at:end]
    return bytes(body)


def test_cbor(dev):
    def ask(body):
        return signed(dev, OPERATION, "monitoring", body, {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"})
    assert ask(GOOD)[0] == 200
    draw = random.Random(1)
    deep = b"\xa1\x61a" + b"\x81" * 60000 + b"\xf6"
    long = b"\xa1\x7b" + b"\xff" * 8
    for body in (b"", b"\x80", b"\xff", b"\xbf", b"\xa1", deep, long, b"\xa1\x61a\x9b" + b"\xff" * 8, b"\xa1\x61a\xdf", b"\xa1\x61a" + b"\xc0" * 60000):
        assert ask(body)[0] in ((200, 400) if not body else (400,)), body[:20]
    for _ in range(CHANGED):
        body = change(draw, GOOD)
        status, said = ask(body)
        assert status in (200, 400), f"{body!r}: {status} {said!r}"


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

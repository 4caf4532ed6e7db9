#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Signs requests with botocore, as of one fixed instant, and writes them as C rows for
test_sigv4.c:  make_requests.py >botocore_requests.inc"""

import datetime
import hashlib
import types
from urllib.parse import urlsplit

import botocore.auth
import botocore.awsrequest
import botocore.credentials

NOW = datetime.datetime(2015, 8, 30, 12, 36, 0)
KEY = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}


class Frozen(datetime.datetime):
    @classmethod
    def utcnow(cls):
        return NOW


botocore.auth.datetime = types.SimpleNamespace(datetime=Frozen, timedelta=datetime.timedelta)

# name, method, URL, headers, body, service, region, presigned for so many seconds
REQUESTS = [
    ("a form", "POST", "http://127.0.0.1:8774/", FORM,
     "Action=DescribeInstances&Version=2016-11-15", "ec2", "home-1", 0),
    ("no body", "GET", "http://api.example/", {}, "", "ec2", "home-1", 0),
    ("a query", "GET", "http://api.example/?Version=2016-11-15&Action=DescribeRegions&Z=~%2F&b=&a=2&a=1", {},
     "", "ec2", "home-1", 0),
    ("UTF-8", "POST", "http://api.example/", FORM,
     "Action=CreateTags&Tag.1.Value=%EB%8B%A4%EB%A6%AC", "ec2", "home-1", 0),
    ("IAM in us-east-1", "POST", "http://api.example/", FORM, "Action=ListUsers&Version=2010-05-08",
     "iam", "us-east-1", 0),
    ("IAM at home", "POST", "http://api.example/", FORM, "Action=ListUsers", "iam", "home-1", 0),
    ("odd headers", "GET", "http://api.example/", {"X-Odd": "  a   b    c  ", "X-Empty": ""}, "", "sts", "home-1", 0),
    ("a path", "GET", "http://api.example/a%20b/./c//../%7Ed/e~f/", {}, "", "ec2", "home-1", 0),
    ("a body hash", "POST", "http://api.example/",
     {"X-Amz-Content-SHA256": "filled in by sign()"},
     "Action=GetCallerIdentity", "sts", "home-1", 0),
    ("presigned", "GET", "https://api.example/?Action=GetCallerIdentity&Version=2011-06-15", {}, "",
     "sts", "us-east-1", 900),
    ("presigned for a week", "GET", "https://api.example/", {}, "", "ec2", "home-1", 604800),
]


def sign(method, url, headers, body, service, region, expires):
    headers = dict(headers)
    if headers.get("X-Amz-Content-SHA256"):
        headers["X-Amz-Content-SHA256"] = hashlib.sha256(body.encode()).hexdigest()
    request = botocore.awsrequest.AWSRequest(method=method, url=url, headers=headers, data=body)
    credentials = botocore.credentials.Credentials(*KEY)
    if expires:
        botocore.auth.SigV4QueryAuth(credentials, service, region, expires=expires).add_auth(request)
    else:
        botocore.auth.SigV4Auth(credentials, service, region).add_auth(request)
    return request


def main():
    print("/* SPDX-License-Identifier: Apache-2.0")
    print(" * Made by make_requests.py with botocore's signer; not to be edited. */")
    for name, method, url, headers, body, service, region, expires in REQUESTS:
        request = sign(method, url, headers, body, service, region, expires)
        parts = urlsplit(request.url)
        target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
        lines = [f"{method} {target} HTTP/1.1", f"Host: {parts.netloc}"]
        lines += [f"{k}: {v}" for k, v in request.headers.items() if k.lower() != "host"]
        text = "\r\n".join(lines) + "\r\n\r\n" + body
        quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("\r\n", '\\r\\n"\n\t  "')
        print(f'\t{{ "{name}", "{service}",\n\t  "{quoted}" }},')


main()

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/absent
"""Requests for AWS services that the region does not have: their clients understand the refusal, and do not retry. The table of services is compared
with botocore's models."""
import glob
import json
import os
import re
import sys
import urllib.error
import urllib.request

import boto3
import botocore
import botocore.config
import botocore.exceptions
import botocore.session
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import warm  # noqa: E402
from dev import REGION, ROOT, Dev  # noqa: E402
from waiting import HANG_S  # noqa: E402

AWS = "/usr/bin/aws"
SERVICE_ERROR = 254  # exit status of aws if the service answered an error
HERE = {"acm", "autoscaling", "backup", "ec2", "ec2-instance-connect", "iam", "sts", "ce", "support", "ebs", "sqs", "sns", "events", "dlm"}
NEWER = {"s3express"}  # newer than Debian's botocore, or without a model of their own
OF_S3 = {"s3-object-lambda"}  # S3's client signs for it
FORMS = {"ec2": "QUERY", "query": "QUERY", "rest-json": "REST_JSON", "rest-xml": "REST_XML"}


# ---- the table

def read_models():
    """Service name in signatures → protocols, and namespaces of their XML."""
    models = {}
    for folder in glob.glob(os.path.join(os.path.dirname(botocore.__file__), "data/*/")):
        versions = sorted(glob.glob(folder + "*/service-2.json"))
        if not versions:
            continue
        with open(versions[-1], encoding="utf-8") as page:
            about = json.load(page)["metadata"]
        form = FORMS.get(about["protocol"]) or "JSON_" + about["jsonVersion"].replace(".", "_")
        name = about.get("signingName", about["endpointPrefix"])
        forms, spaces = models.setdefault(name, (set(), set()))
        forms.add("S3" if about["endpointPrefix"] == "s3" else form)
        spaces.add(about.get("xmlNamespace") if form == "QUERY" else None)
    return models


def read_table():
    with open(os.path.join(ROOT, "src/api/absent/services.def"), encoding="utf-8") as page:
        rows = re.findall(r'^SERVICE\("([^"]+)", (\w+), (?:NULL|"([^"]+)")\)$', page.read(), re.MULTILINE)
    return [(name, form, space or None) for name, form, space in rows]


def test_table():
    models, table = read_models(), read_table()
    names = [name for name, _, _ in table]
    assert names == sorted(set(names)), "sorted, and each once"
    assert set(models) - set(names) == HERE
    assert set(names) - set(models) - NEWER - OF_S3 == set()
    for name, form, space in table:
        if name not in models:
            continue
        forms, spaces = models[name]
        assert form in forms, name
        # headers distinguish JSON calls from others of the name, and paths distinguish REST from the query protocol
        assert "QUERY" not in forms or form == "QUERY", name
        assert space in spaces or form == "REST_XML", name


# ---- clients

@pytest.fixture(scope="module", name="dev")
def start_dev():
    with Dev() as dev:
        yield dev


def count_requests(dev):
    with urllib.request.urlopen(dev.url + "/metrics", timeout=HANG_S) as answer:
        return int(re.search(rb"^dari_http_requests_total(?:{[^}]*})? (\d+)$", answer.read(), re.MULTILINE)[1])


class Counted:
    """Counts requests: exactly one must be sent, besides the counting one."""

    def __init__(self, dev):
        self.dev = dev

    def __enter__(self):
        self.before = count_requests(self.dev)

    def __exit__(self, kind, *_):
        assert kind or count_requests(self.dev) - self.before == 2, "the client tries again"


COMMANDS = [  # command line, the service that it is signed for, code
    ("s3api list-objects-v2 --bucket things", "s3", "MethodNotAllowed"),
    ("rds delete-db-instance --db-instance-identifier a", "rds", "InvalidAction"),
    ("cloudformation delete-stack --stack-name a", "cloudformation", "InvalidAction"),
    ("redshift delete-cluster --cluster-identifier a", "redshift", "InvalidAction"),
    ("ses verify-email-identity --email-address a@b", "ses", "InvalidAction"),
    ("sesv2 get-account", "ses", "UnknownOperationException"),
    ("ssm get-parameter --name a", "ssm", "UnknownOperationException"),
    ("dynamodb delete-table --table-name abc", "dynamodb", "UnknownOperationException"),
    ("kms list-keys", "kms", "UnknownOperationException"),
    ("secretsmanager delete-secret --secret-id a", "secretsmanager", "UnknownOperationException"),
    ("logs create-log-group --log-group-name a", "logs", "UnknownOperationException"),
    ("ecs create-cluster", "ecs", "UnknownOperationException"),
    ("resourcegroupstaggingapi get-resources", "tagging", "UnknownOperationException"),
    ("service-quotas list-services", "servicequotas", "UnknownOperationException"),
    ("eks describe-cluster --name a", "eks", "UnknownOperationException"),
    ("lambda get-function --function-name a", "lambda", "UnknownOperationException"),
    ("route53 list-hosted-zones", "route53", "InvalidAction"),
    ("cloudfront list-distributions", "cloudfront", "InvalidAction"),
    ("efs delete-file-system --file-system-id a", "elasticfilesystem", "UnknownOperationException"),
    ("organizations create-organization", "organizations", "UnknownOperationException"),
]


@pytest.mark.parametrize("line, service, code", COMMANDS)
def test_command(dev, tmp_path, line, service, code):
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "AWS_DEFAULT_REGION": REGION, "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "3",
           "AWS_ACCESS_KEY_ID": dev.account.key_id, "AWS_SECRET_ACCESS_KEY": dev.account.secret}
    with Counted(dev):
        done = warm.run([AWS, "--endpoint-url", dev.url, *line.split()], env, cwd=str(tmp_path))
    assert done.returncode == SERVICE_ERROR, done.stderr
    assert f"({code})" in done.stderr and f"The service {service} is not in this region, which has acm, autoscaling, backup, ce, dlm, ebs, ec2, ec2-instance-connect, elasticloadbalancing, events, iam, monitoring, sns, sqs, sts and support." in done.stderr


@pytest.mark.parametrize("operation", ["describe_organization", "list_accounts", "list_roots"])
def test_account_is_in_no_organization(dev, operation):
    client = boto3.client("organizations", endpoint_url=dev.url, region_name=REGION, aws_access_key_id=dev.account.key_id,
                          aws_secret_access_key=dev.account.secret)
    with pytest.raises(client.exceptions.AWSOrganizationsNotInUseException, match="Your account is not a member of an organization"):
        getattr(client, operation)()


# ---- lists that are empty

def read_lists():
    with open(os.path.join(ROOT, "src/api/absent/empty_lists.def"), encoding="utf-8") as page:
        return re.findall(r'^EMPTY\("([^"]+)", "([^"]+)", (?:NULL|"([^"]+)"), "([^"]*)"\)$', page.read(), re.MULTILINE)


def find_operations():
    """(service in signatures, operation or method and path, version) → botocore's client and its operation."""
    session, found = botocore.session.get_session(), {}
    for client in session.get_available_services():
        model = session.get_service_model(client)
        name = model.metadata.get("signingName", model.metadata["endpointPrefix"])
        for operation in model.operation_names:
            http = model.operation_model(operation).http
            is_rest = model.metadata["protocol"].startswith("rest")
            key = f"{http['method']} {http['requestUri'].split('?')[0].rstrip('/') or '/'}" if is_rest else operation
            found.setdefault((name, key, model.api_version), (client, operation))
            found.setdefault((name, key, ""), (client, operation))
    return found


@pytest.fixture(scope="module", name="operations")
def operations_():
    return find_operations()


def ask_list(dev, operations, row, secret):
    service, key, version, _ = row
    client_name, operation = operations[service, key, version]
    config = botocore.config.Config(retries={"max_attempts": 0}, inject_host_prefix=False, s3={"addressing_style": "path"}, parameter_validation=False)
    client = boto3.client(client_name, endpoint_url=dev.url, region_name=REGION, config=config,
                          aws_access_key_id=dev.account.key_id, aws_secret_access_key=secret)
    return getattr(client, botocore.xform_name(operation))()


@pytest.mark.parametrize("row", read_lists(), ids=lambda row: f"{row[0]}-{row[1]}")
def test_empty_list(dev, operations, row):
    if (row[0], row[1], row[2]) not in operations:
        assert row[0] in {"kafka", "pipes", "scheduler"}, "no model has this list"  # newer than some models
        return
    answer = ask_list(dev, operations, row, dev.account.secret)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert not row[3] or not any(answer[member] for member in answer if member != "ResponseMetadata" and isinstance(answer[member], list))


@pytest.mark.parametrize("name", ["cloudformation", "ecs", "lambda", "s3"])
def test_empty_list_needs_a_signature(dev, operations, name):
    row = next(row for row in read_lists() if row[0] == name)
    with pytest.raises(botocore.exceptions.ClientError) as failure:
        ask_list(dev, operations, row, "not the secret")
    assert failure.value.response["Error"]["Code"] in {"SignatureDoesNotMatch", "InvalidSignatureException"}


CALLS = [
    ("s3", "put_object", {"Bucket": "things", "Key": "a", "Body": b"x" * 3_000_000}, 413),
    ("s3", "head_bucket", {"Bucket": "things"}, 405),
    ("s3", "head_object", {"Bucket": "things", "Key": "a"}, 405),
    ("kms", "encrypt", {"KeyId": "a", "Plaintext": b"x"}, 400),
    ("eks", "delete_cluster", {"name": "a"}, 400),
    ("lambda", "invoke", {"FunctionName": "a"}, 400),
    ("route53", "create_hosted_zone", {"Name": "example.com", "CallerReference": "1"}, 400),
    ("redshift", "delete_cluster", {"ClusterIdentifier": "a"}, 400),
    ("dynamodb", "put_item", {"TableName": "table", "Item": {"k": {"S": "v"}}}, 400),
]


@pytest.mark.parametrize("mode", ["legacy", "standard"])
@pytest.mark.parametrize("service, call, asked, status", CALLS)
def test_boto3(dev, mode, service, call, asked, status):
    config = botocore.config.Config(retries={"mode": mode, "max_attempts": 3}, s3={"addressing_style": "path"}, inject_host_prefix=False)
    client = boto3.client(service, endpoint_url=dev.url, region_name=REGION, config=config,
                          aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="nobody's")
    with Counted(dev), pytest.raises(botocore.exceptions.ClientError) as failure:
        getattr(client, call)(**asked)
    answer = failure.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status and answer["ResponseMetadata"]["RetryAttempts"] == 0
    assert call.startswith("head") or "is not in this region, which has acm, autoscaling, backup, ce, dlm, ebs, ec2, ec2-instance-connect, elasticloadbalancing, events, iam, monitoring, sns, sqs, sts and support." in answer["Error"]["Message"]


def test_presigned(dev):
    client = boto3.client("s3", endpoint_url=dev.url, region_name=REGION, aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="s",
                          config=botocore.config.Config(signature_version="s3v4", s3={"addressing_style": "path"}))
    # a bucket whose name is a prefix of an OpenStack path
    url = client.generate_presigned_url("get_object", Params={"Bucket": "image", "Key": "v2/images"})
    with pytest.raises(urllib.error.HTTPError) as failure:
        urllib.request.urlopen(url, timeout=HANG_S)
    assert failure.value.code == 405 and b"<Code>MethodNotAllowed</Code>" in failure.value.read()
    assert failure.value.headers["Content-Type"] == "application/xml"


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: always
# subjects: src/api/azure
"""Each call of Azure's face, from its tables: without a token, with a token for something else, in a version that there is not,
in another's subscription, by somebody whom nothing is allowed, and with each of its parameters mutated by itself. Each is
refused in ARM's form, and nothing has changed."""
import json
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from azure import Cloud  # noqa: E402
from dev import DARI, Dev  # noqa: E402

TABLES = json.loads(subprocess.run([DARI, "dump", "azure"], check=True, capture_output=True).stdout)["actions"]
# Only what a body holds is mutated: paths and queries have cases of their own.
CALLS = {f"{a['method']} {a['path']}": {**a, "params": [p for p in a["params"] if p["in"] == "body"]} for a in TABLES}
# What ARM is asked for by a token; the sign-in, and what is told before it, have tests of their own.
ASKED = sorted(n for n, a in CALLS.items() if not a["open"])
IN_SUBSCRIPTION = [n for n in ASKED if "{subscriptionId}" in n]
CHANGES = [n for n in IN_SUBSCRIPTION if not n.startswith(("GET", "HEAD"))]
ABSENT = "b8dc7e2f-0000-4000-8000-000000000000"
WRONG = {"boolean": ["maybe"], "integer": ["x", 1.5], "string": [{}, ["x"]], "object": ["x", 7, []], "map": ["x", 7], "list": ["x", 7]}


@pytest.fixture(scope="module")
def cloud():
    with Dev("--tls") as dev:
        here = Cloud(dev)
        os.environ.update(AWS_CA_BUNDLE=here.ca, SSL_CERT_FILE=here.ca)
        here.stranger = dev.new_account("stranger")
        iam = dev.account.client("iam")
        iam.create_user(UserName="nobody")
        key = iam.create_access_key(UserName="nobody")["AccessKey"]
        here.nobody = type(dev.account)(dev, key["AccessKeyId"], key["SecretAccessKey"])
        here.own, here.others = here.subscription(), here.subscription(here.stranger)
        here.token_of(here.nobody)
        yield here


@pytest.fixture(autouse=True)
def nothing_changes(request, cloud):
    """Nothing is committed, but for the audit log's records."""
    cloud.dev.rest()
    before = cloud.dev.commits()
    yield
    assert cloud.dev.commits() == before or CALLS[request.node.callspec.params["name"]]["recorded"] != "never"


def path_of(name, subscription, **known):
    """The call's path, whose variables name what is not there."""
    path = name.split(" ", 1)[1].replace("/subscriptions/{subscriptionId}", subscription)
    for variable in re.findall(r"\{(\w+)\}", path):
        words = {"resourceGroupName": "dari-default", "location": "useast1", "resourceProviderNamespace": "Microsoft.Compute",
                 "resourceType": "virtualMachines"}
        path = path.replace(f"{{{variable}}}", known.get(variable, words.get(variable, ABSENT)))
    return path


def version_of(name):
    return CALLS[name]["versions"].split("|")[-1]


def refused(answer, *wanted):
    status, headers, body = answer
    assert status in {w[0] for w in wanted}, answer
    if body is not None:
        assert set(body) == {"error"} and (status, body["error"]["code"]) in wanted and body["error"]["message"], body
        assert not re.search(r"(?i)internal|null pointer|assert", body["error"]["message"])
    return headers


@pytest.mark.parametrize("name", ASKED)
def test_without_a_token(cloud, name):
    method, path = name.split(" ")[0], f"{path_of(name, cloud.own)}?api-version={version_of(name)}"
    headers = refused(cloud.send(method, path), (401, "AuthenticationFailed"))
    assert headers["WWW-Authenticate"].startswith("Bearer authorization_uri=")
    refused(cloud.send(method, path, Authorization="Bearer x.y.z"), (401, "InvalidAuthenticationToken"))


@pytest.mark.parametrize("name", ASKED)
def test_versions(cloud, name):
    method, path = name.split(" ")[0], path_of(name, cloud.own)
    token = f"Bearer {cloud.token_of(cloud.dev.account)}"
    refused(cloud.send(method, path, Authorization=token), (400, "MissingApiVersionParameter"))
    for version in ["x", "2019-1-1", "2019-01-01preview"]:
        refused(cloud.send(method, f"{path}?api-version={version}", Authorization=token), (400, "InvalidApiVersionParameter"))
    refused(cloud.send(method, f"{path}?api-version=2001-01-01", Authorization=token), (400, "InvalidApiVersionParameter"),
            (400, "NoRegisteredProviderFound"))


@pytest.mark.parametrize("name", IN_SUBSCRIPTION)
def test_anothers(cloud, name):
    """Of a subscription that one does not get into nothing is said."""
    method = name.split(" ")[0]
    for subscription in [cloud.others, f"/subscriptions/{ABSENT}", "/subscriptions/x"]:
        refused(cloud.ask(method, path_of(name, subscription), version_of(name), body={}), (404, "SubscriptionNotFound"))


@pytest.mark.parametrize("name", CHANGES)
def test_who_may_nothing(cloud, name):
    if CALLS[name]["for_all"]:
        return
    method = name.split(" ")[0]
    refused(cloud.ask(method, path_of(name, cloud.own), version_of(name), cloud.nobody, {}), (403, "AuthorizationFailed"))


def put(body, name, value):
    """At its place: "properties.level" is a member of an object."""
    *outer, last = name.split(".")
    for part in outer:
        body = body.setdefault(part, {})
        if not isinstance(body, dict):
            return
    body[last] = value


def good(params):
    """A body with all that the parameters require, right by its form."""
    values, body = {"integer": 1, "boolean": True, "list": [], "any": [], "map": {}}, {}
    for p in params:
        if p["required"] and p["type"] != "object":
            put(body, p["name"], p["words"].split("|")[0] if p.get("words") else values.get(p["type"], "x"))
    return body


@pytest.mark.parametrize("name", [n for n in CHANGES if CALLS[n]["params"]])
def test_bodies(cloud, name):
    action, method = CALLS[name], name.split(" ")[0]
    path, version = path_of(name, cloud.own), version_of(name)
    token = f"Bearer {cloud.token_of(cloud.dev.account)}"
    for raw in ["{", "[]", "7", '{"a": 1, "a": 2}', "\xff"]:
        refused(cloud.send(method, f"{path}?api-version={version}", raw.encode("latin-1"), Authorization=token), (400, "InvalidRequestContent"))
    mutants = [(p["name"], wrong) for p in action["params"] for wrong in WRONG.get(p["type"], [])]
    mutants += [(p["name"], "x" * (p["max"] + 1)) for p in action["params"] if p["type"] == "string" and p.get("max")]
    mutants += [(p["name"], "no such word") for p in action["params"] if p.get("words")]
    for parameter, wrong in mutants:
        body = good(action["params"])
        put(body, parameter, wrong)
        status, _, answer = cloud.ask(method, path, version, body=body)
        assert (status, answer["error"]["code"]) == (400, "InvalidParameter") or status in (404, 409), (parameter, wrong, answer)


UNREAD = {"BadRequest", "InvalidRequestFormat", "InvalidRequestContent"}


@pytest.mark.parametrize("name", [n for n in CHANGES if CALLS[n]["params"] and not n.startswith("DELETE ")])  # a DELETE has no body
def test_members_that_nobody_reads(cloud, name):
    """A member that no row names, in each object; and each that the table names as not built. None is taken and dropped."""
    action, method = CALLS[name], name.split(" ")[0]
    path, version = path_of(name, cloud.own), version_of(name)
    objects = [""] + [p["name"] + "." for p in action["params"] if p["type"] == "object" and ".N" not in p["name"]]
    for place in objects:
        body = {}  # good() fills lists with what is refused earlier
        put(body, f"{place}dariUnknown", 1)
        status, _, answer = cloud.ask(method, path, version, body=body)
        assert (status == 400 and answer["error"]["code"] in UNREAD) or status in (404, 409), (place, answer)
    for unbuilt in (p["name"] for p in action["params"] if not p["built"] and ".N" not in p["name"]):
        body = {}
        put(body, unbuilt, "x")
        status, _, answer = cloud.ask(method, path, version, body=body)
        # A text where the reference has an object or a number is refused for its type first.
        assert (status, answer["error"]["code"]) == (409, "OperationNotAllowed") or status == 404 or \
            (status == 400 and answer["error"]["code"] in UNREAD), (unbuilt, answer)
    assert all(p["doc"] for p in action["params"] if p.get("passed_over"))


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider", *sys.argv[1:]]))

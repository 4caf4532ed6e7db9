#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/azure/deployments src/api/azure/template src/engine/deployment
"""Deployments of Azure's templates: by Debian's az, by raw requests where the format of an answer matters, and with a kill in the middle."""
import json
import os
import signal
import sys
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from azure import Cloud, sign_in_az  # noqa: E402
from dev import Account, Dev  # noqa: E402
import waiting  # noqa: E402

VERSION = "2021-04-01"
LOCATION = "useast1"
DEPLOYMENT = {"type": "Microsoft.Resources/deployments", "apiVersion": VERSION}


@pytest.fixture(scope="module")
def cloud():
    with Dev("--tls") as dev:
        here = Cloud(dev)
        os.environ.update(AWS_CA_BUNDLE=here.ca, SSL_CERT_FILE=here.ca)  # botocore's, and urllib's
        status, _, answer = here.ask("PUT", f"{here.subscription()}/resourceGroups/Here", VERSION, body={"location": LOCATION})
        assert status == 201, answer
        yield here


@pytest.fixture(scope="module")
def az(cloud, tmp_path_factory):
    return sign_in_az(cloud, tmp_path_factory.mktemp("az"))


def template(resources, **more):
    return {"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
            "resources": resources, **more}


def nested(name, inner, **more):
    return dict(DEPLOYMENT, name=name, properties={"mode": "Incremental", "expressionEvaluationOptions": {"scope": "inner"}, "template": inner},
                **more)


def output(value, kind="string"):
    return {"type": kind, "value": value}


def where(cloud, name, verb="", group="Here"):
    scope = f"{cloud.subscription()}/resourceGroups/{group}" if group else cloud.subscription()
    return f"{scope}/providers/Microsoft.Resources/deployments/{name}{verb}"


def deploy(cloud, name, document, group="Here", account=None, mode="Incremental", **parameters):
    """Deploys, waits, and returns the final answer."""
    body = {"properties": {"mode": mode, "template": document, "parameters": {k: {"value": v} for k, v in parameters.items()}}}
    status, headers, answer = cloud.ask("PUT", where(cloud, name, group=group), VERSION, account, body)
    assert status in (200, 201), answer
    assert answer["properties"]["provisioningState"] == "Accepted" and headers["Azure-AsyncOperation"]
    return wait(cloud, name, group)


def wait(cloud, name, group="Here"):
    def ended():
        answer = cloud.ask("GET", where(cloud, name, group=group), VERSION)[2]
        return answer["properties"]["provisioningState"] not in ("Accepted", "Running") and answer
    return waiting.wait_until(ended, f"the deployment {name} ends")


INNER = template([], parameters={"what": {"type": "string"}}, outputs={"said": output("[concat(parameters('what'), '!')]")})
CHAIN = template(
    [dict(nested("one", INNER), properties=dict(nested("one", INNER)["properties"], parameters={"what": {"value": "[parameters('word')]"}})),
     dict(nested("two", INNER), properties=dict(nested("two", INNER)["properties"],
                                                parameters={"what": {"value": "[reference('one').outputs.said.value]"}}))],
    parameters={"word": {"type": "string", "defaultValue": "hello"}, "secret": {"type": "secureString", "defaultValue": "hush"}},
    outputs={"last": output("[reference('two').outputs.said.value]"), "mine": output("[deployment().name]"),
             "secret": {"type": "secureString", "value": "[parameters('secret')]"}})


def test_a_chain(cloud):
    """Each resource waits for those that it refers to; deploying twice works."""
    for word in ["hello", "bye"]:
        told = deploy(cloud, "Chain", CHAIN, word=word)
        p = told["properties"]
        assert p["provisioningState"] == "Succeeded", p.get("error")
        assert p["outputs"] == {"last": {"type": "String", "value": f"{word}!!"}, "mine": {"type": "String", "value": "Chain"},
                                "secret": {"type": "SecureString"}}
        assert p["parameters"] == {"word": {"type": "String", "value": word}, "secret": {"type": "SecureString"}}
        assert sorted(r["id"].rsplit("/", 1)[1] for r in p["outputResources"]) == ["one", "two"]
        assert "hush" not in json.dumps(told)
    status, _, answer = cloud.ask("GET", where(cloud, "chain", "/operations"), VERSION)
    assert status == 200
    assert sorted((o["properties"]["provisioningOperation"], o["properties"]["provisioningState"],
                   o["properties"]["targetResource"]["resourceName"]) for o in answer["value"]) == \
        [("Create", "Succeeded", "one"), ("Create", "Succeeded", "two")]
    one = answer["value"][0]["operationId"]
    assert cloud.ask("GET", where(cloud, "chain", f"/operations/{one}"), VERSION)[2]["operationId"] == one
    assert cloud.ask("POST", where(cloud, "chain", "/exportTemplate"), VERSION)[2]["template"]["contentVersion"] == "1.0.0.0"
    assert cloud.ask("HEAD", where(cloud, "CHAIN"), VERSION)[0] == 204
    assert cloud.ask("HEAD", where(cloud, "none"), VERSION)[0] == 404


def test_a_subscription(cloud):
    """A subscription deployment that creates a group and deploys into it; a copy loop with the requested count."""
    document = template(
        [{"type": "Microsoft.Resources/resourceGroups", "apiVersion": VERSION, "name": "[format('made{0}', copyIndex())]", "location": LOCATION,
          "tags": {"n": "[string(copyIndex())]"}, "copy": {"name": "groups", "count": 3}},
         nested("into", template([], outputs={"group": output("[resourceGroup().tags.n]")}), resourceGroup="made1", dependsOn=["groups"])],
        outputs={"tag": output("[reference('into').outputs.group.value]")})
    told = deploy(cloud, "groups", document, group=None)
    assert told["properties"]["provisioningState"] == "Succeeded", told
    assert told["properties"]["outputs"]["tag"]["value"] == "1" and told["location"] == LOCATION
    for k in range(3):
        assert cloud.ask("GET", f"{cloud.subscription()}/resourceGroups/made{k}", VERSION)[2]["tags"] == {"n": str(k)}
    body = {"location": LOCATION, "properties": {"mode": "Incremental", "template": document}}
    status, _, answer = cloud.ask("POST", where(cloud, "groups", "/whatIf", group=None), VERSION, body=body)
    assert status == 200, answer
    kinds = [(c["resourceId"].rsplit("/", 1)[1], c["changeType"]) for c in answer["properties"]["changes"]]
    assert kinds == [("made0", "NoChange"), ("made1", "NoChange"), ("made2", "NoChange"), ("into", "Unsupported")]
    document["resources"][0]["tags"]["n"] = "x"
    document["resources"][0]["copy"]["count"] = 4
    _, _, answer = cloud.ask("POST", where(cloud, "groups", "/whatIf", group=None), VERSION, body=body)
    changes = answer["properties"]["changes"]
    assert [c["changeType"] for c in changes] == ["Modify", "Modify", "Modify", "Create", "Unsupported"]
    assert changes[1]["delta"] == [{"path": "tags.n", "propertyChangeType": "Modify", "before": "1", "after": "x"}]
    assert changes[3]["after"]["tags"] == {"n": "x"} and "before" not in changes[3]
    assert cloud.ask("GET", f"{cloud.subscription()}/resourceGroups/made3", VERSION)[0] == 404


def test_failures(cloud):
    """The failed resource shows the error; resources that depend on it are not created."""
    document = template([nested("well", template([])), nested("ill", template([{"type": "a/b"}]), dependsOn=["well"]),
                         nested("never", template([]), dependsOn=["ill"])])
    told = deploy(cloud, "fails", document)["properties"]
    assert told["provisioningState"] == "Failed" and told["error"]["code"] == "DeploymentFailed"
    assert [d["code"] for d in told["error"]["details"]] == ["InvalidTemplate"]
    states = {o["properties"]["targetResource"]["resourceName"]: o["properties"] for o in
              cloud.ask("GET", where(cloud, "fails", "/operations"), VERSION)[2]["value"]}
    assert set(states) == {"well", "ill"} and states["ill"]["statusCode"] == "BadRequest"
    assert states["ill"]["statusMessage"]["error"]["code"] == "InvalidTemplate"
    _, headers, _ = cloud.ask("GET", where(cloud, "fails", "/operationStatuses/x"), VERSION)
    assert "Retry-After" not in headers
    assert cloud.ask("HEAD", where(cloud, "never"), VERSION)[0] == 404
    reads = template([], outputs={"x": output("[reference(resourceId('Microsoft.Resources/deployments', 'none'), '2021-04-01').mode]")})
    told = deploy(cloud, "reads", reads)["properties"]
    assert told["provisioningState"] == "Failed" and told["error"]["details"][0]["code"] == "DeploymentNotFound"
    for kind, code in (("Microsoft.Nowhere/things", "InvalidResourceNamespace"), ("Microsoft.Storage/storageAccounts", "OperationNotAllowed")):
        wanted = template([{"type": kind, "apiVersion": "2022-09-01", "name": "s", "location": LOCATION}])
        told = deploy(cloud, "unknown", wanted)["properties"]
        assert told["error"]["details"][0]["code"] == code


@pytest.mark.parametrize("body,code", [
    (b"", "InvalidRequestContent"),
    (b"{", "InvalidRequestContent"),
    (b"[]", "InvalidRequestContent"),
    (b"{}", "InvalidRequestContent"),
    (b"{properties: {}}", "InvalidRequestContent"),
    (b"{properties: {mode: 'Odd', template: {}}}", "InvalidRequestContent"),
    (b"{properties: {mode: 'Incremental'}}", "InvalidTemplate"),
    (b"{properties: {mode: 'Incremental', template: 3}}", "InvalidTemplate"),
    (b"{properties: {mode: 'Incremental', template: {resources: [{}]}}}", "InvalidTemplate"),
    (b"{properties: {mode: 'Incremental', template: {parameters: {p: {type: 'int'}}}}}", "InvalidTemplate"),
    (b"{properties: {mode: 'Incremental', templateLink: {uri: 'x'}}}", "OperationNotAllowed"),
])
def test_bad_bodies(cloud, body, code):
    for verb, path in [("PUT", ""), ("POST", "/validate"), ("POST", "/whatIf")]:
        status, _, answer = cloud.send(verb, f"{where(cloud, 'bad', path)}?api-version={VERSION}", body,
                                       Authorization=f"Bearer {cloud.token_of(cloud.dev.account)}", **{"Content-Type": "application/json"})
        assert 400 <= status < 500 and answer["error"]["code"] == code, answer
    assert cloud.ask("HEAD", where(cloud, "bad"), VERSION)[0] == 404


def test_others_see_nothing(cloud):
    stranger = cloud.dev.new_account("stranger")
    deploy(cloud, "mine", template([]))
    theirs = where(cloud, "mine").replace(cloud.subscription(), cloud.subscription(stranger)).replace("Here", "dari-default")
    assert cloud.refused("GET", theirs, version=VERSION, account=stranger) == (404, "DeploymentNotFound")
    assert cloud.refused("GET", where(cloud, "mine"), version=VERSION, account=stranger) == (404, "SubscriptionNotFound")
    assert cloud.refused("GET", where(cloud, "mine", group="None"), version=VERSION) == (404, "ResourceGroupNotFound")
    assert cloud.ask("DELETE", where(cloud, "mine"), VERSION)[0] == 204
    assert cloud.ask("DELETE", where(cloud, "mine"), VERSION)[0] == 204
    assert cloud.refused("GET", where(cloud, "mine"), version=VERSION) == (404, "DeploymentNotFound")
    assert cloud.refused("PUT", where(cloud, "x" * 65), version=VERSION, body={"properties": {"mode": "Incremental", "template": {}}})[0] == 400


def test_cancelled(cloud):
    """A cancelled deployment creates nothing more; existing resources stay. A running one can be neither replaced nor deleted."""
    document = template([nested("[format('c{0}', copyIndex())]", template([]), copy={"name": "all", "count": 400, "mode": "serial"})])
    body = {"properties": {"mode": "Incremental", "template": document}}
    assert cloud.ask("PUT", where(cloud, "long"), VERSION, body=body)[0] == 201
    assert cloud.refused("PUT", where(cloud, "long"), version=VERSION, body=body) == (409, "DeploymentActive")
    assert cloud.refused("DELETE", where(cloud, "long"), version=VERSION) == (409, "DeploymentActive")
    assert cloud.ask("POST", where(cloud, "long", "/cancel"), VERSION)[0] == 204
    told = wait(cloud, "long")["properties"]
    assert told["provisioningState"] == "Canceled" and len(told["outputResources"]) < 400
    assert cloud.refused("POST", where(cloud, "long", "/cancel"), version=VERSION) == (409, "DeploymentCannotBeCancelled")
    assert cloud.ask("DELETE", where(cloud, "long"), VERSION)[0] == 204


def test_in_the_name_of_who_asked(cloud):
    """A deployment has the rights of its principal, by the address and the transport that it was asked for with."""
    iam = cloud.dev.account.client("iam")
    iam.create_user(UserName="deployer")
    key = iam.create_access_key(UserName="deployer")["AccessKey"]
    who = Account(cloud.dev, key["AccessKeyId"], key["SecretAccessKey"])
    document = template([{"type": "Microsoft.Resources/resourceGroups", "apiVersion": VERSION, "name": "theirs", "location": LOCATION}])
    for condition in ({}, {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, {"Bool": {"aws:SecureTransport": "true"}}):
        iam.put_user_policy(UserName="deployer", PolicyName="p", PolicyDocument=json.dumps({
            "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"},
                                                   {"Effect": "Deny", "Action": "ec2:CreateResourceGroup", "Resource": "*", "Condition": condition}]}))
        told = deploy(cloud, "denied", document, group=None, account=who)["properties"]
        assert told["provisioningState"] == "Failed" and [d["code"] for d in told["error"]["details"]] == ["AuthorizationFailed"], (condition, told)
        assert cloud.ask("HEAD", f"{cloud.subscription()}/resourceGroups/theirs", VERSION)[0] == 404
    iam.put_user_policy(UserName="deployer", PolicyName="p", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"},
                                               {"Effect": "Deny", "Action": "ec2:CreateResourceGroup", "Resource": "*",
                                                "Condition": {"NotIpAddress": {"aws:SourceIp": "127.0.0.0/8"}}}]}))
    assert deploy(cloud, "allowed", document, group=None, account=who)["properties"]["provisioningState"] == "Succeeded"
    assert cloud.ask("DELETE", f"{cloud.subscription()}/resourceGroups/theirs", VERSION)[0] in (200, 202)
    iam.put_user_policy(UserName="deployer", PolicyName="p", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"},
                                               {"Effect": "Deny", "Action": "ec2:CreateDeployment", "Resource": "*"}]}))
    body = {"properties": {"mode": "Incremental", "template": document}}
    for verb, path in [("PUT", ""), ("POST", "/validate"), ("POST", "/whatIf")]:
        assert cloud.refused(verb, where(cloud, "denied", path), version=VERSION, account=who, body=body) == (403, "AuthorizationFailed")


def test_a_kill(tmp_path):
    """The server is killed when some resources exist, and continues there: each resource is created exactly once."""
    count, cut = 60, 10
    document = template([nested("[format('n{0}', copyIndex())]", template([]), copy={"name": "all", "count": count, "mode": "serial"})],
                        outputs={"last": output(f"[reference('n{count - 1}').provisioningState]")})
    options = ["--tls", "--data", str(tmp_path / "data")]
    with Dev(*options) as dev:
        first = Cloud(dev)
        body = {"properties": {"mode": "Incremental", "template": document}}
        assert first.ask("PUT", where(first, "long", group="dari-default"), VERSION, body=body)[0] == 201
        path = where(first, "long", group="dari-default")
        while len(first.ask("GET", path, VERSION)[2]["properties"]["outputResources"]) < cut:
            time.sleep(0.01)
        dev.end(signal.SIGKILL)
    with Dev(*options) as dev:
        again = Cloud(dev)
        told = wait(again, "long", group="dari-default")["properties"]
        assert told["provisioningState"] == "Succeeded" and told["outputs"]["last"]["value"] == "Succeeded", told
        assert len(told["outputResources"]) == count
        _, _, answer = again.ask("GET", where(again, "", group="dari-default"), VERSION)
        assert sorted(d["name"] for d in answer["value"]) == sorted(["long", *(f"n{k}" for k in range(count))])


# ---- az ----

TEXT = """{
  // what az leaves in
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0", /* both kinds */
  "parameters": {"who": {"type": "string", "allowedValues": ["you", "me"]}},
  "resources": [],
  "outputs": {"said": {"type": "string", "value": "[format('hello
{0}', parameters('who'))]"}}
}"""


def test_az(az, tmp_path):
    file = tmp_path / "main.json"
    file.write_text(TEXT)
    here = ["-g", "here", "-n", "byaz"]
    of = [*here, "--template-file", str(file), "-p"]
    assert az("deployment", "group", "validate", *of, "who=you")["properties"]["provisioningState"] == "Succeeded"
    az("deployment", "group", "validate", *of, "who=they", fails="not part of the allowed value(s): 'you,me'")
    for _ in range(2):
        made = az("deployment", "group", "create", *of, "who=me")
        assert made["properties"]["outputs"]["said"]["value"] == "hello\nme"
    az("deployment", "group", "create", *of, "who=they", fails="InvalidTemplate")
    assert az("deployment", "group", "show", *here)["properties"]["parameters"]["who"]["value"] == "me"
    assert "byaz" in [d["name"] for d in az("deployment", "group", "list", "-g", "here")]
    assert az("deployment", "operation", "group", "list", "-g", "here", "-n", "byaz") == []
    assert az("deployment", "group", "export", *here)["contentVersion"] == "1.0.0.0"
    az("deployment", "group", "delete", *here)
    az("deployment", "group", "show", *here, fails="DeploymentNotFound")


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider", *sys.argv[1:]]))

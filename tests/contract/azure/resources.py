#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/azure/resources src/api/azure/core src/engine/resource_group
"""Azure Resource Manager's API: by Debian's az, and by raw requests where the format of an answer matters."""
import json
import os
import sys
import urllib.parse

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from azure import Cloud, sign_in_az  # noqa: E402
from dev import Dev  # noqa: E402

GROUP = "dari-default"
NOWHERE = "00000000-0000-4000-8000-000000000000"
JSON = "application/json; charset=utf-8"


@pytest.fixture(scope="module")
def cloud():
    with Dev("--tls") as dev:
        here = Cloud(dev)
        os.environ.update(AWS_CA_BUNDLE=here.ca, SSL_CERT_FILE=here.ca)  # botocore's, and urllib's
        yield here


@pytest.fixture(scope="module")
def machines(cloud):
    ec2 = cloud.dev.account.client()
    image = ec2.describe_images()["Images"][0]["ImageId"]
    made = [i["InstanceId"] for i in ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=3, MaxCount=3)["Instances"]]
    ec2.get_waiter("instance_running").wait(InstanceIds=made)
    return made


@pytest.fixture(scope="module")
def az(cloud, tmp_path_factory):
    return sign_in_az(cloud, tmp_path_factory.mktemp("az"))


def states(view):
    return [s["code"] for s in view["statuses"]]


# ---- az ----

def test_az_machines(az, machines):
    assert [g["name"] for g in az("group", "list")] == [GROUP]
    listed = az("vm", "list", "-d")
    assert {m["name"] for m in listed} == set(machines)
    assert {m["powerState"] for m in listed} == {"VM running"} and all(m["privateIps"].startswith("172.31.") for m in listed)
    addresses = az("vm", "list-ip-addresses")
    assert {a["virtualMachine"]["name"] for a in addresses} == set(machines)
    assert "t3.micro" in {s["name"] for s in az("vm", "list-sizes", "-l", "useast1")}
    assert {p["namespace"] for p in az("provider", "list")} >= {"Microsoft.Compute", "Microsoft.Network"}


def test_az_power(az, cloud, machines):
    """Each command waits for its operation; EC2 shows the same state."""
    def here(verb, *more):
        return az("vm", verb, "-g", GROUP, "-n", machines[0], *more)

    def state():
        return cloud.dev.account.client().describe_instances(InstanceIds=machines[:1])["Reservations"][0]["Instances"][0]["State"]["Name"]

    here("deallocate")
    assert state() == "stopped" and here("show", "-d")["powerState"] == "VM deallocated"
    here("start")
    assert state() == "running"
    here("restart")
    here("stop", "--skip-shutdown")
    assert state() == "stopped"
    assert states(here("get-instance-view")["instanceView"]) == ["ProvisioningState/succeeded", "PowerState/deallocated"]
    here("delete", "-y")
    assert state() == "terminated"
    az("vm", "show", "-g", GROUP, "-n", machines[0], fails="(ResourceNotFound)")


# ---- sign-in ----

def test_endpoints(cloud):
    flat = cloud.send("GET", "/metadata/endpoints?api-version=2015-01-01")[2]
    assert flat["authentication"]["loginEndpoint"] == f"{cloud.dev.url}/adfs"
    one, = cloud.send("GET", "/metadata/endpoints?api-version=2019-05-01")[2]
    assert one["resourceManager"] == f"{cloud.dev.url}/" and one["suffixes"]["storage"] == "127.0.0.1"
    assert cloud.send("GET", "/metadata/endpoints?api-version=2022-09-01")[2]["resourceManager"] == f"{cloud.dev.url}/"
    assert cloud.send("GET", "/metadata/endpoints")[0] == 400
    tenant = cloud.ask("GET", "/tenants", "2019-11-01")[2]["value"][0]["tenantId"]
    for where in ["/adfs", f"/{tenant}", f"/{tenant}/v2.0"]:
        said = cloud.send("GET", f"{where}/.well-known/openid-configuration")[2]
        path = urllib.parse.urlsplit(said["token_endpoint"]).path
        account = cloud.dev.account
        status, _, answer = cloud.sign_in(path, grant_type="client_credentials", client_id=account.key_id, client_secret=account.secret,
                                          resource="https://here/")
        assert status == 200 and answer["resource"] == "https://here/" and answer["expires_on"].isdigit()
        keys = cloud.send("GET", urllib.parse.urlsplit(said["jwks_uri"]).path)[2]["keys"]
        assert [k["alg"] for k in keys] == ["RS256"]


def test_refused_sign_ins(cloud):
    account = cloud.dev.account

    def told(path="/adfs/oauth2/token", **form):
        status, _, answer = cloud.sign_in(path, **form)
        return status, answer["error"], answer["error_codes"]

    assert told() == (400, "invalid_request", [900144])
    assert told(grant_type="urn:x") == (400, "unsupported_grant_type", [70003])
    assert told(grant_type="client_credentials", client_id=account.key_id) == (400, "invalid_request", [900144])
    for client, secret in [(account.key_id, "x"), (NOWHERE, account.secret), ("", account.secret), (account.key_id, account.secret[:-1])]:
        assert told(grant_type="client_credentials", client_id=client or "x", client_secret=secret) == (401, "invalid_client", [7000215])
    assert told(grant_type="password", username="admin", password="x") == (400, "invalid_grant", [50126])
    assert told(grant_type="password", username="nobody@nowhere", password="x") == (400, "invalid_grant", [50126])
    assert told(f"/{NOWHERE}/oauth2/token", grant_type="client_credentials", client_id=account.key_id, client_secret=account.secret) == \
        (400, "invalid_request", [90002])


def test_a_person(cloud):
    """A domain's user signs in with a password, and sees the accounts in which the user has a role."""
    password = cloud.dev.banner.split("OS_PASSWORD=")[1].split()[0]
    status, _, answer = cloud.sign_in(grant_type="password", username="dev", password=password, scope="openid")
    assert status == 200 and answer["id_token"]
    status, _, told = cloud.send("GET", "/subscriptions?api-version=2022-12-01", Authorization=f"Bearer {answer['access_token']}")
    assert status == 200 and [s["displayName"] for s in told["value"]] == ["dev"]
    assert cloud.send("GET", f"{told['value'][0]['id']}/resourceGroups?api-version=2021-04-01",
                      Authorization=f"Bearer {answer['access_token']}")[0] == 200


def test_tokens(cloud):
    path = "/subscriptions?api-version=2019-11-01"
    status, headers, answer = cloud.send("GET", path)
    assert (status, answer["error"]["code"]) == (401, "AuthenticationFailed")
    assert headers["WWW-Authenticate"].startswith(f'Bearer authorization_uri="{cloud.dev.url}/adfs"')
    token = cloud.token_of(cloud.dev.account)
    for other in [token[:-2], "x.y.z", token.replace(".", "", 1), ""]:
        assert cloud.send("GET", path, Authorization=f"Bearer {other}")[0] == 401
    assert cloud.send("GET", path, Authorization=f"Basic {token}")[0] == 401
    key = cloud.dev.new_account("shortly")
    assert cloud.ask("GET", "/subscriptions", "2019-11-01", key)[0] == 200
    key.client("iam").update_access_key(AccessKeyId=key.key_id, Status="Inactive")
    assert cloud.refused("GET", "/subscriptions", version="2019-11-01", account=key) == (401, "InvalidAuthenticationToken")


# ---- groups ----

def test_az_groups(az):
    made = az("group", "create", "-n", "First", "-l", "useast1", "--tags", "a=b")
    assert made["name"] == "First" and made["tags"] == {"a": "b"} and made["properties"]["provisioningState"] == "Succeeded"
    assert az("group", "exists", "-n", "FIRST") is True and az("group", "exists", "-n", "second") is False
    assert [g["name"] for g in az("group", "list", "--tag", "a=b")] == ["First"]
    assert az("group", "update", "-n", "first", "--set", "tags.c=d")["tags"] == {"a": "b", "c": "d"}
    az("group", "create", "-n", "first", "-l", "elsewhere", fails="(LocationNotAvailableForResourceType)")
    az("group", "delete", "-n", "first", "-y")
    assert az("group", "exists", "-n", "first") is False
    az("group", "delete", "-n", GROUP, "-y", fails="(OperationNotAllowed)")


# ---- the protocol ----

def test_paths_and_versions(cloud, machines):
    here = cloud.subscription()
    one = f"{here}/resourceGroups/{GROUP}/providers/Microsoft.Compute/virtualMachines/{machines[1]}"
    whole = cloud.ask("GET", one)[2]
    assert whole["id"] == one
    for spelt in [one.lower(), one.upper().replace("/SUBSCRIPTIONS", "/subscriptions"), one.replace("/providers", "//providers") + "/"]:
        assert cloud.ask("GET", spelt)[2] == whole
    for version in ["2019-01-01", "2031-01-01"]:  # any date from the first version on
        assert cloud.ask("GET", one, version)[2] == whole
    status, _, answer = cloud.ask("GET", one, "2015-06-14")
    assert (status, answer["error"]["code"]) == (400, "NoRegisteredProviderFound") and "2024-03-01" in answer["error"]["message"]
    assert cloud.refused("GET", one, version="2019") == (400, "InvalidApiVersionParameter")
    assert cloud.refused("GET", one, version="") == (400, "MissingApiVersionParameter")
    assert cloud.refused("GET", f"{here}/providers/Microsoft.Nothing/x") == (404, "InvalidResourceNamespace")
    assert cloud.refused("GET", f"{here}/providers/Microsoft.Compute/nothing") == (404, "InvalidResourceType")
    assert cloud.refused("POST", one) == (405, "MethodNotAllowed")
    assert cloud.refused("GET", one.replace(machines[1], "x")) == (404, "ResourceNotFound")
    assert cloud.refused("GET", one.replace(machines[1], "i-00000000000000000")) == (404, "ResourceNotFound")
    assert cloud.refused("GET", one.replace(GROUP, "x")) == (404, "ResourceGroupNotFound")
    assert cloud.refused("GET", f"/subscriptions/{NOWHERE}/resourceGroups") == (404, "SubscriptionNotFound")
    assert cloud.ask("HEAD", f"{here}/resourceGroups/{GROUP}", "2021-04-01")[0] == 204
    assert cloud.ask("HEAD", f"{here}/resourceGroups/x", "2021-04-01")[0] == 404
    _, headers, _ = cloud.ask("GET", one, **{"x-ms-client-request-id": "mine", "x-ms-return-client-request-id": "true"})
    assert headers["x-ms-client-request-id"] == "mine" and headers["x-ms-request-id"]


def test_pages(cloud, machines):
    path, seen = f"{cloud.subscription()}/providers/Microsoft.Compute/virtualMachines", []
    link = f"{path}?$top=1"
    while link:
        status, _, answer = cloud.ask("GET", link)
        assert status == 200 and len(answer["value"]) == 1
        seen += [m["name"] for m in answer["value"]]
        link = answer.get("nextLink", "").replace(cloud.dev.url, "").replace("api-version=2022-08-01&", "")
    assert sorted(seen) == sorted(m["name"] for m in cloud.ask("GET", path)[2]["value"]) and set(seen) <= set(machines)
    assert cloud.refused("GET", f"{path}?$top=x") == (400, "InvalidParameter")


def test_operation(cloud, machines):
    """A change answers 202, and its operation reports the end; another account cannot see the operation."""
    one = f"{cloud.subscription()}/resourceGroups/{GROUP}/providers/Microsoft.Compute/virtualMachines/{machines[1]}"
    status, headers, answer = cloud.ask("POST", f"{one}/deallocate")
    assert status == 202 and answer is None and headers["Retry-After"] == "1"
    operation = headers["Azure-AsyncOperation"].replace(cloud.dev.url, "").split("?")[0]
    cloud.dev.rest()
    told = cloud.ask("GET", operation)[2]
    assert told["status"] == "Succeeded" and told["startTime"] <= told["endTime"]
    assert cloud.send("GET", headers["Location"].replace(cloud.dev.url, ""),
                      Authorization=f"Bearer {cloud.token_of(cloud.dev.account)}")[0] == 204
    other = cloud.dev.new_account("curious")
    assert cloud.refused("GET", operation, account=other) == (404, "SubscriptionNotFound")
    mine = cloud.subscription(other)
    assert cloud.refused("GET", mine + operation[len(cloud.subscription()):], account=other) == (404, "ResourceNotFound")
    assert cloud.ask("POST", f"{one}/start")[0] == 202
    cloud.dev.rest()


def test_two_accounts(cloud, machines):
    """Another account's resources cannot be seen, changed or deleted by any path."""
    other = cloud.dev.new_account("stranger")
    mine = cloud.subscription(other)
    for kind in ["Microsoft.Compute/virtualMachines", "Microsoft.Network/networkInterfaces", "Microsoft.Network/publicIPAddresses"]:
        theirs = cloud.ask("GET", f"{cloud.subscription()}/providers/{kind}", "2022-07-01")[2]["value"]
        assert theirs and cloud.ask("GET", f"{mine}/providers/{kind}", "2022-07-01", other)[2]["value"] == []
        at = mine + theirs[0]["id"][len(cloud.subscription()):]
        assert cloud.refused("GET", at, version="2022-07-01", account=other) == (404, "ResourceNotFound")
        assert cloud.refused("GET", theirs[0]["id"], version="2022-07-01", account=other) == (404, "SubscriptionNotFound")
    machine = f"{mine}/resourceGroups/{GROUP}/providers/Microsoft.Compute/virtualMachines/{machines[1]}"
    for verb in ["start", "powerOff", "deallocate", "restart"]:
        assert cloud.refused("POST", f"{machine}/{verb}", account=other) == (404, "ResourceNotFound")
    assert cloud.ask("DELETE", machine, account=other)[0] == 204  # deleting a missing resource succeeds
    running = cloud.dev.account.client().describe_instances(InstanceIds=machines[1:2])["Reservations"][0]["Instances"][0]
    assert running["State"]["Name"] == "running"


def test_policies(cloud, machines):
    """A Deny on EC2's action applies here, too."""
    iam = cloud.dev.account.client("iam")
    iam.create_user(UserName="reader")
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    iam.put_user_policy(UserName="reader", PolicyName="reads", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}]}))
    reader = type(cloud.dev.account)(cloud.dev, key["AccessKeyId"], key["SecretAccessKey"])
    one = f"{cloud.subscription()}/resourceGroups/{GROUP}/providers/Microsoft.Compute/virtualMachines/{machines[1]}"
    assert cloud.ask("GET", one, account=reader)[0] == 200
    status, _, answer = cloud.ask("POST", f"{one}/deallocate", account=reader)
    assert (status, answer["error"]["code"]) == (403, "AuthorizationFailed")
    assert "perform action 'Microsoft.Compute/virtualMachines/deallocate/action'" in answer["error"]["message"]
    assert cloud.refused("DELETE", one, account=reader) == (403, "AuthorizationFailed")


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider", *sys.argv[1:]]))

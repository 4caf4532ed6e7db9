#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/azure/signin src/api/azure/authorization src/auth/token src/auth/token/client_assertion
"""Azure's sign-in and authorisation: refresh tokens, device codes, browsers, certificates; roles and locks, which apply in every face. az signs in in
three ways, and libcloud's azure_arm in its own."""
import base64
import hashlib
import html.parser
import http.client
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.parse
import uuid

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../../lib")]
from azure import AZ, Cloud, register_az  # noqa: E402
from dev import Dev  # noqa: E402

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SUBSCRIPTIONS = "/subscriptions?api-version=2022-12-01"
OWNER, CONTRIBUTOR, READER = ("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "b24988ac-6180-42a0-ab88-20f7382dd24c",
                              "acdd72a7-3385-48ef-bd42-f606fba81ae7")
ROLES = "2022-04-01"
LOCKS = "2016-09-01"


@pytest.fixture(scope="module")
def cloud():
    with Dev("--tls") as dev:
        here = Cloud(dev)
        os.environ.update(AWS_CA_BUNDLE=here.ca, SSL_CERT_FILE=here.ca, REQUESTS_CA_BUNDLE=here.ca)
        yield here


@pytest.fixture(scope="module")
def password(cloud):
    return cloud.dev.banner.split("OS_PASSWORD=")[1].split()[0]


class Keystone:
    """The region's administrator, who creates users."""

    def __init__(self, cloud):
        self.cloud = cloud
        password = re.search(r'"admin" with the password (\S+)', cloud.dev.banner)[1]
        me = {"name": "admin", "domain": {"id": "default"}, "password": password}
        _, headers, _ = self.send("POST", "/v3/auth/tokens", {"auth": {
            "identity": {"methods": ["password"], "password": {"user": me}}, "scope": {"project": {"name": "admin", "domain": {"id": "default"}}}}})
        self.token = headers["X-Subject-Token"]

    def send(self, method, path, body=None):
        sent = {"Content-Type": "application/json"} | ({"X-Auth-Token": self.token} if hasattr(self, "token") else {})
        answer = self.cloud.send(method, f"/identity{path}", json.dumps(body) if body else None, **sent)
        assert answer[0] < 300, answer
        return answer

    def post(self, path, body):
        return self.send("POST", path, body)[2]

    def patch(self, path, body):
        return self.send("PATCH", path, body)[2]

    def delete(self, path):
        self.send("DELETE", path)


@pytest.fixture(scope="module")
def keystone(cloud):
    return Keystone(cloud)


def page(cloud, method, path, **form):
    """Status, headers and text of an HTML answer."""
    connection = http.client.HTTPSConnection("127.0.0.1", cloud.dev.port, context=cloud.tls)
    connection.request(method, path, urllib.parse.urlencode(form) if form else None, FORM)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, answer.headers, text


def person(cloud, password, **more):
    status, _, answer = cloud.sign_in(grant_type="password", username="dev", password=password, client_id="x",
                                      **({"scope": f"{cloud.dev.url}//.default offline_access openid profile"} | more))
    assert status == 200, answer
    return answer


def told(cloud, path="/adfs/oauth2/token", **form):
    status, _, answer = cloud.sign_in(path, **form)
    return status, answer["error"], answer["error_codes"]


def refused(cloud, token):
    status, _, answer = cloud.send("GET", SUBSCRIPTIONS, Authorization=f"Bearer {token}")
    return status, answer.get("error", {}).get("code")


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


# ---- tokens ----

def test_refresh(cloud, password):
    first = person(cloud, password)
    status, _, again = cloud.sign_in(grant_type="refresh_token", refresh_token=first["refresh_token"], client_id="x")
    assert status == 200 and again["refresh_token"] and refused(cloud, again["access_token"]) == (200, None)
    assert claims(again["access_token"])["oid"] == claims(first["access_token"])["oid"]
    assert "refresh_token" not in person(cloud, password, scope="openid")
    invalid = (400, "invalid_grant", [70000])
    assert told(cloud, grant_type="refresh_token", refresh_token=first["refresh_token"], client_id="y") == invalid
    for other in [first["access_token"], first["id_token"], "x.y.z", first["refresh_token"][:-3]]:
        assert told(cloud, grant_type="refresh_token", refresh_token=other, client_id="x") == invalid
    for name in ["refresh_token", "id_token"]:  # neither is valid for calls
        assert refused(cloud, first[name]) == (401, "InvalidAuthenticationToken")
    said = claims(first["id_token"])
    assert said["aud"] == "x" and said["preferred_username"] == "dev" and said["tid"]


def test_refused_tokens(cloud, password):
    token = person(cloud, password)["access_token"]
    head, body, proof = token.split(".")

    def packed(part):
        return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")

    for forged in [f"{packed({'typ': 'JWT', 'alg': 'none'})}.{body}.", f"{packed({'alg': 'HS256'})}.{body}.{proof}",
                   f"{head}.{packed(claims(token) | {'oid': str(uuid.uuid4())})}.{proof}"]:
        assert refused(cloud, forged) == (401, "InvalidAuthenticationToken")
    other = person(cloud, password, scope="https://storage.azure.com/.default")["access_token"]
    assert refused(cloud, other) == (401, "InvalidAuthenticationTokenAudience")
    for audience in ["https://management.azure.com/", "https://management.core.windows.net/", cloud.dev.url]:
        assert refused(cloud, person(cloud, password, scope="", resource=audience)["access_token"]) == (200, None)
    assert cloud.send("GET", SUBSCRIPTIONS)[2]["error"]["code"] == "AuthenticationFailed"


def test_changed_password(cloud, keystone):
    """A new password invalidates issued tokens, including refresh tokens."""
    user = keystone.post("/v3/users", {"user": {"name": "shortlived", "password": "first-one"}})["user"]["id"]
    status, _, was = cloud.sign_in(grant_type="password", username="shortlived", password="first-one", client_id="x")
    assert status == 200
    keystone.patch(f"/v3/users/{user}", {"user": {"password": "second-one"}})
    assert refused(cloud, was["access_token"])[0] == 401
    assert told(cloud, grant_type="refresh_token", refresh_token=was["refresh_token"], client_id="x") == (400, "invalid_grant", [50173])
    keystone.delete(f"/v3/users/{user}")


# ---- users with browsers ----

class Inputs(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.values, self.action = {}, None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "input":
            self.values[attrs["name"]] = attrs.get("value", "")
        if tag == "form":
            self.action = attrs["action"]


def test_device(cloud, password):
    status, _, asked = cloud.sign_in("/adfs/oauth2/devicecode", client_id="x", scope="openid offline_access")
    assert status == 200 and asked["interval"] == 5 and asked["user_code"] in asked["message"]
    poll = {"grant_type": DEVICE, "device_code": asked["device_code"], "client_id": "x"}
    assert told(cloud, **poll) == (400, "authorization_pending", [70016])
    where = urllib.parse.urlsplit(asked["verification_uri"]).path
    status, headers, text = page(cloud, "GET", f"{where}?user_code=%22%3E%3Cscript%3E")
    assert status == 200 and headers["Content-Type"].startswith("text/html") and "<script>" not in text
    assert headers["X-Frame-Options"] == "DENY" and Inputs(text).values["user_code"] == '"><script>'
    typed = {"username": "dev", "password": password, "user_code": asked["user_code"].lower()}
    assert "AADSTS50126" in page(cloud, "POST", where, **(typed | {"password": "wrong"}))[2]
    assert "AADSTS70018" in page(cloud, "POST", where, **(typed | {"user_code": "AAAAAAAAA"}))[2]
    assert told(cloud, **poll) == (400, "authorization_pending", [70016])
    assert page(cloud, "POST", where, **typed)[0] == 200
    assert told(cloud, **(poll | {"client_id": "y"})) == (400, "bad_verification_code", [70018])


def test_device_ends_once(cloud, password):
    asked = cloud.sign_in("/common/oauth2/v2.0/devicecode", client_id="x", scope="openid offline_access")[2]
    poll = {"grant_type": DEVICE, "device_code": asked["device_code"], "client_id": "x"}
    page(cloud, "POST", "/adfs/oauth2/deviceauth", username="dev", password=password, user_code=asked["user_code"])
    status, _, answer = cloud.sign_in(**poll)
    assert status == 200 and answer["refresh_token"] and refused(cloud, answer["access_token"]) == (200, None)
    assert told(cloud, **poll) == (400, "bad_verification_code", [70018])


def test_browser(cloud, password):
    verifier = "v" * 64
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    asked = {"client_id": "x", "redirect_uri": "http://localhost:8400/", "response_type": "code", "scope": "openid offline_access",
             "state": 'a"<&b', "code_challenge": challenge, "code_challenge_method": "S256", "nonce": "n"}
    where = "/adfs/oauth2/authorize"
    status, _, text = page(cloud, "GET", f"{where}?{urllib.parse.urlencode(asked)}")
    form = Inputs(text)
    assert status == 200 and form.action == where and asked.items() <= form.values.items()
    for wrong in [{"redirect_uri": "https://elsewhere/"}, {"redirect_uri": "http://localhost.elsewhere/"},
                  {"redirect_uri": "http://localhost:8400@elsewhere/"}, {"code_challenge": ""}, {"response_type": "token"},
                  {"response_mode": "form_post"}, {"client_id": ""}]:
        assert page(cloud, "GET", f"{where}?{urllib.parse.urlencode(asked | wrong)}")[0] == 400, wrong
    status, headers, _ = page(cloud, "POST", where, **(form.values | {"username": "dev", "password": password}))
    said = urllib.parse.parse_qs(urllib.parse.urlsplit(headers["Location"]).query)
    assert status == 302 and said["state"] == [asked["state"]]
    redeem = {"grant_type": "authorization_code", "code": said["code"][0], "client_id": "x",
              "redirect_uri": asked["redirect_uri"], "code_verifier": verifier}
    status, _, answer = cloud.sign_in(**redeem)
    assert status == 200 and claims(answer["id_token"])["nonce"] == "n" and answer["refresh_token"]
    assert told(cloud, **redeem) == (400, "invalid_grant", [70008])  # works once


# ---- certificates ----

@pytest.fixture(scope="module")
def certificate(keystone, tmp_path_factory):
    """A service principal: a user of the domain with a certificate. Returns its id, and a file with key and certificate."""
    pem = tmp_path_factory.mktemp("cert") / "both.pem"
    made = subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=program", "-days", "2",
                           "-keyout", "/dev/stdout"], capture_output=True, text=True, check=True).stdout
    pem.write_text(made)
    user = keystone.post("/v3/users", {"user": {"name": "program"}})["user"]["id"]
    keystone.post("/v3/credentials", {"credential": {"type": "cert", "user_id": user,
                                                     "blob": made[made.index("-----BEGIN CERTIFICATE"):]}})
    return str(uuid.UUID(user)), str(pem)


def assertion(cloud, client, pem, algorithm="RS256", **said):
    import jwt
    text = open(pem, encoding="ascii").read()
    der = base64.b64decode("".join(text[text.index("-----BEGIN CERTIFICATE"):].splitlines()[1:-1]))
    name, digest = ("x5t", hashlib.sha1) if algorithm == "RS256" else ("x5t#S256", hashlib.sha256)
    now = int(time.time())
    body = {"aud": f"{cloud.dev.url}/adfs/oauth2/token", "iss": client, "sub": client, "exp": now + 300, "nbf": now - 5, "jti": "1"}
    return jwt.encode(body | said, text, algorithm=algorithm,
                      headers={name: base64.urlsafe_b64encode(digest(der).digest()).decode().rstrip("=")})


def test_certificate(cloud, certificate):
    client, pem = certificate
    form = {"grant_type": "client_credentials", "client_id": client, "scope": f"{cloud.dev.url}//.default",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}
    for algorithm in ["RS256", "PS256"]:
        status, _, answer = cloud.sign_in(**form, client_assertion=assertion(cloud, client, pem, algorithm))
        assert status == 200 and refused(cloud, answer["access_token"]) == (200, None), answer
    assert claims(answer["access_token"])["appidacr"] == "2" and "refresh_token" not in answer
    now = int(time.time())
    for said, code in [({"iss": "x"}, 700021), ({"aud": "https://elsewhere/"}, 700023), ({"exp": now - 1}, 700024),
                       ({"nbf": now + 3600}, 700024)]:
        assert told(cloud, **form, client_assertion=assertion(cloud, client, pem, **said)) == (401, "invalid_client", [code])
    good = assertion(cloud, client, pem)
    assert told(cloud, **form, client_assertion="x.y.z") == (401, "invalid_client", [50027])
    assert told(cloud, **form, client_assertion=good[:-6] + "AAAAAA") == (401, "invalid_client", [700027])
    nobody = str(uuid.uuid4())
    assert told(cloud, **(form | {"client_id": nobody}), client_assertion=assertion(cloud, nobody, pem)) == (401, "invalid_client", [700027])


# ---- az, three ways ----

def test_az(cloud, password, certificate, tmp_path):
    tenant = cloud.ask("GET", "/tenants", "2019-11-01")[2]["value"][0]["tenantId"]
    subscription = cloud.subscription()
    client, pem = certificate
    cloud.ask("PUT", f"{subscription}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}", ROLES, body={
        "properties": {"roleDefinitionId": f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/{READER}",
                       "principalId": client}})
    az = register_az(cloud, tmp_path)
    key = cloud.dev.account
    assert az("login", "--service-principal", "--tenant", tenant, "-u", key.key_id, "-p", key.secret)[0]["state"] == "Enabled"
    az("logout")
    assert az("login", "--service-principal", "--tenant", tenant, "-u", client, "-p", pem)[0]["user"]["type"] == "servicePrincipal"
    assert az("group", "list")
    az("logout")
    mine, = az("login", "-u", "dev", "-p", password)
    assert mine["user"] == {"name": "dev", "type": "user"} and az("group", "list")
    az("login", "-u", "dev", "-p", "wrong", fails="AADSTS50126")
    az("logout")
    waiting = subprocess.Popen([AZ, "login", "--use-device-code", "-o", "json"], env=az.env, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    line = waiting.stderr.readline()
    while "enter the code" not in line:
        assert line, "az has ended"
        line = waiting.stderr.readline()
    code = line.split("enter the code ")[1].split()[0]
    threading.Thread(target=waiting.stderr.read, daemon=True).start()
    assert page(cloud, "POST", "/adfs/oauth2/deviceauth", username="dev", password=password, user_code=code)[0] == 200
    out = waiting.stdout.read()
    assert waiting.wait(60) == 0 and json.loads(out)[0]["user"]["name"] == "dev"


# ---- authorisation ----

def assign(cloud, scope, role, principal, account=None):
    name = str(uuid.uuid4())
    status, _, answer = cloud.ask("PUT", f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}", ROLES, account, {
        "properties": {"roleDefinitionId": f"{cloud.subscription()}/providers/Microsoft.Authorization/roleDefinitions/{role}",
                       "principalId": principal}})
    assert status == 201, answer
    return answer["id"]


@pytest.fixture
def helper(cloud):
    """A user of the account without any rights: its EC2 client, and its id for Azure."""
    iam = cloud.dev.account.client("iam")
    name = f"helper{uuid.uuid4().hex[:6]}"
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    asker = type(cloud.dev.account)(cloud.dev, key["AccessKeyId"], key["SecretAccessKey"])
    return asker, claims(cloud.token_of(asker))["oid"], name


def machine_of(cloud, count=1):
    ec2 = cloud.dev.account.client()
    image = ec2.describe_images()["Images"][0]["ImageId"]
    made = [i["InstanceId"] for i in ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=count, MaxCount=count)["Instances"]]
    ec2.get_waiter("instance_running").wait(InstanceIds=made)
    return made if count > 1 else made[0]


def test_definitions(cloud):
    here = f"{cloud.subscription()}/providers/Microsoft.Authorization/roleDefinitions"
    builtin = {r["properties"]["roleName"]: r for r in cloud.ask("GET", here, ROLES)[2]["value"]}
    assert {"Owner", "Contributor", "Reader", "Virtual Machine Contributor", "Network Contributor"} <= builtin.keys()
    assert builtin["Reader"]["name"] == READER and builtin["Owner"]["properties"]["type"] == "BuiltInRole"
    one, = cloud.ask("GET", f"{here}?$filter=roleName%20eq%20'Contributor'", ROLES)[2]["value"]
    assert one["name"] == CONTRIBUTOR and one["properties"]["permissions"][0]["actions"] == ["*"]
    name = str(uuid.uuid4())
    wish = {"properties": {"roleName": "Switcher", "description": "Turns machines on.", "assignableScopes": [cloud.subscription()],
                           "permissions": [{"actions": ["Microsoft.Compute/virtualMachines/*/action", "*/read"],
                                            "notActions": ["Microsoft.Compute/virtualMachines/restart/action"]}]}}
    status, _, made = cloud.ask("PUT", f"{here}/{name}", ROLES, body=wish)
    assert status == 201 and made["properties"]["type"] == "CustomRole" and made["name"] == name
    assert cloud.ask("GET", f"{here}/{name}", ROLES)[2] == made
    assert cloud.refused("PUT", f"{here}/{uuid.uuid4()}", version=ROLES, body=wish) == (409, "RoleDefinitionWithSameNameExists")
    assert cloud.refused("PUT", f"{here}/x", version=ROLES, body=wish) == (400, "InvalidRoleDefinitionId")
    assert cloud.refused("GET", f"{here}/{uuid.uuid4()}", version=ROLES) == (404, "RoleDefinitionDoesNotExist")
    for bad in [{"assignableScopes": ["/subscriptions/x"]}, {"permissions": []}, {"permissions": [{"actions": ["a b"]}]},
                {"roleName": ""}, {"permissions": "x"}]:
        status, _, answer = cloud.ask("PUT", f"{here}/{name}", ROLES, body={"properties": wish["properties"] | bad})
        assert (status, answer["error"]["code"]) == (400, "InvalidParameter"), (bad, answer)
    given = assign(cloud, cloud.subscription(), name, claims(cloud.token_of(cloud.dev.account))["oid"])
    assert cloud.refused("DELETE", f"{here}/{name}", version=ROLES) == (400, "RoleDefinitionHasAssignments")
    assert cloud.ask("DELETE", given, ROLES)[0] == 200 and cloud.ask("DELETE", given, ROLES)[0] == 204
    assert cloud.ask("DELETE", f"{here}/{name}", ROLES)[0] == 200 and cloud.ask("DELETE", f"{here}/{name}", ROLES)[0] == 204
    assert cloud.refused("DELETE", f"{here}/{OWNER}", version=ROLES)[0] == 403


def test_an_assignment_gives_everywhere(cloud, helper):
    """Reader and Contributor also give access through EC2; an IAM Deny wins."""
    asker, principal, name = helper
    machine = machine_of(cloud)
    path = f"{cloud.subscription()}/resourceGroups/dari-default/providers/Microsoft.Compute/virtualMachines/{machine}"
    ec2, iam = asker.client(), cloud.dev.account.client("iam")

    def may(call, **words):
        try:
            call(**words)
        except Exception as problem:  # botocore creates its error classes at run time
            assert "Unauthorized" in str(problem) or "AccessDenied" in str(problem), problem
            return False
        return True

    assert cloud.refused("GET", path, account=asker) == (403, "AuthorizationFailed") and not may(ec2.describe_instances)
    reader = assign(cloud, cloud.subscription(), READER, principal)
    assert cloud.ask("GET", path, account=asker)[0] == 200 and may(ec2.describe_instances)
    assert cloud.refused("POST", f"{path}/deallocate", account=asker) == (403, "AuthorizationFailed")
    assert not may(ec2.stop_instances, InstanceIds=[machine])
    contributor = assign(cloud, cloud.subscription(), CONTRIBUTOR, principal)
    assert may(ec2.create_tags, Resources=[machine], Tags=[{"Key": "a", "Value": "b"}])
    assert not may(asker.client("iam").create_user, UserName="forbidden")
    assert cloud.refused("PUT", f"{cloud.subscription()}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}", version=ROLES,
                         account=asker, body={"properties": {"principalId": principal, "roleDefinitionId":
                                                             f"/providers/Microsoft.Authorization/roleDefinitions/{OWNER}"}}) == \
        (403, "AuthorizationFailed")
    iam.put_user_policy(UserName=name, PolicyName="no", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Action": "ec2:TerminateInstances", "Resource": "*"}]}))
    assert cloud.refused("DELETE", path, account=asker) == (403, "AuthorizationFailed")
    listed = cloud.ask("GET", f"{cloud.subscription()}/providers/Microsoft.Authorization/roleAssignments?$filter=principalId%20eq%20'{principal}'", ROLES)[2]["value"]
    assert {a["id"] for a in listed} == {reader, contributor}
    for gone in [reader, contributor]:
        assert cloud.ask("DELETE", gone, ROLES)[0] == 200
    assert cloud.refused("GET", path, account=asker) == (403, "AuthorizationFailed") and not may(ec2.describe_instances)


def test_an_assignment_at_a_scope(cloud, helper):
    """An assignment for one machine, or one group, applies there only."""
    asker, principal, _ = helper
    mine, other = machine_of(cloud, 2)
    at = f"{cloud.subscription()}/resourceGroups/dari-default/providers/Microsoft.Compute/virtualMachines/"
    given = assign(cloud, at + mine, CONTRIBUTOR, principal)
    assert cloud.ask("GET", at + mine, account=asker)[0] == 200
    assert cloud.refused("GET", at + other, account=asker) == (403, "AuthorizationFailed")
    assert cloud.ask("POST", f"{at}{mine}/deallocate", account=asker)[0] == 202
    assert cloud.refused("POST", f"{at}{other}/deallocate", account=asker) == (403, "AuthorizationFailed")
    asker.client().create_tags(Resources=[mine], Tags=[{"Key": "a", "Value": "b"}])
    with pytest.raises(Exception, match="Unauthorized"):
        asker.client().create_tags(Resources=[other], Tags=[{"Key": "a", "Value": "b"}])
    assert cloud.ask("DELETE", given, ROLES)[0] == 200
    group = f"{cloud.subscription()}/resourceGroups/roles-rg"
    assert cloud.ask("PUT", group, "2021-04-01", body={"location": "useast1"})[0] == 201
    assign(cloud, group, CONTRIBUTOR, principal)
    assert cloud.refused("GET", at + mine, account=asker) == (403, "AuthorizationFailed")
    assert cloud.refused("POST", f"{at}{mine}/start", account=asker) == (403, "AuthorizationFailed")
    assert cloud.ask("GET", f"{group}/providers/Microsoft.Compute/virtualMachines", account=asker)[2] == {"value": []}


def test_an_assignment_lets_in(cloud, keystone):
    """An assignment gives a user without a Keystone role access to an account; its removal ends the access."""
    user = keystone.post("/v3/users", {"user": {"name": "visitor", "password": "visiting"}})["user"]["id"]
    token = cloud.sign_in(grant_type="password", username="visitor", password="visiting", client_id="x")[2]["access_token"]

    def subscriptions():
        return cloud.send("GET", SUBSCRIPTIONS, Authorization=f"Bearer {token}")[2]["value"]

    groups = f"{cloud.subscription()}/resourceGroups?api-version=2021-04-01"
    assert subscriptions() == [] and cloud.send("GET", groups, Authorization=f"Bearer {token}")[0] == 404
    given = assign(cloud, cloud.subscription(), READER, str(uuid.UUID(user)))
    assert [s["id"] for s in subscriptions()] == [cloud.subscription()]
    assert cloud.send("GET", groups, Authorization=f"Bearer {token}")[0] == 200
    assert cloud.refused("PUT", given.rsplit("/", 1)[0] + f"/{uuid.uuid4()}", version=ROLES, body={"properties": {
        "principalId": str(uuid.UUID(user)), "roleDefinitionId": f"/x/roleDefinitions/{READER}"}}) == (409, "RoleAssignmentExists")
    keystone.delete(f"/v3/users/{user}")
    assert cloud.refused("GET", given, version=ROLES) == (404, "RoleAssignmentNotFound")


def test_locks(cloud):
    """Locks apply in every face, to every caller, until they are deleted."""
    machine = machine_of(cloud)
    path = f"{cloud.subscription()}/resourceGroups/dari-default/providers/Microsoft.Compute/virtualMachines/{machine}"
    lock = f"{path}/providers/Microsoft.Authorization/locks/keep"
    ec2 = cloud.dev.account.client()
    status, _, made = cloud.ask("PUT", lock, LOCKS, body={"properties": {"level": "CanNotDelete", "notes": "Mine."}})
    assert status == 201 and made["properties"] == {"level": "CanNotDelete", "notes": "Mine."} and made["id"] == lock
    assert cloud.refused("DELETE", path) == (409, "ScopeLocked")
    with pytest.raises(Exception, match="OperationNotPermitted"):
        ec2.terminate_instances(InstanceIds=[machine])
    ec2.create_tags(Resources=[machine], Tags=[{"Key": "a", "Value": "b"}])
    assert cloud.ask("PUT", lock, LOCKS, body={"properties": {"level": "ReadOnly"}})[0] == 200
    assert cloud.refused("POST", f"{path}/deallocate") == (409, "ScopeLocked")
    with pytest.raises(Exception, match="OperationNotPermitted"):
        ec2.create_tags(Resources=[machine], Tags=[{"Key": "a", "Value": "c"}])
    other = machine_of(cloud)
    ec2.terminate_instances(InstanceIds=[other])
    listed = cloud.ask("GET", f"{cloud.subscription()}/providers/Microsoft.Authorization/locks", LOCKS)[2]["value"]
    assert [one["name"] for one in listed] == ["keep"]
    assert cloud.refused("PUT", lock, version=LOCKS, body={"properties": {"level": "x"}}) == (400, "InvalidParameter")
    assert cloud.refused("GET", lock + "2", version=LOCKS) == (404, "LockNotFound")
    assert cloud.ask("DELETE", lock, LOCKS)[0] == 200 and cloud.ask("DELETE", lock, LOCKS)[0] == 204
    whole = f"{cloud.subscription()}/providers/Microsoft.Authorization/locks/all"
    assert cloud.ask("PUT", whole, LOCKS, body={"properties": {"level": "CanNotDelete"}})[0] == 201
    with pytest.raises(Exception, match="OperationNotPermitted"):
        ec2.terminate_instances(InstanceIds=[machine])
    assert cloud.ask("DELETE", whole, LOCKS)[0] == 200
    assert cloud.ask("DELETE", path)[0] == 202


# ---- common to all resources ----

def test_tags(cloud):
    """Azure's tags are those that EC2 shows."""
    machine = machine_of(cloud)
    path = f"{cloud.subscription()}/resourceGroups/dari-default/providers/Microsoft.Compute/virtualMachines/{machine}"
    tags, version = f"{path}/providers/Microsoft.Resources/tags/default", "2021-04-01"

    def change(method, body=None):
        status, _, answer = cloud.ask(method, tags, version, body=body)
        assert status == 200, answer
        shown = cloud.dev.account.client().describe_instances(InstanceIds=[machine])["Reservations"][0]["Instances"][0].get("Tags", [])
        shown = {t["Key"]: t["Value"] for t in shown}
        assert cloud.ask("GET", tags, version)[2]["properties"]["tags"] == shown == (answer or {"properties": {"tags": {}}})["properties"]["tags"]
        return shown

    assert change("PUT", {"properties": {"tags": {"a": "1", "b": "2"}}}) == {"a": "1", "b": "2"}
    assert change("PATCH", {"operation": "Merge", "properties": {"tags": {"c": "3"}}}) == {"a": "1", "b": "2", "c": "3"}
    assert change("PATCH", {"operation": "Delete", "properties": {"tags": {"a": "1", "b": "9"}}}) == {"b": "2", "c": "3"}
    assert change("PATCH", {"operation": "Replace", "properties": {"tags": {"d": "4"}}}) == {"d": "4"}
    assert change("DELETE") == {}
    for body in [{}, {"properties": "x"}, {"properties": {"tags": {"a": 1}}}, {"properties": {"tags": {f"k{n}": "" for n in range(51)}}}]:
        assert cloud.refused("PUT", tags, version=version, body=body)[0] in (400, 409), body
    assert cloud.refused("PATCH", tags, version=version, body={"operation": "x", "properties": {"tags": {}}}) == (400, "InvalidParameter")


def test_resources_and_usages(cloud):
    machine, here, version = machine_of(cloud), cloud.subscription(), "2021-04-01"
    for where in [here, f"{here}/resourceGroups/dari-default"]:
        listed = cloud.ask("GET", f"{where}/resources?$filter=resourceType%20eq%20'Microsoft.Compute/virtualMachines'", version)[2]["value"]
        assert machine in [one["name"] for one in listed] and {one["type"] for one in listed} == {"Microsoft.Compute/virtualMachines"}
    one, = cloud.ask("GET", f"{here}/resources?$filter=name%20eq%20'{machine}'", version)[2]["value"]
    assert one["id"].endswith(machine) and not {"createdTime", "changedTime", "provisioningState"} & set(one)
    expanded = "$expand=createdTime,%20changedTime,provisioningState"
    one, = cloud.ask("GET", f"{here}/resources?$filter=name%20eq%20'{machine}'&{expanded}", version)[2]["value"]
    assert one["createdTime"] and one["changedTime"] and one["provisioningState"] == "Succeeded"
    states = {one["provisioningState"] for one in cloud.ask("GET", f"{here}/resources?$expand=provisioningState", version)[2]["value"]}
    assert states <= {"Succeeded", "Creating", "Updating", "Deleting"}, states
    assert cloud.refused("GET", f"{here}/resources?$expand=x", version=version) == (400, "InvalidParameter")
    assert cloud.refused("GET", f"{here}/resources?$filter=x", version=version) == (400, "InvalidParameter")
    for space, count in [("Compute", "virtualMachines"), ("Network", "VirtualNetworks")]:
        used = cloud.ask("GET", f"{here}/providers/Microsoft.{space}/locations/useast1/usages", "2020-06-01")[2]["value"]
        assert [u["currentValue"] for u in used if u["name"]["value"] == count][0] >= 1
    for verb in ["register", "unregister"]:
        assert cloud.ask("POST", f"{here}/providers/Microsoft.Compute/{verb}", version)[2]["registrationState"] == "Registered"
    assert cloud.ask("GET", f"{here}/providers/Microsoft.Authorization/permissions", ROLES)[2]["value"][0]["actions"] == ["*"]


# ---- libcloud ----

def led_to(port):
    """libcloud uses only the host names of the given URLs, and port 443, which another test run on this machine may need as well."""
    from libcloud.http import LibcloudConnection

    class Connection(LibcloudConnection):
        def __init__(self, host, *_, **how):
            super().__init__(host, **{**how, "port": port, "secure": True})
    return Connection


def test_libcloud(cloud):
    import libcloud.security
    from libcloud.common.azure_arm import AzureResourceManagementConnection
    from libcloud.compute.drivers.azure_arm import AzureNodeDriver
    libcloud.security.CA_CERTS_PATH = cloud.ca
    tenant = cloud.ask("GET", "/tenants", "2019-11-01")[2]["value"][0]["tenantId"]
    key = cloud.dev.account
    AzureResourceManagementConnection.conn_class = led_to(cloud.dev.port)
    driver = AzureNodeDriver(tenant_id=tenant, subscription_id=cloud.subscription().split("/")[-1], key=key.key_id, secret=key.secret,
                             region="us-east-1", cloud_environment={
                                 "resourceManagerEndpointUrl": "https://localhost/", "storageEndpointSuffix": "x",
                                 "activeDirectoryEndpointUrl": "https://localhost/adfs/",
                                 "activeDirectoryResourceId": "https://management.core.windows.net/"})
    assert [one.name for one in driver.list_locations()] == ["us-east-1"]
    assert "t3.micro" in [one.name for one in driver.list_sizes()]


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider", *sys.argv[1:]]))

# SPDX-License-Identifier: Apache-2.0
"""A region accessed through Azure's API: by raw requests (Cloud), and by Debian's az (sign_in_az). az's newest profile requests API versions that
Debian's SDK does not have, so the cloud is registered with the profile 2020-09-01-hybrid."""
import base64
import http.client
import json
import os
import ssl
import subprocess
import threading
import urllib.parse

import waiting
import warm

AZ = "/usr/bin/az"


def outcome(ask, operation):
    """Result of a finished operation."""
    told = {}

    def has_ended():
        told.update(ask())
        return told["status"] != "InProgress"
    waiting.wait_until(has_ended, f"the operation {operation}", shows=lambda: told)
    return told


class Cloud:
    """A region with TLS, and its credentials."""

    def __init__(self, dev):
        self.dev = dev
        self.ca = os.path.join(os.path.dirname(dev.config), "tls.pem")
        self.tls = ssl.create_default_context(cafile=self.ca)
        self.tokens, self.local = {}, threading.local()

    def send(self, method, path, body=None, **headers):
        """Status, headers and JSON of an answer, over a kept connection, one a thread."""
        for retry in (False, True):  # the connection may have been closed for its age
            if not hasattr(self.local, "connection"):
                self.local.connection = http.client.HTTPSConnection("127.0.0.1", self.dev.port, context=self.tls)
            try:
                self.local.connection.request(method, path, body, headers)
                answer = self.local.connection.getresponse()
                text = answer.read().decode()
                return answer.status, answer.headers, json.loads(text) if text else None
            except (http.client.HTTPException, ConnectionError):
                del self.local.connection
                if retry:
                    raise

    def sign_in(self, path="/adfs/oauth2/token", **form):
        return self.send("POST", path, urllib.parse.urlencode(form), **{"Content-Type": "application/x-www-form-urlencoded"})

    def token_of(self, account):
        if account.key_id not in self.tokens:
            status, _, answer = self.sign_in(grant_type="client_credentials", client_id=account.key_id, client_secret=account.secret,
                                             scope=f"{self.dev.url}//.default")
            assert status == 200, answer
            self.tokens[account.key_id] = answer["access_token"]
        return self.tokens[account.key_id]

    def ask(self, method, path, version="2022-08-01", account=None, body=None, **headers):
        token = self.token_of(account or self.dev.account)
        if body is not None:
            body, headers = json.dumps(body), dict(headers, **{"Content-Type": "application/json"})
        return self.send(method, f"{path}{'&' if '?' in path else '?'}api-version={version}", body, Authorization=f"Bearer {token}",
                         **headers)

    def done(self, method, path, version="2022-08-01", account=None, body=None):
        """Waits for the operation that the answer refers to, as clients do; returns the first answer's body."""
        status, headers, answer = self.ask(method, path, version, account, body)
        assert status < 300, answer
        where = headers["Azure-AsyncOperation"]
        if where:
            asked = {"Authorization": f"Bearer {self.token_of(account or self.dev.account)}"}
            told = outcome(lambda: self.send("GET", where.replace(self.dev.url, ""), **asked)[2], where)
            assert told["status"] == "Succeeded", told
        return answer

    def refused(self, *args, **options):
        status, _, answer = self.ask(*args, **options)
        return status, answer["error"]["code"]

    def subscription(self, account=None):
        _, _, answer = self.ask("GET", "/subscriptions", "2019-11-01", account)
        return answer["value"][0]["id"]


class Plain(Cloud):
    """Azure's face of a region without TLS."""

    def __init__(self, dev):  # pylint: disable=super-init-not-called
        self.dev, self.tokens = dev, {}

    def send(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.dev.port)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, answer.headers, json.loads(text) if text else None


def register_az(cloud, home):
    """Debian's az with the cloud registered, but not signed in: a function that takes az's arguments. Its .env is the environment of az."""
    env = dict(os.environ, HOME=str(home), AZURE_CONFIG_DIR=str(home / "az"), AZURE_CORE_COLLECT_TELEMETRY="0",
               REQUESTS_CA_BUNDLE=cloud.ca)

    def run(*words, fails=None):
        done = warm.run([AZ, *words, "-o", "json"], env)
        if fails:
            assert done.returncode and fails in done.stderr, done.stderr
            return None
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    run.env = env
    run("cloud", "register", "-n", "Dari", "--endpoint-resource-manager", cloud.dev.url, "--profile", "2020-09-01-hybrid")
    run("cloud", "set", "-n", "Dari")
    return run


def sign_in_az(cloud, home):
    """Debian's az, signed in as a service principal: a function that takes az's arguments."""
    run = register_az(cloud, home)
    key = cloud.dev.account
    tenant = cloud.ask("GET", "/tenants", "2019-11-01")[2]["value"][0]["tenantId"]
    run("login", "--service-principal", "--tenant", tenant, "-u", key.key_id, "-p", "wrong", fails="AADSTS7000215")
    signed_in = run("login", "--service-principal", "--tenant", tenant, "-u", key.key_id, "-p", key.secret)
    assert [s["state"] for s in signed_in] == ["Enabled"] and signed_in[0]["tenantId"] == tenant
    return run


class Azure:
    """A region with real guests (region.py), over plain HTTP, authenticated with an account's key."""

    def __init__(self, region, keys):
        self.port = region.port
        form = {"grant_type": "client_credentials", "client_id": keys[0], "client_secret": keys[1],
                "scope": f"http://127.0.0.1:{self.port}//.default"}
        told = self.send("POST", "/adfs/oauth2/token", urllib.parse.urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})[1]
        self.headers = {"Authorization": f"Bearer {told['access_token']}", "Content-Type": "application/json"}
        subscription = self.ask("GET", "/subscriptions", version="2019-11-01")["value"][0]["id"]
        self.machines = f"{subscription}/resourceGroups/dari-default/providers/Microsoft.Compute/virtualMachines"
        self.location = self.ask("GET", f"{subscription}/locations", version="2019-11-01")["value"][0]["name"]

    def send(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=waiting.HANG_S)
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer, json.loads(text) if text else None

    def ask(self, method, path, body=None, version="2022-08-01", query=""):
        answer, document = self.send(method, f"{path}?api-version={version}{query}", json.dumps(body) if body else None, self.headers)
        assert answer.status < 300, (answer.status, document)
        return document

    def begin(self, method, path, body=None):
        """Sends a change; returns the URL of its operation."""
        answer, document = self.send(method, f"{path}?api-version=2022-08-01", json.dumps(body) if body else None, self.headers)
        assert answer.status < 300, (answer.status, document)
        where = urllib.parse.urlsplit(answer.headers["Azure-AsyncOperation"])
        return f"{where.path}?{where.query}"

    def wait(self, operation):
        """Waits for the operation; returns its result."""
        return outcome(lambda: self.send("GET", operation, None, self.headers)[1], operation)

    def finish(self, method, path, body=None):
        return self.wait(self.begin(method, path, body))

    def view(self, machine):
        return self.ask("GET", f"{self.machines}/{machine}/instanceView")

    def put_machine(self, ec2, name, profile, image, size="Standard_B1s"):
        """Creates a machine as az does: first the interface. Returns the instance and its public address."""
        resources = self.machines.removesuffix("/Microsoft.Compute/virtualMachines")
        subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
        port = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
        body = {"location": self.location, "properties": {
            "hardwareProfile": {"vmSize": size}, "osProfile": {"computerName": name, "adminUsername": "kim", **profile},
            "storageProfile": {"imageReference": {"id": f"{resources}/Microsoft.Compute/images/{image}"}, "osDisk": {"createOption": "FromImage"}},
            "networkProfile": {"networkInterfaces": [{"id": f"{resources}/Microsoft.Network/networkInterfaces/{port}"}]}}}
        ended = self.finish("PUT", f"{self.machines}/{name}", body)
        assert ended["status"] == "Succeeded", ended
        address = ec2.allocate_address()
        ec2.associate_address(AllocationId=address["AllocationId"], NetworkInterfaceId=port)
        attached = ec2.describe_network_interfaces(NetworkInterfaceIds=[port])["NetworkInterfaces"][0]["Attachment"]
        return attached["InstanceId"], address["PublicIp"]


def profile_of(ec2, key, password):
    """osProfile with a key pair's key and a password, and custom data."""
    line = ec2.describe_key_pairs(KeyNames=[key], IncludePublicKey=True)["KeyPairs"][0]["PublicKey"]
    return {"adminPassword": password, "customData": base64.b64encode(b"some data").decode(), "linuxConfiguration": {
        "disablePasswordAuthentication": False, "ssh": {"publicKeys": [{"path": "/home/kim/.ssh/authorized_keys", "keyData": line}]}}}

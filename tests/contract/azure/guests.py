#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/metadata src/api/azure/compute src/drivers/sim
"""Guests of the personality azure in a simulated region: Debian's az sets extensions and runs commands, while a thread here plays the agent in the
guest, which gets its goal state from the WireServer and reports results."""
import base64
import json
import os
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import xml.etree.ElementTree as ElementTree

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from azure import Cloud, sign_in_az  # noqa: E402
from dev import Dev  # noqa: E402
from waiting import HANG_S  # noqa: E402

GROUP = "dari-default"
IMDS_VERSION = "2021-08-01"


@pytest.fixture(scope="module")
def cloud():
    with Dev("--tls") as dev:
        here = Cloud(dev)
        os.environ.update(AWS_CA_BUNDLE=here.ca, SSL_CERT_FILE=here.ca)  # botocore's, and urllib's
        yield here


@pytest.fixture(scope="module")
def az(cloud, tmp_path_factory):
    return sign_in_az(cloud, tmp_path_factory.mktemp("az"))


@pytest.fixture(scope="module")
def machine(cloud, tmp_path_factory):
    """The image's personality decides which cloud the guest expects."""
    disk = str(tmp_path_factory.mktemp("image") / "disk.qcow2")
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", disk, "64M"], check=True)
    image = cloud.dev.command("image", "import", disk, "--name", "of-azure", "--personality", "azure")["image_id"]
    return start(cloud.dev.account.client(), image, UserData="some data")


def start(ec2, image, **more):
    made = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1, **more)["Instances"][0]["InstanceId"]
    ec2.get_waiter("instance_running").wait(InstanceIds=[made])
    return made


class Agent(threading.Thread):
    """Plays the agent until it is stopped: `says` returns a script's status and output."""

    def __init__(self, dev, machine, says):
        super().__init__(daemon=True)
        self.base, self.says, self.over, self.problem = f"{dev.metadata}/{machine}", says, threading.Event(), None

    def ask(self, path, method="GET", body=None, **headers):
        """Status and text of an answer."""
        request = urllib.request.Request(self.base + path, body and body.encode(), headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=HANG_S) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()

    def wire(self, path, method="GET", body=None, **headers):
        return self.ask(f"/wire{path}", method, body, **headers)

    def handlers(self):
        goal = self.wire("/machine/?comp=goalstate")[1]
        url = re.search(r"<ExtensionsConfig>([^<]*)<", goal)[1].replace("&amp;", "&")
        config = self.wire(url.replace("http://168.63.129.16", ""))[1]
        wanted = set(re.findall(r'<Plugin name="([^"]*)" version="[^"]*" location="[^"]*" failoverlocation="[^"]*" state="enabled"', config))
        for name, number, text in re.findall(r'<Plugin name="([^"]*)" version="[^"]*"><RuntimeSettings seqNo="(\d+)">(.*?)</RuntimeSettings>', config):
            if name not in wanted:
                continue
            settings = json.loads(text)["runtimeSettings"][0]["handlerSettings"]
            script = base64.b64decode(settings["publicSettings"].get("script64", "")).decode()
            status, code, words = self.says(script, settings)
            yield {"handlerName": name, "handlerVersion": "1.0.0", "status": "Ready", "runtimeSettingsStatus": {
                "sequenceNumber": int(number), "settingsStatus": {"status": {
                    "status": status, "code": code, "formattedMessage": {"lang": "en-US", "message": words}}}}}

    def report(self):
        status = {"version": "1.1", "aggregateStatus": {"guestAgentStatus": {"version": "2.7.3.0", "status": "Ready"},
                                                        "handlerAggregateStatus": list(self.handlers())},
                  "guestOSInfo": {"osName": "debian", "osVersion": "12.1"}}
        body = json.dumps({"requestUri": "x", "headers": [], "content": base64.b64encode(json.dumps(status).encode()).decode()})
        assert self.wire("/status", "PUT", body)[0] == 200

    def run(self):
        try:
            while not self.over.wait(0.1):
                self.report()
        except Exception as problem:  # reported by the code that waits for it
            self.problem = problem

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()
        assert self.problem is None, self.problem


def says(script, settings):
    if "protectedSettings" in settings:
        return "success", 0, f"a secret for {settings['protectedSettingsCertThumbprint'][:4]}"
    if script.startswith("false"):
        return "error", 1, "Enable failed: exit status=1"
    return "success", 0, f"Enable succeeded: \n[stdout]\n{script}\n[stderr]\n"


def path_of(cloud, machine):
    return f"{cloud.subscription()}/resourceGroups/{GROUP}/providers/Microsoft.Compute/virtualMachines/{machine}"


def wanted(cloud, **properties):
    location = cloud.ask("GET", f"{cloud.subscription()}/locations", "2019-11-01")[2]["value"][0]["name"]
    return {"location": location, "properties": {"publisher": "Dari", "type": "RunCommand", "typeHandlerVersion": "1.0", **properties}}


def test_az_extensions(cloud, az, machine):
    """az waits until the guest has reported the result."""
    def here(*words, **more):
        return az("vm", *words, "-g", GROUP, "--vm-name", machine, **more)

    with Agent(cloud.dev, machine, says):
        made = here("extension", "set", "-n", "RunCommand", "--publisher", "Dari", "--version", "1.0",
                    "--settings", '{"script": ["echo hello"]}')
        assert made["provisioningState"] == "Succeeded" and made["publisher"] == "Dari"
        shown = here("extension", "show", "-n", "runcommand", "--instance-view")
        assert "echo hello" in shown["instanceView"]["statuses"][0]["message"]
        assert [e["name"] for e in here("extension", "list")] == ["RunCommand"]
        made = here("extension", "set", "-n", "RunCommand", "--publisher", "Dari", "--version", "1.0",
                    "--protected-settings", '{"script": ["echo secret"]}')
        assert made["provisioningState"] == "Succeeded" and not made.get("protectedSettings")
        here("extension", "set", "-n", "RunCommand", "--publisher", "Dari", "--version", "1.0", "--settings", '{"script": ["false"]}',
             fails="VMExtensionProvisioningError")
        view = az("vm", "get-instance-view", "-g", GROUP, "-n", machine)["instanceView"]
        assert view["vmAgent"]["vmAgentVersion"] == "2.7.3.0" and view["vmAgent"]["statuses"][0]["displayStatus"] == "Ready"
        assert view["extensions"][0]["statuses"][0]["code"] == "ProvisioningState/failed/1"
        here("extension", "delete", "-n", "RunCommand")
        assert here("extension", "list") == []


def test_az_run_command(cloud, az, machine):
    with Agent(cloud.dev, machine, says):
        told = az("vm", "run-command", "invoke", "-g", GROUP, "-n", machine, "--command-id", "RunShellScript",
                  "--scripts", "echo one", "echo two", "--parameters", "a=b")
        assert told["value"][0]["message"] == "Enable succeeded: \n[stdout]\necho one\necho two\n\n[stderr]\n"
        assert told["value"][0]["code"] == "ProvisioningState/succeeded"
        az("vm", "run-command", "invoke", "-g", GROUP, "-n", machine, "--command-id", "RunShellScript", "--scripts", "false",
           fails="VMExtensionProvisioningError")


def test_refused(cloud, machine):
    path = path_of(cloud, machine)
    one = f"{path}/extensions/one"
    assert cloud.refused("PUT", one, body=wanted(cloud, publisher="Microsoft.Azure.Extensions", type="CustomScript")) == (404, "ArtifactNotFound")
    assert cloud.refused("PUT", one, body=wanted(cloud, settings=7)) == (400, "InvalidParameter")
    assert cloud.refused("PUT", one, body=wanted(cloud, settings={"script": "x" * 70000})) == (400, "InvalidParameter")
    assert cloud.refused("PUT", one, body=wanted(cloud, provisionAfterExtensions=["x"])) == (409, "OperationNotAllowed")
    assert cloud.refused("PUT", one, body={}) == (400, "InvalidParameter")
    assert cloud.refused("GET", one) == (404, "ResourceNotFound")
    assert cloud.ask("DELETE", one)[0] == 204
    assert cloud.refused("POST", f"{path}/runCommand", body={"commandId": "RunPowerShellScript", "script": ["x"]}) == (400, "InvalidParameter")
    assert cloud.refused("POST", f"{path}/runCommand", body={"commandId": "RunShellScript"}) == (400, "InvalidParameter")
    ec2 = cloud.dev.account.client()
    other = start(ec2, ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"])
    assert cloud.refused("PUT", f"{path_of(cloud, other)}/extensions/one", body=wanted(cloud)) == (409, "OperationNotAllowed")
    stranger = cloud.dev.new_account("stranger")
    assert cloud.refused("GET", f"{path}/extensions", account=stranger) == (404, "SubscriptionNotFound")
    # another guest finds none of these
    agent = Agent(cloud.dev, other, says)
    assert agent.wire("/?comp=versions")[0] == 404
    assert agent.ask(f"/metadata/instance?api-version={IMDS_VERSION}", Metadata="true")[0] == 404


def test_a_policy_holds(cloud, machine):
    """IAM policies can deny running commands."""
    iam = cloud.dev.account.client("iam")
    iam.create_user(UserName="kept-out")
    iam.put_user_policy(UserName="kept-out", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}, {"Effect": "Deny", "Action": "ec2:RunInstanceCommand", "Resource": "*"}]}))
    key = iam.create_access_key(UserName="kept-out")["AccessKey"]
    who = type(cloud.dev.account)(cloud.dev, key["AccessKeyId"], key["SecretAccessKey"])
    path = path_of(cloud, machine)
    assert cloud.ask("GET", f"{path}/extensions", account=who)[0] == 200
    assert cloud.refused("POST", f"{path}/runCommand", account=who, body={"commandId": "RunShellScript", "script": ["x"]}) == (403, "AuthorizationFailed")


def test_managed_identity(cloud, machine):
    """The machine's role can read what its policy allows, with a token that the guest got."""
    iam, ec2 = cloud.dev.account.client("iam"), cloud.dev.account.client()
    agent = Agent(cloud.dev, machine, says)
    path = f"/metadata/identity/oauth2/token?api-version=2018-02-01&resource={cloud.dev.url}/"
    status, text = agent.ask(path, Metadata="true")
    assert status == 400 and json.loads(text) == {"error": "invalid_request", "error_description": "Identity not found"}
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    iam.create_role(RoleName="reads", AssumeRolePolicyDocument=json.dumps(trust))
    iam.put_role_policy(RoleName="reads", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "ec2:DescribeInstances", "Resource": "*"}]}))
    iam.create_instance_profile(InstanceProfileName="reads")
    iam.add_role_to_instance_profile(InstanceProfileName="reads", RoleName="reads")
    ec2.associate_iam_instance_profile(InstanceId=machine, IamInstanceProfile={"Name": "reads"})
    told = json.loads(agent.ask(path, Metadata="true")[1])
    assert told["token_type"] == "Bearer" and int(told["expires_in"]) > 3600 * 5
    bearer = {"Authorization": f"Bearer {told['access_token']}"}
    status, _, shown = cloud.send("GET", f"{path_of(cloud, machine)}?api-version=2022-08-01", **bearer)
    assert status == 200 and shown["name"] == machine
    status, _, refused = cloud.send("POST", f"{path_of(cloud, machine)}/restart?api-version=2022-08-01", **bearer)
    assert (status, refused["error"]["code"]) == (403, "AuthorizationFailed")
    iam.delete_role_policy(RoleName="reads", PolicyName="p")
    assert cloud.send("GET", f"{path_of(cloud, machine)}?api-version=2022-08-01", **bearer)[0] == 403
    assert cloud.send("GET", "/subscriptions?api-version=2019-11-01", Authorization=f"Bearer {told['access_token'][:-2]}")[0] == 401


class WindowsGuest(Agent):
    """Sends the requests of cloudbase-init's AzureService, in its order and with its headers; tests/real/26-azure-guest.py checks the disc that it
    also reads."""

    def __init__(self, dev, machine):
        super().__init__(dev, machine, None)
        self.headers = {"x-ms-guest-agent-name": "cloudbase-init"}

    def see(self, path, document=None):
        more = {"Content-Type": "text/xml; charset=utf-8"} if document is not None else {}
        body = document and f'<?xml version="1.0" encoding="utf-8"?>{document}'
        status, text = self.wire(f"/{path}", "POST" if document is not None else "GET", body, **self.headers, **more)
        assert 200 <= status < 300, (path, status, text)
        return ElementTree.fromstring(text) if text else None

    def begin(self):
        versions = self.see("?comp=Versions")
        assert "2015-04-05" in [version.text for version in versions.find("Supported")]
        self.headers["x-ms-version"] = "2015-04-05"
        self.goal = self.see("machine?comp=goalstate")
        assert self.goal.find("Machine/ExpectedState").text == "Started"
        self.role = self.goal.find("Container/RoleInstanceList/RoleInstance")
        return self.role.find("InstanceId").text

    def config(self, name):
        url = self.role.find(f"Configuration/{name}").text
        assert url.startswith("http://168.63.129.16/"), url
        return self.see(url.removeprefix("http://168.63.129.16/"))

    def tell_health(self, state, details=""):
        self.see("machine?comp=health", (
            f"<Health><GoalStateIncarnation>{self.goal.find('Incarnation').text}</GoalStateIncarnation><Container><ContainerId>"
            f"{self.goal.find('Container/ContainerId').text}</ContainerId><RoleInstanceList><Role><InstanceId>"
            f"{self.role.find('InstanceId').text}</InstanceId><Health><State>{state}</State>{details}</Health></Role></RoleInstanceList>"
            "</Container></Health>"))

    def tell_certificate(self, thumbprint):
        self.see("machine?comp=roleProperties", (
            f"<RoleProperties><Container><ContainerId>{self.goal.find('Container/ContainerId').text}</ContainerId><RoleInstances><RoleInstance>"
            f"<Id>{self.role.find('InstanceId').text}</Id><Properties><Property name=\"CertificateThumbprint\" value=\"{thumbprint}\" />"
            "</Properties></RoleInstance></RoleInstances></Container></RoleProperties>"))


def test_windows(cloud, tmp_path):
    """A Windows guest is configured, and reports it."""
    disk = str(tmp_path / "disk.qcow2")
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", disk, "64M"], check=True)
    image = cloud.dev.command("image", "import", disk, "--name", "win", "--personality", "azure", "--platform", "windows")["image_id"]
    machine = start(cloud.dev.account.client(), image)
    guest, path = WindowsGuest(cloud.dev, machine), path_of(cloud, machine)

    def provisioning():
        view = cloud.ask("GET", f"{path}/instanceView")[2]
        return next((status["code"], status.get("message")) for status in view["statuses"] if status["code"].startswith("ProvisioningState"))

    assert guest.begin().endswith(f"._{machine}")
    guest.tell_health("NotReady", "<Details><SubStatus>Provisioning</SubStatus><Description>Preparing your computer</Description></Details>")
    assert guest.config("HostingEnvironmentConfig").tag == "HostingEnvironmentConfig"
    assert guest.config("SharedConfig") is not None
    assert guest.config("ExtensionsConfig").tag == "Extensions"
    assert guest.role.find("Configuration/Certificates") is None  # no certificates are requested then
    guest.tell_certificate("0123456789ABCDEF0123456789ABCDEF01234567")
    guest.tell_health("Ready")
    assert provisioning() == ("ProvisioningState/succeeded", None)
    shown = cloud.ask("GET", path)[2]["properties"]
    assert shown["storageProfile"]["osDisk"]["osType"] == "Windows"
    assert shown["osProfile"]["windowsConfiguration"] == {"enableAutomaticUpdates": True, "provisionVMAgent": True}
    guest.tell_health("NotReady", "<Details><SubStatus>ProvisioningFailed</SubStatus><Description>no disk</Description></Details>")
    assert provisioning() == ("ProvisioningState/failed/OSProvisioningClientError", "no disk")


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))

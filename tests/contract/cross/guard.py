#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: always
# subjects: src/auth src/engine/operation.c src/engine/resolve.c src/api/core src/api/console src/api/native src/engine/network
"""The guard is asked on every path to a row: /api/v1's other calls, consoles, tickets, lists of events, and from the other end of a link. Access
rules apply in every service, changing second factors requires one, and refused signatures are recorded."""
import base64
import contextlib
import http.client
import json
import os
import subprocess
import sys
import urllib.parse

import pytest
import websocket

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloudstack  # noqa: E402
import doors  # noqa: E402
import native  # noqa: E402
import scim  # noqa: E402
from dev import DARI, Account, Dev  # noqa: E402
from waiting import HANG_S  # noqa: E402

SAME = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
SECRET = "DBPASS-hunter2"


class Keeper(native.Native):
    """A member of an account whose policies deny one of its machines, in each face."""

    def furnish(self):
        self.number = self.root.client("sts").get_caller_identity()["Account"]
        key = self.ok("POST", f"/identity/v3/users/{self.user_id}/credentials/OS-EC2", {"tenant_id": self.id})["credential"]
        self.key = Account(self.dev, key["access"], key["secret"])
        self.own = self.key.client()
        image = self.ec2.describe_images()["Images"][0]["ImageId"]
        self.machine, self.other = (self.ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1, UserData=f"#!/bin/sh\n# {SECRET}\n")["Instances"][0]
                                    for _ in range(2))
        self.dev.rest()
        self.nic, self.other_nic = (m["NetworkInterfaces"][0]["NetworkInterfaceId"] for m in (self.machine, self.other))
        self.address = self.ec2.allocate_address(Domain="vpc")
        self.ec2.associate_address(AllocationId=self.address["AllocationId"], NetworkInterfaceId=self.nic)
        return self

    def has(self, *statements):
        self.root.ok("PutUserPolicy", {"UserName": self.user, "PolicyName": "guard", "PolicyDocument": doors.policy(doors.ALLOW, *statements)}, service="iam", version="2010-05-08")

    @contextlib.contextmanager
    def kept_from(self, *statements):
        self.has(*statements)
        yield
        self.root.ok("DeleteUserPolicy", {"UserName": self.user, "PolicyName": "guard"}, service="iam", version="2010-05-08")

    def from_machine(self):
        start = f"arn:aws:ec2:us-east-1:{self.number}"
        return self.kept_from(doors.deny("*", [f"{start}:instance/{self.machine['InstanceId']}", f"{start}:network-interface/{self.nic}"]))

    def leads_to(self):
        return self.ec2.describe_addresses(AllocationIds=[self.address["AllocationId"]])["Addresses"][0].get("NetworkInterfaceId")

    def stack(self, command, **parameters):
        """Status of a CloudStack command with the member's key, or of its job."""
        answer = cloudstack.call(self.dev, command, _key=self.key.key_id, _secret=self.key.secret, **parameters)
        return answer[0]


@pytest.fixture(scope="module")
def dev():
    with Dev() as region:
        region.keeper = native.cloud.another(region, "keeper", Keeper).furnish()
        region.stranger = native.another(region, "stranger")
        region.operator = native.admin(region)
        yield region


# ---- access rules of application credentials

def test_access_rules_hold_in_every_service(dev):
    keeper = dev.keeper
    made = keeper.ok("POST", f"/identity/v3/users/{keeper.user_id}/application_credentials", {"application_credential": {
        "name": "reads", "secret": "geheim", "access_rules": [{"path": "/v2.1/servers", "method": "GET", "service": "compute"}]}})["application_credential"]
    answer = keeper.call("POST", "/identity/v3/auth/tokens", {"auth": {"identity": {"methods": ["application_credential"], "application_credential": {
        "id": made["id"], "secret": "geheim"}}}}, headers={"X-Auth-Token": ""})
    token = {"X-Auth-Token": answer.headers["X-Subject-Token"]}
    assert keeper.call("GET", "/compute/v2.1/servers", headers=token).status == 200
    for method, path, body in [("GET", "/compute/v2.1/flavors", None), ("GET", "/network/v2.0/networks", None), ("GET", "/api/v1/instances", None),
                               ("GET", "/api/v1/me", None), ("POST", "/api/v1/key-pairs", {"name": "k"}), ("POST", "/api/v1/tickets", {"subject": "x", "body": "x"}),
                               ("DELETE", f"/api/v1/instances/{keeper.machine['InstanceId']}", None), ("GET", "/api/v1/stream", None)]:
        assert keeper.call(method, path, body, headers=token).status == 401, path
    plain = keeper.ok("POST", f"/identity/v3/users/{keeper.user_id}/application_credentials", {"application_credential": {"name": "all", "secret": "geheim"}})["application_credential"]
    answer = keeper.call("POST", "/identity/v3/auth/tokens", {"auth": {"identity": {"methods": ["application_credential"], "application_credential": {
        "id": plain["id"], "secret": "geheim"}}}}, headers={"X-Auth-Token": ""})
    assert keeper.call("GET", "/api/v1/instances", headers={"X-Auth-Token": answer.headers["X-Subject-Token"]}).status == 200


# ---- second factors

class Session:
    """A browser session of a user with a password."""

    def __init__(self, person):
        self.person, self.cookie = person, ""

    def call(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.person.dev.port, timeout=HANG_S)
        connection.request(method, "/api/v1" + path, None if method == "GET" else json.dumps(body or {}), {**SAME, "Cookie": self.cookie})
        answer = connection.getresponse()
        self.cookie = (answer.headers["Set-Cookie"] or self.cookie).split(";")[0]
        return answer.status, json.loads(answer.read() or b"{}")

    def enter(self):
        return self.call("POST", "/session", {"user": self.person.user, "password": self.person.password})


def test_second_factors_want_a_session(dev):
    """Neither a token by password alone nor an access key can create one, which would lock out its owner."""
    keeper = dev.keeper
    for status in (keeper.api("POST", "/second-factors/totp", {"name": "x"}).status, signed(dev, "POST", "/second-factors/totp", b"{}")):
        assert status == 403
    assert keeper.api("GET", "/second-factors").json["items"] == []
    session = Session(keeper)
    assert session.enter()[0] == 201
    with keeper.kept_from(doors.deny("iam:*", "*")):
        assert session.call("POST", "/second-factors/totp", {"name": "x"})[0] == 403
        assert session.call("GET", "/second-factors")[0] == 403 and keeper.api("GET", "/second-factors").status == 403
    with keeper.kept_from(doors.deny("iam:CreateVirtualMFADevice", "*")):
        assert session.call("POST", "/second-factors/totp", {"name": "x"})[0] == 403
        assert session.call("GET", "/second-factors")[0] == 200
    status, made = session.call("POST", "/second-factors/totp", {"name": "x"})
    assert status == 201, made
    assert session.call("DELETE", f"/second-factors/{made['item']['id']}")[0] == 202


def signed(dev, method, path, body=b""):
    """Status of a call with the member's access key."""
    import botocore.auth  # noqa: PLC0415
    import botocore.awsrequest  # noqa: PLC0415
    import botocore.credentials  # noqa: PLC0415
    request = botocore.awsrequest.AWSRequest(method, f"{dev.url}/api/v1{path}", data=body, headers={"Content-Type": "application/json"})
    key = dev.keeper.key
    botocore.auth.SigV4Auth(botocore.credentials.Credentials(key.key_id, key.secret), "ec2", "us-east-1").add_auth(request)
    connection = http.client.HTTPConnection("127.0.0.1", dev.port, timeout=HANG_S)
    connection.request(method, "/api/v1" + path, body, dict(request.headers))
    return connection.getresponse().status


# ---- consoles, reach, events

def test_consoles_ask_when_they_open(dev):
    keeper = dev.keeper
    url = keeper.api_ok("POST", f"/instances/{keeper.machine['InstanceId']}/console", {})["url"]
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)
    place = f"ws://127.0.0.1:{dev.port}/{query['path'][0]}"
    websocket.create_connection(place, timeout=HANG_S).close()
    for statement in (doors.deny("*", f"arn:aws:ec2:us-east-1:{keeper.number}:instance/{keeper.machine['InstanceId']}"), doors.deny("ec2:OpenInstanceConsole", "*")):
        with keeper.kept_from(statement), pytest.raises(websocket.WebSocketBadStatusException) as refused:
            websocket.create_connection(place, timeout=HANG_S)
        assert refused.value.status_code == 403
    websocket.create_connection(place, timeout=HANG_S).close()


def test_an_open_console_closes_with_its_policy(dev):
    """The simulated host sends its guest's picture until the region closes the connection."""
    keeper = dev.keeper
    url = keeper.api_ok("POST", f"/instances/{keeper.machine['InstanceId']}/console", {})["url"]
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)
    place = f"ws://127.0.0.1:{dev.port}/{query['path'][0]}"
    for statement in (doors.deny("ec2:OpenInstanceConsole", "*"),
                      doors.deny("*", f"arn:aws:ec2:us-east-1:{keeper.number}:instance/{keeper.machine['InstanceId']}")):
        socket = websocket.create_connection(place, timeout=HANG_S)
        with keeper.kept_from(statement):
            for _ in iter(socket.recv, b""):
                if not socket.connected:
                    break
            assert not socket.connected
        socket.close()


def test_reach_asks(dev):
    keeper = dev.keeper
    path = f"/reach?from={keeper.machine['InstanceId']}&to=internet&port=443"
    assert keeper.api("GET", path).status == 200
    for statement in (doors.deny("*", "*"), doors.deny("ec2:DescribeInstances", "*")):
        with keeper.kept_from(statement):
            answer = keeper.api("GET", path)
            assert answer.status == 403 and keeper.machine["PrivateIpAddress"] not in answer.text, answer
    path = f"/reach?from={keeper.nic}&to=internet&port=443"
    with keeper.kept_from(doors.deny("ec2:DescribeNetworkInterfaces", "*")):
        assert keeper.api("GET", path).status == 403


def test_events_of_what_may_be_read(dev):
    keeper = dev.keeper
    ticket = keeper.api_ok("POST", "/tickets", {"subject": "the subject", "body": "x"})["items"][0]
    kinds = {e["kind"] for e in keeper.api_ok("GET", "/events?limit=1000")["items"]}
    assert {"instance", "support_ticket"} <= kinds
    with keeper.kept_from(doors.deny(["support:*", "ec2:DescribeInstances"], "*")):
        answer = keeper.api("GET", "/events?limit=1000")
        shown = {e["kind"] for e in answer.json["items"]}
        assert "address" in shown and not {"instance", "support_ticket"} & shown and "the subject" not in answer.text
        assert keeper.api("GET", "/events?limit=1").json["items"], "a page is filled with what may be read"
        said = cloudstack.call(dev, "listEvents", _key=keeper.key.key_id, _secret=keeper.key.secret)
        assert said[0] == 200 and not any(e["type"].startswith("VM.") for e in said[1].get("event", [])), said
    said = cloudstack.call(dev, "listEvents", _key=keeper.key.key_id, _secret=keeper.key.secret)
    assert any(e["type"].startswith("VM.") for e in said[1]["event"])
    keeper.api_ok("POST", f"/tickets/{ticket['id']}/cancel", {})


# ---- tickets

def test_tickets_name_ones_own(dev):
    keeper, stranger = dev.keeper, dev.stranger
    body = {"subject": "x", "body": "x"}
    words = set()
    for name in (keeper.machine["InstanceId"], "i-0123456789abcdef0"):
        answer = stranger.api("POST", "/tickets", {**body, "resources": [name]})
        assert answer.status == 404 and answer.json["field"] == "resources", answer
        words.add(answer.json["detail"].replace(name, "ID"))
    row = keeper.api_ok("GET", f"/instances/{keeper.machine['InstanceId']}")["item"]
    host = dev.operator.rows("/hosts")[0]
    for name in (row["id"], host["id"], host["name"], "00000000-0000-4000-8000-000000000000"):
        answer = stranger.api("POST", "/tickets", {**body, "resources": [name]})
        assert answer.status == 404, answer
        words.add(answer.json["detail"].replace(name, "ID"))
    assert len(words) == 1, words
    with keeper.from_machine():
        assert keeper.api("POST", "/tickets", {**body, "resources": [keeper.machine["InstanceId"]]}).status == 403


def test_facts_are_what_lists_show(dev):
    keeper = dev.keeper
    ticket = keeper.api_ok("POST", "/tickets", {"subject": "x", "body": "x", "resources": [keeper.machine["InstanceId"]]})["items"][0]
    dev.command("ticket", "facts", ticket["ec2"])
    dev.rest()
    files = [f for f in dev.operator.rows(f"/ticket-attachments?ticket={ticket['id']}&fields=*&all=1") if "facts" in f["name"]]
    assert files, "no facts"
    for file in files:
        said = dev.operator.api_ok("GET", f"/ticket-attachments/{file['id']}/content")["data"]
        text = base64.b64decode(said).decode()
        assert keeper.machine["InstanceId"] in text and "running" in text
        for hidden in ("user_data", SECRET, base64.b64encode(SECRET.encode()).decode()[:12], "sim", keeper.user_id, '"made_by"', "pool_path"):
            assert hidden not in text.replace("similar", ""), (hidden, text)


# ---- both ends of a link

def test_the_address_of_a_denied_machine(dev):
    keeper = dev.keeper
    row = next(a for a in keeper.rows("/addresses") if a["ip"] == keeper.address["PublicIp"])
    floating = f"/network/v2.0/floatingips/{row['id']}"
    with keeper.from_machine():
        calls = {
            "DisassociateAddress": keeper.key.call("DisassociateAddress", {"AssociationId": keeper.ec2.describe_addresses(AllocationIds=[keeper.address["AllocationId"]])["Addresses"][0]["AssociationId"]}).status,
            "AssociateAddress": keeper.key.call("AssociateAddress", {"AllocationId": keeper.address["AllocationId"], "NetworkInterfaceId": keeper.other_nic, "AllowReassociation": "true"}).status,
            "Neutron port_id": keeper.call("PUT", floating, {"floatingip": {"port_id": None}}).status,
            "Neutron DELETE": keeper.call("DELETE", floating).status,
            "native": keeper.api("POST", f"/addresses/{row['id']}/disassociate", {}).status,
        }
        assert all(s == 403 for s in calls.values()), calls
        for command, parameters in (("disableStaticNat", {"ipaddressid": row["id"]}), ("disassociateIpAddress", {"id": row["id"]})):
            keeper.stack(command, **parameters)
            dev.rest()
            assert keeper.leads_to() == keeper.nic, command
    assert keeper.leads_to() == keeper.nic


def test_the_interface_of_a_denied_machine(dev):
    keeper = dev.keeper
    subnet = keeper.ec2.describe_network_interfaces(NetworkInterfaceIds=[keeper.nic])["NetworkInterfaces"][0]["SubnetId"]
    second = keeper.ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    keeper.ec2.attach_network_interface(NetworkInterfaceId=second, InstanceId=keeper.machine["InstanceId"], DeviceIndex=1)
    dev.rest()
    port = keeper.api_ok("GET", f"/ports/{second}")["item"]["id"]
    with keeper.from_machine():
        assert keeper.call("DELETE", f"/network/v2.0/ports/{port}").status == 403
    assert keeper.call("DELETE", f"/network/v2.0/ports/{port}").status == 204


def test_forwardings_to_a_denied_machine(dev):
    keeper = dev.keeper
    outside = keeper.ok("GET", "/network/v2.0/networks?router:external=true")["networks"][0]["id"]
    made = keeper.ok("POST", "/network/v2.0/floatingips", {"floatingip": {"floating_network_id": outside}})["floatingip"]["id"]
    port = keeper.api_ok("GET", f"/ports/{keeper.nic}")["item"]
    rules = f"/network/v2.0/floatingips/{made}/port_forwardings"
    wish = {"internal_port_id": port["id"], "internal_ip_address": keeper.machine["PrivateIpAddress"], "internal_port": 22, "external_port": 2222, "protocol": "tcp"}
    # the machine has a public address of its own, so Neutron forwards nothing to it
    keeper.ec2.disassociate_address(AssociationId=keeper.ec2.describe_addresses(AllocationIds=[keeper.address["AllocationId"]])["Addresses"][0]["AssociationId"])
    rule = keeper.ok("POST", rules, {"port_forwarding": wish})["port_forwarding"]["id"]
    with keeper.from_machine():
        assert keeper.call("PUT", f"{rules}/{rule}", {"port_forwarding": {"internal_port": 23}}).status == 403
        assert keeper.call("DELETE", f"{rules}/{rule}").status == 403
        assert keeper.call("POST", rules, {"port_forwarding": {**wish, "external_port": 2223, "internal_port": 80}}).status in (403, 404)
        for command, parameters in (("updatePortForwardingRule", {"id": rule, "privateport": "23"}), ("deletePortForwardingRule", {"id": rule}), ("disassociateIpAddress", {"id": made})):
            keeper.stack(command, **parameters)
            dev.rest()
            assert keeper.ok("GET", f"{rules}/{rule}")["port_forwarding"]["internal_port"] == 22, command
    assert keeper.call("DELETE", f"{rules}/{rule}").status == 204
    keeper.ec2.associate_address(AllocationId=keeper.address["AllocationId"], NetworkInterfaceId=keeper.nic)


def test_no_tls_is_asked_for_without_it(dev):
    """RFC 6797, 7.2. azure/rest.py holds the header of answers over TLS."""
    connection = http.client.HTTPConnection("127.0.0.1", dev.port)
    connection.request("GET", "/api/v1/instances")
    assert connection.getresponse().headers["Strict-Transport-Security"] is None
    connection.close()


# ---- hosts, and refused signatures

@pytest.mark.parametrize("uri", ["qemu+tls://h\n/system", "qemu+tls://h/system?command=x", "qemu+tls://h/system%3fcommand=x", "qemu+ssh://h/system?netcat=x", "qemu+tls://h h/system", "/system", "x"])
def test_uris_of_hosts(dev, uri):
    answer = dev.operator.api("POST", "/hosts", {"name": "h9", "uri": uri})
    assert answer.status in (400, 403) and answer.json["field"] == "uri", answer


def test_refused_signatures_are_recorded(dev):
    """One record for each key and minute, with a count; under the key's id, without any secret."""
    wrong = Account(dev, dev.keeper.key.key_id, "wrong")
    for _ in range(3):
        assert wrong.call("DescribeInstances").status in (401, 403)
    said = subprocess.run([DARI, "--config", dev.config, "log", "audit", "--json"], check=True, capture_output=True, text=True).stdout
    lines = [r for r in map(json.loads, said.splitlines()) if r.get("action") == "dari:ProveKey"]
    assert lines and any(dev.keeper.key.key_id in r["subject"] for r in lines), lines
    assert len([r for r in lines if dev.keeper.key.key_id in r["subject"]]) == 1


def test_made_up_keys_share_a_record(dev):
    """Names that an outsider makes up do not decide how much is written, in any face."""
    def records():
        said = subprocess.run([DARI, "--config", dev.config, "log", "audit", "--json"], check=True, capture_output=True, text=True).stdout
        return [r for r in map(json.loads, said.splitlines()) if r["outcome"] != "ok"]
    before, domain = len(records()), scim.Domain(dev.operator, "of-strangers")
    for n in range(20):
        assert domain.call("GET", "/Users", token=f"AKIAMADEUP{n:010}:wrong").status == 401
        assert Account(dev, f"AKIAMADEUP{n:010}", "wrong").call("DescribeInstances").status in (401, 403)
        body = {"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": f"made-up-{n}", "domain": {"id": "default"}, "password": "x"}}}}}
        connection = http.client.HTTPConnection("127.0.0.1", dev.port)
        connection.request("POST", "/identity/v3/auth/tokens", json.dumps(body), {"Content-Type": "application/json"})
        assert connection.getresponse().status == 401
        connection.close()
    assert len(records()) <= before + 3, records()[before:]  # one a face


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/http src/api/core
"""No action uses an HTTP thread's processor for over a millisecond at a time (src/http/cost.h): runs every golden case of every face, and takes each
call's best time of several runs. Actions whose cost grows with the request or the answer are in LARGE with their limits; they are measured on a
running server by its own metrics."""
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import urllib.request

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
import dev as ec2  # noqa: E402
from waiting import HANG_S  # noqa: E402

GOLDEN = os.path.join(os.path.dirname(ec2.DARI), "../../tests/unit/api/golden")
CASES = os.path.join(ec2.ROOT, "tests/golden")
LIMIT_US, RUNS, HISTORY = 1000, 24, 200  # a call is repeated only while it is over the limit
FACES = ["ec2", "iam", "openstack"]
BODY_MAX, JSON_MAX = 1024 * 1024, 114688


# ---- every action

@pytest.fixture(scope="module")
def costs():
    """{face: {action: (microseconds of its worst call, that call)}}"""
    def measure(face):
        done = subprocess.run([GOLDEN, os.path.join(CASES, face)], env=dict(os.environ, GOLDEN_COSTS=str(RUNS)), text=True,
                              capture_output=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr
        worst = {}
        for action, used, path, call in re.findall(r"^cost (\S+) (\d+) (\S+) (\d+)$", done.stdout, re.MULTILINE):
            worst[action] = max(worst.get(action, (0, "")), (int(used), f"call {call} of {os.path.relpath(path, CASES)}"))
        return worst
    with concurrent.futures.ThreadPoolExecutor(len(FACES)) as pool:
        return dict(zip(FACES, pool.map(measure, FACES)))


def tables(face):
    words = {"ec2": "actions"}.get(face, face)
    return json.loads(subprocess.run([ec2.DARI, "dump", words], check=True, capture_output=True).stdout)["actions"]


@pytest.mark.parametrize("face", FACES)
def test_no_action_takes_a_thread_long(costs, face):
    over = {action: worst for action, worst in costs[face].items() if worst[0] > LIMIT_US}
    assert not over, "\n".join(f"{action}: {us} us in {where}" for action, (us, where) in sorted(over.items()))


@pytest.mark.parametrize("face", FACES)
def test_every_action_was_measured(costs, face):
    names = {a["permit"] if face == "openstack" else a["name"] for a in tables(face)}
    missing = sorted(names - costs[face].keys())
    assert not missing, missing


# ---- slow work on other threads, and growing costs

class Measured:
    """A separate server, and the costs of its calls."""

    def __init__(self, dev):
        self.dev, self.ec2, self.openstack = dev, dev.account, cloud.own(dev)

    def longest_ms(self, action):
        with urllib.request.urlopen(self.dev.url + "/metrics", timeout=HANG_S) as answer:
            text = answer.read().decode()
        found = re.search(rf'^dari_http_longest_run_seconds{{face="api",action="{re.escape(action)}"}} (\S+)$', text, re.MULTILINE)
        return float(found[1]) * 1000 if found else 0.0


def make_key_pairs(m):
    for n in range(3):
        m.ec2.ok("CreateKeyPair", {"KeyName": f"rsa-{n}", "KeyType": "rsa"})
        m.openstack.ok("POST", "/compute/v2.1/os-keypairs", {"keypair": {"name": f"nova-{n}"}})


def send_large_form(m):
    for _ in range(5):
        answer = m.ec2.call("DescribeVpcs", {"Filter.1.Name": "vpc-id", "Filter.1.Value.1": "x" * (BODY_MAX - 1000)})
        assert answer.status == 400, answer


def send_large_json(m):
    for _ in range(5):
        raw = ('{"network": {' + ",".join(f'"{n}":0' for n in range(JSON_MAX))[:JSON_MAX - 30].rpartition(",")[0] + "}}").encode()
        assert JSON_MAX - 100 < len(raw) <= JSON_MAX
        answer = m.openstack.call("POST", "/network/v2.0/networks", raw=raw)
        assert answer.status == 400, answer


def list_many(m):
    vpc = m.ec2.ok("CreateVpc", {"CidrBlock": "10.0.0.0/16"}).first(".//vpcId")
    made = m.ec2.call_all([("CreateSecurityGroup", {"GroupName": f"g{n}", "GroupDescription": "words", "VpcId": vpc}) for n in range(400)])
    assert {a.status for a in made} == {200}
    for _ in range(3):
        assert len(m.ec2.ok("DescribeSecurityGroups").all(".//securityGroupInfo/item/groupId")) >= 400
        assert len(m.openstack.ok("GET", "/network/v2.0/security-groups")["security_groups"]) >= 400


def read_long_history(m):
    network = m.openstack.ok("POST", "/network/v2.0/networks", {"network": {"name": "n"}})["network"]["id"]
    m.openstack.ok("POST", "/network/v2.0/subnets", {"subnet": {"network_id": network, "ip_version": 4, "cidr": "10.9.0.0/24"}})
    image = m.openstack.ok("GET", "/image/v2/images")["images"][0]["id"]
    server = m.openstack.ok("POST", "/compute/v2.1/servers", {"server": {
        "name": "s", "imageRef": image, "flavorRef": "t3.nano", "networks": [{"uuid": network}]}})["server"]["id"]
    for n in range(HISTORY):
        m.openstack.ok("POST", f"/compute/v2.1/servers/{server}/action", {"unlock" if n % 2 else "lock": None})
    for _ in range(3):
        assert len(m.openstack.ok("GET", f"/compute/v2.1/servers/{server}/os-instance-actions")["instanceActions"]) > HISTORY
        m.openstack.ok("GET", f"/compute/v2.1/os-simple-tenant-usage/{m.openstack.id}")


# Call; the action whose cost is measured; limit in ms, several times the measured cost; factor (1: the limit itself); and reason.
LARGE = [
    (make_key_pairs, "CreateKeyPair", 10, 0.6, "RSA keys are made on a lane: one takes 50 ms at least."),
    (make_key_pairs, "os_compute_api:os-keypairs:create", 10, 0.6, "Likewise."),
    (send_large_form, "DescribeVpcs", 30, 4.2, "The body's hash is part of the signature, and its cap is 1 MiB."),
    (send_large_json, "create_network", 30, 4.5, "A body is read whole before its members are known; its cap is 112 KiB."),
    (list_many, "DescribeSecurityGroups", 30, 1, "An answer has 1,000 items at most, and long ones are put together as they are sent."),
    (list_many, "get_security_groups", 30, 1, "An answer has 1,000 items at most."),
    (read_long_history, "os_compute_api:os-instance-actions:list", 30, 1.0, "Read from SQL, 5 us for each event: 1,000 of them at most."),
    (read_long_history, "os_compute_api:os-simple-tenant-usage:show", 30, 1, "Read from SQL: what all of a project's servers held."),
]


def test_what_grows_is_bounded():
    best = {}
    for _ in range(3):
        with ec2.Dev() as dev:
            m = Measured(dev)
            for do in dict.fromkeys(row[0] for row in LARGE):
                do(m)
            for _, action, *_ in LARGE:
                best[action] = min(best.get(action, 1e9), m.longest_ms(action))
    print("over 1 ms:", {action: ms for action, ms in best.items() if ms})
    assert best["DescribeVpcs"] > 1  # otherwise nothing is measured
    over = [f"{action}: {best[action]:.1f} ms, not {at_most}: {why}" for _, action, at_most, _, why in LARGE if best[action] > at_most]
    assert not over, "\n".join(over)


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/engine/licence src/reconcile/licence src/daemon/subscriptions src/drivers/candlepin
"""Licences by an operator's commands and in EC2: from image to instance, conversion, needs and entitlements, reports; and the mapping of guests to
hosts, sent to a fake Candlepin."""
import base64
import csv
import http.server
import io
import json
import os
import subprocess
import sys
import threading
import time
import urllib.parse

import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import DARI  # noqa: E402
from regions import dev  # noqa: E402, F401 (fixtures)
from waiting import found as soon  # noqa: E402

PRICES = """
price_list: {name: public, currency: EUR, from: 2020-01-01T00:00:00Z, parent: null, owner: null}
items:
- {sku: lic.rhel.small, meter: "licence:rhel", when: {vcpus: [1, 4]}, unit: hour, round_up_s: 3600, price: 0.060000}
- {sku: lic.rhel.large, meter: "licence:rhel", when: {vcpus: [5, 448]}, unit: vcpu_hour, round_up_s: 3600, price: 0.014400}
"""
SECRET = "s3cret-of-candlepin"


@pytest.fixture(scope="module")
def ec2(dev):
    return dev.account.client()


@pytest.fixture(scope="module")
def image(ec2):
    return ec2.describe_images()["Images"][0]["ImageId"]


def run(dev, *words):
    return subprocess.run([DARI, "--config", dev.config, *words], capture_output=True, text=True, check=False)


def launch(dev, ec2, image, size="t3.micro"):
    made = ec2.run_instances(ImageId=image, InstanceType=size, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    dev.rest()
    return made


def show(ec2, instance):
    return ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]


def report(dev, programme):
    time.sleep(1.1)  # levels count in whole seconds
    return list(csv.DictReader(io.StringIO(run(dev, "subscriptions", "report", "--programme", programme).stdout)))


def test_products(dev):
    rhel = next(p for p in dev.command("subscriptions", "products") if p["name"] == "rhel")
    assert rhel["vendor"] == "Red Hat" and not rhel["sold"]
    run(dev, "subscriptions", "product", "db2", "--title", "Db2", "--vendor", "IBM", "--metric", "vcpu")
    assert next(p for p in dev.command("subscriptions", "products") if p["name"] == "db2")["metric"] == "vcpu"
    assert "no product 'db3'" in run(dev, "subscriptions", "entitle", "db3", "--quantity", "1").stderr


def test_included_is_billed_until_it_is_converted(dev, ec2, image, tmp_path):
    prices = tmp_path / "prices.yaml"
    prices.write_text(PRICES)
    dev.command("prices", "load", str(prices))
    assert run(dev, "subscriptions", "image", image, "rhel:included").returncode == 0
    shown = ec2.describe_images(ImageIds=[image])["Images"][0]
    assert shown["PlatformDetails"] == "Red Hat Enterprise Linux" and shown["UsageOperation"] == "RunInstances:0010"
    made = launch(dev, ec2, image)
    before = show(ec2, made)
    assert (before["PlatformDetails"], before["UsageOperation"]) == ("Red Hat Enterprise Linux", "RunInstances:0010")
    time.sleep(1.1)
    assert "no product 'hat'" in run(dev, "subscriptions", "convert", made, "--to", "hat:byos").stderr
    assert run(dev, "subscriptions", "convert", made, "--to", "byos").returncode == 0
    after = show(ec2, made)
    assert (after["PlatformDetails"], after["UsageOperation"]) == ("Red Hat BYOL Linux", "RunInstances:00g0")
    assert after["UsageOperationUpdateTime"] > before["UsageOperationUpdateTime"]
    found = ec2.describe_instances(Filters=[{"Name": "usage-operation", "Values": ["RunInstances:00g0"]}])["Reservations"]
    assert [i["InstanceId"] for r in found for i in r["Instances"]] == [made]
    month = time.strftime("%Y-%m", time.gmtime())
    lines = [line for line in dev.command("bill", "month", month) if line["sku"].startswith("lic.")]
    assert [(line["sku"], line["quantity"]) for line in lines] == [("lic.rhel.small", "1")], lines  # a started hour
    assert "software:" not in run(dev, "prices", "check", str(prices)).stdout
    rows = {(r["source"], r["band"]): r for r in report(dev, "ccsp")}
    assert set(rows) == {("included", "small"), ("byos", "small")}
    assert rows["included", "small"]["begun_hours"] == "1" and rows["included", "small"]["peak_vcpus"] == "2"
    ec2.terminate_instances(InstanceIds=[made])
    dev.rest()


def test_a_user_includes_nothing(dev, ec2, image):
    run(dev, "subscriptions", "image", image, "")
    snapshot = ec2.describe_images(ImageIds=[image])["Images"][0]["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    copy = ec2.copy_snapshot(SourceSnapshotId=snapshot, SourceRegion="us-east-1")["SnapshotId"]
    dev.rest()
    disks = [{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": copy}}]
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        ec2.register_image(Name="included", BillingProducts=["bp-6fa54006"], BlockDeviceMappings=disks)
    assert refused.value.response["Error"]["Code"] == "UnauthorizedOperation"
    own = ec2.register_image(Name="own", BillingProducts=["bp-63a5400a"], BlockDeviceMappings=disks)["ImageId"]
    assert ec2.describe_images(ImageIds=[own])["Images"][0]["PlatformDetails"] == "Red Hat BYOL Linux"


def test_what_is_over_is_said_and_stops_nobody(dev, ec2, image):
    run(dev, "subscriptions", "image", image, "rhel:byos")
    made = [launch(dev, ec2, image) for _ in range(2)]
    done = run(dev, "subscriptions")
    assert done.returncode == 1 and "needed 2 by instance, entitled 0" in done.stdout and made[0] in done.stdout, done
    number = ec2.describe_security_groups()["SecurityGroups"][0]["OwnerId"]
    dev.command("subscriptions", "entitle", "rhel", "--quantity", "1", "--account", number, "--reference", "K-1")
    assert "needed 2 by instance, entitled 1" in run(dev, "subscriptions").stdout
    soon(lambda: "LicencesOver-rhel-byos" in run(dev, "doctor").stdout)
    finding = next(line for line in run(dev, "doctor").stdout.splitlines() if " licences" in line)
    assert "2 are needed by instance, and 1 are entitled" in finding, finding
    dev.command("subscriptions", "entitle", "rhel", "--quantity", "5", "--account", number)
    assert run(dev, "subscriptions").returncode == 0
    soon(lambda: "LicencesOver-rhel-byos" not in run(dev, "doctor").stdout)
    assert show(ec2, made[0])["State"]["Name"] == "running"
    for entitlement in dev.command("subscriptions", "entitlements"):
        assert run(dev, "subscriptions", "end", entitlement["id"]).returncode == 0
    ec2.terminate_instances(InstanceIds=made)
    dev.rest()


def test_a_licence_for_dedicated_hosts_is_placed_there(dev, ec2, image):
    run(dev, "subscriptions", "image", image, "windows-server:byos")
    owner = ec2.describe_security_groups()["SecurityGroups"][0]["OwnerId"]
    dev.command("subscriptions", "entitle", "windows-server", "--quantity", "64", "--account", owner, "--where", "dedicated")
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)
    assert refused.value.response["Error"]["Code"] == "InsufficientCapacityOnHost", refused.value
    zone = ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
    host = ec2.allocate_hosts(AvailabilityZone=zone, InstanceFamily="t3", Quantity=1, AutoPlacement="on")["HostIds"][0]
    subnet = ec2.describe_subnets(Filters=[{"Name": "availability-zone", "Values": [zone]}])["Subnets"][0]["SubnetId"]
    made = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1, SubnetId=subnet)["Instances"][0]
    assert made["Placement"]["Tenancy"] == "host"
    dev.rest()
    assert show(ec2, made["InstanceId"])["Placement"]["HostId"] == host
    hosts = [r for r in report(dev, "spla") if r["product"] == "windows-server"]
    assert len(hosts) == 1 and int(hosts[0]["counted_cores"]) >= 16 and hosts[0]["peak_guests"] == "1", hosts
    ec2.terminate_instances(InstanceIds=[made["InstanceId"]])
    dev.rest()
    run(dev, "subscriptions", "image", image, "")


# ---- which guests are on which hosts ----

class Candlepin(http.server.BaseHTTPRequestHandler):
    """The part of Candlepin that virt-who needs: mappings become jobs, which end after two polls."""
    calls, jobs, mapping, busy, fails = [], {}, None, 0, 0

    def answer(self, status, value=None, headers=()):
        body = json.dumps(value).encode() if value is not None else b""
        self.send_response(status)
        for name, text in headers:
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def seen(self):
        cls = type(self)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(path.query))
        cls.calls.append((self.command, path.path, query, time.monotonic()))
        expected = "Basic " + base64.b64encode(f"virt-who:{SECRET}".encode()).decode()
        if self.headers.get("Authorization") != expected:
            self.answer(401, {"displayMessage": "Invalid Credentials"})
            return None, None, None
        return path.path, query, body

    def do_POST(self):
        cls = type(self)
        path, query, body = self.seen()
        if path is None:
            return
        if cls.busy:
            cls.busy -= 1
            self.answer(429, {"displayMessage": "slow down"}, [("Retry-After", "1")])
            return
        assert path == "/rhsm/hypervisors/ACME" and query["reporter_id"] == "dari", (path, query)
        job = f"job-{len(cls.jobs)}"
        cls.jobs[job] = [json.loads(body), 2]
        self.answer(200, {"id": job, "state": "CREATED", "created": "2026-11-24T00:00:00+0000"})

    def do_GET(self):
        cls = type(self)
        path, _, _ = self.seen()
        if path is None:
            return
        job = cls.jobs[path.removeprefix("/rhsm/jobs/")]
        job[1] -= 1
        if job[1] > 0:
            self.answer(200, {"id": path.rsplit("/", 1)[1], "state": "RUNNING"})
        elif cls.fails:
            cls.fails -= 1
            self.answer(200, {"id": path.rsplit("/", 1)[1], "state": "FAILED", "resultData": "no such owner"})
        else:
            cls.mapping = job[0]
            self.answer(200, {"id": path.rsplit("/", 1)[1], "state": "FINISHED", "resultData": "ok"})

    def do_PUT(self):
        if self.seen()[0]:
            self.answer(202)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def candlepin():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Candlepin)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def guests_of(mapping):
    return {g["guestId"]: g for h in mapping["hypervisors"] for g in h["guestIds"]}


def check_form(mapping):
    """Checks what virt-who's own reader accepts in a file, and Candlepin in a call."""
    for hypervisor in mapping["hypervisors"]:
        assert set(hypervisor) == {"hypervisorId", "name", "guestIds", "facts"} and set(hypervisor["hypervisorId"]) == {"hypervisorId"}
        assert all(isinstance(value, str) for value in hypervisor["facts"].values())
        for guest in hypervisor["guestIds"]:
            assert guest["guestId"] == guest["guestId"].lower() and guest["state"] in range(8)
            assert guest["attributes"] == {"virtWhoType": "libvirt", "active": int(guest["state"] in (1, 3))}


def test_a_file_for_virt_who(dev, ec2, image):
    other = dev.new_account("neighbour")
    mine, theirs = launch(dev, ec2, image), launch(dev, other.client(), image)
    number = ec2.describe_security_groups()["SecurityGroups"][0]["OwnerId"]
    everything, own = dev.command("subscriptions", "virt-who"), dev.command("subscriptions", "virt-who", "--account", number)
    check_form(everything)
    check_form(own)

    def has(mapping, instance):
        return any(guest.replace("-", "").startswith(instance[2:]) for guest in guests_of(mapping))
    assert has(everything, mine) and has(everything, theirs) and has(own, mine) and not has(own, theirs)
    ec2.stop_instances(InstanceIds=[mine])
    dev.rest()
    off = [g for i, g in guests_of(dev.command("subscriptions", "virt-who")).items() if i.replace("-", "").startswith(mine[2:])]
    assert [g["state"] for g in off] == [5]


def test_a_satellite_is_told_by_jobs(dev, ec2, image, candlepin, tmp_path):
    number = ec2.describe_security_groups()["SecurityGroups"][0]["OwnerId"]
    secret = tmp_path / "secret"
    secret.write_text(SECRET + "\n")
    Candlepin.busy = 1
    done = run(dev, "subscriptions", "server-add", "acme", "--url", candlepin, "--organisation", "ACME", "--user", "virt-who",
               "--secret-file", str(secret), "--account", number)
    assert done.returncode == 0, done
    soon(lambda: Candlepin.mapping)
    check_form(Candlepin.mapping)
    assert guests_of(Candlepin.mapping).keys() == guests_of(dev.command("subscriptions", "virt-who", "--account", number)).keys()
    posts = [c for c in Candlepin.calls if c[0] == "POST"]
    assert len(posts) == 2 and posts[1][3] - posts[0][3] >= 1, posts  # the first was delayed
    soon(lambda: dev.command("subscriptions", "servers")[0]["told"])
    shown = dev.command("subscriptions", "servers")[0]
    assert shown["job"] == "" and SECRET not in json.dumps(shown)
    launch(dev, ec2, image)
    time.sleep(2)
    assert len([c for c in Candlepin.calls if c[0] == "POST"]) == 2  # at most every two minutes
    assert run(dev, "subscriptions", "server-remove", "acme").returncode == 0
    assert dev.command("subscriptions", "servers") == []


def test_a_refused_mapping_is_a_condition(dev, ec2, candlepin, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    Candlepin.fails, Candlepin.mapping = 1, None
    run(dev, "subscriptions", "server-add", "again", "--url", candlepin, "--organisation", "ACME", "--user", "virt-who", "--secret-file", str(secret))
    soon(lambda: "FAILED" in dev.command("subscriptions", "servers")[0]["problem"])
    assert "no such owner" in dev.command("subscriptions", "servers")[0]["problem"]
    run(dev, "subscriptions", "server-remove", "again")
    secret.write_text("wrong")
    run(dev, "subscriptions", "server-add", "stranger", "--url", candlepin, "--organisation", "ACME", "--user", "virt-who", "--secret-file", str(secret))
    soon(lambda: "401" in dev.command("subscriptions", "servers")[0]["problem"])
    run(dev, "subscriptions", "server-remove", "stranger")
    assert ec2.describe_instances()["Reservations"]


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

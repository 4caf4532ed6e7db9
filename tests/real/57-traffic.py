#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/traffic src/engine/meters.c
"""Traffic of public addresses is counted by nftables at the region's router, and billed: a guest's traffic with the outside, to the byte of the
kernel's counters; not traffic between guests; nothing twice and nothing lost while the server is killed; and nothing to the next owner of the
address."""
import csv
import glob
import gzip
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import waiting  # noqa: E402
from region import Region, give_address, launch, wait_state, wait_until  # noqa: E402

IN, OUT, INSIDE = 3_000_000, 2_000_000, 1_000_000  # bytes that are sent
MORE = 1.25  # factor for headers, acknowledgements and ssh
PRICES = """price_list: {name: public, currency: EUR, from: 2025-01-01T00:00:00Z}
items:
- {sku: in, meter: net.in, unit: gb, price: 0.01}
- {sku: out, meter: net.out, unit: gb, free: 0.0005, tiers: [{upto: 0.001, price: 0.09}, {price: 0.05}]}
"""


def doctor(region):
    return next(line for line in region.run(region.dari, "doctor", fails=True).splitlines() if "traffic " in line)


def count(region):
    region.check("at first nothing is counted, and doctor says so", "is not counted and not billed" in doctor(region))
    with open(f"{region.demo}/dari.yaml", "a", encoding="utf-8") as f:
        f.write(f"metering:\n  uplink: edge0\n  uplink_namespace: {region.env['DARI_SANDBOX_PREFIX']}inet\n")
    region.kill_dari()
    region.start_dari()
    wait_until(lambda: "is counted at edge0" in doctor(region), "doctor says that it is counted")


def make_world(region):
    """A machine beyond the region's router: its traffic with guests passes the router's uplink."""
    inet, far = (region.env["DARI_SANDBOX_PREFIX"] + name for name in ("inet", "far"))
    for words in (f"netns add {far}", f"link add name edge0 netns {inet} type veth peer name far0 netns {far}",
                  f"-n {inet} addr add 192.0.2.1/24 dev edge0", f"-n {inet} link set edge0 up", f"-n {far} addr add 192.0.2.2/24 dev far0",
                  f"-n {far} link set far0 up", f"-n {far} route add default via 192.0.2.1"):
        region.run("ip", *words.split())
    region.on("inet", "sysctl", "-q", "net.ipv4.ip_forward=1")


def from_afar(region, address, command, stdin=subprocess.DEVNULL):
    """Runs a command by ssh, discarding its output."""
    argv = ["ip", "netns", "exec", region.env["DARI_SANDBOX_PREFIX"] + "far", "ssh", "-i", f"{region.demo}/key", "-o", "StrictHostKeyChecking=no", "-o",
            "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "BatchMode=yes", f"{region.login}@{address}", command]
    waiting.run(argv, stdin=stdin, stdout=subprocess.DEVNULL, check=True)


def counters(region, name):
    """nftables' counters of each address."""
    said = json.loads(region.on("inet", "nft", "-j", "list", "set", "netdev", "dari", name))["nftables"]
    found = next(o["set"] for o in said if "set" in o)
    return {e["elem"]["val"]: e["elem"]["counter"] for e in found.get("elem", [])}


def send(region, address, size):
    with tempfile.NamedTemporaryFile() as f:
        f.write(os.urandom(size))
        f.flush()
        with open(f.name, "rb") as content:
            from_afar(region, address, "cat >/dev/null", content)


def billed(region, resource):
    """Billed bytes of the resource by SKU."""
    sums = {}
    with tempfile.TemporaryDirectory() as folder:
        region.command("bill", "export", "--to", f"file://{folder}")
        for path in glob.glob(f"{folder}/**/*.csv.gz", recursive=True):
            with gzip.open(path, "rt", encoding="utf-8", newline="") as f:
                for row in csv.DictReader(f):
                    if row["ResourceId"] == resource and row["ConsumedUnit"] == "GB":
                        sums[row["SkuId"]] = sums.get(row["SkuId"], 0) + round(float(row["ConsumedQuantity"]) * 1e9)
    return sums


def main(region):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as f:
        f.write(PRICES)
        f.flush()
        region.command("prices", "load", f.name)
    make_world(region)
    count(region)
    ec2, identifier, address = region.witness("acme")
    other = launch(ec2, KeyName="k")[0]
    wait_state(ec2, [other], "running")
    allocated = ec2.describe_addresses(PublicIps=[address])["Addresses"][0]
    wait_until(lambda: address in counters(region, "in"), "the address has counters")
    send(region, address, IN)
    region.kill_dari()
    from_afar(region, address, f"head -c {OUT} /dev/urandom")
    region.start_dari()
    outlived = counters(region, "in")[address]
    region.check(f"the counters outlive the server: {outlived}", outlived["bytes"] >= IN)
    inside = ec2.describe_instances(InstanceIds=[other])["Reservations"][0]["Instances"][0]["PrivateIpAddress"]
    before = counters(region, "out")[address]["bytes"]
    region.ssh(address, f"head -c {INSIDE} /dev/zero | nc -w 2 {inside} 22 >/dev/null 2>&1 || true", fails=True)
    region.check("what stays inside is not counted", counters(region, "out")[address]["bytes"] - before < INSIDE // 2)
    wait_until(lambda: "is counted at edge0" in doctor(region), "the server counts again")
    seen = {name: counters(region, name)[address] for name in ("in", "out")}
    ec2.disassociate_address(AssociationId=allocated["AssociationId"])
    ec2.release_address(AllocationId=allocated["AllocationId"])
    wait_until(lambda: address not in counters(region, "in"), "the counters end with the address")
    mine = billed(region, allocated["AllocationId"])
    print(f"billed {mine}, nftables had {seen}")
    region.check("what came in is billed, and what its headers take", IN <= mine["in"] <= IN * MORE)
    region.check("what went out likewise", OUT <= mine["out"] <= (OUT + 0.1 * IN) * MORE)
    # Dari read the counters before the address was released, and the kernel counts outgoing Ethernet headers.
    sent = seen["out"]["bytes"] - 14 * seen["out"]["packets"]
    region.check("as nftables had it", abs(mine["in"] - seen["in"]["bytes"]) < 10000 and abs(mine["out"] - sent) < 10000)
    again = give_address(ec2, other)[0]
    wait_until(lambda: again in counters(region, "in"), f"the next address, {again}, has counters")
    region.check("which begin at nothing", counters(region, "in")[again]["bytes"] < IN // 10)
    region.check_clean()


with Region("traffic") as the_region:
    main(the_region)

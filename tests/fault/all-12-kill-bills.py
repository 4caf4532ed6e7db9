#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/store/ledger src/engine/billing src/metering
"""kill -9 while usage is logged, and while a month is closed: no record is lost or repeated, meters agree with the rows, and a month is closed once,
with invoices without gaps whose sum equals the usage. Hosts and guests are simulated."""
import collections
import datetime
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

import boto3
import botocore.config
import botocore.exceptions

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from dev import DARI, Dev  # noqa: E402
import waiting  # noqa: E402
from waiting import HANG_S  # noqa: E402

KILLS, RESOURCES, CALLERS = 8, 12, 3
SEED = int(os.environ.get("SEED", "0")) or random.randrange(1, 1 << 30)
PRICES = """
price_list: {name: public, currency: EUR, from: 2020-01-01T00:00:00Z, parent: null, owner: null}
items:
- {sku: vm, meter: instance, unit: hour, minimum_s: 60, price: 0.010403}
- {sku: held, meter: held, unit: hour, price: 0}
- {sku: vol, meter: volume, unit: gib_month, price: 0.08}
- {sku: image, meter: image, unit: gib_month, price: 0}
- {sku: ip, meter: "address:idle", unit: hour, price: 0.005}
"""


class Region:
    def __init__(self, folder):
        self.folder, self.dev, self.key, self.random = folder, None, None, random.Random(SEED)
        self.start()

    def start(self):
        self.dev = Dev("--data", self.folder)
        if self.key:
            self.dev.account.key_id, self.dev.account.secret = self.key
        self.key = self.dev.account.key_id, self.dev.account.secret

    def kill(self):
        self.dev.process.send_signal(signal.SIGKILL)
        self.dev.process.communicate()

    def sql(self, query):
        """Reads the database file while no process has it open."""
        path = [os.path.join(where, "dari.db") for where, _, names in os.walk(self.folder) if "dari.db" in names][0]
        db = sqlite3.connect(path)
        try:
            return db.execute(query).fetchall()
        finally:
            db.close()

    def usage(self):
        """Records of meters. Rows without a meter hold a resource's name and tags alone (LEDGER_SUBJECT)."""
        return self.sql("SELECT seq, at_us, kind, id, account, meter, level FROM usage WHERE meter <> '' ORDER BY seq")

    def client(self):
        account = self.dev.account
        return boto3.client("ec2", region_name="us-east-1", endpoint_url=self.dev.url, aws_access_key_id=account.key_id, aws_secret_access_key=account.secret,
                            config=botocore.config.Config(retries={"total_max_attempts": 1}, connect_timeout=HANG_S, read_timeout=HANG_S))


# ---- while usage is logged

def live(ec2, draw, image, done):
    """A client that creates, stops, starts and terminates until the region is gone."""
    own = []
    while not done.is_set():
        try:
            act = draw.randrange(6)
            if act == 0 or not own:
                own.append(("i", ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]))
            elif act == 1:
                own.append(("v", ec2.create_volume(AvailabilityZone="us-east-1a", Size=draw.randrange(1, 5))["VolumeId"]))
            else:
                at = draw.randrange(len(own))
                kind, name = own[at]
                if kind == "v":
                    ec2.delete_volume(VolumeId=name)
                elif act == 2:
                    ec2.terminate_instances(InstanceIds=[name])
                elif act == 3:
                    ec2.start_instances(InstanceIds=[name])
                else:
                    ec2.stop_instances(InstanceIds=[name])
                if kind == "v" or act == 2:
                    own.pop(at)
        except botocore.exceptions.ClientError:
            time.sleep(0.02)  # refused by a state, or a limit
        except (botocore.exceptions.BotoCoreError, OSError):
            return


def check_log(before, after):
    """Old records must be unchanged; the log continues; and no meter repeats its level."""
    assert after[:len(before)] == before, "records that were written are not there any more, or are others"
    assert [r[0] for r in after] == sorted({r[0] for r in after})
    assert [r[1] for r in after] == sorted(r[1] for r in after)
    last = {}
    for seq, _, _, identifier, account, meter, level in after:
        assert last.get((identifier, account, meter), 0) != level, f"record {seq}: {meter} of {identifier} says {level} again"
        last[identifier, account, meter] = level
    return last


def uuid_prefix(ec2_id):
    return ec2_id.split("-")[1]


def check_levels(region, last):
    """Levels of the meters must equal the rows."""
    ec2 = region.client()
    on = {uuid_prefix(i["InstanceId"]): i["State"]["Name"] for r in ec2.describe_instances()["Reservations"] for i in r["Instances"]}
    volumes = {uuid_prefix(v["VolumeId"]): v["Size"] << 30 for v in ec2.describe_volumes()["Volumes"]}
    seen = collections.Counter()
    for (identifier, _, meter), level in last.items():
        short = identifier.replace("-", "")[:17]
        if meter.startswith("instance:"):
            assert level == (on.get(short) == "running"), (meter, identifier, level, on.get(short))
        elif meter.startswith(("held:", "server:")):
            assert (level > 0) == (on.get(short, "terminated") not in ("terminated", "shutting-down")), (meter, identifier, level, on.get(short))
        elif meter.startswith("volume:"):
            assert level == volumes.get(short, 0), (meter, identifier, level, volumes.get(short))
        seen[meter.split(":")[0]] += level > 0
    assert seen["instance"] == sum(state == "running" for state in on.values()), "an instance runs that no meter knows"
    assert seen["volume"] == len(volumes), "a volume is there that no meter knows"
    return seen


def kill_while_used(region):
    before = []
    for _ in range(KILLS):
        image = region.client().describe_images()["Images"][0]["ImageId"]
        done = threading.Event()
        callers = [threading.Thread(target=live, args=(region.client(), random.Random(region.random.random()), image, done)) for _ in range(CALLERS)]
        for caller in callers:
            caller.start()
        time.sleep(region.random.uniform(0.2, 1.2))
        region.kill()
        done.set()
        for caller in callers:
            caller.join()
        after = region.usage()
        check_log(before, after)
        before = after
        region.start()
    region.dev.rest()
    seen = {}
    levels = None
    for _ in range(60):  # lets pending work finish
        region.dev.rest()
        region.kill()
        after = region.usage()
        last = check_log(before, after)
        before = after
        region.start()
        try:
            seen = check_levels(region, last)
            levels = None
            break
        except AssertionError as wrong:  # an observation may have been pending
            levels = wrong
            time.sleep(0.5)
    if levels:
        raise levels
    print(f"{len(before)} records behind {KILLS} kills, on now: {dict(seen)}")


# ---- while a month is closed

def last_month():
    first = datetime.datetime.now(datetime.timezone.utc).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first - datetime.timedelta(days=1)).replace(day=1), first


def use_last_month(region):
    """Corrects the log as if the resources had run all of last month."""
    first, until = last_month()
    number = next(a["account_id"] for a in region.dev.command("account", "list") if a["name"] != "admin")
    path = os.path.join(region.folder, "prices.yaml")
    with open(path, "w", encoding="ascii") as f:
        f.write(PRICES)
    region.dev.command("prices", "load", path)
    region.dev.command("billing", "set", "Default", "--own", "yes", "--tax", "19 VAT")
    ec2 = region.client()
    image = ec2.describe_images()["Images"][0]["ImageId"]
    machines = [i["InstanceId"] for i in ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=RESOURCES, MaxCount=RESOURCES)["Instances"]]
    region.dev.rest()
    for n, machine in enumerate(machines):
        for when, level in ((first + datetime.timedelta(seconds=n), 1), (until - datetime.timedelta(days=n, seconds=7), 0)):
            region.dev.command("bill", "fix", machine, "--account", number, "--meter", "instance:t3.micro", "--at", when.strftime("%Y-%m-%dT%H:%M:%SZ"),
                               "--level", str(level), "--reason", "a test")
    seconds = sum(int((until - first).total_seconds()) - 86400 * n - 7 - n for n in range(RESOURCES))
    return first.strftime("%Y-%m"), seconds


def close(region, month):
    """Exit status of the command, even if the region dies meanwhile."""
    return subprocess.Popen([DARI, "--config", region.dev.config, "bill", "close", month, "--grace-hours", "0"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def kill_while_closed(region):
    month, seconds = use_last_month(region)
    kills = 0
    for attempt in range(40):
        closing = close(region, month)
        time.sleep(0.01 + 0.02 * attempt * region.random.random())
        if closing.poll() is None and kills < KILLS:
            region.kill()
            kills += 1
            waiting.communicate(closing)
            region.start()
        else:
            _, said = waiting.communicate(closing)
            if closing.returncode == 0 or "closed" in said:
                break
    assert region.dev.command("bill", "verify", month) is not None
    again = close(region, month)
    waiting.communicate(again)
    assert again.returncode != 0, "it was closed twice"
    region.kill()
    closed = region.sql("SELECT from_us, number, text FROM ledger WHERE type = 'closed'")
    assert len(closed) == 1
    charges = region.sql(f"SELECT name, text FROM ledger WHERE type = 'charge' AND from_us = {closed[0][0]} AND number = "
                         f"(SELECT number FROM ledger WHERE type = 'charge' AND from_us = {closed[0][0]} ORDER BY seq DESC LIMIT 1)")
    assert len(charges) == closed[0][1] == len({name for name, _ in charges}), "a charge is there twice, or not at all"
    invoices = region.sql("SELECT number, from_us, id, level FROM ledger WHERE type = 'invoice' ORDER BY seq")
    assert [i[0] for i in invoices] == list(range(1, len(invoices) + 1))
    assert len({(i[1], i[2]) for i in invoices}) == len(invoices) == 1, f"somebody has two invoices for a month: {invoices}"
    net = seconds / 3600 * 0.010403
    assert abs(invoices[0][3] / 1e6 - net * 1.19) < 0.02, (invoices, net * 1.19)
    region.start()
    print(f"closed behind {kills} kills, {len(charges)} charges, {invoices[0][3] / 1e6} to pay")


def main():
    print(f"seed {SEED}")
    with tempfile.TemporaryDirectory() as folder:
        region = Region(folder)
        kill_while_used(region)
        kill_while_closed(region)
        region.dev.end()


if __name__ == "__main__":
    main()

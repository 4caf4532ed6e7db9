#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/daemon/bill src/metering src/store/ledger
"""The operator's commands for price lists, a month's costs, closing, FOCUS and the origin of a charge."""
import csv
import decimal
import glob
import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import DARI  # noqa: E402
from regions import dev  # noqa: E402, F401 (fixtures)

PRICES = """
price_list: {name: public, currency: EUR, from: 2020-01-01T00:00:00Z, parent: null, owner: null}
items:
- {sku: vm.t3.micro, meter: "instance:t3.micro", unit: hour, minimum_s: 60, price: 0.010400}
- {sku: held, meter: held, unit: hour, price: 0}
- {sku: vol, meter: volume, unit: gib_month, price: 0.08}
- {sku: snap, meter: snapshot, unit: gib_month, price: 0.05}
- {sku: image, meter: image, unit: gib_month, price: 0.01}
- {sku: used, meter: "address:used", unit: hour, price: 0.005}
- {sku: idle, meter: "address:idle", unit: hour, price: 0.005}
"""


@pytest.fixture(scope="module")
def lists(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prices")

    def write(text):
        path = folder / "list.yaml"
        path.write_text(text)
        return str(path)
    return write


@pytest.fixture(scope="module")
def machine(dev, lists):
    """An instance that has run, with a name that CSV must quote, and an address."""
    dev.command("prices", "load", lists(PRICES))
    ec2 = dev.account.client()
    image = ec2.describe_images()["Images"][0]["ImageId"]
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": 'we,"b'}, {"Key": "bare", "Value": ""}]}]
    made = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1, TagSpecifications=tags)["Instances"][0]["InstanceId"]
    dev.rest()
    address = ec2.allocate_address()["AllocationId"]
    time.sleep(1.1)
    ec2.associate_address(InstanceId=made, AllocationId=address)
    time.sleep(1.1)
    ec2.stop_instances(InstanceIds=[made])
    dev.rest()
    time.sleep(1.1)
    return made


def run(dev, *words):
    return subprocess.run([DARI, "--config", dev.config, *words], capture_output=True, text=True, check=False)


def export(dev, folder, *words):
    made = dev.command("bill", "export", "--to", f"file://{folder}", *words)
    path = os.path.join(folder, made["folder"])
    manifest = json.load(open(os.path.join(path, "manifest.json"), encoding="utf-8"))
    rows = []
    for part in manifest["parts"]:
        packed = open(os.path.join(path, part["name"]), "rb").read()
        assert hashlib.sha256(packed).hexdigest() == part["sha256"] and len(packed) == part["bytes"]
        rows += csv.DictReader(io.StringIO(gzip.decompress(packed).decode(), newline=""))
    assert len(rows) == manifest["rows"] == made["rows"]
    schema = json.load(open(os.path.join(path, "schema.json"), encoding="utf-8"))
    if rows:
        assert [c["ColumnName"] for c in schema["ColumnDefinition"]] == list(rows[0])
    assert json.load(open(os.path.join(os.path.dirname(path), "latest.json"), encoding="utf-8"))["run"] == manifest["run"]
    return rows, manifest


def test_what_is_wrong_with_a_list_is_said(dev, lists):
    done = run(dev, "prices", "check", lists(PRICES.replace("volume", "valume")))
    assert done.returncode == 1 and "line 6: there is no meter 'valume'" in done.stderr, done
    done = run(dev, "prices", "check", lists(PRICES + "- {sku: other, meter: instance, unit: hour, price: 1}\n"))
    assert done.returncode == 1 and "line 11: other and vm.t3.micro (line 4) match the same" in done.stdout, done
    done = run(dev, "prices", "load", lists(PRICES + "- {sku: other, meter: instance, unit: hour, price: 1}\n"))
    assert done.returncode != 0 and "match the same" in done.stderr


def test_what_has_no_price_is_named(dev, lists, machine):
    assert machine
    assert run(dev, "prices", "check", lists(PRICES)).returncode == 0
    without = PRICES.replace('- {sku: idle, meter: "address:idle", unit: hour, price: 0.005}\n', "")
    done = run(dev, "prices", "check", lists(without))
    assert done.returncode == 1 and "address:idle is in use and has no price" in done.stdout


def test_a_list_is_tried_without_a_trace(dev, lists, machine):
    assert machine
    before = dev.command("prices", "list")
    dearer = lists(PRICES.replace("0.010400", "1000").replace("2020-01-01", "2040-01-01"))
    month = time.strftime("%Y-%m", time.gmtime())
    tried = dev.command("prices", "try", dearer, "--month", month)
    assert float(tried["then"]) > float(tried["now"]) and tried["largest"][0]["line"].endswith(" vm.t3.micro")
    assert [c["change"] for c in dev.command("prices", "diff", dearer)] == ["-", "+"]
    assert dev.command("prices", "list") == before


@pytest.mark.parametrize("version", ["1.2", "1.4"])
def test_rows_of_focus(dev, machine, tmp_path, version):
    rows, _ = export(dev, str(tmp_path), "--focus", version)
    mine = [r for r in rows if r["ResourceId"] == machine and r["SkuId"] == "vm.t3.micro"]
    assert len(mine) >= 1 and sum(decimal.Decimal(r["PricingQuantity"]) for r in mine) >= decimal.Decimal("0.016667")
    row = mine[0]
    assert row["ResourceName"] == 'we,"b' and json.loads(row["Tags"]) == {"Name": 'we,"b', "bare": True}
    assert row["PricingUnit"] == "Hours" and row["ConsumedUnit"] == "Seconds" and row["ServiceCategory"] == "Compute"
    assert ("ProviderName" in row) == (version == "1.2") and ("ServiceProviderName" in row) == (version == "1.4")
    for r in rows:
        assert decimal.Decimal(r["PricingQuantity"]) * decimal.Decimal(r["ListUnitPrice"]) == decimal.Decimal(r["ListCost"])
        assert r["ChargePeriodStart"] < r["ChargePeriodEnd"]
    assert {"used", "idle", "vol", "held"} <= {r["SkuId"] for r in rows}


def test_a_charge_is_traced_to_its_records(dev, machine, tmp_path):
    rows, _ = export(dev, str(tmp_path))
    charge = next(r for r in rows if r["ResourceId"] == machine and r["SkuId"] == "vm.t3.micro")["x_ChargeId"]
    done = run(dev, "explain", charge)
    assert done.returncode == 0 and "x 0.0104 = " in done.stdout and "instance:t3.micro" in done.stdout.split("usage log")[1], done
    assert run(dev, "explain", charge.replace("t3.micro", "t3.nano")).returncode != 0


def test_a_fix_changes_what_is_charged(dev, machine, tmp_path):
    rows, _ = export(dev, str(tmp_path))
    number = rows[0]["SubAccountId"]
    idle = [r for r in rows if r["SkuId"] == "idle"]
    told = run(dev, "explain", idle[0]["x_ChargeId"]).stdout
    record = next(line.split()[1] for line in told.splitlines() if "address:idle" in line and line.endswith(" 1"))
    at = "2026-01-01T00:00:00Z"
    done = run(dev, "bill", "fix", idle[0]["ResourceId"], "--meter", "address:idle", "--account", number, "--record", record, "--at", at,
               "--level", "0", "--reason", "it was a gift")
    assert done.returncode == 0, done
    after, _ = export(dev, str(tmp_path))
    assert len([r for r in after if r["SkuId"] == "idle"]) == len(idle) - 1
    done = run(dev, "bill", "fix", machine, "--meter", "address:idle", "--account", number, "--at", at, "--reason", "none")
    assert done.returncode != 0 and "no such record" in done.stderr


def test_a_closed_month_stays(dev, lists, machine, tmp_path):
    assert machine
    month = time.strftime("%Y-%m", time.gmtime())
    done = run(dev, "bill", "close", month)
    assert done.returncode != 0 and "is not over" in done.stderr
    closed = dev.command("bill", "close", "2025-01")
    assert closed["charges"] == 0
    assert run(dev, "bill", "verify", "2025-01").returncode == 0
    done = run(dev, "bill", "close", "2025-01")
    assert done.returncode != 0 and "is closed already" in done.stderr
    done = run(dev, "prices", "load", lists(PRICES))
    assert done.returncode != 0 and "are closed" in done.stderr
    _, manifest = export(dev, str(tmp_path), "2025-01")
    assert manifest["status"] == "final"
    database = glob.glob(os.path.join(os.path.dirname(dev.config), "**", "dari.db"), recursive=True)[0]
    for statement in ["UPDATE usage SET level = 7", "DELETE FROM ledger",
                      "INSERT INTO ledger SELECT NULL, 'charge', at_us, from_us, 0, 0, '', '', '', '' FROM ledger WHERE type = 'closed'"]:
        refused = subprocess.run(["sqlite3", database, statement], capture_output=True, text=True, check=False)
        assert refused.returncode != 0 and ("only added to" in refused.stderr or "is closed" in refused.stderr), refused


def test_months_and_versions_are_checked(dev):
    for words in [("bill", "month", "2026-13"), ("bill", "close", "x"), ("bill", "export", "--to", "file:///tmp/x", "--focus", "1.3"),
                  ("bill", "export", "--to", "ftp://x")]:
        assert run(dev, *words).returncode != 0, words


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

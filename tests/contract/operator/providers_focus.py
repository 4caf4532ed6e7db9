#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/engine/billing/elsewhere.c src/engine/billing/focus_rows.c src/metering/focus.c src/engine/meters.c src/api/native/costs.c src/daemon/bill
"""Machines elsewhere in FOCUS exports: rows with their cloud's name, region and id, priced where a price is known, for their owner alone. No bill
contains them."""
import csv
import gzip
import io
import json
import os
import sys
import time
from decimal import Decimal

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import elsewhere  # noqa: E402
import native  # noqa: E402
from dev import REGION, Dev  # noqa: E402
from elsewhere import launch, machines, provider, run  # noqa: E402
from waiting import wait_until  # noqa: E402

LIST = "price_list: {{name: public, currency: EUR, from: {}-01-01T00:00:00Z, parent: null, owner: null}}\nitems:\n{}"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with Dev() as there, Dev() as home:
        there.ec2, home.there, home.folder = there.account.client(), there, tmp_path_factory.mktemp("focus")
        home.refs = launch(there, 2, 'we,"b')
        elsewhere.add(home, "bank", "aws", there)
        wait_until(lambda: len(machines(home, "bank")) == 2, "the machines", shows=lambda: provider(home, "bank"))
        there.ec2.stop_instances(InstanceIds=[home.refs[1]])
        there.rest()
        wait_until(lambda: machines(home, "bank")[home.refs[1]]["power"] == "stopped", "the stop")
        time.sleep(1.1)  # levels count in whole seconds
        yield home


def export(world, *words):
    made = world.command("bill", "export", "--to", f"file://{world.folder}", *words)
    path = os.path.join(str(world.folder), made["folder"])
    manifest = json.load(open(os.path.join(path, "manifest.json"), encoding="utf-8"))
    rows = []
    for part in manifest["parts"]:
        packed = open(os.path.join(path, part["name"]), "rb").read()
        rows += csv.DictReader(io.StringIO(gzip.decompress(packed).decode(), newline=""))
    return rows


def rows_of(rows, ref):
    return [r for r in rows if r["ResourceId"] == ref]


def load(world, year, items):
    (world.folder / "list.yaml").write_text(LIST.format(year, items))
    done = run(world, "prices", "load", str(world.folder / "list.yaml"))
    assert done.returncode == 0, done


@pytest.mark.parametrize("version", ["1.2", "1.4"])
def test_usage_without_a_price(world, version):
    """A row has the cloud, its region and its id of the machine; a missing price does not look like a price of 0."""
    rows = export(world, "--focus", version)
    for ref in world.refs:
        assert rows_of(rows, ref), [r["ResourceId"] for r in rows]
    row = rows_of(rows, world.refs[0])[0]
    names = ["ProviderName", "PublisherName"] if version == "1.2" else ["ServiceProviderName", "HostProviderName"]
    assert {row[n] for n in [*names, "InvoiceIssuerName"]} == {"bank"}, row  # a cloud with an endpoint of its own
    assert row["RegionId"] == REGION and row["ResourceName"] == 'we,"b' and row["ResourceType"] == "Machine elsewhere", row
    assert row["AvailabilityZone"] and json.loads(row["Tags"])["Name"] == 'we,"b', row
    assert json.loads(row["SkuPriceDetails"]) == {"InstanceType": "t3.micro"} and row["SkuId"] == "remote:bank:t3.micro", row
    assert row["PricingCategory"] == "Other" and "price unknown" in row["ChargeDescription"], row
    assert row["BilledCost"] == row["ListUnitPrice"] == "0" and row["BillingCurrency"] == "XXX" and row["InvoiceId"] == "", row
    assert Decimal(row["ConsumedQuantity"]) > 0 and row["ConsumedUnit"] == "Seconds", row


def test_a_stopped_machine_is_not_used(world):
    def used(ref):
        return sum(Decimal(r["ConsumedQuantity"]) for r in rows_of(export(world), ref))
    before = [used(ref) for ref in world.refs]
    time.sleep(1.1)
    after = [used(ref) for ref in world.refs]
    assert after[0] > before[0] and after[1] == before[1], (before, after)


def test_a_loaded_price(world):
    path = world.folder / "prices.json"
    path.write_text(json.dumps({"currency": "USD", "prices": {"t3.micro": 0.0104}}))
    assert run(world, "provider", "prices", "bank", str(path)).returncode == 0
    row = rows_of(export(world), world.refs[0])[0]
    assert row["BillingCurrency"] == "USD" and row["ListUnitPrice"] == "0.0104" and row["PricingCategory"] == "Standard", row
    assert Decimal(row["BilledCost"]) == Decimal(row["PricingQuantity"]) * Decimal("0.0104") > 0, row
    done = run(world, "explain", row["x_ChargeId"])
    assert done.returncode == 0 and "x 0.0104 = " in done.stdout and "remote:bank:t3.micro" in done.stdout.split("usage log")[1], done


def test_the_price_list_comes_first_and_bills_nothing(world):
    load(world, 2021, '- {sku: out.micro, meter: "remote:bank:t3.micro", unit: hour, price: 0.03}\n')
    row = rows_of(export(world), world.refs[0])[0]
    assert row["SkuId"] == "out.micro" and row["ListUnitPrice"] == "0.03" and row["BillingCurrency"] == "EUR", row
    month = world.command("bill", "month")
    assert "out.micro" not in json.dumps(month) and "remote:" not in json.dumps(month), month
    costs = native.admin(world).api("GET", "/costs").json
    assert "out.micro" not in json.dumps(costs) and "remote:" not in json.dumps(costs), costs


def test_only_the_owner_has_the_rows(world):
    other = native.another(world, "beside")
    mine = list(csv.DictReader(io.StringIO(native.own(world).api("GET", "/costs/focus").text)))
    theirs = list(csv.DictReader(io.StringIO(other.api("GET", "/costs/focus").text)))
    assert rows_of(mine, world.refs[0]) and not theirs, theirs
    number = {who: account.client("sts").get_caller_identity()["Account"] for who, account in (("owner", world.account), ("other", other.root))}
    assert not rows_of(export(world, "--account", number["other"]), world.refs[0])
    assert rows_of(export(world, "--account", number["owner"]), world.refs[0])


def test_a_terminated_machine_ends(world):
    world.there.ec2.terminate_instances(InstanceIds=[world.refs[0]])
    world.there.rest()
    wait_until(lambda: machines(world, "bank").get(world.refs[0], {}).get("power") != "running", "the end")
    first = rows_of(export(world), world.refs[0])
    time.sleep(1.1)
    assert first and rows_of(export(world), world.refs[0]) == first


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

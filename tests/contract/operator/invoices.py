#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/engine/billing src/reconcile/billing src/metering
"""Billing accounts: commitments, invoices with taxes and credit notes, resellers and their customers, payments, and restrictions for lack of payment,
in every face. Corrections of the log create usage in a past month."""
import csv
import datetime
import decimal
import glob
import gzip
import hashlib
import html.parser
import http.server
import io
import json
import os
import re
import subprocess
import sys
import threading
import time

import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
import cloudstack  # noqa: E402
import native  # noqa: E402
from dev import DARI, Dev  # noqa: E402
import waiting  # noqa: E402

D = decimal.Decimal
PRICES = """
price_list: {name: public, currency: EUR, from: 2020-01-01T00:00:00Z, parent: null, owner: null}
items:
- {sku: vm.t3.micro, meter: "instance:t3.micro", unit: hour, minimum_s: 60, price: 0.010403}
- {sku: vol, meter: volume, unit: gib_month, price: 0.08}
- {sku: image, meter: image, unit: gib_month, price: 0}
- {sku: held, meter: held, unit: hour, price: 0}
"""
AGENTS = """
price_list: {name: agents, currency: EUR, from: 2020-01-01T00:00:00Z, parent: public, owner: null, seller: agent}
items:
- {sku: vol.agent, meter: volume, unit: gib_month, price: 0.20}
"""
FOR_AGENT = """
price_list: {name: for-agent, currency: EUR, from: 2020-01-01T00:00:00Z, parent: public, owner: agent}
items: []
discounts: [{match: vol, percent: 25}]
"""


def run(dev, *words):
    return subprocess.run([DARI, "--config", dev.config, *words], capture_output=True, text=True, check=False)


def last_month():
    first = datetime.datetime.now(datetime.timezone.utc).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first - datetime.timedelta(days=1)).replace(day=1), first


FROM, UNTIL = last_month()
MONTH = FROM.strftime("%Y-%m")
HOURS = int((UNTIL - FROM).total_seconds() // 3600)


def at(time_):
    return time_.strftime("%Y-%m-%dT%H:%M:%SZ")


def fix(dev, resource, number, meter, when, level):
    done = run(dev, "bill", "fix", resource, "--account", number, "--meter", meter, "--at", at(when), "--level", str(level), "--reason", "a test")
    assert done.returncode == 0, done


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """alice's instance, which ran from the 3rd to the 13th of last month, and a volume of the agent's customer."""
    with Dev() as dev:
        folder = tmp_path_factory.mktemp("lists")
        dev.folder = folder
        admin = cloud.admin(dev)
        agent = admin.ok("POST", "/identity/v3/domains", {"domain": {"name": "agent"}})["domain"]["id"]
        shop = admin.ok("POST", "/identity/v3/domains", {"domain": {"name": "shop"}})["domain"]["id"]
        for words in [("agent", "--own", "yes", "--name", "Agent & Co", "--days", "30"),
                      ("shop", "--own", "yes", "--reseller", "agent", "--tax", "20 VAT"),
                      ("Default", "--own", "yes", "--tax", "19 VAT", "--tax", "0 Other|Reverse charge", "--days", "0", "--order", "PO-7",
                       "--address", "Main Street 1")]:
            dev.command("billing", "set", *words)
        for n, text in enumerate([PRICES, AGENTS, FOR_AGENT]):
            (folder / f"{n}.yaml").write_text(text)
            dev.command("prices", "load", str(folder / f"{n}.yaml"))
        assert agent and shop
        project = admin.ok("POST", "/identity/v3/projects", {"project": {"name": "till", "domain_id": shop}})["project"]["id"]
        role = admin.ok("GET", "/identity/v3/roles?name=member")["roles"][0]["id"]
        admin.ok("PUT", f"/identity/v3/projects/{project}/users/{admin.user_id}/roles/{role}")
        scope = {"auth": {"scope": {"project": {"id": project}}, "identity": admin.auth["auth"]["identity"]}}
        till = admin.call("POST", "/identity/v3/auth/tokens", scope).headers["X-Subject-Token"]
        volume = admin.ok("POST", f"/volume/v3/{project}/volumes", {"volume": {"size": 1}}, headers={"X-Auth-Token": till})["volume"]["id"]
        ec2 = dev.account.client()
        image = ec2.describe_images()["Images"][0]["ImageId"]
        dev.machine = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
        dev.rest()
        numbers = {a["name"]: a["account_id"] for a in dev.command("account", "list")}
        dev.number = next(n for name, n in numbers.items() if name not in ("admin", "till"))
        fix(dev, dev.machine, dev.number, "instance:t3.micro", FROM + datetime.timedelta(days=2), 1)
        fix(dev, dev.machine, dev.number, "instance:t3.micro", FROM + datetime.timedelta(days=12, seconds=7), 0)
        meter = "volume:" + admin.ok("GET", f"/volume/v3/{project}/volumes/{volume}", headers={"X-Auth-Token": till})["volume"]["volume_type"]
        fix(dev, volume, numbers["till"], meter, FROM, 1 << 30)
        fix(dev, volume, numbers["till"], meter, UNTIL, 0)
        dev.admin, dev.ec2 = admin, ec2
        yield dev


@pytest.fixture(scope="module")
def commitments(world):
    """Half a machine reserved for the whole month, and a spend commitment that usage does not reach."""
    until = at(UNTIL + datetime.timedelta(days=31))
    world.command("commitment", "add", "half", "--owner", "Default", "--sku", "vm.*", "--quantity", "0.5", "--currency", "EUR", "--from", at(FROM),
                  "--until", until, "--upfront", "6.5", "--monthly", "3")
    world.command("commitment", "add", "promise", "--owner", world.number, "--kind", "spend", "--sku", "vol", "--amount", "0.01", "--percent", "10",
                  "--currency", "EUR", "--from", at(FROM), "--until", at(UNTIL))
    assert {c["name"] for c in world.command("commitment", "list")} == {"half", "promise"}


@pytest.fixture(scope="module")
def closed(world, commitments):
    return world.command("bill", "close", MONTH, "--grace-hours", "0")


def export(dev, folder, *words):
    made = dev.command("bill", "export", MONTH, "--to", f"file://{folder}", *words)
    path = os.path.join(folder, made["folder"])
    rows = []
    for part in glob.glob(os.path.join(path, "part-*.csv.gz")):
        rows += csv.DictReader(io.StringIO(gzip.decompress(open(part, "rb").read()).decode(), newline=""))
    return rows, path


def invoice(dev, number):
    return dev.command("billing", "invoice", number)


def test_what_is_no_commitment_is_refused(world, commitments):
    for words, says in [(["--quantity", "1", "--months", "1", "--owner", "nobody"], "no account and no domain"),
                        (["--quantity", "1", "--months", "1", "--until", at(UNTIL), "--owner", "Default"], "either --until or --months"),
                        (["--months", "1", "--owner", "Default"], "has a quantity"),
                        (["--quantity", "1", "--months", "1", "--from", "2026-01-01T00:00:01Z", "--owner", "Default"], "a whole hour")]:
        done = run(world, "commitment", "add", "other", "--sku", "*", "--currency", "EUR", *words)
        assert done.returncode != 0 and says in done.stderr, done
    done = run(world, "commitment", "add", "half", "--sku", "*", "--currency", "EUR", "--quantity", "1", "--months", "1", "--owner", "Default")
    assert done.returncode != 0 and "already" in done.stderr


def test_invoices_have_numbers_taxes_and_lines(world, closed):
    assert closed["invoices"] == ["INV-000001", "INV-000002", "agent-000001"]
    made = {i["payer"]: i for i in (invoice(world, n) for n in closed["invoices"])}
    mine = made["Default"]
    assert mine["order"] == "PO-7" and mine["address"] == "Main Street 1" and mine["month"] == MONTH
    lines = mine["lines"]
    assert sum(D(line["amount"]) for line in lines) == D(mine["net"])
    vm = next(x for x in lines if x["text"] == "vm.t3.micro" and "commitment" not in x)
    covered = next(x for x in lines if x["text"] == "vm.t3.micro" and x.get("commitment") == "half")
    assert D(vm["quantity"]) + D(covered["quantity"]) == round(D(10 * 86400 + 7) / 3600, 6) and D(covered["amount"]) == 0
    assert abs(D(covered["quantity"]) - 120) < D("0.01")
    assert D(vm["exact"]) == D(vm["quantity"]) * D("0.010403")
    assert {(t["name"], t["percent"], t["words"]) for t in mine["taxes"]} == {("VAT", "19", ""), ("Other", "0", "Reverse charge")}
    assert D(mine["taxes"][0]["amount"]) == (D(mine["net"]) * D("0.19")).quantize(D("0.01"), decimal.ROUND_HALF_EVEN)
    assert D(mine["total"]) == D(mine["net"]) + sum(D(t["amount"]) for t in mine["taxes"])
    assert D(mine["rounding"]) == D(mine["net"]) - sum(D(x["exact"]) for x in lines)


def test_a_resellers_customers_are_billed_twice(world, closed):
    made = {i["payer"]: i for i in (invoice(world, n) for n in closed["invoices"])}
    assert made["Agent & Co"]["net"] == "0.06" and made["Agent & Co"]["issuer"] == "us-east-1"  # 0.08 less 25 percent
    assert made["shop"]["net"] == "0.20" and made["shop"]["issuer"] == "Agent & Co" and made["shop"]["total"] == "0.24"


class Reads(html.parser.HTMLParser):
    outside = ()
    text = ""

    def handle_starttag(self, tag, attrs):
        self.outside += tuple(v for k, v in attrs if k in ("src", "href")) + ((tag,) if tag in ("script", "link", "img") else ())

    def handle_data(self, data):
        self.text += data


def test_an_invoice_is_a_page_and_a_table(world, closed):
    page = run(world, "billing", "invoice", "INV-000002", "--as", "html").stdout
    other = run(world, "billing", "invoice", "INV-000001", "--as", "html").stdout
    page = page if "Agent" in page else other
    read = Reads()
    read.feed(page)
    assert not read.outside and "@media print" in page and "Agent &amp; Co" in page and "Agent & Co" in read.text
    rows = list(csv.DictReader(io.StringIO(run(world, "billing", "invoice", "agent-000001", "--as", "csv").stdout)))
    assert rows[0]["text"] == "vol.agent" and rows[0]["amount"] == "0.20" and rows[-1]["category"] == "Tax" and rows[-1]["amount"] == "0.04"
    assert run(world, "billing", "invoice", "INV-000009").returncode != 0


@pytest.mark.parametrize("version", ["1.2", "1.4"])
def test_rows_of_focus_sum_to_what_is_to_pay(world, closed, tmp_path, version):
    rows, _ = export(world, str(tmp_path), "--focus", version)
    for number in closed["invoices"][:2]:
        of = [r for r in rows if r["InvoiceId"] == number]
        assert sum(D(r["BilledCost"]) for r in of) == D(invoice(world, number)["total"])
    assert {r["ChargeCategory"] for r in rows} == {"Usage", "Purchase", "Tax", "Adjustment"}
    assert {r["CommitmentDiscountStatus"] for r in rows} == {"", "Used", "Unused"}
    for name in ("half", "promise"):
        of = [r for r in rows if r["CommitmentDiscountName"] == name]
        bought = sum(D(r["BilledCost"]) for r in of)
        effective = sum(D(r["EffectiveCost"]) for r in of)
        if name == "half":  # the upfront part covers two months
            part = D(HOURS) / D(HOURS + 31 * 24)
            assert abs(effective - (3 + D("6.5") * part)) < D("0.000001") and bought == D("9.5")
        else:
            assert effective == bought == D("0.01") * HOURS
    tax = next(r for r in rows if r["ChargeCategory"] == "Tax")
    assert not any(tax[c] for c in ("PricingQuantity", "SkuId", "SkuPriceId", "PricingCategory", "ListUnitPrice", "ResourceId", "ConsumedQuantity"))
    unused = next(r for r in rows if r["CommitmentDiscountStatus"] == "Unused")
    assert unused["ResourceId"] == unused["CommitmentDiscountId"] and unused["ConsumedQuantity"] == "" and unused["PricingCategory"] == "Committed"


def table(path, name):
    return list(csv.DictReader(open(os.path.join(path, name), encoding="utf-8", newline="")))


def test_invoices_and_the_month_are_datasets_of_focus_1_4(world, closed, tmp_path):
    rows, path = export(world, str(tmp_path))
    details = table(path, "invoice_detail.csv")
    for number in closed["invoices"][:2]:
        of = [d for d in details if d["InvoiceId"] == number]
        assert sum(D(d["BilledCost"]) for d in of) == D(invoice(world, number)["total"])
        # Each line corresponds to rows of the same invoice and line, whose sum is the line before rounding.
        for d in of:
            same = [r for r in rows if r["InvoiceDetailId"] == d["InvoiceDetailId"]]
            assert same and abs(sum(D(r["BilledCost"]) for r in same) - D(d["BilledCost"])) <= D("0.005")
            assert {r["ChargeCategory"] for r in same} == {d["ChargeCategory"]}
            assert d["ReferenceInvoiceId"] == d["InvoiceId"] and d["InvoiceIssueStatus"] == "Issued" and d["PaymentTerms"]
            assert d["ChargeCategory"] == "Tax" or json.loads(d["InvoiceDetailGrain"])["SkuPriceId"] in {r["SkuPriceId"] for r in same}
    assert all(D(d["BilledCost"]) != 0 for d in details)
    period = table(path, "billing_period.csv")
    assert len(period) == 1 and period[0]["BillingPeriodStatus"] == "Closed" and period[0]["BillingPeriodStart"] == at(FROM)
    _, path = export(world, str(tmp_path / "old"), "--focus", "1.2")
    assert not os.path.exists(os.path.join(path, "invoice_detail.csv"))


class Takes(http.server.BaseHTTPRequestHandler):
    got = {}
    status = 201

    def do_PUT(self):
        Takes.got[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(Takes.status)
        self.end_headers()

    def log_message(self, *_):
        pass


def test_an_export_is_put_to_a_server(world, closed, tmp_path):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Takes)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/bills"
    made = world.command("bill", "export", MONTH, "--to", url)
    folder = f"/bills/{made['folder']}"
    manifest = json.loads(Takes.got[f"{folder}/manifest.json"])
    assert hashlib.sha256(Takes.got[f"{folder}/part-00000.csv.gz"]).hexdigest() == manifest["parts"][0]["sha256"]
    assert list(Takes.got)[-2:] == [f"{folder}/manifest.json", f"/bills/focus/all/{MONTH}/latest.json"]
    Takes.status = 507
    done = run(world, "bill", "export", MONTH, "--to", url)
    assert done.returncode != 0 and "it answers 507" in done.stderr
    server.shutdown()
    for wrong in ("https://me:secret@127.0.0.1/", "http://127.0.0.1/?a=b"):
        assert run(world, "bill", "export", MONTH, "--to", wrong).returncode != 0
    assert tmp_path


def test_the_apis_own_reports_tell_of_the_same(world, closed):
    """The instance ran for ten days and seven seconds, according to corrections of the log only."""
    key = cloudstack.admin_key(world)
    records = cloudstack.call(world, "listUsageRecords", **key, startdate=str(FROM.date()), enddate=str(UNTIL.date()), type="1")[1]["usagerecord"]
    assert abs(sum(D(r["rawusage"]) for r in records) - D(240 * 3600 + 7) / 3600) < D("0.001") and len(records) == 11


def test_a_billing_account_has_its_own_export(world, closed, tmp_path):
    rows, _ = export(world, str(tmp_path), "--domain", "shop")
    assert {r["InvoiceId"] for r in rows} == {"agent-000001"} and {r["InvoiceIssuerName"] for r in rows} == {"Agent & Co"}
    assert sum(D(r["BilledCost"]) for r in rows) == D("0.24") and {r["BillingAccountName"] for r in rows} == {"shop"}


def test_a_closed_month_is_rated_to_the_same_bytes(world, closed):
    assert run(world, "bill", "verify", MONTH).returncode == 0
    done = run(world, "commitment", "add", "late", "--sku", "*", "--currency", "EUR", "--quantity", "1", "--months", "1", "--owner", "Default", "--from", at(FROM))
    assert done.returncode != 0 and "closed" in done.stderr
    database = glob.glob(os.path.join(os.path.dirname(world.config), "**", "dari.db"), recursive=True)[0]
    for statement, says in [("DELETE FROM ledger WHERE type = 'invoice'", "only added to"),
                            ("INSERT INTO ledger SELECT NULL, type, at_us, from_us, number + 5, level, id, account, name, text FROM ledger WHERE type = 'invoice' LIMIT 1", "no gaps")]:
        refused = subprocess.run(["sqlite3", database, statement], capture_output=True, text=True, check=False)
        assert refused.returncode != 0 and says in refused.stderr, refused


# ---- overdue accounts


def instance_is(dev, state):
    dev.rest()
    return dev.ec2.describe_instances(InstanceIds=[dev.machine])["Reservations"][0]["Instances"][0]["State"]["Name"] == state


def refused(call, **words):
    with pytest.raises(botocore.exceptions.ClientError) as e:
        call(**words)
    return e.value.response["Error"]


def standing(dev):
    return {a["name"]: a["state"] for a in dev.command("billing", "list")}


def test_who_does_not_pay_is_limited_then_suspended_then_served_again(world, closed):
    image = world.ec2.describe_images()["Images"][0]["ImageId"]
    launch = {"ImageId": image, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1}
    world.command("billing", "dun")
    assert standing(world) == {"Default": "overdue", "agent": "active", "shop": "overdue"}
    spare = world.ec2.run_instances(**launch)["Instances"][0]["InstanceId"]
    world.rest()
    # nothing new, but reductions are allowed
    world.command("billing", "dun", "--limited-days", "0")
    error = refused(world.ec2.run_instances, **launch)
    assert error["Code"] == "Blocked" and "not paid" in error["Message"]
    assert refused(world.ec2.create_volume, AvailabilityZone="us-east-1a", Size=1)["Code"] == "Blocked"
    assert refused(world.ec2.allocate_address)["Code"] == "Blocked"
    world.ec2.stop_instances(InstanceIds=[spare])
    world.rest()
    assert refused(world.ec2.start_instances, InstanceIds=[spare])["Code"] == "Blocked"
    # Only reads. Instances that the owner had stopped stay stopped afterwards. After a payment the region checks by itself: as configured.
    for name in ("limited", "suspended"):
        native.admin(world).api_ok("PUT", "/settings", {"name": f"billing.{name}_days", "value": "0"})
    said = world.command("billing", "dun", "--limited-days", "0", "--suspended-days", "0")
    assert {(s["name"], s["state"], s["stopped"]) for s in said} == {("Default", "suspended", 1), ("shop", "suspended", 0)}
    assert instance_is(world, "stopped")
    assert refused(world.ec2.terminate_instances, InstanceIds=[spare])["Code"] == "Blocked"
    assert refused(world.ec2.create_key_pair, KeyName="k")["Code"] == "Blocked"
    user = world.command("user", "create", "u", "--account", next(a["name"] for a in world.command("account", "list") if a["account_id"] == world.number))
    project = cloud.Project(world, next(a["name"] for a in world.command("account", "list") if a["account_id"] == world.number), "u", user["password"])
    answer = project.call("POST", "/network/v2.0/networks", {"network": {"name": "n"}})
    assert answer.status == 403 and "not paid" in answer.text, answer
    assert project.call("GET", "/compute/v2.1/servers").status == 200
    status, answer, _ = cloudstack.call(world, "createSSHKeyPair", name="x")
    assert status == 531 and "not paid" in answer["errortext"], answer
    # pays once
    due = D(next(i for i in world.command("billing", "invoices") if i["payer"] == "Default")["total"])
    assert run(world, "billing", "pay", "Default", "--amount", str(due - D("0.01")), "--key", "bank-1").returncode == 0
    assert standing(world)["Default"] == "suspended"
    world.command("billing", "pay", "Default", "--amount", "0.01", "--key", "bank-2")  # the command or the region restores it, whichever comes first
    assert "noted before" in run(world, "billing", "pay", "Default", "--amount", "0.01", "--key", "bank-2").stdout
    waiting.wait_until(lambda: standing(world)["Default"] == "active", "the account is active again")
    assert standing(world)["Default"] == "active" and instance_is(world, "running")
    assert world.ec2.describe_instances(InstanceIds=[spare])["Reservations"][0]["Instances"][0]["State"]["Name"] == "stopped"
    for name in ("limited", "suspended"):
        native.admin(world).api_ok("PUT", "/settings", {"name": f"billing.{name}_days", "value": ""})
    world.ec2.terminate_instances(InstanceIds=[spare])


def test_what_one_may_owe(world, closed):
    world.command("billing", "set", "agent", "--limit", "0.05")
    world.command("billing", "dun")
    assert standing(world)["agent"] == "limited"
    world.command("billing", "set", "agent", "--limit", "0")
    world.command("billing", "dun")
    assert standing(world)["agent"] == "active"


def test_prepaid_is_limited_when_it_is_used_up(world, closed):
    world.command("billing", "pay", "shop", "--amount", "5", "--key", "gift", "--credit")
    world.command("billing", "set", "shop", "--mode", "prepaid")
    world.command("billing", "dun")
    balances = {a["name"]: a for a in world.command("billing", "list")}
    assert balances["shop"]["state"] == "active" and balances["shop"]["balance"] == "4.76" and balances["shop"]["mode"] == "prepaid"


def test_a_credit_note_takes_an_invoice_back(world, closed, tmp_path):
    before = {a["name"]: D(a["balance"]) for a in world.command("billing", "list")}
    note = world.command("billing", "void", "agent-000001", "--reason", "a mistake")["number"]
    assert note == "agent-000002"
    after = {a["name"]: D(a["balance"]) for a in world.command("billing", "list")}
    assert after["shop"] - before["shop"] == D("0.24")
    made = invoice(world, note)
    assert made["reference"] == "agent-000001" and made["total"] == "-0.24" and made["reason"] == "a mistake"
    assert run(world, "billing", "void", "agent-000001", "--reason", "again").returncode != 0
    month = time.strftime("%Y-%m", time.gmtime())
    done = world.command("bill", "export", month, "--to", f"file://{tmp_path}", "--domain", "shop")
    text = gzip.decompress(open(glob.glob(os.path.join(tmp_path, done["folder"], "part-*"))[0], "rb").read()).decode()
    rows = [r for r in csv.DictReader(io.StringIO(text)) if r["InvoiceId"] == note]
    assert sum(D(r["BilledCost"]) for r in rows) == D("-0.24") and {r["ChargeCategory"] for r in rows} == {"Credit", "Tax"}


def test_what_is_wrong_is_refused(world):
    for words, says in [(("set", "nobody", "--own", "yes"), "nobody"), (("set", "agent", "--reseller", "shop"), "itself or its customer"),
                        (("set", "agent", "--tax", "19"), "as \"19 VAT\""), (("set", "agent", "--mode", "x"), "one of"),
                        (("pay", "agent", "--amount", "0", "--key", "k"), "has an amount"), (("pay", "nobody", "--amount", "1", "--key", "k"), "no domain")]:
        done = run(world, "billing", *words)
        assert done.returncode != 0 and says in done.stderr, done


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

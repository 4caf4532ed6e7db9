#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/native src/metering src/engine/billing src/daemon/bill
"""/api/v1: a month's costs, invoices, FOCUS and price lists. An account gets its own, an administrator all. The sums are compared with `dari bill
month`."""
import csv
import datetime
import decimal
import io
import os
import sys
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import native  # noqa: E402
from dev import Dev  # noqa: E402

D = decimal.Decimal
DAY = datetime.timedelta(days=1)
PRICES = """
price_list: {name: public, currency: EUR, from: 2020-01-01T00:00:00Z, parent: null, owner: null}
items:
- {sku: vm.t3.micro, meter: "instance:t3.micro", unit: hour, minimum_s: 60, price: 3.6}
- {sku: vol, meter: volume, unit: gib_month, price: 8000}
- {sku: image, meter: image, unit: gib_month, price: 0}
- {sku: rest, meter: held, unit: hour, price: 0}
"""
LATER = PRICES.replace("2020-01-01", "2099-01-01")
HOSTILE = "<img src=x onerror=alert(1)>\"'&amp;"


@pytest.fixture(scope="module")
def dev(tmp_path_factory):
    with Dev() as region:
        for n, text in enumerate((PRICES, LATER)):
            path = tmp_path_factory.mktemp("prices") / f"list-{n}.yaml"
            path.write_text(text)
            region.command("prices", "load", str(path))
        region.mine, region.operator, region.other = native.own(region), native.admin(region), native.another(region, "other")
        yield region


def launch(dev, project, team):
    size = next(t for t in project.rows("/instance-types") if t["name"] == "t3.micro")
    made = project.api_ok("POST", "/instances", {"image": native.image_of(dev), "type": size["id"], "count": 1, "tags": {"team": team, "Name": HOSTILE}})["items"][0]
    dev.rest()
    return made


@pytest.fixture(scope="module")
def machines(dev):
    """Two instances of the account have run and are off, so their costs do not grow; another account has one, too."""
    made = [launch(dev, dev.mine, "red"), launch(dev, dev.mine, "blue"), launch(dev, dev.other, "red")]
    dev.mine.api_ok("POST", "/volumes", {"size": 2**30, "zone": dev.mine.rows("/zones")[0]["id"]})  # without a tag
    time.sleep(1.1)
    for project, chosen in ((dev.mine, made[:2]), (dev.other, made[2:])):
        project.api_ok("POST", "/instances/stop", {"ids": [i["id"] for i in chosen]})
    dev.rest()
    return made


def bill(dev, number, month=None):
    """Exact sum of an account's month according to the operator's command."""
    return sum(D(line["exact"]) for line in dev.command("bill", "month", *([month] if month else []), "--account", number))


def number_of(dev, project):
    return project.api_ok("GET", "/me")["account_number"]


def eur(said):
    assert [s["currency"] for s in said["sums"]] == ["EUR"], said["sums"]
    return said["sums"][0]


# ---- a month's costs ----

def test_a_month(dev, machines):
    said = dev.mine.api_ok("GET", "/costs")
    now = datetime.datetime.now(datetime.timezone.utc)
    sums = eur(said)
    disks = [g for g in said["items"] if g["key"] == "volume"]
    assert said["month"] == now.strftime("%Y-%m") and said["group"] == "service" and not said["is_closed"] and said["standing"] == "active"
    assert next(round(D(g["cost"]), 5) for g in said["items"] if g["key"] == "instance") == D("0.12")  # two minima of a minute
    assert D(disks[0]["cost"]) > 0
    assert D(sums["total"]) == sum(D(g["cost"]) for g in said["items"]) == sum(D(day) for day in sums["days"])
    first = now.replace(day=1)
    assert len(sums["days"]) == ((first + 32 * DAY).replace(day=1) - first).days
    assert D(sums["today"]) == D(sums["days"][now.day - 1]) > 0


def test_the_sum_is_the_bills(dev, machines):
    """Running costs grow every second: the command runs before and after."""
    for project in (dev.mine, dev.other):
        number = number_of(dev, project)
        before = bill(dev, number)
        said = D(eur(project.api_ok("GET", "/costs"))["total"])
        assert before <= said <= bill(dev, number)


def test_if_nothing_changes(dev, machines):
    """The forecast extends disks to the month's end at their monthly price; stopped instances add nothing."""
    said = dev.mine.api_ok("GET", "/costs")
    disks = [v for v in dev.mine.rows("/volumes?fields=*") if v["state"] in ("in-use", "available")]
    now, until = time.time(), said["until_us"] / 1e6
    gib = sum(v["size"] for v in disks) / 2**30
    left = D(8000 * gib) * D((until - now) / ((said["until_us"] - said["from_us"]) / 1e6))
    sums = eur(said)
    assert abs(D(sums["forecast"]) - D(sums["total"]) - left) < D("0.5"), (sums["forecast"], sums["total"], left)


def test_groups(dev, machines):
    def of(group, project=dev.mine, more=""):
        return project.api_ok("GET", f"/costs?group={group}{more}")["items"]
    assert {(g["key"], g.get("is_absent", False)) for g in of("tag:team")} == {("red", False), ("blue", False), ("", True)}
    resources = {g["id"]: g for g in of("resource")}
    assert resources[machines[0]["id"]]["ec2"] == machines[0]["ec2"] and resources[machines[0]["id"]]["kind"] == "instance" and resources[machines[0]["id"]]["name"] == HOSTILE
    assert "instance:t3.micro" in {g["key"] for g in of("meter")} and any(g["key"].startswith("volume:") for g in of("meter"))
    assert [g["key"] for g in of("account")] == [number_of(dev, dev.mine)]
    zone = dev.mine.api_ok("GET", f"/instances/{machines[0]['id']}")["item"]["zone"]
    assert dev.mine.api_ok("GET", f"/zones/{zone}")["item"]["name"] in {g["key"] for g in of("zone")}
    short = dev.mine.api_ok("GET", "/costs?group=resource&limit=1")
    assert len(short["items"]) == 1 and short["total"] == len(resources)
    costs = [D(g["cost"]) for g in of("resource")]
    assert costs == sorted(costs, reverse=True)


def test_whose(dev, machines):
    mine, theirs = number_of(dev, dev.mine), number_of(dev, dev.other)
    ids = {g["id"] for g in dev.other.api_ok("GET", "/costs?group=resource&limit=1000")["items"]}
    assert machines[2]["id"] in ids and not ids & {m["id"] for m in machines[:2]}
    for query in ("all=1", f"account={dev.other.api_ok('GET', '/me')['account']}"):
        answer = dev.mine.api("GET", f"/costs?{query}")
        assert answer.status in (403, 404), answer
        assert dev.mine.api("GET", f"/costs/focus?{query}").status in (403, 404)
    everybody = {g["key"]: g for g in dev.operator.api_ok("GET", "/costs?group=account&all=1")["items"]}
    assert {mine, theirs} <= set(everybody) and everybody[mine]["path"] == "accounts"
    whose = dev.operator.api_ok("GET", f"/costs?group=account&account={everybody[theirs]['id']}")["items"]
    assert [g["key"] for g in whose] == [theirs]


@pytest.mark.parametrize("query, field", [("month=2026-13", "month"), ("month=1999-01", "month"), ("month=2999-01", "month"), ("month=x", "month"), ("group=tag:", "group"),
                                          ("group=name", "group"), ("limit=0", "limit"), ("limit=1001", "limit"), ("account=nobody", "account")])
def test_bad_questions(dev, query, field):
    answer = dev.mine.api("GET", f"/costs?{query}")
    assert answer.status in (400, 404) and answer.json["field"] == field, answer


def test_focus(dev, machines):
    answer = dev.mine.api("GET", "/costs/focus")
    assert answer.status == 200 and answer.headers["Content-Type"] == "text/csv; charset=utf-8" and "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {r["SubAccountId"] for r in rows} == {number_of(dev, dev.mine)} and {machines[0]["ec2"], machines[1]["ec2"]} <= {r["ResourceId"] for r in rows}
    assert round(sum(D(r["BilledCost"]) for r in rows if r["SkuId"] == "vm.t3.micro"), 5) == D("0.12")
    older = list(csv.DictReader(io.StringIO(dev.mine.api("GET", "/costs/focus?version=1.2").text)))
    assert len(older[0]) < len(rows[0])
    assert dev.mine.api("GET", "/costs/focus?version=1.3").status == 400


# ---- invoices and price lists ----

def test_price_lists(dev):
    assert dev.mine.api("GET", "/price-lists").status == 403
    lists = dev.operator.api_ok("GET", "/price-lists")["items"]
    assert [(p["name"], p["in_force"], len(p["items"])) for p in lists] == [("public", True, 4), ("public", False, 4)]
    assert lists[0]["currency"] == "EUR" and lists[0]["from_us"] < lists[1]["from_us"]


@pytest.fixture(scope="module")
def invoiced(dev, machines):
    """Both accounts had usage last month, paid by a domain; the month is closed."""
    first = datetime.datetime.now(datetime.timezone.utc).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    last = (first - DAY).replace(day=1)
    dev.command("billing", "set", "Default", "--own", "yes", "--name", "ACME", "--tax", "19 VAT")
    for project, machine in ((dev.mine, machines[0]), (dev.other, machines[2])):
        for level, at in ((1, last + DAY), (0, last + 2 * DAY)):
            dev.command("bill", "fix", machine["ec2"], "--meter", "instance:t3.micro", "--account", number_of(dev, project), "--at", at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                        "--level", str(level), "--reason", "of a test")
    dev.command("bill", "close", last.strftime("%Y-%m"), "--grace-hours", "0")
    return last.strftime("%Y-%m")


def test_invoices(dev, invoiced):
    """Each account sees its own lines, and nothing of another's."""
    whole = dev.operator.api_ok("GET", "/invoices?all=1")["items"]
    assert [(i["month"], i["is_whole"], i["payer"], i["currency"], i["line_count"]) for i in whole] == [(invoiced, True, "ACME", "EUR", 2)]
    assert (whole[0]["net"], whole[0]["total"], whole[0]["taxes"][0]["amount"]) == ("172.80", "205.63", "32.83")
    for project in (dev.mine, dev.other):
        one = project.api_ok("GET", "/invoices")["items"][0]
        assert (one["number"], one["is_whole"], one["net"], one["line_count"]) == (whole[0]["number"], False, "86.40", 1) and "total" not in one and "address" not in one
        lines = project.api_ok("GET", f"/invoices/{one['number']}")["item"]["lines"]
        assert [(line["account"], line["amount"], line["quantity"]) for line in lines] == [(number_of(dev, project), "86.40", "24")]
    assert dev.mine.api("GET", "/invoices/INV-999999").status == 404
    assert dev.mine.api("GET", "/invoices?all=1").status == 403
    assert dev.mine.api("GET", f"/invoices/{whole[0]['number']}?all=1").status == 403
    assert len(dev.operator.api_ok("GET", f"/invoices/{whole[0]['number']}?all=1")["item"]["lines"]) == 2


def test_a_closed_month(dev, invoiced):
    said = dev.mine.api_ok("GET", f"/costs?month={invoiced}")
    sums = eur(said)
    assert said["is_closed"] and sums["total"] == "86.4" and sums["days"][1] == "86.4" and "forecast" not in sums and "today" not in sums
    rows = list(csv.DictReader(io.StringIO(dev.mine.api("GET", f"/costs/focus?month={invoiced}").text)))
    assert {r["InvoiceId"] for r in rows} == {"INV-000001"}


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))

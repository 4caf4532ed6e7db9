#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/engine/remote/remote_price.c src/api/native/remote/advice.c src/api/native/remote/advice_prices.c src/daemon/client/price_files.c
"""Prices in the advice about machines elsewhere: published price lists of AWS and Azure are loaded from files, the region's own price lists come first, and a
price that is not known is said to be unknown. A week of metrics is written into the database, as if it had been read from the cloud."""
import json
import os
import signal
import sqlite3
import sys
import time
import uuid

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import elsewhere  # noqa: E402
import native  # noqa: E402
import waiting  # noqa: E402
from dev import REGION, Dev  # noqa: E402
from elsewhere import launch, machines, provider, run  # noqa: E402
from waiting import wait_until  # noqa: E402

HOUR_US = 3600 * 10**6
HOURS = 730  # of a month
FIGURES = 10  # numbers of a point besides its five first ones


def product(name, price, region=REGION, **attributes):
    """An entry of AWS's GetProducts."""
    about = {"instanceType": name, "operatingSystem": "Linux", "tenancy": "Shared", "preInstalledSw": "NA", "capacitystatus": "Used", "regionCode": region,
             **attributes}
    rate = {"unit": "Hrs", "beginRange": "0", "endRange": "Inf", "pricePerUnit": {"USD": price}}
    return {"product": {"sku": name, "productFamily": "Compute Instance", "attributes": about},
            "terms": {"OnDemand": {f"{name}.A": {"priceDimensions": {f"{name}.A.B": rate}}}, "Reserved": {f"{name}.R": {"priceDimensions": {
                f"{name}.R.B": {"unit": "Hrs", "pricePerUnit": {"USD": "0.0010000000"}}}}}}}


PRODUCTS = [product("t3.micro", "0.0104000000"), product("t3.small", "0.0208000000"), product("t3.micro", "0.9999", region="elsewhere-1"),
            product("t3.nano", "0.0196", operatingSystem="Windows"), product("t3.nano", "0.0500", tenancy="Dedicated"), product("m5.large", "0.0960000004")]


def item(sku, price, **more):
    """An item of Azure's retail prices."""
    return {"currencyCode": "USD", "tierMinimumUnits": 0.0, "retailPrice": price, "unitPrice": price, "armRegionName": "westeurope", "armSkuName": sku,
            "productName": "Virtual Machines BS Series", "skuName": sku, "serviceName": "Virtual Machines", "unitOfMeasure": "1 Hour", "type": "Consumption", **more}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    with Dev() as there, Dev("--data", str(data)) as home:
        there.ec2 = there.account.client()
        home.folder, home.there, home.data = tmp_path_factory.mktemp("prices"), there, str(data)
        home.ref = launch(there, 1)[0]
        elsewhere.add(home, "bank", "aws", there)
        wait_until(lambda: home.ref in machines(home, "bank"), "the machine", shows=lambda: provider(home, "bank"))
        wait_until(lambda: any(r["ref"] == "t3.micro" for r in home.command("remote", "resources", "--provider", "bank", "--type", "instance_type")), "the types")
        yield home


def load(world, name, content, *words):
    path = world.folder / "prices.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return run(world, "provider", "prices", name, str(path), *words)


def advice(world):
    return world.command("remote", "advice", world.ref)


def prices(world):
    return native.admin(world).api_ok("GET", f"/providers/{provider(world, 'bank')['id']}")["item"].get("prices", {})


def number(value):
    packed = b""
    while value >> 7:
        packed += bytes([value & 0x7f | 0x80])
        value >>= 7
    return packed + bytes([value])


def measure(world, percent, memory=0):
    """Writes an hour of metrics for each of ten days, in place of earlier ones."""
    row = machines(world, "bank")[world.ref]
    machine, host = uuid.UUID(row["id"]).bytes, bytearray(uuid.UUID(provider(world, "bank")["id"]).bytes)
    host[0] ^= 1 + machine[-1] % 16
    point = machine + b"".join(map(number, [HOUR_US, 12, 2, percent * 100, percent * 100] + [0] * (FIGURES - 1) + [memory]))
    today = int(time.time()) // 86400 * 86400 * 10**6
    port = world.port
    world.end(signal.SIGKILL)  # a server does not go on with a database that another program has changed
    database = sqlite3.connect(os.path.join(world.data, "dari.db"))
    with database:
        for day in range(1, 11):
            database.execute("INSERT OR REPLACE INTO series (host, step_us, from_us, bytes) VALUES (?, ?, ?, ?)",
                             (str(uuid.UUID(bytes=bytes(host))), HOUR_US, today - day * 24 * HOUR_US, b"\x01" + point))
    database.close()
    again = Dev("--data", world.data, port=port)
    waiting.unwatch(again)
    world.__dict__.update(again.__dict__)
    waiting.watch(world)


def test_unknown(world):
    """Without prices the answer says so, and contains none."""
    told = advice(world)
    assert "price" not in told and "price" not in told["here"] and "saves_month_micro" not in told["here"], told
    assert "Not every price is known" in told["price_note"] and told["here"]["type"].startswith("t3."), told
    text = run(world, "remote", "advice", world.ref).stdout
    assert "an unknown price" in text and " 0.00" not in text, text


def test_aws(world):
    """Prices on demand of Linux in the provider's region count, and no others; loading replaces what was there."""
    assert load(world, "bank", {"FormatVersion": "aws_v1", "PriceList": [json.dumps(p) for p in PRODUCTS]}).returncode == 0
    assert prices(world) == {"t3.micro": "0.010400", "t3.small": "0.020800", "m5.large": "0.096000"}
    offer = {"formatVersion": "v1.0", "offerCode": "AmazonEC2", "products": {str(k): p["product"] for k, p in enumerate(PRODUCTS)},
             "terms": {"OnDemand": {str(k): p["terms"]["OnDemand"] for k, p in enumerate(PRODUCTS)}}}
    assert load(world, "bank", offer, "--region", "elsewhere-1").returncode == 0
    assert prices(world) == {"t3.micro": "0.999900"}
    assert load(world, "bank", offer).returncode == 0
    told = advice(world)
    assert told["price"] == {"currency": "USD", "hour_micro": 10400, "month_micro": 10400 * HOURS, "source": "provider"}, told


def test_azure(world):
    """Spot machines, Windows, reservations and other regions have items of their own."""
    items = [item("Standard_B1s", 0.0124), item("Standard_B1s", 0.002, skuName="B1s Spot"), item("Standard_B1s", 0.018, productName="Virtual Machines BS Series Windows"),
             item("Standard_B2s", 0.0496, armRegionName="eastus"), item("Standard_B2s", 300.0, type="Reservation", reservationTerm="1 Year"), item("Standard_B2ms", 0.0992)]
    pages = [{"BillingCurrency": "USD", "Items": items[:3], "NextPageLink": "https://prices.azure.com/x"}, {"BillingCurrency": "USD", "Items": items[3:], "NextPageLink": None}]
    assert load(world, "bank", pages, "--region", "westeurope").returncode == 0
    assert prices(world) == {"Standard_B1s": "0.012400", "Standard_B2ms": "0.099200"}


def test_refused(world):
    """A file changes nothing if it has another form, another region, two currencies, or a price that is no number."""
    before = prices(world)
    for content, words in (("[", "not JSON"), ({"a": 1}, "neither"), ({"PriceList": [product("t3.micro", "0.1", region="x-1")]}, "none of its 1 entries"),
                           ({"Items": [item("A", 1), item("B", 1, currencyCode="EUR")]}, "in USD and in EUR"), ({"currency": "EUR", "prices": {"a": "x"}}, "not a number"),
                           ({"currency": "euro", "prices": {"a": 1}}, ""), ({"currency": "EUR", "prices": {"a": -1}}, "not a number")):
        done = load(world, "bank", content, *(["--region", "westeurope"] if "Items" in content else []))
        assert done.returncode and words in done.stderr + done.stdout, (content, done)
    assert prices(world) == before


def test_differences(world):
    """Each advised type has its price and what a month less it costs; so has the smallest type of this region."""
    assert load(world, "bank", {"currency": "EUR", "prices": {"t3.micro": 0.02, "t3.nano": "0.005"}}).returncode == 0
    measure(world, 10)
    told = advice(world)
    assert told["days"] == 10 and told["price"]["month_micro"] == 20000 * HOURS and "decided_on" in told, told
    for mode in told["advice"]:
        assert mode["vcpus"] == 1 and mode["type"], mode
        if "price" in mode:
            assert mode["saves_month_micro"] == (20000 - mode["price"]["hour_micro"]) * HOURS, mode
    assert "Not every price is known" in told["price_note"], told  # this region has none yet
    (world.folder / "own.yaml").write_text(
        "price_list: {name: public, currency: EUR, from: 2020-01-01T00:00:00Z, parent: null, owner: null}\nitems:\n"
        '- {sku: vm.small, meter: "instance:t3.micro", unit: hour, price: 0.008}\n- {sku: vm.large, meter: "instance:m5.large", unit: hour, price: 0.1}\n')
    assert run(world, "prices", "load", str(world.folder / "own.yaml")).returncode == 0
    told = advice(world)
    assert told["here"]["type"] == "t3.micro" and told["here"]["price"]["source"] == "price_list", told
    assert told["here"]["saves_month_micro"] == (20000 - 8000) * HOURS, told
    text = run(world, "remote", "advice", world.ref).stdout
    assert "Today: t3.micro, 14.60 EUR a month" in text and "In this region: t3.micro, 5.84 EUR a month; it saves 8.76." in text, text


def test_list_comes_first(world):
    """The region's price list may have prices of the provider's types, which come first. Prices in another currency are not compared."""
    (world.folder / "own.yaml").write_text(
        "price_list: {name: public, currency: EUR, from: 2021-01-01T00:00:00Z, parent: null, owner: null}\nitems:\n"
        '- {sku: vm.small, meter: "instance:t3.micro", unit: hour, price: 0.008}\n- {sku: out.small, meter: "remote:bank:t3.micro", unit: hour, price: 0.03}\n')
    assert run(world, "prices", "load", str(world.folder / "own.yaml")).returncode == 0
    told = advice(world)
    assert told["price"]["source"] == "price_list" and told["here"]["saves_month_micro"] == (30000 - 8000) * HOURS, told
    (world.folder / "own.yaml").write_text(
        "price_list: {name: public, currency: EUR, from: 2022-01-01T00:00:00Z, parent: null, owner: null}\nitems:\n"
        '- {sku: vm.small, meter: "instance:t3.micro", unit: hour, price: 0.008}\n')
    assert run(world, "prices", "load", str(world.folder / "own.yaml")).returncode == 0
    assert load(world, "bank", {"currency": "USD", "prices": {name: 0.02 for name in ("t3.micro", "t3.nano", "t2.nano", "t2.micro", "t4g.nano")}}).returncode == 0
    told = advice(world)
    assert told["price"]["currency"] == "USD" and "saves_month_micro" not in told["here"], told


def test_memory(world):
    """Advised types hold the memory in use, if it is known, and may have less than the present type."""
    assert all("memory" not in mode for mode in advice(world)["advice"])
    measure(world, 10, memory=1 << 28)
    told = advice(world)
    assert "memory_decided_on" in told and told["note"] == "Of processors and of memory.", told
    sizes = {r["ref"]: r["size"] for r in world.command("remote", "resources", "--provider", "bank", "--type", "instance_type")}
    for mode in told["advice"]:
        assert (mode["memory_percent"], mode["memory"]) == (25, 260 << 20) and mode["memory"] <= sizes[mode["type"]] < sizes["t3.micro"], mode
    assert " 260 " in run(world, "remote", "advice", world.ref).stdout


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

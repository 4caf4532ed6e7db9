#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: web/console/pages/machines.js web/console/pages/providers.js web/console/pages/remote-resources.js web/console/commands.js
"""Pages of clouds elsewhere: a provider is added, verified and removed; its machines are beside those of the region, filtered, and started and stopped; its
other resources are listed. Each action is a click in a browser, then compared with the API; each dialog is checked by axe and at 360 px in Korean."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import browser as web  # noqa: E402
import elsewhere  # noqa: E402
import native  # noqa: E402
from console import go, pages  # noqa: E402
from dev import REGION, Dev  # noqa: E402
from dialogs import answer, closed, command, dialog, fill, open_row, press  # noqa: E402
from waiting import wait_until  # noqa: E402

SIZES = (1280, 390)


@pytest.fixture(scope="module")
def dev():
    with Dev() as there, Dev() as home:
        there.ec2 = there.account.client()
        home.there, home.admin = there, native.admin(home)
        home.refs = elsewhere.launch(there, 2, "<b>shop</b>")
        home.admin.api_ok("POST", "/instances", {"image": native.image_of(home), "type": "t3.micro", "name": "local", "tags": {"Name": "local"}})
        home.rest()
        yield home


@pytest.fixture(scope="module")
def page(dev):
    with pages(dev, "admin") as b:
        b.axe_text = web.axe_source()
        yield b
        assert not b.faults()


def rows(dev, kind):
    return dev.admin.rows(f"/{kind}?fields=*")


def confirm(b, text):
    """Types what a dangerous action asks for."""
    b.run("const e = [...document.querySelectorAll('dialog input:not([name])')].at(-1); e.value = arguments[0]; e.dispatchEvent(new Event('input', {bubbles: true}));", text)


def is_fine(b):
    """The page as it is now fits both widths, in both languages, and has no violations."""
    for language in ("ko", "en"):
        b.dress(language, "light")
        for width in SIZES:
            b.size(width)
            assert not b.overflow() and not b.axe(b.axe_text, "main"), (language, width)
    b.size(1280)


def test_a_provider_is_added(page, dev):
    """The dialog shows the command; the provider is verified, and its machines come."""
    go(page, dev, "providers")
    press(page, "Add cloud provider")
    dialog(page, "Add cloud provider")
    fill(page, name="shop", cloud="aws", region=REGION, endpoint=dev.there.url, login=dev.there.account.key_id, secret=dev.there.account.secret, poll_s=1)
    command(page, f"dari provider add aws shop --region {REGION}")
    assert dev.there.account.secret not in page.text()
    answer(page)
    closed(page)
    page.until("return document.querySelector('main').innerText.includes('connected')", what="that it is verified")
    wait_until(lambda: len(rows(dev, "remote-machines")) == 2, "its machines")
    is_fine(page)


def test_all_machines(page, dev):
    """Machines of both places are in one list; a filter shows one cloud; names are text."""
    go(page, dev, "machines")
    page.until("return ['local', '<b>shop</b>'].every(n => document.querySelector('main').innerText.includes(n))", what="both")
    go(page, dev, "machines?q=cloud:aws")
    page.until("return !document.querySelector('main').innerText.includes('local')", what="the filter")
    assert "<b>shop</b>" in page.text()
    go(page, dev, "machines?q=cloud:dari")
    page.until("return !document.querySelector('main').innerText.includes('shop')", what="the other filter")
    go(page, dev, "machines?q=tag:name")
    is_fine(page)


def test_a_machine_is_stopped(page, dev):
    """A click stops the machine there, and its page follows."""
    machine = rows(dev, "remote-machines")[0]
    go(page, dev, f"machines/{machine['id']}")
    page.until_text(machine["ref"])
    press(page, "Stop", "main [role=toolbar]")
    command(page, "dari remote stop")
    wait_until(lambda: elsewhere.power_there(dev.there, machine["ref"]) == "stopped", "the stop")
    page.until("return document.querySelector('main .head').innerText.includes('stopped')", what="that it shows")
    is_fine(page)
    press(page, "Add tag")
    dialog(page, "Add a tag to")
    fill(page, key="team", value="red")
    command(page, "--tag team=red")
    answer(page)
    closed(page)
    page.until("return document.querySelector('main').innerText.includes('team')", what="the tag")
    press(page, "Resize")
    dialog(page, "Instance type of")
    fill(page, type="t3.small")
    answer(page)
    closed(page)
    wait_until(lambda: next(m for m in rows(dev, "remote-machines") if m["id"] == machine["id"])["type"] == "t3.small", "the size")
    press(page, "Terminate")
    dialog(page, "Terminate")
    confirm(page, "<b>shop</b>")
    answer(page, "danger")
    closed(page)
    wait_until(lambda: elsewhere.power_there(dev.there, machine["ref"]) == "terminated", "the end")


def test_resources(page, dev):
    """Other resources are listed, and lead to each other."""
    wait_until(lambda: {r["type"] for r in rows(dev, "remote-resources")} >= {"network", "subnet", "volume"}, "the resources")
    go(page, dev, "remote-resources?q=type:subnet")
    page.until("return document.querySelector('main').innerText.includes('subnet-')", what="the subnets")
    is_fine(page)
    subnet = next(r for r in rows(dev, "remote-resources") if r["type"] == "subnet")
    go(page, dev, f"remote-resources/{subnet['id']}")
    page.until_text(subnet["attributes"]["cidr"])
    assert page.run("return [...document.querySelectorAll('main a')].some(a => a.innerText.startsWith('vpc-'))")
    is_fine(page)


def test_a_provider_is_removed(page, dev):
    go(page, dev, "providers")
    open_row(page, "shop")
    page.until_text("Missing rights")
    press(page, "Remove")
    dialog(page, "Remove shop?")
    confirm(page, "shop")
    answer(page, "danger")
    closed(page)
    wait_until(lambda: not rows(dev, "providers") and not rows(dev, "remote-machines"), "the removal")


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: web src/api/native/sign_in
"""The console is safe for beginners: actions that take machines away from users ask first and name the resources, open ports are shown correctly, and
a login link pasted into an open tab signs in."""
import os
import sys

import pytest
from selenium.webdriver.common.keys import Keys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import browser as web  # noqa: E402
import native  # noqa: E402
from console import go, pages  # noqa: E402
from dev import Dev  # noqa: E402

NAMES = ["alpha", "beta"]


@pytest.fixture(scope="module")
def dev():
    with Dev() as region:
        ec2 = region.account.client()
        region.mine, region.operator = native.own(region), native.admin(region)
        image = ec2.describe_images()["Images"][0]["ImageId"]
        region.ids = [ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1, TagSpecifications=[{
            "ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}])["Instances"][0]["InstanceId"] for name in NAMES]
        region.rest()
        zone = ec2.describe_instances(InstanceIds=region.ids[:1])["Reservations"][0]["Instances"][0]["Placement"]["AvailabilityZone"]
        region.volume = ec2.create_volume(AvailabilityZone=zone, Size=1, TagSpecifications=[{"ResourceType": "volume", "Tags": [{"Key": "Name", "Value": "data"}]}])["VolumeId"]
        region.rest()  # the volume is available
        ec2.attach_volume(VolumeId=region.volume, InstanceId=region.ids[0], Device="/dev/sdf")
        region.rest()
        yield region


@pytest.fixture(scope="module")
def page(dev):
    with pages(dev) as b:
        b.axe_text = web.axe_source()
        yield b


def states(dev):
    return [dev.mine.api_ok("GET", f"/instances/{i}")["item"]["state"] for i in dev.ids]


def asked(page, title, *named):
    """A dialog is open, and names the affected resources."""
    page.until("return document.querySelector('dialog[open] h2')?.innerText === arguments[0]", title, what=f"the dialog {title}")
    text = page.run("return document.querySelector('dialog[open]').innerText")
    assert all(name in text for name in named), text
    assert not page.axe(page.axe_text, "dialog")


def cancel(page):
    page.press(Keys.ESCAPE)
    page.until("return !document.querySelector('dialog[open]')", what="the end of the dialog")


def agree(page):
    page.click("return document.querySelector('dialog[open] button.danger')", what="the answer")
    page.until("return !document.querySelector('dialog[open]')", what="the end of the dialog")


@pytest.mark.parametrize("key, verb", [("x", "Stop"), ("r", "Reboot")])
def test_a_key_asks(page, dev, key, verb):
    go(page, dev, "instances?sort=name")
    page.until("return document.querySelectorAll('tr[data-id]').length === 2", what="the list")
    page.press("k", "k")
    page.press(key)
    asked(page, f"{verb} alpha?")
    cancel(page)
    dev.rest()
    assert states(dev) == ["running", "running"]


@pytest.mark.parametrize("word", ["Reboot", "Stop"])
def test_a_click_on_several_asks(page, dev, word):
    go(page, dev, "instances?sort=name")
    page.until("return document.querySelectorAll('tr[data-id]').length === 2", what="the list")
    for box in page.run("return [...document.querySelectorAll('tr[data-id] input:not(:checked)')]"):
        box.click()
    click = "return [...document.querySelectorAll('.picks button')].find(b => b.innerText === arguments[0])"
    page.click(click, word, what=word)
    asked(page, f"{word} 2 instances?", *NAMES)
    cancel(page)
    assert states(dev) == ["running", "running"]
    page.click(click, word, what=word)
    agree(page)
    dev.rest()
    assert states(dev) == (["stopped", "stopped"] if word == "Stop" else ["running", "running"])


def test_detaching_asks(page, dev):
    go(page, dev, "volumes")
    page.until("return [...document.querySelectorAll('tr[data-id]')].some(tr => tr.innerText.includes('data'))", what="the list")
    page.click("return [...document.querySelectorAll('tr[data-id]')].find(tr => tr.innerText.includes('data')).querySelector('input')", what="the volume")
    page.click("return [...document.querySelectorAll('.picks button')].find(b => b.innerText === 'Detach')", what="Detach")
    asked(page, "Detach data?", "alpha")
    cancel(page)
    assert dev.mine.api_ok("GET", f"/volumes/{dev.volume}")["item"]["state"] == "in-use"


def test_the_default_group_is_not_open_to_the_world(page, dev):
    """The default group's rule allows its own members: the list and the launch form say so."""
    for path in ("security-groups", "launch"):
        go(page, dev, path)
        page.until_text("all traffic from default")


def test_a_maintenance_begins_now_and_a_host_counts_all_its_guests(dev):
    host = next(h for h in dev.operator.rows("/hosts?fields=*") if h["usage"]["instances"])
    refused = dev.operator.api("POST", f"/hosts/{host['id']}/maintenance", {"kind": "move"})
    assert refused.status == 400 and "begins_us" in refused.text, refused.text
    dev.operator.api_ok("POST", f"/hosts/{host['id']}/maintenance", {"kind": "reboot", "begins_us": 0})
    now = dev.operator.api_ok("GET", f"/hosts/{host['id']}")["item"]
    assert now["maintenance_us"] > 0
    dev.operator.api_ok("POST", f"/hosts/{host['id']}/end-maintenance", {})
    with pages(dev, "admin") as b:
        go(b, dev, f"hosts/{host['id']}")
        count = host["usage"]["instances"]
        b.until_text(f"{count} instance")
        b.until_text("other account")


def test_a_link_pasted_into_an_open_tab_signs_in(dev):
    with web.browser() as b:
        b.open(dev.url + "/console/")
        b.until("return document.querySelector('.sign')", what="the way in")
        b.run("location.hash = arguments[0]", web.link_of(dev).split("#")[1])
        b.until("return document.querySelector('.whoname')?.innerText.startsWith('dev /')", what="who is in")
        b.run("location.hash = arguments[0]", web.link_of(dev, "admin").split("#")[1])
        b.until("return document.querySelector('.whoname')?.innerText.startsWith('admin /')", what="the other account")
        assert "#t=" not in b.run("return location.href")


def test_one_reads_as_others_do(page, dev):
    """Shared behaviour of pages: a panel has the menu "Actions"; the command is one line until it is unfolded; a right-to-left name does not affect
    its surroundings; each page lists its keys; events are shown in the reader's language."""
    go(page, dev, f"instances?open={dev.ids[0]}")
    menu = page.until("return document.querySelector('aside .actions')", what="the menu of actions")
    assert page.run("return [...document.querySelectorAll('aside [role=toolbar] > button')].map(b => b.innerText)") == ["Start", "Stop", "Reboot"]
    page.click("return document.querySelector('aside .actions summary')")
    assert "Terminate…" in menu.text and not page.axe(page.axe_text)
    page.press(Keys.ESCAPE)
    assert not menu.get_attribute("open") and page.run("return document.querySelectorAll('tr[data-id] a bdi').length") == len(dev.ids)
    assert page.run("return document.querySelector('.cmd').offsetHeight") < 48
    page.click("return document.querySelector('.cmd .fold')")
    page.until("return document.querySelector('.cmd .chip').offsetHeight", what="the tools")
    page.click("return document.querySelector('.cmd .fold')")
    page.press("?")
    keys = page.until("return [...document.querySelectorAll('dialog[open] .keys')].map((e) => e.innerText).join('\\n')", what="the keys")
    assert len({line for line in keys.splitlines() if line.startswith("G ")}) > 20 and "Reboot" in keys
    cancel(page)
    page.dress("ko", "light")
    page.until_text("인스턴스 실행 중")
    page.dress("en", "light")
    page.until_text("Instance running")


def test_a_launch_tells_how_to_get_in(page, dev):
    go(page, dev, "launch")
    page.until_text("Without a key pair you cannot connect")
    page.click("return [...document.querySelectorAll('main button')].find(b => b.innerText.startsWith('Allow SSH from my IP'))", what="the rule that is offered")
    page.until("return !document.querySelector('main').innerText.includes('No inbound rule allows SSH')", what="the rule")
    rules = [r for r in dev.mine.api_ok("GET", "/security-group-rules?fields=*")["items"] if r.get("from_port") == 22]
    assert len(rules) == 1 and rules[0]["peer_block"].endswith("/32")


def test_an_unknown_place_is_told(page, dev):
    go(page, dev, "reach?from=nosuch")
    page.until_text("No instance is called nosuch.")


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: web src/api/native/sign_in src/api/console
"""A short tour of the console in a browser: signing in, a list, a launch by the keyboard, and live changes. tests/contract/console/pages.py checks
each page."""
import gzip
import os
import re
import sys
import urllib.parse
import urllib.request

import pytest
from selenium.webdriver.common.keys import Keys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import browser as web  # noqa: E402
from console import go  # noqa: E402
from dev import Dev  # noqa: E402
from waiting import HANG_S  # noqa: E402

FIRST_PAGE_MAX = 60 * 1024  # bytes; see bench/README.md
ROWS = "return [...document.querySelectorAll('tr[data-id]')].map(tr => tr.innerText)"


@pytest.fixture(scope="module")
def dev():
    with Dev() as region:
        region.ec2 = region.account.client()
        image = region.ec2.describe_images()["Images"][0]["ImageId"]
        tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "first"}]}]
        region.first = region.ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1, TagSpecifications=tags)["Instances"][0]["InstanceId"]
        region.rest()
        yield region


@pytest.fixture(scope="module")
def page(dev):
    with web.browser() as b:
        b.size(1280)
        b.open(dev.url + "/console/instances")
        yield b


def test_sign_in(page, dev):
    """By an access key, with the keyboard; then the requested page appears."""
    page.click("return [...document.querySelectorAll('.sign button')].find(e => e.innerText === 'Access key')", what="the way in by a key")
    page.until("return document.querySelector('input[name=access_key]')", what="the field").send_keys(dev.account.key_id, Keys.TAB, dev.account.secret + "x", Keys.ENTER)
    page.until_text("The access key or its secret is wrong.")
    page.find("input[name=secret]").clear()
    page.find("input[name=secret]").send_keys(dev.account.secret, Keys.ENTER)
    page.until("return document.querySelector('nav.side') && location.pathname === '/console/instances'", what="the list's page")


def test_list(page):
    rows = page.until(ROWS, what="the list")
    assert len(rows) == 1 and "first" in rows[0] and "running" in rows[0]
    page.until("return document.querySelector('.live.ok')", what="that it is live")
    assert page.run("return document.querySelector('.cmd pre').innerText") == "aws ec2 describe-instances"


def test_change_is_shown(page, dev):
    page.run("window.isTheSame = true")
    dev.ec2.stop_instances(InstanceIds=[dev.first])
    page.until(f"{ROWS}.some(text => text.includes('stopped'))", what="that it is stopped")
    dev.ec2.create_tags(Resources=[dev.first], Tags=[{"Key": "Name", "Value": "second <b>name</b>"}])
    page.until(f"{ROWS}.some(text => text.includes('second <b>name</b>'))", what="its new name")
    assert page.run("return window.isTheSame"), "the page was loaded anew"


def test_command_of_a_click(page, dev):
    """The module is loaded on demand, not with the page."""
    page.click("return document.querySelector('tr[data-id] input')", what="the row's box")
    page.until("const e = [...document.querySelectorAll('.picks button')].find(b => b.innerText === 'Start'); e?.focus(); return e", what="the way to start it")
    page.until("return document.querySelector('.cmd pre').innerText === arguments[0]", f"aws ec2 start-instances --instance-ids {dev.first}", what="the command")
    assert page.run("return [...document.querySelectorAll('.cmd .chip')].map(e => e.innerText)") == ["aws", "openstack", "cmk", "ansible", "terraform", "curl"]


def test_launch_by_keyboard(page, dev):
    go(page, dev, "")
    page.run("document.getElementById('main').focus()")
    page.press("c")
    name = page.until("return document.querySelector('form .opt input:checked') && document.querySelector('input[name=name]').value", what="the form with its defaults")
    page.driver.switch_to.active_element.send_keys(Keys.CONTROL, Keys.ENTER)
    page.until("return /\\/console\\/instances\\/i-/.test(location.pathname)", what="the page of what was launched")
    page.until("return document.querySelector('main .head .st')?.innerText.endsWith('running')", what="that it runs")
    found = dev.ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": [name]}])["Reservations"]
    assert [i["State"]["Name"] for r in found for i in r["Instances"]] == ["running"]


def test_another_order(page, dev):
    """At once, even with the pointer in the table, where rows otherwise keep their positions."""
    go(page, dev, "instances?sort=name")
    rows = page.until(f"const rows = {ROWS.removeprefix('return ')}; return rows.length === 2 && rows", what="both instances")
    for wanted in (rows[::-1], rows):
        page.click("return [...document.querySelectorAll('th .sort')].find(b => b.innerText.startsWith('Name'))", what="the column's head")
        page.until(f"const now = {ROWS.removeprefix('return ')}.map(x => x.split('\\n')[0]); return JSON.stringify(now) === JSON.stringify(arguments[0])", [r.split("\n")[0] for r in wanted], what="the other order")


def fetch(url):
    """(bytes as sent, text)."""
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept-Encoding": "gzip"}), timeout=HANG_S) as answer:
        body = answer.read()
        return len(body), (gzip.decompress(body) if answer.headers["Content-Encoding"] == "gzip" else body).decode()


def test_another_account_signs_in(page, dev):
    """Without reloading the page: nothing of the previous account remains, which had a higher change number."""
    other = dev.new_account("other")
    ec2 = other.client()
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "theirs"}]}]
    ec2.run_instances(ImageId=ec2.describe_images()["Images"][0]["ImageId"], InstanceType="t3.micro", MinCount=1, MaxCount=1, TagSpecifications=tags)
    dev.rest()
    go(page, dev, "instances")
    assert len(page.until(ROWS, what="the list")) > 1
    page.run("window.isTheSame = true; [...document.querySelectorAll('.menu button')].find(b => b.innerText === 'Sign out' || b.textContent === 'Sign out').click()")
    page.click("return [...document.querySelectorAll('.sign button')].find(e => e.innerText === 'Access key')", what="the way in by a key")
    page.until("return document.querySelector('input[name=access_key]')", what="the field").send_keys(other.key_id, Keys.TAB, other.secret, Keys.ENTER)
    page.until("return document.querySelector('nav.side')", what="the pages")
    page.until("return [...document.querySelectorAll('tr[data-id]')].some(tr => tr.innerText.includes('theirs'))", what="their instance")
    assert len(page.run(ROWS)) == 1
    assert page.run("return document.querySelector('nav.side a[href$=\"/instances\"] .num').innerText") == "1"
    assert page.run("return window.isTheSame"), "the page was loaded anew"


def test_first_page_is_small(dev):
    """The list's page, its style sheet, and all statically imported modules, with 300 bytes of headers each. Modules needed only by a click are not
    loaded."""
    size, index = fetch(dev.url + "/console/instances")
    main = dev.url + re.search(r'src="([^"]*/main\.js)"', index)[1]
    sizes, todo = {"index.html": size}, [main, main.replace("main.js", "pages/instances.js"), dev.url + re.search(r'rel="stylesheet" href="([^"]*)"', index)[1]]
    for url in todo:
        sizes[url], text = fetch(url)
        todo += {urllib.parse.urljoin(url, path) for path in re.findall(r'\bfrom ?"(\.[^"]*)"', text)} - set(todo)
    names = {url.rsplit("/", 1)[1] for url in sizes if url != "index.html"}
    assert {"list.js", "command_bar.js", "en.js"} <= names and not names & {"commands.js", "ansible.js", "charts.js", "ticket_actions.js", "ko.js", "instance_view.js", "instance_dialogs.js"}
    assert sum(sizes.values()) + 300 * len(sizes) <= FIRST_PAGE_MAX, sizes


def test_nothing_was_reported(page):
    """No report of the content security policy, no error."""
    assert not page.faults()


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))

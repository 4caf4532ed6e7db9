#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: web src/api/native src/api/console
"""Actions of the console's pages on instances, images, volumes, keys and hosts: each in a browser and then compared with the API. One session visits
all pages. Every dialog is checked by axe, and at 360 px in Korean."""
import os
import sys
import tempfile

import pytest
from selenium.webdriver.common.keys import Keys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import browser as web  # noqa: E402
import native  # noqa: E402
from console import go, load_prices, pages  # noqa: E402
from dev import Dev  # noqa: E402

MANY = 40  # instances: more than are visible at once
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIN9nYzkvGkaNJWjmYUvSHKyOzFZl4Bh6hWSZUrKUHeh3 ann"
MIB = 2**20


@pytest.fixture(scope="module")
def dev():
    with Dev() as region:
        region.ec2 = region.account.client()
        region.mine, region.operator = native.own(region), native.admin(region)
        load_prices(region)
        tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "row"}]}]
        region.ec2.run_instances(ImageId=region.ec2.describe_images()["Images"][0]["ImageId"], InstanceType="t3.micro", MinCount=MANY, MaxCount=MANY, TagSpecifications=tags)
        region.group = region.ec2.create_security_group(GroupName="web", Description="of a test")["GroupId"]
        region.rest()
        first, second = sorted(region.mine.rows("/instances?fields=*"), key=lambda r: r["id"])[:2]
        region.one, region.two = first["ec2"], second["ec2"]
        zone = region.ec2.describe_instances(InstanceIds=[region.one])["Reservations"][0]["Instances"][0]["Placement"]["AvailabilityZone"]
        region.volume = region.ec2.create_volume(AvailabilityZone=zone, Size=1, TagSpecifications=[{"ResourceType": "volume", "Tags": [{"Key": "Name", "Value": "data"}]}])["VolumeId"]
        region.rest()
        for i, name in ((region.one, "alpha"), (region.two, "beta")):
            region.ec2.create_tags(Resources=[i], Tags=[{"Key": "Name", "Value": name}])
        yield region


@pytest.fixture(scope="module")
def page(dev):
    with pages(dev) as b:
        b.axe_text = web.axe_source()
        yield b


def row(dev, path):
    return dev.mine.api_ok("GET", path)["item"]


def button(page, words, where="main"):
    """Clicks the button with that text."""
    page.click(f"return [...document.querySelectorAll('{where} button')].find(b => !b.disabled && b.innerText.replace(/…$/, '') === arguments[0])", words, what=f"the button {words}")


def dialog(page, title):
    """The open dialog, checked by axe and on a narrow page in Korean."""
    page.until("return document.querySelector('dialog[open] h2')?.innerText.startsWith(arguments[0])", title, what=f"the dialog {title}")
    page.size(360)
    page.dress("ko", "dark")
    wrong = page.axe(page.axe_text, "dialog")
    sticks_out = page.overflow()
    page.size(1280)
    page.dress("en", "light")
    assert not wrong and not sticks_out, (wrong, sticks_out)


def field(page, name, value):
    """Types or chooses a field's value."""
    page.run("const [name, value] = arguments, e = document.querySelector(`dialog [name=\"${name}\"]`); if (e.type === 'checkbox') { if (e.checked !== value) e.click(); return; }"
             "e.value = value; e.dispatchEvent(new Event('input', {bubbles: true})); e.dispatchEvent(new Event('change', {bubbles: true}));", name, value)


def answer(page, kind="b1"):
    page.click(f"return document.querySelector('dialog .{kind}:not(:disabled)')", what="the answer")
    page.until("return !document.querySelector('dialog[open]')", what="the dialog gone")


def command(page, words):
    page.until("return document.querySelector('.cmd pre')?.innerText.includes(arguments[0])", words, what=f"the command {words}")


# ---- many instances ----

def test_lines_of_the_rows_in_sight(page, dev):
    """Metrics are requested only for visible rows."""
    go(page, dev, "instances")
    page.until("return document.querySelectorAll('tr[data-id] svg.spark path').length > 5", what="the lines of processors")
    asked = page.run("return performance.getEntriesByType('resource').filter(e => e.name.includes('/instances/metrics')).map(e => new URL(e.name).searchParams.get('ids').split(','))")
    shown = page.run("return [...document.querySelectorAll('tr[data-id]')].map(r => r.dataset.id)")
    assert asked and len(shown) < MANY and all(len(ids) < MANY for ids in asked)
    page.run("document.querySelector('.scroll.list').scrollTop = 1e6")
    page.until("return [...document.querySelectorAll('tr[data-id]')].at(-1)?.querySelector('svg.spark')", what="the line of the last row")


def test_a_list_is_entered_again(page, dev):
    """A list continues where it was left; with a filter that leaves fewer rows, it shows them."""
    go(page, dev, "instances?sort=name")
    page.run("document.querySelector('.scroll.list').scrollTop = 1e6")
    last = page.until("return document.querySelector('tr.gap') && !document.querySelector('tr[aria-rowindex=\"2\"]') && [...document.querySelectorAll('tr[data-id]')].at(-1)?.dataset.id", what="the last rows")
    go(page, dev, "volumes")
    go(page, dev, "instances?sort=name")
    page.until("return document.querySelector('.scroll.list').scrollTop > 0 && document.querySelector(`tr[data-id=\"${arguments[0]}\"]`)", last, what="the last rows again")
    go(page, dev, "volumes")
    go(page, dev, "instances?q=alpha")
    page.until("return [...document.querySelectorAll('tr[data-id] a')].some(a => a.innerText === 'alpha')", what="the row that the filter leaves")


def pick(page, dev, *names):
    """Selects rows by the keyboard."""
    go(page, dev, "instances?sort=name")
    page.run("document.querySelector('.scroll.list').scrollTop = 0")
    for name in names:
        page.until("const a = [...document.querySelectorAll('tr[data-id] a')].find(a => a.innerText === arguments[0]); a?.closest('tr').querySelector('input').focus(); return a", name, what=name)
        page.press(Keys.SPACE)
    page.until("return document.querySelector('.picks strong')?.innerText.startsWith(String(arguments[0]))", len(names), what="that they are picked")


def test_tags_of_many(page, dev):
    pick(page, dev, "alpha", "beta")
    button(page, "Tag", ".picks")
    dialog(page, "Add tag")
    page.until("return document.activeElement?.name === 'key'", what="the field")
    page.press("cost centre", Keys.TAB, "<b>7</b>")
    command(page, "create-tags")
    page.press(Keys.ENTER)
    page.until("return !document.querySelector('dialog')", what="the dialog gone")
    assert all(row(dev, f"/instances/{i}")["tags"]["cost centre"] == "<b>7</b>" for i in (dev.one, dev.two))
    button(page, "Untag", ".picks")
    dialog(page, "Delete tag")
    field(page, "key", "cost centre")
    command(page, "delete-tags")
    answer(page, "danger")
    assert all("cost centre" not in row(dev, f"/instances/{i}")["tags"] for i in (dev.one, dev.two))


def test_they_stand_still_and_are_protected(page, dev):
    for word, state in (("Pause", "paused"), ("Resume", "running"), ("Suspend", "suspended"), ("Start", "running")):
        button(page, word, ".picks")
        if word in ("Pause", "Suspend"):
            dialog(page, f"{word} 2 instances?")
            answer(page, "danger")
        page.until("return [...document.querySelectorAll('tr[aria-selected=true]')].filter(r => r.innerText.includes(arguments[0])).length === 2", state, what=state)
    for on in ("1", "0"):
        button(page, "Termination protection", ".picks")
        dialog(page, "Termination protection")
        field(page, "on", on)
        command(page, "disable-api-termination")
        answer(page)
        assert all(row(dev, f"/instances/{i}")["protect_terminate"] == (on == "1") for i in (dev.one, dev.two))


# ---- one instance ----

def test_a_volume_is_attached_and_detached(page, dev):
    go(page, dev, f"instances/{dev.one}")
    button(page, "Attach volume")
    dialog(page, "Attach volume to alpha")
    command(page, f"attach-volume --volume-id {dev.volume}")
    answer(page)
    page.click("return document.querySelector('button[aria-label=\"Detach data\"]')", what="the volume among the disks")
    dialog(page, "Detach data from alpha?")
    answer(page, "danger")
    page.until("return !document.querySelector('button[aria-label=\"Detach data\"]')", what="that it is out")
    dev.rest()
    assert row(dev, f"/volumes/{dev.volume}")["state"] == "available"


def test_its_groups(page, dev):
    button(page, "Security groups")
    dialog(page, "Security groups of alpha")
    wanted = row(dev, f"/security-groups/{dev.group}")["id"]
    page.run("for (const e of document.querySelectorAll('dialog [name=group]')) if (e.checked !== (e.value === arguments[0])) e.click()", wanted)
    command(page, "modify-network-interface-attribute --network-interface-id eni-")
    answer(page)
    page.until("return [...document.querySelectorAll('main .kv a')].some(a => a.innerText === 'web')", what="the group")
    assert [p["groups"] for p in dev.mine.rows("/ports?fields=*") if p.get("instance") == row(dev, f"/instances/{dev.one}")["id"]] == [[wanted]]


def test_its_settings_and_tags(page, dev):
    button(page, "Settings")
    dialog(page, "Settings of alpha")
    field(page, "description", "the first")
    field(page, "protect_stop", True)
    answer(page)
    page.until_text("stop")
    seen = row(dev, f"/instances/{dev.one}")
    assert seen["description"] == "the first" and seen["protect_stop"]
    dev.mine.api_ok("PATCH", f"/instances/{dev.one}", {"protect_stop": False})
    button(page, "Add tag")
    dialog(page, "Add tag")
    field(page, "key", "env")
    field(page, "value", "test")
    answer(page)
    page.click("return document.querySelector('button[aria-label=\"Edit tag env\"]')", what="the tag in the table")
    dialog(page, "Tag env")
    field(page, "value", "prod")
    answer(page)
    page.until("return [...document.querySelectorAll('main td')].some(d => d.innerText === 'prod')", what="the new value")
    page.click("return document.querySelector('button[aria-label=\"Delete tag env\"]')", what="the button")
    page.until("return !document.querySelector('button[aria-label=\"Edit tag env\"]')", what="that it is gone")
    assert set(row(dev, f"/instances/{dev.one}")["tags"]) == {"Name"}


def test_its_screen_is_shown(page):
    """Shown as a picture, which is refreshed only on request."""
    looks = "performance.getEntriesByType('resource').filter(e => e.name.endsWith('/screen')).length"
    page.until("const i = document.querySelector('main img.thumb'); return i?.complete && i.naturalWidth > 100", what="the picture")
    before = page.run(f"return {looks}")
    button(page, "Refresh")
    page.until(f"return {looks} > arguments[0] && document.querySelector('main img.thumb')", before, what="another look")


def test_an_image_and_snapshots_of_it(page, dev):
    button(page, "Create image")
    dialog(page, "Create image of alpha")
    field(page, "name", "alpha of today")
    command(page, "create-image")
    answer(page)
    dev.rest()
    made = [i for i in dev.mine.rows("/images?fields=*") if i["name"] == "alpha of today"]
    assert len(made) == 1 and made[0]["state"] == "available"
    before = len(dev.mine.rows("/snapshots"))
    button(page, "Snapshot")
    dialog(page, "Create snapshot of")
    command(page, "create-snapshot")
    answer(page)
    assert len(dev.mine.rows("/snapshots")) == before + 1


def test_it_is_rescued_and_rebuilt(page, dev):
    button(page, "Rescue")
    dialog(page, "Rescue alpha")
    command(page, "server rescue")
    answer(page)
    page.until("return document.querySelector('.head .st').innerText.includes('rescued')", what="that it is rescued")
    button(page, "Unrescue")
    page.until("return document.querySelector('.head .st').innerText.includes('running')", what="that it runs")
    dev.rest()  # the host has finished: before that, a rebuild is refused
    root = [v["id"] for v in dev.mine.rows("/volumes?fields=*") if v.get("instance") == row(dev, f"/instances/{dev.one}")["id"]]
    button(page, "Rebuild")
    dialog(page, "Rebuild alpha?")
    assert page.run("return document.querySelector('dialog .danger').disabled")
    page.run("const e = [...document.querySelectorAll('dialog input')].at(-1); e.value = 'alpha'; e.dispatchEvent(new Event('input', {bubbles: true}))")
    answer(page, "danger")
    dev.rest()
    assert [v["id"] for v in dev.mine.rows("/volumes?fields=*") if v.get("instance") == row(dev, f"/instances/{dev.one}")["id"]] != root


# ---- images ----

def test_a_file_becomes_an_image(page, dev):
    """Chosen in the browser, named after the file, uploaded, and shown; shared with another account; copied."""
    go(page, dev, "images")
    button(page, "Import image")
    dialog(page, "Import image")
    field(page, "from", "file")
    with tempfile.NamedTemporaryFile(suffix=".raw", prefix="disk-") as f:
        f.truncate(8 * MIB)
        page.until("return document.querySelector('dialog input[type=file]')", what="the field").send_keys(f.name)
        name = os.path.basename(f.name)[:-4]
        page.until("const d = document.querySelector('dialog form'); return d.elements.name.value === arguments[0] && d.elements.format.value === 'raw'", name, what="what the file says of itself")
        command(page, name)
        answer(page)
        page.until("return [...document.querySelectorAll('tr[data-id]')].some(r => r.innerText.includes(arguments[0]) && r.innerText.includes('available'))", name, what="the image")
    image = next(i for i in dev.mine.rows("/images?fields=*") if i["name"] == name)
    assert image["data_size"] == 8 * MIB
    other = next(a["id"] for a in dev.operator.rows("/accounts") if a["name"] == "admin")
    page.click("return [...document.querySelectorAll('tr[data-id] a')].find(a => a.innerText === arguments[0])", name, what="the image")
    button(page, "Launch permissions", "aside")
    dialog(page, "Launch permissions of")
    field(page, "account", other)
    answer(page)
    page.until_text("1 account")
    assert row(dev, f"/images/{image['id']}")["launchers"] == [other]
    button(page, "Launch permissions", "aside")
    dialog(page, "Launch permissions of")
    page.click("return document.querySelector('dialog [name=gone]')", what="who may launch it now")
    answer(page)
    assert not row(dev, f"/images/{image['id']}")["launchers"]
    button(page, "Edit details", "aside")
    dialog(page, "Edit details of")
    field(page, "description", "nothing is on it")
    command(page, "nothing is on it")
    answer(page)
    page.until_text("nothing is on it")
    button(page, "Copy", "aside")
    dialog(page, "Copy image")
    field(page, "name", "another")
    answer(page)
    page.until("return document.querySelector('h1')?.innerText === 'another'", what="the copy's page")


def test_an_image_from_a_url(page, dev):
    """If the download fails, the page says so, and the data can be uploaded instead."""
    go(page, dev, "images")
    button(page, "Import image")
    dialog(page, "Import image")
    field(page, "url", "http://127.0.0.1:1/tiny.qcow2")
    assert page.run("return document.querySelector('dialog form').elements.name.value") == "tiny"
    answer(page)
    page.click("return [...document.querySelectorAll('tr[data-id] a')].find(a => a.innerText === 'tiny' && a.closest('tr').innerText.includes('owned by me'))", what="the image")
    page.until("return document.querySelector('aside .why')", what="why it is not here")


# ---- events, and capacity ----

def test_what_happened_as_a_command(page, dev):
    go(page, dev, "activity?q=ec2:PauseInstances")
    page.click("return document.querySelector('main td button')", what="the way to the command")
    command(page, "server pause")
    go(page, dev, "activity?q=created")
    page.click("return [...document.querySelectorAll('main tr')].find(r => r.innerText.includes('Launched as'))?.querySelector('button')", what="the way to the command")
    command(page, "run-instances")


def test_quotas_on_the_first_page(page, dev):
    go(page, dev, "")
    page.until_text("No quotas are set for this account.")
    account = next(a["id"] for a in dev.operator.rows("/accounts") if a["name"] == "dev")
    dev.operator.api_ok("PATCH", f"/accounts/{account}/limits", {"snapshots": 20})
    dev.ec2.create_snapshot(VolumeId=dev.volume, Description="first")
    page.until("return [...document.querySelectorAll('main .gauge')].some(g => /Snapshots[^]*\\/ 20/.test(g.innerText))", what="the bar")


# ---- snapshots, keys ----

def test_a_volume_goes_back(page, dev):
    dev.rest()
    one = next(s for s in dev.mine.rows("/snapshots?fields=*") if s.get("description") == "first")
    go(page, dev, f"snapshots/{one['ec2']}")
    button(page, "Revert volume to snapshot")
    dialog(page, "Revert data to")
    answer(page, "danger")
    button(page, "Create volume")
    dialog(page, "Create volume from")
    field(page, "gib", "2")
    command(page, "--size 2")
    answer(page)
    page.until("return [...document.querySelectorAll('main h2')].some(h => h.innerText === 'Volumes from this snapshot')", what="the volume")
    dev.rest()
    assert 2 * 2**30 in [v["size"] for v in dev.mine.rows("/volumes?fields=*") if v.get("snapshot") == one["id"]]
    assert any(e["what"] == "revert asked" for e in dev.mine.api_ok("GET", f"/volumes/{dev.volume}/events")["items"])


def test_a_key_from_its_file(page, dev):
    """A private key never leaves its file."""
    go(page, dev, "keys")
    button(page, "Import key pair")
    dialog(page, "Import key pair")
    value = "return document.querySelector('dialog [name=public_key]').value"
    for text, name in (("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n", "id"), (PUBLIC_KEY, "ann.pub")):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
                f.write(text)
            page.find("dialog input[type=file]").send_keys(f.name)
            if name == "id":
                page.until_text("id is not a public key file.")
                assert page.run(value) == ""
            else:
                page.until(f"{value} === arguments[0]", text, what="the key")
    answer(page)
    page.until("return [...document.querySelectorAll('tr[data-id]')].some(r => r.innerText.includes('ann'))", what="the pair")


# ---- permissions ----

def test_what_nobody_may_is_not_shown(dev):
    """A user with a read-only policy sees the rows, but no actions."""
    iam = dev.account.client("iam")
    iam.create_user(UserName="guest")
    iam.put_user_policy(UserName="guest", PolicyName="look", PolicyDocument='{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["ec2:Describe*", "ec2:StopInstances"], "Resource": "*"}]}')
    key = iam.create_access_key(UserName="guest")["AccessKey"]
    with web.browser() as b:
        b.size(1280)
        b.open(dev.url + f"/console/instances/{dev.two}")
        b.click("return [...document.querySelectorAll('.sign button')].find(e => e.innerText === 'Access key')", what="the way in by a key")
        b.until("return document.querySelector('input[name=access_key]')", what="the field").send_keys(key["AccessKeyId"], Keys.TAB, key["SecretAccessKey"], Keys.ENTER)
        b.until("const names = [...document.querySelectorAll('main [role=toolbar] button')].map(e => e.innerText); return names.includes('Stop') && !names.some(n => ['Terminate…', 'Pause', 'Rebuild…', 'Attach volume'].includes(n))", what="the one verb that is allowed")


def test_a_termination_names_the_volumes(dev):
    """Asked from the list, in a window that has shown no volume yet. A type is changed while the instance is stopped: the button says so."""
    with pages(dev) as b:
        go(b, dev, "instances?q=row")
        b.click("return document.querySelector('tr[data-id] input')", what="the first row's box")
        button(b, "Terminate")
        b.until("return document.querySelector('dialog[open]')?.innerText.includes('1 volume is deleted')", what="the volume that goes too")
        button(b, "Cancel", "dialog")
        go(b, dev, f"instances/{dev.two}")
        assert b.until("return [...document.querySelectorAll('main [role=toolbar] button')].find(e => e.textContent === 'Resize' && e.disabled)?.title", what="why it is disabled") == "Stop the instance first to change its type."


# ---- hosts ----

def test_a_host_names_what_is_on_it(dev):
    with pages(dev, "admin") as b:
        b.axe_text = web.axe_source()
        go(b, dev, "hosts")
        button(b, "Add host")
        dialog(b, "Add host")
        field(b, "name", "root@192.0.2.7")
        command(b, "dari host add root@192.0.2.7")
        b.press(Keys.ENTER)
        b.until("return document.querySelector('dialog [role=alert]')?.innerText.includes('Run the command below on the server')", what="where to set the machine up")
        b.press(Keys.ESCAPE)
        button(b, "Add host")
        dialog(b, "Add host")
        field(b, "name", "hv-new")
        b.press(Keys.ENTER)
        b.until("return [...document.querySelectorAll('tr[data-id] a')].some(a => a.innerText === 'hv-new')", what="the new host")
        (new,) = [h for h in dev.command("host", "list") if h["name"] == "hv-new"]
        assert new["instances"] == 0
        dev.command("host", "remove", "hv-new")
        busy = max(dev.command("host", "list"), key=lambda h: h["instances"])
        b.click("return [...document.querySelectorAll('tr[data-id] a')].find(a => a.innerText === arguments[0])", busy["name"], what="the host")
        button(b, "Drain", "aside")
        dialog(b, "Drain")
        assert f"{busy['instances']} instances" in b.run("return document.querySelector('dialog').innerText")
        b.press(Keys.ESCAPE)
        assert not b.faults()


def test_nothing_was_reported(page):
    assert not page.faults()


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))

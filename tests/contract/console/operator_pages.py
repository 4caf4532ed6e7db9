#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: web src/api/native src/api/console
"""Pages of operators: live migration of one instance, tasks, the audit log, instance types, volume types, external networks and webhooks; and the
account's snapshot schedules. Each action is a click in a browser, then compared with the API; each dialog is checked by axe and at 360 px in Korean."""
import http.server
import os
import sys
import threading

import pytest
from selenium.webdriver.common.keys import Keys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import browser as web  # noqa: E402
import native  # noqa: E402
from console import go, pages  # noqa: E402
from dev import Dev  # noqa: E402
from dialogs import answer, closed, command, dialog, fill, open_row, press, tick  # noqa: E402

SIZES = (1280, 390)


@pytest.fixture(scope="module")
def dev():
    with Dev() as region:
        region.operator, region.mine = native.admin(region), native.own(region)
        image = native.image_of(region)
        region.theirs = region.mine.api_ok("POST", "/instances", {"image": image, "type": "t3.micro", "name": "theirs"})["items"][0]
        region.ours = region.operator.api_ok("POST", "/instances", {"image": image, "type": "t3.micro", "name": "ours"})["items"][0]
        region.mine.api_ok("POST", "/volumes", {"zone": region.mine.rows("/zones")[0]["id"], "size": 2**30, "name": "database"})
        region.rest()
        yield region


@pytest.fixture(scope="module")
def page(dev):
    with pages(dev, "admin") as b:
        b.axe_text = web.axe_source()
        yield b
        assert not b.faults()


@pytest.fixture(scope="module")
def own(dev):
    with pages(dev) as b:
        b.axe_text = web.axe_source()
        yield b
        assert not b.faults()


def only(dev, path, **members):
    (found,) = [r for r in dev.operator.rows(f"{path}?fields=*&all=1") if all(r.get(k) == v for k, v in members.items())]
    return found


def is_whole(b):
    """The page as it is now fits both widths."""
    for width in SIZES:
        b.size(width)
        assert not b.overflow(), width
    b.size(1280)


# ---- live migration ----

def test_an_instance_migrates_to_a_chosen_host(page, dev):
    """The dialog lists hosts with capacity, and why the others have none; the instance's page shows the migration."""
    identifier = dev.ours["id"]
    before = dev.operator.api_ok("GET", f"/instances/{identifier}")["item"]["host"]
    go(page, dev, f"instances/{dev.ours['ec2']}")
    press(page, "Live-migrate", "main .actions")
    dialog(page, "Live-migrate ours")
    assert "Hosts that cannot take it" in page.text()
    fits = [t["host"] for t in dev.operator.api_ok("GET", f"/instances/{identifier}/migration-targets")["items"] if t["fits"]]
    assert page.run("return [...document.querySelectorAll('dialog select option')].map(o => o.value).filter(Boolean)") == fits
    fill(page, host=fits[0])
    name = dev.operator.api_ok("GET", f"/hosts/{fits[0]}")["item"]["name"]
    command(page, f"--host {name}")
    answer(page)
    closed(page)
    page.until("return [...document.querySelectorAll('main .migration')].some(e => e.innerText.includes('Migrated'))", what="that it has migrated")
    assert dev.operator.api_ok("GET", f"/instances/{identifier}")["item"]["host"] == fits[0] != before
    is_whole(page)


def test_an_instance_of_another_account_migrates_from_its_host(page, dev):
    identifier = dev.theirs["id"]
    before = dev.operator.api_ok("GET", f"/instances/{identifier}")["item"]["host"]
    go(page, dev, f"hosts/{before}")
    press(page, "Live-migrate an instance", "main .actions")
    dialog(page, "Live-migrate an instance from")
    fill(page, instance=identifier)
    answer(page)
    dialog(page, "Live-migrate theirs")
    answer(page)
    page.until("return [...document.querySelectorAll('main .migration')].some(e => e.innerText.includes(arguments[0]) && e.innerText.includes('Migrated'))", dev.theirs["ec2"], what="that it has migrated")
    assert dev.operator.api_ok("GET", f"/instances/{identifier}")["item"]["host"] != before


def test_an_account_migrates_nothing(own, dev):
    go(own, dev, f"instances/{dev.theirs['ec2']}")
    own.until("return document.querySelector('main [role=toolbar]')", what="the buttons")
    own.until("return ![...document.querySelectorAll('main button')].some(e => e.textContent.startsWith('Live-migrate'))", what="no such button")


# ---- tasks and the audit log ----

def test_tasks(page, dev):
    dev.operator.api_ok("POST", "/audits", {})
    dev.rest()
    go(page, dev, "tasks")
    page.until("return [...document.querySelectorAll('main tbody tr')].some(r => r.innerText.includes('Consistency check') && r.innerText.includes('completed'))", what="the check")
    lines = page.run("return [...document.querySelectorAll('main tbody tr')].map(r => r.innerText)")
    assert any("Live migration" in s and dev.theirs["ec2"] in s and "dev" in s and "admin" in s for s in lines), lines
    page.find("#q").send_keys("consistency")
    page.until("return [...document.querySelectorAll('main tbody tr')].every(r => r.innerText.includes('Consistency check'))", what="the filter")
    page.click("return [...document.querySelectorAll('main .chip')].find(e => e.innerText.startsWith('running'))", what="the running ones")
    page.until_text("No task matches.")
    is_whole(page)


def test_the_audit_log(page, dev):
    """Filters are in the address; the command has them, too."""
    dev.operator.api_ok("POST", "/users", {"name": "ann <b>"})
    assert dev.operator.api("POST", "/users", {"name": "ann <b>"}).status in (400, 409)
    go(page, dev, "audit-log?action=iam:CreateUser")
    page.until("return [...document.querySelectorAll('main tbody tr')].some(r => r.innerText.includes('iam:CreateUser') && r.innerText.includes('allowed'))", what="the record")
    assert page.run("return [...document.querySelectorAll('main tbody tr')].every(r => r.innerText.includes('iam:CreateUser'))")
    command(page, "dari log audit --action iam:CreateUser")
    page.run("const e = [...document.querySelectorAll('main .filters select')].at(-1); e.value = 'failed'; e.dispatchEvent(new Event('change', {bubbles: true}));")
    page.until("return location.search.includes('outcome=failed') && [...document.querySelectorAll('main tbody tr')].every(r => !r.innerText.includes('allowed'))", what="the failed ones")
    page.click("return document.querySelector('main tbody summary')", what="the details")
    page.until_text("request_id")
    go(page, dev, "audit-log?action=no:Such")
    page.until_text("No records match.")
    is_whole(page)


# ---- offerings ----

def test_an_instance_type(page, dev):
    go(page, dev, "instance-types")
    press(page, "Create instance type")
    dialog(page, "Create instance type")
    fill(page, name="c2.big", vcpus=2, memory="1.5", root_disk=8, description="<b>big</b>")
    tick(page, "public")
    command(page, "openstack flavor create --vcpus 2 --ram 1536 --disk 8")
    answer(page)
    closed(page)
    made = only(dev, "/instance-types", name="c2.big")
    assert (made["vcpus"], made["memory"], made["root_disk"], made["is_public"], made["description"]) == (2, 3 * 2**29, 2**33, False, "<b>big</b>")
    go(page, dev, f"instance-types/{made['id']}")
    press(page, "Add access")
    dialog(page, "Add access to c2.big")
    fill(page, account=next(a["id"] for a in dev.operator.rows("/accounts") if a["name"] == "dev"))
    command(page, "openstack flavor set --project")
    answer(page)
    closed(page)
    press(page, "Remove dev")
    dialog(page, "Remove the access of dev")
    answer(page, "danger")
    page.until_text("Private: only administrators may use it.")
    press(page, "Edit", "main [role=toolbar]")
    dialog(page, "Edit c2.big")
    fill(page, name="c2.bigger")
    tick(page, "enabled")
    answer(page)
    closed(page)
    made = only(dev, "/instance-types", name="c2.bigger")
    assert made["enabled"] is False and not made["users"]
    press(page, "Delete", "main [role=toolbar]")
    dialog(page, "Delete c2.bigger?")
    answer(page, "danger")
    closed(page)
    assert not [r for r in dev.operator.rows("/instance-types") if r["name"] == "c2.bigger"]


def test_a_volume_type(page, dev):
    go(page, dev, "volume-types")
    page.until("return [...document.querySelectorAll('tr[data-id]')].find(r => r.innerText.includes('__DEFAULT__'))?.innerText.includes('default')", what="the default")
    press(page, "Create volume type")
    dialog(page, "Create volume type")
    page.until("return document.activeElement?.name === 'name'", what="the field")
    page.press("fast", Keys.TAB, "NVMe only", Keys.TAB, Keys.SPACE)
    command(page, "openstack volume type create --description 'NVMe only' --private fast")
    page.press(Keys.ENTER)
    closed(page)
    open_row(page, "fast")
    press(page, "Edit", "aside [role=toolbar]")
    dialog(page, "Edit fast")
    fill(page, name="faster")
    tick(page, "public")
    answer(page)
    closed(page)
    assert only(dev, "/volume-types", name="faster")["is_public"] is True
    press(page, "Delete", "aside [role=toolbar]")
    dialog(page, "Delete faster?")
    answer(page, "danger")
    page.until("return ![...document.querySelectorAll('tr[data-id]')].some(r => r.innerText.includes('faster'))", what="that it is gone")


# ---- external networks ----

def test_an_external_network(page, dev):
    go(page, dev, "external-networks")
    press(page, "Create external network")
    dialog(page, "Create external network")
    fill(page, name="second", physical_network="phys2", next_hop="192.0.2.1", infra_first="192.0.2.10", infra_last="192.0.2.19", first="192.0.2.100", last="192.0.2.109")
    command(page, "dari network add-external second --physical-network phys2")
    answer(page)
    closed(page)
    made = only(dev, "/external-networks", name="second")
    dev.mine.api_ok("POST", "/addresses", {"external_network": made["id"]})
    go(page, dev, f"external-networks/{made['id']}")
    page.until("return document.querySelector('main').innerText.includes('1 / 10') && [...document.querySelectorAll('main tbody tr')].some(r => r.innerText.includes('192.0.2.') && r.innerText.includes('dev'))", what="the address in use")
    press(page, "Remove 192.0.2.100 – 192.0.2.109")
    dialog(page, "Remove the address pool 192.0.2.100")
    answer(page, "danger")
    page.until_text("are in use")
    page.press(Keys.ESCAPE)
    press(page, "Add address pool", "main [role=toolbar]")
    dialog(page, "Add address pool to second")
    fill(page, first="192.0.2.120", last="192.0.2.129")
    answer(page)
    page.until_text("192.0.2.120 – 192.0.2.129")
    press(page, "Remove 192.0.2.120 – 192.0.2.129")
    answer(page, "danger")
    page.until("return !document.querySelector('main').innerText.includes('192.0.2.120')", what="that the pool is gone")
    press(page, "Set as default", "main [role=toolbar]")
    dialog(page, "Make second the default")
    answer(page)
    closed(page)
    assert [n["name"] for n in dev.operator.rows("/external-networks?fields=*") if n["is_default"]] == ["second"]
    is_whole(page)
    go(page, dev, "external-networks")
    open_row(page, "internet")
    press(page, "Set as default", "aside [role=toolbar]")
    answer(page)
    closed(page)
    go(page, dev, f"external-networks/{made['id']}")
    press(page, "Delete", "main [role=toolbar]")
    dialog(page, "Delete second?")
    page.find("dialog .f input").send_keys("second")
    answer(page, "danger")
    closed(page)
    assert [n["name"] for n in dev.operator.rows("/external-networks")] == ["internet"]


# ---- webhooks ----

def test_a_webhook(page, dev):
    """The secret is shown once; the test event arrives and is shown as delivered."""
    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self):  # noqa: N802 (the library's name)
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/hooks"
    go(page, dev, "webhooks")
    press(page, "Create webhook")
    dialog(page, "Create webhook")
    fill(page, name="billing", url=url, more="account.suspended")
    tick(page, "event", "invoice.*")
    command(page, "--event 'invoice.*' --event account.suspended")
    answer(page)
    dialog(page, "Secret of billing")
    secret = page.run("return document.querySelector('dialog .kv .m').innerText")
    assert len(secret) == 43
    page.press(Keys.ESCAPE)
    closed(page)
    made = only(dev, "/webhooks", name="billing")
    assert (made["url"], made["events"]) == (url, ["invoice.*", "account.suspended"]) and secret not in str(made)
    go(page, dev, f"webhooks/{made['id']}")
    press(page, "Send test event")
    page.until("return [...document.querySelectorAll('main li')].some(e => e.innerText.includes('webhook.test') && e.innerText.includes('delivered'))", what="the delivery")
    server.shutdown()
    server.server_close()
    press(page, "Send test event")
    page.until("return [...document.querySelectorAll('main li')].some(e => e.innerText.includes('webhook.test') && e.innerText.includes('waiting') && e.innerText.includes('failed attempts'))", what="the failure")
    press(page, "Retry webhook.test #2")
    page.until_text("Delivery requested again")
    press(page, "Disable")
    page.until("return document.querySelector('main .head').innerText.includes('disabled')", what="that it is off")
    press(page, "Edit")
    dialog(page, "Edit billing")
    tick(page, "payments")
    answer(page)
    closed(page)
    press(page, "Replace secret")
    dialog(page, "Replace the secret of billing?")
    answer(page, "danger")
    dialog(page, "Secret of billing")
    assert page.run("return document.querySelector('dialog .kv .m').innerText") != secret
    page.press(Keys.ESCAPE)
    made = only(dev, "/webhooks", name="billing")
    assert made["is_off"] and made["takes_payments"] and made["events"] == ["invoice.*", "account.suspended"]
    press(page, "Delete")
    dialog(page, "Delete billing?")
    answer(page, "danger")
    closed(page)
    assert not dev.operator.rows("/webhooks")


# ---- Kubernetes clusters ----

def test_a_cluster(page, dev):
    """A cluster is created, becomes active and is scaled; its kubeconfig is shown once; it is deleted after its name was typed."""
    go(page, dev, "clusters")
    press(page, "Create Kubernetes cluster")
    dialog(page, "Create Kubernetes cluster")
    fill(page, name="k8s", version="1.37.2", workers="1", sources="192.0.2.0/24")
    command(page, "cluster create k8s --workers 1 --version 1.37.2")
    answer(page)
    closed(page)
    made = only(dev, "/clusters", name="k8s")
    assert (made["workers"], made["control_count"], made["version"]) == (1, 1, "1.37.2")
    go(page, dev, f"clusters/{made['id']}")
    page.until("return document.querySelector('main .head').innerText.includes('active')", what="that it is active")
    page.until("return document.querySelectorAll('main .plainlist li').length === 2", what="both machines")
    press(page, "Get kubeconfig")
    dialog(page, "Kubeconfig of k8s")
    answer(page)
    dialog(page, "Save this now: it is shown only once")
    shown = page.run("return document.querySelector('dialog pre').innerText")
    assert "client-key-data: " in shown and f"server: https://{made['address']}:6443" in shown
    page.press(Keys.ESCAPE)
    closed(page)
    press(page, "Scale")
    dialog(page, "Scale k8s")
    fill(page, workers="0")
    answer(page)
    closed(page)
    page.until("return document.querySelectorAll('main .plainlist li').length === 1", what="that the worker is gone")
    assert only(dev, "/clusters", name="k8s")["workers"] == 0
    press(page, "Delete")
    dialog(page, "Delete k8s?")
    page.run("const e = document.querySelector('dialog input[autocomplete=off]'); e.value = 'k8s'; e.dispatchEvent(new Event('input', {bubbles: true}))")
    answer(page, "danger")
    closed(page)
    dev.rest()
    assert not dev.operator.rows("/clusters")


# ---- snapshot schedules ----

def test_a_schedule(own, dev):
    go(own, dev, "schedules")
    press(own, "Create snapshot schedule")
    dialog(own, "Create snapshot schedule")
    of = next(v["id"] for v in dev.mine.rows("/volumes?fields=*") if v.get("name") == "database")
    fill(own, volume=of, interval="weekly")
    own.until("return document.querySelector('dialog [name=day]')", what="the day")
    fill(own, day=7, hour=3, minute=30, kept=2, timezone="Asia/Seoul")
    command(own, "schedule=30:03:07")
    answer(own)
    closed(own)
    (made,) = dev.mine.rows("/snapshot-policies?fields=*")
    assert (made["interval"], made["schedule"], made["timezone"], made["kept"], made["volume"]) == ("weekly", "30:03:07", "Asia/Seoul", 2, of)
    open_row(own, "Saturday at 03:30")
    own.until("return document.querySelector('aside h2').innerText === 'database'", what="the volume's name")
    press(own, "Edit", "aside [role=toolbar]")
    dialog(own, "Edit schedule of database")
    fill(own, hour=4)
    answer(own)
    own.until_text("Saturday at 04:30")
    press(own, "Disable", "aside [role=toolbar]")
    own.until("return document.querySelector('aside .head').innerText.includes('disabled')", what="that it is disabled")
    press(own, "Enable", "aside [role=toolbar]")
    own.until("return document.querySelector('aside .head').innerText.includes('active')", what="that it is active")
    press(own, "Delete", "aside [role=toolbar]")
    dialog(own, "Delete the schedule of database?")
    assert "Saturday at 04:30" in own.run("return document.querySelector('dialog').innerText")
    answer(own, "danger")
    own.until_text("No snapshot schedules")
    assert not dev.mine.rows("/snapshot-policies")
    is_whole(own)


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))

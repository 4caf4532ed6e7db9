# SPDX-License-Identifier: Apache-2.0
"""Tasks that people do in the console. Each is performed by a Hand (console_hand.py), whatever its way, width and language, and then compared with the
API. A new task is a function in TASKS or OF_REGION: the tests perform it in every combination. mark: part of the names, unique to one performance."""
import itertools

import native
import waiting
from console import load_prices
from dev import Dev

GIB = 2**30
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIN9nYzkvGkaNJWjmYUvSHKyOzFZl4Bh6hWSZUrKUHeh3 ann"
COMBINATIONS = list(itertools.product(("keyboard", "pointer"), (1280, 390), ("en", "ko")))


class Region:
    """A simulated region with both users of the tasks."""

    def __init__(self):
        self.dev = Dev()
        self.mine, self.operator = native.own(self.dev), native.admin(self.dev)
        self.image = native.image_of(self.dev)
        self.zone = self.mine.rows("/zones")[0]["id"]
        load_prices(self.dev)
        for whose in (self.mine, self.operator):
            self.instance("first", whose)  # a list without rows has other buttons

    def end(self):
        self.dev.end()

    def instance(self, name, whose=None):
        made = (whose or self.mine).api_ok("POST", "/instances", {"image": self.image, "type": "t3.micro", "tags": {"Name": name}, "zone": self.zone})["items"][0]
        self.dev.rest()
        return made

    def volume(self, name):
        made = self.mine.api_ok("POST", "/volumes", {"zone": self.zone, "size": GIB, "tags": {"Name": name}})["items"][0]
        self.dev.rest()
        return made

    def get(self, path, whose=None):
        self.dev.rest()
        return (whose or self.mine).api_ok("GET", path)["item"]

    def named(self, path, name, whose=None):
        """The rows of that name."""
        self.dev.rest()
        return [r for r in (whose or self.mine).rows(f"{path}?fields=*") if (r.get("tags") or {}).get("Name", r.get("name")) == name or r.get("description") == name]


# ---- tasks of users ----

def launch(h, region, mark):
    h.go("instances")
    h.press("Launch instance")
    h.fill("name", mark, "main form")
    h.press("Launch {n} instances", n=1)
    h.b.until("return /instances\\/i-/.test(location.pathname)", what="its page")
    h.says("running", "main .head")
    (made,) = region.named("/instances", mark)
    assert made["state"] == "running"


def launch_with_all(h, region, mark):
    """A key pair is created in the form; a further encrypted disk, tags, protection and IMDSv2 are chosen."""
    h.go("instances")
    h.press("Launch instance")
    h.fill("name", mark, "main form")
    h.press("Create key pair", "main form")
    h.fill("name", f"{mark}-key")
    h.answer("Create")
    h.says("Save this now: it is shown only once", "dialog[open]")
    h.answer("Close")
    h.use("return document.querySelector('main form details.card > summary')", what="further settings")
    h.fill("root-size", 9, "main form")
    h.press("Add disk")
    h.fill("disk-size-0", 3, "main form")
    h.fill("disk-encrypted-0", True, "main form")
    h.fill("disk-stays-0", True, "main form")
    h.fill("tags", "env=prod", "main form")
    h.fill("protect", True, "main form")
    h.fill("tokens", True, "main form")
    h.press("Launch {n} instances", n=1)
    h.b.until("return /instances\\/i-/.test(location.pathname)", what="its page")
    (made,) = region.named("/instances", mark)
    assert (made["key_name"], made["protect_terminate"], made["metadata_tokens_required"], made["tags"]["env"]) == (f"{mark}-key", True, True, "prod")
    disks = sorted((v["size"] // GIB, v["is_encrypted"], v["delete_on_termination"]) for v in region.mine.rows("/volumes?fields=*") if v.get("instance") == made["id"])
    assert disks == [(3, True, False), (9, False, True)]
    (key,) = region.named("/key-pairs", f"{mark}-key")
    region.mine.api_ok("DELETE", f"/key-pairs/{key['id']}")


def connect(h, region, mark):
    """The display of an instance, and a key for the tools."""
    region.instance(mark)
    h.go("instances")
    h.row(mark)
    h.act("Console (VNC)")
    h.b.until("return location.pathname.startsWith('/console/screen/')", what="its display")
    h.b.until("return document.querySelector('#screen-first:not(:disabled)')", what="an open display")
    h.release_display()
    h.go("connect")
    before = {k["id"] for k in region.operator.rows("/access-keys?all=1")}
    h.press("Create access key")
    h.answer("Create")
    h.says("{key}: waiting for its first call…", key="")
    (made,) = [k["id"] for k in region.operator.rows("/access-keys?all=1") if k["id"] not in before]
    region.operator.api_ok("DELETE", f"/access-keys/{made}")  # a user has few


def power(h, region, mark):
    made = region.instance(mark)
    h.go("instances")
    h.row(mark)
    for verb, state, asks in (("Stop", "stopped", True), ("Start", "running", False), ("Reboot", "running", True)):
        h.act(verb)
        if asks:
            h.answer(verb)
        h.says(state, f"{h.place} .st")
        assert region.get(f"/instances/{made['id']}")["state"] == state


def terminate(h, region, mark):
    made = region.instance(mark)
    h.go("instances")
    h.row(mark)
    h.act("Terminate")
    h.answer("Terminate")
    h.b.until("return !document.querySelector('dialog[open]')", what="no dialog")
    assert region.get(f"/instances/{made['id']}")["state"] == "terminated"


def tag(h, region, mark):
    made = region.instance(mark)
    h.go("instances")
    h.pick(mark)
    h.press("Tag", ".picks")
    h.fill("key", "cost")
    h.fill("value", mark)
    h.answer("Set tag")
    assert region.get(f"/instances/{made['id']}")["tags"]["cost"] == mark


def disk(h, region, mark):
    """A volume is created, attached, extended, detached and deleted."""
    host = region.instance(f"{mark}-host")
    h.go("volumes")
    h.press("Create volume")
    h.fill("name", mark)
    h.fill("gib", 2)
    h.fill("zone", region.zone)
    h.answer("Create")
    (made,) = region.named("/volumes", mark)
    h.row(mark)
    h.act("Attach")
    h.fill("instance", host["id"])
    h.answer("Attach")
    h.says("in-use", h.place)
    h.act("Extend")
    h.fill("gib", 3)
    h.answer("Extend")
    h.says("in-use", h.place)
    now = region.get(f"/volumes/{made['id']}")
    assert (now["instance"], now["size"]) == (host["id"], 3 * GIB)
    h.act("Detach")
    h.answer("Detach")
    h.says("available", h.place)
    h.act("Delete")
    h.answer("Delete")
    assert not [v for v in region.named("/volumes", mark) if v["state"] != "deleted"]


def snapshot(h, region, mark):
    volume = region.volume(mark)
    h.go("volumes")
    h.row(mark)
    h.act("Snapshot")
    h.fill("description", f"{mark}-copy")
    h.answer("Create")
    (made,) = region.named("/snapshots", f"{mark}-copy")
    h.go("snapshots")
    h.row(made["ec2"])
    h.says("completed", h.place)
    h.act("Create volume")
    h.fill("gib", 2)
    h.fill("zone", region.zone)
    h.answer("Create")
    assert [v["size"] for v in region.mine.rows("/volumes?fields=*") if v.get("snapshot") == made["id"]] == [2 * GIB]
    h.act("Delete")
    h.answer("Delete")
    h.go("snapshots")
    h.gone(made["ec2"])
    assert volume["id"]


def backup(h, region, mark):
    region.volume(mark)
    h.go("volumes")
    h.row(mark)
    h.act("Back up")
    h.fill("name", f"{mark}-kept")
    h.answer("Back up")
    region.dev.rest()
    h.go("backups")
    h.row(f"{mark}-kept")
    h.says("available", h.place)
    h.act("Restore")
    h.fill("name", f"{mark}-again")
    h.answer("Restore")
    assert len(region.named("/volumes", f"{mark}-again")) == 1
    h.act("Delete")
    h.answer("Delete")
    h.go("backups")
    h.gone(f"{mark}-kept")


def schedule(h, region, mark):
    volume = region.volume(mark)
    h.go("schedules")
    h.press("Create snapshot schedule")
    h.fill("volume", volume["id"])
    h.fill("interval", "weekly")
    h.fill("kept", 3)
    h.answer("Create")
    (made,) = [p for p in region.mine.rows("/snapshot-policies?fields=*") if p["volume"] == volume["id"]]
    assert (made["interval"], made["kept"]) == ("weekly", 3)
    h.go("schedules")
    h.row(mark)
    h.act("Delete")
    h.answer("Delete")
    assert not [p for p in region.mine.rows("/snapshot-policies?fields=*") if p["volume"] == volume["id"]]


def address(h, region, mark):
    host, before = region.instance(mark), {a["id"] for a in region.mine.rows("/addresses")}
    h.go("addresses")
    h.press("Allocate Elastic IP")
    h.hears("Elastic IP address allocated")
    (made,) = [a for a in region.mine.rows("/addresses?fields=*") if a["id"] not in before]
    h.row(made["ip"])
    h.act("Associate")
    ours = h.b.until("return [...document.querySelector('dialog[open] [name=target]')?.options ?? []].find((o) => o.text.startsWith(arguments[0]))?.value", mark, what="the instance among those to choose from")
    h.fill("target", ours)
    h.answer("Associate")
    h.b.until("return document.querySelector(arguments[1]).innerText.includes(arguments[0])", mark, h.place, what="the instance")
    assert region.get(f"/addresses/{made['id']}")["instance"] == host["id"]
    h.act("Disassociate")
    h.answer("Disassociate")
    h.says("unassociated", h.place)
    h.act("Release")
    h.answer("Release")
    assert made["id"] not in {a["id"] for a in region.mine.rows("/addresses")}


def firewall(h, region, mark):
    h.go("security-groups")
    h.press("Create security group")
    h.fill("name", mark)
    h.fill("description", "for a task")
    h.answer("Create")
    (made,) = region.named("/security-groups", mark)
    h.row(mark)
    h.press("Add rule", h.place)
    h.press("HTTP", "dialog[open]")
    h.answer("Allow")
    (rule,) = [r for r in region.mine.rows("/security-group-rules?fields=*") if r["group"] == made["id"] and r["direction"] == "ingress"]
    assert (rule["from_port"], rule["peer_block"]) == (80, "0.0.0.0/0")
    h.act("Delete")
    h.answer("Delete")
    assert not region.named("/security-groups", mark)


def key_pair(h, region, mark):
    h.go("keys")
    h.press("Import key pair")
    h.fill("name", mark)
    h.fill("public_key", PUBLIC_KEY)
    h.answer("Import")
    assert len(region.named("/key-pairs", mark)) == 1
    h.row(mark)
    h.act("Delete")
    h.answer("Delete")
    h.go("keys")
    h.press("Create key pair")
    h.fill("name", mark)
    h.answer("Create")
    h.says("Save this now: it is shown only once", "dialog[open]")
    h.answer("Close")
    (made,) = region.named("/key-pairs", mark)
    region.mine.api_ok("DELETE", f"/key-pairs/{made['id']}")


def network(h, region, mark):
    h.go("networks")
    h.press("Create VPC")
    h.fill("name", mark)
    h.fill("block", "10.77.0.0/16")
    h.answer("Create")
    h.b.until("return /networks\\/vpc-/.test(location.pathname)", what="its page")
    (made,) = region.named("/routers", mark)
    assert made["blocks"] == ["10.77.0.0/16"]
    h.press("Attach internet gateway")
    h.b.until("return ![...document.querySelectorAll('main button')].some((e) => e.innerText === arguments[0])", h.word("Attach internet gateway"), what="the gateway")
    h.press("Delete VPC", "main [role=toolbar]")
    h.answer("Delete")
    assert not region.named("/routers", mark)


def image(h, region, mark):
    region.instance(mark)
    h.go("instances")
    h.row(mark)
    h.act("Create image")
    h.fill("name", f"{mark}-image")
    h.answer("Create")
    (made,) = region.named("/images", f"{mark}-image")
    assert made["state"] == "available"
    h.go("images")
    h.row(f"{mark}-image")
    h.act("Deregister")
    h.answer("Deregister")
    assert not [i for i in region.named("/images", f"{mark}-image") if i["state"] == "available"]


def ticket(h, region, mark):
    h.go("tickets")
    h.press("Create ticket")
    h.fill("subject", mark)
    h.fill("severity", "high")
    h.fill("body", "It does not answer.")
    h.answer("Send")
    h.b.until("return /tickets\\/./.test(location.pathname)", what="its page")
    (made,) = [r for r in region.mine.rows("/tickets?fields=*") if r["subject"] == mark]
    assert made["severity"] == "high"


def reachability(h, region, mark):
    made = region.instance(mark)
    h.go("reach")
    h.fill("from", "internet", "main form")
    h.fill("to", made["ec2"], "main form")
    h.b.press("\t")
    h.b.until("return document.querySelector('.verdict')", what="the answer")
    h.b.until("return document.querySelector('.verdict').innerText.includes(arguments[0])", mark, what="the instance in the answer")


def filters(h, region, mark):
    """A list is filtered and sorted."""
    region.instance(mark)
    h.go("instances")
    if h.way == "keyboard":
        h.b.press("/")
        h.b.until("return document.activeElement.id === 'q'", what="the filter")
    else:
        h.b.find("#q").click()
    h.b.press(mark)
    h.b.until("const r = [...document.querySelectorAll('tr[data-id]')]; return r.length === 1 && r[0].innerText.includes(arguments[0])", mark, what="one row")
    h.b.press("\ue00c")
    h.b.until("return document.querySelector('#q').value === ''", what="no filter")


def undo(h, region, mark):
    """A removed rule and a deleted tag come back: by the key Z, or by the button of the note."""
    def take_back():
        if h.way == "keyboard":
            h.b.run("document.getElementById('main').focus()")
            h.b.press("z")
        else:
            h.press("Undo", ".notes")
        h.hears("Undone")
    made = region.mine.api_ok("POST", "/security-groups", {"name": mark, "description": mark, "router": region.mine.rows("/routers")[0]["id"]})["items"][0]
    rule = {"group": made["id"], "protocol": 6, "from_port": 8000, "to_port": 8100, "peer_block": "10.0.0.0/8", "description": "kept"}
    region.mine.api_ok("POST", "/security-group-rules/ingress", rule)
    h.go("security-groups")
    h.row(mark)
    h.press("Remove rule: {what}", h.place, what="tcp 8000–8100")
    h.hears("Rule removed")
    take_back()
    (again,) = [r for r in region.mine.rows("/security-group-rules?fields=*") if r["group"] == made["id"] and r["direction"] == "ingress"]
    assert rule == {name: again[name] for name in rule}
    region.mine.api_ok("DELETE", f"/security-groups/{made['id']}")
    one = region.instance(mark)
    region.mine.api_ok("POST", "/tags", {"ids": [one["ec2"]], "tags": {"team": mark}})
    h.go("instances")
    h.row(mark)
    h.press("Delete tag {name}", h.place, name="team")
    h.hears("Tag deleted")
    take_back()
    assert region.get(f"/instances/{one['id']}")["tags"]["team"] == mark


def view_of_a_list(h, region, mark):
    """A column is hidden, a filter is saved and used, and the rows are downloaded as CSV."""
    region.instance(mark)
    region.instance("=1+1")
    h.b.run("localStorage.clear(); URL.createObjectURL = (blob) => { blob.text().then((text) => { window.csv = text; }); return 'blob:x'; }; HTMLAnchorElement.prototype.click = () => {}; window.csv = ''")
    h.go("instances")
    h.b.find("#q").click() if h.way == "pointer" else h.b.press("/")
    h.b.press(mark)
    h.press("View")
    h.press("Save this filter", "main .sheet")
    h.press("View") if h.way == "pointer" else h.b.press("\ue00c")
    h.go("volumes")
    h.go("instances")
    h.press("View")
    h.press(mark, "main .sheet")
    h.b.until("return document.querySelectorAll('tr[data-id]').length === 1", what="the filtered list")
    h.press("Download as CSV", "main .sheet")
    lines = h.b.until("return window.csv", what="the file").split("\r\n")
    assert len(lines) == 3 and lines[1].split(",")[1] == f'"{mark}"' and h.word("Instance type") in lines[0]
    h.b.press("\ue00c")
    h.press("View")
    box = "return [...document.querySelectorAll('main .sheet label.check')].find((e) => e.innerText.trim() === arguments[0])?.querySelector('input')"
    h.use_box(box, h.word("Instance type"))
    h.press("Download as CSV", "main .sheet")
    h.b.until("return window.csv && !window.csv.includes(arguments[0])", h.word("Instance type"), what="the file without the column")
    h.b.press("\ue00c")
    h.press("View")
    h.press("Remove filter {name}", "main .sheet", name=mark)
    h.b.run("localStorage.clear()")


# ---- tasks of operators ----

def host_closed(h, region, mark):
    host = region.operator.rows("/hosts?fields=*")[0]
    h.go("hosts")
    h.row(host["name"])
    h.act("Disable scheduling")
    h.fill("reason", mark)
    h.answer("Disable scheduling")
    assert region.get(f"/hosts/{host['id']}", region.operator)["enabled"] is False
    h.act("Enable scheduling")
    h.b.until("return !document.querySelector(arguments[0]).innerText.includes(arguments[1])", h.place, h.word("scheduling disabled"), what="that it is open")
    assert region.get(f"/hosts/{host['id']}", region.operator)["enabled"] is True


def fencing(h, region, mark):
    host = region.operator.rows("/hosts?fields=*")[0]
    h.go("hosts")
    h.row(host["name"])
    h.act("Set fence device")
    h.fill("addresses", "192.0.2.7 192.0.2.8")
    h.fill("after", "90")
    h.answer("Save")
    h.says("Ceph blocks {addresses}", h.place, addresses="192.0.2.7, 192.0.2.8")
    now = region.get(f"/hosts/{host['id']}", region.operator)
    assert (now["fence_addresses"], now["fence_after_s"]) == (["192.0.2.7", "192.0.2.8"], 90), mark
    h.act("Set fence device")
    h.fill("addresses", "")
    h.answer("Save")
    h.says("none", h.place)
    assert not region.get(f"/hosts/{host['id']}", region.operator).get("fence_addresses")


def health_check(h, region, mark):
    h.go("region")
    h.press("Run health check")
    h.says("Health check finished", "body")
    assert region and mark and "reconciler" in h.b.run("return document.querySelector('#health-check').innerText")


def maintenance(h, region, mark):
    host = max(region.operator.rows("/hosts?fields=*"), key=lambda r: r["usage"]["instances"])
    h.go("hosts")
    h.row(host["name"])
    h.act("Schedule maintenance")
    h.says("{n} instances", "dialog[open]", n=host["usage"]["instances"])  # what will move where, before it begins
    if host["usage"]["instances"]:
        h.b.until("return document.querySelector('dialog[open] .moves')?.innerText.includes('→')", what="the target host")
    h.fill("kind", "reboot")
    if host["usage"]["instances"]:
        h.says("is stopped, and started again afterwards", "dialog[open] .moves")
    h.fill("reason", mark)
    h.answer("Schedule")
    h.says("maintenance", h.place)
    now = region.get(f"/hosts/{host['id']}", region.operator)
    assert now["maintenance_reason"] == mark and now["maintenance_us"]
    h.act("Enable scheduling")
    h.b.until("return !document.querySelector(arguments[0]).innerText.includes(arguments[1])", h.place, mark, what="the end of the maintenance")


def live_migration(h, region, mark):
    made = region.instance(mark, region.operator)
    before = region.get(f"/instances/{made['id']}", region.operator)["host"]
    h.go("instances")
    h.row(mark)
    h.act("Live-migrate")
    h.answer("Live-migrate")
    region.dev.rest()
    assert region.get(f"/instances/{made['id']}", region.operator)["host"] != before
    region.operator.api_ok("POST", "/instances/delete", {"ids": [made["id"]]})


def account(h, region, mark):
    h.go("domains")
    h.press("Create account in {name}", name="Default")
    h.fill("name", mark)
    h.answer("Create")
    h.press("Disable {names}", names=mark)
    h.b.until("return document.querySelector('dialog[open] .f input')", what="the field")
    if h.way == "pointer":
        h.b.find("dialog[open] .f input").click()
    h.b.press(mark)
    h.answer("Disable")
    (made,) = region.named("/accounts", mark, region.operator)
    assert made["enabled"] is False


def quota(h, region, mark):
    one = next(a for a in region.operator.rows("/accounts?fields=*") if a["name"] == "dev")
    h.go("accounts")
    h.row("dev")
    h.press("Quotas and usage", h.place)
    h.press("Change quota: {what}", what=h.word("Snapshots"))
    h.fill("limit", 17)
    h.answer("Save")
    h.b.until("return [...document.querySelectorAll('main .gauge')].some((g) => g.innerText.includes('/ 17'))", what="the limit")
    h.press("Change quota: {what}", what=h.word("Snapshots"))
    h.fill("limit", "")
    h.answer("Save")
    assert one and mark


def user(h, region, mark):
    h.go("people")
    h.press("Create user")
    h.fill("name", mark)
    h.answer("Create")
    h.row(mark)
    h.act("Create access key")
    h.says("Save this now: it is shown only once", "dialog[open]")
    h.answer("Close")
    (made,) = region.named("/users", mark, region.operator)
    (key,) = [k for k in region.operator.rows("/access-keys?fields=*") if k["user"] == made["id"]]
    region.operator.api_ok("DELETE", f"/access-keys/{key['id']}")
    h.act("Delete")
    h.answer("Delete")
    assert not region.named("/users", mark, region.operator)


def group_and_policy(h, region, mark):
    h.go("user-groups")
    h.press("Create user group")
    h.fill("name", mark)
    h.answer("Create")
    (made,) = region.named("/user-groups", mark, region.operator)
    h.row(mark)
    h.act("Delete")
    h.answer("Delete")
    assert made and not region.named("/user-groups", mark, region.operator)


def pool(h, region, mark):
    h.go("storage-pools")
    h.press("Add storage pool")
    h.fill("name", mark)
    h.fill("path", f"/srv/{mark}")
    h.answer("Add")
    h.row(mark)
    h.act("Remove")
    h.answer("Remove")
    assert not region.named("/storage-pools", mark, region.operator)


def instance_type(h, region, mark):
    h.go("instance-types")
    h.press("Create instance type")
    h.fill("name", mark)
    h.fill("vcpus", 2)
    h.fill("memory", 4)
    h.answer("Create")
    (made,) = region.named("/instance-types", mark, region.operator)
    assert (made["vcpus"], made["memory"]) == (2, 4 * GIB)
    h.row(mark)
    h.act("Delete")
    h.answer("Delete")
    assert not region.named("/instance-types", mark, region.operator)


def external_network(h, region, mark):
    h.go("external-networks")
    h.press("Create external network")
    for name, value in {"name": mark, "physical_network": "phys2", "next_hop": "192.0.2.1", "infra_first": "192.0.2.10", "infra_last": "192.0.2.19", "first": "192.0.2.100", "last": "192.0.2.109"}.items():
        h.fill(name, value)
    h.answer("Create")
    (made,) = region.named("/external-networks", mark, region.operator)
    region.operator.api_ok("DELETE", f"/external-networks/{made['id']}")


def webhook(h, region, mark):
    h.go("webhooks")
    h.press("Create webhook")
    h.fill("name", mark)
    h.fill("url", "http://127.0.0.1:9/hooks")
    h.answer("Create")
    h.says("Secret of {name}", "dialog[open]", name=mark)
    h.answer("Close")
    h.row(mark)
    h.act("Delete")
    h.answer("Delete")
    assert not region.named("/webhooks", mark, region.operator)


def consistency(h, region, mark):
    before = len(region.operator.rows("/audits"))
    h.go("audit")
    h.press("Run check")
    waiting.wait_until(lambda: len(region.operator.rows("/audits")) == before + 1, f"the check of {mark}")
    h.b.until("return document.querySelector('main .st.ok')", what="the result")


def placement(h, region, mark):
    h.go("capacity")
    h.press("Run check", "main form")
    h.b.until("return [...document.querySelectorAll('main form [role=status]')].some((e) => /\\d/.test(e.innerText))", what="the answer")
    assert region and mark


TASKS = [launch, launch_with_all, connect, power, terminate, tag, disk, snapshot, backup, schedule, address, firewall, key_pair, network, image, ticket, reachability, filters, undo, view_of_a_list]
OF_REGION = [host_closed, fencing, health_check, maintenance, live_migration, account, quota, user, group_and_policy, pool, instance_type, external_network, webhook, consistency, placement]

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: web src/api/native
# when: long
"""Commands shown by the console: each is taken from the page's own module, run by the stock client of its tool, and must leave the same rows as the
/api/v1 request of the click. CloudMonkey is not in Debian: the test sends the API call that a line of it makes. Terraform is not available either:
its blocks are checked against the provider's schema, and the test makes the provider's calls (tests/lib/terraform.py).
tests/contract/console/terraform.py parses the blocks."""
import contextlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import browser as web  # noqa: E402
import cloudstack  # noqa: E402
import console_networks as networks  # noqa: E402
import native  # noqa: E402
import terraform  # noqa: E402
import warm  # noqa: E402
from dev import DARI, Dev, REGION  # noqa: E402
from playbook import Playbooks  # noqa: E402

ANSIBLE_FIRST = "import boto3, botocore, ansible.module_utils.basic, ansible_collections.amazon.aws.plugins.module_utils.modules\n"
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIN9nYzkvGkaNJWjmYUvSHKyOzFZl4Bh6hWSZUrKUHeh3 ann"
GIB = 2**30
PRICES = """price_list: {name: public, currency: EUR, from: 2020-01-01T00:00:00Z, parent: null, owner: null}
items:
- {sku: held, meter: held, unit: hour, price: 0}
"""
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}]}, indent=1)
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
KINDS = ["instances", "volumes", "snapshots", "backups", "backup-plans", "machine-backups", "snapshot-policies", "instance-types", "volume-types", "external-networks", "address-ranges", "webhooks", "webhook-deliveries", "addresses", "key-pairs", "security-groups", "security-group-rules", "images", "routers", "subnets", "hosts", "audits", "audit-findings", "users", "user-groups", "group-members", "access-keys",
         "policies", "policy-versions", "policy-attachments", "iam-roles", "accounts", "domains", "tickets", "ticket-messages", *networks.KINDS]
OF_OPERATOR = ("hosts", "audits", "audit-findings", "accounts", "domains", "price-lists", "storage-pools", "volume-types", "instance-types", "external-networks", "address-ranges", "webhooks", "webhook-deliveries", "audit-log", "migrations")  # kinds that only administrators see
SHOWN = {  # fields that a click decides; ids, times and names differ between runs
    "instances": ["state", "type", "image", "protect_terminate", "description"],
    "volumes": ["state", "size", "zone"],
    "snapshots": ["state", "size"],
    "backups": ["state", "size"],
    "backup-plans": ["interval", "schedule", "timezone", "keep_last", "tag_key", "is_active"],
    "machine-backups": ["state", "size", "is_held", "check_state"],
    "snapshot-policies": ["interval", "schedule", "timezone", "kept", "is_active"],
    "instance-types": ["vcpus", "memory", "is_public", "users", "enabled", "description"],
    "volume-types": ["is_public", "users", "description"],
    "external-networks": ["is_default"],
    "address-ranges": ["first", "last"],
    "webhooks": ["url", "events", "is_off", "takes_payments"],
    "webhook-deliveries": ["event"],
    "key-pairs": ["fingerprint", "type"],
    "security-group-rules": ["direction", "protocol", "from_port", "to_port", "peer_block"],
    "routers": ["blocks"],
    "subnets": ["block", "zone"],
    "hosts": ["enabled", "state", "forced_down", "maintenance_us", "maintenance_kind", "maintenance_reason", "fence_addresses", "fence_after_s"],
    "images": ["state", "description", "data_size"],
    "users": ["path", "enabled"],
    "user-groups": ["path"],
    "access-keys": ["enabled"],
    "policies": ["path", "default_version"],
    "policy-versions": ["number", "document"],
    "policy-attachments": ["is_boundary"],
    "iam-roles": ["path", "trust", "session_max_us"],
    "accounts": ["enabled", "domain"],
    "domains": ["enabled"],
    "audits": ["stage", "found", "quarantined"],
    "audit-findings": ["about", "quarantined"],
    "tickets": ["state", "severity", "about", "subject", "resources"],
    "ticket-messages": ["body", "is_private"],
}
OVER = {"instances": ("terminated", "shutting-down"), "images": ("deregistered",), **networks.OVER}
for of_network, also in networks.SHOWN.items():
    SHOWN[of_network] = [*SHOWN.get(of_network, []), *also]


@pytest.fixture(scope="module")
def dev():
    with Dev("--leftovers", "8") as region:
        region.operator = native.admin(region)
        grant = {name: next(r["id"] for r in region.operator.rows(f"/{path}") if r["name"] == word) for name, path, word in (("role", "roles", "manager"), ("user", "users?all=1", "dev"), ("account", "accounts", "dev"))}
        region.operator.api_ok("POST", "/role-assignments", grant)  # the user of the page manages the account's users
        region.mine = native.own(region)
        region.image = native.image_of(region)
        region.ec2 = region.account.client()
        region.count = 0
        with tempfile.TemporaryDirectory() as region.folder, web.browser() as region.page:
            region.schema = terraform.Schema([*terraform.SORTS, "aws"])
            region.plays = Playbooks(pathlib.Path(region.folder), "amazon.aws", ANSIBLE_FIRST, region.url)
            for name, text in (("id.pub", PUBLIC_KEY), ("user-data", "#!/bin/sh\n"), ("policy.json", POLICY), ("trust.json", TRUST), ("prices.yaml", PRICES), ("disk.raw", "\0" * 2**20)):
                with open(os.path.join(region.folder, name), "w", encoding="utf-8") as f:
                    f.write(text)
            sign_in(region)
            yield region


def sign_in(region):
    region.page.open(web.link_of(region))
    region.page.until("return document.querySelector('nav.side')", what="the frame of the pages")


@pytest.fixture(autouse=True)
def signed_in(dev):
    """A session of the console lasts an hour; all of these tests last longer on a busy machine."""
    dev.tests = getattr(dev, "tests", -1) + 1
    if dev.tests and dev.tests % 64 == 0:
        sign_in(dev)


def command(dev, verb, tool, args):
    """The command shown by the page, as text."""
    return dev.page.driver.execute_async_script(
        "const [verb, tool, args, done] = arguments; const base = document.querySelector('script[type=module]').src.replace(/main\\.js$/, '');"
        "import(base + 'commands.js').then(m => done(m.commandText(verb, tool, args)));", verb, tool, args)


def words_of_cmk(line):
    """`cmk start virtualmachine id=…` is the call startVirtualMachine: CloudMonkey ignores the case of names."""
    _, verb, noun, *pairs = shlex.split(line)
    names = {name.lower(): name for name in CALLS}
    return names[verb + noun], dict(p.split("=", 1) for p in pairs)


CALLS = ["updateVirtualMachine", "revertSnapshot", "restoreVirtualMachine", "createTags", "deleteTags", "startVirtualMachine", "stopVirtualMachine", "rebootVirtualMachine", "attachVolume", "detachVolume", "resizeVolume", "deleteVolume",
         "createSnapshot", "deleteSnapshot", "deleteTemplate", "listVirtualMachines", "listVolumes", "listSnapshots", "listTemplates", "listPublicIpAddresses", "listSSHKeyPairs",
         "listSecurityGroups", "listVPCs", "listNetworks", "createSnapshotPolicy", "updateSnapshotPolicy", "deleteSnapshotPolicies", "listSnapshotPolicies", "listServiceOfferings", "listDiskOfferings", "deleteNetworkACLList", "createNetworkACL", "deleteNetworkACL"]


def run_line(dev, tool, line):
    if tool == "cmk":
        call, parameters = words_of_cmk(line)
        status, answer, _ = cloudstack.call(dev, call, post=not call.startswith("list"), **parameters)
        assert status == 200, (line, answer)
        if "jobid" in answer:
            job, result = cloudstack.wait(dev, answer)
            assert job == 1, (line, result)
        return
    if tool == "ansible":
        argv = ["/usr/bin/ansible", *shlex.split(line)[1:]]
        env = dev.plays.env({"PATH": "/usr/bin:/bin", "AWS_ACCESS_KEY_ID": dev.account.key_id, "AWS_SECRET_ACCESS_KEY": dev.account.secret,
                             "AWS_REGION": REGION, "AWS_URL": dev.url, "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1"})
    elif tool == "dari":
        argv, env = [DARI, "--config", dev.config, *shlex.split(line)[1:]], dict(os.environ)
    elif tool == "curl":
        argv, env = ["/bin/bash", "-c", line + " --fail-with-body -sS"], dict(os.environ, DARI_URL=dev.url, DARI_TOKEN=(dev.operator if any(f"/v1/{kind}" in line for kind in OF_OPERATOR) or "/work" in line or "-migration" in line or "/migrate" in line or "/sign-in" in line or "/oidc-subject" in line or "is_private" in line else dev.mine).token)
    elif tool == "aws":
        argv = ["/usr/bin/aws", *shlex.split(line)[1:]]
        env = {"PATH": "/usr/bin:/bin", "HOME": dev.folder, "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": dev.url, "AWS_PAGER": "", "AWS_ACCESS_KEY_ID": dev.account.key_id,
               "AWS_SECRET_ACCESS_KEY": dev.account.secret}
        argv[1:1] = ["--endpoint-url", dev.url]  # Debian's version is older than the variable
    else:
        argv, env = ["/usr/bin/openstack", *shlex.split(line)[1:]], (dev.operator if re.search("compute service|live-migration|server migration|openstack (project|domain|flavor|volume type|network) ", line) else dev.mine).env()
    done = warm.run(argv, env, cwd=dev.folder) if tool in ("aws", "openstack") else subprocess.run(argv, env=env, cwd=dev.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or line == "dari audit" and "quarantined: " in done.stdout, f"{line}\n{done.stdout}{done.stderr}"


def run_script(dev, tool, text):
    """Lines that pass a value to the next line need a shell."""
    env = dict(os.environ, HOME=dev.folder, AWS_DEFAULT_REGION=REGION, AWS_PAGER="", AWS_ACCESS_KEY_ID=dev.account.key_id, AWS_SECRET_ACCESS_KEY=dev.account.secret,
               DARI_URL=dev.url, DARI_TOKEN=dev.mine.token, ENDPOINT=dev.url)
    prelude = 'set -eo pipefail; aws() { /usr/bin/aws --endpoint-url "$ENDPOINT" "$@"; }; curl() { /usr/bin/curl --fail-with-body -sS "$@"; }\n'
    done = subprocess.run(["/bin/bash", "-c", prelude + text], env=env, cwd=dev.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and tool in ("aws", "curl"), f"{text}\n{done.stdout}{done.stderr}"


def lines_of(text):
    """A line break within quotes does not end a line."""
    held = ""
    for line in text.split("\n"):
        held += ("\n" if held else "") + line
        with contextlib.suppress(ValueError):
            shlex.split(held)
            yield held
            held = ""
    assert not held, text


def run_text(dev, tool, text):
    if tool == "terraform":
        for (sort, _), members in terraform.resources(terraform.parse([text])[0]).items():
            dev.schema.check(sort, members)
        terraform.apply(text, dev.account, dev.rest, dev.folder)
        return
    if re.search(r"^\w+=\$\(", text, re.MULTILINE):
        run_script(dev, tool, text)
        return
    for part in lines_of(text):
        for line in part.split("; ") if "'" not in part else [part]:
            run_line(dev, tool, line)


# ---- objects of the clicks ----

def instance(dev, stopped=False):
    made = dev.mine.api_ok("POST", "/instances", {"image": dev.image, "type": "t3.micro", "count": 1})["items"][0]["id"]
    dev.rest()
    if stopped:
        dev.mine.api_ok("POST", "/instances/stop", {"ids": [made]})
        dev.rest()
    return row(dev, "instances", made)


def settled(dev, verb):
    """The object of a settled action."""
    made = instance(dev)
    dev.mine.api_ok("POST", f"/instances/{made['id']}/{verb}", {})
    dev.rest()
    return row(dev, "instances", made["id"])


def tagged(dev, make=instance):
    made = make(dev)
    dev.mine.api_ok("POST", "/tags", {"ids": [made["ec2"]], "tags": {"cost centre": "it's 7"}})
    return made


def image_name(dev):
    dev.count += 1
    return f"it's image {dev.count}"


def old_snapshot(dev):
    """A snapshot of a volume that may have been written to since."""
    kept = snapshot(dev)
    return {"ids": [row(dev, "volumes", kept["volume"])], "snapshot": kept}


def shared_image(dev):
    made = image(dev)
    dev.mine.api_ok("PATCH", f"/images/{made['id']}", {"share_with": [dev.operator.id]})
    return {"ids": [row(dev, "images", made["id"])], "to": "", "gone": [dev.operator.id], "isPublic": False, "wasPublic": False}


def access_key(dev, enabled=True):
    of = user(dev)
    made = dev.mine.api_ok("POST", "/access-keys", {"user": of["id"]})["items"][0]["id"]
    if not enabled:
        dev.mine.api_ok("POST", f"/access-keys/{made}/enable", {"enabled": False})
    return {"ids": [row(dev, "access-keys", made)], "user": of}


def row(dev, kind, identifier):
    answer = (dev.operator if kind in OF_OPERATOR else dev.mine).api("GET", f"/{kind}/{identifier}")
    return answer.json["item"] if answer.status == 200 else None


def volume(dev, on=None):
    zone = dev.mine.rows("/zones")[0]["id"] if not on else on["zone"]
    made = dev.mine.api_ok("POST", "/volumes", {"size": 2 * GIB, "zone": zone})["items"][0]["id"]
    dev.rest()
    if on:
        dev.mine.api_ok("POST", f"/volumes/{made}/attach", {"instance": on["id"]})
        dev.rest()
    return row(dev, "volumes", made)


def snapshot(dev):
    made = dev.mine.api_ok("POST", "/snapshots", {"volume": volume(dev)["id"]})["items"][0]["id"]
    dev.rest()
    return row(dev, "snapshots", made)


def backup(dev):
    made = dev.mine.api_ok("POST", "/backups", {"volume": volume(dev)["id"]})["items"][0]["id"]
    dev.rest()
    return row(dev, "backups", made)


def policy_of_snapshots(dev, active=True):
    made = dev.mine.api_ok("POST", "/snapshot-policies", {"volume": volume(dev)["id"], "interval": "daily", "schedule": "30:03", "kept": 2, "is_active": active})["items"][0]["id"]
    return row(dev, "snapshot-policies", made)


def plan(dev, active=True, **more):
    dev.count += 1
    made = dev.mine.api_ok("POST", "/backup-plans", {"name": f"it's {dev.count}", "tag_key": "none", "interval": "cron", "schedule": "0 0 29 2 *", "keep_last": 2, "is_active": active, **more})["items"][0]["id"]
    return row(dev, "backup-plans", made)


def machine_backup(dev, held=False):
    made = dev.mine.api_ok("POST", "/machine-backups", {"instance": instance(dev)["id"]})["items"][0]["id"]
    dev.rest()
    if held:
        dev.mine.api_ok("PATCH", f"/machine-backups/{made}", {"is_held": True})
    return row(dev, "machine-backups", made)


def new_plan(dev):
    dev.count += 1
    return {"body": {"name": f"it's {dev.count}", "tag_key": "backup", "interval": "weekly", "schedule": "30:03:7", "timezone": "Asia/Seoul", "keep_last": 3}}


def new_schedule(dev):
    of = volume(dev)
    return {"volume": of, "body": {"volume": of["id"], "interval": "weekly", "schedule": "30:03:7", "timezone": "Asia/Seoul", "kept": 3}}


def offering(dev, kind, **more):
    dev.count += 1
    made = dev.operator.api_ok("POST", f"/{kind}", {"name": f"it's {dev.count}", **({"vcpus": 1, "memory": GIB} if kind == "instance-types" else {}), **more})["items"][0]["id"]
    return row(dev, kind, made)


def new_type(dev):
    dev.count += 1
    return {"body": {"name": f"it's {dev.count}", "description": "<big>", "vcpus": 2, "memory": 2 * GIB, "root_disk": 4 * GIB, "ephemeral_disk": GIB, "swap_disk": GIB, "is_public": False, "flavor_id": f"f {dev.count}"}}


def new_volume_type(dev):
    dev.count += 1
    return {"body": {"name": f"it's {dev.count}", "description": "<fast>", "is_public": False}}


def shared(dev, kind, gone=False):
    of = dev.operator.rows("/accounts?fields=*")[0]
    made = offering(dev, kind, is_public=False)
    if gone:
        dev.operator.api_ok("PATCH", f"/{kind}/{made['id']}", {"share_with": of["id"]})
    return {"ids": [row(dev, kind, made["id"])], "account": of, "gone": gone}


def outside_body(dev):
    dev.count += 1
    at = "192.0.2"
    return {"name": f"it's {dev.count}", "physical_network": f"phys {dev.count}", "next_hop": f"{at}.1", "infra_first": f"{at}.10", "infra_last": f"{at}.19", "first": f"{at}.100", "last": f"{at}.110"}


def outside(dev):
    return row(dev, "external-networks", dev.operator.api_ok("POST", "/external-networks", outside_body(dev))["items"][0]["id"])


def webhook(dev, **more):
    dev.count += 1
    return row(dev, "webhooks", dev.operator.api_ok("POST", "/webhooks", {"name": f"w{dev.count}", "url": "http://127.0.0.1:9/", "secret": "s" * 16, "events": ["invoice.*"], **more})["items"][0]["id"])


def address(dev):
    return row(dev, "addresses", dev.mine.api_ok("POST", "/addresses", {})["items"][0]["id"])


def key_pair(dev):
    dev.count += 1
    return row(dev, "key-pairs", dev.mine.api_ok("POST", "/key-pairs/import", {"name": f"pair-{dev.count}", "public_key": PUBLIC_KEY})["items"][0]["id"])


def vpc(dev):
    return next(r for r in dev.mine.rows("/routers") if r.get("is_default"))


def group(dev):
    dev.count += 1
    return row(dev, "security-groups", dev.mine.api_ok("POST", "/security-groups", {"name": f"group-{dev.count}", "description": "of a test", "router": vpc(dev)["id"]})["items"][0]["id"])


def rule(dev, of):
    made = dev.mine.api_ok("POST", "/security-group-rules/ingress", {"group": of["id"], "protocol": 6, "from_port": 80, "to_port": 80, "peer_block": "192.0.2.0/24"})
    return row(dev, "security-group-rules", made["items"][0]["id"])


def launch(dev):
    dev.count += 1
    types, subnets = dev.mine.rows("/instance-types"), [s for s in dev.mine.rows("/subnets?fields=*") if s.get("router")]
    size, subnet, image, pair = next(t for t in types if t["name"] == "t3.micro"), subnets[0], row(dev, "images", dev.image), key_pair(dev)
    name = f"it's <{dev.count}>"
    body = {"image": image["id"], "type": size["id"], "count": 2, "key": pair["name"], "subnet": subnet["id"], "tags": {"Name": name}}
    return {"image": image, "type": size, "count": 2, "name": name, "key": pair, "subnet": subnet, "groups": [], "body": body}


def create_volume(dev):
    dev.count += 1  # Ansible does not create a second one of a name
    zone, name = dev.mine.rows("/zones?fields=*")[0], f"my disk {dev.count}"
    return {"gib": 3, "zone": zone["name"], "name": name, "body": {"size": 3 * GIB, "zone": zone["id"], "tags": {"Name": name}}}


def new_group(dev):
    dev.count += 1
    return {"name": f"made-{dev.count}", "description": "it is", "router": vpc(dev), "body": {"name": f"made-{dev.count}", "description": "it is", "router": vpc(dev)["id"]}}


def new_rule(dev):
    of = group(dev)
    return {"direction": "ingress", "group": of, "protocol": "tcp", "ports": "8000-8010", "block": "198.51.100.0/24",
            "body": {"group": of["id"], "protocol": 6, "from_port": 8000, "to_port": 8010, "peer_block": "198.51.100.0/24"}}


def remove_rule(dev):
    of = group(dev)
    return {"ids": [rule(dev, of)], "group": of}


def new_pair(dev):
    dev.count += 1
    return {"name": f"brought-{dev.count}"}


def associate(dev):
    return {"ids": [address(dev)], "instance": instance(dev)}


def attach(dev):
    on = instance(dev)
    return {"ids": [volume_in(dev, on)], "instance": on, "device": "/dev/sdf"}


def volume_in(dev, on):
    made = dev.mine.api_ok("POST", "/volumes", {"size": 2 * GIB, "zone": on["zone"]})["items"][0]["id"]
    dev.rest()
    return row(dev, "volumes", made)


def image(dev):
    made = dev.ec2.create_image(InstanceId=instance(dev)["ec2"], Name=f"image-{time.monotonic_ns()}")["ImageId"]
    dev.rest()
    return row(dev, "images", made)


def host(dev):
    return dev.operator.rows("/hosts?fields=*")[-1]


def leftover(dev):
    """An undecided finding of an audit."""
    dev.operator.api_ok("POST", "/audits", {})
    dev.rest()
    return dev.operator.rows("/audit-findings?fields=*")[0]


def audited(dev):
    leftover(dev)  # so that findings of the previous run disappear
    return {}


def adopted(dev):
    return {"ids": [leftover(dev)], "account": next(a for a in dev.operator.rows("/accounts") if a["name"] == "dev")}


def named(dev, kind, path="", **more):
    """Creates an object with a unique name."""
    dev.count += 1
    return row(dev, kind, dev.mine.api_ok("POST", f"/{path or kind}", {"name": f"{kind}-{dev.count}", **more})["items"][0]["id"])


def user(dev):
    return named(dev, "users")


def policy(dev):
    return named(dev, "policies", document=POLICY)


def role(dev):
    return named(dev, "iam-roles", trust=TRUST)


def next_name(dev):
    dev.count += 1
    return {"name": f"made-{dev.count}"}


def member(dev):
    group_, user_ = named(dev, "user-groups"), user(dev)
    dev.mine.api_ok("POST", f"/user-groups/{group_['id']}/add", {"user": user_["id"]})
    return {"ids": [group_], "user": user_}


def second_version(dev):
    of = policy(dev)
    dev.mine.api_ok("POST", f"/policies/{of['id']}/versions", {"document": POLICY})
    return {"ids": [of], "number": 2}


def holder(dev, kind, make, has=False):
    who, what = make(dev), policy(dev)
    if has:
        dev.mine.api_ok("POST", f"/{kind}/{who['id']}/attach-policy", {"policy": what["id"]})
    return {"ids": [who], "policy": what}


def domain(dev):
    dev.count += 1
    return row(dev, "domains", dev.operator.api_ok("POST", "/domains", {"name": f"domain-{dev.count}"})["items"][0]["id"])


def account(dev, enabled=True):
    dev.count += 1
    made = dev.operator.api_ok("POST", "/accounts", {"name": f"account-{dev.count}"})["items"][0]["id"]
    if not enabled:
        dev.operator.api_ok("PATCH", f"/accounts/{made}", {"enabled": False})
    return row(dev, "accounts", made)


def new_account(dev):
    """All in the same domain, which is not the first one."""
    shop = next((d for d in dev.operator.rows("/domains?fields=*") if d["name"].startswith("domain-") and d.get("enabled")), None) or domain(dev)
    return {**next_name(dev), "domain": shop}


def closed_domain(dev):
    made = domain(dev)
    dev.operator.api_ok("PATCH", f"/domains/{made['id']}", {"enabled": False})
    return row(dev, "domains", made["id"])


def spare_host(dev):
    """A host without instances."""
    dev.count += 1
    dev.command("host", "add", f"spare{dev.count}", "--uri", "sim://")
    dev.rest()
    return next(h for h in dev.operator.rows("/hosts?fields=*") if h["name"] == f"spare{dev.count}")


def down_host(dev):
    one = spare_host(dev)
    dev.operator.api_ok("PATCH", f"/hosts/{one['id']}", {"forced_down": True})
    return row(dev, "hosts", one["id"])


def new_ticket(dev):
    dev.about = getattr(dev, "about", "") or instance(dev)["ec2"]
    body = {"subject": "it's <down>", "body": f"See {dev.about}:\nit is.", "about": "technical", "severity": "high", "resources": [dev.about]}
    return {**body, "request": body}


def ticket(dev, verb=None):
    made = dev.mine.api_ok("POST", "/tickets", {"subject": "Which kernel?", "body": "Tell us.", "about": "account"})["items"][0]["id"]
    if verb:
        dev.mine.api_ok("POST", f"/tickets/{made}/{verb}", {})
    return row(dev, "tickets", made)


def new_network(dev):
    zones = dev.mine.rows("/zones?fields=*")
    subnets = [{"zone": zone, "block": f"10.77.{k * 16}.0/20"} for k, zone in enumerate(zones)]
    return {"block": "10.77.0.0/16", "name": "it's mine", "subnets": subnets, "body": {"block": "10.77.0.0/16", "tags": {"Name": "it's mine"}}}


VERBS = {
    "instances.start": lambda d: {"ids": [instance(d, True), instance(d, True)]},
    "instances.stop": lambda d: {"ids": [instance(d), instance(d)]},
    "instances.reboot": lambda d: {"ids": [instance(d)]},
    "instances.terminate": lambda d: {"ids": [instance(d), instance(d)]},
    "instances.resize": lambda d: {"ids": [instance(d, True)], "type": "t3.small"},
    "instances.launch": launch,
    "instances.pause": lambda d: {"ids": [instance(d), instance(d)]},
    "instances.unpause": lambda d: {"ids": [settled(d, "pause")]},
    "instances.suspend": lambda d: {"ids": [instance(d)]},
    "instances.protect": lambda d: {"ids": [instance(d), instance(d)], "on": True},
    "instances.set": lambda d: {"ids": [instance(d)], "change": {"description": "it's mine"}},
    "instances.rescue": lambda d: {"ids": [instance(d)], "image": row(d, "images", d.image)},
    "instances.unrescue": lambda d: {"ids": [settled(d, "rescue")]},
    "instances.rebuild": lambda d: {"ids": [instance(d)], "image": row(d, "images", d.image)},
    "instances.image": lambda d: {"ids": [instance(d)], "name": image_name(d), "noReboot": True},
    "tags.set": lambda d: {"kind": "instance", "ids": [instance(d), instance(d)], "key": "cost centre", "value": "it's <7>"},
    "tags.remove": lambda d: {"kind": "instance", "ids": [tagged(d), tagged(d)], "key": "cost centre"},
    "volumes.create": create_volume,
    "volumes.attach": attach,
    "volumes.detach": lambda d: {"ids": [volume(d, on=instance(d))]},
    "volumes.grow": lambda d: {"ids": [volume(d)], "gib": 5},
    "volumes.delete": lambda d: {"ids": [volume(d), volume(d)]},
    "snapshots.create": lambda d: {"ids": [volume(d)], "name": "kept"},
    "snapshots.delete": lambda d: {"ids": [snapshot(d)]},
    "backups.create": lambda d: {"ids": [volume(d)], "name": "it's kept", "isIncremental": False},
    "backups.delete": lambda d: {"ids": [backup(d)]},
    "backup-plans.put": new_plan,
    "backup-plans.enable": lambda d: {"ids": [plan(d, False)]},
    "backup-plans.disable": lambda d: {"ids": [plan(d)]},
    "backup-plans.run": lambda d: {"ids": [plan(d, instances=[instance(d)["id"]])]},
    "backup-plans.delete": lambda d: {"ids": [plan(d), plan(d)]},
    "machine-backups.restore": lambda d: {"ids": [machine_backup(d)], "body": {"name": "again"}},
    "machine-backups.check": lambda d: {"ids": [machine_backup(d)]},
    "machine-backups.hold": lambda d: {"ids": [machine_backup(d)]},
    "machine-backups.release": lambda d: {"ids": [machine_backup(d, True)]},
    "machine-backups.delete": lambda d: {"ids": [machine_backup(d)]},
    "schedules.put": new_schedule,
    "schedules.enable": lambda d: {"ids": [policy_of_snapshots(d, False)]},
    "schedules.disable": lambda d: {"ids": [policy_of_snapshots(d)]},
    "schedules.delete": lambda d: {"ids": [policy_of_snapshots(d), policy_of_snapshots(d)]},
    "instance-types.create": new_type,
    "instance-types.update": lambda d: {"ids": [offering(d, "instance-types")], "body": {"description": "it's <mine>", "enabled": False}},
    "instance-types.share": lambda d: shared(d, "instance-types"),
    "instance-types.delete": lambda d: {"ids": [offering(d, "instance-types"), offering(d, "instance-types")]},
    "volume-types.create": new_volume_type,
    "volume-types.update": lambda d: {"ids": [offering(d, "volume-types")], "body": {"description": "it's <mine>"}},
    "volume-types.share": lambda d: shared(d, "volume-types"),
    "volume-types.delete": lambda d: {"ids": [offering(d, "volume-types"), offering(d, "volume-types")]},
    "external-networks.add": lambda d: {"body": outside_body(d)},
    "external-networks.delete": lambda d: {"ids": [outside(d)]},
    "address-ranges.add": lambda d: {"ids": [outside(d)], "first": "198.51.100.7", "last": "198.51.100.9"},
    "webhooks.update": lambda d: {"ids": [webhook(d)], "body": {"url": "http://127.0.0.1:8/?it's", "events": ["payment.*", "credit.low"], "takes_payments": True, "is_off": True}},
    "webhooks.test": lambda d: {"ids": [webhook(d)]},
    "webhooks.delete": lambda d: {"ids": [webhook(d)]},
    "addresses.allocate": lambda d: {},
    "addresses.associate": associate,
    "addresses.release": lambda d: {"ids": [address(d)]},
    "key-pairs.import": new_pair,
    "key-pairs.delete": lambda d: {"ids": [key_pair(d)]},
    "security-groups.create": new_group,
    "security-groups.delete": lambda d: {"ids": [group(d)]},
    "rules.add": new_rule,
    "rules.remove": remove_rule,
    "images.deregister": lambda d: {"ids": [image(d)]},
    "images.upload": lambda d: {"file": "disk.raw", "name": image_name(d), "format": "raw", "platform": "linux", "boot_mode": "unsaid"},
    "images.import": lambda d: {"url": "http://127.0.0.1:1/x.qcow2", "name": image_name(d), "format": "qcow2"},
    "images.copy": lambda d: {"ids": [image(d)], "name": image_name(d)},
    "images.describe": lambda d: {"ids": [image(d)], "text": "it's <mine>"},
    "images.share": shared_image,
    "snapshots.restore": lambda d: {"ids": [snapshot(d)], "gib": 3, "zone": d.mine.rows("/zones?fields=*")[0]},
    "volumes.revert": old_snapshot,
    "users.key-off": access_key,
    "users.key-on": lambda d: access_key(d, False),
    "users.key-delete": access_key,
    "networks.create": new_network,
    "users.create": next_name,
    "users.delete": lambda d: {"ids": [user(d)]},
    "users.key": lambda d: {"ids": [user(d)]},
    "groups.create": next_name,
    "groups.delete": lambda d: {"ids": [named(d, "user-groups")]},
    "groups.add": lambda d: {"ids": [named(d, "user-groups")], "user": user(d)},
    "groups.remove": member,
    "policies.create": next_name,
    "policies.version": lambda d: {"ids": [policy(d)]},
    "policies.default": second_version,
    "policies.delete": lambda d: {"ids": [policy(d)]},
    "policies.attach-user": lambda d: holder(d, "users", user),
    "policies.detach-user": lambda d: holder(d, "users", user, True),
    "policies.attach-user-group": lambda d: holder(d, "user-groups", lambda x: named(x, "user-groups")),
    "policies.detach-user-group": lambda d: holder(d, "user-groups", lambda x: named(x, "user-groups"), True),
    "policies.attach-iam-role": lambda d: holder(d, "iam-roles", role),
    "policies.detach-iam-role": lambda d: holder(d, "iam-roles", role, True),
    "roles.create": next_name,
    "roles.trust": lambda d: {"ids": [role(d)]},
    "roles.delete": lambda d: {"ids": [role(d)]},
    "accounts.create": new_account,
    "accounts.disable": lambda d: {"ids": [account(d)]},
    "accounts.enable": lambda d: {"ids": [account(d, False)]},
    "domains.create": next_name,
    "domains.disable": lambda d: {"ids": [domain(d)]},
    "domains.enable": lambda d: {"ids": [closed_domain(d)]},
    "hosts.plan": lambda d: {"ids": [spare_host(d)], "kind": "move", "from_us": 1924992000000000, "reason": "new fans"},
    "hosts.set-fence": lambda d: {"host": spare_host(d), "addresses": ["192.0.2.7", "192.0.2.8"], "after": 60},
    "hosts.remove": lambda d: {"ids": [spare_host(d)]},
    "hosts.down": lambda d: {"ids": [spare_host(d)]},
    "hosts.answers": lambda d: {"ids": [down_host(d)]},
    "audits.run": audited,
    "leftovers.adopt": adopted,
    "leftovers.purge": lambda d: {"ids": [leftover(d)]},
    "tickets.open": new_ticket,
    "tickets.say": lambda d: {"ids": [ticket(d)], "body": "It's <this> one.\nAnd $that."},
    "tickets.resolve": lambda d: {"ids": [ticket(d)]},
    "tickets.reopen": lambda d: {"ids": [ticket(d, "resolve")]},
    "tickets.close": lambda d: {"ids": [ticket(d)]},
    "tickets.cancel": lambda d: {"ids": [ticket(d)]},
    "tickets.rate": lambda d: {"ids": [ticket(d)], "severity": "urgent"},
    "tickets.work": lambda d: {"ids": [ticket(d)], "state": "held"},
    "hosts.disable": lambda d: {"ids": [host(d)]},
    "hosts.enable": lambda d: {"ids": [host(d)]},
}
VERBS.update(networks.verbs(instance, address, group))
LISTS = ["ports.list", "instances.list", "volumes.list", "snapshots.list", "backups.list", "images.list", "addresses.list", "key-pairs.list", "security-groups.list", "networks.list", "transit-gateways.list", "fleets.list", "spot-requests.list", "load-balancers.list", "target-groups.list", "scaling-groups.list", "clusters.list", "reservations.list", "migrations.list", "hosts.list", "pools.list", "backup-plans.list", "machine-backups.list", "schedules.list", "instance-types.list", "volume-types.list", "external-networks.list", "webhooks.list", "machines.list", "remote-resources.list", "providers.list", "tasks.list", "audit-log.list", "accounts.list", "users.list", "groups.list", "policies.list", "roles.list", "tickets.list", "costs.list"]
ASKED = {"costs.list": {"month": time.strftime("%Y-%m", time.gmtime()), "group": "service"}}


# ---- effects ----

def told(kind, r, names):
    shown = {name: r.get(name) for name in SHOWN.get(kind, [])} | networks.told(kind, r, names)
    for document in shown.keys() & {"document", "trust"}:  # Terraform sends the document without whitespace
        shown[document] = json.loads(shown[document])
    if kind in ("instances", "volumes", "snapshots", "images"):
        shown["tags"] = {k: v for k, v in r.get("tags", {}).items() if k != "Name"}
    if kind == "images":
        shown["is shared"] = len(r.get("launchers", []))
    if kind == "volumes":
        shown["is of a snapshot"] = bool(r.get("snapshot"))
        shown["is attached"] = bool(r.get("instance"))
    if kind == "instances":
        shown["has a key"] = bool(r.get("key_name"))
    if kind == "addresses":
        shown["leads somewhere"] = bool(r.get("port") or r.get("instance"))
    return json.dumps(shown, sort_keys=True)


def is_over(kind, r):
    return r.get("state") in OVER.get(kind, ())


def all_rows(dev):
    found = {}
    names = {r["id"]: networks.name_of(r) for kind in ("route-tables", "network-acls") for r in dev.mine.rows(f"/{kind}?fields=*")}
    for kind in KINDS:
        for r in (dev.operator if kind in OF_OPERATOR else dev.mine).rows(f"/{kind}?fields=*"):
            if not is_over(kind, r):
                found[kind, r["id"]] = told(kind, r, names)
    return found


def effect(dev, verb, tool, args=None):
    """Rows that the command has created, changed and removed, without ids."""
    args = args or VERBS[verb](dev)
    text = command(dev, verb, tool, args)
    said = text.replace('":null}', "") if verb == "tags.remove" else text  # for Ansible: any value
    assert said and "undefined" not in said and "null" not in said, text
    before = all_rows(dev)
    run_text(dev, tool, text)
    dev.rest()
    after = all_rows(dev)
    made = sorted(f"made {k[0]} {v}" for k, v in after.items() if k not in before)
    gone = sorted(f"gone {k[0]} {v}" for k, v in before.items() if k not in after)
    changed = sorted(f"changed {k[0]} {before[k]} → {v}" for k, v in after.items() if k in before and before[k] != v)
    return made + gone + changed


@pytest.fixture(scope="module")
def clicks(dev):
    return {}


SHOWN_BY = {  # actions and the tools that have them: those of commands.js and the tools' own modules
    "instances.start": "aws openstack cmk", "instances.stop": "aws openstack cmk", "instances.reboot": "aws openstack cmk", "instances.terminate": "aws openstack",
    "instances.pause": "openstack", "instances.unpause": "openstack", "instances.suspend": "openstack", "instances.protect": "aws cmk", "instances.set": "", "instances.rescue": "openstack",
    "instances.unrescue": "openstack", "instances.rebuild": "openstack cmk", "instances.image": "aws openstack",
    "images.upload": "openstack", "images.import": "", "images.copy": "aws", "images.describe": "aws openstack", "images.share": "openstack",
    "snapshots.restore": "aws openstack", "volumes.revert": "cmk", "users.key-off": "aws", "users.key-on": "aws", "users.key-delete": "aws",
    "tags.set": "aws openstack cmk", "tags.remove": "aws openstack cmk",
    "instances.resize": "aws", "instances.launch": "aws openstack", "volumes.create": "aws openstack", "volumes.attach": "aws openstack cmk", "volumes.detach": "aws openstack cmk",
    "volumes.grow": "aws openstack cmk", "volumes.delete": "aws openstack cmk", "snapshots.create": "aws openstack cmk", "snapshots.delete": "aws openstack cmk",
    "backups.create": "openstack", "backups.delete": "openstack",
    "backup-plans.put": "", "backup-plans.enable": "dari", "backup-plans.disable": "dari", "backup-plans.run": "dari", "backup-plans.delete": "dari",
    "machine-backups.restore": "dari", "machine-backups.check": "dari", "machine-backups.hold": "dari", "machine-backups.release": "dari", "machine-backups.delete": "dari",
    "schedules.put": "cmk", "schedules.enable": "cmk", "schedules.disable": "cmk", "schedules.delete": "cmk",
    "instance-types.create": "openstack", "instance-types.update": "", "instance-types.share": "openstack", "instance-types.delete": "openstack",
    "volume-types.create": "openstack", "volume-types.update": "openstack", "volume-types.share": "openstack", "volume-types.delete": "openstack",
    "external-networks.add": "dari", "external-networks.delete": "openstack", "address-ranges.add": "dari", "webhooks.update": "dari", "webhooks.test": "dari", "webhooks.delete": "dari",
    "addresses.allocate": "aws openstack", "addresses.associate": "aws openstack", "addresses.release": "aws openstack", "key-pairs.import": "aws openstack",
    "key-pairs.delete": "aws openstack", "security-groups.create": "aws", "security-groups.delete": "aws openstack", "rules.add": "aws openstack", "rules.remove": "aws openstack",
    "images.deregister": "aws openstack cmk", "networks.create": "aws", "hosts.disable": "openstack", "hosts.enable": "openstack",
    "users.create": "aws", "users.delete": "aws", "users.key": "aws", "groups.create": "aws", "groups.delete": "aws", "groups.add": "aws", "groups.remove": "aws", "policies.create": "aws",
    "policies.version": "aws", "policies.default": "aws", "policies.delete": "aws", "policies.attach-user": "aws", "policies.detach-user": "aws", "policies.attach-user-group": "aws",
    "policies.detach-user-group": "aws", "policies.attach-iam-role": "aws", "policies.detach-iam-role": "aws", "roles.create": "aws", "roles.trust": "aws", "roles.delete": "aws",
    "accounts.create": "openstack", "accounts.disable": "openstack", "accounts.enable": "openstack", "domains.create": "openstack", "domains.disable": "openstack", "domains.enable": "openstack",
    "hosts.plan": "dari", "hosts.set-fence": "dari", "hosts.remove": "dari", "hosts.down": "openstack", "hosts.answers": "openstack",
    "audits.run": "dari", "leftovers.adopt": "dari", "leftovers.purge": "dari",
    "tickets.open": "aws dari", "tickets.say": "aws dari", "tickets.resolve": "aws dari", "tickets.reopen": "dari", "tickets.close": "dari", "tickets.cancel": "dari", "tickets.rate": "dari",
    "tickets.work": "dari",
}
SHOWN_BY.update(networks.SHOWN_BY)
for of_ansible in ("instances.start instances.stop instances.terminate instances.launch instances.protect instances.image tags.set tags.remove volumes.create volumes.attach volumes.detach volumes.delete "
                    "snapshots.create snapshots.delete addresses.allocate addresses.associate addresses.release key-pairs.import key-pairs.delete "
                   "security-groups.create security-groups.delete rules.add images.deregister").split():
    SHOWN_BY[of_ansible] += " ansible"
for of_terraform in ("instances.start instances.stop instances.launch instances.image images.copy tags.set volumes.create volumes.attach snapshots.create snapshots.restore addresses.allocate addresses.associate key-pairs.import "
                     "security-groups.create rules.add networks.create users.create users.key groups.create groups.add policies.create policies.attach-user policies.attach-user-group "
                     "policies.attach-iam-role roles.create").split():
    SHOWN_BY[of_terraform] += " terraform"


NO_BLOCK = {  # reasons why an action of `aws` has no Terraform block
    "it ends what a block has made": "instances.terminate volumes.detach volumes.delete snapshots.delete addresses.release addresses.disassociate key-pairs.delete security-groups.delete rules.remove "
                                     "images.deregister tags.remove users.delete users.key-delete groups.delete groups.remove policies.delete policies.detach-user policies.detach-user-group "
                                     "policies.detach-iam-role roles.delete networks.delete subnets.delete routes.remove route-tables.delete route-tables.disassociate gateways.delete nat-gateways.delete "
                                     "peerings.delete network-acls.delete acl-entries.remove ports.detach ports.delete",
    "it is another word in the block that made the thing": "instances.resize instances.protect volumes.grow images.describe users.key-off users.key-on roles.trust policies.version networks.update "
                                                           "subnets.update ports.groups route-tables.replace",
    "the provider has no resource that does it": "instances.reboot policies.default peerings.reject tickets.open tickets.say tickets.resolve",
}


@pytest.mark.parametrize("verb, tool", [(verb, tool) for verb, tools in SHOWN_BY.items() for tool in tools.split()])
def test_command_leaves_what_the_click_does(dev, clicks, verb, tool):
    if verb not in clicks:  # effects are measured once
        clicks[verb] = effect(dev, verb, "curl")
    done = effect(dev, verb, tool)
    assert clicks[verb] or verb in ("instances.reboot", "roles.trust", "hosts.enable", "hosts.disable"), "the click does nothing"
    if verb in ("hosts.enable", "hosts.disable"):  # one host: the click has already done it
        assert done in (clicks[verb], []), done
        with contextlib.suppress(AssertionError):
            dev.operator.api("PATCH", f"/hosts/{host(dev)['id']}", {"enabled": verb == "hosts.disable"})
        return
    assert done == clicks[verb]


def left(dev, verb, tool, args):
    """Rows that did not exist before."""
    before = all_rows(dev)
    run_text(dev, tool, command(dev, verb, tool, args))
    dev.rest()
    return sorted(f"{kind} {v}" for (kind, row_id), v in all_rows(dev).items() if (kind, row_id) not in before)


@pytest.mark.parametrize("protocol, number, block", [("any", None, "192.0.2.0/24"), ("icmp", 1, "192.0.2.0/24"), ("icmpv6", 58, "2001:db8::/32"), ("47", 47, "192.0.2.0/24")])
def test_a_rule_without_ports(dev, protocol, number, block):
    def asked(of):
        return {"direction": "egress", "group": of, "protocol": protocol, "ports": "", "block": block,
                "body": {"group": of["id"], "peer_block": block, "description": "what it is for", **({"protocol": number} if number else {})}}

    assert left(dev, "rules.add", "terraform", asked(group(dev))) == left(dev, "rules.add", "curl", asked(group(dev)))


@pytest.mark.parametrize("has_address", [True, False])
def test_a_launch_with_all_that_is_chosen(dev, has_address):
    """The tools whose lines express everything: Terraform's block, and the API's own request."""
    of = group(dev)
    chosen = {**launch(dev), "count": 1, "name": "${it} \"is\" %{x}\nhere", "groups": [of], "publicIp": has_address, "hasUserData": True}
    chosen["body"] = {**chosen["body"], "count": 1, "tags": {"Name": chosen["name"]}, "groups": [of["id"]], "public_ip": has_address, "root_size": 4 * GIB, "protect_terminate": True, "user_data": "#!/bin/sh\n"}
    done = []
    for tool in ("curl", "terraform"):
        done.append(left(dev, "instances.launch", tool, chosen))
        found = next(i for i in dev.ec2.describe_instances(Filters=[{"Name": "instance.group-id", "Values": [of["ec2"]]}])["Reservations"])["Instances"][0]
        about = [dev.ec2.describe_instance_attribute(InstanceId=found["InstanceId"], Attribute=name) for name in ("disableApiTermination", "userData")]
        done[-1] += [found["Tags"], "PublicIpAddress" in found, about[0]["DisableApiTermination"], about[1]["UserData"]]
        dev.ec2.modify_instance_attribute(InstanceId=found["InstanceId"], DisableApiTermination={"Value": False})
        dev.ec2.terminate_instances(InstanceIds=[found["InstanceId"]])
        dev.rest()
    assert done[0] == done[1] and done[0][-3] is has_address


def test_the_provider(dev):
    """The provider block shown by the page of tool setup."""
    dev.page.open(dev.url + "/console/connect?tool=terraform")
    text = dev.page.until("return document.querySelector('.block pre')?.innerText", what="the block")
    found = terraform.value_of(terraform.parse([text])[0])
    (said,) = found["provider"]["aws"]
    dev.schema.check("aws", said)
    assert set(found) == {"provider"} and said["region"] == REGION and said["skip_region_validation"] is True
    assert said["endpoints"] == [{service: dev.url for service in ("autoscaling", "cloudwatch", "ec2", "elb", "elbv2", "events", "iam", "sns", "sqs", "sts")}]


@pytest.mark.parametrize("peer", ["a group", "IPv6"])
def test_rules_of_other_peers(dev, peer):
    done = []
    for tool in ("curl", "aws", "openstack", "ansible", "terraform"):
        of, other = group(dev), group(dev)
        by = {"peer_group": other["id"]} if peer == "a group" else {"peer_block": "2001:db8::7/128"}
        args = {"direction": "ingress", "group": of, "protocol": "tcp", "ports": "5432", **({"peer": other} if peer == "a group" else {"block": "2001:db8::7/128"}),
                "body": {"group": of["id"], "protocol": 6, "from_port": 5432, "to_port": 5432, **by}}
        done.append(effect(dev, "rules.add", tool, args))
    assert len(done[0]) == 1 and all(d == done[0] for d in done), done


@pytest.mark.parametrize("verb, how", networks.MORE)
def test_a_network_otherwise(dev, verb, how):
    done = [effect(dev, verb, tool, networks.MORE[verb, how](dev)) for tool in ("curl", "aws", "terraform")]
    assert done[0] and done[1] == done[0] and done[2] == done[0], done


@pytest.mark.parametrize("about", ["billing", "account"])
def test_a_ticket_about_something_else(dev, about):
    done = []
    for tool in ("curl", "aws", "dari"):
        body = {"subject": "A question", "body": "Which one?", "about": about, "severity": "low"}
        before = all_rows(dev)
        run_text(dev, tool, command(dev, "tickets.open", tool, {**body, "request": body}))
        done.append(sorted(v for k, v in all_rows(dev).items() if k not in before))
    assert done[0] and done[0] == done[1] == done[2]
    assert command(dev, "tickets.open", "aws", {**body, "about": "quota"}) == ""  # AWS Support has no such category


def test_a_note_of_the_operators(dev):
    """Only an operator can write a private note: AWS has no equivalent, and the account does not see it."""
    for tool in ("dari", "curl"):
        of = ticket(dev)
        text = command(dev, "tickets.say", tool, {"ids": [of], "body": "They call each week.", "isPrivate": True})
        before = all_rows(dev)
        run_text(dev, tool, text)
        assert all_rows(dev) == before
        kept = dev.operator.rows(f"/ticket-messages?ticket={of['id']}&fields=*&all=1")
        assert [m["body"] for m in kept if m["is_private"]] == ["They call each week."]
    assert command(dev, "tickets.say", "aws", {"ids": [of], "body": "x", "isPrivate": True}) == ""


@pytest.mark.parametrize("verb", LISTS)
def test_lists(dev, verb):
    for tool in ("aws", "openstack", "cmk", "ansible", "dari", "curl"):
        try:
            text = command(dev, verb, tool, ASKED.get(verb, {}))
        except Exception:  # pylint: disable=broad-except
            text = ""
        if text and not (tool == "openstack" and verb == "accounts.list") and not (tool == "curl" and verb in ("hosts.list", "accounts.list")):
            run_text(dev, tool, text)


def test_one_instance(dev):
    """The page of an instance shows how each tool shows it."""
    of = instance(dev)
    for tool in ("aws", "openstack", "cmk", "dari", "curl"):
        text = command(dev, "explain", tool, {"ids": [of]})
        assert of["ec2"] in text or of["id"] in text, tool
        run_text(dev, tool, text)


def test_simulation(dev):
    """The result is not a row: the command succeeds, and its decision equals the page's."""
    one = holder(dev, "users", user, True)["ids"][0]
    number = next(a["number"] for a in dev.mine.rows("/accounts?fields=*") if a["name"] == "dev")
    args = {"arn": f"arn:aws:iam::{number}:user/{one['name']}", "actions": ["ec2:DescribeInstances", "ec2:StopInstances"], "resource": "", "isOfOne": True,
            "query": f"user={one['id']}&action=ec2:DescribeInstances,ec2:StopInstances"}
    for tool in ("aws", "curl"):
        run_text(dev, tool, command(dev, "rights.simulate", tool, args))
    said = dev.account.client("iam").simulate_principal_policy(PolicySourceArn=args["arn"], ActionNames=args["actions"])["EvaluationResults"]
    ours = dev.mine.api_ok("GET", f"/simulate?{args['query']}")["items"]
    assert [d["decision"] for d in ours] == [r["EvalDecision"] for r in said] == ["allowed", "implicitDeny"]
    statement = said[0]["MatchedStatements"][0]
    assert ours[0]["statement"]["line"] == statement["StartPosition"]["Line"] and ours[0]["statement"]["end_column"] == statement["EndPosition"]["Column"]


def test_prices(dev):
    """A price list is not a row."""
    for tool in ("dari", "curl"):
        run_text(dev, tool, command(dev, "prices.load", tool, {}))
        lists = dev.operator.api_ok("GET", "/price-lists")["items"]
        assert [(x["name"], x["in_force"], [i["sku"] for i in x["items"]]) for x in lists] == [("public", True, ["held"])]
        run_text(dev, tool, command(dev, "prices.list", tool, {}))


def test_a_launch_is_tried(dev):
    """Only the native API has dry runs: nothing is created."""
    body = {"image": dev.image, "type": dev.mine.rows("/instance-types")[0]["id"], "count": 1}
    before = all_rows(dev)
    run_text(dev, "curl", command(dev, "instances.try", "curl", {"body": body}))
    assert all_rows(dev) == before


def test_a_backup_is_restored(dev):
    of = backup(dev)
    run_text(dev, "curl", command(dev, "backups.restore", "curl", {"ids": [of], "name": "it's back"}))
    dev.rest()
    assert [v["state"] for v in dev.mine.rows("/volumes?fields=*") if v.get("name") == "it's back"] == ["available"]


def test_storage_pools(dev):
    """Each tool adds a pool, closes it, opens it and removes it."""
    for tool in ("dari", "curl"):
        body = {"name": f"shared-{tool}", "path": f"/srv/shared-{tool}"}
        run_text(dev, tool, command(dev, "pools.add", tool, {"body": body}))
        (one,) = [p for p in dev.operator.rows("/storage-pools?fields=*") if p["name"] == body["name"]]
        assert (one["path"], one["kind"], one["enabled"]) == (body["path"], "shared-dir", True)
        for verb, enabled in (("pools.disable", False), ("pools.enable", True)):
            run_text(dev, tool, command(dev, verb, tool, {"ids": [one]}))
            assert row(dev, "storage-pools", one["id"])["enabled"] is enabled
        run_text(dev, tool, command(dev, "pools.remove", tool, {"ids": [one]}))
        assert not row(dev, "storage-pools", one["id"])


def test_live_migration(dev):
    """Each tool migrates an instance to a host; the target is chosen among those with capacity."""
    for tool in ("openstack", "dari", "curl"):
        of = instance(dev)
        target = next(t["host"] for t in dev.operator.api_ok("GET", f"/instances/{of['id']}/migration-targets")["items"] if t["fits"])
        run_text(dev, tool, command(dev, "instances.migrate", tool, {"ids": [of], "host": row(dev, "hosts", target)}))
        dev.rest()
        assert dev.operator.api_ok("GET", f"/instances/{of['id']}")["item"]["host"] == target
    for verb in ("cancel", "complete"):
        text = command(dev, f"instances.{verb}-migration", "curl", {"ids": [of]})
        with pytest.raises(AssertionError, match="no such live migration under way"):
            run_text(dev, "curl", text)


def test_the_default_external_network(dev):
    """Clearing and setting it by each tool; a pool without an address in use is removed."""
    (of,) = [n for n in dev.operator.rows("/external-networks?fields=*") if n["is_default"]]
    for tool in ("openstack", "curl"):
        for on in (False, True):
            run_text(dev, tool, command(dev, "external-networks.default", tool, {"ids": [of], "on": on}))
            assert row(dev, "external-networks", of["id"])["is_default"] is on
    made = outside(dev)
    (pool,) = dev.operator.rows(f"/address-ranges?external_network={made['id']}&fields=*&all=1")
    run_text(dev, "curl", command(dev, "address-ranges.remove", "curl", {"ids": [pool]}))
    assert not row(dev, "address-ranges", pool["id"])


def test_a_webhook_is_added(dev):
    """The secret is a file of `dari`, and a word to replace for curl."""
    with open(os.path.join(dev.folder, "FILE"), "w", encoding="utf-8") as f:
        f.write("s" * 16)
    for tool in ("dari", "curl"):
        body = {"name": f"it-is.{tool}", "url": "http://127.0.0.1:9/?it's", "events": ["invoice.*", "credit.low"], "takes_payments": True}
        run_text(dev, tool, command(dev, "webhooks.add", tool, {"body": body}).replace("SECRET", "s" * 16))
        (one,) = [w for w in dev.operator.rows("/webhooks?fields=*") if w["name"] == body["name"]]
        assert {k: one[k] for k in body} == body
        dev.operator.api_ok("POST", f"/webhooks/{one['id']}/test", {})
        dev.rest()
        (sent,) = dev.operator.rows(f"/webhook-deliveries?webhook={one['id']}&fields=*")
        run_text(dev, tool, command(dev, "webhooks.retry", tool, {"ids": [sent]}))


def test_a_cluster(dev):
    """`dari` and curl change a cluster alike; the operator's `dari` names the account when it makes one."""
    image = next(i["id"] for i in dev.mine.rows("/images") if i["state"] == "available")
    account = json.loads(subprocess.run([DARI, "--config", dev.config, "account", "list", "--json"], check=True, capture_output=True, text=True).stdout)[0]["name"]
    for tool in ("dari", "curl"):
        body = {"name": f"it-is-{tool}", "version": "1.37.2", "image": image, "workers": 0, "control_count": 1, "control_type": "t3.medium", "worker_type": "t3.small", "sources": ["192.0.2.0/24"],
                "manifests": ["https://example.com/a.yaml?b=c"], "is_internal": True}
        text = command(dev, "clusters.create", tool, {"body": body})
        run_text(dev, tool, text + f" --account {account}" if tool == "dari" else text)
        (one,) = [c for c in dev.operator.rows("/clusters?fields=*&all=1") if c["name"] == body["name"]]
        assert (one["manifests"], one["is_internal"], one["workers"], one["image"]) == (body["manifests"], True, 0, image)
        run_text(dev, tool, command(dev, "clusters.scale", tool, {"ids": [one], "workers": 1}))
        assert dev.operator.api_ok("GET", f"/clusters/{one['id']}")["item"]["workers"] == 1
        run_text(dev, tool, command(dev, "clusters.kubeconfig", tool, {"ids": [one], "hours": 1}))
        events = dev.operator.api_ok("GET", f"/clusters/{one['id']}/events")["items"]
        assert sum(e["what"] == "kubeconfig" for e in events) == 1, events
        run_text(dev, tool, command(dev, "clusters.delete", tool, {"ids": [one]}))
        assert dev.operator.api_ok("GET", f"/clusters/{one['id']}")["item"]["status"] == "deleting"
    dev.rest()


def test_a_console_password(dev):
    """No row shows a password: whoever knows it signs in."""
    for tool in ("aws", "curl"):
        of = user(dev)
        run_text(dev, tool, command(dev, "users.password", tool, {"ids": [of]}).replace("PASSWORD", "Correct-horse-battery-1"))
        entry = {"user": of["name"], "domain": next(a["number"] for a in dev.mine.rows("/accounts?fields=*") if a["name"] == "dev"), "password": "Correct-horse-battery-1"}
        status, _, said = web.ask(dev.url + "/api/v1/session", "POST", entry, {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"})
        assert (status, json.loads(said)["need"]) == (401, "password"), "it is changed at the first sign-in"


def test_sign_in_by_a_provider(dev):
    for tool in ("aws", "curl"):
        run_text(dev, tool, command(dev, "sign-ins.add", tool, {"url": f"https://{tool}.example.com/it's"}))
        one = next(p for p in dev.mine.rows("/oidc-providers?fields=*") if p["url"] == f"{tool}.example.com/it's")
        assert "sign_in_name" not in one
        run_text(dev, "curl", command(dev, "sign-ins.set", "curl", {"provider": one, "body": {"client_id": "console", "name": "It's <ours>", "client_secret": "a \"secret\""}}))
        assert row(dev, "oidc-providers", one["id"])["sign_in_name"] == "It's <ours>"
        admin = next(u for u in dev.operator.rows("/users?fields=*&all=1") if u["name"] == "admin" and not u.get("account"))
        for subject in (f"{tool}'s \"one\"", ""):
            run_text(dev, "curl", command(dev, "users.link", "curl", {"ids": [admin], "provider": one, "subject": subject}))
            assert dev.operator.api_ok("GET", f"/users/{admin['id']}")["item"].get("oidc_subject", "") == subject
        run_text(dev, "curl", command(dev, "sign-ins.end", "curl", {"provider": one}))
        assert "sign_in_name" not in row(dev, "oidc-providers", one["id"])


def test_passwords_of_a_domain(dev):
    for tool in ("dari", "curl"):
        made = dev.operator.api_ok("POST", "/domains", {"name": f"it's {tool}"})["items"][0]
        run_text(dev, tool, command(dev, "domains.passwords", tool, {"ids": [made], "passwords": "refused"}))
        assert dev.operator.api_ok("GET", f"/domains/{made['id']}")["item"]["passwords"] == "refused"


def test_reach(dev):
    """The analysis changes nothing; the exit status of `dari` corresponds to the API's answer."""
    one, other = instance(dev), instance(dev)
    args = {"from": one["ec2"], "to": other["ec2"], "protocol": "tcp", "port": "443"}
    run_line(dev, "dari", command(dev, "networks.reach", "dari", args))
    run_line(dev, "curl", command(dev, "networks.reach", "curl", args))
    assert dev.mine.api_ok("GET", f"/reach?from={one['ec2']}&to={other['ec2']}&port=443")["reaches"] == "yes"
    with pytest.raises(AssertionError, match="reaches"):
        run_line(dev, "dari", command(dev, "networks.reach", "dari", {**args, "from": "internet"}))


def test_every_verb_is_here():
    """Every shown action is run here, except those that administrators' clicks share with `dari` only."""
    def source(name):
        with open(os.path.join(web.ROOT, "web/console", name), encoding="utf-8") as f:
            return f.read()

    text = source("list_commands.js") + source("commands.js")
    of_ansible, of_terraform = (set(re.findall(r'^\t"([a-z-]+\.[a-z-]+)": ', source(name), re.MULTILINE)) for name in ("ansible.js", "terraform.js"))
    assert of_ansible <= set(VERBS) | set(LISTS) and of_terraform <= set(VERBS)
    shown = set(re.findall(r'^\t"([a-z-]+\.[a-z-]+)": \{', text, re.MULTILINE))
    assert shown - set(VERBS) - set(LISTS) <= {"hosts.add", "hosts.maintenance", "hosts.fence", "hosts.fenced", "region.check", "rights.simulate", "prices.load", "prices.list", "instances.try", "networks.reach", "users.password", "users.link", "sign-ins.add", "sign-ins.set", "backups.restore",
                                                                "instances.migrate", "instances.cancel-migration", "instances.complete-migration", "external-networks.default", "address-ranges.remove", "webhooks.add", "webhooks.retry", "clusters.create", "clusters.scale", "clusters.kubeconfig", "clusters.delete",
                                                                "sign-ins.end", "sign-ins.add-saml", "domains.passwords", "providers.add", "providers.set", "providers.refresh", "providers.remove", "machine-policies.add", "machines.advice", "machines.resize", "machines.tag", "pools.add", "pools.enable", "pools.disable", "pools.remove"}
    for verb, tools in SHOWN_BY.items():
        part = text[text.index(f'"{verb}": {{'):]
        part = part[:part.index("curl:") if "curl:" in part else None]
        shown = {tool for tool in ("aws", "openstack", "cmk", "dari") if re.search(rf"\b{tool}: ", part)} | ({"ansible"} if verb in of_ansible else set()) | ({"terraform"} if verb in of_terraform else set())
        assert set(tools.split()) == shown, verb
    why = [verb for verbs in NO_BLOCK.values() for verb in verbs.split()]
    assert sorted(why) == sorted(verb for verb, tools in SHOWN_BY.items() if "aws" in tools.split() and "terraform" not in tools.split()), "either a block of Terraform or the reason why there is none"


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))

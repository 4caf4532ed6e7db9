# SPDX-License-Identifier: Apache-2.0
"""Native API: creates each resource with every member of its call. The answer, the show and the list must agree, and contain the sent values. Then
changes every member that PATCH accepts, and checks the result."""
import contextlib
import json
import uuid

import native as lib
import saml_idp
from dev import Dev
from faces.native import ask

ACTIONS = {f"{a['method']} {a['path']}": a for a in lib.dump()["actions"]}
IDP = saml_idp.Provider()
HIDDEN = object()  # a member that no answer shows
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGWrnDmbTVbdaWdQ0S1XZkn2QJ6rIxdGAXBWVkEeLvZG"
TAGS = {"colour": "red", "empty": ""}
DOCUMENT = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}})
TRUST = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}})
LIMITS = [p["name"] for p in ACTIONS["PATCH /accounts/{id}/limits"]["params"] if p["in"] == "body"]


class R:
    """Row of one resource. path: the call that creates it; body: the request; shown: shown form of members that differ, by member: HIDDEN, a function
    of the row, or a pair (other name, value); changes: bodies of PATCH, one request each; changed: as shown; at: its list, if that has another
    path; also: PATCH of a longer path; then: a call after it; waits: the reconciler tries
    it again for ever, because nothing answers; by: "admin", the region's administrator, or "owner", the account's, who signs."""

    def __init__(self, path, body, shown=None, changes=(), changed=None, label=None, by="mine", at=None, also="", then=None, waits=False):
        self.path, self.body, self.shown, self.changes, self.changed = path, body, shown or {}, changes, changed or {}
        self.label, self.by, self.at, self.also, self.then = label, by, at or path, also, then
        self.waits = waits


ROWS = [
    R("/routers", {"name": "r", "description": "d", "block": "10.20.0.0/16", "tags": TAGS}, {"block": ("blocks", ["10.20.0.0/16"])},
      [{"name": "s"}, {"description": "e"}, {"dns_hostnames": True}, {"dns_hostnames": False}, {"dns_support": False}], label="router"),
    R("/routers", {"block": "10.21.0.0/16"}, {"block": ("blocks", ["10.21.0.0/16"])}, label="peer"),
    R("/subnets", {"router": "{router}", "block": "10.20.1.0/24", "zone": "{zone}", "name": "n", "public_on_launch": True, "tags": TAGS},
      changes=[{"name": "m"}, {"description": "e"}, {"public_on_launch": False}], label="subnet"),
    R("/networks", {"name": "n", "description": "d", "mtu": 1400, "tags": TAGS}, changes=[{"name": "m"}, {"description": "e"}, {"is_down": True}]),
    R("/security-groups", {"router": "{router}", "name": "web", "description": "d", "tags": TAGS}, changes=[{"name": "w"}, {"description": "e"}], label="group"),
    *(R(f"/security-group-rules/{way}", {"group": "{group}", "protocol": 6, "from_port": 80, "to_port": 88, "description": "d", **peer},
        {"group": lambda r, way=way: r["direction"] == way}, at="/security-group-rules")
      for way in ("ingress", "egress") for peer in ({"peer_block": "192.0.2.0/24"}, {"peer_group": "{group}"}, {"peer_address_group": "{addresses}"})),
    R("/gateways", {"tags": TAGS}, label="gateway", then=("/gateways/{gateway}/attach", {"router": "{router}"})),
    R("/egress-gateways", {"router": "{router}", "tags": TAGS}),
    R("/addresses", {"external_network": "{outside}", "ip": "198.19.113.77", "description": "d", "tags": TAGS}),
    R("/addresses", {}, label="address"),
    R("/route-tables", {"router": "{router}", "tags": TAGS}, label="table"),
    R("/network-acls", {"router": "{router}", "name": "a", "description": "d", "tags": TAGS}, label="acl"),
    R("/network-acl-entries", {"acl": "{acl}", "egress": True, "number": 90, "allows": True, "protocol": 6, "from_port": 80, "to_port": 88,
                               "block": "192.0.2.0/24", "description": "d"}, {"block": ("blocks", ["192.0.2.0/24"])}),
    R("/peerings", {"router": "{router}", "peer_router": "{peer}", "peer_account": "{number}", "tags": TAGS}, {"peer_account": lambda r: r["peer_owner_text"]}, label="peering"),
    R("/ports", {"subnet": "{subnet}", "groups": ["{group}"], "ip": "10.20.1.44", "name": "p", "description": "d", "tags": TAGS},
      changes=[{"name": "q"}, {"groups": []}, {"groups": ["{group}"]}, {"source_dest_check": False}, {"is_down": True}],
      changed={"groups": lambda r: len(r["groups"]) == 1}, label="port"),
    R("/ports", {"subnet": "{subnet}"}, label="other_port"),
    R("/key-pairs", {"name": "drawn", "is_rsa": True, "tags": TAGS}, {"is_rsa": lambda r: r["is_ed25519"] is False}),
    R("/key-pairs/import", {"name": "brought", "public_key": KEY, "tags": TAGS}, at="/key-pairs", label="key"),
    R("/server-groups", {"name": "g", "policy": "partition", "partitions": 3, "tags": TAGS}, label="servers"),
    R("/volumes", {"zone": "{zone}", "size": 8 << 30, "type": "gp3", "name": "v", "description": "d", "iops": 3500, "throughput": 200, "tags": TAGS},
      changes=[{"name": "w"}, {"description": "e"}, {"is_bootable": True}, {"is_readonly": True}],
      changed={"is_readonly": lambda r: r["says_readonly"]}, label="volume"),
    R("/volumes", {"zone": "{zone}", "size": 4 << 30, "type": "io2", "iops": 100, "is_shared": True}),
    R("/volumes", {"zone": "{zone}", "size": 4 << 30, "is_encrypted": True}),
    R("/snapshots", {"volume": "{volume}", "name": "s", "description": "d", "tags": TAGS},
      changes=[{"name": "t"}, {"description": "e"}, {"is_public": True}, {"is_public": False}, {"share_with": ["{other}"]}, {"unshare_with": ["{other}"]}],
      changed={"share_with": ("restorers", ["{other}"]), "unshare_with": ("restorers", [])}, label="snapshot"),
    R("/volumes", {"zone": "{zone}", "snapshot": "{snapshot}"}),
    R("/volumes", {"zone": "{zone}", "image": "{image}"}),
    R("/backups", {"volume": "{volume}", "snapshot": "{snapshot}", "name": "b", "description": "d", "force": True}, {"force": HIDDEN}),
    R("/backups", {"volume": "{volume}", "is_incremental": True, "force": True}, {"force": HIDDEN, "is_incremental": lambda r: r["parent"]}),
    R("/images/import", {"name": "i", "description": "d", "format": "qcow2", "platform": "windows", "boot_mode": "uefi", "min_disk": 9 << 30,
                         "url": "http://127.0.0.2:9/disk"}, {"format": HIDDEN, "url": HIDDEN}, at="/images"),
    R("/instances", {"image": "{image}", "type": "{type}", "count": 1, "name": "i", "description": "d", "key": "{key}", "zone": "{zone}", "subnet": "{subnet}",
                     "groups": ["{group}"], "public_ip": True, "root_size": 12 << 30, "root_type": "gp3", "root_encrypted": True,
                     "disks": [{"size": 4 << 30, "type": "io2", "iops": 100, "is_encrypted": True, "delete_on_termination": False},
                               {"size": 5 << 30, "type": "gp3", "iops": 3000, "throughput": 200}, {"snapshot": "{snapshot}"}], "instance_profile": "{profile}", "server_group": "{servers}",
                     "user_data": "x", "tags": TAGS, "protect_terminate": True, "shutdown_terminates": True,
                     "metadata_tokens_required": True, "stays_off": True},
      {"count": HIDDEN, "key": ("key_name", "brought"), "groups": HIDDEN, "public_ip": HIDDEN, "root_size": HIDDEN, "root_type": HIDDEN, "root_encrypted": HIDDEN, "disks": HIDDEN,
       "instance_profile": HIDDEN, "user_data": HIDDEN, "stays_off": ("wanted_power", "off")},
      [{"name": "j"}, {"description": "e"}, {"type": "{larger}"}, {"key": "drawn"}, {"groups": ["{group}"]}, {"protect_terminate": False}, {"protect_stop": True},
       {"shutdown_terminates": False}, {"source_dest_check": False}, {"metadata_tokens_required": False}, {"recovers": False}],
      {"key": ("key_name", "drawn"), "groups": HIDDEN, "source_dest_check": HIDDEN, "recovers": ("recovery", "disabled")}, label="instance"),
    R("/instances", {"image": "{image}", "type": "{type}", "subnet": "{subnet}", "public_ip": True, "root_size": 13 << 30},
      {"public_ip": lambda r: "public_ip" in r["addresses"][0], "root_size": HIDDEN}, label="plain"),
    R("/images", {"instance": "{plain}", "name": "captured", "description": "d", "no_reboot": True, "tags": TAGS}, {"instance": HIDDEN, "no_reboot": HIDDEN},
      [{"description": "e"}, {"is_public": True}, {"is_public": False}, {"share_with": ["{other}"]}, {"unshare_with": ["{other}"]}, {"tokens_required": True}],
      {"share_with": ("launchers", ["{other}"]), "unshare_with": ("launchers", [])}),
    R("/export-image-tasks", {"image": "{image}", "format": "vhd", "bucket": "moves", "prefix": "web/", "description": "d", "tags": TAGS}, by="admin"),
    R("/nat-gateways", {"subnet": "{subnet}", "address": "{address}", "tags": TAGS}, {"address": HIDDEN}),
    *(R(method_path, {"table": "{table}", "destination": destination, **hop}) for method_path, destination, hop in [
        ("/routes", "0.0.0.0/0", {"port": "{other_port}"}), ("/routes", "10.21.0.0/16", {"peering": "{peering}"}), ("/routes", "198.18.0.0/15", {"gateway": "{gateway}"})]),
    R("/users", {"name": "ann", "path": "/staff/", "tags": TAGS}, changes=[{"name": "bob"}, {"path": "/"}], label="user", by="owner"),
    R("/user-groups", {"name": "team", "path": "/staff/"}, by="owner"),
    R("/access-keys", {"user": "{user}"}, by="owner"),
    R("/policies", {"name": "look", "path": "/own/", "description": "d", "document": DOCUMENT, "tags": TAGS}, {"document": HIDDEN}, by="owner"),
    R("/iam-roles", {"name": "deploy", "path": "/own/", "description": "d", "trust": TRUST}, by="owner"),
    R("/saml-providers", {"name": "corp", "metadata": IDP.metadata(), "account": "{own}"}, changes=[{"metadata": IDP.metadata('ID="_next"')}], by="owner"),
    R("/oidc-providers", {"url": "https://ID.example.com/works/", "client_ids": ["console"], "thumbprints": ["ab" * 20], "account": "{own}"},
      {"url": ("url", "id.example.com/works")}, by="owner"),
    R("/tickets", {"subject": "It panics", "body": "Every night.", "about": "technical", "severity": "high", "resources": ["{instance}"], "language": "ja",
                   "copies": ["a@b.test"], "shares_address": True, "account": "{own}"}, {"body": HIDDEN, "resources": HIDDEN},
      [{"severity": "low"}]),
    R("/domains", {"name": "d", "description": "d"}, changes=[{"name": "e"}, {"description": "e"}, {"enabled": False}, {"enabled": True}, {"passwords": "refused"}, {"passwords": "accepted"}], by="admin", label="domain"),
    R("/accounts", {"domain": "{domain}", "name": "a", "description": "d", "with_default_router": False, "with_key": True},
      {"with_default_router": lambda r: "default_router" not in r, "with_key": HIDDEN}, [{"name": "b"}, {"description": "e"}, {"enabled": False}, {"enabled": True}],
      by="admin", label="account"),
    R("/accounts", {"name": "limited"}, changes=[{name: 7} for name in LIMITS], changed={name: (f"limit_{name}", 7) for name in LIMITS}, by="admin", also="/limits"),
    R("/role-assignments", {"role": "{role}", "user": "{member}", "account": "{account}"}, by="admin"),
    R("/role-assignments", {"role": "{role}", "user": "{member}", "domain": "{domain}", "inherited": True}, by="admin"),
    R("/webhooks", {"name": "w", "url": "http://127.0.0.2:9/", "secret": "x" * 16, "events": ["instance"], "is_off": True, "takes_payments": True}, {"secret": HIDDEN},
      [{"url": "http://127.0.0.2:8/"}, {"secret": "y" * 16}, {"events": ["volume"]}, {"is_off": False}, {"takes_payments": False}], {"secret": HIDDEN}, by="admin"),
    R("/providers", {"name": "p", "cloud": "aws", "region": "eu-1", "login": "AKIAX", "secret": "s", "endpoint": "http://127.0.0.2:9/", "account": "{account}", "pin": "sha256//x",
                     "ca": "-----BEGIN CERTIFICATE-----", "poll_s": 86400, "reads_metrics": True, "project": "x", "domain": "y", "queue": "https://sqs.eu-1.example/1/q"}, {"secret": HIDDEN},
      [{"login": "AKIAY"}, {"secret": "t"}, {"pin": "sha256//y"}, {"ca": "-----BEGIN CERTIFICATE-----x"}, {"poll_s": 3600}, {"reads_metrics": False}, {"queue": "https://sqs.eu-1.example/1/r"}], {"secret": HIDDEN}, by="admin", waits=True),
    R("/signup-templates", {"name": "t", "description": "d", "is_open": True, "is_reviewed": True, "is_prepaid": False,
                            "trial_limits": {"instances": "1"}, "limits": {"instances": "2"}},
      changes=[{"description": "e"}, {"is_open": False}, {"is_reviewed": False}, {"is_prepaid": True}, {"trial_limits": {"instances": "3"}}, {"limits": {"instances": "4"}}], by="admin"),
    R("/external-networks", {"name": "second", "physical_network": "phys2", "next_hop": "192.0.2.1", "infra_first": "192.0.2.10", "infra_last": "192.0.2.19",
                             "first": "192.0.2.100", "last": "192.0.2.199"}, {m: HIDDEN for m in ("infra_first", "infra_last", "first", "last")},
      [{"is_default": False}], by="admin", label="second"),
    R("/instance-types", {"name": "c2.big", "flavor_id": "big", "description": "d", "vcpus": 2, "memory": 2**31, "root_disk": 2**33, "ephemeral_disk": 2**30, "swap_disk": 2**29, "is_public": False,
                          "enabled": True, "extra_specs": {"a": "b"}},
      changes=[{"name": "c2.bigger"}, {"description": "e"}, {"enabled": False}, {"extra_specs": {"c": "d"}}, {"remove_spec": "c"}, {"share_with": "{other}"}, {"unshare_with": "{other}"}],
      changed={"extra_specs": lambda r: r["extra_specs"] == {"a": "b", "c": "d"}, "remove_spec": lambda r: r["extra_specs"] == {"a": "b"},
               "share_with": lambda r: len(r["users"]) == 1, "unshare_with": lambda r: not r["users"]}, by="admin"),
    R("/volume-types", {"name": "fast", "description": "d", "is_public": False, "specs": {"a": "b"}, "share_with": "{other}"}, {"share_with": lambda r: len(r["users"]) == 1},
      [{"name": "faster"}, {"description": "e"}, {"specs": {"c": "d"}}, {"unshare_with": "{other}"}, {"share_with": "{own}"}, {"is_public": True}],
      {"share_with": lambda r: len(r["users"]) == 1, "unshare_with": lambda r: not r["users"]}, by="admin"),
    R("/snapshot-policies", {"volume": "{volume}", "interval": "weekly", "schedule": "30:03:7", "timezone": "Asia/Seoul", "kept": 3, "is_active": True, "tags": TAGS},
      changes=[{"is_active": False}, {"is_active": True}]),
    R("/backup-plans", {"name": "nightly", "description": "d", "instances": ["{instance}"], "tag_key": "backup", "tag_value": "daily", "interval": "weekly", "schedule": "30:03:7",
                        "timezone": "Asia/Seoul", "keep_last": 1, "keep_hourly": 2, "keep_daily": 3, "keep_weekly": 4, "keep_monthly": 5, "keep_yearly": 6, "container": "c",
                        "check_days": 7, "check_marker": "ready", "is_active": False, "tags": TAGS, "account": "{own}"},
      changes=[{"name": "weekly"}, {"description": "e"}, {"instances": []}, {"tag_key": "saved"}, {"tag_value": "weekly"}, {"interval": "daily", "schedule": "30:04"}, {"timezone": "UTC"},
               {"keep_last": 2}, {"keep_hourly": 0}, {"keep_daily": 0}, {"keep_weekly": 0}, {"keep_monthly": 0}, {"keep_yearly": 0}, {"container": "e"}, {"check_days": 0},
               {"check_marker": "on"}, {"is_active": True}, {"tags": {"a": "b"}}]),
    R("/machine-policies", {"name": "retired", "rule": "retirement", "account": "{own}", "description": "d", "scope": "here", "tag_key": "team", "tag_value": "red", "act": "stop",
                            "date_tag": "retire-on", "age_days": 3000, "warn_days": 7, "check_s": 3600, "is_active": False},
      changes=[{"name": "old"}, {"description": "e"}, {"scope": "all"}, {"tag_key": "a"}, {"tag_value": "b"}, {"act": "terminate"}, {"date_tag": "until"}, {"age_days": 1000},
               {"warn_days": 0}, {"check_s": 7200}, {"is_active": True}]),
    R("/machine-policies", {"name": "night", "rule": "schedule", "stop_at": "0 20 29 2 *", "start_at": "0 8 29 2 *", "timezone": "Asia/Seoul", "is_active": False},
      changes=[{"stop_at": "0 21 29 2 *"}, {"start_at": "0 9 29 2 *"}, {"timezone": "UTC"}], label="night"),
    R("/machine-policies", {"name": "tagged", "rule": "required_tags", "keys": ["owner"], "grace_hours": 3, "is_active": False}, changes=[{"keys": ["owner", "team"]}, {"grace_hours": 5}], label="tagged"),
    R("/machine-policies", {"name": "register", "rule": "provisioned", "playbook": "register.yml", "playbook_limit_s": 300, "is_active": False}, changes=[{"playbook": "other.yml"}, {"playbook_limit_s": 60}], label="register"),
    R("/machine-policies", {"name": "drift", "rule": "event", "event": "power_drift", "playbook": "drift.yml", "runs_per_hour": 3, "is_active": False},
      changes=[{"event": "state_changed"}, {"runs_per_hour": 5}], label="drift"),
    R("/machine-policies", {"name": "off", "rule": "power_state", "power": "stopped", "is_active": False}, changes=[{"power": "running"}], label="off"),
    R("/clusters", {"name": "demo", "account": "{own}", "version": "1.37.2", "image": "{image}", "control_type": "t3.large", "worker_type": "t3.small", "control_count": 3, "workers": 0,
                    "network": "10.31.0.0/16", "pod_network": "10.245.0.0/16", "service_network": "10.112.0.0/12", "sources": ["192.0.2.0/24"], "is_internal": True, "key_pair": "brought",
                    "registry": "registry.example.com", "packages": "http://mirror.example.com/k8s", "packages_key": "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ==\n-----END PGP PUBLIC KEY BLOCK-----",
                    "manifests": ["https://example.com/cni.yaml"]},
      {"control_type": lambda r: r["control_type"] != r["worker_type"], "worker_type": lambda r: r["worker_type"], "network": lambda r: r["owns_network"] and r["address"].startswith("10.31."),
       "pod_network": ("pod_block", "10.245.0.0/16"), "service_network": ("service_block", "10.112.0.0/12"), "sources": HIDDEN, "key_pair": HIDDEN, "packages_key": HIDDEN},
      [{"workers": 1}], label="cluster"),
    R("/machine-backups", {"instance": "{instance}", "name": "b", "description": "d", "container": "c", "is_full": True, "tags": TAGS}, {"container": HIDDEN, "is_full": HIDDEN},
      [{"name": "e"}, {"description": "f"}, {"is_held": True}, {"is_held": False}]),
    R("/address-ranges", {"external_network": "{second}", "first": "203.0.113.10", "last": "203.0.113.20"}, by="admin"),
]
# Calls whose members other tests cover, and where.
ELSEWHERE = {
    "POST /audits": "makes no row: native/audits.py", "POST /commands": "makes no row: operator/dari_url.py", "POST /tags": "makes no row: cross/bad_parameters.py",
    "POST /session": "console/, native/api.py", "POST /signups": "operator/signups.py", "POST /price-lists": "operator/bills.py", "POST /hosts": "operator/host_add.py",
    "PATCH /hosts/{id}": "operator/host_add.py", "POST /remote-machines": "operator/providers_create.py", "POST /cloud-migrations": "operator/migrate.py", "PATCH /cloud-migrations/{id}": "operator/migrate.py", "POST /storage-pools": "real/52-shared-pool.py", "PATCH /storage-pools/{id}": "real/52-shared-pool.py",
}
PARTS_ELSEWHERE = {
    "POST /machine-policies": {"provider": "operator/machine_policies.py"}, "PATCH /machine-policies/{id}": {"provider": "operator/machine_policies.py"},
    "POST /clusters": {"subnets": "native/clusters.py", "profile": "native/clusters.py"},
    "POST /signup-templates": {"reseller": "operator/signups.py"}, "PATCH /signup-templates/{id}": {"reseller": "operator/signups.py"},
    "POST /routes": {"nat_gateway": "real/05-network.sh", "egress_gateway": "real/49-ipv6-out.py", "instance": "cross/two_faces_network.py"},
    "POST /role-assignments": {"user_group": "cross/two_faces_people.py", "system": "cross/two_faces_people.py"},
}


def is_whole_call(title):
    """True if the call makes a row or changes the members of a row."""
    action = ACTIONS[title]
    words = action["path"].strip("/").split("/")
    made = action["method"] == "POST" and "{id}" not in words and (len(words) == 1 or words[1] in ("import", "ingress", "egress"))
    return (made or action["method"] == "PATCH") and any(p["in"] == "body" for p in action["params"]) and title not in ELSEWHERE and not action["open"]


def names_in(body):
    """Names of the members, those of objects in lists as "disks.N.size"."""
    return {*body, *(f"{name}.N.{part}" for name, value in body.items() if isinstance(value, list) for item in value if isinstance(item, dict) for part in item)}


NUMBERED = {f"{n} {r.path}": r for n, r in enumerate(ROWS)}


class Native:
    name = "native"
    actions = ACTIONS
    cases = {"made": list(NUMBERED), "whole": [t for t in ACTIONS if is_whole_call(t)]}

    @contextlib.contextmanager
    def make(self):
        with Dev("--hosts", "8") as dev:
            yield Region(dev)

    def made(self, region, name):
        row = NUMBERED[name]
        by, body = getattr(region, row.by), region.fill(row.body)
        region.sent.setdefault(f"POST {row.path}", set()).update(names_in(body))
        (made, *_) = by.api_ok("POST", row.path, body)["items"]
        region.dev.endless += row.waits
        region.dev.rest()
        item = f"{row.at}/{made['id']}"
        shown = by.api_ok("GET", item)["item"]
        region.check(shown, body, row.shown, "show")
        listed = next(r for r in by.rows(f"{row.at}?fields=*{'&all=1' if row.by == 'admin' else ''}") if r["id"] == made["id"])
        for other, where in ((made, "answer"), (listed, "list")):
            differs = {m: (other[m], shown[m]) for m in set(other) & set(shown) - MOVING if other[m] != shown[m]}
            assert not differs, f"the {where} and the show: {differs}"
        if row.label:
            region.ids[row.label] = made["id"]
        if row.then:
            by.api_ok("POST", row.then[0].format(**region.ids), region.fill(row.then[1]))
            region.dev.rest()
        for change in row.changes:
            change = region.fill(change)
            by.api_ok("PATCH", item + row.also, change)
            region.sent.setdefault(f"PATCH {row.at}/{{id}}{row.also}", set()).update(change)
            region.dev.rest()
            region.check(by.api_ok("GET", item)["item"], change, row.changed, f"after {change}")

    def whole(self, region, title):
        """Runs after the rows: they must have sent each member of the call."""
        taken = {p["name"] for p in ACTIONS[title]["params"] if p["in"] == "body" and p["built"]}
        missing = taken - region.sent.get(title, set()) - set(PARTS_ELSEWHERE.get(title, {}))
        assert not missing, f"no row of {title} gives {', '.join(sorted(missing))}"


# Members that change by themselves.
MOVING = {"gen", "status", "status_us", "ended", "ended_us", "file_sha256", "batch", "state", "conditions", "usage", "progress", "last_used_us", "is_raw", "file_size", "cut_size", "object_count", "stored_size",
          "is_written", "status", "problem", "since_us", *(f"seen_{what}" for what in ("gen", "power", "us", "stage", "size", "up"))}


class Owner:
    """The account's owner, who has no token and signs with an access key."""
    api_ok, rows = lib.Native.api_ok, lib.Native.rows

    def __init__(self, account):
        self.account = account

    def api(self, method, path, body=None):
        return ask(self.account, method, path, body)


class Region:
    """A project with prerequisites by label; an administrator; the members sent to each call."""

    def __init__(self, dev):
        self.dev, self.mine, self.admin, self.sent = dev, lib.another(dev, "mine"), lib.admin(dev), {}
        self.owner = Owner(self.mine.root)
        other = lib.another(dev, "other")
        types = {r["name"]: r["id"] for r in self.mine.rows("/instance-types")}
        profile = self.mine.root.ok("CreateInstanceProfile", {"InstanceProfileName": "web"}, service="iam", version="2010-05-08")
        group = self.mine.ok("POST", "/network/v2.0/address-groups", {"address_group": {"name": "a", "addresses": ["192.0.2.0/24"]}})
        self.ids = {
            "zone": self.mine.rows("/zones")[0]["id"], "outside": self.mine.rows("/external-networks")[0]["id"], "image": lib.image_of(dev),
            "type": types["t3.nano"], "larger": types["t3.micro"], "own": str(uuid.UUID(self.mine.id)), "other": str(uuid.UUID(other.id)), "member": str(uuid.UUID(other.user_id)),
            "number": self.mine.root.client("sts").get_caller_identity()["Account"], "addresses": group["address_group"]["id"],
            "role": self.admin.rows("/roles")[0]["id"], "profile": next(r["id"] for r in self.mine.rows("/instance-profiles"))}
        assert profile.first(".//InstanceProfileName") == "web"

    def fill(self, value):
        """The value with ids in place of "{label}"."""
        if isinstance(value, dict):
            return {k: self.fill(v) for k, v in value.items()}
        if isinstance(value, list):
            return [self.fill(v) for v in value]
        is_label = isinstance(value, str) and value.startswith("{") and '"' not in value  # a policy contains quotes
        return value.format(**self.ids) if is_label else value

    def check(self, shown, body, differs, where):
        for member, value in body.items():
            wanted = differs.get(member, value)
            if wanted is HIDDEN:
                continue
            if callable(wanted):
                assert wanted(shown), f"{where}: {member}: {shown}"
                continue
            name, wanted = wanted if isinstance(wanted, tuple) else (member, wanted)
            assert shown.get(name) == self.fill(wanted), f"{where}: {name} is {shown.get(name)!r}, not {self.fill(wanted)!r}: {shown}"

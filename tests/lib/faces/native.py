# SPDX-License-Identifier: Apache-2.0
"""The native API's adapter for the matrices of tests/contract/cross/: an account with one resource of each kind, created by EC2 (world), OpenStack
(furnish) and this API."""
import contextlib
import copy
import json
import re

import autoscaling_world
import cloudwatch_world
import elb_world
import messaging_world
import native as lib
import saml_idp
from cloud import ABSENT, body_of
from dev import Dev, Still, quote
from world import HOSTS, World

from . import cloudstack, face

IMAGES_DATA, CONSOLE = "PUT /images/{id}/data", "POST /instances/{id}/console"
BY_TOKEN = {IMAGES_DATA, CONSOLE}  # calls that cannot be signed with an access key
REGIONS = {"zone", "instance_type", "external_network", "host", "role", "domain", "account", "volume_type", "volume_group_type",
           "network_offering"}  # kinds of rows that belong to no account
NOT_MADE = {"policy_finding", "deployment", "instance_extension", "resource_group", "address_prefix", "volume_attachment", "autoscale_setting",
            "alarm_delivery"}  # kinds that do not exist in the world
ELSEWHERE = {"provider", "remote_machine", "remote_resource", "cloud_migration", "cloud_migration_disk"}  # kinds that need a second cloud: operator/providers.py and
# operator/migrate_rights.py ask for other accounts and by policies
OWN = {"second_factor", "application_credential"}  # kinds that only their user can access: cross/doors_own.py
PARTS_OF_USERS = {"access_key", "group_member"}
WITHOUT_ROW = {"PATCH /cloud-migrations/{id}"}  # calls on such a kind that name rows of others, too: operator/migrate_rights.py
DOCUMENT = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}}'
TRUST = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}}'
UNLIKE = re.compile(r'"(request_id|batch|now_us|as_of_us|last_used_us|used_us)":("[^"]*"|\d+),?')  # parts that differ from call to call
SERVICE = "ec2"  # service name in signatures
IDP = saml_idp.Provider()
GIVEN = {  # values that cannot be derived from the tables
    "POST /saml-providers": {"metadata": IDP.metadata()}, "PATCH /saml-providers/{id}": {"metadata": IDP.metadata()},
    "GET /simulate": {"action": "ec2:RunInstances"}, "POST /iam-roles/{id}/trust": {"trust": TRUST},
    "POST /policies/{id}/versions": {"document": DOCUMENT}, "POST /tickets/{id}/attach": {"data": "eA=="}}
OTHERS = {"PATCH /instances/{id}": "still i"}  # calls that only a certain row supports: its label in the world
NOT_ASKED = {  # (title, parameter) that names a row about which policies are not asked
    ("POST /instances", "instance_profile"): "AWS: RunInstances is decided on no profile; iam:PassRole is, on its role",
    ("GET /access-keys/{id}", "id"): "shown to the key's user and to administrators alone",
    ("GET /access-keys/{id}/events", "id"): "likewise",
    ("GET /second-factors", "user"): "only the user's own, and an administrator's"}


def ask(caller, method, path, body=None):
    """Signs the request, because IAM users have keys and no token for the project."""
    path, _, query = (lib.PREFIX + path).partition("?")
    query = "&".join(sorted(query.split("&"))).replace("*", "%2A") if query else ""
    data = b"" if body is None else json.dumps(body).encode()
    headers = caller.sign(method, query, data, SERVICE, path)
    if body is not None:
        headers["Content-Type"] = "application/json"
    answer = caller.send(method, path + ("?" + query if query else ""), headers, data)
    return lib.cloud.Answer(answer.status, answer.headers, answer.text)


class Place:
    """A project, and the id and name of one of its rows by kind."""

    def __init__(self, dev, name="matrix"):
        self.dev, self.owner = dev, lib.another(dev, name)
        self.root = self.owner.root
        world = World(self.root, face.EC2)
        lib.cloud.furnish(dev, self.owner)
        cloudstack.Account(dev, self.owner)
        self.number = self.root.client("sts").get_caller_identity()["Account"]
        self.guest = face.Guest(self.root, "guest")
        self.make_identities()
        elb_world.World(dev, self.root)
        scaled = autoscaling_world.World(dev, self.root)
        scaled.make("StartInstanceRefresh", {"AutoScalingGroupName": scaled.idle})
        cloudwatch_world.World(dev, self.root)
        queues = messaging_world.Queues(dev, self.root)
        events = self.root.client("events")
        events.put_rule(Name="never", EventPattern='{"source": ["nobody"]}')
        assert not events.put_targets(Rule="never", Targets=[{"Id": "one", "Arn": queues.arn(queues.jobs)}])["FailedEntryCount"]
        messaging_world.Topics(dev, self.root)
        backup = self.root.client("backup")
        trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "backup.amazonaws.com"}}]}
        backup.create_backup_vault(BackupVaultName="matrix")
        role = self.root.client("iam").create_role(RoleName="backup", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        plan = backup.create_backup_plan(BackupPlan={"BackupPlanName": "never", "Rules": [{"RuleName": "daily", "TargetBackupVaultName": "matrix"}]})["BackupPlanId"]
        backup.create_backup_selection(BackupPlanId=plan, BackupSelection={"SelectionName": "none", "IamRoleArn": role, "Conditions": {
            "StringEquals": [{"ConditionKey": "aws:ResourceTag/matrix", "ConditionValue": "none"}]}})
        dev.rest()
        alive = {i for label, i in world.ids.items() if " " not in label} - world.public
        self.rows = {}
        for action in lib.dump()["actions"]:
            if action["lists"] and not action["admin"]:
                answer = ask(self.root, "GET", action["path"] + "?fields=*&limit=1000")
                found = [r for r in answer.json["items"] if r.get("ec2") not in world.public]
                if found:
                    self.rows[action["kind"]] = next((r for r in found if r.get("ec2") in alive), found[-1])
        # Ids of types are random, so the first might be a type of another architecture than the image's.
        types = ask(self.root, "GET", "/instance-types?fields=*&limit=1000").json["items"]
        self.rows["instance_type"] = next(r for r in types if r["name"] == "t3.nano")
        self.rows["backup_plan"] = next(r for r in ask(self.root, "GET", "/backup-plans?fields=*").json["items"] if r["name"] == "nightly")  # "never" is AWS Backup's
        self.rows["user"] = next(r for r in ask(self.root, "GET", "/users?fields=*").json["items"] if r["name"] == "ann")

        listed = ask(self.root, "GET", "/instances?fields=*&limit=1000").json["items"]
        self.others = {label: next(r for r in listed if r["ec2"] == world.ids[label]) for label in OTHERS.values()}
        self.member = face.project_guest(dev, self.owner, f"member-{name}", "member")

    def row(self, name, kind):
        """The row of that kind that the call names."""
        return self.others[OTHERS[name]] if kind == "instance" and name in OTHERS and self.others else self.rows.get(kind, {})

    def make_identities(self):
        for action, params in (("CreateUser", {"UserName": "ann"}), ("CreateGroup", {"GroupName": "team"}),
                               ("CreateRole", {"RoleName": "deploy", "AssumeRolePolicyDocument": TRUST}),
                               ("CreateInstanceProfile", {"InstanceProfileName": "web"}), ("AddUserToGroup", {"GroupName": "team", "UserName": "ann"}),
                               ("CreatePolicy", {"PolicyName": "look", "PolicyDocument": DOCUMENT}), ("CreateAccessKey", {"UserName": "ann"})):
            self.root.ok(action, params, service="iam", version=face.IAM_VERSION)
        self.root.ok("CreateOpenIDConnectProvider", {"Url": "https://issuer.example.com", "ThumbprintList.member.1": "a" * 40},
                     service="iam", version=face.IAM_VERSION)
        self.root.ok("CreateSAMLProvider", {"Name": "corp", "SAMLMetadataDocument": IDP.metadata()}, service="iam", version=face.IAM_VERSION)
        policy = f"arn:aws:iam::{self.number}:policy/look"
        self.root.ok("AttachUserPolicy", {"UserName": "ann", "PolicyArn": policy}, service="iam", version=face.IAM_VERSION)
        instance = next(r for r in self.owner.rows("/instances?fields=*") if r["state"] == "running")["id"]
        self.owner.api_ok("POST", "/backup-plans", {"name": "nightly", "instances": [instance], "interval": "cron", "schedule": "0 0 29 2 *", "keep_last": 3})
        self.owner.api_ok("POST", "/machine-backups", {"instance": instance, "name": "before"})
        self.owner.api_ok("POST", "/machine-policies", {"name": "tagged", "rule": "required_tags", "keys": ["owner"], "scope": "here", "is_active": False})
        image = next(i for i in self.owner.rows("/images?fields=*") if i["state"] == "available" and i["arch"] == "x86_64")["id"]
        self.owner.api_ok("POST", "/clusters", {"name": "matrix", "version": "1.37.2", "image": image, "workers": 0, "is_internal": True, "network": "10.201.0.0/20"})
        ticket = self.owner.api_ok("POST", "/tickets", {"subject": "It panics", "body": "Every night."})["items"][0]["id"]
        self.owner.api_ok("POST", f"/tickets/{ticket}/attach", {"name": "log", "data": "eA=="})


def title(action):
    return f"{action['method']} {action['path']}"


def named(action):
    for p in action["params"]:
        if p["built"] and p["type"] in ("id", "list of ids") and p.get("kind"):
            yield p


class Native(face.Face):
    name = "native"

    def __init__(self):
        self.actions = {title(a): a for a in lib.dump()["actions"] if not a["open"] and not a["admin"]}
        named_by = [(name, p["name"]) for name, a in sorted(self.actions.items()) for p in named(a)
                    if (name, p["name"]) not in NOT_ASKED and name not in WITHOUT_ROW and p["kind"] not in REGIONS | OWN | ELSEWHERE and (a["writes"] or a["decided_on"])]
        self.others = [(name, p["name"]) for name, a in sorted(self.actions.items()) for p in named(a)
                       if name not in WITHOUT_ROW and p["kind"] not in REGIONS | OWN | NOT_MADE | ELSEWHERE and "." not in p["name"] and name not in BY_TOKEN]
        self.filters = sorted(name for name, a in self.actions.items() if a["lists"])
        self.doors = [c for c in named_by if not c[0].startswith("DELETE")] + [c for c in named_by if c[0].startswith("DELETE")]

    @contextlib.contextmanager
    def open(self):
        with Dev(*HOSTS) as dev:
            yield Place(dev)

    @contextlib.contextmanager
    def open_two(self):
        with Dev(*HOSTS) as dev:
            made = face.Two(Place(dev, "mine"), Place(dev, "theirs"))
            dev.rest()
            made.unchanged = Still(dev, lambda: [UNLIKE.sub("", ask(made.theirs.root, "GET", self.actions[n]["path"] + "?fields=*&limit=1000").text) for n in self.filters])
            yield made
            dev.rest()
            made.unchanged.ends()

    def compare(self, place, name, wanted):
        """Compares the other account's row with a missing one."""
        kind = next(p["kind"] for p in self.actions[name]["params"] if p["name"] == wanted)
        theirs, told = place.theirs.rows[kind]["id"], []
        for identifier in (theirs, ABSENT):
            view = copy.copy(place.mine)
            view.others, view.rows = {}, {**place.mine.rows, kind: {"id": identifier}}
            answer = self.ask(view.root, name, self.request(view, name, wanted))
            told.append((answer.status, UNLIKE.sub("", answer.text).replace(identifier, "ID")))
        yield kind, *told

    def filtered(self, place, name):
        """Yields (query, rows of the other account found)."""
        shared = {row["id"] for row in place.mine.rows.values()}
        theirs = [row["id"] for kind, row in place.theirs.rows.items() if kind not in REGIONS and row["id"] not in shared]
        for query in ("?fields=*&limit=1000", *(f"?q={i}&limit=1000" for i in theirs[:3])):
            answer = ask(place.mine.root, "GET", self.actions[name]["path"] + query)
            assert answer.status == 200, answer
            yield query, [i for i in theirs if i in answer.text]

    empty = {f"GET /{kind}" for kind in ("address-prefixes", "application-credentials", "deployments", "instance-extensions", "network-offerings",
                                         "policy-findings", "providers", "remote-machines", "remote-resources", "cloud-migrations", "cloud-migration-disks", "resource-groups", "volume-attachments")}
    # Filters that compare another value: commas separate values; "account" filters by visibility, not by ownership.
    unfit = {"GET /iam-roles": {"trust"}, "GET /policy-versions": {"document"}, "GET /volume-types": {"description"}, "GET /images": {"account"},
             "GET /snapshots": {"account"}}

    def rows(self, place, name, query=""):
        answer = ask(place.root, "GET", f"{self.actions[name]['path']}?fields=*&limit=1000{query}")
        assert answer.status == 200, answer
        return answer.json["items"]

    def find(self, place, name, member, value):
        escaped = value.replace(",", "\\,")
        query = f"{member}={quote(escaped)}"
        answer = ask(place.root, "GET", f"{self.actions[name]['path']}?{query}&fields=*&limit=1000")
        if answer.status in (400, 404):
            assert answer.json["field"] == member and (value == "no-such-value" or answer.json["type"] == "urn:dari:unknown"), answer
            return None
        return answer.json["items"]

    def ask(self, caller, name, request):
        method, (path, body) = self.actions[name]["method"], request
        if isinstance(caller, lib.Native):
            return caller.call(method, lib.PREFIX + path, body, raw=b"data" if name == IMAGES_DATA else None,
                               headers={"Content-Type": "application/octet-stream"} if name == IMAGES_DATA else None)
        return ask(caller, method, path, body)

    def guest_of(self, place, what, action):
        name = title(action)
        if name not in BY_TOKEN:
            return place.guest
        return None if what.startswith("Allow") else place.member  # whose role allows the call, as a policy would

    def is_refused(self, answer):
        return answer.status == 403

    def alone(self, place, name):
        return self.request(place, name)

    def request(self, place, name, wanted=None):
        """Path and body, with a row of the account for each reference."""
        action, given = self.actions[name], GIVEN.get(name, {})
        path, query = action["path"], []
        for p in action["params"]:
            own = place.row(name, p.get("kind")).get("id", ABSENT)
            if p["in"] == "path":
                path = path.replace("{%s}" % p["name"], own if p.get("kind") else "1")
            elif p["in"] == "query" and (p["required"] or p["name"] == wanted):
                query.append(f"{p['name']}={own if p.get('kind') else quote(given.get(p['name']) or lib.cloud.example(p))}")
        body = body_of({**action, "name": None, "wrap": None})
        for p in action["params"]:
            if p["in"] == "body" and p.get("kind") in place.rows and (p["required"] or p["name"] == wanted) and "." not in p["name"]:
                own = place.rows[p["kind"]]["id"]
                body[p["name"]] = [own] if p["type"] == "list of ids" else own
            elif p["in"] == "body" and p.get("kind") in place.rows and p["name"] == wanted and ".N." in p["name"]:
                parts, member = p["name"].split(".N.")
                body[parts] = [{member: place.rows[p["kind"]]["id"]}]
        if body is not None:
            body.update(given)
        return path + ("?" + "&".join(query) if query else ""), body

    def asked(self, place, name, wanted):
        param = next(p for p in self.actions[name]["params"] if p["name"] == wanted)
        found = place.row(name, param["kind"])
        yield wanted, self.request(place, name, wanted), row_of(place, param["kind"], found)


def row_of(place, kind, found):
    """The row that policies know: for resources of a user, the user."""
    if kind in PARTS_OF_USERS:
        kind, found = "user", next(r for r in ask(place.root, "GET", "/users?fields=*").json["items"] if r["id"] == found["user"])
    return face.row(place.number, kind, found.get("ec2") or found["id"], found["url"] if kind == "oidc_provider" else found.get("name"))

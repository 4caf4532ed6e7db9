# SPDX-License-Identifier: Apache-2.0
"""SCIM: creates users and groups with every attribute of the tables. The answer, the show, the list, the search and Keystone must agree, and contain
what was sent. Then replaces and patches each attribute by its path, and removes it."""
import contextlib

import cloud
from dev import Dev
from faces import face
from faces.scim import title
from scim import ENTERPRISE, GROUP, USER, Domain, operation

ACTIONS = {title(a): a for a in face.tables("scim")["actions"]}
VALUE = {"value": "v", "display": "d", "type": "work", "primary": True}
WHOLE = {  # a value of each attribute, and another one
    "externalId": ("e1", "e2"), "userName": ("ann", "bea"), "displayName": ("Ann", "Bea"), "nickName": ("a", "b"), "profileUrl": ("https://a.test/", "https://b.test/"),
    "title": ("t1", "t2"), "userType": ("Employee", "Intern"), "preferredLanguage": ("ko", "en"), "locale": ("ko-KR", "en-US"), "timezone": ("Asia/Seoul", "Etc/UTC"),
    "active": (False, True), "password": ("geheim-1", "geheim-2"), "name": ({p: f"{p}1" for p in (
        "formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix")}, {"formatted": "f2", "familyName": "o2"}),
    "emails": ([{**VALUE, "value": "a@a.test"}, {"value": "b@b.test", "type": "home"}], [{"value": "c@c.test", "type": "other"}]),
    "phoneNumbers": ([VALUE], [{"value": "w"}]),
    "addresses": ([{"formatted": "f", "streetAddress": "s", "locality": "l", "region": "r", "postalCode": "p", "country": "KR", "type": "work", "primary": True}], [{"country": "DE"}]),
    ENTERPRISE: ({"employeeNumber": "1", "costCenter": "c", "organization": "o", "division": "d", "department": "p", "manager": {"value": "m", "$ref": "../Users/m"}},
                 {"department": "q"}),
}
REQUIRED = {"userName", "active"}
HIDDEN = {"password"}
TYPES = {"Users": (USER, WHOLE), "Groups": (GROUP, {"externalId": ("g1", "g2"), "displayName": ("crew", "team")})}
CALLS = [n for n, a in ACTIONS.items() if a["writes"] and a["method"] in ("POST", "PUT")]


def names_of(value, prefix):
    """Names of the parameters that the value gives, as in `dari dump scim`."""
    yield prefix
    for one in value if isinstance(value, list) else [value]:
        for name, inner in one.items() if isinstance(one, dict) else ():
            yield from names_of(inner, f"{prefix}{'.N' if isinstance(value, list) else ''}.{name}")


class SCIM:
    name = "scim"
    actions = ACTIONS
    cases = {"made": list(TYPES), "patched": [f"{kind} {name}" for kind, (_, whole) in TYPES.items() for name in whole], "whole": CALLS}

    @contextlib.contextmanager
    def make(self):
        with Dev() as dev:
            admin = cloud.admin(dev)
            domain = Domain(admin, "provisioned")
            domain.admin, domain.sent, domain.made = admin, {}, {}
            domain.people = [domain.user(f"member{n}") for n in range(2)]
            yield domain

    def body(self, place, kind, n):
        """A resource with the first or the second value of each attribute, and with members."""
        urn, whole = TYPES[kind]
        body = {name: values[n] for name, values in whole.items()}
        if kind == "Groups":
            body["members"] = [{"value": p["id"], "$ref": f"{place.url}/Users/{p['id']}"} for p in place.people[n:]]
        return {"schemas": [urn, *([ENTERPRISE] if kind == "Users" else [])], **body}

    def check(self, place, kind, shown, body):
        """The answer, the show, the list and the search."""
        path = f"/{kind}/{shown['id']}"
        wanted = {k: v for k, v in body.items() if k not in HIDDEN}
        by_id = {"filter": f'id eq "{shown["id"]}"'}
        (searched,) = place.ok("POST", f"/{kind}/.search", by_id)["Resources"]
        (listed,) = place.ok("GET", f"/{kind}?filter={by_id['filter']}")["Resources"]
        for where, answer in (("answer", shown), ("show", place.ok("GET", path)), ("search", searched), ("list", listed)):
            found = {k: v for k, v in answer.items() if k not in ("id", "meta")}
            if "members" in wanted:
                found["members"], wanted["members"] = (sorted(v, key=str) for v in (found.get("members", []), wanted["members"]))
            assert found == wanted, f"the {where}: {found}, sent {wanted}"

    def made(self, place, kind):
        for n, (method, path) in enumerate((("POST", f"/{kind}"), ("PUT", f"/{kind}/{{id}}"))):
            body = self.body(place, kind, n)
            place.sent[f"{method} {path[1:]}"] = {name for k, v in body.items() if k != "schemas" for name in names_of(v, k)}
            place.made[kind] = place.ok(method, path.replace("{id}", place.made.get(kind, {}).get("id", "")), body)
            self.check(place, kind, place.made[kind], body)
        if kind == "Users":
            user = place.admin.ok("GET", f"/identity/v3/users/{place.made[kind]['id']}")["user"]
            assert (user["name"], user["email"], user["enabled"]) == ("bea", "c@c.test", True), user

    def patched(self, place, what):
        """Patches the attribute by its path and without a path, and removes it. No other attribute changes."""
        kind, name = what.split(" ")
        path, values = f"/{kind}/{place.made[kind]['id']}", TYPES[kind][1][name]
        before = place.ok("GET", path)
        rest = {k: v for k, v in before.items() if k not in ("meta", "schemas", name)}
        for patch, wanted in ((operation("replace", name, values[0]), values[0]), (operation("replace", value={name: values[1]}), values[1])):
            place.patch(path, patch)
            now = place.ok("GET", path)
            whole = {**values[0], **values[1]} if isinstance(wanted, dict) and wanted is values[1] else {**values[1], **values[0]} if isinstance(wanted, dict) else wanted
            assert now.get(name) == (None if name in HIDDEN else whole), f"{patch}: {now}"
            assert {k: v for k, v in now.items() if k not in ("meta", "schemas", name)} == rest
            assert name in HIDDEN or place.find(f'{name} pr', kind)
        if name in REQUIRED or (kind, name) == ("Groups", "displayName"):
            place.fails(400, "mutability", "PATCH", path, {"Operations": [operation("remove", name)]})
        else:
            place.patch(path, operation("remove", name))
            assert name not in place.ok("GET", path)

    def whole(self, place, name):
        """Runs after the rows: POST must have sent each attribute of the table that a client may write."""
        if name.startswith("PUT"):
            return
        taken = {p["name"] for p in ACTIONS[name]["params"] if p["in"] == "body" and not p.get("passed_over")}
        missing = taken - place.sent[name]
        assert not missing, f"no row of {name} gives {', '.join(sorted(missing))}"

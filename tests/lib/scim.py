# SPDX-License-Identifier: Apache-2.0
"""SCIM's API of a `dari dev`: a domain with an administrator's access key, and requests with the standard library alone."""
import json
import re
import urllib.error
import urllib.parse
import urllib.request

import cloud
from waiting import HANG_S

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
ABSENT = "00000000dead4bee8f00000000000000"


class Answer:
    def __init__(self, status, headers, text):
        self.status, self.headers, self.text = status, headers, text
        self.json = json.loads(text) if text else None

    def __repr__(self):
        return f"{self.status} {self.text[:400]}"


class Domain:
    """A domain, an administrator of it, and SCIM with an access key of that user. Without `domain` it is a new one with a project."""

    def __init__(self, admin, name, role="admin", domain=None, project=None):
        def make(kind, body):
            return admin.ok("POST", f"/identity/v3/{kind}s", {kind: body})[kind]["id"]
        self.url = f"{admin.dev.url}/scim/v2"
        self.domain = domain or make("domain", {"name": name})
        self.project = project or make("project", {"name": name, "domain_id": self.domain})
        self.boss = make("user", {"name": "boss", "domain_id": self.domain, "password": "geheim"})
        roles = {r["name"]: r["id"] for r in admin.ok("GET", "/identity/v3/roles")["roles"]}
        admin.ok("PUT", f"/identity/v3/projects/{self.project}/users/{self.boss}/roles/{roles['member']}")
        admin.ok("PUT", f"/identity/v3/domains/{self.domain}/users/{self.boss}/roles/{roles[role]}")
        made = admin.ok("POST", f"/identity/v3/users/{self.boss}/credentials/OS-EC2", {"tenant_id": self.project})["credential"]
        self.key, self.secret = made["access"], made["secret"]
        self.token = f"{self.key}:{self.secret}"

    def call(self, method, path, body=None, token=None, headers=None, raw=None):
        sent = {"Authorization": f"Bearer {token or self.token}", **(headers or {})}
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        if data is not None:
            sent.setdefault("Content-Type", "application/scim+json")
        request = urllib.request.Request(self.url + path.replace(" ", "%20").replace('"', "%22"), data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=HANG_S) as answer:
                return Answer(answer.status, answer.headers, answer.read().decode())
        except urllib.error.HTTPError as answer:
            return Answer(answer.code, answer.headers, answer.read().decode())

    def ok(self, method, path, body=None, status=None, **how):
        answer = self.call(method, path, body, **how)
        assert answer.status == status if status else answer.status < 300, f"{method} {path} {body}: {answer}"
        return answer.json

    def fails(self, status, kind, method, path, body=None, **how):
        """A refusal in SCIM's form; returns its words."""
        answer = self.call(method, path, body, **how)
        assert (answer.status, answer.json.get("scimType")) == (status, kind), f"{method} {path} {body}: {answer}"
        assert answer.json["schemas"] == [ERROR] and answer.json["status"] == str(status) and answer.json["detail"], answer
        assert answer.headers["Content-Type"] == "application/scim+json", answer.headers
        return answer.json["detail"]

    def user(self, name, **more):
        return self.ok("POST", "/Users", {"schemas": [USER], "userName": name, **more}, status=201)

    def group(self, name, *members):
        body = {"schemas": [GROUP], "displayName": name, "members": [{"value": m["id"]} for m in members]}
        return self.ok("POST", "/Groups", body, status=201)

    def patch(self, path, *operations, status=None, **how):
        return self.ok("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)}, status=status, **how)

    def names(self, query, kind="Users"):
        """Names of the resources that a list returns."""
        found = self.ok("GET", f"/{kind}?{query}")
        assert found["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:ListResponse"]
        return [r.get("userName") or r["displayName"] for r in found["Resources"]]

    def users_and_groups(self):
        """All users and groups, without the time of the last change: a sign-in counts as one."""
        return [re.sub(r'"lastModified":"[^"]*"', "", self.call("GET", f"/{kind}").text) for kind in ("Users", "Groups")]

    def listed(self, action, text):
        """Answer of a list's row of `dari dump scim` with a filter."""
        query = {"filter": text} if text else {}
        if action["method"] == "POST":
            return self.ok("POST", f"/{action['path']}", query)
        return self.ok("GET", f"/{action['path']}?{urllib.parse.urlencode(query)}")

    def find(self, text, kind="Users"):
        return self.names("filter=" + text, kind)


def default_domain(admin):
    """The default domain, with a key in the account of `dari dev`."""
    project = admin.ok("GET", "/identity/v3/projects?name=dev")["projects"][0]["id"]
    return Domain(admin, "default", domain="default", project=project)


def put(body, name, value):
    """Sets the member with the dotted name that `dari dump scim` gives a parameter; ".N" is the first element of a list."""
    urn, name = re.match(r"(urn:.*:User)?\.?(.*)", name).groups()
    if name:
        cloud.put(body.setdefault(urn, {}) if urn else body, name, value)
    else:
        body[urn] = value


def operation(op, path=None, value=None):
    return {"op": op, **({"path": path} if path else {}), **({"value": value} if value is not None else {})}

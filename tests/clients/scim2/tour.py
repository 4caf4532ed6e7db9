# SPDX-License-Identifier: Apache-2.0
"""scim2-tester by scim2-cli against SCIM: each of its checks of RFC 7643 and 7644 is a step. A domain of its own has an administrator with a key."""
import collections
import json
import os
import re
import ssl
import subprocess
import sys
import urllib.request

from steps import CA_FILE, ENDPOINT, step, tell

CONTEXT = ssl.create_default_context(cafile=CA_FILE)
TESTER = os.path.join(os.path.dirname(sys.executable), "scim2")


class Keystone:
    """Enough of Keystone to make a domain and its administrator."""

    def __init__(self):
        self.token = ""
        user = {"name": "admin", "domain": {"id": "default"}, "password": os.environ["ADMIN_PASSWORD"]}
        scope = {"project": {"name": "admin", "domain": {"id": "default"}}}
        proof = {"methods": ["password"], "password": {"user": user}}
        self.token = self.ask("POST", "auth/tokens", {"auth": {"identity": proof, "scope": scope}})[0]["X-Subject-Token"]

    def ask(self, method, path, body=None):
        headers = {"Content-Type": "application/json", **({"X-Auth-Token": self.token} if self.token else {})}
        request = urllib.request.Request(f"{ENDPOINT}/identity/v3/{path}", json.dumps(body).encode() if body else None, headers, method=method)
        with urllib.request.urlopen(request, context=CONTEXT) as answer:
            text = answer.read()
            return answer.headers, json.loads(text) if text else None

    def make(self, kind, **members):
        return self.ask("POST", f"{kind}s", {kind: members})[1][kind]["id"]


def make_token():
    keystone = Keystone()
    domain = keystone.make("domain", name="scim2")
    project = keystone.make("project", name="scim2", domain_id=domain)
    user = keystone.make("user", name="provisioner", domain_id=domain)
    roles = {r["name"]: r["id"] for r in keystone.ask("GET", "roles")[1]["roles"]}
    keystone.ask("PUT", f"projects/{project}/users/{user}/roles/{roles['member']}")
    keystone.ask("PUT", f"domains/{domain}/users/{user}/roles/{roles['admin']}")
    key = keystone.ask("POST", f"users/{user}/credentials/OS-EC2", {"tenant_id": project})[1]["credential"]
    return f"{key['access']}:{key['secret']}"


def run_checks(token):
    """Texts of the failed checks by the check's name, and the number of those that passed."""
    env = dict(os.environ, SCIM_CLI_HEADERS=f"Authorization: Bearer {token}", NO_COLOR="1", COLUMNS="400")
    done = subprocess.run([TESTER, "-u", f"{ENDPOINT}/scim/v2", "test"], env=env, capture_output=True, text=True, check=False)
    found = re.split(r"^(SUCCESS|ERROR|SKIPPED|CRITICAL|DEVIATION|COMPLIANT|ACCEPTABLE) ", done.stdout, flags=re.MULTILINE)
    checks = collections.defaultdict(list)
    for outcome, text in zip(found[1::2], found[2::2]):
        name, _, words = text.partition("\n")
        checks[name.strip()].append((outcome, words))
    assert checks, done.stdout + done.stderr
    return checks


with step("a domain with a key for provisioning"):
    TOKEN = make_token()
with step("the tester runs"):
    CHECKS = run_checks(TOKEN)
    assert sum(len(results) for results in CHECKS.values()) > 80, CHECKS.keys()
for check, results in sorted(CHECKS.items()):
    failed = [words for outcome, words in results if outcome not in ("SUCCESS", "SKIPPED")]
    tell(check.replace("_", " "), " / ".join(failed) if failed else None)
print("ok - end of tour", flush=True)

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/azure/signin src/api/azure/resources
# when: long
"""Azure's SDK for JavaScript: @azure/identity signs in by a secret, a certificate and a password; @azure/arm-resources and @azure/arm-authorization
create a group, its tags and role assignments. azure_sdk_js.js runs in node. This script has the region and the packages from npm, which are
cached."""
# limit: 1200 s
import fcntl
import json
import os
import re
import subprocess
import sys
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from azure import Cloud  # noqa: E402
from dev import ROOT, Dev  # noqa: E402

PACKAGES = ["@azure/identity@4.2.1", "@azure/arm-resources@5.2.0", "@azure/arm-authorization@9.0.0"]  # node 18 runs these versions
CACHE = os.path.join(os.environ.get("DARI_CACHE", os.path.join(ROOT, "build/cache")), "azure-sdk-js-4.2.1")
NPM = ["/usr/bin/npm", "install", "--no-audit", "--no-fund", "--no-update-notifier", "--ignore-scripts", "--no-save", "--prefix", CACHE]
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"


def fetch_packages():
    """Downloads completely, or starts again the next time: npm writes its lock file last."""
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(os.path.join(CACHE, "node_modules/.package-lock.json")):
            subprocess.run([*NPM, *PACKAGES], check=True, cwd=CACHE, stdin=subprocess.DEVNULL)


def make_program(cloud):
    """A user of the domain with a certificate: its id, and a file with key and certificate."""
    pem = os.path.join(os.path.dirname(cloud.dev.config), "program.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=program", "-days", "2", "-keyout", pem,
                    "-out", f"{pem}.crt"], capture_output=True, check=True)
    with open(f"{pem}.crt", encoding="ascii") as crt, open(pem, "a", encoding="ascii") as both:
        certificate = crt.read()
        both.write(certificate)
    password = re.search(r'"admin" with the password (\S+)', cloud.dev.banner)[1]
    me = {"name": "admin", "domain": {"id": "default"}, "password": password}
    send = {"Content-Type": "application/json"}
    _, headers, _ = cloud.send("POST", "/identity/v3/auth/tokens", json.dumps({"auth": {
        "identity": {"methods": ["password"], "password": {"user": me}},
        "scope": {"project": {"name": "admin", "domain": {"id": "default"}}}}}), **send)
    send["X-Auth-Token"] = headers["X-Subject-Token"]
    user = cloud.send("POST", "/identity/v3/users", json.dumps({"user": {"name": "program"}}), **send)[2]["user"]["id"]
    kept = {"type": "cert", "user_id": user, "blob": certificate}
    assert cloud.send("POST", "/identity/v3/credentials", json.dumps({"credential": kept}), **send)[0] == 201
    return str(uuid.UUID(user)), pem


def main():
    fetch_packages()
    with Dev("--tls") as dev:
        cloud = Cloud(dev)
        program, pem = make_program(cloud)
        asked = {"modules": CACHE, "url": dev.url, "location": "useast1", "client": dev.account.key_id, "secret": dev.account.secret,
                 "tenant": cloud.ask("GET", "/tenants", "2019-11-01")[2]["value"][0]["tenantId"], "program": program, "pem": pem,
                 "subscription": cloud.subscription().split("/")[-1], "reader": READER, "assignment": str(uuid.uuid4()),
                 "password": dev.banner.split("OS_PASSWORD=")[1].split()[0]}
        env = dict(os.environ, ASKED=json.dumps(asked), NODE_EXTRA_CA_CERTS=cloud.ca)
        done = subprocess.run(["/usr/bin/node", os.path.join(ROOT, "tests/contract/clients/azure_sdk_js.js")], env=env, capture_output=True,
                              text=True, check=False)
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert told["wrong"] and told["made"]["tags"] == {"made": "by js"}, told
        assert told["tags"]["properties"]["tags"] == {"made": "by js", "more": "1"}, told
        assert set(told["groups"]) == {"dari-default", "js-rg"} and {"Owner", "Reader"} <= set(told["roles"]), told
        assert told["assigned"]["principalId"] == program and told["read"] == "js-rg", told
        assert told["refused"] == "AuthorizationFailed" and told["person"] == 2 and told["gone"] is False, told
    print("1 passed, 0 failed")


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/ec2 src/api/query
# when: long
"""AWS's SDK for JavaScript, version 3, against a region with many resources: aws_sdk_js.js runs in node. This script has the region, the package from
npm (cached), and botocore's view of the same answers, which must agree."""
# limit: 1200 s
import fcntl
import json
import os
import re
import subprocess
import sys

import botocore.exceptions
from botocore import xform_name

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import REGION, ROOT, Dev, describes, dump  # noqa: E402
from world import ID, World  # noqa: E402

PACKAGE, VERSION = "@aws-sdk/client-ec2", "3.758.0"  # the newest version that node 18 runs
CACHE = os.path.join(os.environ.get("DARI_CACHE", os.path.join(ROOT, "build/cache")), f"aws-sdk-js-{VERSION}")
NPM = ["/usr/bin/npm", "install", "--no-audit", "--no-fund", "--no-update-notifier", "--ignore-scripts", "--no-save", "--prefix", CACHE]
TABLES = dump()
ACTIONS = {a["name"]: a for a in TABLES["actions"] if a["service"] == "ec2"}


def fetch_package():
    """Downloads completely, or starts again the next time: npm writes its lock file last."""
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(os.path.join(CACHE, "node_modules/.package-lock.json")):
            subprocess.run([*NPM, f"{PACKAGE}@{VERSION}"], check=True, cwd=CACHE, stdin=subprocess.DEVNULL)


def ids_in(text):
    return sorted({m[0] for m in ID.finditer(text)})


def listed(account):
    """Contents of each list, by the ids in its answer."""
    names = describes(TABLES)
    return {name: ids_in(answer.text) for name, answer in zip(names, account.call_all([(n, {}) for n in names]), strict=True)
            if name in ACTIONS}


def pages(ec2, world):
    """Small page sizes for each paginated list."""
    rows = {}
    for name, action in ACTIONS.items():
        least = [p.get("min", 1) for p in action["params"] if p["name"] == "MaxResults"]
        if not least or not hasattr(ec2, xform_name(name)) or not ec2.can_paginate(xform_name(name)):
            continue
        shape = ec2.meta.service_model.operation_model(name).input_shape
        asked = {m: world.ids[p["prefix"]] for m in shape.required_members for p in action["params"] if p["name"] == m}
        rows[name] = {"input": {"LaunchTemplateId": world.ids["lt"]} if name == "DescribeLaunchTemplateVersions" else asked, "least": least[0]}
    return rows


def ids_member(ec2, operation):
    """The member that takes ids, and their prefix; None if there is none."""
    shape = ec2.meta.service_model.operation_model(operation).input_shape.members
    for own in ACTIONS[operation]["params"]:
        name = own["name"].removesuffix(".N")
        wanted = {name, name + "s", name.removesuffix("Id") + "Ids"}
        for member, value in shape.items():
            if own.get("prefix") and own["name"].endswith(".N") and (member in wanted or value.serialization.get("name", "").lower() == name.lower()):
                return member, own["prefix"]
    return None


def wait(ec2, name, asked):
    """Result of a waiter that polls once. A refusal that the waiter does not know ends botocore's; JavaScript's goes on polling."""
    try:
        ec2.get_waiter(name).wait(**asked, WaiterConfig={"Delay": 1, "MaxAttempts": 1})
        return "SUCCESS"
    except botocore.exceptions.WaiterError as e:
        return "TIMEOUT" if "Max attempts exceeded" in str(e) or "An error occurred" in str(e) else "FAILURE"


def waits(ec2, world):
    """For each waiter, one request for each final state that exists here."""
    rows = []
    for name in ec2.waiter_names:
        operation = ec2.get_waiter(name).config.operation
        member = ids_member(ec2, operation) if operation in ACTIONS else None
        if not member:
            continue
        known = {*world.ids.values(), *world.deleted.values(), f"{member[1]}-0123456789abcdef0"}
        ends = {}
        for identifier in sorted(i for i in known if re.fullmatch(rf"{member[1]}-[0-9a-f]{{17}}", i)):
            ends.setdefault(wait(ec2, name, {member[0]: [identifier]}), {member[0]: [identifier]})
        rows += [{"waiter": ec2.get_waiter(name).name, "input": asked, "end": end} for end, asked in ends.items()]
    return rows


def main():
    fetch_package()
    with Dev() as dev:
        world = World(dev.account, TABLES)
        dev.rest()
        ec2 = dev.account.client()
        given = {"modules": CACHE, "package": PACKAGE, "region": REGION, "endpoint": dev.url, "key": dev.account.key_id,
                 "secret": dev.account.secret, "id": ID.pattern, "image": world.image, "lists": listed(dev.account), "pages": pages(ec2, world),
                 "waits": waits(ec2, world), "actions": sorted(ACTIONS)}
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "aws_sdk_js.js")
        done = subprocess.run(["/usr/bin/node", "--test-reporter=tap", script], input=json.dumps(given), text=True, check=False)
    sys.exit(done.returncode)


main()

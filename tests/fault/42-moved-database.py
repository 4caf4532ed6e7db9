#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/store
"""The database's files are moved, replaced and removed under a running region: every face refuses changes without a trace, reads work, doctor and one
line of the log report it. With the same files back changes work again, and answered changes are there after the next start: from files moved back,
after a removed log, and from files that the process still had open."""
import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from dev import DARI, Dev  # noqa: E402
import waiting  # noqa: E402
from load import Steps  # noqa: E402

steps = Steps()
check = steps.check
NAMES = ("dari.db", "dari.db-wal", "dari.db-shm")


def groups(account):
    return sorted(account.ok("DescribeSecurityGroups").all(".//securityGroupInfo/item/groupName"))


def make(account, name):
    return account.call("CreateSecurityGroup", {"GroupName": name, "GroupDescription": "x"})


def post(url, body, **headers):
    """Status, headers, text."""
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.headers, refused.read().decode()


def token_of(dev):
    env = dict(re.findall(r"(OS_\w+)=(\S+)", dev.banner))
    user = {"name": env["OS_USERNAME"], "domain": {"id": "default"}, "password": env["OS_PASSWORD"]}
    scope = {"project": {"name": env["OS_PROJECT_NAME"], "domain": {"id": "default"}}}
    ask = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
    return post(env["OS_AUTH_URL"] + "/auth/tokens", ask)[1]["X-Subject-Token"]


def doctor(dev):
    done = subprocess.run([DARI, "--config", dev.config, "doctor"], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def end(dev):
    """Exit status, and how often the log says that the database was moved, and came back."""
    with contextlib.redirect_stdout(io.StringIO()) as told:
        status = dev.end()
    print(told.getvalue(), end="")
    return status, told.getvalue().count("event=database-moved"), told.getvalue().count("event=database-back")


def refused(dev, token, made):
    """Checks that nothing is changed, and that it is reported."""
    for _ in range(5):
        answer = make(dev.account, "lost")
        check("EC2 refuses a change", (answer.status, answer.code) == (503, "Unavailable") and "dari doctor" in answer.message, str(answer))
    answer = dev.account.call("CreateUser", {"UserName": "lost"}, version="2010-05-08", service="iam")
    check("so does IAM", (answer.status, answer.code) == (503, "ServiceUnavailable"), str(answer))
    status, _, text = post(dev.url + "/network/v2.0/security-groups", {"security_group": {"name": "lost"}}, **{"X-Auth-Token": token})
    check("so does OpenStack", status == 503 and "dari doctor" in text, f"{status} {text}")
    check("reads go on", groups(dev.account) == made)
    status, words = doctor(dev)
    check("doctor says so, and what to do", status == 1 and re.search(r"^!!  database file .*\n +No change is taken", words, re.MULTILINE), words)


def main():
    where = tempfile.mkdtemp(prefix="dari-moved-")
    data, made = f"{where}/data", ["default", "first"]
    path, log, _ = (f"{data}/{name}" for name in NAMES)
    dev = Dev("--data", data)
    try:
        token = token_of(dev)
        check("a change is taken", make(dev.account, "first").status == 200)
        check("doctor finds the file", re.search(r"^ok  database file", doctor(dev)[1], re.MULTILINE))

        os.rename(path, path + ".away")
        refused(dev, token, made)
        shutil.copy(path + ".away", path)
        refused(dev, token, made)
        os.rename(path + ".away", path)
        check("with the same file back, changes are taken", make(dev.account, "second").status == 200)
        made = sorted(made + ["second"])

        os.rename(path, path + ".away")
        with open(path, "w", encoding="ascii") as other:
            other.write("another program's")
        os.unlink(log)
        refused(dev, token, made)
        with open(path, encoding="ascii") as other:
            check("what was put there is as it was", other.read() == "another program's")
        os.rename(path + ".away", path)
        answer = make(dev.account, "lost")
        check("without its log the file is not enough", answer.status == 503, str(answer))
        told = end(dev)
        check("it ends well, having said once each time that the database went, and once that it was back", told == (0, 2, 1), str(told))

        dev = Dev("--data", data)
        check("after the next start what was answered is there, and nothing else", groups(dev.account) == made, groups(dev.account))

        check("a change is taken", make(dev.account, "third").status == 200)
        made = sorted(made + ["third"])
        token = token_of(dev)  # now, because a new token writes a record of the audit log
        for name in NAMES:
            os.unlink(f"{data}/{name}")
        refused(dev, token, made)
        opened = waiting.open_files(dev.process.pid)
        for name in NAMES[:2]:
            shutil.copy(opened[f"{data}/{name} (deleted)"], f"{data}/{name}")
        told = end(dev)
        check("it ends well", told == (0, 1, 0), str(told))
        dev = Dev("--data", data)
        check("of copies of what it had open all is there again", groups(dev.account) == made, groups(dev.account))
        check("and changes are taken", make(dev.account, "fourth").status == 200)
        check("audit is clean", dev.command("audit") == [])
    finally:
        if dev.process.poll() is None:
            dev.end()
        shutil.rmtree(where)
    steps.end()


main()

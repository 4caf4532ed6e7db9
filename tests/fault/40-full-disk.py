#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/store src/daemon/health.c
"""The file system of the data directory fills up under load: changes are refused and leave no trace, reads go
on, doctor says what to do, nothing answered is lost over a kill, and with room again all is as before.
"""
import os
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from dev import DARI, Dev  # noqa: E402
from load import Steps  # noqa: E402

steps = Steps()
check = steps.check


def groups(account):
    return sorted(account.ok("DescribeSecurityGroups").all(".//securityGroupInfo/item/groupName"))


def fill(account):
    """Makes groups until four were refused; (names that were answered, codes of the refusals)."""
    made, refused = ["default"], []
    for n in range(5000):
        name = f"full-{n:04}"
        answer = account.call("CreateSecurityGroup", {"GroupName": name, "GroupDescription": "x" * 200})
        if answer.status == 200:
            made.append(name)
        else:
            refused.append((answer.status, answer.code))
            if len(refused) == 4:
                break
    return sorted(made), refused


def doctor(dev):
    done = subprocess.run([DARI, "--config", dev.config, "doctor"], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def main():
    where = tempfile.mkdtemp(prefix="dari-full-")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "dari-full", where], check=True)
    dev = Dev("--data", f"{where}/data")
    try:
        made, refused = fill(dev.account)
        check(f"{len(made)} groups fitted; then changes are refused: {refused}",
              len(refused) == 4 and all(r == (500, "InternalError") for r in refused))
        check("what was answered is there, what was refused is not", groups(dev.account) == made)
        status, words = doctor(dev)
        check("doctor finds it and says what to do", status == 1 and "Make room" in words)

        dev.end(signal.SIGKILL)
        subprocess.run(["mount", "-o", "remount,size=64m", where], check=True)
        dev = Dev("--data", f"{where}/data")
        check("after a kill on the full disk, what was answered is there", groups(dev.account) == made)
        check("with room again, changes are taken",
              dev.account.call("CreateSecurityGroup", {"GroupName": "late", "GroupDescription": "x"}).status == 200)
        check("audit is clean", dev.command("audit") == [])
    finally:
        dev.end()
        subprocess.run(["umount", where], check=True)
        os.rmdir(where)
    steps.end()


main()

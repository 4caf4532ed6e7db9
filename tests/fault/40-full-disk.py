#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/store src/daemon/health.c src/base/disk_room.c src/drivers/image/image_upload.c
"""The file system of the data directory fills up, under load and by an upload: changes are refused with retryable errors and leave no trace, reads
and sign-ins work, dari can start, doctor, /healthz and metrics report it, a kill loses nothing answered, and with room again changes work without
a restart. An upload cannot use the reserved room."""
import http.client
import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from dev import DARI, Dev  # noqa: E402
from load import Steps  # noqa: E402
from waiting import HANG_S  # noqa: E402

steps = Steps()
check = steps.check


def groups(account):
    return sorted(account.ok("DescribeSecurityGroups").all(".//securityGroupInfo/item/groupName"))


def fill(account):
    """Creates groups until four were refused; (names that were answered, codes of the refusals)."""
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


def metric(dev, name):
    with urllib.request.urlopen(dev.url + "/metrics") as answer:
        return float(re.search(rf"^{name} (\S+)$", answer.read().decode(), re.MULTILINE)[1])


def health(dev):
    with urllib.request.urlopen(dev.url + "/healthz") as answer:
        return json.load(answer)["status"]


def sign_in(dev, project="OS_PROJECT_NAME"):
    """An OpenStack sign-in: status and token."""
    env = dict(re.findall(r"(OS_\w+)=(\S+)", dev.banner))
    user = {"name": env["OS_USERNAME"], "domain": {"id": "default"}, "password": env["OS_PASSWORD"]}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}},
                     "scope": {"project": {"name": env[project], "domain": {"id": "default"}}}}}
    request = urllib.request.Request(env["OS_AUTH_URL"] + "/auth/tokens", json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers["X-Subject-Token"]
    except urllib.error.HTTPError as refused:
        return refused.code, None


def upload(dev, token, size):
    """Uploads an image until it is refused; returns status and message."""
    headers = {"X-Auth-Token": token, "Content-Type": "application/json"}
    connection = http.client.HTTPConnection("127.0.0.1", dev.port, timeout=HANG_S)
    connection.request("POST", "/image/v2/images", json.dumps({"name": "large", "disk_format": "raw", "container_format": "bare"}), headers)
    image = json.load(connection.getresponse())["id"]
    connection.putrequest("PUT", f"/image/v2/images/{image}/file")
    for name, value in {"X-Auth-Token": token, "Content-Type": "application/octet-stream", "Content-Length": str(size)}.items():
        connection.putheader(name, value)
    connection.endheaders()
    sent, piece = 0, os.urandom(2**20)
    while sent < size and not select.select([connection.sock], [], [], 0)[0]:
        try:
            connection.sock.sendall(piece)
        except OSError:
            break
        sent += len(piece)
    answer = connection.getresponse()
    told = answer.read().decode()
    connection = http.client.HTTPConnection("127.0.0.1", dev.port, timeout=HANG_S)
    connection.request("GET", f"/image/v2/images/{image}", headers=headers)
    return answer.status, told, json.load(connection.getresponse())["status"]


def fill_by_upload(where):
    """An account's upload leaves the reserve for the database, so other accounts' changes work."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "dari-full", where], check=True)
    dev = Dev("--data", f"{where}/data")
    try:
        _, token = sign_in(dev)
        for size in (100, 41):
            status, told, state = upload(dev, token, size * 2**20)
            check(f"an upload of {size} MiB is refused, and tells no path: {status} {told[:100]}", status == 413 and where not in told)
            check("and the image still waits for its data", state == "queued")
        check("the database has its room", metric(dev, "dari_disk_free_bytes") >= metric(dev, "dari_disk_floor_bytes") > 0)
        check("and others' changes are taken", make(dev.new_account("other"), "g").status == 200)
        check("nobody says that the disk is full", health(dev) == "ok" and metric(dev, "dari_disk_full") == 0)
    finally:
        dev.end()
        subprocess.run(["umount", where], check=True)


def make(account, name):
    return account.call("CreateSecurityGroup", {"GroupName": name, "GroupDescription": "x"})


def main():
    where = tempfile.mkdtemp(prefix="dari-full-")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "dari-full", where], check=True)
    dev = Dev("--data", f"{where}/data")
    try:
        made, refused = fill(dev.account)
        check(f"{len(made)} groups fitted; then changes are refused: {refused}",
              len(refused) == 4 and all(r == (503, "Unavailable") for r in refused))
        check("/healthz and metrics say it", health(dev) == "disk-full" and metric(dev, "dari_disk_full") == 1)
        check("sign-ins go on", [sign_in(dev)[0] for _ in range(20)] == [201] * 20)
        check("what was answered is there, what was refused is not", groups(dev.account) == made)
        status, words = doctor(dev)
        check("doctor finds it and says what to do", status == 1 and "Make room" in words)

        dev.end(signal.SIGKILL)
        dev = Dev("--data", f"{where}/data")
        check("after a kill it starts on the full disk, and what was answered is there", groups(dev.account) == made)
        check("changes are still refused, and sign-ins go on", make(dev.account, "late").status == 503 and sign_in(dev)[0] == 201)
        subprocess.run(["mount", "-o", "remount,size=128m", where], check=True)
        check("with room again, changes are taken without a restart",
              dev.account.call("CreateSecurityGroup", {"GroupName": "late", "GroupDescription": "x"}).status == 200)
        check("audit is clean", dev.command("audit") == [])
    finally:
        dev.end()
        subprocess.run(["umount", where], check=True)
    fill_by_upload(where)
    os.rmdir(where)
    steps.end()


main()

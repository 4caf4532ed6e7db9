#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/reconcile/playbook_command.c src/reconcile/policy_finding.c tools/units/dari.service.in
# when: long
# limit: 600 s
"""Playbooks in transient units of a real systemd, as under dari.service. systemd is process 1 of namespaces of its own, with the few units that it needs, and
starts `dari dev` as dari.service. A program in place of ansible-runner shows what the unit lets it do."""
import glob
import importlib.util
import os
import shutil
import signal
import sys
import tempfile

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../lib"))
from dev import DARI, Dev  # noqa: E402
from elsewhere import launch, run  # noqa: E402
from waiting import wait_until  # noqa: E402

spec = importlib.util.spec_from_file_location("playbooks", os.path.join(HERE, "playbooks.py"))
playbooks = importlib.util.module_from_spec(spec)
spec.loader.exec_module(playbooks)

SYSTEMD, BUS = "/usr/lib/systemd/systemd", "/usr/bin/dbus-daemon"
BARE = "[Unit]\nDefaultDependencies=no\n"
UNITS = {
    **{name: BARE for name in ("sysinit.target", "basic.target", "shutdown.target", "umount.target", "system.slice", "-.slice")},
    "own.target": BARE + "Wants=dbus.socket dbus.service dari.service\n",
    "dbus.socket": BARE + "[Socket]\nListenStream=/run/dbus/system_bus_socket\n",
    "dbus.service": BARE + f"Requires=dbus.socket\n[Service]\nType=notify\nNotifyAccess=main\nExecStart={BUS} --system --address=systemd: --nofork --nopidfile --systemd-activation\n",
    "dari.service": BARE + "After=dbus.service\n[Service]\nEnvironment=DARI_PLAYBOOKS=units PATH={folder}:/usr/bin:/bin HOME=/root\nRuntimeDirectory=dari\n"
                           "ExecStart={dari} {words}\nStandardOutput=append:{folder}/output\nStandardError=append:{folder}/errors\n",
}
# systemd wants a hierarchy of its own, which a container's host may not have.
PROGRAM = """#!/bin/sh
folder=$(dirname "$0")
printf '%s' "$*" > "$folder/words"
sed -i "s|{words}|$(cat "$folder/words")|" "$folder/units/dari.service"
: > "$folder/output"
tail -n +1 -f --pid=$$ "$folder/output" &
exec unshare --mount --pid --fork --uts --ipc --kill-child=KILL sh -c '
mount --make-rprivate / && mount -t proc proc /proc && mount -t tmpfs none /run || exit 77
if [ ! -e /sys/fs/cgroup/cgroup.controllers ]; then
    mount -t tmpfs none /sys/fs/cgroup && mkdir /sys/fs/cgroup/systemd /sys/fs/cgroup/memory /sys/fs/cgroup/pids || exit 77
    mount -t cgroup -o none,name=systemd none /sys/fs/cgroup/systemd || exit 77
    mount -t cgroup -o memory none /sys/fs/cgroup/memory; mount -t cgroup -o pids none /sys/fs/cgroup/pids
fi
container=other SYSTEMD_UNIT_PATH="$0/units" exec """ + SYSTEMD + """ --system --unit=own.target --log-target=console --show-status=0' "$folder" > "$folder/systemd" 2>&1
"""

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or not os.path.exists(SYSTEMD) or not os.path.exists(BUS), reason="needs root, systemd and dbus-daemon")


@pytest.fixture(scope="module")
def home():
    folder = tempfile.mkdtemp(dir="/srv")  # a unit has /tmp and /run of its own
    os.chmod(folder, 0o755)
    playbooks.install(folder)
    os.mkdir(os.path.join(folder, "units"))
    for name, text in UNITS.items():
        with open(os.path.join(folder, "units", name), "w", encoding="utf-8") as out:
            out.write(text.replace("{folder}", folder).replace("{dari}", DARI))
    program = os.path.join(folder, "program")
    with open(program, "w", encoding="utf-8") as out:
        out.write(PROGRAM)
    os.chmod(program, 0o755)
    dev = Dev("--data", os.path.join(folder, "data"), "--playbook-user", "nobody", program=program)
    dev.ec2, dev.folder = dev.account.client(), folder
    yield dev
    dev.process.send_signal(signal.SIGKILL)
    dev.process.wait()
    shutil.rmtree(folder)


def rows(home):
    return home.command("machine", "policy", "findings")


def processes(word):
    """Processes with that command line, as the test sees them."""
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as text:
                if word in text.read():
                    found.append(int(path.split("/")[2]))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def test_confined(home):
    """The unit's user has no capabilities, reads no key, and fills nothing but its own /tmp; the exit status and the output come back."""
    playbooks.add(home, "narrow", "--rule", "provisioned", "--playbook", "confined.yml")
    launch(home, 1)
    wait_until(lambda: [f["run"] for f in rows(home)] in (["done"], ["failed"]), "the run", shows=lambda: rows(home))
    (found,) = rows(home)
    output = found["output"]
    assert "uid=65534(nobody)" in output and "CapEff:0000000000000000" in output.replace("\t", "") and "NoNewPrivs:1" in output.replace("\t", ""), found
    assert "FULL" in output and "Permission denied" in output and "HOME=/tmp" in output, found
    assert found["run"] == "failed" and found["exit_status"], found  # the last command writes to /srv
    assert run(home, "machine", "policy", "remove", "narrow").returncode == 0


def test_stopped(home):
    """A run ends with its policy: Dari stops the unit, and so all of its processes."""
    playbooks.add(home, "slow", "--rule", "provisioned", "--playbook", "long.yml")
    launch(home, 1)
    wait_until(lambda: [f["run"] for f in rows(home)] == ["running"] and processes(b"sleep\x001000\x00"), "the run", shows=lambda: rows(home))
    left = processes(b"sleep\x001000\x00")
    assert run(home, "machine", "policy", "remove", "slow").returncode == 0
    wait_until(lambda: not any(playbooks.is_alive(pid) for pid in left), "that its processes end")


def test_ends_with_dari(home):
    """A run ends with dari.service, also if that is killed."""
    playbooks.add(home, "slow", "--rule", "provisioned", "--playbook", "long.yml")
    launch(home, 1)
    wait_until(lambda: processes(b"sleep\x001000\x00"), "the run", shows=lambda: rows(home))
    left = processes(b"sleep\x001000\x00")
    (server,) = [pid for pid in processes(DARI.encode() + b"\x00dev") if home.folder.encode() in open(f"/proc/{pid}/cmdline", "rb").read()]  # noqa: SIM115
    os.kill(server, signal.SIGKILL)
    wait_until(lambda: not any(playbooks.is_alive(pid) for pid in left), "that its processes end")


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

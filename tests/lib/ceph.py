#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A real Ceph with one monitor and one OSD, without a manager: all of its files are in one directory, all of its ports on one
address. It ends with the process that started it, and leaves nothing behind.

    with ceph.Cluster(directory, address="127.0.0.1", enter=[]) as cluster:
        cluster.run("rbd", "ls", "vms")

enter: prefix of commands so that they run where the address exists, such as `ip netns exec NAME`. As a program it starts a
cluster and runs a command with CEPH_CONF and the variables of the test programs in its environment:

    tests/lib/ceph.py COMMAND [ARGUMENT...]

Needs Debian's ceph-mon, ceph-osd and ceph-common."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import uuid

import clone
import waiting

POOL, USER = "vms", "dari"
PORTS = 50     # ports per cluster

CONFIGURATION = """[global]
fsid = {fsid}
mon host = {monitors}
ms bind port min = {osd_port}
ms bind port max = {osd_last_port}
public addr = {address}
cluster addr = {address}
ms bind ipv6 = false
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
run dir = {top}/run
admin socket = {top}/run/$name.$pid.asok
log file = {top}/log/$name.log
keyring = {top}/keyring
crash dir = {top}/crash
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
mon data avail warn = 1
mon data avail crit = 1
[mon.a]
mon data = {top}/mon
[osd.0]
osd data = {top}/osd
keyring = {top}/osd/keyring
osd class update on start = false
osd objectstore = bluestore
bluestore block size = 4294967296
bluestore cache size = 33554432
osd memory target = 939524096
osd max pg log entries = 100
"""


class Cluster:
    def __init__(self, directory, address="127.0.0.1", enter=()):
        port = clone.reserve_ports(PORTS)
        self.top = pathlib.Path(directory)
        self.enter = list(enter)
        self.monitor = f"{address}:{port}"
        self.daemons = []
        self.fsid = str(uuid.uuid4())
        self.text = CONFIGURATION.format(
            fsid=self.fsid, top=self.top, address=address, monitors=f"[v2:{self.monitor}]",
            osd_port=port + 1, osd_last_port=port + PORTS - 1)
        self.key = None

    def environment(self):
        return {**os.environ, "CEPH_CONF": str(self.top / "ceph.conf"), "DARI_TEST_CEPH_MONITOR": self.monitor,
                "DARI_TEST_CEPH_POOL": POOL, "DARI_TEST_CEPH_USER": USER, "DARI_TEST_CEPH_KEY": self.key or ""}

    def run(self, *argv, **more):
        done = waiting.run([*self.enter, *argv], env=self.environment(), capture_output=True, text=True, of=self.daemons, **more)
        if done.returncode:
            raise RuntimeError(f"{' '.join(argv)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def _start(self, *argv):
        """Runs the daemon in the foreground, so that it ends with this process, however that ends."""
        out = open(self.top / "log" / f"{argv[0]}.out", "wb")
        # The daemon finds its configuration by its environment.
        self.daemons.append(subprocess.Popen(
            [*self.enter, "setpriv", "--pdeathsig", "KILL", *argv, "-f"], env=self.environment(), stdin=subprocess.DEVNULL,
            stdout=out, stderr=out))
        out.close()

    def _await(self, what, is_so):
        def holds():
            if any(daemon.poll() is not None for daemon in self.daemons):
                raise RuntimeError(f"a daemon of Ceph's ended while {what}:\n{self._logs()}")
            try:
                return is_so()
            except RuntimeError:
                return False
        try:
            waiting.wait_until(holds, what, of=self.daemons, shows=lambda: len(self._logs()), every_s=0.2)
        except waiting.Stalled as why:
            raise RuntimeError(f"{why}\n{self._logs()}") from None

    def _logs(self):
        return "\n".join(p.read_text(errors="replace")[-2000:] for p in sorted((self.top / "log").iterdir()))

    def _start_monitor(self):
        keyring, monmap = self.top / "mon.keyring", self.top / "monmap"
        self.run("ceph-authtool", "--create-keyring", str(keyring), "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
        self.run("ceph-authtool", "--create-keyring", str(self.top / "keyring"), "--gen-key", "-n", "client.admin",
                 "--cap", "mon", "allow *", "--cap", "osd", "allow *")
        self.run("ceph-authtool", str(keyring), "--import-keyring", str(self.top / "keyring"))
        self.run("monmaptool", "--create", "--addv", "a", f"[v2:{self.monitor}]", "--fsid", self.fsid, str(monmap))
        self.run("ceph-mon", "--mkfs", "-i", "a", "--monmap", str(monmap), "--keyring", str(keyring))
        self._start("ceph-mon", "-i", "a")
        self._await("the monitor answers", lambda: self.run("ceph", "--connect-timeout", "5", "mon", "stat"))

    def _start_osd(self):
        name = str(uuid.uuid4())
        self.run("ceph", "osd", "new", name)
        (self.top / "osd" / "keyring").write_text(
            self.run("ceph", "auth", "get-or-create", "osd.0", "mon", "allow profile osd", "osd", "allow *"))
        self.run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", name)
        self._start("ceph-osd", "-i", "0")
        self._await("the OSD is up", lambda: json.loads(self.run("ceph", "osd", "stat", "-f", "json"))["num_up_osds"])

    def start(self):
        for name in ("mon", "osd", "run", "log", "crash"):
            (self.top / name).mkdir(parents=True)
        (self.top / "ceph.conf").write_text(self.text)
        try:
            self._start_monitor()
            self._start_osd()
            self.run("ceph", "osd", "pool", "create", POOL)
            self.run("rbd", "pool", "init", POOL)
            self.key = self.add_user(USER)
        except BaseException:
            self.stop()
            raise
        return self

    def add_user(self, name):
        """Adds a user with the rights that a cloud needs: use the pool's images and block other clients. Returns the key."""
        self.run("ceph", "auth", "get-or-create", f"client.{name}", "mon",
                 'profile rbd, allow command "osd blocklist"', "osd", f"profile rbd pool={POOL}")
        return self.run("ceph", "auth", "get-key", f"client.{name}").strip()

    def stop(self):
        for daemon in reversed(self.daemons):
            daemon.kill()
            daemon.wait()
        self.daemons = []

    __enter__ = start

    def __exit__(self, *ignored):
        self.stop()


def main():
    top = tempfile.mkdtemp(prefix="dari-ceph-")
    try:
        with Cluster(top) as cluster:
            return subprocess.run(sys.argv[1:], env=cluster.environment()).returncode
    finally:
        shutil.rmtree(top)


if __name__ == "__main__":
    sys.exit(main())

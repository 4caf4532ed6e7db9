#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/store/postgresql src/daemon/writer.c docs/high-availability.md
# limit: 3600 s
"""Two machines and a witness, as docs/high-availability.md sets them up: each machine has a `dari`, PostgreSQL under Patroni, a member of etcd and an OVN
server; the witness has a member of etcd and an OVN server, and nothing else. Machines are groups of processes on loopback. If the witness dies, nothing
stops; if a machine dies, the other one writes on."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from members import Load, Region, check, free_port  # noqa: E402
from patroni import Cluster  # noqa: E402
import waiting  # noqa: E402

SCHEMA, DATABASE = "/usr/share/ovn/ovn-nb.ovsschema", "OVN_Northbound"
MACHINES = ("a", "b", "w")
COUNT = iter(range(1000))


class Central:
    """The northbound database on three machines; the southbound one is set up alike."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="dari-ovn-"))
        self.ports = {name: (free_port(), free_port()) for name in MACHINES}
        self.processes = {}
        for name in MACHINES:
            own, first = (f"tcp:127.0.0.1:{self.ports[n][1]}" for n in (name, MACHINES[0]))
            file = self.folder / f"{name}.db"
            if name == MACHINES[0]:
                subprocess.run(["ovsdb-tool", "create-cluster", file, SCHEMA, own], check=True)
            else:
                subprocess.run(["ovsdb-tool", "join-cluster", file, DATABASE, own, first], check=True)
            self.start(name)
            waiting.wait_until(lambda: self.is_member(name), "the server has joined", of=os.getpid())  # pylint: disable=cell-var-from-loop

    def start(self, name):
        with open(self.folder / f"{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen(["ovsdb-server", f"--remote=ptcp:{self.ports[name][0]}:127.0.0.1", f"--unixctl={self.folder}/{name}.ctl",
                                                     self.folder / f"{name}.db"], stdout=log, stderr=log)

    def is_member(self, name):
        done = subprocess.run(["ovs-appctl", "-T", "5", "-t", f"{self.folder}/{name}.ctl", "cluster/status", DATABASE], capture_output=True, text=True, check=False)
        return "Status: cluster member" in done.stdout

    def die(self, name):
        self.processes[name].kill()
        self.processes[name].wait()

    def remotes(self):
        return ",".join(f"tcp:127.0.0.1:{self.ports[name][0]}" for name in MACHINES)

    def can_write(self):
        """Inserts a row at the leader."""
        switch = f"s{next(COUNT)}"
        row = [DATABASE, {"op": "insert", "table": "Logical_Switch", "row": {"name": switch}}]
        done = subprocess.run(["ovsdb-client", "-t", "5", "transact", self.remotes(), json.dumps(row)], capture_output=True, text=True, check=False)
        return done.returncode == 0 and '"uuid"' in done.stdout

    def await_write(self, words):
        waiting.wait_until(self.can_write, words, of=os.getpid())

    def close(self):
        for name in MACHINES:
            self.die(name)
        shutil.rmtree(self.folder)


class Site:
    """The three machines."""

    def __init__(self, room):
        self.cluster, self.central = Cluster(voters=MACHINES), Central()
        self.region = Region(self.cluster, "witness", room)
        self.end_third()

    def end_third(self):
        """The site has two `dari`; clients keep trying the third address, which nobody answers."""
        self.region.members[2].end()

    def lose_witness(self):
        self.cluster.voters[2].die()
        self.central.die("w")

    def restore_witness(self):
        self.cluster.voters[2].start(self.cluster.voters)
        self.central.start("w")
        waiting.wait_until(lambda: self.central.is_member("w"), "the witness is back", of=os.getpid())

    def lose_machine(self):
        """The machine with the primary, and the dari that writes, for good."""
        primary = self.cluster.await_primary()
        number = self.cluster.machines.index(primary)
        writer = self.region.await_writer()
        writer.is_wanted = False
        writer.kill()
        primary.die()
        self.cluster.voters[number].die()
        self.central.die(MACHINES[number])
        return writer, primary

    def close(self):
        self.region.__exit__()
        self.cluster.close()
        self.central.close()


@pytest.fixture(name="site")
def make_site(tmp_path):
    site = Site(tmp_path)
    yield site
    site.close()


def test_losses(site):
    """The witness dies and comes back; then a machine dies. No answered change is lost."""
    with Load(site.region, pause_s=0.05) as load:
        load.await_more()
        site.lose_witness()
        since = load.answered[-1][1]
        writer, primary = site.region.await_writer(), site.cluster.await_primary()
        load.await_more(20)
        site.central.await_write("OVN takes changes without the witness")
        print(f"without the witness: {load.longest_gap(since):.1f} s at most without an answered change")
        assert (site.region.await_writer(), site.cluster.await_primary()) == (writer, primary), "something moved"
        site.restore_witness()
        site.cluster.await_standby()
        since = load.answered[-1][1]
        lost, former = site.lose_machine()
        site.central.await_write("OVN takes changes without the machine")
        site.cluster.await_primary(other_than=former)
        site.region.await_writer(other_than=lost)
        load.await_more(20)
        print(f"without the machine: {load.longest_gap(since):.1f} s at most without an answered change")
    check(site.region, load)


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "-rP", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

# SPDX-License-Identifier: Apache-2.0
"""OVN's databases as clusters of three servers with TLS, and two northd, in a region of the sandbox (region.py): as docs/high-availability.md says."""
import pathlib

from pem import Certificate
from region import wait_until

SCHEMAS = {"nb": "OVN_Northbound", "sb": "OVN_Southbound"}
CLIENTS, RAFT = {"nb": 16641, "sb": 16651}, {"nb": 16741, "sb": 16751}  # the first server's ports; the others' follow
SERVERS, NORTHDS = 3, 2


class Cluster:
    """The servers of both databases and two northd: all on the control machine, or server n at places[n] (patroni.Place)."""

    def __init__(self, region, places=None):
        self.region, self.places = region, places
        self.folder = pathlib.Path(region.env["DARI_SANDBOX"], "ctl")
        if places:
            self.addresses = [place.address for place in places]
        else:
            self.addresses = [region.on("ctl", "ip", "-4", "-o", "addr", "show", "dev", "br-phy").split(" inet ")[1].split("/")[0]] * SERVERS
        ca = Certificate("ovn-ca")
        own = ca.issue("ovn")
        self.files = {}
        for name, text in {"ca": ca.text, "certificate": own.text, "key": own.key}.items():
            self.files[name] = self.folder / f"ovn-{name}.pem"
            self.files[name].write_text(text)
        self.tls = ["-p", self.files["key"], "-c", self.files["certificate"], "-C", self.files["ca"]]

    def remotes(self, kind):
        return ",".join(f"ssl:{self.addresses[n]}:{CLIENTS[kind] + n}" for n in range(SERVERS))

    def run(self, number, *argv, fails=False):
        """Runs a command where the server of that number is."""
        words = [str(a) for a in argv]
        if self.places:
            return self.region.run(*self.places[number].enter, *words, fails=fails)
        return self.region.on("ctl", *words, fails=fails)

    def detach(self, number, name, program, *argv):
        self.run(number, program, "--detach", "--no-chdir", f"--pidfile={self.folder}/run/{name}.pid", f"--log-file={self.folder}/log/{name}.log",
                 f"--unixctl={self.folder}/run/{name}.ctl", *argv)

    def create(self, kind, number):
        """The first server takes the rows of the database that stood alone."""
        file, own = f"{self.folder}/db/{kind}{number}.db", f"ssl:{self.addresses[number]}:{RAFT[kind] + number}"
        if number == 0:
            self.run(number, "ovsdb-tool", "create-cluster", file, f"{self.folder}/db/ovn{kind}.db", own)
        else:
            self.run(number, "ovsdb-tool", "join-cluster", file, SCHEMAS[kind], own, f"ssl:{self.addresses[0]}:{RAFT[kind]}")

    def start(self, kind, number):
        self.detach(number, f"{kind}{number}", "ovsdb-server", f"--remote=pssl:{CLIENTS[kind] + number}:{self.addresses[number]}",
                    f"--remote=punix:{self.folder}/run/{kind}{number}.sock", *self.tls, f"{self.folder}/db/{kind}{number}.db")

    def start_northd(self, number):
        self.detach(number, f"northd{number}", "ovn-northd", f"--ovnnb-db={self.remotes('nb')}", f"--ovnsb-db={self.remotes('sb')}", *self.tls)

    def signal(self, name, word):
        """name: a database or northd, with its number."""
        self.run(int(name[-1]), "kill", "-s", word, (self.folder / "run" / f"{name}.pid").read_text().strip())

    def role(self, kind, number):
        said = self.run(number, "ovs-appctl", "-T", "5", "-t", f"{self.folder}/run/{kind}{number}.ctl", "cluster/status", SCHEMAS[kind], fails=True)
        return next((line.split()[1] for line in said.splitlines() if line.startswith("Role:")), "")

    def leader(self, kind):
        return next((n for n in range(SERVERS) if self.role(kind, n) == "leader"), None)

    def await_leader(self, kind, other_than=None):
        found = []  # asking again may find none: a leader that is busy does not answer

        def holds():
            found[:] = [self.leader(kind)]
            return found[0] not in (None, other_than)
        wait_until(holds, f"{kind} has a leader")
        return found[0]

    def hosts(self):
        return pathlib.Path(self.region.env["DARI_SANDBOX"], "hosts").read_text().split()

    def begin(self):
        """Turns the databases that stand alone into the clusters' first servers."""
        for part in ["northd", "nb", "sb"]:
            self.region.run("tools/sandbox", "kill", "ctl", part)
        for kind in SCHEMAS:
            for number in range(SERVERS):
                self.create(kind, number)
                self.start(kind, number)
            self.await_leader(kind)
        for number in range(NORTHDS):
            self.start_northd(number)
        for node in ["ctl", *self.hosts()]:
            self.region.on(node, "ovs-vsctl", "set-ssl", *[str(self.files[n]) for n in ["key", "certificate", "ca"]])
            self.region.on(node, "ovs-vsctl", "set", "Open_vSwitch", ".", f"external_ids:ovn-remote=\"{self.remotes('sb')}\"")

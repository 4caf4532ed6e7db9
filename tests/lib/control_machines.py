# SPDX-License-Identifier: Apache-2.0
"""The control machines of a region in the sandbox, each in a network of its own: three `dari`, PostgreSQL under Patroni, etcd, and OVN's databases and
northd as clusters. A machine's cable can be pulled."""
import ctypes
import os
import pathlib
import shutil
import signal
import subprocess
import urllib.request

import yaml

from members import Member, note_batches
from ovn_cluster import NORTHDS, SCHEMAS, Cluster as OvnCluster
import patroni
from region import Region, wait_until

DATABASES, VOTER, CLIENT = ("a", "b"), "e", "client"
OVN = ("o0", "o1", "o2")
FIRST_ADDRESS = 101  # of machines that the sandbox does not have, in 10.100.0.0/24
PORT = 8788
COPIED = ("master.key", "bearer.key", "libvirt")  # as docs/high-availability.md says


class Networks:
    """Network namespaces on the sandbox's underlay, beside those of its nodes. The sandbox ends what runs in them, and removes them."""

    def __init__(self, region):
        self.region, self.prefix = region, region.env["DARI_SANDBOX_PREFIX"]
        self.places = {}

    def add(self, name):
        inside, outside = ["ip", "-n", f"{self.prefix}{name}"], ["ip", "-n", f"{self.prefix}fab"]
        address = f"10.100.0.{FIRST_ADDRESS + len(self.places)}"
        run = self.region.run
        run("ip", "netns", "add", f"{self.prefix}{name}")
        run("ip", "link", "add", "name", "eth0", "netns", f"{self.prefix}{name}", "type", "veth", "peer", "name", f"{name}-eth0", "netns", f"{self.prefix}fab")
        run(*outside, "link", "set", f"{name}-eth0", "master", "ul", "up")
        run(*inside, "addr", "add", f"{address}/24", "dev", "eth0")
        for link in ["lo", "eth0"]:
            run(*inside, "link", "set", link, "up")
        self.places[name] = patroni.Place(address, self.enter(name))
        for words in [[*self.enter(name), "ethtool", "-K", "eth0", "tx", "off"], [*self.enter("fab"), "ethtool", "-K", f"{name}-eth0", "tx", "off"]]:
            run(*words)  # Open vSwitch's userspace datapath has no checksum offload
        return self.places[name]

    def enter(self, name):
        return ["nsenter", f"--net=/run/netns/{self.prefix}{name}", "--"]

    def plug(self, name, is_in):
        self.region.run("ip", "-n", f"{self.prefix}fab", "link", "set", f"{name}-eth0", "up" if is_in else "down")

    def go_to(self, path):
        """Moves this thread and what it starts into the network of that path."""
        with open(path, "rb") as file:
            if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), 0):
                raise OSError(ctypes.get_errno(), "setns")


class ControlMachine(Member):
    """A `dari serve` on a node of the sandbox, whose Open vSwitch it uses."""

    def __init__(self, folder, node, address, enter):
        self.node, self.address, self.enter, self.config = node, address, enter, folder / "dari.yaml"
        super().__init__(folder, PORT)

    def start(self):
        self.errors = open(self.folder / "log", "ab")  # pylint: disable=consider-using-with
        self.process = subprocess.Popen([*self.enter, self.program, "--config", self.config, "serve"], stdout=self.errors, stderr=self.errors)

    def answers(self):
        try:
            with urllib.request.urlopen(f"http://{self.address}:{PORT}/healthz", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False


class ControlPlane(Region):
    """A region whose `dari` moves from one process on SQLite to three on PostgreSQL. Has server, name, members and writer() as members.Region has."""

    def __init__(self, name, hosts=2):
        super().__init__(name, hosts=hosts + 3)
        self.guest_hosts = [f"hv{k + 1}" for k in range(hosts)]
        self.nodes_of_dari = [f"hv{hosts + k + 1}" for k in range(3)]
        self.members, self.server, self.ovn, self.networks, self.home = [], None, None, None, None

    def __enter__(self):
        super().__enter__()
        for node in self.nodes_of_dari:
            self.command("host", "remove", node)
        return self

    def spread(self):
        """The region has one `dari` before, and three on machines of their own afterwards. From then on this process is on a machine beside them."""
        self.networks = Networks(self)
        for name in [*DATABASES, VOTER, *OVN, CLIENT]:
            self.networks.add(name)
        self.run("tools/demo", "stop-dari")
        self.home = open("/proc/self/ns/net", "rb")  # pylint: disable=consider-using-with
        self.networks.go_to(f"/run/netns/{self.networks.prefix}{CLIENT}")
        places = self.networks.places
        self.ovn = OvnCluster(self, [places[name] for name in OVN])
        self.ovn.begin()
        self.server = patroni.Cluster(voters=(VOTER,), places=places)
        url = self.server.create(self.name)
        self.run(self.dari, "store", "copy", "--from", f"{self.demo}/data/dari.db", "--to", url)
        note_batches(self.server, self.name)
        self.members = [self.make_member(node, url) for node in self.nodes_of_dari]
        self.await_writer()
        for member in self.members:
            wait_until(member.answers, "the machine answers")

    def make_member(self, node, url):
        folder = pathlib.Path(self.demo, node)
        (folder / "data").mkdir(parents=True, mode=0o700)
        for file in COPIED:
            source = pathlib.Path(self.demo, "data", file)
            if source.is_dir():
                shutil.copytree(source, folder / "data" / file)
            elif source.exists():
                shutil.copy(source, folder / "data")
        address = f"10.100.0.{10 + int(node.removeprefix('hv'))}"
        config = yaml.safe_load(pathlib.Path(self.demo, "dari.yaml").read_text())
        config["store"], config["store_peer"] = url, f"http://{address}:{PORT}"
        config["data"]["directory"], config["control"]["socket"] = str(folder / "data"), str(folder / "socket")
        config["api"].update(address=address, port=PORT, endpoint=f"http://{address}:{PORT}")
        config["ovn"] = {"northbound": self.ovn.remotes("nb"), "southbound": self.ovn.remotes("sb"), "chassis": node,
                         "local": f"unix:{self.env['DARI_SANDBOX']}/{node}/run/db.sock", **{name: str(file) for name, file in self.ovn.files.items()}}
        (folder / "dari.yaml").write_text(yaml.safe_dump(config))
        return ControlMachine(folder, node, address, self.networks.enter(node))

    def writer(self):
        """The member that holds the lease, if one does."""
        row = self.server.sql(self.name, "SELECT address FROM writer_lease WHERE expires > clock_timestamp()")
        return next((m for m in self.members if row and f"//{m.address}:" in row[0]), None)

    def await_writer(self, other_than=None):
        wait_until(lambda: self.writer() not in (None, other_than), "a member becomes the writer")
        return self.writer()

    def command(self, *argv, fails=False):
        """As Region's; on the writer's machine if there are several."""
        where = ["--config", str(self.await_writer().config)] if self.members else []
        return super().command(*where, *argv, fails=fails)

    # ---- interface of waiting.py

    def watched(self):
        return [*self.nodes.watched(), os.getpid()] if self.members else super().watched()

    def progress(self):
        return None if self.members else super().progress()

    def __exit__(self, *said):
        for member in self.members:
            member.end()
        if self.server:
            self.server.close()
        for member in self.members if self.failed or said[0] else []:
            print(f"== {member.node}", "\n".join(member.log().splitlines()[-30:]), sep="\n")
        if self.home:  # the sandbox ends what is in its networks
            self.networks.go_to(f"/proc/self/fd/{self.home.fileno()}")
        return super().__exit__(*said)


class Faults:
    """Each method breaks a part, and returns a function that brings it back, or None."""

    STAND_STILL_S = 3  # longer than a lease lasts
    CUT_S = 6          # longer than a lease lasts, and than `dari` waits for a silent connection of its database (5 s)
    ETCD_AWAY_S = 12   # longer than Patroni tries again

    def __init__(self, region, chance, sleep):
        self.region, self.cluster, self.ovn, self.networks = region, region.server, region.ovn, region.networks
        self.chance, self.sleep = chance, sleep

    def cut(self, node, seconds=0):
        self.networks.plug(node, False)
        self.sleep(seconds)
        return lambda: self.networks.plug(node, True)

    def follower(self):
        writer = self.region.await_writer()
        return self.chance.choice([m for m in self.region.members if m is not writer])

    # ---- dari

    def kill_writer(self):
        self.region.await_writer().kill()

    def stop_writer(self):
        writer = self.region.await_writer()
        process = writer.process
        writer.kill(signal.SIGSTOP)
        self.sleep(self.STAND_STILL_S)
        return lambda: process.send_signal(signal.SIGCONT)

    def cut_writer(self):
        return self.cut(self.region.await_writer().node, self.CUT_S)

    def kill_follower(self):
        self.follower().kill()

    def stop_follower(self):
        process = self.follower().process
        process.send_signal(signal.SIGSTOP)
        self.sleep(self.STAND_STILL_S)
        return lambda: process.send_signal(signal.SIGCONT)

    def cut_follower(self):
        return self.cut(self.follower().node, self.CUT_S)

    # ---- the database

    def kill_primary(self):
        """The machine dies: Patroni, the server and its sessions. The standby takes over once the lock in etcd has expired."""
        lost = self.cluster.await_primary()
        self.cluster.await_standby()
        lost.die()
        self.cluster.await_primary(other_than=lost)
        return lost.start

    def stop_primary(self):
        lost = self.cluster.await_primary()
        self.cluster.await_standby()
        lost.signal(signal.SIGSTOP)
        self.await_takeover(lost)
        return lambda: lost.signal(signal.SIGCONT)

    def cut_primary(self):
        lost = self.cluster.await_primary()
        self.cluster.await_standby()
        heal = self.cut(lost.name)
        self.await_takeover(lost)
        return heal

    def await_takeover(self, lost):
        other = next(m for m in self.cluster.machines if m is not lost)
        wait_until(other.is_primary, "the standby takes over")

    def kill_server(self):
        """The server alone, which Patroni starts again."""
        os.kill(self.cluster.await_primary().postmaster(), signal.SIGKILL)

    def switch_over(self):
        self.cluster.await_primary()
        self.cluster.await_standby()
        self.cluster.switch_over()

    def kill_standby(self):
        """Commits wait for the synchronous standby until Patroni takes it out."""
        self.cluster.await_standby()
        lost = self.cluster.standby()
        lost.die()
        return lost.start

    def cut_standby(self):
        self.cluster.await_standby()
        return self.cut(self.cluster.standby().name)

    def kill_etcd(self):
        """Without etcd the primary steps down: nobody may write."""
        self.cluster.kill_etcd()
        self.sleep(self.ETCD_AWAY_S)
        return self.cluster.start_etcd

    def cut_etcd(self):
        return self.cut(VOTER, self.ETCD_AWAY_S)

    # ---- OVN

    def kill_ovn_leader(self):
        kind = self.chance.choice(list(SCHEMAS))
        lost = self.ovn.await_leader(kind)
        self.ovn.signal(f"{kind}{lost}", "KILL")
        return lambda: self.ovn.start(kind, lost)

    def stop_ovn_leader(self):
        kind = self.chance.choice(list(SCHEMAS))
        lost = self.ovn.await_leader(kind)
        self.ovn.signal(f"{kind}{lost}", "STOP")
        self.sleep(self.STAND_STILL_S)
        return lambda: self.ovn.signal(f"{kind}{lost}", "CONT")

    def cut_ovn_leader(self):
        """Both databases' servers of that machine, and its northd."""
        return self.cut(OVN[self.ovn.await_leader("nb")], self.CUT_S)

    def kill_northd(self):
        number = self.chance.randrange(NORTHDS)
        self.ovn.signal(f"northd{number}", "KILL")
        return lambda: self.ovn.start_northd(number)

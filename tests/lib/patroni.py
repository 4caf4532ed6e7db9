# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL under Debian's Patroni and etcd: a primary and a synchronous standby, on loopback or each in its own network, with the faults of a machine
that dies or stands still."""
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

import yaml

import waiting

BIN = pathlib.Path("/usr/lib/postgresql/15/bin")
NAMES = ("a", "b")
REMAKE_S = 60  # longer than a standby takes to come back
# Patroni raises a smaller ttl to 20 s.
DCS = {"ttl": 20, "loop_wait": 1, "retry_timeout": 3, "maximum_lag_on_failover": 0, "synchronous_mode": True,
       "postgresql": {"use_pg_rewind": True, "parameters": {"wal_log_hints": "on", "fsync": "off", "shared_buffers": "32MB", "max_connections": "60",
                                                            "autovacuum": "off", "max_locks_per_transaction": "256"}}}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Place:
    """A machine's address, and the words that start a command in its network."""

    def __init__(self, address="127.0.0.1", enter=()):
        self.address, self.enter = address, list(enter)


class Voter:
    """A member of etcd. As in docs/high-availability.md, but for addresses and fsync."""

    def __init__(self, folder, name, place):
        self.folder, self.name, self.place, self.process = folder, name, place, None
        self.port, self.peer_port = free_port(), free_port()

    @property
    def peer(self):
        return f"http://{self.place.address}:{self.peer_port}"

    def start(self, all_voters):
        client = f"http://{self.place.address}:{self.port}"
        with open(self.folder / f"etcd-{self.name}.log", "ab") as log:
            self.process = subprocess.Popen([
                *self.place.enter, "/usr/bin/etcd", "--name", self.name, "--data-dir", self.folder / f"etcd-{self.name}", "--listen-client-urls", client,
                "--advertise-client-urls", client, "--listen-peer-urls", self.peer, "--initial-advertise-peer-urls", self.peer,
                "--initial-cluster", ",".join(f"{v.name}={v.peer}" for v in all_voters), "--unsafe-no-fsync"], stdout=log, stderr=log)

    def die(self):
        self.process.kill()
        self.process.wait()


class Machine:
    """A machine with Patroni and its PostgreSQL."""

    def __init__(self, cluster, name, place):
        self.cluster, self.name, self.place, self.process = cluster, name, place, None
        self.port, self.api = free_port(), free_port()
        self.folder = cluster.folder / name
        self.folder.mkdir()
        os.chown(self.folder, cluster.user.pw_uid, cluster.user.pw_gid)
        address = f"{place.address}:{self.port}"
        config = {"scope": "dari", "name": name, "restapi": {"listen": f"{place.address}:{self.api}"},
                  "etcd3": {"hosts": [f"{v.place.address}:{v.port}" for v in cluster.voters]},
                  "bootstrap": {"dcs": DCS, "initdb": [{"encoding": "UTF8"}, {"locale": "C"}], "pg_hba": ["host all all samenet trust",
                                                                                                          "host replication all samenet trust"]},
                  "postgresql": {"listen": address, "connect_address": address, "data_dir": str(self.data),
                                 "bin_dir": str(BIN), "remove_data_directory_on_rewind_failure": True,
                                 "remove_data_directory_on_diverged_timelines": True, "pgpass": str(self.folder / "pgpass"),
                                 "parameters": {"unix_socket_directories": str(self.folder)},
                                 "authentication": {"superuser": {"username": "postgres"}, "replication": {"username": "replicator"},
                                                    "rewind": {"username": "postgres"}}}}
        self.config = self.folder / "patroni.yml"
        self.config.write_text(yaml.safe_dump(config))

    @property
    def data(self):
        return self.folder / "data"

    def start(self):
        with open(self.cluster.folder / f"{self.name}.log", "ab") as log:
            self.process = subprocess.Popen([*self.place.enter, *self.cluster.as_owner(), "/usr/bin/patroni", self.config], cwd=self.folder, stdout=log, stderr=log,
                                            start_new_session=True)

    def postmaster(self):
        try:
            return int((self.data / "postmaster.pid").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return None

    def pids(self):
        """Patroni, the postmaster and its sessions: everything that stands still with the machine."""
        found = [self.process.pid] if self.process else []
        postmaster = self.postmaster()
        if postmaster and os.path.exists(f"/proc/{postmaster}"):
            children = subprocess.run(["/usr/bin/pgrep", "-P", str(postmaster)], check=False, capture_output=True, text=True).stdout.split()
            found += [postmaster, *map(int, children)]
        return found

    def signal(self, number):
        for pid in self.pids():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def die(self):
        """Everything stops first: a postmaster that saw a session die would restart by itself, and a session may start meanwhile."""
        for _ in range(3):
            self.signal(signal.SIGSTOP)
        self.signal(signal.SIGKILL)
        self.process.wait()

    def sql(self, database, statement, **more):
        return subprocess.run([BIN / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", self.place.address, "-p", str(self.port), "-U", "postgres", "-d", database,
                               "-c", statement], capture_output=True, text=True, env=dict(os.environ, PGCONNECT_TIMEOUT="2"), timeout=waiting.HANG_S, **more)

    def roles(self):
        """Roles of the machines, as this one's Patroni knows them."""
        try:
            with urllib.request.urlopen(f"http://{self.place.address}:{self.api}/cluster", timeout=2) as answer:
                return [member["role"] for member in json.load(answer)["members"]]
        except OSError:
            return []

    def is_primary(self):
        done = self.sql("postgres", "SELECT NOT pg_is_in_recovery()", check=False)
        return done.returncode == 0 and done.stdout.strip() == "t"


class Cluster:
    """Has create(), sql() and url() as postgresql.Server has. places: of the machines and etcd's members, by name; loopback for the others."""

    def __init__(self, voters=("e",), places=None):
        places = places or {}
        self.user = pwd.getpwnam("postgres")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="dari-patroni-"))
        os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        self.voters = [Voter(self.folder, name, places.get(name, Place())) for name in voters]
        self.start_etcd()
        self.machines = [Machine(self, name, places.get(name, Place())) for name in NAMES]
        for machine in self.machines:
            machine.start()
            waiting.wait_until(lambda: self.has_standby() or self.primary(), "PostgreSQL starts", of=os.getpid())  # pylint: disable=cell-var-from-loop
        self.await_standby()

    def as_owner(self):
        return ["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]

    def start_etcd(self):
        for voter in self.voters:
            voter.start(self.voters)

    def kill_etcd(self):
        for voter in self.voters:
            voter.die()

    def primary(self):
        return next((m for m in self.machines if m.process and m.is_primary()), None)

    def standby(self):
        primary = self.primary()
        return next((m for m in self.machines if primary and m is not primary), None)

    def has_standby(self):
        """True if Patroni has recorded that the standby is synchronous: a fail-over then loses nothing. Patroni 3.0 never takes out a standby that dies
        between PostgreSQL's word and that record: commits then wait for ever."""
        primary = self.primary()
        return bool(primary) and "sync_standby" in primary.roles()

    def await_standby(self):
        """A former primary may come back with a tail of log that pg_rewind left; it then waits for ever. Its administrator makes it anew."""
        made_at = time.monotonic()

        def holds():
            nonlocal made_at
            if self.has_standby():
                return True
            if time.monotonic() - made_at > REMAKE_S and self.primary():
                print("the standby does not stream, and is made anew", flush=True)
                self.remake_standby()
                made_at = time.monotonic()
            return False
        waiting.wait_until(holds, "the standby is synchronous", of=os.getpid())

    def remake_standby(self):
        member = self.standby()
        if member and member.process and member.process.poll() is None:
            subprocess.run(["/usr/bin/patronictl", "-c", member.config, "reinit", "dari", member.name, "--force"], check=False, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, cwd=self.folder)

    def await_primary(self, other_than=None):
        waiting.wait_until(lambda: self.primary() not in (None, other_than), "the database has a primary", of=os.getpid())
        return self.primary()

    def switch_over(self):
        """An orderly change of roles, as an administrator makes it."""
        old, new = self.primary(), self.standby()
        subprocess.run(["/usr/bin/patronictl", "-c", old.config, "switchover", "--master", old.name, "--candidate", new.name, "--force"], check=True,
                       stdout=subprocess.DEVNULL, cwd=self.folder)

    def url(self, database):
        hosts = ",".join(f"{m.place.address}:{m.port}" for m in self.machines)
        return f"postgresql://postgres@{hosts}/{database}?sslmode=disable"

    def sql(self, database, statement):
        """Runs a statement on the primary and returns the lines of its answer; none while there is no primary."""
        primary = self.primary()
        done = primary and primary.sql(database, statement, check=False)
        return done.stdout.splitlines() if done and done.returncode == 0 else []

    def create(self, database):
        self.sql("postgres", f'CREATE DATABASE "{database}"')
        return self.url(database)

    def close(self):
        for machine in self.machines:
            if machine.process and machine.process.poll() is None:
                machine.die()
        self.kill_etcd()
        shutil.rmtree(self.folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL server of Debian in a folder of its own, on a Unix socket there, without fsync unless a setting asks for it; and a proxy that cuts connections to it."""
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

import waiting

BIN = pathlib.Path("/usr/lib/postgresql/15/bin")
SETTINGS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "on", "listen_addresses": "", "shared_buffers": "32MB", "max_connections": "40",
            "max_wal_size": "256MB", "autovacuum": "off", "logging_collector": "off", "max_locks_per_transaction": "256"}


class Server:
    """Runs from start() to close(); kill() and start() again as often as a test likes."""

    def __init__(self, **settings):
        self.settings = {**SETTINGS, **settings}
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="dari-pg-"))
        self.process = None
        self.is_root = os.geteuid() == 0
        if self.is_root:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        self.make_data()
        self.start()

    def make_data(self):
        self.run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync", "-D", self.data)

    def run(self, program, *arguments):
        # tools look for temporary files in the folder that they start in
        subprocess.run([*self.as_owner(), BIN / program, *arguments], cwd=self.folder, check=True, stdout=subprocess.DEVNULL)

    @property
    def data(self):
        return self.folder / "data"

    def as_owner(self):
        return ["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if self.is_root else []

    def start(self):
        """Starts the server and waits until it answers."""
        # the name of the cluster is in the titles of its processes
        options = [f"--{name}={value}" for name, value in dict(self.settings, cluster_name=self.folder.name).items()]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen([*self.as_owner(), BIN / "postgres", "-D", self.data, "-k", self.folder, *options], cwd=self.folder, stdout=log, stderr=log)
        waiting.wait_until(self.answers, "PostgreSQL starts", of=self, every_s=0.02)

    def answers(self):
        return subprocess.run([BIN / "pg_isready", "-q", "-h", self.folder], check=False).returncode == 0

    # ---- interface of waiting.py

    def watched(self):
        return [self.process.pid]

    def progress(self):
        """When its log of changes was written last."""
        return waiting.newest_change(self.data / "pg_wal")

    def has_ended(self):
        return self.process.poll() is not None and "PostgreSQL has ended:\n" + (self.folder / "log").read_text()

    def kill(self):
        """Ends the server as a power failure does, with all its sessions."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        # sessions end by themselves when they find the server gone; a new one can't start before
        waiting.wait_until(lambda: not self.has_sessions(), "the server's sessions end", of=os.getpid(), every_s=0.02)

    def has_sessions(self):
        return subprocess.run(["/usr/bin/pgrep", "--full", "--exact", "--uid", "postgres" if self.is_root else str(os.geteuid()), f"postgres: {self.folder.name}: .*"],
                              check=False, stdout=subprocess.DEVNULL).returncode == 0

    def url(self, database, **options):
        more = "".join(f"&{name}={value}" for name, value in options.items())
        return f"postgresql:///{database}?host={self.folder}&user=postgres{more}"

    def sql(self, database, statement):
        """Runs a statement and returns the lines of its answer."""
        done = subprocess.run([BIN / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-U", "postgres", "-d", database, "-c", statement],
                              check=True, capture_output=True, text=True)
        return done.stdout.splitlines()

    def create(self, database):
        self.sql("postgres", f'CREATE DATABASE "{database}"')
        return self.url(database)

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # a fast shutdown
            self.process.wait()
        shutil.rmtree(self.folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Standby(Server):
    """A synchronous standby of a server: from now on that one answers a COMMIT when the standby has it, too."""

    def __init__(self, primary):
        self.primary = primary
        super().__init__(**primary.settings)
        primary.run("psql", "-XAtq", "-h", primary.folder, "-U", "postgres", "-c", "ALTER SYSTEM SET synchronous_standby_names = '*'", "-c", "SELECT pg_reload_conf()")
        waiting.wait_until(lambda: primary.sql("postgres", "SELECT sync_state FROM pg_stat_replication") == ["sync"], "the standby is synchronous", of=self)

    def make_data(self):
        self.run("pg_basebackup", "--no-sync", "-R", "-X", "stream", "-c", "fast", "-h", self.primary.folder, "-U", "postgres", "-D", self.data)

    def promote(self):
        """Makes it a primary, once the former one has ended."""
        assert self.sql("postgres", "SELECT pg_promote()") == ["t"]


class Pair:
    """A server and its synchronous standby under one URL, with the interface of Server that regions use."""

    def __init__(self):
        self.primary = Server()
        self.standby = Standby(self.primary)
        self.servers = [self.primary, self.standby]

    def fail_over(self):
        """The primary dies as in a power failure, and the standby takes its place."""
        self.primary.kill()
        self.standby.promote()
        self.primary = self.standby

    def create(self, database):
        self.primary.create(database)
        return f"postgresql:///{database}?host={','.join(str(s.folder) for s in self.servers)}&user=postgres"

    def sql(self, database, statement):
        return self.primary.sql(database, statement)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in reversed(self.servers):
            server.close()


class Proxy:
    """Passes TCP connections on to the server's socket. `passes` names the directions that are open: without "answers" the server receives and commits,
    and the client never hears of it. A closed direction swallows bytes and keeps connections, as a cut network does."""

    def __init__(self, server, place=("127.0.0.1", 0)):
        self.target = str(server.folder / ".s.PGSQL.5432")
        self.passes = {"requests", "answers"}
        self.swallowed = 0
        self.pairs = []
        self.listener = socket.create_server(place)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def url(self, database):
        """The first of its two hosts is down: nothing listens at port 1."""
        return f"postgresql://postgres@127.0.0.1:1,127.0.0.1:{self.port}/{database}?sslmode=disable"

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
                server = socket.socket(socket.AF_UNIX)
            except OSError:  # closed
                return
            self.pairs.append((client, server))
            try:
                server.connect(self.target)
            except OSError:
                client.close()
                continue
            for source, sink, direction in ((client, server, "requests"), (server, client, "answers")):
                threading.Thread(target=self.copy, args=(source, sink, direction), daemon=True).start()

    def copy(self, source, sink, direction):
        try:
            while data := source.recv(65536):
                if direction in self.passes:
                    sink.sendall(data)
                else:
                    self.swallowed += len(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def restore(self):
        """Opens both directions. Connections that lost bytes end, as when a firewall comes back without its state."""
        pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self.passes = {"requests", "answers"}

    def close(self):
        self.listener.close()
        self.restore()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

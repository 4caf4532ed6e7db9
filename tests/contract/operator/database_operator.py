#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/store/postgresql src/store/committer src/store/sql.c src/daemon/writer.c src/daemon/follower/follower.c src/daemon/commands_doctor.c src/daemon/run.c
"""A bad operator's day with configurations and with PostgreSQL's tools: another master key, another region, one `store_peer` twice, a role that may not write
or log in, a missing table, tables that are locked, sessions that are ended again and again, a pooler, and a certificate that expires. Each is refused in words, `dari doctor` says
what is wrong, and no answered change is lost or made twice."""
import concurrent.futures
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys

import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import DARI, Dev  # noqa: E402
from members import free_port  # noqa: E402
import pem  # noqa: E402
from postgresql import BIN, Server  # noqa: E402
import waiting  # noqa: E402

ALL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
ROLE = "operated"


@pytest.fixture(scope="module")
def server():
    with Server() as running:
        running.sql("postgres", f"CREATE ROLE {ROLE} LOGIN")
        yield running


def create(server, database):
    """A database of a role without further rights."""
    server.sql("postgres", f"CREATE DATABASE {database} OWNER {ROLE}")
    return server.url(database).replace("user=postgres", f"user={ROLE}")


def make(ec2, name):
    ec2.create_key_pair(KeyName=name, KeyType="ed25519")


def names(ec2):
    return sorted(key["KeyName"] for key in ec2.describe_key_pairs()["KeyPairs"])


def refuse(ec2, name):
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        make(ec2, name)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503, refused.value
    return refused.value.response["Error"]["Message"]


def doctor(config):
    return waiting.run([DARI, "doctor"], capture_output=True, text=True, env=dict(os.environ, DARI_CONFIG=str(config))).stdout


def other_machine(room, folder_name, *changes, key=None):
    """The configuration of a second machine of the region in room/data, and its own mistakes."""
    folder = room / folder_name
    folder.mkdir(mode=0o700)
    for file in ("master.key", "bearer.key"):
        if (room / "data" / file).exists():
            shutil.copy(room / "data" / file, folder)
    if key:
        (folder / "master.key").write_text(key + "\n")
    text = (room / "data/dev.yaml").read_text().replace(str(room / "data"), str(folder))
    text = re.sub(r"port: \d+", f"port: {free_port()}", text)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "dev.yaml").write_text(text.replace("northbound: simulated", "northbound: tcp:127.0.0.1:1").replace("southbound: ", "southbound: tcp:127.0.0.1:1")
                                     .replace("local: simulated", "local: unix:/nowhere"))
    return folder


def serve(folder):
    """Starts a server that has to refuse, and returns its words."""
    done = waiting.run([DARI, "--config", str(folder / "dev.yaml"), "serve"], capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    return done.stderr


def test_another_configuration(server, tmp_path):
    """Another master.key or region is refused before the process follows, and before it takes the database over."""
    options = ("--data", str(tmp_path / "data"), "--store", create(server, "configured"))
    epoch = "SELECT epoch FROM writer"
    with Dev(*options) as dev:
        make(dev.account.client(), "before")
        region = re.search(r"id: (\S+)", (tmp_path / "data/dev.yaml").read_text())[1]
        wrong = {"key": ("master.key is not that of the region", other_machine(tmp_path, "key", key=os.urandom(32).hex())),
                 "name": ("is of the region 'us-east-1'", other_machine(tmp_path, "name", ("us-east-1", "eu-west-1"))),
                 "id": ("is of another region than the configuration", other_machine(tmp_path, "id", (region, "00000000-0000-4000-8000-000000000001")))}
        for words, folder in wrong.values():
            assert words in serve(folder)
        make(dev.account.client(), "after")
    before = server.sql("configured", epoch)
    assert wrong["key"][0] in serve(wrong["key"][1])
    assert server.sql("configured", epoch) == before
    with Dev(*options[:2]) as dev:
        assert names(dev.account.client()) == ["after", "before"]


def test_another_key_with_sqlite(tmp_path):
    with Dev("--data", str(tmp_path / "data")) as dev:
        make(dev.account.client(), "before")
    (tmp_path / "data/master.key").rename(tmp_path / "kept")
    (tmp_path / "data/master.key").write_text(os.urandom(32).hex() + "\n")
    (tmp_path / "data/master.key").chmod(0o600)
    refused = waiting.run([DARI, "dev", "--port", "0", "--data", str(tmp_path / "data")], capture_output=True, text=True)
    assert refused.returncode and "master.key is not that of the region" in refused.stderr
    (tmp_path / "kept").rename(tmp_path / "data/master.key")
    with Dev("--data", str(tmp_path / "data")) as dev:
        assert names(dev.account.client()) == ["before"]


def test_one_peer_twice(server, tmp_path):
    """The configuration of another machine was copied as it is: a follower finds its own address in the writer's lease."""
    with Dev("--data", str(tmp_path / "data"), "--store", create(server, "twice")) as dev:
        folder = other_machine(tmp_path, "second", ("control:\n", f"store_peer: {dev.url}\ncontrol:\n"))
        with open(tmp_path / "log", "wb") as log, subprocess.Popen([DARI, "--config", folder / "dev.yaml", "serve"], stdout=log, stderr=log) as follower:
            waiting.wait_until(lambda: "event=store-peer-twice" in (tmp_path / "log").read_text(), "the follower notices", of=os.getpid())
            said = doctor(folder / "dev.yaml")
            assert re.search(r"^!!  writer .*\n.*Set store_peer on each machine to its own URL", said, re.MULTILINE), said
            follower.terminate()
        make(dev.account.client(), "after")
        assert "!!  writer" not in doctor(dev.config)


WRONG = {"read-only": (f"ALTER ROLE {ROLE} SET default_transaction_read_only = on", f"ALTER ROLE {ROLE} RESET default_transaction_read_only", "session is read-only"),
         "no login": (f"ALTER ROLE {ROLE} NOLOGIN", f"ALTER ROLE {ROLE} LOGIN", "not permitted to log in"),
         "no connections": (f"ALTER ROLE {ROLE} CONNECTION LIMIT 0", f"ALTER ROLE {ROLE} CONNECTION LIMIT -1", "too many connections")}


@pytest.mark.parametrize("name", WRONG)
def test_role(server, tmp_path, name):
    """A role that may not do its work any more: changes wait, doctor tells the server's reason, and they take place once when it is put right."""
    database = name.replace(" ", "_").replace("-", "_")
    wrong, right, words = WRONG[name]
    with Dev("--data", str(tmp_path / "data"), "--store", create(server, database)) as dev, concurrent.futures.ThreadPoolExecutor() as pool:
        ec2 = dev.account.client()
        make(ec2, "before")
        dev.rest()
        server.sql("postgres", wrong)
        server.sql(database, ALL)
        waiting.wait_until(lambda: words in doctor(dev.config), "doctor says why", of=dev)
        clients = [dev.account.client() for _ in range(3)]
        waits = [pool.submit(make, client, f"waits-{n}") for n, client in enumerate(clients)]
        assert names(ec2) == ["before"]
        server.sql("postgres", right)
        for change in waits:
            change.result()
        assert names(ec2) == ["before", "waits-0", "waits-1", "waits-2"]
        assert not dev.audit()


def test_a_lost_fence(server, tmp_path):
    """Without the table that says which commit is the last, `dari` does not start, and makes none anew."""
    data = ("--data", str(tmp_path / "data"))
    with Dev(*data, "--store", create(server, "fence")) as dev:
        make(dev.account.client(), "kept")
        dev.rest()
    row = server.sql("fence", "SELECT batch FROM writer")
    for away, back in (("ALTER TABLE writer RENAME TO away", "ALTER TABLE away RENAME TO writer"),
                       ("CREATE TABLE away AS SELECT * FROM writer; DELETE FROM writer", "INSERT INTO writer SELECT * FROM away; DROP TABLE away")):
        server.sql("fence", away)
        refused = waiting.run([DARI, "dev", "--port", "0", *data], capture_output=True, text=True)
        assert refused.returncode and "put it back" in refused.stderr, refused.stderr
        server.sql("fence", back)
        assert server.sql("fence", "SELECT batch FROM writer") == row
    with Dev(*data) as dev:
        assert names(dev.account.client()) == ["kept"]


def test_another_region(server, tmp_path):
    """A process whose configuration names another region does not become the writer: hosts would obey it."""
    url = create(server, "others")
    with Dev("--data", str(tmp_path / "data"), "--store", url) as dev:
        make(dev.account.client(), "kept")
    before = server.sql("others", "SELECT epoch, batch FROM writer"), server.sql("others", "SELECT count(*) FROM writer_start")
    config = tmp_path / "data/dev.yaml"
    text = config.read_text()
    (own,) = [line.split()[1] for line in text.splitlines() if line.startswith("  id:")]
    config.write_text(text.replace(own, "00000000-0000-4000-8000-000000000001"))
    refused = waiting.run([DARI, "dev", "--port", "0", "--data", str(tmp_path / "data")], capture_output=True, text=True)
    assert refused.returncode and f"its region.id is {own}" in refused.stderr, refused.stderr
    assert (server.sql("others", "SELECT epoch, batch FROM writer"), server.sql("others", "SELECT count(*) FROM writer_start")) == before


def issue(folder, name, issuer, days):
    """A certificate for localhost, written where PostgreSQL's user can read it."""
    certificate = issuer.issue("localhost", days=days)
    for ending, content in (("pem", certificate.text), ("key", certificate.key)):
        path = folder / f"{name}.{ending}"
        path.write_text(content)
        path.chmod(0o600)
        if os.geteuid() == 0:
            shutil.chown(path, "postgres", "postgres")


def test_an_expired_certificate(tmp_path):
    """The certificate of PostgreSQL's server expires: `dari` says so, and goes on by itself when there is a new one."""
    address = f"127.{os.getpid() % 200 + 20}.{os.getpid() // 200 % 250}.9"
    authority = pem.Certificate("authority")
    with Server() as server:
        issue(server.folder, "server", authority, 30)
        server.kill()
        server.settings.update(ssl="on", ssl_cert_file=server.folder / "server.pem", ssl_key_file=server.folder / "server.key", listen_addresses=address)
        (server.data / "pg_hba.conf").write_text("local all all trust\nhostssl all all 127.0.0.0/8 trust\n")
        server.start()
        (tmp_path / "ca.pem").write_text(authority.text)
        url = f"postgresql://postgres@localhost/postgres?hostaddr={address}&sslmode=verify-full&sslrootcert={tmp_path}/ca.pem"
        with Dev("--data", str(tmp_path / "data"), "--store", url) as dev:
            ec2 = dev.account.client()
            make(ec2, "before")
            issue(server.folder, "server", authority, 0)
            server.kill()
            server.start()
            waiting.wait_until(lambda: "certificate verify failed" in doctor(dev.config), "doctor sees the certificate", of=dev)
            said = doctor(dev.config)
            assert "certificate of PostgreSQL's server has expired" in said and "reload the server" in said, said
            issue(server.folder, "server", authority, 30)
            server.process.send_signal(signal.SIGHUP)
            make(ec2, "after")
            assert names(ec2) == ["after", "before"]


def test_a_missing_table(server, tmp_path):
    options = ("--data", str(tmp_path / "data"), "--store", create(server, "missing"))
    with Dev(*options) as dev:
        ec2 = dev.account.client()
        make(ec2, "before")
        dev.rest()
        for away, back, words in (("ALTER TABLE key_pair RENAME TO away", "ALTER TABLE away RENAME TO key_pair", "key_pair"),
                                  ("ALTER TABLE key_pair OWNER TO postgres", f"ALTER TABLE key_pair OWNER TO {ROLE}", "permission denied for table key_pair"),
                                  ("ALTER TABLE writer RENAME TO away", "ALTER TABLE away RENAME TO writer", "writer")):
            server.sql("missing", away)
            assert "is damaged" in refuse(ec2, "lost")
            assert names(ec2) == ["before"]
            said = doctor(dev.config)
            assert words in said and "put it back, or restore the database" in said, said
            server.sql("missing", back)
        make(ec2, "after")
        server.sql("missing", "ALTER TABLE writer_lease RENAME TO away")
        waiting.wait_until(lambda: "it calls no host" in doctor(dev.config), "doctor misses the lease", of=dev)
        server.sql("missing", "ALTER TABLE away RENAME TO writer_lease")
        waiting.wait_until(lambda: "it calls no host" not in doctor(dev.config), "the lease is renewed again", of=dev)
        assert names(ec2) == ["after", "before"]
        assert not dev.audit()
    server.sql("missing", "ALTER TABLE key_pair RENAME TO away")
    refused = waiting.run([DARI, "dev", "--port", "0", "--data", options[1]], capture_output=True, text=True)
    assert refused.returncode and '"key_pair" does not exist' in refused.stderr and "put it back" in refused.stderr
    server.sql("missing", "ALTER TABLE away RENAME TO key_pair")
    with Dev(*options[:2]) as dev:
        assert names(dev.account.client()) == ["after", "before"]


def test_emptied(server, tmp_path):
    """An emptied database beside a master key is refused at each start."""
    options = ("--data", str(tmp_path / "data"), "--store", create(server, "emptied"))
    with Dev(*options) as dev:
        make(dev.account.client(), "before")
    server.sql("emptied", f"DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION {ROLE}")
    for _ in range(2):
        refused = waiting.run([DARI, "dev", "--port", "0", "--data", options[1]], capture_output=True, text=True)
        assert refused.returncode and "is empty, though the region's master key is there" in refused.stderr, refused.stderr


class Makers:
    """Clients that make key pairs, and remember the answered ones. A lock may outlast the deadline of a change on a busy machine."""

    def __init__(self, dev, count=3):
        self.dev, self.stops, self.made, self.open, self.wrong = dev, False, [], [], []
        self.pool = concurrent.futures.ThreadPoolExecutor(count)
        self.work = [self.pool.submit(self.run, k) for k in range(count)]

    def run(self, k):
        ec2, n = self.dev.account.client(), 0
        while not self.stops:
            n += 1
            try:
                make(ec2, f"k{k}-{n}")
                self.made.append(f"k{k}-{n}")
            except botocore.exceptions.ClientError as e:
                is_unavailable = e.response["ResponseMetadata"]["HTTPStatusCode"] == 503
                (self.open if is_unavailable else self.wrong).append(f"k{k}-{n}" if is_unavailable else str(e))

    def await_more(self, count=6):
        wanted = len(self.made) + count
        waiting.wait_until(lambda: len(self.made) >= wanted, "changes are answered", of=self.dev)

    def check(self):
        self.stops = True
        for work in self.work:
            work.result()
        self.pool.shutdown()
        assert not self.wrong, self.wrong[:3]
        found = names(self.dev.account.client())
        assert len(found) == len(set(found)) and set(self.made) <= set(found) <= {*self.made, *self.open}
        assert not self.dev.audit()


def test_sessions_ended_again_and_again(server, tmp_path):
    """An operator ends all sessions, ten times under load, and looks with doctor meanwhile."""
    with Dev("--data", str(tmp_path / "data"), "--store", create(server, "ended")) as dev:
        makers = Makers(dev)
        for _ in range(10):
            server.sql("ended", ALL)
            makers.await_more()
            said = doctor(dev.config)
            assert re.search(r"^ok  database  .* rows, commit", said, re.MULTILINE), said
        makers.check()


@contextlib.contextmanager
def locked(server, database, table):
    """Holds the lock that VACUUM FULL, pg_repack's last step and ALTER TABLE take."""
    with subprocess.Popen([BIN / "psql", "-XAtq", server.url(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        holder.stdin.write(f"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE; SELECT 'held';\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == "held\n"
        yield
        holder.stdin.close()


def test_locked_tables(server, tmp_path):
    """A lock that outlasts the time limit of an answer, on a table of resources and on the lease's; then VACUUM FULL of the whole database under load."""
    with Dev("--data", str(tmp_path / "data"), "--store", create(server, "locked")) as dev:
        makers = Makers(dev)
        makers.await_more()
        for table in ("key_pair", "writer_lease"):
            with locked(server, "locked", table):
                waiting.wait_until(lambda: server.sql("locked", "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'dari%' AND wait_event_type = 'Lock'"
                                                      " AND clock_timestamp() - query_start > interval '1 s'"), "dari waits for the lock", of=dev)
                if table == "key_pair":
                    waiting.wait_until(lambda: "cannot be reached" in doctor(dev.config), "doctor says that commits wait", of=dev)
            makers.await_more()
        server.sql("locked", "VACUUM FULL")
        makers.await_more()
        makers.check()


@pytest.mark.skipif(not os.path.exists("/usr/sbin/pgbouncer"), reason="PgBouncer is not installed")
@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_pooler(server, tmp_path, mode):
    url, port = create(server, f"pooled_{mode}"), free_port()
    config = server.folder / f"{mode}.ini"
    config.write_text(f"[databases]\npooled_{mode} = host={server.folder} user={ROLE}\n[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port={port}\n"
                      f"unix_socket_dir=\nauth_type=any\npool_mode={mode}\n")
    with subprocess.Popen([*server.as_owner(), "/usr/sbin/pgbouncer", "-q", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as pooler:
        url = f"postgresql://{ROLE}@127.0.0.1:{port}/pooled_{mode}?sslmode=disable"
        waiting.wait_until(lambda: subprocess.run([BIN / "psql", "-XAtq", url, "-c", "SELECT 1"], capture_output=True, check=False).returncode == 0,
                           "the pooler answers", of=os.getpid())
        options = ("--port", "0", "--data", str(tmp_path / "data"), "--store", url)
        if mode == "transaction":
            refused = waiting.run([DARI, "dev", *options], capture_output=True, text=True)
            assert refused.returncode and "a pooler in transaction mode" in refused.stderr, refused.stderr
        else:
            with Dev(*options[2:]) as dev:
                make(dev.account.client(), "pooled")
                assert names(dev.account.client()) == ["pooled"]
        pooler.terminate()


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "-s", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

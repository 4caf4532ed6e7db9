#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/daemon/backup src/store/copy.c src/store/postgresql_copy.c src/store/postgresql_rows.c
"""`dari backup` of a region on PostgreSQL: its rows are in the backup as one state of a running region, and a restore puts them into SQLite or into an empty
database of PostgreSQL."""
import concurrent.futures
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from backups import Place, restored, short_folder  # noqa: E402
from dev import Dev  # noqa: E402
from postgresql import BIN, Pair, Server  # noqa: E402
import waiting  # noqa: E402

LOCKED = "audit_segment"  # a table that a backup reads late, and a writer never changes by itself
READS = f"SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%{LOCKED}%' AND application_name LIKE 'dari%'"


@pytest.fixture(scope="module", name="server")
def start_server():
    with Server() as running:
        yield running


@pytest.fixture(name="tmp_path")
def short_path():
    with short_folder() as folder:
        yield pathlib.Path(folder)


@contextlib.contextmanager
def halted(server, database):
    """A backup that begins now waits in the middle, behind a lock of another program."""
    with subprocess.Popen([BIN / "psql", "-XAtq", server.url(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        holder.stdin.write(f"BEGIN; LOCK TABLE {LOCKED} IN ACCESS EXCLUSIVE MODE; SELECT 'held';\n")
        holder.stdin.flush()
        assert holder.stdout.readline().strip() == "held"
        yield holder
        holder.kill()


def vpcs(dev):
    return {v["CidrBlock"] for v in dev.account.client().describe_vpcs()["Vpcs"]}


def make_vpcs(dev, first, count):
    blocks = [f"10.{first + k}.0.0/16" for k in range(count)]
    for block in blocks:
        dev.account.client().create_vpc(CidrBlock=block)
    return set(blocks)


def test_a_running_region(server, tmp_path):
    """Each change that was answered before the backup began is in it; those that are answered while it runs are not delayed by it, and are in the next one."""
    p = Place(tmp_path, "--store", server.create("running"))
    with p.dev, concurrent.futures.ThreadPoolExecutor() as pool:
        before = make_vpcs(p.dev, 10, 5)
        with halted(server, "running"):
            making = pool.submit(p.make)
            waiting.wait_until(lambda: server.sql("running", READS), "the backup reads", of=p.dev)
            during = make_vpcs(p.dev, 20, 5)
            assert not making.done()
        made = making.result()
        assert made["rows"] > 100 and made["sealed"]
        assert p.backup("--prove")[0]["rows"] == made["rows"]
        later = p.make()
        assert later["commit"] > made["commit"]
    done = p.restore(tmp_path / "root", "--key", p.key, "--backup", made["id"])
    database = f"{tmp_path}/root{p.data}/dari.db"
    assert done.returncode == 0 and f"{database}: name it in the configuration's key `store`" in done.stdout, done.stdout + done.stderr
    with restored(p, tmp_path / "root", "--store", database) as dev:
        assert before <= vpcs(dev) and not during & vpcs(dev)
        assert not dev.audit()
    done = p.restore(tmp_path / "next", "--key", p.key)
    with restored(p, tmp_path / "next", "--store", f"{tmp_path}/next{p.data}/dari.db") as dev:
        assert before | during <= vpcs(dev)


def test_changes_all_the_while(server, tmp_path):
    """Backups under a stream of changes are whole: each proves itself, and has what was answered before."""
    p = Place(tmp_path, "--store", server.create("stream"))
    with p.dev, concurrent.futures.ThreadPoolExecutor() as pool:
        ec2 = p.dev.account.client()
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        answered, ends = 0, False

        def change():
            nonlocal answered
            while not ends:
                ec2.create_tags(Resources=[vpc], Tags=[{"Key": "number", "Value": str(answered + 1)}])
                answered += 1
        changing, known = pool.submit(change), []
        try:
            for number in range(3):
                waiting.wait_until(lambda: answered > 10 * number, "changes are answered", of=p.dev)  # pylint: disable=cell-var-from-loop
                known.append(answered)
                made = p.make()
                assert p.backup("--prove")[0]["commit"] == made["commit"]
        finally:
            ends = True
        changing.result()
        ids = [b["id"] for b in p.backup("--list")]
    for backup, number in zip(ids, known, strict=True):
        root = tmp_path / f"root{number}"
        assert p.restore(root, "--key", p.key, "--backup", backup).returncode == 0
        with restored(p, root, "--store", f"{root}{p.data}/dari.db") as dev:
            ((tag,),) = [v["Tags"] for v in dev.account.client().describe_vpcs(VpcIds=[vpc])["Vpcs"]]
            assert int(tag["Value"]) >= number > 0


def test_the_server_goes_away(tmp_path):
    """A fail-over in the middle ends the backup in words, and what it left is no backup. The next one is whole."""
    with Pair() as pair:
        p = Place(tmp_path, "--store", pair.create("away"))
        with p.dev, concurrent.futures.ThreadPoolExecutor() as pool:
            first = p.make()
            with halted(pair.primary, "away"):
                making = pool.submit(p.run, "backup", p.target, "--recovery-certificate", p.certificate)
                waiting.wait_until(lambda: pair.sql("away", READS), "the backup reads", of=p.dev)
                pair.fail_over()
            done = making.result()
            assert done.returncode == 1 and "the copy was given up, and nothing is left of it" in done.stderr and "cannot be reached" in done.stderr
            block = make_vpcs(p.dev, 30, 1)  # waits until the new primary answers
            assert [b["id"] for b in p.backup("--list")] == [first["id"]]
            assert not os.path.exists(f"{p.data}/backup.partial")
            p.make()
            assert p.backup("--prove")[0]["rows"] > first["rows"]
        assert p.restore(tmp_path / "root", "--key", p.key).returncode == 0
        with restored(p, tmp_path / "root", "--store", f"{tmp_path}/root{p.data}/dari.db") as dev:
            assert block <= vpcs(dev)


def test_another_writer_meanwhile(server, tmp_path):
    """A backup holds nothing that a process needs that takes the database over."""
    url = server.create("takeover")
    p = Place(tmp_path, "--store", url)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        with halted(server, "takeover"):
            making = pool.submit(p.run, "store", "backup", str(tmp_path / "data/copy.db"))
            waiting.wait_until(lambda: server.sql("takeover", READS), "the copy is being made", of=p.dev)
            p.dev.process.kill()
            p.dev.process.wait()
            making.result()
    with Dev("--data", p.data) as dev:
        make_vpcs(dev, 40, 1)


def test_into_postgresql(server, tmp_path):
    """If the configuration names PostgreSQL, the rows go into the empty database there and into no other one; nothing is written before that is known."""
    p = Place(tmp_path, "--store", server.create("home"))
    with p.dev:
        blocks = make_vpcs(p.dev, 50, 2)
        made = p.make()
    os.rename(p.data, f"{p.data}.lost")
    full = p.restore(None, "--key", p.key)
    assert full.returncode == 1 and f"the database postgresql://{server.folder}/home has a region already" in full.stderr, full.stderr
    assert not os.path.exists(p.data)
    server.sql("postgres", "DROP DATABASE home")
    server.create("home")
    server.sql("home", "CREATE TABLE customers (name text)")
    foreign = p.restore(None, "--key", p.key)
    assert foreign.returncode == 1 and "it is another program's" in foreign.stderr and not os.path.exists(p.data), foreign.stderr
    server.sql("home", "DROP TABLE customers")
    done = p.restore(None, "--key", p.key)
    assert done.returncode == 0 and f"{made['rows']} rows at commit {made['commit']}" in done.stdout, done.stderr
    assert f"The database is in postgresql://{server.folder}/home.\n" in done.stdout
    assert not [name for name in os.listdir(p.data) if name.startswith("dari.db")]
    with restored(p, "") as dev:
        assert blocks <= vpcs(dev)
        assert not dev.audit()
    assert p.restore(None, "--key", p.key).returncode == 1


def test_into_another_database(server, tmp_path):
    """--store names the database, also for a backup of a region on SQLite. A restore that fails leaves no file, and can be repeated."""
    p = Place(tmp_path)
    with p.dev:
        blocks = make_vpcs(p.dev, 60, 2)
        p.make()
    url = server.create("moved")
    bad = p.restore(tmp_path / "root", "--key", p.key, "--store", "postgresql://127.0.0.1:1/nothing")
    assert bad.returncode == 1 and "cannot be reached" in bad.stderr and not os.path.exists(tmp_path / "root")
    first = p.restore(tmp_path / "root", "--key", p.key, "--store", url)
    assert first.returncode == 0 and "name it in the configuration's key `store`" in first.stdout, first.stderr
    with restored(p, tmp_path / "root", "--store", url) as dev:
        assert blocks <= vpcs(dev)


def test_without_a_configuration(server, tmp_path):
    p = Place(tmp_path, "--store", server.create("plain"))
    with p.dev:
        p.backup("--without-keys")
    shutil.move(p.data, f"{p.data}.lost")
    done = p.restore(None)
    assert done.returncode == 1 and "name an empty database with --store" in done.stderr and not os.path.exists(p.data)
    done = p.restore(None, "--store", str(tmp_path / "here.db"))
    assert done.returncode == 0 and os.path.exists(tmp_path / "here.db"), done.stderr


def test_the_files_of_the_connection(server, tmp_path):
    """The password's file that the URL names is among the encrypted files."""
    passfile = tmp_path / "password"
    passfile.write_text("*:*:*:postgres:secret\n")
    passfile.chmod(0o600)
    server.create("named")
    p = Place(tmp_path, "--store", server.url("named", passfile=passfile))
    with p.dev:
        p.make()
    assert p.restore(tmp_path / "root", "--key", p.key).returncode == 0
    assert pathlib.Path(f"{tmp_path}/root{passfile}").read_text() == passfile.read_text()


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

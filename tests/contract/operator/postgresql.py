#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/store/postgresql src/store/committer src/store/copy.c src/store/sql
"""The store in PostgreSQL: the store's unit programs on a real server, and a region that survives kills of `dari` and of the server, cuts of the network, and moves."""
import concurrent.futures
import contextlib
import datetime
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys

import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import DARI, Dev  # noqa: E402
from postgresql import BIN, Proxy, Server  # noqa: E402
import waiting  # noqa: E402

COMMIT_UNKNOWN, REPLACED = 70, 71  # exit statuses
PROGRAMS = pathlib.Path(DARI).parents[2] / "tests/unit/store"


@pytest.fixture(scope="module")
def server():
    with Server() as running:
        yield running


@pytest.mark.parametrize("name", ["postgresql", "store", "view", "query", "ledger", "audit", "prune", "copy", "faults"])
def test_unit(server, name):
    done = waiting.run([PROGRAMS / f"test_store_{name}"], capture_output=True, text=True, of=[server],
                       env=dict(os.environ, DARI_TEST_POSTGRESQL=str(server.folder), CMOCKA_MESSAGE_OUTPUT="STDOUT"))
    assert done.returncode == 0, done.stdout + done.stderr


def instances(ec2):
    found = [i for r in ec2.describe_instances()["Reservations"] for i in r["Instances"]]
    return sorted((i["InstanceId"], i["ImageId"], i.get("PrivateIpAddress", "")) for i in found)


def launch(ec2, token=None):
    image = ec2.describe_images()["Images"][0]["ImageId"]
    return ec2.run_instances(ImageId=image, InstanceType="t3.nano", MinCount=1, MaxCount=1, **({"ClientToken": token} if token else {}))["Instances"][0]["InstanceId"]


def refuse_launch(ec2, token=None):
    """Expects a refusal that tells clients to try again; returns its message."""
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        launch(ec2, token)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    return refused.value.response["Error"]["Message"]


def dari(*argv, **env):
    return waiting.run([DARI, *argv], capture_output=True, text=True, env=dict(os.environ, **env))


@pytest.fixture(name="room")
def make_room(tmp_path):
    return tmp_path


WAITING = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'dari%' AND wait_event_type = 'Lock'"


def test_sessions_end_with_their_client(server, room):
    """While a lock is held, as by a commit that waits for a standby that is gone, attempts to renew the lease leave no sessions behind: these would
    take all connections of the server."""
    url = server.create("waiting")
    with Dev("--data", str(room / "data"), "--store", url):
        with subprocess.Popen([BIN / "psql", "-XAtq", url], stdin=subprocess.PIPE, text=True) as holder:
            holder.stdin.write("BEGIN; SELECT 1 FROM writer_lease FOR UPDATE;\n")
            holder.stdin.flush()
            seen, most = set(), 0

            def has_tried_often():
                nonlocal most
                now = server.sql("waiting", WAITING)
                seen.update(now)
                most = max(most, len(now))
                return len(seen) >= 6
            waiting.wait_until(has_tried_often, "the lease is renewed in new sessions", of=server, every_s=0.1)
            holder.stdin.close()
        assert most <= 4


def test_region(server, room):
    """kill -9 of `dari`, then of the server: rows stay, reads go on, changes wait and are refused at their deadline."""
    options = ("--data", str(room / "data"), "--store", server.create("region"))
    with Dev(*options) as dev:
        launch(dev.account.client())
        before = instances(dev.account.client())
        dev.process.send_signal(signal.SIGKILL)
        dev.process.wait()
    with Dev(*options[:2]) as dev:
        ec2 = dev.account.client()
        assert instances(ec2) == before
        second = dari("dev", "--port", "0", "--data", str(room / "other"), *options[2:])
        assert second.returncode and "master.key is not that of the region" in second.stderr
        assert "fsync off" in dari("doctor", DARI_CONFIG=dev.config).stdout
        server.kill()
        assert "cannot be reached" in refuse_launch(ec2, "once")
        assert instances(ec2) == before
        assert "cannot be reached" in dari("doctor", DARI_CONFIG=dev.config).stdout
        server.start()
        launch(ec2, "once")
        assert len(instances(ec2)) == 2
        said = dari("store", "rescue", str(room / "copy"), DARI_CONFIG=dev.config)
        assert said.returncode and "not supported with PostgreSQL" in said.stderr


def test_cut(server, room):
    """The network to the server is cut: reads go on, a change waits until the deadline or until the network is back, and takes place once."""
    server.create("cut")
    with Proxy(server) as proxy, Dev("--data", str(room / "data"), "--store", proxy.url("cut")) as dev, \
            concurrent.futures.ThreadPoolExecutor() as pool:
        ec2 = dev.account.client()
        launch(ec2)
        dev.rest()
        for round_number, passes in enumerate([set(), {"requests"}]):  # before and behind the COMMIT
            before = instances(ec2)
            proxy.passes, proxy.swallowed = passes, 0
            late = pool.submit(refuse_launch, ec2, f"late-{round_number}")
            waiting.wait_until(lambda: proxy.swallowed, "dari sends a batch", of=dev)  # pylint: disable=cell-var-from-loop
            assert instances(ec2) == before
            assert "Try again later" in late.result()
            waits = pool.submit(launch, ec2, f"waits-{round_number}")
            proxy.restore()
            waits.result()
            launch(ec2, f"late-{round_number}")
            assert len(instances(ec2)) == len(before) + 2
        assert not dev.audit()


def test_end_in_a_cut(server, room):
    """`dari` ends although the outcome of a COMMIT is open; the next start has what the server has."""
    options = ("--data", str(room / "data"))
    server.create("end")
    with Proxy(server) as proxy, concurrent.futures.ThreadPoolExecutor() as pool:
        dev = Dev(*options, "--store", proxy.url("end"))
        launch(dev.account.client())
        dev.rest()
        proxy.passes, proxy.swallowed = {"requests"}, 0
        late = pool.submit(refuse_launch, dev.account.client())
        waiting.wait_until(lambda: proxy.swallowed, "dari sends a batch", of=dev)
        assert dev.end() == COMMIT_UNKNOWN
        late.result()
        proxy.restore()
        with Dev(*options) as dev:
            assert [str(len(instances(dev.account.client())))] == server.sql("end", "SELECT count(*) FROM instance")
            launch(dev.account.client())
            assert not dev.audit()


def test_last_week(server, room):
    """A database that was put back to an older state is refused in words and not caught up. A process whose database another one took over ends."""
    options = ("--data", str(room / "data"), "--store", server.create("week"))
    with Dev(*options) as dev:
        ec2 = dev.account.client()
        launch(ec2)
        dev.rest()
        server.sql("week", "UPDATE writer SET batch = batch - 1")
        with pytest.raises(botocore.exceptions.ClientError) as refused:
            launch(ec2)
        assert "moved, removed or replaced" in refused.value.response["Error"]["Message"]
        assert len(instances(ec2)) == 1
        assert "older copy" in dari("doctor", DARI_CONFIG=dev.config).stdout
        server.sql("week", "UPDATE writer SET batch = batch + 1")
        launch(ec2)
        dev.rest()
        server.sql("week", "UPDATE writer SET epoch = epoch + 1")
        with pytest.raises((botocore.exceptions.ConnectionError, botocore.exceptions.HTTPClientError)):
            launch(ec2)
        assert dev.process.wait() == REPLACED
    assert server.sql("week", "SELECT count(*) FROM instance") == ["2"]


MARKS = ("('writer'", "('moved_to'")


def rows_of(path):
    """All rows of a database of SQLite, by table; but for the marks of the process that opened it last and of `dari store copy`."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        tables = [name for name, in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
        return {table: sorted(row for row in map(repr, db.execute(f'SELECT * FROM "{table}"')) if not row.startswith(MARKS)) for table in tables}


def test_copy(server, room):
    """A region moves from SQLite to PostgreSQL, and back: every row and record is the same, and `dari` goes on from it."""
    url, first, back = server.create("copy"), room / "data/dari.db", room / "back.db"
    with Dev("--data", str(room / "data")) as dev:
        ec2 = dev.account.client()
        kept = launch(ec2)
        ec2.create_tags(Resources=[kept], Tags=[{"Key": "name", "Value": "Grüße \U0001f40c"}])
        ec2.terminate_instances(InstanceIds=[launch(ec2)])
        dev.new_account("second")
        dev.rest()
        before = instances(ec2)
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        archived = dari("log", "archive", "--before", now, "--archive", str(room / "archive"), DARI_CONFIG=dev.config)
        assert archived.returncode == 0, archived.stderr
        dev.new_account("third")
        busy = dari("store", "copy", "--from", str(first), "--to", url)
        assert busy.returncode == 1 and "in use" in busy.stderr
    bad = server.create("bad")
    empty = dari("store", "copy", "--from", bad, "--to", url)
    assert empty.returncode == 1 and "has no region" in empty.stderr
    server.sql("bad", "CREATE FUNCTION bend() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name := 'bent'; RETURN NEW; END $$;"
               "CREATE TRIGGER bends BEFORE INSERT ON account FOR EACH ROW EXECUTE FUNCTION bend()")
    bent = dari("store", "copy", "--from", str(first), "--to", bad)
    assert bent.returncode == 1 and "differs from the original in account (" in bent.stderr
    refused = dari("dev", "--port", "0", "--data", str(room / "bent"), "--store", bad)
    assert refused.returncode and "by a `dari store copy` that did not end" in refused.stderr
    copied = dari("store", "copy", "--from", str(first), "--to", url)
    assert copied.returncode == 0 and "copied and compared" in copied.stdout, copied.stderr
    twice = dari("store", "copy", "--from", str(first), "--to", url)
    assert twice.returncode == 1 and f"was moved to postgresql://{server.folder}/copy" in twice.stderr
    kept_there = dari("store", "copy", "--keep", "--from", url, "--to", str(back))
    assert kept_there.stdout.splitlines()[0] == copied.stdout.splitlines()[0], kept_there.stderr
    rows, rows_back = rows_of(first), rows_of(back)
    assert rows.keys() == rows_back.keys() and len(rows["audit_segment"]) == 1
    assert [table for table, row in rows.items() if row != rows_back[table]] == []
    with Dev("--data", str(room / "data"), "--store", url) as dev:
        ec2 = dev.account.client()
        assert instances(ec2) == before
        launch(ec2)
        assert not dev.audit()
        verified = dari("log", "audit", "--verify", "--archive", str(room / "archive"), DARI_CONFIG=dev.config)
        assert verified.returncode == 0, verified.stdout + verified.stderr


def refused_start(data, *options):
    done = dari("dev", "--port", "0", "--data", str(data), *options)
    assert done.returncode, done.stdout
    return done.stderr


def test_the_former_database(server, room):
    """No dari starts with the database that a region was moved away from, whichever kind it is; `dari store reopen` goes back deliberately."""
    url, data, back = server.create("former"), room / "data", room / "back.db"
    with Dev("--data", str(data)) as dev:
        launch(dev.account.client())
        dev.rest()
        before = instances(dev.account.client())
    moved = dari("store", "copy", "--from", str(data / "dari.db"), "--to", url)
    assert moved.returncode == 0 and "does not start with the former one any more" in moved.stdout, moved.stderr
    told = refused_start(data)
    assert f"was moved to postgresql://{server.folder}/former" in told and "the configuration's key `store`" in told and "dari store reopen" in told
    with Dev("--data", str(data), "--store", url) as dev:
        assert instances(dev.account.client()) == before
        launch(dev.account.client())
        dev.rest()
        after = instances(dev.account.client())
    epoch = server.sql("former", "SELECT epoch FROM writer")
    moved = dari("store", "copy", "--from", url, "--to", str(back))
    assert moved.returncode == 0, moved.stderr
    told = refused_start(data, "--store", url)
    assert f"was moved to {back} on " in told
    with Dev("--data", str(data), "--store", str(back)) as dev:
        assert instances(dev.account.client()) == after
    assert dari("store", "copy", "--from", url, "--to", str(room / "third.db")).returncode == 1
    assert not (room / "third.db").exists()
    there = dari("store", "reopen", url)
    assert there.returncode == 0, there.stderr
    with Dev("--data", str(data), "--store", url) as dev:
        assert instances(dev.account.client()) == after
    assert server.sql("former", "SELECT epoch FROM writer") > epoch
    assert "has no mark" in dari("store", "reopen", url).stderr


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/store/postgresql src/store/committer src/daemon/writer.c src/daemon/follower
# limit: 900 s
"""Three `dari` whose network to PostgreSQL is cut for a minute: each answers reads all the while, refuses changes with 503 at their deadline, and takes
changes again when the network is back. A refusal says if the change may still happen; nothing else that was refused happens, and nothing happens twice."""
import concurrent.futures
import os
import sys
import time

import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from members import Load, Region, check  # noqa: E402
from postgresql import Proxy, Server  # noqa: E402
import waiting  # noqa: E402

AWAY_S = 60  # as long as the server of a cloud takes to be replaced


class Distant:
    """A server whose members reach it through a proxy, while the test does not."""

    def __init__(self, server, proxy):
        self.server, self.proxy = server, proxy
        self.sql = server.sql

    def create(self, database):
        self.server.create(database)
        return self.proxy.url(database)


def refuse_key(client, name):
    """Asks for a key pair; returns the status of the refusal and its words."""
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        client.create_key_pair(KeyName=name, KeyType="ed25519")
    return refused.value.response["ResponseMetadata"]["HTTPStatusCode"], str(refused.value)


def test_a_minute(tmp_path):
    with Server() as server, Proxy(server) as proxy, Region(Distant(server, proxy), "away", tmp_path) as region, \
            concurrent.futures.ThreadPoolExecutor() as pool:
        region.await_writer()
        clients = [region.client(k, answer_s=waiting.HANG_S) for k in range(3)]
        with Load(region, pause_s=0.2) as load:
            load.await_more()
        for client in clients:
            client.create_key_pair(KeyName=f"before-{clients.index(client)}", KeyType="ed25519")
        before = sorted(key["KeyName"] for key in clients[0].describe_key_pairs()["KeyPairs"])
        proxy.passes = set()
        until = time.monotonic() + AWAY_S
        refused = [pool.submit(refuse_key, client, f"refused-{k}") for k, client in enumerate(clients)]
        reads = 0
        while time.monotonic() < until or not all(change.done() for change in refused):
            for client in clients:
                assert sorted(key["KeyName"] for key in client.describe_key_pairs()["KeyPairs"]) == before
                reads += 1
            time.sleep(0.5)
        statuses, words = zip(*(change.result() for change in refused))
        assert statuses == (503, 503, 503)
        print("\n".join(words))
        proxy.restore()
        with Load(region, pause_s=0.2) as later:
            print(f"{reads} reads while the database was away; seconds to the next answered change: {later.await_more():.2f}")
        names = {key["KeyName"] for key in region.client(0).describe_key_pairs()["KeyPairs"]}
        assert {name for name in names if name.startswith("refused")} <= {f"refused-{k}" for k in range(3) if "not known" in words[k]}
        assert set(before) <= names
        load.launched = {**load.launched, **later.launched}
        check(region, load)


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "-s", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

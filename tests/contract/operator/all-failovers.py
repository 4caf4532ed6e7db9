#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/store/postgresql src/daemon/writer.c src/daemon/follower
# limit: 14400 s
"""Three `dari` on PostgreSQL under Patroni with a synchronous standby, and etcd: random faults of each part, alone and in pairs, under load from stock
clients. No answered change is lost or made twice. EVENTS=200 faults in batches of ten, each with a region of its own: `-k batch7` repeats one."""
import os
import random
import signal
import sys
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from members import Load, Region, check  # noqa: E402
from patroni import Cluster  # noqa: E402
import waiting  # noqa: E402

EVENTS, SEED = int(os.environ.get("EVENTS", "200")), int(os.environ.get("SEED", str(random.randrange(1 << 30))))
BATCH = 10
STAND_STILL_S = 3  # longer than a lease lasts
ETCD_AWAY_S = 12  # longer than Patroni tries again
PAUSE_S = 0.5


class Faults:
    """Each returns what brings the part back, or None."""

    def __init__(self, region, cluster, chance):
        self.region, self.cluster, self.chance = region, cluster, chance

    def kill_writer(self):
        self.region.await_writer().kill()

    def stop_writer(self):
        writer = self.region.await_writer()
        process = writer.process
        writer.kill(signal.SIGSTOP)
        time.sleep(STAND_STILL_S)
        return lambda: process.send_signal(signal.SIGCONT)

    def kill_follower(self):
        writer = self.region.await_writer()
        self.chance.choice([m for m in self.region.members if m is not writer]).kill()

    def kill_primary(self):
        """The machine dies: Patroni, the server and its sessions. The standby takes over once the lock in etcd has expired."""
        lost = self.cluster.await_primary()
        self.cluster.await_standby()
        lost.die()
        self.cluster.await_primary(other_than=lost)
        return lost.start

    def freeze_primary(self):
        lost = self.cluster.await_primary()
        self.cluster.await_standby()
        lost.signal(signal.SIGSTOP)
        other = next(m for m in self.cluster.machines if m is not lost)
        waiting.wait_until(other.is_primary, "the standby takes over", of=os.getpid())
        return lambda: lost.signal(signal.SIGCONT)

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

    def kill_etcd(self):
        """Without etcd the primary steps down: nobody may write."""
        self.cluster.kill_etcd()
        time.sleep(ETCD_AWAY_S)
        return self.cluster.start_etcd


# By weight: a fifth and more are fail-overs of the database.
KINDS = {"kill_writer": 4, "stop_writer": 3, "kill_follower": 2, "kill_primary": 2, "freeze_primary": 1, "kill_server": 2, "switch_over": 3, "kill_standby": 1,
         "kill_etcd": 1}
PAIRED = ["kill_writer", "stop_writer", "kill_follower"]


@pytest.fixture(scope="module", name="cluster")
def make_cluster():
    with Cluster() as cluster:
        yield cluster


def draw(chance):
    kind = chance.choices(list(KINDS), KINDS.values())[0]
    pair = [chance.choice(PAIRED)] if kind not in PAIRED and chance.random() < 0.25 else []
    return [*pair, kind]


@pytest.mark.parametrize("batch", [f"batch{n}" for n in range((EVENTS + BATCH - 1) // BATCH)])
def test_events(cluster, tmp_path, batch):
    chance = random.Random(f"{SEED} {batch}")
    print(f"SEED={SEED} -k {batch}")
    cluster.await_primary()
    cluster.await_standby()
    with Region(cluster, batch, tmp_path) as region:
        faults = Faults(region, cluster, chance)
        region.await_writer()
        with Load(region, pause_s=PAUSE_S) as load:
            load.await_more()
            for n in range(min(BATCH, EVENTS - BATCH * int(batch.removeprefix("batch")))):
                kinds, since = draw(chance), time.monotonic()
                ends = [getattr(faults, kind)() for kind in kinds]
                if "kill_etcd" not in kinds:
                    load.await_more()
                for end in ends:
                    if end:
                        end()
                load.await_more()
                print(f"{n}: {' and '.join(kinds)}: {load.longest_gap(since):.1f} s without an answered change")
            cluster.await_standby()
        check(region, load)


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "-s", "--tb=short", "-p", "no:cacheprovider", *sys.argv[1:], __file__]))

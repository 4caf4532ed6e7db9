#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/store/postgresql src/store/committer src/daemon/writer.c src/daemon/follower/follower.c
"""Three `dari` on a PostgreSQL primary and its synchronous standby: the writer is killed three times under load, and in between the primary dies and the
test promotes the standby. No answered change is lost or made twice."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from members import Load, Region, check  # noqa: E402
from postgresql import Pair  # noqa: E402


def kill_writer(region, load):
    """Returns the seconds until a change is answered again."""
    writer = region.await_writer()
    writer.kill()
    seconds = load.await_more()
    region.await_writer(other_than=writer)
    return seconds


def test_fail_over(tmp_path):
    with Pair() as pair, Region(pair, "region", tmp_path) as region:
        with Load(region, pause_s=0.02) as load:
            load.await_more()
            kills = [kill_writer(region, load)]
            pair.fail_over()
            promoted = load.await_more()
            kills += [kill_writer(region, load) for _ in range(2)]
        print(f"seconds to the next answered change: after kills of the writer {[round(s, 2) for s in kills]}, after the promotion {promoted:.2f}; "
              f"{len(load.answered)} changes")
        check(region, load)


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "-s", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/store/postgresql
# limit: 7200 s
"""The engine's unit programs with their regions in PostgreSQL instead of SQLite. Two programs run at a time, each in a database of its own."""
import concurrent.futures
import os
import pathlib
import queue
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import DARI  # noqa: E402
from postgresql import Server  # noqa: E402
import waiting  # noqa: E402

FOLDER = pathlib.Path(DARI).parents[2] / "tests/unit/engine"
# a child cannot use its parent's connection; two regions at a time need two databases
FORKING, DOUBLE = {"test_engine_guarded"}, {"test_engine_capacity"}
PROGRAMS = sorted(path.name for path in FOLDER.glob("test_engine_*") if path.is_file() and path.name not in FORKING | DOUBLE)
SLOTS = 2


@pytest.fixture(scope="module", name="runs")
def start_all(request):
    """The runs of the chosen programs, by name."""
    chosen = [item.callspec.params["name"] for item in request.session.items if hasattr(item, "callspec")]
    slots = queue.Queue()
    for slot in range(SLOTS):
        slots.put(str(slot))
    with Server() as server, concurrent.futures.ThreadPoolExecutor(SLOTS) as pool:
        def run(name):
            slot = slots.get()
            try:
                return waiting.run([FOLDER / name], capture_output=True, text=True, of=[server],
                                   env=dict(os.environ, DARI_TEST_POSTGRESQL=str(server.folder), DARI_TEST_SLOT=slot, CMOCKA_MESSAGE_OUTPUT="STDOUT"))
            finally:
                slots.put(slot)
        yield {name: pool.submit(run, name) for name in chosen}


def test_programs_are_built():
    assert len(PROGRAMS) > 50


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(runs, name):
    done = runs[name].result()
    assert done.returncode == 0, done.stdout + done.stderr


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

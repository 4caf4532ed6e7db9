#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/store src/daemon/follower src/daemon/writer.c
# limit: 7200 s
"""20,000 histories of two or three processes on one simulated PostgreSQL (tests/simulation/writers), each followed by writers.pml; HISTORIES
names another number. Every guard of the product, left out alone, makes some history go wrong. The number of commits says the first seed;
WRITERS_SEED names another. What has passed stands in build/several-writers.txt, by first seed and program, so an interrupted run goes on."""
import hashlib
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import several_writers  # noqa: E402

CHUNK, GUARD_MAX = 250, 20_000  # MARGIN needs about 2,000
# FULL_WAIT, HANDED and LAPSE are not among them: no history was found yet that needs them. The model shows what HANDED is for:
# spin -a -DFORK -DEPOCHS=3 -DNO_HANDED, searched in breadth, has two processes that call hosts at the same time.
GUARDS = ["EXPIRY", "RAISE", "EPOCH", "BATCH", "SENT", "RENEWAL_EPOCH", "LOAD", "LOADED", "MARGIN", "WAIT", "RECHECK", "PROOF", "LOCK",
          "START", "RELOAD", "UNIQUE"]
PROGRESS = os.path.join(several_writers.ROOT, "build", "several-writers.txt")


def mark():
    """Names the program and the model: what another one has passed does not count."""
    digest = hashlib.sha256()
    for path in (several_writers.WRITERS, several_writers.MODEL):
        with open(path, "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()[:12]


def read_passed(program):
    try:
        with open(PROGRESS, encoding="ascii") as file:
            return {tuple(map(int, line.split()[1:])) for line in file if line.split()[0] == program}
    except FileNotFoundError:
        return set()


def run_chunk(models, first, count):
    with tempfile.TemporaryDirectory(prefix="dari-writers-") as steps:
        failed, said = several_writers.run(first, count, steps)
        names, refused = several_writers.replay_all(models, steps)
    if failed or f"{count} passed, 0 failed" not in said:
        return said
    return "" if len(names) == count and not refused else f"the model has followed {len(names) - len(refused)} of {count}: {refused}"


def main():
    commits = subprocess.run(["git", "rev-list", "--count", "HEAD"], cwd=several_writers.ROOT, capture_output=True, text=True, check=True).stdout
    first = int(os.environ.get("WRITERS_SEED") or 1_000_000 + 20_000 * int(commits))
    total, program, failures, number = int(os.environ.get("HISTORIES") or 20_000), mark(), 0, 0
    passed = read_passed(program)
    with tempfile.TemporaryDirectory(prefix="dari-models-") as folder:
        models = several_writers.build_models(folder)
        for seed in range(first, first + total, CHUNK):
            count = min(CHUNK, first + total - seed)
            wrong = "" if (seed, count) in passed else run_chunk(models, seed, count)
            number += 1
            failures += bool(wrong)
            print(f"{'not ok' if wrong else 'ok'} {number} - {count} histories from seed {seed} on {wrong}", flush=True)
            if not wrong and (seed, count) not in passed:
                with open(PROGRESS, "a", encoding="ascii") as file:
                    file.write(f"{program} {seed} {count}\n")
    for guard in GUARDS:
        failed, said = several_writers.run(1, GUARD_MAX, without=guard)
        number += 1
        failures += not failed
        print(f"{'ok' if failed else 'not ok'} {number} - without {guard}: {said.splitlines()[0] if said else 'nothing'}", flush=True)
    print(f"1..{number}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/store src/reconcile src/base
"""The model of several writers (writers.pml) under Debian's spin: no state that can be reached has two writers whose work mixes, an answered
change that is lost or made twice, or two guests on one disk. Each guard, left out alone, must lead to such a state: a model that allows
too little would find nothing either way.

With all guards the model has more states than memory holds. One search goes through the nearest NEAR states, in breadth; another goes
deep, stores bits of hashes (spin's bitstate), and ends after STATES states."""
import os
import re
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

MODEL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "writers.pml")
STATES, NEAR = 10_000_000, 4_000_000
GUARDS = {  # what the product does, as the model's -DNO_<guard>; in which way the search finds the state soonest
    "EXPIRY": "takes the lease only after it has expired",
    "RAISE": "raises the epoch as it takes the lease",
    "EPOCH": "checks the epoch in each commit",
    "BATCH": "checks the number of the batch in each commit",
    "SENT": "counts its deadline from before the renewal was sent",
    "RENEWAL_EPOCH": "checks the epoch in each renewal",
    "LOAD": "loads all rows when it takes over",
    "MARGIN": "calls no host shortly before its deadline",
    "WAIT": "calls no host until the former writer's calls are over",
    "RECHECK": "asks again before each call of a step",
    "PROOF": "starts a guest elsewhere only when its host is proven off",
    "LOCK": "has each disk locked by the guest that uses it",
}
DEEP = {"MARGIN", "WAIT", "RECHECK", "PROOF"}  # found by depth-first search sooner
LATE = {"LOCK"}  # only calls that are carried out late show it


def build(folder, defines, flags):
    subprocess.run(["spin", "-a", *defines, MODEL], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["gcc", "-O2", "-w", "-DSAFETY", "-DVECTORSZ=2048", *flags, "-o", "pan", "pan.c"], cwd=folder, check=True)


def search(defines, flags, options, enough=0):
    """The states that were stored, and the assertion that failed, or an empty text. Ends after about `enough` states, if that is not 0."""
    with tempfile.TemporaryDirectory(prefix="dari-model-") as folder:
        build(folder, defines, flags)
        said = ""
        with subprocess.Popen(["./pan", *options], cwd=folder, stdout=subprocess.PIPE, text=True) as pan:
            for line in pan.stdout:
                said += line
                so_far = re.search(r"States= *([\d.e+]+)", line)
                if enough and so_far and float(so_far[1]) >= enough:
                    pan.send_signal(signal.SIGINT)
    stored = re.search(r"([\d.e+]+) states, stored", said)
    if not stored or "out of memory" in said or "max search depth" in said:
        return 0, said
    failed = re.search(r"assertion violated (.*) \(at depth", said)
    return int(float(stored[1])), failed[1].strip() if failed else ""


def check_guard(guard):
    late = ["-DLATE_CALLS"] if guard in LATE else []
    flags, options = (["-DCOLLAPSE"], ["-m1000000", "-w22"]) if guard in DEEP else (["-DCOLLAPSE", "-DBFS"], ["-w22"])
    fewer = ["-DFEWER"] if guard in DEEP else []
    states, failed = search(["-DEPOCHS=2", f"-DNO_{guard}", *late, *fewer], flags, options)
    return bool(states and failed), f"without a process that {GUARDS[guard]}: {failed or 'nothing is wrong'}, in {states} states"


def check_whole(late, enough):
    flags, options = (["-DCOLLAPSE", "-DBFS"], ["-w24"]) if enough == NEAR else (["-DBITSTATE"], ["-m4000000", "-w30", "-k3"])
    states, failed = search(["-DEPOCHS=3", *late], flags, options, enough)
    how = f"{'late calls' if late else 'calls in time'}, {'in breadth' if enough == NEAR else 'deep'}"
    return not failed and states >= enough, f"{how}: {states} states; {failed or 'nothing is wrong'}"


def main():
    with ThreadPoolExecutor(2) as pool:
        results = [*pool.map(check_guard, GUARDS), *pool.map(check_whole, [[], ["-DLATE_CALLS"]] * 2, [NEAR, NEAR, STATES, STATES])]
    for number, (holds, what) in enumerate(results, 1):
        print(f"{'ok' if holds else 'not ok'} {number} - {what}", flush=True)
    print(f"1..{len(results)}")
    return 0 if all(holds for holds, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main())

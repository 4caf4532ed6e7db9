#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/store src/daemon/follower src/daemon/writer.c
"""Two or three processes on one simulated PostgreSQL (tests/simulation/writers): histories with fixed seeds, and some with a seed that
is told and differs each time; WRITERS_SEED names another. writers.pml follows each. A history with one step more, or one less, it refuses,
and one whose fail-overs are said to lose no commit, or another number; and without a guard of the product some history goes wrong. all-47-several-writers.py takes 20,000 histories and every guard."""
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import several_writers  # noqa: E402

FIXED, RANDOM, REPLAYED = 60, 30, 50
GUARDS = ["RAISE", "EPOCH", "LOAD", "RECHECK", "PROOF", "START"]  # those that the first seeds show
count = failures = 0


def say(holds, what):
    global count, failures
    count += 1
    failures += not holds
    print(f"{'ok' if holds else 'not ok'} {count} - {what}", flush=True)


def change_steps(path, change):
    with open(path, encoding="ascii") as file:
        lines = file.read().splitlines()
    with open(path + "-changed" + (several_writers.LATE if path.endswith(several_writers.LATE) else ""), "w", encoding="ascii") as file:
        file.write("\n".join(change(lines)) + "\n")
    return file.name


def find_needed(lines, step):
    """Finds the step of the first process that commits twice, up to its first commit. Steps of others may be missing: if a process died before it wrote,
    or its commit was lost, the model is right to follow the history without them."""
    steps = [line.split()[1:3] for line in lines]
    commits = [k for k, (name, _) in enumerate(steps) if name == "COMMIT"]
    first = next(a for a, b in zip(commits, commits[1:]) if steps[a] == steps[b])
    return max(k for k in range(first + 1) if steps[k] == [step, steps[first][1]])


def without(lines, step):
    found = find_needed(lines, step)
    return lines[:found] + lines[found + 1:]


def twice(lines, step):
    found = find_needed(lines, step)
    return lines[:found + 1] + lines[found:]


def is_forked(path):
    with open(path, encoding="ascii") as file:
        return any(line.split()[1] == "FORK" for line in file)


def without_forks(lines):
    return [line for line in lines if line.split()[1] != "FORK"]


def lose_more(lines):
    """Lets each fail-over lose one commit more, or one less where three are lost."""
    steps = [line.split() for line in lines]
    return [" ".join([*step[:3], str(int(step[3]) + 1 if int(step[3]) < 3 else 2)]) if step[1] == "FORK" else line for step, line in zip(steps, lines)]


def check_forks(models, paths):
    """A fail-over may lose renewals alone, which no later step shows: of several histories, some must be refused."""
    forked = [path for path in paths if is_forked(path)]
    say(len(forked) >= 2, f"{len(forked)} histories have fail-overs that lose commits")
    for how, change in (("lose no commit", without_forks), ("lose another number of commits", lose_more)):
        refused = [why for why in (several_writers.replay(models, change_steps(path, change)) for path in forked) if why]
        say(refused, f"the model refuses {len(refused)} of them if the fail-overs {how}: {refused[0] if refused else ''}")


def main():
    seed = int(os.environ.get("WRITERS_SEED") or int.from_bytes(os.urandom(4), "big"))
    with tempfile.TemporaryDirectory(prefix="dari-writers-") as folder:
        steps = os.path.join(folder, "steps")
        os.makedirs(steps)
        for first, number, where in ((1, REPLAYED, steps), (REPLAYED + 1, FIXED - REPLAYED, None), (seed, RANDOM, None)):
            failed, said = several_writers.run(first, number, where)
            say(not failed and f"{number} passed, 0 failed" in said, f"{number} histories from seed {first} on{': ' + said if failed else ''}")
        models = several_writers.build_models(folder)
        names, refused = several_writers.replay_all(models, steps)
        say(len(names) == REPLAYED and not refused, f"the model follows {len(names)} histories {refused or ''}")
        for step in ("TAKE", "COMMIT", "OPEN"):
            for how, change in (("without the", without), ("with twice the", twice)):
                path = change_steps(os.path.join(steps, names[0]), lambda lines, change=change, step=step: change(lines, step))
                why = several_writers.replay(models, path)
                say(why, f"the model refuses a history {how} {step} of its first writer: {why}")
        check_forks(models, [os.path.join(steps, name) for name in names])
    for guard in GUARDS:
        failed, said = several_writers.run(1, 200, without=guard)
        say(failed, f"without {guard} a history goes wrong: {said.splitlines()[0] if said else ''}")
    print(f"1..{count}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
"""Chooses which of the longer scripts `make test` runs: those whose subject has changed since the script itself last passed.

Half of the budget goes to the most relevant scripts. The other half goes round: the remaining candidates are dealt into as
many hands as needed, and the number of commits says whose turn it is, so that each candidate runs within some ten commits.
A change that no script names (a page, a unit test) chooses nothing.
"""
import collections
import functools
import math
import os
import re
import subprocess

from entries import ROOT

BUDGET_S = 150  # processor seconds as recorded: another build beside the run makes it a fifth dearer
IMPORT = re.compile(r"^(?:import|from) (\w+)", re.MULTILINE)
Chosen = collections.namedtuple("Chosen", "entry why")


def git(*argv):
    return subprocess.run(["git", *argv], cwd=ROOT, capture_output=True, text=True, check=False)


@functools.cache
def list_changes(since):
    """{path: changed lines} of the tree beside that commit. Uncommitted and new files count."""
    diff = git("diff", "--numstat", "--no-renames", since, "--") if since else None
    if not diff or diff.returncode:
        # A script that never passed, or a shallow clone without the commit: everything may have changed.
        return {path: 1 for path in git("ls-files").stdout.split("\n") if path}
    changed = {}
    for row in diff.stdout.splitlines():
        added, removed, path = row.split("\t", 2)
        changed[path] = sum(int(n) for n in (added, removed) if n.isdigit()) or 1
    for path in git("ls-files", "--others", "--exclude-standard").stdout.splitlines():
        changed[path] = 1
    return changed


def index_subjects(entries):
    """{subject: [entries that name it]}"""
    index = collections.defaultdict(list)
    for entry in entries:
        for subject in entry.subjects:
            index[subject.rstrip("/")].append(entry)
    return index


def find_subjects(index, path):
    """The subjects that a path belongs to. A subject is a folder, a file, or the beginning of a file's name in a folder."""
    for end in range(1, len(path) + 1):
        subject = path[:end]
        if subject in index and ("/" in subject or path[end:end + 1] in ("", "/")):
            yield subject


def weigh(entries, changes=list_changes):
    """{entry: (weight, the subject that weighs most)} of the entries whose subject changed. changes: {path: changed lines} since a commit.

    A file's changed lines are shared by the scripts that name it, and count more where its folder is named exactly."""
    weights = collections.defaultdict(collections.Counter)
    index, imports, by_path = index_subjects(entries), {entry: read_imports(entry.path) for entry in entries}, {e.path: e for e in entries}
    for commit in {entry.passed_at for entry in entries}:
        for path, lines in changes(commit).items():
            named = [(entry, subject) for subject in find_subjects(index, path) for entry in index[subject]]
            library = re.fullmatch(r"tests/lib/(\w+)(?:\.py|/.+\.py)", path)
            users = [(entry, path) for entry in entries if library and library[1] in imports[entry]]
            itself = [(by_path[path], "the script itself")] if path in by_path else []
            for entry, subject in named:
                weights[entry][subject] += lines * (1 + subject.count("/")) ** 2 / len(named) * (entry.passed_at == commit)
            for entry, subject in users:
                weights[entry][subject] += lines / len(users) * (entry.passed_at == commit)
            for entry, subject in itself:
                weights[entry][subject] += (1000 + lines) * (entry.passed_at == commit)
    sums = {entry: sum(by_subject.values()) for entry, by_subject in weights.items()}
    return {entry: (weight, weights[entry].most_common(1)[0][0]) for entry, weight in sums.items() if weight}


def read_imports(path):
    full = os.path.join(ROOT, path)
    if not path.endswith(".py") or not os.path.exists(full):
        return set()
    with open(full, encoding="utf-8") as script:
        return set(IMPORT.findall(script.read()))


def choose(entries, turn, changes=list_changes, budget_s=BUDGET_S):
    """[Chosen] of the entries that run when chosen. turn: a number that grows by one a commit."""
    return pick(weigh([entry for entry in entries if entry.when == "chosen"], changes), turn, budget_s)


def pick(weights, turn, budget_s=BUDGET_S):
    """[Chosen] of {entry: (weight, the subject that weighs most)}."""
    candidates = sorted(weights, key=lambda e: (-weights[e][0], e.id))
    chosen, left_s = [], budget_s / 2
    for entry in candidates:
        if entry.cpu_s <= left_s:
            left_s -= entry.cpu_s
            chosen.append(Chosen(entry, f"{weights[entry][1]} changed"))
    hands = deal([entry for entry in candidates if entry not in {c.entry for c in chosen}], left_s + budget_s / 2)
    hand = hands[turn % len(hands)] if hands else []
    while chosen and cost(hand) > budget_s - cost(c.entry for c in chosen):
        chosen.pop()  # one script that is dearer than half of the budget has its turn, too
    return chosen + [Chosen(entry, f"{weights[entry][1]} changed, turn {turn % len(hands) + 1} of {len(hands)}") for entry in hand]


def deal(entries, hand_s):
    """The entries in as few hands as their cost allows; a hand is dearer than hand_s only if it holds a single entry."""
    hands = [[] for _ in range(math.ceil(cost(entries) / hand_s))]
    for entry in sorted(entries, key=lambda e: (-e.cpu_s, e.id)):
        lightest = min(hands, key=cost)
        if lightest and cost(lightest) + entry.cpu_s > hand_s:
            lightest = []
            hands.append(lightest)
        lightest.append(entry)
    return [hand for hand in hands if hand]


def cost(entries):
    return sum(entry.cpu_s for entry in entries)


def turn_of_head():
    """Counts the commits; a shallow clone takes a number from its commit's hash instead."""
    if git("rev-parse", "--is-shallow-repository").stdout.strip() == "true":
        return int(git("rev-parse", "HEAD").stdout[:8] or "0", 16)
    return int(git("rev-list", "--count", "HEAD").stdout.strip() or 0)

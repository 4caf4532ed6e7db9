#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Draws places of src/ where code needs a reason beside it, for somebody who did not write it to read: locks, retries, orderings and
wire formats. Each is printed with the comments that a reader would look at: those of its file, its function and the lines above.

    tools/whys.py SEED [COUNT]   60 places if COUNT is absent, as many of each kind; the same seed draws the same places
    tools/whys.py --count        number of places of each kind
"""
import collections
import glob
import os
import random
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
KINDS = {
    "lock": r"pthread_(?:mutex|rwlock)_t \w+(?:;| =|\[)|\bflock\(|F_OFD_SETLK|pg_advisory",
    "retry": r"\bstep_again|\w+_again\w*\(|\bretr(?:y|ies)\w*\(|#define \w*(?:TRIES|RETR|BACKOFF|AGAIN_US)\w* |(?:tries|attempts|failures)\w*(?:\+\+| [<>]=? )",
    "ordering": r"memory_order_(?!relaxed)|_Atomic \w+ \w+(?:;|,)|\bfsync\(|\bfdatasync\(|\brenameat?2?\(|\b\w*sort\w*\(",
    "wire format": r"\b\w*(?:be|le)(?:16|24|32|64)\w*\(|\bhton[sl]\(|\bntoh[sl]\(|base64\w*\(|__attribute__\(\(packed|<< (?:8|16|24|56)\b",
}
AROUND = 6  # lines of code above a place in which a comment speaks of it


def places():
    """Yields (kind, path, index of the line) of each place; a function's declaration is none."""
    for path in sorted(glob.glob(os.path.join(ROOT, "src/**/*.[ch]"), recursive=True)):
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
        for at, line in enumerate(lines):
            for kind, pattern in KINDS.items():
                if not line.lstrip().startswith(("*", "/*", "#include")) and re.search(pattern, line) and (line[:1] in "\t#" or ";" not in line):
                    yield kind, path, at
                    break


def comment_above(lines, at):
    """The comment that ends directly above the line, as one text."""
    last = at - 1
    if last < 0 or not lines[last].rstrip().endswith("*/"):
        return ""
    first = last
    while first and "/*" not in lines[first]:
        first -= 1
    return " ".join(line.strip(" \t/*") for line in lines[first:at])


def show(number, kind, path, at):
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    top = next((k for k in range(at, 0, -1) if re.match(r"[A-Za-z#]", lines[k])), at)
    while top and re.match(r"[A-Za-z]", lines[top - 1]):  # the result's type stands on a line of its own
        top -= 1
    opening = "\n".join(lines[:40]).split("*/")[0].replace("\n *", " ").replace("/* SPDX-License-Identifier: Apache-2.0", "")
    print(f"{number}. {os.path.relpath(path, ROOT)}:{at + 1}  {kind}\n  file: {opening.strip()}\n  function: {comment_above(lines, top) or '-'}")
    if top < at - AROUND:
        print(f"    {lines[top]}")
    for k in range(max(top, at - AROUND), min(at + 3, len(lines))):
        print(f"  {'>' if k == at else ' '} {lines[k]}")
    print()


def main():
    if len(sys.argv) < 2 or not re.fullmatch(r"--count|\d+", sys.argv[1]):
        sys.exit(__doc__)
    found = collections.defaultdict(list)
    for kind, path, at in places():
        found[kind].append((path, at))
    if sys.argv[1] == "--count":
        for kind, rows in found.items():
            print(f"{len(rows):5} {kind}")
        return
    draw, count = random.Random(int(sys.argv[1])), int(sys.argv[2]) if len(sys.argv) > 2 else 60
    number = 0
    for k, kind in enumerate(KINDS):
        share = count // len(KINDS) + (k < count % len(KINDS))
        for path, at in sorted(draw.sample(found[kind], share)):
            number += 1
            show(number, kind, path, at)


if __name__ == "__main__":
    main()

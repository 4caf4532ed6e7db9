#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Prints which lines and branches of src/ the tests take, from a build with -Db_coverage=true whose tests have run.

    tests/coverage.py BUILD_DIR [--worst N] [--in FOLDER]...

First each line of src/engine, src/auth and src/store (or of the folders named) with a branch that no test takes, as
"FILE:LINE taken/branches text". A branch is one way out of a condition, and && and || have their own. Then the N files with the most
branches not taken, of files with at least SMALL branches. At last a line for each folder: lines and branches taken, of how many.
"""
import argparse
import collections
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDERS = ["src/engine", "src/auth", "src/store"]
SMALL = 30  # branches


def read_counts(build):
    """gcovr's files: name and lines, each with its branches."""
    argv = ["gcovr", "--root", ROOT, "--filter", f"{ROOT}/src/", "--exclude-unreachable-branches", "--json", "-", "-j", str(os.cpu_count() or 1),
            os.path.join(build, "src")]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout)["files"]


class Tally:
    def __init__(self):
        self.lines, self.lines_taken, self.branches, self.branches_taken = 0, 0, 0, 0

    def add(self, line):
        self.lines += 1
        self.lines_taken += line["count"] > 0
        self.branches += len(line["branches"])
        self.branches_taken += sum(branch["count"] > 0 for branch in line["branches"])

    def show(self, name):
        def part(taken, whole):
            return f"{taken:7} of {whole:7} {100 * taken / whole if whole else 100:6.1f} %"
        print(f"{name:32} lines {part(self.lines_taken, self.lines)}   branches {part(self.branches_taken, self.branches)}")


def show_untaken(files, folders):
    """Every line with a branch that no test takes. The branches that are missing, by file."""
    missing = collections.Counter()
    for file in files:
        path = file["file"]
        if not path.startswith(tuple(folder + "/" for folder in folders)):
            continue
        with open(os.path.join(ROOT, path), encoding="utf-8") as source:
            text = source.read().split("\n")
        for line in file["lines"]:
            branches = line["branches"]
            taken = sum(branch["count"] > 0 for branch in branches)
            if taken < len(branches):
                missing[path] += len(branches) - taken
                print(f"{path}:{line['line_number']} {taken}/{len(branches)} {text[line['line_number'] - 1].strip()}")
    return missing


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--worst", type=int, default=10)
    parser.add_argument("--in", dest="folders", action="append", help="a folder, instead of " + ", ".join(FOLDERS))
    args = parser.parse_args()
    files = read_counts(os.path.join(ROOT, args.build))
    folders, by_file, whole = collections.defaultdict(Tally), {}, Tally()
    for file in files:
        by_file[file["file"]] = Tally()
        for line in file["lines"]:
            for tally in (folders[os.path.dirname(file["file"])], by_file[file["file"]], whole):
                tally.add(line)
    print("branches that no test takes:")
    missing = show_untaken(files, args.folders or FOLDERS)
    print(f"\nthe {args.worst} files with the most of them:")
    for path, _ in [row for row in missing.most_common() if by_file[row[0]].branches >= SMALL][:args.worst]:
        by_file[path].show(path)
    print("\nby folder:")
    for name in sorted(folders):
        folders[name].show(name)
    whole.show("src")


if __name__ == "__main__":
    main()

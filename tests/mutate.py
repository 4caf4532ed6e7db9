#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Breaks rules one by one, and says which of them no test notices.

    tests/mutate.py [--count N] [--seed S] [--in FOLDER]...

Draws N places of src/engine, src/auth and src/reconcile where a rule is decided: a refusal, a check, a comparison, a
condition. Each is broken by itself (the refusal is dropped, the condition turned round, "<" made "<="), in a copy of the
tree under build/mutate; then the copy is built, and its unit and golden tests run until one fails. What does not compile
is drawn again. A rule that no test notices is one that the next change may lose: give it a test, or take it out.
Exits with 0 whatever is found. The first run builds the copy, which takes as long as the first `make`.
"""
import argparse
import collections
import concurrent.futures
import contextlib
import hashlib
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PLACE = os.path.join(ROOT, "build/mutate")
TREE, BUILD = os.path.join(PLACE, "tree"), os.path.join(PLACE, "build")
FOLDERS = ["src/engine", "src/auth", "src/reconcile"]
# A mutant's test may take so much of a processor, or so many times what it takes without; and in all, waiting, so long.
LEAST_CPU_S, SLOWER, LIMIT_S = 30, 6, 600
OTHER = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "&&": "||", "||": "&&"}
OPERATOR = re.compile(r" (<=|>=|==|!=|&&|\|\||<|>) ")
REFUSAL = re.compile(r"\s*return (?:ctx_fail|FAIL|op_fail|\w+_refuse|\w+_fail)")
CHECK = re.compile(r"(\s*)TRY\((\w*(?:check|permit|require|ensure|only_|refuse|allow|may_)\w*)\(.*\)\);$")

Mutation = collections.namedtuple("Mutation", "path line words before after")  # line: from 0 on; after: that line's new text


# ---- what can be broken

def code_of(line):
    """The line with texts and comments blanked, each character in its place."""
    line = re.sub(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'', lambda m: "_" * len(m[0]), line)
    return re.sub(r"/\*.*?(?:\*/|$)|//.*$", lambda m: " " * len(m[0]), line)


def condition_end(code, start):
    """Of "if (…)" the place of its closing bracket, on that line; -1 where it is on another."""
    depth = 0
    for k in range(start, len(code)):
        depth += {"(": 1, ")": -1}.get(code[k], 0)
        if depth == 0:
            return k
    return -1


def list_mutations(path):
    """All of one file."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        lines = file.read().split("\n")
    found, is_comment = [], False
    for n, line in enumerate(lines):
        code = code_of(line)
        was_comment, is_comment = is_comment, (is_comment or "/*" in line) and "*/" not in line.rpartition("/*")[2]
        if was_comment or not line[:1].isspace() or re.match(r"\s*(\*|#|for\b|while\b|assert|static const|\{)", code):
            continue
        check = CHECK.match(code)
        if check:
            found.append(Mutation(path, n, f"{check[2]}() is not asked", line, f"{check[1]};"))
        at = re.match(r"(\s*(?:\} else )?if )\(", code)
        end = condition_end(code, at.end(1)) if at else -1
        if end > 0:
            condition = line[at.end(1):end + 1]
            if n + 1 < len(lines) and REFUSAL.match(lines[n + 1]):
                found.append(Mutation(path, n, "the refusal is dropped", line, f"{at[1]}(false && {condition}){line[end + 1:]}"))
            else:
                found.append(Mutation(path, n, "the condition is turned round", line, f"{at[1]}(!{condition}){line[end + 1:]}"))
        for operator in OPERATOR.finditer(code):
            other = OTHER[operator[1]]
            changed = line[:operator.start(1)] + other + line[operator.end(1):]
            found.append(Mutation(path, n, f"'{operator[1]}' is '{other}'", line, changed))
    return found


def list_all(folders):
    """By place, so that a line with many operators is drawn no more often than another."""
    places = collections.defaultdict(list)
    for top in folders:
        for folder, _, names in sorted(os.walk(os.path.join(ROOT, top))):
            for name in sorted(n for n in names if n.endswith(".c")):
                for one in list_mutations(os.path.relpath(os.path.join(folder, name), ROOT)):
                    places[one.path, one.line].append(one)
    return list(places.values())


# ---- the copy

def copy_tree():
    """Brings the copy up to date: what git knows or would add, as it is now. The digest of it all."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    digest, names = hashlib.sha256(), set()
    for name in sorted(filter(None, listed.stdout.split("\0"))):
        there = os.path.join(ROOT, name)
        if not os.path.isfile(there):
            continue
        names.add(name)
        with open(there, "rb") as file:
            content = file.read()
        digest.update(name.encode() + b"\0" + content)
        write_file(os.path.join(TREE, name), content)
        shutil.copymode(there, os.path.join(TREE, name))
    for folder, _, files in os.walk(TREE):
        for name in files:
            if os.path.relpath(os.path.join(folder, name), TREE) not in names:
                os.unlink(os.path.join(folder, name))
    return digest.hexdigest()


def write_file(path, content):
    """Only where it is another: what is built of the rest stays."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        with open(path, "rb") as file:
            if file.read() == content:
                return
    with open(path, "wb") as file:
        file.write(content)


def build(targets=()):
    """False when it does not compile."""
    done = subprocess.run(["ninja", "-C", BUILD, "--quiet", *targets], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode == 0, done.stdout.decode(errors="replace")


# ---- tests

class Test:
    def __init__(self, row):
        self.name, self.argv, self.env = row["name"], row["cmd"], row["env"]
        self.is_golden = "golden" in [suite.split(":")[-1] for suite in row["suite"]]
        self.target = os.path.relpath(self.argv[0], BUILD)
        self.took_s = 0.0

    def is_near(self, path):
        """Whether it is likely to notice: golden, and the tests of the layer."""
        return self.is_golden or f"tests/unit/{path.split('/')[1]}/" in self.target


def list_tests():
    listing = subprocess.run(["meson", "introspect", "--tests", BUILD], capture_output=True, text=True, check=True)
    rows = [Test(row) for row in json.loads(listing.stdout)]
    return [test for test in rows if test.target.startswith("tests/")]


def run_test(test, running, over):
    """"" when it passes; else how it fails. Not begun once another has failed."""
    if over.is_set():
        return ""
    start = time.monotonic()
    cpu_s = max(LEAST_CPU_S, int(SLOWER * test.took_s))
    with subprocess.Popen(test.argv, cwd=TREE, env=dict(os.environ, CLOUD_ALL_SEEDS="1", **test.env), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, start_new_session=True,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 5))) as process:
        running.append(process)
        try:
            status = process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            end(process)
            return f"it does not end in {LIMIT_S} s"
    if status == -signal.SIGXCPU:
        return f"it runs for over {cpu_s} s of a processor"
    if status and over.is_set():
        return ""  # it was ended
    test.took_s = test.took_s or time.monotonic() - start
    return f"status {status}" if status else ""


def end(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def run_tests(tests):
    """The first that fails and how, or (None, "")."""
    running, over, noticed = [], threading.Event(), (None, "")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        jobs = {pool.submit(run_test, test, running, over): test for test in sorted(tests, key=lambda t: t.took_s)}
        for job in concurrent.futures.as_completed(jobs):
            if job.result() and not noticed[0]:
                noticed = jobs[job], job.result()
                over.set()
                for process in running:
                    if process.poll() is None:
                        end(process)
    return noticed


# ---- mutants

def try_mutant(one, tests):
    """Who notices, and how; None where it does not compile."""
    path = os.path.join(TREE, one.path)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    lines = text.split("\n")
    lines[one.line] = one.after
    write_file(path, "\n".join(lines).encode())
    try:
        near = [test for test in tests if test.is_near(one.path)]
        for some in (near, [test for test in tests if test not in near]):
            if not build([test.target for test in some])[0]:
                return None
            noticed = run_tests(some)
            if noticed[0]:
                return noticed
        return noticed
    finally:
        write_file(path, text.encode())


def prepare():
    """The tests of an up-to-date copy, which all pass as it is."""
    digest = copy_tree()
    if not os.path.exists(os.path.join(BUILD, "build.ninja")):
        subprocess.run(["meson", "setup", "-Dwerror=false", BUILD, TREE], stdout=subprocess.DEVNULL, check=True)
    tests = list_tests()
    print("building the copy", flush=True)
    is_built, words = build([test.target for test in tests])
    tests = list_tests()
    if not is_built:
        sys.exit(words)
    stamp = os.path.join(PLACE, "passed.json")
    with contextlib.suppress(FileNotFoundError, ValueError):
        with open(stamp, encoding="utf-8") as file:
            known = json.load(file)
        if known["digest"] == digest:
            for test in tests:
                test.took_s = known["took_s"].get(test.name, 0.0)
            return tests
    print(f"its {len(tests)} tests, with nothing broken", flush=True)
    failed, how = run_tests(tests)
    if failed:
        sys.exit(f"{failed.name} fails as it is: {how}")
    with open(stamp, "w", encoding="utf-8") as file:
        json.dump({"digest": digest, "took_s": {test.name: test.took_s for test in tests}}, file)
    return tests


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1000000))
    parser.add_argument("--in", dest="folders", action="append", help="a folder, instead of " + ", ".join(FOLDERS))
    args = parser.parse_args()
    draw, places = random.Random(args.seed), list_all(args.folders or FOLDERS)
    print(f"seed {args.seed}: {args.count} of {len(places)} places", flush=True)
    tests, missed, tried = prepare(), [], 0
    draw.shuffle(places)
    for place in places:
        if tried == args.count:
            break
        one, start = draw.choice(place), time.monotonic()
        noticed = try_mutant(one, tests)
        if noticed is None:
            continue  # it does not compile
        tried += 1
        print(f"{tried:3} {one.path}:{one.line + 1}: {one.words}\n    | {one.before.strip()}", flush=True)
        who = f"noticed by {noticed[0].name} ({noticed[1]})" if noticed[0] else "noticed by NONE"
        print(f"    {who}, after {time.monotonic() - start:.0f} s", flush=True)
        if not noticed[0]:
            missed.append(one)
    print(f"seed {args.seed}: {tried} rules broken, {tried - len(missed)} noticed, {len(missed)} by no test")
    for one in missed:
        print(f"    {one.path}:{one.line + 1}: {one.words}")


if __name__ == "__main__":
    main()

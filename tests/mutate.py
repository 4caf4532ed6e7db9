#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Breaks rules one by one, and says which of them no test notices.

    tests/mutate.py [--count N] [--seed S] [--in FOLDER]... [--tests unit | always | FILE]

Draws N places of src/ where a rule is decided: a refusal, a check, a comparison, a condition. Each folder of FOLDERS gets its share by
its number of places. Each rule is broken by itself (the refusal is dropped, the condition turned round, "<" made "<="), in a copy of the
tree under build/mutate; then the copy is built, and tests run until one fails: unit and golden tests, those of the layer first, and then
the scripts that `make test` always runs, the cheapest first. What does not compile is drawn again. A rule that no test notices is one
that the next change may lose: give it a test, or take it out.

--tests: after the unit and golden tests no script (unit), the scripts of `tests/run --list always` (always), or those of a file in the
form of that list. build/mutate/SEED.json has the results; a run with the same seed goes on where the last one ended, and a run with
other --tests asks only these about the rules that unit and golden tests miss. A script's failure counts if the script passes in
build/main, where nothing is broken. Exits with 0 whatever is found. The first run builds the copy, which takes as long as the first
`make`. DARI_MUTATE_TREE says another place for the copy: where ccache makes paths relative to /, only a folder as deep as this one
finds what is cached.
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
# The copy is laid out as the tree is, so that ccache knows its files, and a script of the copy finds the copy's programs in any case.
TREE = os.path.realpath(os.environ.get("DARI_MUTATE_TREE") or os.path.join(PLACE, "tree"))
BUILD, WHOLE_BUILD = os.path.join(TREE, "build/main"), os.path.join(ROOT, "build/main")
COMPILER, BROKEN = os.path.join(PLACE, "cc"), os.path.join(PLACE, "broken")
# A broken rule may leave a function unused: warnings about its file are no errors.
COMPILER_TEXT = """#!/bin/sh
[ -f {broken} ] && read -r broken <{broken} && for word; do case $word in ?*"/$broken") is_broken=1 ;; esac; done
for word; do shift; [ -n "$is_broken" ] && [ "$word" = -Werror ] || set -- "$@" "$word"; done
exec {compiler} "$@"
"""
FOLDERS = ["src/engine", "src/auth", "src/reconcile", "src/drivers", "src/api"]
# Processor seconds for a mutant's test: the least limit, and how many times what the test takes with nothing broken. LIMIT_S is a test's
# limit with all its waiting.
LEAST_CPU_S, SLOWER, LIMIT_S = 30, 6, 600
SCRIPT_LIMIT_S, END_S = 1800, 60  # END_S: for what an interrupted script takes down
SCRIPT_LEVELS = ["smoke", "contract", "simulation", "fault", "real"]  # fuzz has programs of its own
FALLBACK = [{"level": "smoke", "name": "10-faces.py", "argv": ["tests/smoke/10-faces.py"], "env": {}, "cpu_s": 15}]
OTHER = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "&&": "||", "||": "&&"}
OPERATOR = re.compile(r" (<=|>=|==|!=|&&|\|\||<|>) ")
REFUSAL = re.compile(r"\s*return (?:ctx_fail|FAIL|op_fail|\w+_refuse|\w+_fail)")
CHECK = re.compile(r"(\s*)TRY\((\w*(?:check|permit|require|ensure|only_|refuse|allow|may_)\w*)\(.*\)\);$")

Mutation = collections.namedtuple("Mutation", "path line words before after")  # line: from 0 on; after: that line's new text


# ---- rules that can be broken

def code_of(line):
    """The line with texts and comments blanked, each character in its place."""
    line = re.sub(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'', lambda m: "_" * len(m[0]), line)
    return re.sub(r"/\*.*?(?:\*/|$)|//.*$", lambda m: " " * len(m[0]), line)


def condition_end(code, start):
    """Place of the closing bracket of "if (…)" on the same line; -1 if it is on another line."""
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


def list_places(top):
    """The mutations of a folder by place, so that a line with many operators is drawn no more often than another."""
    places = collections.defaultdict(list)
    for folder, _, names in sorted(os.walk(os.path.join(ROOT, top))):
        for name in sorted(n for n in names if n.endswith(".c")):
            for one in list_mutations(os.path.relpath(os.path.join(folder, name), ROOT)):
                places[one.path, one.line].append(one)
    return list(places.values())


def draw_all(folders, seed):
    """Endless draws in the order of a seed, each a queue of mutations from one folder: the folder that has had the least of its share
    is next. A mutation that does not compile is followed by the next of the same queue."""
    queues, shares = {}, {}
    for top in folders:
        places = list_places(top)
        draw = random.Random(f"{seed} {top}")
        draw.shuffle(places)
        shares[top] = len(places)
        queues[top] = iter([draw.choice(place) for place in places])
    print(f"seed {seed}: places " + ", ".join(f"{top} {count}" for top, count in shares.items()), flush=True)
    drawn = collections.Counter()
    while True:
        top = min((t for t in folders if shares[t]), key=lambda t: (drawn[t] + 0.5) / shares[t])
        drawn[top] += 1
        yield queues[top]


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
    for folder, below, files in os.walk(TREE):
        below[:] = [name for name in below if name != "__pycache__" and (folder, name) != (TREE, "build")]
        for name in files:
            if os.path.relpath(os.path.join(folder, name), TREE) not in names:
                os.unlink(os.path.join(folder, name))
    os.makedirs(BUILD, exist_ok=True)
    if not os.path.islink(f"{TREE}/build/dari"):
        os.symlink(f"{BUILD}/src/daemon/dari", f"{TREE}/build/dari")
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
    """(whether it compiles, what the compiler says). Without targets: everything."""
    done = subprocess.run(["ninja", "-C", BUILD, "--quiet", *targets], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode == 0, done.stdout.decode(errors="replace")


# ---- tests

class Test:
    """A unit or golden program."""

    def __init__(self, row):
        self.name, self.argv, self.env = row["name"], row["cmd"], dict(row["env"], CLOUD_ALL_SEEDS="1")
        self.is_golden = "golden" in [suite.split(":")[-1] for suite in row["suite"]]
        self.target = os.path.relpath(self.argv[0], BUILD)
        self.took_s = 0.0
        self.limit_s, self.end_s = LIMIT_S, 0

    def is_near(self, path):
        """Whether it is likely to notice: golden, and the tests of the layer."""
        return self.is_golden or f"tests/unit/{path.split('/')[1]}/" in self.target

    def limit_cpu(self):
        """Only the soft limit: dari sets a larger one for qemu-img, which the hard limit would forbid."""
        limit_s = max(LEAST_CPU_S, int(SLOWER * self.took_s)) if self.took_s else LIMIT_S
        resource.setrlimit(resource.RLIMIT_CPU, (limit_s, resource.RLIM_INFINITY))


class Script:
    """An entry of `tests/run --list`."""

    def __init__(self, row):
        self.level, self.name, self.argv = row["level"], f"{row['level']} {row['name']}", list(row["argv"])
        self.env = dict(row.get("env") or {})
        self.took_s = float(row.get("cpu_s") or 0)
        self.limit_s, self.end_s = SCRIPT_LIMIT_S, END_S

    def limit_cpu(self):
        """No limit: a script waits for many processes, and has limits of its own."""

    def at(self, tree, build_dir):
        """The same script of another tree."""
        moved = Script({"level": self.level, "name": self.name, "argv": self.argv, "env": self.env, "cpu_s": self.took_s})
        moved.argv = [os.path.join(tree, os.path.relpath(a, ROOT)) if a.startswith(ROOT + "/") else a for a in self.argv]
        moved.argv[0] = os.path.join(tree, moved.argv[0]) if "/" in moved.argv[0] else moved.argv[0]
        moved.env = {k: v.replace(WHOLE_BUILD, build_dir).replace(ROOT + "/", tree + "/") for k, v in self.env.items()}
        moved.env["DARI_BUILD"] = build_dir
        return moved


def list_tests():
    listing = subprocess.run(["meson", "introspect", "--tests", BUILD], capture_output=True, text=True, check=True)
    rows = [Test(row) for row in json.loads(listing.stdout)]
    return [test for test in rows if test.target.startswith("tests/")]


def list_scripts(which):
    """The scripts of --tests, the cheapest first."""
    if which == "unit":
        return []
    if which == "always":
        done = subprocess.run([os.path.join(ROOT, "tests/run"), "--list", "always"], cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            print("tests/run lists nothing: only tests/smoke/10-faces.py is run besides", flush=True)
        rows = FALLBACK if done.returncode else json.loads(done.stdout)
    else:
        with open(which, encoding="utf-8") as file:
            rows = json.load(file)
    return sorted((Script(row) for row in rows if row["level"] in SCRIPT_LEVELS), key=lambda script: script.took_s)


def output_of(test):
    """The file with what a test said last."""
    folder = os.path.join(PLACE, "output")
    os.makedirs(folder, exist_ok=True)
    return os.path.join(folder, re.sub(r"[^\w.-]", "-", test.name))


def run_test(test, tree, running, over):
    """"" when it passes; else how it fails. Not begun once another has failed."""
    if over.is_set():
        return ""
    start = time.monotonic()
    with open(output_of(test), "wb") as output, \
            subprocess.Popen(test.argv, cwd=tree, env=dict(os.environ, **test.env), stdin=subprocess.DEVNULL, stdout=output,
                             stderr=output, start_new_session=True, preexec_fn=test.limit_cpu) as process:
        running[process] = test
        try:
            status = process.wait(test.limit_s)
        except subprocess.TimeoutExpired:
            end(process, test.end_s)
            return f"it does not end in {test.limit_s} s"
    if status == -signal.SIGXCPU:
        return "it takes too much of a processor"
    if status and over.is_set():
        return ""  # it was ended
    test.took_s = test.took_s or time.monotonic() - start
    return f"status {status}" if status else ""


def end(process, patience_s):
    """A script that waits for patience_s is interrupted first, so that it takes down what it started."""
    with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
        if patience_s:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(patience_s)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def run_tests(tests, tree=TREE):
    """The first that fails twice and how, or (None, ""). A test that fails once did so by chance."""
    left, passed = list(tests), set()
    while left:
        failed, how = run_beside(left, tree, passed)
        if not failed or run_beside([failed], tree, set())[0]:
            return failed, how
        print(f"    {failed.name} failed by chance ({how})", flush=True)
        left = [test for test in left if test is not failed and test not in passed]
    return None, ""


def run_beside(tests, tree, passed):
    """The first that fails and how, or (None, ""); adds those that pass to a set."""
    running, over, noticed = {}, threading.Event(), (None, "")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        jobs = {pool.submit(run_test, test, tree, running, over): test for test in sorted(tests, key=lambda t: t.took_s)}
        for job in concurrent.futures.as_completed(jobs):
            if job.result() == "" and not over.is_set():
                passed.add(jobs[job])
            if job.result() and not noticed[0]:
                noticed = jobs[job], job.result()
                over.set()
                for process, test in list(running.items()):
                    if process.poll() is None:
                        end(process, test.end_s)
    return noticed


class Whole:
    """Scripts in build/main, where no rule is broken: one that fails there says nothing about a rule."""

    def __init__(self):
        self.passes = {}

    def has(self, script):
        if script.name not in self.passes:
            failed, how = run_tests([script.at(ROOT, WHOLE_BUILD)], ROOT)
            self.passes[script.name] = not failed
            if failed:
                print(f"    {script.name} fails with nothing broken, too ({how}): left out", flush=True)
        return self.passes[script.name]


# ---- mutants

@contextlib.contextmanager
def broken(one):
    """The copy with that rule broken, while the block lasts."""
    path = os.path.join(TREE, one.path)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    lines = text.split("\n")
    lines[one.line] = one.after
    write_file(BROKEN, f"{one.path}\n".encode())
    write_file(path, "\n".join(lines).encode())
    try:
        yield
    finally:
        write_file(path, text.encode())
        os.unlink(BROKEN)


def try_unit(one, tests):
    """"NAME (how)" of the test that notices, "" where none does; None where it does not compile."""
    with broken(one):
        near = [test for test in tests if test.is_near(one.path)]
        for some in (near, [test for test in tests if test not in near]):
            if not build([test.target for test in some])[0]:
                return None
            noticed, how = run_tests(some)
            if noticed:
                return f"{noticed.name} ({how})"
    return ""


def try_scripts(one, scripts, whole):
    """Likewise of scripts; there is always one that compiles."""
    left = [script for script in scripts if whole.passes.get(script.name, True)]
    with broken(one):
        is_built, words = build()
        if not is_built:
            sys.exit(words)
        while left:
            noticed, how = run_tests([script.at(TREE, BUILD) for script in left])
            if not noticed:
                return ""
            if whole.has(next(script for script in left if noticed.name.endswith(script.name))):
                return f"{noticed.name} ({how})"
            left = [script for script in left if whole.passes.get(script.name, True)]
    return ""


def prepare():
    """(the tests of an up-to-date copy, which all pass as it is; its digest)."""
    digest = copy_tree()
    compiler = os.environ.get("CC") or ("ccache gcc" if shutil.which("ccache") else "gcc")
    write_file(COMPILER, COMPILER_TEXT.format(broken=BROKEN, compiler=compiler).encode())
    os.chmod(COMPILER, 0o755)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(BROKEN)  # left by a run that was killed
    if not os.path.exists(os.path.join(BUILD, "build.ninja")):
        done = subprocess.run(["meson", "setup", BUILD, TREE], env=dict(os.environ, CC=COMPILER), capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stdout + done.stderr)
    tests = list_tests()
    print("building the copy", flush=True)
    is_built, words = build()
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
            return tests, digest
    print(f"its {len(tests)} tests, with nothing broken", flush=True)
    failed, how = run_tests(tests)
    if failed:
        sys.exit(f"{failed.name} fails as it is: {how}; {output_of(failed)} has what it says")
    with open(stamp, "w", encoding="utf-8") as file:
        json.dump({"digest": digest, "took_s": {test.name: test.took_s for test in tests}}, file)
    return tests, digest


class State:
    """The results of a seed, in a file that each result is written to at once."""

    def __init__(self, seed, folders, digest):
        self.path = os.path.join(PLACE, f"{seed}.json")
        self.said = {"seed": seed, "folders": folders, "digest": digest, "rules": [], "uncompiled": []}
        with contextlib.suppress(FileNotFoundError):
            with open(self.path, encoding="utf-8") as file:
                known = json.load(file)
            if (known["digest"], known["folders"]) == (digest, folders):
                self.said = known
            else:
                os.replace(self.path, f"{self.path}.{known['digest'][:8]}")
                print(f"{self.path}: the tree or the folders have changed since; the old results are kept beside it", flush=True)

    def write(self):
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            json.dump(self.said, file, indent=1)
        os.replace(self.path + ".new", self.path)

    def rule(self, one):
        """The result of a rule, or None."""
        return next((r for r in self.said["rules"] if r["mutation"] == list(one)), None)


def next_rule(queue, state, tests):
    """The next rule of that queue that compiles, with the unit tests' result; None at its end."""
    for one in queue:
        if list(one) in state.said["uncompiled"]:
            continue
        known = state.rule(one)
        if known:
            return known
        start = time.monotonic()
        who = try_unit(one, tests)
        if who is not None:
            state.said["rules"].append({"mutation": list(one), "unit": who, "unit_s": round(time.monotonic() - start)})
        else:
            state.said["uncompiled"].append(list(one))
        state.write()
        if who is not None:
            return state.said["rules"][-1]
    return None


def judge(rule, which, scripts, whole, state):
    """Who notices the rule, after the scripts that are still to be asked."""
    if rule["unit"] or which == "unit":
        return rule["unit"]
    if which not in rule.setdefault("scripts", {}):
        start = time.monotonic()
        who = try_scripts(Mutation(*rule["mutation"]), scripts, whole)
        rule["scripts"][which] = {"who": who, "s": round(time.monotonic() - start), "count": len(scripts)}
        state.write()
    return rule["scripts"][which]["who"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1000000))
    parser.add_argument("--in", dest="folders", action="append", help="a folder, instead of " + ", ".join(FOLDERS))
    parser.add_argument("--tests", default="always", help="unit, always, or a file in the form of `tests/run --list`")
    args = parser.parse_args()
    folders, scripts = args.folders or FOLDERS, list_scripts(args.tests)
    draws = draw_all(folders, args.seed)
    tests, digest = prepare()
    state, whole, results = State(args.seed, folders, digest), Whole(), []
    while len(results) < args.count and (rule := next_rule(next(draws), state, tests)):
        who, one = judge(rule, args.tests, scripts, whole, state), Mutation(*rule["mutation"])
        results.append((one, rule["unit"], who))
        print(f"{len(results):3} {one.path}:{one.line + 1}: {one.words}\n    | {one.before.strip()}\n    noticed by {who or 'NONE'}", flush=True)
    by_unit, noticed = (sum(bool(result[k]) for result in results) for k in (1, 2))
    print(f"seed {args.seed}: {len(results)} rules broken; {by_unit} noticed by unit and golden tests, {noticed} with {len(scripts)} scripts "
          f"({args.tests}), {len(results) - noticed} by no test")
    for one, _, who in results:
        if not who:
            print(f"    {one.path}:{one.line + 1}: {one.words}")


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Breaks rules one by one, and says which of them no test notices.

    tests/mutate.py [--count N] [--seed S] [--in FOLDER]... [--tests unit | always | all]

Draws N places of src/ where a rule is decided: a refusal, a check, a comparison, a condition. Each folder of FOLDERS gets its share by
its number of places. A rule is broken by itself: the refusal is dropped, the condition turned round, "<" made "<=". A rule that no test
notices is one that the next change may lose: give it a test, or take it out. Hashes of the seed and a line's text order the places, so a
seed draws the same rules from the trees before and after a change, except for lines that the change touches.

All N rules stand side by side in one copy of the tree under build/mutate, each behind a switch ("mutant schemata"): the copy is built
once, and the variable DARI_MUTANT says which rule is broken while a test runs. A test cannot notice a rule that it does not reach. So
each test runs once with nothing broken and writes down which rules it reaches; a broken rule is then shown to those tests alone, the
cheapest first, until one fails twice.

--tests: unit and golden tests (unit), besides them the scripts that `make test` always runs (always), or every script that is not long
(all), which is what `make test` ran before it chose. build/mutate/SEED-N.json keeps what was found: a run with the same seed and count
goes on where the last one ended. DARI_MUTATE_TREE says another place for the copy: where ccache makes paths relative to /, only a
folder as deep as this one finds what is cached. Exits with 0 whatever is found.
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
# The copy is laid out as the tree is, so that a script of the copy finds the copy's programs.
TREE = os.path.realpath(os.environ.get("DARI_MUTATE_TREE") or os.path.join(PLACE, "tree"))
BUILD = os.path.join(TREE, "build/main")
FOLDERS = ["src/engine", "src/auth", "src/reconcile", "src/drivers", "src/api"]
PHASES = ["unit", "always", "all"]
# Limits of a broken rule's test: processor seconds at least, seconds at least, and how many times what the test took with nothing broken.
LEAST_CPU_S, LEAST_S, SLOWER, LIMIT_S, SCRIPT_LIMIT_S, END_S = 30, 120, 6, 600, 1800, 60
SCRIPT_LEVELS = ["smoke", "contract", "simulation", "fault", "real"]  # fuzz has programs of its own
OTHER = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "&&": "||", "||": "&&"}
OPERATOR = re.compile(r" (<=|>=|==|!=|&&|\|\||<|>)(?= |\n)")
REFUSAL = re.compile(r"\s*\{?\s*return (?:ctx_fail|FAIL|op_fail|\w+_refuse|\w+_fail)")
CHECK = re.compile(r"TRY\((\w*(?:check|permit|require|ensure|only_|refuse|allow|may_)\w*)\(.*\)\);")
SWITCH = "MUTANT"  # stands in an edit for the call that asks whether this rule is broken
# Weak, since every object with a broken rule has it. errno belongs to the code around the switch.
SWITCH_TEXT = """#pragma GCC diagnostic ignored "-Wparentheses"
#pragma GCC diagnostic ignored "-Wtype-limits"
#pragma GCC diagnostic ignored "-Wbool-compare"
#pragma GCC diagnostic ignored "-Wint-in-bool-context"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
__attribute__((weak)) int dari_mutant(int number);
__attribute__((weak)) int dari_mutant(int number)
{
	static char seen[4096];
	static const char *reached;
	static int broken = -1;
	int before = errno;
	if (broken < 0) {
		const char *text = getenv("DARI_MUTANT");
		reached = getenv("DARI_MUTANT_REACHED");
		broken = text ? atoi(text) : 0;
	}
	if (reached && !seen[number]) {
		char path[4096];
		seen[number] = 1;
		snprintf(path, sizeof path, "%s/%d", reached, number);
		int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
		if (file >= 0)
			close(file);
	}
	errno = before;
	return broken == number;
}
"""

Mutation = collections.namedtuple("Mutation", "path line words start end text")  # text replaces what stands from start to end


# ---- rules that can be broken

def blank(text):
    """The text with literals, comments and preprocessor lines blanked, each character in its place."""
    def spaces(match):
        return re.sub(r"[^\n]", " " if match[0][0] in "/#" else "_", match[0])
    return re.sub(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|//[^\n]*|^#(?:[^\n]*\\\n)*[^\n]*', spaces, text, flags=re.DOTALL | re.MULTILINE)


def close_of(code, start):
    """Place of the bracket that closes the one at start; -1 if there is none."""
    depth = 0
    for k in range(start, len(code)):
        depth += {"(": 1, ")": -1}.get(code[k], 0)
        if depth == 0:
            return k
    return -1


def is_end(code, k, operator):
    """Whether an operand of the operator ends before the character at k, where no bracket is open."""
    if code[k] in ";,?:{}":
        return True
    if code[k] == "=" and code[k + 1] != "=" and code[k - 1] not in "=!<>":
        return True  # an assignment
    pair = code[k:k + 2] if code[k:k + 2] in ("&&", "||") else code[k - 1:k + 1]
    return pair == "||" and operator != "||" or pair == "&&" and operator not in ("&&", "||")


def left_of(code, place, operator):
    """Where the left operand begins."""
    depth, k = 0, place
    while k > 0:
        k -= 1
        if code[k] in ")]":
            depth += 1
        elif code[k] in "([":
            if not depth:
                return k + 1
            depth -= 1
        elif not depth and (is_end(code, k, operator) or code[k].isspace() and code[:k].endswith("return")):
            return k + 1
    return 0


def right_of(code, place, operator):
    """Where the right operand ends."""
    depth = 0
    for k in range(place, len(code)):
        if code[k] in "([":
            depth += 1
        elif code[k] in ")]":
            if not depth:
                return k
            depth -= 1
        elif not depth and (is_end(code, k, operator) or operator == "&&" and code[k:k + 2] == "&&"):
            return k
    return len(code)


def list_mutations(path):
    """All of one file: [Mutation]."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        text = file.read()
    code, found = blank(text), []

    def add(at, words, start, end, new):
        found.append(Mutation(path, text.count("\n", 0, at) + 1, words, start, end, new))
    for match in CHECK.finditer(code):
        if code[:match.start()].rstrip()[-1:] in ";{}":
            add(match.start(), f"{match[1]}() is not asked", match.start(), match.end(), f"{{ if (!{SWITCH}) {text[match.start():match.end()]} }}")
    for match in re.finditer(r"^\s+(?:\} else )?if \(", code, re.MULTILINE):
        start, end = match.end() - 1, close_of(code, match.end() - 1) + 1
        if end and REFUSAL.match(code, end):
            add(start, "the refusal is dropped", start, end, f"(!{SWITCH} && {text[start:end]})")
        elif end:
            add(start, "the condition is turned round", start, end, f"({SWITCH} != !!{text[start:end]})")
    for match in OPERATOR.finditer(code):
        line = code[code.rfind("\n", 0, match.start()) + 1:match.start()]
        if not line[:1].isspace() or re.match(r"\s*(for|while|assert|static const)\b", line):
            continue
        operator, place = match[1], match.start(1)
        start, end = left_of(code, place, operator), right_of(code, match.end(1), operator)
        left, right = text[start:place].strip(), text[match.end(1):end].strip()
        if left and right:
            new = f" ({SWITCH} ? ({left} {OTHER[operator]} {right}) : ({left} {operator} {right}))"
            add(place, f"'{operator}' is '{OTHER[operator]}'", start, end, new)
    return found


def list_places(top):
    """The mutations of a folder by place, so that a line with many operators is drawn no more often than another. A place is named by its
    path, its line's text, and how many lines before it have the same text: code that is added above does not rename it."""
    places = collections.defaultdict(list)
    for folder, _, names in sorted(os.walk(os.path.join(ROOT, top))):
        for path in sorted(os.path.join(folder, name) for name in names if name.endswith(".c")):
            with open(path, encoding="utf-8") as file:
                lines = [line.strip() for line in file]
            seen, named = collections.Counter(), []
            for line in lines:
                named.append(f"{os.path.relpath(path, ROOT)} {line} {seen[line]}")
                seen[line] += 1
            for one in list_mutations(os.path.relpath(path, ROOT)):
                places[named[one.line - 1]].append(one)
    return places


def draw_all(folders, seed):
    """Endless draws in the order of a seed, each a queue of mutations from one folder: the folder that has had the least of its share
    is next. A mutation that does not compile is followed by the next of the same queue."""
    def rank(*words):
        return hashlib.sha256("\0".join([str(seed), *words]).encode()).digest()
    queues, shares = {}, {}
    for top in folders:
        places = list_places(top)
        shares[top] = len(places)
        queues[top] = iter([min(places[name], key=lambda one: rank(name, one.words, one.text))
                            for name in sorted(places, key=rank)])
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
        if not name.endswith(".c") or not name.startswith("src/"):
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


def write_broken(rules):
    """The sources of the copy with every rule behind its switch. rules: {number: Mutation}."""
    by_path = collections.defaultdict(list)
    for number, one in rules.items():
        by_path[one.path].append((one, number))
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "src/*.c"], cwd=ROOT, capture_output=True, text=True, check=True)
    for path in listed.stdout.split():
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            text = file.read()
        for one, number in sorted(by_path[path], key=lambda row: -row[0].start):
            text = text[:one.start] + one.text.replace(SWITCH, f"dari_mutant({number})") + text[one.end:]
        head = f'#include "{PLACE}/switch.h"\n' if by_path[path] else ""
        write_file(os.path.join(TREE, path), (head + text).encode())


def is_apart(one, others):
    return all(one.path != other.path or one.end <= other.start or other.end <= one.start for other in others)


def build_broken(count, folders, seed):
    """{number: Mutation} of that many rules, in a copy that is built."""
    draws, rules, origins, left_out = draw_all(folders, seed), {}, {}, 0

    def draw(queue, number):
        for one in queue:
            if is_apart(one, rules.values()):
                rules[number], origins[number] = one, queue
                return
    for number in range(1, count + 1):
        draw(next(draws), number)
    write_file(os.path.join(PLACE, "switch.h"), SWITCH_TEXT.encode())
    write_broken(rules)
    if not os.path.exists(os.path.join(BUILD, "build.ninja")):
        compiler = os.environ.get("CC") or ("ccache gcc" if shutil.which("ccache") else "gcc")
        done = subprocess.run(["meson", "setup", BUILD, TREE], env=dict(os.environ, CC=compiler), capture_output=True,
                              text=True, check=False)
        if done.returncode:
            sys.exit(done.stdout + done.stderr)
    print("building the copy", flush=True)
    while (wrong := find_wrong(rules)):
        for number in wrong:
            left_out += 1
            del rules[number]
            draw(origins[number], number)
        write_broken(rules)
    print(f"{left_out} rules were drawn again: they do not compile with a switch", flush=True)
    return rules


def find_wrong(rules):
    """Builds the copy; the numbers of the rules that do not compile."""
    done = subprocess.run(["ninja", "-k", "0", "-C", BUILD, "--quiet"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if not done.returncode:
        return set()
    wrong = set()
    for path, line in re.findall(r"(?:\.\./)*(src/\S+\.c):(\d+):\d+: error", done.stdout.decode(errors="replace")):
        near = [(abs(one.line + 1 - int(line)), number) for number, one in rules.items() if one.path == path]
        if near:
            wrong.add(min(near)[1])
    return wrong or sys.exit(done.stdout.decode(errors="replace"))


# ---- tests

class Test:
    """A unit or golden program of the copy, or a script of it."""

    def __init__(self, row, phase):
        is_script = phase != "unit"
        self.phase, self.name = phase, f"{row['level']}/{row['name']}" if is_script else row["name"]
        self.argv = [os.path.join(TREE, os.path.relpath(a, ROOT)) if a.startswith(ROOT + "/") else a for a in row["argv" if is_script else "cmd"]]
        self.env = dict(row.get("env") or {}, **({"DARI_BUILD": BUILD} if is_script else {}))
        self.limit_s, self.end_s = (SCRIPT_LIMIT_S, END_S) if is_script else (LIMIT_S, 0)
        self.took_s = 0.0

    def limit_cpu(self):
        """Only the soft limit: dari sets a larger one for qemu-img, which the hard limit would forbid. A script waits for many
        processes, and has limits of its own."""
        if self.phase == "unit":
            limit_s = max(LEAST_CPU_S, int(SLOWER * self.took_s)) if self.took_s else LIMIT_S
            resource.setrlimit(resource.RLIMIT_CPU, (limit_s, resource.RLIM_INFINITY))

    def output(self, number):
        """The file with what the test said last with that rule broken: a test runs for several rules side by side."""
        return os.path.join(PLACE, "output", re.sub(r"[^\w.-]", "-", self.name) + f".{number}")

    def run(self, **env):
        """"" when it passes; else how it fails."""
        path = self.output(env.get("DARI_MUTANT", "0"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        start = time.monotonic()
        limit_s = max(LEAST_S, SLOWER * self.took_s) if self.phase == "unit" and self.took_s else self.limit_s
        with open(path, "wb") as output, \
                subprocess.Popen(self.argv, cwd=TREE, env={**os.environ, **self.env, **env}, stdin=subprocess.DEVNULL, stdout=output,
                                 stderr=output, start_new_session=True, preexec_fn=self.limit_cpu) as process:
            try:
                status = process.wait(limit_s)
            except subprocess.TimeoutExpired:
                self.end(process)
                return f"it does not end in {limit_s:.0f} s"
        self.took_s = self.took_s or time.monotonic() - start
        return "it takes too much of a processor" if status == -signal.SIGXCPU else f"status {status}" if status else ""

    def end(self, process):
        """A script is interrupted first, so that it takes down what it started."""
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            if self.end_s:
                os.killpg(process.pid, signal.SIGINT)
                process.wait(self.end_s)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def list_tests(phase):
    if phase == "unit":
        listing = subprocess.run(["meson", "introspect", "--tests", BUILD], capture_output=True, text=True, check=True)
        return [Test(row, phase) for row in json.loads(listing.stdout) if os.path.relpath(row["cmd"][0], BUILD).startswith("tests/")]
    listing = subprocess.run(["tests/run", "--list", phase], cwd=ROOT, capture_output=True, text=True, check=True)
    rows = [row for row in json.loads(listing.stdout) if row["level"] in SCRIPT_LEVELS]
    return [Test(row, phase) for row in rows if row["when"] == ("always" if phase == "always" else "chosen")]


# ---- which test notices which rule

class State:
    """Results, in a file to which each is written at once. Threads that judge rules side by side change them in put()."""

    def __init__(self, path, digest, rules):
        self.path, self.lock = path, threading.Lock()
        self.said = {"digest": digest, "rules": {str(n): list(one) for n, one in rules.items()}, "tests": {}, "noticed": {}, "asked": {}}
        with contextlib.suppress(FileNotFoundError):
            with open(path, encoding="utf-8") as file:
                known = json.load(file)
            if known["digest"] == digest and known["rules"] == self.said["rules"]:
                self.said = known
            else:
                os.replace(path, f"{path}.{known['digest'][:8]}")
                print(f"{path}: the tree has changed since; the old results are kept beside it", flush=True)

    def put(self, *path, value):
        """Sets said[path[0]][path[1]]…, and writes the file."""
        with self.lock:
            at = self.said
            for name in path[:-1]:
                at = at.setdefault(name, {})
            at[path[-1]] = value
            with open(self.path + ".new", "w", encoding="utf-8") as file:
                json.dump(self.said, file, indent=1)
            os.replace(self.path + ".new", self.path)


def side_by_side(function, items):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for job in concurrent.futures.as_completed([pool.submit(function, item) for item in items]):
            yield job.result()


def find_reached(tests, state):
    """Runs each test that was not run yet with nothing broken. Those that pass, each with the numbers of the rules that it reaches."""
    def look(test):
        reached = os.path.join(PLACE, "reached", re.sub(r"[^\w.-]", "-", test.name))
        shutil.rmtree(reached, ignore_errors=True)
        os.makedirs(reached)
        os.chmod(reached, 0o777)
        how = test.run(DARI_MUTANT_REACHED=reached)
        return test, {"how": how, "took_s": round(test.took_s, 2), "reached": sorted(int(n) for n in os.listdir(reached))}
    for test, found in side_by_side(look, [test for test in tests if test.name not in state.said["tests"]]):
        state.put("tests", test.name, value=found)
        if found["how"]:
            print(f"    {test.name} fails with nothing broken ({found['how']}): left out", flush=True)
    for test in tests:
        test.took_s = state.said["tests"][test.name]["took_s"]
    return {test: set(state.said["tests"][test.name]["reached"]) for test in tests if not state.said["tests"][test.name]["how"]}


def judge(number, reaching, phase, state):
    """Shows the broken rule to the tests that reach it."""
    for test in sorted(reaching, key=lambda t: t.took_s):
        how = test.run(DARI_MUTANT=str(number))
        if how and (again := test.run(DARI_MUTANT=str(number))):  # a test that fails once did so by chance
            state.put("noticed", str(number), value={"phase": phase, "who": test.name, "how": again})
            break
    state.put("asked", str(number), phase, value=len(reaching))


def run_phase(phase, rules, state):
    tests = list_tests(phase)
    print(f"{phase}: {len(tests)} tests, each with nothing broken", flush=True)
    reached = find_reached(tests, state)
    left = [n for n in rules if str(n) not in state.said["noticed"] and phase not in state.said["asked"].get(str(n), {})]
    # Rules one after another, since a script may take both processors and names of its own; unit tests of several rules side by side.
    if phase == "unit":
        for _ in side_by_side(lambda n: judge(n, [t for t in reached if n in reached[t]], phase, state), left):
            pass
    else:
        for n in left:
            judge(n, [t for t in reached if n in reached[t]], phase, state)


def report(rules, phases, state, seed):
    for number, one in sorted(rules.items()):
        found = state.said["noticed"].get(str(number))
        asked = sum(state.said["asked"].get(str(number), {}).values())
        who = f"{found['who']} ({found['how']})" if found else f"NONE of the {asked} tests that reach it"
        print(f"{number:3} {one.path}:{one.line}: {one.words}\n    noticed by {who}")
    counts = collections.Counter(found["phase"] for found in state.said["noticed"].values())
    sums = ", ".join(f"{sum(counts[p] for p in phases[:k + 1])} up to '{phase}'" for k, phase in enumerate(phases))
    print(f"seed {seed}: {len(rules)} rules broken; noticed: {sums}; {len(rules) - sum(counts.values())} by no test")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1000000))
    parser.add_argument("--in", dest="folders", action="append", help="a folder, instead of " + ", ".join(FOLDERS))
    parser.add_argument("--tests", default="always", choices=PHASES)
    args = parser.parse_args()
    if not 0 < args.count < 4096:
        parser.error("--count: 1 to 4095, as many as the switch counts")
    phases = PHASES[:PHASES.index(args.tests) + 1]
    digest = copy_tree()
    rules = build_broken(args.count, args.folders or FOLDERS, args.seed)
    state = State(os.path.join(PLACE, f"{args.seed}-{args.count}.json"), digest, rules)
    for phase in phases:
        run_phase(phase, rules, state)
    report(rules, phases, state, args.seed)


if __name__ == "__main__":
    main()

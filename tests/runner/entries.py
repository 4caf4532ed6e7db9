# SPDX-License-Identifier: Apache-2.0
"""The test entries of this tree: lint, Meson's unit and golden programs, and the scripts of each level's folder.

A script describes itself in comments at its head:

    # when: always | chosen | long    default: long for names that begin with "all-", else chosen
    # subjects: src/drivers/ovn …     paths, or beginnings of paths, whose change makes the script worth running
    # covers: 10-name.sh              a script of the same folder whose work this one repeats in full
    # limit: 900 s                    time limit on a quiet machine, if it is not SCRIPT_LIMIT_S
    # build: tests/fuzz/build         a command that compiles what the script runs; its processor time is not the script's
"""
import dataclasses
import json
import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LEVELS = ["lint", "unit", "golden", "smoke", "contract", "simulation", "real", "fault", "fuzz"]
SCRIPT_LEVELS = LEVELS[3:]
WHEN = ("always", "chosen", "long")
UNIT_LIMIT_S, SCRIPT_LIMIT_S = 600, 1200  # generous: a limit only ends what hangs
SANITIZED_LIMIT_S = 1200  # builds other than build/main carry sanitizers, which are slow
EVERY_FACE = "golden_every_face"  # runs the golden cases of all faces
NEW_SCRIPT_CPU_S = 20  # assumed until `make test-all` has measured the script
RECORD = os.path.join(ROOT, "tests/last-pass.txt")
RECORD_HEAD = """# Written by `make test-all`, and by `tests/run --record`: the last commit at which everything passed, and of each script
# the seconds of processors, the seconds, and the commit at which it last passed. `make test` chooses by it; HACKING.md says how.
"""
SCRIPT_NAME = re.compile(r"(?:all-)?(?:\d\d-)?[a-z][a-z0-9_-]*\.(?:sh|py)")
HEADER = re.compile(r"^# (when|subjects|covers|limit|build): (.+?)$", re.MULTILINE)


@dataclasses.dataclass(eq=False)
class Entry:
    """Describes one command. results.py counts its TAP lines, cmocka's lines, or closing line "N passed, N failed"."""
    level: str
    name: str  # unique within the level
    argv: list
    limit_s: float
    when: str = "always"
    env: dict = dataclasses.field(default_factory=dict)
    subjects: tuple = ()
    covers: str = ""  # beginning of the names of entries that it repeats, in the same level
    build: str = ""  # a command, run before
    suites: tuple = ()
    cpu_s: float = 0  # processor time at the last measurement
    wall_s: float = 0
    passed_at: str = ""  # the commit at which it last passed; empty if none is recorded

    @property
    def id(self):
        return f"{self.level}/{self.name}"

    @property
    def path(self):
        """The script, from the top of the tree; empty for lint and Meson's programs."""
        return f"tests/{self.id}" if self.level in SCRIPT_LEVELS else ""


def list_entries(build="build/main"):
    """Every entry, in the order of LEVELS."""
    entries = [Entry("lint", "lint", ["/usr/bin/python3", "tools/lint.py", build], UNIT_LIMIT_S), *list_unit(build), *list_scripts()]
    return sorted(add_record(entries), key=lambda e: LEVELS.index(e.level))


def add_record(entries):
    """The same entries, with what the record says of each."""
    known = read_record()
    for entry in entries:
        unknown = (NEW_SCRIPT_CPU_S, NEW_SCRIPT_CPU_S, "") if entry.path else (0, 0, "")
        entry.cpu_s, entry.wall_s, entry.passed_at = known.get(entry.id, unknown)
    return entries


def list_unit(build):
    """Meson's unit and golden programs."""
    listing = subprocess.run(["meson", "introspect", "--tests", build], cwd=ROOT, capture_output=True, text=True, check=True)
    for test in json.loads(listing.stdout):
        suites = tuple(suite.split(":")[-1] for suite in test["suite"])
        level = next((suite for suite in suites if suite in LEVELS), "unit")
        if level != "real":  # a script of tests/real starts these, with the region that they need
            # Freed and new memory is filled with a pattern, so that stale pointers do not find the old rows.
            env = dict(test["env"], CMOCKA_MESSAGE_OUTPUT="TAP", MALLOC_PERTURB_="85")
            limit_s = UNIT_LIMIT_S if build == "build/main" else SANITIZED_LIMIT_S
            covers = "golden_" if test["name"] == EVERY_FACE else ""
            yield Entry(level, test["name"], test["cmd"], limit_s, env=env, suites=suites, covers=covers)


def list_scripts():
    """The scripts of each level's folder; tests/contract has one more level of folders."""
    for level in SCRIPT_LEVELS:
        top = os.path.join(ROOT, "tests", level)
        folders = [top] if level != "contract" else sorted(entry.path for entry in os.scandir(top) if entry.is_dir())
        for folder in folders:
            for name in sorted(os.listdir(folder)):
                path = os.path.join(folder, name)
                if SCRIPT_NAME.fullmatch(name) and is_script(path) and not name.endswith("selftest.sh"):
                    yield read_script(level, os.path.relpath(path, top), path)


def is_script(path):
    """True if the file's first line says how it is run. A script that is not executable would never run, and nobody would miss it."""
    with open(path, "rb") as file:
        if file.read(2) != b"#!":
            return False
    if not os.access(path, os.X_OK):
        raise ValueError(f"{path} is not executable")
    return True


def read_script(level, name, path):
    said = read_header(path)
    when = said.get("when", "long" if os.path.basename(name).startswith("all-") else "chosen")
    if when not in WHEN:
        raise ValueError(f"{path}: '# when: {when}' is none of {', '.join(WHEN)}")
    return Entry(level, name, [path], float(said.get("limit", SCRIPT_LIMIT_S)), when, subjects=tuple(said.get("subjects", "").split()),
                 covers=said.get("covers", ""), build=said.get("build", ""))


def read_header(path):
    with open(path, encoding="utf-8") as script:
        said = dict(HEADER.findall(script.read(4096)))
    if "limit" in said:
        said["limit"] = said["limit"].removesuffix(" s")
    return said


def read_record():
    """{entry id: (processor seconds, seconds, the commit at which it last passed)}."""
    known = {}
    for line in read_lines(RECORD):
        match = re.fullmatch(r"\s*(\d+)\s+(\d+) ([0-9a-f]{12,40}) (\S+/\S+)", line)
        if match:
            known[match[4]] = int(match[1]), int(match[2]), match[3]
    return known


def read_last_pass():
    """The commit at which every test passed and what that run took; empty if none is recorded."""
    return next((line.removeprefix("commit ") for line in read_lines(RECORD) if line.startswith("commit ")), "")


def write_record(commit, measured, there, whole=""):
    """Adds what passed at the commit: {entry id: (processor seconds, seconds)}. The others keep their lines, as far as they are there:
    the ids of all entries. Entries without a script that cost nothing worth planning for are left out. whole: what a run of everything
    took; empty if it was none."""
    known = {id: row for id, row in read_record().items() if id in there}
    known.update({id: (cpu_s, wall_s, commit[:12]) for id, (cpu_s, wall_s) in measured.items()
                  if cpu_s >= 1 or id.split("/")[0] in SCRIPT_LEVELS})
    last = f"{commit} {whole}" if whole else read_last_pass()
    with open(RECORD, "w", encoding="utf-8") as file:
        file.write(f"{RECORD_HEAD}commit {last}\n")
        for id, (cpu_s, wall_s, passed_at) in sorted(known.items(), key=lambda item: (-item[1][0], item[0])):
            file.write(f"{cpu_s:5.0f} {wall_s:5.0f} {passed_at} {id}\n")


def read_lines(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().splitlines()
    except FileNotFoundError:
        return []

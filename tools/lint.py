#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The rules that a machine can hold: layers, lengths, names on pages, goto, banned calls, complexity, headers, format.

    tools/lint.py BUILD_DIR     (the object files there are asked which functions they call)

One line a finding, "file:line: what", then "N passed, N failed" counting the rules. A file that is a
data table says `lint: data` in its first lines and is exempt from the file length.
"""
import collections
import functools
import fnmatch
import hashlib
import json
import os
import re
import subprocess
import sys

import voice

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# A folder may include folders of earlier rows, and itself; folders of one row may not include each other.
LAYERS = [["base"], ["model"], ["http", "store", "metering"], ["drivers", "engine"], ["auth", "reconcile"], ["api"], ["daemon"]]
FACES = {"absent", "acm", "connect", "events", "autoscaling", "cloudwatch", "sns", "sqs", "dlm", "awsbackup", "ebs", "elb", "cost", "support", "tmf", "scim", "ec2", "iam", "openstack", "cloudstack", "azure", "metadata", "console"}
FUNCTION_LINES, FILE_LINES, COMPLEXITY, FOLDER_FILES = 100, 1000, 15, 40
# Folders with more C files and headers than FOLDER_FILES. A ceiling only goes down: a folder that reaches it is split by subject.
LARGE_FOLDERS = {"src/api/core": 54, "src/api/native": 50, "src/base": 88, "src/daemon": 52, "src/drivers": 72, "src/engine": 46,
                 "src/model": 65, "src/store": 68}
# Maximum lines of golden cases, requests and answers, so that they can be reviewed. Later faces have limits of their own.
GOLDEN_LINES = {"ec2 iam openstack": 38900, "cloudstack": 7690, "elb": 1440, "elb_classic": 420, "autoscaling": 1330, "monitoring": 700}
# Highest percentage of a face's members in `dari dump answers` whose value a function makes. The goal is 25: the others are fields,
# which a row alone describes. A ceiling only goes down.
FUNCTION_MEMBERS = {"openstack": 30}
BANNED = {"strcpy", "strcat", "sprintf", "vsprintf", "strtok", "atoi", "atol", "atoll", "atof", "system", "popen",
          "alloca", "rand", "srand", "random", "gets", "localtime", "gmtime", "asctime", "ctime", "strerror_l",
          "__isoc99_scanf", "__isoc99_sscanf", "__isoc99_fscanf", "scanf", "sscanf", "fscanf", "tmpnam", "mktemp"}
BASE_ONLY = {"malloc", "calloc", "realloc", "strdup", "strndup", "asprintf", "vasprintf", "time", "gettimeofday",
             "clock_gettime", "sleep", "usleep", "nanosleep", "getrandom", "fork", "execvp", "posix_spawn"}
# Known uses outside base/, each with its reason.
ALLOWED = {
    ("daemon", "getenv"): "the client's and systemd's environment",
}
# Functions that connect to another machine, and the files that may call them. Each of these files takes the address from a setting that
# src/drivers/egress_policy.h protects (engine/region/remotes.c, daemon/egress_policy.c), or asks that header about the address, so that no account can make Dari
# connect there.
OUTWARD = {"curl_easy_init", "curl_multi_init", "connect", "virConnectOpen", "virConnectOpenAuth", "rados_connect", "rados_create2"}
CLIENTS = {
    "drivers/web_fetch": "asks egress_policy", "drivers/web_post": "asks egress_policy", "drivers/image_image_upload": "asks egress_policy",
    "drivers/remote_http": "provider.endpoint if an administrator gave it, or asks egress_policy",
    "drivers/desk_http": "desk.url", "drivers/candlepin": "subscription_server.url", "drivers/libvirt_connect": "host.uri",
    "drivers/haproxy_state": "a proxy's own socket",
    "drivers/ceph_cluster": "storage_pool.monitors", "drivers/ovsdb_ovsdb_stream": "the settings ovn.*",
    "drivers/backup_store_s3": "the settings backup.*", "api/metadata_dns_upstream": "the setting dns.upstreams: anybody may ask a resolver",
    "daemon/client_call": "a command, which is no server",
    "daemon/follower_peer": "the setting store_peer of the writer, by way of the database",
    "daemon/follower_peer_line": "the same",
}
NOT_IN_LAYERS = {"printf": {"daemon"}, "puts": {"daemon"}, "getenv": {"daemon"}}


# Beginnings of names that are not files of this tree: others' files, generated ones, and placeholders.
FOREIGN_FILES = ("auth.py", "jpeglib.h", "VariableFormat.h", "pages.h", "site_files.h", "disk.toml", "tests/real/NN-", "tests/fault/NN-",
                 "store/K.h", "model/K.h", "IMPLEMENTATION_COVERAGE.md")

# Short names of folders, with which their functions begin.
PREFIXES = {"base": ["fd"], "api/openstack": ["os"], "api/cloudstack": ["cs"], "api/azure": ["az"], "api/metadata": ["imds"], "api/query": ["params"]}
# Placeholders on pages, and names of other projects.
PLACEHOLDERS = ("K_", "x_", "module_verb_object", "engine_verb_kind", "kind_wish")
FOREIGN_NAMES = ("AT_US", "moto_server", "proxy_http_version", "synchronous_standby_names", "wal_log_hints", "pg_rewind", "pg_dump")

# Patterns that tests must not use; tests/FLAKES.md shows the alternatives.
FIXED, CLOCK = "a fixed name, which another clone has as well: see tests/lib/clone.py", "a limit in seconds: see tests/lib/waiting.py"
IN_NO_TEST = [
    (r"/tmp/(?:dari|ds)[-_](?!\{)(?!.*(?:XXXXXX|,,))", FIXED),
    (r"DARI_SANDBOX(?:_PREFIX)?=[\"']?[/a-z]", FIXED),
    (r"DARI_DEMO_PORT=[\"']?\d|\bserve --port \d|\bDev\(.*\bport=[1-9]", "a fixed port: see reserve_ports() in tests/lib/clone.py"),
    (r"(?:bind|listen|Server|create_server)\(\(\"(?:127\.|localhost|0\.0\.0\.0)[^\"]*\", [1-9]", "a fixed port: see reserve_ports() in tests/lib/clone.py"),
    (r"monotonic\(\) \+ |(?:end|limit|until|deadline) = time\.time\(\) \+ |while time\.(?:monotonic|time)\(\)|assert .*(?:monotonic|perf_counter)\(\) - ", CLOCK),
    (r"struct child .*\.timeout_us = (?:\d+ \* )?(?:SECOND|MILLISECOND)\b|\.argv = .*\.timeout_us = (?:MINUTE|[\d* ]*(?:MILLI)?SECOND)\b",
     "a limit in seconds: a child has ten minutes"),
    (r"(?:run|wait|communicate|join|Popen|urlopen|HTTPS?Connection|create_connection)\(.*\btimeout=(?!600\))\d{2,}\)", CLOCK),
]
# The last two produce load, and an outage, for a minute.
OWN_TESTS_ALLOWED = {"tests/run", "tests/mutate.py", "tests/fault/all-60-load.py", "tests/contract/operator/all-database-away.py"}


def sources():
    found = []
    for top in ["src", "bench", "tests"]:
        for folder, _, names in os.walk(os.path.join(ROOT, top)):
            found += [os.path.relpath(os.path.join(folder, n), ROOT) for n in names if n.endswith((".c", ".h"))]
    return sorted(found)


def layer_of(path):
    parts = path.split("/")
    return parts[1] if parts[0] == "src" and len(parts) > 2 else None


def rank(layer):
    return next((k for k, row in enumerate(LAYERS) if layer in row), None)


@functools.cache
def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


@functools.cache
def without_comments(text):
    """Blanks comments and literals, and keeps lines."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)


def check_layers(files):
    for path in files:
        own = layer_of(path)
        if not own:
            continue
        for number, line in enumerate(read(path).splitlines(), 1):
            match = re.match(r'\s*#\s*include\s+"([a-z0-9_]+)/([a-z0-9_]+)', line)
            if not match or match[1] == own and own != "api":
                continue
            if match[1] == "api" and own == "api":
                mine = path.split("/")[2]
                if mine in FACES and match[2] in FACES and mine != match[2]:
                    yield f"{path}:{number}: the face {mine} includes the face {match[2]}"
                room = re.match(rf'\s*#\s*include\s+"api/{mine}/([a-z0-9_]+)/', line)
                if room and path.split("/")[3] == "core" and room[1] != "core":
                    yield f"{path}:{number}: the face's core includes {room[1]}/, which is built on it"
            elif rank(match[1]) is None or rank(match[1]) >= rank(own):
                yield f"{path}:{number}: {own} may not include {match[1]}"


def check_file_lengths(files):
    for path in files:
        text = read(path)
        lines = text.count("\n")
        if lines > FILE_LINES and "lint: data" not in text[:600]:
            yield f"{path}:1: {lines} lines, {FILE_LINES} at most"


def check_folder_sizes(files):
    folders = collections.Counter(os.path.dirname(f) for f in files if f.startswith("src/"))
    for folder, count in sorted(folders.items()):
        most = LARGE_FOLDERS.get(folder, FOLDER_FILES)
        if count > most:
            yield f"{folder}:1: {count} C files and headers, {most} at most"


def check_golden(files):
    for folders, limit in GOLDEN_LINES.items():
        there = [os.path.join(folder, n) for f in folders.split() for folder, _, names in os.walk(os.path.join(ROOT, "tests/golden", f)) for n in names]
        lines = sum(read(os.path.relpath(path, ROOT)).count("\n") for path in there)
        if lines > limit:
            yield f"tests/golden:1: {lines} lines of {folders}, {limit} at most"


# A face's messages use its own ids and words: patterns that must not occur in another face's messages. In Azure the name of an EC2 resource is its
# EC2 id, after its path.
EC2_ID = r"(?<![\w/-])(?:i|vol|snap|ami|vpc|subnet|sg|sgr|eni|rtb|igw|acl|nat|eipalloc|pcx|lt|fleet)-[0-9a-f]{17}\b|<Response>"
FOREIGN = {"openstack": EC2_ID + r"|\bVPC|\bAMI\b|\bARN\b|scope\(s\)", "azure": EC2_ID + r"|\bVPC|\bAMI\b|\bARN\b|\bEBS\b",
           "cloudstack": EC2_ID + r"|\bAMI\b|\bARN\b|\bEBS\b|scope\(s\)"}
TOLD = re.compile(r'"(?:message|detail|errortext)": |\b(?:message|errortext) = |^=> ')


def check_foreign_words(_files):
    for face, pattern in FOREIGN.items():
        for folder, _, names in os.walk(os.path.join(ROOT, "tests/golden", face)):
            for name in names:
                path, call = os.path.relpath(os.path.join(folder, name), ROOT), ""
                for number, line in enumerate([] if name.endswith((".req", ".xml")) else read(path).splitlines(), 1):
                    is_ec2s = not re.match(r"(@\w+ )?(GET|POST|PUT|PATCH|DELETE|HEAD) ", call) and name.endswith(".cases")
                    match = TOLD.search(line) and not is_ec2s and re.search(pattern, line)
                    if match and match[0] not in call:
                        yield f"{path}:{number}: '{match[0]}' is another face's"
                    call = line


def check_file_names(files):
    """A file name in a page or a comment must exist: as a path from the top or from src/, the end of such a path, or a name."""
    tracked = run(["git", "ls-files"]).split()
    made = [f"model/{f[7:-5]}.h" for f in tracked if re.fullmatch(r"schema/\w+\.toml", f)]
    made += [f"store/{f[7:-5]}.h" for f in tracked if re.fullmatch(r"schema/\w+\.toml", f)]
    made += ["model/kinds.h", "model/states.h", "model/tables.c", "model/shown.c", "resources.md"]
    known = set()
    for path in tracked + made:
        parts = path.split("/")
        known.update("/".join(parts[k:]) for k in range(len(parts)))
    pattern = re.compile(r"(?<![\w./*<$%{-])((?:[\w-]+/)*[\w-]+\.(?:c|h|def|py|toml|md))(?![\w(]|\.\w)")
    for path in tracked:
        if not path.endswith((".c", ".h", ".def", ".md", ".py", ".toml", "meson.build")) or path.startswith("tests/golden"):
            continue
        for number, line in enumerate(read(path).splitlines(), 1):
            for name in pattern.findall(words_of(path, line)):
                if name not in known and not name.startswith(FOREIGN_FILES):
                    yield f"{path}:{number}: there is no file {name}"


def check_page_words(files):
    """Words between backticks on a page must exist: paths, names of C and Python, targets of make, test programs. A name that ends in "…" is a
    prefix; NN, <kind>, * and {a,b} in a path match any text."""
    tracked = run(["git", "ls-files"]).split()
    paths = set(tracked) | {os.path.dirname(p)[:k] for p in tracked for k in folder_ends(os.path.dirname(p))}
    targets = set(re.findall(r"^([\w -]+):", read("Makefile"), re.MULTILINE))
    targets = {word for target in targets for word in target.split()}
    words = set()
    for path in tracked:
        if path.startswith(("src/", "tests/", "schema/", "tools/", "bench/", "Makefile", "meson")) and \
                not path.startswith("tests/golden/") and path.endswith((".c", ".h", ".def", ".py", ".toml", ".sh", "meson.build", "Makefile")):
            words.update(re.findall(r"\w+", read(path)))
    known = Known(paths, targets, words)
    for path in tracked:
        if path.endswith(".md") and path != "CHANGELOG.md":
            text = re.sub(r"^```.*?^```", lambda m: "\n" * m[0].count("\n"), read(path), flags=re.MULTILINE | re.DOTALL)
            for match in re.finditer(r"`([^`]+)`", text):
                for missing in known.find_missing(match[1]):
                    yield f"{path}:{text.count(chr(10), 0, match.start()) + 1}: there is no {missing}"


def check_page_tables(_files):
    """Each row of a page's table has as many cells as its head: viewers drop or shift what does not fit."""
    for path in run(["git", "ls-files", "*.md"]).split():
        width = 0
        for number, line in enumerate(read(path).splitlines(), 1):
            cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("| ") else 0
            if cells and width and cells != width:
                yield f"{path}:{number}: the row has {cells - 1} cells, its table {width - 1}"
            width = width or cells if line.startswith("|") else 0


def folder_ends(folder):
    return [k for k, letter in enumerate(folder + "/") if letter == "/"]


class Known:
    """Everything that a page may name: tracked paths with their folders, targets of make, words of the sources."""
    def __init__(self, paths, targets, words):
        self.paths, self.targets, self.words = paths, targets, words

    def has_path(self, path):
        pattern = re.sub(r"<\w+>|\bNN\b|…", "*", path.rstrip("/"))
        choice = re.search(r"\{([\w,]*)\}", pattern)
        if choice:
            return all(self.has_path(pattern.replace(choice[0], each)) for each in choice[1].split(","))
        return pattern in self.paths or any(fnmatch.fnmatchcase(each, pattern) for each in self.paths)

    def has_test_program(self, path):
        """build/main/tests/unit/api/test_api_tables is made of tests/unit/api/test_tables.c."""
        folder, name = os.path.split(path[len("build/main/"):])
        short = re.sub(rf"^test_{os.path.basename(folder)}_", "test_", name)
        return f"{folder}/{short}.c" in self.paths or f"{folder}/{name}.c" in self.paths

    def find_missing(self, text):
        for made in re.findall(r"(?<![\w/])build/main/tests/unit/[\w/]+", text):
            if not self.has_test_program(made):
                yield f"test program {made}"
        for path in re.findall(r"(?<![\w/.])(?:src|tests|docs|schema|tools|web|bench)/[\w/.*<>{},…-]+", text):
            if not path.startswith(FOREIGN_FILES) and not self.has_path(path):
                yield f"path {path}"
        for target in re.findall(r"^make ([a-z-]+)", text):
            if target not in self.targets:
                yield f"target {target} of make"
        for name, more in re.findall(r"(?<![\w/.%-])([A-Za-z]\w*_\w*)(…?)(?![\w/.-])", text):
            there = any(word.startswith(name) for word in self.words) if more or name.endswith("_") else name in self.words
            if not there and not name.startswith(PLACEHOLDERS + FOREIGN_NAMES):
                yield f"name {name}{more}"


def check_conditions(files):
    """Each condition that a resource can have must be explained to operators."""
    page = read("docs/operations.md")
    sources = {path: read(path) for path in files if path.startswith(("src/reconcile/", "src/engine/"))}
    values = dict(match for text in sources.values() for match in re.findall(r'^#define (\w+)\s+(?:\\\n\s*)?"(\w+)"', text, re.MULTILINE))
    calls = re.compile(r"condition_set\(\s*[^,]+,[^,]+,[^,]+,\s*([^,]+?)\s*,|struct condition \w+ = \{[^;]*?\.name = STR\(([^)]+)\)"
                       r"|step_report_strays\(s, ([^,]+),")
    for path, text in sources.items():
        for match in calls.finditer(text) if path.endswith(".c") else []:
            said = next(group for group in match.groups() if group)
            name = said.strip('"') if said.startswith('"') else values.get(said)
            if name and f"| `{name}` |" not in page:
                yield f"{path}:{text.count(chr(10), 0, match.start()) + 1}: docs/operations.md does not explain the condition {name}"


def check_commands(build):
    """Each `dari` command in a page, a comment or a message must exist, with its options."""
    page = os.path.join(ROOT, build, "src/daemon/dari.8")  # the manual page: one section a command
    if not os.path.exists(page):
        return
    with open(page, encoding="utf-8") as f:
        sections = re.split(r"^\.SS ", f.read().replace("\\-", "-"), flags=re.MULTILINE)[1:]
    commands = {section.splitlines()[0]: set(re.findall(r"^\.B (--[a-z-]+)", section, re.MULTILINE)) for section in sections}
    commands["help"] = set()
    groups = {name.split()[0] for name in commands}
    for path in run(["git", "ls-files", "*.md", "src/*.c", "src/*.h"]).split():
        for line, words in shown_commands(path):
            name = next((name for count in (3, 2) if (name := " ".join(words[:count])) in commands), words[0])
            if name not in commands and (len(words) > 1 or name not in groups):
                yield f"{path}:{line}: there is no command dari {' '.join(words[:2])}"
            for option in [word for word in words if re.fullmatch(r"--[a-z-]+", word)]:
                if option not in commands.get(name, set()) | {"--help", "--version", "--config", "--json"}:
                    yield f"{path}:{line}: dari {name} has no option {option}"


def check_attributes(build):
    """Most members of an answer are fields; functions are for those that no row can describe."""
    program = os.path.join(ROOT, build, "src/daemon/dari")
    if not os.path.exists(program):
        return
    members = {}
    for answer in json.loads(run([program, "dump", "answers"]))["answers"]:
        for member in answer["answer"]:
            members.setdefault(answer["face"], {})[answer["kind"], member["name"]] = "function" in member
    for face, functions in members.items():
        share = 100 * sum(functions.values()) / len(functions)
        if share > FUNCTION_MEMBERS.get(face, 25):
            yield f"src/api/{face}:1: functions make {share:.0f} % of the {len(functions)} members, {FUNCTION_MEMBERS.get(face, 25)} % at most"


def shown_commands(path):
    """(line, words after "dari") of texts between backticks, and of a page's indented lines."""
    text = read(path)
    if not path.endswith(".md"):
        text = re.sub(r'"\s*\n\s*"', lambda m: re.sub(r"\S", " ", m[0]), text)  # a literal split over two lines
    found = list(re.finditer(r"`(?:build/)?dari ([a-z][^`]*)`", text))
    if path.endswith(".md"):
        found += re.finditer(r"^    (?:.*[\s(\"])?(?:build/)?dari ([a-z][^|;&>#)\n]*)", text, re.MULTILINE)
    for match in found:
        yield text.count("\n", 0, match.start()) + 1, match[1].split()


def words_of(path, line):
    """The part of a line that people read, roughly: comments of C, all of a page."""
    if path.endswith((".c", ".h", ".def")):
        match = re.search(r"/\*.*|^\s*\*.*|^\s+[^\"#;]*\*/", line)
        return match[0] if match else ""
    if path.endswith((".py", ".toml", "meson.build")):
        match = re.search(r"(?:^|\s)#.*", line)
        return match[0] if match else ""
    return line


def check_openings(files):
    for path in files:
        if not re.match(r"/\* SPDX-License-Identifier: Apache-2\.0\n \* \S", read(path)):
            yield f"{path}:1: does not open with its licence and what it is for"


def check_goto(files):
    for path in files:
        text = without_comments(read(path)) if "goto" in read(path) else ""
        for match in re.finditer(r"\bgoto\b", text):
            yield f"{path}:{text.count(chr(10), 0, match.start()) + 1}: goto"


def run(argv, data=None):
    return subprocess.run(argv, cwd=ROOT, input=data, capture_output=True, text=True, check=False).stdout


def check_figures(files):
    """A row's figures are read by row_figures() or the kind's own function, which put them on the record of reads (base/reads.h)."""
    for path in files:
        if not path.startswith("src/") or path.startswith("src/store/") or path == "src/model/row.h" or "usage" not in read(path):
            continue
        text = without_comments(read(path))
        for match in re.finditer(r"\brow(?:->|\.)usage\b(?! = )", text):
            yield f"{path}:{text.count(chr(10), 0, match.start()) + 1}: reads figures without row_figures(), so cached answers would not end"


def check_function_lengths(files):
    listing = run(["ctags", "-L", "-", "-o", "-", "--kinds-C=f", "--fields=+ne"],
                  "".join(f + "\n" for f in files if f.endswith(".c")))
    for row in listing.splitlines():
        if row.startswith("!"):
            continue
        columns = row.split("\t")
        fields = dict(c.split(":", 1) for c in columns[4:] if ":" in c)
        if "end" in fields:
            size = int(fields["end"]) - int(fields["line"]) + 1
            if size > FUNCTION_LINES:
                yield f"{columns[1]}:{fields['line']}: {columns[0]} has {size} lines, {FUNCTION_LINES} at most"


def check_operations(files):
    """Every OPERATION asks for a permission or says that none is needed; reports are SYSTEM_OPERATIONs. Rows that a caller
    changes unasked are refused at run time (engine_check_permitted()); the ledger has no rows."""
    engine = [without_comments(read(path)) for path in files if path.startswith("src/engine/")]
    calls = {}
    for text in engine:
        bodies = {m[1]: m[2] for m in re.finditer(r"^\w[^\n;{}=#]*?\b(\w+)\([^;{}]*?\)\s*\n\{\n(.*?)\n\}", text, re.M | re.S)}
        for name, body in bodies.items():  # a static function of that name in another file is another function
            called = set(re.findall(r"(?<![>.\w])([a-z_]\w+)\(", body))
            calls.setdefault(name, []).append({(id(bodies) if c in bodies else 0, c) for c in called})
            calls.setdefault((id(bodies), name), []).extend(calls[name][-1:])
    for name in re.findall(r"^OPERATION\((\w+),", "\n".join(engine), re.M):
        seen, todo = set(), [(0, name)]
        while todo:
            at = todo.pop()
            if at[1].startswith("engine_permit") or at[1] == "engine_need_no_permission":
                break
            if at not in seen:
                seen.add(at)
                todo += [c for called in calls.get(at if at[0] else at[1], []) for c in called]
        else:
            yield f"{name}: asks for no permission (engine/operation.h)"


def check_prefixes(files):
    """A non-static function begins with its module's name: that of its file, of the header that declares it, of a folder that contains the file (or
    the folder's short name, PREFIXES), or of a type that such a folder defines."""
    types, headers = collections.defaultdict(set), collections.defaultdict(dict)
    for path in files:
        if path.startswith("src/"):
            folder, name = os.path.split(path)
            types[folder].update(re.findall(r"^(?:typedef )?(?:struct|enum|union) (\w+) \{", read(path), re.MULTILINE))
            types[folder].update(re.findall(r"^typedef [^;{]*?(\w+);", read(path), re.MULTILINE))
            if name.endswith(".h"):
                headers[folder][name[:-2]] = read(path)
    listing = run(["ctags", "-L", "-", "-o", "-", "--kinds-C=f", "--fields=+nf"],
                  "".join(f + "\n" for f in files if f.startswith("src/") and f.endswith(".c")))
    for row in listing.splitlines():
        columns = row.split("\t")
        if row.startswith("!") or "file:" in columns[4:] or columns[0] == "main" or columns[0].isupper():
            continue
        name, folder = columns[0], os.path.dirname(columns[1])
        if name.startswith(tuple(prefixes_of(columns[1], types))):
            continue
        declared = [stem + "_" for stem, text in headers[folder].items() if re.search(rf"\b{name}\(", text)]
        if not name.startswith(tuple(declared)):
            line = next(c[5:] for c in columns[4:] if c.startswith("line:"))
            yield f"{columns[1]}:{line}: {name} does not begin with the name of its file, header or folder, nor of a type there"


def prefixes_of(path, types):
    """volume_attach_, volume_, storage_ and engine_ for engine/storage/volume/volume_attach.c; and those of types."""
    folders, stem = path.split("/")[1:-1], os.path.splitext(os.path.basename(path))[0].split("_")
    names = folders + ["_".join(stem[:k + 1]) for k in range(len(stem))]
    names += [name + "s" for name in names] + [name[:-1] for name in names if name.endswith("s")] + [name[:-3] + "y" for name in names if name.endswith("ies")]
    for k in range(len(folders)):
        names += PREFIXES.get("/".join(folders[:k + 1]), [])
        names += types.get("src/" + "/".join(folders[:k + 1]), [])
    return [name + "_" for name in names]


def check_complexity(files):
    for row in run(["pmccabe"] + [f for f in files if f.endswith(".c") and f.startswith("src/")]).splitlines():
        columns = row.split("\t")
        if int(columns[0]) > COMPLEXITY:
            yield f"{columns[5].replace('(', ':').split(')')[0]}: complexity {columns[0]}, {COMPLEXITY} at most"


def check_headers(files):
    """Every prototype of a public header has a comment above it, or beside it, or follows other prototypes under one."""
    for path in files:
        if not path.startswith("src/") or not path.endswith(".h"):
            continue
        told = False
        for number, line in enumerate(read(path).splitlines(), 1):
            if line.strip() == "":
                told = False
            elif "/*" in line or "*/" in line or line.lstrip().startswith("*"):
                told = True
            elif re.match(r"(?:RESULT|[a-z][\w \*]*)[ \*][a-z]\w*\([^;{]*\)?[;,]?$", line) and not told:
                if not line.startswith(("static", "return", "typedef", "#", "DEFINE", "extern")):
                    yield f"{path}:{number}: a prototype without a comment above it"


def check_calls(build):
    objects = []
    for folder, _, names in os.walk(os.path.join(ROOT, build, "src")):
        objects += [os.path.join(folder, name) for name in names if name.endswith(".c.o")]
    # One process for all objects: starting nm takes longer than reading an object.
    for row in run(["nm", "--undefined-only", "--print-file-name", *objects]).splitlines():
        path, symbol = row.rsplit(":", 1)[0], row.split()[-1].split("@")[0]
        folder, name = os.path.split(path)
        match = re.search(r"/src/([a-z]+)/", folder + "/")
        layer = match[1] if match else "?"
        if symbol in BANNED:
            yield f"{layer}/{name}: calls {symbol}"
        elif symbol in BASE_ONLY and layer != "base" and (layer, symbol) not in ALLOWED:
            yield f"{layer}/{name}: calls {symbol}, which belongs in base/"
        elif symbol in OUTWARD and f"{layer}/{name[:-4]}" not in CLIENTS:
            yield f"{layer}/{name}: calls {symbol}; name in CLIENTS where its addresses are registered"
        elif symbol in NOT_IN_LAYERS and layer not in NOT_IN_LAYERS[symbol] | {"base"}:
            yield f"{layer}/{name}: calls {symbol}"


def check_format(files, build):
    """clang-format takes half of lint's time: files that passed unchanged are skipped."""
    stamp, style = os.path.join(ROOT, build, "lint-format"), read(".clang-format")
    digests = {path: hashlib.sha256((style + read(path)).encode()).hexdigest() for path in files}
    passed = set(read(stamp).split()) if os.path.exists(stamp) else set()
    asked = [path for path in files if digests[path] not in passed]
    done = subprocess.run(["clang-format-14", "--dry-run", "-Werror", *asked], cwd=ROOT, capture_output=True, text=True,
                          check=False) if asked else None
    wrong = {}
    for row in done.stderr.splitlines() if done else []:
        match = re.match(r"(\S+?):(\d+):\d+: error: ", row)
        if match:
            wrong.setdefault(match[1], match[2])
    if not done or wrong or done.returncode == 0:  # a clang-format that did not run says nothing about any file
        with open(stamp, "w", encoding="ascii") as file:
            file.write("\n".join(digests[path] for path in files if path not in wrong))
    else:
        yield f"clang-format-14 ends with {done.returncode}: {done.stderr[-200:]}"
    for path, line in wrong.items():
        yield f"{path}:{line}: not formatted (make format)"


def check_tests(_files):
    """Tests run in several clones at once, and on busy machines."""
    for path in run(["git", "ls-files", "tests"]).split():
        if path.endswith((".py", ".sh", ".c", ".h")) and not path.startswith("tests/golden/") and path not in OWN_TESTS_ALLOWED:
            present = [(pattern, what) for pattern, what in IN_NO_TEST if re.search(pattern, read(path), re.MULTILINE)]
            for number, line in enumerate(read(path).splitlines() if present else [], 1):
                for pattern, what in present:
                    if re.search(pattern, line):
                        yield f"{path}:{number}: {what}"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    files = sources()
    rules = [("layers", check_layers(files)), ("file lengths", check_file_lengths(files)),
             ("folder sizes", check_folder_sizes(files)), ("golden lines", check_golden(files)),
             ("foreign words", check_foreign_words(files)),
             ("file names", check_file_names(files)),
             ("page words", check_page_words(files)), ("page tables", check_page_tables(files)), ("conditions", check_conditions(files)),
             ("commands", check_commands(sys.argv[1])), ("attributes", check_attributes(sys.argv[1])),
             ("openings", check_openings(files)), ("goto", check_goto(files)), ("figures", check_figures(files)),
             ("operations", check_operations(files)),
             ("function lengths", check_function_lengths(files)), ("prefixes", check_prefixes(files)),
             ("complexity", check_complexity(files)),
             ("headers", check_headers(files)), ("calls", check_calls(sys.argv[1])),
             ("tests", check_tests(files)), ("voice", voice.check_voice()), ("format", check_format(files, sys.argv[1]))]
    failed = 0
    for name, findings in rules:
        findings = list(findings)
        for finding in findings:
            print(f"{name}: {finding}")
        failed += bool(findings)
    print(f"{len(rules) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""Reads schema/*.toml into plain objects and refuses what is wrong, in one sentence that names the
file and the place in it ("schema/volume.toml: wanted.size: unknown type 'byte'"). What passes here
can be written out by schema_write.py without a further check."""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

# Type in the schema -> (C type, enum field_type of model/row.h, may be part of an index key).
PLAIN_TYPES = {
    "text": ("struct str", "FIELD_TEXT", True),
    "blob": ("struct str", "FIELD_BLOB", False),
    "int": ("int64_t", "FIELD_INT", True),
    "time": ("int64_t", "FIELD_INT", True),
    "bytes": ("int64_t", "FIELD_INT", True),
    "bool": ("bool", "FIELD_BOOL", True),
    "ip": ("struct ip", "FIELD_IP", True),
    "cidr": ("struct cidr", "FIELD_CIDR", True),
    "mac": ("struct mac", "FIELD_MAC", True),
    "uuid": ("uuid", "FIELD_UUID", True),
    "texts": ("struct strs", "FIELD_TEXTS", False),
    "ips": ("struct ips", "FIELD_IPS", False),
    "cidrs": ("struct cidrs", "FIELD_CIDRS", False),
    "tags": ("struct tags", "FIELD_TAGS", False),
}
# Default limits of a field: bytes of a text, elements of a list; and for a list of texts, their bytes together.
MOST = {"FIELD_TEXT": 4096, "FIELD_BLOB": 4096, "FIELD_UUIDS": 1000, "FIELD_IPS": 100, "FIELD_CIDRS": 100,
        "FIELD_TEXTS": 100, "FIELD_TAGS": 60}
MOST_BYTES = {"FIELD_TEXTS": 100 * 255, "FIELD_TAGS": 60 * (128 + 256) * 4}  # tags: characters of up to four bytes
# Groups of a kind's fields, in the order of the struct. GROUP_WORDS in schema_write.py explains them.
GROUPS = ("wanted", "placed", "seen", "history")
FACES = ("ec2", "nova", "cinder", "cloudstack", "azure")  # the words of struct state_info
RESERVED = ("id", "gen", "commit_number", "created_us", "updated_us", "deleted_us", "row", "usage")
C_KEYWORDS = frozenset(
    "auto break case char const continue default do double else enum extern float for goto if inline int long "
    "register restrict return short signed sizeof static struct switch typedef union unsigned void volatile "
    "while bool true false asm typeof uuid".split())
RULES = ("refuse", "cascade", "clear", "keep")  # model/reference.h explains them
GOES = ("on_delete", "on_forget")
INDEX_FIELDS_MAX = 4  # as in model/row.h
INDEXES_MAX = 16
STATES_MAX = 32  # a bit set of uint32_t
MOVES_MAX = 5  # a longer list would allow almost everything
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
WORD = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*")
NAME_MAX = 63  # PostgreSQL's longest identifier


class SchemaError(Exception):
    """A mistake in the schema, as one sentence for people."""


@dataclass
class Field:
    name: str
    type: str  # as written
    c_type: str
    c_enum: str
    doc: str
    group: str = "wanted"
    ref: str | None = None
    parent: bool = False  # a change of this row counts as a change of the row referred to
    end: bool = False  # policies about the row referred to decide on who makes, changes and ends the reference
    rule: str = ""  # what becomes of this row when the row referred to goes: one of RULES
    goes: str = ""  # when that row counts as gone: "on_delete" or "on_forget"
    why: str = ""  # reason of a rule "keep"
    unindexed: str = ""  # who looks at the reference in place of an index, and at how many rows
    words: list[str] = field(default_factory=list)
    indexable: bool = True
    most: int = 0  # bytes of a text, elements of a list
    most_bytes: int = 0  # total of a list's texts


@dataclass
class Index:
    name: str
    fields: list[Field]
    unique: bool
    hashed: bool


@dataclass
class State:
    name: str
    to: list[str] | None  # None: any state may follow
    final: bool
    show: dict[str, str]


@dataclass
class Shown:
    """The native API's view of a kind: [api]."""
    name: str  # last part of its path
    read: str  # permission to read it
    of: Field | None  # visible to callers who see the row that this field names
    belongs: Field | None  # the same, but hidden from others in the account
    admins: bool
    columns: list[str]
    search: list[Field]
    hide: list[Field]
    show: list[Field]  # blobs
    operators: list[Field]  # for administrators only
    owners: list[Field]  # for the owner and administrators, where the row is shared with others
    derived: list[str]


@dataclass
class Kind:
    name: str
    file: str
    doc: str
    ec2_prefix: str
    fields: list[Field]
    usage: dict[str, str]
    indexes: list[Index]  # without the id's index
    states: list[State]
    shown: Shown | None = None

    def field_named(self, name):
        return next((f for f in self.fields if f.name == name), None)


def constant(*parts):
    """Name of a C constant made of the parts: constant("volume", "in-use") is VOLUME_IN_USE."""
    return "_".join(parts).replace("-", "_").upper()


def fail(file, place, sentence):
    raise SchemaError(f"{file}: {place}: {sentence}" if place else f"{file}: {sentence}")


def check_keys(file, place, table, known, required=()):
    if not isinstance(table, dict):
        fail(file, place, "must be a table")
    for key in table:
        if key not in known:
            fail(file, place, f"unknown key '{key}'; known are {', '.join(known)}")
    for key in required:
        if key not in table:
            fail(file, place, f"'{key}' is missing")


def check_type(file, place, table, key, wanted, words):
    if key in table and not isinstance(table[key], wanted):
        fail(file, place, f"'{key}' must be {words}")


def check_doc(file, place, text):
    if not isinstance(text, str) or not text.strip():
        fail(file, place, "the doc is missing or empty")
    if "*/" in text or "/*" in text or "\n" in text:
        fail(file, place, "the doc must be one line without comment marks")


def check_name(file, place, name):
    if not NAME.fullmatch(name) or len(name) > NAME_MAX:
        fail(file, place, f"'{name}' is not a name: lower-case words joined by '_', at most {NAME_MAX} characters")
    if name in C_KEYWORDS:
        fail(file, place, f"'{name}' is a word of C")


def read_enum_words(file, place, text):
    words = [w.strip() for w in text.split(",")]
    for word in words:
        if not WORD.fullmatch(word):
            fail(file, place, f"'{word}' is not a word for an enum: lower-case letters, digits, '-' and '_'")
        if words.count(word) > 1:
            fail(file, place, f"the enum has '{word}' twice")
    return words


def check_group(file, place, name, group):
    """A field's name must not suggest another group than its own."""
    for word in ("seen", "wanted"):
        if (name.startswith(f"{word}_") or f"_{word}_" in name) and group != word:
            fail(file, place, f"a field with '{word}_' in its name belongs into [{word}]")


def read_rule(file, place, table, f):
    """The reference with what happens when the row that it names goes. Every `ref` says so, and a uuid may: it then names a row of any kind."""
    given = [key for key in GOES if key in table]
    given_more = [key for key in ("why", "unindexed") if key in table]
    if not f.ref and not given and not given_more:
        return f
    if not f.ref and f.type != "uuid":
        fail(file, place, f"only a reference has '{(given or given_more)[0]}'")
    if len(given) != 1:
        fail(file, place, f"says either 'on_delete' or 'on_forget': what happens to this row when the {f.ref or 'other'} goes")
    f.goes, f.rule, f.why = given[0], table[given[0]], table.get("why", "")
    if f.rule not in RULES:
        fail(file, place, f"'{f.goes}' must be one of {', '.join(RULES)}")
    if (f.rule == "keep") != ("why" in table):
        fail(file, place, "a reference that is kept, and no other, says why it may name a row that is gone")
    if f.why or "why" in table:
        check_doc(file, f"{place}.why", f.why)
    if "unindexed" in table:
        f.unindexed = table["unindexed"]
        check_doc(file, f"{place}.unindexed", f.unindexed)
    if f.rule == "cascade" and f.c_enum != "FIELD_UUID":
        fail(file, place, "a list's row does not go with one of its elements")
    return f


def check_access(file, f, has_index):
    """The store follows references by index alone, so that the cost of a deletion is that of the rows that refer. A list cannot have an index,
    and some references are not worth one: the operation then looks, and the schema states at how many rows."""
    place = f"{f.group}.{f.name}"
    if f.rule not in ("cascade", "clear", "refuse") or has_index:
        if f.unindexed:
            fail(file, place, "needs no 'unindexed': an index begins with it, or its rule follows nothing")
    elif f.rule == "cascade":
        fail(file, place, "cascades, and no index begins with it")
    elif f.rule == "clear":
        fail(file, place, "is cleared, and no index begins with it")
    elif not f.unindexed:
        fail(file, place, "refuses, and no index begins with it: 'unindexed' says which operation looks, and at how many rows")


def read_field(file, kind_name, name, table, kind_names, place):
    check_name(file, place, name)
    if name in RESERVED:
        fail(file, place, f"'{name}' is reserved: every row has it already")
    check_keys(file, place, table, ("type", "doc", "parent", "end", "max", "max_bytes", *GOES, "why", "unindexed"), ("type", "doc"))
    check_doc(file, place, table["doc"])
    check_type(file, place, table, "type", str, "a text")
    for flag in ("parent", "end"):
        check_type(file, place, table, flag, bool, "true or false")
    text = table["type"]
    if "parent" in table and not text.startswith("ref:"):
        fail(file, place, "only of the row that a 'ref:' names a row can be part")
    if "end" in table and not text.startswith("ref:"):
        fail(file, place, "only a 'ref:' has another end")
    if (text == "time") != name.endswith("_us"):
        fail(file, place, "a time, and nothing else, has a name that ends in '_us'")
    if text in PLAIN_TYPES:
        c_type, c_enum, indexable = PLAIN_TYPES[text]
        return Field(name, text, c_type, c_enum, table["doc"], indexable=indexable)
    base, colon, argument = text.partition(":")
    if colon and base in ("ref", "refs"):
        if argument not in kind_names:
            fail(file, place, f"refers to the unknown kind '{argument}'")
        if base == "ref":
            return Field(name, text, "uuid", "FIELD_UUID", table["doc"], ref=argument,
                         parent=table.get("parent", False), end=table.get("end", table.get("parent", False)))
        return Field(name, text, "struct uuids", "FIELD_UUIDS", table["doc"], ref=argument, indexable=False)
    if colon and base == "enum":
        words = read_enum_words(file, place, argument)
        return Field(name, text, f"enum {kind_name}_{name}", "FIELD_ENUM", table["doc"], words=words)
    known = ", ".join([*PLAIN_TYPES, "ref:<kind>", "refs:<kind>", "enum:<word>,<word>"])
    fail(file, place, f"unknown type '{text}'; known are {known}")


def read_limits(file, place, table, f):
    """The field with its limits."""
    for key, known in (("max", MOST), ("max_bytes", MOST_BYTES)):
        number = table.get(key, known.get(f.c_enum, 0))
        if key in table and f.c_enum not in known:
            fail(file, place, f"a field of type {f.type} has no '{key}'")
        if not isinstance(number, int) or isinstance(number, bool) or (key in table and number < 1):
            fail(file, place, f"'{key}' must be a number above 0")
        setattr(f, "most" if key == "max" else "most_bytes", number)
    return f


def read_fields(file, kind_name, groups, kind_names):
    """All fields, group by group: the order of the struct and of the SQL columns."""
    fields = {}
    for group in GROUPS:
        for name, table in groups.get(group, {}).items():
            place = f"{group}.{name}"
            if name in fields:
                fail(file, place, f"stands in [{fields[name].group}], too")
            check_group(file, place, name, group)
            f = read_field(file, kind_name, name, table, kind_names, place)
            f.group = group
            fields[name] = read_rule(file, place, table, read_limits(file, place, table, f))
    if not fields:
        fail(file, "top level", f"a kind has at least one field, in one of {', '.join(GROUPS)}")
    return list(fields.values())


def read_index(file, name, table, fields):
    place = f"index.{name}"
    check_name(file, place, name)
    if name == "id":
        fail(file, place, "'id' is reserved: every kind has that index already")
    check_keys(file, place, table, ("fields", "unique", "hashed"), ("fields",))
    check_type(file, place, table, "fields", list, "a list of field names")
    check_type(file, place, table, "unique", bool, "true or false")
    check_type(file, place, table, "hashed", bool, "true or false")
    names = table["fields"]
    if not 1 <= len(names) <= INDEX_FIELDS_MAX:
        fail(file, place, f"an index has 1 to {INDEX_FIELDS_MAX} fields, this one {len(names)}")
    by_name = {f.name: f for f in fields}
    for each in names:
        if each not in by_name:
            fail(file, place, f"is on the unknown field '{each}'")
        if names.count(each) > 1:
            fail(file, place, f"has the field '{each}' twice")
        if not by_name[each].indexable:
            fail(file, place, f"the field '{each}' of type {by_name[each].type} cannot be a key")
    if table.get("hashed") and by_name[names[0]].c_enum != "FIELD_UUID":
        fail(file, place, f"is hashed, and '{names[0]}' is no id")
    return Index(name, [by_name[each] for each in names], table.get("unique", False), table.get("hashed", False))


def read_state(file, name, table, names):
    place = f"state.{name}"
    if not WORD.fullmatch(name):
        fail(file, place, f"'{name}' is not a state's name: lower-case letters, digits, '-' and '_'")
    check_keys(file, place, table, ("to", "final", "show"), ("show",))
    check_type(file, place, table, "to", list, "a list of states")
    check_type(file, place, table, "final", bool, "true or false")
    check_keys(file, f"{place}.show", table["show"], FACES)
    for face, word in table["show"].items():
        if not isinstance(word, str) or not word:
            fail(file, f"{place}.show", f"the word for {face} is empty or not a text")
    to, final = table.get("to"), table.get("final", False)
    check_moves(file, place, name, to or [], names)
    if final and to is not None:
        fail(file, place, "is final and still leads on")
    return State(name, [] if final else to, final, dict(table["show"]))


def check_moves(file, place, name, to, names):
    for each in to:
        if each not in names:
            fail(file, place, f"leads to the unknown state '{each}'")
        if each == name:
            fail(file, place, "leads to itself; staying is always legal")
        if to.count(each) > 1:
            fail(file, place, f"leads to '{each}' twice")
    if len(to) > MOVES_MAX:
        fail(file, place, f"leads to {len(to)} states, at most {MOVES_MAX} are listed: without 'to' any may follow")
    if len(to) == len(names) - 1:
        fail(file, place, "leads to every other state: leave 'to' out, then any may follow")


def spread(start, steps):
    """Everything reachable from start by steps (a dict of lists)."""
    reached, todo = set(start), list(start)
    while todo:
        for each in steps.get(todo.pop(), []):
            if each not in reached:
                reached.add(each)
                todo.append(each)
    return reached


def check_states(file, states):
    """The first declared state is the initial one."""
    if not states:
        return
    if len(states) > STATES_MAX:
        fail(file, "state", f"{len(states)} states; at most {STATES_MAX} fit")
    names = [s.name for s in states]
    steps = {s.name: names if s.to is None else s.to for s in states}
    reached = spread([states[0].name], steps)
    back = {}
    for s in states:
        for each in steps[s.name]:
            back.setdefault(each, []).append(s.name)
    ending = spread([s.name for s in states if s.final], back)
    faces = [face for face in FACES if any(face in s.show for s in states)]
    for s in states:
        if s.name not in reached:
            fail(file, f"state.{s.name}", f"cannot be reached from the first state, '{states[0].name}'")
        if s.name not in ending:
            fail(file, f"state.{s.name}", "has no way to a final state")
        for face in faces:
            if face not in s.show:
                fail(file, f"state.{s.name}.show", f"has no word for {face}, which other states of the kind have")


API_TEXTS = ("name", "read", "of", "belongs")
API_FIELDS = ("search", "hide", "show", "operators", "owners")
API_KEYS = (*API_TEXTS, "admins", "columns", *API_FIELDS, "derived")


def read_shown_fields(file, key, table, fields):
    by_name = {f.name: f for f in fields}
    for name in table.get(key, []):
        if name not in by_name:
            fail(file, f"api.{key}", f"names the unknown field '{name}'")
        if (by_name[name].c_enum == "FIELD_BLOB") != (key == "show"):
            fail(file, f"api.{key}", f"'{name}': blobs, and nothing else, are named in 'show'")
    return [by_name[name] for name in table.get(key, [])]


def read_shown_ref(file, key, table, fields):
    if key not in table:
        return None
    f = next((f for f in fields if f.name == table[key]), None)
    if not f or not f.ref or f.c_enum != "FIELD_UUID":
        fail(file, f"api.{key}", f"'{table[key]}' is no field that names a row")
    return f


def read_shown(file, table, fields):
    """[api]: the kind's view in `/api/v1`. Without it the kind is not visible there."""
    if table is None:
        return None
    check_keys(file, "api", table, API_KEYS, ("name", "read", "columns"))
    for key in API_TEXTS:
        check_type(file, "api", table, key, str, "a text")
    check_type(file, "api", table, "admins", bool, "true or false")
    for key in ("columns", *API_FIELDS, "derived"):
        check_type(file, "api", table, key, list, "a list of names")
    if not re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", table["name"]):
        fail(file, "api.name", "must be lower-case words joined by '-'")
    if not re.fullmatch("[a-z0-9_]+[.][a-z0-9_]+", table["read"]):
        fail(file, "api.read", "is no permission's name")
    derived = ["state", *table.get("derived", [])]
    hidden = [*table.get("hide", []), *(f.name for f in fields if f.c_enum == "FIELD_BLOB")]
    for name in table["columns"]:
        if name in hidden or (name not in derived and not any(f.name == name for f in fields)):
            fail(file, "api.columns", f"'{name}' is no field that is shown, and is not derived")
    return Shown(table["name"], table["read"], read_shown_ref(file, "of", table, fields),
                 read_shown_ref(file, "belongs", table, fields), table.get("admins", False), table["columns"],
                 *(read_shown_fields(file, key, table, fields) for key in API_FIELDS), table.get("derived", []))


def read_kind(path, kind_names):
    file = str(path)
    try:
        table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        fail(file, "", f"not valid TOML: {e}")
    name = Path(path).stem
    check_keys(file, "top level", table, ("doc", "ec2_prefix", *GROUPS, "usage", "index", "api", "state"), ("doc",))
    check_doc(file, "doc", table["doc"])
    prefix = table.get("ec2_prefix", "")
    if not isinstance(prefix, str) or ("ec2_prefix" in table and not re.fullmatch("[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*", prefix)):
        fail(file, "ec2_prefix", "must be words of lower-case letters and digits, with dashes between them at most")
    for section in (*GROUPS, "usage", "index", "api", "state"):
        check_type(file, "top level", table, section, dict, "a table")
    fields = read_fields(file, name, table, kind_names)
    for figure, doc in table.get("usage", {}).items():
        check_name(file, f"usage.{figure}", figure)
        check_doc(file, f"usage.{figure}", doc)
    indexes = [read_index(file, n, t, fields) for n, t in table.get("index", {}).items()]
    for f in fields:
        check_access(file, f, any(x.fields[0] is f for x in indexes))
    if len(indexes) + 1 > INDEXES_MAX:
        fail(file, "index", f"{len(indexes)} indexes and the id's; at most {INDEXES_MAX} in all")
    states_table = table.get("state", {})
    states = [read_state(file, n, t, states_table) for n, t in states_table.items()]
    check_states(file, states)
    return Kind(name, file, table["doc"], prefix, fields, table.get("usage", {}), indexes, states,
                read_shown(file, table.get("api"), fields))


def made_names(kind):
    """Every C name that the kind defines, as (name space, name): tags and constants are global."""
    yield "tag", kind.name
    yield "constant", constant("kind", kind.name)
    if kind.usage:
        yield "tag", f"{kind.name}_usage"
    for f in kind.fields:
        if f.words:
            yield "tag", f"{kind.name}_{f.name}"
            for word in f.words:
                yield "constant", constant(kind.name, f.name, word)
    for index in ("id", *(x.name for x in kind.indexes), "count"):
        yield "constant", constant(kind.name, "index", index)
    if kind.states:
        yield "tag", f"{kind.name}_state"
        yield "constant", constant(kind.name, "state_count")
        for s in kind.states:
            yield "constant", constant(kind.name, s.name)


def check_across(kinds):
    seen, prefixes, shown = {}, {}, {}
    for kind in kinds:
        if kind.shown:
            if kind.shown.name in shown:
                fail(kind.file, "api.name", f"'{kind.shown.name}' is taken by {shown[kind.shown.name]}")
            shown[kind.shown.name] = kind.file
        for made in made_names(kind):
            if made in seen:
                fail(kind.file, "", f"the {made[0]} '{made[1]}' would be made twice in C, the first time for {seen[made]}")
            seen[made] = kind.file
        if kind.ec2_prefix:
            if kind.ec2_prefix in prefixes:
                fail(kind.file, "ec2_prefix", f"'{kind.ec2_prefix}' is taken by {prefixes[kind.ec2_prefix]}")
            prefixes[kind.ec2_prefix] = kind.file


def read_schema(paths):
    """All kinds, in the order given: it is the order of enum kind."""
    names = []
    for path in paths:
        name = Path(path).stem
        check_name(str(path), "file name", name)
        if name in names or name in ("none", "count", "row", "rows", "kinds", "states", "state", "id"):
            fail(str(path), "file name", f"the kind '{name}' is given twice or reserved")
        names.append(name)
    kinds = [read_kind(path, names) for path in paths]
    check_across(kinds)
    return kinds


@dataclass
class Migration:
    version: int
    sql: str


def read_migrations(directory, schema_hash):
    """Compares the hash with the newest version's in hashes.txt; returns that version and the SQL of the versions above 1 (version 1 is the generated
    DDL)."""
    file = str(Path(directory) / "hashes.txt")
    rows = []
    for number, line in enumerate(Path(file).read_text(encoding="utf-8").splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        if len(words) != 2 or words[0] != str(len(rows) + 1) or not re.fullmatch("unreleased|[0-9a-f]{64}", words[1]):
            fail(file, f"line {number}", f"must be '{len(rows) + 1} <hash>' or '{len(rows) + 1} unreleased'")
        if rows and rows[-1][1] == "unreleased":
            fail(file, f"line {number}", "only the newest version may be unreleased")
        rows.append((number, words[1]))
    if not rows:
        fail(file, "", "lists no version")
    number, recorded = rows[-1]
    if recorded not in ("unreleased", schema_hash):
        fail(file, f"line {number}", f"the schema changed since version {len(rows)}: append the line '{len(rows) + 1} unreleased'. If the change does more than "
             f"add kinds, fields and words, write {len(rows) + 1:03}.sql and its upgrade test, too")
    sql = {int(p.stem): p for p in Path(directory).glob("*.sql") if re.fullmatch("[0-9]{3}", p.stem)}
    for version, path in sorted(sql.items()):
        if not 2 <= version <= len(rows):
            fail(str(path), "", f"is for a version that {file} does not have, or for version 1")
    return len(rows), [Migration(v, p.read_text(encoding="utf-8")) for v, p in sorted(sql.items())]

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The schema generator: wrong schemas, each with the exact sentence it must give; the migrations'
rules; and what its outputs and its hash depend on. Run by Meson with the top of the tree as argument."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
TOP = Path(sys.argv.pop(1)) if len(sys.argv) > 1 else Path(__file__).resolve().parents[3]
sys.path.insert(0, str(TOP / "tools"))

import schema_read  # noqa: E402
import schema_write  # noqa: E402

GOOD = """\
doc = "A disk."
ec2_prefix = "vol"
[wanted]
name = { type = "text", doc = "Its name." }
size = { type = "bytes", doc = "Its size." }
host = { type = "ref:disk", on_delete = "refuse", unindexed = "One row.", doc = "Another." }
kind = { type = "enum:ssd,old-hdd", doc = "What it is." }
made_us = { type = "time", doc = "When." }
ids = { type = "refs:disk", on_forget = "keep", why = "They are shown.", doc = "More." }
[seen]
seen_uses = { type = "int", doc = "Its uses there." }
[usage]
uses = "How often."
[index]
name = { fields = ["name", "size"], unique = true }
[state.there]
to = ["used"]
show = { ec2 = "there", cinder = "here" }
[state.used]
to = ["gone"]
show = { ec2 = "used", cinder = "busy" }
[state.gone]
final = true
show = { ec2 = "gone", cinder = "away" }
"""

SECTIONS = "doc, ec2_prefix, wanted, placed, seen, history, usage, index, api, state"
TYPES = ("text, blob, int, time, bytes, bool, ip, cidr, mac, uuid, texts, ips, cidrs, tags, ref:<kind>, refs:<kind>, "
         "enum:<word>,<word>")
NAME_RULE = "is not a name: lower-case words joined by '_', at most 63 characters"

# Text to replace in GOOD, its replacement, and the expected message after "disk.toml: ".
WRONG = [
    ('doc = "A disk."\n', "", "top level: 'doc' is missing"),
    ('"A disk."', '" "', "doc: the doc is missing or empty"),
    ('"A disk."', '"A /* disk */."', "doc: the doc must be one line without comment marks"),
    ('"A disk."', '"A\\ndisk."', "doc: the doc must be one line without comment marks"),
    ('ec2_prefix = "vol"', "owner = 1", f"top level: unknown key 'owner'; known are {SECTIONS}"),
    ('"vol"', '"VOL"', "ec2_prefix: must be words of lower-case letters and digits, with dashes between them at most"),
    ('"vol"', '""', "ec2_prefix: must be words of lower-case letters and digits, with dashes between them at most"),
    ('[usage]\nuses = "How often."', "[usage]\nuses = 1", "usage.uses: the doc is missing or empty"),
    ('uses = "', 'Uses = "', f"usage.Uses: 'Uses' {NAME_RULE}"),
    ('[wanted]', "[fields]", f"top level: unknown key 'fields'; known are {SECTIONS}"),
    ('[wanted]', "[wanted]\n[spare]", f"top level: unknown key 'spare'; known are {SECTIONS}"),
    ('[wanted]\n', "[placed]\nname = { type = \"text\", doc = \"X.\" }\n[wanted]\n", "placed.name: stands in [wanted], too"),
    ("host =", "seen_host =", "wanted.seen_host: a field with 'seen_' in its name belongs into [seen]"),
    ("host =", "peer_seen_host =", "wanted.peer_seen_host: a field with 'seen_' in its name belongs into [seen]"),
    ("[seen]", "[history]", "history.seen_uses: a field with 'seen_' in its name belongs into [seen]"),
    ("seen_uses =", "wanted_uses =", "seen.wanted_uses: a field with 'wanted_' in its name belongs into [wanted]"),
    ("[seen]\nseen_uses = ", "[wanted_too]\nseen_uses = ", f"top level: unknown key 'wanted_too'; known are {SECTIONS}"),
    ('name = { type = "text", doc = "Its name." }', "name = 1", "wanted.name: must be a table"),
    ('type = "text", doc = "Its name."', 'type = "text"', "wanted.name: 'doc' is missing"),
    ('doc = "Its name."', 'doc = ""', "wanted.name: the doc is missing or empty"),
    ('type = "text", ', "", "wanted.name: 'type' is missing"),
    ('type = "text", doc = "Its name."', 'type = "text", max = 0, doc = "X."', "wanted.name: 'max' must be a number above 0"),
    ('type = "text", doc = "Its name."', 'type = "text", max = "9", doc = "X."', "wanted.name: 'max' must be a number above 0"),
    ('type = "text", doc = "Its name."', 'type = "text", max_bytes = 9, doc = "X."',
     "wanted.name: a field of type text has no 'max_bytes'"),
    ('type = "text", doc = "Its name."', 'type = "int", max = 9, doc = "X."', "wanted.name: a field of type int has no 'max'"),
    ('type = "text"', "type = 5", "wanted.name: 'type' must be a text"),
    ('type = "text"', 'type = "string"', f"wanted.name: unknown type 'string'; known are {TYPES}"),
    ('type = "text"', 'type = "ref"', f"wanted.name: unknown type 'ref'; known are {TYPES}"),
    ('type = "text"', 'type = "list:text"', f"wanted.name: unknown type 'list:text'; known are {TYPES}"),
    ('doc = "Its name."', 'doc = "Its name.", unit = "m"', "wanted.name: unknown key 'unit'; known are type, doc, parent, end, max, max_bytes, on_delete, on_forget, why, unindexed"),
    ('type = "text"', 'type = "text", parent = true', "wanted.name: only of the row that a 'ref:' names a row can be part"),
    ('"ref:disk"', '"ref:moon"', "wanted.host: refers to the unknown kind 'moon'"),
    (', on_delete = "refuse", unindexed = "One row."', "", "wanted.host: says either 'on_delete' or 'on_forget': what happens to this row when the disk goes"),
    ('on_delete = "refuse"', 'on_delete = "refuse", on_forget = "clear"',
     "wanted.host: says either 'on_delete' or 'on_forget': what happens to this row when the disk goes"),
    ('"refuse"', '"ignore"', "wanted.host: 'on_delete' must be one of refuse, cascade, clear, keep"),
    ('"refuse"', '"refuse", why = "X."', "wanted.host: a reference that is kept, and no other, says why it may name a row that is gone"),
    (', why = "They are shown."', "", "wanted.ids: a reference that is kept, and no other, says why it may name a row that is gone"),
    ('"They are shown."', '""', "wanted.ids.why: the doc is missing or empty"),
    ('"refuse", unindexed = "One row."', '"cascade"', "wanted.host: cascades, and no index begins with it"),
    ('"refuse", unindexed = "One row."', '"clear"', "wanted.host: is cleared, and no index begins with it"),
    (', unindexed = "One row."', "", "wanted.host: refuses, and no index begins with it: 'unindexed' says which operation looks, and at how many rows"),
    ('"One row."', '""', "wanted.host.unindexed: the doc is missing or empty"),
    ('why = "They are shown."', 'why = "They are shown.", unindexed = "X."', "wanted.ids: needs no 'unindexed': an index begins with it, or its rule follows nothing"),
    ("[index]", '[index]\nhost = { fields = ["host"] }', "wanted.host: needs no 'unindexed': an index begins with it, or its rule follows nothing"),
    ('type = "text"', 'type = "text", unindexed = "X."', "wanted.name: only a reference has 'unindexed'"),
    ('"keep", why = "They are shown."', '"cascade"', "wanted.ids: a list's row does not go with one of its elements"),
    ('type = "text"', 'type = "text", on_delete = "keep"', "wanted.name: only a reference has 'on_delete'"),
    ('"refs:disk"', '"refs:"', "wanted.ids: refers to the unknown kind ''"),
    ('"enum:ssd,old-hdd"', '"enum:ssd,ssd"', "wanted.kind: the enum has 'ssd' twice"),
    ('"enum:ssd,old-hdd"', '"enum:"', "wanted.kind: '' is not a word for an enum: lower-case letters, digits, '-' and '_'"),
    ('"enum:ssd,old-hdd"', '"enum:SSD"',
     "wanted.kind: 'SSD' is not a word for an enum: lower-case letters, digits, '-' and '_'"),
    ("made_us =", "made =", "wanted.made: a time, and nothing else, has a name that ends in '_us'"),
    ("host =", "host_us =", "wanted.host_us: a time, and nothing else, has a name that ends in '_us'"),
    ("host =", "Host =", f"wanted.Host: 'Host' {NAME_RULE}"),
    ("host =", '"a b" =', f"wanted.a b: 'a b' {NAME_RULE}"),
    ("host =", "h" * 64 + " =", f"wanted.{'h' * 64}: '{'h' * 64}' {NAME_RULE}"),
    ("host =", "default =", "wanted.default: 'default' is a word of C"),
    *((("host =", f"{name} =", f"wanted.{name}: '{name}' is reserved: every row has it already"))
      for name in ("id", "gen", "commit_number", "created_us", "updated_us", "deleted_us", "row", "usage")),
    ("host =", "name =", "not valid TOML: Cannot overwrite a value (at line 6, column 93)"),
    ("[index]", "[index", "not valid TOML: Expected ']' at the end of a table declaration (at line 14, column 7)"),
    ('name = { fields', 'id = { fields', "index.id: 'id' is reserved: every kind has that index already"),
    ('name = { fields', 'By = { fields', f"index.By: 'By' {NAME_RULE}"),
    ('["name", "size"]', "[]", "index.name: an index has 1 to 4 fields, this one 0"),
    ('["name", "size"]', '["name", "size", "host", "kind", "made_us"]',
     "index.name: an index has 1 to 4 fields, this one 5"),
    ('["name", "size"]', '"name"', "index.name: 'fields' must be a list of field names"),
    ('["name", "size"]', '["name", "colour"]', "index.name: is on the unknown field 'colour'"),
    ('["name", "size"]', '["name", "name"]', "index.name: has the field 'name' twice"),
    ('["name", "size"]', '["ids"]', "index.name: the field 'ids' of type refs:disk cannot be a key"),
    ("unique = true", "unique = 1", "index.name: 'unique' must be true or false"),
    ("unique = true", "sorted = true", "index.name: unknown key 'sorted'; known are fields, unique, hashed"),
    ("unique = true", "hashed = 1", "index.name: 'hashed' must be true or false"),
    ("unique = true", "hashed = true", "index.name: is hashed, and 'name' is no id"),
    ('fields = ["name", "size"], ', "", "index.name: 'fields' is missing"),
    ('[index]\n', "[index]\n" + "".join(f'x{n} = {{ fields = ["name"] }}\n' for n in range(15)),
     "index: 16 indexes and the id's; at most 16 in all"),
    ('to = ["used"]', 'to = ["used", "lost"]', "state.there: leads to the unknown state 'lost'"),
    ('to = ["used"]', 'to = ["there"]', "state.there: leads to itself; staying is always legal"),
    ('to = ["used"]', 'to = ["used", "used"]', "state.there: leads to 'used' twice"),
    ('to = ["used"]', 'to = "used"', "state.there: 'to' must be a list of states"),
    ('to = ["used"]', 'to = ["used", "gone"]', "state.there: leads to every other state: leave 'to' out, then any may follow"),
    ('to = ["used"]', 'to = [%s]\n' % ", ".join(f'"s{n}"' for n in range(6))
     + 'show = { ec2 = "x" }\n' + "".join(f'[state.s{n}]\nshow = {{ ec2 = "x" }}\n' for n in range(6)) + "[state.last]",
     "state.there: leads to 6 states, at most 5 are listed: without 'to' any may follow"),
    ("final = true", 'to = ["there"]', "state.there: has no way to a final state"),
    ("final = true", 'final = true\nto = ["there"]', "state.gone: is final and still leads on"),
    ("final = true", "last = true", "state.gone: unknown key 'last'; known are to, final, show"),
    ("[state.gone]", '[state.lost]\nto = ["gone"]\nshow = { ec2 = "x", cinder = "x" }\n[state.gone]',
     "state.lost: cannot be reached from the first state, 'there'"),
    ('to = ["used"]', 'to = ["used", "stuck"]\nshow = { ec2 = "x", cinder = "x" }\n[state.stuck]\nto = []',
     "state.stuck: has no way to a final state"),
    ('ec2 = "gone", ', "", "state.gone.show: has no word for ec2, which other states of the kind have"),
    ('ec2 = "gone"', 'nova = "gone"', "state.there.show: has no word for nova, which other states of the kind have"),
    ('ec2 = "gone"', 'aws = "gone"', "state.gone.show: unknown key 'aws'; known are ec2, nova, cinder, cloudstack, azure"),
    ('ec2 = "gone"', 'ec2 = ""', "state.gone.show: the word for ec2 is empty or not a text"),
    ('show = { ec2 = "gone", cinder = "away" }', "", "state.gone: 'show' is missing"),
    ("[state.there]", "[state.There]", "state.There: 'There' is not a state's name: lower-case letters, digits, '-' and '_'"),
    ("[usage]", "[state]\n" + "".join(f"[state.s{n}]\nshow = {{}}\n" for n in range(30)) + "[usage]",
     "state: 33 states; at most 32 fit"),
    ('"enum:ssd,old-hdd"', '"enum:a-b,a_b"',
     "the constant 'DISK_KIND_A_B' would be made twice in C, the first time for disk.toml"),
    ("kind =", "state =", "the tag 'disk_state' would be made twice in C, the first time for disk.toml"),
]


class SchemaCase(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.dir = Path(self.scratch.name)
        self.addCleanup(self.scratch.cleanup)

    def read(self, **texts):
        """The schema made of kinds by name, and its errors with the folder cut off."""
        paths = []
        for name, text in texts.items():
            path = self.dir / f"{name}.toml"
            path.write_text(text, encoding="utf-8")
            paths.append(str(path))
        try:
            return schema_read.read_schema(paths)
        except schema_read.SchemaError as e:
            raise schema_read.SchemaError(str(e).replace(f"{self.dir}/", "")) from None

    def refuse(self, sentence, function, *args, **named):
        with self.assertRaises(schema_read.SchemaError) as caught:
            function(*args, **named)
        self.assertEqual(str(caught.exception).replace(f"{self.dir}/", ""), sentence)


class WrongSchemas(SchemaCase):
    def test_each_gives_its_sentence(self):
        for old, new, sentence in WRONG:
            with self.subTest(sentence):
                self.assertIn(old, GOOD)
                self.refuse(f"disk.toml: {sentence}", self.read, disk=GOOD.replace(old, new, 1))

    def test_several_kinds(self):
        self.refuse("tape.toml: ec2_prefix: 'vol' is taken by disk.toml", self.read, disk=GOOD, tape=GOOD)
        plain = 'doc = "X."\n[wanted]\nname = { type = "%s", doc = "X." }\n'
        self.refuse("disk_name.toml: the tag 'disk_name' would be made twice in C, the first time for disk.toml",
                    self.read, disk=plain % "enum:a,b", disk_name=plain % "int")
        self.refuse("rows.toml: file name: the kind 'rows' is given twice or reserved", self.read, rows=GOOD)
        self.refuse("for.toml: file name: 'for' is a word of C", self.read, **{"for": GOOD})
        self.refuse(f"Disk.toml: file name: 'Disk' {NAME_RULE}", self.read, Disk=GOOD)


class Outputs(SchemaCase):
    def hash_of(self, text):
        return schema_write.hash_schema(self.read(disk=text))

    def test_hash_follows_what_is_stored(self):
        before = self.hash_of(GOOD)
        for old, new in (("host = {", "home = {"), ('"ref:disk", on_delete = "refuse", unindexed = "One row."', '"int"'), ("old-hdd", "hdd"),
                         ("[state.gone]", '[state.lost]\nto = ["gone"]\nshow = { ec2 = "x", cinder = "x" }\n[state.gone]')):
            text = GOOD.replace(old, new, 1)
            if "lost" in new:
                text = text.replace('to = ["gone"]', 'to = ["gone", "lost"]', 1)
            self.assertNotEqual(self.hash_of(text), before, new)
        for old, new in (("Its name.", "What it is called."), ('ec2 = "there"', 'ec2 = "yes"'), ("unique = true", "unique = false")):
            self.assertEqual(self.hash_of(GOOD.replace(old, new, 1)), before, new)
        name, size = GOOD.splitlines(keepends=True)[3:5]
        self.assertEqual(self.hash_of(GOOD.replace(name + size, size + name)), before, "another order")

    def test_groups(self):
        """Each says who writes it and when gen rises; the order in the file does not matter."""
        self.assertEqual(tuple(schema_write.GROUP_WORDS), schema_read.GROUPS)
        for words in schema_write.GROUP_WORDS.values():
            self.assertRegex(words, r"\b[Ww]rit(e|ten)\b.*\bgen\b")
        start, rest = GOOD.split("[wanted]\n")
        wanted, rest = rest.split("[seen]\n")
        seen, rest = rest.split("[usage]\n")
        turned = f"{start}[seen]\n{seen}[wanted]\n{wanted}[usage]\n{rest}"
        fields = [(f.name, f.group) for f in self.read(disk=turned)[0].fields]
        self.assertEqual(fields, [(f.name, f.group) for f in self.read(disk=GOOD)[0].fields])
        self.assertEqual([fields[0], fields[-1]], [("name", "wanted"), ("seen_uses", "seen")])

    def test_any_state_may_follow(self):
        """A state without 'to' may be followed by any state."""
        text = GOOD.replace('to = ["used"]\n', "")
        self.assertNotEqual(self.hash_of(text), self.hash_of(GOOD))
        kinds = self.read(disk=text)
        self.assertIn('[DISK_THERE] = { .name = "there", .to = UINT32_MAX,', schema_write.write_tables(kinds, "hash", 1, []))
        self.assertIn("\n| there | there | here | any |\n", schema_write.write_docs(kinds, 1))

    def test_header(self):
        made = schema_write.write_headers(self.read(disk=GOOD))
        text, words = made["model/disk.h"], schema_write.GROUP_WORDS
        self.assertIn("enum disk_kind {\n\tDISK_KIND_SSD,\n\tDISK_KIND_OLD_HDD,\n};", made["model/disk_words.h"])
        for line in ('#include "model/disk_words.h"\n',
                     f"struct disk {{\n\tstruct row row;\n\n\t/* wanted: {words['wanted']} */\n"
                     "\tstruct str name; /* Its name. */\n\tint64_t size; /* Its size. Bytes. */\n",
                     f"\n\n\t/* seen: {words['seen']} */\n\tint64_t seen_uses; /* Its uses there. */\n}};",
                     "\tDISK_INDEX_NAME, /* name, size; unique */\n", "struct disk_usage {\n\tint64_t uses; /* How often. */\n};",
                     "static inline const struct disk *disk_of(const struct row *row)\n{\n\tassert(!row || row->kind == KIND_DISK"):
            self.assertIn(line, text)
        self.assertIn("enum kind {\n\tKIND_NONE = 0,\n\tKIND_DISK, /* A disk. */\n\tKIND_COUNT\n};", made["model/kinds.h"])
        self.assertIn("enum disk_state {\n\tDISK_THERE,\n\tDISK_USED,\n\tDISK_GONE,\n\tDISK_STATE_COUNT\n};", made["model/states.h"])

    def test_ddl(self):
        ddl = schema_write.write_ddl(self.read(disk=GOOD)[0])
        self.assertEqual(ddl.split(",\n")[:1] + ddl.split(",\n")[6:8], [
            'CREATE TABLE IF NOT EXISTS "disk" (\n  id TEXT PRIMARY KEY', '  "name" TEXT NOT NULL', '  "size" BIGINT NOT NULL'])

    def test_accessors(self):
        text = schema_write.write_accessors(self.read(disk=GOOD))["store/disk.h"]
        for name in ("find(const struct tables *t, uuid id)", "first(const struct tables *t)",
                     "first_by_name(const struct tables *t, struct str name)",
                     "next_by_name(const struct tables *t, const struct disk *row)",
                     "find_by_name(const struct tables *t, struct str name, int64_t size)"):
            self.assertIn(f"static inline const struct disk *disk_{name}\n", text)
        plain = GOOD.replace(', "size"], unique = true', "]")
        self.assertIn("disk_find_by_name(const struct tables *t, struct str name)\n",
                      schema_write.write_accessors(self.read(disk=plain))["store/disk.h"])

    def test_size_fields(self):
        """Only numbers whose unit is bytes."""
        text = schema_write.write_tables(self.read(disk=GOOD), "hash", 1, [])
        self.assertIn("const struct field *const model_size_fields[] = {\n\t&disk_fields[1], /* size */\n\tNULL\n};", text)

    def test_references(self):
        """By the kind that is referred to; those to rows of any kind stand under KIND_NONE."""
        text = schema_write.write_tables(self.read(disk=GOOD), "hash", 1, [])
        self.assertIn("disk_references[] = {\n\t{ KIND_DISK, 2, 0, REFERENCE_REFUSE, false }, /* disk.host */\n"
                      "\t{ KIND_DISK, 5, 0, REFERENCE_KEEP, true }, /* disk.ids */\n\t{ KIND_NONE, 0, 0, REFERENCE_KEEP, false }\n};", text)
        indexed = GOOD.replace(', unindexed = "One row."', "").replace("[index]\n", '[index]\npair = { fields = ["host", "size"] }\nhost = { fields = ["host"] }\n')
        text = schema_write.write_tables(self.read(disk=indexed.replace('"refuse"', '"cascade"')), "hash", 1, [])
        self.assertIn("{ KIND_DISK, 2, 2, REFERENCE_CASCADE, false }, /* disk.host */", text)
        free = indexed.replace("ref:disk", "uuid").replace("on_delete", "on_forget").replace("refuse", "clear")
        text = schema_write.write_tables(self.read(disk=free), "hash", 1, [])
        self.assertIn("none_references[] = {\n\t{ KIND_DISK, 2, 2, REFERENCE_CLEAR, true }, /* disk.host */\n", text)

    def test_docs(self):
        text = schema_write.write_docs(self.read(disk=GOOD), 1)
        for line in (*(f"- *{group}*: {words}" for group, words in schema_write.GROUP_WORDS.items()),
                     "| wanted | type | meaning |", "| seen | type | meaning |",
                     "| `kind` | enum:ssd, old-hdd | What it is. |", "Looked up by: `name`, `size` (unique).",
                     "| there | there | here | used |", "| gone | gone | away | final |", "- `uses`: How often."):
            self.assertIn(f"\n{line}\n", text)

    def test_literals(self):
        self.assertEqual(schema_write.c_text('a"\\?\n\té'), '"a\\"\\\\\\077\\n\\011\\303\\251"')

    def test_command_line(self):
        """The real schema, twice: the same bytes; and a wrong one: one sentence, status 1."""
        command = [sys.executable, str(TOP / "tools/schema.py"), "--out"]
        for out in ("a", "b"):
            subprocess.run([*command, str(self.dir / out)], check=True)
        names = sorted(str(p.relative_to(self.dir / "a")) for p in (self.dir / "a").rglob("*.*"))
        self.assertIn("store/volume.h", names)
        for name in names:
            self.assertEqual((self.dir / "a" / name).read_bytes(), (self.dir / "b" / name).read_bytes())
        (self.dir / "disk.toml").write_text("", encoding="utf-8")
        end = subprocess.run([*command, str(self.dir), "disk.toml"], cwd=self.dir, capture_output=True, text=True)
        self.assertEqual((end.returncode, end.stderr), (1, "disk.toml: top level: 'doc' is missing\n"))


class Migrations(SchemaCase):
    OLD, NEW = "0" * 64, "1" * 64

    def give(self, hashes, *sql):
        for path in self.dir.glob("*.sql"):
            path.unlink()
        (self.dir / "hashes.txt").write_text(hashes, encoding="utf-8")
        for version in sql:
            (self.dir / f"{version:03}.sql").write_text(f"-- {version}\n", encoding="utf-8")

    def check(self, hashes, *sql):
        self.give(hashes, *sql)
        version, migrations = schema_read.read_migrations(self.dir, self.NEW)
        return version, [(m.version, m.sql) for m in migrations]

    def test_right(self):
        self.assertEqual(self.check("# words\n\n1 unreleased # more\n"), (1, []))
        self.assertEqual(self.check(f"1 {self.NEW}\n"), (1, []))
        self.assertEqual(self.check(f"1 {self.OLD}\n2 {self.NEW}\n", 2), (2, [(2, "-- 2\n")]))
        self.assertEqual(self.check(f"1 {self.OLD}\n2 {self.OLD}\n3 unreleased\n", 2, 3)[0], 3)
        self.assertEqual(self.check(f"1 {self.OLD}\n2 unreleased\n"), (2, []))  # version 2 only adds

    def test_wrong(self):
        for sentence, hashes, sql in (
            ("hashes.txt: line 1: the schema changed since version 1: append the line '2 unreleased'. If the change does more than "
             "add kinds, fields and words, write 002.sql and its upgrade test, too", f"1 {self.OLD}\n", ()),
            ("002.sql: is for a version that hashes.txt does not have, or for version 1", "1 unreleased\n", (2,)),
            ("001.sql: is for a version that hashes.txt does not have, or for version 1", "1 unreleased\n", (1,)),
            ("hashes.txt: line 2: only the newest version may be unreleased", "1 unreleased\n2 unreleased\n", (2,)),
            ("hashes.txt: line 1: must be '1 <hash>' or '1 unreleased'", "2 unreleased\n", ()),
            ("hashes.txt: line 1: must be '1 <hash>' or '1 unreleased'", "1 abc\n", ()),
            ("hashes.txt: lists no version", "# none yet\n", ()),
        ):
            with self.subTest(sentence):
                self.refuse(sentence, self.check, hashes, *sql)


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: Apache-2.0
"""Writes the checked schema (schema_read.py) as C and as documentation. One function per made file;
each gives the file's whole text."""

import hashlib

from schema_read import FACES, GROUPS, constant

OPENING = "/* SPDX-License-Identifier: Apache-2.0\n * Made by tools/schema.py from {source}; not to be edited.\n"


# Documentation of each group of fields: who writes them, and whether gen changes.
GROUP_WORDS = {
    "wanted": "What somebody asked for. Operations write it, and raise gen where a host or the network has to follow.",
    "placed": "What the engine chose, drew or copied for that. Operations write it, and raise gen likewise.",
    "seen": "What was found outside. Reports write it, and raise no gen for it.",
    "history": "What happened, and when. Written along with it; no reason to raise gen.",
}


def c_text(text):
    """A C string literal; long ones are not wrapped, because only the compiler reads them."""
    out = []
    for byte in text.encode("utf-8"):
        if byte in b'"\\':
            out.append("\\" + chr(byte))
        elif byte == 0x0A:
            out.append("\\n")
        elif 0x20 <= byte < 0x7F and byte != 0x3F:  # '?' is escaped because of trigraphs
            out.append(chr(byte))
        else:
            out.append(f"\\{byte:03o}")
    return '"' + "".join(out) + '"'


def c_lines(text):
    """A C string literal for each line of the text."""
    return "\n".join("\t" + c_text(line) for line in text.splitlines(keepends=True)) or '\t""'



# ---- DDL and its hash ----


def write_columns(kind):
    columns = ["id TEXT PRIMARY KEY", "gen BIGINT NOT NULL", "commit_number BIGINT NOT NULL",
               "created_us BIGINT NOT NULL", "updated_us BIGINT NOT NULL", "deleted_us BIGINT NOT NULL"]
    for f in kind.fields:
        columns.append(f'"{f.name}" {"BIGINT" if f.c_enum == "FIELD_INT" else "TEXT"} NOT NULL')
    return columns


def write_ddl(kind):
    """DDL of a table, in the SQL common to SQLite and PostgreSQL. Integers are BIGINT, everything else is text as written by row_field_to_text().
    There are no SQL indexes, because rows are looked up in memory only."""
    body = ",\n".join("  " + column for column in write_columns(kind))
    return f'CREATE TABLE IF NOT EXISTS "{kind.name}" (\n{body}\n)'


def moves_words(s):
    return "any" if s.to is None else " ".join(sorted(s.to))


def hash_schema(kinds):
    """Hash over everything that the meaning of a stored row depends on: columns in any order, because SQL names them all, enum words, states with
    their transitions."""
    digest = hashlib.sha256()
    for kind in sorted(kinds, key=lambda k: k.name):
        lines = [kind.name, *sorted(write_columns(kind))]
        lines += sorted(f"enum {f.name} {' '.join(sorted(f.words))}" for f in kind.fields if f.words)
        lines += [f"state {s.name} {s.final} {moves_words(s)}" for s in kind.states]
        digest.update("\n".join([*lines, ""]).encode())
    return digest.hexdigest()


# ---- headers of model/ ----


def write_kinds(kinds):
    lines = [OPENING.format(source="the files of schema/") + " * The kinds of resource, in the order of schema/meson.build. */",
             "#pragma once", "", "enum kind {", "\tKIND_NONE = 0,"]
    lines += [f"\t{constant('kind', kind.name)}, /* {kind.doc} */" for kind in kinds]
    lines += ["\tKIND_COUNT", "};", ""]
    return "\n".join(lines)


def write_kind_list(kinds):
    """An X-macro: who needs something for each kind defines KIND(type, ID) and includes this."""
    lines = [OPENING.format(source="the files of schema/") + " * KIND(type, ID) for each kind: struct type, KIND_##ID. */"]
    return "\n".join([*lines, *(f"KIND({kind.name}, {constant(kind.name)})" for kind in kinds), "#undef KIND", ""])


def write_enum(name, constants, comment=""):
    return [f"enum {name} {{{comment}", *(f"\t{c}," for c in constants), "};"]


def comment_of(f):
    unit = {"time": " UTC microseconds.", "bytes": " Bytes."}.get(f.type, "")
    if f.ref:
        unit = f" ({f.ref})"
    return f"/* {f.doc}{unit} */"


def write_usage(kind):
    lines = ["", "/* Derived figures: written by the store's observer alone; who may read them and how: model/row.h. */",
             f"struct {kind.name}_usage {{"]
    lines += [f"\tint64_t {figure}; /* {doc} */" for figure, doc in kind.usage.items()]
    lines += ["};", "", "/* The row's figures; NULL on a row that is not the store's. */",
              f"static inline struct {kind.name}_usage *{kind.name}_usage(const struct {kind.name} *row)", "{",
              "\treturn row->row.usage;", "}"]
    return lines


def has_words(kind):
    return any(f.words for f in kind.fields)


def write_words(kind):
    """The enums alone: who takes or returns one needs no row, and is not compiled again for a new field."""
    lines = [OPENING.format(source=f"schema/{kind.name}.toml") + f" * The enums of {kind.name}.h. */", "#pragma once"]
    for f in kind.fields:
        if f.words:
            lines += ["", *write_enum(f"{kind.name}_{f.name}", [constant(kind.name, f.name, w) for w in f.words])]
            lines += ["/* Its words in the schema and in SQL, by value; NULL-ended. */",
                      f"extern const char *const {kind.name}_{f.name}_words[];"]
    return "\n".join([*lines, ""])


def write_kind(kind):
    lines = [OPENING.format(source=f"schema/{kind.name}.toml") + f" * {kind.doc} */", "#pragma once", "",
             "#include <assert.h>", ""]
    lines += [f'#include "model/{kind.name}_words.h"'] if has_words(kind) else []
    lines += ['#include "model/row.h"', ""]
    lines += [f"struct {kind.name} {{", "\tstruct row row;"]
    for group in GROUPS:
        fields = [f for f in kind.fields if f.group == group]
        if fields:
            lines += ["", f"\t/* {group}: {GROUP_WORDS[group]} */"]
            lines += [f"\t{f.c_type} {f.name}; {comment_of(f)}" for f in fields]
    lines += ["};", "", f"/* Indexes, by their place in model_kinds[{constant('kind', kind.name)}].indexes. */", "enum {",
              f"\t{constant(kind.name, 'index_id')} = 0,"]
    for x in kind.indexes:
        keys = ", ".join(f.name for f in x.fields)
        lines.append(f"\t{constant(kind.name, 'index', x.name)}, /* {keys}{'; unique' if x.unique else ''} */")
    lines += [f"\t{constant(kind.name, 'index_count')}", "};"]
    lines += ["", f"/* The row as what it is; asserts that. NULL: NULL. A row that the store has not seen yet says no kind. */",
              f"static inline const struct {kind.name} *{kind.name}_of(const struct row *row)", "{",
              f"\tassert(!row || row->kind == {constant('kind', kind.name)} || row->kind == KIND_NONE);",
              f"\treturn (const struct {kind.name} *)row;", "}"]
    if kind.usage:
        lines += write_usage(kind)
    return "\n".join([*lines, ""])


def write_states(kinds):
    lines = [OPENING.format(source="the state tables of schema/")
             + " * The states that rows are seen in; they are derived (model/state.h), never stored. */",
             "#pragma once", "", '#include "model/row.h"']
    for kind in kinds:
        if kind.states:
            lines += ["", *write_enum(f"{kind.name}_state", [constant(kind.name, s.name) for s in kind.states])[:-1],
                      f"\t{constant(kind.name, 'state_count')}", "};",
                      f"extern const struct state_info model_{kind.name}_states[{constant(kind.name, 'state_count')}];"]
    return "\n".join([*lines, ""])


def write_headers(kinds):
    out = {"model/kinds.h": write_kinds(kinds), "model/kinds.def": write_kind_list(kinds), "model/states.h": write_states(kinds)}
    for kind in kinds:
        out[f"model/{kind.name}.h"] = write_kind(kind)
        if has_words(kind):
            out[f"model/{kind.name}_words.h"] = write_words(kind)
    return out


# ---- model/tables.c ----


def write_field_table(kind):
    lines = [f"static const struct field {kind.name}_fields[] = {{"]
    for f in kind.fields:
        ref = constant("kind", f.ref) if f.ref else "KIND_NONE"
        words = f"{kind.name}_{f.name}_words" if f.words else "NULL"
        lines.append(f'\t{{ "{f.name}", {f.c_enum}, offsetof(struct {kind.name}, {f.name}), {ref}, {words},\n'
                     f"\t  {c_text(f.doc)}, {f.most}, {f.most_bytes}, {constant('field', f.group)} }},")
    return [*lines, "};"]


def largest_of(kind):
    """Maximum size of a row's block, as a C expression: row_block_size() of a row with full fields."""
    each = {"FIELD_UUIDS": "uuid", "FIELD_IPS": "struct ip", "FIELD_CIDRS": "struct cidr", "FIELD_TEXTS": "struct str",
            "FIELD_TAGS": "struct tag"}
    parts = [f"sizeof(struct {kind.name})"]
    for f in kind.fields:
        if f.c_enum in each:
            parts.append(f"{f.most} * sizeof({each[f.c_enum]}) + {f.most_bytes} + 16")
        elif f.most:
            parts.append(f"{f.most}")
    return " + ".join(parts)


def write_index_table(kind):
    lines = [f"static const struct index {kind.name}_indexes[] = {{", '\t{ "id", 0, { 0 }, false, true },']
    for x in kind.indexes:
        places = ", ".join(str(kind.fields.index(f)) for f in x.fields)
        lines.append(f'\t{{ "{x.name}", {len(x.fields)}, {{ {places} }}, {str(x.unique).lower()}, {str(x.hashed).lower()} }},')
    return [*lines, "};"]


def offset_of(kind, name):
    return f"offsetof(struct {kind.name}, {name})" if any(f.name == name for f in kind.fields) else "0"


def parents_entry(kind):
    places = [str(place) for place, f in enumerate(kind.fields) if f.parent]
    return [f"\t\t.parents = {{ {', '.join(places)} }}, .parent_count = {len(places)},"] if places else []


def states_entry(kind):
    if not kind.states:
        return []
    return [f"\t\t.states = model_{kind.name}_states, .state_count = {constant(kind.name, 'state_count')},"]


def write_kind_entry(kind):
    return [f"\t[{constant('kind', kind.name)}] = {{",
            f'\t\t.kind = {constant("kind", kind.name)}, .name = "{kind.name}", .ec2_prefix = "{kind.ec2_prefix}",',
            f"\t\t.doc = {c_text(kind.doc)},",
            f"\t\t.row_size = sizeof(struct {kind.name}),",
            f"\t\t.row_max = {largest_of(kind)},",
            f"\t\t.usage_size = {f'sizeof(struct {kind.name}_usage)' if kind.usage else '0'},",
            f"\t\t.account_offset = {offset_of(kind, 'account')}, .tags_offset = {offset_of(kind, 'tags')},",
            f"\t\t.peer_account_offset = {offset_of(kind, 'peer_account')}, .peer_tags_offset = {offset_of(kind, 'peer_tags')},",
            f"\t\t.groups_offset = {offset_of(kind, 'groups')}, .launchers_offset = {offset_of(kind, 'restorers' if kind.name == 'snapshot' else 'launchers')},",
            f"\t\t.made_by_offset = {offset_of(kind, 'made_by')}, .made_with_offset = {offset_of(kind, 'made_with')},",
            f"\t\t.name_offset = {offset_of(kind, 'name')}, .device_id_offset = {offset_of(kind, 'device_id')},",
            f"\t\t.fields = {kind.name}_fields, .field_count = {len(kind.fields)},",
            f"\t\t.indexes = {kind.name}_indexes, .index_count = {constant(kind.name, 'index_count')},",
            *parents_entry(kind),
            *states_entry(kind),
            f"\t\t.create_sql =\n{c_lines(write_ddl(kind))},", "\t},"]


def write_state_table(kind):
    lines = [f"const struct state_info model_{kind.name}_states[{constant(kind.name, 'state_count')}] = {{"]
    for s in kind.states:
        to = "UINT32_MAX" if s.to is None else " | ".join(f"1U << {constant(kind.name, each)}" for each in s.to) or "0"
        words = ", ".join(f".{face} = {c_text(s.show[face])}" for face in FACES if face in s.show)
        lines += [f"\t[{constant(kind.name, s.name)}] = {{ .name = {c_text(s.name)}, .to = {to},",
                  f"\t\t{words} }},"]
    return [*lines, "};"]


def index_by(kind, f):
    """Place of the index that finds rows by the field the fastest; 0: none begins with it."""
    found = [(not x.hashed, len(x.fields), place) for place, x in enumerate(kind.indexes, 1) if x.fields[0] is f]
    return min(found)[2] if found else 0


def write_references(kinds):
    """For each kind the fields of others that refer to its rows; under KIND_NONE those that refer to rows of any kind."""
    lines, entries = [], []
    for name in ("none", *(kind.name for kind in kinds)):
        to = [(k, place, f) for k in kinds for place, f in enumerate(k.fields) if f.rule and (f.ref or "none") == name]
        if to:
            lines.append(f"static const struct reference {name}_references[] = {{")
            lines += [f"\t{{ {constant('kind', k.name)}, {place}, {index_by(k, f)}, {constant('reference', f.rule)}, "
                      f"{str(f.goes == 'on_forget').lower()} }}, /* {k.name}.{f.name} */" for k, place, f in to]
            lines += ["\t{ KIND_NONE, 0, 0, REFERENCE_KEEP, false }", "};"]
            entries.append(f"\t[{constant('kind', name)}] = {name}_references,")
    return ["", *lines, "", "const struct reference *const model_references[KIND_COUNT] = {", *entries, "};"]


def write_tables(kinds, schema_hash, version, migrations):
    lines = [OPENING.format(source="schema/ and schema/migrations/")
             + " * The tables that describe every kind of row, its states, its SQL, and the schema's history. */",
             '#include "model/end_field.h"', '#include "model/migration.h"', '#include "model/reference.h"', '#include "model/size_field.h"', '#include "model/states.h"', "",
             *sorted(f'#include "model/{kind.name}.h"' for kind in kinds), "",
             "#include <stddef.h>", "", f'const char model_schema_hash[] = "{schema_hash}";',
             f"const unsigned model_schema_version = {version};", "const struct migration model_migrations[] = {"]
    for m in migrations:
        lines.append(f"\t{{ {m.version},\n{c_lines(m.sql)} }},")
    lines += ["\t{ 0, NULL }", "};"]
    for kind in kinds:
        lines.append("")
        for f in kind.fields:
            if f.words:
                words = ", ".join(f'"{w}"' for w in f.words)
                lines.append(f"const char *const {kind.name}_{f.name}_words[] = {{ {words}, NULL }};")
        lines += write_field_table(kind) + write_index_table(kind)
        if kind.states:
            lines += write_state_table(kind)
    lines += ["", "const struct kind_info model_kinds[KIND_COUNT] = {",
              '\t[KIND_NONE] = { .kind = KIND_NONE, .name = "none", .ec2_prefix = "", .doc = "", .create_sql = "" },']
    for kind in kinds:
        lines += write_kind_entry(kind)
    lines += ["};", "", "const struct field *const model_size_fields[] = {"]
    for kind in kinds:
        lines += [f"\t&{kind.name}_fields[{n}], /* {f.name} */" for n, f in enumerate(kind.fields) if f.type == "bytes"]
    lines += ["\tNULL", "};", "", "const struct field *const model_end_fields[] = {"]
    for kind in kinds:
        lines += [f"\t&{kind.name}_fields[{n}], /* {f.name} */" for n, f in enumerate(kind.fields) if f.end and f.group == "wanted"]
    return "\n".join([*lines, "\tNULL", "};", *write_references(kinds), ""])


# ---- model/shown.c ----


def is_for_admins(f, kinds):
    """Fields that refer to rows visible to administrators only are also for administrators only."""
    return any(k.name == f.ref and k.shown and k.shown.admins for k in kinds)


def is_for_owner(kind, f):
    """The owner's own texts about the row, and whom it is shared with."""
    return f.c_enum == "FIELD_TAGS" or f.name == "made_by" or f.type == "refs:account"


def shown_field_flags(kind, f, kinds):
    s, flags = kind.shown, []
    if f in s.hide or (f.c_enum == "FIELD_BLOB" and f not in s.show):
        flags.append("SHOWN_TO_NOBODY")
    elif f in s.operators or (is_for_admins(f, kinds) and not s.admins):
        flags.append("SHOWN_TO_ADMINS")
    elif f in s.owners or is_for_owner(kind, f):
        flags.append("SHOWN_TO_OWNER")
    if f in s.search:
        flags.append("SHOWN_SEARCHED")
    if f.name in s.columns or f.name == "tags":
        flags.append("SHOWN_COLUMN")
    if f.type == "time":
        flags.append("SHOWN_IS_TIME")
    if f.type == "bytes":
        flags.append("SHOWN_IS_SIZE")
    return " | ".join(flags) or "0"


def write_shown_kind(kind, kinds):
    s = kind.shown
    flags = ", ".join(f"[{n}] = {shown_field_flags(kind, f, kinds)}" for n, f in enumerate(kind.fields))
    derived = "".join(f'"{name}", ' for name in s.derived)
    place = lambda f: kind.fields.index(f) + 1 if f else 0  # noqa: E731
    return [f"static const uint8_t {kind.name}_flags[] = {{{flags}}};",
            f"static const char *const {kind.name}_derived[] = {{{derived}NULL}};"], [
            f"\t[{constant('kind', kind.name)}] = {{ .name = \"{s.name}\", .read = \"{s.read}\", .of = {place(s.of)},",
            f"\t\t.belongs = {place(s.belongs)}, .is_for_admins = {str(s.admins).lower()}, "
            f".shows_state = {str('state' in s.columns).lower()},",
            f"\t\t.flags = {kind.name}_flags, .derived = {kind.name}_derived }},"]


def write_shown(kinds):
    lines = [OPENING.format(source="the [api] tables of schema/") + " * What Dari's own API shows of each kind. */",
             '#include "model/shown.h"', ""]
    entries = []
    for kind in kinds:
        if kind.shown:
            before, entry = write_shown_kind(kind, kinds)
            lines += before
            entries += entry
    return "\n".join([*lines, "", "const struct shown_kind model_shown[KIND_COUNT] = {", *entries, "};", ""])


# ---- store/<kind>.h ----

# Operations on one row, and on those of an index: store/store.h documents them.
def write_kind_accessors(kind):
    n, k = kind.name, constant("kind", kind.name)
    head = f"static inline const struct {n} *{n}"
    by_id = constant(n, "index_id")
    return f"""{head}_find(const struct tables *t, uuid id)
{{
	return {n}_of(tables_find(t, {k}, id));
}}
{head}_find_prefix(const struct tables *t, uuid prefix, unsigned bits)
{{
	return {n}_of(tables_find_prefix(t, {k}, prefix, bits));
}}
{head}_first(const struct tables *t)
{{
	return {n}_of(tables_first(t, {k}, {by_id}, NULL, 0));
}}
{head}_next(const struct tables *t, const struct {n} *row)
{{
	return {n}_of(tables_next(t, {k}, {by_id}, &row->row, 0));
}}
static inline RESULT {n}_put(struct op *op, const struct {n} *row)
{{
	return op_put(op, {k}, &row->row);
}}
static inline RESULT {n}_delete(struct op *op, uuid id)
{{
	return op_delete(op, {k}, id);
}}
static inline RESULT {n}_forget(struct op *op, uuid id)
{{
	return op_forget(op, {k}, id);
}}
"""


def write_index_accessors(kind, x):
    n, k, index, first = kind.name, constant("kind", kind.name), constant(kind.name, "index", x.name), x.fields[0]
    head = f"static inline const struct {n} *{n}"
    text = f"""{head}_first_by_{x.name}(const struct tables *t, {first.c_type} {first.name})
{{
	struct {n} probe; /* only the key is read: the rest of a long row need not be cleared */
	probe.{first.name} = {first.name};
	return {n}_of(tables_first(t, {k}, {index}, &probe.row, 1));
}}
{head}_next_by_{x.name}(const struct tables *t, const struct {n} *row)
{{
	return {n}_of(tables_next(t, {k}, {index}, &row->row, 1));
}}
"""
    arguments = ", ".join(f"{f.c_type} {f.name}" for f in x.fields)
    key = "".join(f"\n\tprobe.{f.name} = {f.name};" for f in x.fields)
    return text + f"""{head}_find_by_{x.name}(const struct tables *t, {arguments})
{{
	struct {n} probe;{key}
	const struct row *row = tables_first(t, {k}, {index}, &probe.row, {len(x.fields)});
	while (row && !row_is_live(row))
		row = tables_next(t, {k}, {index}, row, {len(x.fields)});
	return {n}_of(row);
}}
"""


def write_accessors(kinds):
    out = {}
    for kind in kinds:
        opening = OPENING.format(source=f"schema/{kind.name}.toml") + f" * The typed forms of what store/store.h does, for {kind.name}. */"
        out[f"store/{kind.name}.h"] = "\n".join([
            opening, "#pragma once", "", f'#include "model/{kind.name}.h"', '#include "store/store.h"', "",
            write_kind_accessors(kind) + "".join(write_index_accessors(kind, x) for x in kind.indexes)])
    return out


# ---- documentation ----


def md(text):
    return text.replace("|", "\\|").replace("<", "&lt;")


def most_words(f):
    if not f.most:
        return ""
    if f.most_bytes:
        return f", at most {f.most}, of {f.most_bytes} bytes in all"
    return f", at most {f.most}" + (" bytes" if f.c_enum in ("FIELD_TEXT", "FIELD_BLOB") else "")


def rule_words(f):
    if not f.rule:
        return ""
    other, when = f.ref or "resource", "deleted" if f.goes == "on_delete" else "forgotten"
    return {"refuse": f" While it is there, no {other} that it names is {when}.", "cascade": f" Goes when that {other} is {when}.",
            "clear": f" Becomes none when that {other} is {when}.", "keep": f" Stays when that {other} is {when}: {f.why}"}[f.rule]


def write_kind_docs(kind):
    lines = [f"## {kind.name}", "", kind.doc]
    if kind.ec2_prefix:
        lines.append(f"EC2 ids begin with `{kind.ec2_prefix}-`.")
    for group in GROUPS:
        fields = [f for f in kind.fields if f.group == group]
        if fields:
            lines += ["", f"| {group} | type | meaning |", "| --- | --- | --- |"]
            lines += [f"| `{f.name}` | {md(f.type.replace(',', ', '))}{most_words(f)} | {md(f.doc)}{md(rule_words(f))} |" for f in fields]
    if kind.indexes:
        lines += ["", "Looked up by: " + "; ".join(
            ", ".join(f"`{f.name}`" for f in x.fields) + (" (unique)" if x.unique else "") for x in kind.indexes) + "."]
    if kind.usage:
        lines += ["", "Counted while running, never stored:", ""]
        lines += [f"- `{figure}`: {doc}" for figure, doc in kind.usage.items()]
    if kind.states:
        faces = [face for face in FACES if face in kind.states[0].show]
        lines += ["", f"| state | {' | '.join(faces)} | may become |", "| --- |" + " --- |" * (len(faces) + 1)]
        for s in kind.states:
            words = " | ".join(md(s.show[face]) for face in faces)
            follows = "final" if s.final else "any" if s.to is None else ", ".join(s.to)
            lines.append(f"| {s.name} | {words} | {follows} |")
    return [*lines, ""]


def write_docs(kinds, version):
    lines = ["# Resources", "", f"Schema version {version}. Every row also has `id` (UUID), `gen` (counts wishes), `commit_number` "
             "(the commit that published it), `created_us`, `updated_us` (when it was asked to change, or seen so, last) "
             "and `deleted_us` (0: live). Times are UTC microseconds, sizes bytes. A reference that is none is empty.", "",
             "Each kind's fields stand in up to four groups:", "",
             *(f"- *{group}*: {words}" for group, words in GROUP_WORDS.items()), ""]
    for kind in kinds:
        lines += write_kind_docs(kind)
    return "\n".join(lines)

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The schema generator: schema/*.toml -> C structs, ids, descriptors, DDL, states, typed accessors
and the reference of all resources. Run by Meson (schema/meson.build); by hand, from the top:

    /usr/bin/python3 tools/schema.py --out DIR

writes DIR/model/*.h, DIR/model/{tables,shown}.c, DIR/store/*.h and DIR/resources.md. The order of the
files on the command line is the order of enum kind; without any, schema/meson.build's list is used."""

import argparse
import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # leave the source tree as it is

import schema_read  # noqa: E402
import schema_write  # noqa: E402

TOP = Path(__file__).resolve().parent.parent


def default_files():
    """schema/<kind>.toml in the order that schema/meson.build keeps."""
    text = (TOP / "schema/meson.build").read_text(encoding="utf-8")
    listed = re.search(r"^schema_kinds = \[(.*?)\]", text, re.S | re.M).group(1)
    return [str(TOP / "schema" / f"{name}.toml") for name in re.findall(r"'(\w+)'", listed)]


def parse_arguments():
    parser = argparse.ArgumentParser(description="Generates C and documentation from the schema.")
    parser.add_argument("files", nargs="*", metavar="TOML", help="one per kind, in the order of enum kind")
    parser.add_argument("--out", metavar="DIR", help="where model/, store/ and resources.md are written")
    parser.add_argument("--only", choices=("headers", "tables", "shown", "accessors", "docs"), help="write this part alone")
    parser.add_argument("--docs", metavar="FILE", help="write the reference to this file instead")
    parser.add_argument("--hash", action="store_true", help="print the schema's hash, for migrations/hashes.txt")
    parser.add_argument("--migrations", metavar="DIR", default=str(TOP / "schema/migrations"))
    return parser.parse_args()


def generate(args):
    kinds = schema_read.read_schema(args.files or default_files())
    schema_hash = schema_write.hash_schema(kinds)
    if args.hash:
        print(schema_hash)
        return {}
    version, migrations = schema_read.read_migrations(args.migrations, schema_hash)
    out = {}
    if args.only in (None, "headers"):
        out.update(schema_write.write_headers(kinds))
    if args.only in (None, "tables"):
        out["model/tables.c"] = schema_write.write_tables(kinds, schema_hash, version, migrations)
    if args.only in (None, "shown"):
        out["model/shown.c"] = schema_write.write_shown(kinds)
    if args.only in (None, "accessors"):
        out.update(schema_write.write_accessors(kinds))
    if args.only in (None, "docs"):
        out["resources.md"] = schema_write.write_docs(kinds, version)
    return out


def main():
    args = parse_arguments()
    try:
        made = generate(args)
    except (schema_read.SchemaError, OSError) as e:
        print(e, file=sys.stderr)
        return 1
    for name, text in made.items():
        path = Path(args.docs) if args.docs and name == "resources.md" else Path(args.out or ".") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:  # an unchanged file causes no rebuild
            path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

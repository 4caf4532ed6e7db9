#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The console's pages, with what they stand on, as one block of bytes that `dari` serves from its own memory.

    tools/embed_site.py WEB MODULES OUT_H OUT_S OUT_BIN OUT_STAMP DEPFILE

WEB is web/: package.json with its lockfile, and console/ with our own files. What the lockfile names is fetched by npm into
MODULES, a folder of the build, once for each lockfile. Without npm, or without what it needs, that is said, and the table is
empty: `dari` then has no pages and lacks nothing else. The stamp is not written then, so that the next build tries again.

Each file stands in the block as it is and, where that is shorter, as gzip makes it: with no time in it, so that builds repeat.
One hash over all names the folder that the files are served from: what has that name never changes.
"""
import gzip
import hashlib
import os
import shutil
import subprocess
import sys

TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8"}
# A package's files, by their folder below vendor/, which keeps the package's own paths, because its modules import one another.
VENDOR = {"lit-html": ["lit-html.js", "directive.js", "directive-helpers.js", "directives/guard.js", "directives/repeat.js",
                       "directives/live.js"],
          "uplot": ["dist/uPlot.esm.js", "dist/uPlot.min.css"],
          "@xterm/xterm": ["lib/xterm.mjs", "css/xterm.css"], "@xterm/addon-fit": ["lib/addon-fit.mjs"]}
LICENCES = dict.fromkeys(VENDOR, "LICENSE")
OTHERS = {"serial.html", "serial.js", "serial.css"}  # separate pages: tools/embed.py


def fetch(web, modules):
    """Fetches the modules; returns None, or the reason of a failure."""
    lock = os.path.join(web, "package-lock.json")
    with open(lock, "rb") as f:
        wanted = hashlib.sha256(f.read()).hexdigest()
    mark = os.path.join(modules, "lock")
    if os.path.exists(mark):
        with open(mark, encoding="ascii") as f:
            if f.read() == wanted:
                return None
    npm = shutil.which("npm")
    if not npm:
        return "there is no npm (apt install npm)"
    shutil.rmtree(modules, ignore_errors=True)
    os.makedirs(modules)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(os.path.join(web, name), modules)
    done = subprocess.run([npm, "ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund"], cwd=modules,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace", check=False)
    if done.returncode:
        return "npm ci failed: " + " ".join(done.stdout.split())[-300:]
    with open(mark, "w", encoding="ascii") as f:
        f.write(wanted)
    return None


def read(path):
    with open(path, "rb") as f:
        return f.read()


def gather(web, modules, inputs):
    """{path below the console's folder: bytes}, in order."""
    files, top = {}, os.path.join(web, "console")
    for folder, folders, names in os.walk(top):
        folders.sort()
        inputs.append(folder)
        for name in sorted(names):
            path = os.path.join(folder, name)
            if os.path.splitext(name)[1] in TYPES and not (folder == top and name in OTHERS):
                files[os.path.relpath(path, top)] = read(path)
                inputs.append(path)
    notices = []
    for package, names in VENDOR.items():
        base = os.path.join(modules, "node_modules", package)
        for name in names:
            text = read(os.path.join(base, name))
            files[f"vendor/{package}/{name}"] = text.partition(b"//# sourceMappingURL=")[0]
        notices.append(f"{package}\n\n".encode() + read(os.path.join(base, LICENCES[package])))
    files["licences.txt"] = b"\n\n".join(notices)
    return dict(sorted(files.items()))


def imports_first(files):
    """The modules that the first page imports, so that the browser requests all of them at once."""
    found, todo = [], ["main.js"]
    while todo:
        name = todo.pop(0)
        if name in found or name not in files:
            continue
        found.append(name)
        text = files[name].decode()
        for line in text.replace('from"', '\nfrom"').splitlines():
            at = line.find('from "') if 'from "' in line else line.find('from"')
            if at < 0 or ("vendor/" not in name and not line.startswith(("import", "export", "}", "from"))):
                continue
            target = line[line.index('"', at) + 1:].split('"')[0]
            if target.startswith("."):
                todo.append(os.path.normpath(os.path.join(os.path.dirname(name), target)))
    return found


def pack(files):
    """The hash, the block, and rows of (path, type, at, size, at of gzip, size of gzip)."""
    whole = hashlib.sha256()
    for name, text in files.items():
        whole.update(f"{name}\0{len(text)}\0".encode() + text)
    digest = whole.hexdigest()[:16]
    base = f"/console/a/{digest}"
    links = "\n".join(f'<link rel="modulepreload" href="{base}/{name}">' for name in imports_first(files))
    page = files["index.html"].decode().replace("@PRELOADS@", links).replace("@BASE@", base)
    files = {**files, "index.html": page.encode()}
    block, rows = bytearray(), []
    for name, text in files.items():
        packed = gzip.compress(text, 9, mtime=0)
        at, at_packed = len(block), len(block) + len(text)
        block += text
        if len(packed) < len(text):
            block += packed
        else:
            packed = b""
        rows.append((name, TYPES[os.path.splitext(name)[1]], at, len(text), at_packed, len(packed)))
    return digest, bytes(block), rows


def write(path, data):
    with open(path, "wb") as f:
        f.write(data.encode() if isinstance(data, str) else data)


def main():
    web, modules, out_h, out_s, out_bin, out_stamp, depfile = sys.argv[1:]
    inputs = [os.path.join(web, "package.json"), os.path.join(web, "package-lock.json"), os.path.abspath(__file__)]
    why = fetch(web, modules)
    if why:
        print(f"dari is built without the pages of its console: {why}", file=sys.stderr)
        digest, block, rows = "none", b"", []
        gather_only = []
        for folder, _, names in os.walk(os.path.join(web, "console")):
            gather_only += [os.path.join(folder, n) for n in names]
        inputs += gather_only
    else:
        digest, block, rows = pack(gather(web, modules, inputs))
    table = "".join(f'\t{{"{name}", "{kind}", {at}, {size}, {at_packed}, {packed}}},\n'
                    for name, kind, at, size, at_packed, packed in rows)
    write(out_h, f"""/* Made by tools/embed_site.py. */
#pragma once
#include <stddef.h>

#define SITE_HASH "{digest}"
enum {{ SITE_FILES = {len(rows)} }};
extern const char site_bytes[];
struct site_file {{
	const char *path, *type;
	size_t at, size, packed_at, packed_size; /* packed_size 0: as it is alone */
}};
static const struct site_file site_files[SITE_FILES + 1] = {{
{table}}};
""")
    write(out_bin, block)
    write(out_s, f"""/* Made by tools/embed_site.py. */
	.section .rodata
	.set site_digest, 0x{hashlib.sha256(block).hexdigest()[:15]} /* so that this text changes with the bytes */
	.global site_bytes
	.balign 16
site_bytes:
	.incbin "{os.path.abspath(out_bin)}"
	.byte 0
	.section .note.GNU-stack,"",%progbits
""")
    outs = " ".join([out_h])
    write(depfile, f"{outs}: " + " ".join(sorted(set(inputs))).replace("\n", " ") + "\n")
    if not why:
        write(out_stamp, digest + "\n")


main()

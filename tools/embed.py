#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Files as C strings, for what `dari` serves without a file beside it.

    tools/embed.py OUT FILE...      "web/console/serial.js" becomes page_serial_js, a struct str
"""
import os
import sys


def literal(text):
    rows = []
    for line in text.splitlines(keepends=True):
        escaped = "".join(c if 32 <= b < 127 and c not in '"\\' else f"\\{b:03o}" for b in line.encode() for c in [chr(b)])
        rows.append(f'\t"{escaped}"')
    return "\n".join(rows)


def main():
    out, *names = sys.argv[1:]
    with open(out, "w", encoding="ascii") as f:
        f.write('/* Made by tools/embed.py. */\n#pragma once\n#include "base/str.h"\n')
        for name in names:
            with open(name, encoding="utf-8") as page:
                text = page.read()
            symbol = "page_" + os.path.basename(name).replace(".", "_")
            f.write(f"static const char {symbol}_text[] =\n{literal(text)};\n"
                    f"static const struct str {symbol} = {{{symbol}_text, sizeof {symbol}_text - 1}};\n")


main()

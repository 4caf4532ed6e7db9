#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Finds comments, paragraphs and commit subjects that a stranger has to read twice (HACKING.md, "Plain English").

    tools/voice.py              counts by folder, for the whole tree
    tools/voice.py PATH...      each finding below these paths: path:line: rule: text
    tools/voice.py --since REV  findings in lines added since REV, and commit subjects after it
    tools/voice.py --record     writes today's counts to tools/voice.counts

`make lint` fails if a folder has more findings than tools/voice.counts says and more than 4 % of its pieces. So the counts can only
sink. A finding is a hint: the rules see openings and stock phrases, not sense.
"""
import argparse
import collections
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COUNTS = os.path.join(ROOT, "tools/voice.counts")
SHARE = 0.04  # findings that a folder may have without a recorded count
SHORT = 12    # characters; shorter pieces are labels

# A comment names its subject. These words lean on a noun that stands elsewhere.
LEANS = ("What Of Whose Who Whom Whoever Whatever As Its It They Their Those Such One Ones None Nothing Nobody Beside That So But And Or For "
         "Where Which How Whether").split()
OPENING = re.compile(rf"^(?:{'|'.join(LEANS)})\b(?! (?:is|are) (?:an error|required|deprecated)\b)")
ORDINARY = re.compile(r"^(?:As (?:documented|specified|defined|required|RFC|in (?:the|[A-Z]))|For (?:example|instance|each|every|a|an|the|all)\b|So that\b"
                      r"|It must\b|That is,)")
PHRASES = {
    "no actor": r"\b(?:is|are) (?:told|said|asked|kept|taken|passed over|let go)\b(?! (?:in|by the|as|from))",
    "riddle": r"\b(?:all the same|whatever(?: it| they)? (?:is|are|was)|who(?:ever)? (?:it|they) (?:is|are)|what (?:it|they|there) (?:is|are|was|were)"
              r"|that (?:is|are) none|goes with it|what becomes of|leads? nowhere|as it was asked|has (?:it|them) no more|no \w+ any ?more|is worth"
              r"|nothing of (?:it|them)|the one of before|of the kind\.|none is any)\b",
    "fragment": r"(?:^|[.;:] )Of (?:a|an|the|one|it|them|its|all|such|what|whom)\b",
    "turned round": r"\b(?:until then|from then on|up to there|by then) (?:it|they|nothing|nobody)\b|\bneither\b.*\bnor\b.*\bbut\b",
}
PHRASES = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in PHRASES.items()}
SUBJECT = re.compile(r"^[a-z][\w/., -]*: [a-z].*$")

C_COMMENT = re.compile(r"/\*+(.*?)\*/", re.DOTALL)
LINE_COMMENT = {".js": r"(?:^|\s)//\s?(.*)$", ".mjs": r"(?:^|\s)//\s?(.*)$", ".py": r'\s*(?:# ?|""")(.*?)(?:""")?$', ".sh": r"\s*# ?(.*)$"}
C_LIKE = (".c", ".h", ".js", ".mjs", ".css")


def git(*words):
    return subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True, check=True).stdout


def paragraphs(source):
    """(line, text) of each line of prose of a page; code, headings and tables aside."""
    fenced = False
    for number, line in enumerate(source.splitlines(), 1):
        fenced ^= line.lstrip().startswith("```")
        if not fenced and line.strip() and not line.startswith(("    ", "\t", "#", "|", ">")):
            yield number, re.sub(r"^[*+-] |^\d+\. ", "", line.strip())


def pieces(path, source):
    """(line, text) of each comment of a program, or of each paragraph of a page."""
    end = os.path.splitext(path)[1]
    if end in C_LIKE:
        for match in C_COMMENT.finditer(source):
            yield source.count("\n", 0, match.start()) + 1, match[1]
    if end in LINE_COMMENT:
        for number, line in enumerate(source.splitlines(), 1):
            match = (re.match if end in (".py", ".sh") else re.search)(LINE_COMMENT[end], line)
            if match and not line.startswith("#!"):
                yield number, match[1]
    if end == ".md":
        yield from paragraphs(source)


def judge(text):
    """The piece on one line, and the rules that it breaks."""
    text = re.sub(r"\s*\n\s*\*?\s*", " ", text).strip(" *-\t\n")
    text = re.sub(r"^SPDX-License-Identifier: \S+\s*", "", text).strip()
    text = re.sub(r"^-+.*?-+\s*$", "", text)
    if len(text) < SHORT:
        return text, []
    broken = ["opening"] if OPENING.match(text) and not ORDINARY.match(text) else []
    return text, broken + [name for name, pattern in PHRASES.items() if pattern.search(text)]


def folder_of(path):
    parts = path.split("/")[:-1]
    return "/".join(parts[:3 if path.startswith("src/api/") else 2]) or "."


def read_tree(paths=()):
    """(path, line, last line, text, broken rules) of each piece."""
    for path in git("ls-files", "-z", "--", *paths).split("\0"):
        if not re.search(r"\.(c|h|js|mjs|css|md|py|sh)$", path) or "golden/" in path or not os.path.exists(os.path.join(ROOT, path)):
            continue
        with open(os.path.join(ROOT, path), encoding="utf-8", errors="replace") as file:
            source = file.read()
        for number, raw in pieces(path, source):
            text, broken = judge(raw)
            if text:
                yield path, number, number + raw.count("\n"), text, broken


def count_folders():
    """{folder: [findings, pieces]}"""
    counts = collections.defaultdict(lambda: [0, 0])
    for path, _, _, _, broken in read_tree():
        counts[folder_of(path)][0] += bool(broken)
        counts[folder_of(path)][1] += 1
    return counts


def read_record():
    with open(COUNTS, encoding="ascii") as file:
        rows = [line.split() for line in file if not line.startswith("#")]
    return {folder: int(count) for count, folder in rows}


def record(counts):
    """Writes counts that are above the share; a folder's count never rises."""
    before = read_record() if os.path.exists(COUNTS) else {}
    with open(COUNTS, "w", encoding="ascii") as file:
        file.write("# SPDX-License-Identifier: Apache-2.0\n# Findings of tools/voice.py by folder, at most. `tools/voice.py --record` lowers them.\n")
        for folder, (found, count) in sorted(counts.items()):
            if found > SHARE * count:
                file.write(f"{min(found, before.get(folder, found)):5} {folder}\n")


def check_voice():
    """Yields, for tools/lint.py, folders with more findings than recorded."""
    recorded = read_record()
    for folder, (found, count) in sorted(count_folders().items()):
        limit = max(recorded.get(folder, 0), int(SHARE * count))
        if found > limit:
            yield f"{folder}: {found} of {count} comments and paragraphs lean on something that is not there, {limit} may (tools/voice.py {folder})"


def added_lines(rev):
    """{path: line numbers} that the tree has and rev has not."""
    added, path, number = collections.defaultdict(set), None, 0
    for line in git("diff", "--unified=0", "--no-color", rev, "--").splitlines():
        if line.startswith("+++ "):
            path = line[6:] if line.startswith("+++ b/") else None
        elif line.startswith("@@"):
            number = int(re.search(r"\+(\d+)", line)[1])
        elif line.startswith("+") and path:
            added[path].add(number)
            number += 1
    return added


def show(rows):
    """Prints findings, and their share."""
    found = total = 0
    for path, number, _, text, broken in rows:
        total += 1
        found += bool(broken)
        if broken:
            print(f"{path}:{number}: {', '.join(broken)}: {text[:150]}")
    print(f"{100 * found / max(total, 1):.1f} % of {total} comments and paragraphs lean on something that is not there")


def show_since(rev):
    added = added_lines(rev)
    show(row for row in read_tree() if added[row[0]].intersection(range(row[1], row[2] + 1)))
    for line in git("log", "--format=%h %s", f"{rev}..HEAD").splitlines():
        commit, _, subject = line.partition(" ")
        if len(subject) > 72 or not SUBJECT.match(subject):
            print(f"commit {commit}: not \"area: verb what\" in 72 characters: {subject}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*")
    parser.add_argument("--since", metavar="REV")
    parser.add_argument("--record", action="store_true")
    a = parser.parse_args()
    if a.since:
        show_since(a.since)
    elif a.record:
        record(count_folders())
    elif a.paths:
        show(read_tree(a.paths))
    else:
        for folder, (found, count) in sorted(count_folders().items()):
            print(f"{100 * found / count:5.1f} %  {found:5} of {count:5}  {folder}")


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""Runs playbooks with Debian's Ansible, in a warm interpreter: plays with rows of (module, arguments), and the result of each row. Starting Ansible
and packing its modules takes most of the time, so a playbook has many plays."""
import json
import os
import subprocess

import warm

REST_S = 60


class Play:
    """Rows of one play. A later row may refer to an earlier one by its third member, a name. changes: expected "changed" of each row, or one value
    for all. rests: wait until the region is at rest first. more: arguments of every row."""

    def __init__(self, rows, changes, rests=True, **more):
        self.rows, self.rests, self.more = list(rows), rests, more
        self.changes = changes if isinstance(changes, list) else [changes] * len(self.rows)


def twice(rows, before=(), **more):
    """Two plays: the first creates the rows' resources, the second must find them unchanged. before: rows that only read."""
    rows, changes = [*before, *rows], [False] * len(before) + [True] * len(rows)
    return [Play(rows, changes, **more), Play([row[:2] for row in rows], False, **more)]


class Playbooks:
    """Playbooks with the modules of one collection. `first` is a script that imports what they need; site: a directory for their import path."""

    def __init__(self, home, collection, first, url, site=""):
        """url: of the region."""
        self.home, self.collection, self.site = home, collection, str(site)
        (home / "first.py").write_text(first)
        (home / "rest").write_text(f"until curl -s {url}/healthz | grep -q '\"waiting\":0,'; do sleep 0.02; done\n")
        warm.interpreter(home / "python3", str(home / "first.py"), dict(os.environ, PYTHONPATH=self.site))

    def env(self, credentials):
        return dict(credentials, ANSIBLE_HOME=str(self.home), HOME=str(self.home), ANSIBLE_STDOUT_CALLBACK="json", ANSIBLE_PIPELINING="1",
                    ANSIBLE_LOCALHOST_WARNING="false", ANSIBLE_PYTHON_INTERPRETER=str(self.home / "python3"))

    def run(self, credentials, *plays):
        """Runs the plays in one process and checks "changed" of each row. Returns the results of each play, in the order of its rows."""
        (self.home / "book.json").write_text(json.dumps([self.play(p) for p in plays]))
        done = subprocess.run(["/usr/bin/ansible-playbook", "-i", "localhost,", "-c", "local", str(self.home / "book.json")],
                              env=self.env(credentials), capture_output=True, text=True, check=False)
        assert "{" in done.stdout, done.stderr
        shown = json.loads(done.stdout[done.stdout.index("{"):])["plays"]
        results = [[task["hosts"]["localhost"] for task in play["tasks"]][p.rests:] for play, p in zip(shown, plays)]
        for p, found in zip(plays, results):
            for row, is_changed, result in zip(p.rows, p.changes, found):
                assert not result.get("failed") and result["changed"] == is_changed, f"{row}: {result}"
        assert done.returncode == 0 and [len(found) for found in results] == [len(p.rows) for p in plays], f"{shown[-1]} {done.stderr}"
        return results

    def play(self, p):
        """The play in Ansible's format."""
        rows = [{f"{self.collection}.{module}" if "." not in module else module: {**args, **p.more}, **({"register": name[0]} if name else {})}
                for module, args, *name in p.rows]
        return {"hosts": "localhost", "gather_facts": False, "environment": {"PYTHONPATH": self.site},
                "tasks": [*([{"raw": f"timeout {REST_S} sh {self.home}/rest"}] if p.rests else []), *rows]}

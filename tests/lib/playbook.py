# SPDX-License-Identifier: Apache-2.0
"""Runs Ansible's playbooks, as Debian ships it, in a warm interpreter: plays of rows of (module, its arguments), and what each
row came to. To start Ansible and to pack its modules is most of what a short playbook takes, so a playbook has many plays."""
import json
import os
import subprocess

import warm

REST_S = 60


class Play:
    """Rows of one play. A later row may refer to an earlier one of a third member: its name. changes: what each row is to say of
    itself, or one word for all. rests: the region comes to rest before it. more: arguments of every row."""

    def __init__(self, rows, changes, rests=True, **more):
        self.rows, self.rests, self.more = list(rows), rests, more
        self.changes = changes if isinstance(changes, list) else [changes] * len(self.rows)


def twice(rows, before=(), **more):
    """The first play makes what the rows name, the second finds it. before: rows that only look."""
    rows, changes = [*before, *rows], [False] * len(before) + [True] * len(rows)
    return [Play(rows, changes, **more), Play([row[:2] for row in rows], False, **more)]


class Playbooks:
    """Of one collection's modules. Its first script loads what they will want; site holds what stands on their path."""

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
        """Plays them in one process and holds each row to its change. The results of each play, in the order of its rows."""
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
        """As Ansible reads it."""
        rows = [{f"{self.collection}.{module}" if "." not in module else module: {**args, **p.more}, **({"register": name[0]} if name else {})}
                for module, args, *name in p.rows]
        return {"hosts": "localhost", "gather_facts": False, "environment": {"PYTHONPATH": self.site},
                "tasks": [*([{"raw": f"timeout {REST_S} sh {self.home}/rest"}] if p.rests else []), *rows]}

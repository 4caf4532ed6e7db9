# SPDX-License-Identifier: Apache-2.0
"""Runs Ansible's playbooks, as Debian ships it, in a warm interpreter: rows of (module, its arguments), and what each came to."""
import json
import os
import subprocess

import warm


class Playbooks:
    """Of one collection's modules. Its first script loads what they will want; site holds what stands on their path."""

    def __init__(self, home, collection, first, site=""):
        self.home, self.collection, self.site = home, collection, str(site)
        (home / "first.py").write_text(first)
        warm.interpreter(home / "python3", str(home / "first.py"), dict(os.environ, PYTHONPATH=self.site))

    def env(self, credentials):
        return dict(credentials, ANSIBLE_HOME=str(self.home), HOME=str(self.home), ANSIBLE_STDOUT_CALLBACK="json", ANSIBLE_PIPELINING="1",
                    ANSIBLE_LOCALHOST_WARNING="false", ANSIBLE_PYTHON_INTERPRETER=str(self.home / "python3"))

    def run(self, credentials, tasks, **more):
        """The result of each task, in their order. A task may refer to an earlier one of a third member: its name."""
        rows = [{f"{self.collection}.{module}" if "." not in module else module: {**args, **more}, **({"register": name[0]} if name else {})}
                for module, args, *name in tasks]
        book = [{"hosts": "localhost", "gather_facts": False, "environment": {"PYTHONPATH": self.site}, "tasks": rows}]
        (self.home / "book.json").write_text(json.dumps(book))
        done = subprocess.run(["/usr/bin/ansible-playbook", "-i", "localhost,", "-c", "local", str(self.home / "book.json")],
                              env=self.env(credentials), capture_output=True, text=True, check=False)
        assert "{" in done.stdout, done.stderr
        results = [t["hosts"]["localhost"] for t in json.loads(done.stdout[done.stdout.index("{"):])["plays"][0]["tasks"]]
        assert done.returncode == 0, f"{tasks[len(results) - 1]}: {results[-1]}"
        return results


def changed(tasks, results):
    return [(task[0], result["changed"]) for task, result in zip(tasks, results, strict=True)]


def all_are(tasks, is_changed):
    return [(task[0], is_changed) for task in tasks]

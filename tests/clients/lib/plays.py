# SPDX-License-Identifier: Apache-2.0
"""Ansible's plays: each is played twice, the second time without a change, and so is the play that deletes what it made.

Modules run in a warm interpreter (tests/lib/warm.py), because imports take most of a module's time."""
import json
import os
import sys

from steps import Failed, Program, step

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))  # last: it has an azure.py
import warm  # noqa: E402

SETTINGS = "[defaults]\nstdout_callback = ansible.posix.json\ninterpreter_python = auto_silent\nlocalhost_warning = false\n[connection]\npipelining = true\n"


class Plays:
    """Plays of the folder `here`. first: lines of Python that import what the modules need."""

    def __init__(self, here, first):
        self.here = here
        for name, text in (("ansible.cfg", SETTINGS), ("first.py", first), ("inventory", f"localhost ansible_connection=local ansible_python_interpreter={os.path.abspath('python3')}\n")):
            with open(name, "w", encoding="ascii") as file:
                file.write(text)
        warm.interpreter("python3", os.path.abspath("first.py"), dict(os.environ), sys.executable)
        folder = os.path.dirname(sys.executable)
        self.ansible = Program(os.path.join(folder, "ansible-playbook"), "-i", "inventory",
                               env={"PATH": f"{folder}:/usr/bin:/bin", "ANSIBLE_CONFIG": "ansible.cfg", "ANSIBLE_LOCALHOST_WARNING": "false"})

    def play(self, name, *flags, **env):
        """The modules whose tasks changed something."""
        ansible = self.ansible.copy(**env)
        status, out, errors = ansible.started([*ansible.argv, *flags, os.path.join(self.here, f"{name}.yml")])
        try:
            tasks = [task for part in json.loads(out[out.index("{"):])["plays"] for task in part["tasks"]]
        except ValueError as e:
            raise Failed(f"exit status {status}: {errors or out}") from e
        for task in tasks:
            for answer in task["hosts"].values():
                answers = [part for part in answer.get("results", []) if isinstance(part, dict)]
                for part in [*answers, answer]:
                    if part.get("failed") and not answer.get("ignore_errors"):
                        words = answer if answer.get("failed_when_result") else f"{part.get('msg')} {part.get('module_stderr', '')} {part.get('error', '')}"
                        raise Failed(f"{task['task']['name'] or answer.get('action')}: {words}")
        if status:
            raise Failed(f"exit status {status}: {errors}")
        return [(answer.get("action"), answer.get("diff")) for task in tasks for answer in task["hosts"].values() if answer.get("changed")]

    def play_without_change(self, name, **env):
        changed = self.play(name, **env)
        assert not changed, f"changed {changed}"

    def course(self, name, dry=False, **env):
        """Two plays, and the one that deletes what they made, twice. dry: the modules that delete have a check mode."""
        with step(f"{name}: all is made"):
            self.play(name, **env)
        with step(f"{name}: the second play changes nothing"):
            self.play_without_change(name, **env)
        if dry:
            with step(f"{name}: in check mode nothing is deleted"):
                assert self.play(f"{name}-gone", "--check", **env), "the play would delete nothing"
                self.play_without_change(name, **env)
        with step(f"{name}: all is deleted"):
            self.play(f"{name}-gone", **env)
        with step(f"{name}: nothing is left to delete"):
            self.play_without_change(f"{name}-gone", **env)

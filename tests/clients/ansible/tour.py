# SPDX-License-Identifier: Apache-2.0
"""Ansible's collections for OpenStack and CloudStack: each play twice, the second time without a change, and the plays that clean up."""
import json
import os
import sys

import cs

from steps import Failed, Program, step, tell

HERE = os.path.dirname(os.path.abspath(__file__))
with open("ansible.cfg", "w", encoding="ascii") as file:
    file.write("[defaults]\nstdout_callback = ansible.posix.json\ninterpreter_python = auto_silent\nlocalhost_warning = false\n")
with open("inventory", "w", encoding="ascii") as file:
    file.write(f"localhost ansible_connection=local ansible_python_interpreter={sys.executable}\n")
ansible = Program(os.path.join(os.path.dirname(sys.executable), "ansible-playbook"), "-i", "inventory",
                  env={"PATH": f"{os.path.dirname(sys.executable)}:/usr/bin:/bin", "ANSIBLE_CONFIG": "ansible.cfg", "ANSIBLE_LOCALHOST_WARNING": "false"})


def play(name, **env):
    """The modules whose tasks changed something."""
    ansible_with = ansible.copy(**env)
    status, out, errors = ansible_with.started([*ansible.argv, os.path.join(HERE, f"{name}.yml")])
    try:
        tasks = [task for part in json.loads(out[out.index("{"):])["plays"] for task in part["tasks"]]
    except ValueError as e:
        raise Failed(f"exit status {status}: {errors or out}") from e
    for task in tasks:
        for answer in task["hosts"].values():
            answers = [part for part in answer.get("results", []) if isinstance(part, dict)]
            for part in [*answers, answer]:
                if part.get("failed") and not answer.get("ignore_errors"):
                    raise Failed(f"{task['task']['name'] or answer.get('action')}: {part.get('msg')} {part.get('module_stderr', '')} {part.get('error', '')}")
    if status:
        raise Failed(f"exit status {status}: {errors}")
    return [(answer.get("action"), answer.get("diff")) for task in tasks for answer in task["hosts"].values() if answer.get("changed")]


def course(name, **env):
    """Two plays, and the one that deletes what they made, twice."""
    with step(f"{name}: all is made"):
        play(name, **env)
    with step(f"{name}: the second play changes nothing"):
        changed = play(name, **env)
        assert not changed, f"changed {changed}"
    with step(f"{name}: all is deleted"):
        play(f"{name}-gone", **env)
    with step(f"{name}: nothing is left to delete"):
        changed = play(f"{name}-gone", **env)
        assert not changed, f"changed {changed}"


def template():
    """The name of the template that the region brings along."""
    answer = cs.CloudStack(endpoint=os.environ["CLOUDSTACK_ENDPOINT"], key=os.environ["CLOUDSTACK_KEY"], secret=os.environ["CLOUDSTACK_SECRET"],
                           verify=os.environ["CA_FILE"]).listTemplates(templatefilter="featured")
    return answer["template"][0]["name"]


if __name__ == "__main__":
    with open("disk.raw", "wb") as file:
        file.write(bytes(1 << 20))
    ADMIN = {"OS_USERNAME": "admin", "OS_PROJECT_NAME": "admin", "OS_PROJECT_ID": "", "OS_PASSWORD": os.environ["ADMIN_PASSWORD"]}
    WORLDS = {"openstack": {"DISK": os.path.abspath("disk.raw")}, "operator": ADMIN, "cloudstack": {"TEMPLATE": template()}}
    for part in sys.argv[1:] or WORLDS:
        course(part, **WORLDS[part])
    tell("end of tour")

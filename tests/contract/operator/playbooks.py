#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/engine/machine_policy src/reconcile/policy_finding.c src/reconcile/playbook_command.c src/base/child.c
"""Machine policies run playbooks for new machines and before retirements. A program in place of ansible-runner records its arguments. The playbook's name
decides whether it succeeds, fails, hangs, or prints more than a row keeps. A run that a kill of the server cuts off is failed, and not repeated."""
import json
import os
import re
import shlex
import signal
import sys
import tempfile
import time
import xml.etree.ElementTree as ET

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import elsewhere  # noqa: E402
import native  # noqa: E402
from dev import Dev  # noqa: E402
from elsewhere import launch, machines, power_there, provider, run  # noqa: E402
from waiting import wait_until  # noqa: E402

RUNNER = """#!/bin/sh
# The playbook's name decides what the run does. ansible-runner prints colours and carriage returns.
printf '%s\\n' "$*" >> "$0.calls"
case "$4" in
good.yml) printf '\\033[0;32mPLAY RECAP ok\\033[0m\\r\\n' ;;
bad.yml) echo "fatal: unreachable" >&2; exit 2 ;;
long.yml) setsid sleep 1000 & echo $! > "$0.child"; echo begun; wait ;;
leave.yml) setsid sleep 1000 & echo $! > "$0.child"; env >&2 ;;
flood.yml) yes & yes & yes & yes & yes & yes & echo $! > "$0.child"; wait ;;
confined.yml) id; env; cat /proc/self/status; cat "$(dirname "$0")/data/master.key"; ps ax | wc -l; for k in 1 2 3; do head -c 40000000 /dev/zero > "/tmp/$k" || echo FULL; done; touch /srv/x ;;
loud.yml) yes 'a line of output with a number of letters' | head -c 3000000; echo THE END ;;
*) echo "no playbook $4" >&2; exit 1 ;;
esac
"""


def install(folder):
    """The program, and the environment in which it is found."""
    runner = os.path.join(folder, "ansible-runner")
    with open(runner, "w", encoding="utf-8") as out:
        out.write(RUNNER)
    os.chmod(runner, 0o755)
    return runner, {"PATH": f"{folder}:{os.environ['PATH']}", "PGPASSWORD": "secret", "NOTIFY_SOCKET": "@none"}


@pytest.fixture(scope="module")
def world():
    with tempfile.TemporaryDirectory() as folder:
        runner, env = install(folder)
        with Dev() as there, Dev(env=env) as home:
            there.ec2, home.ec2, home.runner, home.there = there.account.client(), home.account.client(), runner, there
            home.old, home.mine = launch(home, 1), native.own(home)
            home.refs = launch(there, 1)
            elsewhere.add(home, "bank", "aws", there)
            wait_until(lambda: set(machines(home, "bank")) == set(home.refs), "the listing", shows=lambda: provider(home, "bank"))
            yield home


@pytest.fixture(autouse=True)
def rested(world):
    with open(world.runner + ".calls", "w", encoding="utf-8"):
        pass
    yield
    for policy in world.command("machine", "policy", "list"):
        assert run(world, "machine", "policy", "remove", policy["name"]).returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="changing the user needs root")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_another_user(number):
    """A playbook runs as the user of playbooks.user: it reads no key, sees no process but its own, and fills nothing. It ends with the server, also in a session of its own."""
    with tempfile.TemporaryDirectory(dir="/run") as folder:  # /tmp is the run's own
        os.chmod(folder, 0o755)
        runner, env = install(folder)
        data, port = os.path.join(folder, "data"), 0
        for name in (".calls", ".child"):
            with open(runner + name, "w", encoding="utf-8"):
                os.chmod(runner + name, 0o666)
        home = Dev("--data", data, "--playbook-user", "nobody", env={**env, "AWS_SECRET_ACCESS_KEY": "leak"})
        try:
            home.ec2, home.runner = home.account.client(), runner

            def rows():
                return home.command("machine", "policy", "findings")
            add(home, "narrow", "--rule", "provisioned", "--playbook", "confined.yml")
            launch(home, 1)
            wait_until(lambda: [f["run"] for f in rows()] in (["done"], ["failed"]), "the run", shows=rows)
            output = rows()[0]["output"]
            assert "uid=65534(nobody)" in output and "groups=65534(nogroup)\n" in output, output
            assert "CapEff:0000000000000000" in output and "NoNewPrivs:1" in output, output
            assert output.count("Permission denied") >= 2 and "FULL" in output and "leak" not in output and "PGPASSWORD" not in output, output
            with open(runner + ".calls", encoding="utf-8") as lines:
                assert "--artifact-dir /tmp/artifacts" in lines.read()
            assert run(home, "machine", "policy", "remove", "narrow").returncode == 0
            add(home, "slow", "--rule", "provisioned", "--playbook", "long.yml")
            launch(home, 1)
            wait_until(lambda: [f["run"] for f in rows()] == ["running"] and os.path.getsize(runner + ".child"), "the run", shows=rows)
            left = sleepers()
            assert left, rows()
            port = home.port
            home.end(number)
            wait_until(lambda: not any(is_alive(pid) for pid in left), "that its processes end")
            home = Dev("--data", data, "--playbook-user", "nobody", env=env, port=port)
            wait_until(lambda: [f["run"] for f in rows()] == ["failed"], "the failure", shows=rows)
        finally:
            home.end()


def sleepers():
    """Processes of nobody that long.yml has left in sessions of their own; the run's numbers are those of its namespace."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as words:
                if words.read() == b"sleep\0001000\0" and os.stat(f"/proc/{pid}").st_uid == 65534:
                    found.append(int(pid))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def calls(world):
    with open(world.runner + ".calls", encoding="utf-8") as lines:
        return [shlex.split(line) for line in lines]


def ids(world):
    return {i["id"]: i["ec2"] for i in world.mine.rows("/instances?fields=ec2")} | {m["id"]: m["ref"] for m in machines(world, "bank").values()}


def findings(world):
    names = ids(world)
    return {names.get(f.get("machine") or f.get("instance")): f for f in world.command("machine", "policy", "findings")}


def add(world, name, *words):
    done = run(world, "machine", "policy", "add", name, "--account", elsewhere.owner(world), "--check-s", "1", *words)
    assert done.returncode == 0, done


def finding(world, ref, **wanted):
    """Waits until the policy's finding about the machine is so."""
    wait_until(lambda: {**findings(world).get(ref, {}), **wanted} == findings(world).get(ref), f"{ref}: {wanted}", shows=lambda: findings(world))
    return findings(world)[ref]


def test_after_provisioning(world):
    """The playbook runs once for each machine that is made after the policy, here and elsewhere; variables say which one."""
    add(world, "register", "--rule", "provisioned", "--playbook", "good.yml")
    here, there = launch(world, 1)[0], launch(world.there, 1, "x{{ lookup('pipe', 'id') }}")[0]
    assert run(world, "provider", "refresh", "bank").returncode == 0
    for ref in (here, there):
        row = finding(world, ref, run="done", state="requested")
        assert row["output"] == "PLAY RECAP ok\n" and not row.get("problem") and not row.get("exit_status"), row
    assert world.old[0] not in findings(world) and world.refs[0] not in findings(world)
    made = calls(world)
    assert len(made) == 2, made
    known = {name: key for key, name in ids(world).items()}
    for words in made:
        assert words[0] == "run" and words[2:4] == ["-p", "good.yml"] and words[1].endswith("/playbooks"), words
        assert "--omit-env-files" in words, words
    with open(world.runner + ".calls", encoding="utf-8") as lines:
        texts = lines.read().splitlines()
    said = [json.loads(re.search(r"-e '(\{.*?\})'", text)[1]) for text in texts]
    assert {v["dari_id"] for v in said} == {known[here], known[there]}
    remote = next(v for v in said if v["dari_kind"] == "remote_machine")
    assert remote["dari_ref"] == there and remote["dari_provider"] == "bank" and "lookup" not in str(said), said
    time.sleep(3)  # several checks
    assert len(calls(world)) == 2


def test_before_retirement(world):
    """A retirement waits for its playbook, and goes on after it."""
    ref = launch(world, 1)[0]
    world.ec2.create_tags(Resources=[ref], Tags=[{"Key": "gone", "Value": "2020-01-01"}])
    add(world, "last", "--rule", "retirement", "--date-tag", "gone", "--act", "stop", "--playbook", "bad.yml", "--scope", "here")
    row = finding(world, ref, run="failed", state="failed")
    assert row["exit_status"] == 2 and "unreachable" in row["output"] and "exit status 2" in row["problem"], row
    assert power_there(world, ref) == "running"
    assert run(world, "machine", "policy", "remove", "last").returncode == 0
    add(world, "last", "--rule", "retirement", "--date-tag", "gone", "--act", "stop", "--playbook", "good.yml", "--scope", "here")
    wait_until(lambda: power_there(world, ref) == "stopped", "the stop", shows=lambda: findings(world))
    assert [words[3] for words in calls(world)][-1] == "good.yml"


def seen(world, ref):
    """Values of dari_event of the runs for a machine."""
    known = {name: key for key, name in ids(world).items()}[ref]
    with open(world.runner + ".calls", encoding="utf-8") as lines:
        said = [json.loads(re.search(r"-e '(\{.*?\})'", text)[1]) for text in lines]
    return [v["dari_event"] for v in said if v["dari_id"] == known]


def test_on_power_drift(world):
    """A machine that is stopped behind the region's back begins one run; one that the region stops begins none. What happens soon after a run begins none either."""
    drifts, asked = launch(world.there, 2, "drift")
    assert run(world, "provider", "refresh", "bank").returncode == 0
    wait_until(lambda: {drifts, asked} <= set(machines(world, "bank")), "the listing")
    wait_until(lambda: all(machines(world, "bank")[ref]["power"] == "running" for ref in (drifts, asked)), "that they run")
    add(world, "drift", "--rule", "event", "--event", "power_drift", "--playbook", "good.yml", "--provider", "bank")
    world.there.ec2.stop_instances(InstanceIds=[drifts])
    assert run(world, "remote", "stop", machines(world, "bank")[asked]["id"]).returncode == 0
    row = finding(world, drifts, run="done", state="requested")
    assert row["output"] == "PLAY RECAP ok\n" and "nobody asked" in row["reason"], row
    elsewhere.rests(world, asked, "stopped", "bank")
    world.there.ec2.start_instances(InstanceIds=[drifts])  # as the playbook might do
    wait_until(lambda: machines(world, "bank")[drifts]["power"] == "running", "the start", shows=lambda: machines(world, "bank"))
    time.sleep(3)  # several checks
    assert seen(world, drifts) == ["power_drift"] and asked not in findings(world), findings(world)


def test_on_missing_tag(world):
    """A machine that loses a tag begins one run, and another one only after the quiet time. A dry run names the machines, and runs nothing."""
    ref = launch(world, 1)[0]
    world.ec2.create_tags(Resources=[ref], Tags=[{"Key": "watched", "Value": "yes"}])
    words = ["--rule", "event", "--event", "tag_missing", "--key", "owner", "--playbook", "good.yml", "--tag-key", "watched", "--scope", "here"]
    tried = run(world, "machine", "policy", "add", "owners", "--account", elsewhere.owner(world), *words, "--dry", "--json")
    assert tried.returncode == 0 and [m["reason"] for m in json.loads(tried.stdout)["machines"]] == ["A tag is missing."], tried
    assert not calls(world)
    add(world, "owners", *words)
    finding(world, ref, run="done")
    world.ec2.create_tags(Resources=[ref], Tags=[{"Key": "owner", "Value": "me"}])
    wait_until(lambda: not findings(world)[ref].get("event_us"), "that the event is over", shows=lambda: findings(world))
    world.ec2.delete_tags(Resources=[ref], Tags=[{"Key": "owner"}])
    wait_until(lambda: findings(world)[ref].get("event_us"), "the next event", shows=lambda: findings(world))
    time.sleep(3)  # several checks
    assert seen(world, ref) == ["tag_missing"], findings(world)


def test_on_vanishing(world):
    """The row of a machine that is no longer listed stays until the playbook has run for it, and goes then."""
    refs, proxy = launch(world.there, 4, "stays"), elsewhere.Proxy(world.there)
    elsewhere.add(world, "fickle", "aws", world.there, proxy.url)
    wait_until(lambda: set(refs) <= set(machines(world, "fickle")), "the machines")
    add(world, "lost", "--rule", "event", "--event", "vanished", "--scope", "elsewhere", "--provider", "fickle", "--playbook", "good.yml")

    def without(_path, body, answer):
        if b"Action=DescribeInstances&" not in body:
            return answer
        root = ET.fromstring(answer)
        for parent in root.iter():
            for item in [i for i in parent if i.tag.endswith("}item") and any(e.text == refs[0] for e in i if e.tag.endswith("}instanceId"))]:
                parent.remove(item)
        return ET.tostring(root)
    proxy.change = without
    wait_until(lambda: refs[0] not in machines(world, "fickle"), "that the row goes", shows=lambda: (machines(world, "fickle").get(refs[0]), findings(world)))
    with open(world.runner + ".calls", encoding="utf-8") as lines:
        assert sum(refs[0] in line and "vanished" in line for line in lines) == 1
    assert run(world, "provider", "remove", "fickle").returncode == 0
    proxy.end()


def test_limit_of_runs(world):
    """A policy begins as many runs in an hour as it may; the finding of the next machine says what it waits for."""
    refs = launch(world, 2)
    for ref in refs:
        world.ec2.create_tags(Resources=[ref], Tags=[{"Key": "limited", "Value": "yes"}])
    native.admin(world).api_ok("POST", "/machine-policies", {"name": "limited", "rule": "event", "event": "tag_missing", "keys": ["owner"], "playbook": "good.yml", "check_s": 1,
                                                             "tag_key": "limited", "runs_per_hour": 1, "account": elsewhere.owner(world)})
    wait_until(lambda: sorted(findings(world).get(ref, {}).get("run", "") for ref in refs) == ["done", "none"], "one run", shows=lambda: findings(world))
    waits = next(f for ref, f in findings(world).items() if ref in refs and f["run"] == "none")
    assert "as many runs in an hour" in waits["problem"] and len(calls(world)) == 1, waits


def child_of(world):
    """A process that the playbook has left in a session of its own."""
    with open(world.runner + ".child", encoding="utf-8") as pid:
        return int(pid.read())


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_limits(world):
    """A run that exceeds its time is killed with its children; the row keeps the end of a long output."""
    add(world, "slow", "--rule", "provisioned", "--playbook", "long.yml", "--playbook-limit-s", "2", "--scope", "here")
    ref = launch(world, 1)[0]
    row = finding(world, ref, run="failed")
    assert "in time" in row["problem"] and row["output"] == "begun\n", row
    child = child_of(world)
    wait_until(lambda: not is_alive(child), "the child ends")
    assert run(world, "machine", "policy", "remove", "slow").returncode == 0
    add(world, "flood", "--rule", "provisioned", "--playbook", "flood.yml", "--playbook-limit-s", "2", "--scope", "here")
    row = finding(world, launch(world, 1)[0], run="failed")
    assert "in time" in row["problem"] and row["output"].endswith("y\n"), row["output"][-20:]
    assert run(world, "machine", "policy", "remove", "flood").returncode == 0
    add(world, "loud", "--rule", "provisioned", "--playbook", "loud.yml", "--scope", "here")
    row = finding(world, launch(world, 1)[0], run="done")
    assert row["output"].endswith("THE END\n") and len(row["output"]) <= 8192, len(row["output"])


def test_nothing_is_left(world):
    """A playbook leaves no processes, and gets no variables that are meant for the server. Removing its policy ends a run."""
    add(world, "leave", "--rule", "provisioned", "--playbook", "leave.yml", "--scope", "here")
    row = finding(world, launch(world, 1)[0], run="done")
    assert "PATH=" in row["output"] and "PGPASSWORD" not in row["output"] and "NOTIFY_SOCKET" not in row["output"], row
    child = child_of(world)
    wait_until(lambda: not is_alive(child), "the child ends")
    assert run(world, "machine", "policy", "remove", "leave").returncode == 0  # otherwise both runs would write the number
    os.remove(world.runner + ".child")
    add(world, "slow", "--rule", "provisioned", "--playbook", "long.yml", "--scope", "here")
    launch(world, 1)
    wait_until(lambda: os.path.exists(world.runner + ".child") and is_alive(child_of(world)), "the run")
    child = child_of(world)
    assert run(world, "machine", "policy", "remove", "slow").returncode == 0
    wait_until(lambda: not is_alive(child), "the removal ends the run")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_end_of_the_server(number):
    """A run that the server's end cuts off is failed, is killed, and is not begun again."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as data:
        runner, env = install(folder)
        home = Dev("--data", data, env=env)
        try:
            home.ec2, home.runner = home.account.client(), runner
            add(home, "slow", "--rule", "provisioned", "--playbook", "long.yml")
            launch(home, 1)

            def rows():
                return home.command("machine", "policy", "findings")
            wait_until(lambda: [f["run"] for f in rows()] == ["running"] and os.path.exists(runner + ".child"), "the run", shows=rows)
            port = home.port
            home.end(number)
            home = Dev("--data", data, env=env, port=port)
            wait_until(lambda: [f["run"] for f in rows()] == ["failed"], "the failure", shows=rows)
            row = rows()[0]
            assert "Dari ended" in row["problem"] and row["state"] == "failed", row
            with open(runner + ".calls", encoding="utf-8") as lines:
                assert len(lines.readlines()) == 1
            with open(runner + ".child", encoding="utf-8") as pid:
                child = int(pid.read())
            if number == signal.SIGKILL and is_alive(child):  # nobody was left to end a process of another session
                os.kill(child, signal.SIGKILL)
            wait_until(lambda: not is_alive(child), "the child ends")
        finally:
            home.end()


@pytest.mark.parametrize("words", [["--playbook", "../x.yml"], ["--playbook", "-x.yml"], ["--playbook", "x.sh"], ["--playbook", "{{x}}.yml"], [],
                                   ["--playbook", "x.yml", "--act", "stop"], ["--playbook", "x.yml", "--playbook-limit-s", "100000"]])
def test_refused(world, words):
    done = run(world, "machine", "policy", "add", "wrong", "--account", elsewhere.owner(world), "--rule", "provisioned", *words)
    assert done.returncode != 0 and "playbook" in done.stderr, done
    for more in (["--playbook", "x.yml"], ["--playbook-limit-s", "60"]):
        done = run(world, "machine", "policy", "add", "wrong", "--account", elsewhere.owner(world), "--rule", "power_state", *more)
        assert done.returncode != 0 and "playbook" in done.stderr, done


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

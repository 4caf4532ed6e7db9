#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/daemon/dev.c src/drivers/sim src/daemon/commands_ src/store/sqlite_damage.c
"""`dari dev` itself: its printed lines work as they are, it needs nothing and leaves nothing, simulated work takes time, and errors say what to do."""
import contextlib
import glob
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import DARI, ROOT, Dev, dump  # noqa: E402
from world import World  # noqa: E402
import waiting  # noqa: E402

PLAIN = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
NOBODY = 65534


@pytest.fixture
def room(tmp_path_factory):
    """A place for temporary directories, accessible to every user."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="dari-test-"))
    path.chmod(0o777)
    yield path
    shutil.rmtree(path)


def fails(*options, **how):
    """Its error message if it does not start."""
    done = waiting.run([DARI, "dev", *options], capture_output=True, text=True, **how)
    assert done.returncode != 0 and done.stderr.startswith("dari dev: "), done.stderr
    return done.stderr


def launch(ec2, **more):
    image = ec2.describe_images()["Images"][0]["ImageId"]
    return ec2.run_instances(ImageId=image, InstanceType="t3.nano", MinCount=1, MaxCount=1, **more)["Instances"][0]["InstanceId"]


def state(ec2, instance):
    return ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]["State"]["Name"]


def await_state(ec2, instance, wanted, answered=None):
    """The observed states, each once, from that of the change's answer on."""
    seen = [answered] if answered else []

    def is_there():
        now = state(ec2, instance)
        if not seen or seen[-1] != now:
            seen.append(now)
        return now == wanted
    waiting.wait_until(is_there, f"{instance} {wanted}", shows=lambda: seen, every_s=0.02)
    return seen


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_leaves_nothing(room, number):
    dev = Dev(env={"TMPDIR": str(room)})
    launch(dev.account.client())
    assert list(room.iterdir()) == [pathlib.Path(dev.config).parent]
    assert dev.end(number) == 0
    assert not list(room.iterdir())
    with socket.socket() as s:
        assert s.connect_ex(("127.0.0.1", dev.port)) != 0


def test_says_that_it_simulates(room):
    with Dev(env={"TMPDIR": str(room)}) as dev:
        assert "simulated" in dev.banner and "No guest runs" in dev.banner
        ec2 = dev.account.client()
        instance = launch(ec2)
        await_state(ec2, instance, "running")
        assert "simulated" in ec2.get_console_output(InstanceId=instance)["Output"]
        assert {h["version"] if "version" in h else h["uri"] for h in dev.command("host", "list")} == {"sim://"}


def test_shell_lines(room):
    """Pasted unchanged into an empty shell, with Debian's aws."""
    with Dev(env={"TMPDIR": str(room)}) as dev:
        shell = dev.banner.split("For a shell:")[1].split("For Python:")[0]
        assert "export AWS_DEFAULT_REGION=us-east-1\nexport AWS_REGION=us-east-1\n" in shell  # SDKs for Go, Java and JavaScript read the second
        ask = "aws ec2 describe-availability-zones --query 'AvailabilityZones[].ZoneName' --output text"
        done = subprocess.run(["/bin/bash", "-euc", f"{shell}\n{ask}\n{DARI} host list --json | grep -c '\"up\"'"], env=PLAIN,
                              capture_output=True, text=True, check=False)
        assert sorted(done.stdout.split()) == ["4", "us-east-1a", "us-east-1b"], done.stderr


def test_python_lines(room):
    with Dev(env={"TMPDIR": str(room)}) as dev:
        lines = dev.banner.split("For Python:")[1].split("Then:")[0]
        done = subprocess.run(["/usr/bin/python3", "-c", lines + "\nprint(len(ec2.describe_vpcs()['Vpcs']))"], env=PLAIN,
                              capture_output=True, text=True, check=False)
        assert done.stdout.strip() == "1", done.stderr


def test_suggested_command(room):
    """The last line's command launches an instance."""
    with Dev(env={"TMPDIR": str(room)}) as dev:
        exports = "\n".join(re.findall(r"^(?:export AWS|aws\(\)).*", dev.banner, re.MULTILINE))
        command = re.search(r"^Then: (.*)", dev.banner, re.MULTILINE)[1]
        done = subprocess.run(["/bin/bash", "-euc", f"{exports}\n{command}"], env=PLAIN, capture_output=True, text=True, check=False)
        assert '"InstanceId"' in done.stdout, done.stderr


def test_readme(room):
    """The lines of README, from the top of the clone, in one shell."""
    readme = pathlib.Path(ROOT, "README.md").read_text(encoding="utf-8")
    section = re.search(r"## Ten seconds: a simulated region\n(.*?)\n## ", readme, re.DOTALL)[1]
    lines = [line[4:] for line in section.splitlines() if line.startswith("    ")]
    assert any("dari dev" in line for line in lines) and "openstack server list" in lines
    script = "trap 'kill $(jobs -p); wait' EXIT\n" + "\n".join(lines).replace("build/dari dev", f"{DARI} dev --port 0")
    home = room / "home"  # clients keep caches there
    home.mkdir()
    done = waiting.run(["/bin/bash", "-euc", script], env=dict(PLAIN, TMPDIR=str(room), HOME=str(home)), capture_output=True, text=True, cwd=ROOT)
    assert "running" in done.stdout and "ACTIVE" in done.stdout and done.returncode == 0, done.stdout + done.stderr
    assert [p for p in room.iterdir() if p.is_dir()] == [home]


def test_needs_no_root(room):
    """As user nobody (if possible), without a home directory, from a directory of another user."""
    nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    binary = shutil.copy(DARI, room / "dari")
    process = subprocess.Popen([binary, "dev", "--port", "0", "--instant"], env=dict(PLAIN, TMPDIR=str(room)), cwd="/", stdout=subprocess.PIPE,
                               text=True, **nobody)
    said = "".join(iter(process.stdout.readline, "Ready; Ctrl-C ends it.\n"))
    network = pathlib.Path(f"/proc/{process.pid}/ns/net").readlink()
    assert "export AWS_ACCESS_KEY_ID" in said and network == pathlib.Path("/proc/self/ns/net").readlink()
    process.terminate()
    waiting.communicate(process)
    assert process.returncode == 0


def test_states_take_time(room):
    """Without --instant: each state is visible, and boto3's waiters succeed."""
    with Dev(instant=False, env={"TMPDIR": str(room)}) as dev:
        ec2, soon = dev.account.client(), {"Delay": 0.2, "MaxAttempts": 100}
        instance = launch(ec2)
        assert await_state(ec2, instance, "running") == ["pending", "running"]
        ec2.get_waiter("instance_running").wait(InstanceIds=[instance], WaiterConfig=soon)
        (stopping,) = ec2.stop_instances(InstanceIds=[instance])["StoppingInstances"]
        assert await_state(ec2, instance, "stopped", stopping["CurrentState"]["Name"]) == ["stopping", "stopped"]
        ec2.get_waiter("instance_stopped").wait(InstanceIds=[instance], WaiterConfig=soon)
        (starting,) = ec2.start_instances(InstanceIds=[instance])["StartingInstances"]
        assert await_state(ec2, instance, "running", starting["CurrentState"]["Name"]) == ["pending", "running"]
        ec2.terminate_instances(InstanceIds=[instance])
        ec2.get_waiter("instance_terminated").wait(InstanceIds=[instance], WaiterConfig=soon)
        ec2.get_waiter("vpc_available").wait(WaiterConfig=soon)
        ec2.get_waiter("subnet_available").wait(WaiterConfig=soon)
        if hasattr(ec2, "create_volume") and any(a["name"] == "CreateVolume" for a in dump()["actions"]):
            volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
            ec2.get_waiter("volume_available").wait(VolumeIds=[volume], WaiterConfig=soon)
            ec2.delete_volume(VolumeId=volume)
            ec2.get_waiter("volume_deleted").wait(VolumeIds=[volume], WaiterConfig=soon)


# ---- dari explain

ANSWERS = ["state", "since", "in_its_way", "next_try", "what_to_do"]


def explained(dev, identifier, *options):
    """The five answering lines, under their --json names, and the rest."""
    said = subprocess.run([DARI, "--config", dev.config, "explain", identifier, *options], capture_output=True, text=True, check=True).stdout.splitlines()
    words = [re.match(r"(state|(?:at least )?since|in its way|next try|what to do) +(\S.*)$", line) for line in said[:5]]
    assert all(words), said[:5]
    labels = [w[1].removeprefix("at least ").replace(" ", "_") for w in words]
    assert labels == ANSWERS
    return dict(zip(labels, (w[2] for w in words))), said[5:]


def test_explains_why_it_waits(room):
    """An instance whose disk is being created says so, before a condition is set; then that nothing is in its way."""
    with Dev(instant=False, env={"TMPDIR": str(room)}) as dev:
        ec2 = dev.account.client()
        for _ in range(20):  # a simulated disk takes half a second: on a busy machine the commands may come too late
            instance = launch(ec2)
            answer, _ = explained(dev, instance)
            told = dev.command("explain", instance)
            if told["in_its_way"] and "its disk" in told["in_its_way"]:
                break
        assert answer["state"] == "pending" and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", answer["since"])
        assert re.fullmatch(r"Its volume vol-\w{17}: its disk is not made yet\.", answer["in_its_way"])
        assert answer["next_try"].startswith("After its volume, which is looked at: ")
        assert answer["what_to_do"] == "Wait: it goes on by itself."
        assert told["conditions"] == [] and set(ANSWERS) < set(told)
        await_state(ec2, instance, "running")
        answer, _ = explained(dev, instance)
        assert (answer["state"], answer["in_its_way"], answer["what_to_do"]) == ("running", "nothing", "nothing")
        told = dev.command("explain", instance)
        assert told["state"] == "running" and told["in_its_way"] is None and told["what_to_do"] is None


def test_explains_since_when(room):
    """An instance stopped by a maintenance is pending since its guest stopped, not since its launch."""
    with Dev("--hosts", "1", env={"TMPDIR": str(room)}) as dev:
        ec2 = dev.account.client()
        instance = launch(ec2)
        await_state(ec2, instance, "running")
        dev.rest()
        launched = explained(dev, instance)[0]["since"]
        time.sleep(1.1)  # the lines show whole seconds
        dev.command("host", "maintenance", "sim1", "--from", "now", "--kind", "reboot", "--reason", "fans")
        dev.rest()
        answer, _ = explained(dev, instance)
        assert answer["state"] == "pending" and answer["since"] > launched
        assert answer["in_its_way"].startswith(f"Maintenance since {answer['since'][:-3]}")
        dev.command("host", "maintenance", "sim1", "--end")
        await_state(ec2, instance, "running")
        dev.rest()
        assert explained(dev, instance)[0]["since"] > launched


def test_explains_a_condition(room):
    """A host that does not answer: reason, time, next try, and advice."""
    with Dev(env={"TMPDIR": str(room)}) as dev:
        dev.command("host", "add", "far", "--zone", "us-east-1a", "--uri", "qemu+unix:///system?socket=/nonexistent")
        waiting.wait_until(lambda: len(dev.command("explain", "far")["conditions"]) >= 2, "both conditions")
        answer, rest = explained(dev, "far")
        first, second = dev.command("explain", "far")["conditions"]
        assert answer["state"] == "down" and first["name"] == "HostDown" and "nonexistent" in first["message"]
        assert answer["in_its_way"] == f"HostDown since {first['since']}: {first['message']} (1 more below)"
        assert answer["what_to_do"] == first["advice"] and "See that libvirtd runs" in first["advice"]
        assert rest[0].startswith(f"  ! {second['name']} since ")
        assert re.fullmatch(r"(\d{4}-\S+Z|Now), after \d+ failures\.", answer["next_try"])
        # doctor names the object to explain
        told = subprocess.run([DARI, "--config", dev.config, "doctor"], capture_output=True, text=True, check=False).stdout
        assert re.search(r"^ok  conditions +2, which `dari explain` explains: .*HostDown of far", told, re.MULTILINE), told


def test_explains_fields(room):
    """Fields with values, sizes in readable units; all with --all; --json has raw values."""
    with Dev(env={"TMPDIR": str(room)}) as dev:
        ec2 = dev.account.client()
        volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=3)["VolumeId"]
        _, few = explained(dev, volume)
        _, all_of_them = explained(dev, volume, "--all")
        assert "  size                       3 GiB" in few and "  size                       3 GiB" in all_of_them
        assert dev.command("explain", volume)["fields"]["size"] == str(3 << 30)
        assert not [line for line in few if line.split()[0] in ("iops", "is_encrypted", "reservation", "tags", "instance", "before_type")]
        lost = {"  iops                       0", "  is_encrypted               false", "  reservation                none", "  tags                       {}",
                "  instance", "  before_type"}
        assert lost <= set(all_of_them) and set(few) < set(all_of_them)
        assert few.index("history, newest first:") > few.index("  size                       3 GiB")


def test_a_history_names_its_subject(room):
    with Dev(env={"TMPDIR": str(room)}) as dev:
        ec2 = dev.account.client()
        instance = launch(ec2)
        await_state(ec2, instance, "running")
        ec2.modify_instance_attribute(InstanceId=instance, DisableApiTermination={"Value": True})
        _, lines = explained(dev, instance)
        history = "\n".join(lines[lines.index("history, newest first:"):])
        assert "The instance is running on its host." in history and "The instance's settings were changed." in history
        assert " It " not in history and " Its " not in history


def test_explains_every_kind(room):
    with Dev(env={"TMPDIR": str(room)}) as dev:
        world = World(dev.account, dump())
        dev.rest()
        states = {}
        for label, identifier in world.ids.items():
            if dev.explain(identifier).startswith("state "):
                answer, _ = explained(dev, identifier)
                states[label] = answer["state"]
        assert states["vpc"] == states["subnet"] == "present" and states["i"] == "running" and states["vol"] in ("available", "in-use")
        assert explained(dev, "sim1")[0]["state"] == "up" and explained(dev, "dev")[0]["state"] == "present"


def test_data_stays(room):
    """With --data: the same account, keys and resources, after an orderly exit or a kill."""
    data = str(room / "mine")
    dev = Dev("--data", data)
    keys, world = (dev.account.key_id, dev.account.secret), World(dev.account, dump())
    dev.process.kill()
    dev.process.communicate()
    with Dev("--data", data) as dev:
        assert (dev.account.key_id, dev.account.secret) == keys
        ec2 = dev.account.client()
        await_state(ec2, world.ids["i"], "running")
        assert [v["VpcId"] for v in ec2.describe_vpcs(VpcIds=[world.ids["vpc"]])["Vpcs"]] == [world.ids["vpc"]]
        ec2.get_waiter("instance_running").wait(InstanceIds=[world.ids["i"], world.ids["lone i"]], WaiterConfig={"Delay": 0.1, "MaxAttempts": 100})
        assert dev.audit() == []
        ec2.delete_vpc(VpcId=world.ids["spare vpc"])
    assert os.path.isdir(data)


def test_hosts(room):
    with Dev("--hosts", "1", env={"TMPDIR": str(room)}) as dev:
        assert len(dev.command("host", "list")) == 1
        ec2 = dev.account.client()
        await_state(ec2, launch(ec2), "running")


def test_full_machines(room):
    """Simulated hosts have limits, too: instances without room are refused, and run nowhere."""
    with Dev("--hosts", "1", env={"TMPDIR": str(room)}) as dev:
        answers = [dev.account.call("RunInstances", {"ImageId": World.image_of(dev.account), "InstanceType": "m5.4xlarge", "MinCount": 1, "MaxCount": 1})
                   for _ in range(8)]
        assert answers[0].status == 200 and answers[-1].code == "InsufficientInstanceCapacity"


# ---- errors


def test_port_is_taken(room):
    with Dev(env={"TMPDIR": str(room)}) as dev:
        words = fails("--port", str(dev.port))
        assert str(dev.port) in words and "--port 0" in words
    assert not glob.glob(str(room / "dari-dev-*"))


def test_data_is_in_use(room):
    with Dev("--data", str(room / "mine")):
        words = fails("--port", "0", "--data", str(room / "mine"))
        assert "in use by another dari" in words and "end that one" in words


def test_data_is_anothers(room):
    (room / "real").mkdir()
    (room / "real/dari.db").write_bytes(b"")
    words = fails("--port", "0", "--data", str(room / "real"))
    assert "did not make" in words and "directory of its own" in words
    assert os.listdir(room / "real") == ["dari.db"]


def test_database_is_gone(room):
    """A region whose database is emptied or removed is not created anew: its rows may be in a backup."""
    data = room / "mine"
    with Dev("--data", str(data)):
        pass
    kept = (data / "dev.yaml").read_bytes()
    for ruin, words in ((lambda: os.truncate(data / "dari.db", 0), "is empty"), (lambda: os.unlink(data / "dari.db"), "is missing")):
        ruin()
        said = fails("--port", "0", "--data", str(data))
        assert words in said and str(data / "dari.db") in said and "put it back from a backup" in said
        assert (data / "dev.yaml").read_bytes() == kept


def test_damage_is_found(room):
    """Doctor and backups look for damage; a rescue writes a database that starts with every row."""
    data, copy, saved = room / "mine", room / "copy", room / "saved"
    with Dev("--data", str(data)) as dev:
        run = lambda *words: subprocess.run([DARI, "--config", str(data / "dev.yaml"), *words], capture_output=True, text=True, check=False)
        dev.account.ok("CreateKeyPair", {"KeyName": "kept"})
        os.chmod(data / "master.key", 0o644)
        told = run("doctor").stdout
        assert "ok  database structure     whole" in told and "!!  master key's mode" in told
        assert "checked" in run("store", "backup", str(copy)).stdout and "is there already" in run("store", "backup", str(copy)).stderr
        with contextlib.closing(sqlite3.connect(data / "dari.db")) as reader:
            root = reader.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'metadef_item'").fetchone()[0]
        with open(data / "dari.db", "r+b") as file:
            file.seek((root - 1) * 4096)
            file.write(b"\x1b" * 64)
        told = run("doctor").stdout
        assert re.search(r"^!!  database structure .*dari.db is damaged .*\n.*store rescue", told, re.MULTILINE) and "\x1b" not in told
        refused = run("store", "backup", str(room / "worse"))
        assert refused.returncode == 1 and "A damaged database" in refused.stderr and not os.path.exists(room / "worse")
        assert "all logs were read" in run("store", "rescue", str(saved)).stdout
    for name in os.listdir(data):
        if name in ("dari.db-wal", "dari.db-shm"):
            os.unlink(data / name)
    os.replace(saved, data / "dari.db")
    with Dev("--data", str(data)) as dev:
        assert dev.account.ok("DescribeKeyPairs", {"KeyName.1": "kept"}).all(".//keyName") == ["kept"]


def test_data_is_unusable(room):
    (room / "file").write_text("x")
    assert "--data wants a directory" in fails("--port", "0", "--data", str(room / "file"))
    assert "--data wants a directory" in fails("--port", "0", "--data", "/proc/nothing/here")
    assert "--data" in fails("--port", "0", env=dict(os.environ, TMPDIR="/nonexistent"))


@pytest.mark.parametrize("options", [["--port", "x"], ["--port", "65536"], ["--port", "-1"], ["--hosts", "0"], ["--hosts", "many"], ["--addresses", "0"], ["--addresses", "65001"], ["--fast"]])
def test_bad_options(options):
    assert options[0] in fails(*options)


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

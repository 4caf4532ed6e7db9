#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/store/level.c src/store/upgrade.c src/store/sqlite_open.c src/store/postgresql_schema.c src/daemon/commands_upgrade.c
"""An upgrade whose schema adds a kind, a field and a word. The database of the former version is made from one of this version, by taking the three
out. `all-upgrades.py` runs a former version itself."""
import re
import sqlite3
import subprocess
import sys
import os

import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import DARI, Dev  # noqa: E402
from postgresql import Server  # noqa: E402

FORMER = "f" * 64
KIND, FIELD, WORD = "launch_template", ("instance", "protect_terminate"), ("server_group", "policy", "partition")


class File:
    """SQLite."""

    def __init__(self, folder):
        self.folder, self.options = str(folder), []

    def sql(self, statement):
        with sqlite3.connect(f"{self.folder}/dari.db") as database:
            rows = database.execute(statement).fetchall()
        database.close()
        return ["|".join(map(str, row)) for row in rows]


class Database:
    """PostgreSQL."""

    def __init__(self, server, folder):
        self.server, self.folder = server, str(folder)
        self.options = ["--store", server.create(folder.parent.name.replace("[", "").replace("]", ""))]
        self.name = folder.parent.name.replace("[", "").replace("]", "")

    def sql(self, statement):
        return self.server.sql(self.name, statement)


@pytest.fixture(scope="module", name="server")
def start_server():
    with Server() as running:
        yield running


@pytest.fixture(name="place", params=["sqlite", "postgresql"])
def make_place(request, tmp_path):
    folder = tmp_path / "data"
    return File(folder) if request.param == "sqlite" else Database(request.getfixturevalue("server"), folder)


def open_region(place):
    return Dev("--data", place.folder, *place.options)


def run(dev, *words):
    return subprocess.run([DARI, "--config", dev.config, *words], capture_output=True, text=True, check=False)


def make_former(place):
    """Makes the stopped region's database one that a former version has confirmed."""
    text = place.sql("SELECT value FROM meta WHERE name = 'schema_level'")
    lines = "\n".join(text).splitlines()
    lines = [line for line in lines if not line.startswith(f"{KIND} ")]
    lines = [line.replace(f" {FIELD[1]}:bool", "") if line.startswith(f"{FIELD[0]} ") else line for line in lines]
    lines = [line.replace(f"|{WORD[2]}", "") if line.startswith(f"{WORD[0]} ") else line for line in lines]
    level = "\n".join(lines)
    assert len("\n".join(text)) > len(level) + 100
    place.sql(f"UPDATE meta SET value = '{level}' WHERE name = 'schema_level'")
    place.sql(f"UPDATE meta SET value = '{FORMER}' WHERE name = 'schema_hash'")
    place.sql("UPDATE meta SET value = '0.1' WHERE name = 'schema_program'")
    place.sql(f'DROP TABLE "{KIND}"')
    place.sql(f'ALTER TABLE "{FIELD[0]}" DROP COLUMN "{FIELD[1]}"')


def level_in_force(place):
    return place.sql("SELECT value FROM meta WHERE name = 'schema_hash'")[0]


def launch(ec2, **more):
    image = ec2.describe_images()["Images"][0]["ImageId"]
    return ec2.run_instances(ImageId=image, InstanceType="t3.nano", MinCount=1, MaxCount=1, **more)["Instances"][0]["InstanceId"]


def try_news(ec2, instance):
    """What needs the kind, the field and the word, in this order."""
    yield lambda: ec2.create_launch_template(LaunchTemplateName="new", LaunchTemplateData={"InstanceType": "t3.nano"})
    yield lambda: ec2.modify_instance_attribute(InstanceId=instance, DisableApiTermination={"Value": True})
    yield lambda: ec2.create_placement_group(GroupName="new", Strategy="partition", PartitionCount=2)


def check_refused(ec2, instance):
    for attempt in try_news(ec2, instance):
        with pytest.raises(botocore.exceptions.ClientError) as refused:
            attempt()
        assert "dari upgrade confirm" in str(refused.value), refused.value
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert not ec2.describe_launch_templates()["LaunchTemplates"]


def check_words(dev):
    """The operator reads what is in force, and what confirming does."""
    shown = run(dev, "upgrade", "show").stdout
    assert f"level {FORMER[:8]}, of dari 0.1" in shown and "1 kinds, 1 fields and 1 words" in shown, shown
    assert all(name in shown for name in (KIND, ".".join(FIELD), "server_group.policy = partition")), shown
    doctor = run(dev, "doctor").stdout
    assert re.search("^ok  schema level +that of a former version.*dari upgrade confirm", doctor, re.MULTILINE), doctor


def test_an_upgrade(place):
    """What is new is refused until it is confirmed; what is old works throughout; restarts change nothing."""
    with open_region(place) as dev:
        instance = launch(dev.account.client())
        dev.rest()
        assert "nothing to confirm" in run(dev, "upgrade", "show").stdout
    make_former(place)
    for _ in range(2):
        with open_region(place) as dev:
            ec2 = dev.account.client()
            check_refused(ec2, instance)
            check_words(dev)
            second = launch(ec2)
            ec2.create_placement_group(GroupName=f"of-{second}", Strategy="spread")
            dev.rest()
            assert dev.audit() == []
        assert level_in_force(place) == FORMER
    with open_region(place) as dev:
        confirmed = run(dev, "upgrade", "confirm")
        assert confirmed.returncode == 0 and "Confirmed" in confirmed.stdout, confirmed
        assert "Nothing to confirm" in run(dev, "upgrade", "confirm").stdout
        for attempt in try_news(dev.account.client(), instance):
            attempt()
        assert dev.audit() == []
    assert level_in_force(place) != FORMER
    with open_region(place) as dev:
        assert [t["LaunchTemplateName"] for t in dev.account.client().describe_launch_templates()["LaunchTemplates"]] == ["new"]


def test_an_older_program_keeps_what_it_does_not_know(place):
    """This program plays the older one: a newer one has added a column and a table."""
    with open_region(place) as dev:
        instance = launch(dev.account.client())
        dev.rest()
    place.sql("ALTER TABLE instance ADD COLUMN colour TEXT NOT NULL DEFAULT 'none'")
    place.sql("CREATE TABLE newer (id TEXT PRIMARY KEY)")
    place.sql("UPDATE instance SET colour = 'blue'")
    with open_region(place) as dev:
        ec2 = dev.account.client()
        ec2.create_tags(Resources=[instance], Tags=[{"Key": "a", "Value": "b"}])
        ec2.stop_instances(InstanceIds=[instance])
        launch(ec2)
        dev.rest()
        assert dev.audit() == []
        assert "nothing to confirm" in run(dev, "upgrade", "show").stdout
    assert sorted(place.sql("SELECT colour FROM instance")) == ["blue", "none"]


def test_an_older_program_is_refused_after_the_confirmation(place):
    """Its words name what it does not know, and the version that does."""
    with open_region(place):
        pass
    place.sql("UPDATE meta SET value = '9.9' WHERE name = 'schema_program'")
    place.sql(f"UPDATE meta SET value = '{FORMER}' WHERE name = 'schema_hash'")
    level = "\n".join(place.sql("SELECT value FROM meta WHERE name = 'schema_level'"))
    for wrong, named in [(level + "\nrocket name:text", "rocket"), (level.replace("\ninstance ", "\ninstance thrust:int "), "instance.thrust"),
                         (level.replace(f"|{WORD[2]}", f"|{WORD[2]}|orbit"), "server_group.policy = orbit")]:
        place.sql(f"UPDATE meta SET value = '{wrong}' WHERE name = 'schema_level'")
        with pytest.raises(RuntimeError) as refused:
            open_region(place)
        assert f"was confirmed for another version of dari, 9.9: it has {named}" in str(refused.value), refused.value
        assert "restore a backup made before" in str(refused.value)


def test_another_version_that_runs_prevents_the_confirmation(server, tmp_path):
    """Connections of PostgreSQL name the version and the process."""
    place = Database(server, tmp_path / "data")
    with open_region(place):
        pass
    make_former(place)
    with open_region(place) as dev:
        other = subprocess.Popen(["/usr/bin/psql", "-XAtq", "-h", server.folder, "-U", "postgres", "-d", place.name], stdin=subprocess.PIPE, text=True,
                                 stdout=subprocess.PIPE, env=dict(os.environ, PGAPPNAME="dari ffffffff 0.1 hv9:4711"))
        other.stdin.write("SELECT 1;\n")
        other.stdin.flush()
        assert other.stdout.readline() == "1\n"
        shown = run(dev, "upgrade", "show").stdout
        assert re.search(r"^connected +dari ffffffff 0\.1 hv9:4711  \(another version\)$", shown, re.MULTILINE), shown
        assert re.search(rf"^connected +dari [0-9a-f]{{8}} \S+ \S+:{dev.process.pid}$", shown, re.MULTILINE), shown
        refused = run(dev, "upgrade", "confirm")
        assert refused.returncode == 1 and "hv9:4711" in refused.stderr, refused
        assert level_in_force(place) == FORMER
        other.communicate("\\q\n")
        assert run(dev, "upgrade", "confirm").returncode == 0
        assert dev.audit() == []


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

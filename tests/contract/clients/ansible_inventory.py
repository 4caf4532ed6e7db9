#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: ansible src/api/native src/engine/remote
"""The inventory plugin dari.region.all, loaded by Debian's ansible-inventory from the collection in the tree: instances of the region and machines of a
provider, as groups and variables. Names that would be templates, or this computer, are harmless."""
import json
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import elsewhere  # noqa: E402
from dev import REGION, ROOT, Dev  # noqa: E402
from elsewhere import launch, machines, provider  # noqa: E402
from waiting import wait_until  # noqa: E402

TEMPLATE = "{{ 6 * 7 }}"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with Dev() as there, Dev() as home:
        there.ec2, home.ec2 = there.account.client(), home.account.client()
        home.folder = tmp_path_factory.mktemp("ansible")
        home.there = {name: launch(there, name=name)[0] for name in ("shop", "web", "localhost", TEMPLATE)}
        home.here = launch(home, name="web")[0]
        home.there["disguised"] = launch(there, name=f"web-{home.here}")[0]
        elsewhere.add(home, "bank", "aws", there)
        wait_until(lambda: len(machines(home, "bank")) == len(home.there), "the listing", shows=lambda: provider(home, "bank"))
        yield home


def inventory(world, text="", **env):
    file = world.folder / "dari.yml"
    file.write_text(f"plugin: dari.region.all\nurl: {world.url}\n{text}")
    key = world.account
    env = {"DARI_ACCESS_KEY_ID": key.key_id, "DARI_SECRET_ACCESS_KEY": key.secret, "DARI_REGION": REGION, **env}
    return subprocess.run(["/usr/bin/ansible-inventory", "-i", str(file), "--list"], capture_output=True, text=True, check=False,
                          env={"PATH": os.environ["PATH"], "HOME": str(world.folder), "ANSIBLE_COLLECTIONS_PATH": f"{ROOT}/ansible",
                               "ANSIBLE_INVENTORY_ENABLED": "dari.region.all", "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1", **env})


def listed(world, text="", **env):
    done = inventory(world, text, **env)
    assert done.returncode == 0, done
    return json.loads(done.stdout)


def test_everything(world):
    """Machines of both clouds are hosts. Hosts with the same name have their ids behind it."""
    found = listed(world, "keyed_groups:\n  - {key: dari_type, prefix: type}\n")
    hosts = found["_meta"]["hostvars"]
    here, there = f"web-{world.here}", f"web-{world.there['web']}"
    disguised = f"{here}-{world.there['disguised']}"  # a machine elsewhere with the name that an instance here would have
    assert {here, there, "shop", disguised} <= set(hosts) and hosts[here]["dari_cloud"] == "dari" and hosts[disguised]["dari_cloud"] == "aws"
    assert len(hosts) == len(world.there) + 1, hosts
    assert found["cloud_dari"]["hosts"] == [here] and set(found["provider_bank"]["hosts"]) == set(hosts) - {here}
    assert set(found["power_running"]["hosts"]) == set(found["type_t3_micro"]["hosts"]) == set(hosts)
    row = machines(world, "bank")[world.there["shop"]]
    shop = hosts["shop"]
    assert (shop["dari_ref"], shop["dari_cloud"], shop["dari_zone"]) == (row["ref"], "aws", row["zone"]) and shop["dari_tags"] == {"Name": "shop"}
    assert shop["ansible_host"] == (row.get("public_ips") or row["private_ips"])[0] and shop["dari_refreshed_us"] > 0
    assert hosts[here]["ansible_host"] == world.ec2.describe_instances(InstanceIds=[world.here])["Reservations"][0]["Instances"][0]["PublicIpAddress"]


def test_names_of_strangers(world):
    """A name from another cloud is data: neither this computer's nor a template."""
    hosts = listed(world, "compose:\n  said: dari_name\n")["_meta"]["hostvars"]
    assert "localhost" not in hosts and world.there["localhost"] in hosts
    hostile = hosts[world.there[TEMPLATE]]
    assert "42" not in json.dumps([hostile["dari_name"], hostile["said"], hostile["dari_tags"]]), hostile
    play = world.folder / "play.json"
    play.write_text(json.dumps([{"hosts": world.there[TEMPLATE], "gather_facts": False, "connection": "local",
                                 "tasks": [{"assert": {"that": ["dari_name | length == 11", "dari_tags.Name | length == 11"]}}]}]))
    key = world.account
    done = subprocess.run(["/usr/bin/ansible-playbook", "-i", str(world.folder / "dari.yml"), str(play)], capture_output=True, text=True, check=False,
                          env={"PATH": os.environ["PATH"], "HOME": str(world.folder), "ANSIBLE_COLLECTIONS_PATH": f"{ROOT}/ansible",
                               "ANSIBLE_INVENTORY_ENABLED": "dari.region.all", "DARI_ACCESS_KEY_ID": key.key_id, "DARI_SECRET_ACCESS_KEY": key.secret})
    assert done.returncode == 0, done


def test_narrowed(world):
    assert set(listed(world, "scope: here\n")["_meta"]["hostvars"]) == {"web"}
    assert "web" in listed(world, "scope: elsewhere\n")["_meta"]["hostvars"]
    assert not listed(world, "states: [stopped]\n")["_meta"]["hostvars"]


def test_refused(world):
    """Wrong credentials end with the region's words."""
    done = inventory(world, DARI_SECRET_ACCESS_KEY="wrong")
    assert done.returncode and "401" in done.stderr and "signature" in done.stderr, done
    done = inventory(world, DARI_ACCESS_KEY_ID="")
    assert done.returncode and "DARI_ACCESS_KEY_ID" in done.stderr, done


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

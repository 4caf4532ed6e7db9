#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/engine/licence src/model/licence.c src/drivers/remote/draft.c src/drivers/remote/ec2/answer.c src/drivers/remote/azure/answer.c src/drivers/remote/hyperv src/daemon/subscriptions
"""Licences of machines elsewhere: an own subscription takes an entitlement as one here does, and a licence that the cloud includes takes none. The cloud's
codes tell which is which. virt-who's mapping has the hosts of Hyper-V with their guests."""
import csv
import io
import json
import os
import sys
import uuid

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import elsewhere  # noqa: E402
import winrm  # noqa: E402
from dev import Dev  # noqa: E402
from elsewhere import launch, machines, provider, run  # noqa: E402
from waiting import wait_until  # noqa: E402

CLOUDS = ("aws", "azure")


@pytest.fixture(scope="module")
def world():
    """Two instances here with a subscription of their own, and elsewhere one of each source."""
    with Dev() as there, Dev() as home:
        there.ec2, home.there, home.ec2 = there.account.client(), there, home.account.client()
        image = there.ec2.describe_images()["Images"][0]["ImageId"]
        home.refs = {}
        for source in ("included", "byos"):
            assert run(there, "subscriptions", "image", image, f"rhel:{source}").returncode == 0
            home.refs[source] = launch(there, 1, source)[0]
        own = home.ec2.describe_images()["Images"][0]["ImageId"]
        assert run(home, "subscriptions", "image", own, "rhel:byos").returncode == 0
        home.ec2.run_instances(ImageId=own, InstanceType="t3.micro", MinCount=2, MaxCount=2)
        home.rest()
        yield home


def needs(world):
    done = run(world, "subscriptions", "--json")
    return {(n["product"], n["source"]): n for n in json.loads(done.stdout)}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_sources(world, cloud):
    """Each cloud's own codes; the same machines count once more, because they are another provider's."""
    before = needs(world).get(("rhel", "byos"), {"needed": 0})["needed"]
    elsewhere.add(world, cloud, cloud, world.there)
    wait_until(lambda: len(machines(world, cloud)) == 2, "the machines", shows=lambda: provider(world, cloud))
    sources = sorted(m["licences"] for m in machines(world, cloud).values())
    assert sources == ([["rhel:byos"], ["rhel:included"]] if cloud == "aws" else [[], ["rhel:byos"]]), sources  # Azure tells by the vendor's image
    found = needs(world)
    assert found["rhel", "byos"]["needed"] == before + 1 and ("rhel", "included") not in found, found


def test_one_entitlement_for_both(world):
    """Guests here and elsewhere need the same entitlements."""
    number = world.account.client("sts").get_caller_identity()["Account"]
    world.command("subscriptions", "entitle", "rhel", "--quantity", "3", "--account", number)
    need = needs(world)["rhel", "byos"]
    assert need["needed"] == 4 and need["entitled"] == 3 and need["over"], need
    assert {g["provider"] for g in need["instances"] if "machine" in g} == set(CLOUDS), need
    assert world.refs["byos"] in {g.get("machine") for g in need["instances"]}, need
    done = run(world, "subscriptions")
    assert done.returncode == 1 and f"{world.refs['byos']}" in done.stdout and "on aws" in done.stdout, done


def test_report(world):
    """Cloud Access counts both; licences of other clouds by the hour are theirs to report. A machine counts once it has
    run into another second."""
    def rows():
        return list(csv.DictReader(io.StringIO(run(world, "subscriptions", "report").stdout)))
    wait_until(lambda: sum(int(r["instances"]) for r in rows()) == 4, "the report counts four", shows=rows)
    assert {(r["product"], r["source"]) for r in rows()} == {("rhel", "byos")}


def test_a_stopped_machine_needs_none(world):
    world.there.ec2.stop_instances(InstanceIds=[world.refs["byos"]])
    world.there.rest()
    wait_until(lambda: needs(world)["rhel", "byos"]["needed"] == 2, "two needs fewer", shows=lambda: needs(world))


def test_mapping(world):
    """A host of Hyper-V, named by its own name, with what its guests see as dmi.system.uuid."""
    there = winrm.Host(schemes=("ntlm",))
    try:
        done = run(world, "provider", "add", "hyperv", "windows", "--region", "host", "--login", "CORP\\dari", "--secret-stdin", "--endpoint", there.url, "--poll-s", "1",
                   "--account", elsewhere.owner(world), "--json", text="pass<word>\n")
        assert done.returncode == 0, done

        def host():
            mapping = json.loads(run(world, "subscriptions", "virt-who").stdout)["hypervisors"]
            return next((h for h in mapping if h["name"] == "HV1"), None)
        wait_until(lambda: host() and len(host()["guestIds"]) == len(there.machines), "the mapping", shows=host)
        found = host()
        assert {g["guestId"] for g in found["guestIds"]} == {str(uuid.uuid5(uuid.NAMESPACE_OID, guid)) for guid in there.machines}, found
        assert found["facts"] == {"cpu.cpu_socket(s)": "2", "hypervisor.type": "hyperv"} and found["hypervisorId"] == {"hypervisorId": "HV1"}, found
        assert {g["attributes"]["virtWhoType"] for g in found["guestIds"]} == {"hyperv"} and {g["state"] for g in found["guestIds"]} <= {0, 1, 5}, found
        assert len(json.loads(run(world, "subscriptions", "virt-who").stdout)["hypervisors"]) > 1  # those here, too
    finally:
        there.end()


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

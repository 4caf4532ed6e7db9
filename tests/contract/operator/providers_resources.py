#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/remote src/engine/remote src/reconcile/remote src/daemon/client/commands_remote.c schema/remote_resource.toml
"""Resources of providers that are no machines: one `dari dev` lists images, networks, volumes and the rest of another one through each of its faces. Then changes
there, missing rights, bad answers, types that vanish, and the rights of accounts here."""
import json
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import elsewhere  # noqa: E402
import native  # noqa: E402
from dev import REGION, Dev  # noqa: E402
from elsewhere import add, launch, provider, run  # noqa: E402
from waiting import wait_until  # noqa: E402

TYPES = {"image", "network", "subnet", "security_group", "volume", "snapshot", "instance_type", "key_pair", "address"}
# Types that a cloud does not list: docs/remotes.md. EC2's security groups are not shown as Azure's.
NOT_LISTED = {"aws": set(), "openstack": set(), "cloudstack": {"subnet"}, "azure": {"instance_type", "security_group"}}


def resources(home, name="there", **wanted):
    """Resources of a provider by type and id."""
    rows = home.command("remote", "resources", "--provider", name)
    return {(r["type"], r["ref"]): r for r in rows if all(r.get(k) == v for k, v in wanted.items())}


def refresh(home, name="there", *options):
    assert run(home, "provider", "refresh", name, *options).returncode == 0


def furnish(there):
    """Makes a resource of each type that a new account lacks."""
    ec2 = there.account.client()
    there.ec2 = ec2
    there.refs = launch(there)
    zone = ec2.describe_instances(InstanceIds=there.refs)["Reservations"][0]["Instances"][0]["Placement"]["AvailabilityZone"]
    tags = [{"ResourceType": "volume", "Tags": [{"Key": "Name", "Value": "data"}, {"Key": "team", "Value": "red"}]}]
    there.volume = ec2.create_volume(Size=1, AvailabilityZone=zone, TagSpecifications=tags)["VolumeId"]
    there.rest()
    ec2.attach_volume(VolumeId=there.volume, InstanceId=there.refs[0], Device="/dev/sdf")
    there.rest()
    there.snapshot = ec2.create_snapshot(VolumeId=there.volume)["SnapshotId"]
    ec2.create_key_pair(KeyName="ann")
    ec2.allocate_address()
    there.image = ec2.create_image(InstanceId=there.refs[0], Name="golden")["ImageId"]
    there.rest()


@pytest.fixture(scope="module")
def world():
    with Dev() as there, Dev() as home:
        furnish(there)
        home.there, home.admin, home.proxy = there, native.admin(home), elsewhere.Proxy(there)
        add(home, "there", "aws", there, home.proxy.url)
        for kind in ("openstack", "cloudstack", "azure"):
            add(home, kind, kind, there)
        yield home
        home.proxy.end()


@pytest.fixture(autouse=True)
def honest(world):
    yield
    world.proxy.spoil, world.proxy.change = lambda *_: None, lambda path, body, answer: answer


@pytest.mark.parametrize("kind", NOT_LISTED)
def test_list(world, kind):
    """Each cloud lists each type, in one form; the same volume is the same in all."""
    name = "there" if kind == "aws" else kind
    wanted = TYPES - NOT_LISTED[kind]
    wait_until(lambda: {t for t, _ in resources(world, name)} == wanted, f"all types of {name}",
               shows=lambda: ({t for t, _ in resources(world, name)} ^ wanted, provider(world, name).get("unlisted")))
    assert not provider(world, name).get("unlisted") and provider(world, name)["status"] == "ok"
    digits = world.there.volume[4:]
    volume = next(r for (t, ref), r in resources(world, name).items() if t == "volume" and digits in ref.replace("-", ""))
    assert volume["size"] == 1 << 30 and world.there.refs[0][2:] in volume["parent"].replace("-", ""), volume
    assert volume.get("remote_tags", {}).get("team") == "red" or kind == "cloudstack" and volume["remote_tags"], volume
    subnets = [r for (t, _), r in resources(world, name).items() if t == "subnet"]
    networks = {ref for t, ref in resources(world, name) if t == "network"}
    assert all(s["parent"] in networks and "/" in s["attributes"]["cidr"] for s in subnets), subnets
    assert all(r["refreshed_us"] > 0 for r in resources(world, name).values())


def test_changes_there(world):
    """A listing finds new resources, with an event; two listings forget deleted ones."""
    ec2 = world.there.ec2
    zone = ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
    made = ec2.create_volume(Size=2, AvailabilityZone=zone)["VolumeId"]
    world.there.rest()
    refresh(world)
    wait_until(lambda: resources(world).get(("volume", made), {}).get("state") == "available", "the new volume")
    row = resources(world)["volume", made]
    assert "found" in [e["what"] for e in world.admin.api_ok("GET", f"/remote-resources/{row['id']}/events")["items"]]
    assert row["id"] in json.dumps(native.own(world).api_ok("GET", f"/search?q={made}")), "search finds it"
    ec2.delete_volume(VolumeId=made)
    world.there.rest()
    wait_until(lambda: ("volume", made) not in resources(world), "the end", shows=lambda: resources(world).get(("volume", made)))
    assert not world.account.client().describe_volumes()["Volumes"], "resources elsewhere are never in a face's local answers"


def test_quiet(world):
    """Listings without changes commit nothing, and make the rows fresher."""
    def fresh(kind):
        return min(r["refreshed_us"] for (t, _), r in resources(world).items() if t == kind)
    since = fresh("network")
    wait_until(lambda: fresh("network") > since, "a listing of networks")
    elsewhere.is_quiet(world)


def test_missing_right(world):
    """A type that may not be listed is named, with the cloud's reason; the others and the provider are not concerned."""
    iam = world.there.account.client("iam")
    iam.create_user(UserName="partial")
    key = iam.create_access_key(UserName="partial")["AccessKey"]
    statements = [{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": ["ec2:DescribeVpcs", "ec2:DescribeKeyPairs"], "Resource": "*"}]
    iam.put_user_policy(UserName="partial", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements}))
    done = run(world, "provider", "add", "aws", "partial", "--region", REGION, "--login", key["AccessKeyId"], "--secret-stdin", "--endpoint",
               world.there.url, "--poll-s", "1", "--account", elsewhere.owner(world), text=key["SecretAccessKey"] + "\n")
    assert done.returncode == 0, done
    wait_until(lambda: [u.split(":")[0] for u in provider(world, "partial").get("unlisted", [])] == ["network", "key_pair"]
               and {t for t, _ in resources(world, "partial")} == TYPES - {"network", "key_pair"}, "the refusals", shows=lambda: provider(world, "partial"))
    shown = provider(world, "partial")
    assert shown["status"] == "ok" and all("UnauthorizedOperation" in u for u in shown["unlisted"]), shown
    assert "unlisted  network: UnauthorizedOperation" in run(world, "provider", "show", "partial").stdout
    statements.pop()
    iam.put_user_policy(UserName="partial", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements}))
    wait_until(lambda: not provider(world, "partial").get("unlisted") and {t for t, _ in resources(world, "partial")} == TYPES, "the rights")
    assert run(world, "provider", "remove", "partial").returncode == 0
    wait_until(lambda: not resources(world, "partial") and "partial" not in [p["name"] for p in world.command("provider", "list")], "the removal")


def spoil(world, action, answer):
    """Answers that call by itself."""
    world.proxy.spoil = lambda method, path, body: answer if f"Action={action}&".encode() in body else None
    refresh(world)


def is_unlisted(world, kind, words):
    wait_until(lambda: any(u.startswith(f"{kind}: ") and words in u for u in provider(world).get("unlisted", [])), words, shows=lambda: provider(world))
    assert provider(world)["status"] == "ok"


def test_hostile(world):
    """Cut, foreign and endless answers leave the rows as they were."""
    before = set(resources(world))
    spoil(world, "DescribeVolumes", (200, {}, b"<DescribeVolumesResponse><volumeSet>"))
    is_unlisted(world, "volume", "ends early")
    spoil(world, "DescribeVolumes", (200, {}, b"<html>maintenance</html>"))
    is_unlisted(world, "volume", "it is no DescribeVolumesResponse")
    items = b"".join(b"<item><volumeId>vol-%d</volumeId></item>" % k for k in range(5001))
    spoil(world, "DescribeVolumes", (200, {}, b"<DescribeVolumesResponse><volumeSet>" + items + b"</volumeSet></DescribeVolumesResponse>"))
    is_unlisted(world, "volume", "a page has more than 5000 resources")
    assert set(resources(world)) == before
    world.proxy.spoil = lambda *_: None
    refresh(world)
    wait_until(lambda: not provider(world).get("unlisted"), "rest", shows=lambda: provider(world))
    assert set(resources(world)) == before


def test_vanished(world):
    """If most of a type are missing at once, they stay until somebody says that they are gone."""
    ec2 = world.there.ec2
    for n in range(12):
        ec2.create_key_pair(KeyName=f"key-{n}")
    refresh(world)
    wait_until(lambda: len([1 for t, _ in resources(world) if t == "key_pair"]) == 13, "the key pairs")
    empty = re.compile(rb"<keySet>.*</keySet>", re.DOTALL)
    world.proxy.change = lambda path, body, answer: empty.sub(b"<keySet/>", answer) if b"Action=DescribeKeyPairs&" in body else answer
    is_unlisted(world, "key_pair", "lacked 13 of 13")
    assert len([1 for t, _ in resources(world) if t == "key_pair"]) == 13
    refresh(world, "there", "--accept-loss")
    wait_until(lambda: not [1 for t, _ in resources(world) if t == "key_pair"], "the loss")


def test_rights_here(world):
    """Another account sees nothing."""
    other = native.another(world, "mine")
    assert not other.rows("/remote-resources")
    row = next(iter(resources(world).values()))
    assert other.api("GET", f"/remote-resources/{row['id']}").status == 404


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

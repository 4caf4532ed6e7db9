#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/remote src/engine/remote src/reconcile/remote src/api/native/remote/remotes.c src/daemon/client/commands_remote.c
"""Machines that are created and resized in a cloud elsewhere. The region is killed before and after each request of an act, also while the answer is on its
way: there is never a second machine, and never one without its row."""
import json
import os
import shutil
import signal
import sys
import tempfile
import threading

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import elsewhere  # noqa: E402
from dev import Dev  # noqa: E402
from elsewhere import machines, rests, run  # noqa: E402
from waiting import wait_until  # noqa: E402

KEY = b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGWrnDmbTVbdaWdQ0S1XZkn2QJ6rIxdGAXBWVkEeLvZG ann"
CLOUDS = ["aws", "openstack", "cloudstack", "azure"]
PATHS = {"aws": "", "openstack": "/identity/v3", "cloudstack": "/client/api", "azure": ""}
# what is in a request that creates, and in one that stops
CREATES = {"aws": b"Action=RunInstances", "openstack": b'"flavorRef"', "cloudstack": b"command=deployVirtualMachine", "azure": b'"imageReference"'}
STOPS = {"aws": b"Action=StopInstances", "openstack": b"os-stop", "cloudstack": b"command=stopVirtualMachine", "azure": b"/deallocate"}


class World:
    """The cloud, a proxy in front of it for each face, and a region that can be killed and started again with its data."""

    def __init__(self, there):
        self.there, self.data = there, tempfile.mkdtemp()
        there.ec2 = there.account.client()
        elsewhere.launch(there, 16, "others")  # so that a machine that goes is less than 30 % of all
        image = there.ec2.describe_images()["Images"][0]["ImageId"]
        digits = image[4:]
        self.image = {"aws": image}
        self.proxies = {kind: elsewhere.Proxy(there, PATHS[kind]) for kind in CLOUDS}
        for proxy in self.proxies.values():
            proxy.change = lambda path, body, answer, port=proxy.port: answer.replace(b"127.0.0.1:%d" % there.port, b"127.0.0.1:%d" % port)
        self.home = Dev("--data", self.data)
        for kind in CLOUDS:
            elsewhere.add(self.home, kind, kind, there, self.proxies[kind].url)
        project = elsewhere.cloud.own(there)
        images = project.ok("GET", "/image/v2/images")["images"]
        found = next(i["id"] for i in images if i["id"].replace("-", "").startswith(digits))
        self.image.update(openstack=found, cloudstack=found)
        self.options = {kind: [] for kind in CLOUDS}
        self.find_azure()
        self.zone = there.ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]

    def find_azure(self):
        """The image in Azure's form, and what every machine needs there: a subnet and a key pair."""
        self.there.ec2.import_key_pair(KeyName="ann", PublicKeyMaterial=KEY)
        wait_until(lambda: machines(self.home, "azure"), "the machines")
        self.image["azure"] = next(iter(machines(self.home, "azure").values()))["image"]

        def refs(kind):
            return sorted(r["ref"] for r in self.home.command("remote", "resources", "--provider", "azure") if r["type"] == kind)
        wait_until(lambda: refs("key_pair") and refs("subnet"), "the subnets and the key pair", shows=lambda: elsewhere.provider(self.home, "azure"))
        self.options["azure"] = ["--subnet", refs("subnet")[0], "--key", refs("key_pair")[0]]

    def again(self):
        """Kills the region, and starts it with the same data on the same port."""
        port = self.home.port
        self.home.end(signal.SIGKILL)
        self.home = Dev("--data", self.data, port=port)

    def create(self, kind, name):
        self.before = self.count()
        options = ["--zone", self.zone] if kind == "cloudstack" else self.options[kind]
        done = run(self.home, "remote", "create", name, "--provider", kind, "--image", self.image[kind], "--type", "t3.micro", *options)
        assert done.returncode == 0, done

    def rows(self, kind, name):
        return [m for m in machines(self.home, kind).values() if m.get("name") == name]

    def made(self):
        """Number of machines that were made there since the last create()."""
        return self.count() - self.before

    def count(self):
        return sum(len(r["Instances"]) for r in self.there.ec2.describe_instances()["Reservations"])


@pytest.fixture(scope="module")
def world():
    with Dev() as there:
        w = World(there)
        yield w
        w.home.end()
        shutil.rmtree(w.data)


@pytest.fixture(autouse=True)
def honest(world):
    yield
    for proxy in world.proxies.values():
        proxy.spoil = lambda *_: None


def exists_once(world, kind, name):
    """Waits until there is one row with the cloud's id and one machine; then that another listing changes nothing."""
    def is_so():
        rows = world.rows(kind, name)
        assert not any(r.get("act_problem") for r in rows), rows
        return len(rows) == 1 and rows[0]["power"] == "running" and rows[0]["act"] == "none" and not rows[0]["ref"].startswith("new-")
    wait_until(is_so, f"one {name}", shows=lambda: world.rows(kind, name))
    since = elsewhere.provider(world.home, kind)["refreshed_us"]
    wait_until(lambda: elsewhere.provider(world.home, kind).get("refreshed_us", 0) > (since or 0), "a listing")
    assert len(world.rows(kind, name)) == 1 and world.made() == 1


@pytest.mark.parametrize("kind", CLOUDS)
def test_create(world, kind):
    """A machine is created from an image; its row gets the cloud's id and state; it is terminated again."""
    world.create(kind, f"plain-{kind}")
    exists_once(world, kind, f"plain-{kind}")
    row = world.rows(kind, f"plain-{kind}")[0]
    assert row["type"] == "t3.micro" and row["image"] == world.image[kind]
    assert run(world.home, "remote", "terminate", row["id"]).returncode == 0
    wait_until(lambda: all(r["power"] == "terminated" for r in world.rows(kind, f"plain-{kind}")), "the end")


@pytest.mark.parametrize("kind", CLOUDS)
def test_refused(world, kind):
    """A creation that the cloud refuses says why, and its row goes."""
    world.before = world.count()
    done = run(world.home, "remote", "create", "refused", "--provider", kind, "--image", world.image[kind], "--type", "no.such", *(
        ["--zone", world.zone] if kind == "cloudstack" else world.options[kind]))
    assert done.returncode == 0, done
    wait_until(lambda: not world.rows(kind, "refused"), "that the row goes", shows=lambda: world.rows(kind, "refused"))
    assert world.made() == 0


def lose(world, kind, word, passes):
    """The first request with that word is cut off: before it is passed on, or its answer is. Returns the event that this has happened, and a function that
    ends the fault."""
    proxy, came = world.proxies[kind], threading.Event()
    change = proxy.change

    def cut(_method, path, body):
        if word not in path.encode() + body or came.is_set():
            return None
        came.set()
        return 0, {}, b""

    def empty(path, body, answer):
        if word in path.encode() + body and not came.is_set():
            came.set()
            return b""
        return change(path, body, answer)

    if passes:
        proxy.change = empty
    else:
        proxy.spoil = cut
    return came, lambda: setattr(proxy, "change", change)


@pytest.mark.parametrize("passes", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("kind", CLOUDS)
def test_killed_in_creation(world, kind, passes):
    """The region dies as the request that creates is sent, or when the machine stands and its answer is lost."""
    name = f"killed-{kind}-{passes}".lower()
    came, release = lose(world, kind, CREATES[kind], passes)
    world.create(kind, name)
    assert came.wait(120)
    world.again()
    release()
    exists_once(world, kind, name)


@pytest.mark.parametrize("kind", CLOUDS)
def test_killed_in_stop(world, kind):
    """The same in an act on a machine: it is carried out once."""
    row = world.rows(kind, f"killed-{kind}-true")[0]
    for passes in (False, True):
        came, release = lose(world, kind, STOPS[kind], passes)
        assert run(world.home, "remote", "stop", row["id"]).returncode == 0
        assert came.wait(120)
        world.again()
        release()
        rests(world.home, row["ref"], "stopped", kind)
        assert run(world.home, "remote", "start", row["id"]).returncode == 0
        rests(world.home, row["ref"], "running", kind)


@pytest.mark.parametrize("kind", CLOUDS)
def test_resize(world, kind):
    """A stopped machine gets another type."""
    row = world.rows(kind, f"killed-{kind}-true")[0]
    assert run(world.home, "remote", "stop", row["id"]).returncode == 0
    rests(world.home, row["ref"], "stopped", kind)
    assert run(world.home, "remote", "resize", row["id"], "--type", "t3.small").returncode == 0
    wait_until(lambda: machines(world.home, kind)[row["ref"]]["type"] == "t3.small" and machines(world.home, kind)[row["ref"]]["act"] == "none", "the other type",
               shows=lambda: machines(world.home, kind)[row["ref"]])
    assert "act_problem" not in machines(world.home, kind)[row["ref"]]


@pytest.mark.parametrize("kind", CLOUDS)
def test_closed_connection(world, kind):
    """The cloud creates the machine, and closes the connection, which was open before, without an answer: the request is not sent again."""
    proxy, word, closed = world.proxies[kind], CREATES[kind], []
    change = proxy.change

    def close(path, body, answer):
        if word in body and not closed:
            closed.append(path)
            return None
        return change(path, body, answer)
    proxy.change = close
    asked = proxy.asked(word.decode())
    world.create(kind, f"closed-{kind}")
    try:
        exists_once(world, kind, f"closed-{kind}")
    finally:
        proxy.change = change
    assert closed and proxy.asked(word.decode()) == asked + 1


def test_ignored_filter(world):
    """If a cloud ignores the filter and lists all machines, Dari takes none of them for the new one."""
    proxy, other = world.proxies["aws"], []
    change = proxy.change

    def ignore(path, body, answer):
        if b"Action=DescribeInstances" in body and b"Filter.1" not in body and b"DryRun" not in body and b"i-" not in body:
            other[:] = [answer]
        return other[0] if other and b"Filter.1" in body else change(path, body, answer)
    proxy.change = ignore
    try:
        wait_until(lambda: other, "a listing")
        world.create("aws", "unfiltered")
        exists_once(world, "aws", "unfiltered")
    finally:
        proxy.change = change


def test_azure_interface_goes_along(world):
    """The interface that was made for a machine is removed with it, and with a machine that was refused."""
    def interfaces():
        return [i for i in world.there.ec2.describe_network_interfaces()["NetworkInterfaces"] if i["Status"] == "available"]
    wait_until(lambda: not interfaces(), "that no interface is left", shows=interfaces)
    row = world.rows("azure", "closed-azure")[0]
    instance = world.there.ec2.describe_instances(Filters=[{"Name": "tag:dari:id", "Values": [row["id"]]}])["Reservations"][0]["Instances"][0]
    assert row["private_ips"] == [instance["PrivateIpAddress"]] and row["ref"].startswith(world.options["azure"][1].split(":")[0] + ":dari-"), row
    done = run(world.home, "remote", "create", "bare", "--provider", "azure", "--image", world.image["azure"], "--type", "t3.micro")
    assert done.returncode == 0
    problems = set()

    def is_refused():
        rows = world.rows("azure", "bare")
        problems.update(r.get("act_problem", "") for r in rows)
        return not rows
    wait_until(is_refused, "that the row goes")
    assert any("needs a subnet" in p for p in problems), problems


@pytest.mark.parametrize("kind", ["openstack", "cloudstack"])
def test_page_of_a_proxy(world, kind):
    """A proxy's page of status 404 does not say that the machine is gone: it is terminated when the cloud answers again."""
    row, proxy = world.rows(kind, f"closed-{kind}")[0], world.proxies[kind]
    before, seen = world.count(), []

    def page(*_):
        seen.append(0)
        return 404, {"Content-Type": "text/html"}, b"<html>no backend</html>"
    proxy.spoil = page
    assert run(world.home, "remote", "terminate", row["id"]).returncode == 0
    wait_until(lambda: len(seen) > 3, "some pages")
    rows = world.rows(kind, f"closed-{kind}")
    assert rows and rows[0]["act"] == "terminate" and rows[0]["power"] == "running" and world.count() == before
    proxy.spoil = lambda *_: None
    wait_until(lambda: all(r["power"] == "terminated" for r in world.rows(kind, f"closed-{kind}")), "the end", shows=lambda: world.rows(kind, f"closed-{kind}"))
    wait_until(lambda: elsewhere.provider(world.home, kind)["status"] == "ok", "listings", shows=lambda: elsewhere.provider(world.home, kind))


def test_own_tags(world):
    """The tag with the token cannot be given: a machine without its token would be created twice."""
    row = world.rows("aws", "unfiltered")[0]
    for words in (["create", "tagged", "--provider", "aws", "--image", world.image["aws"], "--type", "t3.micro"], ["tag", row["id"]]):
        done = run(world.home, "remote", *words, "--tag", "dari:id=x")
        assert done.returncode != 0 and "reserved" in done.stderr, done


def test_answer_is_lost(world):
    """The answer that names the new machine is lost, and the listing finds the machine by its token before the act is repeated."""
    came, release = lose(world, "aws", CREATES["aws"], True)
    world.create("aws", "lost")
    assert came.wait(120)
    release()
    exists_once(world, "aws", "lost")
    row = world.rows("aws", "lost")[0]
    assert json.dumps(row).count("new-") == 0


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/remote/vmware src/drivers/remote/task_notes.c src/reconcile/remote tests/clients/vcsim tests/lib/vsphere.py
# when: long
# limit: 1800 s
"""Providers of VMware against a stranger's vCenter: govmomi's simulator. Listing, acts, changes there, lost sessions, a wrong password, and a region that is
killed in each act. A proxy in front of it counts requests, and loses them or their answers."""
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import types

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import elsewhere  # noqa: E402
from dev import Dev  # noqa: E402
from elsewhere import machines, provider, rests, run  # noqa: E402
from vsphere import Client, Fault, Simulator, fault, method_of  # noqa: E402
from waiting import wait_until  # noqa: E402

TEMPLATE = "DC0_C0_RP0_VM5"
SPEC = "<spec><location/><template>{}</template><powerOn>{}</powerOn></spec>"


class World:
    """The simulator, a proxy in front of it, and a region that can be killed and started again with its data."""

    def __init__(self):
        self.there, self.data = Simulator("-machines", "6"), tempfile.mkdtemp()
        self.refs = self.there.refs()
        self.image = self.refs.pop(TEMPLATE)
        self.there.task("PowerOffVM_Task", self.image)
        self.there.call("MarkAsTemplate", "VirtualMachine", self.image)
        self.proxy = elsewhere.Proxy(types.SimpleNamespace(port=self.there.port))
        self.home = Dev("--data", self.data)
        self.shown = add(self.home, "there", self.proxy.url)
        wait_until(lambda: set(machines(self.home)) == set(self.refs.values()), "the first listing", shows=lambda: provider(self.home))

    def again(self):
        """Kills the region, and starts it with the same data on the same port."""
        port = self.home.port
        self.home.end(signal.SIGKILL)
        self.home = Dev("--data", self.data, port=port)

    def row(self, ref):
        return machines(self.home).get(ref)

    def ask(self, *words):
        done = run(self.home, "remote", *words)
        assert done.returncode == 0, done

    def rows(self, name):
        return [m for m in machines(self.home).values() if m.get("name") == name]

    def create(self, name, *more):
        self.ask("create", name, "--provider", "there", "--image", self.image, "--type", "2x64", *more)


def add(home, name, url, *more, password="pass", region="all"):
    done = run(home, "provider", "add", "vmware", name, "--region", region, "--login", "user", "--secret-stdin", "--endpoint", url, "--poll-s", "1",
               "--account", elsewhere.owner(home), "--json", *more, text=password + "\n")
    assert done.returncode == 0, done
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def world():
    w = World()
    yield w
    w.home.end()
    w.proxy.end()
    w.there.end()
    shutil.rmtree(w.data)


@pytest.fixture(autouse=True)
def honest(world):
    yield
    world.proxy.spoil, world.proxy.change = lambda *_: None, lambda path, body, answer: answer


def test_list(world):
    """Rows have what the vCenter says; its templates are images."""
    assert world.shown["status"] == "ok" and not world.shown["lacks"] and len(world.shown["identity"]) == 36, world.shown
    ref = world.refs["DC0_H0_VM0"]
    row = world.row(ref)
    assert (row["name"], row["power"], row["type"], row["vcpus"]) == ("DC0_H0_VM0", "running", "1x32", 1), row
    assert row["zone"] == world.there.prop("VirtualMachine", ref, "runtime.host").text
    assert row["network"] == world.there.prop("VirtualMachine", ref, "network")[0].text
    elsewhere.is_quiet(world.home)


def resources(world):
    return world.home.command("remote", "resources", "--provider", "there")


def test_resources(world):
    world.there.task("CreateSnapshot_Task", world.refs["DC0_H0_VM1"], "<name>one</name><description>first</description><memory>false</memory><quiesce>false</quiesce>")
    world.there.task("CreateSnapshot_Task", world.refs["DC0_H0_VM1"], "<name>two</name><memory>false</memory><quiesce>false</quiesce>")
    assert run(world.home, "provider", "refresh", "there").returncode == 0
    wanted = {"image", "network", "volume", "snapshot", "host", "cluster", "datastore"}
    wait_until(lambda: {r["type"] for r in resources(world)} >= wanted, "the resources", shows=lambda: ({r["type"] for r in resources(world)}, provider(world.home)))
    rows = resources(world)
    assert [(r["ref"], r["name"]) for r in rows if r["type"] == "image"] == [(world.image, TEMPLATE)]
    assert {r["name"] for r in rows if r["type"] == "host"} == set(world.there.refs("HostSystem"))
    assert sorted(r["name"] for r in rows if r["type"] == "snapshot") == ["one", "two"]
    assert {r["parent"] for r in rows if r["type"] == "snapshot"} == {world.refs["DC0_H0_VM1"]}
    assert {r["parent"] for r in rows if r["type"] == "volume"} >= set(world.refs.values())
    assert not provider(world.home)["unlisted"]


def test_act(world):
    ref = world.refs["DC0_H0_VM0"]
    for act, power, there in (("stop", "stopped", "poweredOff"), ("start", "running", "poweredOn"), ("reboot", "running", "poweredOn")):
        world.ask(act, ref)
        rests(world.home, ref, power)
        assert "act_problem" not in world.row(ref) and world.there.power(ref) == there


def test_change_without_a_listing(world):
    """A provider that is listed once a day: the property collector's updates show what changes there, machine by machine."""
    ref = world.refs["DC0_H0_VM1"]

    def power():
        return machines(world.home, "seldom").get(ref, {}).get("power")
    proxy = elsewhere.Proxy(types.SimpleNamespace(port=world.there.port))
    add(world.home, "seldom", proxy.url)
    assert run(world.home, "provider", "set", "seldom", "--poll-s", "86400").returncode == 0
    wait_until(lambda: power() == "running", "the listing", shows=lambda: provider(world.home, "seldom"))
    wait_until(lambda: proxy.asked("WaitForUpdatesEx") > 2, "the feed", shows=lambda: [m for m in proxy.seen[-3:]])
    listings = proxy.asked("<maxObjects>")
    for method, state in (("PowerOffVM_Task", "stopped"), ("PowerOnVM_Task", "running")):
        world.there.task(method, ref)
        wait_until(lambda state=state: power() == state, state, shows=lambda: (machines(world.home, "seldom")[ref], provider(world.home, "seldom")))
    assert proxy.asked("<maxObjects>") == listings
    proxy.spoil = lambda method, path, body: (200, {"Content-Type": "text/xml"}, b"<!DOCTYPE a><a/>") if b"WaitForUpdatesEx" in body else None
    row = provider(world.home, "seldom")
    wait_until(lambda: "ChangesNotRead" in world.home.explain(row["id"]), "the condition")
    assert provider(world.home, "seldom")["status"] == "ok"
    assert run(world.home, "provider", "remove", "seldom").returncode == 0
    proxy.end()


def test_save_and_snapshot(world):
    """A suspended machine starts again. A snapshot is made once."""
    ref = world.refs["DC0_H0_VM0"]
    for act, power, there in (("save", "stopped", "suspended"), ("start", "running", "poweredOn")):
        world.ask(act, ref)
        rests(world.home, ref, power)
        assert "act_problem" not in world.row(ref) and world.there.power(ref) == there
    world.ask("snapshot", ref)
    wait_until(lambda: world.row(ref)["act"] == "none", "the end of the act", shows=lambda: world.row(ref))
    names = [n.text for n in world.there.prop("VirtualMachine", ref, "snapshot").iter() if n.tag.rpartition("}")[2] == "name"]
    assert len(names) == 1 and names[0].startswith("dari-") and "act_problem" not in world.row(ref), (names, world.row(ref))


def test_tag(world):
    """Tags are custom attributes, which are defined at need."""
    ref = world.refs["DC0_H0_VM0"]
    world.ask("tag", ref, "--tag", "team=red & blue")
    wait_until(lambda: world.row(ref)["remote_tags"].get("team") == "red & blue", "the tag", shows=lambda: world.row(ref))
    world.ask("tag", ref, "--tag", "team=green")
    wait_until(lambda: world.row(ref)["remote_tags"].get("team") == "green", "the other tag", shows=lambda: world.row(ref))


def test_resize(world):
    ref = world.refs["DC0_H0_VM2"]
    world.ask("stop", ref)
    rests(world.home, ref, "stopped")
    world.ask("resize", ref, "--type", "4x128")
    wait_until(lambda: (world.row(ref)["type"], world.row(ref)["act"]) == ("4x128", "none"), "the size", shows=lambda: world.row(ref))
    assert world.there.prop("VirtualMachine", ref, "config.hardware.numCPU").text == "4"
    world.ask("resize", ref, "--type", "t3.micro")
    wait_until(lambda: "such as 2x4096" in world.row(ref).get("act_problem", ""), "the refusal", shows=lambda: world.row(ref))


def test_behind_our_back(world):
    """Power, a name, a new machine and one that goes."""
    ref = world.refs["DC0_H0_VM3"]
    world.there.task("PowerOffVM_Task", ref)
    wait_until(lambda: world.row(ref)["power"] == "stopped", "the change")
    world.there.task("Rename_Task", ref, "<newName>renamed</newName>")
    wait_until(lambda: world.row(ref)["name"] == "renamed", "the name")
    folder = world.there.prop("VirtualMachine", ref, "parent").text
    made = world.there.task("CloneVM_Task", ref, f'<folder type="Folder">{folder}</folder><name>other</name>' + SPEC.format("false", "false"))
    wait_until(lambda: world.row(made), "the clone", shows=lambda: machines(world.home))
    world.there.task("Destroy_Task", made)
    wait_until(lambda: not world.row(made), "that it is forgotten")


def test_guest_does_not_obey(world):
    """Stop powers a guest off that ignores the request to shut down."""
    ref = world.refs["DC0_C0_RP0_VM2"]
    empty = (b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><ShutdownGuestResponse xmlns="urn:vim25"/></e:Body></e:Envelope>')
    world.proxy.spoil = lambda verb, path, body: (200, {"Content-Type": "text/xml"}, empty) if method_of(body) == "ShutdownGuest" else None
    asked = world.proxy.asked("<ShutdownGuest ")
    world.ask("stop", ref)
    rests(world.home, ref, "stopped")
    assert world.there.power(ref) == "poweredOff" and world.proxy.asked("<ShutdownGuest ") == asked + 1


def exists_once(world, name):
    """Waits until there is one row with the cloud's id and one machine. The simulator ignores powerOn and notes of a clone: the UUID alone is the token."""
    def is_so():
        rows = world.rows(name)
        assert not any(r.get("act_problem") for r in rows), rows
        return len(rows) == 1 and rows[0]["act"] == "none" and not rows[0]["ref"].startswith("new-")
    wait_until(is_so, f"one {name}", shows=lambda: world.rows(name))
    since = provider(world.home)["refreshed_us"]
    wait_until(lambda: provider(world.home).get("refreshed_us", 0) > (since or 0), "a listing")
    assert len(world.rows(name)) == 1 and list(world.there.refs()).count(name) == 1
    return world.rows(name)[0]


def test_create_and_terminate(world):
    world.create("made")
    row = exists_once(world, "made")
    assert row["type"] == "2x64" and world.there.prop("VirtualMachine", row["ref"], "config.instanceUuid").text == row["id"]
    world.ask("terminate", row["id"])
    wait_until(lambda: "made" not in world.there.refs() and not world.rows("made"), "the end", shows=lambda: world.rows("made"))


@pytest.mark.parametrize("options, words", [(["--subnet", "network-6"], "subnet"), (["--key", "ann"], "key pair"), (["--tag", "a=b"], "tags"),
                                            (["--zone", "nowhere"], "zone")], ids=["subnet", "key", "tag", "zone"])
def test_refused(world, options, words):
    before = set(world.there.refs())
    world.create("refused", *options)
    done = {}

    def is_refused():
        done.update({r["act_problem"]: r for r in world.rows("refused") if r.get("act_problem")})
        return any(words in text for text in done)
    wait_until(is_refused, "the refusal", shows=lambda: world.rows("refused"))
    wait_until(lambda: not world.rows("refused"), "that the row goes")
    assert set(world.there.refs()) == before


def test_name_is_taken(world):
    """A machine of that name that somebody else has made is not taken for ours."""
    world.create("DC0_C0_RP0_VM0")
    wait_until(lambda: any("already" in r.get("act_problem", "") for r in world.rows("DC0_C0_RP0_VM0")), "the refusal", shows=lambda: world.rows("DC0_C0_RP0_VM0"))
    assert world.row(world.refs["DC0_C0_RP0_VM0"])["act"] == "none"


def lose(world, word, passes):
    """The first call of the method is cut off: before it is passed on, or its answer is."""
    came = threading.Event()

    def cut(_method, _path, body):
        if method_of(body) != word or came.is_set():
            return None
        came.set()
        return 0, {}, b""

    def empty(_path, body, answer):
        if method_of(body) == word and not came.is_set():
            came.set()
            return b""
        return answer

    if passes:
        world.proxy.change = empty
    else:
        world.proxy.spoil = cut
    return came


@pytest.mark.parametrize("passes", [False, True], ids=["before", "after"])
def test_killed_in_creation(world, passes):
    name = f"killed-{passes}".lower()
    came = lose(world, "CloneVM_Task", passes)
    world.create(name)
    wait_until(came.is_set, "the request")
    world.again()
    exists_once(world, name)


KILLED = [("stop", "ShutdownGuest", "stopped"), ("start", "PowerOnVM_Task", "running"), ("stop", "PowerOffVM_Task", "stopped")]


@pytest.mark.parametrize("passes", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("act, method, power", KILLED, ids=[m for _, m, _ in KILLED])
def test_killed_in_act(world, act, method, power, passes):
    """The region dies as the request is sent, or when its answer is lost: the act is carried out once."""
    row = world.rows("killed-true")[0]
    other = "start" if act == "stop" else "stop"
    if row["power"] == power:
        world.ask(other, row["id"])
        rests(world.home, row["ref"], "stopped" if other == "stop" else "running")
    came = lose(world, method, passes)
    inner = world.proxy.spoil
    if method == "PowerOffVM_Task":  # the guest has no tools
        world.proxy.spoil = lambda verb, path, body: fault("ToolsUnavailable") if method_of(body) == "ShutdownGuest" else inner(verb, path, body)
    world.ask(act, row["id"])
    wait_until(came.is_set, "the request")
    world.again()
    rests(world.home, row["ref"], power)
    assert "act_problem" not in world.row(row["ref"])


@pytest.mark.parametrize("passes", [False, True], ids=["before", "after"])
def test_killed_in_resize(world, passes):
    row = world.rows("killed-true")[0]
    size = "3x96" if passes else "1x96"
    came = lose(world, "ReconfigVM_Task", passes)
    world.ask("resize", row["id"], "--type", size)
    wait_until(came.is_set, "the request")
    world.again()
    wait_until(lambda: (world.row(row["ref"])["type"], world.row(row["ref"])["act"]) == (size, "none"), "the size", shows=lambda: world.row(row["ref"]))


@pytest.mark.parametrize("passes", [False, True], ids=["before", "after"])
def test_killed_in_termination(world, passes):
    row = world.rows(f"killed-{passes}".lower())[0]
    before = set(world.there.refs()) - {row["name"]}
    came = lose(world, "Destroy_Task", passes)
    world.ask("terminate", row["id"])
    wait_until(came.is_set, "the request")
    world.again()
    wait_until(lambda: not world.rows(row["name"]), "the end", shows=lambda: world.rows(row["name"]))
    assert set(world.there.refs()) == before


def test_failed_task(world):
    """A task that fails says why in the act's problem."""
    ref = world.refs["DC0_H0_VM3"]
    world.there.task("PowerOffVM_Task", ref) if world.there.power(ref) == "poweredOn" else None

    def change(_path, body, answer):
        if b"<pathSet>info</pathSet>" not in body:
            return answer
        answer = answer.replace(b"<state>success</state>", b"<state>error</state>").replace(b"<state>running</state>", b"<state>error</state>")
        error = b'<error><fault xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="InsufficientResourcesFault"/><localizedMessage>No room for it.</localizedMessage></error>'
        return answer.replace(b"<state>error</state>", b"<state>error</state>" + error)
    world.proxy.change = change
    world.ask("resize", ref, "--type", "8x256")
    wait_until(lambda: "No room for it. (InsufficientResourcesFault)" in world.row(ref).get("act_problem", ""), "the reason", shows=lambda: world.row(ref))


def end_sessions(world):
    """Ends all sessions but the test's own."""
    own = world.there.cookie.partition("=")[2].strip('"')
    ended = [key for key in world.there.sessions() if key != own]
    for key in ended:
        world.there.call("TerminateSession", "SessionManager", "SessionManager", f"<sessionId>{key}</sessionId>")
    return ended


def test_lost_session(world):
    """A session that the server ends is opened again within the same call: nobody sees a failure."""
    known = provider(world.home)["since_us"]
    for _ in range(3):
        assert end_sessions(world)
        asked, since = world.proxy.asked("<Login "), provider(world.home)["refreshed_us"]
        wait_until(lambda: world.proxy.asked("<Login ") > asked and provider(world.home)["refreshed_us"] > since, "a listing", shows=lambda: provider(world.home))
    assert (provider(world.home)["status"], provider(world.home)["since_us"]) == ("ok", known)


def test_sessions_are_ended(world):
    """A provider that is removed and a region that ends sign out."""
    before = set(world.there.sessions())
    add(world.home, "second", world.there.url)
    wait_until(lambda: machines(world.home, "second"), "its listing")
    assert len(set(world.there.sessions()) - before) == 1
    assert run(world.home, "provider", "remove", "second").returncode == 0
    wait_until(lambda: not set(world.there.sessions()) - before, "that it signs out", shows=world.there.sessions)
    port = world.home.port
    world.home.end()
    own = world.there.cookie.partition("=")[2].strip('"')
    assert len(world.there.sessions()) < len(before) and own in world.there.sessions()
    world.home = Dev("--data", world.data, port=port)


def test_wrong_password(world):
    add(world.home, "wrong", world.there.url, password="other")
    wait_until(lambda: provider(world.home, "wrong")["status"] == "denied" and "InvalidLogin" in provider(world.home, "wrong")["problem"], "the refusal",
               shows=lambda: provider(world.home, "wrong"))
    with pytest.raises(Fault, match="InvalidLogin"):
        Client(world.there.port).login("other")


def test_region(world):
    """A region is a datacenter."""
    add(world.home, "dc", world.there.url, region="DC0")
    wait_until(lambda: set(machines(world.home, "dc")) == set(machines(world.home)), "the listing", shows=lambda: provider(world.home, "dc"))
    add(world.home, "none", world.there.url, region="DC9")
    wait_until(lambda: "No datacenter is called DC9" in provider(world.home, "none").get("problem", ""), "the refusal", shows=lambda: provider(world.home, "none"))


def test_missing_right(world):
    """Privileges that the API denies are named."""
    world.proxy.change = lambda path, body, answer: (answer.replace(b"true</isGranted>", b"false</isGranted>", 2)
                                                     if method_of(body) == "HasPrivilegeOnEntities" else answer)
    shown = add(world.home, "reader", world.proxy.url)
    assert shown["lacks"] == ["System.Read", "VirtualMachine.Interact.PowerOn"], shown
    world.proxy.change = lambda path, body, answer: answer
    world.proxy.spoil = lambda verb, path, body: (fault("NoPermission", "<privilegeId>VirtualMachine.Interact.PowerOff</privilegeId>")
                                                  if method_of(body) in ("ShutdownGuest", "PowerOffVM_Task") else None)
    ref = world.refs["DC0_C0_RP0_VM1"]
    world.ask("stop", machines(world.home, "there")[ref]["id"])
    wait_until(lambda: "VirtualMachine.Interact.PowerOff" in world.row(ref).get("act_problem", ""), "the refusal", shows=lambda: world.row(ref))
    assert world.there.power(ref) == "poweredOn"


@pytest.mark.parametrize("answer, status", [((503, {}, b"<html>busy</html>"), "failing"), ((401, {}, b"<html>sign in</html>"), "failing"),
                                            ((0, {}, b"<e:Envelope"), "unreachable failing"), ((200, {}, b"<html/>"), "failing")],
                         ids=["busy", "proxy", "cut", "page"])
def test_bad_answers(world, answer, status):
    before = set(machines(world.home))
    world.proxy.spoil = lambda verb, path, body: answer if method_of(body) == "RetrievePropertiesEx" else None
    assert run(world.home, "provider", "refresh", "there").returncode == 0
    wait_until(lambda: provider(world.home)["status"] in status.split(), status, shows=lambda: provider(world.home))
    assert set(machines(world.home)) == before
    world.proxy.spoil = lambda *_: None
    assert run(world.home, "provider", "refresh", "there").returncode == 0
    wait_until(lambda: provider(world.home)["status"] == "ok", "rest", shows=lambda: provider(world.home))


def test_metrics(world):
    """The simulator's series are made up; they are read as points of five minutes."""
    assert run(world.home, "provider", "set", "there", "--metrics", "yes").returncode == 0
    ref = world.row(world.refs["DC0_H0_VM0"])["id"]
    wait_until(lambda: len(world.home.command("remote", "metrics", ref)) >= 6, "points",
               shows=lambda: (world.home.command("remote", "metrics", ref), provider(world.home)))
    points = world.home.command("remote", "metrics", ref)
    assert all(0 <= point[1] <= 100 and 0 <= point[2] <= 64 << 20 for point in points) and any(point[2] for point in points)


def test_host_alone():
    """An ESXi host, by https with a pin: its hardware is its identity, and it has no custom attributes."""
    there = Simulator("-esx", plain=False)
    with Dev() as home:
        shown = add(home, "there", there.url, "--pin", there.pin())
        assert shown["status"] == "ok", shown
        wait_until(lambda: len(machines(home)) == 2, "the machines", shows=lambda: provider(home))
        ref = next(iter(machines(home)))
        assert run(home, "remote", "stop", ref).returncode == 0
        rests(home, ref, "stopped")
        wrong = "sha256//" + "A" * 43 + "="
        add(home, "wrong", there.url, "--pin", wrong)
        assert provider(home, "wrong")["status"] == "unreachable"
    there.end()


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/remote/hyperv src/drivers/remote/task_notes.c src/drivers/remote/xml_walk.c src/reconcile/remote tests/lib/winrm.py
"""Providers of Hyper-V against a small host of our own, whose answers have the documented shapes: it pages, signs in by Basic and NTLM, lets jobs take time,
refuses rights, and lies. No test has met a Windows host."""
import json
import os
import subprocess
import sys
from uuid import uuid4 as world_uuid

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import elsewhere  # noqa: E402
import winrm  # noqa: E402
from dev import Dev  # noqa: E402
from elsewhere import machines, provider, rests, run  # noqa: E402
from waiting import wait_until  # noqa: E402


def add(home, name, url, *more, secret="pass<word>", region="host", login="CORP\\dari"):
    return run(home, "provider", "add", "hyperv", name, "--region", region, "--login", login, "--secret-stdin", "--endpoint", url, "--poll-s", "1",
               "--account", elsewhere.owner(home), "--json", *more, text=secret + "\n")


@pytest.fixture(scope="module")
def world():
    there = winrm.Host(schemes=("ntlm",))
    with Dev() as home:
        home.there = there
        done = add(home, "there", there.url)
        assert done.returncode == 0, done
        home.shown = json.loads(done.stdout)
        wait_until(lambda: set(machines(home)) == there.refs(), "the first listing", shows=lambda: provider(home))
        yield home
    there.end()


@pytest.fixture(autouse=True)
def honest(world):
    yield
    world.there.spoil, world.there.slow, world.there.obeys, world.there.has_tools, world.there.is_member = lambda *_: None, 0, True, True, True
    world.there.denied.clear()
    world.there.lacks.clear()


def listed(world):
    since = provider(world)["refreshed_us"]
    wait_until(lambda: provider(world)["refreshed_us"] > since, "a listing", shows=lambda: provider(world))


def test_list(world):
    """Pages of three are read to the end, and several classes make one row."""
    assert world.shown["identity"] == "HV1" and world.shown["status"] == "ok" and not world.shown["lacks"], world.shown
    guid = next(iter(world.there.machines))
    row = machines(world)[guid.lower()]
    assert (row["name"], row["power"], row["type"], row["raw_state"]) == ("web1 & co", "running", "2x2048", "Running"), row
    assert row["private_ips"] == ["10.0.0.7", "169.254.1.2", "fd00::7"] and row["platform"] == "Debian GNU/Linux 12", row
    assert row["network"] == world.there.switch.lower() and row["zone"] == "HV1" and row["launched_us"] == 1767225600500000
    assert row["volumes"] == [f"{guid.lower()}:83f8638b-8dca-4152-9eda-2ca8b33039b4:0:0:l"]
    assert world.there.seen.count("Pull") >= 2
    elsewhere.is_quiet(world)


def row_of(world, number):
    """The row of a machine, and the machine on its host."""
    guid = list(world.there.machines)[number - 1]
    return guid.lower(), world.there.machines[guid]


def act(world, verb, ref, *more):
    done = run(world, "remote", verb, ref, *more)
    assert done.returncode == 0, done


def test_slow_jobs(world):
    """An act's job is followed, and never started twice."""
    world.there.slow, world.there.has_tools = 2, False
    ref, _ = row_of(world, 2)
    before = len(world.there.jobs)
    act(world, "stop", ref)
    rests(world, ref, "stopped")
    act(world, "start", ref)
    rests(world, ref, "running")
    assert len(world.there.jobs) == before + 2, world.there.jobs


def test_a_job_fails(world):
    world.there.slow = 1
    ref, _ = row_of(world, 2)
    act(world, "resize", ref, "--type", "4x4096")
    wait_until(lambda: "while the machine is running" in machines(world)[ref].get("act_problem", ""), "the reason", shows=lambda: machines(world)[ref])
    assert machines(world)[ref]["type"] == "2x2048"


def test_resize(world):
    ref, there = row_of(world, 4)
    act(world, "stop", ref)
    rests(world, ref, "stopped")
    act(world, "resize", ref, "--type", "4x4096")
    wait_until(lambda: (machines(world)[ref]["type"], machines(world)[ref]["act"]) == ("4x4096", "none"), "the size", shows=lambda: machines(world)[ref])
    assert there["size"] == (4, 4096)
    act(world, "resize", ref, "--type", "t3.micro")
    wait_until(lambda: "such as 2x4096" in machines(world)[ref].get("act_problem", ""), "the refusal", shows=lambda: machines(world)[ref])


@pytest.mark.parametrize("shuts", [False, True], ids=["asked", "shuts down already"])
def test_stop_waits_for_the_guest(world, shuts):
    """Stop gives a guest time to shut down before it turns the machine off, also a guest that somebody else has asked."""
    world.there.obeys = False
    ref, there = row_of(world, 3)
    there.update(shuts=shuts, state=2)
    wait_until(lambda: machines(world)[ref]["power"] == "running", "that it runs", shows=lambda: machines(world)[ref])
    before, asked = world.there.seen.count("RequestStateChange"), world.there.seen.count("InitiateShutdown")
    act(world, "stop", ref)
    wait_until(lambda: world.there.seen.count("InitiateShutdown") > asked, "the request")
    listed(world)
    assert machines(world)[ref]["act"] == "stop" and world.there.seen.count("RequestStateChange") == before
    there["state"] = 3
    rests(world, ref, "stopped")
    assert world.there.seen.count("InitiateShutdown") == asked + 1


def test_reboot(world):
    """Reboot asks the guest, and resets a guest that cannot be asked. Windows Server 2012 R2 cannot ask."""
    ref, _ = row_of(world, 1)
    for has_tools, lacks, request in ((True, [], "InitiateReboot"), (False, [], "RequestStateChange"), (True, ["InitiateReboot"], "RequestStateChange")):
        world.there.has_tools = has_tools
        world.there.lacks.update(lacks)
        before = world.there.seen.count(request)
        act(world, "reboot", ref)
        wait_until(lambda: machines(world)[ref]["act"] == "none", "the end of the act", shows=lambda: machines(world)[ref])
        assert world.there.seen.count(request) == before + 1


def test_tag(world):
    """Tags are lines of the notes; other lines stay."""
    ref, there = row_of(world, 1)
    there["notes"] = "made by ann\nfor <web>"
    act(world, "tag", ref, "--tag", "team=red & blue")
    wait_until(lambda: machines(world)[ref]["remote_tags"] == {"team": "red & blue"}, "the tag", shows=lambda: machines(world)[ref])
    act(world, "tag", ref, "--tag", "team=green", "--tag", "env=dev")
    wait_until(lambda: machines(world)[ref]["remote_tags"] == {"team": "green", "env": "dev"}, "the other tags", shows=lambda: machines(world)[ref])
    assert there["notes"].startswith("made by ann\nfor <web>\n") and there["notes"].count("team=") == 1, there["notes"]
    act(world, "tag", ref, "--tag", "a= b ")
    wait_until(lambda: "lines of a machine's notes" in machines(world)[ref].get("act_problem", ""), "the refusal", shows=lambda: machines(world)[ref])


def test_save(world):
    """A saved machine is stopped, and starts again."""
    world.there.slow = 1
    ref, there = row_of(world, 4)
    there["state"] = 2
    wait_until(lambda: machines(world)[ref]["power"] == "running", "that it runs", shows=lambda: machines(world)[ref])
    act(world, "save", ref)
    rests(world, ref, "stopped")
    assert (there["state"], machines(world)[ref]["raw_state"]) == (6, "Saved"), (there, machines(world)[ref])
    act(world, "start", ref)
    rests(world, ref, "running")
    assert there["state"] == 2


def test_console(world):
    done = run(world, "remote", "console", row_of(world, 1)[0])
    assert done.returncode and "Hyper-V has no page" in done.stderr, done


@pytest.mark.parametrize("slow", [0, 2], ids=["at once", "by a job"])
def test_checkpoint(world, slow):
    """A checkpoint is made once, and the act ends with its job."""
    world.there.slow = slow
    ref, _ = row_of(world, 1)
    before, asked = len(world.there.snapshots), world.there.seen.count("CreateSnapshot")
    act(world, "snapshot", ref)
    wait_until(lambda: machines(world)[ref]["act"] == "none", "the end of the act", shows=lambda: machines(world)[ref])
    assert not machines(world)[ref].get("act_problem") and len(world.there.snapshots) == before + 1, machines(world)[ref]
    assert world.there.seen.count("CreateSnapshot") == asked + 1


def test_checkpoint_is_lost(world):
    """A request whose answer is lost may have been carried out: it is not sent again, and the row says why."""
    ref, _ = row_of(world, 1)
    asked = world.there.seen.count("CreateSnapshot")
    world.there.spoil = lambda action, _: (0, {}, b"") if action == "CreateSnapshot" else None
    act(world, "snapshot", ref)
    wait_until(lambda: machines(world)[ref].get("act_problem"), "the reason", shows=lambda: machines(world)[ref])
    listed(world)
    assert world.there.seen.count("CreateSnapshot") == asked + 1 and machines(world)[ref]["act"] == "none", machines(world)[ref]


def test_checkpoint_fails(world):
    world.there.snapshot_problem, world.there.slow = "The disk is full.", 1
    ref, _ = row_of(world, 1)
    act(world, "snapshot", ref)
    wait_until(lambda: "The disk is full" in machines(world)[ref].get("act_problem", ""), "the reason", shows=lambda: machines(world)[ref])
    world.there.snapshot_problem = None


def test_terminate(world):
    """A running machine is turned off first. Its disks stay."""
    ref, _ = row_of(world, 5)
    act(world, "terminate", ref)
    wait_until(lambda: ref not in machines(world), "the end", shows=lambda: machines(world).get(ref))
    assert ref.upper() not in world.there.machines and "Delete" not in world.there.seen


def resources(world):
    return world.command("remote", "resources", "--provider", "there")


def test_resources(world):
    guid = next(iter(world.there.machines))
    snapshot = str(world_uuid())
    world.there.snapshots[snapshot.upper()] = {**world.there.machines[guid], "name": "before the update", "of": guid}
    assert run(world, "provider", "refresh", "there").returncode == 0
    wanted = {"network", "volume", "snapshot", "host", "datastore"}
    wait_until(lambda: {r["type"] for r in resources(world)} == wanted and snapshot in {r["ref"] for r in resources(world)}, "the resources",
               shows=lambda: ({r["type"] for r in resources(world)}, provider(world)))
    rows = {kind: [r for r in resources(world) if r["type"] == kind] for kind in wanted}
    assert [(r["ref"], r["name"]) for r in rows["network"]] == [(world.there.switch.lower(), "External")]
    assert (snapshot, "before the update", guid.lower()) in [(r["ref"], r["name"], r["parent"]) for r in rows["snapshot"]]  # others were made by acts
    parents = {r["parent"] for r in rows["volume"]}
    assert parents >= world.there.refs() and snapshot not in parents and rows["volume"][0]["name"].endswith(".vhdx")
    assert [(r["ref"], r["size"]) for r in rows["datastore"]] == [("HV1:C", 1000)] and rows["host"][0]["attributes"]["vcpus"] == "32"
    assert not provider(world)["unlisted"], provider(world)


# ---- creation

@pytest.fixture(scope="module", name="maker")
def maker_of(world):
    """A provider with a folder of templates, on a host of its own."""
    there = winrm.Host(count=1)
    there.files["C:\\Templates\\Debian12.vhdx"] = 4096
    done = add(world, "maker", there.url, "--project", "C:\\Templates")
    assert done.returncode == 0, done
    wait_until(lambda: machines(world, "maker"), "the first listing", shows=lambda: provider(world, "maker"))
    yield there
    there.end()


@pytest.fixture(autouse=True)
def honest_maker(request):
    yield
    if "maker" in request.fixturenames:
        there = request.getfixturevalue("maker")
        there.spoil, there.slow, there.start_problem = lambda *_: None, 0, None


def rows_of(world, name):
    return [m for m in machines(world, "maker").values() if m.get("name") == name]


def create(world, name, *more, image="debian12.vhdx"):
    done = run(world, "remote", "create", name, "--provider", "maker", "--image", image, "--type", "2x4096", *more)
    assert done.returncode == 0, done


def exists_once(world, maker, name):
    def is_so():
        rows = rows_of(world, name)
        assert not any(r.get("act_problem") for r in rows), rows
        return len(rows) == 1 and rows[0]["act"] == "none" and not rows[0]["ref"].startswith("new-")
    wait_until(is_so, f"one {name}", shows=lambda: (rows_of(world, name), maker.seen[-20:], maker.machines, maker.files))
    (row,), (guid,) = rows_of(world, name), [guid for guid, m in maker.machines.items() if m["name"] == name]
    disk = f"C:\\Templates\\dari-{row['id']}.vhdx"
    there = maker.machines[guid]
    assert row["ref"] == guid.lower() and there["disks"] == [disk] and maker.files[disk] == 4096, (there, maker.files)
    assert not [path for path in maker.files if ".part." in path] and there["size"] == (2, 4096) and there["state"] == 2
    return row, there


@pytest.mark.parametrize("slow", [0, 1], ids=["at once", "by jobs"])
def test_create_and_terminate(world, maker, slow):
    maker.slow, name = slow, f"made-{slow}"
    create(world, name, "--subnet", maker.switch.lower(), "--tag", "team=red")
    row, there = exists_once(world, maker, name)
    assert there["switch"] == maker.switch and row["remote_tags"] == {"dari:id": row["id"], "team": "red"} and row["type"] == "2x4096", (row, there)
    assert sorted(there["parts"].values()) == [f"Microsoft:Hyper-V:Synthetic {part}" for part in ("Disk Drive", "Ethernet Port", "SCSI Controller")]
    act(world, "terminate", row["id"])
    wait_until(lambda: not rows_of(world, name), "the end", shows=lambda: rows_of(world, name))
    assert not [m for m in maker.machines.values() if m["name"] == name] and list(maker.files) == ["C:\\Templates\\Debian12.vhdx"], maker.files


@pytest.mark.parametrize("word", ["ConvertVirtualHardDisk", "Rename", "DefineSystem", "AddResourceSettings", "ModifyResourceSettings", "RequestStateChange",
                                  "ModifySystemSettings"])
@pytest.mark.parametrize("answers", [False, True], ids=["before", "after"])
def test_lost_requests(world, maker, word, answers):
    """The connection ends before the request is carried out, or before its answer: one machine is made."""
    cut, name = [], f"lost-{word}-{answers}"

    def spoil(action, body):
        if action != word or cut:
            return None
        cut.append(0)
        if answers:
            getattr(maker, word)(body, maker.keys)
        return 0, {}, b""
    maker.spoil = spoil
    create(world, name)
    row, _ = exists_once(world, maker, name)
    assert cut
    act(world, "terminate", row["id"])
    wait_until(lambda: not rows_of(world, name), "the end", shows=lambda: rows_of(world, name))


@pytest.mark.parametrize("options, words", [(["--key", "ann"], "key pairs"), (["--zone", "nowhere"], "zone"),
                                            (["--tag", "a= b "], "lines of a machine's notes")], ids=["key", "zone", "tag"])
def test_refused_creations(world, maker, options, words):
    create(world, "refused", *options)
    is_refused(world, maker, words)


def is_refused(world, maker, words):
    done = {}

    def says():
        done.update({r["act_problem"]: r for r in rows_of(world, "refused") if r.get("act_problem")})
        return any(words in text for text in done)
    wait_until(says, "the refusal", shows=lambda: (rows_of(world, "refused"), done))
    wait_until(lambda: not rows_of(world, "refused"), "that the row goes")
    assert len(maker.machines) == 1 and list(maker.files) == ["C:\\Templates\\Debian12.vhdx"], (maker.machines, maker.files)


def test_no_such_image(world, maker):
    create(world, "refused", image="other.vhdx")
    is_refused(world, maker, "no image other.vhdx")


def test_start_fails(world, maker):
    """A machine that cannot be started is deleted again, with its disk."""
    maker.start_problem = "Not enough memory in the system to start the virtual machine."
    create(world, "refused")
    is_refused(world, maker, "Not enough memory")


def test_images(world, maker):
    assert run(world, "provider", "refresh", "maker").returncode == 0
    images = lambda: [(r["ref"], r["name"], r["size"]) for r in world.command("remote", "resources", "--provider", "maker") if r["type"] == "image"]  # noqa: E731
    wait_until(images, "the images", shows=lambda: provider(world, "maker"))
    assert images() == [("debian12.vhdx", "Debian12", 4096)]


# ---- signing in and rights

@pytest.fixture(name="other")
def other_of(world, tmp_path):
    """Hosts that a test adds as provider `other`; removed at its end."""
    hosts = []

    def make(*options, login="CORP\\dari", secret="pass<word>", region="host", schemes=("ntlm",), plain=False, **more):
        if schemes == ("basic",) and not plain:  # only over https
            more["certificate"] = winrm.certify(str(tmp_path), "127.0.0.1")
            options += ("--ca-file", more["certificate"][0])
        hosts.append(winrm.Host(count=1, schemes=schemes, **more))
        done = add(world, "other", hosts[0].url, *options, login=login, secret=secret, region=region)
        return hosts[0], done
    yield make
    run(world, "provider", "remove", "other")
    for host in hosts:
        host.end()


@pytest.mark.parametrize("schemes", [("basic",), ("ntlm",), ("ntlm", "basic")], ids="+".join)
@pytest.mark.parametrize("login", ["CORP\\dari", "local"])
def test_sign_in(world, other, schemes, login):
    _, done = other(schemes=schemes, login=login)
    assert json.loads(done.stdout)["status"] == "ok", done


@pytest.mark.parametrize("schemes", [("basic",), ("ntlm",)], ids="+".join)
def test_wrong_password(world, other, schemes):
    _, done = other(schemes=schemes, secret="other")
    wait_until(lambda: provider(world, "other")["status"] == "denied", "the refusal", shows=lambda: done)
    assert "refuses the user or the password" in problem(world, "other")


def test_no_scheme(world, other):
    """Kerberos alone is not supported, and is no refusal of the credentials."""
    other(schemes=())
    wait_until(lambda: provider(world, "other")["status"] == "failing", "the failure", shows=lambda: provider(world, "other"))
    assert "neither NTLM (Negotiate) nor Basic" in problem(world, "other")


def test_plain_password(world, other):
    """The password itself is not sent over plain HTTP, even if somebody on the way takes NTLM out of the answers."""
    host, _ = other(schemes=("basic",), plain=True)
    wait_until(lambda: "readable on its way" in problem(world, "other"), "the refusal", shows=lambda: provider(world, "other"))
    assert not host.basic_seen


def test_https(world, other, tmp_path):
    """A self-signed certificate needs a CA or a pin."""
    crt = winrm.certify(str(tmp_path), "127.0.0.1")
    _, done = other("--pin", "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", schemes=("ntlm",), certificate=crt)
    assert json.loads(done.stdout)["status"] == "unreachable", done
    steps = ("openssl x509 -pubkey -noout -in " + crt[0], "openssl pkey -pubin -outform der", "openssl dgst -sha256 -binary", "base64")
    pin = "sha256//" + subprocess.run(" | ".join(steps), shell=True, check=True, capture_output=True, text=True).stdout.strip()
    assert run(world, "provider", "set", "other", "--pin", pin).returncode == 0
    wait_until(lambda: provider(world, "other")["status"] == "ok", "the pin", shows=lambda: provider(world, "other"))


def verify(world):
    """Credentials that are set are verified again."""
    assert run(world, "provider", "set", "other", "--secret-stdin", text="pass<word>\n").returncode == 0


def problem(world, name="there"):
    return provider(world, name).get("problem") or ""


def test_rights(world, other):
    """Each right that the user lacks is named. To a user outside of the group a host shows no machines: none is forgotten for that."""
    host, _ = other(schemes=("basic",))
    wait_until(lambda: machines(world, "other"), "the machine", shows=lambda: provider(world, "other"))
    host.is_member = False
    verify(world)
    wait_until(lambda: provider(world, "other")["lacks"] == ["group Hyper-V Administrators"], "the right", shows=lambda: provider(world, "other"))
    wait_until(lambda: "no member of its group" in problem(world, "other"), "the reason", shows=lambda: provider(world, "other"))
    assert set(machines(world, "other")) == host.refs()
    host.is_member = True
    verify(world)
    wait_until(lambda: not provider(world, "other")["lacks"], "that it lacks nothing", shows=lambda: provider(world, "other"))
    host.denied.add(winrm.CIMV2)
    verify(world)
    wait_until(lambda: "WMI root/cimv2 (Enable Account" in problem(world, "other"), "the other right", shows=lambda: provider(world, "other"))
    assert set(machines(world, "other")) == host.refs()


def test_no_role(world, other):
    host, _ = other()
    host.absent.add(winrm.V2)
    verify(world)
    wait_until(lambda: "Hyper-V is not installed" in problem(world, "other"), "the reason", shows=lambda: provider(world, "other"))


def test_refused(world):
    """The command refuses impossible values at once, and names the parameter."""
    for words, text in ((("--project", "Templates"), "C:\\Templates"), (("--project", "C:\\a\\..\\b"), "folder"), (("--domain", "d"), "names its domain")):
        done = add(world, "bad", world.there.url, *words)
        assert done.returncode != 0 and text in done.stderr, done
    for more, text in (({"region": "all"}, '"cluster"'), ({"login": "d\u00e4ri"}, "ASCII")):
        done = add(world, "bad", world.there.url, **more)
        assert done.returncode != 0 and text in done.stderr, done


# ---- clusters

def test_cluster():
    """Machines of all members that are up are listed and changed there. A member at an address that the region may not call is refused."""
    first_host = winrm.Host(name="127.0.0.1", count=2)
    second = winrm.Host(name="127.0.0.2", address="127.0.0.2", port=first_host.port, count=3)
    for host in (first_host, second):
        host.absent.clear()
        host.nodes = {"127.0.0.1": 0, "127.0.0.2": 0, "127.0.0.3": 1}
    with Dev(fetch_from="127.0.0.2/32") as home:
        done = add(home, "there", first_host.url, region="cluster")
        assert json.loads(done.stdout)["identity"] == "CL1", done
        both = first_host.refs() | second.refs()
        wait_until(lambda: set(machines(home)) == both, "the machines of both", shows=lambda: (machines(home), provider(home)))
        ref = min(second.refs())
        assert machines(home)[ref]["zone"] == "127.0.0.2"
        assert run(home, "remote", "stop", ref).returncode == 0
        rests(home, ref, "stopped")
        assert second.machines[ref.upper()]["state"] == 3
        moved = first_host.machines.pop(min(first_host.machines))
        second.machines["0" * 8 + "-0000-4000-8000-000000000001"] = moved
        wait_until(lambda: "0" * 8 + "-0000-4000-8000-000000000001" in machines(home), "the next listing", shows=lambda: provider(home))
        first_host.nodes["127.0.0.3"] = 0
        wait_until(lambda: provider(home)["status"] != "ok", "the refusal", shows=lambda: provider(home))
        assert "127.0.0.3" in problem(home), provider(home)
    for host in (first_host, second):
        host.end()


@pytest.mark.parametrize("name", ["elsewhere.example.com", "hv2.otherlocalhost", "127.0.0.1"])
def test_foreign_members(world, name):
    """A cluster's members get the credentials: they are in the endpoint's domain."""
    host = winrm.Host(name="hv1", count=1)
    host.absent.clear()
    host.nodes = {"hv1": 0}
    try:
        done = add(world, "far", host.url.replace("127.0.0.1", "hv1.localhost"), region="cluster")
        assert json.loads(done.stdout)["status"] == "ok", done
        wait_until(lambda: machines(world, "far"), "the machine", shows=lambda: provider(world, "far"))
        host.nodes[name] = 0
        wait_until(lambda: "outside of the endpoint's domain" in problem(world, "far"), "the refusal", shows=lambda: provider(world, "far"))
    finally:
        run(world, "provider", "remove", "far")
        host.end()


# ---- lies

GOOD = winrm.write_instance(winrm.V2, "Msvm_ComputerSystem", {"Name": "00000000-0000-0000-0000-000000000001", "ElementName": "x", "EnabledState": 2})
PAGE = "<n:{0}Response><n:EnumerationContext>c</n:EnumerationContext><n:Items>{1}</n:Items></n:{0}Response>"
XML = {"Content-Type": "application/soap+xml"}


def first(body):
    return lambda action, _request: (200, XML, body) if action == "Enumerate" else None


def endless(action, _request):
    return (200, XML, winrm.envelope(PAGE.format(action, GOOD * 100))) if action in ("Enumerate", "Pull") else None


def empty(action, _request):
    return (200, XML, winrm.envelope(PAGE.format(action, ""))) if action in ("Enumerate", "Pull") else None


def text_of(inner):
    return winrm.envelope(f"<n:EnumerateResponse><n:EnumerationContext/><w:Items>{inner}</w:Items><w:EndOfSequence/></n:EnumerateResponse>")


LIES = {
    "html": (first(b"<html/>"), "no envelope"),
    "cut": (first(text_of(GOOD)[:300]), "ends early"),
    "entity": (first(b'<!DOCTYPE a [<!ENTITY b "c">]>' + text_of(GOOD)), "document type"),
    "soap 1.1": (first(text_of(GOOD).replace(b"2003/05/soap-envelope", b"2001/12/soap-envelope")), "no envelope of SOAP 1.2"),
    "another API": (first(text_of(GOOD.replace("microsoft.com/wbem", "example.com/wbem"))), "no instance of WMI"),
    "deep": (first(text_of(GOOD.replace(">x<", ">" + "<a>" * 100 + "</a>" * 100 + "<"))), "nested too deeply"),
    "huge text": (first(text_of(GOOD.replace(">x<", ">" + "x" * 70000 + "<"))), "text is too long"),
    "huge": (first(b"x" * (33 << 20)), "more than 32 MiB"),
    "many values": (first(text_of(GOOD.replace("<p:ElementName>x</p:ElementName>", "<p:ElementName>x</p:ElementName>" * 200))), "too many values"),
    "no end": (first(winrm.envelope("<n:EnumerateResponse><n:EnumerationContext/><w:Items/></n:EnumerateResponse>")), "neither an end nor a token"),
    "endless": (endless, "too many machines"),
    "empty pages": (empty, "goes on without instances"),
    "redirect": (lambda *_: (302, {"Location": "http://127.0.0.1:1/wsman"}, b""), "redirects are not followed"),
    "page of a proxy": (lambda *_: (403, {"Content-Type": "text/html"}, b"<html>no</html>"), "no fault of WS-Management"),
    "gone": (lambda *_: (0, {}, b""), "ended the connection before it answered"),
    "quota": (lambda *_: winrm.Fault("QuotaLimit", 2150859174, "This user has too many operations.").answer(), "too many operations"),
}


@pytest.mark.parametrize("name", LIES)
def test_lies(world, name):
    """Answers that are not the API's change nothing, and the provider says why."""
    before = set(machines(world))
    world.there.spoil, words = LIES[name]
    assert run(world, "provider", "refresh", "there").returncode == 0
    wait_until(lambda: words in problem(world), words, shows=lambda: provider(world))
    assert set(machines(world)) == before
    world.there.spoil = lambda *_: None
    assert run(world, "provider", "refresh", "there").returncode == 0
    wait_until(lambda: provider(world)["status"] == "ok", "rest", shows=lambda: provider(world))


def test_guests_lie(world):
    """Nonsense that a guest reports is left out."""
    guid = next(iter(world.there.machines))
    world.there.machines[guid]["ips"] = "10.0.0.7;169.254.1.2;" + ";".join(["nonsense"] * 50)
    listed(world)
    assert machines(world)[guid.lower()]["private_ips"] == ["10.0.0.7", "169.254.1.2", "fd00::7"]


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

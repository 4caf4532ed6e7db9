#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/remote/vmware src/drivers/remote/task_notes.c src/drivers/remote/xml_walk.c src/reconcile/remote
"""Providers of VMware against a small vCenter of our own, whose answers have the documented shapes: it pages, ends sessions in the middle of a listing, lets
tasks take time, has guests without tools, and lies. all-providers-vcsim.py asks a stranger's."""
import http.server
import json
import os
import re
import sys
import threading
import uuid
import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import elsewhere  # noqa: E402
from dev import Dev  # noqa: E402
from elsewhere import machines, provider, rests, run  # noqa: E402
from vsphere import VIM, fault  # noqa: E402
from waiting import wait_until  # noqa: E402

ENVELOPE = ('<?xml version="1.0"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
            '<soapenv:Body><{0}Response xmlns="urn:vim25">{1}</{0}Response></soapenv:Body></soapenv:Envelope>')
CONTENT = ('<returnval><rootFolder type="Folder">group-d1</rootFolder><propertyCollector type="PropertyCollector">pc</propertyCollector><viewManager type="ViewManager">vm'
           '</viewManager><about><apiType>VirtualCenter</apiType><apiVersion>8.0.2.0</apiVersion><instanceUuid>{}</instanceUuid></about><sessionManager '
           'type="SessionManager">sm</sessionManager><customFieldsManager type="CustomFieldsManager">cf</customFieldsManager><searchIndex type="SearchIndex">si'
           '</searchIndex></returnval>')
PAGE = 2


class Vcenter:
    """A vCenter with machines. `spoil(method, request)` returns an answer of its own, or None."""

    def __init__(self):
        self.machines = {f"vm-{n}": {"name": f"web{n} & co", "power": "poweredOn", "size": (2, 2048)} for n in range(1, 6)}
        self.identity, self.sessions, self.tokens, self.tasks, self.fields, self.seen, self.told = str(uuid.uuid4()), {}, {}, {}, {}, [], {}
        self.spoil, self.slow, self.tools, self.obeys = lambda *_: None, 0, True, True
        self.here = threading.local()  # key and cookie of the request that a thread answers
        there = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                text = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers, body = there.serve(self, text)
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def serve(self, handler, text):
        assert handler.path == "/sdk" and handler.headers["SOAPAction"].startswith("urn:vim25/") and "text/xml" in handler.headers["Content-Type"]
        (request,) = ET.fromstring(text)[0]
        method = request.tag.replace(VIM, "")
        self.seen.append(method)
        own = self.spoil(method, request)
        if own:
            return own
        self.here.cookie = re.search(r"vmware_soap_session=([^;]*)", handler.headers.get("Cookie") or "")
        self.here.key = self.here.cookie and self.sessions.get(self.here.cookie[1])
        if not self.here.key and method not in ("RetrieveServiceContent", "Login"):
            return fault("NotAuthenticated")
        headers = {"Content-Type": "text/xml; charset=utf-8"}
        try:
            inner = getattr(self, method)(request, headers)
        except KeyError as gone:
            return fault("ManagedObjectNotFound", f"<obj>{gone.args[0]}</obj>")
        return inner if isinstance(inner, tuple) else (200, headers, ENVELOPE.format(method, inner).encode())

    def this(self, request):
        return request.findtext(f"{VIM}_this")

    # ---- sessions

    def RetrieveServiceContent(self, _request, _headers):
        return CONTENT.format(self.identity)

    def Login(self, request, headers):
        if request.findtext(f"{VIM}password") != "pass<word>":
            return fault("InvalidLogin")
        cookie, key = uuid.uuid4().hex, str(uuid.uuid4())
        self.sessions[f'"{cookie}"'] = key
        headers["Set-Cookie"] = f'vmware_soap_session="{cookie}"; Path=/; HttpOnly; Secure'
        return f"<returnval><key>{key}</key></returnval>"

    def Logout(self, _request, _headers):
        del self.sessions[self.here.cookie[1]]
        return ""

    # ---- properties

    def CreateContainerView(self, _request, _headers):
        return f'<returnval type="ContainerView">session[{self.here.key}]view</returnval>'

    def properties(self, ref):
        m = self.machines[ref]
        values = "".join(f"<CustomFieldValue xsi:type=\"CustomFieldStringValue\"><key>{key}</key><value>{escape(value)}</value></CustomFieldValue>"
                         for key, value in m.get("values", {}).items())
        return {"name": escape(m["name"]), "runtime.powerState": m["power"], "runtime.connectionState": "connected", "config.template": "false",
                "config.hardware.numCPU": m["size"][0], "config.hardware.memoryMB": m["size"][1], "config.createDate": "2026-01-01T00:00:00.5Z",
                "guest.ipAddress": "10.0.0.7", "customValue": values}

    def object(self, kind, ref, paths):
        if kind == "CustomFieldsManager":
            known = {"field": "".join(f"<CustomFieldDef><key>{key}</key><name>{name}</name></CustomFieldDef>" for name, key in self.fields.items())}
        elif kind == "Task":
            known = {"info": self.info(ref)}
        else:
            known = self.properties(ref)
        values = "".join(f'<propSet><name>{path}</name><val xsi:type="any">{known[path]}</val></propSet>' for path in paths if path in known)
        return f'<objects><obj type="{kind}">{ref}</obj>{values}</objects>'

    def RetrievePropertiesEx(self, request, _headers):
        kind, paths = request.findtext(f".//{VIM}type"), [p.text for p in request.iter(f"{VIM}pathSet")]
        obj = request.find(f".//{VIM}obj")
        if obj.get("type") != "ContainerView":
            return f"<returnval>{self.object(kind, obj.text, paths)}</returnval>"
        assert obj.text == f"session[{self.here.key}]view"
        return self.page([self.object(kind, ref, paths) for ref in self.machines] if kind == "VirtualMachine" else [])

    def ContinueRetrievePropertiesEx(self, request, _headers):
        key, rest = self.tokens.pop(request.findtext(f"{VIM}token"))
        assert key == self.here.key, "a token of another session"
        return self.page(rest)

    def page(self, objects):
        token = uuid.uuid4().hex
        if objects[PAGE:]:
            self.tokens[token] = (self.here.key, objects[PAGE:])
        return f"<returnval>{f'<token>{token}</token>' if objects[PAGE:] else ''}{''.join(objects[:PAGE])}</returnval>" if objects else ""

    # ---- the change feed

    def CreateFilter(self, request, _headers):
        assert request.findtext(f".//{VIM}obj") == f"session[{self.here.key}]view" and request.findtext(f"{VIM}partialUpdates") == "true"
        return f'<returnval type="PropertyFilter">session[{self.here.key}]filter</returnval>'

    def WaitForUpdatesEx(self, request, _headers):
        """Machines that differ from what the session was told, a page at a time. A version that is not the last one is unknown."""
        version, last = request.findtext(f"{VIM}version"), self.told.get(self.here.key, ("", {}))
        if version and version != last[0]:
            return fault("InvalidCollectorVersion")
        known, now = dict(last[1]) if version else {}, {ref: str(self.properties(ref)) for ref in self.machines}
        updates = [("modify" if ref in known else "enter", ref) for ref in now if known.get(ref) != now[ref]] + [("leave", ref) for ref in known if ref not in now]
        if version and not updates:
            return ""
        for kind, ref in updates[:PAGE]:
            known[ref] = now.get(ref)
            if kind == "leave":
                del known[ref]
        self.told[self.here.key] = str(int(last[0] or 0) + 1), known
        objects = "".join(f'<objectSet><kind>{kind}</kind><obj type="VirtualMachine">{ref}</obj></objectSet>' for kind, ref in updates[:PAGE])
        return (f"<returnval><version>{self.told[self.here.key][0]}</version><filterSet><filter>f</filter>{objects}</filterSet>"
                f"<truncated>{str(len(updates) > PAGE).lower()}</truncated></returnval>")

    # ---- acts

    def info(self, ref):
        """Tasks take `slow` looks."""
        task = self.tasks[ref]
        task["looks"] -= 1
        if task["looks"] >= 0:
            return "<state>running</state>"
        if task["problem"]:
            return (f'<state>error</state><error><fault xsi:type="{task["problem"]}"/><localizedMessage>It failed: {task["problem"]}.</localizedMessage></error>')
        task["does"]()
        return "<state>success</state>"

    def task(self, does, problem=None):
        ref = f"task-{len(self.tasks)}"
        self.tasks[ref] = {"looks": self.slow, "problem": problem, "does": does}
        return f'<returnval type="Task">{ref}</returnval>'

    def turn(self, request, power):
        m = self.machines[self.this(request)]
        return self.task(lambda: m.update(power=power), "InvalidPowerState" if m["power"] == power else None)

    def PowerOnVM_Task(self, request, _headers):
        return self.turn(request, "poweredOn")

    def PowerOffVM_Task(self, request, _headers):
        return self.turn(request, "poweredOff")

    def SuspendVM_Task(self, request, _headers):
        return self.turn(request, "suspended")

    def CreateSnapshot_Task(self, request, _headers):
        asked = [request.findtext(f"{VIM}{name}") for name in ("name", "memory", "quiesce")]
        assert asked[0].startswith("dari-") and asked[1:] == ["false", "false"], asked
        m = self.machines[self.this(request)]
        return self.task(lambda: m.setdefault("snapshots", []).append(asked[0]), self.snapshot_problem)

    snapshot_problem = None

    def ShutdownGuest(self, request, _headers):
        if not self.tools:
            return fault("ToolsUnavailable")
        if self.obeys:
            self.machines[self.this(request)]["power"] = "poweredOff"
        return ""

    def RebootGuest(self, _request, _headers):
        return "" if self.tools else fault("ToolsUnavailable")

    def ResetVM_Task(self, _request, _headers):
        return self.task(lambda: None)

    def ReconfigVM_Task(self, request, _headers):
        m, size = self.machines[self.this(request)], (int(request.findtext(f".//{VIM}numCPUs")), int(request.findtext(f".//{VIM}memoryMB")))
        return self.task(lambda: m.update(size=size), "CpuHotPlugNotSupported" if m["power"] == "poweredOn" else None)

    def Destroy_Task(self, request, _headers):
        ref = self.this(request)
        return self.task(lambda: self.machines.pop(ref), "InvalidPowerState" if self.machines[ref]["power"] == "poweredOn" else None)

    def AddCustomFieldDef(self, request, _headers):
        self.fields[request.findtext(f"{VIM}name")] = str(100 + len(self.fields))
        return f'<returnval><key>{99 + len(self.fields)}</key></returnval>'

    def SetField(self, request, _headers):
        self.machines[request.findtext(f"{VIM}entity")].setdefault("values", {})[request.findtext(f"{VIM}key")] = request.findtext(f"{VIM}value")
        return ""

    def end(self):
        self.server.shutdown()
        self.server.server_close()


def add(home, name, url, *more, secret="pass<word>", region="all"):
    return run(home, "provider", "add", "vmware", name, "--region", region, "--login", "ann@vsphere.local", "--secret-stdin", "--endpoint", url, "--poll-s", "1",
               "--account", elsewhere.owner(home), "--json", *more, text=secret + "\n")


@pytest.fixture(scope="module")
def world():
    there = Vcenter()
    with Dev() as home:
        home.there = there
        done = add(home, "there", there.url)
        assert done.returncode == 0, done
        home.shown = json.loads(done.stdout)
        wait_until(lambda: set(machines(home)) == set(there.machines), "the first listing", shows=lambda: provider(home))
        yield home
    there.end()


@pytest.fixture(autouse=True)
def honest(world):
    yield
    world.there.spoil, world.there.slow, world.there.tools, world.there.obeys = lambda *_: None, 0, True, True


def listed(world):
    since = provider(world)["refreshed_us"]
    wait_until(lambda: provider(world)["refreshed_us"] > since, "a listing", shows=lambda: provider(world))


def test_list(world):
    """Pages of two are read to the end; a password and a name with signs of XML go through."""
    assert world.shown["identity"] == world.there.identity and world.shown["status"] == "ok", world.shown
    row = machines(world)["vm-1"]
    assert (row["name"], row["power"], row["type"], row["private_ips"]) == ("web1 & co", "running", "2x2048", ["10.0.0.7"]), row
    assert row["launched_us"] == 1767225600500000
    assert world.there.seen.count("ContinueRetrievePropertiesEx") >= 2
    elsewhere.is_quiet(world)


def test_session_ends_between_pages(world):
    """The token of a page belongs to a session: the listing begins anew, and loses nothing."""
    known, ended = provider(world)["since_us"], []

    def spoil(method, _request):
        if method == "ContinueRetrievePropertiesEx" and not ended:
            ended.append(0)
            world.there.sessions.clear()
        return None
    world.there.spoil = spoil
    wait_until(lambda: ended, "the end of a session")
    listed(world)
    listed(world)
    assert set(machines(world)) == set(world.there.machines) and provider(world)["since_us"] == known
    assert len(world.there.sessions) == 1


def test_properties_without_a_session(world):
    """Some servers answer without a session, and leave all properties out: no row may lose its texts."""
    spoilt = []

    def spoil(method, request):
        if method != "RetrievePropertiesEx" or spoilt or request.findtext(f".//{VIM}type") != "VirtualMachine":
            return None
        spoilt.append(0)
        missing = '<missingSet><path>name</path><fault><fault xsi:type="NotAuthenticated"/></fault></missingSet>'
        text = f'<returnval><objects><obj type="VirtualMachine">vm-1</obj>{missing}</objects></returnval>'
        return 200, {"Content-Type": "text/xml"}, ENVELOPE.format(method, text).encode()
    world.there.spoil = spoil
    wait_until(lambda: spoilt, "the lie")
    listed(world)
    assert machines(world)["vm-1"]["name"] == "web1 & co"


def act(world, verb, ref, *more):
    done = run(world, "remote", verb, ref, *more)
    assert done.returncode == 0, done


def test_slow_tasks(world):
    """An act's task is followed, and never started twice."""
    world.there.slow, world.there.tools = 2, False
    before = len(world.there.tasks)
    act(world, "stop", "vm-2")
    rests(world, "vm-2", "stopped")
    act(world, "start", "vm-2")
    rests(world, "vm-2", "running")
    assert len(world.there.tasks) == before + 2, world.there.tasks


def test_a_task_fails(world):
    world.there.slow = 1
    act(world, "resize", "vm-2", "--type", "4x4096")
    wait_until(lambda: "CpuHotPlugNotSupported" in machines(world)["vm-2"].get("act_problem", ""), "the reason", shows=lambda: machines(world)["vm-2"])
    assert machines(world)["vm-2"]["type"] == "2x2048"


def test_save_and_snapshot(world):
    """A suspended machine starts again. A snapshot is made once, and the act ends with its task."""
    world.there.slow = 2
    for act, power, there in (("save", "stopped", "suspended"), ("start", "running", "poweredOn")):
        assert run(world, "remote", act, "vm-1").returncode == 0
        rests(world, "vm-1", power)
        assert world.there.machines["vm-1"]["power"] == there
    assert run(world, "remote", "snapshot", "vm-1").returncode == 0
    wait_until(lambda: machines(world)["vm-1"]["act"] == "none", "the end of the act", shows=lambda: machines(world)["vm-1"])
    assert len(world.there.machines["vm-1"]["snapshots"]) == 1 == world.there.seen.count("CreateSnapshot_Task")
    world.there.snapshot_problem = "FileFault"
    assert run(world, "remote", "snapshot", "vm-1").returncode == 0
    wait_until(lambda: "FileFault" in machines(world)["vm-1"].get("act_problem", ""), "the reason", shows=lambda: machines(world)["vm-1"])
    world.there.snapshot_problem = None


def test_console(world):
    """The link has the vCenter's instance UUID and the machine, and no session."""
    done = run(world, "remote", "console", "vm-1")
    assert done.stdout == f"{world.there.url}/ui/app/vm;nav=h/urn:vmomi:VirtualMachine:vm-1:{world.shown['identity']}/summary\n", done


def test_stop_waits_for_the_guest(world):
    """Stop gives a guest time to shut down before it powers the guest off."""
    world.there.obeys = False
    before, asked = world.there.seen.count("PowerOffVM_Task"), world.there.seen.count("ShutdownGuest")
    act(world, "stop", "vm-3")
    wait_until(lambda: world.there.seen.count("ShutdownGuest") > asked, "the request")
    listed(world)
    assert machines(world)["vm-3"]["act"] == "stop" and world.there.seen.count("PowerOffVM_Task") == before
    world.there.machines["vm-3"]["power"] = "poweredOff"
    rests(world, "vm-3", "stopped")
    assert world.there.seen.count("ShutdownGuest") == asked + 1


def test_reboot_without_tools(world):
    world.there.tools = False
    before = world.there.seen.count("ResetVM_Task")
    act(world, "reboot", "vm-1")
    wait_until(lambda: machines(world)["vm-1"]["act"] == "none", "the end of the act")
    assert world.there.seen.count("ResetVM_Task") == before + 1


def test_tag(world):
    act(world, "tag", "vm-1", "--tag", "team=red")
    wait_until(lambda: machines(world)["vm-1"]["remote_tags"] == {"team": "red"}, "the tag", shows=lambda: machines(world)["vm-1"])
    act(world, "tag", "vm-4", "--tag", "team=blue")
    wait_until(lambda: machines(world)["vm-4"]["remote_tags"] == {"team": "blue"}, "the other tag")
    assert world.there.seen.count("AddCustomFieldDef") == 1


def test_terminate(world):
    """A running machine is powered off first."""
    act(world, "terminate", "vm-5")
    wait_until(lambda: "vm-5" not in machines(world), "the end", shows=lambda: machines(world).get("vm-5"))
    assert "vm-5" not in world.there.machines


def test_changes_without_a_listing(world):
    """A provider that is listed once a day shows a change, and an end, soon; a server that forgets how far its feed was starts it anew."""
    assert add(world, "seldom", world.there.url).returncode == 0
    wait_until(lambda: set(machines(world, "seldom")) == set(world.there.machines), "the listing")
    assert run(world, "provider", "set", "seldom", "--poll-s", "86400").returncode == 0
    ref = sorted(world.there.machines)[0]

    def turns(power, word):
        world.there.machines[ref]["power"] = word
        wait_until(lambda: machines(world, "seldom")[ref]["power"] == power, power, shows=lambda: provider(world, "seldom"))
    before = world.there.machines[ref]["power"]
    wait_until(lambda: world.there.told, "the feed")
    for power, word in (("stopped", "poweredOff"), ("running", "poweredOn")):
        turns(power, word)
    forgotten = {key: str(int(version) + 1000) for key, (version, _) in world.there.told.items()}
    world.there.told = {key: (version, {}) for key, version in forgotten.items()}
    wait_until(lambda: all(world.there.told[key][0] != forgotten[key] for key in world.there.sessions.values() if key in forgotten), "the new beginning")
    turns("stopped", "poweredOff")
    world.there.machines[ref]["power"] = before
    assert run(world, "provider", "remove", "seldom").returncode == 0


def test_lies(world):
    """Answers that are not the API's change nothing."""
    before = set(machines(world))
    good = ENVELOPE.format("RetrievePropertiesEx", '<returnval><objects><obj type="VirtualMachine">vm 1/../</obj></objects></returnval>')
    for text in ("<html/>", good, good.replace("urn:vim25", "urn:other"), "<!DOCTYPE a [<!ENTITY b \"c\">]>" + good[21:], good[:200]):
        world.there.spoil = lambda method, request, text=text: (200, {"Content-Type": "text/xml"}, text.encode()) if method == "RetrievePropertiesEx" else None
        assert run(world, "provider", "refresh", "there").returncode == 0
        wait_until(lambda: provider(world)["status"] == "failing", text, shows=lambda: provider(world))
        assert set(machines(world)) == before
        world.there.spoil = lambda *_: None
        assert run(world, "provider", "refresh", "there").returncode == 0
        wait_until(lambda: provider(world)["status"] == "ok", "rest", shows=lambda: provider(world))


def test_refused(world):
    """The command refuses impossible values at once, and names the parameter."""
    for words, text in ((("--project", "p"), "no projects"), (("--domain", "d"), "names its domain")):
        done = add(world, "bad", world.there.url, *words)
        assert done.returncode != 0 and text in done.stderr, done
    done = add(world, "bad", world.there.url, region="a/b")
    assert done.returncode != 0 and "datacenter" in done.stderr, done


def test_sign_out(world):
    """Each session that is opened is ended."""
    known = set(world.there.sessions)
    assert add(world, "second", world.there.url).returncode == 0
    wait_until(lambda: machines(world, "second"), "its listing")
    assert run(world, "provider", "remove", "second").returncode == 0
    wait_until(lambda: set(world.there.sessions) <= known, "that it signs out", shows=lambda: world.there.sessions)
    done = add(world, "wrong", world.there.url, secret="other")
    wait_until(lambda: provider(world, "wrong")["status"] == "denied", "the refusal", shows=lambda: done)
    assert set(world.there.sessions) <= known


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

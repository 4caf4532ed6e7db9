#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/desk src/reconcile/support src/engine/support src/daemon/ticket_facts.c
"""Webhooks of an operator's and a vendor's desk, as an attacker would run them: each member and text that leaves is looked at, redirects lead to this machine,
answers never end or never begin, and a copied signature is used elsewhere."""
import base64
import hashlib
import hmac
import http.server
import json
import os
import sys
import threading
import urllib.error
import urllib.request

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import native  # noqa: E402
from dev import Dev  # noqa: E402
from waiting import HANG_S, found as soon, wait_until  # noqa: E402

SECRET = "Zq7ExampleOnly5mN8pLk2Xv"
USER_DATA, OTHERS = "DBPASS-of-a-hunter2", "mark-of-another-account"
# the members that may leave; the name of a list has its elements' members behind it
TICKET = {"id", "name", "description", "severity", "ticketType", "status", "@type", "note", "note.id", "note.author", "note.date", "note.text", "attachment",
          "attachment.id", "attachment.name", "attachment.mimeType", "attachment.content", "attachment.size", "attachment.size.amount", "attachment.size.units",
          "relatedEntity", "relatedEntity.id", "relatedEntity.role", "relatedParty", "relatedParty.id", "relatedParty.role"}
EVENT = {"eventId", "eventTime", "eventType", "fieldPath", "event", "event.troubleTicket"} | {f"event.troubleTicket.{name}" for name in TICKET}


class Hook:
    """Records requests; `mode` says how it answers."""

    def __init__(self):
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                hook.serve(self)

            do_GET = do_PUT = do_POST

        self.heard, self.strays, self.mode, self.free = [], [], "honest", threading.Event()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/events"

    def serve(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        if handler.path != "/events":
            self.strays.append(handler.path)
        else:
            self.heard.append((dict(handler.headers), body))
        mode = self.mode
        if mode == "redirect" and handler.path == "/events":
            handler.send_response(307)
            handler.send_header("Location", self.url.replace("/events", "/inside"))
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        if mode == "silent":
            self.free.wait(HANG_S)
            handler.close_connection = True
            return
        handler.send_response(200)
        if mode == "endless":
            handler.end_headers()
            self.pour(handler)
            return
        handler.send_header("Content-Length", "2")
        handler.end_headers()
        handler.wfile.write(b"{}")

    def pour(self, handler):
        handler.close_connection = True
        try:
            while not self.free.is_set():
                handler.wfile.write(b" " * 65536)
        except OSError:
            pass

    def events(self):
        return [json.loads(body) for _, body in list(self.heard)]


class Region:
    def __init__(self, folder):
        self.dev, self.desk, self.vendor = Dev(), Hook(), Hook()
        (folder / "secret").write_text(SECRET)
        for name, hook, more in (("desk", self.desk, []), ("vendor", self.vendor, ["--role", "vendor", "--product", "nothing*"])):
            self.dev.command("desk", "add", name, "--driver", "webhook", "--url", hook.url, "--secret-file", str(folder / "secret"), *more)
        self.mine, self.other = native.another(self.dev, "mine"), native.another(self.dev, "other")
        self.instance, self.others = self.launch(self.mine, "web", USER_DATA), self.launch(self.other, OTHERS, OTHERS)
        self.support = self.mine.root.client("support")

    def launch(self, project, name, user_data):
        ec2 = project.root.client()
        image = ec2.describe_images()["Images"][0]["ImageId"]
        made = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1, UserData=user_data,
                                 TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}])
        self.dev.rest()
        return made["Instances"][0]["InstanceId"]

    def open(self, subject, text):
        case = self.support.create_case(subject=subject, communicationBody=text)["caseId"]
        return case, soon(lambda: [t for t in self.dev.command("ticket", "list", "--all") if t["subject"] == subject])[0]["ticket"]


@pytest.fixture(scope="module")
def region(tmp_path_factory):
    r = Region(tmp_path_factory.mktemp("region"))
    yield r
    r.desk.free.set()
    r.dev.end()


def names_of(value, place=""):
    """Each member's path, without the numbers of list elements."""
    if isinstance(value, dict):
        for name, member in value.items():
            path = f"{place}.{name}".lstrip(".")
            yield path
            yield from names_of(member, path)
    elif isinstance(value, list):
        for member in value:
            yield from names_of(member, place)


def files_of(events):
    return {f["name"]: base64.b64decode(f["content"]) for e in events for f in e["event"]["troubleTicket"].get("attachment", [])}


def test_only_listed_members_leave(region):
    """A ticket about the account's own instance, whose text names another account's, with everything that Dari adds: messages, a file, facts."""
    token, key = region.mine.token, region.mine.root
    said = f"{region.instance} does not reach {region.others}. X-Auth-Token: {token} aws_secret_access_key = {key.secret} {key.key_id}"
    case, ticket = region.open("All of it", said)
    sets = region.support.add_attachments_to_set(attachments=[{"fileName": "trace.txt", "data": f"password={SECRET}".encode()}])["attachmentSetId"]
    region.support.add_communication_to_case(caseId=case, communicationBody="See the file.", attachmentSetId=sets)
    region.dev.command("ticket", "say", ticket, "--private", "--body", "PRIVATE-remark")
    region.dev.command("ticket", "link", ticket, "vendor")
    for hook in (region.desk, region.vendor):
        wait_until(lambda hook=hook: "trace.txt" in files_of(hook.events()), "the file", shows=lambda hook=hook: hook.events())
    wait_until(lambda: any(name.endswith(".json") for name in files_of(region.desk.events())), "the facts", shows=lambda: sorted(files_of(region.desk.events())))
    region.dev.rest()
    for hook in (region.desk, region.vendor):
        events = hook.events()
        assert set().union(*(names_of(event) for event in events)) <= EVENT
        assert not {e["event"]["troubleTicket"].get("id") for e in events} - {ticket}
        everything = json.dumps(events).encode() + b"".join(files_of(events).values())
        everything += b"".join(f"{name}: {value}\n".encode() for headers, _ in hook.heard for name, value in headers.items())
        for secret in (SECRET, token, key.secret, key.key_id, "PRIVATE-remark", USER_DATA, base64.b64encode(USER_DATA.encode()).decode(), OTHERS,
                       base64.b64encode(OTHERS.encode()).decode(), region.other.id, region.other.user_id, region.mine.user_id, key.dev.config):
            assert secret.encode() not in everything, secret
    assert not any("relatedParty" in e["event"]["troubleTicket"] for e in region.vendor.events()), "a vendor does not learn the account"
    for name, content in files_of(region.desk.events()).items():
        if name.endswith(".json"):
            facts = json.loads(content)
            assert "user_data" not in content.decode() and "made_by" not in content.decode() and "host" not in set(names_of(facts))


def test_signatures(region):
    """Each request is signed with its body and time, bears no other credential, and its signature opens nothing in the region."""
    assert region.desk.heard
    for headers, body in list(region.desk.heard):
        said = dict(part.split("=", 1) for part in headers["Dari-Signature"].split(","))
        assert hmac.compare_digest(said["v1"], hmac.new(SECRET.encode(), f"{said['t']}.".encode() + body, hashlib.sha256).hexdigest())
        assert not {name.lower() for name in headers} & {"authorization", "cookie", "x-auth-token"}
    headers, body = region.desk.heard[-1]
    for method, path in (("POST", "/api/v1/billing/payments"), ("POST", "/tmf-api/troubleTicket/v4/troubleTicket"), ("GET", "/api/v1/tickets")):
        request = urllib.request.Request(region.dev.url + path, method=method, data=body if method == "POST" else None,
                                         headers={"Dari-Signature": headers["Dari-Signature"], "Content-Type": "application/json"})
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=HANG_S)
        assert refused.value.code in (400, 401, 403, 404), (path, refused.value.code)


def test_redirect(region):
    """A redirect is not followed; the message counts as rejected, with the status, and can be sent again."""
    region.desk.mode = "redirect"
    _, ticket = region.open("Redirected", "To loopback.")
    wait_until(lambda: "307" in json.dumps(region.dev.command("ticket", "show", ticket)), "the refusal", shows=lambda: region.dev.command("ticket", "show", ticket))
    assert not region.desk.strays
    region.desk.mode = "honest"


@pytest.mark.parametrize("mode", ["endless", "silent"])
def test_answer_without_end(region, mode):
    """An answer that does not end, or does not begin, delays neither customers nor the other desk."""
    region.desk.mode = mode
    before = len(region.desk.heard)
    case, ticket = region.open(f"It is {mode}", "Hear me.")
    wait_until(lambda: len(region.desk.heard) > before, "the request")
    region.support.add_communication_to_case(caseId=case, communicationBody="More.")
    region.dev.command("ticket", "link", ticket, "vendor")
    wait_until(lambda: any(e["event"]["troubleTicket"]["id"] == ticket for e in region.vendor.events()), "the other desk")
    if mode == "endless":
        wait_until(lambda: "more than it may" in json.dumps(region.dev.command("ticket", "show", ticket)), "the refusal",
                   shows=lambda: region.dev.command("ticket", "show", ticket))
    region.desk.mode = "honest"


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

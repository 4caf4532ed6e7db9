#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/desk src/reconcile/support src/engine/support
"""Tickets at a ServiceNow (a fake of its public reference: tests/lib/desk_servicenow.py) as the operator's desk, and at a vendor's webhook that gets
signed events and answers by TMF621."""
import hashlib
import hmac
import http.server
import json
import os
import sys
import threading
import time
import urllib.error
import urllib.request

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from desk_servicenow import Desk  # noqa: E402
from dev import Dev  # noqa: E402
from waiting import HANG_S, found as soon  # noqa: E402

PASSWORD, SECRET = "Zq7ExampleOnly5mN8", "Zq7ExampleOnly5mN8pLk2Xv"


class Hook:
    """Receives events: records each with the validity of its signature. Refuses the next `refuses` events."""

    def __init__(self):
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                said = dict(part.split("=", 1) for part in self.headers.get("Dari-Signature", "t=0,v1=").split(","))
                right = hmac.new(SECRET.encode(), f"{said['t']}.".encode() + body, hashlib.sha256).hexdigest()
                is_right = hmac.compare_digest(said["v1"], right) and abs(int(said["t"]) - time.time()) < 300 and "Authorization" not in self.headers
                refuse, hook.refuses = hook.refuses > 0, max(0, hook.refuses - 1)
                hook.heard.append((json.loads(body), is_right, refuse))
                answer = b"{}" if refuse else b'{"id": "CASE-7"}'
                self.send_response(503 if refuse else 200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)
        self.heard, self.refuses = [], 0
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}/events"

    def taken(self, kind):
        return [event for event, _, refused in self.heard if event["eventType"] == kind and not refused]


class Region:
    def __init__(self, folder):
        self.desk, self.hook = Desk("now", PASSWORD), Hook()
        self.dev = Dev("--data", str(folder / "data"))
        for name, text in (("password", PASSWORD), ("secret", SECRET)):
            (folder / name).write_text(text)
        self.dev.command("desk", "add", "now", "--driver", "servicenow", "--url", self.desk.url, "--login", "dari", "--secret-file", str(folder / "password"),
                         "--poll-s", "1", "--queue", "Cloud")
        made = self.dev.command("desk", "add", "hook", "--driver", "webhook", "--url", self.hook.url, "--role", "vendor", "--product", "windows*",
                                "--secret-file", str(folder / "secret"), "--login", "them", "--inbound")
        self.token = made["token"]
        self.support = self.dev.account.client("support")

    def open(self, subject, body="It does not boot.", **more):
        case = self.support.create_case(subject=subject, communicationBody=body, **more)["caseId"]
        return case, soon(lambda: [t for t in self.dev.command("ticket", "list", "--all") if t["subject"] == subject])[0]["ticket"]

    def status(self, case):
        return self.support.describe_cases(caseIdList=[case], includeResolvedCases=True)["cases"][0]["status"]

    def said(self, case):
        return [c["body"] for c in self.support.describe_communications(caseId=case)["communications"]][::-1]

    def patch(self, ticket, value, token=None):
        request = urllib.request.Request(f"{self.dev.url}/tmf-api/troubleTicket/v4/troubleTicket/{ticket}", method="PATCH", data=json.dumps(value).encode(),
                                         headers={"Authorization": f"Bearer {token or self.token}", "Content-Type": "application/merge-patch+json"})
        try:
            with urllib.request.urlopen(request, timeout=HANG_S) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as failed:
            return failed.code, json.load(failed)


@pytest.fixture(scope="module")
def region(tmp_path_factory):
    r = Region(tmp_path_factory.mktemp("region"))
    yield r
    r.dev.end()
    r.desk.stop()


def at(region, subject):
    found = region.desk.find(subject)
    assert len(found) <= 1
    return found[0] if found else None


def test_servicenow(region):
    """Opened, answered, annotated, put on hold, resolved and reopened on either side."""
    case, ticket = region.open("Disk full", f"password={SECRET}\nIt is full.", severityCode="urgent")
    row = soon(lambda: at(region, "Disk full"))
    assert (row["impact"], row["urgency"], row["priority"], row["correlation_id"], row["assignment_group"]) == ("2", "1", "2", ticket, "Cloud")
    assert "It is full." in row["description"] and SECRET not in region.desk.all_text()
    region.desk.change(row, "lee", state="2", comments="Which disk?")
    region.desk.change(row, "lee", work_notes="PRIVATE: again this one")
    soon(lambda: region.status(case) == "work-in-progress")
    soon(lambda: region.said(case)[1:] == ["Which disk?"])
    region.support.add_communication_to_case(caseId=case, communicationBody="sda")
    soon(lambda: any("sda" in m for m in region.desk.said(row)))
    region.desk.change(row, "lee", state="3", hold_reason="1", comments="And now?")
    soon(lambda: region.status(case) == "pending-customer-action")
    region.desk.change(row, "lee", state="6", close_code="Solved (Permanently)", close_notes="done")
    soon(lambda: region.status(case) == "resolved")
    region.support.add_communication_to_case(caseId=case, communicationBody="It is full again.")
    soon(lambda: row["state"] == "2")
    region.support.resolve_case(caseId=case)
    soon(lambda: row["state"] == "6" and row["close_notes"])
    soon(lambda: all(x["stage"] == "sent" for x in region.dev.command("ticket", "show", ticket)["links"][0]["sendings"]))
    region.desk.change(row, "lee", state="2")
    soon(lambda: region.status(case) in ("reopened", "work-in-progress"))
    assert region.said(case)[1:] == ["Which disk?", "sda", "And now?", "It is full again."]
    marks = [m[m.rindex("[dari:"):] for m in region.desk.said(row, who="dari")]
    assert len(marks) == len(set(marks)) == 2


def test_subject_of_characters(region):
    """ServiceNow gets the beginning of a long subject, cut between characters."""
    case, _ = region.open("디" * 54)
    row = soon(lambda: at(region, "디" * 53))
    assert "It does not boot." in row["description"]
    region.support.resolve_case(caseId=case)


@pytest.mark.parametrize("cut", ["POST /api/now/table", "PATCH /api/now/table"])
def test_answer_lost(region, cut):
    """The desk has carried out the request, and its answer is lost: it is not repeated."""
    region.desk.cut = cut
    case, _ = region.open(f"Lost {cut}")
    row = soon(lambda: at(region, f"Lost {cut}"))
    for text in ("once", "twice"):
        region.support.add_communication_to_case(caseId=case, communicationBody=text)
    soon(lambda: len(region.desk.said(row, who="dari")) == 2)
    assert at(region, f"Lost {cut}") is row


def test_files(region):
    """In both directions; a desk that is down gets its files when it is back."""
    blob = bytes(range(256)) * 20
    made = region.support.add_attachments_to_set(attachments=[{"fileName": "dump.bin", "data": blob}])
    case, _ = region.open("With files", attachmentSetId=made["attachmentSetId"])
    row = soon(lambda: at(region, "With files"))
    soon(lambda: blob in region.desk.content.values())
    region.desk.attach(row, "lee", "answer.bin", b"\0\1\2" * 500)
    files = soon(lambda: [f for c in region.support.describe_communications(caseId=case)["communications"] for f in c.get("attachmentSet", [])
                          if f["fileName"] == "answer.bin"])
    assert region.support.describe_attachment(attachmentId=files[0]["attachmentId"])["attachment"]["data"] == b"\0\1\2" * 500
    region.desk.stop()
    for n in range(3):
        region.support.add_communication_to_case(caseId=case, communicationBody=f"line {n}")
    soon(lambda: [d for d in region.dev.command("desk", "list") if d["name"] == "now"][0]["state"] == "failing")
    region.desk.start()
    soon(lambda: len(region.desk.said(row, who="dari")) == 3)
    assert [m.split("\n")[2] for m in region.desk.said(row, who="dari")] == [f"line {n}" for n in range(3)]
    assert list(region.desk.content.values()).count(blob) == 1


def test_webhook(region):
    """A Windows guest's ticket, on hold at the operator, is sent as events, each signed, each once; the vendor answers by TMF621."""
    ec2 = region.dev.account.client("ec2")
    image = ec2.copy_image(SourceImageId=ec2.describe_images()["Images"][0]["ImageId"], Name="windows-2022", SourceRegion="us-east-1")["ImageId"]
    ec2.get_waiter("image_available").wait(ImageIds=[image], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    instance = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    region.hook.refuses = 2
    case, ticket = region.open("Blue screen", f"{instance} is blue. password={SECRET}")
    region.desk.change(soon(lambda: at(region, "Blue screen")), "lee", state="3", hold_reason="4")
    made = soon(lambda: region.hook.taken("TroubleTicketCreateEvent"))
    told = made[0]["event"]["troubleTicket"]
    assert len(made) == 1 and told["id"] == ticket and "is blue" in told["description"] and "relatedParty" not in told
    assert len({event["eventId"] for event, _, _ in region.hook.heard if event["eventType"] == "TroubleTicketCreateEvent"}) == 1
    assert [refused for _, _, refused in region.hook.heard][:3] == [True, True, False]
    region.support.add_communication_to_case(caseId=case, communicationBody="Still blue.")
    notes = soon(lambda: [e for e in region.hook.taken("TroubleTicketAttributeValueChangeEvent") if e.get("fieldPath") == "note"])
    assert "Still blue." in notes[-1]["event"]["troubleTicket"]["note"][0]["text"]
    status, shown = region.patch(ticket, {"status": "inProgress", "note": [{"id": "n-1", "author": "Lee", "text": "Update it."}]})
    assert status == 200 and shown["id"] == ticket
    assert region.patch(ticket, {"note": [{"id": "n-1", "author": "Lee", "text": "Update it."}]})[0] == 200
    soon(lambda: region.said(case)[-1] == "Update it.")
    assert region.said(case).count("Update it.") == 1
    assert region.patch(ticket, {"status": "resolved"})[0] == 200
    soon(lambda: region.status(case) == "resolved")
    region.support.add_communication_to_case(caseId=case, communicationBody="Blue again.")
    soon(lambda: region.hook.taken("TroubleTicketStatusChangeEvent"))
    assert region.patch(ticket, {"status": "resolved"}, token="desk-0")[0] == 401
    burst = [region.patch(ticket, {"note": [{"id": f"burst-{n}", "author": "Lee", "text": "Again."}]})[0] for n in range(25)]
    assert burst[0] == 200 and burst[-1] == 409
    assert all(is_right for _, is_right, _ in region.hook.heard)
    assert SECRET not in json.dumps([event for event, _, _ in region.hook.heard])


def test_refused(region, tmp_path):
    """Required options of a desk are checked."""
    for words, why in ((["--driver", "webhook", "--url", "http://127.0.0.1:9"], "secret"), (["--driver", "sim", "--url", "http://127.0.0.1:9"], "Nothing here speaks")):
        with pytest.raises(Exception) as refused:
            region.dev.command("desk", "add", "other", *words)
        assert why in refused.value.stderr
    assert tmp_path


PARTY = {"role": "reporter", "partyOrPartyRole": {"id": "77", "name": "Kim", "@type": "PartyRef", "@referredType": "Individual"},
         "@type": "RelatedPartyRefOrPartyRoleRef"}
DOCUMENT = {
    "name": "Link is slow", "description": "Pings take a second.", "severity": "Major", "status": "inProgress", "ticketType": "Network Fault", "priority": "High",
    "requestedResolutionDate": "2026-12-01T07:34:45.968Z", "expectedResolutionDate": "2026-12-02T07:34:45.968Z",
    "channel": {"id": "3", "name": "telephone", "@type": "ChannelRef"}, "relatedParty": [PARTY],
    "attachment": [{"id": "1", "name": "trace", "mimeType": "text/plain", "url": "https://desk.example.com/files/1", "@type": "Attachment"}],
    "note": [{"id": "501", "author": "Kim", "date": "2026-11-20T07:34:45.968Z", "text": "Since Monday.", "@type": "Note"}],
    "relatedEntity": [{"role": "affected", "@type": "RelatedEntity",
                       "entity": {"id": "line-7", "name": "Line 7", "@type": "EntityRef", "@referredType": "Service"}}],
    "troubleTicketRelationship": [{"id": "9", "relationshipType": "dependency", "@type": "TroubleTicketRelationship"}],
    "troubleTicketCharacteristic": [{"id": "1", "name": "loss", "valueType": "number", "value": 40, "@type": "NumberCharacteristic"}],
    "externalIdentifier": [{"id": "INC-1", "owner": "hook", "externalIdentifierType": "troubleTicket", "@type": "ExternalIdentifier"}],
    "@schemaLocation": "https://desk.example.com/schema.yaml", "@type": "TroubleTicket"}


def test_documents_come_back(region):
    """A desk gets its own document back unchanged, including members that Dari does not use; nobody else sees these."""
    def ask(method, path, body=None, media="application/json", version="v5", **headers):
        request = urllib.request.Request(f"{region.dev.url}/tmf-api/troubleTicket/{version}/{path}", method=method,
                                         data=None if body is None else json.dumps(body).encode(),
                                         headers={"Authorization": f"Bearer {region.token}", "Content-Type": media, **headers})
        try:
            with urllib.request.urlopen(request, timeout=HANG_S) as answer:
                return answer.status, json.load(answer), answer.headers["ETag"]
        except urllib.error.HTTPError as failed:
            return failed.code, json.load(failed), None

    def check(got, sent):
        """Except the state, which is the operator's desk's, and the files that Dari attaches."""
        got = {**got, "attachment": [a for a in got["attachment"] if "url" in a], "status": sent["status"]}
        assert got | sent == got

    number = region.dev.account.client("ec2").describe_security_groups()["SecurityGroups"][0]["OwnerId"]
    region.dev.command("desk", "set", "hook", "--opens-for", number)
    status, made, tag = ask("POST", "troubleTicket", DOCUMENT)
    assert status == 201, made
    path = f"troubleTicket/{made['id']}"
    check(made, DOCUMENT)
    check(ask("GET", path)[1], DOCUMENT)
    shown = ask("GET", "troubleTicket?fields=priority,note&externalId=INC-1")[1]
    assert [set(t) for t in shown] == [{"id", "href", "@type", "priority", "note"}]
    case = [c for c in region.support.describe_cases(includeResolvedCases=True)["cases"] if c["subject"] == "Link is slow"][0]["caseId"]
    assert region.said(case) == ["Pings take a second.", "Since Monday."]
    told = json.dumps(region.dev.command("ticket", "show", made["id"]))
    assert "telephone" not in told and "Network Fault" not in told
    # a ticket without a name is named by its beginning
    nameless = {"description": "\r\n" + "\uac00" * 60 + "\r\nIt began on Monday.", "severity": "Minor", "ticketType": "Complaint"}
    status, named, _ = ask("POST", "troubleTicket", nameless)
    assert (status, named["name"], named["description"]) == (201, "\uac00" * 40, nameless["description"])
    # a merge patch, and a JSON patch; a known note is not added again
    status, merged, later = ask("PATCH", path, {"priority": None, "statusChangeReason": "waits", "channel": {"id": "4"}}, "application/merge-patch+json",
                                **{"If-Match": tag})
    expected = {k: v for k, v in DOCUMENT.items() if k != "priority"} | {"statusChangeReason": "waits", "channel": {"id": "4"}}
    assert status == 200 and later != tag and "priority" not in merged
    check(merged, expected)
    assert ask("PATCH", path, {"priority": "Low"}, "application/merge-patch+json", **{"If-Match": tag})[0] == 412
    status, patched, _ = ask("PATCH", path, [{"op": "replace", "path": "/severity", "value": "Minor"}, {"op": "remove", "path": "/channel"},
                                             {"op": "add", "path": "/note", "value": {"id": "501", "text": "Since Monday."}},
                                             {"op": "add", "path": "/note/-", "value": {"id": "502", "author": "Lee", "text": "Better now."}}],
                             "application/json-patch+json")
    assert status == 200 and patched["severity"] == "Minor" and "channel" not in patched
    assert [(n["id"], n["author"], n["text"]) for n in patched["note"]] == [("501", "Kim", "Since Monday."), ("502", "Lee", "Better now.")]
    assert ask("GET", path, version="v4")[1]["externalId"] == "INC-1"
    # an invalid change changes nothing
    before = ask("GET", path)[1]
    for body, media, code in (([{"op": "test", "path": "/severity", "value": "Minor"}], "application/json-patch+json", 400),
                              ([{"op": "add", "path": "/note/0/text", "value": "x"}], "application/json-patch+json", 400),
                              ([{"op": "add", "path": "/severity"}], "application/json-patch+json", 400),
                              ({"severity": "Low"}, "application/json-patch+json", 400),
                              ([{"op": "replace", "path": "/note?id=501", "value": {}}], "application/json-patch-query+json", 415),
                              ({"note": [{"text": "x"}] * 21}, "application/merge-patch+json", 400),
                              ({"relatedParty": ["x" * 20000]}, "application/merge-patch+json", 413),
                              ({"status": "asleep"}, "application/merge-patch+json", 400)):
        assert ask("PATCH", path, body, media)[0] == code, body
    assert ask("GET", path)[1] == before


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

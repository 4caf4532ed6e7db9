#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/desk src/reconcile/support
# when: long
# limit: 1800 s
"""Tickets at two of Debian's Request Trackers, the operator's and a vendor's, with Dari between them: opened, answered, attached, put on hold,
resolved and reopened on either side, with an RT that is killed and restarted in the middle, and Dari likewise. No message appears twice, private
notes never cross, and planted secrets do not leave: those of tests/unit/model/test_redact.c."""
import json
import os
import re
import signal
import sys
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import desk_real_rt  # noqa: E402
from dev import ROOT, Dev  # noqa: E402
import waiting  # noqa: E402
from waiting import found as soon  # noqa: E402


class Region:
    """Dari between the two desks."""

    def __init__(self, folder):
        self.folder = str(folder)
        self.a, self.b = desk_real_rt.Desk(folder, "desk-a"), desk_real_rt.Desk(folder, "desk-b")
        self.dev = Dev("--data", os.path.join(self.folder, "data"))
        for desk, role, more in ((self.a, "operator", []), (self.b, "vendor", ["--product", "rhel*"])):
            path = os.path.join(self.folder, desk.name + ".secret")
            with open(path, "w", encoding="ascii") as f:
                f.write(desk.token)
            self.dev.command("desk", "add", desk.name, "--driver", "rt", "--url", desk.url, "--role", role, "--secret-file", path,
                             "--login", "dari", "--poll-s", "1", *more)
        self.support = self.dev.account.client("support")

    def kill(self):
        waiting.unwatch(self.dev)
        self.dev.process.send_signal(signal.SIGKILL)
        self.dev.process.communicate()

    def restart(self):
        key = self.dev.account.key_id, self.dev.account.secret
        self.dev = Dev("--data", os.path.join(self.folder, "data"))
        self.dev.account.key_id, self.dev.account.secret = key
        self.support = self.dev.account.client("support")

    def open(self, subject, body="It does not boot.", **more):
        case = self.support.create_case(subject=subject, communicationBody=body, **more)["caseId"]
        return case, "t-" + case[-16:]

    def ticket(self, prefix):
        found = [t for t in self.dev.command("ticket", "list", "--all") if t["ticket"].startswith(prefix)]
        return self.dev.command("ticket", "show", found[0]["ticket"])

    def status(self, case):
        return self.support.describe_cases(caseIdList=[case], includeResolvedCases=True)["cases"][0]["status"]

    def said(self, case):
        return [c["body"] for c in self.support.describe_communications(caseId=case)["communications"]][::-1]

    def end(self):
        self.dev.end()
        for desk in (self.a, self.b):
            desk.end()


@pytest.fixture(scope="module")
def region(tmp_path_factory):
    assert desk_real_rt.is_here(), "Debian's request-tracker5 is not installed: tools/packages, [slow]"
    r = Region(tmp_path_factory.mktemp("region"))
    yield r
    r.end()


def at(desk, subject):
    """The desk's ticket with that subject; there is at most one."""
    found = desk.find(subject)
    assert len(found) <= 1, f"{len(found)} tickets {subject!r} at {desk.name}"
    return found[0] if found else None


def check_once(*places):
    """Each of Dari's markers appears once in a desk's ticket."""
    for desk, number in places:
        marks = [text[text.rindex("[dari:"):].strip() for text in desk.said(number, who="dari") if "[dari:" in text]
        assert len(marks) == len(set(marks)), f"{desk.name}: {marks}"


def hold(region, case, subject, ticket):
    """The vendor's number of a ticket that the operator's desk puts on hold."""
    region.dev.command("ticket", "link", region.ticket(ticket)["ticket"], "desk-b")
    a = soon(lambda: at(region.a, subject))
    region.a.status(a, "stalled")
    b = soon(lambda: at(region.b, subject))
    soon(lambda: region.ticket(ticket)["state"] == "held")
    assert region.status(case) == "work-in-progress"
    return a, b


def test_course(region):
    case, ticket = region.open("Kernel panics", "It panics.", severityCode="high")
    a = soon(lambda: at(region.a, "Kernel panics"))
    full = region.ticket(ticket)["ticket"]
    assert region.a.field(a) == [full] and "It panics." in region.a.said(a, "Create")[0]
    assert not region.b.find("Kernel panics")
    region.a.correspond(a, "Which kernel?")
    soon(lambda: region.status(case) == "work-in-progress")
    soon(lambda: region.said(case)[1:] == ["Which kernel?"])
    region.a.comment(a, "PRIVATE: this customer again")
    region.dev.command("ticket", "say", full, "--body", "PRIVATE: an operator's note", "--private")
    region.support.add_communication_to_case(caseId=case, communicationBody="6.1.0-13")
    soon(lambda: any("6.1.0-13" in m for m in region.a.said(a, who="dari")))
    _, b = hold(region, case, "Kernel panics", ticket)
    soon(lambda: len(region.b.said(b, "Create")) == 1 and any("6.1.0-13" in m for m in region.b.said(b)))
    region.b.correspond(b, "It is a known fault: update.")
    soon(lambda: any("known fault" in m for m in region.a.said(a, who="dari")))
    assert region.said(case)[-1] == "It is a known fault: update."
    region.b.comment(b, "PRIVATE: the vendor's own")
    region.b.status(b, "resolved")
    soon(lambda: region.status(case) == "resolved")
    soon(lambda: region.a.show(a)["Status"] == "resolved")
    region.support.add_communication_to_case(caseId=case, communicationBody="It still panics.")
    soon(lambda: region.a.show(a)["Status"] == "open")
    assert region.status(case) in ("reopened", "work-in-progress")
    region.support.resolve_case(caseId=case)
    soon(lambda: region.a.show(a)["Status"] == region.b.show(b)["Status"] == "resolved")
    region.a.status(a, "open")
    soon(lambda: region.status(case) in ("reopened", "work-in-progress"))
    check_once((region.a, a), (region.b, b))
    assert region.said(case) == ["It panics.", "Which kernel?", "6.1.0-13", "It is a known fault: update.", "It still panics."]
    assert "PRIVATE: this" not in region.b.all_text() and "the vendor's own" not in region.a.all_text()
    for desk in (region.a, region.b):
        assert "operator's note" not in desk.all_text()
    assert not [m for m in region.said(case) if "PRIVATE" in m]


def test_files(region):
    blob, answer = bytes(range(256)) * 40, b"\0\1\2" * 1000
    made = region.support.add_attachments_to_set(attachments=[{"fileName": "dump.bin", "data": blob}])
    case, ticket = region.open("With files", attachmentSetId=made["attachmentSetId"])
    a, b = hold(region, case, "With files", ticket)
    for desk, number in ((region.a, a), (region.b, b)):
        soon(lambda: desk.files(number).get("dump.bin") == blob)  # pylint: disable=cell-var-from-loop
    region.b.correspond(b, "See this.", [("answer.bin", "application/octet-stream", answer)])
    files = soon(lambda: [f for c in region.support.describe_communications(caseId=case)["communications"] for f in c.get("attachmentSet", [])
                          if f["fileName"] == "answer.bin"])
    assert region.support.describe_attachment(attachmentId=files[0]["attachmentId"])["attachment"]["data"] == answer
    soon(lambda: region.a.files(a).get("answer.bin") == answer)
    check_once((region.a, a), (region.b, b))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_desk_dies(region, number):
    """A desk is killed while it receives messages: all appear once, in order, when it is back."""
    subject = f"Dies by {number.name}"
    case, ticket = region.open(subject)
    a, b = hold(region, case, subject, ticket)
    lines = [f"line {n}" for n in range(8)]
    for n, line in enumerate(lines):
        region.support.add_communication_to_case(caseId=case, communicationBody=line)
        if n == 2:
            soon(lambda: region.a.said(a, who="dari"))
            region.a.stop(number)
        time.sleep(0.2)
    soon(lambda: [d for d in region.dev.command("desk", "list") if d["name"] == "desk-a"][0]["state"] == "failing")
    region.b.correspond(b, "said while it was away")
    soon(lambda: "said while it was away" in region.said(case))
    region.a.start()
    soon(lambda: len(region.a.said(a, who="dari")) == len(lines) + 1)
    assert [line for m in region.a.said(a, who="dari") for line in m.split("\n") if line.startswith("line ")] == lines
    check_once((region.a, a), (region.b, b))
    soon(lambda: [d for d in region.dev.command("desk", "list") if d["name"] == "desk-a"][0]["state"] == "ok")


def test_dari_dies(region):
    """Dari is killed at several moments after a customer's message: nothing is lost or repeated."""
    for n, wait_s in enumerate((0, 0.3, 1, 2)):
        subject = f"Dari dies {n}"
        case, _ = region.open(subject)
        time.sleep(wait_s)
        region.kill()
        region.restart()
        a = soon(lambda: at(region.a, subject))  # pylint: disable=cell-var-from-loop
        for part in range(3):
            region.support.add_communication_to_case(caseId=case, communicationBody=f"part {part}")
        time.sleep(wait_s)
        region.kill()
        region.a.correspond(a, "said while it was dead")
        region.restart()
        soon(lambda: "said while it was dead" in region.said(case))  # pylint: disable=cell-var-from-loop
        soon(lambda: len(region.a.said(a, who="dari")) == 3)  # pylint: disable=cell-var-from-loop
        check_once((region.a, a))
        assert region.said(case).count("said while it was dead") == 1 and at(region.a, subject) == a


def planted():
    """(text, the secret in it) each; without those at the end of the text, and keys of other accounts."""
    with open(os.path.join(ROOT, "tests/unit/model/test_redact.c"), encoding="utf-8") as f:
        table = f.read().split("} shapes[] = {")[1].split("\n};")[0]
    found = [tuple(json.loads(f'"{part}"') for part in row) for row in re.findall(r'^\t\{"((?:[^"\\]|\\.)*)", "((?:[^"\\]|\\.)*)"\},$', table, re.MULTILINE)]
    return [(text, secret) for text, secret in found if "BEGIN DSA" not in text and "brought-along" not in text]


def test_secrets(region):
    """A hundred secrets, in messages and in a file: none reaches a desk."""
    secrets = planted()
    lines = [text for text, _ in secrets]
    assert len(lines) >= 100
    made = region.support.add_attachments_to_set(attachments=[{"fileName": "log.txt", "data": "\n".join(lines).encode()}])
    case, ticket = region.open("Secrets", "\n".join(lines[:50]), attachmentSetId=made["attachmentSetId"])
    a, b = hold(region, case, "Secrets", ticket)
    region.support.add_communication_to_case(caseId=case, communicationBody="\n".join(lines[50:]))
    for desk, number in ((region.a, a), (region.b, b)):
        soon(lambda: "log.txt" in desk.files(number) and desk.said(number, who="dari"))  # pylint: disable=cell-var-from-loop
        seen = desk.all_text() + desk.files(number)["log.txt"].decode() + "\n".join(desk.said(number) + desk.said(number, "Create"))
        assert seen.count("[removed: ") > 200
        assert not [secret for _, secret in secrets if secret in seen]


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=5", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

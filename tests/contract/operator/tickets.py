#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/engine/support src/drivers/desk src/reconcile/support src/api/support src/api/tmf
"""Tickets at two desks, the operator's and a vendor's, with Dari between them: each message appears on the other side once, in order, whatever is
stopped or killed; private notes and secrets do not cross. The desks are fakes of Request Tracker's REST2 (tests/lib/desk_rt.py);
tests/contract/operator/tickets_rt.py uses Debian's."""
import json
import os
import pty
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from desk_rt import Desk  # noqa: E402
from dev import DARI, Dev  # noqa: E402
from waiting import HANG_S, found as soon  # noqa: E402

SECRET = "Zq7" + "ExampleOnly5mN8pLk2Xv"


class Region:
    """Dari between two desks; it can be killed and restarted."""

    def __init__(self, folder):
        self.folder = str(folder)
        self.a, self.b = Desk("desk-a", "token-a"), Desk("desk-b", "token-b")
        self.dev = Dev("--data", self.folder)
        for desk, role, more in ((self.a, "operator", []), (self.b, "vendor", ["--product", "rhel*"])):
            path = os.path.join(self.folder, desk.name + ".secret")
            with open(path, "w", encoding="ascii") as f:
                f.write(desk.token)
            self.dev.command("desk", "add", desk.name, "--driver", "rt", "--url", desk.url, "--role", role, "--secret-file", path,
                             "--login", "dari", "--poll-s", "1", *more)
        self.support = self.dev.account.client("support")

    def kill(self):
        self.dev.process.send_signal(signal.SIGKILL)
        self.dev.process.communicate()

    def restart(self):
        key = self.dev.account.key_id, self.dev.account.secret
        self.dev = Dev("--data", self.folder)
        self.dev.account.key_id, self.dev.account.secret = key
        self.support = self.dev.account.client("support")

    def open(self, subject, body="It does not boot.", **more):
        case = self.support.create_case(subject=subject, communicationBody=body, **more)["caseId"]
        return case, "t-" + case[-16:]

    def ticket(self, prefix):
        """A ticket by a prefix of its id, which a case's id contains."""
        found = [t for t in self.dev.command("ticket", "list", "--all") if t["ticket"].startswith(prefix)]
        return self.dev.command("ticket", "show", found[0]["ticket"])

    def status(self, case):
        return self.support.describe_cases(caseIdList=[case], includeResolvedCases=True)["cases"][0]["status"]

    def said(self, case):
        return [c["body"] for c in self.support.describe_communications(caseId=case)["communications"]][::-1]

    def end(self):
        for desk in (self.a, self.b):
            desk.stop()
        self.dev.end()


@pytest.fixture(scope="module")
def region(tmp_path_factory):
    r = Region(tmp_path_factory.mktemp("region"))
    yield r
    r.end()


def at(desk, subject):
    """The desk's ticket with that subject; there is at most one."""
    found = desk.find(subject)
    assert len(found) <= 1, f"{len(found)} tickets {subject!r} at {desk.name}"
    return found[0] if found else None


def test_course(region):
    """Opened, answered, put on hold, answered by the vendor, annotated, resolved, reopened, resolved by its customer."""
    case, ticket = region.open("Kernel panics", f"password={SECRET}\nIt panics.", severityCode="high")
    assert region.status(case) in ("unassigned", "opened")
    a = soon(lambda: at(region.a, "Kernel panics"))
    assert region.a.tickets[a]["Priority"] == "50" and region.a.tickets[a]["fields"] == {"Dari ticket": region.ticket(ticket)["ticket"]}
    first = region.a.said(a, "Create")[0]
    assert "It panics." in first and "[removed: password]" in first and SECRET not in first
    assert not region.b.tickets
    region.a.correspond(a, "Which kernel?\n\nOn Monday, root wrote:\n> It panics.\n")
    soon(lambda: region.status(case) == "work-in-progress")
    assert region.said(case)[1:] == ["Which kernel?"]
    region.a.comment(a, "PRIVATE: this customer again")
    region.dev.command("ticket", "say", region.ticket(ticket)["ticket"], "--body", "PRIVATE: an operator's note", "--private")
    region.support.add_communication_to_case(caseId=case, communicationBody="6.1.0-13")
    soon(lambda: any("6.1.0-13" in m for m in region.a.said(a)))
    region.dev.command("ticket", "link", region.ticket(ticket)["ticket"], "desk-b")
    region.a.status(a, "stalled")
    b = soon(lambda: at(region.b, "Kernel panics"))
    soon(lambda: len(region.b.said(b)) == 2)  # messages from before it was linked
    assert [m.split("\n")[0] for m in region.b.said(b)] == ["kim writes:", "Customer writes:"]
    soon(lambda: region.ticket(ticket)["state"] == "held")
    assert region.status(case) == "work-in-progress"
    region.b.correspond(b, "It is a known fault: update.", "lee")
    soon(lambda: any("update" in m for m in region.a.said(a, who="dari")))
    assert region.said(case)[-1] == "It is a known fault: update."
    region.b.status(b, "resolved", "lee")
    soon(lambda: region.status(case) == "resolved")
    soon(lambda: region.a.tickets[a]["Status"] == "resolved")
    region.support.add_communication_to_case(caseId=case, communicationBody="It still panics.")
    soon(lambda: region.status(case) in ("reopened", "work-in-progress"))
    soon(lambda: region.a.tickets[a]["Status"] == "open")
    answer = region.support.resolve_case(caseId=case)
    assert answer["initialCaseStatus"] in ("reopened", "work-in-progress") and answer["finalCaseStatus"] == "resolved"
    soon(lambda: region.a.tickets[a]["Status"] == region.b.tickets[b]["Status"] == "resolved")
    region.a.status(a, "open")
    soon(lambda: region.status(case) in ("reopened", "work-in-progress"))
    assert region.said(case) == [f"password={SECRET}\nIt panics.", "Which kernel?", "6.1.0-13", "It is a known fault: update.", "It still panics."]
    for desk in (region.a, region.b):
        assert SECRET not in desk.all_text()
    assert "PRIVATE" not in region.b.all_text() and "operator's note" not in region.a.all_text()
    assert region.dev.account.key_id not in region.b.all_text()


def settled(region, case, ticket, at_a):
    """Waits until the desk has everything and both sides are resolved."""
    sendings = region.ticket(ticket)["links"][0]["sendings"]
    is_over = region.status(case) == "resolved" and region.a.tickets[at_a]["Status"] == "resolved"
    return is_over and all(s["stage"] == "sent" for s in sendings) and [s["what"] for s in sendings][3:]


def test_resolved_behind_a_message(region):
    """RT reopens a resolved ticket at any message. That must not undo the resolution of a customer who writes and resolves at once."""
    case, ticket = region.open("Resolved twice")
    a = soon(lambda: at(region.a, "Resolved twice"))
    region.support.resolve_case(caseId=case)
    soon(lambda: region.a.tickets[a]["Status"] == "resolved")
    region.a.cut = "/correspond"  # so that the desk is polled before it gets the message
    region.support.add_communication_to_case(caseId=case, communicationBody="It is fine.")
    region.support.resolve_case(caseId=case)
    soon(lambda: settled(region, case, ticket, a))
    assert region.a.cut is None
    time.sleep(3)  # three polls, which change nothing more
    assert settled(region, case, ticket, a) == ["state", "state"]


def test_reopened_while_it_is_resolved(region):
    """The desk resolves it, and the customer writes before Dari knows. A later resolution by the customer is a new one."""
    case, ticket = region.open("Resolved late")
    a = soon(lambda: at(region.a, "Resolved late"))
    with region.a.holding("/correspond") as said:
        with region.a.holding(f"PUT /REST/2.0/ticket/{a}") as resolved:
            region.support.resolve_case(caseId=case)
            assert resolved.wait(60)
            region.support.add_communication_to_case(caseId=case, communicationBody="It is fine.")
        assert said.wait(60)
        assert region.status(case) == "reopened"
        region.support.resolve_case(caseId=case)
    assert soon(lambda: settled(region, case, ticket, a)) == ["state", "state"]


def count_markers(desk, number):
    """Number of occurrences of each of Dari's messages."""
    marks = {}
    for text in desk.said(number, who="dari"):
        mark = text[text.rindex("[dari:"):].strip()
        marks[mark] = marks.get(mark, 0) + 1
    return list(marks.values())


def test_desk_down(region):
    """A desk that is down gets everything in order when it is back; meanwhile the ticket says so, and keeps its state."""
    case, ticket = region.open("Disk is slow")
    a = soon(lambda: at(region.a, "Disk is slow"))
    region.a.correspond(a, "We look.")
    soon(lambda: region.status(case) == "work-in-progress")
    region.a.stop()
    for number in range(4):
        region.support.add_communication_to_case(caseId=case, communicationBody=f"line {number}")
    soon(lambda: [d for d in region.dev.command("desk", "list") if d["name"] == "desk-a"][0]["state"] == "failing")
    assert region.status(case) == "work-in-progress"
    soon(lambda: "does not answer" in region.dev.explain(region.ticket(ticket)["ticket"]))  # polling the desk fails, too
    region.a.start()
    soon(lambda: len(region.a.said(a, who="dari")) == 4, 120)
    assert [t.split("\n")[2] for t in region.a.said(a, who="dari")] == [f"line {n}" for n in range(4)]
    soon(lambda: [d for d in region.dev.command("desk", "list") if d["name"] == "desk-a"][0]["state"] == "ok")


@pytest.mark.parametrize("cut", ["POST /REST/2.0/ticket", "/correspond"])
def test_answer_lost(region, cut):
    """The desk has carried out the request, and its answer is lost: it is not repeated."""
    region.a.cut = cut if cut != "/correspond" else None
    case, _ = region.open(f"Lost {cut}")
    a = soon(lambda: at(region.a, f"Lost {cut}"))
    soon(lambda: region.a.cut is None)  # the ticket exists a moment before its answer is lost
    region.a.cut = "/correspond"
    region.support.add_communication_to_case(caseId=case, communicationBody="once")
    soon(lambda: len(region.a.said(a, who="dari")) >= 1)
    region.support.add_communication_to_case(caseId=case, communicationBody="twice")
    soon(lambda: len(region.a.said(a, who="dari")) == 2)
    assert count_markers(region.a, a) == [1, 1]
    assert at(region.a, f"Lost {cut}") == a


def test_killed(region):
    """Dari dies after the POST, before it has stored the result."""
    region.a.cut = "POST /REST/2.0/ticket"
    case, _ = region.open("Killed")
    soon(lambda: at(region.a, "Killed"))
    soon(lambda: region.a.cut is None)
    region.kill()
    a = at(region.a, "Killed")
    region.a.correspond(a, "said while it was dead")
    region.restart()
    soon(lambda: "said while it was dead" in region.said(case))
    region.a.cut = "/correspond"
    region.support.add_communication_to_case(caseId=case, communicationBody="said once")
    soon(lambda: len(region.a.said(a, who="dari")) == 1)
    region.kill()
    region.restart()
    region.support.add_communication_to_case(caseId=case, communicationBody="and then")
    soon(lambda: len(region.a.said(a, who="dari")) == 2)
    assert count_markers(region.a, a) == [1, 1]
    assert region.said(case) == ["It does not boot.", "said while it was dead", "said once", "and then"]


def test_files(region, tmp_path):
    """Files go both ways; text is searched for secrets; other files are unchanged."""
    blob = bytes(range(256)) * 40
    made = region.support.add_attachments_to_set(attachments=[{"fileName": "notes.txt", "data": f"token: {SECRET}\n".encode()},
                                                              {"fileName": "dump.bin", "data": blob}])
    case, _ = region.open("With files", attachmentSetId=made["attachmentSetId"])
    a = soon(lambda: at(region.a, "With files"))
    soon(lambda: {"notes.txt", "dump.bin"} <= set(region.a.file_names()))
    assert SECRET not in region.a.all_text()
    region.a.correspond(a, "See this.", files=[("answer.bin", "application/octet-stream", b"\0\1\2" * 1000)])
    sets = soon(lambda: [c["attachmentSet"] for c in region.support.describe_communications(caseId=case)["communications"] if c["body"] == "See this."
                         and c.get("attachmentSet")] or [c["attachmentSet"] for c in region.support.describe_communications(caseId=case)["communications"]
                                                         if any(f["fileName"] == "answer.bin" for f in c.get("attachmentSet", []))])
    file = next(f for files in sets for f in files if f["fileName"] == "answer.bin")
    got = region.support.describe_attachment(attachmentId=file["attachmentId"])["attachment"]
    assert got["data"] == b"\0\1\2" * 1000 and got["fileName"] == "answer.bin"
    path = tmp_path / "log.txt"
    path.write_text("what happened")
    ticket = [t for t in region.dev.command("ticket", "list") if t["subject"] == "With files"][0]["ticket"]
    region.dev.command("ticket", "attach", ticket, str(path))
    soon(lambda: "log.txt" in region.a.file_names())
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        region.support.create_case(subject="x", communicationBody="y", attachmentSetId=made["attachmentSetId"])
    assert refused.value.response["Error"]["Code"] == "AttachmentSetIdNotFound"


def test_echo_breaker(region):
    """A desk with automatic replies is paused, and resumed by the operator."""
    case, ticket = region.open("Loop")
    a = soon(lambda: at(region.a, "Loop"))
    for number in range(25):
        region.a.correspond(a, f"auto {number}", "robot")
    soon(lambda: region.ticket(ticket)["links"][0]["stopped"])
    assert len(region.said(case)) <= 21
    region.dev.command("ticket", "link", region.ticket(ticket)["ticket"], "desk-a", "--goes-on")
    region.a.correspond(a, "a person", "kim")
    soon(lambda: "a person" in region.said(case))


def test_words_do_not_steer_the_operators_terminal(region):
    """A customer's text may have C1 control characters, of which U+009B begins a sequence as ESC [ does."""
    _, ticket = region.open("Colours", "red \x9b31m text")
    number = str(region.ticket(ticket)["number"])
    shows = [DARI, "--config", region.dev.config, "ticket", "show", number]
    assert "red \x9b31m text" in subprocess.run(shows, check=True, capture_output=True, text=True).stdout  # into a pipe as it is
    ours, theirs = pty.openpty()
    try:
        shown = subprocess.Popen(shows, stdout=theirs)
        os.close(theirs)
        seen = b""
        while b"31m text" not in seen:
            seen += os.read(ours, 65536)
        assert b"red ??31m text" in seen and b"\xc2\x9b" not in seen
        assert shown.wait(HANG_S) == 0
    finally:
        os.close(ours)


def test_refused(region):
    """A message that a desk rejects fails at once, is reported, and delays no other; it can be retried."""
    case, ticket = region.open("Refused")
    a = soon(lambda: at(region.a, "Refused"))
    soon(lambda: all(s["stage"] == "sent" for s in region.ticket(ticket)["links"][0]["sendings"]))
    region.a.token = "another"
    region.support.add_communication_to_case(caseId=case, communicationBody="refused first")
    dead = soon(lambda: [s for s in region.ticket(ticket)["links"][0]["sendings"] if s["stage"] == "dead"])
    assert "401" in dead[0]["problem"]
    region.a.token = "token-a"
    region.dev.command("ticket", "retry", dead[0]["id"])
    soon(lambda: any("refused first" in m for m in region.a.said(a)))


def test_refused_at_first(region):
    """Messages behind a ticket that the desk rejected follow once it is accepted."""
    region.a.token = "another"
    case, ticket = region.open("Not taken")
    dead = soon(lambda: [s for s in region.ticket(ticket)["links"][0]["sendings"] if s["stage"] == "dead"])
    region.support.add_communication_to_case(caseId=case, communicationBody="said behind it")
    assert [s["stage"] for s in region.ticket(ticket)["links"][0]["sendings"]].count("dead") == 1
    region.a.token = "token-a"
    region.dev.command("ticket", "retry", dead[0]["id"])
    a = soon(lambda: at(region.a, "Not taken"))
    soon(lambda: any("said behind it" in m for m in region.a.said(a)))


def test_routing(region):
    """A ticket about a vendor's product is linked with the vendor's desk when the operator puts it on hold; billing tickets are not."""
    case, ticket = region.open("Held", "no product")
    a = soon(lambda: at(region.a, "Held"))
    region.a.status(a, "stalled")
    soon(lambda: region.status(case) == "pending-customer-action")
    assert at(region.b, "Held") is None
    region.support.add_communication_to_case(caseId=case, communicationBody="an answer")
    assert region.status(case) in ("customer-action-completed", "work-in-progress")
    ec2 = region.dev.account.client("ec2")
    image = ec2.copy_image(SourceImageId=ec2.describe_images()["Images"][0]["ImageId"], Name="rhel-9", SourceRegion="us-east-1")["ImageId"]
    ec2.get_waiter("image_available").wait(ImageIds=[image], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    instance = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    case, _ = region.open("Their product", f"{instance} hangs.")
    billed, _ = region.open("Its bill", f"{instance} costs too much.", serviceCode="billing", issueType="customer-service")
    for subject in ("Their product", "Its bill"):
        region.a.status(soon(lambda: at(region.a, subject)), "stalled")  # pylint: disable=cell-var-from-loop
    soon(lambda: at(region.b, "Their product"))
    assert region.status(case) == "work-in-progress"
    soon(lambda: region.status(billed) == "pending-customer-action")
    assert at(region.b, "Its bill") is None


def test_hub(region):
    """A desk cannot subscribe to events, because none are sent; with its token it may list."""
    token = region.dev.command("desk", "set", "desk-b", "--inbound")["token"]

    def ask(method, path, body=None):
        request = urllib.request.Request(region.dev.url + "/tmf-api/troubleTicket/" + path, method=method, data=body,
                                         headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=HANG_S) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as failed:
            return failed.code, json.load(failed)
    assert ask("GET", "v4/troubleTicket")[0] == 200
    for version in ("v4", "v5"):
        for method, path in (("POST", "hub"), ("DELETE", "hub/1"), ("GET", "hub/1")):
            status, said = ask(method, f"{version}/{path}", b'{"callback": "http://127.0.0.1/events"}' if method == "POST" else None)
            assert (status, said["code"], said["@type"]) == (405, "61", "Error") and "No event" in said["reason"]
    known = token
    for _ in range(10):  # an unauthenticated call leaves no connection state on its thread
        token = "another"
        assert ask("POST", "v4/hub", b"{}")[0] == 401
        token = known
        assert ask("GET", "v4/troubleTicket")[0] == 200


def test_aws_command(region):
    """Debian's aws."""
    env = dict(os.environ, AWS_ACCESS_KEY_ID=region.dev.account.key_id, AWS_SECRET_ACCESS_KEY=region.dev.account.secret,
               AWS_DEFAULT_REGION="us-east-1", PYTHONPATH="")

    def aws(*words, fails=False):
        done = subprocess.run(["/usr/bin/aws", "--endpoint-url", region.dev.url, "support", *words], env=env, capture_output=True, text=True, check=False)
        assert (done.returncode != 0) == fails, done.stderr
        return done.stderr if fails else json.loads(done.stdout or "{}")
    case = aws("create-case", "--subject", "By hand", "--communication-body", "hello", "--severity-code", "low")["caseId"]
    assert case in [c["caseId"] for c in aws("describe-cases")["cases"]]
    assert aws("describe-severity-levels")["severityLevels"][0] == {"code": "low", "name": "Low"}
    assert any(s["code"] == "billing" for s in aws("describe-services")["services"])
    assert aws("add-communication-to-case", "--case-id", case, "--communication-body", "more")["result"] is True
    assert [c["body"] for c in aws("describe-communications", "--case-id", case)["communications"]] == ["more", "hello"]
    assert aws("resolve-case", "--case-id", case)["finalCaseStatus"] == "resolved"
    assert "CaseIdNotFound" in aws("resolve-case", "--case-id", case[:-3] + "000", fails=True)
    assert "UnknownOperationException" in aws("describe-trusted-advisor-checks", "--language", "en", fails=True)


def test_two_accounts(region):
    """Another account can neither see, write nor take anything of it."""
    other = region.dev.new_account("mallory").client("support")
    case, _ = region.open("Mine")
    assert other.describe_cases(includeResolvedCases=True)["cases"] == []
    for call in (lambda: other.describe_communications(caseId=case), lambda: other.resolve_case(caseId=case),
                 lambda: other.describe_cases(caseIdList=[case]), lambda: other.add_communication_to_case(caseId=case, communicationBody="x")):
        with pytest.raises(botocore.exceptions.ClientError) as refused:
            call()
        assert refused.value.response["Error"]["Code"] == "CaseIdNotFound"


def test_pages(region):
    for number in range(12):
        region.open(f"page {number}")
    seen, token = [], {}
    while True:
        page = region.support.describe_cases(maxResults=10, includeResolvedCases=True, includeCommunications=False, **token)
        seen += [c["subject"] for c in page["cases"]]
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert len(seen) == len(set(seen)) and seen[:12] == [f"page {n}" for n in range(11, -1, -1)]


def test_closing(region):
    """Resolved, then closed for good: a later message goes to a follow-up ticket."""
    case, ticket = region.open("Done")
    region.dev.command("ticket", "close", region.ticket(ticket)["ticket"], "--for-good")
    region.support.add_communication_to_case(caseId=case, communicationBody="again")
    follows = soon(lambda: [t for t in region.dev.command("ticket", "list") if t["subject"] == "Done"])
    assert follows[0]["ticket"] != region.ticket(ticket)["ticket"]
    done = subprocess.run([DARI, "--config", region.dev.config, "ticket", "reopen", region.ticket(ticket)["ticket"]], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "closed" in done.stderr


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

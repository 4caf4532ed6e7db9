#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/native src/engine/support src/drivers/ticket_file
"""/api/v1: support tickets, messages and files. An account gets its own; the operator's private notes are hidden in lists, by id, in searches and on
the stream."""
import base64
import os
import sys
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import native  # noqa: E402
from dev import Dev  # noqa: E402

HOSTILE = "<img src=x onerror=alert(1)>\"'&amp;"


@pytest.fixture(scope="module")
def dev():
    with Dev() as region:
        region.mine, region.operator, region.other = native.own(region), native.admin(region), native.another(region, "other")
        yield region


@pytest.fixture(scope="module")
def machine(dev):
    size = next(t for t in dev.mine.rows("/instance-types") if t["name"] == "t3.micro")
    made = dev.mine.api_ok("POST", "/instances", {"image": native.image_of(dev), "type": size["id"], "count": 1})["items"][0]
    dev.rest()
    return made


@pytest.fixture(scope="module")
def ticket(dev, machine):
    body = {"subject": f"It panics {HOSTILE}", "body": f"See {HOSTILE}", "severity": "high", "resources": [machine["ec2"]]}
    return dev.mine.api_ok("POST", "/tickets", body)["items"][0]


def messages(project, ticket):
    return project.rows(f"/ticket-messages?ticket={ticket['id']}&fields=*&order=created")


def test_a_ticket(dev, ticket):
    assert (ticket["state"], ticket["severity"], ticket["about"], ticket["subject"]) == ("new", "high", "technical", f"It panics {HOSTILE}")
    assert [(m["said_by"], m["body"]) for m in messages(dev.mine, ticket)] == [("customer", f"See {HOSTILE}")]
    shown = dev.command("ticket", "show", ticket["ec2"])
    assert shown["subject"] == ticket["subject"] and shown["state"] == "new"
    for hidden in ("route", "last_message", "operator_state", "attached_size"):
        assert hidden not in ticket and hidden not in dev.mine.api_ok("GET", f"/tickets/{ticket['id']}")["item"]
        assert hidden in dev.operator.api_ok("GET", f"/tickets/{ticket['id']}")["item"]


def test_what_the_operator_notes_stays_there(dev, ticket):
    """A private note is hidden from customers: in lists, by its id, on the stream, and as a gap in numbers."""
    seen, watched = dev.mine.watch("?kinds=tickets,ticket-messages,ticket-attachments"), dev.operator.watch("?all=1&kinds=tickets,ticket-messages,ticket-attachments")
    secret = f"they have not paid {time.time_ns()}"
    note = dev.operator.api_ok("POST", f"/tickets/{ticket['id']}/say", {"body": secret, "is_private": True})["items"][0]
    hidden = dev.operator.api_ok("POST", f"/tickets/{ticket['id']}/attach", {"name": "notes.txt", "data": base64.b64encode(secret.encode()).decode(), "is_private": True})["items"][0]
    answer = dev.operator.api_ok("POST", f"/tickets/{ticket['id']}/say", {"body": "We look at it."})["items"][0]
    seen.soon(lambda: ("ticket_message", answer["id"]) in seen.rows(), "the answer")
    watched.soon(lambda: ("ticket_attachment", hidden["id"]) in watched.rows(), "the file")
    dev.operator.api_ok("POST", f"/ticket-messages/{note['id']}/redact", {"body": "[gone]"})
    last = dev.mine.api_ok("POST", f"/tickets/{ticket['id']}/say", {"body": "Thank you."})["items"][0]
    seen.soon(lambda: ("ticket_message", last["id"]) in seen.rows(), "the thanks")
    told = str(seen.events)
    for word in (secret, note["id"], hidden["id"], "[gone]"):
        assert word not in told
    assert {note["id"], hidden["id"]} <= {i for _, i in watched.rows()}
    seen.close()
    watched.close()
    assert [(m["said_by"], m["body"]) for m in messages(dev.mine, ticket)[-2:]] == [("operator", "We look at it."), ("customer", "Thank you.")]
    assert all("number" not in m and "is_private" not in m for m in messages(dev.mine, ticket))
    for kind, identifier in (("ticket-messages", note["id"]), ("ticket-attachments", hidden["id"])):
        assert dev.mine.api("GET", f"/{kind}/{identifier}").status == 404 and dev.mine.api("GET", f"/{kind}/{identifier}/events").status == 404
        assert identifier not in {r["id"] for r in dev.mine.rows(f"/{kind}")}
        assert dev.mine.api("GET", f"/explain/{identifier}").status == 404
        assert dev.operator.api("GET", f"/{kind}/{identifier}").status == 200
    assert dev.mine.api("GET", f"/ticket-attachments/{hidden['id']}/content").status == 404
    assert not dev.mine.api_ok("GET", "/search?q=notes.txt")["items"]
    for path, body in ((f"/tickets/{ticket['id']}/say", {"body": "x", "is_private": True}), (f"/tickets/{ticket['id']}/attach", {"name": "x", "data": "", "is_private": True}),
                       (f"/tickets/{ticket['id']}/work", {"state": "working"}), (f"/ticket-messages/{last['id']}/redact", {})):
        assert dev.mine.api("POST", path, body).status == 403, path


def test_another_accounts(dev, ticket):
    said = messages(dev.mine, ticket)[0]
    kept = dev.mine.api_ok("POST", f"/tickets/{ticket['id']}/attach", {"name": "log.txt", "data": base64.b64encode(b"panic").decode()})["items"][0]
    assert base64.b64decode(dev.mine.api_ok("GET", f"/ticket-attachments/{kept['id']}/content")["data"]) == b"panic" and kept["media_type"] == "text/plain"
    for path in (f"/tickets/{ticket['id']}", f"/tickets/{ticket['ec2']}/events", f"/ticket-messages/{said['id']}", f"/ticket-attachments/{kept['id']}",
                 f"/ticket-attachments/{kept['id']}/content"):
        assert dev.other.api("GET", path).status == 404, path
    for kind in ("tickets", "ticket-messages", "ticket-attachments"):
        assert not dev.other.rows(f"/{kind}")
        assert dev.other.api("GET", f"/{kind}?all=1").status == 403
    for verb, body in (("say", {"body": "x"}), ("attach", {"name": "x", "data": ""}), ("resolve", {}), ("close", {}), ("cancel", {}), ("reopen", {})):
        assert dev.other.api("POST", f"/tickets/{ticket['id']}/{verb}", body).status == 404, verb
    assert dev.other.api("PATCH", f"/tickets/{ticket['id']}", {"severity": "low"}).status == 404
    assert dev.other.api("POST", "/tickets", {"subject": "x", "body": "x", "account": dev.mine.api_ok("GET", "/me")["account"]}).status == 403


def test_states(dev, ticket):
    def state():
        return dev.mine.api_ok("GET", f"/tickets/{ticket['id']}")["item"]["state"]
    dev.operator.api_ok("POST", f"/tickets/{ticket['id']}/work", {"state": "waiting"})
    assert state() == "waiting"
    assert [t["id"] for t in dev.mine.rows("/tickets?state=waiting")] == [ticket["id"]]
    assert dev.mine.api_ok("PATCH", f"/tickets/{ticket['id']}", {"severity": "low"})["items"][0]["severity"] == "low"
    for verb, after in (("resolve", "resolved"), ("reopen", "open"), ("resolve", "resolved")):
        dev.mine.api_ok("POST", f"/tickets/{ticket['id']}/{verb}", {})
        assert (state() == "resolved") == (after == "resolved"), verb
    assert dev.mine.api("POST", f"/tickets/{ticket['id']}/attach", {"name": "x", "data": ""}).status == 409
    dev.mine.api_ok("POST", f"/tickets/{ticket['id']}/say", {"body": "Not yet."})
    assert state() not in ("resolved", "closed")
    dev.mine.api_ok("POST", f"/tickets/{ticket['id']}/close", {})
    assert state() == "closed" and dev.mine.api("POST", f"/tickets/{ticket['id']}/reopen", {}).status == 409
    follows = dev.mine.api_ok("POST", f"/tickets/{ticket['id']}/say", {"body": "It is back."})["items"][0]["ticket"]
    assert follows != ticket["id"] and dev.mine.api_ok("GET", f"/tickets/{follows}")["item"]["follows"] == ticket["id"]
    dev.mine.api_ok("POST", f"/tickets/{follows}/cancel", {})


@pytest.mark.parametrize("body, field", [({"body": "x"}, "subject"), ({"subject": "x"}, "body"), ({"subject": "x\ny", "body": "x"}, "subject"), ({"subject": "x" * 256, "body": "x"}, "subject"),
                                         ({"subject": "x", "body": "\u0001"}, "body"), ({"subject": "x", "body": "é" * 40000}, "body"), ({"subject": "x", "body": "x", "severity": "worst"}, "severity"),
                                         ({"subject": "x", "body": "x", "resources": ["r"] * 21}, "resources"), ({"subject": "x", "body": "x", "copies": ["c"] * 11}, "copies")])
def test_bad_tickets(dev, body, field):
    answer = dev.mine.api("POST", "/tickets", body)
    assert answer.status in (400, 413) and answer.json["field"] == field, answer


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))

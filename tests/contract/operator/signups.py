#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/engine/people src/api/native/sign_in
"""Self-service sign-up: impossible unless an administrator enables it; the address is confirmed by a token that no row contains; a reviewed account
creates nothing before it is accepted; the trial's quotas end with the first payment; strangers learn nothing and occupy nothing."""
import hashlib
import hmac
import http.client
import http.server
import json
import os
import signal
import sys
import threading
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import native  # noqa: E402
from dev import Dev  # noqa: E402
import waiting  # noqa: E402

SECRET = "Yx3ExampleOnly8wR5tGh6Bn"
PASSWORD = "correct horse 7 battery"
LAUNCH = {"type": "t3.micro", "count": 1}


class Mailer:
    """The operator's mailer: records events."""

    def __init__(self):
        mailer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                when, mac = self.headers["Dari-Signature"].split(",")
                right = hmac.new(SECRET.encode(), f"{when[2:]}.".encode() + body, hashlib.sha256).hexdigest()
                assert mac == f"v1={right}"
                mailer.heard.append(json.loads(body))
                self.send_response(204)
                self.send_header("Content-Length", "0")
                self.end_headers()
        self.heard = []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def soon(self, event, email, count=1):
        def told():
            found = [e for e in list(self.heard) if e["event"] == event and e["data"].get("email", email) == email]
            return len(found) >= count and found[-1]
        return waiting.wait_until(told, f"{event} of {email}", shows=lambda: self.heard)


def stranger(world, method, path, body=None):
    """An unauthenticated call."""
    connection = http.client.HTTPConnection("127.0.0.1", world.port, timeout=waiting.HANG_S)
    connection.request(method, native.PREFIX + path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, json.loads(text)


class Customer(native.Native):
    """The new customer, in the domain and the project of that name."""

    def __init__(self, dev, name, email, password=PASSWORD):  # pylint: disable=super-init-not-called
        self.dev, self.local, self.token = dev, threading.local(), None
        answer = self.call("POST", "/identity/v3/auth/tokens", {"auth": {
            "scope": {"project": {"name": name, "domain": {"name": name}}},
            "identity": {"methods": ["password"], "password": {"user": {"name": email, "domain": {"name": name}, "password": password}}}}})
        self.status = answer.status
        self.token = answer.headers.get("X-Subject-Token")

    def launch(self, image):
        return self.api("POST", "/instances", dict(LAUNCH, image=image))


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    (folder / "secret").write_text(SECRET + "\n")
    with Dev("--data", str(folder / "data")) as dev:
        dev.data = folder / "data"
        dev.mailer, dev.admin, dev.user = Mailer(), native.admin(dev), native.another(dev, "mine")
        dev.command("webhook", "add", "mails", "--url", dev.mailer.url, "--secret-file", str(folder / "secret"), "--event", "signup.*", "--payments", "yes")
        dev.image = native.image_of(dev)
        yield dev


def sign_up(world, email, name, template="small"):
    status, said = stranger(world, "POST", "/signups", {"email": email, "template": template})
    assert status == 202, said
    token = world.mailer.soon("signup.requested", email)["token"]
    return stranger(world, "POST", "/signups/confirm", {"token": token, "name": name, "password": PASSWORD})


def test_nobody_signs_up_before_an_operator_says_so(world):
    assert stranger(world, "GET", "/signups/open") == (200, {"items": []})
    status, said = stranger(world, "POST", "/signups", {"email": "kim@example.com"})
    assert status == 404 and "Ask the operator" in said["detail"]
    assert world.user.api("POST", "/signup-templates", {"name": "mine", "is_open": True}).status == 403
    assert stranger(world, "POST", "/signup-templates", {"name": "x"})[0] == 401
    assert stranger(world, "GET", "/signups")[0] == 401
    assert world.user.api("GET", "/signups").status == 403


def test_a_template_is_made_and_bad_ones_are_refused(world):
    world.command("signup", "set", "small", "--open", "yes", "--review", "yes", "--trial-limit", "instances=1", "--limit", "instances=3", "--description", "A small one")
    answer = world.admin.api("POST", "/signup-templates", {"name": "small"})
    assert answer.status == 409
    for limits, word in (({"instanzes": "1"}, "instanzes"), ({"instances": "many"}, "instances")):
        answer = world.admin.api("POST", "/signup-templates", {"name": "other", "limits": limits})
        assert answer.status == 400 and word in answer.text
    assert world.admin.api("POST", "/signup-templates", {"name": "a b"}).status == 400
    answer = world.admin.api("POST", "/signup-templates", {"name": "other", "reseller": "Default"})
    assert answer.status == 409 and "no billing account" in answer.text
    assert [t["name"] for t in world.admin.rows("/signup-templates")] == ["small"]
    assert stranger(world, "GET", "/signups/open")[1]["items"][0]["description"] == "A small one"


@pytest.mark.parametrize("email", ["", "kim", "@example.com", "kim@", "a@b@c", "kim@exa mple.com", "kim@example.com\r\nBcc: x@example.com", "<kim@example.com>", 7])
def test_what_is_no_address_is_refused(world, email):
    status, said = stranger(world, "POST", "/signups", {"email": email})
    assert status == 400 and "email" in json.dumps(said)


def test_the_token_is_in_no_row(world):
    stranger(world, "POST", "/signups", {"email": "Lee@Example.com"})
    event = world.mailer.soon("signup.requested", "lee@example.com")
    rows = json.dumps(world.command("webhook", "deliveries", "mails")) + json.dumps(world.admin.rows("/webhook-deliveries")) + json.dumps(world.admin.rows("/signups"))
    assert event["token"].split(".")[1] not in rows
    files = [f for f in world.data.rglob("dari.db*") if f.is_file()]
    assert files and not any(event["token"].split(".")[1].encode() in f.read_bytes() for f in files)


@pytest.mark.parametrize("token", ["", "x", "00000000-0000-4000-8000-000000000000." + "0" * 64, "é" * 70])
def test_what_is_no_token_is_refused(world, token):
    status, said = stranger(world, "POST", "/signups/confirm", {"token": token, "name": "x", "password": PASSWORD})
    assert status == 400 and "token" in json.dumps(said)


def test_a_reviewed_account_makes_nothing_before_it_is_accepted(world):
    status, said = sign_up(world, "kim@example.com", "kim")
    assert status == 201 and said["is_held"] and said["user"] == "kim@example.com" and len(said["number"]) == 12
    event = world.mailer.soon("signup.review", "kim@example.com")
    kim = Customer(world, "kim", "kim@example.com")
    assert kim.status == 201 and kim.api("GET", "/instances").status == 200
    answer = kim.launch(world.image)
    assert answer.status == 403 and "waits until the operator" in answer.text
    assert kim.api("POST", f"/signups/{event['data']['signup']}/accept", {}).status == 403
    world.command("signup", "accept", event["data"]["signup"])
    world.mailer.soon("signup.confirmed", "kim@example.com")
    assert kim.launch(world.image).status == 202
    answer = kim.launch(world.image)
    assert answer.status == 422 and "1 of" in answer.text, answer
    assert world.admin.api("POST", f"/signups/{event['data']['signup']}/accept", {}).status == 409


def test_a_token_is_good_once(world):
    stranger(world, "POST", "/signups", {"email": "once@example.com", "template": "small"})
    body = {"token": world.mailer.soon("signup.requested", "once@example.com")["token"], "name": "kim", "password": PASSWORD}
    assert stranger(world, "POST", "/signups/confirm", body)[0] == 409  # the name is in use; that does not use up the token
    body["name"] = "once"
    assert stranger(world, "POST", "/signups/confirm", dict(body, password="short"))[0] == 400
    assert stranger(world, "POST", "/signups/confirm", body)[0] == 201
    status, said = stranger(world, "POST", "/signups/confirm", dict(body, name="twice"))
    assert status == 409 and "was used" in said["detail"]


def test_a_known_address_is_answered_like_any_other(world):
    unknown, known = stranger(world, "POST", "/signups", {"email": "new@example.com"}), stranger(world, "POST", "/signups", {"email": "kim@example.com"})
    assert unknown == known
    assert "token" not in world.mailer.soon("signup.known", "kim@example.com")


def test_the_first_payment_ends_the_trial(world):
    body = json.dumps({"key": "1", "domain": "kim", "amount": "5"}).encode()
    now, path = int(time.time()), f"{native.PREFIX}/webhooks/mails/payments"
    mac = hmac.new(SECRET.encode(), f"{now}.POST {path}\n".encode() + body, hashlib.sha256).hexdigest()
    connection = http.client.HTTPConnection("127.0.0.1", world.port, timeout=waiting.HANG_S)
    connection.request("POST", path, body, {"Content-Type": "application/json", "Dari-Signature": f"t={now},v1={mac}"})
    assert connection.getresponse().status == 200
    waiting.wait_until(lambda: [e for e in list(world.mailer.heard) if e["event"] == "signup.active"], "it is told")
    kim = Customer(world, "kim", "kim@example.com")
    assert [kim.launch(world.image).status for _ in range(2)] == [202, 202]
    assert kim.launch(world.image).status != 202


def test_who_is_refused_gets_nowhere(world):
    assert sign_up(world, "spam@example.com", "spam")[0] == 201
    event = world.mailer.soon("signup.review", "spam@example.com")
    assert world.admin.api("POST", f"/signups/{event['data']['signup']}/refuse", {}).status == 400  # a reason is required
    assert world.admin.api("POST", f"/signups/{event['data']['signup']}/refuse", {"reason": "a robot"}).status == 202
    assert world.mailer.soon("signup.refused", "spam@example.com")["data"]["reason"] == "a robot"
    assert Customer(world, "spam", "spam@example.com").status == 401
    assert [s["stage"] for s in world.admin.rows("/signups") if s["email"] == "spam@example.com"] == ["refused"]


def test_too_many_from_one_place_are_told_to_wait(world):
    """Rows are counted, so a restart forgets nothing. And after a kill, unsent events are sent."""
    before = len(world.mailer.heard)
    statuses = [stranger(world, "POST", "/signups", {"email": "flood@example.com"})[0] for _ in range(12)]
    assert set(statuses) == {202, 429} and statuses == sorted(statuses)
    answer = world.admin.api("DELETE", "/signup-templates/small")
    assert answer.status == 409 and "signing up by it" in answer.text
    world.end(signal.SIGKILL)
    with Dev("--data", str(world.data)) as again:
        assert stranger(again, "POST", "/signups", {"email": "other@example.com"})[0] == 429
        world.mailer.soon("signup.requested", "flood@example.com")
        again.command("signup", "set", "small", "--open", "no")
        assert stranger(again, "POST", "/signups", {"email": "other@example.com", "template": "small"})[0] == 404
    assert len({e["id"] for e in world.mailer.heard[before:] if e["data"]["email"] == "flood@example.com"}) <= 3


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

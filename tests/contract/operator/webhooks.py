#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/webhook.h src/reconcile/billing src/engine/billing
"""Webhooks: events of invoices and accounts are sent, signed, once each, whatever dies; payments reported by a webhook count once, and end
restrictions. And operators' measures against abuse, with every face's errors."""
import concurrent.futures
import datetime
import decimal
import hashlib
import hmac
import http.client
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time

import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloudstack  # noqa: E402
import native  # noqa: E402
from dev import DARI, Dev  # noqa: E402
from waiting import HANG_S, found as soon  # noqa: E402

D = decimal.Decimal
SECRET = "Zq7ExampleOnly5mN8pLk2Xv"
PRICES = """
price_list: {name: public, currency: EUR, from: 2020-01-01T00:00:00Z, parent: null, owner: null}
items:
- {sku: vm.t3.micro, meter: "instance:t3.micro", unit: hour, minimum_s: 60, price: 0.010403}
- {sku: vol, meter: volume, unit: gib_month, price: 0}
- {sku: image, meter: image, unit: gib_month, price: 0}
- {sku: held, meter: held, unit: hour, price: 0}
"""
UNTIL = datetime.datetime.now(datetime.timezone.utc).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
FROM = (UNTIL - datetime.timedelta(days=1)).replace(day=1)


def prove(body, secret=SECRET, at=None, hook="till"):
    """A payment's signature covers its method and path, so that no event sent to the webhook can serve as one."""
    return sign(f"POST {native.PREFIX}/webhooks/{hook}/payments\n".encode() + body, secret, at)


def sign(body, secret=SECRET, at=None):
    at = int(time.time()) if at is None else at
    return f"t={at},v1=" + hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()


class Hook:
    """Records events with the validity of their signatures; answers `status`."""

    def __init__(self, port=0):
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                said = self.headers.get("Dari-Signature", "t=0,v1=")
                at = int(said[2:].split(",")[0])
                is_right = hmac.compare_digest(said, sign(body, at=at)) and abs(at - time.time()) < 300 and "Authorization" not in self.headers
                hook.heard.append((json.loads(body), is_right, hook.status))
                self.send_response(hook.status)
                self.send_header("Content-Length", "0")
                self.end_headers()
        self.heard, self.status = [], 204
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def end(self):
        self.server.shutdown()
        self.server.server_close()

    def taken(self, event=None):
        return [e for e, _, status in list(self.heard) if status < 300 and event in (None, e["event"])]


def run(dev, *words):
    return subprocess.run([DARI, "--config", dev.config, *words], capture_output=True, text=True, check=False)


def at(when):
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def pay(dev, body, signature=None, hook="till"):
    """Reports a payment as the receiver: without token or key."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection = http.client.HTTPConnection("127.0.0.1", dev.port, timeout=HANG_S)
    headers = {"Content-Type": "application/json"}
    if signature != "":
        headers["Dari-Signature"] = signature or prove(raw, hook=hook)
    connection.request("POST", f"{native.PREFIX}/webhooks/{hook}/payments", raw, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, json.loads(text)


def standing(dev, name="Default"):
    return next(a for a in dev.command("billing", "list") if a["name"] == name)


def deliveries(dev, *words):
    return dev.command("webhook", "deliveries", "till", *words)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """An account whose machine ran for a day last month, and a webhook for its events."""
    folder = tmp_path_factory.mktemp("world")
    (folder / "secret").write_text(SECRET + "\n")
    (folder / "prices.yaml").write_text(PRICES)
    hook = Hook()
    with Dev() as dev:
        dev.hook, dev.secret = hook, str(folder / "secret")
        dev.command("webhook", "add", "till", "--url", f"http://127.0.0.1:{hook.port}/told?by=dari", "--secret-file", dev.secret, "--payments", "yes")
        dev.command("billing", "set", "Default", "--own", "yes", "--days", "0")
        dev.command("prices", "load", str(folder / "prices.yaml"))
        dev.admin, dev.user = native.admin(dev), native.another(dev, "mine")
        dev.number = next(a["account_id"] for a in dev.command("account", "list") if a["name"] == "mine")
        dev.ec2 = dev.user.ec2
        image = dev.ec2.describe_images()["Images"][0]["ImageId"]
        dev.machine = dev.ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
        dev.image = image
        dev.rest()
        for when, level in ((FROM, 1), (FROM + datetime.timedelta(days=1), 0)):
            done = run(dev, "bill", "fix", dev.machine, "--account", dev.number, "--meter", "instance:t3.micro", "--at", at(when), "--level", str(level), "--reason", "a test")
            assert done.returncode == 0, done
        yield dev
    hook.end()


@pytest.fixture(scope="module")
def closed(world):
    return world.command("bill", "close", FROM.strftime("%Y-%m"), "--grace-hours", "0")


def test_an_invoice_is_told_with_all_that_it_says(world, closed):
    event = soon(lambda: world.hook.taken("invoice.issued"))[0]
    assert event["invoice"] == world.command("billing", "invoice", closed["invoices"][0])
    assert event["data"]["domain"]["name"] == "Default" and event["region"] == "us-east-1"
    assert all(is_right for _, is_right, _ in world.hook.heard)
    mine = [d for d in deliveries(world) if d["event"] == "invoice.issued"]
    assert [(d["stage"], d["id"], d["number"]) for d in mine] == [("sent", event["id"], event["number"])]


def test_what_is_refused_is_told_again_and_taken_once(world, closed):
    world.hook.status = 503
    world.command("billing", "pay", "Default", "--amount", "0.000001", "--key", "first", "--credit")
    failing = soon(lambda: [d for d in deliveries(world, "--stage", "waiting") if d["event"] == "payment.noted" and d["tries"] >= 2])[0]
    assert "503" in failing["problem"] and world.command("webhook", "list")[0]["state"] == "failing"
    world.hook.status = 204
    soon(lambda: world.hook.taken("payment.noted"))
    soon(lambda: not deliveries(world, "--stage", "waiting"))
    told = [e for e, _, _ in world.hook.heard if e["event"] == "payment.noted"]
    assert len(told) >= 3 and len({e["id"] for e in told}) == 1 and len(world.hook.taken("payment.noted")) == 1
    assert told[0]["data"]["amount"] == "0.000001" and told[0]["data"]["key"] == "first" and world.command("webhook", "list")[0]["state"] == "ok"


def test_numbers_have_no_gaps_and_come_in_order(world, closed):
    numbers = [e["number"] for e in world.hook.taken()]
    assert numbers == sorted(set(numbers)) == list(range(1, len(numbers) + 1))


def test_an_operator_has_it_told_at_once(world, closed):
    world.hook.status = 400
    world.command("billing", "pay", "Default", "--amount", "0.000001", "--key", "second", "--credit")
    waiting = soon(lambda: [d for d in deliveries(world, "--stage", "waiting") if d["tries"] >= 4])[0]  # eight seconds to wait from now
    world.hook.status = 204
    assert world.admin.api("POST", f"/webhook-deliveries/{waiting['id']}/retry", {}).status == 202
    soon(lambda: any(e["id"] == waiting["id"] for e in world.hook.taken()), 5)
    done = run(world, "webhook", "retry", waiting["id"])
    assert done.returncode != 0 and "taken it already" in done.stderr


def test_who_does_not_pay_is_told_of_and_served_again_once_a_payment_is(world, closed):
    world.command("billing", "dun")
    soon(lambda: world.hook.taken("account.overdue"))
    world.command("billing", "dun", "--limited-days", "0", "--suspended-days", "0")
    event = soon(lambda: world.hook.taken("account.suspended"))[-1]
    assert event["data"]["before"] == "overdue" and event["data"]["state"] == "suspended" and event["data"]["domain"]["name"] == "Default"
    state = lambda: world.ec2.describe_instances(InstanceIds=[world.machine])["Reservations"][0]["Instances"][0]["State"]["Name"]  # noqa: E731
    soon(lambda: state() == "stopped")
    due = -D(standing(world)["balance"])
    body = {"key": "bank 1", "domain": "Default", "amount": str(due), "text": "thanks"}
    # concurrent reports of the same payment; only the region itself reacts
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: pay(world, body), range(16)))
    assert [s for s, _ in answers] == [200] * 16
    assert [a["was_known"] for _, a in answers].count(False) >= 1
    soon(lambda: standing(world)["state"] == "active")
    assert D(standing(world)["balance"]) == 0
    soon(lambda: world.hook.taken("account.restored"))
    soon(lambda: state() == "running")
    assert len([e for e in world.hook.taken("payment.noted") if e["data"]["key"] == "bank 1"]) == 1
    assert pay(world, body) == (200, {"was_known": True})
    assert "noted before" in run(world, "billing", "pay", "Default", "--amount", "1", "--key", "bank 1").stdout


def test_a_payment_proves_where_it_comes_from(world, closed):
    before = standing(world)["balance"]
    body = {"key": "bank 2", "domain": "Default", "amount": "5"}
    raw = json.dumps(body).encode()
    world.command("webhook", "add", "ears", "--url", "http://127.0.0.1:1/", "--secret-file", world.secret, "--event", "nothing.*")
    refused = [pay(world, raw, ""), pay(world, raw, prove(raw, SECRET + "x")), pay(world, raw, prove(raw, at=int(time.time()) - 301)),
               pay(world, raw, prove(raw, at=int(time.time()) + 330)), pay(world, raw + b" ", prove(raw)), pay(world, raw, sign(raw)), pay(world, raw, prove(raw, hook="other")), pay(world, raw, "t=1"),
               pay(world, raw, hook="none"), pay(world, raw, hook="ears")]
    assert {s for s, _ in refused} == {401} and len({a["detail"] if "detail" in a else json.dumps(a) for _, a in refused}) == 1, refused
    for wrong, status, names in [({"amount": "0"}, 400, "amount"), ({"amount": "-1"}, 400, "amount"), ({"amount": "1.0000001"}, 400, "amount"),
                                 ({"domain": "nobody"}, 404, "domain"), ({"key": "a\nb"}, 400, "key"), ({"more": "x"}, 400, "more")]:
        got, answer = pay(world, dict(body, **wrong))
        assert got == status and names in json.dumps(answer), (wrong, got, answer)
    assert standing(world)["balance"] == before
    world.command("webhook", "remove", "ears")


def test_what_is_left_of_a_prepaid_account_is_told(world, closed):
    world.command("billing", "set", "Default", "--mode", "prepaid")
    world.command("billing", "dun")
    empty = soon(lambda: world.hook.taken("credit.empty"))[-1]
    assert D(empty["data"]["left"]) <= 0
    assert pay(world, {"key": "top up", "domain": "Default", "amount": "100"})[1] == {"was_known": False}
    soon(lambda: standing(world)["state"] == "active")
    world.command("billing", "set", "Default", "--mode", "postpaid")


def test_what_is_no_webhook_is_refused(world):
    good = {"name": "other", "url": "https://example.com/x", "secret": "0123456789abcdef"}
    for wrong, status, names in [({"url": "ftp://example.com"}, 400, "url"), ({"url": "https://me:pw@example.com"}, 400, "url"), ({"secret": "short"}, 400, "secret"),
                                 ({"name": "a b"}, 400, "name"), ({"name": "till"}, 409, "name"), ({"events": ["x"] * 33}, 400, "events"), ({"events": [""]}, 400, "events")]:
        answer = world.admin.api("POST", "/webhooks", dict(good, **wrong))
        assert answer.status == status and names in answer.text, (wrong, answer)
    for missing in good:
        answer = world.admin.api("POST", "/webhooks", {k: v for k, v in good.items() if k != missing})
        assert answer.status == 400 and missing in answer.text, answer
    for method, path, body in [("GET", "/webhooks", None), ("POST", "/webhooks", good), ("DELETE", "/webhooks/till", None), ("GET", "/webhook-deliveries", None)]:
        assert world.user.api(method, path, body).status == 403, path
    made = world.admin.api_ok("POST", "/webhooks", good)["items"][0]
    assert "secret" not in json.dumps(made) and made["events"] == []
    changed = world.admin.api_ok("PATCH", f"/webhooks/{made['id']}", {"events": ["account.*"], "is_off": True})["items"][0]
    assert changed["events"] == ["account.*"] and changed["is_off"]
    assert world.admin.api("DELETE", "/webhooks/other").status == 202
    assert "other" not in [w["name"] for w in world.command("webhook", "list")]


# ---- abuse


def refused(call, **words):
    with pytest.raises(botocore.exceptions.ClientError) as e:
        call(**words)
    return e.value.response["Error"]["Code"]


def test_a_frozen_instance_stands_still(world, closed):
    soon(lambda: world.ec2.describe_instances(InstanceIds=[world.machine])["Reservations"][0]["Instances"][0]["State"]["Name"] == "running")
    answer = world.admin.api("POST", f"/instances/{world.machine}/freeze", {})
    assert answer.status == 400 and "reason" in answer.text
    assert world.user.api("POST", f"/instances/{world.machine}/freeze", {"reason": "x"}).status == 403
    assert world.admin.api("POST", f"/instances/{world.machine}/freeze", {"reason": "it sends spam"}).status == 202
    server = lambda: world.user.ok("GET", "/compute/v2.1/servers/detail")["servers"][0]  # noqa: E731
    soon(lambda: server()["status"] == "PAUSED")
    assert refused(world.ec2.terminate_instances, InstanceIds=[world.machine]) == "OperationNotPermitted"
    assert world.user.call("POST", f"/compute/v2.1/servers/{server()['id']}/action", {"unpause": None}).status == 409
    assert world.user.call("POST", f"/compute/v2.1/servers/{server()['id']}/action", {"unlock": None}).status == 403
    event = soon(lambda: world.hook.taken("instance.frozen"))[-1]["data"]
    assert event["instance"] == world.machine and event["reason"] == "it sends spam" and event["account"]["number"] == world.number
    world.command("instance", "thaw", world.machine)
    soon(lambda: server()["status"] == "ACTIVE")
    soon(lambda: world.hook.taken("instance.thawed"))


def test_an_account_is_cut_and_joined(world, closed):
    port = lambda: next(p for p in world.user.ok("GET", "/network/v2.0/ports")["ports"] if p["device_owner"].startswith("compute"))  # noqa: E731
    soon(lambda: port()["status"] == "ACTIVE")
    done = run(world, "account", "cut", "mine")
    assert done.returncode != 0 and "reason" in done.stderr
    world.command("account", "cut", world.number, "--reason", "it attacks others")
    soon(lambda: port()["status"] == "DOWN")
    assert port()["admin_state_up"] is True
    assert world.user.ok("GET", "/compute/v2.1/servers/detail")["servers"][0]["status"] == "ACTIVE"
    event = soon(lambda: world.hook.taken("account.network-cut"))[-1]["data"]
    assert event["account"]["name"] == "mine" and event["reason"] == "it attacks others"
    assert "it attacks others" in world.explain(next(a["id"] for a in world.admin.rows("/accounts") if a["name"] == "mine"))
    world.admin.api_ok("POST", "/accounts/mine/restrict", {"is_cut": False})
    soon(lambda: port()["status"] == "ACTIVE")
    soon(lambda: world.hook.taken("account.network-restored"))
    assert len(world.hook.taken("account.network-cut")) == 1


def test_what_an_account_sends_is_limited(world, closed):
    account = lambda: world.admin.api_ok("GET", "/accounts/mine")["item"]  # noqa: E731
    done = run(world, "account", "limit-egress", "mine", "--mbit", "0", "--reason", "x")
    assert done.returncode != 0 and "mbit" in done.stderr
    assert run(world, "account", "limit-egress", "mine", "--mbit", "10").returncode != 0
    world.command("account", "limit-egress", "mine", "--mbit", "10", "--reason", "it floods others")
    event = soon(lambda: world.hook.taken("account.egress-limited"))[-1]["data"]
    assert event["account"]["name"] == "mine" and event["reason"] == "it floods others"
    assert account()["egress_limit"] == 10
    answer = world.admin.api("POST", "/accounts/mine/restrict", {"egress_limit": -1})
    assert answer.status == 400 and "egress_limit" in answer.text
    assert world.user.api("POST", "/accounts/mine/restrict", {"egress_limit": 0}).status == 403
    world.command("account", "unlimit-egress", "mine")
    soon(lambda: world.hook.taken("account.egress-unlimited"))
    assert not account().get("egress_limit")


def test_a_quarantined_account_reads(world, closed):
    key = cloudstack.key_of(world.user)
    world.command("account", "quarantine", "mine", "--reason", "its key is on the web")
    soon(lambda: world.hook.taken("account.quarantined"))
    launch = {"ImageId": world.image, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1}
    assert refused(world.ec2.run_instances, **launch) == "UnauthorizedOperation"
    assert refused(world.ec2.terminate_instances, InstanceIds=[world.machine]) == "UnauthorizedOperation"
    assert refused(world.user.root.client("iam").create_access_key) == "AccessDenied"
    assert world.ec2.describe_instances()["Reservations"]
    answer = world.user.call("POST", "/network/v2.0/networks", {"network": {"name": "n"}})
    assert answer.status == 403 and world.user.call("GET", "/network/v2.0/networks").status == 200
    answer = world.user.api("POST", "/key-pairs", {"name": "k"})
    assert answer.status == 403 and "no more than reading" in answer.text
    status, said, _ = cloudstack.call(world, "createSSHKeyPair", **key, name="x")
    assert status == 531, said
    assert cloudstack.call(world, "listVirtualMachines", **key)[0] == 200
    world.command("account", "release", "mine")
    soon(lambda: world.hook.taken("account.released"))
    assert world.user.api("POST", "/key-pairs", {"name": "k"}).status == 202
    assert world.user.api("POST", "/accounts/mine/restrict", {"is_cut": False}).status == 403


# ---- crashes


def test_what_nobody_took_is_told_after_a_kill(tmp_path):
    (tmp_path / "secret").write_text(SECRET)
    hook = Hook()
    port = hook.port
    hook.end()
    dev = Dev("--data", str(tmp_path / "data"))
    dev.command("webhook", "add", "till", "--url", f"http://127.0.0.1:{port}/", "--secret-file", str(tmp_path / "secret"), "--event", "payment.*")
    dev.command("billing", "set", "Default", "--own", "yes")
    for n in range(5):
        dev.command("billing", "pay", "Default", "--amount", "1", "--key", f"k{n}")
    soon(lambda: deliveries(dev, "--stage", "waiting")[0]["tries"] >= 1)
    dev.end(signal.SIGKILL)
    hook = Hook(port)
    with Dev("--data", str(tmp_path / "data")) as again:
        soon(lambda: len(hook.taken()) == 5)
        soon(lambda: not deliveries(again, "--stage", "waiting"))
        assert [e["data"]["key"] for e in hook.taken()] == [f"k{n}" for n in range(5)]
        assert [e["number"] for e in hook.taken()] == [1, 2, 3, 4, 5] and all(right for _, right, _ in hook.heard)
    hook.end()


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

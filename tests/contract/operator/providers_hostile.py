#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/remote src/engine/remote src/reconcile/remote
"""Providers whose answers are bad: a proxy between two regions pages, throttles, cuts, reorders, redirects and lies about sizes. Whatever it does, the rows
of machines stay, and the provider says why. Then certificates: CA and pin."""
import os
import re
import ssl
import subprocess
import sys
import urllib.parse

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import elsewhere  # noqa: E402
from dev import Dev  # noqa: E402
from elsewhere import launch, machines, provider, run  # noqa: E402
from waiting import wait_until  # noqa: E402

RESERVATION = re.compile(rb"<item><reservationId>.*?</item></instancesSet>.*?</item>", re.DOTALL)
DESCRIBES = b"Action=DescribeInstances"


@pytest.fixture(scope="module")
def world():
    with Dev() as there, Dev() as home:
        there.ec2 = there.account.client()
        home.there, home.refs = there, sum((launch(there) for _ in range(4)), [])
        home.proxy = elsewhere.Proxy(there)
        elsewhere.add(home, "there", "aws", there, home.proxy.url)
        wait_until(lambda: len(machines(home)) == 4, "the first listing", shows=lambda: provider(home))
        yield home
        home.proxy.end()


@pytest.fixture(autouse=True)
def honest(request):
    """Each test begins and ends with an honest proxy and a listing without problems."""
    if "world" not in request.fixturenames:
        yield
        return
    world = request.getfixturevalue("world")
    yield
    world.proxy.spoil, world.proxy.change = lambda *_: None, lambda path, body, answer: answer
    assert run(world, "provider", "refresh", "there").returncode == 0
    wait_until(lambda: provider(world)["status"] == "ok" and set(machines(world)) == set(world.refs), "rest", shows=lambda: provider(world))


def lists(body):
    return DESCRIBES in body and b"DryRun" not in body and b"InstanceId" not in body


def fails(world, words, status="failing"):
    """Waits until the provider has that status and says why; no machine is lost."""
    wait_until(lambda: provider(world)["status"] == status and words in provider(world)["problem"], words, shows=lambda: provider(world))
    assert set(machines(world)) == set(world.refs)
    assert all("missed" not in m or not m["missed"] for m in machines(world).values())


def answers(world, status, headers, text):
    world.proxy.spoil = lambda method, path, body: (status, headers, text) if lists(body) else None


def split(answer):
    """The reservations of an answer, and what is before and behind them."""
    found = list(RESERVATION.finditer(answer))
    return answer[:found[0].start()], [m.group(0) for m in found], answer[found[-1].end():]


def refreshes(world):
    since = provider(world)["refreshed_us"]
    wait_until(lambda: provider(world)["refreshed_us"] > since, "a listing", shows=lambda: provider(world))


def test_pages(world):
    """A listing of several pages, some of them empty, is one listing."""
    whole = []

    def page(path, body, answer):
        if lists(body):
            whole[:] = [answer]
            head, items, tail = split(answer)
            return head + items[0] + tail.replace(b"</reservationSet>", b"</reservationSet><nextToken>2</nextToken>")
        return answer

    def rest(method, path, body):
        token = re.search(rb"NextToken=(\d+)", body)
        if not token:
            return None
        head, items, tail = split(whole[0])
        n = int(token[1])
        more = b"</reservationSet>" + (b"<nextToken>%d</nextToken>" % (n + 1) if n < 5 else b"")
        return 200, {"Content-Type": "text/xml"}, head + (items[n - 2] if n % 2 else b"") + (b"".join(items[1:]) if n == 5 else b"") + tail.replace(
            b"</reservationSet>", more)
    world.proxy.change, world.proxy.spoil = page, rest
    asked = world.proxy.asked("NextToken=5")
    refreshes(world)
    wait_until(lambda: world.proxy.asked("NextToken=5") > asked + 1, "the last page")
    refreshes(world)
    assert set(machines(world)) == set(world.refs) and provider(world)["status"] == "ok"


def test_other_order(world):
    """Another order of machines is no change: nothing is committed."""
    def turn(path, body, answer):
        if not lists(body):
            return answer
        head, items, tail = split(answer)
        return head + b"".join(reversed(items)) + tail
    world.proxy.change = turn
    refreshes(world)
    elsewhere.is_quiet(world)


def test_throttled(world):
    """A throttled listing is no problem yet; later it goes on."""
    refused = []

    def throttle(method, path, body):
        if lists(body) and len(refused) < 2:
            refused.append(path)
            return 503, {"Content-Type": "text/xml"}, b"<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>slow</Message></Error></Errors></Response>"
        return None
    world.proxy.spoil = throttle
    wait_until(lambda: len(refused) == 2, "two refusals")
    refreshes(world)
    assert provider(world)["status"] == "ok"


@pytest.mark.parametrize("status,headers,text,words", [
    (0, {}, b"<DescribeInstancesResponse><reservationSet>", "ended early"),
    (200, {}, b"<DescribeInstancesResponse><reservationSet><item>", "ends early"),
    (200, {}, b"<html><body>Welcome</body></html>", "no DescribeInstancesResponse"),
    (200, {}, b"", "empty"),
    (200, {}, b"<!DOCTYPE a [<!ENTITY e 'x'>]><DescribeInstancesResponse>&e;</DescribeInstancesResponse>", "entities"),
    (302, {"Location": "http://169.254.169.254/latest/meta-data/"}, b"", "redirects are not followed"),
    (404, {}, b"<html>404</html>", "status 404"),
    (200, {}, b"<DescribeInstancesResponse><reservationSet/><nextToken></nextToken><nextToken>" + b"x" * 5000 + b"</nextToken></DescribeInstancesResponse>",
     "token of the next page"),
    (200, {}, b"<a>" + b"<b/>" * 9000000 + b"</a>", "more than 32 MiB"),
    (200, {}, b"<DescribeInstancesResponse><reservationSet><item><instancesSet>" + b"<item><instanceId>i-1</instanceId></item>" * 2001 +
     b"</instancesSet></item></reservationSet></DescribeInstancesResponse>", "more than 2000"),
], ids=["cut", "half", "page", "empty", "entities", "redirect", "missing", "token", "large", "many"])
def test_bad_answer(world, status, headers, text, words):
    answers(world, status, {"Content-Type": "text/xml", **headers}, text)
    fails(world, words)


@pytest.mark.parametrize("status", [401, 403])
def test_page_of_a_proxy(world, status):
    """A refusal that is not EC2's own says nothing about the credentials: the provider is not denied, and is listed again without anybody's help."""
    answers(world, status, {"Content-Type": "text/html"}, b"<html><body><h1>Access denied</h1><p>Corporate gateway</p></body></html>")
    fails(world, f"status {status}")
    world.proxy.spoil = lambda *_: None
    wait_until(lambda: provider(world)["status"] == "ok", "the next listing", shows=lambda: provider(world))


def test_clock(world):
    """A cloud whose clock is an hour off refuses the request's time, and its words are shown."""
    answers(world, 400, {"Content-Type": "text/xml"},
            b"<Response><Errors><Error><Code>RequestExpired</Code><Message>Request has expired. Timestamp date is 2026-01-01</Message></Error></Errors></Response>")
    fails(world, "RequestExpired", "denied")


def test_pages_without_end(world):
    """More pages than machines are refused."""
    count = []

    def more(path, body, answer):
        if DESCRIBES not in body or b"DryRun" in body:
            return answer
        count.append(0)
        return answer.replace(b"</reservationSet>", b"</reservationSet><nextToken>%d</nextToken>" % len(count))

    def again(method, path, body):
        if b"NextToken" not in body:
            return None
        count.append(0)
        return 200, {}, b"<DescribeInstancesResponse><reservationSet/><nextToken>%d</nextToken></DescribeInstancesResponse>" % len(count)
    world.proxy.change, world.proxy.spoil = more, again
    fails(world, "more pages than machines")


HOUR = b"""<GetMetricDataResponse><GetMetricDataResult><MetricDataResults><member><StatusCode>Complete</StatusCode><Timestamps><member>%s</member><member>1970-01-01T00:00:00Z</member>
</Timestamps><Id>m0_0</Id><Values><member>%s</member><member>5</member></Values></member><member><Id>m0_5</Id><Timestamps><member>%s</member></Timestamps>
<Values><member>25</member></Values></member><member><Id>m99_0</Id><Timestamps><member>%s</member></Timestamps><Values><member>1</member>
</Values></member></MetricDataResults></GetMetricDataResult></GetMetricDataResponse>"""


@pytest.mark.parametrize("value, words", [(b"50", None), (b"nan", "no number"), (b"-1", "no number"), (b"1e400", "no number"), (None, "AccessDenied")])
def test_metrics(world, value, words):
    """A provider whose metrics cannot be read gets a condition, and its machines are listed. Points of other hours and machines are ignored."""
    def serve(method, path, body):
        if b"Action=GetMetricData" not in body:
            return None
        if value is None:
            return 403, {"Content-Type": "text/xml"}, b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
        at = urllib.parse.parse_qs(body.decode())["StartTime"][0].encode()
        return 200, {"Content-Type": "text/xml"}, HOUR % (at, value, at, at)
    world.proxy.spoil = serve
    assert run(world, "provider", "set", "there", "--metrics", "yes").returncode == 0
    told = (lambda: words in world.explain(provider(world)["id"])) if words else (lambda: sum(len(world.command("remote", "metrics", ref)) for ref in world.refs) == 1)
    wait_until(told, "the outcome", shows=lambda: world.explain(provider(world)["id"]))
    if not words:  # the share that the agent in the guest sends, of the type's memory
        (point,) = [p for ref in world.refs for p in world.command("remote", "metrics", ref)]
        assert point[2] == (1 << 30) // 4, point
    refreshes(world)
    assert provider(world)["status"] == "ok" and ("MetricsNotRead" in world.explain(provider(world)["id"])) == bool(words)
    assert run(world, "provider", "set", "there", "--metrics", "no").returncode == 0


def test_vanished(world):
    """A listing that lacks more than 30 % of the machines loses none of them, until somebody accepts the loss; a single machine goes at the second miss."""
    def half(path, body, answer):
        if not lists(body):
            return answer
        head, items, tail = split(answer)
        return head + b"".join(items[:2]) + tail
    world.proxy.change = half
    wait_until(lambda: provider(world).get("held") == 2, "the held machines", shows=lambda: provider(world))
    refreshes(world)
    assert set(machines(world)) == set(world.refs)
    assert "MachinesVanished" in world.explain(provider(world)["id"])
    assert run(world, "provider", "refresh", "there", "--accept-loss").returncode == 0
    wait_until(lambda: len(machines(world)) == 2, "the loss")
    world.proxy.change = lambda path, body, answer: answer
    wait_until(lambda: set(machines(world)) == set(world.refs), "that they are back")

    def less(path, body, answer):
        if not lists(body):
            return answer
        head, items, tail = split(answer)
        return head + b"".join(items[1:]) + tail
    world.proxy.change = less
    wait_until(lambda: len(machines(world)) == 3, "the loss of one", shows=lambda: machines(world))


def test_other_account(world):
    """Acts wait while the credentials may belong to another account, where the same id is another machine."""
    identity = re.compile(rb"<Account>[^<]*</Account>")
    world.proxy.change = lambda path, body, answer: identity.sub(b"<Account>999999999999</Account>", answer)
    run(world, "provider", "set", "there", "--secret-stdin", text=world.there.account.secret + "\n")
    wait_until(lambda: "another account" in provider(world).get("problem", ""), "the refusal", shows=lambda: provider(world))
    asked = world.proxy.asked("Action=StopInstances")
    assert run(world, "remote", "stop", world.refs[0]).returncode == 0
    seen = len(world.proxy.seen)
    wait_until(lambda: len(world.proxy.seen) > seen + 1, "another verification")
    assert world.proxy.asked("Action=StopInstances") == asked and machines(world)[world.refs[0]]["act"] == "stop"
    world.proxy.change = lambda path, body, answer: answer
    assert run(world, "provider", "refresh", "there").returncode == 0
    elsewhere.rests(world, world.refs[0], "stopped")


def test_named_server(world):
    """An administrator's trust in an endpoint does not pass to the servers that its answers name."""
    proxy = elsewhere.Proxy(world.there, "/identity/v3")
    proxy.change = lambda path, body, answer: re.sub(rb"127\.0\.0\.1:\d+", b"169.254.169.254:80", answer)
    added = elsewhere.add(world, "names", "openstack", world.there, proxy.url)
    assert added["status"] == "failing" and "169.254.169.254 is not allowed" in added["problem"], added
    assert run(world, "provider", "remove", "names").returncode == 0
    proxy.end()


# ---- certificates

@pytest.fixture(scope="module")
def secured():
    with Dev("--tls") as there, Dev() as home:
        home.there, home.ca = there, os.path.join(os.path.dirname(there.config), "tls.pem")
        yield home


def pin_of(port):
    """SHA-256 of the server's public key, in curl's form."""
    certificate = ssl.get_server_certificate(("127.0.0.1", port))
    steps = ("openssl x509 -pubkey -noout", "openssl pkey -pubin -outform der", "openssl dgst -sha256 -binary", "base64")
    done = subprocess.run(" | ".join(steps), shell=True, input=certificate.encode(), capture_output=True, check=True)
    return "sha256//" + done.stdout.decode().strip()


def add(home, name, *options):
    there = home.there
    return elsewhere.add(home, name, "aws", there, f"https://127.0.0.1:{there.port}", *options)


def test_unknown_certificate(secured):
    """Without its CA or a pin a self-signed server is not believed."""
    assert add(secured, "unknown")["status"] == "unreachable"
    assert "certificate" in provider(secured, "unknown")["problem"]


def test_ca_and_pin(secured):
    """The CA or the pin of the public key is enough; a wrong pin is not."""
    pin = pin_of(secured.there.port)
    assert add(secured, "by-ca", "--ca-file", secured.ca)["status"] == "ok"
    assert add(secured, "by-pin", "--pin", pin)["status"] == "ok"
    assert add(secured, "by-both", "--ca-file", secured.ca, "--pin", pin)["status"] == "ok"
    wrong = "sha256//" + "A" * 43 + "="
    assert add(secured, "wrong", "--pin", wrong)["status"] == "unreachable"
    assert add(secured, "wrong-too", "--ca-file", secured.ca, "--pin", wrong)["status"] == "unreachable"


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

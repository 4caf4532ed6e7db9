#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/native/sign_in src/auth/sign_in/otp src/auth/sign_in
"""Second factors of the console: an authenticator is added and confirmed, its codes and recovery codes work once each after the right password,
guesses are counted, other users cannot access it; and the same from the page."""
import json
import os
import re
import sys
import time

import pytest
from selenium.webdriver.common.keys import Keys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import browser as web  # noqa: E402
import native  # noqa: E402
import otp  # noqa: E402
from console import sign_out  # noqa: E402
from dev import Dev  # noqa: E402

SAME = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}


def code(secret, periods=0):
    """The code that an authenticator shows."""
    return otp.code(secret, int(time.time()) // otp.PERIOD_S + periods)


def wrong_code(secret):
    near = {code(secret, k) for k in range(-2, 3)}
    return next(text for text in (f"{n:06d}" for n in range(10)) if text not in near)


@pytest.fixture(scope="module")
def dev():
    with Dev() as region:
        region.mine, region.operator = native.own(region), native.admin(region)
        yield region


class Person:
    """A separate user in the account, who signs in by a password."""

    def __init__(self, dev, name):
        made = dev.command("user", "create", name, "--account", "dev", "--role", "member")
        self.dev, self.name, self.password = dev, name, made["password"]
        self.cookie = ""

    def enter(self, **more):
        status, headers, body = web.ask(self.dev.url + "/api/v1/session", "POST", {"user": self.name, "password": self.password, **more}, SAME)
        if status == 201:
            self.cookie = headers["Set-Cookie"].split(";")[0]
        return status, json.loads(body)

    def call(self, method, path, body=None):
        headers = {"Cookie": self.cookie, **SAME}
        status, _, said = web.ask(self.dev.url + "/api/v1" + path, method, None if method == "GET" else body or {}, headers)
        return status, json.loads(said)

    def add(self):
        """Adds an authenticator and confirms it with the previous period's code, so that the present one is still unused."""
        status, made = self.call("POST", "/second-factors/totp", {"name": "telephone"})
        assert status == 201, made
        status, said = self.call("POST", f"/second-factors/{made['item']['id']}/confirm", {"code": code(made["secret"], -1)})
        assert status == 202, said
        return made["item"]["id"], made["secret"], said["recovery"]


@pytest.fixture
def ann(dev, request):
    person = Person(dev, re.sub("[^a-z]", "", request.node.name))
    assert person.enter()[0] == 201
    return person


def test_made_and_confirmed(ann):
    status, made = ann.call("POST", "/second-factors/totp")
    assert status == 201 and made["item"]["type"] == "totp" and not made["item"]["confirmed"] and made["item"]["name"] == "Authenticator"
    assert re.fullmatch("[A-Z2-7]{32}", made["secret"]) and f"secret={made['secret']}" in made["uri"] and made["uri"].startswith("otpauth://totp/Dari%20")
    assert ann.enter()[0] == 201, "what is not confirmed is asked for"
    path = f"/second-factors/{made['item']['id']}/confirm"
    for wrong in ({"code": wrong_code(made["secret"])}, {"code": "12345"}, {"code": "1234567"}, {}):
        status, said = ann.call("POST", path, wrong)
        assert status == 400 and said["field"] == "code", said
    status, said = ann.call("POST", path, {"code": code(made["secret"])})
    assert status == 202 and said["item"]["confirmed"] and said["item"]["recovery_left"] == 10 and len(set(said["recovery"])) == 10
    assert ann.call("POST", path, {"code": code(made["secret"], 1)})[0] == 403, "the cookie is of before"
    assert made["secret"] not in json.dumps(ann.call("GET", "/second-factors"))


def test_asked_for_behind_the_right_password(ann):
    _, secret, _ = ann.add()
    status, said = ann.enter()
    assert status == 401 and said["need"] == "totp"
    right, ann.password = ann.password, "wrong"
    for more in ({}, {"totp": code(secret)}):
        status, said = ann.enter(**more)
        assert status == 401 and "need" not in said, "a stranger learns that there is a second factor"
    ann.password = right
    assert ann.enter(totp=wrong_code(secret))[0] == 401
    assert ann.enter(totp=code(secret))[0] == 201 and ann.call("GET", "/session")[0] == 200


def test_a_code_is_good_once(ann):
    _, secret, _ = ann.add()
    now = code(secret)
    assert ann.enter(totp=now)[0] == 201
    assert ann.enter(totp=now)[0] == 401
    assert ann.enter(totp=code(secret, -1))[0] == 401
    assert ann.enter(totp=code(secret, 1))[0] == 201  # a clock that is ahead


def test_recovery_codes(ann):
    _, _, recovery = ann.add()
    assert ann.enter(totp=recovery[3])[0] == 201
    assert ann.enter(totp=recovery[3])[0] == 401
    assert ann.enter(totp=recovery[4].lower().replace("-", " "))[0] == 201
    assert ann.call("GET", "/second-factors")[1]["items"][0]["recovery_left"] == 8


def test_guesses_are_counted(ann):
    """After five wrong codes even the right one is refused for this address for a while."""
    _, secret, _ = ann.add()
    for _ in range(5):
        assert ann.enter(totp=wrong_code(secret))[0] == 401
    assert ann.enter(totp=code(secret))[0] == 401


def test_deleted(dev, ann):
    factor, _, _ = ann.add()
    other = Person(dev, "other")
    assert other.enter()[0] == 201
    assert other.call("DELETE", f"/second-factors/{factor}")[0] in (403, 404)
    assert other.call("POST", f"/second-factors/{factor}/confirm", {"code": "123456"})[0] == 404
    assert other.call("GET", "/second-factors")[1]["items"] == []
    user = ann.call("GET", "/session")[1]["user"]["id"]
    assert other.call("GET", f"/second-factors?user={user}")[0] == 404
    assert [f["id"] for f in dev.operator.api_ok("GET", f"/second-factors?user={user}")["items"]] == [factor]
    dev.operator.api_ok("DELETE", f"/second-factors/{factor}")  # the phone is lost
    assert ann.enter()[0] == 201


def test_changed_by_who_has_shown_one(dev, ann):
    """A password alone, a token or an earlier session can neither remove a second factor nor add another."""
    factor, secret, _ = ann.add()
    by_password = native.Native(dev, "dev", ann.name, ann.password)
    for status in (by_password.api("DELETE", f"/second-factors/{factor}").status, by_password.api("POST", "/second-factors/totp", {}).status,
                   ann.call("DELETE", f"/second-factors/{factor}")[0], ann.call("POST", "/second-factors/totp")[0]):
        assert status == 403
    assert ann.enter()[0] == 401 and ann.enter(totp=code(secret))[0] == 201
    assert ann.call("POST", "/second-factors/totp")[0] == 201
    assert ann.call("DELETE", f"/second-factors/{factor}")[0] == 202 and ann.enter()[0] == 201


def test_no_more_than_ten(ann):
    for _ in range(10):
        assert ann.call("POST", "/second-factors/totp")[0] == 201
    assert ann.call("POST", "/second-factors/totp")[0] == 422


def test_secrets_are_in_no_database(dev, ann):
    _, secret, recovery = ann.add()
    said = json.dumps([ann.call("GET", path) for path in ("/second-factors", "/schema", "/events", "/users")])
    assert secret not in said and not any(text in said for text in recovery)


def test_from_the_page(dev):
    """A user adds an authenticator on the page, signs out, and signs in again with a code."""
    person = Person(dev, "page")
    with web.browser() as b:
        b.size(1280)
        b.open(dev.url + "/console/you")
        b.until("return document.querySelector('input[name=user]')", what="the form").send_keys(person.name, Keys.TAB, person.password, Keys.ENTER)
        b.click("return [...document.querySelectorAll('main button')].find(e => e.innerText === 'Set up authenticator app')", what="the button")
        uri = b.until("return document.querySelector('dialog a[href^=otpauth]')?.getAttribute('href')", what="the secret")
        secret = re.search("secret=([A-Z2-7]+)", uri)[1]
        b.until("return document.activeElement?.name === 'code'", what="the field of the code")
        b.press(code(secret, -1), Keys.ENTER)
        recovery = b.until("return document.querySelector('dialog pre')?.innerText", what="the recovery codes").split("\n")
        assert len(recovery) == 10 and secret not in b.text()
        b.press(Keys.ESCAPE)
        b.until_text("10 recovery codes left")
        assert not b.axe(web.axe_source())
        sign_out(b)
        b.until("return document.querySelector('input[name=user]')", what="the form").send_keys(person.name, Keys.TAB, person.password, Keys.ENTER)
        b.until("return document.activeElement?.name === 'totp'", what="the field of the code")
        assert not b.axe(web.axe_source())
        b.press(code(secret), Keys.ENTER)
        b.until("return document.querySelector('nav.side')", what="the frame of the pages")
        assert not b.faults()


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))

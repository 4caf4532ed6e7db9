#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/native/sign_in src/auth/sign_in/webauthn
"""Passkeys of the console (WebAuthn): created and used by the test's own authenticator, which signs anything, so that every invalid response can be
tested; and from the page, with Chromium's virtual authenticator."""
import base64
import hashlib
import json
import os
import re
import secrets
import struct
import sys

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.common.virtual_authenticator import VirtualAuthenticatorOptions

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import browser as web  # noqa: E402
import native  # noqa: E402
from console import sign_out  # noqa: E402
from dev import Dev  # noqa: E402

SAME = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
PRESENT, VERIFIED, HAS_CREDENTIAL = 1, 4, 0x40


def b64(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Passkey:
    """One key in an authenticator. Its statements about itself and about the browser can be changed."""

    def __init__(self, key=None, host="localhost", origin=None):
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        self.host, self.origin, self.credential, self.counter = host, origin, secrets.token_bytes(32), 0

    def client_data(self, kind, question, **changed):
        said = {"type": f"webauthn.{kind}", "challenge": question["challenge"], "origin": self.origin, "crossOrigin": False, **changed}
        return json.dumps({k: v for k, v in said.items() if v is not None}).encode()

    def data(self, flags, host=None, more=b""):
        return hashlib.sha256((host or self.host).encode()).digest() + struct.pack(">BI", flags, self.counter) + more

    def make(self, question, flags=PRESENT | HAS_CREDENTIAL, host=None, length=None, **changed):
        """The response that a page sends for a new key. The server does not read the key's COSE form."""
        more = bytes(16) + struct.pack(">H", len(self.credential) if length is None else length) + self.credential + b"\xa0"
        return {"client_data": b64(self.client_data("create", question, **changed)), "authenticator_data": b64(self.data(flags, host, more)),
                "public_key": b64(self.key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))}

    def sign(self, message):
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        return self.key.sign(message, ec.ECDSA(hashes.SHA256()))

    def use(self, question, flags=PRESENT, host=None, steps=1, user=None, **changed):
        self.counter += steps
        data, said = self.data(flags, host), self.client_data("get", question, **changed)
        answer = {"credential": b64(self.credential), "client_data": b64(said), "authenticator_data": b64(data),
                  "signature": b64(self.sign(data + hashlib.sha256(said).digest()))}
        return answer if user is None else {**answer, "user_handle": user}


@pytest.fixture(scope="module")
def dev():
    with Dev() as region:
        region.mine, region.operator = native.own(region), native.admin(region)
        region.named = f"http://localhost:{region.port}"
        yield region


class Person:
    """A separate user in the account, on a page at a host's name."""

    def __init__(self, dev, name):
        made = dev.command("user", "create", name, "--account", "dev", "--role", "member")
        self.dev, self.name, self.password, self.cookie = dev, name, made["password"], ""

    @property
    def proof(self):
        return {"user": self.name, "password": self.password}

    def ask(self, method, path, body=None, **headers):
        url = f"http://127.0.0.1:{self.dev.port}/api/v1" + path
        status, said, text = web.ask(url, method, None if method == "GET" else body or {}, {"Host": f"localhost:{self.dev.port}", "Cookie": self.cookie, **SAME, **headers})
        if status == 201 and "Set-Cookie" in said:
            self.cookie = said["Set-Cookie"].split(";")[0]
        return status, json.loads(text)

    def enter(self, **proof):
        return self.ask("POST", "/session", {**self.proof, **proof})

    def alone(self, **proof):
        return self.ask("POST", "/session", proof)

    def passkey(self, **how):
        return Passkey(origin=self.dev.named, **how)

    def add(self, passkey=None):
        passkey = passkey or self.passkey()
        status, said = self.ask("POST", "/second-factors/passkey", passkey.make(self.ask("GET", "/second-factors/passkey")[1]))
        assert status == 201, said
        passkey.id = said["item"]["id"]
        return passkey

    def asked(self):
        """The challenge after the right password."""
        status, said = self.enter()
        assert status == 401 and said["need"] == "passkey", said
        return said["passkey"]

    def handle(self):
        return self.ask("GET", "/second-factors/passkey")[1]["user"]["handle"]


class AccountUser(Person):
    """An account's own user, who signs in by the account's number."""

    def __init__(self, dev, name):
        iam = dev.account.client("iam")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice"], "Resource": "*"}]}))
        self.dev, self.name, self.password, self.cookie = dev, name, "Correct-horse-battery-1", ""
        iam.create_login_profile(UserName=name, Password=self.password)
        self.number = dev.account.client("sts").get_caller_identity()["Account"]

    @property
    def proof(self):
        return {**super().proof, "domain": self.number}


@pytest.fixture
def ann(dev, request):
    person = Person(dev, re.sub("[^a-z]", "", request.node.name))
    assert person.enter()[0] == 201
    return person


def keys():
    return {"p256": ec.generate_private_key(ec.SECP256R1()), "rsa": rsa.generate_private_key(65537, 2048)}


@pytest.mark.parametrize("kind", keys())
def test_made_and_used(ann, kind):
    key = ann.passkey(key=keys()[kind])
    status, question = ann.ask("GET", "/second-factors/passkey")
    assert status == 200 and question["rp"] == "localhost" and question["credentials"] == [] and question["user"]["name"] == ann.name
    ann.add(key)
    (shown,) = ann.ask("GET", "/second-factors")[1]["items"]
    assert (shown["type"], shown["host"], shown["confirmed"], shown["name"]) == ("passkey", "localhost", True, "Passkey") and "recovery_left" not in shown
    assert b64(key.credential) in ann.ask("GET", "/second-factors/passkey")[1]["credentials"]
    asked = ann.asked()
    assert asked["credentials"] == [b64(key.credential)] and asked["rp"] == "localhost"
    status, said = ann.enter(**key.use(asked))
    assert status == 201, said
    assert ann.ask("GET", "/second-factors")[1]["items"][0]["used_us"]


def test_alone(ann):
    """A passkey with user verification signs in without a password; one without it does not."""
    key, handle = ann.add(), ann.handle()
    ann.cookie = ""
    question = ann.ask("GET", "/session/passkey")[1]
    assert question["credentials"] == []
    assert ann.alone(**key.use(question, user=handle))[0] == 401
    status, said = ann.alone(**key.use(question, PRESENT | VERIFIED, user=handle))
    assert status == 201 and said["user"]["name"] == ann.name
    assert ann.ask("GET", "/session")[0] == 200


def test_an_accounts_own_user(dev):
    carl = AccountUser(dev, "carl")
    assert carl.enter()[0] == 201
    key, handle = carl.add(), carl.handle()
    assert carl.enter(**key.use(carl.asked()))[0] == 201
    carl.cookie = ""
    status, said = carl.alone(**key.use(carl.ask("GET", "/session/passkey")[1], PRESENT | VERIFIED, user=handle))
    assert status == 201 and said["user"]["name"] == "carl", said


def test_another_users(dev, ann):
    """A passkey works only for its own user, after a password and alone."""
    other = Person(dev, "otherperson")
    assert other.enter()[0] == 201
    mine, theirs = ann.add(), other.add()
    my_handle, their_handle = ann.handle(), other.handle()
    assert ann.enter(**theirs.use(ann.asked()))[0] == 401
    assert ann.enter(**mine.use(other.asked()))[0] == 401  # a challenge for another user
    question = ann.ask("GET", "/session/passkey")[1]
    for handle in (their_handle, b64(bytes(16)), b64(b"x"), b64(b"x" * 20)):
        assert ann.alone(**mine.use(question, PRESENT | VERIFIED, user=handle))[0] == 401
    assert ann.alone(**theirs.use(question, PRESENT | VERIFIED, user=my_handle))[0] == 401
    assert ann.enter(**mine.use(question))[0] == 401  # an anonymous challenge is not valid for ann
    assert ann.alone(**mine.use(ann.asked(), PRESENT | VERIFIED, user=my_handle))[0] == 401


def bad_uses(dev):
    return {"origin": {"origin": "http://localhost"}, "another host": {"origin": "https://localhost.example.com"}, "https": {"origin": f"https://localhost:{dev.port}"},
            "type": {"type": "webauthn.create"}, "challenge": {"challenge": b64(bytes(56))}, "no challenge": {"challenge": None}, "frame": {"crossOrigin": True},
            "rp": {"host": "example.com"}, "nobody there": {"flags": 0}, "verified alone": {"flags": VERIFIED}}


def test_uses_that_do_not_hold(dev, ann):
    """One deviation at a time, with a valid signature; few enough not to be locked out."""
    key, handle = ann.add(), ann.handle()
    for name, changed in bad_uses(dev).items():
        question = ann.ask("GET", "/session/passkey")[1]
        flags = changed.pop("flags", PRESENT | VERIFIED)
        assert ann.alone(**key.use(question, flags, user=handle, **changed))[0] == 401, name
    question = ann.ask("GET", "/session/passkey")[1]
    good = key.use(question, PRESENT | VERIFIED, user=handle)
    for member in ("client_data", "authenticator_data", "signature"):
        bytes_ = bytearray(unb64(good[member]))
        bytes_[-1] ^= 1
        assert ann.alone(**{**good, member: b64(bytes(bytes_))})[0] == 401, member
        assert ann.alone(**{**good, member: "§"})[0] == 400
        assert ann.alone(**{k: v for k, v in good.items() if k != member})[0] == 400
    assert ann.alone(**{**good, "authenticator_data": b64(b"short")})[0] == 401
    assert ann.alone(**{**good, "client_data": b64(b"[]")})[0] == 401
    assert ann.ask("POST", "/session", good, Host="127.0.0.1")[0] == 409  # a bare address
    assert ann.alone(**good)[0] == 201
    assert ann.alone(**good)[0] == 401  # replayed


def test_an_older_question(ann):
    """A challenge issued before the last use is invalid, though it was not answered."""
    key = ann.add()
    older, newer = ann.asked(), ann.asked()
    assert ann.enter(**key.use(newer))[0] == 201
    assert ann.enter(**key.use(older))[0] == 401
    assert ann.enter(**key.use(ann.asked()))[0] == 201


def test_counters(ann):
    """A decreasing counter indicates a copy. Authenticators without a counter always send 0."""
    key = ann.add()
    assert ann.enter(**key.use(ann.asked(), steps=7))[0] == 201
    for steps in (0, -2):
        assert ann.enter(**key.use(ann.asked(), steps=steps))[0] == 401
    key.counter = 0
    assert ann.enter(**key.use(ann.asked(), steps=0))[0] == 401
    assert ann.enter(**key.use(ann.asked(), steps=8))[0] == 201
    person = Person(ann.dev, "uncounted")
    assert person.enter()[0] == 201
    plain = person.add()
    for _ in range(3):
        assert person.enter(**plain.use(person.asked(), steps=0))[0] == 201


def test_new_ones_that_do_not_hold(dev, ann):
    def make(passkey=None, question=None, **how):
        return ann.ask("POST", "/second-factors/passkey", (passkey or ann.passkey()).make(question or ann.ask("GET", "/second-factors/passkey")[1], **how))
    for changed in ({"origin": "http://localhost"}, {"type": "webauthn.get"}, {"challenge": b64(bytes(56))}, {"crossOrigin": True}, {"host": "example.com"},
                    {"flags": PRESENT}, {"flags": HAS_CREDENTIAL}, {"length": 0}, {"length": 60000}):
        status, said = make(**changed)
        assert status == 400, (changed, said)
    for key in (ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate(), rsa.generate_private_key(65537, 1024)):
        status, said = make(ann.passkey(key=key))
        assert status == 400 and said["field"] == "public_key"
    other = Person(dev, "someoneelse")
    assert other.enter()[0] == 201
    assert make(question=other.ask("GET", "/second-factors/passkey")[1])[0] == 400
    assert make(question=ann.ask("GET", "/session/passkey")[1])[0] == 400
    assert ann.ask("GET", "/second-factors/passkey", Host=f"127.0.0.1:{dev.port}")[0] == 409
    key = ann.add()
    assert make(key)[0] == 409
    for _ in range(9):
        ann.add()
    assert make()[0] == 422


def test_guesses_are_counted(ann):
    key = ann.add()
    for _ in range(5):
        assert ann.enter(**ann.passkey().use(ann.asked()))[0] == 401
    assert ann.enter(**key.use(ann.asked()))[0] == 401


def test_at_another_host(dev, ann):
    """A passkey is bound to one host name: at another one the page says so, and nothing is signed."""
    ann.add()
    body = {"user": ann.name, "password": ann.password}
    for host in ("cloud.example.com", f"127.0.0.1:{dev.port}", f"[::1]:{dev.port}"):
        status, said = ann.ask("POST", "/session", body, Host=host)
        assert status == 401 and said["need"] == "passkey" and "passkey" not in said and "another host" in said["detail"]


def test_deleted_and_disabled(dev, ann):
    key, handle = ann.add(), ann.handle()
    second = ann.add()
    assert ann.ask("DELETE", f"/second-factors/{key.id}")[0] == 202
    assert ann.enter(**key.use(ann.asked()))[0] == 401
    question = ann.ask("GET", "/session/passkey")[1]
    dev.operator.ok("PATCH", "/identity/v3/users/" + unb64(handle).hex(), {"user": {"enabled": False}})
    assert ann.alone(**second.use(question, PRESENT | VERIFIED, user=handle))[0] == 401


# ---- the page

def add_authenticator(b, **how):
    options = VirtualAuthenticatorOptions()
    options.protocol, options.transport = "ctap2", "internal"
    options.has_resident_key = options.has_user_verification = options.is_user_verified = options.is_user_consenting = True
    for name, value in how.items():
        setattr(options, name, value)
    b.driver.add_virtual_authenticator(options)


def button(words):
    return f"return [...document.querySelectorAll('main button')].find(e => e.innerText === '{words}')"


def test_from_the_page(dev):
    """A user creates a passkey on the page, and signs in with it: after the password, then alone."""
    person = Person(dev, "page")
    with web.browser() as b:
        add_authenticator(b)
        b.size(1280)
        b.open(dev.named + "/console/you")
        b.until("return document.querySelector('input[name=user]')", what="the form").send_keys(person.name, Keys.TAB, person.password, Keys.ENTER)
        b.click(button("Add passkey"), what="the button")
        b.until("return document.querySelector('main tbody .hint')?.innerText === 'localhost'", what="the row of the passkey, which says its host")
        assert not b.axe(web.axe_source())
        sign_out(b)
        b.until("return document.querySelector('input[name=user]')", what="the form").send_keys(person.name, Keys.TAB, person.password, Keys.ENTER)
        b.until_text("Now use your passkey.")
        assert not b.axe(web.axe_source()) and not b.overflow()
        b.size(360)
        assert not b.overflow()
        b.until("return document.activeElement?.classList.contains('passkey')", what="the focus on the button")
        b.press(Keys.ENTER)
        b.until("return document.querySelector('nav.side, details.menu')", what="the frame of the pages")
        b.size(1280)
        sign_out(b)
        b.click(button("Sign in with a passkey"), what="the button")
        b.until("return document.querySelector('.whoname')?.innerText.includes('page')", what="who is here")
        b.open(dev.named + "/console/you")
        b.click("return [...document.querySelectorAll('main button.danger-text')][0]", what="delete")
        b.click("return document.querySelector('dialog button.danger')", what="the dialog's button")
        b.until_text("No MFA device")
        assert not b.faults()


def test_pages_without(dev):
    """Without a touch the page says so; at a bare address no passkey is offered, and the page says why."""
    person = Person(dev, "bare")
    with web.browser() as b:
        add_authenticator(b, is_user_verified=False)
        b.size(1280)
        b.open(dev.named + "/console/")
        b.click(button("Sign in with a passkey"), what="the button")
        b.until_text("No passkey was used.")
        assert not b.axe(web.axe_source())
        b.open(dev.url + "/console/you")
        b.until("return document.querySelector('input[name=user]')", what="the form")
        assert not b.run(button("Sign in with a passkey"))
        b.find("input[name=user]").send_keys(person.name, Keys.TAB, person.password, Keys.ENTER)
        b.until_text("Passkeys require HTTPS")
        assert not b.run(button("Add passkey")) and not b.axe(web.axe_source())
        assert not b.faults()


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

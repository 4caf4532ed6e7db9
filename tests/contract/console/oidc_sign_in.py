#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/native/sign_in src/auth/token/issuers src/auth/token/web_identity
"""Signing in to the console by an OpenID Connect provider: its configuration, the flow from the page and by plain HTTP, invalid answers, and the end
of sessions. The test runs the provider; a thumbprint vouches for its certificate."""
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request

import jwt
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import browser as web  # noqa: E402
import native  # noqa: E402
from dev import DARI, Dev  # noqa: E402
from issuer import Provider  # noqa: E402
from waiting import HANG_S  # noqa: E402

OVER = threading.Event()
SAME = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
SECRET = "s3:cr&t ü"


@pytest.fixture(scope="module")
def dev():
    with Dev(fetch_from="127.0.0.1") as region:
        region.mine, region.operator = native.own(region), native.admin(region)
        region.iam = region.account.client("iam")
        yield region


@pytest.fixture(scope="module")
def provider(dev, tmp_path_factory):
    """A provider with a secret for users of Default, which creates users."""
    p = Provider(tmp_path_factory.mktemp("provider"), secret=SECRET)
    p.open_id = register(dev, p, name="Company <b>login</b>", client_secret=SECRET, makes_users=True)
    yield p
    p.server.shutdown()


def register(dev, provider, tenant="", **sign_in):
    arn = dev.iam.create_open_id_connect_provider(Url=f"https://{provider.host}{tenant}", ClientIDList=[], ThumbprintList=[provider.thumbprint])
    row = next(r for r in dev.mine.rows("/oidc-providers") if arn["OpenIDConnectProviderArn"].endswith(r["url"]))
    said = dev.operator.api_ok("PUT", f"/oidc-providers/{row['id']}/sign-in", {"client_id": provider.client, **sign_in})
    assert "client_secret" not in json.dumps(said) and sign_in.get("client_secret", "no secret") not in json.dumps(said)
    return row["id"]


@pytest.fixture(autouse=True)
def good(provider):
    person = dict(provider.person)
    yield
    provider.mood, provider.is_denied, provider.person = {}, False, person


class Visitor:
    """A browser without pages: cookies, and redirects."""

    def __init__(self, dev, provider):
        self.dev, self.provider, self.cookies = dev, provider, {}

    def get(self, url, **headers):
        cookie = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        status, said, body = web.ask(url, headers={"Cookie": cookie, **headers})
        for line in said.get_all("Set-Cookie") or []:
            name, _, value = line.split(";")[0].partition("=")
            self.cookies[name] = value
            self.last_cookie = line
        return status, said.get("Location", ""), body

    def begin(self, provider=None):
        status, there, _ = self.get(f"{self.dev.url}/api/v1/session/oidc/{provider or self.provider.open_id}", **{"Sec-Fetch-Site": "same-origin"})
        assert status == 303, there
        return there

    def at_provider(self, there):
        """The provider's redirect back to the console."""
        context = web.urllib.request.ssl._create_unverified_context()

        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_):
                return None
        opener = urllib.request.build_opener(Stay, urllib.request.HTTPSHandler(context=context))
        try:
            opener.open(there, timeout=HANG_S)
        except urllib.error.HTTPError as answer:
            return answer.headers["Location"]
        raise AssertionError("the provider sends nobody back")

    def come_back(self, back):
        status, place, _ = self.get(back, **{"Sec-Fetch-Site": "cross-site"})
        assert status == 303
        return place

    def sign_in(self):
        return self.come_back(self.at_provider(self.begin()))

    def who(self):
        status, _, body = self.get(f"{self.dev.url}/api/v1/session", **SAME)
        return json.loads(body) if status == 200 else status


@pytest.fixture
def visitor(dev, provider):
    return Visitor(dev, provider)


def in_query(url, **changed):
    parts = urllib.parse.urlsplit(url)
    query = {k: v for k, v in {**dict(urllib.parse.parse_qsl(parts.query)), **changed}.items() if v is not None}
    return urllib.parse.urlunsplit(parts._replace(query=urllib.parse.urlencode(query)))


def failed(why):
    return f"/console/?problem=oidc-{why}"


# ---- there and back

def test_signs_in(dev, provider, visitor):
    """The first sign-in creates a user, the second finds it; it has no role until one is granted."""
    there = visitor.begin()
    assert there.startswith(f"https://{provider.host}/authorize?tenant=one&response_type=code&client_id=console&")
    assert re.search("dari-oidc=[^;]+; Path=/; HttpOnly; SameSite=Lax; Max-Age=600$", visitor.last_cookie), visitor.last_cookie
    back = visitor.at_provider(there)
    assert back.startswith(f"{dev.url}/api/v1/session/oidc/{provider.open_id}/callback?")
    assert visitor.come_back(back) == "/console/"
    assert visitor.cookies["dari-oidc"] == "" and "dari" in visitor.cookies
    said = visitor.who()
    assert said["user"]["name"] == "jane" and "account" not in said and said["rights"] == []
    user = dev.operator.api_ok("GET", f"/users/{said['user']['id']}")["item"]
    assert (user["email"], user["oidc_subject"], user["oidc_issuer"]) == ("jane@example.com", "248289761001", provider.host)
    dev.command("role", "grant", "member", "--user", "jane", "--account", "dev")
    provider.person |= {"preferred_username": "somebody-else", "email": "other@example.com"}  # only sub identifies a user
    again = Visitor(dev, provider)
    assert again.sign_in() == "/console/"
    assert again.who()["user"] == said["user"] and again.who()["account"]["name"] == "dev" and again.who()["rights"] == ["reader", "member"]


@pytest.mark.parametrize("key", ["one", "two"])
def test_keys_of_both_kinds(provider, visitor, key):
    provider.mood = {"key": key}
    assert visitor.sign_in() == "/console/"


def test_several_audiences(provider, visitor):
    provider.mood = {"aud": ["another", "console"], "azp": "console"}
    assert visitor.sign_in() == "/console/"


def test_groups_follow_the_provider(dev, provider, visitor):
    """A claim with groups, which an additional scope asks for."""
    again = {"client_id": "console", "client_secret": SECRET, "name": "Company <b>login</b>", "makes_users": True}
    provider.scopes = {"groups"}
    dev.operator.api_ok("PUT", f"/oidc-providers/{provider.open_id}/sign-in", {**again, "scopes": "groups", "group_claim": "groups", "groups": ["ops = Operators", "all"]})
    try:
        provider.person |= {"sub": "g-1", "preferred_username": "greta", "groups": ["ops", "other"]}
        assert visitor.sign_in() == "/console/"
        groups = {g["id"]: g["name"] for g in dev.operator.rows("/user-groups?all=1&fields=*")}
        names = lambda: {groups[m["user_group"]] for m in dev.operator.rows(f"/group-members?fields=*&user={visitor.who()['user']['id']}")}  # noqa: E731
        assert names() == {"Operators"} and {"Operators", "all"} <= set(groups.values())
        provider.person["groups"] = "all"  # one text instead of a list
        assert visitor.sign_in() == "/console/" and names() == {"all"}
        provider.person.pop("groups")
        assert visitor.sign_in() == "/console/" and names() == set()
    finally:
        provider.scopes = set()
        dev.operator.api_ok("PUT", f"/oidc-providers/{provider.open_id}/sign-in", again)


# ---- invalid answers

def test_state_is_the_browsers(dev, provider, visitor):
    back = visitor.at_provider(visitor.begin())
    assert Visitor(dev, provider).come_back(back) == failed("state")  # another browser's state
    assert visitor.come_back(in_query(back, state="x" * 43)) == failed("state")
    assert visitor.come_back(in_query(back, state=None)) == failed("state")
    cookie, visitor.cookies["dari-oidc"] = visitor.cookies["dari-oidc"], "AAAA"
    assert visitor.come_back(back) == failed("state")
    visitor.cookies["dari-oidc"] = cookie
    assert visitor.come_back(back) == "/console/"  # failed attempts do not use up the state
    visitor.cookies["dari-oidc"] = cookie
    assert visitor.come_back(back) == failed("state")  # replayed
    other = Visitor(dev, provider)
    other.cookies["dari-oidc"] = cookie
    assert other.come_back(back) == failed("state") and other.who() == 401


def test_another_providers_answer(dev, provider, visitor, tmp_path):
    """A sign-in begun with one provider cannot end with another, whose tokens are not accepted, either."""
    second = register(dev, provider, "/second", name="Second")
    back = visitor.at_provider(visitor.begin())
    assert visitor.come_back(back.replace(provider.open_id, second)) == failed("state")
    assert visitor.come_back(in_query(back, iss="https://elsewhere.example.com")) == failed("token")
    dev.operator.api_ok("DELETE", f"/oidc-providers/{second}/sign-in")
    assert visitor.get(f"{dev.url}/api/v1/session/oidc/{second}", **SAME)[1] == failed("gone")


def bad_tokens():
    now = int(time.time())
    return {"nonce": {"nonce": "another"}, "no nonce": {"nonce": None}, "audience": {"aud": "another"}, "party": {"azp": "another"},
            "several": {"aud": ["console", "another"]}, "expired": {"exp": now - 1}, "early": {"nbf": now + 4000}, "issuer": {"iss": "https://elsewhere"},
            "unknown key": {"kid": "nobody"}, "other key": {"kid": "two"}, "nobody": {"sub": None}, "long": {"sub": "x" * 256}}


@pytest.mark.parametrize("name", bad_tokens())
def test_tokens_that_do_not_hold(provider, visitor, name):
    provider.mood = bad_tokens()[name]
    assert visitor.sign_in() == failed("token") and visitor.who() == 401


def answer(token):
    def say(request):
        request.send_response(200)
        request.end_headers()
        request.wfile.write(json.dumps({"id_token": token}).encode())
    return say


def test_unsigned_tokens(provider, visitor):
    """Algorithm none, and a MAC with the public key."""
    said = {"iss": f"https://{provider.host}", "sub": provider.person["sub"], "aud": "console", "iat": int(time.time()), "exp": int(time.time()) + 60}
    for token in (jwt.encode(said, None, "none"), jwt.encode(said, "x" * 32, "HS256"), "a.b.c", "", "x" * 30000):
        provider.mood = answer(token)
        assert visitor.sign_in() == failed("token" if token else "provider")
    assert visitor.who() == 401


def test_a_code_that_is_refused(provider, visitor):
    back = visitor.at_provider(visitor.begin())
    assert visitor.come_back(in_query(back, code="another")) == failed("refused")
    provider.is_denied = True
    assert visitor.sign_in() == failed("refused") and visitor.who() == 401


def hang(request):
    """Hangs until the test is over."""
    OVER.wait()


def flood(request):
    request.send_response(200)
    request.end_headers()
    for _ in range(10 * 1024):
        request.wfile.write(b"x" * 1024)


def redirect(request):
    request.send_response(307)
    request.send_header("Location", "https://127.0.0.1:1/token")
    request.end_headers()


@pytest.mark.parametrize("mood", [hang, flood, redirect, lambda request: request.send_error(500)])
def test_providers_that_do_not_answer(dev, provider, visitor, mood):
    provider.mood = mood
    OVER.clear()
    assert visitor.sign_in() == failed("provider")  # while the hanging one still hangs
    OVER.set()
    assert dev.mine.api_ok("GET", "/session/oidc")["items"]


@pytest.mark.parametrize("configuration", [{"token_endpoint": None}, {"authorization_endpoint": "http://localhost/authorize"},
                                           {"authorization_endpoint": "https://localhost/a\r\nSet-Cookie: dari=1"}, {"jwks_uri": None}])
def test_configurations_that_name_nothing(dev, provider, visitor, configuration):
    tenant = f"/t{abs(hash(str(configuration))) % 10**8}"
    before = provider.configuration
    provider.configuration = {**before, **configuration}
    try:
        id = register(dev, provider, tenant, name="Bad")
        assert visitor.get(f"{dev.url}/api/v1/session/oidc/{id}", **SAME)[1] == failed("provider")
        assert not visitor.cookies
    finally:
        provider.configuration = before
        dev.operator.api_ok("DELETE", f"/oidc-providers/{id}/sign-in")


def test_pages_of_others(dev, provider, visitor):
    assert visitor.get(f"{dev.url}/api/v1/session/oidc/{provider.open_id}", **{"Sec-Fetch-Site": "cross-site"})[1] == failed("failed")
    for id in ("nonsense", "00000000-0000-0000-0000-000000000000"):
        assert visitor.get(f"{dev.url}/api/v1/session/oidc/{id}", **SAME)[1] == failed("gone")
    assert visitor.get(f"{dev.url}/api/v1/session/oidc/{provider.open_id}/callback?state={'x' * 300}")[1] == failed("failed")


# ---- users

def test_users_that_may_not(dev, provider, visitor):
    provider.person |= {"sub": "disabled-1", "preferred_username": "leaver"}
    assert visitor.sign_in() == "/console/"
    user = visitor.who()["user"]["id"]
    dev.operator.ok("PATCH", "/identity/v3/users/" + user.replace("-", ""), {"user": {"enabled": False}})
    assert visitor.who() == 401  # at once
    assert visitor.sign_in() == failed("user")


def test_a_domain_that_makes_no_users(dev, provider, visitor):
    provider.person |= {"sub": "new-1", "preferred_username": "newcomer"}
    again = {"client_id": "console", "client_secret": SECRET, "name": "Company <b>login</b>"}
    dev.operator.api_ok("PUT", f"/oidc-providers/{provider.open_id}/sign-in", again)
    assert visitor.sign_in() == failed("user")
    made = dev.command("user", "create", "newcomer", "--account", "dev", "--role", "member")
    assert visitor.sign_in() == failed("user")  # a name proves nothing
    path = f"/users/{made['user_id']}/oidc-subject"
    link = {"oidc_provider": provider.open_id, "subject": "new-1"}
    assert dev.mine.api("PUT", path, link).status == 403
    dev.operator.api_ok("PUT", path, link)
    assert visitor.sign_in() == "/console/" and visitor.who()["user"]["name"] == "newcomer" and visitor.who()["account"]["name"] == "dev"
    second = dev.command("user", "create", "second", "--account", "dev")["user_id"]
    said = dev.operator.api("PUT", f"/users/{second}/oidc-subject", link)
    assert said.status == 409 and said.json["field"] == "subject"
    dev.operator.api_ok("PUT", path, {**link, "subject": ""})
    assert visitor.sign_in() == failed("user")
    dev.operator.api_ok("PUT", f"/oidc-providers/{provider.open_id}/sign-in", {**again, "makes_users": True})


def test_names_of_new_users(dev, provider, visitor):
    """The first free name: a new user never takes over an existing one."""
    dev.command("user", "create", "taken", "--account", "dev")
    provider.person |= {"sub": "n-1", "preferred_username": "taken", "email": "taken@example.com", "email_verified": False}
    assert visitor.sign_in() == "/console/" and visitor.who()["user"]["name"] == "taken@example.com"
    assert "email" not in dev.operator.api_ok("GET", f"/users/{visitor.who()['user']['id']}")["item"]  # the address is not verified
    provider.person |= {"sub": "n-2"}
    other = Visitor(dev, provider)
    assert other.sign_in() == "/console/" and other.who()["user"]["name"] == "n-2"
    provider.person |= {"sub": "n-3", "preferred_username": "n-2"}
    third = Visitor(dev, provider)
    assert third.sign_in() == "/console/" and third.who()["user"]["name"] == "n-3"


def test_signing_out(dev, visitor):
    assert visitor.sign_in() == "/console/"
    cookie = dict(visitor.cookies)
    status, _, _ = web.ask(f"{dev.url}/api/v1/session", "DELETE", {}, {"Cookie": f"dari={cookie['dari']}", **SAME})
    assert status == 202
    assert visitor.who() == 401


# ---- administrators

def test_who_says_what(dev, provider):
    path = f"/oidc-providers/{provider.open_id}"
    for method, body in (("PUT", {"client_id": "x", "name": "x"}), ("DELETE", None)):
        assert dev.mine.api(method, path + "/sign-in", body).status == 403
    for body, field in (({"name": "x"}, "client_id"), ({"client_id": "x"}, "name"), ({"client_id": "x", "name": "x" * 65}, "name"),
                        ({"client_id": "x", "name": "x", "domain": "nowhere"}, "domain")):
        said = dev.operator.api("PUT", path + "/sign-in", body)
        assert said.status in (400, 404) and said.json["field"] == field, said
    arn = next(p["Arn"] for p in dev.iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] if p["Arn"].endswith(provider.host))
    for call in (dev.iam.delete_open_id_connect_provider, lambda **k: dev.iam.update_open_id_connect_provider_thumbprint(ThumbprintList=["0" * 40], **k)):
        with pytest.raises(dev.iam.exceptions.ClientError):  # the account can no longer change the trusted certificates
            call(OpenIDConnectProviderArn=arn)
    assert [p["name"] for p in dev.mine.api_ok("GET", "/session/oidc")["items"]] == ["Company <b>login</b>"]
    assert dev.mine.api_ok("GET", "/session/oidc?domain=nowhere")["items"] == []


def test_another_domains_people(dev, provider, visitor):
    domain = dev.operator.api_ok("POST", "/domains", {"name": "branch"})["items"][0]["id"]
    id = register(dev, provider, "/branch", name="Branch", domain="branch", makes_users=True)
    assert [p["id"] for p in dev.mine.api_ok("GET", "/session/oidc?domain=branch")["items"]] == [id]
    provider.mood = {"tenant": "/branch"}
    there = visitor.begin(id)
    assert visitor.come_back(in_query(visitor.at_provider(there), iss=f"https://{provider.host}/branch")) == failed("refused")  # a client without a secret
    dev.operator.api_ok("PUT", f"/oidc-providers/{id}/sign-in", {"client_id": "console", "client_secret": SECRET, "name": "Branch", "domain": "branch", "makes_users": True})
    assert visitor.come_back(in_query(visitor.at_provider(visitor.begin(id)), iss=None)) == "/console/"
    user = dev.operator.api_ok("GET", f"/users/{visitor.who()['user']['id']}")["item"]
    assert user["domain"] == domain and user["name"] == "jane"
    dev.operator.api_ok("PATCH", f"/domains/{domain}", {"enabled": False})
    assert visitor.who() == 401
    assert visitor.come_back(in_query(visitor.at_provider(visitor.begin(id)), iss=None)) == failed("user")
    dev.operator.api_ok("DELETE", f"/domains/{domain}")
    assert visitor.get(f"{dev.url}/api/v1/session/oidc/{id}", **SAME)[1] == failed("gone")


def test_without_a_secret(dev, provider, visitor):
    """A public client uses PKCE only."""
    provider.secret = ""
    dev.operator.api_ok("PUT", f"/oidc-providers/{provider.open_id}/sign-in", {"client_id": "console", "name": "Public"})
    try:
        assert visitor.sign_in() == "/console/"
    finally:
        provider.secret = SECRET
        dev.operator.api_ok("PUT", f"/oidc-providers/{provider.open_id}/sign-in",
                            {"client_id": "console", "client_secret": SECRET, "name": "Company <b>login</b>", "makes_users": True})


def test_on_record(dev, provider, visitor):
    """The audit log records sign-ins and refusals; no answer contains the secret."""
    visitor.sign_in()
    provider.mood = {"nonce": "another"}
    Visitor(dev, provider).sign_in()
    lines = subprocess.run([DARI, "--config", dev.config, "log", "audit", "--json"], check=True, capture_output=True, text=True).stdout.splitlines()
    records = [json.loads(line) for line in lines]  # identical ones are one record with a count
    said = [(r["action"], r["user_name"], r["outcome"], r["code"]) for r in records if r["subject"] == f"id={provider.open_id}"]
    assert ("identity:authenticate", "jane", "ok", "") in said and ("identity:authenticate", "", "INVALID", "invalid") in said
    shown = json.dumps([dev.operator.api_ok("GET", path) for path in ("/oidc-providers?fields=*", "/schema")]) + "".join(lines)
    assert json.dumps(SECRET)[1:-1] not in shown and "sign_in_secret" not in json.dumps(dev.operator.rows("/oidc-providers?fields=*"))


# ---- the page

def test_from_the_page(dev, provider):
    provider.person |= {"sub": "page-1", "preferred_username": "paula"}
    with web.browser(insecure=True) as b:
        b.size(1280)
        b.open(dev.url + "/console/")
        link = "return [...document.querySelectorAll('.ways a')].find(e => e.innerText.includes('<b>login</b>'))"
        b.until(link, what="the provider's button")
        assert not b.axe(web.axe_source()) and not b.overflow()
        b.size(360)
        assert not b.overflow()
        b.size(1280)
        provider.mood = {"nonce": "another"}
        b.click(link)
        b.until_text("The identity provider’s response could not be verified.")
        assert b.run("return document.querySelector('[role=alert]')") and not b.axe(web.axe_source())
        provider.mood, provider.is_denied = {}, True
        b.click(link)
        b.until_text("The identity provider denied the sign-in.")
        assert "alert(1)" not in b.run("return document.documentElement.innerHTML")
        provider.is_denied = False
        b.dress("ko", "dark")
        b.until_text("자격 증명 공급자가 로그인을 거부했습니다")
        assert not b.axe(web.axe_source())
        b.click(link)
        b.until("return document.querySelector('nav.side')", what="the frame of the pages")
        b.until("return document.querySelector('.whoname')?.innerText === 'paula'", what="who is here")
        assert b.run("return location.pathname + location.search") == "/console/"
        assert not [c for c in b.run("return document.cookie.split('; ')") if "dari" in c]  # scripts cannot read the cookies
        assert not b.faults()


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

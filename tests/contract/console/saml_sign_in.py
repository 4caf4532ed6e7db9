#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/native/sign_in src/auth/saml src/engine/people
"""Signing in to the console by a SAML identity provider: its configuration, the flow from the page and by plain HTTP, hostile responses, groups, and
passwords that a domain refuses. The test signs the provider's responses itself."""
import base64
import datetime
import json
import os
import sys
import urllib.parse

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import browser as web  # noqa: E402
import native  # noqa: E402
import saml_idp  # noqa: E402
from console import go  # noqa: E402
from dev import Dev  # noqa: E402

SAME = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "cross-site"}
MAIL = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"
GROUPS = "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups"


@pytest.fixture(scope="module")
def dev():
    with Dev() as region:
        region.mine, region.operator = native.own(region), native.admin(region)
        region.iam = region.account.client("iam")
        yield region


SETTINGS = {"name": "Company <b>SSO</b>", "makes_users": True, "group_attribute": GROUPS, "groups": ["4711 = Operators", "readers"]}


@pytest.fixture(scope="module")
def idp(dev):
    p = saml_idp.Provider()
    p.arn = dev.iam.create_saml_provider(Name="corp", SAMLMetadataDocument=p.metadata())["SAMLProviderArn"]
    p.id = dev.mine.rows("/saml-providers")[0]["id"]
    dev.operator.api_ok("PUT", f"/saml-providers/{p.id}/sign-in", SETTINGS)
    p.place = f"{dev.url}/api/v1/session/saml/{p.id}"
    return p


def set_sign_in(dev, idp, **changed):
    dev.operator.api_ok("PUT", f"/saml-providers/{idp.id}/sign-in", {**SETTINGS, **changed})


@pytest.fixture(autouse=True)
def settings(dev, idp):
    yield
    set_sign_in(dev, idp)


class Visitor:
    """A browser without pages: cookies, and redirects."""

    def __init__(self, dev, idp):
        self.dev, self.idp, self.cookies = dev, idp, {}

    def ask(self, method, url, body=None, **headers):
        cookie = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        status, said, text = web.ask(url, method, body, {"Cookie": cookie, **headers})
        for line in said.get_all("Set-Cookie") or []:
            name, _, value = line.split(";")[0].partition("=")
            self.cookies[name] = value
            self.last_cookie = line
        return status, said.get("Location", ""), text

    def begin(self, to=""):
        status, there, _ = self.ask("GET", self.idp.place + (f"?to={urllib.parse.quote(to)}" if to else ""), **{"Sec-Fetch-Site": "same-origin"})
        assert status == 303, there
        return there

    def respond(self, request=None, text=None, relay=None, **more):
        """Brings the provider's response; a request of None answers none."""
        service = {"audience": self.idp.place + "/metadata", "recipient": self.idp.place + "/acs", "destination": self.idp.place + "/acs"}
        if text is None:
            text = self.idp.text([], session=None, **{**service, "answers": request or "", **more})
        form = {"SAMLResponse": base64.b64encode(text).decode(), **({"RelayState": relay} if relay is not None else {})}
        status, place, _ = self.ask("POST", self.idp.place + "/acs", urllib.parse.urlencode(form).encode(), **FORM)
        assert status == 303
        return place

    def sign_in(self, **more):
        request, relay = saml_idp.read_request(self.begin())
        return self.respond(request.get("ID"), relay=relay, **more)

    def who(self):
        status, _, body = self.ask("GET", f"{self.dev.url}/api/v1/session", **SAME)
        return json.loads(body) if status == 200 else status


@pytest.fixture
def visitor(dev, idp):
    return Visitor(dev, idp)


def failed(why):
    return f"/console/?problem=saml-{why}"


# ---- there and back

def test_signs_in(dev, idp, visitor):
    """The first sign-in creates a user, the second finds the user, whatever the attributes say then."""
    there = visitor.begin()
    assert there.startswith(idp.entity + "/sso?SAMLRequest=")
    request, relay = saml_idp.read_request(there)
    assert relay is None and request.get("Destination") == idp.entity + "/sso"
    assert request.get("AssertionConsumerServiceURL") == idp.place + "/acs" and request[0].text == idp.place + "/metadata"
    assert visitor.last_cookie.endswith("; Path=/; HttpOnly; SameSite=Lax; Max-Age=600")
    assert visitor.respond(request.get("ID"), name="p-1", plain=[(MAIL, ["jane@example.com"]), ("uid", ["jane"])]) == "/console/"
    assert visitor.cookies["dari-saml"] == "" and "dari" in visitor.cookies
    said = visitor.who()
    assert said["user"]["name"] == "jane" and "account" not in said and said["rights"] == []
    user = dev.operator.api_ok("GET", f"/users/{said['user']['id']}")["item"]
    assert (user["email"], user["saml_subject"], user["saml_issuer"]) == ("jane@example.com", "p-1", idp.entity)
    again = Visitor(dev, idp)
    assert again.sign_in(name="p-1", plain=[("uid", ["somebody"])], signs="Response") == "/console/" and again.who()["user"] == said["user"]


def test_ends_with_the_provider_s_session(idp, visitor):
    """SessionNotOnOrAfter ends the session here, too, which else lasts for longer."""
    assert visitor.sign_in(name="p-1") == "/console/"
    whole = visitor.who()["ends_us"]
    until = idp.now() + datetime.timedelta(minutes=20)
    assert visitor.sign_in(name="p-1", statement=f'SessionNotOnOrAfter="{saml_idp.stamp(until)}"') == "/console/"
    ends = visitor.who()["ends_us"]
    assert abs(ends - until.timestamp() * 1e6) < 2e6 and ends < whole


def test_goes_to_the_page_that_was_asked_for(visitor):
    for to, place in (("/console/?k=instances", "/console/?k=instances"), ("https://elsewhere.example.com/", "/console/"), ("//elsewhere/console/", "/console/"),
                      ("/console/\\elsewhere", "/console/"), ("/console/" + "x" * 71, "/console/" + "x" * 71)):
        request, relay = saml_idp.read_request(visitor.begin(to))
        assert relay == to and visitor.respond(request.get("ID"), relay=relay, name="p-2") == place
    assert visitor.ask("GET", visitor.idp.place + "?to=" + "x" * 81)[1] == failed("failed")


def test_metadata(dev, idp):
    status, said, text = web.ask(idp.place + "/metadata")
    assert status == 200 and said["Content-Type"].startswith("application/samlmetadata+xml")
    root = saml_idp.etree.fromstring(text)
    assert root.get("entityID") == idp.place + "/metadata" and root[0][0].get("Location") == idp.place + "/acs"
    assert web.ask(f"{dev.url}/api/v1/session/saml/nonsense/metadata")[0] == 404


def test_the_host_header_is_no_audience(dev, idp, visitor):
    """A response for another service provider does not count under that one's name."""
    evil = "http://evil.example.com"
    place = idp.place.replace(dev.url, evil)
    request, _ = saml_idp.read_request(visitor.begin())
    text = idp.text([], session=None, name="p-1", answers=request.get("ID"), audience=place + "/metadata", recipient=place + "/acs", destination=place + "/acs")
    form = urllib.parse.urlencode({"SAMLResponse": base64.b64encode(text).decode()}).encode()
    assert visitor.ask("POST", idp.place + "/acs", form, **FORM, Host="evil.example.com")[1] == failed("token")
    assert visitor.ask("GET", idp.place, Host="evil.example.com")[1] == failed("address")


# ---- hostile responses

def test_the_request_is_the_browsers(dev, idp, visitor):
    request = saml_idp.read_request(visitor.begin())[0].get("ID")
    assert Visitor(dev, idp).respond(request) == failed("state")  # another browser
    assert visitor.respond("_another") == failed("token")
    assert visitor.respond(request, inner_answers="_another") == failed("token")
    assert visitor.respond(request, inner_answers="") == failed("token")
    assert visitor.respond(None) == failed("token")
    other = Visitor(dev, idp)
    other.begin()
    assert other.respond(request) == failed("token")  # another browser's request
    assert visitor.respond(request, name="p-2") == "/console/"


def test_once(dev, idp, visitor):
    request = saml_idp.read_request(visitor.begin())[0].get("ID")
    cookie = dict(visitor.cookies)
    service = {"audience": idp.place + "/metadata", "recipient": idp.place + "/acs", "destination": idp.place + "/acs", "answers": request, "name": "p-2"}
    text = idp.text([], session=None, **service)
    assert visitor.respond(text=text) == "/console/"
    visitor.cookies = dict(cookie)
    assert visitor.respond(text=text) == failed("state")  # the request was answered
    assert visitor.respond(request, name="p-2") == failed("state")
    set_sign_in(dev, idp, provider_begins=True)
    alone = idp.text([], session=None, **{**service, "answers": ""})
    assert Visitor(dev, idp).respond(text=alone) == "/console/"
    assert Visitor(dev, idp).respond(text=alone) == failed("user")  # the assertion was used


@pytest.mark.parametrize("changed", [{"audience": "urn:amazon:webservices"}, {"audience": "https://elsewhere"}, {"recipient": saml_idp.ENDPOINT}, {"destination": "https://elsewhere"},
                                     {"age_s": 400, "life_s": 600}, {"age_s": 120, "life_s": 30}, {"age_s": -300}, {"issuer": "https://elsewhere"}, {"signs": ""},
                                     {"name_format": "transient"}, {"name": ""}, {"name": "x" * 257}, {"plain": [("a", ["1"]), ("a", ["2"])]}])
def test_responses_that_do_not_hold(visitor, changed):
    assert visitor.sign_in(**{"name": "p-3", **changed}) in (failed("token"), failed("refused") if changed.get("name") == "" else failed("token"))
    assert visitor.who() == 401


def test_a_provider_that_refuses(visitor):
    assert visitor.sign_in(status="Responder") == failed("refused") and visitor.who() == 401


def test_wrapped_bombs_and_floods(dev, idp, visitor):
    request = saml_idp.read_request(visitor.begin())[0].get("ID")
    service = {"audience": idp.place + "/metadata", "recipient": idp.place + "/acs", "destination": idp.place + "/acs", "answers": request}
    good = idp.text([], session=None, name="p-1", **service)
    evil = good.replace(b">p-1<", b">admin<")
    inner = evil[evil.index(b"<Assertion"):evil.index(b"</Assertion>") + len(b"</Assertion>")]
    bomb = b'<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>' + good.replace(b">p-1<", b">&b;<")
    for text in (evil, good.replace(b"<Assertion", inner + b"<Assertion", 1), good.replace(b"</samlp:Response>", inner + b"</samlp:Response>"), bomb, b"<a>" * 1000, b"x" * 70000,
                 b"\xff\xfe", good.replace(b"</samlp:Response>", b"<a/>" * 5000 + b"</samlp:Response>"), b""):
        assert visitor.respond(text=text) == failed("token")
    status, place, _ = visitor.ask("POST", idp.place + "/acs", b"&".join(b"a%d=1" % k for k in range(40)), **FORM)
    assert (status, place) == (303, failed("token"))
    assert visitor.respond(text=good) == "/console/"


def test_begun_at_the_provider(dev, idp, visitor):
    assert visitor.respond(None, name="p-2") == failed("state")
    set_sign_in(dev, idp, provider_begins=True)
    assert visitor.respond(None, name="p-2") == "/console/"
    assert visitor.respond("_nobodys", name="p-2") == failed("token")


# ---- people and their groups

def test_groups_follow_the_provider(dev, idp, visitor):
    assert visitor.sign_in(name="g-1", plain=[("uid", ["greta"]), (GROUPS, ["4711", "other"])]) == "/console/"
    groups = {g["name"]: g for g in dev.operator.api_ok("GET", "/user-groups?all=1&fields=*")["items"]}
    assert {"Operators", "readers"} <= set(groups) and "other" not in groups
    dev.command("role", "grant", "member", "--group", "Operators", "--account", "dev")
    again = Visitor(dev, idp)
    assert again.sign_in(name="g-1", plain=[(GROUPS, ["4711"])]) == "/console/"
    assert again.who()["account"]["name"] == "dev" and again.who()["rights"] == ["reader", "member"]
    assert visitor.sign_in(name="g-1", plain=[(GROUPS, ["readers"])]) == "/console/"
    assert "account" not in visitor.who() and again.who() == 401  # taken away: the open session for that account is over, too


def test_subjects_by_attribute(dev, idp, visitor):
    set_sign_in(dev, idp, subject_attribute="objectid", name_attribute="upn")
    said = [("objectid", ["o-1"]), ("upn", ["una@example.com"]), ("uid", ["wrong"])]
    assert visitor.sign_in(name="t-1", name_format="transient", plain=said) == "/console/" and visitor.who()["user"]["name"] == "una@example.com"
    assert Visitor(dev, idp).sign_in(name="t-2", name_format="transient", plain=[("upn", ["una@example.com"])]) == failed("token")
    assert Visitor(dev, idp).sign_in(name="t-2", name_format="transient", plain=[("objectid", ["o-1", "o-2"])]) == failed("token")


def test_users_that_may_not(dev, idp, visitor):
    assert visitor.sign_in(name="leaver", plain=[("uid", ["leaver"])]) == "/console/"
    user = visitor.who()["user"]["id"]
    dev.operator.ok("PATCH", "/identity/v3/users/" + user.replace("-", ""), {"user": {"enabled": False}})
    assert visitor.who() == 401 and visitor.sign_in(name="leaver") == failed("user")
    set_sign_in(dev, idp, makes_users=False)
    assert visitor.sign_in(name="new-1") == failed("user")
    made = dev.command("user", "create", "newcomer", "--account", "dev", "--role", "member")
    path, link = f"/users/{made['user_id']}/saml-subject", {"saml_provider": idp.id, "subject": "new-1"}
    assert dev.mine.api("PUT", path, link).status == 403
    dev.operator.api_ok("PUT", path, link)
    assert visitor.sign_in(name="new-1") == "/console/" and visitor.who()["user"]["name"] == "newcomer"
    second = dev.command("user", "create", "second", "--account", "dev")["user_id"]
    assert dev.operator.api("PUT", f"/users/{second}/saml-subject", link).status == 409
    dev.operator.api_ok("PUT", path, {**link, "subject": ""})
    assert visitor.sign_in(name="new-1") == failed("user")


# ---- administrators

def test_who_says_what(dev, idp):
    path = f"/saml-providers/{idp.id}"
    for method, body in (("PUT", {"name": "x"}), ("DELETE", None)):
        assert dev.mine.api(method, path + "/sign-in", body).status == 403
    for body, field in (({}, "name"), ({"name": "x" * 65}, "name"), ({"name": "x", "domain": "nowhere"}, "domain"), ({"name": "x", "groups": [" = x"]}, "groups"),
                        ({"name": "x", "groups": ["x"] * 65}, "groups")):
        said = dev.operator.api("PUT", path + "/sign-in", body)
        assert said.status in (400, 404, 403, 409, 422) and said.json.get("field") == field, said
    with pytest.raises(dev.iam.exceptions.ClientError):  # the account can no longer change the trusted certificates
        dev.iam.update_saml_provider(SAMLProviderArn=idp.arn, SAMLMetadataDocument=saml_idp.Provider().metadata())
    with pytest.raises(dev.iam.exceptions.ClientError):
        dev.iam.delete_saml_provider(SAMLProviderArn=idp.arn)
    ways = dev.mine.api_ok("GET", "/session/ways")
    assert ways == {"items": [{"id": idp.id, "name": "Company <b>SSO</b>", "protocol": "saml"}], "passwords": "accepted"}
    assert dev.mine.api_ok("GET", "/session/ways?domain=nowhere") == {"items": [], "passwords": "accepted"}


def test_signed_requests_are_not_built(dev):
    p = saml_idp.Provider("https://strict.example.com")
    id = dev.operator.api_ok("POST", "/saml-providers", {"name": "strict", "metadata": p.metadata().replace('Signed="false"', 'Signed="true"')})["items"][0]["id"]
    assert dev.operator.api("PUT", f"/saml-providers/{id}/sign-in", {"name": "x"}).status == 400
    dev.operator.api_ok("DELETE", f"/saml-providers/{id}")


# ---- the pages

def test_from_the_pages(dev, idp):
    """The button on the sign-in page, what it says after a failure, and the card of the page of domains."""
    with web.browser() as b:
        b.size(1280)
        b.open(dev.url + "/console/?problem=saml-token")
        b.until("return [...document.querySelectorAll('.ways a')].find(e => e.innerText.includes('<b>SSO</b>'))", what="the provider's button")
        b.until_text("The identity provider’s response could not be verified.")
        assert b.run("return document.querySelector('.ways a').getAttribute('href')").endswith(f"/session/saml/{idp.id}")
        assert not b.axe(web.axe_source()) and not b.overflow()
        b.open(web.link_of(dev, "admin"))
        b.until("return document.querySelector('nav.side')", what="the frame of the pages")
        go(b, dev, "domains")
        b.until_text("Add SAML provider")
        b.until_text(idp.entity)
        b.until_text("Passwords accepted")
        assert not b.axe(web.axe_source()) and not b.faults()


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

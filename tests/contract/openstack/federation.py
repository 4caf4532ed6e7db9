#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/openstack/identity/federat src/auth/sign_in/federated src/auth/saml src/engine/people/sign_in
"""Keystone's federation by keystoneauth's plug-ins: access tokens, passwords and client credentials of an OpenID Connect provider, and SAML by a program
(ECP). Groups follow the provider. The test runs both providers."""
import base64
import datetime
import http.server
import os
import sys
import threading
import urllib.parse

import pytest
import requests
from keystoneauth1 import exceptions, session
from keystoneauth1.extras._saml2 import V3Saml2Password
from keystoneauth1.identity import v3
from lxml import etree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import native  # noqa: E402
import saml_idp  # noqa: E402
from dev import Dev  # noqa: E402
from issuer import Provider  # noqa: E402

SECRET = "s3cret"
SOAP, ECP, PAOS = "http://schemas.xmlsoap.org/soap/envelope/", "urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp", "urn:liberty:paos:2003-08"


@pytest.fixture(scope="module")
def dev():
    with Dev(fetch_from="127.0.0.1") as region:
        region.mine, region.operator = native.own(region), native.admin(region)
        region.iam, region.auth_url = region.account.client("iam"), f"{region.url}/identity/v3"
        yield region


@pytest.fixture(scope="module")
def oidc(dev, tmp_path_factory):
    p = Provider(tmp_path_factory.mktemp("provider"), secret=SECRET)
    dev.iam.create_open_id_connect_provider(Url=f"https://{p.host}", ClientIDList=[], ThumbprintList=[p.thumbprint])
    p.id = next(r for r in dev.mine.rows("/oidc-providers") if r["url"] == p.host)["id"]
    dev.operator.api_ok("PUT", f"/oidc-providers/{p.id}/sign-in", {"client_id": p.client, "client_secret": SECRET, "name": "keycloak", "makes_users": True,
                                                                  "group_claim": "groups", "groups": ["/operators = Operators"]})
    yield p
    p.server.shutdown()


@pytest.fixture(autouse=True)
def good(oidc):
    person = dict(oidc.person)
    yield
    oidc.mood, oidc.person = {}, person


class Idp(saml_idp.Provider):
    """A SAML provider that answers programs: HTTP Basic, SOAP."""

    def __init__(self):
        super().__init__("https://ecp.example.com")
        self.claims, self.changed = {"name": "p-1", "plain": [("uid", ["ecarol"])]}, {}
        idp = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                said = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
                self.send_response(200 if said == "carol:right" else 401)
                self.end_headers()
                if said == "carol:right":
                    self.wfile.write(idp.answer(body))

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/ecp"

    def answer(self, body):
        request = etree.fromstring(body).find(f".//{{{saml_idp.PROTOCOL}}}AuthnRequest")
        consumer, issuer = request.get("AssertionConsumerServiceURL"), request[0].text
        said = {"audience": issuer, "recipient": consumer, "destination": consumer, "answers": request.get("ID"), **self.claims, **self.changed}
        response = self.text([], session=None, **said).decode()
        return f"""<S:Envelope xmlns:S="{SOAP}"><S:Header><ecp:Response xmlns:ecp="{ECP}" S:mustUnderstand="1" S:actor="http://schemas.xmlsoap.org/soap/actor/next"
            AssertionConsumerServiceURL="{consumer}"/></S:Header><S:Body>{response}</S:Body></S:Envelope>""".encode()


@pytest.fixture(scope="module")
def saml(dev):
    p = Idp()
    dev.iam.create_saml_provider(Name="ecp", SAMLMetadataDocument=p.metadata())
    p.id = dev.mine.rows("/saml-providers")[0]["id"]
    dev.operator.api_ok("PUT", f"/saml-providers/{p.id}/sign-in", {"name": "company", "makes_users": True})
    yield p
    p.server.shutdown()


@pytest.fixture(autouse=True)
def good_saml(saml):
    yield
    saml.changed = {}


def access_token(dev, token, idp="keycloak", protocol="openid", **scope):
    auth = v3.OidcAccessToken(auth_url=dev.auth_url, identity_provider=idp, protocol=protocol, access_token=token, **scope)
    return auth.get_access(session.Session())


def issued(oidc, **claims):
    return oidc.token(**{"aud": "account", "azp": oidc.client, **oidc.person, **claims})


# ---- OpenID Connect

def test_access_token(dev, oidc):
    """Without scope at first; with a group's role, for the project."""
    access = access_token(dev, issued(oidc))
    assert (access.username, access.user_domain_name, access.project_id) == ("jane", "Default", None) and access._data["token"]["methods"] == ["openid"]
    assert access_token(dev, issued(oidc, azp=None, client_id=oidc.client), idp=oidc.id.replace("-", "")).user_id == access.user_id
    assert access_token(dev, issued(oidc, aud=oidc.client, azp=None, groups=["/operators"])).user_id == access.user_id
    dev.command("role", "grant", "member", "--group", "Operators", "--account", "dev")
    scoped = access_token(dev, issued(oidc, groups=["/operators"]), project_name="dev", project_domain_name="Default")
    assert scoped.project_name == "dev" and set(scoped.role_names) >= {"member"} and scoped.has_service_catalog()
    with pytest.raises(exceptions.Unauthorized):  # the role went with the group
        access_token(dev, issued(oidc), project_name="dev", project_domain_name="Default")


@pytest.mark.parametrize("changed", [{"aud": "another", "azp": "another"}, {"azp": None}, {"exp": 1}, {"kid": "nobody"}, {"kid": "two"}, {"iss": "https://elsewhere"}, {"sub": None},
                                     {"sub": "x" * 256}])
def test_tokens_that_do_not_hold(dev, oidc, changed):
    with pytest.raises(exceptions.Unauthorized):
        access_token(dev, issued(oidc, **changed))


def test_providers_that_are_not_there(dev, oidc, saml):
    for idp, protocol in (("nobody", "openid"), ("company", "openid"), ("keycloak", "saml2"), ("keycloak", "mapped")):
        with pytest.raises((exceptions.NotFound, exceptions.Unauthorized, exceptions.MethodNotAllowed)):
            access_token(dev, issued(oidc), idp=idp, protocol=protocol)
    url = f"{dev.auth_url}/OS-FEDERATION/identity_providers/keycloak/protocols/openid/auth"
    for header in ({}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer"}, {"Authorization": "Bearer a.b.c"}, {"Authorization": "Bearer " + "x" * 30000}):
        answer = requests.post(url, headers=header)
        assert answer.status_code in (401, 431), answer.text
        if answer.status_code == 401:
            assert answer.json()["error"]["message"] == "The request you have made requires authentication."


def test_password_and_client_credentials(dev, oidc, tmp_path):
    """keystoneauth asks the provider for the access token itself."""
    common = {"auth_url": dev.auth_url, "identity_provider": "keycloak", "protocol": "openid", "client_id": oidc.client, "client_secret": SECRET,
              "access_token_endpoint": f"https://{oidc.host}/token"}
    s = session.Session(verify=False)
    assert v3.OidcPassword(username="jane", password="right", **common).get_access(s).username == "jane"
    assert v3.OidcClientCredentials(**common).get_access(s).username == "service-account-console"
    with pytest.raises(exceptions.Unauthorized):
        v3.OidcPassword(username="jane", password="wrong", **common).get_access(s)


# ---- SAML by a program

def by_saml(dev, saml, idp="company", password="right", **scope):
    auth = V3Saml2Password(auth_url=dev.auth_url, identity_provider=idp, protocol="saml2", identity_provider_url=saml.url, username="carol", password=password, **scope)
    return auth.get_access(session.Session())


def test_saml_password(dev, saml):
    access = by_saml(dev, saml)
    assert access.username == "ecarol" and access._data["token"]["methods"] == ["saml2"] and not access.project_id
    dev.command("role", "grant", "reader", "--user", "ecarol", "--account", "dev")
    assert by_saml(dev, saml, idp=saml.id.replace("-", ""), project_name="dev", project_domain_name="Default").role_names == ["reader"]


def test_saml_token_ends_with_the_provider_s_session(dev, saml):
    until = saml.now() + datetime.timedelta(minutes=20)
    saml.changed = {"statement": f'SessionNotOnOrAfter="{saml_idp.stamp(until)}"'}
    ends = by_saml(dev, saml).expires
    assert abs((ends - until).total_seconds()) < 2


@pytest.mark.parametrize("changed", [{"audience": "urn:amazon:webservices"}, {"recipient": saml_idp.ENDPOINT}, {"answers": "_another"}, {"answers": ""}, {"age_s": 400},
                                     {"signs": ""}, {"status": "Responder"}, {"name_format": "transient"}, {"issuer": "https://elsewhere"}])
def test_saml_responses_that_do_not_hold(dev, saml, changed):
    saml.changed = changed
    with pytest.raises(exceptions.Unauthorized):
        by_saml(dev, saml)


def test_saml_relay_and_replay(dev, saml):
    """The text that comes back ties a response to its request; a response is good once."""
    url = f"{dev.auth_url}/OS-FEDERATION/identity_providers/company/protocols/saml2/auth"
    begun = [requests.get(url, headers={"PAOS": "x", "Accept": "application/vnd.paos+xml"}) for _ in range(2)]
    assert all(b.status_code == 200 and b.headers["Content-Type"] == "application/vnd.paos+xml" for b in begun)
    assert requests.get(url).status_code == 401
    relays = [etree.fromstring(b.content).find(f".//{{{ECP}}}RelayState") for b in begun]
    consumer = etree.fromstring(begun[0].content).find(f".//{{{PAOS}}}Request").get("responseConsumerURL")

    def bring(relay):
        envelope = etree.fromstring(saml.answer(begun[0].content))
        envelope[0][0] = etree.fromstring(etree.tostring(relay))
        return requests.post(consumer, data=etree.tostring(envelope), headers={"Content-Type": "application/vnd.paos+xml"}).status_code
    assert bring(relays[1]) == 401
    whole = etree.fromstring(saml.answer(begun[0].content))
    whole[0][0] = relays[0]
    text = etree.tostring(whole)
    assert [requests.post(consumer, data=text).status_code for _ in range(2)] == [201, 401]
    for body in (b"", b"<a/>", b"x" * 200000, b"<a>" * 500, text.replace(b"</S:Body>", b"<x/></S:Body>").replace(b"RelayState", b"Relay")):
        assert requests.post(consumer, data=body).status_code == 401


# ---- what Keystone shows

def test_lists(dev, oidc, saml):
    found = {i["description"]: i for i in dev.operator.ok("GET", "/identity/v3/OS-FEDERATION/identity_providers")["identity_providers"]}
    assert found["keycloak"]["remote_ids"] == [f"https://{oidc.host}"] and found["company"]["remote_ids"] == [saml.entity]
    one = dev.operator.ok("GET", "/identity/v3/OS-FEDERATION/identity_providers/keycloak")["identity_provider"]
    assert one == found["keycloak"] and one["id"] == oidc.id.replace("-", "") and one["domain_id"] == "default"
    assert dev.operator.ok("GET", urllib.parse.urlsplit(one["links"]["protocols"]).path)["protocols"][0]["id"] == "openid"
    protocols = dev.operator.ok("GET", f"/identity/v3/OS-FEDERATION/identity_providers/{saml.id}/protocols")["protocols"]
    assert [(p["id"], p["mapping_id"]) for p in protocols] == [("saml2", saml.id.replace("-", ""))]
    assert dev.operator.ok("GET", f"/identity/v3/OS-FEDERATION/identity_providers/{saml.id}/protocols/saml2")["protocol"] == protocols[0]
    assert dev.operator.ok("GET", urllib.parse.urlsplit(protocols[0]["links"]["self"]).path)["protocol"] == protocols[0]
    mapping = dev.operator.ok("GET", f"/identity/v3/OS-FEDERATION/mappings/{one['id']}")["mapping"]
    assert mapping["rules"] == [{"local": [{"user": {"name": "{0}", "domain": {"id": "default"}}}], "remote": [{"type": "sub"}]},
                                {"local": [{"group": {"name": "Operators", "domain": {"id": "default"}}}], "remote": [{"type": "groups", "any_one_of": ["/operators"]}]}]
    assert mapping in dev.operator.ok("GET", "/identity/v3/OS-FEDERATION/mappings")["mappings"]
    assert dev.operator.ok("GET", "/identity/v3/OS-FEDERATION/service_providers")["service_providers"] == []
    assert dev.mine.call("GET", "/identity/v3/OS-FEDERATION/identity_providers").status == 403
    assert dev.operator.call("PUT", "/identity/v3/OS-FEDERATION/identity_providers/new", {"identity_provider": {}}).status in (404, 405)


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

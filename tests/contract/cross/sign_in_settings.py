#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/auth/sign_in/login.c src/api/azure/signin src/daemon/client/commands_sign_in.c
"""Settings of sign-in that hold in every face: passwords that a domain refuses, with each face's own error and the ways that stay; `dari sign-in`; and az's
sign-in page, which goes on as the person of the console's session."""
import base64
import hashlib
import html
import json
import os
import re
import subprocess
import sys
import urllib.parse

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import browser as web  # noqa: E402
import cloudstack  # noqa: E402
import native  # noqa: E402
import saml_idp  # noqa: E402
from dev import DARI, Account, Dev  # noqa: E402

SAME = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def dev():
    with Dev() as region:
        region.operator = native.admin(region)
        region.closed = region.operator.api_ok("POST", "/domains", {"name": "closed"})["items"][0]["id"]
        region.passwords = {}
        for name, domain in (("ann", "closed"), ("bob", "Default")):
            region.passwords[name] = region.command("user", "create", name, "--domain", domain)["password"]
        yield region


@pytest.fixture(autouse=True)
def open_again(dev):
    yield
    passwords(dev, "accepted")


def passwords(dev, which, domain="closed"):
    dev.command("sign-in", "passwords", which, "--domain", domain)


def enter(dev, name, password, domain="closed", **more):
    status, headers, said = web.ask(dev.url + "/api/v1/session", "POST", {"user": name, "domain": domain, "password": password, **more}, SAME)
    return status, json.loads(said), headers


def token(dev, name, password, domain="closed"):
    user = {"name": name, "domain": {"name": domain}, "password": password}
    status, headers, said = web.ask(dev.url + "/identity/v3/auth/tokens", "POST", {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}},
                                    {"Content-Type": "application/json"})
    return status, json.loads(said), headers.get("X-Subject-Token")


def cloudstack_login(dev, name, password, domain="closed"):
    form = urllib.parse.urlencode({"command": "login", "username": name, "password": password, "domain": f"/{domain}", "response": "json"})
    return cloudstack.send(dev.port, form, True)


def azure_token(dev, name, password, domain="closed"):
    form = {"grant_type": "password", "client_id": "04b07795-8ddb-461a-bbee-02f9e1bf7b46", "username": f"{name}@{domain}", "password": password, "scope": "openid"}
    status, _, said = web.ask(dev.url + "/adfs/oauth2/token", "POST", urllib.parse.urlencode(form).encode(), FORM)
    return status, json.loads(said)


def everywhere(dev, name, password, domain="closed"):
    return [f(dev, name, password, domain)[0] for f in (enter, token, cloudstack_login, azure_token)]


# ---- passwords

def test_each_face_says_so(dev):
    """In the same words for users and for names that nobody has."""
    assert everywhere(dev, "ann", dev.passwords["ann"])[:2] == [201, 201]
    passwords(dev, "refused")
    for name, password in (("ann", dev.passwords["ann"]), ("ann", "wrong"), ("nobody", "x")):
        status, said, _ = enter(dev, name, password)
        assert status == 401 and said["detail"].startswith("Passwords are not accepted in this domain.")
        status, said, _ = token(dev, name, password)
        assert (status, said["error"]["message"]) == (401, "Attempted to authenticate with an unsupported method.")
        status, said = cloudstack_login(dev, name, password)[:2]
        assert status == 531 and "User is not allowed CloudStack login" in json.dumps(said)
        status, said = azure_token(dev, name, password)
        assert (status, said["error"], said["error_codes"]) == (400, "invalid_grant", [53003])
    assert json.loads(web.ask(dev.url + "/api/v1/session/ways?domain=closed")[2])["passwords"] == "refused"
    assert everywhere(dev, "bob", dev.passwords["bob"], "Default")[:2] == [201, 201]  # another domain's
    passwords(dev, "accepted")
    assert enter(dev, "ann", dev.passwords["ann"])[0] == 201


def test_what_stays(dev):
    """Tokens of before, sessions, keys, and the link that root on the machine makes."""
    before = token(dev, "ann", dev.passwords["ann"])[2]
    passwords(dev, "refused")
    assert web.ask(dev.url + "/identity/v3/auth/tokens", headers={"X-Auth-Token": before, "X-Subject-Token": before})[0] == 200
    link = dev.command("console", "--user", "closed/ann")["url"]
    status, said, _ = web.ask(dev.url + "/api/v1/session", "POST", {"ticket": link.split("#t=")[1]}, SAME)
    assert status == 201, said
    assert web.ask(dev.url + "/api/v1/session", "POST", {"access_key": dev.account.key_id, "secret": dev.account.secret}, SAME)[0] == 201


def test_directory_only(dev):
    """Without a directory nobody's password counts; the answer is that of a wrong one, which tells users from nobody."""
    passwords(dev, "directory-only")
    assert everywhere(dev, "ann", dev.passwords["ann"]) == everywhere(dev, "nobody", "x") == [401, 401, 531, 400]
    assert enter(dev, "ann", dev.passwords["ann"])[1]["detail"] == "The name or password is wrong."


def test_an_accounts_own_users(dev):
    """The setting of the account's domain holds; strangers do not learn of the account."""
    iam = dev.account.client("iam")
    iam.create_user(UserName="own")
    iam.create_login_profile(UserName="own", Password="a long Password 1")
    number = dev.account.client("sts").get_caller_identity()["Account"]
    assert enter(dev, "own", "a long Password 1", number)[0] == 201
    try:
        passwords(dev, "refused", "Default")
        status, said, _ = enter(dev, "own", "a long Password 1", number)
        assert (status, said["detail"]) == (401, "The name or password is wrong.")
    finally:
        passwords(dev, "accepted", "Default")


def change(dev, user, original, password, headers=None):
    status, _, said = web.ask(f"{dev.url}/identity/v3/users/{user}/password", "POST", {"user": {"original_password": original, "password": password}},
                              {"Content-Type": "application/json", **(headers or {})})
    return status, json.loads(said)["error"]["message"] if said else ""


def test_no_change_tells_a_right_password(dev):
    """A domain that refuses passwords answers a change of password alike for a right and a wrong old one, with or without a token."""
    made = dev.command("user", "create", "eve", "--domain", "closed")["password"]
    before = token(dev, "eve", made)
    user, by_token = before[1]["token"]["user"]["id"], {"X-Auth-Token": before[2]}
    for setting in ("refused", "directory-only"):
        passwords(dev, setting)
        for original in (made, "wrong"):
            assert change(dev, user, original, "Battery-staple-2") == (401, "The request you have made requires authentication.")
            assert change(dev, user, original, "Battery-staple-2", by_token) == (401, "Attempted to authenticate with an unsupported method.")
    passwords(dev, "accepted")
    assert change(dev, user, made, "Battery-staple-2", by_token)[0] == 204
    assert enter(dev, "eve", "Battery-staple-2")[0] == 201


def test_no_change_of_an_accounts_own_user(dev):
    iam = dev.account.client("iam")
    iam.create_user(UserName="fay")
    iam.create_login_profile(UserName="fay", Password="a long Password 1")
    iam.put_user_policy(UserName="fay", PolicyName="own", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:*", "Resource": "*"}]}))
    key = iam.create_access_key(UserName="fay")["AccessKey"]
    fay = Account(dev, key["AccessKeyId"], key["SecretAccessKey"]).client("iam")
    try:
        passwords(dev, "refused", "Default")
        for old in ("a long Password 1", "wrong"):
            with pytest.raises(fay.exceptions.ClientError, match="Passwords are not accepted in the account's domain."):
                fay.change_password(OldPassword=old, NewPassword="a long Password 2")
    finally:
        passwords(dev, "accepted", "Default")
    fay.change_password(OldPassword="a long Password 1", NewPassword="a long Password 2")


def test_who_says_it(dev):
    assert native.own(dev).api("PATCH", f"/domains/{dev.closed}", {"passwords": "refused"}).status == 403
    said = dev.operator.api("PATCH", f"/domains/{dev.closed}", {"passwords": "sometimes"})
    assert said.status == 400 and said.json["field"] == "passwords"
    failed = subprocess.run([DARI, "--config", dev.config, "sign-in", "passwords", "refused", "--domain", "nowhere"], capture_output=True, text=True)
    assert failed.returncode and "nowhere" in failed.stderr


# ---- dari sign-in

def test_commands(dev, tmp_path):
    metadata, secret = tmp_path / "idp.xml", tmp_path / "secret"
    idp = saml_idp.Provider("https://cli.example.com")
    metadata.write_text(idp.metadata())
    secret.write_text("s3cret\n")
    dev.command("sign-in", "add-saml", "cli", "--metadata", str(metadata), "--account", "dev", "--title", "CLI SSO", "--domain", "closed", "--make-users", "--group", "a=b", "--group", "c",
                "--group-attribute", "groups")
    dev.command("sign-in", "add-oidc", "https://cli.example.com/x", "--client", "dari", "--secret-file", str(secret), "--account", "dev", "--title", "CLI OIDC", "--domain", "closed")
    rows = {r["sign_in_name"]: r for r in dev.command("sign-in", "list")}
    assert set(rows) == {"CLI SSO", "CLI OIDC"} and rows["CLI SSO"]["sign_in_groups"] == ["a=b", "c"] and rows["CLI SSO"]["sign_in_makes_users"]
    for provider, option in (("CLI SSO", "--group-claim"), ("CLI SSO", "--client"), ("CLI OIDC", "--group-attribute")):
        failed = subprocess.run([DARI, "--config", dev.config, "sign-in", "set", provider, "--title", "Other", option, "x"], capture_output=True, text=True)
        assert failed.returncode and f"{option} is not a setting of" in failed.stderr
    dev.command("sign-in", "set", "CLI SSO", "--title", "Renamed", "--domain", "closed")
    ways = json.loads(web.ask(dev.url + "/api/v1/session/ways?domain=closed")[2])["items"]
    assert sorted((w["name"], w["protocol"]) for w in ways) == [("CLI OIDC", "oidc"), ("Renamed", "saml")]
    for provider in ("https://cli.example.com", "CLI OIDC"):
        dev.command("sign-in", "remove", provider)
    assert dev.command("sign-in", "list") in ([], None)
    failed = subprocess.run([DARI, "--config", dev.config, "sign-in", "remove", "nobody"], capture_output=True, text=True)
    assert failed.returncode and "nobody" in failed.stderr


# ---- az's pages

VERIFIER = "v" * 43
QUERY = {"client_id": "04b07795-8ddb-461a-bbee-02f9e1bf7b46", "redirect_uri": "http://localhost:8400/", "response_type": "code", "scope": "openid offline_access", "state": "s",
         "code_challenge": base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("="), "code_challenge_method": "S256"}


def session_of(dev, name, domain):
    headers = enter(dev, name, dev.passwords[name], domain)[2]
    return {"Cookie": headers["Set-Cookie"].split(";")[0]}


def hidden(text):
    """The inputs of the page's first form."""
    form = text.split("<form", 2)[1]
    return {html.unescape(n): html.unescape(v) for n, v in re.findall(r'name="([^"]*)" (?:type="[^"]*" required )?value="([^"]*)"', form)}


def test_az_goes_on_as_the_session(dev):
    """In the browser that is signed in to the console; from our own page alone."""
    path = dev.url + "/adfs/oauth2/authorize"
    plain = web.ask(f"{path}?{urllib.parse.urlencode(QUERY)}")[2].decode()
    assert "Continue as" not in plain
    cookie = session_of(dev, "bob", "Default")
    text = web.ask(f"{path}?{urllib.parse.urlencode(QUERY)}", headers=cookie)[2].decode()
    assert "Continue as bob@Default" in text
    form = hidden(text)
    assert form["session"] == "1" and form["state"] == "s"
    body = urllib.parse.urlencode(form).encode()
    for headers in ({**FORM, **cookie}, {**FORM, **cookie, "Sec-Fetch-Site": "cross-site"}, {**FORM, "Sec-Fetch-Site": "same-origin"},
                    {**FORM, **cookie, "Origin": "http://elsewhere.example.com"}):
        status, answer, said = web.ask(path, "POST", body, headers)
        assert status == 400 and "AADSTS50058" in said.decode() and not answer.get("Location")
    status, answer, _ = web.ask(path, "POST", body, {**FORM, **cookie, "Sec-Fetch-Site": "same-origin"})
    back = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(answer["Location"]).query))
    assert status == 302 and back["state"] == "s"
    got = web.ask(dev.url + "/adfs/oauth2/token", "POST", urllib.parse.urlencode({
        "grant_type": "authorization_code", "client_id": QUERY["client_id"], "code": back["code"], "redirect_uri": QUERY["redirect_uri"], "code_verifier": VERIFIER}).encode(), FORM)
    assert got[0] == 200 and json.loads(got[2])["access_token"]
    assert "Continue as" not in web.ask(f"{dev.url}/{dev.closed}/oauth2/v2.0/authorize?{urllib.parse.urlencode(QUERY)}", headers=cookie)[2].decode()  # another tenant


def test_az_device_code_is_typed(dev):
    """A link that brings the code does not fill it in beside "Continue"."""
    asked = json.loads(web.ask(dev.url + "/adfs/oauth2/devicecode", "POST", urllib.parse.urlencode({"client_id": "x", "scope": "openid"}).encode(), FORM)[2])
    cookie = session_of(dev, "bob", "Default")
    path = dev.url + "/adfs/oauth2/deviceauth"
    form = hidden(web.ask(f"{path}?user_code={asked['user_code']}", headers=cookie)[2].decode())
    assert form["user_code"] == "" and form["session"] == "1"
    body = urllib.parse.urlencode({**form, "user_code": asked["user_code"]}).encode()
    status, _, said = web.ask(path, "POST", body, {**FORM, **cookie, "Sec-Fetch-Site": "same-origin"})
    assert status == 200 and b"You have signed in" in said


def test_az_offers_the_providers(dev):
    dev.account.client("iam").create_saml_provider(Name="az", SAMLMetadataDocument=saml_idp.Provider("https://az.example.com").metadata())
    id = next(r["id"] for r in dev.operator.rows("/saml-providers?all=1&fields=*") if r["name"] == "az")
    dev.operator.api_ok("PUT", f"/saml-providers/{id}/sign-in", {"name": "Az <b>", "domain": "closed"})
    text = web.ask(f"{dev.url}/{dev.closed}/oauth2/v2.0/authorize?{urllib.parse.urlencode(QUERY)}")[2].decode()
    assert f'<a href="/api/v1/session/saml/{id}"' in text and "Az &lt;b&gt;" in text
    dev.operator.api_ok("DELETE", f"/saml-providers/{id}/sign-in")


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

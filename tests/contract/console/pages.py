#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: web src/api/console
# when: long
"""The console's pages and sessions: how pages are served, signing in and out, and each page in a browser, in both languages, themes and widths,
without axe violations, overflow or CSP reports."""
import gzip
import json
import os
import re
import signal
import sys
import tempfile

import pytest
from selenium.webdriver.common.keys import Keys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import browser as web  # noqa: E402
from console import BRIEF, HOSTILE, OF_REGION, PAGES, go, instance, look, pages, world  # noqa: E402
from dev import Dev  # noqa: E402

SAME = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module")
def dev():
    with world() as region:
        yield region


# ---- how pages are served ----

def test_visitors_are_led_in(dev):
    status, headers, _ = web.ask(dev.url + "/", headers={"Accept": "text/html"})
    assert (status, headers["Location"]) == (302, "/console/")
    assert web.ask(dev.url + "/", headers={"Accept": "*/*"})[0] == 400  # a client's call without Action is answered as before
    assert web.ask(dev.url + "/?Action=DescribeRegions", headers={"Accept": "text/html"})[0] != 302


def test_the_page_and_its_files(dev):
    status, headers, page = web.ask(dev.url + "/console/instances/i-0123456789abcdef0")
    policy = headers["Content-Security-Policy"]
    assert status == 200 and headers["Cache-Control"] == "no-cache" and headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "default-src 'none'" in policy and "require-trusted-types-for 'script'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert web.ask(dev.url + "/console/", headers={"If-None-Match": headers["ETag"]})[0] == 304
    paths = re.findall(rb'(?:href|src)="(/console/a/[^"]+)"', page)
    assert len(paths) > 5
    for path in paths:
        status, headers, plain = web.ask(dev.url + path.decode())
        assert status == 200 and headers["Cache-Control"] == "public, max-age=31536000, immutable" and "Content-Encoding" not in headers
        _, headers, packed = web.ask(dev.url + path.decode(), headers={"Accept-Encoding": "br, gzip"})
        assert headers.get("Content-Encoding") != "gzip" or gzip.decompress(packed) == plain
        assert "gzip" != web.ask(dev.url + path.decode(), headers={"Accept-Encoding": "gzip;q=0"})[1].get("Content-Encoding")
    for wrong in ("/console/a/0000/main.js", "/console/a/", "/console/nothing.js", "/console/a/../console.c"):
        assert web.ask(dev.url + wrong)[0] == 404


def test_what_the_first_page_weighs(dev):
    """Limit of the project: 60 KiB before the first API call."""
    page = web.ask(dev.url + "/console/")[2]
    whole = sum(len(web.ask(dev.url + path.decode(), headers={"Accept-Encoding": "gzip"})[2]) for path in set(re.findall(rb'(?:href|src)="(/console/a/[^"]+)"', page)))
    assert whole < 60 * 1024, whole


# ---- sessions ----

def sign_in(dev, proof, **headers):
    status, answer, body = web.ask(dev.url + "/api/v1/session", "POST", proof, {**SAME, **headers})
    return status, answer.get("Set-Cookie", ""), json.loads(body)


def me(dev, cookie, **headers):
    return web.ask(dev.url + "/api/v1/session", headers={"Cookie": cookie.split(";")[0], **headers})


def test_a_link_lets_in_once(dev):
    ticket = web.link_of(dev).split("#t=")[1]
    status, cookie, said = sign_in(dev, {"ticket": ticket})
    assert status == 201 and said["account"]["name"] == "dev" and said["rights"] == ["reader", "member"]
    for word in ("HttpOnly", "SameSite=Strict", "Path=/"):
        assert word in cookie
    assert "Max-Age" not in cookie
    assert sign_in(dev, {"ticket": ticket})[0] == 401
    assert me(dev, cookie)[0] == 200
    assert "admin" in sign_in(dev, {"ticket": web.link_of(dev, "admin").split("#t=")[1]})[2]["rights"]


def test_passwords_and_keys(dev):
    user, password = re.search(r"OS_USERNAME=(\S+)", dev.banner)[1], re.search(r"OS_PASSWORD=(\S+)", dev.banner)[1]
    status, cookie, said = sign_in(dev, {"user": user, "password": password})
    assert status == 201 and said["user"]["name"] == "dev" and said["rights"] == ["reader", "member"]
    assert [a["name"] for a in said["accounts"]] == ["dev"]
    wrong = [sign_in(dev, {"user": user, "password": "no"}), sign_in(dev, {"user": "nobody", "password": "no"}), sign_in(dev, {"user": user, "domain": "none", "password": password})]
    assert len({(status, said["detail"]) for status, _, said in wrong}) == 1 and wrong[0][0] == 401
    status, cookie, said = sign_in(dev, {"access_key": dev.account.key_id, "secret": dev.account.secret})
    assert status == 201 and said["account"]["name"] == "dev" and "admin" not in said["rights"]
    assert sign_in(dev, {"access_key": dev.account.key_id, "secret": dev.account.secret + "x"})[0] == 401
    assert sign_in(dev, {})[0] == 400
    assert me(dev, cookie)[0] == 200


def test_only_our_own_page_may(dev):
    ticket = web.link_of(dev).split("#t=")[1]
    for headers in ({"Content-Type": "application/json"}, {**SAME, "Sec-Fetch-Site": "cross-site"}, {**SAME, "Sec-Fetch-Site": "same-site"},
                    {"Content-Type": "application/json", "Origin": "https://evil.example"}, {**SAME, "Content-Type": "text/plain"}):
        assert web.ask(dev.url + "/api/v1/session", "POST", {"ticket": ticket}, headers)[0] == 403
    status, cookie, _ = sign_in(dev, {"ticket": ticket}, **{"Sec-Fetch-Site": "same-origin"})
    assert status == 201  # a refused attempt does not use up the link
    assert me(dev, cookie, **{"Sec-Fetch-Site": "cross-site"})[0] == 403
    assert web.ask(dev.url + "/api/v1/session", "DELETE", {}, {"Content-Type": "application/json", "Cookie": cookie.split(";")[0], "Origin": "http://evil.example"})[0] == 403
    assert me(dev, cookie)[0] == 200


def test_the_end_ends_all_of_it(dev):
    _, cookie, _ = sign_in(dev, {"ticket": web.link_of(dev).split("#t=")[1]})
    pair = {"Cookie": cookie.split(";")[0]}
    status, answer, body = web.ask(dev.url + "/api/v1/session/scope", "POST", {"account": "admin"}, {**SAME, **pair})
    other = answer["Set-Cookie"]
    assert status == 200 and json.loads(body)["account"]["name"] == "admin" and me(dev, other)[0] == 200
    assert web.ask(dev.url + "/api/v1/session/scope", "POST", {"account": "no-such"}, {**SAME, **pair})[0] == 404
    assert web.ask(dev.url + "/api/v1/session", "DELETE", {}, {**SAME, **pair})[0] in (200, 202, 204)
    assert me(dev, cookie)[0] == 401 and me(dev, other)[0] == 401


def test_a_session_is_no_token_elsewhere(dev):
    _, cookie, _ = sign_in(dev, {"ticket": web.link_of(dev).split("#t=")[1]})
    text = cookie.split(";")[0].split("=", 1)[1]
    assert web.ask(dev.url + "/api/v1/session", headers={"X-Auth-Token": text})[0] == 401
    assert web.ask(dev.url + "/compute/v2.1/servers", headers={"X-Auth-Token": text})[0] == 401
    assert web.ask(dev.url + "/compute/v2.1/servers", headers={"Cookie": cookie.split(";")[0]})[0] == 401


# ---- in a browser ----

@pytest.fixture(scope="module")
def page(dev):
    with pages(dev) as b:
        yield b


def test_the_link_is_in_no_history(page):
    assert "#t=" not in page.run("return location.href")


@pytest.mark.parametrize("path", PAGES)
def test_page(page, dev, path):
    wrong = look(page, dev, path, BRIEF)
    assert not wrong, "\n".join(wrong)


def test_pages_of_the_region(dev):
    wrong = []
    with pages(dev, "admin") as b:
        for path in OF_REGION:
            wrong += [f"{path}: {line}" for line in look(b, dev, path, BRIEF)]
    assert not wrong, "\n".join(wrong)


def test_a_limit_is_set(page, dev):
    """An administrator sets another account's limit; the account's own page only shows it."""
    go(page, dev, "quotas")
    page.until("return document.querySelectorAll('main .gauge').length > 10", what="the quotas")
    assert page.run("return document.querySelectorAll('main button').length") == 0
    with pages(dev, "admin") as operator:
        go(operator, dev, "accounts")
        operator.click("return [...document.querySelectorAll('tr[data-id] a')].find(a => a.innerText === 'dev')", what="the account")
        operator.click("return [...document.querySelectorAll('main a')].find(a => a.innerText === 'Quotas and usage')", what="the way to its limits")
        operator.click("return document.querySelector('button[aria-label=\"Change quota: Snapshots\"]')", what="the button")
        operator.until("return document.activeElement?.name === 'limit'", what="the field")
        operator.press("17", Keys.ENTER)
        operator.until("return [...document.querySelectorAll('main .gauge')].some(g => g.innerText.includes('Snapshots') && g.innerText.includes('/ 17'))", what="the new limit")
        operator.click("return document.querySelector('button[aria-label=\"Change quota: Snapshots\"]')", what="the button")
        operator.until("return document.activeElement?.name === 'limit'", what="the field")
        operator.find("input[name=limit]").clear()
        operator.find("input[name=limit]").send_keys(Keys.ENTER)
        operator.until("return ![...document.querySelectorAll('main .gauge')].some(g => g.innerText.includes('/ 17'))", what="no limit")
        assert not operator.faults()


def test_an_audit(dev):
    """Run from the page, which shows the progress; one orphaned resource is adopted, one purged after typing its id; users of other accounts never
    see it."""
    with pages(dev, "admin") as b:
        go(b, dev, "audit")
        before = b.until("return document.querySelectorAll('main tbody tr').length", what="what the audit before has found")
        b.click("return [...document.querySelectorAll('main .b1')].find(e => e.innerText === 'Run check')", what="the button")
        b.until("return document.querySelectorAll('main tbody tr').length === arguments[0] + 1", before, what="the audit among those before")
        b.until_text("4 differences")  # three leftovers, and a storage pool that does not answer
        ids = b.until("const ids = [...document.querySelectorAll('main tbody td.m .m')].map(e => e.innerText); return ids.length === 3 && ids", what="their ids")
        b.click("return document.querySelector('button[aria-label=\"Adopt ' + arguments[0] + '\"]')", ids[0], what="the button")
        b.until("return document.querySelector('dialog select[name=account]')", what="the accounts")
        b.until_text("--account")
        b.click("return document.querySelector('dialog .b1')", what="the answer")
        b.until("return !document.querySelector('dialog') && document.querySelectorAll('main tbody td.m').length === 2", what="that it is adopted")
        b.click("return document.querySelector('button[aria-label=\"Purge ' + arguments[0] + '\"]')", ids[1], what="the button")
        b.until("return document.querySelector('dialog .danger')?.disabled", what="a button that waits for the id")
        b.find("dialog input").send_keys(ids[1])
        b.until_text(f"dari purge {ids[1]}")
        b.click("return document.querySelector('dialog .danger:not(:disabled)')", what="the answer")
        b.until("return !document.querySelector('dialog') && document.querySelectorAll('main tbody td.m').length === 1", what="that it is gone")
        assert not b.faults()


def test_an_account_is_made_and_closed(dev):
    with pages(dev, "admin") as b:
        go(b, dev, "domains")
        b.click("return document.querySelector('button[aria-label=\"Create account in shops\"]')", what="the button")
        b.until("return document.activeElement?.name === 'name'", what="the field")
        b.press("corner-shop")
        b.until_text("openstack project create")
        b.press(Keys.ENTER)
        row = "[...document.querySelectorAll('main tbody tr')].find(r => r.innerText.startsWith('corner-shop'))"
        b.until(f"return {row}?.querySelector('.num')", what="its bars")
        b.click(f"return {row}.querySelector('.danger-text')", what="the button")
        b.until("return document.querySelector('dialog .danger')?.disabled", what="a button that waits for the name")
        b.find("dialog input").send_keys("corner-shop")
        b.click("return document.querySelector('dialog .danger:not(:disabled)')", what="the answer")
        b.until(f"return {row}?.innerText.includes('disabled')", what="that it is disabled")
        b.click(f"return {row}.querySelector('td:last-child button')", what="the button")
        b.until(f"return {row}?.innerText.includes('enabled')", what="that it is enabled again")
        assert not b.faults()


def test_an_account_is_made_on_its_own_page(dev):
    """The form asks for the domain."""
    with pages(dev, "admin") as b:
        go(b, dev, "accounts")
        b.click("return [...document.querySelectorAll('main .b1')].find(e => e.innerText === 'Create account')", what="the button")
        b.until("return document.activeElement?.name === 'name'", what="the field")
        b.press("market")
        shops = b.run("const s = document.querySelector('dialog select[name=domain]'); s.value = [...s.options].find(o => o.text === 'shops').value; s.dispatchEvent(new Event('change')); return s.value")
        b.until_text(f"openstack project create --domain {shops} market")
        b.click("return document.querySelector('dialog .b1')", what="the answer")
        b.until("return [...document.querySelectorAll('main tbody tr')].some(r => r.innerText.startsWith('market') && r.innerText.includes('shops'))", what="the account with its domain")
        assert not b.faults()


def test_capacity_is_what_a_launch_finds(dev):
    with pages(dev, "admin") as b:
        go(b, dev, "capacity")
        assert b.until("return document.querySelectorAll('main tbody tr').length", what="the hosts") == 5  # the sums, and four hosts
        b.click("return document.querySelector('main form .b1')", what="the button")
        b.until_text("hosts have capacity")
        b.find("main form input[name=count]").clear()
        b.find("main form input[name=count]").send_keys("100")
        b.run("const s = document.querySelector('main form select[name=type]'); s.value = [...s.options].at(-1).value")
        b.click("return document.querySelector('main form .b1')", what="the button")
        b.until("return document.querySelector('main form [role=alert]')", what="a refusal")
        assert not b.faults()


def test_a_host_is_drained(dev):
    """Progress is shown as a count of all accounts' instances."""
    with pages(dev, "admin") as b:
        name = max(dev.command("host", "list"), key=lambda h: h["instances"])["name"]
        go(b, dev, f"hosts?q={name}")
        b.click("return document.querySelector('tr[data-id] a')", what="the host")
        b.click("return [...document.querySelectorAll('aside button')].find(e => e.innerText === 'Drain…')", what="the button")
        b.click("return document.querySelector('dialog .danger')", what="the answer")
        b.until_text("Drained")
        b.click("return [...document.querySelectorAll('aside button')].find(e => e.innerText === 'Enable scheduling')", what="the button")
        b.until("return ![...document.querySelectorAll('aside .st')].some(e => e.innerText.includes('disabled'))", what="that it is open")
        assert not b.faults()


def test_pages_of_the_region_are_operators(page, dev):
    """Only operators have these pages in the menu; other visitors see no data there."""
    names = page.run("return [...document.querySelectorAll('nav.side a')].map(a => a.getAttribute('href'))")
    theirs = ("region", "hosts", "capacity", "audit", "accounts", "domains", "prices")
    assert not {f"/console/{name}" for name in theirs} & set(names)
    for name in theirs:
        go(page, dev, name)
        assert "Page not found" in page.run("return document.querySelector('main').innerText"), name


def test_a_user_and_a_key(dev):
    """Created by the account's manager, used, disabled, and deleted."""
    with pages(dev, "admin") as b:
        go(b, dev, "people")
        b.click("return [...document.querySelectorAll('main button')].find(e => e.innerText === 'Create user')", what="the button")
        b.until("return document.activeElement?.name === 'name'", what="the field")
        b.press("robot", Keys.ENTER)
        b.click("return [...document.querySelectorAll('tr[data-id] a')].find(a => a.innerText === 'robot')", what="the user")
        b.click("return [...document.querySelectorAll('aside button')].find(e => e.innerText === 'Create access key')", what="the button")
        key_id, secret = b.until("return document.querySelector('dialog pre')?.innerText", what="the key").split()
        b.press(Keys.ESCAPE)
        proof = {"access_key": key_id, "secret": secret}
        assert sign_in(dev, proof)[0] == 201
        b.click("return [...document.querySelectorAll('aside td button')].find(e => e.innerText === 'Deactivate')", what="the button")
        b.until("return [...document.querySelectorAll('aside td button')].some(e => e.innerText === 'Activate')", what="that it is off")
        assert sign_in(dev, proof)[0] == 401 and secret not in b.text()
        b.click("return [...document.querySelectorAll('aside td button')].find(e => e.innerText === 'Delete…')", what="the button")
        b.click("return document.querySelector('dialog .danger')", what="the answer")
        b.until_text("No access keys that you may view.")
        b.until("return !document.querySelector('dialog')", what="the dialog gone")
        b.click("return [...document.querySelectorAll('aside [role=toolbar] button')].find(e => e.innerText === 'Delete…')", what="the button")
        b.click("return document.querySelector('dialog .danger')", what="the answer")
        b.until("return ![...document.querySelectorAll('tr[data-id] a')].some(a => a.innerText === 'robot')", what="that it is gone")
        assert not b.faults()


def link_identity(b, dev):
    """Links the domain's user admin to a subject, and unlinks it."""
    for wanted in ("248289761001", ""):
        go(b, dev, "people")
        b.click("return [...document.querySelectorAll('tr[data-id]')].find(r => r.innerText.includes('admin') && r.innerText.includes('domain'))?.querySelector('a')", what="the user")
        b.click("return [...document.querySelectorAll('aside [role=toolbar] button')].find(e => e.innerText === 'Link identity')", what="the button")
        field = b.until("return document.querySelector('dialog input[name=subject]')", what="the field")
        field.clear()
        field.send_keys(wanted, Keys.ENTER)
        b.until("return !document.querySelector('dialog')", what="the dialog gone")
        b.until("return document.querySelector('aside')?.innerText.includes('248289761001 (https://id.example.com/realms/company)') === arguments[0]", bool(wanted), what="the link")


def test_an_identity_provider(dev):
    """An operator adds a provider, registers the address shown, and disables it; the secret stays out of the page, and strangers see the button."""
    def offered():
        return [p["name"] for p in json.loads(web.ask(dev.url + "/api/v1/session/oidc")[2])["items"]]

    with pages(dev, "admin") as b:
        go(b, dev, "domains")
        b.click("return [...document.querySelectorAll('main button')].find(e => e.innerText === 'Add identity provider')", what="the button")
        b.until("return document.activeElement?.name === 'url'", what="the field")
        b.press("https://ID.example.com/realms/company/", Keys.TAB, "console", Keys.TAB, "hidden-word", Keys.TAB, "Company <b>login</b>")
        assert "hidden-word" not in b.text()
        b.click("return document.querySelector('dialog .b1')", what="the button")
        address = b.until("return document.querySelector('dialog pre')?.innerText", what="the redirect URI")
        b.press(Keys.ESCAPE)
        line = b.until("return [...document.querySelectorAll('main tbody tr')].find(r => r.innerText.includes('https://id.example.com/realms/company'))?.innerText", what="the provider")
        assert "Company <b>login</b>" in line and address in line and "Default" in line
        identifier = address.split("/")[-2]
        assert address == f"{dev.url}/api/v1/session/oidc/{identifier}/callback" and offered() == ["Company <b>login</b>"]
        b.click("return [...document.querySelectorAll('main tbody button')].find(e => e.innerText === 'Settings…')", what="the button")
        b.until_text("Enter the client secret again")
        field = b.find("dialog input[name=name]")
        field.clear()
        field.send_keys("Works", Keys.ENTER)
        b.until("return document.querySelector('dialog pre')", what="the redirect URI")
        b.press(Keys.ESCAPE)
        b.until("return [...document.querySelectorAll('main tbody td')].some(c => c.innerText === 'Works')", what="the new name")
        link_identity(b, dev)
        go(b, dev, "domains")
        b.click("return [...document.querySelectorAll('main tbody button')].find(e => e.innerText === 'Disable…' && e.getAttribute('aria-label').includes('sign-in'))", what="the button")
        b.click("return document.querySelector('dialog .danger')", what="the answer")
        b.until("return [...document.querySelectorAll('main tbody button')].some(e => e.innerText === 'Enable…')", what="that it is disabled")
        assert offered() == [] and not b.faults()


def test_what_is_over_is_no_problem(page, dev):
    """A guest that was restarted runs: the list says so, and the overview asks nobody to act."""
    go(page, dev, "overview")
    said = page.driver.execute_async_script(
        "const done = arguments[arguments.length - 1], parts = document.querySelector('script[type=module]').src.replace(/[^/]*$/, 'parts.js');"
        "import(parts).then(m => done(['Restarted', 'HostDown'].map(name => m.tone('running', [{name, since_us: 1}]))));")
    assert said == ["ok", "bad"]


def test_a_user_with_a_console_password(dev):
    """An invitation is shown once; the user chooses a password by its link, or signs in without it; a second one replaces it."""
    def shown(b):
        link, text = b.until("const shown = [...document.querySelectorAll('dialog pre')].map(e => e.textContent); return shown.length && shown", what="the invitation")
        links.append(link)
        b.press(Keys.ESCAPE)
        b.until("return !document.querySelector('dialog')", what="the password gone")
        address, number, name, password = text.splitlines()
        assert address == f"{dev.url}/console/"
        return {"user": name.split(": ")[1], "domain": number.split(": ")[1], "password": password.split(": ")[1]}

    def choose(b, link, password):
        """Opens the link in a window that has this console open already, and chooses the password."""
        b.driver.get("about:blank")
        b.driver.get(link)
        b.until_text("Choose a password for invited in account")
        assert "password" not in b.run("return location.href")
        for name in ("new_password", "repeated"):
            b.find(f"input[name={name}]").send_keys(password)
        b.find("form .b1").click()

    links = []
    with pages(dev, "admin") as b:
        go(b, dev, "people")
        b.click("return [...document.querySelectorAll('main button')].find(e => e.innerText === 'Create user')", what="the button")
        b.until("return document.activeElement?.name === 'name'", what="the field")
        b.press("invited")
        b.click("return document.querySelector('dialog input[name=console]')", what="the choice")
        b.click("return document.querySelector('dialog .b1')", what="the button")
        first = shown(b)
        assert first["user"] == "invited" and len(first["password"]) == 20
        assert sign_in(dev, first)[0] == 401 and sign_in(dev, first)[2]["need"] == "password"
        assert sign_in(dev, {**first, "new_password": "Correct-horse-battery-1"})[0] == 201
        b.click("return [...document.querySelectorAll('tr[data-id] a')].find(a => a.innerText === 'invited')", what="the user")
        b.click("return [...document.querySelectorAll('aside button')].find(e => e.innerText === 'Set console password')", what="the button")
        b.until_text("aws iam create-login-profile --user-name invited --password PASSWORD --password-reset-required")
        b.click("return document.querySelector('dialog .b1')", what="the button")
        second = shown(b)
        assert second["password"] != first["password"] and second["password"] not in b.text()
        assert sign_in(dev, {**first, "password": "Correct-horse-battery-1"})[0] == 401
        choose(b, links[0], "Correct-horse-battery-2")
        b.until_text("This invitation was used already, or replaced by another one.")
        choose(b, links[1], "Correct-horse-battery-2")
        b.until("return document.querySelector('nav.side') && !document.querySelector('.sign')", what="the console of the user")
        assert sign_in(dev, {**second, "password": "Correct-horse-battery-2"})[0] == 201
        assert [f for f in b.faults() if "401" not in str(f)] == []


def test_a_policy_and_who_may(dev):
    """Errors in a document are shown with their lines before it is saved; the policy is attached to a user; the simulator names the deciding
    statement."""
    with pages(dev, "admin") as b:
        go(b, dev, "policies")
        b.click("return [...document.querySelectorAll('main button')].find(e => e.innerText === 'Create policy')", what="the button")
        b.until("return document.activeElement?.name === 'name'", what="the field")
        b.press("no-stop")
        area = b.find("dialog textarea")
        area.clear()
        area.send_keys('{"Version": "2012-10-17", "Statement": [\n{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"},\n{"Sid": "No", "Effect": "Never", "Action": "ec2:StopInstances", "Resource": "*"}]}')
        b.until_text("Invalid effect: Never")
        b.click("return [...document.querySelectorAll('dialog .plain')].find(e => e.innerText.startsWith('Line'))", what="the place")
        assert b.run("const e = document.activeElement; return e.value.slice(e.selectionStart, e.selectionEnd)").startswith('{"Sid": "No"')
        area.clear()
        area.send_keys('{"Version": "2012-10-17", "Statement": [\n{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"},\n{"Sid": "No", "Effect": "Deny", "Action": "ec2:StopInstances", "Resource": "*"}]}')
        b.until_text("Valid")
        b.click("return document.querySelector('dialog .b1')", what="the button")
        b.until("return [...document.querySelectorAll('tr[data-id] a')].some(a => a.innerText === 'no-stop')", what="the policy")
        go(b, dev, "people")
        b.click("return [...document.querySelectorAll('tr[data-id] a')].find(a => a.innerText === 'bob')", what="the user")
        b.click("return [...document.querySelectorAll('aside button')].find(e => e.innerText === 'Attach policy…')", what="the button")
        b.until("const e = document.querySelector('dialog select'); if (!e) return false; e.value = [...e.options].find(o => o.text === 'no-stop').value; e.dispatchEvent(new Event('change', {bubbles: true})); return true", what="the policies")
        b.until_text("aws iam attach-user-policy --user-name bob")
        b.click("return document.querySelector('dialog .b1')", what="the button")
        b.until("return [...document.querySelectorAll('aside .card a')].some(a => a.innerText === 'no-stop')", what="that he has it")
        go(b, dev, "who-may?action=ec2:StopInstances")
        line = b.until("return [...document.querySelectorAll('main tbody tr')].find(r => r.innerText.startsWith('bob'))?.innerText", what="bob")
        assert "denied" in line and "no-stop" in line and "No" in line
        assert not b.faults()


def of_ticket(b, what):
    """The rows of the open conversation, as text."""
    return b.run("return [...document.querySelectorAll('.talk .msg')].map(m => m.innerText)") if what == "all" else b.find(what)


def test_a_ticket_of_both_sides(page, dev):
    """A ticket opened from an instance's page with facts about it; answered by the operator in another browser, live on both sides; a private note
    stays with the operator; markup is shown as text; resolved, and reopened."""
    go(page, dev, f"instances/{instance(dev, 'web-2')}")
    page.click("return [...document.querySelectorAll('main [role=toolbar] button')].find(b => b.innerText === 'Get support')", what="the way to ask")
    page.until("return document.activeElement?.name === 'subject'", what="the form")
    assert instance(dev, "web-2") in page.run("return document.querySelector('dialog textarea').value") and page.run("return document.querySelector('dialog [name=resources]').value") == instance(dev, "web-2")
    page.press(f"It hangs {HOSTILE}")
    page.run("const a = document.querySelector('dialog textarea'); a.focus(); a.setSelectionRange(0, 0)")
    page.press("Every night.")
    page.click("return document.querySelector('dialog .b1')", what="the button")
    page.until("return location.pathname.match(/tickets\\/t-/) && document.querySelectorAll('.talk .msg').length === 1", what="what was said")
    page.until_text(f"It hangs {HOSTILE}")
    made = page.run("return location.pathname.split('/').pop()")
    with pages(dev, "admin") as desk:
        go(desk, dev, "tickets")
        desk.click("return [...document.querySelectorAll('tr[data-id] a')].find(a => a.innerText.startsWith('It hangs'))", what="the ticket at the operator's")
        desk.until("return document.querySelector('form [name=private]')", what="the form of the operator's")
        for words, is_private in (("They call each week.", True), (f"Which kernel? {HOSTILE}", False)):
            desk.run("document.querySelector('main form [name=body]').focus()")
            desk.press(words)
            if is_private:
                desk.click("return document.querySelector('[name=private]')", what="the switch")
            desk.click("return document.querySelector('main form .b1')", what="the button")
            desk.until("return [...document.querySelectorAll('.talk .said')].some(m => m.innerText === arguments[0])", words, what=words)
        page.until("return [...document.querySelectorAll('.talk .msg.theirs .said')].some(m => m.innerText === arguments[0])", f"Which kernel? {HOSTILE}", what="the operator's answer, live")
        assert "each week" not in page.text() and any("internal note" in m for m in of_ticket(desk, "all"))
        page.run("document.querySelector('main form [name=body]').focus()")
        page.press("Debian's.")
        desk.until_text("customer")  # a repaint keeps the typed text
        assert page.run("return document.querySelector('main form [name=body]').value") == "Debian's."
        with tempfile.NamedTemporaryFile("w", suffix=".txt", prefix="log-") as log:
            log.write("panic")
            log.flush()
            of_ticket(page, "main form [name=files]").send_keys(log.name)
            page.click("return document.querySelector('main form .b1')", what="the button")
            name = os.path.basename(log.name)
            desk.until("return [...document.querySelectorAll('.talk button')].some(b => b.innerText.includes(arguments[0]))", name, what="the file at the operator's")
        desk.until("return [...document.querySelectorAll('.talk .msg.ours .said')].some(m => m.innerText === \"Debian's.\")", what="the customer's answer, live")
        page.click("return [...document.querySelectorAll('.talk button')].find(b => b.innerText.includes(arguments[0]))", name, what="the file")
        page.until_text("Download complete")
        for label, state in (("Resolve", "resolved"), ("Reopen", "new")):
            page.click("return [...document.querySelectorAll('main [role=toolbar] button')].find(b => b.innerText === arguments[0] && !b.disabled)", label, what=label)
            for b in (page, desk):
                b.until("return document.querySelector('.head .st').innerText.endsWith(arguments[0])", state, what=state)
        assert page.run("return document.querySelector('.cmd pre').innerText").endswith(f"ticket reopen {made}")
        for b in (page, desk):
            assert b.run("return document.querySelectorAll('main img, main script').length") == 0 and not b.faults()
    assert len(of_ticket(page, "all")) == 4


def test_what_a_month_costs(page, dev):
    """The sum equals the API's, follows metered changes, and links to the highest costs; the previous month is empty; the file is FOCUS."""
    go(page, dev, "usage")
    page.until("return document.querySelectorAll('main .grid4 .big').length === 3 && document.querySelectorAll('main table').length >= 2", what="sums and groups")
    first = page.run("return document.querySelector('main .grid4 .big').innerText")
    assert re.fullmatch(r"€\d+\.\d+", first) and "€" in page.run("return document.querySelectorAll('main .grid4 .big')[2].innerText")
    assert page.run("return document.querySelectorAll('.days .day').length") >= 1
    page.click("return [...document.querySelectorAll('main table a')].find(a => a.innerText === arguments[0])", HOSTILE, what="a link to what costs most")
    page.until("return location.pathname.startsWith('/console/instances/i-')", what="its page")
    go(page, dev, "usage?group=tag")
    page.until_text(HOSTILE)
    link = page.run("return document.querySelector('main a[download]').getAttribute('href')")
    csv = page.driver.execute_async_script("const [link, done] = arguments; fetch(link).then(a => a.text()).then(done);", link)
    assert csv.startswith("AvailabilityZone,") and "\nu" in csv
    go(page, dev, "usage?group=resource")
    page.until("return document.querySelector('main table')", what="the table")
    launched = dev.ec2.allocate_address(Domain="vpc")["AllocationId"]  # reported by the stream
    page.until("return [...document.querySelectorAll('main td')].some(d => d.innerText.includes(arguments[0]))", launched, what="what was allocated just now")
    dev.ec2.release_address(AllocationId=launched)
    page.run("const s = document.getElementById('month'); s.selectedIndex = 1; s.dispatchEvent(new Event('change'))")
    page.until_text("No charges")
    assert "month=" in page.run("return location.search") and not page.faults() and page.run("return document.querySelectorAll('main img').length") == 0


def test_hostile_names_stay_text(page, dev):
    go(page, dev, "instances")
    page.until_text(HOSTILE)
    assert page.run("return document.querySelectorAll('main img:not(.thumb)').length") == 0
    go(page, dev, f"instances/{instance(dev, 'web-1')}")
    page.until_text(HOSTILE)
    assert page.run("return document.querySelectorAll('main img:not(.thumb)').length") == 0 and not page.faults()


def test_transit_gateways_fleets_and_spot_requests(page, dev):
    """Each page shows the routes, the capacity and the status that its list leaves out."""
    described = dev.ec2.describe_transit_gateways()["TransitGateways"][0]["TransitGatewayId"], dev.ec2.describe_fleets()["Fleets"][0]["FleetId"], \
        dev.ec2.describe_spot_instance_requests()["SpotInstanceRequests"][0]["SpotInstanceRequestId"]
    for path, name, own in zip(["transit-gateways", "fleets", "spot-requests"], described, [["10.99.0.0/16 → blackhole", "propagated"], ["0 of 2"], ["not-scheduled-yet", "on-demand price"]]):
        go(page, dev, path)
        page.until_text(HOSTILE)
        assert page.run("return document.querySelectorAll('tr[data-id]').length") == 1
        wrong = look(page, dev, f"{path}/{name}", BRIEF)
        assert not wrong, "\n".join(wrong)
        go(page, dev, f"{path}/{name}")
        for words in own:
            page.until_text(words)


def test_load_balancers_scaling_groups_and_reservations(page, dev):
    """Lists and the page of one, in both languages."""
    for path, own in (("load-balancers", ["internet-facing", "TCP 80"]), ("target-groups", ["1 healthy", "TCP"]), ("scaling-groups", ["1 of 1", "in service"]), ("reservations", ["t3.micro", "open to matching instances"])):
        go(page, dev, path)
        to = page.until("return document.querySelector('tr[data-id] a[href]')?.getAttribute('href')", what=f"one of {path}").removeprefix("/console/")
        wrong = look(page, dev, to, BRIEF)
        assert not wrong, "\n".join(wrong)
        go(page, dev, to)
        for words in own:
            page.until_text(words)


def test_a_backup_and_a_pool(dev):
    """A volume is backed up and restored; a shared directory is added, closed and removed."""
    def press(b, words, where="aside [role=toolbar]"):
        b.click(f"return [...document.querySelectorAll('{where} button')].find(e => e.innerText.replace('…', '') === arguments[0])", words, what=words)

    def open_row(b, words):
        b.click("return [...document.querySelectorAll('tr[data-id]')].find(r => r.innerText.includes(arguments[0]))?.querySelector('a')", words, what=words)

    with pages(dev) as b:
        go(b, dev, "volumes?q=state:available")
        open_row(b, "4 GiB")
        press(b, "Back up")
        b.until("return document.activeElement?.name === 'name'", what="the field")
        b.press("nightly", Keys.ENTER)
        b.until("return !document.querySelector('dialog')", what="the dialog gone")
        go(b, dev, "backups")
        b.until("return [...document.querySelectorAll('tr[data-id]')].some(r => r.innerText.includes('nightly') && r.innerText.includes('available'))", what="the backup")
        open_row(b, "nightly")
        press(b, "Restore")
        b.until("return document.activeElement?.name === 'name'", what="the field")
        b.press("restored", Keys.ENTER)
        b.until("return !document.querySelector('dialog')", what="the dialog gone")
        go(b, dev, "volumes")
        b.until("return [...document.querySelectorAll('tr[data-id]')].some(r => r.innerText.includes('restored') && r.innerText.includes('available'))", what="the volume")
        go(b, dev, "backups")
        open_row(b, "nightly")
        press(b, "Delete")
        b.click("return document.querySelector('dialog .danger')", what="the answer")
        b.until("return ![...document.querySelectorAll('tr[data-id]')].some(r => r.innerText.includes('nightly'))", what="that it is gone")
        assert not b.faults()
    with pages(dev, "admin") as b:
        go(b, dev, "storage-pools")
        press(b, "Add storage pool", "main")
        b.until("return document.activeElement?.name === 'name'", what="the field")
        b.find("dialog input[name=path]").send_keys("/srv/shared")
        b.find("dialog input[name=name]").send_keys("shared", Keys.ENTER)
        open_row(b, "shared")
        press(b, "Allow no new volumes")
        b.until_text("no new volumes")
        press(b, "Remove")
        b.click("return document.querySelector('dialog .danger')", what="the answer")
        b.until("return ![...document.querySelectorAll('tr[data-id]')].some(r => r.innerText.includes('shared'))", what="that it is gone")
        assert not b.faults()


def test_filter_is_in_the_address(page, dev):
    go(page, dev, "instances?q=web-2")
    page.until("return document.querySelectorAll('tr[data-id]').length === 1", what="one row")
    assert "web-2" in page.run("return document.querySelector('tr[data-id]').innerText")
    page.run("document.getElementById('q').focus()")
    page.press(Keys.ESCAPE)
    page.until("return location.search === '' && document.querySelectorAll('tr[data-id]').length >= 3", what="all rows")


def test_who_reaches_whom(page, dev):
    """The missing rule is added from the page, and the page updates its result at once."""
    path = f"reach?from=internet&to={instance(dev, 'web-1')}&protocol=tcp&port=8080"
    wrong = look(page, dev, path, BRIEF)
    go(page, dev, path)
    page.until_text("Not reachable: the internet → web-1")
    assert not wrong + look(page, dev, path, BRIEF), wrong
    go(page, dev, path)
    page.click("return document.querySelector('.path .decides button')", what="the button that adds the rule")
    page.until("return document.querySelector('dialog[open] input[name=block]')?.value === '0.0.0.0/0'", what="from where")
    page.until_text("authorize-security-group-ingress")
    page.click("return document.querySelector('dialog[open] button.b1')", what="Allow")
    page.until_text("Reachable: the internet → web-1")
    assert page.run("return document.querySelectorAll('.path li').length") > 5 and "port=8080" in page.run("return location.search")
    page.run("const f = document.querySelector('input[name=port]'); f.value = '8081'; f.dispatchEvent(new Event('change'))")
    page.until_text("Not reachable: the internet → web-1")
    assert "port=8081" in page.run("return location.search")


def test_the_palette(page, dev):
    go(page, dev, "")
    page.run("document.activeElement.blur()")
    page.driver.switch_to.active_element.send_keys(Keys.CONTROL, "k")
    page.until("return document.activeElement.closest('.palette')", what="the palette")
    page.press("web-1")
    page.until("return [...document.querySelectorAll('.palette li')].some(li => li.innerText.includes('web-1'))", what="web-1 in it")
    page.press(Keys.ESCAPE)
    page.until("return !document.querySelector('.palette')", what="the palette gone")


def test_keys_go_to_pages(page, dev):
    go(page, dev, "")
    page.run("document.getElementById('main').focus()")
    page.press("g", "v")
    page.until("return location.pathname === '/console/volumes'", what="volumes")
    page.press("g", "i")
    page.until("return location.pathname === '/console/instances' && document.querySelector('tr[data-id]')", what="instances")
    page.press("j", "j")
    page.until("return document.activeElement.closest('tr[data-id]')", what="the focus in a row")


# ---- by keyboard alone ----

def focus(page):
    """Initial focus of a page."""
    page.run("document.getElementById('main').focus()")


def chord(page, *keys):
    page.driver.switch_to.active_element.send_keys(*keys)


def arrive(page):
    """Id of the instance whose page opens after a launch."""
    return page.until("return (location.pathname.match(/^\\/console\\/instances\\/(i-\\w+)/) ?? [])[1]", what="the page of what was launched")


def test_a_launch_with_all_defaults(page, dev):
    go(page, dev, "")
    focus(page)
    page.press("c")
    page.until("return location.pathname === '/console/launch' && document.querySelector('form .opt input:checked')", what="the form")
    name = page.until("return document.querySelector('input[name=name]').value", what="a name")
    chord(page, Keys.CONTROL, Keys.ENTER)
    made = arrive(page)
    assert made == instance(dev, name)
    page.until("return document.querySelector('main .head .st')?.innerText.endsWith('running')", what="that it runs")


def test_a_launch_by_tabs(page, dev):
    """Tab reaches each control, the focus stays visible, and Enter on the button launches."""
    go(page, dev, "launch")
    focus(page)
    page.until("return document.querySelector('form .opt input:checked')", what="the form")
    seen = []
    for _ in range(80):
        page.press(Keys.TAB)
        here = page.run("const e = document.activeElement, s = getComputedStyle(e.closest('.opt') ?? e);"
                        "return [e.tagName + ' ' + (e.name || e.innerText.slice(0, 30)), e === document.body, s.outlineStyle !== 'none' || e.tagName === 'DIALOG', e.matches('form .b1')]")
        assert not here[1], f"the focus was lost after {seen[-3:]}"
        assert here[2], f"the focus is not seen on {here[0]}"
        seen.append(here[0])
        if here[3]:
            break
    else:
        raise AssertionError(f"the button was not reached: {seen}")
    for control in ("INPUT image", "INPUT type", "INPUT name", "INPUT count"):
        assert control in seen, seen
    page.press(Keys.ENTER)
    assert arrive(page) in [i["InstanceId"] for r in dev.ec2.describe_instances()["Reservations"] for i in r["Instances"]]


# ---- live ----

def test_two_browsers_see_each_other(page, dev):
    """A change in one browser appears in the other, both ways; both then equal a fresh load."""
    with pages(dev) as other:
        for b in (page, other):
            go(b, dev, "instances?sort=name")
            b.until("return document.querySelectorAll('tr[data-id]').length >= 3", what="the list")
        for here, there, name in ((page, other, "web-1"), (other, page, "web-2")):
            row = "[...document.querySelectorAll('tr[data-id]')].find(tr => tr.innerText.includes(arguments[0]))"
            here.until(f"return {row}", name).find_element("css selector", "input").click()
            here.until("return [...document.querySelectorAll('.picks button')].find(b => b.innerText === 'Stop')", what="the button").click()
            here.click("return document.querySelector('dialog[open] button.danger')", what="the answer")
            there.until(f"return {row}.innerText.includes('stopped')", name, what=f"{name} stopped in the other browser")
            here.until(f"return {row}.innerText.includes('stopped')", name, what=f"{name} stopped in its own")
        # without ages, which change while one looks, and metrics, which each window fetches by its own timer
        listed = "return [...document.querySelectorAll('tr[data-id]')].map(tr => [...tr.cells].slice(0, -1).map(c => c.querySelector('.spark') ? '' : c.innerText.replace(/, \\d+ \\w+/, '')).join('|'))"
        shown = page.run(listed)
        assert shown == other.run(listed)
        other.open(dev.url + "/console/instances?sort=name")
        other.until(f"return JSON.stringify((() => {{ {listed} }})()) === JSON.stringify(arguments[0])", shown, what="the same after a fresh load")
        assert not other.faults()


def test_a_form_keeps_what_is_typed(page, dev):
    """If somebody else changes the row meanwhile, the form reports that and keeps its input."""
    one = instance(dev, "web-1")
    go(page, dev, f"instances/{one}")
    page.click("return [...document.querySelectorAll('main button')].find(b => b.innerText.startsWith('Settings'))", what="the button")
    page.until("return document.activeElement?.name === 'name'", what="the field")
    page.press(Keys.HOME, "half-typed ")
    dev.ec2.create_tags(Resources=[one], Tags=[{"Key": "Name", "Value": "from elsewhere"}])
    page.until("return document.querySelector('dialog').innerText.includes('from elsewhere')", what="that it was changed meanwhile")
    assert page.run("return [document.activeElement.name, document.activeElement.value, document.activeElement.selectionStart]") == ["name", "half-typed web-1", 11]
    page.press("a")
    assert page.run("return document.activeElement.value") == "half-typed aweb-1"
    page.press(Keys.ESCAPE)
    page.until("return !document.querySelector('dialog')", what="the dialog gone")
    page.until_text("from elsewhere")
    dev.ec2.create_tags(Resources=[one], Tags=[{"Key": "Name", "Value": "web-1"}])


def test_the_launch_form_is_its_own(page, dev):
    go(page, dev, "launch")
    page.until("return document.querySelector('input[name=name]')", what="the form").click()
    page.press(Keys.END, "-mine")
    typed = page.run("return document.querySelector('input[name=name]').value")
    dev.ec2.create_key_pair(KeyName="meanwhile")
    page.until("return [...document.querySelectorAll('form option')].some(o => o.value === 'meanwhile')", what="the new key pair among what can be chosen")
    assert page.run("return [document.activeElement.name, document.activeElement.value]") == ["name", typed] and typed.endswith("-mine")


def sign_in_by_key(b, account):
    b.click("return [...document.querySelectorAll('.sign button')].find(e => e.innerText === 'Access key')", what="the way in by a key")
    b.until("return document.querySelector('input[name=access_key]')", what="the field").send_keys(account.key_id, Keys.TAB, account.secret, Keys.ENTER)
    b.until("return document.querySelector('nav.side')", what="the frame of the pages")


def test_an_ended_session_is_told(dev):
    """The session ends on the server while the page is open: the page asks to sign in, and continues where it was."""
    with pages(dev) as b:
        go(b, dev, "volumes")
        b.until("return document.querySelector('.live.ok')", what="that it is live")
        b.run("return fetch('/api/v1/session', {method: 'DELETE', headers: {'Content-Type': 'application/json'}, body: '{}'}).then(() => true)")
        b.until("return document.querySelector('.sign')", what="the page to sign in")
        sign_in_by_key(b, dev.account)
        b.until("return location.pathname === '/console/volumes' && document.querySelector('tr[data-id]')", what="the list")


def test_the_page_recovers_by_itself():
    """The server is killed, and restarts: the page says so, and shows changes made meanwhile without user action."""
    with tempfile.TemporaryDirectory() as folder, web.browser() as b:
        dev = Dev("--data", folder)
        try:
            b.size(1280)
            b.open(dev.url + "/console/keys")
            sign_in_by_key(b, dev.account)  # a restart gives users new passwords, and ends old sessions
            b.until("return document.querySelector('.live.ok')", what="that it is live")
            dev.account.client().create_key_pair(KeyName="before")
            b.until_text("before")
            b.run("window.isTheSame = true")
            dev.end(signal.SIGKILL)
            b.until("return document.querySelector('.live.go, .live.off')", what="that it is not live")
            assert "before" in b.text()
            dev = Dev("--data", folder, port=dev.port)
            dev.account.client().create_key_pair(KeyName="meanwhile")
            b.until_text("meanwhile")
            b.until("return document.querySelector('.live.ok')", what="that it is live again")
            b.until("return document.querySelectorAll('tr[data-id]').length === 2", what="both")
            assert "before" in b.text()
            assert b.run("return window.isTheSame"), "the page was loaded anew"
        finally:
            dev.end()


def test_who_leaves_is_out(page, dev):
    """Last, because it ends the session."""
    go(page, dev, "")
    page.run("document.querySelector('details.menu').open = true")
    page.until("return [...document.querySelectorAll('.sheet button')].at(-1)").click()
    page.until("return document.querySelector('.sign')", what="the page to sign in")
    assert page.driver.get_cookies() == []
    wrong = page.axe(web.axe_source())
    assert not wrong, wrong


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))

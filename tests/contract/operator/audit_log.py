#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/store/audit src/store/sqlite_audit.c src/api/core/audited.def src/daemon/command_audit.c src/daemon/history
"""The audit log of a running region: each audited call leaves one record, refused or not, with the caller, the address, the subject and the outcome;
no record contains a secret; and the hash chain is intact."""
import hashlib
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
import urllib.request

import pytest
import websocket

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
import cloudstack  # noqa: E402
import dev as ec2  # noqa: E402
import faces  # noqa: E402
from faces import COMPUTE, IDENTITY  # noqa: E402
from iam_session import session_of  # noqa: E402
from waiting import HANG_S  # noqa: E402

PASSWORD = "Quite-Secret-4711"
VERSIONS = {"ec2": "2016-11-15", "iam": "2010-05-08", "sts": "2011-06-15"}


class Log:
    def __init__(self, region):
        self.region = region

    def read(self, *argv):
        done = subprocess.run([ec2.DARI, "--config", self.region.config, "log", "audit", "--json", *argv], check=True,
                              capture_output=True, text=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def end(self):
        return max((r["seq"] for r in self.read()), default=0)

    def one(self, after):
        """The only record since then."""
        found = self.read("--after", str(after))
        assert len(found) == 1, found
        return found[0]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return str(tmp_path_factory.mktemp("region") / "data")


@pytest.fixture(scope="module")
def region(data):
    with ec2.Dev("--data", data) as region:
        yield region


@pytest.fixture(scope="module")
def log(region):
    return Log(region)


@pytest.fixture(scope="module")
def shop(region):
    return cloud.another(region, "shop", faces.Both)


@pytest.fixture(scope="module")
def admin(region):
    return cloud.admin(region)


@pytest.fixture(scope="module")
def nobody(region, shop):
    """A user of the account without any rights."""
    iam = shop.root.client("iam")
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    return ec2.Account(region, key["AccessKeyId"], key["SecretAccessKey"])


# ---- each action of the tables

def query_actions():
    for action in ec2.dump()["actions"]:
        yield action
    done = subprocess.run([ec2.DARI, "dump", "iam"], check=True, capture_output=True)
    yield from json.loads(done.stdout)["actions"]


def test_each_action_of_ec2_iam_and_sts_that_is_refused_has_one_record(log, nobody):
    before, asked, quiet = log.end(), {}, set()
    for action in query_actions():
        answer = nobody.call(action["name"], version=VERSIONS[action["service"]], service=action["service"])
        identifier = re.search("<[Rr]equest(?:ID|Id)>([^<]+)<", answer.text)[1]
        if action["recorded"] == "always":
            asked[identifier] = (action, answer)
        elif action["recorded"] == "never":
            quiet.add(identifier)
    assert len(asked) > 60 and len(quiet) > 200
    found = log.read("--after", str(before))
    for record in found:
        assert record["request_id"] not in quiet, record
    for identifier, (action, answer) in asked.items():
        records = [r for r in found if r["request_id"] == identifier]
        assert len(records) == 1, f"{action['name']}: {records}"
        (record,) = records
        assert (record["action"], record["user_name"], record["from"]) == (action["permit"], "nobody", "127.0.0.1"), record
        assert record["credential"] == f"access-key:{nobody.key_id}" and record["face"] == action["service"], record
        if answer.status == 200:  # calls that users may make about themselves
            assert record["outcome"] == "ok", record
        else:
            assert record["outcome"] != "ok" and record["code"] == re.search("<Code>([^<]+)<", answer.text)[1], record


def test_each_call_of_openstack_that_is_refused_has_one_record(log, shop):
    before, count = log.end(), 0
    for action in cloud.dump()["actions"]:
        if action["recorded"] != "always" or action["permit"] == "identity:authenticate":
            continue
        path = action["prefix"] + re.sub("{[a-z_]+}", cloud.ABSENT.replace("-", ""), action["path"])
        body = {action["name"]: None} if action["name"] else {} if action["method"] in ("POST", "PUT", "PATCH") else None
        version = f"compute 2.{action['until'] or 79}" if action["service"] == "compute" else "volume 3.70"
        answer = shop.call(action["method"], path, body, version=version)
        records = log.read("--after", str(before))
        before, count = before + len(records), count + 1
        assert len(records) == 1, f"{cloud.title(action)}: {answer}: {records}"
        (record,) = records
        assert record["action"] == action["permit"] and record["user_name"] == "shop" and record["from"] == "127.0.0.1", record
        assert record["credential"].startswith("token:"), record
        if answer.status < 300:
            assert record["outcome"] == "ok", f"{answer}: {record}"
        else:
            assert record["outcome"] != "ok" and record["code"] == str(answer.status), f"{answer}: {record}"
    assert count > 40


# ---- recorded calls

def test_what_is_done_is_told(region, log, shop, admin):
    """Most calls that create, read and delete a secret; each leaves one record, and no record contains the secret."""
    iam, sts, nova = shop.root.client("iam"), shop.root.client("sts"), shop.ec2
    secrets = {PASSWORD, shop.password, shop.token, admin.password}

    def told(action, outcome, call, *subject, **texts):
        before = log.end()
        made = call()
        record = log.one(before)
        assert (record["action"], record["outcome"]) == (action, outcome), record
        for word in subject:
            assert word in record["subject"], record
        for name, text in texts.items():
            assert record[name] == text, record
        return made

    told("iam:CreateUser", "ok", lambda: iam.create_user(UserName="ann"), "UserName=ann", user_name="root", kind="user")
    key = told("iam:CreateAccessKey", "ok", lambda: iam.create_access_key(UserName="ann"), "UserName=ann", kind="access_key",
               permission="access_key.create", does="issues")["AccessKey"]
    secrets.add(key["SecretAccessKey"])
    told("iam:UpdateAccessKey", "ok", lambda: iam.update_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"], Status="Inactive"),
         key["AccessKeyId"], "Status=Inactive")
    told("iam:CreateLoginProfile", "ok", lambda: iam.create_login_profile(UserName="ann", Password=PASSWORD), "UserName=ann", does="changes")
    told("iam:CreateLoginProfile", "NOT_FOUND", lambda: faces.code(iam.create_login_profile, UserName="absent", Password=PASSWORD),
         "UserName=absent", code="NoSuchEntity")
    told("iam:PutUserPolicy", "ok", lambda: iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})), "PolicyName=p", does="rights")
    session = told("sts:GetSessionToken", "ok", sts.get_session_token, does="issues")["Credentials"]
    secrets.update((session["SecretAccessKey"], session["SessionToken"]))
    guest = told("sts:GetFederationToken", "ok", lambda: sts.get_federation_token(Name="guest", Policy=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}]})), "Name=guest", does="issues")["Credentials"]
    secrets.update((guest["SecretAccessKey"], guest["SessionToken"]))
    federated = session_of(region, {"Credentials": guest})
    told("ec2:CreateKeyPair", "ok", lambda: federated.client().create_key_pair(KeyName="guests"), "KeyName=guests", user_name="root", session="federated-user/guest")
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                                                     "Principal": {"AWS": sts.get_caller_identity()["Account"], "Service": "ec2.amazonaws.com"}}]}
    role = told("iam:CreateRole", "ok", lambda: iam.create_role(RoleName="deploy", AssumeRolePolicyDocument=json.dumps(trust)), "RoleName=deploy")["Role"]
    iam.update_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"], Status="Active")
    ann = ec2.Account(region, key["AccessKeyId"], key["SecretAccessKey"]).client("sts")
    told("sts:AssumeRole", "DENIED", lambda: faces.code(sts.assume_role, RoleArn=role["Arn"], RoleSessionName="job"), user_name="root")
    taken = told("sts:AssumeRole", "ok", lambda: ann.assume_role(RoleArn=role["Arn"], RoleSessionName="job"), f"RoleArn={role['Arn']}",
                 "RoleSessionName=job", user_name="ann")["Credentials"]
    secrets.update((taken["SecretAccessKey"], taken["SessionToken"]))
    pair = told("ec2:CreateKeyPair", "ok", lambda: nova.create_key_pair(KeyName="k"), "KeyName=k", kind="key_pair")
    secrets.update(line for line in pair["KeyMaterial"].splitlines()[1:-1] if len(line) > 20)
    told("ec2:CreateKeyPair", "DRY_RUN", lambda: faces.code(nova.create_key_pair, KeyName="j", DryRun=True), code="DryRunOperation")
    told("ec2:DeleteKeyPair", "ok", lambda: nova.delete_key_pair(KeyName="k"), "KeyName=k")

    # OpenStack's
    token = told("identity:authenticate", "ok", lambda: shop.call("POST", f"{IDENTITY}/auth/tokens", shop.auth), "user_name=shop",
                 account=sts.get_caller_identity()["Account"], user_name="shop", user_id=shop.user_id, kind="token")
    secrets.add(token.headers["X-Subject-Token"])
    record = log.read("--action", "identity:authenticate")[-1]
    assert record["as"] == f"project:{shop.id}" and record["id"] == token.json["token"]["audit_ids"][0], record
    made = told("identity:ec2_create_credential", "ok",
                lambda: shop.ok("POST", f"{IDENTITY}/users/{shop.user_id}/credentials/OS-EC2", {"tenant_id": shop.id}), shop.user_id, kind="access_key")
    secrets.add(made["credential"]["secret"])
    told("identity:ec2_list_credentials", "ok", lambda: shop.ok("GET", f"{IDENTITY}/users/{shop.user_id}/credentials/OS-EC2"), does="reads")
    told("identity:list_credentials", "ok", lambda: shop.ok("GET", f"{IDENTITY}/credentials"), does="reads")
    told("identity:list_credentials", "ok", lambda: shop.ok("GET", f"{IDENTITY}/credentials"), does="reads")  # the next answer must not come from a cache
    kept = []
    told("identity:create_credential", "ok", lambda: kept.append(shop.ok("POST", f"{IDENTITY}/credentials", {
        "credential": {"user_id": shop.user_id, "type": "cert", "blob": "secret"}})["credential"]["id"]))
    told("identity:get_credential", "ok", lambda: shop.ok("GET", f"{IDENTITY}/credentials/{kept[0]}"), does="reads")
    told("identity:update_credential", "ok", lambda: shop.ok("PATCH", f"{IDENTITY}/credentials/{kept[0]}", {"credential": {"blob": "other"}}))
    told("identity:delete_credential", "ok", lambda: shop.call("DELETE", f"{IDENTITY}/credentials/{kept[0]}"))
    made = told("identity:create_application_credential", "ok", lambda: shop.ok(
        "POST", f"{IDENTITY}/users/{shop.user_id}/application_credentials", {"application_credential": {"name": "a"}}), kind="application_credential")
    secrets.add(made["application_credential"]["secret"])
    pair = told("os_compute_api:os-keypairs:create", "ok", lambda: shop.ok("POST", f"{COMPUTE}/os-keypairs", {"keypair": {"name": "n"}}), kind="key_pair")
    secrets.update(line for line in pair["keypair"]["private_key"].splitlines()[1:-1] if len(line) > 20)
    made = told("identity:create_user", "ok", lambda: admin.ok("POST", f"{IDENTITY}/users", {"user": {"name": "eve", "password": PASSWORD}}),
                user_name="admin", kind="user")
    told("identity:delete_user", "ok", lambda: admin.call("DELETE", f"{IDENTITY}/users/{made['user']['id']}"), made["user"]["id"])
    told("identity:revoke_token", "ok", lambda: shop.call("DELETE", f"{IDENTITY}/auth/tokens", headers={
        "X-Subject-Token": token.headers["X-Subject-Token"]}), token.json["token"]["audit_ids"][0])

    # clients send their tokens there
    made = told("identity:create_service", "ok", lambda: admin.ok("POST", f"{IDENTITY}/services", {"service": {
        "type": "audit-log", "name": "log"}}), "type=audit-log", user_name="admin", kind="catalog_entry", does="rights")["service"]["id"]
    told("identity:create_endpoint", "ok", lambda: admin.ok("POST", f"{IDENTITY}/endpoints", {"endpoint": {
        "service_id": made, "interface": "public", "url": "http://198.51.100.7/"}}), "interface=public", "url=http://198.51.100.7/", kind="catalog_entry")
    told("identity:create_endpoint", "DENIED", lambda: shop.call("POST", f"{IDENTITY}/endpoints", {"endpoint": {
        "service_id": made, "interface": "public", "url": "http://198.51.100.7/"}}), user_name="shop", code="403")
    told("identity:delete_service", "ok", lambda: admin.call("DELETE", f"{IDENTITY}/services/{made}"), made)

    # the operator's
    told("dari:env", "ok", lambda: region.command("env", "shop"), user_name="operator", credential="operator")
    assert re.fullmatch(r"unix:uid=0,pid=\d+", log.read()[-1]["from"])
    made = told("dari:user password", "ok", lambda: region.command("user", "password", "shop"), "name=shop")
    secrets.add(made["password"])
    told("dari:env", "NOT_FOUND", lambda: subprocess.run([ec2.DARI, "--config", region.config, "env", "absent"], check=False, capture_output=True))

    text = "\n".join(json.dumps(r) for r in log.read())
    for secret in secrets:
        assert len(secret) > 8 and secret not in text, secret


def test_guests_and_their_consoles(region, log, admin):
    own = cloud.own(region)
    account = region.account.client()
    iam = region.account.client("iam")
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}]}
    iam.create_role(RoleName="web", AssumeRolePolicyDocument=json.dumps(trust))
    iam.create_instance_profile(InstanceProfileName="web")
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="web")
    image = account.describe_images()["Images"][0]["ImageId"]
    before = log.end()
    words = {"ImageId": image, "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1}
    account.run_instances(**words)
    assert log.end() == before  # no role is passed
    instance = account.run_instances(UserData="token=hush-hush-hush", IamInstanceProfile={"Name": "web"}, **words)["Instances"][0]["InstanceId"]
    record = log.one(before)
    assert (record["action"], record["does"], record["kind"]) == ("ec2:RunInstances", "issues,rights", "instance"), record
    region.rest()

    # user data
    before = log.end()
    account.describe_instance_attribute(InstanceId=instance, Attribute="instanceType")
    account.describe_instances()
    assert log.end() == before
    account.describe_instance_attribute(InstanceId=instance, Attribute="userData")
    record = log.one(before)
    assert record["action"] == "ec2:DescribeInstanceAttribute" and instance in record["subject"], record
    for _ in range(2):  # an answer with the secret is not cached
        before = log.end()
        servers = admin.ok("GET", f"{COMPUTE}/servers/detail?all_tenants=1", version="compute 2.3")["servers"]
        assert any(s["OS-EXT-SRV-ATTR:user_data"] for s in servers)
        assert log.one(before)["action"] == "os_compute_api:servers:detail"

    # credentials of its role: one record for each issue, however often the guest asks
    before = log.end()
    url = f"{region.metadata}/{instance}"
    told = [json.loads(urllib.request.urlopen(f"{url}/latest/meta-data/iam/security-credentials/web", timeout=HANG_S).read()) for _ in range(5)]
    record = log.one(before)
    assert record["face"] == "metadata" and record["session"] == f"web/{instance}", record
    assert {t["AccessKeyId"] for t in told} == {record["as"].removeprefix("access-key:")}, record

    # a console's link, and the console
    server = next(s["id"] for s in servers if s["OS-EXT-SRV-ATTR:user_data"])
    before = log.end()
    console = own.ok("POST", f"{COMPUTE}/servers/{server}/remote-consoles", {"remote_console": {"protocol": "serial", "type": "serial"}},
                     version="compute 2.6")["remote_console"]["url"]
    assert log.one(before)["action"] == "os_compute_api:os-remote-consoles"
    ticket = re.search("token=([^&]+)", console)[1]
    before = log.end()
    websocket.create_connection(f"ws://127.0.0.1:{region.port}/console/websocket?token={ticket}", timeout=HANG_S).close()
    record = log.one(before)
    assert (record["action"], record["outcome"], record["id"], record["user_name"]) == ("console:open", "ok", server.replace("-", ""), "dev"), record
    text = json.dumps(log.read())
    assert ticket not in text and "hush-hush" not in text and told[0]["SecretAccessKey"] not in text and told[0]["Token"] not in text


# ---- strangers

def test_wrong_passwords_are_counted(region, log, admin):
    before, wrong = log.end(), json.loads(json.dumps(admin.auth).replace(admin.password, "a-wrong-guess"))
    wrong["auth"]["identity"]["password"]["user"]["name"] = "guessed"
    for _ in range(30):
        assert admin.call("POST", f"{IDENTITY}/auth/tokens", wrong, headers={"X-Auth-Token": ""}).status == 401
    found = log.read("--after", str(before))
    assert 1 <= len(found) <= 3, found  # the first at once; the count of the others after a minute
    assert found[0]["outcome"] == "UNAUTHENTICATED" and found[0]["code"] == "401" and found[0]["user_name"] == ""
    assert "user_name=guessed" in found[0]["subject"] and "a-wrong-guess" not in json.dumps(found)


# ---- the command, and the chain; last: the final check

def test_the_command_chooses(log):
    everything = log.read()
    assert [r["seq"] for r in everything] == list(range(1, len(everything) + 1))
    assert [r["seq"] for r in log.read("--outcome", "DENIED")] == [r["seq"] for r in everything if r["outcome"] == "DENIED"]
    assert [r["seq"] for r in log.read("--action", "access_key.create")] == [r["seq"] for r in everything if r["permission"] == "access_key.create"]
    assert {r["user_name"] for r in log.read("--user", "shop")} == {"shop"}
    middle = everything[len(everything) // 2]
    since, until = log.read("--since", middle["time"]), log.read("--until", middle["time"])
    assert len(since) + len(until) == len(everything) and since and until
    lines = subprocess.run([ec2.DARI, "--config", log.region.config, "log", "audit", "--format", "json"], check=True, capture_output=True,
                           text=True).stdout.splitlines()
    assert [json.loads(line) for line in lines] == everything
    refused = subprocess.run([ec2.DARI, "--config", log.region.config, "log", "audit", "--since", "soon"], capture_output=True, text=True, check=False)
    assert refused.returncode == 1 and "--since wants a time" in refused.stderr


def test_following_shows_what_comes(region, log):
    argv = [ec2.DARI, "--config", region.config, "log", "audit", "--json", "--follow", "--after", str(log.end())]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        try:
            region.command("env", "shop")
            assert json.loads(process.stdout.readline())["action"] == "dari:env"
        finally:
            process.terminate()


def test_pieces_join(region, log):
    """More records than fit into one piece."""
    client = region.account
    while log.end() < 2100:
        client.call_all([("GetSessionToken", {}, "POST", VERSIONS["sts"], "sts")] * 300)
    found = log.read()
    assert [r["seq"] for r in found] == list(range(1, len(found) + 1)) and len(found) > 2000


def test_anybody_can_follow_the_chain(log):
    """Verifies the chain from the export alone, as docs/operations.md describes."""
    before = "0" * 64
    for record in log.read():
        texts = [text for name, text in record.items() if name not in ("seq", "at_us", "time", "count", "digest")]
        hashed = f"dari audit 1\n{before}\n{record['seq']} {record['at_us']} {record['count']}\n".encode()
        hashed += b"".join(b"%d:%s\n" % (len(text.encode()), text.encode()) for text in texts)
        before = hashlib.sha256(hashed).hexdigest()
        assert record["digest"] == before, record


def verify(region, *argv):
    done = subprocess.run([ec2.DARI, "--config", region.config, "log", "audit", "--verify", *argv], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def dari(region, *argv):
    done = subprocess.run([ec2.DARI, "--config", region.config, *argv], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_an_archive_and_the_log_are_one_chain(region, log, data):
    """Records are moved into a file; the remaining log can be verified alone or after the file; an altered line is found."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    older, newer = f"{data}/older.json", f"{data}/newer.json"
    before = log.read()
    status, words = dari(region, "log", "archive", "--before", now, "--archive", older)
    assert status == 0 and "Keep the file" in words, words
    lines = [json.loads(line) for line in open(older, encoding="utf-8")]
    assert lines and lines == before[:len(lines)] and os.stat(older).st_mode & 0o777 == 0o600
    assert log.read()[0]["seq"] == len(lines) + 1
    status, words = verify(region)
    assert status == 0 and f"records up to {len(lines)} are archived" in words
    status, words = verify(region, "--archive", older, "--digest", lines[0]["digest"])
    assert status == 0 and "archived" not in words, words
    assert dari(region, "log", "archive", "--before", now, "--archive", older)[0] != 0  # the file exists
    assert dari(region, "log", "archive", "--before", "2999-01-01", "--archive", newer)[0] != 0
    with open(older, encoding="utf-8") as file:
        text = file.read()
    with open(newer, "w", encoding="utf-8") as file:
        file.write(text.replace('"outcome":"ok"', '"outcome":"no"', 1))
    assert verify(region, "--archive", newer)[0] == 1
    with sqlite3.connect(f"{data}/dari.db", timeout=HANG_S) as db:
        with pytest.raises(sqlite3.IntegrityError, match="the audit log is only added to"):
            db.execute("DELETE FROM audit")
        with pytest.raises(sqlite3.IntegrityError, match="the audit log is only added to"):
            db.execute("DELETE FROM audit_segment")
    db.close()


def test_an_archive_of_objects(region, log, data):
    """A store of objects takes the place of the file; copies of its objects, in the order of their names, prove the chain."""
    time.sleep(1.1)  # the records of this second are too new for --before
    before = log.read()
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    status, words = dari(region, "log", "archive", "--before", now, "--archive", f"file://{data}/objects")
    assert status == 0 and "Keep the objects" in words, words
    names = sorted(os.listdir(f"{data}/objects"))
    assert names and all(re.fullmatch(r"audit-\d{12}-\d{12}-[0-9a-f]{16}\.json", n) for n in names), names
    lines = [json.loads(line) for n in names for line in open(f"{data}/objects/{n}", encoding="utf-8")]
    assert lines == before[:len(lines)]
    words = verify(region, *[arg for n in ["older.json", *(f"objects/{n}" for n in names)] for arg in ("--archive", f"{data}/{n}")])
    assert words[0] == 0 and "archived" not in words[1], words
    status, words = dari(region, "log", "archive", "--before", now, "--archive", "ftp://nowhere/x")
    assert status != 0 and "ftp" in words, words


def test_a_jobs_result_with_a_key_is_recorded(region, log):
    """CloudStack's job shows the pre-shared key again, and the result of another job none."""
    made = cloudstack.call(region, "createVpnCustomerGateway", name="kept", gateway="192.0.2.77", cidrlist="10.99.0.0/24", ipsecpsk="kept.key",
                           ikepolicy="aes256-sha256;modp2048", esppolicy="aes128-sha256")[1]
    cloudstack.finish(region, made)
    for command, arguments, recorded in (("queryAsyncJobResult", {"jobid": made["jobid"]}, True), ("listAsyncJobs", {}, True), ("listZones", {}, False)):
        before = log.end()
        shown = cloudstack.call(region, command, **arguments)[1]
        records = log.read("--after", str(before))
        assert ("kept.key" in json.dumps(shown)) == recorded and len(records) == recorded, f"{command}: {records}"
    job = cloudstack.call(region, "createTags", resourceids=made["id"], resourcetype="VpnCustomerGateway", **{"tags[0].key": "a", "tags[0].value": "b"})[1]
    if "jobid" in job:
        cloudstack.wait(region, job)
        before = log.end()
        cloudstack.call(region, "queryAsyncJobResult", jobid=job["jobid"])
        assert log.read("--after", str(before)) == []


def test_old_events_go_into_a_file(region, data):
    now, path = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), f"{data}/events.json"
    status, words = dari(region, "store", "prune", "--before", now, "--archive", path)
    events = [json.loads(line) for line in open(path, encoding="utf-8")]
    assert status == 0 and events and f"{len(events)} events were deleted" in words, words
    assert [e["seq"] for e in events] == sorted(e["seq"] for e in events) and all(e["kind"] and e["action"] for e in events)
    status, words = dari(region, "store", "prune", "--before", now)
    assert status == 0 and re.match("[01] events were deleted", words), words  # the last event stays


def test_the_chain_holds_until_somebody_changes_it(region, log, data):
    status, words = verify(region)
    assert status == 0 and "each as it was written" in words
    digest = re.search("[0-9a-f]{64}", words)[0]
    assert verify(region, "--digest", digest)[0] == 0
    assert verify(region, "--digest", "0" * 64)[0] == 1
    with sqlite3.connect(f"{data}/dari.db", timeout=HANG_S) as db:
        for deed in ("DELETE FROM audit", "UPDATE audit SET outcome = 'ok'"):
            with pytest.raises(sqlite3.IntegrityError, match="the audit log is only added to"):
                db.execute(deed)
        db.execute("DROP TRIGGER audit_stays")
        first = db.execute("SELECT min(seq) FROM audit").fetchone()[0]
        db.execute("UPDATE audit SET user_name = 'eve' WHERE seq = ?", (first + 1,))
    db.close()
    status, words = verify(region)
    assert status == 1 and words.startswith(f"record {first + 1} is not the one that was written behind record {first}")


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", __file__, *sys.argv[1:]]))

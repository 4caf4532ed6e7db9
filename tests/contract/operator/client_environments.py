#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/daemon/environment src/daemon/dev.c web/console/environment.js web/console/pages/connect.js docs/clients.md
"""Environments of stock clients: the output of `dari account rc`, `dari env` and `dari dev` is what each client's own reader needs, and does not
confuse other clients."""
import json
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
import dev as ec2  # noqa: E402
from regions import dev  # noqa: E402, F401 (fixtures)

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../..")
PREFIXES = ("OS_", "AWS_", "CLOUDSTACK_", "AZURE_", "REQUESTS_")
SDK = "import openstack, json; c = openstack.connect(); print(c.current_project_id); list(c.compute.servers())"
# boto3 from 1.31 on reads the endpoint variable itself; for Debian 12's the test passes the variable's value
BOTO = """import boto3, os
s = boto3.Session()
where = os.environ.get("AWS_ENDPOINT_URL") or s._session.get_scoped_config()["endpoint_url"]
print(s.client("sts", endpoint_url=where).get_caller_identity()["Account"])
s.client("ec2", endpoint_url=where).describe_vpcs()"""
CS = "import cs, json; print(len(cs.CloudStack(**{k: v for k, v in cs.read_config().items() if k in ('endpoint', 'key', 'secret', 'verify')}).listZones()['zone']))"


def bare():
    """This process's environment without any client's variables."""
    return {k: v for k, v in os.environ.items() if not k.startswith(PREFIXES)}


def told(dev, *argv):
    """Output of a dari command."""
    return subprocess.run([ec2.DARI, "--config", dev.config, *argv], check=True, capture_output=True, text=True).stdout


def python(text, env):
    done = subprocess.run(["/usr/bin/python3", "-c", text], env={**bare(), **env}, capture_output=True, text=True)
    assert done.returncode == 0, f"{env}: {done.stderr[-2000:]}"
    return done.stdout.strip()


def after(lines, before=None):
    """The environment of a shell that has evaluated the lines."""
    done = subprocess.run(["/bin/bash", "-c", 'eval "$1"; env', "-", lines], env={**bare(), **(before or {})}, capture_output=True, text=True, check=True)
    return {k: v for k, v in (line.split("=", 1) for line in done.stdout.splitlines() if "=" in line) if k.startswith(PREFIXES)}


def gophercloud_needs(env):
    """The variable without which AuthOptionsFromEnv() of gophercloud v2, or Authenticate() after it, fails; "": none."""
    def has(*names):
        return any(env.get(n) for n in names)
    by_credential = has("OS_APPLICATION_CREDENTIAL_ID", "OS_APPLICATION_CREDENTIAL_NAME")
    if not has("OS_AUTH_URL"):
        return "OS_AUTH_URL"
    if not has("OS_USERNAME", "OS_USERID") and not by_credential:
        return "OS_USERNAME"
    if not has("OS_PASSWORD", "OS_PASSCODE") and not by_credential:
        return "OS_PASSWORD"
    if by_credential and not has("OS_APPLICATION_CREDENTIAL_SECRET"):
        return "OS_APPLICATION_CREDENTIAL_SECRET"
    if not has("OS_DOMAIN_ID", "OS_DOMAIN_NAME", "OS_PROJECT_ID", "OS_TENANT_ID") and has("OS_PROJECT_NAME", "OS_TENANT_NAME"):
        return "OS_PROJECT_ID"
    if has("OS_USERNAME") and not has("OS_DOMAIN_ID", "OS_DOMAIN_NAME") and not by_credential:
        return "OS_DOMAIN_NAME"
    return ""


@pytest.fixture(scope="module")
def rc(dev, tmp_path_factory):
    """Output of the command, and the directory that it writes."""
    directory = tmp_path_factory.mktemp("rc") / "rc"
    text = told(dev, "account", "rc", "dev", "--directory", str(directory))
    return text, directory


def only(env, *prefixes):
    return {k: v for k, v in env.items() if k.startswith(prefixes)}


def test_account_rc(dev, rc):
    """With only the variables, with only the files, and in a shell that has another account's password variables."""
    text, directory = rc
    env, own = after(text), cloud.own(dev)
    alone = only(env, *PREFIXES)
    for name in ("OS_CLOUD", "OS_CLIENT_CONFIG_FILE", "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE", "CLOUDSTACK_CONFIG", "CLOUDSTACK_REGION"):
        alone.pop(name)
    files = {"OS_CLIENT_CONFIG_FILE": f"{directory}/clouds.yaml", "OS_CLOUD": "dev"}
    for each in (only(alone, "OS_"), files, only(env, "OS_")):
        assert python(SDK, each) == own.id, each
    assert gophercloud_needs(alone) == "" and not [k for k in alone if "PROJECT" in k or "DOMAIN" in k]
    before = {"OS_PROJECT_NAME": "admin", "OS_USERNAME": "admin", "OS_PASSWORD": "x", "OS_DOMAIN_NAME": "Default", "OS_USER_DOMAIN_NAME": "Default"}
    assert only(after(text, before), "OS_") == only(env, "OS_")
    account = python(BOTO, {"AWS_PROFILE": "dev", "AWS_SHARED_CREDENTIALS_FILE": f"{directory}/credentials"})
    assert account == python(BOTO, only(alone, "AWS_")) == python(BOTO, only(env, "AWS_")) and len(account) == 12
    assert python(CS, {"CLOUDSTACK_CONFIG": f"{directory}/cloudstack.ini", "CLOUDSTACK_REGION": "dev"}) == python(CS, only(alone, "CLOUDSTACK_")) == "2"
    core, mark, profile = (directory / "cmk.ini").read_text().partition("[dev]\n")  # cmk looks for the profile's name before the first section
    assert mark and "[" not in core and re.search(r"^profile = dev$", core, re.M) and f"apikey = {alone['CLOUDSTACK_KEY']}" in profile
    assert alone["AZURE_SUBSCRIPTION_ID"].replace("-", "") == own.id and alone["AZURE_CLIENT_ID"] == alone["AWS_ACCESS_KEY_ID"]
    assert all((directory / name).stat().st_mode & 0o777 == 0o600 for name in ("clouds.yaml", "credentials", "cloudstack.ini", "cmk.ini"))


def test_dev(dev):
    """With the password that `dari dev` prints; with OS_PROJECT_ID, and with names only."""
    env = dict(re.findall(r"^export (\w+)=(\S*)", dev.banner, re.MULTILINE))
    own = cloud.own(dev)
    assert env["OS_PROJECT_ID"] == own.id and gophercloud_needs(only(env, "OS_")) == ""
    assert python(SDK, only(env, "OS_")) == own.id
    assert len(python(BOTO, only(env, "AWS_"))) == 12 and env["AWS_REGION"] == env["AWS_DEFAULT_REGION"]
    done = subprocess.run([cloud.OPENSTACK, "token", "issue", "-f", "value", "-c", "project_id"], env={**bare(), **only(env, "OS_")}, capture_output=True, text=True)
    assert done.stdout.strip() == own.id, done.stderr
    assert python(CS, only(env, "CLOUDSTACK_")) == "2"
    assert only(after(told(dev, "env", "dev")), "AWS_").items() >= {k: env[k] for k in ("AWS_REGION", "AWS_ENDPOINT_URL")}.items()


def test_dev_with_tls():
    """Each client verifies the region's certificate by its own variable. tests/clients/azure-mgmt uses Azure's variables: Debian's azure-identity is too
    old for an authority of one's own."""
    with ec2.Dev("--tls") as dev:
        env = after("\n".join(line for line in dev.banner.splitlines() if line.startswith("export ")))
        own = cloud.own(dev)
        assert python(SDK, only(env, "OS_")) == own.id and python(CS, only(env, "CLOUDSTACK_")) == "2" and len(python(BOTO, only(env, "AWS_"))) == 12
        assert env["AZURE_SUBSCRIPTION_ID"].replace("-", "") == own.id and env["AZURE_CLIENT_ID"] == env["AWS_ACCESS_KEY_ID"]
        assert env["AZURE_AUTHORITY_HOST"] == dev.url and env["REQUESTS_CA_BUNDLE"] == env["OS_CACERT"]


def test_one_list(rc):
    """The console, the commands and docs/clients.md have the same variables."""
    with open(os.path.join(ROOT, "web/console/environment.js"), encoding="utf-8") as file:
        text = file.read()
    lists = json.loads(re.search(r"ENVIRONMENT = (\{.*?\n\});", text, re.S)[1])
    with open(os.path.join(ROOT, "docs/clients.md"), encoding="utf-8") as file:
        page = file.read()
    names = {line.split("=")[0] for lines in lists.values() for line in lines}
    assert not [n for n in names if not re.search(rf"\b{n}\b", page)]
    printed = set(after(rc[0]))
    for client in ("aws", "openstack-credential", "cloudstack", "azure"):
        wanted = {line.split("=")[0] for line in lists[client] if "{ca}" not in line}
        assert wanted <= printed, client
    with open(os.path.join(ROOT, "web/console/pages/connect.js"), encoding="utf-8") as file:
        shown = re.findall(r'exports\("([\w-]+)"', file.read())
    assert sorted(shown) == ["aws", "azure", "cloudstack", "openstack"]


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

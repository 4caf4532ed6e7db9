# SPDX-License-Identifier: Apache-2.0
"""Tempest with the plug-ins of neutron, cinder, keystone and octavia, with an operator's plain configuration and without guests.

    tour.py [REGEX…]    those tests alone

A step is a test that went otherwise than the file `failing` says, or a class that could not be set up or cleaned up. All others of a plug-in are one
step together."""
import configparser
import json
import os
import re
import ssl
import subprocess
import sys
import urllib.request

import subunit
import testtools
from steps import CA_FILE, ENDPOINT, tell

SITE = os.path.dirname(os.path.dirname(testtools.__file__))
TLS = ssl.create_default_context(cafile=CA_FILE)
PLUGINS = {"neutron": r"^neutron_tempest_plugin\.(api|vpnaas\.api)\.", "cinder": r"^cinder_tempest_plugin\.(api|rbac)\.", "keystone": r"^keystone_tempest_plugin\.tests\.(api|rbac)\.",
           "octavia": r"^octavia_tempest_plugin\.tests\.api\."}
PROVIDERS = ",".join(["dari:HAProxy on a gateway machine of the region.", *(f"{name}:Another name of the provider dari." for name in ("amphora", "octavia"))])
PARALLEL = 1
LIMIT_S = "600"  # of one test


def ask(method, path, token=None, body=None, kind="application/json"):
    headers = {"Content-Type": kind, **({"X-Auth-Token": token} if token else {})}
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(ENDPOINT + path, data, headers, method=method), context=TLS) as answer:
        text = answer.read()
        return answer.headers, json.loads(text) if text else None


def sign_in():
    domain = {"id": "default"}
    user = {"name": "admin", "domain": domain, "password": os.environ["ADMIN_PASSWORD"]}
    scope = {"project": {"name": "admin", "domain": domain}}
    return ask("POST", "/identity/v3/auth/tokens", body={"auth": {"scope": scope, "identity": {"methods": ["password"], "password": {"user": user}}}})[0]["X-Subject-Token"]


def make_image(token, name):
    image = ask("POST", "/image/v2/images", token, {"name": name, "container_format": "bare", "disk_format": "raw", "visibility": "public"})[1]["id"]
    ask("PUT", f"/image/v2/images/{image}/file", token, bytes(4096), "application/octet-stream")
    return image


def settings(token):
    """tempest.conf as an operator writes it: where the cloud is, its administrator, and which of its parts it has."""
    outside = ask("GET", "/network/v2.0/networks?router:external=true", token)[1]["networks"][0]
    extensions = ",".join(row["alias"] for row in ask("GET", "/network/v2.0/extensions", token)[1]["extensions"])
    return {
        "DEFAULT": {"log_dir": os.getcwd(), "log_file": "tempest.log"},
        "oslo_concurrency": {"lock_path": os.getcwd()},
        "auth": {"use_dynamic_credentials": True, "create_isolated_networks": True, "admin_username": "admin", "admin_password": os.environ["ADMIN_PASSWORD"],
                 "admin_project_name": "admin", "admin_domain_name": "Default", "tempest_roles": "member"},
        "identity": {"uri_v3": f"{ENDPOINT}/identity/v3", "auth_version": "v3", "region": os.environ["OS_REGION_NAME"], "v3_endpoint_type": "public",
                     "ca_certificates_file": CA_FILE},
        "identity-feature-enabled": {"trust": True, "access_rules": True, "application_credentials": True, "project_tags": True},
        "compute": {"image_ref": make_image(token, "tempest"), "image_ref_alt": make_image(token, "tempest-other"), "flavor_ref": "t3.micro",
                    "flavor_ref_alt": "t3.small"},
        "image": {"disk_formats": "raw", "container_formats": "bare"},
        # another project's balancer is not found here, where Octavia's answer is 403, so checks of that kind are off
        "load_balancer": {"provider": "dari", "enabled_provider_drivers": PROVIDERS, "RBAC_test_type": "none", "admin_role": "admin", "member_role": "member",
                          "observer_role": "reader", "global_observer_role": "reader", "test_with_ipv6": False, "check_interval": 0.2,
                          "lb_build_interval": 0.2, "build_interval": 0.2},
        "network": {"public_network_id": outside["id"], "floating_network_name": outside["name"], "project_network_cidr": "10.100.0.0/16"},
        "network-feature-enabled": {"api_extensions": extensions},
        "neutron_plugin_options": {"provider_vlans": ""},
        "service_available": {"cinder": True, "neutron": True, "glance": True, "nova": True, "load_balancer": True, "swift": False, "horizon": False},
        "validation": {"run_validation": False},
        "volume": {"storage_protocol": "file"},
        "volume-feature-enabled": {"backup": True, "snapshot": True, "clone": True, "extend_attached_volume": True},
    }


def write_settings(groups):
    config = configparser.RawConfigParser()
    config.optionxform = str  # some options have capitals
    for group, options in groups.items():
        if group != "DEFAULT":
            config.add_section(group)
        for option, value in options.items():
            config.set(group, option, str(value))
    with open("tempest.conf", "w", encoding="utf-8") as page:
        config.write(page)
    with open(".stestr.conf", "w", encoding="utf-8") as page:
        page.write(f"[DEFAULT]\ntest_path={SITE}/tempest/test_discover\ntop_dir={SITE}\ngroup_regex=([^\\.]*\\.)*\n")


def stestr(*argv):
    env = {**os.environ, "TEMPEST_CONFIG_DIR": os.getcwd(), "TEMPEST_CONFIG": "tempest.conf", "PYTHON": sys.executable, "OS_TEST_TIMEOUT": LIMIT_S,
           "OS_LOG_CAPTURE": "0", "PATH": f"{os.path.dirname(sys.executable)}:/usr/bin:/bin"}
    return subprocess.run([os.path.join(os.path.dirname(sys.executable), "stestr"), *argv], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)


def short(identifier):
    """A test's name without its tags; Class.setUpClass or Class.tearDownClass for what a class makes first and deletes last."""
    of_class = re.fullmatch(r"(setUpClass|tearDownClass) \((.*)\)", identifier)
    return f"{of_class[2]}.{of_class[1]}" if of_class else re.sub(r"\[.*\]", "", identifier)


def run(expression):
    """{name: (status, why)}"""
    results = {}
    with open("stream", "wb") as page:
        page.write(stestr("run", "--subunit", "--concurrency", str(PARALLEL), expression).stdout)

    def note(test):
        why = [detail.as_text() for name, detail in test["details"].items() if name.startswith(("traceback", "reason"))]
        if test["status"] in ("success", "fail", "skip"):
            results[short(test["id"])] = test["status"], " ".join(why)

    result = testtools.StreamToDict(note)
    result.startTestRun()
    with open("stream", "rb") as page:
        subunit.ByteStreamToStreamResult(page).run(result)
    result.stopTestRun()
    return results


def failing():
    """[(regular expression, why)]"""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "failing"), encoding="utf-8") as page:
        return [tuple(line.rstrip().split("  ", 1)) for line in page if line.strip() and not line.startswith("#")]


def judge(test, status, why, known):
    """Tells a test that went otherwise than it should. True: it failed as `failing` says."""
    listed = any(re.fullmatch(expression, test) for expression, _ in known)
    if status == "fail" and not listed:
        tell(test, why.strip()[-400:])
    elif status == "success" and listed:
        tell(test, "passes, and the file failing lists it")
    return status == "fail" and listed


def main():
    known = failing()
    write_settings(settings(sign_in()))
    stestr("init")
    for name, expression in {"chosen": "|".join(sys.argv[1:])}.items() if sys.argv[1:] else PLUGINS.items():
        results = run(expression)
        counts = {status: sum(1 for found, _ in results.values() if found == status) for status in ("success", "fail", "skip")}
        as_listed = sum(judge(test, status, why, known) for test, (status, why) in sorted(results.items()))
        print(f"{name}: {counts['success']} passed, {counts['fail']} failed of which {as_listed} are listed, {counts['skip']} skipped", flush=True)
        tell(f"{name}: tests ran", None if results else "none ran")
    tell("end of tour")


main()

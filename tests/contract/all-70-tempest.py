#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Tempest, OpenStack's own tests of a cloud, as Debian ships it: a fixed selection of it against `dari dev`.

    tests/contract/all-70-tempest.py [REGEX...]     those of the selection whose names the expressions find

tempest.selection says which tests are meant and which are not, and why; tempest.failing, which of those meant fail, and why.
A test that fails and is not in that list fails here; so does one that is and passes: the list can only become shorter. What
Tempest itself would skip has to be left out by name. Guests are simulated: nothing is asked of one by ssh."""
# limit: 5400 s
# takes: 1400 s
import collections
import configparser
import http.server
import os
import re
import subprocess
import sys
import tempfile
import threading

import subunit
import testtools

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import cloud  # noqa: E402
from dev import ROOT, WEB_ADDRESS, Dev, end_with_parent  # noqa: E402

FOLDER = os.path.join(ROOT, "tests/contract")
PACKAGES = "/usr/lib/python3/dist-packages"
PARALLEL = 2
TOLD = 30  # lines of a failure
CALLS_TOLD = 3


def rules(name):
    """[(regular expression, why)] of a file of lines "REGEX  why"."""
    found = []
    with open(os.path.join(FOLDER, name), encoding="utf-8") as page:
        for line in page:
            words = re.split(r"\s{2,}", line.strip(), maxsplit=1)
            if words[0] and not words[0].startswith("#"):
                found.append((re.compile(words[0]), words[1] if len(words) > 1 else ""))
    return found


def rule_for(name, among):
    return next((rule for rule in among if rule[0].fullmatch(name)), None)


def short(identifier):
    """A test's name without its tags; that of a class for what is made before its first test."""
    before = re.fullmatch(r"(setUpClass) \((.*)\)", identifier)
    return f"{before[2]}.{before[1]}" if before else re.sub(r"\[.*\]", "", identifier)


# ---- what Tempest is told of the region

def make_image(admin, name):
    """One that Tempest may boot from: it has to be there and small."""
    image = admin.ok("POST", "/image/v2/images", {"name": name, "container_format": "bare", "disk_format": "raw",
                                                  "visibility": "public"})["id"]
    data = {"Content-Type": "application/octet-stream"}
    assert admin.call("PUT", f"/image/v2/images/{image}/file", raw=bytes(4096), headers=data).status == 204
    return image


class Disk(http.server.BaseHTTPRequestHandler):
    """A raw disk, at whichever path, for imports from the web."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "4096")
        self.end_headers()
        self.wfile.write(bytes(4096))

    def log_message(self, *_):
        pass


def serve_disk():
    """Its URL, where the region may fetch from."""
    web = http.server.ThreadingHTTPServer((WEB_ADDRESS, 0), Disk)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    return f"http://{WEB_ADDRESS}:{web.server_port}/disk.raw"


def settings(dev, folder):
    """tempest.conf: its groups and their options."""
    admin = cloud.admin(dev)
    outside = admin.ok("GET", "/network/v2.0/networks?name=internet")["networks"][0]["id"]
    extensions = admin.ok("GET", "/network/v2.0/extensions")["extensions"]
    images = [make_image(admin, name) for name in ("tempest", "tempest-other")]
    return {
        "DEFAULT": {"log_dir": folder, "log_file": "tempest.log"},
        "oslo_concurrency": {"lock_path": folder},
        "auth": {"use_dynamic_credentials": True, "create_isolated_networks": True, "admin_username": admin.user,
                 "admin_password": admin.password, "admin_project_name": admin.name, "admin_domain_name": "Default",
                 "tempest_roles": "member"},
        "identity": {"uri_v3": f"{dev.url}/identity/v3", "auth_version": "v3", "region": "us-east-1",
                     "v3_endpoint_type": "public"},
        "identity-feature-enabled": {"trust": False, "api_v2": False, "api_v2_admin": False, "access_rules": False,
                                     "application_credentials": True, "project_tags": True},
        "compute": {"image_ref": images[0], "image_ref_alt": images[1], "flavor_ref": "t3.micro", "flavor_ref_alt": "t3.small",
                    "max_microversion": cloud.LATEST["compute"], "min_compute_nodes": 4, "build_interval": 0,
                    "build_timeout": 30, "compute_volume_common_az": "us-east-1a"},
        "compute-feature-enabled": {"resize": True, "config_drive": True, "vnc_console": True, "serial_console": False,
                                    "shelve": True, "rescue": True, "change_password": False, "live_migration": False,
                                    "cold_migration": False, "metadata_service": True, "attach_encrypted_volume": False,
                                    "enable_instance_password": True, "ide_bus": False, "xenapi_apis": True,
                                    "scheduler_enabled_filters": "SameHostFilter,DifferentHostFilter,"
                                    "ServerGroupAffinityFilter,ServerGroupAntiAffinityFilter"},
        "image": {"http_image": serve_disk(), "disk_formats": "raw", "container_formats": "bare", "build_interval": 0,
                  "build_timeout": 30},
        "image-feature-enabled": {"api_v2": True, "import_image": True, "os_glance_reserved": True},
        "network": {"public_network_id": outside, "floating_network_name": "internet", "build_interval": 0, "build_timeout": 30},
        "network-feature-enabled": {"ipv6": True, "ipv6_subnet_attributes": True, "port_security": True,
                                    "floating_ips": True,
                                    "api_extensions": ",".join(e["alias"] for e in extensions)},
        "placement": {"max_microversion": cloud.LATEST["placement"]},
        "scenario": {},
        "service_available": {"cinder": True, "neutron": True, "glance": True, "nova": True, "swift": False, "horizon": False},
        "validation": {"run_validation": False},
        "volume": {"max_microversion": cloud.LATEST["volume"], "build_interval": 0, "build_timeout": 30},
        "volume-feature-enabled": {"backup": False, "snapshot": True, "clone": True, "extend_attached_volume": True},
    }


def write_settings(dev, folder):
    config = configparser.RawConfigParser()
    for group, options in settings(dev, folder).items():
        if group != "DEFAULT":
            config.add_section(group)
        for option, value in options.items():
            config.set(group, option, str(value))
    with open(os.path.join(folder, "tempest.conf"), "w", encoding="utf-8") as page:
        config.write(page)
    with open(os.path.join(folder, ".stestr.conf"), "w", encoding="utf-8") as page:
        page.write(f"[DEFAULT]\ntest_path={PACKAGES}/tempest/test_discover\ntop_dir={PACKAGES}\ngroup_regex=([^\\.]*\\.)*\n")


# ---- running it

def stestr(folder, *argv):
    env = dict(os.environ, TEMPEST_CONFIG_DIR=folder, TEMPEST_CONFIG="tempest.conf", PYTHON="/usr/bin/python3",
               PATH="/usr/sbin:/usr/bin:/sbin:/bin", OS_TEST_TIMEOUT="300", OS_LOG_CAPTURE="0")
    done = subprocess.run(["/usr/bin/python3", "/usr/bin/stestr", *argv], cwd=folder, env=env, capture_output=True, check=False,
                          preexec_fn=end_with_parent)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def selected(folder, chosen):
    """Identifiers of the tests that the selection means."""
    meant, left_out = [], []
    for rule in rules("tempest.selection"):
        (left_out if rule[0].pattern.startswith("-") else meant).append(rule)
    left_out = [(re.compile(rule.pattern[1:]), why) for rule, why in left_out]
    every = [line for line in stestr(folder, "list").decode().split() if line.startswith("tempest.")]
    for rule, _ in meant + left_out:
        assert any(rule.fullmatch(short(test)) for test in every), f"tempest.selection: Tempest has no {rule.pattern}"
    return [test for test in every if rule_for(short(test), meant) and not rule_for(short(test), left_out)
            and (not chosen or any(re.search(regex, test) for regex in chosen))]


def calls_of(folder):
    """{"(Class:method)": the last of its calls}; from the log: with a result, those of one that waits are too much for stestr."""
    calls = collections.defaultdict(lambda: collections.deque(maxlen=CALLS_TOLD))
    with open(os.path.join(folder, "tempest.log"), encoding="utf-8", errors="replace") as page:
        for found in re.finditer(r"Request (\(.*?\)).*", page.read()):
            calls[found[1]].append(found[0])
    return calls


def run(folder, tests):
    """{name: (status, what it said)}"""
    wanted, results = os.path.join(folder, "wanted"), {}
    with open(wanted, "w", encoding="utf-8") as page:
        page.write("".join(f"{test}\n" for test in tests))
    stream = os.path.join(folder, "stream")
    with open(stream, "wb") as page:
        page.write(stestr(folder, "run", "--subunit", "--concurrency", str(PARALLEL), "--load-list", wanted))
    calls = calls_of(folder)

    def note(test):
        said = {name: detail.as_text() for name, detail in test["details"].items()}
        why = "\n".join(text for name, text in said.items() if name.startswith(("traceback", "reason")))
        name = ":".join(short(test["id"]).rsplit(".", 2)[1:])
        ended = test["status"] in ("success", "fail", "skip")  # not those that are only said to be there
        # Last of all Tempest deletes its project, without waiting for what is still going in it: refused here, not there.
        if ended and not test["id"].startswith("tearDownClass"):
            results[short(test["id"])] = test["status"], "\n".join([why.strip(), *calls.get(f"({name})", ())])

    result = testtools.StreamToDict(note)
    result.startTestRun()
    with open(stream, "rb") as page:
        subunit.ByteStreamToStreamResult(page).run(result)
    result.stopTestRun()
    return results


def judge(results, failing):
    """(what went as it should, [(name, what is wrong)])"""
    passed, wrong = 0, []
    for name, (status, said) in sorted(results.items()):
        known = rule_for(name, failing)
        if status == "skip":
            wrong.append((name, f"Tempest skips it, and the selection does not say so: {said.strip()}"))
        elif status == "success" and known:
            wrong.append((name, f"passes, and tempest.failing says that it does not: {known[1]}"))
        elif status == "success" or known:
            passed += status == "success"
        else:
            wrong.append((name, "\n".join(said.strip().splitlines()[-TOLD:])))
    return passed, wrong


def missing(tests, results):
    """Those that did not run although their class could be set up."""
    return [name for name in map(short, tests) if name not in results and f"{name.rpartition('.')[0]}.setUpClass" not in results]


def main():
    failing = rules("tempest.failing")
    chosen = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="dari-tempest-") as folder, Dev() as dev:
        write_settings(dev, folder)
        stestr(folder, "init")
        tests = selected(folder, chosen)
        results = run(folder, tests)
        passed, wrong = judge(results, failing)
        wrong += [(name, "did not run") for name in missing(tests, results)]
        wrong += [(rule.pattern, "stands in tempest.failing and did not fail") for rule, _ in failing
                  if not chosen and not any(rule.fullmatch(name) for name in results)]
    known = sum(1 for name, (status, _) in results.items() if status == "fail" and rule_for(name, failing))
    for name, why in wrong:
        print(f"not ok {name}\n" + "".join(f"    {line}\n" for line in why.splitlines()))
    print(f"{known} fail as tempest.failing says")
    print(f"{passed} passed, {len(wrong)} failed")
    sys.exit(bool(wrong or not tests))


if __name__ == "__main__":
    main()

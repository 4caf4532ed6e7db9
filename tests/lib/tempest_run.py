# SPDX-License-Identifier: Apache-2.0
"""Runs Debian's Tempest, OpenStack's own tests of a cloud: selects its tests by files of rules beside the script, and judges the results."""
import collections
import configparser
import os
import re
import shutil
import subprocess

import subunit
import testtools

import cloud
from dev import ROOT, end_with_parent

PACKAGES = "/usr/lib/python3/dist-packages"
TOLD = 30  # lines printed of a failure
CALLS_TOLD = 3


def rules(path):
    """[(regular expression, reason)] from a file of lines "REGEX  reason"; empty without a file."""
    found = []
    if not os.path.exists(path):
        return found
    with open(path, encoding="utf-8") as page:
        for line in page:
            words = re.split(r"\s{2,}", line.strip(), maxsplit=1)
            if words[0] and not words[0].startswith("#"):
                found.append((re.compile(words[0]), words[1] if len(words) > 1 else ""))
    return found


def rule_for(name, among):
    return next((rule for rule in among if rule[0].fullmatch(name)), None)


def short(identifier):
    """A test's name without its tags; Class.setUpClass or Class.tearDownClass for the fixtures of a class."""
    of_class = re.fullmatch(r"(setUpClass|tearDownClass) \((.*)\)", identifier)
    return f"{of_class[2]}.{of_class[1]}" if of_class else re.sub(r"\[.*\]", "", identifier)


def settings(admin, url, folder, images, limit_s):
    """tempest.conf for a region: groups and options. admin: a cloud.Project; limit_s: time for a change to become visible."""
    outside = admin.ok("GET", "/network/v2.0/networks?name=internet")["networks"][0]["id"]
    extensions = admin.ok("GET", "/network/v2.0/extensions")["extensions"]
    return {
        "DEFAULT": {"log_dir": folder, "log_file": "tempest.log"},
        "oslo_concurrency": {"lock_path": folder},
        "auth": {"use_dynamic_credentials": True, "create_isolated_networks": True, "admin_username": admin.user,
                 "admin_password": admin.password, "admin_project_name": admin.name, "admin_domain_name": "Default",
                 "tempest_roles": "member"},
        "identity": {"uri_v3": f"{url}/identity/v3", "auth_version": "v3", "region": "us-east-1",
                     "v3_endpoint_type": "public"},
        "identity-feature-enabled": {"trust": True, "api_v2": False, "api_v2_admin": False, "access_rules": True,
                                     "application_credentials": True, "project_tags": True},
        "compute": {"image_ref": images[0], "image_ref_alt": images[1], "flavor_ref": "t3.micro", "flavor_ref_alt": "t3.small",
                    "max_microversion": cloud.LATEST["compute"], "min_compute_nodes": 4, "build_interval": 0,
                    "build_timeout": limit_s, "compute_volume_common_az": "us-east-1a"},
        "compute-feature-enabled": {"resize": True, "config_drive": True, "personality": True, "vnc_console": True, "serial_console": False,
                                    "shelve": True, "rescue": True, "change_password": False, "live_migration": True,
                                    "block_migration_for_live_migration": True, "volume_backed_live_migration": True,
                                    "block_migrate_cinder_iscsi": True,
                                    "cold_migration": True, "metadata_service": True, "attach_encrypted_volume": True, "swap_volume": True,
                                    "volume_multiattach": True, "enable_instance_password": True, "ide_bus": False, "xenapi_apis": True,
                                    "scheduler_enabled_filters": "SameHostFilter,DifferentHostFilter,"
                                    "ServerGroupAffinityFilter,ServerGroupAntiAffinityFilter"},
        "image": {"disk_formats": "raw", "container_formats": "bare", "build_interval": 0,
                  "build_timeout": limit_s},
        "image-feature-enabled": {"api_v2": True, "import_image": True, "os_glance_reserved": True},
        "network": {"public_network_id": outside, "floating_network_name": "internet", "build_interval": 0, "build_timeout": limit_s},
        "network-feature-enabled": {"ipv6": True, "ipv6_subnet_attributes": True, "port_security": True,
                                    "floating_ips": True,
                                    "api_extensions": ",".join(e["alias"] for e in extensions)},
        "placement": {"max_microversion": cloud.LATEST["placement"]},
        "scenario": {},
        "service_available": {"cinder": True, "neutron": True, "glance": True, "nova": True, "swift": False, "horizon": False},
        "validation": {"run_validation": False},
        "volume": {"storage_protocol": "file", "max_microversion": cloud.LATEST["volume"], "build_interval": 0, "build_timeout": limit_s},
        "volume-feature-enabled": {"backup": True, "snapshot": True, "clone": True, "extend_attached_volume": True,
                                   "extend_attached_encrypted_volume": True},
    }


def write_settings(folder, groups):
    config = configparser.RawConfigParser()
    for group, options in groups.items():
        if group != "DEFAULT":
            config.add_section(group)
        for option, value in options.items():
            config.set(group, option, str(value))
    with open(os.path.join(folder, "tempest.conf"), "w", encoding="utf-8") as page:
        config.write(page)
    with open(os.path.join(folder, ".stestr.conf"), "w", encoding="utf-8") as page:
        page.write(f"[DEFAULT]\ntest_path={PACKAGES}/tempest/test_discover\ntop_dir={PACKAGES}\ngroup_regex=([^\\.]*\\.)*\n")


# ---- running it

def stestr(folder, *argv, before=(), limit_s=300):
    """before: command to run it with; limit_s: limit of one test."""
    env = dict(os.environ, TEMPEST_CONFIG_DIR=folder, TEMPEST_CONFIG="tempest.conf", PYTHON="/usr/bin/python3",
               PATH="/usr/sbin:/usr/bin:/sbin:/bin", OS_TEST_TIMEOUT=str(limit_s), OS_LOG_CAPTURE="0")
    done = subprocess.run([*before, "/usr/bin/python3", "/usr/bin/stestr", *argv], cwd=folder, env=env, capture_output=True, check=False,
                          preexec_fn=end_with_parent)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def selected(folder, selection, chosen):
    """Identifiers of the selected tests."""
    meant, left_out = [], []
    for rule in rules(selection):
        (left_out if rule[0].pattern.startswith("-") else meant).append(rule)
    left_out = [(re.compile(rule.pattern[1:]), why) for rule, why in left_out]
    every = [line for line in stestr(folder, "list").decode().split() if line.startswith("tempest.")]
    for rule, _ in meant + left_out:
        assert any(rule.fullmatch(short(test)) for test in every), f"{selection}: Tempest has no {rule.pattern}"
    return [test for test in every if rule_for(short(test), meant) and not rule_for(short(test), left_out)
            and (not chosen or any(re.search(regex, test) for regex in chosen))]


def calls_of(folder):
    """{"(Class:method)": its last calls}, from the log: stestr cannot store all calls of a test that waits."""
    calls = collections.defaultdict(lambda: collections.deque(maxlen=CALLS_TOLD))
    with open(os.path.join(folder, "tempest.log"), encoding="utf-8", errors="replace") as page:
        for found in re.finditer(r"Request (\(.*?\)).*", page.read()):
            calls[found[1]].append(found[0])
    return calls


def run(folder, tests, parallel, **how):
    """{name: (status, output)}; how: arguments of stestr()."""
    wanted, results = os.path.join(folder, "wanted"), {}
    with open(wanted, "w", encoding="utf-8") as page:
        page.write("".join(f"{test}\n" for test in tests))
    stream = os.path.join(folder, "stream")
    with open(stream, "wb") as page:
        page.write(stestr(folder, "run", "--subunit", "--concurrency", str(parallel), "--load-list", wanted, **how))
    calls = calls_of(folder)

    def note(test):
        said = {name: detail.as_text() for name, detail in test["details"].items()}
        why = "\n".join(text for name, text in said.items() if name.startswith(("traceback", "reason")))
        name = ":".join(short(test["id"]).rsplit(".", 2)[1:])
        ended = test["status"] in ("success", "fail", "skip")  # ignores tests that were only enumerated
        if ended:
            results[short(test["id"])] = test["status"], "\n".join([why.strip(), *calls.get(f"({name})", ())])

    result = testtools.StreamToDict(note)
    result.startTestRun()
    with open(stream, "rb") as page:
        subunit.ByteStreamToStreamResult(page).run(result)
    result.stopTestRun()
    return results


def is_race(rule):
    """True for a rule of tempest.failing whose test may pass as well: its reason begins with "race: "."""
    return rule[1].startswith("race: ")


def judge(results, failing):
    """(number of expected results, [(name, complaint)])"""
    passed, wrong = 0, []
    for name, (status, said) in sorted(results.items()):
        known = rule_for(name, failing)
        if status == "skip":
            wrong.append((name, f"Tempest skips it, and the selection does not say so: {said.strip()}"))
        elif status == "success" and known and not is_race(known):
            wrong.append((name, f"passes, and tempest.failing says that it does not: {known[1]}"))
        elif status == "success" or known:
            passed += status == "success"
        else:
            wrong.append((name, "\n".join(said.strip().splitlines()[-TOLD:])))
    return passed, wrong


def missing(tests, results):
    """Tests that did not run although their class was set up."""
    return [name for name in map(short, tests) if name not in results and f"{name.rpartition('.')[0]}.setUpClass" not in results]


def run_selected(script, folder, groups, chosen, parallel=2, **how):
    """Runs the tests selected by tempest.selection beside the script, or the chosen ones, and prints results that contradict tempest.failing. Returns
    how many passed and how many failed. how: arguments of stestr()."""
    beside = os.path.dirname(os.path.abspath(script))
    selection, known = os.path.join(beside, "tempest.selection"), os.path.join(beside, "tempest.failing")
    failing = rules(known)
    write_settings(folder, groups)
    stestr(folder, "init")
    tests = selected(folder, selection, chosen)
    results = run(folder, tests, parallel, **how)
    passed, wrong = judge(results, failing)
    wrong += [(name, "did not run") for name in missing(tests, results)]
    wrong += [(rule[0].pattern, "stands in tempest.failing and did not fail") for rule in failing
              if not chosen and not is_race(rule) and not any(rule[0].fullmatch(name) for name in results)]
    failed = sum(1 for name, (status, _) in results.items() if status == "fail" and rule_for(name, failing))
    if wrong:
        kept = os.path.join(ROOT, "build", f"{os.path.basename(script)}-tempest.log")
        shutil.copy(os.path.join(folder, "tempest.log"), kept)  # has the guests' consoles, and all calls
        print(f"# {kept} is Tempest's log")
    for name, why in wrong:
        print(f"not ok {name}\n" + "".join(f"    {line}\n" for line in why.splitlines()))
    if failed:
        print(f"{failed} fail as tempest.failing says")
    return passed, len(wrong) + (not tests)

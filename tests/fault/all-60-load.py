#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/http src/store src/reconcile
"""The real server with all its threads, under ThreadSanitizer and load: `dari dev` with simulated hosts, a dozen clients of three accounts with
random calls for LOAD_S seconds, and `dari` commands at the same time. There must be no data race and no failure of the server, and in the end a
clean audit."""
# limit: 1200 s
import collections
import concurrent.futures
import glob
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("LOAD_BUILD", os.path.join(ROOT, "build/tsan"))
if "LOAD_FIXED" not in os.environ:  # the sanitizer requires a fixed address space layout
    fixed = ["setarch", "-R"] if subprocess.run(["setarch", "-R", "true"], check=False, stderr=subprocess.DEVNULL).returncode == 0 else []
    if not os.path.exists(os.path.join(BUILD, "build.ninja")):
        subprocess.run(["meson", "setup", BUILD, "-Db_sanitize=thread", "-Db_lundef=false"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["flock", BUILD, "ninja", "-C", BUILD, "--quiet", "src/daemon/dari"], check=True)  # `make tsan` may build at the same time
    os.execvpe((fixed + [sys.executable])[0], fixed + [sys.executable, *sys.argv],
               dict(os.environ, LOAD_FIXED="1", DARI_BUILD=BUILD))
sys.path.insert(0, os.path.join(ROOT, "tests/lib"))
from dev import Dev, describes, dump  # noqa: E402

LOAD_S = float(os.environ.get("LOAD_S", "60"))
SEED = int(os.environ.get("SEED", str(random.randrange(1 << 30))))
CLIENTS, KEPT = 12, 40
LISTS = describes(dump())


class Client:
    """One client: a choice of calls, recently seen ids, and the answers."""

    def __init__(self, account, number):
        self.account, self.dice = account, random.Random(SEED * 100 + number)
        self.ids = collections.defaultdict(lambda: collections.deque(maxlen=KEPT))
        self.answers = collections.Counter()
        self.failures = []

    def any(self, kind):
        return self.dice.choice(self.ids[kind]) if self.ids[kind] else f"{kind}-00000000000000000"

    def draw(self):
        some, one_in = self.any, lambda n: self.dice.randrange(n) == 0
        name = f"n{self.dice.randrange(20)}"
        return self.dice.choice([
            lambda: (self.dice.choice(LISTS), {}), lambda: ("DescribeInstances", {}), lambda: ("DescribeImages", {}),
            lambda: ("RunInstances", {"ImageId": some("ami"), "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 2,
                                      **({"SubnetId": some("subnet")} if one_in(3) else {})}),
            lambda: ("StopInstances", {"InstanceId.1": some("i")}), lambda: ("StartInstances", {"InstanceId.1": some("i")}),
            lambda: ("RebootInstances", {"InstanceId.1": some("i")}), lambda: ("GetConsoleOutput", {"InstanceId": some("i")}),
            lambda: ("TerminateInstances", {"InstanceId.1": some("i"), "InstanceId.2": some("i")}),
            lambda: ("TerminateInstances", {"InstanceId.1": some("i")}),
            lambda: ("CreateTags", {"ResourceId.1": some(self.dice.choice(list(self.ids) or ["i"])), "Tag.1.Key": "k", "Tag.1.Value": name}),
            lambda: ("CreateVpc", {"CidrBlock": "10.0.0.0/16"}), lambda: ("DeleteVpc", {"VpcId": some("vpc")}),
            lambda: ("CreateSubnet", {"VpcId": some("vpc"), "CidrBlock": f"10.0.{self.dice.randrange(200)}.0/24"}),
            lambda: ("DeleteSubnet", {"SubnetId": some("subnet")}),
            lambda: ("CreateSecurityGroup", {"GroupName": name, "GroupDescription": "load"}),
            lambda: ("DeleteSecurityGroup", {"GroupId": some("sg")}),
            lambda: ("AuthorizeSecurityGroupIngress", {"GroupId": some("sg"), "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
                                                       "CidrIp": f"10.{self.dice.randrange(250)}.0.0/16"}),
            lambda: ("AllocateAddress", {}), lambda: ("ReleaseAddress", {"AllocationId": some("eipalloc")}),
            lambda: ("AssociateAddress", {"AllocationId": some("eipalloc"), "InstanceId": some("i")}),
            lambda: ("CreateVolume", {"AvailabilityZone": "us-east-1a", "Size": 1}), lambda: ("DeleteVolume", {"VolumeId": some("vol")}),
            lambda: ("AttachVolume", {"VolumeId": some("vol"), "InstanceId": some("i"), "Device": f"/dev/sd{self.dice.choice('fghij')}"}),
            lambda: ("DetachVolume", {"VolumeId": some("vol")}),
            lambda: ("CreateNetworkInterface", {"SubnetId": some("subnet")}),
            lambda: ("AttachNetworkInterface", {"NetworkInterfaceId": some("eni"), "InstanceId": some("i"), "DeviceIndex": 1}),
            lambda: ("DeleteNetworkInterface", {"NetworkInterfaceId": some("eni")}),
            lambda: ("CreateKeyPair", {"KeyName": name, "KeyType": "ed25519"}), lambda: ("DeleteKeyPair", {"KeyName": name}),
        ])()

    def run(self, until):
        while time.monotonic() < until:
            action, params = self.draw()
            answer = self.account.call(action, params)
            self.answers[answer.code or "success"] += 1
            if answer.status >= 500 and answer.code not in ("InsufficientInstanceCapacity", "RequestLimitExceeded"):
                self.failures.append(f"{action} {params}: {answer}")
            for kind, number in re.findall(r">([a-z]+)-([0-9a-f]{17})<", answer.text):
                if f"{kind}-{number}" not in self.ids[kind]:
                    self.ids[kind].append(f"{kind}-{number}")


def run_commands(dev, until):
    count = 0
    while time.monotonic() < until:
        for argv in (["audit"], ["host", "list"], ["doctor"], ["account", "list"]):
            subprocess.run([os.path.join(BUILD, "src/daemon/dari"), "--config", dev.config, *argv, "--json"], check=False,
                           capture_output=True)
            count += 1
        time.sleep(0.5)
    return count


def await_clean_audit(dev):
    """Waits until pending work is finished; then the audit must be clean."""
    done = None
    for _ in range(60):
        done = subprocess.run([os.path.join(BUILD, "src/daemon/dari"), "--config", dev.config, "audit"], check=False,
                              capture_output=True, text=True)
        if done.returncode == 0:
            return []
        time.sleep(1)
    return ["audit: " + done.stdout[-2000:]]


def main():
    print(f"seed {SEED}")
    scratch = tempfile.mkdtemp(prefix="dari-load-")
    options = f"log_path={scratch}/race halt_on_error=0 exitcode=66 second_deadlock_stack=1"
    dev = Dev("--data", f"{scratch}/data", env={"TSAN_OPTIONS": options})
    accounts = [dev.account, dev.new_account("second"), dev.new_account("third")]
    clients = [Client(accounts[n % 3], n) for n in range(CLIENTS)]
    until = time.monotonic() + LOAD_S
    with concurrent.futures.ThreadPoolExecutor(CLIENTS + 1) as pool:
        commands = pool.submit(run_commands, dev, until)
        for future in [pool.submit(client.run, until) for client in clients]:
            future.result()
    answers = sum((client.answers for client in clients), collections.Counter())
    print(f"{sum(answers.values())} calls, {commands.result()} commands: {dict(answers.most_common(8))}")
    wrong = [failure for client in clients for failure in client.failures] + await_clean_audit(dev)
    status = dev.end()
    if status != 0:
        wrong.append(f"it ended with {status}")
    for path in glob.glob(f"{scratch}/race*"):
        with open(path, encoding="utf-8", errors="replace") as report:
            wrong.append(report.read()[:6000])
    shutil.rmtree(scratch, ignore_errors=True)
    print("\n".join(wrong[:20]))
    print(f"{0 if wrong else 1} passed, {len(wrong)} failed")
    sys.exit(bool(wrong))


main()

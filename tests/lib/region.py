# SPDX-License-Identifier: Apache-2.0
"""A separate region for each test that needs real libvirt, OVN and guests.

tools/demo starts it (sandbox, dari, hosts, network, image) under a unique name (clone.py), so that several regions can run at
the same time, and beside a demo. The region is ended even if the test fails. check() counts steps; close() prints
"N passed, N failed" and returns the exit status.
"""
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
import traceback
import urllib.request

import boto3
import botocore.config
import botocore.exceptions

import clone
import waiting
from waiting import HANG_S, slowness, wait_until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SSH_TRIES, SSH_ITSELF_FAILED = 4, 255
# Bounds of ssh against hanging: for its handshake (and for /healthz) and between two keepalives. A guest with an emulated processor on a busy machine
# takes seconds for a key exchange.
SSH_CONNECT_S, SSH_SILENT_S = round(5 * slowness()), round(5 * slowness())
SSH_SLOWEST_S = 30 * SSH_CONNECT_S  # for a guest that takes connections, but has no time to answer them
NEVER_FORCED_S = 3600  # the longest grace that dari accepts


class Region:
    def __init__(self, name, image="tiny", login="root", hosts=2, host_options="", never_forces=False):
        """never_forces: do not force a guest off a minute after a stop or reboot request. On a busy machine guests take longer, and a test of an
        orderly shutdown would see a forced one."""
        self.name, self.login = name, login
        own = clone.sandbox(name)
        self.demo, self.port = own["DARI_DEMO"], int(own["DARI_DEMO_PORT"])
        self.nodes = waiting.Nodes(own["DARI_SANDBOX"])
        self.env = dict(os.environ, **own, DARI_DEMO_IMAGE=image, DARI_SANDBOX_HOSTS=str(hosts), DARI_DEMO_HOST_OPTIONS=host_options)
        if never_forces:
            self.env["DARI_DEMO_SETTINGS"] = f"guests:\n  shutdown_grace_s: {NEVER_FORCED_S}\n"
        self.dari = os.path.join(ROOT, "build/dari")
        self.passed = self.failed = 0
        self.keys = {}  # access keys of accounts, by name

    def connect(self):
        """Opens a connection to the API, for dev.Account."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=HANG_S)

    # ---- life cycle

    def __enter__(self):
        subprocess.run(["tools/sandbox", "hold", str(os.getpid())], cwd=ROOT, env=self.env, check=True)  # the process that the sandbox lives with
        self.run("tools/demo", "down")
        waiting.watch(self)
        try:
            self.run("tools/demo", "region")
        except subprocess.CalledProcessError:
            self.run("tools/demo", "down", fails=True)  # clean up here, because __exit__ is not called
            raise
        return self

    def __exit__(self, kind, error, trace):
        if kind:
            traceback.print_exception(kind, error, trace)
            self.check(f"no exception: {where(trace)}: {kind.__name__}: {error}", False)
        if self.failed:
            self.tell_what_happened()
        # Dari recovers from a libvirtd that ended, and the test may have passed; report it anyway.
        print(self.run("sh", "-c", f"cat {self.env['DARI_SANDBOX']}/*/log/libvirtd-ends.log", fails=True), end="")
        try:
            self.run("tools/demo", "down")
        except subprocess.CalledProcessError as left:
            self.check(f"nothing is left behind: {left.stdout} {left.stderr}", False)
        print(f"{self.passed} passed, {self.failed} failed")
        sys.stdout.flush()
        os._exit(self.failed > 0)

    def tell_what_happened(self):
        """Prints diagnostics, the most useful last because only the end of a long output is kept: consoles, the server's log (without callers),
        pending work, and conditions."""
        for words in (f"tail -v -n 12 {self.env['DARI_SANDBOX']}/*/lib/libvirt/images/console/*",
                      f"grep -v event=http-request {self.demo}/dari.log | tail -n 40",
                      f"curl -s -m 10 http://127.0.0.1:{self.port}/healthz", f"{self.dari} doctor", f"{self.dari} audit"):
            try:
                print(plain(self.run("sh", "-c", words, fails=True)))
            except waiting.Stalled as late:
                print(late)

    # ---- interface of waiting.py

    def watched(self):
        """The first processes of the nodes, and dari."""
        return [*self.nodes.watched(), *waiting.read_pids([f"{self.demo}/dari.pid"])]

    def progress(self):
        """Dari's pending work, and the size of the guests' console logs."""
        health = self.health()
        return health.get("waiting"), health.get("failing"), self.nodes.progress()

    # ---- commands

    def attempt(self, *argv, stdin=os.devnull):
        with open(stdin, "rb") as given:
            return waiting.run(argv, cwd=ROOT, env=self.env, stdin=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run(self, *argv, fails=False):
        return output_of(self.attempt(*argv), fails)

    def command(self, *argv, fails=False):
        """JSON value of a dari command."""
        text = self.run(self.dari, *argv, "--json", fails=fails)
        return json.loads(text) if text.strip() else None

    def audit(self):
        """Findings of `dari audit`, as sentences."""
        return [f["finding"] for f in self.command("audit", fails=True)]

    def settle(self):
        """Waits until everything requested so far is in the flows of every host: allowed traffic then passes, and forbidden traffic is blocked."""
        wait_until(lambda: self.health().get("waiting") == 0, "the reconciler has nothing on its way")
        self.on("ctl", "ovn-nbctl", "--wait=hv", "sync")

    def dari_pid(self):
        with open(f"{self.demo}/dari.pid", encoding="ascii") as f:
            return int(f.read())

    def kill_dari(self):
        pid = self.dari_pid()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not os.path.exists(f"/proc/{pid}") or zombie(pid), "dari is gone")

    def start_dari(self):
        self.run("tools/demo", "region")

    def health(self):
        """Answer of /healthz; empty if there is none."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=SSH_CONNECT_S) as answer:
                return json.load(answer)
        except OSError:
            return {}

    # ---- clients

    def account(self, name):
        """Creates an account; returns its EC2 client."""
        key = self.command("account", "create", name)
        self.keys[name] = key["access_key_id"], key["secret_access_key"]
        return self.client(*self.keys[name])

    def client(self, key_id, secret, service="ec2", token=None):
        config = botocore.config.Config(retries={"max_attempts": 0}, connect_timeout=HANG_S, read_timeout=HANG_S)
        return boto3.client(service, region_name="us-east-1", endpoint_url=f"http://127.0.0.1:{self.port}",
                            aws_access_key_id=key_id, aws_secret_access_key=secret, aws_session_token=token, config=config)

    def witness(self, name, **more):
        """An account with a guest that answers ssh on an elastic address: (ec2, instance id, address). more: parameters of its launch."""
        ec2 = self.account(name)
        ec2.import_key_pair(KeyName="k", PublicKeyMaterial=self.make_key())
        open_ssh(ec2)
        identifier = launch(ec2, KeyName="k", **more)[0]
        wait_state(ec2, [identifier], "running")
        address, _ = give_address(ec2, identifier)
        self.reach(ec2, identifier, address, "the witness")
        return ec2, identifier, address

    def reach(self, ec2, identifier, address, what):
        """Waits until the guest answers ssh; prints its console if it does not."""
        try:
            wait_until(lambda: self.boot_id(address), f"ssh to {what}")
        except TimeoutError:
            print(ec2.get_console_output(InstanceId=identifier, Latest=True).get("Output", "")[-4000:])
            print(self.as_the_network_is(address))
            raise

    def boot_id(self, address):
        """The guest's boot ID, which changes at every boot; empty if it does not answer."""
        text = self.ssh(address, "cat /proc/sys/kernel/random/boot_id", fails=True).strip()
        return text if len(text) == 36 else ""

    def as_the_network_is(self, address):
        """State of the address in each layer between the internet and the guest, to diagnose why it does not answer."""
        said = []
        for node, command in (("inet", f"ping -c 2 -W 1 {address}; ip neigh show"),
                              ("ctl", f"ovn-nbctl find NAT external_ip={address}; ovn-sbctl show; ovn-sbctl list Chassis_Private; "
                                      "ovn-sbctl --columns=logical_port,type,chassis,up,mac,nat_addresses find Port_Binding"),
                              *((host, "ovs-vsctl show; ovs-appctl fdb/show br-ex; ovs-appctl ovn/route/show; ovs-appctl dpctl/dump-flows; "
                                       "virsh list --all") for host in ("hv1", "hv2"))):
            said.append(f"== {node}: {command}\n" + self.on(node, "sh", "-c", command, fails=True))
        return "\n".join(said)

    # ---- commands on the internet's side

    def on(self, node, *argv, fails=False):
        return self.run("tools/sandbox", "on", node, *argv, fails=fails)

    def ssh(self, address, command, fails=False, stdin=os.devnull, port=22):
        """Runs a command in the guest. It may take long: only a dead connection is ended. A failed connection is tried again. A guest that does not
        begin the handshake in time gets twice the time: it is busy, while packets that are dropped never reach that point."""
        argv = ["tools/sandbox", "on", "inet", "ssh", "-p", str(port), "-i", f"{self.demo}/key"]
        for option in ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR",
                       f"ServerAliveInterval={SSH_SILENT_S}", "ServerAliveCountMax=4", "BatchMode=yes"):
            argv += ["-o", option]
        tries_left, connect_s = SSH_TRIES, SSH_CONNECT_S
        while True:
            done = self.attempt(*argv, "-o", f"ConnectTimeout={connect_s}", f"{self.login}@{address}", command, stdin=stdin)
            is_busy = "during banner exchange" in (done.stdout or "") and connect_s < SSH_SLOWEST_S
            connect_s *= 2 if is_busy else 1
            tries_left -= not is_busy
            if done.returncode != SSH_ITSELF_FAILED or not tries_left:
                return output_of(done, fails)
            time.sleep(0.2)

    def disk_of(self, address, volume):
        """The guest's device with that volume's serial."""
        script = f"for d in /sys/block/vd*; do [ \"$(cat $d/serial)\" = {volume.replace('-', '')} ] && echo /dev/${{d##*/}}; done"
        found = []

        def look():
            found[:] = self.ssh(address, script, fails=True).split()
            return bool(found)
        wait_until(look, f"the guest sees {volume}")
        return found[0]

    def host_key(self, address):
        """Host keys of the guest, as lines of ssh-keyscan; empty if it does not answer."""
        text = self.on("inet", "ssh-keyscan", "-T", "20", "-t", "ed25519", address, fails=True)
        return [line for line in text.splitlines() if " ssh-ed25519 " in line]

    def make_key(self):
        self.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{self.demo}/key")
        with open(f"{self.demo}/key.pub", "rb") as f:
            return f.read()

    # ---- counting of steps

    def check(self, words, holds):
        print(f"{'ok' if holds else 'not ok'} - {words}", flush=True)
        if holds:
            self.passed += 1
        else:
            self.failed += 1
        return holds

    def check_soon(self, words, holds, shows=None):
        """Checks a condition that becomes true later: flows, what a guest sees or prints. Fails only if nothing progresses any more; shows: see
        waiting.py."""
        try:
            wait_until(holds, words, shows=shows)
            return self.check(words, True)
        except waiting.Stalled as late:
            print(late)
            return self.check(words, False)

    def check_clean(self, words="audit is clean"):
        """Checks that `dari audit` finds nothing, once everything has come to rest."""
        if not self.check_soon(words, lambda: self.audit() == []):
            print(f"audit: {self.audit()}")

    def refuses(self, words, code, call, **arguments):
        """Checks that the call fails with that EC2 error code."""
        try:
            call(**arguments)
            self.check(f"{words}: {code} (was accepted)", False)
        except botocore.exceptions.ClientError as error:
            got = error.response["Error"]["Code"]
            self.check(f"{words}: {code}" + ("" if got == code else f" (was {got}: {error})"), got == code)


def where(trace):
    """Lines of the test that led to an exception, the outermost first."""
    test = os.path.abspath(sys.modules["__main__"].__file__)
    frames = [f for f in traceback.extract_tb(trace) if os.path.abspath(f.filename) == test]
    return f"{os.path.basename(test)}:" + " > ".join(f"{f.lineno} ({f.line})" for f in frames)


def output_of(done, fails):
    """Output of a command, which must succeed unless `fails`."""
    if done.returncode and not fails:
        print(f"$ {' '.join(done.args)}\n{done.stdout}", flush=True)
        raise subprocess.CalledProcessError(done.returncode, done.args, done.stdout)
    return done.stdout


def plain(text):
    """Removes terminal sequences: a guest's console clears the screen, moves the cursor and sets colours."""
    return re.sub(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[ -/]*[0-~])|[^\n\t\x20-\x7e\x80-\uffff]", "", text)


def zombie(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


# ---- launches

def image_of(ec2):
    return ec2.describe_images(Filters=[{"Name": "name", "Values": ["tiny"]}])["Images"][0]["ImageId"]


def blank_image(ec2):
    """An image without a boot loader. Its guest runs, and QEMU has almost nothing to emulate: for launches whose guest is never asked anything."""
    zone = ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
    volume = ec2.create_volume(AvailabilityZone=zone, Size=1)["VolumeId"]
    wait_until(lambda: ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["State"] == "available", "the blank volume")
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    wait_until(lambda: ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["State"] == "completed", "the blank snapshot")
    mapping = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot}}
    return ec2.register_image(Name="blank", RootDeviceName="/dev/xvda", BlockDeviceMappings=[mapping])["ImageId"]


def launch(ec2, count=1, **more):
    # One processor: with two, a guest's kernel sometimes locks up when QEMU emulates it on a busy machine.
    arguments = dict(ImageId=image_of(ec2), InstanceType="t2.nano", MinCount=count, MaxCount=count)
    arguments.update(more)
    return [i["InstanceId"] for i in ec2.run_instances(**arguments)["Instances"]]


def instance(ec2, identifier):
    return ec2.describe_instances(InstanceIds=[identifier])["Reservations"][0]["Instances"][0]


def state(ec2, identifier):
    return instance(ec2, identifier)["State"]["Name"]


def wait_state(ec2, identifiers, wanted):
    for identifier in identifiers:
        wait_until(lambda i=identifier: state(ec2, i) == wanted, f"{identifier} {wanted}")


def open_ssh(ec2):
    """Allows ssh into the default group from anywhere; returns the group's id."""
    group = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["default"]}])["SecurityGroups"][0]
    ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpProtocol="tcp", FromPort=22, ToPort=22,
                                         CidrIp="0.0.0.0/0")
    return group["GroupId"]


def give_address(ec2, identifier):
    """Associates an elastic address with the instance; returns (address, allocation id)."""
    made = ec2.allocate_address(Domain="vpc")
    wait_state(ec2, [identifier], "running")
    ec2.associate_address(InstanceId=identifier, AllocationId=made["AllocationId"])
    return made["PublicIp"], made["AllocationId"]

# SPDX-License-Identifier: Apache-2.0
"""Measurements that need real hosts, in the sandbox with `dari serve`: time from a guest's request until it runs, beside a
plain C program on the same host; idle cost of an empty region; duration of dari's start."""
import http.client
import json
import os
import re
import socket
import statistics
import subprocess
import threading
import time
import urllib.request

from rates import sign_command
from tools import ROOT, Target, cpu_percent, end, rss_mib, run, say, wait_until

ROUNDS, STARTS, IDLE_S = 10, 3, 10
BRIEF = {"ROUNDS": 1, "STARTS": 1, "IDLE_S": 1}
PORT = 18788
DEMO = "/tmp/dari-bench"
# Tables of the northbound database that refer to ports, each with the column.
HOLDERS = {"Logical_Switch": "ports", "Port_Group": "ports"}


class Demo:
    """A region set up by tools/demo under a name of its own."""

    def __init__(self, build, host_options=""):
        self.dari = f"{build}/src/daemon/dari"
        self.env = dict(os.environ, DARI_DEMO=DEMO, DARI_DEMO_PORT=str(PORT), DARI_SANDBOX="/tmp/ds-bench",
                        DARI_SANDBOX_PREFIX="dbench-", DARI_CONFIG=f"{DEMO}/dari.yaml", DARI_DEMO_HOST_OPTIONS=host_options,
                        DARI_BUILD_DIR=os.path.relpath(os.path.dirname(self.dari), ROOT))
        self.started = []

    def run(self, *argv):
        return run(*argv, env=self.env, timeout=180)

    def __enter__(self):
        subprocess.run(["tools/sandbox", "hold", str(os.getpid())], cwd=ROOT, env=self.env, check=True)
        self.run("tools/demo", "down")
        try:
            self.run("tools/demo", "region")
        except BaseException:
            self.__exit__()
            raise
        self.sandbox = dict(line.split("=", 1) for line in self.run("tools/sandbox", "serve-env").splitlines())
        return self

    def __exit__(self, *_):
        for child in self.started:
            end(child)
        try:
            self.run("tools/demo", "down")
        except RuntimeError as left:
            say(f"tools/demo down: {left}")

    def command(self, *argv):
        return json.loads(self.run(self.dari, *argv, "--json"))

    def pid(self):
        with open(f"{DEMO}/dari.pid", encoding="ascii") as f:
            return int(f.read())

    def stop(self):
        pid = self.pid()
        os.kill(pid, 15)
        try:
            wait_until(lambda: gone(pid), 8, "dari has ended", 0.02)
        except TimeoutError as late:
            say(late, "- killed")
            os.kill(pid, 9)
            wait_until(lambda: gone(pid), 8, "dari is gone", 0.02)
        for child in self.started:
            end(child)

    def start_ms(self):
        """Starts dari. Returns the time from exec to the first answer."""
        stamp = f"{DEMO}/started"
        script = 'printf %s "$EPOCHREALTIME" >"$0"; exec "$@"'
        with open(f"{DEMO}/dari.log", "ab") as log:
            argv = ["tools/sandbox", "serve", "--port", str(PORT), "bash", "-c", script, stamp, self.dari, "serve"]
            child = subprocess.Popen(argv, cwd=ROOT, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                     start_new_session=True)
        self.started = [child]
        with open(f"{DEMO}/dari.pid", "w", encoding="ascii") as f:
            f.write(str(child.pid))
        # tools/sandbox opens the socket before dari runs, so a request queued there is answered as soon as dari can.
        wait_until(connects, 10, "its socket is there", 0.002)
        ask_health()
        now = time.time()
        with open(stamp, encoding="ascii") as f:
            return (now - float(f.read())) * 1000


def gone(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def connects():
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", PORT)) == 0


def ask_health():
    with socket.create_connection(("127.0.0.1", PORT), timeout=20) as s:
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = s.recv(4096)
    if b" 200 " not in answer.split(b"\r\n")[0]:
        raise RuntimeError(f"/healthz: {answer!r}")


# ---- OVN

class PortsUp:
    """Records when each logical port came up, with a monitor of the northbound database."""

    def __init__(self, database):
        self.child = subprocess.Popen(["ovsdb-client", "-f", "json", "monitor", database, "OVN_Northbound",
                                       "Logical_Switch_Port", "name,up"], stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.at = {}
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.child.stdout:
            now = time.time()
            for row in json.loads(line).get("data", []):
                if row[3] is True and row[1] != "old":
                    self.at.setdefault(row[2].replace("-", ""), now)

    def ms_after(self, interface, at_s):
        """Time from then until the port was up; None if that was not seen."""
        digits = interface.removeprefix("eni-")
        return next(((at - at_s) * 1000 for port, at in self.at.items() if port.startswith(digits)), None)

    def close(self):
        self.child.terminate()
        self.child.wait()
        self.thread.join()
        self.child.stdout.close()


# ---- request to running

def example(demo, target, form, image):
    """Launches an instance on each host, so that both cache the image, then terminates the first. Returns of that one (uri,
    xml, disks, definitions of the disks, transactions that create and delete its ports). The other instance stays,
    stopped, because OVN's rows for a network exist only while it has a port."""
    said = target.ask(f"Action=RunInstances&ImageId={image}&MinCount=2&MaxCount=2&{form}")
    ids = re.findall("<instanceId>(.*?)</instanceId>", said)
    look = "Action=DescribeInstances&" + "&".join(f"InstanceId.{k + 1}={i}" for k, i in enumerate(ids))
    wait_until(lambda: target.ask(look).count("<name>running</name>") == 2, 90, "two instances run")
    uri = demo.sandbox["DSB_URI_hv1"].strip("'")
    names = [n for n in run("virsh", "-q", "-c", uri, "list", "--name").split() if n in ids]
    xml = run("virsh", "-q", "-c", uri, "dumpxml", "--inactive", names[0])
    disks = re.findall("<source file='([^']*-vol-[^']*)'", xml)
    volumes = [run("virsh", "-q", "-c", uri, "vol-dumpxml", disk) for disk in disks]
    ports = plugging(demo, re.findall("interfaceid='(.*?)'", xml))
    for one in ids:
        target.ask(f"Action={'TerminateInstances' if one == names[0] else 'StopInstances&Force=true'}&InstanceId.1={one}")
    wait_until(lambda: len(re.findall("<name>(?:terminated|stopped)</name>", target.ask(look))) == 2, 60, "both are off")
    return uri, xml, disks, volumes, ports


def northbound(demo, *operations):
    """Result of a transaction on the northbound database."""
    said = json.loads(run("ovsdb-client", "transact", demo.sandbox["DSB_NB"], json.dumps(["OVN_Northbound", *operations])))
    if any("error" in result for result in said):
        raise RuntimeError(f"northbound database: {said}")
    return said


def plugging(demo, ids):
    """Two transactions: one creates copies of these ports, with all references to them but without dari's marks; the
    other deletes the copies."""
    every = [{"op": "select", "table": table, "where": []} for table in HOLDERS]
    columns = ["name", "addresses", "port_security", "dhcpv4_options", "options"]
    mine = [{"op": "select", "table": "Logical_Switch_Port", "where": [["_uuid", "==", ["uuid", i]]], "columns": columns}
            for i in ids]
    answers = northbound(demo, *every, *mine)
    make, unmake = ["OVN_Northbound"], ["OVN_Northbound"]
    for port, answer in zip(ids, answers[len(every):]):
        make.append({"op": "insert", "table": "Logical_Switch_Port", "uuid": port, "row": answer["rows"][0]})
    for (table, column), answer in zip(HOLDERS.items(), answers):
        for row in answer["rows"]:
            named = [ref for ref in as_set(row[column]) if ref[1] in ids]
            for change, operations in (("insert", make), ("delete", unmake)) if named else ():
                operations.append({"op": "mutate", "table": table, "where": [["_uuid", "==", row["_uuid"]]],
                                   "mutations": [[column, change, ["set", named]]]})
    return json.dumps(make), json.dumps(unmake)


def as_set(value):
    return value[1] if value[0] == "set" else [value]


def peer_arguments(demo, scratch, uri, xml, disks, volumes, ports):
    path = os.path.join(scratch, "domain.xml")
    xml = re.sub("<metadata>.*?</metadata>", "", xml, flags=re.DOTALL)  # dari must not take the copy for its own instance
    for name, text in (("domain.xml", xml), ("plug", ports[0]), ("unplug", ports[1])):
        with open(os.path.join(scratch, name), "w", encoding="utf-8") as f:
            f.write(text)
    uuids = [re.search("<uuid>(.*?)</uuid>", xml)[1], *re.findall("interfaceid='(.*?)'", xml),
             *(re.search("-vol-(.*?)[.]qcow2", disk)[1] for disk in disks)]
    wanted = []
    for disk, volume in zip(disks, volumes):
        backing = re.search("<backingStore>.*?<path>(.*?)</path>", volume, re.DOTALL)
        size = re.search("<capacity unit='bytes'>(.*?)</capacity>", volume)[1]
        wanted.append(f"{os.path.basename(disk)}:{size}:{backing[1] if backing else ''}")
    return [f"uri={uri}", f"pool={os.path.dirname(disks[0])}", f"xml={path}", f"uuids={','.join(uuids)}",
            f"volumes={','.join(wanted)}", f"nb={demo.sandbox['DSB_NB'].removeprefix('unix:')}",
            f"plug={scratch}/plug", f"unplug={scratch}/unplug", "count=1"]


def medians(lines, *names):
    return ", ".join(f"{n} {statistics.median(float(line[n]) for line in lines):.1f}" for n in names)


def openstack_target(demo, build):
    """The demo account's owner with a token, and OpenStack's ids of the machine to launch."""
    clouds = demo.command("account", "rc", "demo")["clouds_yaml"]
    credential = {part: re.search(f"application_credential_{part}: (\\S+)", clouds)[1] for part in ["id", "secret"]}

    def ask(path, body=None, **headers):
        request = urllib.request.Request(f"http://127.0.0.1:{PORT}{path}", body and json.dumps(body).encode(), headers)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.headers, json.load(answer)
    token = ask("/identity/v3/auth/tokens", {"auth": {"identity": {
        "methods": ["application_credential"], "application_credential": credential}}})[0]["X-Subject-Token"]

    def one(path, kind, **members):
        rows = ask(path, **{"X-Auth-Token": token})[1][kind]
        return next(row["id"] for row in rows if members.items() <= row.items())
    wish = [f"image={one('/image/v2/images', 'images')}",
            f"type={one('/compute/v2.1/flavors', 'flavors', name='t3.nano')}",
            f"network={one('/network/v2.0/networks', 'networks', **{'router:external': False})}"]
    return Target(build, f"127.0.0.1:{PORT}", token=token), wish


class CloudStack:
    """Calls CloudStack with the demo account's key on one connection; bench/launch.c does so for the other faces."""

    def __init__(self, env, target):
        self.target = target
        self.said = {"key": [env["access_key_id"]], "secret": [env["secret_access_key"]]}
        self.connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
        self.machine = {"zoneid": self.ask("listZones")["zone"][0]["id"],
                        "serviceofferingid": self.ask("listServiceOfferings", name="t3.nano")["serviceoffering"][0]["id"],
                        "templateid": self.ask("listTemplates", templatefilter="executable")["template"][0]["id"]}

    def ask(self, command, **parameters):
        self.connection.request("GET", sign_command(self.said, command=command, **parameters))
        with self.connection.getresponse() as answer:
            (said,) = json.load(answer).values()
        if "errortext" in said:
            raise RuntimeError(f"{command}: {said['errortext']}")
        return said

    def finish(self, job):
        """Milliseconds until the job has ended; polls it every 5 ms."""
        start = time.monotonic()
        while (status := self.ask("queryAsyncJobResult", jobid=job["jobid"])["jobstatus"]) == 0:
            time.sleep(0.005)
        if status != 1:
            raise RuntimeError(f"a job failed: {job}")
        return (time.monotonic() - start) * 1e3

    def end(self, machine):
        """Milliseconds until the machine is gone. Uses EC2's call, because a CloudStack user may destroy a machine but not expunge it."""
        start, instance = time.monotonic(), "i-" + machine.replace("-", "")[:17]
        self.target.ask(f"Action=TerminateInstances&InstanceId.1={instance}")
        while "<name>terminated</name>" not in self.target.ask(f"Action=DescribeInstances&InstanceId.1={instance}"):
            time.sleep(0.005)
        return (time.monotonic() - start) * 1e3

    def launch(self):
        """A machine, until its job says that it runs, and until it is gone: a line as bench/launch.c writes it."""
        start = time.monotonic()
        job = self.ask("deployVirtualMachine", **self.machine)
        accept_ms = (time.monotonic() - start) * 1e3
        running_ms = accept_ms + self.finish(job)
        return {"accept_ms": accept_ms, "running_ms": running_ms, "gone_ms": self.end(job["id"])}


def measure_running(demo, build, scratch, show):
    env = demo.command("env", "demo")
    target = Target(build, f"127.0.0.1:{PORT}", env["access_key_id"], env["secret_access_key"])
    image = demo.command("image", "list")[0]["image_id"]
    arguments = peer_arguments(demo, scratch, *example(demo, target, "InstanceType=t3.nano", image))
    openstack, wish = openstack_target(demo, build)
    ports = PortsUp(demo.sandbox["DSB_NB"])
    cloudstack = CloudStack(env, target)
    ours, servers, machines, peers = [], [], [], []
    try:
        for _ in range(ROUNDS):
            ours += target.program("launch", f"image={image}", "count=1")
            servers += openstack.program("launch", *wish, "count=1")
            machines.append(cloudstack.launch())
            peers += target.program("libvirt_peer", *arguments)
        time.sleep(0.2)
    finally:
        ports.close()
    say("request to running, medians:", medians(ours, "accept_ms", "running_ms", "gone_ms"))
    say("the same by OpenStack's calls, medians:", medians(servers, "accept_ms", "running_ms", "gone_ms"))
    say("and by CloudStack's, medians:", medians(machines, "accept_ms", "running_ms", "gone_ms"))
    say("the C program, medians:", medians(peers, "clone_ms", "plug_ms", "define_ms", "start_ms", "all_ms"))
    say("each of ours:", *(line["running_ms"] for line in ours))
    say("each of the peer's:", *(line["all_ms"] for line in peers))
    show("request_to_running_ms", statistics.median(float(line["running_ms"]) for line in ours),
         statistics.median(float(line["all_ms"]) for line in peers))
    show("server_create_to_active_ms", statistics.median(float(line["running_ms"]) for line in servers),
         statistics.median(float(line["running_ms"]) for line in ours))
    show("deploy_to_running_ms", statistics.median(line["running_ms"] for line in machines),
         statistics.median(float(line["running_ms"]) for line in ours))
    up = [ports.ms_after(line["interface"], int(line["accepted_us"]) / 1e6) for line in ours]
    seen = [u for u in up if u is not None]
    if seen:
        show("accepted_to_ovn_port_up_ms", statistics.median(seen))
    say(f"ports seen up: {len(seen)} of {len(up)}:", *(f"{u:.0f}" for u in seen))


def large_form(subnet):
    volumes = [f"BlockDeviceMapping.{n}.DeviceName=/dev/sd{'abcd'[n]}&BlockDeviceMapping.{n}.Ebs.VolumeSize=1" for n in (1, 2, 3)]
    interfaces = [f"NetworkInterface.{n + 1}.DeviceIndex={n}&NetworkInterface.{n + 1}.SubnetId={subnet}" for n in (0, 1, 2)]
    return "&".join(volumes + interfaces)


def measure_large(demo, build, scratch, show):
    """A guest with four volumes and three network interfaces."""
    env = demo.command("env", "demo")
    target = Target(build, f"127.0.0.1:{PORT}", env["access_key_id"], env["secret_access_key"])
    image = demo.command("image", "list")[0]["image_id"]
    subnet = re.search("<subnetId>(.*?)</subnetId>", target.ask("Action=DescribeSubnets"))[1]
    form = large_form(subnet)
    arguments = peer_arguments(demo, scratch, *example(demo, target, f"InstanceType=t3.small&{form}", image))
    ours, peers = [], []
    for _ in range(ROUNDS):
        ours += target.program("launch", f"image={image}", "type=t3.small", f"more={form}", "count=1")
        peers += target.program("libvirt_peer", *arguments)
    say("with 4 volumes and 3 interfaces, medians:", medians(ours, "accept_ms", "running_ms", "gone_ms"))
    say("the C program, medians:", medians(peers, "clone_ms", "plug_ms", "define_ms", "start_ms", "all_ms"))
    show("large_request_to_running_ms", statistics.median(float(line["running_ms"]) for line in ours),
         statistics.median(float(line["all_ms"]) for line in peers))


def measure(build, scratch, show):
    with Demo(build) as demo:
        pid = demo.pid()
        time.sleep(2)
        percent = cpu_percent(pid, IDLE_S)
        show("idle_rss_mib", rss_mib(pid))
        show("idle_cpu_percent", percent)
        measure_running(demo, build, scratch, show)
        measure_large(demo, build, scratch, show)
        starts = []
        for _ in range(STARTS):
            demo.stop()
            starts.append(demo.start_ms())
        say("starts:", *(f"{s:.1f}" for s in starts))
        show("ready_after_start_ms", statistics.median(starts))

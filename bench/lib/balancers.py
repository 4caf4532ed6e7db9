# SPDX-License-Identifier: Apache-2.0
"""Load balancers in the sandbox: HAProxy with Dari's configuration beside the same HAProxy with one written by hand for the same job, in the same namespace;
OVN's balancer beside a target that is asked directly; and how long one change takes in a region with many load balancers, from its call until the packets or
the worker follow it. OVN, HAProxy and nginx are real; instances are simulated, and network namespaces play the guests.

Rates depend on what else the machine does, and on Open vSwitch's user space datapath. So there are many short pairs, interleaved, and
haproxy_request_us counts the worker's processor time alone."""
import os
import random
import socket
import statistics
import subprocess
import time

import boto3
from guests import Guests
from sandbox_launches import DEMO, PORT, Demo
from tools import cpu_s, pairs, run, say, wait_until

PAIRS, RUN_MS = 15, 1200
NETWORK, APPLICATION, OF_ACCOUNT, CHANGES = 1000, 100, 50, 15  # OF_ACCOUNT: the quota of each type
BRIEF = {"PAIRS": 1, "RUN_MS": 200, "NETWORK": 2, "APPLICATION": 2, "CHANGES": 2}
NGINX = """daemon off; worker_processes 1; pid {room}/pid; error_log {room}/error.log;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 10000000; client_body_temp_path {room}/a; proxy_temp_path {room}/b; fastcgi_temp_path {room}/c;
        uwsgi_temp_path {room}/d; scgi_temp_path {room}/e; server {{ listen 80; location / {{ return 200 "hello\\n"; }} }} }}
"""
# A hand-written configuration for the same job: the headers of ELBv2, one thread, checked servers.
BY_HAND = """global
  user haproxy
  group haproxy
  nbthread 1
  maxconn 8192
  stats socket {room}/sock
defaults
  mode http
  timeout connect 10s
  timeout client 60s
  timeout server 60s
frontend web
  bind *:81
  option forwardfor
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Port 81
  http-request set-header X-Amzn-Trace-Id Root=1-%[date,hex,bytes(8,8)]-%[uuid,regsub(-,,g),bytes(0,24)] if !{{ req.hdr(X-Amzn-Trace-Id) -m found }}
  default_backend targets
backend targets
  balance roundrobin
  option httpchk GET /health
  default-server inter 30s rise 5 fall 2 check
{servers}
"""


class World(Demo):
    """A region of simulated instances on a real network; also what tests/lib/guests.py wants of one."""

    def __init__(self, build):
        super().__init__(build)
        self.env["DARI_DEMO_URI"] = "sim://"
        self.build, self.accounts = build, 0

    def run(self, *argv, fails=False):
        try:
            return super().run(*argv)
        except RuntimeError:
            if not fails:
                raise
            return ""

    def on(self, node, *argv, fails=False):
        return self.run("tools/sandbox", "on", node, *argv, fails=fails)

    def account(self, name):
        """A new account, whose VPC has a block of its own: rows are found by addresses."""
        self.accounts += 1
        return Account(self.command("account", "create", name), f"10.{self.accounts}")


class Account:
    """An account's clients."""

    def __init__(self, key, block):
        make = lambda service: boto3.client(service, region_name="us-east-1", endpoint_url=f"http://127.0.0.1:{PORT}",  # noqa: E731
                                            aws_access_key_id=key["access_key_id"], aws_secret_access_key=key["secret_access_key"])
        self.ec2, self.elb = make("ec2"), make("elbv2")
        self.vpc = self.ec2.create_vpc(CidrBlock=f"{block}.0.0/16")["Vpc"]["VpcId"]
        self.subnet = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"{block}.1.0/24")["Subnet"]["SubnetId"]  # as guests expect
        self.group = self.ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])["SecurityGroups"][0]["GroupId"]

    def launch(self, count):
        image = self.ec2.describe_images()["Images"][0]["ImageId"]
        made = self.ec2.run_instances(ImageId=image, InstanceType="t2.nano", MinCount=count, MaxCount=count, SubnetId=self.subnet)["Instances"]
        ids = [i["InstanceId"] for i in made]
        shown = lambda: [i for r in self.ec2.describe_instances(InstanceIds=ids)["Reservations"] for i in r["Instances"]]  # noqa: E731
        wait_until(lambda: {i["State"]["Name"] for i in shown()} == {"running"}, 120, "instances run")
        return ids, {i["InstanceId"]: i for i in shown()}

    def balancer(self, name, kind, targets, port=80):
        """Returns (ARN, target group, address)."""
        protocol = "TCP" if kind == "network" else "HTTP"
        group = self.elb.create_target_group(Name=name, Protocol=protocol, Port=80, VpcId=self.vpc)["TargetGroups"][0]["TargetGroupArn"]
        self.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": t} for t in targets])
        more = {} if kind == "network" else {"SecurityGroups": [self.group]}
        arn = self.elb.create_load_balancer(Name=name, Type=kind, Scheme="internal", Subnets=[self.subnet], **more)["LoadBalancers"][0]["LoadBalancerArn"]
        self.elb.create_listener(LoadBalancerArn=arn, Protocol=protocol, Port=port, DefaultActions=[{"Type": "forward", "TargetGroupArn": group}])
        return arn, group

    def address(self, arn):
        words = arn.split(":loadbalancer/")[1]
        [eni] = self.ec2.describe_network_interfaces(Filters=[{"Name": "description", "Values": [f"ELB {words}"]}])["NetworkInterfaces"]
        return eni["PrivateIpAddress"]


def ask_haproxy(path, command):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asked:
        asked.connect(path)
        asked.sendall(command.encode() + b"\n")
        return b"".join(iter(lambda: asked.recv(65536), b"")).decode()


def worker_of(path):
    return next(int(line.split()[1]) for line in ask_haproxy(path, "show info").splitlines() if line.startswith("Pid:"))


def proxy_places():
    base = f"{DEMO}/data/proxies"
    return {name: f"{base}/{name}" for name in os.listdir(base)} if os.path.isdir(base) else {}


# ---- rates ----

def serve(world, guests, name):
    room = f"{DEMO}/nginx-{name}"
    os.makedirs(room)
    with open(f"{room}/conf", "w", encoding="ascii") as file:
        file.write(NGINX.format(room=room))
    guests.start(name, "nginx", "-p", room, "-c", f"{room}/conf")
    wait_until(lambda: guests.ns(name, "curl", "-s", "http://127.0.0.1/", fails=True), 30, f"{name} serves")


def load(world, guests, host):
    """Answers a second of 32 kept connections from the client's namespace."""
    line = pairs(run("ip", "netns", "exec", guests.prefix + "client", f"{world.build}/bench/bench_load", f"host={host}", "path=/", "clients=32", f"run_ms={RUN_MS}"))
    if line["errors"] != "0":
        raise RuntimeError(f"{host}: {line}")
    return float(line["rate"]), float(line["answers"])


def measure_pairs(world, guests, ours, peer, pids=None):
    """Rates and, with workers' pids, processor time of an answer in microseconds: two lists of pairs."""
    rates, costs = [], []
    for number in range(PAIRS + 1):  # the first pair warms up
        pair = [None, None]
        for half in (0, 1) if number % 2 else (1, 0):
            host, pid = (ours, peer)[half], (pids or (None, None))[half]
            before = cpu_s(pid) if pid else 0
            rate, answers = load(world, guests, host)
            pair[half] = rate, (cpu_s(pid) - before) * 1e6 / answers if pid else 0
        if number:
            rates.append([p[0] for p in pair])
            costs.append([p[1] for p in pair])
    return rates, costs


def tell(show, name, figures, words):
    """The pair of the median ratio, because its two halves were measured beside the same other work."""
    ordered = sorted(figures, key=lambda pair: pair[0] / pair[1])
    say(f"{words}: {' '.join(f'{a / b:.2f}' for a, b in ordered)}; load {os.getloadavg()[0]:.0f}")
    show(name, *ordered[len(ordered) // 2])


def measure_rates(world, show):
    account = world.account("rates")
    for port in (80, 81):
        account.ec2.authorize_security_group_ingress(GroupId=account.group, IpProtocol="tcp", FromPort=port, ToPort=port, CidrIp="0.0.0.0/0")
    ids, machines = account.launch(3)
    with Guests(world) as guests:
        for name, identifier in zip(("client", "one", "two"), ids):
            guests.plug(name, machines[identifier])
        for name in ("one", "two"):
            serve(world, guests, name)
        arn, _ = account.balancer("web", "application", ids[1:])
        front = account.address(arn)
        reached = lambda host: guests.ns("client", "curl", "-s", "-m", "5", f"http://{host}/", fails=True).strip() == "hello"  # noqa: E731
        wait_until(lambda: reached(front), 60, "the application load balancer answers")
        [place] = proxy_places().values()
        room = f"{DEMO}/by-hand"
        os.makedirs(room)
        os.chmod(room, 0o755)
        servers = "\n".join(f"  server s{k} {machines[i]['PrivateIpAddress']}:80" for k, i in enumerate(ids[1:]))
        with open(f"{room}/conf", "w", encoding="ascii") as file:
            file.write(BY_HAND.format(room=room, servers=servers))
        with open(f"{place}/pid", encoding="ascii") as file:
            master = file.read().strip()
        by_hand = subprocess.Popen(["nsenter", "-t", master, "-n", "haproxy", "-db", "-f", f"{room}/conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        world.started.append(by_hand)
        wait_until(lambda: reached(f"{front}:81"), 60, "HAProxy by hand answers")
        rates, costs = measure_pairs(world, guests, f"{front}:80", f"{front}:81", (worker_of(f"{place}/sock"), worker_of(f"{room}/sock")))
        tell(show, "haproxy_requests_per_s", rates, "requests a second through HAProxy, ours beside by hand")
        tell(show, "haproxy_request_us", costs, "the worker's processor time, ours beside by hand")
        arn, _ = account.balancer("net", "network", ids[1:2], 80)
        through, direct = account.address(arn), machines[ids[1]]["PrivateIpAddress"]
        wait_until(lambda: reached(through), 60, "the network load balancer answers")
        rates, _ = measure_pairs(world, guests, f"{through}:80", f"{direct}:80")
        tell(show, "ovn_balancer_requests_per_s", rates, "requests a second through OVN's balancer beside none")
        account.elb.delete_load_balancer(LoadBalancerArn=arn)


# ---- changes among many ----

def fill(world, kind, total):
    """[(account, target group, the instance to register)] of that many load balancers."""
    made = []
    for first in range(0, total, OF_ACCOUNT):
        account = world.account(f"{kind}-{first}")
        ids, machines = account.launch(2)
        for number in range(first, min(first + OF_ACCOUNT, total)):
            arn, group = account.balancer(f"{kind[0]}{number}", kind, ids[:1])
            made.append((account, group, ids[1], machines[ids[1]]["PrivateIpAddress"], account.address(arn) if kind == "network" else None))
    return made


def is_quiet(world):
    return '"waiting":0' in run("curl", "-s", f"http://127.0.0.1:{PORT}/healthz").replace(" ", "")


def northbound(world, *words):
    return run("ovn-nbctl", "-t", "30", "--db=" + world.sandbox["DSB_NB"].strip("'\""), *words)


def find_rows(world):
    """{address of a VIP: its row in the northbound database}."""
    rows = northbound(world, "--format=csv", "--data=bare", "--no-headings", "--columns=_uuid,vips", "list", "Load_Balancer").splitlines()
    return {vips.split(":")[0].strip('"'): row for row, vips in (line.split(",", 1) for line in rows)}


def daemons(world):
    """Process ids of dari, and of OVN and Open vSwitch in the sandbox."""
    found = run("pgrep", "-f", f"^(ovn-northd|ovn-controller|ovsdb-server|ovs-vswitchd) .*{world.env['DARI_SANDBOX']}/").split()
    return [world.pid(), *map(int, found)]


def change_network_ms(world, one, rows):
    """Until every host's flows have it."""
    account, group, target, ip, address = one
    since = time.monotonic()
    account.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": target}])
    wait_until(lambda: f"{ip}:80" in northbound(world, "get", "Load_Balancer", rows[address], "vips"), 60, "OVN has it", 0.01)
    northbound(world, "--wait=hv", "sync")
    return (time.monotonic() - since) * 1000


def change_application_ms(one, places):
    """Until the worker that serves knows the target."""
    account, group, target, ip, _ = one
    before = {name: os.stat(f"{place}/haproxy.cfg").st_mtime_ns for name, place in places.items()}
    since = time.monotonic()
    account.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": target}])
    changed = lambda: [p for name, p in places.items() if os.stat(f"{p}/haproxy.cfg").st_mtime_ns != before[name]]  # noqa: E731
    wait_until(changed, 60, "a configuration is written", 0.005)
    wait_until(lambda: f" {ip} " in ask_haproxy(f"{changed()[0]}/sock", "show servers state"), 60, "the worker has it", 0.005)
    return (time.monotonic() - since) * 1000


def measure_changes(world, show):
    since = time.monotonic()
    network = fill(world, "network", NETWORK)
    say(f"{NETWORK} network load balancers were asked for in {time.monotonic() - since:.0f} s")
    application = fill(world, "application", APPLICATION)
    wait_until(lambda: is_quiet(world), 900, "all are there", 1)
    places = {name: place for name, place in proxy_places().items() if os.path.exists(f"{place}/haproxy.cfg")}
    say(f"{NETWORK} and {APPLICATION} load balancers, {len(places)} processes of HAProxy after {time.monotonic() - since:.0f} s")
    draw, rows, pids = random.Random(51), find_rows(world), daemons(world)
    before = sum(map(cpu_s, pids))
    network_took = [change_network_ms(world, one, rows) for one in draw.sample(network, CHANGES)]
    show("l4_change_cpu_ms", (sum(map(cpu_s, pids)) - before) * 1000 / CHANGES)
    application_took = [change_application_ms(one, places) for one in draw.sample(application, CHANGES)]
    for name, took in (("l4_change_ms", network_took), ("l7_change_ms", application_took)):
        say(f"{name}: {' '.join(f'{ms:.0f}' for ms in sorted(took))}; load {os.getloadavg()[0]:.0f}")
        show(name, statistics.median(took))


def measure(build, _, show):
    with World(build) as world:
        measure_rates(world, show)
        measure_changes(world, show)

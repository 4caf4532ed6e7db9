#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/haproxy src/engine/balancing src/reconcile/balancing src/drivers/ovn/nb_forwarding.c
# limit: 3600 s
"""Load balancers lose no request: 100,000 through HAProxy (new and kept connections, HTTP and TLS) and 100,000 through OVN's balancer, while targets change
twenty times and other settings five times; the same changes with dari killed in each; a target whose server ends, one whose cable is pulled, and one that
registers before it serves. OVN, HAProxy, nginx and the API are real; instances are simulated, and network namespaces in place of their interfaces play the guests."""
import collections
import json
import os
import random
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from guests import Guests  # noqa: E402
from pem import Certificate  # noqa: E402
from region import Region, launch, wait_state, wait_until  # noqa: E402

# Clients, each in a thread: send the next request when they have the answer, until the file `stop` is there and all have sent `least`. "new": a
# connection for each request; "once": the same from ports that no other request has, while there are any; "kept": one connection; "idle": one that rests for a second between two requests. A connection that the server has
# closed before a request is sent costs none; one that it closes afterwards loses that request. Prints the number of answers, and each loss with its time.
LOAD = r"""
import json, os, socket, ssl, sys, threading, time
mode, scheme, address, port, least, count, stop, first, last = sys.argv[1:]
ports = iter(range(int(first), int(last)))
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
request = f"GET / HTTP/1.1\r\nHost: web.example.com\r\n{'Connection: close' if mode in ('new', 'once') else 'X-Kept: yes'}\r\n\r\n".encode()
def connect():
    s = socket.create_connection((address, int(port)), timeout=15, source_address=("", next(ports)) if mode == "once" else None)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(s) if scheme == "https" else s
def is_closed(s):
    s.settimeout(0)
    try:
        return not s.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True
    finally:
        s.settimeout(15)
def receive(s):
    more = s.recv(65536)
    if not more:
        raise OSError("closed before an answer")
    return more
def ask(s):
    s.sendall(request)
    data = b""
    while b"\r\n\r\n" not in data:
        data += receive(s)
    head, body = data.split(b"\r\n\r\n", 1)
    lines = head.lower().split(b"\r\n")
    size = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:"))
    while len(body) < size:
        body += receive(s)
    if not head.startswith(b"HTTP/1.1 200 "):
        raise OSError(lines[0].decode())
    return b"connection: close" in lines
lock, good, bad = threading.Lock(), 0, []
def run(s=None):
    global good
    while not os.path.exists(stop) or good + len(bad) < int(least):
        if mode == "idle":
            time.sleep(1)
        began, loss = time.time(), None
        try:
            if s and is_closed(s):
                s.close()
                s = None
            s = s or connect()
            if ask(s) or mode in ("new", "once"):
                s.close()
                s = None
        except StopIteration:
            return
        except OSError as error:
            loss = [began, time.time(), repr(error)]
            s = s and s.close()
        with lock:
            good += not loss
            if loss:
                bad.append(loss)
threads = [threading.Thread(target=run) for _ in range(int(count))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(json.dumps([good, bad]))
"""
NGINX = """daemon off; worker_processes 1; pid {room}/pid; error_log {room}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off; keepalive_requests 10000000; keepalive_timeout 3600s; client_body_temp_path {room}/a; proxy_temp_path {room}/b;
    fastcgi_temp_path {room}/c; uwsgi_temp_path {room}/d; scgi_temp_path {room}/e;
    server {{ listen 80 backlog=4096; location / {{ return 200 "{name}\\n"; }} }}
}}
"""
# Mode, scheme, port, requests in all at least, threads.
PROXY_CLIENTS = [("kept", "http", 80, 50000, 8), ("new", "http", 80, 25000, 8), ("kept", "https", 443, 25000, 6), ("new", "https", 443, 1500, 2),
                 ("idle", "http", 80, 500, 40)]
# Open vSwitch's user space datapath 3.1 loses one of some ten thousand connections from a port that was used less than two minutes before, also while
# nothing changes: it takes the former connection for another one and translates the port. So each connection to OVN's balancer has a port of its own.
OVN_CLIENTS = [("kept", "http", 8080, 85000, 12), ("once", "http", 8080, 15900, 8), ("idle", "http", 8080, 500, 40)]
PORTS = {OVN_CLIENTS[1][3]: 16000}  # ports of the whole run for that many requests
FEW_PORTS, FIRST_PORT = 4500, 36000
REQUESTS = 100000
Balancer = collections.namedtuple("Balancer", "words clients port reloads is_down has")
CHECK_S, THRESHOLD, CHECK_TIMEOUT_S = 5, 2, 2
KILL_WITHIN_S = 1.0  # dari is killed so long after a call was answered, at a time that is drawn


class Lab:
    """A VPC with a client, and three targets on which nginx serves."""

    def __init__(self, region, guests):
        self.region, self.guests = region, guests
        self.ec2 = region.account("alice")
        self.elb, self.iam = (region.client(*region.keys["alice"], service=s) for s in ("elbv2", "iam"))
        self.vpc = self.ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
        self.subnet = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock="10.7.1.0/24")["Subnet"]["SubnetId"]
        self.group = self.ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])["SecurityGroups"][0]["GroupId"]
        for port in (80, 443, 8080):
            self.ec2.authorize_security_group_ingress(GroupId=self.group, IpProtocol="tcp", FromPort=port, ToPort=port, CidrIp="0.0.0.0/0")
        self.ids = dict(zip(("client", "one", "two", "three"), launch(self.ec2, 4, SubnetId=self.subnet)))
        wait_state(self.ec2, list(self.ids.values()), "running")
        self.addresses = {}
        for name, identifier in self.ids.items():
            instance = self.ec2.describe_instances(InstanceIds=[identifier])["Reservations"][0]["Instances"][0]
            guests.plug(name, instance)
            self.addresses[name] = instance["PrivateIpAddress"]
        guests.ns("client", "sysctl", "-qw", "net.ipv4.tcp_tw_reuse=1", f"net.ipv4.ip_local_port_range=2048 {FIRST_PORT - 1}")
        self.servers, self.loads, self.count, self.port = {}, [], 0, FIRST_PORT
        for name in ("one", "two", "three"):
            self.serve(name)

    def serve(self, name):
        room = f"{self.region.demo}/nginx-{name}"
        os.makedirs(room, exist_ok=True)
        with open(f"{room}/conf", "w", encoding="ascii") as file:
            file.write(NGINX.format(room=room, name=name))
        self.guests.start(name, "nginx", "-p", room, "-c", f"{room}/conf")
        self.servers[name] = self.guests.children[-1]
        wait_until(lambda: self.guests.ns(name, "curl", "-s", "http://127.0.0.1/", fails=True).strip() == name, f"{name} serves")

    def kill(self, name):
        """Ends nginx and its worker, whose parent's pid is nginx's."""
        with open(f"/proc/{self.servers[name].pid}/task/{self.servers[name].pid}/children", encoding="ascii") as file:
            workers = [int(pid) for pid in file.read().split()]
        self.servers[name].kill()
        self.servers[name].wait()
        for pid in workers:
            os.kill(pid, 9)

    # ---- load

    def begin(self, address, clients):
        self.count += 1
        self.stop = f"{self.region.demo}/stop-{self.count}"
        self.loads = [subprocess.Popen(["ip", "netns", "exec", self.guests.prefix + "client", sys.executable, "-c", LOAD, mode, scheme, address, str(port),
                                        str(least), str(count), self.stop, *self.take_ports(mode, least)], stdout=subprocess.PIPE, text=True) for mode, scheme, port, least, count in clients]
        self.clients = clients

    def take_ports(self, mode, least):
        first = self.port
        self.port += PORTS.get(least, FEW_PORTS) if mode == "once" else 0
        return str(first), str(self.port)

    def end(self, words, changes=()):
        """Stops the load; returns the number of answers and the losses of all clients. changes: [(time, name)], for the reader of a loss."""
        open(self.stop, "w", encoding="ascii").close()
        answers, losses = 0, []
        for (mode, scheme, *_), load in zip(self.clients, self.loads):
            good, bad = json.loads(load.communicate()[0])
            print(f"# {words}: {mode} {scheme}: {good} answers, {len(bad)} lost", flush=True)
            for began, ended, why in bad[:5]:
                print(f"#   began {began:.2f}, took {ended - began:.2f} s, {why}, after {max([c for c in changes if c[0] <= began], default='any change')}")
            answers += good
            losses += bad
        return answers, losses

    # ---- load balancers

    def health(self, name):
        target = [{"Id": self.ids[name]}]
        return self.elb.describe_target_health(TargetGroupArn=self.targets, Targets=target)["TargetHealthDescriptions"][0]["TargetHealth"]["State"]

    def register(self, name):
        self.elb.register_targets(TargetGroupArn=self.targets, Targets=[{"Id": self.ids[name]}])

    def deregister(self, name):
        self.elb.deregister_targets(TargetGroupArn=self.targets, Targets=[{"Id": self.ids[name]}])

    def make_group(self, name, protocol, **more):
        self.targets = self.elb.create_target_group(Name=name, Protocol=protocol, Port=80, VpcId=self.vpc, HealthCheckIntervalSeconds=CHECK_S,
                                                    HealthCheckTimeoutSeconds=CHECK_TIMEOUT_S, HealthyThresholdCount=THRESHOLD,
                                                    UnhealthyThresholdCount=THRESHOLD, **more)["TargetGroups"][0]["TargetGroupArn"]
        self.elb.modify_target_group_attributes(TargetGroupArn=self.targets, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "60"}])
        for target in ("one", "two"):
            self.register(target)

    def make_application(self):
        self.make_group("front", "HTTP", HealthCheckPath="/health")
        forward = [{"Type": "forward", "TargetGroupArn": self.targets}]
        certificate = self.iam.upload_server_certificate(ServerCertificateName="web", **Certificate("web.example.com").upload())["ServerCertificateMetadata"]["Arn"]
        self.arn = self.elb.create_load_balancer(Name="web", Scheme="internal", Subnets=[self.subnet], SecurityGroups=[self.group])["LoadBalancers"][0]["LoadBalancerArn"]
        self.front = self.elb.create_listener(LoadBalancerArn=self.arn, Protocol="HTTP", Port=80, DefaultActions=forward)["Listeners"][0]["ListenerArn"]
        self.elb.create_listener(LoadBalancerArn=self.arn, Protocol="HTTPS", Port=443, Certificates=[{"CertificateArn": certificate}], DefaultActions=forward)
        [eni] = self.ec2.describe_network_interfaces(Filters=[{"Name": "description", "Values": ["ELB app/web/*"]}])["NetworkInterfaces"]
        return eni["PrivateIpAddress"]

    def make_network(self):
        self.make_group("back", "TCP")
        made = self.elb.create_load_balancer(Name="net", Type="network", Scheme="internal", Subnets=[self.subnet])["LoadBalancers"][0]
        self.arn = made["LoadBalancerArn"]
        self.front = self.elb.create_listener(LoadBalancerArn=self.arn, Protocol="TCP", Port=8080,
                                              DefaultActions=[{"Type": "forward", "TargetGroupArn": self.targets}])["Listeners"][0]["ListenerArn"]
        return made["AvailabilityZones"][0]["LoadBalancerAddresses"][0]["PrivateIPv4Address"]

    def begin_healthy(self, address, port):
        self.region.check_soon("both targets are healthy", lambda: [self.health(name) for name in ("one", "two")] == ["healthy"] * 2)
        self.region.check_soon("both answer", lambda: {self.guests.ns("client", "curl", "-s", "-m", "5", f"http://{address}:{port}/", fails=True).strip()
                                                       for _ in range(8)} == {"one", "two"})

    def delete(self):
        self.elb.delete_load_balancer(LoadBalancerArn=self.arn)
        self.elb.delete_target_group(TargetGroupArn=self.targets)


def target_changes(lab, has):
    """Twenty changes, each with the condition that shows that it is applied; two targets at least are registered at any time."""
    add, drop = ("added", lab.register), ("removed", lab.deregister)
    turns = [(add, "three"), (drop, "one"), (add, "one"), (drop, "two"), (add, "two"), (drop, "three")] * 3 + [(add, "three"), (drop, "three")]
    return [(f"{name} {word}", lambda call=call, name=name: call(name), lambda is_added=(word == "added"), name=name: has(lab, name) == is_added)
            for (word, call), name in turns]


def application_reloads(lab):
    """Changes of everything but the targets."""
    rules = []
    rule = {"ListenerArn": lab.front, "Priority": 7, "Conditions": [{"Field": "path-pattern", "Values": ["/x"]}],
            "Actions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}]}
    attribute = lambda key, value: lab.elb.modify_load_balancer_attributes(LoadBalancerArn=lab.arn, Attributes=[{"Key": key, "Value": value}])  # noqa: E731
    calls = [lambda: attribute("idle_timeout.timeout_seconds", "70"), lambda: rules.append(lab.elb.create_rule(**rule)["Rules"][0]["RuleArn"]),
             lambda: lab.elb.delete_rule(RuleArn=rules.pop()), lambda: attribute("routing.http.xff_client_port.enabled", "true"),
             lambda: lab.elb.modify_target_group(TargetGroupArn=lab.targets, HealthCheckPath="/health2")]
    return [(f"reload {k + 1}", call, lambda: True) for k, call in enumerate(calls)]


def network_reloads(lab):
    """A listener beside, and settings of checks."""
    made = []
    listener = {"LoadBalancerArn": lab.arn, "Protocol": "TCP", "Port": 9090, "DefaultActions": [{"Type": "forward", "TargetGroupArn": lab.targets}]}
    calls = [lambda: made.append(lab.elb.create_listener(**listener)["Listeners"][0]["ListenerArn"]), lambda: lab.elb.delete_listener(ListenerArn=made.pop()),
             lambda: lab.elb.modify_target_group(TargetGroupArn=lab.targets, HealthyThresholdCount=3),
             lambda: lab.elb.modify_target_group(TargetGroupArn=lab.targets, HealthyThresholdCount=THRESHOLD),
             lambda: lab.elb.modify_load_balancer_attributes(LoadBalancerArn=lab.arn, Attributes=[{"Key": "load_balancing.cross_zone.enabled", "Value": "true"}])]
    return [(f"change {k + 1}", call, lambda: True) for k, call in enumerate(calls)]


def rests(lab):
    return lab.region.health().get("waiting") == 0


def changes_lose_nothing(lab, address, clients, reloads, has, words):
    """Each change is applied before the next one."""
    lab.begin(address, clients)
    done = []
    for k, (name, call, is_applied) in enumerate(interleave(target_changes(lab, has), reloads)):
        done.append((time.time(), name))
        call()
        wait_until(lambda is_applied=is_applied: is_applied() and rests(lab), f"{words}: change {k}: {name}")
    answers, losses = lab.end(words, done)
    lab.region.check(f"{words}: {answers} requests, none of which is lost", answers >= REQUESTS and not losses)


def few(clients):
    """Sets the minimum of each client to one request, so that clients end as soon as end() tells them."""
    return [(mode, scheme, port, 1, count) for mode, scheme, port, _, count in clients]


def interleave(targets, reloads):
    """A reload behind each fourth change of targets."""
    merged = []
    for k, change in enumerate(targets):
        merged.append(change)
        if k % 4 == 3:
            merged.append(reloads[k // 4])
    return merged


def kills_lose_nothing(lab, address, clients, reloads, has, words):
    """The same changes; dari is killed during each of them, and the next one finishes it. Simulated hosts forget their machines with dari: HAProxy goes on
    asking targets, but OVN's balancer would lose those whose machine is off. So this comes last, and with HAProxy alone."""
    draw = random.Random(56)
    lab.begin(address, few(clients))
    for name, call, is_applied in interleave(target_changes(lab, has), reloads):
        call()
        time.sleep(draw.uniform(0, KILL_WITHIN_S))
        lab.region.kill_dari()
        lab.region.start_dari()
        wait_until(lambda is_applied=is_applied: is_applied() and rests(lab), f"{words}: {name}, by the next dari")
    answers, losses = lab.end(f"{words}, dari is killed")
    lab.region.check(f"{words}: dari is killed in each of 25 changes: none of {answers} requests is lost", answers > 100 and not losses)


def ask_haproxy(path, command):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asked:
        asked.connect(path)
        asked.sendall(command.encode() + b"\n")
        return b"".join(iter(lambda: asked.recv(65536), b"")).decode()


def haproxy_state(lab, name):
    """State of the target's server in the worker: "0" down, "2" up; empty: it has none."""
    base = f"{lab.region.demo}/data/proxies"
    try:
        rows = [row.split() for proxy in os.listdir(base) for row in ask_haproxy(f"{base}/{proxy}/sock", "show servers state").splitlines()]
    except OSError:  # between two workers
        return ""
    return next((row[5] for row in rows if len(row) > 6 and row[4] == lab.addresses[name] and row[1].startswith("g")), "")


def haproxy_is_down(lab, name):
    """True once the worker's checks have found that."""
    return haproxy_state(lab, name) == "0"


def haproxy_has(lab, name):
    return haproxy_state(lab, name) == "2"


def ovn_has(lab, name):
    rows = lab.region.run("ovn-nbctl", "-t", "30", "--db=" + lab.guests.env["DSB_NB"], "--bare", "--columns=vips", "list", "Load_Balancer")
    return f"{lab.addresses[name]}:80" in rows


def ovn_is_down(lab, name):
    """True once no host's flows lead to the target."""
    if lab.health(name) != "unhealthy":
        return False
    lab.region.settle()
    return True


def death_loses_nothing(lab, address, clients, kill, is_down, words):
    """Requests that begin after the checks have found the death succeed; those before may fail."""
    lab.begin(address, few(clients))
    since = time.time()
    kill("two")
    wait_until(lambda: is_down(lab, "two"), f"{words}: the checks find it")
    found = time.time()
    wait_until(lambda: lab.health("two") == "unhealthy", f"{words}: the row says so")
    time.sleep(5)
    answers, losses = lab.end(words)
    late = [loss for loss in losses if loss[0] > found]
    last = max([loss[0] for loss in losses], default=since) - since
    print(f"# {words}: found after {found - since:.1f} s (checks: {CHECK_S * THRESHOLD + CHECK_TIMEOUT_S} s), the last request that was lost began after {last:.1f} s; {len(losses)} of {answers + len(losses)}")
    lab.region.check(f"{words}: no request is lost that began after the checks found it", answers > 100 and not late)


def dies(lab, address, clients, port, is_down, words):
    death_loses_nothing(lab, address, clients, lab.kill, is_down, f"{words}, a server that ends")
    lab.serve("two")
    wait_until(lambda: lab.health("two") == "healthy", "it is back")
    death_loses_nothing(lab, address, clients, lambda name: lab.guests.ns(name, "ip", "link", "set", "eth0", "down"), is_down, f"{words}, a cable that is pulled")
    lab.guests.ns("two", "ip", "link", "set", "eth0", "up")
    lab.guests.ns("two", "ip", "route", "replace", "default", "via", lab.addresses["two"].rsplit(".", 1)[0] + ".1")
    wait_until(lambda: lab.health("two") == "healthy", "it is back")
    lab.begin_healthy(address, port)


def early_target_gets_nothing(lab, address, clients, words):
    """A target that registers before its server starts: no request is led there until a check has succeeded."""
    lab.kill("three")
    lab.begin(address, few(clients))
    lab.register("three")
    wait_until(lambda: rests(lab) and lab.health("three") == "unhealthy", "the new target is unhealthy")
    lab.serve("three")
    wait_until(lambda: lab.health("three") == "healthy", "the new target is healthy")
    lab.deregister("three")
    wait_until(lambda: rests(lab), "it is removed")
    answers, losses = lab.end(f"{words}, an early target")
    lab.region.check(f"{words}: a target that does not serve yet costs none of {answers} requests", answers > 100 and not losses)


def main():
    os.environ["DARI_DEMO_URI"] = "sim://"
    haproxy = Balancer("HAProxy", PROXY_CLIENTS, 80, application_reloads, haproxy_is_down, haproxy_has)
    ovn = Balancer("OVN", OVN_CLIENTS, 8080, network_reloads, ovn_is_down, ovn_has)
    with Region("lossless") as region, Guests(region) as guests:
        lab = Lab(region, guests)
        for one, make in ((ovn, lab.make_network), (haproxy, lab.make_application)):
            address = make()
            lab.begin_healthy(address, one.port)
            changes_lose_nothing(lab, address, one.clients, one.reloads(lab), one.has, one.words)
            dies(lab, address, one.clients, one.port, one.is_down, one.words)
            if one == ovn:
                lab.delete()
        early_target_gets_nothing(lab, address, haproxy.clients, haproxy.words)
        kills_lose_nothing(lab, address, haproxy.clients, haproxy.reloads(lab), haproxy.has, haproxy.words)
        lab.delete()


if __name__ == "__main__":
    main()

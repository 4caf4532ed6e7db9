#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/haproxy src/drivers/netns.c src/drivers/switch_port.c src/engine/balancing src/reconcile/balancing
"""Application load balancers of ELBv2 with packets: rules, weights, cookies, health, draining, security groups, TLS, access and connection logs, IPv6, a change under load, and the
deaths of HAProxy and of dari. OVN, HAProxy and the API are real; instances are simulated, and network namespaces in place of their interfaces play
the guests."""
import glob
import gzip
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from guests import WEB, Guests  # noqa: E402
from region import Region, launch, wait_state, wait_until  # noqa: E402

# Answers with its name and what the request was like; "/sick" makes its health check fail, "/slow" takes its time.
SERVER = """import http.server, os, socket, sys, time
name, flag = sys.argv[1:3]
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        status = 500 if self.path == "/health" and os.path.exists(flag) else 200
        if self.path.startswith("/slow"):
            time.sleep(3)
        body = (name + "\\n" + "".join(f"{k.lower()}: {v}\\n" for k, v in self.headers.items())).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_POST = do_GET
    def log_message(self, *_):
        pass
class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
Server(("::", 80), Handler).serve_forever()
"""
# Asks as fast as it can on connections of its own until a file appears, 500 at least, and counts answers that are not 200.
LOAD = """import http.client, os, sys
bad, good, why = 0, 0, set()
while not os.path.exists(sys.argv[2]) or good + bad < 500:
    try:
        c = http.client.HTTPConnection(sys.argv[1], 80, timeout=5)
        c.request("GET", "/")
        status = c.getresponse().status
        good, bad = (good + 1, bad) if status == 200 else (good, bad + 1)
        if status != 200:
            why.add(status)
        c.close()
    except (OSError, http.client.HTTPException) as error:
        bad += 1
        why.add(repr(error))
print(good, bad, *why)
"""


POOL = "2001:db8:d000::/48"


def forward(*groups):
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": g, "Weight": w} for g, w in groups]}}]


def fixed(status, body):
    return [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": str(status), "MessageBody": body, "ContentType": "text/plain"}}]


class Lab:
    """A VPC with a client, and three targets that answer HTTP with their names; two subnets, an internet gateway."""

    def __init__(self, region, guests):
        self.region, self.guests = region, guests
        self.ec2 = region.account("alice")
        self.elb, self.iam = (region.client(*region.keys["alice"], service=s) for s in ("elbv2", "iam"))
        self.vpc = self.ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
        self.subnet = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock="10.7.1.0/24")["Subnet"]["SubnetId"]
        ours = [{"Name": "vpc-id", "Values": [self.vpc]}]
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.vpc)
        table = self.ec2.describe_route_tables(Filters=ours)["RouteTables"][0]["RouteTableId"]
        self.ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
        self.guest_group = self.ec2.describe_security_groups(Filters=ours)["SecurityGroups"][0]["GroupId"]
        self.group = self.ec2.create_security_group(GroupName="front", Description="x", VpcId=self.vpc)["GroupId"]
        self.open(80)
        self.ec2.authorize_security_group_ingress(GroupId=self.guest_group, IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": [{"GroupId": self.group}]}])
        self.ids = dict(zip(("client", "one", "two", "three"), launch(self.ec2, 4, SubnetId=self.subnet)))
        wait_state(self.ec2, list(self.ids.values()), "running")
        for name, identifier in self.ids.items():
            guests.plug(name, self.ec2.describe_instances(InstanceIds=[identifier])["Reservations"][0]["Instances"][0])
        for name in ("one", "two", "three"):
            guests.start(name, sys.executable, "-c", SERVER, name, self.flag(name))

    def open(self, port):
        self.ec2.authorize_security_group_ingress(GroupId=self.group, IpProtocol="tcp", FromPort=port, ToPort=port, CidrIp="0.0.0.0/0")

    def close(self, port):
        self.ec2.revoke_security_group_ingress(GroupId=self.group, IpProtocol="tcp", FromPort=port, ToPort=port, CidrIp="0.0.0.0/0")

    def flag(self, name):
        return f"{self.region.demo}/sick-{name}"

    def target_group(self, name, targets):
        arn = self.elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=self.vpc, HealthCheckPath="/health", HealthCheckIntervalSeconds=5,
                                           HealthCheckTimeoutSeconds=2, HealthyThresholdCount=2, UnhealthyThresholdCount=2)["TargetGroups"][0]["TargetGroupArn"]
        self.elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}])
        self.elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": self.ids[t]} for t in targets])
        return arn

    def health(self, group):
        named = {v: k for k, v in self.ids.items()}
        return {named[d["Target"]["Id"]]: (d["TargetHealth"]["State"], d["TargetHealth"].get("Reason"))
                for d in self.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]}

    def ask(self, path="/", *options, port=80, scheme="http"):
        """Whole answer: status line, headers, body."""
        return self.guests.ns("client", "curl", "-s", "-i", "-k", "--path-as-is", "--connect-timeout", "2", "-m", "10", *options,
                              f"{scheme}://{self.address}:{port}{path}", fails=True).replace("\r", "")

    def who(self, path="/", *options, **more):
        """Name of the target that answered; else the status."""
        head, _, body = self.ask(path, *options, **more).partition("\n\n")
        return body.split("\n")[0] if " 200" in head.split("\n")[0] else (head.split() + ["", ""])[1]

    def answers(self, path="/", *options, count=12):
        return {self.who(path, *options) for _ in range(count)}

    def rule(self, priority, field, values, actions):
        return self.elb.create_rule(ListenerArn=self.front, Priority=priority, Conditions=[{"Field": field, **values}], Actions=actions)["Rules"][0]["RuleArn"]

    def proxies(self):
        """Masters of HAProxy, by their files."""
        found = {}
        base = f"{self.region.demo}/data/proxies"
        for name in os.listdir(base) if os.path.isdir(base) else ():
            try:
                with open(f"{base}/{name}/pid", encoding="ascii") as file:
                    found[name] = int(file.read())
            except (OSError, ValueError):
                pass
        return found


def begins(lab):
    region, elb = lab.region, lab.elb
    lab.blue, lab.green = lab.target_group("blue", ["one", "two"]), lab.target_group("green", ["three"])
    made = elb.create_load_balancer(Name="web", Scheme="internal", Subnets=[lab.subnet], SecurityGroups=[lab.group])["LoadBalancers"][0]
    lab.arn, lab.name = made["LoadBalancerArn"], made["DNSName"]
    lab.front = elb.create_listener(LoadBalancerArn=lab.arn, Protocol="HTTP", Port=80, DefaultActions=forward((lab.blue, 1)))["Listeners"][0]["ListenerArn"]
    region.check_soon("the load balancer is active", lambda: elb.describe_load_balancers(Names=["web"])["LoadBalancers"][0]["State"]["Code"] == "active")
    [eni] = lab.ec2.describe_network_interfaces(Filters=[{"Name": "description", "Values": ["ELB app/web/*"]}])["NetworkInterfaces"]
    lab.address = eni["PrivateIpAddress"]
    region.check_soon("both targets are healthy", lambda: lab.health(lab.blue) == {"one": ("healthy", None), "two": ("healthy", None)})
    region.check_soon("both answer", lambda: lab.answers() == {"one", "two"})
    region.check("its name resolves", lab.guests.ask("client", lab.name) == lab.address)


def headers(lab):
    client = lab.ec2.describe_instances(InstanceIds=[lab.ids["client"]])["Reservations"][0]["Instances"][0]["PrivateIpAddress"]
    body = lab.ask("/", "-H", "X-Forwarded-For: 192.0.2.1").lower()
    lab.region.check("targets see the client's address, protocol and port",
                     f"x-forwarded-for: {client}" in body and "x-forwarded-proto: http\n" in body and "x-forwarded-port: 80\n" in body)
    lab.region.check("and a trace", "x-amzn-trace-id: root=1-" in body)
    lab.region.check("and a host without a port", f"\nhost: {lab.address}\n" in body)


def rules(lab):
    region, elb = lab.region, lab.elb
    made = [lab.rule(10, "path-pattern", {"Values": ["/api/*.js"]}, forward((lab.green, 1))),
            lab.rule(20, "host-header", {"Values": ["*.Example.com"]}, fixed(418, "it's 100% \"host\"\n#{x}")),
            lab.rule(30, "http-header", {"HttpHeaderConfig": {"HttpHeaderName": "X-Kind", "Values": ["te?t*"]}}, fixed(410, "header")),
            lab.rule(40, "query-string", {"QueryStringConfig": {"Values": [{"Key": "v", "Value": "2*"}]}}, fixed(411, "query")),
            lab.rule(50, "http-request-method", {"HttpRequestMethodConfig": {"Values": ["POST"]}}, fixed(405, "method")),
            lab.rule(60, "source-ip", {"SourceIpConfig": {"Values": ["192.0.2.0/24"]}}, fixed(403, "source")),
            lab.rule(70, "path-pattern", {"Values": ["/old/*"]}, [{"Type": "redirect", "RedirectConfig": {
                "Protocol": "HTTPS", "Port": "8443", "Host": "new.#{host}", "Path": "/now/#{path}", "StatusCode": "HTTP_302"}}])]
    redirect = f"location: https://new.{lab.address}:8443/now/old/a"
    region.check_soon("a redirect", lambda: f"{redirect}?b=c\n" in lab.ask("/old/a?b=c").lower())  # of the newest rule
    region.check("with its status", lab.who("/old/a") == "302")
    region.check("a redirect without a query", f"{redirect}\n" in lab.ask("/old/a").lower())
    region.check("a path leads to another group", lab.who("/api/x.js") == "three")
    region.check("the dot of a pattern is a dot", lab.who("/api/xajs") in ("one", "two"))
    host = lab.ask("/", "-H", "Host: www.example.COM:80")
    region.check("a host gets a fixed response, byte by byte", " 418" in host and host.endswith("it's 100% \"host\"\n#{x}") and "text/plain" in host)
    region.check("a header", lab.who("/", "-H", "X-Kind: TEXT1") == "410" and lab.who("/", "-H", "X-Kind: tet") != "410")
    region.check("a query", lab.who("/?a=1&v=23") == "411" and lab.who("/?av=23") != "411")
    region.check("a method", lab.who("/", "-X", "POST") == "405")
    region.check("another source does not match", lab.who("/") in ("one", "two"))
    elb.set_rule_priorities(RulePriorities=[{"RuleArn": made[4], "Priority": 5}])
    region.check_soon("a rule that is moved up goes first", lambda: lab.who("/api/x.js", "-X", "POST") == "405")
    elb.modify_listener(ListenerArn=lab.front, DefaultActions=forward((lab.blue, 1), (lab.green, 1)))
    region.check_soon("weights share the requests", lambda: lab.answers(count=40) == {"one", "two", "three"})
    elb.modify_listener(ListenerArn=lab.front, DefaultActions=forward((lab.blue, 1), (lab.green, 0)))
    region.check_soon("a weight of 0 gets none", lambda: lab.answers(count=20) == {"one", "two"})
    for rule in made:
        elb.delete_rule(RuleArn=rule)
    region.check_soon("deleted rules are gone", lambda: lab.who("/api/x.js") in ("one", "two") and lab.who("/", "-X", "POST") in ("one", "two"))


def sticks(lab):
    region = lab.region
    lab.elb.modify_target_group_attributes(TargetGroupArn=lab.blue, Attributes=[{"Key": "stickiness.enabled", "Value": "true"}])
    wait_until(lambda: "set-cookie: awsalb=" in lab.ask().lower(), "a cookie")
    answer = lab.ask()
    cookie = next(line for line in answer.split("\n") if line.lower().startswith("set-cookie: awsalb=")).split(": ")[1].split(";")[0]
    region.check("a client with the cookie stays", lab.answers("/", "-H", f"Cookie: {cookie}") == {answer.partition(chr(10) * 2)[2].split("\n")[0]})
    lab.elb.modify_target_group_attributes(TargetGroupArn=lab.blue, Attributes=[{"Key": "stickiness.enabled", "Value": "false"}])
    region.check_soon("without stickiness there is no cookie", lambda: "awsalb" not in lab.ask().lower())


def lives_and_dies(lab):
    region = lab.region
    open(lab.flag("two"), "w", encoding="ascii").close()
    region.check_soon("a target with a bad status is unhealthy, by its code",
                      lambda: lab.health(lab.blue) == {"one": ("healthy", None), "two": ("unhealthy", "Target.ResponseCodeMismatch")})
    said = lab.elb.describe_target_health(TargetGroupArn=lab.blue)["TargetHealthDescriptions"]
    region.check("and says which", "Health checks failed with these codes: [500]" in [d["TargetHealth"].get("Description") for d in said])
    region.check("it gets nothing", lab.answers() == {"one"})
    open(lab.flag("one"), "w", encoding="ascii").close()
    region.check_soon("with no healthy target all are used", lambda: lab.answers() == {"one", "two"} and
                      {v[0] for v in lab.health(lab.blue).values()} == {"unhealthy"})
    for name in ("one", "two"):
        os.unlink(lab.flag(name))
    region.check_soon("they come back", lambda: {v[0] for v in lab.health(lab.blue).values()} == {"healthy"})


def drains(lab):
    region = lab.region
    slow = subprocess.Popen(["ip", "netns", "exec", lab.guests.prefix + "client", "curl", "-s", "-m", "20", f"http://{lab.address}/slow"],
                            stdout=subprocess.PIPE, text=True)
    wait_until(lambda: "estab" in lab.guests.ns("client", "ss", "-tnH", "state", "established", "dst", lab.address, fails=True).lower()
               or lab.address in lab.guests.ns("client", "ss", "-tnH", "dst", lab.address, fails=True), "the slow request is under way")
    lab.elb.deregister_targets(TargetGroupArn=lab.blue, Targets=[{"Id": lab.ids["one"]}])
    region.check("a deregistered target drains", lab.health(lab.blue)["one"] == ("draining", "Target.DeregistrationInProgress"))
    region.check_soon("it gets no new requests", lambda: lab.answers() == {"two"})
    region.check("a request under way is answered", slow.communicate()[0].split("\n")[0] in ("one", "two"))
    lab.elb.register_targets(TargetGroupArn=lab.blue, Targets=[{"Id": lab.ids["one"]}])
    region.check_soon("it is back", lambda: lab.answers() == {"one", "two"})


def under_load(lab):
    """Each change is a reload of HAProxy, and access logs are on: a report that nobody takes costs no request."""
    turn_logs(lab, "true")
    wait_until(lambda: lab.who("/ask") and count(lab, "dari_access_log_requests_total") > 0, "requests are reported")
    load = subprocess.Popen(["ip", "netns", "exec", lab.guests.prefix + "client", sys.executable, "-c", LOAD, lab.address, lab.flag("over")], stdout=subprocess.PIPE, text=True)
    for priority in range(100, 120):
        rule = lab.rule(priority, "path-pattern", {"Values": [f"/x{priority}"]}, fixed(200, "x"))
        wait_until(lambda priority=priority: " 200" in lab.ask(f"/x{priority}"), "the rule is there")
        lab.elb.delete_rule(RuleArn=rule)
    open(lab.flag("over"), "w", encoding="ascii").close()
    good, bad, *why = load.communicate()[0].split(maxsplit=2)
    print(f"# {good} requests on connections of their own during forty changes, {bad} failed {why}")
    lab.region.check("no request fails while rules change", int(good) > 0 and int(bad) == 0)


def guards(lab):
    region = lab.region
    lab.close(80)
    region.settle()
    region.check_soon("a closed group keeps clients out", lambda: lab.who() == "")
    lab.open(80)
    region.check_soon("an opened one lets them in", lambda: lab.who() in ("one", "two"))


def speaks_tls(lab):
    region, elb = lab.region, lab.elb
    with tempfile.TemporaryDirectory() as place:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=web.example.com",
                        "-keyout", f"{place}/key", "-out", f"{place}/crt"], check=True, capture_output=True)
        with open(f"{place}/key", encoding="ascii") as key, open(f"{place}/crt", encoding="ascii") as body:
            arn = lab.iam.upload_server_certificate(ServerCertificateName="web", PrivateKey=key.read(), CertificateBody=body.read())["ServerCertificateMetadata"]["Arn"]
    listener = elb.create_listener(LoadBalancerArn=lab.arn, Protocol="HTTPS", Port=443, SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06",
                                   Certificates=[{"CertificateArn": arn}], DefaultActions=forward((lab.blue, 1)))["Listeners"][0]["ListenerArn"]
    lab.open(443)
    region.check_soon("HTTPS answers", lambda: lab.who(port=443, scheme="https") in ("one", "two"))
    region.check("by HTTP/2", lab.ask(port=443, scheme="https").startswith("HTTP/2 200"))
    region.check("targets see https", "x-forwarded-proto: https\n" in lab.ask(port=443, scheme="https").lower())
    region.check("TLS 1.1 is refused", lab.who("/", "--tls-max", "1.1", port=443, scheme="https") == "")
    with open(f"{lab.region.demo}/dari.log", encoding="utf-8", errors="replace") as log:
        region.check("no key is in the log", "PRIVATE KEY" not in log.read())
    elb.delete_listener(ListenerArn=listener)
    region.check_soon("a deleted listener is closed", lambda: lab.who(port=443, scheme="https") == "")


FIELDS = ("type time elb client target request_time target_time response_time status target_status received sent request agent cipher protocol group "
          "trace name certificate priority created actions redirect error targets target_statuses classification reason connection host uri transform").split()


def read_logs(lab):
    """Entries of all files so far, by the path of the request."""
    entries = {}
    for file in glob.glob(f"{lab.region.demo}/data/flow-logs/alb/AWSLogs/*/elasticloadbalancing/*/*/*/*/*.log.gz"):
        with gzip.open(file, "rt", encoding="ascii") as lines:
            for line in lines:
                words = [w.strip('"') for w in re.findall(r'"[^"]*"|[^ ]+', line.strip())]
                entries[re.sub("^[^ ]* [a-z]+://[^/]*", "", words[12]).split(" ")[0]] = dict(zip(FIELDS, words, strict=True))
    return entries


def turn_logs(lab, state, arn=None, prefix="alb", kind="access"):
    lab.elb.modify_load_balancer_attributes(LoadBalancerArn=arn or lab.arn, Attributes=[
        {"Key": f"{kind}_logs.s3.{k}", "Value": v} for k, v in (("enabled", state), ("bucket", "flow-logs"), ("prefix", prefix))])


def count(lab, name):
    with urllib.request.urlopen(f"http://127.0.0.1:{lab.region.port}/metrics") as answer:
        return int(float(re.search(rf"^{name} (.*)$", answer.read().decode(), re.MULTILINE)[1]))


def mode(path):
    return os.stat(path).st_mode & 0o777


def logs(lab):
    """Each request has an entry in a file; a dari that stands still delays no request."""
    region = lab.region
    [proxy] = lab.proxies()
    place = f"{region.demo}/data/proxies"
    lab.rule(90, "path-pattern", {"Values": ["/fixed"]}, fixed(418, "x"))
    turn_logs(lab, "true")
    region.check_soon("a test file comes first", lambda: glob.glob(f"{region.demo}/data/flow-logs/alb/AWSLogs/*/ELBAccessLogTestFile"))
    region.check_soon("the rule is there", lambda: lab.who("/fixed") == "418")
    wait_until(lambda: lab.who("/ask") and count(lab, "dari_access_log_requests_total") > 0, "requests are reported")
    region.check("HAProxy's worker may search the folder of its proxy, and nobody else's may come that far", (mode(place), mode(f"{place}/{proxy}")) == (0o700, 0o711))
    os.unlink(f"{place}/{proxy}/access")
    region.check_soon("a socket that somebody removes is made again", lambda: os.path.exists(f"{place}/{proxy}/access"))
    before = count(lab, "dari_access_log_requests_total")
    seen = lab.ask('/plain?a=%22', "-A", 'age"nt').lower()
    lab.who("/fixed?teapot")
    traced = lab.ask("/traced", "-H", "X-Amzn-Trace-Id: Root=1-a,Self=2")
    # texts that exceed HAProxy's buffer once they are escaped, and a request that HAProxy refuses
    lab.who("/hidden" + "/" * 8300, "-A", "\u00e9" * 3000)
    region.check("a header of 64 kB is refused", lab.who("/", "-H", "X-Large: " + "a" * 64000) in ("400", "431"))
    region.check_soon("five requests are five reports", lambda: count(lab, "dari_access_log_requests_total") == before + 5)
    with open("/proc/sys/net/unix/max_dgram_qlen", encoding="ascii") as file:
        beyond = int(file.read()) + 30
    pid = region.dari_pid()
    os.kill(pid, signal.SIGSTOP)
    statuses = lab.guests.ns("client", "curl", "-s", "-o", "/dev/null", "-w", "%{http_code} ", f"http://{lab.address}/still[1-{beyond}]", fails=True).split()
    os.kill(pid, signal.SIGCONT)
    region.check("requests are answered while nobody reads reports", statuses == ["200"] * beyond)
    region.check_soon("reports beyond what the socket holds are dropped and counted", lambda: count(lab, "dari_access_log_dropped_total") > 0)
    turn_logs(lab, "false")
    region.check_soon("a file has the requests", lambda: "/fixed?teapot" in read_logs(lab))
    region.check_soon("a proxy without logs has no socket, and a closed folder",
                      lambda: not os.path.exists(f"{place}/{proxy}/access") and mode(f"{place}/{proxy}") == 0o700)
    region.check_soon("nothing waits on the disk", lambda: not os.listdir(f"{region.demo}/data/access-logs"))
    found = read_logs(lab)
    plain, teapot = found["/plain?a=%22"], found["/fixed?teapot"]
    region.check("one that was forwarded", (plain["type"], plain["status"], plain["target_status"], plain["actions"], plain["priority"], plain["group"]) ==
                 ("http", "200", "200", "forward", "0", lab.blue) and plain["target"].endswith(":80") and plain["agent"] == r"age\x22nt")
    region.check("one that the load balancer answered", (teapot["status"], teapot["target_status"], teapot["actions"], teapot["priority"], teapot["target"]) ==
                 ("418", "-", "fixed-response", "90", "-"))
    region.check("targets see the trace that the log has", re.fullmatch("Root=1-[0-9a-f]{8}-[0-9a-f]{24}", plain["trace"]) and
                 f"x-amzn-trace-id: {plain['trace'].lower()}\n" in seen)
    region.check("a client's trace stays as it is", found["/traced"]["trace"] == "Root=1-a,Self=2" and ": Root=1-a,Self=2\n" in traced)
    [hidden] = [entry for path, entry in found.items() if path.startswith("/hidden")]
    region.check("texts that are too long are cut, and never absent", "/" * 8000 in hidden["request"] and hidden["agent"].startswith(r"\xC3\xA9" * 1000))
    region.check("the load balancer's name", plain["elb"] == lab.arn.split(":loadbalancer/")[1])


def six_of(lab, name):
    """The IPv6 address of a load balancer's interface, or None."""
    [eni] = lab.ec2.describe_network_interfaces(Filters=[{"Name": "description", "Values": [f"ELB {name}/*"]}])["NetworkInterfaces"]
    return next((a["Ipv6Address"] for a in eni["Ipv6Addresses"]), None)


def begins_ipv6(lab):
    """Gives the VPC, the subnet and the client IPv6, with a route to the internet; returns the client's address."""
    region, ec2, elb = lab.region, lab.ec2, lab.elb
    region.run(region.dari, "network", "set-ipv6", "internet", "--pool", POOL, "--next-hop", "fe80::1")
    ec2.associate_vpc_cidr_block(VpcId=lab.vpc, AmazonProvidedIpv6CidrBlock=True)
    block = ec2.describe_vpcs(VpcIds=[lab.vpc])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"]
    try:
        elb.set_ip_address_type(LoadBalancerArn=lab.arn, IpAddressType="dualstack")
        refused = ""
    except elb.exceptions.ClientError as error:
        refused = error.response["Error"]["Message"]
    region.check("a subnet without IPv6 is refused", refused == "You must specify subnets with an associated IPv6 CIDR block.")
    ec2.associate_subnet_cidr_block(SubnetId=lab.subnet, Ipv6CidrBlock=block.replace("00::/56", "01::/64"))
    table = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [lab.vpc]}])["RouteTables"][0]
    gateway = next(r["GatewayId"] for r in table["Routes"] if r.get("GatewayId", "").startswith("igw-"))
    ec2.create_route(RouteTableId=table["RouteTableId"], DestinationIpv6CidrBlock="::/0", GatewayId=gateway)
    nic = ec2.describe_instances(InstanceIds=[lab.ids["client"]])["Reservations"][0]["Instances"][0]["NetworkInterfaces"][0]["NetworkInterfaceId"]
    client = ec2.assign_ipv6_addresses(NetworkInterfaceId=nic, Ipv6AddressCount=1)["AssignedIpv6Addresses"][0]
    lab.guests.ns("client", "ip", "-6", "addr", "add", f"{client}/128", "dev", "eth0", "nodad")
    region.check_soon("a way out is advertised", lambda: "default via fe80" in lab.guests.ns("client", "ip", "-6", "route"))
    return client


def reaches_ipv6_targets(lab, ask):
    """A target group of IPv6: its target is checked and asked at its IPv6 address."""
    region, ec2, elb = lab.region, lab.ec2, lab.elb
    nic = ec2.describe_instances(InstanceIds=[lab.ids["two"]])["Reservations"][0]["Instances"][0]["NetworkInterfaces"][0]["NetworkInterfaceId"]
    made = dict(Name="targets6", IpAddressType="ipv6", Protocol="HTTP", Port=80, VpcId=lab.vpc, HealthCheckPath="/health", HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2)
    group = elb.create_target_group(**made)["TargetGroups"][0]["TargetGroupArn"]
    try:
        elb.register_targets(TargetGroupArn=group, Targets=[{"Id": lab.ids["two"]}])
        region.check("a target without an IPv6 address is refused", False)
    except elb.exceptions.InvalidTargetException:
        region.check("a target without an IPv6 address is refused", True)
    address = ec2.assign_ipv6_addresses(NetworkInterfaceId=nic, Ipv6AddressCount=1)["AssignedIpv6Addresses"][0]
    lab.guests.ns("two", "ip", "-6", "addr", "add", f"{address}/128", "dev", "eth0", "nodad")
    region.check_soon("a way out is advertised to the target", lambda: "default via fe80" in lab.guests.ns("two", "ip", "-6", "route"))
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": lab.ids["two"]}])
    listener = elb.describe_listeners(LoadBalancerArn=lab.arn)["Listeners"][0]["ListenerArn"]
    rule = elb.create_rule(ListenerArn=listener, Priority=66, Conditions=[{"Field": "path-pattern", "Values": ["/targets6"]}], Actions=forward((group, 1)))["Rules"][0]["RuleArn"]
    ec2.authorize_security_group_egress(GroupId=lab.group, IpPermissions=[{"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}])
    region.check_soon("a target of IPv6 is healthy", lambda: lab.health(group) == {"two": ("healthy", None)})
    region.check_soon("clients of IPv6 and IPv4 reach it", lambda: ask("/targets6").startswith("two") and lab.who("/targets6") == "two")
    lab.guests.ns("two", "ip", "-6", "addr", "del", f"{address}/128", "dev", "eth0")
    region.check_soon("without its address it is unhealthy", lambda: lab.health(group)["two"][0] == "unhealthy")
    try:
        elb.set_ip_address_type(LoadBalancerArn=lab.arn, IpAddressType="ipv4")
        region.check("the load balancer stays dualstack", False)
    except elb.exceptions.ClientError as error:
        region.check("the load balancer stays dualstack", error.response["Error"]["Code"] == "InvalidConfigurationRequest")
    elb.delete_rule(RuleArn=rule)
    elb.delete_target_group(TargetGroupArn=group)
    ec2.unassign_ipv6_addresses(NetworkInterfaceId=nic, Ipv6Addresses=[address])


def speaks_ipv6(lab):
    """A dualstack load balancer: its address, its name and its logs; an internal one answers its VPC alone."""
    region, elb, rules = lab.region, lab.elb, [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}]
    client = begins_ipv6(lab)
    region.check("the type is shown", elb.set_ip_address_type(LoadBalancerArn=lab.arn, IpAddressType="dualstack")["IpAddressType"] == "dualstack" ==
                 elb.describe_load_balancers(Names=["web"])["LoadBalancers"][0]["IpAddressType"])
    internal = six_of(lab, "app/web")
    outside = lambda address: region.on("inet", "curl", "-s", "--connect-timeout", "2", "-m", "5", f"http://[{address}]/", fails=True)  # noqa: E731
    ask = lambda path="/", address=internal: lab.guests.ns("client", "curl", "-s", "--connect-timeout", "2", "-m", "10",  # noqa: E731
                                                           f"http://[{address}]{path}", fails=True)
    region.settle()
    region.check("the security group's rules of IPv4 let nobody in", ask() == "")
    lab.ec2.authorize_security_group_ingress(GroupId=lab.group, IpPermissions=rules)
    region.check_soon("a client of IPv6 is answered", lambda: ask()[:3] in ("one", "two"))
    region.check("targets see its address", f"\nx-forwarded-for: {client}\n" in ask() and f"\nhost: [{internal}]\n" in ask())
    region.check("and IPv4 goes on", lab.who() in ("one", "two"))
    reaches_ipv6_targets(lab, ask)
    region.check("the name has both addresses", (lab.guests.ask("client", lab.name), lab.guests.ask("client", lab.name, "6")) == (lab.address, internal))
    port = [{"Key": "routing.http.xff_client_port.enabled", "Value": "true"}]
    elb.modify_load_balancer_attributes(LoadBalancerArn=lab.arn, Attributes=port)
    region.check_soon("with its port, the address is in brackets", lambda: re.search(rf"\nx-forwarded-for: \[{client}\]:[0-9]+\n", ask()))
    region.check("as one of IPv4 is not", re.search(r"\nx-forwarded-for: 10\.7\.1\.[0-9]+:[0-9]+\n", lab.ask().lower()))
    elb.modify_load_balancer_attributes(LoadBalancerArn=lab.arn, Attributes=[{**port[0], "Value": "false"}])
    turn_logs(lab, "true")
    before = count(lab, "dari_access_log_requests_total")
    region.check_soon("its requests are reported", lambda: ask("/six") and count(lab, "dari_access_log_requests_total") > before)
    turn_logs(lab, "false")
    region.check_soon("a file has its address", lambda: re.fullmatch(rf"{client}:[0-9]+", read_logs(lab).get("/six", {"client": ""})["client"]))
    lab.ec2.authorize_security_group_ingress(GroupId=lab.guest_group, IpProtocol="tcp", FromPort=80, ToPort=80, CidrIp="10.7.0.0/16")
    made = elb.create_load_balancer(Name="six", Type="network", Subnets=[lab.subnet], IpAddressType="dualstack")["LoadBalancers"][0]
    group = elb.create_target_group(Name="six", Protocol="TCP", Port=80, VpcId=lab.vpc)["TargetGroups"][0]["TargetGroupArn"]
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": lab.ids["one"]}])
    elb.create_listener(LoadBalancerArn=made["LoadBalancerArn"], Protocol="TCP", Port=80, DefaultActions=forward((group, 1)))
    public = six_of(lab, "net/six")
    region.check("a network load balancer shows its address", made["AvailabilityZones"][0]["LoadBalancerAddresses"][0]["IPv6Address"] == public)
    region.check_soon("it answers in the VPC", lambda: ask(address=public).startswith("one"))
    region.check_soon("and the internet", lambda: outside(public).startswith("one"))
    region.check("which no internal one answers", outside(internal) == "")
    elb.set_ip_address_type(LoadBalancerArn=made["LoadBalancerArn"], IpAddressType="ipv4")
    elb.set_ip_address_type(LoadBalancerArn=lab.arn, IpAddressType="ipv4")
    region.check("without the type there is no address", not six_of(lab, "app/web") and not six_of(lab, "net/six"))
    region.check_soon("nobody answers at the former ones", lambda: ask() == "" and ask(address=public) == "")
    region.check_soon("IPv4 goes on", lambda: lab.who() in ("one", "two"))
    elb.delete_load_balancer(LoadBalancerArn=made["LoadBalancerArn"])
    elb.delete_target_group(TargetGroupArn=group)


def is_reported(lab, path):
    """Asks until the report arrived: the socket may not be open yet, or full."""
    before = count(lab, "dari_access_log_requests_total")
    wait_until(lambda: lab.who(path) and count(lab, "dari_access_log_requests_total") > before, f"a request of {path} is reported")


def is_killed(lab):
    region = lab.region
    before = lab.proxies()
    turn_logs(lab, "true")
    is_reported(lab, "/killed")
    region.kill_dari()
    region.check("it answers while dari is down", lab.answers() == {"one", "two"})
    region.check("no file has the last request yet", "/killed" not in read_logs(lab))
    region.start_dari()
    region.check_soon("the process is adopted", lambda: lab.proxies() == before and lab.answers() == {"one", "two"})
    region.check_soon("the next dari writes the file of the one that was killed", lambda: "/killed" in read_logs(lab))
    os.kill(next(iter(before.values())), signal.SIGKILL)
    region.check_soon("a process that dies is replaced", lambda: lab.proxies() != before and lab.answers() == {"one", "two"})


CONNECTION_FIELDS = "time client port listener_port protocol cipher latency subject validity serial status connection exchange".split()


def logs_connections(lab):
    """Each connection has an entry, of its first request, with the id that access logs have; so has one whose handshake fails."""
    region, elb = lab.region, lab.elb
    certificate = lab.iam.get_server_certificate(ServerCertificateName="web")["ServerCertificate"]["ServerCertificateMetadata"]["Arn"]
    listener = elb.create_listener(LoadBalancerArn=lab.arn, Protocol="HTTPS", Port=443, Certificates=[{"CertificateArn": certificate}],
                                   SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06", DefaultActions=forward((lab.blue, 1)))["Listeners"][0]["ListenerArn"]
    turn_logs(lab, "true")
    turn_logs(lab, "true", prefix="conn", kind="connection")
    region.check_soon("a test file comes first", lambda: glob.glob(f"{region.demo}/data/flow-logs/conn/AWSLogs/*/ELBConnectionLogTestFile"))
    region.check_soon("HTTPS answers", lambda: lab.who(port=443, scheme="https") in ("one", "two"))
    is_reported(lab, "/connected")
    url = f"https://{lab.address}:443"
    before = count(lab, "dari_access_log_requests_total")
    lab.guests.ns("client", "curl", "-s", "-k", f"{url}/first", f"{url}/second", fails=True)
    lab.who("/", "--tls-max", "1.1", port=443, scheme="https")
    region.check_soon("two requests and a handshake are reported", lambda: count(lab, "dari_access_log_requests_total") == before + 3)
    turn_logs(lab, "false")
    turn_logs(lab, "false", prefix="conn", kind="connection")
    region.check_soon("an access log has both requests", lambda: {"/first", "/second"} <= set(read_logs(lab)))
    files = f"{region.demo}/data/flow-logs/conn/AWSLogs/*/elasticloadbalancing/*/*/*/*/conn_log.*_app.web.*.log.gz"
    region.check_soon("there is a file of connections", lambda: glob.glob(files))
    entries = []
    for file in glob.glob(files):
        with gzip.open(file, "rt", encoding="ascii") as lines:
            entries += [dict(zip(CONNECTION_FIELDS, line.split(), strict=True)) for line in lines]
    found = read_logs(lab)
    region.check("both requests came on one connection", found["/first"]["connection"] == found["/second"]["connection"])
    made = [e for e in entries if e["connection"] == found["/first"]["connection"]]
    region.check("which has one entry", [(e["client"], e["port"]) for e in made] == [tuple(found["/first"]["client"].rsplit(":", 1))])
    region.check("with its handshake", made and (made[0]["listener_port"], made[0]["protocol"], made[0]["cipher"], made[0]["status"]) ==
                 ("443", "TLSv1.3", found["/first"]["cipher"], "Success") and re.fullmatch(r"[0-9]+\.[0-9]{3}", made[0]["latency"]))
    failed = [e for e in entries if e["status"] == "Failed:UnmappedConnectionError"]
    region.check("a failed handshake has an entry, and none in the access log", failed and (failed[0]["cipher"], failed[0]["latency"]) == ("-", "-") and
                 failed[0]["connection"] not in {e["connection"] for e in found.values()})
    plain = [e for e in entries if e["listener_port"] == "80"]
    region.check("a connection without TLS has one, too", plain and {(e["protocol"], e["status"]) for e in plain} == {("-", "-")})
    elb.delete_listener(ListenerArn=listener)


NETWORK_FIELDS = ("type version time elb listener client destination connection_time handshake_time received sent alert certificate serial cipher protocol group name "
                  "alpn target_alpn alpn_preferences created").split()


def logs_network(lab):
    """Network load balancers log the connections of TLS listeners, also those whose handshake fails."""
    region, elb = lab.region, lab.elb
    lab.ec2.authorize_security_group_ingress(GroupId=lab.guest_group, IpProtocol="tcp", FromPort=80, ToPort=80, CidrIp="10.7.1.0/24")
    certificate = lab.iam.get_server_certificate(ServerCertificateName="web")["ServerCertificate"]["ServerCertificateMetadata"]["Arn"]
    group = elb.create_target_group(Name="raw", Protocol="TCP", Port=80, VpcId=lab.vpc)["TargetGroups"][0]["TargetGroupArn"]
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": lab.ids["one"]}])
    arn = elb.create_load_balancer(Name="tls", Type="network", Scheme="internal", Subnets=[lab.subnet])["LoadBalancers"][0]["LoadBalancerArn"]
    turn_logs(lab, "true", arn, "nlb")
    listener = elb.create_listener(LoadBalancerArn=arn, Protocol="TLS", Port=443, Certificates=[{"CertificateArn": certificate}], AlpnPolicy=["HTTP1Only"],
                                   SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06", DefaultActions=forward((group, 1)))["Listeners"][0]["ListenerArn"]
    [eni] = lab.ec2.describe_network_interfaces(Filters=[{"Name": "description", "Values": ["ELB net/tls/*"]}])["NetworkInterfaces"]
    address = eni["PrivateIpAddress"]
    ask = lambda *options: lab.guests.ns("client", "curl", "-s", "-k", "--connect-timeout", "2", "-m", "10", *options, "--resolve",  # noqa: E731
                                         f"web.example.com:443:{address}", "https://web.example.com/", fails=True)
    before = count(lab, "dari_access_log_requests_total")
    region.check_soon("a TLS listener answers, and the connection is reported",
                      lambda: ask().startswith("one") and count(lab, "dari_access_log_requests_total") > before)
    ask("--tls-max", "1.1")
    turn_logs(lab, "false", arn, "nlb")
    files = f"{region.demo}/data/flow-logs/nlb/AWSLogs/*/elasticloadbalancing/*/*/*/*/*_net.tls.*.log.gz"
    region.check_soon("a file has the connections", lambda: glob.glob(files))
    entries = []
    for file in glob.glob(files):
        with gzip.open(file, "rt", encoding="ascii") as lines:
            entries += [dict(zip(NETWORK_FIELDS, line.split(), strict=True)) for line in lines]
    served = [e for e in entries if e["cipher"] != "-"]
    one = served[-1]
    region.check("one that was served", (one["type"], one["version"], one["elb"], one["listener"], one["destination"], one["certificate"], one["protocol"], one["name"],
                                         one["alpn"]) == ("tls", "2.0", arn.split(":loadbalancer/")[1], listener.rsplit("/", 1)[1], f"{address}:443", certificate,
                                                          "tlsv13", "web.example.com", "http/1.1") and int(one["received"]) > 0 and int(one["sent"]) > 0)
    region.check("one whose handshake failed", [e for e in entries if (e["cipher"], e["certificate"], e["protocol"], e["sent"]) == ("-", "-", "-", "0")])
    elb.delete_load_balancer(LoadBalancerArn=arn)
    elb.delete_target_group(TargetGroupArn=group)


def is_public(lab):
    region, elb = lab.region, lab.elb
    second = lab.ec2.create_subnet(VpcId=lab.vpc, CidrBlock="10.7.2.0/24")["Subnet"]["SubnetId"]
    group = lab.target_group("outer", ["one"])
    arn = elb.create_load_balancer(Name="outer", Subnets=[second], SecurityGroups=[lab.group])["LoadBalancers"][0]["LoadBalancerArn"]
    elb.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=80, DefaultActions=forward((group, 1)))

    [eni] = lab.ec2.describe_network_interfaces(Filters=[{"Name": "description", "Values": ["ELB app/outer/*"]}])["NetworkInterfaces"]
    address = eni["Association"]["PublicIp"]
    ask = lambda: region.on("inet", "curl", "-s", "--interface", WEB, "--connect-timeout", "2", "-m", "5", f"http://{address}/", fails=True)  # noqa: E731
    region.check_soon("the internet reaches an internet-facing one in another subnet", lambda: ask().startswith("one"))
    region.check("and the target sees that client", f"x-forwarded-for: {WEB}\n" in ask().lower())
    elb.set_subnets(LoadBalancerArn=arn, Subnets=[lab.subnet])
    [eni] = [n for n in lab.ec2.describe_network_interfaces(Filters=[{"Name": "description", "Values": ["ELB app/outer/*"]}])["NetworkInterfaces"]
             if n["SubnetId"] == lab.subnet]
    address = eni["Association"]["PublicIp"]
    region.check_soon("it moves to other subnets", lambda: ask().startswith("one"))
    elb.delete_load_balancer(LoadBalancerArn=arn)
    elb.delete_target_group(TargetGroupArn=group)



def main():
    os.environ["DARI_DEMO_URI"] = "sim://"
    with Region("alb") as region, Guests(region) as guests:
        lab = Lab(region, guests)
        for part in (begins, headers, rules, sticks, lives_and_dies, drains, under_load, guards, speaks_tls, logs, logs_connections, logs_network, is_public, speaks_ipv6):
            part(lab)
        region.check_clean()
        is_killed(lab)  # simulated hosts forget their disks with dari, so the audit comes before
        is_reported(lab, "/last")
        lab.elb.delete_load_balancer(LoadBalancerArn=lab.arn)
        region.check_soon("a deleted load balancer's last file is written", lambda: "/last" in read_logs(lab))
        for group in (lab.blue, lab.green):
            lab.elb.delete_target_group(TargetGroupArn=group)
        region.check_soon("no process and no file is left", lambda: not lab.proxies() and not os.listdir(f"{region.demo}/data/proxies"))
        region.check_soon("and nothing is plugged", lambda: not [p for p in region.on("ctl", "ovs-vsctl", "list-ports", "br-int").split() if p.startswith("dp")])


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/haproxy src/engine/balancing src/reconcile/balancing src/api/openstack/load_balancer
"""A load balancer of Octavia with packets: members answer by turns, a sick one is left out, permitted clients, headers, L7 policies, statistics, a failover, TLS with a certificate of Barbican, a floating address, and
nothing left after its deletion. OVN, HAProxy and the API are real; instances are simulated, and network namespaces play the guests."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import cloud  # noqa: E402
import pem  # noqa: E402
from guests import WEB, Guests  # noqa: E402
from region import Region, launch, wait_state, wait_until  # noqa: E402

LB, NET = "/load-balancer/v2/lbaas", "/network/v2.0"
# Answers with its name and the request's headers; "/health" fails while the file exists.
SERVER = """import http.server, os, socket, sys
name, flag = sys.argv[1:3]
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(500 if self.path == "/health" and os.path.exists(flag) else 200)
        self.end_headers()
        self.wfile.write((name + "\\n" + "".join(f"{k.lower()}: {v}\\n" for k, v in self.headers.items())).encode())
    def log_message(self, *_):
        pass
class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
Server(("::", 80), Handler).serve_forever()
"""


class Lab:
    def __init__(self, region, guests):
        self.region, self.guests = region, guests
        self.ec2 = ec2 = region.account("alice")
        password = region.command("user", "create", "anna", "--account", "alice", "--role", "admin")["password"]
        self.project = cloud.Project(region, "alice", "anna", password)
        self.outside = self.project.ok("GET", f"{NET}/networks?router:external=true")["networks"][0]["id"]
        vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
        self.vpc, subnet = vpc, ec2.create_subnet(VpcId=vpc, CidrBlock="10.7.1.0/24")["Subnet"]
        self.ec2_subnet = subnet["SubnetId"]
        ours = [{"Name": "vpc-id", "Values": [vpc]}]
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        table = ec2.describe_route_tables(Filters=ours)["RouteTables"][0]["RouteTableId"]
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
        group = ec2.describe_security_groups(Filters=ours)["SecurityGroups"][0]["GroupId"]
        ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=80, ToPort=80, CidrIp="0.0.0.0/0")
        self.ids = dict(zip(("client", "one", "two"), launch(ec2, 3, SubnetId=subnet["SubnetId"])))
        wait_state(ec2, list(self.ids.values()), "running")
        self.group, self.addresses, self.interfaces = group, {}, {}
        for name, identifier in self.ids.items():
            instance = ec2.describe_instances(InstanceIds=[identifier])["Reservations"][0]["Instances"][0]
            guests.plug(name, instance)
            self.addresses[name] = instance["PrivateIpAddress"]
            self.interfaces[name] = instance["NetworkInterfaces"][0]["NetworkInterfaceId"]
        for name in ("one", "two"):
            guests.start(name, sys.executable, "-c", SERVER, name, self.flag(name))
        port = self.project.ok("GET", f"{NET}/ports?fixed_ips=ip_address%3D{self.addresses['client']}")["ports"][0]
        self.subnet = port["fixed_ips"][0]["subnet_id"]

    def flag(self, name):
        return f"{self.region.demo}/sick-{name}"

    def show(self, path, one):
        return self.project.ok("GET", f"{LB}/{path}")[one]

    def ready(self):
        wait_until(lambda: self.show(f"loadbalancers/{self.id}", "loadbalancer")["provisioning_status"] == "ACTIVE", "the load balancer is active")

    def ask(self):
        return self.guests.ns("client", "curl", "-s", "--connect-timeout", "2", "-m", "5", f"http://{self.vip}/", fails=True)

    def head(self, path, *more):
        """Status and target of a redirect."""
        answer = self.guests.ns("client", "curl", "-s", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", "-m", "5", *more, f"http://{self.vip}{path}", fails=True)
        return answer.strip()

    def policy(self, rules, **body):
        rules = [dict(zip(("type", "compare_type", "value", "key", "invert"), rule)) for rule in rules]
        made = self.project.ok("POST", f"{LB}/l7policies", {"l7policy": {"listener_id": self.listener, "rules": rules, **body}})["l7policy"]
        self.ready()
        return made["id"]

    def check_policies(self):
        """Each action, and each comparison of each part of a request."""
        region, see = self.region, self.head
        self.policy([("PATH", "STARTS_WITH", "/secret"), ("HEADER", "EQUAL_TO", '"let me in"', "X-Word", True)], action="REJECT")
        region.check_soon("a path is rejected", lambda: see("/secret/a") == "403" and see("/public") == "200")
        region.check("unless an inverted rule is not met", see("/secret/a", "-H", "X-Word: let me in") == "200")
        self.policy([("HOST_NAME", "ENDS_WITH", ".old.test")], action="REDIRECT_PREFIX", redirect_prefix="https://new.test", redirect_http_code=308)
        self.policy([("FILE_TYPE", "EQUAL_TO", "jpg")], action="REDIRECT_TO_URL", redirect_url="http://images.test/%20")
        region.check_soon("a host is redirected with its path", lambda: see("/a?b=c", "-H", "Host: WWW.old.test") == "308 https://new.test/a?b=c")
        region.check_soon("a type of file to one URL", lambda: see("/x.jpg") == "302 http://images.test/%20")
        region.check("and no other type", see("/x.jpg.txt") == "200")
        pool = self.project.ok("POST", f"{LB}/pools", {"pool": {"loadbalancer_id": self.id, "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN", "members": [
            {"address": self.addresses["two"], "protocol_port": 80}]}})["pool"]["id"]
        self.ready()
        self.policy([("COOKIE", "CONTAINS", "b", "who"), ("PATH", "REGEX", "^/[0-9]{2}($|/)")], action="REDIRECT_TO_POOL", redirect_pool_id=pool)
        name = lambda path: self.guests.ns("client", "curl", "-s", "-m", "5", "-H", "Cookie: who=abc", f"http://{self.vip}{path}", fails=True).partition("\n")[0]  # noqa: E731
        region.check_soon("a cookie and a pattern lead to a pool", lambda: {name("/42") for _ in range(6)} == {"two"})
        region.check("and other paths do not", {name("/421") for _ in range(6)} == {"one", "two"})
        self.change(f"pools/{pool}", "pool", {"admin_state_up": False})
        region.check_soon("a pool that is down takes none", lambda: {name("/42") for _ in range(6)} == {"one", "two"})
        region.check("a rejection comes before redirects", see("/secret.jpg") == "403")
        for policy in self.project.ok("GET", f"{LB}/l7policies")["l7policies"]:
            assert self.project.call("DELETE", f"{LB}/l7policies/{policy['id']}").status == 204
            self.ready()
        region.check_soon("without policies all is served", lambda: see("/secret/x.jpg") == "200")

    def container(self, certificate):
        """Reference to a container with the certificate and its key."""
        parts = []
        for name, text in (("certificate", certificate.text), ("private_key", certificate.key)):
            stored = self.project.ok("POST", "/key-manager/v1/secrets", {"payload": text, "payload_content_type": "text/plain"})
            parts.append({"name": name, "secret_ref": stored["secret_ref"]})
        return self.project.ok("POST", "/key-manager/v1/containers", {"type": "certificate", "secret_refs": parts})["container_ref"]

    def check_tls(self, pool):
        """A listener ends TLS with the certificate of a container, and with another one after a change."""
        authority, trusted = pem.Certificate("authority"), f"{self.region.demo}/authority.pem"
        with open(trusted, "w", encoding="utf-8") as file:
            file.write(authority.text)
        made = self.project.ok("POST", f"{LB}/listeners", {"listener": {
            "loadbalancer_id": self.id, "protocol": "TERMINATED_HTTPS", "protocol_port": 443, "default_pool_id": pool, "insert_headers": {"X-Forwarded-Proto": "true"},
            "default_tls_container_ref": self.container(authority.issue("web.test"))}})["listener"]["id"]
        self.ready()

        def ask(name):
            return self.guests.ns("client", "curl", "-s", "-m", "5", "--cacert", trusted, "--resolve", f"{name}:443:{self.vip}", f"https://{name}/", fails=True)
        self.region.check_soon("TLS ends at the load balancer", lambda: "x-forwarded-proto: https\n" in ask("web.test"))
        self.region.check("and another name is not vouched for", ask("new.test") == "")
        self.change(f"listeners/{made}", "listener", {"default_tls_container_ref": self.container(authority.issue("new.test"))})
        self.region.check_soon("a changed certificate is presented", lambda: "x-forwarded-proto: https\n" in ask("new.test"))
        assert self.project.call("DELETE", f"{LB}/listeners/{made}").status == 204
        self.ready()

    def begin_ipv6(self):
        """Gives the subnet an IPv6 block, and each guest an address; returns Neutron's id of the block's subnet and the addresses."""
        self.region.run(self.region.dari, "network", "set-ipv6", "internet", "--pool", "2001:db8:d000::/48", "--next-hop", "fe80::1")
        self.ec2.associate_vpc_cidr_block(VpcId=self.vpc, AmazonProvidedIpv6CidrBlock=True)
        block = self.ec2.describe_vpcs(VpcIds=[self.vpc])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"]
        self.ec2.associate_subnet_cidr_block(SubnetId=self.ec2_subnet, Ipv6CidrBlock=block.replace("00::/56", "01::/64"))
        self.ec2.authorize_security_group_ingress(GroupId=self.group, IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}])
        six = {name: self.ec2.assign_ipv6_addresses(NetworkInterfaceId=nic, Ipv6AddressCount=1)["AssignedIpv6Addresses"][0] for name, nic in self.interfaces.items()}
        for name, address in six.items():
            self.guests.ns(name, "ip", "-6", "addr", "add", f"{address}/128", "dev", "eth0", "nodad")
            self.region.check_soon(f"a way out is advertised to {name}", lambda n=name: "default via fe80" in self.guests.ns(n, "ip", "-6", "route"))
        port = self.project.ok("GET", f"{NET}/ports?fixed_ips=ip_address%3D{self.addresses['client']}")["ports"][0]
        return next(f["subnet_id"] for f in port["fixed_ips"] if ":" in f["ip_address"]), six

    def check_ipv6(self):
        """A VIP and members of IPv6."""
        subnet, six = self.begin_ipv6()
        made = self.project.ok("POST", f"{LB}/loadbalancers", {"loadbalancer": {"vip_subnet_id": subnet, "listeners": [{
            "protocol": "HTTP", "protocol_port": 80, "insert_headers": {"X-Forwarded-For": "true"}, "allowed_cidrs": [f"{six['client']}/128"], "default_pool": {
                "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN", "members": [{"address": six[n], "protocol_port": 80, "name": n} for n in ("one", "two")],
                "healthmonitor": {"type": "HTTP", "delay": 1, "timeout": 1, "max_retries": 1, "max_retries_down": 1, "url_path": "/health"}}}]}})["loadbalancer"]
        former, self.id = self.id, made["id"]
        ask = lambda name="client": self.guests.ns(name, "curl", "-s", "--connect-timeout", "2", "-m", "5", f"http://[{made['vip_address']}]/", fails=True)  # noqa: E731
        self.ready()
        self.region.check_soon("members of IPv6 answer at a VIP of IPv6", lambda: {ask().partition("\n")[0] for _ in range(8)} == {"one", "two"})
        self.region.check("and see the client in a header", f"x-forwarded-for: {six['client']}\n" in ask())
        self.region.check("others are kept out", ask("one") == "")
        status = lambda: {m["operating_status"] for m in self.show(f"pools/{made['pools'][0]['id']}/members", "members")}  # noqa: E731
        self.region.check_soon("both are online", lambda: status() == {"ONLINE"})
        assert self.project.call("DELETE", f"{LB}/loadbalancers/{self.id}?cascade=true").status == 204
        self.region.check_soon("nobody answers once it is gone", lambda: ask() == "")
        self.id = former

    def answers(self):
        return {self.ask().partition("\n")[0] for _ in range(8)}

    def change(self, path, one, body):
        self.project.ok("PUT", f"{LB}/{path}", {one: body})
        self.ready()


def main():
    os.environ["DARI_DEMO_URI"] = "sim://"
    with Region("octavia") as region, Guests(region) as guests:
        lab = Lab(region, guests)
        made = lab.project.ok("POST", f"{LB}/loadbalancers", {"loadbalancer": {"vip_subnet_id": lab.subnet, "listeners": [{
            "protocol": "HTTP", "protocol_port": 80, "insert_headers": {"X-Forwarded-For": "true"}, "default_pool": {
                "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN",
                "members": [{"address": lab.addresses[n], "protocol_port": 80, "name": n} for n in ("one", "two")],
                "healthmonitor": {"type": "HTTP", "delay": 1, "timeout": 1, "max_retries": 1, "max_retries_down": 1, "url_path": "/health"}}}]}})["loadbalancer"]
        lab.id, lab.vip = made["id"], made["vip_address"]
        lab.ready()
        region.check_soon("both members answer", lambda: lab.answers() == {"one", "two"})
        region.check("and see the client in a header", f"x-forwarded-for: {lab.addresses['client']}\n" in lab.ask())
        pool, listener = made["pools"][0]["id"], made["listeners"][0]["id"]
        status = lambda: {m["name"]: m["operating_status"] for m in lab.show(f"pools/{pool}/members", "members")}  # noqa: E731
        region.check_soon("both are online", lambda: set(status().values()) == {"ONLINE"})
        open(lab.flag("one"), "w").close()
        region.check_soon("a sick member gets no request", lambda: status()["one"] == "ERROR" and lab.answers() == {"two"})
        region.check("and the pool is degraded", lab.show(f"pools/{pool}", "pool")["operating_status"] == "DEGRADED")
        os.unlink(lab.flag("one"))
        region.check_soon("it comes back", lambda: lab.answers() == {"one", "two"})
        lab.listener = listener
        lab.check_policies()
        lab.check_tls(pool)
        counted = lambda path: lab.show(f"{path}/stats", "stats")["total_connections"]  # noqa: E731
        region.check_soon("the listener counts connections", lambda: counted(f"listeners/{listener}") >= 16)
        before = counted(f"loadbalancers/{lab.id}")
        lab.change(f"listeners/{listener}", "listener", {"allowed_cidrs": ["192.0.2.0/24"]})
        region.check_soon("other clients are kept out", lambda: lab.answers() == {""})
        region.check("and a reload loses none", counted(f"loadbalancers/{lab.id}") >= before)
        lab.change(f"listeners/{listener}", "listener", {"allowed_cidrs": None})
        lab.change(f"pools/{pool}", "pool", {"session_persistence": {"type": "SOURCE_IP"}})
        region.check_soon("a client stays with a member", lambda: len(lab.answers()) == 1)
        admin = cloud.make_admin(region)
        before = counted(f"loadbalancers/{lab.id}")
        assert admin.call("PUT", f"{LB}/loadbalancers/{lab.id}/failover").status == 202
        lab.ready()
        region.check_soon("another process serves after a failover", lambda: lab.answers() & {"one", "two"})
        region.check_soon("and counts on", lambda: counted(f"loadbalancers/{lab.id}") > before)
        floating = lab.project.ok("POST", f"{NET}/floatingips", {"floatingip": {"floating_network_id": lab.outside, "port_id": made["vip_port_id"]}})["floatingip"]
        ask = lambda: region.on("inet", "curl", "-s", "--interface", WEB, "--connect-timeout", "2", "-m", "5",  # noqa: E731
                                f"http://{floating['floating_ip_address']}/", fails=True)
        region.check_soon("the internet reaches a floating address", lambda: ask().partition("\n")[0] in ("one", "two"))
        lab.check_ipv6()
        region.check_clean()
        assert lab.project.call("DELETE", f"{LB}/loadbalancers/{lab.id}?cascade=true").status == 204
        region.check_soon("no process and no file is left", lambda: not os.listdir(f"{region.demo}/data/proxies"))


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/ec2 src/api/elb src/engine/balancing src/reconcile/balancing docs/kubernetes.md tests/clients/kubernetes
# when: long
# limit: 5400 s
"""A stock Kubernetes with cloud-provider-aws, as docs/kubernetes.md says: runs that page's blocks in their order. Machines of `dari dev` run no guest, so this
script plays their kubelets; every other program is Kubernetes' own. Each test goes on where the one before it ended."""
import os
import re
import subprocess
import sys
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import native  # noqa: E402
import warm  # noqa: E402
from dev import REGION, ROOT, Dev  # noqa: E402
from elb_world import make_certificate  # noqa: E402
from kubernetes import UNINITIALIZED, ControlPlane, Kubelets, Metadata  # noqa: E402
from waiting import Stalled, wait_until  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
PAGE = os.path.join(ROOT, "docs/kubernetes.md")
SERVICE = "service.beta.kubernetes.io/aws-load-balancer-"
TAG = "kubernetes.io/cluster/demo"
LISTS = [("ec2", "describe_vpcs", "Vpcs"), ("ec2", "describe_subnets", "Subnets"), ("ec2", "describe_volumes", "Volumes"), ("ec2", "describe_addresses", "Addresses"),
         ("ec2", "describe_network_interfaces", "NetworkInterfaces"), ("ec2", "describe_internet_gateways", "InternetGateways"),
         ("ec2", "describe_route_tables", "RouteTables"), ("ec2", "describe_security_groups", "SecurityGroups"), ("elbv2", "describe_load_balancers", "LoadBalancers"),
         ("elbv2", "describe_target_groups", "TargetGroups"), ("elb", "describe_load_balancers", "LoadBalancerDescriptions"), ("iam", "list_roles", "Roles"),
         ("iam", "list_instance_profiles", "InstanceProfiles"), ("iam", "list_server_certificates", "ServerCertificateMetadataList")]


def page_blocks():
    """[(heading, block)] of the page's shell blocks."""
    with open(PAGE, encoding="utf-8") as file:
        parts = re.split(r"^#+ (.*)$", file.read(), flags=re.MULTILINE)
    return [(heading, block) for heading, text in zip(parts[1::2], parts[2::2]) for block in re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)]


class Shell:
    """A bash that runs the page's blocks; it ends at the first command that fails."""

    def __init__(self, env, room):
        self.room = room
        self.bash = subprocess.Popen(["/bin/bash", "-eu"], env=env, cwd=room, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(f"{room}/shell.log", "w", encoding="utf-8"))

    def run(self, block):
        self.bash.stdin.write(block + "\necho; echo BLOCK-END\n")
        self.bash.stdin.flush()
        said = []
        for line in self.bash.stdout:
            if line == "BLOCK-END\n":
                return "".join(said).strip()
            said.append(line)
        with open(f"{self.room}/shell.log", encoding="utf-8") as log:
            raise AssertionError(f"{block}\n{''.join(said)}\n{log.read()[-4000:]}")

    def value(self, words):
        return self.run(f"echo {words}").split()


class Place:
    """A region, an account in it and a shell; later a control plane."""

    def __init__(self, dev, room, programs):
        self.dev, self.room, self.account = dev, room, dev.new_account("kubernetes")
        warm_env = {"PATH": "/usr/bin:/bin", "HOME": str(room), "AWS_DEFAULT_REGION": REGION, "LC_ALL": "C.UTF-8"}
        warm.command(room / "aws", "/usr/bin/aws", warm_env)
        self.common = {**warm_env, "PATH": f"{room}:{programs}:/usr/bin:/bin", "AWS_REGION": REGION, "AWS_ENDPOINT_URL": dev.url, "AWS_CA_BUNDLE": os.environ["AWS_CA_BUNDLE"]}
        self.shell = Shell({**self.common, "AWS_ACCESS_KEY_ID": self.account.key_id, "AWS_SECRET_ACCESS_KEY": self.account.secret, "KUBECONFIG": f"{room}/kubeconfig"}, room)
        self.clients = {service: self.account.client(service) for service in {service for service, *_ in LISTS}}
        self.ec2, self.elb, self.elbv2 = (self.clients[s] for s in ("ec2", "elb", "elbv2"))
        self.blocks = page_blocks()
        self.before = self.counts()
        self.plane = self.kubelets = None

    def counts(self):
        return {(service, what): len(getattr(self.clients[service], call)()[what]) for service, call, what in LISTS}

    def run_page(self, *headings):
        for heading, block in self.blocks:
            if heading in headings:
                self.shell.run(block)

    def start_manager(self, program, env, *more):
        """Starts the program of a page's block, with options that only a test needs."""
        block, = (b for _, b in self.blocks if b.startswith(program))
        self.plane.start(program, ["/bin/bash", "-c", f"exec {block.strip()} {' '.join(more)}"], {**env, "cluster": "demo"})

    def instance(self, identifier):
        return self.ec2.describe_instances(InstanceIds=[identifier])["Reservations"][0]["Instances"][0]

    def is_running(self, identifier):
        return "<name>running<" in self.account.call("DescribeInstances", {"InstanceId.1": identifier}).text

    def register(self, identifier, **metadata):
        """Registers the node of a machine; returns its name."""
        machine = self.instance(identifier)
        name = machine["PrivateDnsName"]
        self.kubelets.register(identifier, name, machine["Placement"]["AvailabilityZone"], machine["PrivateIpAddress"])
        if metadata:
            self.plane.patch(f"/api/v1/nodes/{name}", metadata)
        return name

    def until(self, holds, words):
        """Waits until holds(). A failure shows Kubernetes' events and the controller's last words."""
        try:
            return wait_until(holds, words, every_s=0.5)
        except Stalled as why:
            raise AssertionError(f"{why}\n{chr(10).join(self.plane.events())}\n{self.plane.log('aws-cloud-controller-manager')[-6000:]}") from None

    def hostname(self, service):
        return [i["hostname"] for i in self.plane.service(service)["status"]["loadBalancer"].get("ingress", [])]

    def balancer_name(self, service):
        return "a" + self.plane.service(service)["metadata"]["uid"].replace("-", "")[:31]

    def classic(self, service):
        return self.elb.describe_load_balancers(LoadBalancerNames=[self.balancer_name(service)])["LoadBalancerDescriptions"][0]

    def classic_states(self, service):
        return {s["InstanceId"]: s["State"] for s in self.elb.describe_instance_health(LoadBalancerName=self.balancer_name(service))["InstanceStates"]}

    def network(self, service):
        return self.elbv2.describe_load_balancers(Names=[self.balancer_name(service)])["LoadBalancers"][0]

    def network_states(self, service):
        """State of each target of each of the load balancer's target groups."""
        groups = self.elbv2.describe_target_groups(LoadBalancerArn=self.network(service)["LoadBalancerArn"])["TargetGroups"]
        return [{t["Target"]["Id"]: t["TargetHealth"]["State"] for t in self.elbv2.describe_target_health(TargetGroupArn=g["TargetGroupArn"])["TargetHealthDescriptions"]}
                for g in groups]

    def routes(self):
        """{destination: instance} of the cluster's route table."""
        table, = self.ec2.describe_route_tables(Filters=[{"Name": "tag-key", "Values": [TAG]}])["RouteTables"]
        return {r["DestinationCidrBlock"]: r["InstanceId"] for r in table["Routes"] if r.get("InstanceId")}

    def pods(self):
        """{pod: node} of the pods that are not about to end."""
        return {name: pod["spec"].get("nodeName") for name, pod in self.plane.all("/api/v1/namespaces/default/pods").items() if "deletionTimestamp" not in pod["metadata"]}


@pytest.fixture(scope="module", name="place")
def make_place(request, tmp_path_factory):
    subprocess.run([f"{ROOT}/tools/clients", "install", "kubernetes"], check=True)
    where = subprocess.run([f"{ROOT}/tools/clients", "where", "kubernetes"], check=True, capture_output=True, text=True).stdout.strip()
    with Dev("--tls", instant=False) as dev:
        os.environ["AWS_CA_BUNDLE"] = os.path.join(os.path.dirname(dev.config), "tls.pem")
        native.admin(dev).api_ok("PUT", "/settings", {"name": "balancers.domain", "value": "amazonaws.com"})
        room = tmp_path_factory.mktemp("kubernetes")
        place = Place(dev, room, f"{where}/bin")
        place.started, place.uncaptured = time.monotonic(), request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled
        place.run_page("A cluster by hand", "The network", "A role for the controller", "The machines")
        place.shell.run(next(block for _, block in place.blocks if block.startswith("cat > cloud.conf")))
        (place.control,), place.workers = place.shell.value("$control_plane"), place.shell.value("$workers")
        took(place, "network and machines")
        with ControlPlane(f"{where}/bin", room) as place.plane, Kubelets(place.plane, place.is_running) as place.kubelets, \
                Metadata(f"{dev.metadata}/{place.control}") as metadata:
            place.start_manager("kube-controller-manager", place.common, "--leader-elect=false --secure-port=0 --node-monitor-period=1s --node-monitor-grace-period=20s")
            place.start_manager("aws-cloud-controller-manager", {**place.common, "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.url},
                                "--leader-elect=false --secure-port=0 --v=4 --node-monitor-period=1s --route-reconciliation-period=2s --use-service-account-credentials=false")
            took(place, "control plane")
            yield place


def took(place, what):
    """Prints how long the tour has taken so far. The figure is for readers; no test depends on it."""
    with place.uncaptured():
        print(f"\n{what}: {time.monotonic() - place.started:.0f} s from the start", end=" ")


def test_nodes_are_initialised(place):
    """The controller finds each machine, says its addresses, zone and type, and removes its taint."""
    place.register(place.control, metadata={"labels": {"node-role.kubernetes.io/control-plane": "", "node.kubernetes.io/exclude-from-external-load-balancers": ""}})
    names = {place.register(worker): worker for worker in place.workers}
    place.until(lambda: all(UNINITIALIZED not in str(node["spec"].get("taints")) for node in place.plane.nodes().values()), "the nodes' taints are removed")
    took(place, "nodes initialised")
    zones = {z["ZoneName"]: z["ZoneId"] for z in place.ec2.describe_availability_zones()["AvailabilityZones"]}
    nodes = place.plane.nodes()
    assert len(nodes) == 3
    for name, worker in names.items():
        machine, labels = place.instance(worker), nodes[name]["metadata"]["labels"]
        zone = machine["Placement"]["AvailabilityZone"]
        assert (labels["topology.kubernetes.io/zone"], labels["topology.k8s.aws/zone-id"]) == (zone, zones[zone])
        assert (labels["topology.kubernetes.io/region"], labels["node.kubernetes.io/instance-type"]) == (REGION, "t3.medium")
        addresses = {(a["type"], a["address"]) for a in nodes[name]["status"]["addresses"]}
        assert addresses >= {("InternalIP", machine["PrivateIpAddress"]), ("ExternalIP", machine["PublicIpAddress"]), ("InternalDNS", name)}
    assert len({node["metadata"]["labels"]["topology.kubernetes.io/zone"] for name, node in nodes.items() if name in names}) == 2


def test_routes_lead_to_nodes(place):
    """Each node's block of the pods' network is routed to its machine, which no longer checks sources."""
    def routed():
        blocks = {node["spec"].get("podCIDR"): node["spec"]["providerID"].rpartition("/")[2] for node in place.plane.nodes().values()}
        return len(blocks) == 3 and place.routes() == blocks
    place.until(routed, "each node has its route")
    assert not any(place.instance(i)["SourceDestCheck"] for i in [place.control, *place.workers])


def test_pods_spread_over_zones(place):
    """The scheduler knows the zones that Dari said."""
    place.plane.ask("POST", "/apis/apps/v1/namespaces/default/deployments", {
        "kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "web"},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}}, "spec": {
            "containers": [{"name": "web", "image": "web"}], "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                {"matchExpressions": [{"key": "node-role.kubernetes.io/control-plane", "operator": "DoesNotExist"}]}]}}},
            "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule",
                                           "labelSelector": {"matchLabels": {"app": "web"}}}]}}}})
    place.until(lambda: len(place.pods()) == 2 and len(set(place.pods().values()) - {None}) == 2, "each worker has a pod")


def test_services_get_balancers(place):
    """Classic by default, network by annotation: hostnames in the Services' status, workers as healthy targets, rules in the nodes' group."""
    place.run_page("Services")
    place.until(lambda: place.hostname("web") and place.hostname("fast"), "both Services have hostnames")
    took(place, "Services have hostnames")
    healthy = {worker: "healthy" for worker in place.workers}
    place.until(lambda: place.classic_states("web") == dict.fromkeys(place.workers, "InService") and place.network_states("fast") == [healthy], "the targets are healthy")
    took(place, "targets healthy")
    web, fast = place.classic("web"), place.network("fast")
    assert place.hostname("web") == [web["DNSName"]] and place.hostname("fast") == [fast["DNSName"]]
    ports = {name: place.plane.service(name)["spec"]["ports"][0]["nodePort"] for name in ("web", "fast")}
    assert [d["Listener"]["InstancePort"] for d in web["ListenerDescriptions"]] == [ports["web"]]
    assert web["HealthCheck"]["Target"] == f"TCP:{ports['web']}" and sorted(web["Subnets"]) == sorted(place.shell.value("$subnets"))
    tags = place.elb.describe_tags(LoadBalancerNames=[web["LoadBalancerName"]])["TagDescriptions"][0]["Tags"]
    assert {"Key": "kubernetes.io/service-name", "Value": "default/web"} in tags and {"Key": TAG, "Value": "owned"} in tags
    group, = place.ec2.describe_security_groups(GroupIds=place.shell.value("$nodes_group"))["SecurityGroups"]
    of_classic, = (g for g in place.ec2.describe_security_groups(GroupIds=web["SecurityGroups"])["SecurityGroups"])
    assert of_classic["GroupName"] == "k8s-elb-" + web["LoadBalancerName"]
    assert [(p["FromPort"], p["IpRanges"][0]["CidrIp"]) for p in of_classic["IpPermissions"] if p["IpProtocol"] == "tcp"] == [(80, "0.0.0.0/0")]
    sources = {pair["GroupId"] for p in group["IpPermissions"] for pair in p["UserIdGroupPairs"]}
    assert sources == {group["GroupId"], of_classic["GroupId"]}
    assert [(p["FromPort"], p["ToPort"], r["CidrIp"], r["Description"]) for p in group["IpPermissions"] for r in p["IpRanges"]
            if "client" in r["Description"]] == [(ports["fast"], ports["fast"], "0.0.0.0/0", f"kubernetes.io/rule/nlb/client={fast['LoadBalancerName']}")]


def test_changes_of_services(place):
    """A further port becomes a further listener."""
    more = {"spec": {"ports": [{"name": "http", "port": 80, "targetPort": 8080}, {"name": "more", "port": 8443, "targetPort": 8443}]}}
    for name in ("web", "fast"):
        place.plane.patch(f"/api/v1/namespaces/default/services/{name}", more)
    place.until(lambda: {d["Listener"]["LoadBalancerPort"] for d in place.classic("web")["ListenerDescriptions"]} == {80, 8443}, "the classic load balancer has both listeners")

    def listeners():
        return {one["Port"] for one in place.elbv2.describe_listeners(LoadBalancerArn=place.network("fast")["LoadBalancerArn"])["Listeners"]}
    place.until(lambda: listeners() == {80, 8443} and place.network_states("fast") == [dict.fromkeys(place.workers, "healthy")] * 2, "the network load balancer has both listeners")
    for name in ("web", "fast"):
        place.plane.patch(f"/api/v1/namespaces/default/services/{name}", {"spec": {"ports": more["spec"]["ports"][:1]}})
    place.until(lambda: listeners() == {80} and len(place.classic("web")["ListenerDescriptions"]) == 1, "the further listeners are deleted")


def test_changes_of_health_checks(place):
    """Another interval is another target group for cloud-provider-aws: it changes the listener and deletes the former group."""
    before, = place.elbv2.describe_target_groups(LoadBalancerArn=place.network("fast")["LoadBalancerArn"])["TargetGroups"]
    place.plane.patch("/api/v1/namespaces/default/services/fast", {"metadata": {"annotations": {
        f"{SERVICE}healthcheck-interval": "10", f"{SERVICE}cross-zone-load-balancing-enabled": "true", f"{SERVICE}target-group-attributes": "preserve_client_ip.enabled=true"}}})

    def groups():
        return [(g["TargetGroupArn"] == before["TargetGroupArn"], g["HealthCheckIntervalSeconds"])
                for g in place.elbv2.describe_target_groups()["TargetGroups"]]
    place.until(lambda: groups() == [(False, 10)] and place.network_states("fast") == [dict.fromkeys(place.workers, "healthy")], "the new group has healthy targets")
    attributes = place.elbv2.describe_load_balancer_attributes(LoadBalancerArn=place.network("fast")["LoadBalancerArn"])["Attributes"]
    assert {"Key": "load_balancing.cross_zone.enabled", "Value": "true"} in attributes


def test_a_node_is_excluded(place):
    """The label takes a node's machine out of both load balancers, and back in when it goes."""
    label, node = "node.kubernetes.io/exclude-from-external-load-balancers", place.instance(place.workers[1])["PrivateDnsName"]
    for value, workers in (("true", place.workers[:1]), (None, place.workers)):
        place.plane.patch(f"/api/v1/nodes/{node}", {"metadata": {"labels": {label: value}}})
        place.until(lambda workers=workers: set(place.classic_states("web")) == set(workers), "the classic load balancer has these targets")
        place.until(lambda workers=workers: [{i for i, state in t.items() if state == "healthy"} for t in place.network_states("fast")] == [set(workers)], "the network one has them")


def test_annotations(place):
    """An internal classic load balancer with a certificate, the proxy protocol, and attributes of its own."""
    certificate = place.clients["iam"].upload_server_certificate(ServerCertificateName="web", **make_certificate())["ServerCertificateMetadata"]["Arn"]
    place.plane.ask("POST", "/api/v1/namespaces/default/services", {"kind": "Service", "apiVersion": "v1", "metadata": {"name": "rich", "annotations": {
        f"{SERVICE}internal": "true", f"{SERVICE}ssl-cert": certificate, f"{SERVICE}ssl-ports": "443", f"{SERVICE}backend-protocol": "tcp", f"{SERVICE}proxy-protocol": "*",
        f"{SERVICE}connection-draining-enabled": "true", f"{SERVICE}connection-draining-timeout": "60", f"{SERVICE}connection-idle-timeout": "120",
        f"{SERVICE}cross-zone-load-balancing-enabled": "true", f"{SERVICE}healthcheck-interval": "20", f"{SERVICE}healthcheck-unhealthy-threshold": "3",
        f"{SERVICE}additional-resource-tags": "team=a", f"{SERVICE}ssl-negotiation-policy": "ELBSecurityPolicy-TLS-1-2-2017-01"}},
        "spec": {"type": "LoadBalancer", "selector": {"app": "web"}, "ports": [{"name": "https", "port": 443}, {"name": "http", "port": 80}]}})
    place.until(lambda: place.hostname("rich") and place.classic_states("rich") == dict.fromkeys(place.workers, "InService"), "the targets are healthy")
    rich = place.classic("rich")
    assert rich["Scheme"] == "internal" and (rich["HealthCheck"]["Interval"], rich["HealthCheck"]["UnhealthyThreshold"]) == (20, 3)
    listeners = {d["Listener"]["LoadBalancerPort"]: d["Listener"] for d in rich["ListenerDescriptions"]}
    assert (listeners[443]["Protocol"], listeners[443]["SSLCertificateId"], listeners[80]["Protocol"]) == ("SSL", certificate, "TCP")
    assert {p for d in rich["BackendServerDescriptions"] for p in d["PolicyNames"]} == {"k8s-proxyprotocol-enabled"}
    attributes = place.elb.describe_load_balancer_attributes(LoadBalancerName=rich["LoadBalancerName"])["LoadBalancerAttributes"]
    assert (attributes["ConnectionDraining"], attributes["ConnectionSettings"]["IdleTimeout"]) == ({"Enabled": True, "Timeout": 60}, 120)
    assert attributes["CrossZoneLoadBalancing"]["Enabled"]
    assert {"Key": "team", "Value": "a"} in place.elb.describe_tags(LoadBalancerNames=[rich["LoadBalancerName"]])["TagDescriptions"][0]["Tags"]
    change_annotations(place, "rich")
    place.plane.ask("DELETE", "/api/v1/namespaces/default/services/rich")
    place.until(lambda: "rich" not in place.plane.all("/api/v1/namespaces/default/services"), "the Service is deleted")
    place.clients["iam"].delete_server_certificate(ServerCertificateName="web")


def change_annotations(place, service):
    """A further group, another subnet list, and no proxy protocol any more."""
    extra = place.ec2.create_security_group(GroupName="extra", Description="further", VpcId=place.shell.value("$vpc")[0])["GroupId"]
    subnet = place.shell.value("$subnets")[0]
    place.plane.patch(f"/api/v1/namespaces/default/services/{service}", {"metadata": {"annotations": {
        f"{SERVICE}extra-security-groups": extra, f"{SERVICE}subnets": subnet, f"{SERVICE}proxy-protocol": None, f"{SERVICE}connection-idle-timeout": "90"}}})
    place.until(lambda: extra in place.classic(service)["SecurityGroups"] and place.classic(service)["Subnets"] == [subnet], "the group and the subnet are the balancer's")
    place.until(lambda: not [p for d in place.classic(service)["BackendServerDescriptions"] for p in d["PolicyNames"]], "the proxy protocol is off")
    place.plane.patch(f"/api/v1/namespaces/default/services/{service}", {"metadata": {"annotations": {f"{SERVICE}extra-security-groups": None, f"{SERVICE}subnets": None}}})
    place.until(lambda: extra not in place.classic(service)["SecurityGroups"] and len(place.classic(service)["Subnets"]) == 2, "the group is let go")
    place.ec2.delete_security_group(GroupId=extra)


def test_what_does_not_work(place):
    """The page's refusals reach the Service's events in Dari's words, and leave nothing behind."""
    for name, more, words in (("local", {"externalTrafficPolicy": "Local"}, "by another protocol are not supported"), ("udp", {}, "have no health checks")):
        port = {"port": 53, "protocol": "UDP" if name == "udp" else "TCP"}
        place.plane.ask("POST", "/api/v1/namespaces/default/services", {"kind": "Service", "apiVersion": "v1", "metadata": {"name": name, "annotations": {f"{SERVICE}type": "nlb"}},
                                                                        "spec": {"type": "LoadBalancer", "selector": {"app": "web"}, "ports": [port], **more}})
        place.until(lambda words=words: any(words in e for e in place.plane.events()), f"the refusal of {name} is an event")
        place.plane.ask("DELETE", f"/api/v1/namespaces/default/services/{name}")
        place.until(lambda name=name: name not in place.plane.all("/api/v1/namespaces/default/services"), "the Service is deleted")


def test_a_terminated_machine_leaves(place):
    """The node of a terminated machine is deleted, with its route and its targets. A new machine takes its place."""
    gone, stays = place.workers
    place.ec2.terminate_instances(InstanceIds=[gone])
    place.until(lambda: gone not in str(place.plane.nodes()), "the node is deleted")
    place.until(lambda: set(place.classic_states("web")) == {stays} and [set(t) for t in place.network_states("fast")] == [{stays}], "the targets are deregistered")
    place.until(lambda: sorted(place.routes().values()) == sorted([place.control, stays]), "the route is deleted")
    place.until(lambda: len(place.pods()) == 2 and None not in place.pods().values(), "the remaining worker has both pods")
    added, = place.shell.run('set -- $subnets; new=$(machine "$1" worker); workers="${workers##* } $new"; aws ec2 wait instance-running --instance-ids "$new"; echo "$new"').split()
    place.workers = [stays, added]
    place.register(added)
    place.until(lambda: place.classic_states("web") == dict.fromkeys(place.workers, "InService"), "the new machine is a healthy target")
    place.until(lambda: place.network_states("fast") == [dict.fromkeys(place.workers, "healthy")], "the new machine is a healthy target")


def test_everything_is_deleted(place):
    """The controller leaves nothing behind, and the page's last commands remove the rest."""
    place.plane.ask("DELETE", "/apis/apps/v1/namespaces/default/deployments/web")
    delete, rest = (block for heading, block in place.blocks if heading == "Deleting")
    place.shell.run(delete)
    place.until(lambda: len(place.plane.nodes()) == 1 and list(place.routes().values()) == [place.control], "the nodes and their routes are deleted")
    place.shell.run(rest)
    place.dev.rest()
    place.until(lambda: place.counts() == place.before, "nothing is left")
    assert place.dev.audit() == []
    took(place, "everything deleted")


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider", *sys.argv[1:]]))

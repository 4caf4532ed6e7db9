#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/openstack/network src/engine/network
"""The network through the stock openstack command and openstacksdk: everyday use of networks, subnets, ports, routers, floating addresses, security
groups, tags and quotas, compared with EC2."""
import json
import os
import re
import sys
import urllib.request

import openstack
import openstack.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import warm  # noqa: E402
from dev import Dev  # noqa: E402
from waiting import HANG_S  # noqa: E402


class Cloud:
    def __init__(self):
        self.dev = Dev()
        self.env = dict(re.findall(r"(OS_\w+)=(\S+)", self.dev.banner))
        self.admin_password = re.search(r'"admin" with the password (\S+)', self.dev.banner).group(1)
        self.sdk = self.connect()

    def connect(self, **other):
        env = {**self.env, **other}
        return openstack.connect(
            auth_url=env["OS_AUTH_URL"], username=env["OS_USERNAME"], password=env["OS_PASSWORD"],
            project_name=env["OS_PROJECT_NAME"], user_domain_name="Default", project_domain_name="Default",
            region_name=env["OS_REGION_NAME"], identity_api_version="3")

    def run(self, *argv, check=True):
        """The command's output, parsed as JSON if possible."""
        form = [] if argv[1] in ("delete", "set", "unset", "add", "remove") or "delete" in argv[:5] or "set" in argv[:5] \
            or "unset" in argv[:4] or "add" in argv[:3] or "remove" in argv[:3] else ["-f", "json"]
        done = warm.run(["/usr/bin/openstack", *argv, *form], {**os.environ, **self.env})
        assert not check or done.returncode == 0, f"{argv}: {done.stderr}"
        return done if not check else json.loads(done.stdout) if done.stdout.strip() else None


@pytest.fixture(scope="module")
def cloud():
    c = Cloud()
    with c.dev:
        yield c


@pytest.fixture(scope="module")
def external(cloud):
    return next(iter(cloud.sdk.network.networks(is_router_external=True)))


def test_the_stock_command(cloud, external):
    """A private network with a gateway and a floating address, created and deleted as in the manuals."""
    run = cloud.run
    assert [n["Name"] for n in run("network", "list", "--external")] == [external.name]
    assert run("network", "create", "net", "--description", "d")["admin_state_up"] is True
    subnet = run("subnet", "create", "sub", "--network", "net", "--subnet-range", "10.1.0.0/24",
                 "--dns-nameserver", "192.0.2.53", "--allocation-pool", "start=10.1.0.10,end=10.1.0.99")
    assert subnet["gateway_ip"] == "10.1.0.1" and subnet["dns_nameservers"] == ["192.0.2.53"]
    run("router", "create", "r")
    run("router", "set", "r", "--external-gateway", external.name)
    run("router", "add", "subnet", "r", "sub")
    shown = run("router", "show", "r")
    assert shown["external_gateway_info"]["enable_snat"] is True
    assert [i["ip_address"] for i in shown["interfaces_info"]] == ["10.1.0.1"]
    port = run("port", "create", "p", "--network", "net", "--fixed-ip", "subnet=sub,ip-address=10.1.0.77")
    assert port["fixed_ips"][0]["ip_address"] == "10.1.0.77"
    floating = run("floating", "ip", "create", external.name, "--port", "p")
    assert floating["fixed_ip_address"] == "10.1.0.77" and floating["router_id"] == shown["id"]
    assert [f["Fixed IP Address"] for f in run("floating", "ip", "list")] == ["10.1.0.77"]
    refused = run("router", "unset", "r", "--external-gateway", check=False)
    assert refused.returncode != 0 and "public addresses" in refused.stderr
    run("router", "set", "r", "--route", "destination=198.51.100.0/24,gateway=10.1.0.9")
    assert run("router", "show", "r")["routes"] == [{"destination": "198.51.100.0/24", "nexthop": "10.1.0.9"}]
    run("router", "unset", "r", "--route", "destination=198.51.100.0/24,gateway=10.1.0.9")
    run("floating", "ip", "unset", "--port", floating["id"])
    forward = ("floating", "ip", "port", "forwarding")
    made = run(*forward, "create", floating["id"], "--port", port["id"], "--internal-ip-address", "10.1.0.77", "--protocol", "tcp",
               "--internal-protocol-port", "22", "--external-protocol-port", "2222", "--description", "ssh")
    assert (made["internal_port"], made["external_port"], made["protocol"]) == (22, 2222, "tcp")
    assert run("floating", "ip", "show", floating["id"])["status"] == "ACTIVE"
    refused = run("floating", "ip", "delete", floating["id"], check=False)
    assert refused.returncode != 0 and "Port Forwarding" in refused.stderr
    run(*forward, "set", floating["id"], made["id"], "--external-protocol-port", "8080", "--protocol", "udp", "--port", port["id"])
    (listed,) = run(*forward, "list", floating["id"], "--protocol", "udp")
    assert (listed["ID"], listed["External Port"], listed["Internal Port"]) == (made["id"], 8080, 22), listed
    assert run(*forward, "show", floating["id"], made["id"])["description"] == "ssh"
    run(*forward, "delete", floating["id"], made["id"])
    assert run(*forward, "list", floating["id"]) == []
    run("floating", "ip", "delete", floating["id"])
    run("network", "set", "net", "--name", "other", "--tag", "blue")
    assert [n["Name"] for n in run("network", "list", "--tags", "blue")] == ["other"]
    run("port", "delete", "p")
    run("router", "remove", "subnet", "r", "sub")
    run("router", "delete", "r")
    run("network", "delete", "other")
    assert run("subnet", "list", "--name", "sub") == []


def test_ipv6_by_the_command(cloud):
    """A dual-stack network with automatic IPv6 addresses."""
    run = cloud.run
    run("network", "create", "six")
    run("subnet", "create", "four", "--network", "six", "--subnet-range", "10.6.0.0/24")
    subnet = run("subnet", "create", "six", "--network", "six", "--ip-version", "6", "--subnet-range", "fd00:6::/64", "--ipv6-ra-mode", "slaac",
                 "--ipv6-address-mode", "slaac", "--dns-nameserver", "2001:db8::53")
    assert (subnet["ip_version"], subnet["ipv6_ra_mode"], subnet["gateway_ip"]) == (6, "slaac", "fd00:6::1")
    run("router", "create", "six")
    run("router", "add", "subnet", "six", "six")
    run("router", "set", "six", "--route", "destination=2001:db8:7::/48,gateway=fd00:6::7")
    port = run("port", "create", "six", "--network", "six", "--mac-address", "02:00:00:00:00:06", "--allowed-address", "ip-address=fd00:9::/64")
    assert "fd00:6::ff:fe00:6" in [f["ip_address"] for f in port["fixed_ips"]]
    assert [s["Name"] for s in run("subnet", "list", "--ip-version", "6", "--network", "six")] == ["six"]
    clash = run("subnet", "create", "no", "--network", "six", "--ip-version", "6", "--subnet-range", "fd00:8::/64", "--ipv6-ra-mode", "slaac",
                "--ipv6-address-mode", "dhcpv6-stateful", check=False)
    assert clash.returncode != 0 and "the same" in clash.stderr
    run("port", "delete", "six")
    run("router", "unset", "six", "--route", "destination=2001:db8:7::/48,gateway=fd00:6::7")
    run("router", "remove", "subnet", "six", "six")
    run("router", "delete", "six")
    run("network", "delete", "six")


def test_groups_by_the_command(cloud):
    run = cloud.run
    assert "default" in [g["Name"] for g in run("security", "group", "list")]
    run("security", "group", "create", "web", "--description", "w")
    rule = run("security", "group", "rule", "create", "web", "--protocol", "tcp", "--dst-port", "80:81",
               "--remote-ip", "192.0.2.0/24")
    assert (rule["port_range_min"], rule["port_range_max"], rule["protocol"]) == (80, 81, "tcp")
    run("security", "group", "rule", "create", "web", "--protocol", "icmp", "--remote-group", "web")
    assert len(run("security", "group", "rule", "list", "web")) == 4
    again = run("security", "group", "rule", "create", "web", "--protocol", "icmp", "--remote-group", "web", check=False)
    assert again.returncode != 0 and "already exists" in again.stderr
    run("security", "group", "rule", "delete", rule["id"])
    run("security", "group", "delete", "web")


def test_the_sdk(cloud, external):
    """Bulk creation, pages, filters, and errors as the classes that programs catch."""
    sdk = cloud.sdk.network
    net = sdk.create_network(name="sdk")
    subnet = sdk.create_subnet(network_id=net.id, cidr="10.2.0.0/28", ip_version=4, gateway_ip=None, enable_dhcp=False)
    assert subnet.gateway_ip is None and subnet.is_dhcp_enabled is False
    ports = list(sdk.create_ports([{"network_id": net.id, "name": f"p{k}"} for k in range(5)]))
    assert len({p.fixed_ips[0]["ip_address"] for p in ports}) == 5
    assert len(list(sdk.ports(network_id=net.id, limit=2))) == 5
    assert [p.name for p in sdk.ports(name="p3")] == ["p3"]
    assert sdk.find_port("p1").id == ports[1].id
    with pytest.raises(openstack.exceptions.ConflictException):
        sdk.delete_network(net.id, ignore_missing=False)
    with pytest.raises(openstack.exceptions.NotFoundException):
        sdk.delete_port("12345678-1234-1234-1234-123456789012", ignore_missing=False)
    with pytest.raises(openstack.exceptions.BadRequestException):
        sdk.create_subnet(network_id=net.id, cidr="10.2.0.0/29", ip_version=4)
    open_port = sdk.update_port(ports[0], is_port_security_enabled=False, security_groups=[])
    assert open_port.is_port_security_enabled is False and open_port.security_group_ids == []
    pair = sdk.update_port(ports[1], allowed_address_pairs=[{"ip_address": "10.2.0.9"}])
    assert pair.allowed_address_pairs == [{"ip_address": "10.2.0.9", "mac_address": ports[1].mac_address}]
    for port in ports:
        sdk.delete_port(port)
    sdk.delete_network(net)
    assert sdk.find_network("sdk") is None
    assert sdk.get_quota(cloud.sdk.current_project_id, details=True).networks["used"] >= 1
    assert {"router", "security-group", "port-security"} <= {e.alias for e in sdk.extensions()}
    assert sdk.find_extension("segment") is None


def test_members_and_pages(cloud, external):
    """fields=, pages in both directions, and ports without an owner, which administrators see."""
    sdk = cloud.sdk.network
    nets = [sdk.create_network(name=f"page{k}") for k in range(3)]
    ids, last = [], None
    url = "/networks?fields=name&fields=id&sort_key=id&sort_dir=desc&limit=1&router:external=False"
    while url:
        page = sdk.get(url).json()
        assert all(set(n) == {"name", "id"} for n in page["networks"])
        ids += [n["id"] for n in page["networks"]]
        links = {link["rel"]: link["href"] for link in page.get("networks_links", [])}
        last, url = links.get("previous", last), links.get("next")
    assert ids == sorted(ids, reverse=True) and {n.id for n in nets} <= set(ids)
    assert page["networks"] == [], "a page that is just full leads on to an empty one"
    for wanted in (ids[-1], ids[-2]):  # from the empty page to the last row, and on
        back = sdk.get(last).json()
        assert [n["id"] for n in back["networks"]] == [wanted]
        last = next(link["href"] for link in back["networks_links"] if link["rel"] == "previous")
    assert sdk.get(f"/networks/{nets[0].id}?fields=mtu").json() == {"network": {"mtu": nets[0].mtu}}
    router = sdk.create_router(name="page", external_gateway_info={"network_id": external.id})
    admin = cloud.connect(OS_USERNAME="admin", OS_PASSWORD=cloud.admin_password, OS_PROJECT_NAME="admin").network
    gateway = next(iter(admin.ports(device_id=router.id)))
    assert gateway.device_owner == "network:router_gateway"
    assert [ip["ip_address"] for ip in gateway.fixed_ips] == [
        ip["ip_address"] for ip in router.external_gateway_info["external_fixed_ips"]]
    assert list(sdk.ports(device_id=router.id)) == []
    with pytest.raises(openstack.exceptions.NotFoundException, match="Network 12345678.* could not be found"):
        sdk.get_network("12345678-1234-1234-1234-123456789012")
    sdk.delete_router(router)
    for net in nets:
        sdk.delete_network(net)

def test_shared_networks(cloud):
    """A network shared with a project: visible and usable there, without a choice of addresses; it cannot be unshared while in use."""
    admin = cloud.connect(OS_USERNAME="admin", OS_PASSWORD=cloud.admin_password, OS_PROJECT_NAME="admin")
    sdk, own = admin.network, cloud.sdk.network
    net = sdk.create_network(name="granted")
    subnet = sdk.create_subnet(network_id=net.id, cidr="10.44.0.0/24", ip_version=4)
    assert own.find_network("granted") is None
    project = cloud.sdk.current_project_id
    policy = sdk.create_rbac_policy(object_type="network", object_id=net.id, action="access_as_shared",
                                    target_tenant=project)
    assert (policy.object_id, policy.target_project_id) == (net.id, project)
    seen = own.find_network("granted")
    assert seen.id == net.id and seen.is_shared and own.get_subnet(subnet.id).cidr == "10.44.0.0/24"
    assert [s.id for s in own.subnets(network_id=net.id)] == [subnet.id]
    port = own.create_port(network_id=net.id)
    assert port.project_id == project and port.fixed_ips[0]["subnet_id"] == subnet.id
    with pytest.raises(openstack.exceptions.HttpException, match="owner's to choose") as refused:
        own.create_port(network_id=net.id, fixed_ips=[{"ip_address": "10.44.0.77"}])
    assert refused.value.status_code == 403
    with pytest.raises(openstack.exceptions.NotFoundException):
        own.update_network(net.id, name="mine")
    with pytest.raises(openstack.exceptions.ConflictException, match="depend on it"):
        sdk.delete_rbac_policy(policy.id, ignore_missing=False)
    ids = [s["SubnetId"] for s in cloud.dev.account.client().describe_subnets()["Subnets"]]
    assert f"subnet-{subnet.id.replace('-', '')[:17]}" not in ids
    own.delete_port(port)
    sdk.delete_rbac_policy(policy)
    assert own.find_network("granted") is None
    shared = sdk.update_network(net, is_shared=True)
    assert shared.is_shared and own.find_network("granted").id == net.id
    with pytest.raises(openstack.exceptions.HttpException) as denied:
        own.create_network(name="all", shared=True)
    assert denied.value.status_code == 403
    sdk.delete_network(net)


def test_external_networks_of_some_projects(cloud):
    """access_as_external: a policy makes a network external for one project, holds while a router needs it, and ends with the last policy."""
    admin = cloud.connect(OS_USERNAME="admin", OS_PASSWORD=cloud.admin_password, OS_PROJECT_NAME="admin")
    sdk, own, project = admin.network, cloud.sdk.network, cloud.sdk.current_project_id
    net = sdk.create_network(name="elsewhere")
    sdk.create_subnet(network_id=net.id, cidr="198.18.9.0/24", ip_version=4, enable_dhcp=False)
    keys = {"object_type": "network", "object_id": net.id, "action": "access_as_external"}
    admins = sdk.create_rbac_policy(**keys, target_tenant=admin.current_project_id)
    assert sdk.get_network(net.id).is_router_external and own.find_network("elsewhere") is None
    with pytest.raises(openstack.exceptions.NotFoundException):
        own.create_ip(floating_network_id=net.id)
    policy = sdk.create_rbac_policy(**keys, target_tenant=project)
    assert net.id in [n.id for n in own.networks(is_router_external=True)]
    router = own.create_router(external_gateway_info={"network_id": net.id})
    floating = own.create_ip(floating_network_id=net.id)
    with pytest.raises(openstack.exceptions.ConflictException):
        sdk.delete_rbac_policy(policy, ignore_missing=False)
    own.delete_ip(floating)
    own.delete_router(router)
    sdk.delete_rbac_policy(policy, ignore_missing=False)
    assert own.find_network("elsewhere") is None
    sdk.delete_rbac_policy(admins, ignore_missing=False)
    assert not sdk.get_network(net.id).is_router_external
    shown = sdk.update_network(net, is_router_external=True)
    assert shown.is_router_external and own.find_network("elsewhere").id == net.id
    (all_of_them,) = sdk.rbac_policies(object_id=net.id)
    assert (all_of_them.action, all_of_them.target_project_id) == ("access_as_external", "*")
    default = next(n for n in sdk.networks(is_router_external=True) if n.is_default)
    (held,) = sdk.rbac_policies(object_id=default.id, action="access_as_external")
    with pytest.raises(openstack.exceptions.ConflictException):
        sdk.delete_rbac_policy(held, ignore_missing=False)
    sdk.delete_network(net)


def test_changes_of_parts_and_bounds(cloud):
    """Revisions of networks and routers, the MTU that a subnet requires, MAC addresses, agents, ports without rows, and wrapped bulk elements."""
    admin = cloud.connect(OS_USERNAME="admin", OS_PASSWORD=cloud.admin_password, OS_PROJECT_NAME="admin")
    sdk, own = admin.network, cloud.sdk.network
    small = own.create_network(name="small", mtu=67)
    with pytest.raises(openstack.exceptions.ConflictException, match="minimum of 68"):
        own.create_subnet(network_id=small.id, cidr="10.46.0.0/24", ip_version=4)
    net = own.create_network(name="parts", mtu=1280)
    subnet = own.create_subnet(network_id=net.id, cidr="2001:db8:46::/64", ip_version=6)
    assert own.get_network(net.id).revision_number > net.revision_number
    with pytest.raises(openstack.exceptions.ConflictException, match="minimum of 1280"):
        own.update_network(net.id, mtu=1279)
    (counted,) = sdk.network_ip_availabilities(network_name="parts")
    assert counted.total_ips == 2 ** 64 - 2
    router = own.create_router(name="parts")
    own.add_interface_to_router(router, subnet_id=subnet.id)
    assert own.get_router(router.id).revision_number > router.revision_number
    (inner,) = own.ports(device_id=router.id)
    with pytest.raises(openstack.exceptions.ConflictException, match="cannot be deleted directly"):
        own.delete_port(inner, ignore_missing=False)
    port = own.create_port(network_id=net.id)
    with pytest.raises(openstack.exceptions.HttpException) as denied:
        own.update_port(port.id, mac_address="02:00:00:00:46:01")
    assert denied.value.status_code == 403
    assert sdk.update_port(port.id, mac_address="02:00:00:00:46:01").mac_address == "02:00:00:00:46:01"
    agent = next(iter(sdk.agents()))
    assert sdk.update_agent(agent, description="rack 4").description == "rack 4"
    made = own.post("/security-groups", json={"security_groups": [{"security_group": {"name": "one"}}, {"name": "two"}]}).json()["security_groups"]
    assert [g["name"] for g in made] == ["one", "two"]
    for group in made:
        own.delete_security_group(group["id"])
    own.delete_port(port)
    own.remove_interface_from_router(router, subnet_id=subnet.id)
    own.delete_router(router)
    own.delete_network(net)
    own.delete_network(small)


def test_subnet_pools(cloud):
    run = cloud.run
    pool = run("subnet", "pool", "create", "pool", "--pool-prefix", "10.50.0.0/16", "--default-prefix-length", "24")
    assert pool["prefixes"] == ["10.50.0.0/16"] and int(pool["default_prefixlen"]) == 24
    run("network", "create", "pooled")
    first = run("subnet", "create", "s1", "--network", "pooled", "--subnet-pool", "pool")
    second = run("subnet", "create", "s2", "--network", "pooled", "--subnet-pool", "pool", "--prefix-length", "26")
    assert (first["cidr"], second["cidr"]) == ("10.50.0.0/24", "10.50.1.0/26")
    assert second["subnetpool_id"] == pool["id"]
    refused = run("subnet", "pool", "delete", "pool", check=False)
    assert refused.returncode != 0 and "existing allocations" in refused.stderr
    assert [p["Name"] for p in run("subnet", "pool", "list")] == ["pool"]
    run("subnet", "pool", "set", "pool", "--pool-prefix", "10.51.0.0/16")
    assert "10.51.0.0/16" in run("subnet", "pool", "show", "pool")["prefixes"]
    run("network", "delete", "pooled")
    run("subnet", "pool", "delete", "pool")


def test_address_groups(cloud):
    run = cloud.run
    made = run("address", "group", "create", "office", "--address", "192.0.2.0/24", "--description", "d")
    assert (made["addresses"], made["description"]) == (["192.0.2.0/24"], "d")
    run("address", "group", "set", "office", "--address", "198.51.100.1/32", "--name", "offices")
    run("address", "group", "unset", "offices", "--address", "192.0.2.0/24")
    assert run("address", "group", "show", "offices")["addresses"] == ["198.51.100.1/32"]
    run("security", "group", "create", "guarded")
    rule = run("security", "group", "rule", "create", "guarded", "--protocol", "tcp", "--dst-port", "22", "--remote-address-group", "offices")
    assert rule["remote_address_group_id"] == made["id"] and rule["port_range_min"] == 22
    refused = run("address", "group", "delete", "offices", check=False)
    assert refused.returncode != 0
    run("security", "group", "delete", "guarded")
    run("address", "group", "delete", "offices")
    assert run("address", "group", "list") == []


def test_qos_policies(cloud):
    """The role manager makes policies; a member chooses among the project's."""
    run, net = cloud.run, cloud.sdk.network
    refused = run("network", "qos", "policy", "create", "bw", check=False)
    assert refused.returncode != 0 and "the role manager" in refused.stderr
    admin = cloud.connect(OS_USERNAME="admin", OS_PASSWORD=cloud.admin_password, OS_PROJECT_NAME="admin").identity
    role, project, user = admin.find_role("manager"), cloud.sdk.current_project_id, cloud.sdk.current_user_id
    admin.assign_project_role_to_user(project, user, role)
    made = run("network", "qos", "policy", "create", "bw", "--description", "d")
    assert (made["rules"], made["shared"], made["is_default"]) == ([], False, False)
    limit = run("network", "qos", "rule", "create", "bw", "--type", "bandwidth-limit", "--max-kbps", "3000", "--max-burst-kbits", "300", "--egress")
    assert (limit["max_kbps"], limit["direction"]) == (3000, "egress")
    mark = run("network", "qos", "rule", "create", "bw", "--type", "dscp-marking", "--dscp-mark", "26")
    run("network", "qos", "rule", "set", "bw", limit["id"], "--max-kbps", "4000")
    assert {(r["Type"], r["Max Kbps"], r["DSCP mark"]) for r in run("network", "qos", "rule", "list", "bw")} == {("bandwidth_limit", 4000, ""), ("dscp_marking", "", 26)}
    assert [t["Type"] for t in run("network", "qos", "rule", "type", "list")] == ["bandwidth_limit", "dscp_marking"]
    run("network", "create", "slow", "--qos-policy", "bw")
    run("subnet", "create", "slow", "--network", "slow", "--subnet-range", "10.73.0.0/24")
    port = run("port", "create", "p", "--network", "slow")
    assert (port["qos_policy_id"], port["qos_network_policy_id"]) == (None, made["id"])
    run("port", "set", "p", "--qos-policy", "bw")
    assert net.find_port("p").qos_policy_id == made["id"]
    refused = run("network", "qos", "policy", "delete", "bw", check=False)
    assert refused.returncode != 0 and "is used by port" in refused.stderr
    refused = run("network", "qos", "rule", "create", "bw", "--type", "minimum-bandwidth", "--min-kbps", "10", "--egress", check=False)
    assert refused.returncode != 0 and "not supported by port" in refused.stderr
    run("port", "unset", "p", "--qos-policy")
    run("port", "delete", "p")
    run("network", "set", "slow", "--no-qos-policy")
    run("network", "qos", "rule", "delete", "bw", mark["id"])
    run("network", "delete", "slow")
    run("network", "qos", "policy", "delete", "bw")
    admin.unassign_project_role_from_user(project, user, role)


def test_address_scopes(cloud):
    run = cloud.run
    made = run("address", "scope", "create", "scope", "--ip-version", "4")
    pool = run("subnet", "pool", "create", "scoped", "--pool-prefix", "10.77.0.0/16", "--default-prefix-length", "24", "--address-scope", "scope")
    assert pool["address_scope_id"] == made["id"]
    run("network", "create", "scoped")
    run("subnet", "create", "scoped", "--network", "scoped", "--subnet-pool", "scoped")
    assert run("network", "show", "scoped")["ipv4_address_scope"] == made["id"]
    assert run("address", "scope", "delete", "scope", check=False).returncode != 0
    run("network", "delete", "scoped")
    run("subnet", "pool", "delete", "scoped")
    run("address", "scope", "set", "scope", "--name", "other")
    run("address", "scope", "delete", "other")
    assert run("address", "scope", "list") == []


def test_trunks(cloud):
    """A server's port as the parent of a trunk; its sub-ports come and go, with their states, and stay after it."""
    run, net = cloud.run, cloud.sdk.network
    run("network", "create", "outer")
    run("subnet", "create", "outer", "--network", "outer", "--subnet-range", "10.71.0.0/24")
    run("network", "create", "inner")
    run("subnet", "create", "inner", "--network", "inner", "--subnet-range", "10.72.0.0/24")
    for name, network in (("parent", "outer"), ("sub1", "inner"), ("sub2", "inner")):
        run("port", "create", name, "--network", network)
    parent, sub1, sub2 = (run("port", "show", name)["id"] for name in ("parent", "sub1", "sub2"))
    made = run("network", "trunk", "create", "uplink", "--parent-port", "parent", "--subport", "port=sub1,segmentation-type=vlan,segmentation-id=101")
    assert (made["port_id"], made["status"]) == (parent, "DOWN")
    assert made["sub_ports"] == [{"port_id": sub1, "segmentation_id": 101, "segmentation_type": "vlan"}]
    run("network", "trunk", "set", "uplink", "--subport", "port=sub2,segmentation-type=vlan,segmentation-id=102", "--description", "d")
    assert [s["Segmentation ID"] for s in run("network", "subport", "list", "--trunk", "uplink")] == [101, 102]
    assert run("network", "trunk", "set", "uplink", "--subport", "port=sub2,segmentation-type=vlan,segmentation-id=103", check=False).returncode != 0
    (trunk,) = net.trunks(name="uplink")
    assert [t.id for t in net.trunks(port_id=parent)] == [trunk.id] and not list(net.trunks(port_id=sub1))
    assert [s["port_id"] for s in net.get_port(parent).trunk_details["sub_ports"]] == [sub1, sub2]
    assert net.get_port(sub1).device_owner == "trunk:subport"
    assert {p.id for p in net.ports(device_owner="trunk:subport")} == {sub1, sub2}

    image = next(iter(cloud.sdk.image.images(visibility="public")))
    server = cloud.sdk.compute.create_server(name="tagged", image_id=image.id, flavor_id="m5.large", networks=[{"port": parent}])
    server = cloud.sdk.compute.wait_for_server(server)
    cloud.dev.rest()
    assert net.get_trunk(trunk.id).status == "ACTIVE"
    assert net.get_port(sub1).binding_host_id == net.get_port(parent).binding_host_id
    refused = cloud.run("server", "add", "port", "tagged", "sub1", check=False)
    assert refused.returncode != 0 and "subport" in refused.stderr
    run("network", "trunk", "unset", "uplink", "--subport", "sub1")
    run("network", "trunk", "set", "uplink", "--disable")
    assert run("network", "trunk", "unset", "uplink", "--subport", "sub2", check=False).returncode != 0
    run("network", "trunk", "set", "uplink", "--enable")
    assert run("port", "delete", "parent", check=False).returncode != 0 and run("port", "delete", "sub2", check=False).returncode != 0

    cloud.sdk.compute.delete_server(server)
    cloud.sdk.compute.wait_for_delete(server)
    cloud.dev.rest()
    assert net.get_trunk(trunk.id).status == "DOWN"
    run("network", "trunk", "delete", "uplink")
    run("port", "delete", "parent", "sub1", "sub2")
    run("network", "delete", "outer", "inner")


def test_a_list_of_groups_is_a_read(cloud):
    """The first list creates the project's default group; the second commits nothing."""
    def changes():
        with urllib.request.urlopen(f"{cloud.dev.url}/metrics", timeout=HANG_S) as answer:
            return int(re.search(r"^dari_store_changes_total (\d+)", answer.read().decode(), re.MULTILINE)[1])
    assert [g.name for g in cloud.sdk.network.security_groups()].count("default") >= 1
    for _ in range(5):  # the reconciler may commit an observation
        cloud.dev.rest()
        before = changes()
        list(cloud.sdk.network.security_groups())
        if changes() == before:
            return
    raise AssertionError("each list is a change")


def test_both_faces_see_the_same(cloud, external):
    sdk, ec2 = cloud.sdk.network, cloud.dev.account.client()
    net = sdk.create_network(name="both")
    subnet = sdk.create_subnet(network_id=net.id, cidr="10.3.0.0/24", ip_version=4)
    ids = [s["SubnetId"] for s in ec2.describe_subnets()["Subnets"]]
    assert f"subnet-{subnet.id.replace('-', '')[:17]}" not in ids  # it has no router, and so no VPC
    router = sdk.create_router(name="both", external_gateway_info={"network_id": external.id})
    sdk.add_interface_to_router(router, subnet_id=subnet.id)
    vpc = ec2.describe_vpcs(VpcIds=[f"vpc-{router.id.replace('-', '')[:17]}"])["Vpcs"][0]
    assert vpc["CidrBlock"] == "10.3.0.0/24"
    with pytest.raises(ec2.exceptions.ClientError, match="InvalidSubnet.Range"):
        ec2.create_subnet(VpcId=vpc["VpcId"], CidrBlock="10.3.0.128/25")
    gateways = ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [vpc["VpcId"]]}])
    assert len(gateways["InternetGateways"]) == 1
    eni = ec2.create_network_interface(SubnetId=f"subnet-{subnet.id.replace('-', '')[:17]}")["NetworkInterface"]
    assert [p.mac_address for p in sdk.ports(network_id=net.id, mac_address=eni["MacAddress"])] == [eni["MacAddress"]]
    ec2.delete_network_interface(NetworkInterfaceId=eni["NetworkInterfaceId"])
    # an EC2 VPC is a router, its subnets networks with one subnet each
    made = ec2.create_vpc(CidrBlock="10.4.0.0/16")["Vpc"]
    inside = ec2.create_subnet(VpcId=made["VpcId"], CidrBlock="10.4.1.0/24")["Subnet"]
    shown = [s for s in sdk.subnets(cidr="10.4.1.0/24")]
    assert len(shown) == 1 and shown[0].gateway_ip == "10.4.1.1"
    assert [p.device_owner for p in sdk.ports(network_id=shown[0].network_id)] == ["network:router_interface"]
    ec2.delete_subnet(SubnetId=inside["SubnetId"])
    ec2.delete_vpc(VpcId=made["VpcId"])
    sdk.remove_interface_from_router(router, subnet_id=subnet.id)
    sdk.delete_router(router)
    sdk.delete_network(net)
    cloud.dev.rest()
    assert cloud.dev.audit() == []


def test_a_server_on_a_network(cloud):
    """The port is created with the server, is in a VPC when the network gets a router, and is deleted with the server."""
    sdk, ec2 = cloud.sdk, cloud.dev.account.client()
    net = sdk.network.create_network(name="servers")
    subnet = sdk.network.create_subnet(network_id=net.id, cidr="10.5.0.0/24", ip_version=4)
    server = sdk.compute.create_server(name="s", image_id=next(sdk.image.images()).id, flavor_id="t3.micro",
                                       networks=[{"uuid": net.id}])
    cloud.dev.rest()
    server = sdk.compute.get_server(server.id)
    assert server.status == "ACTIVE" and server.availability_zone
    port = next(sdk.network.ports(device_id=server.id))
    assert port.status == "ACTIVE" and port.device_owner.startswith("compute:")
    assert [a["addr"] for a in server.addresses["servers"]] == [port.fixed_ips[0]["ip_address"]]
    instance = f"i-{server.id.replace('-', '')[:17]}"
    router = sdk.network.create_router(name="servers")
    for vpc in (None, f"vpc-{router.id.replace('-', '')[:17]}"):
        shown = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
        assert shown.get("VpcId") == vpc
        if not vpc:
            sdk.network.add_interface_to_router(router, subnet_id=subnet.id)
    cloud.dev.rest()
    assert cloud.dev.audit() == []
    sdk.compute.delete_server(server)
    cloud.dev.rest()
    assert [p.device_owner for p in sdk.network.ports(network_id=net.id)] == ["network:router_interface"]
    sdk.network.remove_interface_from_router(router, subnet_id=subnet.id)
    sdk.network.delete_router(router)
    sdk.network.delete_network(net)


def test_an_administrator(cloud):
    admin = cloud.connect(OS_USERNAME="admin", OS_PASSWORD=cloud.admin_password, OS_PROJECT_NAME="admin")
    assert len(list(admin.network.agents())) == 4
    project = cloud.sdk.current_project_id
    admin.network.update_quota(project, networks=1)
    with pytest.raises(openstack.exceptions.ConflictException, match=r"Quota exceeded for resources: \['network'\]"):
        cloud.sdk.network.create_network(name="one-more")
    admin.network.delete_quota(project)
    net = cloud.sdk.network.create_network(name="one-more")
    assert admin.network.get_network(net.id).project_id == project
    (outside,) = admin.network.networks(is_router_external=True)
    (addresses,) = admin.network.subnets(network_id=outside.id)
    assert [addresses.id] == outside.subnet_ids and addresses.gateway_ip and not addresses.is_dhcp_enabled
    assert admin.network.get_subnet(addresses.id).cidr == addresses.cidr
    assert not list(cloud.sdk.network.subnets(network_id=outside.id))
    cloud.sdk.network.delete_network(net)
    assert not list(cloud.sdk.network.agents())  # Neutron's list is empty for callers without access


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

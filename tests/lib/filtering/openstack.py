# SPDX-License-Identifier: Apache-2.0
"""OpenStack's lists, as described by the tables. A filter compares the member of its name; FILTERS lists exceptions, and SORTED what a sort key
compares. A list with fewer than two rows proves nothing and fails: the region must create more."""
import ast
import contextlib
import functools
import ipaddress
import urllib.parse

import cloud as lib
from cloud import ABSENT, VOLUME, dump, path_of, title, version_of
from dev import Dev

LISTS = {title(a): a for a in dump()["actions"] if "sort_keys" in a}
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGWrnDmbTVbdaWdQ0S1XZkn2QJ6rIxdGAXBWVkEeLvZG"
NOVA, NET, VOL, IMG, ID, LB = "/compute/v2.1", "/network/v2.0", "/volume/v3", "/image/v2", "/identity/v3", "/load-balancer/v2/lbaas"
TAGS = {"tags": ["a", "common"]}


class Region:
    def __init__(self, dev):
        self.dev, self.mine, self.theirs, self.admin = dev, lib.another(dev, "mine", role="manager"), lib.another(dev, "theirs", role="manager"), lib.admin(dev)
        self.ids, self.parents, self.migrated = {}, {}, {}
        self.outside = self.mine.ok("GET", f"{NET}/networks?router:external=true")["networks"][0]["id"]
        self.image = self.mine.ok("GET", f"{IMG}/images?visibility=public")["images"][0]["id"]
        self.zones = sorted(z["zoneName"] for z in self.mine.ok("GET", f"{NOVA}/os-availability-zone")["availabilityZoneInfo"])
        self.make_people()
        for project in (self.mine, self.theirs):
            self.make_network(project)
            dev.rest()
            self.make_balancers(project)
            self.make_disks(project)
            dev.rest()
            self.make_servers(project)
        dev.rest()

    def make_people(self):
        for n, agent in enumerate(self.admin.ok("GET", f"{NET}/agents")["agents"]):
            self.admin.ok("PUT", f"{NET}/agents/{agent['id']}", {"agent": {"description": f"d{n}"}})
        for n in range(3):
            make = lambda what, body: self.admin.ok("POST", f"{ID}/{what}s", {what: body})[what]["id"]  # noqa: E731
            domain = make("domain", {"name": f"d{n}"})
            make("project", {"name": f"p{n}", "domain_id": domain, "enabled": n != 1})
            make("user", {"name": f"u{n}", "domain_id": domain, "enabled": n != 1, **({"description": "d", "email": "e@d.test", "default_project_id": self.mine.id} if n else {})})
            make("group", {"name": f"g{n}", "domain_id": domain})
            make("role", {"name": f"r{n}"})
            self.admin.ok("POST", f"{VOL}/types", {"volume_type": {"name": f"t{n}", "extra_specs": {"multiattach": f"<is> {n == 0}", "hidden": "x"}, "os-volume-type-access:is_public": n != 1}})
            self.admin.ok("POST", f"{NOVA}/os-aggregates", {"aggregate": {"name": f"a{n}"}})
            self.admin.ok("POST", f"{IMG}/metadefs/namespaces", {"namespace": f"n{n}", "visibility": "public" if n else "private",
                                                                 "resource_type_associations": [{"name": f"type{n}"}]})
            self.admin.ok("POST", f"{NOVA}/flavors", {"flavor": {"name": f"f{n}", "ram": 64 << n, "vcpus": 1, "disk": n}})
            self.admin.ok("POST", f"{NET}/subnetpools", {"subnetpool": {"name": f"all{n}", "prefixes": [f"10.{60 + n}.0.0/16"], "shared": True, "is_default": n == 0}})
            self.admin.ok("POST", f"{NET}/address-scopes", {"address_scope": {"name": f"all{n}", "ip_version": 4, "shared": True}})
            self.admin.ok("PUT", f"{NET}/quotas/{(self.mine, self.theirs, self.admin)[n].id}", {"quota": {"network": 90}})

    def make_rules(self, project, make, policy):
        """Both directions of each type; a policy has one mark."""
        for k, direction in enumerate(("egress", "ingress")):
            make(f"qos/policies/{policy}/bandwidth_limit_rules", "bandwidth_limit_rule", max_kbps=1000 + k, max_burst_kbps=100 + k, direction=direction)
            make(f"qos/policies/{policy}/minimum_bandwidth_rules", "minimum_bandwidth_rule", min_kbps=10 + k, direction=direction)
        make(f"qos/policies/{policy}/dscp_marking_rules", "dscp_marking_rule", dscp_mark=8)
        self.parents.setdefault(project.name, {})["qos_policy"] = policy

    @staticmethod
    def make_vpn(make, n, router, subnet):
        """The first service has a subnet, and the others have endpoint groups."""
        up = n != 1
        ike = make("vpn/ikepolicies", "ikepolicy", name=f"i{n}", description=f"d{n}", auth_algorithm=("sha1", "sha256", "sha512")[n], encryption_algorithm=("aes-128", "aes-192", "aes-256")[n],
                   pfs=f"group{14 + n}", ike_version="v1" if up else "v2", phase1_negotiation_mode="main" if up else "aggressive")
        esp = make("vpn/ipsecpolicies", "ipsecpolicy", name=f"e{n}", description=f"d{n}", auth_algorithm=("sha1", "sha256", "sha512")[n],
                   encryption_algorithm=("aes-128", "aes-192", "aes-256")[n], pfs=f"group{14 + n}")
        service = make("vpn/vpnservices", "vpnservice", name=f"v{n}", description=f"d{n}", router_id=router, admin_state_up=up, **({} if n else {"subnet_id": subnet}))
        local = make("vpn/endpoint-groups", "endpoint_group", name=f"l{n}", description=f"d{n}", type="subnet", endpoints=[subnet])
        peer = make("vpn/endpoint-groups", "endpoint_group", name=f"p{n}", description=f"d{n}", type="cidr", endpoints=[f"10.9{n}.0.0/24"])
        ends = {"local_ep_group_id": local["id"], "peer_ep_group_id": peer["id"]} if n else {"peer_cidrs": ["10.99.0.0/24"]}
        make("vpn/ipsec-site-connections", "ipsec_site_connection", name=f"c{n}", description=f"d{n}", vpnservice_id=service["id"], ikepolicy_id=ike["id"], ipsecpolicy_id=esp["id"],
             peer_address=f"192.0.2.{n + 2}", peer_id=f"192.0.2.{n + 2}", local_id=f"h{n}", psk="key", mtu=1400 + n, initiator="bi-directional" if up else "response-only", admin_state_up=up, **ends)

    def make_network(self, project):
        make = lambda path, what, **body: project.ok("POST", f"{NET}/{path}", {what: body})[what]  # noqa: E731
        for n in range(3):
            up = n != 1
            scope = make("address-scopes", "address_scope", name=f"sc{n}", ip_version=4 if n else 6)
            pool = make("subnetpools", "subnetpool", name=f"pool{n}", description=f"d{n}", prefixes=[f"10.{40 + n}.0.0/16"], min_prefixlen=20 + n, default_quota=4096 + n,
                        default_prefixlen=24 + n, max_prefixlen=27 + n, **({"address_scope_id": scope["id"]} if n else {}))
            network = make("networks", "network", name=f"n{n}", description=f"d{n}", admin_state_up=up, mtu=1400 + n)
            subnet = make("subnets", "subnet", name=f"s{n}", description=f"d{n}", network_id=network["id"], subnetpool_id=pool["id"], ip_version=4, enable_dhcp=up)
            router = make("routers", "router", name=f"r{n}", description=f"d{n}", admin_state_up=up, external_gateway_info={"network_id": self.outside})
            project.ok("PUT", f"{NET}/routers/{router['id']}/add_router_interface", {"subnet_id": subnet["id"]})
            group = make("security-groups", "security_group", name=f"g{n}", description=f"d{n}")
            peers = make("address-groups", "address_group", name=f"a{n}", description=f"d{n}", addresses=[f"192.0.2.{n}/32"])
            make("security-group-rules", "security_group_rule", security_group_id=group["id"], direction="egress", remote_address_group_id=peers["id"])
            rule = make("security-group-rules", "security_group_rule", security_group_id=group["id"], direction="ingress", protocol=("tcp", "udp", "icmp")[n],
                        description=f"d{n}", **({"port_range_min": 10 + n, "port_range_max": 20 + n} if n < 2 else {}), **({"remote_ip_prefix": f"192.0.{n}.0/24"} if n else {"remote_group_id": group["id"]}))
            port = make("ports", "port", name=f"p{n}", description=f"d{n}", network_id=network["id"], admin_state_up=up, security_groups=[group["id"]],
                        device_owner=f"me:{n}", device_id=f"x{n}", dns_name=f"h{n}")
            policy = make("qos/policies", "policy", name=f"q{n}", description=f"d{n}", is_default=n == 1)
            if n == 0:
                self.make_rules(project, make, policy["id"])
            parent = make("ports", "port", network_id=network["id"], name=f"parent{n}")
            trunk = make("trunks", "trunk", port_id=parent["id"], name=f"t{n}", description=f"d{n}", admin_state_up=up)
            self.make_vpn(make, n, router["id"], subnet["id"])
            address = make("floatingips", "floatingip", floating_network_id=self.outside, description=f"d{n}", **({"port_id": port["id"]} if n else {}))
            if n == 0:
                self.make_forwardings(project, make, network["id"])
            make("rbac-policies", "rbac_policy", object_type="network", object_id=network["id"], action="access_as_shared",
                 target_tenant=(self.admin.id, self.mine.id, self.theirs.id)[n])
            for path, thing in (("networks", network), ("subnets", subnet), ("subnetpools", pool), ("ports", port), ("routers", router),
                                ("floatingips", address), ("trunks", trunk), ("policies", policy), ("security-groups", group), ("security-group-rules", rule)):
                words = [f"only{n}", "common"]
                if thing is not rule:  # rules have no tags of their own
                    project.ok("PUT", f"{NET}/{path}/{thing['id']}/tags", {"tags": words})
            self.ids.setdefault(project.name, {}).update(network=network["id"], parent=parent["id"])
        six = make("networks", "network", name="six", description="d6", mtu=1403)
        make("subnetpools", "subnetpool", name="six", prefixes=["fd00:50::/48"], min_prefixlen=48, default_prefixlen=64, max_prefixlen=96)
        for n, mode in enumerate(("slaac", "dhcpv6-stateful")):
            make("subnets", "subnet", name=f"six{n}", network_id=six["id"], ip_version=6, cidr=f"fd00:{40 + n}::/64", ipv6_ra_mode=mode, ipv6_address_mode=mode)

    def make_forwardings(self, project, make, network):
        address = make("floatingips", "floatingip", floating_network_id=self.outside, description="forwarded")["id"]
        self.parents.setdefault(project.name, {})["address"] = address
        for n in range(3):
            port = make("ports", "port", network_id=network, name=f"to{n}", description=f"to{n}", device_owner=f"to:{n}", device_id=f"to{n}")["id"]
            ports = {"internal_port": 20 + n, "external_port": 2020 + n} if n < 2 else {"internal_port_range": "80:81", "external_port_range": "8080:8081"}
            make(f"floatingips/{address}/port_forwardings", "port_forwarding", protocol=("tcp", "udp", "tcp")[n], internal_port_id=port, description=f"d{n}", **ports)

    def make_balancers(self, project):
        for n in range(3):
            up, words = n != 1, {"tags": [f"only{n}", "common"]}
            made = project.ok("POST", f"{LB}/loadbalancers", {"loadbalancer": {
                **words, "vip_network_id": self.ids[project.name]["network"], "name": f"b{n}", "description": f"d{n}", "admin_state_up": up,
                "provider": ("dari", "amphora", "octavia")[n]}})["loadbalancer"]["id"]
            self.dev.rest()
            protocol = ("HTTP", "TCP", "HTTPS")[n]
            project.ok("POST", f"{LB}/listeners", {"listener": {
                **words, "loadbalancer_id": made, "name": f"l{n}", "description": f"d{n}", "admin_state_up": up, "protocol": protocol, "protocol_port": 80 + n,
                "connection_limit": 10 + n, "timeout_client_data": 1000 + n, "timeout_member_connect": 2000 + n, "timeout_member_data": 3000 + n,
                "timeout_tcp_inspect": 4000 + n, "default_pool": {
                    **words, "name": f"p{n}", "description": f"d{n}", "admin_state_up": up, "protocol": protocol, "tls_enabled": n == 2,
                    "lb_algorithm": ("ROUND_ROBIN", "LEAST_CONNECTIONS", "SOURCE_IP")[n],
                    "members": [{**words, "name": f"m{k}", "address": f"10.0.0.{k + 5}", "protocol_port": 90 + k, "weight": k, "backup": k == 1, "admin_state_up": k != 1,
                                 "monitor_port": 70 + k} for k in range(3)],
                    "healthmonitor": {"name": f"h{n}", "type": ("HTTP", "TCP", "HTTPS")[n], "delay": 10 + n, "timeout": 5 + n, "max_retries": 2 + n,
                                      "max_retries_down": 3 + n, "admin_state_up": up,
                                      **({} if n == 1 else {"http_method": ("GET", "", "HEAD")[n], "url_path": f"/{n}", "expected_codes": f"20{n}"})}}}})
            self.dev.rest()
        self.make_policies(project)
        self.parents.setdefault(project.name, {})["target_group"] = project.ok("GET", f"{LB}/pools?name=p0")["pools"][0]["id"]

    def make_policies(self, project):
        (listener,), (pool,) = (project.ok("GET", f"{LB}/{what}?name={name}")[what] for what, name in (("listeners", "l0"), ("pools", "p0")))
        other = project.ok("POST", f"{LB}/listeners", {"listener": {
            "tags": ["only3", "common"], "loadbalancer_id": listener["loadbalancers"][0]["id"], "name": "l3", "description": "d3", "protocol": "HTTP", "protocol_port": 99}})["listener"]
        self.dev.rest()
        for n in range(3):
            words = {"tags": [f"only{n}", "common"], "admin_state_up": n != 1}
            made = project.ok("POST", f"{LB}/l7policies", {"l7policy": {
                **words, "listener_id": (listener, listener, other)[n]["id"], "name": f"y{n}", "description": f"d{n}", "rules": [
                    {**words, "admin_state_up": k != 1, "type": ("HEADER", "COOKIE", "PATH")[k], "compare_type": ("CONTAINS", "EQUAL_TO", "REGEX")[k], "value": f"v{k}", "invert": k == 1,
                     **({"key": f"k{k}"} if k < 2 else {})} for k in range(3)],
                **({"action": "REDIRECT_TO_POOL", "redirect_pool_id": pool["id"]}, {"action": "REDIRECT_TO_URL", "redirect_url": "http://a.test", "redirect_http_code": 301},
                   {"action": "REDIRECT_PREFIX", "redirect_prefix": "http://b.test"})[n]}})["l7policy"]["id"]
            self.dev.rest()
        self.parents.setdefault(project.name, {})["listener_rule"] = made

    def make_disks(self, project):
        self.volumes = []
        for n in range(3):
            image = project.ok("POST", f"{IMG}/images", {"name": f"i{n}", "disk_format": ("raw", "qcow2", "raw")[n], "container_format": "bare", "tags": [f"t{n}", "common"],
                                                         "protected": n == 1, "visibility": ("private", "shared", "community")[n], "os_distro": f"o{n}"})
            if n != 1:
                assert project.call("PUT", image["file"].replace("/v2/", f"{IMG}/"), raw=b"x" * 512 * (n + 1), headers={"Content-Type": "application/octet-stream"}).status == 204
            words = {"metadata": {"common": "x", "n": str(n)}}
            volume = project.ok("POST", f"{VOL}/volumes", {"volume": {**words, "size": 1 + n, "name": f"v{n}", "volume_type": ("gp2", "gp3", "gp2")[n],
                                                                       "availability_zone": self.zones[n % len(self.zones)]}})["volume"]["id"]
            spare = project.ok("POST", f"{VOL}/volumes", {"volume": {"size": 1, "name": f"w{n}"}})["volume"]["id"]
            self.dev.rest()
            snapshot = project.ok("POST", f"{VOL}/snapshots", {"snapshot": {**words, "volume_id": volume, "name": f"s{n}"}})["snapshot"]["id"]
            self.dev.rest()
            copy = project.ok("POST", f"{VOL}/volumes", {"volume": {"snapshot_id": snapshot, "name": f"x{n}"}})["volume"]["id"]
            project.ok("POST", f"{VOL}/backups", {"backup": {"volume_id": volume, "name": f"b{n}"}})
            project.ok("POST", f"{VOL}/os-volume-transfer", {"transfer": {"volume_id": spare, "name": f"t{n}"}})
            self.volumes.append(volume)
            self.dev.rest()
            if n == 0:
                self.migrate(copy)
            self.admin.call("POST", f"{VOL}/qos-specs", {"qos_specs": {"name": f"q{n}", "consumer": ("front-end", "back-end", "both")[n]}})  # one for each value of consumer
            self.admin.call("POST", f"{VOL}/group_types", {"group_type": {"name": f"y{n}"}}, version=VOLUME)  # the type may exist already
            group = project.ok("POST", f"{VOL}/groups", {"group": {"name": f"g{n}", "group_type": f"y{n}", "volume_types": ["gp2"]}}, version=VOLUME)["group"]["id"]
            project.ok("POST", f"{VOL}/volumes", {"volume": {"size": 1, "name": f"z{n}", "volume_type": "gp2", "group_id": group}}, version=VOLUME)
            self.dev.rest()
            project.ok("POST", f"{VOL}/group_snapshots", {"group_snapshot": {"name": f"h{n}", "group_id": group}}, version=VOLUME)
        project.ok("POST", f"{VOL}/volumes", {"volume": {"imageRef": self.image, "size": 12, "name": "disk"}})

    def make_servers(self, project):
        servers = []
        for n in range(3):
            project.ok("POST", f"{NOVA}/os-keypairs", {"keypair": {"name": f"k{n}", "public_key": KEY}}, version="compute 2.2")
            project.ok("POST", f"{NOVA}/os-server-groups", {"server_group": {"name": f"g{n}", "policies": ["anti-affinity"]}})
            server = {"name": f"s{n}", "description": f"d{n}", "imageRef": self.image, "flavorRef": ("t3.nano", "t3.micro", "t3.small")[n], "key_name": f"k{n}", "tags": [f"only{n}", "common"],
                      "networks": [{"uuid": self.ids[project.name]["network"]}, *([{"port": self.ids[project.name]["parent"]}] if n == 0 else [])],
                      "availability_zone": self.zones[n % len(self.zones)]}
            servers.append(project.ok("POST", f"{NOVA}/servers", {"server": server}, version="compute 2.93")["server"]["id"])
            self.dev.rest()
            project.ok("POST", f"{NOVA}/servers/{servers[n]}/os-volume_attachments", {"volumeAttachment": {"volumeId": self.volumes[n]}})
        for server, action in ((servers[0], {"createImage": {"name": "of0"}}), (servers[1], {"createImage": {"name": "of1"}}),
                               (servers[1], {"os-stop": None}), (servers[2], {"lock": None}), (servers[0], {"resize": {"flavorRef": "t3.small"}})):
            self.dev.rest()
            assert project.call("POST", f"{NOVA}/servers/{server}/action", action).status == 202

    def migrate(self, volume):
        """Migrates the volume to another pool of its zone."""
        path = f"{VOL}/volumes/{volume}"
        here = self.admin.ok("GET", path)["volume"]["os-vol-host-attr:host"]
        for pool in self.admin.ok("GET", f"{VOL}/scheduler-stats/get_pools")["pools"]:
            if pool["name"] != here and self.admin.call("POST", path + "/action", {"os-migrate_volume": {"host": pool["name"]}}).status == 202:
                self.migrated[volume] = "success"
                return
        raise AssertionError(f"no pool takes it from {here}")

    def zone_of(self, volume):
        return self.mine.ok("GET", f"{VOL}/volumes/{volume}")["volume"]["availability_zone"]

    def is_shared(self, network):
        return self.mine.ok("GET", f"{NET}/networks/{network}")["network"]["shared"]

    def by(self, action):
        """The caller of the list: an administrator if its rows are long enough only then."""
        is_admins = action["admin"] or action["service"] == "identity" or action["items"] == "agents"  # other users see none
        return self.admin if is_admins else self.mine

    def ask(self, action, query=(), version=None, by=None):
        path = path_of(action, self.parents[self.mine.name])
        if query:
            path += "?" + urllib.parse.urlencode(list(query), doseq=True)
        return (by or self.by(action)).call("GET", path, version=version or version_of(action))

    def rows(self, action, *query, by=None):
        answer = self.ask(action, query, by=by)
        assert answer.status == 200, f"{query}: {answer}"
        return rows_of(action, answer.json)


def rows_of(action, answer):
    return [r.get("keypair", r) for r in answer[action["items"]]]


def name_of(row):
    """Identifies a row of a list."""
    for key in ("id", "uuid", "name", "namespace", "host", "host_name", "network_id", "project_id"):
        if row.get(key) is not None:
            return row[key]
    raise AssertionError(f"nothing names {row}")


def names(rows):
    return [name_of(r) for r in rows]


FEW = ("messages", "dscp_marking_rules")  # the region has no message that lasts, and a policy one mark at most


def fixed(action):
    """Members that have the same value in every row."""
    return {m["name"] for m in action.get("answer", []) if m["type"] == "fixed"}


# ---- filters

class By:
    """Expected rows of a filter: those for which `values` contains the value, or for which `fits` is true. others: values that match nothing; known:
    values to try if no member has them, looked up in the region."""

    def __init__(self, value=None, fits=None, ask=lambda v: v, others=("no-such-value",), known=None):
        self.value, self.fits, self.ask, self.others, self.known = value, fits, ask, others, known

    def values_of(self, region, word):
        return (lambda row: self.known(region, row)) if self.known else self.value or at(word)


def at(path):
    return lambda row: [row[path]] if path in row else []


def comma(key, holds):
    """A filter with comma-separated words: all, some, not all, none of them."""
    return By(lambda row: [",".join(row[key][:1]), ",".join(row[key])] if row[key] else [], lambda row, value: holds(value.split(","), row[key]),
              others=("no-such-value",))


def has_all(words, has):
    return all(w in has for w in words)


def has_any(words, has):
    return any(w in has for w in words)


def since(key, word, fits):
    return By(at(key), lambda row, v: fits(row[key][:19], v[:19]), ask=lambda v: word + v, others=())


TIMES = [since(k, f"{w}:", f) for k in ("created_at", "updated_at") for w, f in (
    ("gt", lambda a, b: a > b), ("lte", lambda a, b: a <= b))]
ANY = object()  # finds the same rows whatever its value, or other tests cover it
PASSED_OVER = object()  # ignored for this caller
REFUSED = object()  # for administrators only: test_volumes_by_host()
DOMAIN = By(at("domain_id"))
ALL_OF = By(lambda r: ["a"], lambda r, v: True, others=())  # the filter hides rows that this list does not have


def literal(key):
    """A dictionary in Python's syntax: the whole, one member, and an empty one, which every row contains."""
    return By(lambda r: [str(r[key]), str(dict(list(r[key].items())[:1])), "{}"], lambda r, v: ast.literal_eval(v).items() <= r[key].items(),
              others=("no-such-value", "{'no': 'such'}", "{'common': 'other'}", "{'a'"))


FILTERS = {
    "tags": comma("tags", has_all), "tags-any": comma("tags", has_any),
    "not-tags": By(lambda r: r["tags"][:1], lambda r, v: not has_all(v.split(","), r["tags"]), others=()),
    "not-tags-any": By(lambda r: [",".join(r["tags"])] if r["tags"] else [], lambda r, v: not has_any(v.split(","), r["tags"]), others=()),
    ("servers", "not-tags"): By(lambda r: [r["tags"][0]], lambda r, v: not has_all(v.split(","), r["tags"]), others=()),
    ("servers", "not-tags-any"): By(lambda r: [",".join(r["tags"])], lambda r, v: not has_any(v.split(","), r["tags"]), others=()),
    ("images", "tag"): By(lambda r: r["tags"]), ("images", "size_min"): By(at("size"), lambda r, v: r["size"] is not None and r["size"] >= v, others=("999999999999",)),
    ("images", "size_max"): By(at("size"), lambda r, v: r["size"] is not None and r["size"] <= v, others=("0",)),
    ("images", "created_at"): TIMES[0], ("images", "updated_at"): TIMES[3], ("volumes", "created_at"): TIMES[1], ("volumes", "updated_at"): TIMES[3],
    ("images", "visibility"): ANY,  # lists contain other projects' community images only on request: tests/contract/cross/two_accounts.py
    ("images", "id"): By(at("id"), ask=lambda v: f"in:{v}"),
    ("migrations", "host"): By(at("dest_compute")), ("migrations", "migration_type"): By(at("migration_type")),
    ("images", "server"): By(lambda r: [r["server"]["id"]] if "server" in r else []), ("images", "changes-since"): By(at("updated"), lambda r, v: r["updated"] >= v, others=("2099-01-01T00:00:00Z",)),
    ("images", "type"): By(lambda r: ["snapshot" if "server" in r else "base"]),
    **{(items, "enabled"): By(lambda r: [str(r["enabled"]), "maybe" if r["enabled"] else "Off"], lambda r, v: r["enabled"] == (v.lower() not in ("off", "false")), others=())
       for items in ("domains", "projects", "users")},
    ("projects", "is_domain"): By(lambda r: [r["is_domain"]], others=()),  # every value but false means domains
    ("volumes", "metadata"): literal("metadata"), ("snapshots", "metadata"): literal("metadata"), ("volume_types", "extra_specs"): literal("extra_specs"),
    ("volumes", "consumes_quota"): By(at("consumes_quota"), others=("no-such-value", "False")),
    ("snapshots", "consumes_quota"): By(at("consumes_quota"), others=("no-such-value", "False")),
    ("volumes", "host"): REFUSED, ("volumes", "migration_status"): By(known=lambda region, r: [region.migrated.get(r["id"], "None")]),
    ("snapshots", "availability_zone"): By(known=lambda region, r: [region.zone_of(r["volume_id"])]), ("backups", "project_id"): By(known=lambda region, r: [region.mine.id]),
    ("subnets", "shared"): By(known=lambda region, r: [region.is_shared(r["network_id"])]),
    ("volumes", "project_id"): By(at("os-vol-tenant-attr:tenant_id")), ("snapshots", "project_id"): By(at("os-extended-snapshot-attributes:project_id")),
    ("attachments", "instance_id"): By(at("instance")), ("attachments", "attach_status"): By(at("status")),
    ("services", "service"): By(at("binary")), ("messages", "message_level"): By(at("message_level")),
    ("servers", "name"): By(at("name"), ask=lambda v: f"^{v}$"), ("servers", "uuid"): By(at("id")), ("servers", "image"): By(lambda r: [r["image"]["id"]] if r["image"] else []),
    ("servers", "flavor"): ANY, ("servers", "deleted"): PASSED_OVER, ("servers", "host"): PASSED_OVER, ("servers", "node"): PASSED_OVER,
    ("servers", "ip"): By(lambda r: [a["addr"] for n in r["addresses"].values() for a in n], ask=lambda v: f"^{v}$".replace(".", "\\.")),
    # golden/openstack/servers has these three: no server of this region has a value of theirs
    ("servers", "ip6"): ANY, ("servers", "task_state"): ANY, ("servers", "config_drive"): ANY,
    ("servers", "display_name"): By(at("name"), ask=lambda v: f"^{v}$"), ("servers", "vm_state"): By(at("OS-EXT-STS:vm_state")),
    ("servers", "power_state"): By(lambda r: [str(r["OS-EXT-STS:power_state"])], others=("99",)),
    ("migrations", "changes-since"): By(at("updated_at"), lambda r, v: r["updated_at"] >= v, others=("2099-01-01T00:00:00",)),
    ("migrations", "changes-before"): By(at("updated_at"), lambda r, v: r["updated_at"] <= v, others=("2001-01-01T00:00:00",)),
    ("servers", "changes-since"): By(at("updated"), lambda r, v: r["updated"] >= v, others=("2099-01-01T00:00:00Z",)),
    ("servers", "changes-before"): By(at("updated"), lambda r, v: r["updated"] <= v, others=("2001-01-01T00:00:00Z",)),
    ("servers", "availability_zone"): By(at("OS-EXT-AZ:availability_zone")), ("servers", "launch_index"): ANY, ("servers", "reservation_id"): ANY,
    ("servers", "project_id"): By(at("tenant_id")), ("servers", "description"): By(at("description"), ask=lambda v: f"^{v}$"),
    ("flavors", "minRam"): By(at("ram"), lambda r, v: r["ram"] >= v, others=("99999999",)), ("flavors", "minDisk"): By(at("disk"), lambda r, v: r["disk"] >= v, others=("99999999",)),
    ("security_group_rules", "tags"): ANY, ("security_group_rules", "tags-any"): ANY,
    ("security_group_rules", "not-tags"): ALL_OF, ("security_group_rules", "not-tags-any"): ALL_OF, ("keypairs", "user_id"): ANY, ("ports", "binding:host_id"): ANY, ("ports", "binding:vif_type"): ANY, ("roles", "domain_id"): ANY, ("hypervisors", "hypervisor_hostname_pattern"): By(at("hypervisor_hostname"), lambda r, v: v in r["hypervisor_hostname"]),
    ("ports", "fixed_ips"): By(lambda r: [f"ip_address={i['ip_address']}" for i in r["fixed_ips"]] + [f"subnet_id={i['subnet_id']}" for i in r["fixed_ips"]],
                               others=(f"subnet_id={ABSENT}", "ip_address=192.0.2.1")),
    ("ports", "security_groups"): By(lambda r: r["security_groups"]), ("agents", "binary"): By(at("binary")),
    ("networks", "is_default"): By(at("is_default"), fits=lambda r, v: r.get("is_default") == v, others=()),
    # external networks, which administrators see: golden/openstack/networks
    ("networks", "provider:network_type"): ANY, ("networks", "provider:physical_network"): ANY, ("networks", "provider:segmentation_id"): ANY,
    ("quotas", "tenant_id"): By(at("project_id")),
    **{(items, f"{word}_id"): By(lambda r: [b["id"] for b in r["loadbalancers"]]) for items in ("listeners", "pools") for word in ("loadbalancer", "load_balancer")},
    ("healthmonitors", "pool_id"): By(lambda r: [p["id"] for p in r["pools"]]),
    # all are ACTIVE once the region rests: golden/openstack/load_balancers
    **{(items, "provisioning_status"): ANY for items in ("loadbalancers", "listeners", "pools", "members", "healthmonitors", "l7policies", "rules")},
    ("namespaces", "resource_types"): By(lambda r: [t["name"] for t in r["resource_type_associations"]]), ("namespaces", "visibility"): By(at("visibility")),
}
# Brief lists have the filters of the detailed lists, but not the members to compare.
BRIEF = {t for t in LISTS if any(o.split()[1] == t.split()[1] + "/detail" for o in LISTS)}


def text(value):
    return str(value) if isinstance(value, bool) else value


def pools_of(value, pools):
    return [p for p in pools if value in (p, p.partition("#")[0], p.partition("@")[0])]


UNFIT = {("port_forwardings", "internal_port"), ("port_forwardings", "internal_ip_address"),  # Neutron refuses these by name
         ("projects", "is_domain")}  # FILTERS covers it
# Members that Neutron shows but does not filter by (no is_filter in neutron-lib's definitions). They are refused, since an ignored filter would
# return every row.
NO_FILTERS = {"agents": {"created_at", "started_at"}, "network_ip_availabilities": {"total_ips", "used_ips"},
              "port_forwardings": {"internal_port_range"}, "ipsec_site_connections": {"psk"}, "networks": {"ipv4_address_scope", "ipv6_address_scope", "qos_policy_id"},
              "ports": {"qos_policy_id", "qos_network_policy_id"}}
PLAIN = sorted(t for t, a in LISTS.items() if a["service"] in ("network", "identity"))
VOLUMES = dict([
    ("metadata={'a':'b'}", {"one", "three"}), ("metadata={'a':+'b',+\"c\":+'d'}", {"one"}), ("metadata={'a':'z'}", set()),
    ("metadata=a", set()), ("metadata={'a'", set()), ("size=2", {"two", "three"}), ("size=x", set()),
    ("migration_status=migrating", set()), ("migration_status=None", {"one", "two", "three"}),
    ("consumes_quota=True", {"one", "two", "three"}), ("consumes_quota=0", set()), ("name=one&size=1", {"one"})])


# ---- order

def first_of(path):
    return lambda row: row.get(path)


SORTED = {
    **{("subnetpools", f"{word}_prefixlen"): lambda r, word=word: int(r[f"{word}_prefixlen"]) for word in ("min", "default", "max")},  # texts, ordered as numbers
    ("migrations", "id"): first_of("uuid"),  # rows are ordered by their UUIDs, and the number that Nova calls id is made of one
    ("servers", "display_name"): first_of("name"), ("servers", "image_ref"): lambda r: r["image"]["id"], ("servers", "launched_at"): first_of("OS-SRV-USG:launched_at"),
    ("servers", "project_id"): first_of("tenant_id"), ("servers", "created_at"): first_of("created"), ("servers", "updated_at"): first_of("updated"),
    ("servers", "power_state"): None, ("servers", "vm_state"): None, ("servers", "host"): None, ("servers", "launch_index"): None,
    ("volumes", "display_name"): first_of("name"), ("backups", "display_name"): first_of("name"), ("snapshots", "display_name"): first_of("name"), ("snapshots", "volume_size"): first_of("size"),
    ("volumes", "bootable"): first_of("bootable"), ("flavors", "flavorid"): first_of("id"), ("flavors", "memory_mb"): first_of("ram"), ("flavors", "root_gb"): first_of("disk"),
    ("flavors", "is_public"): first_of("os-flavor-access:is_public"), ("flavors", "id"): None, ("keypairs", "id"): None, ("network_ip_availabilities", "id"): first_of("network_id"),
    ("subnets", "cidr"): lambda r: (r["ip_version"], ipaddress.ip_network(r["cidr"])), ("floatingips", "floating_ip_address"): lambda r: ipaddress.ip_address(r["floating_ip_address"]),
    ("security_group_rules", "remote_ip_prefix"): lambda r: r["remote_ip_prefix"] and ipaddress.ip_network(r["remote_ip_prefix"]),
    ("subnets", "gateway_ip"): lambda r: r["gateway_ip"] and (r["ip_version"], ipaddress.ip_address(r["gateway_ip"])),
    ("port_forwardings", "external_port_range"): lambda r: int(r["external_port_range"].partition(":")[0]),
    **{(items, "provisioning_status"): None for items in ("loadbalancers", "listeners", "pools", "members", "healthmonitors")},
    ("port_forwardings", "created_at"): None, ("port_forwardings", "updated_at"): None,
    ("floatingips", "fixed_ip_address"): lambda r: r["fixed_ip_address"] and ipaddress.ip_address(r["fixed_ip_address"]),
}
ORDERS = [f"{t} {k}" for t, a in sorted(LISTS.items()) for k in a["sort_keys"] if a["links"] or a["items"] == "images"]


# ---- pages

PAGED = sorted(t for t, a in LISTS.items() if a["links"] or a["items"] == "images")


def next_of(action, answer):
    """Query of the next page."""
    if action["service"] == "image":
        link = answer.json.get("next")
        return link and "/image" + link
    links = [l["href"] for l in answer.json.get(action["links"], []) if l["rel"] == "next"]
    return links[0] if links else None


def follow(region, action, link):
    assert not link.startswith("http") or link.startswith(region.dev.url), link
    return region.by(action).call("GET", link.removeprefix(region.dev.url), version=version_of(action))


def walk(region, action, *query):
    """All pages, in order, by following links."""
    answer, pages = region.ask(action, query), []
    while True:
        assert answer.status == 200, answer
        pages.append(rows_of(action, answer.json))
        link = next_of(action, answer)
        if not link:
            return pages
        assert len(pages) < 100, "the walk has no end"
        answer = follow(region, action, link)


class OpenStack:
    name = "openstack"
    actions = LISTS
    cases = {
        "finds": [f"{t} {f}" for t, a in sorted(LISTS.items()) for f in a["filters"]],
        "shown": [f"{t} {m['name']}" for t, a in sorted(LISTS.items()) for m in a.get("answer", []) if "filter" in m], "volumes_by_host": ["volumes", "volumes/detail"], "unknown": sorted(LISTS),
        "by_microversion": ["volumes"], "volumes_by_words": list(VOLUMES), "members": PLAIN, "order": ORDERS, "bad_orders": PAGED, "pages": PAGED,
        "pages_back": [t for t in PAGED if LISTS[t]["service"] == "network"], "limits": PAGED, "markers": PAGED}

    @contextlib.contextmanager
    def make(self):
        with Dev() as dev:
            yield Region(dev)

    def finds(self, region, name):
        """Finds exactly the rows whose member has the value; an unknown value finds none."""
        name, _, word = name.rpartition(" ")
        action = LISTS[name]
        long = LISTS.get(next((t for t in LISTS if name in BRIEF and t.split()[1] == name.split()[1] + "/detail"), name))
        whole = region.rows(long)
        assert len(whole) > 1 or action["items"] in FEW, f"{whole}: the region has to make more"
        by = FILTERS.get((action["items"], word)) or FILTERS.get(word) or By()
        if by is PASSED_OVER:
            assert names(region.rows(action, (word, "no-such-value"))) == names(region.rows(action))
            return
        if by is REFUSED:
            answer = region.ask(action, [(word, "no-such-value")])
            assert answer.status == 400 and word in answer.text, answer
            return
        others = by.others if isinstance(by, By) else ("no-such-value",)
        for other in others:
            answer = region.ask(action, [(word, other)])
            shown = rows_of(action, answer.json) if answer.status == 200 else []
            refused = (400, 403) if word == "user_id" else (400,)  # another user's rows, which only an administrator may list
            assert answer.status in (200, *refused) and not shown, f"{word}={other} finds {shown}"
        if by is ANY:
            return
        values_of = by.values_of(region, word)
        values = [v for row in whole for v in values_of(row) if v not in (None, "")]
        assert values or action["items"] in FEW or word in fixed(action), f"no row has a member {word}: FILTERS has to say what the filter compares"
        fits = by.fits or (lambda row, v: v in values_of(row))
        for value in sorted(set(values), key=str):
            wanted = {name_of(r) for r in whole if fits(r, value)}
            found = region.rows(action, (word, by.ask(text(value))))
            assert set(names(found)) == wanted, f"{word}={by.ask(text(value))}"
        if len(set(values)) > 1 and action["service"] == "network" and not by.fits:  # several values: matches any of them
            both = sorted(set(values), key=str)[:2]
            found = region.rows(action, (word, [text(v) for v in both]))
            assert set(names(found)) == {name_of(r) for r in whole if any(fits(r, v) for v in both)}, both

    def shown(self, region, name):
        """The value that an answer shows of a member finds the row, for each row of attributes with a filter."""
        name, _, member = name.rpartition(" ")
        action = LISTS[name]
        word = next(m["filter"] for m in action["answer"] if m["name"] == member)
        is_admins = next(m.get("admin") for m in action["answer"] if m["name"] == member)
        ask = functools.partial(region.rows, action, by=region.admin if is_admins else None)
        whole = ask()
        assert any(member in row for row in whole), f"no answer shows {member}"
        for value in sorted({row[member] for row in whole if row.get(member) not in (None, "")}, key=str):
            found = set(names(ask((word, text(value)))))
            assert {name_of(row) for row in whole if row.get(member) == value} <= found, f"{word}={text(value)}"

    def volumes_by_host(self, region, name):
        """Filters by the whole pool, its backend or its host."""
        whole = region.admin.ok("GET", f"{VOL}/volumes/detail?all_tenants=1", version=VOLUME)["volumes"]
        pools = sorted({r["os-vol-host-attr:host"] for r in whole if r["os-vol-host-attr:host"]})
        assert len(pools) > 1, "the region has to make more"
        for value in sorted({v for pool in pools for v in (pool, pool.partition("#")[0], pool.partition("@")[0])}) + ["no-such-value"]:
            found = region.admin.ok("GET", f"{VOL}/{name}?all_tenants=1&host={urllib.parse.quote(value)}", version=VOLUME)["volumes"]
            assert names(found) == [r["id"] for r in whole if (r["os-vol-host-attr:host"] or "") in pools_of(value, pools)], value

    def unknown(self, region, name):
        """Unknown filters are refused by name if the tables say so, else ignored; cross/bad_parameters.py checks the messages."""
        action = LISTS[name]
        answer = region.ask(action, [("no_such_filter", "x")])
        if action["service"] != "compute" and action["unknown_query"]["since"] is not None:
            assert answer.status == 400 and "no_such_filter" in answer.text, answer
            return
        if action["service"] == "compute" and (action["until"] or 75) >= 75:
            assert answer.status == 400 and "no_such_filter" in answer.text, answer
            answer = region.ask(action, [("no_such_filter", "x")], version=f"compute 2.{max(action['since'], 1)}")
            assert answer.status == 200, answer
            return
        assert answer.status == 200, answer
        found = rows_of(action, answer.json)
        if action["service"] == "image" and action["items"] == "images":  # a property that no image has
            assert not found
        else:
            assert names(found) == names(region.rows(action))

    def by_microversion(self, region, _):
        """Before 3.31 Cinder ignores an unknown filter, except for administrators, for whom it finds nothing."""
        member = lib.another(region.dev, "acme")
        member.ok("POST", "/volume/v3/volumes", {"volume": {"size": 1, "name": "a"}})
        region.dev.rest()
        assert len(member.ok("GET", "/volume/v3/volumes?colour=red", version="volume 3.30")["volumes"]) == 1
        for minor in (31, 34, 70):
            for query in ("colour=red", "name~=a"):
                answer = member.call("GET", f"/volume/v3/volumes/detail?{query}", version=f"volume 3.{minor}")
                assert answer.status == 400, answer
        assert region.admin.call("GET", "/volume/v3/volumes?all_tenants=1&colour=red").status == 400

    def volumes_by_words(self, region, query):
        found = VOLUMES[query]
        if not hasattr(region, "filtered"):
            region.filtered = lib.another(region.dev, "filters", role="manager")
            for name, size, metadata in (("one", 1, {"a": "b", "c": "d"}), ("two", 2, {}), ("three", 2, {"a": "b"})):
                region.filtered.ok("POST", "/volume/v3/volumes", {"volume": {"size": size, "name": name, "metadata": metadata}})
            region.dev.rest()
        shown = region.filtered.ok("GET", f"/volume/v3/volumes/detail?{query}&with_count=1&limit=1", version=VOLUME)
        assert shown["count"] == len(found)
        all_of_them = region.filtered.ok("GET", f"/volume/v3/volumes/detail?{query}", version=VOLUME)["volumes"]
        assert {v["name"] for v in all_of_them} == found

    def members(self, region, name):
        """Neutron and Keystone filter by the scalar members that they show, except those that Neutron refuses by name."""
        action = LISTS[name]
        whole = region.rows(action)
        refused = set(whole[0]) - {"project_id", "tenant_id"} if action["items"] == "quotas" else NO_FILTERS.get(action["items"], set())
        for member in sorted(refused):
            answer = region.ask(action, [(member, "1")])
            assert member in whole[0] and answer.status == 400 and f"['{member}'] is invalid attribute for filtering" in answer.text, answer
        for member in sorted({k for r in whole for k, v in r.items() if isinstance(v, (str, int, bool)) and v != "" and (action["items"], k) not in UNFIT} - refused):
            for value in sorted({r[member] for r in whole if isinstance(r.get(member), (str, int, bool)) and r[member] != ""}, key=str)[:3]:
                found = region.rows(action, (member, text(value)))
                assert names(found) == [name_of(r) for r in whole if r.get(member) == value], f"{member}={value}"
            answer = region.ask(action, [(member, "no-such-value")])
            expected = [r for r in whole if r.get(member) is True and "/identity/" in name]  # Keystone: every word but "false" and its like
            assert answer.status == 400 or names(rows_of(action, answer.json)) == names(expected), f"{member}: {answer}"

    def order(self, region, name):
        name, _, key = name.rpartition(" ")
        action = LISTS[name]
        up, down = (region.rows(action, ("sort_key", key), ("sort_dir", d)) for d in ("asc", "desc"))
        assert len(up) > 1 or action["items"] in FEW, "the region has to make more"
        assert names(down) == names(up)[::-1] and sorted(names(up)) == sorted(names(region.rows(action)))
        value = SORTED.get((action["items"], key), first_of(key))
        if name in BRIEF or value is None:
            long = next((t for t in LISTS if t.split()[1] == name.split()[1] + "/detail"), None)
            if long:
                assert names(up) == names(region.rows(LISTS[long], ("sort_key", key), ("sort_dir", "asc")))
            return
        values = [value(r) for r in up]
        assert len(set(map(str, values))) > 1 or key in ("project_id", "tenant_id", "created_at", "updated_at", "provisioning_status", "image_ref", "launched_at", "container_format", "is_public", "floating_network_id") or \
            key in fixed(action) or \
            action["items"] in ("hypervisors", "attachments", "volume_types", *FEW), f"all are {values[:1]}: the region has to make them differ"
        said = [v for v in values if v is not None]
        assert values[:len(said)] == said or values[-len(said):] == said, "what has none is at one end"
        if any(v is not None for v in values):
            assert said == sorted(said), f"{key}: {values}"

    def bad_orders(self, region, name):
        for query in ([("sort_key", "no_such_key")], [("sort_key", "id"), ("sort_dir", "up")], [("sort_key", "")]):
            answer = region.ask(LISTS[name], query)
            assert answer.status == 400 or (query[0][1] == "" and answer.status == 200), f"{query}: {answer}"

    def pages(self, region, name):
        action = LISTS[name]
        """A page that is exactly full has a link to the next one, which is empty at the end of the list, as in the services."""
        whole = names(region.rows(action))
        for size in sorted({1, 2, max(1, len(whole) - 1), max(1, len(whole)), len(whole) + 1, 1000}):
            pages = walk(region, action, ("limit", size))
            assert [n for page in pages for n in names(page)] == whole, f"limit={size}"
            assert all(len(page) == size for page in pages[:-1]) and len(pages) == len(whole) // size + 1, [len(p) for p in pages]
        if len(action["sort_keys"]) > 3:  # with a custom order and filter
            key = ("sort_key", action["sort_keys"][0]), ("sort_dir", "desc")
            assert [n for page in walk(region, action, ("limit", 2), *key) for n in names(page)] == names(region.rows(action, *key))

    def pages_back(self, region, name):
        """Neutron's pages also link back."""
        action = LISTS[name]
        answer = region.ask(action, [("limit", 2)])
        first = names(rows_of(action, answer.json))
        if len(first) < 2:
            assert action["items"] in FEW, "the region has to make more"
            return
        back = [l for l in follow(region, action, next_of(action, answer)).json[action["links"]] if l["rel"] == "previous"]
        assert names(rows_of(action, follow(region, action, back[0]["href"]).json)) == first

    def limits(self, region, name):
        action = LISTS[name]
        whole = names(region.rows(action))
        for bad in ("-1", "x", "1.5", "9" * 30, "1 2", "0x10"):
            answer = region.ask(action, [("limit", bad)])
            assert answer.status == 400 and "imit" in answer.text, f"limit={bad}: {answer}"
        for large in ("1001", "2147483648"):
            assert names(region.rows(action, ("limit", large))) == whole
        none = names(region.rows(action, ("limit", "0")))
        assert none == (whole if action["service"] == "network" else []), "a limit of 0 is none to Neutron, and an empty page elsewhere"

    def markers(self, region, name):
        """An unknown marker, or one of another project: 404 if the service looks the marker up like a resource, else 400."""
        action = LISTS[name]
        status = 404 if action["service"] in ("network", "block-storage") else 400
        markers = [ABSENT, "no such thing"]
        if not action["admin"] and action["items"] not in ("flavors", "volume_types", "messages"):
            mine = set(names(region.rows(action)))
            path = path_of(action, region.parents[region.theirs.name])
            theirs = rows_of(action, region.theirs.call("GET", path, version=version_of(action)).json)
            markers += [n for n in names(theirs) if n not in mine][:1]
        for marker in markers:
            answer = region.ask(action, [("limit", 1), ("marker", marker)])
            assert answer.status == status, f"marker={marker}: {answer}"
            assert marker == "no such thing" or marker in answer.text, answer

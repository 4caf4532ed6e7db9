# SPDX-License-Identifier: Apache-2.0
"""OpenStack: creates each resource with every member of its tables, and checks that the answer, the show and the list agree with each other and with
the request. Then changes every member that can be changed."""
import base64
import contextlib
import ipaddress

import cloud as lib
from cloud import dump, members, minor_of, title
from dev import Dev

ACTIONS = dump()["actions"]
NEWEST = {"/compute": "compute 2.93", "/volume": "volume 3.70"}
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGWrnDmbTVbdaWdQ0S1XZkn2QJ6rIxdGAXBWVkEeLvZG"
HIDDEN = object()  # a member that no answer shows


class Region:
    """A project with prerequisites by label, and an administrator."""

    def __init__(self, dev):
        self.dev, self.mine, self.admin = dev, lib.another(dev, "mine", role="manager"), lib.admin(dev)
        self.ids = {"project": self.mine.id, "user": self.mine.user_id, "admin": self.admin.id, "admin_user": self.admin.user_id}
        self.sent = {}  # action → members that some request contained
        self.ids["outside"] = self.mine.ok("GET", "/network/v2.0/networks?router:external=true")["networks"][0]["id"]
        self.ids["image"] = self.mine.ok("GET", "/image/v2/images?visibility=public")["images"][0]["id"]
        self.ids["zone"] = sorted(z["zoneName"] for z in self.mine.ok("GET", "/compute/v2.1/os-availability-zone")["availabilityZoneInfo"])[0]

        inside = self.mine.ok("GET", f"{NET}/networks?router:external=false")["networks"][0]["id"]  # a VPC with a way outside
        for label in ("trunk_port", "trunk_sub"):
            self.ids[label] = self.mine.ok("POST", f"{NET}/ports", {"port": {"network_id": inside}})["port"]["id"]
        for label in ("port_inside", "other_inside"):
            self.ids[label] = self.mine.ok("POST", f"{NET}/ports", {"port": {"network_id": inside}})["port"]["id"]
            self.ids[label + "_ip"] = self.mine.ok("GET", f"{NET}/ports/{self.ids[label]}")["port"]["fixed_ips"][0]["ip_address"]
        subnet = self.mine.ok("GET", f"{NET}/subnets?network_id={inside}&ip_version=4")["subnets"][0]
        spare = self.mine.ok("POST", f"{NET}/ports", {"port": {"network_id": inside}})["port"]["id"]
        self.ids["inside_router"] = next(r["id"] for r in self.mine.ok("GET", f"{NET}/routers")["routers"] if r["external_gateway_info"])
        self.ids.update(inside=inside, inside_subnet=subnet["id"], inside_free=str(ipaddress.ip_network(subnet["cidr"])[200]), spare_port=spare)
        floating = {"floatingip": {"floating_network_id": self.ids["outside"]}}
        self.ids["floatingip_id"] = self.mine.ok("POST", f"{NET}/floatingips", floating)["floatingip"]["id"]

    def fill(self, value):
        """The value with ids in place of "{label}"."""
        if isinstance(value, dict):
            return {k: self.fill(v) for k, v in value.items()}
        if isinstance(value, list):
            return [self.fill(v) for v in value]
        return value.format(**self.ids) if isinstance(value, str) and value.startswith("{") else value


def names(value, prefix=""):
    """Dotted names of all members, as in the tables."""
    for key, inner in value.items():
        yield prefix + key
        if isinstance(inner, dict):
            yield from names(inner, f"{prefix}{key}.")
        for item in inner if isinstance(inner, list) else []:
            if isinstance(item, dict):
                yield from names(item, f"{prefix}{key}.N.")


class R:
    """One resource: the collection's path; its wrap; the request; members whose shown value differs from the request (HIDDEN: not shown); later
    changes, one request each; `form` is "PUT", "PATCH" or "JSON-patch"; sent by the administrator or by the project."""

    def __init__(self, path, wrap, body, shown=None, changes=(), changed=None, form="PUT", by="mine", label=None, item="id", around=None, is_bare=False):
        self.path, self.wrap, self.body, self.shown, self.changes = path, wrap, body, shown or {}, changes
        self.changed, self.form, self.by, self.label, self.item, self.around = changed or {}, form, by, label, item, around or {}
        self.is_bare = is_bare  # the members are at the top level of the body


NET, VOL, IMG, ID, NOVA, LB = "/network/v2.0", "/volume/v3", "/image/v2", "/identity/v3", "/compute/v2.1", "/load-balancer/v2/lbaas"
PAIR = [{"ip_address": "10.60.0.99", "mac_address": "02:00:00:00:00:99"}]
OUTSIDE = {"network_id": "{outside}", "enable_snat": False}
ROWS = [
    R(f"{NET}/networks", "network", {"name": "n", "description": "d", "admin_state_up": False, "mtu": 1400, "port_security_enabled": False,
                                 "project_id": "{project}", "tenant_id": "{project}"},
      changes=[{"name": "m"}, {"description": "e"}, {"admin_state_up": True}, {"mtu": 1300}, {"port_security_enabled": True}], label="network"),
    R(f"{NET}/subnets", "subnet", {
        "network_id": "{network}", "cidr": "10.60.0.0/24", "ip_version": 4, "name": "s", "description": "d", "gateway_ip": "10.60.0.254", "enable_dhcp": False,
        "allocation_pools": [{"start": "10.60.0.10", "end": "10.60.0.99"}], "host_routes": [{"destination": "192.0.2.0/24", "nexthop": "10.60.0.7"}],
        "dns_nameservers": ["192.0.2.53"], "project_id": "{project}", "tenant_id": "{project}"},
      changes=[{"name": "t"}, {"description": "e"}, {"enable_dhcp": True}, {"gateway_ip": None}, {"gateway_ip": "10.60.0.1"}, {"dns_nameservers": ["192.0.2.54"]},
               {"allocation_pools": [{"start": "10.60.0.20", "end": "10.60.0.200"}]}, {"host_routes": [{"destination": "198.51.100.0/24", "nexthop": "10.60.0.8"}]},
               {"host_routes": []}], label="subnet"),
    R(f"{NET}/subnets", "subnet", {"network_id": "{network}", "cidr": "fd00:60::/64", "ip_version": 6, "ipv6_ra_mode": "dhcpv6-stateful",
                                   "ipv6_address_mode": "dhcpv6-stateful"},
      changes=[{"dns_nameservers": ["2001:db8::53"]}, {"gateway_ip": None}]),
    R(f"{NET}/networks", "network", {"shared": True}, changes=[{"shared": False}, {"shared": True}], by="admin"),
    R(f"{NET}/subnetpools", "subnetpool", {
        "name": "p", "description": "d", "prefixes": ["10.61.0.0/16"], "min_prefixlen": "16", "default_prefixlen": "26", "max_prefixlen": "30",
        "default_quota": 1024, "is_default": True, "shared": True, "project_id": "{admin}", "tenant_id": "{admin}"},
      changes=[{"name": "q"}, {"description": "e"}, {"prefixes": ["10.61.0.0/16", "10.63.0.0/16"]}, {"min_prefixlen": "17"}, {"default_prefixlen": "27"},
               {"max_prefixlen": "29"}, {"default_quota": 2048}, {"is_default": False}, {"is_default": True}], by="admin", label="pool"),
    R(f"{NET}/subnets", "subnet", {"network_id": "{network}", "ip_version": 4, "subnetpool_id": "{pool}", "prefixlen": 28}, shown={"prefixlen": HIDDEN}),
    R(f"{NET}/subnets", "subnet", {"network_id": "{network}", "ip_version": 4, "use_default_subnetpool": True, "prefixlen": 28},
      shown={"use_default_subnetpool": HIDDEN, "prefixlen": HIDDEN}),
    R(f"{NET}/rbac-policies", "rbac_policy", {"object_type": "network", "object_id": "{network}", "action": "access_as_shared", "target_tenant": "{admin}",
                                                "project_id": "{project}", "tenant_id": "{project}"},
      changes=[{"target_tenant": "{admin}"}]),
    R(f"{NET}/security-groups", "security_group", {"name": "g", "description": "d", "project_id": "{project}", "tenant_id": "{project}"},
      changes=[{"name": "h"}, {"description": "e"}], label="group"),
    R(f"{NET}/security-group-rules", "security_group_rule", {
        "security_group_id": "{group}", "direction": "ingress", "ethertype": "IPv4", "protocol": "tcp", "port_range_min": 1, "port_range_max": 2,
        "remote_ip_prefix": "192.0.2.0/24", "description": "d", "project_id": "{project}", "tenant_id": "{project}"}),
    R(f"{NET}/security-group-rules", "security_group_rule", {"security_group_id": "{group}", "direction": "egress", "remote_group_id": "{group}"}),
    R(f"{NET}/address-groups", "address_group", {"name": "a", "description": "d", "addresses": ["192.0.2.0/24", "2001:db8::/64"],
                                                 "project_id": "{project}", "tenant_id": "{project}"},
      changes=[{"name": "b"}, {"description": "e"}], label="addresses"),
    R(f"{NET}/security-group-rules", "security_group_rule", {"security_group_id": "{group}", "direction": "egress", "remote_address_group_id": "{addresses}"}),
    R(f"{NET}/qos/policies", "policy", {"name": "q", "description": "d", "is_default": True, "project_id": "{project}", "tenant_id": "{project}"},
      changes=[{"name": "r"}, {"description": "e"}, {"is_default": False}], label="policy"),
    R(f"{NET}/qos/policies", "policy", {"name": "q", "shared": True}, changes=[{"shared": False}], by="admin"),
    R(f"{NET}/qos/policies/{{policy}}/bandwidth_limit_rules", "bandwidth_limit_rule", {"max_kbps": 1000, "max_burst_kbps": 100, "direction": "ingress"},
      changes=[{"max_kbps": 2000}, {"max_burst_kbps": 0}, {"direction": "egress"}]),
    R(f"{NET}/qos/policies/{{policy}}/dscp_marking_rules", "dscp_marking_rule", {"dscp_mark": 8}, changes=[{"dscp_mark": 0}]),
    R(f"{NET}/qos/policies/{{policy}}/minimum_bandwidth_rules", "minimum_bandwidth_rule", {"min_kbps": 10, "direction": "ingress"},
      changes=[{"min_kbps": 20}, {"direction": "egress"}]),
    R(f"{NET}/address-scopes", "address_scope", {"name": "s", "ip_version": 6, "project_id": "{project}", "tenant_id": "{project}"}, changes=[{"name": "t"}]),
    R(f"{NET}/address-scopes", "address_scope", {"name": "s", "ip_version": 4, "shared": True}, by="admin"),
    R(f"{NET}/address-scopes", "address_scope", {"name": "u", "ip_version": 4}, changes=[{"shared": True}], by="admin"),
    R(f"{NET}/qos/policies", "policy", {"name": "limited"}, label="limited"),
    R(f"{NET}/networks", "network", {"name": "limited", "qos_policy_id": "{limited}"}, changes=[{"qos_policy_id": None}]),
    R(f"{NET}/address-scopes", "address_scope", {"name": "scope", "ip_version": 4}, label="scope"),
    R(f"{NET}/subnetpools", "subnetpool", {"name": "scoped", "prefixes": ["10.98.0.0/16"], "address_scope_id": "{scope}"}, changes=[{"address_scope_id": None}]),
    R(f"{NET}/ports", "port", {"network_id": "{network}", "qos_policy_id": "{limited}"}, changes=[{"qos_policy_id": None}]),
    R(f"{NET}/vpn/ikepolicies", "ikepolicy", {"name": "i", "description": "d", "auth_algorithm": "sha512", "encryption_algorithm": "aes-256", "pfs": "group14", "ike_version": "v2",
                                              "phase1_negotiation_mode": "aggressive", "lifetime": {"units": "seconds", "value": 7200}, "project_id": "{project}", "tenant_id": "{project}"},
      changes=[{"name": "j"}, {"description": "e"}, {"auth_algorithm": "sha384"}, {"encryption_algorithm": "aes-192"}, {"pfs": "group15"}, {"ike_version": "v1"},
               {"phase1_negotiation_mode": "main"}, {"lifetime": {"units": "seconds", "value": 100}}]),
    R(f"{NET}/vpn/ipsecpolicies", "ipsecpolicy", {"name": "i", "description": "d", "auth_algorithm": "sha512", "encryption_algorithm": "aes-256", "pfs": "group14", "transform_protocol": "esp",
                                                  "encapsulation_mode": "tunnel", "lifetime": {"units": "seconds", "value": 7200}, "project_id": "{project}", "tenant_id": "{project}"},
      changes=[{"name": "j"}, {"description": "e"}, {"auth_algorithm": "sha384"}, {"encryption_algorithm": "aes-192"}, {"pfs": "group15"}, {"transform_protocol": "esp"},
               {"encapsulation_mode": "tunnel"}, {"lifetime": {"units": "seconds", "value": 100}}]),
    R(f"{NET}/vpn/ikepolicies", "ikepolicy", {"name": "used"}, label="ike"),
    R(f"{NET}/vpn/ipsecpolicies", "ipsecpolicy", {"name": "used"}, label="esp"),
    R(f"{NET}/vpn/endpoint-groups", "endpoint_group", {"name": "g", "description": "d", "type": "cidr", "endpoints": ["10.98.0.0/24", "10.99.0.0/24"],
                                                       "project_id": "{project}", "tenant_id": "{project}"}, changes=[{"name": "h"}, {"description": "e"}], label="site_blocks"),
    R(f"{NET}/vpn/endpoint-groups", "endpoint_group", {"type": "cidr", "endpoints": ["10.97.0.0/24"]}, label="other_blocks"),
    R(f"{NET}/vpn/endpoint-groups", "endpoint_group", {"type": "subnet", "endpoints": ["{inside_subnet}"]}, label="own_subnets"),
    R(f"{NET}/vpn/endpoint-groups", "endpoint_group", {"type": "subnet", "endpoints": ["{inside_subnet}"]}, label="same_subnets"),
    R(f"{NET}/vpn/vpnservices", "vpnservice", {"name": "s", "description": "d", "router_id": "{inside_router}", "subnet_id": "{inside_subnet}", "admin_state_up": False,
                                               "project_id": "{project}", "tenant_id": "{project}"},
      changes=[{"name": "t"}, {"description": "e"}, {"admin_state_up": True}], label="service"),
    R(f"{NET}/vpn/vpnservices", "vpnservice", {"router_id": "{inside_router}"}, label="bare_service"),
    R(f"{NET}/vpn/ipsec-site-connections", "ipsec_site_connection", {
        "vpnservice_id": "{service}", "ikepolicy_id": "{ike}", "ipsecpolicy_id": "{esp}", "name": "c", "description": "d", "peer_address": "192.0.2.2", "peer_id": "there.example.com",
        "local_id": "here.example.com", "psk": "key", "peer_cidrs": ["10.96.0.0/24"], "mtu": 1400, "initiator": "response-only", "admin_state_up": False,
        "dpd": {"action": "clear", "interval": 10, "timeout": 60}, "project_id": "{project}", "tenant_id": "{project}"},
      changes=[{"name": "e"}, {"description": "f"}, {"peer_address": "192.0.2.3"}, {"peer_id": "192.0.2.3"}, {"local_id": "there.example.com"}, {"psk": "other"},
               {"peer_cidrs": ["10.95.0.0/24"]}, {"mtu": 1300}, {"initiator": "bi-directional"}, {"admin_state_up": True}, {"dpd": {"action": "restart", "interval": 20, "timeout": 80}}]),
    R(f"{NET}/vpn/ipsec-site-connections", "ipsec_site_connection", {
        "vpnservice_id": "{bare_service}", "ikepolicy_id": "{ike}", "ipsecpolicy_id": "{esp}", "peer_address": "192.0.2.4", "peer_id": "192.0.2.4", "psk": "key",
        "local_ep_group_id": "{own_subnets}", "peer_ep_group_id": "{site_blocks}"},
      changes=[{"local_ep_group_id": "{same_subnets}"}, {"peer_ep_group_id": "{other_blocks}"}]),
    R(f"{NET}/trunks", "trunk", {"port_id": "{trunk_port}", "name": "t", "description": "d", "admin_state_up": False, "project_id": "{project}", "tenant_id": "{project}",
                                 "sub_ports": [{"port_id": "{trunk_sub}", "segmentation_type": "vlan", "segmentation_id": 100}]},
      changes=[{"name": "u"}, {"description": "e"}, {"admin_state_up": True}]),
    R(f"{NET}/ports", "port", {
        "network_id": "{network}", "mac_address": "02:00:00:00:00:60", "name": "p", "description": "d", "admin_state_up": False,
        "fixed_ips": [{"subnet_id": "{subnet}", "ip_address": "10.60.0.30"}], "security_groups": ["{group}"], "allowed_address_pairs": PAIR,
        "port_security_enabled": True, "device_id": "x", "device_owner": "me", "dns_name": "name", "project_id": "{project}", "tenant_id": "{project}",
        "extra_dhcp_opts": [{"opt_name": "mtu", "opt_value": "1400", "ip_version": 4}, {"opt_name": "59", "opt_value": "boot", "ip_version": 6}]},
      changes=[{"name": "q"}, {"description": "e"}, {"admin_state_up": True}, {"fixed_ips": [{"subnet_id": "{subnet}", "ip_address": "10.60.0.31"}]},
               {"allowed_address_pairs": []}, {"allowed_address_pairs": PAIR}, {"allowed_address_pairs": []}, {"device_id": "y"}, {"device_owner": "you"},
               {"dns_name": "other"}, {"security_groups": []}, {"port_security_enabled": False}, {"device_id": "", "device_owner": ""},
               {"extra_dhcp_opts": [{"opt_name": "mtu", "opt_value": None, "ip_version": 4}]}],
      changed={"extra_dhcp_opts": lambda v: [o["opt_name"] for o in v] == ["59"]}, label="port"),
    R(f"{NET}/ports", "port", {"network_id": "{network}", "binding:host_id": "there"}, changes=[{"binding:host_id": "elsewhere"}, {"mac_address": "02:00:00:00:00:61"}],
      by="admin"),
    R(f"{NET}/routers", "router", {
        "name": "r", "description": "d", "admin_state_up": False, "external_gateway_info": {**OUTSIDE, "external_fixed_ips": [{}]}, "routes": [],
        "project_id": "{project}", "tenant_id": "{project}"},
      shown={"external_gateway_info": lambda v: v["enable_snat"] is False and len(v["external_fixed_ips"]) == 1},
      changes=[{"name": "s"}, {"description": "e"}, {"admin_state_up": True}, {"external_gateway_info": {"network_id": "{outside}", "enable_snat": True}}],
      changed={"external_gateway_info": lambda v: v["enable_snat"] is True}, label="router"),
    R(f"{NET}/floatingips", "floatingip", {"floating_network_id": "{outside}", "description": "d", "project_id": "{project}", "tenant_id": "{project}"},
      changes=[{"description": "e"}]),
    R(f"{NET}/floatingips/{{floatingip_id}}/port_forwardings", "port_forwarding", {
        "protocol": "tcp", "internal_port_id": "{port_inside}", "internal_ip_address": "{port_inside_ip}", "internal_port": 22, "external_port": 2222,
        "description": "d", "project_id": "{project}", "tenant_id": "{project}"},
      shown={"project_id": HIDDEN, "tenant_id": HIDDEN},
      changes=[{"protocol": "udp"}, {"internal_port": 23}, {"external_port": 2223}, {"description": "e"}, {"internal_port_id": "{other_inside}"},
               {"internal_ip_address": "{other_inside_ip}"}, {"external_port_range": "24:26"}, {"internal_port_range": "34:36"}]),
    R(f"{NET}/floatingips/{{floatingip_id}}/port_forwardings", "port_forwarding", {
        "protocol": "tcp", "internal_port_id": "{port_inside}", "internal_port_range": "80:81", "external_port_range": "8080:8081"}),
    R(f"{LB}/loadbalancers", "loadbalancer", {"name": "b", "description": "d", "admin_state_up": False, "vip_subnet_id": "{inside_subnet}", "vip_address": "{inside_free}",
                                              "provider": "amphora", "tags": ["a", "b"], "project_id": "{project}", "tenant_id": "{project}"},
      changes=[{"name": "c"}, {"description": "e"}, {"admin_state_up": True}, {"tags": ["c"]}], label="balancer"),
    R(f"{LB}/loadbalancers", "loadbalancer", {"vip_network_id": "{inside}"}),
    R(f"{LB}/loadbalancers", "loadbalancer", {"vip_port_id": "{spare_port}"}),
    R(f"{LB}/pools", "pool", {"loadbalancer_id": "{balancer}", "name": "p", "project_id": "{project}", "tenant_id": "{project}", "description": "d", "admin_state_up": False, "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN",
                              "session_persistence": {"type": "APP_COOKIE", "cookie_name": "c"}, "tls_enabled": True, "tags": ["a"]},
      shown={"loadbalancer_id": HIDDEN, "session_persistence": lambda v: (v["type"], v["cookie_name"]) == ("APP_COOKIE", "c")},
      changes=[{"name": "q"}, {"description": "e"}, {"admin_state_up": True}, {"lb_algorithm": "SOURCE_IP"}, {"session_persistence": None}, {"tls_enabled": False},
               {"session_persistence": {"type": "APP_COOKIE", "cookie_name": "d"}}, {"tags": ["b", "c"]}],
      changed={"session_persistence": lambda v: not v or v["cookie_name"] == "d"}, label="pool"),
    R(f"{LB}/listeners", "listener", {"loadbalancer_id": "{balancer}", "name": "l", "project_id": "{project}", "tenant_id": "{project}", "description": "d", "admin_state_up": False, "protocol": "HTTP", "protocol_port": 80,
                                      "connection_limit": 7, "default_pool_id": "{pool}", "insert_headers": {"X-Forwarded-Port": "true"}, "allowed_cidrs": ["10.0.0.0/8"],
                                      "timeout_client_data": 1, "timeout_member_connect": 2, "timeout_member_data": 3, "timeout_tcp_inspect": 4, "tags": ["a"]},
      shown={"loadbalancer_id": HIDDEN},
      changes=[{"name": "m"}, {"description": "e"}, {"admin_state_up": True}, {"connection_limit": -1}, {"default_pool_id": None}, {"insert_headers": {"X-Forwarded-For": "true"}},
               {"allowed_cidrs": None}, {"timeout_client_data": 5}, {"timeout_member_connect": 6}, {"timeout_member_data": 7}, {"timeout_tcp_inspect": 8}, {"tags": ["b"]}],
      label="lb_listener"),
    R(f"{LB}/pools", "pool", {"listener_id": "{lb_listener}", "protocol": "PROXYV2", "lb_algorithm": "LEAST_CONNECTIONS"}, shown={"listener_id": HIDDEN}),
    R(f"{LB}/l7policies", "l7policy", {"listener_id": "{lb_listener}", "name": "y", "project_id": "{project}", "tenant_id": "{project}", "description": "d", "admin_state_up": False,
                                       "action": "REDIRECT_TO_POOL", "redirect_pool_id": "{pool}", "position": 1, "tags": ["a"],
                                       "rules": [{"type": "HEADER", "key": "X-A", "compare_type": "REGEX", "value": "^/a", "invert": True, "admin_state_up": True, "project_id": "{project}",
                                                  "tenant_id": "{project}", "tags": ["a"]}]},
      shown={"rules": lambda v: len(v) == 1},
      changes=[{"name": "z"}, {"description": "e"}, {"admin_state_up": True}, {"action": "REJECT"}, {"redirect_url": "http://a.test/"}, {"redirect_prefix": "http://b.test"},
               {"redirect_pool_id": "{pool}"}, {"action": "REDIRECT_TO_URL", "redirect_url": "http://c.test", "redirect_http_code": 307}, {"redirect_http_code": 308}, {"position": 1},
               {"tags": ["b"]}], label="l7policy_id"),
    R(f"{LB}/l7policies", "l7policy", {"listener_id": "{lb_listener}", "action": "REDIRECT_TO_URL", "redirect_url": "https://a.test/b", "redirect_http_code": 303}),
    R(f"{LB}/l7policies", "l7policy", {"listener_id": "{lb_listener}", "action": "REDIRECT_PREFIX", "redirect_prefix": "https://a.test"}),
    R(f"{LB}/l7policies/{{l7policy_id}}/rules", "rule", {"type": "HEADER", "key": "X-A", "compare_type": "STARTS_WITH", "value": "a", "invert": True, "admin_state_up": False,
                                                        "project_id": "{project}", "tenant_id": "{project}", "tags": ["a"]},
      changes=[{"type": "COOKIE"}, {"compare_type": "EQUAL_TO"}, {"key": "b"}, {"value": "c"}, {"invert": False}, {"admin_state_up": True}, {"tags": ["b"]}]),
    R(f"{LB}/healthmonitors", "healthmonitor", {"pool_id": "{pool}", "name": "h", "project_id": "{project}", "tenant_id": "{project}", "admin_state_up": False, "type": "HTTP", "delay": 6, "timeout": 5, "max_retries": 2,
                                                "max_retries_down": 4, "http_method": "HEAD", "url_path": "/h", "expected_codes": "200-204", "http_version": 1.1,
                                                "domain_name": "a.test", "tags": ["a"]},
      shown={"pool_id": HIDDEN},
      changes=[{"name": "i"}, {"admin_state_up": True}, {"delay": 7}, {"timeout": 4}, {"max_retries": 3}, {"max_retries_down": 5}, {"http_method": "GET"}, {"url_path": "/i"},
               {"expected_codes": "200"}, {"domain_name": "b.test"}, {"domain_name": None}, {"http_version": 1.0}, {"tags": ["b"]}]),
    R(f"{VOL}/types", "volume_type", {"name": "t", "description": "d", "os-volume-type-access:is_public": True, "extra_specs": {"mine:a": "b"}},
      changes=[{"name": "u"}, {"description": "e"}, {"is_public": False}, {"is_public": True}], by="admin", label="type"),
    R(f"{VOL}/volumes", "volume", {"size": 1, "name": "v", "description": "d", "availability_zone": "{zone}", "volume_type": "gp2", "metadata": {"a": "b"}},
      changes=[{"name": "w"}, {"description": "e"}, {"display_name": "x"}, {"display_description": "f"}, {"metadata": {"m": "n"}}],
      changed={"display_name": ("name", "x"), "display_description": ("description", "f")}, label="volume"),
    R(f"{VOL}/volumes", "volume", {"size": 1, "display_name": "v", "display_description": "d"},
      shown={"display_name": HIDDEN, "display_description": HIDDEN}),
    R(f"{VOL}/snapshots", "snapshot", {"volume_id": "{volume}", "display_name": "s", "display_description": "d"},
      shown={"display_name": HIDDEN, "display_description": HIDDEN}),
    R(f"{VOL}/snapshots", "snapshot", {"volume_id": "{volume}", "name": "s", "description": "d", "metadata": {"a": "b"}},
      changes=[{"name": "t"}, {"description": "e"}, {"display_name": "u"}, {"display_description": "f"}],
      changed={"display_name": ("name", "u"), "display_description": ("description", "f")}, label="snapshot"),
    R(f"{VOL}/backups", "backup", {"volume_id": "{volume}", "name": "b", "description": "d", "container": "c", "availability_zone": "{zone}", "metadata": {"a": "b"}},
      changes=[{"name": "c"}, {"description": "e"}, {"metadata": {"c": "d"}}]),
    R(f"{VOL}/group_types", "group_type", {"name": "g", "description": "d", "is_public": True, "group_specs": {"a": "b"}},
      changes=[{"name": "h"}, {"description": "e"}, {"is_public": False}, {"is_public": True}], by="admin", label="group_type"),
    R(f"{VOL}/groups", "group", {"name": "g", "description": "d", "group_type": "{group_type}", "volume_types": ["{type}"], "availability_zone": "{zone}"},
      changes=[{"name": "h"}, {"description": "e"}], label="volume_group"),
    R(f"{VOL}/volumes", "volume", {"size": 1, "volume_type": "u", "group_id": "{volume_group}"}, label="grouped"),
    R(f"{VOL}/group_snapshots", "group_snapshot", {"group_id": "{volume_group}", "name": "s", "description": "d"}),
    R(f"{VOL}/volumes", "volume", {"snapshot_id": "{snapshot}"}),
    R(f"{VOL}/volumes", "volume", {"source_volid": "{volume}"}, shown={"source_volid": HIDDEN}),
    R(f"{VOL}/volumes", "volume", {"multiattach": True, "size": 1}),
    R(f"{VOL}/volumes", "volume", {"imageRef": "{image}", "size": 12}, shown={"imageRef": HIDDEN, "volume_image_metadata": lambda v: v["image_name"]}),
    R(f"{VOL}/volumes", "volume", {"image_id": "{image}", "size": 12}, shown={"image_id": HIDDEN, "volume_image_metadata": lambda v: v["image_name"]}, label="by_id"),
    R(f"{IMG}/images", None, {
        "id": "11111111-2222-4333-8444-555555555555", "name": "i", "visibility": "private", "disk_format": "raw", "container_format": "bare", "min_disk": 2,
        "min_ram": 64, "protected": True, "os_hidden": False, "tags": ["a"], "os_distro": "debian", "owner": "{project}"},
      changes=[{"name": "j"}, {"visibility": "community"}, {"visibility": "shared"}, {"disk_format": "qcow2"}, {"min_disk": 3}, {"min_ram": 128},
               {"protected": False}, {"os_hidden": True}, {"os_hidden": False}, {"tags": ["b", "c"]}, {"os_distro": "other"}], form="JSON-patch"),
    R(f"{ID}/credentials", "credential", {"user_id": "{user}", "project_id": "{project}", "type": "cert", "blob": "b"},
      changes=[{"blob": "c"}, {"type": "totp"}, {"project_id": "{project}"}], form="PATCH"),
    R(f"{ID}/domains", "domain", {"name": "d", "description": "d", "enabled": True}, changes=[{"name": "e"}, {"description": "e"}, {"enabled": False}, {"enabled": True}],
      form="PATCH", by="admin", label="domain"),
    R(f"{ID}/projects", "project", {"name": "p", "description": "d", "enabled": True, "domain_id": "{domain}", "parent_id": "{domain}", "is_domain": False,
                                    "tags": ["a", "b"]},
      changes=[{"is_domain": False}, {"name": "q"}, {"description": "e"}, {"enabled": False}, {"enabled": True}, {"tags": ["c"]}], form="PATCH", by="admin", label="other"),
    R(f"{ID}/users", "user", {"name": "u", "domain_id": "{domain}", "password": "x", "description": "d", "email": "a@b.test", "enabled": True, "default_project_id": "{other}"},
      shown={"password": HIDDEN}, changes=[{"name": "v"}, {"description": "e"}, {"email": "b@b.test"}, {"password": "y"}, {"enabled": False}, {"enabled": True},
                                           {"default_project_id": "{project}"}], changed={"password": HIDDEN}, form="PATCH", by="admin"),
    R(f"{ID}/groups", "group", {"name": "g", "domain_id": "{domain}", "description": "d"}, changes=[{"name": "h"}, {"description": "e"}], form="PATCH", by="admin"),
    R(f"{ID}/regions", "region", {"id": "north", "description": "d"}, changes=[{"description": "e"}], form="PATCH", by="admin", label="north"),
    R(f"{ID}/regions", "region", {"id": "arctic", "parent_region_id": "north"}, changes=[{"parent_region_id": "us-east-1"}], form="PATCH", by="admin"),
    R(f"{ID}/services", "service", {"type": "object-store", "name": "swift", "description": "d", "enabled": True},
      changes=[{"type": "dns"}, {"name": "designate"}, {"description": "e"}, {"enabled": False}], form="PATCH", by="admin", label="service"),
    R(f"{ID}/endpoints", "endpoint", {"service_id": "{service}", "interface": "public", "url": "http://there", "region_id": "north", "region": "north",
                                      "name": "n", "description": "d", "enabled": True},
      changes=[{"service_id": "{service}"}, {"interface": "internal"}, {"url": "http://here"}, {"region": "us-east-1"}, {"region_id": "north"}, {"name": "m"},
               {"description": "e"}, {"enabled": False}], form="PATCH", by="admin"),
    R(f"{ID}/OS-EP-FILTER/endpoint_groups", "endpoint_group", {"name": "g", "description": "d", "filters": {"interface": "internal"}},
      changes=[{"name": "h"}, {"description": "e"}, {"filters": {"region_id": "north"}}], form="PATCH", by="admin"),
    R(f"{ID}/policies", "policy", {"type": "text/plain", "blob": "rules"}, changes=[{"type": "application/json"}, {"blob": "more"}], form="PATCH", by="admin"),
    R(f"{ID}/roles", "role", {"name": "r", "description": "d"}, changes=[{"name": "s"}, {"description": "e"}], form="PATCH", by="admin"),
    R(f"{ID}/users/{{user}}/application_credentials", "application_credential", {
        "name": "c", "description": "d", "secret": "s", "expires_at": "2033-01-01T00:00:00.000000", "roles": [{"name": "reader"}], "unrestricted": False,
        "access_rules": [{"service": "compute", "path": "/v2.1/servers", "method": "GET"}]},
      shown={"secret": HIDDEN, "roles": lambda v: [r["name"] for r in v] == ["reader"], "expires_at": lambda v: v.startswith("2033-01-01T00:00:00"),
             "access_rules": lambda v: [(r["service"], r["path"], r["method"]) for r in v] == [("compute", "/v2.1/servers", "GET")]}),
    R(f"{ID}/OS-TRUST/trusts", "trust", {
        "trustor_user_id": "{admin_user}", "trustee_user_id": "{user}", "project_id": "{admin}", "impersonation": True, "roles": [{"name": "reader"}],
        "expires_at": "2033-01-01T00:00:00.000000Z", "remaining_uses": 3},
      shown={"roles": lambda v: [r["name"] for r in v] == ["reader"]}, by="admin"),
    R(f"{ID}/OS-TRUST/trusts", "trust", {
        "trustor_user_id": "{admin_user}", "trustee_user_id": "{user}", "project_id": "{admin}", "impersonation": False, "roles": [{"name": "reader"}],
        "allow_redelegation": True, "redelegation_count": 2}, shown={"roles": HIDDEN, "allow_redelegation": HIDDEN}, by="admin"),
    R(f"{ID}/users/{{user}}/credentials/OS-EC2", "credential", {"tenant_id": "{project}"}, item="access", is_bare=True),
    R(f"{NOVA}/flavors", "flavor", {"name": "f", "id": "f1", "ram": 512, "vcpus": 1, "disk": 3, "description": "d", "rxtx_factor": 1.0,
                                    "os-flavor-access:is_public": True, "OS-FLV-DISABLED:disabled": False,
                                    "OS-FLV-EXT-DATA:ephemeral": 1, "swap": 64}, changes=[{"description": "e"}], by="admin", label="flavor"),
    R(f"{NOVA}/os-keypairs", "keypair", {"name": "k", "public_key": KEY, "type": "ssh", "user_id": "{user}"}, item="name", label="key"),
    R(f"{NOVA}/os-server-groups", "server_group", {"name": "g", "policy": "anti-affinity", "rules": {"max_server_per_host": 2}}, label="servers"),
    R(f"{NOVA}/os-aggregates", "aggregate", {"name": "a", "availability_zone": "{zone}"}, changes=[{"name": "b"}, {"availability_zone": "far"}], by="admin"),
    R(f"{NOVA}/servers", "server", {
        "name": "s", "description": "d", "imageRef": "{image}", "flavorRef": "{flavor}", "networks": "none", "key_name": "{key}", "metadata": {"a": "b"},
        "user_data": base64.b64encode(b"x").decode(), "availability_zone": "{zone}", "min_count": 1, "max_count": 1, "OS-DCF:diskConfig": "MANUAL", "tags": ["t"],
        "accessIPv4": "192.0.2.7", "accessIPv6": "2001:db8::7", "adminPass": "said"},
      shown={"imageRef": lambda v: True, "flavorRef": HIDDEN, "image": lambda v: v["id"], "networks": HIDDEN, "user_data": HIDDEN, "adminPass": HIDDEN, "min_count": HIDDEN, "max_count": HIDDEN,
             "availability_zone": HIDDEN, "OS-EXT-AZ:availability_zone": lambda v: v, "flavor": lambda v: v["original_name"] == "f"},
      around={"os:scheduler_hints": {"group": "{servers}"}}, changes=[{"name": "t"}, {"description": "e"}, {"accessIPv4": "192.0.2.8"}, {"accessIPv6": "2001:db8::8"}]),
]
# Members that other tests cover: block devices and security groups of servers in tests/contract/openstack/compute.py and
# tests/contract/cross/two_faces_disks.py, associations of floating addresses in 62 and tests/contract/cross/two_faces_network.py; synonyms of members
# above.
ELSEWHERE = {
    "POST /identity/v3/roles": ("domain_id",),  # golden cases: lists without this filter omit such roles
    f"POST {NOVA}/servers": ("server.block_device_mapping_v2", "server.block_device_mapping", "server.security_groups", "server.return_reservation_id", "server.config_drive", "server.personality", "OS-SCH-HNT:scheduler_hints",
                           "os:scheduler_hints.same_host", "os:scheduler_hints.different_host", "server",
                           "server.host", "server.hypervisor_hostname"),  # golden cases: for administrators
    f"POST {NOVA}/os-server-groups": ("policies",), f"PUT {NOVA}/servers/{{server_id}}": ("OS-DCF:diskConfig",),
    # for administrators: golden cases, tests/real/55-external-network.py
    f"POST {NET}/networks": ("is_default", "provider:network_type", "provider:physical_network", "provider:segmentation_id", "router:external"),
    f"POST {NET}/floatingips": ("port_id", "fixed_ip_address", "floating_ip_address", "subnet_id"),
    f"PUT {NET}/floatingips/{{floatingip_id}}": ("port_id", "fixed_ip_address"), f"POST {VOL}/snapshots": ("force",),
    f"POST {VOL}/backups": ("force", "incremental", "snapshot_id"),  # tests/contract/openstack/volume_backups.py
    f"PUT {VOL}/groups/{{group_id}}": ("add_volumes", "remove_volumes"),  # tests/contract/openstack/volume.py
    f"POST {NET}/routers": ("external_gateway_info.external_fixed_ips.N", "routes.N"),
    # tests/contract/openstack/load_balancer.py, tests/contract/openstack/key_manager.py
    f"POST {LB}/loadbalancers": ("listeners", "pools"), f"POST {LB}/listeners": ("default_pool", "l7policies", "default_tls_container_ref", "sni_container_refs"),
    f"PUT {LB}/listeners/{{listener_id}}": ("default_tls_container_ref", "sni_container_refs"), f"POST {LB}/pools": ("members", "healthmonitor"),
    f"PUT {NET}/networks/{{network_id}}": ("is_default", "router:external"),  # golden cases: external networks
    f"PUT {NET}/routers/{{router_id}}": ("external_gateway_info.external_fixed_ips", "routes"),
    # values that the row has: contract/cross/sent_back.py, contract/openstack/identity.py
    f"PATCH {ID}/projects/{{project_id}}": ("domain_id", "parent_id"), f"PATCH {ID}/users/{{user_id}}": ("domain_id",),
    f"PATCH {ID}/groups/{{group_id}}": ("domain_id",), f"PATCH {ID}/credentials/{{credential_id}}": ("user_id",),
    f"POST {ID}/users/{{user_id}}/application_credentials": ("roles.N.id", "access_rules.N.id"), f"POST {ID}/OS-TRUST/trusts": ("roles.N.id",),
    f"PUT {NET}/ports/{{port_id}}": ("allowed_address_pairs.N", "fixed_ips.N"),
}


def request_title(method, path):
    return f"{method} {path}".replace("/v3/{project_id}", "/v3")


def version(path):
    return NEWEST.get(path[:path.index("/", 1)])


def check(shown, body, differs, where):
    for member, value in body.items():
        wanted = differs.get(member, value)
        if wanted is HIDDEN:
            continue
        name, wanted = wanted if isinstance(wanted, tuple) else (member, wanted)
        if callable(wanted):
            assert member not in shown or wanted(shown[member]), f"{where}: {member}"
        else:
            said = shown.get(name, shown.get("os-volume-type-access:is_public") if member == "is_public" else None)
            said = sorted(said) if isinstance(said, list) and all(isinstance(s, str) for s in said) else said
            assert said == wanted, f"{where}: {member} is {said!r}, not {wanted!r}"
    for member, wanted in differs.items():
        if callable(wanted) and member not in body and where == "show":
            assert wanted(shown[member]), f"{where}: {member}"


def same(one, other, where, leave=("links", "secret", "private_key", "adminPass", "blob", "self")):
    """Checks that members in both answers are equal, except those shown once and those that change by themselves."""
    moving = (*leave, "updated_at", "updated", "status", "size", "revision_number", "provisioning_status", "operating_status", "volume_type_id", "security_groups")
    for member in set(one) & set(other) - set(moving):
        assert one[member] == other[member], f"{where}: {member} is {one[member]!r} and {other[member]!r}"


def is_told(action):
    """True if the action creates or changes one resource of a collection, and has a body."""
    steps = action["path"].split("/")
    within = ("action", "metadata", "os-quota-sets", "tags", "members", "import", "tokens", "password", "quotas", "os-interface", "os-services",
              "os-extra_specs", "extra_specs", "group_specs", "os-volume_attachments", "{key}", "remote-consoles",
              "agents", "encryption", "qos-specs", "os-volume-transfer", "volume-transfers", "attachments", "os-quota-class-sets", "os-server-external-events",
              "restore", "import_record", "metadefs")  # covered by tests/contract/openstack/volume.py and golden cases
    if action["service"] == "key-manager":
        return False  # answers are references: tests/contract/openstack/key_manager.py
    if action["service"] in ("alarming", "metric"):
        return False  # answers are in no member: tests/contract/openstack/alarming.py
    if {"limits", "registered_limits"} & set(steps):
        return False  # requests and answers are lists: tests/contract/openstack/identity.py
    if (action["method"], action["path"]) == ("PUT", "/v3/regions/{region_id}"):
        return False  # an alternative creation, covered by golden cases
    return action["method"] in ("POST", "PUT", "PATCH") and members(action) and not action["name"] and not set(steps) & set(within) \
        and not any(s.endswith(("_router_interface", "_extraroutes", "_addresses", "_subports")) for s in steps)


CREATING = [a for a in ACTIONS if is_told(a) and not (a["until"] and a["until"] < 90)]
NUMBERED = {f"{n} {r.path}": r for n, r in enumerate(ROWS)}
TITLES = {title(a): a for a in CREATING}


class OpenStack:
    name = "openstack"
    actions = {title(a): a for a in ACTIONS}
    cases = {"made": list(NUMBERED), "whole": list(TITLES)}

    @contextlib.contextmanager
    def make(self):
        with Dev() as dev:
            yield Region(dev)

    def made(self, region, name):
        row = NUMBERED[name]
        by = region.admin if row.by == "admin" else region.mine
        path, body, on = row.path.format(**region.ids), region.fill(row.body), {"version": version(row.path)}
        answer = by.ok("POST", path, {**({row.wrap: body} if row.wrap and not row.is_bare else body), **region.fill(row.around)}, **on)
        sent = {**{f"{row.wrap}.{k}": v for k, v in body.items()}, **row.around} if row.around else body
        region.sent.setdefault(request_title("POST", row.path), set()).update(names(sent))
        region.dev.rest()
        made = answer[row.wrap] if row.wrap else answer
        item = f"{path}/{made[row.item]}"
        shown = by.ok("GET", item, **on)
        shown = shown[row.wrap] if row.wrap else shown
        check(shown, body, row.shown, "show")
        if len(made) > 6:
            same(made, {k: v for k, v in shown.items() if k not in ("addresses", "volume_image_metadata", "bootable")} if row.wrap in ("server", "volume") else shown,
                 "the answer and the show")
        collection = by.ok("GET", path + ("/detail" if row.wrap in ("server", "flavor", "volume", "snapshot", "group_snapshot") or row.path == f"{VOL}/groups" else ""), **on)
        rows = next(v for k, v in collection.items() if isinstance(v, list) and not k.endswith("_links"))
        rows = [r.get("keypair", r) for r in rows]
        (listed,) = [r for r in rows if r[row.item] == made[row.item]]
        same(listed, shown, "the list and the show")
        if row.label:
            region.ids[row.label] = made[row.item]
        for change in row.changes:
            change = region.fill(change)
            if row.form == "JSON-patch":
                patch = [{"op": "replace", "path": f"/{k}", "value": v} for k, v in change.items()]
                answer = by.call("PATCH", item, patch, headers={"Content-Type": "application/openstack-images-v2.1-json-patch"})
            else:
                answer = by.call(row.form, item, {row.wrap: change}, **on)
            assert answer.status < 300, f"{change}: {answer}"
            region.sent.setdefault(request_title(row.form, row.path), set()).update(names(change))
            if row.path.startswith(LB):
                region.dev.rest()  # a balancer refuses the next change until its proxy has this one
            after = by.ok("GET", item, **on)
            check(after[row.wrap] if row.wrap else after, change, row.changed, f"after {change}")

    def whole(self, region, name):
        """Runs after the rows: they must have given every member of each request."""
        action = TITLES[name]
        path = action["prefix"] + action["path"]
        name = request_title(action["method"], path)
        base = name if action["method"] == "POST" else name.rpartition("/")[0]
        base = base.replace("/qos/alias_", "/qos/policies/{policy_id}/")  # the same change by the rule's id alone
        given = {k.replace("{user}", "{user_id}").replace("{policy}", "{policy_id}"): v for k, v in region.sent.items()}.get(base)
        assert given, f"no row makes or changes {name}"
        built = {p["name"] for p in members(action) if p["built"] and (not p.get("until") or p["until"] >= minor_of(action))}
        elsewhere = ELSEWHERE.get(name, ())
        missing = {m for m in built - given if not any(m == e or m.startswith(e + ".") for e in elsewhere if e != "server")
                   and not (m == "server" and "server" in elsewhere)}
        assert not missing, f"no row of {name} gives {', '.join(sorted(missing))}"

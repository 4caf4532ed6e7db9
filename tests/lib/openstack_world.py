# SPDX-License-Identifier: Apache-2.0
"""A project of OpenStack's face with one resource of each kind, for tests whose calls come from the face's tables."""
import re

import cloud
import native

ID, IMAGE, NET, NOVA, VOL, LB = "/identity/v3", "/image/v2", "/network/v2.0", "/compute/v2.1", "/volume/v3", "/load-balancer/v2/lbaas"


class Stack:
    """A project with one resource of each kind, and the value of each variable of a path that leads to them."""

    def __init__(self, dev):
        self.dev, self.project, self.other, self.admin = dev, cloud.another(dev, "sent", role="manager"), cloud.another(dev, "other"), cloud.admin(dev)
        cloud.furnish(dev, self.project)
        dev.rest()
        ids = cloud.ids_of(self.project)
        names = {"server_id": "instance", "volume_id": "volume", "snapshot_id": "snapshot", "backup_id": "backup", "group_id": "volume_group", "image_id": "image",
                 "floatingip_id": "address", "rbac_id": "network_grant", "subnetpool_id": "subnet_pool"}
        self.values = {**{f"{kind}_id": value for kind, value in ids.items()}, **{name: ids[kind] for name, kind in names.items()}, "project_id": self.project.id,
                       "target_project": self.project.id, "class": "default", "id": ids["security_group"], "collection": "networks", "tag": "t", "tag_name": "t"}
        self.people()
        self.offers()
        self.parts()
        dev.rest()

    def made(self, path, what, body, by=None, version=None, key="id"):
        return (by or self.admin).ok("POST", path, {what: body}, version=version)[what][key]

    def people(self):
        v = self.values
        v["region_id"] = self.made(f"{ID}/regions", "region", {"id": "named", "description": "d"})
        v["service_id"] = self.made(f"{ID}/services", "service", {"type": "named", "name": "named", "description": "d"})
        limited = {"service_id": v["service_id"], "resource_name": "named", "description": "d", "region_id": "named"}
        registered = self.admin.ok("POST", f"{ID}/registered_limits", {"registered_limits": [{**limited, "default_limit": 1}]})
        v["registered_limit_id"] = registered["registered_limits"][0]["id"]
        v["limit_id"] = self.admin.ok("POST", f"{ID}/limits", {"limits": [{**limited, "project_id": self.project.id, "resource_limit": 1}]})["limits"][0]["id"]
        v["endpoint_id"] = self.made(f"{ID}/endpoints", "endpoint", {"service_id": v["service_id"], "interface": "public", "url": "http://a.test", "region_id": "named"})
        v["policy_id"] = self.made(f"{ID}/policies", "policy", {"blob": "x", "type": "y"})
        v["endpoint_group_id"] = self.made(f"{ID}/OS-EP-FILTER/endpoint_groups", "endpoint_group", {"name": "named", "description": "d", "filters": {"interface": "public"}})
        v["domain_id"] = self.made(f"{ID}/domains", "domain", {"name": "named", "description": "d"})
        self.identity = {
            "project_id": self.made(f"{ID}/projects", "project", {"name": "named", "description": "d", "tags": ["a"], "more": {"of": "it"}}),
            "user_id": self.made(f"{ID}/users", "user", {"name": "named", "description": "d", "email": "e@d.test", "default_project_id": self.project.id, "more": 1}),
            "group_id": self.made(f"{ID}/groups", "group", {"name": "named", "description": "d"}),
            "role_id": self.made(f"{ID}/roles", "role", {"name": "named", "description": "d"})}
        v["credential_id"] = self.made(f"{ID}/credentials", "credential", {"type": "cert", "blob": "x", "user_id": self.identity["user_id"], "project_id": self.project.id})

        self.dev.account.client("iam").create_open_id_connect_provider(Url="https://id.example.com", ThumbprintList=["0" * 40])
        (provider,) = native.own(self.dev).rows("/oidc-providers")
        native.admin(self.dev).api_ok("PUT", f"/oidc-providers/{provider['id']}/sign-in", {"client_id": "c", "name": "named", "group_claim": "groups", "groups": ["a = b"]})
        v.update(idp_id="named", protocol_id="openid", mapping_id="named")
        for where, place in (("projects", self.identity["project_id"]), ("domains", v["domain_id"]), ("system", None)):
            for who in ("user", "group"):
                path = "/".join([ID, where, *([place] if place else []), f"{who}s", self.identity[f"{who}_id"], "roles", self.identity["role_id"]])
                assert self.admin.call("PUT", path).status == 204, path
        mine = self.project.user_id
        self.made(f"{ID}/users/{mine}/application_credentials", "application_credential", {"name": "named", "description": "d"}, by=self.project)
        self.made(f"{ID}/OS-TRUST/trusts", "trust", {"trustor_user_id": mine, "trustee_user_id": self.other.user_id, "project_id": self.project.id, "impersonation": False,
                                                     "roles": [{"name": "member"}]}, by=self.project)

    def offers(self):
        v = self.values
        v["type_id"] = self.made(f"{VOL}/types", "volume_type", {"name": "named", "description": "d", "extra_specs": {"a": "b"}})
        self.admin.ok("POST", f"{VOL}/types/{v['type_id']}/encryption", {"encryption": {"provider": "luks", "control_location": "front-end", "cipher": "aes-xts-plain64", "key_size": 256}})
        v["qos_id"] = self.made(f"{VOL}/qos-specs", "qos_specs", {"name": "named", "consumer": "back-end", "a": "b"})
        v["group_type_id"] = self.made(f"{VOL}/group_types", "group_type", {"name": "named", "description": "d", "group_specs": {"a": "b"}}, version=cloud.VOLUME)
        v["flavor_id"] = self.made(f"{NOVA}/flavors", "flavor", {"name": "named", "ram": 64, "vcpus": 1, "disk": 1, "description": "d"}, version="compute 2.93")
        zone = self.admin.ok("GET", f"{NOVA}/os-availability-zone")["availabilityZoneInfo"][0]["zoneName"]
        v["aggregate_id"] = self.made(f"{NOVA}/os-aggregates", "aggregate", {"name": "named", "availability_zone": zone})
        v["host_name"] = self.admin.ok("GET", f"{NOVA}/os-hypervisors")["hypervisors"][0]["hypervisor_hostname"]
        v["agent_id"] = self.admin.ok("GET", f"{NET}/agents")["agents"][0]["id"]
        space = f"{IMAGE}/metadefs/namespaces"
        self.admin.ok("POST", space, {"namespace": "named", "display_name": "d", "description": "d", "visibility": "public"})
        self.admin.ok("POST", f"{space}/named/objects", {"name": "named", "description": "d", "properties": {"p": {"type": "string", "title": "t"}}})
        self.admin.ok("POST", f"{space}/named/properties", {"name": "named", "type": "string", "title": "t", "enum": ["a"]})
        self.admin.ok("POST", f"{space}/named/tags/t", None)
        v.update(namespace="named", object_name="named", property_name="named")

    def parts(self):
        """Metadata, tags, members and rules of the project's resources."""
        v, words = self.values, {"metadata": {"a": "b"}}
        v["key"] = "a"
        self.project.ok("PUT", f"{VOL}/groups/{v['group_id']}", {"group": {"name": "named", "description": "d"}}, version=cloud.VOLUME)
        self.project.ok("PUT", f"{NET}/subnetpools/{v['subnetpool_id']}", {"subnetpool": {"default_quota": 4096}})  # Neutron takes no null
        for path in (f"{VOL}/volumes/{v['volume_id']}", f"{VOL}/snapshots/{v['snapshot_id']}", f"{NOVA}/servers/{v['server_id']}", f"{NOVA}/images/{v['image_id']}"):
            assert self.project.call("POST", f"{path}/metadata", words).status == 200, path
        self.project.ok("PUT", f"{NOVA}/servers/{v['server_id']}/tags", {"tags": ["t"]}, version="compute 2.93")
        self.project.ok("PUT", f"{NET}/networks/{v['network_id']}/tags", {"tags": ["t"]})
        assert self.project.call("POST", f"{IMAGE}/images/{v['image_id']}/members", {"member": self.other.id}).status == 200
        v["member_id"] = self.other.id
        volume = self.project.ok("POST", f"{VOL}/volumes", {"volume": {"size": 1, "name": "attached"}})["volume"]["id"]
        self.dev.rest()
        self.project.ok("POST", f"{NOVA}/servers/{v['server_id']}/os-volume_attachments", {"volumeAttachment": {"volumeId": volume}})
        self.attached = {"volume_id": volume}
        self.project.ok("POST", f"{NOVA}/os-keypairs", {"keypair": {"name": "named"}}, version="compute 2.2")
        for by, action in ((self.admin, {"migrate": None}), (self.project, {"confirmResize": None})):
            answer = by.call("POST", f"{NOVA}/servers/{v['server_id']}/action", action)
            assert answer.status in (202, 204), answer
            self.dev.rest()
        (net,), (router,) = (self.project.ok("GET", f"{NET}/{what}s?name={name}")[f"{what}s"] for what, name in (("network", "net"), ("router", "router")))
        outside = self.project.ok("GET", f"{NET}/networks?router:external=true")["networks"][0]["id"]
        self.project.ok("PUT", f"{NET}/routers/{router['id']}", {"router": {"external_gateway_info": {"network_id": outside}}})
        port = self.made(f"{NET}/ports", "port", {"network_id": net["id"], "name": "target"}, by=self.project)
        v["pf_id"] = self.made(f"{NET}/floatingips/{v['floatingip_id']}/port_forwardings", "port_forwarding",
                               {"internal_port_id": port, "internal_port": 22, "external_port": 2222, "protocol": "tcp", "description": "d"}, by=self.project)

        self.qos()
        self.balancer(net["id"])
        secret = self.project.ok("POST", "/key-manager/v1/secrets", {"name": "named", "payload": "x", "payload_content_type": "text/plain"})
        v["secret_id"] = secret["secret_ref"].rsplit("/", 1)[1]
        self.project.ok("PUT", f"/key-manager/v1/secrets/{v['secret_id']}/metadata", {"metadata": {"a": "b"}})

    def qos(self):
        """A QoS policy with a rule of each type."""
        policy = self.values["qos_policy_id"]
        rules = {"bandwidth_limit": {"max_kbps": 1000, "max_burst_kbps": 100, "direction": "ingress"}, "dscp_marking": {"dscp_mark": 8}, "minimum_bandwidth": {"min_kbps": 10}}
        self.limited = {"policy_id": policy, **{kind: self.made(f"{NET}/qos/policies/{policy}/{kind}_rules", f"{kind}_rule", body, by=self.project)
                                                for kind, body in rules.items()}}

    def balancer(self, network):
        """A load balancer with one of each part; a pool's health monitor has the pool's id."""
        v = self.values
        member = {"address": "10.9.0.77", "protocol_port": 80, "name": "named", "monitor_port": 81, "monitor_address": "10.9.0.78"}
        v["loadbalancer_id"] = self.made(f"{LB}/loadbalancers", "loadbalancer", {"name": "named", "description": "d", "vip_network_id": network}, by=self.project)
        self.dev.rest()
        v["listener_id"] = self.made(f"{LB}/listeners", "listener", {
            "loadbalancer_id": v["loadbalancer_id"], "name": "named", "description": "d", "protocol": "HTTP", "protocol_port": 80, "allowed_cidrs": ["10.0.0.0/8"],
            "insert_headers": {"X-Forwarded-For": "true"},
            "default_pool": {"name": "named", "description": "d", "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN", "members": [member],
                             "healthmonitor": {"name": "named", "type": "HTTP", "delay": 5, "timeout": 3, "max_retries": 2, "http_version": 1.1, "domain_name": "a.test"}}}, by=self.project)
        self.dev.rest()
        pool = self.project.ok("GET", f"{LB}/pools")["pools"][0]
        v.update(pool_id=pool["id"], healthmonitor_id=pool["id"])
        v["l7policy_id"] = self.made(f"{LB}/l7policies", "l7policy", {
            "listener_id": v["listener_id"], "name": "named", "description": "d", "action": "REDIRECT_PREFIX", "redirect_prefix": "https://a.test",
            "rules": [{"type": "HEADER", "key": "X", "compare_type": "EQUAL_TO", "value": "y"}]}, by=self.project)
        self.dev.rest()
        v["l7rule_id"] = self.project.ok("GET", f"{LB}/l7policies/{v['l7policy_id']}/rules")["rules"][0]["id"]
        self.balanced = {"member_id": pool["members"][0]["id"]}

    def path_of(self, action):
        path = action["path"].replace("/{project_id}/", "/") if action["prefix"] == "/volume" else action["path"]
        more = self.identity if action["service"] == "identity" else self.attached if "os-volume_attachments" in path else {}
        if "/qos/" in path:
            kind = next((kind for kind in self.limited if f"{kind}_rules" in path), None)
            more = {"policy_id": self.limited["policy_id"], "rule_type": "bandwidth_limit", **({"rule_id": self.limited[kind]} if kind else {})}
        if action["service"] == "load-balancer":
            more = self.balanced
        if "application_credentials" in path or path.endswith("/users/{user_id}/projects"):
            more = {"user_id": self.project.user_id}
        for part, kind in (("os-aggregates", "aggregate"), ("{collection}", "network")):
            more = {"id": self.values[f"{kind}_id"]} if part in path else more
        values = {**self.values, **more}
        missing = [name for name in re.findall(r"\{([^}]*)\}", path) if name not in values]
        assert not missing, f"no resource here for {missing} of {path}"
        return action["prefix"] + re.sub(r"\{([^}]*)\}", lambda m: str(values[m[1]]), path)

    def call(self, action, method, path, body=None):
        """By the project, else by an administrator; a shared image's member itself decides about it."""
        callers = [self.other] if "/members/" in path and path.startswith(IMAGE) else [self.project, self.admin]
        for by in callers:
            answer = by.call(method, path, body, version=cloud.version_of(action))
            if answer.status not in (401, 403, 404):
                break
        return answer

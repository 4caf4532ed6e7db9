# SPDX-License-Identifier: Apache-2.0
"""openstacksdk: the cloud layer that scripts and Ansible use, and the proxies below it."""
import openstack
from steps import refused, same, step, tell

cloud = openstack.connect()
made = {}


def status(error):
    return getattr(error, "status_code", str(error))


def network():
    with step("services, flavors and images"):
        made["flavor"] = cloud.compute.find_flavor("t3.micro").id
        made["image"] = next(image for image in cloud.image.images() if image.status == "active").id
        assert len({f.id for f in cloud.compute.flavors(limit=3)}) == len(list(cloud.list_flavors()))
    with step("a network, a subnet and a router"):
        made["net"] = cloud.create_network("inner").id
        made["subnet"] = cloud.create_subnet("inner", cidr="10.20.0.0/24", subnet_name="inner-v4").id
        outside = next(cloud.network.networks(is_router_external=True))
        made["router"] = cloud.create_router("way", ext_gateway_net_id=outside.id)
        cloud.add_router_interface(made["router"], subnet_id=made["subnet"])
        same([n.name for n in cloud.network.networks(name="inner")], ["inner"])
    with step("a security group in bulk"):
        group = cloud.create_security_group("web", "web")
        for port in (80, 443):
            cloud.create_security_group_rule("web", port, port, "tcp", "192.0.2.0/24")
        same(len(list(cloud.network.security_group_rules(security_group_id=group.id, direction="ingress"))), 2)
        same([p.name for p in cloud.network.create_ports([{"name": f"p{n}", "network_id": made["net"]} for n in (1, 2)])], ["p1", "p2"])
        for port in cloud.network.ports(network_id=made["net"], name="p1"):
            cloud.network.delete_port(port)


def machines():
    with step("a server with a volume, the call waits"):
        server = cloud.create_server("one", image=made["image"], flavor=made["flavor"], network="inner", security_groups=["web"], wait=True, timeout=600,
                                     auto_ip=False, meta={"team": "blue"}, userdata="#!/bin/sh\n")
        same(server.status, "ACTIVE")
        volume = cloud.create_volume(1, name="data", wait=True, timeout=600)
        cloud.attach_volume(server, volume, wait=True, timeout=600)
        cloud.detach_volume(server, volume, wait=True, timeout=600)
        same([s.name for s in cloud.compute.servers(status="ACTIVE", limit=1)], ["one"])
    with step("a floating IP is found and freed"):
        cloud.add_auto_ip(cloud.get_server("one"), wait=True, timeout=600)
        address = cloud.list_floating_ips()[0]
        assert cloud.delete_floating_ip(address.id)
    with step("metadata, actions and a snapshot of a volume"):
        server = cloud.compute.find_server("one")
        cloud.compute.set_server_metadata(server, more="1")
        cloud.compute.stop_server(server)
        cloud.compute.wait_for_server(server, status="SHUTOFF", wait=600)
        cloud.compute.start_server(server)
        cloud.compute.wait_for_server(server, wait=600)
        same(cloud.compute.get_server(server.id).metadata, {"team": "blue", "more": "1"})
        shot = cloud.create_volume_snapshot(cloud.get_volume("data").id, name="shot", wait=True, timeout=600)
        cloud.delete_volume_snapshot(shot.id, wait=True, timeout=600)
    with step("quotas and limits"):
        assert cloud.get_compute_limits().max_total_instances
        assert cloud.compute.get_quota_set(cloud.current_project_id).instances


def clean_up():
    with step("errors have their status"):
        refused(lambda: cloud.compute.get_server("11111111-2222-3333-4444-555555555555"), 404, status)
        refused(lambda: cloud.network.delete_network(made["net"], ignore_missing=False), 409, status)
        refused(lambda: list(cloud.identity.users()), 403, status)
    with step("all is deleted"):
        assert cloud.delete_server("one", wait=True, timeout=600)
        assert cloud.delete_volume("data", wait=True, timeout=600)
        cloud.remove_router_interface(made["router"], subnet_id=made["subnet"])
        assert cloud.delete_router("way")
        for port in cloud.network.ports(network_id=made["net"], name="p2"):
            cloud.network.delete_port(port)
        assert cloud.delete_network("inner")
        assert cloud.delete_security_group("web")
        same(list(cloud.compute.servers()), [])


for part in (network, machines, clean_up):
    part()
tell("end of tour")

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/ec2
"""Debian's Apache Libcloud EC2 driver: all of its calls that Dari supports, from a network to the last deletion."""
import os
import sys

import pytest
from libcloud.compute.base import NodeState
from libcloud.compute.providers import get_driver
from libcloud.compute.types import Provider, StorageVolumeState

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import REGION  # noqa: E402
from regions import dev  # noqa: E402, F401 (fixtures)
import waiting  # noqa: E402


@pytest.fixture(scope="module")
def driver(dev):
    return get_driver(Provider.EC2)(dev.account.key_id, dev.account.secret, region=REGION, host="127.0.0.1", port=dev.port, secure=False,
                                    signature_version="4")


@pytest.fixture(scope="module")
def network(driver):
    return driver.ex_create_network("10.9.0.0/16", name="lib")


@pytest.fixture(scope="module")
def subnet(driver, network):
    return driver.ex_create_subnet(network.id, "10.9.1.0/24", REGION + "a", name="lib-sub")


def until(what, wanted):
    waiting.wait_until(lambda: what() == wanted, wanted, shows=what)


def state(driver, node):
    found = driver.list_nodes(ex_node_ids=[node.id])
    return found[0].state if found else None


def tiny(driver):
    (image,) = driver.list_images(ex_owner="amazon", ex_filters={"name": "tiny"})
    return driver.get_image(image.id)


def zone_a(driver):
    return next(place for place in driver.list_locations() if place.availability_zone.name == REGION + "a")


def make(driver, name, **more):
    size = next(s for s in driver.list_sizes() if s.id == "t3.micro")
    node = driver.create_node(name=name, image=tiny(driver), size=size, **more)
    until(lambda: state(driver, node), NodeState.RUNNING)
    return driver.list_nodes(ex_node_ids=[node.id])[0]


def end(dev, driver, node):
    assert driver.destroy_node(node)
    until(lambda: state(driver, node), NodeState.TERMINATED)
    dev.rest()


def test_what_there_is(driver):
    assert zone_a(driver).country == "USA"
    assert {z.name for z in driver.ex_list_availability_zones()} >= {REGION + "a", REGION + "b"}
    assert tiny(driver).name == "tiny"
    assert driver.ex_get_limits()["resource"]["max-instances"] > 0


def test_nodes(dev, driver, subnet):
    node = make(driver, "web", ex_subnet=subnet, ex_metadata={"team": "blue"}, ex_userdata="#!/bin/sh\n",
                ex_blockdevicemappings=[{"DeviceName": "/dev/sdf", "Ebs.VolumeSize": 2}])
    assert (node.name, node.private_ips[0][:7], node.extra["tags"]) == ("web", "10.9.1.", {"Name": "web", "team": "blue"})
    assert driver.ex_get_metadata_for_node(node) == {"Name": "web", "team": "blue"}
    assert [n.id for n in driver.list_nodes(ex_filters={"tag:team": "blue"})] == [node.id]
    assert "simulated" in driver.ex_get_console_output(node)["output"]
    assert driver.reboot_node(node) and driver.stop_node(node)
    until(lambda: state(driver, node), NodeState.STOPPED)
    larger = next(s for s in driver.list_sizes() if s.id == "t3.small")
    assert driver.ex_change_node_size(node, larger)
    assert driver.ex_modify_instance_attribute(node, {"DisableApiTermination.Value": True})
    assert driver.start_node(node)
    until(lambda: state(driver, node), NodeState.RUNNING)
    assert driver.list_nodes(ex_node_ids=[node.id])[0].extra["instance_type"] == "t3.small"
    with pytest.raises(Exception, match="OperationNotPermitted"):
        driver.destroy_node(node)
    assert driver.ex_modify_instance_attribute(node, {"DisableApiTermination.Value": False})
    end(dev, driver, node)


def test_volumes_and_images(dev, driver, subnet):
    node = make(driver, "stored", ex_subnet=subnet)
    volume = driver.create_volume(2, "data", location=zone_a(driver), ex_volume_type="gp2")
    shown = lambda v: next((w.state for w in driver.list_volumes() if w.id == v.id), None)  # noqa: E731
    until(lambda: shown(volume), StorageVolumeState.AVAILABLE)
    assert driver.attach_volume(node, volume, "/dev/sdg")
    until(lambda: shown(volume), StorageVolumeState.INUSE)
    assert volume.id in [v.id for v in driver.list_volumes(node)]
    dev.rest()
    assert driver.detach_volume(volume)
    until(lambda: shown(volume), StorageVolumeState.AVAILABLE)
    snapshot = driver.create_volume_snapshot(volume, "kept")
    dev.rest()
    assert [s.id for s in driver.list_volume_snapshots(volume)] == [snapshot.id]
    assert "kept" in [s.name for s in driver.list_snapshots()]
    again = driver.create_volume(3, "again", location=zone_a(driver), snapshot=snapshot)
    until(lambda: shown(again), StorageVolumeState.AVAILABLE)
    assert driver.ex_modify_volume(again, {"Size": 4})
    dev.rest()
    assert next(v.size for v in driver.list_volumes() if v.id == again.id) == 4
    assert [m.volume_id for m in driver.ex_describe_volumes_modifications(volume_ids=[again.id])] == [again.id]
    image = driver.create_image(node, "of-stored", description="x")
    dev.rest()
    copied = driver.copy_image(image, REGION, name="copied")
    dev.rest()
    registered = driver.ex_register_image("registered", root_device_name="/dev/sda1", architecture="x86_64", virtualization_type="hvm",
                                          block_device_mapping=[{"DeviceName": "/dev/sda1", "Ebs": {"SnapshotId": snapshot.id}}])
    assert {i.name for i in driver.list_images(ex_owner="self")} == {"of-stored", "copied", "registered"}
    assert driver.ex_modify_image_attribute(image, {"LaunchPermission.Add.1.Group": "all"})
    for made in (image, copied, registered):
        assert driver.delete_image(made)
    dev.rest()
    for made in driver.list_snapshots(owner="self"):
        assert driver.destroy_volume_snapshot(made)
    for made in (volume, again):
        assert driver.destroy_volume(made)
    end(dev, driver, node)
    assert driver.list_volumes() == [] and driver.list_snapshots(owner="self") == [] and driver.list_images(ex_owner="self") == []


def test_key_pairs(driver):
    made = driver.create_key_pair("mine")
    assert "PRIVATE KEY" in made.private_key and driver.get_key_pair("mine").fingerprint == made.fingerprint
    public = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILFOfTwRr/YXPywa0yQwdiWavyKCbn/vFphshhjIloMb x"
    again = driver.import_key_pair_from_string("again", public)
    assert again.fingerprint and {k.name for k in driver.list_key_pairs()} == {"again", "mine"}
    assert driver.ex_describe_keypair("mine")["keyFingerprint"] == made.fingerprint
    assert driver.delete_key_pair(made) and driver.delete_key_pair(again) and driver.list_key_pairs() == []


def test_security_groups(driver, network):
    made = driver.ex_create_security_group("web", "of libcloud", vpc_id=network.id)["group_id"]
    for way in ("ingress", "egress"):
        assert getattr(driver, f"ex_authorize_security_group_{way}")(made, 80, 81, cidr_ips=["192.0.2.0/24"])
        assert getattr(driver, f"ex_authorize_security_group_{way}")(made, 1, 9, None, group_pairs=[{"group_id": made}], protocol="udp")
    (shown,) = driver.ex_get_security_groups(group_ids=[made])
    assert [(r["from_port"], r["to_port"], r["cidr_ips"]) for r in shown.ingress_rules if r["cidr_ips"]] == [("80", "81", ["192.0.2.0/24"])]
    assert [r["group_pairs"][0]["group_id"] for r in shown.ingress_rules if r["group_pairs"]] == [made]
    for way in ("ingress", "egress"):
        assert getattr(driver, f"ex_revoke_security_group_{way}")(made, 80, 81, cidr_ips=["192.0.2.0/24"])
    assert driver.ex_delete_security_group_by_id(made)
    plain = driver.ex_create_security_group("plain", "in the default VPC")
    assert driver.ex_authorize_security_group("plain", "22", "22", "192.0.2.0/24") and driver.ex_authorize_security_group_permissive("plain")
    assert "plain" in driver.ex_list_security_groups() and driver.ex_delete_security_group("plain")
    assert plain["group_id"] not in [g.id for g in driver.ex_get_security_groups()]


def test_routes_and_addresses(dev, driver, network, subnet):
    gateway = driver.ex_create_internet_gateway("way-out")
    assert driver.ex_attach_internet_gateway(gateway, network)
    assert [g.vpc_id for g in driver.ex_list_internet_gateways([gateway.id])] == [network.id]
    table, other = driver.ex_create_route_table(network, name="public"), driver.ex_create_route_table(network)
    assert driver.ex_create_route(table, "0.0.0.0/0", internet_gateway=gateway)
    association = driver.ex_associate_route_table(table, subnet)
    (shown,) = driver.ex_list_route_tables([table.id])
    assert [r.gateway_id for r in shown.routes] == ["local", gateway.id] and shown.subnet_associations[0].subnet_id == subnet.id
    moved = driver.ex_replace_route_table_association(shown.subnet_associations[0], other)
    assert moved and moved != association
    node = make(driver, "reached", ex_subnet=subnet)
    assert driver.ex_replace_route(table, "0.0.0.0/0", node=node) and driver.ex_delete_route(table, "0.0.0.0/0")
    address = driver.ex_allocate_address("vpc")
    assert driver.ex_associate_address_with_node(node, address, domain="vpc")
    (held,) = driver.ex_describe_all_addresses(only_associated=True)
    assert (held.ip, held.instance_id) == (address.ip, node.id)
    assert driver.ex_describe_addresses_for_node(node) == [address.ip]
    assert driver.ex_disassociate_address(held, domain="vpc") and driver.ex_release_address(held, domain="vpc")
    port = driver.ex_create_network_interface(subnet, name="plug", private_ip_address="10.9.1.77")
    attachment = driver.ex_attach_network_interface_to_node(port, node, 1)
    dev.rest()
    assert port.id in [p.id for p in driver.ex_list_network_interfaces()]
    assert driver.ex_detach_network_interface(attachment)
    dev.rest()
    assert driver.ex_delete_network_interface(port)
    end(dev, driver, node)
    (shown,) = driver.ex_list_route_tables([other.id])
    assert driver.ex_dissociate_route_table(shown.subnet_associations[0])
    assert driver.ex_delete_route_table(table) and driver.ex_delete_route_table(other)
    assert driver.ex_detach_internet_gateway(gateway, network) and driver.ex_delete_internet_gateway(gateway)


def test_tags_and_groups(driver, network, subnet):
    assert driver.ex_create_tags(subnet, {"a": "b"}) and driver.ex_describe_tags(subnet) == {"Name": "lib-sub", "a": "b"}
    assert driver.ex_delete_tags(subnet, {"a": "b"}) and driver.ex_describe_tags(subnet) == {"Name": "lib-sub"}
    driver.ex_create_placement_group("apart")
    assert [g.name for g in driver.ex_list_placement_groups()] == ["apart"] and driver.ex_delete_placement_group("apart")
    assert driver.ex_modify_subnet_attribute(subnet, value=True)
    assert [s.extra["vpc_id"] for s in driver.ex_list_subnets([subnet.id])] == [network.id]
    assert driver.ex_delete_subnet(subnet) and driver.ex_delete_network(network)
    assert network.id not in [n.id for n in driver.ex_list_networks()]


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

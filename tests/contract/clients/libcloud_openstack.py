#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/openstack/identity src/api/openstack/compute
"""Debian's Apache Libcloud OpenStack driver: everyday calls with a password, and the same with an application credential. Its auth URL must be the
full path of tokens, because it appends nothing to a URL with a path. Debian's 3.4.1 cannot use application credentials: its driver passes
auth_cache to every authentication class, which that class does not accept. The test makes the class accept it, and changes nothing else."""
import os
import sys

import pytest
from libcloud.common import openstack_identity
from libcloud.common.types import InvalidCredsError
from libcloud.compute.base import NodeState
from libcloud.compute.providers import get_driver
from libcloud.compute.types import Provider

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
from regions import dev  # noqa: E402, F401 (fixtures)
import waiting  # noqa: E402


def connect(dev, user, secret, version, **more):
    return get_driver(Provider.OPENSTACK)(
        user, secret, ex_force_auth_url=f"{dev.url}/identity/v3/auth/tokens", ex_force_auth_version=version, api_version="2.2",
        ex_force_service_region="us-east-1", ex_domain_name="Default", ex_tenant_domain_id="default", **more)


@pytest.fixture(scope="module")
def project(dev):
    return cloud.own(dev)


@pytest.fixture(scope="module")
def driver(dev, project):
    return connect(dev, project.user, project.password, "3.x_password", ex_tenant_name=project.name)


def until(what, wanted):
    waiting.wait_until(lambda: what() == wanted, wanted, shows=what)


def named(rows, name):
    return next(row for row in rows if row.name == name)


@pytest.fixture(scope="module")
def network(driver):
    made = driver.ex_create_network("lib")
    driver.ex_create_subnet("lib-sub", made, "10.9.0.0/24")
    return named(driver.ex_list_networks(), "lib")


def make(driver, network, name, **more):
    node = driver.create_node(name=name, image=named(driver.list_images(), "tiny"), size=driver.ex_get_size("t3.micro"),
                              networks=[network], **more)
    until(lambda: state(driver, node), NodeState.RUNNING)
    return driver.ex_get_node_details(node.id)


def state(driver, node):
    shown = driver.ex_get_node_details(node.id)
    return shown.state if shown else None


def test_what_there_is(driver):
    assert {"t3.micro", "m5.large"} <= {s.name for s in driver.list_sizes()}
    assert driver.ex_get_size("t3.micro").ram == 1024
    tiny = named(driver.list_images(), "tiny")
    assert driver.get_image(tiny.id).name == "tiny"
    assert driver.list_locations()


def test_nodes(driver, network):
    node = make(driver, network, "web", ex_metadata={"team": "blue"})
    assert [n.name for n in driver.list_nodes()] == ["web"] and node.private_ips[0].startswith("10.9.0.")
    assert driver.ex_get_metadata(node) == {"team": "blue"}
    driver.ex_set_metadata(node, {"team": "red"})
    assert driver.ex_get_metadata(node) == {"team": "red"}
    assert driver.ex_stop_node(node)
    until(lambda: state(driver, node), NodeState.STOPPED)
    assert driver.ex_start_node(node)
    until(lambda: state(driver, node), NodeState.RUNNING)
    assert driver.reboot_node(node)
    until(lambda: state(driver, node), NodeState.RUNNING)
    assert driver.ex_pause_node(node)
    until(lambda: driver.ex_get_node_details(node.id).extra["vm_state"], "paused")
    assert driver.ex_unpause_node(node)
    until(lambda: state(driver, node), NodeState.RUNNING)
    driver.ex_resize(node, driver.ex_get_size("t3.small"))
    until(lambda: driver.ex_get_node_details(node.id).extra["vm_state"], "resized")
    assert driver.ex_confirm_resize(node)
    until(lambda: driver.ex_get_node_details(node.id).extra["vm_state"], "active")
    assert driver.ex_get_node_details(node.id).extra["flavorId"] == "t3.small"
    assert driver.ex_get_console_output(node, length=5)["output"] is not None
    assert driver.destroy_node(node)
    until(lambda: driver.list_nodes(), [])


def test_key_pairs(driver):
    made = driver.create_key_pair("mine")
    assert "PRIVATE KEY" in made.private_key and driver.get_key_pair("mine").fingerprint == made.fingerprint
    again = driver.import_key_pair_from_string("again", made.public_key)
    assert again.fingerprint and {k.name for k in driver.list_key_pairs()} == {"again", "mine"}
    assert driver.delete_key_pair(made) and driver.delete_key_pair(again) and driver.list_key_pairs() == []


def test_security_groups(dev, driver, network):
    group = driver.ex_create_security_group("web", "of libcloud")
    rule = driver.ex_create_security_group_rule(group, "tcp", 80, 80, cidr="0.0.0.0/0")
    shown = named(driver.ex_list_security_groups(), "web")
    assert (rule.from_port, rule.to_port) == (80, 80) and rule.id in [r.id for r in shown.rules]
    node = make(driver, network, "grouped", ex_security_groups=[shown])
    assert [g.name for g in driver.ex_get_node_security_groups(node)] == ["web"]
    assert driver.destroy_node(node)
    until(lambda: state(driver, node), None)
    dev.rest()
    assert driver.ex_delete_security_group_rule(rule) and driver.ex_delete_security_group(group)


def test_the_network(dev, driver, network):
    subnet = named(driver.ex_list_subnets(), "lib-sub")
    router = driver.ex_create_router("r", external_gateway_info={"network_id": outside(driver).id})
    assert driver.ex_add_router_subnet(router, subnet)
    node = make(driver, network, "reached")
    pool = driver.ex_list_floating_ip_pools()[0]
    address = pool.create_floating_ip()
    assert address.ip_address in [a.ip_address for a in pool.list_floating_ips()]
    assert driver.ex_attach_floating_ip_to_node(node, address)
    until(lambda: address.ip_address in driver.ex_get_node_details(node.id).public_ips, True)
    assert pool.get_floating_ip(address.ip_address).node_id == node.id
    assert driver.ex_detach_floating_ip_from_node(node, address)
    assert address.delete() and driver.destroy_node(node)
    until(lambda: state(driver, node), None)
    dev.rest()
    assert driver.ex_del_router_subnet(router, subnet) and driver.ex_delete_router(router)


def outside(driver):
    return named(driver.ex_list_networks(), "internet")


def test_volumes(driver, network, project):
    node = make(driver, network, "stored")
    volume = driver.create_volume(2, "data", location=node.extra["availability_zone"])
    until(lambda: driver.ex_get_volume(volume.id).extra["state"], "available")
    assert driver.attach_volume(node, volume, device="/dev/sdf")
    until(lambda: driver.ex_get_volume(volume.id).extra["state"], "in-use")
    assert driver.detach_volume(driver.ex_get_volume(volume.id))
    until(lambda: driver.ex_get_volume(volume.id).extra["state"], "available")
    snapshot = driver.create_volume_snapshot(volume, "kept")
    until(lambda: [s.extra["status"] for s in driver.ex_list_snapshots()], ["available"])
    assert [s.id for s in driver.list_volume_snapshots(volume)] == [snapshot.id]
    again = driver.create_volume(2, "again", snapshot=snapshot)
    until(lambda: driver.ex_get_volume(again.id).extra["state"], "available")
    assert driver.destroy_volume_snapshot(snapshot)
    until(lambda: driver.ex_list_snapshots(), [])
    assert driver.destroy_volume(again) and driver.destroy_volume(volume)
    image = driver.create_image(node, "of-stored")
    until(lambda: driver.get_image(image.id).extra["status"], "active")
    assert driver.delete_image(image)
    assert driver.destroy_node(node)


def test_by_an_application_credential(dev, project, driver, monkeypatch):
    taken = openstack_identity.OpenStackIdentity_3_0_Connection_AppCred
    plain = taken.__init__
    monkeypatch.setattr(taken, "__init__", lambda self, *args, auth_cache=None, **more: plain(self, *args, **more))
    made = project.ok("POST", f"/identity/v3/users/{project.user_id}/application_credentials",
                      {"application_credential": {"name": "lib", "secret": "geheim"}})["application_credential"]
    by_credential = connect(dev, made["id"], "geheim", "3.x_appcred")
    assert {s.name for s in by_credential.list_sizes()} == {s.name for s in driver.list_sizes()}
    with pytest.raises(InvalidCredsError):
        connect(dev, made["id"], "wrong", "3.x_appcred").list_sizes()


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/openstack
"""Members that openstacksdk knows of each resource, and that Dari's answers lack. Debian's python3-openstacksdk is the published model: it describes the resources of
all services alike. Each lack is a row of LACKS with its reason; a member that the SDK gains, or that an answer loses, fails."""
import importlib
import inspect
import json
import os
import pkgutil
import re
import subprocess
import sys

import pytest
from openstack import resource

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
from dev import DARI, Dev  # noqa: E402
from openstack_world import Stack  # noqa: E402

SERVICES = {"network.v2": "network", "compute.v2": "compute", "block_storage.v3": "block-storage", "identity.v3": "identity", "image.v2": "image"}
ASKED = "requests have it, answers do not"
NO_EXTENSION = "of an extension that GET /extensions does not list"
PROPERTY = "an image shows the properties that it was given"
NONE_SHOWN = "never has an element"


def lacking(reason, members):
    return dict.fromkeys(members.split(), reason)


LACKS = {
    "block_storage.v3.Backup": lacking(ASKED, "force"), "block_storage.v3.Snapshot": lacking(ASKED, "force"),
    "block_storage.v3.Group": lacking("only where list_volume is asked for: golden/openstack/volume_groups", "volumes"),
    "block_storage.v3.QuotaSet": lacking("the SDK's own names of what usage=True answers", "reservation usage"),
    "block_storage.v3.Volume": {**lacking(ASKED, "OS-SCH-HNT:scheduler_hints imageRef"),
                                **lacking("of Cinder's replication, which Cinder itself no longer shows", "os-volume-replication:driver_data os-volume-replication:extended_status")},
    "compute.v2.Flavor": lacking("within a server's flavor", "original_name"),
    "compute.v2.Hypervisor": lacking("only where with_servers is asked for", "servers"),
    "compute.v2.Keypair": lacking("of one key pair", "created_at deleted user_id private_key"),
    "compute.v2.QuotaSet": {**lacking(ASKED, "force"), **lacking("of nova-network", "networks"), **lacking("the SDK's own names of what detail answers", "reservation usage")},
    "compute.v2.Server": {**lacking(ASKED, "OS-SCH-HNT:scheduler_hints block_device_mapping_v2 flavorRef imageRef max_count min_count networks"),
                          **lacking("of the answer to a creation alone", "adminPass")},
    "compute.v2.ServerAction": lacking("of one action", "events"),
    "compute.v2.ServerIP": lacking("answers have an object by networks", "addr version"),
    "compute.v2.ServerMigration": lacking("lists live migrations while they run, as contract/cross/two_faces_migration.py sees them",
                                          "created_at dest_compute dest_host dest_node disk_processed_bytes disk_remaining_bytes disk_total_bytes memory_processed_bytes "
                                          "memory_remaining_bytes memory_total_bytes project_id source_compute source_node status updated_at user_id uuid"),
    "compute.v2.Service": lacking("the SDK's other name of binary", "name"),
    "compute.v2.Usage": lacking("only where detailed is asked for", "server_usages"),
    "identity.v3.Policy": lacking("Keystone has neither", "project_id user_id"),
    "identity.v3.ApplicationCredential": {**lacking("of the answer to a creation alone", "secret"), **lacking(ASKED, "user")},
    "identity.v3.Trust": {**lacking(ASKED, "allow_redelegation"), **lacking("of one trust", "roles"), **lacking("the SDK's other name of roles_links", "role_links")},
    "identity.v3.User": lacking(ASKED, "password"),
    "image.v2.Image": {**lacking("where show_image_direct_url is set, which it is not by default", "direct_url locations"), **lacking(ASKED, "metadata properties store url"),
                       **lacking(PROPERTY, "architecture auto_disk_config hw_boot_menu hw_cpu_cores hw_cpu_policy hw_cpu_sockets hw_cpu_thread_policy hw_cpu_threads hw_disk_bus "
                                           "hw_machine_type hw_qemu_guest_agent hw_rng_model hw_scsi_model hw_serial_port_count hw_video_model hw_video_ram hw_vif_model "
                                           "hw_vif_multiqueue_enabled hw_watchdog_action hypervisor_type img_config_drive instance_type_rxtx_factor instance_uuid kernel_id "
                                           "os_admin_user os_command_line os_distro os_require_quiesce os_secure_boot os_shutdown_timeout os_type os_version ramdisk_id vm_mode "
                                           "vmware_adaptertype vmware_ostype")},
    "image.v2.Member": lacking(ASKED, "member"),
    "network.v2.Agent": {**lacking("of L3 agents, which OVN has none of", "ha_state"), **lacking("a host's heartbeats are not stored: alive says whether it answers", "heartbeat_timestamp")},
    "network.v2.FloatingIP": {**lacking(NO_EXTENSION, "qos_policy_id"), **lacking(ASKED, "subnet_id")},
    "network.v2.Network": lacking(NO_EXTENSION, "dns_domain segments vlan_transparent"),
    "network.v2.Port": lacking(NO_EXTENSION, "data_plane_status device_profile dns_domain ip_allocation numa_affinity_policy propagate_uplink_status "
                                             "resource_request"),
    "network.v2.QoSRuleType": lacking("of one rule type", "drivers"),
    "network.v2.Quota": {**lacking(ASKED, "check_limit"), **lacking("of Neutron's former load balancers", "healthmonitor l7policy listener loadbalancer pool")},
    "network.v2.Router": {**lacking(NO_EXTENSION, "distributed enable_ndp_proxy ha"), **lacking("the older name of revision_number", "revision")},
    "network.v2.ServiceProvider": lacking(NONE_SHOWN, "default name service_type"),
    **{f"network.v2.{kind}": lacking("the SDK's own names of what is within another member", names)
       for kind, names in (("VpnIkePolicy", "units value"), ("VpnIpsecPolicy", "units value"), ("VpnIPSecSiteConnection", "action interval timeout"))},
    "network.v2.Subnet": lacking(ASKED, "prefixlen use_default_subnetpool"),
}


def models():
    """Classes of the SDK whose path an action has: name of the class → (class, action of the list)."""
    actions = {}
    for action in cloud.dump()["actions"]:
        if action["method"] == "GET":
            actions[action["service"], plain(action["path"])] = action
    for module, service in SERVICES.items():
        package = importlib.import_module(f"openstack.{module}")
        for part in pkgutil.iter_modules(package.__path__):
            for model in vars(importlib.import_module(f"{package.__name__}.{part.name}")).values():
                if not inspect.isclass(model) or not issubclass(model, resource.Resource) or model.__module__ != f"{package.__name__}.{part.name}":
                    continue
                path = plain(model.base_path or "")
                found = actions.get((service, f"{path}/detail")) or actions.get((service, path))
                if found and (model.allow_list or model.allow_fetch):
                    yield f"{module}.{model.__name__}", (model, found)


def plain(path):
    """The path without versions, projects and the names of variables."""
    path = re.sub(r"^/v[0-9.]+", "", path)
    return re.sub(r"%\([^)]*\)s|\{[^}]*\}", "{}", path.replace("/{project_id}/", "/", 0 if path.startswith(("/projects", "/OS-")) else 1))


MODELS = dict(models())


def known(model):
    """Names of the members that the class itself describes: each resource of the SDK has an id and a name."""
    return {part.name for base in model.__mro__ if base not in (resource.Resource, object) for part in vars(base).values() if isinstance(part, resource.Body)}


@pytest.fixture(scope="module")
def stack():
    with Dev() as dev:
        yield Stack(dev)


@pytest.fixture(scope="module")
def described():
    """Members of the answers that tables describe, by action; some hold for old microversions alone."""
    found = {}
    for answer in json.loads(subprocess.run([DARI, "dump", "answers"], check=True, capture_output=True).stdout)["answers"]:
        if answer["face"] == "openstack":
            found.setdefault(answer["name"], set()).update(m["name"].partition(".")[0] for m in answer["answer"])
    return found


def rows_of(model, answer):
    inner = answer.get(model.resources_key or "", answer.get(model.resource_key or "", answer))
    rows = inner if isinstance(inner, list) else [inner]
    return [row.get("keypair", row) for row in rows if isinstance(row, dict)]


def shown_by(stack, model, action):
    """Members in the answers to the project and to administrators, in the newest and the first microversion."""
    members = set()
    for by in (stack.project, stack.admin):
        for version in (cloud.version_of(action), None):
            for query in ("", "?all_tenants=1"):
                answer = by.call("GET", stack.path_of(action) + query, version=version)
                members |= {name for row in rows_of(model, answer.json) for name in row} if answer.status == 200 else set()
    return members


@pytest.mark.parametrize("name", MODELS)
def test_members(stack, described, name):
    model, action = MODELS[name]
    shown = shown_by(stack, model, action) | described.get(action["path"], set())
    assert known(model) - shown == set(LACKS.get(name, {})), f"{name}: lacks {sorted(known(model) - shown)}"


def test_rows_are_needed():
    assert set(LACKS) <= set(MODELS)


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=200", "--tb=line", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

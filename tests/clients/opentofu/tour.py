# SPDX-License-Identifier: Apache-2.0
"""OpenTofu with the OpenStack provider: networks, machines and the administrator's day, from the first apply to the last destroy."""
import json
import os
import ssl
import sys
import urllib.request

from steps import CA_FILE, tell
from tofu import Course, Import, Tofu

HERE = os.path.dirname(os.path.abspath(__file__))
REGION = os.environ["OS_REGION_NAME"]
ADMIN = {"OS_USERNAME": "admin", "OS_PROJECT_NAME": "admin", "OS_PROJECT_ID": "", "OS_PASSWORD": os.environ["ADMIN_PASSWORD"]}
tofu = Tofu(os.environ["TOFU"], {"terraform-provider-openstack/openstack": os.path.dirname(os.environ["PROVIDER"])})


def join(separator, *names):
    return lambda values: separator.join(str(values[name]) for name in names)


def quota(values):
    return f"{values['project_id']}/{REGION}"


def grant(values):
    return "/".join(values[name] or "" for name in ("domain_id", "project_id", "group_id", "user_id", "role_id"))


IDS = {
    "openstack_blockstorage_quotaset_v3": quota,
    "openstack_compute_quotaset_v2": quota,
    "openstack_networking_quota_v2": quota,
    "openstack_compute_interface_attach_v2": join("/", "instance_id", "port_id"),
    "openstack_networking_router_routes_v2": join("", "router_id"),
    "openstack_networking_router_interface_v2": join("", "port_id"),
}
# The provider's Read leaves these as the configuration has them.
UNREAD = {
    "openstack_blockstorage_volume_v3": ["image_id", "enable_online_resize", "source_vol_id"],
    "openstack_compute_instance_v2": ["stop_before_destroy", "force_delete", "user_data", "power_state"],
    "openstack_identity_user_v3": ["password", "extra"],
    "openstack_images_image_v2": ["local_file_path", "image_cache_path", "verify_checksum"],
    "openstack_networking_secgroup_v2": ["delete_default_rules"],
    "openstack_networking_network_v2": ["tags"],
    "openstack_networking_router_v2": ["tags"],
}
NEVER = ["openstack_identity_application_credential_v3", "openstack_identity_ec2_credential_v3", "openstack_compute_keypair_v2",
         "openstack_networking_port_v2", "openstack_compute_instance_v2", "openstack_networking_port_secgroup_associate_v2",
         "openstack_networking_portforwarding_v2", "openstack_blockstorage_volume_v3", "openstack_images_image_v2", "openstack_images_image_access_v2",
         "openstack_networking_secgroup_v2.web", "openstack_networking_subnet_v2.pooled"]


def asked(path, body=None, token=None):
    call = urllib.request.Request(os.environ["OS_AUTH_URL"] + path, json.dumps(body).encode() if body else None,
                                  {"Content-Type": "application/json", **({"X-Auth-Token": token} if token else {})})
    with urllib.request.urlopen(call, context=ssl.create_default_context(cafile=CA_FILE)) as answer:
        return answer.headers, json.load(answer)


def as_admin():
    """A token of the administrator's, the project of another account, and a host's name."""
    who = {"name": "admin", "domain": {"name": "Default"}}
    headers, body = asked("/auth/tokens", {"auth": {"identity": {"methods": ["password"], "password": {"user": {**who, "password": os.environ["ADMIN_PASSWORD"]}}},
                                                    "scope": {"project": who}}})
    token = headers["X-Subject-Token"]
    projects = asked("/projects?name=other", token=token)[1]["projects"]
    compute = next(entry for entry in body["token"]["catalog"] if entry["type"] == "compute")["endpoints"][0]["url"]
    call = urllib.request.Request(compute + "/os-hypervisors", headers={"X-Auth-Token": token})
    with urllib.request.urlopen(call, context=ssl.create_default_context(cafile=CA_FILE)) as answer:
        return projects[0]["id"], json.load(answer)["hypervisors"][0]["hypervisor_hostname"]


other, host = as_admin()
for name in sys.argv[1:] or ["network", "compute", "people"]:
    variables = {"people": {"host": host}}.get(name, {"other_project": other})
    course = Course(tofu, HERE, name, Import(IDS, UNREAD, NEVER), variables, ADMIN if name == "people" else {})
    with open(os.path.join(name, "disk.raw"), "wb") as disk:
        disk.write(bytes(1 << 20))
    course.go()
tell("end of tour")

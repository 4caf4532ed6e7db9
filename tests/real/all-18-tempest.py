#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/openstack
"""Tempest's tests that look into guests by ssh, with real ones: their names, processors, disks, interfaces and metadata.

    tests/real/all-18-tempest.py [REGEX...]     those of the selection whose names the expressions find

Tempest stands in the internet, where addresses of guests are reached; the API is brought there. tempest.selection, beside this
file, says which tests are meant and which are not, and why."""
# limit: 7200 s
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import cloud  # noqa: E402
import tempest_run  # noqa: E402
from door import Door  # noqa: E402
from region import HANG_S, ROOT, Region  # noqa: E402

# Tempest only knows limits in seconds: bounds against hanging.
TEST_S, BOOT_S = 2 * HANG_S, HANG_S


def make_flavor(admin, name, ram_mib):
    """Creates a flavor with one processor: with two, a guest's kernel sometimes locks up under QEMU's emulation on a busy machine."""
    flavor = {"id": name, "name": name, "vcpus": 1, "ram": ram_mib, "disk": 1}
    return admin.ok("POST", "/compute/v2.1/flavors", {"flavor": flavor})["flavor"]["id"]


def settings(region, folder):
    admin = cloud.make_admin(region)
    image, = admin.ok("GET", "/image/v2/images?name=tiny")["images"]
    groups = tempest_run.settings(admin, f"http://127.0.0.1:{region.port}", folder, [image["id"]] * 2, BOOT_S)
    groups["compute"] |= {"flavor_ref": make_flavor(admin, "small", 256), "flavor_ref_alt": make_flavor(admin, "large", 512), "min_compute_nodes": 2, "build_interval": 1,
                          "volume_device_name": "vdb", "ready_wait": 0}
    groups["compute-feature-enabled"] |= {"hostname_fqdn_sanitization": True}
    groups["network"] |= {"build_interval": 1}
    groups["volume"] |= {"build_interval": 1}
    groups["scenario"] = {"dhcp_client": "udhcpc", "img_file": os.path.join(ROOT, "build/cache/tiny.qcow2"), "img_disk_format": "qcow2",
                          "img_container_format": "bare"}
    groups["validation"] = {"run_validation": True, "connect_method": "floating", "image_ssh_user": "root", "image_alt_ssh_user": "root",
                            "ssh_timeout": BOOT_S, "connect_timeout": BOOT_S, "ping_timeout": BOOT_S, "ssh_shell_prologue": "",
                            "network_for_ssh": "internet", "ssh_key_type": "ecdsa"}
    return groups


def main():
    with Region("tg") as region:
        folder = os.path.join(region.demo, "tempest")
        os.mkdir(folder)
        netns = f"/run/netns/{region.env['DARI_SANDBOX_PREFIX']}inet"
        groups = settings(region, folder)
        with Door(netns, region.port):
            passed, failed = tempest_run.run_selected(__file__, folder, groups, sys.argv[1:], parallel=1, limit_s=TEST_S,
                                                      before=("nsenter", f"--net={netns}", "--"))
        region.passed, region.failed = region.passed + passed, region.failed + failed
        region.check_clean()


main()

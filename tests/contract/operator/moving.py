#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: docs/from-proxmox-and-vmware.md src/api/openstack/image
"""The commands of docs/from-proxmox-and-vmware.md: VMDK files as VMware's OVF Tool writes them become a machine with its address and its data disk."""
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import waiting  # noqa: E402
from dev import Dev, ROOT  # noqa: E402


def commands():
    with open(os.path.join(ROOT, "docs/from-proxmox-and-vmware.md"), encoding="utf-8") as page:
        text = page.read()
    block = re.search(r"^## The import\n(?:.*\n)*?((?:    .*\n)+)", text, re.MULTILINE)[1]
    properties = re.findall(r"`((?:hw|os)_\w+=[\w.]+)`", text[text.index("Further properties"):])
    return [line.strip() for line in block.splitlines()], properties


def test_an_exported_machine_is_imported(tmp_path):
    lines, properties = commands()
    assert len(lines) == 9 and len(properties) == 6
    for name in ("app-disk1.vmdk", "app-disk2.vmdk"):
        subprocess.run(["qemu-img", "create", "-q", "-f", "raw", "disk.raw", "8M"], cwd=tmp_path, check=True)
        subprocess.run(["qemu-img", "convert", "-O", "vmdk", "-o", "subformat=streamOptimized", "disk.raw", name], cwd=tmp_path, check=True)
    with Dev() as dev:
        exports = "\n".join(line for line in dev.banner.splitlines() if line.startswith("export OS_"))
        every = "".join(f"openstack image set --property {p} app-data\n" for p in properties)
        done = waiting.run(["bash", "-ec", exports + "\n" + "\n".join(lines) + "\n" + every], cwd=tmp_path, capture_output=True, text=True,
                           env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8"})
        assert done.returncode == 0, done.stdout + done.stderr
        ec2 = dev.account
        answer = ec2.call("DescribeInstances")
        text = re.sub(r"\s+", "", answer.text)
        assert "<bootMode>uefi</bootMode>" in text and "<privateIpAddress>10.0.0.5</privateIpAddress>" in text, text
        assert "<macAddress>52:54:00:12:34:56</macAddress>" in text and text.count("<ebs>") == 2, text


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider", *sys.argv[1:]]))

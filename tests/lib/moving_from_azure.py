# SPDX-License-Identifier: Apache-2.0
"""Migrations from one simulated region to another by its Azure face: virtual machines whose disks have content, and what is here afterwards."""
from elsewhere import machines
from moving_from_openstack import FromOpenStack
from waiting import wait_until


class FromAzure(FromOpenStack):
    """`there` has disks with content, and is the provider of kind azure of `home`. A machine's ref is GROUP:NAME, and its name there is EC2's id."""
    KIND, PATH = "azure", ""

    def note(self, path, body, answer):
        return answer.replace(b"127.0.0.1:%d" % self.there.port, b"127.0.0.1:%d" % self.proxy.port)

    def ec2_of(self, ref):
        return ref if ref.startswith("i-") else self.short[ref] if ref in self.short else "i-" + ref.replace("-", "")[:17]

    def ref_of(self, short):
        wait_until(lambda: any(r.endswith(":" + short) for r in machines(self.home)), "the machine is listed")
        ref = next(r for r in machines(self.home) if r.endswith(":" + short))
        self.short[ref] = short
        return ref

    def left_there(self):
        return [s["SnapshotId"] for s in self.there.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]]

    def disk_of(self, ref, row, there):
        """The content of a disk of the migration, by its place."""
        return self.contents[ref][sorted(there.values(), key=lambda d: d.endswith("f"))[row["number"]]]

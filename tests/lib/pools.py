# SPDX-License-Identifier: Apache-2.0
"""Storage pools of a real region: a directory that its two hosts share, a pool of a real Ceph, and the files of a volume in each."""
import time

import ceph
from region import wait_until

HOSTS = ("hv1", "hv2")
SHARED, OWN = "/var/lib/libvirt/shared", "/var/lib/libvirt/images"


class Pools:
    def __init__(self, region, cluster):
        self.region, self.cluster = region, cluster
        kept = f"{region.env['DARI_SANDBOX']}/shared"
        for host in HOSTS:
            region.on(host, "sh", "-c", f"mkdir -p {kept} {SHARED} && mount --bind {kept} {SHARED}")
        key = f"{region.demo}/ceph.key"
        with open(key, "w", encoding="ascii") as f:
            f.write(cluster.key + "\n")
        region.command("pool", "add", "nfs", "--path", SHARED)
        region.command("pool", "add", "ceph", "--kind", "rbd", "--monitors", cluster.monitor, "--pool", ceph.POOL, "--user", ceph.USER,
                       "--key-file", key)
        wait_until(self.are_proven, "both hosts see both pools")

    def are_proven(self):
        return all({h["state"] for h in p["hosts"]} == {"proven"} for p in self.region.command("pool", "list"))

    def files(self, volume):
        """Names of the pools that have files of the volume, once for each file."""
        digits = volume.replace("vol-", "").replace("-", "")

        def has(names):
            return sum(digits in name.replace("-", "") for name in names)
        own = sum(has(self.region.on(host, "ls", OWN).split()) for host in HOSTS)
        shared = has(self.region.on("hv1", "ls", SHARED).split())
        images = has(self.cluster.run("rbd", "ls", ceph.POOL).split())
        return ["dari"] * own + ["nfs"] * shared + ["ceph"] * images

    def ask(self, volume, pool):
        self.region.command("pool", "move", volume, pool)

    def await_end(self, volume, pool, kills=False):
        if kills:
            time.sleep(1)
            self.region.kill_dari()
            self.region.start_dari()
        wait_until(lambda: self.region.command("explain", volume)["fields"].get("moves") != "true", f"{volume} is moved")
        fields = self.region.command("explain", volume)["fields"]
        self.region.check(f"{volume} is in {pool}: {fields.get('last_move')}", fields.get("last_move") == "success")
        self.region.check_soon(f"all of it is in {pool}, and nothing elsewhere", lambda: self.files(volume) == [pool])


def volume_of(ec2, volume):
    return ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]


def make(ec2, zone, **how):
    volume = ec2.create_volume(AvailabilityZone=zone, **how)["VolumeId"]
    wait_until(lambda: volume_of(ec2, volume)["State"] == "available", "the volume is made")
    return volume


def attach(ec2, volume, identifier, device):
    ec2.attach_volume(VolumeId=volume, InstanceId=identifier, Device=device)
    wait_until(lambda: [a["State"] for a in volume_of(ec2, volume)["Attachments"]] == ["attached"], "attached")


def detach(ec2, volume):
    ec2.detach_volume(VolumeId=volume)
    wait_until(lambda: volume_of(ec2, volume)["State"] == "available", "detached")

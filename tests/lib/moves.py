# SPDX-License-Identifier: Apache-2.0
"""Guests on their way to another host, as the real tests look at them."""
import re

from region import SOON_S, wait_until

WRITER = "(n=0; while :; do n=$((n + 1)); echo $n >> /mnt/numbers; usleep 100000; done) </dev/null >/dev/null 2>&1 &"


def host_of(region, identifier, field="host"):
    return region.command("explain", identifier)["fields"].get(field)


def other_than(host):
    return {"hv1": "hv2", "hv2": "hv1"}[host]


def is_settled(region, identifier):
    return not host_of(region, identifier, "target")


def running_on(region, host):
    return region.on(host, "virsh", "list", "--name").split()


def files_on(region, host, volume):
    listed = region.on(host, "sh", "-c", "ls /var/lib/libvirt/images", fails=True).split()
    return [name for name in listed if volume.replace("vol-", "") in name.replace("-", "")]


def root_of(ec2, identifier):
    return ec2.describe_instances(InstanceIds=[identifier])["Reservations"][0]["Instances"][0]["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]


def numbers(region, address):
    """What the guest's writer wrote: all numbers from 1 on, each once."""
    return [int(n) for n in region.ssh(address, "cat /mnt/numbers").split()]


def is_whole(written):
    return written == list(range(1, len(written) + 1))


class Pings:
    """From the internet's side, ten a second, for as long as the block lasts."""

    def __init__(self, region, address):
        self.region, self.address, self.log = region, address, f"{region.demo}/pings"

    def __enter__(self):
        self.region.on("inet", "sh", "-c", f"nohup ping -i 0.1 -W 1 {self.address} >{self.log} 2>&1 & echo $! >{self.log}.pid")
        return self

    def __exit__(self, *_):
        self.region.on("inet", "sh", "-c", f"kill -INT $(cat {self.log}.pid)", fails=True)
        wait_until(lambda: "packets transmitted" in self.text(), SOON_S, "ping tells what it counted")

    def text(self):
        with open(self.log, encoding="ascii") as f:
            return f.read()

    def longest_gap_s(self):
        heard = [int(n) for n in re.findall(r"icmp_seq=(\d+) ttl", self.text())]
        return max((b - a for a, b in zip(heard, heard[1:])), default=0) / 10


def is_sending(region, host, identifier):
    return "Outgoing migration" in region.on(host, "virsh", "domjobinfo", identifier, fails=True)

# SPDX-License-Identifier: Apache-2.0
"""Live migrations of guests, for the real tests."""
import re

from region import wait_until

WRITER = "(n=0; while :; do n=$((n + 1)); echo $n >> /mnt/numbers; usleep 100000; done) </dev/null >/dev/null 2>&1 &"


def host_of(region, identifier, field="host"):
    return region.command("explain", identifier)["fields"].get(field)


def other_than(host):
    return {"hv1": "hv2", "hv2": "hv1"}[host]


def is_settled(region, identifier):
    return not host_of(region, identifier, "target")


def move(region, identifier):
    """Migrates the instance to the other host; waits until the migration is complete and the network has followed. Returns the migration's fields."""
    made = region.command("host", "move", identifier, "--to", other_than(host_of(region, identifier)))

    def row():
        return region.command("explain", made["migration"])["fields"]
    wait_until(lambda: row().get("outcome", "asked") != "asked", "the migration is over")
    return row()


def is_bound_once(region):
    """True if OVN has bound each interface on exactly one host, and it is up."""
    lines = region.on("ctl", "ovn-sbctl", "--bare", "--columns", "chassis,requested_chassis,additional_chassis,up", "find", "Port_Binding",
                      'type=""', "requested_chassis!=[]", fails=True).split("\n")
    return all(chassis == wanted and more == "" and up == "true"
               for chassis, wanted, more, up in zip(lines[0::5], lines[1::5], lines[2::5], lines[3::5]))


def is_heard(region, address):
    """True if the guest's kernel answers a ping, which takes no time even on a slow machine: without an answer the guest or the path to it is lost."""
    return "1 received" in region.on("inet", "ping", "-c", "1", "-W", "1", address, fails=True)


def frames_from(region, identifier):
    """Number of frames that the guest has sent since it came to its host: a guest that gets pings and sends nothing is itself at fault."""
    host = host_of(region, identifier)
    taps = region.on(host, "virsh", "domiflist", identifier, fails=True).split("\n")[2:]
    return [region.on(host, "ovs-vsctl", "get", "Interface", line.split()[0], "statistics", fails=True) for line in taps if line.strip()]


def check_reached(region, identifier, address, boot):
    """Checks that ping works soon; ssh, which a slow machine delays, may take as long as a boot."""
    heard = region.check_soon("it is heard", lambda: is_heard(region, address))
    if not heard:
        host = host_of(region, identifier)
        print("frames:", frames_from(region, identifier), frames_from(region, identifier), sep="\n")
        for _ in range(3):
            print(region.on(host, "virsh", "qemu-monitor-command", identifier, "--hmp", "info registers", fails=True)[:400])
        print(region.as_the_network_is(address))
    return region.check_soon("it was not started anew", lambda: region.boot_id(address) == boot) and heard


def running_on(region, host):
    return region.on(host, "virsh", "list", "--name").split()


def files_on(region, host, volume):
    listed = region.on(host, "sh", "-c", "ls /var/lib/libvirt/images", fails=True).split()
    return [name for name in listed if volume.replace("vol-", "") in name.replace("-", "")]


def root_of(ec2, identifier):
    return ec2.describe_instances(InstanceIds=[identifier])["Reservations"][0]["Instances"][0]["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]


def numbers(region, address):
    """Numbers written by the guest's writer: all from 1 on, each once."""
    return [int(n) for n in region.ssh(address, "cat /mnt/numbers").split()]


def is_whole(written):
    return written == list(range(1, len(written) + 1))


class Pings:
    """Pings from the internet's side, ten a second, for as long as the block lasts."""

    def __init__(self, region, address):
        self.region, self.address, self.log = region, address, f"{region.demo}/pings"

    def __enter__(self):
        self.region.on("inet", "sh", "-c", f"nohup ping -i 0.1 -W 1 {self.address} >{self.log} 2>&1 & echo $! >{self.log}.pid")
        return self

    def __exit__(self, *_):
        self.region.on("inet", "sh", "-c", f"kill -INT $(cat {self.log}.pid)", fails=True)
        wait_until(lambda: "packets transmitted" in self.text(), "ping tells what it counted")

    def text(self):
        with open(self.log, encoding="ascii") as f:
            return f.read()

    def longest_gap_s(self):
        heard = [int(n) for n in re.findall(r"icmp_seq=(\d+) ttl", self.text())]
        return max((b - a for a, b in zip(heard, heard[1:])), default=0) / 10


def is_sending(region, host, identifier):
    return "Outgoing migration" in region.on(host, "virsh", "domjobinfo", identifier, fails=True)

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/ovsdb/ovsdb src/drivers/ovn/epoch src/drivers/ovn/driver
"""OVN's databases as clusters of three servers with TLS: a region moves onto them as docs/high-availability.md says, and goes on while servers die,
stand still and come back. OVN and the API are real; instances are simulated, and network namespaces play the guests."""
import os
import pathlib
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from guests import Guests  # noqa: E402
from ovn_cluster import CLIENTS, NORTHDS, Cluster  # noqa: E402
from region import Region, launch, wait_state, wait_until  # noqa: E402


def configure(region, cluster):
    """Names the clusters in dari's configuration, in place of the sockets."""
    path = pathlib.Path(region.env.get("DARI_CONFIG") or os.path.join(region.demo, "dari.yaml"))
    lines = []
    for line in path.read_text().splitlines():
        key = line.strip().split(":")[0]
        if key in ("northbound", "southbound"):
            line = f"  {key}: \"{cluster.remotes('nb' if key == 'northbound' else 'sb')}\""
        lines.append(line)
        if key == "southbound":
            lines += [f"  {name}: {file}" for name, file in cluster.files.items()]
    path.write_text("\n".join(lines) + "\n")


class Traffic:
    """Opens and shuts the guests' security group: each change passes the northbound database, northd, the southbound one and a host."""

    def __init__(self, region, ec2, guests, ips, group):
        self.region, self.ec2, self.guests, self.ips, self.group = region, ec2, guests, ips, group
        self.is_open = False

    def pings(self):
        return " 0% packet loss" in self.guests.ns("a", "ping", "-c", "1", "-W", "1", self.ips["b"], fails=True)

    def change(self, words):
        rule = {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, "CidrIp": "10.0.0.0/8"}
        self.is_open = not self.is_open
        call = self.ec2.authorize_security_group_ingress if self.is_open else self.ec2.revoke_security_group_ingress
        call(GroupId=self.group, **rule)
        self.region.check_soon(f"{words}: traffic is {'allowed' if self.is_open else 'blocked'}", lambda: self.pings() == self.is_open)


def make_guests(region, ec2, guests):
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.1.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="ping", Description="ping", VpcId=vpc)["GroupId"]
    instances = {name: launch(ec2, SubnetId=subnet, SecurityGroupIds=[group])[0] for name in "ab"}
    wait_state(ec2, list(instances.values()), "running")
    ips = {}
    for name, identifier in instances.items():
        instance = ec2.describe_instances(InstanceIds=[identifier])["Reservations"][0]["Instances"][0]
        guests.plug(name, instance)
        ips[name] = instance["PrivateIpAddress"]
    return Traffic(region, ec2, guests, ips, group)


def lose_servers(cluster, traffic):
    for kind, word in [("nb", "northbound"), ("sb", "southbound")]:
        lost = cluster.await_leader(kind)
        cluster.signal(f"{kind}{lost}", "KILL")
        traffic.change(f"the {word} leader was killed")
        cluster.start(kind, lost)
        lost = cluster.await_leader(kind)
        cluster.signal(f"{kind}{lost}", "STOP")
        traffic.change(f"the {word} leader stands still")
        cluster.signal(f"{kind}{lost}", "CONT")
        traffic.change("it goes on")
    for number in range(NORTHDS):
        cluster.signal(f"northd{number}", "KILL")
        traffic.change(f"northd {number} was killed")
        cluster.start_northd(number)


def lose_majority(region, cluster, traffic):
    """Changes are accepted and wait; dari says which servers it tried."""
    lost = [0, 2]
    for number in lost:
        cluster.signal(f"nb{number}", "KILL")
    left = f"{cluster.addresses[1]}:{CLIENTS['nb'] + 1}: the server is cut off from the others of its cluster"
    region.check_soon("doctor says why no server serves", lambda: left in region.run(region.dari, "doctor", fails=True))
    rule = {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, "CidrIp": "10.0.0.0/8"}
    assert not traffic.is_open
    traffic.ec2.authorize_security_group_ingress(GroupId=traffic.group, **rule)
    region.check("a change is accepted and waits", not traffic.pings())
    for number in lost:
        cluster.start("nb", number)
    region.check_soon("it takes effect when the servers are back", traffic.pings)
    traffic.is_open = True


def network_findings(region):
    """Simulated hosts forget their disks when dari ends, so findings about disks say nothing."""
    return [finding for finding in region.audit() if not finding.startswith("the disk of volume")]


def main():
    os.environ["DARI_DEMO_URI"] = "sim://"
    with Region("oc") as region, Guests(region) as guests:
        ec2 = region.account("alice")
        traffic = make_guests(region, ec2, guests)
        traffic.change("one server")
        region.kill_dari()
        cluster = Cluster(region)
        cluster.begin()
        configure(region, cluster)
        region.start_dari()
        traffic.change("three servers")
        lose_servers(cluster, traffic)
        if traffic.is_open:
            traffic.change("before the loss of two")
        lose_majority(region, cluster, traffic)
        wait_until(lambda: region.health().get("waiting") == 0, "the reconciler has nothing on its way")
        region.check_soon("the network is as its rows say", lambda: not network_findings(region))


if __name__ == "__main__":
    main()

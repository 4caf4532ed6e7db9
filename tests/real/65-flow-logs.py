#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/reconcile/network/flow_log.c src/reconcile/network/flow_collector.c src/reconcile/network/flow_file.c src/drivers/ipfix.c src/drivers/ovn/nb_samples.c src/engine/network/flow_log.c
"""Flow logs with packets: what Open vSwitch and OVN report of accepted and rejected traffic becomes lines of files, for guests on two hosts and for a
VPC with the same addresses that must not be seen. OVN and the API are real; network namespaces play the guests."""
import glob
import gzip
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from guests import Guests  # noqa: E402
from region import Region, launch, wait_state, wait_until  # noqa: E402

COLLECTOR = "10.100.0.10:4739"
SET = 113  # NETWORK_SAMPLE_SET
FORMAT = "${interface-id} ${flow-direction} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${action} ${log-status} ${vpc-id}"
FIELDS = [name.strip("${}") for name in FORMAT.split()]
WEB, CLOSED = 80, 81


def prepare_host(region, host):
    """The commands of docs/operations.md."""
    ipfix = ("create", "IPFIX", f'targets="{COLLECTOR}"', "cache_active_timeout=10", "cache_max_flows=65535")
    region.on(host, "ovs-vsctl", "--", "--id=@i", *ipfix, "sampling=1", "--", "set", "Bridge", "br-int", "ipfix=@i")
    region.on(host, "ovs-vsctl", "--", "--id=@b", "get", "Bridge", "br-int", "--", "--id=@i", *ipfix, "--",
              "create", "Flow_Sample_Collector_Set", f"id={SET}", "bridge=@b", "ipfix=@i")


class Lab:
    """A VPC with two guests, whose group admits one port; another VPC with the same addresses and a guest."""

    def __init__(self, region, guests):
        self.region, self.guests = region, guests
        self.ec2 = region.account("alice")
        self.vpc, subnet = self.make_vpc()
        self.twin, twin_subnet = self.make_vpc()
        group = self.make_group(self.vpc)
        self.nics = {}
        for name, where in (("client", {"SubnetId": subnet}), ("server", {"SubnetId": subnet, "SecurityGroupIds": [group]}), ("twin", {"SubnetId": twin_subnet})):
            identifier = launch(self.ec2, **where)[0]
            wait_state(self.ec2, [identifier], "running")
            shown = self.ec2.describe_instances(InstanceIds=[identifier])["Reservations"][0]["Instances"][0]
            guests.plug(name, shown)
            self.nics[name] = shown["NetworkInterfaces"][0]
        guests.start("server", sys.executable, "-m", "http.server", str(WEB))

    def make_vpc(self):
        vpc = self.ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
        return vpc, self.ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.1.0/24")["Subnet"]["SubnetId"]

    def make_group(self, vpc):
        group = self.ec2.create_security_group(GroupName="web", Description="x", VpcId=vpc)["GroupId"]
        self.ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=WEB, ToPort=WEB, CidrIp="10.1.0.0/16")
        return group

    def address(self, name):
        return self.nics[name]["PrivateIpAddress"]

    def asks(self, name, port):
        """True if the server answers the guest."""
        return "HTTP" in self.guests.ns(name, "curl", "-s", "-I", "--connect-timeout", "2", "-m", "5", f"http://{self.address('server')}:{port}/", fails=True)


def create(lab, resource, kind="VPC", **more):
    made = lab.ec2.create_flow_logs(ResourceIds=[resource], ResourceType=kind, **{
        "TrafficType": "ALL", "LogDestinationType": "s3", "LogDestination": "arn:aws:s3:::flow-logs", "LogFormat": FORMAT,
        "MaxAggregationInterval": 60, **more})
    return made["FlowLogIds"][0]


def lines(region, log, folder=""):
    """Records of the log's files so far."""
    found = []
    pattern = os.path.join(region.demo, "data/flow-logs", folder, f"AWSLogs/*/vpcflowlogs/*/*/*/*/*_{log}_*.log.gz")
    for path in sorted(glob.glob(pattern)):
        with gzip.open(path, "rt", encoding="ascii") as file:
            head, *records = file.read().splitlines()
        assert head.split() == FIELDS, head
        found += [dict(zip(FIELDS, line.split(), strict=True)) for line in records]
    return found


def having(records, **fields):
    return [r for r in records if all(r[name.replace("_", "-")] == str(value) for name, value in fields.items())]


def total(records, field):
    return sum(int(r[field]) for r in records)


def main():
    os.environ["DARI_DEMO_URI"] = "sim://"
    with Region("fl") as region, Guests(region) as guests:
        region.kill_dari()
        with open(f"{region.demo}/dari.yaml", "a", encoding="utf-8") as file:
            file.write(f"flow_logs:\n  listen: {COLLECTOR}\n")
        region.start_dari()
        for host in ("hv1", "hv2", "ctl"):
            prepare_host(region, host)
        lab = Lab(region, guests)
        log = create(lab, lab.vpc)
        rejects = create(lab, lab.nics["server"]["NetworkInterfaceId"], "NetworkInterface", TrafficType="REJECT", LogDestination="arn:aws:s3:::flow-logs/only")
        wait_until(lambda: region.on("ctl", "ovn-nbctl", "get", "NB_Global", ".", "options").count(f'"{SET}"') == 2, "OVN samples drops")
        region.settle()
        client, server = lab.nics["client"]["NetworkInterfaceId"], lab.nics["server"]["NetworkInterfaceId"]

        def traffic():
            region.check("the server answers at its open port", lab.asks("client", WEB))
            region.check("and not at another one", not lab.asks("client", CLOSED))
            lab.asks("twin", CLOSED)

        traffic()
        wait_until(lambda: having(lines(region, log), interface_id=client, flow_direction="egress", dstport=WEB, action="ACCEPT"),
                   "a file has the client's flow", shows=lambda: len(lines(region, log)))
        region.check_soon("what the server's group dropped is rejected", lambda: having(
            lines(region, log), interface_id=server, flow_direction="ingress", dstport=CLOSED, action="REJECT"))
        records = lines(region, log)
        sent = having(records, interface_id=client, flow_direction="egress", dstport=WEB)
        got = having(records, interface_id=server, flow_direction="ingress", dstport=WEB)
        back = having(records, interface_id=client, flow_direction="ingress", srcport=WEB)
        region.check("the client's flow is accepted on both sides", bool(sent) and bool(got) and {r["action"] for r in sent + got + back} == {"ACCEPT"})
        region.check("with more than a packet, whose bytes fit", total(sent, "packets") > 3 and total(sent, "bytes") >= 40 * total(sent, "packets"))
        region.check("its addresses are those of the guests", {(r["srcaddr"], r["dstaddr"]) for r in sent} == {(lab.address("client"), lab.address("server"))})
        refused = having(records, interface_id=server, dstport=CLOSED)
        region.check("no packet to the closed port was accepted", bool(refused) and {r["action"] for r in refused} == {"REJECT"})
        region.check("what the client sent there left it", {r["action"] for r in having(records, interface_id=client, dstport=CLOSED)} == {"ACCEPT"})
        region.check("the other VPC's traffic is not in it", not [r for r in records if r["vpc-id"] not in (lab.vpc, "-")])
        region.check_soon("a log of rejects has nothing else", lambda: having(lines(region, rejects, "only"), action="REJECT", dstport=CLOSED)
                          and not having(lines(region, rejects, "only"), action="ACCEPT"))
        shown = lab.ec2.describe_flow_logs(FlowLogIds=[log])["FlowLogs"][0]
        region.check("its delivery succeeds", shown["DeliverLogsStatus"] == "SUCCESS")
        lab.ec2.delete_flow_logs(FlowLogIds=[log, rejects])
        region.check_soon("without flow logs OVN samples nothing", lambda: str(SET) not in region.on("ctl", "ovn-nbctl", "get", "NB_Global", ".", "options"))
        region.check_clean()


if __name__ == "__main__":
    main()

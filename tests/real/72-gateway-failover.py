#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/reconcile/gather.c src/drivers/ovn/nb_uplink.c src/reconcile/network/nat_gateway.c
"""The gateway of a router of OpenStack, and a NAT gateway of EC2, are on a host that loses its power: the guests behind them reach the internet again
through another host, and what other hosts carry does not move. OVN moves the router's gateway by itself (BFD), also while dari is dead; dari moves the
NAT gateway."""
# limit: 1200 s
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from gateways import NET, carriers, is_back, lose, make_router, make_world, nat_carrier, start_guests, wait_word  # noqa: E402
from region import Region, wait_until  # noqa: E402

FURTHER = 6  # further routers, so that each host carries some


def main():
    with Region("gwfail", hosts=3) as region:
        ec2, project, subnet, network, router, first = make_world(region)
        for _ in range(FURTHER):
            project.ok("POST", f"{NET}/ports", {"port": {"network_id": make_router(project)[0]}})
        region.settle()
        wait_until(lambda: len(set(carriers(region).values())) > 1, "gateways are on more than one host")
        wait_until(lambda: f"cr-gw-{router}" in carriers(region), "the router's gateway is on a host")
        of_router, of_nat = carriers(region)[f"cr-gw-{router}"], nat_carrier(region)
        private, server = start_guests(region, project, ec2, subnet, network, {of_router, of_nat})
        ec2.terminate_instances(InstanceIds=[first])
        for guest, words in ((private, "the guest behind the NAT gateway is heard"), (server, "the server behind the router is heard")):
            wait_word(region, guest, words)
        region.kill_dari()
        lose(region, of_router, server, "the server is heard through another host, without dari")
        region.run("tools/sandbox", "give-power", of_router)
        region.start_dari()  # makes the sandbox anew when a host of it has no power
        is_back(region, of_router, (private, server))
        of_nat = nat_carrier(region)
        lose(region, of_nat, private, "the guest is heard through another host")
        region.check(f"its NAT gateway has left {of_nat}", nat_carrier(region) != of_nat)
        region.run("tools/sandbox", "give-power", of_nat)
        is_back(region, of_nat, (private, server))
        region.check_clean()


main()

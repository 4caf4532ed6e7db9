#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/reconcile/gather.c src/drivers/ovn/nb_uplink.c
"""The host of a router's gateway loses its power, and one host is left. OVN alone does not move the gateway: a host that sees no other takes itself for
the one that is cut off. Dari does, for it knows which host is down."""
# limit: 900 s
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from gateways import carriers, is_back, lose, make_world, start_guests, wait_word  # noqa: E402
from region import Region, wait_until  # noqa: E402


def main():
    with Region("gwtwo", hosts=2) as region:
        ec2, project, subnet, network, router, first = make_world(region)
        region.settle()
        wait_until(lambda: f"cr-gw-{router}" in carriers(region), "the router's gateway is on a host")
        lost = carriers(region)[f"cr-gw-{router}"]
        private, server = start_guests(region, project, ec2, subnet, network, {lost})
        ec2.terminate_instances(InstanceIds=[first])
        wait_word(region, server, "the server behind the router is heard")
        lose(region, lost, server, "the server is heard through its own host")
        wait_word(region, private, "the guest behind the NAT gateway is heard")
        region.run("tools/sandbox", "give-power", lost)
        is_back(region, lost, (private, server))
        region.check_clean()


main()

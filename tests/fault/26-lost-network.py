#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/ovn src/reconcile/network/network.c src/reconcile/network/router.c
"""OVN's northbound database loses its content: emptied, or its file lost, while dari runs and while it is down. Everything is created again, packets
flow as before, and no guest is affected."""
# limit: 900 s
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from region import Region, blank_image, launch, state, wait_state, wait_until  # noqa: E402

SCHEMA = "/usr/share/ovn/ovn-nb.ovsschema"


def dump(region):
    """Content of the database, without names of rows created by OVN."""
    text = region.on("ctl", "ovn-nbctl", "--no-leader-only", "show", fails=True)
    lines = [line.strip() for line in text.splitlines()]
    return sorted("nat" if line.startswith("nat ") else line for line in lines)


def empty(region):
    """Deletes every row that a client of the database can delete; rows that they refer to disappear with them."""
    region.on("ctl", "sh", "-c", """
        for table in Logical_Switch Logical_Router Port_Group Address_Set DHCP_Options DNS Load_Balancer Meter BFD \
                HA_Chassis_Group; do
            for row in $(ovn-nbctl --bare --columns=_uuid list $table); do ovn-nbctl destroy $table $row || true; done
        done""")


def lose_file(region):
    database = f"{region.env['DARI_SANDBOX']}/ctl/db/ovnnb.db"
    region.run("tools/sandbox", "kill", "ctl", "nb")
    os.unlink(database)
    region.run("ovsdb-tool", "create", database, SCHEMA)
    region.run("tools/sandbox", "start", "ctl", "nb")


def without_dari(region, lose):
    region.kill_dari()
    lose(region)
    region.start_dari()


def loses(region, ec2, blank, address, words, lose):
    had, before = dump(region), region.boot_id(address)
    lose(region)
    try:
        wait_until(lambda: dump(region) == had, f"the network is as before {words}")
    except TimeoutError:
        print("missing:", [line for line in had if line not in dump(region)])
        raise
    wait_until(lambda: region.boot_id(address) == before, f"the guest answers after {words}")
    region.check(f"{words}: built up anew, the guest answers and was not touched", True)
    made = launch(ec2, ImageId=blank)
    wait_state(ec2, made, "running")
    ec2.terminate_instances(InstanceIds=made)
    wait_state(ec2, made, "terminated")
    region.check_clean(f"{words}: a launch runs, audit is clean")


def main():
    with Region("ln") as region:
        ec2, witness, address = region.witness("network")
        region.check("there is a network", len(dump(region)) > 5)
        blank = blank_image(ec2)
        loses(region, ec2, blank, address, "emptied", empty)
        loses(region, ec2, blank, address, "its file lost", lose_file)
        loses(region, ec2, blank, address, "emptied while dari is down", lambda r: without_dari(r, empty))
        loses(region, ec2, blank, address, "its file lost while dari is down", lambda r: without_dari(r, lose_file))
        region.check("it was running to the user all along", state(ec2, witness) == "running")


if __name__ == "__main__":
    main()

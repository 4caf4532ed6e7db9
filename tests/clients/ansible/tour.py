# SPDX-License-Identifier: Apache-2.0
"""Ansible's collections for OpenStack and CloudStack: each play twice, the second time without a change, and the plays that clean up."""
import os
import sys

import cs

from plays import Plays
from steps import tell


def template():
    """The name of the template that the region brings along."""
    answer = cs.CloudStack(endpoint=os.environ["CLOUDSTACK_ENDPOINT"], key=os.environ["CLOUDSTACK_KEY"], secret=os.environ["CLOUDSTACK_SECRET"],
                           verify=os.environ["CA_FILE"]).listTemplates(templatefilter="featured")
    return answer["template"][0]["name"]


if __name__ == "__main__":
    with open("disk.raw", "wb") as disk:
        disk.write(bytes(1 << 20))
    ADMIN = {"OS_USERNAME": "admin", "OS_PROJECT_NAME": "admin", "OS_PROJECT_ID": "", "OS_PASSWORD": os.environ["ADMIN_PASSWORD"]}
    WORLDS = {"openstack": {"DISK": os.path.abspath("disk.raw")}, "operator": ADMIN, "cloudstack": {"TEMPLATE": template()}}
    plays = Plays(os.path.dirname(os.path.abspath(__file__)), "import ansible.module_utils.basic, cs, openstack.connection\n")
    for part in sys.argv[1:] or WORLDS:
        plays.course(part, **WORLDS[part])
    tell("end of tour")

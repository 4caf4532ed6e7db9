#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: examples src/api/openstack
# when: long
# limit: 5400 s
"""The three-tier application of examples/ with OpenTofu and the stock OpenStack provider in a simulated region: apply, what exists, an empty second plan, one more
machine, destroy, nothing left. tools/clients compiles both programs, which takes a quarter of an hour unless the cache has them."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import openstack
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
from dev import REGION, ROOT, Dev  # noqa: E402
from waiting import soon  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
EXAMPLE = pathlib.Path(ROOT, "examples/three-tier")
PASSWORD = "0123456789abcdefABCDEF0123"


class Place:
    """A project, and a shell of its user with OpenTofu."""

    def __init__(self, dev, room, programs):
        self.dev, self.room = dev, room
        project = cloud.own(dev)
        self.cloud = openstack.connect(auth_url=f"{dev.url}/identity/v3", username=project.user, password=project.password, project_name=project.name,
                                       user_domain_name="Default", project_domain_name="Default", region_name=REGION)
        shutil.copytree(EXAMPLE, room / "three-tier")
        self.folder = room / "three-tier/terraform"
        (room / "tofu.rc").write_text(f'provider_installation {{\n  dev_overrides {{\n    "terraform-provider-openstack/openstack" = "{programs}/bin"\n  }}\n}}\n')
        self.tofu = f"{programs}/bin/tofu"
        self.env = {"PATH": "/usr/bin:/bin", "HOME": str(room), "TF_CLI_CONFIG_FILE": str(room / "tofu.rc"), "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1",
                    "OS_AUTH_URL": f"{dev.url}/identity/v3", "OS_REGION_NAME": REGION, "OS_USERNAME": project.user, "OS_PASSWORD": project.password,
                    "OS_PROJECT_NAME": project.name, "OS_USER_DOMAIN_NAME": "Default", "OS_PROJECT_DOMAIN_NAME": "Default"}
        self.said = {}

    def run(self, command, *words, machines=2, status=0):
        told = [f"-var={n}={v}" for n, v in {"external_network": self.said["network"], "image": self.said["image"], "flavor": self.said["flavor"],
                                             "password": PASSWORD, "machines": machines}.items()]
        done = subprocess.run([self.tofu, f"-chdir={self.folder}", command, "-no-color", "-input=false", *words, *told], env=self.env, capture_output=True,
                              text=True, check=False)
        assert done.returncode == status, done.stdout[-4000:] + done.stderr[-4000:]
        return done.stdout


@pytest.fixture(scope="module", name="place")
def make_place(tmp_path_factory):
    tools = os.path.join(ROOT, "tools/clients")
    subprocess.run([tools, "install", "opentofu"], check=True)
    programs = subprocess.run([tools, "where", "opentofu"], check=True, capture_output=True, text=True).stdout.strip()
    with Dev() as dev:
        yield Place(dev, tmp_path_factory.mktemp("terraform"), programs)


def counts(found):
    return {"networks": len(list(found.network.networks(is_router_external=False))), "ports": len(list(found.network.ports())), "servers": len(list(found.compute.servers())),
            "volumes": len(list(found.block_storage.volumes())), "balancers": len(list(found.load_balancer.load_balancers())),
            "groups": len(list(found.network.security_groups())), "addresses": len(list(found.network.ips()))}


def test_from_apply_to_destroy(place):
    found = place.cloud
    external, = (n.name for n in found.network.networks(is_router_external=True))
    place.said = {"network": external, "image": next(found.image.images()).name, "flavor": "t3.micro"}
    before = counts(found)
    said = place.run("apply", "-auto-approve")
    url = re.search(r'url = "http://([0-9.]+)/"', said)[1]
    assert [a.floating_ip_address for a in found.network.ips()] == [url]
    assert soon(lambda: {s.status for s in found.compute.servers(details=True)} == {"ACTIVE"})
    servers = {s.name: s for s in found.compute.servers(details=True)}
    assert set(servers) == {"database", "app-0", "app-1"} and servers["database"].metadata == {"backup": "nightly"}
    address = next(iter(servers["database"].addresses.values()))[0]["addr"]
    balancer, = found.load_balancer.load_balancers()
    pool, = found.load_balancer.pools()
    assert soon(lambda: found.load_balancer.get_load_balancer(balancer.id).provisioning_status == "ACTIVE")
    assert {(m.address, m.protocol_port) for m in found.load_balancer.members(pool)} == {(next(iter(servers[n].addresses.values()))[0]["addr"], 8080) for n in ("app-0", "app-1")}
    monitor, = found.load_balancer.health_monitors()
    assert (monitor.type, monitor.url_path) == ("HTTP", "/health")
    opened = {g.name: [(r["port_range_min"], r["remote_ip_prefix"] or r["remote_group_id"]) for r in g.security_group_rules if r["direction"] == "ingress" and r["port_range_min"]]
              for g in found.network.security_groups()}
    app = next(g.id for g in found.network.security_groups() if g.name == "guestbook-app")
    assert opened["guestbook-app"] == [(8080, f"{balancer.vip_address}/32")] and opened["guestbook-database"] == [(5432, app)]
    volume, = (v for v in found.block_storage.volumes(details=True) if v.name == "database")
    assert volume.size == 20 and [a["server_id"] for a in volume.attachments] == [servers["database"].id]
    with open(place.folder / "terraform.tfstate", encoding="utf-8") as state:
        assert address == next(r for r in json.load(state)["resources"] if (r["type"], r["name"]) == ("openstack_networking_port_v2", "database"))["instances"][0]["attributes"]["all_fixed_ips"][0]
    place.run("plan", "-detailed-exitcode")  # 0: empty
    place.run("apply", "-auto-approve", machines=3)
    assert len(list(found.load_balancer.members(pool))) == 3
    place.run("destroy", "-auto-approve", machines=3)
    place.dev.rest()
    assert counts(found) == before


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider", *sys.argv[1:]]))

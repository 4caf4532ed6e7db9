#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: always
# subjects: src/api/cloudstack src/engine/resolve src/auth/guard
"""Two accounts: each parameter of CloudStack's commands that takes an id, called with one of another account's, from the face's
tables. The answer is what an id that there is not gets, but for the id, and nothing has changed."""
import json
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
from cloudstack import call, dump, wait  # noqa: E402
from dev import Dev  # noqa: E402

ACTIONS = {a["name"]: a for a in dump()["actions"]}
ABSENT = "b8dc7e2f-0000-4000-8000-000000000000"
# Rows that belong to nobody, and are seen by all or by administrators alone.
NOBODYS = {"zone": "listZones zone", "instance_type": "listServiceOfferings serviceoffering", "volume_type": "listDiskOfferings diskoffering",
           "role": "listRoles role", "domain": None, "host": None, "external_network": None}
# What createTags calls the kinds.
TAGGED = {"instance": "UserVm", "image": "Template", "volume": "Volume", "snapshot": "Snapshot", "instance_snapshot": "VMSnapshot", "snapshot_policy": "SnapshotPolicy", "network": "Network",
          "security_group": "SecurityGroup", "address": "PublicIpAddress", "router": "Vpc"}
VALUES = {"integer": "1", "boolean": "true", "ip": "10.0.0.1", "cidr": "10.0.0.0/24", "mac": "02:00:00:00:00:01"}


def needs_id(action):
    return any(p["required"] and p.get("kind") for p in action["params"])


def params():
    """Those that take an id of an account's row, of commands that are for every account."""
    for name, action in sorted(ACTIONS.items()):
        for p in action["params"]:
            if p.get("kind") and p["built"] and not p["by_name"] and p["kind"] not in NOBODYS and not action["admin"] and not action["open"]:
                yield pytest.param(name, p, id=f"{name}-{p['name']}")


class Account:
    """Somebody who has one of each kind."""

    def __init__(self, dev, name):
        project = cloud.another(dev, name)
        cloud.furnish(dev, project)
        self.dev, self.who = dev, {"_key": project.root.key_id, "_secret": project.root.secret}
        self.ids = cloud.ids_of(project)
        forwarded = {"ipaddressid": self.whole(self.ids["address"]), "virtualmachineid": self.whole(self.ids["instance"])}
        made = call(dev, "createPortForwardingRule", protocol="tcp", publicport="80", privateport="80", **forwarded, **self.who)[1]
        self.ids["port_forwarding"] = made["id"]
        call(dev, "createSSHKeyPair", name=name, **self.who)
        tagged = call(dev, "createTags", resourceids=self.ids["volume"], resourcetype="Volume", **{"tags[0].key": "a", "tags[0].value": "b"}, **self.who)[1]
        machine = self.first("listVirtualMachines virtualmachine")
        nic = self.call("listNics", virtualmachineid=machine)[1]["nic"][0]["id"]
        more = self.made("addIpToNic", nicid=nic)
        outside = project.ok("GET", "/network/v2.0/networks?router:external=true")["networks"][0]["id"]
        shared = project.ok("POST", "/network/v2.0/floatingips", {"floatingip": {"floating_network_id": outside}})["floatingip"]["id"]
        forwarding = self.made("createPortForwardingRule", ipaddressid=shared, protocol="tcp", publicport="80", privateport="80", virtualmachineid=machine)
        balancer = self.made("createLoadBalancerRule", name="balancer", publicipid=shared, algorithm="roundrobin", publicport="81", privateport="80")
        isolated = self.call("listNetworkOfferings", availability="Required")[1]["networkoffering"][0]["id"]
        walled = self.call("createNetwork", name="walled", networkofferingid=isolated, zoneid=self.first("listZones zone"))[1]["network"]["id"]
        rule = self.made("createFirewallRule", ipaddressid=self.made("associateIpAddress", networkid=walled), protocol="tcp")
        vpc = self.made("createVPC", name="vpc", displaytext="x", cidr="10.61.0.0/16", zoneid=self.first("listZones zone"),
                        vpcofferingid=self.first("listVPCOfferings vpcoffering"))
        acl = self.made("createNetworkACLList", name="acl", vpcid=vpc)
        entry = self.made("createNetworkACL", aclid=acl, protocol="tcp", startport="80", endport="80")
        machine_snapshot = self.made("createVMSnapshot", virtualmachineid=machine)
        policy = self.call("createSnapshotPolicy", volumeid=self.whole(self.ids["volume"]), intervaltype="WEEKLY", schedule="0:0:1", timezone="UTC",
                           maxsnaps="1")[1]["snapshotpolicy"]["id"]
        data = call(dev, "registerUserData", name=name, userdata="eA==", **self.who)[1]["userdata"]["id"]
        dev.rest()
        self.ids.update(user_data=data, instance_snapshot=machine_snapshot, snapshot_policy=policy, secondary_ip=more, port_forwarding=forwarding, load_balancer=balancer, firewall_rule=rule, network_acl=acl, network_acl_entry=entry,
                        async_job=tagged["jobid"], user=self.first("listUsers user"), account=self.first("listAccounts account"),
                        key_pair=self.first("listSSHKeyPairs sshkeypair"))
        self.ids = {kind: self.whole(i) for kind, i in self.ids.items()}
        self.nobodys = {kind: self.first(where) for kind, where in NOBODYS.items() if where}

    def made(self, command, **given):
        """The id of what an asynchronous command makes."""
        (made,) = wait(self.dev, self.call(command, **given)[1], **self.who)[1].values()
        return made["id"]

    def first(self, where):
        command, item = where.split()
        return self.call(command)[1][item][0]["id"]

    @staticmethod
    def whole(identifier):
        digits = identifier.replace("-", "")
        return "-".join([digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]])

    def call(self, command, **given):
        return call(self.dev, command, **given, **self.who)

    def lists(self):
        return [self.call(name, **self.good(a))[1] for name, a in ACTIONS.items() if name.startswith("list") and not a["admin"]]

    def good(self, action):
        """What is right for all that the command requires."""
        given = {}
        for p in action["params"]:
            if not p["required"] or ".N." in p["name"]:
                continue
            if p["type"] == "list of objects":
                given.update({f"{p['name']}[0].key": "x", f"{p['name']}[0].value": "x"})
            else:
                own = self.ids.get(p.get("kind")) or self.nobodys.get(p.get("kind")) or ABSENT
                given[p["name"]] = own if p.get("kind") else (p.get("words") or VALUES.get(p["type"], "x")).split("|")[0]
        return given


@pytest.fixture(scope="module")
def accounts():
    with Dev() as dev:
        yield Account(dev, "cloudstack-mine"), Account(dev, "cloudstack-theirs")


@pytest.fixture(autouse=True)
def nothing_changes(request, accounts):
    """Nothing is committed, but for the audit log's records; then what the other account's lists show stays."""
    dev, theirs = accounts[0].dev, accounts[1]
    recorded = ACTIONS[request.node.callspec.params.get("name", "listTags")]["recorded"] != "never"
    dev.rest()
    before = theirs.lists() if recorded else dev.commits()
    yield
    assert (theirs.lists() if recorded else dev.commits()) == before


def check_alike(mine, theirs, command, given, parameter):
    """The other's and one that there is not are answered in the same words: with a refusal, or with an empty list."""
    answers = [mine.call(command, **{**given, parameter: value}) for value in (theirs, ABSENT)]
    assert [a[0] for a in answers] in ([431, 431], [200, 200]), answers
    texts = [json.dumps(a[1]).replace(theirs, ABSENT) for a in answers]
    assert texts[0] == texts[1] and answers[0][1].get("count") is None, answers
    assert answers[0][0] == 431 or not ACTIONS[command]["writes"], answers


@pytest.mark.parametrize("name, parameter", params())
def test_what_is_anothers(accounts, name, parameter):
    mine, theirs = accounts
    assert parameter["kind"] in theirs.ids, "the account has none: furnish() in tests/lib/cloud.py makes what there may be"
    check_alike(mine, theirs.ids[parameter["kind"]], name, mine.good(ACTIONS[name]), parameter["name"].replace(".N.", "[0]."))


@pytest.mark.parametrize("kind", sorted(TAGGED))
def test_tags_of_anothers(accounts, kind):
    mine, theirs = accounts
    tag = {"resourcetype": TAGGED[kind], "tags[0].key": "x", "tags[0].value": "y"}
    for command in ["createTags", "deleteTags"]:
        check_alike(mine, theirs.ids[kind], command, tag, "resourceids")
    for command in ["listTags", "listResourceDetails"]:
        check_alike(mine, theirs.ids[kind], command, {"resourcetype": TAGGED[kind]}, "resourceid")


@pytest.mark.parametrize("name", sorted(n for n, a in ACTIONS.items() if n.startswith("list") and not a["admin"] and not needs_id(a) and n != "listResourceDetails"))
def test_lists_show_nothing_of_anothers(accounts, name):
    mine, theirs = accounts
    for wide in [{}, {"listall": "true", "isrecursive": "true"}]:
        status, answer, _ = mine.call(name, **mine.good(ACTIONS[name]), **wide)
        assert status == 200, answer
        text = json.dumps(answer)
        assert not [kind for kind, identifier in theirs.ids.items() if identifier in text]


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))

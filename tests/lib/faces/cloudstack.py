# SPDX-License-Identifier: Apache-2.0
"""CloudStack's adapter for the matrices of tests/contract/cross/: an account with one resource of each kind, signed commands, jobs."""
import contextlib
import json
import os
import re

import cloud
import doors
from cloudstack import admin_key, call, dump, let_users_expunge, wait
from dev import Dev, Still

from . import face

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
ABSENT = "b8dc7e2f-0000-4000-8000-000000000000"
# Rows without an owner, visible to everyone or only to administrators.
NOBODYS = {"zone": "listZones zone", "instance_type": "listServiceOfferings serviceoffering", "volume_type": "listDiskOfferings diskoffering",
           "role": "listRoles role", "domain": None, "host": None, "external_network": None}
# createTags' names of the kinds.
TAGGED = {"instance": "UserVm", "image": "Template", "volume": "Volume", "snapshot": "Snapshot", "instance_snapshot": "VMSnapshot", "snapshot_policy": "SnapshotPolicy", "network": "Network",
          "security_group": "SecurityGroup", "address": "PublicIpAddress", "router": "Vpc"}
VALUES = {"integer": "1", "boolean": "true", "ip": "10.0.0.1", "cidr": "10.0.0.0/24", "mac": "02:00:00:00:00:01"}


def needs_id(action):
    return any(p["required"] and p.get("kind") for p in action["params"])


class Account:
    """An account with one resource of each kind."""

    def __init__(self, dev, project):
        name = project.name
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
        self.finish("assignToLoadBalancerRule", id=balancer, virtualmachineids=machine)
        isolated = self.call("listNetworkOfferings", availability="Required")[1]["networkoffering"][0]["id"]
        walled = self.call("createNetwork", name="walled", networkofferingid=isolated, zoneid=self.first("listZones zone"))[1]["network"]["id"]
        rule = self.made("createFirewallRule", ipaddressid=self.made("associateIpAddress", networkid=walled), protocol="tcp")
        self.scale(walled)
        vpc = self.made("createVPC", name="vpc", displaytext="x", cidr="10.61.0.0/16", zoneid=self.first("listZones zone"),
                        vpcofferingid=self.first("listVPCOfferings vpcoffering"))
        acl = self.made("createNetworkACLList", name="acl", vpcid=vpc)
        entry = self.made("createNetworkACL", aclid=acl, protocol="tcp", startport="80", endport="80")
        machine_snapshot = self.made("createVMSnapshot", virtualmachineid=machine)
        policy = self.call("createSnapshotPolicy", volumeid=self.whole(self.ids["volume"]), intervaltype="WEEKLY", schedule="0:0:1", timezone="UTC",
                           maxsnaps="1")[1]["snapshotpolicy"]["id"]
        data = call(dev, "registerUserData", name=name, userdata="eA==", **self.who)[1]["userdata"]["id"]
        note = self.call("addAnnotation", annotation=name, entitytype="USER_DATA", entityid=data)[1]["annotation"]["id"]
        dev.rest()
        self.ids.update(user_data=data, annotation=note, instance_snapshot=machine_snapshot, snapshot_policy=policy, secondary_ip=more, router=vpc, port_forwarding=forwarding, load_balancer=balancer, firewall_rule=rule, network_acl=acl, network_acl_entry=entry,
                        async_job=tagged["jobid"], user=self.first("listUsers user"), account=self.first("listAccounts account"),
                        key_pair=self.first("listSSHKeyPairs sshkeypair"))
        self.ids = {kind: self.whole(i) for kind, i in self.ids.items()}
        self.names = {"key_pair": name, "server_group": "group", "user": name}
        machine_of = {"serviceofferingid": self.first("listServiceOfferings serviceoffering"), "zoneid": self.first("listZones zone")}
        self.still = self.made("deployVirtualMachine", templateid=self.whole(self.ids["image"]), startvm="false", **machine_of)
        tier = {"networkofferingid": self.tier_offering(), "vpcid": vpc, "zoneid": machine_of["zoneid"], "gateway": "10.61.1.1", "netmask": "255.255.255.0"}
        self.tier = self.call("createNetwork", name="tier", **tier)[1]["network"]["id"]
        self.ids["project_role"] = self.role_of_a_project(name)
        self.ids["route"] = self.whole(self.made("createStaticRoute", vpcid=vpc, cidr="172.30.0.0/16", nexthop="10.61.1.9"))
        site = {"ipsecpsk": "a.key", "ikepolicy": "aes128-sha256;modp2048", "esppolicy": "aes128-sha256"}
        gateway = self.made("createVpnGateway", vpcid=vpc)
        customer, self.site = (self.made("createVpnCustomerGateway", name=n, gateway="192.0.2.40", cidrlist=blocks, **site)
                               for n, blocks in (("site", "10.99.0.0/24"), ("other site", "10.98.0.0/24")))
        connection = self.made("createVpnConnection", s2svpngatewayid=gateway, s2scustomergatewayid=customer, passive="true")
        self.ids.update(vpn_gateway=gateway, customer_gateway=customer, vpn_connection=connection)
        self.offerings = {"isolated": isolated, "tier": tier["networkofferingid"], "os": self.first("listOsTypes ostype")}
        self.nobodys = {kind: self.first(where) for kind, where in NOBODYS.items() if where}

    def role_of_a_project(self, name):
        """A role of a project that the account manages."""
        who = admin_key(self.dev)
        domain = call(self.dev, "listDomains", level="0", **who)[1]["domain"][0]["id"]
        project = wait(self.dev, call(self.dev, "createProject", name=f"project of {name}", account=name, domainid=domain, **who)[1], **who)[1]["project"]["id"]
        return call(self.dev, "createProjectRole", projectid=project, name="role", **who)[1]["projectrole"]["id"]

    def scale(self, network):
        """A disabled AutoScale group, with its profile, policies and conditions."""
        counter = self.first("listCounters counter")
        conditions = [self.made("createCondition", counterid=counter, relationaloperator=o, threshold="50") for o in ("GT", "LT")]
        policies = [self.made("createAutoScalePolicy", action=a, duration="60", conditionids=c) for a, c in zip(("ScaleUp", "ScaleDown"), conditions)]
        profile = self.made("createAutoScaleVmProfile", zoneid=self.first("listZones zone"), templateid=self.whole(self.ids["image"]),
                            serviceofferingid=self.first("listServiceOfferings serviceoffering"))
        rules = [self.made("createLoadBalancerRule", name=name, publicipid=self.made("associateIpAddress", networkid=network), networkid=network,
                           algorithm="roundrobin", publicport="80", privateport="80") for name in ("scaled", "unscaled")]
        group = self.made("createAutoScaleVmGroup", lbruleid=rules[0], vmprofileid=profile, minmembers="1", maxmembers="2", scaleuppolicyids=policies[0],
                          scaledownpolicyids=policies[1])
        self.finish("disableAutoScaleVmGroup", id=group)
        self.unscaled, self.lowers = rules[1], policies[1]
        self.ids.update(autoscale_condition=conditions[0], autoscale_policy=policies[0], autoscale_profile=profile, scaling_group=group)

    def made(self, command, **given):
        """Id of the resource that an asynchronous command creates."""
        (made,) = self.finish(command, **given)[1].values()
        return made["id"]

    def finish(self, command, **given):
        """Result of an asynchronous command."""
        return wait(self.dev, self.call(command, **given)[1], **self.who)

    def first(self, where):
        command, item = where.split()
        return self.call(command)[1][item][0]["id"]

    def tier_offering(self):
        return self.call("listNetworkOfferings", forvpc="true")[1]["networkoffering"][0]["id"]

    @staticmethod
    def whole(identifier):
        digits = identifier.replace("-", "")
        return "-".join([digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]])

    def call(self, command, **given):
        return call(self.dev, command, **given, **self.who)

    def lists(self, actions):
        return [self.call(name, **self.good(a))[1] for name, a in actions.items() if name.startswith("list")]

    def good(self, action):
        """Valid values of all parameters that the command requires."""
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

def never_there():
    """Lists of resources that never exist in Dari's regions."""
    with open(os.path.join(ROOT, "src/api/cloudstack/region/empty_lists.def"), encoding="utf-8") as rows:
        return set(re.findall(r"\blist[A-Z]\w*", rows.read()))


class CloudStack(face.Face):
    name = "cloudstack"

    def __init__(self):
        self.actions = {a["name"]: a for a in dump()["actions"] if not a["admin"] and not a["open"]}
        named_by = [(name, p["name"]) for name, a in sorted(self.actions.items()) for p in a["params"]
                    if p.get("kind") and p["built"] and p["kind"] not in REGIONS and (a["writes"] or a["decided_on"]) and (name, p["name"]) not in NOT_ASKED]
        self.others = [(name, p["name"]) for name, a in sorted(self.actions.items()) for p in a["params"]
                       if p.get("kind") and p["built"] and not p["by_name"] and p["kind"] not in NOBODYS and (name, p["name"]) not in ANYBODYS]
        self.others += [(name, kind) for kind in sorted(TAGGED) for name in ("createTags", "deleteTags", "listTags", "listResourceDetails")]
        self.filters = sorted(n for n, a in self.actions.items() if n.startswith("list") and not needs_id(a) and n != "listResourceDetails")
        self.doors = [c for c in named_by if not ENDS.match(c[0])] + [c for c in named_by if ENDS.match(c[0])]

    @contextlib.contextmanager
    def open(self):
        with Dev() as dev:
            project = cloud.another(dev, "matrix")
            cloud.furnish(dev, project)
            let_users_expunge(dev)
            made = Account(dev, project)
            made.number = project.root.client("sts").get_caller_identity()["Account"]
            made.guest = face.Guest(project.root, "guest")
            yield made

    @contextlib.contextmanager
    def open_two(self):
        with Dev() as dev:
            accounts = []
            for name in ("cloudstack-mine", "cloudstack-theirs"):
                project = cloud.another(dev, name)
                cloud.furnish(dev, project)
                accounts.append(Account(dev, project))
            made = face.Two(*accounts)
            dev.rest()
            made.unchanged = Still(dev, lambda: made.theirs.lists(self.actions))
            yield made
            dev.rest()
            made.unchanged.ends()

    def compare(self, place, name, wanted):
        """The parameter, or the kind given by resourcetype."""
        if wanted in TAGGED:
            tag = {"tags[0].key": "x", "tags[0].value": "y"} if self.actions[name]["writes"] else {}
            yield self.pair(place, name, {"resourcetype": TAGGED[wanted], **tag}, "resourceids" if tag else "resourceid", wanted)
            return
        param = next(p for p in self.actions[name]["params"] if p["name"] == wanted)
        yield self.pair(place, name, place.mine.good(self.actions[name]), wanted.replace(".N.", "[0]."), param["kind"])

    def pair(self, place, name, given, parameter, kind):
        """The other account's resource and a missing one must get the same answer: a refusal, or an empty list."""
        assert kind in place.theirs.ids, "the account has none: furnish() in tests/lib/cloud.py makes what there may be"
        theirs = place.theirs.ids[kind]
        answers = [place.mine.call(name, **{**given, parameter: value}) for value in (theirs, ABSENT)]
        assert [a[0] for a in answers] in ([431, 431], [200, 200]), answers
        assert answers[0][1].get("count") is None and (answers[0][0] == 431 or not self.actions[name]["writes"]), answers
        return kind, *(json.dumps(a[1]).replace(theirs, ABSENT) for a in answers)

    def filtered(self, place, name):
        """Yields (scope of the query, rows of the other account found)."""
        for wide in [{}, {"listall": "true", "isrecursive": "true"}]:
            status, answer, _ = place.mine.call(name, **place.mine.good(self.actions[name]), **wide)
            assert status == 200, answer
            text = json.dumps(answer)
            yield str(wide), [kind for kind, identifier in place.theirs.ids.items() if identifier in text]

    # Filters with CloudStack's own comparison: offerings by minimum values, disks by the offering of their machine, networks by each of their zones;
    # snapshots without a schedule show an interval that listSnapshots does not accept.
    unfit = {"listServiceOfferings": {"cpunumber", "memory"}, "listVolumes": {"diskofferingid"}, "listVolumesMetrics": {"diskofferingid"}, "listNetworks": {"zoneid"}, "listSnapshots": {"intervaltype"}}
    # After the first three: lists of objects that are not rows, for which the tables name no item.
    empty = {"listEgressFirewallRules", "listIsos", "listProjects"} | {
        f"list{name}" for name in ("AffinityGroupTypes", "Apis", "Capabilities", "Counters", "EventTypes", "Events", "Hypervisors", "NetworkOfferings", "OsCategories",
                                   "OsTypes", "Regions", "ResourceLimits", "RolePermissions", "Tags", "VPCOfferings")} | never_there()

    def rows(self, place, name):
        return self.listed(place, name, {})

    def find(self, place, name, member, value):
        if not any(p["name"] == member and p["built"] for p in self.actions[name]["params"]) or member in OF_PAGES:
            return None
        return self.listed(place, name, {member: value})

    def listed(self, place, name, given):
        action = self.actions[name]
        wide = {"listall": "true"} if any(p["name"] == "listall" for p in action["params"]) else {}
        status, answer, _ = place.call(name, **{**place.good(action), **wide, **given})
        if status == 431 and "no-such-value" in given.values():
            return None
        assert status == 200, f"{given}: {answer}"
        rows = answer.get(action["item"] or "", [])
        return rows if isinstance(rows, list) else []

    def ask(self, caller, name, request):
        """The answer, or the result of its job."""
        who = {"_key": caller.key_id, "_secret": caller.secret}
        status, answer, _ = call(caller.dev, name, **request, **who)
        if status == 200 and "jobid" in answer and name != "queryAsyncJobResult":
            status, answer = wait(caller.dev, answer, **who)
        return status, answer

    def is_refused(self, answer):
        return answer[1].get("errorcode") in (401, 531)

    def refuses_anyway(self, name, _answer):
        return name in REFUSED_ANYWAY

    def alone(self, place, name):
        return {**place.good(self.actions[name]), **GIVEN[name](place)} if name in GIVEN else place.good(self.actions[name])

    def asked(self, place, name, wanted):
        param = next(p for p in self.actions[name]["params"] if p["name"] == wanted)
        kind = param["kind"]
        request, place_of = self.alone(place, name), wanted.replace(".N.", "[0].")
        own = place.still if kind == "instance" and name in STILL else place.ids[kind]
        request = {**request, **WITH.get((name, wanted), {}), place_of: place.names.get(kind, own) if param["by_name"] else own}
        yield wanted, {k: v for k, v in request.items() if v is not None}, self.row(place, kind, own)

    def row(self, place, kind, own):
        if kind != "scaling_group":
            return face.row(place.number, kind, own, place.names.get(kind))
        start = f"arn:aws:autoscaling:us-east-1:{place.number}:autoScalingGroup:"
        return doors.Row(kind, f"{start}{own}:autoScalingGroupName/*", f"{start}{ABSENT}:autoScalingGroupName/*")


# Parameters that may name any account of the domain: only that it exists is learnt, as in CloudStack and Neutron.
ANYBODYS = {("createNetworkPermissions", "accountids"), ("removeNetworkPermissions", "accountids")}
OF_PAGES = {"page", "pagesize", "listall", "keyword", "account", "domainid", "projectid"}
ENDS = re.compile("delete|destroy|expunge|disassociate|remove")
REGIONS = {"zone", "instance_type", "volume_type", "role", "domain", "host", "external_network", "account"}
NOT_ASKED = {  # parameters that name a row about which policies are not asked
    ("assignVirtualMachine", "networkids"): "are the new account's", ("assignVirtualMachine", "securitygroupids"): "are the new account's",
    ("enableStaticNat", "networkid"): "is only compared with the machine's own"}


def members(place):
    return {"virtualmachineids": place.ids["instance"]}


def of_still(place):
    return {"id": place.still, "keypair": place.names["key_pair"]}


def of_site(_):
    return {"gateway": "192.0.2.40", "cidrlist": "10.97.0.0/24", "ikepolicy": "aes128-sha256;modp2048", "esppolicy": "aes128-sha256"}


def scaled_group(place):
    return {"lbruleid": place.unscaled, "maxmembers": "2", "scaleuppolicyids": place.ids["autoscale_policy"], "scaledownpolicyids": place.lowers}


STILL = {"resetSSHKeyForVirtualMachine", "updateVMAffinityGroup"}  # commands that need a stopped machine
GIVEN = {  # values that cannot be derived from the tables
    "assignToLoadBalancerRule": members, "removeFromLoadBalancerRule": members,
    "authorizeSecurityGroupIngress": lambda _: {"cidrlist": "192.0.2.0/24"}, "authorizeSecurityGroupEgress": lambda _: {"cidrlist": "192.0.2.0/24"},
    "copyIso": lambda place: {"destzoneid": place.nobodys["zone"]}, "copyTemplate": lambda place: {"destzoneid": place.nobodys["zone"]},
    "createAutoScalePolicy": lambda place: {"action": "ScaleUp", "duration": "60", "conditionids": place.ids["autoscale_condition"]},
    "createAutoScaleVmGroup": scaled_group, "updateCondition": lambda _: {"relationaloperator": "GT", "threshold": "1"},
    "createNetwork": lambda place: {"networkofferingid": place.offerings["tier"], "vpcid": place.ids["router"], "gateway": "10.61.7.1", "netmask": "255.255.255.0"},
    "createPortForwardingRule": lambda _: {"protocol": "tcp", "publicport": "8080"},
    "createSnapshotPolicy": lambda _: {"intervaltype": "DAILY", "schedule": "0:0", "timezone": "UTC"},
    "createTemplate": lambda place: {"ostypeid": place.offerings["os"]},
    "linkUserDataToTemplate": lambda place: {"templateid": place.ids["image"], "userdataid": place.ids["user_data"]},
    "replaceNetworkACLList": lambda place: {"networkid": place.tier},
    "resetSSHKeyForVirtualMachine": of_still, "resizeVolume": lambda _: {"size": "9"},
    "createVpnConnection": lambda place: {"s2scustomergatewayid": place.site}, "createVpnCustomerGateway": of_site, "updateVpnCustomerGateway": of_site,
    "updateVMAffinityGroup": lambda place: {"id": place.still}}
# Other parameters required by one parameter; None: parameters that must be absent.
WITH = {("detachVolume", "virtualmachineid"): {"deviceid": "0"}, ("linkUserDataToTemplate", "isoid"): {"templateid": None}}
REFUSED_ANYWAY = {  # refused without a role, whatever policies allow
    "createConsoleEndpoint": "for those whose role lets them change the instance", "registerUserKeys": "the user's own, and an administrator's",
    "getUserKeys": "the user's own, and an administrator's", "getCloudIdentifier": "the user's own, and an administrator's"}

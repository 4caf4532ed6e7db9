# SPDX-License-Identifier: Apache-2.0
"""CloudStack: creates each resource with every parameter of its command. The answer of the command or of its job and the list must agree, and contain
the sent values. Then changes every parameter that can be changed, and checks the list."""
import contextlib
import re

import cloudstack as lib
from cloudstack import admin_key, call
from dev import Dev

ACTIONS = {a["name"]: a for a in lib.dump()["actions"]}
HIDDEN = object()  # a parameter that no answer shows
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGWrnDmbTVbdaWdQ0S1XZkn2QJ6rIxdGAXBWVkEeLvZG"
FOR_WHOM = {"account", "domainid", "projectid"}  # covered by cross/bad_parameters.py, cloudstack/administration.py
TAGS = {"tags[0].key": "colour", "tags[0].value": "red"}
RULE = {"protocol": "tcp", "startport": "80", "endport": "88", "cidrlist": "192.0.2.0/24"}
SITE = {"gateway": "192.0.2.40", "cidrlist": "10.99.0.0/24", "ipsecpsk": "a.key", "ikepolicy": "aes128-sha256;modp2048", "esppolicy": "aes128-sha256"}
ICMP = {"protocol": "icmp", "icmptype": "8", "icmpcode": "0", "cidrlist": "192.0.2.0/24"}


class R:
    """Row of one resource. command: creates it; given: parameters; at: command and item of its list, queried by `by` (default: its id); shown: listed
    form of parameters that differ, by name: HIDDEN, a function of the row, or a pair (other name, value); changes: (command, parameters), one
    request each; admin: sent by the region's administrator."""

    def __init__(self, command, given, at, shown=None, changes=(), changed=None, label=None, admin=False, by=None):
        self.command, self.given, self.at, self.shown, self.changes = command, given, at.split(), shown or {}, changes
        self.changed, self.label, self.admin, self.by = changed or {}, label, admin, by


def change(command, *parameters):
    return [(command, p) for p in parameters]


ROWS = [
    R("createAffinityGroup", {"name": "g", "type": "host anti-affinity", "description": "d"}, "listAffinityGroups affinitygroup", label="servers"),
    R("registerSSHKeyPair", {"name": "brought", "publickey": KEY}, "listSSHKeyPairs sshkeypair", {"publickey": HIDDEN}, by={"name": "brought"}),
    R("createSSHKeyPair", {"name": "drawn"}, "listSSHKeyPairs sshkeypair", by={"name": "drawn"}),
    R("registerUserData", {"name": "u", "userdata": "eA=="}, "listUserData userdata", label="data"),
    R("createSecurityGroup", {"name": "web", "description": "d"}, "listSecurityGroups securitygroup", label="group",
      changes=change("updateSecurityGroup", {"name": "w"})),
    *(R(f"authorizeSecurityGroup{way}", {"securitygroupid": "{group}", **what}, "listSecurityGroups securitygroup",
        {"securitygroupid": ("id", "{group}"), "usersecuritygrouplist[0].account": HIDDEN, "usersecuritygrouplist[0].group": lambda r: "'default'" in str(r),
         **{m: (lambda r, v=v, w=way: f"'{v}'" in str(r[w.lower() + "rule"]) or f": {v}," in str(r[w.lower() + "rule"])) for m, v in what.items() if "list[" not in m}})
      for way in ("Ingress", "Egress") for what in (RULE, ICMP, {"protocol": "udp", "startport": "1", "endport": "2", "usersecuritygrouplist[0].account": "{name}",
                                                              "usersecuritygrouplist[0].group": "default"})),
    R("createVPC", {"cidr": "10.61.0.0/16", "name": "v", "displaytext": "d", "vpcofferingid": "{vpc_offering}", "zoneid": "{zone}"}, "listVPCs vpc",
      changes=change("updateVPC", {"name": "w"}, {"displaytext": "e"}), label="vpc"),
    R("createNetworkACLList", {"name": "a", "vpcid": "{vpc}", "description": "d"}, "listNetworkACLLists networkacllist",
      changes=change("updateNetworkACLList", {"name": "b"}, {"description": "e"}), label="acl"),
    R("createNetworkACL", {"aclid": "{acl}", **RULE, "traffictype": "Egress", "action": "Deny", "number": "7", "reason": "r"}, "listNetworkACLs networkacl",
      {"number": ("number", 7)}, changes=change("updateNetworkACLItem", {"protocol": "udp"}, {"startport": "70"}, {"endport": "90"}, {"cidrlist": "198.51.100.0/24"},
                                                {"traffictype": "Ingress"}, {"action": "Allow"}, {"number": "8"}, {"reason": "s"}),
      changed={"number": ("number", 8)}),
    R("createNetworkACL", {"aclid": "{acl}", **ICMP}, "listNetworkACLs networkacl", {"icmptype": ("icmptype", 8), "icmpcode": ("icmpcode", 0)},
      changes=change("updateNetworkACLItem", {"protocol": "icmp", "icmptype": "3", "icmpcode": "4"}), changed={"icmptype": ("icmptype", 3), "icmpcode": ("icmpcode", 4)}),
    R("createNetwork", {"name": "t", "displaytext": "d", "networkofferingid": "{tier_offering}", "zoneid": "{zone}", "gateway": "10.61.1.1", "netmask": "255.255.255.0",
                        "vpcid": "{vpc}", "aclid": "{acl}"}, "listNetworks network", changes=change("updateNetwork", {"name": "u"}, {"displaytext": "e"}), label="tier"),
    R("createStaticRoute", {"vpcid": "{vpc}", "cidr": "172.30.0.0/16", "nexthop": "10.61.1.9"}, "listStaticRoutes staticroute"),
    R("createVpnGateway", {"vpcid": "{vpc}"}, "listVpnGateways vpngateway", label="vpn gateway"),
    R("createVpnCustomerGateway", {"name": "site", **SITE, "ikelifetime": "7200", "esplifetime": "1800", "dpd": "true", "forceencap": "true", "ikeversion": "ikev2"},
      "listVpnCustomerGateways vpncustomergateway",
      {"ikelifetime": ("ikelifetime", 7200), "esplifetime": ("esplifetime", 1800), "dpd": ("dpd", True), "forceencap": ("forceencap", True)}, label="site",
      changes=change("updateVpnCustomerGateway", *({**SITE, **one} for one in (
          {"name": "moved"}, {"gateway": "192.0.2.41"}, {"cidrlist": "10.98.0.0/24,10.97.0.0/24"}, {"ipsecpsk": "b.key"}, {"ikepolicy": "aes256-sha1;modp1536"},
          {"esppolicy": "aes256-sha512;modp3072"}, {"ikelifetime": "9000"}, {"esplifetime": "900"}, {"dpd": "false"}, {"forceencap": "false"}, {"ikeversion": "ikev1"}))),
      changed={"ikelifetime": ("ikelifetime", 9000), "esplifetime": ("esplifetime", 900), "dpd": ("dpd", False), "forceencap": ("forceencap", False)}),
    R("createVpnConnection", {"s2svpngatewayid": "{vpn gateway}", "s2scustomergatewayid": "{site}", "passive": "true"}, "listVpnConnections vpnconnection",
      {"passive": ("passive", True)}),
    R("createNetwork", {"name": "walled", "networkofferingid": "{isolated}", "zoneid": "{zone}"}, "listNetworks network", label="walled"),
    R("createNetwork", {"name": "wire", "displaytext": "d", "networkofferingid": "{l2}", "zoneid": "{zone}"}, "listNetworks network",
      changes=change("updateNetwork", {"name": "u"}, {"displaytext": "e"})),
    R("createNetwork", {"name": "lan", "networkofferingid": "{shared}", "zoneid": "{zone}", "gateway": "10.62.1.1", "netmask": "255.255.255.0", "startip": "10.62.1.9",
                        "endip": "10.62.1.19", "acltype": "account"}, "listNetworks network", {"startip": HIDDEN, "endip": HIDDEN, "acltype": ("acltype", "Account")}),
    R("createNetwork", {"name": "lan", "networkofferingid": "{shared}", "zoneid": "{zone}", "gateway": "10.62.1.1", "netmask": "255.255.255.0", "startip": "10.62.1.9",
                        "acltype": "domain", "domainid": "{domain}", "subdomainaccess": "false"}, "listNetworks network",
      {"startip": HIDDEN, "acltype": ("acltype", "Domain"), "subdomainaccess": ("subdomainaccess", False)}, admin=True),
    R("associateIpAddress", {"networkid": "{walled}"}, "listPublicIpAddresses publicipaddress", {"networkid": ("associatednetworkid", "{walled}")}, label="outside"),
    R("associateIpAddress", {"vpcid": "{vpc}"}, "listPublicIpAddresses publicipaddress", label="vpc_address"),
    R("associateIpAddress", {"zoneid": "{zone}", "ipaddress": "198.19.113.77"}, "listPublicIpAddresses publicipaddress", {"zoneid": HIDDEN}),
    R("createFirewallRule", {"ipaddressid": "{outside}", "protocol": "tcp", "startport": "80", "endport": "88", "cidrlist": "192.0.2.0/24"}, "listFirewallRules firewallrule",
      {"startport": ("startport", 80), "endport": ("endport", 88)}),
    R("createFirewallRule", {"ipaddressid": "{outside}", **ICMP}, "listFirewallRules firewallrule", {"icmptype": ("icmptype", 8), "icmpcode": ("icmpcode", 0)}),
    R("createEgressFirewallRule", {"networkid": "{walled}", "protocol": "tcp", "startport": "80", "endport": "88", "destcidrlist": "192.0.2.0/24"},
      "listEgressFirewallRules firewallrule", {"startport": ("startport", 80), "endport": ("endport", 88)}),
    R("createEgressFirewallRule", {"networkid": "{walled}", "protocol": "icmp", "icmptype": "8", "icmpcode": "0"}, "listEgressFirewallRules firewallrule",
      {"icmptype": ("icmptype", 8), "icmpcode": ("icmpcode", 0)}),
    R("createVolume", {"name": "v", "diskofferingid": "{disk}", "size": "3", "zoneid": "{zone}"}, "listVolumes volume", {"size": ("size", 3 << 30)},
      changes=change("updateVolume", {"name": "w"}), label="volume"),
    R("addAnnotation", {"annotation": "Ask first", "entitytype": "VOLUME", "entityid": "{volume}", "adminsonly": "false"}, "listAnnotations annotation",
      {"adminsonly": ("adminsonly", False)}),
    R("createSnapshot", {"volumeid": "{volume}", "name": "s", **TAGS, "asyncbackup": "false", "zoneids": "{zone}"}, "listSnapshots snapshot", {"asyncbackup": HIDDEN, "zoneids": HIDDEN}, label="snapshot"),
    R("createVolume", {"snapshotid": "{snapshot}", "name": "of s"}, "listVolumes volume"),
    R("createSnapshotPolicy", {"volumeid": "{volume}", "intervaltype": "WEEKLY", "schedule": "0:0:1", "timezone": "UTC", "maxsnaps": "2", "fordisplay": "true", "zoneids": "{zone}", **TAGS},
      "listSnapshotPolicies snapshotpolicy", {"intervaltype": ("intervaltype", 2), "maxsnaps": ("maxsnaps", 2), "fordisplay": ("fordisplay", True), "zoneids": lambda r: r["zone"][0]["id"] == "{zone}"}),
    R("createTemplate", {"name": "of s", "displaytext": "d", "ostypeid": "{os}", "snapshotid": "{snapshot}", "ispublic": "false", "isfeatured": "false", "passwordenabled": "false"}, "listTemplates template",
      {"snapshotid": HIDDEN, "ispublic": ("ispublic", False), "isfeatured": ("isfeatured", False), "passwordenabled": ("passwordenabled", False)}, by={"templatefilter": "self"},
      changes=change("updateTemplate", {"name": "to"}, {"displaytext": "e"}), label="template"),
    R("createTemplate", {"name": "of v", "displaytext": "d", "ostypeid": "{os}", "volumeid": "{volume}"}, "listTemplates template", {"volumeid": HIDDEN}, by={"templatefilter": "self"}),
    R("deployVirtualMachine", {
        "serviceofferingid": "{offering}", "templateid": "{image}", "zoneid": "{zone}", "name": "m", "displayname": "d", "networkids": "{tier}", "ipaddress": "10.61.1.33",
        "keypair": "brought", "userdata": "eA==", "affinitygroupids": "{servers}", "diskofferingid": "{disk}", "size": "4", "rootdisksize": "9", "startvm": "false", "hypervisor": "KVM"},
      "listVirtualMachines virtualmachine",
      {"networkids": lambda r: [n["networkid"] for n in r["nic"]] == ["{tier}"], "ipaddress": lambda r: r["nic"][0]["ipaddress"] == "10.61.1.33", "keypair": ("keypairs", "brought"),
       "userdata": HIDDEN, "affinitygroupids": lambda r: [g["id"] for g in r["affinitygroup"]] == ["{servers}"], "size": HIDDEN, "rootdisksize": HIDDEN,
       "startvm": ("state", "Stopped"), "diskofferingid": HIDDEN},
      changes=change("updateVirtualMachine", {"name": "n"}, {"displayname": "e"}, {"userdata": "eQ=="}, {"deleteprotection": "true"}, {"deleteprotection": "false"},
                     {"haenable": "false"}),
      changed={"userdata": HIDDEN, "deleteprotection": HIDDEN, "haenable": ("haenable", False)}, label="machine"),
    R("deployVirtualMachine", {
        "serviceofferingid": "{offering}", "templateid": "{image}", "zoneid": "{zone}", "iptonetworklist[0].networkid": "{tier}", "iptonetworklist[0].ip": "10.61.1.34",
        "keypairs": "brought", "userdataid": "{data}", "affinitygroupnames": "g"},
      "listVirtualMachines virtualmachine",
      {"iptonetworklist[0].networkid": HIDDEN, "iptonetworklist[0].ip": lambda r: r["nic"][0]["ipaddress"] == "10.61.1.34", "affinitygroupnames": lambda r: r["affinitygroup"][0]["name"] == "g",
       "userdataid": HIDDEN}, label="running"),
    R("createVMSnapshot", {"virtualmachineid": "{running}", "name": "s", "description": "d"}, "listVMSnapshot vmSnapshot", {"name": ("displayname", "s")}, by={"vmsnapshotid": "{made}"}),
    R("createPortForwardingRule", {"ipaddressid": "{vpc_address}", "protocol": "tcp", "publicport": "80", "publicendport": "81", "privateport": "8080", "privateendport": "8081",
                                   "virtualmachineid": "{running}", "networkid": "{tier}", "vmguestip": "10.61.1.34", "openfirewall": "false"},
      "listPortForwardingRules portforwardingrule", {"openfirewall": HIDDEN},
      changes=change("updatePortForwardingRule", {"privateport": "8090", "privateendport": "8091"}, {"virtualmachineid": "{running}", "vmguestip": "10.61.1.34"})),
    R("associateIpAddress", {"networkid": "{walled}"}, "listPublicIpAddresses publicipaddress", {"networkid": HIDDEN}, label="balanced"),
    R("createLoadBalancerRule", {"publicipid": "{balanced}", "name": "l", "publicport": "80", "privateport": "8080", "algorithm": "source", "protocol": "tcp", "description": "d",
                                 "networkid": "{walled}", "openfirewall": "false", "cidrlist": "192.0.2.0/24", "zoneid": "{zone}"}, "listLoadBalancerRules loadbalancerrule",
      {"openfirewall": HIDDEN, "zoneid": HIDDEN}, label="rule", changes=change("updateLoadBalancerRule", {"name": "m"}, {"description": "e"}, {"algorithm": "roundrobin"}, {"cidrlist": "198.51.100.0/24"})),
    R("createCondition", {"counterid": "{counter}", "relationaloperator": "GT", "threshold": "80"}, "listConditions condition", {"threshold": ("threshold", 80)}, label="condition",
      changes=change("updateCondition", {"relationaloperator": "GE", "threshold": "70"}), changed={"threshold": ("threshold", 70)}),
    R("createAutoScalePolicy", {"name": "lower", "action": "ScaleDown", "duration": "120", "quiettime": "60", "conditionids": "{condition}"}, "listAutoScalePolicies autoscalepolicy",
      {"duration": ("duration", 120), "quiettime": ("quiettime", 60), "conditionids": lambda r: len(r["conditions"]) == 1}, label="lowers"),
    R("createAutoScalePolicy", {"name": "raise", "action": "ScaleUp", "duration": "120", "quiettime": "60", "conditionids": "{condition}"}, "listAutoScalePolicies autoscalepolicy",
      {"duration": ("duration", 120), "quiettime": ("quiettime", 60), "conditionids": lambda r: len(r["conditions"]) == 1}, label="raises",
      changes=change("updateAutoScalePolicy", {"name": "r"}, {"duration": "180"}, {"quiettime": "0"}, {"conditionids": "{condition}"}),
      changed={"duration": ("duration", 180), "quiettime": ("quiettime", 0), "conditionids": lambda r: len(r["conditions"]) == 1}),
    R("createAutoScaleVmProfile", {"zoneid": "{zone}", "serviceofferingid": "{offering}", "templateid": "{image}", "userdataid": "{data}", "expungevmgraceperiod": "30",
                                   "otherdeployparams[0].name": "rootdisksize", "otherdeployparams[0].value": "9"}, "listAutoScaleVmProfiles autoscalevmprofile",
      {"expungevmgraceperiod": ("expungevmgraceperiod", 30), "userdataid": lambda r: r["userdata"] == "eA==", "otherdeployparams[0].name": HIDDEN, "otherdeployparams[0].value": lambda r: r["otherdeployparams"] == {"rootdisksize": "9"}},
      label="profile",
      changes=change("updateAutoScaleVmProfile", {"serviceofferingid": "{offering}"}, {"templateid": "{image}"}, {"userdata": "eQ=="}, {"userdataid": "{data}"}, {"expungevmgraceperiod": "60"},
                     {"otherdeployparams[0].name": "rootdisksize", "otherdeployparams[0].value": "8"}),
      changed={"expungevmgraceperiod": ("expungevmgraceperiod", 60), "userdataid": lambda r: r["userdata"] == "eA==", "otherdeployparams[0].name": HIDDEN,
               "otherdeployparams[0].value": lambda r: r["otherdeployparams"] == {"rootdisksize": "8"}}),
    R("createAutoScaleVmProfile", {"zoneid": "{zone}", "serviceofferingid": "{offering}", "templateid": "{image}", "userdata": "eg=="}, "listAutoScaleVmProfiles autoscalevmprofile"),
    R("createAutoScaleVmGroup", {"name": "group", "lbruleid": "{rule}", "vmprofileid": "{profile}", "minmembers": "1", "maxmembers": "2", "interval": "60", "scaleuppolicyids": "{raises}",
                                 "scaledownpolicyids": "{lowers}"}, "listAutoScaleVmGroups autoscalevmgroup",
      {"minmembers": ("minmembers", 1), "maxmembers": ("maxmembers", 2), "interval": ("interval", 60), "scaleuppolicyids": lambda r: len(r["scaleuppolicies"]) == 1,
       "scaledownpolicyids": lambda r: len(r["scaledownpolicies"]) == 1},
      changes=[("disableAutoScaleVmGroup", {}), *change("updateAutoScaleVmGroup", {"minmembers": "2"}, {"maxmembers": "3"}, {"interval": "90"}, {"scaleuppolicyids": "{raises}"},
                                                        {"scaledownpolicyids": "{lowers}"})],
      changed={"minmembers": ("minmembers", 2), "maxmembers": ("maxmembers", 3), "interval": ("interval", 90), "scaleuppolicyids": lambda r: len(r["scaleuppolicies"]) == 1,
               "scaledownpolicyids": lambda r: len(r["scaledownpolicies"]) == 1}),
    R("createServiceOffering", {"name": "o", "displaytext": "d", "cpunumber": "2", "cpuspeed": "1000", "memory": "256", "rootdisksize": "3", "offerha": "true", "storagetype": "shared", "zoneid": "{zone}",
                                "domainid": "{domain}"}, "listServiceOfferings serviceoffering",
      {"cpunumber": ("cpunumber", 2), "cpuspeed": ("cpuspeed", 1000), "memory": ("memory", 256), "rootdisksize": ("rootdisksize", 3), "offerha": ("offerha", True)},
      changes=change("updateServiceOffering", {"name": "p"}, {"displaytext": "e"}), admin=True),
    R("createDiskOffering", {"name": "o", "displaytext": "d", "disksize": "3", "encrypt": "false", "customized": "false", "storagetype": "local", "zoneid": "{zone}", "domainid": "{domain}"},
      "listDiskOfferings diskoffering", {"disksize": ("disksize", 3), "encrypt": ("encrypt", False), "customized": ("iscustomized", False)},
      changes=change("updateDiskOffering", {"name": "p"}, {"displaytext": "e"}), admin=True),
    R("createRole", {"name": "r", "description": "d", "type": "User"}, "listRoles role", changes=change("updateRole", {"name": "s"}, {"description": "e"}), admin=True),
    R("createDomain", {"name": "d", "parentdomainid": "{domain}"}, "listDomains domain", changes=change("updateDomain", {"name": "e"}), admin=True),
    R("createAccount", {"username": "u", "password": "x", "email": "a@b.test", "firstname": "f", "lastname": "l", "timezone": "UTC", "account": "made", "accounttype": "0"},
      "listAccounts account", {m: HIDDEN for m in ("username", "password", "email", "firstname", "lastname", "timezone")} | {"account": ("name", "made"), "accounttype": ("accounttype", 0)},
      changes=change("updateAccount", {"newname": "renamed"}), changed={"newname": ("name", "renamed")}, admin=True),
    R("createUser", {"username": "v", "password": "x", "email": "a@b.test", "firstname": "f", "lastname": "l", "timezone": "UTC", "account": "renamed"}, "listUsers user",
      {"password": HIDDEN, "timezone": HIDDEN}, admin=True,
      changes=change("updateUser", {"username": "w"}, {"email": "b@b.test"}, {"firstname": "g"}, {"lastname": "m"}, {"password": "y"}),
      changed={"password": HIDDEN}),
    R("createProject", {"name": "p", "displaytext": "d"}, "listProjects project", changes=change("updateProject", {"name": "q"}, {"displaytext": "e"}), admin=True, label="project"),
    R("createProjectRole", {"projectid": "{project}", "name": "r", "description": "d"}, "listProjectRoles projectrole", {"projectid": ("projectid", "{project}")},
      by={"projectid": "{project}"}, admin=True),
]
CREATES = re.compile("(create|register|deploy|associate|authorize|update)[A-Z]")
# Commands and parameters whose effect other tests check.
COMMANDS_ELSEWHERE = {
    "createConsoleEndpoint": "two_faces.py", "createTags": "two_faces.py", "registerTemplate": "cloudstack/uploads.py", "registerIso": "cloudstack/uploads.py",
    "registerUserKeys": "cloudstack/administration.py", "createNetworkOffering": "cloudstack/administration.py", "createVPCOffering": "cloudstack/administration.py", "updateVPCOffering": "cloudstack/administration.py", "updateNetworkOffering": "cloudstack/administration.py",
    "updateResourceLimit": "cloudstack/administration.py", "updateResourceCount": "cloudstack/administration.py", "updateConfiguration": "cloudstack/administration.py",
    "updateVMAffinityGroup": "cloudstack/machines.py", "updateDefaultNicForVirtualMachine": "cloudstack/machines.py", "updateTemplatePermissions": "cloudstack/machines.py",
    "updateIsoPermissions": "cloudstack/uploads.py", "updateIso": "cloudstack/uploads.py", "updateRolePermission": "cloudstack/administration.py",
    "createRolePermission": "cloudstack/administration.py", "updateIpAddress": "takes the id alone", "updateFirewallRule": "takes the id alone",
    "updateEgressFirewallRule": "takes the id alone", "updateHypervisorCapabilities": "cloudstack/administration.py",
    "createProjectRolePermission": "cloudstack/projects.py", "updateProjectRole": "cloudstack/projects.py", "updateProjectRolePermission": "cloudstack/projects.py",
    "updateRegion": "cloudstack/projects.py", "updateHost": "cloudstack/projects.py",
    "updateAnnotationVisibility": "cloudstack/administration.py", "createNetworkPermissions": "cloudstack/guest_types.py"}
PARTS_ELSEWHERE = {
    "createFirewallRule": {}, "createEgressFirewallRule": {"cidrlist"},  # cloudstack/firewall.py
    "deployVirtualMachine": {"securitygroupids", "securitygroupnames", "details", "hostid", "clusterid", "podid"}, "updateVirtualMachine": {"userdataid", "securitygroupids", "securitygroupnames"},
    "authorizeSecurityGroupIngress": {"securitygroupname"}, "authorizeSecurityGroupEgress": {"securitygroupname"}, "createNetworkACL": {"networkid"}, "createNetwork": {"vlan"},
    "updateNetworkACLItem": {"partialupgrade"}, "updateNetwork": {"networkofferingid"}, "updateTemplate": {"ostypeid", "details", "passwordenabled"},
    "updateSnapshotPolicy": {"fordisplay"}, "updateServiceOffering": {"zoneid", "domainid", "state"}, "createTemplate": {"details"}, "updateDiskOffering": {"zoneid"}, "createAccount": {"roleid"}, "createRole": {"roleid"},
    "updateRole": {"type"}, "updateUser": {"timezone"}, "updateAccount": {"roleid"}, "updateProject": {"account", "userid", "roletype", "swapowner"}}
NUMBERED = {f"{n} {r.command}": r for n, r in enumerate(ROWS)}


class CloudStack:
    name = "cloudstack"
    actions = ACTIONS
    cases = {"made": list(NUMBERED), "whole": sorted(n for n in ACTIONS if CREATES.match(n) and n not in COMMANDS_ELSEWHERE)}

    @contextlib.contextmanager
    def make(self):
        with Dev("--hosts", "8") as dev:
            yield Region(dev)

    def made(self, region, name):
        row = NUMBERED[name]
        who = region.admin if row.admin else {}
        made = region.run(row.command, region.fill(row.given), who)
        by = region.fill(row.by or {}, made=made["id"]) or {"id": made["id"]}
        if row.by and "templatefilter" in row.by:
            by["id"] = made["id"]
        shown = region.look(row, by, who)
        region.check(shown, row.given, row.shown, "list")
        differs = {m: (made[m], shown[m]) for m in set(made) & set(shown) - MOVING if made[m] != shown[m]}
        assert not differs, f"the answer and the list: {differs}"
        if row.label:
            region.ids[row.label] = made["id"]
        for command, given in row.changes:
            region.run(command, {"id": made["id"], **region.fill(given)}, region.admin if ACTIONS[command]["admin"] else who)
            region.check(region.look(row, by, who), given, row.changed, f"after {command} {given}")

    def whole(self, region, name):
        """Runs after the rows: they must have sent each parameter of the command."""
        taken = {p["name"] for p in ACTIONS[name]["params"] if p["built"] and not p.get("passed_over") and p["type"] != "list of objects"}
        missing = taken - region.sent.get(name, set()) - FOR_WHOM - set(PARTS_ELSEWHERE.get(name, ())) - {"id"}
        assert not missing, f"no row of {name} gives {', '.join(sorted(missing))}"


# Members that change by themselves, or that only the first answer shows.
MOVING = {"state", "availablevirtualmachinecount", "password", "lastupdated", "status", "isready", "physicalsize", "size", "ingressrule", "egressrule"}


class Region:
    """An account with prerequisites by label; the administrator's key; the parameters sent to each command."""

    def __init__(self, dev):
        self.dev, self.admin, self.sent = dev, admin_key(dev), {}
        self.ids = {"zone": self.first("listZones zone"), "os": self.first("listOsTypes ostype"), "counter": self.first("listCounters counter"), "domain": self.first("listDomains domain"),
                    "vpc_offering": self.first("listVPCOfferings vpcoffering"), "disk": self.first("listDiskOfferings diskoffering", name="Custom"),
                    "tier_offering": self.first("listNetworkOfferings networkoffering", forvpc="true"), "image": self.first("listTemplates template", templatefilter="executable"),
                    "l2": self.first("listNetworkOfferings networkoffering", guestiptype="L2"),
                    "shared": self.first("listNetworkOfferings networkoffering", name="DefaultSharedNetworkOffering"),
                    "isolated": self.first("listNetworkOfferings networkoffering", availability="Required"), "offering": self.first("listServiceOfferings serviceoffering", name="t3.nano"),
                    "name": call(dev, "listAccounts")[1]["account"][0]["name"]}

    def first(self, where, **given):
        command, item = where.split()
        return call(self.dev, command, **given)[1][item][0]["id"]

    def run(self, command, given, who):
        """Runs the command and its job; returns the created object."""
        self.sent.setdefault(command, set()).update(re.sub(r"\[0\]\.", ".N.", k) for k in given)
        status, answer, _ = call(self.dev, command, **given, **who)
        assert status == 200, f"{command} {given}: {answer}"
        done = lib.finish(self.dev, answer, **who) if "jobid" in answer else answer
        self.dev.rest()
        return next((v for v in done.values() if isinstance(v, dict)), done)

    def look(self, row, by, who):
        command, item = row.at
        wide = {"listall": "true"} if any(p["name"] == "listall" for p in ACTIONS[command]["params"]) else {}
        more = {"volumeid": self.ids["volume"]} if command == "listSnapshotPolicies" else {}
        status, answer, _ = call(self.dev, command, **({} if more else by), **more, **wide, **who)
        assert status == 200 and len(answer.get(item, [])) == 1, f"{command} {by}: {answer}"
        return answer[item][0]

    def fill(self, value, **more):
        """The value with ids in place of "{label}"."""
        return {k: v.format(**self.ids, **more) if v.startswith("{") else v for k, v in value.items()}

    def check(self, shown, given, differs, where):
        text = str(shown)
        for member, value in given.items():
            wanted = differs.get(member, value)
            if wanted is HIDDEN or member.startswith("tags["):
                assert wanted is HIDDEN or f"'{value}'" in text, f"{where}: {member}: {shown}"
                continue
            if callable(wanted):
                assert wanted(with_labels(shown, self.ids)), f"{where}: {member}: {shown}"
                continue
            name, wanted = wanted if isinstance(wanted, tuple) else (member, wanted)
            wanted = self.fill({name: wanted})[name] if isinstance(wanted, str) else wanted
            assert shown.get(name) == wanted, f"{where}: {name} is {shown.get(name)!r}, not {wanted!r}: {shown}"


def with_labels(value, ids):
    """The row with "{label}" in place of ids, for functions that compare with a label."""
    labels = {i: "{%s}" % label for label, i in ids.items()}
    if isinstance(value, dict):
        return {k: with_labels(v, ids) for k, v in value.items()}
    if isinstance(value, list):
        return [with_labels(v, ids) for v in value]
    return labels.get(value, value) if isinstance(value, str) else value

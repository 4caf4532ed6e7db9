#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: always
# subjects: src/api/cloudstack
"""Compares the members of answers, as listApis tells them, with CloudStack's response classes (answers.txt). A member that no answer has needs a reason: a parameter of
its name that is refused by name, or a row of LACKS. A row whose member an answer has fails, too."""
import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../lib"))
from cloudstack import admin_key, call, dump  # noqa: E402
from dev import Dev  # noqa: E402


def lacking(reason, members):
    return dict.fromkeys(members.split(), reason)


# Lacks of every class.
LACKS = {
    **lacking("no command of this face shows figures of use",
              "cpuloadaverage cpuused diskiopstotal diskioread diskiowrite diskkbsread diskkbswrite diskread diskwrite disksizetotal disksizeused events lastpinged "
              "memoryintfreekbs memorykbs memorytargetkbs memoryused networkkbsread networkkbswrite networkread networkwrite physicalsize receivedbytes sentbytes utilization"),
    **lacking("backups of machines are not built", "backupofferingid backupofferingname"),
    **lacking("icons of resources are not built", "icon"),
    **lacking("only the listing of annotations tells of them", "hasannotations"),
    **lacking("of hypervisors, networks and devices that are not here", "externaluuid gpugroup nsxlogicalswitch nsxlogicalswitchport ovm3vip vgpu vspherestoragepolicy"),
    **lacking("there is one pod and one cluster in a zone", "clusterid clustername podid podname"),
    **lacking("projects and secondary storage have no limit",
              "projectavailable projectlimit projecttotal secondarystorageavailable secondarystoragelimit secondarystoragetotal"),
    **lacking("vmtotal counts machines in every state", "vmrunning vmstopped"),
    **lacking("createNetwork refuses IPv6", "ip6routes ip6routing"),
}
# Lacks of one class each.
OF_CLASS = {
    "AccountResponse": lacking("accounts have no default zone", "defaultzoneid"),
    "ApiDiscoveryResponse": lacking("the tables do not say since when CloudStack has a command", "since"),
    "AsyncJobResponse": lacking("not built", "jobprocstatus jobresulttype"),
    "ClusterResponse": lacking("a cluster has no settings", "cpuovercommitratio resourcedetails"),
    "ConfigurationResponse": lacking("not built", "scope"),
    "DomainResponse": lacking("domains have no details", "domaindetails"),
    "DomainRouterResponse": lacking("a router is no machine: OVN routes on the hosts",
                                    "guestmacaddress guestnetmask healthcheckresults hostname hypervisor linklocalip linklocalmacaddress linklocalnetmask linklocalnetworkid "
                                    "publicmacaddress publicnetmask publicnetworkid scriptsversion serviceofferingname softwareversion templatename"),
    "EventResponse": lacking("events do not lead to others", "parentid"),
    "HostResponse": lacking("not built", "hasenoughcapacity hostha oscategoryname outofbandmanagement removed suitableformigration ueficapability"),
    "IPAddressResponse": lacking("addresses are not of VLANs", "vlanname"),
    "ImageStoreResponse": lacking("the image store is the region's", "zonename"),
    "LoadBalancerResponse": lacking("not built", "zonename"),
    "LoginCmdResponse": lacking("not built", "timezoneoffset"),
    "NetworkOfferingResponse": lacking("of the listing alone", "domain zone"),
    "NetworkResponse": {**lacking("networks are not of VLANs, nor of other networks", "associatednetwork broadcasturi zonesnetworkspans"),
                        **lacking("not built", "networkcidr reservediprange")},
    "NicResponse": lacking("createNetwork refuses VLANs, addNicToVirtualMachine DHCP options", "adaptertype broadcasturi extradhcpoption ipaddresses isolationuri"),
    "PhysicalNetworkResponse": lacking("not built", "networkspeed"),
    "PodResponse": lacking("the pod has no addresses for system machines", "endip gateway ipranges netmask startip"),
    "ProviderResponse": lacking("of bare metal", "destinationphysicalnetworkid"),
    "ResourceTagResponse": lacking("not built", "domain project"),
    "ServiceOfferingResponse": lacking("a root disk's offering is the service offering itself", "diskofferingdisplaytext diskofferingname iscustomizediops"),
    "Site2SiteCustomerGatewayResponse": {**lacking("CloudStack itself has no value for it", "ipaddress"), **lacking("removed rows are not listed", "removed")},
    "Site2SiteVpnConnectionResponse": lacking("removed rows are not listed", "removed"),
    "Site2SiteVpnGatewayResponse": lacking("removed rows are not listed", "removed"),
    "StoragePoolResponse": lacking("not built", "allocatediops capacityiops storagecapabilities suitableformigration"),
    "SystemVmResponse": lacking("a region has no system machines: the list is empty",
                                "activeviewersessions agentstate created disconnected gateway guestvlan hostname hypervisor linklocalip linklocalmacaddress linklocalnetmask name "
                                "privateip privatemacaddress privatenetmask publicip publicmacaddress publicnetmask publicvlan templatename zonename"),
    "TemplateResponse": {**lacking("of VMware's appliances and of copies between zones", "childtemplates deployasisdetails downloaddetails hostname sourcetemplateid"),
                         **lacking("not built", "project removed")},
    "UserResponse": lacking("told once, by registerUserKeys", "secretkey"),
    "UserVmResponse": lacking("not built", "diskofferingname pooltype readonlydetails servicestate"),
    "VlanIpRangeResponse": lacking("not built", "cidr description domain netmask project"),
    "VmMetricsResponse": lacking("not built", "diskofferingname pooltype readonlydetails servicestate"),
    "VolumeResponse": lacking("not built", "isodisplaytext isoid isoname status supportsstoragesnapshot"),
    "ZoneResponse": lacking("the zone is everybody's, and has no addresses for system machines",
                            "description displaytext domain domainname guestcidraddress internaldns1 internaldns2 resourcedetails zonetoken"),
}
# Commands whose answer is of another form than the reference declares.
OTHER_FORM = {"authorizeSecurityGroupEgress": "the group, as CloudStack itself answers", "authorizeSecurityGroupIngress": "the group, as CloudStack itself answers",
              "listProjectAccounts": "elements are members of a project, not projects", "registerIso": "a list of one", "registerTemplate": "a list of one"}

DUMP = {a["name"]: a for a in dump()["actions"]}
REFUSED = {name.lower() for a in DUMP.values() for p in a["params"] if not p["built"] for name in p["name"].split("|")}


def classes():
    with open(os.path.join(HERE, "answers.txt"), encoding="utf-8") as lines:
        for line in lines:
            if not line.startswith("#"):
                name, commands, members = line.split(": ")
                yield name, [c for c in commands.split() if not DUMP[c].get("never") and c not in OTHER_FORM], set(members.split())


@pytest.fixture(scope="module")
def answers():
    with Dev() as dev:
        apis = call(dev, "listApis", **admin_key(dev))[1]["api"]
    return {a["name"]: {m["name"].lower() for m in a["response"]} for a in apis}


def is_refused(member):
    name = member.lower()
    return name in REFUSED or name.removeprefix("disk") in REFUSED  # diskBytesReadRate is the parameter bytesreadrate


@pytest.mark.parametrize("name, commands, members", [pytest.param(*c, id=c[0]) for c in classes() if c[1]])
def test_members(answers, name, commands, members):
    known = {**LACKS, **OF_CLASS.get(name, {})}
    lacks = {m for m in members for c in commands if m.lower() not in answers[c]}
    assert not {m for m in lacks if m not in known and not is_refused(m)}, "answers lack these"
    assert not OF_CLASS.get(name, {}).keys() - lacks, "answers have these, or the class has not"


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

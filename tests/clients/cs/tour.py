# SPDX-License-Identifier: Apache-2.0
"""cs, CloudStack's client for Python, as a library and as a command: networks, machines, volumes and jobs."""
import os
import sys

from cs import CloudStack, CloudStackApiException
from steps import Program, refused, same, step, tell

api = CloudStack(endpoint=os.environ["CLOUDSTACK_ENDPOINT"], key=os.environ["CLOUDSTACK_KEY"], secret=os.environ["CLOUDSTACK_SECRET"],
                 verify=os.environ["CA_FILE"], poll_interval=0.5)
admin = CloudStack(endpoint=os.environ["CLOUDSTACK_ENDPOINT"], key=os.environ["ADMIN_KEY"], secret=os.environ["ADMIN_SECRET"],
                   verify=os.environ["CA_FILE"], poll_interval=0.5)
command = Program(os.path.join(os.path.dirname(sys.executable), "cs"))
made = {}


def code(error):
    assert isinstance(error, CloudStackApiException), error
    return error.error["errorcode"]


def only(answer, member):
    rows = answer.get(member, [])
    assert len(rows) == 1, rows
    return rows[0]


def look_around():
    with step("zones, offerings and templates"):
        made["zone"] = api.listZones()["zone"][0]["id"]
        made["offering"] = only(api.listServiceOfferings(name="t3.micro"), "serviceoffering")["id"]
        made["template"] = api.listTemplates(templatefilter="featured")["template"][0]["id"]
        made["disks"] = api.listDiskOfferings()["diskoffering"]
    with step("commands that the region has"):
        assert {"deployVirtualMachine", "queryAsyncJobResult"} <= {row["name"] for row in api.listApis()["api"]}
    with step("a list by pages"):
        rows = api.listServiceOfferings(fetch_list=True, pagesize=3)
        assert len(rows) > 3 and len({row["id"] for row in rows}) == len(rows)


def network():
    with step("an isolated network"):
        offering = only(api.listNetworkOfferings(name="DefaultIsolatedNetworkOfferingWithSourceNatService"), "networkoffering")["id"]
        made["network"] = api.createNetwork(name="inner", displaytext="inner", networkofferingid=offering, zoneid=made["zone"],
                                            gateway="10.5.0.1", netmask="255.255.255.0")["network"]["id"]
        same(only(api.listNetworks(id=made["network"]), "network")["cidr"], "10.5.0.0/24")
    with step("a VPC with a tier and an ACL"):
        offering = api.listVPCOfferings()["vpcoffering"][0]["id"]
        vpc = api.createVPC(name="shop", displaytext="shop", cidr="10.60.0.0/16", vpcofferingid=offering, zoneid=made["zone"], fetch_result=True)["vpc"]["id"]
        wall = api.createNetworkACLList(name="wall", vpcid=vpc, fetch_result=True)["networkacllist"]["id"]
        rule = api.createNetworkACL(aclid=wall, protocol="tcp", startport=80, endport=81, action="allow", traffictype="ingress", cidrlist="0.0.0.0/0",
                                    number=1, fetch_result=True)["networkacl"]
        same((rule["startport"], rule["endport"]), ("80", "81"))
        api.deleteNetworkACL(id=rule["id"], fetch_result=True)
        api.deleteNetworkACLList(id=wall, fetch_result=True)
        api.deleteVPC(id=vpc, fetch_result=True)


def machines():
    with step("a key pair, an affinity group"):
        assert "PRIVATE KEY" in api.createSSHKeyPair(name="desk")["keypair"]["privatekey"]
        made["apart"] = api.createAffinityGroup(name="apart", type="host anti-affinity", fetch_result=True)["affinitygroup"]["id"]
    with step("a machine, and its job"):
        job = api.deployVirtualMachine(name="till", serviceofferingid=made["offering"], templateid=made["template"], zoneid=made["zone"],
                                       networkids=made["network"], keypair="desk", affinitygroupids=made["apart"])
        made["machine"] = job["id"]
        api.queryAsyncJobResult(jobid=job["jobid"])
        done = api.deployVirtualMachine(name="shelf", serviceofferingid=made["offering"], templateid=made["template"], zoneid=made["zone"],
                                        networkids=made["network"], fetch_result=True)["virtualmachine"]
        same(done["state"], "Running")
        made["second"] = done["id"]
    with step("machines by filters"):
        same(only(api.listVirtualMachines(name="till"), "virtualmachine")["id"], made["machine"])
        same(api.listVirtualMachines(state="Stopped"), {})
        same(len(api.listVirtualMachines(networkid=made["network"])["virtualmachine"]), 2)
    with step("stop, new offering, start"):
        same(api.stopVirtualMachine(id=made["second"], fetch_result=True)["virtualmachine"]["state"], "Stopped")
        other = only(api.listServiceOfferings(name="t3.small"), "serviceoffering")["id"]
        api.scaleVirtualMachine(id=made["second"], serviceofferingid=other, fetch_result=True)
        same(api.startVirtualMachine(id=made["second"], fetch_result=True)["virtualmachine"]["serviceofferingname"], "t3.small")
        api.updateVirtualMachine(id=made["second"], displayname="a shelf")
    with step("an address with a forwarding and a firewall rule"):
        address = api.associateIpAddress(networkid=made["network"], fetch_result=True)["ipaddress"]["id"]
        api.createPortForwardingRule(ipaddressid=address, privateport=22, publicport=2222, protocol="tcp", virtualmachineid=made["machine"], fetch_result=True)
        api.createFirewallRule(ipaddressid=address, protocol="tcp", startport=2222, endport=2222, cidrlist="192.0.2.0/24", fetch_result=True)
        same(only(api.listPortForwardingRules(ipaddressid=address), "portforwardingrule")["publicport"], "2222")
        api.disassociateIpAddress(id=address, fetch_result=True)


def disks():
    with step("a volume, attached, grown, its snapshot"):
        offering = next(row for row in made["disks"] if row["iscustomized"])["id"]
        volume = api.createVolume(name="data", diskofferingid=offering, size=1, zoneid=made["zone"], fetch_result=True)["volume"]["id"]
        api.attachVolume(id=volume, virtualmachineid=made["machine"], fetch_result=True)
        api.detachVolume(id=volume, fetch_result=True)
        same(api.resizeVolume(id=volume, size=2, fetch_result=True)["volume"]["size"], 2 << 30)
        snapshot = api.createSnapshot(volumeid=volume, fetch_result=True)["snapshot"]["id"]
        same(only(api.listSnapshots(volumeid=volume), "snapshot")["id"], snapshot)
        api.deleteSnapshot(id=snapshot, fetch_result=True)
        api.deleteVolume(id=volume)
    with step("tags"):
        api.createTags(resourceids=made["machine"], resourcetype="UserVm", **{"tags[0].key": "team", "tags[0].value": "blue"}, fetch_result=True)
        same(only(api.listVirtualMachines(**{"tags[0].key": "team", "tags[0].value": "blue"}), "virtualmachine")["id"], made["machine"])


def scaling():
    with step("an AutoScale group behind a load balancer rule"):
        address = api.associateIpAddress(networkid=made["network"], fetch_result=True)["ipaddress"]["id"]
        rule = api.createLoadBalancerRule(name="tills", publicipid=address, networkid=made["network"], algorithm="roundrobin", publicport=80, privateport=8080,
                                          fetch_result=True)["loadbalancer"]["id"]
        counter = next(row["id"] for row in api.listCounters()["counter"] if row["source"] == "cpu")
        high, low = (api.createCondition(counterid=counter, relationaloperator=operator, threshold=threshold, fetch_result=True)["condition"]["id"]
                     for operator, threshold in (("GT", 80), ("LT", 20)))
        up = api.createAutoScalePolicy(action="ScaleUp", duration=60, quiettime=300, conditionids=high, fetch_result=True)["autoscalepolicy"]["id"]
        down = api.createAutoScalePolicy(action="ScaleDown", duration=60, conditionids=low, fetch_result=True)["autoscalepolicy"]["id"]
        profile = api.createAutoScaleVmProfile(zoneid=made["zone"], serviceofferingid=made["offering"], templateid=made["template"], expungevmgraceperiod=0,
                                               fetch_result=True)["autoscalevmprofile"]["id"]
        group = api.createAutoScaleVmGroup(name="tills", lbruleid=rule, vmprofileid=profile, minmembers=1, maxmembers=2, scaleuppolicyids=up,
                                           scaledownpolicyids=down, fetch_result=True)["autoscalevmgroup"]["id"]
        same(only(api.listAutoScaleVmGroups(lbruleid=rule), "autoscalevmgroup")["state"], "ENABLED")
    with step("a disabled group with another size, and its deletion"):
        same(api.disableAutoScaleVmGroup(id=group, fetch_result=True)["autoscalevmgroup"]["state"], "DISABLED")
        same(api.updateAutoScaleVmGroup(id=group, maxmembers=3, fetch_result=True)["autoscalevmgroup"]["maxmembers"], 3)
        api.deleteAutoScaleVmGroup(id=group, cleanup=True, fetch_result=True)
        same(api.listAutoScaleVmGroups(), {})
        for name, row in (("AutoScaleVmProfile", profile), ("AutoScalePolicy", up), ("AutoScalePolicy", down), ("Condition", high), ("Condition", low),
                          ("LoadBalancerRule", rule)):
            getattr(api, "delete" + name)(id=row, fetch_result=True)
        api.disassociateIpAddress(id=address, fetch_result=True)


def errors():
    with step("errors"):
        refused(lambda: api.deployVirtualMachine(zoneid=made["zone"]), 431, code)
        refused(lambda: api.listVirtualMachines(id="11111111-2222-3333-4444-555555555555") or 1 / 0, 431, code)
        refused(lambda: CloudStack(endpoint=os.environ["CLOUDSTACK_ENDPOINT"], key="nobody", secret="x", verify=os.environ["CA_FILE"]).listZones(), 401, code)
    with step("the command"):
        same(len(command.say("listVirtualMachines", f"networkid={made['network']}")["virtualmachine"]), 2)


def clean_up():
    with step("all is deleted"):
        refused(lambda: api.destroyVirtualMachine(id=made["machine"], expunge=True), 531, code)
        for machine in (made["machine"], made["second"]):
            same(api.destroyVirtualMachine(id=machine, fetch_result=True)["virtualmachine"]["state"], "Destroyed")
            admin.expungeVirtualMachine(id=machine, fetch_result=True)
        api.deleteNetwork(id=made["network"], fetch_result=True)
        api.deleteAffinityGroup(id=made["apart"], fetch_result=True)
        api.deleteSSHKeyPair(name="desk")
        same(api.listVirtualMachines(), {})


for part in (look_around, network, machines, disks, scaling, errors, clean_up):
    part()
tell("end of tour")

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/cloudstack/autoscale src/engine/scaling
"""CloudStack's AutoScale, by the requests that its web interface and Terraform's provider send: a group that grows and shrinks by its policies, whose
machines are members of a load balancer rule."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from cloudstack import call, wait  # noqa: E402
from faces import holds  # noqa: E402
import waiting  # noqa: E402
from regions import dev  # noqa: E402, F401 (fixtures)


def done(dev, command, **given):
    status, answer, _ = call(dev, command, **given)
    assert status == 200, answer
    state, result = wait(dev, answer)
    assert state == 1, result
    return result


def made(dev, command, **given):
    (row,) = done(dev, command, **given).values()
    return row


def refused(dev, command, *words, **given):
    status, answer, _ = call(dev, command, **given)
    if status == 200:
        state, answer = wait(dev, answer)
        assert state == 2, answer
    assert all(w in answer["errortext"] for w in words), answer


def listed(dev, command, item, **given):
    return call(dev, command, **given)[1].get(item, [])


@pytest.fixture(scope="module")
def place(dev):
    zone = listed(dev, "listZones", "zone")[0]["id"]
    offering = listed(dev, "listServiceOfferings", "serviceoffering")[0]["id"]
    isolated = listed(dev, "listNetworkOfferings", "networkoffering", availability="Required")[0]["id"]
    network = call(dev, "createNetwork", name="scaled", networkofferingid=isolated, zoneid=zone)[1]["network"]["id"]
    address = made(dev, "associateIpAddress", networkid=network)["id"]
    image = listed(dev, "listTemplates", "template", templatefilter="executable")[0]["id"]
    return {"zone": zone, "offering": offering, "network": network, "address": address, "image": image}


@pytest.fixture(scope="module")
def policies(dev):
    counters = {c["value"]: c["id"] for c in listed(dev, "listCounters", "counter")}
    conditions = [made(dev, "createCondition", counterid=counters[c], relationaloperator=o, threshold=t)["id"]
                  for c, o, t in (("vm.cpu.average.percentage", "gt", "80"), ("public.network.received.average.mbps", "GE", "100"),
                                  ("vm.cpu.average.percentage", "LT", "20"))]
    up = made(dev, "createAutoScalePolicy", name="up", action="ScaleUp", duration="60", quiettime="0", conditionids=conditions[0])
    both = made(dev, "createAutoScalePolicy", action="ScaleUp", duration="60", quiettime="0", conditionids=",".join(conditions[:2]))
    down = made(dev, "createAutoScalePolicy", action="scaledown", duration="60", quiettime="0", conditionids=conditions[2])
    assert both["action"] == "ScaleUp" and [c["relationaloperator"] for c in both["conditions"]] == ["GT", "GE"]
    return up["id"], down["id"], conditions, both["id"]


@pytest.fixture
def profile(dev, place):
    row = made(dev, "createAutoScaleVmProfile", zoneid=place["zone"], serviceofferingid=place["offering"], templateid=place["image"],
               expungevmgraceperiod="0", userdata="eA==", **{"otherdeployparams[0].name": "rootdisksize", "otherdeployparams[0].value": "9"})
    assert row["otherdeployparams"] == {"rootdisksize": "9"} and row["userdata"] == "eA=="
    yield row["id"]
    done(dev, "deleteAutoScaleVmProfile", id=row["id"])


@pytest.fixture
def rule(dev, place):
    row = made(dev, "createLoadBalancerRule", name="web", publicipid=place["address"], networkid=place["network"], algorithm="roundrobin", publicport="80",
               privateport="8080")
    yield row["id"]
    done(dev, "deleteLoadBalancerRule", id=row["id"])


@pytest.fixture
def group(dev, rule, profile, policies):
    row = made(dev, "createAutoScaleVmGroup", name="web", lbruleid=rule, vmprofileid=profile, minmembers="1", maxmembers="3", interval="1",
               scaleuppolicyids=f"{policies[0]},{policies[3]}", scaledownpolicyids=policies[1])
    yield row
    done(dev, "deleteAutoScaleVmGroup", id=row["id"], cleanup="true")
    assert not listed(dev, "listAutoScaleVmGroups", "autoscalevmgroup", id=row["id"])


def machines(dev, group):
    return listed(dev, "listVirtualMachines", "virtualmachine", autoscalevmgroupid=group["id"])


def members(dev, rule):
    return {m["id"] for m in listed(dev, "listLoadBalancerRuleInstances", "loadbalancerruleinstance", id=rule)}


def has(dev, group, rule, count, again=lambda: None):
    """Waits until the group has so many machines, which run and are the members of the rule. again: called before each look."""
    def fits():
        again()
        found = machines(dev, group)
        return len(found) == count and {m["state"] for m in found} == {"Running"} and {m["id"] for m in found} == members(dev, rule)
    waiting.wait_until(fits, f"{count} machines", shows=lambda: ([m["name"] + m["state"] for m in machines(dev, group)], members(dev, rule)))


def ring(dev, *policies, metric=None, state="ALARM"):
    """Puts alarms of AutoScale policies into a state, as their metrics would."""
    watch = dev.account.client("cloudwatch")
    for alarm in watch.describe_alarms(AlarmNamePrefix="AutoScale-")["MetricAlarms"]:
        if any(p in alarm["AlarmDescription"] for p in policies) and metric in (None, alarm["MetricName"]):
            watch.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue=state, StateReason="test")


@holds("Instances: AutoScale VM group", "Instances: AutoScale policy", "Instances: AutoScale condition", "Instances: AutoScale VM profile")
def test_up_and_down(dev, group, rule, policies):
    up, down, _, both = policies
    assert group["state"] == "ENABLED" and group["lbruleid"] == rule and group["lbprovider"] == "VirtualRouter"
    assert {p["id"] for p in group["scaleuppolicies"]} == {up, both} and [p["id"] for p in group["scaledownpolicies"]] == [down]
    has(dev, group, rule, 1)
    (machine,) = machines(dev, group)
    assert machine["name"].startswith("autoScaleVm-web-") and machine["autoscalevmgroupname"] == "web"
    ring(dev, both, metric="CPUUtilization")
    dev.rest()
    has(dev, group, rule, 1)  # the other condition does not hold
    ring(dev, both, metric="NetworkIn")
    has(dev, group, rule, 2)
    ring(dev, both, state="OK")
    for policy, count in ((up, 3), (down, 1), (both, 3), (down, 1)):  # without a quiet time, once in each interval
        has(dev, group, rule, count, again=lambda policy=policy: [ring(dev, policy, state=state) for state in ("OK", "ALARM")])
        ring(dev, policy, state="OK")
    scaling = dev.account.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=["web"])["AutoScalingGroups"][0]
    assert (scaling["MinSize"], scaling["MaxSize"], scaling["DesiredCapacity"]) == (1, 3, 1)


def test_disabled(dev, group, rule, policies):
    has(dev, group, rule, 1)
    refused(dev, "updateAutoScaleVmGroup", "only when it is in disabled state", id=group["id"], minmembers="2")
    assert made(dev, "disableAutoScaleVmGroup", id=group["id"])["state"] == "DISABLED"
    assert made(dev, "updateAutoScaleVmGroup", id=group["id"], minmembers="2", interval="60")["minmembers"] == 2
    dev.rest()
    assert len(machines(dev, group)) == 1
    refused(dev, "deleteAutoScaleVmGroup", "because there are 1 VMs", id=group["id"])
    assert made(dev, "enableAutoScaleVmGroup", id=group["id"])["state"] == "ENABLED"
    has(dev, group, rule, 2)


def test_replaces(dev, group, rule):
    """A destroyed machine is replaced, a stopped one stays."""
    has(dev, group, rule, 1)
    (first,) = machines(dev, group)
    dev.account.client().terminate_instances(InstanceIds=["i-" + first["id"].replace("-", "")[:17]])
    waiting.wait_until(lambda: [m["id"] for m in machines(dev, group)] not in ([], [first["id"]]), "another machine")
    has(dev, group, rule, 1)
    (second,) = machines(dev, group)
    done(dev, "stopVirtualMachine", id=second["id"])
    dev.rest()
    assert [(m["id"], m["state"]) for m in machines(dev, group)] == [(second["id"], "Stopped")]


def test_uses(dev, group, profile, rule, policies):
    up, _, conditions, both = policies
    refused(dev, "createAutoScaleVmGroup", "already attached to the lb rule", lbruleid=rule, vmprofileid=profile, minmembers="1", maxmembers="1",
            scaleuppolicyids=up, scaledownpolicyids=policies[1])
    refused(dev, "deleteAutoScalePolicy", "in use by one or more", id=up)
    refused(dev, "deleteCondition", "in use by one or more", id=conditions[0])
    refused(dev, "deleteAutoScaleVmProfile", "in use", id=profile)
    refused(dev, "updateAutoScalePolicy", "disabled in state", id=up, duration="120")
    refused(dev, "updateAutoScaleVmProfile", "disabled in state", id=profile, userdata="eQ==")
    refused(dev, "updateCondition", "NOT in Disabled state", id=conditions[0], relationaloperator="GT", threshold="90")
    refused(dev, "deleteAutoScaleVmGroup", "in ENABLED state", id=group["id"])
    assert [g["id"] for g in listed(dev, "listAutoScaleVmGroups", "autoscalevmgroup", lbruleid=rule, vmprofileid=profile, policyid=up)] == [group["id"]]
    assert [p["id"] for p in listed(dev, "listAutoScalePolicies", "autoscalepolicy", vmgroupid=group["id"], conditionid=conditions[1])] == [both]
    assert [c["id"] for c in listed(dev, "listConditions", "condition", policyid=policies[1])] == [conditions[2]]
    made(dev, "disableAutoScaleVmGroup", id=group["id"])
    assert made(dev, "updateAutoScalePolicy", id=up, duration="120")["duration"] == 120
    done(dev, "updateCondition", id=conditions[0], relationaloperator="GT", threshold="90")
    alarms = dev.account.client("cloudwatch").describe_alarms(AlarmNamePrefix="AutoScale-web-")["MetricAlarms"]
    assert sorted((a["MetricName"], a["EvaluationPeriods"], a["Threshold"]) for a in alarms) == [
        ("CPUUtilization", 1, 20), ("CPUUtilization", 1, 90), ("CPUUtilization", 2, 90), ("NetworkIn", 1, 750000000)]


def test_profiles_name_rows_of_the_account(dev, place):
    own, group = place["network"], listed(dev, "listSecurityGroups", "securitygroup")[0]["id"]

    def profile_with(name, value):
        return {"zoneid": place["zone"], "serviceofferingid": place["offering"], "templateid": place["image"],
                "otherdeployparams[0].name": name, "otherdeployparams[0].value": value}
    for name in ("networkids", "securitygroupids", "affinitygroupids", "keypairs"):
        refused(dev, "createAutoScaleVmProfile", f"Invalid parameter {name} value", **profile_with(name, "b8dc7e2f-0000-4000-8000-000000000000"))
    for name, value in (("networkids", own), ("securitygroupids", group)):
        row = made(dev, "createAutoScaleVmProfile", **profile_with(name, value))
        assert row["otherdeployparams"] == {name: value}
        refused(dev, "updateAutoScaleVmProfile", "Invalid parameter keypairs value", id=row["id"],
                **{"otherdeployparams[0].name": "keypairs", "otherdeployparams[0].value": "nobodys"})
        done(dev, "deleteAutoScaleVmProfile", id=row["id"])


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))

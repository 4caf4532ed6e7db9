#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/azure/scale_sets src/engine/scaling src/reconcile/scaling
"""Azure's virtual machine scale sets, by raw requests, by the SDK and by az: capacity, machines, models and upgrades."""
import base64
import json
import os
import subprocess
import sys
import uuid

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import waiting  # noqa: E402
from azure import Cloud, sign_in_az  # noqa: E402
from dev import Dev  # noqa: E402

NET, COMPUTE = "providers/Microsoft.Network", "providers/Microsoft.Compute"
RIGHTS, ROLES = "providers/Microsoft.Authorization", "2022-04-01"
MACHINE_CONTRIBUTOR = "9980e02c-c2be-4d73-94e8-173b1dc7cf3c"


@pytest.fixture(scope="module")
def cloud():
    with Dev("--tls") as dev:
        here = Cloud(dev)
        os.environ.update(AWS_CA_BUNDLE=here.ca, SSL_CERT_FILE=here.ca)
        yield here


@pytest.fixture(scope="module")
def group(cloud):
    """A resource group with a network, a network security group and a load balancer."""
    path = f"{cloud.subscription()}/resourceGroups/Sets"
    assert cloud.ask("PUT", path, "2021-04-01", body={"location": "useast1"})[0] == 201
    bodies = {
        f"{NET}/networkSecurityGroups/g": {},
        f"{NET}/virtualNetworks/v": {"properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
                                                    "subnets": [{"name": "a", "properties": {"addressPrefix": "10.0.0.0/24"}}]}},
        f"{NET}/publicIPAddresses/p": {"sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}},
        f"{NET}/loadBalancers/l": {"sku": {"name": "Standard"}, "properties": {
            "frontendIPConfigurations": [{"name": "f", "properties": {"publicIPAddress": {"id": f"{path}/{NET}/publicIPAddresses/p"}}}],
            "backendAddressPools": [{"name": "b"}]}}}
    for where, body in bodies.items():
        status, _, answer = cloud.ask("PUT", f"{path}/{where}", body={"location": "useast1", **body})
        assert status in (200, 201), answer
        cloud.dev.rest()
    return path


def image_of(cloud):
    at = f"{cloud.subscription()}/{COMPUTE}/locations/useast1/publishers"
    offer = cloud.ask("GET", f"{at}/dari/artifacttypes/vmimage/offers")[2][0]["name"]
    return {"publisher": "dari", "offer": offer, "sku": "default", "version": "latest"}


def body_of(cloud, group, capacity=2, **properties):
    config = {"name": "c", "properties": {
        "subnet": {"id": f"{group}/{NET}/virtualNetworks/v/subnets/a"},
        "loadBalancerBackendAddressPools": [{"id": f"{group}/{NET}/loadBalancers/l/backendAddressPools/b"}]}}
    profile = {
        "osProfile": {"computerNamePrefix": "web", "adminUsername": "me", "adminPassword": "Correct-horse-1"},
        "storageProfile": {"imageReference": image_of(cloud), "osDisk": {"createOption": "FromImage", "caching": "ReadWrite"}},
        "networkProfile": {"networkInterfaceConfigurations": [{"name": "n", "properties": {
            "primary": True, "networkSecurityGroup": {"id": f"{group}/{NET}/networkSecurityGroups/g"}, "ipConfigurations": [config]}}]}}
    return {"location": "useast1", "sku": {"name": "Standard_B1s", "capacity": capacity},
            "properties": {"orchestrationMode": "Uniform", "upgradePolicy": {"mode": "Manual"}, "virtualMachineProfile": profile, **properties}}


def path_of(group, name):
    return f"{group}/{COMPUTE}/virtualMachineScaleSets/{name}"


def machines_of(cloud, at):
    return sorted(cloud.ask("GET", f"{at}/virtualMachines")[2]["value"], key=lambda machine: machine["instanceId"])


def ids_of(cloud, at):
    return [machine["instanceId"] for machine in machines_of(cloud, at)]


def power_of(cloud, at, number):
    return cloud.ask("GET", f"{at}/virtualMachines/{number}/instanceView")[2]["statuses"][-1]["code"]


@pytest.fixture(scope="module")
def uniform(cloud, group):
    at = path_of(group, "web")
    made = cloud.done("PUT", at, body=body_of(cloud, group))
    assert made["properties"]["provisioningState"] in ("Creating", "Succeeded")
    return at


def test_a_set_has_its_machines_with_policy_and_pool(cloud, group, uniform):
    shown = cloud.ask("GET", uniform)[2]
    assert (shown["sku"]["capacity"], shown["properties"]["provisioningState"]) == (2, "Succeeded")
    profile = shown["properties"]["virtualMachineProfile"]
    assert profile["osProfile"]["computerNamePrefix"] == "web" and "adminPassword" not in profile["osProfile"]
    machines = machines_of(cloud, uniform)
    assert [(m["instanceId"], m["name"], m["properties"]["latestModelApplied"]) for m in machines] == [
        ("0", "web_0", True), ("1", "web_1", True)]
    assert machines[0]["properties"]["osProfile"]["computerName"] == "web000000"
    pool = cloud.ask("GET", f"{group}/{NET}/loadBalancers/l")[2]["properties"]["backendAddressPools"][0]
    assert len(pool["properties"]["backendIPConfigurations"]) == 2
    guarded = cloud.ask("GET", machines[0]["properties"]["networkProfile"]["networkInterfaces"][0]["id"])[2]
    assert guarded["properties"]["networkSecurityGroup"]["id"].endswith("/g")
    listed = cloud.ask("GET", f"{cloud.subscription()}/{COMPUTE}/virtualMachines")[2]["value"]
    assert not [machine for machine in listed if machine["name"].startswith("web")]
    view = cloud.ask("GET", f"{uniform}/instanceView")[2]
    assert view["virtualMachine"]["statusesSummary"] == [{"code": "ProvisioningState/succeeded", "count": 2}]


def test_the_same_body_again_changes_nothing(cloud, uniform):
    shown = cloud.ask("GET", uniform)[2]
    again = cloud.done("PUT", uniform, body=shown)
    assert again == shown and all(m["properties"]["latestModelApplied"] for m in machines_of(cloud, uniform))


def test_a_stopped_machine_stays(cloud, uniform):
    cloud.done("POST", f"{uniform}/deallocate", body={"instanceIds": ["1"]})
    assert power_of(cloud, uniform, 1) == "PowerState/deallocated" and power_of(cloud, uniform, 0) == "PowerState/running"
    cloud.dev.rest()
    assert ids_of(cloud, uniform) == ["0", "1"]
    cloud.done("POST", f"{uniform}/virtualMachines/1/start")
    assert power_of(cloud, uniform, 1) == "PowerState/running"


def test_capacity_follows_deletions_and_protection_holds(cloud, uniform):
    cloud.done("PATCH", uniform, body={"sku": {"capacity": 3}})
    assert ids_of(cloud, uniform) == ["0", "1", "2"]
    status, _, shown = cloud.ask("PUT", f"{uniform}/virtualMachines/0", body={
        "location": "useast1", "properties": {"protectionPolicy": {"protectFromScaleIn": True}}})
    assert status == 200 and shown["properties"]["protectionPolicy"]["protectFromScaleIn"]
    cloud.done("POST", f"{uniform}/delete", body={"instanceIds": ["1"]})
    assert ids_of(cloud, uniform) == ["0", "2"] and cloud.ask("GET", uniform)[2]["sku"]["capacity"] == 2
    cloud.done("PATCH", uniform, body={"sku": {"capacity": 1}})
    assert ids_of(cloud, uniform) == ["0"]
    cloud.done("DELETE", f"{uniform}/virtualMachines/0")
    assert cloud.ask("GET", uniform)[2]["sku"]["capacity"] == 0
    cloud.done("PATCH", uniform, body={"sku": {"capacity": 2}})


def test_manual_upgrades_replace_machines_of_old_models(cloud, uniform):
    before = ids_of(cloud, uniform)
    cloud.done("PATCH", uniform, body={"sku": {"name": "Standard_B2s"}})
    assert not any(m["properties"]["latestModelApplied"] for m in machines_of(cloud, uniform))
    cloud.done("POST", f"{uniform}/manualupgrade", body={"instanceIds": before[:1]})
    now = {m["instanceId"]: m["properties"]["latestModelApplied"] for m in machines_of(cloud, uniform)}
    assert before[0] not in now and now.pop(before[1]) is False and list(now.values()) == [True]


def test_a_rolling_policy_upgrades_all(cloud, uniform):
    before = ids_of(cloud, uniform)
    cloud.done("PATCH", uniform, body={"sku": {"name": "Standard_B1s"}, "properties": {"upgradePolicy": {
        "mode": "Rolling", "rollingUpgradePolicy": {"maxBatchInstancePercent": 50, "pauseTimeBetweenBatches": "PT0S"}}}})
    latest = cloud.ask("GET", f"{uniform}/rollingUpgrades/latest")[2]["properties"]
    assert latest["runningStatus"]["code"] == "Completed" and latest["progress"]["successfulInstanceCount"] == 2
    assert not set(before) & set(ids_of(cloud, uniform))
    assert cloud.ask("POST", f"{uniform}/rollingUpgrades/cancel")[0] == 409
    cloud.done("POST", f"{uniform}/osRollingUpgrade")


def test_machines_of_a_flexible_set_are_virtual_machines(cloud, group):
    at = path_of(group, "flex")
    cloud.done("PUT", at, body=body_of(cloud, group, 2, orchestrationMode="Flexible", platformFaultDomainCount=1))
    here = f"{group}/{COMPUTE}/virtualMachines"
    machines = cloud.ask("GET", here)[2]["value"]
    assert len(machines) == 2 and all(m["properties"]["virtualMachineScaleSet"]["id"] == at for m in machines)
    assert ids_of(cloud, at) == sorted(m["name"] for m in machines)
    shown = cloud.ask("GET", f"{here}/{machines[0]['name']}")[2]
    assert shown["properties"]["osProfile"]["adminUsername"] == "me"
    cloud.done("PUT", f"{here}/{machines[0]['name']}", body=shown)
    cloud.done("DELETE", f"{here}/{machines[0]['name']}")
    waiting.wait_until(lambda: cloud.ask("GET", at)[2]["sku"]["capacity"] == 1, "the capacity follows")
    cloud.done("DELETE", at)
    assert cloud.ask("GET", at)[0] == 404 and cloud.ask("GET", here)[2]["value"] == []


def test_ec2_sees_the_group_and_cannot_change_its_model(cloud, uniform):
    scaling = cloud.dev.account.client("autoscaling")
    groups = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=["sets/web"])["AutoScalingGroups"]
    assert [(g["AutoScalingGroupName"], g["DesiredCapacity"]) for g in groups] == [("sets/web", 2)]
    assert scaling.describe_launch_configurations()["LaunchConfigurations"] == []
    with pytest.raises(Exception, match="scale set"):
        scaling.update_auto_scaling_group(AutoScalingGroupName="sets/web", AvailabilityZones=["us-east-1a"])
    scaling.set_desired_capacity(AutoScalingGroupName="sets/web", DesiredCapacity=1)
    waiting.wait_until(lambda: len(ids_of(cloud, uniform)) == 1, "the set is smaller")


def helper_with(cloud, role):
    """A user of the account whose only right is the role, in the whole subscription."""
    iam = cloud.dev.account.client("iam")
    name = f"helper{uuid.uuid4().hex[:6]}"
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    asker = type(cloud.dev.account)(cloud.dev, key["AccessKeyId"], key["SecretAccessKey"])
    claims = cloud.token_of(asker).split(".")[1]
    principal = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["oid"]
    status, _, answer = cloud.ask("PUT", f"{cloud.subscription()}/{RIGHTS}/roleAssignments/{uuid.uuid4()}", ROLES, body={"properties": {
        "principalId": principal, "roleDefinitionId": f"{cloud.subscription()}/{RIGHTS}/roleDefinitions/{role}"}})
    assert status == 201, answer
    return asker


def role_with(cloud, actions, *excluded):
    """A role of the subscription."""
    role = str(uuid.uuid4())
    status, _, answer = cloud.ask("PUT", f"{cloud.subscription()}/{RIGHTS}/roleDefinitions/{role}", ROLES, body={"properties": {
        "roleName": f"role {role}", "description": "", "assignableScopes": [cloud.subscription()],
        "permissions": [{"actions": actions, "notActions": list(excluded)}]}})
    assert status == 201, answer
    return role


def key_line():
    """A public key that no key pair of the account has."""
    kind = b"ssh-ed25519"
    blob = b"".join(len(part).to_bytes(4, "big") + part for part in (kind, os.urandom(32)))
    return f"ssh-ed25519 {base64.b64encode(blob).decode()} me"


def with_key(os_profile):
    return {**os_profile, "linuxConfiguration": {"disablePasswordAuthentication": False, "ssh": {"publicKeys": [
        {"path": "/home/me/.ssh/authorized_keys", "keyData": key_line()}]}}}


ROLLING = {"mode": "Rolling", "rollingUpgradePolicy": {"maxBatchInstancePercent": 50, "pauseTimeBetweenBatches": "PT0S"}}


@pytest.mark.parametrize("limited", [False, True], ids=["contributor", "write-alone"])
def test_the_right_to_write_a_set_suffices(cloud, group, limited):
    """A set's model, key and upgrade are parts of the set: rights on launch configurations, key pairs and upgrades are not needed."""
    role = role_with(cloud, ["Microsoft.Compute/*", "*/read", "Microsoft.Network/*"], f"{COMPUTE[10:]}/sshPublicKeys/*",
                     f"{COMPUTE[10:]}/virtualMachineScaleSets/*/action") if limited else MACHINE_CONTRIBUTOR
    asker = helper_with(cloud, role)
    at = path_of(group, f"role{limited:d}")
    body = body_of(cloud, group, 1, upgradePolicy=ROLLING)
    profile = body["properties"]["virtualMachineProfile"]
    if not limited:  # the built-in role may read load balancers, and not join them
        config, = profile["networkProfile"]["networkInterfaceConfigurations"][0]["properties"]["ipConfigurations"]
        del config["properties"]["loadBalancerBackendAddressPools"]
    profile["osProfile"] = with_key(profile["osProfile"])
    cloud.done("PUT", at, account=asker, body=body)
    assert [m["properties"]["provisioningState"] for m in machines_of(cloud, at)] == ["Succeeded"]
    before = ids_of(cloud, at)
    cloud.done("PATCH", at, account=asker, body={"sku": {"name": "Standard_B2s"}})
    assert cloud.ask("GET", f"{at}/rollingUpgrades/latest")[2]["properties"]["runningStatus"]["code"] == "Completed"
    assert not set(before) & set(ids_of(cloud, at))
    status, code = cloud.ask("POST", f"{at}/osRollingUpgrade", account=asker)[::2]
    assert status == (403 if limited else 202), code
    assert cloud.refused("PUT", f"{group}/{COMPUTE}/sshPublicKeys/mine", account=asker, body={"location": "useast1"})[0] == 403
    cloud.dev.rest()
    cloud.done("DELETE", at)


def test_the_right_to_write_a_machine_takes_its_key(cloud, group):
    asker = helper_with(cloud, MACHINE_CONTRIBUTOR)
    interface, at = f"{group}/{NET}/networkInterfaces/own", f"{group}/{COMPUTE}/virtualMachines/own"
    cloud.done("PUT", interface, account=asker, body={"location": "useast1", "properties": {"ipConfigurations": [
        {"name": "c", "properties": {"subnet": {"id": f"{group}/{NET}/virtualNetworks/v/subnets/a"}}}]}})
    cloud.done("PUT", at, account=asker, body={"location": "useast1", "properties": {
        "hardwareProfile": {"vmSize": "Standard_B1s"}, "networkProfile": {"networkInterfaces": [{"id": interface}]},
        "storageProfile": {"imageReference": image_of(cloud)},
        "osProfile": with_key({"computerName": "own", "adminUsername": "me", "adminPassword": "Correct-horse-1"})}})
    cloud.done("DELETE", at, account=asker)


def test_an_upgrade_counts_machines_that_cannot_be_launched(cloud, group):
    at = path_of(group, "short")
    cloud.done("PUT", at, body=body_of(cloud, group, 2, upgradePolicy=ROLLING))
    hosts = [host["name"] for host in cloud.dev.command("host", "list")]
    for host in hosts:  # closed for new instances
        cloud.dev.command("host", "maintenance", host, "--from", "2090-01-31T22:00:00Z")
    assert cloud.ask("POST", f"{at}/osRollingUpgrade")[0] == 202

    def progress():
        return cloud.ask("GET", f"{at}/rollingUpgrades/latest")[2]["properties"]["progress"]
    waiting.wait_until(lambda: progress()["failedInstanceCount"] == 1, "a launch fails", shows=progress)
    assert progress() == {"successfulInstanceCount": 0, "failedInstanceCount": 1, "inProgressInstanceCount": 0, "pendingInstanceCount": 1}
    cloud.done("POST", f"{at}/rollingUpgrades/cancel")
    assert progress()["failedInstanceCount"] == 1
    for host in hosts:
        cloud.dev.command("host", "maintenance", host, "--end")
    cloud.done("DELETE", at)


def refusals(cloud, group):
    body = body_of(cloud, group)
    profile = body["properties"]["virtualMachineProfile"]
    yield "priority", {**body["properties"], "virtualMachineProfile": {**profile, "priority": "Spot"}}
    yield "healthProbe", {**body["properties"], "virtualMachineProfile": {**profile, "networkProfile": {
        **profile["networkProfile"], "healthProbe": {"id": "x"}}}}
    yield "enabled", {**body["properties"], "automaticRepairsPolicy": {"enabled": True}}
    yield "zoneBalance", {**body["properties"], "zoneBalance": True}


def test_refusals_name_the_parameter(cloud, group):
    for name, properties in refusals(cloud, group):
        status, _, answer = cloud.ask("PUT", path_of(group, "no"), body={**body_of(cloud, group), "properties": properties})
        assert status == 409 and name in answer["error"]["message"], (name, answer)
    status, _, answer = cloud.ask("PUT", path_of(group, "no"), body={"location": "useast1", "sku": {"name": "Standard_B1s", "capacity": 1}})
    assert status == 400 and "imageReference" in answer["error"]["message"]
    assert cloud.ask("GET", path_of(group, "no"))[0] == 404


def test_az_drives_a_set(cloud, group, tmp_path):
    az = sign_in_az(cloud, tmp_path)
    name = "fromaz"
    image = ":".join(image_of(cloud).values())
    az("vmss", "create", "-g", "Sets", "-n", name, "--image", image, "--instance-count", "2", "--vnet-name", "v", "--subnet", "a",
       "--load-balancer", "", "--admin-username", "me", "--admin-password", "Correct-horse-1", "--vm-sku", "Standard_B1s",
       "--upgrade-policy-mode", "manual")
    assert [s["name"] for s in az("vmss", "list", "-g", "Sets")] and len(az("vmss", "list-instances", "-g", "Sets", "-n", name)) == 2
    az("vmss", "scale", "-g", "Sets", "-n", name, "--new-capacity", "1")
    assert len(az("vmss", "list-instances", "-g", "Sets", "-n", name)) == 1
    az("vmss", "update-instances", "-g", "Sets", "-n", name, "--instance-ids", "*")
    az("vmss", "delete", "-g", "Sets", "-n", name)
    assert cloud.ask("GET", path_of(group, name))[0] == 404


def test_az_scales_a_set_by_an_autoscale_setting(cloud, group, tmp_path):
    az, watch = sign_in_az(cloud, tmp_path), cloud.dev.account.client("cloudwatch")
    at, itself, setting = path_of(group, "scaled"), ("-g", "Sets", "-n", "au"), ("-g", "Sets", "--autoscale-name", "au")
    cloud.done("PUT", at, body=body_of(cloud, group, 1))

    def counts(number):
        waiting.wait_until(lambda: len(machines_of(cloud, at)) == number, f"{number} machines", shows=lambda: ids_of(cloud, at))

    def ring(state, comparison):
        for alarm in watch.describe_alarms(AlarmNamePrefix="Autoscale-")["MetricAlarms"]:
            if alarm["ComparisonOperator"].startswith(comparison):
                watch.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue=state, StateReason="test")
    az("cloud", "set", "-n", "Dari", "--profile", "latest")  # the hybrid profile has no such commands
    az("monitor", "autoscale", "create", *itself, "--resource", at, "--min-count", "2", "--max-count", "4", "--count", "2")
    counts(2)
    for direction, condition in (("out", "Percentage CPU > 75 avg 5m"), ("in", "Percentage CPU < 25 avg 5m"), ("in", "Network In Total < 1000 avg 10m")):
        az("monitor", "autoscale", "rule", "create", *setting, "--scale", direction, "1", "--condition", condition, "--cooldown", "1")
    assert [r["metricTrigger"]["operator"] for r in az("monitor", "autoscale", "rule", "list", *setting)] == ["GreaterThan", "LessThan", "LessThan"]
    ring("ALARM", "GreaterThan")
    counts(3)
    az("monitor", "autoscale", "profile", "create", *setting, "-n", "nights", "--count", "1", "--timezone", "W. Europe Standard Time", "--recurrence", "week", "mon", "tue",
       "--start", "00:00", "--end", "23:59")
    names = [p["name"] for p in az("monitor", "autoscale", "show", *itself)["profiles"]]
    assert "nights" in names and len(names) >= 2
    az("monitor", "autoscale", "profile", "delete", *setting, "-n", "nights")
    az("monitor", "autoscale", "update", *itself, "--count", "4", "--max-count", "4", "--min-count", "4")
    counts(4)
    assert [s["name"] for s in az("monitor", "autoscale", "list", "-g", "Sets")] == ["au"]
    az("monitor", "autoscale", "delete", *itself)
    assert not watch.describe_alarms(AlarmNamePrefix="Autoscale-")["MetricAlarms"] and len(machines_of(cloud, at)) == 4
    cloud.done("DELETE", at)


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider", *sys.argv[1:]]))

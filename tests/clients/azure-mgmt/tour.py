# SPDX-License-Identifier: Apache-2.0
"""azure-identity and the azure-mgmt packages, as the recipe of docs/clients.md has them."""
import os
import uuid

from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.identity import ClientSecretCredential, EnvironmentCredential
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.msi import ManagedServiceIdentityClient
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient
from steps import refused, same, step, tell

ENDPOINT, SUBSCRIPTION = os.environ["ENDPOINT"], os.environ["SUBSCRIPTION"]
SCOPE = ENDPOINT + "//.default"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6SPb4UcGZzvGJfzTxsVTWVRfLrtKJGTXKUlDvZvvnP desk"
where = {"base_url": ENDPOINT, "credential_scopes": [SCOPE]}
RULE = {"direction": "Inbound", "access": "Allow", "protocol": "Tcp", "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "80"}
made = {}


def credential(secret):
    return ClientSecretCredential(os.environ["TENANT"], os.environ["AWS_ACCESS_KEY_ID"], secret, authority=ENDPOINT, disable_instance_discovery=True)


mine = credential(os.environ["AWS_SECRET_ACCESS_KEY"])
resources, compute, network, rights, identities = (
    client(mine, SUBSCRIPTION, **where) for client in (ResourceManagementClient, ComputeManagementClient, NetworkManagementClient,
                                                       AuthorizationManagementClient, ManagedServiceIdentityClient))


def code(error):
    assert isinstance(error, HttpResponseError), error
    return error.error.code


def network_tour():
    with step("the environment that `dari dev` prints"):
        told = EnvironmentCredential(disable_instance_discovery=True)
        same([g.name for g in ResourceManagementClient(told, os.environ["AZURE_SUBSCRIPTION_ID"], **where).resource_groups.list()], ["dari-default"])
    with step("a wrong secret, and a group"):
        refused(lambda: credential("wrong").get_token(SCOPE), "AADSTS7000215", lambda e: isinstance(e, ClientAuthenticationError) and str(e))
        same(resources.resource_groups.create_or_update("web", {"location": "useast1", "tags": {"a": "b"}}).tags, {"a": "b"})
        assert "web" in {group.name for group in resources.resource_groups.list()}
    with step("a network, a security group and an interface"):
        inner = network.virtual_networks.begin_create_or_update("web", "inner", {"location": "useast1", "properties": {
            "addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}, "subnets": [{"name": "s1", "properties": {"addressPrefix": "10.1.1.0/24"}}]}}).result()
        network.network_security_groups.begin_create_or_update("web", "wall", {"location": "useast1", "properties": {"securityRules": [
            {"name": "web", "properties": {**RULE, "priority": 200, "sourceAddressPrefix": "*"}}]}}).result()
        same(network.security_rules.get("web", "wall", "web").priority, 200)
        made["nic"] = network.network_interfaces.begin_create_or_update("web", "nic1", {"location": "useast1", "properties": {"ipConfigurations": [
            {"name": "one", "properties": {"subnet": {"id": inner.subnets[0].id}}}]}}).result().id
    with step("a rule without a source is refused"):
        refused(lambda: network.security_rules.begin_create_or_update("web", "wall", "open", {"properties": {**RULE, "priority": 300}}).result(),
                "SecurityRuleParametersMissing", code)


def machines():
    with step("an image and a machine"):
        offer = compute.virtual_machine_images.list_offers("useast1", "dari")[0].name
        profile = {"hardwareProfile": {"vmSize": "Standard_B1s"}, "networkProfile": {"networkInterfaces": [{"id": made["nic"]}]},
                   "storageProfile": {"imageReference": {"publisher": "dari", "offer": offer, "sku": "default", "version": "latest"},
                                      "osDisk": {"createOption": "FromImage", "name": "root"}},
                   "osProfile": {"computerName": "vm1", "adminUsername": "azureuser", "linuxConfiguration": {
                       "disablePasswordAuthentication": True, "ssh": {"publicKeys": [{"path": "/home/azureuser/.ssh/authorized_keys", "keyData": KEY}]}}}}
        same(compute.virtual_machines.begin_create_or_update("web", "vm1", {"location": "useast1", "properties": profile}).result().provisioning_state, "Succeeded")
        same([vm.name for vm in compute.virtual_machines.list_all()], ["vm1"])
    with step("power off, deallocate, start"):
        compute.virtual_machines.begin_power_off("web", "vm1").result()
        compute.virtual_machines.begin_deallocate("web", "vm1").result()
        compute.virtual_machines.begin_start("web", "vm1").result()
        same(compute.virtual_machines.instance_view("web", "vm1").statuses[1].code, "PowerState/running")
    with step("a disk and its snapshot"):
        disk = compute.disks.begin_create_or_update("web", "data", {"location": "useast1", "properties": {
            "diskSizeGB": 1, "creationData": {"createOption": "Empty"}}}).result()
        same(compute.disks.begin_update("web", "data", {"tags": {"x": "y"}}).result().tags, {"x": "y"})
        shot = compute.snapshots.begin_create_or_update("web", "shot", {"location": "useast1", "properties": {"creationData": {
            "createOption": "Copy", "sourceResourceId": disk.id}}}).result()
        same(shot.provisioning_state, "Succeeded")
    with step("sizes and usage by pages"):
        assert list(compute.virtual_machine_sizes.list("useast1")) and list(compute.usage.list("useast1"))


def people():
    with step("an identity, a role, an assignment"):
        robot = identities.user_assigned_identities.create_or_update("web", "robot", {"location": "useast1"})
        scope = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/web"
        reader, = rights.role_definitions.list(scope, filter="roleName eq 'Reader'")
        name = str(uuid.uuid4())
        rights.role_assignments.create(scope, name, {"role_definition_id": reader.id, "principal_id": robot.principal_id, "principal_type": "ServicePrincipal"})
        assert name in {row.name for row in rights.role_assignments.list_for_scope(scope)}
        rights.role_assignments.delete(scope, name)


def clean_up():
    with step("errors have their codes"):
        refused(lambda: compute.virtual_machines.get("web", "nobody"), "ResourceNotFound", code)
        refused(lambda: compute.virtual_machines.get("nowhere", "nobody"), "ResourceGroupNotFound", code)
    with step("the machine and the group are deleted"):
        compute.virtual_machines.begin_delete("web", "vm1").result()
        resources.resource_groups.begin_delete("web").result()
        same(resources.resource_groups.check_existence("web"), False)


for part in (network_tour, machines, people, clean_up):
    part()
tell("end of tour")

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: docs/mapping.md src/engine/people src/auth/guard src/api/iam src/api/openstack/identity src/api/scim
"""Users and their rights through two faces, and each face's error for the same refusal, as docs/mapping.md says."""
import json
import os
import re
import sys
import uuid

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud as lib  # noqa: E402
import dev as ec2  # noqa: E402
import faces  # noqa: E402
import native  # noqa: E402
import saml_idp  # noqa: E402
import scim  # noqa: E402
from faces import COMPUTE, IDENTITY, IMAGE, NETWORK, VOLUME, code, ec2_id, holds  # noqa: E402
from regions import admin, dev  # noqa: E402, F401 (fixtures)


@pytest.fixture(scope="module")
def both(dev):
    yield lib.another(dev, "both", faces.Both)


def add_user(admin, name, project, *roles):
    """A user of the default domain with the roles on the project."""
    user = admin.ok("POST", f"{IDENTITY}/users", {"user": {"name": name, "password": "geheim"}})["user"]["id"]
    for role in roles:
        grant(admin, "PUT", project, user, role)
    return lib.Project(admin.dev, project.name, name, "geheim")


def grant(admin, method, project, user, role):
    which = admin.ok("GET", f"{IDENTITY}/roles?name={role}")["roles"][0]["id"]
    assert admin.call(method, f"{IDENTITY}/projects/{project.id}/users/{user}/roles/{which}").status == 204


def key_of(user):
    """An EC2 key that the user creates through Keystone."""
    made = user.ok("POST", f"{IDENTITY}/users/{user.user_id}/credentials/OS-EC2", {"tenant_id": user.id})["credential"]
    return ec2.Account(user.dev, made["access"], made["secret"])


def arn(account):
    return account.client("sts").get_caller_identity()["Arn"]


# ---- ids

@holds("What each face calls it: account", "What each face calls it: domain; user, group, role",
       "What each face calls it: users, groups, roles, projects, domains in Keystone")
def test_ids(both, admin):
    number = both.ec2.describe_vpcs()["Vpcs"][0]["OwnerId"]
    project = admin.ok("GET", f"{IDENTITY}/projects/{both.id}")["project"]
    assert re.fullmatch(r"\d{12}", number) and re.fullmatch("[0-9a-f]{32}", project["id"])
    assert (project["name"], project["domain_id"], project["parent_id"]) == ("both", "default", "default")
    assert admin.ok("GET", f"{IDENTITY}/domains/default")["domain"]["name"] == "Default"
    user = admin.ok("GET", f"{IDENTITY}/users?name=both")["users"][0]
    group = admin.ok("POST", f"{IDENTITY}/groups", {"group": {"name": "people"}})["group"]
    for identifier in (user["id"], group["id"]):
        assert re.fullmatch("[0-9a-f]{32}", identifier)
    dashed = str(uuid.UUID(user["id"]))
    assert admin.ok("GET", f"{IDENTITY}/users/{dashed}")["user"]["id"] == user["id"]  # with and without dashes
    assert admin.call("DELETE", f"{IDENTITY}/groups/{group['id']}").status == 204
    nested = admin.ok("POST", f"{IDENTITY}/projects", {"project": {"name": "inner", "parent_id": both.id}})["project"]
    assert nested["parent_id"] == both.id
    assert admin.call("DELETE", f"{IDENTITY}/projects/{nested['id']}").status == 204


@holds("What each face calls it: the roles `admin`, `manager`, `member`, `reader`", "What each face calls it: services and endpoints in Keystone")
def test_ids_that_are_everywhere_the_same(admin):
    """Services and endpoints have the same ids in every region, roles do not."""
    def ids(by):
        return ({r["name"]: r["id"] for r in by.ok("GET", f"{IDENTITY}/roles")["roles"]},
                {(s["type"], s["id"]) for s in by.ok("GET", f"{IDENTITY}/services")["services"]},
                {e["id"] for e in by.ok("GET", f"{IDENTITY}/endpoints")["endpoints"]})
    with ec2.Dev() as second:
        roles, services, endpoints = ids(admin)
        others = ids(lib.admin(second))
    assert {"admin", "manager", "member", "reader", "service"} <= set(roles) and services and endpoints
    assert (services, endpoints) == others[1:]
    assert {uuid.UUID(roles[n]).version for n in ("admin", "manager", "member", "reader", "service")} == {5}
    assert not set(roles.values()) & set(others[0].values())


# ---- rights

@holds("What each face calls it: users and groups in SCIM")
def test_scim(admin):
    place = scim.Domain(admin, "provisioned")
    user = place.user("ann")["id"]
    group = place.group("crew", {"id": user})["id"]
    assert admin.ok("GET", f"{IDENTITY}/users/{user}")["user"]["name"] == "ann"
    assert admin.ok("GET", f"{IDENTITY}/groups/{group}")["group"]["name"] == "crew"
    assert [u["id"] for u in admin.ok("GET", f"{IDENTITY}/groups/{group}/users")["users"]] == [user]


@holds("People: Root")
def test_root(both, admin):
    """EC2's root is a user that lists hide, and that role assignments show."""
    assert arn(both.root).endswith(":root")
    given = admin.ok("GET", f"{IDENTITY}/role_assignments?scope.project.id={both.id}")["role_assignments"]
    users = {g["user"]["id"] for g in given if "user" in g}
    listed = {u["id"] for u in admin.ok("GET", f"{IDENTITY}/users")["users"]}
    (own,) = users - listed
    assert admin.ok("GET", f"{IDENTITY}/users/{own}")["user"]["domain_id"] == "default"
    keys = admin.ok("GET", f"{IDENTITY}/users/{own}/credentials/OS-EC2")["credentials"]
    assert both.root.key_id in [k["access"] for k in keys]


@holds("People: Users", "People: Keys")
def test_keys(both, admin):
    user = add_user(admin, "keys", both, "member")
    key = key_of(user)
    number = both.ec2.describe_vpcs()["Vpcs"][0]["OwnerId"]
    assert arn(key) == f"arn:aws:iam::{number}:user/keys"
    group = key.client().create_security_group(GroupName="by-key", Description="d")["GroupId"]
    assert both.seen(NETWORK, "security-groups", group)["project_id"] == both.id == user.id
    path = f"{IDENTITY}/users/{user.user_id}/credentials/OS-EC2"
    (shown,) = user.ok("GET", path)["credentials"]
    assert (shown["access"], shown["tenant_id"], shown["user_id"]) == (key.key_id, both.id, user.user_id)
    grant(admin, "PUT", both, user.user_id, "reader")
    grant(admin, "DELETE", both, user.user_id, "member")
    assert key.ok("DescribeVpcs") and key.call("DeleteSecurityGroup", {"GroupId": group}).code == "UnauthorizedOperation"
    reader = lib.Project(both.dev, both.name, "keys", "geheim")
    assert reader.call("DELETE", f"{NETWORK}/security-groups/{both.seen(NETWORK, 'security-groups', group)['id']}").status == 403
    grant(admin, "PUT", both, user.user_id, "admin")  # a key has at most the rights of member
    assert {v["OwnerId"] for v in key.client().describe_vpcs()["Vpcs"]} == {number}
    assert key.call("DeleteSecurityGroup", {"GroupId": group}).status == 200
    grant(admin, "DELETE", both, user.user_id, "admin")
    assert user.call("DELETE", f"{path}/{key.key_id}").status == 204
    assert key.call("DescribeVpcs").code == "AuthFailure"
    assert admin.call("DELETE", f"{IDENTITY}/users/{user.user_id}").status == 204


@holds("People: Instance profiles")
def test_instance_profiles(both, admin):
    """Nova shows none, and its deletion ends the association; giving one requires iam:PassRole for its role."""
    iam, trust = both.root.client("iam"), {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="web", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
    iam.create_instance_profile(InstanceProfileName="web")
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="web")
    profile = {"IamInstanceProfile": {"Name": "web"}}
    instance = both.run(**profile)
    server = both.server(instance)
    assert both.instance(instance)["IamInstanceProfile"]["Arn"].endswith(":instance-profile/web") and "profile" not in json.dumps(server)
    user = add_user(admin, "passes", both, "member")
    words = dict(ImageId=both.image, InstanceType="t3.nano", MinCount=1, MaxCount=1, DryRun=True, **profile)
    assert code(key_of(user).client().run_instances, **words) == "UnauthorizedOperation"
    grant(admin, "PUT", both, user.user_id, "manager")
    assert code(key_of(user).client().run_instances, **words) == "DryRunOperation"
    both.delete(f"{COMPUTE}/servers/{server['id']}")
    assert both.ec2.describe_iam_instance_profile_associations()["IamInstanceProfileAssociations"] == []


@holds("People: Tokens")
def test_tokens(both, admin):
    """A token is refused as soon as any of its preconditions is revoked."""
    def works(user):
        return user.call("GET", f"{COMPUTE}/servers").status == 200
    user = add_user(admin, "tokens", both, "member")
    path = f"{IDENTITY}/users/{user.user_id}"

    def again():
        return lib.Project(both.dev, both.name, "tokens", user.password)
    assert works(user)
    admin.ok("PATCH", f"{IDENTITY}/projects/{both.id}", {"project": {"enabled": False}})
    assert not works(user) and code(both.ec2.describe_vpcs) == "AuthFailure"
    admin.ok("PATCH", f"{IDENTITY}/projects/{both.id}", {"project": {"enabled": True}})
    assert both.ec2.describe_vpcs()
    user = again()
    admin.ok("PATCH", path, {"user": {"enabled": False}})
    assert not works(user)
    admin.ok("PATCH", path, {"user": {"enabled": True}})
    assert not works(user)  # a new token is needed
    user = again()
    admin.ok("PATCH", path, {"user": {"password": "neu"}})
    assert not works(user)
    user.password = "neu"
    user = again()
    grant(admin, "DELETE", both, user.user_id, "member")
    assert not works(user)
    grant(admin, "PUT", both, user.user_id, "member")
    user = again()
    assert user.call("DELETE", f"{IDENTITY}/auth/tokens", headers={"X-Subject-Token": user.token}).status == 204
    assert not works(user)
    assert admin.call("DELETE", path).status == 204
    both.token = lib.Project(both.dev, both.name, "both", both.password).token


@holds("People: Roles")
def test_roles(both, admin):
    own = admin.ok("POST", f"{IDENTITY}/roles", {"role": {"name": "auditor"}})["role"]["id"]
    user = add_user(admin, "roles", both, "auditor", "reader")
    assert user.call("GET", f"{COMPUTE}/servers").status == 200
    assert user.call("POST", f"{NETWORK}/networks", {"network": {}}).status == 403  # the role's name grants nothing
    assert key_of(user).call("CreateVpc", {"CidrBlock": "10.0.0.0/16"}).code == "UnauthorizedOperation"
    chief = add_user(admin, "chief", both, "admin")
    seen = {s["tenant_id"] for s in chief.ok("GET", f"{COMPUTE}/servers/detail?all_tenants=1")["servers"]} | {both.id}
    assert both.id in seen and chief.call("GET", f"{COMPUTE}/os-hypervisors").status == 200
    for u in (user, chief):
        assert admin.call("DELETE", f"{IDENTITY}/users/{u.user_id}").status == 204
    assert admin.call("DELETE", f"{IDENTITY}/roles/{own}").status == 204


@holds("People: Unified limits")
def test_unified_limits(both, admin):
    """A registered limit is the quota's default, a limit the project's quota; another service's are stored alone."""
    nova = admin.ok("GET", f"{IDENTITY}/services?type=compute")["services"][0]["id"]
    before = both.ok("GET", f"{COMPUTE}/os-quota-sets/{both.id}")["quota_set"]["ram"]

    def quota(project=both):
        return admin.ok("GET", f"{COMPUTE}/os-quota-sets/{project.id}")["quota_set"]["ram"]

    def make(kind, **members):
        return admin.ok("POST", f"{IDENTITY}/{kind}", {kind: [members]})[kind][0]["id"]
    registered = make("registered_limits", service_id=nova, resource_name="class:MEMORY_MB", default_limit=before * 2)
    assert quota() == before * 2  # it had the former default
    limit = make("limits", service_id=nova, resource_name="class:MEMORY_MB", project_id=both.id, resource_limit=0)
    assert quota() == 0 and code(both.run) == "VcpuLimitExceeded"
    assert both.ok("GET", f"{IDENTITY}/limits")["limits"][0]["resource_limit"] == 0
    admin.ok("PUT", f"{COMPUTE}/os-quota-sets/{both.id}", {"quota_set": {"ram": 4096}})
    assert both.ok("GET", f"{IDENTITY}/limits/{limit}")["limit"]["resource_limit"] == 4096
    assert admin.call("DELETE", f"{IDENTITY}/registered_limits/{registered}").status == 403
    assert admin.call("DELETE", f"{IDENTITY}/limits/{limit}").status == 204 and quota() == before * 2
    assert admin.call("DELETE", f"{IDENTITY}/registered_limits/{registered}").status == 204 and quota() == before
    other = admin.ok("POST", f"{IDENTITY}/services", {"service": {"type": "fax", "name": "fax"}})["service"]["id"]
    registered = make("registered_limits", service_id=other, resource_name="servers", default_limit=3)
    assert admin.call("DELETE", f"{IDENTITY}/services/{other}").status == 403
    assert admin.call("DELETE", f"{IDENTITY}/registered_limits/{registered}").status == 204
    assert admin.call("DELETE", f"{IDENTITY}/services/{other}").status == 204


@holds("People: Federation")
def test_federation(both, admin):
    """IAM's SAML provider, by which an administrator lets people in, is Keystone's identity provider."""
    made = both.root.client("iam").create_saml_provider(Name="shown", SAMLMetadataDocument=saml_idp.Provider("https://shown.example.com").metadata())
    row = next(r for r in native.admin(both.dev).rows("/saml-providers?all=1&fields=*") if made["SAMLProviderArn"].endswith("/" + r["name"]))
    assert [i["id"] for i in admin.ok("GET", f"{IDENTITY}/OS-FEDERATION/identity_providers")["identity_providers"]] == []
    native.admin(both.dev).api_ok("PUT", f"/saml-providers/{row['id']}/sign-in", {"name": "shown", "group_attribute": "g", "groups": ["a = b"]})
    shown = admin.ok("GET", f"{IDENTITY}/OS-FEDERATION/identity_providers")["identity_providers"]
    assert [(i["id"], i["remote_ids"]) for i in shown] == [(row["id"].replace("-", ""), ["https://shown.example.com"])]
    protocol = admin.ok("GET", f"{IDENTITY}/OS-FEDERATION/identity_providers/shown/protocols")["protocols"][0]
    assert protocol["id"] == "saml2" and len(admin.ok("GET", f"{IDENTITY}/OS-FEDERATION/mappings/{protocol['mapping_id']}")["mapping"]["rules"]) == 2
    native.admin(both.dev).api_ok("DELETE", f"/saml-providers/{row['id']}/sign-in")


@holds("People: Deleting")
def test_deleting(dev, admin):
    gone = lib.another(dev, "gone", faces.Both)
    path = f"{IDENTITY}/projects/{gone.id}"
    gone.ec2.create_key_pair(KeyName="k")
    instance = gone.run()
    assert admin.call("DELETE", path).status == 409
    gone.terminate(instance)
    for vpc in gone.ec2.describe_vpcs()["Vpcs"]:
        drop(gone, vpc["VpcId"])
    gone.rest()
    for _ in range(100):
        answer = admin.call("DELETE", path)
        if answer.status == 204:
            break
        gone.rest()
    assert answer.status == 204, answer
    assert code(gone.ec2.describe_vpcs) == "AuthFailure" and gone.status("GET", f"{COMPUTE}/servers") == 401
    domain = admin.ok("POST", f"{IDENTITY}/domains", {"domain": {"name": "apart"}})["domain"]["id"]
    project = admin.ok("POST", f"{IDENTITY}/projects", {"project": {"name": "in", "domain_id": domain}})["project"]["id"]
    user = admin.ok("POST", f"{IDENTITY}/users", {"user": {"name": "in", "domain_id": domain}})["user"]["id"]
    assert admin.call("DELETE", f"{IDENTITY}/domains/{domain}").status == 403  # it is enabled
    admin.ok("PATCH", f"{IDENTITY}/domains/{domain}", {"domain": {"enabled": False}})
    assert admin.call("DELETE", f"{IDENTITY}/domains/{domain}").status == 409  # it has a project
    assert admin.call("DELETE", f"{IDENTITY}/projects/{project}").status == 204
    assert admin.call("DELETE", f"{IDENTITY}/domains/{domain}").status == 204
    assert admin.call("GET", f"{IDENTITY}/users/{user}").status == 404


def drop(both, vpc):
    """Deletes a VPC with its default parts."""
    within = [{"Name": "vpc-id", "Values": [vpc]}]
    for subnet in both.ec2.describe_subnets(Filters=within)["Subnets"]:
        both.ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    for gateway in both.ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [vpc]}])["InternetGateways"]:
        both.ec2.detach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=vpc)
        both.ec2.delete_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"])
    both.ec2.delete_vpc(VpcId=vpc)


# ---- the same refusal in each face

ABSENT = str(uuid.UUID(int=7, version=4))
NOT_FOUND = [  # EC2's call and code; OpenStack's path, and the beginning of its message
    ("describe_instances", "InstanceIds", "i", "InvalidInstanceID.NotFound", f"{COMPUTE}/servers", ABSENT),
    ("describe_volumes", "VolumeIds", "vol", "InvalidVolume.NotFound", f"{VOLUME}/volumes", ABSENT),
    ("describe_snapshots", "SnapshotIds", "snap", "InvalidSnapshot.NotFound", f"{VOLUME}/snapshots", ABSENT),
    ("describe_images", "ImageIds", "ami", "InvalidAMIID.NotFound", f"{IMAGE}/images", "image"),
    ("describe_network_interfaces", "NetworkInterfaceIds", "eni", "InvalidNetworkInterfaceID.NotFound", f"{NETWORK}/ports", "PortNotFound"),
    ("describe_subnets", "SubnetIds", "subnet", "InvalidSubnetID.NotFound", f"{NETWORK}/subnets", "SubnetNotFound"),
    ("describe_vpcs", "VpcIds", "vpc", "InvalidVpcID.NotFound", f"{NETWORK}/routers", "RouterNotFound"),
    ("describe_addresses", "AllocationIds", "eipalloc", "InvalidAllocationID.NotFound", f"{NETWORK}/floatingips", "FloatingIPNotFound"),
    ("describe_security_groups", "GroupIds", "sg", "InvalidGroup.NotFound", f"{NETWORK}/security-groups", "SecurityGroupNotFound"),
    ("describe_security_group_rules", "SecurityGroupRuleIds", "sgr", "InvalidSecurityGroupRuleId.NotFound", f"{NETWORK}/security-group-rules",
     "SecurityGroupRuleNotFound"),
    ("describe_key_pairs", "KeyNames", None, "InvalidKeyPair.NotFound", f"{COMPUTE}/os-keypairs", "absent"),
    ("describe_instance_types", "InstanceTypes", None, "InvalidInstanceType", f"{COMPUTE}/flavors", "absent"),
]


@pytest.mark.parametrize("call, member, prefix, wanted, path, words", NOT_FOUND, ids=[r[4] for r in NOT_FOUND])
def test_not_found(both, call, member, prefix, wanted, path, words):
    name = ec2_id(prefix, ABSENT) if prefix else "absent"
    assert code(getattr(both.ec2, call), **{member: [name]}) == wanted
    for method in ("GET", "DELETE"):
        answer = both.call(method, f"{path}/{ABSENT if prefix else 'absent'}")
        if method == "DELETE" and path.endswith("flavors"):
            continue  # for administrators
        assert answer.status == 404 and re.search(words, answer.text), answer


@pytest.mark.parametrize("cidr", ["10.0.0.0/33", "10.0.0", "10.0.0.0", "x", "10.0.0.0/8/8"])
def test_bad_cidrs(both, cidr):
    network = both.ok("POST", f"{NETWORK}/networks", {"network": {}})["network"]["id"]
    assert code(both.ec2.create_vpc, CidrBlock=cidr) == "InvalidParameterValue"
    answer = both.call("POST", f"{NETWORK}/subnets", {"subnet": {"network_id": network, "cidr": cidr, "ip_version": 4}})
    assert answer.status == 400 and "cidr" in answer.text, answer
    both.delete(f"{NETWORK}/networks/{network}")


def test_wrong_states(both):
    """Both faces refuse actions in the wrong state, without any change."""
    instance = both.run()
    server = both.server(instance)["id"]
    path = f"{COMPUTE}/servers/{server}"
    for act in ("os-start", "unpause", "resume", "confirmResize", "revertResize"):
        answer = both.call("POST", f"{path}/action", {act: None})
        assert answer.status == 409 and "conflictingRequest" in answer.json, f"{act}: {answer}"
    assert code(both.ec2.modify_instance_attribute, InstanceId=instance, InstanceType={"Value": "t3.small"}) == "IncorrectInstanceState"
    root = both.instance(instance)["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    identifier = both.seen(VOLUME, "volumes", root)["id"]
    zone = both.instance(instance)["Placement"]["AvailabilityZone"]
    assert code(both.ec2.attach_volume, VolumeId=root, InstanceId=instance, Device="/dev/sdf") == "VolumeInUse"
    assert both.status("POST", f"{path}/os-volume_attachments", {"volumeAttachment": {"volumeId": identifier}}) in (400, 409)
    assert code(both.ec2.delete_volume, VolumeId=root) == "VolumeInUse"
    assert both.status("DELETE", f"{VOLUME}/volumes/{identifier}") == 400
    both.terminate(instance)
    assert code(both.ec2.start_instances, InstanceIds=[instance]) == "IncorrectInstanceState"
    assert both.status("POST", f"{path}/action", {"os-start": None}) == 404
    volume = both.ec2.create_volume(AvailabilityZone=zone, Size=1)["VolumeId"]
    both.rest()
    assert code(both.ec2.detach_volume, VolumeId=volume) == "IncorrectState"
    assert code(both.ec2.modify_volume, VolumeId=volume, Size=1, VolumeType="st1") == "InvalidParameterValue"
    shrunk = both.call("POST", f"{VOLUME}/volumes/{both.seen(VOLUME, 'volumes', volume)['id']}/action", {"os-extend": {"new_size": 1}})
    assert shrunk.status == 400, shrunk
    both.ec2.delete_volume(VolumeId=volume)


def test_in_use(both):
    """Both refuse to delete resources in use; except a server's port, which Neutron deletes (tests/contract/cross/two_faces_network.py)."""
    group = both.ec2.create_security_group(GroupName="used", Description="d")["GroupId"]
    instance = both.run(SecurityGroupIds=[group])
    interface = both.instance(instance)["NetworkInterfaces"][0]
    port = both.seen(NETWORK, "ports", interface["NetworkInterfaceId"])

    def refused(path, kind):
        answer = both.call("DELETE", f"{NETWORK}/{path}")
        assert (answer.status, answer.json["NeutronError"]["type"]) == (409, kind), answer
    assert code(both.ec2.delete_security_group, GroupId=group) == "DependencyViolation"
    refused(f"security-groups/{both.seen(NETWORK, 'security-groups', group)['id']}", "SecurityGroupInUse")
    assert code(both.ec2.delete_network_interface, NetworkInterfaceId=interface["NetworkInterfaceId"]) == "InvalidNetworkInterface.InUse"
    assert code(both.ec2.delete_subnet, SubnetId=interface["SubnetId"]) == "DependencyViolation"
    refused(f"subnets/{port['fixed_ips'][0]['subnet_id']}", "SubnetInUse")
    refused(f"networks/{port['network_id']}", "NetworkInUse")
    assert code(both.ec2.delete_vpc, VpcId=interface["VpcId"]) == "DependencyViolation"
    refused(f"routers/{both.seen(NETWORK, 'routers', interface['VpcId'])['id']}", "RouterInUse")
    assert code(both.ec2.create_network_interface, SubnetId=interface["SubnetId"], PrivateIpAddress=interface["PrivateIpAddress"]) == \
        "InvalidIPAddress.InUse"
    answer = both.call("POST", f"{NETWORK}/ports", {"port": {"network_id": port["network_id"], "fixed_ips": [{"ip_address": interface["PrivateIpAddress"]}]}})
    assert (answer.status, answer.json["NeutronError"]["type"]) == (409, "IpAddressInUse"), answer
    both.terminate(instance)
    rule = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "IpRanges": [{"CidrIp": "192.0.2.0/24"}]}
    both.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    assert code(both.ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=[rule]) == "InvalidPermission.Duplicate"
    answer = both.call("POST", f"{NETWORK}/security-group-rules", {"security_group_rule": {
        "security_group_id": both.seen(NETWORK, "security-groups", group)["id"], "direction": "ingress", "protocol": "tcp", "port_range_min": 1,
        "port_range_max": 1, "remote_ip_prefix": "192.0.2.0/24"}})
    assert (answer.status, answer.json["NeutronError"]["type"]) == (409, "SecurityGroupRuleExists")
    both.ec2.delete_security_group(GroupId=group)


def test_the_region_is_as_its_rows_say(both):
    assert both.dev.audit() == []


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

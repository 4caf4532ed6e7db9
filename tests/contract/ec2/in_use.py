#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/ec2 src/engine/network src/engine/storage
"""Actions that another resource prevents are refused with the code that tools depend on, and change nothing; in the right order everything can be
deleted, and nothing is left."""
import itertools
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import Dev, Unchanged, describes, digest, dump  # noqa: E402
from world import HOSTS, World, ids_in, wire  # noqa: E402
import waiting  # noqa: E402

TABLES = dump()

# Action, parameters ("{label}" of the world), code.
REFUSED = [
    # in use
    ("DeleteVpc", {"VpcId": "{vpc}"}, "DependencyViolation"),
    ("DeleteSubnet", {"SubnetId": "{subnet}"}, "DependencyViolation"),
    ("DeleteSecurityGroup", {"GroupId": "{sg}"}, "DependencyViolation"),
    ("DeleteRouteTable", {"RouteTableId": "{rtb}"}, "DependencyViolation"),
    ("DeleteRouteTable", {"RouteTableId": "{main rtb}"}, "DependencyViolation"),
    ("DeleteInternetGateway", {"InternetGatewayId": "{igw}"}, "DependencyViolation"),
    ("DetachInternetGateway", {"InternetGatewayId": "{igw}", "VpcId": "{vpc}"}, "DependencyViolation"),
    ("DetachInternetGateway", {"InternetGatewayId": "{spare igw}", "VpcId": "{vpc}"}, "Gateway.NotAttached"),
    ("ReleaseAddress", {"AllocationId": "{eipalloc}"}, "InvalidIPAddress.InUse"),
    ("DeleteNetworkInterface", {"NetworkInterfaceId": "{eni}"}, "InvalidNetworkInterface.InUse"),
    ("AttachNetworkInterface", {"NetworkInterfaceId": "{eni}", "InstanceId": "{lone i}", "DeviceIndex": 1}, "InvalidNetworkInterface.InUse"),
    ("AttachNetworkInterface", {"NetworkInterfaceId": "{spare eni}", "InstanceId": "{i}", "DeviceIndex": 1}, "InvalidParameterValue"),
    # exists already
    ("AttachInternetGateway", {"InternetGatewayId": "{igw}", "VpcId": "{spare vpc}"}, "Resource.AlreadyAssociated"),
    ("AttachInternetGateway", {"InternetGatewayId": "{spare igw}", "VpcId": "{vpc}"}, "Resource.AlreadyAssociated"),
    ("CreateEgressOnlyInternetGateway", {"VpcId": "{vpc}"}, "Resource.AlreadyAssociated"),
    ("AssociateSecurityGroupVpc", {"GroupId": "{sg}", "VpcId": "{vpc}"}, "InvalidParameterValue"),
    ("AssociateRouteTable", {"RouteTableId": "{spare rtb}", "SubnetId": "{subnet}"}, "Resource.AlreadyAssociated"),
    ("AssociateAddress", {"AllocationId": "{eipalloc}", "NetworkInterfaceId": "{spare eni}", "AllowReassociation": "false"}, "Resource.AlreadyAssociated"),
    ("CreateKeyPair", {"KeyName": "contract"}, "InvalidKeyPair.Duplicate"),
    ("CreateSecurityGroup", {"GroupName": "contract", "GroupDescription": "x", "VpcId": "{vpc}"}, "InvalidGroup.Duplicate"),
    ("AuthorizeSecurityGroupIngress", {"GroupId": "{sg}", "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "198.51.100.0/24"},
     "InvalidPermission.Duplicate"),
    ("CreateRoute", {"RouteTableId": "{rtb}", "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "{igw}"}, "RouteAlreadyExists"),
    ("CreateSubnet", {"VpcId": "{vpc}", "CidrBlock": "10.1.1.128/25"}, "InvalidSubnet.Conflict"),
    ("CreateNetworkInterface", {"SubnetId": "{subnet}", "PrivateIpAddress": "{ip}"}, "InvalidIPAddress.InUse"),
    ("RunInstances", {"ImageId": "{ami}", "MinCount": 1, "MaxCount": 1, "SubnetId": "{subnet}", "PrivateIpAddress": "{ip}"}, "InvalidIPAddress.InUse"),
    # does not exist
    ("RevokeSecurityGroupIngress", {"GroupId": "{sg}", "IpProtocol": "tcp", "FromPort": 23, "ToPort": 23, "CidrIp": "198.51.100.0/24"},
     "InvalidPermission.NotFound"),
    ("DeleteRoute", {"RouteTableId": "{rtb}", "DestinationCidrBlock": "198.18.0.0/15"}, "InvalidRoute.NotFound"),
    ("ReplaceRoute", {"RouteTableId": "{rtb}", "DestinationCidrBlock": "198.18.0.0/15", "GatewayId": "{igw}"}, "InvalidRoute.NotFound"),
    # outside of its container
    ("CreateVpc", {"CidrBlock": "10.0.0.0/15"}, "InvalidVpc.Range"),
    ("CreateVpc", {"CidrBlock": "10.0.0.0/29"}, "InvalidVpc.Range"),
    ("CreateSubnet", {"VpcId": "{vpc}", "CidrBlock": "10.2.0.0/24"}, "InvalidSubnet.Range"),
    ("CreateNetworkInterface", {"SubnetId": "{subnet}", "PrivateIpAddress": "10.1.2.9"}, "InvalidParameterValue"),
    ("CreateNetworkInterface", {"SubnetId": "{subnet}", "PrivateIpAddress": "10.1.1.1"}, "InvalidParameterValue"),
    ("CreateRoute", {"RouteTableId": "{spare rtb}", "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "{spare igw}"}, "InvalidParameterValue"),
    ("RunInstances", {"ImageId": "{ami}", "MinCount": 1, "MaxCount": 1, "SubnetId": "{subnet}", "SecurityGroupId.1": "{default sg}"}, "InvalidParameter"),
    # unavailable
    ("DeleteSecurityGroup", {"GroupId": "{default sg}"}, "CannotDelete"),
    ("DetachNetworkInterface", {"AttachmentId": "{primary attachment}"}, "OperationNotPermitted"),
    ("DisassociateRouteTable", {"AssociationId": "{main rtbassoc}"}, "InvalidParameterValue"),
    ("CreateTags", {"ResourceId.1": "{vpc}", "Tag.1.Key": "aws:mine", "Tag.1.Value": "x"}, "InvalidParameterValue"),
    ("CreateTags", {"ResourceId.1": "{vpc}", **{f"Tag.{n}.Key": f"k{n}" for n in range(1, 52)}}, "TagLimitExceeded"),
    # states
    ("RebootInstances", {"InstanceId.1": "{ended i}"}, "IncorrectInstanceState"),
    ("StartInstances", {"InstanceId.1": "{ended i}"}, "IncorrectInstanceState"),
    ("StopInstances", {"InstanceId.1": "{ended i}"}, "IncorrectInstanceState"),
    ("TerminateInstances", {"InstanceId.1": "{guarded i}"}, "OperationNotPermitted"),
    # one of several fails
    ("TerminateInstances", {"InstanceId.1": "{i}", "InstanceId.2": "i-0123456789abcdef0"}, "InvalidInstanceID.NotFound"),
    ("CreateTags", {"ResourceId.1": "{vpc}", "ResourceId.2": "subnet-0123456789abcdef0", "Tag.1.Key": "k"}, "InvalidSubnetID.NotFound"),
    ("RunInstances", {"ImageId": "{ami}", "MinCount": 14, "MaxCount": 20, "SubnetId": "{small subnet}"}, "InsufficientFreeAddressesInSubnet"),
]


@pytest.fixture(scope="module")
def dev():
    with Dev(*HOSTS) as dev:
        yield dev


@pytest.fixture(scope="module")
def world(dev):
    world = World(dev.account, TABLES)
    call, ids, vpc = world.account.ok, world.ids, world.ids["vpc"]
    of_vpc = {"Filter.1.Name": "vpc-id", "Filter.1.Value.1": vpc}
    main = call("DescribeRouteTables", {**of_vpc, "Filter.2.Name": "association.main", "Filter.2.Value.1": "true"})
    ids["main rtb"], ids["main rtbassoc"] = main.first(".//routeTableId"), main.first(".//routeTableAssociationId")
    default = call("DescribeVpcs", {"Filter.1.Name": "is-default", "Filter.1.Value.1": "true"}).first(".//vpcId")
    ids["default sg"] = call("DescribeSecurityGroups", {"Filter.1.Name": "vpc-id", "Filter.1.Value.1": default,
                                                           "Filter.2.Name": "group-name", "Filter.2.Value.1": "default"}).first(".//groupId")
    found = call("DescribeInstances", {"InstanceId.1": ids["i"]})
    ids["ip"], ids["primary attachment"] = found.first(".//privateIpAddress"), found.first(".//networkInterfaceSet/item/attachment/attachmentId")
    world.make("small subnet", "CreateSubnet", {"VpcId": vpc, "CidrBlock": "10.1.4.0/28"}, "subnetId")
    launch = {"ImageId": world.image, "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1, "SubnetId": ids["subnet"]}
    world.make("guarded i", "RunInstances", {**launch, "DisableApiTermination": "true"}, "instanceId")
    world.await_state(world.make("ended i", "RunInstances", launch, "instanceId"), "running")
    call("TerminateInstances", {"InstanceId.1": ids["ended i"]})
    world.await_state(ids["ended i"], "terminated")
    dev.rest()
    return world


@pytest.fixture(scope="module")
def unchanged(world):
    return Unchanged(TABLES, world.account)


@pytest.mark.parametrize("action, params, code", REFUSED, ids=[f"{n}-{row[0]}-{row[2]}" for n, row in enumerate(REFUSED)])
def test_refused(action, params, code, world, unchanged):
    answer = world.account.call(action, {k: v.format(**world.ids) if isinstance(v, str) else v for k, v in params.items()})
    assert (answer.status, answer.code) == (400, code), answer
    assert unchanged.holds(), "something has changed"


def test_limits(dev):
    """An account created by `dari account create` has limits."""
    account = dev.new_account("limited")
    for action, params, code, things in [("AllocateAddress", {}, "AddressLimitExceeded", "addresses"),
                                         ("CreateVpc", {"CidrBlock": "10.7.0.0/16"}, "VpcLimitExceeded", "VPCs")]:
        answers = [account.call(action, params) for _ in range(25)]
        assert answers[0].status == 200 and answers[-1].code == code, answers[-1]
        assert f"The maximum number of {things} has been reached." in str(answers[-1]), answers[-1]


# Actions that show ended resources for a while.
LINGERING = re.compile("DescribeCapacityReservations|DescribeFleets|DescribeInstance|DescribeHosts|DescribeManagedPrefixLists|DescribeNatGateways|DescribeVpcPeeringConnections|DescribeCustomerGateways|DescribeVpnConnections|DescribeVpnGateways|DescribeTransitGateway(?!RouteTables)|DescribeSpotInstanceRequests|DescribeSpotFleetRequests|DescribeTags|DescribeVolumesModifications|DescribeImport|DescribeExport")
ENDING = re.compile("(Terminate|Release|Delete|Disassociate|Detach|Deregister)[A-Z]")


def seen(account):
    names = [(name, {}) for name in describes(TABLES) if not LINGERING.match(name)]
    return {name: answer.same() for (name, _), answer in zip(names, account.call_all(names))}


def endings(found):
    """Requests that delete each resource: with its id if the action takes ids of its kind."""
    for action in TABLES["actions"]:
        if not ENDING.match(action["name"]) or action["name"] == "DeleteTags":
            continue
        params = [p for p in action["params"] if p.get("form") == "id" and p.get("prefix")]
        needed = [p for p in params if p["required"]] or params[:1]
        more = {"TerminateInstances": "true"} if action["name"] == "DeleteFleets" else {}
        for chosen in itertools.product(*([i for i in found if i.rpartition("-")[0] == p["prefix"]] for p in needed)):
            yield action["name"], {**more, **{wire(p["name"]): i for p, i in zip(needed, chosen)}}


def test_take_down(dev):
    """Retrying all deletions eventually deletes everything: no refusal is permanent."""
    account = dev.new_account("tidy")
    before = seen(account)
    known = set(ids_in("".join(before.values())))
    balancer = World(account, TABLES).ids["balancer"]
    after = {}

    def goes_down():
        all_text = digest(TABLES, account)
        account.call_all([r for r in endings(sorted(set(ids_in(all_text)) - known)) if not known & set(r[1].values())])
        named = account.ok("DescribePlacementGroups").all("placementGroupSet/item/groupName")
        account.call_all([("DeletePlacementGroup", {"GroupName": name}) for name in named])
        account.call("DeleteLoadBalancer", {"LoadBalancerArn": balancer}, service="elasticloadbalancing", version="2015-12-01")
        after.update(seen(account))
        return after == before
    waiting.soon(goes_down, shows=lambda: after)
    left = [name for name in before if after[name] != before[name]]
    assert not left, f"{left[0]}: {after[left[0]]}"
    assert dev.audit() == []


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

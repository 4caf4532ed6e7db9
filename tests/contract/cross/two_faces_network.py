#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: docs/mapping.md src/engine/network src/api/ec2/network src/api/openstack/network
"""The network through two faces, as docs/mapping.md says: one router, shown as a VPC and as Neutron's router."""
import os
import sys
import uuid

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud as lib  # noqa: E402
import cloudstack  # noqa: E402
import faces  # noqa: E402
from dev import Dev  # noqa: E402
from faces import COMPUTE, NETWORK, code, ec2_id, found, holds  # noqa: E402


@pytest.fixture(scope="module")
def both():
    with Dev() as dev:
        yield lib.another(dev, "both", faces.Both, role="manager")


@pytest.fixture(scope="module")
def outside(both):
    """The external network."""
    return both.ok("GET", f"{NETWORK}/networks?router:external=true")["networks"][0]


def make(both, kind, collection=None, **members):
    return both.ok("POST", f"{NETWORK}/{collection or kind + 's'}", {kind: members})[kind]


def change(both, kind, identifier, collection=None, **members):
    return both.ok("PUT", f"{NETWORK}/{collection or kind + 's'}/{identifier}", {kind: members})[kind]


def make_vpc(both, block, subnets=1):
    """Id of a VPC, of its router, and its subnets in each face."""
    vpc = both.ec2.create_vpc(CidrBlock=block)["Vpc"]["VpcId"]
    router = both.seen(NETWORK, "routers", vpc)["id"]
    made = [both.ec2.create_subnet(VpcId=vpc, CidrBlock=block.replace(".0.0/16", f".{n}.0/24"), AvailabilityZone=both.zone)["Subnet"]
            for n in range(1, subnets + 1)]
    return vpc, router, [(s, both.seen(NETWORK, "subnets", s["SubnetId"])) for s in made]


def drop_vpc(both, vpc, subnets):
    for subnet, _ in subnets:
        both.ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    both.ec2.delete_vpc(VpcId=vpc)
    both.rest()


def make_router(both, cidr, name="r"):
    """A Neutron network with a subnet on a router."""
    network = make(both, "network", name=name)["id"]
    subnet = make(both, "subnet", network_id=network, cidr=cidr, ip_version=4, name=name)["id"]
    router = make(both, "router", name=name)["id"]
    both.ok("PUT", f"{NETWORK}/routers/{router}/add_router_interface", {"subnet_id": subnet})
    return network, subnet, router


def drop_router(both, network, subnet, router):
    both.ok("PUT", f"{NETWORK}/routers/{router}/remove_router_interface", {"subnet_id": subnet})
    both.delete(f"{NETWORK}/routers/{router}")
    both.delete(f"{NETWORK}/networks/{network}")


@holds("The network: Flow logs", "What each face calls it: flow log")
def test_flow_logs(both):
    """A flow log goes with its subnet, whichever face deletes it."""
    vpc, _, subnets = make_vpc(both, "10.62.0.0/16")
    made = both.ec2.create_flow_logs(ResourceIds=[subnets[0][0]["SubnetId"]], ResourceType="Subnet", TrafficType="ALL", LogDestinationType="s3",
                                     LogDestination="arn:aws:s3:::flow-logs")["FlowLogIds"]
    assert [log["FlowLogId"] for log in both.ec2.describe_flow_logs(FlowLogIds=made)["FlowLogs"]] == made
    both.delete(f"{NETWORK}/subnets/{subnets[0][1]['id']}")
    both.rest()
    assert both.ec2.describe_flow_logs()["FlowLogs"] == []
    both.ec2.delete_vpc(VpcId=vpc)


@holds("The network: VPC endpoints", "What each face calls it: VPC endpoint")
def test_vpc_endpoints(both):
    """Neutron shows the interfaces of an endpoint as ports, which only the endpoint deletes."""
    vpc = both.ec2.create_vpc(CidrBlock="10.61.0.0/16")["Vpc"]["VpcId"]
    subnet = both.ec2.create_subnet(VpcId=vpc, CidrBlock="10.61.1.0/24")["Subnet"]["SubnetId"]
    made = both.ec2.create_vpc_endpoint(VpcId=vpc, ServiceName="com.amazonaws.us-east-1.ec2", VpcEndpointType="Interface", SubnetIds=[subnet],
                                        PrivateDnsEnabled=False)["VpcEndpoint"]
    ports = ports_of(both, device_owner="network:vpc_endpoint")
    assert [ec2_id("eni", p["id"]) for p in ports] == made["NetworkInterfaceIds"]
    assert code(lambda: both.ec2.delete_network_interface(NetworkInterfaceId=made["NetworkInterfaceIds"][0])) == "AuthFailure"
    both.ec2.delete_vpc_endpoints(VpcEndpointIds=[made["VpcEndpointId"]])
    both.rest()
    assert not ports_of(both, device_owner="network:vpc_endpoint")
    both.ec2.delete_subnet(SubnetId=subnet)
    both.ec2.delete_vpc(VpcId=vpc)


@holds("The network: Endpoint services", "What each face calls it: endpoint service")
def test_endpoint_services(both):
    """Neutron shows a service's interface as a port, which neither face deletes and no trunk takes, until the service goes."""
    vpc, _, subnets = make_vpc(both, "10.66.0.0/16")
    elb = both.root.client("elbv2")
    balancer = elb.create_load_balancer(Name="offered", Type="network", Scheme="internal", Subnets=[subnets[0][0]["SubnetId"]])["LoadBalancers"][0]["LoadBalancerArn"]
    made = both.ec2.create_vpc_endpoint_service_configuration(NetworkLoadBalancerArns=[balancer])["ServiceConfiguration"]
    both.rest()
    (leg,) = ports_of(both, device_owner="network:endpoint_service")
    assert leg["network_id"] == subnets[0][1]["network_id"] and made["ServiceId"].startswith("vpce-svc-")
    assert code(lambda: both.ec2.delete_network_interface(NetworkInterfaceId=ec2_id("eni", leg["id"]))) == "AuthFailure"
    assert both.status("DELETE", f"{NETWORK}/ports/{leg['id']}") == 409
    assert both.status("POST", f"{NETWORK}/trunks", {"trunk": {"port_id": leg["id"]}}) == 409
    assert both.ec2.delete_vpc_endpoint_service_configurations(ServiceIds=[made["ServiceId"]])["Unsuccessful"] == []
    elb.delete_load_balancer(LoadBalancerArn=balancer)
    both.rest()
    assert not ports_of(both, device_owner="network:endpoint_service")
    drop_vpc(both, vpc, subnets)


@holds("The network: Transit gateways", "What each face calls it: transit gateway, attachment", "What each face calls it: transit route table, route")
def test_transit_gateways(both):
    """Neutron does not show them, and keeps their routes."""
    vpc, router, subnets = make_vpc(both, "10.64.0.0/16")
    gateway = both.ec2.create_transit_gateway()["TransitGateway"]
    identifier = gateway["TransitGatewayId"]
    table = both.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"][0]["RouteTableId"]
    before = both.ok("GET", f"{NETWORK}/routers/{router}")["router"], ports_of(both, device_id=router)
    attachment = both.ec2.create_transit_gateway_vpc_attachment(TransitGatewayId=identifier, VpcId=vpc, SubnetIds=[subnets[0][0]["SubnetId"]])
    attachment = attachment["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"]
    both.ec2.create_route(RouteTableId=table, DestinationCidrBlock="10.65.0.0/16", TransitGatewayId=identifier)
    both.rest()
    assert (both.ok("GET", f"{NETWORK}/routers/{router}")["router"], ports_of(both, device_id=router)) == before
    change(both, "router", router, routes=[])
    routes = both.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    assert [r.get("TransitGatewayId") for r in routes] == [None, identifier]
    ways = both.ec2.search_transit_gateway_routes(TransitGatewayRouteTableId=gateway["Options"]["PropagationDefaultRouteTableId"],
                                                  Filters=[{"Name": "state", "Values": ["active"]}])["Routes"]
    assert [(w["DestinationCidrBlock"], w["Type"]) for w in ways] == [("10.64.0.0/16", "propagated")]
    made = make_router(both, "10.66.1.0/24")
    assert code(lambda: both.ec2.create_transit_gateway_vpc_attachment(TransitGatewayId=identifier, VpcId=ec2_id("vpc", made[2]),
                                                                       SubnetIds=[subnets[0][0]["SubnetId"]])) == "InvalidParameterValue"
    drop_router(both, *made)
    both.ec2.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=attachment)
    both.rest()
    both.ec2.delete_transit_gateway(TransitGatewayId=identifier)
    drop_vpc(both, vpc, subnets)


@holds("The network: Site-to-site VPN", "What each face calls it: VPN gateway, customer gateway", "What each face calls it: VPN connection, its route")
def test_vpn_connections(both):
    """Neutron does not show them or the tunnels' public addresses, keeps their routes, and does not delete a router with a VPN gateway."""
    vpc, router, subnets = make_vpc(both, "10.67.0.0/16")
    gateway = both.ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
    site = both.ec2.create_customer_gateway(Type="ipsec.1", PublicIp="192.0.2.40", BgpAsn=65000)["CustomerGateway"]["CustomerGatewayId"]
    table = both.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"][0]["RouteTableId"]
    before = both.ok("GET", f"{NETWORK}/routers/{router}")["router"], ports_of(both, device_id=router), both.ok("GET", f"{NETWORK}/floatingips")
    both.ec2.attach_vpn_gateway(VpnGatewayId=gateway, VpcId=vpc)
    made = both.ec2.create_vpn_connection(Type="ipsec.1", VpnGatewayId=gateway, CustomerGatewayId=site, Options={"StaticRoutesOnly": True})["VpnConnection"]
    both.ec2.create_vpn_connection_route(VpnConnectionId=made["VpnConnectionId"], DestinationCidrBlock="10.99.0.0/24")
    both.ec2.create_route(RouteTableId=table, DestinationCidrBlock="10.99.0.0/16", GatewayId=gateway)
    both.rest()
    assert (both.ok("GET", f"{NETWORK}/routers/{router}")["router"], ports_of(both, device_id=router), both.ok("GET", f"{NETWORK}/floatingips")) == before
    change(both, "router", router, routes=[])
    routes = both.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    assert [r.get("GatewayId") for r in routes] == ["local", gateway]
    both.ec2.delete_route(RouteTableId=table, DestinationCidrBlock="10.99.0.0/16")
    both.ec2.delete_vpn_connection(VpnConnectionId=made["VpnConnectionId"])
    for subnet, _ in subnets:
        both.ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    assert both.status("DELETE", f"{NETWORK}/routers/{router}") == 409
    assert code(lambda: both.ec2.delete_vpc(VpcId=vpc)) == "DependencyViolation"
    both.ec2.detach_vpn_gateway(VpnGatewayId=gateway, VpcId=vpc)
    both.ec2.delete_vpn_gateway(VpnGatewayId=gateway)
    both.ec2.delete_customer_gateway(CustomerGatewayId=site)
    drop_vpc(both, vpc, [])


@holds("The network: Site-to-site VPN in CloudStack")
def test_vpn_in_cloudstack(both):
    """A connection of CloudStack's has one tunnel, which follows its customer gateway. EC2's are listed, reset and deleted."""
    ec2, who = both.ec2, cloudstack.key_of(both)

    def ok(command, **given):
        return cloudstack.ok(both.dev, command, **given, **who)

    def one(kind, **given):
        row, = ok(f"listVpn{kind}s", **given)[f"vpn{kind.lower()}"]
        return row

    vpc, router, _ = make_vpc(both, "10.69.0.0/16", subnets=0)
    theirs = ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
    assert ok("listVpnGateways") == {}
    ec2.attach_vpn_gateway(VpnGatewayId=theirs, VpcId=vpc)
    shown = one("Gateway", vpcid=router)
    assert ec2_id("vgw", shown["id"]) == theirs and "publicip" not in shown
    assert cloudstack.refused(both.dev, "createVpnGateway", vpcid=router, **who)[0] == 431
    site = ec2.create_customer_gateway(Type="ipsec.1", PublicIp="192.0.2.40", BgpAsn=65000, DeviceName="fw")["CustomerGateway"]["CustomerGatewayId"]
    made = ec2.create_vpn_connection(Type="ipsec.1", VpnGatewayId=theirs, CustomerGatewayId=site, Options={"StaticRoutesOnly": True})["VpnConnection"]
    both.rest()
    connection, customer = one("Connection"), one("CustomerGateway")
    assert (ec2_id("vpn", connection["id"]), customer["name"], connection["gateway"]) == (made["VpnConnectionId"], "fw", "192.0.2.40")
    assert connection["publicip"] == made["Options"]["TunnelOptions"][0]["OutsideIpAddress"] and connection["state"] == "Disconnected"
    follows = {"s2svpngatewayid": shown["id"], "s2scustomergatewayid": customer["id"]}
    assert "pre-shared key" in cloudstack.refused(both.dev, "createVpnConnection", **follows, **who)[1]
    ok("resetVpnConnection", id=connection["id"])
    settings = {"cidrlist": "10.99.0.0/24,10.98.0.0/24", "ipsecpsk": "a.key", "ikepolicy": "aes256-sha256;modp2048", "esppolicy": "aes128-sha1;modp3072"}
    ok("updateVpnCustomerGateway", id=customer["id"], gateway="192.0.2.41", **settings)
    assert ec2.describe_customer_gateways(CustomerGatewayIds=[site])["CustomerGateways"][0]["IpAddress"] == "192.0.2.41"
    ok("deleteVpnConnection", id=connection["id"])
    both.rest()
    assert ec2.describe_vpn_connections(VpnConnectionIds=[made["VpnConnectionId"]])["VpnConnections"][0]["State"] == "deleted"
    ec2.detach_vpn_gateway(VpnGatewayId=theirs, VpcId=vpc)
    ec2.delete_vpn_gateway(VpnGatewayId=theirs)
    follows_customer(both, ok, vpc, router, customer["id"], settings)


def follows_customer(both, ok, vpc, router, customer, settings):
    ec2 = both.ec2
    gateway = ok("createVpnGateway", vpcid=router)["vpngateway"]
    made = ok("createVpnConnection", s2svpngatewayid=gateway["id"], s2scustomergatewayid=customer)["vpnconnection"]
    assert (made["publicip"], made["state"], made["passive"]) == (gateway["publicip"], "Connecting", False)
    table, = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    assert table["PropagatingVgws"] == [{"GatewayId": ec2_id("vgw", gateway["id"])}]
    shown = ec2.describe_vpn_connections(Filters=[{"Name": "state", "Values": ["available"]}])["VpnConnections"][0]
    tunnel, = shown["Options"]["TunnelOptions"]
    assert (tunnel["OutsideIpAddress"], tunnel["PreSharedKey"], tunnel["StartupAction"]) == (gateway["publicip"], "a.key", "start")
    assert [v["Value"] for v in tunnel["Phase2DHGroupNumbers"]] == [15] and [v["Value"] for v in tunnel["Phase1EncryptionAlgorithms"]] == ["AES256"]
    assert sorted(r["DestinationCidrBlock"] for r in shown["Routes"]) == ["10.98.0.0/24", "10.99.0.0/24"]
    name = shown["VpnConnectionId"]
    for change_by_ec2 in (lambda: ec2.create_vpn_connection_route(VpnConnectionId=name, DestinationCidrBlock="10.97.0.0/24"),
                          lambda: ec2.delete_vpn_connection_route(VpnConnectionId=name, DestinationCidrBlock="10.98.0.0/24"),
                          lambda: ec2.modify_vpn_connection_options(VpnConnectionId=name, LocalIpv4NetworkCidr="10.97.0.0/24"),
                          lambda: ec2.modify_vpn_tunnel_options(VpnConnectionId=name, VpnTunnelOutsideIpAddress=gateway["publicip"],
                                                                TunnelOptions={"StartupAction": "add"})):
        assert code(change_by_ec2) == "IncorrectState"
    ok("updateVpnCustomerGateway", id=customer, gateway="192.0.2.41", **{**settings, "cidrlist": "10.97.0.0/24", "ipsecpsk": "b.key"})
    shown = ec2.describe_vpn_connections(VpnConnectionIds=[name])["VpnConnections"][0]
    assert [r["DestinationCidrBlock"] for r in shown["Routes"]] == ["10.97.0.0/24"] and shown["Options"]["TunnelOptions"][0]["PreSharedKey"] == "b.key"
    ok("deleteVPC", id=router)
    both.rest()
    assert ok("listVpnConnections") == ok("listVpnGateways") == {} and code(lambda: ec2.describe_vpcs(VpcIds=[vpc])) == "InvalidVpcID.NotFound"
    ok("deleteVpnCustomerGateway", id=customer)
    both.rest()


def ports_of(both, **filters):
    query = "&".join(f"{k}={v}" for k, v in filters.items())
    return both.ok("GET", f"{NETWORK}/ports?{query}")["ports"]


@holds("The network: Peerings", "What each face calls it: peering")
def test_peerings(both):
    """Neutron does not show peerings, and keeps their routes."""
    vpc, router, subnets = make_vpc(both, "10.61.0.0/16")
    peer, _, others = make_vpc(both, "10.62.0.0/16")
    pcx = both.ec2.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=peer)["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    both.ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=pcx)
    both.rest()
    table = both.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"][0]["RouteTableId"]
    before = both.ok("GET", f"{NETWORK}/routers/{router}")["router"], ports_of(both, device_id=router)
    both.ec2.create_route(RouteTableId=table, DestinationCidrBlock="10.62.0.0/16", VpcPeeringConnectionId=pcx)
    assert (both.ok("GET", f"{NETWORK}/routers/{router}")["router"], ports_of(both, device_id=router)) == before
    hop = subnets[0][0]["CidrBlock"].replace(".0/24", ".9")
    change(both, "router", router, routes=[{"destination": "192.0.2.0/24", "nexthop": hop}])
    change(both, "router", router, routes=[])
    routes = both.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    assert [r.get("VpcPeeringConnectionId") for r in routes] == [None, pcx]
    made = make_router(both, "10.63.1.0/24")
    answer = both.ec2.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=ec2_id("vpc", made[2]))
    assert answer["VpcPeeringConnection"]["Status"]["Code"] == "failed"
    assert code(lambda: both.ec2.create_vpc_peering_connection(VpcId=ec2_id("vpc", made[2]), PeerVpcId=vpc)) == "InvalidParameterValue"
    drop_router(both, *made)
    both.ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=pcx)
    drop_vpc(both, vpc, subnets)
    drop_vpc(both, peer, others)


def tags(*pairs):
    return [{"Key": k, "Value": v} for k, v in pairs]


# ---- routers

@holds("What each face calls it: router", "What each face calls it: network + subnet", "The network: router with address blocks",
       "The network: network", "The network: subnet on a router")
def test_a_vpc_is_a_router(both):
    vpc, router, subnets = make_vpc(both, "10.30.0.0/16", subnets=2)
    (subnet, seen), (_, other) = subnets
    assert (seen["cidr"], seen["gateway_ip"], seen["enable_dhcp"], seen["ip_version"]) == ("10.30.1.0/24", "10.30.1.1", True, 4)
    assert seen["network_id"] != other["network_id"]
    network = both.ok("GET", f"{NETWORK}/networks/{seen['network_id']}")["network"]
    assert (network["subnets"], network["admin_state_up"], network["router:external"]) == ([seen["id"]], True, False)
    shown = both.ok("GET", f"{NETWORK}/routers/{router}")["router"]
    assert (shown["external_gateway_info"], shown["routes"], shown["project_id"], shown["status"]) == (None, [], both.id, "ACTIVE")
    both.ec2.create_tags(Resources=[vpc, subnet["SubnetId"]], Tags=tags(("Name", "mine"), ("word", "")))
    assert both.ok("GET", f"{NETWORK}/routers/{router}")["router"]["name"] == "mine"
    renamed = both.ok("GET", f"{NETWORK}/subnets/{seen['id']}")["subnet"]
    assert renamed["name"] == "mine" and sorted(renamed["tags"]) == ["Name=mine", "word"]
    assert both.status("DELETE", f"{NETWORK}/subnets/{other['id']}") == 204
    both.rest()
    assert code(both.ec2.describe_subnets, SubnetIds=[subnets[1][0]["SubnetId"]]) == "InvalidSubnetID.NotFound"
    assert both.status("GET", f"{NETWORK}/networks/{other['network_id']}") == 404  # the network is deleted with its subnet
    assert both.status("DELETE", f"{NETWORK}/routers/{router}") == 409
    assert code(both.ec2.delete_vpc, VpcId=vpc) == "DependencyViolation"
    both.ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    both.rest()
    assert both.status("GET", f"{NETWORK}/networks/{seen['network_id']}") == 404
    both.delete(f"{NETWORK}/routers/{router}")
    assert code(both.ec2.describe_vpcs, VpcIds=[vpc]) == "InvalidVpcID.NotFound"


@holds("What each face calls it: router", "The network: router without blocks", "The network: subnet on a router", "The network: subnet on no router, and ports in it")
def test_a_router_is_a_vpc(both):
    network = make(both, "network", name="inside")["id"]
    subnet = make(both, "subnet", network_id=network, cidr="10.40.0.0/24", ip_version=4, name="inside")["id"]
    apart = make(both, "port", network_id=network)
    assert code(both.ec2.describe_subnets, SubnetIds=[ec2_id("subnet", subnet)]) == "InvalidSubnetID.NotFound"
    assert code(both.ec2.describe_network_interfaces, NetworkInterfaceIds=[ec2_id("eni", apart["id"])]) == "InvalidNetworkInterfaceID.NotFound"
    unseen = both.ec2.create_network_interface(SubnetId=ec2_id("subnet", subnet))["NetworkInterface"]["NetworkInterfaceId"]
    assert code(interface_of, both, unseen) == "InvalidNetworkInterfaceID.NotFound"  # named by id, and still not shown
    both.delete(f"{NETWORK}/ports/{both.seen(NETWORK, 'ports', unseen)['id']}")
    router = make(both, "router", name="r", description="d")["id"]
    vpc = ec2_id("vpc", router)
    both.ok("PUT", f"{NETWORK}/routers/{router}/add_router_interface", {"subnet_id": subnet})
    second = make(both, "subnet", network_id=network, cidr="10.41.0.0/24", ip_version=4)["id"]
    both.ok("PUT", f"{NETWORK}/routers/{router}/add_router_interface", {"subnet_id": second})
    (shown,) = both.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"]
    assert shown["State"] == "available" and not shown["IsDefault"] and shown["CidrBlock"] in ("10.40.0.0/24", "10.41.0.0/24")
    assert sorted(b["CidrBlock"] for b in shown["CidrBlockAssociationSet"]) == ["10.40.0.0/24", "10.41.0.0/24"]
    (seen,) = both.ec2.describe_subnets(SubnetIds=[ec2_id("subnet", subnet)])["Subnets"]
    assert (seen["VpcId"], seen["CidrBlock"], seen["AvailableIpAddressCount"]) == (vpc, "10.40.0.0/24", 252) and not seen.get("AvailabilityZone")
    assert code(both.ec2.create_subnet, VpcId=vpc, CidrBlock="10.40.1.0/24") == "InvalidSubnet.Range"
    assert both.ec2.describe_network_interfaces(NetworkInterfaceIds=[ec2_id("eni", apart["id"])])["NetworkInterfaces"][0]["VpcId"] == vpc
    both.ec2.create_tags(Resources=[vpc], Tags=tags(("k", "v")))
    assert both.ok("GET", f"{NETWORK}/routers/{router}")["router"]["tags"] == ["k=v"]
    assert code(both.ec2.delete_vpc, VpcId=vpc) == "DependencyViolation"
    both.ec2.delete_network_interface(NetworkInterfaceId=ec2_id("eni", apart["id"]))
    for s in (subnet, second):
        both.ok("PUT", f"{NETWORK}/routers/{router}/remove_router_interface", {"subnet_id": s})
    both.ec2.delete_vpc(VpcId=vpc)
    both.rest()
    assert both.status("GET", f"{NETWORK}/routers/{router}") == 404
    both.delete(f"{NETWORK}/networks/{network}")


@holds("The network: Interfaces")
def test_interfaces(both):
    vpc, router, ((subnet, seen),) = make_vpc(both, "10.31.0.0/16")
    gateway = str(uuid.uuid5(uuid.UUID(seen["id"]), "gateway port"))
    (port,) = ports_of(both, device_id=router)
    assert (port["id"], port["device_owner"], port["network_id"]) == (gateway, "network:router_interface", seen["network_id"])
    assert port["fixed_ips"] == [{"subnet_id": seen["id"], "ip_address": "10.31.1.1"}]
    assert both.ok("GET", f"{NETWORK}/ports/{gateway}")["port"] == port
    assert not both.ec2.describe_network_interfaces(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["NetworkInterfaces"]
    second = make(both, "router", name="second")["id"]
    extra = make(both, "port", network_id=seen["network_id"])["id"]
    both.ok("PUT", f"{NETWORK}/routers/{second}/add_router_interface", {"port_id": extra})
    assert [p["id"] for p in ports_of(both, device_id=second)] == [extra]
    assert code(both.ec2.describe_network_interfaces, NetworkInterfaceIds=[ec2_id("eni", extra)]) == "InvalidNetworkInterfaceID.NotFound"
    assert both.ec2.describe_subnets(SubnetIds=[subnet["SubnetId"]])["Subnets"][0]["VpcId"] == vpc  # the VPC follows the gateway's address
    both.ok("PUT", f"{NETWORK}/routers/{second}/remove_router_interface", {"port_id": extra})
    both.delete(f"{NETWORK}/routers/{second}")
    drop_vpc(both, vpc, [(subnet, seen)])


@holds("What each face calls it: gateway", "The network: gateway", "The network: Gateways", "The network: external network")
def test_gateways(both, outside):
    (hidden,) = outside["subnets"]
    assert outside["router:external"] is True and both.status("GET", f"{NETWORK}/subnets/{hidden}") == 404
    vpc, router, subnets = make_vpc(both, "10.32.0.0/16")
    path = f"{NETWORK}/routers/{router}"
    igw = both.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    both.ec2.attach_internet_gateway(InternetGatewayId=igw, VpcId=vpc)
    info = both.ok("GET", path)["router"]["external_gateway_info"]
    assert info == {"network_id": outside["id"], "enable_snat": False, "external_fixed_ips": []}
    both.ec2.create_route(RouteTableId=both.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"][0]["RouteTableId"],
                          DestinationCidrBlock="0.0.0.0/0", GatewayId=igw)
    assert both.ok("GET", path)["router"]["routes"] == []  # routes to gateways are not shown
    change(both, "router", router, external_gateway_info=None)
    both.rest()
    (shown,) = both.ec2.describe_internet_gateways(InternetGatewayIds=[igw])["InternetGateways"]
    assert shown["Attachments"] == []  # EC2's gateway is detached, not deleted
    both.ec2.delete_internet_gateway(InternetGatewayId=igw)
    drop_vpc(both, vpc, subnets)

    network, subnet, router = make_router(both, "10.33.0.0/24")
    vpc = ec2_id("vpc", router)
    info = change(both, "router", router, external_gateway_info={"network_id": outside["id"]})["external_gateway_info"]
    both.rest()
    assert info["enable_snat"] is True and len(info["external_fixed_ips"]) == 1
    (shown,) = both.ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [vpc]}])["InternetGateways"]
    assert shown["Attachments"] == [{"State": "available", "VpcId": vpc}]
    (table,) = both.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    assert [r["GatewayId"] for r in table["Routes"] if r.get("DestinationCidrBlock") == "0.0.0.0/0"] == [shown["InternetGatewayId"]]
    own = info["external_fixed_ips"][0]["ip_address"]
    assert own not in [a["PublicIp"] for a in both.ec2.describe_addresses()["Addresses"]]
    assert own not in [f["floating_ip_address"] for f in both.listed(NETWORK, "floatingips")]
    assert change(both, "router", router, external_gateway_info={"network_id": outside["id"], "enable_snat": False})[
        "external_gateway_info"]["enable_snat"] is False
    both.ec2.detach_internet_gateway(InternetGatewayId=shown["InternetGatewayId"], VpcId=vpc)
    both.rest()
    assert both.ok("GET", f"{NETWORK}/routers/{router}")["router"]["external_gateway_info"] is None
    change(both, "router", router, external_gateway_info={"network_id": outside["id"]})
    change(both, "router", router, external_gateway_info=None)
    both.rest()
    assert not both.ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [vpc]}])["InternetGateways"]
    drop_router(both, network, subnet, router)


@holds("What each face calls it: route table, route", "The network: the main route table's routes, but for those to gateways")
def test_routes(both):
    vpc, router, subnets = make_vpc(both, "10.34.0.0/16")
    ((subnet, seen),) = subnets
    eni = both.ec2.create_network_interface(SubnetId=subnet["SubnetId"], PrivateIpAddress="10.34.1.50")["NetworkInterface"]["NetworkInterfaceId"]
    (main,) = both.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    both.ec2.create_route(RouteTableId=main["RouteTableId"], DestinationCidrBlock="192.0.2.0/24", NetworkInterfaceId=eni)
    other = both.ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    both.ec2.create_route(RouteTableId=other, DestinationCidrBlock="203.0.113.0/24", NetworkInterfaceId=eni)
    path = f"{NETWORK}/routers/{router}"
    assert both.ok("GET", path)["router"]["routes"] == [{"destination": "192.0.2.0/24", "nexthop": "10.34.1.50"}]
    both.ok("PUT", f"{path}/add_extraroutes", {"router": {"routes": [{"destination": "198.51.100.0/24", "nexthop": "10.34.1.50"}]}})

    def routes(table):
        (shown,) = both.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]
        return {r.get("DestinationCidrBlock"): r.get("NetworkInterfaceId") for r in shown["Routes"] if r.get("GatewayId") != "local"}
    assert routes(main["RouteTableId"]) == {"192.0.2.0/24": eni, "198.51.100.0/24": eni}
    both.ec2.delete_route(RouteTableId=main["RouteTableId"], DestinationCidrBlock="198.51.100.0/24")
    assert [r["destination"] for r in both.ok("GET", path)["router"]["routes"]] == ["192.0.2.0/24"]
    change(both, "router", router, routes=[])
    assert routes(main["RouteTableId"]) == {} and routes(other) == {"203.0.113.0/24": eni}
    both.ec2.delete_route_table(RouteTableId=other)
    both.ec2.delete_network_interface(NetworkInterfaceId=eni)
    drop_vpc(both, vpc, subnets)


@holds("What each face calls it: NAT gateway", "What each face calls it: `ela-attach-`", "What each face calls it: network ACL, entry",
       "What each face calls it: `rtbassoc-`, `aclassoc-`, `eipassoc-`, `eni-attach-`")
def test_what_is_ec2s_alone(both):
    """Associations have ids of their own; the interface of a NAT gateway is a port; Neutron does not show network ACLs."""
    vpc, router, subnets = make_vpc(both, "10.35.0.0/16")
    ((subnet, seen),) = subnets
    nat = both.ec2.create_nat_gateway(SubnetId=subnet["SubnetId"], ConnectivityType="private")["NatGateway"]["NatGatewayId"]
    both.rest()
    (interface,) = both.ec2.describe_network_interfaces(Filters=[{"Name": "subnet-id", "Values": [subnet["SubnetId"]]}])["NetworkInterfaces"]
    assert interface["Attachment"]["AttachmentId"] == nat.replace("nat-", "ela-attach-")
    port = both.seen(NETWORK, "ports", interface["NetworkInterfaceId"])
    assert port["device_owner"] == "network:nat_gateway" and ec2_id("nat", port["device_id"]) == nat
    assert both.status("DELETE", f"{NETWORK}/ports/{port['id']}") == 409
    table = both.ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    association = both.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet["SubnetId"])["AssociationId"]
    (acl,) = both.ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["NetworkAcls"]
    ids = {association, acl["Associations"][0]["NetworkAclAssociationId"]}
    texts = "".join(both.call("GET", f"{NETWORK}/{c}").text for c in ("routers", "subnets", "networks", "ports")).replace("-", "")
    assert len(ids) == 2 and not any(i.partition("-")[2] in texts for i in ids)
    assert acl["NetworkAclId"].partition("-")[2] not in texts and both.status("GET", f"{NETWORK}/network-acls") == 404
    both.ec2.delete_nat_gateway(NatGatewayId=nat)
    both.rest()
    assert both.status("GET", f"{NETWORK}/ports/{port['id']}") == 404
    both.ec2.disassociate_route_table(AssociationId=association)
    both.ec2.delete_route_table(RouteTableId=table)
    drop_vpc(both, vpc, subnets)


@holds("The network: NAT gateways' further addresses")
def test_further_addresses_of_a_nat_gateway(both):
    """Further fixed addresses of its port, with floating ones. boto3 does not know the parameter yet."""
    vpc, _, subnets = make_vpc(both, "10.47.0.0/16")
    ((subnet, _seen),) = subnets
    gateway = both.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    both.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    addresses = [both.ec2.allocate_address(Domain="vpc") for _ in range(2)]

    def name_the_second(params, **_):
        params["body"]["SecondaryAllocationId.1"] = addresses[1]["AllocationId"]

    both.ec2.meta.events.register("before-call.ec2.CreateNatGateway", name_the_second)
    nat = both.ec2.create_nat_gateway(SubnetId=subnet["SubnetId"], AllocationId=addresses[0]["AllocationId"])["NatGateway"]["NatGatewayId"]
    both.ec2.meta.events.unregister("before-call.ec2.CreateNatGateway", name_the_second)
    both.rest()
    (interface,) = both.ec2.describe_network_interfaces(Filters=[{"Name": "subnet-id", "Values": [subnet["SubnetId"]]}])["NetworkInterfaces"]
    port = both.seen(NETWORK, "ports", interface["NetworkInterfaceId"])
    floating = {f["floating_ip_address"]: f for f in both.call("GET", f"{NETWORK}/floatingips").json["floatingips"]}
    ours = [floating[a["PublicIp"]] for a in addresses]
    assert [f["port_id"] for f in ours] == [port["id"]] * 2
    assert {f["fixed_ip_address"] for f in ours} == {f["ip_address"] for f in port["fixed_ips"]}
    both.ec2.delete_nat_gateway(NatGatewayId=nat)
    both.rest()
    for address in addresses:
        both.ec2.release_address(AllocationId=address["AllocationId"])
    both.ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    both.ec2.delete_internet_gateway(InternetGatewayId=gateway)
    drop_vpc(both, vpc, subnets)


# ---- ports

@holds("What each face calls it: port, its secondary addresses")
def test_an_interface_is_a_port(both):
    vpc, _, subnets = make_vpc(both, "10.36.0.0/16")
    ((subnet, seen),) = subnets
    group = both.ec2.create_security_group(GroupName="of-ports", Description="d", VpcId=vpc)["GroupId"]
    eni = both.ec2.create_network_interface(SubnetId=subnet["SubnetId"], Description="words", Groups=[group], PrivateIpAddress="10.36.1.20",
                                            SecondaryPrivateIpAddressCount=1, TagSpecifications=[
                                                {"ResourceType": "network-interface", "Tags": tags(("Name", "p"))}])["NetworkInterface"]
    port = both.seen(NETWORK, "ports", eni["NetworkInterfaceId"])
    path = f"{NETWORK}/ports/{port['id']}"
    ips = [i["PrivateIpAddress"] for i in eni["PrivateIpAddresses"]]
    assert (port["name"], port["description"], port["mac_address"], port["network_id"]) == ("p", "words", eni["MacAddress"], seen["network_id"])
    assert [i["ip_address"] for i in port["fixed_ips"]] == ips and len(ips) == 2 and {i["subnet_id"] for i in port["fixed_ips"]} == {seen["id"]}
    assert [ec2_id("sg", g) for g in port["security_groups"]] == [group]
    assert (port["device_id"], port["device_owner"], port["port_security_enabled"]) == ("", "", True)

    def interface():
        return both.ec2.describe_network_interfaces(NetworkInterfaceIds=[eni["NetworkInterfaceId"]])["NetworkInterfaces"][0]
    change(both, "port", port["id"], description="other", fixed_ips=[{"ip_address": "10.36.1.20"}, {"ip_address": "10.36.1.21"}, {"ip_address": "10.36.1.22"}])
    shown = interface()
    assert shown["Description"] == "other" and [i["PrivateIpAddress"] for i in shown["PrivateIpAddresses"]] == [f"10.36.1.{n}" for n in (20, 21, 22)]
    both.ec2.unassign_private_ip_addresses(NetworkInterfaceId=eni["NetworkInterfaceId"], PrivateIpAddresses=["10.36.1.21"])
    both.ec2.modify_network_interface_attribute(NetworkInterfaceId=eni["NetworkInterfaceId"], Description={"Value": "third"})
    shown = both.ok("GET", path)["port"]
    assert shown["description"] == "third" and [i["ip_address"] for i in shown["fixed_ips"]] == ["10.36.1.20", "10.36.1.22"]
    both.ec2.modify_network_interface_attribute(NetworkInterfaceId=eni["NetworkInterfaceId"], SourceDestCheck={"Value": False})
    assert interface()["SourceDestCheck"] is False
    both.delete(path)
    assert code(interface_of, both, eni["NetworkInterfaceId"]) == "InvalidNetworkInterfaceID.NotFound"

    made = make(both, "port", network_id=seen["network_id"], name="n", description="d", fixed_ips=[{"ip_address": "10.36.1.30"}],
                mac_address="02:aa:bb:cc:dd:01")
    shown = interface_of(both, ec2_id("eni", made["id"]))
    assert (shown["PrivateIpAddress"], shown["MacAddress"], shown["Description"]) == ("10.36.1.30", "02:aa:bb:cc:dd:01", "d")
    assert (shown["SubnetId"], shown["VpcId"], shown["Status"], shown["SourceDestCheck"]) == (subnet["SubnetId"], vpc, "available", True)
    assert [g["GroupName"] for g in shown["Groups"]] == ["default"]  # its VPC's group
    both.ec2.modify_network_interface_attribute(NetworkInterfaceId=shown["NetworkInterfaceId"], Groups=[group])
    assert [ec2_id("sg", g) for g in both.ok("GET", f"{NETWORK}/ports/{made['id']}")["port"]["security_groups"]] == [group]
    both.ec2.delete_network_interface(NetworkInterfaceId=shown["NetworkInterfaceId"])
    both.rest()
    assert both.status("GET", f"{NETWORK}/ports/{made['id']}") == 404
    both.ec2.delete_security_group(GroupId=group)
    drop_vpc(both, vpc, subnets)


def interface_of(both, identifier):
    return both.ec2.describe_network_interfaces(NetworkInterfaceIds=[identifier])["NetworkInterfaces"][0]


def test_interfaces_of_servers(both):
    """Attached by one face, detached by the other."""
    instance = both.run("t3.small")
    server = both.server(instance)["id"]
    subnet = both.instance(instance)["SubnetId"]
    eni = both.ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    attachment = both.ec2.attach_network_interface(NetworkInterfaceId=eni, InstanceId=instance, DeviceIndex=1)["AttachmentId"]
    both.rest()
    port = both.seen(NETWORK, "ports", eni)
    assert (port["device_id"], port["device_owner"], port["status"]) == (server, f"compute:{both.server(instance)['OS-EXT-AZ:availability_zone']}", "ACTIVE")
    path = f"{COMPUTE}/servers/{server}/os-interface"
    shown = [i for i in both.ok("GET", path)["interfaceAttachments"] if i["port_id"] == port["id"]]
    assert [(i["mac_addr"], i["fixed_ips"], i["net_id"]) for i in shown] == [(port["mac_address"], port["fixed_ips"], port["network_id"])]
    assert interface_of(both, eni)["Attachment"]["AttachmentId"] == attachment
    assert both.status("DELETE", f"{path}/{port['id']}") == 202
    both.rest()
    assert interface_of(both, eni)["Status"] == "available"
    both.ok("POST", path, {"interfaceAttachment": {"port_id": port["id"]}})
    both.rest()
    shown = interface_of(both, eni)
    assert (shown["Status"], shown["Attachment"]["InstanceId"]) == ("in-use", instance)
    assert code(both.ec2.delete_network_interface, NetworkInterfaceId=eni) == "InvalidNetworkInterface.InUse"
    both.ec2.detach_network_interface(AttachmentId=shown["Attachment"]["AttachmentId"])
    both.rest()
    assert both.ok("GET", f"{NETWORK}/ports/{port['id']}")["port"]["device_id"] == ""
    both.ok("POST", path, {"interfaceAttachment": {"port_id": port["id"]}})
    both.rest()
    both.delete(f"{NETWORK}/ports/{port['id']}")  # Neutron detaches it from the server
    assert eni not in [i["NetworkInterfaceId"] for i in both.instance(instance)["NetworkInterfaces"]]
    assert both.ok("GET", path)["interfaceAttachments"] and code(both.ec2.describe_network_interfaces, NetworkInterfaceIds=[eni])
    both.terminate(instance)


# ---- addresses

@holds("What each face calls it: address", "The network: address", "The network: Floating addresses",
       "What each face calls it: `rtbassoc-`, `aclassoc-`, `eipassoc-`, `eni-attach-`")
def test_addresses(both, outside):
    elastic = both.ec2.allocate_address(Domain="vpc", TagSpecifications=[{"ResourceType": "elastic-ip", "Tags": tags(("a", "b"))}])
    floating = both.seen(NETWORK, "floatingips", elastic["AllocationId"])
    path = f"{NETWORK}/floatingips/{floating['id']}"
    assert (floating["floating_ip_address"], floating["status"], floating["tags"]) == (elastic["PublicIp"], "DOWN", ["a=b"])
    assert (floating["port_id"], floating["fixed_ip_address"], floating["floating_network_id"]) == (None, None, outside["id"])
    instance = both.run()
    eni = both.instance(instance)["NetworkInterfaces"][0]
    association = both.ec2.associate_address(AllocationId=elastic["AllocationId"], NetworkInterfaceId=eni["NetworkInterfaceId"])["AssociationId"]
    both.rest()
    shown = both.ok("GET", path)["floatingip"]
    port = both.seen(NETWORK, "ports", eni["NetworkInterfaceId"])
    assert (shown["port_id"], shown["fixed_ip_address"], shown["status"]) == (port["id"], eni["PrivateIpAddress"], "ACTIVE")
    assert ec2_id("vpc", shown["router_id"]) == eni["VpcId"]
    assert association.partition("-")[2] != elastic["AllocationId"].partition("-")[2]
    ((*_, address),) = both.server(instance)["addresses"].values()
    assert (address["addr"], address["OS-EXT-IPS:type"]) == (elastic["PublicIp"], "floating")
    change(both, "floatingip", floating["id"], port_id=None)
    both.rest()
    (seen,) = both.ec2.describe_addresses(AllocationIds=[elastic["AllocationId"]])["Addresses"]
    assert "AssociationId" not in seen
    both.delete(path)
    assert code(both.ec2.describe_addresses, AllocationIds=[elastic["AllocationId"]]) == "InvalidAllocationID.NotFound"

    made = make(both, "floatingip", floating_network_id=outside["id"], port_id=port["id"], description="d")
    both.rest()
    (seen,) = both.ec2.describe_addresses(AllocationIds=[ec2_id("eipalloc", made["id"])])["Addresses"]
    assert (seen["PublicIp"], seen["InstanceId"], seen["PrivateIpAddress"]) == (made["floating_ip_address"], instance, eni["PrivateIpAddress"])
    assert code(both.ec2.release_address, AllocationId=seen["AllocationId"]) == "InvalidIPAddress.InUse"
    both.ec2.disassociate_address(AssociationId=seen["AssociationId"])
    both.rest()
    assert both.ok("GET", f"{NETWORK}/floatingips/{made['id']}")["floatingip"]["port_id"] is None
    both.ec2.release_address(AllocationId=seen["AllocationId"])
    both.rest()
    assert both.status("GET", f"{NETWORK}/floatingips/{made['id']}") == 404
    both.terminate(instance)


@holds("What each face calls it: port forwarding", "The network: port forwarding", "The network: Forwarded ports")
def test_forwarded_ports(both, outside):
    """EC2 shows that the address is in use, but no association."""
    allocation = both.ec2.allocate_address(Domain="vpc")["AllocationId"]
    floating = both.seen(NETWORK, "floatingips", allocation)
    path = f"{NETWORK}/floatingips/{floating['id']}"
    instance = both.run()
    eni = both.instance(instance)["NetworkInterfaces"][0]
    port = both.seen(NETWORK, "ports", eni["NetworkInterfaceId"])
    wish = {"protocol": "tcp", "internal_port_id": port["id"], "internal_port": 22, "external_port": 2222}
    made = both.ok("POST", f"{path}/port_forwardings", {"port_forwarding": wish})["port_forwarding"]
    assert made["internal_ip_address"] == eni["PrivateIpAddress"]
    both.rest()
    shown = both.ok("GET", path)["floatingip"]
    assert (shown["status"], shown["port_id"], ec2_id("vpc", shown["router_id"])) == ("ACTIVE", None, eni["VpcId"])
    assert [f["id"] for f in shown["port_forwardings"]] == [made["id"]]
    (seen,) = both.ec2.describe_addresses(AllocationIds=[allocation])["Addresses"]
    assert "AssociationId" not in seen and "PrivateIpAddress" not in seen
    assert code(both.ec2.associate_address, AllocationId=allocation, InstanceId=instance) == "InvalidIPAddress.InUse"
    assert code(both.ec2.release_address, AllocationId=allocation) == "InvalidIPAddress.InUse"
    (gateway,) = both.ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [eni["VpcId"]]}])["InternetGateways"]
    assert code(both.ec2.detach_internet_gateway, InternetGatewayId=gateway["InternetGatewayId"], VpcId=eni["VpcId"]) == "DependencyViolation"
    many = {**wish, "internal_port": 80, "external_port": None, "external_port_range": "1000:1499"}
    assert both.status("POST", f"{path}/port_forwardings", {"port_forwarding": many}) == 409
    both.terminate(instance)
    assert both.ok("GET", f"{path}/port_forwardings")["port_forwardings"] == [] and both.ok("GET", path)["floatingip"]["status"] == "DOWN"
    both.ec2.release_address(AllocationId=allocation)


@holds("The network: Floating addresses", "What each face calls it: address")
def test_addresses_on_launch(both, outside):
    """Addresses assigned on launch are no floating addresses; and a floating one needs a gateway."""
    subnet = [s for s in both.ec2.describe_subnets()["Subnets"] if s["DefaultForAz"]][0]
    instance = both.run(SubnetId=subnet["SubnetId"])
    public = both.instance(instance)["PublicIpAddress"]
    assert public not in [f["floating_ip_address"] for f in both.listed(NETWORK, "floatingips")]
    both.terminate(instance)
    network, subnet, router = make_router(both, "10.37.0.0/24")
    port = make(both, "port", network_id=network)
    answer = both.call("POST", f"{NETWORK}/floatingips", {"floatingip": {"floating_network_id": outside["id"], "port_id": port["id"]}})
    assert (answer.status, answer.json["NeutronError"]["type"]) == (404, "ExternalGatewayForFloatingIPNotFound")
    elastic = both.ec2.allocate_address()["AllocationId"]
    assert code(both.ec2.associate_address, AllocationId=elastic, NetworkInterfaceId=ec2_id("eni", port["id"])) == "Gateway.NotAttached"
    both.ec2.release_address(AllocationId=elastic)
    both.delete(f"{NETWORK}/ports/{port['id']}")
    drop_router(both, network, subnet, router)


# ---- groups

RULES = [  # EC2's permission without its source; protocol, ports and ethertype in Neutron
    ({"IpProtocol": "tcp", "FromPort": 80, "ToPort": 81}, ("tcp", 80, 81)),
    ({"IpProtocol": "udp", "FromPort": 53, "ToPort": 53}, ("udp", 53, 53)),
    ({"IpProtocol": "tcp", "FromPort": 0, "ToPort": 65535}, ("tcp", None, None)),
    ({"IpProtocol": "icmp", "FromPort": 8, "ToPort": 0}, ("icmp", 8, 0)),
    ({"IpProtocol": "icmp", "FromPort": 3, "ToPort": -1}, ("icmp", 3, None)),
    ({"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1}, ("icmp", None, None)),
    ({"IpProtocol": "-1"}, (None, None, None)),
    ({"IpProtocol": "50"}, ("esp", None, None)),
    ({"IpProtocol": "253"}, ("253", None, None)),
]
SOURCES = [("IpRanges", "CidrIp", "192.0.2.0/24"), ("IpRanges", "CidrIp", "0.0.0.0/0"), ("UserIdGroupPairs", "GroupId", None)]


@holds("What each face calls it: security group, rule", "The network: group of a router; of the account alone", "The network: Groups")
def test_groups(both):
    vpc = both.ec2.create_vpc(CidrBlock="10.38.0.0/16")["Vpc"]["VpcId"]
    group = both.ec2.create_security_group(GroupName="web", Description="d", VpcId=vpc)["GroupId"]
    seen = both.seen(NETWORK, "security-groups", group)
    path = f"{NETWORK}/security-groups/{seen['id']}"
    assert (seen["name"], seen["description"], seen["project_id"]) == ("web", "d", both.id)
    assert [(r["direction"], r["protocol"], r["remote_ip_prefix"], r["ethertype"]) for r in seen["security_group_rules"]] == [
        ("egress", None, "0.0.0.0/0", "IPv4")]
    change(both, "security_group", seen["id"], "security-groups", name="other", description="e")
    (shown,) = both.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert (shown["GroupName"], shown["Description"], shown["VpcId"]) == ("other", "e", vpc)
    both.ec2.create_tags(Resources=[group], Tags=tags(("x", "")))
    assert both.ok("GET", path)["security_group"]["tags"] == ["x"]
    both.delete(path)
    assert code(both.ec2.describe_security_groups, GroupIds=[group]) == "InvalidGroup.NotFound"
    both.ec2.delete_vpc(VpcId=vpc)
    made = make(both, "security_group", "security-groups", name="db", description="e")
    (shown,) = both.ec2.describe_security_groups(GroupIds=[ec2_id("sg", made["id"])])["SecurityGroups"]
    assert "VpcId" not in shown and (shown["GroupName"], shown["Description"], shown["IpPermissions"]) == ("db", "e", [])
    assert len(made["security_group_rules"]) == 2 and {r["direction"] for r in made["security_group_rules"]} == {"egress"}
    both.ec2.delete_security_group(GroupId=shown["GroupId"])
    both.rest()
    assert both.status("GET", f"{NETWORK}/security-groups/{made['id']}") == 404


@holds("The network: Groups")
def test_groups_by_name(both):
    """Nova looks for names in the project, even behind a router or if another project has the same name; EC2 looks in the VPC first."""
    def group_of(network, name):
        made = both.ok("POST", f"{COMPUTE}/servers", {"server": {
            "name": "named", "imageRef": both.image_uuid, "flavorRef": "t3.micro", "networks": [{"uuid": network}],
            "security_groups": [{"name": name}]}})["server"]["id"]
        both.rest()
        (port,) = both.ok("GET", f"{NETWORK}/ports?device_id={made}")["ports"]
        both.delete(f"{COMPUTE}/servers/{made}")
        return port["security_groups"]
    make(lib.another(both.dev, "namesake", faces.Both), "security_group", "security-groups", name="same")
    own = make(both, "security_group", "security-groups", name="same")["id"]
    network = make(both, "network", name="named")["id"]
    subnet = make(both, "subnet", network_id=network, cidr="10.44.0.0/24")["id"]
    assert group_of(network, "same") == [own]
    router = make(both, "router", name="named")["id"]
    both.ok("PUT", f"{NETWORK}/routers/{router}/add_router_interface", {"subnet_id": subnet})
    assert group_of(network, "same") == [own]
    vpc = ec2_id("vpc", router)
    in_vpc = both.ec2.create_security_group(GroupName="same", Description="d", VpcId=vpc)["GroupId"]
    (found,) = group_of(network, "same")
    assert ec2_id("sg", found) == in_vpc
    both.ec2.delete_security_group(GroupId=in_vpc)
    both.ok("PUT", f"{NETWORK}/routers/{router}/remove_router_interface", {"subnet_id": subnet})
    for path in (f"routers/{router}", f"networks/{network}", f"security-groups/{own}"):
        both.delete(f"{NETWORK}/{path}")


@holds("What each face calls it: security group, rule", "The network: Groups")
@pytest.mark.parametrize("direction", ["ingress", "egress"])
@pytest.mark.parametrize("source", SOURCES, ids=[s[2] or "group" for s in SOURCES])
def test_rules(both, direction, source):
    """Each form of a rule, created by one face, read and deleted by the other."""
    name, member, value = source
    vpc = both.ec2.create_vpc(CidrBlock="10.39.0.0/16")["Vpc"]["VpcId"]
    group = both.ec2.create_security_group(GroupName="rules", Description="d", VpcId=vpc)["GroupId"]
    identifier = both.seen(NETWORK, "security-groups", group)["id"]
    value = value or group
    for rule in both.ok("GET", f"{NETWORK}/security-group-rules?security_group_id={identifier}")["security_group_rules"]:
        assert both.status("DELETE", f"{NETWORK}/security-group-rules/{rule['id']}") == 204
    authorize = getattr(both.ec2, f"authorize_security_group_{direction}")
    revoke = getattr(both.ec2, f"revoke_security_group_{direction}")
    permissions = "IpPermissions" if direction == "ingress" else "IpPermissionsEgress"

    def rules():
        return [r for r in both.ok("GET", f"{NETWORK}/security-groups/{identifier}")["security_group"]["security_group_rules"]
                if r["ethertype"] == "IPv4"]

    def shown():
        return both.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0][permissions]
    for permission, (protocol, first, last) in RULES:
        authorize(GroupId=group, IpPermissions=[{**permission, name: [{member: value}]}])
        (rule,) = rules()
        remote = {"remote_group_id": identifier, "remote_ip_prefix": None} if name == "UserIdGroupPairs" else {
            "remote_group_id": None, "remote_ip_prefix": value}
        expected = {"direction": direction, "protocol": protocol, "port_range_min": first, "port_range_max": last, **remote}
        assert {k: rule[k] for k in expected} == expected, permission
        assert both.status("DELETE", f"{NETWORK}/security-group-rules/{rule['id']}") == 204
        assert [p for p in shown() if p.get(name)] == [], permission
        body = {"security_group_id": identifier, "direction": direction, "ethertype": "IPv4",
                **{k: v for k, v in expected.items() if v is not None and k != "direction"}}
        made = make(both, "security_group_rule", "security-group-rules", **body)
        (back,) = [p for p in shown() if p.get(name)]
        assert {k: back.get(k) for k in permission} == permission and [r[member] for r in back[name]] == [value], permission
        revoke(GroupId=group, IpPermissions=[{**permission, name: [{member: value}]}])
        assert both.status("GET", f"{NETWORK}/security-group-rules/{made['id']}") == 404
        for rest in both.ok("GET", f"{NETWORK}/security-group-rules?security_group_id={identifier}")["security_group_rules"]:
            both.status("DELETE", f"{NETWORK}/security-group-rules/{rest['id']}")
    both.ec2.delete_security_group(GroupId=group)
    both.ec2.delete_vpc(VpcId=vpc)


@holds("What each face calls it: trunk", "The network: Trunks")
def test_trunks(both):
    """The ports of a trunk are EC2's network interfaces, which EC2 neither attaches nor deletes; a parent stays when its server goes."""
    vpc, _, ((subnet, shown),) = make_vpc(both, "10.73.0.0/16")
    parent, sub = (both.ec2.create_network_interface(SubnetId=subnet["SubnetId"])["NetworkInterface"]["NetworkInterfaceId"] for _ in range(2))
    ids = [both.seen(NETWORK, "ports", p)["id"] for p in (parent, sub)]
    trunk = make(both, "trunk", port_id=ids[0], sub_ports=[{"port_id": ids[1], "segmentation_type": "vlan", "segmentation_id": 7}])["id"]
    assert both.status("PUT", f"{NETWORK}/trunks/{trunk}/add_subports", {"sub_ports": [{"port_id": ids[1], "segmentation_type": "inherit", "segmentation_id": 8}]}) == 400
    instance = both.run(SubnetId=subnet["SubnetId"])
    assert code(both.ec2.attach_network_interface, NetworkInterfaceId=sub, InstanceId=instance, DeviceIndex=1) == "InvalidNetworkInterface.InUse"
    for port in (parent, sub):
        assert code(both.ec2.delete_network_interface, NetworkInterfaceId=port) == "InvalidNetworkInterface.InUse"
    attachment = both.ec2.attach_network_interface(NetworkInterfaceId=parent, InstanceId=instance, DeviceIndex=1)["AttachmentId"]
    both.ec2.modify_network_interface_attribute(NetworkInterfaceId=parent, Attachment={"AttachmentId": attachment, "DeleteOnTermination": True})
    both.rest()
    assert both.ok("GET", f"{NETWORK}/trunks/{trunk}")["trunk"]["status"] == "ACTIVE"
    both.terminate(instance)
    both.rest()
    assert both.ok("GET", f"{NETWORK}/trunks/{trunk}")["trunk"]["status"] == "DOWN" and shown
    both.delete(f"{NETWORK}/trunks/{trunk}")
    for port in (parent, sub):
        both.ec2.delete_network_interface(NetworkInterfaceId=port)
    drop_vpc(both, vpc, [(subnet, shown)])


@holds("What each face calls it: QoS policy, rule", "The network: QoS policies")
def test_qos_policies(both):
    """EC2's interface has a policy in Neutron; one with a minimum bandwidth is refused, and EC2 changes the interface without a look at it."""
    vpc, _, ((subnet, shown),) = make_vpc(both, "10.74.0.0/16")
    interface = both.ec2.create_network_interface(SubnetId=subnet["SubnetId"])["NetworkInterface"]["NetworkInterfaceId"]
    port = both.seen(NETWORK, "ports", interface)["id"]
    policy = both.ok("POST", f"{NETWORK}/qos/policies", {"policy": {"name": "bw"}})["policy"]["id"]
    rules = f"{NETWORK}/qos/policies/{policy}"
    both.ok("POST", f"{rules}/bandwidth_limit_rules", {"bandwidth_limit_rule": {"max_kbps": 1000}})
    assert both.status("POST", f"{rules}/bandwidth_limit_rules", {"bandwidth_limit_rule": {"max_kbps": 0}}) == 400
    both.ok("PUT", f"{NETWORK}/ports/{port}", {"port": {"qos_policy_id": policy}})
    assert both.status("POST", f"{rules}/minimum_bandwidth_rules", {"minimum_bandwidth_rule": {"min_kbps": 10}}) == 409
    both.ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, Description={"Value": "d"})
    assert both.ok("GET", f"{NETWORK}/ports/{port}")["port"]["qos_policy_id"] == policy
    assert both.status("DELETE", rules) == 409
    both.ec2.delete_network_interface(NetworkInterfaceId=interface)
    both.delete(rules)
    drop_vpc(both, vpc, [(subnet, shown)])


@holds("What each face calls it: address scope", "The network: Address scopes")
def test_address_scopes(both):
    """Pools of a scope have nothing in common, and a network shows the scope of its subnets."""
    scope = make(both, "address_scope", "address-scopes", name="scope", ip_version=4)["id"]
    pool = make(both, "subnetpool", name="pool", prefixes=["10.75.0.0/16"], default_prefixlen=24, address_scope_id=scope)["id"]
    assert both.status("POST", f"{NETWORK}/subnetpools", {"subnetpool": {"name": "q", "prefixes": ["10.75.1.0/24"], "address_scope_id": scope}}) == 409
    network = make(both, "network", name="scoped")["id"]
    make(both, "subnet", network_id=network, ip_version=4, subnetpool_id=pool)
    assert both.ok("GET", f"{NETWORK}/networks/{network}")["network"]["ipv4_address_scope"] == scope
    both.delete(f"{NETWORK}/networks/{network}")
    both.delete(f"{NETWORK}/subnetpools/{pool}")
    both.delete(f"{NETWORK}/address-scopes/{scope}")


@holds("The network: Shared resources")
def test_shared_address_group(both):
    """No security group is shared; an address group is, and its owner keeps it."""
    group = make(both, "security_group", "security-groups", name="own")["id"]
    wanted = {"object_type": "security_group", "object_id": group, "action": "access_as_shared", "target_tenant": group.replace("-", "")}
    assert both.status("POST", f"{NETWORK}/rbac-policies", {"rbac_policy": wanted}) == 400
    both.delete(f"{NETWORK}/security-groups/{group}")


@holds("What each face calls it: address group", "The network: Address groups")
def test_rules_by_address_group(both):
    """One rule in both faces; EC2 shows the group as a prefix list and revokes the rule by its id. EC2's prefix list is a group of one family in
    Neutron."""
    group = make(both, "security_group", "security-groups", name="guarded")["id"]
    addresses = make(both, "address_group", "address-groups", name="office", addresses=["192.0.2.0/24", "2001:db8::/64"])["id"]
    rule = make(both, "security_group_rule", "security-group-rules", security_group_id=group, direction="ingress", protocol="tcp",
                port_range_min=22, port_range_max=22, remote_address_group_id=addresses)

    def shown():
        return both.ec2.describe_security_groups(GroupIds=[ec2_id("sg", group)])["SecurityGroups"][0]["IpPermissions"]
    assert [(p["FromPort"], p["PrefixListIds"], p["IpRanges"]) for p in shown()] == [(22, [{"PrefixListId": ec2_id("pl", addresses)}], [])]
    (seen,) = both.ec2.describe_security_group_rules(SecurityGroupRuleIds=[ec2_id("sgr", rule["id"])])["SecurityGroupRules"]
    assert seen["PrefixListId"] == ec2_id("pl", addresses) and "CidrIpv4" not in seen
    both.ec2.revoke_security_group_ingress(GroupId=ec2_id("sg", group), SecurityGroupRuleIds=[ec2_id("sgr", rule["id"])])
    assert both.status("GET", f"{NETWORK}/security-group-rules/{rule['id']}") == 404 and shown() == []
    (listed,) = both.ec2.describe_managed_prefix_lists(PrefixListIds=[ec2_id("pl", addresses)])["PrefixLists"]
    assert (listed["PrefixListName"], listed["AddressFamily"], listed["MaxEntries"], listed["Version"]) == ("office", "IPv4", 100, 1)
    both.ok("PUT", f"{NETWORK}/address-groups/{addresses}/remove_addresses", {"addresses": ["192.0.2.0/24"]})
    (listed,) = both.ec2.describe_managed_prefix_lists(PrefixListIds=[ec2_id("pl", addresses)])["PrefixLists"]
    assert (listed["AddressFamily"], listed["Version"], listed["State"]) == ("IPv6", 2, "modify-complete")
    made = both.ec2.create_managed_prefix_list(PrefixListName="four", MaxEntries=2, AddressFamily="IPv4", Entries=[{"Cidr": "192.0.2.0/24", "Description": "here"}])
    four = made["PrefixList"]["PrefixListId"]
    own = both.seen(NETWORK, "address-groups", four)
    assert (own["name"], own["addresses"]) == ("four", ["192.0.2.0/24"])
    assert both.status("PUT", f"{NETWORK}/address-groups/{own['id']}/add_addresses", {"addresses": ["2001:db8::/64"]}) == 400
    both.ok("PUT", f"{NETWORK}/address-groups/{own['id']}/add_addresses", {"addresses": ["198.51.100.0/24"]})
    assert both.status("PUT", f"{NETWORK}/address-groups/{own['id']}/add_addresses", {"addresses": ["203.0.113.0/24"]}) == 409
    assert both.ec2.get_managed_prefix_list_entries(PrefixListId=four)["Entries"] == [{"Cidr": "192.0.2.0/24", "Description": "here"}, {"Cidr": "198.51.100.0/24"}]
    both.ec2.authorize_security_group_ingress(GroupId=ec2_id("sg", group), IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "PrefixListIds": [{"PrefixListId": four}]}])
    (rule,) = [r for r in both.listed(NETWORK, "security-group-rules") if r["remote_address_group_id"] == own["id"]]
    assert (rule["ethertype"], rule["security_group_id"]) == ("IPv4", group)
    assert both.status("DELETE", f"{NETWORK}/address-groups/{own['id']}") == 409
    both.delete(f"{NETWORK}/security-group-rules/{rule['id']}")
    both.ec2.delete_managed_prefix_list(PrefixListId=four)
    for path in (f"security-groups/{group}", f"address-groups/{addresses}"):
        both.delete(f"{NETWORK}/{path}")


@holds("The network: Groups")
@pytest.mark.parametrize("prefix", ["2001:db8::/64", "::/0", None])
def test_rules_of_ipv6(both, prefix):
    """Only Neutron creates such rules; EC2 shows and revokes them, except those by membership, which stand for both families there."""
    group = make(both, "security_group", "security-groups", name="six")["id"]
    source = {"remote_ip_prefix": prefix} if prefix else {"remote_group_id": group}
    rule = make(both, "security_group_rule", "security-group-rules", security_group_id=group, direction="ingress", ethertype="IPv6",
                protocol="tcp", port_range_min=22, port_range_max=22, **source)

    def shown():
        return both.ec2.describe_security_groups(GroupIds=[ec2_id("sg", group)])["SecurityGroups"][0]["IpPermissions"]
    assert rule["ethertype"] == "IPv6" and [r["CidrIpv6"] for p in shown() for r in p["Ipv6Ranges"]] == ([prefix] if prefix else [])
    both.ec2.revoke_security_group_ingress(GroupId=ec2_id("sg", group), SecurityGroupRuleIds=[ec2_id("sgr", rule["id"])])
    assert both.status("GET", f"{NETWORK}/security-group-rules/{rule['id']}") == 404 and shown() == []
    both.ec2.delete_security_group(GroupId=ec2_id("sg", group))


@holds("The network: Groups")
def test_default_groups(both):
    """The account's own default group belongs to Neutron, a VPC's to EC2; neither can be deleted."""
    own = [g for g in both.listed(NETWORK, "security-groups") if g["name"] == "default"]
    in_ec2 = {ec2_id("sg", g["id"]): both.ec2.describe_security_groups(GroupIds=[ec2_id("sg", g["id"])])["SecurityGroups"][0] for g in own}
    (alone,) = [i for i, g in in_ec2.items() if "VpcId" not in g]
    rules = found(own, "sg", alone)["security_group_rules"]
    assert sorted((r["direction"], r["ethertype"]) for r in rules) == [("egress", "IPv4"), ("egress", "IPv6"), ("ingress", "IPv4"), ("ingress", "IPv6")]
    assert len(in_ec2[alone]["IpPermissions"]) == 1  # a rule by membership covers both families
    for group in own:
        assert both.status("DELETE", f"{NETWORK}/security-groups/{group['id']}") == 409
        assert code(both.ec2.delete_security_group, GroupId=ec2_id("sg", group["id"])) == "CannotDelete"


# ---- Neutron's own features

@holds("The network: grant of a network", "The network: Shared networks")
def test_a_network_of_another_project(both):
    """The other project uses it in both faces, only Neutron lists it, and it cannot be unshared while ports are on it."""
    other = lib.another(both.dev, "granted", faces.Both)
    network, subnet, router = make_router(both, "10.45.0.0/24", "granted")
    in_ec2 = ec2_id("subnet", subnet)
    assert other.status("GET", f"{NETWORK}/networks/{network}") == 404
    assert code(other.ec2.create_network_interface, SubnetId=in_ec2) == "InvalidSubnetID.NotFound"
    grant = make(both, "rbac_policy", "rbac-policies", object_type="network", object_id=network, action="access_as_shared",
                 target_tenant=other.id)["id"]
    assert other.ok("GET", f"{NETWORK}/networks/{network}")["network"]["shared"]
    assert subnet in [s["id"] for s in other.listed(NETWORK, "subnets")]
    assert in_ec2 not in [s["SubnetId"] for s in other.ec2.describe_subnets()["Subnets"]]
    port = make(other, "port", network_id=network)
    (eni,) = other.ec2.describe_network_interfaces(NetworkInterfaceIds=[ec2_id("eni", port["id"])])["NetworkInterfaces"]
    assert (eni["SubnetId"], eni["VpcId"]) == (in_ec2, ec2_id("vpc", router))
    (group,) = port["security_groups"]
    assert other.ok("GET", f"{NETWORK}/security-groups/{group}")["security_group"]["project_id"] == other.id
    more = other.ec2.create_network_interface(SubnetId=in_ec2)["NetworkInterface"]["NetworkInterfaceId"]
    chosen = {"network_id": network, "fixed_ips": [{"ip_address": "10.45.0.77"}]}
    assert other.status("POST", f"{NETWORK}/ports", {"port": chosen}) == 403
    assert code(other.ec2.create_network_interface, SubnetId=in_ec2, PrivateIpAddress="10.45.0.77") == "UnauthorizedOperation"
    assert other.status("PUT", f"{NETWORK}/networks/{network}", {"network": {"name": "mine"}}) == 404
    assert both.status("PUT", f"{NETWORK}/networks/{network}", {"network": {"shared": True}}) == 403
    other.delete(f"{NETWORK}/ports/{port['id']}")
    assert both.status("DELETE", f"{NETWORK}/rbac-policies/{grant}") == 409
    other.ec2.delete_network_interface(NetworkInterfaceId=more)
    both.delete(f"{NETWORK}/rbac-policies/{grant}")
    assert other.status("GET", f"{NETWORK}/networks/{network}") == 404
    lib.admin(both.dev).ok("PUT", f"{NETWORK}/networks/{network}", {"network": {"shared": True}})
    assert other.ok("GET", f"{NETWORK}/networks/{network}")["network"]["shared"]
    drop_router(both, network, subnet, router)


@holds("The network: subnet pool", "The network: Subnet pools")
def test_a_subnet_of_a_pool(both):
    """EC2 shows it like any other; only administrators create shared pools."""
    wish = {"name": "pool", "prefixes": ["10.46.0.0/16"], "default_prefixlen": 24}
    for regions in ("shared", "is_default"):
        assert both.status("POST", f"{NETWORK}/subnetpools", {"subnetpool": {**wish, regions: True}}) == 403
    pool = make(both, "subnetpool", **wish)["id"]
    network = make(both, "network", name="pooled")["id"]
    subnet = make(both, "subnet", network_id=network, ip_version=4, subnetpool_id=pool)
    router = make(both, "router", name="pooled")["id"]
    both.ok("PUT", f"{NETWORK}/routers/{router}/add_router_interface", {"subnet_id": subnet["id"]})
    (seen,) = both.ec2.describe_subnets(SubnetIds=[ec2_id("subnet", subnet["id"])])["Subnets"]
    assert seen["CidrBlock"] == subnet["cidr"] == "10.46.0.0/24"
    assert both.status("DELETE", f"{NETWORK}/subnetpools/{pool}") == 400
    drop_router(both, network, subnet["id"], router)
    both.delete(f"{NETWORK}/subnetpools/{pool}")


# ---- the rest

@holds("What each face calls it: DHCP options set", "The network: DHCP options")
def test_dhcp_options(both):
    """A set belongs to its VPC and does not change its subnets; a subnet's resolvers do not change the set."""
    vpc, router, [(subnet, seen)] = make_vpc(both, "10.39.0.0/16")
    made = both.ec2.create_dhcp_options(DhcpConfigurations=[{"Key": "domain-name-servers", "Values": ["192.0.2.53"]}])["DhcpOptions"]["DhcpOptionsId"]
    shown = both.ok("GET", f"{NETWORK}/routers/{router}")["router"]
    both.ec2.associate_dhcp_options(DhcpOptionsId=made, VpcId=vpc)
    assert both.ok("GET", f"{NETWORK}/subnets/{seen['id']}")["subnet"]["dns_nameservers"] == []
    after = both.ok("GET", f"{NETWORK}/routers/{router}")["router"]
    assert {k: v for k, v in after.items() if k not in ("updated_at", "revision_number")} == {
        k: v for k, v in shown.items() if k not in ("updated_at", "revision_number")}
    assert change(both, "subnet", seen["id"], dns_nameservers=["192.0.2.54"])["dns_nameservers"] == ["192.0.2.54"]
    assert both.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["DhcpOptionsId"] == made
    said = both.ec2.describe_dhcp_options(DhcpOptionsIds=[made])["DhcpOptions"][0]["DhcpConfigurations"]
    assert said == [{"Key": "domain-name-servers", "Values": [{"Value": "192.0.2.53"}]}]
    change(both, "router", router, name="renamed")
    assert both.ec2.describe_vpcs(Filters=[{"Name": "dhcp-options-id", "Values": [made]}])["Vpcs"][0]["VpcId"] == vpc
    assert code(lambda: both.ec2.delete_dhcp_options(DhcpOptionsId=made)) == "DependencyViolation"
    both.ec2.associate_dhcp_options(DhcpOptionsId="default", VpcId=vpc)
    both.ec2.delete_dhcp_options(DhcpOptionsId=made)
    assert both.ok("GET", f"{NETWORK}/subnets/{seen['id']}")["subnet"]["dns_nameservers"] == ["192.0.2.54"]
    drop_vpc(both, vpc, [(subnet, seen)])


@holds("The network: Further blocks")
def test_further_blocks(both):
    """Neutron's subnets are not in a block, and prevent adding one; EC2's subnets in a further block are ordinary ones."""
    vpc, router, subnets = make_vpc(both, "10.47.0.0/16")
    network = make(both, "network", name="theirs")["id"]
    theirs = make(both, "subnet", network_id=network, cidr="10.65.8.0/24", ip_version=4)["id"]
    both.ok("PUT", f"{NETWORK}/routers/{router}/add_router_interface", {"subnet_id": theirs})
    assert code(both.ec2.associate_vpc_cidr_block, VpcId=vpc, CidrBlock="10.65.0.0/16") == "InvalidVpc.Range"
    made = both.ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="10.66.0.0/16")["CidrBlockAssociation"]
    assert (made["CidrBlock"], made["CidrBlockState"]) == ("10.66.0.0/16", {"State": "associating"})
    subnet = both.ec2.create_subnet(VpcId=vpc, CidrBlock="10.66.1.0/24", AvailabilityZone=both.zone)["Subnet"]
    seen = both.seen(NETWORK, "subnets", subnet["SubnetId"])
    assert (seen["cidr"], seen["gateway_ip"]) == ("10.66.1.0/24", "10.66.1.1")
    assert "10.66.0.0/16" not in str(both.ok("GET", f"{NETWORK}/routers/{router}"))
    tables = both.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    assert [r["DestinationCidrBlock"] for r in tables[0]["Routes"] if r["GatewayId"] == "local"] == ["10.47.0.0/16", "10.66.0.0/16"]
    assert code(both.ec2.disassociate_vpc_cidr_block, AssociationId=made["AssociationId"]) == "DependencyViolation"
    both.ok("PUT", f"{NETWORK}/routers/{router}/remove_router_interface", {"subnet_id": theirs})
    both.delete(f"{NETWORK}/networks/{network}")
    both.ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    both.ec2.disassociate_vpc_cidr_block(AssociationId=made["AssociationId"])
    shown = both.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["CidrBlockAssociationSet"]
    assert [b["CidrBlock"] for b in shown] == ["10.47.0.0/16"]
    bare = make(both, "router", name="bare")["id"]
    assert code(both.ec2.associate_vpc_cidr_block, VpcId=ec2_id("vpc", bare), CidrBlock="10.66.0.0/16") == "InvalidVpc.Range"
    both.delete(f"{NETWORK}/routers/{bare}")
    drop_vpc(both, vpc, subnets)


@holds("The network: Network ACLs")
def test_network_acls(both):
    """A Neutron router has the default ACL; another ACL of its subnet is removed with the interface, and prevents the router's deletion."""
    network, router = make(both, "network", name="guarded"), make(both, "router", name="guard")
    subnet = make(both, "subnet", network_id=network["id"], ip_version=4, cidr="10.49.1.0/24")
    way = f"{NETWORK}/routers/{router['id']}/"
    both.ok("PUT", way + "add_router_interface", {"subnet_id": subnet["id"]})

    def shown():
        return both.ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [ec2_id("vpc", router["id"])]}])["NetworkAcls"]

    (default,) = shown()
    assert default["IsDefault"] and [e["RuleAction"] for e in default["Entries"]] == ["allow", "allow", "deny", "deny"]
    (association,) = default["Associations"]
    assert association["SubnetId"] == ec2_id("subnet", subnet["id"])
    acl = both.ec2.create_network_acl(VpcId=default["VpcId"])["NetworkAcl"]["NetworkAclId"]
    both.ec2.replace_network_acl_association(AssociationId=association["NetworkAclAssociationId"], NetworkAclId=acl)
    assert code(both.ec2.delete_network_acl, NetworkAclId=acl) == "DependencyViolation"
    both.ok("PUT", way + "remove_router_interface", {"subnet_id": subnet["id"]})
    both.ok("PUT", way + "add_router_interface", {"subnet_id": subnet["id"]})
    assert {a["NetworkAclId"]: len(a["Associations"]) for a in shown()} == {default["NetworkAclId"]: 1, acl: 0}
    both.ok("PUT", way + "remove_router_interface", {"subnet_id": subnet["id"]})
    both.rest()
    assert both.status("DELETE", f"{NETWORK}/routers/{router['id']}") == 409
    both.ec2.delete_network_acl(NetworkAclId=acl)
    for kind, made in (("routers", router), ("subnets", subnet), ("networks", network)):
        both.delete(f"{NETWORK}/{kind}/{made['id']}")
    both.rest()


@holds("The network: Routes within a VPC")
def test_routes_within_a_vpc(both):
    """Neutron shows a route to a subnet's block, and cannot set routes while the main table belongs to an internet gateway."""
    vpc = both.ec2.create_vpc(CidrBlock="10.52.0.0/16")["Vpc"]["VpcId"]
    subnets = [both.ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.52.{n}.0/24", AvailabilityZone=both.zone)["Subnet"]["SubnetId"] for n in (1, 2)]
    nic = both.ec2.create_network_interface(SubnetId=subnets[1])["NetworkInterface"]
    table = both.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"][0]["RouteTableId"]
    gateway = both.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    both.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    both.ec2.create_route(RouteTableId=table, DestinationCidrBlock="10.52.1.0/24", NetworkInterfaceId=nic["NetworkInterfaceId"])
    both.ec2.associate_route_table(RouteTableId=table, GatewayId=gateway)
    router = both.seen(NETWORK, "routers", vpc)
    within = {"destination": "10.52.1.0/24", "nexthop": nic["PrivateIpAddress"]}
    wish = {"router": {"routes": [within, {"destination": "192.0.2.0/24", "nexthop": nic["PrivateIpAddress"]}]}}
    assert router["routes"] == [within]
    assert both.status("PUT", f"{NETWORK}/routers/{router['id']}", wish) == 400
    both.ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    assert both.status("PUT", f"{NETWORK}/routers/{router['id']}", wish) == 200
    both.ok("PUT", f"{NETWORK}/routers/{router['id']}", {"router": {"routes": []}})
    both.ec2.delete_network_interface(NetworkInterfaceId=nic["NetworkInterfaceId"])
    both.rest()
    for subnet in subnets:
        both.ec2.delete_subnet(SubnetId=subnet)
    both.ec2.delete_internet_gateway(InternetGatewayId=gateway)
    both.ec2.delete_vpc(VpcId=vpc)
    both.rest()


@holds("The network: IPv6")
def test_ipv6(both):
    vpc = both.ec2.create_vpc(CidrBlock="10.48.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"]
    shown = both.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]
    block = shown["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"].replace("/56", "/64")
    subnet = both.ec2.create_subnet(VpcId=vpc, CidrBlock="10.48.1.0/24", Ipv6CidrBlock=block)["Subnet"]["SubnetId"]
    (six,) = [s for s in both.ok("GET", f"{NETWORK}/subnets?ip_version=6")["subnets"] if s["cidr"] == block]
    (four,) = [s for s in both.ok("GET", f"{NETWORK}/subnets?ip_version=4")["subnets"] if ec2_id("subnet", s["id"]) == subnet]
    assert six["network_id"] == four["network_id"] and six["ipv6_address_mode"] == "dhcpv6-stateful"
    nic = both.ec2.create_network_interface(SubnetId=subnet, Ipv6AddressCount=1)["NetworkInterface"]
    table = both.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"][0]["RouteTableId"]
    gateway = both.ec2.create_egress_only_internet_gateway(VpcId=vpc)["EgressOnlyInternetGateway"]["EgressOnlyInternetGatewayId"]
    both.ec2.create_route(RouteTableId=table, DestinationIpv6CidrBlock="::/0", EgressOnlyInternetGatewayId=gateway)
    both.ec2.create_route(RouteTableId=table, DestinationIpv6CidrBlock="2001:db8:e000::/48", NetworkInterfaceId=nic["NetworkInterfaceId"])
    (router,) = [r for r in both.ok("GET", f"{NETWORK}/routers")["routers"] if ec2_id("vpc", r["id"]) == vpc]
    assert router["routes"] == [{"destination": "2001:db8:e000::/48", "nexthop": nic["Ipv6Addresses"][0]["Ipv6Address"]}]
    for destination in ("::/0", "2001:db8:e000::/48"):
        both.ec2.delete_route(RouteTableId=table, DestinationIpv6CidrBlock=destination)
    both.ec2.delete_network_interface(NetworkInterfaceId=nic["NetworkInterfaceId"])
    both.rest()
    both.ec2.delete_subnet(SubnetId=subnet)
    both.rest()
    assert both.status("DELETE", f"{NETWORK}/routers/{router['id']}") == 409
    both.ec2.delete_egress_only_internet_gateway(EgressOnlyInternetGatewayId=gateway)
    both.delete(f"{NETWORK}/routers/{router['id']}")
    both.rest()


@holds("The network: Reservations")
def test_reservations(both):
    """All but three of a subnet's eleven addresses are reserved: only those three are chosen automatically, others on request."""
    vpc = both.ec2.create_vpc(CidrBlock="10.48.0.0/16")["Vpc"]["VpcId"]
    subnet = both.ec2.create_subnet(VpcId=vpc, CidrBlock="10.48.1.0/28", AvailabilityZone=both.zone)["Subnet"]
    seen = both.seen(NETWORK, "subnets", subnet["SubnetId"])
    made = both.ec2.create_subnet_cidr_reservation(SubnetId=subnet["SubnetId"], Cidr="10.48.1.8/29", ReservationType="explicit")
    one = both.ec2.create_subnet_cidr_reservation(SubnetId=subnet["SubnetId"], Cidr="10.48.1.5/32", ReservationType="prefix")
    ports = [make(both, "port", network_id=seen["network_id"]) for _ in range(3)]
    assert sorted(p["fixed_ips"][0]["ip_address"] for p in ports) == ["10.48.1.4", "10.48.1.6", "10.48.1.7"]
    assert code(both.ec2.create_network_interface, SubnetId=subnet["SubnetId"]) == "InsufficientFreeAddressesInSubnet"
    ports.append(make(both, "port", network_id=seen["network_id"], fixed_ips=[{"ip_address": "10.48.1.9"}]))
    assert both.ok("GET", f"{NETWORK}/subnets/{seen['id']}")["subnet"]["allocation_pools"] == seen["allocation_pools"]
    both.ec2.delete_subnet_cidr_reservation(SubnetCidrReservationId=one["SubnetCidrReservation"]["SubnetCidrReservationId"])
    ports.append(make(both, "port", network_id=seen["network_id"]))
    assert ports[-1]["fixed_ips"][0]["ip_address"] == "10.48.1.5"
    for port in ports:
        both.delete(f"{NETWORK}/ports/{port['id']}")
    both.rest()
    both.ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    gone = made["SubnetCidrReservation"]["SubnetCidrReservationId"]
    assert code(both.ec2.delete_subnet_cidr_reservation, SubnetCidrReservationId=gone) == "InvalidSubnetCidrReservationID.NotFound"
    both.ec2.delete_vpc(VpcId=vpc)
    both.rest()


@holds("The network: Prefixes")
def test_prefixes(both):
    """Neutron shows only the interface's own address, and assigns none of the prefix to another port."""
    vpc = both.ec2.create_vpc(CidrBlock="10.49.0.0/16")["Vpc"]["VpcId"]
    subnet = both.ec2.create_subnet(VpcId=vpc, CidrBlock="10.49.1.0/24", AvailabilityZone=both.zone)["Subnet"]["SubnetId"]
    seen = both.seen(NETWORK, "subnets", subnet)
    nic = both.ec2.create_network_interface(SubnetId=subnet, Ipv4PrefixCount=1)["NetworkInterface"]
    inside = nic["Ipv4Prefixes"][0]["Ipv4Prefix"].partition("/")[0]
    shown = both.seen(NETWORK, "ports", nic["NetworkInterfaceId"])
    assert [f["ip_address"] for f in shown["fixed_ips"]] == [nic["PrivateIpAddress"]] and shown["allowed_address_pairs"] == []
    wish = {"port": {"network_id": seen["network_id"], "fixed_ips": [{"ip_address": inside}]}}
    assert both.status("POST", f"{NETWORK}/ports", wish) == 409
    both.ec2.delete_network_interface(NetworkInterfaceId=nic["NetworkInterfaceId"])
    both.rest()
    port = make(both, "port", network_id=seen["network_id"], fixed_ips=[{"ip_address": inside}])
    both.delete(f"{NETWORK}/ports/{port['id']}")
    both.rest()
    both.ec2.delete_subnet(SubnetId=subnet)
    both.ec2.delete_vpc(VpcId=vpc)
    both.rest()


@holds("The network: Tags")
def test_tags(both):
    """A word is a tag without a value; with one it is key=value; a key occurs once."""
    vpc, router, subnets = make_vpc(both, "10.42.0.0/16")
    ((subnet, seen),) = subnets
    eni = both.ec2.create_network_interface(SubnetId=subnet["SubnetId"])["NetworkInterface"]["NetworkInterfaceId"]
    group = both.ec2.create_security_group(GroupName="tagged", Description="d", VpcId=vpc)["GroupId"]
    address = both.ec2.allocate_address()["AllocationId"]
    for resource, collection in ((vpc, "routers"), (subnet["SubnetId"], "subnets"), (eni, "ports"), (group, "security-groups"), (address, "floatingips")):
        path = f"{NETWORK}/{collection}/{both.seen(NETWORK, collection, resource)['id']}/tags"
        both.ec2.create_tags(Resources=[resource], Tags=tags(("word", ""), ("k", "v")))
        assert sorted(both.ok("GET", path)["tags"]) == ["k=v", "word"]
        both.ok("PUT", path, {"tags": ["more", "k=w"]})

        def said(resource=resource):
            found_tags = both.ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [resource]}])["Tags"]
            return {t["Key"]: t["Value"] for t in found_tags}
        assert said() == {"more": "", "k": "w"}
        assert both.status("PUT", f"{path}/k=x") == 201 and said() == {"more": "", "k": "x"}
        assert both.status("PUT", path, {"tags": ["k=1", "k=2"]}) == 400
        assert both.status("DELETE", path) == 204 and said() == {}
    both.ec2.release_address(AllocationId=address)
    both.ec2.delete_network_interface(NetworkInterfaceId=eni)
    both.ec2.delete_security_group(GroupId=group)
    drop_vpc(both, vpc, subnets)


def test_the_region_is_as_its_rows_say(both):
    assert both.dev.audit() == []


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))


@holds("The network: For another project")
def test_for_another_project(both, outside):
    """Resources that an administrator creates for a project belong to it in both faces; a port is in groups of its own project."""
    admin = lib.admin(both.dev)
    group = make(admin, "security_group", "security-groups", name="given", project_id=both.id)
    rule = make(admin, "security_group_rule", "security-group-rules", security_group_id=group["id"], direction="ingress", protocol="tcp",
                port_range_min=22, port_range_max=22)
    assert {group["project_id"], rule["project_id"]} == {both.id}
    address = make(admin, "floatingip", floating_network_id=outside["id"], project_id=both.id)
    allocation = ec2_id("eipalloc", address["id"])
    assert both.ec2.describe_addresses(AllocationIds=[allocation])["Addresses"][0]["PublicIp"] == address["floating_ip_address"]
    network = make(admin, "network", name="given", project_id=both.id)["id"]
    make(admin, "subnet", network_id=network, cidr="10.77.0.0/24", ip_version=4)
    port = make(admin, "port", network_id=network, project_id=both.id, security_groups=[group["id"]])
    assert both.ok("GET", f"{NETWORK}/ports/{port['id']}")["port"]["project_id"] == both.id
    anothers = make(admin, "security_group", "security-groups", name="own")["id"]
    wrong = {"port": {"network_id": network, "project_id": both.id, "security_groups": [anothers]}}
    assert admin.call("POST", f"{NETWORK}/ports", wrong).status == 404
    both.ec2.release_address(AllocationId=allocation)
    for path in (f"ports/{port['id']}", f"networks/{network}", f"security-groups/{group['id']}"):
        both.delete(f"{NETWORK}/{path}")
    both.rest()
    assert admin.call("DELETE", f"{NETWORK}/security-groups/{anothers}").status == 204

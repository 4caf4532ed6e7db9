#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/elb src/engine/balancing src/reconcile/balancing
"""Network load balancers through stock boto3: from creation to deletion, in the order in which Terraform and Cluster API call."""
import ipaddress
import json
import os
import subprocess
import sys

import boto3
import botocore.config
import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import dev as ec2  # noqa: E402
from faces import holds  # noqa: E402
from waiting import soon  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def region():
    with ec2.Dev() as made:
        yield made


def client(region, account, service):
    return boto3.client(service, region_name=ec2.REGION, endpoint_url=region.url, aws_access_key_id=account.key_id,
                        aws_secret_access_key=account.secret, config=botocore.config.Config(retries={"max_attempts": 0}))


def code(call, **params):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**params)
    assert caught.value.response["Error"]["Message"], caught.value
    return caught.value.response["Error"]["Code"]


class Place:
    """A VPC with a subnet, an internet gateway and two running instances."""

    def __init__(self, region, name):
        self.account = region.new_account(name)
        self.ec2, self.elb = client(region, self.account, "ec2"), client(region, self.account, "elbv2")
        self.vpc = self.ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
        self.subnet = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock="10.7.1.0/24")["Subnet"]["SubnetId"]
        self.gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        image = self.ec2.describe_images()["Images"][0]["ImageId"]
        self.instances = [i["InstanceId"] for i in self.ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=2, MaxCount=2,
                                                                          SubnetId=self.subnet)["Instances"]]
        self.ec2.get_waiter("instance_running").wait(InstanceIds=self.instances, WaiterConfig={"Delay": 1})

    def group(self, name, **more):
        params = {"Name": name, "Protocol": "TCP", "Port": 80, "VpcId": self.vpc, **more}
        return self.elb.create_target_group(**params)["TargetGroups"][0]

    def balancer(self, name, **more):
        params = {"Name": name, "Type": "network", "Scheme": "internal", "Subnets": [self.subnet], **more}
        return self.elb.create_load_balancer(**params)["LoadBalancers"][0]

    def listener(self, balancer, group, port=80, protocol="TCP"):
        return self.elb.create_listener(LoadBalancerArn=balancer, Protocol=protocol, Port=port,
                                        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}])["Listeners"][0]

    def health(self, group, **more):
        described = self.elb.describe_target_health(TargetGroupArn=group, **more)["TargetHealthDescriptions"]
        return {d["Target"]["Id"]: (d["TargetHealth"]["State"], d["TargetHealth"].get("Reason")) for d in described}


@pytest.fixture(scope="module")
def place(region):
    return Place(region, "web")


@pytest.fixture(scope="module")
def other(region):
    return Place(region, "other")


@holds("The network: Network load balancers", "What each face calls it: network load balancer, listener, target group")
def test_whole_path(place):
    elb, instances = place.elb, place.instances
    group = place.group("web", HealthCheckIntervalSeconds=5, HealthyThresholdCount=2, Tags=[{"Key": "a", "Value": "b"}])
    arn = group["TargetGroupArn"]
    assert arn.startswith("arn:aws:elasticloadbalancing:us-east-1:") and arn.split(":")[-1].startswith("targetgroup/web/")
    assert (group["HealthCheckProtocol"], group["HealthCheckPort"], group["HealthCheckIntervalSeconds"], group["HealthCheckTimeoutSeconds"]) == \
        ("TCP", "traffic-port", 5, 5)
    assert group["LoadBalancerArns"] == [] and group["VpcId"] == place.vpc and group["TargetType"] == "instance"
    made = place.balancer("web", Tags=[{"Key": "k", "Value": "v"}])
    balancer = made["LoadBalancerArn"]
    assert made["State"]["Code"] in ("provisioning", "active") and made["Type"] == "network" and made["Scheme"] == "internal"
    elb.get_waiter("load_balancer_available").wait(LoadBalancerArns=[balancer], WaiterConfig={"Delay": 1})
    [shown] = elb.describe_load_balancers(Names=["web"])["LoadBalancers"]
    assert shown["DNSName"] == f"web-{balancer.rpartition('/')[2]}.elb.us-east-1.internal"
    [zone] = shown["AvailabilityZones"]
    assert zone["SubnetId"] == place.subnet and zone["LoadBalancerAddresses"][0]["PrivateIPv4Address"].startswith("10.7.1.")
    [eni] = place.ec2.describe_network_interfaces(Filters=[{"Name": "description", "Values": ["ELB net/web/*"]}])["NetworkInterfaces"]
    assert eni["PrivateIpAddress"] == zone["LoadBalancerAddresses"][0]["PrivateIPv4Address"]
    assert code(place.ec2.delete_network_interface, NetworkInterfaceId=eni["NetworkInterfaceId"]) == "AuthFailure"
    elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": i, "Port": 80} for i in instances])
    assert place.health(arn) == {i: ("unused", "Target.NotInUse") for i in instances}
    listener = place.listener(balancer, arn)
    assert listener["ListenerArn"].startswith(balancer.replace(":loadbalancer/", ":listener/") + "/")
    elb.get_waiter("target_in_service").wait(TargetGroupArn=arn, Targets=[{"Id": i} for i in instances], WaiterConfig={"Delay": 1})
    assert place.health(arn) == {i: ("healthy", None) for i in instances}
    assert elb.describe_target_groups(LoadBalancerArn=balancer)["TargetGroups"][0]["LoadBalancerArns"] == [balancer]
    assert elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"] == elb.describe_listeners(ListenerArns=[listener["ListenerArn"]])["Listeners"] == [listener]
    assert code(elb.delete_target_group, TargetGroupArn=arn) == "ResourceInUse"
    place.ec2.stop_instances(InstanceIds=instances[1:])
    assert soon(lambda: place.health(arn)[instances[1]] == ("unused", "Target.InvalidState"))
    elb.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": instances[0]}])
    assert place.health(arn)[instances[0]] == ("draining", "Target.DeregistrationInProgress")
    elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": instances[0]}])
    assert soon(lambda: place.health(arn)[instances[0]] == ("healthy", None))
    elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "0"}])
    elb.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": i} for i in instances])
    assert place.health(arn) == {} and place.health(arn, Targets=[{"Id": instances[0]}]) == {instances[0]: ("unused", "Target.NotRegistered")}
    elb.delete_load_balancer(LoadBalancerArn=balancer)
    elb.delete_load_balancer(LoadBalancerArn=balancer)
    elb.get_waiter("load_balancers_deleted").wait(LoadBalancerArns=[balancer], WaiterConfig={"Delay": 1})
    assert code(elb.describe_listeners, ListenerArns=[listener["ListenerArn"]]) == "ListenerNotFound"
    elb.delete_target_group(TargetGroupArn=arn)
    assert code(elb.describe_target_groups, TargetGroupArns=[arn]) == "TargetGroupNotFound"
    place.ec2.start_instances(InstanceIds=instances[1:])
    place.ec2.get_waiter("instance_running").wait(InstanceIds=instances, WaiterConfig={"Delay": 1})


def test_internet_facing(region, place):
    assert code(place.elb.create_load_balancer, Name="pub", Type="network", Subnets=[place.subnet]) == "InvalidSubnet"
    place.ec2.attach_internet_gateway(InternetGatewayId=place.gateway, VpcId=place.vpc)
    made = place.balancer("pub", Scheme="internet-facing")
    address = made["AvailabilityZones"][0]["LoadBalancerAddresses"][0]["IpAddress"]
    assert place.elb.describe_load_balancers(Names=["pub"])["LoadBalancers"][0]["Scheme"] == "internet-facing"
    elastic = place.ec2.allocate_address(Domain="vpc")
    mapping = [{"SubnetId": place.subnet, "AllocationId": elastic["AllocationId"]}]
    named = place.elb.create_load_balancer(Name="eip", Type="network", SubnetMappings=mapping)["LoadBalancers"][0]
    [shown] = named["AvailabilityZones"][0]["LoadBalancerAddresses"]
    assert shown == {"IpAddress": elastic["PublicIp"], "AllocationId": elastic["AllocationId"]} and shown["IpAddress"] != address
    assert code(place.elb.create_load_balancer, Name="again", Type="network", SubnetMappings=mapping) == "ResourceInUse"
    assert code(place.ec2.release_address, AllocationId=elastic["AllocationId"]) == "AuthFailure"
    association = place.ec2.describe_addresses(AllocationIds=[elastic["AllocationId"]])["Addresses"][0]["AssociationId"]
    assert code(place.ec2.disassociate_address, AssociationId=association) == "AuthFailure"
    assert code(place.ec2.detach_internet_gateway, InternetGatewayId=place.gateway, VpcId=place.vpc) == "DependencyViolation"
    region.rest()
    region.command("audit")  # fails if it finds a difference
    for one in (made, named):
        place.elb.delete_load_balancer(LoadBalancerArn=one["LoadBalancerArn"])
    assert "AssociationId" not in place.ec2.describe_addresses(AllocationIds=[elastic["AllocationId"]])["Addresses"][0]
    place.ec2.release_address(AllocationId=elastic["AllocationId"])
    place.ec2.detach_internet_gateway(InternetGatewayId=place.gateway, VpcId=place.vpc)


def test_private_address(place):
    made = place.elb.create_load_balancer(Name="fixed", Type="network", Scheme="internal",
                                          SubnetMappings=[{"SubnetId": place.subnet, "PrivateIPv4Address": "10.7.1.99"}])["LoadBalancers"][0]
    assert made["AvailabilityZones"][0]["LoadBalancerAddresses"] == [{"PrivateIPv4Address": "10.7.1.99"}]
    assert code(place.elb.create_load_balancer, Name="taken", Type="network", Scheme="internal",
                SubnetMappings=[{"SubnetId": place.subnet, "PrivateIPv4Address": "10.7.1.99"}]) == "InvalidConfigurationRequest"
    place.elb.delete_load_balancer(LoadBalancerArn=made["LoadBalancerArn"])


def test_creations_are_idempotent(place):
    first, group = place.balancer("same"), place.group("same")
    assert place.balancer("same")["LoadBalancerArn"] == first["LoadBalancerArn"]
    assert place.group("same")["TargetGroupArn"] == group["TargetGroupArn"]
    other = place.ec2.create_subnet(VpcId=place.vpc, CidrBlock="10.7.2.0/24")["Subnet"]["SubnetId"]
    assert code(place.elb.create_load_balancer, Name="same", Type="network", Scheme="internal", Subnets=[other]) == "DuplicateLoadBalancerName"
    assert code(place.elb.create_target_group, Name="same", Protocol="TCP", Port=81, VpcId=place.vpc) == "DuplicateTargetGroupName"
    place.elb.delete_load_balancer(LoadBalancerArn=first["LoadBalancerArn"])
    place.elb.delete_target_group(TargetGroupArn=group["TargetGroupArn"])
    place.ec2.delete_subnet(SubnetId=other)


def test_pages(place):
    arns = {place.balancer(f"page-{k}")["LoadBalancerArn"] for k in range(3)}
    groups = {place.group(f"page-{k}")["TargetGroupArn"] for k in range(3)}
    pages = list(place.elb.get_paginator("describe_load_balancers").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(p["LoadBalancers"]) for p in pages] == [2, 1] and {b["LoadBalancerArn"] for p in pages for b in p["LoadBalancers"]} == arns
    pages = list(place.elb.get_paginator("describe_target_groups").paginate(PaginationConfig={"PageSize": 1}))
    assert {g["TargetGroupArn"] for p in pages for g in p["TargetGroups"]} == groups and len(pages) == 3
    balancer = sorted(arns)[0]
    for k, group in enumerate(sorted(groups)):
        place.listener(balancer, group, port=9 + k)
    pages = list(place.elb.get_paginator("describe_listeners").paginate(LoadBalancerArn=balancer, PaginationConfig={"PageSize": 2}))
    assert [[one["Port"] for one in p["Listeners"]] for p in pages] == [[9, 10], [11]]
    assert code(place.elb.describe_load_balancers, Marker="*") == "ValidationError"
    for arn in arns:
        place.elb.delete_load_balancer(LoadBalancerArn=arn)
    for group in groups:
        place.elb.delete_target_group(TargetGroupArn=group)


def test_listeners(place):
    balancer, group, udp = place.balancer("ports"), place.group("tcp"), place.group("udp", Protocol="UDP", Port=53)
    arn = balancer["LoadBalancerArn"]
    listener = place.listener(arn, group["TargetGroupArn"])
    assert code(place.listener, balancer=arn, group=group["TargetGroupArn"]) == "DuplicateListener"
    assert code(place.listener, balancer=arn, group=udp["TargetGroupArn"], port=53) == "IncompatibleProtocols"
    place.listener(arn, udp["TargetGroupArn"], port=53, protocol="UDP")
    assert udp["HealthCheckEnabled"] is False
    place.elb.register_targets(TargetGroupArn=udp["TargetGroupArn"], Targets=[{"Id": place.instances[0]}])
    assert place.health(udp["TargetGroupArn"]) == {place.instances[0]: ("unavailable", "Target.HealthCheckDisabled")}
    changed = place.elb.modify_listener(ListenerArn=listener["ListenerArn"], Port=8080)["Listeners"][0]
    assert changed["Port"] == 8080 and changed["DefaultActions"] == listener["DefaultActions"]
    assert code(place.elb.modify_listener, ListenerArn=listener["ListenerArn"], Port=53) == "DuplicateListener"
    second = place.balancer("second")
    assert code(place.listener, balancer=second["LoadBalancerArn"], group=group["TargetGroupArn"]) == "TargetGroupAssociationLimit"
    assert code(place.elb.create_listener, LoadBalancerArn=arn, Protocol="TLS", Port=443,
                DefaultActions=[{"Type": "forward", "TargetGroupArn": group["TargetGroupArn"]}]) == "ValidationError"
    place.elb.delete_listener(ListenerArn=listener["ListenerArn"])
    assert code(place.elb.delete_listener, ListenerArn=listener["ListenerArn"]) == "ListenerNotFound"
    for one in (balancer, second):
        place.elb.delete_load_balancer(LoadBalancerArn=one["LoadBalancerArn"])
    for one in (group, udp):
        place.elb.delete_target_group(TargetGroupArn=one["TargetGroupArn"])


def make_certificate(directory):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj", "/CN=web.example.com",
                    "-keyout", f"{directory}/key", "-out", f"{directory}/crt"], check=True, capture_output=True)
    with open(f"{directory}/key", "rb") as key, open(f"{directory}/crt", "rb") as body:
        return {"PrivateKey": key.read(), "Certificate": body.read()}


@holds("The network: Network load balancers")
def test_tls(region, place, tmp_path):
    """A TLS listener brings a proxy for all listeners, and the last one takes it away."""
    elb, acm = place.elb, client(region, place.account, "acm")
    certificate = acm.import_certificate(**make_certificate(tmp_path))["CertificateArn"]
    plain, inner = place.group("plain", Tags=[{"Key": "a", "Value": "b"}]), place.group("inner", Protocol="TLS", Port=8443)
    assert inner["Protocol"] == "TLS" and inner["HealthCheckProtocol"] == "TCP"
    balancer = place.balancer("tls")["LoadBalancerArn"]
    first = place.listener(balancer, plain["TargetGroupArn"])
    elb.register_targets(TargetGroupArn=plain["TargetGroupArn"], Targets=[{"Id": place.instances[0]}])
    elb.register_targets(TargetGroupArn=inner["TargetGroupArn"], Targets=[{"Id": place.instances[0]}])
    shown = lambda: {a["Key"]: a["Value"] for a in elb.describe_target_group_attributes(TargetGroupArn=plain["TargetGroupArn"])["Attributes"]}  # noqa: E731
    assert shown()["preserve_client_ip.enabled"] == "true"
    tls = {"LoadBalancerArn": balancer, "Protocol": "TLS", "Port": 443, "Certificates": [{"CertificateArn": certificate}],
           "DefaultActions": [{"Type": "forward", "TargetGroupArn": inner["TargetGroupArn"]}]}
    assert code(elb.create_listener, AlpnPolicy=["HTTP3"], **tls) == "ValidationError"
    made = elb.create_listener(AlpnPolicy=["HTTP2Preferred"], **tls)["Listeners"][0]
    assert (made["Protocol"], made["AlpnPolicy"], made["SslPolicy"], made["Certificates"]) == \
        ("TLS", ["HTTP2Preferred"], "ELBSecurityPolicy-2016-08", [{"CertificateArn": certificate}])
    assert shown()["preserve_client_ip.enabled"] == "false"
    for group in (plain, inner):
        assert soon(lambda g=group: place.health(g["TargetGroupArn"]) == {place.instances[0]: ("healthy", None)}), place.health(group["TargetGroupArn"])
    assert acm.describe_certificate(CertificateArn=certificate)["Certificate"]["InUseBy"]
    udp = place.group("beside", Protocol="UDP", Port=53)["TargetGroupArn"]
    assert code(place.listener, balancer=balancer, group=udp, port=53, protocol="UDP") == "OperationNotPermitted"
    elb.modify_listener(ListenerArn=made["ListenerArn"], AlpnPolicy=["None"])
    assert "AlpnPolicy" not in elb.describe_listeners(ListenerArns=[made["ListenerArn"]])["Listeners"][0]
    region.rest()
    region.command("audit")  # fails if it finds a difference
    elb.delete_listener(ListenerArn=made["ListenerArn"])
    assert shown()["preserve_client_ip.enabled"] == "true"
    assert soon(lambda: place.health(plain["TargetGroupArn"]) == {place.instances[0]: ("healthy", None)})
    elb.modify_target_group_attributes(TargetGroupArn=plain["TargetGroupArn"], Attributes=[{"Key": "proxy_protocol_v2.enabled", "Value": "true"}])
    assert (shown()["proxy_protocol_v2.enabled"], shown()["preserve_client_ip.enabled"]) == ("true", "false")
    elb.modify_target_group_attributes(TargetGroupArn=plain["TargetGroupArn"], Attributes=[{"Key": "proxy_protocol_v2.enabled", "Value": "false"}])
    elb.delete_listener(ListenerArn=first["ListenerArn"])
    region.rest()
    region.command("audit")
    elb.delete_load_balancer(LoadBalancerArn=balancer)
    for arn in (plain["TargetGroupArn"], inner["TargetGroupArn"], udp):
        elb.delete_target_group(TargetGroupArn=arn)
    acm.delete_certificate(CertificateArn=certificate)


def test_tcp_and_udp_with_stickiness(place):
    group = place.group("both", Protocol="TCP_UDP", Port=53)
    arn = group["TargetGroupArn"]
    assert group["Protocol"] == "TCP_UDP" and group["HealthCheckProtocol"] == "TCP" and group["HealthCheckEnabled"] is True
    balancer = place.balancer("both")["LoadBalancerArn"]
    assert code(place.listener, balancer=balancer, group=arn, port=53, protocol="UDP") == "IncompatibleProtocols"
    assert code(place.listener, balancer=balancer, group=arn, port=53, protocol="HTTP") == "ValidationError"
    listener = place.listener(balancer, arn, port=53, protocol="TCP_UDP")
    assert listener["Protocol"] == "TCP_UDP" and place.elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"] == [listener]
    place.elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": i} for i in place.instances])
    assert soon(lambda: place.health(arn) == {i: ("healthy", None) for i in place.instances})
    set_to = lambda key, value: place.elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[{"Key": key, "Value": value}])  # noqa: E731
    set_to("stickiness.type", "source_ip")
    shown = {a["Key"]: a["Value"] for a in set_to("stickiness.enabled", "true")["Attributes"]}
    assert shown["stickiness.enabled"] == "true" and shown["stickiness.type"] == "source_ip" and "stickiness.app_cookie.cookie_name" not in shown
    with pytest.raises(botocore.exceptions.ClientError, match="Stickiness type 'app_cookie' is not supported for target groups with the TCP_UDP protocol"):
        set_to("stickiness.type", "app_cookie")
    place.elb.delete_load_balancer(LoadBalancerArn=balancer)
    place.elb.delete_target_group(TargetGroupArn=arn)


def test_targets(place, other):
    group, ips = place.group("by-id")["TargetGroupArn"], place.group("by-ip", TargetType="ip")["TargetGroupArn"]
    private = place.ec2.describe_instances(InstanceIds=place.instances[:1])["Reservations"][0]["Instances"][0]["PrivateIpAddress"]
    place.elb.register_targets(TargetGroupArn=ips, Targets=[{"Id": private}])
    assert place.health(ips) == {private: ("unused", "Target.NotInUse")}
    for bad in ("i-0123456789abcdef0", other.instances[0], private, "x"):
        assert code(place.elb.register_targets, TargetGroupArn=group, Targets=[{"Id": bad}]) == "InvalidTarget", bad
    for bad in ("192.0.2.1", place.instances[0], "::1"):
        assert code(place.elb.register_targets, TargetGroupArn=ips, Targets=[{"Id": bad}]) == "InvalidTarget", bad
    assert code(place.elb.register_targets, TargetGroupArn=group, Targets=[{"Id": place.instances[0], "Port": 81}]) == "OperationNotPermitted"
    assert place.health(group) == {}
    made = place.ec2.run_instances(ImageId=place.ec2.describe_images()["Images"][0]["ImageId"], InstanceType="t3.micro", MinCount=1, MaxCount=1,
                                   SubnetId=place.subnet)["Instances"][0]["InstanceId"]
    place.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": made}])
    place.ec2.terminate_instances(InstanceIds=[made])
    assert soon(lambda: place.health(group) == {})
    for one in (group, ips):
        place.elb.delete_target_group(TargetGroupArn=one)


def test_attributes(place):
    arn = place.balancer("kept")["LoadBalancerArn"]
    set_to = lambda key, value: place.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[{"Key": key, "Value": value}])  # noqa: E731
    set_to("deletion_protection.enabled", "true")
    set_to("load_balancing.cross_zone.enabled", "true")
    shown = {a["Key"]: a["Value"] for a in place.elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]}
    assert shown["deletion_protection.enabled"] == shown["load_balancing.cross_zone.enabled"] == "true" and shown["access_logs.s3.enabled"] == "false"
    assert code(place.elb.delete_load_balancer, LoadBalancerArn=arn) == "OperationNotPermitted"
    with pytest.raises(botocore.exceptions.ClientError, match="access_logs.s3.bucket' cannot be empty"):
        set_to("access_logs.s3.enabled", "true")
    set_to("access_logs.s3.bucket", "flow-logs")
    set_to("access_logs.s3.enabled", "true")
    shown = {a["Key"]: a["Value"] for a in place.elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]}
    assert (shown["access_logs.s3.enabled"], shown["access_logs.s3.bucket"], shown["access_logs.s3.prefix"]) == ("true", "flow-logs", "")
    with pytest.raises(botocore.exceptions.ClientError, match="ValidationError"):
        set_to("idle_timeout.timeout_seconds", "60")
    set_to("deletion_protection.enabled", "false")
    assert code(place.elb.set_security_groups, LoadBalancerArn=arn, SecurityGroups=["sg-0123456789abcdef0"]) == "InvalidConfigurationRequest"
    assert place.elb.set_ip_address_type(LoadBalancerArn=arn, IpAddressType="ipv4")["IpAddressType"] == "ipv4"
    assert code(place.elb.set_ip_address_type, LoadBalancerArn=arn, IpAddressType="dualstack") == "ValidationError"
    assert place.elb.set_subnets(LoadBalancerArn=arn, Subnets=[place.subnet])["AvailabilityZones"][0]["SubnetId"] == place.subnet
    group = place.group("kept")["TargetGroupArn"]
    shown = {a["Key"]: a["Value"] for a in place.elb.describe_target_group_attributes(TargetGroupArn=group)["Attributes"]}
    assert shown["deregistration_delay.timeout_seconds"] == "300" and shown["preserve_client_ip.enabled"] == "true"
    changed = place.elb.modify_target_group(TargetGroupArn=group, HealthCheckIntervalSeconds=60, UnhealthyThresholdCount=4)["TargetGroups"][0]
    assert (changed["HealthCheckIntervalSeconds"], changed["UnhealthyThresholdCount"]) == (60, 4)
    assert code(place.elb.modify_target_group, TargetGroupArn=group, HealthCheckTimeoutSeconds=61) == "ValidationError"
    assert code(place.elb.modify_target_group, TargetGroupArn=group, HealthCheckProtocol="UDP") == "ValidationError"
    place.elb.delete_load_balancer(LoadBalancerArn=arn)
    place.elb.delete_target_group(TargetGroupArn=group)


def test_security_groups(place):
    groups = [place.ec2.create_security_group(GroupName=name, Description="d", VpcId=place.vpc)["GroupId"] for name in ("front", "spare")]
    made = place.balancer("guarded", SecurityGroups=groups[:1])
    arn, group = made["LoadBalancerArn"], place.group("guarded")["TargetGroupArn"]
    front = place.ec2.describe_network_interfaces(Filters=[{"Name": "description", "Values": ["ELB net/guarded/*"]}])["NetworkInterfaces"][0]
    assert made["SecurityGroups"] == groups[:1] == [g["GroupId"] for g in front["Groups"]]
    place.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": place.instances[0]}])
    place.listener(arn, group)
    assert soon(lambda: place.elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]["State"]["Code"] == "active")
    shown = {a["Key"]: a["Value"] for a in place.elb.describe_target_group_attributes(TargetGroupArn=group)["Attributes"]}
    assert shown["preserve_client_ip.enabled"] == "false"
    assert place.elb.set_security_groups(LoadBalancerArn=arn, SecurityGroups=groups)["SecurityGroupIds"] == groups
    udp = place.group("guarded-udp", Protocol="UDP", Port=53)["TargetGroupArn"]
    assert code(place.listener, balancer=arn, group=udp, port=53, protocol="UDP") == "OperationNotPermitted"
    place.elb.delete_load_balancer(LoadBalancerArn=arn)
    for one in (group, udp):
        place.elb.delete_target_group(TargetGroupArn=one)
    for one in groups:
        assert soon(lambda one=one: place.ec2.delete_security_group(GroupId=one))


def test_dualstack(place):
    vpc = place.ec2.create_vpc(CidrBlock="10.8.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"]
    block = ipaddress.ip_network(place.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"])
    six = next(block.subnets(new_prefix=64))
    subnet = place.ec2.create_subnet(VpcId=vpc, CidrBlock="10.8.1.0/24", Ipv6CidrBlock=str(six))["Subnet"]["SubnetId"]

    def interface():
        return place.ec2.describe_network_interfaces(Filters=[{"Name": "subnet-id", "Values": [subnet]}])["NetworkInterfaces"][0]
    made = place.balancer("both", Subnets=[subnet])
    arn = made["LoadBalancerArn"]
    assert made["IpAddressType"] == "ipv4" and "IPv6Address" not in made["AvailabilityZones"][0]["LoadBalancerAddresses"][0]
    for _ in range(2):  # the second time is no change
        assert place.elb.set_ip_address_type(LoadBalancerArn=arn, IpAddressType="dualstack")["IpAddressType"] == "dualstack"
    assert soon(lambda: place.elb.describe_load_balancers(Names=["both"])["LoadBalancers"][0]["State"]["Code"] == "active")
    [shown] = place.elb.describe_load_balancers(Names=["both"])["LoadBalancers"]
    address = shown["AvailabilityZones"][0]["LoadBalancerAddresses"][0]["IPv6Address"]
    assert shown["IpAddressType"] == "dualstack" and ipaddress.ip_address(address) in six
    assert [a["Ipv6Address"] for a in interface()["Ipv6Addresses"]] == [address]
    assert code(place.ec2.unassign_ipv6_addresses, NetworkInterfaceId=interface()["NetworkInterfaceId"], Ipv6Addresses=[address]) == "AuthFailure"
    group = place.elb.create_target_group(Name="both", Protocol="TCP", Port=80, VpcId=vpc)["TargetGroups"][0]["TargetGroupArn"]
    udp = place.elb.create_target_group(Name="both-udp", Protocol="UDP", Port=53, VpcId=vpc)["TargetGroups"][0]["TargetGroupArn"]
    place.listener(arn, group)
    assert code(place.listener, balancer=arn, group=udp, port=53, protocol="UDP") == "OperationNotPermitted"
    assert place.elb.set_subnets(LoadBalancerArn=arn, Subnets=[subnet], IpAddressType="ipv4")["IpAddressType"] == "ipv4"
    assert interface()["Ipv6Addresses"] == []
    place.listener(arn, udp, port=53, protocol="UDP")
    assert code(place.elb.set_ip_address_type, LoadBalancerArn=arn, IpAddressType="dualstack") == "OperationNotPermitted"
    assert interface()["Ipv6Addresses"] == []
    place.elb.delete_load_balancer(LoadBalancerArn=arn)
    for one in (group, udp):
        place.elb.delete_target_group(TargetGroupArn=one)
    assert soon(lambda: place.ec2.delete_subnet(SubnetId=subnet))
    place.ec2.delete_vpc(VpcId=vpc)


def test_ipv6_targets(place):
    """A target group of IPv6: instances have their IPv6 address in it, and the load balancer stays dualstack while it leads there."""
    vpc = place.ec2.create_vpc(CidrBlock="10.8.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"]
    block = ipaddress.ip_network(place.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"])
    subnet = place.ec2.create_subnet(VpcId=vpc, CidrBlock="10.8.1.0/24", Ipv6CidrBlock=str(next(block.subnets(new_prefix=64))))["Subnet"]["SubnetId"]
    machine = place.ec2.run_instances(ImageId=place.ec2.describe_images()["Images"][0]["ImageId"], InstanceType="t3.micro", MinCount=1, MaxCount=1, SubnetId=subnet,
                                      Ipv6AddressCount=1)["Instances"][0]["InstanceId"]
    assert soon(lambda: place.ec2.describe_instances(InstanceIds=[machine])["Reservations"][0]["Instances"][0]["State"]["Name"] == "running")
    nic = place.ec2.describe_instances(InstanceIds=[machine])["Reservations"][0]["Instances"][0]["NetworkInterfaces"][0]
    address = nic["Ipv6Addresses"][0]["Ipv6Address"]
    common = dict(Protocol="TCP", Port=80, VpcId=vpc, IpAddressType="ipv6")
    made = place.elb.create_target_group(Name="six", **common)["TargetGroups"][0]
    group, other = made["TargetGroupArn"], place.elb.create_target_group(Name="six-ip", TargetType="ip", **common)["TargetGroups"][0]["TargetGroupArn"]
    assert made["IpAddressType"] == "ipv6"
    assert code(place.elb.create_target_group, Name="six", **{**common, "IpAddressType": "ipv4"}) == "DuplicateTargetGroupName"
    assert code(place.elb.register_targets, TargetGroupArn=other, Targets=[{"Id": nic["PrivateIpAddress"]}]) == "InvalidTarget"
    place.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": machine}])
    place.elb.register_targets(TargetGroupArn=other, Targets=[{"Id": address}])
    assert list(place.health(group)) == [machine] and list(place.health(other)) == [address]
    plain = place.balancer("plain", Subnets=[subnet])["LoadBalancerArn"]
    assert code(place.listener, balancer=plain, group=group) == "InvalidConfigurationRequest"
    place.elb.set_ip_address_type(LoadBalancerArn=plain, IpAddressType="dualstack")
    place.listener(plain, group)
    assert soon(lambda: place.health(group)[machine][0] == "healthy")
    for call in (place.elb.set_ip_address_type, lambda **words: place.elb.set_subnets(Subnets=[subnet], **words)):
        assert code(call, LoadBalancerArn=plain, IpAddressType="ipv4") == "InvalidConfigurationRequest"
    place.ec2.unassign_ipv6_addresses(NetworkInterfaceId=nic["NetworkInterfaceId"], Ipv6Addresses=[address])
    assert soon(lambda: place.health(group) == {} == place.health(other))
    assert code(place.elb.register_targets, TargetGroupArn=group, Targets=[{"Id": machine}]) == "InvalidTarget"
    place.elb.delete_load_balancer(LoadBalancerArn=plain)
    for one in (group, other):
        place.elb.delete_target_group(TargetGroupArn=one)
    place.ec2.terminate_instances(InstanceIds=[machine])
    assert soon(lambda: place.ec2.delete_subnet(SubnetId=subnet))
    place.ec2.delete_vpc(VpcId=vpc)


def test_checks_by_http(place):
    arn, group = place.balancer("asked")["LoadBalancerArn"], place.group("asked", HealthCheckProtocol="HTTP", HealthCheckPort="8080")
    assert (group["HealthCheckPath"], group["Matcher"], group["HealthCheckTimeoutSeconds"]) == ("/", {"HttpCode": "200-399"}, 6)
    group = group["TargetGroupArn"]
    place.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": place.instances[0]}])
    place.listener(arn, group)
    attribute = lambda: {a["Key"]: a["Value"] for a in place.elb.describe_target_group_attributes(TargetGroupArn=group)["Attributes"]}  # noqa: E731
    assert attribute()["preserve_client_ip.enabled"] == "false"
    changed = place.elb.modify_target_group(TargetGroupArn=group, HealthCheckProtocol="TCP", HealthCheckPort="traffic-port")["TargetGroups"][0]
    assert "HealthCheckPath" not in changed and "Matcher" not in changed
    assert attribute()["preserve_client_ip.enabled"] == "true"
    assert soon(lambda: place.health(group)[place.instances[0]][0] == "healthy")
    place.elb.delete_load_balancer(LoadBalancerArn=arn)
    place.elb.delete_target_group(TargetGroupArn=group)


def test_set_subnets(place):
    zones = [z["ZoneName"] for z in place.ec2.describe_availability_zones()["AvailabilityZones"]]
    here = place.ec2.describe_subnets(SubnetIds=[place.subnet])["Subnets"][0]["AvailabilityZone"]
    twin = place.ec2.create_subnet(VpcId=place.vpc, CidrBlock="10.7.3.0/24", AvailabilityZone=here)["Subnet"]["SubnetId"]
    arn, group = place.balancer("moves")["LoadBalancerArn"], place.group("moves")["TargetGroupArn"]
    place.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": place.instances[0]}])
    place.listener(arn, group)
    assert code(place.elb.set_subnets, LoadBalancerArn=arn, Subnets=[place.subnet, twin]) == "InvalidConfigurationRequest"
    place.elb.set_subnets(LoadBalancerArn=arn, Subnets=[twin])
    assert soon(lambda: place.health(group)[place.instances[0]][0] == "healthy")
    others = [z for z in zones if z != here]
    if others:  # one zone: nothing is elsewhere
        far = place.ec2.create_subnet(VpcId=place.vpc, CidrBlock="10.7.4.0/24", AvailabilityZone=others[0])["Subnet"]["SubnetId"]
        place.elb.set_subnets(LoadBalancerArn=arn, Subnets=[far])
        assert place.health(group)[place.instances[0]] == ("unused", "Target.NotInUse")
        place.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[{"Key": "load_balancing.cross_zone.enabled", "Value": "true"}])
        assert soon(lambda: place.health(group)[place.instances[0]][0] == "healthy")
    place.elb.delete_load_balancer(LoadBalancerArn=arn)
    place.elb.delete_target_group(TargetGroupArn=group)
    for subnet in [twin] + ([far] if others else []):
        assert soon(lambda subnet=subnet: place.ec2.delete_subnet(SubnetId=subnet))


def test_tags(place):
    arn, group = place.balancer("tagged", Tags=[{"Key": "a", "Value": "1"}])["LoadBalancerArn"], place.group("tagged")["TargetGroupArn"]
    listener = place.listener(arn, group)["ListenerArn"]
    every = [arn, group, listener]
    place.elb.add_tags(ResourceArns=every, Tags=[{"Key": "b", "Value": "2"}])
    place.elb.remove_tags(ResourceArns=[arn], TagKeys=["a", "absent"])
    shown = {d["ResourceArn"]: d["Tags"] for d in place.elb.describe_tags(ResourceArns=every)["TagDescriptions"]}
    assert shown == {a: [{"Key": "b", "Value": "2"}] for a in every}
    assert code(place.elb.add_tags, ResourceArns=[arn], Tags=[{"Key": "c", "Value": "1"}, {"Key": "c", "Value": "2"}]) == "DuplicateTagKeys"
    assert code(place.elb.add_tags, ResourceArns=[arn], Tags=[{"Key": f"t{k}", "Value": ""} for k in range(50)]) == "TooManyTags"
    place.elb.delete_load_balancer(LoadBalancerArn=arn)
    place.elb.delete_target_group(TargetGroupArn=group)


def test_what_is_refused(place):
    with pytest.raises(botocore.exceptions.ClientError, match="OperationNotPermitted.*'gateway'"):
        place.elb.create_load_balancer(Name="l7", Type="gateway", Subnets=[place.subnet])
    assert code(place.elb.create_target_group, Name="no", Protocol="GENEVE", Port=80, VpcId=place.vpc) == "OperationNotPermitted"
    assert code(place.elb.create_target_group, Name="no", TargetType="lambda") == "OperationNotPermitted"
    assert code(place.elb.create_target_group, Name="no", Protocol="TCP_UDP", Port=80, VpcId=place.vpc, HealthCheckProtocol="HTTP") == "OperationNotPermitted"
    assert code(place.elb.create_load_balancer, Name="-no", Type="network", Subnets=[place.subnet]) == "ValidationError"
    assert code(place.elb.create_load_balancer, Name="no", Type="network", Subnets=["subnet-0123456789abcdef0"]) == "SubnetNotFound"
    assert code(place.elb.describe_ssl_policies, Names=["ELBSecurityPolicy-1999-01"]) == "SSLPolicyNotFound"
    limits = {limit["Name"]: limit["Max"] for limit in place.elb.describe_account_limits()["Limits"]}
    assert limits["network-load-balancers"] == "50"
    assert code(place.elb.describe_load_balancers, LoadBalancerArns=["arn:aws:s3:::x"]) == "ValidationError"


def test_two_accounts(place, other):
    arn, group = place.balancer("mine")["LoadBalancerArn"], place.group("mine")["TargetGroupArn"]
    listener = place.listener(arn, group)["ListenerArn"]
    assert other.elb.describe_load_balancers()["LoadBalancers"] == [] == other.elb.describe_target_groups()["TargetGroups"]
    assert code(other.elb.describe_load_balancers, LoadBalancerArns=[arn]) == "LoadBalancerNotFound"
    assert code(other.elb.describe_load_balancers, Names=["mine"]) == "LoadBalancerNotFound"
    assert code(other.elb.describe_target_health, TargetGroupArn=group) == "TargetGroupNotFound"
    assert code(other.elb.delete_listener, ListenerArn=listener) == "ListenerNotFound"
    assert code(other.elb.add_tags, ResourceArns=[arn], Tags=[{"Key": "x", "Value": "y"}]) == "LoadBalancerNotFound"
    other.elb.delete_load_balancer(LoadBalancerArn=arn)
    assert code(other.elb.create_load_balancer, Name="x", Type="network", Scheme="internal", Subnets=[place.subnet]) == "SubnetNotFound"
    assert place.elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
    place.elb.delete_load_balancer(LoadBalancerArn=arn)
    place.elb.delete_target_group(TargetGroupArn=group)


def test_policies_name_arns(region, place):
    arn, group = place.balancer("guarded")["LoadBalancerArn"], place.group("guarded")["TargetGroupArn"]
    iam = client(region, place.account, "iam")
    iam.create_user(UserName="ann")
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    iam.put_user_policy(UserName="ann", PolicyName="own", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "elasticloadbalancing:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "elasticloadbalancing:*", "Resource": [arn, "arn:aws:elasticloadbalancing:us-east-1:*:loadbalancer/net/secret/*"]}]}))
    ann = boto3.client("elbv2", region_name=ec2.REGION, endpoint_url=region.url, aws_access_key_id=key["AccessKeyId"],
                       aws_secret_access_key=key["SecretAccessKey"])
    assert ann.describe_target_groups(TargetGroupArns=[group])["TargetGroups"]
    assert code(ann.delete_load_balancer, LoadBalancerArn=arn) == "AccessDenied"
    assert code(ann.modify_load_balancer_attributes, LoadBalancerArn=arn, Attributes=[{"Key": "deletion_protection.enabled", "Value": "true"}]) == "AccessDenied"
    assert code(ann.create_load_balancer, Name="secret", Type="network", Scheme="internal", Subnets=[place.subnet]) == "AccessDenied"
    place.elb.delete_load_balancer(LoadBalancerArn=arn)
    place.elb.delete_target_group(TargetGroupArn=group)


def test_quotas(place):
    arn, group = place.balancer("full")["LoadBalancerArn"], place.group("full")["TargetGroupArn"]
    for port in range(1, 51):
        place.listener(arn, group, port=port)
    assert code(place.listener, balancer=arn, group=group, port=51) == "TooManyListeners"
    place.elb.delete_load_balancer(LoadBalancerArn=arn)
    place.elb.delete_target_group(TargetGroupArn=group)


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

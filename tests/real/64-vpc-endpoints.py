#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/metadata/endpoints.c src/auth/guard/guard_endpoint.c src/drivers/plug.c src/engine/network/routing/vpc_endpoint.c src/drivers/ovn/nb_router.c
"""VPC endpoints with packets: guests of a VPC without an internet gateway reach the region's API by an interface in another subnet, by the names of
the endpoint, and by the route of a gateway endpoint. OVN and the API are real; instances are simulated, and network namespaces in place of their
interfaces play the guests."""
import json
import os
import re
import sys
from urllib.parse import urlsplit

import botocore.auth
import botocore.awsrequest
from botocore.credentials import Credentials

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from guests import Guests  # noqa: E402
from region import Region, launch, wait_state, wait_until  # noqa: E402


# The address that the region gives to clients; here nothing but gateway endpoints leads there.
API = "198.18.7.7"


def name_api(region):
    """Restarts dari with that address in the URL that it gives to clients."""
    region.kill_dari()
    with open(f"{region.demo}/dari.yaml", encoding="utf-8") as file:
        text = file.read()
    with open(f"{region.demo}/dari.yaml", "w", encoding="utf-8") as file:
        file.write(text.replace("api:\n", f"api:\n  endpoint: http://{API}:{region.port}\n"))
    region.start_dari()


class Lab:
    """A VPC with two subnets and a guest in the first; another VPC with the same addresses and a guest."""

    def __init__(self, region, guests):
        self.region, self.guests = region, guests
        self.ec2 = region.account("alice")
        self.name = self.ec2.meta.region_name
        self.vpc, self.subnets = self.make_vpc("10.1.1.0/24", "10.1.2.0/24")
        self.twin, twin_subnets = self.make_vpc("10.1.1.0/24")
        instances = {"guest": launch(self.ec2, SubnetId=self.subnets[0])[0], "twin": launch(self.ec2, SubnetId=twin_subnets[0])[0]}
        wait_state(self.ec2, list(instances.values()), "running")
        for name, identifier in instances.items():
            guests.plug(name, self.ec2.describe_instances(InstanceIds=[identifier])["Reservations"][0]["Instances"][0])
        self.group = self.ec2.create_security_group(GroupName="endpoint", Description="x", VpcId=self.vpc)["GroupId"]

    def make_vpc(self, *blocks):
        vpc = self.ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
        self.ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
        return vpc, [self.ec2.create_subnet(VpcId=vpc, CidrBlock=b)["Subnet"]["SubnetId"] for b in blocks]

    def answers(self, name, host, port):
        """True if the API of the region answers the guest there: an unsigned call is refused in EC2's words."""
        answer = self.guests.ns(name, "curl", "-s", "-k", "--connect-timeout", "2", "-m", "5", f"{self.scheme}://{host}:{port}/?Action=DescribeVpcs",
                                fails=True)
        return "<Response><Errors>" in answer

    def asks(self, name, host, port, action):
        """Sends a signed call of the account's owner from the guest; returns the code of the error, or the first element's name."""
        key = self.region.keys["alice"]
        request = botocore.awsrequest.AWSRequest("GET", f"{self.scheme}://{host}:{port}/", params={"Action": action, "Version": "2016-11-15"})
        botocore.auth.SigV4Auth(Credentials(*key), "ec2", self.name).add_auth(request)
        headers = [word for header in ("Authorization", "X-Amz-Date") for word in ("-H", f"{header}: {request.headers[header]}")]
        answer = self.guests.ns(name, "curl", "-s", "-k", "--connect-timeout", "2", "-m", "10", *headers, request.prepare().url, fails=True)
        return (re.findall("<Code>([^<]*)", answer) or re.findall(r"<(\w+Response)\b", answer) or [answer])[0]

    @property
    def scheme(self):
        return urlsplit(self.ec2.meta.endpoint_url).scheme

    @property
    def usual_port(self):
        return 443 if self.scheme == "https" else 80

    def open(self, port):
        self.ec2.authorize_security_group_ingress(GroupId=self.group, IpProtocol="tcp", FromPort=port, ToPort=port, CidrIp="10.1.0.0/16")


def by_interface(lab):
    region, ec2 = lab.region, lab.ec2
    service = f"com.amazonaws.{lab.name}.ec2"
    endpoint = ec2.create_vpc_endpoint(VpcId=lab.vpc, ServiceName=service, VpcEndpointType="Interface", SubnetIds=[lab.subnets[1]],
                                       SecurityGroupIds=[lab.group])["VpcEndpoint"]
    identifier = endpoint["VpcEndpointId"]

    def shown():
        return ec2.describe_vpc_endpoints(VpcEndpointIds=[identifier])["VpcEndpoints"][0]

    wait_until(lambda: shown()["State"] == "available", "the endpoint is available")
    front = ec2.describe_network_interfaces(NetworkInterfaceIds=shown()["NetworkInterfaceIds"])["NetworkInterfaces"][0]
    address = front["PrivateIpAddress"]
    region.check("its interface has an address of the subnet", address.startswith("10.1.2."))
    region.settle()
    region.check("its security group admits nobody at first", not lab.answers("guest", address, lab.usual_port))
    lab.open(lab.usual_port)
    region.check_soon("the API answers a guest of another subnet there", lambda: lab.answers("guest", address, lab.usual_port))
    private = f"ec2.{lab.name}.amazonaws.com"
    region.check_soon("the service's own name leads there", lambda: lab.guests.ask("guest", private) == address)
    own = shown()["DnsEntries"][0]["DnsName"]
    region.check("the endpoint's own name, too", lab.guests.ask("guest", own) == address)
    region.check("a VPC without an endpoint does not know that name", lab.guests.ask("twin", own) != address)
    region.check("nor does the address answer there", not lab.answers("twin", address, lab.usual_port))
    by_policy(lab, identifier, address)
    ec2.modify_vpc_endpoint(VpcEndpointId=identifier, PrivateDnsEnabled=False)
    region.check_soon("without private names, the service's name does not lead there", lambda: lab.guests.ask("guest", private) != address)
    ec2.modify_vpc_endpoint(VpcEndpointId=identifier, RemoveSubnetIds=[lab.subnets[1]], AddSubnetIds=[lab.subnets[0]])
    moved = ec2.describe_network_interfaces(NetworkInterfaceIds=shown()["NetworkInterfaceIds"])["NetworkInterfaces"][0]["PrivateIpAddress"]
    region.check_soon("moved into the guest's subnet, it answers on the link", lambda: lab.answers("guest", moved, lab.usual_port))
    ec2.delete_vpc_endpoints(VpcEndpointIds=[identifier])
    region.check_soon("a deleted endpoint does not answer", lambda: not lab.answers("guest", moved, lab.usual_port))
    ec2.delete_security_group(GroupId=lab.group)


def by_policy(lab, identifier, address):
    """The endpoint's policy restricts the account's owner, but only through the endpoint."""
    region, ec2 = lab.region, lab.ec2
    policy = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ec2:DescribeVpcs", "Resource": "*"}]}
    ec2.modify_vpc_endpoint(VpcEndpointId=identifier, PolicyDocument=json.dumps(policy))
    region.check("the policy allows a call", lab.asks("guest", address, lab.usual_port, "DescribeVpcs") == "DescribeVpcsResponse")
    region.check("it does not allow another one", lab.asks("guest", address, lab.usual_port, "DescribeSubnets") == "UnauthorizedOperation")
    region.check("that call is allowed elsewhere", bool(ec2.describe_subnets()["Subnets"]))
    ec2.modify_vpc_endpoint(VpcEndpointId=identifier, ResetPolicy=True)
    region.check("without a policy everything is allowed", lab.asks("guest", address, lab.usual_port, "DescribeSubnets") == "DescribeSubnetsResponse")


def by_route(lab):
    region, ec2 = lab.region, lab.ec2
    table = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [lab.vpc]}])["RouteTables"][0]["RouteTableId"]
    region.check("without an endpoint the API's own address is out of reach", not lab.answers("guest", API, region.port))
    endpoint = ec2.create_vpc_endpoint(VpcId=lab.vpc, ServiceName=f"com.amazonaws.{lab.name}.ec2", RouteTableIds=[table])["VpcEndpoint"]["VpcEndpointId"]
    routes = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    region.check("the route table shows the route", any(r.get("GatewayId") == endpoint for r in routes))
    region.check_soon("a gateway endpoint leads to the API's own address", lambda: lab.answers("guest", API, region.port))
    region.check("for its own VPC alone", not lab.answers("twin", API, region.port))
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, RemoveRouteTableIds=[table])
    region.check_soon("without the table it does not", lambda: not lab.answers("guest", API, region.port))
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])


def main():
    os.environ["DARI_DEMO_URI"] = "sim://"
    with Region("ve") as region, Guests(region) as guests:
        name_api(region)
        lab = Lab(region, guests)
        by_interface(lab)
        by_route(lab)
        region.check_clean()


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/ovn/nb_endpoint.c src/drivers/ovn/nb_forwarding.c src/engine/network/routing/endpoint_service.c src/reconcile/network/gather_endpoints.c
"""Endpoint services with packets: guests of one account reach the network load balancer of another account by an interface endpoint, from two subnets,
without routes between the VPCs, which have the same blocks. OVN and the API are real; instances are simulated, and network namespaces in place of
their interfaces play the guests."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from guests import Guests  # noqa: E402
from region import Region, launch, wait_state  # noqa: E402


class Side:
    """An account with a VPC of two subnets; both sides' have the same blocks."""

    def __init__(self, region, name):
        self.name = name
        self.ec2 = region.account(name)
        self.vpc = self.ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
        self.subnets = [self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.7.{n}.0/24", AvailabilityZone="us-east-1a")["Subnet"]["SubnetId"]
                        for n in (1, 2)]
        self.group = self.ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])["SecurityGroups"][0]["GroupId"]

    def plug(self, guests, subnet, *names):
        ids = launch(self.ec2, len(names), SubnetId=subnet)
        wait_state(self.ec2, ids, "running")
        for name, identifier in zip(names, ids):
            guests.plug(name, self.ec2.describe_instances(InstanceIds=[identifier])["Reservations"][0]["Instances"][0])
        return ids


class Lab:
    def __init__(self, region, guests):
        self.region, self.guests = region, guests
        self.alice, self.bob = Side(region, "alice"), Side(region, "bob")
        self.elb = region.client(*region.keys["alice"], service="elbv2")
        # one target in the load balancer's subnet, one in another
        self.targets = self.alice.plug(guests, self.alice.subnets[0], "one") + self.alice.plug(guests, self.alice.subnets[1], "two")
        self.bob.plug(guests, self.bob.subnets[0], "near")
        self.bob.plug(guests, self.bob.subnets[1], "far")
        self.servers = {}
        for name in ("one", "two"):
            os.makedirs(f"{region.demo}/www-{name}")
            with open(f"{region.demo}/www-{name}/index.html", "w") as page:
                page.write(name)
            self.serve(name)
        self.alice.ec2.authorize_security_group_ingress(GroupId=self.alice.group, IpProtocol="tcp", FromPort=80, ToPort=80, CidrIp="10.7.1.0/24")

    def serve(self, name):
        self.guests.start(name, "busybox", "httpd", "-f", "-p", "80", "-h", f"{self.region.demo}/www-{name}")
        self.servers[name] = self.guests.children[-1]

    def make_service(self):
        group = self.elb.create_target_group(Name="inner", Protocol="TCP", Port=80, VpcId=self.alice.vpc, HealthCheckIntervalSeconds=5,
                                             HealthCheckTimeoutSeconds=2, HealthyThresholdCount=2)["TargetGroups"][0]["TargetGroupArn"]
        self.balancer = self.elb.create_load_balancer(Name="inner", Type="network", Scheme="internal",
                                                      Subnets=self.alice.subnets[:1])["LoadBalancers"][0]["LoadBalancerArn"]
        self.elb.create_listener(LoadBalancerArn=self.balancer, Protocol="TCP", Port=8080, DefaultActions=[{"Type": "forward", "TargetGroupArn": group}])
        self.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": i} for i in self.targets])
        made = self.alice.ec2.create_vpc_endpoint_service_configuration(NetworkLoadBalancerArns=[self.balancer])["ServiceConfiguration"]
        self.alice.ec2.modify_vpc_endpoint_service_permissions(ServiceId=made["ServiceId"], AddAllowedPrincipals=["*"])
        return made["ServiceId"], made["ServiceName"]

    def make_endpoint(self, service):
        self.group = self.bob.ec2.create_security_group(GroupName="endpoint", Description="x", VpcId=self.bob.vpc)["GroupId"]
        endpoint = self.bob.ec2.create_vpc_endpoint(VpcId=self.bob.vpc, VpcEndpointType="Interface", ServiceName=service,
                                                    SubnetIds=self.bob.subnets[:1], SecurityGroupIds=[self.group])["VpcEndpoint"]
        front = self.bob.ec2.describe_network_interfaces(NetworkInterfaceIds=endpoint["NetworkInterfaceIds"])["NetworkInterfaces"][0]
        self.address, self.name = front["PrivateIpAddress"], endpoint["DnsEntries"][0]["DnsName"]
        return endpoint["VpcEndpointId"]

    def open(self, block):
        self.bob.ec2.authorize_security_group_ingress(GroupId=self.group, IpProtocol="tcp", FromPort=8080, ToPort=8080, CidrIp=block)

    def state(self, endpoint):
        return self.bob.ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"][0]["State"]

    def ask(self, name, port=8080):
        return self.guests.ns(name, "curl", "-s", "--connect-timeout", "1", "-m", "5", f"http://{self.address}:{port}/", fails=True).strip()

    def answers(self, name, count=12):
        return {self.ask(name) for _ in range(count)}


def connects(lab):
    region = lab.region
    service, name = lab.make_service()
    endpoint = lab.make_endpoint(name)
    region.check("the endpoint waits for its acceptance", lab.state(endpoint) == "pendingAcceptance")
    lab.open("10.7.1.0/24")
    region.settle()
    region.check("nothing answers before", not lab.ask("near"))
    lab.alice.ec2.accept_vpc_endpoint_connections(ServiceId=service, VpcEndpointIds=[endpoint])
    region.check_soon("the accepted endpoint is available", lambda: lab.state(endpoint) == "available")
    region.check_soon("both targets answer a guest of the endpoint's subnet", lambda: lab.answers("near") == {"one", "two"})
    region.settle()
    region.check("the endpoint's security group keeps the other subnet out", not lab.ask("far"))
    lab.open("10.7.2.0/24")
    region.check_soon("once it lets the subnet in, both answer there", lambda: lab.answers("far") == {"one", "two"})
    allowed = region.on("ctl", "ovn-nbctl", "--bare", "--columns=match", "find", "Logical_Router_Policy", "priority=1000", "action=allow").split("\n\n")
    region.check("guests reach nothing else between the VPCs", len(allowed) == 2 and all("ip4.dst == 169.254.64.1" in match for match in allowed))
    region.check("a port without a listener does not answer", not lab.ask("near", 80))
    region.check_soon("the endpoint's name resolves", lambda: lab.guests.ask("near", lab.name) == lab.address)
    region.check("but not in the provider's VPC", lab.guests.ask("one", lab.name) != lab.address)
    return service, endpoint


def targets_die(lab):
    lab.servers["two"].kill()
    lab.servers["two"].wait()
    lab.region.check_soon("a dead target gets nothing", lambda: lab.answers("near") == {"one"})


def disconnects(lab, service, endpoint):
    region = lab.region
    lab.alice.ec2.reject_vpc_endpoint_connections(ServiceId=service, VpcEndpointIds=[endpoint])
    region.check("a rejected endpoint says so", lab.state(endpoint) == "rejected")
    region.check_soon("and nothing answers", lambda: not lab.ask("near"))
    lab.alice.ec2.accept_vpc_endpoint_connections(ServiceId=service, VpcEndpointIds=[endpoint])
    region.check_soon("accepted again, it leads there again", lambda: lab.ask("near") == "one")
    lab.bob.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    region.check_soon("a deleted endpoint does not", lambda: not lab.ask("near"))
    lab.alice.ec2.delete_vpc_endpoint_service_configurations(ServiceIds=[service])


def main():
    os.environ["DARI_DEMO_URI"] = "sim://"
    with Region("es") as region, Guests(region) as guests:
        lab = Lab(region, guests)
        service, endpoint = connects(lab)
        targets_die(lab)
        disconnects(lab, service, endpoint)
        region.check_clean()


if __name__ == "__main__":
    main()

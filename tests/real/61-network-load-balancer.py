#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/ovn/nb_forwarding.c src/drivers/ovn/sb_monitor.c src/engine/balancing src/reconcile/balancing
"""Network load balancers of ELBv2 with packets: two targets answer, one of them dies and comes back, from within the VPC and from the internet. OVN
and the API are real; instances are simulated, and network namespaces in place of their interfaces play the guests."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from guests import WEB, Guests  # noqa: E402
from region import Region, launch, wait_state  # noqa: E402


class Lab:
    """A VPC with a client, and two targets that answer HTTP with their names."""

    def __init__(self, region, guests):
        self.region, self.guests = region, guests
        self.ec2 = region.account("alice")
        self.elb = region.client(*region.keys["alice"], service="elbv2")
        self.vpc = self.ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
        self.subnet = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock="10.7.1.0/24")["Subnet"]["SubnetId"]
        ours = [{"Name": "vpc-id", "Values": [self.vpc]}]
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.vpc)
        table = self.ec2.describe_route_tables(Filters=ours)["RouteTables"][0]["RouteTableId"]
        self.ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
        group = self.ec2.describe_security_groups(Filters=ours)["SecurityGroups"][0]["GroupId"]
        self.ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=80, ToPort=80, CidrIp="0.0.0.0/0")
        self.ids = launch(self.ec2, 3, SubnetId=self.subnet)
        wait_state(self.ec2, self.ids, "running")
        self.servers = {}
        for name, identifier in zip(("client", "one", "two"), self.ids):
            guests.plug(name, self.ec2.describe_instances(InstanceIds=[identifier])["Reservations"][0]["Instances"][0])
        for name in ("one", "two"):
            os.makedirs(f"{region.demo}/www-{name}")
            with open(f"{region.demo}/www-{name}/index.html", "w") as page:
                page.write(name)
            self.serve(name)

    def serve(self, name):
        self.guests.start(name, "busybox", "httpd", "-f", "-p", "80", "-h", f"{self.region.demo}/www-{name}")
        self.servers[name] = self.guests.children[-1]

    def kill(self, name):
        self.servers[name].kill()
        self.servers[name].wait()

    def make(self, name, scheme):
        """Returns the load balancer and its target group."""
        group = self.elb.create_target_group(Name=name, Protocol="TCP", Port=80, VpcId=self.vpc, HealthCheckIntervalSeconds=5,
                                             HealthCheckTimeoutSeconds=2, HealthyThresholdCount=2)["TargetGroups"][0]["TargetGroupArn"]
        balancer = self.elb.create_load_balancer(Name=name, Type="network", Scheme=scheme, Subnets=[self.subnet])["LoadBalancers"][0]
        self.elb.create_listener(LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="TCP", Port=8080,
                                 DefaultActions=[{"Type": "forward", "TargetGroupArn": group}])
        self.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": i} for i in self.ids[1:]])
        return balancer, group

    def health(self, group):
        return [d["TargetHealth"]["State"] for i in self.ids[1:] for d in self.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
                if d["Target"]["Id"] == i]

    def answers(self, ask, count=12):
        return {ask() for _ in range(count)}

    def delete(self, balancer, group):
        self.elb.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
        self.elb.delete_target_group(TargetGroupArn=group)


def lives_and_dies(lab, ask, group, words):
    region = lab.region
    region.check_soon(f"{words}: both targets are healthy", lambda: lab.health(group) == ["healthy", "healthy"])
    region.check_soon(f"{words}: both answer", lambda: lab.answers(ask) == {"one", "two"})
    lab.kill("two")
    region.check_soon(f"{words}: a dead one is unhealthy", lambda: lab.health(group) == ["healthy", "unhealthy"])
    region.check_soon(f"{words}: and gets nothing", lambda: lab.answers(ask) == {"one"})
    lab.serve("two")
    region.check_soon(f"{words}: it comes back", lambda: lab.health(group) == ["healthy", "healthy"] and lab.answers(ask) == {"one", "two"})
    lab.elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": lab.ids[1]}])
    region.check_soon(f"{words}: a deregistered one gets nothing", lambda: lab.answers(ask) == {"two"})
    lab.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": lab.ids[1]}])


def internal(lab):
    balancer, group = lab.make("inner", "internal")
    address = balancer["AvailabilityZones"][0]["LoadBalancerAddresses"][0]["PrivateIPv4Address"]
    ask = lambda: lab.guests.ns("client", "curl", "-s", "--connect-timeout", "1", "-m", "5", f"http://{address}:8080/", fails=True).strip()  # noqa: E731
    lives_and_dies(lab, ask, group, "internal")
    lab.region.check("its name resolves", lab.guests.ask("client", balancer["DNSName"]) == address)
    lab.delete(balancer, group)
    lab.region.settle()
    lab.region.check("nothing answers once it is gone", not ask())


def public(lab):
    balancer, group = lab.make("outer", "internet-facing")
    address = balancer["AvailabilityZones"][0]["LoadBalancerAddresses"][0]["IpAddress"]
    ask = lambda: lab.region.on("inet", "curl", "-s", "--interface", WEB, "--connect-timeout", "1", "-m", "5", f"http://{address}:8080/", fails=True).strip()  # noqa: E731
    lives_and_dies(lab, ask, group, "internet-facing")
    lab.delete(balancer, group)


def main():
    os.environ["DARI_DEMO_URI"] = "sim://"
    with Region("nlb") as region, Guests(region) as guests:
        lab = Lab(region, guests)
        internal(lab)
        public(lab)
        region.check_clean()


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/elb src/engine/balancing src/reconcile/balancing src/api/autoscaling
"""Classic Load Balancers through stock boto3, in the order in which cloud-provider-aws calls for a Service of type LoadBalancer."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dev as ec2  # noqa: E402
import elb_world  # noqa: E402
import native  # noqa: E402
from faces import holds  # noqa: E402
from network_load_balancers import Place, client, code  # noqa: E402
from waiting import soon  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
TCP = {"Protocol": "tcp", "LoadBalancerPort": 80, "InstanceProtocol": "tcp", "InstancePort": 30080}
HTTP = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 8080}


@pytest.fixture(scope="module")
def region():
    with ec2.Dev() as made:
        yield made


class Classic(Place):
    """A place, and the client of the older version."""

    def __init__(self, region, name):
        super().__init__(region, name)
        self.v2, self.elb = self.elb, client(region, self.account, "elb")
        self.scaling = client(region, self.account, "autoscaling")

    def make(self, name, *listeners, **more):
        return self.elb.create_load_balancer(**{"LoadBalancerName": name, "Listeners": list(listeners), "Subnets": [self.subnet], "Scheme": "internal", **more})["DNSName"]

    def show(self, name):
        return self.elb.describe_load_balancers(LoadBalancerNames=[name])["LoadBalancerDescriptions"][0]

    def states(self, name):
        return {s["InstanceId"]: (s["State"], s["ReasonCode"]) for s in self.elb.describe_instance_health(LoadBalancerName=name)["InstanceStates"]}

    def certificate(self, name):
        return self.account.call("UploadServerCertificate", {"ServerCertificateName": name, **elb_world.make_certificate()}, service="iam",
                                 version="2010-05-08").first(".//Arn")


@pytest.fixture(scope="module")
def place(region):
    return Classic(region, "web")


@holds("The network: Classic Load Balancers", "What each face calls it: Classic Load Balancer")
def test_whole_path(place):
    elb, instances = place.elb, [{"InstanceId": i} for i in place.instances]
    group = place.ec2.create_security_group(GroupName="front", Description="x", VpcId=place.vpc)["GroupId"]
    name = place.make("a1b2", TCP, {**TCP, "LoadBalancerPort": 443, "InstancePort": 30443}, SecurityGroups=[group], Tags=[{"Key": "kubernetes.io/cluster/x", "Value": "owned"}])
    assert name.startswith("a1b2-") and name.endswith(".elb.us-east-1.internal")
    elb.modify_load_balancer_attributes(LoadBalancerName="a1b2", LoadBalancerAttributes={
        "CrossZoneLoadBalancing": {"Enabled": False}, "AccessLog": {"Enabled": False}, "ConnectionDraining": {"Enabled": False},
        "ConnectionSettings": {"IdleTimeout": 120}})
    elb.configure_health_check(LoadBalancerName="a1b2", HealthCheck={"Target": "TCP:30080", "Interval": 10, "Timeout": 5, "UnhealthyThreshold": 6, "HealthyThreshold": 2})
    registered = elb.register_instances_with_load_balancer(LoadBalancerName="a1b2", Instances=instances)["Instances"]
    assert sorted(i["InstanceId"] for i in registered) == sorted(place.instances)
    elb.get_waiter("instance_in_service").wait(LoadBalancerName="a1b2", Instances=instances, WaiterConfig={"Delay": 1})
    shown = place.show("a1b2")
    assert [d["Listener"] for d in shown["ListenerDescriptions"]] == [
        {"Protocol": "TCP", "LoadBalancerPort": p, "InstanceProtocol": "TCP", "InstancePort": q} for p, q in ((80, 30080), (443, 30443))]
    assert shown["HealthCheck"] == {"Target": "TCP:30080", "Interval": 10, "Timeout": 5, "UnhealthyThreshold": 6, "HealthyThreshold": 2}
    assert (shown["DNSName"], shown["Scheme"], shown["VPCId"], shown["Subnets"], shown["SecurityGroups"]) == (name, "internal", place.vpc, [place.subnet], [group])
    assert shown["SourceSecurityGroup"] == {"OwnerAlias": place.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["OwnerId"], "GroupName": "front"}
    attributes = elb.describe_load_balancer_attributes(LoadBalancerName="a1b2")["LoadBalancerAttributes"]
    assert attributes["ConnectionSettings"] == {"IdleTimeout": 120} and attributes["ConnectionDraining"] == {"Enabled": False, "Timeout": 300}
    [tags] = elb.describe_tags(LoadBalancerNames=["a1b2"])["TagDescriptions"]
    assert tags == {"LoadBalancerName": "a1b2", "Tags": [{"Key": "kubernetes.io/cluster/x", "Value": "owned"}]}
    elb.deregister_instances_from_load_balancer(LoadBalancerName="a1b2", Instances=instances[:1])
    assert place.states("a1b2") == {place.instances[1]: ("InService", "N/A")}
    [eni] = place.ec2.describe_network_interfaces(Filters=[{"Name": "description", "Values": ["ELB a1b2"]}])["NetworkInterfaces"]
    assert [g["GroupId"] for g in eni["Groups"]] == [group]
    for _ in range(2):  # a second deletion succeeds
        elb.delete_load_balancer(LoadBalancerName="a1b2")
    assert code(elb.describe_load_balancers, LoadBalancerNames=["a1b2"]) == "LoadBalancerNotFound"
    assert soon(lambda: not place.ec2.describe_network_interfaces(Filters=[{"Name": "description", "Values": ["ELB a1b2"]}])["NetworkInterfaces"])


def test_versions_are_apart(place):
    place.make("apart", TCP)
    v2 = place.v2.create_load_balancer(Name="newer", Type="network", Scheme="internal", Subnets=[place.subnet])["LoadBalancers"][0]["LoadBalancerArn"]
    assert [b["LoadBalancerName"] for b in place.v2.describe_load_balancers()["LoadBalancers"]] == ["newer"]
    assert [b["LoadBalancerName"] for b in place.elb.describe_load_balancers()["LoadBalancerDescriptions"]] == ["apart"]
    assert place.v2.describe_target_groups()["TargetGroups"] == []
    assert code(place.v2.describe_load_balancers, Names=["apart"]) == "LoadBalancerNotFound"
    assert code(place.elb.describe_load_balancers, LoadBalancerNames=["newer"]) == "LoadBalancerNotFound"
    arn = v2.rpartition("/net/")[0] + "/apart"
    place.v2.delete_load_balancer(LoadBalancerArn=arn)  # succeeds, as for any load balancer that is not there
    assert place.show("apart")
    assert code(place.elb.create_load_balancer, LoadBalancerName="newer", Listeners=[TCP], Subnets=[place.subnet], Scheme="internal") == "DuplicateLoadBalancerName"
    assert code(place.elb.create_load_balancer, LoadBalancerName="apart", Listeners=[TCP], Subnets=[place.subnet], Scheme="internal") == "DuplicateLoadBalancerName"
    place.elb.delete_load_balancer(LoadBalancerName="apart")
    place.v2.delete_load_balancer(LoadBalancerArn=v2)


def test_listeners(place):
    elb = place.elb
    place.make("ports", HTTP)
    elb.create_load_balancer_listeners(LoadBalancerName="ports", Listeners=[HTTP])  # as it is
    assert code(elb.create_load_balancer_listeners, LoadBalancerName="ports", Listeners=[{**HTTP, "InstancePort": 81}]) == "DuplicateListener"
    assert code(elb.create_load_balancer_listeners, LoadBalancerName="ports", Listeners=[{**HTTP, "LoadBalancerPort": 81, "InstanceProtocol": "TCP"}]) == "InvalidConfigurationRequest"
    assert code(elb.create_load_balancer_listeners, LoadBalancerName="ports", Listeners=[{**HTTP, "LoadBalancerPort": 443, "Protocol": "HTTPS"}]) == "ValidationError"
    first, second = place.certificate("first"), place.certificate("second")
    elb.create_load_balancer_listeners(LoadBalancerName="ports", Listeners=[{**HTTP, "LoadBalancerPort": 443, "Protocol": "HTTPS", "SSLCertificateId": first}])
    elb.set_load_balancer_listener_ssl_certificate(LoadBalancerName="ports", LoadBalancerPort=443, SSLCertificateId=second)
    assert place.show("ports")["ListenerDescriptions"][1]["Listener"]["SSLCertificateId"] == second
    assert code(elb.set_load_balancer_listener_ssl_certificate, LoadBalancerName="ports", LoadBalancerPort=444, SSLCertificateId=second) == "ListenerNotFound"
    assert code(elb.set_load_balancer_listener_ssl_certificate, LoadBalancerName="ports", LoadBalancerPort=443, SSLCertificateId=second + "x") == "CertificateNotFound"
    elb.delete_load_balancer_listeners(LoadBalancerName="ports", LoadBalancerPorts=[443, 9])
    assert [d["Listener"]["LoadBalancerPort"] for d in place.show("ports")["ListenerDescriptions"]] == [80]
    elb.delete_load_balancer(LoadBalancerName="ports")


def test_policies(place):
    elb = place.elb
    place.make("rules", HTTP, {**TCP, "LoadBalancerPort": 81})
    elb.create_lb_cookie_stickiness_policy(LoadBalancerName="rules", PolicyName="sticky", CookieExpirationPeriod=60)
    elb.create_app_cookie_stickiness_policy(LoadBalancerName="rules", PolicyName="app", CookieName="SESSION")
    elb.create_load_balancer_policy(LoadBalancerName="rules", PolicyName="proxy", PolicyTypeName="ProxyProtocolPolicyType",
                                    PolicyAttributes=[{"AttributeName": "ProxyProtocol", "AttributeValue": "true"}])
    assert code(elb.create_lb_cookie_stickiness_policy, LoadBalancerName="rules", PolicyName="app") == "DuplicatePolicyName"
    assert code(elb.create_load_balancer_policy, LoadBalancerName="rules", PolicyName="x", PolicyTypeName="Nothing") == "PolicyTypeNotFound"
    assert code(elb.create_load_balancer_policy, LoadBalancerName="rules", PolicyName="x", PolicyTypeName="PublicKeyPolicyType") == "OperationNotPermitted"
    elb.set_load_balancer_policies_of_listener(LoadBalancerName="rules", LoadBalancerPort=80, PolicyNames=["sticky"])
    assert code(elb.set_load_balancer_policies_of_listener, LoadBalancerName="rules", LoadBalancerPort=80, PolicyNames=["sticky", "app"]) == "InvalidConfigurationRequest"
    assert code(elb.set_load_balancer_policies_of_listener, LoadBalancerName="rules", LoadBalancerPort=81, PolicyNames=["sticky"]) == "InvalidConfigurationRequest"
    elb.set_load_balancer_policies_for_backend_server(LoadBalancerName="rules", InstancePort=30080, PolicyNames=["proxy"])
    shown = place.show("rules")
    assert shown["Policies"] == {"AppCookieStickinessPolicies": [{"PolicyName": "app", "CookieName": "SESSION"}],
                                 "LBCookieStickinessPolicies": [{"PolicyName": "sticky", "CookieExpirationPeriod": 60}], "OtherPolicies": ["proxy"]}
    assert shown["BackendServerDescriptions"] == [{"InstancePort": 30080, "PolicyNames": ["proxy"]}]
    assert shown["ListenerDescriptions"][0]["PolicyNames"] == ["sticky"]
    assert code(elb.delete_load_balancer_policy, LoadBalancerName="rules", PolicyName="sticky") == "InvalidConfigurationRequest"
    elb.set_load_balancer_policies_of_listener(LoadBalancerName="rules", LoadBalancerPort=80, PolicyNames=[])
    elb.set_load_balancer_policies_for_backend_server(LoadBalancerName="rules", InstancePort=30080, PolicyNames=[])
    for name in ("sticky", "app", "proxy", "proxy"):
        elb.delete_load_balancer_policy(LoadBalancerName="rules", PolicyName=name)
    shown = place.show("rules")
    assert shown["BackendServerDescriptions"] == [] and elb.describe_load_balancer_policies(LoadBalancerName="rules")["PolicyDescriptions"] == []
    assert "ELBSecurityPolicy-2016-08" in [p["PolicyName"] for p in elb.describe_load_balancer_policies()["PolicyDescriptions"]]
    assert "ProxyProtocolPolicyType" in [p["PolicyTypeName"] for p in elb.describe_load_balancer_policy_types()["PolicyTypeDescriptions"]]
    elb.delete_load_balancer(LoadBalancerName="rules")


def test_places(place):
    elb = place.elb
    place.make("places", TCP)
    second = place.ec2.create_subnet(VpcId=place.vpc, CidrBlock="10.7.2.0/24")["Subnet"]["SubnetId"]
    zones = [z["ZoneName"] for z in place.ec2.describe_availability_zones()["AvailabilityZones"]]
    shown = place.show("places")
    if len(zones) == 1:  # both subnets are in one zone
        assert code(elb.attach_load_balancer_to_subnets, LoadBalancerName="places", Subnets=[second]) == "InvalidConfigurationRequest"
    assert code(elb.detach_load_balancer_from_subnets, LoadBalancerName="places", Subnets=shown["Subnets"]) == "InvalidConfigurationRequest"
    group = place.ec2.create_security_group(GroupName="more", Description="x", VpcId=place.vpc)["GroupId"]
    assert elb.apply_security_groups_to_load_balancer(LoadBalancerName="places", SecurityGroups=[group])["SecurityGroups"] == [group]
    made = elb.create_load_balancer(LoadBalancerName="zoned", Listeners=[TCP], AvailabilityZones=zones[:1], Scheme="internal")
    assert made["DNSName"] and place.show("zoned")["AvailabilityZones"] == zones[:1]
    assert code(elb.create_load_balancer, LoadBalancerName="x", Listeners=[TCP], AvailabilityZones=["nowhere"], Scheme="internal") == "ValidationError"
    for name in ("places", "zoned"):
        elb.delete_load_balancer(LoadBalancerName=name)


def test_health(region, place):
    elb, instances = place.elb, place.instances
    place.make("sick", HTTP)
    elb.register_instances_with_load_balancer(LoadBalancerName="sick", Instances=[{"InstanceId": i} for i in instances])
    assert soon(lambda: set(place.states("sick").values()) == {("InService", "N/A")})
    place.ec2.stop_instances(InstanceIds=instances[1:])
    assert soon(lambda: place.states("sick")[instances[1]] == ("OutOfService", "Instance"))
    place.ec2.start_instances(InstanceIds=instances[1:])
    assert soon(lambda: place.states("sick")[instances[1]] == ("InService", "N/A"))
    elb.modify_load_balancer_attributes(LoadBalancerName="sick", LoadBalancerAttributes={"ConnectionDraining": {"Enabled": True, "Timeout": 60}})
    elb.deregister_instances_from_load_balancer(LoadBalancerName="sick", Instances=[{"InstanceId": instances[0]}])
    [left] = elb.describe_instance_health(LoadBalancerName="sick", Instances=[{"InstanceId": instances[0]}])["InstanceStates"]
    assert (left["State"], left["Description"]) == ("InService", "Instance deregistration currently in progress.")
    assert code(elb.describe_instance_health, LoadBalancerName="sick", Instances=[{"InstanceId": "i-0123456789abcdef0"}]) == "InvalidInstance"
    assert code(elb.register_instances_with_load_balancer, LoadBalancerName="sick", Instances=[{"InstanceId": "i-0123456789abcdef0"}]) == "InvalidInstance"
    for target in ("80", "TCP:0", "HTTP:80", "TCP:80/x", "UDP:80"):
        assert code(elb.configure_health_check, LoadBalancerName="sick", HealthCheck={
            "Target": target, "Interval": 10, "Timeout": 5, "UnhealthyThreshold": 2, "HealthyThreshold": 2}) == "ValidationError"
    elb.delete_load_balancer(LoadBalancerName="sick")


@holds("The network: Classic Load Balancers of Auto Scaling groups")
def test_scaling_groups(place):
    place.make("scaled", HTTP)
    place.make("second", HTTP)
    image = place.ec2.describe_images()["Images"][0]["ImageId"]
    place.ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData={"ImageId": image, "InstanceType": "t3.micro"})
    place.scaling.create_auto_scaling_group(AutoScalingGroupName="web", LaunchTemplate={"LaunchTemplateName": "web"}, MinSize=1, MaxSize=1,
                                            VPCZoneIdentifier=place.subnet, LoadBalancerNames=["scaled"])
    assert soon(lambda: list(place.states("scaled").values()) == [("InService", "N/A")])
    place.scaling.attach_load_balancers(AutoScalingGroupName="web", LoadBalancerNames=["second"])
    assert soon(lambda: list(place.states("second").values()) == [("InService", "N/A")])
    [group] = place.scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    assert group["LoadBalancerNames"] == ["scaled", "second"] and group["TargetGroupARNs"] == []
    shown = place.scaling.describe_load_balancers(AutoScalingGroupName="web")["LoadBalancers"]
    assert [s["LoadBalancerName"] for s in shown] == ["scaled", "second"] and {s["State"] for s in shown} == {"InService"}
    place.scaling.detach_load_balancers(AutoScalingGroupName="web", LoadBalancerNames=["scaled"])
    assert soon(lambda: place.states("scaled") == {})
    assert code(place.scaling.attach_load_balancers, AutoScalingGroupName="web", LoadBalancerNames=["none"]) == "ValidationError"
    place.scaling.delete_auto_scaling_group(AutoScalingGroupName="web", ForceDelete=True)
    for name in ("scaled", "second"):
        place.elb.delete_load_balancer(LoadBalancerName=name)


def test_refusals(place):
    elb = place.elb
    place.make("no", HTTP)
    for said, refusal in (({"S3BucketName": "logs"}, "InvalidConfigurationRequest"), ({}, "ValidationError"),
                          ({"S3BucketName": "flow-logs", "EmitInterval": 30}, "ValidationError")):
        said = {"AccessLog": {"Enabled": True, **said}}
        assert code(elb.modify_load_balancer_attributes, LoadBalancerName="no", LoadBalancerAttributes=said) == refusal
    kept = {"Enabled": True, "S3BucketName": "flow-logs", "EmitInterval": 5, "S3BucketPrefix": "classic"}
    elb.modify_load_balancer_attributes(LoadBalancerName="no", LoadBalancerAttributes={"AccessLog": kept})
    assert elb.describe_load_balancer_attributes(LoadBalancerName="no")["LoadBalancerAttributes"]["AccessLog"] == kept
    assert code(elb.create_load_balancer, LoadBalancerName="bad_name", Listeners=[HTTP], Subnets=[place.subnet]) == "ValidationError"
    assert code(elb.create_load_balancer, LoadBalancerName="x", Listeners=[HTTP]) == "ValidationError"
    assert code(elb.create_load_balancer, LoadBalancerName="x", Listeners=[HTTP], Subnets=[place.subnet], Scheme="odd") == "InvalidScheme"
    assert code(elb.create_load_balancer, LoadBalancerName="x", Listeners=[HTTP], Subnets=[place.subnet]) == "InvalidSubnet"  # no internet gateway
    assert code(elb.describe_tags, LoadBalancerNames=["none"]) == "LoadBalancerNotFound"
    elb.delete_load_balancer(LoadBalancerName="no")


def test_domain_of_names(place):
    """The operator's domain, in the orders in which AWS names both types; cloud-provider-aws tells a classic load balancer by it."""
    place.make("named", TCP)
    place.v2.create_load_balancer(Name="named-too", Type="network", Scheme="internal", Subnets=[place.subnet])

    def names():
        return [place.show("named")["DNSName"].partition(".")[2], place.v2.describe_load_balancers(Names=["named-too"])["LoadBalancers"][0]["DNSName"].partition(".")[2]]
    admin, setting = native.admin(place.account.dev), {"name": "balancers.domain", "value": "cloud.example.com"}
    assert names() == ["elb.us-east-1.internal"] * 2
    assert admin.api("PUT", "/settings", {**setting, "value": "not a name"}).status == 400
    admin.api_ok("PUT", "/settings", setting)
    assert names() == ["us-east-1.elb.cloud.example.com", "elb.us-east-1.cloud.example.com"]
    admin.api_ok("PUT", "/settings", {**setting, "value": ""})
    assert names() == ["elb.us-east-1.internal"] * 2


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

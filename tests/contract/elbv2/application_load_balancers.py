#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/elb src/engine/balancing src/reconcile/balancing
"""Application load balancers through stock boto3: listeners, rules, certificates, attributes, security groups and health."""
import os
import re
import subprocess
import sys

import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dev as ec2  # noqa: E402
from faces import holds  # noqa: E402
from network_load_balancers import Place, client, code  # noqa: E402
from waiting import soon  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def region():
    with ec2.Dev() as made:
        yield made


class Web(Place):
    """A place with an application load balancer, two target groups of HTTP, and an HTTP listener that forwards to the first."""

    def __init__(self, region, name):
        super().__init__(region, name)
        self.region = region
        self.arn = self.application(name)["LoadBalancerArn"]
        self.blue, self.green = self.group("blue", Protocol="HTTP")["TargetGroupArn"], self.group("green", Protocol="HTTP")["TargetGroupArn"]
        self.front = self.elb.create_listener(LoadBalancerArn=self.arn, Protocol="HTTP", Port=80, DefaultActions=[forward(self.blue)])["Listeners"][0]["ListenerArn"]

    def application(self, name, **more):
        params = {"Name": name, "Scheme": "internal", "Subnets": [self.subnet], **more}
        return self.elb.create_load_balancer(**params)["LoadBalancers"][0]

    def rule(self, priority, conditions, action=None):
        made = self.elb.create_rule(ListenerArn=self.front, Priority=priority, Conditions=conditions, Actions=[action or forward(self.green)])
        return made["Rules"][0]

    def attributes(self, action, listener, values=None):
        """Error code and attributes of a listener. Debian's botocore does not know these calls."""
        params = {"ListenerArn": listener}
        for n, (key, value) in enumerate((values or {}).items(), 1):
            params.update({f"Attributes.member.{n}.Key": key, f"Attributes.member.{n}.Value": value})
        answer = self.account.call(action, params, service="elasticloadbalancing", version="2015-12-01")
        return answer.code, dict(re.findall("<Key>(.*?)</Key><Value>(.*?)</Value>", answer.text.replace("<Value/>", "<Value></Value>")))

    def priorities(self):
        return [(r["Priority"], r["IsDefault"]) for r in self.elb.describe_rules(ListenerArn=self.front)["Rules"]]


def forward(group):
    return {"Type": "forward", "TargetGroupArn": group}


def fixed(status, body="x"):
    return {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": str(status), "MessageBody": body, "ContentType": "text/plain"}}


PATH = [{"Field": "path-pattern", "Values": ["/api/*"]}]


@pytest.fixture(scope="module")
def web(region):
    return Web(region, "web")


@holds("The network: Application load balancers", "What each face calls it: application load balancer, rule")
def test_whole_path(web):
    elb, arn = web.elb, web.arn
    assert ":loadbalancer/app/web/" in arn and ":listener/app/web/" in web.front
    elb.get_waiter("load_balancer_available").wait(LoadBalancerArns=[arn], WaiterConfig={"Delay": 1})
    [shown] = elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
    assert (shown["Type"], shown["State"]["Code"], len(shown["SecurityGroups"])) == ("application", "active", 1)
    [eni] = web.ec2.describe_network_interfaces(Filters=[{"Name": "description", "Values": ["ELB app/web/*"]}])["NetworkInterfaces"]
    assert [g["GroupId"] for g in eni["Groups"]] == shown["SecurityGroups"]
    assert code(web.ec2.delete_network_interface, NetworkInterfaceId=eni["NetworkInterfaceId"]) == "AuthFailure"
    elb.register_targets(TargetGroupArn=web.blue, Targets=[{"Id": web.instances[0]}, {"Id": web.instances[0], "Port": 8080}])
    assert soon(lambda: web.health(web.blue) == {web.instances[0]: ("healthy", None)})
    described = elb.describe_target_health(TargetGroupArn=web.blue)["TargetHealthDescriptions"]
    assert sorted(d["Target"]["Port"] for d in described) == [80, 8080]
    elb.deregister_targets(TargetGroupArn=web.blue, Targets=[{"Id": web.instances[0], "Port": 8080}])
    assert {d["Target"]["Port"]: d["TargetHealth"]["State"] for d in elb.describe_target_health(TargetGroupArn=web.blue)["TargetHealthDescriptions"]} == \
        {80: "healthy", 8080: "draining"}
    assert elb.describe_target_groups(LoadBalancerArn=arn)["TargetGroups"][0]["Matcher"] == {"HttpCode": "200"}
    for codes in ("300-200", "200,", ",200", "200-", "200-299-", "+20", "200,,201"):
        assert code(elb.modify_target_group, TargetGroupArn=web.blue, Matcher={"HttpCode": codes}) == "ValidationError", codes
    elb.modify_target_group(TargetGroupArn=web.blue, Matcher={"HttpCode": "200,202-204"})
    elb.modify_target_group(TargetGroupArn=web.blue, Matcher={"HttpCode": "200"})
    assert code(elb.delete_target_group, TargetGroupArn=web.blue) == "ResourceInUse"
    made = web.application("web")
    assert made["LoadBalancerArn"] == arn
    assert code(web.application, name="web", Type="network") == "DuplicateLoadBalancerName"


def test_rules(web):
    elb = web.elb
    assert web.priorities() == [("default", True)]
    every = [{"Field": "host-header", "HostHeaderConfig": {"Values": ["*.example.com"]}},
             {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Kind", "Values": ["a*"]}},
             {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}},
             {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "1"}]}},
             {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}}]
    one = web.rule(10, every)
    assert one["Conditions"][0] == {**every[0], "Values": ["*.example.com"]} and one["Conditions"][1:] == every[1:], one
    two = web.rule(20, PATH, fixed(503, "later"))
    assert two["Actions"][0]["FixedResponseConfig"] == {"StatusCode": "503", "MessageBody": "later", "ContentType": "text/plain"}
    weighted = {"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": web.blue, "Weight": 3}, {"TargetGroupArn": web.green, "Weight": 0}],
                                                     "TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 60}}}
    changed = elb.modify_rule(RuleArn=two["RuleArn"], Actions=[weighted])["Rules"][0]
    assert changed["Actions"][0]["ForwardConfig"] == weighted["ForwardConfig"] and changed["Conditions"] == two["Conditions"]
    redirect = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}
    changed = elb.modify_rule(RuleArn=two["RuleArn"], Actions=[redirect])["Rules"][0]["Actions"][0]["RedirectConfig"]
    assert changed == {"Protocol": "HTTPS", "Port": "443", "Host": "#{host}", "Path": "/#{path}", "Query": "#{query}", "StatusCode": "HTTP_301"}
    assert web.priorities() == [("10", False), ("20", False), ("default", True)]
    ordered = elb.set_rule_priorities(RulePriorities=[{"RuleArn": one["RuleArn"], "Priority": 20}, {"RuleArn": two["RuleArn"], "Priority": 10}])["Rules"]
    assert [r["Priority"] for r in ordered] == ["20", "10"]
    assert [r["RuleArn"] for r in elb.describe_rules(ListenerArn=web.front)["Rules"]][:2] == [two["RuleArn"], one["RuleArn"]]
    page = elb.describe_rules(ListenerArn=web.front, PageSize=2)
    rest = elb.describe_rules(ListenerArn=web.front, Marker=page["NextMarker"])
    assert [r["IsDefault"] for r in page["Rules"] + rest["Rules"]] == [False, False, True]
    assert code(web.rule, priority=10, conditions=PATH) == "PriorityInUse"
    default = rest["Rules"][0]["RuleArn"]
    assert code(elb.delete_rule, RuleArn=default) == "OperationNotPermitted" == code(elb.modify_rule, RuleArn=default, Actions=[fixed(200)])
    for rule in (one, two):
        elb.delete_rule(RuleArn=rule["RuleArn"])
    assert code(elb.describe_rules, RuleArns=[one["RuleArn"]]) == "RuleNotFound"


@pytest.mark.parametrize("conditions,actions", [
    ([{"Field": "path-pattern", "Values": ["/a b"]}], [fixed(200)]),
    (PATH, [{"Type": "redirect", "RedirectConfig": {"Host": "a", "Port": "+80", "StatusCode": "HTTP_301"}}]),
    ([{"Field": "path-pattern", "Values": [f"/{n}" for n in range(6)]}], [fixed(200)]),
    (PATH + PATH, [fixed(200)]),
    ([{"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.1/8"]}}], [fixed(200)]),
    ([{"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "a(b", "Values": ["x"]}}], [fixed(200)]),
    ([{"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-A", "Values": ["x\nstats uri /"]}}], [fixed(200)]),
    ([{"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["get"]}}], [fixed(200)]),
    ([{"Field": "host-header", "Values": []}], [fixed(200)]),
    (PATH, [fixed(302)]), (PATH, []), (PATH, [fixed(200), fixed(200)]),
    (PATH, [{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Port": "99999"}}]),
    (PATH, [{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Path": "/x\r\n"}}]),
])
def test_bad_rules(web, conditions, actions):
    assert code(web.elb.create_rule, ListenerArn=web.front, Priority=77, Conditions=conditions, Actions=actions) == "ValidationError"
    assert web.priorities() == [("default", True)]


def test_what_is_refused(web):
    elb = web.elb
    loop = {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_302", "Query": "a"}}
    assert code(web.rule, priority=5, conditions=PATH, action=loop) == "InvalidLoadBalancerAction"
    oidc = {"Type": "authenticate-cognito", "Order": 1}
    assert code(web.rule, priority=5, conditions=PATH, action=oidc) == "OperationNotPermitted"
    assert code(elb.create_target_group, Name="grpc", Protocol="HTTP", ProtocolVersion="GRPC", Port=80, VpcId=web.vpc) == "OperationNotPermitted"
    assert code(elb.create_listener, LoadBalancerArn=web.arn, Protocol="TCP", Port=81, DefaultActions=[forward(web.blue)]) == "ValidationError"
    tcp = web.group("tcp")["TargetGroupArn"]
    assert code(web.rule, priority=5, conditions=PATH, action=forward(tcp)) == "IncompatibleProtocols"
    other = web.application("other")["LoadBalancerArn"]
    assert code(elb.create_listener, LoadBalancerArn=other, Protocol="HTTP", Port=80, DefaultActions=[forward(web.blue)]) == "TargetGroupAssociationLimit"
    elb.delete_load_balancer(LoadBalancerArn=other)
    network = web.balancer("net")["LoadBalancerArn"]
    listener = web.listener(network, tcp)["ListenerArn"]
    assert code(elb.create_rule, ListenerArn=listener, Priority=1, Conditions=PATH, Actions=[forward(tcp)]) == "OperationNotPermitted"
    assert web.attributes("DescribeListenerAttributes", listener)[1] == {"tcp.idle_timeout.seconds": "350"}
    elb.delete_load_balancer(LoadBalancerArn=network)
    for key, value in (("health_check_logs.s3.enabled", "true"), ("waf.fail_open.enabled", "true")):
        assert code(elb.modify_load_balancer_attributes, LoadBalancerArn=web.arn, Attributes=[{"Key": key, "Value": value}]) == "OperationNotPermitted"
    set_to = lambda *pairs: {"TargetGroupArn": web.blue, "Attributes": [{"Key": f"stickiness.{k}", "Value": v} for k, v in pairs]}  # noqa: E731
    assert code(elb.modify_target_group_attributes, **set_to(("enabled", "true"), ("type", "app_cookie"))) == "ValidationError"
    assert code(elb.modify_target_group_attributes, **set_to(("type", "source_ip"))) == "ValidationError"
    assert code(elb.modify_target_group_attributes, **set_to(("app_cookie.duration_seconds", "60"))) == "OperationNotPermitted"


@pytest.mark.parametrize("kind, test_name", [("access", "ELBAccessLogTestFile"), ("connection", "ELBConnectionLogTestFile")])
def test_logs(web, kind, test_name):
    """The region's bucket takes logs of all accounts, each in a folder of its own; a test file comes first."""
    arn = web.application(f"logged-{kind}")["LoadBalancerArn"]
    turn = lambda **to: web.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[  # noqa: E731
        {"Key": f"{kind}_logs.s3.{k}", "Value": v} for k, v in to.items()])
    assert code(turn, enabled="true") == "ValidationError"
    assert code(turn, enabled="true", bucket="mine") == "InvalidConfigurationRequest"
    assert code(turn, prefix="a/AWSLogs") == code(turn, prefix="/a") == code(turn, prefix="a//b") == code(turn, prefix="../a") == "ValidationError"
    turn(bucket="mine")  # kept while logs are off
    turn(enabled="true", bucket="flow-logs", prefix="web/front")
    show = lambda: {a["Key"]: a["Value"] for a in web.elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]}  # noqa: E731
    shown = show()
    assert [shown[f"{kind}_logs.s3.{k}"] for k in ("enabled", "bucket", "prefix")] == ["true", "flow-logs", "web/front"]
    web.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": "61"}])
    assert (show()["idle_timeout.timeout_seconds"], show()[f"{kind}_logs.s3.enabled"]) == ("61", "true")
    number = arn.split(":")[4]
    test_file = os.path.join(os.path.dirname(web.region.config), f"flow-logs/web/front/AWSLogs/{number}/{test_name}")
    assert soon(lambda: os.path.exists(test_file))
    turn(enabled="false")
    assert show()[f"{kind}_logs.s3.bucket"] == "flow-logs"
    web.elb.delete_load_balancer(LoadBalancerArn=arn)


@pytest.mark.parametrize("key,value", [
    ("idle_timeout.timeout_seconds", "120"), ("routing.http.xff_header_processing.mode", "remove"), ("routing.http2.enabled", "false"),
    ("routing.http.drop_invalid_header_fields.enabled", "true"), ("routing.http.preserve_host_header.enabled", "true"),
    ("routing.http.xff_client_port.enabled", "true"), ("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "true")])
def test_attributes(web, key, value):
    elb = web.elb
    elb.modify_load_balancer_attributes(LoadBalancerArn=web.arn, Attributes=[{"Key": key, "Value": value}])
    assert {a["Key"]: a["Value"] for a in elb.describe_load_balancer_attributes(LoadBalancerArn=web.arn)["Attributes"]}[key] == value


@pytest.mark.parametrize("key,value,bad", [
    ("stickiness.enabled", "true", "maybe"), ("stickiness.lb_cookie.duration_seconds", "60", "0"), ("slow_start.duration_seconds", "30", "29"),
    ("load_balancing.algorithm.type", "least_outstanding_requests", "best"), ("deregistration_delay.timeout_seconds", "5", "3601")])
def test_group_attributes(web, key, value, bad):
    elb = web.elb
    elb.modify_target_group_attributes(TargetGroupArn=web.green, Attributes=[{"Key": key, "Value": value}])
    assert {a["Key"]: a["Value"] for a in elb.describe_target_group_attributes(TargetGroupArn=web.green)["Attributes"]}[key] == value
    assert code(elb.modify_target_group_attributes, TargetGroupArn=web.green, Attributes=[{"Key": key, "Value": bad}]) == "ValidationError"


def test_listener_attributes(web):
    key, server = "routing.http.response.strict_transport_security.header_value", "routing.http.response.server.enabled"
    read = lambda: web.attributes("DescribeListenerAttributes", web.front)[1]  # noqa: E731
    assert (read()[key], read()[server]) == ("", "true")
    web.attributes("ModifyListenerAttributes", web.front, {key: "max-age=60", server: "false"})
    assert (read()[key], read()[server]) == ("max-age=60", "false")
    web.attributes("ModifyListenerAttributes", web.front, {key: ""})
    assert (read()[key], read()[server]) == ("", "false")
    assert web.attributes("ModifyListenerAttributes", web.front, {key: "a\nb"})[0] == "ValidationError"


def test_security_groups(web):
    group = web.ec2.create_security_group(GroupName="front", Description="x", VpcId=web.vpc)["GroupId"]
    assert web.elb.set_security_groups(LoadBalancerArn=web.arn, SecurityGroups=[group])["SecurityGroupIds"] == [group]
    assert web.elb.describe_load_balancers(LoadBalancerArns=[web.arn])["LoadBalancers"][0]["SecurityGroups"] == [group]
    assert code(web.elb.set_security_groups, LoadBalancerArn=web.arn, SecurityGroups=["sg-0123456789abcdef0"]) == "InvalidSecurityGroup"
    assert code(web.ec2.delete_security_group, GroupId=group) == "DependencyViolation"


def make_certificate(directory, name):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj", f"/CN={name}",
                    "-keyout", f"{directory}/key", "-out", f"{directory}/crt"], check=True, capture_output=True)
    with open(f"{directory}/key", encoding="ascii") as key, open(f"{directory}/crt", encoding="ascii") as body:
        return {"PrivateKey": key.read(), "CertificateBody": body.read()}


def test_certificates(web, tmp_path):
    elb, iam = web.elb, client(web.region, web.account, "iam")
    arns = [iam.upload_server_certificate(ServerCertificateName=n, **make_certificate(tmp_path, n))["ServerCertificateMetadata"]["Arn"] for n in ("one", "two")]
    https = {"LoadBalancerArn": web.arn, "Protocol": "HTTPS", "Port": 443, "DefaultActions": [forward(web.blue)]}
    assert code(elb.create_listener, **https) == "ValidationError"
    assert code(elb.create_listener, Certificates=[{"CertificateArn": arns[0] + "x"}], **https) == "CertificateNotFound"
    assert code(elb.create_listener, Certificates=[{"CertificateArn": arns[0]}], SslPolicy="no", **https) == "SSLPolicyNotFound"
    made = elb.create_listener(Certificates=[{"CertificateArn": arns[0]}], **https)["Listeners"][0]
    assert (made["SslPolicy"], made["Certificates"]) == ("ELBSecurityPolicy-2016-08", [{"CertificateArn": arns[0]}])
    listener = made["ListenerArn"]
    elb.modify_listener(ListenerArn=listener, SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06")
    elb.add_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": arns[1]}])
    read = lambda: {c["CertificateArn"]: c["IsDefault"] for c in elb.describe_listener_certificates(ListenerArn=listener)["Certificates"]}  # noqa: E731
    assert read() == {arns[0]: True, arns[1]: False}
    assert code(iam.delete_server_certificate, ServerCertificateName="two") == "DeleteConflict"
    assert code(elb.remove_listener_certificates, ListenerArn=listener, Certificates=[{"CertificateArn": arns[0]}]) == "OperationNotPermitted"
    elb.remove_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": arns[1]}])
    iam.delete_server_certificate(ServerCertificateName="two")
    assert len(elb.describe_ssl_policies(Names=["ELBSecurityPolicy-TLS13-1-2-2021-06"])["SslPolicies"][0]["SslProtocols"]) == 2
    elb.delete_listener(ListenerArn=listener)


def test_tags(web):
    rule = web.rule(50, PATH)["RuleArn"]
    web.elb.add_tags(ResourceArns=[rule], Tags=[{"Key": "a", "Value": "b"}])
    assert web.elb.describe_tags(ResourceArns=[rule])["TagDescriptions"][0]["Tags"] == [{"Key": "a", "Value": "b"}]
    web.elb.delete_rule(RuleArn=rule)


def test_quotas(web):
    for priority in range(1, 101):
        web.rule(priority, PATH)
    with pytest.raises(botocore.exceptions.ClientError, match="TooManyRules"):
        web.rule(101, PATH)


def test_it_ends(web):
    web.elb.delete_load_balancer(LoadBalancerArn=web.arn)
    assert code(web.elb.describe_rules, ListenerArn=web.front) == "ListenerNotFound"
    for group in (web.blue, web.green):
        web.elb.delete_target_group(TargetGroupArn=group)
    assert soon(lambda: not web.ec2.describe_network_interfaces(Filters=[{"Name": "description", "Values": ["ELB app/*"]}])["NetworkInterfaces"])
    assert web.application("web")["LoadBalancerArn"] != web.arn


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

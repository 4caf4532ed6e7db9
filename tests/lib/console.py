# SPDX-License-Identifier: Apache-2.0
"""The console's pages for tests in a browser: a region with content on every page and markup in all names, navigation, and checks of a page in a
language, a theme and a width."""
import base64
import contextlib
import datetime
import json
import tempfile

import browser as web
import native
from dev import Dev, REGION

HOSTILE = "<img src=x onerror=alert(1)>\"'&amp;{{x}}"
PAGES = ["", "instances", "launch", "images", "volumes", "snapshots", "backups", "backup-plans", "machine-backups", "schedules", "networks", "reach", "security-groups", "security-groups?show=matrix", "interfaces", "addresses", "transit-gateways", "fleets", "spot-requests", "load-balancers", "target-groups", "scaling-groups", "clusters", "reservations", "migrations", "keys", "machines", "remote-resources", "providers", "machine-policies", "usage", "usage?group=resource", "usage?group=tag", "tickets", "activity", "connect", "connect?tool=az", "connect?tool=terraform", "people", "user-groups", "roles", "policies", "who-may", "quotas", "you"]
OF_REGION = ["region", "hosts", "storage-pools", "tasks", "audit-log", "instance-types", "volume-types", "external-networks", "webhooks", "capacity", "audit", "accounts", "domains", "prices", "people", "user-groups", "roles", "policies", "who-may", "quotas", "usage?all=1", "tickets"]  # pages for administrators
PRICES = """
price_list: {name: public, currency: EUR, from: 2020-01-01T00:00:00Z, parent: null, owner: null}
items:
- {sku: vm, meter: instance, unit: hour, minimum_s: 60, price: 3.6}
- {sku: vol, meter: volume, unit: gib_month, price: 80}
- {sku: snap, meter: snapshot, unit: gib_month, price: 40}
- {sku: held, meter: held, unit: hour, price: 0.01}
- {sku: address, meter: address, unit: hour, price: 0.5}
- {sku: image, meter: image, unit: gib_month, price: 0}
"""
BRIEF = [("en", "light", 1280), ("ko", "dark", 360)]  # each language, theme and width once
DRESSES = [(language, theme, width) for language in ("en", "ko") for theme in ("light", "dark") for width in (1280, 360)]


@contextlib.contextmanager
def pages(dev, account="dev"):
    """A browser that has signed in by a link."""
    with web.browser() as b:
        b.size(1280)
        b.open(web.link_of(dev, account))
        b.until("return document.querySelector('nav.side')", what="the frame of the pages")
        yield b


def load_prices(dev):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as f:
        f.write(PRICES)
        f.flush()
        dev.command("prices", "load", f.name)


def talk(dev):
    """Creates one open ticket with messages of both sides, files, a private note and text full of markup, and one finished ticket."""
    mine, operator = native.own(dev), native.admin(dev)
    dev.ticket = mine.api_ok("POST", "/tickets", {"subject": f"It panics {HOSTILE}", "body": f"Every night. {HOSTILE}\n<script>alert(2)</script>", "severity": "high", "resources": [instance(dev, "web-1")]})["items"][0]["ec2"]
    data = base64.b64encode(b"panic").decode()
    mine.api_ok("POST", f"/tickets/{dev.ticket}/attach", {"name": HOSTILE, "data": data})
    operator.api_ok("POST", f"/tickets/{dev.ticket}/say", {"body": "They call each week.", "is_private": True})
    operator.api_ok("POST", f"/tickets/{dev.ticket}/say", {"body": "Which kernel is it?"})
    operator.api_ok("POST", f"/tickets/{dev.ticket}/work", {"state": "waiting"})
    over = mine.api_ok("POST", "/tickets", {"subject": "Which kernels do you have?", "body": "See above.", "about": "billing"})["items"][0]["id"]
    mine.api_ok("POST", f"/tickets/{over}/resolve", {})


@contextlib.contextmanager
def world(*options):
    """A region with rows of each kind that the pages list."""
    with Dev("--leftovers", "3", *options) as dev:
        dev.ec2 = dev.account.client()
        load_prices(dev)
        image = dev.ec2.describe_images()["Images"][0]["ImageId"]
        for name in ("web-1", "web-2", HOSTILE):
            tags = [{"Key": "Name", "Value": name}, {"Key": HOSTILE, "Value": HOSTILE}]
            dev.ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1, TagSpecifications=[{"ResourceType": "instance", "Tags": tags}])
        dev.ec2.import_key_pair(KeyName="ann", PublicKeyMaterial=b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIN9nYzkvGkaNJWjmYUvSHKyOzFZl4Bh6hWSZUrKUHeh3 ann")
        volume = dev.ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=4)["VolumeId"]
        dev.ec2.allocate_address(Domain="vpc")
        furnish_ec2(dev, image)
        dev.rest()
        dev.ec2.create_snapshot(VolumeId=volume, Description=HOSTILE)
        dev.rest()
        operator = native.admin(dev)
        native.own(dev).api_ok("POST", "/backups", {"volume": next(v["id"] for v in native.own(dev).rows("/volumes?fields=*") if v["ec2"] == volume), "name": HOSTILE})
        operator.api_ok("POST", "/storage-pools", {"name": "ceph", "description": HOSTILE, "kind": "rbd", "monitors": ["127.0.0.1:1"], "rbd_pool": "rbd", "rbd_user": "dari", "key": "QUFB"})
        operator.api_ok("POST", "/audits", {})
        native.own(dev).api_ok("POST", "/snapshot-policies", {"volume": volume, "interval": "daily", "schedule": "30:03", "kept": 7})
        native.own(dev).api_ok("POST", "/backup-plans", {"name": HOSTILE, "tag_key": "backup", "interval": "daily", "schedule": "30:03", "keep_daily": 7})
        native.own(dev).api_ok("POST", "/machine-backups", {"instance": native.own(dev).rows("/instances")[0]["id"], "name": HOSTILE})
        operator.api_ok("POST", "/instance-types", {"name": HOSTILE, "description": HOSTILE, "vcpus": 1, "memory": 2**30, "is_public": False})
        operator.api_ok("POST", "/volume-types", {"name": HOSTILE, "description": HOSTILE, "is_public": False, "share_with": operator.rows("/accounts")[0]["id"]})
        operator.api_ok("POST", "/external-networks", {"name": HOSTILE, "physical_network": HOSTILE, "next_hop": "192.0.2.1", "infra_first": "192.0.2.10", "infra_last": "192.0.2.19", "first": "192.0.2.100", "last": "192.0.2.110"})
        operator.api_ok("POST", f"/webhooks/{operator.api_ok('POST', '/webhooks', {'name': 'billing', 'url': 'http://127.0.0.1:9/', 'secret': 's' * 16})['items'][0]['id']}/test", {})
        furnish_capacity(dev, image)
        furnish_people(dev, operator)
        operator.api_ok("POST", "/domains", {"name": "shops", "description": HOSTILE})
        dev.rest()
        talk(dev)
        yield dev


def furnish_ec2(dev, image, name=HOSTILE):
    """Creates a transit gateway with an attached VPC and a static route, and a fleet and a spot request that launch nothing before 2033."""
    later = datetime.datetime(2033, 1, 1, tzinfo=datetime.timezone.utc)

    def tags(resource):
        return [{"ResourceType": resource, "Tags": [{"Key": "Name", "Value": name}]}]
    gateway = dev.ec2.create_transit_gateway(Description=name, TagSpecifications=tags("transit-gateway"))["TransitGateway"]
    dev.rest()
    subnet = dev.ec2.describe_subnets()["Subnets"][0]
    dev.ec2.create_transit_gateway_vpc_attachment(TransitGatewayId=gateway["TransitGatewayId"], VpcId=subnet["VpcId"], SubnetIds=[subnet["SubnetId"]])
    table = gateway["Options"]["AssociationDefaultRouteTableId"]
    dev.rest()
    dev.ec2.create_transit_gateway_route(TransitGatewayRouteTableId=table, DestinationCidrBlock="10.99.0.0/16", Blackhole=True)
    template = dev.ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData={"ImageId": image, "InstanceType": "t3.micro"})["LaunchTemplate"]
    dev.ec2.create_fleet(
        Type="request", ValidFrom=later, TagSpecifications=tags("fleet"), TargetCapacitySpecification={"TotalTargetCapacity": 2, "DefaultTargetCapacityType": "on-demand"},
        LaunchTemplateConfigs=[{"LaunchTemplateSpecification": {"LaunchTemplateId": template["LaunchTemplateId"], "Version": "1"}}])
    dev.ec2.request_spot_instances(ValidFrom=later, TagSpecifications=tags("spot-instances-request"), LaunchSpecification={"ImageId": image, "InstanceType": "t3.micro"})


def furnish_capacity(dev, image):
    """Creates a load balancer with a listener and a target, a scaling group with an activity, and a capacity reservation."""
    elb, scaling = dev.account.client("elbv2"), dev.account.client("autoscaling")
    subnets = dev.ec2.describe_subnets()["Subnets"][:2]
    balancer = elb.create_load_balancer(Name="web", Subnets=[s["SubnetId"] for s in subnets], Type="network")["LoadBalancers"][0]["LoadBalancerArn"]
    group = elb.create_target_group(Name="web", Protocol="TCP", Port=80, VpcId=subnets[0]["VpcId"])["TargetGroups"][0]["TargetGroupArn"]
    elb.create_listener(LoadBalancerArn=balancer, Protocol="TCP", Port=80, DefaultActions=[{"Type": "forward", "TargetGroupArn": group}])
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": instance(dev, "web-1")}])
    scaling.create_launch_configuration(LaunchConfigurationName="web", ImageId=image, InstanceType="t3.micro")
    scaling.create_auto_scaling_group(AutoScalingGroupName="workers", LaunchConfigurationName="web", MinSize=1, MaxSize=3, DesiredCapacity=1, VPCZoneIdentifier=subnets[0]["SubnetId"])
    dev.ec2.create_capacity_reservation(InstanceType="t3.micro", InstancePlatform="Linux/UNIX", AvailabilityZone=subnets[0]["AvailabilityZone"], InstanceCount=2)
    dev.rest()


def furnish_people(dev, operator):
    """Creates a group with a member, a role, and policies in the administrator's account, and with the owner's key in the other account."""
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": "Look", "Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"},
                                                                  {"Sid": "NoEnd", "Effect": "Deny", "Action": "ec2:TerminateInstances", "Resource": "*"}]}, indent=2)
    trust = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
    user = operator.api_ok("POST", "/users", {"name": "bob"})["items"][0]["id"]
    group = operator.api_ok("POST", "/user-groups", {"name": "readers"})["items"][0]["id"]
    role = operator.api_ok("POST", "/iam-roles", {"name": "backup", "trust": trust})["items"][0]["id"]
    policy = operator.api_ok("POST", "/policies", {"name": "look-only", "description": HOSTILE, "document": document})["items"][0]["id"]
    operator.api_ok("POST", f"/user-groups/{group}/add", {"user": user})
    for path in (f"/user-groups/{group}", f"/iam-roles/{role}"):
        operator.api_ok("POST", f"{path}/attach-policy", {"policy": policy})
    iam = dev.account.client("iam")
    iam.create_user(UserName="ann")
    iam.create_group(GroupName="writers")
    iam.add_user_to_group(GroupName="writers", UserName="ann")
    iam.create_role(RoleName="copy", AssumeRolePolicyDocument=trust)
    arn = iam.create_policy(PolicyName="look", PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_user_policy(UserName="ann", PolicyArn=arn)
    iam.put_role_policy(RoleName="copy", PolicyName="own", PolicyDocument=document)


def instance(dev, name):
    """Id of the instance with that name."""
    return dev.ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": [name]}])["Reservations"][0]["Instances"][0]["InstanceId"]


def sign_out(b):
    """Signs out in one script: a page that loads in between would close the menu."""
    b.until("const out = [...document.querySelectorAll('.sheet button')].at(-1); out?.click(); return out", what="the way out")


def go(b, dev, path):
    """Navigates by the page's own router, which keeps loaded modules."""
    if not b.run("return location.pathname.startsWith('/console/')"):
        b.open(dev.url + "/console/" + path)
    b.run("history.pushState(null, '', arguments[0]); dispatchEvent(new PopStateEvent('popstate'))", "/console/" + path)
    b.repaint()  # the previous page has disappeared
    b.until("return document.querySelector('h1') && ![...document.querySelectorAll('main p[role=status]')].some(p => /…$/.test(p.textContent))", what=f"the page {path}")


def look(b, dev, path, dresses):
    """Faults of a page, as lines: axe violations, overflow, errors of the browser."""
    axe = web.axe_source()
    b.faults()
    wrong = []
    for language, theme, width in dresses:
        b.size(width)
        go(b, dev, path)
        b.dress(language, theme)
        wrong += [f"{language} {theme} {width}: {line}" for line in b.axe(axe)]
        sticks_out = b.overflow()
        if sticks_out:
            wrong.append(f"{language} {theme} {width} sticks out: {sticks_out}")
    b.size(1280)
    b.dress("en", "light")
    return wrong + b.faults()

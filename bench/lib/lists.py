# SPDX-License-Identifier: Apache-2.0
"""Every list of EC2 resources, with a hundred and with ten thousand items: the cost of an item must not grow with their number.
Repeated requests without a filter get the cached answer while nothing changes. The filter that all items pass differs
in each request, so that each answer is computed. The cost of the filter that few items pass must depend on these alone."""
import os
import re

from rates import region
from tools import cpu_s, rss_mib, say, wait_quiet, wait_until

SIZES = [100, 10000]
LAUNCH, FEW, BATCH = 500, 10, 20000
PAGE = 5000  # items that a list without pages shows at once
ITEMS, REQUESTS_MAX = 200000, 4000  # items in all, and requests at most
BRIEF = {"SIZES": [6, 12], "LAUNCH": 5, "FEW": 5, "ITEMS": 12, "REQUESTS_MAX": 2}
NETWORK = 4096  # subnets of 16 addresses in one of 65,536
KEY = "c3NoLWVkMjU1MTkgQUFBQUMzTnphQzFsWkRJMU5URTVBQUFBSUxNK3JvWkZNeWxEeVVqRzdzdTBYY0lERjdFV2JsYVFiY2ZYMTRTUGxYNmo%3D"

# Each list: a text that occurs once in each item, and a filter's name with a value that all items have; a tag's key if
# there is no such filter.
LISTS = {
    "Instances": ("<instanceState>", None),
    "InstanceStatus": ("<instanceState>", ("availability-zone", "us-east-1a")),
    "Volumes": ("<createTime>", None),
    "VolumeStatus": ("<volumeId>", ("availability-zone", "us-east-1a")),
    "NetworkInterfaces": ("<macAddress>", None),
    "SecurityGroups": ("<groupDescription>", None),
    "KeyPairs": ("<keyFingerprint>", None),
    "Vpcs": ("<cidrBlockAssociationSet>", None),
    "Subnets": ("<availableIpAddressCount>", None),
    "RouteTables": ("<routeSet>", ("association.main", "true")),
    "NetworkAcls": ("<entrySet>", ("default", "true")),
    "InternetGateways": ("<internetGatewayId>", None),
    "Snapshots": ("<snapshotId>", None),
    "Images": ("<rootDeviceName>", None),
    "Tags": ("<resourceId>", ("value", "yes")),
}
TAGGED = "&TagSpecification.1.ResourceType={}&TagSpecification.1.Tag.1.Key={}&TagSpecification.1.Tag.1.Value=yes"


def forms_of(size, vpcs, snapshot):
    """Requests that create `size` resources of each kind; the first few have a tag of their own."""
    kinds = [
        ("vpc", lambda n: "CreateVpc&CidrBlock=10.8.0.0/16"),
        ("subnet", lambda n: f"CreateSubnet&VpcId={vpcs[n // NETWORK]}&CidrBlock=10.9.{n % NETWORK // 16}.{n % 16 * 16}/28"),
        ("security-group", lambda n: f"CreateSecurityGroup&GroupName=g{n}&GroupDescription=bench"),
        ("key-pair", lambda n: f"ImportKeyPair&KeyName=k{n}&PublicKeyMaterial={KEY}"),
        ("internet-gateway", lambda n: "CreateInternetGateway"),
        ("snapshot", lambda n: f"CopySnapshot&SourceRegion=us-east-1&SourceSnapshotId={snapshot}"),
        ("image", lambda n: f"RegisterImage&Name=image-{n}&RootDeviceName=/dev/sda1"
         f"&BlockDeviceMapping.1.DeviceName=/dev/sda1&BlockDeviceMapping.1.Ebs.SnapshotId={snapshot}"),
    ]
    return ["Action=" + form(n) + TAGGED.format(kind, "few" if n < FEW else "many")
            for n in range(size) for kind, form in kinds]


def send(target, scratch, forms):
    """Sends each request once, many at a time."""
    path = os.path.join(scratch, "forms")
    with open(path, "w", encoding="ascii") as f:
        f.writelines(f"{form}&Version=2016-11-15\n" for form in forms)
    line = target.program("load", f"forms={path}", "clients=16", timeout=600)[0]
    if line["errors"] != "0":
        raise RuntimeError(f"{line['errors']} of {len(forms)}, the first {forms[0]}: refused")
    return int(line["requests"])


def launch(target, said, size):
    tags = "".join(TAGGED.replace(".1.R", f".{n}.R").replace("n.1.T", f"n.{n}.T").format(kind, "{0}")
                   for n, kind in enumerate(["instance", "volume", "network-interface"], 1))
    for number, key in [(FEW, "few")] + [(min(LAUNCH, size - at), "many") for at in range(FEW, size, LAUNCH)]:
        target.ask(f"Action=RunInstances&ImageId={said['image'][0]}&InstanceType=t3.nano&MinCount={number}&MaxCount={number}"
                   f"&SubnetId={said['subnet'][0]}" + tags.format(key))


def fill(target, said, scratch, size):
    launch(target, said, size)
    vpcs = [re.search("<vpcId>(.*?)<", target.ask("Action=CreateVpc&CidrBlock=10.9.0.0/16"))[1]
            for _ in range(0, size, NETWORK)]
    volume = re.search("<volumeId>(.*?)<", target.ask("Action=DescribeVolumes&MaxResults=5"))[1]
    wait_until(lambda: "in-use" in target.ask(f"Action=DescribeVolumes&VolumeId.1={volume}"), 60, "a volume is there")
    snapshot = re.search("<snapshotId>(.*?)<", target.ask(f"Action=CreateSnapshot&VolumeId={volume}"))[1]
    wait_until(lambda: "completed" in target.ask(f"Action=DescribeSnapshots&SnapshotId.1={snapshot}"), 60, "a snapshot is there")
    forms = forms_of(size, vpcs, snapshot)
    for at in range(0, len(forms), BATCH):
        send(target, scratch, forms[at:at + BATCH])


def measure_list(pid, target, scratch, name, all_filter, size, mark):
    """Processor time per item in microseconds: without a filter, with a filter that all items pass, and with one that few pass."""
    key, value = all_filter or ("tag-key", "many")
    plain = f"Action=Describe{name}"
    among = f"{plain}&Filter.1.Name={key}&Filter.1.Value.1={value}&Filter.1.Value.2={{}}"
    few = f"{plain}&Filter.1.Name=tag-key&Filter.1.Value.1=few&Filter.1.Value.2={{}}"
    asked = {"plain": plain, "filtered": among}
    if not all_filter:
        asked["few"] = few
    costs = {}
    for word, form in asked.items():
        body = target.ask(form.format("x"))
        items = body.count(mark)
        if items < (FEW if word == "few" else min(size - FEW, PAGE)):
            raise RuntimeError(f"{form}: {items} items, {body[-300:]}")
        repeats = min(ITEMS // items + 1, REQUESTS_MAX)
        before = cpu_s(pid)
        send(target, scratch, [form.format(n) for n in range(repeats)])
        costs[word] = (cpu_s(pid) - before) * 1e6 / repeats / items
    return costs


def measure_size(build, scratch, size):
    with region(build, scratch, max(size // 100, 8)) as (target, said, pid, _):
        fill(target, said, scratch, size)
        say(f"{size} of each are there; quiet {wait_quiet(pid, 120):.0f} s later, {rss_mib(pid):.0f} MiB resident")
        return {name: measure_list(pid, target, scratch, name, all_filter, size, mark)
                for name, (mark, all_filter) in LISTS.items()}


def measure(build, scratch, show):
    figures = [measure_size(build, scratch, size) for size in SIZES]
    show.sizes("resources of each kind", SIZES, {f"describe_{name}_{word}_us_an_item": [f[name][word] for f in figures]
                                                 for name, costs in figures[0].items() for word in costs})

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/engine/cluster src/reconcile/cluster.c src/api/native/clusters.c src/daemon/client/commands_clusters.c
"""Kubernetes clusters on simulated hosts: their parts, user data as cloud-init and kubeadm read it, kubeconfigs against the cluster's authority, scaling, and
deletions after which no row is left, also if the region is killed on the way."""
import base64
import functools
import hashlib
import json
import re
import os
import signal
import subprocess
import sys
import tempfile

import pytest
import yaml

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloudstack  # noqa: E402
import native  # noqa: E402
import waiting  # noqa: E402
from dev import DARI, REGION, Dev  # noqa: E402

VERSION = "1.37.2"
PLACE = "/var/lib/dari-kubernetes"
# Lists of the account that a cluster adds to.
LISTS = ("clusters", "vpcs", "subnets", "gateways", "route-tables", "security-groups", "elastic-load-balancers", "target-groups", "listeners", "targets", "launch-templates", "launch-template-versions",
         "scaling-groups", "scaling-members", "network-interfaces", "addresses", "load-balancers", "volumes", "networks")


def dari(dev, *words, fails=False):
    done = subprocess.run([DARI, "--config", dev.config, *words], capture_output=True, text=True, check=False)
    assert (done.returncode != 0) == fails, (words, done.stdout, done.stderr)
    return done.stderr if fails else done.stdout


@functools.cache
def paths():
    return {a["path"].strip("/") for a in native.dump()["actions"] if a["method"] == "GET"}


def counts(mine):
    """Number of rows of each list; instances without terminated ones, which stay listed for an hour."""
    known = [name for name in LISTS if name in paths()]
    assert {"clusters", "subnets", "scaling-groups", "elastic-load-balancers", "security-groups", "launch-templates"} <= set(known), known
    living = sum(i["state"] != "terminated" for i in mine.rows("/instances?fields=state"))
    return {"instances": living, **{name: len(mine.rows(f"/{name}")) for name in known}}


def cluster(mine, name):
    return next((c for c in mine.rows("/clusters?fields=*") if c["name"] == name), None)


def create(mine, name, **more):
    return mine.api_ok("POST", "/clusters", {"name": name, "version": VERSION, "image": mine.image, **more})["items"][0]


def until(mine, name, status):
    def now():
        return (cluster(mine, name) or {"status": "gone"})["status"]
    waiting.wait_until(lambda: now() == status, f"{name} is {status}", of=mine.dev, shows=now)
    return cluster(mine, name)


def delete(mine, name):
    row = cluster(mine, name)
    mine.api_ok("DELETE", f"/clusters/{row['id']}")
    until(mine, name, "gone")


def machines(mine, row):
    return mine.api_ok("GET", f"/clusters/{row['id']}/machines")["items"]


def data_of(mine, machine):
    """User data of an instance, as cloud-init parses it: the commands, and files by their paths."""
    answer = mine.ec2.describe_instance_attribute(InstanceId=machine["ec2_id"], Attribute="userData")
    text = base64.b64decode(answer["UserData"]["Value"]).decode()
    assert text.startswith("#cloud-config\n") and len(text) <= 16384, len(text)
    value = yaml.safe_load(text)
    return value, {f["path"]: f for f in value["write_files"]}


def kubeadm(files):
    """{kind: document} of kubeadm's configuration."""
    return {d["kind"]: d for d in yaml.safe_load_all(files[f"{PLACE}/kubeadm.yaml"]["content"])}


def openssl(*words, text):
    return subprocess.run(["openssl", *words], input=text, capture_output=True, text=True, check=True).stdout


def kubeconfig(mine, row, **body):
    return mine.api_ok("POST", f"/clusters/{row['id']}/kubeconfig", body)


@pytest.fixture(scope="module")
def dev():
    with Dev() as region:
        region.mine = native.own(region)
        region.mine.dev, region.mine.image, region.mine.ec2 = region, native.image_of(region), region.account.client()
        yield region


@pytest.fixture(scope="module")
def mine(dev):
    return dev.mine


@pytest.fixture(autouse=True)
def nothing_is_left(mine):
    """Each test ends with the rows with which it began."""
    before = counts(mine)
    yield
    for row in mine.rows("/clusters"):
        mine.api("DELETE", f"/clusters/{row['id']}")
        until(mine, row["name"], "gone")
    waiting.wait_until(lambda: counts(mine) == before, "all rows of the cluster are gone", of=mine.dev, shows=lambda: (before, counts(mine)))


# ---- parts ----

def test_parts(mine):
    """A single call makes all parts, with the tag by which a cloud controller finds them."""
    row = create(mine, "demo", workers=2)
    assert row["status"] == "creating" and row["endpoint"].startswith("demo-api-") and "ca_key" not in row and not row["is_checked"]
    active = until(mine, "demo", "active")
    assert not active.get("problem") and active["workers"] == 2
    found = machines(mine, active)
    assert [m["role"] for m in found] == ["control-plane", "worker", "worker"] and all(m["state"] == "running" for m in found)
    tag = [{"Name": "tag:kubernetes.io/cluster/demo", "Values": ["owned"]}]
    assert len(mine.ec2.describe_vpcs(Filters=tag)["Vpcs"]) == len(mine.ec2.describe_security_groups(Filters=tag)["SecurityGroups"]) == 1
    assert len(mine.ec2.describe_route_tables(Filters=tag)["RouteTables"]) == len(mine.ec2.describe_internet_gateways(Filters=tag)["InternetGateways"]) == 1
    zones = [s["AvailabilityZone"] for s in mine.ec2.describe_subnets(Filters=tag)["Subnets"]]
    assert len(zones) == len(set(zones)) >= 2
    instances = [i for r in mine.ec2.describe_instances(Filters=tag)["Reservations"] for i in r["Instances"]]
    assert {i["InstanceId"] for i in instances} == {m["ec2_id"] for m in found}
    assert all(i["MetadataOptions"]["HttpTokens"] == "required" and i["MetadataOptions"]["HttpPutResponseHopLimit"] == 1 for i in instances)
    elb = mine.dev.account.client("elbv2")
    balancer, = elb.describe_load_balancers(Names=["demo-api"])["LoadBalancers"]
    assert (balancer["Type"], balancer["Scheme"], balancer["DNSName"]) == ("network", "internet-facing", active["endpoint"])
    group, = elb.describe_target_groups(Names=["demo-api"])["TargetGroups"]
    health, = elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
    assert (health["Target"]["Id"], health["Target"]["Port"]) == (found[0]["private_ip"], 6443) and health["TargetHealth"]["State"] == "healthy"


def test_names_of_parts_are_free(mine):
    """A part with the name of one that exists would be that one, or be refused half way: the call is refused as a whole."""
    create(mine, "demo")
    assert mine.api("POST", "/clusters", {"name": "demo", "version": VERSION, "image": mine.image}).status == 409
    until(mine, "demo", "active")
    delete(mine, "demo")
    template = mine.ec2.create_launch_template(LaunchTemplateName="demo-workers", LaunchTemplateData={"InstanceType": "t3.micro"})["LaunchTemplate"]
    before = counts(mine)
    assert mine.api("POST", "/clusters", {"name": "demo", "version": VERSION, "image": mine.image}).status == 409
    assert counts(mine) == before
    mine.ec2.delete_launch_template(LaunchTemplateId=template["LaunchTemplateId"])


# ---- user data ----

def test_user_data_of_one(mine):
    """A single machine gets the cluster's authority alone; a worker no key at all, but the digest of the authority's public key."""
    row = create(mine, "demo", sources=["192.0.2.0/24"], registry="registry.example.com/k8s", manifests=["https://example.com/cni.yaml?x=1"])
    control = machines(mine, row)[0]
    value, files = data_of(mine, control)
    documents = kubeadm(files)
    assert set(documents) == {"InitConfiguration", "ClusterConfiguration", "KubeletConfiguration"}
    assert {path for path in files if "/pki/" in path} == {f"{PLACE}/pki/ca.crt", f"{PLACE}/pki/ca.key"} and files[f"{PLACE}/pki/ca.key"]["permissions"] == "0600"
    assert files[f"{PLACE}/pki/ca.crt"]["content"].strip() == row["ca_cert"].strip()
    whole = documents["ClusterConfiguration"]
    assert (whole["kubernetesVersion"], whole["clusterName"], whole["controlPlaneEndpoint"]) == (f"v{VERSION}", "demo", row["endpoint"] + ":6443")
    assert whole["networking"] == {"podSubnet": "10.244.0.0/16", "serviceSubnet": "10.96.0.0/12"} and whole["imageRepository"] == "registry.example.com/k8s"
    assert row["address"] in whole["apiServer"]["certSANs"] and row["endpoint"] in whole["apiServer"]["certSANs"]
    assert files[f"{PLACE}/manifests"]["content"] == "https://example.com/cni.yaml?x=1\n"
    role, front, endpoint = value["runcmd"][0][1:]
    assert (role, endpoint) == ("first", row["endpoint"]) and front in whole["apiServer"]["certSANs"]
    token = documents["InitConfiguration"]["bootstrapTokens"][0]["token"]
    assert re.fullmatch(r"[a-z0-9]{6}\.[a-z0-9]{16}", token)
    until(mine, "demo", "active")
    worker_value, worker_files = data_of(mine, machines(mine, row)[1])
    join = kubeadm(worker_files)
    assert set(join) == {"JoinConfiguration"} and worker_value["runcmd"][0][1] == "worker" and "PRIVATE KEY" not in str(worker_files)
    found = join["JoinConfiguration"]["discovery"]["bootstrapToken"]
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=openssl("x509", "-noout", "-pubkey", text=row["ca_cert"]).encode(), capture_output=True, check=True).stdout
    assert found == {"apiServerEndpoint": row["endpoint"] + ":6443", "token": token, "caCertHashes": ["sha256:" + hashlib.sha256(der).hexdigest()]}
    group, = mine.ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["demo-control-plane"]}])["SecurityGroups"]
    blocks = {r["CidrIp"] for p in group["IpPermissions"] for r in p["IpRanges"]}
    assert "192.0.2.0/24" in blocks and "0.0.0.0/0" not in blocks and all(p["FromPort"] == p["ToPort"] == 6443 for p in group["IpPermissions"])


def test_script(mine):
    """The script is one that a shell parses, and kubeadm's placeholders are those that it fills in."""
    row = create(mine, "demo")
    _, files = data_of(mine, machines(mine, row)[0])
    script = files["/usr/local/sbin/dari-kubernetes"]
    assert script["permissions"] == "0755"
    subprocess.run(["sh", "-n"], input=script["content"], text=True, check=True)
    assert set(re.findall(r"@[A-Z]+@", files[f"{PLACE}/kubeadm.yaml"]["content"])) == set(re.findall(r"@[A-Z]+@", script["content"])) == {"@NAME@", "@PROVIDER@"}


@pytest.mark.parametrize("line", ["    sandbox_image = \"registry.k8s.io/pause:3.8\"", "      sandbox = 'registry.k8s.io/pause:3.10'"])
def test_registry_of_pause_image(mine, tmp_path, line):
    """containerd 1 and 2 get the pause image from the registry, too: the script's part about containerd runs with programs that stand for the real ones."""
    row = create(mine, "demo", registry="registry.example.com/k8s")
    _, files = data_of(mine, machines(mine, row)[0])
    programs = {"containerd": f"cat <<'END'\nsandboxer = 'podsandbox'\n{line}\nSystemdCgroup = false\nEND", "systemctl": "true",
                "kubeadm": 'case "$*" in\n"version -o short") echo v1.37.2 ;;\n'
                           '"config images list --image-repository registry.example.com/k8s --kubernetes-version v1.37.2") printf "%s\\n" registry.example.com/k8s/etcd:3.6.1-0 registry.example.com/k8s/pause:3.10.1 ;;\n'
                           "*) exit 1 ;;\nesac"}
    for name, text in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "registry").write_text(files[f"{PLACE}/registry"]["content"])
    part = re.search(r"^if ! grep -q .*?^fi$", files["/usr/local/sbin/dari-kubernetes"]["content"], re.MULTILINE | re.DOTALL)[0].replace("/etc/containerd", str(tmp_path / "etc"))
    subprocess.run(["sh", "-euc", part], cwd=tmp_path, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, check=True)
    name = line.split(" = ")[0]
    assert (tmp_path / "etc/config.toml").read_text().splitlines() == ["sandboxer = 'podsandbox'", f"{name} = 'registry.example.com/k8s/pause:3.10.1'", "SystemdCgroup = true"]


def test_keys_leave_user_data(mine):
    """Dari removes the keys from user data once the API answers on all machines."""
    row = create(mine, "demo", control_count=3)
    planes = machines(mine, row)[:3]
    datas = [data_of(mine, m) for m in planes]
    shared = {f"{PLACE}/pki/{name}" for name in ("ca.crt", "ca.key", "etcd/ca.crt", "etcd/ca.key", "front-proxy-ca.crt", "front-proxy-ca.key", "sa.key", "sa.pub")}
    for value, files in datas:
        assert shared <= set(files) and {files[p]["content"] for p in shared} == {datas[0][1][p]["content"] for p in shared}
    assert [v["runcmd"][0][1] for v, _ in datas] == ["first", "more", "more"]
    assert [set(kubeadm(f)) for _, f in datas[1:]] == [{"JoinConfiguration"}] * 2 and all("controlPlane" in kubeadm(f)["JoinConfiguration"] for _, f in datas[1:])
    public = openssl("pkey", "-pubout", text=datas[0][1][f"{PLACE}/pki/sa.key"]["content"])
    assert public.strip() == datas[0][1][f"{PLACE}/pki/sa.pub"]["content"].strip()
    assert until(mine, "demo", "active")["bared_us"]
    for machine in planes:
        text = base64.b64decode(mine.ec2.describe_instance_attribute(InstanceId=machine["ec2_id"], Attribute="userData")["UserData"]["Value"]).decode()
        assert "PRIVATE KEY" not in text and text.startswith("#cloud-config\n")


def test_cloud_provider(mine):
    """With an instance profile kubelets wait for the cloud controller manager, whose configuration names this region."""
    root = mine.dev.account.client("iam")
    root.create_instance_profile(InstanceProfileName="controller")
    try:
        row = create(mine, "demo", profile="controller")
        _, files = data_of(mine, machines(mine, row)[0])
        documents = kubeadm(files)
        extra = {a["name"]: a["value"] for a in documents["InitConfiguration"]["nodeRegistration"]["kubeletExtraArgs"]}
        assert extra == {"provider-id": "@PROVIDER@", "cloud-provider": "external"}
        assert documents["ClusterConfiguration"]["controllerManager"]["extraArgs"] == [{"name": "cloud-provider", "value": "external"}]
        conf = files["/etc/kubernetes/cloud.conf"]["content"]
        assert "KubernetesClusterID = demo" in conf and conf.count(f"Region = {REGION}") == 6 and conf.count("URL = http") == 3
        until(mine, "demo", "active")
        delete(mine, "demo")
    finally:
        root.delete_instance_profile(InstanceProfileName="controller")


def test_packages(mine):
    key = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQINBF\n-----END PGP PUBLIC KEY BLOCK-----\n"
    row = create(mine, "demo", packages="http://mirror.example.com/k8s", packages_key=key)
    value, _ = data_of(mine, machines(mine, row)[0])
    source = value["apt"]["sources"]["kubernetes"]
    assert source["source"] == "deb [signed-by=$KEY_FILE] http://mirror.example.com/k8s /" and source["key"].strip() == key.strip()
    assert value["packages"] == ["containerd", "kubeadm", "kubelet", "kubectl"]


# ---- images ----

def test_image_of_tag(mine):
    """Without an image the newest one with the tag is used, whose version is the cluster's."""
    assert mine.api("POST", "/clusters", {"name": "demo"}).json["field"] == "image"
    source = next(i for i in mine.rows("/images?fields=*") if i["id"] == mine.image)
    copy = mine.ec2.copy_image(SourceImageId=source["ec2"], SourceRegion=REGION, Name="kubernetes")["ImageId"]
    mine.ec2.create_tags(Resources=[copy], Tags=[{"Key": "kubernetes-version", "Value": VERSION}])
    mine.dev.rest()
    try:
        row = mine.api_ok("POST", "/clusters", {"name": "demo"})["items"][0]
        assert row["version"] == VERSION and row["is_checked"] and copy == next(i["ec2"] for i in mine.rows("/images?fields=*") if i["id"] == row["image"])
        wrong = mine.api("POST", "/clusters", {"name": "other", "image": row["image"], "version": "1.36.0"})
        assert wrong.status == 400 and wrong.json["field"] == "version", wrong
        until(mine, "demo", "active")
        delete(mine, "demo")
    finally:
        snapshots = [m["Ebs"]["SnapshotId"] for m in mine.ec2.describe_images(ImageIds=[copy])["Images"][0]["BlockDeviceMappings"] if "Ebs" in m]
        mine.ec2.deregister_image(ImageId=copy)
        for snapshot in snapshots:
            mine.ec2.delete_snapshot(SnapshotId=snapshot)


# ---- kubeconfigs ----

def test_kubeconfig(mine, tmp_path):
    """A client certificate of the administrators' group, signed by the cluster's authority, whose key fits and which expires."""
    row = create(mine, "demo")
    answer = kubeconfig(mine, row, hours=2)
    config = yaml.safe_load(answer["kubeconfig"])
    where, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    assert where["server"] == f"https://{row['address']}:6443" and base64.b64decode(where["certificate-authority-data"]).decode() == row["ca_cert"]
    cert, key = (base64.b64decode(user[f"client-{part}-data"]).decode() for part in ("certificate", "key"))
    (tmp_path / "ca.pem").write_text(row["ca_cert"])
    assert openssl("verify", "-purpose", "sslclient", "-CAfile", str(tmp_path / "ca.pem"), text=cert) == "stdin: OK\n"
    assert openssl("x509", "-noout", "-subject", "-nameopt", "RFC2253", text=cert) == f"subject=CN=dari:{mine.user},O=kubeadm:cluster-admins\n"
    assert openssl("x509", "-noout", "-pubkey", text=cert) == openssl("pkey", "-pubout", text=key)
    openssl("x509", "-noout", "-checkend", str(3600), text=cert)
    assert subprocess.run(["openssl", "x509", "-noout", "-checkend", str(3 * 3600)], input=cert, text=True, check=False, capture_output=True).returncode == 1
    dry = mine.api_ok("POST", f"/clusters/{row['id']}/kubeconfig?dry=1", {})
    assert "PRIVATE" not in json.dumps(dry) and "kubeconfig" not in dry, dry
    for hours in (0, 8761):
        assert mine.api("POST", f"/clusters/{row['id']}/kubeconfig", {"hours": hours}).status == 400
    events = mine.api_ok("GET", f"/clusters/{row['id']}/events")["items"]
    assert sum(e["what"] == "kubeconfig" for e in events) == 1, events
    record = next(r for r in map(json.loads, dari(mine.dev, "log", "audit", "--json").splitlines()) if r["action"] == "dari:GetClusterKubeconfig")
    assert record["does"] == "issues" and row["id"] in json.dumps(record), record


# ---- scaling ----

def test_scale(mine):
    row = create(mine, "demo", workers=1)
    until(mine, "demo", "active")
    assert mine.api_ok("PATCH", f"/clusters/{row['id']}", {"workers": 3})["items"][0]["status"] == "updating"
    until(mine, "demo", "active")
    assert len(machines(mine, row)) == 4
    mine.api_ok("PATCH", f"/clusters/{row['id']}", {"workers": 0})
    assert until(mine, "demo", "active")["workers"] == 0
    assert [m["role"] for m in machines(mine, row)] == ["control-plane"]
    mine.dev.account.client("autoscaling").set_desired_capacity(AutoScalingGroupName="demo-workers", DesiredCapacity=2)
    mine.api_ok("PATCH", f"/clusters/{row['id']}", {"workers": 2})
    assert until(mine, "demo", "active")["workers"] == 2
    for wrong in ({"workers": 101}, {"workers": -1}, {}):
        assert mine.api("PATCH", f"/clusters/{row['id']}", wrong).status == 400


def test_a_terminated_control_plane_is_told(mine):
    row = create(mine, "demo")
    until(mine, "demo", "active")
    mine.ec2.terminate_instances(InstanceIds=[machines(mine, row)[0]["ec2_id"]])
    mine.api_ok("PATCH", f"/clusters/{row['id']}", {"workers": 2})  # a cluster at rest is looked at with the next resync
    assert until(mine, "demo", "failed")["problem"] == "A machine of the control plane has been terminated."


# ---- deletion ----

def test_deletion_names_what_holds_it_up(mine):
    """Something of somebody else in the VPC keeps it, and the cluster says what; when that is gone the deletion goes on."""
    row = create(mine, "demo")
    until(mine, "demo", "active")
    subnet = next(s["SubnetId"] for s in mine.ec2.describe_subnets(Filters=[{"Name": "tag:kubernetes.io/cluster/demo", "Values": ["owned"]}])["Subnets"])
    port = mine.ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    mine.api_ok("DELETE", f"/clusters/{row['id']}")
    waiting.wait_until(lambda: cluster(mine, "demo").get("problem"), "the obstacle is named", of=mine.dev)
    held = cluster(mine, "demo")
    assert held["status"] == "deleting" and held["problem"].startswith("subnet-"), held
    for method, path, body in (("PATCH", "", {"workers": 2}), ("POST", "/kubeconfig", {})):
        assert mine.api(method, f"/clusters/{row['id']}{path}", body).status == 409
    mine.api_ok("DELETE", f"/clusters/{row['id']}")  # once more: nothing happens
    mine.ec2.delete_network_interface(NetworkInterfaceId=port)
    until(mine, "demo", "gone")


def test_a_machine_of_another_account_stays(dev, mine):
    """A machine that was given to another account is no part of the cluster any more: the cluster's deletion leaves it alone."""
    row = create(mine, "demo", workers=0)
    until(mine, "demo", "active")
    machine, = machines(mine, row)
    mine.ec2.stop_instances(InstanceIds=[machine["ec2_id"]])
    dev.rest()
    elb = dev.account.client("elbv2")
    group, = elb.describe_target_groups(Names=["demo-api"])["TargetGroups"]
    elb.modify_target_group_attributes(TargetGroupArn=group["TargetGroupArn"], Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "0"}])
    elb.deregister_targets(TargetGroupArn=group["TargetGroupArn"], Targets=[{"Id": machine["private_ip"], "Port": 6443}])
    waiting.wait_until(lambda: not mine.rows("/targets"), "the target is gone", of=dev)
    taker, key = native.another(dev, "taker"), cloudstack.admin_key(dev)
    domain = cloudstack.ok(dev, "listVirtualMachines", id=machine["id"], listall="true", **key)["virtualmachine"][0]["domainid"]
    cloudstack.ok(dev, "assignVirtualMachine", virtualmachineid=machine["id"], account="taker", domainid=domain, **key)
    assert machines(mine, row) == []
    delete(mine, "demo")
    assert [(i["id"], i["state"]) for i in taker.rows("/instances?fields=id,state")] == [(machine["id"], "stopped")]
    cloudstack.ok(dev, "destroyVirtualMachine", id=machine["id"], expunge="true", **key)


def test_given_subnets_stay(mine):
    """A cluster in subnets of the user deletes its own parts, and neither subnets nor VPC."""
    vpc = mine.ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
    zones = [z["ZoneName"] for z in mine.ec2.describe_availability_zones()["AvailabilityZones"]][:2]
    subnets = [mine.ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.77.{n}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"] for n, zone in enumerate(zones)]
    refused = mine.api("POST", "/clusters", {"name": "demo", "version": VERSION, "image": mine.image, "subnets": subnets})
    assert refused.status == 409 and "internet gateway" in refused.json["detail"], refused
    row = create(mine, "demo", subnets=subnets, is_internal=True)
    assert row["address"].startswith("10.77.") and not row["owns_network"]
    until(mine, "demo", "active")
    delete(mine, "demo")
    for subnet in subnets:
        mine.ec2.delete_subnet(SubnetId=subnet)
    mine.ec2.delete_vpc(VpcId=vpc)


@pytest.mark.parametrize("kills", range(4))
def test_kill(kills):
    """A region that is killed while a cluster comes and goes begins again where it was: the cluster becomes active, and goes without a rest."""
    data = tempfile.mkdtemp()
    dev = Dev("--data", data, instant=False)
    try:
        mine = native.own(dev)
        mine.dev, mine.image = dev, native.image_of(dev)
        before = counts(mine)
        row = create(mine, "demo", workers=2)

        def again():
            nonlocal dev, mine
            port = dev.port
            dev.end(signal.SIGKILL)
            dev = Dev("--data", data, instant=False, port=port)
            mine = native.own(dev)
            mine.dev = dev
        for _ in range(kills):
            again()
        until(mine, "demo", "active")
        assert [m["role"] for m in machines(mine, row)] == ["control-plane", "worker", "worker"]
        mine.api_ok("DELETE", f"/clusters/{row['id']}")
        for step in range(kills):
            waiting.soon(lambda step=step: counts(mine)["instances"] <= before["instances"] + 2 - step, of=dev)
            again()
        until(mine, "demo", "gone")
        waiting.wait_until(lambda: counts(mine) == before, "no row is left", of=dev, shows=lambda: (before, counts(mine)))
    finally:
        dev.end()


# ---- refusals ----

@pytest.mark.parametrize("given, field", [
    ({"name": "Demo"}, "name"), ({"name": "-demo"}, "name"), ({"name": "demo-"}, "name"), ({"name": "a" * 29}, "name"), ({"name": "1demo"}, "name"),
    ({"version": "1.30.9"}, "version"), ({"version": "1.37"}, "version"), ({"version": "v1.37.2"}, "version"), ({"version": "1.37.02"}, "version"), ({"version": "2.0.0"}, "version"),
    ({"version": "1.37.2\n"}, "version"), ({"control_count": 2}, "control_count"), ({"control_count": 5}, "control_count"), ({"workers": -1}, "workers"), ({"workers": 101}, "workers"),
    ({"control_type": "t3.micro"}, "control_type"), ({"worker_type": "none"}, "worker_type"), ({"network": "10.0.0.0/8"}, "network"), ({"network": "10.244.0.0/20"}, "network"),
    ({"network": "10.30.0.0/25"}, "network"), ({"pod_network": "10.96.0.0/16"}, "service_network"), ({"pod_network": "10.244.0.1/16"}, "pod_network"),
    ({"service_network": "fd00::/108"}, "service_network"), ({"sources": ["all"]}, "sources"), ({"sources": ["::/0"]}, "sources"), ({"registry": "a b"}, "registry"),
    ({"registry": 'x"\n'}, "registry"), ({"packages": "ftp://mirror"}, "packages"), ({"packages": "https://m/$(id)"}, "packages"), ({"packages": 'https://m/"'}, "packages"),
    ({"packages": "http://mirror/"}, "packages_key"), ({"packages_key": "x"}, "packages_key"), ({"packages": "https://m/", "packages_key": "x"}, "packages_key"),
    ({"manifests": ["https://m/`id`"]}, "manifests"), ({"manifests": ["file:///etc/passwd"]}, "manifests"), ({"image": "00000000-0000-4000-8000-000000000000"}, "image"),
    ({"subnets": ["00000000-0000-4000-8000-000000000000"], "network": "10.30.0.0/16"}, "network"),
    ({"key_pair": "none"}, "key_pair"), ({"profile": "none"}, "profile"), ({"subnets": ["00000000-0000-4000-8000-000000000000"]}, "subnets")])
def test_refusals(mine, given, field):
    """A wrong parameter is named, and nothing is made, as the fixture sees."""
    answer = mine.api("POST", "/clusters", {"name": "demo", "version": VERSION, "image": mine.image, **given})
    assert answer.status in (400, 404) and answer.json.get("field", "").split(".")[0].split("[")[0] == field, answer


def test_two_accounts(dev, mine):
    """A cluster is its account's alone."""
    other = native.another(dev, "stranger")
    row = create(mine, "demo")
    assert not other.rows("/clusters")
    for method, path, body in (("GET", "", None), ("GET", "/machines", None), ("PATCH", "", {"workers": 2}), ("DELETE", "", None), ("POST", "/kubeconfig", {})):
        assert other.api(method, f"/clusters/{row['id']}{path}", body).status == 404, (method, path)


def test_quota(dev, mine):
    """A cluster that exceeds a quota leaves nothing."""
    before = counts(mine)
    native.admin(dev).api_ok("PUT", "/settings", {"name": "limit.clusters", "value": "0"})
    try:
        assert mine.api("POST", "/clusters", {"name": "demo", "version": VERSION, "image": mine.image}).status == 422
        assert counts(mine) == before
    finally:
        native.admin(dev).api_ok("PUT", "/settings", {"name": "limit.clusters", "value": ""})


# ---- the command ----

def test_command(dev, mine):
    """The operator's `dari cluster` for an account, from the creation to the deletion."""
    account = dev.command("account", "list")[0]["name"]
    assert "dari cluster show" in dari(dev, "cluster", "create", "demo", "--workers", "3", "--version", VERSION, "--image", mine.image, "--account", account)
    until(mine, "demo", "active")
    shown = dari(dev, "cluster", "show", "demo")
    assert shown.count(" worker ") == 3 and "not checked" in shown and "https://" in shown, shown
    assert "demo" in dari(dev, "cluster", "list")
    dari(dev, "cluster", "scale", "demo", "--workers", "1")
    until(mine, "demo", "active")
    config = yaml.safe_load(dari(dev, "cluster", "kubeconfig", "demo", "--hours", "1"))
    assert config["current-context"] == "demo"
    assert "called none" in dari(dev, "cluster", "scale", "none", "--workers", "1", fails=True)
    dari(dev, "cluster", "delete", "demo")
    until(mine, "demo", "gone")


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider", *sys.argv[1:]]))

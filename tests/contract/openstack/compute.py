#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/openstack/compute src/api/openstack/placement src/engine/instance
"""Servers through the stock openstack command and openstacksdk: everyday use of servers, flavors, key pairs, server groups, volumes and interfaces,
compared with EC2."""
import json
import os
import re
import sys
import time

import botocore.exceptions
import openstack
import openstack.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import warm  # noqa: E402
from dev import Dev  # noqa: E402
from faces import holds  # noqa: E402
import waiting  # noqa: E402

SILENT = {"delete", "resize", "set", "unset", "start", "stop", "reboot", "pause", "unpause", "suspend", "resume", "lock", "unlock", "add",
          "remove", "confirm", "revert"}


class Cloud:
    def __init__(self):
        self.dev = Dev()
        self.env = dict(re.findall(r"(OS_\w+)=(\S+)", self.dev.banner))
        password = re.search(r'"admin" with the password (\S+)', self.dev.banner).group(1)
        self.admin_env = {**self.env, "OS_USERNAME": "admin", "OS_PROJECT_NAME": "admin", "OS_PROJECT_ID": "", "OS_PASSWORD": password}
        self.sdk = self.connect(self.env)
        self.admin = self.connect(self.admin_env)

    def connect(self, env):
        return openstack.connect(
            auth_url=env["OS_AUTH_URL"], username=env["OS_USERNAME"], password=env["OS_PASSWORD"],
            project_name=env["OS_PROJECT_NAME"], user_domain_name="Default", project_domain_name="Default",
            region_name=env["OS_REGION_NAME"], identity_api_version="3")

    def run(self, *argv, check=True, env=None):
        """The command's output, parsed as JSON if possible."""
        form = [] if SILENT & set(argv[:6]) or argv[:3] == ("console", "log", "show") else ["-f", "json"]
        done = warm.run(["/usr/bin/openstack", *argv, *form], {**os.environ, **(env or self.env)})
        assert not check or done.returncode == 0, f"{argv}: {done.stderr}"
        return done if not check else json.loads(done.stdout) if form else done.stdout

    def await_status(self, server, wanted):
        seen = {}

        def is_so():
            now = seen["now"] = self.sdk.compute.get_server(server)
            return now.status == wanted and now.task_state is None and now
        return waiting.wait_until(is_so, wanted, shows=lambda: (seen["now"].status, seen["now"].task_state))


@pytest.fixture(scope="module")
def cloud():
    c = Cloud()
    with c.dev:
        yield c


@pytest.fixture(scope="module")
def image(cloud):
    return next(cloud.sdk.image.images()).id


def make(cloud, image, name, **more):
    server = cloud.sdk.compute.create_server(name=name, image_id=image, flavor_id="t3.micro", networks="auto", **more)
    return cloud.await_status(server, "ACTIVE")


def test_the_stock_command(cloud, image):
    """A server's life, as in the manuals."""
    run = cloud.run
    assert {"t3.micro", "m5.large"} <= {f["Name"] for f in run("flavor", "list")}
    run("keypair", "create", "mine", "--private-key", "/dev/null")
    assert [k["Name"] for k in run("keypair", "list")] == ["mine"]
    made = run("server", "create", "web", "--image", image, "--flavor", "t3.micro", "--key-name", "mine",
               "--property", "team=blue", "--file", "/etc/motd=/etc/hostname", "--wait")
    assert made["config_drive"] == "True"
    assert made["status"] == "ACTIVE" and made["key_name"] == "mine" and made["properties"] == {"team": "blue"}
    assert run("server", "show", "web")["OS-EXT-STS:power_state"] in (1, "Running")
    assert [s["Name"] for s in run("server", "list", "--name", "^we", "-n")] == ["web"]
    for verb, status in (("pause", "PAUSED"), ("unpause", "ACTIVE"), ("suspend", "SUSPENDED"), ("resume", "ACTIVE"),
                         ("stop", "SHUTOFF"), ("start", "ACTIVE")):
        run("server", verb, "web")
        cloud.await_status(made["id"], status)
    run("--os-compute-api-version", "2.73", "server", "lock", "web", "--reason", "mine")
    refused = run("server", "stop", "web", check=False)
    assert refused.returncode != 0 and "locked" in refused.stderr
    run("server", "unlock", "web")
    run("server", "set", "web", "--name", "shop", "--property", "team=red")
    assert run("server", "show", "shop")["properties"] == {"team": "red"}
    assert "simulated" in cloud.run("console", "log", "show", "shop")
    run("server", "delete", "shop")
    cloud.dev.rest()
    assert run("server", "list", "-n") == []
    run("keypair", "delete", "mine")


def test_who_made_it_and_when_it_changed(cloud, image):
    """The creator is EC2's root user or Keystone's user; only a change updates `updated`."""
    ours = cloud.sdk.current_user_id
    server = make(cloud, image, "dated")
    ec2 = cloud.dev.account.client()
    ec2.run_instances(ImageId=ec2.describe_images()["Images"][0]["ImageId"], InstanceType="t3.micro", MinCount=1, MaxCount=1)
    users = {s.name: s.user_id for s in cloud.sdk.compute.servers()}
    assert users.pop("dated") == ours and len(users) == 1 and ours not in users.values()
    volume = cloud.sdk.block_storage.create_volume(size=1, name="dated")
    assert cloud.sdk.block_storage.get_volume(volume.id).user_id == ours
    before = cloud.sdk.compute.get_server(server.id).updated_at
    time.sleep(1.1)
    assert cloud.sdk.compute.get_server(server.id).updated_at == before
    cloud.sdk.compute.update_server(server.id, name="changed")
    assert before < cloud.sdk.compute.get_server(server.id).updated_at
    for each in cloud.sdk.compute.servers():
        cloud.sdk.compute.delete_server(each)
        cloud.sdk.compute.wait_for_delete(each, interval=1)
    cloud.sdk.block_storage.delete_volume(volume)


def test_resize_and_rebuild(cloud, image):
    server = make(cloud, image, "grows")
    cloud.run("server", "resize", "grows", "--flavor", "t3.small")
    assert cloud.await_status(server, "VERIFY_RESIZE").flavor["original_name"] == "t3.small"
    cloud.run("server", "resize", "revert", "grows")
    assert cloud.await_status(server, "ACTIVE").flavor["original_name"] == "t3.micro"
    cloud.sdk.compute.resize_server(server, "t3.small")
    cloud.await_status(server, "VERIFY_RESIZE")
    cloud.sdk.compute.confirm_server_resize(server)
    cloud.await_status(server, "ACTIVE")
    addresses = server.addresses
    cloud.sdk.compute.rebuild_server(server, image=image, name="anew")
    after = cloud.await_status(server, "ACTIVE")
    assert after.name == "anew" and after.addresses == addresses
    actions = [a["Action"] for a in cloud.run("server", "event", "list", server.id)]
    assert actions == ["rebuild", "confirmResize", "resize", "revertResize", "resize", "create"]
    cloud.sdk.compute.delete_server(server)
    cloud.sdk.compute.wait_for_delete(server, interval=0.2)


def test_interfaces_and_volumes(cloud, image):
    server = make(cloud, image, "plugs", block_device_mapping=[
        {"boot_index": 0, "source_type": "image", "destination_type": "volume", "uuid": image, "delete_on_termination": True},
        {"source_type": "blank", "destination_type": "volume", "volume_size": 1, "delete_on_termination": True}])
    compute = cloud.sdk.compute
    port = compute.create_server_interface(server)
    assert {i.port_id for i in compute.server_interfaces(server)} >= {port.port_id}
    compute.delete_server_interface(port, server=server)
    (first,) = compute.server_interfaces(server)
    compute.add_fixed_ip_to_server(server, first.net_id)
    (more,) = compute.server_interfaces(server)
    addresses = [f["ip_address"] for f in more.fixed_ips]
    assert len(addresses) == 2 and addresses[0] == first.fixed_ips[0]["ip_address"]
    compute.remove_fixed_ip_from_server(server, addresses[1])
    assert [i.fixed_ips for i in compute.server_interfaces(server)] == [first.fixed_ips]
    root, attachment = sorted(compute.volume_attachments(server), key=lambda a: a.device == "/dev/vdb")
    assert attachment.device == "/dev/vdb" and compute.get_server(server).image.id is None
    assert [v["id"] for v in compute.get_server(server).attached_volumes] == [root.volume_id, attachment.volume_id]
    volumes = cloud.dev.account.client().describe_volumes(Filters=[{"Name": "attachment.device", "Values": ["/dev/vdb"]}])["Volumes"]
    assert attachment.volume_id.replace("-", "").startswith(volumes[0]["VolumeId"][4:])
    compute.delete_server(server)
    compute.wait_for_delete(server, interval=0.2)


def test_flavors_of_the_administrator(cloud, image):
    run = cloud.run
    refused = run("flavor", "create", "own", "--id", "42", "--ram", "512", "--disk", "0", check=False)
    assert refused.returncode != 0 and "403" in refused.stderr
    made = run("flavor", "create", "own", "--id", "42", "--ram", "512", "--disk", "0", "--private",
               "--property", "hw:a=b", env=cloud.admin_env)
    assert made["id"] == "42" and made["os-flavor-access:is_public"] is False
    assert "own" not in {f.name for f in cloud.sdk.compute.flavors()}
    project = cloud.sdk.current_project_id
    cloud.admin.compute.flavor_add_tenant_access("42", project)
    assert [a["tenant_id"] for a in cloud.admin.compute.get_flavor_access("42")] == [project]
    assert cloud.sdk.compute.get_flavor("42").extra_specs == {"hw:a": "b"}
    server = cloud.sdk.compute.create_server(name="small", image_id=image, flavor_id="42", networks="none")
    assert cloud.await_status(server, "ACTIVE").addresses == {}
    types = cloud.dev.account.client().describe_instance_types(InstanceTypes=["own"])["InstanceTypes"]
    assert types[0]["MemoryInfo"]["SizeInMiB"] == 512
    cloud.sdk.compute.delete_server(server)
    network = cloud.sdk.network.create_network(name="crowded")
    cloud.sdk.network.create_subnet(name="crowded", network_id=network.id, ip_version=4, cidr="10.61.0.0/24")
    nics = [{"uuid": network.id}] * 8  # as many as a guest has slots
    with pytest.raises(openstack.exceptions.HttpException, match="Interface count 9 exceeds the limit of 8"):
        cloud.sdk.compute.create_server(name="more", image_id=image, flavor_id="42", networks=[*nics, nics[0]])
    server = cloud.sdk.compute.create_server(name="many", image_id=image, flavor_id="42", networks=nics)
    assert len(cloud.await_status(server, "ACTIVE").addresses["crowded"]) == 8
    cloud.admin.compute.delete_flavor("42")
    assert cloud.sdk.compute.get_server(server).flavor["original_name"] == "own"
    cloud.sdk.compute.delete_server(server)


def test_local_disks(cloud, image):
    """A flavor's ephemeral and swap disks belong to the server, and are no volumes."""
    ec2, compute = cloud.dev.account.client(), cloud.sdk.compute
    made = cloud.run("flavor", "create", "scratch", "--id", "43", "--ram", "512", "--disk", "0", "--ephemeral", "2", "--swap", "256",
                     env=cloud.admin_env)
    assert made["OS-FLV-EXT-DATA:ephemeral"] == 2 and made["swap"] == 256
    flavor = compute.get_flavor("43")
    assert (flavor.ephemeral, flavor.swap) == (2, 256)
    info = ec2.describe_instance_types(InstanceTypes=["scratch"])["InstanceTypes"][0]
    assert info["InstanceStorageSupported"] and info["InstanceStorageInfo"]["Disks"] == [{"SizeInGB": 2, "Count": 1}]
    found = ec2.describe_instance_types(Filters=[{"Name": "instance-storage-supported", "Values": ["true"]}])["InstanceTypes"]
    assert [t["InstanceType"] for t in found] == ["scratch"]
    before = {v["VolumeId"] for v in ec2.describe_volumes()["Volumes"]}
    server = compute.create_server(name="scratch", image_id=image, flavor_id="43", networks="none")
    shown = cloud.await_status(server, "ACTIVE")
    assert (shown.flavor["ephemeral"], shown.flavor["swap"], shown.attached_volumes) == (2, 256, [])
    assert list(compute.volume_attachments(server)) == []
    volumes = [v for v in ec2.describe_volumes()["Volumes"] if v["VolumeId"] not in before]
    assert len(volumes) == 1  # its root disk
    assert len(list(cloud.admin.block_storage.volumes(all_projects=True))) == len(before) + 1
    instance = ec2.describe_instances(InstanceIds=["i-" + server.id.replace("-", "")[:17]])["Reservations"][0]["Instances"][0]
    assert len(instance["BlockDeviceMappings"]) == 1
    blank = {"boot_index": -1, "source_type": "blank", "destination_type": "local", "delete_on_termination": True}
    root = {"boot_index": 0, "source_type": "image", "destination_type": "local", "uuid": image, "delete_on_termination": True}
    halves = [{**blank, "volume_size": 1}, {**blank, "volume_size": 1}, {**blank, "guest_format": "swap", "volume_size": 128}]
    divided = compute.create_server(name="halves", image_id=image, flavor_id="43", networks="none", block_device_mapping=[root, *halves])
    cloud.await_status(divided, "ACTIVE")
    with pytest.raises(openstack.exceptions.BadRequestException, match="Ephemeral disks requested are larger"):
        compute.create_server(name="more", image_id=image, flavor_id="43", networks="none", block_device_mapping=[root, {**blank, "volume_size": 3}])
    with pytest.raises(openstack.exceptions.BadRequestException, match="Swap drive requested is larger"):
        compute.create_server(name="more", image_id=image, flavor_id="43", networks="none",
                              block_device_mapping=[root, {**halves[2], "volume_size": 257}])
    for s in (server, divided):
        compute.delete_server(s)
        compute.wait_for_delete(s, interval=1)
    cloud.admin.compute.delete_flavor("43")


@holds("Instances: Interfaces and types")
def test_interfaces_beyond_the_type(cloud, image):
    """Nova gives a server more interfaces than its type has in EC2; EC2's own calls keep the limit."""
    ec2, compute = cloud.dev.account.client(), cloud.sdk.compute
    network = cloud.sdk.network.create_network(name="twice")
    cloud.sdk.network.create_subnet(name="twice", network_id=network.id, ip_version=4, cidr="10.62.0.0/24")
    server = compute.create_server(name="three", image_id=image, flavor_id="t3.micro", networks=[{"uuid": network.id}] * 3)
    assert len(cloud.await_status(server, "ACTIVE").addresses["twice"]) == 3
    compute.create_server_interface(server, net_id=network.id)
    name = "i-" + server.id.replace("-", "")[:17]
    instance = ec2.describe_instances(InstanceIds=[name])["Reservations"][0]["Instances"][0]
    assert len(instance["NetworkInterfaces"]) == 4
    zone = instance["Placement"]["AvailabilityZone"]
    subnet = next(s["SubnetId"] for s in ec2.describe_subnets()["Subnets"] if s["AvailabilityZone"] == zone)
    port = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    with pytest.raises(botocore.exceptions.ClientError, match="AttachmentLimitExceeded.*exceeds the limit for t3.micro"):
        ec2.attach_network_interface(NetworkInterfaceId=port, InstanceId=name, DeviceIndex=5)
    ec2.delete_network_interface(NetworkInterfaceId=port)
    compute.delete_server(server)
    compute.wait_for_delete(server, interval=1)


def test_server_groups(cloud, image):
    group = cloud.run("server", "group", "create", "g", "--policy", "anti-affinity")
    servers = [make(cloud, image, name, scheduler_hints={"group": group["id"]}) for name in ("a", "b")]
    hosts = {cloud.admin.compute.get_server(s).hypervisor_hostname for s in servers}
    assert len(hosts) == 2
    assert set(cloud.sdk.compute.get_server_group(group["id"]).member_ids) == {s.id for s in servers}
    for s in servers:
        cloud.sdk.compute.delete_server(s)
    cloud.run("server", "group", "delete", "g")


@holds("Instances: Aggregates")
def test_aggregates(cloud, image):
    """A flavor that requires an aggregate's property runs on its hosts, also if EC2 launches it."""
    def admin(*argv):
        return cloud.run(*argv, env=cloud.admin_env)
    host = next(cloud.admin.compute.hypervisors()).name
    made = admin("aggregate", "create", "fast", "--property", "disk=ssd")
    assert made["hosts"] in (None, []) and made["properties"] == {"disk": "ssd"}
    admin("aggregate", "add", "host", "fast", host)
    assert admin("aggregate", "show", "fast")["hosts"] == [host]
    assert [a["Name"] for a in admin("aggregate", "list")] == ["fast"]
    flavor = cloud.admin.compute.create_flavor(name="f1.fast", ram=512, vcpus=1, disk=0)
    cloud.admin.compute.create_flavor_extra_specs(flavor, {"aggregate_instance_extra_specs:disk": "ssd"})
    ec2 = cloud.dev.account.client()
    ids = [i["InstanceId"] for i in ec2.run_instances(
        ImageId=ec2.describe_images()["Images"][0]["ImageId"], InstanceType="f1.fast", MinCount=3, MaxCount=3)["Instances"]]
    servers = [s for s in cloud.admin.compute.servers(all_projects=True) if s.flavor["original_name"] == "f1.fast"]
    assert [s.hypervisor_hostname for s in servers] == [host] * 3
    ec2.terminate_instances(InstanceIds=ids)
    admin("aggregate", "unset", "fast", "--property", "disk")
    with pytest.raises(botocore.exceptions.ClientError, match="aggregates"):
        ec2.run_instances(ImageId=ec2.describe_images()["Images"][0]["ImageId"], InstanceType="f1.fast", MinCount=1, MaxCount=1)
    assert cloud.run("aggregate", "delete", "fast", check=False, env=cloud.admin_env).returncode != 0
    admin("aggregate", "remove", "host", "fast", host)
    admin("aggregate", "delete", "fast")
    assert admin("aggregate", "list") == []
    cloud.admin.compute.delete_flavor(flavor)


@holds("Instances: Aggregates")
def test_zones_of_aggregates(cloud, image):
    """An aggregate's zone exists in Nova only: servers run on its hosts, and EC2 still shows the region's zone."""
    def admin(*argv, **more):
        return cloud.run(*argv, env=cloud.admin_env, **more)

    def zones():
        return {z["Zone Name"] for z in admin("availability", "zone", "list", "--compute")}

    ec2, compute = cloud.dev.account.client(), cloud.sdk.compute
    host = sorted(h.name for h in cloud.admin.compute.hypervisors())[0]
    region = zones()
    assert region == {z["ZoneName"] for z in ec2.describe_availability_zones()["AvailabilityZones"]}
    made = admin("aggregate", "create", "rack", "--zone", "rack-1")
    assert made["availability_zone"] == "rack-1" and zones() == region
    admin("aggregate", "create", "other", "--zone", "rack-2")
    admin("aggregate", "add", "host", "rack", host)
    assert zones() == {*region, "rack-1"}
    assert {s["Zone"] for s in admin("compute", "service", "list") if s["Host"] == host} == {"rack-1"}
    refused = admin("aggregate", "add", "host", "other", host, check=False)
    assert refused.returncode != 0 and "409" in refused.stderr and "already in availability zone" in refused.stderr
    server = compute.create_server(name="racked", image_id=image, flavor_id="t3.micro", networks="none", availability_zone="rack-1")
    shown = cloud.await_status(server, "ACTIVE")
    assert shown.availability_zone == "rack-1"
    assert cloud.admin.compute.get_server(server).hypervisor_hostname == host
    assert [s.id for s in compute.servers(availability_zone="rack-1")] == [server.id]
    instance = ec2.describe_instances(InstanceIds=["i-" + server.id.replace("-", "")[:17]])["Reservations"][0]["Instances"][0]
    assert instance["Placement"]["AvailabilityZone"] in region
    assert {z["ZoneName"] for z in ec2.describe_availability_zones()["AvailabilityZones"]} == region
    refused = admin("aggregate", "remove", "host", "rack", host, check=False)
    assert refused.returncode != 0 and "409" in refused.stderr and "already has 1 instance" in refused.stderr
    refused = admin("aggregate", "set", "--zone", "rack-3", "rack", check=False)
    assert refused.returncode != 0 and "contain instances in this zone" in refused.stderr
    compute.delete_server(server)
    compute.wait_for_delete(server, interval=1)
    admin("aggregate", "set", "--zone", "rack-3", "rack")
    assert zones() == {*region, "rack-3"}
    with pytest.raises(openstack.exceptions.BadRequestException, match="availability zone is not available"):
        compute.create_server(name="racked", image_id=image, flavor_id="t3.micro", networks="none", availability_zone="rack-1")
    admin("aggregate", "remove", "host", "rack", host)
    assert zones() == region
    for name in ("rack", "other"):
        admin("aggregate", "delete", name)


def test_services(cloud, image):
    """A host that is disabled, or forced down, gets no server."""
    compute = cloud.admin.compute
    services = list(compute.services())
    for service in services:
        compute.disable_service(service, disabled_reason="a new fan")
    shown = cloud.run("compute", "service", "list", "--long", env=cloud.admin_env)
    assert {s["Status"] for s in shown} == {"disabled"} and {s["Disabled Reason"] for s in shown} == {"a new fan"}
    refused = cloud.sdk.compute.create_server(name="nowhere", image_id=image, flavor_id="t3.micro", networks="none")
    cloud.await_status(refused, "ERROR")
    assert "closed to new instances" in cloud.run("server", "show", refused.id)["fault"]["message"]
    for service in services:
        compute.enable_service(service)
        compute.update_service_forced_down(service, forced=True)
    assert {s.state for s in compute.services()} == {"down"}
    for service in services:
        compute.update_service_forced_down(service, forced=False)
    cloud.await_status(refused, "ACTIVE")
    since = "2020-01-01T00:00:00Z"
    cloud.sdk.compute.delete_server(refused)
    cloud.sdk.compute.wait_for_delete(refused, interval=1)
    assert refused.id in {s.id for s in cloud.sdk.compute.servers(changes_since=since)}
    assert cloud.run("server", "list", "--changes-since", "yesterday", check=False).returncode != 0


def test_figures(cloud):
    run, admin = cloud.run, cloud.admin_env
    assert cloud.sdk.compute.get_limits().absolute.instances_used >= 0
    zones = run("availability", "zone", "list", "--compute")
    assert zones and all(z["Zone Status"] == "available" for z in zones)
    assert {h["State"] for h in run("hypervisor", "list", env=admin)} == {"up"}
    assert {s["Binary"] for s in run("compute", "service", "list", env=admin)} == {"nova-compute"}
    quota = f"/os-quota-sets/{cloud.sdk.current_project_id}"
    assert cloud.admin.compute.put(quota, json={"quota_set": {"instances": 7}}).status_code == 200
    assert cloud.sdk.compute.put(quota, json={"quota_set": {"instances": 9}}).status_code == 403
    assert cloud.admin.compute.get_quota_set(cloud.sdk.current_project_id).instances == 7


def test_errors_as_programs_catch_them(cloud, image):
    compute = cloud.sdk.compute
    with pytest.raises(openstack.exceptions.ResourceNotFound):
        compute.get_server("11111111-2222-3333-4444-555555555555")
    with pytest.raises(openstack.exceptions.BadRequestException):
        compute.create_server(name="x", image_id=image, flavor_id="huge", networks="auto")
    server = make(cloud, image, "still")
    with pytest.raises(openstack.exceptions.ConflictException):
        compute.resume_server(server)
    compute.delete_server(server)


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", __file__, *sys.argv[1:]]))

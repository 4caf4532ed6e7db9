#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/openstack/volume src/engine/storage
"""Volumes through the stock openstack command and openstacksdk: created, extended, snapshotted, copied, uploaded, deleted; types; compared with EC2."""
import json
import os
import re
import sys

import novaclient.client
import openstack
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import warm  # noqa: E402
from cloud import admin  # noqa: E402
from dev import Dev  # noqa: E402
import waiting  # noqa: E402


class Cloud:
    def __init__(self, dev):
        self.dev = dev
        self.env = dict(re.findall(r"(OS_\w+)=(\S+)", dev.banner))
        password = re.search(r'"admin" with the password (\S+)', dev.banner).group(1)
        self.admin_env = {**self.env, "OS_USERNAME": "admin", "OS_PROJECT_NAME": "admin", "OS_PROJECT_ID": "", "OS_PASSWORD": password}
        self.sdk = openstack.connect(
            auth_url=self.env["OS_AUTH_URL"], username=self.env["OS_USERNAME"], password=self.env["OS_PASSWORD"],
            project_name=self.env["OS_PROJECT_NAME"], user_domain_name="Default", project_domain_name="Default",
            region_name=self.env["OS_REGION_NAME"], identity_api_version="3")

    def run(self, *argv, check=True, silent=False, env=None):
        done = warm.run(["/usr/bin/openstack", *argv, *([] if silent else ["-f", "json"])],
                        {**os.environ, **(env or self.env)})
        assert not check or done.returncode == 0, f"{argv}: {done.stderr}"
        return done if not check else None if silent else json.loads(done.stdout)

    def until(self, what, holds):
        value = []

        def look():
            value[:] = [what()]
            return holds(value[0])
        waiting.wait_until(look, "what is to be", shows=lambda: value)
        return value[0]

    def volume(self, volume, status="available"):
        return self.until(lambda: self.sdk.block_storage.get_volume(volume), lambda v: v.status == status)


@pytest.fixture(scope="module")
def cloud():
    with Dev() as dev:
        yield Cloud(dev)


def test_command(cloud):
    volume = cloud.run("volume", "create", "--size", "2", "--description", "words", "--property", "k=v", "mine")["id"]
    assert cloud.volume(volume).size == 2
    assert [v["Name"] for v in cloud.run("volume", "list")] == ["mine"]
    cloud.run("volume", "set", "--name", "other", "--size", "3", volume, silent=True)
    cloud.until(lambda: cloud.sdk.block_storage.get_volume(volume), lambda v: v.size == 3 and v.status == "available")
    shown = cloud.run("volume", "show", "other")
    assert shown["description"] == "words" and shown["properties"] == {"k": "v"} and shown["bootable"] == "false"
    cloud.run("volume", "set", "--bootable", volume, silent=True)
    assert cloud.run("volume", "show", volume)["bootable"] == "true"
    snapshot = cloud.run("volume", "snapshot", "create", "--volume", volume, "moment")["id"]
    cloud.until(lambda: cloud.sdk.block_storage.get_snapshot(snapshot), lambda s: s.status == "available")
    assert [s["Name"] for s in cloud.run("volume", "snapshot", "list")] == ["moment"]
    assert cloud.run("volume", "delete", volume, check=False).returncode != 0  # it has a snapshot
    copy = cloud.run("volume", "create", "--snapshot", snapshot, "--size", "4", "copy")["id"]
    cloud.volume(copy)
    seen = cloud.dev.account.client().describe_volumes()["Volumes"]
    assert sorted(v["Size"] for v in seen) == [3, 4]
    cloud.run("volume", "delete", copy, silent=True)
    cloud.run("volume", "snapshot", "delete", snapshot, silent=True)
    cloud.run("volume", "delete", volume, silent=True)
    cloud.until(lambda: cloud.run("volume", "list"), lambda v: not v)


def test_types(cloud):
    assert "__DEFAULT__" in [t["Name"] for t in cloud.run("volume", "type", "list")]
    assert cloud.run("volume", "type", "create", "mine", check=False).returncode != 0
    made = cloud.run("volume", "type", "create", "--property", "vendor_name=Open Source", "--property", "mine:a=1", "fast",
                     env=cloud.admin_env)
    assert made["name"] == "fast" and made["properties"] == {"vendor_name": "Open Source", "mine:a": "1"}
    volume = cloud.run("volume", "create", "--size", "1", "--type", "fast", "typed")["id"]
    cloud.volume(volume)
    assert cloud.run("volume", "show", volume)["type"] == "fast"
    cloud.run("volume", "delete", volume, silent=True)
    cloud.until(lambda: cloud.dev.account.client().describe_volumes()["Volumes"], lambda v: not v)
    cloud.until(lambda: cloud.run("volume", "type", "delete", "fast", silent=True, check=False, env=cloud.admin_env).returncode,
                lambda code: code == 0)


def test_encrypted_types(cloud):
    """Volumes of an encrypted type are encrypted, in EC2, too; the encryption cannot change while there are any."""
    said = "--encryption-provider luks --encryption-cipher aes-xts-plain64 --encryption-key-size 256 --encryption-control-location front-end".split()
    made = cloud.run("volume", "type", "create", *said, "sealed", env=cloud.admin_env)["id"]
    shown = cloud.run("volume", "type", "show", "--encryption-type", "sealed", env=cloud.admin_env)["encryption"]
    assert (shown["provider"], shown["cipher"], shown["key_size"], shown["control_location"]) == ("luks", "aes-xts-plain64", 256, "front-end")
    (listed,) = [t for t in cloud.run("volume", "type", "list", "--encryption-type", env=cloud.admin_env) if t["Name"] == "sealed"]
    assert listed["Encryption"]["provider"] == "luks"
    volume = cloud.run("volume", "create", "--size", "1", "--type", "sealed", "secret")["id"]
    cloud.volume(volume)
    assert cloud.run("volume", "show", volume)["encrypted"] is True
    (seen,) = cloud.dev.account.client().describe_volumes()["Volumes"]
    assert seen["Encrypted"] and seen["KmsKeyId"] and seen["VolumeType"] == "sealed"
    by = admin(cloud.dev)
    path = f"/volume/v3/types/{made}/encryption"
    again = by.call("POST", path, {"encryption": {"provider": "luks", "control_location": "front-end"}})
    assert again.status == 400 and "in use" in again.text
    assert by.call("DELETE", f"{path}/provider").status == 400
    cloud.run("volume", "delete", volume, silent=True)
    cloud.until(lambda: cloud.dev.account.client().describe_volumes()["Volumes"], lambda v: not v)
    cloud.until(lambda: by.call("PUT", f"{path}/provider", {"encryption": {"cipher": None, "key_size": "256"}}).status, lambda status: status == 200)
    assert by.ok("GET", path)["cipher"] is None and by.ok("GET", f"{path}/key_size") == {"key_size": 256}
    for words in ({"cipher": "aes-cbc-essiv"}, {"key_size": 512}, {"provider": "plain"}, {"control_location": "back-end"}):
        assert by.call("PUT", f"{path}/provider", {"encryption": words}).status == 200, words
        assert {k: by.ok("GET", path)[k] for k in words} == words
        assert by.call("POST", "/volume/v3/volumes", {"volume": {"size": 1, "volume_type": "sealed"}}).status == 400, words
    cloud.run("volume", "type", "unset", "--encryption-type", "sealed", silent=True, env=cloud.admin_env)
    assert by.ok("GET", path) == {} and by.call("GET", f"{path}/provider").status == 404
    assert by.call("DELETE", f"{path}/provider").status == 404
    cloud.run("volume", "type", "delete", "sealed", silent=True, env=cloud.admin_env)


def test_transfer(cloud):
    """To the administrator's project, with its snapshot; the first owner no longer sees either, in both faces."""
    volume = cloud.run("volume", "create", "--size", "1", "given")["id"]
    cloud.volume(volume)
    snapshot = cloud.run("volume", "snapshot", "create", "--volume", volume, "along")["id"]
    cloud.until(lambda: cloud.sdk.block_storage.get_snapshot(snapshot), lambda s: s.status == "available")
    offer = cloud.run("volume", "transfer", "request", "create", "--name", "gift", volume)
    assert cloud.volume(volume, "awaiting-transfer")
    assert [t["ID"] for t in cloud.run("volume", "transfer", "request", "list")] == [offer["id"]]
    assert "auth_key" not in cloud.run("volume", "transfer", "request", "show", offer["id"])
    wrong = cloud.run("volume", "transfer", "request", "accept", "--auth-key", "guess", offer["id"], check=False, env=cloud.admin_env)
    assert wrong.returncode != 0 and "auth key" in wrong.stderr
    taken = cloud.run("volume", "transfer", "request", "accept", "--auth-key", offer["auth_key"], offer["id"], env=cloud.admin_env)
    assert taken["volume_id"] == volume
    assert volume not in [v["ID"] for v in cloud.run("volume", "list")]
    ec2 = cloud.dev.account.client()
    ours = {"Name": "owner-id", "Values": ["self"]}
    assert not [v for v in ec2.describe_volumes()["Volumes"] if v["VolumeId"][4:] in volume.replace("-", "")]
    assert not [s for s in ec2.describe_snapshots(Filters=[ours])["Snapshots"] if s["SnapshotId"][5:] in snapshot.replace("-", "")]
    assert volume in [v["ID"] for v in cloud.run("volume", "list", env=cloud.admin_env)]
    cloud.run("volume", "snapshot", "delete", snapshot, silent=True, env=cloud.admin_env)
    cloud.run("volume", "delete", volume, silent=True, env=cloud.admin_env)
    back = cloud.run("volume", "create", "--size", "1", "kept")["id"]
    cloud.volume(back)
    offer = cloud.run("volume", "transfer", "request", "create", back)
    cloud.run("volume", "transfer", "request", "delete", offer["id"], silent=True)
    cloud.volume(back)
    cloud.run("volume", "delete", back, silent=True)


def test_qos(cloud):
    """QoS specs, created by the command for a type, changed, and deletable only when no type uses them."""
    def run(*argv, **how):
        return cloud.run("volume", "qos", *argv, env=cloud.admin_env, **how)

    made = run("create", "--consumer", "front-end", "--property", "total_iops_sec=500", "slow")
    assert made["consumer"] == "front-end" and made["properties"] == {"total_iops_sec": "500"}
    assert run("create", "slow", check=False).returncode != 0
    assert cloud.run("volume", "qos", "list", check=False).returncode != 0  # for administrators
    run("set", "--property", "total_bytes_sec=1000", "slow", silent=True)
    run("unset", "--property", "total_iops_sec", "slow", silent=True)
    cloud.run("volume", "type", "create", "held", env=cloud.admin_env)
    run("associate", "slow", "held", silent=True)
    shown = run("show", "slow")
    assert shown["properties"] == {"total_bytes_sec": "1000"} and shown["associations"] == ["held"]
    by = admin(cloud.dev)
    assert [t["qos_specs_id"] for t in by.ok("GET", "/volume/v3/types")["volume_types"] if t["name"] == "held"] == [made["id"]]
    other = by.ok("POST", "/volume/v3/qos-specs", {"qos_specs": {"name": "other"}})["qos_specs"]
    assert other["consumer"] == "back-end"
    held = next(t["id"] for t in by.ok("GET", "/volume/v3/types")["volume_types"] if t["name"] == "held")
    assert by.call("GET", f"/volume/v3/qos-specs/{other['id']}/associate?vol_type_id={held}").status == 400
    assert by.call("PUT", f"/volume/v3/qos-specs/{other['id']}/delete_keys", {"keys": ["none"]}).status == 404
    assert by.call("POST", "/volume/v3/qos-specs", {"qos_specs": {"name": "third", "consumer": "me"}}).status == 400
    assert by.call("DELETE", f"/volume/v3/qos-specs/{made['id']}").status == 400
    run("disassociate", "--volume-type", "held", "slow", silent=True)
    for name in ("slow", "other"):
        run("delete", name, silent=True)
    cloud.run("volume", "type", "delete", "held", silent=True, env=cloud.admin_env)


def test_groups(cloud):
    """Created, filled, snapshotted, copied and deleted by the command; members of a group cannot be deleted separately."""
    late = ["--os-volume-api-version", "3.70"]
    by, newest = cloud.sdk.block_storage, {"microversion": "3.70"}

    def run(*argv, **how):
        return cloud.run(*late, "volume", *argv, **how)

    def until(kind, identifier, status="available"):
        cloud.until(lambda: by.get(f"/{kind}s/{identifier}", **newest).json()[kind], lambda shown: shown["status"] == status)

    run("group", "type", "create", "joint", env=cloud.admin_env)
    run("group", "type", "set", "--property", "a=1", "joint", silent=True, env=cloud.admin_env)
    assert [t["Properties"] for t in run("group", "type", "list", env=cloud.admin_env)] == [{"a": "1"}]
    group = run("group", "create", "--name", "first", "joint", "gp3")["ID"]
    until("group", group)
    volume = cloud.run("volume", "create", "--size", "1", "--type", "gp3", "member")["id"]
    cloud.volume(volume)
    assert by.put(f"/groups/{group}", json={"group": {"add_volumes": volume}}, **newest).status_code == 202
    assert by.get(f"/volumes/{volume}", **newest).json()["volume"]["group_id"] == group
    again = by.put(f"/groups/{group}", json={"group": {"add_volumes": volume}}, **newest)
    assert again.status_code == 400 and "Cannot update group" in again.text
    assert cloud.run("volume", "delete", volume, check=False).returncode != 0
    snapshot = run("group", "snapshot", "create", "--name", "both", group)["ID"]
    until("group_snapshot", snapshot)
    copy = by.post("/groups/action", json={"create-from-src": {"source_group_id": group}}, **newest).json()["group"]["id"]
    until("group", copy)
    for status in ("error", "available"):
        path = f"/groups/{copy}/action"
        assert by.post(path, json={"reset_status": {"status": status}}, **newest).status_code == 403
        assert admin(cloud.dev).call("POST", f"/volume/v3{path}", {"reset_status": {"status": status}}, version="volume 3.70").status == 202
        until("group", copy, status)
    run("group", "snapshot", "delete", snapshot, silent=True)
    assert by.put(f"/groups/{group}", json={"group": {"remove_volumes": volume}}, **newest).status_code == 202
    run("group", "delete", group, silent=True)
    run("group", "delete", "--force", copy, silent=True)
    cloud.until(lambda: by.delete(f"/volumes/{volume}").status_code, lambda status: status == 202)
    cloud.until(lambda: cloud.dev.account.client().describe_volumes()["Volumes"], lambda v: not v)
    run("group", "type", "delete", "joint", silent=True, env=cloud.admin_env)


def test_attachments(cloud):
    """Reserved for a server, attached to it, detached, by Cinder's own calls; the server's volumes agree."""
    late = [*"--os-volume-api-version 3.70".split()]
    image = next(cloud.sdk.image.images())
    server = cloud.sdk.compute.create_server(name="host", image_id=image.id, flavor_id="t3.micro", networks="auto")
    server = cloud.sdk.compute.wait_for_server(server, wait=20)
    zone = cloud.sdk.compute.get_server(server.id).availability_zone
    volume = cloud.run("volume", "create", "--size", "1", "--availability-zone", zone, "reserved")["id"]
    cloud.volume(volume)
    made = cloud.run(*late, "volume", "attachment", "create", volume, server.id)
    assert made["Status"] == "reserved" and made["Instance ID"] == server.id
    cloud.volume(volume, "reserved")
    cloud.run(*late, "volume", "attachment", "complete", made["ID"], silent=True)
    cloud.volume(volume, "in-use")
    assert [a.volume_id for a in cloud.sdk.compute.volume_attachments(server)] == [volume]
    cloud.run(*late, "volume", "set", "--size", "2", volume, silent=True)
    cloud.volume(volume, "in-use")
    path = f"/servers/{server.id}/os-instance-actions"
    (grown,) = [a["request_id"] for a in cloud.sdk.compute.get(path).json()["instanceActions"] if a["action"] == "extend_volume"]
    assert [e["event"] for e in cloud.sdk.compute.get(f"{path}/{grown}").json()["instanceAction"]["events"]] == ["compute_extend_volume"]
    listed = cloud.run(*late, "volume", "attachment", "list")
    assert {a["Volume ID"]: a["Status"] for a in listed}[volume] == "attached"
    cloud.run(*late, "volume", "attachment", "delete", made["ID"], silent=True)
    cloud.volume(volume)
    cloud.run("volume", "delete", volume, silent=True)
    cloud.sdk.compute.delete_server(server)


def test_swap(cloud):
    """Replaces an attached volume by another, with novaclient's `volume-update`; openstacksdk waits for it."""
    image = next(cloud.sdk.image.images())
    server = cloud.sdk.compute.create_server(name="swaps", image_id=image.id, flavor_id="t3.micro", networks="auto")
    server = cloud.sdk.compute.wait_for_server(server, wait=20)
    zone = cloud.sdk.compute.get_server(server.id).availability_zone
    old, new = (cloud.run("volume", "create", "--size", "1", "--availability-zone", zone, name)["id"] for name in ("old", "new"))
    for volume in (old, new):
        cloud.volume(volume)
    cloud.sdk.compute.create_volume_attachment(server, volume_id=old)
    cloud.volume(old, "in-use")
    by = admin(cloud.dev)
    session = openstack.connect(auth_url=cloud.env["OS_AUTH_URL"], username=by.user, password=by.password, project_name=by.name,
                                user_domain_name="Default", project_domain_name="Default", identity_api_version="3").session
    nova = novaclient.client.Client("2.89", session=session, region_name=cloud.env["OS_REGION_NAME"])
    nova.volumes.update_server_volume(server.id, old, new)
    cloud.volume(new, "in-use")
    cloud.volume(old)
    (attached,) = cloud.sdk.compute.volume_attachments(server)
    assert (attached.volume_id, attached.device) == (new, "/dev/vdb")
    actions = cloud.sdk.compute.get(f"/servers/{server.id}/os-instance-actions").json()["instanceActions"]
    assert "swap_volume" in [a["action"] for a in actions]
    cloud.sdk.compute.delete_server(server)
    cloud.until(lambda: cloud.sdk.block_storage.get_volume(new), lambda v: v.status == "available")
    for volume in (old, new):
        cloud.run("volume", "delete", volume, silent=True)


def test_revert(cloud):
    volume = cloud.run("volume", "create", "--size", "1", "again")["id"]
    cloud.volume(volume)
    snapshot = cloud.run("volume", "snapshot", "create", "--volume", volume, "moment")["id"]
    cloud.until(lambda: cloud.sdk.block_storage.get_snapshot(snapshot), lambda s: s.status == "available")
    answer = cloud.sdk.block_storage.post(f"/volumes/{volume}/action", json={"revert": {"snapshot_id": snapshot}}, microversion="3.40")
    assert answer.status_code == 202
    cloud.until(lambda: cloud.run("volume", "show", volume), lambda v: v["status"] == "available" and v["snapshot_id"] == snapshot)
    cloud.run("volume", "snapshot", "delete", snapshot, silent=True)
    cloud.run("volume", "delete", volume, silent=True)


def test_quotas_of_types(cloud):
    """`openstack quota set --volume-type` limits the volumes, gigabytes and snapshots of one type."""
    def quota(*words):
        cloud.run("quota", "set", *words, "dev", silent=True, env=cloud.admin_env)

    quota("--volumes", "1", "--volume-type", "gp3")
    volume = cloud.run("volume", "create", "--size", "1", "--type", "gp3", "first")["id"]
    cloud.volume(volume)
    refused = cloud.run("volume", "create", "--size", "1", "--type", "gp3", "second", check=False)
    assert "exceeded for quota 'volumes_gp3'" in refused.stderr
    shown = cloud.run("quota", "show", "dev", env=cloud.admin_env)
    assert shown["volumes_gp3"] == 1
    quota("--volumes", "-1", "--gigabytes", "1", "--volume-type", "gp3")
    refused = cloud.run("volume", "snapshot", "create", "--volume", volume, "moment", check=False)
    assert "exceeds allowed gigabytes_gp3 quota. Requested 1G, quota is 1G and 1G has been consumed." in refused.stderr
    quota("--gigabytes", "-1", "--snapshots", "0", "--volume-type", "gp3")
    refused = cloud.run("volume", "snapshot", "create", "--volume", volume, "moment", check=False)
    assert "Maximum number of snapshots allowed (0) exceeded" in refused.stderr
    by = admin(cloud.dev)
    (project,) = by.ok("GET", "/identity/v3/projects?name=dev")["projects"]
    assert by.call("DELETE", f"/volume/v3/os-quota-sets/{project['id']}").status in (200, 204)
    snapshot = cloud.run("volume", "snapshot", "create", "--volume", volume, "moment")["id"]
    cloud.until(lambda: cloud.sdk.block_storage.get_snapshot(snapshot), lambda s: s.status == "available")
    cloud.run("volume", "snapshot", "delete", snapshot, silent=True)
    cloud.run("volume", "delete", volume, silent=True)


def test_storage_pool(cloud):
    """The operator's pool is one of Cinder's; a type names it as in Cinder, before it exists or later."""
    by = admin(cloud.dev)
    cloud.run("volume", "type", "create", "--property", "volume_backend_name=nfs", "kept", env=cloud.admin_env)
    nowhere = cloud.run("volume", "create", "--size", "1", "--type", "kept", "nowhere")["id"]
    cloud.volume(nowhere, "error")
    late = [*"--os-volume-api-version 3.70".split()]
    (message,) = cloud.run(*late, "volume", "message", "list")
    assert message["Event ID"] == "VOLUME_VOLUME_001_003" and "nfs" in message["User Message"]
    cloud.run(*late, "volume", "message", "delete", message["ID"], silent=True)
    assert cloud.run(*late, "volume", "message", "list") == []
    cloud.run("volume", "delete", nowhere, silent=True)
    cloud.dev.command("pool", "add", "nfs", "--path", "/srv/nfs")
    pools = by.ok("GET", "/volume/v3/scheduler-stats/get_pools?detail=true")["pools"]
    assert [p["capabilities"]["volume_backend_name"] for p in pools if p["name"] == "dari@nfs#nfs"] == ["nfs"]
    listed = cloud.until(lambda: cloud.dev.command("pool", "list")[0], lambda p: {h["state"] for h in p["hosts"]} == {"proven"})
    assert listed["types"] == ["kept"]
    volume = cloud.run("volume", "create", "--size", "1", "--type", "kept", "there")["id"]
    cloud.volume(volume)
    shown = cloud.run("volume", "show", volume, env=cloud.admin_env)
    assert shown["os-vol-host-attr:host"] == "dari@nfs#nfs"
    cloud.run("volume", "delete", volume, silent=True)


def test_around(cloud):
    """The command's other calls of Cinder."""
    late = [*"--os-volume-api-version 3.70".split()]
    services = cloud.run("volume", "service", "list", env=cloud.admin_env)
    assert services and {s["Binary"] for s in services} == {"cinder-volume", "cinder-backup"}
    host = next(s["Host"] for s in services if s["Binary"] == "cinder-volume")
    cloud.run("volume", "service", "set", "--disable", host, "cinder-volume", silent=True, env=cloud.admin_env)
    assert {s["Host"]: s["Status"] for s in cloud.run("volume", "service", "list", env=cloud.admin_env)}[host] == "disabled"
    cloud.run("volume", "service", "set", "--enable", host, "cinder-volume", silent=True, env=cloud.admin_env)
    assert f"{host}#dari" in [p["name"] for p in admin(cloud.dev).ok("GET", "/volume/v3/scheduler-stats/get_pools")["pools"]]
    assert cloud.run(*late, "volume", "message", "list") == []
    assert "volume" in [f["Resource"] for f in cloud.run(*late, "block", "storage", "resource", "filter", "list")]
    assert cloud.run("volume", "backup", "list") == []
    refused = cloud.run("volume", "backup", "create", "none", check=False)
    assert refused.returncode != 0
    assert cloud.run("volume", "type", "list", "--encryption-type", env=cloud.admin_env)


def test_types_of_images_and_unknown_members(cloud):
    """cinder_img_volume_type of an image chooses the volume type; up to 3.52 Cinder ignores members of a new volume that it does not know."""
    cloud.run("volume", "type", "create", "of-image", env=cloud.admin_env)
    image = cloud.sdk.image.create_image(name="typed", data=bytes(4096), container_format="bare", disk_format="raw", cinder_img_volume_type="of-image")
    volume = cloud.sdk.block_storage.create_volume(name="typed", size=1, image_id=image.id)
    assert volume.volume_type == "of-image"
    misspelt = {"volume": {"size": 1, "'snapshot_id": "none"}}
    answers = {minor: cloud.sdk.block_storage.post("/volumes", json=misspelt, microversion=f"3.{minor}") for minor in (52, 53)}
    assert {minor: answer.status_code for minor, answer in answers.items()} == {52: 202, 53: 400}
    for made in (volume.id, answers[52].json()["volume"]["id"]):
        cloud.volume(made)
        cloud.sdk.block_storage.delete_volume(made)


def test_sdk(cloud):
    image = next(cloud.sdk.image.images())
    volume = cloud.sdk.block_storage.create_volume(name="root", size=image.min_disk or 10, image_id=image.id)
    made = cloud.volume(volume.id)
    assert made.is_bootable
    copy = cloud.volume(cloud.sdk.block_storage.create_volume(name="copy", size=made.size, source_volume_id=made.id).id)
    assert copy.is_bootable and copy.size == made.size
    cloud.sdk.block_storage.upload_volume_to_image(copy.id, "uploaded")
    cloud.sdk.block_storage.upload_volume_to_image(copy.id, "for another cloud", disk_format="vmdk")
    for name, form in [("uploaded", "raw"), ("for another cloud", "vmdk")]:
        uploaded = cloud.until(lambda n=name: cloud.sdk.image.find_image(n), lambda i: i.status == "active")
        data = cloud.sdk.image.download_image(uploaded).content  # download_image also compares the checksum
        assert (uploaded.disk_format, uploaded.size) == (form, len(data))
    limits = cloud.sdk.block_storage.get_limits()
    assert limits.absolute.total_volumes_used >= 2
    for v in (made, copy):
        cloud.sdk.block_storage.delete_volume(v.id)
    for v in (made, copy):
        waiting.wait_until(lambda gone=v.id: cloud.sdk.block_storage.find_volume(gone) is None, "the volume is gone")


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:], __file__]))

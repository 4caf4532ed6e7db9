#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/openstack/volume src/drivers/backup_ src/reconcile/backup
"""Backups of volumes through the stock openstack command and openstacksdk: full and incremental, restored to a new volume and to an existing one,
refused with Cinder's errors, exported and imported by another region with the same target."""
import base64
import glob
import json
import os
import re
import shutil
import sys

import openstack
import openstack.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import warm  # noqa: E402
from dev import Dev  # noqa: E402
import waiting  # noqa: E402


class Cloud:
    def __init__(self, *options):
        self.dev = Dev(*options)
        self.env = dict(re.findall(r"(OS_\w+)=(\S+)", self.dev.banner))
        self.password = re.search(r'"admin" with the password (\S+)', self.dev.banner).group(1)
        self.sdk = self.connect(self.env["OS_USERNAME"], self.env["OS_PASSWORD"], self.env["OS_PROJECT_NAME"])
        self.admin = self.connect("admin", self.password, "admin")
        self.backups = os.path.join(os.path.dirname(self.dev.config), "backups")

    def connect(self, user, password, project):
        return openstack.connect(
            auth_url=self.env["OS_AUTH_URL"], username=user, password=password, project_name=project,
            user_domain_name="Default", project_domain_name="Default", region_name=self.env["OS_REGION_NAME"],
            identity_api_version="3", block_storage_default_microversion="3.64")

    def run(self, *argv, check=True):
        form = [] if argv[2] in ("delete", "set") or "delete" in argv[:4] or "set" in argv[:4] else ["-f", "json"]
        done = warm.run(["/usr/bin/openstack", "--os-volume-api-version", "3.43", *argv, *form],
                        {**os.environ, **self.env})
        assert not check or done.returncode == 0, f"{argv}: {done.stderr}"
        return done if not check else json.loads(done.stdout) if done.stdout.strip() else None

    def wait(self, what, is_so):
        """The object, once the condition holds."""
        shown = []

        def look():
            shown[:] = [what()]
            return is_so(shown[0])
        waiting.wait_until(look, "what is to be", shows=lambda: shown, every_s=0.05)
        return shown[0]

    def backup(self, backup_id):
        return self.sdk.block_storage.get_backup(backup_id)

    def volume(self, volume_id):
        return self.sdk.block_storage.get_volume(volume_id)

    def ready(self, volume_id):
        return self.wait(lambda: self.volume(volume_id), lambda v: v.status == "available")

    def written(self, backup_id):
        return self.wait(lambda: self.backup(backup_id), lambda b: b.status != "creating")


@pytest.fixture(scope="module")
def cloud():
    c = Cloud()
    with c.dev:
        yield c


@pytest.fixture(scope="module")
def disk(cloud):
    return cloud.ready(cloud.sdk.block_storage.create_volume(size=1, name="disk").id)


def refused(status, words, do, *args, **kwargs):
    with pytest.raises(openstack.exceptions.HttpException) as told:
        do(*args, **kwargs)
    assert told.value.status_code == status and words in str(told.value.details or told.value), told.value


def restore(api, backup_id, volume_id=None):
    answer = api.post(f"/backups/{backup_id}/restore", json={"restore": {"volume_id": volume_id}})
    assert answer.status_code == 202, answer.text
    return answer.json()["restore"]


def test_the_stock_command(cloud, disk):
    """The client's manual: create, list, show, set, incremental, restore, delete."""
    run = cloud.run
    full = run("volume", "backup", "create", "disk", "--name", "full", "--description", "d")
    assert full["name"] == "full"
    shown = cloud.written(full["id"])
    assert (shown.status, shown.size, shown.is_incremental, shown.container) == ("available", 1, False, "volumebackups")
    assert shown.object_count >= 1 and not shown.fail_reason and shown.volume_id == disk.id
    assert [b["Name"] for b in run("volume", "backup", "list")] == ["full"]
    run("volume", "backup", "set", full["id"], "--name", "first", "--description", "e")
    assert run("volume", "backup", "show", "first")["description"] == "e"
    more = run("volume", "backup", "create", "disk", "--name", "more", "--incremental")
    shown = cloud.written(more["id"])
    assert (shown.status, shown.is_incremental) == ("available", True)
    assert cloud.backup(full["id"]).has_dependent_backups
    done = run("volume", "backup", "delete", "first", check=False)
    assert done.returncode and "Incremental backups exist for this backup." in done.stderr
    run("volume", "backup", "restore", "more", "again", check=False)  # Debian 12's client cannot print the answer
    (again,) = [v for v in cloud.sdk.block_storage.volumes() if v.name == "again"]
    assert cloud.ready(again.id).size == 1
    cloud.wait(lambda: cloud.backup(more["id"]), lambda b: b.status == "available")
    run("volume", "backup", "delete", "more")
    cloud.wait(lambda: run("volume", "backup", "list"), lambda rows: [b["Name"] for b in rows] == ["first"])
    run("volume", "backup", "delete", "first")
    cloud.wait(lambda: run("volume", "backup", "list"), lambda rows: rows == [])


def test_of_another_project(cloud, disk):
    """An administrator's backup belongs to the administrator's project, and so does its chain."""
    own, theirs = cloud.sdk.block_storage, cloud.admin.block_storage
    with pytest.raises(openstack.exceptions.BadRequestException, match="No backups available"):
        theirs.create_backup(volume_id=disk.id, is_incremental=True)
    foreign = theirs.create_backup(volume_id=disk.id, name="foreign")
    cloud.wait(lambda: theirs.get_backup(foreign.id), lambda b: b.status == "available")
    assert foreign.id not in [b.id for b in own.backups()]
    with pytest.raises(openstack.exceptions.BadRequestException, match="No backups available"):
        own.create_backup(volume_id=disk.id, is_incremental=True)
    theirs.delete_backup(foreign)


def test_into_a_volume(cloud, disk):
    api = cloud.sdk.block_storage
    backup = api.create_backup(volume_id=disk.id, name="b", metadata={"a": "b"})
    assert cloud.written(backup.id).metadata == {"a": "b"}
    other = cloud.ready(api.create_volume(size=2, name="other").id)
    assert restore(api, backup.id, other.id) == {"backup_id": backup.id, "volume_id": other.id, "volume_name": "other"}
    after = cloud.ready(other.id)
    assert after.size == 2
    small = cloud.written(api.create_backup(volume_id=other.id).id)
    refused(400, "is too small to restore backup of size 2", api.restore_backup, small.id, volume_id=disk.id)
    for each in (backup.id, small.id):
        cloud.wait(lambda each=each: cloud.backup(each), lambda b: b.status == "available")
        api.delete_backup(each)


def test_of_a_snapshot_and_of_one_in_use(cloud, disk):
    api = cloud.sdk.block_storage
    fresh = cloud.ready(api.create_volume(size=1).id)
    refused(400, "No backups available to do an incremental backup.", api.create_backup, volume_id=fresh.id,
            is_incremental=True)
    snapshot = api.create_snapshot(volume_id=disk.id, name="s")
    cloud.wait(lambda: api.get_snapshot(snapshot.id), lambda s: s.status == "available")
    backup = cloud.written(api.create_backup(volume_id=disk.id, snapshot_id=snapshot.id, name="of").id)
    assert (backup.status, backup.snapshot_id) == ("available", snapshot.id)
    refused(400, "does not match with snapshot.volume_id", api.create_backup,
            volume_id=fresh.id, snapshot_id=snapshot.id)
    refused(404, "could not be found", api.create_backup, volume_id="00000000-dead-4bee-8f00-000000000000")
    refused(400, "container", api.create_backup, volume_id=disk.id, container="../elsewhere")
    refused(400, "container", api.create_backup, volume_id=disk.id, container="regions")
    api.delete_backup(backup.id)
    api.delete_snapshot(snapshot.id)


def test_services_and_quotas(cloud):
    services = {s["binary"]: s for s in cloud.admin.block_storage.get("/os-services").json()["services"]}
    assert services["cinder-backup"]["state"] == "up"
    api = cloud.sdk.block_storage
    count = len(cloud.wait(lambda: list(api.backups()), lambda found: all(b.status != "deleting" for b in found)))
    assert api.get("/limits").json()["limits"]["absolute"]["totalBackupsUsed"] == count


def test_a_quota(cloud, disk):
    """Cinder's quotas, and its error when they are used up."""
    project = cloud.sdk.current_project_id
    quota = f"/os-quota-sets/{project}"
    admin = cloud.admin.block_storage
    assert admin.put(quota, json={"quota_set": {"backups": 0}}).status_code == 200
    try:
        refused(413, "", cloud.sdk.block_storage.create_backup, volume_id=disk.id)
    finally:
        admin.put(quota, json={"quota_set": {"backups": -1}})


def record_of(cloud, backup_id):
    answer = cloud.admin.block_storage.get(f"/backups/{backup_id}/export_record")
    assert answer.status_code == 200, answer.text
    return answer.json()["backup-record"]


def import_record(cloud, record, status=201):
    answer = cloud.admin.block_storage.post("/backups/import_record", json={"backup-record": record})
    assert answer.status_code == status, answer.text
    return answer.json()["backup"]["id"] if status == 201 else answer.text


def test_another_region_takes_it_in(cloud, disk):
    """With a full and an incremental backup: the target's objects and two records suffice."""
    api = cloud.sdk.block_storage
    full = cloud.written(api.create_backup(volume_id=disk.id, name="full").id)
    more = cloud.written(api.create_backup(volume_id=disk.id, name="more", is_incremental=True).id)
    records = [record_of(cloud, b.id) for b in (full, more)]
    assert "already exists" in import_record(cloud, records[0], status=400)
    there = Cloud()
    with there.dev:
        shutil.copytree(cloud.backups, there.backups, dirs_exist_ok=True)
        for record, b in zip(records, (full, more)):
            assert import_record(there, record) == b.id
            shown = there.wait(lambda b=b: there.admin.block_storage.get_backup(b.id), lambda b: b.status != "creating")
            assert (shown.status, shown.name, shown.volume_id) == ("available", b.name, "00000000-0000-0000-0000-000000000000")
        refused(400, "Incremental backups exist", there.admin.block_storage.delete_backup, full.id)
        restored = restore(there.admin.block_storage, more.id)["volume_id"]
        volume = there.wait(lambda: there.admin.block_storage.get_volume(restored),
                            lambda v: v.status != "restoring-backup")
        assert (volume.status, volume.name) == ("available", f"restore_backup_{more.id}")
    lost = json.loads(base64.b64decode(records[0]["backup_url"]))
    lost["id"] = "00000000-dead-4bee-8f00-000000000000"
    text = base64.b64encode(json.dumps(lost).encode()).decode()
    assert import_record(cloud, {"backup_service": "dari", "backup_url": text}) == lost["id"]
    shown = cloud.wait(lambda: cloud.admin.block_storage.get_backup(lost["id"]), lambda b: b.status != "creating")
    assert shown.status == "error" and shown.fail_reason
    cloud.admin.block_storage.delete_backup(lost["id"])
    assert "Service tape could not be found" in import_record(
        cloud, {"backup_service": "tape", "backup_url": text}, status=503)
    assert "record" in import_record(cloud, {"backup_service": "dari", "backup_url": "e30="}, status=400)
    api.delete_backup(more.id)
    cloud.wait(lambda: [b.id for b in api.backups()], lambda ids: more.id not in ids)
    api.delete_backup(full.id)


def test_what_is_damaged_is_said(cloud, disk):
    """A damaged chunk: the volume is error_restoring, and can be deleted; the backup stays."""
    api = cloud.sdk.block_storage
    backup = cloud.written(api.create_backup(volume_id=disk.id).id)
    chunks = [p for p in glob.glob(f"{cloud.backups}/*/{backup.id}/*") if not p.endswith(".json")]
    assert chunks
    with open(chunks[0], "r+b") as f:
        f.write(b"damaged!")
    restored = restore(api, backup.id)["volume_id"]
    shown = cloud.wait(lambda: cloud.volume(restored), lambda v: v.status != "restoring-backup")
    assert shown.status == "error_restoring"
    api.delete_volume(restored)
    assert cloud.wait(lambda: cloud.backup(backup.id), lambda b: b.status != "restoring").status == "available"
    other = cloud.ready(api.create_volume(size=1).id)
    api.restore_backup(backup.id, volume_id=other.id)
    cloud.wait(lambda: cloud.volume(other.id), lambda v: v.status == "error_restoring")
    api.delete_volume(other.id)
    admin = cloud.admin.block_storage
    for status in ("error", "available"):
        answer = admin.post(f"/backups/{backup.id}/action", json={"os-reset_status": {"status": status}})
        assert answer.status_code == 202, answer.text
        assert cloud.backup(backup.id).status == status
    answer = admin.post(f"/backups/{backup.id}/action", json={"os-force_delete": {}})
    assert answer.status_code == 202, answer.text
    cloud.wait(lambda: glob.glob(f"{cloud.backups}/*/{backup.id}"), lambda left: not left)


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

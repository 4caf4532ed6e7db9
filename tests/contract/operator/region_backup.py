#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/daemon/backup tools/units/dari-backup src/store/sqlite_damage.c src/drivers/backup_
"""`dari backup` and `dari restore`: a running region is copied, restored elsewhere, and is the same one there: rows, secrets, attachments. A backup that
lacks something or was changed is refused, and a restore writes over nothing."""
import base64
import glob
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import DARI, Dev  # noqa: E402
from backups import Place, restored, short_folder  # noqa: E402

ATTACHMENT = b"what the machine said\n" * 100


@pytest.fixture(name="tmp_path")
def short_path():
    with short_folder() as folder:
        yield pathlib.Path(folder)


@pytest.fixture(scope="module")
def place():
    with short_folder() as folder:
        yield from filled(Place(pathlib.Path(folder)))


def filled(p):
    ec2, support, iam = (p.dev.account.client(service) for service in ("ec2", "support", "iam"))
    iam.create_user(UserName="reader")
    iam.attach_user_policy(UserName="reader", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")  # has no row
    ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=[{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": "kept"}]}])
    attached = support.add_attachments_to_set(attachments=[{"fileName": "log.txt", "data": ATTACHMENT}])["attachmentSetId"]
    p.case = support.create_case(subject="It stops", communicationBody="See the file.", attachmentSetId=attached)["caseId"]
    p.dev.rest()
    with p.dev:
        yield p


def test_restored_elsewhere(place, tmp_path):
    made = place.make()
    assert made["sealed"] and made["rows"] > 100 and made["commit"] > 0
    done = place.restore(tmp_path, "--key", place.key)
    assert done.returncode == 0, done.stderr
    assert f"{made['rows']} rows at commit {made['commit']}" in done.stdout and "dari audit" in done.stdout
    assert os.stat(f"{tmp_path}{place.data}/master.key").st_mode & 0o777 == 0o600
    assert os.stat(f"{tmp_path}{place.data}/dari.db").st_mode & 0o777 == 0o600
    with open(f"{place.data}/master.key", "rb") as before, open(f"{tmp_path}{place.data}/master.key", "rb") as after:
        assert before.read() == after.read()
    with restored(place, tmp_path) as dev:
        (vpc,) = dev.account.client().describe_vpcs(Filters=[{"Name": "tag:Name", "Values": ["kept"]}])["Vpcs"]
        assert vpc["CidrBlock"] == "10.0.0.0/16"
        support = dev.account.client("support")
        (case,) = support.describe_cases(caseIdList=[place.case], includeCommunications=True)["cases"]
        (said,) = case["recentCommunications"]["communications"]
        (attached,) = said["attachmentSet"]
        assert support.describe_attachment(attachmentId=attached["attachmentId"])["attachment"]["data"] == ATTACHMENT


def test_a_running_region_goes_on(place):
    """The copy is of one commit, and changes meanwhile are in the next backup."""
    before = place.make()
    place.dev.account.client().create_vpc(CidrBlock="10.7.0.0/16")
    after = place.make()
    assert after["commit"] > before["commit"] and after["rows"] > before["rows"]
    assert [b["id"] for b in place.backup("--list")][-2:] == [before["id"], after["id"]]


def test_an_older_one_by_its_id(place, tmp_path):
    first = place.make()
    place.dev.account.client().create_vpc(CidrBlock="10.8.0.0/16")
    place.make()
    assert place.restore(tmp_path, "--key", place.key, "--backup", first["id"]).returncode == 0
    with restored(place, tmp_path) as dev:
        assert "10.8.0.0/16" not in [v["CidrBlock"] for v in dev.account.client().describe_vpcs()["Vpcs"]]


def test_a_restore_writes_over_nothing(place, tmp_path):
    place.make()
    assert place.restore(tmp_path, "--key", place.key).returncode == 0
    before = {path: os.stat(path).st_mtime_ns for path in glob.glob(f"{tmp_path}/**", recursive=True)}
    done = place.restore(tmp_path, "--key", place.key)
    assert done.returncode == 1 and "is there already" in done.stderr
    assert before == {path: os.stat(path).st_mtime_ns for path in glob.glob(f"{tmp_path}/**", recursive=True)}


def test_keys(place, tmp_path):
    """Without a certificate the command says how to make one; another key opens nothing; no secret is in the target unencrypted."""
    done = place.run("backup", place.target)
    assert done.returncode != 0 and "openssl req -x509" in done.stderr
    place.make()
    done = place.restore(tmp_path / "a")
    assert done.returncode == 1 and "--key" in done.stderr
    other = tmp_path / "other.key"
    subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-out", other], check=True, capture_output=True)
    done = place.restore(tmp_path / "a", "--key", str(other))
    assert done.returncode == 1 and "another key" in done.stderr
    assert not os.path.exists(tmp_path / "a")
    with open(f"{place.data}/master.key", "rb") as file:
        master = file.read()
    for path in glob.glob(f"{place.store}/**", recursive=True):
        if os.path.isfile(path):
            with open(path, "rb") as file:
                content = file.read()
            assert master not in content and base64.b64encode(master) not in content, path


@pytest.mark.parametrize("name", ["master.key", "dev.yaml"])
def test_keys_that_are_gone(place, name):
    """A backup that says that the keys are in it has them."""
    path, before = f"{place.data}/{name}", len(place.backup("--list"))
    os.rename(path, f"{path}.away")
    try:
        words = ["backup", place.target, "--recovery-certificate", place.certificate]
        done = subprocess.run([DARI, "--config", f"{place.data}/dev.yaml{'.away' if name == 'dev.yaml' else ''}", *words], capture_output=True, text=True,
                              check=False)
    finally:
        os.rename(f"{path}.away", path)
    assert done.returncode != 0 and name in done.stderr, done.stdout
    assert len(place.backup("--list")) == before


def test_openssl_reads_the_keys(place):
    """Somebody without Dari gets at the master key."""
    sealed = f"{place.folder(place.make())}/sealed.cms"
    plain = subprocess.run(["openssl", "cms", "-decrypt", "-inform", "DER", "-in", sealed, "-inkey", place.key, "-recip", place.certificate],
                           check=True, capture_output=True).stdout
    files = {file["path"]: base64.b64decode(file["content"]) for file in json.loads(plain)["files"]}
    with open(f"{place.data}/master.key", "rb") as file:
        assert files[f"{place.data}/master.key"] == file.read()


def test_without_keys(place, tmp_path):
    (made,) = place.backup("--without-keys")
    assert not made["sealed"] and not os.path.exists(f"{place.folder(made)}/sealed.cms")
    done = place.restore(tmp_path)
    assert done.returncode == 0 and "put master.key into" in done.stdout
    for name in ("master.key", "dev.yaml"):
        shutil.copy(f"{place.data}/{name}", f"{tmp_path}{place.data}/{name}")
    with restored(place, tmp_path) as dev:
        assert dev.account.client().describe_vpcs(Filters=[{"Name": "tag:Name", "Values": ["kept"]}])["Vpcs"]


def damage_chunk(folder):
    chunk = max((p for p in glob.glob(f"{folder}/*") if len(os.path.basename(p)) == 64), key=os.path.getsize)
    with open(chunk, "r+b") as file:
        file.seek(os.path.getsize(chunk) // 2)
        file.write(b"\xff\x00\xff\x00")


def damage_record(folder):
    with open(f"{folder}/region.json", encoding="utf-8") as file:
        record = json.load(file)
    record["database"]["rows"] += 1
    with open(f"{folder}/region.json", "w", encoding="utf-8") as file:
        json.dump(record, file)


def damage_keys(folder):
    with open(f"{folder}/sealed.cms", "r+b") as file:
        file.seek(40)
        file.write(b"\0\0\0\0")


def lose_attachment(folder):
    for path in glob.glob(f"{os.path.dirname(folder)}/attachments/*"):
        os.unlink(path)


def test_a_lost_attachment_stops_no_restore(place, tmp_path):
    made = place.make()
    target = tmp_path / "target"
    shutil.copytree(place.store, target)
    lose_attachment(place.folder(made).replace(str(place.store), str(target)))
    done = subprocess.run([DARI, "restore", f"file://{target}", "--root", str(tmp_path / "root"), "--key", place.key], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0 and "1 attachments of tickets are lost" in done.stdout, done.stderr


def test_a_target_that_fails_loses_no_attachment(place, tmp_path):
    """A failure to read tells nothing about the attachment: the restore ends and leaves nothing behind."""
    made = place.make()
    target = tmp_path / "target"
    shutil.copytree(place.store, target)
    (attachment,) = glob.glob(f"{os.path.dirname(place.folder(made)).replace(str(place.store), str(target))}/attachments/*")
    os.unlink(attachment)
    os.mkdir(attachment)
    done = subprocess.run([DARI, "restore", f"file://{target}", "--root", str(tmp_path / "root"), "--key", place.key], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 1 and "lost" not in done.stdout, done.stdout
    assert [p for p in glob.glob(f"{tmp_path}/root/**", recursive=True) if os.path.isfile(p)] == []


def test_a_list_without_a_server(place):
    made = place.make()
    done = subprocess.run([DARI, "restore", place.target, "--list"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].startswith(made["id"]) and "with keys" in done.stdout


@pytest.mark.parametrize("damage", [damage_chunk, damage_record, damage_keys])
def test_damage(place, tmp_path, damage):
    """--prove finds it, and a restore leaves nothing behind."""
    made = place.make()
    (proved,) = place.backup("--prove")
    assert proved["id"] == made["id"] and proved["rows"] == made["rows"]
    assert "a region started with them" in place.run("backup", place.target, "--prove").stdout
    target = tmp_path / "target"
    shutil.copytree(place.store, target)
    damage(place.folder(made).replace(str(place.store), str(target)))
    done = place.run("backup", f"file://{target}", "--prove")
    assert done.returncode != 0, done.stdout
    done = subprocess.run([DARI, "restore", f"file://{target}", "--root", str(tmp_path / "root"), "--key", place.key], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 1, done.stdout
    assert [p for p in glob.glob(f"{tmp_path}/root/**", recursive=True) if os.path.isfile(p)] == []


def test_a_lost_attachment_is_stored_again(place):
    lose_attachment(place.folder(place.make()))
    assert place.run("backup", place.target, "--prove").returncode != 0
    place.make()
    place.backup("--prove")


def test_a_file_that_is_there_already(place, tmp_path):
    """A file that the new machine has with the same content stays as it is; another content is an obstacle."""
    place.make()
    there = pathlib.Path(f"{tmp_path}/same{place.dev.config}")
    there.parent.mkdir(parents=True)
    shutil.copy(place.dev.config, there)
    before = there.stat().st_mtime_ns
    done = place.restore(tmp_path / "same", "--key", place.key)
    assert done.returncode == 0 and there.stat().st_mtime_ns == before, done.stderr
    there = pathlib.Path(f"{tmp_path}/other{place.dev.config}")
    there.parent.mkdir(parents=True)
    there.write_text("region: {}\n")
    done = place.restore(tmp_path / "other", "--key", place.key)
    assert done.returncode == 1 and "is there already" in done.stderr and os.listdir(there.parent) == [there.name]


def test_old_ones_are_removed(place):
    for _ in range(3):
        place.make()
    last = place.make("--keep", "2")
    kept = place.backup("--list")
    assert len(kept) == 2 and kept[-1]["id"] == last["id"]
    assert sorted(os.path.basename(p) for p in glob.glob(f"{place.store}/regions/*/*")) == sorted([b["id"] for b in kept] + ["attachments"])
    assert len(glob.glob(f"{place.store}/regions/*/attachments/*")) == 1


def test_killed_in_between(place):
    """A killed server leaves an incomplete backup, which counts as none and is removed by the next one."""
    made = place.make()
    half = place.folder(made).replace(made["id"], "01900000-0000-7000-8000-000000000000")
    shutil.copytree(place.folder(made), half)
    os.unlink(f"{half}/region.json")
    assert "01900000-0000-7000-8000-000000000000" not in [b["id"] for b in place.backup("--list")]
    place.make()
    assert not os.path.exists(half)
    assert not os.path.exists(f"{place.data}/backup.partial")


@pytest.mark.parametrize("words,said", [
    (["backup", "http://127.0.0.1/"], "neither file:///DIRECTORY nor s3:"),
    (["backup", "file:///nowhere-at-all/below", "--without-keys", "--keep", "0"], "keep"),
    (["backup", "{target}", "--prove", "--backup", "x"], "is no backup's id"),
    (["backup", "{target}", "--backup", "01900000-0000-7000-8000-000000000000"], "--prove reads"),
    (["backup", "{target}", "--prove", "--keep", "3"], "--keep has no effect with --prove"),
    (["backup", "{target}", "--list", "--images"], "--images has no effect with --list"),
    (["backup", "{target}", "--prove", "--backup", "01900000-0000-7000-8000-000000000000"], "no complete backup"),
])
def test_refused(place, words, said):
    done = place.run(*[word.format(target=place.target) for word in words])
    assert done.returncode != 0 and said in done.stderr, done.stderr


def test_two_regions(place, tmp_path):
    """A target may have backups of several regions; a restore wants to know which."""
    target = tmp_path / "target"
    shutil.copytree(place.store, target)
    (region,) = glob.glob(f"{target}/regions/*")
    shutil.copytree(region, f"{target}/regions/01234567-89ab-4cde-8f01-23456789abcd")
    words = [DARI, "restore", f"file://{target}", "--root", str(tmp_path / "root"), "--key", place.key]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "--region" in done.stderr
    done = subprocess.run([*words, "--region", os.path.basename(region)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_images(place, tmp_path):
    """Without --images a restore says how many are missing; with it, all are there, once for all backups, and go with the last that needs them."""
    files = {os.path.basename(path): os.path.getsize(path) for path in glob.glob(f"{place.data}/images/*")}
    place.make()
    done = place.restore(tmp_path / "without", "--key", place.key)
    assert done.returncode == 0 and f"{len(files)} of {len(files)} image files" in done.stdout, done.stdout + done.stderr
    first, second = place.make("--images"), place.make("--images")
    assert first["bytes"] > second["bytes"]
    done = place.restore(tmp_path / "with", "--key", place.key)
    assert done.returncode == 0 and "image files" not in done.stdout, done.stderr
    for name in files:
        with open(f"{place.data}/images/{name}", "rb") as before, open(f"{tmp_path}/with{place.data}/images/{name}", "rb") as after:
            assert before.read() == after.read()
    (stored,) = glob.glob(f"{place.store}/regions/*/images")
    assert len(os.listdir(stored)) == len(files)
    place.make("--keep", "1")
    assert len(os.listdir(stored)) == len(files)


def test_a_damaged_image(place, tmp_path):
    """An image whose stored copy is damaged counts as missing: it does not keep the region from its restore."""
    made = place.make("--images")
    target = tmp_path / "target"
    shutil.copytree(place.store, target)
    images = f"{os.path.dirname(place.folder(made).replace(str(place.store), str(target)))}/images"
    with open(max(glob.glob(f"{images}/*/*"), key=os.path.getsize), "wb") as file:
        file.write(b"junk")
    done = subprocess.run([DARI, "restore", f"file://{target}", "--root", str(tmp_path / "root"), "--key", place.key], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0 and "1 of 2 image files are missing in the backup" in done.stdout, done.stdout + done.stderr
    assert not glob.glob(f"{tmp_path}/root{place.data}/images/*.part")


def test_a_record_that_cannot_be_read(place):
    """A damaged record does not prevent the next backup. `--list` reports it, and shared attachments stay."""
    (record,) = glob.glob(f"{place.folder(place.make())}/region.json")
    with open(record, "r+b") as file:
        before = file.read()
        file.seek(0)
        file.write(b"[")
    damaged = os.path.basename(os.path.dirname(record))
    made = place.make("--keep", "1")
    assert [(b["id"], "problem" in b) for b in place.backup("--list")] == [(damaged, True), (made["id"], False)]
    assert glob.glob(f"{place.store}/regions/*/attachments/*")
    with open(record, "wb") as file:
        file.write(before)
    place.make("--keep", "1")


def rename(folder, backup):
    """Gives a backup another id."""
    there = os.path.join(os.path.dirname(folder), backup)
    shutil.copytree(folder, there)
    for name, change in (("region.json", {"id": backup}), ("manifest.json", {"id": backup, "holders": [backup]})):
        with open(f"{there}/{name}", encoding="utf-8") as file:
            content = json.load(file)
        with open(f"{there}/{name}", "w", encoding="utf-8") as file:
            json.dump(content | change, file)


def test_a_clock_that_was_set_back(place):
    """The newest backup is the last one that was made, whatever the clock said before."""
    rename(place.folder(place.make()), "7fffffff-0000-7000-8000-000000000000")
    made = place.make("--keep", "1")
    assert [b["id"] for b in place.backup("--list")] == [made["id"]]
    assert place.backup("--prove")[0]["id"] == made["id"]
    shutil.rmtree(place.store)


@pytest.mark.parametrize("folder", ["backup.partial", "tickets/below", "nowhere/below", ""])
def test_a_target_in_the_data_directory(place, folder):
    done = place.run("backup", f"file://{place.data}/{folder}", "--recovery-certificate", place.certificate)
    assert done.returncode != 0 and "is in the data directory" in done.stderr, done.stdout
    assert not os.path.exists(f"{place.data}/nowhere") and not os.path.exists(f"{place.data}/tickets/below")


@pytest.mark.parametrize("directory", ["/..", "/srv/..", "/../srv", "/srv/../../x", "", "srv"])
def test_a_record_leads_out(place, tmp_path, directory):
    """A record from a foreign bucket writes nothing outside of the root."""
    made, target = place.backup("--without-keys")[0], tmp_path / "target"
    shutil.copytree(place.store, target)
    path = place.folder(made).replace(str(place.store), str(target)) + "/region.json"
    with open(path, encoding="utf-8") as file:
        record = json.load(file)
    for change in ({"data_directory": directory}, {"database": record["database"] | {"path": f"{directory or '..'}/dari.db"}}):
        with open(path, "w", encoding="utf-8") as file:
            json.dump(record | change, file)
        done = subprocess.run([DARI, "restore", f"file://{target}", "--root", str(tmp_path / "a/b/c/root")], capture_output=True, text=True, check=False)
        assert done.returncode == 1 and "no data directory" in done.stderr, done.stdout
    assert not os.path.exists(tmp_path / "a")


@pytest.mark.parametrize("change,said", [
    ({"region_name": "\033[2Jx"}, "is damaged"),
    ({"version": "\a"}, "is damaged"),
    ({"data_directory": "/srv/\n"}, "is damaged"),
    ({"version": "x" * (65 << 20)}, "is larger than it may be"),
])
def test_a_hostile_record(place, tmp_path, change, said):
    """A restore refuses a hostile record with a message, and prints none of its texts."""
    made, target = place.backup("--without-keys")[0], tmp_path / "target"
    shutil.copytree(place.store, target)
    path = place.folder(made).replace(str(place.store), str(target)) + "/region.json"
    with open(path, encoding="utf-8") as file:
        record = json.load(file)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(record | change, file)
    done = subprocess.run([DARI, "restore", f"file://{target}", "--root", str(tmp_path / "root")], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and said in done.stderr and not done.stdout, done.stdout
    assert not any(ord(char) < 32 for char in done.stderr.rstrip("\n"))


@pytest.mark.parametrize("ending", ["-wal", "-shm"])
def test_a_log_of_another_database(place, tmp_path, ending):
    """SQLite would read it into the restored database."""
    place.make()
    log = pathlib.Path(f"{tmp_path}{place.data}/dari.db{ending}")
    log.parent.mkdir(parents=True)
    log.write_bytes(b"another's")
    done = place.restore(tmp_path, "--key", place.key)
    assert done.returncode == 1 and "is there already" in done.stderr, done.stdout
    assert os.listdir(log.parent) == [log.name]


def test_a_database_elsewhere(tmp_path):
    """The configuration may name another place for SQLite's file: a restore puts it there, and the region is the one before."""
    os.mkdir(tmp_path / "db")
    p = Place(tmp_path, "--store", str(tmp_path / "db/region.db"))
    with p.dev:
        p.dev.account.client().create_vpc(CidrBlock="10.9.0.0/16")
        p.make()
    done = p.restore(tmp_path / "root", "--key", p.key)
    assert done.returncode == 0, done.stderr
    assert os.path.exists(f"{tmp_path}/root{tmp_path}/db/region.db") and not os.path.exists(f"{tmp_path}/root{p.data}/dari.db")
    assert os.stat(f"{tmp_path}/root{tmp_path}").st_mode & 0o777 == 0o755 and os.stat(f"{tmp_path}/root{p.data}").st_mode & 0o777 == 0o700


def units():
    return pathlib.Path(__file__).parents[3] / "tools/units"


def run_unit(p, **env):
    """Runs the unit's lines as written, with its environment; returns the first failure, or the last end."""
    text, done = (units() / "dari-backup.service").read_text(), None
    values = dict(word.split("=", 1) for word in re.search(r"^Environment=(.*)$", text, re.MULTILINE)[1].split()) | env
    for line in re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE):
        program, *words = (re.sub(r"\$\{(\w+)\}", lambda m: values[m[1]], word) for word in line.split())
        assert program == "/usr/bin/dari"
        done = p.run(*words)
        if done.returncode:
            break
    return done


def test_the_timer(tmp_path):
    """The unit makes a backup and proves it; a failure is named by doctor, also after a restart, until the next success."""
    for name in ("dari-backup.service", "dari-backup.timer"):
        (tmp_path / name).write_text((units() / name).read_text().replace("/usr/bin/dari", DARI).replace("/etc/dari/backup.env", "-/dev/null"))
    verified = subprocess.run(["systemd-analyze", "verify", *(str(tmp_path / n) for n in ("dari-backup.service", "dari-backup.timer"))], capture_output=True, text=True,
                              check=False)
    assert verified.returncode == 0 and "dari-backup" not in verified.stderr, verified.stderr
    p = Place(tmp_path)
    env = {"TARGET": p.target, "RECOVERY_CERTIFICATE": p.certificate}
    with p.dev:
        assert "region backup" not in p.run("doctor").stdout
        done = run_unit(p, **env)
        assert done.returncode == 0 and "is whole" in done.stdout, done.stderr
        assert re.search(r"ok  region backup +20.*\nok  proof of the backup +20", p.run("doctor").stdout)
        (made,) = p.backup("--list")
        damage_chunk(p.folder(made))
        assert p.run("backup", p.target, "--prove").returncode == 1
        assert run_unit(p, **(env | {"TARGET": "file:///dev/null/nothing"})).returncode == 1
    with restored(p, "") as dev:
        p.dev = dev
        told = p.run("doctor").stdout
        assert re.search(r"!!  region backup +failed 20.*; last success: 20", told) and re.search(r"!!  proof of the backup +failed 20", told), told
        done = run_unit(p, **env)
        assert done.returncode == 0, done.stderr
        assert "last success" not in p.run("doctor").stdout
        state = pathlib.Path(p.data, "backup.state")
        state.write_text(re.sub(r"^backup (\d+)", lambda found: f"backup {int(found[1]) - 4 * 86400 * 10**6}", state.read_text()))
        assert re.search(r"!!  region backup +20.*, long ago\n +Look whether the timer runs", p.run("doctor").stdout)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))

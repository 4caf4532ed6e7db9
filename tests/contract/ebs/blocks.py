#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/ebs src/drivers/disk_blocks.c src/drivers/block_upload.c src/engine/storage/snapshot/snapshot_blocks.c src/reconcile/storage/snapshot_blocks.c
"""EBS direct by boto3: snapshots written block by block, read back, compared with each other and with qemu-img; pages and tokens; refusals; what
another account and a user without permission may not; a killed server in the middle."""
import base64
import concurrent.futures
import hashlib
import os
import random
import signal
import subprocess
import sys
import urllib.request

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.credentials
import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import REGION, Dev  # noqa: E402
from regions import dev  # noqa: E402, F401 (fixtures)
import ebs as direct  # noqa: E402
import native  # noqa: E402
import waiting  # noqa: E402

BLOCK = 512 * 1024
ZEROS = bytes(BLOCK)
IN_A_GIB = 2048
ABSENT = "snap-0123456789abcdef0"


def block(seed):
    return random.Random(seed).randbytes(BLOCK)


def checksum(data):
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def linear(blocks):
    """The checksum over all blocks, as coldsnap makes it."""
    return checksum(b"".join(hashlib.sha256(blocks[k]).digest() for k in sorted(blocks)))


def put(ebs, snapshot, index, data, **more):
    values = {"DataLength": len(data), "Checksum": checksum(data), "ChecksumAlgorithm": "SHA256", **more}
    return ebs.put_snapshot_block(SnapshotId=snapshot, BlockIndex=index, BlockData=data, **values)


def wait_for(account, snapshot, state="completed"):
    ec2 = account.client()

    def now():
        return ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]
    waiting.wait_until(lambda: now()["State"] == state, f"{snapshot} is {state}", of=account.dev, shows=now)
    return now()


def write(account, blocks, size=1, **more):
    """A completed snapshot of these blocks."""
    ebs = account.client("ebs")
    made = ebs.start_snapshot(VolumeSize=size, **more)["SnapshotId"]
    for index, data in blocks.items():
        put(ebs, made, index, data)
    ebs.complete_snapshot(SnapshotId=made, ChangedBlocksCount=len(blocks))
    wait_for(account, made)
    return made


def listed(ebs, snapshot, **more):
    """{index: token} of all pages."""
    found, more = {}, {"SnapshotId": snapshot, **more}
    while True:
        page = ebs.list_snapshot_blocks(**more)
        found.update((b["BlockIndex"], b["BlockToken"]) for b in page["Blocks"])
        if "NextToken" not in page:
            return found
        more["NextToken"] = page["NextToken"]


def read(ebs, snapshot):
    """{index: bytes} of the blocks with data."""
    found = {}
    for index, token in listed(ebs, snapshot).items():
        answer = ebs.get_snapshot_block(SnapshotId=snapshot, BlockIndex=index, BlockToken=token)
        found[index] = answer["BlockData"].read()
        assert (answer["DataLength"], answer["ChecksumAlgorithm"]) == (BLOCK, "SHA256")
        assert answer["Checksum"] == checksum(found[index])
    return found


def changes(ebs, first, second, **more):
    """{index: (the first has data, the second has data)} of all pages."""
    found, more = {}, {"FirstSnapshotId": first, "SecondSnapshotId": second, **more}
    while True:
        page = ebs.list_changed_blocks(**more)
        found.update((b["BlockIndex"], ("FirstBlockToken" in b, "SecondBlockToken" in b)) for b in page["ChangedBlocks"])
        if "NextToken" not in page:
            return found
        more["NextToken"] = page["NextToken"]


def refusal(call, *args, **more):
    """(code, reason, HTTP status) of a refused call."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(*args, **more)
    answer = caught.value.response
    return answer["Error"]["Code"], answer.get("Reason"), answer["ResponseMetadata"]["HTTPStatusCode"]


def unchecked(dev):
    """A client that sends what boto3 would refuse."""
    return boto3.client("ebs", region_name=REGION, endpoint_url=dev.url, aws_access_key_id=dev.account.key_id,
                        aws_secret_access_key=dev.account.secret, config=botocore.config.Config(parameter_validation=False))


VALUE = ("ValidationException", "INVALID_PARAMETER_VALUE", 400)
GONE = ("ResourceNotFoundException", "SNAPSHOT_NOT_FOUND", 404)


@pytest.fixture(scope="module")
def own_blocks():
    return {0: block(1), 3: block(2), 4: block(3), IN_A_GIB - 1: block(4)}


@pytest.fixture(scope="module")
def snapshot(dev, own_blocks):
    return write(dev.account, own_blocks)


@pytest.fixture(scope="module")
def ebs(dev):
    return dev.account.client("ebs")


# ---- writing

def test_start(dev, ebs):
    made = ebs.start_snapshot(VolumeSize=3, Description="words", Tags=[{"Key": "a", "Value": "b"}], ClientToken="one")
    number = dev.account.client("sts").get_caller_identity()["Account"]
    assert (made["OwnerId"], made["Status"], made["VolumeSize"], made["BlockSize"], made["Description"], made["Tags"], "ParentSnapshotId" in made) == (
        number, "pending", 3, BLOCK, "words", [{"Key": "a", "Value": "b"}], False)
    shown = dev.account.client().describe_snapshots(SnapshotIds=[made["SnapshotId"]])["Snapshots"][0]
    assert (shown["State"], shown["VolumeSize"], shown["StartTime"].replace(microsecond=0)) == ("pending", 3, made["StartTime"])
    again = ebs.start_snapshot(VolumeSize=3, Description="words", Tags=[{"Key": "a", "Value": "b"}], ClientToken="one")
    assert again["SnapshotId"] == made["SnapshotId"]
    assert refusal(ebs.start_snapshot, VolumeSize=4, ClientToken="one") == ("ConflictException", None, 409)


def test_content_is_what_was_written(dev, ebs, snapshot, own_blocks):
    assert read(ebs, snapshot) == own_blocks
    whole = direct.content(ebs, snapshot, 4 * BLOCK + 1000)
    assert whole == own_blocks[0] + 2 * ZEROS + own_blocks[3] + own_blocks[4][:1000]
    page = ebs.list_snapshot_blocks(SnapshotId=snapshot)
    assert (page["VolumeSize"], page["BlockSize"]) == (1, BLOCK)


def test_content_is_what_qemu_reads(dev, snapshot, own_blocks, tmp_path):
    """The one file of the store that has the blocks, converted by qemu-img."""
    store = os.path.join(os.path.dirname(dev.config), "images")
    raw = tmp_path / "disk.raw"
    whole = bytearray(1 << 30)
    for index, data in own_blocks.items():
        whole[index * BLOCK:(index + 1) * BLOCK] = data
    digest, found = hashlib.sha256(whole).digest(), 0
    for name in os.listdir(store):
        if os.path.getsize(os.path.join(store, name)) > 4 * BLOCK:
            subprocess.run(["qemu-img", "convert", "-O", "raw", os.path.join(store, name), raw], check=True)
            with open(raw, "rb") as file:
                found += hashlib.file_digest(file, "sha256").digest() == digest
    assert found == 1
    assert not [name for name in os.listdir(store) if snapshot in name or name.endswith((".blocks", ".digests"))]


def test_a_block_is_replaced(dev, ebs):
    made = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
    for data in (block(5), block(6)):
        put(ebs, made, 7, data)
    ebs.complete_snapshot(SnapshotId=made, ChangedBlocksCount=1, Checksum=linear({7: block(6)}), ChecksumAlgorithm="SHA256",
                          ChecksumAggregationMethod="LINEAR")
    wait_for(dev.account, made)
    assert read(ebs, made) == {7: block(6)}


def test_many_at_once(dev, ebs):
    blocks = {k: block(100 + k) for k in range(0, 64, 2)}
    made = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda item: put(ebs, made, *item), blocks.items()))
    ebs.complete_snapshot(SnapshotId=made, ChangedBlocksCount=len(blocks), Checksum=linear(blocks), ChecksumAlgorithm="SHA256")
    wait_for(dev.account, made)
    assert read(ebs, made) == blocks


def test_no_blocks_at_all(dev, ebs):
    assert not read(ebs, write(dev.account, {}))


def test_over_a_parent(dev, ebs, snapshot, own_blocks):
    """Blocks replace the parent's, zeros included; the rest and a larger size come from the parent and from nothing."""
    child = write(dev.account, {3: ZEROS, 4: block(8), IN_A_GIB: block(9)}, size=2, ParentSnapshotId=snapshot)
    assert read(ebs, child) == {0: own_blocks[0], 4: block(8), IN_A_GIB - 1: own_blocks[IN_A_GIB - 1], IN_A_GIB: block(9)}
    assert changes(ebs, snapshot, child) == {3: (True, False), 4: (True, True), IN_A_GIB: (False, True)}
    assert changes(ebs, child, snapshot) == {3: (False, True), 4: (True, True), IN_A_GIB: (True, False)}
    assert set(changes(ebs, child, child)) == set()
    assert [b["BlockIndex"] for b in ebs.list_changed_blocks(SecondSnapshotId=child)["ChangedBlocks"]] == [0, 4, IN_A_GIB - 1, IN_A_GIB]


def test_parent_is_deleted_meanwhile(dev, ebs):
    parent = write(dev.account, {1: block(10)})
    child = ebs.start_snapshot(VolumeSize=1, ParentSnapshotId=parent)["SnapshotId"]
    dev.account.client().delete_snapshot(SnapshotId=parent)
    dev.rest()
    put(ebs, child, 2, block(11))
    ebs.complete_snapshot(SnapshotId=child, ChangedBlocksCount=1)
    wait_for(dev.account, child)
    assert read(ebs, child) == {1: block(10), 2: block(11)}


def test_a_volume_is_made(dev, snapshot):
    ec2 = dev.account.client()
    zone = ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
    made = ec2.create_volume(SnapshotId=snapshot, AvailabilityZone=zone)["VolumeId"]
    waiting.wait_until(lambda: ec2.describe_volumes(VolumeIds=[made])["Volumes"][0]["State"] == "available", "the volume is available", of=dev)
    assert ec2.describe_volumes(VolumeIds=[made])["Volumes"][0]["Size"] == 1


def test_encrypted(dev, ebs):
    made = write(dev.account, {0: block(12)}, Encrypted=True)
    assert dev.account.client().describe_snapshots(SnapshotIds=[made])["Snapshots"][0]["Encrypted"]
    assert refusal(ebs.list_snapshot_blocks, SnapshotId=made) == ("ValidationException", "INVALID_SNAPSHOT_ID", 400)
    assert refusal(ebs.start_snapshot, VolumeSize=1, ParentSnapshotId=made) == ("ValidationException", "INVALID_SNAPSHOT_ID", 400)


# ---- refusals

def test_wrong_blocks(ebs):
    made = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
    broken = ("ValidationException", "INVALID_BLOCK", 400)
    assert refusal(put, ebs, made, IN_A_GIB, block(1)) == VALUE
    assert refusal(put, ebs, made, 0, block(1), Checksum=checksum(ZEROS)) == broken
    assert refusal(put, ebs, made, 0, b"short") == broken
    assert refusal(put, ebs, made, 0, b"short", DataLength=BLOCK) == broken
    assert refusal(put, ebs, made, 0, block(1), ChecksumAlgorithm="MD5") == VALUE
    assert refusal(put, ebs, made, 0, block(1), Progress=101) == VALUE
    assert refusal(ebs.complete_snapshot, SnapshotId=made, ChangedBlocksCount=1) == VALUE
    put(ebs, made, 0, block(1))
    assert refusal(ebs.complete_snapshot, SnapshotId=made, ChangedBlocksCount=0) == VALUE
    assert refusal(ebs.complete_snapshot, SnapshotId=made, ChangedBlocksCount=1, Checksum=checksum(ZEROS)) == broken
    assert refusal(ebs.list_snapshot_blocks, SnapshotId=made) == ("ValidationException", "INVALID_SNAPSHOT_ID", 400)


def test_completed_ones_take_no_blocks(ebs, snapshot):
    state = ("ValidationException", "INVALID_SNAPSHOT_ID", 400)
    assert refusal(put, ebs, snapshot, 0, block(1)) == state
    assert refusal(ebs.complete_snapshot, SnapshotId=snapshot, ChangedBlocksCount=0) == state


@pytest.mark.parametrize("values, reason", [
    ({"VolumeSize": 0}, "INVALID_VOLUME_SIZE"), ({"VolumeSize": 16385}, "INVALID_VOLUME_SIZE"), ({"VolumeSize": 1, "Timeout": 9}, None),
    ({"VolumeSize": 1, "Timeout": 4321}, None), ({"VolumeSize": 1, "Description": "x" * 256}, None), ({"VolumeSize": 1, "KmsKeyArn": "arn:aws:kms:x"}, None)])
def test_wrong_starts(dev, values, reason):
    assert refusal(unchecked(dev).start_snapshot, **values) == ("ValidationException", reason or "INVALID_PARAMETER_VALUE", 400)


def test_largest(dev, ebs):
    """Blocks at both ends of 15.6 TiB; ext4 has no larger files. The rest costs nothing."""
    data = {0: block(13), 16000 * 2048 - 1: block(14)}
    made = write(dev.account, data, size=16000)
    assert read(ebs, made) == data


def test_encryption_follows_the_parent(ebs, snapshot):
    for word in (True, False):
        assert refusal(ebs.start_snapshot, VolumeSize=1, ParentSnapshotId=snapshot, Encrypted=word) == VALUE


def test_smaller_than_its_parent(dev, ebs):
    parent = write(dev.account, {}, size=2)
    assert refusal(ebs.start_snapshot, VolumeSize=1, ParentSnapshotId=parent) == ("ValidationException", "INVALID_VOLUME_SIZE", 400)
    assert refusal(ebs.start_snapshot, VolumeSize=1, ParentSnapshotId=ABSENT) == GONE


def test_tokens(dev, ebs, snapshot):
    tokens, token = listed(ebs, snapshot), ("ValidationException", "INVALID_BLOCK_TOKEN", 400)
    other = write(dev.account, {0: block(1)})
    assert refusal(ebs.get_snapshot_block, SnapshotId=snapshot, BlockIndex=3, BlockToken=tokens[0]) == token
    assert refusal(ebs.get_snapshot_block, SnapshotId=other, BlockIndex=0, BlockToken=tokens[0]) == token
    changed = tokens[0][:-1] + ("A" if tokens[0][-1] != "A" else "B")
    assert refusal(ebs.get_snapshot_block, SnapshotId=snapshot, BlockIndex=0, BlockToken=changed) == token
    page = ("ValidationException", "INVALID_PAGE_TOKEN", 400)
    assert refusal(ebs.list_snapshot_blocks, SnapshotId=snapshot, NextToken=tokens[0]) == page
    assert refusal(ebs.get_snapshot_block, SnapshotId=ABSENT, BlockIndex=0, BlockToken=tokens[0]) == GONE


def test_pages(dev, ebs):
    blocks = {k: block(200) for k in range(0, 260)}
    made = write(dev.account, blocks)
    first = ebs.list_snapshot_blocks(SnapshotId=made, MaxResults=100)
    assert [b["BlockIndex"] for b in first["Blocks"]] == list(range(100))
    second = ebs.list_snapshot_blocks(SnapshotId=made, MaxResults=100, NextToken=first["NextToken"], StartingBlockIndex=7)
    assert [b["BlockIndex"] for b in second["Blocks"]] == list(range(100, 200))
    assert set(listed(ebs, made, MaxResults=100)) == set(blocks)
    assert [b["BlockIndex"] for b in ebs.list_snapshot_blocks(SnapshotId=made, StartingBlockIndex=258)["Blocks"]] == [258, 259]
    for wrong in (99, 10001):
        assert refusal(unchecked(dev).list_snapshot_blocks, SnapshotId=made, MaxResults=wrong) == VALUE
    other = write(dev.account, {k: block(201) for k in range(0, 260)}, ParentSnapshotId=made)
    page = ebs.list_changed_blocks(FirstSnapshotId=made, SecondSnapshotId=other, MaxResults=100)
    assert [b["BlockIndex"] for b in page["ChangedBlocks"]] == list(range(100))
    assert set(changes(ebs, made, other, MaxResults=100)) == set(blocks)
    assert refusal(ebs.list_changed_blocks, FirstSnapshotId=other, SecondSnapshotId=made, NextToken=page["NextToken"]) == (
        "ValidationException", "INVALID_PAGE_TOKEN", 400)


def test_unrelated(dev, ebs, snapshot):
    other = write(dev.account, {0: block(1)})
    assert refusal(ebs.list_changed_blocks, FirstSnapshotId=snapshot, SecondSnapshotId=other) == ("ValidationException", "UNRELATED_SNAPSHOTS", 400)


# ---- other callers

def test_other_accounts(dev, ebs, snapshot, own_blocks):
    other = dev.new_account("reader")
    theirs = other.client("ebs")
    pending = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
    token = listed(ebs, snapshot)[0]
    for call, values in ((theirs.list_snapshot_blocks, {"SnapshotId": snapshot}), (theirs.list_changed_blocks, {"SecondSnapshotId": snapshot}),
                         (theirs.get_snapshot_block, {"SnapshotId": snapshot, "BlockIndex": 0, "BlockToken": token}),
                         (theirs.complete_snapshot, {"SnapshotId": pending, "ChangedBlocksCount": 0}),
                         (theirs.start_snapshot, {"VolumeSize": 1, "ParentSnapshotId": snapshot})):
        assert refusal(call, **values) == GONE
    assert refusal(put, theirs, pending, 0, block(1)) == GONE
    number = other.client("sts").get_caller_identity()["Account"]
    dev.account.client().modify_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", UserIds=[number])
    assert read(theirs, snapshot) == own_blocks
    assert refusal(put, theirs, snapshot, 0, block(1)) == GONE
    dev.account.client().modify_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="remove", UserIds=[number])
    assert refusal(theirs.get_snapshot_block, SnapshotId=snapshot, BlockIndex=0, BlockToken=token) == GONE


def test_public_ones_are_not_read(dev, ebs):
    public = [s["SnapshotId"] for s in dev.account.client().describe_snapshots(RestorableByUserIds=["all"])["Snapshots"]]
    assert public
    assert refusal(ebs.list_snapshot_blocks, SnapshotId=public[0]) == ("AccessDeniedException", "UNAUTHORIZED_ACCOUNT", 403)


@pytest.mark.parametrize("action", ["ListSnapshotBlocks", "ListChangedBlocks", "GetSnapshotBlock", "StartSnapshot", "PutSnapshotBlock", "CompleteSnapshot"])
def test_policies(dev, ebs, snapshot, action):
    """A user who may everything else; the permission on this snapshot decides."""
    iam = dev.account.client("iam")
    name = f"all-but-{action}"
    iam.create_user(UserName=name)
    statements = [{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": f"ebs:{action}", "Resource": "arn:aws:ec2:*::snapshot/*"}]
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=str({"Version": "2012-10-17", "Statement": statements}).replace("'", '"'))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    theirs = type(dev.account)(dev, key["AccessKeyId"], key["SecretAccessKey"]).client("ebs")
    pending = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
    token = listed(ebs, snapshot)[0]
    calls = {"ListSnapshotBlocks": lambda: theirs.list_snapshot_blocks(SnapshotId=snapshot),
             "ListChangedBlocks": lambda: theirs.list_changed_blocks(SecondSnapshotId=snapshot),
             "GetSnapshotBlock": lambda: theirs.get_snapshot_block(SnapshotId=snapshot, BlockIndex=0, BlockToken=token),
             "StartSnapshot": lambda: theirs.start_snapshot(VolumeSize=1), "PutSnapshotBlock": lambda: put(theirs, pending, 0, block(1)),
             "CompleteSnapshot": lambda: theirs.complete_snapshot(SnapshotId=pending, ChangedBlocksCount=1)}
    for called, call in calls.items():
        if called == action:
            assert refusal(call) == ("AccessDeniedException", "UNAUTHORIZED_ACCOUNT", 403)
            if called == "PutSnapshotBlock":
                put(ebs, pending, 0, block(1))
        else:
            call()


def test_keys(dev):
    stranger = type(dev.account)(dev, dev.account.key_id, "wrong").client("ebs")
    assert refusal(stranger.list_snapshot_blocks, SnapshotId=ABSENT) == ("InvalidSignatureException", None, 403)


def signed_put(dev, snapshot, data, signs=True, service="ebs", method="PUT", path=None, **headers):
    """A request whose body is not signed, as AWS's SDKs send blocks."""
    path = path or f"/snapshots/{snapshot}/blocks/0"
    sent = {"x-amz-Data-Length": str(len(data)), "x-amz-Checksum": checksum(data), "x-amz-Checksum-Algorithm": "SHA256", **headers,
            "X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}
    late = {} if signs else {"x-amz-Checksum": sent.pop("x-amz-Checksum")}
    request = botocore.awsrequest.AWSRequest(method, dev.url + path, sent, data)
    botocore.auth.SigV4Auth(botocore.credentials.Credentials(dev.account.key_id, dev.account.secret), service, REGION).add_auth(request)
    answer = dev.account.send(method, path, {**dict(request.headers.items()), **late}, data)
    return answer.status, answer.headers.get("x-amzn-ErrorType")


def test_unsigned_bodies(dev, ebs):
    """Blocks alone may be left out of the signature, and only if their checksum is in it."""
    made, refused = ebs.start_snapshot(VolumeSize=1)["SnapshotId"], (403, "InvalidSignatureException")
    assert signed_put(dev, made, block(1)) == (201, None)
    assert signed_put(dev, made, block(2), **{"x-amz-Checksum": checksum(block(1))}) == (400, "ValidationException")
    assert signed_put(dev, made, block(2), signs=False) == refused
    assert signed_put(dev, made, b'{"VolumeSize": 1}', method="POST", path="/snapshots") == refused
    assert signed_put(dev, made, b"", method="POST", path=f"/snapshots/completion/{made}", **{"x-amz-ChangedBlocksCount": "1"}) == refused
    assert signed_put(dev, made, b"Action=DescribeVpcs&Version=2016-11-15", service="ec2", method="POST", path="/")[0] == 401
    ebs.complete_snapshot(SnapshotId=made, ChangedBlocksCount=1, Checksum=linear({0: block(1)}))


def test_64_connections(dev):
    """coldsnap opens that many: none is refused, while another account reads."""
    other = dev.new_account("beside")
    beside, blocks = write(other, {0: block(1)}), {k: block(400 + k) for k in range(96)}
    config = botocore.config.Config(retries={"max_attempts": 0}, max_pool_connections=64)
    ebs = boto3.client("ebs", region_name=REGION, endpoint_url=dev.url, aws_access_key_id=dev.account.key_id, aws_secret_access_key=dev.account.secret,
                       config=config)
    made = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        puts = [pool.submit(put, ebs, made, *item) for item in blocks.items()]
        assert read(other.client("ebs"), beside) == {0: block(1)}
        for sent in puts:
            sent.result()
        ebs.complete_snapshot(SnapshotId=made, ChangedBlocksCount=len(blocks), Checksum=linear(blocks))
        wait_for(dev.account, made)
        tokens = listed(ebs, made)
        found = pool.map(lambda k: ebs.get_snapshot_block(SnapshotId=made, BlockIndex=k, BlockToken=tokens[k])["BlockData"].read(), blocks)
        assert list(found) == list(blocks.values())


def test_presigned(dev, ebs, snapshot):
    token = listed(ebs, snapshot)[0]
    url = ebs.generate_presigned_url("get_snapshot_block", {"SnapshotId": snapshot, "BlockIndex": 0, "BlockToken": token})
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == block(1)


def test_pending_ones_on_other_faces(dev, ebs):
    """Shown as being created, of no use yet, and deleted with their files."""
    ec2, store = dev.account.client(), os.path.join(os.path.dirname(dev.config), "images")
    made = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
    put(ebs, made, 0, block(1))
    zone = ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
    assert refusal(ec2.create_volume, SnapshotId=made, AvailabilityZone=zone)[0] == "IncorrectState"
    assert refusal(ec2.copy_snapshot, SourceSnapshotId=made, SourceRegion=REGION)[0] == "IncorrectState"
    before = set(os.listdir(store))
    ec2.delete_snapshot(SnapshotId=made)
    dev.rest()
    assert refusal(put, ebs, made, 0, block(1)) == GONE
    gone = before - set(os.listdir(store))
    assert sorted(name.rpartition(".")[2] for name in gone) == ["blocks", "digests"]


def test_quota(dev):
    """The whole size counts until the file is made; then its real size does."""
    account = dev.new_account("small")
    number = account.client("sts").get_caller_identity()["Account"]
    operator = native.admin(dev)
    where = next(a["id"] for a in operator.rows("/accounts?fields=*") if a["number"] == number)
    operator.api_ok("PATCH", f"/accounts/{where}/limits", {"disk_bytes": 3 << 30})
    ebs = account.client("ebs")
    first = ebs.start_snapshot(VolumeSize=2)["SnapshotId"]
    assert refusal(ebs.start_snapshot, VolumeSize=2)[0] == "ServiceQuotaExceededException"
    put(ebs, first, 0, block(1))
    ebs.complete_snapshot(SnapshotId=first, ChangedBlocksCount=1)
    wait_for(account, first)
    ebs.start_snapshot(VolumeSize=2)


# ---- a killed server

def test_killed_between_blocks(tmp_path):
    """Acknowledged blocks survive kill -9, and the client goes on writing."""
    blocks = {k: block(300 + k) for k in range(6)}
    options = ("--data", str(tmp_path / "region"))
    with Dev(*options) as region:
        ebs = region.account.client("ebs")
        made = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
        for k in range(4):
            put(ebs, made, k, blocks[k])
        region.process.send_signal(signal.SIGKILL)
        region.process.wait()
    with Dev(*options) as region:
        ebs = region.account.client("ebs")
        for k in (4, 5):
            put(ebs, made, k, blocks[k])
        ebs.complete_snapshot(SnapshotId=made, ChangedBlocksCount=6, Checksum=linear(blocks))
        wait_for(region.account, made)
        assert read(ebs, made) == blocks


def test_files_of_no_row(tmp_path):
    """A block that was on its way when its snapshot was deleted makes files: they go with the next start, and those of a pending snapshot stay."""
    options, absent = ("--data", str(tmp_path / "region")), "snapshot-0123abcd-0000-4000-8000-000000000000"
    with Dev(*options) as region:
        ebs = region.account.client("ebs")
        made = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
        put(ebs, made, 0, block(1))
        store = os.path.join(os.path.dirname(region.config), "images")
    kept = {name for name in os.listdir(store) if name.startswith("snapshot-")}
    assert len(kept) == 2
    for suffix in (".blocks", ".digests"):
        with open(os.path.join(store, absent + suffix), "wb"):
            pass
    with Dev(*options) as region:
        region.rest()
        waiting.wait_until(lambda: {n for n in os.listdir(store) if n.startswith("snapshot-")} == kept, "the files of no row are removed", of=region)
        region.account.client("ebs").complete_snapshot(SnapshotId=made, ChangedBlocksCount=1)
        wait_for(region.account, made)


def test_blocks_of_another_boot(dev, ebs):
    """After a restart of the machine acknowledged blocks may be missing, which the file of digests tells by its boot."""
    made = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
    put(ebs, made, 0, block(1))
    store = os.path.join(os.path.dirname(dev.config), "images")
    digests, = (name for name in os.listdir(store) if name.endswith(".digests") and open(os.path.join(store, name), "rb").read(4096 + 32)[4096:] == hashlib.sha256(
        block(1)).digest() and os.path.getmtime(os.path.join(store, name)) == max(
            os.path.getmtime(os.path.join(store, n)) for n in os.listdir(store) if n.endswith(".digests")))
    with open(os.path.join(store, digests), "r+b") as file:
        file.write(b"00000000-0000-4000-8000-000000000000")
    lost = ("ValidationException", "INVALID_PARAMETER_VALUE", 400)
    assert refusal(put, ebs, made, 1, block(1)) == lost
    assert refusal(ebs.complete_snapshot, SnapshotId=made, ChangedBlocksCount=1) == lost
    dev.account.client().delete_snapshot(SnapshotId=made)
    dev.rest()
    assert digests not in os.listdir(store)


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

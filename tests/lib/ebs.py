# SPDX-License-Identifier: Apache-2.0
"""EBS direct with the standard library alone, where boto3 would refuse the request or repeat it: requests from the tables of `dari dump ebs`."""
import base64
import hashlib
import json
import urllib.parse

import dev as lib
import waiting

BLOCK = 512 * 1024
ABSENT = "snap-0123456789abcdef0"
HEADERS = {"DataLength": "x-amz-Data-Length", "Progress": "x-amz-Progress", "Checksum": "x-amz-Checksum", "ChecksumAlgorithm": "x-amz-Checksum-Algorithm",
           "ChecksumAggregationMethod": "x-amz-Checksum-Aggregation-Method", "ChangedBlocksCount": "x-amz-ChangedBlocksCount"}


def checksum(data):
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


class Answer:
    def __init__(self, answer):
        self.status, self.headers, self.text = answer.status, answer.headers, answer.text
        self.is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        self.json = json.loads(self.text) if self.is_json and self.text else {}
        self.code, self.message = self.headers.get("x-amzn-ErrorType", ""), self.json.get("Message", "")
        self.reason = self.json.get("Reason")

    def __repr__(self):
        return f"{self.status} {self.code} {self.text[:300]}"


def send(account, method, path, query="", body=b"", headers=None, service="ebs"):
    sent = {**account.sign(method, query, body, service, urllib.parse.quote(path, safe="/-_.~")), **(headers or {})}
    return Answer(account.send(method, path + ("?" + query if query else ""), sent, body))


def call(account, action, values, more="", headers=None, raw=None):
    """Sends the action of the tables. values: its parameters, and `body` for the bytes of a block; more: further query."""
    values = {k: v for k, v in values.items() if v is not None}
    path, body, sent, pairs = action["path"], values.pop("body", b""), dict(headers or {}), []
    for name in [n for n in values if "{" + n + "}" in path]:
        path = path.replace("{" + name + "}", lib.quote(values.pop(name)))
    if action["name"] == "StartSnapshot":
        body, values = json.dumps(values).encode(), {}
        sent["Content-Type"] = "application/json"
    for name, value in sorted(values.items()):
        if name in HEADERS:
            sent[HEADERS[name]] = str(value)
        else:
            pairs.append(f"{lib.quote(name)}={lib.quote(value)}")
    query = "&".join(sorted([*pairs, *([more] if more else [])]))
    return send(account, action["method"], path, query, body if raw is None else raw, sent)


def content(client, snapshot, size):
    """The first bytes of a snapshot, read block by block with boto3's client."""
    found, more = bytearray(size), {}
    while True:
        page = client.list_snapshot_blocks(SnapshotId=snapshot, **more)
        for index, token in [(b["BlockIndex"], b["BlockToken"]) for b in page["Blocks"] if b["BlockIndex"] * BLOCK < size]:
            data = client.get_snapshot_block(SnapshotId=snapshot, BlockIndex=index, BlockToken=token)["BlockData"].read()
            found[index * BLOCK:(index + 1) * BLOCK] = data[:size - index * BLOCK]
        if "NextToken" not in page:
            return bytes(found)
        more = {"NextToken": page["NextToken"]}


class World:
    """An account's snapshots: `done`, `child` written over it, and three that are pending; and a token of block 0 of `done`."""

    def __init__(self, account, actions):
        self.account, self.actions = account, actions
        self.data = b"dari" * (BLOCK // 4)
        self.done = self.write()
        self.child = self.write(self.done)
        self.pending, self.written, self.empty = (self.start() for _ in range(3))
        self.token = self.ok("ListSnapshotBlocks", {"snapshotId": self.done})["Blocks"][0]["BlockToken"]

    def ok(self, name, values):
        answer = call(self.account, self.actions[name], values)
        assert answer.status < 300, f"{name}: {answer}"
        return answer.json

    def start(self, parent=None):
        return self.ok("StartSnapshot", {"VolumeSize": 1, "ParentSnapshotId": parent})["SnapshotId"]

    def put(self, snapshot, index=0):
        return {"snapshotId": snapshot, "blockIndex": index, "DataLength": BLOCK, "Checksum": checksum(self.data), "ChecksumAlgorithm": "SHA256", "body": self.data}

    def write(self, parent=None):
        made = self.start(parent)
        self.ok("PutSnapshotBlock", self.put(made))
        self.ok("CompleteSnapshot", {"snapshotId": made, "ChangedBlocksCount": 1})
        waiting.wait_until(lambda: "<status>completed<" in self.snapshots({"SnapshotId.1": made}), f"{made} is completed", of=self.account.dev)
        return made

    def snapshots(self, asked=None):
        """The account's snapshots as EC2 shows them."""
        return self.account.ok("DescribeSnapshots", asked or {"Owner.1": "self"}).same()

    def values(self, name):
        """Parameters of a call that is answered with success."""
        return {"ListSnapshotBlocks": {"snapshotId": self.done}, "ListChangedBlocks": {"firstSnapshotId": self.done, "secondSnapshotId": self.child},
                "GetSnapshotBlock": {"snapshotId": self.done, "blockIndex": 0, "blockToken": self.token},
                "StartSnapshot": {"VolumeSize": 1, "ParentSnapshotId": self.done}, "PutSnapshotBlock": self.put(self.written),
                "CompleteSnapshot": {"snapshotId": self.empty, "ChangedBlocksCount": 0}}[name]

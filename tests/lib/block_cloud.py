# SPDX-License-Identifier: Apache-2.0
"""A cloud elsewhere whose snapshots have blocks. Simulated hosts have none, so that a proxy in front of such a region answers for EBS direct: each snapshot is
a copy of its volume's blocks at the time of CreateSnapshots. EC2's calls go to the region."""
import base64
import hashlib
import json
import re
import urllib.parse

import elsewhere

BLOCK = 512 * 1024


def block(text):
    """A block of that text, repeated."""
    return (text.encode() * (BLOCK // len(text) + 1))[:BLOCK]


class BlockCloud(elsewhere.Proxy):
    """disks: blocks by index, by volume. `meddle(method, path, body)`, called first, may answer in place of the cloud."""

    def __init__(self, there, page=1000):
        super().__init__(there)
        self.page, self.disks, self.points, self.reads = page, {}, {}, []
        self.meddle, self.damage = lambda *_: None, lambda index, data: data
        self.spoil, self.change = self.answer, self.note

    def note(self, path, body, answer):
        """Freezes the disks of new snapshots."""
        if b"Action=CreateSnapshots" in body and answer:
            for snapshot, volume in re.findall(r"<snapshotId>(snap-\w+)</snapshotId>.*?<volumeId>(vol-\w+)</volumeId>", answer.decode(), re.DOTALL):
                self.points.setdefault(snapshot, dict(self.disks.get(volume, {})))
        return answer

    def answer(self, method, path, body):
        own = self.meddle(method, path, body)
        if own or not path.startswith("/snapshots/"):
            return own
        url = urllib.parse.urlsplit(path)
        asked = dict(urllib.parse.parse_qsl(url.query))
        words = url.path.split("/")
        if words[2] not in self.points:
            return self.fail(404, "ResourceNotFoundException", "The snapshot does not exist.")
        if words[3] == "changedblocks":
            return self.list_changes(self.points.get(asked["firstSnapshotId"]), self.points[words[2]], words[2], asked)
        return self.read(words[2], int(words[4]), asked) if len(words) > 4 else self.list(words[2], asked)

    def fail(self, status, code, message):
        return status, {"Content-Type": "application/json", "x-amzn-ErrorType": code}, json.dumps({"Message": message}).encode()

    def pages(self, member, items, asked):
        from_index = int(asked.get("pageToken") or asked.get("startingBlockIndex") or 0)
        items = [i for i in items if i["BlockIndex"] >= from_index]
        answer = {member: items[:self.page], "BlockSize": BLOCK, "VolumeSize": 1, "ExpiryTime": 4e9}
        if len(items) > self.page:
            answer["NextToken"] = str(items[self.page]["BlockIndex"])
        return 200, {"Content-Type": "application/json"}, json.dumps(answer).encode()

    def list(self, snapshot, asked):
        return self.pages("Blocks", [{"BlockIndex": k, "BlockToken": f"{snapshot}+{k}="} for k in sorted(self.points[snapshot])], asked)

    def list_changes(self, first, second, snapshot, asked):
        if first is None:
            return self.fail(404, "ResourceNotFoundException", "The first snapshot does not exist.")
        changed = [k for k in sorted({*first, *second}) if first.get(k) != second.get(k)]
        items = [{"BlockIndex": k, **({"FirstBlockToken": "f"} if k in first else {}), **({"SecondBlockToken": f"{snapshot}+{k}="} if k in second else {})}
                 for k in changed]
        return self.pages("ChangedBlocks", items, asked)

    def read(self, snapshot, index, asked):
        assert asked["blockToken"] == f"{snapshot}+{index}=", asked
        data = self.points[snapshot][index]
        self.reads.append((snapshot, index))
        checksum = base64.b64encode(hashlib.sha256(data).digest()).decode()
        return 200, {"Content-Type": "application/octet-stream", "x-amz-Data-Length": str(BLOCK), "x-amz-Checksum": checksum,
                     "x-amz-Checksum-Algorithm": "SHA256"}, self.damage(index, data)

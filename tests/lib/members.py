# SPDX-License-Identifier: Apache-2.0
"""Several `dari` of one region on one PostgreSQL, calls of stock clients that try one after the other, and the check that no answered change is lost or
made twice."""
import os
import re
import shutil
import signal
import subprocess
import threading
import time

import boto3
import botocore.config
import botocore.exceptions

from dev import DARI, Dev, end_with_parent
import waiting

RESTART_S = 4  # as if a machine started again, long after another member has taken over
SHARED = ("dev.yaml", "master.key", "bearer.key")  # what the machines of a region share besides the database


class Member:
    """A `dari dev` of the region, with a supervisor: a process that ends because another one writes starts again."""

    def __init__(self, folder, port, program=DARI):
        self.folder, self.port, self.program, self.process, self.statuses = folder, port, program, None, []
        self.is_wanted = True
        self.start()
        threading.Thread(target=self.supervise, daemon=True).start()

    def start(self):
        self.errors = open(self.folder / "log", "ab")  # pylint: disable=consider-using-with
        self.process = subprocess.Popen([self.program, "dev", "--port", str(self.port), "--data", self.folder, "--instant"],
                                        stdout=self.errors, stderr=self.errors, preexec_fn=end_with_parent)

    def supervise(self):
        while True:
            status = self.process.wait()
            self.statuses.append(status)
            if self.is_wanted:
                time.sleep(RESTART_S)
            if not self.is_wanted:
                return
            self.start()

    def kill(self, number=signal.SIGKILL):
        """Signals the process of now, which the supervisor starts again."""
        self.process.send_signal(number)

    def change(self, program):
        """Ends the process as systemd does, and starts another version of the program in its place."""
        self.program, ended = program, self.process
        ended.send_signal(signal.SIGTERM)
        waiting.wait_until(lambda: self.process is not ended, "the member starts again", of=os.getpid())

    def end(self):
        self.is_wanted = False
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(signal.SIGTERM)
        waiting.wait_until(lambda: self.process.poll() is not None, "dari ends", of=os.getpid())

    def log(self):
        return (self.folder / "log").read_text()


class Region:
    """Three members, and calls of stock clients that try one member after the other."""

    def __init__(self, server, name, room, program=DARI):
        self.server, self.name = server, name
        url = server.create(name)
        ports = [free_port() for _ in range(3)]
        folders = [room / str(k) for k in range(3)]
        with Dev("--data", str(folders[0]), "--store", url, program=program) as first:
            self.key = first.account.key_id, first.account.secret
            self.image = first.account.client().describe_images()["Images"][0]["ImageId"]
        for folder in folders[1:]:
            folder.mkdir(mode=0o700)
            for file in SHARED:
                if (folders[0] / file).exists():
                    shutil.copy(folders[0] / file, folder)
        note_batches(server, name)
        self.members = [Member(folder, port, program) for folder, port in zip(folders, ports)]

    def client(self, k, answer_s=30):
        return boto3.client("ec2", endpoint_url=f"http://127.0.0.1:{self.members[k].port}", region_name="us-east-1", aws_access_key_id=self.key[0],
                            aws_secret_access_key=self.key[1], config=botocore.config.Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=answer_s))

    def writer(self):
        """The member that holds the lease, if one does."""
        row = self.server.sql(self.name, "SELECT address FROM writer_lease WHERE expires > clock_timestamp()")
        return next((m for m in self.members if row and row[0].endswith(f":{m.port}")), None)

    def await_writer(self, other_than=None):
        waiting.wait_until(lambda: self.writer() not in (None, other_than), "a member becomes the writer", of=os.getpid(), every_s=0.05)
        return self.writer()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for member in self.members:
            member.end()
        for member in self.members:
            print(member.port, *re.findall("^(?:time|dari).*", member.log(), re.MULTILINE), sep="\n")


def find_longest_gap(times, since):
    """The longest time without an answer: when it ended, and how many seconds it took."""
    ends = [since, *sorted(at for at in times if at > since)]
    return max(((later, later - earlier) for earlier, later in zip(ends, ends[1:])), key=lambda gap: gap[1], default=(since, 0))


def free_port():
    import socket  # pylint: disable=import-outside-toplevel
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


REFUSALS = (botocore.exceptions.ConnectionError, botocore.exceptions.HTTPClientError, botocore.exceptions.ReadTimeoutError)


class Load:
    """Clients that launch instances and make key pairs through one member after the other, and remember the answers."""

    def __init__(self, region, threads=3, pause_s=0):
        """pause_s: between an answer and the next change, for runs so long that they would fill the hosts."""
        self.region, self.stops, self.pause_s = region, False, pause_s
        self.launched, self.keys, self.open_keys, self.wrong, self.answered = {}, [], [], [], []
        self.threads = [threading.Thread(target=self.run, args=(k,)) for k in range(threads)]

    def call(self, clients, k, do):
        """Repeats a call at the next member until it is answered. Returns the answer and whether an earlier attempt has an open outcome."""
        is_open = False
        for attempt in range(10000):
            asked_at = time.monotonic()
            try:
                answer = do(clients[(k + attempt) % 3])
                self.answered.append((asked_at, time.monotonic()))
                return answer, is_open
            except REFUSALS:
                is_open = True
            except botocore.exceptions.ClientError as e:
                if e.response["Error"]["Code"] == "InvalidKeyPair.Duplicate" and is_open:
                    return None, True
                if e.response["ResponseMetadata"]["HTTPStatusCode"] != 503:
                    self.wrong.append(str(e))
                    return None, True
                is_open = is_open or "not known" in str(e)
            if attempt % 3 == 2:
                time.sleep(0.05)
        raise AssertionError("no member answers")

    def run(self, thread):
        clients = [self.region.client(k, answer_s=5) for k in range(3)]
        n = 0
        while not self.stops:
            n += 1
            token, name = f"t{thread}-{n}", f"k{thread}-{n}"
            answer, _ = self.call(clients, n, lambda ec2: ec2.run_instances(
                ImageId=self.region.image, InstanceType="t3.nano", MinCount=1, MaxCount=1, ClientToken=token))  # pylint: disable=cell-var-from-loop
            if answer:
                self.launched[token] = answer["Instances"][0]["InstanceId"]
            answer, is_open = self.call(clients, n + 1, lambda ec2: ec2.create_key_pair(KeyName=name, KeyType="ed25519"))  # pylint: disable=cell-var-from-loop
            (self.open_keys if is_open else self.keys).append(name)
            time.sleep(self.pause_s)

    def longest_gap(self, since):
        """Seconds without an answered change."""
        return find_longest_gap([ended for _, ended in list(self.answered)], since)[1]

    def await_more(self, count=3):
        """Waits until changes that clients begin from now on are answered; returns the seconds until the first answer."""
        since = time.monotonic()

        def later():
            return [ended - since for asked, ended in self.answered if asked > since]
        waiting.wait_until(lambda: len(later()) >= count, "changes are answered", of=os.getpid(), every_s=0.02)
        return min(later())

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stops = True
        for thread in self.threads:
            thread.join()


def check(region, load):
    """No answered change is missing or there twice, and each batch has one writer."""
    region.await_writer()
    ec2 = region.client(region.members.index(region.writer()))
    found = {}
    for page in ec2.get_paginator("describe_instances").paginate():
        for reservation in page["Reservations"]:
            for instance in reservation["Instances"]:
                assert instance["ClientToken"] not in found, "launched twice"
                found[instance["ClientToken"]] = instance["InstanceId"]
    assert {token: found.get(token) for token in load.launched} == load.launched
    names = [key["KeyName"] for key in ec2.describe_key_pairs()["KeyPairs"]]
    assert len(names) == len(set(names)) and set(load.keys) <= set(names)
    assert not load.wrong, load.wrong
    check_batches(region)


def note_batches(server, database):
    """A trigger notes each batch with its writer's epoch, for check_batches()."""
    server.sql(database, "CREATE TABLE oracle (epoch BIGINT, batch BIGINT);"
               "CREATE FUNCTION note_oracle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
               " IF NEW.batch <> OLD.batch THEN INSERT INTO oracle VALUES (NEW.epoch, NEW.batch); END IF; RETURN NULL; END $$;"
               "CREATE TRIGGER notes AFTER UPDATE ON writer FOR EACH ROW EXECUTE FUNCTION note_oracle()")


def check_batches(region):
    """Each batch has one writer, and epochs never fall."""
    notes = [tuple(map(int, line.split("|"))) for line in region.server.sql(region.name, "SELECT epoch, batch FROM oracle ORDER BY batch, epoch")]
    batches = [batch for _, batch in notes]
    assert batches == list(range(batches[0], batches[0] + len(batches))), "a batch is missing, or of two writers"
    assert [epoch for epoch, _ in notes] == sorted(epoch for epoch, _ in notes)

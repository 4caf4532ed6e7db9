# SPDX-License-Identifier: Apache-2.0
"""Stock clients of four faces that create and delete resources through each `dari` of a region in turn, remember every answer, and compare the answers
with what the region has in the end."""
import collections
import json
import subprocess
import threading
import time
import urllib.parse
import urllib.request

import azure.core.exceptions
from azure.core.credentials import AzureKeyCredential
from azure.core.pipeline.policies import HeadersPolicy
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.resource import ResourceManagementClient, SubscriptionClient
import boto3
import botocore.config
import botocore.exceptions
import cs
import keystoneauth1.exceptions
import openstack
import openstack.exceptions

from members import Load, find_longest_gap
from waiting import HANG_S

ANSWER_S = 5   # a client's patience
PULSE_S, PULSE_EVERY_S = 1, 0.2
KEPT = 3       # resources that a client has before it begins to delete the oldest
HTTP_UNAVAILABLE, CLOUDSTACK_UNAVAILABLE = 503, 534
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFx7RgJgXVAhdTTv6VgMqgDwNGLOXxDPLFPrBcCjEO4k test"


# A refusal or a lost connection, in the libraries' own classes.
LOST = (OSError, botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError, openstack.exceptions.SDKException,
        keystoneauth1.exceptions.ClientException, cs.CloudStackException, azure.core.exceptions.AzureError)


class Ec2:
    """Security groups, by boto3."""

    def __init__(self, url, account):
        config = botocore.config.Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=ANSWER_S)
        self.client = boto3.client("ec2", endpoint_url=url, region_name="us-east-1", aws_access_key_id=account.key[0], aws_secret_access_key=account.key[1],
                                   config=config)

    def create(self, name):
        return self.client.create_security_group(GroupName=name, Description=name)["GroupId"]

    def delete(self, _, identifier):
        self.client.delete_security_group(GroupId=identifier)

    def names(self):
        return [g["GroupName"] for page in self.client.get_paginator("describe_security_groups").paginate() for g in page["SecurityGroups"]]

    @staticmethod
    def status(error):
        return error.response["ResponseMetadata"]["HTTPStatusCode"] if isinstance(error, botocore.exceptions.ClientError) else None


class Neutron:
    """Networks, by openstacksdk."""

    def __init__(self, url, account):
        self.url = f"{url}/network/v2.0"
        self.client = openstack.connection.Connection(
            auth={"auth_url": f"{url}/identity/v3", "username": account.user, "password": account.password, "project_name": account.name,
                  "user_domain_id": "default", "project_domain_id": "default"},
            network_endpoint_override=self.url, api_timeout=ANSWER_S, network_api_version="2", region_name="us-east-1")
        self.client.authorize()

    def ask(self, method, path, **more):
        """The library's own methods send a request again after a lost connection, which may make two networks. A whole URL, because the library takes
        another path for the API when it cannot reach the machine to ask for versions."""
        answer = self.client.network.request(self.url + path, method, connect_retries=0, **more)
        openstack.exceptions.raise_from_response(answer)
        return answer

    def create(self, name):
        return self.ask("POST", "/networks", json={"network": {"name": name}}).json()["network"]["id"]

    def delete(self, _, identifier):
        self.ask("DELETE", f"/networks/{identifier}")

    def names(self):
        return [n["name"] for n in self.ask("GET", "/networks").json()["networks"]]

    @staticmethod
    def status(error):
        return getattr(error, "status_code", None) or getattr(error, "http_status", None)


class CloudStack:
    """Volumes, by cs. A volume that was never attached has no disk yet."""

    def __init__(self, url, account):
        self.client = cs.CloudStack(endpoint=f"{url}/client/api", key=account.key[0], secret=account.key[1], timeout=ANSWER_S)
        self.zone = self.client.listZones()["zone"][0]["id"]
        offerings = self.client.listDiskOfferings()["diskoffering"]
        self.offering = next(o for o in offerings if o["iscustomized"])["id"]

    def create(self, name):
        return self.client.createVolume(name=name, zoneid=self.zone, diskofferingid=self.offering, size=1, fetch_result=False)["id"]

    def delete(self, _, identifier):
        self.client.deleteVolume(id=identifier)

    def names(self):
        return [v["name"] for v in self.client.listVolumes(fetch_list=True)]

    @staticmethod
    def status(error):
        if not isinstance(error, cs.CloudStackException):
            return None
        return HTTP_UNAVAILABLE if error.response.status_code == CLOUDSTACK_UNAVAILABLE else error.response.status_code


def token_of(url, account):
    form = {"grant_type": "client_credentials", "client_id": account.key[0], "client_secret": account.key[1], "scope": f"{url}//.default"}
    with urllib.request.urlopen(f"{url}/adfs/oauth2/token", urllib.parse.urlencode(form).encode(), timeout=HANG_S) as answer:
        return json.load(answer)["access_token"]


class Azure:
    """SSH keys, by Azure's SDK."""
    GROUP = "load"

    def __init__(self, url, account):
        # The SDK's own policy sends tokens over TLS only.
        policy = HeadersPolicy({"Authorization": f"Bearer {token_of(url, account)}"})
        more = {"base_url": url, "credential_scopes": [f"{url}//.default"], "authentication_policy": policy, "retry_total": 0, "connection_timeout": 2,
                "read_timeout": ANSWER_S}
        credential = AzureKeyCredential("-")
        subscription = next(iter(SubscriptionClient(credential, **more).subscriptions.list())).subscription_id
        self.groups = ResourceManagementClient(credential, subscription, **more).resource_groups
        self.client = ComputeManagementClient(credential, subscription, **more).ssh_public_keys

    def begin(self):
        self.groups.create_or_update(self.GROUP, {"location": "us-east-1"})

    def create(self, name):
        return self.client.create(self.GROUP, name, {"location": "us-east-1", "public_key": PUBLIC_KEY}).id

    def delete(self, name, _):
        self.client.delete(self.GROUP, name)

    def names(self):
        return [k.name for k in self.client.list_by_resource_group(self.GROUP)]

    @staticmethod
    def status(error):
        return error.status_code if isinstance(error, azure.core.exceptions.HttpResponseError) else None


FACES = [Ec2, Neutron, CloudStack, Azure]


class Words:
    """A client's resources by name, and how the last change of each ended."""

    def __init__(self):
        self.there, self.gone, self.open = {}, set(), set()
        self.refused, self.wrong = set(), []


class FacesLoad(Load):
    """A thread a face. A change whose outcome a client did not learn is not repeated: its resource may be there once, or not. A refused change must leave
    nothing behind."""

    def __init__(self, region, account, word, pause_s):
        self.region, self.account, self.word, self.pause_s = region, account, word, pause_s
        self.stops, self.answered = False, []
        self.clients = {face: [face(f"http://{m.address}:{m.port}", account) for m in region.members] for face in FACES}
        for clients in self.clients.values():
            getattr(clients[0], "begin", lambda: None)()
        self.words = {face: Words() for face in FACES}
        self.threads = [threading.Thread(target=self.run, args=(face,)) for face in FACES]

    def change(self, face, words, name, do):
        """Returns what the call answered; None: it was refused, or its outcome is not known."""
        asked_at = time.monotonic()
        try:
            answer = do() or name
            self.answered.append((asked_at, time.monotonic()))
            return answer
        except LOST as error:
            status = face.status(error)
            if status == HTTP_UNAVAILABLE and "not known" not in f"{error} {vars(error)}":
                words.refused.add(name)
            else:
                words.open.add(name)
                if status not in (None, HTTP_UNAVAILABLE):
                    words.wrong.append(f"{name}: {status} {error} {vars(error)}")
            return None

    def run(self, face):
        try:
            self.change_on(face)
        except BaseException as error:
            self.words[face].wrong.append(f"{face.__name__}: the client ended: {error!r}")
            raise

    def change_on(self, face):
        words, identifiers, count = self.words[face], collections.OrderedDict(), 0
        while not self.stops:
            count += 1
            name = f"{self.word}-{face.__name__.lower()}-{count}"
            client = self.clients[face][(count + FACES.index(face)) % len(self.region.members)]  # not all faces at one machine
            made = self.change(face, words, name, lambda: client.create(name))  # pylint: disable=cell-var-from-loop
            if made:
                words.there[name] = identifiers[name] = made
            if len(identifiers) > KEPT:
                old, identifier = identifiers.popitem(last=False)
                del words.there[old]
                if self.change(face, words, old, lambda: client.delete(old, identifier)):  # pylint: disable=cell-var-from-loop
                    words.gone.add(old)
                elif old in words.refused:  # the deletion: it is still there
                    words.refused.remove(old)
                    words.there[old] = identifier
            time.sleep(self.pause_s)

    def mistakes(self):
        """Sentences about answers that the region does not keep."""
        found = []
        client_of_writer = self.region.members.index(self.region.await_writer())
        for face, words in self.words.items():
            counts = collections.Counter(n for n in self.clients[face][client_of_writer].names() if n.startswith(f"{self.word}-"))
            known = set(words.there) | words.gone | words.open | words.refused
            found += words.wrong
            found += [] if words.there or words.gone else [f"{face.__name__}: no change was answered"]
            found += [f"{name} is there {counts[name]} times" for name in words.there if counts[name] != 1]
            found += [f"{name} was deleted, and is there" for name in words.gone if counts[name]]
            found += [f"{name} was refused, and is there" for name in words.refused if counts[name]]
            found += [f"{name} is there {counts[name]} times" for name in words.open if counts[name] > 1]
            found += [f"{name} was never asked for" for name in counts if name not in known]
        return found

    def count(self):
        """Numbers of answered, refused and open changes, by face."""
        return {face.__name__: (len(w.there) + 2 * len(w.gone), len(w.refused), len(w.open)) for face, w in self.words.items()}

    def clear(self):
        """Deletes what is left."""
        client_of_writer = self.region.members.index(self.region.await_writer())
        for face, words in self.words.items():
            for name, identifier in words.there.items():
                self.clients[face][client_of_writer].delete(name, identifier)


class Pulse:
    """A client at each `dari` that tags a VPC again and again and gives up after a second. gap() is the region's own: other clients wait for a
    machine that is cut off while the next one would answer."""

    def __init__(self, region, account):
        config = botocore.config.Config(retries={"total_max_attempts": 1}, connect_timeout=PULSE_S, read_timeout=PULSE_S)
        self.clients = [boto3.client("ec2", endpoint_url=f"http://{m.address}:{m.port}", region_name="us-east-1", aws_access_key_id=account.key[0],
                                     aws_secret_access_key=account.key[1], config=config) for m in region.members]
        self.vpc = self.clients[0].describe_vpcs()["Vpcs"][0]["VpcId"]
        self.stops, self.answered = False, []
        self.threads = [threading.Thread(target=self.run, args=(client,)) for client in self.clients]

    def run(self, client):
        count = 0
        while not self.stops:
            count += 1
            try:
                client.create_tags(Resources=[self.vpc], Tags=[{"Key": "pulse", "Value": str(count)}])
                self.answered.append(time.monotonic())
            except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
                pass
            time.sleep(PULSE_EVERY_S)

    def gap(self, since):
        return find_longest_gap(list(self.answered), since)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stops = True
        for thread in self.threads:
            thread.join()


class DatabasePulse:
    """A client of the database itself, which commits a row again and again: how long a fail-over lasts without `dari`. It gives up after two seconds, and
    after five on a connection whose cable was pulled."""

    def __init__(self, region):
        self.url = f"{region.server.url(region.name)}&target_session_attrs=read-write&connect_timeout=2&tcp_user_timeout=5000"
        region.server.sql(region.name, "CREATE TABLE IF NOT EXISTS pulse (at TIMESTAMPTZ)")
        self.stops, self.answered = False, []
        self.thread = threading.Thread(target=self.run)

    def run(self):
        statement = "SET statement_timeout = '2s'; INSERT INTO pulse VALUES (now())"
        while not self.stops:
            done = subprocess.run(["/usr/bin/psql", "-XAtq", "-v", "ON_ERROR_STOP=1", self.url, "-c", statement], capture_output=True, text=True, check=False)
            if done.returncode == 0 and "WARNING" not in done.stderr:  # a wait for the standby that is cut short is a warning
                self.answered.append(time.monotonic())
            time.sleep(PULSE_EVERY_S)

    def gap(self, since):
        return find_longest_gap(list(self.answered), since)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stops = True
        self.thread.join()


class Launches:
    """Launches a guest, waits until it runs, and terminates it, again and again. Each call is repeated at the next `dari` until it is answered."""

    def __init__(self, region, account, image, word):
        self.region, self.image, self.word, self.stops = region, image, word, False
        self.clients = [Ec2(f"http://{m.address}:{m.port}", account).client for m in region.members]
        self.launched, self.wrong = {}, []
        self.thread = threading.Thread(target=self.run)

    def call(self, do):
        attempt = 0
        while True:
            try:
                return do(self.clients[attempt % len(self.clients)])
            except botocore.exceptions.ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] != HTTP_UNAVAILABLE:
                    self.wrong.append(str(error))
                    return None
            except (botocore.exceptions.ConnectionError, botocore.exceptions.HTTPClientError):
                pass
            attempt += 1
            time.sleep(0.2)

    def state(self, identifier):
        answer = self.call(lambda ec2: ec2.describe_instances(Filters=[{"Name": "instance-id", "Values": [identifier]}]))
        found = [i["State"]["Name"] for r in answer["Reservations"] for i in r["Instances"]] if answer else []
        return found[0] if found else "absent"

    def run(self):
        count = 0
        while not self.stops:
            count += 1
            token = f"{self.word}-{count}"
            answer = self.call(lambda ec2: ec2.run_instances(ImageId=self.image, InstanceType="t2.nano", MinCount=1, MaxCount=1, ClientToken=token))  # pylint: disable=cell-var-from-loop
            if not answer:
                return
            self.launched[token] = identifier = answer["Instances"][0]["InstanceId"]
            while not self.stops and self.state(identifier) in ("pending", "absent"):  # a follower may not have it yet
                time.sleep(0.5)
            self.call(lambda ec2: ec2.terminate_instances(InstanceIds=[identifier]))  # pylint: disable=cell-var-from-loop

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stops = True
        self.thread.join()

    def mistakes(self):
        writer = self.clients[self.region.members.index(self.region.await_writer())]
        found = collections.defaultdict(set)
        for page in writer.get_paginator("describe_instances").paginate():
            for reservation in page["Reservations"]:
                for one in reservation["Instances"]:
                    found[one.get("ClientToken", "")].add(one["InstanceId"])
        return self.wrong + [f"{token}: {sorted(found[token])} instead of {identifier}" for token, identifier in self.launched.items()
                             if found[token] != {identifier}]

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/store src/daemon/writer.c src/daemon/follower/follower.c src/daemon/follower/follower_upload.c src/daemon/follower/follower_download.c src/daemon/follower/peer.c src/daemon/follower/peer_line.c src/daemon/run.c
"""Three `dari` on one PostgreSQL, of which one writes: kills, stops and ends of the writer under load."""
import concurrent.futures
import hashlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import botocore.exceptions
import openstack
import pytest
import requests
import websocket

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import DARI  # noqa: E402
from members import Load, REFUSALS, Region, check  # noqa: E402
from postgresql import Server  # noqa: E402
import waiting  # noqa: E402

REPLACED = 71  # exit status of a writer that another process replaced


@pytest.fixture(scope="module")
def server():
    with Server() as running:
        yield running


@pytest.fixture(name="region")
def make_region(server, tmp_path, request):
    with Region(server, request.node.name.replace("[", "").replace("]", ""), tmp_path) as region:
        region.await_writer()
        yield region


def look(member, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{member.port}{path}", timeout=waiting.HANG_S) as answer:
        return answer.read().decode()


def figure(member, name):
    return float(re.search(rf"^{name} (\S+)$", look(member, "/metrics"), re.MULTILINE)[1])


def health(member):
    try:
        return json.loads(look(member, "/healthz"))
    except OSError:  # it starts
        return {}


def status_of(member, path, headers, method="GET"):
    """Sends a head without its body."""
    connection = http.client.HTTPConnection("127.0.0.1", member.port, timeout=waiting.HANG_S)
    try:
        connection.putrequest(method, path)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def check_refusals(writer, follower):
    """No proof is better than a wrong one; the writer refuses an upload before its body."""
    for claim in ("192.0.2.1 https 1 00", "192.0.2.1", f"192.0.2.1 https {int(time.time())} {'0' * 64}"):
        status, words = status_of(writer, "/identity/v3", {"X-Dari-Peer": claim})
        assert (status, "does not believe" in words) == (503, True)
    status, words = status_of(follower, "/image/v2/images/00000000-0000-0000-0000-000000000000/file",
                              {"Content-Type": "application/octet-stream", "Content-Length": str(2 << 30)}, "PUT")
    assert (status, "authentication" in words.lower()) == (401, True)


def refused_words(member, *argv):
    done = subprocess.run([DARI, "--config", member.folder / "dev.yaml", *argv], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def check_follower(region, writer, follower):
    ec2 = region.client(region.members.index(follower))
    for n in range(5):
        made = ec2.run_instances(ImageId=region.image, InstanceType="t3.nano", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
        found = ec2.describe_instances(InstanceIds=[made])["Reservations"][0]["Instances"]
        assert [i["InstanceId"] for i in found] == [made]
        name = ec2.create_key_pair(KeyName=f"{follower.port}-{n}", KeyType="ed25519")["KeyName"]
        assert name in [k["KeyName"] for k in ec2.describe_key_pairs()["KeyPairs"]]
        ec2.delete_key_pair(KeyName=name)
        assert name not in [k["KeyName"] for k in ec2.describe_key_pairs()["KeyPairs"]]
    waiting.wait_until(lambda: health(follower)["lag"] == 0, "it has caught up", of=os.getpid())
    before = figure(writer, "dari_http_requests_total")
    for _ in range(20):
        ec2.describe_instances()
    assert figure(writer, "dari_http_requests_total") < before + 20
    passed = figure(follower, "dari_follower_passed_on_total")
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        ec2.describe_instances(InstanceIds=["i-00000000000000000"])
    assert refused.value.response["Error"]["Code"] == "InvalidInstanceID.NotFound"
    assert figure(follower, "dari_follower_passed_on_total") == passed + 1  # the writer may know more
    check_refusals(writer, follower)
    assert f":{writer.port}" in refused_words(follower, "host", "list")
    doctor = refused_words(follower, "doctor")
    assert re.search(rf"writer +http://127.0.0.1:{writer.port}, epoch \d+; this process follows", doctor), doctor


def test_followers(region):
    """Followers answer reads themselves, pass changes on, and show each client its own changes. Commands are refused with the writer's address."""
    writer = region.await_writer()
    for follower in region.members:
        if follower is not writer:
            waiting.wait_until(lambda: health(follower).get("role") == "follower", "a member follows", of=os.getpid())  # pylint: disable=cell-var-from-loop
            assert health(follower)["writer"].endswith(f":{writer.port}")
            check_follower(region, writer, follower)
    assert health(writer)["role"] == "writer"


def connect(region, writer, follower):
    """openstacksdk through a follower."""
    waiting.wait_until(lambda: health(follower).get("role") == "follower", "a member follows", of=os.getpid())
    waiting.wait_until(lambda: "Ready" in writer.log(), "the writer prints its passwords", of=os.getpid())
    password = re.findall(r"^export OS_PASSWORD=(\S+)", writer.log(), re.MULTILINE)[-1]
    return openstack.connection.Connection(auth={"auth_url": f"http://127.0.0.1:{follower.port}/identity/v3", "username": "dev", "password": password,
                                                 "project_name": "dev", "user_domain_name": "Default", "project_domain_name": "Default"},
                                           region_name="us-east-1", app_name="dari", app_version="1")


def test_openstack(region):
    """openstacksdk through a follower: the writer gives the token, the follower takes it and lists."""
    writer = region.await_writer()
    follower = next(m for m in region.members if m is not writer)
    cloud = connect(region, writer, follower)
    cloud.compute.create_keypair(name="through-a-follower")
    assert "through-a-follower" in [k.name for k in cloud.compute.keypairs()]
    served = figure(follower, "dari_follower_served_total")
    # the writer commits by itself, too, and a follower that is behind passes the reads of a caller who wrote on
    waiting.wait_until(lambda: not list(cloud.compute.servers()) and figure(follower, "dari_follower_served_total") > served, "it lists by itself", of=os.getpid())
    asked = urllib.request.Request(f"http://127.0.0.1:{follower.port}/identity/v3", headers={"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c",
                                                                                             "HTTP2-Settings": ""})
    with urllib.request.urlopen(asked, timeout=waiting.HANG_S) as answer:  # Java's client offers HTTP/2 so
        assert answer.status == 200


def new_image(cloud, name):
    made = cloud.image.post("/images", json={"name": name, "disk_format": "raw", "container_format": "bare"})
    assert made.status_code == 201, made.text
    return made.json()["id"]


def put_image(member, image, data, token):
    """Without the SDK, which sends again after a 503."""
    return requests.put(f"http://127.0.0.1:{member.port}/image/v2/images/{image}/file", data=data, timeout=waiting.HANG_S,
                        headers={"Content-Type": "application/octet-stream", "X-Auth-Token": token})


def pieces_of(data, then=lambda at: None, size=100_000):
    """Makes requests send chunks."""
    for at in range(0, len(data), size):
        then(at)
        yield data[at:at + size]


def cut_upload(member, path, token):
    """Sends a part of a body, and ends the connection."""
    connection = http.client.HTTPConnection("127.0.0.1", member.port, timeout=waiting.HANG_S)
    connection.putrequest("PUT", path)
    for name, value in (("X-Auth-Token", token), ("Content-Type", "application/octet-stream"), ("Content-Length", str(4 << 20))):
        connection.putheader(name, value)
    connection.endheaders()
    connection.send(os.urandom(1 << 20))
    connection.close()


def test_uploads(region):
    """Images through a follower: with a length and in chunks, several at once; refused before the body; cut; and with a writer that dies."""
    writer = region.await_writer()
    follower = next(m for m in region.members if m is not writer)
    cloud = connect(region, writer, follower)
    data, token = os.urandom(12 << 20), cloud.session.get_token()
    status = lambda image: cloud.image.get(f"/images/{image}").json()["status"]  # noqa: E731
    for sent in (data, pieces_of(data)):
        image = new_image(cloud, "through-a-follower")
        done = put_image(follower, image, sent, token)
        assert done.status_code == 204, done.text
        seen = cloud.image.get(f"/images/{image}").json()
        assert (seen["status"], seen["size"], seen["checksum"]) == ("active", len(data), hashlib.md5(data).hexdigest())
        assert cloud.image.get(f"/images/{image}/file").content == data
    length = {"Content-Type": "application/octet-stream", "Content-Length": str(2 << 30)}
    for path, wanted in ((f"/image/v2/images/{image}/file", 409), ("/image/v2/images/00000000-0000-0000-0000-000000000000/file", 404)):
        assert status_of(follower, path, {"X-Auth-Token": token, **length}, "PUT")[0] == wanted
    image = new_image(cloud, "cut")
    cut_upload(follower, f"/image/v2/images/{image}/file", token)
    waiting.wait_until(lambda: status(image) == "queued", "the half image is dropped", of=os.getpid())
    images = [new_image(cloud, f"at-once-{n}") for n in range(6)]
    with concurrent.futures.ThreadPoolExecutor(len(images)) as pool:
        assert [d.status_code for d in pool.map(lambda image: put_image(follower, image, data[:4 << 20], token), images)] == [204] * len(images)
    assert {status(image) for image in images} == {"active"}
    image = new_image(cloud, "its-writer-dies")
    done = put_image(follower, image, pieces_of(data, lambda at: writer.kill() if at == 6_000_000 else None), token)
    assert (done.status_code, "did not answer" in done.text) == (503, True), done.text
    region.await_writer(other_than=writer)


def get_image(member, image, token):
    return requests.get(f"http://127.0.0.1:{member.port}/image/v2/images/{image}/file", stream=True, timeout=waiting.HANG_S, headers={"X-Auth-Token": token})


def test_downloads(region):
    """An image that is larger than a follower may hold: whole, read slowly, left by its client, and with a writer that dies."""
    writer = region.await_writer()
    follower = next(m for m in region.members if m is not writer)
    cloud = connect(region, writer, follower)
    data, token, image = os.urandom(80 << 20), cloud.session.get_token(), new_image(cloud, "large")
    assert put_image(follower, image, data, token).status_code == 204
    digest = hashlib.md5(data).hexdigest()
    with get_image(follower, image, token) as got:
        assert (got.status_code, int(got.headers["Content-Length"]), got.headers["Content-MD5"]) == (200, len(data), digest)
        pieces = got.iter_content(100_000)
        seen = hashlib.md5(next(pieces))
        time.sleep(3)  # the writer has to wait, too
        for piece in pieces:
            seen.update(piece)
        assert seen.hexdigest() == digest
    with get_image(follower, image, token) as got:
        assert next(got.iter_content(100_000))
    size = 0
    with get_image(follower, image, token) as got:
        try:
            for piece in got.iter_content(100_000):
                size += len(piece)
                if size == len(piece):
                    writer.kill()
        except requests.exceptions.ChunkedEncodingError:  # what later versions of requests make of a short body
            pass
    assert 0 < size < len(data)
    region.await_writer(other_than=writer)


def hear(socket, words):
    data = b""
    while words not in data:
        piece = socket.recv()
        assert piece, f"the console ended after {data[-200:]!r}"
        data += piece if isinstance(piece, bytes) else piece.encode()
    return data


def test_console(region):
    """A serial console through a follower: long data both ways; the writer's refusals; and its end with the writer."""
    writer = region.await_writer()
    follower = next(m for m in region.members if m is not writer)
    cloud = connect(region, writer, follower)
    flavor = next(f for f in cloud.compute.flavors() if f.name == "t3.micro")
    server = cloud.compute.create_server(name="watched", image_id=next(cloud.image.images()).id, flavor_id=flavor.id, networks="auto")
    waiting.wait_until(lambda: cloud.compute.get_server(server).status == "ACTIVE", "the server runs", of=os.getpid())
    page = cloud.compute.create_console(server, "serial")["url"]
    query = page.partition("?")[2]
    url = f"ws://127.0.0.1:{follower.port}/console/websocket?{query}"
    socket = websocket.create_connection(url, timeout=waiting.HANG_S, subprotocols=["binary"])
    assert socket.getsubprotocol() == "binary"
    for n in range(200):
        socket.send_binary(b"%04d" % n * 250)
    socket.send_binary(b" the end\r")
    assert b"0199" * 250 + b" the end" in hear(socket, b" the end").replace(b"\r", b"").replace(b"\n", b"")
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        websocket.create_connection(url.replace("token=", "token=x"), timeout=waiting.HANG_S)
    assert refused.value.status_code in (401, 403), refused.value
    writer.kill()
    with pytest.raises((websocket.WebSocketConnectionClosedException, ConnectionError)):
        while socket.recv():
            pass
        raise ConnectionError  # a close without a frame
    region.await_writer(other_than=writer)


def test_kills(region):
    """kill -9 of the writer, three times under load."""
    times = []
    with Load(region) as load:
        load.await_more()
        for _ in range(3):
            writer = region.await_writer()
            writer.kill()
            times.append(round(load.await_more(), 2))
            region.await_writer(other_than=writer)
    print(f"seconds from a kill of the writer to the next answered change: {times}; {len(load.answered)} changes")
    check(region, load)


def test_stopped(region):
    """A writer that stands still is replaced; when it goes on, it ends without having written or answered."""
    with Load(region) as load:
        load.await_more()
        writer = region.await_writer()
        writer.kill(signal.SIGSTOP)
        print(f"seconds from the stop of the writer to the next answered change: {load.await_more():.2f}")
        region.await_writer(other_than=writer)
        load.await_more()
        writer.kill(signal.SIGCONT)
        waiting.wait_until(lambda: writer.statuses, "the former writer ends", of=os.getpid())
        assert writer.statuses == [REPLACED]
        load.await_more()
    check(region, load)


def test_silent_writer(region):
    """A call that was passed on to a process that never answers ends when another process writes, with words about its open outcome."""
    import socket  # pylint: disable=import-outside-toplevel
    writer = region.await_writer()
    follower = next(m for m in region.members if m is not writer)
    waiting.wait_until(lambda: health(follower).get("role") == "follower", "a member follows", of=os.getpid())
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        region.server.sql(region.name, f"UPDATE writer_lease SET address = '{address}'")
        waiting.wait_until(lambda: health(follower)["writer"] == address, "the follower knows", of=os.getpid())
        held = []
        asking = threading.Thread(target=lambda: held.append(held_for(region, follower)))
        asking.start()
        waiting.wait_until(lambda: figure(follower, "dari_follower_passed_on_total") > 0, "it is passed on", of=os.getpid())
        region.server.sql(region.name, "UPDATE writer_lease SET epoch = epoch + 1, expires = clock_timestamp() + interval '1 hour';"
                          "UPDATE writer SET epoch = epoch + 1; INSERT INTO writer_start SELECT epoch, batch FROM writer")
        asking.join()
        region.server.sql(region.name, "UPDATE writer_lease SET expires = '-infinity'")
    assert held[0][0] < 15 and "not known" in held[0][1], held
    waiting.wait_until(lambda: writer.statuses, "the former writer ends", of=os.getpid())
    assert writer.statuses == [REPLACED]


def held_for(region, member):
    since = time.monotonic()
    try:
        region.client(region.members.index(member), answer_s=60).create_key_pair(KeyName=f"held-{member.port}")
        return round(time.monotonic() - since, 1), "made"
    except (*REFUSALS, botocore.exceptions.ClientError) as e:
        return round(time.monotonic() - since, 1), str(e)


def test_clean_stop(region):
    """A writer that ends gives the lease back: nobody waits until it expires."""
    with Load(region) as load:
        load.await_more()
        writer = region.await_writer()
        writer.kill(signal.SIGTERM)
        print(f"seconds from the end of the writer to the next answered change: {load.await_more():.2f}")
        region.await_writer(other_than=writer)
        assert writer.statuses == [0] or not writer.statuses
    check(region, load)


def test_all_end(region):
    """A follower that is told to end when the writer has just ended does so, instead of taking over."""
    writer = region.await_writer()
    members = [writer, *(m for m in region.members if m is not writer)]
    for member in members[1:]:
        waiting.wait_until(lambda: health(member).get("role") == "follower", "a member follows", of=os.getpid())  # pylint: disable=cell-var-from-loop
    for member in members:
        member.is_wanted = False
        member.kill(signal.SIGTERM)
        if member is writer:
            member.process.wait(timeout=waiting.HANG_S)
    since = time.monotonic()
    assert [member.process.wait(timeout=waiting.HANG_S) for member in members] == [0, 0, 0]
    seconds = round(time.monotonic() - since, 1)
    assert seconds < 15


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "-s", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

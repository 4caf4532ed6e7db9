# SPDX-License-Identifier: Apache-2.0
"""Two regions, one of which is a cloud elsewhere for the other: `home` lists and changes the machines of `there`. A proxy in front of `there` pages,
throttles, cuts and lies."""
import http.client
import http.server
import json
import subprocess
import threading
import uuid

import cloud
from dev import DARI, REGION
from waiting import HANG_S, wait_until


def run(dev, *words, text=None):
    return subprocess.run([DARI, "--config", dev.config, *words], capture_output=True, text=True, check=False, input=text)


def owner(home):
    return home.command("account", "list")[0]["name"]


def credentials(there, kind):
    """The cloud's word, the options of `dari provider add`, and the secret: how that cloud is added through its face."""
    key, project = there.account, cloud.own(there)
    if kind in ("aws", "dari"):
        return kind, ["--region", REGION, "--login", key.key_id, "--endpoint", there.url], key.secret
    if kind == "cloudstack":
        return "cloudstack", ["--region", "all", "--login", key.key_id, "--endpoint", f"{there.url}/client/api"], key.secret
    if kind == "azure":
        tenant = "64656661-756c-7400-8000-000000000000"
        return "azure", ["--region", "all", "--login", key.key_id, "--project", uuid_of(project.id), "--domain", tenant, "--endpoint", there.url], key.secret
    keystone = ["--region", REGION, "--endpoint", f"{there.url}/identity/v3"]
    if kind == "openstack":
        return "openstack", [*keystone, "--login", project.user, "--project", project.name], project.password
    made = project.ok("POST", f"/identity/v3/users/{project.user_id}/application_credentials", {"application_credential": {"name": str(uuid.uuid4())}})
    return "openstack", [*keystone, "--login", made["application_credential"]["id"]], made["application_credential"]["secret"]


def uuid_of(hexadecimal):
    return "-".join([hexadecimal[:8], hexadecimal[8:12], hexadecimal[12:16], hexadecimal[16:20], hexadecimal[20:]])


def add(home, name, kind, there, endpoint=None, *options):
    """Adds a provider, and returns what `dari provider add` says of it."""
    word, said, secret = credentials(there, kind)
    if endpoint:
        said[said.index("--endpoint") + 1] = endpoint
    done = run(home, "provider", "add", word, name, *said, "--secret-stdin", "--poll-s", "1", "--account", owner(home), "--json", *options, text=secret + "\n")
    assert done.returncode == 0, done
    return json.loads(done.stdout)


def provider(home, name="there"):
    return next(p for p in home.command("provider", "list") if p["name"] == name)


def machines(home, name="there"):
    return {m["ref"]: m for m in home.command("remote", "list", "--provider", name)}


def launch(there, count=1, name="web"):
    image = there.ec2.describe_images()["Images"][0]["ImageId"]
    made = there.ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=count, MaxCount=count,
                                   TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}])
    there.rest()
    return [i["InstanceId"] for i in made["Instances"]]


def power_there(there, ref):
    return there.ec2.describe_instances(InstanceIds=[ref])["Reservations"][0]["Instances"][0]["State"]["Name"]


def rests(home, ref, power, name="there"):
    """Waits until the machine has that power, and no act."""
    def is_so():
        row = machines(home, name).get(ref, {})
        return row.get("power") == power and row.get("act") == "none"
    wait_until(is_so, f"{ref} is {power}", shows=lambda: machines(home, name).get(ref))


def is_quiet(home, name="there"):
    """Waits for a listing that commits nothing. Fails if every listing commits something."""
    def listed():
        since, commits = provider(home, name)["refreshed_us"], home.commits()
        wait_until(lambda: provider(home, name)["refreshed_us"] > since, "a listing", shows=lambda: provider(home, name))
        return home.commits() == commits
    wait_until(listed, "a listing without a commit", shows=home.commits)


class Proxy:
    """A server in front of `there`. `spoil(method, path, body)` returns None, to pass the request on, or an answer (status, headers, bytes) of its own;
    `change(path, body, answer)` returns the answer's bytes, changed, or None to close the connection without an answer."""

    def __init__(self, there, path=""):
        self.there, self.seen, self.spoil, self.change = there, [], lambda *_: None, lambda path, body, answer: answer
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                proxy.serve(self)

            do_GET = do_DELETE = do_PATCH = do_PUT = do_POST

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}{path}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def serve(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        self.seen.append((handler.command, handler.path, body))
        own = self.spoil(handler.command, handler.path, body)
        status, headers, answer = own or self.ask(handler, body)
        if answer is None:
            handler.close_connection = True
            return
        if status == 0:  # the connection ends in the middle of the answer
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 100000\r\n\r\n" + answer)
            handler.close_connection = True
            return
        handler.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(answer))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(answer)

    def ask(self, handler, body):
        """The answer of `there`. The header Host stays, because signatures cover it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.there.port, timeout=HANG_S)
        sent = {k: v for k, v in handler.headers.items() if k.lower() not in ("accept-encoding", "connection", "content-length")}
        connection.request(handler.command, handler.path, body or None, sent)
        answer = connection.getresponse()
        text = self.change(handler.path, body, answer.read())
        connection.close()
        kept = {k: v for k, v in answer.headers.items() if k.lower() in ("content-type", "x-subject-token", "location", "retry-after", "x-amzn-errortype", "x-amz-checksum", "set-cookie")}
        return answer.status, kept, text

    def asked(self, word):
        """Requests whose path or body has the word."""
        return sum(word in path or word.encode() in body for _, path, body in list(self.seen))

    def end(self):
        self.server.shutdown()
        self.server.server_close()

# SPDX-License-Identifier: Apache-2.0
"""A stock Kubernetes without machines of its own: etcd, the API server, the controller manager and the scheduler as processes on loopback, and nodes whose
kubelet the test plays. tools/clients builds the programs."""
import contextlib
import datetime
import http.server
import json
import secrets
import socket
import ssl
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request

import waiting
from dev import end_with_parent
from waiting import HANG_S, wait_until

LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
UNINITIALIZED = "node.cloudprovider.kubernetes.io/uninitialized"
HEARTBEAT_S = 1
KUBECONFIG = """apiVersion: v1
kind: Config
clusters: [{{name: it, cluster: {{server: "{url}", certificate-authority: "{ca}"}}}}]
users: [{{name: admin, user: {{token: "{token}"}}}}]
contexts: [{{name: it, context: {{cluster: it, user: admin}}}}]
current-context: it
"""


def free_ports(count):
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]


class Refused(Exception):
    """The API server refused a request: its HTTP status and its words."""

    def __init__(self, status, words):
        super().__init__(status, words)
        self.status = status


class ControlPlane:
    """Runs until the end of the with block. `programs`: folder of the programs. `room`: folder of the files, with the logs of all processes."""

    def __init__(self, programs, room):
        self.programs, self.room, self.processes = programs, str(room), {}
        etcd, peer, api = free_ports(3)
        self.etcd, self.peer, self.port = f"http://127.0.0.1:{etcd}", f"http://127.0.0.1:{peer}", api
        self.url, self.token = f"https://127.0.0.1:{api}", secrets.token_hex(16)
        self.ca, self.kubeconfig = f"{self.room}/certificates/apiserver.crt", f"{self.room}/kubeconfig"

    def __enter__(self):
        waiting.watch(self)
        try:
            self.start_etcd()
            self.start_api_server()
            self.start("scheduler", [f"{self.programs}/kube-scheduler", f"--kubeconfig={self.kubeconfig}", "--leader-elect=false", "--secure-port=0"])
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        waiting.unwatch(self)
        for process in reversed(self.processes.values()):  # the store ends last
            process.terminate()
            try:
                process.wait(HANG_S)
            except subprocess.TimeoutExpired:
                process.kill()

    # ---- interface of waiting.py

    def watched(self):
        return [process.pid for process in self.processes.values()]

    def has_ended(self):
        for name, process in self.processes.items():
            if process.poll() is not None:
                return f"{name} has ended with {process.returncode}: {self.log(name)[-3000:]}"
        return ""

    # ---- processes

    def start(self, name, argv, env=None):
        with open(f"{self.room}/{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen(argv, cwd=self.room, env=env or {"PATH": "/usr/bin:/bin", "HOME": self.room}, stdin=subprocess.DEVNULL,
                                                    stdout=log, stderr=log, preexec_fn=end_with_parent)

    def log(self, name):
        with open(f"{self.room}/{name}.log", encoding="utf-8", errors="replace") as file:
            return file.read()

    def start_etcd(self):
        """Starts etcd without syncing to disk: the store ends with the test."""
        self.start("etcd", ["/usr/bin/etcd", "--data-dir", f"{self.room}/etcd", "--listen-client-urls", self.etcd, "--advertise-client-urls", self.etcd,
                            "--listen-peer-urls", self.peer, "--initial-advertise-peer-urls", self.peer, "--initial-cluster", f"default={self.peer}", "--unsafe-no-fsync"])

    def start_api_server(self):
        key = f"{self.room}/accounts.key"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        with open(f"{self.room}/tokens.csv", "w", encoding="ascii") as file:
            file.write(f"{self.token},admin,admin,system:masters\n")
        self.start("apiserver", [
            f"{self.programs}/kube-apiserver", f"--etcd-servers={self.etcd}", "--bind-address=127.0.0.1", f"--secure-port={self.port}", f"--cert-dir={self.room}/certificates",
            f"--token-auth-file={self.room}/tokens.csv", "--authorization-mode=RBAC", "--service-cluster-ip-range=10.96.0.0/16", f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}", "--service-account-issuer=https://kubernetes.default.svc", "--disable-admission-plugins=ServiceAccount"])
        wait_until(self.is_ready, "the API server is ready", of=self)
        with open(self.kubeconfig, "w", encoding="ascii") as file:
            file.write(KUBECONFIG.format(url=self.url, ca=self.ca, token=self.token))

    def is_ready(self):
        try:
            return self.ask("GET", "/readyz") == "ok"
        except (OSError, Refused):  # without a certificate, without a listener, and before everything has started
            return False

    # ---- API

    def ask(self, method, path, body=None, form="application/json"):
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": form}
        request = urllib.request.Request(self.url + path, None if body is None else json.dumps(body).encode(), headers, method=method)
        context = ssl.create_default_context(cafile=self.ca)
        try:
            with urllib.request.urlopen(request, timeout=HANG_S, context=context) as answer:
                text = answer.read().decode()
        except urllib.error.HTTPError as error:
            raise Refused(error.code, error.read().decode()) from None
        return json.loads(text) if text.startswith("{") else text

    def patch(self, path, body):
        return self.ask("PATCH", path, body, "application/merge-patch+json")

    def all(self, path):
        """{name: object} of a list."""
        return {item["metadata"]["name"]: item for item in self.ask("GET", path)["items"]}

    def nodes(self):
        return self.all("/api/v1/nodes")

    def service(self, name):
        return self.ask("GET", f"/api/v1/namespaces/default/services/{name}")

    def events(self):
        """Words of all events, for messages of failed tests."""
        return [f"{e['involvedObject']['name']}: {e['reason']}: {e['message']}" for e in self.ask("GET", "/api/v1/events")["items"]]


class Kubelets:
    """Plays the kubelets of machines that run no guest: registers each machine's node as a kubelet with an external cloud provider does, renews its lease
    as long as is_running(machine) holds, and lets the pods that are bound to it run."""

    def __init__(self, plane, is_running):
        self.plane, self.is_running, self.machines, self.stopped = plane, is_running, {}, threading.Event()
        self.thread, self.failure = threading.Thread(target=self.beat, daemon=True), None

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.thread.join()
        if self.failure:
            raise self.failure

    def register(self, machine, name, zone, address):
        self.plane.ask("POST", "/api/v1/nodes", {
            "kind": "Node", "apiVersion": "v1", "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}, "annotations": {"alpha.kubernetes.io/provided-node-ip": address}},
            "spec": {"providerID": f"aws:///{zone}/{machine}", "taints": [{"key": UNINITIALIZED, "value": "true", "effect": "NoSchedule"}]}})
        room = {"cpu": "2", "memory": "4Gi", "pods": "110"}
        self.plane.patch(f"/api/v1/nodes/{name}/status", {"status": {"capacity": room, "allocatable": room, "addresses": [{"type": "InternalIP", "address": address}]}})
        self.say_ready(name)
        self.plane.ask("POST", LEASES, {"kind": "Lease", "apiVersion": "coordination.k8s.io/v1", "metadata": {"name": name},
                                        "spec": {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": self.now()}})
        self.machines[name] = machine

    @staticmethod
    def now():
        return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def say_ready(self, name):
        self.plane.ask("PATCH", f"/api/v1/nodes/{name}/status", {"status": {"conditions": [
            {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastHeartbeatTime": self.now()[:19] + "Z"}]}}, "application/strategic-merge-patch+json")

    def beat(self):
        while not self.stopped.wait(HEARTBEAT_S):
            try:
                self.renew()
                self.run_pods()
            except Refused as why:
                if why.status not in (404, 409):  # the node has gone meanwhile, or somebody else was faster
                    self.failure = why
                    return

    def renew(self):
        for name, node in self.plane.nodes().items():
            if name in self.machines and self.is_running(self.machines[name]):
                self.plane.patch(f"{LEASES}/{name}", {"spec": {"renewTime": self.now()}})
                if any(c["type"] == "Ready" and c["status"] != "True" for c in node["status"]["conditions"]):
                    self.say_ready(name)

    def run_pods(self):
        """Deletes pods that are to end, and reports the others as running."""
        for name, pod in self.plane.all("/api/v1/namespaces/default/pods").items():
            path = f"/api/v1/namespaces/default/pods/{name}"
            if "deletionTimestamp" in pod["metadata"]:
                self.plane.ask("DELETE", path, {"gracePeriodSeconds": 0})
            elif pod["spec"].get("nodeName") in self.machines and pod["status"]["phase"] == "Pending":
                self.plane.patch(f"{path}/status", {"status": {"phase": "Running", "podIP": "10.244.0.9", "podIPs": [{"ip": "10.244.0.9"}],
                                                               "conditions": [{"type": "Ready", "status": "True"}]}})


class Metadata:
    """The metadata service as the guest of one machine reaches it: without the machine in the path, which AWS's SDK for Go would drop. `url` is its address."""

    def __init__(self, base):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                headers = {name: value for name, value in self.headers.items() if name.lower().startswith("x-aws-")}
                try:
                    with urllib.request.urlopen(urllib.request.Request(base + self.path, headers=headers, method=self.command), timeout=HANG_S) as answer:
                        self.say(answer.status, answer.headers, answer.read())
                except urllib.error.HTTPError as error:
                    self.say(error.code, error.headers, error.read())

            do_PUT = do_GET

            def say(self, status, headers, body):
                self.send_response(status)
                for name, value in headers.items():
                    if name.lower().startswith(("content-type", "x-aws-")):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                """Says nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

# SPDX-License-Identifier: Apache-2.0
"""Throughput of a region on simulated hosts: launches beside plain SQLite, descriptions beside nginx.

The generator, the server and the peer share the machine's processors, so a noisy neighbour shows in
every rate. The processor time per request, which is printed to standard error, is stable."""
import base64
import contextlib
import hashlib
import hmac
import os
import shutil
import socket
import statistics
import subprocess
import urllib.parse
import urllib.request

from tools import Target, children, cpu_percent, cpu_s, pairs, process, rss_mib, run, say, wait_quiet, wait_until

ROUNDS, RUN_MS = 3, 3000
METERING_ROUNDS = 7  # many, because the difference is small
INSTANCES = 100
HOSTS, IDLE_S = 64, 10
BRIEF = {"ROUNDS": 1, "RUN_MS": 150, "METERING_ROUNDS": 1, "INSTANCES": 3, "HOSTS": 4, "IDLE_S": 1}


@contextlib.contextmanager
def region(build, scratch, hosts, program="bench_region", store=""):
    """Runs bench/region.c on a new database, the empty one of the URL if there is one: (target, its output, pid, its directory)."""
    directory = os.path.join(scratch, "region")
    os.mkdir(directory)
    argv = [f"{build}/bench/{program}", f"directory={directory}", f"hosts={hosts}", f"store={store}"]
    with open(f"{scratch}/region.log", "wb") as log, \
            process(argv, stdout=subprocess.PIPE, stderr=log, text=True) as child:
        said = {}
        for line in child.stdout:
            if line.strip() == "ready":
                break
            name, value = line.strip().split("=", 1)
            said.setdefault(name, []).append(value)
        else:
            with open(f"{scratch}/region.log", encoding="utf-8") as said_wrong:
                raise RuntimeError("the region did not start: " + said_wrong.read())
        yield Target(build, said["host"][0], said["key"][0], said["secret"][0]), said, child.pid, directory
    shutil.rmtree(directory)


def launch_form(said, subnet, count=1):
    return f"Action=RunInstances&ImageId={said['image'][0]}&InstanceType=t3.nano&MinCount={count}&MaxCount={count}" \
        f"&SubnetId={said['subnet'][subnet]}"


def timed(pids, measure):
    """Calls measure(). Returns its result, and the processes' processor time per request in microseconds."""
    before = sum(map(cpu_s, pids))
    line = measure()
    return line, (sum(map(cpu_s, pids)) - before) * 1e6 / float(line["answers"])


def load_path(build, host, path, *more):
    return pairs(run(f"{build}/bench/bench_load", f"host={host}", f"path={path}", "clients=64", f"run_ms={RUN_MS}", *more))


def words(line, cost_us):
    return f"{line['rate']}/s of {line['bytes']} bytes, p50 {line['p50_us']} us, p99 {line['p99_us']} us; " \
        f"processor time of one: {cost_us:.0f} us, and {line['own_cpu_us']} us in the generator"


def check(line):
    if line["errors"] != "0":
        raise RuntimeError(f"{line['errors']} of {line['requests']} answers were errors")
    return float(line["rate"])


def measure_launches(build, scratch, show):
    ours, peers = [], []
    with region(build, scratch, HOSTS) as (target, said, pid, directory):
        for number in range(ROUNDS):
            line, cost_us = timed([pid], lambda n=number: target.load(launch_form(said, n), RUN_MS))
            ours.append(check(line))
            say("RunInstances, with what the hosts do:", words(line, cost_us))
            say(f"  all are running {wait_quiet(pid, 30):.1f} s later; {rss_mib(pid):.0f} MiB resident")
            copy = os.path.join(scratch, "peer.db")
            peer = pairs(run(f"{build}/bench/bench_sqlite_peer", f"from={directory}/dari.db", f"to={copy}",
                             f"run_ms={RUN_MS}"))
            peers.append(float(peer["rate"]))
            say(f"  plain SQLite: {peer['rate']}/s, {peer['rows']} rows a launch, {peer['launches']} launches")
            for end in ["", "-wal", "-shm", ".lock"]:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(copy + end)
    show("run_instances_accepted_per_s", statistics.median(ours), statistics.median(peers))


def measure_metering(build, scratch, show):
    """Processor time of a launch until its machine runs, beside that of a region that records no usage."""
    costs = {"bench_region": [], "bench_region_unmetered": []}
    for number in range(METERING_ROUNDS):
        for program in sorted(costs, reverse=number % 2 == 1):
            with region(build, scratch, HOSTS, program) as (target, said, pid, _):
                before = cpu_s(pid)
                line = target.load(launch_form(said, 0), RUN_MS)
                check(line)
                wait_quiet(pid, 30)
                costs[program].append((cpu_s(pid) - before) * 1e6 / float(line["answers"]))
    say("  microseconds: " + "; ".join(f"{program} {' '.join(f'{cost:.0f}' for cost in costs[program])}" for program in costs))
    show("metered_launch_us", *map(statistics.median, costs.values()))


# ---- nginx

def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


NGINX = """daemon off;
worker_processes %(workers)d;
pid %(directory)s/pid;
error_log stderr;
events { worker_connections 1024; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
  open_file_cache max=16 inactive=1h;
  client_body_temp_path %(directory)s/body; proxy_temp_path %(directory)s/proxy;
  fastcgi_temp_path %(directory)s/fastcgi; uwsgi_temp_path %(directory)s/uwsgi; scgi_temp_path %(directory)s/scgi;
  types { text/xml xml; }
  server { listen 127.0.0.1:%(port)d backlog=1024; root %(directory)s/root; }
}
"""


@contextlib.contextmanager
def nginx(scratch, body):
    """Runs nginx, which serves the bytes as /answer.xml. Gives ADDRESS:PORT and the workers' pids."""
    directory = os.path.join(scratch, "nginx")
    os.makedirs(f"{directory}/root")
    os.chmod(scratch, 0o755)  # the workers run as another user
    with open(f"{directory}/root/answer.xml", "w", encoding="utf-8") as f:
        f.write(body)
    port = free_port()
    with open(f"{directory}/conf", "w", encoding="utf-8") as f:
        f.write(NGINX % {"directory": directory, "port": port, "workers": os.cpu_count()})
    with process(["nginx", "-p", directory, "-c", f"{directory}/conf"], stderr=subprocess.DEVNULL) as child:
        wait_until(lambda: answers(port) and len(children(child.pid)) == os.cpu_count(), 5, "nginx is up", 0.02)
        yield f"127.0.0.1:{port}", children(child.pid)
    shutil.rmtree(directory)


def answers(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def measure_list(build, scratch, pid, name, body, load, show):
    """Rate of a list from dari, and of the same bytes from nginx."""
    ours, peers = [], []
    with nginx(scratch, body) as (host, nginx_pids):
        for _ in range(ROUNDS):
            line, cost_us = timed([pid], load)
            ours.append(check(line))
            say(f"{name}:", words(line, cost_us))
            line, cost_us = timed(nginx_pids, lambda: load_path(build, host, "/answer.xml"))
            peers.append(check(line))
            say("  nginx:", words(line, cost_us))
    show(name, statistics.median(ours), statistics.median(peers))


def sign_command(said, **parameters):
    """Signed path of a CloudStack call; the signature does not expire."""
    parameters.update(apiKey=said["key"][0], response="json")
    text = "&".join(f"{k}={urllib.parse.quote(v, safe='')}" for k, v in sorted(parameters.items(), key=lambda p: p[0].lower()))
    signature = base64.b64encode(hmac.new(said["secret"][0].encode(), text.lower().encode(), hashlib.sha1).digest()).decode()
    return f"/client/api?{text}&signature={urllib.parse.quote(signature, safe='')}"


def measure_lists(build, scratch, show):
    form, detail = "Action=DescribeInstances", "/compute/v2.1/servers/detail"
    with region(build, scratch, 4) as (target, said, pid, _):
        for _ in range(INSTANCES):
            target.ask(launch_form(said, 0))
        wait_until(lambda: target.ask(form).count("<name>running</name>") == INSTANCES, 30, "all are running")
        wait_quiet(pid, 10)
        measure_list(build, scratch, pid, "describe_instances_100_per_s", target.ask(form),
                     lambda: target.load(form, RUN_MS), show)
        request = urllib.request.Request(f"http://{target.host}{detail}", headers={"X-Auth-Token": said["token"][0]})
        with urllib.request.urlopen(request, timeout=30) as answer:
            body = answer.read().decode()
        measure_list(build, scratch, pid, "servers_detail_100_per_s", body,
                     lambda: load_path(build, target.host, detail, f"token={said['token'][0]}"), show)
        command = sign_command(said, command="listVirtualMachines")
        with urllib.request.urlopen(f"http://{target.host}{command}", timeout=30) as answer:
            body = answer.read().decode()
        measure_list(build, scratch, pid, "list_virtual_machines_100_per_s", body, lambda: load_path(build, target.host, command), show)
        machines = f"/subscriptions/{said['subscription'][0]}/providers/Microsoft.Compute/virtualMachines?api-version=2022-08-01"
        request = urllib.request.Request(f"http://{target.host}{machines}", headers={"Authorization": f"Bearer {said['bearer'][0]}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            body = answer.read().decode()
        measure_list(build, scratch, pid, "az_vm_list_100_per_s", body,
                     lambda: load_path(build, target.host, machines, f"token={said['bearer'][0]}"), show)
        show("token_check_us", float(said["token_check_us"][0]))


def measure_template(build, _, show):
    said = dict(line.split("=") for line in run(f"{build}/bench/bench_template").split())
    show("template_200_resources_ms", float(said["template_us"]) / 1000)


def measure_rating(build, _, show):
    said = dict(line.split("=") for line in run(f"{build}/bench/bench_rate").split())
    show("rate_a_month_ms", float(said["rate_ms"]))
    show("rate_a_month_mib", float(said["rate_mib"]))
    show("focus_rows", float(said["focus_rows"]))
    say(f"10,000 instances with 100 changes each give {said['charges']} charges; one processor")


def measure_policy(build, _, show):
    said = dict(line.split("=") for line in run(f"{build}/bench/bench_policy").split())
    show("policy_50_statements_us", float(said["policy_us"]))
    say(f"a document of 50 statements is compiled in {said['policy_compile_us']} us, once a version")


def measure_idle(build, scratch, show):
    with region(build, scratch, 2) as (_, _, pid, _):
        wait_quiet(pid, 10)
        percent = cpu_percent(pid, IDLE_S)
        show("idle_sim_rss_mib", rss_mib(pid))
        show("idle_sim_cpu_percent", percent)

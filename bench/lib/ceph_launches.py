# SPDX-License-Identifier: Apache-2.0
"""Time from a launch's request until the instance runs: with the root disk in a Ceph pool, beside one on the host's local disk, alternating in
one region. Ceph is real, with one monitor and one OSD, and shares this machine with everything else."""
import re
import statistics
import tempfile
import time

import ceph
from sandbox_launches import DEMO, PORT, Demo
from tools import Target, say, wait_until

WARM, ROUNDS = 2, 10
BRIEF = {"WARM": 1, "ROUNDS": 1}
ADDRESS = "10.100.0.10"  # ctl's in the underlay
TYPES = {"gp2": "the host's own disk", "gp3": "a disk in Ceph"}


def make_pool(demo, cluster):
    key = f"{DEMO}/ceph.key"
    with open(key, "w", encoding="ascii") as f:
        f.write(cluster.key + "\n")
    demo.command("pool", "add", "ceph", "--kind", "rbd", "--monitors", cluster.monitor, "--pool", ceph.POOL, "--user", ceph.USER,
                 "--key-file", key)
    wait_until(lambda: {h["state"] for h in demo.command("pool", "list")[0]["hosts"]} == {"proven"}, 60, "both hosts have its key")
    demo.command("pool", "set", "ceph", "--type", "gp3")


def launch_ms(target, image, kind):
    start = time.monotonic()
    answer = target.ask(f"Action=RunInstances&ImageId={image}&InstanceType=t2.nano&MinCount=1&MaxCount=1"
                        f"&BlockDeviceMapping.1.DeviceName=/dev/xvda&BlockDeviceMapping.1.Ebs.VolumeType={kind}")
    name = re.search("<instanceId>(.*?)</instanceId>", answer)[1]
    look = f"Action=DescribeInstances&InstanceId.1={name}"
    wait_until(lambda: "<name>running</name>" in target.ask(look), 120, f"{name} runs", 0.02)
    took = (time.monotonic() - start) * 1000
    target.ask(f"Action=TerminateInstances&InstanceId.1={name}")
    wait_until(lambda: "<name>terminated</name>" in target.ask(look), 120, f"{name} is gone", 0.1)
    return took


def measure_region(demo, build, show):
    env = demo.command("env", "demo")
    target = Target(build, f"127.0.0.1:{PORT}", env["access_key_id"], env["secret_access_key"])
    image = demo.command("image", "list")[0]["image_id"]
    took = {kind: [] for kind in TYPES}
    for n in range(WARM + ROUNDS):
        for kind in TYPES:
            ms = launch_ms(target, image, kind)
            if n >= WARM:  # the image is cached by now
                took[kind].append(ms)
    for kind, words in TYPES.items():
        say(f"launches with {words}, ms: {' '.join(f'{ms:.0f}' for ms in sorted(took[kind]))}")
    show("launch_in_ceph_ms", statistics.median(took["gp3"]), statistics.median(took["gp2"]))


def measure(build, _, show):
    with Demo(build) as demo, tempfile.TemporaryDirectory(prefix="dari-ceph-") as top:
        with ceph.Cluster(top, ADDRESS, ["ip", "netns", "exec", f"{demo.env['DARI_SANDBOX_PREFIX']}ctl"]) as cluster:
            make_pool(demo, cluster)
            measure_region(demo, build, show)

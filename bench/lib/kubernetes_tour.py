# SPDX-License-Identifier: Apache-2.0
"""Seconds of the Kubernetes tour (tests/contract/clients/all-kubernetes.py): from the first call that makes a network and machines until the nodes of a stock
cluster are initialised, and until the targets of its two Services of type LoadBalancer are healthy. Machines are simulated and the test plays their
kubelets; the API server, the managers and cloud-provider-aws are Kubernetes' own. tools/clients compiles these before the clock starts."""
import os
import re
import subprocess

from tools import ROOT, say

TOUR = "nodes_are_initialised or routes_lead or pods_spread or services_get"
BRIEF = {}
FIGURES = {"kubernetes_nodes_s": "nodes initialised", "kubernetes_targets_s": "targets healthy"}


def prepare():
    subprocess.run([f"{ROOT}/tools/clients", "install", "kubernetes"], check=True)


def measure(build, _, show):
    done = subprocess.run([f"{ROOT}/tests/contract/clients/all-kubernetes.py", "-k", TOUR], cwd=ROOT, env={**os.environ, "DARI_BUILD": build}, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout[-3000:] + done.stderr[-2000:])
    took = dict(re.findall(r"^([a-zA-Z ]+): ([0-9]+) s from the start", done.stdout, re.MULTILINE))
    say(f"seconds from the start: {took}; load {os.getloadavg()[0]:.0f}")
    for name, words in FIGURES.items():
        show(name, float(took[words]))

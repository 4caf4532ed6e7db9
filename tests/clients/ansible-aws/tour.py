# SPDX-License-Identifier: Apache-2.0
"""Ansible's collections amazon.aws and community.aws, with shortened delays between polls: the play twice, the second time without a change, and the play that cleans up."""
import os

from plays import Plays
from steps import tell

FIRST = """
import functools, time
import ansible.module_utils.basic, boto3, botocore.loaders
load = botocore.loaders.JSONFileLoader.load_file
kept = functools.lru_cache(None)(lambda path: load(botocore.loaders.JSONFileLoader(), path))
botocore.loaders.JSONFileLoader.load_file = lambda self, path: kept(path)
wait = time.sleep
time.sleep = lambda seconds: wait(min(seconds, 0.2))  # the modules' waiters look every 15 s
for service in ("ec2", "iam", "sts"):
    boto3.Session().client(service, region_name="us-east-1")
"""
plays = Plays(os.path.dirname(os.path.abspath(__file__)), FIRST)
plays.course("amazon", dry=True)
tell("end of tour")

# SPDX-License-Identifier: Apache-2.0
"""Ansible's collection azure.azcollection, with shortened delays between polls: the play twice, the second time without a change, and the play that
cleans up. docs/clients.md names the variables by which the collection finds the region."""
import os

from plays import Plays
from steps import tell

FIRST = """
import time
import ansible.module_utils.basic
from ansible_collections.azure.azcollection.plugins.module_utils import azure_rm_common
assert not azure_rm_common.AZURE_IMPORT_ERROR, azure_rm_common.AZURE_IMPORT_ERROR
wait = time.sleep
time.sleep = lambda seconds: wait(min(seconds, 0.2))
"""
ENDPOINT = os.environ["ENDPOINT"]
os.environ.update({"ARM_CLOUD_METADATA_URL": f"{ENDPOINT}/metadata/endpoints?api-version=2019-05-01", "AZURE_CLOUD_ENVIRONMENT": ENDPOINT,
                   "AZURE_DISABLE_INSTANCE_DISCOVERY": "true", "AZURE_ADFS_AUTHORITY_URL": ENDPOINT, "AZURE_TENANT": os.environ["TENANT"], "AZURE_SUBSCRIPTION_ID": os.environ["SUBSCRIPTION"],
                   "AZURE_CLIENT_ID": os.environ["AWS_ACCESS_KEY_ID"], "AZURE_SECRET": os.environ["AWS_SECRET_ACCESS_KEY"]})
plays = Plays(os.path.dirname(os.path.abspath(__file__)), FIRST)
plays.course("azure")
tell("end of tour")

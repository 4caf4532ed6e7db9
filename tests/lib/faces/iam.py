# SPDX-License-Identifier: Apache-2.0
"""IAM's adapter for the matrices of tests/contract/cross/: an account with a user, a group, a role, a profile, a policy and a provider."""
import contextlib

import doors
import iam_world
from dev import Dev
from iam_world import wire

from . import face

KINDS = {"UserName": "user", "GroupName": "user_group", "RoleName": "iam_role", "InstanceProfileName": "instance_profile",
         "PolicyArn": "policy", "PermissionsBoundary": "policy", "OpenIDConnectProviderArn": "oidc_provider", "SAMLProviderArn": "saml_provider", "AccessKeyId": "user",
         "SerialNumber": "mfa_device", "ServerCertificateName": "server_certificate"}
WORDS = {"user": "user/ann", "user_group": "group/team", "iam_role": "role/deploy", "instance_profile": "instance-profile/web",
         "mfa_device": "mfa/token", "saml_provider": "saml-provider/corp", "server_certificate": "server-certificate/web"}
NOT_ASKED = {  # parameters that name a new resource, or only the caller
    ("CreateUser", "UserName"), ("CreateGroup", "GroupName"), ("CreateRole", "RoleName"), ("CreateInstanceProfile", "InstanceProfileName"),
    ("CreateOpenIDConnectProvider", "OpenIDConnectProviderArn"), ("UploadServerCertificate", "ServerCertificateName"),
    ("DeactivateMFADevice", "SerialNumber"), ("ResyncMFADevice", "SerialNumber")}  # decided on the user, as in IAM
MORE = {"CreateUser": {"UserName": "fresh"}, "CreateRole": {"RoleName": "fresh"}, "DeleteAccessKey": {"UserName": "ann"},
        "UpdateAccessKey": {"UserName": "ann"}}  # values that cannot be derived from the tables


class IAM(face.Face):
    name = "iam"
    actions = iam_world.ACTIONS

    def __init__(self):
        named = [(name, p["name"]) for name, a in sorted(self.actions.items()) for p in a["params"]
                 if p["name"] in KINDS and p["built"] and (name, p["name"]) not in NOT_ASKED]
        self.doors = [c for c in named if "Delete" not in c[0]] + [c for c in named if "Delete" in c[0]]

    @contextlib.contextmanager
    def open(self):
        with Dev() as dev:
            made = iam_world.World(dev)
            made.number = made.arn.split(":")[4]
            made.guest = face.Guest(made.account, "guest")
            yield made

    def ask(self, caller, name, request):
        return caller.call(name, {k: v for k, v in request.items() if k != "Action"}, service="iam", version=face.IAM_VERSION)

    def is_refused(self, answer):
        return (answer.status, answer.code) == (403, "AccessDenied")

    def alone(self, place, name):
        return place.request(self.actions[name], {"name": ""})

    def asked(self, place, name, wanted):
        param = next(p for p in self.actions[name]["params"] if p["name"] == wanted)
        kind = KINDS[wanted]
        arn = place.values["PolicyArn"] if kind == "policy" else place.provider if kind == "oidc_provider" else f"arn:aws:iam::{place.number}:{WORDS[kind]}"
        request = {**place.request(self.actions[name], param), **MORE.get(name, {}), wire(wanted): place.values[wanted]}
        yield wanted, request, doors.Row(kind, arn, arn.rpartition("/")[0] + "/other")

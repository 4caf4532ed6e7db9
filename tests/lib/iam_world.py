# SPDX-License-Identifier: Apache-2.0
"""An account's IAM resources, and requests made from the face's own tables."""
import json
import re
import subprocess
import time

import dev as ec2
import otp
import pem
import saml_idp

TABLES = json.loads(subprocess.run([ec2.DARI, "dump", "iam"], check=True, capture_output=True).stdout)
ACTIONS = {a["name"]: a for a in TABLES["actions"]}
DOCUMENT = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}})
TRUST = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}})
LISTS = ("ListUsers", "ListGroups", "ListRoles", "ListInstanceProfiles", "ListPolicies", "ListAccountAliases", "GetAccountSummary",
         "ListAttachedUserPolicies", "ListOpenIDConnectProviders", "ListSAMLProviders", "ListUserPolicies", "ListUserTags", "ListRoleTags", "ListAccessKeys", "ListVirtualMFADevices", "ListSSHPublicKeys", "ListSigningCertificates",
         "ListServerCertificates", "GetGroup", "ListRolePolicies")


class World:
    """Resources that requests name, in an account of its own."""

    def __init__(self, dev):
        self.account = dev.new_account("iam")
        self.iam = self.account.client("iam")
        self.iam.create_user(UserName="ann")
        self.iam.create_group(GroupName="team")
        self.iam.create_role(RoleName="deploy", AssumeRolePolicyDocument=TRUST)
        self.iam.create_instance_profile(InstanceProfileName="web")
        self.arn = self.iam.create_policy(PolicyName="look", PolicyDocument=DOCUMENT)["Policy"]["Arn"]
        self.key = self.iam.create_access_key(UserName="ann")["AccessKey"]["AccessKeyId"]
        number = self.arn.split(":")[4]
        self.provider = self.iam.create_open_id_connect_provider(
            Url="https://issuer.example.com", ThumbprintList=["a" * 40])["OpenIDConnectProviderArn"]
        metadata = saml_idp.Provider().metadata()
        self.saml_provider = self.iam.create_saml_provider(Name="corp", SAMLMetadataDocument=metadata)["SAMLProviderArn"]
        device = self.iam.create_virtual_mfa_device(VirtualMFADeviceName="token")["VirtualMFADevice"]
        self.serial, seed = device["SerialNumber"], device["Base32StringSeed"]
        authority = pem.Certificate("authority")
        self.iam.upload_server_certificate(ServerCertificateName="web", **authority.issue("web").upload())
        ssh_key = self.iam.upload_ssh_public_key(UserName="ann", SSHPublicKeyBody=pem.ssh_line())["SSHPublicKey"]["SSHPublicKeyId"]
        certificate = self.iam.upload_signing_certificate(UserName="ann", CertificateBody=authority.issue("ann").text)["Certificate"]["CertificateId"]
        fresh = authority.issue("other")
        now = int(time.time()) // otp.PERIOD_S  # codes in a row hold for an hour: they say how late a device's clock is
        self.values = {
            "VirtualMFADeviceName": "other", "SerialNumber": self.serial, "AuthenticationCode1": otp.code(seed, now - 1),
            "AuthenticationCode2": otp.code(seed, now),
            "UserName": "ann", "GroupName": "team", "RoleName": "deploy", "InstanceProfileName": "web", "PolicyArn": self.arn,
            "ServerCertificateName": "web", "CertificateBody": fresh.text, "PrivateKey": fresh.key, "SSHPublicKeyId": ssh_key,
            "SSHPublicKeyBody": pem.ssh_line(), "CertificateId": certificate, "Encoding": "SSH", "AWSServiceName": "support.amazonaws.com",
            "DeletionTaskId": "task/aws-service-role/x/y/z", "AccessKeyId": self.key, "PolicyName": "look", "PolicyDocument": DOCUMENT, "AssumeRolePolicyDocument": TRUST,
            "VersionId": "v1", "PermissionsBoundary": self.arn, "Status": "Active", "Description": "x", "AccountAlias": "corner",
            "Password": "Correct-horse-1", "OldPassword": "Correct-horse-1", "NewPassword": "Correct-horse-2",
            "PolicySourceArn": f"arn:aws:iam::{number}:user/ann", "ActionNames.member.N": "ec2:RunInstances",
            "OpenIDConnectProviderArn": self.provider, "Url": "https://id.example.com", "ClientID": "c", "ThumbprintList.member.N": "a" * 40,
            "SAMLProviderArn": self.saml_provider, "Name": "other", "SAMLMetadataDocument": metadata,
            "Tags.member.N.Key": "k", "Tags.member.N.Value": "v", "TagKeys.member.N": "k"}

    def call(self, parameters):
        return self.account.call(parameters.pop("Action"), parameters, service="iam", version="2010-05-08")

    def request(self, action, but):
        """A request with only the required parameters, plus the list that contains `but`."""
        wanted = [p for p in action["params"] if p["required"] and p["name"] in self.values and (
            ".N." not in p["name"] or p["name"].split(".N.")[0] == but["name"].split(".N.")[0] or p["name"].startswith("Tags."))]
        wanted = [p for p in wanted if ".N." not in p["name"] or any(
            q["required"] for q in action["params"] if q["name"] == p["name"].split(".N.")[0] + ".N") or but["name"].startswith("Tags.")]
        values = {**self.values, **({"PolicyDocument": TRUST} if action["name"] == "UpdateAssumeRolePolicy" else {})}
        return {"Action": action["name"], **{wire(p["name"]): values[p["name"]] for p in wanted}}

    def state(self):
        said = [self.call({"Action": name, **{wire(p["name"]): self.values[p["name"]] for p in ACTIONS[name]["params"] if p["required"]}})
                for name in LISTS]
        assert all(a.status == 200 for a in said), said
        return [re.sub("<RequestId>.*</RequestId>", "", a.text) for a in said]


def wire(name):
    return name.replace(".N", ".1")

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/iam/public_credentials.c src/api/iam/server_certificates.c src/api/iam/service_roles.c src/api/iam/credential_report.c
# subjects: src/engine/people/credential/public_credential src/engine/people/credential/server_certificate src/engine/people/credential/credential_report src/base/crypto_
"""Credentials that IAM stores for tools, through stock boto3: SSH public keys, signing and server certificates, service-linked roles, the credential report."""
import csv
import json
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import pem  # noqa: E402
from faces import code  # noqa: E402
from iam_session import Session, allow  # noqa: E402
from shop import dev, iam, number, policy, shop  # noqa: E402, F401  fixtures


@pytest.fixture
def user(iam, request):
    name = request.node.name[5:35]
    iam.create_user(UserName=name)
    return name


@pytest.fixture(scope="module")
def authority():
    return pem.Certificate("authority")


def session(dev, iam, user, *statements):
    iam.put_user_policy(UserName=user, PolicyName="own", PolicyDocument=policy(*statements))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    return Session(dev, key["AccessKeyId"], key["SecretAccessKey"]).client("iam")


def test_an_ssh_key_in_both_encodings(iam, user):
    line = pem.ssh_line()
    key = iam.upload_ssh_public_key(UserName=user, SSHPublicKeyBody=line)["SSHPublicKey"]
    assert key["SSHPublicKeyBody"] == line.rpartition(" ")[0] and key["Status"] == "Active" and len(key["SSHPublicKeyId"]) == 20
    assert key["Fingerprint"] == pem.ssh_fingerprint(line)
    assert code(iam.upload_ssh_public_key, UserName=user, SSHPublicKeyBody=line) == "DuplicateSSHPublicKey"
    named = {"UserName": user, "SSHPublicKeyId": key["SSHPublicKeyId"]}
    other = iam.get_ssh_public_key(Encoding="PEM", **named)["SSHPublicKey"]["SSHPublicKeyBody"]
    assert other == pem.run("ssh-keygen", "-e", "-m", "PKCS8", "-f", "/dev/stdin", input=line)
    iam.delete_ssh_public_key(**named)
    again = iam.upload_ssh_public_key(UserName=user, SSHPublicKeyBody=other)["SSHPublicKey"]
    assert again["SSHPublicKeyBody"] == key["SSHPublicKeyBody"] and again["SSHPublicKeyId"] != key["SSHPublicKeyId"]
    assert code(iam.get_ssh_public_key, Encoding="SSH", **named) == "NoSuchEntity"


def test_what_is_no_ssh_key(iam, user):
    def refused(body):
        return code(iam.upload_ssh_public_key, UserName=user, SSHPublicKeyBody=body)
    assert refused(pem.ssh_line(kind="ed25519")) == "UnrecognizedPublicKeyEncoding"
    assert refused(pem.ssh_line(1024)) == refused("ssh-rsa AAAA") == "InvalidPublicKey"
    assert refused("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----") == "InvalidPublicKey"


def test_ssh_keys_have_a_limit_and_keep_their_user(iam, user):
    ids = [iam.upload_ssh_public_key(UserName=user, SSHPublicKeyBody=pem.ssh_line())["SSHPublicKey"]["SSHPublicKeyId"] for _ in range(5)]
    assert code(iam.upload_ssh_public_key, UserName=user, SSHPublicKeyBody=pem.ssh_line()) == "LimitExceeded"
    pages = list(iam.get_paginator("list_ssh_public_keys").paginate(UserName=user, PaginationConfig={"PageSize": 2}))
    assert len(pages) == 3 and {k["SSHPublicKeyId"] for p in pages for k in p["SSHPublicKeys"]} == set(ids)
    iam.update_ssh_public_key(UserName=user, SSHPublicKeyId=ids[0], Status="Inactive")
    assert [k["Status"] for k in iam.list_ssh_public_keys(UserName=user)["SSHPublicKeys"] if k["SSHPublicKeyId"] == ids[0]] == ["Inactive"]
    assert code(iam.delete_user, UserName=user) == "DeleteConflict"
    for one in ids:
        iam.delete_ssh_public_key(UserName=user, SSHPublicKeyId=one)
    iam.delete_user(UserName=user)


def test_signing_certificates(iam, user, authority):
    def upload(body):
        return iam.upload_signing_certificate(UserName=user, CertificateBody=body)["Certificate"]
    first, second = authority.issue("a"), authority.issue("b")
    made = [upload(first.text), upload(second.text)]
    assert made[0]["CertificateBody"] == first.text and made[0]["Status"] == "Active" and len(made[0]["CertificateId"]) >= 24
    iam.create_user(UserName="other")
    assert code(iam.upload_signing_certificate, UserName="other", CertificateBody=first.text) == "DuplicateCertificate"
    assert code(iam.upload_signing_certificate, UserName=user, CertificateBody="x") == "MalformedCertificate"
    assert code(iam.upload_signing_certificate, UserName=user, CertificateBody=authority.issue("c").text) == "LimitExceeded"
    named = {"UserName": user, "CertificateId": made[1]["CertificateId"]}
    iam.update_signing_certificate(Status="Inactive", **named)
    assert [c["Status"] for c in iam.list_signing_certificates(UserName=user)["Certificates"]] == ["Active", "Inactive"]
    assert code(iam.update_signing_certificate, Status="Inactive", **{**named, "UserName": "other"}) == "NoSuchEntity"
    assert code(iam.delete_user, UserName=user) == "DeleteConflict"
    iam.delete_signing_certificate(**named)
    assert len(iam.list_signing_certificates(UserName=user)["Certificates"]) == 1


def test_a_user_needs_a_policy_for_own_keys(dev, iam, user):
    own = f"arn:aws:iam::*:user/{user}"
    mine = session(dev, iam, user, allow("iam:*SSHPublicKey*", resource=own))
    key = mine.upload_ssh_public_key(UserName=user, SSHPublicKeyBody=pem.ssh_line())["SSHPublicKey"]["SSHPublicKeyId"]
    assert mine.get_ssh_public_key(UserName=user, SSHPublicKeyId=key, Encoding="SSH")["SSHPublicKey"]["UserName"] == user
    assert [k["SSHPublicKeyId"] for k in mine.list_ssh_public_keys()["SSHPublicKeys"]] == [key]
    iam.create_user(UserName="colleague")
    assert code(mine.upload_ssh_public_key, UserName="colleague", SSHPublicKeyBody=pem.ssh_line()) == "AccessDenied"
    assert code(mine.upload_signing_certificate, UserName=user, CertificateBody="x") == "AccessDenied"
    assert code(mine.list_server_certificates) == "AccessDenied"


def test_a_server_certificate(iam, number, authority):
    web = authority.issue("web")
    made = iam.upload_server_certificate(ServerCertificateName="web", Path="/site/", Tags=[{"Key": "a", "Value": "b"}], **web.upload())
    meta = made["ServerCertificateMetadata"]
    assert meta["Arn"] == f"arn:aws:iam::{number}:server-certificate/site/web" and made["Tags"] == [{"Key": "a", "Value": "b"}]
    assert meta["ServerCertificateId"].startswith("ASCA") and meta["Expiration"] > meta["UploadDate"]
    whole = iam.get_server_certificate(ServerCertificateName="web")["ServerCertificate"]
    assert (whole["CertificateBody"], whole["CertificateChain"]) == (web.text, authority.text) and "PrivateKey" not in whole
    assert code(iam.upload_server_certificate, ServerCertificateName="WEB", **web.upload()) == "EntityAlreadyExists"
    assert [c["ServerCertificateName"] for c in iam.list_server_certificates(PathPrefix="/site/")["ServerCertificateMetadataList"]] == ["web"]
    assert iam.list_server_certificates(PathPrefix="/other/")["ServerCertificateMetadataList"] == []
    iam.update_server_certificate(ServerCertificateName="web", NewServerCertificateName="new", NewPath="/")
    assert code(iam.get_server_certificate, ServerCertificateName="web") == "NoSuchEntity"
    iam.tag_server_certificate(ServerCertificateName="new", Tags=[{"Key": "c", "Value": "d"}])
    iam.untag_server_certificate(ServerCertificateName="new", TagKeys=["a"])
    assert iam.list_server_certificate_tags(ServerCertificateName="new")["Tags"] == [{"Key": "c", "Value": "d"}]
    summary = iam.get_account_summary()["SummaryMap"]
    assert (summary["ServerCertificates"], summary["ServerCertificatesQuota"], summary["SigningCertificatesPerUserQuota"]) == (1, 20, 2)
    iam.delete_server_certificate(ServerCertificateName="new")
    assert code(iam.delete_server_certificate, ServerCertificateName="new") == "NoSuchEntity"


def test_server_certificates_are_verified(iam, authority):
    def refused(**more):
        return code(iam.upload_server_certificate, ServerCertificateName="bad", **{**web.upload(), **more})
    web, middle = authority.issue("web"), authority.issue("middle")
    encrypted = pem.run("openssl", "ec", "-aes128", "-passout", "pass:secret", input=web.key)
    assert refused(PrivateKey=middle.key) == "KeyPairMismatch"
    assert refused(PrivateKey="x") == refused(PrivateKey=encrypted) == "MalformedCertificate"
    assert refused(CertificateBody="x") == refused(CertificateBody=web.text + middle.text) == "MalformedCertificate"
    assert refused(CertificateChain=middle.text) == refused(CertificateChain="text " + authority.text) == "MalformedCertificate"
    assert refused(CertificateChain=authority.text + middle.text) == "MalformedCertificate"
    chained = middle.issue("leaf")
    iam.upload_server_certificate(ServerCertificateName="good", **{**chained.upload(), "CertificateChain": middle.text + authority.text})
    iam.delete_server_certificate(ServerCertificateName="good")


def test_another_account_sees_none_of_it(dev, iam, authority):
    iam.upload_server_certificate(ServerCertificateName="hidden", **authority.issue("hidden").upload())
    other = dev.new_account("neighbour").client("iam")
    assert other.list_server_certificates()["ServerCertificateMetadataList"] == []
    assert code(other.get_server_certificate, ServerCertificateName="hidden") == "NoSuchEntity"
    assert code(other.delete_server_certificate, ServerCertificateName="hidden") == "NoSuchEntity"


def test_service_linked_roles(iam, number):
    role = iam.create_service_linked_role(AWSServiceName="ec2fleet.amazonaws.com", Description="for tools")["Role"]
    assert role["Arn"] == f"arn:aws:iam::{number}:role/aws-service-role/ec2fleet.amazonaws.com/AWSServiceRoleForEC2Fleet"
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": "ec2fleet.amazonaws.com"}
    assert code(iam.create_service_linked_role, AWSServiceName="ec2fleet.amazonaws.com") == "InvalidInput"
    assert code(iam.create_service_linked_role, AWSServiceName="es.amazonaws.com") == "InvalidInput"
    name = {"RoleName": role["RoleName"]}
    document = json.dumps(role["AssumeRolePolicyDocument"])
    for call, more in ((iam.delete_role, {}), (iam.update_role, {"MaxSessionDuration": 7200}), (iam.update_assume_role_policy, {"PolicyDocument": document}),
                       (iam.put_role_policy, {"PolicyName": "own", "PolicyDocument": policy({"Effect": "Allow", "Action": "*", "Resource": "*"})}),
                       (iam.attach_role_policy, {"PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"})):
        assert code(call, **name, **more) == "UnmodifiableEntity", call
    iam.update_role(Description="still for tools", **name)
    assert code(iam.create_role, RoleName="mine", Path="/aws-service-role/x/", AssumeRolePolicyDocument=document) == "InvalidInput"
    task = iam.delete_service_linked_role(**name)["DeletionTaskId"]
    assert task.startswith("task/aws-service-role/ec2fleet.amazonaws.com/AWSServiceRoleForEC2Fleet/")
    assert iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED"
    forged = task[:-1] + ("0" if task[-1] != "0" else "1")
    assert code(iam.get_service_linked_role_deletion_status, DeletionTaskId=forged) == "NoSuchEntity"
    assert code(iam.delete_service_linked_role, **name) == "NoSuchEntity"


def test_the_credential_report_stays_for_four_hours(dev, authority):
    iam = dev.new_account("reported").client("iam")
    iam.create_user(UserName="ann")
    iam.upload_signing_certificate(UserName="ann", CertificateBody=authority.issue("ann").text)
    assert code(iam.get_credential_report) == "ReportNotPresent"
    assert iam.generate_credential_report()["State"] == "STARTED"
    first = iam.get_credential_report()
    iam.create_user(UserName="late")
    assert iam.generate_credential_report()["State"] == "COMPLETE"
    again = iam.get_credential_report()
    assert (again["Content"], again["GeneratedTime"]) == (first["Content"], first["GeneratedTime"])
    ann = next(row for row in csv.DictReader(first["Content"].decode().splitlines()) if row["user"] == "ann")
    assert ann["cert_1_active"] == "true" and ann["cert_1_last_rotated"] != "N/A" and ann["cert_2_active"] == "false"
    root = next(row for row in csv.DictReader(first["Content"].decode().splitlines()) if row["user"] == "<root_account>")
    assert root["password_last_used"] == "no_information" and ann["password_last_used"] == "N/A"


if __name__ == "__main__":
    assert shop
    sys.exit(pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

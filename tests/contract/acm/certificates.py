#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/acm src/engine/people/credential/acm_certificate src/base/crypto_certificate src/api/elb/names.c schema/server_certificate.toml
"""ACM through stock boto3: imports and reimports, what is shown of a certificate, filters and pages, tags, rights, and listeners of Elastic Load Balancing that present certificates."""
import json
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import pem  # noqa: E402
from dev import REGION, Dev  # noqa: E402
from faces import code  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
ALL_KEYS = {"keyTypes": ["RSA_2048", "EC_prime256v1"]}


@pytest.fixture(scope="module")
def dev():
    with Dev() as started:
        yield started


@pytest.fixture
def place(dev, request):
    return Place(dev, request.node.name[5:35])


@pytest.fixture(scope="module")
def authority():
    return pem.Certificate("authority")


class Place:
    def __init__(self, dev, name):
        self.account = dev.new_account(name)
        for service in ("acm", "iam", "elbv2", "elb", "ec2"):
            setattr(self, service, self.account.client(service))
        self.number = self.account.client("sts").get_caller_identity()["Account"]

    def put(self, certificate, **more):
        return self.acm.import_certificate(**given(certificate), **more)["CertificateArn"]

    def shown(self, arn):
        return self.acm.describe_certificate(CertificateArn=arn)["Certificate"]

    def listed(self, **more):
        return self.acm.list_certificates(**more)["CertificateSummaryList"]


def given(certificate):
    chain = {"CertificateChain": certificate.issuer.text.encode()} if certificate.issuer else {}
    return {"Certificate": certificate.text.encode(), "PrivateKey": certificate.key.encode(), **chain}


def refused(call, **args):
    """Code and text of the refusal."""
    with pytest.raises(call.__self__.exceptions.ClientError) as failed:
        call(**args)
    return failed.value.response["Error"]["Code"], failed.value.response["Error"]["Message"]


# ---- imports

def test_an_imported_certificate_is_shown(place, authority):
    made = authority.issue("www.example.com")
    arn = place.put(made, Tags=[{"Key": "team", "Value": "web"}])
    assert arn.startswith(f"arn:aws:acm:{REGION}:{place.number}:certificate/")
    shown = place.shown(arn)
    assert (shown["DomainName"], shown["Subject"], shown["Issuer"]) == ("www.example.com", "CN=www.example.com", "authority")
    assert (shown["Status"], shown["Type"], shown["RenewalEligibility"], shown["KeyAlgorithm"]) == ("ISSUED", "IMPORTED", "INELIGIBLE", "EC_prime256v1")
    assert shown["SignatureAlgorithm"] == "SHA256WITHECDSA" and shown["InUseBy"] == []
    serial = pem.run("openssl", "x509", "-noout", "-serial", input=made.text).strip().partition("=")[2].lower()
    assert shown["Serial"].replace(":", "") == serial
    assert shown["NotBefore"] <= shown["ImportedAt"] < shown["NotAfter"]
    got = place.acm.get_certificate(CertificateArn=arn)
    assert got["Certificate"].strip() == made.text.strip() and got["CertificateChain"].strip() == authority.text.strip()
    assert made.key.strip() not in str(got) + str(shown)
    assert place.acm.list_tags_for_certificate(CertificateArn=arn)["Tags"] == [{"Key": "team", "Value": "web"}]


def test_bad_imports_are_refused(place, authority):
    one, other = authority.issue("one"), authority.issue("other")
    call = place.acm.import_certificate
    good = given(one)
    assert refused(call, **{**good, "Certificate": b"x"})[0] == "ValidationException"
    assert "more than one certificate" in refused(call, **{**good, "Certificate": (one.text + authority.text).encode()})[1]
    assert "does not match" in refused(call, **{**good, "PrivateKey": other.key.encode()})[1]
    assert "not supported" in refused(call, **{**good, "PrivateKey": b"x"})[1]
    assert "certificate chain" in refused(call, **{**good, "CertificateChain": pem.Certificate("stranger").text.encode()})[1]
    assert refused(call, **{**good, "PrivateKey": b"x" * 5121})[0] == "ValidationException"
    assert not place.listed(Includes=ALL_KEYS)
    place.put(pem.Certificate("self"))
    # The issuer need not be given.
    assert place.acm.import_certificate(**{k: v for k, v in good.items() if k != "CertificateChain"})["CertificateArn"]


def test_a_reimport_keeps_the_arn(place, authority):
    arn = place.put(authority.issue("a.example.com"))
    before = place.shown(arn)
    assert place.put(authority.issue("b.example.com"), CertificateArn=arn) == arn
    after = place.shown(arn)
    assert after["DomainName"] == "b.example.com" and after["CreatedAt"] == before["CreatedAt"] and after["Serial"] != before["Serial"]
    assert len(place.listed(Includes=ALL_KEYS)) == 1
    assert refused(place.acm.import_certificate, **given(authority.issue("c")), CertificateArn=arn, Tags=[{"Key": "k"}])[0] == "ValidationException"
    rsa = rsa_certificate()
    assert "key type" in refused(place.acm.import_certificate, **rsa, CertificateArn=arn)[1]
    assert refused(place.acm.import_certificate, **rsa, CertificateArn=arn[:-4] + "0000")[0] == "ResourceNotFoundException"
    assert refused(place.acm.import_certificate, **rsa, CertificateArn="arn:aws:iam::1:server-certificate/x")[0] == "InvalidArnException"


def rsa_certificate(*more):
    with pem.tempfile.TemporaryDirectory() as folder:
        key, text = os.path.join(folder, "key"), os.path.join(folder, "text")
        pem.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/C=KR/O=Shop/CN=rsa.example.com", "-days", "9", "-keyout", key, "-out", text, *more)
        return {"Certificate": pem.pathlib.Path(text).read_bytes(), "PrivateKey": pem.pathlib.Path(key).read_bytes()}


# ---- lists

def test_lists_filter_and_page(place, authority):
    usages = ("-addext", "subjectAltName=DNS:a.example.com,DNS:b.example.com,IP:192.0.2.7", "-addext", "keyUsage=digitalSignature,keyEncipherment", "-addext", "extendedKeyUsage=serverAuth")
    rsa = place.acm.import_certificate(**rsa_certificate(*usages))["CertificateArn"]
    plain = [place.put(authority.issue(f"n{k}")) for k in range(3)]
    # Without a filter of keys only RSA of up to 2048 bits is listed.
    summary, = place.listed()
    assert summary["CertificateArn"] == rsa and summary["SubjectAlternativeNameSummaries"] == ["a.example.com", "b.example.com", "192.0.2.7"]
    assert summary["KeyUsages"] == ["DIGITAL_SIGNATURE", "KEY_ENCIPHERMENT"] and summary["ExtendedKeyUsages"] == ["TLS_WEB_SERVER_AUTHENTICATION"]
    assert place.shown(rsa)["ExtendedKeyUsages"] == [{"Name": "TLS_WEB_SERVER_AUTHENTICATION", "OID": "1.3.6.1.5.5.7.3.1"}]
    assert place.shown(rsa)["Issuer"] == "Shop" and place.shown(rsa)["SignatureAlgorithm"] == "SHA256WITHRSA"

    def arns(**more):
        return [c["CertificateArn"] for c in place.listed(**more)]
    assert arns(Includes=ALL_KEYS) == [rsa, *plain]
    assert arns(Includes=ALL_KEYS, SortBy="CREATED_AT", SortOrder="DESCENDING") == [*reversed(plain), rsa]
    assert arns(Includes={**ALL_KEYS, "keyUsage": ["KEY_ENCIPHERMENT"]}) == [rsa] and not arns(Includes={**ALL_KEYS, "keyUsage": ["CRL_SIGNING"]})
    assert arns(Includes={**ALL_KEYS, "extendedKeyUsage": ["NONE"]}) == plain
    assert not arns(Includes=ALL_KEYS, CertificateStatuses=["EXPIRED"]) and len(arns(Includes=ALL_KEYS, CertificateStatuses=["ISSUED"])) == 4
    pages = list(place.acm.get_paginator("list_certificates").paginate(Includes=ALL_KEYS, PaginationConfig={"PageSize": 3}))
    assert [len(p["CertificateSummaryList"]) for p in pages] == [3, 1]
    assert [c["CertificateArn"] for p in pages for c in p["CertificateSummaryList"]] == [rsa, *plain]
    assert code(place.acm.list_certificates, NextToken="AAAA") == code(place.acm.list_certificates, SortBy="CREATED_AT") == "ValidationException"


def test_tags(place, authority):
    arn = place.put(authority.issue("tags"))
    place.acm.add_tags_to_certificate(CertificateArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}, {"Key": "c"}])
    place.acm.add_tags_to_certificate(CertificateArn=arn, Tags=[{"Key": "a", "Value": "3"}])
    place.acm.remove_tags_from_certificate(CertificateArn=arn, Tags=[{"Key": "a", "Value": "other"}, {"Key": "b"}])
    assert {t["Key"]: t["Value"] for t in place.acm.list_tags_for_certificate(CertificateArn=arn)["Tags"]} == {"a": "3", "c": ""}
    assert code(place.acm.add_tags_to_certificate, CertificateArn=arn, Tags=[{"Key": "aws:x"}]) == "InvalidTagException"
    many = [{"Key": f"k{k}"} for k in range(49)]
    assert code(place.acm.add_tags_to_certificate, CertificateArn=arn, Tags=many) == "TooManyTagsException"


# ---- users of certificates

def test_listeners_present_certificates(place, authority):
    arn = place.put(authority.issue("lb.example.com"))
    second = place.put(authority.issue("second.example.com"))
    vpc = place.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    subnets = [s["SubnetId"] for s in place.ec2.describe_subnets()["Subnets"]][:2]
    balancer = place.elbv2.create_load_balancer(Name="web", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    group = place.elbv2.create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0]["TargetGroupArn"]
    listener = place.elbv2.create_listener(LoadBalancerArn=balancer, Protocol="HTTPS", Port=443, Certificates=[{"CertificateArn": arn}],
                                           DefaultActions=[{"Type": "forward", "TargetGroupArn": group}])["Listeners"][0]
    assert listener["Certificates"] == [{"CertificateArn": arn}]
    place.elbv2.add_listener_certificates(ListenerArn=listener["ListenerArn"], Certificates=[{"CertificateArn": second}])
    assert place.shown(arn)["InUseBy"] == place.shown(second)["InUseBy"] == [balancer]
    assert [c["InUse"] for c in place.listed(Includes=ALL_KEYS)] == [True, True]
    assert refused(place.acm.delete_certificate, CertificateArn=arn)[0] == "ResourceInUseException"
    place.put(authority.issue("newer.example.com"), CertificateArn=arn)
    place.elbv2.remove_listener_certificates(ListenerArn=listener["ListenerArn"], Certificates=[{"CertificateArn": second}])
    place.acm.delete_certificate(CertificateArn=second)
    place.elbv2.delete_listener(ListenerArn=listener["ListenerArn"])
    place.acm.delete_certificate(CertificateArn=arn)
    assert refused(place.acm.describe_certificate, CertificateArn=arn)[0] == "ResourceNotFoundException"


def test_a_classic_balancer_presents_one(place, authority):
    arn = place.put(authority.issue("classic.example.com"))
    subnet = place.ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    listener = {"Protocol": "HTTPS", "LoadBalancerPort": 443, "InstanceProtocol": "HTTP", "InstancePort": 80, "SSLCertificateId": arn}
    place.elb.create_load_balancer(LoadBalancerName="old", Subnets=[subnet], Listeners=[listener])
    shown = place.elb.describe_load_balancers()["LoadBalancerDescriptions"][0]["ListenerDescriptions"][0]["Listener"]
    assert shown["SSLCertificateId"] == arn and code(place.acm.delete_certificate, CertificateArn=arn) == "ResourceInUseException"
    place.elb.delete_load_balancer(LoadBalancerName="old")


def test_iam_and_acm_have_certificates_of_their_own(place, authority):
    made = authority.issue("web")
    place.iam.upload_server_certificate(ServerCertificateName="web", **made.upload())
    arn = place.put(made)
    assert [c["ServerCertificateName"] for c in place.iam.list_server_certificates()["ServerCertificateMetadataList"]] == ["web"]
    assert [c["CertificateArn"] for c in place.listed(Includes=ALL_KEYS)] == [arn]
    assert code(place.iam.delete_server_certificate, ServerCertificateName=arn.rpartition("/")[2]) == "NoSuchEntity"


# ---- rights and refusals

def test_policies_name_certificates(dev, place, authority):
    arn, other = place.put(authority.issue("mine")), place.put(authority.issue("other"))
    place.iam.create_user(UserName="guest")
    allowed = [{"Effect": "Allow", "Action": ["acm:DescribeCertificate", "acm:DeleteCertificate"], "Resource": arn}, {"Effect": "Allow", "Action": "acm:List*", "Resource": "*"}]
    place.iam.put_user_policy(UserName="guest", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": allowed}))
    key = place.iam.create_access_key(UserName="guest")["AccessKey"]
    from iam_session import Session
    guest = Session(dev, key["AccessKeyId"], key["SecretAccessKey"]).client("acm")
    assert guest.describe_certificate(CertificateArn=arn)["Certificate"]["DomainName"] == "mine"
    assert code(guest.describe_certificate, CertificateArn=other) == code(guest.get_certificate, CertificateArn=arn) == "AccessDeniedException"
    assert code(guest.import_certificate, **given(authority.issue("new"))) == "AccessDeniedException"
    assert len(guest.list_certificates(Includes=ALL_KEYS)["CertificateSummaryList"]) == 2
    guest.delete_certificate(CertificateArn=arn)


def test_other_accounts_certificates_are_absent(dev, place, authority):
    arn = place.put(authority.issue("mine"))
    strangers = Place(dev, "strangers")
    assert code(strangers.acm.describe_certificate, CertificateArn=arn) == code(strangers.acm.delete_certificate, CertificateArn=arn) == "ResourceNotFoundException"
    same = arn.replace(place.number, strangers.number)
    assert code(strangers.acm.get_certificate, CertificateArn=same) == "ResourceNotFoundException" and not strangers.listed(Includes=ALL_KEYS)


def test_what_the_region_does_not_do(place, authority):
    arn = place.put(authority.issue("mine"))
    assert refused(place.acm.request_certificate, DomainName="a.example.com") == ("ValidationException", "This region issues no certificates. Import one with ImportCertificate.")
    assert refused(place.acm.export_certificate, CertificateArn=arn, Passphrase=b"secret") == ("ValidationException", f"Certificate ARN: {arn} is not a private certificate")
    assert refused(place.acm.renew_certificate, CertificateArn=arn)[0] == "ValidationException"
    assert code(place.acm.update_certificate_options, CertificateArn=arn, Options={}) == "InvalidStateException"
    assert code(place.acm.get_account_configuration) == "UnknownOperationException"


def test_an_account_has_a_limit(place, authority):
    made = authority.issue("many")
    for _ in range(100):
        place.put(made)
    assert refused(place.acm.import_certificate, **given(made)) == ("LimitExceededException", "The account has reached its limit of 100 certificates.")


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:], __file__]))

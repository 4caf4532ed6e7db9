#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/iam src/api/ec2/account src/auth/saml src/engine/people/credential/saml_provider
"""SAML: providers through stock boto3, and roles assumed with assertions that are signed here."""
import base64
import os
import sys

import boto3
import botocore
import botocore.config
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import dev as ec2  # noqa: E402
import saml_idp  # noqa: E402
from faces import code  # noqa: E402
from shop import dev, iam, number, policy, shop  # noqa: E402, F401  fixtures


@pytest.fixture(scope="module")
def idp():
    return saml_idp.Provider()


@pytest.fixture(scope="module")
def provider(iam, idp):
    return iam.create_saml_provider(Name="corp", SAMLMetadataDocument=idp.metadata(), Tags=[{"Key": "a", "Value": "b"}])["SAMLProviderArn"]


def trust(arn, action="sts:AssumeRoleWithSAML", **condition):
    return policy({"Effect": "Allow", "Principal": {"Federated": arn}, "Action": action,
                   "Condition": {"StringEquals": {"SAML:aud": saml_idp.ENDPOINT, **condition}}})


@pytest.fixture(scope="module")
def role(iam, provider):
    arn = iam.create_role(RoleName="ops", AssumeRolePolicyDocument=trust(provider))["Role"]["Arn"]
    iam.put_role_policy(RoleName="ops", PolicyName="own", PolicyDocument=policy({"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}))
    return arn


@pytest.fixture(scope="module")
def sts(dev):
    """Anonymous: its calls are not signed."""
    return boto3.client("sts", region_name=ec2.REGION, endpoint_url=dev.url,
                        config=botocore.config.Config(signature_version=botocore.UNSIGNED, retries={"max_attempts": 0}))


def take(sts, role, provider, assertion, **more):
    return sts.assume_role_with_saml(RoleArn=role, PrincipalArn=provider, SAMLAssertion=assertion, **more)


def refused(sts, role, provider, assertion, **more):
    return code(sts.assume_role_with_saml, RoleArn=role, PrincipalArn=provider, SAMLAssertion=assertion, **more)


# ---- providers

def test_providers(iam, number, dev, idp):
    made = iam.create_saml_provider(Name="Acme.Corp_1-x", SAMLMetadataDocument=idp.metadata(), Tags=[{"Key": "k", "Value": "v"}])
    arn = made["SAMLProviderArn"]
    assert arn == f"arn:aws:iam::{number}:saml-provider/Acme.Corp_1-x" and made["Tags"] == [{"Key": "k", "Value": "v"}]
    assert code(iam.create_saml_provider, Name="Acme.Corp_1-x", SAMLMetadataDocument=idp.metadata()) == "EntityAlreadyExists"
    said = iam.get_saml_provider(SAMLProviderArn=arn)
    assert said["SAMLMetadataDocument"] == idp.metadata()
    assert said["ValidUntil"].year - said["CreateDate"].year in (99, 100, 101)
    other = saml_idp.Provider("https://other.example.com", ec.generate_private_key(ec.SECP256R1()))
    text = other.metadata('validUntil="2099-01-02T03:04:05Z"')
    text += " " * (1000 - len(text))
    assert iam.update_saml_provider(SAMLProviderArn=arn, SAMLMetadataDocument=text)["SAMLProviderArn"] == arn
    said = iam.get_saml_provider(SAMLProviderArn=arn)
    assert said["ValidUntil"].isoformat() == "2099-01-02T03:04:05+00:00" and said["SAMLMetadataDocument"].strip() == text.strip()
    listed = [p for p in iam.list_saml_providers()["SAMLProviderList"] if p["Arn"] == arn]
    assert [(p["ValidUntil"], p["CreateDate"]) for p in listed] == [(said["ValidUntil"], said["CreateDate"])]
    iam.tag_saml_provider(SAMLProviderArn=arn, Tags=[{"Key": "l", "Value": "w"}])
    iam.untag_saml_provider(SAMLProviderArn=arn, TagKeys=["k"])
    assert iam.list_saml_provider_tags(SAMLProviderArn=arn)["Tags"] == [{"Key": "l", "Value": "w"}]
    count = len(iam.list_saml_providers()["SAMLProviderList"]) + len(iam.list_open_id_connect_providers()["OpenIDConnectProviderList"])
    assert iam.get_account_summary()["SummaryMap"]["Providers"] == count
    stranger = dev.new_account("stranger").client("iam")
    assert code(stranger.get_saml_provider, SAMLProviderArn=arn) == "NoSuchEntity"
    assert stranger.list_saml_providers()["SAMLProviderList"] == []
    iam.delete_saml_provider(SAMLProviderArn=arn)
    for call in (iam.get_saml_provider, iam.delete_saml_provider, iam.list_saml_provider_tags):
        assert code(call, SAMLProviderArn=arn) == "NoSuchEntity"


def test_metadata_that_is_refused(iam, idp):
    good = idp.metadata()
    padded = "<!--" + "x" * 1000 + "-->"
    cases = {"InvalidInput": ["x" * 1000, f"<a>{padded}</a>", good.replace("entityID", "id"), good.replace("<md:Single", "<md:Other"),
                              good.replace('use="signing"', 'use="encryption"'), good.replace("<ds:X509Certificate>", "<ds:X509Certificate>AAAA"),
                              good.replace("<md:EntityDescriptor", "<!DOCTYPE a [<!ENTITY b 'c'>]>\n<md:EntityDescriptor"),
                              good.replace(" entityID", ' validUntil="2020-01-01T00:00:00Z" entityID'), "<a>" * 400],
             "ValidationError": [good + " " * 131072]}
    for wanted, documents in cases.items():
        for document in documents:
            assert code(iam.create_saml_provider, Name="bad", SAMLMetadataDocument=document) == wanted, document[:100]
    assert code(iam.create_saml_provider, Name="a b", SAMLMetadataDocument=good) == "ValidationError"
    assert code(iam.update_saml_provider, SAMLProviderArn="arn:aws:iam::123456789012:saml-provider/no", SAMLMetadataDocument=good) == "NoSuchEntity"


# ---- assertions

@pytest.mark.parametrize("signs", ["Assertion", "Response", "Assertion and Response"])
def test_taken(dev, sts, role, provider, idp, number, signs):
    said = take(sts, role, provider, idp.response([(role, provider)], signs), DurationSeconds=900)
    assert (said["Subject"], said["SubjectType"], said["Issuer"], said["Audience"]) == ("ann", "persistent", idp.entity, saml_idp.ENDPOINT)
    assert len(base64.b64decode(said["NameQualifier"])) == 20
    assert said["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{number}:assumed-role/ops/ann@example.com"
    c = said["Credentials"]
    session = boto3.client("ec2", region_name=ec2.REGION, endpoint_url=dev.url, aws_access_key_id=c["AccessKeyId"],
                           aws_secret_access_key=c["SecretAccessKey"], aws_session_token=c["SessionToken"])
    assert session.describe_vpcs()["Vpcs"]
    assert code(session.create_vpc, CidrBlock="10.9.0.0/16") == "UnauthorizedOperation"


def test_once(sts, role, provider, idp):
    """A call that is refused does not spend the assertion; one that succeeds does."""
    assertion = idp.response([(role, provider)])
    assert refused(sts, role, provider, assertion, DurationSeconds=43200) == "ValidationError"
    assert refused(sts, role, provider, assertion, PolicyArns=[{"arn": role.replace("role/ops", "policy/none")}]) == "ValidationError"
    bounded = take(sts, role, provider, assertion, Policy=policy({"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}))
    assert bounded["PackedPolicySize"] >= 1
    assert refused(sts, role, provider, assertion) == "InvalidIdentityToken"
    again = base64.b64encode(base64.b64decode(assertion) + b"\n").decode()  # other bytes, the same assertion
    assert refused(sts, role, provider, again) == "InvalidIdentityToken"


def test_durations(sts, role, provider, idp):
    def seconds(**more):
        said = take(sts, role, provider, idp.response([(role, provider)], **more), **({"DurationSeconds": 3600} if more else {}))
        return (said["Credentials"]["Expiration"] - idp.now()).total_seconds()
    assert seconds() > 3000
    assert seconds(claims=[("SessionDuration", ["900"])]) < 1000
    until = saml_idp.stamp(idp.now() + saml_idp.datetime.timedelta(seconds=1200))
    assert seconds(statement=f'SessionNotOnOrAfter="{until}"') < 1300


def test_assertions_that_are_refused(sts, role, provider, idp):
    roles = [(role, provider)]
    other = saml_idp.Provider()
    good = idp.text(roles)
    encode = base64.b64encode
    cases = {
        "InvalidIdentityToken": [
            other.response(roles), idp.response(roles, ""), idp.response(roles, audience="urn:other"), idp.response(roles, issuer="https://elsewhere"),
            idp.response(roles, recipient="https://elsewhere/saml"), idp.response(roles, session=None), idp.response(roles, session="a b"),
            idp.response(roles, claims=[("PrincipalTag:team", ["red"])]), idp.response(roles, claims=[("SourceIdentity", ["ann"])]),
            idp.response(roles, claims=[("SessionDuration", ["1"])]), idp.response(roles, age_s=-600),
            encode(good.replace(b">ann<", b">root<")).decode(), encode(b"<!DOCTYPE a>" + good).decode(), encode(good[:-9]).decode(), "mars", "****"],
        "ExpiredTokenException": [idp.response(roles, age_s=400, life_s=4000), idp.response(roles, age_s=200, life_s=100)],
        "IDPRejectedClaim": [idp.response(roles, status="Responder")],
        "AccessDenied": [idp.response([(role + "x", provider)]), idp.response([(role, provider + "x")]), idp.response(roles, name="")]}
    for wanted, assertions in cases.items():
        for k, assertion in enumerate(assertions):
            assert refused(sts, role, provider, assertion) == wanted, (wanted, k)
    assert refused(sts, role, provider, "x" * 100001) == "ValidationError"
    assert refused(sts, role, provider + "x", idp.response([(role, provider + "x")])) == "InvalidIdentityToken"


def test_signatures_that_are_wrapped(sts, role, provider, idp):
    good = idp.text([(role, provider)])
    start, end = good.index(b"<Assertion"), good.index(b"</Assertion>") + len(b"</Assertion>")
    genuine = good[start:end]
    cut = genuine.index(b"<ds:Signature"), genuine.index(b"</ds:Signature>") + len(b"</ds:Signature>")
    forged = (genuine[:cut[0]] + genuine[cut[1]:]).replace(b">ann<", b">root<").replace(b'ID="_a', b'ID="_e')
    for evil in (forged + genuine, genuine + forged, forged.replace(b"<Subject>", b"<Advice>" + genuine + b"</Advice><Subject>"),
                 genuine.replace(b"</ds:Signature>", b"<ds:Object>" + forged + b"</ds:Object></ds:Signature>")):
        assert refused(sts, role, provider, base64.b64encode(good[:start] + evil + good[end:]).decode()) == "InvalidIdentityToken"


def test_who_has_no_role(sts, iam, role, provider, idp, number):
    roles = [(role, provider), (role.replace("/ops", "/nobody"), provider), (role.replace("/ops", "/others"), provider)]
    assert refused(sts, roles[1][0], provider, idp.response(roles)) == "AccessDenied"
    others = iam.create_role(RoleName="others", AssumeRolePolicyDocument=trust(provider, **{"saml:sub": "bob"}))["Role"]["Arn"]
    assert refused(sts, others, provider, idp.response(roles)) == "AccessDenied"
    take(sts, others, provider, idp.response(roles, name="bob"))
    iam.update_assume_role_policy(RoleName="others", PolicyDocument=trust(provider, **{
        "saml:sub_type": "persistent", "saml:iss": idp.entity, "saml:doc": f"{number}/corp", "saml:eduPersonAffiliation": "staff",
        "sts:RoleSessionName": "ann@example.com"}))
    assert refused(sts, others, provider, idp.response(roles)) == "AccessDenied"
    take(sts, others, provider, idp.response(roles, claims=[("urn:oid:1.3.6.1.4.1.5923.1.1.1.1", ["staff"])]))
    iam.update_assume_role_policy(RoleName="others", PolicyDocument=trust(provider, "sts:AssumeRoleWithWebIdentity"))
    assert refused(sts, others, provider, idp.response(roles)) == "AccessDenied"
    iam.update_assume_role_policy(RoleName="others", PolicyDocument=policy({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:*"}))
    assert refused(sts, others, provider, idp.response(roles)) == "AccessDenied"
    assert code(iam.create_role, RoleName="no", AssumeRolePolicyDocument=trust(provider + "x")) == "MalformedPolicyDocument"
    assert refused(sts, "arn:aws:iam::x:role/ops-and-more", provider, idp.response(roles)) == "ValidationError"


def test_certificates_that_change(sts, iam, dev):
    """The next assertion is verified with the new certificate; another account's provider vouches for nothing here."""
    old, new = saml_idp.Provider(), saml_idp.Provider(key=ec.generate_private_key(ec.SECP384R1()))
    arn = iam.create_saml_provider(Name="turning", SAMLMetadataDocument=old.metadata())["SAMLProviderArn"]
    role = iam.create_role(RoleName="turning", AssumeRolePolicyDocument=trust(arn))["Role"]["Arn"]
    take(sts, role, arn, old.response([(role, arn)]))
    text = new.metadata()
    iam.update_saml_provider(SAMLProviderArn=arn, SAMLMetadataDocument=text + " " * (1000 - len(text)))
    assert refused(sts, role, arn, old.response([(role, arn)])) == "InvalidIdentityToken"
    take(sts, role, arn, new.response([(role, arn)]))
    elsewhere = dev.new_account("elsewhere").client("iam")
    foreign = elsewhere.create_saml_provider(Name="turning", SAMLMetadataDocument=old.metadata())["SAMLProviderArn"]
    assert refused(sts, role, foreign, old.response([(role, foreign)])) == "InvalidIdentityToken"
    iam.delete_saml_provider(SAMLProviderArn=arn)
    assert refused(sts, role, arn, new.response([(role, arn)])) == "InvalidIdentityToken"


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

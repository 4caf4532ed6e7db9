#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/iam src/auth/token/web_identity src/auth/token/issuers
"""OpenID Connect: providers through stock aws, and roles assumed with tokens of a local issuer, whose certificate is trusted by a thumbprint only."""
import concurrent.futures
import json
import os
import socket
import sys
import time

import boto3
import botocore
import botocore.config
import jwt
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import dev as ec2  # noqa: E402
from faces import code  # noqa: E402
from issuer import Issuer  # noqa: E402
from shop import dev, iam, number, policy, shop  # noqa: E402, F401  fixtures

HANGING = 12  # more than the places of one account


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    issuer = Issuer(tmp_path_factory.mktemp("issuer"))
    yield issuer
    issuer.server.shutdown()


@pytest.fixture(scope="module")
def provider(iam, issuer):
    return iam.create_open_id_connect_provider(Url=f"https://{issuer.host}", ClientIDList=["sts.amazonaws.com"], ThumbprintList=[issuer.thumbprint],
                                               Tags=[{"Key": "a", "Value": "b"}])["OpenIDConnectProviderArn"]


def trust(arn, action="sts:AssumeRoleWithWebIdentity", **more):
    return policy({"Effect": "Allow", "Principal": {"Federated": arn}, "Action": action, **more})


@pytest.fixture(scope="module")
def role(iam, provider, issuer):
    arn = iam.create_role(RoleName="pod", AssumeRolePolicyDocument=trust(provider, Condition={
        "StringEquals": {f"{issuer.host}:sub": "pod-1", f"{issuer.host}:aud": "sts.amazonaws.com"}}))["Role"]["Arn"]
    iam.put_role_policy(RoleName="pod", PolicyName="own", PolicyDocument=policy({"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}))
    return arn


@pytest.fixture(scope="module")
def sts(dev):
    """Anonymous: its calls are not signed."""
    return boto3.client("sts", region_name=ec2.REGION, endpoint_url=dev.url,
                        config=botocore.config.Config(signature_version=botocore.UNSIGNED, retries={"max_attempts": 0}))


def take(sts, role, token, **more):
    return sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="job", WebIdentityToken=token, **more)


def refused(sts, role, token, **more):
    return code(sts.assume_role_with_web_identity, RoleArn=role, RoleSessionName="job", WebIdentityToken=token, **more)


# ---- providers

def test_providers(iam, number, dev):
    made = iam.create_open_id_connect_provider(Url="https://ID.example.com/Tenant/", ClientIDList=["one"], ThumbprintList=["A" * 40])
    arn = made["OpenIDConnectProviderArn"]
    assert arn == f"arn:aws:iam::{number}:oidc-provider/id.example.com/Tenant"
    assert code(iam.create_open_id_connect_provider, Url="https://id.example.com/Tenant", ThumbprintList=[]) == "EntityAlreadyExists"
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="two")
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="two")
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="one")
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="none")
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=arn, ThumbprintList=["b" * 40])
    iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=arn, Tags=[{"Key": "k", "Value": "v"}, {"Key": "l", "Value": "w"}])
    iam.untag_open_id_connect_provider(OpenIDConnectProviderArn=arn, TagKeys=["l"])
    said = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert (said["Url"], said["ClientIDList"], said["ThumbprintList"]) == ("id.example.com/Tenant", ["two"], ["b" * 40])
    assert said["Tags"] == iam.list_open_id_connect_provider_tags(OpenIDConnectProviderArn=arn)["Tags"] == [{"Key": "k", "Value": "v"}]
    assert arn in [p["Arn"] for p in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]]
    assert iam.get_account_summary()["SummaryMap"]["Providers"] == len(iam.list_open_id_connect_providers()["OpenIDConnectProviderList"])
    other = dev.new_account("stranger").client("iam")
    assert code(other.get_open_id_connect_provider, OpenIDConnectProviderArn=arn) == "NoSuchEntity"
    assert other.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert code(iam.get_open_id_connect_provider, OpenIDConnectProviderArn=arn) == "NoSuchEntity"
    for url in ("http://id.example.com", "https://", "https://a?b", "https://user@a"):
        assert code(iam.create_open_id_connect_provider, Url=url, ThumbprintList=[]) == "ValidationError", url
    assert code(iam.create_open_id_connect_provider, Url="https://id.example.com", ThumbprintList=["g" * 40]) == "ValidationError"
    assert code(iam.create_open_id_connect_provider, Url="https://id.example.com", ThumbprintList=["a" * 40] * 6) == "InvalidInput"


# ---- tokens

@pytest.mark.parametrize("key", ["one", "two"])
def test_taken(dev, sts, role, provider, issuer, number, key):
    said = take(sts, role, issuer.token(key), DurationSeconds=900)
    assert said["SubjectFromWebIdentityToken"] == "pod-1" and said["Audience"] == "sts.amazonaws.com" and said["Provider"] == provider
    assert said["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{number}:assumed-role/pod/job"
    c = said["Credentials"]
    session = boto3.client("ec2", region_name=ec2.REGION, endpoint_url=dev.url, aws_access_key_id=c["AccessKeyId"],
                           aws_secret_access_key=c["SecretAccessKey"], aws_session_token=c["SessionToken"])
    assert session.describe_vpcs()["Vpcs"]
    assert code(session.create_vpc, CidrBlock="10.9.0.0/16") == "UnauthorizedOperation"


def test_keys_are_kept(sts, role, issuer):
    take(sts, role, issuer.token())
    asked = len(issuer.asked)
    for _ in range(5):
        take(sts, role, issuer.token())
    assert len(issuer.asked) == asked


def test_the_programs_own_provider(dev, role, issuer, tmp_path):
    """The two variables and the file that Kubernetes gives a pod; boto3 does the rest."""
    (tmp_path / "token").write_text(issuer.token())
    session = boto3.Session(region_name=ec2.REGION)
    resolver = botocore.credentials.AssumeRoleWithWebIdentityProvider(
        load_config=lambda: {}, profile_name=None, token_loader_cls=lambda _: lambda: issuer.token(),
        client_creator=lambda *a, **k: session._session.create_client(a[0], endpoint_url=dev.url, config=botocore.config.Config(signature_version=botocore.UNSIGNED)))
    resolver._get_config = {"web_identity_token_file": str(tmp_path / "token"), "role_arn": role, "role_session_name": "own"}.get
    got = resolver.load()
    client = boto3.client("sts", region_name=ec2.REGION, endpoint_url=dev.url, aws_access_key_id=got.access_key,
                          aws_secret_access_key=got.secret_key, aws_session_token=got.token)
    assert client.get_caller_identity()["Arn"].endswith(":assumed-role/pod/own")


def test_tokens_that_are_refused(sts, role, issuer):
    now = int(time.time())
    whole = issuer.token()
    head, body, signature = whole.split(".")
    other = jwt.encode({"iss": f"https://{issuer.host}"}, "secret" * 8, "HS256").split(".")
    none = jwt.utils.base64url_encode(json.dumps({"alg": "none"}).encode()).decode()
    cases = {
        "InvalidIdentityToken": [
            issuer.token(aud="somebody"), issuer.token(sub=None), issuer.token(exp=None), issuer.token(iat=None), issuer.token(iss="https://elsewhere"),
            issuer.token(nbf=now + 4000), issuer.token(**{"https://aws.amazon.com/tags": {"principal_tags": {"a": ["b"]}}}), issuer.token(iat=now + 4000), "not-a-token", "a.b.c", f"{head}.{body}", f"{head}.{body}.", f"{head}.{body}.AAAA",
            f"{none}.{body}.{signature}", f"{other[0]}.{body}.{other[2]}", f"{head}.{body[:-3]}AAA.{signature}", issuer.token("one", kid="two"),
            issuer.token("two", kid="one"), issuer.token("one", kid="nobody"), f"{whole}.x", "." * 20, "é" * 10],
        "ExpiredTokenException": [issuer.token(exp=now - 1)],
        "AccessDenied": [issuer.token(sub="pod-2")]}
    for wanted, tokens in cases.items():
        for token in tokens:
            assert refused(sts, role, token) == wanted, (wanted, token)
    assert refused(sts, role, "x" * 20001) == "ValidationError"


def test_keys_of_claims(iam, provider, issuer):
    """AWS allows one colon in such keys; it comes after the port that a local issuer may have."""
    refusal = code(iam.create_role, RoleName="colons", AssumeRolePolicyDocument=trust(provider, Condition={
        "StringEquals": {f"{issuer.host}:sub:x": "pod-1"}}))
    assert ":" in issuer.host and refusal == "MalformedPolicyDocument"


def test_who_has_no_role(sts, role, iam, issuer, provider, number):
    assert refused(sts, role.replace("/pod", "/nobody"), issuer.token()) == "AccessDenied"
    assert refused(sts, role.replace(number, "000000000000"), issuer.token()) == "AccessDenied"
    assert refused(sts, "arn:aws:iam::x:role/pod-and-more", issuer.token()) == "ValidationError"
    everybody = iam.create_role(RoleName="everybody", AssumeRolePolicyDocument=policy(
        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:*"}))["Role"]["Arn"]
    assert refused(sts, everybody, issuer.token()) == "AccessDenied"  # "Principal": everybody with an account
    iam.update_assume_role_policy(RoleName="everybody", PolicyDocument=trust(provider, "sts:AssumeRole"))
    assert refused(sts, everybody, issuer.token()) == "AccessDenied"
    iam.update_assume_role_policy(RoleName="everybody", PolicyDocument=trust(provider, Condition={
        "ForAnyValue:StringEquals": {f"{issuer.host}:groups": "ops"}, "IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}))
    assert refused(sts, everybody, issuer.token()) == "AccessDenied"
    take(sts, everybody, issuer.token(groups=["dev", "ops"]))
    assert refused(sts, everybody, issuer.token(groups=["ops"]), DurationSeconds=43200) == "ValidationError"
    bounded = take(sts, everybody, issuer.token(groups=["ops"]), Policy=policy({"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}))
    assert bounded["PackedPolicySize"] >= 1
    iam.delete_role(RoleName="everybody")


# ---- issuers

def tenant(iam, issuer, name, thumbprints, number):
    url = f"{issuer.host}/{name}"
    arn = iam.create_open_id_connect_provider(Url=f"https://{url}", ClientIDList=["sts.amazonaws.com"], ThumbprintList=thumbprints)
    return iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(arn["OpenIDConnectProviderArn"], Condition={
        "StringEquals": {f"{url}:sub": "pod-1"}}))["Role"]["Arn"]


def test_thumbprints(sts, iam, issuer, number):
    take(sts, tenant(iam, issuer, "Leaf", [issuer.leaf_thumbprint], number), issuer.token(tenant="/Leaf"))
    for name, thumbprints in (("Wrong", ["0" * 40]), ("None", [])):
        role = tenant(iam, issuer, name, thumbprints, number)
        assert refused(sts, role, issuer.token(tenant=f"/{name}")) == "IDPCommunicationError"
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=f"arn:aws:iam::{number}:oidc-provider/{issuer.host}/Wrong",
                                                   ThumbprintList=["0" * 40, issuer.thumbprint])
    take(sts, f"arn:aws:iam::{number}:role/Wrong", issuer.token(tenant="/Wrong"))  # at once, because the provider is another now


@pytest.mark.parametrize("configuration", [{"issuer": "https://elsewhere"}, {"jwks_uri": None}, {"jwks_uri": "http://localhost/keys"},
                                           {"jwks_uri": "https://localhost:1/keys"}, "large", "missing"])
def test_issuers_that_do_not_answer_well(sts, iam, issuer, number, configuration):
    name = f"bad{abs(hash(str(configuration))) % 10**8}"
    role = tenant(iam, issuer, name, [issuer.thumbprint], number)
    if isinstance(configuration, str):
        configuration = {"jwks_uri": f"https://{issuer.host}/{configuration}"}
    issuer.configuration = configuration
    try:
        assert refused(sts, role, issuer.token(tenant=f"/{name}")) == "IDPCommunicationError"
        asked = len(issuer.asked)
        assert refused(sts, role, issuer.token(tenant=f"/{name}")) == "IDPCommunicationError"
        assert len(issuer.asked) == asked  # not again so soon
    finally:
        issuer.configuration = {}


def test_an_account_whose_issuers_hang(dev, sts, role, issuer):
    """Sign-ins that wait for one account's issuers take neither the places nor the threads of another's."""
    elsewhere = dev.new_account("elsewhere").client("iam")
    with socket.create_server(("127.0.0.1", 0)) as silent, concurrent.futures.ThreadPoolExecutor(HANGING) as pool:
        calls = []
        for k in range(HANGING):
            url = f"https://localhost:{silent.getsockname()[1]}/{k}"
            provider = elsewhere.create_open_id_connect_provider(Url=url, ClientIDList=["sts.amazonaws.com"], ThumbprintList=[])["OpenIDConnectProviderArn"]
            arn = elsewhere.create_role(RoleName=f"hang{k}", AssumeRolePolicyDocument=trust(provider))["Role"]["Arn"]
            calls.append((arn, issuer.token(iss=url)))
        waiting = [pool.submit(refused, sts, *call) for call in calls]
        first = next(concurrent.futures.as_completed(waiting)).result()  # the account has its share of places
        take(sts, role, issuer.token())
        assert (first, {w.result() for w in waiting}) == ("Throttling", {"Throttling", "IDPCommunicationError"})


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/ovn src/api/metadata src/reconcile/network/port.c
"""Guarantees checked by packets, with real guests: tenants never meet, private addresses never appear outside, rules take effect within a second,
names resolve, metadata belongs to each instance."""
# limit: 900 s
import json
import os
import signal
import subprocess
import sys

import botocore.exceptions

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import waiting  # noqa: E402
from region import Region, give_address, instance, launch, open_ssh, wait_state, wait_until  # noqa: E402

USER_DATA = "#!/bin/sh\necho user-data of $(hostname)\n"


def sniff(region):
    """Starts tcpdump on the internet's side for packets with private addresses; returns its process, which is already listening."""
    argv = ["tools/sandbox", "on", "inet", "tcpdump", "-lnni", "any", "net 172.16.0.0/12 or net 10.0.0.0/8"]
    process = subprocess.Popen(argv, cwd=os.getcwd(), env=region.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, start_new_session=True)
    while "listening on" not in (line := process.stderr.readline()):
        assert line, "tcpdump ended"
    return process


def names(region, address, other_name):
    def says(words, command, wanted):
        region.check_soon(words, lambda: wanted in region.ssh(address, command, fails=True).split("Name:")[-1])

    says("a private name, plain DNS", f"nslookup {other_name} 169.254.169.253", "172.31.")
    says("an outside name, through the upstream", "nslookup www.example.com", "198.51.100.1")
    says("the outside sees the elastic address", "timeout 5 wget -q -O - http://www.example.com/", address)


def reverse_names(region, alice, other, address):
    """A guest of another account looks the name up; the operator's command writes records for an external name server."""
    (found,) = alice.describe_addresses(PublicIps=[address])["Addresses"]
    alice.modify_address_attribute(AllocationId=found["AllocationId"], DomainName="mail.example.com")
    (named,) = alice.describe_addresses_attribute(AllocationIds=[found["AllocationId"]], Attribute="domain-name")["Addresses"]
    region.check("a reverse name is in force", named.get("PtrRecord") == "mail.example.com." and "PtrRecordUpdate" not in named)
    ask = f"nslookup {address} 169.254.169.253"
    region.check_soon("every guest is told it", lambda: "mail.example.com" in region.ssh(other, ask, fails=True))
    told = [(one["ip"], one["name"]) for one in region.command("network", "reverse-names")]
    region.check("and the operator's name server", told == [(address, "mail.example.com")])


def put_probe(region, address):
    """Copies tests/real/probe.c, built statically, into the guest."""
    built = f"{region.demo}/probe"
    region.run("gcc", "-static", "-O2", "-o", built, "tests/real/probe.c")
    region.run("sh", "-c", f"base64 {built} >{built}.b64")
    region.ssh(address, "base64 -d >/tmp/probe && chmod +x /tmp/probe", stdin=f"{built}.b64")


def dns_query(name, edns):
    """An A query in hexadecimal, with an OPT record if asked."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00" + (b"\x01" if edns else b"\x00")
    query += labels + b"\x00\x00\x01\x00\x01"
    return (query + (b"\x00\x00\x29\x10\x00\x00\x00\x00\x00\x00\x00" if edns else b"")).hex()


def edns(region, address, other_name, other_ip):
    def answers(words, query, wanted):
        ask = f"/tmp/probe udp 0.0.0.0 169.254.169.253 53 {query}"
        region.check_soon(words, lambda: wanted in region.ssh(address, ask, fails=True))

    wanted = "".join(f"{int(part):02x}" for part in other_ip.split("."))
    answers("a private name without EDNS0", dns_query(other_name, False), wanted)
    answers("a private name with EDNS0", dns_query(other_name, True), wanted)
    answers("an outside name with EDNS0", dns_query("www.example.com", True), "c6336401")


def acts(region, words, holds):
    """Checks a condition once dari has no pending work and OVN has updated all hosts. bench/ measures how long that takes."""
    region.settle()
    region.check_soon(words, holds)


def rules(region, ec2, group, address):
    region.ssh(address, "busybox httpd -p 8080 -h /tmp; echo hi >/tmp/index.html")

    def is_open():
        return "hi" in region.on("inet", "curl", "-s", "--connect-timeout", "1", "-m", "20", f"http://{address}:8080/index.html",
                                 fails=True)

    region.check("a port that no rule opens is closed", not is_open())
    rule = dict(GroupId=group, IpProtocol="tcp", FromPort=8080, ToPort=8080, CidrIp="0.0.0.0/0")
    ec2.authorize_security_group_ingress(**rule)
    acts(region, "a rule added acts", is_open)
    ec2.revoke_security_group_ingress(**rule)
    acts(region, "a rule revoked acts", lambda: not is_open())


def metadata(region, address, identifier, forged):
    def imds(path):
        return region.ssh(address, f"timeout 5 wget -q -O - http://169.254.169.254/latest/{path}", fails=True)

    region.check_soon("metadata v1: its own id", lambda: imds("meta-data/instance-id").strip() == identifier)
    region.check_soon("metadata v1: user-data", lambda: "user-data of" in imds("user-data"))
    region.check_soon("metadata v1: its public key", lambda: "ssh-ed25519" in imds("meta-data/public-keys/0/openssh-key"))

    def probe(source):
        ask = b"GET /latest/meta-data/instance-id HTTP/1.0\r\n\r\n".hex()
        return region.ssh(address, f"/tmp/probe tcp {source} 169.254.169.254 80 {ask}; echo asked", fails=True)

    region.ssh(address, f"ip addr add {forged}/32 dev eth0")
    region.check_soon("its own source address gets an answer", lambda: probe("0.0.0.0").startswith("48545450"))
    region.check("the other's, forged, gets nothing", probe(forged).strip() == "asked")


def role_of_guest(region, alice, address, identifier):
    """The guest's credentials sign a call that its role allows; another call is refused."""
    iam, name = region.client(*region.keys["alice"], "iam"), "guest"
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}}))
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "ec2:DescribeVpcs", "Resource": "*"}}))
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    alice.associate_iam_instance_profile(InstanceId=identifier, IamInstanceProfile={"Name": name})
    ask = "timeout 20 wget -q -O - http://169.254.169.254/latest/meta-data/iam/security-credentials/"
    region.check_soon("the guest is told its role", lambda: region.ssh(address, ask, fails=True).strip() == name)
    given = json.loads(region.ssh(address, ask + name))

    def guest(service):
        return region.client(given["AccessKeyId"], given["SecretAccessKey"], service, given["Token"])

    arn = guest("sts").get_caller_identity()["Arn"]
    region.check(f"the guest's credentials are its role's: {arn}", arn.endswith(f":assumed-role/{name}/{identifier}"))
    region.check("they sign what the role allows", len(guest("ec2").describe_vpcs()["Vpcs"]) > 0)
    try:
        guest("ec2").describe_subnets()
        refused = ""
    except botocore.exceptions.ClientError as error:
        refused = error.response["Error"]["Code"]
    region.check("and nothing else", refused == "UnauthorizedOperation")


def tokens_required(region, address, identifier):
    def plain():
        return region.ssh(address, "timeout 20 wget -O - http://169.254.169.254/latest/meta-data/instance-id 2>&1", fails=True)

    region.check_soon("HttpTokens=required: refused without a token", lambda: "401" in plain())
    region.check("HttpTokens=required: nothing is told without one", identifier not in plain())
    region.check_soon("HttpTokens=required: its own id with one",
                      lambda: region.ssh(address, "imds meta-data/instance-id", fails=True).strip() == identifier)


def tenants(region, one, private_two):
    """Both accounts have a default VPC 172.31.0.0/16: equal blocks never meet."""
    answer = region.ssh(one, f"ping -c 2 -W 2 {private_two}", fails=True)
    region.check("the other tenant's private address is not reached", "0 packets received" in answer or "100%" in answer)


def main():
    with Region("pk") as region:
        public_key = region.make_key()
        alice, bob = region.account("alice"), region.account("bob")
        groups = {}
        for who, ec2 in (("alice", alice), ("bob", bob)):
            ec2.import_key_pair(KeyName="k", PublicKeyMaterial=public_key)
            groups[who] = open_ssh(ec2)
        ours = launch(alice, 2, KeyName="k", UserData=USER_DATA)
        theirs = launch(bob, 1, KeyName="k", MetadataOptions={"HttpTokens": "required"})
        wait_state(alice, ours, "running")
        wait_state(bob, theirs, "running")
        tcpdump = sniff(region)
        address, _ = give_address(alice, ours[0])
        other, _ = give_address(bob, theirs[0])
        for where in (address, other):
            wait_until(lambda w=where: "in" in region.ssh(w, "echo in", fails=True).split(), f"ssh to {where}")
        region.check("ssh over both elastic addresses", True)
        second = instance(alice, ours[1])
        ping = f"ping -c 3 -W 2 {second['PrivateDnsName']}"
        region.check_soon("the same group's members reach each other by name",
                          lambda: " 0% packet loss" in region.ssh(address, ping, fails=True))
        names(region, address, second["PrivateDnsName"])
        reverse_names(region, alice, other, address)
        put_probe(region, address)
        edns(region, address, second["PrivateDnsName"], second["PrivateIpAddress"])
        rules(region, alice, groups["alice"], address)
        metadata(region, address, ours[0], second["PrivateIpAddress"])
        tokens_required(region, other, theirs[0])
        role_of_guest(region, alice, address, ours[0])
        tenants(region, address, instance(bob, theirs[0])["PrivateIpAddress"])
        os.killpg(tcpdump.pid, signal.SIGTERM)
        leaked = [line for line in waiting.communicate(tcpdump)[0].splitlines() if " IP " in line]
        region.check(f"no private address is seen outside {leaked[:3]}", not leaked)
        region.check_clean()


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What holds on packets, with real guests: tenants never meet, nothing private is seen outside, rules
act within a second, names resolve, metadata is each instance's own."""
# limit: 420 s
import base64
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from region import Region, give_address, instance, launch, open_ssh, wait_state, wait_until  # noqa: E402

USER_DATA = "#!/bin/sh\necho user-data of $(hostname)\n"


def sniff(region):
    """tcpdump on the internet's side for packets of private addresses; its process."""
    argv = ["tools/sandbox", "on", "inet", "tcpdump", "-lnni", "any", "net 172.16.0.0/12 or net 10.0.0.0/8"]
    return subprocess.Popen(argv, cwd=os.getcwd(), env=region.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                            text=True, start_new_session=True)


def names(region, address, other_name):
    answer = region.ssh(address, f"nslookup {other_name} 169.254.169.253", fails=True)
    region.check("a private name, plain DNS", "172.31." in answer.split("Name:")[-1])
    outside = region.ssh(address, "nslookup www.example.com", fails=True)
    region.check("an outside name, through the upstream", "198.51.100.1" in outside)
    web = region.ssh(address, "timeout 5 wget -q -O - http://www.example.com/", fails=True)
    region.check("the outside sees the elastic address", address in web)


def put_probe(region, address):
    """Copies tests/real/probe.c, built statically, into the guest."""
    built = f"{region.demo}/probe"
    region.run("gcc", "-static", "-O2", "-o", built, "tests/real/probe.c")
    with open(built, "rb") as f:
        coded = base64.b64encode(f.read()).decode()
    with open(f"{built}.b64", "w", encoding="ascii") as f:
        f.write(coded)
    region.run("sh", "-c", f"tools/sandbox on inet ssh -i {region.demo}/key -o StrictHostKeyChecking=no "
               f"-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR root@{address} "
               f"'base64 -d >/tmp/probe; chmod +x /tmp/probe' <{built}.b64")


def dns_query(name, edns):
    """An A query in hexadecimal, with an OPT record if asked."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00" + (b"\x01" if edns else b"\x00")
    query += labels + b"\x00\x00\x01\x00\x01"
    return (query + (b"\x00\x00\x29\x10\x00\x00\x00\x00\x00\x00\x00" if edns else b"")).hex()


def edns(region, address, other_name, other_ip):
    wanted = "".join(f"{int(part):02x}" for part in other_ip.split("."))
    for with_edns in (False, True):
        answer = region.ssh(address, f"/tmp/probe udp 0.0.0.0 169.254.169.253 53 {dns_query(other_name, with_edns)}",
                            fails=True)
        region.check(f"a private name {'with' if with_edns else 'without'} EDNS0", wanted in answer)
    outside = region.ssh(address, f"/tmp/probe udp 0.0.0.0 169.254.169.253 53 {dns_query('www.example.com', True)}",
                         fails=True)
    region.check("an outside name with EDNS0", "c6336401" in outside)


def rules(region, ec2, group, address):
    region.ssh(address, "busybox httpd -p 8080 -h /tmp; echo hi >/tmp/index.html")

    def is_open():
        return "hi" in region.on("inet", "curl", "-s", "-m", "1", f"http://{address}:8080/index.html", fails=True)

    region.check("a port that no rule opens is closed", not is_open())
    rule = dict(GroupId=group, IpProtocol="tcp", FromPort=8080, ToPort=8080, CidrIp="0.0.0.0/0")
    ec2.authorize_security_group_ingress(**rule)
    time.sleep(1)
    region.check("a rule added acts within a second", is_open())
    ec2.revoke_security_group_ingress(**rule)
    time.sleep(1)
    region.check("a rule revoked acts within a second", not is_open())


def metadata(region, address, identifier, forged):
    def imds(path):
        return region.ssh(address, f"timeout 5 wget -q -O - http://169.254.169.254/latest/{path}", fails=True)

    region.check("metadata v1: its own id", imds("meta-data/instance-id").strip() == identifier)
    region.check("metadata v1: user-data", "user-data of" in imds("user-data"))
    region.check("metadata v1: its public key", "ssh-ed25519" in imds("meta-data/public-keys/0/openssh-key"))
    ask = b"GET /latest/meta-data/instance-id HTTP/1.0\r\n\r\n".hex()
    own = region.ssh(address, f"/tmp/probe tcp 0.0.0.0 169.254.169.254 80 {ask}", fails=True)
    region.ssh(address, f"ip addr add {forged}/32 dev eth0")
    stolen = region.ssh(address, f"/tmp/probe tcp {forged} 169.254.169.254 80 {ask}", fails=True)
    region.check("the other's source address, forged, gets nothing", own.startswith("48545450") and not stolen.strip())


def tokens_required(region, address, identifier):
    plain = region.ssh(address, "timeout 5 wget -q -O - http://169.254.169.254/latest/meta-data/instance-id", fails=True)
    region.check("HttpTokens=required: nothing without a token", identifier not in plain)
    region.check("HttpTokens=required: its own id with one",
                 region.ssh(address, "imds meta-data/instance-id", fails=True).strip() == identifier)


def tenants(region, one, private_two):
    """Both accounts have a default VPC 172.31.0.0/16: equal blocks, which never meet."""
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
            wait_until(lambda w=where: "in" in region.ssh(w, "echo in", fails=True).split(), 60, f"ssh to {where}")
        region.check("ssh over both elastic addresses", True)
        second = instance(alice, ours[1])
        ping = region.ssh(address, f"ping -c 3 -W 2 {second['PrivateDnsName']}", fails=True)
        region.check("the same group's members reach each other by name", " 0% packet loss" in ping)
        names(region, address, second["PrivateDnsName"])
        put_probe(region, address)
        edns(region, address, second["PrivateDnsName"], second["PrivateIpAddress"])
        rules(region, alice, groups["alice"], address)
        metadata(region, address, ours[0], second["PrivateIpAddress"])
        tokens_required(region, other, theirs[0])
        tenants(region, address, instance(bob, theirs[0])["PrivateIpAddress"])
        os.killpg(tcpdump.pid, signal.SIGTERM)
        leaked = [line for line in tcpdump.communicate()[0].splitlines() if " IP " in line]
        region.check(f"no private address is seen outside {leaked[:3]}", not leaked)
        region.check("audit is clean", region.audit() == [])


if __name__ == "__main__":
    main()

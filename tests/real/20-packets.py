#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What holds on packets, with real guests: tenants never meet, nothing private is seen outside, rules
act within a second, names resolve, metadata is each instance's own."""
# limit: 420 s
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from region import Region, give_address, instance, launch, wait_state, wait_until  # noqa: E402

USER_DATA = "#!/bin/sh\necho user-data of $(hostname)\n"


def open_ssh(ec2):
    group = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["default"]}])["SecurityGroups"][0]
    ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpProtocol="tcp", FromPort=22, ToPort=22,
                                         CidrIp="0.0.0.0/0")
    return group["GroupId"]


def sniff(region):
    """tcpdump on the internet's side for packets of private addresses; its process."""
    argv = ["tools/sandbox", "on", "inet", "tcpdump", "-lnni", "any", "net 172.16.0.0/12 or net 10.0.0.0/8"]
    return subprocess.Popen(argv, cwd=os.getcwd(), env=region.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                            text=True)


def names(region, address, other_name):
    answer = region.ssh(address, f"nslookup {other_name} 169.254.169.253", fails=True)
    region.check("a private name, plain DNS", "172.31." in answer.split("Name:")[-1])
    outside = region.ssh(address, "nslookup www.example.com", fails=True)
    region.check("an outside name, through the upstream", "198.51.100.1" in outside)
    web = region.ssh(address, "timeout 5 wget -q -O - http://www.example.com/", fails=True)
    region.check("the outside sees the elastic address", address in web)


def edns(region, address, other_name):
    """A query with EDNS0 made by hand in the guest: header, question, OPT."""
    labels = "".join(f"\\{len(part):03o}{part}" for part in other_name.split("."))
    query = f"\\022\\064\\001\\000\\000\\001\\000\\000\\000\\000\\000\\001{labels}\\000\\000\\001\\000\\001" \
            "\\000\\000\\051\\020\\000\\000\\000\\000\\000\\000\\000"
    answer = region.ssh(address, f"printf '{query}' | timeout 3 nc -u -w 2 169.254.169.253 53 | hexdump -C", fails=True)
    region.check("a private name with EDNS0", "ac 1f" in answer)


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


def metadata(region, address, identifier):
    def imds(path, how="v1"):
        if how == "v1":
            return region.ssh(address, f"timeout 5 wget -q -O - http://169.254.169.254/latest/{path}", fails=True)
        return region.ssh(address, f"imds {path}", fails=True)

    region.check("metadata v1: its own id", imds("meta-data/instance-id").strip() == identifier)
    region.check("metadata v1: user-data", "user-data of" in imds("user-data"))
    region.check("metadata v1: its public key", "ssh-ed25519" in imds("meta-data/public-keys/0/openssh-key"))
    forged = region.ssh(address, "ip addr add 172.31.0.77/32 dev eth0; "
                        "echo GET /latest/meta-data/instance-id | timeout 3 nc -s 172.31.0.77 169.254.169.254 80", fails=True)
    region.check("a forged source address gets nothing", "i-" not in forged)


def tenants(region, one, two, private_two):
    """Both accounts have a default VPC 172.31.0.0/16: equal blocks, which never meet."""
    answer = region.ssh(one, f"ping -c 2 -W 2 {private_two}", fails=True)
    region.check("the other tenant's private address is not reached", "0 packets received" in answer or "100%" in answer)
    del two


def main():
    with Region("pk", 8792) as region:
        public_key = region.make_key()
        alice, bob = region.account("alice"), region.account("bob")
        groups = {}
        for who, ec2 in (("alice", alice), ("bob", bob)):
            ec2.import_key_pair(KeyName="k", PublicKeyMaterial=public_key)
            groups[who] = open_ssh(ec2)
        ours = launch(alice, 2, KeyName="k", UserData=USER_DATA)
        theirs = launch(bob, 1, KeyName="k")
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
        edns(region, address, second["PrivateDnsName"])
        rules(region, alice, groups["alice"], address)
        metadata(region, address, ours[0])
        tenants(region, address, other, instance(bob, theirs[0])["PrivateIpAddress"])
        tcpdump.terminate()
        leaked = [line for line in tcpdump.communicate()[0].splitlines() if " IP " in line]
        region.check(f"no private address is seen outside {leaked[:3]}", not leaked)
        region.check("audit is clean", region.audit() == [])


if __name__ == "__main__":
    main()

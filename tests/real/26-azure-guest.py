#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/metadata src/api/azure/compute
"""Azure's services inside the VPC of a guest of the personality azure: a small guest sends the requests of waagent and cloud-init, byte for byte,
downloads the run command program, runs it, and reports. A neighbour of another personality finds none of these services, and the azure guest none
of the other's."""
# limit: 900 s
import base64
import json
import os
import re
import sys
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from azure import Azure, profile_of  # noqa: E402
from moves import host_of  # noqa: E402
from region import ROOT, Region, give_address, launch, open_ssh, wait_state, wait_until  # noqa: E402

WIRE, IMDS = "168.63.129.16", "169.254.169.254"
HEALTH = """<?xml version="1.0" encoding="utf-8"?><Health xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<GoalStateIncarnation>{n}</GoalStateIncarnation><Container><ContainerId>{c}</ContainerId><RoleInstanceList><Role>
<InstanceId>{i}</InstanceId><Health><State>Ready</State></Health></Role></RoleInstanceList></Container></Health>"""
# The agent's handling of a handler: unpacks it, writes its environment file, and runs its command.
HANDLER = """set -e
mkdir -p /tmp/h/config /tmp/h/status /tmp/h/log; cd /tmp/h
wget -q -O h.zip '{url}'; unzip -q -o h.zip
echo '[{{"handlerEnvironment": {{"configFolder": "/tmp/h/config", "statusFolder": "/tmp/h/status", "logFolder": "/tmp/h/log"}}}}]' >HandlerEnvironment.json
echo {settings} | base64 -d >config/{number}.settings
ConfigSequenceNumber={number} sh run_command.sh enable
while grep -q transitioning status/{number}.status; do sleep 1; done
cat status/{number}.status"""


class Guest:
    def __init__(self, region, ec2, image):
        self.region = region
        self.id, = launch(ec2, KeyName="k", **({"ImageId": image} if image else {}))
        wait_state(ec2, [self.id], "running")
        self.address = give_address(ec2, self.id)[0]

    def sh(self, script):
        return self.region.ssh(self.address, f"echo {base64.b64encode(script.encode()).decode()} | base64 -d | sh 2>&1", fails=True)

    def ask(self, host, method, path, body="", port=80, **headers):
        """Status and body of an answer."""
        lines = [f"{method} {path} HTTP/1.0", f"Host: {host}"] + [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        request = "\r\n".join(lines + [f"Content-Length: {len(body)}", "", body])
        wait = "sleep 2" if body else "true"  # nc closes when its input ends, and a change takes time
        text = self.sh(f"(echo {base64.b64encode(request.encode()).decode()} | base64 -d; {wait}) | nc -w 10 {host} {port}")
        head, _, answer = text.replace("\r\n", "\n").partition("\n\n")
        found = re.match(r"HTTP/1\.[01] (\d+)", head)
        return int(found[1]) if found else 0, answer

    def wire(self, path, method="GET", body="", port=80, **headers):
        return self.ask(WIRE, method, path, body, port, x_ms_agent_name="WALinuxAgent", x_ms_version="2012-11-30", **headers)


def value(document, name):
    found = re.search(rf"<{name}>([^<]*)</{name}>", document)
    return found[1].replace("&amp;", "&") if found else ""


def path_of(url):
    assert url.startswith(f"http://{WIRE}/"), url
    return url[len(f"http://{WIRE}"):]


def boot(region, guest, other):
    check = region.check
    routes = guest.sh("ip route")
    check("DHCP leads to the WireServer by a route of its own", re.search(rf"^{re.escape(WIRE)} via ", routes, re.M) is not None)
    status, text = guest.wire("/?comp=versions")
    check("versions", status == 200 and "<Version>2012-11-30</Version>" in text)
    check("as Windows writes it", guest.wire("/?comp=Versions")[0] == 200 and guest.wire("/machine?comp=GoalState")[0] == 200)
    status, goal = guest.wire("/machine/?comp=goalstate")
    check("a goal", status == 200 and value(goal, "Incarnation") == "1" and value(goal, "ExpectedState") == "Started")
    for name in ("HostingEnvironmentConfig", "SharedConfig", "ExtensionsConfig"):
        status, text = guest.wire(path_of(value(goal, name)))
        check(f"{name}", status == 200 and "incarnation" in text.lower())
    check("the plugin's versions", guest.wire("/versions", port=32526) == (200, '["2015-09-01"]'))
    check("no settings of it", guest.wire("/vmSettings", port=32526)[0] == 404)
    report = HEALTH.format(n=1, c=value(goal, "ContainerId"), i=value(goal, "InstanceId"))
    check("health is taken", guest.wire("/machine?comp=health", "POST", report, Content_Type="text/xml;charset=utf-8")[0] == 200)
    check("another guest finds no WireServer", other.wire("/?comp=versions")[0] == 404)
    check("nor the plugin", other.wire("/versions", port=32526)[0] == 404)
    return goal


def metadata(region, guest, other):
    path = "/metadata/instance?api-version=2021-08-01&extended=true"
    status, text = guest.ask(IMDS, "GET", path, Metadata="true")
    compute = json.loads(text)["compute"] if status == 200 else {}
    region.check("the instance", compute.get("vmId", "").startswith(guest.id[2:10]) and compute["osProfile"]["adminUsername"] == "azureuser")
    region.check("not without its header", guest.ask(IMDS, "GET", path)[0] == 400)
    region.check("another guest finds EC2's alone", other.ask(IMDS, "GET", path, Metadata="true")[0] == 404 and
                 other.ask(IMDS, "GET", "/latest/meta-data/instance-id") == (200, other.id))
    mac = guest.sh("cat /sys/class/net/eth0/address").strip().replace(":", "").upper()
    interface = json.loads(text)["network"]["interface"][0]
    region.check("its interface by its MAC", interface["macAddress"] == mac)


def upload(guest, status):
    """Reports as the agent does: by the status plugin, in base64."""
    text = json.dumps({"version": "1.1", "aggregateStatus": status, "guestOSInfo": {"osName": "tiny", "osVersion": "1"}})
    body = json.dumps({"requestUri": "x", "headers": [], "content": base64.b64encode(text.encode()).decode()})
    return guest.wire("/status", "PUT", body, port=32526)[0]


def run(region, azure, guest, goal):
    machine = f"{azure.machines}/{guest.id}"
    body = {"location": azure.location, "properties": {
        "publisher": "Dari", "type": "RunCommand", "typeHandlerVersion": "1.0",
        "settings": {"script": ["echo hello $1"], "parameters": [{"name": "who", "value": "you"}]}}}
    operation = azure.begin("PUT", f"{machine}/extensions/first", body)
    status, now = guest.wire("/machine/?comp=goalstate")
    region.check("another goal", value(now, "Incarnation") == str(int(value(goal, "Incarnation")) + 1))
    config = guest.wire(path_of(value(now, "ExtensionsConfig")))[1]
    plugin = re.search(r'<Plugin name="Dari.RunCommand" version="([^"]*)" location="([^"]*)"', config)
    settings = re.search(r'seqNo="0">(.*?)</RuntimeSettings>', config)[1]
    manifest = guest.wire(path_of(plugin[2]))[1]
    told = guest.sh(HANDLER.format(url=value(manifest, "Uri"), number=0, settings=base64.b64encode(settings.encode()).decode()))
    region.check(f"the program runs: {told.strip()[-120:]}", "hello you" in told)
    settled = {"sequenceNumber": 0, "settingsStatus": {"status": json.loads(told)[0]["status"]}}
    ready = {"guestAgentStatus": {"version": "2.7.3.0", "status": "Ready"}, "handlerAggregateStatus": [
        {"handlerName": "Dari.RunCommand", "handlerVersion": plugin[1], "status": "Ready", "runtimeSettingsStatus": settled}]}
    region.check("its status is taken", upload(guest, ready) == 200)
    region.check("the operation has ended", azure.wait(operation)["status"] == "Succeeded")
    view = azure.ask("GET", f"{machine}/instanceView")
    message = view["extensions"][0]["statuses"][0]["message"]
    region.check(f"the instance view tells of it: {message!r}", message.startswith("Enable succeeded: \n[stdout]\nhello you"))
    region.check("and of the agent", view["vmAgent"]["vmAgentVersion"] == "2.7.3.0")


def discs(region, azure, ec2, images):
    """The provisioning disc: cloud-init reads it in a CD-ROM drive. This guest's kernel has no driver for the drive that Windows uses, so that disc
    is read on the host."""
    profile = profile_of(ec2, "k", "Pass<w0rd-of-12")
    _, address = azure.put_machine(ec2, "lin", profile, images[0])
    wait_until(lambda: "root" in region.ssh(address, "id", fails=True), "ssh")
    told = region.ssh(address, "modprobe -a -q isofs sr_mod; mkdir -p /mnt; mount -t iso9660 -o ro /dev/sr0 /mnt; cat /mnt/*.xml", fails=True)
    region.check(f"Linux finds its disc: {told[-80:]!r}", "<LinuxProvisioningConfigurationSet" in told and ">kim</UserName>" in told)
    region.check("with its password", "<UserPassword>Pass&lt;w0rd-of-12</UserPassword>" in told)
    region.check("and its label", region.ssh(address, "dd if=/dev/sr0 bs=8 skip=4101 count=2 2>/dev/null", fails=True).strip() == "rd_rdfe_dari")
    machine, _ = azure.put_machine(ec2, "win", profile, images[1])
    domain = region.on(host_of(region, machine), "virsh", "dumpxml", machine)
    disc = re.search(r"'([^']*-cfg-[^']*\.iso)'.{1,160}?<target dev='sdaa' bus='sata'", domain, re.S)
    region.check("Windows has its disc", disc is not None)
    told = region.on(host_of(region, machine), "grep", "-aoE", "ovf-env[.]xml|E6DA6616-8EC4-48E0-BE93-58CE6ACE3CFB[.]tag|some data|"
                     "Unattend[.]xml|<Value>[^<]*</Value>|rd_rdfe_dari", disc[1])
    region.check("with its files and its password", all(word in told for word in (
        "ovf-env.xml", "E6DA6616-8EC4-48E0-BE93-58CE6ACE3CFB.tag", "some data", "Unattend.xml", "<Value>Pass&lt;w0rd-of-12</Value>",
        "rd_rdfe_dari")))


def main():
    with Region("azt") as region:
        ec2 = region.account("az")
        ec2.import_key_pair(KeyName="k", PublicKeyMaterial=region.make_key())
        open_ssh(ec2)
        image = region.command("image", "import", os.path.join(ROOT, "build/cache/tiny.qcow2"), "--name", "tiny-azure",
                               "--personality", "azure")["image_id"]
        windows = region.command("image", "import", os.path.join(ROOT, "build/cache/tiny.qcow2"), "--name", "tiny-windows",
                                 "--personality", "azure", "--platform", "windows")["image_id"]
        guest, other = Guest(region, ec2, image), Guest(region, ec2, None)
        for one in (guest, other):
            wait_until(lambda one=one: "root" in one.sh("id"), "ssh")
        goal = boot(region, guest, other)
        metadata(region, guest, other)
        run(region, Azure(region, region.keys["az"]), guest, goal)
        discs(region, Azure(region, region.keys["az"]), ec2, (image, windows))
        region.check("ids stay", uuid.UUID(value(goal, "ContainerId")).hex.startswith(guest.id[2:10]))
        region.check_clean()


main()

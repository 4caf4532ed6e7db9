#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/metadata src/api/azure/compute
"""A Debian guest in an Azure environment: with the stock cloud-init and waagent of its image it detects Azure, is provisioned by the instance
metadata service, reports ready, and runs scripts requested through Azure's API. The same image under EC2's personality detects EC2."""
# limit: 2400 s
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from azure import Azure, profile_of  # noqa: E402
from region import ROOT, Region, give_address, instance, launch, open_ssh, wait_state, wait_until  # noqa: E402

PASSWORD = "Pass<w0rd-of-12"
IMAGE = os.path.join(ROOT, "build/cache/debian-waagent.qcow2")
QUESTIONS = "cloud-id; hostname; systemctl is-active walinuxagent; cat /var/tmp/ran; id -un"
USER_DATA = "#cloud-config\nruncmd:\n- echo user data ran >/var/tmp/ran\n"


def build_image():
    subprocess.run([os.path.join(ROOT, "tools/debian-image"), IMAGE, "waagent", "python3"], check=True)


def import_image(region, name, personality):
    return region.command("image", "import", IMAGE, "--name", name, "--personality", personality)["image_id"]


def start(region, ec2, image, login):
    machine, = launch(ec2, ImageId=image, InstanceType="t2.micro", KeyName="k", UserData=USER_DATA)
    wait_state(ec2, [machine], "running")
    return machine, give_address(ec2, machine)[0], login


def said_by(region, guest):
    """Output of a guest whose cloud-init has finished."""
    _, address, region.login = guest
    wait_until(lambda: region.ssh(address, "test -s /run/cloud-init/result.json && echo ended", fails=True).strip() == "ended",
               f"cloud-init's end of {guest[2]}")
    return region.ssh(address, QUESTIONS, fails=True).splitlines()


def provisioned(region, azure, guest):
    said = said_by(region, guest)
    region.check(f"cloud-init finds Azure: {said[0]}", said[0] == "azure")
    region.check(f"the user is Azure's: {said[-1]}", said[-1] == "azureuser")
    region.check("user data ran", "user data ran" in said)
    result = json.loads(region.ssh(guest[1], "cat /run/cloud-init/result.json"))["v1"]
    region.check(f"it was provisioned by the metadata alone: {result['datasource']}", "DataSourceAzure" in result["datasource"])
    region.check("the agent runs", "active" in said)

    def is_ready():
        view = azure.view(guest[0])
        return [s["displayStatus"] for s in view.get("vmAgent", {}).get("statuses", [])] == ["Ready"]

    region.check_soon("the agent is Ready", is_ready)
    view = azure.view(guest[0])
    region.check(f"the view says what the guest is: {view.get('osName')} {view.get('osVersion')}", view.get("osName") == "debian")
    region.check("provisioning has succeeded", view["statuses"][0]["code"] == "ProvisioningState/succeeded")


def extension(region, azure, guest):
    path = f"{azure.machines}/{guest[0]}"
    body = {"location": azure.location, "properties": {
        "publisher": "Dari", "type": "RunCommand", "typeHandlerVersion": "1.0", "autoUpgradeMinorVersion": True,
        "settings": {"script": ["echo hello $1 >/var/tmp/extension", "cat /var/tmp/extension"],
                     "parameters": [{"name": "who", "value": "it's me"}]}}}
    told = azure.finish("PUT", f"{path}/extensions/first", body)
    region.check(f"an extension runs: {told['status']}", told["status"] == "Succeeded")
    shown = azure.ask("GET", f"{path}/extensions/first", query="&$expand=instanceView")["properties"]
    message = shown["instanceView"]["statuses"][0]["message"]
    region.check(f"its status shows: {message!r}", "hello it's me" in message and shown["provisioningState"] == "Succeeded")
    region.check("it ran in the guest", region.ssh(guest[1], "sudo cat /var/tmp/extension").strip() == "hello it's me")
    body["properties"].update(settings={}, protectedSettings={"script": ["echo secret of $(id -un)"]})
    told = azure.finish("PUT", f"{path}/extensions/first", body)
    shown = azure.ask("GET", f"{path}/extensions/first", query="&$expand=instanceView")["properties"]
    message = shown["instanceView"]["statuses"][0]["message"]
    region.check(f"protected settings reach it: {message!r}", told["status"] == "Succeeded" and "secret of root" in message)
    region.check("and nobody else", "protectedSettings" not in shown)
    told = azure.finish("POST", f"{path}/runCommand", {"commandId": "RunShellScript", "script": ["echo ran", "echo wrong >&2"]})
    output = told["properties"]["output"]["value"][0]["message"]
    region.check(f"a command runs: {output!r}", output.startswith("Enable succeeded: \n[stdout]\nran\n[stderr]\nwrong"))
    told = azure.finish("POST", f"{path}/runCommand", {"commandId": "RunShellScript", "script": ["exit 7"]})
    region.check("one that fails says so", told["status"] == "Failed" and "exit status=7" in told["error"]["message"])
    region.check("it goes", azure.finish("DELETE", f"{path}/extensions/first")["status"] == "Succeeded")


def with_password(region, azure, guest):
    """cloud-init reads the password on the provisioning disc; everything else works for this guest, too."""
    said = said_by(region, guest)
    region.check(f"a guest with a disc finds Azure: {said[0]}", said[0] == "azure" and said[-1] == "kim" and "pw" in said)
    script = f"import crypt; h = open('/etc/shadow').read().split('kim:')[1].split(':')[0]; print(crypt.crypt('{PASSWORD}', h) == h)"
    region.check("it has its password", region.ssh(guest[1], f'sudo python3 -W ignore -c "{script}"').strip() == "True")
    region.check("which lies open nowhere in it", PASSWORD not in region.ssh(guest[1], "sudo cat /var/lib/waagent/ovf-env.xml"))
    region.check_soon("its agent is Ready", lambda: [s["displayStatus"] for s in azure.view("pw").get("vmAgent", {}).get("statuses", [])] == ["Ready"])


def as_ec2(region, guest):
    said = said_by(region, guest)
    region.check(f"the same image finds EC2: {said[0]}", said[0] in ("aws", "ec2"))
    region.check(f"its user is its own: {said[-1]}", said[-1] == "debian")
    region.check("user data ran there, too", "user data ran" in said)


def main():
    build_image()
    with Region("azg") as region:
        ec2 = region.account("az")
        ec2.import_key_pair(KeyName="k", PublicKeyMaterial=region.make_key())
        open_ssh(ec2)
        azure = Azure(region, region.keys["az"])
        images = [import_image(region, f"debian-{name}", name) for name in ("azure", "ec2")]
        guest, other = start(region, ec2, images[0], "azureuser"), start(region, ec2, images[1], "debian")
        provisioned(region, azure, guest)
        third = (*azure.put_machine(ec2, "pw", profile_of(ec2, "k", PASSWORD), images[0]), "kim")
        extension(region, azure, guest)
        as_ec2(region, other)
        with_password(region, azure, third)
        region.check("both are there", instance(ec2, guest[0])["State"]["Name"] == "running")
        region.check_clean()


main()

# SPDX-License-Identifier: Apache-2.0
"""Checks Terraform blocks without Terraform, which is not available where these tests run: the program itself never applied a block.
Three checks replace it.

    parse(texts)      HashiCorp's own HCL parser, from npm
    Schema().check()  the provider's own schema, as generated for TypeScript (@cdktf/provider-aws on npm)
    apply(…)          the API calls of the provider hashicorp/aws for a resource, according to its source (internal/service/{ec2,iam}),
                      made by boto3: the calls of a creation, and a comparison of the values read afterwards with the block; a
                      difference would make the next plan change the resource again
"""
import contextlib
import fcntl
import json
import os
import re
import subprocess
import tarfile

import botocore.exceptions
import npm
from terraform_networks import Networks, given, only, tagged, tags_of, token

NODE = "/usr/bin/node"
PROVIDER, VERSION = "@cdktf/provider-aws", "21.22.1"  # contains the schema of hashicorp/aws 6.25.0
CACHE = os.path.join(os.environ.get("DARI_CACHE", os.path.join(npm.ROOT, "build/cache")), f"provider-aws-{VERSION}")
META = {"count", "for_each", "depends_on", "provider", "lifecycle"}  # members of Terraform itself
PARSE = """
const {parse} = require("@cdktf/hcl2json");
(async () => {
	const texts = JSON.parse(require("fs").readFileSync(0, "utf8")), said = [];
	for (const text of texts)
		said.push(await parse("main.tf", text).then((found) => ({found}), (e) => ({wrong: String(e)})));
	process.stdout.write(JSON.stringify(said), () => process.exit(0)); // the parser's program would run on
})();
"""


# ---- the language

def parse(texts):
    """Parses each text; returns JSON, or an error if the parser refuses the text."""
    home = os.path.dirname(npm.module("@cdktf"))
    done = subprocess.run([NODE, "-e", PARSE], input=json.dumps(texts), cwd=os.path.dirname(home), check=True, capture_output=True, text=True)
    said = json.loads(done.stdout)
    for text, one in zip(texts, said, strict=True):
        assert "wrong" not in one, f"{one['wrong']}\n{text}"
    return [one["found"] for one in said]


class Code(str):
    """An expression that is not a string: a reference, or a function call."""


def value_of(said):
    """Converts the parser's JSON, in which strings are templates."""
    if isinstance(said, dict):
        return {value_of(k): value_of(v) for k, v in said.items()}
    if isinstance(said, list):
        return [value_of(v) for v in said]
    if not isinstance(said, str):
        return said
    whole = re.fullmatch(r"\$\{([^{}]*)\}", said)
    if whole:
        return Code(whole[1])
    rest = said.replace("$${", "").replace("%%{", "")
    assert "${" not in rest and "%{" not in rest, f"{said} is no text, but a template"
    return said.replace("$${", "${").replace("%%{", "%{")


def resources(found):
    """{(type, name): members} of the parsed blocks."""
    assert set(found) <= {"resource"}, found
    return {(sort, name): value_of(one) for sort, names in found.get("resource", {}).items() for name, (one,) in names.items()}


# ---- the provider's schema

def fetch_provider():
    """Downloads the npm package, and extracts a few files of its 400 MB."""
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(os.path.join(CACHE, "package.tgz")):
            done = subprocess.run(["npm", "pack", "--silent", f"{PROVIDER}@{VERSION}"], cwd=CACHE, check=True, stdout=subprocess.PIPE, text=True)
            os.rename(os.path.join(CACHE, done.stdout.split()[-1]), os.path.join(CACHE, "package.tgz"))
    return os.path.join(CACHE, "package.tgz")


class Schema:
    """The schema of some resources, and of the provider itself, whose name is "aws"."""

    def __init__(self, sorts):
        folders = {"package/lib/" + ("provider" if sort == "aws" else sort.removeprefix("aws_").replace("_", "-")): sort for sort in sorts}
        self.members, self.blocks, texts = {}, {}, {}
        with tarfile.open(fetch_provider()) as package:
            for entry in package:
                folder, name = os.path.split(entry.name)
                if folder in folders and name in ("index.js", "index.d.ts"):
                    texts[folders[folder], name] = package.extractfile(entry).read().decode()
        for sort in sorts:
            assert (sort, "index.js") in texts, f"the provider has no resource {sort}"
            assert f'tfResourceType = "{sort}"' in texts[sort, "index.js"], sort
            self.read(sort, texts[sort, "index.d.ts"], texts[sort, "index.js"])

    def read(self, sort, declared, code):
        interfaces = dict(re.findall(r"^export interface (\w+)(?: extends [^{]+)? \{$(.*?)^\}$", declared, re.MULTILINE | re.DOTALL))
        (whole,) = [name for name in interfaces if name.endswith("Config") and f"config: {name}" in declared or f"config?: {name}" in declared]
        self.members[sort] = {path: known for path, known in self.walk(interfaces, whole, ())}
        blocks = dict(re.findall(r"^\s+(\w+): \{\n\s+value: [^\n]*\n\s+isBlock: (true|false),", code, re.MULTILINE))
        assert len(blocks) > 1 or sort == "aws", sort
        self.blocks[sort] = {name for name, is_one in blocks.items() if is_one == "true"}

    def walk(self, interfaces, name, path):
        for at, optional, word in re.findall(r"\{@link [^}#]*#(\w+) [^}]*\}\s*\n\s*\*/\s*\n\s*readonly \w+(\??): ([^;]+(?:;\s*\})?);", interfaces[name]):
            word = re.sub(r" \| cdktf\.IResolvable", "", word)
            yield (*path, at), (not optional, word)
            part = re.match(r"\w+", word)
            if part and part[0] in interfaces and len(path) < 3:
                yield from self.walk(interfaces, part[0], (*path, at))

    def check(self, sort, members, path=()):
        """Checks that each argument can be set and has the right type, and that no required one is missing."""
        known = self.members[sort]
        for name, value in members.items():
            if not path and name in META and sort != "aws":
                continue
            assert (*path, name) in known, f"{sort} has no argument {'.'.join((*path, name))}, or only shows it"
            word, is_block = known[*path, name][1], name in self.blocks[sort]
            if is_block:
                assert isinstance(value, list) and all(isinstance(one, dict) for one in value), (sort, name, value)
                for one in value:
                    self.check(sort, one, (*path, name))
            else:
                assert isinstance(value, Code) or fits(value, word), f"{sort}.{name} is a {word}: {value!r}"
        missing = {at for at, (required, _) in known.items() if required and at[:-1] == path and at[-1] not in members}
        assert not missing, f"{sort} wants {missing}"


def fits(value, word):
    """A number or a bool is also valid as a string: Terraform converts it."""
    if word.endswith("[]"):
        return isinstance(value, list) and all(isinstance(v, Code) or fits(v, word[:-2]) for v in value)
    if word.startswith("{"):
        return isinstance(value, dict) and all(isinstance(v, str) for v in value.values())
    if word == "string":
        return isinstance(value, (str, bool, int))
    if word == "boolean":
        return isinstance(value, bool)
    return word == "number" and isinstance(value, int) and not isinstance(value, bool)


# ---- the provider's behaviour

def normal(document):
    return json.dumps(json.loads(document), separators=(",", ":"), sort_keys=True)


class Provider(Networks):
    """resource type → a method that creates one, and returns its id and the members read afterwards."""

    def __init__(self, account, rest):
        self.ec2, self.iam, self.rest = account.client(), account.client("iam"), rest

    def aws_instance(self, v):
        image = only(self.ec2.describe_images(ImageIds=[v["ami"]])["Images"])
        more = {}
        if "subnet_id" in v:
            more["NetworkInterfaces"] = [{"DeviceIndex": 0, "SubnetId": v["subnet_id"], "Groups": v.get("vpc_security_group_ids", []),
                                          **given(v, AssociatePublicIpAddress="associate_public_ip_address")}]
        else:
            more.update(given(v, SecurityGroupIds="vpc_security_group_ids"))
        for root in v.get("root_block_device", []):
            more["BlockDeviceMappings"] = [{"DeviceName": image["RootDeviceName"], "Ebs": {"DeleteOnTermination": True, "VolumeSize": root["volume_size"]}}]
        if v["instance_type"].startswith("t3"):
            more["CreditSpecification"] = {"CpuCredits": "unlimited"}
        made = only(self.ec2.run_instances(
            ImageId=v["ami"], InstanceType=v["instance_type"], MinCount=1, MaxCount=1, ClientToken=token(), EbsOptimized=False,
            DisableApiTermination=v.get("disable_api_termination", False), Monitoring={"Enabled": False}, Placement={"AvailabilityZone": ""},
            HibernationOptions={"Configured": False}, **given(v, KeyName="key_name", UserData="user_data"), **tagged("instance", v), **more)["Instances"])["InstanceId"]
        self.rest()
        found = only(only(self.ec2.describe_instances(InstanceIds=[made])["Reservations"])["Instances"])
        assert found["State"]["Name"] == "running", found["State"]
        port = only(found["NetworkInterfaces"])
        disk = only(self.ec2.describe_volumes(VolumeIds=[b["Ebs"]["VolumeId"] for b in found["BlockDeviceMappings"]])["Volumes"])
        attribute = self.ec2.describe_instance_attribute(InstanceId=made, Attribute="disableApiTermination")
        return made, {"ami": found["ImageId"], "instance_type": found["InstanceType"], "key_name": found.get("KeyName"), "subnet_id": found["SubnetId"],
                      "vpc_security_group_ids": [g["GroupId"] for g in found["SecurityGroups"]], "associate_public_ip_address": "Association" in port,
                      "disable_api_termination": attribute["DisableApiTermination"]["Value"], "root_block_device": [{"volume_size": disk["Size"]}], "tags": tags_of(found.get("Tags"))}

    def aws_ec2_instance_state(self, v):
        made, wanted = v["instance_id"], v["state"]

        def now():
            return only(only(self.ec2.describe_instances(InstanceIds=[made])["Reservations"])["Instances"])["State"]["Name"]

        if now() != wanted and wanted == "stopped":
            self.ec2.stop_instances(InstanceIds=[made], Force=False)
        elif now() != wanted:
            self.ec2.start_instances(InstanceIds=[made])
        self.rest()
        return made, {"instance_id": made, "state": now()}

    def aws_ebs_volume(self, v):
        made = self.ec2.create_volume(ClientToken=token(), AvailabilityZone=v["availability_zone"], Size=v["size"], **given(v, SnapshotId="snapshot_id"), **tagged("volume", v))["VolumeId"]
        self.rest()
        found = only(self.ec2.describe_volumes(VolumeIds=[made])["Volumes"])
        assert found["State"] == "available"
        return made, {"availability_zone": found["AvailabilityZone"], "size": found["Size"], "snapshot_id": found["SnapshotId"], "tags": tags_of(found.get("Tags"))}

    def aws_volume_attachment(self, v):
        asked = {"VolumeIds": [v["volume_id"]], "Filters": [{"Name": "attachment.device", "Values": [v["device_name"]]}, {"Name": "attachment.instance-id", "Values": [v["instance_id"]]}]}
        assert self.ec2.describe_volumes(**asked)["Volumes"] == []
        self.ec2.attach_volume(Device=v["device_name"], InstanceId=v["instance_id"], VolumeId=v["volume_id"])
        self.rest()
        found = only(only(self.ec2.describe_volumes(**asked)["Volumes"])["Attachments"])
        assert found["State"] == "attached"
        return "vai-1", {"device_name": found["Device"], "instance_id": found["InstanceId"], "volume_id": found["VolumeId"]}

    def aws_ebs_snapshot(self, v):
        made = self.ec2.create_snapshot(VolumeId=v["volume_id"], **given(v, Description="description"), **tagged("snapshot", v))["SnapshotId"]
        self.rest()
        found = only(self.ec2.describe_snapshots(SnapshotIds=[made])["Snapshots"])
        assert found["State"] == "completed"
        return made, {"volume_id": found["VolumeId"], "description": found["Description"]}

    def image(self, made):
        self.rest()
        found = only(self.ec2.describe_images(ImageIds=[made])["Images"])
        assert found["State"] == "available"
        return made, found["Name"]

    def aws_ami_from_instance(self, v):
        """The provider does not read the source instance."""
        made, name = self.image(self.ec2.create_image(Description="", InstanceId=v["source_instance_id"], Name=v["name"], NoReboot=v.get("snapshot_without_reboot", False))["ImageId"])
        return made, {**v, "name": name}

    def aws_ami_copy(self, v):
        made, name = self.image(self.ec2.copy_image(ClientToken=token(), Description="", Encrypted=False, Name=v["name"], SourceImageId=v["source_ami_id"], SourceRegion=v["source_ami_region"])["ImageId"])
        return made, {**v, "name": name}

    def aws_ec2_tag(self, v):
        self.ec2.create_tags(Resources=[v["resource_id"]], Tags=[{"Key": v["key"], "Value": v["value"]}])
        found = only(self.ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [v["resource_id"]]}, {"Name": "key", "Values": [v["key"]]}])["Tags"])
        return f"{v['resource_id']},{v['key']}", {"resource_id": found["ResourceId"], "key": found["Key"], "value": found["Value"]}

    def aws_key_pair(self, v):
        made = self.ec2.import_key_pair(KeyName=v["key_name"], PublicKeyMaterial=v["public_key"].encode(), **tagged("key-pair", v))["KeyName"]
        found = only(self.ec2.describe_key_pairs(KeyNames=[made])["KeyPairs"])
        return made, {"key_name": found["KeyName"], "public_key": v["public_key"]}  # the provider does not read the key itself

    def aws_security_group(self, v):
        """The provider first removes the default egress rule that AWS adds."""
        made = self.ec2.create_security_group(GroupName=v["name"], Description=v["description"], **given(v, VpcId="vpc_id"), **tagged("security-group", v))["GroupId"]
        every = {"FromPort": 0, "ToPort": 0, "IpProtocol": "-1"}
        self.ec2.revoke_security_group_egress(GroupId=made, IpPermissions=[{**every, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
        with contextlib.suppress(botocore.exceptions.ClientError):
            self.ec2.revoke_security_group_egress(GroupId=made, IpPermissions=[{**every, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}])
        found = only(self.ec2.describe_security_groups(GroupIds=[made])["SecurityGroups"])
        assert found["IpPermissions"] == found["IpPermissionsEgress"] == []
        return made, {"name": found["GroupName"], "description": found["Description"], "vpc_id": found["VpcId"]}

    def rule(self, v, authorize):
        about = given(v, Description="description")
        ranges = ({"IpRanges": [{"CidrIp": v["cidr_ipv4"], **about}]} if "cidr_ipv4" in v else {"Ipv6Ranges": [{"CidrIpv6": v["cidr_ipv6"], **about}]} if "cidr_ipv6" in v
                  else {"UserIdGroupPairs": [{"GroupId": v["referenced_security_group_id"], **about}]})
        made = only(authorize(GroupId=v["security_group_id"], IpPermissions=[{"IpProtocol": v["ip_protocol"], **given(v, FromPort="from_port", ToPort="to_port"), **ranges}])["SecurityGroupRules"])
        found = only(self.ec2.describe_security_group_rules(SecurityGroupRuleIds=[made["SecurityGroupRuleId"]])["SecurityGroupRules"])
        names = {"security_group_id": "GroupId", "ip_protocol": "IpProtocol", "from_port": "FromPort", "to_port": "ToPort", "cidr_ipv4": "CidrIpv4", "cidr_ipv6": "CidrIpv6", "description": "Description"}
        return made["SecurityGroupRuleId"], {**{name: found.get(theirs) for name, theirs in names.items()}, "referenced_security_group_id": found.get("ReferencedGroupInfo", {}).get("GroupId")}

    def aws_vpc_security_group_ingress_rule(self, v):
        return self.rule(v, self.ec2.authorize_security_group_ingress)

    def aws_vpc_security_group_egress_rule(self, v):
        return self.rule(v, self.ec2.authorize_security_group_egress)

    def aws_iam_user(self, v):
        self.iam.create_user(UserName=v["name"], Path="/")
        return v["name"], {"name": self.iam.get_user(UserName=v["name"])["User"]["UserName"]}

    def aws_iam_access_key(self, v):
        made = self.iam.create_access_key(UserName=v["user"])["AccessKey"]["AccessKeyId"]
        found = only(k for k in self.iam.list_access_keys(UserName=v["user"])["AccessKeyMetadata"] if k["AccessKeyId"] == made)
        assert found["Status"] == "Active"
        return made, {"user": found["UserName"]}

    def aws_iam_group(self, v):
        self.iam.create_group(GroupName=v["name"], Path="/")
        return v["name"], {"name": self.iam.get_group(GroupName=v["name"])["Group"]["GroupName"]}

    def aws_iam_user_group_membership(self, v):
        for group in v["groups"]:
            self.iam.add_user_to_group(UserName=v["user"], GroupName=group)
        found = [g["GroupName"] for g in self.iam.list_groups_for_user(UserName=v["user"])["Groups"]]
        return "membership", {"user": v["user"], "groups": [g for g in found if g in v["groups"]]}

    def aws_iam_policy(self, v):
        made = self.iam.create_policy(PolicyName=v["name"], Path="/", Description="", PolicyDocument=normal(v["policy"]))["Policy"]["Arn"]
        found = self.iam.get_policy(PolicyArn=made)["Policy"]
        document = self.iam.get_policy_version(PolicyArn=made, VersionId=found["DefaultVersionId"])["PolicyVersion"]["Document"]
        assert document == json.loads(v["policy"])
        return made, {"name": found["PolicyName"], "policy": v["policy"]}

    def aws_iam_role(self, v):
        self.iam.create_role(RoleName=v["name"], Path="/", AssumeRolePolicyDocument=normal(v["assume_role_policy"]), MaxSessionDuration=3600)
        found = self.iam.get_role(RoleName=v["name"])["Role"]
        assert found["AssumeRolePolicyDocument"] == json.loads(v["assume_role_policy"])
        return v["name"], {"name": found["RoleName"], "assume_role_policy": v["assume_role_policy"]}

    def attach(self, v, holder, attach, attached):
        who = {holder.title() + "Name": v[holder]}
        attach(**who, PolicyArn=v["policy_arn"])
        found = only(p for p in attached(**who)["AttachedPolicies"] if p["PolicyArn"] == v["policy_arn"])
        return "attachment", {holder: v[holder], "policy_arn": found["PolicyArn"]}

    def aws_iam_user_policy_attachment(self, v):
        return self.attach(v, "user", self.iam.attach_user_policy, self.iam.list_attached_user_policies)

    def aws_iam_group_policy_attachment(self, v):
        return self.attach(v, "group", self.iam.attach_group_policy, self.iam.list_attached_group_policies)

    def aws_iam_role_policy_attachment(self, v):
        return self.attach(v, "role", self.iam.attach_role_policy, self.iam.list_attached_role_policies)


SORTS = [name for name in dir(Provider) if name.startswith("aws_")]


def apply(text, account, rest, folder):
    """Creates the new resources of the blocks, as `terraform apply` does; the blocks' files are in `folder`. Each resource is created after those
    that it refers to, otherwise in reverse order, because the order in a file has no meaning."""
    provider, written, made = Provider(account, rest), resources(only(parse([text]))), {}

    def known(value):
        if isinstance(value, dict):
            return {k: known(v) for k, v in value.items()}
        if isinstance(value, list):
            return [known(v) for v in value]
        if not isinstance(value, Code):
            return value
        name = re.fullmatch(r'file\("([\w.-]+)"\)', value)
        if name:
            return npm.read(os.path.join(folder, name[1]))
        sort, label, member = value.split(".")
        make((sort, label))
        return made[sort, label][member]

    def make(at):
        if at in made:
            return
        members = known(written[at])
        for _ in range(members.pop("count", 1)):
            identifier, found = getattr(provider, at[0])(members)
            made[at] = {**members, "id": identifier}
            assert {name: found[name] for name in members if name != "user_data"} == {name: v for name, v in members.items() if name != "user_data"}

    for at in reversed(written):
        make(at)

// SPDX-License-Identifier: Apache-2.0
// Commands that pages show before any click: they only read, and need no more data than the page. They are loaded with the first page; all others are
// in commands.js.

/** Writes a curl command, like curl() in shell.js; the first page does not load shell.js. */
const read = (path) => () => `curl -X GET "$DARI_URL/api/v1${path}" -H "X-Auth-Token: $DARI_TOKEN"`;
const ansible = (...modules) => () => modules.map((name) => `ansible localhost -m amazon.aws.${name}_info`).join("\n");

/** The tools, in the order of the command bar's tabs. */
export const TOOLS = ["aws", "openstack", "cmk", "ansible", "terraform", "dari", "curl"];

/** Commands by page, then by tool; the same form as COMMANDS in commands.js. */
export const LISTS = {
	"instances.list": {aws: () => "aws ec2 describe-instances", openstack: () => "openstack server list", cmk: () => "cmk list virtualmachines", ansible: ansible("ec2_instance"), curl: read("/instances")},
	"volumes.list": {aws: () => "aws ec2 describe-volumes", openstack: () => "openstack volume list", cmk: () => "cmk list volumes", ansible: ansible("ec2_vol"), curl: read("/volumes")},
	"snapshots.list": {aws: () => "aws ec2 describe-snapshots --owner-ids self", openstack: () => "openstack volume snapshot list", cmk: () => "cmk list snapshots", ansible: ansible("ec2_snapshot"), curl: read("/snapshots")},
	"images.list": {aws: () => "aws ec2 describe-images", openstack: () => "openstack image list", cmk: () => "cmk list templates templatefilter=executable", ansible: ansible("ec2_ami"), curl: read("/images")},
	"addresses.list": {aws: () => "aws ec2 describe-addresses", openstack: () => "openstack floating ip list", cmk: () => "cmk list publicipaddresses", ansible: ansible("ec2_eip"), curl: read("/addresses")},
	"key-pairs.list": {aws: () => "aws ec2 describe-key-pairs", openstack: () => "openstack keypair list", cmk: () => "cmk list sshkeypairs", curl: read("/key-pairs")},
	"security-groups.list": {aws: () => "aws ec2 describe-security-groups", openstack: () => "openstack security group list", cmk: () => "cmk list securitygroups", ansible: ansible("ec2_security_group"), curl: read("/security-groups")},
	"networks.list": {aws: () => "aws ec2 describe-vpcs; aws ec2 describe-subnets", openstack: () => "openstack router list; openstack subnet list", cmk: () => "cmk list vpcs; cmk list networks", ansible: ansible("ec2_vpc_net", "ec2_vpc_subnet"), curl: read("/routers")},
	"ports.list": {aws: () => "aws ec2 describe-network-interfaces", openstack: () => "openstack port list", curl: read("/ports")},
	"hosts.list": {dari: () => "dari host list", curl: read("/hosts")},
};

// SPDX-License-Identifier: Apache-2.0
// Commands that pages show before any click: they only read, and need no more data than the page. They are loaded with the first page; all others are
// in commands.js.
import {curl} from "./shell.js";

const ansible = (...modules) => () => modules.map((name) => `ansible localhost -m amazon.aws.${name}_info`).join("\n");

/** In the order of the tabs. */
export const TOOLS = ["aws", "openstack", "cmk", "ansible", "terraform", "dari", "curl"];

/** action → tool → command, as in COMMANDS. */
export const LISTS = {
	"instances.list": {aws: () => "aws ec2 describe-instances", openstack: () => "openstack server list", cmk: () => "cmk list virtualmachines", ansible: ansible("ec2_instance"), curl: () => curl("GET", "/instances")},
	"volumes.list": {aws: () => "aws ec2 describe-volumes", openstack: () => "openstack volume list", cmk: () => "cmk list volumes", ansible: ansible("ec2_vol"), curl: () => curl("GET", "/volumes")},
	"snapshots.list": {aws: () => "aws ec2 describe-snapshots --owner-ids self", openstack: () => "openstack volume snapshot list", cmk: () => "cmk list snapshots", ansible: ansible("ec2_snapshot"), curl: () => curl("GET", "/snapshots")},
	"backups.list": {openstack: () => "openstack volume backup list", curl: () => curl("GET", "/backups")},
	"pools.list": {dari: () => "dari pool list", curl: () => curl("GET", "/storage-pools")},
	"images.list": {aws: () => "aws ec2 describe-images", openstack: () => "openstack image list", cmk: () => "cmk list templates templatefilter=executable", ansible: ansible("ec2_ami"), curl: () => curl("GET", "/images")},
	"addresses.list": {aws: () => "aws ec2 describe-addresses", openstack: () => "openstack floating ip list", cmk: () => "cmk list publicipaddresses", ansible: ansible("ec2_eip"), curl: () => curl("GET", "/addresses")},
	"key-pairs.list": {aws: () => "aws ec2 describe-key-pairs", openstack: () => "openstack keypair list", cmk: () => "cmk list sshkeypairs", curl: () => curl("GET", "/key-pairs")},
	"security-groups.list": {aws: () => "aws ec2 describe-security-groups", openstack: () => "openstack security group list", cmk: () => "cmk list securitygroups", ansible: ansible("ec2_security_group"), curl: () => curl("GET", "/security-groups")},
	"networks.list": {aws: () => "aws ec2 describe-vpcs; aws ec2 describe-subnets", openstack: () => "openstack router list; openstack subnet list", cmk: () => "cmk list vpcs; cmk list networks", ansible: ansible("ec2_vpc_net", "ec2_vpc_subnet"), curl: () => curl("GET", "/routers")},
	"transit-gateways.list": {aws: () => "aws ec2 describe-transit-gateways; aws ec2 describe-transit-gateway-attachments", curl: () => curl("GET", "/transit-gateways")},
	"load-balancers.list": {aws: () => "aws elbv2 describe-load-balancers", curl: () => curl("GET", "/elastic-load-balancers")},
	"target-groups.list": {aws: () => "aws elbv2 describe-target-groups", curl: () => curl("GET", "/target-groups")},
	"scaling-groups.list": {aws: () => "aws autoscaling describe-auto-scaling-groups", curl: () => curl("GET", "/scaling-groups")},
	"reservations.list": {aws: () => "aws ec2 describe-capacity-reservations", curl: () => curl("GET", "/capacity-reservations")},
	"migrations.list": {dari: () => "dari migrate list", curl: () => curl("GET", "/cloud-migrations")},
	"fleets.list": {aws: () => "aws ec2 describe-fleets", curl: () => curl("GET", "/fleets")},
	"spot-requests.list": {aws: () => "aws ec2 describe-spot-instance-requests", ansible: ansible("ec2_spot_instance"), curl: () => curl("GET", "/spot-requests")},
	"ports.list": {aws: () => "aws ec2 describe-network-interfaces", openstack: () => "openstack port list", curl: () => curl("GET", "/ports")},
	"hosts.list": {dari: () => "dari host list", curl: () => curl("GET", "/hosts")},
	"groups.list": {aws: () => "aws iam list-groups", curl: () => curl("GET", "/user-groups")},
	"policies.list": {aws: () => "aws iam list-policies --scope Local", curl: () => curl("GET", "/policies")},
	"roles.list": {aws: () => "aws iam list-roles", curl: () => curl("GET", "/iam-roles")},
	"prices.list": {dari: () => "dari prices list", curl: () => curl("GET", "/price-lists")},
	"accounts.list": {openstack: () => "openstack project list", dari: () => "dari account list", curl: () => curl("GET", "/accounts")},
	"users.list": {aws: () => "aws iam list-users", curl: () => curl("GET", "/users")},
	explain: {dari: ({ids}) => `dari explain ${ids[0].ec2 ?? ids[0].id}`, curl: ({ids}) => curl("GET", `/explain/${ids[0].ec2 ?? ids[0].id}`)},
};

// SPDX-License-Identifier: Apache-2.0
// Terraform's equivalent of a click: blocks with resources of the provider hashicorp/aws. A block declares resources, so an action is here if the
// provider does the same for a new block: creations, associations, and running or stopping an instance. Other changes and deletions modify or remove
// an existing block, and reads are `terraform show`.
import {session, policyArn} from "./session.js";
import {isV6} from "./steps.js";

const ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"};
const PAD = "  ";

/** A string in HCL's quotes: characters that would begin a template are doubled. */
const quote = (text) => `"${String(text).replace(/[\\"\p{Cc}\u2028\u2029]|[$%](?=\{)/gu, (c) => ESCAPES[c] ?? ("$%".includes(c) ? c + c : `\\u${c.codePointAt(0).toString(16).padStart(4, "0")}`))}"`;
/** Unquoted text in a block: a reference, or a function call. */
const code = (text) => ({code: text});
/** A nested block, or a map, which has a sign before its brace. */
const nested = (sign, members) => ({sign, members});
const file = (name) => code(`file(${quote(name)})`);

function write(value) {
	if (Array.isArray(value))
		return `[${value.map(write).join(", ")}]`;
	return value.code ?? (typeof value === "string" ? quote(value) : String(value));
}

/** Lines of a block's body, formatted as by `terraform fmt`. Undefined members are omitted. */
function lines(members, pad) {
	const there = Object.entries(members).filter(([, value]) => value !== undefined && value !== null);
	const plain = there.filter(([, value]) => !value.members), width = Math.max(0, ...plain.map(([name]) => name.length));
	return [...plain.map(([name, value]) => `${pad}${name.padEnd(width)} = ${write(value)}`),
		...there.filter(([, value]) => value.members).flatMap(([name, {sign, members: inner}]) => [`${pad}${name}${sign} {`, ...lines(inner, pad + PAD), `${pad}}`])];
}

/** head: HCL's words before the brace. */
export const block = (head, members) => [`${head} {`, ...lines(members, PAD), "}"].join("\n");
export const inner = (members) => nested("", members);
const resource = (type, name, members) => block(`resource "${type}" "${name}"`, members);
/** Reference to another block's resource, by its id if no argument is named: Terraform waits for that block. */
const made = (type, name, argument = "id") => code(`${type}.${name}.${argument}`);
const tags = (name) => (name ? {tags: nested(" =", {Name: name})} : {});
const each = (rows, f) => rows.map(f).join("\n\n");

/** Name of a block: the letters and digits of a resource's name, without accents or signs. */
function label(name, otherwise) {
	const word = String(name ?? "").toLowerCase().replace(/[^a-z0-9_-]+/g, "_").replace(/^[^a-z]+|_+$/g, "");
	return word || otherwise;
}

const state = (word) => ({ids}) => each(ids, (r) => resource("aws_ec2_instance_state", r.ec2, {instance_id: r.ec2, state: word}));

function launch(a) {
	if (a.publicIp !== undefined && !a.subnet)
		return ""; // the provider knows it only for a named subnet
	if (["root_type", "root_encrypted", "disks", "instance_profile", "metadata_tokens_required", "shutdown_terminates"].some((name) => a.body?.[name]) || Object.keys(a.body?.tags ?? {}).some((key) => key !== "Name"))
		return "";
	return resource("aws_instance", label(a.name, "instance"), {
		count: a.count > 1 ? a.count : undefined, ami: a.image?.ec2, instance_type: a.type?.name, key_name: a.key?.name, subnet_id: a.subnet?.ec2,
		vpc_security_group_ids: a.groups?.length ? a.groups.map((g) => g.ec2) : undefined, associate_public_ip_address: a.publicIp,
		disable_api_termination: a.body?.protect_terminate, user_data: a.hasUserData ? file("user-data") : undefined,
		...(a.body?.root_size ? {root_block_device: inner({volume_size: a.body.root_size / 2 ** 30})} : {}), ...tags(a.name)});
}

/** For ICMP all types are meant; other protocols without ports have none. */
function rule(a) {
	const [from, to = from] = a.ports ? a.ports.split("-").map(Number) : /^icmp/.test(a.protocol) ? [-1] : [];
	return resource(`aws_vpc_security_group_${a.direction}_rule`, label(`${a.group.ec2}-${a.protocol}${a.ports ? `-${a.ports}` : ""}`, a.direction), {
		security_group_id: a.group.ec2, ip_protocol: a.protocol === "any" ? "-1" : a.protocol, from_port: from, to_port: to,
		...(a.peer ? {referenced_security_group_id: a.peer.ec2} : {[isV6(a.block) ? "cidr_ipv6" : "cidr_ipv4"]: a.block}), description: a.body?.description});
}

/** The provider removes the allow-all egress rule, which the click's group has. */
function group(a) {
	const name = label(a.name, "group");
	return [resource("aws_security_group", name, {name: a.name, description: a.description || a.name, vpc_id: a.router?.ec2}),
		resource("aws_vpc_security_group_egress_rule", `${name}_all`, {security_group_id: made("aws_security_group", name), ip_protocol: "-1", cidr_ipv4: "0.0.0.0/0"})].join("\n\n");
}

function network(a) {
	const name = label(a.name, "vpc");
	return [resource("aws_vpc", name, {cidr_block: a.block, ...tags(a.name)}),
		...(a.subnets ?? []).map((s) => resource("aws_subnet", `${name}_${label(s.zone.name, "zone")}`, {vpc_id: made("aws_vpc", name), availability_zone: s.zone.name, cidr_block: s.block}))].join("\n\n");
}

// ---- parts of networks: the same steps as in steps.js ----

function subnet(a) {
	return resource("aws_subnet", label(a.name, "subnet"), {vpc_id: a.router.ec2, availability_zone: a.zone?.name, cidr_block: a.block, map_public_ip_on_launch: a.isPublic || undefined, ...tags(a.name)});
}

/** The label of a new resource contains its VPC's or its subnet's id, so that blocks of several clicks fit into one file. */
function gateway({router, gateway: free}) {
	return free ? resource("aws_internet_gateway_attachment", router.ec2, {internet_gateway_id: free.ec2, vpc_id: router.ec2}) : resource("aws_internet_gateway", router.ec2, {vpc_id: router.ec2});
}

function nat({subnet: of, address}) {
	return [...(address ? [] : [resource("aws_eip", of.ec2, {domain: "vpc"})]),
		resource("aws_nat_gateway", of.ec2, {subnet_id: of.ec2, allocation_id: address ? address.ec2 : made("aws_eip", of.ec2)})].join("\n\n");
}

/** Our field of a route's target → the provider's argument. An instance has none: its interface is named. */
const TARGETS = {gateway: "gateway_id", nat_gateway: "nat_gateway_id", egress_gateway: "egress_only_gateway_id", peering: "vpc_peering_connection_id", port: "network_interface_id"};

/** The table or the target may be a reference; a target without an EC2 id cannot be written. */
function route({table, destination, field, target, of = table.ec2}) {
	const to = target?.code ? target : target?.ec2;
	return TARGETS[field] && to ? resource("aws_route", label(`${of}-${destination}`, "route"), {route_table_id: table.code ? table : table.ec2,
		[isV6(destination) ? "destination_ipv6_cidr_block" : "destination_cidr_block"]: destination, [TARGETS[field]]: to}) : "";
}

/** For a subnet that already has its own table, the existing block must be changed instead. */
function useTable({subnet: one, table}) {
	return one.route_table ? "" : resource("aws_route_table_association", one.ec2, {route_table_id: table.code ? table : table.ec2, subnet_id: one.ec2});
}

/** A way outside for a subnet. If one part cannot be expressed, nothing is shown. A gateway is named through the block that attaches it, because no
 * route may lead to it before. */
function mend({subnet: one, router, table, way, gateway: free, attached, nat: there, publicSubnet, address, isAlone, routes}) {
	const opens = way === "internet" && !attached, opened = free ? made("aws_internet_gateway_attachment", router.ec2, "internet_gateway_id") : made("aws_internet_gateway", router.ec2);
	const [field, target] = way === "internet" ? ["gateway", attached ?? opened]
		: ["nat_gateway", way === "nat" ? there : made("aws_nat_gateway", publicSubnet?.ec2)];
	const on = isAlone ? {table: made("aws_route_table", one.ec2), of: one.ec2} : {table};
	const parts = [...(opens ? [gateway({router, gateway: free})] : []), ...(way === "new-nat" ? [nat({subnet: publicSubnet, address})] : []),
		...(isAlone ? [resource("aws_route_table", one.ec2, {vpc_id: router.ec2}), ...(routes ?? []).map((r) => route({...r, ...on}))] : []),
		route({...on, destination: "0.0.0.0/0", field, target}), ...(isAlone ? [useTable({subnet: one, table: on.table})] : [])];
	return parts.every(Boolean) ? parts.join("\n\n") : "";
}

/** For ICMP all types are meant. */
function aclEntry(a) {
	const kinds = /^icmp/.test(a.protocol) ? -1 : undefined;
	return resource("aws_network_acl_rule", label(`${a.acl.ec2}-${a.egress ? "out" : "in"}-${a.number}`, "rule"), {network_acl_id: a.acl.ec2, egress: Boolean(a.egress), rule_number: a.number,
		rule_action: a.allows ? "allow" : "deny", protocol: a.protocol === "any" ? "-1" : a.protocol, from_port: a.from, to_port: a.to, icmp_type: kinds, icmp_code: kinds,
		[isV6(a.block) ? "ipv6_cidr_block" : "cidr_block"]: a.block});
}

const leads = ({ids, instance, port, moves}) => resource("aws_eip_association", ids[0].ec2, {allocation_id: ids[0].ec2, instance_id: instance?.ec2, network_interface_id: port?.ec2, allow_reassociation: moves || undefined});

const attachment = (holder) => ({ids, policy}) => resource(`aws_iam_${holder}_policy_attachment`, label(`${ids[0].name}_${policy?.name}`, "policy"), {[holder]: ids[0].name, policy_arn: policyArn(policy)});

/** action → block. */
export const TERRAFORM = {
	"instances.start": state("running"),
	"instances.stop": state("stopped"),
	"instances.launch": launch,
	"instances.image": ({ids, name, noReboot}) => resource("aws_ami_from_instance", label(name, "image"), {name, source_instance_id: ids[0].ec2, snapshot_without_reboot: Boolean(noReboot)}),
	"images.copy": ({ids, name}) => resource("aws_ami_copy", label(name, "image"), {name, source_ami_id: ids[0].ec2, source_ami_region: session.region}),
	"tags.set": ({ids, key, value}) => each(ids, (r) => resource("aws_ec2_tag", label(`${r.ec2}-${key}`, "tag"), {resource_id: r.ec2, key, value})),
	"volumes.create": (a) => resource("aws_ebs_volume", label(a.name, "volume"), {type: a.type || undefined, encrypted: a.isEncrypted || undefined, availability_zone: a.zone, size: Number(a.gib), ...tags(a.name)}),
	"volumes.attach": ({ids, instance, device}) => resource("aws_volume_attachment", ids[0].ec2, {device_name: device || "/dev/sdf", volume_id: ids[0].ec2, instance_id: instance?.ec2}),
	"snapshots.create": ({ids, name}) => each(ids, (r) => resource("aws_ebs_snapshot", `of-${r.ec2}`, {volume_id: r.ec2, description: name || undefined})),
	"snapshots.restore": ({ids, gib, zone}) => resource("aws_ebs_volume", `of-${ids[0].ec2}`, {availability_zone: zone?.name, snapshot_id: ids[0].ec2, size: Number(gib)}),
	"addresses.allocate": () => resource("aws_eip", "address", {domain: "vpc"}),
	"addresses.associate": leads,
	"addresses.lead": leads,
	"key-pairs.import": ({name}) => resource("aws_key_pair", label(name, "key"), {key_name: name, public_key: file("id.pub")}),
	"security-groups.create": group,
	"rules.add": (a) => (a.group?.ec2 ? rule(a) : ""),
	"networks.create": network,
	"subnets.create": subnet,
	"subnets.mend": mend,
	"routes.add": route,
	"route-tables.create": ({router, name}) => resource("aws_route_table", label(name, "table"), {vpc_id: router.ec2, ...tags(name)}),
	"route-tables.associate": useTable,
	"gateways.create": gateway,
	"nat-gateways.create": nat,
	"peerings.create": ({router, peer, owner}) => resource("aws_vpc_peering_connection", label(`${router.ec2}-${peer.ec2}`, "peering"), {vpc_id: router.ec2, peer_vpc_id: peer.ec2, peer_owner_id: owner || undefined}),
	"peerings.accept": ({ids}) => each(ids, (p) => resource("aws_vpc_peering_connection_accepter", p.ec2, {vpc_peering_connection_id: p.ec2, auto_accept: true})),
	"network-acls.create": ({router, name}) => resource("aws_network_acl", label(name, "acl"), {vpc_id: router.ec2, ...tags(name)}),
	"network-acls.associate": ({subnet: one, acl}) => resource("aws_network_acl_association", one.ec2, {network_acl_id: acl.ec2, subnet_id: one.ec2}),
	"acl-entries.add": aclEntry,
	"ports.create": ({subnet: of, description}) => resource("aws_network_interface", label(description, "interface"), {subnet_id: of.ec2, description: description || undefined}),
	"ports.attach": ({ids, instance, index}) => resource("aws_network_interface_attachment", ids[0].ec2, {network_interface_id: ids[0].ec2, instance_id: instance?.ec2, device_index: index}),
	"users.create": ({name}) => resource("aws_iam_user", label(name, "user"), {name}),
	"users.key": ({ids}) => each(ids, (u) => resource("aws_iam_access_key", label(u.name, "key"), {user: u.name})),
	"groups.create": ({name}) => resource("aws_iam_group", label(name, "group"), {name}),
	"groups.add": ({ids, user}) => resource("aws_iam_user_group_membership", label(`${user?.name}_${ids[0].name}`, "member"), {user: user?.name, groups: [ids[0].name]}),
	"policies.create": ({name}) => resource("aws_iam_policy", label(name, "policy"), {name, policy: file("policy.json")}),
	"policies.attach-user": attachment("user"),
	"policies.attach-user-group": attachment("group"),
	"policies.attach-iam-role": attachment("role"),
	"roles.create": ({name}) => resource("aws_iam_role", label(name, "role"), {name, assume_role_policy: file("trust.json")}),
};

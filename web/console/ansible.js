// SPDX-License-Identifier: Apache-2.0
// Ansible's equivalent of a click: a module of amazon.aws or of community.aws, as one line for a shell. A module declares the wanted state, so
// running the line again changes nothing. Actions without a module, or that need the output of a previous line, are missing here.
import {q} from "./shell.js";

const run = (module, args, collection = "amazon") => `ansible localhost -m ${collection}.aws.${module} -a ${q(JSON.stringify(args))}`;
const each = (rows, f) => rows.map(f).join("\n");
const instances = (state) => ({ids}) => run("ec2_instance", {instance_ids: ids.map((r) => r.ec2), state, wait: false});
const named = (name) => (name ? {name} : {});

function launch(a) {
	if (["root_size", "root_type", "root_encrypted", "disks", "instance_profile", "metadata_tokens_required", "shutdown_terminates", "protect_terminate"].some((name) => a.body?.[name]) || Object.keys(a.body?.tags ?? {}).some((key) => key !== "Name"))
		return ""; // the module's form of these is not written here
	return run("ec2_instance", {...named(a.name), state: "present", wait: false, image_id: a.image?.ec2, instance_type: a.type?.name, ...(a.count > 1 ? {count: a.count} : {}),
		...(a.key ? {key_name: a.key.name} : {}), ...(a.subnet ? {vpc_subnet_id: a.subnet.ec2} : {}), ...(a.groups?.length ? {security_groups: a.groups.map((g) => g.ec2)} : {}),
		...(a.publicIp === undefined ? {} : {network: {assign_public_ip: a.publicIp}}), ...(a.hasUserData ? {user_data: "{{ lookup('file', 'user-data') }}"} : {})});
}

function rule(a) {
	const [from, to = from] = a.ports ? a.ports.split("-").map(Number) : [-1, -1];
	const one = {proto: a.protocol === "any" ? "all" : a.protocol, ...(a.ports ? {from_port: from, to_port: to} : {}), ...(a.protocol === "icmp" && !a.ports ? {from_port: -1, to_port: -1} : {}), ...(a.peer ? {group_id: a.peer.ec2} : a.block?.includes(":") ? {cidr_ipv6: a.block} : {cidr_ip: a.block})};
	return run("ec2_security_group", {group_id: a.group?.ec2, name: a.group?.name, description: a.group?.description, [a.direction === "egress" ? "rules_egress" : "rules"]: [one],
		purge_rules: false, purge_rules_egress: false});
}

const routes = (a) => run("ec2_vpc_route_table", {lookup: "id", route_table_id: a.table.ec2, vpc_id: a.router?.ec2, routes: [{dest: a.destination, gateway_id: a.target.ec2}], purge_routes: false, purge_subnets: false, purge_tags: false});

const peering = (state) => ({ids}) => each(ids, (p) => run("ec2_vpc_peer", {peering_id: p.ec2, state}, "community"));

/** action → line. */
export const ANSIBLE = {
	"instances.start": instances("started"),
	"instances.stop": instances("stopped"),
	"instances.terminate": instances("absent"),
	"instances.launch": launch,
	"instances.image": ({ids, name, noReboot}) => run("ec2_ami", {instance_id: ids[0].ec2, name, no_reboot: Boolean(noReboot), wait: false}),
	"instances.protect": ({ids, on}) => run("ec2_instance", {instance_ids: ids.map((r) => r.ec2), state: "present", termination_protection: Boolean(on), wait: false}),
	"tags.set": ({ids, key, value}) => each(ids, (r) => run("ec2_tag", {resource: r.ec2, tags: {[key]: value}})),
	"tags.remove": ({ids, key}) => each(ids, (r) => run("ec2_tag", {resource: r.ec2, state: "absent", tags: {[key]: null}})),
	"volumes.create": (a) => run("ec2_vol", {...named(a.name), volume_size: a.gib, zone: a.zone, ...(a.type ? {volume_type: a.type} : {}), ...(a.isEncrypted ? {encrypted: true} : {})}),
	"volumes.attach": ({ids, instance, device}) => run("ec2_vol", {id: ids[0].ec2, instance: instance?.ec2, device_name: device || "/dev/sdf"}),
	"volumes.detach": ({ids}) => each(ids, (r) => run("ec2_vol", {id: r.ec2, instance: "None"})),
	"volumes.delete": ({ids}) => each(ids, (r) => run("ec2_vol", {id: r.ec2, state: "absent"})),
	"snapshots.create": ({ids, name}) => each(ids, (r) => run("ec2_snapshot", {volume_id: r.ec2, wait: false, ...(name ? {snapshot_tags: {Name: name}} : {})})),
	"snapshots.delete": ({ids}) => each(ids, (r) => run("ec2_snapshot", {snapshot_id: r.ec2, state: "absent"})),
	"addresses.allocate": () => run("ec2_eip", {in_vpc: true}),
	"addresses.associate": ({ids, instance}) => run("ec2_eip", {public_ip: ids[0].ip, device_id: instance?.ec2, in_vpc: true}),
	"addresses.release": ({ids}) => each(ids, (r) => run("ec2_eip", {public_ip: r.ip, state: "absent", release_on_disassociation: true})),
	"key-pairs.import": ({name}) => run("ec2_key", {name, key_material: "{{ lookup('file', 'id.pub') }}"}),
	"key-pairs.delete": ({ids}) => each(ids, (r) => run("ec2_key", {name: r.name, state: "absent"})),
	"security-groups.create": (a) => run("ec2_security_group", {name: a.name, description: a.description || a.name, ...(a.router ? {vpc_id: a.router.ec2} : {})}),
	"security-groups.delete": ({ids}) => each(ids, (r) => run("ec2_security_group", {group_id: r.ec2, state: "absent"})),
	"rules.add": rule,
	"images.deregister": ({ids}) => each(ids, (r) => run("ec2_ami", {image_id: r.ec2, state: "absent"})),
	"subnets.create": (a) => run("ec2_vpc_subnet", {vpc_id: a.router.ec2, cidr: a.block, ...(a.zone ? {az: a.zone.name} : {}), ...(a.isPublic ? {map_public: true} : {}), ...(a.name ? {tags: {Name: a.name}} : {})}),
	"subnets.delete": ({ids, router}) => each(ids, (s) => run("ec2_vpc_subnet", {vpc_id: router?.ec2, cidr: s.block, state: "absent"})),
	"gateways.create": ({router, gateway}) => (gateway ? "" : run("ec2_vpc_igw", {vpc_id: router.ec2})),
	"gateways.delete": ({router}) => run("ec2_vpc_igw", {vpc_id: router.ec2, state: "absent"}),
	"nat-gateways.create": ({subnet, address}) => run("ec2_vpc_nat_gateway", {subnet_id: subnet.ec2, ...(address ? {allocation_id: address.ec2} : {})}),
	"nat-gateways.delete": ({ids}) => each(ids, (n) => run("ec2_vpc_nat_gateway", {nat_gateway_id: n.ec2, state: "absent"})),
	"routes.add": routes,
	"peerings.create": ({router, peer, owner}) => run("ec2_vpc_peer", {vpc_id: router.ec2, peer_vpc_id: peer.ec2, ...(owner ? {peer_owner_id: owner} : {})}, "community"),
	"peerings.accept": peering("accept"),
	"peerings.reject": peering("reject"),
	"peerings.delete": peering("absent"),
	"ports.create": ({subnet, description}) => run("ec2_eni", {subnet_id: subnet.ec2, ...(description ? {description} : {})}),
	"ports.attach": ({ids, instance, index}) => run("ec2_eni", {eni_id: ids[0].ec2, instance_id: instance?.ec2, device_index: index, attached: true}),
	"ports.detach": ({ids}) => each(ids, (p) => run("ec2_eni", {eni_id: p.ec2, attached: false})),
	"ports.delete": ({ids}) => each(ids, (p) => run("ec2_eni", {eni_id: p.ec2, state: "absent"})),
};

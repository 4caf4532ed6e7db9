// SPDX-License-Identifier: Apache-2.0
// The command that repeats an event: by the resource's kind and the engine's word for it. Values that no row has any more (a deleted volume's size)
// are not guessed: such an event has no command.
import {nameOf} from "./parts.js";
import {row as byId, rows} from "./store.js";

const GIB = 2 ** 30;
const PATHS = {instance: "instances", volume: "volumes", snapshot: "snapshots", image: "images", address: "addresses", key_pair: "key-pairs", security_group: "security-groups", host: "hosts"};
const PREFIXES = {instance: "i", volume: "vol", snapshot: "snap", image: "ami", security_group: "sg", address: "eipalloc"};

/** Only ids are left of a deleted resource: EC2's id is the beginning of the UUID. */
const rowOf = (e) => byId(PATHS[e.kind], e.id) ?? (PREFIXES[e.kind] ? {id: e.id, ec2: `${PREFIXES[e.kind]}-${e.id.replaceAll("-", "").slice(0, 17)}`, isGone: true} : null);
const again = (verb) => (r) => ({verb, args: {ids: [r]}});
const present = (f) => (r) => (r.isGone ? null : f(r));
const named = (r) => (nameOf(r) === (r.ec2 ?? r.id) ? "" : nameOf(r));

function launched(r) {
	const image = byId("images", r.image), type = byId("instance-types", r.type), key = r.key_name ? {name: r.key_name} : null;
	return image && type ? {verb: "instances.launch", args: {image, type, count: 1, key, groups: [], name: named(r),
		body: {image: image.id, type: type.id, count: 1, ...(key ? {key: key.name} : {}), ...(named(r) ? {tags: {Name: named(r)}} : {})}}} : null;
}

function createdVolume(r) {
	const zone = byId("zones", r.zone);
	return zone && !r.snapshot && !r.image ? {verb: "volumes.create", args: {gib: r.size / GIB, zone: zone.name, name: named(r), body: {size: r.size, zone: r.zone, ...(named(r) ? {tags: {Name: named(r)}} : {})}}} : null;
}

function attachedTo(r) {
	const instance = byId("instances", r.instance);
	return instance ? {verb: "volumes.attach", args: {ids: [r], instance, device: r.device}} : null;
}

function ledTo(r) {
	const instance = rows("instances").find((i) => (i.addresses ?? []).some((a) => a.public_ip === r.ip));
	return instance ? {verb: "addresses.associate", args: {ids: [r], instance}} : null;
}

function keptOf(r) {
	const volume = byId("volumes", r.volume);
	return volume ? {verb: "snapshots.create", args: {ids: [volume], name: r.description}} : null;
}

const REPEATS = {
	instance: {"start asked": again("instances.start"), "stop asked": again("instances.stop"), "reboot asked": again("instances.reboot"), "pause asked": again("instances.pause"), "unpause asked": again("instances.unpause"),
		"suspend asked": again("instances.suspend"), "rescue asked": again("instances.rescue"), "unrescue asked": again("instances.unrescue"), "terminate asked": again("instances.terminate"), created: present(launched)},
	volume: {created: present(createdVolume), "attach asked": present(attachedTo), "detach asked": present((r) => (r.instance ? again("volumes.detach")(r) : null)), deleted: again("volumes.delete"),
		"modify asked": present((r) => ({verb: "volumes.grow", args: {ids: [r], gib: r.size / GIB}}))},
	snapshot: {created: present(keptOf), deleted: again("snapshots.delete")},
	image: {deregistered: again("images.deregister"), "fetch asked": present((r) => (r.fetch_url ? {verb: "images.import", args: {name: r.name, format: r.disk_format, url: r.fetch_url}} : null))},
	address: {allocated: () => ({verb: "addresses.allocate", args: {}}), associated: present(ledTo), released: present(again("addresses.release"))},
	security_group: {created: present((r) => ({verb: "security-groups.create", args: {name: r.name, description: r.description, router: byId("routers", r.router), body: {name: r.name, description: r.description, router: r.router}}})), deleted: again("security-groups.delete")},
	key_pair: {deleted: present(again("key-pairs.delete"))},
	host: {"maintenance over": present(again("hosts.enable")), removed: present(again("hosts.remove"))},
};

/** {verb, args} for showCommand; null if there is none. */
export function repeatOf(e) {
	const make = REPEATS[e.kind]?.[e.what], r = make ? rowOf(e) : null;
	return r ? make(r) : null;
}

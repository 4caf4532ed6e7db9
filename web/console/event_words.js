// SPDX-License-Identifier: Apache-2.0
// Events in the reader's language. An event's code is its kind and the engine's word for it (`what`); patterns extract arguments from the engine's
// sentence. Codes without an entry are shown in the engine's words. words.py compares each pattern with the sentences in src/.
import {t, size} from "./words.js";

const disk = (v) => ({...v, size: size(Number(v.bytes))});

/** Kind, the engine's word, the engine's sentence, and the translated text. */
const EVENTS = [
	["instance", "created", "Instance of type {type} from image {image} on host {host}.", (v) => t("Launched as {type} from {image} on {host}", v)],
	["instance", "start asked", "Asked to start.", () => t("Start requested")],
	["instance", "start asked", "Its account is not suspended any more.", () => t("Start requested: the account is no longer suspended")],
	["instance", "stop asked", "Asked to stop.", () => t("Stop requested")],
	["instance", "stop asked", "Asked to stop without asking the guest.", () => t("Forced stop requested")],
	["instance", "stop asked", "For its host's maintenance.", () => t("Stop requested for host maintenance")],
	["instance", "stop asked", "It is started on another host.", () => t("Stop requested, to start on another host")],
	["instance", "stop asked", "Its account was suspended.", () => t("Stop requested: the account is suspended")],
	["instance", "reboot asked", "Asked to reboot.", () => t("Reboot requested")],
	["instance", "reboot asked", "Asked to reboot without asking the guest.", () => t("Hard reboot requested")],
	["instance", "suspend asked", "Asked to suspend.", () => t("Suspend requested")],
	["instance", "pause asked", "Asked to pause.", () => t("Pause requested")],
	["instance", "unpause asked", "Asked to go on.", () => t("Resume requested")],
	["instance", "running", "It is running on its host.", () => t("Instance running")],
	["instance", "stopped", "It is off on its host.", () => t("Instance stopped")],
	["instance", "paused", "Its processors stand still.", () => t("Paused")],
	["instance", "unpaused", "Its processors go on.", () => t("Resumed")],
	["instance", "guest shutdown", "The guest shut itself down.", () => t("Guest operating system shut down")],
	["instance", "terminate asked", "{reason}", (v) => t("Termination requested: {reason}", v)],
	["instance", "terminated", "It is gone from its host.", () => t("Removed from host")],
	["instance", "placed", "On host {host}, as asked.", (v) => t("Placed on {host}, as requested", v)],
	["instance", "placed", "On host {host}.", (v) => t("Placed on {host}", v)],
	["instance", "placement changed", "It stays where it is.", () => t("Placement changed; the instance stays on its host")],
	["instance", "placement changed", "It goes to a host that fits.", () => t("Placement changed; migrating to a suitable host")],
	["instance", "migration asked", "To host {host}.", (v) => t("Migration to {host} requested", v)],
	["instance", "cold migration asked", "To host {host}, off meanwhile.", (v) => t("Cold migration to {host} requested", v)],
	["instance", "migrated", "It runs on host {host}.{note}", (v) => t("Migrated to {host}.{note}", v)],
	["instance", "migration failed", "It stays where it is. {why}", (v) => t("Migration failed; the instance stays on its host. {why}", v)],
	["instance", "migration cancelled", "It stays where it is. {why}", (v) => t("Migration cancelled; the instance stays on its host. {why}", v)],
	["instance", "evacuated", "Its host {from} is off. It is on host {to} now{note}.", (v) => t("Evacuated from {from}, which is off, to {to}{note}", v)],
	["instance", "resize asked", "To type {type}.", (v) => t("Change to {type} requested", v)],
	["instance", "resize confirmed", "Its new size stays.", () => t("New instance type confirmed")],
	["instance", "resize confirmed", "It stays on its new host.", () => t("New instance type confirmed on the new host")],
	["instance", "resize reverted", "To type {type}.", (v) => t("Reverted to {type}", v)],
	["instance", "rebuild asked", "From image {image}.", (v) => t("Rebuild from {image} requested", v)],
	["instance", "rescue asked", "From image {image}.", (v) => t("Rescue from {image} requested", v)],
	["instance", "unrescue asked", "From its root disk again.", () => t("Unrescue requested")],
	["instance", "shelve asked", "Off, and away from its host.", () => t("Shelve requested")],
	["instance", "unshelve asked", "On a host again, and started.", () => t("Unshelve requested")],
	["instance", "left its host", "Its disks stay where they are.", () => t("Offloaded from its host; volumes are kept")],
	["instance", "changed", "Its settings were changed.", () => t("Settings changed")],
	["instance", "changed", "Its security groups were changed.", () => t("Security groups changed")],
	["instance", "unlocked", "It may be changed again.", () => t("Unlocked")],
	["instance", "event scheduled", "{code}: {description}", (v) => t("Event scheduled: {code}, {description}", v)],
	["instance", "instance profile changed", "It has the instance profile {name}.", (v) => t("Instance profile {name} associated", v)],
	["instance", "instance profile changed", "It has no instance profile any more.", () => t("Instance profile disassociated")],
	["instance", "interface detached", "Network interface {id}.", (v) => t("Network interface {id} detached", v)],
	["instance", "given up", "Its host never came back{note}.", () => t("Lost: the host did not come back")],
	["volume", "created", "Volume of {bytes} bytes on host {host}.", (v) => t("{size} volume created on {host}", disk(v))],
	["volume", "created", "Its data are to be sent.", () => t("Waiting for upload")],
	["volume", "deleted", "Volume of {bytes} bytes.", (v) => t("{size} volume deleted", disk(v))],
	["volume", "attach asked", "To instance {id} as {device}.", (v) => t("Attachment to {id} as {device} requested", v)],
	["volume", "detach asked", "From instance {id}, cut off at once.", (v) => t("Forced detachment from {id} requested", v)],
	["volume", "detach asked", "From instance {id}.", (v) => t("Detachment from {id} requested", v)],
	["volume", "modify asked", "From {bytes} bytes of {type} to {more} of {other}.", (v) => t("Change from {size} {type} to {next} {other} requested", {...disk(v), next: size(Number(v.more))})],
	["volume", "revert asked", "To snapshot {id}.", (v) => t("Revert to snapshot {id} requested", v)],
	["volume", "changed", "What is said of it.", () => t("Name or description changed")],
	["volume", "changed", "It goes with its instance.", () => t("Delete on termination enabled")],
	["volume", "changed", "It outlives its instance.", () => t("Delete on termination disabled")],
	["volume", "move asked", "To {place}.", (v) => t("Move to {place} requested", v)],
	["volume", "moved", "To {place}.", (v) => t("Moved to {place}", v)],
	["volume", "lost", "Its disk was on a host that never came back.", () => t("Lost: the host did not come back")],
	["snapshot", "created", "Of volume {id}.", (v) => t("Snapshot of {id} started", v)],
	["snapshot", "completed", "It takes {bytes} bytes; {sent} came from its host.", (v) => t("Snapshot completed ({size})", disk(v))],
	["snapshot", "deleted", "Snapshot of {bytes} bytes.", (v) => t("Snapshot deleted")],
	["snapshot", "changed", "What is said of it.", () => t("Name or description changed")],
	["image", "created", "Image {name}, still empty.", (v) => t("Image {name} created, waiting for data", v)],
	["image", "registered", "Image {name}.", (v) => t("Image {name} registered", v)],
	["image", "deregistered", "Image {name}.", (v) => t("Image {name} deregistered", v)],
	["image", "deactivated", "Image {name}.", (v) => t("Image {name} deactivated", v)],
	["image", "reactivated", "Image {name}.", (v) => t("Image {name} reactivated", v)],
	["image", "fetch asked", "From {url}.", (v) => t("Import from {url} started", v)],
	["image", "filled", "With {bytes} bytes, a disk of {virtual}.", (v) => t("Image data received ({size})", disk(v))],
	["image", "not filled", "Nothing was sent in time.", () => t("Upload timed out")],
	["image", "not filled", "What was sent is no disk.", () => t("Upload failed: not a disk image")],
	["image", "changed", "Its settings were changed.", () => t("Settings changed")],
	["address", "allocated", "{ip}.", (v) => t("Elastic IP address {ip} allocated", v)],
	["address", "released", "{ip}.", (v) => t("Elastic IP address {ip} released", v)],
	["address", "associated", "{ip} stands for {private}.", (v) => t("{ip} associated with {private}", v)],
	["address", "disassociated", "{ip} is free.", (v) => t("{ip} disassociated", v)],
	["key_pair", "created", "Key pair {name}.", (v) => t("Key pair {name} created", v)],
	["key_pair", "deleted", "Key pair {name}.", (v) => t("Key pair {name} deleted", v)],
	["security_group", "created", "Security group {name}.", (v) => t("Security group {name} created", v)],
	["security_group", "deleted", "Security group {name}.", (v) => t("Security group {name} deleted", v)],
	["security_group", "changed", "Name or description.", () => t("Name or description changed")],
	["security_group", "rules added", "{count} rules.", (v) => t("{n} rules added", {n: Number(v.count)})],
	["security_group", "rules removed", "{count} rules.", (v) => t("{n} rules removed", {n: Number(v.count)})],
	["security_group", "rules removed", "A group that a rule names is deleted.", () => t("Rules removed: a referenced group was deleted")],
	["router", "created", "VPC with block {block}.", (v) => t("VPC {block} created", v)],
	["router", "created", "Default VPC with block {block}.", (v) => t("Default VPC {block} created", v)],
	["router", "created", "Router.", () => t("Router created")],
	["router", "deleted", "VPC with its main route table, default network ACL and default group.", () => t("VPC deleted")],
	["subnet", "created", "Subnet {block}.", (v) => t("Subnet {block} created", v)],
	["subnet", "deleted", "Subnet {block}.", (v) => t("Subnet {block} deleted", v)],
	["port", "created", "Network interface with {ip}.", (v) => t("Network interface {ip} created", v)],
	["port", "deleted", "Network interface with {ip}.", (v) => t("Network interface {ip} deleted", v)],
	["port", "attach asked", "To instance {id} as device {n}.", (v) => t("Attachment to {id} requested", v)],
	["route_table", "created", "Route table.", () => t("Route table created")],
	["route_table", "deleted", "Route table.", () => t("Route table deleted")],
	["route_table", "route changed", "Route to {block}.", (v) => t("Route to {block} set", v)],
	["route_table", "route deleted", "Route to {block}.", (v) => t("Route to {block} deleted", v)],
	["gateway", "created", "Internet gateway.", () => t("Internet gateway created")],
	["gateway", "deleted", "Internet gateway.", () => t("Internet gateway deleted")],
	["gateway", "attached", "Attached to {id}.", (v) => t("Attached to {id}", v)],
	["gateway", "detached", "Detached from {id}.", (v) => t("Detached from {id}", v)],
	["nat_gateway", "created", "NAT gateway at {ip}.", (v) => t("NAT gateway {ip} created", v)],
	["nat_gateway", "deleted", "NAT gateway.", () => t("NAT gateway deleted")],
	["network_acl", "created", "Network ACL.", () => t("Network ACL created")],
	["network_acl", "deleted", "Network ACL.", () => t("Network ACL deleted")],
	["peering", "accepted", "It leads where routes say so.", () => t("Peering connection accepted; add routes to use it")],
	["user", "created", "User {name}.", (v) => t("User {name} created", v)],
	["user", "deleted", "User {name}.", (v) => t("User {name} deleted", v)],
	["user", "access key created", "Access key {id}.", (v) => t("Access key {id} created", v)],
	["account", "created", "Account {name}, number {number}.", (v) => t("Account {name} ({number}) created", v)],
	["account", "deleted", "Account {name}.", (v) => t("Account {name} deleted", v)],
	["account", "limits changed", "Its limits were changed.", () => t("Quotas changed")],
	["host", "added", "Host {name} in zone {zone} at {uri}.", (v) => t("Host {name} added in {zone}", v)],
	["host", "removed", "Host {name}.", (v) => t("Host {name} removed", v)],
	["host", "up", "The host answers.", () => t("Host online")],
	["host", "down", "The host does not answer.", () => t("Host offline")],
	["host", "enabled", "New instances may be placed on it.", () => t("Scheduling enabled")],
	["host", "disabled", "No new instances are placed on it.", () => t("Scheduling disabled")],
	["host", "maintenance planned", "{reason}", (v) => (v.reason ? t("Maintenance scheduled: {reason}", v) : t("Maintenance scheduled"))],
	["host", "maintenance over", "What was held for it is started again.", () => t("Maintenance finished; stopped instances are started again")],
	["support_ticket", "opened", "Ticket {number}: {subject}", (v) => t("Ticket {number} opened: {subject}", v)],
	["support_ticket", "reopened", "Ticket {number}.", (v) => t("Ticket {number} reopened", v)],
];

let byCode = null;

/** "Volume of {bytes} bytes." as an expression with named groups. */
const expression = (pattern) => new RegExp("^" + pattern.split(/(\{\w+\})/).map((part) => (/^\{\w+\}$/.test(part) ? `(?<${part.slice(1, -1)}>[^]*?)` : part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))).join("") + "$");

function codes() {
	if (!byCode) {
		byCode = new Map();
		for (const [kind, what, pattern, words] of EVENTS) {
			const key = `${kind} ${what}`;
			byCode.set(key, [...(byCode.get(key) ?? []), {expression: expression(pattern), words}]);
		}
	}
	return byCode;
}

export function eventWords(e) {
	const text = e.text ?? e.message ?? "";
	if (e.what === "condition") {
		const [, name, said] = /^([^:]*): ([^]*)$/.exec(text) ?? [null, "", text];
		return name ? `${t(name)}: ${said}` : said;
	}
	for (const one of codes().get(`${e.kind} ${e.what}`) ?? []) {
		const found = one.expression.exec(text);
		if (found)
			return one.words({...found.groups});
	}
	return text || e.what || "";
}

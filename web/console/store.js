// SPDX-License-Identifier: Apache-2.0
// What the pages know: rows by kind, as the server said them last, and one repaint a frame however many rows have changed. A page
// names the kinds that it needs; each is fetched whole, a thousand rows at a time, and kept level by the stream from then on.
// A row that arrives is applied if it is newer than the one that is there, so the order of answers and of the stream does not matter.
import {get, Unreachable} from "./api.js";

const PAGE = 1000;
const WHOLE_MAX = 20000; // rows of a kind that a browser holds; above it says that it does not hold all

/** kind → {rows: Map of id → row, version, batch, total, isLoaded, isCut, problem, loading} */
const kinds = new Map();
/** Kinds of which everybody's rows are held, not the account's alone: an operator's. */
export const everybodys = new Set();
let repaint = () => {};
let isDue = false;

export function onRepaint(f) {
	repaint = f;
}

/** Asks for a repaint at the next frame. A window that is not seen has no frames: it is painted all the same, a little later. */
export function touch() {
	if (isDue)
		return;
	isDue = true;
	const run = () => {
		isDue = false;
		repaint();
	};
	if (document.hidden)
		setTimeout(run, 200);
	else
		requestAnimationFrame(run);
}

function kindOf(name) {
	let k = kinds.get(name);
	if (!k) {
		k = {name, rows: new Map(), version: 0, batch: 0, total: 0, isLoaded: false, isCut: false, problem: null, loading: null};
		kinds.set(name, k);
	}
	return k;
}

async function load(k) {
	const found = new Map();
	let path = `/${k.name}?fields=*&limit=${PAGE}${everybodys.has(k.name) ? "&all=1" : ""}`, batch = Infinity, after = "";
	k.isCut = false;
	for (;;) {
		const page = await get(path + (after ? `&after=${encodeURIComponent(after)}` : ""));
		batch = Math.min(batch, page.batch ?? 0);
		for (const row of page.items)
			found.set(row.id, row);
		k.total = page.total ?? found.size;
		if (!k.isLoaded) { // the first page is painted at once
			for (const row of page.items)
				k.rows.set(row.id, row);
			k.version++;
			touch();
		}
		after = page.next || "";
		if (!after)
			break;
		if (found.size >= WHOLE_MAX) {
			k.isCut = true;
			break;
		}
	}
	// What the stream has said meanwhile may be newer than what was fetched.
	for (const [id, row] of k.rows)
		if ((row.batch ?? 0) > batch && !k.gone?.has(id) && (!found.has(id) || found.get(id).batch < row.batch))
			found.set(id, row);
	for (const id of k.gone ?? [])
		found.delete(id);
	k.rows = found;
	k.batch = batch === Infinity ? 0 : batch;
}

/** The kind's rows, on their way if they are not here yet. */
export function need(name) {
	const k = kindOf(name);
	if (!k.isLoaded && !k.loading && !k.problem)
		reload(name);
	return k;
}

export function reload(name) {
	const k = kindOf(name);
	if (k.loading)
		return k.loading;
	k.problem = null;
	k.gone = new Set();
	k.loading = load(k)
		.then(() => {
			k.isLoaded = true;
		})
		.catch((problem) => {
			k.problem = problem;
			if (problem instanceof Unreachable)
				setTimeout(() => k.problem === problem && reload(name), 2000);
		})
		.finally(() => {
			k.loading = null;
			k.gone = null;
			k.version++;
			touch();
		});
	return k.loading;
}

/** After a gap: what is held is fetched anew, and stays on the screen until it is there. */
export function reloadAll() {
	return Promise.all([...kinds.values()].filter((k) => k.isLoaded || k.problem).map((k) => reload(k.name)));
}

export function forgetAll() {
	kinds.clear();
	touch();
}

/** The stream names kinds as the schema does; paths have another form of the name. */
const PATHS = {instance: "instances", instance_type: "instance-types", image: "images", zone: "zones", volume: "volumes", snapshot: "snapshots", address: "addresses", port: "ports", router: "routers", subnet: "subnets",
	security_group: "security-groups", security_group_rule: "security-group-rules", key_pair: "key-pairs", host: "hosts", route: "routes", route_table: "route-tables", gateway: "gateways", nat_gateway: "nat-gateways",
	peering: "peerings", network_acl: "network-acls", network_acl_entry: "network-acl-entries", user: "users", access_key: "access-keys", account: "accounts", domain: "domains", storage_pool: "storage-pools",
	region_audit: "audits", audit_difference: "audit-findings", policy: "policies", policy_version: "policy-versions", policy_attachment: "policy-attachments",
	iam_role: "iam-roles", user_group: "user-groups", group_member: "group-members",
	support_ticket: "tickets", ticket_message: "ticket-messages", ticket_attachment: "ticket-attachments"};
const pathOf = (kind) => PATHS[kind] ?? kind;

/** Some of the stream's rows. */
export function apply(message) {
	for (const {kind, row} of message.put ?? []) {
		const k = kinds.get(pathOf(kind));
		if (!k)
			continue;
		const before = k.rows.get(row.id);
		if (before && (before.batch ?? 0) > (row.batch ?? Infinity))
			continue;
		if (!before)
			k.total++;
		k.rows.set(row.id, {...row, freshAt: performance.now()});
		k.gone?.delete(row.id);
		k.version++;
	}
	for (const {kind, id} of message.gone ?? []) {
		const k = kinds.get(pathOf(kind));
		k?.gone?.add(id);
		if (k?.rows.delete(id)) {
			k.total--;
			k.version++;
		}
	}
	touch();
}

/** An answer's row, shown before the stream says the same. */
export function applyRow(kind, row) {
	if (row?.id)
		apply({put: [{kind, row}]});
}

export function row(kind, id) {
	return id ? need(kind).rows.get(id) : undefined;
}

/** By its id, or its short one. */
export function findRow(kind, text) {
	const k = need(kind);
	return k.rows.get(text) ?? [...k.rows.values()].find((r) => r.ec2 === text);
}

/** All rows, as an array that is made anew only when they have changed. */
export function rows(kind) {
	const k = need(kind);
	if (k.arrayVersion !== k.version) {
		k.array = [...k.rows.values()];
		k.arrayVersion = k.version;
	}
	return k.array;
}

export function isReady(...names) {
	return names.every((n) => need(n).isLoaded);
}

/** A value made of rows, kept until one of the kinds changes, or the key does. */
const made = new Map();
export function derive(name, kindNames, key, make) {
	const version = kindNames.map((n) => need(n).version).join() + "|" + key;
	const last = made.get(name);
	if (last?.version === version)
		return last.value;
	const value = make();
	made.set(name, {version, value});
	return value;
}

// SPDX-License-Identifier: Apache-2.0
// What the pages know: rows by kind, as the server said them last, and one repaint a frame however many rows have changed. A page
// names the kinds that it needs; all rows of each are fetched, a thousand at a time, and kept level by the stream from then on. Of kinds
// that have many rows only those fields are fetched that lists show (FIELDS): a page of one thing asks for the rest of it (whole()).
// A row that arrives is applied if it is newer than the one that is there, so the order of answers and of the stream does not matter.
import {get, pages, Unreachable} from "./api.js";

const PAGE = 1000;
const WHOLE_MAX = 20000; // rows of a kind that a browser holds; above it says that it does not hold all

const LOG_MAX = 4096; // changes of a kind that are remembered one by one
/** Besides id, ec2, gen, batch and created_us, which each row has. */
const FIELDS = {instances: "state,tags,type,image,zone,host,key_name,addresses,launched_us,conditions"};

/** kind → {rows: Map of id → row, parts: ids of rows that are not whole, version, log: ids that changed since the version logFrom,
 * batch, total, isLoaded, isCut, problem, loading} */
const kinds = new Map();
/** Kinds of which everybody's rows are held, not the account's alone: an operator's. */
export const everybodys = new Set();
let repaint = () => {};
let isDue = false;
let touches = 0;      // repaints that were asked for by something other than a change of rows
let firstVersion = 0; // of a kind that is made now

export function onRepaint(f) {
	repaint = f;
}

/** Asks for a repaint at the next frame. A window that is not seen has no frames: it is painted all the same, a little later. */
export function touch() {
	touches++;
	touchRows();
}

function touchRows() {
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
		k = {name, rows: new Map(), parts: new Set(), version: firstVersion, log: [], logFrom: firstVersion, batch: 0, total: 0, isLoaded: false, isCut: false, problem: null, loading: null};
		kinds.set(name, k);
	}
	return k;
}

/** How often a repaint was asked for by something other than a change of rows. What shows no rows is as it was while this is. */
export function countTouches() {
	return touches;
}

/** The same, with the changes of all rows but those of that kind. */
export function countChangesBesides(name) {
	let changes = touches;
	for (const k of kinds.values())
		changes += k.name === name ? 0 : k.version;
	return changes;
}

/** Of these rows another version is there. */
function noteAll(k) {
	k.version++;
	k.log = [];
	k.logFrom = k.version;
}

function noteOne(k, id) {
	k.version++;
	k.log.push(id);
	if (k.log.length > LOG_MAX)
		k.logFrom += k.log.splice(0, LOG_MAX / 2).length;
}

/** The ids of rows that came, changed or went since that version; null: any. */
export function changedSince(name, version) {
	const k = kindOf(name);
	return version < k.logFrom ? null : new Set(k.log.slice(version - k.logFrom));
}

async function load(k) {
	const found = new Map();
	const path = `/${k.name}?fields=${FIELDS[k.name] ?? "*"}&limit=${PAGE}${everybodys.has(k.name) ? "&all=1" : ""}`;
	let batch = Infinity;
	k.isCut = false;
	await pages(path, (page) => {
		batch = Math.min(batch, page.batch ?? 0);
		const isFirst = !found.size;
		for (const row of page.items)
			found.set(row.id, row);
		k.total = page.total ?? found.size;
		if (!k.isLoaded && isFirst) { // the first page is painted at once
			for (const row of page.items) {
				k.rows.set(row.id, row);
				if (FIELDS[k.name])
					k.parts.add(row.id);
			}
			noteAll(k);
			touch();
		}
		k.isCut = Boolean(page.next) && found.size >= WHOLE_MAX;
		return !k.isCut;
	});
	const parts = new Set(FIELDS[k.name] ? found.keys() : []);
	// What the stream has said meanwhile may be newer than what was fetched.
	for (const [id, row] of k.rows)
		if ((row.batch ?? 0) > batch && !k.gone?.has(id) && (!found.has(id) || found.get(id).batch < row.batch)) {
			found.set(id, k.parts.has(id) ? {...found.get(id), ...row} : row);
			if (k.parts.has(id))
				parts.add(id);
			else
				parts.delete(id);
		}
	for (const id of k.gone ?? [])
		found.delete(id);
	k.rows = found;
	k.parts = parts;
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
			noteAll(k);
			touch();
		});
	return k.loading;
}

/** After a gap: what is held is fetched anew, and stays on the screen until it is there. */
export function reloadAll() {
	return Promise.all([...kinds.values()].filter((k) => k.isLoaded || k.problem).map((k) => reload(k.name)));
}

/** No version comes again, so that what was made of the rows of before is never taken for what is made of those that come. */
export function forgetAll() {
	firstVersion = 1 + Math.max(firstVersion, ...[...kinds.values()].map((k) => k.version));
	kinds.clear();
	touch();
}

const COUNT_MS = 2000;
/** The kind of that list, if its rows are here or on their way. */
function held(list) {
	const k = kinds.get(list);
	if (k && !k.isLoaded && !k.loading && !k.rows.size) {
		if (k.isCounted)
			k.recount ??= setTimeout(() => {
				k.recount = undefined;
				k.isCounted = false;
				touch();
			}, COUNT_MS);
		return null;
	}
	return k;
}

export const FRESH_MS = 1200;
let fading = 0;
/** What has just changed stands out for a while. Nothing moves meanwhile: a movement of many rows takes the time of their next changes. */
function fade() {
	fading ||= setTimeout(() => {
		fading = 0;
		touch();
	}, FRESH_MS + 50);
}

/** What the stream says of a row, with what it never says: that is as it was, until somebody looks at the row (whole()). */
function joined(before, row) {
	const now = {...before, ...row, freshAt: performance.now()};
	for (const name in row)
		if (row[name] === null)
			delete now[name];
	return now;
}

const NEW_MAX = 8, SOON_MS = 200;
const fresh = new Map(); // list → ids of rows of which the stream alone has told
let fetching = 0;
/** Lists have more of a row than the stream says: of new rows the rest is fetched, one by one or, where many came, with their list. */
function fetchFresh() {
	fetching = 0;
	for (const [name, ids] of fresh)
		if (ids.size > NEW_MAX)
			reload(name);
		else
			ids.forEach((id) => fetchWhole(name, {id}).catch(() => {}));
	fresh.clear();
}
function noteFresh(name, id) {
	if (FIELDS[name])
		return;
	fresh.set(name, (fresh.get(name) ?? new Set()).add(id));
	fetching ||= setTimeout(fetchFresh, SOON_MS);
}

/** Some of the stream's rows; or whole ones of an answer. */
export function apply(message) {
	for (const {list, row, isWhole} of message.put ?? []) {
		const k = held(list);
		if (!k)
			continue;
		const before = k.rows.get(row.id);
		if (before && (before.batch ?? 0) > (row.batch ?? Infinity))
			continue;
		if (!before)
			k.total++;
		k.rows.set(row.id, joined(isWhole ? null : before, row));
		if (isWhole)
			k.parts.delete(row.id);
		else
			k.parts.add(row.id);
		if (!before && !isWhole)
			noteFresh(list, row.id);
		k.gone?.delete(row.id);
		noteOne(k, row.id);
	}
	for (const {list, id} of message.gone ?? []) {
		const k = held(list);
		k?.gone?.add(id);
		if (k?.rows.delete(id)) {
			k.total--;
			noteOne(k, id);
		}
	}
	touchRows();
	fade();
}

/** An answer's row, shown before the stream says the same. */
export function applyRow(list, row) {
	if (row?.id)
		apply({put: [{list, row, isWhole: true}]});
}

export function row(kind, id) {
	return id ? need(kind).rows.get(id) : undefined;
}

/** How many rows of a kind there are, for who needs no more: fetched alone, and again soon after the stream has told of one. */
export function countOf(name) {
	const k = kindOf(name);
	if (k.isLoaded)
		return k.rows.size;
	if (!k.isCounted && !k.loading) {
		k.isCounted = true;
		get(`/${name}?fields=id&limit=1`).then((page) => {
			k.count = page.total;
			touch();
		}, () => {});
	}
	return k.count ?? "";
}

/** The row with all of its fields, once they are here. */
const asked = new Map();
export function fetchWhole(name, row) {
	const k = kindOf(name);
	if (!k.parts.has(row.id))
		return Promise.resolve(k.rows.get(row.id) ?? row);
	if (!asked.has(row.id))
		asked.set(row.id, get(`/${name}/${row.id}`).then((answer) => {
			const now = k.rows.get(row.id), said = answer.item ?? answer;
			if (!now || !k.parts.has(row.id) || (now.batch ?? 0) > (said.batch ?? 0))
				return now ?? said; // the stream was faster
			k.rows.set(row.id, said);
			k.parts.delete(row.id);
			noteOne(k, row.id);
			touch();
			return said;
		}).finally(() => asked.delete(row.id)));
	return asked.get(row.id);
}

/** The row as far as it is here; the rest of it is on its way. */
export function whole(name, row) {
	if (kindOf(name).parts.has(row.id) && !asked.has(row.id))
		fetchWhole(name, row).catch(() => {});
	return row;
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

/** How many rows of a kind pass a test that no other row decides. Only those that have changed are looked at again. */
const passed = new Map();
export function countIf(name, test) {
	const k = need(name);
	let c = passed.get(name);
	const changed = c ? changedSince(name, c.version) : null;
	if (!changed)
		passed.set(name, (c = {ids: new Set()}));
	for (const id of changed ?? k.rows.keys()) {
		const r = k.rows.get(id);
		if (r && test(r))
			c.ids.add(id);
		else
			c.ids.delete(id);
	}
	c.version = k.version;
	return c.ids.size;
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

// SPDX-License-Identifier: Apache-2.0
// The pages' data: rows by kind in the server's latest version, and one repaint a frame however many rows change. A page names the kinds that it
// needs; all rows of each are fetched, a thousand at a time, and then updated by the stream. For kinds with many rows only the fields of lists are
// fetched (FIELDS): the page of a single row fetches the rest (whole()). A received row is applied if it is newer than the present one, so the order
// of answers and stream events does not matter.
import {get, pages, Unreachable} from "./api.js";

const PAGE = 1000;
const WHOLE_MAX = 20000; // rows of a kind that a browser keeps; beyond that the page says that the list is incomplete

const LOG_MAX = 4096; // remembered changes of a kind
/** In addition to id, ec2, gen, batch and created_us, which each row has. */
const FIELDS = {instances: "state,tags,type,image,zone,host,key_name,addresses,launched_us,conditions"};

/** kind → {rows: Map of id → row, parts: ids of incomplete rows, version, log: ids changed since the version logFrom, batch, total, isLoaded, isCut,
 * problem, loading} */
const kinds = new Map();
/** Kinds for which an operator loads all accounts' rows. */
export const everybodys = new Set();
let repaint = () => {};
let isDue = false;
let touches = 0;      // repaints requested by anything other than a change of rows
let firstVersion = 0; // first version of a kind created now

export function onRepaint(f) {
	repaint = f;
}

/** Requests a repaint at the next frame. A hidden window has no frames: it is repainted by a timer, a little later. */
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

/** Number of repaints requested by anything other than a change of rows. A view without rows is unchanged while this is. */
export function countTouches() {
	return touches;
}

/** The same, plus changes of all rows except those of that kind. */
export function countChangesBesides(name) {
	let changes = touches;
	for (const k of kinds.values())
		changes += k.name === name ? 0 : k.version;
	return changes;
}

/** Notes that these rows have another version. */
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

/** Ids of rows added, changed or removed since that version; null: any may have. */
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
	// Events received meanwhile may be newer than the fetched rows.
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

/** The kind's rows; starts loading them if necessary. */
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

/** After a gap: fetches everything again, while the old rows stay visible. */
export function reloadAll() {
	return Promise.all([...kinds.values()].filter((k) => k.isLoaded || k.problem).map((k) => reload(k.name)));
}

/** Versions never repeat, so values derived from old rows are never mistaken for values of new ones. */
export function forgetAll() {
	firstVersion = 1 + Math.max(firstVersion, ...[...kinds.values()].map((k) => k.version));
	kinds.clear();
	touch();
}

const COUNT_MS = 2000;
/** The kind of that list, if its rows are loaded or loading. */
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
/** Highlights changed rows for a while. There is no animation: animating many rows would take longer than until their next change. */
function fade() {
	fading ||= setTimeout(() => {
		fading = 0;
		touch();
	}, FRESH_MS + 50);
}

/** A streamed row with the fields that the stream omits: they keep their values until the row is opened (whole()). */
function joined(before, row) {
	const now = {...before, ...row, freshAt: performance.now()};
	for (const name in row)
		if (row[name] === null)
			delete now[name];
	return now;
}

const NEW_MAX = 8, SOON_MS = 200;
const fresh = new Map(); // list → ids of rows known from the stream only
let fetching = 0;
/** Lists need more fields than the stream has: fetches the rest of new rows, one by one or, if there are many, with their list. */
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

/** Applies rows of a stream event, or complete rows of an answer. */
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

/** Applies an answer's row before the stream reports it. */
export function applyRow(list, row) {
	if (row?.id)
		apply({put: [{list, row, isWhole: true}]});
}

export function row(kind, id) {
	return id ? need(kind).rows.get(id) : undefined;
}

/** Number of rows of a kind, for callers that need nothing else: fetched separately, and again soon after a streamed change. */
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

/** The row with all of its fields, once they are loaded. */
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

/** The row as loaded so far; loads the rest. */
export function whole(name, row) {
	if (kindOf(name).parts.has(row.id) && !asked.has(row.id))
		fetchWhole(name, row).catch(() => {});
	return row;
}

/** Finds a row by its id, or its short id. */
export function findRow(kind, text) {
	const k = need(kind);
	return k.rows.get(text) ?? [...k.rows.values()].find((r) => r.ec2 === text);
}

/** All rows, as an array that is replaced only when they have changed. */
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

/** Number of rows of a kind that pass a test on single rows. Only changed rows are tested again. */
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

/** A value derived from rows, cached until one of the kinds changes, or the key does. */
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

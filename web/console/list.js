// SPDX-License-Identifier: Apache-2.0
// A list: a filter line, chips with counts, and a table that renders only visible rows, for ten or ten thousand. While the pointer or the focus is in
// the table, rows keep their positions and new rows are added at the end, so nothing moves under the user. The address contains filter, order and the
// open row, but not the selection.
import {html, nothing} from "./vendor/lit-html/lit-html.js";
import {guard} from "./vendor/lit-html/directives/guard.js";
import {repeat} from "./vendor/lit-html/directives/repeat.js";
import {live} from "./vendor/lit-html/directives/live.js";
import {changedSince, FRESH_MS, need, countChangesBesides, touch} from "./store.js";
import {here, say, go} from "./router.js";
import {chosen, matches, t} from "./words.js";
import {nameOf, problemCard, waiting, tagsOf} from "./parts.js";
import {isOffered} from "./may.js";
import {later} from "./later.js";

const narrow = matchMedia("(max-width: 820px)");
narrow.addEventListener("change", touch);
const OVER = 5; // rows rendered above and below the visible ones

/** State of each list by its kind: selection, cursor, fixed positions. */
const states = new Map();
function stateFor(id) {
	let s = states.get(id);
	if (!s)
		states.set(id, (s = {picks: new Set(), cursor: "", kept: null, top: 0, height: 600, isInside: false, slots: new Map(), slotCount: 0}));
	return s;
}

let current = null; // the visible list, for keys

/** The menu "View": columns, saved filters and the download, loaded on first use. */
const menu = later(() => import("./list_menu.js"));
/** Columns that the user has hidden in this list; the first one always stays. A column with isFor() is there only if that is true. */
export const hiddenColumns = (spec) => chosen(`dari.columns.${spec.id}`).split(" ");
export function withColumns(spec) {
	const hidden = hiddenColumns(spec), columns = spec.columns.filter((c, k) => !k || (!hidden.includes(c.key) && (c.isFor?.() ?? true)));
	return {...spec, columns, columnKeys: columns.map((c) => c.key).join()};
}

export function picked(id) {
	return stateFor(id).picks;
}

/** Parses "web state:running tag:env=prod" into words that a row must contain, and keys with the required value. */
function parse(text) {
	const words = [], keys = [];
	for (const part of text.toLowerCase().split(/\s+/).filter(Boolean)) {
		const at = part.indexOf(":");
		if (at > 0)
			keys.push([part.slice(0, at), part.slice(at + 1)]);
		else
			words.push(part);
	}
	return {words, keys};
}

const haystacks = new WeakMap();
function haystack(spec, row) {
	let text = haystacks.get(row);
	if (text === undefined) {
		text = [nameOf(row), row.ec2, row.id, ...(spec.search?.(row) ?? []), ...tagsOf(row).flat()].filter(Boolean).join("\n").toLowerCase();
		haystacks.set(row, text);
	}
	return text;
}

function fits(spec, row, {words, keys}) {
	for (const word of words)
		if (!haystack(spec, row).includes(word) && !matches(haystack(spec, row), word))
			return false;
	for (const [key, value] of keys) {
		if (value === "any" || value === "")
			continue;
		if (key === "tag") {
			const [name, wanted] = value.split("=");
			if (!tagsOf(row).some(([k, v]) => k.toLowerCase() === name && (wanted === undefined || v.toLowerCase() === wanted)))
				return false;
			continue;
		}
		const of = spec.keys?.[key];
		if (of && !String(of(row) ?? "").toLowerCase().startsWith(value))
			return false;
	}
	return true;
}

const collators = new Map();
function collator() {
	const name = document.documentElement.lang;
	if (!collators.has(name))
		collators.set(name, new Intl.Collator(name, {numeric: true, sensitivity: "base"}));
	return collators.get(name);
}

function source(spec) {
	return spec.rows ? spec.rows() : need(spec.kind).rows.values();
}

// ---- order ----

// A list keeps its counts, and the order of each sorted column, up to date: only changed rows are examined again, because sorting ten thousand rows
// takes many frames. Numbers in texts compare as numbers. ASCII texts are compared by a folded copy, many times faster than by locale; a column with
// other texts is compared by locale as a whole.

const CHANGES_MAX = 1000; // more changes are sorted from scratch
const folded = new Map(); // texts, and their folded copies
/** State of each list by its id: {key, version, entries: id → entry, orders: column → order, counts, …}. An entry is {row, isKept, isShown, chips:
 * those that count it}, and stays the same object while its row changes; an order is {column, isPlain, version, items: [{value, e}], smallest value
 * first, of: id → item}. */
const levels = new Map();

function fold(text) {
	let found = folded.get(text);
	if (found === undefined) {
		if (folded.size > 50000)
			folded.clear();
		found = /^[ -~]*$/.test(text) ? text.toLowerCase().replace(/\d+/g, (digits) => digits.padStart(16, "0")) : null;
		folded.set(text, found);
	}
	return found;
}

/** {value: sort key of a row, e}. If the value is not ASCII, the whole column is compared by locale from now on. */
function newItem(o, e) {
	const value = o.column.sort ? o.column.sort(e.row) : o.column.text?.(e.row) ?? nameOf(e.row);
	const text = String(value ?? ""), plain = typeof value === "number" ? value : o.isPlain ? fold(text) : text;
	o.isPlain &&= plain !== null;
	return {value: plain, e};
}

function comparer(o) {
	const byId = (a, b) => (a.e.row.id < b.e.row.id ? -1 : 1);
	if (o.isPlain)
		return (a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : byId(a, b));
	const {compare} = collator();
	return (a, b) => (typeof a.value === "number" && typeof b.value === "number" ? a.value - b.value : compare(String(a.value), String(b.value))) || byId(a, b);
}

/** Updates whether an entry is shown, and which chips count it. */
function weigh(spec, l, e, by) {
	l.total += by;
	if (by > 0) {
		e.isKept = spec.keep?.(e.row, l.which) ?? true;
		e.isShown = e.isKept && fits(spec, e.row, l.wanted);
		e.chips = l.chips.map((wanted) => e.isKept && fits(spec, e.row, wanted));
	}
	if (!e.isKept)
		l.total -= by;
	e.chips.forEach((is, k) => { l.counts[k] += is ? by : 0; });
}

function weighAll(spec, l, q) {
	Object.assign(l, {q, wanted: parse(q), which: spec.version?.(), chips: (spec.chips ?? []).map((chip) => parse(chip.query)), total: 0, all: null});
	l.counts = l.chips.map(() => 0);
	for (const e of l.entries.values())
		weigh(spec, l, e, 1);
}

/** A new filter does not change the counts of chips. */
function filterAll(spec, l, q) {
	Object.assign(l, {q, wanted: parse(q), all: null});
	for (const e of l.entries.values())
		e.isShown = e.isKept && fits(spec, e.row, l.wanted);
}

const newEntry = (row) => ({row, isKept: false, isShown: false, chips: []});

function newLevel(spec, q, key) {
	const l = {key, entries: new Map(), orders: new Map()};
	for (const row of source(spec))
		l.entries.set(row.id, newEntry(row));
	weighAll(spec, l, q);
	return l;
}

/** Updates entries after rows with these ids were added, changed or removed. */
function weighSome(spec, l, ids) {
	const {rows: held} = need(spec.kind);
	for (const id of ids) {
		const before = l.entries.get(id), row = held.get(id), wasShown = before?.isShown ?? false;
		if (before)
			weigh(spec, l, before, -1);
		if (row) {
			const e = before ?? newEntry(row);
			e.row = row;
			l.entries.set(id, e);
			weigh(spec, l, e, 1);
		} else {
			l.entries.delete(id);
		}
		if (wasShown !== (row ? l.entries.get(id).isShown : false))
			l.all = null;
	}
}

function sortAll(l, o) {
	const items = () => [...l.entries.values()].map((e) => newItem(o, e)), wasPlain = o.isPlain;
	o.items = items();
	if (o.isPlain !== wasPlain)
		o.items = items();
	o.items.sort(comparer(o));
	o.of = new Map(o.items.map((item) => [item.e.row.id, item]));
	l.all = null;
}

function placeOf(items, item, compare) {
	let low = 0, high = items.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (compare(items[middle], item) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/** Most changes of a row do not change its position. */
function sortIn(l, o, ids) {
	const wasPlain = o.isPlain, fresh = [...ids].map((id) => [id, l.entries.get(id)]).map(([id, e]) => [id, e ? newItem(o, e) : null]);
	if (o.isPlain !== wasPlain) {
		sortAll(l, o);
		return;
	}
	const compare = comparer(o);
	for (const [id, item] of fresh) {
		const before = o.of.get(id);
		if (before?.e === item?.e && before?.value === item?.value)
			continue;
		if (before) {
			const at = placeOf(o.items, before, compare);
			o.items.splice(o.items[at] === before ? at : o.items.indexOf(before), 1);
			o.of.delete(id);
		}
		if (item) {
			o.items.splice(placeOf(o.items, item, compare), 0, item);
			o.of.set(id, item);
		}
		l.all = null;
	}
}

/** The up-to-date order of a column. */
function orderOf(spec, l, column) {
	let o = l.orders.get(column.key);
	const changed = o && o.version !== l.version ? changedSince(spec.kind, o.version) : null;
	if (!o)
		l.orders.set(column.key, (o = {column, isPlain: true, version: -1}));
	if (changed && changed.size <= CHANGES_MAX)
		sortIn(l, o, changed);
	else if (o.version !== l.version)
		sortAll(l, o);
	o.version = l.version;
	return o;
}

/** The matching entries in order (all), the total number, and the number for each chip. */
function ordered(spec, q, sort) {
	const k = need(spec.kind), kinds = (spec.kinds ?? []).filter((name) => name !== spec.kind || spec.rows);
	const key = [document.documentElement.lang, spec.rows ? k.version : "", ...kinds.map((name) => need(name).version)].join("|");
	let l = levels.get(spec.id);
	const changed = l?.key === key ? changedSince(spec.kind, l.version) : null;
	if (!changed || changed.size > CHANGES_MAX)
		levels.set(spec.id, (l = newLevel(spec, q, key)));
	else if (changed.size)
		weighSome(spec, l, changed);
	l.version = k.version;
	if (l.which !== spec.version?.())
		weighAll(spec, l, q);
	else if (l.q !== q)
		filterAll(spec, l, q);
	const o = orderOf(spec, l, spec.columns.find((c) => c.key === sort.replace(/^-/, "")) ?? spec.columns[0]);
	if (!l.all || l.sort !== sort) {
		l.sort = sort;
		l.all = o.items.map((item) => item.e).filter((e) => e.isShown);
		if (sort.startsWith("-"))
			l.all.reverse();
	}
	return l;
}

/** While the user is in the table, rows keep their positions, until another order or filter is chosen. */
function settle(s, found, wanted) {
	if (!s.isInside) {
		s.kept = null;
		return found;
	}
	const isSame = s.kept && s.wanted === wanted;
	if (isSame && s.found === found)
		return s.stays;
	if (!isSame)
		s.kept = found.map((e) => e.row.id);
	const byId = new Map(found.map((e) => [e.row.id, e]));
	const stays = [];
	for (const id of s.kept) {
		const e = byId.get(id);
		if (e) {
			stays.push(e);
			byId.delete(id);
		}
	}
	for (const [id, e] of byId) {
		stays.push(e);
		s.kept.push(id);
	}
	Object.assign(s, {wanted, found, stays});
	return stays;
}

/** Ids of the visible rows, each with the number of the elements that show it. A newly visible row reuses elements of one that left, because updating
 * elements is cheaper than creating them. */
function placesOf(s, entries) {
	const free = new Set(s.slots.values()), slots = new Map();
	for (const {row: {id}} of entries)
		if (s.slots.has(id)) {
			slots.set(id, s.slots.get(id));
			free.delete(slots.get(id));
		}
	const left = free.values();
	for (const {row: {id}} of entries)
		if (!slots.has(id))
			slots.set(id, left.next().value ?? s.slotCount++);
	return (s.slots = slots);
}

function setSort(key) {
	const now = here.query.get("sort") ?? "";
	say({sort: now === key ? "-" + key : now === "-" + key ? "" : key});
}

function toggle(s, id, extend) {
	if (extend && s.cursor) {
		const ids = current.all.map((e) => e.row.id), from = ids.indexOf(s.cursor), to = ids.indexOf(id);
		if (from >= 0 && to >= 0)
			for (const one of ids.slice(Math.min(from, to), Math.max(from, to) + 1))
				s.picks.add(one);
	} else if (!s.picks.delete(id)) {
		s.picks.add(id);
	}
	s.cursor = id;
	touch();
}

const cellClass = (column, isHead = false) => `${column.num ? "n " : ""}${column.mono && !isHead ? "m " : ""}${column.wide ? "wide" : ""}`;

function headCell(column, sort) {
	if (column.sort === null)
		return html`<th role="columnheader" scope="col" class=${cellClass(column, true)}>${column.title()}</th>`;
	const isBy = sort.replace(/^-/, "") === column.key, isDown = sort.startsWith("-");
	return html`<th role="columnheader" scope="col" class=${cellClass(column, true)} aria-sort=${isBy ? (isDown ? "descending" : "ascending") : nothing}>
		<button type="button" class="sort" @click=${() => setSort(column.key)}>${column.title()}<span aria-hidden="true">${isBy ? (isDown ? " ▼" : " ▲") : ""}</span></button></th>`;
}

function bodyRow(spec, s, row, index, {isOpen, isPicked, isCursor, isFresh}) {
	let n = 0; // narrow rows have two cells a line
	return html`<tr role="row" data-id=${row.id} aria-rowindex=${index + 2} aria-selected=${isPicked ? "true" : "false"} class="${isOpen ? "open " : ""}${isCursor ? "cursor " : ""}${isFresh ? "fresh" : ""}"
		@click=${(e) => clickRow(e, spec, s, row)}>
		${spec.actions ? html`<td role="cell" class="pick"><input type="checkbox" .checked=${live(isPicked)} aria-label=${t("Select {name}", {name: spec.label?.(row) ?? nameOf(row)})} @click=${(e) => { e.stopPropagation(); toggle(s, row.id, e.shiftKey); }}></td>` : nothing}
		${spec.columns.map((c) => html`<td role="cell" class="${cellClass(c)} ${!c.wide && n++ % 2 ? "end" : ""}" data-label=${c.num ? c.title() : nothing}>${c.cell ? c.cell(row) : c.text(row)}</td>`)}</tr>`;
}

/** In a list with isAlone, a row shows nothing of other rows of its kind. So it is rendered again only if it has changed, or if anything other than
 * rows of its kind has. */
function rowView(spec, s, row, index) {
	const is = {isOpen: here.query.get("open") === (row.ec2 ?? row.id), isPicked: s.picks.has(row.id), isCursor: s.cursor === row.id,
		isFresh: row.freshAt && performance.now() - row.freshAt < FRESH_MS};
	const make = () => bodyRow(spec, s, row, index, is);
	return spec.isAlone ? guard([row, index, countChangesBesides(spec.kind), spec.columnKeys, ...Object.values(is)], make) : make();
}

function clickRow(event, spec, s, row) {
	if (event.target.closest("a, button, input") || !spec.href)
		return;
	s.cursor = row.id;
	openRow(spec, row);
}

/** Opens the row beside the list if there is room, otherwise on its own page. */
export function openRow(spec, row) {
	if (spec.detail && matchMedia("(min-width: 1000px)").matches)
		say({open: here.query.get("open") === (row.ec2 ?? row.id) ? "" : row.ec2 ?? row.id}, {push: true});
	else if (spec.href)
		go(spec.href(row));
}

/** Link in a row's first cell. */
export function nameLink(spec, row) {
	return html`<a href=${spec.href(row)} @click=${(e) => {
		if (!e.ctrlKey && !e.metaKey && !e.shiftKey && !e.button) {
			e.preventDefault();
			e.stopPropagation();
			stateFor(spec.id).cursor = row.id;
			openRow(spec, row);
		}
	}}><bdi>${spec.label?.(row) ?? nameOf(row)}</bdi></a>`;
}

function chips(spec, q, counts) {
	if (!spec.chips)
		return nothing;
	return spec.chips.map((chip, k) => (counts[k] || !chip.query || q === chip.query ? html`<button type="button" class="chip" aria-pressed=${q === chip.query ? "true" : "false"}
		@click=${() => say({q: chip.query})}>${chip.title()} <span class="num">${counts[k]}</span></button>` : nothing));
}

function actionBar(spec, s, all) {
	const chosen = spec.actions && s.picks.size ? [...source(spec)].filter((row) => s.picks.has(row.id)) : [];
	if (!chosen.length)
		return nothing;
	return html`<div class="bar picks" role="toolbar" aria-label=${t("Actions for {n} selected", {n: chosen.length})}><strong>${t("{n} selected", {n: chosen.length})}</strong>
		${spec.actions.filter((a) => isOffered(a) && (!a.isRare || chosen.some((row) => a.may(row)))).map((a) => html`<button type="button" class=${a.danger ? "danger-text" : ""} ?disabled=${!chosen.some((row) => !a.may || a.may(row))}
			@mouseenter=${() => spec.preview?.(a, chosen)} @focus=${() => spec.preview?.(a, chosen)} @click=${() => a.run(chosen)}>${a.title()}${a.danger ? "…" : ""}</button>`)}
		<button type="button" class="plain" @click=${() => { s.picks.clear(); touch(); }}>${t("Clear selection")}</button>
		${chosen.length < all.length ? html`<button type="button" class="plain" @click=${() => { for (const e of all) s.picks.add(e.row.id); touch(); }}>${t("Select all {n}", {n: all.length})}</button>` : nothing}</div>`;
}

/** Column widths as shares of the table. Addresses are never truncated: their column is wide enough. */
const tracks = (spec, columns) => `${spec.actions ? "36px " : ""}${columns.map((c) => `minmax(${c.isAddress ? "17ch" : "0"},${(c.width ?? "12%").replace("%", "fr")})`).join(" ")}`;

function tableView(spec, s, all, sort) {
	const height = narrow.matches ? 58 : 37;
	const top = Math.max(0, Math.min(s.top, all.length * height - s.height)); // a filter may leave fewer rows than were scrolled past
	const from = Math.max(0, Math.floor(top / height) - OVER), to = Math.min(all.length, Math.ceil((top + s.height) / height) + OVER);
	const inSight = all.slice(from, to), places = placesOf(s, inSight);
	if (!narrow.matches && !here.query.get("open"))
		spec.inSight?.(inSight.map((e) => e.row));
	const gap = (n) => (n > 0 ? html`<tr class="gap" aria-hidden="true"><td .style=${`height:${n * height}px;padding:0;border:0`}></td></tr>` : nothing);
	return html`<div class="scroll list" tabindex="0" role="region" aria-label=${t("{what}, {n} rows", {what: spec.title(), n: all.length})}
		@scroll=${(e) => { s.top = e.target.scrollTop; s.height = e.target.clientHeight; touch(); }}
		@pointerenter=${() => { s.isInside = true; }} @pointerleave=${() => { s.isInside = false; touch(); }}
		@focusin=${() => { s.isInside = true; }} @focusout=${() => { s.isInside = false; touch(); }}>
		<table role="table" class="stack" aria-rowcount=${all.length + 1} .style=${`--columns:${tracks(spec, spec.columns)};--few:${tracks(spec, spec.columns.filter((c) => !c.wide))}`}>
		<thead role="rowgroup"><tr role="row">${spec.actions ? html`<th role="columnheader" scope="col" class="pick"><input type="checkbox" aria-label=${t("Select all")} .checked=${live(all.length > 0 && all.every((e) => s.picks.has(e.row.id)))}
			@click=${(e) => { e.stopPropagation(); for (const {row} of all) e.target.checked ? s.picks.add(row.id) : s.picks.delete(row.id); touch(); }}></th>` : nothing}${spec.columns.map((c) => headCell(c, sort))}</tr></thead>
		<tbody role="rowgroup">${gap(from)}${repeat(inSight, (e) => places.get(e.row.id), (e, k) => rowView(spec, s, e.row, from + k))}${gap(all.length - to)}</tbody></table></div>`;
}

/** spec: {id, kind, kinds, title, columns, search, keys, chips, actions, href, detail, empty, lead, preview, inSight, isAlone}. A column with sort
 * null cannot be sorted. An action with isRare is shown if it is possible for one of the selected rows. */
export function listView(spec) {
	const s = stateFor(spec.id), k = need(spec.kind);
	for (const name of spec.kinds ?? [])
		need(name);
	const q = here.query.get("q") ?? "", sort = here.query.get("sort") ?? spec.sort ?? spec.columns[0].key;
	const {all: found, total, counts} = ordered(spec, q, sort);
	if (k.problem && !total)
		return problemCard(k.problem);
	if (!k.isLoaded && !total)
		return waiting();
	const all = settle(s, found, `${sort} ${q}`);
	for (const id of s.picks)
		if (!k.rows.has(id))
			s.picks.delete(id);
	current = {spec, s, all};
	if (!total && spec.empty)
		return spec.empty();
	return html`<div class="bar" role="group" aria-label=${t("Filters")}><label class="sr" for="q">${t("Filter")}</label>
		<input id="q" type="search" size="42" placeholder=${t("Filter: text, state:running, tag:env=prod")} .value=${live(q)} @input=${(e) => say({q: e.target.value})}
			@keydown=${(e) => { if (e.key === "Escape") { e.target.value ? say({q: ""}) : e.target.blur(); e.stopPropagation(); } if (e.key === "ArrowDown") { e.preventDefault(); move(1); } }}>
		${chips(spec, q, counts)}<span class="sp"></span><details class="menu actions" @toggle=${(e) => { s.isViewOpen = e.target.open; touch(); }} @keydown=${(e) => menu()?.press(e)} @focusout=${(e) => menu()?.leave(e)}><summary>${t("View")} <span aria-hidden="true">▾</span></summary>${s.isViewOpen ? menu()?.sheet(spec, all) ?? nothing : nothing}</details>${spec.lead?.() ?? nothing}</div>
		${actionBar(spec, s, all)}
		${all.length ? tableView(withColumns(spec), s, all, sort) : html`<p class="dim none">${t("No matches.")} <button type="button" class="plain" @click=${() => say({q: ""})}>${t("Show all")}</button></p>`}
		${k.isCut ? html`<p class="hint">${t("Only the first {n} are listed.", {n: k.rows.size})}</p>` : nothing}`;
}

// ---- keys ----

/** Moves the cursor up or down, and the focus with it. */
export function move(by) {
	if (!current?.all.length)
		return;
	const {s, all} = current;
	const at = all.findIndex((e) => e.row.id === s.cursor);
	const to = Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + by));
	s.cursor = all[to].row.id;
	const box = document.querySelector(".scroll.list"), height = narrow.matches ? 58 : 37;
	if (box) {
		const top = to * height;
		if (top < box.scrollTop)
			box.scrollTop = top;
		else if (top + height * 2 > box.scrollTop + box.clientHeight)
			box.scrollTop = top + height * 2 - box.clientHeight;
		s.top = box.scrollTop;
		s.height = box.clientHeight;
	}
	touch();
	requestAnimationFrame(() => requestAnimationFrame(() => document.querySelector(`tr[data-id="${CSS.escape(s.cursor)}"] a`)?.focus({preventScroll: true})));
}

export function pickCursor() {
	if (current?.spec.actions && current.s.cursor) {
		toggle(current.s, current.s.cursor, false);
		return true;
	}
	return false;
}

/** Runs the action with this letter, on the selection, otherwise on the row at the cursor. */
export function runByKey(letter) {
	const action = current?.spec.actions?.find((a) => a.key === letter && isOffered(a));
	if (!action)
		return false;
	const {s, spec} = current;
	const wanted = s.picks.size ? s.picks : new Set([s.cursor]);
	const chosen = [...source(spec)].filter((row) => wanted.has(row.id) && (!action.may || action.may(row)));
	if (chosen.length)
		action.run(chosen);
	return chosen.length > 0;
}

/** Letters of the list's actions, for the help. */
export function keysOfList() {
	return (current?.spec.actions ?? []).filter((a) => a.key && isOffered(a)).map((a) => ({key: a.key, title: a.title()}));
}

export function leaveList() {
	current = null;
}

/** After a repaint: finds the visible part of the table. An observer reports it, so that no repaint forces a layout. */
let watched = null;
const watcher = new ResizeObserver(([entry]) => {
	const {height} = entry.contentRect;
	if (current && height && Math.abs(height - current.s.height) > 40) {
		current.s.height = height;
		touch();
	}
});
export function measure() {
	const box = current ? document.querySelector(".scroll.list") : null;
	if (box === watched)
		return;
	watcher.disconnect();
	watched = box;
	if (!box)
		return;
	watcher.observe(box);
	const {s} = current;
	if (s.top) { // a page that is entered again continues where it was left, as far as it still has rows there
		box.scrollTop = s.top;
		s.top = box.scrollTop;
		touch();
	}
}

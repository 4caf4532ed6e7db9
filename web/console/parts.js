// SPDX-License-Identifier: Apache-2.0
// Building blocks of all pages: states as shape, word and colour; names and ids; times; dialogs; commands. lit-html treats inserted values as text,
// so a resource's name is never markup.
import {html, nothing} from "./vendor/lit-html/lit-html.js";
import {row as findById, touch} from "./store.js";
import {href} from "./router.js";
import {t, time, since} from "./words.js";
import {Unreachable} from "./api.js";

export {html, nothing};

// ---- states ----

const SHAPES = {ok: "●", go: "◐", bad: "▲", off: "○"};
const GOING = new Set(["pending", "stopping", "shutting-down", "creating", "deleting", "attaching", "detaching", "suspending", "modifying",
	"initiating-request", "pending-acceptance", "provisioning", "deleting-now", "disassociating", "associating"]);
const GOOD = new Set(["running", "available", "in-use", "active", "completed", "up", "associated", "attached", "blackhole-free", "ok"]);
const BAD = new Set(["error", "failed", "down", "blackhole", "rejected"]);

/** Conditions that report what is over: they ask nobody for anything, and their row is not marked as a problem. */
const NOTICES = new Set(["Restarted"]);
const isNotice = (condition) => NOTICES.has(condition.name);

/** Severity of a state: ok, go, bad or off. */
export function tone(state, conditions) {
	return conditions?.some((c) => !isNotice(c)) || BAD.has(state) ? "bad" : GOING.has(state) ? "go" : GOOD.has(state) ? "ok" : "off";
}

export function mark(tone, word) {
	return html`<span class="st ${tone}"><span aria-hidden="true">${SHAPES[tone]}</span> ${word}</span>`;
}

/** A row's state, with its age while it is changing. */
export function stateOf(row) {
	const state = row.state ?? "";
	if (!state)
		return row.conditions?.length ? mark("bad", t("needs attention")) : nothing;
	const how = tone(state, row.conditions), first = row.conditions?.find((c) => !isNotice(c)), notice = row.conditions?.find(isNotice);
	if (!first && notice && how === "ok")
		return mark(how, `${t(state)} · ${t(notice.name)}, ${since(notice.since_us)}`);
	const from = first?.since_us ?? (how === "go" ? row.state_since_us : 0);
	return mark(how, from ? t("{state}, {age}", {state: t(state), age: since(from)}) : t(state));
}

// ---- names ----

export function tagOf(row, key) {
	const tags = row?.tags;
	if (!tags)
		return "";
	return Array.isArray(tags) ? (tags.find((one) => one.key === key)?.value ?? "") : (tags[key] ?? "");
}

export function tagsOf(row) {
	const tags = row?.tags ?? {};
	return Array.isArray(tags) ? tags.map((one) => [one.key, one.value]) : Object.entries(tags);
}

/** Display name: the Name tag, the name, a ticket's subject, the short id, or the id in the cloud elsewhere. */
export function nameOf(row) {
	return tagOf(row, "Name") || row?.name || row?.subject || row?.ec2 || row?.ref || row?.id || "";
}

export function shortId(row) {
	return row?.ec2 || row?.id || "";
}

/** Name of the resource with that id, if it is visible. */
export function refName(kind, id) {
	const row = findById(kind, id);
	return row ? nameOf(row) : id ? id.slice(0, 8) : "";
}

export function refLink(kind, id, page = kind) {
	return id ? html`<a href=${href(page, id)}><bdi>${refName(kind, id)}</bdi></a>` : html`<span class="dim">–</span>`;
}

export function when(us) {
	return us ? html`<time datetime=${new Date(us / 1000).toISOString()} title=${new Date(us / 1000).toLocaleString()}>${time(us)}</time>` : html`<span class="dim">–</span>`;
}

/** Labels and values, side by side; empty ones are omitted. */
export function pairs(rows) {
	return html`<dl class="kv">${rows.filter(([, value]) => (value ?? nothing) !== nothing && value.length !== 0)
		.map(([word, value, kind]) => html`<dt>${word}</dt><dd class=${kind ?? ""}>${value}</dd>`)}</dl>`;
}

// ---- errors ----

/** A failure: the server's message, its advice, and the single reasons. */
export function problemCard(problem, title) {
	if (!problem)
		return nothing;
	const gone = problem instanceof Unreachable;
	return html`<div class="card why" role="alert"><h2><span aria-hidden="true">▲</span> ${title ?? t("Request failed")}</h2>
		<p>${gone ? t("The server cannot be reached.") : problem.message}</p>
		${problem.advice ? html`<p><strong>${t("Recommended action:")}</strong> ${problem.advice}</p>` : nothing}
		${(problem.body?.reasons ?? []).length ? html`<ul>${problem.body.reasons.map((r) => html`<li>${r.hosts ? t("{n} hosts: {why}", {n: r.hosts, why: r.why}) : r.why ?? String(r)}</li>`)}</ul>` : nothing}
		${problem.body?.request_id ? html`<p class="hint">${t("Request ID")} <span class="m">${problem.body.request_id}</span></p>` : nothing}</div>`;
}

export function waiting() {
	return html`<p class="dim" role="status">${t("Loading…")}</p>`;
}

export function emptyCard(title, words, action) {
	return html`<div class="card empty"><h2>${title}</h2><p>${words}</p>${action ?? nothing}</div>`;
}

// ---- temporary notes ----

const NOTE_MS = {ok: 5000, bad: 12000, undo: 20000};
let notes = [];
/** undo: takes back what the note reports. */
export function note(words, tone = "ok", undo = null) {
	const one = {words, tone, undo};
	notes = [...notes.slice(-3), one];
	touch();
	setTimeout(() => dropNote(one), NOTE_MS[undo ? "undo" : tone] ?? NOTE_MS.ok);
}
/** Takes back the last change that can be taken back; false: there is none. */
export function undoLast() {
	const one = notes.findLast((n) => n.undo);
	if (one) {
		dropNote(one);
		report(t("Undone"), one.undo);
	}
	return Boolean(one);
}
function dropNote(one) {
	notes = notes.filter((n) => n !== one);
	touch();
}
export function notesView() {
	return html`<div class="notes" role="status" aria-live="polite">${notes.map((one) => html`<div class="note ${one.tone}">${mark(one.tone, one.words)}
		${one.undo ? html`<button type="button" @click=${() => { dropNote(one); report(t("Undone"), one.undo); }}>${t("Undo")} <kbd>Z</kbd></button>` : nothing}<button type="button" class="plain" aria-label=${t("Close")} @click=${() => dropNote(one)}>×</button></div>`)}</div>`;
}

// ---- dialogs ----

let dialog = null;
/** {title, body: () => template, submit, danger, typed: text that must be typed, label, wide} */
export function ask(wanted) {
	dialog = {...wanted, typedNow: "", problem: null, isBusy: false, back: document.activeElement};
	touch();
}
export function closeDialog() {
	const back = dialog?.back;
	dialog = null;
	touch();
	if (back?.isConnected)
		back.focus();
}
export function hasDialog() {
	return Boolean(dialog);
}
async function submitDialog(event) {
	event.preventDefault();
	const mine = dialog;
	if (mine.isBusy || (mine.typed && mine.typedNow.trim() !== String(mine.typed)))
		return;
	mine.isBusy = true;
	mine.problem = null;
	touch();
	try {
		const stays = await mine.submit(new FormData(event.target));
		if (dialog === mine && !stays)
			closeDialog();
	} catch (problem) {
		mine.problem = problem;
	}
	mine.isBusy = false;
	touch();
}
export function dialogView() {
	if (!dialog)
		return nothing;
	const d = dialog;
	return html`<dialog class=${d.wide ? "wide" : ""} aria-labelledby="dialog-title" @cancel=${(e) => { e.preventDefault(); closeDialog(); }}
		@click=${(e) => e.target.tagName === "DIALOG" && !d.keeps && closeDialog()}>
		<form method="dialog" @submit=${submitDialog}><h2 id="dialog-title">${d.title}</h2>${d.body()}
		${d.typed ? html`<label class="f">${t("Type {what} to confirm", {what: d.typed})}<input autocomplete="off" .value=${d.typedNow} @input=${(e) => { d.typedNow = e.target.value; touch(); }}></label>` : nothing}
		${problemCard(d.problem)}
		<div class="bar end">${d.label === null ? nothing : html`<button class=${d.danger ? "danger" : "b1"} ?disabled=${d.isBusy || Boolean(d.typed && d.typedNow.trim() !== String(d.typed))}>${d.label ?? t("OK")}</button>`}
		<button type="button" @click=${closeDialog}>${d.label === null ? t("Close") : t("Cancel")}</button></div></form></dialog>`;
}
/** After each repaint: opens a new dialog over the page. */
export function showDialog() {
	const element = document.querySelector("dialog");
	if (element && !element.open) {
		element.showModal();
		(element.querySelector("[autofocus]") ?? element.querySelector("input, select, textarea, button"))?.focus();
	}
}

// ---- actions on rows ----

/** Runs a bulk action by one request, and reports the result of each row. undo: the request that takes it back, if that is a single cheap one. */
export async function report(title, work, undo = null) {
	try {
		const answer = await work();
		const failed = answer?.failed ?? [];
		if (!failed.length) {
			note(title, "ok", undo);
			return answer;
		}
		ask({title: t("{n} of them failed", {n: failed.length}), label: null,
			body: () => html`<ul class="plainlist">${failed.map((f) => html`<li><strong class="m">${f.id}</strong> ${f.error?.detail ?? f.error?.title ?? String(f.error ?? "")}${f.error?.advice ? html` <span class="dim">${f.error.advice}</span>` : nothing}</li>`)}</ul>`});
		return answer;
	} catch (problem) {
		ask({title: t("Request failed"), label: null, body: () => problemCard(problem, title)});
		return null;
	}
}

/** One request for each row, with independent results. */
export async function oneByOne(chosen, send) {
	const failed = [];
	for (const r of chosen)
		await send(r).catch((p) => failed.push({id: nameOf(r), error: {detail: p.message, advice: p.advice}}));
	return {failed};
}

/** Action of all resource pages: opens a ticket, whose form is loaded on demand. */
export const SUPPORT = {id: "support", title: () => t("Get support"), one: true, run: (rows) => import("./ticket_actions.js").then((m) => m.openTicket(rows),
	() => note(t("The server may have been upgraded. Reload the page."), "bad"))};

export async function copy(text) {
	try {
		await navigator.clipboard.writeText(text);
		note(t("Copied"));
	} catch {
		note(t("Copy failed"), "bad");
	}
}

export function copyable(text) {
	return html`<span class="copied"><span class="m">${text}</span> <button type="button" class="plain copy" title=${t("Copy")} aria-label=${t("Copy {what}", {what: text})} @click=${() => copy(text)}><svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true"><path d="M5.5 5.5h7v8h-7zM3.5 10.5v-8h7"/></svg></button></span>`;
}

/** A bar that shows how much of a limit is used. */
export function gauge(word, used, limit, say) {
	const share = limit > 0 ? used / limit : 0;
	return html`<div class="gauge"><div class="row"><span>${word}</span><span class="num">${limit < 0 || limit === undefined ? t("{used} / unlimited", {used: say(used)}) : t("{used} / {limit}", {used: say(used), limit: say(limit)})}</span></div>
		<svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" class=${share > 0.9 ? "bad" : share > 0.75 ? "go" : "ok"}><rect class="track" width="100" height="4" rx="2"/><rect class="fill" width=${Math.min(100, share * 100)} height="4" rx="2"/></svg></div>`;
}

// SPDX-License-Identifier: Apache-2.0
// The audit log, for operators: who changed or read which secret, and who changed who may what. Newest records first; filters are in the address.
import {html, nothing, mark, waiting, problemCard, when, nameOf} from "../parts.js";
import {rows, need, touch} from "../store.js";
import {here, say} from "../router.js";
import {t, number} from "../words.js";
import {get} from "../api.js";
import {kindWords} from "../events.js";
import {offerCommand} from "../command_bar.js";

const FILTERS = ["account", "user", "action", "outcome", "from", "to"], LIMIT = 100, SOON_MS = 400;
let key = null, items = null, next = 0, problem = null, timer = 0;

const wanted = () => Object.fromEntries(FILTERS.map((name) => [name, here.query.get(name) ?? ""]).filter(([, value]) => value));

/** The filters as /api/v1 expects them: times in microseconds. */
function queryOf(filters) {
	const query = new URLSearchParams();
	for (const [name, value] of Object.entries(filters)) {
		const at = ["from", "to"].includes(name) ? Date.parse(value) * 1000 : value;
		if (at)
			query.set(name, at);
	}
	return query.toString();
}

async function load(isMore) {
	const mine = key;
	try {
		const said = await get(`/audit-log?limit=${LIMIT}${isMore ? `&before=${next}` : ""}${mine ? `&${mine}` : ""}`, {byUser: true});
		if (mine !== key)
			return;
		items = [...(isMore ? items : []), ...said.items];
		next = said.next ?? 0;
		problem = null;
	} catch (p) {
		if (mine === key)
			problem = p;
	}
	touch();
}

/** Requests the records when a filter has changed, and not with each letter. */
function look() {
	const query = queryOf(wanted());
	if (query === key)
		return;
	const isFirst = key === null;
	key = query;
	items = null;
	clearTimeout(timer);
	timer = setTimeout(() => load(false), isFirst ? 0 : SOON_MS);
}

const accountName = (n) => (n ? nameOf(rows("accounts").find((a) => a.number === n)) || n : "");
const who = (r) => r.user_name || r.session || r.credential || "–";
const result = (r) => (r.outcome === "ok" ? mark("ok", t("allowed")) : mark("bad", r.code || r.outcome));
const about = (r) => r.subject?.replace(/^id=/, "") || [r.kind && kindWords(r.kind), r.id?.slice(0, 8)].filter(Boolean).join(" ");

function details(r) {
	return html`<details><summary>${t("Details")}</summary><dl class="kv">${Object.entries(r).map(([name, value]) => html`<dt>${name}</dt><dd class="m">${String(value)}</dd>`)}</dl></details>`;
}

const field = (name, word, input) => html`<label class="f">${word}${input}</label>`;
const text = (name, placeholder) => html`<input type="search" value=${here.query.get(name) ?? ""} placeholder=${placeholder} spellcheck="false" @input=${(e) => say({[name]: e.target.value.trim()})}>`;
const timeInput = (name) => html`<input type="datetime-local" value=${here.query.get(name) ?? ""} @change=${(e) => say({[name]: e.target.value})}>`;
const choice = (name, options) => html`<select @change=${(e) => say({[name]: e.target.value})}>${options.map(([value, word]) => html`<option value=${value} ?selected=${value === (here.query.get(name) ?? "")}>${word}</option>`)}</select>`;

function filters() {
	const accounts = rows("accounts").toSorted((a, b) => nameOf(a).localeCompare(nameOf(b)));
	return html`<div class="opts filters">${field("account", t("Account"), choice("account", [["", t("all")], ...accounts.map((a) => [a.number, nameOf(a)])]))}
		${field("user", t("User"), text("user", ""))}${field("action", t("Action"), text("action", "iam:*"))}
		${field("outcome", t("Result"), choice("outcome", [["", t("all")], ["ok", t("allowed")], ["failed", t("failed")]]))}${field("from", t("From"), timeInput("from"))}${field("to", t("Until"), timeInput("to"))}</div>`;
}

export function view() {
	need("accounts");
	look();
	const now = wanted();
	offerCommand("audit-log.list", {...now, query: queryOf(now)});
	return html`<h1>${t("Audit log")}</h1><p class="hint">${t("Calls that read or change secrets, or change permissions. Records cannot be changed or deleted.")}</p>${filters()}${problemCard(problem)}
		${!items ? (problem ? nothing : waiting()) : items.length ? html`<div class="scroll" tabindex="0" role="region" aria-label=${t("Audit log")}><table class="simple audit"><thead><tr><th scope="col">${t("Time")}</th><th scope="col">${t("Account")}</th><th scope="col">${t("User")}</th><th scope="col">${t("Action")}</th><th scope="col">${t("Result")}</th><th scope="col">${t("Resource")}</th><th scope="col">${t("Source")}</th></tr></thead>
			<tbody>${items.map((r) => html`<tr><td class="num">${when(r.at_us)}</td><td><bdi>${accountName(r.account)}</bdi></td><td><bdi>${who(r)}</bdi></td><td class="m">${r.action}${r.count > 1 ? html` <span class="dim">×${number(r.count)}</span>` : nothing}</td><td>${result(r)}</td><td><bdi>${about(r)}</bdi>${details(r)}</td><td class="m">${r.from}</td></tr>`)}</tbody></table></div>
			<p class="dim">${t("{n} shown", {n: items.length})}</p>${next ? html`<p><button type="button" @click=${() => load(true)}>${t("Load older")}</button></p>` : nothing}`
			: html`<p>${next ? t("No match among the newest records.") : t("No records match.")}</p>${next ? html`<p><button type="button" @click=${() => load(true)}>${t("Search older records")}</button></p>` : nothing}`}`;
}

/** The page is loaded again when it is opened again. */
export function leave() {
	key = items = null;
	clearTimeout(timer);
}

// SPDX-License-Identifier: Apache-2.0
// Events of the account, newest first. New events wait behind a line at the top, so that nothing moves while reading.
import {html, nothing, waiting, problemCard, when} from "../parts.js";
import {isOperator} from "../session.js";
import {need, touch, row as byId} from "../store.js";
import {here, say} from "../router.js";
import {t, matches} from "../words.js";
import {get} from "../api.js";
import {eventAction, eventSubject, eventWords} from "../events.js";
import {repeatOf} from "../repeats.js";
import {showCommand} from "../command_bar.js";
import {live} from "../vendor/lit-html/directives/live.js";

let items = null, fresh = [], next = 0, problem = null, seen = -1, timer = 0;

/** Events of the account, or of all accounts if an administrator chooses that. */
const isWhole = () => isOperator() && here.query.get("all") === "1";
const scope = () => (isWhole() ? "&all=1" : "");

function begin(all) {
	items = null;
	fresh = [];
	next = 0;
	seen = -1;
	say({all: all ? "1" : ""});
}

async function more() {
	try {
		const said = await get(`/events?limit=100${next ? `&before=${next}` : ""}${scope()}`, {byUser: true});
		items = [...(items ?? []), ...(said.items ?? [])];
		next = said.next ?? 0;
		problem = null;
	} catch (p) {
		problem = p;
	}
	touch();
}

async function look() {
	try {
		const said = await get(`/events?limit=100${scope()}`);
		const top = items?.[0]?.seq ?? 0;
		fresh = (said.items ?? []).filter((e) => e.seq > top);
		touch();
	} catch { /* the next change requests it again */ }
}

function whoName(e) {
	return e.user ? byId("users", e.user)?.name ?? e.user.slice(0, 8) : "";
}

/** The command that repeats the event, shown in the command bar. */
function repeatCell(e) {
	const repeat = repeatOf(e);
	return repeat ? html`<button type="button" class="plain" aria-label=${t("Show command: {what}", {what: `${e.kind} ${eventWords(e)}`})} @click=${() => showCommand(repeat.verb, repeat.args)}>${t("Show command")}</button>` : nothing;
}

export function view() {
	for (const k of ["instances", "volumes", "zones", "instance-types", "users", "images", "security-groups", "routers", "subnets", "addresses", "key-pairs", "snapshots"])
		need(k);
	const version = need("instances").version + need("volumes").version + need("addresses").version + need("security-groups").version;
	if (!items && !problem && seen < 0) {
		seen = version;
		more();
	} else if (items && version !== seen) {
		seen = version;
		clearTimeout(timer);
		timer = setTimeout(look, 500);
	}
	const q = (here.query.get("q") ?? "").toLowerCase();
	const shown = (items ?? []).filter((e) => !q || q.split(/\s+/).every((w) => matches([e.kind, e.id, e.action, e.text, e.what, e.request_id, whoName(e)].filter(Boolean).join(" ").toLowerCase(), w)));
	return html`<h1>${t("Activity")}</h1>${problemCard(problem)}
		<div class="bar"><label class="sr" for="q">${t("Filter")}</label><input id="q" type="search" size="36" placeholder=${t("User, event or request ID")} .value=${live(here.query.get("q") ?? "")} @input=${(e) => say({q: e.target.value})}>
			${fresh.length ? html`<button type="button" class="chip" aria-pressed="true" @click=${() => { items = [...fresh, ...items]; fresh = []; touch(); }}>${t("{n} new", {n: fresh.length})}</button>` : nothing}${isOperator() ? html`<button type="button" class="chip" aria-pressed=${isWhole() ? "true" : "false"} @click=${() => begin(!isWhole())}>${t("All accounts")}</button>` : nothing}<span class="sp"></span><span class="dim">${items ? t("{n} shown", {n: shown.length}) : nothing}</span></div>
		${!items ? (problem ? nothing : waiting()) : html`<div class="scroll" tabindex="0" role="region" aria-label=${t("Activity")}><table class="simple events"><thead><tr><th scope="col">${t("Time")}</th><th scope="col">${t("Resource")}</th><th scope="col">${t("Event")}</th><th scope="col">${t("User")}</th><th scope="col"><span class="sr">${t("Actions")}</span></th></tr></thead>
			<tbody>${shown.slice(0, 500).map((e) => html`<tr><td class="num">${when(e.at_us)}</td><td>${eventSubject(e)}</td><td>${eventWords(e)}${eventAction(e)}</td><td>${whoName(e)}</td><td>${repeatCell(e)}</td></tr>`)}</tbody></table></div>
			${next ? html`<p><button type="button" @click=${more}>${t("Load older")}</button></p>` : nothing}`}`;
}


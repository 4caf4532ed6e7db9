// SPDX-License-Identifier: Apache-2.0
// Usage and quotas of the account. Administrators see those of any account, and set its quotas.
import {html, nothing, ask, gauge, waiting, problemCard, refName} from "../parts.js";
import {byName} from "../forms.js";
import {need, touch} from "../store.js";
import {here, say} from "../router.js";
import {t, number} from "../words.js";
import {get, patch} from "../api.js";
import {session, isOperator} from "../session.js";
import {quotaWord, isBytes, sayOf} from "../quota_words.js";

const COUNTED = ["instances", "volumes", "snapshots", "images", "addresses", "routers", "security-groups", "ports", "subnets", "key-pairs"];
const GIB = 2 ** 30;

let shown = {whose: "", items: null, problem: null}, seen = "", timer = 0;

async function look(whose) {
	try {
		const items = (await get(`/quotas?account=${encodeURIComponent(whose)}`)).items;
		shown = {whose, items, problem: null};
	} catch (problem) {
		shown = {whose, items: shown.whose === whose ? shown.items : null, problem};
	}
	touch();
}

function change(q, whose) {
	const unit = isBytes(q.name) ? GIB : 1;
	ask({title: t("Quota: {what}", {what: quotaWord(q.name)}), label: t("Save"),
		body: () => html`<label class="f">${isBytes(q.name) ? t("Limit in GiB (empty: unlimited)") : t("Limit (empty: unlimited)")}<input name="limit" type="number" min="0" max="1000000000" autofocus value=${q.limit < 0 ? "" : Math.floor(q.limit / unit)}></label>
			<p class="hint">${t("Existing resources above the quota are kept.")}</p>`,
		submit: async (form) => {
			const limit = form.get("limit") === "" ? -1 : Number(form.get("limit")) * unit;
			await patch(`/accounts/${whose}/limits`, {[q.name]: limit});
			await look(whose);
		}});
}

export function view() {
	for (const k of [...COUNTED, ...(isOperator() ? ["accounts"] : [])])
		need(k);
	const whose = (isOperator() && here.query.get("account")) || session.account?.id || "";
	const version = whose + COUNTED.map((k) => need(k).version).join();
	if (seen !== version) {
		clearTimeout(timer);
		timer = setTimeout(() => look(whose), seen.startsWith(whose) && seen ? 300 : 0);
		seen = version;
	}
	const mine = shown.whose === whose ? shown : {items: null, problem: null};
	return html`<div class="head"><h1>${t("Quotas")}</h1><span class="sp"></span>${isOperator() ? html`<label class="sr" for="whose">${t("Account")}</label><select id="whose" @change=${(e) => say({account: e.target.value === session.account?.id ? "" : e.target.value})}>${byName("accounts").map((a) => html`<option value=${a.id} ?selected=${a.id === whose}>${refName("accounts", a.id)}</option>`)}</select>` : nothing}</div>
		<p class="hint">${isOperator() ? t("Usage and quotas of the account.") : t("Usage and quotas of the account. The operator of the region sets the quotas.")}</p>${problemCard(mine.problem)}
		${!mine.items ? (mine.problem ? nothing : waiting()) : html`<div class="grid2">${mine.items.map((q) => html`<div class="card">${gauge(quotaWord(q.name), q.used, q.limit, sayOf(q.name))}${isOperator() ? html`<button type="button" class="plain" aria-label=${t("Change quota: {what}", {what: quotaWord(q.name)})} @click=${() => change(q, whose)}>${t("Change")}</button>` : nothing}</div>`)}</div>`}`;
}

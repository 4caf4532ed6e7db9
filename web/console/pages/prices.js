// SPDX-License-Identifier: Apache-2.0
// Price lists, for operators: start date and prices; a new list is checked while it is typed, and loaded.
import {html, nothing, mark, ask, waiting, problemCard, when} from "../parts.js";
import {touch} from "../store.js";
import {t, money} from "../words.js";
import {get, post} from "../api.js";
import {offerCommand, showCommand} from "../command_bar.js";

let lists = null, problem = null, isAsking = false, open = "";

function look() {
	isAsking = true;
	return get("/price-lists").then((answer) => { lists = answer.items; problem = null; }, (p) => { problem = p; }).then(() => {
		isAsking = false;
		touch();
	});
}

const idOf = (l) => `${l.name} ${l.from_us}`;
const EXAMPLE = `price_list: {name: public, currency: EUR, from: ${new Date(Date.now() + 864e5).toISOString().slice(0, 10)}T00:00:00Z, parent: null, owner: null}
items:
- {sku: vm.t3.micro, meter: "instance:t3.micro", unit: hour, price: 0.0104}
`;

function load() {
	const state = {problem: null, isFine: false, timer: 0, sent: 0};
	showCommand("prices.load", {});
	async function check(yaml) {
		const mine = ++state.sent;
		const failed = await post("/price-lists?dry=1", {yaml}).then(() => null, (p) => p);
		if (mine !== state.sent)
			return;
		Object.assign(state, {problem: failed, isFine: !failed});
		touch();
	}
	ask({title: t("Upload price list"), label: t("Upload"), wide: true, keeps: true,
		body: () => html`<p class="hint">${t("Takes effect on the date in the list. Closed months do not change.")}</p><label class="f">YAML<textarea name="yaml" rows="16" required spellcheck="false" aria-describedby="said-of-list" .defaultValue=${EXAMPLE} @input=${(e) => {
			clearTimeout(state.timer);
			state.timer = setTimeout(() => check(e.target.value), 300);
		}}></textarea></label><p id="said-of-list" role="status">${state.problem ? html`<span class="bad"><span aria-hidden="true">▲</span> <span lang="en">${state.problem.message}</span></span>` : state.isFine ? mark("ok", t("Valid")) : nothing}</p>`,
		submit: async (form) => {
			await post("/price-lists", {yaml: form.get("yaml")});
			await look();
		}});
}

const tiers = (l, item) => item.tiers.map((tier) => money(tier.price_micro, l.currency)).join(" / ");

function listCard(l) {
	const isOpen = open === idOf(l);
	return html`<div class="card"><div class="head"><h2>${l.name}</h2>${l.in_force ? mark("ok", t("active")) : l.from_us > Date.now() * 1000 ? mark("go", t("scheduled")) : mark("off", t("superseded"))}<span class="dim">${t("effective from")} ${when(l.from_us)}</span><span class="sp"></span><button type="button" aria-expanded=${isOpen ? "true" : "false"} @click=${() => { open = isOpen ? "" : idOf(l); touch(); }}>${t("{n} prices", {n: l.items.length})}</button></div>
		<p class="dim">${l.currency}${l.owner ? `, ${t("for {name}", {name: l.owner})}` : ""}${l.parent ? `, ${t("falls back to {name}", {name: l.parent})}` : ""}</p>
		${isOpen ? html`<div class="scroll" tabindex="0" role="region" aria-label=${l.name}><table class="simple"><thead><tr><th scope="col">SKU</th><th scope="col">${t("Meter")}</th><th scope="col">${t("Availability Zone")}</th><th scope="col">${t("Unit")}</th><th scope="col">${t("Price")}</th></tr></thead><tbody>${l.items.map((i) => html`<tr><td class="m">${i.sku}</td><td class="m">${i.meter}</td><td>${i.zone ?? ""}</td><td>${i.unit}</td><td class="num">${tiers(l, i)}</td></tr>`)}</tbody></table></div>` : nothing}</div>`;
}

export function view() {
	if (!lists && !problem && !isAsking)
		look();
	offerCommand("prices.list", {});
	return html`<div class="head"><h1>${t("Prices")}</h1><span class="sp"></span><button type="button" class="b1" @click=${load}>${t("Upload price list")}</button></div>
		${problemCard(problem)}${!lists ? (problem ? nothing : waiting()) : lists.length ? lists.toSorted((a, b) => Number(b.in_force) - Number(a.in_force) || b.from_us - a.from_us).map(listCard) : html`<div class="card empty"><h2>${t("No price lists")}</h2><p>${t("Usage is metered without a price list. Upload one to set prices from a date on.")}</p></div>`}`;
}

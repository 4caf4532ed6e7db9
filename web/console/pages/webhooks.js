// SPDX-License-Identifier: Apache-2.0
// Webhooks, for operators: who is told by HTTP what becomes of accounts, invoices and sign-ups; and what was delivered.
import {html, nothing, nameOf, mark, pairs, copyable, when, emptyCard, ask, note, report, oneByOne} from "../parts.js";
import {resourcePage} from "../resource.js";
import {rows, applyRow, reload, touch} from "../store.js";
import {t, time, since, number, list as words} from "../words.js";
import {get, post, patch, remove} from "../api.js";
import {showCommand} from "../command_bar.js";

/** Groups of events, as patterns. */
const EVENTS = [["invoice.*", () => t("Invoices issued and voided")], ["payment.*", () => t("Payments")], ["credit.*", () => t("Prepaid credit running out")], ["account.*", () => t("Accounts limited, suspended, closed or restored")],
	["instance.*", () => t("Instances frozen and thawed")], ["signup.*", () => t("Sign-ups")]];
const KNOWN = new Set(EVENTS.map(([pattern]) => pattern));
const eventsOf = (w) => (w.events?.length ? w.events.join(", ") : t("all events"));

const stateOfWebhook = (w) => (w.is_off ? mark("off", t("disabled")) : w.problem ? mark("bad", t("failing")) : mark("ok", t("enabled")));
const lastOf = (w) => (w.told_us ? t("delivered {age} ago", {age: since(w.told_us)}) : t("never"));

/** 256 random bits, as the secret that deliveries are signed with. */
const newSecret = () => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32)))).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

function showSecret(name, secret) {
	ask({title: t("Secret of {name}", {name}), label: null, keeps: true,
		body: () => html`<p>${t("Each delivery is signed with this secret. Save it now: it is shown only once.")}</p>${pairs([[name, copyable(secret)]])}`});
}

function eventFields(w) {
	const chosen = new Set(w?.events ?? []), more = (w?.events ?? []).filter((e) => !KNOWN.has(e)).join(" ");
	return html`<fieldset><legend>${t("Events (none chosen: all)")}</legend>${EVENTS.map(([pattern, word]) => html`<label class="check"><input type="checkbox" name="event" value=${pattern} ?checked=${chosen.has(pattern)}> ${word()} <span class="dim m">${pattern}</span></label>`)}
		<label class="f">${t("Other patterns, separated by spaces")}<input name="more" maxlength="1024" spellcheck="false" value=${more} placeholder="account.suspended"></label></fieldset>
		<label class="check"><input type="checkbox" name="payments" ?checked=${Boolean(w?.takes_payments)}> ${t("The receiver may report payments")}</label>`;
}
const readEvents = (form) => [...form.getAll("event"), ...form.get("more").split(/\s+/).filter(Boolean)];
const urlField = (value) => html`<label class="f">${t("URL")}<input name="url" type="url" required maxlength="1024" pattern="https?://.+" value=${value} placeholder="https://billing.example.com/dari" spellcheck="false"></label>`;

function create() {
	const read = (form) => ({name: form.get("name").trim(), url: form.get("url").trim(), events: readEvents(form), ...(form.get("payments") ? {takes_payments: true} : {})});
	const preview = (form) => showCommand("webhooks.add", {body: form ? read(form) : {}});
	ask({title: t("Create webhook"), label: t("Create"), wide: true,
		body: () => html`<div @input=${(e) => preview(new FormData(e.target.form))}><div class="grid2"><label class="f">${t("Name")}<input name="name" required maxlength="64" pattern="[\\w.\\-]+" autofocus spellcheck="false"></label>${urlField("")}</div>${eventFields(null)}</div><p class="hint">${t("The secret is created with the webhook, and shown once.")}</p>`,
		submit: async (form) => {
			const body = read(form), secret = newSecret();
			applyRow("webhooks", (await post("/webhooks", {...body, secret})).items?.[0]);
			showSecret(body.name, secret);
			return true;
		}});
	preview(null);
}

function edit([w]) {
	const read = (form) => ({url: form.get("url").trim(), events: readEvents(form), takes_payments: form.get("payments") === "on"});
	const changes = (form) => Object.fromEntries(Object.entries(read(form)).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(w[key] ?? (key === "events" ? [] : key === "url" ? "" : false))));
	const preview = (form) => showCommand("webhooks.update", {ids: [w], body: form ? changes(form) : {}});
	ask({title: t("Edit {name}", {name: nameOf(w)}), label: t("Save"), wide: true,
		body: () => html`<div @input=${(e) => preview(new FormData(e.target.form))}>${urlField(w.url)}${eventFields(w)}</div>`,
		submit: async (form) => {
			const body = changes(form);
			if (Object.keys(body).length)
				applyRow("webhooks", (await patch(`/webhooks/${w.id}`, body)).items?.[0]);
		}});
	preview(null);
}

function rotate([w]) {
	showCommand("webhooks.update", {ids: [w], body: {secret: "SECRET"}});
	ask({title: t("Replace the secret of {name}?", {name: nameOf(w)}), label: t("Replace secret"), danger: true,
		body: () => html`<p>${t("Deliveries are signed with the new secret from now on. The receiver refuses them until it knows it.")}</p>`,
		submit: async () => {
			const secret = newSecret();
			applyRow("webhooks", (await patch(`/webhooks/${w.id}`, {secret})).items?.[0]);
			showSecret(nameOf(w), secret);
			return true;
		}});
}

const send = (chosen, isOff) => oneByOne(chosen, (w) => patch(`/webhooks/${w.id}`, {is_off: isOff}).then((a) => applyRow("webhooks", a.items?.[0])));
const turn = (isOff) => (chosen) => {
	const done = isOff ? t("Webhooks disabled: {names}", {names: words(chosen.map(nameOf))}) : t("Webhooks enabled: {names}", {names: words(chosen.map(nameOf))});
	showCommand("webhooks.update", {ids: chosen, body: {is_off: isOff}});
	return report(done, () => send(chosen, isOff), () => send(chosen, !isOff));
};

const test = (chosen) => {
	showCommand("webhooks.test", {ids: chosen});
	return report(t("Test event sent"), () => oneByOne(chosen, (w) => post(`/webhooks/${w.id}/test`, {}))).then(() => {
		held.at = -Infinity;
		touch();
	});
};

function drop(chosen) {
	showCommand("webhooks.delete", {ids: chosen});
	ask({title: t("Delete {names}?", {names: words(chosen.map(nameOf))}), danger: true, label: t("Delete"),
		body: () => html`<ul>${chosen.map((w) => html`<li><strong>${nameOf(w)}</strong> <span class="m">${w.url}</span></li>`)}</ul><p>${t("Deliveries that still wait are deleted with it.")}</p>`,
		submit: () => report(t("Webhook deleted"), () => oneByOne(chosen, (w) => remove(`/webhooks/${w.id}`))).then(() => reload("webhooks")).then(() => false)});
}

// ---- deliveries ----

const SHOWN = 50, AGAIN_MS = 2000;
let held = {id: "", items: null, at: -Infinity};
const STAGE = {waiting: () => mark("go", t("waiting")), sent: () => mark("ok", t("delivered")), dead: () => mark("bad", t("given up"))};

/** Deliveries are many, so they are not streamed: they are requested again while some wait. */
function deliveriesOf(w) {
	if (held.id !== w.id)
		held = {id: w.id, items: null, at: -Infinity};
	const mine = held, isBusy = !mine.items || mine.items.some((d) => d.stage === "waiting");
	if (performance.now() - mine.at > (isBusy ? AGAIN_MS : 10 * AGAIN_MS)) {
		mine.at = performance.now();
		get(`/webhook-deliveries?webhook=${w.id}&fields=*&order=-number&limit=${SHOWN}`).then(({items}) => { mine.items = items; touch(); }, () => {});
		setTimeout(touch, AGAIN_MS + 50);
	}
	return mine.items;
}

const retry = (d) => {
	showCommand("webhooks.retry", {ids: [d]});
	return report(t("Delivery requested again"), () => post(`/webhook-deliveries/${d.id}/retry`, {})).then(() => { held.at = -Infinity; touch(); });
};

function deliveriesCard(w) {
	const items = deliveriesOf(w);
	return html`<div class="card"><h2>${t("Deliveries")}</h2>${!items ? html`<p class="dim">${t("Loading…")}</p>` : !items.length ? html`<p class="dim">${t("Nothing was sent yet. Choose Send test event.")}</p>`
		: html`<ul class="plainlist">${items.map((d) => html`<li><strong class="m">${d.event}</strong> ${(STAGE[d.stage] ?? STAGE.waiting)()} <span class="dim">#${d.number}, ${time(d.sent_us || d.at_us)}${d.tries ? `, ${t("failed attempts: {n}", {n: d.tries})}` : ""}${d.retry_us && d.stage === "waiting" ? `, ${t("next try: {when}", {when: time(d.retry_us)})}` : ""}</span>
			${d.problem && d.stage !== "sent" ? html`<div class="dim" lang="en">${d.problem}</div>` : nothing}${d.stage === "sent" ? nothing : html` <button type="button" class="plain" aria-label=${t("Retry {name}", {name: `${d.event} #${d.number}`})} @click=${() => retry(d)}>${t("Retry")}</button>`}</li>`)}</ul>`}${w.lost ? html`<p class="dim">${t("Deliveries dropped because too many waited: {n}", {n: w.lost})}</p>` : nothing}</div>`;
}

export const view = resourcePage({
	name: "webhooks", kind: "webhooks", command: "webhooks.list", title: () => t("Webhooks"), state: stateOfWebhook,
	search: (w) => [w.url, ...(w.events ?? [])], keys: {state: (w) => (w.is_off ? "disabled" : w.problem ? "failing" : "enabled")},
	columns: [
		{key: "name", title: () => t("Name"), width: "20%", sort: nameOf},
		{key: "state", title: () => t("State"), width: "14%", sort: (w) => (w.problem ? 0 : w.is_off ? 2 : 1), cell: stateOfWebhook},
		{key: "url", title: () => t("URL"), wide: true, width: "30%", text: (w) => w.url},
		{key: "events", title: () => t("Events"), width: "20%", text: eventsOf},
		{key: "last", title: () => t("Last delivery"), wide: true, sort: (w) => -(w.told_us ?? 0), text: lastOf},
	],
	chips: [{title: () => t("all"), query: ""}, {title: () => t("failing"), query: "state:failing"}, {title: () => t("disabled"), query: "state:disabled"}],
	actions: [
		{id: "test", asks: true, permission: "webhook.put", title: () => t("Send test event"), may: (w) => !w.is_off, run: test},
		{id: "enable", asks: true, permission: "webhook.put", title: () => t("Enable"), may: (w) => Boolean(w.is_off), run: turn(false)},
		{id: "disable", asks: true, permission: "webhook.put", title: () => t("Disable"), may: (w) => !w.is_off, run: turn(true)},
		{id: "delete", asks: true, permission: "webhook.delete", title: () => t("Delete"), run: drop, danger: true},
	],
	oneActions: [{id: "edit", asks: true, permission: "webhook.put", title: () => t("Edit"), run: edit}, {id: "secret", asks: true, permission: "webhook.put", title: () => t("Replace secret"), run: rotate, danger: true}],
	lead: () => html`<button type="button" class="b1" @click=${create}>${t("Create webhook")}</button>`,
	empty: () => emptyCard(t("No webhooks"), t("A webhook is told by HTTP what becomes of accounts, invoices and sign-ups, for a billing or customer system."), html`<button type="button" class="b1" @click=${create}>${t("Create webhook")}</button>`),
	more: deliveriesCard,
	facts: (w) => pairs([[t("State"), stateOfWebhook(w)], [t("URL"), copyable(w.url)], [t("Events"), eventsOf(w)], [t("Payments"), w.takes_payments ? t("accepted") : t("not accepted")], [t("Last delivery"), w.told_us ? when(w.told_us) : t("never")], [t("Next try"), w.problem && w.retry_us ? when(w.retry_us) : ""],
		[t("Problem"), w.problem ? html`<span lang="en">${w.problem}</span>` : ""], [t("Deliveries"), number(w.last_number ?? 0)], [t("Created"), when(w.created_us)]]),
});

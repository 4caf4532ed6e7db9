// SPDX-License-Identifier: Apache-2.0
// Domains and their accounts as a tree, for operators: what each account has against its limits; makes, opens and closes both.
import {html, nothing, nameOf, mark, ask, report, waiting, problemCard} from "../parts.js";
import {rows, need, touch, isReady, applyRow} from "../store.js";
import {href} from "../router.js";
import {t, size, number} from "../words.js";
import {get, post, patch} from "../api.js";
import {offerCommand, showCommand} from "../command_bar.js";

const SHOWN = [["instances", () => t("Instances"), number], ["vcpus", () => t("vCPUs"), number], ["memory", () => t("Memory"), size], ["volume_bytes", () => t("Disks and snapshots"), size]];
const AGAIN_MS = 10000; // figures do not come by the stream: as charts, they are asked for again while somebody looks
let usages = new Map(), problem = null, asked = -Infinity;

function look() {
	if (performance.now() - asked < AGAIN_MS)
		return;
	asked = performance.now();
	setTimeout(touch, AGAIN_MS);
	get("/usages").then((answer) => {
		usages = new Map(answer.accounts.map((a) => [a.id, new Map(a.items.map((i) => [i.name, i]))]));
		problem = null;
	}, (p) => { problem = p; }).then(touch);
}

function bar([name, word, say], of) {
	const q = of?.get(name);
	if (!q)
		return html`<td class="dim">…</td>`;
	const share = q.limit > 0 ? Math.min(1, q.used / q.limit) : 0;
	return html`<td><span class="num">${q.limit < 0 ? say(q.used) : t("{used} of {limit}", {used: say(q.used), limit: say(q.limit)})}</span>${q.limit < 0 ? nothing : html`<span class="gauge"><svg viewBox="0 0 100 6" preserveAspectRatio="none" role="img" aria-label=${`${word()} ${Math.round(share * 100)} %`} class=${share > 0.9 ? "bad" : share > 0.75 ? "go" : "ok"}><rect class="track" width="100" height="6"/><rect class="fill" width=${share * 100} height="6"/></svg></span>`}</td>`;
}

function makeAccount(d) {
	const preview = (name) => showCommand("accounts.create", {name: name || "account", domain: d});
	ask({title: t("A new account in {name}", {name: nameOf(d)}), label: t("Create"),
		body: () => html`<label class="f">${t("Name")}<input name="name" required maxlength="64" autofocus spellcheck="false" @input=${(e) => preview(e.target.value.trim())}></label><label class="f">${t("What for")}<input name="description" maxlength="255"></label>
			<label class="check"><input type="checkbox" name="router" checked> ${t("With a VPC of its own")}</label>`,
		submit: async (form) => {
			const answer = await post("/accounts", {name: form.get("name").trim(), domain: d.id, description: form.get("description"), with_default_router: form.get("router") === "on"});
			applyRow("accounts", answer.items?.[0]);
			asked = -Infinity;
		}});
	preview("");
}

function makeDomain() {
	showCommand("domains.create", {name: "domain"});
	ask({title: t("A new domain"), label: t("Create"),
		body: () => html`<label class="f">${t("Name")}<input name="name" required maxlength="64" autofocus spellcheck="false" @input=${(e) => showCommand("domains.create", {name: e.target.value.trim() || "domain"})}></label><label class="f">${t("What for")}<input name="description" maxlength="255"></label>
			<p class="hint">${t("People and accounts of their own, with an administrator of their own.")}</p>`,
		submit: async (form) => applyRow("domains", (await post("/domains", {name: form.get("name").trim(), description: form.get("description")})).items?.[0])});
}

function turn(kind, row) {
	const opens = row.enabled === false;
	showCommand(`${kind}.${opens ? "enable" : "disable"}`, {ids: [row]});
	const send = () => patch(`/${kind}/${row.id}`, {enabled: opens}).then((a) => applyRow(kind, a.items?.[0]));
	if (opens)
		return report(t("{name} is open again", {name: nameOf(row)}), send);
	ask({title: t("Close {names}", {names: nameOf(row)}), label: t("Close"), danger: true, typed: nameOf(row),
		body: () => html`<p>${kind === "domains" ? t("Nobody of it gets in, and its accounts’ keys are refused. What runs goes on.") : t("Its keys and tokens are refused. What runs goes on.")}</p>`,
		submit: () => send().then(() => false)});
	return null;
}

const state = (row) => (row.enabled === false ? mark("off", t("closed")) : mark("ok", t("open")));
const turnButton = (kind, row) => html`<button type="button" class=${row.enabled === false ? "" : "danger-text"} aria-label=${row.enabled === false ? t("Open {name} again", {name: nameOf(row)}) : t("Close {names}", {names: nameOf(row)})} @click=${() => turn(kind, row)}>${row.enabled === false ? t("Open again") : html`${t("Close")}…`}</button>`;

function accountsTable(d) {
	const own = rows("accounts").filter((a) => a.domain === d.id).toSorted((a, b) => nameOf(a).localeCompare(nameOf(b)));
	return own.length ? html`<div class="scroll" tabindex="0" role="region" aria-label=${t("Accounts of {name}", {name: nameOf(d)})}><table class="simple"><thead><tr><th scope="col">${t("Account")}</th><th scope="col">${t("State")}</th>${SHOWN.map(([, word]) => html`<th scope="col">${word()}</th>`)}<th scope="col"><span class="sr">${t("What can be done")}</span></th></tr></thead><tbody>
		${own.map((a) => html`<tr><td><a href=${href("accounts", a.id)}>${nameOf(a)}</a><br><span class="dim m">${a.number ?? ""}</span></td><td>${state(a)}</td>${SHOWN.map((one) => bar(one, usages.get(a.id)))}<td><a class="b" aria-label=${t("Limits of {name}", {name: nameOf(a)})} href=${href("quotas", "", {account: a.id})}>${t("Limits")}</a> ${turnButton("accounts", a)}</td></tr>`)}</tbody></table></div>` : html`<p class="dim">${t("No account is in it.")}</p>`;
}

function branch(d, below) {
	return html`<section class="card" aria-label=${nameOf(d)}><div class="head"><h2>${nameOf(d)}</h2>${state(d)}${d.description ? html`<span class="dim">${d.description}</span>` : nothing}<span class="sp"></span><button type="button" aria-label=${t("A new account in {name}", {name: nameOf(d)})} @click=${() => makeAccount(d)}>${t("New account")}</button> ${nameOf(d) === "Default" ? nothing : turnButton("domains", d)}</div>
		${accountsTable(d)}${(below.get(d.id) ?? []).map((child) => branch(child, below))}</section>`;
}

export function view() {
	for (const k of ["domains", "accounts"])
		need(k);
	offerCommand("accounts.list", {});
	if (!isReady("domains", "accounts"))
		return html`<h1>${t("Domains")}</h1>${waiting()}`;
	look();
	const below = Map.groupBy(rows("domains").toSorted((a, b) => nameOf(a).localeCompare(nameOf(b))), (d) => (rows("domains").some((o) => o.id === d.reseller) ? d.reseller : ""));
	return html`<div class="head"><h1>${t("Domains")}</h1><span class="sp"></span><button type="button" class="b1" @click=${makeDomain}>${t("New domain")}</button></div>
		<p class="hint">${t("Each with its accounts, and those whose reseller it is below it.")}</p>${problemCard(problem)}${(below.get("") ?? []).map((d) => branch(d, below))}`;
}

// SPDX-License-Identifier: Apache-2.0
// Domains and their accounts as a tree, for operators: usage and quotas of each account; creates, enables and disables both.
import {html, nothing, nameOf, mark, ask, report, waiting, problemCard} from "../parts.js";
import {rows, need, touch, isReady, applyRow} from "../store.js";
import {href} from "../router.js";
import {t, size, number} from "../words.js";
import {get, post, patch} from "../api.js";
import {offerCommand, showCommand} from "../command_bar.js";
import {makeAccount} from "../account_dialogs.js";
import {signInCard} from "../sign_in_providers.js";

const SHOWN = [["instances", () => t("Instances"), number], ["vcpus", () => t("vCPUs"), number], ["memory", () => t("Memory"), size], ["volume_bytes", () => t("Disks and snapshots"), size]];
const AGAIN_MS = 10000; // usage is not streamed: it is requested again while visible, as charts are
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
	return html`<td data-label=${word()}><span class="num">${q.limit < 0 ? say(q.used) : t("{used} / {limit}", {used: say(q.used), limit: say(q.limit)})}</span>${q.limit < 0 ? nothing : html`<span class="gauge"><svg viewBox="0 0 100 6" preserveAspectRatio="none" role="img" aria-label=${`${word()} ${Math.round(share * 100)} %`} class=${share > 0.9 ? "bad" : share > 0.75 ? "go" : "ok"}><rect class="track" width="100" height="6"/><rect class="fill" width=${share * 100} height="6"/></svg></span>`}</td>`;
}

function makeDomain() {
	showCommand("domains.create", {name: "domain"});
	ask({title: t("Create domain"), label: t("Create"),
		body: () => html`<label class="f">${t("Name")}<input name="name" required maxlength="64" autofocus spellcheck="false" @input=${(e) => showCommand("domains.create", {name: e.target.value.trim() || "domain"})}></label><label class="f">${t("Description")}<input name="description" maxlength="255"></label>
			<p class="hint">${t("A domain has its own users, accounts and administrator.")}</p>`,
		submit: async (form) => applyRow("domains", (await post("/domains", {name: form.get("name").trim(), description: form.get("description")})).items?.[0])});
}

function turn(kind, row) {
	const opens = row.enabled === false;
	showCommand(`${kind}.${opens ? "enable" : "disable"}`, {ids: [row]});
	const send = () => patch(`/${kind}/${row.id}`, {enabled: opens}).then((a) => applyRow(kind, a.items?.[0]));
	if (opens)
		return report(t("{name} enabled", {name: nameOf(row)}), send);
	ask({title: t("Disable {names}", {names: nameOf(row)}), label: t("Disable"), danger: true, typed: nameOf(row),
		body: () => html`<p>${kind === "domains" ? t("Its users cannot sign in, and access keys of its accounts are refused. Running instances are not affected.") : t("Its access keys and tokens are refused. Running instances are not affected.")}</p>`,
		submit: () => send().then(() => false)});
	return null;
}

const state = (row) => (row.enabled === false ? mark("off", t("disabled")) : mark("ok", t("enabled")));
const turnButton = (kind, row) => html`<button type="button" class=${row.enabled === false ? "" : "danger-text"} aria-label=${row.enabled === false ? t("Enable {name}", {name: nameOf(row)}) : t("Disable {names}", {names: nameOf(row)})} @click=${() => turn(kind, row)}>${row.enabled === false ? t("Enable") : html`${t("Disable")}…`}</button>`;

function accountsTable(d) {
	const own = rows("accounts").filter((a) => a.domain === d.id).toSorted((a, b) => nameOf(a).localeCompare(nameOf(b)));
	return own.length ? html`<div class="scroll" tabindex="0" role="region" aria-label=${t("Accounts of {name}", {name: nameOf(d)})}><table class="simple"><thead><tr><th scope="col">${t("Account")}</th><th scope="col">${t("State")}</th>${SHOWN.map(([, word]) => html`<th scope="col">${word()}</th>`)}<th scope="col"><span class="sr">${t("Actions")}</span></th></tr></thead><tbody>
		${own.map((a) => html`<tr><td><a href=${href("accounts", a.id)}>${nameOf(a)}</a><br><span class="dim m">${a.number ?? ""}</span></td><td>${state(a)}</td>${SHOWN.map((one) => bar(one, usages.get(a.id)))}<td><a class="b" aria-label=${t("Quotas of {name}", {name: nameOf(a)})} href=${href("quotas", "", {account: a.id})}>${t("Quotas")}</a> ${turnButton("accounts", a)}</td></tr>`)}</tbody></table></div>` : html`<p class="dim">${t("No accounts.")}</p>`;
}

const PASSWORDS = {accepted: () => t("Passwords accepted"), "directory-only": () => t("Only directory passwords accepted"), refused: () => t("Passwords refused")};

/** Passwords that are refused could lock everybody out: the dialog names what stays. */
function setPasswords(d) {
	const preview = (passwords) => showCommand("domains.passwords", {ids: [d], passwords});
	ask({title: t("Passwords of {name}", {name: nameOf(d)}), label: t("Save"),
		body: () => html`<label class="f">${t("Sign-in by password")}<select name="passwords" @change=${(e) => preview(e.target.value)}>${Object.entries(PASSWORDS).map(([word, say]) => html`<option value=${word} ?selected=${word === (d.passwords ?? "accepted")}>${say()}</option>`)}</select></label>
			<p class="hint">${t("Applies to every API and to the users of the domain’s accounts. Access keys, passkeys and identity providers work as before; `dari console` on the server always lets an administrator in.")}</p>`,
		submit: async (form) => applyRow("domains", (await patch(`/domains/${d.id}`, {passwords: form.get("passwords")})).items?.[0])});
	preview(d.passwords ?? "accepted");
}

function branch(d, below) {
	return html`<section class="card" aria-label=${nameOf(d)}><div class="head"><h2>${nameOf(d)}</h2>${state(d)}${d.description ? html`<span class="dim">${d.description}</span>` : nothing}<span class="sp"></span><button type="button" aria-label=${`${PASSWORDS[d.passwords ?? "accepted"]()}…: ${nameOf(d)}`} @click=${() => setPasswords(d)}>${PASSWORDS[d.passwords ?? "accepted"]()}…</button> <button type="button" aria-label=${t("Create account in {name}", {name: nameOf(d)})} @click=${() => makeAccount(d, () => { asked = -Infinity; })}>${t("Create account")}</button> ${nameOf(d) === "Default" ? nothing : turnButton("domains", d)}</div>
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
	return html`<div class="head"><h1>${t("Domains")}</h1><span class="sp"></span><button type="button" class="b1" @click=${makeDomain}>${t("Create domain")}</button></div>
		<p class="hint">${t("Domains and their accounts. Domains of a reseller’s customers are listed below the reseller.")}</p>${problemCard(problem)}${(below.get("") ?? []).map((d) => branch(d, below))}${signInCard()}`;
}

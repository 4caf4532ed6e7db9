// SPDX-License-Identifier: Apache-2.0
// Consistency check, for operators: compares rows with hosts, storage and the network; and decides about orphaned resources. Findings are rows, so
// every window shows the progress.
import {html, nothing, nameOf, mark, ask, report, waiting, copyable, when} from "../parts.js";
import {rows, need, isReady, findRow, reload} from "../store.js";
import {t, time, span, since, size, number} from "../words.js";
import {post} from "../api.js";
import {offerCommand, showCommand} from "../command_bar.js";

const WHAT = {domain: () => t("Instance"), disk: () => t("Disk"), network: () => t("Network")};
const byTime = () => rows("audits").toSorted((a, b) => b.begun_us - a.begun_us);
const placeOf = (f) => nameOf(findRow("hosts", f.place) ?? findRow("storage-pools", f.place)) || (f.place ? f.place.slice(0, 8) : "–");
const canAdopt = (f) => !f.has_row && f.about !== "network";
/** The stream reports removed findings; if another audit renewed the row, the list decides. */
const settle = () => reload("audit-findings");

const run = () => {
	showCommand("audits.run", {});
	return report(t("Consistency check started"), () => post("/audits", {}));
};

function adopt(f) {
	const accounts = rows("accounts").toSorted((a, b) => nameOf(a).localeCompare(nameOf(b)));
	const chosen = () => document.querySelector("dialog select[name=account]")?.value || accounts[0]?.id;
	const preview = () => showCommand("leftovers.adopt", {ids: [f], account: f.about === "disk" ? findRow("accounts", chosen()) : null});
	ask({title: t("Adopt {what}", {what: f.subject}), label: t("Adopt"),
		body: () => html`<p>${f.about === "disk" ? t("Registers it as an unattached volume of the account.") : t("Restores the instance, its network interfaces, addresses and volumes in the database from the host’s record.")} ${t("The host is not changed.")}</p>
			${f.about === "disk" ? html`<label class="f">${t("Account")}<select name="account" autofocus @change=${preview}>${accounts.map((a) => html`<option value=${a.id}>${nameOf(a)}</option>`)}</select></label>` : nothing}`,
		submit: async (form) => {
			await post(`/audit-findings/${f.id}/adopt`, f.about === "disk" ? {account: form.get("account")} : {});
			await settle();
		}});
	preview();
}

function purge(f) {
	showCommand("leftovers.purge", {ids: [f]});
	ask({title: t("Purge {what}", {what: f.subject}), label: t("Purge"), danger: true, typed: f.subject,
		body: () => html`<p>${f.about === "network" ? t("Removes it from the network.") : t("Stops it and deletes it with its data from {place}.", {place: placeOf(f)})} ${t("This action cannot be undone.")}</p>`,
		submit: async () => {
			await post(`/audit-findings/${f.id}/purge`, {});
			await settle();
		}});
}

function progress(a) {
	const share = a.asked ? (a.answered ?? 0) / a.asked : 0;
	return html`<div class="card" role="status"><h2>${mark("go", t("Consistency check in progress"))}</h2>
		<div class="gauge"><div class="row"><span>${t("{answered} of {asked} checked", {answered: a.answered ?? 0, asked: a.asked ?? 0})}</span><span class="num">${since(a.begun_us)}</span></div>
		<svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" class="ok"><rect class="track" width="100" height="4" rx="2"/><rect class="fill" width=${share * 100} height="4" rx="2"/></svg></div>
		<p class="hint">${t("Reads instances and disks of each host, each shared pool, and the network. Changes nothing.")}</p></div>`;
}

const POWER = {absent: () => t("absent"), off: () => t("off"), on: () => t("on")};
/** The sentences of a check, in the reader's language; the engine's other ones are shown as they are. */
const SENTENCES = [
	[/^port (\S+) is missing in the network$/, (id) => t("Network interface {id} is missing in the network", {id})],
	[/^address (\S+) is missing in the network$/, (ip) => t("Public IP {ip} is missing in the network", {ip})],
	[/^address (\S+) is still in the network$/, (ip) => t("Public IP {ip} is unassociated, but still in the network", {ip})],
	[/^instance (.+) on host (\S+) is (\S+) there, its row says (\S+)$/, (name, host, seen, known) => t("Instance {name} on {host} is {seen}; the database says {known}", {name, host, seen: POWER[seen]?.() ?? seen, known: POWER[known]?.() ?? known})],
	[/^the disk of volume (\S+) is missing on (?:host|storage pool) (\S+), its row says otherwise$/, (id, place) => t("The disk of volume {id} is missing on {place}", {id, place})],
	[/^the disk of volume (\S+) is there on (?:host|storage pool) (\S+), its row says otherwise$/, (id, place) => t("The disk of volume {id} is on {place}, where the database has none", {id, place})],
	[/^(?:the disks of )?(?:host|storage pool) (\S+) could not be looked at: (.*)$/, (place, why) => t("{place} could not be checked: {why}", {place, why})],
	[/^the network could not be looked at: (.*)$/, (why) => t("The network could not be checked: {why}", {why})],
];

function sentence(f) {
	for (const [form, words] of SENTENCES) {
		const found = form.exec(f.text);
		if (found)
			return words(...found.slice(1));
	}
	return html`<span lang="en">${f.text}</span>`;
}

const took = (a) => (a.ended_us - a.begun_us < 1e6 ? t("{n} ms", {n: Math.max(1, Math.round((a.ended_us - a.begun_us) / 1000))}) : span(a.ended_us - a.begun_us));

function verdict(a) {
	return html`<div class="card ${a.found ? "why" : ""}"><h2>${a.found ? html`<span aria-hidden="true">▲</span> ${t("{n} differences", {n: a.found})}` : mark("ok", t("No differences"))}</h2>
		<p>${t("Checked at {time}, in {span}.", {time: time(a.ended_us), span: took(a)})} ${a.cached ? t("Hosts cache {n} images, {size}.", {n: a.cached, size: size(a.cached_bytes ?? 0)}) : nothing}</p>
		${a.found > 1000 ? html`<p>${t("The first 1,000 are shown.")}</p>` : nothing}</div>`;
}

function leftovers(found) {
	return html`<div class="card"><h2>${t("Orphaned (quarantined)")}</h2><p class="hint">${t("Resources with this region’s mark but no database row. They stay untouched until you adopt or purge them.")}</p>
		<div class="scroll" tabindex="0" role="region" aria-label=${t("Orphaned (quarantined)")}><table class="simple"><thead><tr><th scope="col">${t("Resource")}</th><th scope="col">ID</th><th scope="col">${t("Location")}</th><th scope="col"><span class="sr">${t("Actions")}</span></th></tr></thead><tbody>
		${found.map((f) => html`<tr><td>${(WHAT[f.about] ?? WHAT.network)()}${f.has_row ? html`<br><span class="dim">${t("on another host than recorded")}</span>` : nothing}</td><td class="m">${copyable(f.subject)}</td><td>${f.about === "network" ? t("Network") : placeOf(f)}</td>
			<td>${canAdopt(f) ? html`<button type="button" aria-label=${t("Adopt {what}", {what: f.subject})} @click=${() => adopt(f)}>${t("Adopt")}…</button> ` : nothing}<button type="button" class="danger-text" aria-label=${t("Purge {what}", {what: f.subject})} @click=${() => purge(f)}>${t("Purge")}…</button></td></tr>`)}</tbody></table></div></div>`;
}

const history = (list) => html`<div class="card"><h2>${t("History")}</h2><div class="scroll" tabindex="0" role="region" aria-label=${t("History")}><table class="simple"><thead><tr><th scope="col">${t("Time")}</th><th scope="col">${t("Account")}</th><th scope="col">${t("Duration")}</th><th scope="col">${t("Found at")}</th></tr></thead><tbody>
	${list.map((a) => html`<tr><td>${when(a.begun_us)}</td><td>${a.asked_by || "dari audit"}</td><td class="num">${took(a)}</td><td>${a.found ? mark("bad", number(a.found)) : mark("ok", t("no differences"))}</td></tr>`)}</tbody></table></div></div>`;

export function view() {
	for (const k of ["audits", "audit-findings", "hosts", "storage-pools", "accounts"])
		need(k);
	offerCommand("audits.run", {});
	if (!isReady("audits", "audit-findings", "hosts"))
		return html`<h1>${t("Consistency check")}</h1>${waiting()}`;
	const all = byTime(), going = all.find((a) => a.stage === "running"), ended = all.filter((a) => a.stage !== "running");
	const found = rows("audit-findings").toSorted((a, b) => a.about.localeCompare(b.about) || (a.text ?? "").localeCompare(b.text ?? ""));
	const alone = found.filter((f) => f.quarantined), others = found.filter((f) => !f.quarantined);
	return html`<div class="head"><h1>${t("Consistency check")}</h1><span class="sp"></span><button type="button" class="b1" ?disabled=${Boolean(going)} @click=${run}>${t("Run check")}</button></div>
		<p class="hint">${t("Compares the database with the actual state of hosts, storage and networks.")}</p>
		${going ? progress(going) : nothing}${ended.length ? verdict(ended[0]) : going ? nothing : html`<div class="card empty"><h2>${t("No consistency check yet")}</h2><p>${t("A check takes seconds and changes nothing.")}</p></div>`}
		${alone.length ? leftovers(alone) : nothing}
		${others.length ? html`<div class="card"><h2>${t("Other differences")}</h2><ul class="plainlist">${others.map((f) => html`<li>${mark("bad", f.about === "unseen" ? t("not checked") : t("differs"))} ${sentence(f)}</li>`)}</ul><p class="hint">${t("Changes made during the check also appear as differences: run it again to see what remains.")}</p></div>` : nothing}
		${ended.length > 1 ? history(ended.slice(1)) : nothing}`;
}

// SPDX-License-Identifier: Apache-2.0
// Cloud providers: accounts in clouds elsewhere, with credentials. Each is verified as soon as it is added or changed.
import {html, nothing, nameOf, mark, pairs, copyable, when, emptyCard, ask, report, oneByOne} from "../parts.js";
import {resourcePage} from "../resource.js";
import {rows, applyRow} from "../store.js";
import {href} from "../router.js";
import {t, since, number, list as words} from "../words.js";
import {post, patch, remove} from "../api.js";
import {showCommand} from "../command_bar.js";
import {mayAll} from "../may.js";

const CLOUDS = {aws: "AWS", openstack: "OpenStack", cloudstack: "CloudStack", azure: "Azure", vmware: "VMware", hyperv: "Hyper-V"};
const WORDS = {unknown: () => t("verifying"), ok: () => t("connected"), denied: () => t("credentials refused"), unreachable: () => t("unreachable"), failing: () => t("failing")};
const stateOfProvider = (p) => mark(p.status === "ok" ? (p.held || p.unlisted?.length ? "go" : "ok") : p.status === "unknown" ? "go" : "bad", WORDS[p.status]?.() ?? p.status);
const machinesOf = (p) => rows("remote-machines").filter((m) => m.provider === p.id);
const resourcesOf = (p) => rows("remote-resources").filter((r) => r.provider === p.id);
const freshness = (p) => (p.refreshed_us ? t("{age} ago", {age: since(p.refreshed_us)}) : t("never"));

const field = (name, label, more = {}) => html`<label class="f">${label}<input name=${name} maxlength=${more.max ?? 255} ?required=${Boolean(more.required)} type=${more.type ?? "text"} placeholder=${more.hint ?? ""} autocomplete="off" spellcheck="false"></label>`;
const secretField = (required) => field("secret", t("Secret key or password"), {required, type: "password", max: 512});
const trustFields = () => html`<details><summary>${t("Certificate and interval")}</summary><label class="f">${t("CA certificates in PEM (empty: the system’s)")}<textarea name="ca" rows="3" maxlength="16384" spellcheck="false"></textarea></label>
	${field("pin", t("Pinned public key"), {max: 128, hint: "sha256//…"})}<label class="f">${t("Seconds between two listings")}<input name="poll_s" type="number" min="1" max="86400" placeholder="300"></label></details>`;

/** The filled fields as members of a request. */
function read(form) {
	const body = Object.fromEntries([...form].filter(([name, value]) => name !== "secret" && value.trim()).map(([name, value]) => [name, value.trim()]));
	if (body.poll_s)
		body.poll_s = Number(body.poll_s);
	return form.get("secret") ? {...body, secret: form.get("secret")} : body;
}
const withoutSecret = (body) => ({...body, ...(body.secret ? {secret: "SECRET"} : {})});

function add() {
	const preview = (form) => showCommand("providers.add", {body: form ? withoutSecret(read(form)) : {}});
	ask({title: t("Add cloud provider"), label: t("Add and verify"), wide: true,
		body: () => html`<div @input=${(e) => preview(new FormData(e.target.form))}><div class="grid2"><label class="f">${t("Name")}<input name="name" required maxlength="64" pattern="[\\w.\\-]+" autofocus spellcheck="false"></label>
			<label class="f">${t("Cloud")}<select name="cloud">${Object.entries(CLOUDS).map(([cloud, word]) => html`<option value=${cloud}>${word}</option>`)}</select></label>
			${field("region", t("Region (CloudStack: zone; Azure: location; VMware: datacenter, or all; Hyper-V: host or cluster)"), {required: true, max: 63})}${field("endpoint", t("API endpoint (empty: the cloud’s public one)"), {max: 1024, hint: "https://"})}
			${field("login", t("Access key ID, user or client ID"), {required: true})}${secretField(true)}${field("project", t("OpenStack project, Azure subscription or Hyper-V template folder"))}${field("domain", t("OpenStack domain or Azure tenant"))}</div>${trustFields()}</div>
			<p class="hint">${t("The secret is encrypted and never shown again. Only the right to list machines is needed; missing rights are named.")}</p>`,
		submit: async (form) => { applyRow("providers", (await post("/providers", read(form))).items?.[0]); }});
	preview(null);
}

function setCredentials([p]) {
	const preview = (form) => showCommand("providers.set", {ids: [p], body: form ? withoutSecret(read(form)) : {}});
	ask({title: t("Credentials of {name}", {name: nameOf(p)}), label: t("Save and verify"), wide: true,
		body: () => html`<div @input=${(e) => preview(new FormData(e.target.form))}><p>${t("Empty fields stay as they are. The credentials must belong to the same account there.")}</p><div class="grid2">${field("login", t("Access key ID, user or client ID"))}${secretField(false)}</div>${trustFields()}</div>`,
		submit: async (form) => { applyRow("providers", (await patch(`/providers/${p.id}`, read(form))).items?.[0]); }});
	preview(null);
}

const refresh = (chosen) => {
	showCommand("providers.refresh", {ids: chosen});
	return report(t("Listing of {names} requested", {names: words(chosen.map(nameOf))}), () => oneByOne(chosen, (p) => post(`/providers/${p.id}/refresh`, {})));
};
function acceptLoss([p]) {
	showCommand("providers.refresh", {ids: [p], body: {accepts_loss: true}});
	ask({title: t("Accept the loss of {name}?", {name: nameOf(p)}), danger: true, label: t("Accept loss"), body: () => html`<p>${t("What the next listing lacks is removed from the lists, however much it is.")}</p>`,
		submit: () => report(t("Listing of {names} requested", {names: nameOf(p)}), () => post(`/providers/${p.id}/refresh`, {accepts_loss: true})).then(() => false)});
}
function drop(chosen) {
	showCommand("providers.remove", {ids: chosen});
	ask({title: t("Remove {names}?", {names: words(chosen.map(nameOf))}), danger: true, label: t("Remove"), typed: chosen.length === 1 ? nameOf(chosen[0]) : chosen.length,
		body: () => html`<p>${t("Its machines and resources leave the lists. They run on where they are.")}</p>`,
		submit: () => report(t("{n} providers removed", {n: chosen.length}), () => oneByOne(chosen, (p) => remove(`/providers/${p.id}`))).then(() => false)});
}

const problems = (p) => html`${p.problem ? html`<div class="card why"><h2>${stateOfProvider(p)}</h2><p lang="en">${p.problem}</p></div>` : nothing}
	${p.unlisted?.length ? html`<div class="card"><h2>${t("Not listed")}</h2><ul>${p.unlisted.map((line) => html`<li lang="en">${line}</li>`)}</ul></div>` : nothing}`;

const addButton = () => (mayAll("provider.put") ? html`<button type="button" class="b1" @click=${add}>${t("Add cloud provider")}</button>` : nothing);

export const view = resourcePage({
	name: "providers", kind: "providers", alsoNeeds: ["remote-machines", "remote-resources"], command: "providers.list", verb: "providers", title: () => t("Cloud providers"), state: stateOfProvider,
	search: (p) => [p.region, p.endpoint, p.identity, CLOUDS[p.cloud]], keys: {cloud: (p) => p.cloud, status: (p) => p.status},
	columns: [
		{key: "name", title: () => t("Name"), width: "22%", sort: nameOf},
		{key: "cloud", title: () => t("Cloud"), width: "13%", text: (p) => CLOUDS[p.cloud] ?? p.cloud},
		{key: "region", title: () => t("Region"), width: "15%", text: (p) => p.region ?? ""},
		{key: "state", title: () => t("State"), width: "18%", text: (p) => p.status, cell: stateOfProvider},
		{key: "machines", title: () => t("Machines"), num: true, wide: true, width: "11%", sort: (p) => machinesOf(p).length, text: (p) => number(machinesOf(p).length)},
		{key: "listed", title: () => t("Listed"), wide: true, sort: (p) => p.refreshed_us ?? 0, cell: freshness},
	],
	actions: [{id: "refresh", title: () => t("Verify and list now"), run: refresh, hidden: () => !mayAll("provider.refresh")}, {id: "remove", title: () => t("Remove"), danger: true, run: drop, hidden: () => !mayAll("provider.delete")}],
	oneActions: [{id: "set", title: () => t("Credentials…"), asks: true, run: setCredentials, hidden: () => !mayAll("provider.put")}, {id: "loss", title: () => t("Accept loss…"), asks: true, isRare: true, may: (p) => Boolean(p.held || p.unlisted?.length), run: acceptLoss, hidden: () => !mayAll("provider.refresh")}],
	lead: addButton,
	empty: () => emptyCard(t("No cloud providers"), t("A provider is an account in AWS, OpenStack, CloudStack, Azure, VMware or Hyper-V. Its machines are listed and can be started and stopped from here."), addButton()),
	more: problems,
	facts: (p) => pairs([[t("State"), stateOfProvider(p)], [t("Cloud"), CLOUDS[p.cloud] ?? p.cloud], [t("Region"), p.region], [t("API endpoint"), p.endpoint], [t("Account there"), p.identity ? copyable(p.identity) : ""], [t("Login"), p.login],
		[t("Missing rights"), (p.lacks ?? []).join(", ") || t("none")], [t("Machines"), html`<a href=${href("machines", "", {q: `provider:${nameOf(p)}`})}>${number(machinesOf(p).length)}</a>`], [t("Other resources"), html`<a href=${href("remote-resources", "", {q: `provider:${nameOf(p)}`})}>${number(resourcesOf(p).length)}</a>`],
		[t("Machines that vanished"), p.held || ""], [t("Seconds between two listings"), number(p.poll_s ?? 0)], [t("Verified"), p.verified_us ? when(p.verified_us) : ""], [t("Listed"), freshness(p)]]),
});

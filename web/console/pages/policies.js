// SPDX-License-Identifier: Apache-2.0
// Managed and inline policies of the account: documents, versions, and attachments.
import {html, nothing, nameOf, refName, pairs, ask, report, when, mark, emptyCard} from "../parts.js";
import {resourcePage} from "../resource.js";
import {rows, applyRow, reload} from "../store.js";
import {href} from "../router.js";
import {t, number, list as words} from "../words.js";
import {post, remove} from "../api.js";
import {showCommand} from "../command_bar.js";
import {manages, whyNoButtons, isManaged, arnFact, documentOf, documentEditor, EMPTY_POLICY, HOLDERS} from "../rights.js";

const holders = (p) => rows("policy-attachments").filter((a) => a.policy === p.id);
const versions = (p) => rows("policy-versions").filter((v) => v.policy === p.id).toSorted((a, b) => b.number - a.number);
const fieldOf = (row) => Object.keys(HOLDERS).find((f) => row[f]);

function make() {
	const name = () => document.querySelector("dialog input[name=name]")?.value.trim() || "policy";
	const editor = documentEditor("document", EMPTY_POLICY, (text) => post("/policies?dry=1", {name: name(), document: text}));
	showCommand("policies.create", {name: "policy"});
	ask({title: t("Create policy"), label: t("Create"), wide: true, keeps: true,
		body: () => html`<label class="f">${t("Name")}<input name="name" required maxlength="128" pattern="[A-Za-z0-9+=,.@_\\-]+" autofocus spellcheck="false" @input=${() => showCommand("policies.create", {name: name()})}></label>
			<label class="f">${t("Description")}<input name="description" maxlength="1000"></label>${editor()}`,
		submit: async (form) => {
			const answer = await post("/policies", {name: form.get("name").trim(), description: form.get("description"), document: form.get("document")});
			applyRow("policies", answer.items?.[0]);
			await reload("policy-versions");
		}});
}

function edit([p]) {
	const editor = documentEditor("document", documentOf(p), (text) => post(`/policies/${p.id}/versions?dry=1`, {document: text, is_default: true}));
	showCommand("policies.version", {ids: [p]});
	ask({title: t("Edit policy {name}", {name: p.name}), label: t("Save"), wide: true, keeps: true,
		body: () => html`<p class="hint">${t("Saves a new version and sets it as default. Five versions are kept.")}</p>${editor()}`,
		submit: async (form) => {
			await post(`/policies/${p.id}/versions`, {document: form.get("document"), is_default: true});
			await Promise.all([reload("policies"), reload("policy-versions")]);
		}});
}

const settle = () => Promise.all([reload("policies"), reload("policy-versions")]);
const hold = (p, v) => {
	showCommand("policies.default", {ids: [p], number: v.number});
	return report(t("Default version: {n}", {n: v.number}), () => post(`/policies/${p.id}/default`, {number: v.number})).then(settle);
};
const drop = (p, v) => report(t("Version deleted"), () => post(`/policies/${p.id}/delete-version`, {number: v.number})).then(settle);

function removeAll(chosen) {
	showCommand("policies.delete", {ids: chosen});
	ask({title: t("Delete {names}?", {names: words(chosen.map(nameOf))}), danger: true, label: t("Delete"), body: () => html`<p>${t("Detach the policy everywhere first.")}</p>`,
		submit: async () => {
			for (const p of chosen)
				await remove(`/policies/${p.id}`);
			await settle();
		}});
}

const kindOf = (p) => (isManaged(p) ? t("account") : t("inline policy of {name}", {name: refName(HOLDERS[fieldOf(p)].path, p[fieldOf(p)])}));

function more(p) {
	const own = versions(p), who = holders(p);
	return html`<div class="card"><h2>${t("Document")}</h2><div class="block"><pre tabindex="0" aria-label=${t("Document")}>${documentOf(p)}</pre></div></div>
		${isManaged(p) ? html`<div class="card"><h2>${t("Versions")}</h2><ul class="plainlist">${own.map((v) => html`<li>v${v.number} <span class="dim">${when(v.created_us)}</span> ${v.number === p.default_version ? mark("ok", t("default")) : manages() ? html`<button type="button" aria-label=${t("Set as default: version {n}", {n: v.number})} @click=${() => hold(p, v)}>${t("Set as default")}</button> <button type="button" class="danger-text" aria-label=${t("Delete {name}", {name: `v${v.number}`})} @click=${() => drop(p, v)}>${t("Delete")}</button>` : nothing}</li>`)}</ul></div>
		<div class="card"><h2>${t("Attached entities")}</h2>${who.length ? html`<ul class="plainlist">${who.map((a) => html`<li>${HOLDERS[fieldOf(a)].word()} <a href=${href(HOLDERS[fieldOf(a)].page, a[fieldOf(a)])}>${refName(HOLDERS[fieldOf(a)].path, a[fieldOf(a)])}</a>${a.is_boundary ? html` <span class="dim">${t("permissions boundary")}</span>` : nothing}</li>`)}</ul>` : html`<p class="dim">${t("Not attached. Attach it on the page of a user, group or role.")}</p>`}</div>` : nothing}`;
}

export const view = resourcePage({
	name: "policies", kind: "policies", kinds: ["policy-versions", "policy-attachments", "users", "user-groups", "iam-roles"], command: "policies.list", title: () => t("Policies"),
	search: (p) => [p.description, documentOf(p)], keys: {kind: (p) => (isManaged(p) ? "managed" : "inline")},
	columns: [
		{key: "name", title: () => t("Name"), width: "34%", sort: nameOf},
		{key: "kind", title: () => t("Type"), width: "30%", text: kindOf},
		{key: "holders", title: () => t("Attached entities"), num: true, width: "16%", sort: (p) => holders(p).length, text: (p) => (isManaged(p) ? number(holders(p).length) : "")},
		{key: "version", title: () => t("Version"), wide: true, num: true, text: (p) => (p.default_version ? `v${p.default_version}` : "")},
	],
	actions: [{id: "edit", title: () => t("Edit"), hidden: () => !manages(), may: isManaged, run: edit},
		{id: "delete", title: () => t("Delete"), hidden: () => !manages(), may: isManaged, run: (chosen) => removeAll(chosen.filter(isManaged)), danger: true}],
	above: whyNoButtons,
	lead: () => (manages() ? html`<button type="button" class="b1" @click=${make}>${t("Create policy")}</button>` : nothing),
	empty: () => emptyCard(t("No policies"), t("Policies define permissions. Create one or attach an AWS managed policy."), manages() ? html`<button type="button" class="b1" @click=${make}>${t("Create policy")}</button>` : nothing),
	facts: (p) => pairs([[t("Name"), p.name], [t("Type"), kindOf(p)], [t("Description"), p.description], ["ARN", isManaged(p) ? arnFact(p) : ""], [t("Created"), when(p.created_us)]]),
	more,
});

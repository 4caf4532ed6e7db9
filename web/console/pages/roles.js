// SPDX-License-Identifier: Apache-2.0
// IAM roles, assumed for a session: by instances, by users, by web identities. The trust policy decides who may assume a role.
import {html, nothing, nameOf, pairs, ask, when, emptyCard} from "../parts.js";
import {resourcePage} from "../resource.js";
import {applyRow, reload} from "../store.js";
import {t, time, since, span, list as words} from "../words.js";
import {post, remove} from "../api.js";
import {showCommand} from "../command_bar.js";
import {manages, whyNoButtons, policiesCard, documentEditor, EMPTY_TRUST} from "../rights.js";

function make() {
	const name = () => document.querySelector("dialog input[name=name]")?.value.trim() || "role";
	const editor = documentEditor("trust", EMPTY_TRUST, (text) => post("/iam-roles?dry=1", {name: name(), trust: text}));
	showCommand("roles.create", {name: "role"});
	ask({title: t("Create role"), label: t("Create"), wide: true, keeps: true,
		body: () => html`<label class="f">${t("Name")}<input name="name" required maxlength="64" pattern="[A-Za-z0-9+=,.@_\\-]+" autofocus spellcheck="false" @input=${() => showCommand("roles.create", {name: name()})}></label>
			<label class="f">${t("Description")}<input name="description" maxlength="1000"></label><p class="hint">${t("The trust policy defines who can assume the role. Its permissions are defined by attached policies.")}</p>${editor()}`,
		submit: async (form) => {
			const answer = await post("/iam-roles", {name: form.get("name").trim(), description: form.get("description"), trust: form.get("trust")});
			applyRow("iam-roles", answer.items?.[0]);
		}});
}

function trust([r]) {
	const editor = documentEditor("trust", r.trust ?? EMPTY_TRUST, (text) => post(`/iam-roles/${r.id}/trust?dry=1`, {trust: text}));
	showCommand("roles.trust", {ids: [r]});
	ask({title: t("Trust relationships of {name}", {name: r.name}), label: t("Save"), wide: true, keeps: true, body: () => editor(),
		submit: async (form) => {
			const answer = await post(`/iam-roles/${r.id}/trust`, {trust: form.get("trust")});
			applyRow("iam-roles", answer.items?.[0]);
		}});
}

function drop(chosen) {
	showCommand("roles.delete", {ids: chosen});
	ask({title: t("Delete {names}?", {names: words(chosen.map(nameOf))}), danger: true, label: t("Delete"), body: () => html`<p>${t("Detach its policies first.")}</p>`,
		submit: async () => {
			for (const r of chosen)
				await remove(`/iam-roles/${r.id}`);
			await reload("iam-roles");
		}});
}

export const view = resourcePage({
	name: "roles", kind: "iam-roles", kinds: ["policies", "policy-versions", "policy-attachments"], command: "roles.list", title: () => t("Roles"),
	search: (r) => [r.description],
	columns: [
		{key: "name", title: () => t("Name"), width: "34%", sort: nameOf},
		{key: "what", title: () => t("Description"), wide: true, width: "30%", text: (r) => r.description ?? ""},
		{key: "used", title: () => t("Last used"), width: "20%", sort: (r) => r.last_used_us ?? 0, text: (r) => (r.last_used_us ? t("{age} ago", {age: since(r.last_used_us)}) : "–")},
		{key: "made", title: () => t("Created"), wide: true, sort: (r) => r.created_us, text: (r) => time(r.created_us)},
	],
	actions: [{id: "trust", title: () => t("Trust relationships"), hidden: () => !manages(), run: trust},
		{id: "delete", title: () => t("Delete"), hidden: () => !manages(), run: drop, danger: true}],
	above: whyNoButtons,
	lead: () => (manages() ? html`<button type="button" class="b1" @click=${make}>${t("Create role")}</button>` : nothing),
	empty: () => emptyCard(t("No roles"), t("A role is assumed for temporary credentials: by an instance, a user, or another account."), manages() ? html`<button type="button" class="b1" @click=${make}>${t("Create role")}</button>` : nothing),
	facts: (r) => pairs([[t("Name"), r.name], [t("Description"), r.description], [t("Path"), r.path && r.path !== "/" ? r.path : ""], [t("Maximum session duration"), r.session_max_us ? span(r.session_max_us) : ""], [t("Last used"), r.last_used_us ? t("{age} ago", {age: since(r.last_used_us)}) : ""], [t("Created"), when(r.created_us)]]),
	more: (r) => html`<div class="card"><h2>${t("Trust relationships")}</h2><div class="block"><pre tabindex="0" aria-label=${t("Trust relationships")}>${r.trust ?? ""}</pre></div></div>${policiesCard("iam_role", r)}`,
});

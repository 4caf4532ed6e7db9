// SPDX-License-Identifier: Apache-2.0
// Groups of the account's users: members, and shared policies.
import {html, nothing, nameOf, refName, pairs, ask, report, when, emptyCard} from "../parts.js";
import {resourcePage} from "../resource.js";
import {rows, applyRow, reload, findRow} from "../store.js";
import {href} from "../router.js";
import {t, time, number, list as words} from "../words.js";
import {post} from "../api.js";
import {session} from "../session.js";
import {showCommand} from "../command_bar.js";
import {manages, whyNoButtons, policiesCard} from "../rights.js";

const members = (g) => rows("group-members").filter((m) => m.user_group === g.id);
const isOwn = (g) => g.account === session.account?.id;

function make() {
	showCommand("groups.create", {name: "group"});
	ask({title: t("Create user group"), label: t("Create"),
		body: () => html`<label class="f">${t("Name")}<input name="name" required maxlength="128" pattern="[A-Za-z0-9+=,.@_\\-]+" autofocus spellcheck="false" @input=${(e) => showCommand("groups.create", {name: e.target.value.trim() || "group"})}></label>`,
		submit: async (form) => applyRow("user-groups", (await post("/user-groups", {name: form.get("name").trim()})).items?.[0])});
}

function add([g]) {
	const there = new Set(members(g).map((m) => m.user));
	const choices = rows("users").filter((u) => !u.is_owner && !there.has(u.id)).toSorted((a, b) => nameOf(a).localeCompare(nameOf(b)));
	const preview = (id) => showCommand("groups.add", {ids: [g], user: findRow("users", id)});
	ask({title: t("Add user to {name}", {name: nameOf(g)}), label: t("Add"),
		body: () => html`<label class="f">${t("User")}<select name="user" autofocus @change=${(e) => preview(e.target.value)}>${choices.map((u) => html`<option value=${u.id}>${nameOf(u)}</option>`)}</select></label>`,
		submit: async (form) => {
			await post(`/user-groups/${g.id}/add`, {user: form.get("user")});
			await reload("group-members");
		}});
	if (choices.length)
		preview(choices[0].id);
}

function leave(g, m) {
	showCommand("groups.remove", {ids: [g], user: findRow("users", m.user)});
	return report(t("User removed from the group"), () => post(`/user-groups/${g.id}/remove`, {user: m.user})).then(() => reload("group-members"));
}

function drop(chosen) {
	showCommand("groups.delete", {ids: chosen});
	ask({title: t("Delete {names}?", {names: words(chosen.map(nameOf))}), danger: true, label: t("Delete"), body: () => html`<p>${t("Remove members and detach policies first.")}</p>`,
		submit: () => report(t("{n} groups deleted", {n: chosen.length}), () => post("/user-groups/delete", {ids: chosen.map((g) => g.id)})).then(() => reload("user-groups")).then(() => false)});
}

export const view = resourcePage({
	name: "user-groups", kind: "user-groups", kinds: ["users", "group-members", "policies", "policy-versions", "policy-attachments", "domains"], command: "groups.list", title: () => t("User groups"),
	search: (g) => [g.description],
	columns: [
		{key: "name", title: () => t("Name"), width: "40%", sort: nameOf},
		{key: "members", title: () => t("Members"), num: true, width: "18%", sort: (g) => members(g).length, text: (g) => number(members(g).length)},
		{key: "made", title: () => t("Created"), wide: true, sort: (g) => g.created_us, text: (g) => time(g.created_us)},
	],
	actions: [{id: "add", title: () => t("Add user"), hidden: () => !manages(), may: isOwn, run: add},
		{id: "delete", title: () => t("Delete"), hidden: () => !manages(), may: isOwn, run: (chosen) => drop(chosen.filter(isOwn)), danger: true}],
	above: whyNoButtons,
	lead: () => (manages() ? html`<button type="button" class="b1" @click=${make}>${t("Create user group")}</button>` : nothing),
	empty: () => emptyCard(t("No user groups"), t("A user group gives its policies to all of its members."), manages() ? html`<button type="button" class="b1" @click=${make}>${t("Create user group")}</button>` : nothing),
	facts: (g) => pairs([[t("Name"), g.name], [t("Type"), g.account ? t("account") : t("domain {name}", {name: refName("domains", g.domain)})], [t("Description"), g.description], [t("Created"), when(g.created_us)]]),
	more: (g) => html`<div class="card"><h2>${t("Members")}</h2>${members(g).length ? html`<ul class="plainlist">${members(g).map((m) => html`<li><a href=${href("people", m.user)}>${refName("users", m.user)}</a> ${manages() && isOwn(g) ? html`<button type="button" class="plain danger-text" aria-label=${t("Remove {name}", {name: refName("users", m.user)})} @click=${() => leave(g, m)}>${t("Remove")}</button>` : nothing}</li>`)}</ul>` : html`<p class="dim">${t("No members.")}</p>`}</div>${policiesCard("user_group", g)}`,
});

// SPDX-License-Identifier: Apache-2.0
// Users of the account, with their access keys; the account's managers create and delete users and keys.
import {html, nothing, nameOf, refName, pairs, copyable, copy, when, ask, report, mark} from "../parts.js";
import {resourcePage} from "../resource.js";
import {rows, applyRow, findRow, reload, touch} from "../store.js";
import {href} from "../router.js";
import {showCommand} from "../command_bar.js";
import {manages, whyNoButtons, policiesCard} from "../rights.js";
import {t, list as words, time, since} from "../words.js";
import {get, post, remove, intent} from "../api.js";
import {session, isOperator} from "../session.js";
import {linkIdentity} from "../sign_in_providers.js";

/** A user of the account itself; users of a domain have access by roles, and only administrators create them. */
const isOwn = (u) => u.account === session.account?.id && !u.is_owner;
const keysOf = (u) => rows("access-keys").filter((k) => k.user === u.id);

function make() {
	const key = intent();
	showCommand("users.create", {name: "user"});
	ask({title: t("Create user"), label: t("Create"),
		body: () => html`<label class="f">${t("Name")}<input name="name" required maxlength="64" pattern="[A-Za-z0-9+=,.@_\\-]+" autofocus spellcheck="false" @input=${(e) => showCommand("users.create", {name: e.target.value.trim() || "user"})}></label>
			<label class="check"><input type="checkbox" name="console"> ${t("Console access: an invitation link, where the user chooses a password")}</label>
			<p class="hint">${t("Creates an IAM user. Policies define its permissions.")}</p>`,
		submit: async (form) => {
			const answer = await post("/users", {name: form.get("name").trim()}, {"Idempotency-Key": key});
			const made = answer.items?.[0];
			applyRow("users", made);
			if (form.get("console"))
				setTimeout(givePassword, 0, made); // once this dialog has closed
		}});
}

/** Twenty characters of every sort that a password policy may ask for, and none that is mistaken for another. */
const LETTERS = ["abcdefghijkmnpqrstuvwxyz", "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789", "+=-_.!"];
function drawPassword() {
	const draw = (from) => { // without a bias towards the first letters
		let byte = 0;
		do
			[byte] = crypto.getRandomValues(new Uint8Array(1));
		while (byte >= 256 - (256 % from.length));
		return from[byte % from.length];
	};
	for (;;) {
		const word = Array.from({length: 20}, () => draw(LETTERS.join(""))).join("");
		if (LETTERS.every((sort) => [...sort].some((letter) => word.includes(letter))))
			return word;
	}
}

async function givePassword(u) {
	const password = drawPassword();
	showCommand("users.password", {ids: [u]});
	const done = await report(t("Console password set"), () => post(`/users/${u.id}/password`, {password, is_first: true}));
	if (!done)
		return;
	const account = session.account?.number, link = `${location.origin}/console/#invitation?${new URLSearchParams({user: u.name, account, password})}`;
	const text = [`${location.origin}/console/`, `${t("Account ID")}: ${account}`, `${t("User name")}: ${u.name}`, `${t("Password")}: ${password}`].join("\n");
	const block = (label, shown) => html`<div class="block"><pre tabindex="0" aria-label=${label}>${shown}</pre><button type="button" @click=${() => copy(shown)}>${t("Copy")}</button></div>`;
	ask({title: t("Save this now: it is shown only once"), label: null, keeps: true, wide: true,
		body: () => html`<p>${t("Send this link to the user, who chooses a password there. It works once.")}</p>${block(t("Invitation link"), link)}
			<details><summary class="hint">${t("Without a link")}</summary><p>${t("The user signs in with these, and chooses a password at the first sign-in.")}</p>${block(t("Password"), text)}</details>`});
}

function askPassword([u]) {
	showCommand("users.password", {ids: [u]});
	ask({title: t("Set a console password for {name}?", {name: u.name}), label: t("Set password"),
		body: () => html`<p>${t("A new password is generated, and shown once. An earlier password is no longer valid, and the user's sessions end.")}</p>`,
		submit: () => void setTimeout(givePassword, 0, u)});
}

async function makeKey([u]) {
	showCommand("users.key", {ids: [u]});
	const answer = await report(t("Access key created"), () => post("/access-keys", {user: u.id}, {"Idempotency-Key": intent()}));
	if (!answer)
		return;
	applyRow("access-keys", answer.items?.[0]);
	const text = `${answer.items[0].key_id} ${answer.secret}`;
	ask({title: t("Save this now: it is shown only once"), label: null, keeps: true,
		body: () => html`<div class="block"><pre tabindex="0" aria-label=${t("Access key ID")}>${text}</pre><button type="button" @click=${() => copy(text)}>${t("Copy")}</button></div>`});
}

const ownerOf = (k) => findRow("users", k.user);
const sendKey = (k, enabled) => post(`/access-keys/${k.id}/enable`, {enabled}).then((a) => applyRow("access-keys", a?.items?.[0]));
function turn(k) {
	showCommand(k.enabled ? "users.key-off" : "users.key-on", {ids: [k], user: ownerOf(k)});
	return report(k.enabled ? t("Access key deactivated") : t("Access key activated"), () => sendKey(k, !k.enabled), () => sendKey(k, k.enabled));
}

function dropKey(k) {
	showCommand("users.key-delete", {ids: [k], user: ownerOf(k)});
	ask({title: t("Delete {name}?", {name: k.key_id}), danger: true, label: t("Delete"), body: () => html`<p>${t("Requests with this key are refused from then on.")}</p>`,
		submit: () => remove(`/access-keys/${k.id}`).then(() => reload("access-keys")).then(() => false)});
}

function drop(chosen) {
	showCommand("users.delete", {ids: chosen});
	ask({title: t("Delete {names}?", {names: words(chosen.map(nameOf))}), danger: true, label: t("Delete"), body: () => html`<p>${t("Delete access keys and detach policies first.")}</p>`,
		submit: () => report(t("{n} users deleted", {n: chosen.length}), () => post("/users/delete", {ids: chosen.map((u) => u.id)})).then(() => false)});
}

const groupsOf = (u) => rows("group-members").filter((m) => m.user === u.id);

/** True if the user has a second factor: visible to the user and to administrators. */
const factors = new Map();
function factorOf(u) {
	if (!isOperator() && u.id !== session.user?.id)
		return "";
	if (!factors.has(u.id)) {
		factors.set(u.id, null);
		get(`/second-factors?user=${u.id}`).then((a) => factors.set(u.id, a.items), () => factors.set(u.id, [])).then(touch);
	}
	const known = factors.get(u.id);
	return known === null ? "…" : known.some((f) => f.confirmed) ? mark("ok", t("active")) : mark("off", t("inactive"));
}

function more(u) {
	const groups = groupsOf(u);
	return html`${keyTable(u)}${groups.length ? html`<div class="card"><h2>${t("User groups")}</h2><ul class="plainlist">${groups.map((m) => html`<li><a href=${href("user-groups", m.user_group)}>${refName("user-groups", m.user_group)}</a></li>`)}</ul></div>` : nothing}${u.is_owner ? nothing : policiesCard("user", u)}`;
}

function keyTable(u) {
	const keys = keysOf(u);
	return html`<div class="card"><h2>${t("Access keys")}</h2>${keys.length ? html`<div class="scroll" tabindex="0" role="region" aria-label=${t("Access keys")}><table class="simple"><thead><tr><th scope="col">${t("Access key ID")}</th><th scope="col">${t("State")}</th><th scope="col">${t("Last used")}</th><th scope="col"><span class="sr">${t("Actions")}</span></th></tr></thead><tbody>
		${keys.map((k) => html`<tr><td class="m">${k.key_id}</td><td>${k.enabled ? mark("ok", t("active")) : mark("off", t("inactive"))}</td><td>${k.last_used_us ? t("{age} ago", {age: since(k.last_used_us)}) : "–"}</td><td><button type="button" @click=${() => turn(k)}>${k.enabled ? t("Deactivate") : t("Activate")}</button> <button type="button" class="danger-text" @click=${() => dropKey(k)}>${t("Delete")}…</button></td></tr>`)}</tbody></table></div>` : html`<p class="dim">${t("No access keys that you may view.")}</p>`}</div>`;
}

const kindOf = (u) => (u.is_owner ? t("account owner") : u.account ? t("account user") : t("user of domain {name}", {name: refName("domains", u.domain)}));

export const view = resourcePage({
	name: "people", kind: "users", kinds: ["access-keys", "domains", "user-groups", "group-members", "policies", "policy-versions", "policy-attachments"], command: "users.list", title: () => t("Users"),
	search: (u) => [u.email, u.description], keys: {kind: (u) => (u.account ? "account" : "domain")},
	columns: [
		{key: "name", title: () => t("Name"), width: "30%", sort: nameOf},
		{key: "state", title: () => t("State"), width: "16%", sort: (u) => (u.enabled ? 0 : 1), cell: (u) => (u.enabled ? mark("ok", t("enabled")) : mark("off", t("disabled")))},
		{key: "kind", title: () => t("Type"), wide: true, width: "28%", text: kindOf},
		{key: "made", title: () => t("Created"), wide: true, sort: (u) => u.created_us, text: (u) => time(u.created_us)},
	],
	actions: [{id: "key", title: () => t("Create access key"), hidden: () => !manages(), may: isOwn, run: (chosen) => makeKey(chosen.filter(isOwn))},
		{id: "password", title: () => t("Set console password"), hidden: () => !manages(), may: isOwn, one: true, run: (chosen) => askPassword(chosen.filter(isOwn))},
		{id: "link", title: () => t("Link identity"), hidden: () => !isOperator(), may: (u) => !u.account, one: true, run: (chosen) => linkIdentity(chosen.filter((u) => !u.account))},
		{id: "delete", title: () => t("Delete"), hidden: () => !manages(), may: isOwn, run: (chosen) => drop(chosen.filter(isOwn)), danger: true}],
	above: whyNoButtons,
	lead: () => (manages() ? html`<button type="button" class="b1" @click=${make}>${t("Create user")}</button>` : nothing),
	facts: (u) => pairs([[t("Name"), u.name], [t("State"), u.enabled ? mark("ok", t("enabled")) : mark("off", t("disabled"))], [t("Type"), kindOf(u)], [t("Path"), u.path && u.path !== "/" ? u.path : ""], [t("Email"), u.email], [t("Identity provider"), u.oidc_subject ? `${u.oidc_subject} (https://${u.oidc_issuer})` : ""], [t("Description"), u.description], [t("MFA"), factorOf(u)], [t("Created"), when(u.created_us)], ["OpenStack", copyable(u.id)]]),
	more,
});

// SPDX-License-Identifier: Apache-2.0
// The accounts that may use an instance type or a volume type that is not public, for operators.
import {html, nothing, nameOf, ask, report} from "./parts.js";
import {rows, row as byId, applyRow} from "./store.js";
import {t} from "./words.js";
import {patch} from "./api.js";
import {showCommand} from "./command_bar.js";

const send = (kind, r, body) => patch(`/${kind}/${r.id}`, body).then((a) => applyRow(kind, a.items?.[0]));

function add(kind, r) {
	const able = rows("accounts").filter((a) => !(r.users ?? []).includes(a.id)).toSorted((a, b) => nameOf(a).localeCompare(nameOf(b)));
	const preview = (id) => showCommand(`${kind}.share`, {ids: [r], account: byId("accounts", id)});
	ask({title: t("Add access to {name}", {name: nameOf(r)}), label: able.length ? t("Add") : null,
		body: () => (able.length ? html`<label class="f">${t("Account")}<select name="account" autofocus @change=${(e) => preview(e.target.value)}>${able.map((a) => html`<option value=${a.id}>${nameOf(a)}</option>`)}</select></label>` : html`<p>${t("Every account has access already.")}</p>`),
		submit: (form) => send(kind, r, {share_with: form.get("account")})});
	if (able.length)
		preview(able[0].id);
}

function remove(kind, r, account) {
	showCommand(`${kind}.share`, {ids: [r], account, gone: true});
	ask({title: t("Remove the access of {account} to {name}?", {account: nameOf(account), name: nameOf(r)}), label: t("Remove"), danger: true,
		body: () => html`<p>${t("What the account has made with it stays as it is.")}</p>`,
		submit: () => report(t("Access removed"), () => send(kind, r, {unshare_with: account.id})).then(() => false)});
}

/** kind: the list's name. The row has is_public and users. */
export function accessCard(kind, r) {
	const users = r.users ?? [];
	return html`<div class="card"><h2>${t("Access")}</h2>${r.is_public ? html`<p>${t("Public: every account may use it.")}</p>` : html`${users.length ? html`<ul class="plainlist">${users.map((id) => {
		const account = byId("accounts", id) ?? {id, name: id.slice(0, 8)};
		return html`<li>${nameOf(account)} <button type="button" class="plain danger-text" aria-label=${t("Remove {name}", {name: nameOf(account)})} @click=${() => remove(kind, r, account)}>${t("Remove")}…</button></li>`;
	})}</ul>` : html`<p class="dim">${t("Private: only administrators may use it.")}</p>`}<p><button type="button" @click=${() => add(kind, r)}>${t("Add access")}</button></p>`}${r.domains?.length ? html`<p class="dim">${t("Restricted to the domains {names}", {names: r.domains.map((id) => nameOf(byId("domains", id) ?? {id: id.slice(0, 8)})).join(", ")})}</p>` : nothing}</div>`;
}

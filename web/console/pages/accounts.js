// SPDX-License-Identifier: Apache-2.0
// Accounts of the region, for operators: usage and quotas.
import {html, nameOf, refName, pairs, copyable, when, mark} from "../parts.js";
import {resourcePage} from "../resource.js";
import {href} from "../router.js";
import {t} from "../words.js";
import {makeAccount} from "../account_dialogs.js";

export const view = resourcePage({
	name: "accounts", kind: "accounts", kinds: ["domains"], command: "accounts.list", title: () => t("Accounts"),
	search: (a) => [a.number, a.description, refName("domains", a.domain)], keys: {domain: (a) => refName("domains", a.domain)},
	columns: [
		{key: "name", title: () => t("Name"), width: "28%", sort: nameOf},
		{key: "state", title: () => t("State"), width: "18%", sort: (a) => (a.enabled ? 0 : 1), cell: (a) => (a.enabled ? mark("ok", t("enabled")) : mark("off", t("disabled")))},
		{key: "number", title: () => t("Account ID"), mono: true, width: "20%", text: (a) => a.number ?? ""},
		{key: "domain", title: () => t("Domain"), wide: true, width: "16%", text: (a) => refName("domains", a.domain)},
		{key: "what", title: () => t("Description"), wide: true, text: (a) => a.description ?? ""},
	],
	lead: () => html`<button type="button" class="b1" @click=${() => makeAccount()}>${t("Create account")}</button>`,
	facts: (a) => html`${pairs([[t("State"), a.enabled ? mark("ok", t("enabled")) : mark("off", t("disabled"))], [t("Account ID"), copyable(a.number)], [t("Domain"), refName("domains", a.domain)], [t("Description"), a.description], [t("Created"), when(a.created_us)], ["OpenStack", copyable(a.id)]])}`,
	more: (a) => html`<p><a class="b" href=${href("quotas", "", {account: a.id})}>${t("Quotas and usage")}</a></p>`,
});

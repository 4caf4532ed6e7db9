// SPDX-License-Identifier: Apache-2.0
// Accounts of the region, for its operator: who has what, against which limits.
import {html, nothing, nameOf, refName, pairs, copyable, when, mark, gauge} from "../parts.js";
import {resourcePage} from "../resource.js";
import {t, size, number} from "../words.js";

const LIMITS = [["limit_instances", "Instances", number], ["limit_vcpus", "vCPUs", number], ["limit_memory", "Memory", size], ["limit_volumes", "Volumes", number], ["limit_volume_bytes", "Disks", size], ["limit_addresses", "Addresses", number]];

export const view = resourcePage({
	name: "accounts", kind: "accounts", kinds: ["domains"], command: "accounts.list", title: () => t("Accounts"),
	search: (a) => [a.number, a.description, refName("domains", a.domain)], keys: {domain: (a) => refName("domains", a.domain)},
	columns: [
		{key: "name", title: () => t("Name"), width: "28%", sort: nameOf},
		{key: "state", title: () => t("State"), width: "18%", sort: (a) => (a.enabled ? 0 : 1), cell: (a) => (a.enabled ? mark("ok", t("open")) : mark("off", t("closed")))},
		{key: "number", title: () => t("Number"), mono: true, width: "20%", text: (a) => a.number ?? ""},
		{key: "domain", title: () => t("Domain"), wide: true, width: "16%", text: (a) => refName("domains", a.domain)},
		{key: "what", title: () => t("What for"), wide: true, text: (a) => a.description ?? ""},
	],
	facts: (a) => html`${pairs([[t("State"), a.enabled ? mark("ok", t("open")) : mark("off", t("closed"))], [t("Number"), copyable(a.number)], [t("Domain"), refName("domains", a.domain)], [t("What for"), a.description], [t("Made"), when(a.created_us)], ["OpenStack", copyable(a.id)]])}`,
	more: (a) => {
		const known = LIMITS.filter(([field]) => a[field] !== undefined);
		return known.length ? html`<div class="card"><h2>${t("Limits")}</h2>${known.map(([field, word, say]) => (a.usage?.[field.slice(6)] === undefined ? html`<div class="gauge"><div class="row"><span>${t(word)}</span><span class="num">${a[field] < 0 ? t("no limit") : say(a[field])}</span></div></div>` : gauge(t(word), a.usage[field.slice(6)], a[field], say)))}</div>` : nothing;
	},
});

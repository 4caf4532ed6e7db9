// SPDX-License-Identifier: Apache-2.0
// Public addresses that stay yours, whatever instance they lead to.
import {html, nameOf, refName, refLink, pairs, copyable, when, emptyCard, ask, report, mark, shortId, SUPPORT} from "../parts.js";
import {resourcePage} from "../resource.js";
import {rows, applyRow} from "../store.js";
import {nameLink} from "../list.js";
import {href} from "../router.js";
import {t, list as words} from "../words.js";
import {post, intent} from "../api.js";
import {showCommand} from "../command_bar.js";

async function allocate() {
	showCommand("addresses.allocate", {});
	const answer = await report(t("An address is yours"), () => post("/addresses", {}, {"Idempotency-Key": intent()}));
	for (const row of answer?.items ?? [])
		applyRow("addresses", row);
}

function associate([a]) {
	const able = rows("instances").filter((i) => ["running", "stopped", "pending"].includes(i.state));
	ask({title: t("Lead {ip} to", {ip: a.ip}), label: able.length ? t("Associate") : null,
		body: () => (able.length ? html`<label class="f">${t("Instance")}<select name="instance">${able.map((i) => html`<option value=${i.id}>${nameOf(i)}</option>`)}</select></label>` : html`<p>${t("There is no instance that it could lead to.")}</p>`),
		submit: async (form) => {
			const instance = able.find((i) => i.id === form.get("instance"));
			showCommand("addresses.associate", {ids: [a], instance});
			await post(`/addresses/${a.id}/associate`, {instance: instance.id});
		}});
}

function release(chosen) {
	showCommand("addresses.release", {ids: chosen});
	ask({title: t("Release {names}?", {names: words(chosen.map((a) => a.ip))}), danger: true, label: t("Release"),
		body: () => html`<p>${t("Somebody else may get them. Names that point to them must be changed.")}</p>`,
		submit: () => report(t("{n} addresses are released", {n: chosen.length}), () => post("/addresses/delete", {ids: chosen.map((a) => a.id)})).then(() => false)});
}

const spec = {href: (a) => href("addresses", shortId(a)), id: "addresses", detail: true};
export const view = resourcePage({
	name: "addresses", kind: "addresses", kinds: ["instances"], verb: "addresses", command: "addresses.list", title: () => t("Addresses"), sort: "ip",
	search: (a) => [a.ip, a.private_ip, a.description, refName("instances", a.instance)], keys: {instance: (a) => refName("instances", a.instance)},
	columns: [
		{key: "ip", title: () => t("Address"), mono: true, width: "26%", sort: (a) => a.ip, cell: (a) => nameLink({...spec}, {...a, name: a.ip, tags: undefined})},
		{key: "instance", title: () => t("Leads to"), width: "30%", sort: (a) => refName("instances", a.instance), cell: (a) => (a.instance ? refLink("instances", a.instance) : mark("off", t("nothing")))},
		{key: "private", title: () => t("Private address"), mono: true, wide: true, width: "20%", text: (a) => a.private_ip ?? ""},
		{key: "kind", title: () => t("Kind"), text: (a) => (a.is_elastic ? t("stays yours") : t("goes with the instance"))},
	],
	actions: [{id: "associate", title: () => t("Associate"), may: (a) => a.is_elastic, run: associate},
		{id: "disassociate", title: () => t("Disassociate"), may: (a) => a.is_elastic && a.port, run: (chosen) => report(t("{n} addresses lead nowhere now", {n: chosen.length}), () => post("/addresses/disassociate", {ids: chosen.map((a) => a.id)}))},
		{id: "release", title: () => t("Release"), may: (a) => a.is_elastic && !a.port, run: release, danger: true}],
	lead: () => html`<button type="button" class="b1" @click=${allocate}>${t("Allocate")}</button>`,
	empty: () => emptyCard(t("No address yet"), t("A public address stays yours when its instance goes, and can lead to another one at once."), html`<button type="button" class="b1" @click=${allocate}>${t("Allocate one")}</button>`),
	oneActions: [SUPPORT],
	facts: (a) => pairs([[t("Address"), copyable(a.ip)], [t("Leads to"), a.instance ? refLink("instances", a.instance) : ""], [t("Private address"), a.private_ip ? copyable(a.private_ip) : ""], [t("Kind"), a.is_elastic ? t("stays yours") : t("goes with the instance")], [t("What for"), a.description], [t("Made"), when(a.created_us)], ["EC2", a.ec2 ? copyable(a.ec2) : ""], ["OpenStack", copyable(a.id)]]),
});

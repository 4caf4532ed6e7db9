// SPDX-License-Identifier: Apache-2.0
// Elastic addresses, whichever instance they are associated with.
import {html, nothing, nameOf, refName, refLink, pairs, copyable, when, emptyCard, ask, report, oneByOne, mark, shortId, SUPPORT} from "../parts.js";
import {resourcePage} from "../resource.js";
import {rows, row, applyRow} from "../store.js";
import {nameLink} from "../list.js";
import {href} from "../router.js";
import {t, list as words} from "../words.js";
import {post, intent} from "../api.js";
import {showCommand} from "../command_bar.js";
import {askFor} from "../forms.js";
import {mayAll} from "../may.js";

async function allocate() {
	showCommand("addresses.allocate", {});
	const answer = await report(t("Elastic IP address allocated"), () => post("/addresses", {}, {"Idempotency-Key": intent()}));
	for (const row of answer?.items ?? [])
		applyRow("addresses", row);
}

/** Possible targets of an address: a machine's only interface, one of several, or an unattached one. */
function targets() {
	const live = new Set(rows("instances").filter((i) => ["running", "stopped", "pending"].includes(i.state)).map((i) => i.id)), ports = rows("ports").filter((p) => p.ip && !p.nat_gateway && !p.device_owner);
	const of = (i) => ports.filter((p) => p.instance === i.id);
	return [...rows("instances").filter((i) => live.has(i.id)).flatMap((i) => (of(i).length > 1 ? of(i).map((port) => ({port, words: `${nameOf(i)}, ${port.ip}`})) : [{instance: i, words: nameOf(i)}])),
		...ports.filter((p) => !p.instance).map((port) => ({port, words: `${nameOf(port)}, ${port.ip}`}))];
}

function associate([a]) {
	const able = targets();
	askFor({title: t("Associate address {ip}", {ip: a.ip}), label: able.length ? t("Associate") : null, verb: (args) => (args.port ? "addresses.lead" : "addresses.associate"),
		fields: () => (able.length ? html`<label class="f">${t("Instance or interface")}<select name="target" autofocus>${able.map((x, k) => html`<option value=${k}>${x.words}</option>`)}</select></label>
			${a.port ? html`<label class="check"><input type="checkbox" name="moves" checked> ${t("Reassociate (currently with {name})", {name: refName("instances", a.instance) || refName("ports", a.port)})}</label>` : nothing}` : html`<p>${t("No instance to associate with.")}</p>`),
		read: (form) => ({ids: [a], ...able[form.get("target")], moves: form.get("moves") === "on"}),
		send: async ({instance, port, moves}) => {
			await post(`/addresses/${a.id}/associate`, {...(port ? {port: port.id} : {instance: instance.id}), ...(moves ? {allow_reassociation: true} : {})});
		}});
}

function disassociate(chosen) {
	const before = chosen.map(({id, ip, port}) => ({id, ip, name: ip, port}));
	showCommand("addresses.disassociate", {ids: chosen});
	ask({title: t("Disassociate {names}?", {names: words(chosen.map((a) => a.ip))}), danger: true, label: t("Disassociate"), typed: chosen.length > 5 ? chosen.length : "",
		body: () => html`<ul>${chosen.slice(0, 12).map((a) => html`<li><span class="m">${a.ip}</span>: ${refName("instances", a.instance) || refName("ports", a.port)}</li>`)}${chosen.length > 12 ? html`<li>…</li>` : nothing}</ul><p>${t("The instances are no longer reachable at these addresses. The addresses stay allocated.")}</p>`,
		submit: () => report(t("{n} addresses disassociated", {n: chosen.length}), () => post("/addresses/disassociate", {ids: chosen.map((a) => a.id)}),
			() => oneByOne(before, (a) => post(`/addresses/${a.id}/associate`, {port: a.port}))).then(() => false)});
}

function release(chosen) {
	showCommand("addresses.release", {ids: chosen});
	ask({title: t("Release {names}?", {names: words(chosen.map((a) => a.ip))}), danger: true, label: t("Release"),
		body: () => html`<p>${t("Another account may get these addresses. Update DNS records that point to them.")}</p>`,
		submit: () => report(t("{n} addresses released", {n: chosen.length}), () => post("/addresses/delete", {ids: chosen.map((a) => a.id)})).then(() => false)});
}

/** The machine, otherwise the interface or the NAT gateway. */
function leadsTo(a) {
	const port = row("ports", a.port);
	return a.instance ? refLink("instances", a.instance) : port?.nat_gateway ? html`NAT ${refName("nat-gateways", port.nat_gateway)}` : port ? refLink("ports", a.port, "interfaces") : mark("off", t("unassociated"));
}
const moves = (a) => a.is_elastic && !row("ports", a.port)?.nat_gateway;

const spec = {href: (a) => href("addresses", shortId(a)), id: "addresses", detail: true};
export const view = resourcePage({
	name: "addresses", kind: "addresses", kinds: ["instances", "ports", "nat-gateways"], verb: "addresses", command: "addresses.list", title: () => t("Public IPs"), sort: "ip", label: (a) => a.ip,
	search: (a) => [a.ip, a.private_ip, a.description, refName("instances", a.instance)], keys: {instance: (a) => refName("instances", a.instance)},
	columns: [
		{key: "ip", title: () => t("Address"), mono: true, isAddress: true, width: "26%", sort: (a) => a.ip, cell: (a) => nameLink({...spec}, {...a, name: a.ip, tags: undefined})},
		{key: "instance", title: () => t("Associated with"), width: "30%", sort: (a) => refName("instances", a.instance), cell: leadsTo},
		{key: "private", title: () => t("Private address"), mono: true, isAddress: true, wide: true, width: "20%", text: (a) => a.private_ip ?? ""},
		{key: "kind", title: () => t("Type"), text: (a) => (a.is_elastic ? t("Elastic") : t("auto-assigned"))},
	],
	actions: [{id: "associate", title: () => t("Associate"), may: moves, run: associate, hidden: () => !mayAll("address.associate")},
		{id: "disassociate", title: () => t("Disassociate"), may: (a) => moves(a) && a.port, run: disassociate, hidden: () => !mayAll("address.disassociate")},
		{id: "release", title: () => t("Release"), may: (a) => a.is_elastic && !a.port, run: release, danger: true, hidden: () => !mayAll("address.release")}],
	lead: () => (mayAll("address.allocate") ? html`<button type="button" class="b1" @click=${allocate}>${t("Allocate Elastic IP")}</button>` : nothing),
	empty: () => emptyCard(t("No public IP addresses"), t("An Elastic IP address stays allocated to the account until you release it. It can be associated with another instance at any time."), html`<button type="button" class="b1" @click=${allocate}>${t("Allocate Elastic IP")}</button>`),
	oneActions: [SUPPORT],
	facts: (a) => pairs([[t("Address"), copyable(a.ip)], [t("Associated with"), leadsTo(a)], [t("Private address"), a.private_ip ? copyable(a.private_ip) : ""], [t("Type"), a.is_elastic ? t("Elastic") : t("auto-assigned")], [t("Description"), a.description], [t("Created"), when(a.created_us)], ["EC2", a.ec2 ? copyable(a.ec2) : ""], ["OpenStack", copyable(a.id)]]),
});

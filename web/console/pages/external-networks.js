// SPDX-License-Identifier: Apache-2.0
// External networks and their pools of public addresses, for operators.
import {html, nothing, nameOf, mark, pairs, copyable, gauge, when, emptyCard, ask, note, report, oneByOne} from "../parts.js";
import {resourcePage} from "../resource.js";
import {rows, row as byId, applyRow, reload, touch} from "../store.js";
import {href} from "../router.js";
import {t, number, list as words} from "../words.js";
import {get, post, patch, remove} from "../api.js";
import {showCommand} from "../command_bar.js";
import {session} from "../session.js";

const IPV4 = "\\d{1,3}(\\.\\d{1,3}){3}";
const valueOf = (ip) => ip.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
const isV4 = (ip) => new RegExp(`^${IPV4}$`).test(ip ?? "");
const sizeOf = (r) => (isV4(r.first) && isV4(r.last) ? valueOf(r.last) - valueOf(r.first) + 1 : 0);
const rangesOf = (n) => rows("address-ranges").filter((r) => r.external_network === n.id).toSorted((a, b) => valueOf(a.first) - valueOf(b.first));
const total = (n) => rangesOf(n).reduce((sum, r) => sum + sizeOf(r), 0);
const inUse = (n) => countsOf(n).addresses, gatewaysOf = (n) => countsOf(n).gateways;

const AGAIN_MS = 10000;
/** network → numbers of addresses and gateways of all accounts. They are not streamed: they are requested again while visible, as charts are. */
const counts = new Map();
function countsOf(n) {
	const known = counts.get(n.id) ?? {addresses: 0, gateways: 0, at: -Infinity};
	if (performance.now() - known.at > AGAIN_MS) {
		counts.set(n.id, {...known, at: performance.now()});
		Promise.all(["addresses", "gateways"].map((kind) => get(`/${kind}?all=1&external_network=${n.id}&fields=id&limit=1&total=1`))).then(([a, g]) => {
			counts.set(n.id, {addresses: a.total ?? a.items.length, gateways: g.total ?? g.items.length, at: performance.now()});
			touch();
		}, () => {});
		setTimeout(touch, AGAIN_MS + 50);
	}
	return known;
}

const stateOfNetwork = (n) => (n.is_default ? html`<span class="chip">${t("default")}</span>` : nothing);
const physical = (n) => (n.physical_network ? `${n.physical_network}${n.vlan ? ` (VLAN ${n.vlan})` : ""}` : "–");

const ip = (name, word, required = true, focus = false) => html`<label class="f">${word}<input name=${name} ?required=${required} ?autofocus=${focus} pattern=${IPV4} maxlength="15" spellcheck="false" placeholder="203.0.113.10"></label>`;
const read = (form) => Object.fromEntries([...form].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value));

function create() {
	const preview = (form) => showCommand("external-networks.add", {body: form ? read(form) : {}});
	ask({title: t("Create external network"), label: t("Create"), wide: true,
		body: () => html`<div class="grid2" @input=${(e) => preview(new FormData(e.target.form))}><label class="f">${t("Name")}<input name="name" required maxlength="255" autofocus spellcheck="false"></label><label class="f">${t("Physical network (key of ovn-bridge-mappings)")}<input name="physical_network" required maxlength="255" spellcheck="false"></label>
			${ip("next_hop", t("Gateway (upstream router)"))}${ip("infra_first", t("First address for routers"))}${ip("infra_last", t("Last address for routers"))}${ip("first", t("First public address"), false)}${ip("last", t("Last public address"), false)}</div>
			<p class="hint">${t("Each router of a VPC takes one address for itself. Public addresses are those that accounts allocate.")}</p>`,
		submit: async (form) => {
			const body = read(form);
			applyRow("external-networks", (await post("/external-networks", body)).items?.[0]);
			note(t("External network {name} created", {name: body.name}));
			return reload("address-ranges").then(() => false);
		}});
	preview(null);
}

function addRange([n]) {
	const preview = (form) => showCommand("address-ranges.add", {ids: [n], first: form?.get("first") || "FIRST", last: form?.get("last") || "LAST"});
	ask({title: t("Add address pool to {name}", {name: nameOf(n)}), label: t("Add"),
		body: () => html`<div class="grid2" @input=${(e) => preview(new FormData(e.target.form))}>${ip("first", t("First public address"), true, true)}${ip("last", t("Last public address"))}</div>`,
		submit: async (form) => applyRow("address-ranges", (await post("/address-ranges", {external_network: n.id, ...read(form)})).items?.[0])});
	preview(null);
}

const pool = (r) => `${r.first} – ${r.last}`;
function dropRange(n, r) {
	showCommand("address-ranges.remove", {ids: [r]});
	ask({title: t("Remove the address pool {range}?", {range: pool(r)}), danger: true, label: t("Remove"),
		body: () => html`<p>${t("Its addresses ({n}) are no longer allocated to anybody. A pool with an address in use is kept.", {n: sizeOf(r)})}</p><p>${t("External network")}: <strong>${nameOf(n)}</strong></p>`,
		submit: () => report(t("Address pool removed"), () => remove(`/address-ranges/${r.id}`)).then(() => reload("address-ranges")).then(() => false)});
}

function setDefault([n]) {
	const before = rows("external-networks").find((x) => x.is_default && x.id !== n.id);
	showCommand("external-networks.default", {ids: [n], on: true});
	ask({title: t("Make {name} the default external network?", {name: nameOf(n)}), label: t("Set as default"),
		body: () => html`<p>${t("New internet gateways and public addresses are placed there. Existing ones are not changed.")}</p>${before ? html`<p>${t("current: {name}", {name: nameOf(before)})}</p>` : nothing}`,
		submit: async () => {
			if (before)
				applyRow("external-networks", (await patch(`/external-networks/${before.id}`, {is_default: false})).items?.[0]);
			applyRow("external-networks", (await patch(`/external-networks/${n.id}`, {is_default: true})).items?.[0]);
		}});
}

function drop(chosen) {
	showCommand("external-networks.delete", {ids: chosen});
	ask({title: t("Delete {names}?", {names: words(chosen.map(nameOf))}), danger: true, label: t("Delete"), typed: chosen.length === 1 ? nameOf(chosen[0]) : chosen.length,
		body: () => html`<ul>${chosen.map((n) => html`<li><strong>${nameOf(n)}</strong>: ${t("public addresses: {n}, in use: {used}", {n: total(n), used: inUse(n)})}</li>`)}</ul><p>${t("Its pools and its unassociated addresses are deleted with it. A network that an internet gateway or an associated address uses is kept.")}</p>`,
		submit: () => report(t("External network deleted"), () => oneByOne(chosen, (n) => remove(`/external-networks/${n.id}`))).then(() => reload("address-ranges")).then(() => false)});
}

// ---- addresses in use, of all accounts ----

const SHOWN = 200;
let held = {id: "", items: null, at: -Infinity};
function addressesOf(n) {
	if (held.id !== n.id)
		held = {id: n.id, items: null, at: -Infinity};
	const mine = held;
	if (performance.now() - mine.at > AGAIN_MS) {
		mine.at = performance.now();
		get(`/addresses?all=1&external_network=${n.id}&fields=*&order=ip&limit=${SHOWN}`).then((said) => {
			mine.items = said.items;
			touch();
		}, () => {});
	}
	return mine.items;
}

function addressesCard(n) {
	const items = addressesOf(n);
	return html`<div class="card"><h2>${t("Addresses in use")}</h2>${!items ? html`<p class="dim">${t("Loading…")}</p>` : !items.length ? html`<p class="dim">${t("No address is in use.")}</p>` : html`<div class="scroll" tabindex="0" role="region" aria-label=${t("Addresses in use")}><table class="simple"><thead><tr><th scope="col">${t("Address")}</th><th scope="col">${t("Account")}</th><th scope="col">${t("Associated with")}</th></tr></thead>
		<tbody>${items.map((a) => html`<tr><td class="m">${a.account === session.account?.id ? html`<a href=${href("addresses", a.ec2 ?? a.id)}>${a.ip}</a>` : a.ip}</td><td>${a.account ? nameOf(byId("accounts", a.account) ?? {id: a.account.slice(0, 8)}) : t("region")}</td><td class="m">${a.private_ip ?? html`<span class="dim">${t("unassociated")}</span>`}</td></tr>`)}</tbody></table></div>
		${inUse(n) > items.length ? html`<p class="dim">${t("Only the first {n} are listed.", {n: SHOWN})}</p>` : nothing}`}</div>`;
}

function rangesCard(n) {
	const ranges = rangesOf(n), canChange = Boolean(n.infra_first);
	return html`<div class="card"><h2>${t("Public address pools")}</h2>${total(n) ? gauge(t("Addresses in use"), inUse(n), total(n), number) : nothing}
		${ranges.length ? html`<ul class="plainlist">${ranges.map((r) => html`<li><span class="m">${pool(r)}</span> <span class="dim">${t("addresses: {n}", {n: sizeOf(r)})}</span> ${canChange ? html`<button type="button" class="plain danger-text" aria-label=${t("Remove {name}", {name: pool(r)})} @click=${() => dropRange(n, r)}>${t("Remove")}…</button>` : nothing}</li>`)}</ul>` : html`<p class="dim">${t("No public addresses yet.")}</p>`}
		${canChange ? html`<p><button type="button" @click=${() => addRange([n])}>${t("Add address pool")}</button></p>` : html`<p class="hint">${t("Its pools follow from the allocation pools of its subnets in OpenStack.")}</p>`}</div>`;
}

export const view = resourcePage({
	name: "external-networks", kind: "external-networks", kinds: ["address-ranges", "accounts"], command: "external-networks.list", title: () => t("External networks"), state: stateOfNetwork,
	search: (n) => [n.physical_network, n.next_hop, ...rangesOf(n).flatMap((r) => [r.first, r.last])], keys: {default: (n) => (n.is_default ? "yes" : "no")},
	columns: [
		{key: "name", title: () => t("Name"), width: "24%", sort: nameOf},
		{key: "default", title: () => t("Default"), width: "12%", sort: (n) => (n.is_default ? 0 : 1), cell: stateOfNetwork},
		{key: "physical", title: () => t("Physical network"), wide: true, width: "20%", text: physical},
		{key: "used", title: () => t("Addresses in use"), num: true, width: "22%", sort: inUse, text: (n) => t("{used} / {limit}", {used: number(inUse(n)), limit: number(total(n))})},
		{key: "gateways", title: () => t("Internet gateways"), num: true, wide: true, sort: gatewaysOf, text: (n) => number(gatewaysOf(n))},
	],
	actions: [{id: "delete", asks: true, title: () => t("Delete"), run: drop, danger: true}],
	oneActions: [{id: "range", asks: true, title: () => t("Add address pool"), may: (n) => Boolean(n.infra_first), run: addRange}, {id: "default", asks: true, title: () => t("Set as default"), may: (n) => !n.is_default, run: setDefault}],
	lead: () => html`<button type="button" class="b1" @click=${create}>${t("Create external network")}</button>`,
	empty: () => emptyCard(t("No external networks"), t("An external network is what hosts reach through a bridge: the internet’s side of VPCs, with their public addresses."), html`<button type="button" class="b1" @click=${create}>${t("Create external network")}</button>`),
	more: (n) => html`${rangesCard(n)}${addressesCard(n)}`,
	facts: (n) => pairs([[t("Default"), n.is_default ? mark("ok", t("yes")) : t("no")], [t("Physical network"), physical(n)], [t("Gateway"), n.next_hop, "m"], [t("Addresses for routers"), n.infra_first ? `${n.infra_first} – ${n.infra_last}` : "", "m"],
		[t("Internet gateways"), number(gatewaysOf(n))], [t("IPv6 pool"), n.ipv6_pool, "m"], [t("IPv6 gateway"), n.ipv6_next_hop, "m"], ["OpenStack", copyable(n.id)], [t("Created"), when(n.created_us)]]),
});

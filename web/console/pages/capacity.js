// SPDX-License-Identifier: Apache-2.0
// Capacity, for operators: how many more instances of each type fit on each host, and a placement check without a launch.
import {html, nothing, nameOf, shortId, mark, waiting, problemCard, gauge, refName} from "../parts.js";
import {byName} from "../forms.js";
import {rows, need, isReady, touch} from "../store.js";
import {here, say, href} from "../router.js";
import {t, size, number, money} from "../words.js";
import {post} from "../api.js";
import {offerCommand, showCommand} from "../command_bar.js";
import {quotaWord, sayOf} from "../quota_words.js";

const COMMON = /^(t3\.(micro|small|medium|large)|m5\.(large|xlarge|2xlarge|4xlarge))$/;
let tried = null, isAsking = false;

/** Number of further instances of a type for which a host has room, from its own figures; 0 if the host is closed. */
function more(h, type) {
	if (h.state !== "up" || h.enabled === false || h.maintenance_us)
		return 0;
	const memory = (h.seen_memory ?? 0) - (h.reserved_memory ?? 0) - (h.usage?.memory ?? 0);
	const vcpus = Math.floor((h.seen_cpus ?? 0) * (h.overcommit_percent || 100) / 100) - (h.usage?.vcpus ?? 0);
	return Math.max(0, Math.floor(Math.min(memory / type.memory, vcpus / type.vcpus)));
}

async function simulate(event) {
	event.preventDefault();
	const form = new FormData(event.target);
	const body = {image: form.get("image"), type: form.get("type"), count: Number(form.get("count")), ...(form.get("zone") ? {zone: form.get("zone")} : {})};
	showCommand("instances.try", {body});
	isAsking = true;
	touch();
	tried = await post("/instances?dry=1", body).then((a) => ({would: a.would}), (problem) => ({problem}));
	isAsking = false;
	touch();
}

function outcome() {
	if (!tried)
		return nothing;
	if (tried.problem)
		return problemCard(tried.problem, t("The launch would fail"));
	const {placement, quota, price} = tried.would;
	return html`<div role="status">${placement ? mark(placement.fits ? "ok" : "bad", t("{n} of {hosts} hosts have capacity", {n: placement.fits, hosts: placement.hosts})) : mark("ok", t("Capacity available"))}
		${placement?.reasons?.length ? html`<ul>${placement.reasons.map((r) => html`<li>${t("{n} hosts: {why}", {n: r.hosts, why: r.why})}</li>`)}</ul>` : nothing}
		${price?.month_micro ? html`<p>${t("{money} a month", {money: money(price.month_micro, price.currency)})}</p>` : nothing}
		${(quota ?? []).map((q) => gauge(quotaWord(q.name), q.would_use ?? 0, q.limit ?? -1, sayOf(q.name)))}</div>`;
}

function tryCard(types) {
	const images = rows("images").filter((i) => i.state === "available");
	return html`<form class="card" @submit=${simulate}><h2>${t("Placement check")}</h2><p class="hint">${t("Dry run: nothing is launched.")}</p><div class="grid4">
		<label class="f">${t("Instance type")}<select name="type">${types.map((x) => html`<option value=${x.id}>${x.name}</option>`)}</select></label>
		<label class="f">${t("Availability Zone")}<select name="zone"><option value="">${t("any")}</option>${byName("zones").map((z) => html`<option value=${z.id}>${z.name}</option>`)}</select></label>
		<label class="f">${t("Image")}<select name="image">${images.map((i) => html`<option value=${i.id}>${nameOf(i)}</option>`)}</select></label>
		<label class="f">${t("Number of instances")}<input name="count" type="number" min="1" max="100" value="1" required></label></div>
		<div class="bar"><button class="b1" ?disabled=${isAsking || !images.length}>${t("Run check")}</button></div>${outcome()}</form>`;
}

/** A row for each host, so that many hosts stay readable; the sums are above them. */
function capacityTable(hosts, types) {
	const sum = (x) => hosts.reduce((n, h) => n + more(h, x), 0);
	return html`<table class="figures"><thead><tr><th scope="col">${t("Host")}</th><th scope="col">${t("Availability Zone")}</th>${types.map((x) => html`<th scope="col" class="n">${x.name}<br><span class="dim">${t("{n} vCPUs", {n: x.vcpus})} · ${size(x.memory)}</span></th>`)}</tr></thead><tbody>
		<tr><th scope="row">${t("total")}</th><td></td>${types.map((x) => html`<td class="n"><strong>${sum(x) ? number(sum(x)) : mark("bad", t("none"))}</strong></td>`)}</tr>
		${hosts.map((h) => html`<tr><th scope="row"><a href=${href("hosts", shortId(h))}><bdi>${nameOf(h)}</bdi></a></th><td>${refName("zones", h.zone)}</td>${types.map((x) => html`<td class="n ${more(h, x) ? "" : "dim"}">${number(more(h, x))}</td>`)}</tr>`)}</tbody></table>`;
}

export function view() {
	for (const k of ["hosts", "zones", "instance-types", "images"])
		need(k);
	offerCommand("hosts.list", {});
	if (!isReady("hosts", "zones", "instance-types", "images"))
		return html`<h1>${t("Capacity")}</h1>${waiting()}`;
	const all = rows("instance-types").filter((x) => x.enabled !== false).toSorted((a, b) => a.memory - b.memory || a.vcpus - b.vcpus || a.name.localeCompare(b.name));
	const isWhole = here.query.get("all") === "1", common = all.filter((x) => COMMON.test(x.name)), types = isWhole || !common.length ? all : common;
	const hosts = rows("hosts").toSorted((a, b) => refName("zones", a.zone).localeCompare(refName("zones", b.zone)) || nameOf(a).localeCompare(nameOf(b), undefined, {numeric: true}));
	return html`<h1>${t("Capacity")}</h1><p class="hint">${t("Instances of each type that still fit on a host by CPU and memory. Hosts that are offline or have scheduling disabled accept none.")}</p>
		<div class="card"><div class="head"><h2>${t("Available capacity")}</h2><span class="sp"></span>${common.length && common.length < all.length ? html`<button type="button" class="chip" aria-pressed=${isWhole ? "true" : "false"} @click=${() => say({all: isWhole ? "" : "1"})}>${t("All {n} instance types", {n: all.length})}</button>` : nothing}</div>
		<div class="scroll tall" tabindex="0" role="region" aria-label=${t("Available capacity")}>${capacityTable(hosts, types)}</div></div>${tryCard(all)}`;
}

// SPDX-License-Identifier: Apache-2.0
// Networks: each VPC as a map. Zones are columns, subnets boxes with their machines; gateways are at the top. The parts of a VPC are shown below, and
// on pages of their own (net/).
import {html, nothing, nameOf, shortId, refName, pairs, copyable, when, emptyCard, tone, waiting} from "../parts.js";
import {svg} from "../vendor/lit-html/lit-html.js";
import {rows, need, findRow, isReady, derive} from "../store.js";
import {href, here, go} from "../router.js";
import {t} from "../words.js";
import {offerCommand} from "../command_bar.js";
import {mayAll} from "../may.js";
import {KINDS, of, peeringsOf, subnetsOf, machinesIn, wayOut, wayWords, button} from "../net/parts.js";
import {create, change, drop, waysCard, peeringsCard} from "../net/vpc.js";
import {create as createSubnet, subnetPage, attention} from "../net/subnets.js";
import {tablesCard, tablePage} from "../net/routes.js";
import {aclsCard, aclPage} from "../net/acls.js";

const DOTS_MAX = 300, WIDTH = 260, GAP = 16, HEAD = 64;

/** A subnet's box: a dot for each machine, or their number if there are many. */
function subnetBox(subnet, router, machines, hasDots, x, y) {
	const out = wayOut(subnet, router), lines = hasDots ? Math.max(1, Math.ceil(machines.length / 16)) : 1, height = 62 + lines * 15;
	return {height, view: svg`<a href=${href("networks", shortId(subnet))}><rect class="box ${out === "internet" ? "pub" : ""}" x=${x} y=${y} width=${WIDTH - 24} height=${height} rx="8"/>
		<text x=${x + 12} y=${y + 20} font-weight="600">${nameOf(subnet).slice(0, 30)}</text><text class="dimtext" x=${x + 12} y=${y + 37}>${subnet.block ?? ""} · ${wayWords(out)}</text>
		${(hasDots ? machines : []).map((m, k) => svg`<circle class="dot ${tone(m.state, m.conditions)}" cx=${x + 18 + (k % 16) * 13.5} cy=${y + 53 + Math.floor(k / 16) * 15} r="5"><title>${nameOf(m)}</title></circle>`)}
		${!machines.length || !hasDots ? svg`<text class="dimtext" x=${x + 12} y=${y + 57}>${machines.length ? t("{n} instances", {n: machines.length}) : t("empty")}</text>` : nothing}</a>`};
}

function mapOf(router) {
	const subnets = subnetsOf(router), machines = new Map(subnets.map((s) => [s.id, machinesIn(s)]));
	const hasDots = [...machines.values()].reduce((sum, list) => sum + list.length, 0) <= DOTS_MAX;
	const zones = [...new Set(subnets.map((s) => s.zone))].toSorted((a, b) => refName("zones", a).localeCompare(refName("zones", b)));
	const gateway = of("gateways", router)[0], peerings = peeringsOf(router).filter((p) => p.state === "active");
	let height = HEAD + 60;
	const columns = zones.map((zone, k) => {
		let y = HEAD + 34;
		const x = k * (WIDTH + GAP) + 12;
		const boxes = subnets.filter((s) => s.zone === zone).map((s) => {
			const box = subnetBox(s, router, machines.get(s.id), hasDots, x, y);
			y += box.height + 10;
			return box.view;
		});
		height = Math.max(height, y + 6);
		return {zone, boxes, x: k * (WIDTH + GAP)};
	});
	const width = Math.max(1, zones.length) * (WIDTH + GAP) - GAP;
	return html`<div class="scroll" tabindex="0" role="region" aria-label=${t("Resource map of {name}", {name: nameOf(router)})}><svg class="map" viewBox="0 0 ${width} ${height}" .style=${`min-width:${Math.min(width, 640)}px;max-width:${width}px;width:100%;display:block;padding:12px`}>
		<rect class="box" x="0" y="4" width=${Math.min(width, 240)} height="34" rx="8"/><text x="12" y="26" font-weight="600">${gateway ? t("Internet gateway") : t("No internet gateway")}</text>
		${gateway?.ip ? svg`<text class="dimtext" x="252" y="26">${gateway.ip}</text>` : nothing}${peerings.length ? svg`<text class="dimtext" x=${width - 4} y="26" text-anchor="end">${t("{n} peering connections", {n: peerings.length})}</text>` : nothing}
		${gateway ? columns.map((c) => svg`<path class="wire" d="M120 38V50H${c.x + WIDTH / 2}V${HEAD}"/>`) : nothing}
		${columns.map((c) => svg`<rect class="zone" x=${c.x} y=${HEAD} width=${WIDTH} height=${height - HEAD - 2} rx="10"/><text class="dimtext" x=${c.x + 12} y=${HEAD + 22}>${refName("zones", c.zone)}</text>${c.boxes}`)}</svg></div>`;
}

/** The first subnet without a way outside, in a VPC with machines in such subnets. */
function attentionOf(router) {
	const lost = subnetsOf(router).find((s) => wayOut(s, router) === "none" && machinesIn(s).length);
	return lost ? attention(lost, router) : nothing;
}

function routerView(r) {
	return html`<p class="dim"><span class="m">${(r.blocks ?? []).join(", ")}</span> · ${shortId(r)}</p>
		<div class="bar" role="toolbar" aria-label=${t("Actions")}>${button(mayAll("subnet.create") && r.blocks?.length, t("Create subnet"), () => createSubnet(r))}${button(mayAll("router.update"), t("Settings"), () => change(r))}${button(mayAll("router.delete"), t("Delete VPC"), () => drop(r), "danger-text")}</div>
		${attentionOf(r)}${mapOf(r)}<div class="half gaptop"><div>${tablesCard(r)}${aclsCard(r)}</div><div>${waysCard(r)}${peeringsCard(r)}
		<div class="card"><h2>${t("Details")}</h2>${pairs([[t("IPv4 CIDR"), (r.blocks ?? []).join(", ")], ["IPv6", (r.ipv6_blocks ?? []).join(", ")], [t("DNS hostnames"), r.dns_hostnames ? t("yes") : t("no")], [t("Created"), when(r.created_us)], ["EC2", copyable(shortId(r))], ["OpenStack", copyable(r.id)]])}</div></div></div>`;
}

const PARTS = [["subnets", subnetPage], ["route-tables", tablePage], ["network-acls", aclPage]];

export function view({id}) {
	for (const k of KINDS)
		need(k);
	offerCommand("networks.list", {});
	if (!isReady("routers", "subnets", "zones", "route-tables", "routes"))
		return html`<h1>${t("VPCs")}</h1>${waiting()}`;
	for (const [kind, page] of id ? PARTS : []) {
		const found = findRow(kind, id);
		if (found)
			return page(found);
	}
	const all = derive("routers", ["routers"], "", () => rows("routers").toSorted((a, b) => Number(b.is_default) - Number(a.is_default) || nameOf(a).localeCompare(nameOf(b))));
	if (!all.length)
		return html`<h1>${t("VPCs")}</h1>${emptyCard(t("No VPCs"), t("A VPC is a private network with an IPv4 CIDR block, a subnet in each Availability Zone, route tables and gateways."), mayAll("router.create") ? html`<button type="button" class="b1" @click=${create}>${t("Create VPC")}</button>` : nothing)}`;
	const chosen = (id && findRow("routers", id)) || (here.query.get("vpc") && findRow("routers", here.query.get("vpc"))) || (id ? null : all[0]);
	return html`<div class="head"><h1>${t("VPCs")}</h1><span class="sp"></span><a href=${href("reach")}>${t("Reachability Analyzer")}</a>${mayAll("router.create") ? html`<button type="button" class="b1" @click=${create}>${t("Create VPC")}</button>` : nothing}</div>
		<div class="bar" role="group" aria-label=${t("VPC")}>${all.slice(0, 40).map((r) => html`<button type="button" class="chip" aria-pressed=${r === chosen ? "true" : "false"} @click=${() => go(href("networks", shortId(r)))}>${nameOf(r)}${r.is_default ? html` <span class="dim">${t("default")}</span>` : nothing}</button>`)}</div>
		${chosen ? routerView(chosen) : html`<p>${t("Resource not found")}. ${t("It may have been deleted, or belongs to another account.")}</p>`}`;
}

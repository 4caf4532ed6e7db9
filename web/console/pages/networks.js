// SPDX-License-Identifier: Apache-2.0
// Networks: each VPC as a map. Zones are columns, subnets boxes with the machines in them; what leads out stands at the top.
import {html, nothing, nameOf, shortId, pairs, copyable, refName, refLink, when, emptyCard, ask, tone, waiting} from "../parts.js";
import {svg} from "../vendor/lit-html/lit-html.js";
import {rows, need, findRow, isReady, applyRow, derive} from "../store.js";
import {href, here, say} from "../router.js";
import {t, number} from "../words.js";
import {post, intent} from "../api.js";
import {offerCommand, showCommand} from "../command_bar.js";
import {mayChange} from "../session.js";

const KINDS = ["routers", "subnets", "ports", "instances", "zones", "routes", "route-tables", "gateways", "nat-gateways", "peerings", "network-acls"];
const DOTS_MAX = 300, WIDTH = 260, GAP = 16, HEAD = 64;

function create() {
	const key = intent();
	ask({title: t("A new VPC"), label: t("Create"),
		body: () => html`<label class="f">${t("Name")}<input name="name" autofocus maxlength="255"></label><label class="f">${t("Address range")}<input name="block" value="10.0.0.0/16" required class="m"></label>
			<p class="hint">${t("A private network of your own. A subnet for each zone is made in it.")}</p>`,
		submit: async (form) => {
			const block = form.get("block").trim(), tags = form.get("name") ? {Name: form.get("name")} : undefined;
			const body = {block, ...(tags ? {tags} : {})};
			const [base, bits] = block.split("/"), octets = base.split(".").map(Number);
			const subnets = bits > 20 || octets.length !== 4 ? [] : rows("zones").filter((z) => z.enabled !== false).slice(0, Math.min(4, 2 ** (20 - bits))).map((zone, k) => ({zone, block: `${octets[0]}.${octets[1]}.${octets[2] + k * 16}.0/20`}));
			showCommand("networks.create", {block, name: form.get("name"), subnets, body});
			const answer = await post("/routers", body, {"Idempotency-Key": key});
			const router = answer.items?.[0] ?? answer.item ?? answer;
			applyRow("routers", router);
			for (const [k, {zone, block: part}] of subnets.entries()) {
				const made = await post("/subnets", {router: router.id, zone: zone.id, block: part}, {"Idempotency-Key": `${key}-${k}`});
				applyRow("subnets", made.items?.[0] ?? made.item ?? made);
			}
		}});
}

/** Where the subnet's default route leads: a gateway to the internet, a NAT gateway, or nowhere. */
function wayOut(subnet, router) {
	const table = subnet.route_table ?? router.main_route_table;
	const route = rows("routes").find((r) => r.table === table && r.destination === "0.0.0.0/0");
	return route?.gateway ? "internet" : route?.nat_gateway ? "nat" : route ? "other" : "none";
}

/** Who is in the subnet: a machine once, also where it has several interfaces there. */
function machinesIn(subnet) {
	const ids = new Set(rows("ports").filter((p) => p.subnet === subnet.id && p.instance).map((p) => p.instance));
	return rows("instances").filter((i) => ids.has(i.id) && i.state !== "terminated");
}

/** A box: a dot for each machine, or of many how many. */
function subnetBox(subnet, router, machines, hasDots, x, y) {
	const out = wayOut(subnet, router), lines = hasDots ? Math.max(1, Math.ceil(machines.length / 16)) : 1, height = 62 + lines * 15;
	const words = out === "internet" ? t("to the internet") : out === "nat" ? t("out by NAT") : out === "other" ? t("by a route") : t("no way out");
	return {height, view: svg`<a href=${href("networks", shortId(subnet))}><rect class="box ${out === "internet" ? "pub" : ""}" x=${x} y=${y} width=${WIDTH - 24} height=${height} rx="8"/>
		<text x=${x + 12} y=${y + 20} font-weight="600">${nameOf(subnet).slice(0, 30)}</text><text class="dimtext" x=${x + 12} y=${y + 37}>${subnet.block ?? ""} · ${words}</text>
		${(hasDots ? machines : []).map((m, k) => svg`<circle class="dot ${tone(m.state, m.conditions)}" cx=${x + 18 + (k % 16) * 13.5} cy=${y + 53 + Math.floor(k / 16) * 15} r="5"><title>${nameOf(m)}</title></circle>`)}
		${!machines.length || !hasDots ? svg`<text class="dimtext" x=${x + 12} y=${y + 57}>${machines.length ? t("{n} machines", {n: machines.length}) : t("nothing in it")}</text>` : nothing}</a>`};
}

function mapOf(router) {
	const subnets = rows("subnets").filter((s) => s.router === router.id), machines = new Map(subnets.map((s) => [s.id, machinesIn(s)]));
	const hasDots = [...machines.values()].reduce((sum, list) => sum + list.length, 0) <= DOTS_MAX;
	const zones = [...new Set(subnets.map((s) => s.zone))].toSorted((a, b) => refName("zones", a).localeCompare(refName("zones", b)));
	const gateway = rows("gateways").find((g) => g.router === router.id), peerings = rows("peerings").filter((p) => (p.router === router.id || p.peer_router === router.id) && p.state === "active");
	let height = HEAD + 60;
	const columns = zones.map((zone, k) => {
		let y = HEAD + 34;
		const x = k * (WIDTH + GAP) + 12;
		const boxes = subnets.filter((s) => s.zone === zone).toSorted((a, b) => (a.block ?? "").localeCompare(b.block ?? "", undefined, {numeric: true})).map((s) => {
			const box = subnetBox(s, router, machines.get(s.id), hasDots, x, y);
			y += box.height + 10;
			return box.view;
		});
		height = Math.max(height, y + 6);
		return {zone, boxes, x: k * (WIDTH + GAP)};
	});
	const width = Math.max(1, zones.length) * (WIDTH + GAP) - GAP;
	return html`<div class="scroll" tabindex="0" role="region" aria-label=${t("Map of {name}", {name: nameOf(router)})}><svg class="map" viewBox="0 0 ${width} ${height}" .style=${`min-width:${Math.min(width, 340)}px;max-width:${width}px;width:100%;display:block;padding:12px`}>
		<rect class="box" x="0" y="4" width=${Math.min(width, 240)} height="34" rx="8"/><text x="12" y="26" font-weight="600">${gateway ? t("Internet gateway") : t("No way to the internet")}</text>
		${gateway?.ip ? svg`<text class="dimtext" x="252" y="26">${gateway.ip}</text>` : nothing}${peerings.length ? svg`<text class="dimtext" x=${width - 4} y="26" text-anchor="end">${t("{n} peerings", {n: peerings.length})}</text>` : nothing}
		${gateway ? columns.map((c) => svg`<path class="wire" d="M120 38V50H${c.x + WIDTH / 2}V${HEAD}"/>`) : nothing}
		${columns.map((c) => svg`<rect class="zone" x=${c.x} y=${HEAD} width=${WIDTH} height=${height - HEAD - 2} rx="10"/><text class="dimtext" x=${c.x + 12} y=${HEAD + 22}>${refName("zones", c.zone)}</text>${c.boxes}`)}</svg></div>`;
}

function routesOf(id) {
	const found = rows("routes").filter((r) => r.table === id);
	const target = (r) => (r.gateway ? t("Internet gateway") : r.nat_gateway ? html`NAT ${refName("nat-gateways", r.nat_gateway)}` : r.peering ? html`${t("Peering")} ${refName("peerings", r.peering)}` : r.port ? refName("ports", r.port) : r.next_hop ?? t("here"));
	return html`<table class="simple"><thead><tr><th scope="col">${t("To")}</th><th scope="col">${t("By")}</th></tr></thead><tbody>${found.map((r) => html`<tr><td class="m">${r.destination}</td><td>${target(r)}</td></tr>`)}</tbody></table>`;
}

function subnetPage(s) {
	const router = rows("routers").find((r) => r.id === s.router), ports = rows("ports").filter((p) => p.subnet === s.id);
	return html`<div class="head"><h1>${nameOf(s)}</h1><span class="dim m">${shortId(s)}</span></div>
		<div class="half"><div class="card"><h2>${t("What it is")}</h2>${pairs([[t("Address range"), s.block ? copyable(s.block) : ""], [t("VPC"), router ? html`<a href=${href("networks", shortId(router))}>${nameOf(router)}</a>` : ""], [t("Zone"), refName("zones", s.zone)], [t("Addresses in use"), s.usage?.addresses === undefined ? "" : number(s.usage.addresses)],
			[t("Public address at launch"), s.public_on_launch ? t("yes") : t("no")], [t("Made"), when(s.created_us)], ["EC2", s.ec2 ? copyable(s.ec2) : ""], ["OpenStack", copyable(s.id)]])}</div>
		<div class="card"><h2>${t("Routes")}</h2>${routesOf(s.route_table ?? router?.main_route_table)}</div></div>
		<div class="card"><h2>${t("Addresses in it")}</h2><table class="simple"><thead><tr><th scope="col">${t("Address")}</th><th scope="col">${t("Of")}</th><th scope="col">MAC</th></tr></thead><tbody>${ports.slice(0, 300).map((p) => html`<tr><td class="m">${p.ip ?? ""}</td><td>${p.instance ? refLink("instances", p.instance) : html`<span class="dim">${p.requester ?? p.device_owner ?? p.description ?? ""}</span>`}</td><td class="m">${p.mac ?? ""}</td></tr>`)}</tbody></table></div>`;
}

export function view({id}) {
	for (const k of KINDS)
		need(k);
	offerCommand("networks.list", {});
	if (!isReady("routers", "subnets", "zones"))
		return html`<h1>${t("Networks")}</h1>${waiting()}`;
	if (id) {
		const subnet = findRow("subnets", id);
		if (subnet)
			return subnetPage(subnet);
	}
	const all = derive("routers", ["routers"], "", () => rows("routers").toSorted((a, b) => Number(b.is_default) - Number(a.is_default) || nameOf(a).localeCompare(nameOf(b))));
	if (!all.length)
		return html`<h1>${t("Networks")}</h1>${emptyCard(t("No network yet"), t("A VPC is a private network of your own: an address range, a subnet for each zone, and rules for what leads out."), html`<button type="button" class="b1" @click=${create}>${t("New VPC")}</button>`)}`;
	const chosen = (id && findRow("routers", id)) || (here.query.get("vpc") && findRow("routers", here.query.get("vpc"))) || all[0];
	return html`<div class="head"><h1>${t("Networks")}</h1><span class="sp"></span><a href=${href("reach")}>${t("Can A reach B?")}</a>${mayChange() ? html`<button type="button" class="b1" @click=${create}>${t("New VPC")}</button>` : nothing}</div>
		<div class="bar" role="group" aria-label=${t("VPC")}>${all.slice(0, 40).map((r) => html`<button type="button" class="chip" aria-pressed=${r === chosen ? "true" : "false"} @click=${() => say({vpc: shortId(r)})}>${nameOf(r)}${r.is_default ? html` <span class="dim">${t("default")}</span>` : nothing}</button>`)}</div>
		<p class="dim"><span class="m">${(chosen.blocks ?? []).join(", ")}</span> · ${shortId(chosen)}</p>${mapOf(chosen)}<div class="half gaptop"><div class="card"><h2>${t("Main route table")}</h2>${routesOf(chosen.main_route_table)}</div>
		<div class="card"><h2>${t("What it is")}</h2>${pairs([[t("Address range"), (chosen.blocks ?? []).join(", ")], ["IPv6", (chosen.ipv6_blocks ?? []).join(", ")], [t("Names of hosts"), chosen.dns_hostnames ? t("yes") : t("no")], [t("NAT gateways"), rows("nat-gateways").filter((n) => n.router === chosen.id).map((n) => html`<div>${nameOf(n)} <span class="m">${n.public_ip ?? ""}</span></div>`)], [t("Made"), when(chosen.created_us)], ["EC2", copyable(shortId(chosen))], ["OpenStack", copyable(chosen.id)]])}</div></div>`;
}

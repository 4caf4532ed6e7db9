// SPDX-License-Identifier: Apache-2.0
// Subnets of a VPC: creating, changing and deleting them; content, way outside, and network ACL.
import {html, nothing, nameOf, shortId, refName, pairs, copyable, when, ask} from "../parts.js";
import {row} from "../store.js";
import {go, href} from "../router.js";
import {t, number} from "../words.js";
import {post, patch, remove} from "../api.js";
import {showCommand} from "../command_bar.js";
import {byName, askFor, applyAll, make} from "../forms.js";
import {mayAll} from "../may.js";
import {subnetsOf, routerOf, link, tableOf, wayOut, portsIn, portUser, button} from "./parts.js";
import {addRouteButton, routesTable, chooseTable, mend} from "./routes.js";
import {chooseAcl} from "./acls.js";

const SHOWN_MAX = 300;
const toNumber = (ip) => ip.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
const toText = (n) => [24, 16, 8, 0].map((shift) => Math.floor(n / 2 ** shift) % 256).join(".");

/** The first free part of that size in the VPC's blocks; "" if there is none. */
export function freeBlock(router, bits) {
	const size = 2 ** (32 - bits), taken = subnetsOf(router).filter((s) => /^[\d.]+\/\d+$/.test(s.block ?? "")).map((s) => s.block.split("/")).map(([base, b]) => [toNumber(base), toNumber(base) + 2 ** (32 - b)]);
	for (const [base, b] of (router.blocks ?? []).map((block) => block.split("/"))) {
		const from = toNumber(base), to = from + 2 ** (32 - b);
		let at = Math.ceil(from / size) * size;
		for (let clash; at + size <= to && (clash = taken.find(([low, high]) => at < high && at + size > low)); at = Math.ceil(clash[1] / size) * size);
		if (at + size <= to)
			return `${toText(at)}/${bits}`;
	}
	return "";
}

export function create(router) {
	const zones = byName("zones").filter((z) => z.enabled !== false), used = new Set(subnetsOf(router).map((s) => s.zone)), first = zones.find((z) => !used.has(z.id)) ?? zones[0];
	const block = [20, 24, 28].map((bits) => freeBlock(router, bits)).find(Boolean) ?? "";
	askFor({title: t("Create subnet in {name}", {name: nameOf(router)}), label: t("Create"), verb: "subnets.create",
		fields: () => html`<label class="f">${t("Name")}<input name="name" maxlength="255" autofocus></label><div class="grid2"><label class="f">${t("IPv4 CIDR")}<input name="block" class="m" value=${block} required></label>
			<label class="f">${t("Availability Zone")}<select name="zone">${zones.map((z) => html`<option value=${z.id} ?selected=${z === first}>${z.name}</option>`)}</select></label></div>
			<label class="check"><input type="checkbox" name="public"> ${t("Auto-assign public IPv4")}</label>`,
		read: (form) => {
			const zone = zones.find((z) => z.id === form.get("zone")), name = form.get("name"), isPublic = form.get("public") === "on";
			return {router, zone, block: form.get("block").trim(), name, isPublic,
				body: {router: router.id, zone: zone?.id, block: form.get("block").trim(), ...(isPublic ? {public_on_launch: true} : {}), ...(name ? {tags: {Name: name}} : {})}};
		},
		send: async ({body}) => { await make("subnets", body); }});
}

/** A form has its own copy of the row: later changes are shown beside it. */
function change(s) {
	const {gen} = s, before = {name: nameOf(s), isPublic: Boolean(s.public_on_launch)};
	askFor({title: t("Settings of {name}", {name: before.name}), label: t("Save"), verb: "subnets.update",
		fields: () => {
			const now = row("subnets", s.id);
			return html`<label class="f">${t("Name")}<input name="name" value=${before.name} maxlength="255" autofocus></label>
				<label class="check"><input type="checkbox" name="public" ?checked=${before.isPublic}> ${t("Auto-assign public IPv4")}</label>
				${now && (now.gen !== gen || nameOf(now) !== before.name) ? html`<p class="st go" role="status"><span aria-hidden="true">◐</span> ${t("Someone else changed this meanwhile. Current name: {name}.", {name: nameOf(now)})}</p>` : nothing}`;
		},
		read: (form) => {
			const isPublic = form.get("public") === "on", name = form.get("name");
			return {ids: [s], ...(isPublic === before.isPublic ? {} : {isPublic}), ...(name === before.name ? {} : {name})};
		},
		send: async ({isPublic, name}) => {
			if (isPublic !== undefined)
				applyAll("subnets", await patch(`/subnets/${s.id}`, {public_on_launch: isPublic}, gen));
			if (name !== undefined)
				await post("/tags", {ids: [s.ec2], tags: {Name: name}});
		}});
}

function drop(s) {
	const inside = portsIn(s), router = routerOf(s);
	showCommand("subnets.delete", {ids: [s], router});
	ask({title: t("Delete {name}?", {name: nameOf(s)}), danger: true, label: inside.length ? null : t("Delete"),
		body: () => (inside.length ? html`<p>${t("{n} network interfaces still use its addresses:", {n: inside.length})}</p><ul>${inside.slice(0, 12).map((p) => html`<li><span class="m">${p.ip}</span> ${portUser(p)}</li>`)}</ul>`
			: html`<p>${t("The subnet is empty. Its CIDR block becomes available again.")}</p>`),
		submit: async () => {
			await remove(`/subnets/${s.id}`);
			go(href("networks", router ? shortId(router) : ""));
		}});
}

/** Warning about a subnet without a way outside, with a button that adds one. */
export function attention(s, router) {
	if (!router?.blocks?.length || wayOut(s, router) !== "none")
		return nothing;
	return html`<div class="card why go-card"><h2><span aria-hidden="true">◐</span> ${t("{name} has no internet route", {name: nameOf(s)})}</h2><p>${t("No route to the internet: instances cannot download packages or updates.")}</p>
		${mayAll("route.create") ? html`<button type="button" class="b1" @click=${() => mend(s)}>${t("Connect to the internet")}…</button>` : nothing}</div>`;
}

export function subnetPage(s) {
	const router = routerOf(s), ports = portsIn(s), table = tableOf(s, router), acl = row("network-acls", s.acl);
	return html`<div class="head"><h1>${nameOf(s)}</h1><span class="dim m">${shortId(s)}</span></div>
		<div class="bar" role="toolbar" aria-label=${t("Actions")}>${button(mayAll("subnet.update"), t("Settings"), () => change(s))}${table ? button(mayAll("route_table.associate"), t("Change route table"), () => chooseTable(s)) : nothing}
			${acl ? button(mayAll("network_acl.associate"), t("Change network ACL"), () => chooseAcl(s)) : nothing}${button(mayAll("subnet.delete"), t("Delete"), () => drop(s), "danger-text")}</div>${attention(s, router)}
		<div class="half"><div class="card"><h2>${t("Details")}</h2>${pairs([[t("IPv4 CIDR"), s.block ? copyable(s.block) : ""], [t("VPC"), router ? link(router) : ""], [t("Availability Zone"), refName("zones", s.zone)], [t("Used addresses"), s.usage?.addresses === undefined ? "" : number(s.usage.addresses)],
			[t("Auto-assign public IPv4"), s.public_on_launch ? t("yes") : t("no")], [t("Route table"), table ? link(table) : ""], [t("Network ACL"), acl ? link(acl) : ""], [t("Created"), when(s.created_us)], ["EC2", s.ec2 ? copyable(s.ec2) : ""], ["OpenStack", copyable(s.id)]])}</div>
		${table ? html`<div class="card"><div class="head"><h2>${t("Routes")}</h2><span class="sp"></span>${addRouteButton(table)}</div>${routesTable(table)}</div>` : nothing}</div>
		<div class="card"><h2>${t("Network interfaces")}</h2><table class="simple"><thead><tr><th scope="col">${t("Address")}</th><th scope="col">${t("VPC")}</th><th scope="col">MAC</th></tr></thead><tbody>${ports.slice(0, SHOWN_MAX).map((p) => html`<tr><td class="m"><a href=${href("interfaces", shortId(p))}>${p.ip ?? shortId(p)}</a></td><td>${portUser(p)}</td><td class="m">${p.mac ?? ""}</td></tr>`)}</tbody></table></div>`;
}

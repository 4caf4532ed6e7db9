// SPDX-License-Identifier: Apache-2.0
// Actions on a whole VPC: creating and deleting it, attaching and detaching the internet gateway; its NAT gateways and peerings.
import {html, nothing, nameOf, shortId, refName, stateOf, ask, report, note} from "../parts.js";
import {rows, row, applyRow, touch} from "../store.js";
import {go, href} from "../router.js";
import {t, list as words} from "../words.js";
import {post, patch, remove, intent} from "../api.js";
import {showCommand} from "../command_bar.js";
import {byName, askFor, applyAll, make, stepper} from "../forms.js";
import {openGateway, closeGateway, makeNat, dropVpc} from "../steps.js";
import {mayAll} from "../may.js";
import {session} from "../session.js";
import {of, peeringsOf, subnetsOf, link, wayOut, routesOf, portsIn, portUser, button} from "./parts.js";

// ---- creation ----

export function create() {
	const key = intent();
	ask({title: t("Create VPC"), label: t("Create"),
		body: () => html`<label class="f">${t("Name")}<input name="name" autofocus maxlength="255"></label><label class="f">${t("IPv4 CIDR")}<input name="block" value="10.0.0.0/16" required class="m"></label>
			<p class="hint">${t("Creates a private network with a subnet in each Availability Zone.")}</p>`,
		submit: async (form) => {
			const block = form.get("block").trim(), tags = form.get("name") ? {Name: form.get("name")} : undefined;
			const body = {block, ...(tags ? {tags} : {})};
			const [base, bits] = block.split("/"), octets = base.split(".").map(Number);
			const subnets = bits > 20 || octets.length !== 4 ? [] : byName("zones").filter((z) => z.enabled !== false).slice(0, Math.min(4, 2 ** (20 - bits))).map((zone, k) => ({zone, block: `${octets[0]}.${octets[1]}.${octets[2] + k * 16}.0/20`}));
			showCommand("networks.create", {block, name: form.get("name"), subnets, body});
			const answer = await post("/routers", body, {"Idempotency-Key": key});
			const router = answer.items?.[0] ?? answer.item ?? answer;
			applyRow("routers", router);
			for (const [k, {zone, block: part}] of subnets.entries()) {
				const made = await post("/subnets", {router: router.id, zone: zone.id, block: part}, {"Idempotency-Key": `${key}-${k}`});
				applyRow("subnets", made.items?.[0] ?? made.item ?? made);
			}
			go(href("networks", shortId(router)));
		}});
}

// ---- changes ----

/** A form has its own copy of the row: later changes are shown beside it. */
export function change(r) {
	const {gen} = r, before = {name: nameOf(r), hasNames: Boolean(r.dns_hostnames)};
	askFor({title: t("Settings of {name}", {name: before.name}), label: t("Save"), verb: "networks.update",
		fields: () => {
			const now = row("routers", r.id);
			return html`<label class="f">${t("Name")}<input name="name" value=${before.name} maxlength="255" autofocus></label>
				<label class="check"><input type="checkbox" name="names" ?checked=${before.hasNames}> ${t("Enable DNS hostnames")}</label>
				${now && (now.gen !== gen || nameOf(now) !== before.name) ? html`<p class="st go" role="status"><span aria-hidden="true">◐</span> ${t("Someone else changed this meanwhile. Current name: {name}.", {name: nameOf(now)})}</p>` : nothing}`;
		},
		read: (form) => {
			const hasNames = form.get("names") === "on", name = form.get("name");
			return {ids: [r], ...(hasNames === before.hasNames ? {} : {hasNames}), ...(name === before.name ? {} : {name})};
		},
		send: async ({hasNames, name}) => {
			if (hasNames !== undefined)
				applyAll("routers", await patch(`/routers/${r.id}`, {dns_hostnames: hasNames}, gen));
			if (name !== undefined)
				await post("/tags", {ids: [r.ec2], tags: {Name: name}});
		}});
}

// ---- deletion ----

/** Resources that are deleted with a VPC, and those that must be deleted first. */
function waysOff(router) {
	const groups = of("security-groups", router), own = groups.filter((g) => !g.is_default), ids = new Set(groups.map((g) => g.id)), dropped = new Set(own.map((g) => g.id));
	const rules = rows("security-group-rules").filter((r) => dropped.has(r.peer_group) && ids.has(r.group)).map((rule) => ({rule, group: groups.find((g) => g.id === rule.group)}));
	const args = {router, subnets: subnetsOf(router), gateways: of("gateways", router), egress: of("egress-gateways", router), tables: of("route-tables", router).filter((x) => x.id !== router.main_route_table),
		acls: of("network-acls", router).filter((a) => !a.is_default), rules, groups: own, peerings: peeringsOf(router)};
	return {args, ports: args.subnets.flatMap(portsIn)};
}

export function drop(router) {
	const {args, ports} = waysOff(router), {subnets, gateways, egress, tables, acls, groups, peerings} = args, run = stepper();
	const count = [subnets, gateways, egress, tables, acls, groups, peerings].reduce((sum, list) => sum + list.length, 0);
	const line = (title, list) => (list.length ? html`<li>${title}: ${words(list.slice(0, 12).map(nameOf))}${list.length > 12 ? " …" : ""}</li>` : nothing);
	showCommand("networks.delete", args);
	ask({title: t("Delete {name}?", {name: nameOf(router)}), danger: true, label: ports.length ? null : t("Delete"), typed: !ports.length && count > 5 ? count : "",
		body: () => (ports.length ? html`<p>${t("{n} network interfaces still use its addresses:", {n: ports.length})}</p><ul>${ports.slice(0, 12).map((p) => html`<li><span class="m">${p.ip}</span> ${portUser(p)}</li>`)}</ul>`
			: html`${count ? html`<p>${t("{n} resources are deleted with it:", {n: count})}</p><ul>${line(t("Subnets"), subnets)}${line(t("Gateways"), [...gateways, ...egress])}${line(t("Route tables"), tables)}${line(t("Network ACLs"), acls)}${line(t("Security groups"), groups)}${line(t("Peering connections"), peerings)}</ul>` : nothing}
				<p>${t("The main route table, default network ACL and default security group are deleted too. This action cannot be undone.")}</p>`),
		submit: async () => {
			await run(dropVpc(args));
			note(t("{name} deleted", {name: nameOf(router)}));
			go(href("networks"));
		}});
}

// ---- the internet ----

export function open(router) {
	const args = {router, gateway: rows("gateways").find((g) => !g.router)};
	showCommand("gateways.create", args);
	return report(t("Internet gateway attached to {name}", {name: nameOf(router)}), () => stepper()(openGateway(args)));
}

function close(router, gateway) {
	const led = of("route-tables", router).filter((x) => routesOf(x).some((r) => r.gateway === gateway.id)), run = stepper();
	showCommand("gateways.delete", {router, gateway});
	ask({title: t("Detach the internet gateway of {name}?", {name: nameOf(router)}), danger: true, label: t("Detach"),
		body: () => html`<p>${t("Detaches and deletes the internet gateway. Disassociate public addresses in the VPC first.")}</p>${led.length ? html`<p>${t("Routes of {names} become blackholes.", {names: words(led.map(nameOf))})}</p>` : nothing}`,
		submit: () => run(closeGateway({router, gateway}))});
}

// ---- NAT gateways ----

function newNat(router) {
	const subnets = subnetsOf(router).toSorted((a, b) => Number(wayOut(b, router) === "internet") - Number(wayOut(a, router) === "internet")), free = rows("addresses").filter((a) => a.is_elastic && !a.port), run = stepper();
	askFor({title: t("Create NAT gateway"), label: t("Create"), verb: "nat-gateways.create",
		fields: () => html`<label class="f">${t("Subnet")}<select name="subnet" autofocus>${subnets.map((s) => html`<option value=${s.id}>${nameOf(s)} ${s.block}${wayOut(s, router) === "internet" ? "" : ` (${t("no internet route")})`}</option>`)}</select></label>
			<label class="f">${t("Public address")}<select name="address"><option value="">${t("Allocate a new Elastic IP")}</option>${free.map((a) => html`<option value=${a.id}>${a.ip}</option>`)}</select></label>
			<p class="hint">${t("Choose a public subnet. Private subnets route to the NAT gateway.")}</p>`,
		read: (form) => ({subnet: subnets.find((s) => s.id === form.get("subnet")) ?? {}, address: free.find((a) => a.id === form.get("address"))}),
		send: (args) => run(makeNat(args))});
}

function dropNat(router, nat) {
	const led = of("route-tables", router).filter((x) => routesOf(x).some((r) => r.nat_gateway === nat.id));
	showCommand("nat-gateways.delete", {ids: [nat]});
	ask({title: t("Delete {name}?", {name: nameOf(nat)}), danger: true, label: t("Delete"),
		body: () => html`<p>${nat.public_ip ? t("The Elastic IP {ip} stays allocated.", {ip: nat.public_ip}) : nothing} ${led.length ? t("Routes of {names} become blackholes.", {names: words(led.map(nameOf))}) : nothing}</p>`,
		submit: async () => applyAll("nat-gateways", await remove(`/nat-gateways/${nat.id}`)) && undefined});
}

export function waysCard(router) {
	const gateway = of("gateways", router)[0], nats = of("nat-gateways", router), egress = of("egress-gateways", router);
	return html`<div class="card"><div class="head"><h2>${t("Gateways")}</h2><span class="sp"></span>${button(mayAll("nat_gateway.create") && subnetsOf(router).length, t("Create NAT gateway"), () => newNat(router))}</div><ul class="plainlist">
		<li>${gateway ? html`${t("Internet gateway")} <span class="m">${nameOf(gateway)}</span> ${mayAll("gateway.detach", "gateway.delete") ? html`<button type="button" class="plain danger-text" @click=${() => close(router, gateway)}>${t("Detach")}…</button>` : nothing}`
			: html`${t("No internet gateway")} ${mayAll("gateway.create", "gateway.attach") ? html`<button type="button" @click=${() => open(router)}>${t("Attach internet gateway")}</button>` : nothing}`}</li>
		${egress.map((g) => html`<li>${t("Egress-only gateway")} <span class="m">${nameOf(g)}</span></li>`)}
		${nats.map((n) => html`<li>NAT ${nameOf(n)} <span class="m">${n.public_ip ?? n.private_ip ?? ""}</span> ${stateOf(n)} <span class="dim">${refName("subnets", n.subnet)}</span> ${mayAll("nat_gateway.delete") && n.state !== "deleting"
			? html`<button type="button" class="plain danger-text" aria-label=${t("Delete {name}", {name: nameOf(n)})} @click=${() => dropNat(router, n)}>${t("Delete")}…</button>` : nothing}</li>`)}</ul></div>`;
}

// ---- peerings ----

function newPeering(router) {
	const others = rows("routers").filter((r) => r !== router && r.blocks?.length), state = {isElsewhere: !others.length};
	askFor({title: t("Create peering connection for {name}", {name: nameOf(router)}), label: t("Request peering"), verb: "peerings.create",
		fields: () => html`<label class="f">${t("Accepter VPC")}<select name="peer" autofocus @change=${(e) => { state.isElsewhere = !e.target.value; touch(); }}>${others.map((r) => html`<option value=${r.id}>${nameOf(r)} ${r.blocks[0]}</option>`)}<option value="">${t("VPC of another account")}</option></select></label>
			${state.isElsewhere ? html`<div class="grid2"><label class="f">${t("VPC ID")}<input name="id" class="m" placeholder="vpc-…" required></label><label class="f">${t("Account ID")}<input name="account" class="m" pattern="\\d{12}" required></label></div>` : nothing}
			<p class="hint">${t("The CIDR blocks must not overlap. After it is accepted, add routes on both sides.")}</p>`,
		read: (form) => {
			const peer = others.find((r) => r.id === form.get("peer")) ?? {id: (form.get("id") ?? "").trim(), ec2: (form.get("id") ?? "").trim()}, owner = (form.get("account") ?? "").trim();
			return {router, peer, owner, body: {router: router.id, peer_router: peer.id, ...(owner ? {peer_account: owner} : {})}};
		},
		send: async ({body}) => { await make("peerings", body); }});
}

function answer(p, verb, done) {
	showCommand(`peerings.${verb}`, {ids: [p]});
	return report(done, async () => applyAll("peerings", await post(`/peerings/${p.id}/${verb}`, {})));
}

function dropPeering(p) {
	showCommand("peerings.delete", {ids: [p]});
	ask({title: t("Delete {name}?", {name: nameOf(p)}), danger: true, label: t("Delete"), body: () => html`<p>${t("Routes to it become blackholes on both sides.")}</p>`,
		submit: async () => applyAll("peerings", await remove(`/peerings/${p.id}`)) && undefined});
}

export function peeringsCard(router) {
	const found = peeringsOf(router);
	return html`<div class="card"><div class="head"><h2>${t("Peering connections")}</h2><span class="sp"></span>${button(mayAll("peering.create"), t("Create peering connection"), () => newPeering(router))}</div>
		${found.length ? html`<ul class="plainlist">${found.map((p) => {
			const other = row("routers", p.router === router.id ? p.peer_router : p.router), mustAnswer = p.state === "pending" && p.peer_account === session.account?.id;
			return html`<li><span class="m">${nameOf(p)}</span> ${other ? link(other) : html`<span class="m">${p.router === router.id ? p.peer_router_text : p.router?.slice(0, 8)}</span>`} ${stateOf(p)}
				${mustAnswer && mayAll("peering.accept") ? html`<button type="button" @click=${() => answer(p, "accept", t("Peering connection accepted"))}>${t("Accept")}</button>` : nothing}
				${mustAnswer && p.account !== session.account?.id && mayAll("peering.reject") ? html`<button type="button" @click=${() => answer(p, "reject", t("Peering connection rejected"))}>${t("Reject")}</button>` : nothing}
				${mayAll("peering.delete") ? html`<button type="button" class="plain danger-text" aria-label=${t("Delete {name}", {name: nameOf(p)})} @click=${() => dropPeering(p)}>${t("Delete")}…</button>` : nothing}</li>`;
		})}</ul>` : html`<p class="dim">${t("No peering connections.")}</p>`}</div>`;
}


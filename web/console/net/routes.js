// SPDX-License-Identifier: Apache-2.0
// Route tables: their routes, associated subnets, and adding a way outside to a subnet without one.
import {html, nothing, nameOf, shortId, refName, pairs, copyable, when, ask, report, note} from "../parts.js";
import {rows, row} from "../store.js";
import {go, href} from "../router.js";
import {t, list as words} from "../words.js";
import {post, remove} from "../api.js";
import {showCommand} from "../command_bar.js";
import {askFor, applyAll, make, stepper} from "../forms.js";
import {useTable, mend as mendSteps} from "../steps.js";
import {mayAll} from "../may.js";
import {of, peeringsOf, subnetsOf, routerOf, link, tableOf, usersOf, routesOf, isMain, wayOut, portName, portUser, button, cross} from "./parts.js";

// ---- targets of routes ----

const KIND_OF = {gateway: "gateways", nat_gateway: "nat-gateways", egress_gateway: "egress-gateways", peering: "peerings", port: "ports"};
const FIELDS = Object.keys(KIND_OF);

function targetOf(r) {
	if (r.gateway)
		return t("Internet gateway");
	if (r.nat_gateway)
		return html`NAT ${refName("nat-gateways", r.nat_gateway)}`;
	if (r.peering)
		return html`${t("Peering")} ${refName("peerings", r.peering)}`;
	const port = row("ports", r.port);
	return r.egress_gateway ? t("Egress-only gateway") : port ? html`${portUser(port)} <span class="m">${port.ip}</span>` : r.next_hop ?? t("local");
}

/** Possible targets of a route in this VPC: [{field, target, words}]. */
function targetsOf(router) {
	const found = (kind, field, say) => of(kind, router).map((target) => ({field, target, words: say(target)}));
	return [...found("gateways", "gateway", (g) => `${t("Internet gateway")} ${nameOf(g)}`), ...found("nat-gateways", "nat_gateway", (n) => `NAT ${nameOf(n)} ${n.public_ip ?? ""}`),
		...peeringsOf(router).filter((p) => p.state === "active").map((target) => ({field: "peering", target, words: `${t("Peering")} ${nameOf(target)}`})),
		...found("egress-gateways", "egress_gateway", (g) => `${t("Egress-only gateway")} ${nameOf(g)}`),
		...of("ports", router).filter((p) => p.instance).slice(0, 300).map((target) => ({field: "port", target, words: portName(target)}))];
}

function addRoute(table) {
	const targets = targetsOf(routerOf(table));
	if (!targets.length)
		return ask({title: t("Add route to {name}", {name: nameOf(table)}), label: null, body: () => html`<p>${t("No target available: create an internet gateway, NAT gateway, peering connection or instance first.")}</p>`});
	return askFor({title: t("Add route to {name}", {name: nameOf(table)}), label: t("Add"), verb: "routes.add",
		fields: () => html`<label class="f">${t("Destination")}<input name="destination" class="m" value="0.0.0.0/0" required autofocus></label>
			<label class="f">${t("Target")}<select name="target">${targets.map((x, k) => html`<option value=${k}>${x.words}</option>`)}</select></label>`,
		read: (form) => {
			const {field, target} = targets[form.get("target")], destination = form.get("destination").trim();
			return {table, router: routerOf(table), destination, field, target, body: {table: table.id, destination, [field]: target.id}};
		},
		send: async ({body}) => { await make("routes", body); }});
}

function dropRoute(table, r) {
	showCommand("routes.remove", {ids: [r], table});
	return report(t("Route removed"), () => remove(`/routes/${r.id}`));
}

/** The routes of a table, with their actions. */
export function routesTable(table) {
	const found = routesOf(table), mayDrop = mayAll("route.delete");
	return html`<table class="simple"><thead><tr><th scope="col">${t("Destination")}</th><th scope="col">${t("Target")}</th><th scope="col"><span class="sr">${t("Remove")}</span></th></tr></thead>
		<tbody>${found.map((r) => html`<tr><td class="m">${r.destination}</td><td>${targetOf(r)}</td><td class="n">${cross(mayDrop, t("Remove route to {what}", {what: r.destination}), () => dropRoute(table, r))}</td></tr>`)}
		<tr><td class="m">${(routerOf(table)?.blocks ?? []).join(", ")}</td><td>${t("local")}</td><td></td></tr></tbody></table>`;
}

export function addRouteButton(table) {
	return button(mayAll("route.create"), t("Add route"), () => addRoute(table));
}

// ---- tables ----

export function newTable(router) {
	askFor({title: t("Create route table"), label: t("Create"), verb: "route-tables.create",
		fields: () => html`<label class="f">${t("Name")}<input name="name" maxlength="255" autofocus></label><p class="hint">${t("A new route table has only the local route.")}</p>`,
		read: (form) => ({router, name: form.get("name"), body: {router: router.id, ...(form.get("name") ? {tags: {Name: form.get("name")}} : {})}}),
		send: async ({body}) => {
			const made = await make("route-tables", body);
			go(href("networks", shortId(made)));
		}});
}

function dropTable(table) {
	const users = usersOf(table, routerOf(table)), routes = routesOf(table);
	showCommand("route-tables.delete", {ids: [table]});
	ask({title: t("Delete {name}?", {name: nameOf(table)}), danger: true, label: users.length || isMain(table) ? null : t("Delete"),
		body: () => html`<ul>${isMain(table) ? html`<li>${t("The main route table is deleted with its VPC.")}</li>` : nothing}
			${users.length && !isMain(table) ? html`<li>${t("Still in use by {names}.", {names: words(users.map(nameOf))})}</li>` : nothing}
			${routes.length ? html`<li>${t("Its routes are deleted too: {names}.", {names: words(routes.map((r) => r.destination))})}</li>` : nothing}</ul>`,
		submit: async () => {
			await remove(`/route-tables/${table.id}`);
			go(href("networks", shortId(routerOf(table))));
		}});
}

const verbOf = ({subnet, table}) => (!table ? "route-tables.disassociate" : subnet.route_table ? "route-tables.replace" : "route-tables.associate");

async function use(args) {
	const {path, body} = useTable(args);
	applyAll("subnets", await post(path, body));
}

/** Chooses the route table of a subnet. */
export function chooseTable(subnet) {
	const router = routerOf(subnet), now = tableOf(subnet, router), tables = of("route-tables", router).filter((x) => x !== now);
	askFor({title: t("Subnet association of {name}", {name: nameOf(subnet)}), label: tables.length ? t("Associate") : null, verb: verbOf,
		fields: () => (tables.length ? html`<label class="f">${t("Route table")}<select name="table" autofocus>${tables.map((x) => html`<option value=${x.id}>${nameOf(x)}${isMain(x) ? ` (${t("main")})` : ""}</option>`)}</select></label>`
			: html`<p>${t("This VPC has no other route table.")}</p>`),
		read: (form) => {
			const table = tables.find((x) => x.id === form.get("table"));
			return {subnet, table: table && isMain(table) ? undefined : table ?? now};
		},
		send: use});
}

function assign(table) {
	const router = routerOf(table), others = subnetsOf(router).filter((s) => tableOf(s, router) !== table);
	askFor({title: t("Associate a subnet with {name}", {name: nameOf(table)}), label: others.length ? t("Associate") : null, verb: verbOf,
		fields: () => (others.length ? html`<label class="f">${t("Subnet")}<select name="subnet" autofocus>${others.map((s) => html`<option value=${s.id}>${nameOf(s)} ${s.block}</option>`)}</select></label>` : html`<p>${t("All subnets already use it.")}</p>`),
		read: (form) => ({subnet: others.find((s) => s.id === form.get("subnet")) ?? {}, table: isMain(table) ? undefined : table}),
		send: use});
}

function take(subnet) {
	showCommand("route-tables.disassociate", {subnet});
	return report(t("{name} uses the main route table", {name: nameOf(subnet)}), () => use({subnet}));
}

export function tablesCard(router) {
	const tables = of("route-tables", router).toSorted((a, b) => Number(isMain(b)) - Number(isMain(a)) || nameOf(a).localeCompare(nameOf(b)));
	return html`<div class="card"><div class="head"><h2>${t("Route tables")}</h2><span class="sp"></span>${button(mayAll("route_table.create"), t("Create route table"), () => newTable(router))}</div>
		<table class="simple"><thead><tr><th scope="col">${t("Name")}</th><th scope="col">${t("Routes")}</th><th scope="col">${t("Used by")}</th></tr></thead><tbody>${tables.map((x) => html`<tr><td>${link(x)}${isMain(x) ? html` <span class="dim">${t("main")}</span>` : nothing}</td>
			<td class="m">${routesOf(x).map((r) => r.destination).join(", ") || "–"}</td><td>${usersOf(x, router).map((s, k) => html`${k ? ", " : ""}${link(s)}`)}</td></tr>`)}</tbody></table></div>`;
}

export function tablePage(table) {
	const router = routerOf(table), users = usersOf(table, router), main = isMain(table);
	return html`<div class="head"><h1>${nameOf(table)}</h1><span class="dim">${main ? t("Main route table") : t("Route table")}</span></div>
		<div class="bar" role="toolbar" aria-label=${t("Actions")}>${addRouteButton(table)}${button(mayAll("route_table.associate"), t("Associate subnet"), () => assign(table))}${button(mayAll("route_table.delete") && !main, t("Delete"), () => dropTable(table), "danger-text")}</div>
		<div class="half"><div class="card"><h2>${t("Routes")}</h2>${routesTable(table)}</div><div><div class="card"><h2>${t("Used by")}</h2>${users.length ? html`<ul class="plainlist">${users.map((s) => html`<li>${link(s)} <span class="m">${s.block}</span> ${s.route_table && mayAll("route_table.disassociate")
			? html`<button type="button" class="plain danger-text" aria-label=${t("Disassociate {name}", {name: nameOf(s)})} @click=${() => take(s)}>${t("Disassociate")}</button>` : nothing}</li>`)}</ul>` : html`<p class="dim">${t("No subnets.")}</p>`}</div>
		<div class="card"><h2>${t("Details")}</h2>${pairs([[t("VPC"), router ? link(router) : ""], [t("Created"), when(table.created_us)], ["EC2", copyable(shortId(table))], ["OpenStack", copyable(table.id)]])}</div></div></div>`;
}

// ---- subnets without a way outside ----

function kept(table) {
	return routesOf(table).flatMap((r) => FIELDS.filter((f) => r[f]).map((field) => ({destination: r.destination, field, target: row(KIND_OF[field], r[field]) ?? {id: r[field]}})));
}

/** Adds a way to the internet to a subnet without one, both ways or outgoing only. */
export function mend(subnet) {
	const router = routerOf(subnet), table = tableOf(subnet, router), others = usersOf(table, router).filter((s) => s.id !== subnet.id);
	const attached = of("gateways", router)[0], free = rows("gateways").find((g) => !g.router), nats = of("nat-gateways", router).filter((n) => n.state !== "deleting");
	const open = subnetsOf(router).filter((s) => s.id !== subnet.id && wayOut(s, router) === "internet"), run = stepper();
	const ways = [["internet", t("Internet gateway"), t("Public subnet: instances with a public IP reach the internet, and are reachable if their security groups allow it.")],
		...nats.map((n) => [n.id, t("NAT gateway {name}", {name: nameOf(n)}), t("Outbound only: instances reach the internet from {ip}.", {ip: n.public_ip ?? ""})]),
		...(open.length && !nats.length ? [["new-nat", t("New NAT gateway"), t("Creates a NAT gateway in {name} and allocates an Elastic IP. Both are charged.", {name: nameOf(open[0])})]] : [])];
	askFor({title: t("Internet access for {name}", {name: nameOf(subnet)}), label: t("Fix"), verb: "subnets.mend",
		fields: () => html`<div class="opts">${ways.map(([value, word, why], k) => html`<label class="opt"><input type="radio" name="way" value=${value} ?checked=${k === 0} ?autofocus=${k === 0}><span>${word}<small>${why}</small></span></label>`)}</div>
			${others.length ? html`<label class="check"><input type="checkbox" name="alone" checked> ${t("Create a separate route table ({names} use the current one too).", {names: words(others.map(nameOf))})}</label>` : nothing}`,
		read: (form) => {
			const chosen = form.get("way"), nat = nats.find((n) => n.id === chosen), isAlone = others.length > 0 && form.get("alone") === "on";
			return {subnet, router, table, way: nat ? "nat" : chosen, nat, attached, gateway: free, publicSubnet: open[0], isAlone, routes: isAlone ? kept(table) : []};
		},
		send: async (args) => {
			await run(mendSteps(args));
			note(t("{name} is connected to the internet", {name: nameOf(subnet)}));
		}});
}

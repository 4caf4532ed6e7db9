// SPDX-License-Identifier: Apache-2.0
// Shared code of the network pages: a subnet's route table, its way outside, its content, and the display of protocols and ports.
import {html, nothing, nameOf, shortId, refName, refLink} from "../parts.js";
import {rows, row, findRow} from "../store.js";
import {href} from "../router.js";
import {t} from "../words.js";

export const KINDS = ["routers", "subnets", "ports", "instances", "zones", "routes", "route-tables", "gateways", "egress-gateways", "nat-gateways", "peerings", "network-acls", "network-acl-entries",
	"addresses", "security-groups", "security-group-rules"];
const OVER = new Set(["deleted", "failed", "rejected", "expired"]);

export const isOver = (r) => OVER.has(r.state);
export const of = (kind, router) => rows(kind).filter((r) => r.router === router.id && !isOver(r));
export const peeringsOf = (router) => rows("peerings").filter((p) => (p.router === router.id || p.peer_router === router.id) && !isOver(p));
export const subnetsOf = (router) => of("subnets", router).toSorted((a, b) => (a.block ?? "").localeCompare(b.block ?? "", undefined, {numeric: true}));
export const routerOf = (r) => row("routers", r.router);
export const link = (r) => html`<a class="id" href=${href("networks", shortId(r))}>${nameOf(r)}</a>`;

/** The subnet's effective route table. */
export const tableOf = (subnet, router) => findRow("route-tables", subnet.route_table ?? router?.main_route_table);
export const usersOf = (table, router) => subnetsOf(router).filter((s) => (s.route_table ?? router.main_route_table) === table.id);
export const routesOf = (table) => rows("routes").filter((r) => r.table === table?.id).toSorted((a, b) => a.destination.localeCompare(b.destination, undefined, {numeric: true}));
export const isMain = (table) => routerOf(table)?.main_route_table === table.id;

/** Target of the subnet's default route: an internet gateway, a NAT gateway, another target, or none. */
export function wayOut(subnet, router) {
	const route = routesOf(tableOf(subnet, router)).find((r) => r.destination === "0.0.0.0/0");
	return route?.gateway ? "internet" : route?.nat_gateway ? "nat" : route ? "other" : "none";
}

export function wayWords(way) {
	return way === "internet" ? t("internet gateway") : way === "nat" ? t("NAT gateway") : way === "other" ? t("routed") : t("no internet route");
}

/** Machines in the subnet, each once even with several interfaces there. */
export function machinesIn(subnet) {
	const ids = new Set(rows("ports").filter((p) => p.subnet === subnet.id && p.instance).map((p) => p.instance));
	return rows("instances").filter((i) => ids.has(i.id) && i.state !== "terminated");
}

/** Owner of an interface. */
const OWNERS = {"network:load_balancer": () => t("load balancer")};
export function portUser(p) {
	if (p.instance)
		return refLink("instances", p.instance);
	return html`<span class="dim">${p.nat_gateway ? `NAT ${refName("nat-gateways", p.nat_gateway)}` : p.requester || OWNERS[p.device_owner]?.() || p.device_owner || p.description || ""}</span>`;
}

export function portName(p) {
	const label = p.instance ? refName("instances", p.instance) : nameOf(p);
	return `${label} ${p.ip ?? ""}`.trim();
}

/** Interfaces in a subnet that prevent its deletion. */
export const portsIn = (subnet) => rows("ports").filter((p) => p.subnet === subnet.id);

// ---- protocols and ports ----

const PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6"};
export const NUMBERS = {icmp: 1, tcp: 6, udp: 17};
export const PORTS_PATTERN = "\\d{1,5}(-\\d{1,5})?";

export function protocolOf(rule) {
	return rule.protocol === undefined || rule.protocol < 0 ? t("all traffic") : PROTOCOLS[rule.protocol] ?? String(rule.protocol);
}

export function portsOf(rule) {
	if (![6, 17].includes(rule.protocol) || rule.from_port === undefined || rule.from_port < 0)
		return "";
	return rule.from_port === rule.to_port ? String(rule.from_port) : `${rule.from_port}–${rule.to_port}`;
}

/** A rule as text: "tcp 22 from 192.0.2.0/24". */
export function ruleWords(rule) {
	const what = `${protocolOf(rule)} ${portsOf(rule)}`.trim();
	if (rule.peer_group)
		return t("{what} from {name}", {what, name: refName("security-groups", rule.peer_group)});
	return ["0.0.0.0/0", "::/0", undefined].includes(rule.peer_block) ? t("{what} from anywhere", {what}) : t("{what} from {block}", {what, block: rule.peer_block});
}

/** Converts "22" or "8000-8100" of a form for the API; empty for all ports. */
export function portsOfForm(protocol, text) {
	const ports = ["tcp", "udp"].includes(protocol) ? text.trim() : "", [from, to] = ports.split("-").map(Number);
	return {...(protocol === "any" ? {} : {protocol: NUMBERS[protocol]}), ...(ports ? {from_port: from, to_port: to ?? from} : {})};
}

/** A button for an action, if it is permitted. */
export function button(may, words, run, kind = "") {
	return may ? html`<button type="button" class=${kind} @click=${run}>${words}…</button>` : nothing;
}

export function cross(may, words, run) {
	return may ? html`<button type="button" class="plain danger-text" aria-label=${words} @click=${run}>×</button>` : nothing;
}

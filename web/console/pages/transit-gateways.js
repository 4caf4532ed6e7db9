// SPDX-License-Identifier: Apache-2.0
// Transit gateways: the VPCs attached to each, its route tables and their static routes. They are changed by EC2's calls.
import {html, nothing, nameOf, stateOf, refName, refLink, pairs, copyable, when, emptyCard, SUPPORT} from "../parts.js";
import {resourcePage} from "../resource.js";
import {rows} from "../store.js";
import {t, list as words} from "../words.js";

const attachmentsOf = (g) => rows("transit-attachments").filter((a) => a.gateway === g.id && a.state !== "deleted");
const tablesOf = (g) => rows("transit-route-tables").filter((table) => table.gateway === g.id);
const vpcOf = (attachment) => refLink("routers", attachment.router, "networks");

function attachmentsCard(g) {
	const found = attachmentsOf(g);
	return html`<div class="card"><h2>${t("Attachments")}</h2>${found.length ? html`<ul class="plainlist">${found.map((a) => html`<li>${vpcOf(a)} ${stateOf(a)} <span class="dim">${a.table ? t("routed by {name}", {name: refName("transit-route-tables", a.table)}) : t("not associated with a route table")}</span></li>`)}</ul>` : html`<p class="dim">${t("No attachments.")}</p>`}</div>`;
}

/** Static routes, and the VPCs whose blocks are propagated to the table. */
function tableCard(table) {
	const routes = rows("transit-routes").filter((r) => r.table === table.id), from = rows("transit-attachments").filter((a) => a.state !== "deleted" && (a.propagates_to ?? []).includes(table.id));
	return html`<div class="card"><h2><bdi>${nameOf(table)}</bdi></h2>${routes.length || from.length ? html`<ul class="plainlist">${routes.map((r) => {
		const next = rows("transit-attachments").find((a) => a.id === r.attachment);
		return html`<li><span class="m">${r.destination}</span> → ${next ? vpcOf(next) : t("blackhole")}</li>`;
	})}${from.map((a) => html`<li>${vpcOf(a)} <span class="dim">${t("propagated")}</span></li>`)}</ul>` : html`<p class="dim">${t("No routes.")}</p>`}</div>`;
}

const defaults = (g) => words([...(g.associates ? [t("association")] : []), ...(g.propagates ? [t("propagation")] : [])]);

export const view = resourcePage({
	name: "transit-gateways", kind: "transit-gateways", kinds: ["transit-attachments", "transit-route-tables", "transit-routes", "routers"], command: "transit-gateways.list", title: () => t("Transit gateways"),
	search: (g) => [g.description],
	columns: [
		{key: "name", title: () => t("Name"), width: "30%", sort: nameOf},
		{key: "state", title: () => t("State"), width: "18%", text: (g) => g.state, cell: stateOf},
		{key: "attachments", title: () => t("Attachments"), num: true, width: "16%", sort: (g) => attachmentsOf(g).length, text: (g) => attachmentsOf(g).length},
		{key: "description", title: () => t("Description"), wide: true, text: (g) => g.description ?? ""},
	],
	empty: () => emptyCard(t("No transit gateways"), t("A transit gateway routes between the VPCs that are attached to it."), nothing),
	oneActions: [SUPPORT],
	more: (g) => html`${attachmentsCard(g)}${tablesOf(g).map(tableCard)}`,
	facts: (g) => pairs([[t("State"), stateOf(g)], [t("Description"), g.description], [t("Default route tables"), defaults(g) || t("none")], ["ASN", g.asn], [t("Created"), when(g.created_us)], ["EC2", g.ec2 ? copyable(g.ec2) : ""]]),
});

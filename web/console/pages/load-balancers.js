// SPDX-License-Identifier: Apache-2.0
// Load balancers of ELBv2, with their listeners and addresses. They are changed by ELBv2's calls.
import {html, nothing, nameOf, mark, pairs, refLink, refName, when, emptyCard, SUPPORT} from "../parts.js";
import {resourcePage} from "../resource.js";
import {rows, row as byId} from "../store.js";
import {t, time} from "../words.js";

const TYPES = {network: () => t("Network"), application: () => t("Application")};
const typeOf = (b) => (TYPES[b.type] ?? (() => b.type))();
const listenersOf = (b) => rows("listeners").filter((l) => l.elastic_load_balancer === b.id).toSorted((a, c) => a.port - c.port);
const addressesOf = (b) => (b.fronts ?? []).map((id) => byId("ports", id)?.ip).filter(Boolean);
const stage = (b) => (b.conditions?.length ? mark("bad", t(b.conditions[0].name)) : mark("ok", t("active")));
const scheme = (b) => (b.is_internal ? t("internal") : t("internet-facing"));

function listenersCard(b) {
	const found = listenersOf(b);
	return html`<div class="card"><h2>${t("Listeners")}</h2>${found.length ? html`<ul class="plainlist">${found.map((l) => html`<li><span class="m">${(l.protocol ?? "").toUpperCase()} ${l.port}</span> → ${l.target_group ? refLink("target-groups", l.target_group) : t("rules: {n}", {n: rows("listener-rules").filter((r) => r.listener === l.id).length})}</li>`)}</ul>` : html`<p class="dim">${t("No listeners: it accepts no connections.")}</p>`}</div>`;
}

export const view = resourcePage({
	name: "load-balancers", kind: "elastic-load-balancers", kinds: ["listeners", "listener-rules", "target-groups", "routers", "ports"], command: "load-balancers.list", title: () => t("Load balancers"), state: stage,
	search: (b) => [b.type, refName("routers", b.router)], keys: {type: (b) => b.type, vpc: (b) => refName("routers", b.router)},
	columns: [
		{key: "name", title: () => t("Name"), width: "26%", sort: nameOf},
		{key: "state", title: () => t("State"), width: "14%", cell: stage},
		{key: "type", title: () => t("Type"), width: "14%", text: typeOf},
		{key: "scheme", title: () => t("Scheme"), wide: true, width: "16%", text: scheme},
		{key: "listeners", title: () => t("Listeners"), width: "14%", text: (b) => listenersOf(b).map((l) => l.port).join(", ") || "–"},
		{key: "made", title: () => t("Created"), wide: true, sort: (b) => b.created_us, text: (b) => time(b.created_us)},
	],
	empty: () => emptyCard(t("No load balancers"), t("A load balancer distributes connections among targets. Create one with aws elbv2 create-load-balancer."), nothing),
	oneActions: [SUPPORT], more: listenersCard,
	facts: (b) => pairs([[t("State"), stage(b)], [t("Type"), typeOf(b)], [t("Scheme"), scheme(b)], [t("VPC"), refLink("routers", b.router, "networks")], [t("IP addresses"), addressesOf(b).join(", "), "m"], [t("Deletion protection"), b.is_protected ? t("yes") : t("no")], [t("Cross-zone load balancing"), b.crosses_zones ? t("yes") : t("no")], [t("Created"), when(b.created_us)]]),
});

// SPDX-License-Identifier: Apache-2.0
// Target groups, with the health of each target. They are changed by ELBv2's calls.
import {html, nothing, nameOf, mark, pairs, refLink, refName, when, emptyCard, SUPPORT} from "../parts.js";
import {resourcePage} from "../resource.js";
import {rows} from "../store.js";
import {t, number} from "../words.js";

const TONES = {healthy: "ok", unhealthy: "bad", initial: "go"};
const targetsOf = (g) => rows("targets").filter((x) => x.target_group === g.id);
const healthyIn = (g) => targetsOf(g).filter((x) => x.health === "healthy" && !x.drains_until_us).length;
const stage = (g) => {
	const all = targetsOf(g).length, n = healthyIn(g);
	return all ? mark(n === all ? "ok" : n ? "go" : "bad", t("{n} of {all} healthy", {n, all})) : mark("off", t("no targets"));
};
const protocol = (g) => `${(g.protocol ?? "").toUpperCase()} ${g.port ?? ""}`.trim();
const healthOf = (x) => (x.drains_until_us ? mark("off", t("draining")) : mark(TONES[x.health] ?? "off", t(x.health)));

function targetsCard(g) {
	const found = targetsOf(g);
	return html`<div class="card"><h2>${t("Targets")}</h2>${found.length ? html`<ul class="plainlist">${found.map((x) => html`<li>${x.instance ? refLink("instances", x.instance) : nothing} <span class="m">${x.private_ip}:${x.number}</span> ${healthOf(x)}${x.code ? html` <span class="dim">HTTP ${x.code}</span>` : nothing}</li>`)}</ul>` : html`<p class="dim">${t("No targets.")}</p>`}</div>`;
}

export const view = resourcePage({
	name: "target-groups", kind: "target-groups", kinds: ["targets", "instances", "routers"], command: "target-groups.list", title: () => t("Target groups"), state: stage,
	search: (g) => [protocol(g), refName("routers", g.router)], keys: {protocol: (g) => g.protocol},
	columns: [
		{key: "name", title: () => t("Name"), width: "30%", sort: nameOf},
		{key: "state", title: () => t("Health"), width: "24%", sort: (g) => healthyIn(g), cell: stage},
		{key: "protocol", title: () => t("Protocol"), width: "16%", text: protocol},
		{key: "vpc", title: () => t("VPC"), wide: true, width: "22%", text: (g) => refName("routers", g.router)},
	],
	empty: () => emptyCard(t("No target groups"), t("A target group has the instances or addresses that a load balancer forwards to. Create one with aws elbv2 create-target-group."), nothing),
	oneActions: [SUPPORT], more: targetsCard,
	facts: (g) => pairs([[t("Health"), stage(g)], [t("Protocol"), protocol(g)], [t("VPC"), refLink("routers", g.router, "networks")], [t("Health check"), `${(g.check_protocol ?? "").toUpperCase()} ${g.check_path ?? ""}`.trim(), "m"], [t("Interval (seconds)"), g.interval_s ? number(g.interval_s) : ""], [t("Stickiness"), g.is_sticky ? t("yes") : t("no")], [t("Created"), when(g.created_us)]]),
});

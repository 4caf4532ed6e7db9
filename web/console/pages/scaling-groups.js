// SPDX-License-Identifier: Apache-2.0
// Auto Scaling groups: capacity, instances, and the latest activities. They are changed by EC2 Auto Scaling's calls.
import {html, nothing, nameOf, mark, pairs, refLink, when, emptyCard, SUPPORT} from "../parts.js";
import {resourcePage} from "../resource.js";
import {rows} from "../store.js";
import {t, number, time} from "../words.js";

const SHOWN = 20;
const membersOf = (g) => rows("scaling-members").filter((m) => m.scaling_group === g.id);
const inService = (g) => membersOf(g).filter((m) => m.stage === "in_service").length;
const activitiesOf = (g) => rows("scaling-activities").filter((a) => a.scaling_group === g.id).toSorted((a, b) => b.created_us - a.created_us);
const capacity = (g) => t("{n} of {target}", {n: inService(g), target: g.desired ?? 0});
const limits = (g) => `${number(g.min_size ?? 0)} – ${number(g.max_size ?? 0)}`;
const stage = (g) => (g.is_deleting ? mark("go", t("deleting")) : inService(g) === (g.desired ?? 0) ? mark("ok", t("at capacity")) : mark("go", t("scaling")));
const STAGES = {pending: () => t("pending"), in_service: () => t("in service"), terminating: () => t("terminating"), standby: () => t("standby")};
const stageOf = (m) => (STAGES[m.stage.replace(/_(wait|proceed)$/, "")] ?? (() => m.stage))();
const TONES = {successful: "ok", failed: "bad", cancelled: "off"};
const STATUS = {successful: () => t("completed"), failed: () => t("failed"), cancelled: () => t("cancelled")};

function more(g) {
	const members = membersOf(g), activities = activitiesOf(g);
	return html`<div class="card"><h2>${t("Instances")}</h2>${members.length ? html`<ul class="plainlist">${members.map((m) => html`<li>${refLink("instances", m.instance)} ${mark(m.is_unhealthy ? "bad" : m.stage === "in_service" ? "ok" : "go", m.is_unhealthy ? t("unhealthy") : stageOf(m))}</li>`)}</ul>` : html`<p class="dim">${t("No instances.")}</p>`}</div>
		<div class="card"><h2>${t("Activity history")}</h2>${activities.length ? html`<ul class="hist">${activities.slice(0, SHOWN).map((a) => html`<li>${when(a.created_us)}<span>${mark(TONES[a.status] ?? "go", (STATUS[a.status] ?? (() => t("in progress")))())} <span lang="en">${a.description} ${a.message ? html`<strong>${a.message}</strong>` : nothing} <span class="dim">${a.cause}</span></span></span></li>`)}</ul>` : html`<p class="dim">${t("No activities.")}</p>`}</div>`;
}

export const view = resourcePage({
	name: "scaling-groups", kind: "scaling-groups", kinds: ["scaling-members", "scaling-activities", "instances", "target-groups", "zones"], command: "scaling-groups.list", title: () => t("Auto Scaling groups"), state: stage,
	keys: {state: (g) => (g.is_deleting ? "deleting" : "active")},
	columns: [
		{key: "name", title: () => t("Name"), width: "28%", sort: nameOf},
		{key: "state", title: () => t("State"), width: "18%", cell: stage},
		{key: "capacity", title: () => t("Capacity"), width: "16%", sort: inService, text: capacity},
		{key: "limits", title: () => t("Minimum – maximum"), wide: true, width: "18%", text: limits},
		{key: "made", title: () => t("Created"), wide: true, sort: (g) => g.created_us, text: (g) => time(g.created_us)},
	],
	empty: () => emptyCard(t("No Auto Scaling groups"), t("An Auto Scaling group keeps a number of instances, and changes it by policies. Create one with aws autoscaling create-auto-scaling-group."), nothing),
	oneActions: [SUPPORT], more,
	facts: (g) => pairs([[t("State"), stage(g)], [t("Capacity"), capacity(g)], [t("Minimum – maximum"), limits(g)], [t("Target groups"), (g.target_groups ?? []).map((id) => html`${refLink("target-groups", id)} `)], [t("Health check"), g.checks_balancers ? "EC2, ELB" : "EC2"], [t("Cooldown (seconds)"), number(g.cooldown_s ?? 0)], [t("Last change"), g.reason ? html`<span lang="en">${g.reason}</span>` : ""], [t("Created"), when(g.created_us)]]),
});

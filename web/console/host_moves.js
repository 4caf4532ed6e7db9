// SPDX-License-Identifier: Apache-2.0
// The plan of a drain or a maintenance, shown before it begins: what runs on the hosts, of all accounts, and where each instance would go. A dry run of the
// drain decides; hosts may have other capacity by the time a maintenance begins.
import {html, nothing, nameOf, problemCard, waiting} from "./parts.js";
import {row as byId, touch} from "./store.js";
import {t} from "./words.js";
import {get, post} from "./api.js";

const SHOWN = 40;
const isOn = (r) => !["stopped", "terminated", "shutting-down", "shelved", "shelved-offloaded"].includes(r.state);

/** Asks for the plan, and returns its view: kind is "drain", or the kind of a maintenance. */
export function previewMoves(chosen) {
	const plans = chosen.map((host) => ({host, lines: null, problem: null}));
	for (const plan of plans)
		Promise.all([get(`/instances?all=1&host=${plan.host.id}&fields=name,state,tags,host&limit=1000`), post(`/hosts/${plan.host.id}/drain?dry=1`, {})]).then(([{items}, {would}]) => {
			const to = new Map((would?.instances ?? []).map((m) => [m.instance, m]));
			plan.lines = items.filter(isOn).map((r) => ({name: nameOf(r), target: to.get(r.id)?.target, why: to.get(r.id)?.problem}));
		}, (problem) => { plan.problem = problem; }).finally(touch);
	return (kind) => html`<section aria-label=${t("Plan")} aria-live="polite">${plans.map((plan) => planView(plan, kind, plans.length > 1))}</section>`;
}

const OUTCOME = {stop: () => t("is stopped"), reboot: () => t("is stopped, and started again afterwards")};

function outcome(line, kind) {
	if (OUTCOME[kind])
		return OUTCOME[kind]();
	if (line.target)
		return html`→ <bdi>${nameOf(byId("hosts", line.target)) || line.target.slice(0, 8)}</bdi>`;
	return html`${kind === "drain" ? t("stays here") : OUTCOME.reboot()}${line.why ? html` <span class="dim" lang="en">${line.why}</span>` : nothing}`;
}

function planView({host, lines, problem}, kind, hasTitle) {
	if (problem)
		return problemCard(problem, t("The plan is not known"));
	if (!lines)
		return waiting();
	return html`<h3>${hasTitle ? html`<bdi>${nameOf(host)}</bdi>: ` : nothing}${t("{n} instances", {n: lines.length})}</h3>
		${lines.length ? html`<ul class="plainlist moves">${lines.slice(0, SHOWN).map((line) => html`<li><strong><bdi>${line.name}</bdi></strong> ${outcome(line, kind)}</li>`)}${lines.length > SHOWN ? html`<li>…</li>` : nothing}</ul>` : nothing}`;
}

// SPDX-License-Identifier: Apache-2.0
// EC2 Fleets: how much of each target is launched, its instances, and why launches failed. They are changed by EC2's calls.
import {html, nothing, nameOf, tagOf, stateOf, mark, pairs, copyable, when, emptyCard, SUPPORT} from "../parts.js";
import {resourcePage} from "../resource.js";
import {rows} from "../store.js";
import {href} from "../router.js";
import {t, time} from "../words.js";

const MILLI = 1000; // targets are in thousandths of a unit, since weights may be fractions
const THIRD = 3; // failures come in threes: number of the override, code, words
const units = (n) => String((n ?? 0) / MILLI);
const progress = (f) => t("{n} of {target}", {n: units(f.fulfilled), target: units(f.target)});
const tones = {active: "ok", submitted: "go", modifying: "go", ended: "off"};
const stage = (f) => mark(f.has_failed ? "bad" : tones[f.stage] ?? "off", t(f.stage));

function instancesCard(f) {
	const found = rows("instances").filter((i) => (tagOf(i, "aws:ec2:fleet-id") || tagOf(i, "aws:ec2spot:fleet-request-id")) === f.ec2 && i.state !== "terminated");
	return found.length ? html`<div class="card"><h2>${t("Instances")}</h2><ul class="plainlist">${found.map((i) => html`<li><a href=${href("instances", i.ec2 ?? i.id)}><bdi>${nameOf(i)}</bdi></a> ${stateOf(i)}</li>`)}</ul></div>` : nothing;
}

function failuresCard(f) {
	const all = f.failures ?? [], found = all.filter((_, k) => k % THIRD === 0).map((_, k) => all.slice(k * THIRD, k * THIRD + THIRD));
	return found.length ? html`<div class="card why"><h2>${t("Launch failures")}</h2><ul class="plainlist">${found.map(([, code, text]) => html`<li><span class="m">${code}</span> ${text}</li>`)}</ul></div>` : nothing;
}

export const view = resourcePage({
	name: "fleets", kind: "fleets", kinds: ["instances"], command: "fleets.list", title: () => t("Fleets"), sort: "-made", state: stage,
	keys: {state: (f) => f.stage, type: (f) => f.type},
	columns: [
		{key: "name", title: () => t("Name"), width: "30%", sort: nameOf},
		{key: "state", title: () => t("State"), width: "18%", text: (f) => f.stage, cell: stage},
		{key: "type", title: () => t("Type"), width: "14%", text: (f) => t(f.type)},
		{key: "capacity", title: () => t("Capacity"), width: "16%", sort: (f) => f.fulfilled ?? 0, text: progress},
		{key: "made", title: () => t("Created"), wide: true, sort: (f) => f.created_us, text: (f) => time(f.created_us)},
	],
	empty: () => emptyCard(t("No fleets"), t("A fleet launches instances of several types and subnets, and can keep their number."), nothing),
	oneActions: [SUPPORT],
	more: (f) => html`${failuresCard(f)}${instancesCard(f)}`,
	facts: (f) => pairs([[t("State"), stage(f)], [t("Type"), t(f.type)], [t("Capacity"), progress(f)], [t("Spot capacity"), t("{n} of {target}", {n: units(f.fulfilled_spot), target: units(f.spot_target)})], [t("Valid from"), f.valid_from_us ? when(f.valid_from_us) : ""], [t("Valid until"), f.valid_until_us ? when(f.valid_until_us) : ""], [t("Created"), when(f.created_us)], ["EC2", f.ec2 ? copyable(f.ec2) : ""]]),
});

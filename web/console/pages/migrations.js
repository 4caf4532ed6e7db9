// SPDX-License-Identifier: Apache-2.0
// Migrations of machines from other clouds to this region, and of instances to other clouds: stage, rounds, and what is in the way. dari migrate carries them out.
import {html, nothing, nameOf, mark, pairs, refLink, when, emptyCard, SUPPORT} from "../parts.js";
import {resourcePage} from "../resource.js";
import {t, number, size, time} from "../words.js";

const STAGES = {planning: () => t("planning"), planned: () => t("planned"), freezing: () => t("taking snapshots"), copying: () => t("copying"), synced: () => t("synchronized"), stopping: () => t("stopping the source"), making: () => t("creating the instance"), starting: () => t("starting"), done: () => t("completed"), undoing: () => t("undoing"), undone: () => t("undone"), failed: () => t("failed")};
const TONES = {planned: "off", synced: "ok", done: "ok", undone: "off", failed: "bad"};
const stage = (m) => mark(m.has_failed ? "bad" : TONES[m.stage] ?? "go", (STAGES[m.stage] ?? (() => m.stage))());

const isOut = (m) => m.direction === "out";

const reasons = (title, list) => (list?.length ? html`<div class="card why"><h2>${title}</h2><ul lang="en">${list.map((text) => html`<li>${text}</li>`)}</ul></div>` : nothing);

export const view = resourcePage({
	name: "migrations", kind: "cloud-migrations", kinds: ["instances", "providers"], command: "migrations.list", title: () => t("Migrations"), state: stage, sort: "-made",
	search: (m) => [m.ref], keys: {stage: (m) => m.stage},
	columns: [
		{key: "name", title: () => t("Name"), width: "26%", sort: nameOf},
		{key: "state", title: () => t("State"), width: "20%", text: (m) => m.stage, cell: stage},
		{key: "ref", title: () => t("In the other cloud"), mono: true, width: "24%", text: (m) => m.ref ?? ""},
		{key: "direction", title: () => t("Direction"), wide: true, width: "10%", text: (m) => (isOut(m) ? t("to another cloud") : t("to this region"))},
		{key: "round", title: () => t("Round"), num: true, wide: true, width: "6%", sort: (m) => m.round ?? 0, text: (m) => number(m.round ?? 0)},
		{key: "made", title: () => t("Created"), wide: true, width: "12%", sort: (m) => m.created_us, text: (m) => time(m.created_us)},
	],
	empty: () => emptyCard(t("No migrations"), t("A migration copies a machine of another cloud here, or an instance to another cloud, while it runs, and then switches over. Start one with dari migrate."), nothing),
	oneActions: [SUPPORT],
	more: (m) => html`${reasons(t("It cannot be started"), m.refusals)}${reasons(t("Changes with the migration"), m.warnings)}`,
	facts: (m) => pairs([[t("State"), stage(m)], [t("Problem"), m.problem ? html`<span lang="en">${m.problem}</span>` : ""], [t("Direction"), isOut(m) ? t("to another cloud") : t("to this region")], [t("In the other cloud"), m.ref, "m"], [t("Source type"), m.source_type], [t("Type in the other cloud"), m.target_type], [t("Instance"), m.instance ? refLink("instances", m.instance) : ""], [t("Round"), number(m.round ?? 0)], [t("Copied in the last round"), m.delta ? size(m.delta) : ""], [t("Rate"), m.rate ? t("{size}/s", {size: size(m.rate)}) : ""], [t("Copied"), m.copied_us ? when(m.copied_us) : ""], [t("Created"), when(m.created_us)]]),
});

// SPDX-License-Identifier: Apache-2.0
// Requests for spot instances, and what became of each. They are made and cancelled by EC2's calls.
import {html, nothing, nameOf, refName, refLink, mark, pairs, copyable, when, emptyCard, SUPPORT} from "../parts.js";
import {resourcePage} from "../resource.js";
import {t, time} from "../words.js";

const tones = {open: "go", active: "ok", failed: "bad"};
const stage = (r) => (r.interrupt_us ? mark("bad", t("interruption at {time}", {time: time(r.interrupt_us)})) : mark(tones[r.stage] ?? "off", t(r.stage)));
const type = (r) => (r.is_persistent ? t("persistent") : t("one-time"));

export const view = resourcePage({
	name: "spot-requests", kind: "spot-requests", kinds: ["instances"], command: "spot-requests.list", title: () => t("Spot requests"), sort: "-made", state: stage,
	search: (r) => [r.status, refName("instances", r.instance)], keys: {state: (r) => r.stage, status: (r) => r.status, instance: (r) => refName("instances", r.instance)},
	columns: [
		{key: "name", title: () => t("Name"), width: "26%", sort: nameOf},
		{key: "state", title: () => t("State"), width: "22%", text: (r) => r.stage, cell: stage},
		{key: "instance", title: () => t("Instance"), width: "22%", sort: (r) => refName("instances", r.instance), cell: (r) => refLink("instances", r.instance)},
		{key: "type", title: () => t("Type"), wide: true, width: "12%", text: type},
		{key: "made", title: () => t("Created"), wide: true, sort: (r) => r.created_us, text: (r) => time(r.created_us)},
	],
	empty: () => emptyCard(t("No spot requests"), t("A spot instance costs less. Its capacity may be taken back, two minutes after a notice."), nothing),
	oneActions: [SUPPORT],
	more: (r) => (r.problem ? html`<div class="card why"><h2>${t("Last launch failure")}</h2><p>${r.problem}</p></div>` : nothing),
	facts: (r) => pairs([[t("State"), stage(r)], [t("Status code"), r.status], [t("Instance"), r.instance ? refLink("instances", r.instance) : ""], [t("Type"), type(r)], [t("On interruption"), r.stops ? t("Stop") : t("Terminate")], [t("Maximum price per hour"), r.max_price || t("on-demand price")], [t("Valid from"), r.valid_from_us ? when(r.valid_from_us) : ""], [t("Valid until"), r.valid_until_us ? when(r.valid_until_us) : ""], [t("Created"), when(r.created_us)], ["EC2", r.ec2 ? copyable(r.ec2) : ""]]),
});

// SPDX-License-Identifier: Apache-2.0
// Hosts: the machines that run instances, for operators; how full each is, and what is in its way.
import {html, nothing, nameOf, shortId, stateOf, refName, pairs, when, mark, gauge, ask, report, oneByOne} from "../parts.js";
import {resourcePage} from "../resource.js";
import {rows} from "../store.js";
import {href, here} from "../router.js";
import {chartsCard} from "../charts.js";
import {t, size, number, time, list as words} from "../words.js";
import {post, patch} from "../api.js";
import {showCommand} from "../commands.js";

const usage = (h) => h.usage ?? {};
const memoryLimit = (h) => Math.max(0, (h.seen_memory ?? 0) - (h.reserved_memory ?? 0));
const vcpuLimit = (h) => Math.floor((h.seen_cpus ?? 0) * (h.overcommit_percent || 100) / 100);

function hostState(h) {
	if (h.state === "down" || h.conditions?.length)
		return stateOf(h);
	if (h.maintenance_us)
		return mark("go", t("maintenance"));
	return h.enabled === false ? mark("off", t("closed to new instances")) : stateOf(h);
}

function meter(used, limit, label) {
	const share = limit > 0 ? Math.min(1, used / limit) : 0;
	return html`<span class="gauge"><svg viewBox="0 0 100 6" preserveAspectRatio="none" role="img" aria-label=${`${label} ${Math.round(share * 100)} %`} class=${share > 0.9 ? "bad" : share > 0.75 ? "go" : "ok"}><rect class="track" width="100" height="6"/><rect class="fill" width=${share * 100} height="6"/></svg></span>`;
}

/** Asks why, and does it to each. */
function withReason(chosen, title, words, label, send) {
	ask({title, label, danger: true, body: () => html`<p>${words}</p><label class="f">${t("Why")}<input name="reason" maxlength="255" autofocus></label>`,
		submit: (form) => report(title, () => oneByOne(chosen, (h) => send(h, form.get("reason")))).then(() => false)});
}

const drain = (chosen) => {
	showCommand("hosts.maintenance", {ids: chosen});
	withReason(chosen, t("Drain {names}", {names: words(chosen.map(nameOf))}), t("Their running instances go elsewhere, and nothing new is placed on them."), t("Drain"), (h, reason) => post(`/hosts/${h.id}/drain`, reason ? {reason} : {}));
};
const close = (chosen) => {
	showCommand("hosts.disable", {ids: chosen});
	withReason(chosen, t("Close {names}", {names: words(chosen.map(nameOf))}), t("Nothing new is placed on them. What runs there goes on."), t("Close to new instances"), (h, reason) => patch(`/hosts/${h.id}`, {enabled: false, ...(reason ? {reason} : {})}));
};
const open = (chosen) => {
	showCommand("hosts.enable", {ids: chosen});
	return report(t("{n} hosts are open again", {n: chosen.length}), () => oneByOne(chosen, async (h) => {
		if (h.maintenance_us)
			await post(`/hosts/${h.id}/end-maintenance`, {});
		if (h.enabled === false)
			await patch(`/hosts/${h.id}`, {enabled: true});
	}));
};

const instancesOf = (h) => rows("instances").filter((r) => r.host === h.id && r.state !== "terminated");

export const view = resourcePage({
	name: "hosts", kind: "hosts", kinds: ["zones"], alsoNeeds: ["instances"], command: "hosts.list", title: () => t("Hosts"),
	search: (h) => [h.uri, h.address, h.seen_version], keys: {state: (h) => h.state, zone: (h) => refName("zones", h.zone)},
	columns: [
		{key: "name", title: () => t("Host"), width: "20%", sort: nameOf},
		{key: "state", title: () => t("State"), width: "22%", text: (h) => h.state, cell: hostState},
		{key: "vcpu", title: () => t("vCPUs"), wide: true, width: "17%", sort: (h) => (usage(h).vcpus ?? 0) / (vcpuLimit(h) || 1), cell: (h) => meter(usage(h).vcpus ?? 0, vcpuLimit(h), t("vCPUs"))},
		{key: "memory", title: () => t("Memory"), wide: true, width: "17%", sort: (h) => (usage(h).memory ?? 0) / (memoryLimit(h) || 1), cell: (h) => meter(usage(h).memory ?? 0, memoryLimit(h), t("Memory"))},
		{key: "instances", title: () => t("Instances"), num: true, width: "12%", sort: (h) => usage(h).instances ?? 0, text: (h) => number(usage(h).instances ?? 0)},
		{key: "zone", title: () => t("Zone"), wide: true, text: (h) => refName("zones", h.zone)},
	],
	chips: [{title: () => t("all"), query: ""}, {title: () => t("answer"), query: "state:up"}, {title: () => t("do not answer"), query: "state:down"}],
	actions: [
		{id: "enable", title: () => t("Open again"), may: (h) => h.enabled === false || Boolean(h.maintenance_us), run: open},
		{id: "disable", title: () => t("Close"), may: (h) => h.enabled !== false, run: close, danger: true},
		{id: "maintenance", title: () => t("Drain"), may: (h) => h.enabled !== false, run: drain, danger: true},
	],
	verb: "hosts",
	facts: (h) => html`${gauge(t("vCPUs"), usage(h).vcpus ?? 0, vcpuLimit(h), number)}${gauge(t("Memory"), usage(h).memory ?? 0, memoryLimit(h), size)}${gauge(t("Disk"), usage(h).disk ?? 0, h.seen_disk ?? 0, size)}
		${pairs([[t("State"), hostState(h)], [t("Since"), h.seen_since_us ? time(h.seen_since_us) : ""], [t("Zone"), refName("zones", h.zone)], [t("Address"), h.address], ["URI", h.uri, "m"], [t("Processor"), h.seen_cpu], [t("Virtualisation"), h.seen_virt], [t("Version"), h.seen_version], [t("Started"), when(h.seen_booted_us)], [t("Made"), when(h.created_us)]])}`,
	more: (h) => {
		const there = instancesOf(h);
		return html`${here.id ? chartsCard(`/hosts/${h.id}`) : nothing}<div class="card"><h2>${t("{n} instances on it", {n: there.length})}</h2>${there.length ? html`<ul class="plainlist">${there.slice(0, 40).map((r) => html`<li><a href=${href("instances", shortId(r))}>${nameOf(r)}</a> ${stateOf(r)}</li>`)}</ul>` : nothing}</div>`;
	},
});

// SPDX-License-Identifier: Apache-2.0
// Hosts, for operators: usage and conditions.
import {html, nothing, nameOf, shortId, stateOf, refName, pairs, when, mark, gauge, ask, note, report, oneByOne} from "../parts.js";
import {byName} from "../forms.js";
import {resourcePage} from "../resource.js";
import {rows, touch} from "../store.js";
import {href, here} from "../router.js";
import {chartsCard} from "../charts.js";
import {t, size, number, time, list as words} from "../words.js";
import {get, post, patch, remove} from "../api.js";
import {showCommand} from "../command_bar.js";
import {fenceOf, hasFence, setFencing, fence, confirmOff} from "../fencing.js";
import {migrateFrom, migrationCard} from "../migrate.js";
import {previewMoves} from "../host_moves.js";

const usage = (h) => h.usage ?? {};
const memoryLimit = (h) => Math.max(0, (h.seen_memory ?? 0) - (h.reserved_memory ?? 0));
const vcpuLimit = (h) => Math.floor((h.seen_cpus ?? 0) * (h.overcommit_percent || 100) / 100);

function hostState(h) {
	if (h.forced_down)
		return mark("bad", t("forced down"));
	if (h.state === "down" || h.conditions?.length)
		return stateOf(h);
	if (h.maintenance_us)
		return mark("go", t("maintenance"));
	return h.enabled === false ? mark("off", t("scheduling disabled")) : stateOf(h);
}

function meter(used, limit, label) {
	const share = limit > 0 ? Math.min(1, used / limit) : 0;
	return html`<span class="meter"><span class="num">${Math.round(share * 100)} %</span><svg viewBox="0 0 100 6" preserveAspectRatio="none" role="img" aria-label=${`${label} ${Math.round(share * 100)} %`} class=${share > 0.9 ? "bad" : share > 0.75 ? "go" : "ok"}><rect class="track" width="100" height="6"/><rect class="fill" width=${share * 100} height="6"/></svg></span>`;
}

const NAMES_MAX = 8;
/** Instances on the hosts, as far as visible. */
function whatIsOn(chosen) {
	const ids = new Set(chosen.map((h) => h.id)), there = rows("instances").filter((r) => ids.has(r.host) && r.state !== "terminated"), all = chosen.reduce((sum, h) => sum + (usage(h).instances ?? 0), 0);
	return all ? html`<p><strong>${t("{n} instances", {n: all})}</strong>${there.length ? `: ${words(there.slice(0, NAMES_MAX).map(nameOf))}${all > Math.min(NAMES_MAX, there.length) ? " …" : ""}` : nothing}</p>` : html`<p class="dim">${t("No instances.")}</p>`;
}

/** Registers a machine that is set up. Setting one up needs SSH from dari's own machine: a browser only shows that command. */
function add() {
	const preview = (form) => showCommand("hosts.add", form ? Object.fromEntries(new FormData(form)) : {});
	ask({title: t("Add host"), label: t("Add host"), wide: true,
		body: () => html`<div @input=${(e) => preview(e.target.form)}><p>${t("A machine that is not set up yet: run the command below on the server, with root@ADDRESS as the name. It sets the machine up over SSH and adds it. Append --plan to see the steps first.")}</p>
			<p>${t("A machine that is set up: enter its name, and choose Add host.")}</p>
			<div class="grid2"><label class="f">${t("Name, or root@ADDRESS")}<input name="name" maxlength="255" required spellcheck="false" autofocus></label><label class="f">${t("Availability Zone")}<select name="zone">${byName("zones").map((z) => html`<option>${z.name}</option>`)}</select></label>
			<label class="f">${t("Migration address (empty: same)")}<input name="address" maxlength="255" spellcheck="false"></label><label class="f">${t("libvirt’s URI (empty: qemu+tls)")}<input name="uri" maxlength="255" spellcheck="false"></label></div></div>`,
		submit: async (form) => {
			const body = Object.fromEntries([...form].filter(([, value]) => value));
			if (body.name.includes("@"))
				throw new Error(t("This console cannot set machines up over SSH. Run the command below on the server."));
			const host = await post("/hosts", body);
			note(t("Host {name} added", {name: host.name ?? body.name}));
		}});
	preview(null);
}

/** Asks for a reason, and runs the action on each host. more: what it affects; undo(host): takes it back. */
function withReason(chosen, title, why, label, send, {more = () => whatIsOn(chosen), undo = null} = {}) {
	ask({title, label, danger: true, wide: true, body: () => html`<p>${why}</p>${more()}<label class="f">${t("Reason")}<input name="reason" maxlength="255" autofocus></label>`,
		submit: (form) => report(title, () => oneByOne(chosen, (h) => send(h, form.get("reason"))), undo && (() => oneByOne(chosen, undo))).then(() => false)});
}

const drain = (chosen) => {
	showCommand("hosts.maintenance", {ids: chosen});
	const moves = previewMoves(chosen);
	withReason(chosen, t("Drain {names}", {names: words(chosen.map(nameOf))}), t("Live-migrates running instances to other hosts and disables scheduling."), t("Drain"), (h, reason) => post(`/hosts/${h.id}/drain`, reason ? {reason} : {}), {more: () => moves("drain")});
};
const close = (chosen) => {
	showCommand("hosts.disable", {ids: chosen});
	withReason(chosen, t("Disable scheduling on {names}", {names: words(chosen.map(nameOf))}), t("No new instances are placed there. Running instances are not affected."), t("Disable scheduling"), (h, reason) => patch(`/hosts/${h.id}`, {enabled: false, ...(reason ? {reason} : {})}), {undo: (h) => patch(`/hosts/${h.id}`, {enabled: true})});
};
const open = (chosen) => {
	showCommand("hosts.enable", {ids: chosen});
	return report(t("Scheduling enabled on {n} hosts", {n: chosen.length}), () => oneByOne(chosen, async (h) => {
		if (h.maintenance_us)
			await post(`/hosts/${h.id}/end-maintenance`, {});
		if (h.enabled === false)
			await patch(`/hosts/${h.id}`, {enabled: true});
	}));
};

const KINDS = {move: () => t("Live-migrate"), reboot: () => t("Stop and restart afterwards"), stop: () => t("Stop")};
const begins = (form) => (form.get("begins") ? Date.parse(form.get("begins")) * 1000 : 0);
function plan(chosen) {
	const moves = previewMoves(chosen);
	let kind = "move";
	const preview = (form) => {
		const said = form ? new FormData(form) : null;
		kind = said?.get("kind") ?? kind;
		touch();
		showCommand("hosts.plan", {ids: chosen, kind: said?.get("kind") ?? "move", from_us: said ? begins(said) : 0, reason: said?.get("reason") ?? ""});
	};
	ask({title: t("Schedule maintenance: {names}", {names: words(chosen.map(nameOf))}), label: t("Schedule"), danger: true, wide: true,
		body: () => html`<div @input=${(e) => preview(e.target.form)} @change=${(e) => preview(e.target.form)}><p>${t("Disables scheduling now. Owners of the instances see the scheduled event.")}</p><label class="f">${t("Instances on the host")}<select name="kind" autofocus>${Object.entries(KINDS).map(([k, word]) => html`<option value=${k}>${word()}</option>`)}</select></label>
			<label class="f">${t("Start time (empty: now)")}<input type="datetime-local" name="begins"></label><label class="f">${t("Reason")}<input name="reason" maxlength="255"></label></div>${moves(kind)}`,
		submit: (form) => report(t("Maintenance scheduled"), () => oneByOne(chosen, (h) => post(`/hosts/${h.id}/maintenance`, {kind: form.get("kind"), begins_us: begins(form), ...(form.get("reason") ? {reason: form.get("reason")} : {})}))).then(() => false)});
	preview(null);
}
const maintenanceOf = (h) => (h.maintenance_us ? html`${t("from")} ${time(h.maintenance_us)}${h.maintenance_end_us ? ` – ${time(h.maintenance_end_us)}` : ""}: ${(KINDS[h.maintenance_kind] ?? KINDS.reboot)()}${h.maintenance_reason ? html` <span class="dim">${h.maintenance_reason}</span>` : nothing}` : "");

const setDown = (chosen) => {
	showCommand("hosts.down", {ids: chosen});
	withReason(chosen, t("Mark host down: {names}", {names: words(chosen.map(nameOf))}), t("Treats the host as down whatever it reports. Its instances are restarted elsewhere only after the host is confirmed to be off."), t("Force down"), (h, reason) => patch(`/hosts/${h.id}`, {forced_down: true, ...(reason ? {reason} : {})}));
};
const believe = (chosen) => {
	showCommand("hosts.answers", {ids: chosen});
	return report(t("Forced down cleared"), () => oneByOne(chosen, (h) => patch(`/hosts/${h.id}`, {forced_down: false})));
};
function drop(chosen) {
	showCommand("hosts.remove", {ids: chosen});
	ask({title: t("Remove {names} from the region?", {names: words(chosen.map(nameOf))}), danger: true, label: t("Remove"), typed: chosen.length === 1 ? nameOf(chosen[0]) : chosen.length,
		body: () => html`<p>${t("A host can be removed once it has no instances and no volumes. The machine itself is not changed.")}</p>${whatIsOn(chosen)}`,
		submit: () => report(t("Host removed"), () => oneByOne(chosen, (h) => remove(`/hosts/${h.id}`))).then(() => false)});
}

// ---- progress of a drain ----

/** host → {items, at}: migrations of its last drain. A drain moves instances of all accounts; the rows here are only some of them. */
const moves = new Map();
const AGAIN_MS = 2000;
function drainOf(h) {
	const known = moves.get(h.id) ?? {items: [], at: -Infinity};
	const isOver = known.items.length && known.items.every((m) => m.ended_us);
	if (performance.now() - known.at > (isOver ? 5 * AGAIN_MS : AGAIN_MS)) {
		moves.set(h.id, {...known, at: performance.now()});
		get(`/migrations?all=1&host=${h.id}&fields=*&order=-created&limit=1000`).then(({items}) => {
			const last = items[0]?.created_us; // a drain creates all of its migrations at once
			moves.set(h.id, {items: items.filter((m) => m.created_us === last), at: performance.now()});
			touch();
		}, () => {});
		setTimeout(touch, AGAIN_MS + 50);
	}
	return known.items;
}

function drainCard(h) {
	const all = h.enabled === false ? drainOf(h) : [], gone = all.filter((m) => m.ended_us), failed = gone.filter((m) => m.problem);
	if (!all.length)
		return nothing;
	return html`<div class="card" role="status"><h2>${gone.length < all.length ? mark("go", t("Draining")) : failed.length ? mark("bad", t("{n} not migrated", {n: failed.length})) : mark("ok", t("Drained"))}</h2>
		${gauge(t("Migrated"), gone.length - failed.length, all.length, number)}${failed.length ? html`<ul>${failed.map((m) => html`<li><span lang="en">${m.problem}</span></li>`)}</ul>` : nothing}</div>`;
}

const isDown = (h) => h.state === "down"; // a host that answers is not fenced
const instancesOf = (h) => rows("instances").filter((r) => r.host === h.id && r.state !== "terminated");

export const view = resourcePage({
	name: "hosts", kind: "hosts", kinds: ["zones"], alsoNeeds: ["instances"], command: "hosts.list", title: () => t("Hosts"),
	search: (h) => [h.uri, h.address, h.seen_version], keys: {state: (h) => h.state, zone: (h) => refName("zones", h.zone)},
	columns: [
		{key: "name", title: () => t("Host"), width: "20%", sort: nameOf},
		{key: "state", title: () => t("State"), width: "18%", text: (h) => h.state, cell: hostState},
		{key: "vcpu", title: () => t("vCPUs"), wide: true, width: "13%", sort: (h) => (usage(h).vcpus ?? 0) / (vcpuLimit(h) || 1), cell: (h) => meter(usage(h).vcpus ?? 0, vcpuLimit(h), t("vCPUs"))},
		{key: "memory", title: () => t("Memory"), wide: true, width: "13%", sort: (h) => (usage(h).memory ?? 0) / (memoryLimit(h) || 1), cell: (h) => meter(usage(h).memory ?? 0, memoryLimit(h), t("Memory"))},
		{key: "disk", title: () => t("Disk"), wide: true, width: "13%", sort: (h) => (usage(h).disk ?? 0) / (h.seen_disk || 1), cell: (h) => meter(usage(h).disk ?? 0, h.seen_disk ?? 0, t("Disk"))},
		{key: "instances", title: () => t("Instances"), num: true, width: "12%", sort: (h) => usage(h).instances ?? 0, text: (h) => number(usage(h).instances ?? 0)},
		{key: "zone", title: () => t("Availability Zone"), wide: true, width: "14%", text: (h) => refName("zones", h.zone)},
	],
	chips: [{title: () => t("all"), query: ""}, {title: () => t("online"), query: "state:up"}, {title: () => t("offline"), query: "state:down"}],
	actions: [
		{id: "enable", title: () => t("Enable scheduling"), may: (h) => h.enabled === false || Boolean(h.maintenance_us), run: open},
		{id: "disable", title: () => t("Disable scheduling"), may: (h) => h.enabled !== false, run: close, danger: true},
		{id: "maintenance", title: () => t("Drain"), may: (h) => h.enabled !== false, run: drain, danger: true},
		{id: "plan", title: () => t("Schedule maintenance"), may: (h) => !h.maintenance_us, run: plan, danger: true},
		{id: "down", title: () => t("Force down"), may: (h) => !h.forced_down, run: setDown, danger: true},
		{id: "answers", title: () => t("Clear forced down"), may: (h) => Boolean(h.forced_down), run: believe},
		{id: "remove", title: () => t("Remove"), run: drop, danger: true},
	],
	oneActions: [{id: "migrate", asks: true, permission: "instance.migrate", title: () => t("Live-migrate an instance"), may: (h) => (usage(h).instances ?? 0) > 0, run: migrateFrom},
		{id: "fencing", asks: true, title: () => t("Set fence device"), run: setFencing},
		{id: "fence", asks: true, isRare: true, title: () => t("Fence"), may: (h) => hasFence(h) && isDown(h), run: fence, danger: true},
		{id: "fenced", asks: true, isRare: true, title: () => t("Confirm that it is off"), may: isDown, run: confirmOff, danger: true}],
	verb: "hosts", lead: () => html`<button type="button" class="b1" @click=${add}>${t("Add host")}</button>`,
	facts: (h) => html`${gauge(t("vCPUs"), usage(h).vcpus ?? 0, vcpuLimit(h), number)}${gauge(t("Memory"), usage(h).memory ?? 0, memoryLimit(h), size)}${gauge(t("Disk"), usage(h).disk ?? 0, h.seen_disk ?? 0, size)}
		${pairs([[t("State"), hostState(h)], [t("Last state change"), h.seen_since_us ? time(h.seen_since_us) : ""], [t("Maintenance"), maintenanceOf(h)], [t("Fence device"), fenceOf(h)], [t("Availability Zone"), refName("zones", h.zone)], [t("Address"), h.address], ["URI", h.uri, "m"], [t("CPU"), h.seen_cpu], [t("Hypervisor"), h.seen_virt], [t("Version"), h.seen_version], [t("Up since"), when(h.seen_booted_us)], [t("Created"), when(h.created_us)]])}`,
	more: (h) => {
		const there = instancesOf(h);
		const all = Math.max(usage(h).instances ?? 0, there.length), others = all - there.length; // the rows here belong to one account
		return html`${drainCard(h)}${h.enabled === false ? nothing : migrationCard({host: h})}${here.id ? chartsCard(`/hosts/${h.id}`) : nothing}<div class="card"><h2>${t("{n} instances", {n: all})}</h2>${there.length ? html`<ul class="plainlist">${there.slice(0, 40).map((r) => html`<li><a href=${href("instances", shortId(r))}>${nameOf(r)}</a> ${stateOf(r)}</li>`)}</ul>` : nothing}${others ? html`<p class="dim">${t("{n} of them belong to other accounts.", {n: others})}</p>` : nothing}</div>`;
	},
});

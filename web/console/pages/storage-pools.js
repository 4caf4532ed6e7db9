// SPDX-License-Identifier: Apache-2.0
// Storage that several hosts see, for operators: a directory that each of them has mounted, or a pool of Ceph.
import {html, nothing, nameOf, mark, refName, pairs, gauge, when, emptyCard, ask, note, report, oneByOne} from "../parts.js";
import {byName} from "../forms.js";
import {resourcePage} from "../resource.js";
import {rows, reload, touch} from "../store.js";
import {t, size, list as words} from "../words.js";
import {post, patch, remove} from "../api.js";
import {showCommand} from "../command_bar.js";

const used = (p) => p.usage?.disk ?? 0;
const hostsOf = (p) => rows("pool-hosts").filter((h) => h.pool === p.id);
const kindOf = (p) => (p.kind === "rbd" ? t("Ceph (RBD)") : t("Shared directory"));

function stateOfPool(p) {
	const seen = hostsOf(p), proven = seen.filter((h) => h.seen_state === "proven").length;
	if (p.conditions?.length)
		return mark("bad", t(p.conditions[0].name));
	if (p.enabled === false)
		return mark("off", t("no new volumes"));
	return mark(proven === seen.length ? "ok" : "go", t("{n} of {hosts} hosts see it", {n: proven, hosts: seen.length}));
}

let isCeph = false; // as the open form says
const fieldsOf = () => (isCeph
	? html`<label class="f">${t("Monitors (address:port, separated by commas)")}<input name="monitors" required maxlength="4096" spellcheck="false"></label><label class="f">${t("Pool in Ceph")}<input name="rbd_pool" required maxlength="255" spellcheck="false"></label>
		<label class="f">${t("User in Ceph, without client.")}<input name="rbd_user" required maxlength="255" spellcheck="false"></label><label class="f">${t("Key of that user")}<input name="key" type="password" required maxlength="4096" autocomplete="off"></label>`
	: html`<label class="f">${t("Directory, mounted on each host")}<input name="path" required maxlength="1024" pattern="/.+" placeholder="/srv/shared" spellcheck="false"></label>`);

function read(form) {
	const said = Object.fromEntries([...form].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value));
	return said.monitors ? {...said, monitors: said.monitors.split(",").map((one) => one.trim())} : said;
}

function add() {
	const preview = (form) => showCommand("pools.add", {body: form ? {...read(form), ...(form.get("key") ? {key: "KEY"} : {})} : {}});
	isCeph = false;
	ask({title: t("Add storage pool"), label: t("Add"), wide: true,
		body: () => html`<div class="grid2" @input=${(e) => preview(new FormData(e.target.form))}><label class="f">${t("Name")}<input name="name" required maxlength="255" spellcheck="false" autofocus></label>
			<label class="f">${t("Type")}<select name="kind" @change=${(e) => { isCeph = e.target.value === "rbd"; touch(); }}><option value="shared-dir">${t("Shared directory")}</option><option value="rbd">${t("Ceph (RBD)")}</option></select></label>
			${fieldsOf()}<label class="f">${t("Availability Zone")}<select name="zone"><option value="">${t("all")}</option>${byName("zones").map((z) => html`<option value=${z.id}>${z.name}</option>`)}</select></label></div>
			<p class="hint">${t("All hosts see it unless a zone is chosen. Each host proves that it does before a volume is placed there.")}</p>`,
		submit: async (form) => {
			const body = read(form);
			await post("/storage-pools", body);
			note(t("Storage pool {name} added", {name: body.name}));
			return reload("storage-pools").then(() => reload("pool-hosts")).then(() => false);
		}});
	preview(null);
}

const send = (chosen, enabled) => oneByOne(chosen, (p) => patch(`/storage-pools/${p.id}`, {enabled}));
const turn = (enabled) => (chosen) => {
	showCommand(enabled ? "pools.enable" : "pools.disable", {ids: chosen});
	return report(enabled ? t("{names} take new volumes", {names: words(chosen.map(nameOf))}) : t("{names} take no new volumes", {names: words(chosen.map(nameOf))}), () => send(chosen, enabled), () => send(chosen, !enabled));
};

function drop(chosen) {
	showCommand("pools.remove", {ids: chosen});
	ask({title: t("Remove {names} from the region?", {names: words(chosen.map(nameOf))}), danger: true, label: t("Remove"),
		body: () => html`<p>${t("A pool can be removed once no volume is in it. Its files are not deleted.")}</p>`,
		submit: () => report(t("Storage pool removed"), () => oneByOne(chosen, (p) => remove(`/storage-pools/${p.id}`))).then(() => false)});
}

function hostsCard(p) {
	const seen = hostsOf(p), word = {proven: () => mark("ok", t("sees it")), unproven: () => mark("bad", t("sees other files")), unknown: () => mark("go", t("not proven yet"))};
	return seen.length ? html`<div class="card"><h2>${t("Hosts")}</h2><ul class="plainlist">${seen.map((h) => html`<li>${refName("hosts", h.host)} ${(word[h.seen_state] ?? word.unknown)()}</li>`)}</ul></div>` : nothing;
}

export const view = resourcePage({
	name: "storage-pools", kind: "storage-pools", kinds: ["pool-hosts", "hosts", "zones"], verb: "pools", command: "pools.list", title: () => t("Storage pools"), state: stateOfPool,
	search: (p) => [p.description, p.path, p.rbd_pool], keys: {type: (p) => p.kind, zone: (p) => refName("zones", p.zone)},
	columns: [
		{key: "name", title: () => t("Name"), width: "26%", sort: nameOf},
		{key: "state", title: () => t("State"), width: "26%", cell: stateOfPool},
		{key: "type", title: () => t("Type"), width: "18%", text: kindOf},
		{key: "size", title: () => t("Size"), num: true, width: "12%", sort: (p) => p.seen_size ?? 0, text: (p) => (p.seen_size ? size(p.seen_size) : "–")},
		{key: "zone", title: () => t("Availability Zone"), wide: true, text: (p) => (p.zone ? refName("zones", p.zone) : t("all"))},
	],
	actions: [{id: "enable", title: () => t("Allow new volumes"), may: (p) => p.enabled === false, run: turn(true)},
		{id: "disable", title: () => t("Allow no new volumes"), may: (p) => p.enabled !== false, run: turn(false)},
		{id: "remove", title: () => t("Remove"), run: drop, danger: true}],
	lead: () => html`<button type="button" class="b1" @click=${add}>${t("Add storage pool")}</button>`,
	empty: () => emptyCard(t("No storage pools"), t("Disks are in the directory of each host. A storage pool is storage that several hosts see, so that instances restart on another host."), html`<button type="button" class="b1" @click=${add}>${t("Add storage pool")}</button>`),
	more: hostsCard,
	facts: (p) => html`${p.seen_size ? gauge(t("Volumes"), used(p), p.seen_size, size) : nothing}${pairs([[t("State"), stateOfPool(p)], [t("Type"), kindOf(p)], [t("Directory"), p.path, "m"], [t("Monitors"), (p.monitors ?? []).join(", "), "m"], [t("Pool in Ceph"), p.rbd_pool],
		[t("Availability Zone"), p.zone ? refName("zones", p.zone) : t("all")], [t("Description"), p.description], [t("Created"), when(p.created_us)]])}`,
});

// SPDX-License-Identifier: Apache-2.0
// Instance types (OpenStack: flavors), for operators: sizes, and the accounts that may use them.
import {html, nothing, nameOf, mark, pairs, copyable, when, emptyCard, ask, note, report, oneByOne} from "../parts.js";
import {resourcePage} from "../resource.js";
import {rows, applyRow, countIf} from "../store.js";
import {t, size, number, list as words} from "../words.js";
import {post, patch} from "../api.js";
import {showCommand} from "../command_bar.js";
import {accessCard} from "../access.js";

const GIB = 2 ** 30, MIB = 2 ** 20;
const isPublic = (r) => Boolean(r.is_public);
const access = (r) => (isPublic(r) ? t("public") : t("private"));
const state = (r) => (r.enabled === false ? mark("off", t("disabled")) : mark("ok", t("enabled")));
const used = (r) => countIf("instances", (i) => i.type === r.id && i.state !== "terminated");
const figure = (form, name, unit) => Math.round(Number(form.get(name) || 0) * unit);

function read(form) {
	const body = {name: form.get("name").trim(), vcpus: Number(form.get("vcpus")), memory: figure(form, "memory", GIB), is_public: form.get("public") === "on"};
	for (const [name, unit] of [["root_disk", GIB], ["ephemeral_disk", GIB], ["swap_disk", MIB]])
		if (figure(form, name, unit))
			body[name] = figure(form, name, unit);
	for (const name of ["flavor_id", "description"])
		if (form.get(name).trim())
			body[name] = form.get(name).trim();
	return body;
}

function create() {
	const preview = (form) => showCommand("instance-types.create", {body: form ? read(form) : {name: "", vcpus: 1, memory: GIB}});
	ask({title: t("Create instance type"), label: t("Create"), wide: true,
		body: () => html`<div @input=${(e) => preview(new FormData(e.target.form))}><div class="grid2"><label class="f">${t("Name")}<input name="name" required maxlength="255" autofocus spellcheck="false" placeholder="c2.large"></label><label class="f">${t("Description")}<input name="description" maxlength="255"></label>
			<label class="f">${t("vCPUs")}<input name="vcpus" type="number" min="1" max="1024" value="1" required></label><label class="f">${t("Memory (GiB)")}<input name="memory" type="number" min="0.0625" max="16384" step="any" value="1" required></label>
			<label class="f">${t("Root disk (GiB, 0: as the image)")}<input name="root_disk" type="number" min="0" max="16384" value="0"></label><label class="f">${t("Ephemeral disk (GiB)")}<input name="ephemeral_disk" type="number" min="0" max="16384" value="0"></label>
			<label class="f">${t("Swap disk (MiB)")}<input name="swap_disk" type="number" min="0" max="16777216" value="0"></label><label class="f">${t("Flavor ID (empty: a UUID)")}<input name="flavor_id" maxlength="255" spellcheck="false"></label></div>
			<label class="check"><input type="checkbox" name="public" checked> ${t("Public: every account may use it")}</label></div><p class="hint">${t("The sizes of an instance type cannot be changed later.")}</p>`,
		submit: async (form) => {
			const body = read(form);
			applyRow("instance-types", (await post("/instance-types", body)).items?.[0]);
			note(t("Instance type {name} created", {name: body.name}));
		}});
	preview(null);
}

function edit([r]) {
	const readForm = (form) => Object.fromEntries([["name", form.get("name").trim()], ["description", form.get("description").trim()], ["enabled", form.get("enabled") === "on"]].filter(([key, value]) => value !== (r[key] ?? (key === "enabled" ? true : ""))));
	const preview = (form) => showCommand("instance-types.update", {ids: [r], body: form ? readForm(form) : {}});
	ask({title: t("Edit {name}", {name: nameOf(r)}), label: t("Save"),
		body: () => html`<div @input=${(e) => preview(new FormData(e.target.form))}><label class="f">${t("Name")}<input name="name" required maxlength="255" value=${r.name} autofocus spellcheck="false"></label><label class="f">${t("Description")}<input name="description" maxlength="255" value=${r.description ?? ""}></label>
			<label class="check"><input type="checkbox" name="enabled" ?checked=${r.enabled !== false}> ${t("Offered for new instances")}</label></div><p class="hint">${t("Sizes and public access stay as they were created.")}</p>`,
		submit: async (form) => {
			const body = readForm(form);
			if (Object.keys(body).length)
				applyRow("instance-types", (await patch(`/instance-types/${r.id}`, body, r.gen)).items?.[0]);
		}});
	preview(null);
}

function drop(chosen) {
	const count = chosen.reduce((sum, r) => sum + used(r), 0);
	showCommand("instance-types.delete", {ids: chosen});
	ask({title: chosen.length === 1 ? t("Delete {name}?", {name: nameOf(chosen[0])}) : t("Delete {n} instance types?", {n: chosen.length}), danger: true, label: t("Delete"), typed: chosen.length > 5 ? chosen.length : "",
		body: () => html`<p>${words(chosen.slice(0, 12).map(nameOf))}${chosen.length > 12 ? " …" : ""}</p><p>${t("No instance can be launched with it any more. Running instances keep their size.")}</p>${count ? html`<p><strong>${t("Instances of this account that use it: {n}", {n: count})}</strong></p>` : nothing}`,
		submit: () => report(t("Instance types deleted: {n}", {n: chosen.length}), () => post("/instance-types/delete", {ids: chosen.map((r) => r.id)})).then(() => false)});
}

const send = (chosen, enabled) => oneByOne(chosen, (r) => patch(`/instance-types/${r.id}`, {enabled}).then((a) => applyRow("instance-types", a.items?.[0])));
const turn = (enabled) => (chosen) => {
	showCommand("instance-types.update", {ids: chosen, body: {enabled}});
	return report(enabled ? t("Instance types enabled: {n}", {n: chosen.length}) : t("Instance types disabled: {n}", {n: chosen.length}), () => send(chosen, enabled), () => send(chosen, !enabled));
};

export const view = resourcePage({
	name: "instance-types", kind: "instance-types", kinds: ["instances", "accounts", "domains", "zones"], command: "instance-types.list", title: () => t("Instance types"), sort: "memory", state,
	search: (r) => [r.description, r.flavor_id], keys: {state: (r) => (r.enabled === false ? "disabled" : "enabled"), access: (r) => (isPublic(r) ? "public" : "private"), arch: (r) => r.arch},
	columns: [
		{key: "name", title: () => t("Name"), width: "26%", sort: nameOf},
		{key: "vcpus", title: () => t("vCPUs"), num: true, width: "12%", sort: (r) => r.vcpus, text: (r) => number(r.vcpus)},
		{key: "memory", title: () => t("Memory"), num: true, width: "16%", sort: (r) => r.memory, text: (r) => size(r.memory)},
		{key: "disk", title: () => t("Root disk"), num: true, wide: true, width: "14%", sort: (r) => r.root_disk ?? 0, text: (r) => (r.root_disk ? size(r.root_disk) : "–")},
		{key: "access", title: () => t("Access"), width: "16%", text: access},
		{key: "state", title: () => t("State"), wide: true, sort: (r) => (r.enabled === false ? 1 : 0), cell: state},
	],
	chips: [{title: () => t("all"), query: ""}, {title: () => t("private"), query: "access:private"}, {title: () => t("disabled"), query: "state:disabled"}],
	actions: [
		{id: "enable", asks: true, permission: "instance_type.update", title: () => t("Enable"), may: (r) => r.enabled === false, run: turn(true)},
		{id: "disable", asks: true, permission: "instance_type.update", title: () => t("Disable"), may: (r) => r.enabled !== false, run: turn(false)},
		{id: "delete", asks: true, permission: "instance_type.delete", title: () => t("Delete"), run: drop, danger: true},
	],
	oneActions: [{id: "edit", asks: true, permission: "instance_type.update", title: () => t("Edit"), run: edit}],
	lead: () => html`<button type="button" class="b1" @click=${create}>${t("Create instance type")}</button>`,
	empty: () => emptyCard(t("No instance types"), t("An instance type (OpenStack: flavor) is a size that instances are launched with."), html`<button type="button" class="b1" @click=${create}>${t("Create instance type")}</button>`),
	more: (r) => accessCard("instance-types", r),
	facts: (r) => pairs([[t("State"), state(r)], [t("vCPUs"), number(r.vcpus)], [t("Memory"), size(r.memory)], [t("Root disk"), r.root_disk ? size(r.root_disk) : t("as the image")], [t("Ephemeral disk"), r.ephemeral_disk ? size(r.ephemeral_disk) : ""], [t("Swap disk"), r.swap_disk ? size(r.swap_disk) : ""],
		[t("Architecture"), r.arch], [t("Availability Zone"), r.zones?.length ? words(r.zones.map((id) => nameOf(rows("zones").find((z) => z.id === id) ?? {id}))) : ""], [t("Description"), r.description],
		[t("Extra specs"), Object.keys(r.extra_specs ?? {}).length ? Object.entries(r.extra_specs).map(([key, value]) => html`<div class="m">${key}=${value}</div>`) : ""], [t("Flavor ID"), copyable(r.flavor_id)], [t("Created"), when(r.created_us)]]),
});

// SPDX-License-Identifier: Apache-2.0
// Volume types, for operators: where their new volumes lie, and the accounts that may use them.
import {html, nothing, nameOf, mark, refName, pairs, copyable, when, emptyCard, ask, note, report} from "../parts.js";
import {resourcePage} from "../resource.js";
import {applyRow, countIf} from "../store.js";
import {t, list as words} from "../words.js";
import {post, patch} from "../api.js";
import {showCommand} from "../command_bar.js";
import {accessCard} from "../access.js";

const DEFAULT = "__DEFAULT__"; // the type that Cinder uses if a call names none
const isDefault = (r) => r.name === DEFAULT;
const access = (r) => (r.is_public ? t("public") : t("private"));
const used = (r) => countIf("volumes", (v) => v.type === r.name);
const poolName = (r) => (r.pool ? refName("storage-pools", r.pool) : t("host directory"));
const nameCell = (r) => (isDefault(r) ? html` <span class="chip">${t("default")}</span>` : nothing);

const fields = (r) => html`<label class="f">${t("Name")}<input name="name" required maxlength="255" value=${r?.name ?? ""} ?readonly=${r ? isDefault(r) : false} autofocus spellcheck="false"></label><label class="f">${t("Description")}<input name="description" maxlength="255" value=${r?.description ?? ""}></label>
	<label class="check"><input type="checkbox" name="public" ?checked=${r ? r.is_public : true}> ${t("Public: every account may use it")}</label>`;
const read = (form) => ({name: form.get("name").trim(), description: form.get("description").trim(), is_public: form.get("public") === "on"});

function create() {
	const preview = (form) => showCommand("volume-types.create", {body: form ? read(form) : {name: ""}});
	ask({title: t("Create volume type"), label: t("Create"),
		body: () => html`<div @input=${(e) => preview(new FormData(e.target.form))}>${fields(null)}</div><p class="hint">${t("Its volumes lie in the directory of their host. Assign the type to a storage pool to place new volumes there.")}</p>`,
		submit: async (form) => {
			const body = read(form);
			applyRow("volume-types", (await post("/volume-types", body)).items?.[0]);
			note(t("Volume type {name} created", {name: body.name}));
		}});
	preview(null);
}

function edit([r]) {
	const changes = (form) => Object.fromEntries(Object.entries(read(form)).filter(([key, value]) => value !== (r[key] ?? (key === "is_public" ? false : ""))));
	const preview = (form) => showCommand("volume-types.update", {ids: [r], body: form ? changes(form) : {}});
	ask({title: t("Edit {name}", {name: nameOf(r)}), label: t("Save"),
		body: () => html`<div @input=${(e) => preview(new FormData(e.target.form))}>${fields(r)}</div>${used(r) ? html`<p class="hint">${t("A type with volumes cannot be renamed.")}</p>` : nothing}`,
		submit: async (form) => {
			const body = changes(form);
			if (Object.keys(body).length)
				applyRow("volume-types", (await patch(`/volume-types/${r.id}`, body, r.gen)).items?.[0]);
		}});
	preview(null);
}

function drop(chosen) {
	showCommand("volume-types.delete", {ids: chosen});
	ask({title: chosen.length === 1 ? t("Delete {name}?", {name: nameOf(chosen[0])}) : t("Delete {n} volume types?", {n: chosen.length}), danger: true, label: t("Delete"), typed: chosen.length > 5 ? chosen.length : "",
		body: () => html`<p>${words(chosen.slice(0, 12).map(nameOf))}${chosen.length > 12 ? " …" : ""}</p><p>${t("A type that volumes, volume groups or images use is kept.")}</p>`,
		submit: () => report(t("Volume types deleted: {n}", {n: chosen.length}), () => post("/volume-types/delete", {ids: chosen.map((r) => r.id)})).then(() => false)});
}

export const view = resourcePage({
	name: "volume-types", kind: "volume-types", kinds: ["volumes", "storage-pools", "accounts", "domains"], command: "volume-types.list", title: () => t("Volume types"), state: nameCell,
	search: (r) => [r.description, poolName(r)], keys: {access: (r) => (r.is_public ? "public" : "private"), pool: poolName},
	columns: [
		{key: "name", title: () => t("Name"), width: "22%", sort: nameOf},
		{key: "default", title: () => t("Default"), width: "11%", sort: (r) => (isDefault(r) ? 0 : 1), cell: nameCell},
		{key: "access", title: () => t("Access"), width: "12%", text: access},
		{key: "pool", title: () => t("Storage"), wide: true, width: "17%", text: poolName},
		{key: "description", title: () => t("Description"), wide: true, text: (r) => r.description ?? ""},
	],
	chips: [{title: () => t("all"), query: ""}, {title: () => t("private"), query: "access:private"}],
	actions: [{id: "delete", asks: true, permission: "volume_type.delete", title: () => t("Delete"), may: (r) => !isDefault(r), run: drop, danger: true}],
	oneActions: [{id: "edit", asks: true, permission: "volume_type.update", title: () => t("Edit"), run: edit}],
	lead: () => html`<button type="button" class="b1" @click=${create}>${t("Create volume type")}</button>`,
	empty: () => emptyCard(t("No volume types"), t("A volume type says where and how volumes are stored."), html`<button type="button" class="b1" @click=${create}>${t("Create volume type")}</button>`),
	more: (r) => accessCard("volume-types", r),
	facts: (r) => pairs([[t("Default"), isDefault(r) ? t("Used by OpenStack if a volume names no type.") : ""], [t("Storage"), poolName(r)], [t("Encrypted"), r.encrypted_us ? mark("ok", t("yes")) : t("no")], [t("Description"), r.description],
		[t("Extra specs"), Object.keys(r.specs ?? {}).length ? Object.entries(r.specs).map(([key, value]) => html`<div class="m">${key}=${value}</div>`) : ""], ["OpenStack", copyable(r.id)], [t("Created"), when(r.created_us)]]),
});

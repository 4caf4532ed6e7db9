// SPDX-License-Identifier: Apache-2.0
// Dialogs about volumes, used by several pages.
import {html, nothing, nameOf, ask, note} from "./parts.js";
import {applyRow} from "./store.js";
import {t, list as words} from "./words.js";
import {post, intent} from "./api.js";
import {showCommand} from "./command_bar.js";

export function snapshotDialog(chosen) {
	const preview = (name) => showCommand("snapshots.create", {ids: chosen, name});
	ask({title: t("Create snapshot of {names}", {names: words(chosen.map(nameOf))}), label: t("Create"),
		body: () => html`<label class="f">${t("Description")}<input name="description" maxlength="255" autofocus @input=${(e) => preview(e.target.value)}></label><p class="hint">${t("A point-in-time copy. The instance keeps running.")}</p>`,
		submit: async (form) => {
			for (const v of chosen) {
				const answer = await post("/snapshots", {volume: v.id, ...(form.get("description") ? {description: form.get("description")} : {})}, {"Idempotency-Key": intent()});
				applyRow("snapshots", answer.items?.[0]);
			}
			note(t("Creating {n} snapshots", {n: chosen.length}));
		}});
	preview("");
}

export function backupDialog(chosen) {
	const readForm = (form) => ({name: form?.get("name") ?? "", isIncremental: form?.get("incremental") === "on"}), preview = (form) => showCommand("backups.create", {ids: chosen, ...readForm(form)});
	ask({title: t("Back up {names}", {names: words(chosen.map(nameOf))}), label: t("Back up"),
		body: () => html`<div @input=${(e) => preview(new FormData(e.target.form))}><label class="f">${t("Name")}<input name="name" maxlength="255" autofocus></label>
			<label class="check"><input type="checkbox" name="incremental"> ${t("Only what has changed since the last backup")}</label>
			${chosen.some((v) => v.state === "in-use") ? html`<p class="hint">${t("The instance keeps running. The backup holds what is on the disk at this moment.")}</p>` : nothing}</div>`,
		submit: async (form) => {
			const {name, isIncremental} = readForm(form);
			for (const v of chosen) {
				const body = {volume: v.id, ...(name ? {name} : {}), ...(isIncremental ? {is_incremental: true} : {}), ...(v.state === "in-use" ? {force: true} : {})};
				applyRow("backups", (await post("/backups", body, {"Idempotency-Key": intent()})).items?.[0]);
			}
			note(t("Creating {n} backups", {n: chosen.length}));
		}});
	preview(null);
}

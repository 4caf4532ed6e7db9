// SPDX-License-Identifier: Apache-2.0
// Dialogs about volumes, used by several pages.
import {html, nameOf, ask} from "./parts.js";
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
		}});
	preview("");
}

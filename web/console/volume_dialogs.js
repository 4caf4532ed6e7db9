// SPDX-License-Identifier: Apache-2.0
// Dialogs about volumes that more than one page has.
import {html, nameOf, ask} from "./parts.js";
import {applyRow} from "./store.js";
import {t, list as words} from "./words.js";
import {post, intent} from "./api.js";
import {showCommand} from "./command_bar.js";

export function snapshotDialog(chosen) {
	const preview = (name) => showCommand("snapshots.create", {ids: chosen, name});
	ask({title: t("A snapshot of {names}", {names: words(chosen.map(nameOf))}), label: t("Make it"),
		body: () => html`<label class="f">${t("What is it for?")}<input name="description" maxlength="255" autofocus @input=${(e) => preview(e.target.value)}></label><p class="hint">${t("It has what the disk holds at this moment; the guest goes on.")}</p>`,
		submit: async (form) => {
			for (const v of chosen) {
				const answer = await post("/snapshots", {volume: v.id, ...(form.get("description") ? {description: form.get("description")} : {})}, {"Idempotency-Key": intent()});
				applyRow("snapshots", answer.items?.[0]);
			}
		}});
	preview("");
}

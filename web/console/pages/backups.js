// SPDX-License-Identifier: Apache-2.0
// Backups: copies of volumes outside the region's own storage.
import {html, nameOf, stateOf, refName, refLink, pairs, copyable, when, emptyCard, ask, note, report} from "../parts.js";
import {resourcePage} from "../resource.js";
import {rows, applyRow} from "../store.js";
import {href} from "../router.js";
import {t, size, time} from "../words.js";
import {post, intent} from "../api.js";
import {showCommand} from "../command_bar.js";

const isWhole = (b) => b.state === "available";
const volumeName = (b) => (rows("volumes").some((v) => v.id === b.volume) ? refName("volumes", b.volume) : t("deleted volume"));

function restore([b]) {
	const key = intent(), preview = (name) => showCommand("backups.restore", {ids: [b], name});
	ask({title: t("Restore {name}", {name: nameOf(b)}), label: t("Restore"),
		body: () => html`<p>${t("Creates a volume of {size} with the content of {time}.", {size: size(b.size), time: time(b.data_us || b.created_us)})}</p>
			<label class="f">${t("Name of the new volume")}<input name="name" maxlength="255" autofocus @input=${(e) => preview(e.target.value.trim())}></label>`,
		submit: async (form) => {
			const name = form.get("name").trim();
			const answer = await post(`/backups/${b.id}/restore`, name ? {name} : {}, {"Idempotency-Key": key});
			for (const row of answer.items ?? [])
				applyRow("backups", row);
			note(t("Restoring {name}", {name: nameOf(b)}));
		}});
	preview("");
}

function drop(chosen) {
	showCommand("backups.delete", {ids: chosen});
	ask({title: chosen.length === 1 ? t("Delete {name}?", {name: nameOf(chosen[0])}) : t("Delete {n} backups?", {n: chosen.length}), danger: true, label: t("Delete"), typed: chosen.length > 5 ? chosen.length : "",
		body: () => html`<p>${t("A backup on which incremental backups depend is kept. This action cannot be undone.")}</p>`,
		submit: () => report(t("Deleting {n} backups", {n: chosen.length}), () => post("/backups/delete", {ids: chosen.map((b) => b.id)})).then(() => false)});
}

export const view = resourcePage({
	name: "backups", kind: "backups", kinds: ["volumes"], verb: "backups", command: "backups.list", title: () => t("Backups"), sort: "-made",
	search: (b) => [b.description, volumeName(b)], keys: {state: (b) => b.state, volume: volumeName},
	columns: [
		{key: "name", title: () => t("Name"), width: "26%", sort: nameOf},
		{key: "state", title: () => t("State"), width: "18%", text: (b) => b.state, cell: stateOf},
		{key: "size", title: () => t("Size"), num: true, width: "12%", sort: (b) => b.size ?? 0, text: (b) => size(b.size)},
		{key: "volume", title: () => t("Volume"), wide: true, width: "20%", sort: volumeName, cell: (b) => (rows("volumes").some((v) => v.id === b.volume) ? refLink("volumes", b.volume) : html`<span class="dim">${volumeName(b)}</span>`)},
		{key: "made", title: () => t("Created"), sort: (b) => b.created_us, text: (b) => time(b.created_us)},
	],
	actions: [{id: "delete", permission: "backup.delete", title: () => t("Delete"), may: (b) => ["available", "error"].includes(b.state), run: drop, danger: true}],
	oneActions: [{id: "restore", asks: true, permission: "backup.restore", title: () => t("Restore"), may: isWhole, run: restore}],
	empty: () => emptyCard(t("No backups"), t("A backup is a copy of a volume outside the region’s storage. Choose Back up on a volume."), html`<a class="b b1" href=${href("volumes")}>${t("Go to Volumes")}</a>`),
	facts: (b) => pairs([[t("State"), stateOf(b)], [t("Volume"), rows("volumes").some((v) => v.id === b.volume) ? refLink("volumes", b.volume) : volumeName(b)], [t("Size"), size(b.size)], [t("Stored"), b.stored_size ? size(b.stored_size) : ""],
		[t("Type"), b.parent ? t("incremental") : t("full")], [t("Content as of"), b.data_us ? when(b.data_us) : ""], [t("Description"), b.description], [t("Encrypted"), b.is_encrypted ? t("yes") : t("no")],
		[t("Created"), when(b.created_us)], [t("Problem"), b.problem], ["OpenStack", copyable(b.id)]]),
});

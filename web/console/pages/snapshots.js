// SPDX-License-Identifier: Apache-2.0
// Snapshots: disks as they were at one moment.
import {html, nameOf, stateOf, refName, refLink, pairs, copyable, when, emptyCard, ask, report, SUPPORT} from "../parts.js";
import {resourcePage} from "../resource.js";
import {rows, applyRow} from "../store.js";
import {href} from "../router.js";
import {t, size, time} from "../words.js";
import {post, intent} from "../api.js";
import {showCommand} from "../command_bar.js";

function restore([s]) {
	const key = intent();
	ask({title: t("A volume from {name}", {name: nameOf(s)}), label: t("Create"),
		body: () => html`<div class="grid2"><label class="f">${t("Size in GiB")}<input name="gib" type="number" min=${Math.ceil(s.volume_size / 2 ** 30)} value=${Math.ceil(s.volume_size / 2 ** 30)} required autofocus></label><label class="f">${t("Zone")}<select name="zone">${rows("zones").map((z) => html`<option value=${z.id}>${z.name}</option>`)}</select></label></div>`,
		submit: async (form) => {
			const answer = await post("/volumes", {snapshot: s.id, size: Number(form.get("gib")) * 2 ** 30, zone: form.get("zone")}, {"Idempotency-Key": key});
			for (const row of answer.items ?? [answer])
				applyRow("volumes", row);
		}});
}

function drop(chosen) {
	showCommand("snapshots.delete", {ids: chosen});
	ask({title: chosen.length === 1 ? t("Delete {name}?", {name: nameOf(chosen[0])}) : t("Delete {n} snapshots?", {n: chosen.length}), danger: true, label: t("Delete"), typed: chosen.length > 5 ? chosen.length : "",
		body: () => html`<p>${t("Volumes that were made from them stay. It cannot be undone.")}</p>`,
		submit: () => report(t("{n} snapshots are being deleted", {n: chosen.length}), () => post("/snapshots/delete", {ids: chosen.map((s) => s.id)})).then(() => false)});
}

export const view = resourcePage({
	name: "snapshots", kind: "snapshots", kinds: ["volumes", "zones"], verb: "snapshots", command: "snapshots.list", title: () => t("Snapshots"), sort: "-made",
	search: (s) => [s.description, refName("volumes", s.volume)], keys: {state: (s) => s.state, volume: (s) => refName("volumes", s.volume)},
	columns: [
		{key: "name", title: () => t("Name"), width: "26%", sort: nameOf},
		{key: "state", title: () => t("State"), width: "18%", text: (s) => s.state, cell: stateOf},
		{key: "size", title: () => t("Size"), num: true, width: "12%", sort: (s) => s.volume_size ?? 0, text: (s) => size(s.volume_size)},
		{key: "volume", title: () => t("Of"), wide: true, width: "20%", sort: (s) => refName("volumes", s.volume), cell: (s) => refLink("volumes", s.volume)},
		{key: "made", title: () => t("Made"), sort: (s) => s.created_us, text: (s) => time(s.created_us)},
	],
	actions: [{id: "restore", title: () => t("Make a volume"), may: (s) => ["completed", "available"].includes(s.state), run: restore}, {id: "delete", title: () => t("Delete"), run: drop, danger: true}],
	empty: () => emptyCard(t("No snapshot yet"), t("A snapshot keeps what a disk holds at one moment. Take one of a volume; it costs the bytes it keeps."), html`<a class="b b1" href=${href("volumes")}>${t("To the volumes")}</a>`),
	oneActions: [SUPPORT],
	facts: (s) => pairs([[t("State"), stateOf(s)], [t("Of"), s.volume ? refLink("volumes", s.volume) : ""], [t("Size"), size(s.volume_size)], [t("What for"), s.description], [t("Encrypted"), s.is_encrypted ? t("yes") : t("no")], [t("Made"), when(s.created_us)], ["EC2", s.ec2 ? copyable(s.ec2) : ""], ["OpenStack", copyable(s.id)]]),
});

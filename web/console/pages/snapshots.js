// SPDX-License-Identifier: Apache-2.0
// Snapshots: contents of disks at one moment.
import {html, nothing, nameOf, stateOf, refName, refLink, pairs, copyable, when, emptyCard, ask, report, SUPPORT} from "../parts.js";
import {byName} from "../forms.js";
import {resourcePage} from "../resource.js";
import {rows, applyRow} from "../store.js";
import {href} from "../router.js";
import {t, size, time} from "../words.js";
import {post, intent} from "../api.js";
import {showCommand} from "../command_bar.js";
import {isOperator, session} from "../session.js";
import {tagActions, tagsCard} from "../tags.js";

function restore([s]) {
	const key = intent(), least = Math.ceil(s.volume_size / 2 ** 30);
	const preview = (form) => showCommand("snapshots.restore", {ids: [s], gib: form?.get("gib") || least, zone: byName("zones").find((z) => !form || z.id === form.get("zone"))});
	ask({title: t("Create volume from {name}", {name: nameOf(s)}), label: t("Create"),
		body: () => html`<div class="grid2" @input=${(e) => preview(new FormData(e.target.form))}><label class="f">${t("Size in GiB")}<input name="gib" type="number" min=${least} value=${least} required autofocus></label><label class="f">${t("Availability Zone")}<select name="zone">${byName("zones").map((z) => html`<option value=${z.id}>${z.name}</option>`)}</select></label></div>`,
		submit: async (form) => {
			const answer = await post("/volumes", {snapshot: s.id, size: Number(form.get("gib")) * 2 ** 30, zone: form.get("zone")}, {"Idempotency-Key": key});
			for (const row of answer.items ?? [answer])
				applyRow("volumes", row);
		}});
	preview(null);
}

function create() {
	const able = byName("volumes").filter((v) => ["available", "in-use"].includes(v.state)), key = intent();
	const preview = (form) => able.length && showCommand("snapshots.create", {ids: [able.find((v) => v.id === form?.get("volume")) ?? able[0]], name: form?.get("description") ?? ""});
	ask({title: t("Create snapshot"), label: able.length ? t("Create") : null,
		body: () => (able.length ? html`<div @input=${(e) => preview(new FormData(e.target.form))}><label class="f">${t("Volume")}<select name="volume" autofocus>${able.map((v) => html`<option value=${v.id}>${nameOf(v)}: ${size(v.size)}</option>`)}</select></label>
			<label class="f">${t("Description")}<input name="description" maxlength="255"></label></div><p class="hint">${t("A point-in-time copy. The instance keeps running.")}</p>` : html`<p>${t("No volumes.")}</p>`),
		submit: async (form) => {
			const description = form.get("description");
			applyRow("snapshots", (await post("/snapshots", {volume: form.get("volume"), ...(description ? {description} : {})}, {"Idempotency-Key": key})).items?.[0]);
		}});
	preview(null);
}

const volumeOf = (s) => rows("volumes").find((v) => v.id === s.volume);

/** Reverts the volume to the snapshot. */
function revert([s]) {
	const volume = volumeOf(s);
	showCommand("volumes.revert", {ids: [volume], snapshot: s});
	ask({title: t("Revert {name} to {snapshot}?", {name: nameOf(volume), snapshot: nameOf(s)}), danger: true, label: t("Revert"),
		body: () => html`<p>${t("Data written after {time} is lost. Other snapshots are kept.", {time: time(s.created_us)})}</p>`,
		submit: () => post(`/volumes/${volume.id}/revert`, {snapshot: s.id}).then(() => false)});
}

function drop(chosen) {
	showCommand("snapshots.delete", {ids: chosen});
	ask({title: chosen.length === 1 ? t("Delete {name}?", {name: nameOf(chosen[0])}) : t("Delete {n} snapshots?", {n: chosen.length}), danger: true, label: t("Delete"), typed: chosen.length > 5 ? chosen.length : "",
		body: () => html`<p>${t("Volumes created from them are kept. This action cannot be undone.")}</p>`,
		submit: () => report(t("Deleting {n} snapshots", {n: chosen.length}), () => post("/snapshots/delete", {ids: chosen.map((s) => s.id)})).then(() => false)});
}

const isWhole = (s) => ["completed", "available"].includes(s.state);

/** All snapshots of its volume by time, and the volumes created from each. */
function chainCard(s) {
	const chain = rows("snapshots").filter((x) => s.volume && x.volume === s.volume).toSorted((a, b) => a.created_us - b.created_us), made = rows("volumes").filter((v) => v.snapshot === s.id);
	return html`${chain.length > 1 ? html`<div class="card"><h2>${t("Snapshots of the same volume")}</h2><ul class="hist">${chain.map((x) => html`<li>${when(x.created_us)}<span>${x.id === s.id ? html`<strong>${nameOf(x)}</strong>` : html`<a href=${href("snapshots", x.ec2 ?? x.id)}>${nameOf(x)}</a>`} <span class="dim">${x.description ?? ""}</span></span></li>`)}</ul></div>` : nothing}
		${made.length ? html`<div class="card"><h2>${t("Volumes from this snapshot")}</h2><ul class="plainlist">${made.map((v) => html`<li><a href=${href("volumes", v.ec2 ?? v.id)}>${nameOf(v)}</a> ${stateOf(v)}</li>`)}</ul></div>` : nothing}`;
}

export const view = resourcePage({
	name: "snapshots", kind: "snapshots", kinds: ["volumes", "zones"], verb: "snapshots", command: "snapshots.list", title: () => t("Snapshots"), sort: "-made",
	keep: (s) => isOperator() || s.account === session.account?.id || Boolean(s.account && !s.is_public), // those of images that all may launch say nothing to a user
	search: (s) => [s.description, refName("volumes", s.volume)], keys: {state: (s) => s.state, volume: (s) => refName("volumes", s.volume)},
	columns: [
		{key: "name", title: () => t("Name"), width: "26%", sort: nameOf},
		{key: "state", title: () => t("State"), width: "18%", text: (s) => s.state, cell: stateOf},
		{key: "description", title: () => t("Description"), wide: true, width: "20%", text: (s) => s.description ?? ""},
		{key: "size", title: () => t("Size"), num: true, width: "12%", sort: (s) => s.volume_size ?? 0, text: (s) => size(s.volume_size)},
		{key: "volume", title: () => t("Volume"), wide: true, width: "20%", sort: (s) => refName("volumes", s.volume), cell: (s) => refLink("volumes", s.volume)},
		{key: "made", title: () => t("Created"), sort: (s) => s.created_us, text: (s) => time(s.created_us)},
	],
	actions: [{id: "restore", asks: true, permission: "volume.create", title: () => t("Create volume"), may: isWhole, run: restore}, ...tagActions("snapshot"), {id: "delete", permission: "snapshot.delete", title: () => t("Delete"), run: drop, danger: true}],
	lead: () => html`<button type="button" class="b1" @click=${create}>${t("Create snapshot")}</button>`,
	empty: () => emptyCard(t("No snapshots"), t("A snapshot is a point-in-time copy of a volume. It is charged for the data it stores."), html`<a class="b b1" href=${href("volumes")}>${t("Go to Volumes")}</a>`),
	oneActions: [{id: "revert", asks: true, permission: "volume.revert", title: () => t("Revert volume to snapshot"), isRare: true, may: (s) => isWhole(s) && volumeOf(s)?.state === "available", run: revert, danger: true}, SUPPORT],
	more: (s) => html`${tagsCard("snapshot", "snapshots", s)}${chainCard(s)}`,
	facts: (s) => pairs([[t("State"), stateOf(s)], [t("Volume"), s.volume ? refLink("volumes", s.volume) : ""], [t("Size"), size(s.volume_size)], [t("Description"), s.description], [t("Encrypted"), s.is_encrypted ? t("yes") : t("no")], [t("Created"), when(s.created_us)], ["EC2", s.ec2 ? copyable(s.ec2) : ""], ["OpenStack", copyable(s.id)]]),
});

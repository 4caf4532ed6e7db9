// SPDX-License-Identifier: Apache-2.0
// Volumes: disks that outlive the instances they are attached to.
import {html, nothing, nameOf, shortId, stateOf, refName, refLink, pairs, copyable, when, emptyCard, ask, report, SUPPORT} from "../parts.js";
import {byName} from "../forms.js";
import {resourcePage} from "../resource.js";
import {rows, applyRow} from "../store.js";
import {href} from "../router.js";
import {t, size, number, list as words} from "../words.js";
import {post, intent} from "../api.js";
import {showCommand} from "../command_bar.js";
import {snapshotDialog, backupDialog} from "../volume_dialogs.js";
import {tagActions, tagsCard} from "../tags.js";

const GIB = 2 ** 30;

function create() {
	const key = intent();
	ask({title: t("Create volume"), label: t("Create"),
		body: () => html`<div class="grid2"><label class="f">${t("Name")}<input name="name" maxlength="255" autofocus></label><label class="f">${t("Size in GiB")}<input name="gib" type="number" min="1" max="65536" value="8" required></label>
			<label class="f">${t("Availability Zone")}<select name="zone">${byName("zones").map((z) => html`<option value=${z.id}>${z.name}</option>`)}</select></label>
			<label class="f">${t("Volume type")}<select name="type"><option value="">${t("default")}</option>${byName("volume-types").filter((x) => x.name && !x.name.startsWith("__")).map((x) => html`<option>${x.name}</option>`)}</select></label></div>
			<label class="check"><input name="encrypted" type="checkbox"> ${t("Encrypted")}</label><p class="hint">${t("Only instances in the same Availability Zone can attach it.")} ${t("To create one from a snapshot, choose Create volume on the page Snapshots.")}</p>`,
		submit: async (form) => {
			const type = form.get("type"), isEncrypted = form.get("encrypted") === "on";
			const body = {size: Number(form.get("gib")) * GIB, zone: form.get("zone"), ...(type ? {type} : {}), ...(isEncrypted ? {is_encrypted: true} : {}), ...(form.get("name") ? {tags: {Name: form.get("name")}} : {})};
			showCommand("volumes.create", {gib: form.get("gib"), zone: refName("zones", form.get("zone")), name: form.get("name"), type, isEncrypted, body});
			const answer = await post("/volumes", body, {"Idempotency-Key": key});
			for (const row of answer.items ?? [answer])
				applyRow("volumes", row);
		}});
}

function attach([v]) {
	const able = rows("instances").filter((i) => ["running", "stopped"].includes(i.state) && (!i.zone || i.zone === v.zone));
	ask({title: t("Attach {name} to", {name: nameOf(v)}), label: able.length ? t("Attach") : null,
		body: () => (able.length ? html`<label class="f">${t("Instance")}<select name="instance">${able.map((i) => html`<option value=${i.id}>${nameOf(i)} (${t(i.state)})</option>`)}</select></label>` : html`<p>${t("{zone}, where this volume is, has no running or stopped instance.", {zone: refName("zones", v.zone)})}</p>`),
		submit: async (form) => {
			const instance = able.find((i) => i.id === form.get("instance"));
			showCommand("volumes.attach", {ids: [v], instance});
			await post(`/volumes/${v.id}/attach`, {instance: instance.id});
		}});
}

function grow([v]) {
	ask({title: t("Extend volume {name}", {name: nameOf(v)}), label: t("Extend"),
		body: () => html`<label class="f">${t("Size in GiB")}<input name="gib" type="number" min=${v.size / GIB} value=${v.size / GIB * 2} max="65536" required autofocus></label><p class="hint">${t("A volume can only be made larger. Extend the file system in the guest afterwards.")}</p>`,
		submit: async (form) => {
			const gib = Number(form.get("gib"));
			showCommand("volumes.grow", {ids: [v], gib});
			await post(`/volumes/${v.id}/modify`, {size: gib * GIB});
		}});
}

function detach(chosen) {
	showCommand("volumes.detach", {ids: chosen});
	ask({title: t("Detach {names}?", {names: words(chosen.map(nameOf))}), danger: true, label: t("Detach"), typed: chosen.length > 5 ? chosen.length : "",
		body: () => html`<ul>${chosen.slice(0, 12).map((v) => html`<li>${nameOf(v)}: <span class="m">${refName("instances", v.instance)} ${v.device ?? ""}</span></li>`)}${chosen.length > 12 ? html`<li>…</li>` : nothing}</ul><p>${t("Unmount it in the guest first. Its data is kept.")}</p>`,
		submit: () => report(t("Detaching {n} volumes", {n: chosen.length}), () => post("/volumes/detach", {ids: chosen.filter((v) => v.instance).map((v) => v.id)})).then(() => false)});
}

function drop(chosen) {
	showCommand("volumes.delete", {ids: chosen});
	ask({title: chosen.length === 1 ? t("Delete {name}?", {name: nameOf(chosen[0])}) : t("Delete {n} volumes?", {n: chosen.length}), danger: true, label: t("Delete"), typed: chosen.length > 5 ? chosen.length : "",
		body: () => html`<p>${t("Deletes {size} of data. Snapshots are kept. This action cannot be undone.", {size: size(chosen.reduce((s, v) => s + (v.size ?? 0), 0))})}</p>`,
		submit: () => report(t("Deleting {n} volumes", {n: chosen.length}), () => post("/volumes/delete", {ids: chosen.map((v) => v.id)})).then(() => false)});
}

export const view = resourcePage({
	name: "volumes", kind: "volumes", kinds: ["instances", "zones"], alsoNeeds: ["snapshots", "volume-types"], verb: "volumes", command: "volumes.list", title: () => t("Volumes"),
	search: (v) => [v.type, refName("instances", v.instance), v.device],
	keys: {state: (v) => v.state, type: (v) => v.type, zone: (v) => refName("zones", v.zone), instance: (v) => refName("instances", v.instance)},
	columns: [
		{key: "name", title: () => t("Name"), width: "30%", sort: nameOf},
		{key: "state", title: () => t("State"), width: "18%", text: (v) => v.state, cell: stateOf},
		{key: "size", title: () => t("Size"), num: true, width: "12%", sort: (v) => v.size ?? 0, text: (v) => size(v.size)},
		{key: "instance", title: () => t("Attached to"), width: "24%", sort: (v) => refName("instances", v.instance), cell: (v) => (v.instance ? html`<a href=${href("instances", rowId("instances", v.instance))}>${refName("instances", v.instance)}</a> <span class="dim m wide">${v.device ?? ""}</span>` : html`<span class="dim">–</span>`)},
		{key: "zone", title: () => t("Availability Zone"), wide: true, text: (v) => refName("zones", v.zone)},
	],
	chips: [{title: () => t("all"), query: ""}, {title: () => t("in use"), query: "state:in-use"}, {title: () => t("available"), query: "state:available"}],
	actions: [
		{id: "attach", asks: true, permission: "volume.attach", title: () => t("Attach"), may: (v) => v.state === "available", run: attach},
		{id: "detach", asks: true, permission: "volume.detach", title: () => t("Detach"), may: (v) => v.state === "in-use", run: detach},
		{id: "snapshot", asks: true, permission: "snapshot.create", title: () => t("Snapshot"), may: (v) => ["available", "in-use"].includes(v.state), run: snapshotDialog},
		{id: "backup", asks: true, permission: "backup.create", title: () => t("Back up"), may: (v) => ["available", "in-use"].includes(v.state), run: backupDialog},
		{id: "grow", asks: true, permission: "volume.modify", title: () => t("Extend"), may: (v) => ["available", "in-use"].includes(v.state), run: grow},
		...tagActions("volume"),
		{id: "delete", permission: "volume.delete", title: () => t("Delete"), may: (v) => ["available", "error"].includes(v.state), run: drop, danger: true},
	],
	lead: () => html`<button type="button" class="b1" @click=${create}>${t("Create volume")}</button>`,
	empty: () => emptyCard(t("No volumes"), t("A volume is a virtual disk that exists independently of the instance it is attached to. It is charged by its size."), html`<button type="button" class="b1" @click=${create}>${t("Create volume")}</button>`),
	oneActions: [SUPPORT],
	facts: (v) => pairs([[t("State"), stateOf(v)], [t("Size"), size(v.size)], [t("Type"), v.type], [t("Availability Zone"), refName("zones", v.zone)], [t("Attached to"), v.instance ? html`${refLink("instances", v.instance)} <span class="m dim">${v.device ?? ""}</span>` : ""],
		[t("Delete on termination"), v.instance ? (v.delete_on_termination ? t("yes") : t("no")) : ""], [t("Encrypted"), v.is_encrypted ? t("yes") : t("no")], [t("From snapshot"), v.snapshot ? refLink("snapshots", v.snapshot) : ""],
		[t("Created"), when(v.created_us)], ["EC2", v.ec2 ? copyable(v.ec2) : ""], ["OpenStack", copyable(v.id)]]),
	more: (v) => {
		const chain = rows("snapshots").filter((s) => s.volume === v.id).toSorted((a, b) => a.created_us - b.created_us);
		return html`${tagsCard("volume", "volumes", v)}${chain.length ? html`<div class="card"><h2>${t("Snapshots")}</h2><ul class="hist">${chain.map((s) => html`<li>${when(s.created_us)}<span><a href=${href("snapshots", shortId(s))}>${nameOf(s)}</a> ${stateOf(s)} <span class="dim">${s.description ?? ""}</span></span></li>`)}</ul></div>` : nothing}`;
	},
});

function rowId(kind, id) {
	return shortId(rows(kind).find((r) => r.id === id)) || id;
}

// SPDX-License-Identifier: Apache-2.0
// Dialogs about instances, loaded on demand. A form has its own copy of the row: later changes are shown beside it, and never overwrite a field.
import {html, nothing, nameOf, ask, closeDialog, note, report, oneByOne, refName} from "./parts.js";
import {applyRow, fetchWhole, findRow, need, row as byId, rows} from "./store.js";
import {href} from "./router.js";
import {t, size, list as words} from "./words.js";
import {patch, post, intent} from "./api.js";
import {many} from "./instance_actions.js";
import {showCommand} from "./command_bar.js";
import {tagDialog, untagDialog} from "./tags.js";
import {snapshotDialog} from "./volume_dialogs.js";
import {session} from "./session.js";

export {migrate} from "./migrate.js";

const NAMES_MAX = 12;
const namesOf = (chosen) => `${words(chosen.slice(0, NAMES_MAX).map(nameOf))}${chosen.length > NAMES_MAX ? " …" : ""}`;
/** Waits for the rows from which a dialog chooses. */
const ready = (...kinds) => Promise.all(kinds.map((kind) => need(kind).loading));
const disksOf = (r) => rows("volumes").filter((v) => v.instance === r.id);

export const tag = (chosen) => tagDialog("instance", chosen);
export const untag = (chosen) => untagDialog("instance", chosen);

export async function resize([r]) {
	await ready("instance-types");
	const types = rows("instance-types");
	const preview = (id) => showCommand("instances.resize", {ids: [r], type: types.find((x) => x.id === id)?.name});
	ask({title: t("Change instance type of {name}", {name: nameOf(r)}), label: t("Change"),
		body: () => html`<p class="hint">${r.state === "stopped" ? t("Takes effect at the next start.") : t("Stop the instance first to change its type.")}</p>
			<label class="f">${t("Instance type")}<select name="type" autofocus @change=${(e) => preview(e.target.value)}>${types.toSorted((a, b) => a.vcpus - b.vcpus || a.memory - b.memory).map((type) => html`<option value=${type.id} ?selected=${type.id === r.type}>${type.name}: ${t("{n} vCPUs", {n: type.vcpus})}, ${size(type.memory)}</option>`)}</select></label>`,
		submit: (form) => patch(`/instances/${r.id}`, {type: form.get("type")}, r.gen).then(() => false)});
	preview(r.type);
}

export function protect(chosen) {
	const preview = (on) => showCommand("instances.protect", {ids: chosen, on});
	ask({title: t("Termination protection: {names}", {names: namesOf(chosen)}), label: t("Save"),
		body: () => html`<p>${t("A protected instance cannot be terminated by any tool until the protection is disabled.")}</p><label class="f">${t("Termination protection")}<select name="on" autofocus @change=${(e) => preview(e.target.value === "1")}><option value="1">${t("enabled")}</option><option value="0">${t("disabled")}</option></select></label>`,
		submit: (form) => report(form.get("on") === "1" ? t("Protection enabled for {n} instances", {n: chosen.length}) : t("Protection removed from {n} instances", {n: chosen.length}),
			() => oneByOne(chosen, (r) => patch(`/instances/${r.id}`, {protect_terminate: form.get("on") === "1"}))).then(() => false)});
	preview(true);
}

/** Resources deleted with terminated instances: disks and addresses that only they use. */
function goesWith(chosen) {
	const ids = new Set(chosen.map((r) => r.id));
	const disks = rows("volumes").filter((v) => ids.has(v.instance));
	return {gone: disks.filter((v) => v.delete_on_termination), kept: disks.filter((v) => !v.delete_on_termination),
		addresses: rows("addresses").filter((a) => ids.has(a.instance) && a.is_elastic)};
}

export async function terminate(chosen) {
	showCommand("instances.terminate", {ids: chosen});
	await ready("volumes", "addresses");
	ask({
		title: chosen.length === 1 ? t("Terminate {name}?", {name: nameOf(chosen[0])}) : t("Terminate {n} instances?", {n: chosen.length}),
		danger: true, label: t("Terminate"), typed: chosen.length > 5 ? chosen.length : "",
		body: () => {
			const {gone, kept, addresses} = goesWith(chosen);
			return html`${chosen.length > 1 ? html`<p>${namesOf(chosen)}</p>` : nothing}
				<ul>${gone.length ? html`<li>${t("{n} volumes are deleted ({size}).", {n: gone.length, size: size(gone.reduce((s, v) => s + v.size, 0))})}</li>` : nothing}
				${kept.length ? html`<li>${t("{n} volumes are kept: {names}.", {n: kept.length, names: words(kept.slice(0, 6).map(nameOf))})}</li>` : nothing}
				${addresses.length ? html`<li>${t("{n} Elastic IP addresses stay allocated: {names}.", {n: addresses.length, names: words(addresses.map((a) => a.ip))})}</li>` : nothing}
				<li>${t("This action cannot be undone.")}</li></ul>`;
		},
		submit: () => report(t("Terminating {n} instances", {n: chosen.length}), () => many("delete")(chosen)).then(() => false),
	});
}

// ---- one instance ----

const SETTINGS = [["protect_terminate", () => t("Termination protection")], ["protect_stop", () => t("Stop protection")],
	["shutdown_terminates", () => t("Shutdown behavior: Terminate")], ["metadata_tokens_required", () => t("IMDSv2 required")]];

export async function settings([shown]) {
	const r = await fetchWhole("instances", shown);
	const gen = r.gen, before = {name: nameOf(r), description: r.description ?? "", ...Object.fromEntries(SETTINGS.map(([key]) => [key, Boolean(r[key])]))};
	ask({title: t("Settings of {name}", {name: nameOf(r)}), label: t("Save"),
		body: () => {
			const now = byId("instances", r.id);
			return html`<label class="f">${t("Name")}<input name="name" value=${before.name} maxlength="255" autofocus></label><label class="f">${t("Description")}<input name="description" value=${before.description} maxlength="255"></label>
				${SETTINGS.map(([key, word]) => html`<label class="check"><input type="checkbox" name=${key} ?checked=${before[key]}> ${word()}</label>`)}
				${now && (now.gen !== gen || nameOf(now) !== before.name) ? html`<p class="st go" role="status"><span aria-hidden="true">◐</span> ${t("Someone else changed this meanwhile. Current name: {name}.", {name: nameOf(now)})}</p>` : nothing}`;
		},
		submit: async (form) => {
			const wanted = {description: form.get("description"), ...Object.fromEntries(SETTINGS.map(([key]) => [key, form.get(key) === "on"]))};
			const change = Object.fromEntries(Object.entries(wanted).filter(([key, value]) => value !== before[key]));
			if (Object.keys(change).length) {
				showCommand("instances.set", {ids: [r], change});
				await patch(`/instances/${r.id}`, change, gen);
			}
			if (form.get("name") !== before.name)
				await post("/tags", {ids: [r.ec2], tags: {Name: form.get("name")}});
		}});
}

export async function attach([r]) {
	await ready("volumes");
	const free = rows("volumes").filter((v) => v.state === "available" && (!r.zone || v.zone === r.zone));
	const preview = (id) => free.length && showCommand("volumes.attach", {ids: [free.find((v) => v.id === id)], instance: r});
	ask({title: t("Attach volume to {name}", {name: nameOf(r)}), label: free.length ? t("Attach") : null,
		body: () => (free.length ? html`<label class="f">${t("Volume")}<select name="volume" autofocus @change=${(e) => preview(e.target.value)}>${free.map((v) => html`<option value=${v.id}>${nameOf(v)}: ${size(v.size)}</option>`)}</select></label>
			<label class="check"><input type="checkbox" name="goes"> ${t("Delete on termination")}</label>` : html`<p>${t("No volume in {zone} is available.", {zone: refName("zones", r.zone)})}</p><p><a class="b" href=${href("volumes")} @click=${closeDialog}>${t("Go to Volumes")}</a></p>`),
		submit: (form) => post(`/volumes/${form.get("volume")}/attach`, {instance: r.id, ...(form.get("goes") ? {delete_on_termination: true} : {})}).then(() => false)});
	preview(free[0]?.id);
}

export function detach(r, volume) {
	showCommand("volumes.detach", {ids: [volume]});
	ask({title: t("Detach {name} from {instance}?", {name: nameOf(volume), instance: nameOf(r)}), danger: true, label: t("Detach"),
		body: () => html`<p>${t("Unmount it in the guest first. Its data is kept.")}</p>`,
		submit: () => report(t("Detaching {n} volumes", {n: 1}), () => post(`/volumes/${volume.id}/detach`, {instance: r.id})).then(() => false)});
}

export async function groups([r]) {
	await ready("ports", "security-groups");
	const ports = rows("ports").filter((p) => p.instance === r.id).toSorted((a, b) => (a.device_index ?? 0) - (b.device_index ?? 0));
	let port = ports[0];
	const able = () => rows("security-groups").filter((g) => !port.router || !g.router || g.router === port.router);
	const preview = (form) => showCommand("ports.groups", {ids: [port], groups: able().filter((g) => (form ? new FormData(form).getAll("group").includes(g.id) : port.groups?.includes(g.id)))});
	if (!port)
		return;
	ask({title: t("Security groups of {name}", {name: nameOf(r)}), label: t("Save"),
		body: () => html`<div @change=${(e) => preview(e.target.form)}>${ports.length > 1 ? html`<label class="f">${t("Network interface")}<select name="port" @change=${(e) => { port = ports.find((p) => p.id === e.target.value); }}>${ports.map((p) => html`<option value=${p.id} ?selected=${p === port}>${p.ip ?? p.ec2}</option>`)}</select></label>` : nothing}
			${able().map((g) => html`<label class="check"><input type="checkbox" name="group" value=${g.id} ?checked=${port.groups?.includes(g.id)}> ${nameOf(g)} <span class="dim">${g.description ?? ""}</span></label>`)}</div>`,
		submit: (form) => {
			const chosen = form.getAll("group");
			if (!chosen.length)
				throw new Error(t("At least one security group is required."));
			return patch(`/ports/${port.id}`, {groups: chosen}).then(() => false);
		}});
	preview(null);
}

export function image([r]) {
	const key = intent(), say = (form) => ({ids: [r], name: form?.get("name") || `${nameOf(r)}-image`, noReboot: !form || form.get("goes_on") === "on"});
	ask({title: t("Create image of {name}", {name: nameOf(r)}), label: t("Create"),
		body: () => html`<div @input=${(e) => showCommand("instances.image", say(new FormData(e.target.form)))}><label class="f">${t("Name")}<input name="name" required maxlength="255" value=${`${nameOf(r)}-image`.slice(0, 255)} autofocus></label><label class="f">${t("Description")}<input name="description" maxlength="255"></label>
			<label class="check"><input type="checkbox" name="goes_on" checked> ${t("No reboot")}</label></div><p class="hint">${t("Without this, the instance is stopped while its disks are copied, so that they are consistent.")}</p>`,
		submit: async (form) => {
			const answer = await post("/images", {instance: r.id, name: form.get("name"), no_reboot: form.get("goes_on") === "on", ...(form.get("description") ? {description: form.get("description")} : {})}, {"Idempotency-Key": key});
			applyRow("images", answer.items?.[0]);
			note(t("Creating image {name}", {name: form.get("name")}));
		}});
	showCommand("instances.image", say(null));
}

export const snapshot = ([r]) => ready("volumes").then(() => snapshotDialog(disksOf(r)));

const imageOptions = (first) => html`${first}${rows("images").filter((i) => (i.state ?? "available") === "available").toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)).map((i) => html`<option value=${i.id}>${nameOf(i)}${i.account === session.account?.id ? "" : i.is_public ? ` (${t("public")})` : ` (${t("shared")})`}</option>`)}`;

export async function rescue([r]) {
	await ready("images");
	const preview = (id) => showCommand("instances.rescue", {ids: [r], image: findRow("images", id)});
	ask({title: t("Rescue {name}", {name: nameOf(r)}), label: t("Rescue"),
		body: () => html`<p>${t("Boots from another image with the root disk attached as the second disk, to repair it.")}</p><label class="f">${t("Rescue image")}<select name="image" autofocus @change=${(e) => preview(e.target.value)}>${imageOptions(html`<option value="">${t("original image")}</option>`)}</select></label>`,
		submit: (form) => post(`/instances/${r.id}/rescue`, form.get("image") ? {image: form.get("image")} : {}).then(() => false)});
	preview("");
}

export function unrescue([r]) {
	showCommand("instances.unrescue", {ids: [r]});
	return report(t("Rescue mode ended"), () => post(`/instances/${r.id}/unrescue`, {}));
}

export async function rebuild([r]) {
	await ready("images");
	const preview = (id) => showCommand("instances.rebuild", {ids: [r], image: findRow("images", id)});
	ask({title: t("Rebuild {name}?", {name: nameOf(r)}), label: t("Rebuild"), danger: true, typed: nameOf(r),
		body: () => html`<p>${t("Replaces the root disk with a fresh copy of the image. Data on the root disk is lost. Other disks, IP addresses and the name are kept.")}</p><label class="f">${t("Image")}<select name="image" autofocus @change=${(e) => preview(e.target.value)}>${imageOptions(html`${byId("images", r.image) ? html`<option value=${r.image}>${t("current: {name}", {name: nameOf(byId("images", r.image))})}</option>` : nothing}`)}</select></label>`,
		submit: (form) => post(`/instances/${r.id}/rebuild`, {image: form.get("image")}).then(() => false)});
	preview(r.image);
}

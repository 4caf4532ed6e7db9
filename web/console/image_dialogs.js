// SPDX-License-Identifier: Apache-2.0
// Dialogs about images: import, copy, settings, and launch permissions.
import {html, nothing, nameOf, ask} from "./parts.js";
import {applyRow, fetchWhole, rows} from "./store.js";
import {go, href} from "./router.js";
import {t} from "./words.js";
import {patch, post, intent} from "./api.js";
import {showCommand} from "./command_bar.js";
import {may} from "./may.js";
import {send} from "./uploads.js";

/** The vendor's stable URL; an operator's `dari image get debian-12` also verifies the signature. */
const DEBIAN = {name: "debian-12", url: "https://cloud.debian.org/images/cloud/bookworm/latest/debian-12-genericcloud-amd64.qcow2", description: "Debian 12"};
const FORMATS = ["qcow2", "raw", "vmdk", "vhd", "vhdx", "iso"];
const FIRMWARE = [["unsaid", () => t("BIOS")], ["uefi-preferred", () => t("UEFI preferred")], ["uefi", () => t("UEFI")]];

/** Format by the end of the file's name, if that shows it. */
const formatOf = (name) => ({img: "qcow2"})[/\.(\w+)$/.exec(name)?.[1]] ?? FORMATS.find((f) => name.toLowerCase().endsWith("." + f)) ?? "";

function wished(form) {
	const text = (name) => String(form.get(name) ?? "").trim();
	return {name: text("name"), format: text("format"), platform: text("platform"), boot_mode: text("boot_mode"), ...(text("description") ? {description: text("description")} : {})};
}

/** Fills in fields that the user has not typed in. */
function fillIn(elements, from) {
	const name = from.split("/").at(-1), format = formatOf(name);
	if (!elements.name.value)
		elements.name.value = name.replace(/\.\w+$/, "").slice(0, 255);
	if (format)
		elements.format.value = format;
}

function preview(form) {
	const said = new FormData(form), isFile = said.get("from") === "file";
	showCommand(isFile ? "images.upload" : "images.import", {...wished(said), url: said.get("url"), file: said.get("file")?.name || "disk.qcow2"});
}

export function bring(before = {}) {
	const key = intent();
	let from = "url";
	const fields = () => (from === "file"
		? html`<label class="f">${t("File")}<input type="file" name="file" required @change=${(e) => fillIn(e.target.form.elements, e.target.value.replaceAll("\\", "/"))}></label>`
		: html`<label class="f">${t("URL")}<input name="url" type="url" pattern="https?://.*" required maxlength="2048" placeholder="https://…/disk.qcow2" value=${before.url ?? ""} autofocus @change=${(e) => fillIn(e.target.form.elements, e.target.value)}></label>`);
	ask({title: t("Import image"), label: t("Import"),
		body: () => html`<div @input=${(e) => preview(e.target.form)}><label class="f">${t("Source type")}<select name="from" @change=${(e) => { from = e.target.value; }}><option value="url">${t("URL (fetched by the region)")}</option><option value="file">${t("Upload a file")}</option></select></label>
			${fields()}<label class="f">${t("Name")}<input name="name" required maxlength="255" value=${before.name ?? ""}></label><label class="f">${t("Description")}<input name="description" maxlength="255" value=${before.description ?? ""}></label>
			<div class="grid2"><label class="f">${t("Format")}<select name="format">${FORMATS.map((f) => html`<option>${f}</option>`)}</select></label>
			<label class="f">${t("Platform")}<select name="platform"><option value="linux">Linux</option><option value="windows">Windows</option></select></label>
			<label class="f">${t("Firmware")}<select name="boot_mode">${FIRMWARE.map(([value, word]) => html`<option value=${value}>${word()}</option>`)}</select></label></div></div>`,
		submit: async (form) => {
			const file = form.get("from") === "file" ? form.get("file") : null;
			const answer = await post("/images/import", {...wished(form), ...(file ? {} : {url: form.get("url")})}, {"Idempotency-Key": key});
			const image = answer.items[0];
			applyRow("images", image);
			if (file)
				send(image, file);
		}});
}

export const bringDebian = () => bring(DEBIAN);

export function resend([i]) {
	ask({title: t("Upload data: {name}", {name: nameOf(i)}), label: t("Send"), body: () => html`<label class="f">${t("File")}<input type="file" name="file" required autofocus></label>`,
		submit: (form) => { send(i, form.get("file")); }});
}

export function duplicate([i]) {
	const key = intent(), first = `${nameOf(i)}-copy`.slice(0, 255), preview = (name) => showCommand("images.copy", {ids: [i], name});
	ask({title: t("Copy image {name}", {name: nameOf(i)}), label: t("Copy"),
		body: () => html`<p>${t("The copy belongs to this account and is independent of the original.")}</p><label class="f">${t("Name")}<input name="name" required maxlength="255" value=${first} autofocus @input=${(e) => preview(e.target.value)}></label>`,
		submit: async (form) => {
			const answer = await post(`/images/${i.id}/copy`, {name: form.get("name")}, {"Idempotency-Key": key});
			const row = answer.items?.[0];
			if (row) {
				applyRow("images", row);
				go(href("images", row.ec2 ?? row.id));
			}
		}});
	preview(first);
}

export async function describe([shown]) {
	const i = await fetchWhole("images", shown), preview = (text) => showCommand("images.describe", {ids: [i], text});
	ask({title: t("Edit details of {name}", {name: nameOf(i)}), label: t("Save"),
		body: () => html`<label class="f">${t("Description")}<input name="description" maxlength="255" value=${i.description ?? ""} autofocus @input=${(e) => preview(e.target.value)}></label>`,
		submit: (form) => patch(`/images/${i.id}`, {description: form.get("description")}, i.gen).then(() => false)});
	preview(i.description ?? "");
}

// ---- launch permissions ----

export function share([i]) {
	const known = (id) => rows("accounts").find((a) => a.id === id), mayPublish = may("image.publish");
	const preview = (form) => {
		const said = form ? new FormData(form) : null, to = String(said?.get("account") ?? "").trim();
		showCommand("images.share", {ids: [i], to, isPublic: said ? said.get("public") === "on" : Boolean(i.is_public), wasPublic: Boolean(i.is_public), gone: (said?.getAll("gone") ?? [])});
	};
	ask({title: t("Launch permissions of {name}", {name: nameOf(i)}), label: t("Save"),
		body: () => html`<div @input=${(e) => preview(e.target.form)}>${mayPublish ? html`<label class="check"><input type="checkbox" name="public" ?checked=${i.is_public}> ${t("Public (all accounts)")}</label>` : nothing}
			<label class="f">${t("Account ID")}<input name="account" maxlength="64" spellcheck="false" autofocus></label>
			${i.launchers?.length ? html`<p>${t("Accounts with launch permission (select to remove):")}</p>${i.launchers.map((id) => html`<label class="check"><input type="checkbox" name="gone" value=${id}> <span class="m">${known(id)?.name ?? id}</span></label>`)}` : nothing}</div>`,
		submit: (form) => {
			const to = form.get("account").trim(), gone = form.getAll("gone"), isPublic = form.get("public") === "on";
			const change = {...(mayPublish && isPublic !== Boolean(i.is_public) ? {is_public: isPublic} : {}), ...(to ? {share_with: [to]} : {}), ...(gone.length ? {unshare_with: gone} : {})};
			return Object.keys(change).length ? patch(`/images/${i.id}`, change, i.gen).then(() => false) : false;
		}});
	preview(null);
}

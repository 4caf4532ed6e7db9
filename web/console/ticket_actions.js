// SPDX-License-Identifier: Apache-2.0
// Asking for support: from the list of tickets, and from the page of a thing with what is known of it.
import {ask, html, nameOf, shortId} from "./parts.js";
import {applyRow} from "./store.js";
import {go, href} from "./router.js";
import {t} from "./words.js";
import {get, post, intent} from "./api.js";
import {showCommand} from "./command_bar.js";

export const FILE_MAX = 700 * 1024; // bytes of one file, as /api/v1 takes it
export const SEVERITIES = [["low", () => t("low: a question")], ["normal", () => t("normal: something is not as it should be")], ["high", () => t("high: a part does not work")],
	["urgent", () => t("urgent: what is needed does not work")], ["critical", () => t("critical: nothing works")]];
export const SUBJECTS = [["technical", () => t("technical")], ["billing", () => t("about a bill")], ["quota", () => t("about a limit")], ["account", () => t("about the account")]];

export const options = (words, chosen) => words.map(([value, title]) => html`<option value=${value} ?selected=${value === chosen}>${title()}</option>`);

function base64(buffer) {
	const bytes = new Uint8Array(buffer);
	let text = "";
	for (let k = 0; k < bytes.length; k += 0x8000)
		text += String.fromCharCode(...bytes.subarray(k, k + 0x8000));
	return btoa(text);
}

/** What is too large is refused before anything leaves. */
export function checkFiles(files) {
	const large = [...files].find((f) => f.size > FILE_MAX);
	if (large)
		throw new Error(t("{name} is larger than 700 KiB. An operator attaches larger files.", {name: large.name}));
}
/** Sends files one by one. */
export async function attach(ticket, files, isPrivate = false) {
	for (const file of files)
		if (file.name)
			await post(`/tickets/${ticket.id}/attach`, {name: file.name, data: base64(await file.arrayBuffer()), ...(isPrivate ? {is_private: true} : {})});
}

/** What `explain` says of a thing, in lines for a message. */
async function explained(row) {
	const said = await get(`/explain/${row.id}`).catch(() => null);
	const lines = [`${shortId(row)} (${nameOf(row)}): ${said?.state ?? row.state ?? ""}`];
	if (said?.in_its_way)
		lines.push(said.in_its_way);
	for (const c of row.conditions ?? [])
		lines.push(`${c.name}: ${c.message}`);
	return lines.filter(Boolean).join("\n");
}

/** The form, with what it is about filled in. */
export async function openTicket(rows = []) {
	const known = (await Promise.all(rows.map(explained))).join("\n\n"), key = intent();
	ask({title: t("A new ticket"), label: t("Send"), wide: true, keeps: true,
		body: () => html`<label class="f">${t("Subject")}<input name="subject" maxlength="255" required autofocus></label>
			<div class="grid2"><label class="f">${t("What sort of question")}<select name="about">${options(SUBJECTS, "technical")}</select></label>
			<label class="f">${t("How bad it is")}<select name="severity">${options(SEVERITIES, "normal")}</select></label></div>
			<label class="f">${t("What happens, and what should")}<textarea name="body" rows="8" maxlength="60000" required .defaultValue=${known ? `\n\n${known}\n` : ""}></textarea></label>
			<label class="f">${t("What it is about: ids, with spaces between them")}<input name="resources" value=${rows.map(shortId).join(" ")} spellcheck="false"></label>
			<label class="f">${t("Files, up to 700 KiB each")}<input type="file" name="files" multiple></label>
			<p class="hint">${t("The operator’s desk sees it. For each instance that it names the region attaches what it knows of it. Secrets are taken out of what goes to a vendor.")}</p>`,
		submit: async (form) => {
			const files = form.getAll("files").filter((f) => f.name);
			checkFiles(files);
			const resources = form.get("resources").split(/[\s,]+/).filter(Boolean);
			const body = {subject: form.get("subject").trim(), body: form.get("body").trim(), about: form.get("about"), severity: form.get("severity"), ...(resources.length ? {resources} : {})};
			showCommand("tickets.open", {...body, request: body});
			const ticket = (await post("/tickets", body, {"Idempotency-Key": key})).items[0];
			applyRow("tickets", ticket);
			await attach(ticket, files);
			go(href("tickets", shortId(ticket)));
		}});
}

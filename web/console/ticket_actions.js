// SPDX-License-Identifier: Apache-2.0
// Opening a ticket: from the list of tickets, and from a resource's page with facts about it.
import {ask, html, nameOf, shortId} from "./parts.js";
import {applyRow} from "./store.js";
import {go, href} from "./router.js";
import {t} from "./words.js";
import {get, post, intent} from "./api.js";
import {showCommand} from "./command_bar.js";

export const FILE_MAX = 700 * 1024; // bytes of one file, a limit of /api/v1
export const SEVERITIES = [["low", () => t("Low: general question")], ["normal", () => t("Normal: unexpected behavior")], ["high", () => t("High: a function is impaired")],
	["urgent", () => t("Urgent: production is impaired")], ["critical", () => t("Critical: production is down")]];
export const SUBJECTS = [["technical", () => t("Technical")], ["billing", () => t("Billing")], ["quota", () => t("Quota increase")], ["account", () => t("Account")]];

export const options = (words, chosen) => words.map(([value, title]) => html`<option value=${value} ?selected=${value === chosen}>${title()}</option>`);

function base64(buffer) {
	const bytes = new Uint8Array(buffer);
	let text = "";
	for (let k = 0; k < bytes.length; k += 0x8000)
		text += String.fromCharCode(...bytes.subarray(k, k + 0x8000));
	return btoa(text);
}

/** Refuses files that are too large before sending anything. */
export function checkFiles(files) {
	const large = [...files].find((f) => f.size > FILE_MAX);
	if (large)
		throw new Error(t("{name} is larger than 700 KiB. Ask the operator to attach larger files.", {name: large.name}));
}
/** Sends files one by one. */
export async function attach(ticket, files, isPrivate = false) {
	for (const file of files)
		if (file.name)
			await post(`/tickets/${ticket.id}/attach`, {name: file.name, data: base64(await file.arrayBuffer()), ...(isPrivate ? {is_private: true} : {})});
}

/** Output of `explain` about a resource, as lines for a message. */
async function explained(row) {
	const said = await get(`/explain/${row.id}`).catch(() => null);
	const lines = [`${shortId(row)} (${nameOf(row)}): ${said?.state ?? row.state ?? ""}`];
	if (said?.in_its_way)
		lines.push(said.in_its_way);
	for (const c of row.conditions ?? [])
		lines.push(`${c.name}: ${c.message}`);
	return lines.filter(Boolean).join("\n");
}

/** The form, with the resources filled in. */
export async function openTicket(rows = []) {
	const known = (await Promise.all(rows.map(explained))).join("\n\n"), key = intent();
	ask({title: t("Create ticket"), label: t("Send"), wide: true, keeps: true,
		body: () => html`<label class="f">${t("Subject")}<input name="subject" maxlength="255" required autofocus></label>
			<div class="grid2"><label class="f">${t("Category")}<select name="about">${options(SUBJECTS, "technical")}</select></label>
			<label class="f">${t("Severity")}<select name="severity">${options(SEVERITIES, "normal")}</select></label></div>
			<label class="f">${t("Description")}<textarea name="body" rows="8" maxlength="60000" required .defaultValue=${known ? `\n\n${known}\n` : ""}></textarea></label>
			<label class="f">${t("Affected resources (IDs, separated by spaces)")}<input name="resources" value=${rows.map(shortId).join(" ")} spellcheck="false"></label>
			<label class="f">${t("Attachments (up to 700 KiB each)")}<input type="file" name="files" multiple></label>
			<p class="hint">${t("The operator’s support desk receives the ticket. Diagnostics of each affected instance are attached. Secrets are redacted before anything is sent to a vendor.")}</p>`,
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

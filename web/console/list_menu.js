// SPDX-License-Identifier: Apache-2.0
// The menu "View" of a list: which columns it shows, filters to come back to, and the rows as CSV. Choices are kept in this browser.
import {html, nothing, nameOf} from "./parts.js";
import {touch} from "./store.js";
import {here, say} from "./router.js";
import {chosen, keep, t} from "./words.js";
import {hiddenColumns, withColumns} from "./list.js";
import {saveFile} from "./save_file.js";

const FILTERS_MAX = 12;

function turn(spec, key, isShown) {
	const hidden = hiddenColumns(spec).filter((k) => k && k !== key);
	keep(`dari.columns.${spec.id}`, (isShown ? hidden : [...hidden, key]).join(" "));
	touch();
}

// ---- saved filters ----

function saved(spec) {
	try {
		return JSON.parse(chosen(`dari.filters.${spec.id}`, "[]"));
	} catch {
		return []; // the stored value is not a list's
	}
}
function save(spec, filters) {
	keep(`dari.filters.${spec.id}`, JSON.stringify(filters.slice(-FILTERS_MAX)));
	touch();
}

// ---- CSV ----

/** A spreadsheet takes a cell that begins with one of these for a formula. */
const isFormula = (text) => /^[=+\-@\t\r]/.test(text);
function cell(value) {
	const text = String(value ?? "");
	return `"${(isFormula(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
}
export function csv(spec, rows) {
	const {columns} = withColumns(spec), value = (c, row) => (c.key === "name" ? spec.label?.(row) ?? nameOf(row) : c.text?.(row) ?? c.sort?.(row));
	const lines = [["ID", ...columns.map((c) => c.title())], ...rows.map((row) => [row.ec2 ?? row.id, ...columns.map((c) => value(c, row))])];
	return "\ufeff" + lines.map((line) => line.map(cell).join(",")).join("\r\n") + "\r\n"; // the mark tells spreadsheets that it is UTF-8
}
function download(spec, all) {
	saveFile(`${spec.id}.csv`, csv(spec, all.map((e) => e.row)), "text/csv");
}

export function sheet(spec, all) {
	const hidden = new Set(hiddenColumns(spec)), filters = saved(spec), q = here.query.get("q") ?? "", sort = here.query.get("sort") ?? "";
	const isNew = q && !filters.some((f) => f.q === q && f.sort === sort);
	return html`<div class="sheet"><fieldset><legend>${t("Columns")}</legend>${spec.columns.slice(1).filter((c) => c.isFor?.() ?? true).map((c) => html`<label class="check"><input type="checkbox" .checked=${!hidden.has(c.key)} @change=${(e) => turn(spec, c.key, e.target.checked)}> ${c.title()}</label>`)}</fieldset>
		${filters.length ? html`<div role="group" aria-label=${t("Saved filters")}><strong>${t("Saved filters")}</strong>${filters.map((f) => html`<div class="row"><button type="button" @click=${() => say({q: f.q, sort: f.sort})}><bdi>${f.q}</bdi></button><button type="button" class="plain" aria-label=${t("Remove filter {name}", {name: f.q})} @click=${() => save(spec, filters.filter((x) => x !== f))}>×</button></div>`)}</div>` : nothing}
		${isNew ? html`<button type="button" @click=${() => save(spec, [...filters, {q, sort}])}>${t("Save this filter")}</button>` : nothing}
		<button type="button" @click=${() => download(spec, all)}>${t("Download as CSV")}</button></div>`;
}

export function press(event) {
	const menu = event.currentTarget;
	if (event.key === "Escape" && menu.open) {
		menu.open = false;
		menu.querySelector("summary").focus();
		event.stopPropagation();
	}
}

export function leave(event) {
	if (!event.currentTarget.contains(event.relatedTarget))
		event.currentTarget.open = false;
}

// SPDX-License-Identifier: Apache-2.0
// Action buttons of one resource. If there are many, the first ones are shown beside a menu "Actions" with the rest.
import {html, nothing} from "./parts.js";
import {t} from "./words.js";

const BUTTONS = 3; // shown beside the menu with the others
/** all: {title, danger, disabled, why: () => the reason if disabled, preview, run}. */
export function actionsView(all) {
	if (!all.length)
		return nothing;
	const button = (a) => html`<button type="button" class=${a.danger ? "danger-text" : ""} ?disabled=${a.disabled} title=${a.disabled && a.why ? a.why() : nothing} @mouseenter=${a.preview} @focus=${a.preview}
		@click=${(e) => { e.target.closest("details")?.removeAttribute("open"); a.run(); }}>${a.title}${a.danger ? "…" : ""}</button>`;
	const shown = all.length > BUTTONS + 1 ? all.slice(0, BUTTONS) : all, rest = all.slice(shown.length);
	return html`<div class="bar" role="toolbar" aria-label=${t("Actions")}>${shown.map(button)}${rest.length ? html`<details class="menu actions" @focusout=${(e) => e.currentTarget.contains(e.relatedTarget) || e.currentTarget.removeAttribute("open")}
		@keydown=${(e) => { if (e.key === "Escape" && e.currentTarget.open) { e.currentTarget.removeAttribute("open"); e.currentTarget.querySelector("summary").focus(); e.stopPropagation(); } }}><summary>${t("Actions")} <span aria-hidden="true">▾</span></summary><div class="sheet">${rest.map(button)}</div></details>` : nothing}</div>`;
}

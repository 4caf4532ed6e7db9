// SPDX-License-Identifier: Apache-2.0
// The list of keyboard shortcuts: those of the visible list, of every page, and of the pages.
import {ask, html, nothing} from "./parts.js";
import {keysOfList} from "./list.js";
import {PAGES} from "./pages.js";
import {t} from "./words.js";
import {isOperator} from "./session.js";

export function help() {
	const row = (keys, words) => html`<tr><td>${keys.map((k) => html`<kbd>${k}</kbd> `)}</td><td>${words}</td></tr>`, ofList = keysOfList();
	const pages = PAGES.filter((p) => p.group !== "hidden" && (p.group !== "region" || isOperator()));
	ask({title: t("Keyboard shortcuts"), label: null, body: () => html`${ofList.length ? html`<h3>${t("In this list")}</h3><table class="keys"><tbody>${ofList.map(({key, title}) => row([key.toUpperCase()], title))}</tbody></table><h3>${t("On every page")}</h3>` : nothing}<table class="keys"><tbody>
		${row(["Ctrl K"], t("Search pages, resources and actions"))}${row(["/"], t("Filter"))}${row(["?"], t("Keyboard shortcuts"))}${row(["J", "K", "↓", "↑"], t("Next and previous row"))}${row(["Space"], t("Select row"))}${row(["Enter"], t("Open"))}
		${row(["C"], t("Launch instance"))}${row(["Z"], t("Undo"))}${row(["Ctrl Enter"], t("Submit form"))}${row(["Esc"], t("Back"))}
		${pages.map((p) => row(p.key ? ["G", p.key.toUpperCase()] : ["Ctrl K"], p.title()))}</tbody></table>
		<p class="hint">${t("Turn single-letter shortcuts off in the user menu.")}</p>`});
}

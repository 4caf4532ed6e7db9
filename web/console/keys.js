// SPDX-License-Identifier: Apache-2.0
// Keyboard shortcuts. Single letters work outside of text fields, and can be turned off; "g" and a letter goes to a page.
import {go, href, here, say} from "./router.js";
import {PAGES} from "./pages.js";
import {ask, hasDialog, html, nothing, undoLast} from "./parts.js";
import {keysOfList, move, pickCursor, runByKey} from "./list.js";
import {chosen, t} from "./words.js";
import {isOperator} from "./session.js";

let isGoing = false, goTimer = 0;

function help() {
	const row = (keys, words) => html`<tr><td>${keys.map((k) => html`<kbd>${k}</kbd> `)}</td><td>${words}</td></tr>`, ofList = keysOfList();
	const pages = PAGES.filter((p) => p.group !== "hidden" && (p.group !== "region" || isOperator()));
	ask({title: t("Keyboard shortcuts"), label: null, body: () => html`${ofList.length ? html`<h3>${t("In this list")}</h3><table class="keys"><tbody>${ofList.map(({key, title}) => row([key.toUpperCase()], title))}</tbody></table><h3>${t("On every page")}</h3>` : nothing}<table class="keys"><tbody>
		${row(["Ctrl K"], t("Search pages, resources and actions"))}${row(["/"], t("Filter"))}${row(["?"], t("Keyboard shortcuts"))}${row(["J", "K", "↓", "↑"], t("Next and previous row"))}${row(["Space"], t("Select row"))}${row(["Enter"], t("Open"))}
		${row(["C"], t("Launch instance"))}${row(["Z"], t("Undo"))}${row(["Ctrl Enter"], t("Submit form"))}${row(["Esc"], t("Back"))}
		${pages.map((p) => row(p.key ? ["G", p.key.toUpperCase()] : ["Ctrl K"], p.title()))}</tbody></table>
		<p class="hint">${t("Turn single-letter shortcuts off in the user menu.")}</p>`});
}

function isTyping(target) {
	return target.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
}

function letter(event) {
	const key = event.key.toLowerCase();
	if (isGoing) {
		isGoing = false;
		const page = PAGES.find((p) => p.key === key && (p.group !== "region" || isOperator()));
		if (page)
			go(href(page.name));
		return Boolean(page);
	}
	if (key === "g") {
		isGoing = true;
		clearTimeout(goTimer);
		goTimer = setTimeout(() => { isGoing = false; }, 1200);
		return true;
	}
	if (key === "/") {
		document.getElementById("q")?.focus();
		return true;
	}
	if (key === "?") {
		help();
		return true;
	}
	if (key === "j" || key === "arrowdown" || key === "k" || key === "arrowup") {
		if (!document.querySelector(".scroll.list"))
			return false;
		move(key === "j" || key === "arrowdown" ? 1 : -1);
		return true;
	}
	if (key === " ")
		return event.target.closest?.("tr[data-id]") && !event.target.closest("button, summary") && event.target.type !== "checkbox" ? pickCursor() : false;
	if (key === "c" && here.page !== "launch") {
		go(href("launch"));
		return true;
	}
	return key === "z" ? undoLast() : runByKey(key);
}

export function listen({openPalette, isPaletteOpen}) {
	addEventListener("keydown", (event) => {
		if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
			event.preventDefault();
			openPalette();
			return;
		}
		if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
			const form = event.target.closest?.("form") ?? document.querySelector("main form");
			if (form) {
				event.preventDefault();
				form.requestSubmit();
			}
			return;
		}
		if (hasDialog() || isPaletteOpen() || event.ctrlKey || event.metaKey || event.altKey)
			return;
		if (event.key === "Escape" && !isTyping(event.target)) {
			const menu = document.querySelector("details.menu[open]");
			if (menu)
				menu.removeAttribute("open");
			else if (here.query.get("open"))
				say({open: ""});
			else if (here.id)
				go(href(here.page));
			return;
		}
		const isPlain = event.key.length === 1 ? chosen("dari.letters", "on") === "on" || event.key === " " : event.key.startsWith("Arrow");
		if (isPlain && !isTyping(event.target) && !event.target.closest?.("details.menu") && letter(event))
			event.preventDefault();
	});
}

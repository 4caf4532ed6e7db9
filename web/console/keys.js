// SPDX-License-Identifier: Apache-2.0
// Keyboard shortcuts. Single letters work outside of text fields, and can be turned off; "g" and a letter goes to a page.
import {go, href, here, say} from "./router.js";
import {PAGES} from "./pages.js";
import {hasDialog, undoLast} from "./parts.js";
import {move, pickCursor, runByKey} from "./list.js";
import {chosen} from "./words.js";
import {isOperator} from "./session.js";

let isGoing = false, goTimer = 0;

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
		import("./keys_help.js").then((m) => m.help(), () => {});
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

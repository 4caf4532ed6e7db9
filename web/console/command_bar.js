// SPDX-License-Identifier: Apache-2.0
// The command bar at the bottom of a page, with the equivalent of a click. Commands of lists are loaded with the first page; all other actions, and
// tools with modules of their own, come with commands.js.
import {html, nothing} from "./vendor/lit-html/lit-html.js";
import {touch} from "./store.js";
import {t, chosen, keep} from "./words.js";
import {copy} from "./parts.js";
import {later} from "./later.js";
import {LISTS, TOOLS} from "./list_commands.js";

const all = later(() => import("./commands.js"));
let shown = null, plain = null; // the command of a click, and the page's own: {verb, args, at: page}
let last = null; // {at, verb, texts: [[tool, command]]}: kept until the next command is loaded

/** Shows an action's command until the page changes. */
export function showCommand(verb, args) {
	shown = {verb, args, at: location.pathname};
	touch();
}

/** The page's own command, shown until a click has another. */
export function offerCommand(verb, args) {
	plain = {verb, args, at: location.pathname};
}

function newest() {
	const now = [shown, plain].find((one) => one?.at === location.pathname);
	if (!now)
		return null;
	const table = LISTS[now.verb] ? LISTS : all()?.COMMANDS;
	if (table)
		last = {at: now.at, verb: now.verb,
			texts: TOOLS.map((tool) => [tool, table[now.verb]?.[tool]?.(now.args)]).filter(([, text]) => text)};
	return last?.at === now.at && last.texts.length ? last : null;
}

export function commandView() {
	const now = newest();
	if (!now)
		return nothing;
	const kept = chosen("dari.tool", "aws"), [tool, text] = now.texts.find(([name]) => name === kept) ?? now.texts[0];
	const isOpen = chosen("dari.command", "") === "open";
	return html`<div class="gapcmd"></div><section class="cmd ${isOpen ? "" : "line"}" aria-label=${t("CLI equivalent")}><div class="tabs"><button type="button" class="plain fold" aria-expanded=${isOpen ? "true" : "false"} @click=${() => { keep("dari.command", isOpen ? "" : "open"); touch(); }}><span aria-hidden="true">${isOpen ? "▾" : "▸"}</span> ${t("CLI equivalent")}</button>
		${now.texts.map(([name]) => html`<button type="button" class="chip" aria-pressed=${name === tool ? "true" : "false"} @click=${() => { keep("dari.tool", name); touch(); }}>${name}</button>`)}
		<button type="button" class="plain" @click=${() => copy(text)}>${t("Copy")}</button></div><pre tabindex="0" aria-label=${t("Command")}>${text}</pre></section>`;
}

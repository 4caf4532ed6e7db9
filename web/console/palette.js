// SPDX-License-Identifier: Apache-2.0
// Ctrl K: finds pages, resources by name, id or address, and actions.
import {html, nothing} from "./vendor/lit-html/lit-html.js";
import {go, href} from "./router.js";
import {PAGES} from "./pages.js";
import {rows, touch, need} from "./store.js";
import {matches, t} from "./words.js";
import {nameOf, shortId} from "./parts.js";
import {isOperator, signOut, chooseAccount, session} from "./session.js";
import {INSTANCE_ACTIONS} from "./instance_actions.js";

const KINDS = [["instances", "instances"], ["volumes", "volumes"], ["images", "images"], ["snapshots", "snapshots"], ["backups", "backups"], ["routers", "networks"], ["subnets", "networks"],
	["security-groups", "security-groups"], ["addresses", "addresses"], ["transit-gateways", "transit-gateways"], ["fleets", "fleets"], ["elastic-load-balancers", "load-balancers"], ["target-groups", "target-groups"], ["scaling-groups", "scaling-groups"], ["clusters", "clusters"], ["spot-requests", "spot-requests"], ["key-pairs", "keys"], ["tickets", "tickets"], ["remote-machines", "machines"], ["remote-resources", "remote-resources"], ["providers", "providers"], ["machine-policies", "machine-policies"]];
const SHOWN = 12;
let isOpen = false, text = "", at = 0, back = null;

export function isPaletteOpen() {
	return isOpen;
}

export function openPalette(begin = "") {
	if (isOpen)
		return;
	back = document.activeElement;
	isOpen = true;
	text = begin;
	at = 0;
	touch();
	requestAnimationFrame(() => requestAnimationFrame(() => document.querySelector(".palette input")?.focus()));
}

function close() {
	isOpen = false;
	touch();
	if (back?.isConnected)
		back.focus();
}

/** Matches, best first: pages, actions, resources. */
function found() {
	const words = text.toLowerCase().split(/\s+/).filter(Boolean);
	const fits = (line) => words.every((w) => matches(line.toLowerCase(), w));
	const pages = PAGES.filter((p) => p.group !== "hidden" && !p.hidden?.() && (p.group !== "region" || isOperator()) && fits(p.title() + " " + p.name))
		.map((p) => ({what: t("Page"), title: p.title(), keys: p.key ? ["G", p.key.toUpperCase()] : [], run: () => go(href(p.name))}));
	const verbs = [
		{title: t("Launch instance"), keys: ["C"], run: () => go(href("launch"))},
		{title: t("Sign out"), run: signOut},
		...(session.accounts?.length > 1 ? session.accounts.filter((a) => a.id !== session.account?.id).map((a) => ({title: t("Switch to account {name}", {name: a.name}), run: () => chooseAccount(a.id)})) : []),
	].filter((v) => fits(v.title)).map((v) => ({what: t("Action"), ...v}));
	const things = [];
	if (words.length)
		for (const [kind, page] of KINDS) {
			if (!need(kind).isLoaded)
				continue;
			for (const row of rows(kind)) {
				if (row.state === "terminated" || things.length > 200)
					continue;
				const line = [nameOf(row), row.ec2, row.id, row.ip, ...(row.addresses ?? []).flatMap((a) => [a.ip, a.public_ip])].filter(Boolean).join(" ");
				if (fits(line))
					things.push({what: t(kind), title: nameOf(row), hint: shortId(row), run: () => go(href(page, shortId(row))), row, kind});
			}
		}
	// "stop web-1": an action and the name of an instance.
	if (words.length > 1 && need("instances").isLoaded)
		for (const action of INSTANCE_ACTIONS) {
			if (!matches(action.title().toLowerCase(), words[0]) && action.id !== words[0])
				continue;
			for (const row of rows("instances").filter((r) => words.slice(1).every((w) => matches(nameOf(r).toLowerCase(), w)) && action.may(r)).slice(0, 5))
				verbs.unshift({what: t("Action"), title: `${action.title()}: ${nameOf(row)}`, hint: shortId(row), run: () => action.run([row])});
		}
	return [...pages.slice(0, words.length ? 5 : 20), ...verbs.slice(0, 8), ...things].slice(0, words.length ? SHOWN : 20);
}

export function paletteView() {
	if (!isOpen)
		return nothing;
	const items = found();
	at = Math.max(0, Math.min(at, items.length - 1));
	const run = (item) => {
		isOpen = false;
		touch();
		item?.run();
	};
	const press = (e) => {
		if (e.key === "ArrowDown" || e.key === "ArrowUp") {
			e.preventDefault();
			at += e.key === "ArrowDown" ? 1 : -1;
			touch();
		} else if (e.key === "Enter") {
			e.preventDefault();
			run(items[at]);
		} else if (e.key === "Escape") {
			e.preventDefault();
			close();
		} else if (e.key === "Tab") {
			e.preventDefault();
		}
	};
	return html`<div class="palette-back" @click=${(e) => e.target === e.currentTarget && close()}><div class="palette" role="dialog" aria-modal="true" aria-label=${t("Search pages, resources and actions")}>
		<input role="combobox" aria-expanded="true" aria-controls="palette-list" aria-autocomplete="list" aria-activedescendant=${items.length ? `palette-${at}` : nothing} aria-label=${t("Search pages, resources and actions")}
			placeholder=${t("Page, name, ID, address, or “stop web-1”")} autocomplete="off" spellcheck="false" .value=${text} @input=${(e) => { text = e.target.value; at = 0; touch(); }} @keydown=${press}>
		<ul id="palette-list" role="listbox" aria-label=${t("Results")}>${items.map((item, k) => html`<li id="palette-${k}" role="option" aria-selected=${k === at ? "true" : "false"} @click=${() => run(item)} @pointermove=${() => { if (at !== k) { at = k; touch(); } }}>
			<span class="what">${item.what}</span><span class="title">${item.title}</span><span class="hint m">${item.hint ?? ""}</span>${(item.keys ?? []).map((x) => html`<kbd>${x}</kbd>`)}</li>`)}</ul>
		${items.length ? nothing : html`<p class="dim">${t("No results.")}</p>`}</div></div>`;
}

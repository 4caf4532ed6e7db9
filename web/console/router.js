// SPDX-License-Identifier: Apache-2.0
// State that a link should keep is in the address: the path names page and resource, the query the view.
import {touch} from "./store.js";

export const PREFIX = "/console/";

/** {page, id, query: URLSearchParams}: "/console/instances/i-1?sort=name" → instances, i-1. */
export let here = read();

function read() {
	const [page = "", id = ""] = location.pathname.slice(PREFIX.length).split("/").filter(Boolean).map(decodeURIComponent);
	return {page, id, query: new URLSearchParams(location.search)};
}

function moved() {
	here = read();
	touch();
}

let arrived = () => {};
export function onArrival(f) {
	arrived = f;
}

addEventListener("popstate", () => {
	moved();
	arrived();
});

export function href(page, id = "", query = {}) {
	const words = new URLSearchParams(Object.entries(query).filter(([, v]) => v !== "" && v !== undefined && v !== null)).toString();
	return PREFIX + page + (id ? "/" + encodeURIComponent(id) : "") + (words ? "?" + words : "");
}

export function go(path, {replace = false} = {}) {
	if (path === location.pathname + location.search)
		return;
	history[replace ? "replaceState" : "pushState"](null, "", path);
	moved();
	if (!replace)
		arrived();
}

/** Changes parameters of the query and stays on the page; empty ones are removed. */
export function say(words, {push = false} = {}) {
	const query = new URLSearchParams(location.search);
	for (const [key, value] of Object.entries(words))
		if (value === "" || value === undefined || value === null)
			query.delete(key);
		else
			query.set(key, value);
	const text = query.toString();
	history[push ? "pushState" : "replaceState"](null, "", location.pathname + (text ? "?" + text : ""));
	moved();
}

/** Clicking a link to the console does not load a page. */
addEventListener("click", (event) => {
	const link = event.target.closest?.("a[href]");
	if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || link.target ||
		link.hasAttribute("download"))
		return;
	const url = new URL(link.href);
	if (url.origin !== location.origin || !url.pathname.startsWith(PREFIX) || /\.|^\/console\/(vnc|serial)/.test(url.pathname))
		return;
	event.preventDefault();
	if (url.hash && url.pathname === location.pathname)
		document.getElementById(url.hash.slice(1))?.focus();
	else
		go(url.pathname + url.search);
});

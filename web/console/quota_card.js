// SPDX-License-Identifier: Apache-2.0
// The account's highest quota usage, as a card.
import {html, gauge} from "./parts.js";
import {touch} from "./store.js";
import {href} from "./router.js";
import {t} from "./words.js";
import {quotaWord, sayOf} from "./quota_words.js";
import {get} from "./api.js";

const LATER_MS = 600, SHOWN = 6;
let shown = {of: "", items: null}, timer = 0;

/** Requests it again when the version has changed. */
function look(version) {
	if (shown.of === version)
		return;
	const isSame = shown.of.split(" ")[0] === version.split(" ")[0];
	const isFirst = !shown.items || !isSame;
	shown = {of: version, items: isSame ? shown.items : null};
	clearTimeout(timer);
	timer = setTimeout(() => get("/quotas").then(({items}) => {
		shown.items = items;
		touch();
	}, () => {}), isFirst ? 0 : LATER_MS);
}

/** Usage of all quotas, highest first. version: the account, and after a blank a version of its rows. */
export function quotasCard(version) {
	look(version);
	const limited = (shown.items ?? []).filter((q) => q.limit > 0).toSorted((a, b) => b.used / b.limit - a.used / a.limit).slice(0, SHOWN);
	return html`<div class="card"><div class="head"><h2>${t("Quotas")}</h2><span class="sp"></span><a href=${href("quotas")}>${t("View all")}</a></div>
		${limited.map((q) => gauge(quotaWord(q.name), q.used, q.limit, sayOf(q.name)))}
		${shown.items && !limited.length ? html`<p class="dim">${t("No quotas are set for this account.")}</p>` : ""}</div>`;
}

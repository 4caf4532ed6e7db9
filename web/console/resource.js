// SPDX-License-Identifier: Apache-2.0
// The page of one kind: the list, the open resource beside it, and a page for each. Differences are in the kind's own file.
import {html, nothing, nameOf, shortId, stateOf, waiting} from "./parts.js";
import {actionsView} from "./actions_menu.js";
import {listView, nameLink} from "./list.js";
import {findRow, need, whole} from "./store.js";
import {href, say} from "./router.js";
import {t} from "./words.js";
import {offerCommand, showCommand} from "./command_bar.js";
import {mayChange} from "./session.js";
import {isOffered} from "./may.js";

/** Actions that end the resource: the last ones on its page. */
const ENDS = new Set(["delete", "remove", "release", "deregister"]);

/** page: {name, kind, kinds, title, one, columns, facts(row), more(row), actions, command, …} as in listView; body(row) replaces the card of facts,
 * state(row) the state's word, label(row) its display name if it has no name of its own. An action with a dialog shows its command there. */
export function resourcePage(page) {
	const spec = {
		id: page.name, sort: "name", detail: true, href: (r) => href(page.name, shortId(r)),
		preview: (action, chosen) => page.verb && !action.asks && showCommand(`${page.verb}.${action.id}`, {ids: chosen}),
		...page,
	};
	spec.kinds = [page.kind, ...(page.kinds ?? [])];
	spec.columns = page.columns.map((c) => (c.key === "name" && !c.cell ? {...c, cell: (r) => nameLink(spec, r)} : c));
	if (!mayChange())
		spec.actions = undefined;
	const label = (r) => page.label?.(r) ?? nameOf(r);
	const actionsOf = (r) => [...(spec.actions ?? []), ...(mayChange() ? page.oneActions ?? [] : [])].filter((a) => isOffered(a, r) && (!a.isRare || a.may(r))).toSorted((a, b) => ENDS.has(a.id) - ENDS.has(b.id));
	const state = (r) => page.state?.(r) ?? stateOf(r);
	const buttons = (r) => actionsView(actionsOf(r).map((a) => ({title: a.title(), danger: a.danger, disabled: a.may && !a.may(r), why: a.why, preview: () => spec.preview(a, [r]), run: () => a.run([r])})));
	const why = (r) => (r.conditions?.length ? html`<div class="card why">${r.conditions.map((c) => html`<h2><span aria-hidden="true">▲</span> <bdi>${nameOf(r)}</bdi>: ${t(c.name)}</h2><p>${c.message}</p>${c.advice ? html`<p><strong>${t("Recommended action:")}</strong> ${c.advice}</p>` : nothing}`)}</div>` : nothing);
	const detail = (r) => html`${buttons(r)}${why(r)}${page.body?.(r) ?? html`<div class="card"><h2>${t("Details")}</h2>${page.facts(r)}</div>`}${page.more?.(r) ?? nothing}`;
	return ({id, query}) => {
		for (const kind of [...spec.kinds, ...(page.alsoNeeds ?? [])])
			need(kind);
		if (id) {
			const found = findRow(page.kind, id), r = found && whole(page.kind, found);
			offerCommand(page.command, {ids: r ? [r] : []});
			return r ? html`<div class="head"><h1><bdi>${label(r)}</bdi></h1>${state(r)}${label(r) === shortId(r) ? nothing : html`<span class="dim m">${shortId(r)}</span>`}</div>${detail(r)}`
				: need(page.kind).isLoaded ? html`<h1>${t("Resource not found")}</h1><p>${t("It may have been deleted, or belongs to another account.")} <a href=${href(page.name)}>${page.title()}</a></p>` : waiting();
		}
		offerCommand(page.command, {});
		const found = query.get("open") ? findRow(page.kind, query.get("open")) : null, open = found && whole(page.kind, found);
		const list = listView(spec);
		return html`<h1>${page.title()}</h1>${page.above?.() ?? nothing}${open ? html`<div class="two"><div>${list}</div><aside class="beside" aria-label=${label(open)}><div class="head"><h2><a href=${spec.href(open)}><bdi>${label(open)}</bdi></a></h2>${state(open)}<span class="sp"></span><button type="button" class="plain" aria-label=${t("Close")} @click=${() => say({open: ""})}>×</button></div>${detail(open)}</aside></div>` : list}`;
	};
}

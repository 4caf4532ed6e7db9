// SPDX-License-Identifier: Apache-2.0
// Matrix of security groups: the groups of a VPC on both sides, and what the rules of one allow from members of the other. For many groups, the same
// as a list with a filter.
import {html, nothing, nameOf, shortId, mark} from "../parts.js";
import {live} from "../vendor/lit-html/directives/live.js";
import {rows, row, derive} from "../store.js";
import {here, href, say} from "../router.js";
import {t, matches} from "../words.js";
import {of, protocolOf, portsOf} from "./parts.js";

const GROUPS_MAX = 30, LINES_MAX = 500;
const isAny = (block) => block === "0.0.0.0/0" || block === "::/0";
const isAll = (rule) => rule.protocol === undefined || rule.protocol < 0;

/** True if the egress rule allows everything that the ingress rule allows. */
function covers(out, rule) {
	if (isAll(out))
		return true;
	return out.protocol === rule.protocol && ((out.from_port ?? -1) < 0 || ((rule.from_port ?? -1) >= out.from_port && rule.to_port <= out.to_port));
}

/** True if no egress rule of the source's group allows the traffic. A rule for an address range may allow it. */
function heldBack(target, rule, outs) {
	return !outs.some((out) => (!out.peer_group || out.peer_group === target.id) && covers(out, rule));
}

/** [{source: a group, "any" or a block, target, lets: [{rule, isHeld}]}] for the groups of a VPC. */
function pairsOf(groups) {
	const ids = new Map(groups.map((g) => [g.id, g])), outs = new Map(groups.map((g) => [g.id, []])), found = new Map();
	for (const rule of rows("security-group-rules"))
		if (rule.direction === "egress" && outs.has(rule.group))
			outs.get(rule.group).push(rule);
	for (const rule of rows("security-group-rules")) {
		const target = ids.get(rule.group);
		if (rule.direction !== "ingress" || !target)
			continue;
		const source = rule.peer_group ? ids.get(rule.peer_group) ?? row("security-groups", rule.peer_group) ?? {id: rule.peer_group} : rule.peer_block && !isAny(rule.peer_block) ? "block" : "any";
		const key = `${source.id ?? source} ${target.id}`;
		if (!found.has(key))
			found.set(key, {source, target, lets: []});
		found.get(key).lets.push({rule, isHeld: Boolean(source.id) && outs.has(source.id) && heldBack(target, rule, outs.get(source.id))});
	}
	return [...found.values()];
}

const ruleWords = (rule) => `${protocolOf(rule)} ${portsOf(rule)}`.trim();
const sourceName = (source) => (source === "any" ? t("Anywhere") : source === "block" ? t("CIDR blocks") : nameOf(source));
const groupLink = (g) => (g.id ? html`<a href=${href("security-groups", shortId(g))}>${nameOf(g)}</a>` : sourceName(g));

function letView({rule, isHeld}) {
	return html`<div>${isHeld ? mark("bad", ruleWords(rule)) : ruleWords(rule)}${rule.peer_block && !isAny(rule.peer_block) ? html` <span class="m">${rule.peer_block}</span>` : nothing}${isHeld ? html`<div class="dim">${t("denied by outbound rules")}</div>` : nothing}</div>`;
}

function table(groups, pairs) {
	const cell = new Map(pairs.map((p) => [`${p.source.id ?? p.source} ${p.target.id}`, p.lets]));
	const sources = [...["any", "block"].filter((s) => pairs.some((p) => p.source === s)), ...groups, ...new Set(pairs.filter((p) => p.source.id && !groups.includes(p.source)).map((p) => p.source))];
	return html`<div class="scroll" tabindex="0" role="region" aria-label=${t("Security group matrix")}><table class="matrix simple"><caption class="sr">${t("Security group matrix")}</caption>
		<thead><tr><th scope="col">${t("Source")} ↓ ${t("Destination")} →</th>${groups.map((g) => html`<th scope="col">${groupLink(g)}</th>`)}</tr></thead>
		<tbody>${sources.map((s) => html`<tr><th scope="row">${groupLink(s)}</th>${groups.map((g) => html`<td>${(cell.get(`${s.id ?? s} ${g.id}`) ?? []).map(letView)}</td>`)}</tr>`)}</tbody></table></div>`;
}

function list(pairs) {
	const q = (here.query.get("q") ?? "").toLowerCase(), lines = pairs.filter((p) => matches(`${sourceName(p.source)}\n${nameOf(p.target)}\n${p.lets.map(({rule}) => ruleWords(rule)).join("\n")}`, q));
	return html`<div class="bar"><label class="sr" for="q">${t("Filter")}</label><input id="q" type="search" size="28" placeholder=${t("Filter by group, protocol or port")} .value=${live(here.query.get("q") ?? "")} @input=${(e) => say({q: e.target.value})}></div>
		<div class="scroll" tabindex="0" role="region" aria-label=${t("Security group matrix")}><table class="simple"><thead><tr><th scope="col">${t("Source")}</th><th scope="col">${t("Destination")}</th><th scope="col">${t("Traffic")}</th></tr></thead>
		<tbody>${lines.slice(0, LINES_MAX).map((p) => html`<tr><td>${groupLink(p.source)}</td><td>${groupLink(p.target)}</td><td>${p.lets.map(letView)}</td></tr>`)}</tbody></table></div>`;
}

export function matrixView() {
	const routers = rows("routers"), chosen = routers.find((r) => shortId(r) === here.query.get("vpc")) ?? routers.find((r) => r.is_default) ?? routers[0];
	const groups = (chosen ? of("security-groups", chosen) : rows("security-groups")).toSorted((a, b) => nameOf(a).localeCompare(nameOf(b)));
	const pairs = derive("who reaches whom", ["security-groups", "security-group-rules", "routers"], `${chosen?.id} ${document.documentElement.lang}`, () => pairsOf(groups));
	return html`<div class="head"><h1>${t("Security group matrix")}</h1><span class="sp"></span><a href=${href("security-groups")}>${t("Security groups")}</a></div>
		<div class="bar" role="group" aria-label=${t("VPC")}>${routers.slice(0, 40).map((r) => html`<button type="button" class="chip" aria-pressed=${r === chosen ? "true" : "false"} @click=${() => say({vpc: shortId(r)})}>${nameOf(r)}</button>`)}</div>
		<p class="dim">${t("Traffic from the row’s members that the column’s inbound rules allow. Traffic that the row’s outbound rules deny is marked. Routes and network ACLs are not considered:")} <a href=${href("reach")}>${t("Reachability Analyzer")}</a></p>
		${groups.length > GROUPS_MAX ? list(pairs) : table(groups, pairs)}`;
}

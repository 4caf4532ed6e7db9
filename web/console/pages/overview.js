// SPDX-License-Identifier: Apache-2.0
// The first page: resources, problems, recent events; for new users three steps to a shell in a guest.
import {html, nothing, nameOf, shortId, mark, stateOf, tone, waiting} from "../parts.js";
import {rows, row as byId, need, isReady, touch, derive} from "../store.js";
import {href} from "../router.js";
import {t, amount, number, size, since} from "../words.js";
import {get} from "../api.js";
import {offerCommand} from "../command_bar.js";
import {session, isOperator} from "../session.js";
import {eventLine} from "../events.js";
import {costsOf} from "../costs.js";
import {quotasCard} from "../quota_card.js";

const PAGES_OF = [["instances", "instances"], ["volumes", "volumes"], ["snapshots", "snapshots"], ["images", "images"], ["subnets", "networks"], ["hosts", "hosts"]];
let events = {at: -1, items: null};

function fetchEvents() {
	const version = need("instances").version + need("volumes").version;
	if (events.at === version)
		return;
	const mine = {at: version, items: events.items};
	events = mine;
	setTimeout(() => events === mine && get("/events?limit=20").then((said) => {
		mine.items = said.items ?? [];
		touch();
	}, () => {
		mine.items ??= [];
		touch();
	}), events.items ? 600 : 0);
}

function attention() {
	return derive("attention", PAGES_OF.map(([kind]) => kind).filter((k) => k !== "hosts" || isOperator()), "", () => PAGES_OF.filter(([kind]) => kind !== "hosts" || isOperator()).flatMap(([kind, page]) =>
		rows(kind).filter((r) => tone(r.state, r.conditions) === "bad").map((r) => ({row: r, kind, page}))).slice(0, 50));
}

function firstSteps() {
	const hasKey = rows("key-pairs").length > 0, live = rows("instances").filter((r) => r.state !== "terminated"), running = live.find((r) => r.state === "running");
	if (running && hasKey)
		return nothing;
	const step = (isDone, title, words, action) => html`<li class=${isDone ? "ok" : ""}><h2>${title} ${isDone ? html`<span class="ok" aria-hidden="true">●</span><span class="sr">${t("done")}</span>` : nothing}</h2>${isDone ? nothing : html`<p class="dim">${words}</p>${action}`}</li>`;
	return html`<div class="card"><ol class="steps">
		${step(hasKey, t("1. Key pair"), t("Import your SSH public key to connect to new instances. The private key stays with you."), html`<a class="b" href=${href("keys")}>${t("Import key pair")}</a>`)}
		${step(Boolean(running), t("2. Instance"), t("Every field of the launch form has a default."), html`<a class="b b1" href=${href("launch")}>${t("Launch instance")}</a>`)}
		${step(false, t("3. CLI and SDKs"), t("Use the tools you know: aws, openstack, cmk, Terraform."), html`<a class="b" href=${href("connect")}>${t("CLI & SDK setup")}</a>`)}</ol></div>`;
}

const count = (title, n, words, link) => html`<a class="card" href=${link}><h2>${title}</h2><p class="big">${n}</p><p class="hint">${words}</p></a>`;

/** Empty if nothing has a price, or the user may not see costs. */
function costCard() {
	const {data} = costsOf("?group=service&limit=1");
	return (data?.sums ?? []).map((sum) => count(t("This month so far"), amount(sum.total, sum.currency), t("forecast {cost}", {cost: amount(sum.forecast, sum.currency)}), href("usage")));
}

function ticketCard() {
	const open = rows("tickets").filter((r) => !["resolved", "closed", "rejected", "cancelled"].includes(r.state)), mine = open.filter((r) => r.state === "waiting" && r.account === session.account?.id);
	return open.length ? count(t("Tickets"), number(open.length), mine.length ? t("{n} waiting for your reply", {n: mine.length}) : t("open tickets"), href("tickets", "", {q: "open:yes"})) : nothing;
}

export function view() {
	for (const k of ["instances", "volumes", "addresses", "key-pairs", "images", "snapshots", "subnets", "instance-types", ...(isOperator() ? ["hosts"] : [])])
		need(k);
	offerCommand("instances.list", {});
	if (!isReady("instances", "volumes", "addresses", "key-pairs", "instance-types"))
		return html`<h1>${t("Overview")}</h1>${waiting()}`;
	fetchEvents();
	const live = rows("instances").filter((r) => r.state !== "terminated"), running = live.filter((r) => r.state === "running");
	const disks = rows("volumes"), bad = attention(), hosts = isOperator() ? rows("hosts") : [];
	const elastic = rows("addresses").filter((a) => a.is_elastic !== false), sum = (name) => live.reduce((s, r) => s + (byId("instance-types", r.type)?.[name] ?? 0), 0);
	return html`<div class="head"><h1>${session.account?.name ?? t("Overview")}</h1><span class="dim">${session.region}</span></div>
		<div class="grid4 six">${count(t("Instances"), number(running.length), !live.length ? t("none yet") : live.length === running.length ? t("all are running") : t("running of {n}", {n: live.length}), href("instances"))}
			${count(t("vCPUs and memory"), number(sum("vcpus")), size(sum("memory")), href("instances", "", {sort: "-type"}))}
			${count(t("Disks"), size(disks.reduce((s, v) => s + (v.size ?? 0), 0)), t("{n} volumes, {free} available", {n: disks.length, free: disks.filter((v) => v.state === "available").length}), href("volumes"))}
			${count(t("Elastic IPs"), number(elastic.length), t("{n} unassociated", {n: elastic.filter((a) => !a.port).length}), href("addresses"))}
			${costCard()}${ticketCard()}
			${hosts.length ? count(t("Hosts"), number(hosts.filter((h) => h.state === "up").length), hosts.every((h) => h.state === "up") ? t("all online") : t("online of {n}", {n: hosts.length}), href("hosts")) : nothing}</div>
		${firstSteps()}
		<div class="half"><div class="card"><h2>${bad.length ? mark("bad", t("{n} need attention", {n: bad.length})) : mark("ok", t("No issues"))}</h2>
			${bad.length ? html`<ul class="plainlist">${bad.slice(0, 12).map(({row, page}) => html`<li><a href=${href(page, shortId(row))}>${nameOf(row)}</a> ${stateOf(row)}${row.conditions?.[0] ? html`<div class="dim">${row.conditions[0].message}</div>` : nothing}</li>`)}</ul>` : html`<p class="dim">${t("All resources are healthy")}</p>`}
			${live.some((r) => tone(r.state, r.conditions) === "go") ? html`<h3>${t("In progress")}</h3><ul class="plainlist">${live.filter((r) => tone(r.state, r.conditions) === "go").slice(0, 10).map((r) => html`<li><a href=${href("instances", shortId(r))}>${nameOf(r)}</a> ${stateOf(r)}</li>`)}</ul>` : nothing}
			${running.length ? html`<h3>${t("Recent launches")}</h3><ul class="plainlist">${live.toSorted((a, b) => b.created_us - a.created_us).slice(0, 5).map((r) => html`<li><a href=${href("instances", shortId(r))}>${nameOf(r)}</a> ${stateOf(r)} <span class="dim">${since(r.created_us)}</span></li>`)}</ul>` : nothing}</div>
		<div>${quotasCard(`${session.account?.id} ${["instances", "volumes", "addresses", "images", "snapshots"].map((k) => need(k).version).join()}`)}<div class="card"><div class="head"><h2>${t("Events")}</h2><span class="sp"></span><a href=${href("activity")}>${t("View all")}</a></div>${events.items ? events.items.length ? html`<ul class="hist">${events.items.slice(0, 20).map(eventLine)}</ul>` : html`<p class="dim">${t("No events.")}</p>` : waiting()}</div></div></div>`;
}


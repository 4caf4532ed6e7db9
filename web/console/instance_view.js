// SPDX-License-Identifier: Apache-2.0
// One instance, on its page and beside the list: conditions, details, events.
import {later} from "./later.js";
import {html, nothing, stateOf, tone, nameOf, shortId, refLink, refName, pairs, copyable, when, waiting} from "./parts.js";
import {actionsView} from "./actions_menu.js";
import {rows, row as byId, touch} from "./store.js";
import {href, say} from "./router.js";
import {t, size, time} from "./words.js";
import {get} from "./api.js";
import {INSTANCE_ACTIONS} from "./instance_actions.js";
import {ONE_ACTIONS} from "./one_instance_actions.js";
import {showCommand} from "./command_bar.js";
import {isOperator, mayChange} from "./session.js";
import {isOffered, may} from "./may.js";
import {detach, settings} from "./instance_dialogs.js";
import {picture} from "./transfers.js";
import {tagsCard} from "./tags.js";
import {eventWords} from "./event_words.js";

const charts = later(() => import("./charts.js"));
const moves = later(() => import("./migrate.js"));

/** Data besides the row: events and console output. Fetched again when the row has changed. */
let extra = {id: "", batch: 0, explain: null, events: null, console: null, problem: null};

function fetchExtra(r, withConsole) {
	if (extra.id === r.id && extra.batch === r.batch)
		return;
	const mine = {...(extra.id === r.id ? extra : {explain: null, events: null, console: null}), id: r.id, batch: r.batch, problem: null};
	extra = mine;
	const take = (name) => (value) => {
		if (extra.id === mine.id) {
			extra[name] = value;
			touch();
		}
	};
	get(`/explain/${r.id}`).then(take("explain"), () => {});
	get(`/instances/${r.id}/events?limit=50`).then(take("events"), take("problem"));
	if (withConsole)
		get(`/instances/${r.id}/console`).then(take("console"), () => take("console")({text: ""}));
}

function whyCard(r) {
	const conditions = r.conditions ?? [];
	if (!conditions.length) {
		if (tone(r.state) !== "go" || !extra.explain?.in_its_way)
			return nothing;
		return html`<div class="card why go-card"><h2><span aria-hidden="true">◐</span> ${t("{name}: in progress", {name: nameOf(r)})}</h2><p>${extra.explain.in_its_way}</p></div>`;
	}
	return html`<div class="card why">${conditions.map((c) => html`<h2><span aria-hidden="true">▲</span> <bdi>${nameOf(r)}</bdi>: ${t(c.name)}</h2><p>${c.message}</p>
		<p class="hint">${t("Since {time}", {time: time(c.since_us)})}${extra.explain?.next_try ? html`, ${t("next try: {when}", {when: extra.explain.next_try})}` : nothing}</p>
		${c.advice ? html`<p><strong>${t("Recommended action:")}</strong> ${c.advice}</p>` : nothing}`)}</div>`;
}

function factsCard(r) {
	const type = byId("instance-types", r.type);
	const ports = rows("ports").filter((p) => p.instance === r.id);
	const groups = [...new Set(ports.flatMap((p) => p.groups ?? []))];
	return html`<div class="card"><h2>${t("Details")}</h2>${pairs([
		[t("State"), stateOf(r)],
		[t("Instance type"), type ? html`${type.name} <span class="dim">${t("{n} vCPUs", {n: type.vcpus})}, ${size(type.memory)}</span>` : ""],
		[t("IP addresses"), (r.addresses ?? []).map((a) => html`<div>${a.public_ip ? html`${copyable(a.public_ip)} <span class="dim">→</span> ` : nothing}${copyable(a.ip)}</div>`)],
		[t("Image"), r.image ? refLink("images", r.image) : ""],
		[t("Key pair"), r.key_name],
		[t("Availability Zone"), refName("zones", r.zone)],
		[t("Subnet"), r.subnet ? refLink("subnets", r.subnet, "networks") : ""],
		[t("Security groups"), groups.length ? groups.map((g, k) => html`${k ? ", " : ""}${refLink("security-groups", g)}`) : ""],
		[t("Host"), r.host ? refLink("hosts", r.host) : ""],
		[t("Launch time"), when(r.launched_us)],
		[t("Description"), r.description],
		[t("Protection"), r.protect_terminate || r.protect_stop ? [r.protect_terminate ? t("termination") : "", r.protect_stop ? t("stop") : ""].filter(Boolean).join(", ") : ""],
		["EC2", r.ec2 ? copyable(r.ec2) : ""],
		["OpenStack", copyable(r.id)],
	])}${mayChange() && may("instance.update", r.id) ? html`<p><button type="button" @click=${() => settings([r])}>${t("Settings…")}</button></p>` : nothing}</div>`;
}

const moveCard = (r) => (isOperator() && r.state === "running" ? moves()?.migrationCard({instance: r}) ?? nothing : nothing);

function disksCard(r) {
	const disks = rows("volumes").filter((v) => v.instance === r.id), mayTake = mayChange() && may("volume.detach", r.id);
	return html`<div class="card"><h2>${t("Disks")}</h2>${disks.length ? html`<ul class="plainlist">${disks.map((v) => html`<li><a href=${href("volumes", shortId(v))}>${nameOf(v)}</a> <span class="dim"><span class="m">${v.device ?? ""}</span> ${size(v.size)}${v.delete_on_termination ? `, ${t("delete on termination")}` : ""}</span> ${v.state === "in-use" ? nothing : stateOf(v)}
		${mayTake && v.state === "in-use" ? html`<button type="button" class="plain" aria-label=${t("Detach {name}", {name: nameOf(v)})} @click=${() => detach(r, v)}>${t("Detach")}</button>` : nothing}</li>`)}</ul>` : html`<p class="dim">${t("No volumes.")}</p>`}</div>`;
}

/** Screenshot of its display: fetched once when the page is opened, and again on request. Each request is recorded in the audit log. */
let screen = {of: "", url: "", problem: null};
function lookAtScreen(r) {
	const of = `${r.id} ${r.state}`;
	if (screen.url)
		URL.revokeObjectURL(screen.url);
	screen = {of, url: "", problem: null};
	picture(`/instances/${r.id}/screen`).then((url) => ({url}), (problem) => ({problem})).then((said) => {
		if (screen.of === of)
			Object.assign(screen, said);
		else if (said.url)
			URL.revokeObjectURL(said.url);
		touch();
	});
}

function screenCard(r) {
	if (!["running", "rescued"].includes(r.state) || !may("instance.get_screen", r.id))
		return nothing;
	if (screen.of !== `${r.id} ${r.state}`)
		lookAtScreen(r);
	return html`<div class="card"><div class="head"><h2>${t("Console preview")}</h2><span class="sp"></span><button type="button" class="plain" @click=${() => lookAtScreen(r)}>${t("Refresh")}</button></div>
		${screen.url ? html`<a href=${href("screen", shortId(r))}><img class="thumb" src=${screen.url} alt=${t("Console preview of {name}", {name: nameOf(r)})}></a>` : screen.problem ? html`<p class="dim">${screen.problem.message}</p>` : waiting()}</div>`;
}

function historyCard() {
	const events = extra.events?.items ?? extra.events?.events;
	return html`<div class="card"><h2>${t("Events")}</h2>${extra.problem && !events ? html`<p class="dim">${extra.problem.message}</p>` : !events ? waiting() : events.length
		? html`<ul class="hist">${events.map((e) => html`<li>${when(e.at_us ?? e.time_us ?? e.created_us)}<span>${eventWords(e)}${e.by ? html` <span class="dim">${e.by}</span>` : nothing}</span></li>`)}</ul>`
		: html`<p class="dim">${t("No events.")}</p>`}</div>`;
}

function consoleCard() {
	const text = extra.console?.text ?? extra.console?.output ?? "";
	return html`<div class="card"><h2>${t("Console output")}</h2>${extra.console ? html`<div class="block"><pre tabindex="0" aria-label=${t("Console output")}>${text.slice(-4000) || t("No output yet.")}</pre></div>` : waiting()}</div>`;
}

function buttons(r) {
	const all = [...INSTANCE_ACTIONS.filter((a) => !a.danger), ...ONE_ACTIONS, ...INSTANCE_ACTIONS.filter((a) => a.danger)];
	const offered = mayChange() ? all.filter((a) => isOffered(a, r) && (!a.isRare || a.may(r)) && !["tag", "untag", "protect"].includes(a.id)) : [];
	const preview = (a) => ["start", "stop", "reboot", "pause", "unpause", "suspend", "terminate"].includes(a.id) && showCommand("instances." + a.id, {ids: [r]});
	return actionsView(offered.map((a) => ({title: a.title(), danger: a.danger, disabled: !a.may(r), why: a.why, preview: () => preview(a), run: () => a.run([r])})));
}

export function side(r) {
	fetchExtra(r, false);
	return html`<aside class="beside" aria-label=${nameOf(r)}><div class="head"><h2><a href=${href("instances", shortId(r))}><bdi>${nameOf(r)}</bdi></a></h2><span class="sp"></span><button type="button" class="plain" aria-label=${t("Close")} @click=${() => say({open: ""})}>×</button></div>
		${buttons(r)}${whyCard(r)}${moveCard(r)}${factsCard(r)}${disksCard(r)}${tagsCard("instance", "instances", r)}${historyCard()}</aside>`;
}

export function onePage(r) {
	fetchExtra(r, true);
	return html`<div class="head"><h1><bdi>${nameOf(r)}</bdi></h1>${stateOf(r)}${nameOf(r) === shortId(r) ? nothing : html`<span class="dim m">${shortId(r)}</span>`}</div>${buttons(r)}${whyCard(r)}${moveCard(r)}
		${["running", "paused", "stopping", "rescued", "stopped"].includes(r.state) ? charts()?.chartsCard(`/instances/${r.id}`, r.state !== "stopped") ?? nothing : nothing}
		<div class="half"><div>${factsCard(r)}${disksCard(r)}${tagsCard("instance", "instances", r)}</div><div>${screenCard(r)}${historyCard()}${consoleCard()}</div></div>`;
}

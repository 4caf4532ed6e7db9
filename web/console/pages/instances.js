// SPDX-License-Identifier: Apache-2.0
// Instances: the list with what can be done to many, and one of them: why it is as it is, what it is, what happened to it.
import {later} from "../later.js";
import {html, nothing, stateOf, tone, nameOf, shortId, refLink, refName, pairs, copyable, when, problemCard, emptyCard, tagsOf, ask, report, waiting, mark} from "../parts.js";
import {listView, nameLink} from "../list.js";
import {fetchWhole, findRow, need, rows, row as byId, touch, whole} from "../store.js";
import {href, here, say, go} from "../router.js";
import {t, size, time, since, number} from "../words.js";
import {get, patch, post} from "../api.js";
import {INSTANCE_ACTIONS, ONE_ACTIONS} from "../instance_actions.js";
import {offerCommand, showCommand} from "../command_bar.js";
import {mayChange} from "../session.js";

const charts = later(() => import("../charts.js"));
const kinds = ["instances", "instance-types", "images", "zones"];
const address = (r) => (r.addresses ?? []).find((a) => a.public_ip)?.public_ip ?? r.addresses?.[0]?.ip ?? "";
const typeName = (r) => refName("instance-types", r.type);
const isThere = (r) => r.state !== "terminated";

export const spec = {
	id: "instances", kind: "instances", kinds, sort: "name",
	title: () => t("Instances"),
	keep: (r, which) => isThere(r) || which === "all",
	version: () => ((here.query.get("q") ?? "").includes("state:terminated") ? "all" : ""),
	href: (r) => href("instances", shortId(r)),
	search: (r) => [typeName(r), refName("images", r.image), ...(r.addresses ?? []).flatMap((a) => [a.ip, a.public_ip]), r.key_name],
	keys: {state: (r) => r.state, type: typeName, zone: (r) => refName("zones", r.zone), image: (r) => refName("images", r.image), key: (r) => r.key_name, host: (r) => refName("hosts", r.host)},
	columns: [
		{key: "name", title: () => t("Name"), width: "24%", sort: nameOf, cell: (r) => nameLink(spec, r)},
		{key: "state", title: () => t("State"), width: "21%", text: (r) => r.state, cell: stateOf},
		{key: "type", title: () => t("Type"), width: "13%", sort: (r) => byId("instance-types", r.type)?.memory ?? 0, text: typeName},
		{key: "address", title: () => t("Address"), mono: true, width: "17%", text: address},
		{key: "zone", title: () => t("Zone"), wide: true, width: "12%", text: (r) => refName("zones", r.zone)},
		{key: "age", title: () => t("Launched"), num: true, wide: true, sort: (r) => -(r.launched_us ?? r.created_us ?? 0), text: (r) => since(r.launched_us || r.created_us)},
	],
	chips: [{title: () => t("all"), query: ""}, {title: () => t("running"), query: "state:running"}, {title: () => t("stopped"), query: "state:stopped"}, {title: () => t("needs attention"), query: "state:error"}],
	actions: INSTANCE_ACTIONS,
	preview: (action, chosen) => showCommand("instances." + action.id, {ids: chosen}),
	detail: true,
	lead: () => html`<a class="b b1" href=${href("launch")}>${t("Launch")} <kbd>C</kbd></a>`,
	empty: () => emptyCard(t("No instance yet"), t("An instance is a virtual machine: an image, a size, a network. The launch page has a value for everything already."),
		html`<a class="b b1" href=${href("launch")}>${t("Launch with all defaults")} <kbd>C</kbd></a>`),
};

// ---- one instance ----

/** What was fetched besides the row: its history and its console's text. Fetched anew when the row has changed. */
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
		if (tone(r.state) !== "go" || !extra.explain?.obstacle)
			return nothing;
		return html`<div class="card why go-card"><h2><span aria-hidden="true">◐</span> ${t("{name} is on its way", {name: nameOf(r)})}</h2><p>${extra.explain.obstacle}</p></div>`;
	}
	return html`<div class="card why">${conditions.map((c) => html`<h2><span aria-hidden="true">▲</span> ${nameOf(r)}: ${t(c.name)}</h2><p>${c.message}</p>
		<p class="hint">${t("Since {time}", {time: time(c.since_us)})}${extra.explain?.next_try ? html`, ${t("next try: {when}", {when: extra.explain.next_try})}` : nothing}</p>
		${c.advice ? html`<p><strong>${t("What to do:")}</strong> ${c.advice}</p>` : nothing}`)}</div>`;
}

function factsCard(r) {
	const type = byId("instance-types", r.type);
	const disks = rows("volumes").filter((v) => v.instance === r.id);
	const ports = rows("ports").filter((p) => p.instance === r.id);
	const groups = [...new Set(ports.flatMap((p) => p.groups ?? []))];
	return html`<div class="card"><h2>${t("What it is")}</h2>${pairs([
		[t("State"), stateOf(r)],
		[t("Size"), type ? html`${type.name} <span class="dim">${t("{n} vCPUs", {n: type.vcpus})}, ${size(type.memory)}</span>` : ""],
		[t("Address"), (r.addresses ?? []).map((a) => html`<div>${a.public_ip ? html`${copyable(a.public_ip)} <span class="dim">→</span> ` : nothing}${copyable(a.ip)}</div>`)],
		[t("Image"), r.image ? refLink("images", r.image) : ""],
		[t("Key pair"), r.key_name],
		[t("Zone"), refName("zones", r.zone)],
		[t("Subnet"), r.subnet ? refLink("subnets", r.subnet, "networks") : ""],
		[t("Security groups"), groups.length ? groups.map((g, k) => html`${k ? ", " : ""}${refLink("security-groups", g)}`) : ""],
		[t("Disks"), disks.length ? disks.map((v) => html`<div><a href=${href("volumes", shortId(v))}>${nameOf(v)}</a> <span class="dim">${v.device ?? ""} ${size(v.size)}</span></div>`) : ""],
		[t("Host"), r.host ? refLink("hosts", r.host) : ""],
		[t("Launched"), when(r.launched_us)],
		[t("Tags"), tagsOf(r).length ? tagsOf(r).map(([k, v]) => html`<div><span class="dim">${k}</span> ${v}</div>`) : ""],
		["EC2", r.ec2 ? copyable(r.ec2) : ""],
		["OpenStack", copyable(r.id)],
	])}${mayChange() ? html`<p><button type="button" @click=${() => rename(r)}>${t("Name and protection…")}</button></p>` : nothing}</div>`;
}

function historyCard() {
	const events = extra.events?.items ?? extra.events?.events;
	return html`<div class="card"><h2>${t("What happened")}</h2>${extra.problem && !events ? html`<p class="dim">${extra.problem.message}</p>` : !events ? waiting() : events.length
		? html`<ul class="hist">${events.map((e) => html`<li>${when(e.at_us ?? e.time_us ?? e.created_us)}<span>${e.text ?? e.message ?? e.action ?? e.name}${e.by ? html` <span class="dim">${e.by}</span>` : nothing}</span></li>`)}</ul>`
		: html`<p class="dim">${t("Nothing is on record.")}</p>`}</div>`;
}

function consoleCard() {
	const text = extra.console?.text ?? extra.console?.output ?? "";
	return html`<div class="card"><h2>${t("What it said on its console")}</h2>${extra.console ? html`<div class="block"><pre tabindex="0" aria-label=${t("Console")}>${text.slice(-4000) || t("Nothing yet.")}</pre></div>` : waiting()}</div>`;
}

/** A form has its own copy: what arrives meanwhile is told beside it, and never put into a field. */
async function rename(shown) {
	const r = await fetchWhole("instances", shown);
	const gen = r.gen, before = {name: nameOf(r), protect: Boolean(r.protect_terminate)};
	ask({title: t("Name and protection"), label: t("Save"),
		body: () => {
			const now = byId("instances", r.id);
			return html`<label class="f">${t("Name")}<input name="name" value=${before.name} maxlength="255" autofocus></label>
				<label class="check"><input type="checkbox" name="protect" ?checked=${before.protect}> ${t("Protected against termination")}</label>
				${now && (now.gen !== gen || nameOf(now) !== before.name) ? html`<p class="st go" role="status"><span aria-hidden="true">◐</span> ${t("Changed meanwhile; it is now called {name}.", {name: nameOf(now)})}</p>` : nothing}`;
		},
		submit: async (form) => {
			const name = form.get("name"), protect = form.get("protect") === "on";
			if (protect !== before.protect)
				await patch(`/instances/${r.id}`, {protect_terminate: protect}, gen);
			if (name !== before.name)
				await post("/tags", {ids: [r.ec2], tags: {Name: name}});
		}});
}

function buttons(r) {
	return html`<div class="bar" role="toolbar" aria-label=${t("What can be done")}>${[...INSTANCE_ACTIONS.filter((a) => !a.danger), ...ONE_ACTIONS, ...INSTANCE_ACTIONS.filter((a) => a.danger)].map((a) => html`<button type="button" class=${a.danger ? "danger-text" : ""} ?disabled=${!a.may(r) || !mayChange()}
		@mouseenter=${() => !a.one && ["start", "stop", "reboot", "terminate"].includes(a.id) && showCommand("instances." + a.id, {ids: [r]})} @click=${() => a.run([r])}>${a.title()}${a.danger ? "…" : ""}</button>`)}</div>`;
}

function side(r) {
	fetchExtra(r, false);
	return html`<aside class="beside" aria-label=${nameOf(r)}><div class="head"><h2><a href=${href("instances", shortId(r))}>${nameOf(r)}</a></h2><span class="sp"></span><button type="button" class="plain" aria-label=${t("Close")} @click=${() => say({open: ""})}>×</button></div>
		${buttons(r)}${whyCard(r)}${factsCard(r)}${historyCard()}</aside>`;
}

function onePage(r) {
	fetchExtra(r, true);
	return html`<div class="head"><h1>${nameOf(r)}</h1>${stateOf(r)}<span class="dim m">${shortId(r)}</span></div>${buttons(r)}${whyCard(r)}
		${["running", "paused", "stopping", "rescued", "stopped"].includes(r.state) ? charts()?.chartsCard(`/instances/${r.id}`) ?? nothing : nothing}
		<div class="half"><div>${factsCard(r)}</div><div>${historyCard()}${consoleCard()}</div></div>`;
}

export function view({id, query}) {
	for (const kind of [...kinds, ...(id || query.get("open") ? ["volumes", "ports", "subnets", "security-groups"] : [])])
		need(kind);
	if (id) {
		const r = findRow("instances", id);
		offerCommand("explain", {ids: [r ?? {id}]});
		return r ? onePage(whole("instances", r)) : need("instances").isLoaded ? html`<h1>${t("There is no such instance")}</h1><p>${t("It may be gone, or another account’s.")} <a href=${href("instances")}>${t("All instances")}</a></p>` : waiting();
	}
	offerCommand("instances.list", {});
	const open = query.get("open") ? findRow("instances", query.get("open")) : null;
	return html`<h1>${t("Instances")}</h1>${open ? html`<div class="two"><div>${listView(spec)}</div>${side(whole("instances", open))}</div>` : listView(spec)}`;
}

export {problemCard, report, post, go, number, mark};

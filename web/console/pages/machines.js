// SPDX-License-Identifier: Apache-2.0
// All machines: instances of this region, and those of clouds elsewhere. Acts here concern the latter alone; an instance has its own page.
import {html, nothing, nameOf, shortId, stateOf, mark, refName, pairs, copyable, when, emptyCard, ask, report, oneByOne} from "../parts.js";
import {resourcePage} from "../resource.js";
import {rows, row, touch} from "../store.js";
import {href} from "../router.js";
import {t, since, list as words} from "../words.js";
import {get, post} from "../api.js";
import {showCommand} from "../command_bar.js";
import {askFor} from "../forms.js";
import {mayAll} from "../may.js";

const HERE = "dari";
const isElsewhere = (m) => Boolean(m.provider);
const cloudOf = (m) => (isElsewhere(m) ? row("providers", m.provider)?.cloud ?? "" : HERE);
const providerOf = (m) => (isElsewhere(m) ? refName("providers", m.provider) : t("this region"));
const addressesOf = (m) => (isElsewhere(m) ? [...(m.private_ips ?? []), ...(m.public_ips ?? [])] : (m.addresses ?? []).map((a) => a.ip ?? a)).filter((a) => typeof a === "string");
const tones = {running: "ok", pending: "go", stopping: "go", terminating: "go"};
const isBusy = (m) => Boolean(m.act) && m.act !== "none";
const stateOfMachine = (m) => (!isElsewhere(m) ? stateOf(m) : isBusy(m) ? mark("go", t("{act} requested", {act: t(m.act)})) : m.act_problem ? mark("bad", t(m.power)) : mark(tones[m.power] ?? "off", t(m.power)));
const freshness = (m) => (isElsewhere(m) ? m.refreshed_us ? t("{age} ago", {age: since(m.refreshed_us)}) : t("never") : t("live"));

/** A machine elsewhere in the form of an instance: lists show its tags and its state like those of one here. */
const forms = new WeakMap();
function asInstance(m) {
	let form = forms.get(m);
	if (!form)
		forms.set(m, (form = {...m, tags: m.remote_tags ?? {}, state: m.power}));
	return form;
}
const everything = () => [...rows("remote-machines").map(asInstance), ...rows("instances")];

function request(verb, done) {
	return (chosen) => {
		showCommand(`machines.${verb}`, {ids: chosen});
		return report(done(words(chosen.map(nameOf))), () => oneByOne(chosen, (m) => post(`/remote-machines/${m.id}/${verb}`, {})));
	};
}
const start = request("start", (names) => t("Start of {names} requested", {names}));
const stop = request("stop", (names) => t("Stop of {names} requested", {names}));
const reboot = request("reboot", (names) => t("Reboot of {names} requested", {names}));

function terminate(chosen) {
	showCommand("machines.terminate", {ids: chosen});
	ask({title: t("Terminate {names}?", {names: words(chosen.map(nameOf))}), danger: true, label: t("Terminate"), typed: chosen.length === 1 ? nameOf(chosen[0]) : chosen.length,
		body: () => html`<p>${t("The machines are terminated in the cloud where they run. This action cannot be undone.")}</p>`,
		submit: () => report(t("Termination of {n} machines requested", {n: chosen.length}), () => oneByOne(chosen, (m) => post(`/remote-machines/${m.id}/terminate`, {}))).then(() => false)});
}

function resize([m]) {
	const known = rows("remote-resources").filter((r) => r.provider === m.provider && r.type === "instance_type").map(nameOf).toSorted();
	askFor({title: t("Instance type of {name}", {name: nameOf(m)}), label: t("Resize"), verb: "machines.resize",
		fields: () => html`<label class="f">${t("Instance type")}<input name="type" required maxlength="64" value=${m.type ?? ""} list="remote-types" autofocus spellcheck="false"></label><datalist id="remote-types">${known.map((name) => html`<option value=${name}></option>`)}</datalist>
			<p class="hint">${t("AWS and CloudStack resize stopped machines only.")}</p>`,
		read: (form) => ({ids: [m], body: {type: form.get("type").trim()}}),
		send: async ({body}) => { await post(`/remote-machines/${m.id}/resize`, body); }});
}

function tag([m]) {
	askFor({title: t("Add a tag to {name}", {name: nameOf(m)}), label: t("Save"), verb: "machines.tag",
		fields: () => html`<div class="grid2"><label class="f">${t("Key")}<input name="key" required maxlength="128" autofocus></label><label class="f">${t("Value")}<input name="value" maxlength="255"></label></div>`,
		read: (form) => ({ids: [m], body: {tags: {[form.get("key").trim()]: form.get("value")}}}),
		send: async ({body}) => { await post(`/remote-machines/${m.id}/tag`, body); }});
}

const action = (id, title, permission, may, run, danger) => ({id, title, danger, run, may: (m) => isElsewhere(m) && !isBusy(m) && may(m), hidden: () => !mayAll(permission)});
const volumesOf = (m) => rows("remote-resources").filter((r) => r.provider === m.provider && r.type === "volume" && r.parent === m.ref);
const link = (r) => html`<a href=${href("remote-resources", r.id)}><bdi>${nameOf(r)}</bdi></a>`;

// ---- advice ----

const MODES = {aggressive: () => t("aggressive"), moderate: () => t("moderate"), conservative: () => t("conservative")};
const amount = (micro, currency) => `${(micro / 1e6).toFixed(2)} ${currency}`;
const monthly = (price) => (price ? t("{price} a month", {price: amount(price.month_micro, price.currency)}) : t("price unknown"));
const saving = (of, currency) => (of.saves_month_micro === undefined ? nothing : html` <span class="dim">${t("saves {price} a month", {price: amount(of.saves_month_micro, currency)})}</span>`);

const adviceLine = (title, of) => [title, html`${of.type} <span class="dim">${monthly(of.price)}</span>${saving(of, of.price?.currency)}`];
const adviceRows = (a) => pairs([[t("Present type"), html`${a.type} <span class="dim">${monthly(a.price)}</span>`], ...a.advice.filter((m) => m.type).map((m) => adviceLine(MODES[m.mode]?.() ?? m.mode, m)),
	...(a.here ? [adviceLine(t("In this region"), a.here)] : [])]);

/** Types that would do, with their prices: read when somebody asks, because it reads a month of metrics. */
function advise([m]) {
	let told = html`<p class="dim">${t("Loading…")}</p>`;
	showCommand("machines.advice", {ids: [m]});
	get(`/remote-machines/${m.id}/advice`).then((a) => { told = html`${adviceRows(a)}<p class="dim" lang="en">${a.note} ${a.price_note ?? ""}</p>`; touch(); }, (problem) => { told = html`<p lang="en">${problem.message}</p>`; touch(); });
	ask({title: t("Instance types for {name}", {name: nameOf(m)}), label: null, keeps: true, wide: true, body: () => told});
}

export const view = resourcePage({
	name: "machines", kind: "remote-machines", kinds: ["instances", "providers"], alsoNeeds: ["remote-resources"], command: "machines.list", verb: "machines", title: () => t("All machines"), detail: false,
	rows: everything, href: (m) => (isElsewhere(m) ? href("machines", m.id) : href("instances", shortId(m))), state: stateOfMachine,
	search: (m) => [m.ref, m.type, m.image, m.zone, providerOf(m), ...addressesOf(m)],
	keys: {cloud: cloudOf, provider: providerOf, state: (m) => m.state, zone: (m) => refName("zones", m.zone) || m.zone, type: (m) => m.type, account: (m) => refName("accounts", m.account)},
	columns: [
		{key: "name", title: () => t("Name"), width: "22%", sort: nameOf},
		{key: "provider", title: () => t("Cloud"), width: "15%", sort: providerOf, cell: (m) => html`<bdi>${providerOf(m)}</bdi> <span class="dim">${cloudOf(m)}</span>`},
		{key: "state", title: () => t("State"), width: "16%", text: (m) => m.state ?? "", cell: stateOfMachine},
		{key: "type", title: () => t("Instance type"), wide: true, width: "14%", text: (m) => (isElsewhere(m) ? m.type ?? "" : refName("instance-types", m.type))},
		{key: "address", title: () => t("Addresses"), mono: true, wide: true, width: "17%", text: (m) => addressesOf(m).slice(0, 2).join(", ")},
		{key: "listed", title: () => t("Listed"), wide: true, sort: (m) => m.refreshed_us ?? Infinity, cell: freshness},
	],
	chips: [{title: () => t("all"), query: ""}, {title: () => t("this region"), query: `cloud:${HERE}`}, {title: () => "AWS", query: "cloud:aws"}, {title: () => "OpenStack", query: "cloud:openstack"}, {title: () => "CloudStack", query: "cloud:cloudstack"},
		{title: () => "Azure", query: "cloud:azure"}, {title: () => "VMware", query: "cloud:vmware"}, {title: () => "Hyper-V", query: "cloud:hyperv"}, {title: () => t("running"), query: "state:running"}],
	actions: [action("start", () => t("Start"), "remote.start", (m) => m.power === "stopped", start), action("stop", () => t("Stop"), "remote.stop", (m) => m.power === "running", stop),
		action("reboot", () => t("Reboot"), "remote.reboot", (m) => m.power === "running", reboot), action("terminate", () => t("Terminate"), "remote.terminate", (m) => !["terminated", "terminating"].includes(m.power), terminate, true)],
	oneActions: [{...action("advice", () => t("Advice…"), "remote.list", () => true, advise), may: isElsewhere, asks: true}, {...action("resize", () => t("Resize…"), "remote.resize", () => true, resize), asks: true}, {...action("tag", () => t("Add tag…"), "remote.tag", () => true, tag), asks: true}],
	lead: () => html`<a class="b" href=${href("providers")}>${t("Cloud providers")}</a>`,
	empty: () => emptyCard(t("No machines"), t("Instances of this region and machines of clouds elsewhere are listed here."), html`<a class="b b1" href=${href("providers")}>${t("Cloud providers")}</a>`),
	more: (m) => (m.act_problem ? html`<div class="card why"><h2>${t("Last request failed")}</h2><p lang="en">${m.act_problem}</p></div>` : nothing),
	facts: (m) => pairs([[t("Cloud"), html`<a href=${href("providers", m.provider)}><bdi>${providerOf(m)}</bdi></a> <span class="dim">${cloudOf(m)}</span>`], [t("ID"), copyable(m.ref)], [t("State"), html`${stateOfMachine(m)} <span class="dim" lang="en">${m.raw_state}</span>`],
		[t("Instance type"), m.type], [t("vCPUs"), m.vcpus || ""], [t("Image"), m.image ? copyable(m.image) : ""], [t("Private address"), (m.private_ips ?? []).map((a) => html`<div>${copyable(a)}</div>`)], [t("Public address"), (m.public_ips ?? []).map((a) => html`<div>${copyable(a)}</div>`)],
		[t("Network"), m.network], [t("Subnet"), (m.subnets ?? []).join(", ")], [t("Security groups"), (m.groups ?? []).join(", ")], [t("Volumes"), volumesOf(m).length ? volumesOf(m).map((v, k) => html`${k ? ", " : ""}${link(v)}`) : (m.volumes ?? []).join(", ")], [t("Key pair"), m.key_name], [t("Zone"), m.zone], [t("Platform"), m.platform],
		[t("Tags"), Object.entries(m.remote_tags ?? {}).map(([key, value]) => html`<div><bdi>${key}</bdi>: <bdi>${value}</bdi></div>`)], [t("Launched"), m.launched_us ? when(m.launched_us) : ""], [t("Listed"), freshness(m)]]),
});

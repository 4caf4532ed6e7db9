// SPDX-License-Identifier: Apache-2.0
// Machine policies: rules about machines here and elsewhere, what they find, and the playbooks that they run. A dry run tells what a policy would do.
import {html, nothing, nameOf, mark, pairs, when, emptyCard, ask, report, oneByOne} from "../parts.js";
import {resourcePage} from "../resource.js";
import {rows, applyRow, reload, touch} from "../store.js";
import {t, time, number, list as words} from "../words.js";
import {post, patch, remove} from "../api.js";
import {showCommand} from "../command_bar.js";
import {mayAll} from "../may.js";

const RULES = {retirement: () => t("Retirement"), schedule: () => t("Start and stop times"), required_tags: () => t("Required tags"), power_state: () => t("Power state"), provisioned: () => t("New machines"), event: () => t("Event")};
const SCOPES = {all: () => t("All machines"), here: () => t("This region"), elsewhere: () => t("Cloud providers")};
const ACTS = {none: () => t("report only"), stop: () => t("stop"), terminate: () => t("terminate"), correct: () => t("correct"), start: () => t("start"), playbook: () => t("playbook")};
const RUNS = {wanted: () => mark("go", t("playbook waiting")), running: () => mark("go", t("playbook running")), done: () => mark("ok", t("playbook done")), failed: () => mark("bad", t("playbook failed"))};
const ruleOf = (p) => RULES[p.rule]?.() ?? p.rule;
const actOf = (p) => (p.rule === "schedule" ? t("stop and start") : p.rule === "provisioned" || p.rule === "event" ? t("playbook") : ACTS[p.act]?.() ?? p.act);
const findingsOf = (p) => rows("policy-findings").filter((f) => f.policy === p.id);
const stateOfPolicy = (p) => (p.is_active ? mark("ok", t("enabled")) : mark("off", t("disabled")));

// ---- adding ----

/** Fields of each rule: name of the member, label, and the input's attributes. */
const FIELDS = {
	retirement: () => [["date_tag", t("Tag with the date"), {hint: "retire-on"}], ["age_days", t("Age in days"), {type: "number"}], ["warn_days", t("Report days before"), {type: "number"}], ["playbook", t("Playbook before the action"), {hint: "leave.yml"}], ["playbook_limit_s", t("Seconds until a run is killed"), {type: "number"}]],
	schedule: () => [["stop_at", t("Stop at (cron)"), {hint: "0 20 * * 1-5"}], ["start_at", t("Start at (cron)"), {hint: "0 8 * * 1-5"}], ["timezone", t("Time zone"), {hint: "Asia/Seoul"}]],
	required_tags: () => [["keys", t("Tag keys, separated by spaces"), {hint: "owner team"}], ["grace_hours", t("Hours before the action"), {type: "number"}]],
	power_state: () => [["power", t("Required state"), {choices: ["running", "stopped"]}], ["grace_hours", t("Hours before the action"), {type: "number"}]],
	event: () => [["event", t("Event"), {choices: ["state_changed", "power_drift", "vanished", "tag_missing"]}], ["keys", t("Tag keys, separated by spaces"), {hint: "owner team"}], ["playbook", t("Playbook on the event"), {hint: "drift.yml"}], ["playbook_limit_s", t("Seconds until a run is killed"), {type: "number"}], ["runs_per_hour", t("Runs in an hour at most"), {type: "number"}]],
	provisioned: () => [["playbook", t("Playbook for new machines"), {hint: "register.yml"}], ["playbook_limit_s", t("Seconds until a run is killed"), {type: "number"}]],
};
const ACTS_OF = {retirement: ["none", "stop", "terminate"], schedule: [], required_tags: ["none", "stop", "terminate"], power_state: ["none", "correct"], provisioned: [], event: []};
const NUMBERS = new Set(["age_days", "warn_days", "grace_hours", "playbook_limit_s", "runs_per_hour"]);

const field = ([name, label, more]) => html`<label class="f">${label}${more.choices ? html`<select name=${name}>${more.choices.map((word) => html`<option value=${word}>${word}</option>`)}</select>` : html`<input name=${name} type=${more.type ?? "text"} min="0" maxlength="255" placeholder=${more.hint ?? ""} autocomplete="off" spellcheck="false">`}</label>`;

/** The filled fields of the chosen rule as members of a request. */
function read(form) {
	const body = {name: form.get("name").trim(), rule: form.get("rule")};
	const known = new Set([...FIELDS[body.rule]().map(([name]) => name), "scope", "act", "tag_key", "tag_value"]);
	for (const [name, value] of form)
		if (known.has(name) && value.trim())
			body[name] = name === "keys" ? value.trim().split(/\s+/) : NUMBERS.has(name) ? Number(value) : value.trim();
	if (!ACTS_OF[body.rule].includes(body.act))
		delete body.act;
	return body;
}

const wouldLine = (m) => html`<li><strong>${m.name || m.ref || m.id}</strong> <span class="dim" lang="en">${m.reason}</span> ${ACTS[m.act]?.() ?? m.act}${m.due_us ? html` <span class="dim">${time(m.due_us)}</span>` : nothing}</li>`;
const wouldList = (answer) => (answer.found ? html`<p>${t("Machines that the policy would find: {n}", {n: number(answer.found)})}</p><ul class="plainlist">${(answer.machines ?? []).map(wouldLine)}</ul>` : html`<p class="dim">${t("The policy would find no machine now.")}</p>`);

function add() {
	let rule = "retirement", would = null;
	const preview = (form) => showCommand("machine-policies.add", {body: form ? read(form) : {}});
	const change = (e) => { rule = new FormData(e.target.form).get("rule"); preview(new FormData(e.target.form)); touch(); };
	const dry = async (e) => {
		try {
			would = wouldList(await post("/machine-policies?dry=1", read(new FormData(e.target.form))));
		} catch (problem) {
			would = html`<p class="danger-text" lang="en">${problem.message}</p>`;
		}
		touch();
	};
	ask({title: t("Add machine policy"), label: t("Add"), wide: true, keeps: true,
		body: () => html`<div @input=${change}><div class="grid2"><label class="f">${t("Name")}<input name="name" required maxlength="64" pattern="[\\w.\\-]+" autofocus spellcheck="false"></label>
			<label class="f">${t("Rule")}<select name="rule">${Object.entries(RULES).map(([word, said]) => html`<option value=${word} ?selected=${word === rule}>${said()}</option>`)}</select></label>
			<label class="f">${t("Machines")}<select name="scope">${Object.entries(SCOPES).map(([word, said]) => html`<option value=${word}>${said()}</option>`)}</select></label>
			${ACTS_OF[rule].length ? html`<label class="f">${t("Action")}<select name="act">${ACTS_OF[rule].map((word) => html`<option value=${word}>${ACTS[word]()}</option>`)}</select></label>` : nothing}
			${FIELDS[rule]().map(field)}${field(["tag_key", t("Only machines with the tag"), {}])}${field(["tag_value", t("Value of the tag"), {}])}</div></div>
			<p><button type="button" @click=${dry}>${t("Dry run")}</button></p>${would ?? nothing}`,
		submit: async (form) => { applyRow("machine-policies", (await post("/machine-policies", read(form))).items?.[0]); }});
	preview(null);
}

// ---- acts ----

function dryRun([p]) {
	showCommand("machine-policies.dry", {ids: [p]});
	let would = html`<p class="dim">${t("Loading…")}</p>`;
	patch(`/machine-policies/${p.id}?dry=1`, {}).then((answer) => { would = wouldList(answer); touch(); }, (problem) => { would = html`<p lang="en">${problem.message}</p>`; touch(); });
	ask({title: t("Dry run of {name}", {name: nameOf(p)}), label: null, keeps: true, wide: true, body: () => would});
}

const send = (chosen, isActive) => oneByOne(chosen, (p) => patch(`/machine-policies/${p.id}`, {is_active: isActive}).then((a) => applyRow("machine-policies", a.items?.[0])));
const turn = (isActive) => (chosen) => {
	showCommand("machine-policies.set", {ids: chosen, body: {is_active: isActive}});
	const done = isActive ? t("Machine policies enabled: {names}", {names: words(chosen.map(nameOf))}) : t("Machine policies disabled: {names}", {names: words(chosen.map(nameOf))});
	return report(done, () => send(chosen, isActive), () => send(chosen, !isActive));
};

function drop(chosen) {
	showCommand("machine-policies.delete", {ids: chosen});
	ask({title: t("Delete {names}?", {names: words(chosen.map(nameOf))}), danger: true, label: t("Delete"), body: () => html`<p>${t("What the policies have done stays done.")}</p>`,
		submit: () => report(t("Machine policy deleted"), () => oneByOne(chosen, (p) => remove(`/machine-policies/${p.id}`))).then(() => reload("machine-policies")).then(() => false)});
}

// ---- findings ----

function machineOf(f) {
	const row = rows(f.machine ? "remote-machines" : "instances").find((m) => m.id === (f.machine || f.instance));
	return row ? nameOf(row) : f.machine || f.instance;
}

function findingsCard(p) {
	const found = findingsOf(p);
	return html`<div class="card"><h2>${t("Findings")}</h2>${found.length ? html`<ul class="plainlist">${found.map((f) => html`<li><strong>${machineOf(f)}</strong> ${f.run && f.run !== "none" ? RUNS[f.run]?.() ?? f.run : mark(f.state === "failed" ? "bad" : "go", ACTS[f.act]?.() ?? f.act)} <span class="dim" lang="en">${f.reason}</span>
		${f.problem ? html`<div class="dim" lang="en">${f.problem}</div>` : nothing}${f.output ? html`<details><summary>${t("Output of the playbook")}</summary><pre class="m" lang="en">${f.output}</pre></details>` : nothing}</li>`)}</ul>` : html`<p class="dim">${t("The policy finds no machine.")}</p>`}${p.left_out ? html`<p class="dim">${t("Further machines: {n}", {n: number(p.left_out)})}</p>` : nothing}</div>`;
}

const addButton = () => (mayAll("machine_policy.create") ? html`<button type="button" class="b1" @click=${add}>${t("Add machine policy")}</button>` : nothing);
const mayNot = (permission) => () => !mayAll(permission);

export const view = resourcePage({
	name: "machine-policies", kind: "machine-policies", alsoNeeds: ["policy-findings", "remote-machines", "instances"], command: "machine-policies.list", title: () => t("Machine policies"), state: stateOfPolicy,
	search: (p) => [p.description, p.playbook], keys: {rule: (p) => p.rule, scope: (p) => p.scope},
	columns: [
		{key: "name", title: () => t("Name"), width: "22%", sort: nameOf},
		{key: "rule", title: () => t("Rule"), width: "18%", text: ruleOf},
		{key: "scope", title: () => t("Machines"), width: "16%", wide: true, text: (p) => SCOPES[p.scope]?.() ?? p.scope},
		{key: "act", title: () => t("Action"), width: "14%", text: actOf},
		{key: "found", title: () => t("Findings"), num: true, width: "10%", sort: (p) => findingsOf(p).length, text: (p) => number(findingsOf(p).length)},
		{key: "state", title: () => t("State"), text: (p) => (p.is_active ? "enabled" : "disabled"), cell: stateOfPolicy},
	],
	actions: [{id: "enable", title: () => t("Enable"), may: (p) => !p.is_active, run: turn(true), hidden: mayNot("machine_policy.update")}, {id: "disable", title: () => t("Disable"), may: (p) => Boolean(p.is_active), run: turn(false), hidden: mayNot("machine_policy.update")},
		{id: "delete", title: () => t("Delete"), danger: true, asks: true, run: drop, hidden: mayNot("machine_policy.delete")}],
	oneActions: [{id: "dry", title: () => t("Dry run"), asks: true, run: dryRun, hidden: mayNot("machine_policy.update")}],
	lead: addButton,
	empty: () => emptyCard(t("No machine policies"), t("A policy checks machines here and elsewhere: their retirement, times, tags and power, and runs playbooks for new ones."), addButton()),
	more: findingsCard,
	facts: (p) => pairs([[t("State"), stateOfPolicy(p)], [t("Rule"), ruleOf(p)], [t("Machines"), SCOPES[p.scope]?.() ?? p.scope], [t("Action"), actOf(p)], [t("Playbook"), p.playbook ?? ""], [t("Tag"), p.tag_key ? `${p.tag_key}${p.tag_value ? `=${p.tag_value}` : ""}` : ""],
		[t("Tag keys"), (p.keys ?? []).join(", ")], [t("Stop at (cron)"), p.stop_at ?? ""], [t("Start at (cron)"), p.start_at ?? ""], [t("Next time"), p.next_us ? when(p.next_us) : ""], [t("Description"), p.description ?? ""], [t("Created"), when(p.created_us)]]),
});

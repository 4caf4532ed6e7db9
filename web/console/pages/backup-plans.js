// SPDX-License-Identifier: Apache-2.0
// The page Backup plans lists scheduled backups of machines, with what each keeps.
import {html, nothing, nameOf, mark, refLink, pairs, when, emptyCard, ask, note, report, oneByOne} from "../parts.js";
import {resourcePage} from "../resource.js";
import {rows, row as byId, applyRow, touch} from "../store.js";
import {href} from "../router.js";
import {t, number, time, list as words, language} from "../words.js";
import {post, patch} from "../api.js";
import {showCommand} from "../command_bar.js";

const TWO = (n) => String(n).padStart(2, "0");
const INTERVALS = {hourly: () => t("Hourly"), daily: () => t("Daily"), weekly: () => t("Weekly"), monthly: () => t("Monthly"), cron: () => t("Cron expression"), expression: () => t("EventBridge expression")};
const KEPT = {keep_last: () => t("Newest backups"), keep_hourly: () => t("Hourly backups"), keep_daily: () => t("Daily backups"), keep_weekly: () => t("Weekly backups"), keep_monthly: () => t("Monthly backups"), keep_yearly: () => t("Yearly backups")};
/** 1: Sunday. */
const weekday = (n) => new Intl.DateTimeFormat(language, {weekday: "long", timeZone: "UTC"}).format(Date.UTC(2023, 0, n));

/** "MM", "MM:HH" or "MM:HH:DD". */
const parse = (text) => {
	const [minute = 0, hour = 0, day = 1] = (text ?? "").split(":").map((n) => Number(n) || 0);
	return {minute, hour, day};
};
function scheduleWords(p) {
	const {minute, hour, day} = parse(p.schedule), at = `${TWO(hour)}:${TWO(minute)}`;
	return {hourly: () => t("Every hour at minute {n}", {n: minute}), daily: () => t("Every day at {time}", {time: at}), weekly: () => t("{day} at {time}", {day: weekday(day), time: at}), monthly: () => t("Day {day} of each month at {time}", {day: String(day), time: at})}[p.interval]?.() ?? (p.rule_count > 1 ? t("{what} and {n} more rules", {what: p.schedule, n: number(p.rule_count - 1)}) : p.schedule);
}
const stateOfPlan = (p) => (p.conditions?.length ? mark("bad", t(p.conditions[0].name)) : p.is_active === false ? mark("off", t("disabled")) : mark("ok", t("active")));
const keptWords = (p) => words(Object.entries(KEPT).filter(([k]) => p[k]).map(([k, word]) => t("{what}: {n}", {what: word(), n: number(p[k])}))) || t("all");
const machinesOf = (p) => words([...(p.instances ?? []).map((id) => nameOf(byId("instances", id) ?? {id})), ...(p.tag_key ? [t("tag {key}", {key: p.tag_value ? `${p.tag_key}=${p.tag_value}` : p.tag_key})] : []), ...(p.selection_count ? [t("{n} selections of AWS Backup", {n: number(p.selection_count)})] : [])]);
const backupsOf = (p) => rows("machine-backups").filter((m) => m.plan === p.id).toSorted((a, b) => b.data_us - a.data_us);

const zones = () => {
	const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
	return [...new Set([own, "UTC", ...(Intl.supportedValuesOf?.("timeZone") ?? [])].filter(Boolean))];
};

/** The form creates a plan, or changes one. */
function form(p, wanted) {
	const now = parse(p?.schedule);
	let interval = p?.interval ?? "daily";
	const read = (f) => {
		const minute = TWO(f.get("minute") || 0), hour = TWO(f.get("hour") ?? 0), day = TWO(f.get("day") ?? 1);
		const kept = Object.fromEntries(Object.keys(KEPT).map((k) => [k, Number(f.get(k) || 0)]));
		return {name: f.get("name").trim(), instances: f.getAll("instances"), tag_key: f.get("tag_key").trim(), tag_value: f.get("tag_value").trim(), interval,
			schedule: ["cron", "expression"].includes(interval) ? f.get("cron").trim() : {hourly: minute, daily: `${minute}:${hour}`}[interval] ?? `${minute}:${hour}:${day}`, timezone: f.get("timezone"), ...kept, check_days: Number(f.get("check_days") || 0)};
	};
	const preview = (f) => showCommand("backup-plans.put", {body: read(f), plan: p});
	const changed = (e) => preview(new FormData(e.target.form));
	const count = (name, word, min, max, value) => html`<label class="f">${word}<input name=${name} type="number" min=${min} max=${max} required value=${value}></label>`;
	const able = rows("instances").filter((i) => i.state !== "terminated").toSorted((a, b) => nameOf(a).localeCompare(nameOf(b)));
	ask({...wanted, wide: true,
		body: () => html`<div class="grid2" @input=${changed}>
			<label class="f">${t("Name")}<input name="name" maxlength="255" required autofocus value=${p?.name ?? ""}></label>
			<label class="f">${t("Instances")}<select name="instances" multiple size="4">${able.map((i) => html`<option value=${i.id} ?selected=${p?.instances?.includes(i.id)}>${nameOf(i)}</option>`)}</select></label>
			<label class="f">${t("Or by tag: key")}<input name="tag_key" maxlength="128" value=${p?.tag_key ?? ""}></label>
			<label class="f">${t("Tag value")}<input name="tag_value" maxlength="256" placeholder=${t("any")} value=${p?.tag_value ?? ""}></label>
			<label class="f">${t("Interval")}<select name="interval" @change=${(e) => { interval = e.target.value; requestAnimationFrame(() => preview(new FormData(e.target.form))); touch(); }}>${Object.entries(INTERVALS).map(([k, word]) => html`<option value=${k} ?selected=${k === interval}>${word()}</option>`)}</select></label>
			${interval === "weekly" ? html`<label class="f">${t("Day of the week")}<select name="day">${[1, 2, 3, 4, 5, 6, 7].map((n) => html`<option value=${n} ?selected=${n === now.day}>${weekday(n)}</option>`)}</select></label>` : interval === "monthly" ? count("day", t("Day of the month"), 1, 28, now.day) : nothing}
			${["cron", "expression"].includes(interval) ? html`<label class="f">${INTERVALS[interval]()}<input name="cron" required maxlength="255" placeholder=${interval === "cron" ? "30 2 * * 1-5" : "cron(30 2 ? * MON-FRI *)"} value=${p?.interval === interval ? p.schedule : ""}></label>` : html`${interval === "hourly" ? nothing : count("hour", t("Hour"), 0, 23, now.hour)}${count("minute", t("Minute"), 0, 59, now.minute)}`}
			<label class="f">${t("Time zone")}<select name="timezone">${[...new Set([...(p ? [p.timezone] : []), ...zones()])].map((z) => html`<option ?selected=${z === p?.timezone}>${z}</option>`)}</select></label>
			${Object.entries(KEPT).map(([k, word]) => count(k, word(), 0, 1000, p?.[k] ?? (p ? 0 : {keep_daily: 7, keep_weekly: 4, keep_monthly: 12}[k] ?? 0)))}
			${count("check_days", t("Days between test restores"), 0, 366, p?.check_days ?? 0)}</div>
			<p class="hint">${t("The newest backup of each period is kept; with zeros everywhere nothing expires. A test restore starts the newest backup without network; 0: none.")}</p>`,
		submit: async (f) => {
			const body = read(f), answer = p ? await patch(`/backup-plans/${p.id}`, body) : await post("/backup-plans", body);
			applyRow("backup-plans", answer.items?.[0]);
			note(wanted.done);
		}});
	requestAnimationFrame(() => requestAnimationFrame(() => {
		const f = document.querySelector("dialog form");
		if (f?.elements.tag_key)
			preview(new FormData(f));
	}));
}

const create = () => form(null, {title: t("Create backup plan"), label: t("Create"), done: t("Backup plan created")});
const edit = ([p]) => form(p, {title: t("Edit {name}", {name: p.name}), label: t("Save"), done: t("Backup plan changed")});

const send = (chosen, active) => oneByOne(chosen, (p) => patch(`/backup-plans/${p.id}`, {is_active: active}).then((a) => applyRow("backup-plans", a.items?.[0])));
const turn = (active) => (chosen) => {
	showCommand(active ? "backup-plans.enable" : "backup-plans.disable", {ids: chosen});
	return report(active ? t("Backup plans enabled: {n}", {n: chosen.length}) : t("Backup plans disabled: {n}", {n: chosen.length}), () => send(chosen, active), () => send(chosen, !active));
};
const run = (chosen) => {
	showCommand("backup-plans.run", {ids: chosen});
	return report(t("Backup plans started: {n}", {n: chosen.length}), () => post("/backup-plans/run", {ids: chosen.map((p) => p.id)}));
};

function drop(chosen) {
	showCommand("backup-plans.delete", {ids: chosen});
	ask({title: chosen.length === 1 ? t("Delete {name}?", {name: chosen[0].name}) : t("Delete {n} backup plans?", {n: chosen.length}), danger: true, label: t("Delete"), typed: chosen.length > 5 ? chosen.length : "",
		body: () => html`<p>${t("No more backups are made by it. Its backups are kept, and do not expire any more.")}</p>`,
		submit: () => report(t("Backup plans deleted: {n}", {n: chosen.length}), () => post("/backup-plans/delete", {ids: chosen.map((p) => p.id)})).then(() => false)});
}

export const view = resourcePage({
	name: "backup-plans", kind: "backup-plans", kinds: ["instances", "machine-backups"], command: "backup-plans.list", title: () => t("Backup plans"), state: stateOfPlan, sort: "name",
	search: (p) => [p.name, p.interval, machinesOf(p)], keys: {state: (p) => (p.is_active === false ? "disabled" : "active"), interval: (p) => p.interval},
	columns: [
		{key: "name", title: () => t("Name"), width: "20%", sort: nameOf},
		{key: "state", title: () => t("State"), width: "13%", sort: (p) => (p.is_active === false ? 1 : 0), cell: stateOfPlan},
		{key: "schedule", title: () => t("Schedule"), width: "23%", text: scheduleWords},
		{key: "last", title: () => t("Last run"), wide: true, width: "19%", sort: (p) => p.run_us ?? 0, text: (p) => (p.run_us ? time(p.run_us) : t("never"))},
		{key: "next", title: () => t("Next run"), wide: true, width: "19%", sort: (p) => p.next_us ?? 0, text: (p) => (p.is_active !== false && p.next_us ? time(p.next_us) : "–")},
	],
	actions: [
		{id: "run", permission: "backup_plan.run", title: () => t("Run now"), may: (p) => p.is_active !== false, run},
		{id: "enable", permission: "backup_plan.update", title: () => t("Enable"), may: (p) => p.is_active === false, run: turn(true)},
		{id: "disable", permission: "backup_plan.update", title: () => t("Disable"), may: (p) => p.is_active !== false, run: turn(false)},
		{id: "delete", asks: true, permission: "backup_plan.delete", title: () => t("Delete"), run: drop, danger: true},
	],
	oneActions: [{id: "edit", asks: true, permission: "backup_plan.update", title: () => t("Edit"), run: edit}],
	lead: () => html`<button type="button" class="b1" @click=${create}>${t("Create backup plan")}</button>`,
	empty: () => emptyCard(t("No backup plans"), t("A plan backs up machines by itself, with all their disks, and lets old backups expire."), html`<button type="button" class="b1" @click=${create}>${t("Create backup plan")}</button>`),
	more: (p) => {
		const made = backupsOf(p);
		return html`<div class="card"><h2>${t("Machine backups")}</h2>${made.length ? html`<ul class="plainlist">${made.slice(0, 50).map((m) => html`<li><a href=${href("machine-backups", m.id)}>${nameOf(m)}</a> <span class="dim">${time(m.data_us)}</span></li>`)}</ul>` : html`<p class="dim">${t("No backup was made yet.")}</p>`}</div>`;
	},
	facts: (p) => pairs([[t("State"), stateOfPlan(p)], [t("Problem"), p.conditions?.[0]?.message], [t("Instances"), (p.instances ?? []).map((id) => html`${refLink("instances", id)} `)], [t("Tag"), p.tag_key ? (p.tag_value ? `${p.tag_key}=${p.tag_value}` : p.tag_key) : ""],
		[t("Schedule"), scheduleWords(p)], [t("Time zone"), p.timezone], [t("Kept"), keptWords(p)], [t("Days between test restores"), p.check_days ? number(p.check_days) : t("none")],
		[t("Last run"), p.run_us ? when(p.run_us) : t("never")], [t("Next run"), p.is_active !== false && p.next_us ? when(p.next_us) : "–"], [t("Next retry"), p.retry_us ? when(p.retry_us) : ""], [t("Created"), when(p.created_us)]]),
});

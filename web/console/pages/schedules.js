// SPDX-License-Identifier: Apache-2.0
// The page Snapshot schedules lists recurring snapshots of volumes and how many of them Dari keeps.
import {html, nothing, nameOf, tagsOf, mark, refLink, refName, pairs, when, emptyCard, ask, note, report, oneByOne} from "../parts.js";
import {resourcePage} from "../resource.js";
import {rows, row as byId, applyRow, touch} from "../store.js";
import {href} from "../router.js";
import {t, number, time, list as words, language} from "../words.js";
import {post, patch} from "../api.js";
import {showCommand} from "../command_bar.js";

const KEPT_MAX = 8, TWO = (n) => String(n).padStart(2, "0");
const INTERVALS = {hourly: () => t("Hourly"), daily: () => t("Daily"), weekly: () => t("Weekly"), monthly: () => t("Monthly")};
/** 1: Sunday. */
const weekday = (n) => new Intl.DateTimeFormat(language, {weekday: "long", timeZone: "UTC"}).format(Date.UTC(2023, 0, n));

/** "MM", "MM:HH" or "MM:HH:DD". */
const parse = (text) => {
	const [minute = 0, hour = 0, day = 1] = (text ?? "").split(":").map(Number);
	return {minute, hour, day};
};
function scheduleWords(p) {
	const {minute, hour, day} = parse(p.schedule), at = `${TWO(hour)}:${TWO(minute)}`;
	return {hourly: () => t("Every hour at minute {n}", {n: minute}), daily: () => t("Every day at {time}", {time: at}), weekly: () => t("{day} at {time}", {day: weekday(day), time: at}), monthly: () => t("Day {day} of each month at {time}", {day: String(day), time: at})}[p.interval]?.() ?? p.schedule;
}
/** Policies of Data Lifecycle Manager have tags in place of a volume. */
const volumeName = (p) => (p.volume ? refName("volumes", p.volume) : tagsOf({tags: p.target_tags}).map(([k, v]) => `${k}=${v}`).join(", "));
const stateOfSchedule = (p) => (p.conditions?.length ? mark("bad", t(p.conditions[0].name)) : p.is_active === false ? mark("off", t("disabled")) : mark("ok", t("active")));
const title = (p) => t("{volume}: {interval}", {volume: volumeName(p), interval: scheduleWords(p)});
const snapshotsOf = (p) => rows("snapshots").filter((s) => (p.volume ? s.volume === p.volume && s.interval === p.interval : s.policy === p.id));

const zones = () => {
	const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
	return [...new Set([own, "UTC", ...(Intl.supportedValuesOf?.("timeZone") ?? [])].filter(Boolean))];
};

/** The form creates a schedule, or changes the one of the volume and interval. */
function form(p, wanted) {
	const now = parse(p?.schedule), able = rows("volumes").filter((v) => ["available", "in-use"].includes(v.state)).toSorted((a, b) => nameOf(a).localeCompare(nameOf(b)));
	let interval = p?.interval ?? "daily";
	const read = (f) => {
		const minute = TWO(f.get("minute") || 0), hour = TWO(f.get("hour") ?? 0), day = TWO(f.get("day") ?? 1);
		return {volume: p?.volume ?? f.get("volume"), interval, schedule: {hourly: minute, daily: `${minute}:${hour}`}[interval] ?? `${minute}:${hour}:${day}`, timezone: f.get("timezone"), kept: Number(f.get("kept"))};
	};
	const preview = (f) => {
		const body = read(f);
		showCommand("schedules.put", {body, volume: byId("volumes", body.volume)});
	};
	const changed = (e) => preview(new FormData(e.target.form));
	const number = (name, word, min, max, value) => html`<label class="f">${word}<input name=${name} type="number" min=${min} max=${max} required value=${value}></label>`;
	ask({...wanted, label: able.length || p ? wanted.label : null, wide: true,
		body: () => (!able.length && !p ? html`<p>${t("Create a volume first.")}</p>` : html`<div class="grid2" @input=${changed}>
			${p ? html`<p>${t("Volume")}: <strong>${volumeName(p)}</strong></p>` : html`<label class="f">${t("Volume")}<select name="volume" autofocus>${able.map((v) => html`<option value=${v.id}>${nameOf(v)}</option>`)}</select></label>`}
			${p ? html`<p>${t("Interval")}: <strong>${INTERVALS[interval]()}</strong></p>` : html`<label class="f">${t("Interval")}<select name="interval" @change=${(e) => { interval = e.target.value; requestAnimationFrame(() => preview(new FormData(e.target.form))); touch(); }}>${Object.entries(INTERVALS).map(([k, word]) => html`<option value=${k} ?selected=${k === interval}>${word()}</option>`)}</select></label>`}
			${interval === "weekly" ? html`<label class="f">${t("Day of the week")}<select name="day">${[1, 2, 3, 4, 5, 6, 7].map((n) => html`<option value=${n} ?selected=${n === now.day}>${weekday(n)}</option>`)}</select></label>` : interval === "monthly" ? number("day", t("Day of the month"), 1, 28, now.day) : nothing}
			${interval === "hourly" ? nothing : number("hour", t("Hour"), 0, 23, now.hour)}${number("minute", t("Minute"), 0, 59, now.minute)}
			<label class="f">${t("Time zone")}<select name="timezone">${[...new Set([...(p ? [p.timezone] : []), ...zones()])].map((z) => html`<option ?selected=${z === p?.timezone}>${z}</option>`)}</select></label>
			${number("kept", t("Snapshots to keep"), 1, KEPT_MAX, p?.kept ?? 7)}</div><p class="hint">${t("Older snapshots of the schedule are deleted. A volume has one schedule of each interval.")}</p>`),
		submit: async (f) => {
			const body = read(f);
			applyRow("snapshot-policies", (await post("/snapshot-policies", body)).items?.[0]);
			note(wanted.done);
		}});
	requestAnimationFrame(() => requestAnimationFrame(() => {
		const f = document.querySelector("dialog form");
		if (f?.elements.kept)
			preview(new FormData(f));
	}));
}

const create = () => form(null, {title: t("Create snapshot schedule"), label: t("Create"), done: t("Snapshot schedule created")});
const edit = ([p]) => form(p, {title: t("Edit schedule of {name}", {name: volumeName(p)}), label: t("Save"), done: t("Snapshot schedule changed")});

const send = (chosen, active) => oneByOne(chosen, (p) => patch(`/snapshot-policies/${p.id}`, {is_active: active}).then((a) => applyRow("snapshot-policies", a.items?.[0])));
const turn = (active) => (chosen) => {
	showCommand(active ? "schedules.enable" : "schedules.disable", {ids: chosen});
	return report(active ? t("Schedules enabled: {n}", {n: chosen.length}) : t("Schedules disabled: {n}", {n: chosen.length}), () => send(chosen, active), () => send(chosen, !active));
};

function drop(chosen) {
	showCommand("schedules.delete", {ids: chosen});
	ask({title: chosen.length === 1 ? t("Delete the schedule of {name}?", {name: volumeName(chosen[0])}) : t("Delete {n} schedules?", {n: chosen.length}), danger: true, label: t("Delete"), typed: chosen.length > 5 ? chosen.length : "",
		body: () => html`<ul>${chosen.slice(0, 12).map((p) => html`<li>${title(p)}</li>`)}</ul><p>${t("No more snapshots are taken by it. Its snapshots are kept.")}</p>`,
		submit: () => report(t("Schedules deleted: {n}", {n: chosen.length}), () => post("/snapshot-policies/delete", {ids: chosen.map((p) => p.id)})).then(() => false)});
}

export const view = resourcePage({
	name: "schedules", kind: "snapshot-policies", kinds: ["volumes", "snapshots"], command: "schedules.list", title: () => t("Snapshot schedules"), state: stateOfSchedule, sort: "name",
	label: volumeName,
	search: (p) => [volumeName(p), p.interval, p.timezone], keys: {state: (p) => (p.is_active === false ? "disabled" : "active"), interval: (p) => p.interval, volume: volumeName},
	columns: [
		{key: "name", title: () => t("Volume"), width: "22%", sort: volumeName},
		{key: "state", title: () => t("State"), width: "13%", sort: (p) => (p.is_active === false ? 1 : 0), cell: stateOfSchedule},
		{key: "schedule", title: () => t("Schedule"), width: "21%", text: scheduleWords},
		{key: "last", title: () => t("Last run"), wide: true, width: "20%", sort: (p) => p.last_us ?? 0, text: (p) => (p.last_us ? time(p.last_us) : t("never"))},
		{key: "next", title: () => t("Next run"), wide: true, width: "20%", sort: (p) => p.next_us ?? 0, text: (p) => (p.is_active !== false && p.next_us ? time(p.next_us) : "–")},
	],
	actions: [
		{id: "enable", asks: true, permission: "snapshot_policy.update", title: () => t("Enable"), may: (p) => p.is_active === false, run: turn(true)},
		{id: "disable", asks: true, permission: "snapshot_policy.update", title: () => t("Disable"), may: (p) => p.is_active !== false, run: turn(false)},
		{id: "delete", asks: true, permission: "snapshot_policy.delete", title: () => t("Delete"), run: drop, danger: true},
	],
	oneActions: [{id: "edit", asks: true, permission: "snapshot_policy.create", title: () => t("Edit"), may: (p) => Boolean(p.volume), run: edit}],
	lead: () => html`<button type="button" class="b1" @click=${create}>${t("Create snapshot schedule")}</button>`,
	empty: () => emptyCard(t("No snapshot schedules"), t("A schedule takes snapshots of a volume by itself, and keeps the latest ones."), html`<button type="button" class="b1" @click=${create}>${t("Create snapshot schedule")}</button>`),
	more: (p) => {
		const taken = snapshotsOf(p).toSorted((a, b) => b.created_us - a.created_us);
		return html`<div class="card"><h2>${t("Snapshots")}</h2>${taken.length ? html`<ul class="plainlist">${taken.map((s) => html`<li><a href=${href("snapshots", s.ec2 ?? s.id)}>${nameOf(s)}</a> <span class="dim">${time(s.created_us)}</span></li>`)}</ul>` : html`<p class="dim">${t("No snapshot was taken yet.")}</p>`}</div>`;
	},
	facts: (p) => pairs([[t("State"), stateOfSchedule(p)], p.volume ? [t("Volume"), refLink("volumes", p.volume)] : [t("Tags"), volumeName(p)], [t("Schedule"), scheduleWords(p)], [t("Time zone"), p.timezone], [t("Snapshots to keep"), number(p.kept)], [t("Last run"), p.last_us ? when(p.last_us) : t("never")], [t("Next run"), p.is_active !== false && p.next_us ? when(p.next_us) : "–"], [t("Created"), when(p.created_us)]]),
});

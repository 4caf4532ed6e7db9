// SPDX-License-Identifier: Apache-2.0
// The page Machine backups lists backups of instances with all their disks.
import {html, nameOf, stateOf, mark, refLink, pairs, copyable, when, emptyCard, ask, note, report, oneByOne} from "../parts.js";
import {resourcePage} from "../resource.js";
import {rows, row as byId, applyRow} from "../store.js";
import {href} from "../router.js";
import {t, size, time} from "../words.js";
import {post, patch, intent} from "../api.js";
import {showCommand} from "../command_bar.js";

const isWhole = (m) => m.state === "available";
const machineName = (m) => m.machine_name || nameOf(byId("instances", m.instance) ?? {id: m.instance});
const machineLink = (m) => (byId("instances", m.instance) ? refLink("instances", m.instance) : html`<span class="dim">${machineName(m)}</span>`);
const CONSISTENCY = {off: () => t("machine was off"), crash: () => t("as after a power failure"), disks: () => t("each disk at its own moment")};
const CHECKS = {running: () => mark("mid", t("test is running")), passed: () => mark("ok", t("test passed")), failed: () => mark("bad", t("test failed"))};
const checkOf = (m) => CHECKS[m.check_state]?.() ?? mark("off", t("not tested"));

function restore([m]) {
	const key = intent(), read = (f) => ({...(f.get("in_place") ? {in_place: true} : {}), ...(f.get("name").trim() && !f.get("in_place") ? {name: f.get("name").trim()} : {})});
	ask({title: t("Restore {name}", {name: nameOf(m)}), label: t("Restore"),
		body: () => html`<div @input=${(e) => showCommand("machine-backups.restore", {ids: [m], body: read(new FormData(e.target.form))})}>
			<p>${t("Creates an instance with the disks of {time}.", {time: time(m.data_us)})}</p>
			<label class="f">${t("Name of the new instance")}<input name="name" maxlength="255" autofocus placeholder=${machineName(m)}></label>
			<label class="c"><input type="checkbox" name="in_place"> ${t("Restore in place: replaces the disks of the stopped instance")}</label></div>`,
		submit: async (f) => {
			await post(`/machine-backups/${m.id}/restore`, read(f), {"Idempotency-Key": key});
			note(t("Restoring {name}", {name: nameOf(m)}));
		}});
	showCommand("machine-backups.restore", {ids: [m], body: {}});
}

const hold = (held) => (chosen) => {
	showCommand(held ? "machine-backups.hold" : "machine-backups.release", {ids: chosen});
	return report(held ? t("Legal holds set: {n}", {n: chosen.length}) : t("Legal holds lifted: {n}", {n: chosen.length}), () => oneByOne(chosen, (m) => patch(`/machine-backups/${m.id}`, {is_held: held}).then((a) => applyRow("machine-backups", a.items?.[0]))));
};
const check = ([m]) => {
	showCommand("machine-backups.check", {ids: [m]});
	return report(t("Testing {name}", {name: nameOf(m)}), () => post(`/machine-backups/${m.id}/check`, {}).then((a) => applyRow("machine-backups", a.items?.[0])));
};

function drop(chosen) {
	showCommand("machine-backups.delete", {ids: chosen});
	ask({title: chosen.length === 1 ? t("Delete {name}?", {name: nameOf(chosen[0])}) : t("Delete {n} backups?", {n: chosen.length}), danger: true, label: t("Delete"), typed: chosen.length > 5 ? chosen.length : "",
		body: () => html`<p>${t("Data that other backups need are kept. This action cannot be undone.")}</p>`,
		submit: () => report(t("Deleting {n} backups", {n: chosen.length}), () => post("/machine-backups/delete", {ids: chosen.map((m) => m.id)})).then(() => false)});
}

export const view = resourcePage({
	name: "machine-backups", kind: "machine-backups", kinds: ["instances", "backups", "backup-plans"], command: "machine-backups.list", title: () => t("Machine backups"), sort: "-made",
	search: (m) => [m.description, machineName(m)], keys: {state: (m) => m.state, instance: machineName},
	columns: [
		{key: "name", title: () => t("Name"), width: "26%", sort: nameOf},
		{key: "state", title: () => t("State"), width: "15%", text: (m) => m.state, cell: stateOf},
		{key: "instance", title: () => t("Instance"), wide: true, width: "18%", sort: machineName, cell: machineLink},
		{key: "size", title: () => t("Size"), num: true, width: "11%", sort: (m) => m.size ?? 0, text: (m) => size(m.size)},
		{key: "check", title: () => t("Test"), wide: true, width: "13%", sort: (m) => m.check_state ?? "", cell: checkOf},
		{key: "made", title: () => t("Created"), sort: (m) => m.created_us, text: (m) => time(m.created_us)},
	],
	actions: [
		{id: "hold", permission: "machine_backup.update", title: () => t("Set legal hold"), may: (m) => !m.is_held, run: hold(true)},
		{id: "release", permission: "machine_backup.update", title: () => t("Lift legal hold"), may: (m) => m.is_held, run: hold(false)},
		{id: "delete", asks: true, permission: "machine_backup.delete", title: () => t("Delete"), may: (m) => !m.is_held, run: drop, danger: true},
	],
	oneActions: [
		{id: "restore", asks: true, permission: "machine_backup.restore", title: () => t("Restore"), may: isWhole, run: restore},
		{id: "check", permission: "machine_backup.check", title: () => t("Test restore"), may: (m) => isWhole(m) && m.check_state !== "running", run: check},
	],
	empty: () => emptyCard(t("No machine backups"), t("A machine backup has all disks of an instance. Backup plans make them on a schedule."), html`<a class="b b1" href=${href("backup-plans")}>${t("Go to Backup plans")}</a>`),
	more: (m) => html`<div class="card"><h2>${t("Disks")}</h2><ul class="plainlist">${rows("backups").filter((b) => b.machine_backup === m.id).map((b) => html`<li><a href=${href("backups", b.id)}>${b.device || nameOf(b)}</a> <span class="dim">${size(b.size)}</span></li>`)}</ul></div>`,
	facts: (m) => pairs([[t("State"), stateOf(m)], [t("Problem"), m.problem], [t("Instance"), machineLink(m)], [t("Backup plan"), m.plan && byId("backup-plans", m.plan) ? refLink("backup-plans", m.plan) : ""], [t("Size"), size(m.size)], [t("Stored"), m.stored_size ? size(m.stored_size) : ""],
		[t("Content as of"), m.data_us ? when(m.data_us) : ""], [t("Consistency"), CONSISTENCY[m.consistency]?.() ?? ""], [t("Legal hold"), m.is_held ? t("yes") : t("no")], [t("Test"), checkOf(m)], [t("Test result"), m.check_message], [t("Description"), m.description],
		[t("Created"), when(m.created_us)], ["ID", copyable(m.id)]]),
});

// SPDX-License-Identifier: Apache-2.0
// Actions on one or many instances, shared by the list, the page of one, the palette and keys. one_instance_actions.js has those of a single instance.
import {post, intent} from "./api.js";
import {ask, report, nameOf, tagsOf, html, nothing} from "./parts.js";
import {showCommand} from "./command_bar.js";
import {t, list as words} from "./words.js";

export const ON = new Set(["running", "paused", "rescued"]);
export const isThere = (r) => !["terminated", "shutting-down"].includes(r.state);
export const isSettled = (r) => ["running", "stopped"].includes(r.state);

export function many(verb, body = {}) {
	return (chosen) => post(`/instances/${verb}`, {ids: chosen.map((r) => r.id), ...body}, {"Idempotency-Key": intent()});
}

function simple(verb, done) {
	const send = many(verb);
	return (chosen) => {
		showCommand("instances." + verb, {ids: chosen});
		return report(done(chosen.length), () => send(chosen));
	};
}

/** Actions that take machines away from their users: always ask first, and name all affected machines, for clicks and for keys. */
function asked(verb, {one, several, label, effect, done}) {
	const send = many(verb);
	return (chosen) => {
		showCommand("instances." + verb, {ids: chosen});
		ask({title: chosen.length === 1 ? one(nameOf(chosen[0])) : several(chosen.length), danger: true, label: label(), typed: chosen.length > 5 ? chosen.length : "",
			body: () => html`${chosen.length > 1 ? html`<p>${words(chosen.slice(0, 12).map(nameOf))}${chosen.length > 12 ? " …" : ""}</p>` : nothing}<p>${effect()}</p>`,
			submit: () => report(done(chosen.length), () => send(chosen)).then(() => false)});
	};
}

const stop = asked("stop", {one: (name) => t("Stop {name}?", {name}), several: (n) => t("Stop {n} instances?", {n}), label: () => t("Stop"),
	effect: () => t("The guest is shut down. Volumes and Elastic IP addresses are kept."), done: (n) => t("Stopping {n} instances", {n})});
const reboot = asked("reboot", {one: (name) => t("Reboot {name}?", {name}), several: (n) => t("Reboot {n} instances?", {n}), label: () => t("Reboot"),
	effect: () => t("The instance is unavailable until it has rebooted."), done: (n) => t("Rebooting {n} instances", {n})});
const pause = asked("pause", {one: (name) => t("Pause {name}?", {name}), several: (n) => t("Pause {n} instances?", {n}), label: () => t("Pause"),
	effect: () => t("Pauses the guest in memory until you resume it."), done: (n) => t("{n} instances paused", {n})});
const suspend = asked("suspend", {one: (name) => t("Suspend {name}?", {name}), several: (n) => t("Suspend {n} instances?", {n}), label: () => t("Suspend"),
	effect: () => t("Saves the guest’s memory to disk. Starting the instance resumes it from there."), done: (n) => t("Suspending {n} instances", {n})});

/** Actions with a dialog, which is loaded on demand. */
export const dialog = (name) => (chosen) => import("./instance_dialogs.js").then((m) => m[name](chosen));

/** {id, key: letter, permission, title, may(row), isRare, run(rows), danger} */
export const INSTANCE_ACTIONS = [
	{id: "start", key: "s", permission: "instance.start", title: () => t("Start"), may: (r) => ["stopped", "suspended"].includes(r.state), run: simple("start", (n) => t("Starting {n} instances", {n}))},
	{id: "stop", key: "x", permission: "instance.stop", title: () => t("Stop"), may: (r) => ON.has(r.state) || r.state === "pending", asks: true, run: stop},
	{id: "reboot", key: "r", permission: "instance.reboot", title: () => t("Reboot"), may: (r) => ON.has(r.state), asks: true, run: reboot},
	{id: "pause", permission: "instance.pause", title: () => t("Pause"), isRare: true, may: (r) => r.state === "running", asks: true, run: pause},
	{id: "unpause", permission: "instance.unpause", title: () => t("Resume"), isRare: true, may: (r) => r.state === "paused", run: simple("unpause", (n) => t("{n} instances resumed", {n}))},
	{id: "suspend", permission: "instance.suspend", title: () => t("Suspend"), isRare: true, may: (r) => r.state === "running", asks: true, run: suspend},
	{id: "protect", permission: "instance.update", title: () => t("Termination protection"), isRare: true, may: isThere, run: dialog("protect")},
	{id: "tag", permission: "tag.set", title: () => t("Tag"), isRare: true, may: isThere, run: dialog("tag")},
	{id: "untag", permission: "tag.remove", title: () => t("Untag"), isRare: true, may: (r) => isThere(r) && tagsOf(r).length, run: dialog("untag")},
	{id: "terminate", key: "", permission: "instance.terminate", title: () => t("Terminate"), may: isThere, run: dialog("terminate"), danger: true},
];

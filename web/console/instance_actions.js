// SPDX-License-Identifier: Apache-2.0
// Actions on instances, shared by the list, the page of one, the palette and keys.
import {post, intent} from "./api.js";
import {rows as allRows} from "./store.js";
import {ask, report, nameOf, tagsOf, html, nothing, SUPPORT} from "./parts.js";
import {showCommand} from "./command_bar.js";
import {go, href} from "./router.js";
import {t, list as words, size} from "./words.js";

const ON = new Set(["running", "paused", "rescued"]);
const isThere = (r) => !["terminated", "shutting-down"].includes(r.state);
const isSettled = (r) => ["running", "stopped"].includes(r.state);

function many(verb, body = {}) {
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

/** Resources deleted with terminated instances: disks and addresses that only they use. */
function goesWith(chosen) {
	const ids = new Set(chosen.map((r) => r.id));
	const disks = allRows("volumes").filter((v) => ids.has(v.instance));
	return {gone: disks.filter((v) => v.delete_on_termination), kept: disks.filter((v) => !v.delete_on_termination),
		addresses: allRows("addresses").filter((a) => ids.has(a.instance) && a.is_elastic)};
}

function terminate(chosen) {
	showCommand("instances.terminate", {ids: chosen});
	ask({
		title: chosen.length === 1 ? t("Terminate {name}?", {name: nameOf(chosen[0])}) : t("Terminate {n} instances?", {n: chosen.length}),
		danger: true, label: t("Terminate"), typed: chosen.length > 5 ? chosen.length : "",
		body: () => {
			const {gone, kept, addresses} = goesWith(chosen);
			return html`${chosen.length > 1 ? html`<p>${words(chosen.slice(0, 12).map(nameOf))}${chosen.length > 12 ? " …" : ""}</p>` : nothing}
				<ul>${gone.length ? html`<li>${t("{n} volumes are deleted ({size}).", {n: gone.length, size: size(gone.reduce((s, v) => s + v.size, 0))})}</li>` : nothing}
				${kept.length ? html`<li>${t("{n} volumes are kept: {names}.", {n: kept.length, names: words(kept.slice(0, 6).map(nameOf))})}</li>` : nothing}
				${addresses.length ? html`<li>${t("{n} Elastic IP addresses stay allocated: {names}.", {n: addresses.length, names: words(addresses.map((a) => a.ip))})}</li>` : nothing}
				<li>${t("This action cannot be undone.")}</li></ul>`;
		},
		submit: () => report(t("Terminating {n} instances", {n: chosen.length}), () => many("delete")(chosen)).then(() => false),
	});
}

/** Opens in a separate window, so that it stays open while the user continues here. */
async function openSerial(row) {
	const w = window.open("about:blank", "_blank");
	const answer = await report(t("Console opened"), () => post(`/instances/${row.id}/console`, {type: "serial"}));
	if (answer?.url && w) {
		w.opener = null;
		w.location.replace(new URL(new URL(answer.url).pathname + new URL(answer.url).search, location.origin));
	} else {
		w?.close();
	}
}

/** Actions with a dialog, which is loaded on demand. */
const dialog = (name) => (chosen) => import("./instance_dialogs.js").then((m) => m[name](chosen));

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
	{id: "terminate", key: "", permission: "instance.terminate", title: () => t("Terminate"), may: isThere, run: terminate, danger: true},
];

export const ONE_ACTIONS = [
	{id: "resize", permission: "instance.update", title: () => t("Resize"), may: (r) => r.state === "stopped", run: dialog("resize")},
	{id: "display", permission: "instance.open_console", title: () => t("Console (VNC)"), may: (r) => ON.has(r.state), run: ([r]) => go(href("screen", r.ec2 || r.id))},
	{id: "serial", permission: "instance.open_console", title: () => t("Serial console"), may: (r) => ON.has(r.state), run: ([r]) => openSerial(r)},
	{id: "attach", permission: "volume.attach", title: () => t("Attach volume"), may: isSettled, run: dialog("attach")},
	{id: "groups", permission: "instance.update", title: () => t("Security groups"), may: isThere, run: dialog("groups")},
	{id: "image", permission: "image.create", title: () => t("Create image"), may: isSettled, run: dialog("image")},
	{id: "snapshot", permission: "snapshot.create", title: () => t("Snapshot"), may: isSettled, run: dialog("snapshot")},
	{id: "migrate", permission: "instance.migrate", title: () => t("Live-migrate"), isRare: true, may: (r) => r.state === "running", run: dialog("migrate")},
	{id: "rescue", permission: "instance.rescue", title: () => t("Rescue"), isRare: true, may: isSettled, run: dialog("rescue")},
	{id: "unrescue", permission: "instance.unrescue", title: () => t("Unrescue"), isRare: true, may: (r) => r.state === "rescued", run: dialog("unrescue")},
	{id: "rebuild", permission: "instance.rebuild", title: () => t("Rebuild"), isRare: true, may: isSettled, run: dialog("rebuild"), danger: true},
	{...SUPPORT, may: () => true},
];

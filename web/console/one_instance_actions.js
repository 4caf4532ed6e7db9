// SPDX-License-Identifier: Apache-2.0
// Actions on a single instance; loaded with instance_view.js, so that they do not count among the bytes of the first page.
import {post} from "./api.js";
import {report, SUPPORT} from "./parts.js";
import {ON, dialog, isSettled, isThere} from "./instance_actions.js";
import {go, href} from "./router.js";
import {t} from "./words.js";

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

/** {id, permission, title, may(row), why(): the reason if disabled, isRare, run(rows), danger} */
export const ONE_ACTIONS = [
	{id: "resize", permission: "instance.update", title: () => t("Resize"), may: (r) => r.state === "stopped", why: () => t("Stop the instance first to change its type."), run: dialog("resize")},
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

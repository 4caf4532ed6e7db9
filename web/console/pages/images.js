// SPDX-License-Identifier: Apache-2.0
// Images, from which instances are launched.
import {html, nothing, nameOf, stateOf, pairs, copyable, when, emptyCard, ask, report, mark, SUPPORT} from "../parts.js";
import {resourcePage} from "../resource.js";
import {rows} from "../store.js";
import {href} from "../router.js";
import {t, size} from "../words.js";
import {post} from "../api.js";
import {showCommand} from "../command_bar.js";
import {mayChange, session} from "../session.js";
import {may} from "../may.js";
import {tagActions, tagsCard} from "../tags.js";
import {bring, bringDebian, describe, duplicate, resend, share} from "../image_dialogs.js";
import {isSending, uploadsView} from "../uploads.js";

const isOwn = (i) => i.account === session.account?.id || (!i.account && session.rights?.includes("admin"));
const isAvailable = (i) => (i.state ?? "available") === "available";
const mayBring = () => mayChange() && may("image.import");

function drop(chosen) {
	showCommand("images.deregister", {ids: chosen});
	ask({title: chosen.length === 1 ? t("Deregister {name}?", {name: nameOf(chosen[0])}) : t("Deregister {n} images?", {n: chosen.length}), danger: true, label: t("Deregister"),
		body: () => html`<p>${t("Running instances are not affected. New instances can no longer be launched from this image.")}</p>`,
		submit: () => report(t("{n} images deregistered", {n: chosen.length}), () => post("/images/delete", {ids: chosen.map((i) => i.id)})).then(() => false)});
}

export const view = resourcePage({
	name: "images", kind: "images", alsoNeeds: ["instances"], verb: "images", command: "images.list", title: () => t("Images"),
	search: (i) => [i.description, i.family, i.platform], keys: {state: (i) => i.state, platform: (i) => i.platform, owner: (i) => (isOwn(i) ? "mine" : "other")},
	columns: [
		{key: "name", title: () => t("Name"), width: "32%", sort: nameOf},
		{key: "state", title: () => t("State"), width: "18%", text: (i) => i.state ?? "", cell: (i) => (i.state ? stateOf(i) : mark("ok", t("available")))},
		{key: "platform", title: () => t("Platform"), wide: true, width: "14%", text: (i) => (i.platform === "windows" ? "Windows" : "Linux")},
		{key: "size", title: () => t("Size"), num: true, width: "12%", sort: (i) => i.data_size ?? 0, text: (i) => (i.data_size ? size(i.data_size) : "")},
		{key: "whose", title: () => t("Owner"), text: (i) => (isOwn(i) ? t("owned by me") : i.is_public ? t("public") : t("shared"))},
	],
	chips: [{title: () => t("all"), query: ""}, {title: () => t("owned by me"), query: "owner:mine"}],
	actions: [{id: "launch", asks: true, permission: "instance.create", title: () => t("Launch instance"), may: isAvailable, run: ([i]) => { location.assign(href("launch", "", {image: i.id})); }},
		...tagActions("image").map((a) => ({...a, may: (i) => isOwn(i) && a.may(i)})),
		{id: "deregister", permission: "image.delete", title: () => t("Deregister"), may: isOwn, run: drop, danger: true}],
	above: uploadsView,
	lead: () => (mayBring() ? html`<button type="button" class="b1" @click=${() => bring()}>${t("Import image")}</button>` : nothing),
	empty: () => emptyCard(t("No images"), t("An image is the disk template that instances are launched from. Import one from a URL or upload a file. It is charged by its size."),
		mayBring() ? html`<div class="bar"><button type="button" class="b1" @click=${bringDebian}>${t("Import Debian 12")}</button><button type="button" @click=${() => bring()}>${t("Import another image")}</button></div>` : nothing),
	oneActions: [{id: "share", asks: true, permission: "image.update", title: () => t("Launch permissions"), isRare: true, may: isOwn, run: share},
		{id: "describe", asks: true, permission: "image.update", title: () => t("Edit details"), isRare: true, may: isOwn, run: describe},
		{id: "copy", asks: true, permission: "image.copy", title: () => t("Copy"), may: isAvailable, run: duplicate},
		{id: "send", asks: true, permission: "image.import", title: () => t("Upload data"), isRare: true, may: (i) => isOwn(i) && i.state === "pending" && !i.fetch_url && !i.data_size && !i.source_instance && !isSending(i), run: resend}, SUPPORT],
	facts: (i) => pairs([[t("State"), i.state ? stateOf(i) : ""], [t("Platform"), i.platform === "windows" ? "Windows" : "Linux"], [t("Firmware"), i.boot_mode === "unsaid" ? t("BIOS") : i.boot_mode], [t("Architecture"), i.arch], [t("Size"), i.data_size ? size(i.data_size) : ""], [t("Minimum disk"), i.min_disk ? size(i.min_disk) : ""],
		[t("Source URL"), i.fetch_url], [t("Description"), i.description], [t("Launch permissions"), i.launchers?.length ? t("{n} accounts", {n: i.launchers.length}) : ""], [t("Owner"), isOwn(i) ? t("owned by me") : i.is_public ? t("public") : t("shared")], [t("Created"), when(i.created_us)], ["EC2", i.ec2 ? copyable(i.ec2) : ""], ["OpenStack", copyable(i.id)]]),
	more: (i) => {
		const users = rows("instances").filter((r) => r.image === i.id && r.state !== "terminated");
		return html`${isOwn(i) ? tagsCard("image", "images", i) : nothing}${users.length ? html`<div class="card"><h2>${t("{n} instances use this image", {n: users.length})}</h2><p>${users.slice(0, 20).map((r, k) => html`${k ? ", " : ""}<a href=${href("instances", r.ec2 ?? r.id)}>${nameOf(r)}</a>`)}</p></div>` : nothing}`;
	},
});

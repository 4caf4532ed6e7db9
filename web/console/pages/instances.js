// SPDX-License-Identifier: Apache-2.0
// Instances: the list with bulk actions. instance_view.js shows a single one; it is loaded at the first pointer move or key press, or at once if the
// address names an instance.
import {later} from "../later.js";
import {html, nothing, stateOf, nameOf, shortId, refName, emptyCard, waiting} from "../parts.js";
import {listView, nameLink} from "../list.js";
import {findRow, need, row as byId, whole} from "../store.js";
import {href, here} from "../router.js";
import {t, since} from "../words.js";
import {INSTANCE_ACTIONS} from "../instance_actions.js";
import {offerCommand, showCommand} from "../command_bar.js";
import {mayChange} from "../session.js";
import {may} from "../may.js";
import {sparkline, watch} from "../sparklines.js";

const one = later(() => import("../instance_view.js"));
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
		{key: "name", title: () => t("Name"), width: "21%", sort: nameOf, cell: (r) => nameLink(spec, r)},
		{key: "state", title: () => t("State"), width: "17%", text: (r) => r.state, cell: stateOf},
		{key: "type", title: () => t("Instance type"), width: "11%", sort: (r) => byId("instance-types", r.type)?.memory ?? 0, text: typeName},
		{key: "address", title: () => t("Address"), mono: true, isAddress: true, width: "15%", text: address},
		{key: "cpu", title: () => t("CPU"), wide: true, width: "11%", sort: null, cell: sparkline},
		{key: "zone", title: () => t("Availability Zone"), wide: true, width: "12%", text: (r) => refName("zones", r.zone)},
		{key: "age", title: () => t("Launch time"), num: true, wide: true, sort: (r) => -(r.launched_us ?? r.created_us ?? 0), text: (r) => t("{age} ago", {age: since(r.launched_us || r.created_us)})},
	],
	chips: [{title: () => t("all"), query: ""}, {title: () => t("running"), query: "state:running"}, {title: () => t("stopped"), query: "state:stopped"}, {title: () => t("needs attention"), query: "state:error"}],
	get actions() {
		return mayChange() ? INSTANCE_ACTIONS : undefined;
	},
	preview: (action, chosen) => !["protect", "tag", "untag"].includes(action.id) && showCommand("instances." + action.id, {ids: chosen}),
	detail: true,
	inSight: watch,
	isAlone: true,
	lead: () => (mayChange() && may("instance.create") ? html`<a class="b b1" href=${href("launch")}>${t("Launch instance")} <kbd>C</kbd></a>` : nothing),
	empty: () => emptyCard(t("No instances"), t("An instance is a virtual machine. Launch one: every field of the form has a default."),
		html`<a class="b b1" href=${href("launch")}>${t("Launch instance")} <kbd>C</kbd></a>`),
};

export function view({id, query}) {
	for (const kind of [...kinds, ...(id || query.get("open") ? ["volumes", "ports", "subnets", "security-groups"] : [])])
		need(kind);
	if (id) {
		const r = findRow("instances", id);
		offerCommand("explain", {ids: [r ?? {id}]});
		return r ? one()?.onePage(whole("instances", r)) ?? waiting() : need("instances").isLoaded ? html`<h1>${t("Instance not found")}</h1><p>${t("It may have been deleted, or belongs to another account.")} <a href=${href("instances")}>${t("All instances")}</a></p>` : waiting();
	}
	offerCommand("instances.list", {});
	const open = query.get("open") ? findRow("instances", query.get("open")) : null;
	return html`<h1>${t("Instances")}</h1>${open ? html`<div class="two"><div>${listView(spec)}</div>${one()?.side(whole("instances", open)) ?? html`<aside class="beside"></aside>`}</div>` : listView(spec)}`;
}


// SPDX-License-Identifier: Apache-2.0
// Network interfaces: an address in a subnet, security groups, and the attached machine.
import {html, nothing, nameOf, oneByOne, refName, refLink, pairs, copyable, when, emptyCard, ask, report, stateOf} from "../parts.js";
import {resourcePage} from "../resource.js";
import {rows, row} from "../store.js";
import {href} from "../router.js";
import {t, list as words} from "../words.js";
import {post, patch} from "../api.js";
import {showCommand} from "../command_bar.js";
import {askFor, applyAll, make} from "../forms.js";
import {mayAll} from "../may.js";
import {portUser} from "../net/parts.js";

const INDEX_MAX = 7;
const isOurs = (p) => !p.nat_gateway && !p.device_owner && !p.interface_of;
const isFree = (p) => isOurs(p) && !p.instance;
const groupsOf = (router) => rows("security-groups").filter((g) => g.router === router).toSorted((a, b) => nameOf(a).localeCompare(nameOf(b)));
const inUse = (i) => new Set(rows("ports").filter((p) => p.instance === i.id).map((p) => p.device_index ?? 0));

function groupBoxes(groups, has) {
	return html`<fieldset><legend>${t("Security groups")}</legend>${groups.map((g) => html`<label class="check"><input type="checkbox" name="groups" value=${g.id} ?checked=${has(g)}> ${nameOf(g)}</label>`)}</fieldset>`;
}

function create() {
	const subnets = rows("subnets").filter((s) => s.router).toSorted((a, b) => nameOf(a).localeCompare(nameOf(b)));
	askFor({title: t("Create network interface"), label: t("Create"), verb: "ports.create",
		fields: () => html`<label class="f">${t("Subnet")}<select name="subnet" autofocus>${subnets.map((s) => html`<option value=${s.id}>${nameOf(s)} ${s.block}</option>`)}</select></label>
			<label class="f">${t("Description")}<input name="description" maxlength="255"></label><p class="hint">${t("Gets a free IP address and the default security group of the VPC. The groups can be changed later.")}</p>`,
		read: (form) => {
			const subnet = subnets.find((s) => s.id === form.get("subnet")) ?? {}, description = form.get("description");
			return {subnet, description, body: {subnet: subnet.id, ...(description ? {description} : {})}};
		},
		send: async ({body}) => { await make("ports", body); }});
}

function attach([p]) {
	const able = rows("instances").filter((i) => ["running", "stopped"].includes(i.state) && (!p.subnet || !row("subnets", p.subnet)?.zone || i.zone === row("subnets", p.subnet).zone) && inUse(i).size <= INDEX_MAX);
	const next = (i) => [1, 2, 3, 4, 5, 6, 7].find((k) => !inUse(i).has(k));
	askFor({title: t("Attach {name} to", {name: nameOf(p)}), label: able.length ? t("Attach") : null, verb: "ports.attach",
		fields: () => (able.length ? html`<label class="f">${t("Instance")}<select name="instance" autofocus>${able.map((i) => html`<option value=${i.id}>${nameOf(i)}</option>`)}</select></label>` : html`<p>${t("No instance in this Availability Zone can attach it.")}</p>`),
		read: (form) => {
			const instance = able.find((i) => i.id === form.get("instance"));
			return {ids: [p], instance, index: instance ? next(instance) : 1};
		},
		send: async ({instance, index}) => applyAll("ports", await post(`/ports/${p.id}/attach`, {instance: instance.id, device_index: index})) && undefined});
}

function detach(chosen) {
	showCommand("ports.detach", {ids: chosen});
	ask({title: t("Detach {names}?", {names: words(chosen.map(nameOf))}), danger: true, label: t("Detach"), typed: chosen.length > 5 ? chosen.length : "", body: () => html`<p>${t("The instances lose these addresses. The network interfaces are kept.")}</p>`,
		submit: () => report(t("Detaching {n} network interfaces", {n: chosen.length}), () => oneByOne(chosen, (p) => post(`/ports/${p.id}/detach`, {}))).then(() => false)});
}

/** A form has its own copy of the row: later changes are shown beside it. */
function chooseGroups([p]) {
	const groups = groupsOf(p.router), {gen} = p;
	askFor({title: t("Security groups of {name}", {name: nameOf(p)}), label: t("Save"), verb: "ports.groups",
		fields: () => html`${groupBoxes(groups, (g) => p.groups?.includes(g.id))}${(row("ports", p.id) ?? p).gen !== gen ? html`<p class="st go" role="status"><span aria-hidden="true">◐</span> ${t("Someone else changed this meanwhile.")}</p>` : nothing}`,
		read: (form) => ({ids: [p], groups: groups.filter((g) => form.getAll("groups").includes(g.id))}),
		send: async (args) => applyAll("ports", await patch(`/ports/${p.id}`, {groups: args.groups.map((g) => g.id)}, gen)) && undefined});
}

function drop(chosen) {
	showCommand("ports.delete", {ids: chosen});
	ask({title: chosen.length === 1 ? t("Delete {name}?", {name: nameOf(chosen[0])}) : t("Delete {n} interfaces?", {n: chosen.length}), danger: true, label: t("Delete"), typed: chosen.length > 5 ? chosen.length : "",
		body: () => html`<p>${t("Their private IP addresses become available again. Elastic IP addresses stay allocated.")}</p>`,
		submit: () => report(t("{n} network interfaces deleted", {n: chosen.length}), () => post("/ports/delete", {ids: chosen.map((p) => p.id)})).then(() => false)});
}

export const view = resourcePage({
	name: "interfaces", kind: "ports", kinds: ["instances", "subnets", "security-groups", "addresses", "routers", "nat-gateways"], verb: "ports", command: "ports.list", title: () => t("Network interfaces"), sort: "ip",
	search: (p) => [p.ip, p.mac, p.description, refName("instances", p.instance), refName("subnets", p.subnet)], keys: {instance: (p) => refName("instances", p.instance), subnet: (p) => refName("subnets", p.subnet), state: (p) => p.state},
	columns: [
		{key: "name", title: () => t("Name"), width: "24%", sort: nameOf},
		{key: "ip", title: () => t("Private address"), mono: true, isAddress: true, width: "14%", sort: (p) => p.ip ?? "", cell: (p) => p.ip ?? ""},
		{key: "of", title: () => t("Attached to"), width: "18%", sort: (p) => refName("instances", p.instance), cell: portUser},
		{key: "subnet", title: () => t("Subnet"), wide: true, width: "24%", text: (p) => refName("subnets", p.subnet)},
		{key: "groups", title: () => t("Security groups"), wide: true, text: (p) => (p.groups ?? []).map((g) => refName("security-groups", g)).join(", ")},
	],
	chips: [{title: () => t("all"), query: ""}, {title: () => t("not attached"), query: "state:available"}],
	actions: [{id: "attach", title: () => t("Attach"), may: isFree, run: attach, hidden: () => !mayAll("port.attach")},
		{id: "detach", title: () => t("Detach"), may: (p) => p.instance && (p.device_index ?? 0) > 0, run: detach, hidden: () => !mayAll("port.detach")},
		{id: "delete", title: () => t("Delete"), may: isFree, run: drop, danger: true, hidden: () => !mayAll("port.delete")}],
	oneActions: [{id: "groups", title: () => t("Security groups…"), may: (p) => isOurs(p) && p.router, run: chooseGroups, hidden: () => !mayAll("port.update")}],
	lead: () => (mayAll("port.create") ? html`<button type="button" class="b1" @click=${create}>${t("Create network interface")}</button>` : nothing),
	empty: () => emptyCard(t("No network interfaces"), t("Each instance has a primary network interface: a private IP address in a subnet, and security groups. Additional interfaces can be moved between instances."), html`<a class="b b1" href=${href("launch")}>${t("Launch instance")}</a>${mayAll("port.create") ? html` <button type="button" @click=${create}>${t("Create network interface")}</button>` : nothing}`),
	facts: (p) => pairs([[t("State"), stateOf(p)], [t("Attached to"), portUser(p)], [t("Private address"), p.ip ? copyable(p.ip) : ""], [t("Public address"), rows("addresses").filter((a) => a.port === p.id).map((a) => html`<div>${copyable(a.ip)}</div>`)],
		["MAC", p.mac ? html`<span class="m">${p.mac}</span>` : ""], [t("Subnet"), p.subnet ? refLink("subnets", p.subnet, "networks") : ""], [t("Security groups"), (p.groups ?? []).map((g, k) => html`${k ? ", " : ""}${refLink("security-groups", g)}`)],
		[t("Description"), p.description], [t("Created"), when(p.created_us)], ["EC2", p.ec2 ? copyable(p.ec2) : ""], ["OpenStack", copyable(p.id)]]),
});

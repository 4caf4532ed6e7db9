// SPDX-License-Identifier: Apache-2.0
// Security groups: rules as text, one a line, and members.
import {html, nothing, nameOf, oneByOne, shortId, refName, refLink, pairs, copyable, when, emptyCard, ask, report} from "../parts.js";
import {resourcePage} from "../resource.js";
import {rows, row, need, touch} from "../store.js";
import {href} from "../router.js";
import {t, number} from "../words.js";
import {post, patch, remove} from "../api.js";
import {showCommand, offerCommand} from "../command_bar.js";
import {session} from "../session.js";
import {askFor, applyAll, changed, make} from "../forms.js";
import {mayAll} from "../may.js";
import {protocolOf, portsOf, ruleWords, portsOfForm, PORTS_PATTERN, cross, button} from "../net/parts.js";
import {matrixView} from "../net/matrix.js";

const SERVICES = [["SSH", "tcp", 22], ["HTTP", "tcp", 80], ["HTTPS", "tcp", 443], ["RDP", "tcp", 3389], ["PostgreSQL", "tcp", 5432], ["MySQL", "tcp", 3306]];

function peerOf(rule) {
	if (rule.peer_group)
		return html`${t("Members of")} ${refLink("security-groups", rule.peer_group)}`;
	return rule.peer_block === "0.0.0.0/0" || rule.peer_block === "::/0" ? t("anywhere ({block})", {block: rule.peer_block}) : rule.peer_block ?? t("anywhere");
}

const rulesOf = (g, direction) => rows("security-group-rules").filter((r) => r.group === g.id && r.direction === direction).toSorted((a, b) => (a.from_port ?? -1) - (b.from_port ?? -1));
const membersOf = (g) => [...new Set(rows("ports").filter((p) => p.groups?.includes(g.id) && p.instance).map((p) => p.instance))].map((id) => rows("instances").find((i) => i.id === id)).filter((i) => i && i.state !== "terminated");

/** The address from which the server sees this browser, as a block with a single address. */
function myBlock() {
	return session.address ? `${session.address}/${session.address.includes(":") ? 128 : 32}` : "";
}

function set(form, values) {
	for (const [name, value] of Object.entries(values))
		form[name].value = value;
	changed(form);
}

function addRule(g, direction) {
	const groups = rows("security-groups").filter((x) => x.router === g.router).toSorted((a, b) => nameOf(a).localeCompare(nameOf(b))), state = {byGroup: false}, isIn = direction === "ingress", mine = myBlock();
	askFor({title: isIn ? t("Add inbound rule to {name}", {name: nameOf(g)}) : t("Add outbound rule to {name}", {name: nameOf(g)}), label: t("Allow"), verb: "rules.add",
		fields: () => html`<div class="bar">${SERVICES.map(([word, protocol, port]) => html`<button type="button" class="chip" @click=${(e) => set(e.target.closest("form"), {protocol, ports: port})}>${word}</button>`)}</div>
			<div class="grid2"><label class="f">${t("Protocol")}<select name="protocol"><option>tcp</option><option>udp</option><option>icmp</option><option value="any">${t("all traffic")}</option></select></label>
			<label class="f">${t("Port range (22, or 8000-8100)")}<input name="ports" inputmode="numeric" value="22" pattern=${PORTS_PATTERN}></label>
			<label class="f">${isIn ? t("Source") : t("Destination")}<select name="peer" @change=${(e) => { state.byGroup = e.target.value === "group"; touch(); }}><option value="block">${t("CIDR block")}</option><option value="group">${t("Security group")}</option></select></label>
			<label class="f" ?hidden=${state.byGroup}>${t("IPv4 CIDR")}<input name="block" class="m" value="0.0.0.0/0" ?required=${!state.byGroup}></label>
			<label class="f" ?hidden=${!state.byGroup}>${t("Group")}<select name="group">${groups.map((x) => html`<option value=${x.id}>${nameOf(x)}${x === g ? ` (${t("this security group")})` : ""}</option>`)}</select></label>
			</div>${state.byGroup ? nothing : html`<div class="bar"><button type="button" class="chip" @click=${(e) => set(e.target.closest("form"), {block: "0.0.0.0/0"})}>${t("Anywhere")}</button>${mine ? html`<button type="button" class="chip" @click=${(e) => set(e.target.closest("form"), {block: mine})}>${t("My IP")} <span class="m">${session.address}</span></button>` : nothing}</div>`}
			<label class="f">${t("Description")}<input name="description" maxlength="255"></label>`,
		read: (form) => {
			const protocol = form.get("protocol"), match = portsOfForm(protocol, form.get("ports")), ports = match.from_port === undefined ? "" : form.get("ports").trim(), description = form.get("description");
			const peer = state.byGroup ? groups.find((x) => x.id === form.get("group")) : undefined, block = peer ? undefined : form.get("block").trim();
			return {group: g, direction, protocol, ports, block, peer, body: {group: g.id, ...match, ...(peer ? {peer_group: peer.id} : {peer_block: block}), ...(description ? {description} : {})}};
		},
		send: async ({body}) => applyAll("security-group-rules", await post(`/security-group-rules/${direction}`, body)) && undefined});
}

function dropRule(g, rule) {
	showCommand("rules.remove", {ids: [rule], group: g});
	const body = Object.fromEntries(["group", "protocol", "from_port", "to_port", "peer_group", "peer_block", "description"].filter((name) => rule[name] !== undefined && rule[name] !== "" && rule[name] !== null).map((name) => [name, rule[name]]));
	return report(t("Rule removed"), () => oneByOne([{...rule, name: shortId(rule)}], (r) => remove(`/security-group-rules/${r.id}/${r.direction}`)),
		async () => applyAll("security-group-rules", await post(`/security-group-rules/${rule.direction}`, body)));
}

function ruleTable(g, direction) {
	const found = rulesOf(g, direction), isIn = direction === "ingress", mayAdd = mayAll(`security_group.authorize_${direction}`), mayDrop = mayAll(`security_group.revoke_${direction}`);
	return html`<div class="card"><div class="head"><h2>${isIn ? t("Inbound rules") : t("Outbound rules")}</h2><span class="sp"></span>${button(mayAdd, t("Add rule"), () => addRule(g, direction))}</div>
		${found.length ? html`<table class="simple"><thead><tr><th scope="col">${t("Traffic")}</th><th scope="col">${isIn ? t("Source") : t("Destination")}</th><th scope="col"><span class="sr">${t("Remove")}</span></th></tr></thead>
		<tbody>${found.map((r) => html`<tr><td>${protocolOf(r)} <span class="m">${portsOf(r)}</span>${r.description ? html`<div class="dim">${r.description}</div>` : nothing}</td><td class="m">${peerOf(r)}</td>
			<td class="n">${cross(mayDrop, t("Remove rule: {what}", {what: `${protocolOf(r)} ${portsOf(r)}`}), () => dropRule(g, r))}</td></tr>`)}</tbody></table>` : html`<p class="dim">${isIn ? t("No inbound rules: all inbound traffic is denied.") : t("No rules.")}</p>`}</div>`;
}

/** A form has its own copy of the row: later changes are shown beside it. */
function change([g]) {
	const {gen, name, description} = g;
	askFor({title: t("Name and description of {name}", {name: nameOf(g)}), label: t("Save"), verb: "security-groups.update",
		fields: () => html`<label class="f">${t("Name")}<input name="name" value=${name} required maxlength="255" ?disabled=${g.is_default} autofocus></label><label class="f">${t("Description")}<input name="description" value=${description ?? ""} maxlength="255"></label>
			${(row("security-groups", g.id) ?? g).gen !== gen ? html`<p class="st go" role="status"><span aria-hidden="true">◐</span> ${t("Someone else changed this meanwhile. Current name: {name}.", {name: nameOf(row("security-groups", g.id) ?? g)})}</p>` : nothing}`,
		read: (form) => ({ids: [g], name: form.get("name") ?? name, description: form.get("description")}),
		send: async (args) => {
			const body = {...(args.name === name ? {} : {name: args.name}), ...(args.description === (description ?? "") ? {} : {description: args.description})};
			if (Object.keys(body).length)
				applyAll("security-groups", await patch(`/security-groups/${g.id}`, body, gen));
		}});
}

function create() {
	const routers = rows("routers");
	askFor({title: t("Create security group"), label: t("Create"), verb: "security-groups.create",
		fields: () => html`<label class="f">${t("Name")}<input name="name" required maxlength="255" autofocus></label><label class="f">${t("Description")}<input name="description" maxlength="255" required></label><label class="f">${t("VPC")}<select name="router">${routers.map((r) => html`<option value=${r.id}>${nameOf(r)}</option>`)}</select></label>`,
		read: (form) => {
			const body = {name: form.get("name"), description: form.get("description"), router: form.get("router")};
			return {...body, router: routers.find((r) => r.id === body.router), body};
		},
		send: async ({body}) => { await make("security-groups", body); }});
}

function drop(chosen) {
	showCommand("security-groups.delete", {ids: chosen});
	ask({title: chosen.length === 1 ? t("Delete {name}?", {name: nameOf(chosen[0])}) : t("Delete {n} groups?", {n: chosen.length}), danger: true, label: t("Delete"), body: () => html`<p>${t("Their rules are deleted too. A group with members cannot be deleted.")}</p>`,
		submit: () => report(t("{n} groups deleted", {n: chosen.length}), () => post("/security-groups/delete", {ids: chosen.map((g) => g.id)})).then(() => false)});
}

const list = resourcePage({
	name: "security-groups", kind: "security-groups", kinds: ["security-group-rules", "ports", "routers"], alsoNeeds: ["instances"], verb: "security-groups", command: "security-groups.list", title: () => t("Security groups"),
	search: (g) => [g.description, refName("routers", g.router)], keys: {vpc: (g) => refName("routers", g.router)},
	columns: [
		{key: "name", title: () => t("Name"), width: "24%", sort: nameOf},
		{key: "rules", title: () => t("Inbound rules"), width: "32%", sort: (g) => rulesOf(g, "ingress").length, text: (g) => rulesOf(g, "ingress").slice(0, 3).map(ruleWords).join(", ") || t("no inbound rules")},
		{key: "members", title: () => t("Members"), num: true, width: "12%", sort: (g) => membersOf(g).length, text: (g) => number(membersOf(g).length)},
		{key: "vpc", title: () => t("VPC"), wide: true, width: "22%", text: (g) => refName("routers", g.router)},
	],
	actions: [{id: "delete", title: () => t("Delete"), may: (g) => !g.is_default, run: drop, danger: true, hidden: () => !mayAll("security_group.delete")}],
	oneActions: [{id: "update", title: () => t("Name and description…"), run: change, hidden: () => !mayAll("security_group.update")}],
	lead: () => html`<a class="b" href=${href("security-groups", "", {show: "matrix"})}>${t("Security group matrix")}</a>${mayAll("security_group.create") ? html`<button type="button" class="b1" @click=${create}>${t("Create security group")}</button>` : nothing}`,
	empty: () => emptyCard(t("No security groups"), t("A security group is a firewall for its members: inbound and outbound rules. Each VPC comes with a default group."), html`<a class="b b1" href=${href("networks")}>${t("Go to VPCs")}</a>${mayAll("security_group.create") && rows("routers").length ? html` <button type="button" @click=${create}>${t("Create security group")}</button>` : nothing}`),
	facts: (g) => pairs([[t("Description"), g.description], [t("VPC"), g.router ? refLink("routers", g.router, "networks") : ""], [t("Created"), when(g.created_us)], ["EC2", g.ec2 ? copyable(g.ec2) : ""], ["OpenStack", copyable(g.id)]]),
	more: (g) => {
		const members = membersOf(g);
		return html`${ruleTable(g, "ingress")}${ruleTable(g, "egress")}<div class="card"><h2>${t("{n} members", {n: members.length})}</h2>${members.length ? html`<p>${members.slice(0, 30).map((m, k) => html`${k ? ", " : ""}<a href=${href("instances", shortId(m))}>${nameOf(m)}</a>`)}</p>` : nothing}</div>`;
	},
});

export function view(place) {
	if (place.id || place.query.get("show") !== "matrix")
		return list(place);
	for (const kind of ["security-groups", "security-group-rules", "routers"])
		need(kind);
	offerCommand("security-groups.list", {});
	return matrixView();
}

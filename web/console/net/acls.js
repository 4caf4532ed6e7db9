// SPDX-License-Identifier: Apache-2.0
// Network ACLs: entries in their order, and associated subnets.
import {html, nothing, nameOf, shortId, pairs, copyable, when, ask, report, mark} from "../parts.js";
import {rows, row} from "../store.js";
import {go, href} from "../router.js";
import {t, list as words} from "../words.js";
import {post, remove} from "../api.js";
import {showCommand} from "../command_bar.js";
import {askFor, applyAll, make} from "../forms.js";
import {mayAll} from "../may.js";
import {of, subnetsOf, routerOf, link, protocolOf, portsOf, portsOfForm, PORTS_PATTERN, button, cross} from "./parts.js";

const entriesOf = (acl, egress) => rows("network-acl-entries").filter((e) => e.acl === acl.id && Boolean(e.egress) === egress).toSorted((a, b) => a.number - b.number);
const usersOf = (acl) => subnetsOf(routerOf(acl)).filter((s) => s.acl === acl.id);
const label = (acl) => `${nameOf(acl)}${acl.is_default ? ` (${t("default")})` : ""}`;

function addEntry(acl, egress) {
	const last = entriesOf(acl, egress).at(-1)?.number ?? 0, next = Math.min(32766, Math.floor(last / 10) * 10 + 10);
	askFor({title: egress ? t("Add outbound rule to {name}", {name: nameOf(acl)}) : t("Add inbound rule to {name}", {name: nameOf(acl)}), label: t("Add"), verb: "acl-entries.add",
		fields: () => html`<div class="grid2"><label class="f">${t("Rule number")}<input name="number" type="number" min="1" max="32766" value=${next} required autofocus></label>
			<label class="f">${t("Action")}<select name="allows"><option value="yes">${t("allow")}</option><option value="no">${t("deny")}</option></select></label>
			<label class="f">${t("Protocol")}<select name="protocol"><option>tcp</option><option>udp</option><option>icmp</option><option value="any">${t("all traffic")}</option></select></label>
			<label class="f">${t("Port range (22, or 8000-8100)")}<input name="ports" inputmode="numeric" value="443" pattern=${PORTS_PATTERN}></label></div>
			<label class="f">${egress ? t("Destination") : t("Source")}<input name="block" class="m" value="0.0.0.0/0" required></label>
			<p class="hint">${t("Stateless: return traffic needs its own rule.")}</p>`,
		read: (form) => {
			const protocol = form.get("protocol"), block = form.get("block").trim(), number = Number(form.get("number")), allows = form.get("allows") === "yes", match = portsOfForm(protocol, form.get("ports"));
			return {acl, egress, number, allows, protocol, from: match.from_port, to: match.to_port, block, body: {acl: acl.id, ...(egress ? {egress} : {}), number, allows, ...match, block}};
		},
		send: async ({body}) => { await make("network-acl-entries", body); }});
}

function dropEntry(acl, e) {
	showCommand("acl-entries.remove", {ids: [e], acl});
	return report(t("Rule {n} removed", {n: e.number}), () => remove(`/network-acl-entries/${e.id}`));
}

function entryTable(acl, egress) {
	const mayDrop = mayAll("network_acl.delete_entry");
	return html`<div class="card"><div class="head"><h2>${egress ? t("Outbound rules") : t("Inbound rules")}</h2><span class="sp"></span>${button(mayAll("network_acl.create_entry"), t("Add rule"), () => addEntry(acl, egress))}</div>
		<table class="simple"><thead><tr><th scope="col">${t("Rule number")}</th><th scope="col">${t("Traffic")}</th><th scope="col">${egress ? t("Destination") : t("Source")}</th><th scope="col">${t("Action")}</th><th scope="col"><span class="sr">${t("Remove")}</span></th></tr></thead>
		<tbody>${entriesOf(acl, egress).map((e) => html`<tr><td class="num">${e.number}</td><td>${protocolOf(e)} <span class="m">${portsOf(e)}</span></td><td class="m">${(e.blocks ?? []).join(", ")}</td><td>${e.allows ? mark("ok", t("allow")) : mark("bad", t("deny"))}</td>
			<td class="n">${cross(mayDrop, t("Remove rule {n}", {n: e.number}), () => dropEntry(acl, e))}</td></tr>`)}
		<tr><td>*</td><td>${t("all traffic")}</td><td></td><td>${mark("bad", t("deny"))}</td><td></td></tr></tbody></table></div>`;
}

async function use({subnet, acl}) {
	applyAll("subnets", await post(`/network-acls/${acl.id}/associate`, {subnet: subnet.id}));
}

/** Chooses the ACL of a subnet. */
export function chooseAcl(subnet) {
	const acls = of("network-acls", routerOf(subnet)).filter((a) => a.id !== subnet.acl);
	askFor({title: t("Network ACL of {name}", {name: nameOf(subnet)}), label: acls.length ? t("Associate") : null, verb: "network-acls.associate",
		fields: () => (acls.length ? html`<label class="f">${t("Network ACL")}<select name="acl" autofocus>${acls.map((a) => html`<option value=${a.id}>${label(a)}</option>`)}</select></label>` : html`<p>${t("This VPC has no other network ACL.")}</p>`),
		read: (form) => ({subnet, acl: acls.find((a) => a.id === form.get("acl")) ?? row("network-acls", subnet.acl)}), send: use});
}

function assign(acl) {
	const others = subnetsOf(routerOf(acl)).filter((s) => s.acl !== acl.id);
	askFor({title: t("Associate a subnet with {name}", {name: nameOf(acl)}), label: others.length ? t("Associate") : null, verb: "network-acls.associate",
		fields: () => (others.length ? html`<label class="f">${t("Subnet")}<select name="subnet" autofocus>${others.map((s) => html`<option value=${s.id}>${nameOf(s)} ${s.block}</option>`)}</select></label>` : html`<p>${t("All subnets already use it.")}</p>`),
		read: (form) => ({subnet: others.find((s) => s.id === form.get("subnet")) ?? {}, acl}), send: use});
}

export function newAcl(router) {
	askFor({title: t("Create network ACL"), label: t("Create"), verb: "network-acls.create",
		fields: () => html`<label class="f">${t("Name")}<input name="name" maxlength="255" autofocus></label><p class="hint">${t("A new network ACL denies all traffic until you add rules.")}</p>`,
		read: (form) => ({router, name: form.get("name"), body: {router: router.id, ...(form.get("name") ? {tags: {Name: form.get("name")}} : {})}}),
		send: async ({body}) => go(href("networks", shortId(await make("network-acls", body))))});
}

function drop(acl) {
	const users = usersOf(acl);
	showCommand("network-acls.delete", {ids: [acl]});
	ask({title: t("Delete {name}?", {name: nameOf(acl)}), danger: true, label: users.length ? null : t("Delete"),
		body: () => html`<p>${users.length ? t("Still in use by {names}.", {names: words(users.map(nameOf))}) : t("Its rules are deleted too.")}</p>`,
		submit: async () => {
			await remove(`/network-acls/${acl.id}`);
			go(href("networks", shortId(routerOf(acl))));
		}});
}

export function aclsCard(router) {
	return html`<div class="card"><div class="head"><h2>${t("Network ACLs")}</h2><span class="sp"></span>${button(mayAll("network_acl.create"), t("Create network ACL"), () => newAcl(router))}</div>
		<ul class="plainlist">${of("network-acls", router).map((a) => html`<li>${link(a)}${a.is_default ? html` <span class="dim">${t("default")}</span>` : nothing} · ${usersOf(a).length ? html`<span class="dim">${t("Used by")}</span> ${usersOf(a).map((s, k) => html`${k ? ", " : nothing}${link(s)}`)}` : html`<span class="dim">${t("No subnets.")}</span>`}</li>`)}</ul></div>`;
}

export function aclPage(acl) {
	const router = routerOf(acl), users = usersOf(acl);
	return html`<div class="head"><h1>${nameOf(acl)}</h1><span class="dim">${t("Network ACL")}${acl.is_default ? html`, ${t("default")}` : nothing}</span></div>
		<div class="bar" role="toolbar" aria-label=${t("Actions")}>${button(mayAll("network_acl.associate"), t("Associate subnet"), () => assign(acl))}${button(mayAll("network_acl.delete") && !acl.is_default, t("Delete"), () => drop(acl), "danger-text")}</div>
		<div class="half">${entryTable(acl, false)}${entryTable(acl, true)}</div>
		<div class="half"><div class="card"><h2>${t("Used by")}</h2>${users.length ? html`<ul class="plainlist">${users.map((s) => html`<li>${link(s)} <span class="m">${s.block}</span></li>`)}</ul>` : html`<p class="dim">${t("No subnets.")}</p>`}</div>
		<div class="card"><h2>${t("Details")}</h2>${pairs([[t("VPC"), router ? link(router) : ""], [t("Created"), when(acl.created_us)], ["EC2", copyable(shortId(acl))], ["OpenStack", copyable(acl.id)]])}</div></div>`;
}

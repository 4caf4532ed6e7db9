// SPDX-License-Identifier: Apache-2.0
// Security groups: who may reach what. The rules of a group in words, one a line, and who is in the group.
import {html, nothing, nameOf, oneByOne, shortId, refName, refLink, pairs, copyable, when, emptyCard, ask, report} from "../parts.js";
import {resourcePage} from "../resource.js";
import {rows, applyRow} from "../store.js";
import {href} from "../router.js";
import {t, number} from "../words.js";
import {post, remove, intent} from "../api.js";
import {showCommand} from "../command_bar.js";
import {mayChange} from "../session.js";

const PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6"};
const NUMBERS = {icmp: 1, tcp: 6, udp: 17};
const SERVICES = [["SSH", "tcp", 22], ["HTTP", "tcp", 80], ["HTTPS", "tcp", 443], ["RDP", "tcp", 3389], ["PostgreSQL", "tcp", 5432], ["MySQL", "tcp", 3306]];

export function protocolOf(rule) {
	return rule.protocol === undefined || rule.protocol < 0 ? t("everything") : PROTOCOLS[rule.protocol] ?? String(rule.protocol);
}

export function portsOf(rule) {
	if (![6, 17].includes(rule.protocol) || rule.from_port === undefined || rule.from_port < 0)
		return "";
	return rule.from_port === rule.to_port ? String(rule.from_port) : `${rule.from_port}–${rule.to_port}`;
}

export function peerOf(rule) {
	if (rule.peer_group)
		return html`${t("members of")} ${refLink("security-groups", rule.peer_group)}`;
	return rule.peer_block === "0.0.0.0/0" || rule.peer_block === "::/0" ? t("anywhere ({block})", {block: rule.peer_block}) : rule.peer_block ?? t("anywhere");
}

const rulesOf = (g, direction) => rows("security-group-rules").filter((r) => r.group === g.id && r.direction === direction).toSorted((a, b) => (a.from_port ?? -1) - (b.from_port ?? -1));
const membersOf = (g) => [...new Set(rows("ports").filter((p) => p.groups?.includes(g.id) && p.instance).map((p) => p.instance))].map((id) => rows("instances").find((i) => i.id === id)).filter((i) => i && i.state !== "terminated");

function addRule(g, direction) {
	ask({title: direction === "ingress" ? t("Who else may reach {name}?", {name: nameOf(g)}) : t("What else may {name} reach?", {name: nameOf(g)}), label: t("Allow"),
		body: () => html`<div class="bar">${SERVICES.map(([word, protocol, port]) => html`<button type="button" class="chip" @click=${(e) => { const f = e.target.closest("form"); f.protocol.value = protocol; f.ports.value = port; }}>${word}</button>`)}</div>
			<div class="grid2"><label class="f">${t("Protocol")}<select name="protocol"><option>tcp</option><option>udp</option><option>icmp</option><option value="any">${t("everything")}</option></select></label><label class="f">${t("Ports (22, or 8000-8100)")}<input name="ports" inputmode="numeric" value="22" pattern="\\d{1,5}(-\\d{1,5})?"></label>
			<label class="f">${direction === "ingress" ? t("From") : t("To")}<input name="block" class="m" value="0.0.0.0/0" required></label><label class="f">${t("What is it for?")}<input name="description" maxlength="255"></label></div>`,
		submit: async (form) => {
			const protocol = form.get("protocol"), ports = ["tcp", "udp"].includes(protocol) ? form.get("ports") : "", [from, to] = ports.split("-").map(Number);
			const body = {group: g.id, ...(protocol === "any" ? {} : {protocol: NUMBERS[protocol]}), ...(ports ? {from_port: from, to_port: to ?? from} : {}), peer_block: form.get("block").trim(), ...(form.get("description") ? {description: form.get("description")} : {})};
			showCommand("rules.add", {group: g, direction, protocol, ports, block: body.peer_block, body});
			const answer = await post(`/security-group-rules/${direction}`, body, {"Idempotency-Key": intent()});
			for (const row of answer.items ?? [])
				applyRow("security-group-rules", row);
		}});
}

function dropRule(g, rule) {
	showCommand("rules.remove", {ids: [rule], group: g});
	return report(t("The rule is gone"), () => oneByOne([{...rule, name: shortId(rule)}], (r) => remove(`/security-group-rules/${r.id}/${r.direction}`)));
}

function ruleTable(g, direction) {
	const found = rulesOf(g, direction);
	return html`<div class="card"><div class="head"><h2>${direction === "ingress" ? t("May reach it") : t("It may reach")}</h2><span class="sp"></span>${mayChange() ? html`<button type="button" @click=${() => addRule(g, direction)}>${t("Add a rule")}</button>` : nothing}</div>
		${found.length ? html`<table class="simple"><thead><tr><th scope="col">${t("What")}</th><th scope="col">${direction === "ingress" ? t("From") : t("To")}</th><th scope="col"><span class="sr">${t("Remove")}</span></th></tr></thead><tbody>${found.map((r) => html`<tr><td>${protocolOf(r)} <span class="m">${portsOf(r)}</span>${r.description ? html`<div class="dim">${r.description}</div>` : nothing}</td><td class="m">${peerOf(r)}</td><td class="n">${mayChange() ? html`<button type="button" class="plain danger-text" aria-label=${t("Remove the rule for {what}", {what: `${protocolOf(r)} ${portsOf(r)}`})} @click=${() => dropRule(g, r)}>×</button>` : nothing}</td></tr>`)}</tbody></table>` : html`<p class="dim">${direction === "ingress" ? t("Nobody from outside.") : t("Nothing.")}</p>`}</div>`;
}

function create() {
	ask({title: t("A new security group"), label: t("Create"),
		body: () => html`<label class="f">${t("Name")}<input name="name" required maxlength="255" autofocus></label><label class="f">${t("What is it for?")}<input name="description" maxlength="255" required></label><label class="f">${t("VPC")}<select name="router">${rows("routers").map((r) => html`<option value=${r.id}>${nameOf(r)}</option>`)}</select></label>`,
		submit: async (form) => {
			const body = {name: form.get("name"), description: form.get("description"), router: form.get("router")};
			showCommand("security-groups.create", {...body, router: rows("routers").find((r) => r.id === body.router), body});
			const answer = await post("/security-groups", body, {"Idempotency-Key": intent()});
			for (const row of answer.items ?? [])
				applyRow("security-groups", row);
		}});
}

function drop(chosen) {
	showCommand("security-groups.delete", {ids: chosen});
	ask({title: chosen.length === 1 ? t("Delete {name}?", {name: nameOf(chosen[0])}) : t("Delete {n} groups?", {n: chosen.length}), danger: true, label: t("Delete"), body: () => html`<p>${t("Their rules go with them. A group that somebody is in stays.")}</p>`,
		submit: () => report(t("{n} groups are gone", {n: chosen.length}), () => post("/security-groups/delete", {ids: chosen.map((g) => g.id)})).then(() => false)});
}

export const view = resourcePage({
	name: "security-groups", kind: "security-groups", kinds: ["security-group-rules", "ports", "routers"], alsoNeeds: ["instances"], verb: "security-groups", command: "security-groups.list", title: () => t("Security groups"),
	search: (g) => [g.description, refName("routers", g.router)], keys: {vpc: (g) => refName("routers", g.router)},
	columns: [
		{key: "name", title: () => t("Name"), width: "26%", sort: nameOf},
		{key: "rules", title: () => t("Who may reach it"), width: "34%", sort: (g) => rulesOf(g, "ingress").length, text: (g) => rulesOf(g, "ingress").slice(0, 3).map((r) => `${protocolOf(r)} ${portsOf(r)}`.trim()).join(", ") || t("nobody from outside")},
		{key: "members", title: () => t("Members"), num: true, width: "12%", sort: (g) => membersOf(g).length, text: (g) => number(membersOf(g).length)},
		{key: "vpc", title: () => t("VPC"), wide: true, text: (g) => refName("routers", g.router)},
	],
	actions: [{id: "delete", title: () => t("Delete"), may: (g) => !g.is_default, run: drop, danger: true}],
	lead: () => html`<button type="button" class="b1" @click=${create}>${t("New group")}</button>`,
	empty: () => emptyCard(t("No security group yet"), t("A group says who may reach its members. Each VPC has one of its own from the start."), html`<a class="b b1" href=${href("networks")}>${t("To the networks")}</a>`),
	facts: (g) => pairs([[t("What for"), g.description], [t("VPC"), g.router ? refLink("routers", g.router, "networks") : ""], [t("Made"), when(g.created_us)], ["EC2", g.ec2 ? copyable(g.ec2) : ""], ["OpenStack", copyable(g.id)]]),
	more: (g) => {
		const members = membersOf(g);
		return html`${ruleTable(g, "ingress")}${ruleTable(g, "egress")}<div class="card"><h2>${t("{n} members", {n: members.length})}</h2>${members.length ? html`<p>${members.slice(0, 30).map((m, k) => html`${k ? ", " : ""}<a href=${href("instances", shortId(m))}>${nameOf(m)}</a>`)}</p>` : nothing}</div>`;
	},
});

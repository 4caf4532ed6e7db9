// SPDX-License-Identifier: Apache-2.0
// Reachability Analyzer: two ends, a protocol and a port; the path step by step, for the packet and its answer, the row that stops it, and the rule
// that would allow it. The address contains the question. The server answers again when a row on the path changes.
import {html, nothing, nameOf, shortId, mark, problemCard, ask as askUser, waiting} from "../parts.js";
import {rows, need, touch, applyRow, findRow} from "../store.js";
import {href, here, say} from "../router.js";
import {t, language} from "../words.js";
import {get, post, intent} from "../api.js";
import {offerCommand, showCommand} from "../command_bar.js";
import {mayChange} from "../session.js";

const KINDS = ["instances", "ports", "security-groups", "security-group-rules", "subnets", "routers", "routes", "route-tables", "network-acls", "network-acl-entries", "gateways", "nat-gateways", "peerings", "addresses"];
const OFFERED_MAX = 300, AGAIN_MS = 300;
const PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6"};
const STAGES = {
	state: () => t("State"), source: () => t("Source"), policy: () => t("Policy"), group: () => t("Security group"), firewall: () => t("Firewall"), acl: () => t("Network ACL"), link: () => t("Subnet"),
	route: () => t("Route"), translation: () => t("Address"), nat: () => t("NAT gateway"), peering: () => t("Peering"), balancer: () => t("Load balancer"), guest: () => t("Instance"), outside: () => t("External network"), platform: () => t("Platform"),
};
const TONES = {passes: "ok", stops: "bad", unknown: "go"};
const WORDS = {passes: () => t("allowed"), stops: () => t("blocked"), unknown: () => t("unknown")};
const PAGES = {instance: ["instances", "instances"], subnet: ["subnets", "networks"], router: ["routers", "networks"], security_group: ["security-groups", "security-groups"], address: ["addresses", "addresses"]};

let asked = {path: "", version: -1, answer: null, problem: null};

/** The request's path; empty while an input is missing. */
function pathOf(q) {
	const needsPort = q.protocol === "tcp" || q.protocol === "udp";
	if (!q.from || !q.to || (needsPort && !q.port))
		return "";
	const words = new URLSearchParams({from: q.from, to: q.to, protocol: q.protocol, ...(needsPort ? {port: q.port} : {})});
	return `/reach?${words}`;
}

function fetchAnswer(path) {
	const version = KINDS.reduce((sum, kind) => sum + need(kind).version, 0);
	if (!path || (asked.path === path && asked.version === version))
		return;
	const isNew = asked.path !== path, mine = {path, version, answer: isNew ? null : asked.answer, problem: isNew ? null : asked.problem};
	asked = mine;
	const send = () => asked === mine && get(path).then((answer) => Object.assign(mine, {answer, problem: null}), (problem) => Object.assign(mine, {answer: null, problem})).then(touch);
	setTimeout(send, isNew ? 0 : AGAIN_MS);
}

/** Converts input for the server: an id, an address, or a machine's name. */
function placeOf(text) {
	const word = text.trim();
	if (!word || word === t("the internet"))
		return word ? "internet" : "";
	const named = rows("instances").find((i) => nameOf(i) === word && i.state !== "terminated");
	return named && !findRow("instances", word) ? shortId(named) : word;
}

function placeName(text) {
	const row = findRow("instances", text);
	return row ? nameOf(row) : text === "internet" ? t("the internet") : text;
}

/** The value is not live(): a repaint while somebody types must not put the old text back. */
function placeField(name, label, value) {
	const found = findRow("instances", value), isKnown = !value || found || value === "internet" || /^[\da-f.:]+$/i.test(value);
	return html`<label class="f"><span>${label}${found && nameOf(found) !== value ? html` <span class="dim">${nameOf(found)}</span>` : nothing}</span><input name=${name} list="places" autocomplete="off" spellcheck="false" maxlength="128" .value=${value} placeholder=${t("Instance, address or internet")} @change=${(e) => say({[name]: placeOf(e.target.value)}, {push: true})}>${isKnown ? nothing : html`<span class="bad" role="alert">${t("No instance is called {name}.", {name: value})}</span>`}</label>`;
}

function form(q) {
	const machines = rows("instances").filter((i) => i.state !== "terminated").toSorted((a, b) => nameOf(a).localeCompare(nameOf(b)));
	const hasPort = q.protocol === "tcp" || q.protocol === "udp";
	return html`<form class="card" @submit=${(e) => e.preventDefault()}><div class="grid4">${placeField("from", t("Source"), q.from)}${placeField("to", t("Destination"), q.to)}
		<label class="f">${t("Protocol")}<select name="protocol" @change=${(e) => say({protocol: e.target.value}, {push: true})}>${["tcp", "udp", "icmp"].map((p) => html`<option ?selected=${p === q.protocol}>${p}</option>`)}</select></label>
		<label class="f">${t("Port")}<input name="port" type="number" min="1" max="65535" ?disabled=${!hasPort} .value=${hasPort ? q.port : ""} @change=${(e) => say({port: e.target.value}, {push: true})}></label></div>
		<datalist id="places"><option value="internet">${t("the internet")}</option>${machines.slice(0, OFFERED_MAX).map((i) => html`<option value=${shortId(i)}>${nameOf(i)}</option>`)}</datalist>
		<div class="bar"><button type="button" @click=${() => say({from: q.to, to: q.from}, {push: true})}>⇄ ${t("Swap source and destination")}</button></div></form>`;
}

/** Adds the missing rule. From the internet it allows everybody, otherwise one address; the user can change either. */
function addRule(remedy, q) {
	const group = findRow("security-groups", remedy.group), isIn = remedy.direction === "ingress", isV6 = remedy.peer_block.includes(":");
	const other = isIn ? q.from : q.to, block = other === "internet" ? (isV6 ? "::/0" : "0.0.0.0/0") : remedy.peer_block;
	const protocol = PROTOCOLS[remedy.protocol] ?? String(remedy.protocol), hasPorts = protocol === "tcp" || protocol === "udp", ports = hasPorts ? String(remedy.from_port) : "";
	const key = intent();
	const bodyOf = (peer) => ({group: remedy.group, protocol: remedy.protocol, ...(hasPorts ? {from_port: remedy.from_port, to_port: remedy.to_port} : {}), peer_block: peer});
	const show = (peer) => showCommand("rules.add", {group: group ?? {id: remedy.group}, direction: remedy.direction, protocol, ports, block: peer, body: bodyOf(peer)});
	show(block);
	askUser({title: isIn ? t("Add inbound rule to {name}", {name: nameOf(group)}) : t("Add outbound rule to {name}", {name: nameOf(group)}), label: t("Allow"),
		body: () => html`<p><span class="m">${protocol} ${ports}</span></p><label class="f">${isIn ? t("Source") : t("Destination")}<input name="block" class="m" autofocus required value=${block}></label>`,
		submit: async (data) => {
			const peer = data.get("block").trim();
			show(peer);
			const answer = await post(`/security-group-rules/${remedy.direction}`, bodyOf(peer), {"Idempotency-Key": key});
			for (const row of answer.items ?? [])
				applyRow("security-group-rules", row);
		}});
}

/** Page of the deciding row, or of its parent. */
function rowLink(step) {
	for (const [kind, id] of [[step.kind, step.id], [step.part_of, step.whole]]) {
		const [name, page] = PAGES[kind] ?? [], row = name && findRow(name, id);
		if (row)
			return html` <a href=${href(page, shortId(row))}>${nameOf(row)}</a>`;
	}
	return nothing;
}

function stepView(step, decides, q) {
	return html`<li class=${decides ? "decides" : ""}>${mark(TONES[step.verdict], html`<strong>${STAGES[step.stage]?.() ?? step.stage}</strong> ${WORDS[step.verdict]()}`)}${rowLink(step)}
		<div class="dim" lang=${language === "en" ? nothing : "en"}>${step.is_hidden ? t("You do not have permission to see what decides here.") : step.text}</div>
		${decides && step.advice ? html`<p lang=${language === "en" ? nothing : "en"}>${step.is_hidden ? t("Ask the owner of this resource.") : step.advice}</p>` : nothing}
		${decides && step.remedy && mayChange() ? html`<button type="button" class="b1" @click=${() => addRule(step.remedy, q)}>${t("Add this rule")}</button>` : nothing}</li>`;
}

function answerView(answer, q) {
	const words = {from: placeName(q.from), to: placeName(q.to)}, numbered = answer.steps.map((step, k) => ({step, k}));
	const verdict = answer.reaches === "yes" ? mark("ok", t("Reachable: {from} → {to}", words)) : answer.reaches === "no" ? mark("bad", t("Not reachable: {from} → {to}", words)) : mark("go", t("Undetermined: an instance on the path decides whether {from} reaches {to}", words));
	const list = (title, of) => (of.length ? html`<h3>${title}</h3><ol class="path">${of.map(({step, k}) => stepView(step, k === answer.decides, q))}</ol>` : nothing);
	return html`<div class="card ${answer.reaches === "no" ? "why" : ""}"><h2 class="verdict" role="status">${verdict}</h2><p class="dim m">${answer.from?.ip ?? ""} → ${answer.to?.ip ?? "?"}</p>
		${list(t("Forward path"), numbered.filter(({step}) => !step.is_reply))}${list(t("Return path"), numbered.filter(({step}) => step.is_reply))}</div>`;
}

export function view() {
	for (const kind of KINDS)
		need(kind);
	const word = (name) => here.query.get(name) ?? "";
	const protocol = ["tcp", "udp", "icmp"].includes(word("protocol")) ? word("protocol") : "tcp";
	const q = {from: word("from"), to: word("to"), protocol, port: here.query.has("port") ? word("port") : "443"};
	const path = pathOf(q);
	offerCommand(path ? "networks.reach" : "networks.list", q);
	fetchAnswer(path);
	const isAsked = path && asked.path === path;
	return html`<div class="head"><h1>${t("Reachability Analyzer")}</h1></div>${form(q)}${!path ? html`<p class="dim">${t("Choose a source and a destination: an instance, an IP address, or the internet. Security groups, route tables and network ACLs are evaluated in both directions.")}</p>`
		: isAsked && asked.problem ? problemCard(asked.problem) : isAsked && asked.answer ? answerView(asked.answer, q) : waiting()}`;
}

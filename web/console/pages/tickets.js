// SPDX-License-Identifier: Apache-2.0
// Support tickets, and one of them as a timeline of both sides. The operator sees all tickets, and private notes that customers do not see.
import {repeat} from "../vendor/lit-html/directives/repeat.js";
import {html, nothing, nameOf, shortId, refName, pairs, copyable, when, mark, emptyCard, problemCard, report, note, waiting, ask} from "../parts.js";
import {resourcePage} from "../resource.js";
import {need, row as byId, touch, applyRow} from "../store.js";
import {href} from "../router.js";
import {t, size, since} from "../words.js";
import {get, post, patch, intent} from "../api.js";
import {showCommand} from "../command_bar.js";
import {mayChange, isOperator, session} from "../session.js";
import {saveFile} from "../save_file.js";
import {openTicket, attach, checkFiles, options, SEVERITIES, SUBJECTS} from "../ticket_actions.js";

const OVER = new Set(["resolved", "closed", "rejected", "cancelled"]);
const TONES = {new: "go", working: "go", waiting: "bad", held: "go"};
const isOpen = (r) => !OVER.has(r.state);
const isOthers = (r) => r.account !== session.account?.id;
/** "held" alone would be the word for a guest's memory */
const stateWord = (state) => (state === "held" ? t("waiting for vendor") : t(state));
/** A ticket that waits for the customer is highlighted for the customer only. */
const stateMark = (r) => mark(OVER.has(r.state) ? "off" : r.state === "waiting" && isOthers(r) ? "off" : TONES[r.state] ?? "off", r.state === "waiting" ? (isOthers(r) ? t("waiting for customer") : t("waiting for your reply")) : stateWord(r.state));
const severity = (r) => t(r.severity);
const about = (r) => SUBJECTS.find(([word]) => word === r.about)?.[1]() ?? r.about;

// ---- messages: fetched for the open ticket, and again when it has changed ----

let said = {id: "", batch: 0, messages: null, files: null, row: null, problem: null};

function fetchSaid(r) {
	if (said.id === r.id && said.batch >= r.batch)
		return;
	const mine = {...(said.id === r.id ? said : {messages: null, files: null, row: null}), id: r.id, batch: r.batch, problem: null};
	said = mine;
	const all = isOperator() ? "&all=1" : "";
	const list = (kind, fields) => get(`/${kind}?ticket=${r.id}&fields=${fields}&order=created&limit=1000${all}`).then((a) => a.items);
	Promise.all([list("ticket-messages", "*"), list("ticket-attachments", "*"), isOperator() ? get(`/tickets/${r.id}`).then((a) => a.item) : null])
		.then(([messages, files, row]) => Object.assign(mine, {messages, files, row}), (problem) => Object.assign(mine, {problem, batch: 0})).finally(touch);
}

async function download(file) {
	const answer = await report(t("Download complete"), () => get(`/ticket-attachments/${file.id}/content`, {byUser: true}));
	if (!answer)
		return;
	saveFile(answer.name, Uint8Array.from(atob(answer.data), (c) => c.charCodeAt(0)), "application/octet-stream");
}

const fileButton = (f) => html`<button type="button" class="chip" @click=${() => download(f)}>${f.name} <span class="dim">${size(f.size)}</span>${f.is_private || f.is_of_region ? html` <span class="dim">${t("operators only")}</span>` : nothing}</button>`;
const SIDES = {customer: "ours", operator: "theirs", desk: "theirs", system: "between"};
const WHO = {customer: () => t("customer"), operator: () => t("support"), desk: () => t("vendor support"), system: () => t("region")};

function messageView(m, files) {
	return html`<li class="msg ${SIDES[m.said_by] ?? ""} ${m.is_private ? "private" : ""}"><div class="head"><strong>${m.author}</strong><span class="dim">${WHO[m.said_by]?.() ?? m.said_by}</span>${m.is_private ? mark("off", t("internal note")) : nothing}<span class="sp"></span>${when(m.created_us)}</div>
		<div class="said">${m.redacted_us ? html`<em class="dim">${m.body}</em>` : m.body}</div>${files.length ? html`<div class="bar">${files.map(fileButton)}</div>` : nothing}${isOperator() && mayChange() && !m.redacted_us ? html`<button type="button" class="plain" @click=${() => redact(m)}>${t("Redact…")}</button>` : nothing}</li>`;
}

function timeline(r) {
	fetchSaid(r);
	if (said.problem && !said.messages)
		return problemCard(said.problem);
	if (said.id !== r.id || !said.messages)
		return waiting();
	const known = new Set(said.messages.map((m) => m.id)), loose = said.files.filter((f) => !known.has(f.message));
	const lines = [...said.messages.map((m) => ({at: m.created_us, id: m.id, view: () => messageView(m, said.files.filter((f) => f.message === m.id))})),
		...loose.map((f) => ({at: f.created_us, id: f.id, view: () => html`<li class="msg between"><div class="head">${fileButton(f)}<span class="sp"></span>${when(f.created_us)}</div></li>`}))].sort((a, b) => a.at - b.at);
	return html`<ol class="talk">${repeat(lines, (l) => l.id, (l) => l.view())}</ol>`;
}

// ---- actions ----

const run = (r, verb, words) => () => {
	showCommand(`tickets.${verb}`, {ids: [r]});
	return report(words, () => post(`/tickets/${r.id}/${verb}`, {})).then((a) => applyRow("tickets", a?.items?.[0]));
};

function redact(m) {
	ask({title: t("Redact this message?"), danger: true, label: t("Redact"), body: () => html`<p>${t("Deletes the text here for everybody. Copies already sent to other support desks remain there.")}</p>`,
		submit: async () => { await post(`/ticket-messages/${m.id}/redact`, {}); said = {...said, batch: 0}; }});
}

let sending = "";
async function reply(event, r) {
	event.preventDefault();
	const form = event.target, data = new FormData(form), body = data.get("body").trim(), files = data.getAll("files").filter((f) => f.name), isPrivate = data.get("private") === "on";
	if (sending || (!body && !files.length))
		return;
	sending = r.id;
	touch();
	try {
		checkFiles(files);
		if (body) {
			showCommand("tickets.say", {ids: [r], body, isPrivate});
			const answer = await post(`/tickets/${r.id}/say`, {body, ...(isPrivate ? {is_private: true} : {})}, {"Idempotency-Key": intent()});
			form.elements.body.value = "";
			if (answer.items?.[0] && answer.items[0].ticket !== r.id)
				note(t("The ticket was closed. A follow-up ticket was created."));
		}
		await attach(r, files, isPrivate);
		form.reset();
	} catch (problem) {
		note(problem.message, "bad");
	}
	sending = "";
	touch();
}

function replyForm(r) {
	if (!mayChange())
		return nothing;
	return html`${repeat([r.id], (id) => id, () => html`<form class="card" @submit=${(e) => reply(e, r)}><label class="f">${t("Reply")}<textarea name="body" rows="4" maxlength="60000"></textarea></label>
		<label class="f">${t("Attachments (up to 700 KiB each)")}<input type="file" name="files" multiple></label>
		${isOperator() ? html`<label class="check"><input type="checkbox" name="private"> ${t("Internal note (hidden from customers and vendors)")}</label>` : nothing}
		<div class="bar end"><button class="b1" ?disabled=${sending === r.id}>${t("Send")}</button>${OVER.has(r.state) ? html`<span class="hint">${r.state === "resolved" ? t("A reply reopens this ticket.") : t("A reply opens a follow-up ticket.")}</span>` : nothing}</div></form>`)}`;
}

function rate(r, event) {
	const wanted = event.target.value;
	showCommand("tickets.rate", {ids: [r], severity: wanted});
	return report(t("Severity changed"), () => patch(`/tickets/${r.id}`, {severity: wanted})).then((a) => applyRow("tickets", a?.items?.[0]));
}

function work(r, event) {
	const state = event.target.value;
	if (!state)
		return;
	showCommand("tickets.work", {ids: [r], state});
	report(t("Status changed"), () => post(`/tickets/${r.id}/work`, {state})).then((a) => applyRow("tickets", a?.items?.[0]));
	event.target.value = "";
}

function resourceLink(id) {
	const kind = {i: "instances", vol: "volumes", snap: "snapshots", ami: "images", sg: "security-groups", eipalloc: "addresses"}[id.split("-")[0]];
	return kind ? html`<a href=${href(kind, id)}>${id}</a>` : html`<span class="m">${id}</span>`;
}

function desksView(r) {
	return (r.desks ?? []).map((d) => html`<div>${d.name ?? ""} <span class="dim">${d.role === "vendor" ? t("vendor") : t("operator")}${d.number ? `, ${d.number}` : ""}</span> ${mark(d.is_ended ? "off" : d.problem ? "bad" : OVER.has(d.state) ? "off" : "go", d.is_ended ? t("ended") : stateWord(d.state))}${d.problem ? html`<div class="dim">${d.problem}</div>` : nothing}</div>`);
}

function facts(r) {
	const more = said.id === r.id ? said.row : null;
	return html`${pairs([[t("State"), stateMark(r)],
		[t("Severity"), mayChange() && isOpen(r) ? html`<select aria-label=${t("Severity")} @change=${(e) => rate(r, e)}>${options(SEVERITIES.map(([word]) => [word, () => t(word)]), r.severity)}</select>` : severity(r)],
		[t("Category"), about(r)], [t("Ticket number"), r.number], [t("Account"), isOperator() ? refName("accounts", r.account) : ""],
		[t("Affected resources"), r.resources?.length ? r.resources.map((id) => html`<div>${resourceLink(id)}</div>`) : ""], [t("Product"), r.product],
		[t("Support desks"), r.desks?.length ? desksView(r) : ""], [t("Routing"), more?.route],
		[t("Follow-up of"), r.follows ? html`<a href=${href("tickets", shortId(byId("tickets", r.follows)) || r.follows)}>${nameOf(byId("tickets", r.follows)) || r.follows}</a>` : ""],
		[t("Opened"), when(r.created_us)], [t("Last state change"), when(r.state_us)], ["EC2", copyable(r.ec2)]])}
		${isOperator() && mayChange() && isOpen(r) && !r.desks?.length ? html`<label class="f">${t("Status")}<select @change=${(e) => work(r, e)}><option value=""></option>${options([["new", () => t("new")], ["working", () => t("working")], ["waiting", () => t("waiting for customer")], ["held", () => t("waiting for vendor")], ["resolved", () => t("resolved")], ["rejected", () => t("rejected")]], "")}</select></label>` : nothing}`;
}

/** Actions of one ticket, for the bar above it. */
const VERBS = [
	{id: "resolve", title: () => t("Resolve"), may: isOpen, run: ([r]) => run(r, "resolve", t("Ticket resolved"))()},
	{id: "reopen", title: () => t("Reopen"), may: (r) => r.state === "resolved" || r.state === "rejected", run: ([r]) => run(r, "reopen", t("Ticket reopened"))()},
	{id: "close", title: () => t("Close"), may: (r) => isOpen(r) || r.state === "resolved", run: ([r]) => run(r, "close", t("Ticket closed"))()},
	{id: "cancel", title: () => t("Withdraw"), may: isOpen, run: ([r]) => run(r, "cancel", t("Ticket withdrawn"))()},
];

const page = resourcePage({
	name: "tickets", kind: "tickets", verb: "tickets", command: "tickets.list", title: () => t("Tickets"), sort: "-opened", oneActions: VERBS, detail: false, state: stateMark,
	search: (r) => [r.subject, String(r.number), ...(r.resources ?? [])], keys: {state: (r) => r.state, severity: (r) => r.severity, about: (r) => r.about, open: (r) => (isOpen(r) ? "yes" : "no"), account: (r) => refName("accounts", r.account)},
	columns: [
		{key: "name", title: () => t("Subject"), width: "38%", sort: nameOf},
		{key: "state", title: () => t("State"), width: "22%", text: (r) => r.state, cell: stateMark},
		{key: "severity", title: () => t("Severity"), wide: true, width: "13%", sort: (r) => SEVERITIES.findIndex(([word]) => word === r.severity), text: severity},
		{key: "account", title: () => t("Account"), wide: true, width: "14%", isFor: isOperator, text: (r) => refName("accounts", r.account)},
		{key: "opened", title: () => t("Opened"), num: true, sort: (r) => r.created_us, text: (r) => t("{age} ago", {age: since(r.created_us)})},
	],
	chips: [{title: () => t("all"), query: ""}, {title: () => t("open"), query: "open:yes"}, {title: () => t("waiting"), query: "state:waiting"}, {title: () => t("new"), query: "state:new"}],
	lead: () => (mayChange() ? html`<button type="button" class="b1" @click=${() => openTicket()}>${t("Create ticket")}</button>` : nothing),
	empty: () => emptyCard(t("No tickets"), t("A ticket asks the operator for support. Replies from the product’s vendor appear in the same conversation."),
		mayChange() ? html`<button type="button" class="b1" @click=${() => openTicket()}>${t("Create ticket")}</button>` : nothing),
	body: (r) => html`<div class="two"><section aria-label=${t("Conversation")}><h2>${t("Conversation")}</h2>${timeline(r)}${replyForm(r)}</section><div class="card"><h2>${t("Details")}</h2>${facts(r)}</div></div>`,
});

export function view(here) {
	if (isOperator())
		need("accounts");
	return page(here);
}

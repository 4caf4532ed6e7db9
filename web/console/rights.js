// SPDX-License-Identifier: Apache-2.0
// Shared code of the pages of users, groups, roles and policies: a principal's policies, attaching and detaching, the document editor, and the
// display of decisions.
import {html, nothing, nameOf, mark, ask, report, copyable} from "./parts.js";
import {rows, findRow, touch, reload} from "./store.js";
import {href} from "./router.js";
import {t} from "./words.js";
import {get, post} from "./api.js";
import {session} from "./session.js";
import {showCommand} from "./command_bar.js";

/** Managers of the account may create users and policies. */
export const manages = () => session.rights?.some((r) => r === "manager" || r === "admin");

/** For users who cannot manage the account: explains why there are no buttons. */
export const whyNoButtons = () => (manages() ? nothing : html`<p class="hint">${t("You have read-only access here. Managing users, roles and policies requires the manager role in this account; switch accounts in the user menu.")}</p>`);

// ---- policies ----

let ofAws = null; // AWS's managed policies, which are not rows
export function awsPolicies() {
	if (ofAws === null) {
		ofAws = [];
		get("/aws-policies").then((answer) => { ofAws = answer.items; touch(); }, () => { ofAws = null; });
	}
	return ofAws;
}

export const isManaged = (p) => !p.user && !p.user_group && !p.iam_role;
export const policyOf = (id) => findRow("policies", id) ?? awsPolicies().find((p) => p.id === id);
export const arnOf = (p) => `arn:aws:iam::${awsPolicies().includes(p) ? "aws" : session.account?.number}:policy${p.path ?? "/"}${p.name}`;
/** Document of the default version. */
export const documentOf = (p) => p.document ?? rows("policy-versions").find((v) => v.policy === p.id && v.number === p.default_version)?.document ?? "";

/** field: user, user_group or iam_role; path: users … */
export const HOLDERS = {user: {path: "users", page: "people", word: () => t("User")}, user_group: {path: "user-groups", page: "user-groups", word: () => t("User group")}, iam_role: {path: "iam-roles", page: "roles", word: () => t("Role")}};

async function give(field, holder, form) {
	await post(`/${HOLDERS[field].path}/${holder.id}/attach-policy`, {policy: form.get("policy")});
	await reload("policy-attachments");
}

function attach(field, holder) {
	const there = new Set(rows("policy-attachments").filter((a) => a[field] === holder.id).map((a) => a.policy));
	const choices = [...rows("policies").filter(isManaged), ...awsPolicies()].filter((p) => !there.has(p.id));
	const preview = (id) => showCommand(`policies.attach-${field.replaceAll("_", "-")}`, {ids: [holder], policy: policyOf(id)});
	ask({title: t("Attach policy to {name}", {name: nameOf(holder)}), label: t("Attach"),
		body: () => html`<label class="f">${t("Policy")}<select name="policy" autofocus @change=${(e) => preview(e.target.value)}>${choices.map((p) => html`<option value=${p.id}>${p.name}${awsPolicies().includes(p) ? " (AWS)" : ""}</option>`)}</select></label>`,
		submit: (form) => give(field, holder, form)});
	if (choices.length)
		preview(choices[0].id);
}

function take(field, holder, p) {
	showCommand(`policies.detach-${field.replaceAll("_", "-")}`, {ids: [holder], policy: p});
	ask({title: t("Detach {policy} from {name}?", {policy: p.name, name: nameOf(holder)}), danger: true, label: t("Detach"), body: () => html`<p>${t("Actions that only this policy allows are denied from now on.")}</p>`,
		submit: () => report(t("Policy detached"), () => post(`/${HOLDERS[field].path}/${holder.id}/detach-policy`, {policy: p.id})).then(() => reload("policy-attachments")).then(() => false)});
}

/** Policies of a user, a group or a role, as a card. */
export function policiesCard(field, holder) {
	const attached = rows("policy-attachments").filter((a) => a[field] === holder.id).map((a) => ({a, p: policyOf(a.policy)})).filter(({p}) => p);
	const inline = rows("policies").filter((p) => p[field] === holder.id);
	return html`<div class="card"><h2>${t("Policies")}</h2>${attached.length + inline.length ? html`<ul class="plainlist">
		${attached.map(({a, p}) => html`<li>${awsPolicies().includes(p) ? html`${p.name} <span class="dim">AWS</span>` : html`<a href=${href("policies", p.id)}>${p.name}</a>`} ${a.is_boundary ? mark("go", t("permissions boundary")) : manages() ? html`<button type="button" class="plain danger-text" aria-label=${t("Detach {name}", {name: p.name})} @click=${() => take(field, holder, p)}>${t("Detach")}</button>` : nothing}</li>`)}
		${inline.map((p) => html`<li><a href=${href("policies", p.id)}>${p.name}</a> <span class="dim">${t("inline")}</span></li>`)}</ul>` : html`<p class="dim">${t("No policies attached. Role assignments define the permissions.")}</p>`}
		<div class="bar">${manages() ? html`<button type="button" @click=${() => attach(field, holder)}>${t("Attach policy")}…</button>` : nothing}<a class="b" href=${href("who-may", "", {[field]: holder.id})}>${t("Permissions")}</a></div></div>`;
}

// ---- the editor ----

/** Converts line and column, from 1 on, to an offset in a text. */
function offsetOf(text, line, column) {
	const lines = text.split("\n");
	return lines.slice(0, line - 1).reduce((sum, l) => sum + l.length + 1, 0) + Math.min(column - 1, lines[line - 1]?.length ?? 0);
}

/** An editor for a document that the server checks while it is typed: trial(text) sends a dry run. */
export function documentEditor(name, text, trial) {
	const state = {text, problem: null, isFine: false, timer: 0, sent: 0};
	const field = () => document.querySelector(`dialog textarea[name=${name}]`);
	async function check() {
		const mine = ++state.sent;
		const problem = await trial(state.text).then(() => null, (p) => p);
		if (mine !== state.sent)
			return;
		state.problem = problem;
		state.isFine = !problem;
		touch();
	}
	const goThere = ({line, column, end_line: endLine, end_column: endColumn}) => {
		const from = offsetOf(state.text, line, column), to = offsetOf(state.text, endLine, endColumn);
		const skipped = state.text.slice(from, to).match(/^[\s,]*/)[0].length;
		field()?.focus();
		field()?.setSelectionRange(from + skipped, Math.max(to, from + skipped + 1));
	};
	const said = () => {
		const place = state.problem?.body?.place;
		if (!state.problem)
			return state.isFine ? mark("ok", t("Valid")) : nothing;
		return html`<span class="bad"><span aria-hidden="true">▲</span> <span lang="en">${state.problem.message}</span></span> ${place ? html`<button type="button" class="plain" @click=${() => goThere(place)}>${place.end_line > place.line ? t("Lines {from} to {to}", {from: place.line, to: place.end_line}) : t("Line {n}, column {column}", {n: place.line, column: place.column})}</button>` : nothing}`;
	};
	return () => html`<label class="f">${t("Document")}<textarea name=${name} rows="14" spellcheck="false" required maxlength="131072" .value=${state.text} aria-describedby="said-of-it" @input=${(e) => {
		state.text = e.target.value;
		clearTimeout(state.timer);
		state.timer = setTimeout(check, 300);
	}}></textarea></label><p id="said-of-it" role="status">${said()}</p>`;
}

export const EMPTY_POLICY = JSON.stringify({Version: "2012-10-17", Statement: [{Effect: "Allow", Action: ["ec2:Describe*"], Resource: "*"}]}, null, 2);
export const EMPTY_TRUST = JSON.stringify({Version: "2012-10-17", Statement: [{Effect: "Allow", Principal: {Service: "ec2.amazonaws.com"}, Action: "sts:AssumeRole"}]}, null, 2);

// ---- decisions ----

export function decisionMark(d) {
	return d.decision === "allowed" ? mark("ok", t("allowed")) : d.decision === "explicitDeny" ? mark("bad", t("denied (explicit)")) : mark("off", t("denied (implicit)"));
}

/** The reason: the policy and its statement, or the role. */
export function whyOf(d) {
	if (d.by === "owner")
		return t("account owner");
	if (d.by === "role" && d.decision === "allowed")
		return t("role assignment");
	if (d.by === "boundary")
		return html`${t("permissions boundary")} ${d.policy_name ?? ""}`;
	if (!d.policy_name)
		return html`<span class="dim">–</span>`;
	const s = d.statement;
	return html`${d.policy && findRow("policies", d.policy) ? html`<a href=${href("policies", d.policy)}>${d.policy_name}</a>` : d.policy_name}${s ? html`, ${s.sid ? html`<span class="m">${s.sid}</span>, ` : nothing}${s.end_line > s.line ? t("Lines {from} to {to}", {from: s.line, to: s.end_line}) : t("Line {n}, column {column}", {n: s.line, column: s.column})}` : nothing}${d.missing_keys?.length ? html`<br><span class="dim">${t("missing context keys:")} ${d.missing_keys.join(", ")}</span>` : nothing}`;
}

export const arnFact = (p) => copyable(arnOf(p));

// SPDX-License-Identifier: Apache-2.0
// Policy simulator: for every user of the account, or for all rights of one: the decision, and the deciding statement. Nothing is executed; the
// server uses the evaluator of real calls.
import {html, nothing, nameOf, problemCard, waiting} from "../parts.js";
import {rows, need, touch, findRow, isReady} from "../store.js";
import {here, say, href} from "../router.js";
import {t} from "../words.js";
import {get} from "../api.js";
import {session} from "../session.js";
import {offerCommand} from "../command_bar.js";
import {HOLDERS, decisionMark, whyOf, awsPolicies} from "../rights.js";

const COMMON = ["ec2:RunInstances", "ec2:TerminateInstances", "ec2:StopInstances", "ec2:CreateVpc", "ec2:AuthorizeSecurityGroupIngress", "ec2:CreateVolume", "ec2:DeleteSnapshot", "iam:CreateUser", "iam:AttachUserPolicy", "iam:CreateAccessKey"];
let asked = "", answer = null, problem = null;

function look(path, version) {
	if (asked === path + version)
		return;
	asked = path + version;
	const mine = asked;
	get(path).then((said) => [said, null], (p) => [null, p]).then(([said, failed]) => {
		if (mine !== asked)
			return;
		answer = said;
		problem = failed;
		touch();
	});
}

function whoOf(d) {
	const field = Object.keys(HOLDERS).find((f) => d[f]);
	return html`<a href=${href(HOLDERS[field].page, d[field])}>${d.name}</a> <span class="dim">${HOLDERS[field].word()}</span>`;
}

function table(items, isOfOne) {
	return html`<div class="scroll" tabindex="0" role="region" aria-label=${t("Decisions")}><table class="simple"><thead><tr><th scope="col">${isOfOne ? t("Action") : t("Principal")}</th><th scope="col">${t("Decision")}</th><th scope="col">${t("Reason")}</th></tr></thead><tbody>
		${items.map((d) => html`<tr><td>${isOfOne ? html`<span class="m">${d.action}</span>` : whoOf(d)}</td><td>${decisionMark(d)}</td><td>${whyOf(d)}</td></tr>`)}</tbody></table></div>`;
}

const arnOf = (field, row) => `arn:aws:iam::${session.account?.number}:${{user: "user", user_group: "group", iam_role: "role"}[field]}${row.path || "/"}${row.name}`;

export function view() {
	for (const k of ["users", "user-groups", "iam-roles", "policies", "policy-versions", "policy-attachments", "group-members"])
		need(k);
	awsPolicies();
	const field = Object.keys(HOLDERS).find((f) => here.query.get(f)), holder = field ? findRow(HOLDERS[field].path, here.query.get(field)) : null;
	const action = here.query.get("action") || (field ? COMMON.join(",") : "ec2:RunInstances"), resource = here.query.get("resource") ?? "";
	const query = new URLSearchParams({action, ...(resource ? {resource} : {}), ...(field ? {[field]: here.query.get(field)} : {})});
	const version = ["policies", "policy-versions", "policy-attachments", "group-members", "users", "iam-roles"].map((k) => need(k).version).join();
	if (isReady("users", "policies", "policy-attachments"))
		look(`/${field ? "simulate" : "who-may"}?${query}`, version);
	offerCommand("rights.simulate", {arn: holder ? arnOf(field, holder) : "", actions: action.split(","), resource, query: String(query), isOfOne: Boolean(field)});
	const choices = Object.entries(HOLDERS).flatMap(([f, {path, word}]) => rows(path).filter((r) => !r.is_owner).map((r) => ({value: `${f} ${r.id}`, title: `${nameOf(r)} (${word()})`})));
	return html`<h1>${t("Policy simulator")}</h1><p class="hint">${t("Evaluates policies and role assignments without performing the action. Conditions on attributes of a single resource, such as tags, are not evaluated.")}</p>
		<form class="card" @submit=${(e) => {
			e.preventDefault();
			const form = new FormData(e.target), [f, id] = (form.get("who") || " ").split(" ");
			say({action: form.get("action").trim(), resource: form.get("resource").trim(), user: "", user_group: "", iam_role: "", ...(f ? {[f]: id} : {})});
		}}><div class="half"><label class="f">${t("Action (several, separated by commas, for a single user)")}<input name="action" list="common-actions" spellcheck="false" maxlength="2048" .value=${here.query.get("action") ?? (field ? "" : action)}></label>
		<label class="f">${t("Principal")}<select name="who" @change=${(e) => e.target.form.requestSubmit()}><option value="">${t("all users of the account")}</option>${choices.map((c) => html`<option value=${c.value} ?selected=${c.value === `${field} ${here.query.get(field)}`}>${c.title}</option>`)}</select></label>
		<label class="f">${t("Resource ARN (empty: *)")}<input name="resource" spellcheck="false" maxlength="2048" .value=${resource}></label></div>
		<datalist id="common-actions">${COMMON.map((a) => html`<option value=${a}></option>`)}</datalist><button class="b1">${t("Simulate")}</button></form>
		${problemCard(problem, t("Not evaluated"))}${answer ? html`<div class="card"><h2>${holder ? t("Permissions of {name}", {name: nameOf(holder)}) : action}</h2>${table(answer.items, Boolean(field))}${answer.is_cut ? html`<p class="hint">${t("Only the first 200 users are evaluated.")}</p>` : nothing}</div>` : problem ? nothing : waiting()}`;
}

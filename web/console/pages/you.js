// SPDX-License-Identifier: Apache-2.0
// Who is signed in, until when, and what they show besides a password. An authenticator's secret and its recovery codes are on the
// screen once: they are kept nowhere in the page.
import {html, nothing, ask, report, pairs, copy, copyable, when, mark, waiting, problemCard, emptyCard} from "../parts.js";
import {touch} from "../store.js";
import {t} from "../words.js";
import {get, post, remove} from "../api.js";
import {session, isOperator} from "../session.js";
import {canUsePasskeys, makePasskey} from "../passkey.js";

let factors = null, problem = null, isAsked = false;

async function look() {
	isAsked = true;
	try {
		factors = (await get("/second-factors")).items;
		problem = null;
	} catch (p) {
		problem = p;
	}
	touch();
}

const inFours = (secret) => secret.match(/.{1,4}/g).join(" ");

/** First the secret, then a code that proves it, then the recovery codes: three steps of one dialog. */
async function addAuthenticator() {
	const made = await report(t("The authenticator is made"), () => post("/second-factors/totp", {}));
	if (!made)
		return;
	ask({title: t("An authenticator"), label: t("Confirm"),
		body: () => html`<p>${t("Type this secret into an authenticator on your telephone, or open the link there. It is shown this once.")}</p>
			<p>${copyable(inFours(made.secret))}</p><p><a href=${made.uri}>${t("Open in an authenticator")}</a></p>
			<label class="f">${t("The six digits that it shows now")}<input name="code" inputmode="numeric" autocomplete="one-time-code" pattern="[0-9 ]{6,7}" required autofocus></label>`,
		submit: async (form) => {
			const answer = await post(`/second-factors/${made.item.id}/confirm`, {code: form.get("code").replaceAll(" ", "")});
			look();
			showRecovery(answer.recovery);
			return true;
		}});
}

function showRecovery(codes) {
	ask({title: t("Recovery codes"), label: null, keeps: true,
		body: () => html`<p>${t("Each lets you in once when the authenticator is lost. Print them, or keep them where you keep passwords: they are not shown again.")}</p>
			<div class="block"><pre tabindex="0" aria-label=${t("Recovery codes")}>${codes.join("\n")}</pre><button type="button" @click=${() => copy(codes.join("\n"))}>${t("Copy")}</button></div>`});
}

/** The browser asks for it: there is nothing to type. */
async function addPasskey() {
	await report(t("The passkey is made"), async () => {
		const question = await get("/second-factors/passkey", {byUser: true});
		const made = await makePasskey(question).catch((cause) => {
			throw {message: cause.name === "InvalidStateError" ? t("This authenticator has a passkey of yours already.") : t("No passkey was made. Try again.")};
		});
		return post("/second-factors/passkey", {...made, name: t("Passkey")});
	});
	look();
}

function drop(f) {
	ask({title: t("Delete {name}?", {name: f.name}), danger: true, label: t("Delete"),
		body: () => html`<p>${t("Without another one your password alone lets you in then.")}</p>`,
		submit: () => remove(`/second-factors/${f.id}`).then(look).then(() => false)});
}

const line = (f) => html`<tr><td>${f.name}${f.host ? html` <span class="hint">${f.host}</span>` : nothing}</td><td>${f.confirmed ? mark("ok", t("asked for")) : mark("go", t("not confirmed"))}</td><td>${f.confirmed && f.type === "totp" ? t("{n} recovery codes left", {n: f.recovery_left}) : nothing}</td><td>${when(f.used_us)}</td>
	<td><button type="button" class="danger-text" @click=${() => drop(f)}>${t("Delete")}…</button></td></tr>`;

export function view() {
	if (!isAsked)
		look();
	const add = html`<button type="button" class="b1" @click=${addAuthenticator}>${t("Add an authenticator")}</button>
		${canUsePasskeys() ? html`<button type="button" @click=${addPasskey}>${t("Add a passkey")}</button>` : html`<span class="hint">${t("A passkey needs https and a host’s name: at a bare address there is none.")}</span>`}`;
	return html`<h1>${t("You")}</h1>
		<div class="card"><h2>${t("This session")}</h2>${pairs([[t("User"), session.user?.name], [t("Account"), session.account?.name], [t("Rights"), isOperator() ? t("administrator of the region") : (session.rights ?? []).join(", ")],
			[t("Signed in"), when(session.begun_us)], [t("Ends at the latest"), when(session.ends_us)]])}</div>
		${problemCard(problem)}
		${!factors ? (problem ? nothing : waiting()) : factors.length ? html`<div class="card"><div class="head"><h2>${t("Second factors")}</h2><span class="sp"></span>${add}</div>
			<div class="scroll" tabindex="0" role="region" aria-label=${t("Second factors")}><table class="simple"><thead><tr><th scope="col">${t("Name")}</th><th scope="col">${t("State")}</th><th scope="col">${t("Recovery")}</th><th scope="col">${t("Last used")}</th><th scope="col"><span class="sr">${t("Delete")}</span></th></tr></thead><tbody>${factors.map(line)}</tbody></table></div></div>`
		: emptyCard(t("No second factor"), t("An authenticator shows six digits that are good for half a minute. A passkey is a key in your telephone, computer or a token, which also lets you in alone. Who has your password alone does not get in here then. Access keys, and passwords in OpenStack’s API, are asked for none."), add)}`;
}

// SPDX-License-Identifier: Apache-2.0
// The signed-in user, the session's end, and second factors. An authenticator's secret and its recovery codes are shown once: the page does not store
// them.
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

/** Three steps of one dialog: the secret, then a code that confirms it, then the recovery codes. */
async function addAuthenticator() {
	const made = await report(t("Authenticator app added"), () => post("/second-factors/totp", {}));
	if (!made)
		return;
	ask({title: t("Authenticator app"), label: t("Confirm"),
		body: () => html`<p>${t("Enter this secret in the authenticator app on your phone, or open the link there. It is shown only once.")}</p>
			<p>${copyable(inFours(made.secret))}</p><p><a href=${made.uri}>${t("Open in authenticator app")}</a></p>
			<label class="f">${t("Six-digit code")}<input name="code" inputmode="numeric" autocomplete="one-time-code" pattern="[0-9 ]{6,7}" required autofocus></label>`,
		submit: async (form) => {
			const answer = await post(`/second-factors/${made.item.id}/confirm`, {code: form.get("code").replaceAll(" ", "")});
			look();
			showRecovery(answer.recovery);
			return true;
		}});
}

function showRecovery(codes) {
	ask({title: t("Recovery codes"), label: null, keeps: true,
		body: () => html`<p>${t("Each code signs you in once if the authenticator app is lost. Save them in a safe place: they are not shown again.")}</p>
			<div class="block"><pre tabindex="0" aria-label=${t("Recovery codes")}>${codes.join("\n")}</pre><button type="button" @click=${() => copy(codes.join("\n"))}>${t("Copy")}</button></div>`});
}

/** The browser shows its own dialog, so there is nothing to type. */
async function addPasskey() {
	await report(t("Passkey added"), async () => {
		const question = await get("/second-factors/passkey", {byUser: true});
		const made = await makePasskey(question).catch((cause) => {
			throw {message: cause.name === "InvalidStateError" ? t("This device already has a passkey of yours.") : t("The passkey was not created. Try again.")};
		});
		return post("/second-factors/passkey", {...made, name: t("Passkey")});
	});
	look();
}

function drop(f) {
	ask({title: t("Delete {name}?", {name: f.name}), danger: true, label: t("Delete"),
		body: () => html`<p>${t("Without another MFA device you sign in with your password alone.")}</p>`,
		submit: () => remove(`/second-factors/${f.id}`).then(look).then(() => false)});
}

const line = (f) => html`<tr><td>${f.name}${f.host ? html` <span class="hint">${f.host}</span>` : nothing}</td><td>${f.confirmed ? mark("ok", t("enabled")) : mark("go", t("pending confirmation"))}</td><td>${f.confirmed && f.type === "totp" ? t("{n} recovery codes left", {n: f.recovery_left}) : nothing}</td><td>${when(f.used_us)}</td>
	<td><button type="button" class="danger-text" @click=${() => drop(f)}>${t("Delete")}…</button></td></tr>`;

export function view() {
	if (!isAsked)
		look();
	const add = html`<button type="button" class="b1" @click=${addAuthenticator}>${t("Set up authenticator app")}</button>
		${canUsePasskeys() ? html`<button type="button" @click=${addPasskey}>${t("Add passkey")}</button>` : html`<p class="hint">${t("Passkeys require HTTPS and a host name. They do not work at an IP address.")}</p>`}`;
	return html`<h1>${t("My account")}</h1>
		<div class="card"><h2>${t("Session")}</h2>${pairs([[t("User"), session.user?.name], [t("Account"), session.account?.name], [t("Role assignments"), isOperator() ? t("region administrator") : (session.rights ?? []).join(", ")],
			[t("Signed in at"), when(session.begun_us)], [t("Expires"), when(session.ends_us)]])}</div>
		${problemCard(problem)}
		${!factors ? (problem ? nothing : waiting()) : factors.length ? html`<div class="card"><div class="head"><h2>${t("Multi-factor authentication (MFA)")}</h2><span class="sp"></span>${add}</div>
			<div class="scroll" tabindex="0" role="region" aria-label=${t("Multi-factor authentication (MFA)")}><table class="simple"><thead><tr><th scope="col">${t("Name")}</th><th scope="col">${t("State")}</th><th scope="col">${t("Recovery")}</th><th scope="col">${t("Last used")}</th><th scope="col"><span class="sr">${t("Delete")}</span></th></tr></thead><tbody>${factors.map(line)}</tbody></table></div></div>`
		: emptyCard(t("No MFA device"), t("Multi-factor authentication protects console sign-in: an authenticator app shows a six-digit code, a passkey lives on your phone, computer or security key. Access keys and passwords in the OpenStack API are not covered."), add)}`;
}

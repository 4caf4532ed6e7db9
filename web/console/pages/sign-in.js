// SPDX-License-Identifier: Apache-2.0
// Signing in: by a password, an access key, a passkey, an identity provider, or a link from `dari console`. A code or a passkey is requested
// only after the right password. The fields are ordinary ones, which the browser may fill in; the page stores nothing that was typed.
import {html, nothing, problemCard} from "../parts.js";
import {session} from "../session.js";
import {touch} from "../store.js";
import {t, speak, keep, language, languages} from "../words.js";
import {get, BASE} from "../api.js";
import {say} from "../router.js";
import {canUsePasskeys, usePasskey} from "../passkey.js";

let providers = null, refusesPasswords = false; // identity providers and password setting of the domain that was typed

async function look(domain = "") {
	providers ??= [];
	const said = await get(`/session/ways${domain ? `?domain=${encodeURIComponent(domain)}` : ""}`).catch(() => ({items: []}));
	providers = said.items;
	refusesPasswords = said.passwords === "refused";
	touch();
}

/** Problem to show for the error word with which the server redirects here after a failed sign-in at a provider. */
function wentWrong(word) {
	const words = {
		"state": () => t("The sign-in expired, was already used, or was started in another browser. Try again."),
		"provider": () => t("The identity provider does not respond. Try again in a minute, or sign in with a password."),
		"refused": () => t("The identity provider denied the sign-in. Try again, or ask its administrator."),
		"token": () => t("The identity provider’s response could not be verified. Ask an administrator of the region to check its settings."),
		"user": () => t("No enabled user here is linked to your identity. Ask an administrator of the region."),
		"gone": () => t("This identity provider is no longer enabled. Choose another sign-in method."),
		"address": () => t("This identity provider works only under the console’s own address. Ask an administrator of the region for it."),
		"busy": () => t("Too many sign-in attempts. Try again in a minute."),
	};
	const [, protocol, why] = word?.match(/^(oidc|saml)-(.*)$/) ?? [];
	return protocol ? {message: (words[why] ?? (() => t("Sign-in with the identity provider failed. Try again.")))()} : null;
}

// asked: the typed values and the requested second factor, once the password was right; null before
let way = "password", problem = null, isBusy = false, asked = null;

/** Asks the authenticator. Replaces the browser's own error, which does not say what to do. */
const askPasskey = (question, how) => usePasskey(question, how).catch(() => {
	throw {message: t("No passkey was used. Try again, or choose another way.")};
});

async function attempt(work) {
	if (isBusy)
		return;
	isBusy = true;
	problem = null;
	touch();
	try {
		await work();
		if (session.state === "in") {
			asked = session.invitation = null;
			say({problem: ""});
		}
	} catch (p) {
		problem = p;
	}
	isBusy = false;
	touch();
}

async function enter(proof) {
	await session.enter(proof).catch((p) => {
		const need = p.body?.need;
		if (!need || asked?.need === need)
			throw p;
		asked = {proof, need, passkey: canUsePasskeys() ? p.body.passkey : null, words: p.message};
		requestAnimationFrame(() => requestAnimationFrame(() => document.querySelector("input[name=totp], input[name=new_password], button.passkey")?.focus()));
	});
}

function submit(event) {
	event.preventDefault();
	const form = Object.fromEntries(new FormData(event.target));
	const {invitation} = session;
	if (form.new_password !== form.repeated) {
		problem = {message: t("The two passwords are not the same.")};
		touch();
		return;
	}
	if (invitation && !asked)
		attempt(() => enter({user: invitation.user, domain: invitation.account, password: invitation.password, new_password: form.new_password}).catch((p) => {
			throw p.status === 401 ? {message: t("This invitation was used already, or replaced by another one. Ask for a new link.")} : p;
		}));
	else
		attempt(() => enter(asked?.need === "password" ? {...asked.proof, new_password: form.new_password} : asked ? {...asked.proof, totp: form.totp.replaceAll(" ", "")} : way === "password"
		? {user: form.user, password: form.password, ...(form.domain ? {domain: form.domain} : {})} : {access_key: form.access_key.trim(), secret: form.secret.trim()}));
}

/** Each challenge works once: after a failed try the password is requested again. */
const useSecond = () => attempt(async () => {
	const {proof, passkey} = asked;
	try {
		await enter({...proof, ...await askPasskey(passkey)});
	} catch (p) {
		if (p.status)
			asked = null;
		throw p;
	}
});

const useAlone = () => attempt(async () => enter(await askPasskey(await get("/session/passkey"), {isAlone: true})));

const newPassword = () => html`<label class="f">${t("New password")}<input name="new_password" type="password" autocomplete="new-password" required autofocus></label>
	<label class="f">${t("New password again")}<input name="repeated" type="password" autocomplete="new-password" required></label>`;

function fields() {
	if (asked?.need === "totp")
		return html`<p>${t("Enter the six-digit code of your authenticator app, or a recovery code.")}</p>
			<label class="f">${t("MFA code")}<input name="totp" inputmode="numeric" autocomplete="one-time-code" required autofocus></label>`;
	if (asked?.need === "password")
		return html`<p>${t("Your password has expired, or must be changed at the first sign-in. Choose a new one.")}</p>
			${newPassword()}`;
	if (asked)
		return html`<p>${asked.passkey ? t("Now use your passkey.") : t("Your passkey is required, but does not work at this address. Open the console by the host name where you created it.")}</p>`;
	if (session.invitation)
		return html`<p>${t("Choose a password for {name} in account {account}.", {name: session.invitation.user, account: session.invitation.account})}</p>
			<input type="hidden" name="user" autocomplete="username" .value=${session.invitation.user}>${newPassword()}
			<p><button type="button" class="plain" @click=${() => { session.invitation = null; problem = null; touch(); }}>${t("Sign in as another user")}</button></p>`;
	if (way === "key")
		return html`<label class="f">${t("Access key ID")}<input name="access_key" autocomplete="username" spellcheck="false" required></label>
			<label class="f">${t("Secret access key")}<input name="secret" type="password" autocomplete="current-password" required></label>`;
	return html`<label class="f">${t("User")}<input name="user" autocomplete="username" spellcheck="false" required autofocus></label>
		<label class="f">${t("Password")}<input name="password" type="password" autocomplete="current-password" required></label>
		${refusesPasswords ? html`<p class="hint">${t("This domain refuses passwords. Use an identity provider, an access key or a passkey.")}</p>` : nothing}<details><summary class="hint">${t("Domain (if not Default), or account")}</summary><label class="f">${t("Domain, account ID or account alias")}<input name="domain" autocomplete="organization" spellcheck="false" @change=${(e) => look(e.target.value.trim())}></label></details>`;
}

export function view(here) {
	if (!providers)
		look();
	const isOpenWire = location.protocol === "http:" && !["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
	const tab = (name, words) => html`<button type="button" class="chip" aria-pressed=${way === name ? "true" : "false"} @click=${() => { way = name; asked = null; problem = null; touch(); }}>${words}</button>`;
	return html`<div class="sign"><h1><b lang="ko">다리</b> Dari</h1>
		${isOpenWire ? html`<div class="card why"><h2><span aria-hidden="true">▲</span> ${t("Sign-in requires HTTPS")}</h2><p>${t("This page was opened over unencrypted HTTP. Use HTTPS, or localhost.")}</p></div>` : html`
		${session.invitation ? nothing : html`<div class="tabs" role="group" aria-label=${t("How to sign in")}>${tab("password", t("Password"))}${tab("key", t("Access key"))}</div>`}
		${problemCard(problem ?? (session.problem?.status ? session.problem : wentWrong(here.query.get("problem"))), t("Sign-in failed"))}
		<form class="card" @submit=${submit}>${fields()}${asked?.need === "passkey" ? nothing : html`<button class="b1" ?disabled=${isBusy}>${t("Sign in")}</button>`}
			${asked?.passkey ? html`<button type="button" class="b1 passkey" ?disabled=${isBusy} @click=${useSecond}>${t("Use your passkey")}</button>` : nothing}</form>
		${asked || session.invitation ? nothing : html`<div class="ways">${canUsePasskeys() ? html`<button type="button" ?disabled=${isBusy} @click=${useAlone}>${t("Sign in with a passkey")}</button>` : nothing}${(providers ?? []).map((p) => html`<a class="b" href=${`${BASE}/session/${p.protocol}/${p.id}`}>${t("Sign in with {name}", {name: p.name})}</a>`)}</div>`}
		<p class="hint">${t("Run `dari console` on the server for a one-time sign-in link.")}</p>`}
		<p>${Object.entries(languages()).filter(([code]) => code !== language).map(([code, name]) => html`<button type="button" class="plain" lang=${code} @click=${() => { keep("dari.language", code); speak(code); }}>${name}</button>`)}</p>${nothing}</div>`;
}

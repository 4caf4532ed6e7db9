// SPDX-License-Identifier: Apache-2.0
// Identity providers by which people of a domain sign in, for operators: a card of the page of domains. OpenID Connect and SAML. A client's secret goes
// to the server and is never shown again. A user of a domain that lacks a linked identity is linked here by hand.
import {html, nothing, nameOf, refName, ask, note, report, copyable, problemCard} from "./parts.js";
import {byName} from "./forms.js";
import {rows, reload, touch} from "./store.js";
import {t} from "./words.js";
import {get, post, put, remove} from "./api.js";
import {showCommand} from "./command_bar.js";

let providers = null, problem = null, isAsked = false;

const listOf = (kind, protocol) => get(`/${kind}?fields=*&all=1`).then((answer) => answer.items.map((p) => ({...p, kind, protocol})));

function look() {
	isAsked = true;
	return Promise.all([listOf("oidc-providers", "oidc"), listOf("saml-providers", "saml")]).then((both) => { [providers, problem] = [both.flat(), null]; }, (why) => { problem = why; }).then(touch);
}

const titleOf = (p) => (p.protocol === "saml" ? p.entity_id : `https://${p.url}`);
const placeOf = (p) => `${location.origin}/api/v1/session/${p.protocol}/${p.id}/${p.protocol === "saml" ? "metadata" : "callback"}`;
const lines = (form, name) => form.get(name).split("\n").map((l) => l.trim()).filter(Boolean);
const given = (form, ...names) => Object.fromEntries(names.map((n) => [n, form.get(n)?.trim()]).filter(([, v]) => v));
const common = (form) => ({name: form.get("name").trim(), domain: form.get("domain"), makes_users: form.get("makes") === "on", ...(lines(form, "groups").length ? {groups: lines(form, "groups")} : {})});
const read = (form) => ({client_id: form.get("client").trim(), ...common(form), ...given(form, "scopes", "group_claim"), ...(form.get("secret") ? {client_secret: form.get("secret")} : {})});
const readSaml = (form) => ({...common(form), provider_begins: form.get("begins") === "on", ...given(form, "subject_attribute", "name_attribute", "group_attribute")});

const defaultDomain = () => rows("domains").find((d) => d.name === "Default")?.id;

const commonFields = (p) => html`<label class="f">${t("Name on the sign-in page")}<input name="name" required maxlength="64" spellcheck="false" .value=${p?.sign_in_name ?? ""}></label>
	<label class="f">${t("Domain")}<select name="domain">${byName("domains").map((d) => html`<option value=${d.id} ?selected=${d.id === (p?.sign_in_domain || defaultDomain())}>${nameOf(d)}</option>`)}</select></label>
	<label class="check"><input type="checkbox" name="makes" ?checked=${p?.sign_in_makes_users}> ${t("Create a user at the first sign-in; the user has no role yet")}</label>`;
const groupFields = (p, name, label) => html`<label class="f">${label}<input name=${name} maxlength="255" spellcheck="false" .value=${p?.sign_in_group_claim ?? ""}></label>
	<label class="f">${t("Groups, one a line: GROUP, or GROUP = GROUP OF THE DOMAIN")}<textarea name="groups" rows="3" spellcheck="false" .value=${(p?.sign_in_groups ?? []).join("\n")}></textarea></label>`;

const fields = (p, preview) => html`<div @input=${(e) => preview(new FormData(e.target.closest("form")))}>
	${p ? nothing : html`<label class="f">${t("Issuer URL")}<input name="url" type="url" required maxlength="255" pattern="https://.+" placeholder="https://id.example.com/realms/company" autofocus spellcheck="false"></label>`}
	<label class="f">${t("Client ID")}<input name="client" required maxlength="255" spellcheck="false" .value=${p?.sign_in_client ?? ""}></label>
	<label class="f">${t("Client secret (none for a public client)")}<input name="secret" type="password" maxlength="512" autocomplete="off"></label>
	${commonFields(p)}<details ?open=${p?.sign_in_group_claim}><summary>${t("Groups")}</summary><label class="f">${t("Additional scopes")}<input name="scopes" maxlength="255" spellcheck="false" .value=${p?.sign_in_scopes ?? ""}></label>
	${groupFields(p, "group_claim", t("Claim with the person’s groups"))}</details></div>`;

const samlFields = (p, preview) => html`<div @input=${(e) => preview(new FormData(e.target.closest("form")))}>
	${p ? nothing : html`<label class="f">${t("Provider name")}<input name="provider" required maxlength="128" pattern="[A-Za-z0-9._\\-]+" autofocus spellcheck="false"></label>
		<label class="f">${t("Metadata document (XML)")}<textarea name="metadata" rows="6" required minlength="1000" maxlength="131072" spellcheck="false"></textarea></label>`}
	${commonFields(p)}<label class="check"><input type="checkbox" name="begins" ?checked=${p?.sign_in_unasked}> ${t("Accept sign-ins that begin at the provider")}</label>
	<details ?open=${p?.sign_in_group_claim}><summary>${t("Attributes and groups")}</summary><label class="f">${t("Attribute that identifies people (empty: NameID)")}<input name="subject_attribute" maxlength="255" spellcheck="false" .value=${p?.sign_in_subject_claim ?? ""}></label>
	<label class="f">${t("Attribute with the user name")}<input name="name_attribute" maxlength="255" spellcheck="false" .value=${p?.sign_in_name_claim ?? ""}></label>
	${groupFields(p, "group_attribute", t("Attribute with the person’s groups"))}</details></div>`;

function showPlace(p) {
	const isSaml = p.protocol === "saml";
	ask({title: isSaml ? t("Give this metadata address to the provider") : t("Register this redirect URI at the provider"), label: null,
		body: () => html`<p>${isSaml ? t("It is also the identifier (entity ID). The assertion consumer service (ACS) has the same address, with acs instead of metadata at its end.") : t("The provider sends people back to this address, under which browsers reach this console.")}</p><div class="block"><pre tabindex="0" aria-label=${isSaml ? t("Metadata address") : t("Redirect URI")}>${placeOf(p)}</pre></div>`});
}

/** The provider stays if its sign-in is refused: the card offers to enable it. */
async function set(p, body) {
	await put(`/${p.kind}/${p.id}/sign-in`, body).finally(look);
	setTimeout(showPlace, 0, p); // once this dialog has closed
}

const made = async (kind, protocol, body) => ({...(await post(`/${kind}`, body)).items[0], kind, protocol});

function add() {
	const preview = (form) => showCommand("sign-ins.add", {url: form?.get("url") || "https://id.example.com"});
	ask({title: t("Add identity provider"), label: t("Add"), body: () => fields(null, preview),
		submit: async (form) => set(await made("oidc-providers", "oidc", {url: form.get("url").trim()}), read(form))});
	preview();
}

function addSaml() {
	const preview = (form) => showCommand("sign-ins.add-saml", {name: form?.get("provider")?.trim() || "company"});
	ask({title: t("Add SAML provider"), label: t("Add"), body: () => samlFields(null, preview),
		submit: async (form) => set(await made("saml-providers", "saml", {name: form.get("provider").trim(), metadata: form.get("metadata")}), readSaml(form))});
	preview();
}

function change(p) {
	const isSaml = p.protocol === "saml", body = (form) => (isSaml ? readSaml(form) : read(form));
	const preview = (form) => showCommand("sign-ins.set", {provider: p, body: {...body(form), ...(form.get("secret") ? {client_secret: "SECRET"} : {})}});
	ask({title: t("Sign-in with {name}", {name: titleOf(p)}), label: t("Save"),
		body: () => html`${isSaml ? samlFields(p, preview) : fields(p, preview)}${p.sign_in_domain && !isSaml ? html`<p class="hint">${t("Enter the client secret again: it is not shown, and an empty field removes it.")}</p>` : nothing}`,
		submit: (form) => set(p, body(form))});
}

function end(p) {
	showCommand("sign-ins.end", {provider: p});
	ask({title: t("Disable sign-in with {name}?", {name: p.sign_in_name}), label: t("Disable"), danger: true,
		body: () => html`<p>${t("Nobody signs in by this provider any more. Open sessions continue, and its users stay.")}</p>`,
		submit: () => report(t("{name} disabled", {name: p.sign_in_name}), () => remove(`/${p.kind}/${p.id}/sign-in`)).then(look).then(() => false)});
}

/** Links the user of a domain to a subject of a provider that lets people of the domain in. */
export async function linkIdentity([u]) {
	await look();
	const mine = (providers ?? []).filter((p) => p.sign_in_domain === u.domain), present = mine.find((p) => (p.protocol === "saml" ? p.entity_id === u.saml_issuer : p.url === u.oidc_issuer));
	if (!mine.length)
		return ask({title: t("Link identity: {name}", {name: u.name}), label: null,
			body: () => (problem ? problemCard(problem) : html`<p>${t("No identity provider lets people of this domain sign in. Add one on the Domains page.")}</p>`)});
	const read = (form) => [mine.find((p) => p.id === form.get("provider")), form.get("subject").trim()];
	const preview = (provider, subject) => showCommand("users.link", {ids: [u], provider, subject});
	ask({title: t("Link identity: {name}", {name: u.name}), label: t("Save"),
		body: () => html`<div @input=${(e) => preview(...read(new FormData(e.target.closest("form"))))}><p>${t("The person whom the provider calls by this subject signs in as this user.")}</p>
			<label class="f">${t("Identity provider")}<select name="provider">${mine.map((p) => html`<option value=${p.id} ?selected=${p === present}>${p.sign_in_name}</option>`)}</select></label>
			<label class="f">${t("Subject (claim sub, or NameID; empty: unlink)")}<input name="subject" maxlength="255" spellcheck="false" autofocus .value=${u.oidc_subject || u.saml_subject || ""}></label></div>`,
		submit: async (form) => {
			const [provider, subject] = read(form);
			await put(`/users/${u.id}/${provider.protocol}-subject`, {[`${provider.protocol}_provider`]: provider.id, subject});
			note(subject ? t("{name} linked", {name: u.name}) : t("{name} unlinked", {name: u.name}));
			return reload("users").then(() => false);
		}});
	preview(present ?? mine[0], u.oidc_subject || u.saml_subject || "");
}

const line = (p) => html`<tr><td>${p.sign_in_name || html`<span class="dim">${t("disabled")}</span>`}</td><td>${p.protocol === "saml" ? "SAML" : "OpenID Connect"}</td><td class="m">${titleOf(p)}</td><td>${p.sign_in_domain ? refName("domains", p.sign_in_domain) : "–"}</td>
	<td>${p.sign_in_domain ? copyable(placeOf(p)) : "–"}</td><td><button type="button" aria-label=${`${p.sign_in_domain ? t("Settings") : t("Enable")}…: ${titleOf(p)}`} @click=${() => change(p)}>${p.sign_in_domain ? t("Settings") : t("Enable")}…</button>
	${p.sign_in_domain ? html`<button type="button" class="danger-text" aria-label=${t("Disable sign-in with {name}?", {name: p.sign_in_name})} @click=${() => end(p)}>${t("Disable")}…</button>` : nothing}</td></tr>`;

export function signInCard() {
	if (!isAsked)
		look();
	return html`<section class="card" aria-label=${t("Identity providers")}><div class="head"><h2>${t("Identity providers")}</h2><span class="sp"></span><button type="button" @click=${addSaml}>${t("Add SAML provider")}</button> <button type="button" @click=${add}>${t("Add identity provider")}</button></div>
		<p class="hint">${t("People of a domain sign in to the console with their company’s login, by OpenID Connect or SAML.")}</p>
		${problemCard(problem)}${providers?.length ? html`<div class="scroll" tabindex="0" role="region" aria-label=${t("Identity providers")}><table class="simple"><thead><tr><th scope="col">${t("Name")}</th><th scope="col">${t("Protocol")}</th><th scope="col">${t("Issuer")}</th><th scope="col">${t("Domain")}</th><th scope="col">${t("Redirect URI or metadata")}</th><th scope="col"><span class="sr">${t("Actions")}</span></th></tr></thead><tbody>${providers.map(line)}</tbody></table></div>` : nothing}</section>`;
}

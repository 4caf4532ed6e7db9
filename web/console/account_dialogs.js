// SPDX-License-Identifier: Apache-2.0
// The form of a new account, on the pages of accounts and of domains.
import {html, nothing, nameOf, ask} from "./parts.js";
import {applyRow, rows} from "./store.js";
import {t} from "./words.js";
import {post} from "./api.js";
import {showCommand} from "./command_bar.js";

/** Creates an account in the domain, or in one that the form asks for; then calls `done`. */
export function makeAccount(domain, done) {
	const domains = domain ? [domain] : rows("domains").toSorted((a, b) => nameOf(a).localeCompare(nameOf(b)));
	const start = domains.find((d) => nameOf(d) === "Default") ?? domains[0];
	const preview = ({name, domain: chosen}) => showCommand("accounts.create", {name: name.value.trim() || "account", domain: domains.find((d) => d.id === chosen?.value) ?? start});
	const changed = (e) => preview(e.target.form.elements);
	ask({title: domain ? t("Create account in {name}", {name: nameOf(domain)}) : t("Create account"), label: t("Create"),
		body: () => html`<label class="f">${t("Name")}<input name="name" required maxlength="64" autofocus spellcheck="false" @input=${changed}></label><label class="f">${t("Description")}<input name="description" maxlength="255"></label>
			${domains.length > 1 ? html`<label class="f">${t("Domain")}<select name="domain" @change=${changed}>${domains.map((d) => html`<option value=${d.id} ?selected=${d === start}>${nameOf(d)}</option>`)}</select></label>` : nothing}
			<label class="check"><input type="checkbox" name="router" checked> ${t("Create default VPC")}</label>`,
		submit: async (form) => {
			const answer = await post("/accounts", {name: form.get("name").trim(), domain: form.get("domain") ?? start.id, description: form.get("description"), with_default_router: form.get("router") === "on"});
			applyRow("accounts", answer.items?.[0]);
			done?.();
		}});
	preview({name: {value: ""}});
}

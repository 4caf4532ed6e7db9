// SPDX-License-Identifier: Apache-2.0
// Key pairs for ssh to new guests. A private key created here is shown once and not stored.
import {html, nameOf, pairs, copyable, when, emptyCard, ask, note, report, copy} from "../parts.js";
import {resourcePage} from "../resource.js";
import {applyRow} from "../store.js";
import {t, list as words, time} from "../words.js";
import {post} from "../api.js";
import {showCommand} from "../command_bar.js";

const KEY_MAX = 16384; // bytes of a public key's file

/** A private key is never read from its file into the page. */
async function readKey(elements, file) {
	if (!file)
		return;
	const text = file.size <= KEY_MAX ? (await file.text()).trim() : "";
	if (!/^(ssh-|ecdsa-|sk-)\S+ \S+/.test(text)) {
		note(t("{name} is not a public key file.", {name: file.name}), "bad");
		return;
	}
	elements.public_key.value = text;
	elements.name.value ||= file.name.replace(/\.pub$/, "");
}

function bring() {
	ask({title: t("Import key pair"), label: t("Import"),
		body: () => html`<p class="hint">${t("Paste the contents of ~/.ssh/id_ed25519.pub. The private key stays on your computer.")}</p><label class="f">${t("Name")}<input name="name" required maxlength="255" autofocus></label><label class="f">${t("Public key")}<textarea name="public_key" rows="4" required maxlength="16384" placeholder="ssh-ed25519 AAAA… you@laptop" @dragover=${(e) => e.preventDefault()} @drop=${(e) => { e.preventDefault(); readKey(e.target.form.elements, e.dataTransfer.files[0]); }}></textarea></label>
			<label class="f">${t("Or choose the file, or drop it on the field above")}<input type="file" accept=".pub" @change=${(e) => readKey(e.target.form.elements, e.target.files[0])}></label>`,
		submit: async (form) => {
			showCommand("key-pairs.import", {name: form.get("name")});
			const answer = await post("/key-pairs/import", {name: form.get("name"), public_key: form.get("public_key").trim()});
			applyRow("key-pairs", answer.items?.[0] ?? answer);
		}});
}

function make() {
	ask({title: t("Create key pair"), label: t("Create"),
		body: () => html`<label class="f">${t("Name")}<input name="name" required maxlength="255" autofocus></label><p class="hint">${t("The private key is shown only once.")}</p>`,
		submit: async (form) => {
			const answer = await post("/key-pairs", {name: form.get("name")});
			const secret = answer.private_key ?? answer.items?.[0]?.private_key;
			applyRow("key-pairs", answer.items?.[0] ?? answer);
			ask({title: t("Save this now: it is shown only once"), label: null, keeps: true, wide: true, body: () => html`<div class="block"><pre tabindex="0" aria-label=${t("Private key")}>${secret}</pre><button type="button" @click=${() => copy(secret)}>${t("Copy")}</button></div><p class="hint">${t("Save it as ~/.ssh/{name} with mode 600.", {name: form.get("name")})}</p>`});
			return true;
		}});
}

function drop(chosen) {
	showCommand("key-pairs.delete", {ids: chosen});
	ask({title: t("Delete {names}?", {names: words(chosen.map(nameOf))}), danger: true, label: t("Delete"), body: () => html`<p>${t("Instances that were launched with this key pair keep the public key.")}</p>`,
		submit: () => report(t("{n} key pairs deleted", {n: chosen.length}), () => post("/key-pairs/delete", {ids: chosen.map((k) => k.id)})).then(() => false)});
}

export const view = resourcePage({
	name: "keys", kind: "key-pairs", verb: "key-pairs", command: "key-pairs.list", title: () => t("Key pairs"),
	search: (k) => [k.fingerprint],
	columns: [
		{key: "name", title: () => t("Name"), width: "30%", sort: nameOf},
		{key: "kind", title: () => t("Type"), wide: true, width: "14%", text: (k) => (k.is_ed25519 ? "ED25519" : "RSA")},
		{key: "fingerprint", title: () => t("Fingerprint"), mono: true, width: "36%", text: (k) => k.fingerprint ?? ""},
		{key: "made", title: () => t("Created"), wide: true, sort: (k) => k.created_us, text: (k) => time(k.created_us)},
	],
	actions: [{id: "delete", title: () => t("Delete"), run: drop, danger: true}],
	lead: () => html`<button type="button" @click=${make}>${t("Create key pair")}</button><button type="button" class="b1" @click=${bring}>${t("Import key pair")}</button>`,
	empty: () => emptyCard(t("No key pairs"), t("A key pair lets you connect to instances by SSH. Import your public key, or create a new pair."), html`<button type="button" class="b1" @click=${bring}>${t("Import key pair")}</button> <button type="button" @click=${make}>${t("Create key pair")}</button>`),
	facts: (k) => pairs([[t("Name"), k.name], [t("Type"), k.is_ed25519 ? "ED25519" : "RSA"], [t("Fingerprint"), k.fingerprint ? copyable(k.fingerprint) : ""], [t("Created"), when(k.created_us)], ["EC2", k.ec2 ? copyable(k.ec2) : ""]]),
});

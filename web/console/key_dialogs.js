// SPDX-License-Identifier: Apache-2.0
// Dialogs that create and import key pairs, for the list of key pairs and the launch form. A private key is shown once and not stored.
import {html, ask, copy, note} from "./parts.js";
import {applyRow} from "./store.js";
import {t} from "./words.js";
import {post} from "./api.js";
import {showCommand} from "./command_bar.js";
import {saveFile} from "./save_file.js";

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

/** done(name): the key pair exists. */
export function importKeyPair(done) {
	ask({title: t("Import key pair"), label: t("Import"),
		body: () => html`<p class="hint">${t("Paste the contents of ~/.ssh/id_ed25519.pub. The private key stays on your computer.")}</p><label class="f">${t("Name")}<input name="name" required maxlength="255" autofocus></label><label class="f">${t("Public key")}<textarea name="public_key" rows="4" required maxlength=${KEY_MAX} placeholder="ssh-ed25519 AAAA… you@laptop" @dragover=${(e) => e.preventDefault()} @drop=${(e) => { e.preventDefault(); readKey(e.target.form.elements, e.dataTransfer.files[0]); }}></textarea></label>
			<label class="f">${t("Or choose the file, or drop it on the field above")}<input type="file" accept=".pub" @change=${(e) => readKey(e.target.form.elements, e.target.files[0])}></label>`,
		submit: async (form) => {
			const name = form.get("name");
			showCommand("key-pairs.import", {name});
			const answer = await post("/key-pairs/import", {name, public_key: form.get("public_key").trim()});
			applyRow("key-pairs", answer.items?.[0] ?? answer);
			done(name);
		}});
}

function showPrivateKey(name, secret) {
	const file = `${name.replace(/[^\w.-]/g, "_")}.pem`;
	ask({title: t("Save this now: it is shown only once"), label: null, keeps: true, wide: true,
		body: () => html`<div class="block"><pre tabindex="0" aria-label=${t("Private key")}>${secret}</pre><button type="button" @click=${() => copy(secret)}>${t("Copy")}</button></div>
			<p><button type="button" class="b1" @click=${() => saveFile(file, secret.endsWith("\n") ? secret : `${secret}\n`, "application/x-pem-file")}>${t("Download {name}", {name: file})}</button></p>
			<p class="hint">${t("ssh refuses a key that others can read: run chmod 600 {name} first.", {name: file})}</p>`});
}

export function createKeyPair(done) {
	ask({title: t("Create key pair"), label: t("Create"),
		body: () => html`<label class="f">${t("Name")}<input name="name" required maxlength="255" autofocus></label><p class="hint">${t("The private key is shown only once.")}</p>`,
		submit: async (form) => {
			const name = form.get("name"), answer = await post("/key-pairs", {name});
			applyRow("key-pairs", answer.items?.[0] ?? answer);
			done(name);
			showPrivateKey(name, answer.private_key ?? answer.items?.[0]?.private_key);
			return true;
		}});
}

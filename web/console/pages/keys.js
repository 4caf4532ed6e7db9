// SPDX-License-Identifier: Apache-2.0
// Key pairs for ssh to new guests.
import {html, nameOf, pairs, copyable, when, emptyCard, ask, report} from "../parts.js";
import {resourcePage} from "../resource.js";
import {t, list as words, time} from "../words.js";
import {post} from "../api.js";
import {showCommand} from "../command_bar.js";
import {createKeyPair, importKeyPair} from "../key_dialogs.js";

const make = () => createKeyPair(() => {}), bring = () => importKeyPair(() => {});

function drop(chosen) {
	showCommand("key-pairs.delete", {ids: chosen});
	ask({title: t("Delete {names}?", {names: words(chosen.map(nameOf))}), danger: true, label: t("Delete"), body: () => html`<p>${t("Instances that were launched with this key pair keep the public key.")}</p>`,
		submit: () => report(t("{n} key pairs deleted", {n: chosen.length}), () => post("/key-pairs/delete", {ids: chosen.map((k) => k.id)})).then(() => false)});
}

export const view = resourcePage({
	name: "keys", kind: "key-pairs", verb: "key-pairs", command: "key-pairs.list", title: () => t("Key pairs"),
	search: (k) => [k.fingerprint],
	columns: [
		{key: "name", title: () => t("Name"), width: "24%", sort: nameOf},
		{key: "kind", title: () => t("Type"), wide: true, width: "10%", text: (k) => (k.is_ed25519 ? "ED25519" : "RSA")},
		{key: "fingerprint", title: () => t("Fingerprint"), mono: true, width: "50%", text: (k) => k.fingerprint ?? ""},
		{key: "made", title: () => t("Created"), wide: true, sort: (k) => k.created_us, text: (k) => time(k.created_us)},
	],
	actions: [{id: "delete", title: () => t("Delete"), run: drop, danger: true}],
	lead: () => html`<button type="button" @click=${bring}>${t("Import key pair")}</button><button type="button" class="b1" @click=${make}>${t("Create key pair")}</button>`,
	empty: () => emptyCard(t("No key pairs"), t("A key pair lets you connect to instances by SSH. Import your public key, or create a new pair."), html`<button type="button" class="b1" @click=${bring}>${t("Import key pair")}</button> <button type="button" @click=${make}>${t("Create key pair")}</button>`),
	facts: (k) => pairs([[t("Name"), k.name], [t("Type"), k.is_ed25519 ? "ED25519" : "RSA"], [t("Fingerprint"), k.fingerprint ? copyable(k.fingerprint) : ""], [t("Created"), when(k.created_us)], ["EC2", k.ec2 ? copyable(k.ec2) : ""]]),
});

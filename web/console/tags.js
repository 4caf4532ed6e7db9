// SPDX-License-Identifier: Apache-2.0
// Tags: a table for one resource, and a dialog that sets or removes a tag on all selected ones.
import {html, nothing, nameOf, tagOf, tagsOf, ask, report, oneByOne} from "./parts.js";
import {findRow} from "./store.js";
import {t, list as words} from "./words.js";
import {post} from "./api.js";
import {showCommand} from "./command_bar.js";
import {may} from "./may.js";
import {mayChange} from "./session.js";

/** Tag calls take EC2's ids. */
const idsOf = (chosen) => chosen.map((r) => r.ec2 ?? r.id);
const NAMES_MAX = 12;

/** kind: its name in the stream. */
export function tagDialog(kind, chosen, before = {key: "", value: ""}) {
	const keys = [...new Set(chosen.flatMap((r) => tagsOf(r).map(([key]) => key)))].toSorted();
	const preview = (form) => showCommand("tags.set", {kind, ids: chosen, key: form?.key.value || before.key || "key", value: form?.value.value ?? before.value});
	ask({title: before.key ? t("Tag {name}", {name: before.key}) : t("Add tag"), label: t("Set tag"),
		body: () => html`<div @input=${(e) => preview(e.target.form.elements)}>${chosen.length > 1 ? html`<p>${words(chosen.slice(0, NAMES_MAX).map(nameOf))}${chosen.length > NAMES_MAX ? " …" : ""}</p>` : nothing}
			<label class="f">${t("Key")}<input name="key" required maxlength="128" list="tag-keys" value=${before.key} ?readonly=${Boolean(before.key)} ?autofocus=${!before.key}></label><datalist id="tag-keys">${keys.map((k) => html`<option value=${k}></option>`)}</datalist>
			<label class="f">${t("Value")}<input name="value" maxlength="256" value=${before.value} ?autofocus=${Boolean(before.key)}></label></div>`,
		submit: (form) => post("/tags", {ids: idsOf(chosen), tags: {[form.get("key")]: form.get("value")}}).then(() => false)});
	preview(null);
}

export function untagDialog(kind, chosen) {
	const keys = [...new Set(chosen.flatMap((r) => tagsOf(r).map(([key]) => key)))].toSorted();
	const preview = (key) => keys.length && showCommand("tags.remove", {kind, ids: chosen, key});
	ask({title: t("Delete tag"), label: keys.length ? t("Delete") : null, danger: true,
		body: () => (keys.length ? html`<label class="f">${t("Key")}<select name="key" autofocus @change=${(e) => preview(e.target.value)}>${keys.map((k) => html`<option value=${k}>${k}: ${words([...new Set(chosen.flatMap((r) => tagsOf(r)).filter(([key]) => key === k).map(([, v]) => v || "–"))].slice(0, 4))}</option>`)}</select></label>` : html`<p>${t("The selection has no tags.")}</p>`),
		submit: (form) => {
			const key = form.get("key"), had = chosen.filter((r) => tagsOf(r).some(([k]) => k === key)).map((r) => [r, tagOf(r, key)]);
			return report(t("Tag deleted"), () => post("/tags/remove", {ids: idsOf(chosen), keys: [key]}), () => oneByOne(had, ([r, value]) => post("/tags", {ids: idsOf([r]), tags: {[key]: value}}))).then(() => false);
		}});
	preview(keys[0]);
}

function take(kind, row, key) {
	showCommand("tags.remove", {kind, ids: [row], key});
	return report(t("Tag deleted"), () => post("/tags/remove", {ids: idsOf([row]), keys: [key]}),
		() => post("/tags", {ids: idsOf([row]), tags: {[key]: tagOf(row, key)}}));
}

/** Tag actions on all selected rows. */
export const tagActions = (kind) => [
	{id: "tag", asks: true, isRare: true, may: () => true, permission: "tag.set", title: () => t("Tag"), run: (chosen) => tagDialog(kind, chosen)},
	{id: "untag", asks: true, isRare: true, may: (r) => tagsOf(r).length > 0, permission: "tag.remove", title: () => t("Untag"), run: (chosen) => untagDialog(kind, chosen)},
];

/** path: the kind's name in store.js. */
export function tagsCard(kind, path, row) {
	const tags = tagsOf(row).toSorted(([a], [b]) => (a < b ? -1 : 1)), now = () => findRow(path, row.id) ?? row;
	const maySet = mayChange() && may("tag.set", row.id), mayTake = mayChange() && may("tag.remove", row.id);
	return html`<div class="card"><h2>${t("Tags")}</h2>${tags.length ? html`<div class="scroll" tabindex="0" role="region" aria-label=${t("Tags")}><table class="simple"><thead><tr><th scope="col">${t("Key")}</th><th scope="col">${t("Value")}</th>${maySet || mayTake ? html`<th scope="col"><span class="sr">${t("Actions")}</span></th>` : nothing}</tr></thead><tbody>
		${tags.map(([key, value]) => html`<tr><td>${key}</td><td>${value}</td>${maySet || mayTake ? html`<td>${maySet ? html`<button type="button" class="plain" aria-label=${t("Edit tag {name}", {name: key})} @click=${() => tagDialog(kind, [now()], {key, value})}>${t("Edit")}</button>` : nothing} ${mayTake ? html`<button type="button" class="plain danger-text" aria-label=${t("Delete tag {name}", {name: key})} @click=${() => take(kind, now(), key)}>${t("Delete")}</button>` : nothing}</td>` : nothing}</tr>`)}</tbody></table></div>` : html`<p class="dim">${t("No tags.")}</p>`}
		${maySet ? html`<p class="gaptop"><button type="button" @click=${() => tagDialog(kind, [now()])}>${t("Add tag")}…</button></p>` : nothing}</div>`;
}

// SPDX-License-Identifier: Apache-2.0
// Uploads of image files: each continues while the user visits other pages, and shows its progress.
import {html, gauge, nameOf, note, problemCard} from "./parts.js";
import {applyRow, touch} from "./store.js";
import {t, size} from "./words.js";
import {upload} from "./transfers.js";

/** {image, file, sent, stop, problem} */
let running = [];

const warn = (event) => event.preventDefault();

function drop(one) {
	running = running.filter((r) => r !== one);
	if (!running.some((r) => !r.problem))
		removeEventListener("beforeunload", warn);
	touch();
}

export function send(image, file) {
	const one = {image, file, sent: 0, problem: null};
	const {done, stop} = upload(`/images/${image.id}/data`, file, (sent) => {
		one.sent = sent;
		touch();
	});
	one.stop = stop;
	running = [...running, one];
	addEventListener("beforeunload", warn);
	done.then((answer) => {
		applyRow("images", answer.items?.[0]);
		note(t("{name} uploaded", {name: nameOf(image)}));
		drop(one);
	}, (problem) => {
		one.problem = problem;
		touch();
	});
	touch();
}

export function uploadsView() {
	return running.map((one) => html`<div class="card" role="status">${one.problem ? html`${problemCard(one.problem, t("{name}: upload failed", {name: nameOf(one.image)}))}<button type="button" @click=${() => drop(one)}>${t("Close")}</button>`
		: html`${gauge(t("Uploading {name}", {name: nameOf(one.image)}), one.sent, one.file.size, size)}${one.sent >= one.file.size ? html`<p class="dim">${t("Upload complete. Verifying the image.")}</p>` : html`<button type="button" @click=${() => { one.stop(); drop(one); }}>${t("Cancel")}</button>`}`}</div>`);
}

/** True while the image's file is being uploaded. */
export const isSending = (image) => running.some((one) => one.image.id === image.id && !one.problem);

// SPDX-License-Identifier: Apache-2.0
// Forms of pages that create and change resources: the command follows the choices, and the new resource is shown before the stream reports it. The
// options are those at the time when the form was opened, so that nothing moves while the user chooses.
import {html, nameOf, ask} from "./parts.js";
import {applyRow, rows} from "./store.js";
import {showCommand} from "./command_bar.js";
import {post, patch, remove} from "./api.js";

/** Rows of a kind in the order of their names, for fields to choose from: the API lists them by id. */
export const byName = (kind) => rows(kind).toSorted((a, b) => nameOf(a).localeCompare(nameOf(b), undefined, {numeric: true}));

/** Like ask(), with {verb, or verb(args) depending on the choices, fields: () => template, read(form): arguments of the command, send(args)}. */
export function askFor(wanted) {
	const show = (args) => showCommand(typeof wanted.verb === "function" ? wanted.verb(args) : wanted.verb, args);
	const tell = (form) => form && show(wanted.read(new FormData(form)));
	ask({...wanted, body: () => html`<div @input=${(e) => tell(e.target.closest("form"))}>${wanted.fields()}</div>`,
		submit: (form) => {
			const args = wanted.read(form);
			show(args);
			return wanted.send(args);
		}});
	requestAnimationFrame(() => tell(document.querySelector("dialog form")));
}

/** A button has changed the form's controls: updates the command. */
export function changed(form) {
	form.querySelector("input, select").dispatchEvent(new Event("input", {bubbles: true}));
}

export function applyAll(kind, answer) {
	for (const row of answer?.items ?? [])
		applyRow(kind, row);
	return answer;
}

export async function make(kind, body, path = `/${kind}`) {
	return applyAll(kind, await post(path, body)).items?.[0];
}

/** Runs steps (steps.js) in order. Running the same steps again continues after the last success. */
export function stepper() {
	let now = null;
	return async (steps) => {
		const text = JSON.stringify(steps);
		if (now?.text !== text)
			now = {text, at: 0, made: {}};
		const fill = (value) => (typeof value === "string" && value.startsWith("$") ? now.made[value.slice(1)] ?? value : value);
		for (; now.at < steps.length; now.at++) {
			const {method, path, body = {}, as} = steps[now.at], to = path.split("/").map(fill).join("/");
			const filled = Object.fromEntries(Object.entries(body).map(([name, value]) => [name, fill(value)]));
			const answer = await (method === "DELETE" ? remove(to) : method === "PATCH" ? patch(to, filled) : post(to, filled));
			if (as)
				now.made[as] = answer.items[0].id;
			if (!to.slice(1).includes("/"))
				applyAll(to.slice(1), answer);
		}
	};
}

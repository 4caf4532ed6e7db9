// SPDX-License-Identifier: Apache-2.0
// Forms of pages that make and change things: the command follows what is chosen, and what was made is shown before the stream says so.
// What can be chosen is what was there when the form was opened: nothing in it moves under somebody's hand.
import {html, ask} from "./parts.js";
import {applyRow} from "./store.js";
import {showCommand} from "./command_bar.js";
import {post, patch, remove} from "./api.js";

/** As ask(), and besides {verb, or of what was chosen verb(args), fields: () => template, read(form): what the command is told,
 * send(args)}. */
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

/** The form's other controls change by a button: the command follows. */
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

/** Runs steps (steps.js) one after the other. The same steps again go on where they failed. */
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

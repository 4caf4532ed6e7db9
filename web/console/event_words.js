// SPDX-License-Identifier: Apache-2.0
// Events in the reader's language. An event's code is its kind, the engine's word for it (`what`) and its sentence, which has {} for each argument;
// event_table.js has a text for each code. Codes without an entry, and events of before codes, are shown in the engine's words.
import {t} from "./words.js";
import {EVENTS} from "./event_table.js";

const COUNTS = new Set(["count", "n", "seconds"]); // arguments that are formatted as numbers
const PLACE = /\{(\w*)\}/g;
let byCode = null;

/** Names of arguments and the text of each code: "instance placed On host {}." */
function codes() {
	byCode ??= new Map(EVENTS.map(([kind, what, sentence, words]) => [`${kind} ${what} ${sentence.replace(PLACE, "{}")}`, {names: [...sentence.matchAll(PLACE)].map((place) => place[1]), words}]));
	return byCode;
}

const argument = (name, value) => (COUNTS.has(name) && /^\d+$/.test(value) ? Number(value) : value);

export function eventWords(e) {
	if (e.what === "condition" && e.arguments?.length === 2)
		return `${t(e.arguments[0])}: ${e.arguments[1]}`;
	const one = codes().get(`${e.kind} ${e.what} ${e.sentence}`);
	return one ? one.words(Object.fromEntries(one.names.map((name, k) => [name, argument(name, e.arguments[k] ?? "")]))) : e.text || e.what || "";
}

// SPDX-License-Identifier: Apache-2.0
// Events in the reader's language. An event's code is its kind and the engine's word for it (`what`); patterns extract arguments from the engine's
// sentence (event_table.js). Codes without an entry are shown in the engine's words.
import {t} from "./words.js";
import {EVENTS} from "./event_table.js";

const COUNTS = new Set(["count", "n", "seconds"]); // arguments that are formatted as numbers
let byCode = null;

/** "Volume of {bytes} bytes." as an expression with named groups. */
const expression = (pattern) => new RegExp("^" + pattern.split(/(\{\w+\})/).map((part) => (/^\{\w+\}$/.test(part) ? `(?<${part.slice(1, -1)}>[^]*?)` : part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))).join("") + "$");

function codes() {
	if (!byCode) {
		byCode = new Map();
		for (const [kind, what, pattern, words] of EVENTS) {
			const key = `${kind} ${what}`;
			byCode.set(key, [...(byCode.get(key) ?? []), {expression: expression(pattern), words}]);
		}
	}
	return byCode;
}

export function eventWords(e) {
	const text = e.text ?? e.message ?? "";
	if (e.what === "condition") {
		const [, name, said] = /^([^:]*): ([^]*)$/.exec(text) ?? [null, "", text];
		return name ? `${t(name)}: ${said}` : said;
	}
	for (const one of codes().get(`${e.kind} ${e.what}`) ?? []) {
		const found = one.expression.exec(text);
		if (found)
			return one.words(Object.fromEntries(Object.entries(found.groups ?? {}).map(([name, value]) => [name, COUNTS.has(name) && /^\d+$/.test(value) ? Number(value) : value])));
	}
	return text || e.what || "";
}

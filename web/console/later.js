// SPDX-License-Identifier: Apache-2.0
// Modules that are not needed for the first view are loaded at the first pointer move or key press. So they are ready when they are needed, and do
// not delay the page. A module needed earlier is loaded at once.
import {touch} from "./store.js";

const waiting = new Set();
let isMoved = false;

function loadAll() {
	isMoved = true;
	for (const begin of waiting)
		begin();
	waiting.clear();
}
for (const name of ["pointermove", "pointerdown", "keydown"])
	addEventListener(name, loadAll, {once: true, capture: true, passive: true});

/** load: () => import(…). Returns a function that returns the module, or undefined while it is loading; in that case it repaints when the module is
 * loaded. */
export function later(load) {
	let module, asked = null;
	const begin = () => {
		asked ??= load().then((m) => {
			module = m;
			touch();
		}, () => {}); // main.js reports a page that cannot be loaded because the program was replaced
	};
	if (isMoved)
		begin();
	else
		waiting.add(begin);
	return () => {
		begin();
		return module;
	};
}

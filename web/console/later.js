// SPDX-License-Identifier: Apache-2.0
// What no page needs in order to be seen is loaded when the pointer moves or a key is pressed for the first time. So it is there once it
// is wanted, and costs nothing before. What is wanted sooner is loaded at once.
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

/** load: () => import(…). The answer is a function that says the module, or undefined while it is not here. Whoever asks for it on a
 * repaint is painted anew once it is. */
export function later(load) {
	let module, asked = null;
	const begin = () => {
		asked ??= load().then((m) => {
			module = m;
			touch();
		}, () => {}); // main.js says of a page that cannot be loaded that the program has been replaced
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

// SPDX-License-Identifier: Apache-2.0
// What the reader may do. All that one repaint wants to know is one question; until its answer is here a verb is shown, and the server
// refuses what is not allowed in any case.
import {get} from "./api.js";
import {touch} from "./store.js";
import {mayChange, session} from "./session.js";

const AT_ONCE = 64; // permissions of one question, as /api/v1 takes them
let known = new Map(), whose = "", wanted = new Map();

function ask() {
	const mine = known, asked = wanted;
	wanted = new Map();
	for (const [id, names] of asked)
		for (let k = 0; k < names.length; k += AT_ONCE)
			get(`/may?permission=${names.slice(k, k + AT_ONCE).join()}${id ? `&id=${id}` : ""}`).then(({may}) => {
				for (const [name, is] of Object.entries(may))
					mine.set(`${name} ${id}`, is);
				touch();
			}, () => {});
}

/** Whether the reader has the permission, of the row of that id, else of any. */
export function may(permission, id = "") {
	const who = `${session.user?.id} ${session.account?.id}`, key = `${permission} ${id}`;
	if (whose !== who || known.size > 5000)
		[whose, known] = [who, new Map()];
	if (!known.has(key)) {
		known.set(key, true);
		if (!wanted.size)
			queueMicrotask(ask);
		wanted.set(id, [...(wanted.get(id) ?? []), permission]);
	}
	return known.get(key);
}

/** Whether the reader may change anything here, and has all of these permissions. */
export const mayAll = (...permissions) => mayChange() && permissions.every((p) => may(p));

/** Whether the action is shown: {hidden(), permission}. */
export function isOffered(action, row) {
	return !action.hidden?.() && (!action.permission || (mayChange() && may(action.permission, row?.id)));
}

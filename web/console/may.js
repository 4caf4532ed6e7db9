// SPDX-License-Identifier: Apache-2.0
// Permissions of the user. All questions of one repaint are one request. Until the answer arrives an action is shown; the server refuses forbidden
// actions in any case.
import {get} from "./api.js";
import {touch} from "./store.js";
import {mayChange, session} from "./session.js";

const AT_ONCE = 64; // permissions in one request, a limit of /api/v1
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

/** True if the user has the permission, for the row with that id, otherwise for any row. */
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

/** True if the user may change anything here, and has all of these permissions. */
export const mayAll = (...permissions) => mayChange() && permissions.every((p) => may(p));

/** True if the action is shown: {hidden(), permission}. */
export function isOffered(action, row) {
	return !action.hidden?.() && (!action.permission || (mayChange() && may(action.permission, row?.id)));
}

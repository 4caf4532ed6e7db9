// SPDX-License-Identifier: Apache-2.0
// Which verbs a page shows: what the server says that this user may not do to anything is hidden. What is not known yet is shown, and
// the server answers why.
import {get} from "./api.js";
import {touch} from "./store.js";
import {session, mayChange} from "./session.js";

let known = new Map(), of = "", wanted = new Set();

function fetchWanted() {
	const names = [...wanted], asker = of;
	wanted = new Set();
	get(`/may?permission=${names.join(",")}`).then(({may}) => {
		if (asker !== of)
			return;
		for (const [name, is] of Object.entries(may))
			known.set(name, is);
		touch();
	}, () => {});
}

/** All of these permissions, such as "subnet.create". */
export function may(...permissions) {
	const asker = `${session.user?.id} ${session.account?.id}`;
	if (asker !== of) {
		of = asker;
		known = new Map();
		wanted = new Set();
	}
	if (!mayChange())
		return false;
	for (const name of permissions)
		if (!known.has(name)) {
			known.set(name, true);
			if (!wanted.size)
				setTimeout(fetchWanted);
			wanted.add(name);
		}
	return permissions.every((name) => known.get(name));
}

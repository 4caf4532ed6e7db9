// SPDX-License-Identifier: Apache-2.0
// What things cost, as the server rates it: asked for while somebody looks, each minute, and soon after what is metered has changed. Where
// rating takes long, it is asked for less often.
import {need, touch} from "./store.js";
import {get} from "./api.js";
import {session} from "./session.js";

const EACH_MS = 60_000, SOON_MS = 2000, PATIENCE = 30; // of the time that an answer took
const METERED = ["instances", "volumes", "snapshots", "addresses"];

/** account and query → {data, problem, at, took, version, isAsked} */
const known = new Map();

function ask(query, mine, version) {
	const begun = performance.now();
	mine.isAsked = true;
	get("/costs" + query).then((data) => Object.assign(mine, {data, problem: null}), (problem) => Object.assign(mine, {problem})).finally(() => {
		Object.assign(mine, {at: performance.now(), took: performance.now() - begun, version, isAsked: false});
		touch();
	});
}

/** {data, problem}: what `/costs` said last. Asked again by whoever paints it again. */
export function costsOf(query) {
	const key = `${session.account?.id} ${query}`;
	let mine = known.get(key);
	if (!mine)
		known.set(key, (mine = {data: null, problem: null, at: -Infinity, took: 0, version: "", isAsked: false}));
	const version = METERED.map((k) => need(k).version).join(), age = performance.now() - mine.at;
	const least = Math.max(version === mine.version ? EACH_MS : SOON_MS, PATIENCE * mine.took);
	if (!mine.isAsked && age > least && !(mine.data?.is_closed && !mine.problem))
		ask(query, mine, version);
	return mine;
}

// SPDX-License-Identifier: Apache-2.0
// Costs, as rated by the server: requested each minute while visible, and soon after a change of metered usage. If rating takes long, it is requested
// less often.
import {need, touch} from "./store.js";
import {get} from "./api.js";
import {session} from "./session.js";

const EACH_MS = 60_000, SOON_MS = 2000, PATIENCE = 30; // wait at least so many times as long as an answer took
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

/** {data, problem}: the last answer of `/costs`. Repainting it requests it again. */
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

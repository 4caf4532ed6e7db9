// SPDX-License-Identifier: Apache-2.0
// The way to /api/v1: every request of the pages goes through here. A failure is a Problem, which has the server's words, its
// advice and, where it names one, the field. Nothing here repeats a request: a page equals what the server said.

export const BASE = "/api/v1";

export class Problem extends Error {
	constructor(status, body) {
		super(body.detail || body.title || `HTTP ${status}`);
		this.status = status;
		this.body = body;
		this.advice = body.advice || "";
		this.field = body.field || "";
	}
}

/** The server cannot be reached, or broke off: nothing is known of what became of the request. */
export class Unreachable extends Error {}

let lost = () => {};
/** What is done when the session is over: a request came back with 401. */
export function onSessionLost(f) {
	lost = f;
}

/** The words by which the next page of a list is asked for, as the end of an answer's text has them; "": there is none. */
function nextOf(text) {
	const end = text.slice(-300), at = end.lastIndexOf('"next":"');
	return at < 0 ? "" : end.slice(at + 8, end.indexOf('"', at + 8));
}

/** All pages of a list, each asked for before the one before is read: f(page) may return false, which is enough. */
export async function pages(path, f) {
	let next = text("GET", path, null, {});
	for (;;) {
		const {answer, text: said} = await next, after = answer.ok ? nextOf(said) : "";
		next = after ? text("GET", `${path}&after=${encodeURIComponent(after)}`, null, {}) : null;
		next?.catch(() => {}); // it may be that nobody waits for it
		if (f(read(path, answer, said)) === false || !next)
			return;
	}
}

async function send(method, path, body, headers) {
	const {answer, text: said} = await text(method, path, body, headers);
	return read(path, answer, said);
}

/** The answer, and its text. */
async function text(method, path, body, headers) {
	const init = {method, credentials: "same-origin", cache: "no-store", headers: {Accept: "application/json", ...headers}};
	if (method !== "GET") {
		init.headers["Content-Type"] = "application/json";
		init.body = JSON.stringify(body ?? {});
	}
	let answer;
	try {
		answer = await fetch(BASE + path, init);
	} catch (cause) {
		throw new Unreachable("the server cannot be reached", {cause});
	}
	return {answer, text: await answer.text().catch(() => "")};
}

/** The value that an answer's text says, or the Problem. */
function read(path, answer, text) {
	let value = {};
	try {
		value = text ? JSON.parse(text) : {};
	} catch {
		value = {detail: text.slice(0, 300)};
	}
	if (!answer.ok) {
		if (answer.status === 401 && path !== "/session" && !path.startsWith("/session/"))
			lost();
		throw new Problem(answer.status, value);
	}
	return value;
}

/** `byUser`: a person asked for it just now, so that their session lives on. The stream and charts never say so. */
export function get(path, {byUser = false} = {}) {
	return send("GET", path, null, byUser ? {"X-Dari-User": "1"} : {});
}

export function post(path, body, headers = {}) {
	return send("POST", path, body, {"X-Dari-User": "1", ...headers});
}

export function patch(path, body, gen) {
	return send("PATCH", path, body, {"X-Dari-User": "1", ...(gen === undefined ? {} : {"If-Match": `"${gen}"`})});
}

export function put(path, body) {
	return send("PUT", path, body, {"X-Dari-User": "1"});
}

export function remove(path, body) {
	return send("DELETE", path, body, {"X-Dari-User": "1"});
}

/** A key for one intent: whoever presses twice, or sends again after a broken connection, makes one thing. */
export function intent() {
	return crypto.randomUUID ? crypto.randomUUID() : Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
}

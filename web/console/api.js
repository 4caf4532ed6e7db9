// SPDX-License-Identifier: Apache-2.0
// Client of /api/v1: every request of the pages goes through here. A failure is a Problem, with the server's message, its advice and, if known, the
// field. Nothing here retries a request, so a page shows exactly what the server answered.

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

/** The server cannot be reached, or the connection broke: the outcome of the request is unknown. */
export class Unreachable extends Error {}

let lost = () => {};
/** Handler for the end of the session: a request was answered with 401. */
export function onSessionLost(f) {
	lost = f;
}

/** Cursor of the next page, from the end of an answer's text; "" if there is none. */
function nextOf(text) {
	const end = text.slice(-300), at = end.lastIndexOf('"next":"');
	return at < 0 ? "" : end.slice(at + 8, end.indexOf('"', at + 8));
}

/** All pages of a list; each is requested before the previous one is parsed. f(page) may return false to stop. */
export async function pages(path, f) {
	let next = text("GET", path, null, {});
	for (;;) {
		const {answer, text: said} = await next, after = answer.ok ? nextOf(said) : "";
		next = after ? text("GET", `${path}&after=${encodeURIComponent(after)}`, null, {}) : null;
		next?.catch(() => {}); // nobody may await it
		if (f(read(path, answer, said)) === false || !next)
			return;
	}
}

async function send(method, path, body, headers) {
	const {answer, text: said} = await text(method, path, body, headers);
	return read(path, answer, said);
}

/** Sends a request; returns the answer, and its text. */
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

/** Parses an answer's text; throws the Problem of a failure. */
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

/** `byUser`: a user action caused the request, which extends the session. The stream and charts never set it. */
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

/** An idempotency key for one intent: pressing twice, or sending again after a broken connection, creates one resource. */
export function intent() {
	return crypto.randomUUID ? crypto.randomUUID() : Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
}

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

async function send(method, path, body, headers) {
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
	const text = await answer.text().catch(() => "");
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

// SPDX-License-Identifier: Apache-2.0
// The live stream, shared by all windows of a browser: HTTP/1.1 allows six connections to a host over all windows, and a stream occupies one. The
// window with the lock opens the stream and forwards its events to the others. When that window is closed, or hidden for a minute, another one gets
// the lock. The next stream continues after the last event. After a gap that the server cannot fill, all data are fetched again.
import {apply, everybodys, reloadAll, touch} from "./store.js";
import {BASE, get, Unreachable} from "./api.js";

const HIDDEN_MS = 60_000;
const LOOK_MS = 30_000; // a silent stream may be dead: browsers do not report the comments that keep it open

/** State shown in the header: "live", "late" (interrupted), "off" (signed out). `at`: time of the last event. */
export const health = {state: "connecting", at: 0};

let scope = "";            // account: windows of another account use another lock
let last = "";             // id of the last message
let channel = null, source = null, giveUp = null, hiddenTimer = 0, retryTimer = 0, lookTimer = 0, retryMs = 500;
let ended = () => {};

/** Handler for a stream that the server has ended for good. */
export function onEnd(f) {
	ended = f;
}

function setState(state) {
	if (health.state !== state)
		touch();
	health.state = state;
}

function heard() {
	health.at = Date.now();
	retryMs = 500;
	setState("live");
	clearTimeout(lookTimer);
	if (source)
		lookTimer = setTimeout(look, LOOK_MS);
}

/** Checks whether the server is alive after a silence. */
function look() {
	const mine = source;
	get("/session").then(() => mine === source && tell({what: "health", state: "live"}), () => mine === source && broken());
}

function take(message) {
	if (message.what === "rows") {
		if (message.before !== last && last !== "")
			reloadAll(); // this window has missed something
		last = message.id;
		apply(JSON.parse(message.text));
		heard();
	} else if (message.what === "reset") {
		last = message.id || "";
		reloadAll();
		heard();
	} else if (message.what === "health") {
		if (message.state === "live")
			heard();
		else
			setState(message.state);
	} else if (message.what === "bye") {
		ended();
	}
}

/** Sends a message to this window and all others. */
function tell(message) {
	channel?.postMessage(message);
	take(message);
}

function close() {
	source?.close();
	source = null;
	clearTimeout(retryTimer);
	clearTimeout(lookTimer);
}

function broken() {
	close();
	tell({what: "health", state: "late"});
	retryTimer = setTimeout(reopen, retryMs);
	retryMs = Math.min(retryMs * 1.7, 5000);
}

/** Checks the server and the session before reopening the stream, because a failed stream shows no reason. */
function reopen() {
	get("/session").then(() => giveUp && open(), (problem) => (problem instanceof Unreachable || problem.status !== 401 ? giveUp && broken() : tell({what: "bye"})));
}

function open() {
	close();
	const query = new URLSearchParams({...(last ? {since: last} : {}), ...(everybodys.size ? {all: [...everybodys].join()} : {})});
	source = new EventSource(`${BASE}/stream?${query}`);
	source.onopen = () => tell({what: "health", state: "live"});
	source.onerror = broken;
	source.addEventListener("rows", (event) => {
		tell({what: "rows", id: event.lastEventId, before: last, text: event.data});
	});
	source.addEventListener("reset", (event) => tell({what: "reset", id: event.lastEventId}));
	source.addEventListener("bye", () => {
		broken();
		tell({what: "bye"}); // rights may have changed: the session is requested again
	});
}

/** Waits until no other window has the stream, and keeps it until this one is hidden for long, or closed. */
function stand() {
	if (giveUp || !scope || document.visibilityState === "hidden")
		return;
	const mine = scope;
	const controller = new AbortController();
	giveUp = () => controller.abort();
	const hold = () => new Promise((release) => {
		giveUp = release;
		if (scope === mine)
			open();
		else
			release();
	});
	if (!navigator.locks) { // plain http to another machine has no locks: each window has its own stream
		hold();
		return;
	}
	navigator.locks.request("dari-stream " + mine, {signal: controller.signal}, hold)
		.catch(() => {})
		.finally(() => {
			close();
			giveUp = null;
			if (scope)
				stand();
		});
}

function leave() {
	const release = giveUp;
	giveUp = null;
	close();
	release?.();
}

document.addEventListener("visibilitychange", () => {
	clearTimeout(hiddenTimer);
	if (document.visibilityState === "hidden")
		hiddenTimer = setTimeout(leave, HIDDEN_MS);
	else
		stand();
});
addEventListener("pageshow", (event) => {
	if (event.persisted) // restored from the cache, in which no events arrived
		reloadAll();
});
addEventListener("online", () => source === null && giveUp && open());

/** Starts the stream for this account. */
export function start(name) {
	if (scope === name)
		return;
	stop();
	scope = name;
	last = "";
	if ("BroadcastChannel" in window) {
		channel = new BroadcastChannel("dari-stream " + name);
		channel.onmessage = (event) => take(event.data);
	}
	stand();
}

export function stop() {
	scope = "";
	leave();
	channel?.close();
	channel = null;
	health.state = "off";
}

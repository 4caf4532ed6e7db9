// SPDX-License-Identifier: Apache-2.0
// What the server says of changed rows, once for all windows of a browser: HTTP/1.1 gives a host six connections over all windows,
// and a stream holds one. The window that has the lock opens the stream and tells the others what it says; when it is closed, or
// nobody has looked at it for a minute, another one has the lock. The next stream begins where the last one was read to. After a gap
// that the server cannot fill, what is held is fetched anew.
import {apply, everybodys, reloadAll, touch} from "./store.js";
import {BASE, get, Unreachable} from "./api.js";

const HIDDEN_MS = 60_000;
const LOOK_MS = 30_000; // a silent stream may be a dead one: a browser is not told of the comments that keep it open

/** What the header shows: "live", "late" (broken off), "off" (signed out). `at` is when something was heard last. */
export const health = {state: "connecting", at: 0};

let scope = "";            // whose: windows of another account have another lock
let last = "";             // id of the last message
let channel = null, source = null, giveUp = null, hiddenTimer = 0, retryTimer = 0, lookTimer = 0, retryMs = 500;
let ended = () => {};

/** What is done when the server has ended the stream for good. */
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

/** Whether the server is there at all, when it has said nothing for a while. */
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

/** To this window and all others. */
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

/** Whether the server is there, and the session still good, before the stream is asked for again: it could not say why not. */
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
		tell({what: "bye"}); // the rights may be others: who is here is asked anew
	});
}

/** Waits until no other window has the stream, and holds it until this one is hidden for long, or ends. */
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
	if (!navigator.locks) { // plain http elsewhere than on this machine: each window for itself
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
	if (event.persisted) // back from where nothing was heard
		reloadAll();
});
addEventListener("online", () => source === null && giveUp && open());

/** Begins for this account. */
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

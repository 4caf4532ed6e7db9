// SPDX-License-Identifier: Apache-2.0
// The display of an instance, with keyboard and mouse: drawn by noVNC's core, which the server has from a separate package. The page's own keys are
// disabled while the display has the focus; Ctrl F6 releases the focus.
import {html, nothing, stateOf, nameOf, shortId, problemCard, ask, waiting} from "../parts.js";
import {findRow, need, touch} from "../store.js";
import {href} from "../router.js";
import {t} from "../words.js";
import {post} from "../api.js";

const CORE = "/console/vnc/core/rfb.js";
const KEY_RETURN = 0xff0d, KEY_TAB = 0xff09, UNICODE = 0x01000000;
const TEXT_MAX = 4096;

/** The open display; state: "idle", "opening", "open", "closed", "failed". */
let now = {id: "", state: "idle", rfb: null, problem: null};

export function leave() {
	now.rfb?.disconnect();
	now = {id: "", state: "idle", rfb: null, problem: null};
}

function become(mine, state, problem = null) {
	if (now !== mine)
		return;
	Object.assign(mine, {state, problem, rfb: state === "open" || state === "opening" ? mine.rfb : null});
	touch();
}

async function connect(id) {
	leave();
	const mine = now = {id, state: "opening", rfb: null, problem: null};
	touch();
	let RFB, answer;
	try {
		RFB = (await import(CORE)).default;
	} catch {
		become(mine, "failed", new Error(t("noVNC is not installed on the server. Install the Debian package novnc there.")));
		return;
	}
	try {
		answer = await post(`/instances/${id}/console`, {type: "vnc"});
	} catch (problem) {
		become(mine, "failed", problem);
		return;
	}
	const place = document.getElementById("screen"), path = new URL(answer.url).searchParams.get("path");
	if (now !== mine || !place)
		return;
	const socket = new URL("/" + path, location.href);
	socket.protocol = location.protocol === "https:" ? "wss:" : "ws:";
	const rfb = mine.rfb = new RFB(place, socket.href, {wsProtocols: ["binary"]});
	rfb.scaleViewport = true;
	rfb.background = "transparent";
	rfb.addEventListener("connect", () => {
		become(mine, "open");
		if (!document.querySelector(".palette, dialog[open]")) // what is typed there is not for the guest
			rfb.focus();
	});
	rfb.addEventListener("disconnect", () => become(mine, "closed"));
}

function typeText() {
	const {rfb} = now;
	ask({title: t("Send text"), label: t("Send"),
		body: () => html`<label class="f">${t("Text")}<textarea name="text" rows="4" maxlength=${TEXT_MAX} autofocus></textarea></label><p class="hint">${t("Sends the text as keystrokes, using the guest’s keyboard layout.")}</p>`,
		submit: async (form) => {
			for (const character of form.get("text").replace(/\r\n?/g, "\n")) {
				const code = character.codePointAt(0);
				rfb.sendKey(character === "\n" ? KEY_RETURN : character === "\t" ? KEY_TAB : code < 0x100 ? code : UNICODE | code);
			}
		}});
}

addEventListener("keydown", (event) => {
	if (event.key !== "F6" || !event.ctrlKey || !document.getElementById("screen")?.contains(event.target))
		return;
	event.preventDefault();
	event.stopPropagation();
	document.getElementById("screen-first")?.focus();
}, true);

const WORDS = {idle: () => "", opening: () => t("Connecting…"), open: () => t("Keyboard input goes to the guest. Press Ctrl+F6 to release it."), closed: () => t("Console closed."), failed: () => ""};

export function view({id}) {
	need("instances");
	const r = findRow("instances", id);
	if (!r)
		return need("instances").isLoaded ? html`<h1>${t("Instance not found")}</h1><p><a href=${href("instances")}>${t("All instances")}</a></p>` : waiting();
	if (now.id !== r.id)
		requestAnimationFrame(() => now.id !== r.id && document.getElementById("screen") && connect(r.id));
	const isOpen = now.state === "open";
	return html`<div class="head"><h1>${t("Console of {name}", {name: nameOf(r)})}</h1>${stateOf(r)}<a class="m" href=${href("instances", shortId(r))}>${shortId(r)}</a></div>
		<div class="bar" role="toolbar" aria-label=${t("Actions")}>
			<button type="button" id="screen-first" ?disabled=${!isOpen} @click=${() => now.rfb.focus()}>${t("Capture keyboard")}</button>
			<button type="button" ?disabled=${!isOpen} @click=${() => { now.rfb.sendCtrlAltDel(); now.rfb.focus(); }}>Ctrl Alt Del</button>
			<button type="button" ?disabled=${!isOpen} @click=${typeText}>${t("Send text…")}</button>
			<button type="button" ?disabled=${!isOpen} @click=${() => { document.getElementById("screen").requestFullscreen(); now.rfb.focus(); }}>${t("Full screen")}</button>
			${["closed", "failed"].includes(now.state) ? html`<button type="button" class="b1" @click=${() => connect(r.id)}>${t("Reconnect")}</button>` : nothing}
			<span class="dim" role="status">${WORDS[now.state]()}</span></div>
		${problemCard(now.problem)}
		<div id="screen" class="screen" role="group" aria-label=${t("Console of {name}", {name: nameOf(r)})}></div>`;
}

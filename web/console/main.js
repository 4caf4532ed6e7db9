// SPDX-License-Identifier: Apache-2.0
// The frame around every page: user, menu, live indicator, keys, and the command of the last click. A repaint renders everything; lit-html updates
// only differences.
import {html, nothing, render} from "./vendor/lit-html/lit-html.js";
import {guard} from "./vendor/lit-html/directives/guard.js";
import {onRepaint, touch, need, countOf, everybodys, forgetAll, countTouches} from "./store.js";
import {here, href, go, onArrival} from "./router.js";
import {t, clock, speak, speakAsChosen, language, languages, number, chosen, keep} from "./words.js";
import {get, onSessionLost, Unreachable} from "./api.js";
import {start as startStream, stop as stopStream, health, onEnd} from "./stream.js";
import {dialogView, showDialog, notesView, hasDialog, problemCard, waiting} from "./parts.js";
import {leaveList, measure} from "./list.js";
import {session, setSession, signOut, chooseAccount, isOperator} from "./session.js";
import {PAGES, pageOf} from "./pages.js";
import {commandView} from "./command_bar.js";
import {later} from "./later.js";
import {listen} from "./keys.js";

const loaded = new Map(); // page → its module, or the error of loading it
let lastPage = "", lastLanguage = "";
const palette = later(() => import("./palette.js"));
let isPaletteWanted = false, isPaletteOpening = false;

function moduleOf(name) {
	const entry = pageOf(name);
	if (!entry)
		return null;
	if (!loaded.has(name)) {
		loaded.set(name, undefined);
		import(`./pages/${entry.file ?? name}.js`).then((m) => loaded.set(name, m), (problem) => loaded.set(name, {problem})).then(touch);
	}
	return loaded.get(name);
}

// ---- the palette, loaded on first use ----

function openPalette() {
	isPaletteWanted = isPaletteOpening = true;
	touch();
}

const isPaletteOpen = () => isPaletteOpening || Boolean(isPaletteWanted && palette()?.isPaletteOpen());

function paletteView() {
	const module = isPaletteWanted ? palette() : null;
	if (module && isPaletteOpening) {
		isPaletteOpening = false;
		module.openPalette();
	}
	return module ? module.paletteView() : nothing;
}

// ---- the frame ----

function healthView() {
	const [tone, words] = health.state === "live" ? ["ok", t("live")]
		: health.state === "late" ? ["go", health.at ? t("as of {time}, connecting…", {time: clock(health.at)}) : t("connecting…")]
		: ["off", t("connecting…")];
	return html`<span class="live ${tone}" role="status"><span aria-hidden="true">${tone === "ok" ? "●" : "◐"}</span> ${words}</span>`;
}

function setTheme(theme) {
	keep("dari.theme", theme);
	applyTheme();
	touch();
}

function applyTheme() {
	const theme = chosen("dari.theme", "auto");
	document.documentElement.style.colorScheme = theme === "auto" ? "light dark" : theme;
}

function whoMenu() {
	const theme = chosen("dari.theme", "auto");
	const accounts = session.accounts ?? [];
	return html`<details class="menu" @toggle=${(e) => { e.target.querySelector("summary").setAttribute("aria-expanded", e.target.open); }}><summary><span class="whoname">${session.account?.name ? `${session.account.name} / ` : ""}${session.user?.name ?? ""}</span><span aria-hidden="true">▾</span></summary>
		<div class="sheet">
		${accounts.length > 1 ? html`<label class="f">${t("Account")}<select @change=${(e) => chooseAccount(e.target.value)}>${accounts.map((a) => html`<option value=${a.id} ?selected=${a.id === session.account?.id}>${a.name}</option>`)}</select></label>` : nothing}
		<label class="f">${t("Language")}<select @change=${(e) => { keep("dari.language", e.target.value); speak(e.target.value); }}>${Object.entries(languages()).map(([code, name]) => html`<option value=${code} lang=${code} ?selected=${code === language}>${name}</option>`)}</select></label>
		<label class="f">${t("Theme")}<select @change=${(e) => setTheme(e.target.value)}>${[["auto", t("System default")], ["light", t("Light")], ["dark", t("Dark")]].map(([v, w]) => html`<option value=${v} ?selected=${v === theme}>${w}</option>`)}</select></label>
		<label class="check"><input type="checkbox" ?checked=${chosen("dari.letters", "on") === "on"} @change=${(e) => keep("dari.letters", e.target.checked ? "on" : "off")}> ${t("Keyboard shortcuts")}</label>
		<a class="b" href=${href("you")}>${t("My account")}</a><button type="button" @click=${signOut}>${t("Sign out")}</button></div></details>`;
}

const shownCount = (p) => (!p.counts || (p.group === "region" && !isOperator()) ? "" : !p.count ? countOf(p.kind) : need(p.kind).isLoaded ? p.count() : "");

function navView(counts) {
	const link = (p) => {
		const n = counts[PAGES.indexOf(p)];
		return html`<a href=${href(p.name)} aria-current=${here.page === p.name || (here.page === "" && p.name === "overview") ? "page" : nothing}>${p.title()}${n === "" ? nothing : html` <span class="num">${number(n)}</span>`}</a>`;
	};
	const groups = isOperator() ? [[t("Region"), "region"], [t("Resources"), "main"], [t("Account"), "account"]] : [["", "main"], [t("Account"), "account"]];
	return html`<nav class="side" aria-label=${t("Navigation")}>${groups.map(([title, group]) => html`${title ? html`<h2>${title}</h2>` : nothing}${PAGES.filter((p) => p.group === group && !p.hidden?.()).map(link)}`)}</nav>`;
}

function pageView() {
	const name = here.page || "overview", isTheirs = pageOf(name)?.group === "region" && !isOperator(), module = isTheirs ? null : moduleOf(name);
	if (module === null)
		return html`<h1>${t("Page not found")}</h1><p><a href=${href("overview")}>${t("Go to Overview")}</a></p>`;
	if (!module)
		return waiting();
	if (module.problem)
		return html`<h1>${t("This page could not be loaded")}</h1><p>${t("The server may have been upgraded. Reload the page.")} <button type="button" @click=${() => location.reload()}>${t("Reload")}</button></p>`;
	return module.view(here);
}

function app() {
	if (session.state === "unknown")
		return session.problem ? html`<main class="alone">${problemCard(session.problem)}</main>` : html`<main class="alone">${waiting()}</main>`;
	if (session.state === "out") {
		const module = moduleOf("sign-in");
		return html`<main id="main" class="alone">${module?.view ? module.view(here) : waiting()}</main>${notesView()}${dialogView()}`;
	}
	const counts = PAGES.map(shownCount);
	return html`${guard([countTouches()], () => html`<a class="skip" href="#main">${t("Skip to content")}</a>
		<header class="top"><a class="brand" href=${href("overview")}><b lang="ko">다리</b> Dari</a>
		<button class="find" type="button" @click=${() => openPalette()}><span>${t("Search pages, resources and actions")}</span><kbd>Ctrl K</kbd></button>
		${healthView()}${whoMenu()}</header>`)}
		<div class="lay">${guard([countTouches(), ...counts], () => navView(counts))}<main id="main" tabindex="-1" class=${health.state === "late" ? "late" : ""}>${pageView()}${commandView()}</main></div>
		${notesView()}${dialogView()}${paletteView()}`;
}

function paint() {
	const page = here.page + "/" + here.id;
	if (page !== lastPage) {
		leaveList();
		loaded.get(lastPage.split("/")[0])?.leave?.();
		lastPage = page;
	}
	render(app(), document.getElementById("app"));
	showDialog();
	measure();
	if (lastLanguage !== language) {
		lastLanguage = language;
		requestAnimationFrame(showCurrent); // words of another width have moved the link
	}
	const title = document.querySelector("h1")?.textContent;
	document.title = title ? `${title} · Dari` : "Dari";
}

// ---- start ----

/** Loads the page's module and its rows while the session is requested. */
function warm() {
	const name = here.page || "overview";
	moduleOf(name);
	if (name === "instances")
		for (const kind of ["instances", "instance-types", "images", "zones"])
			need(kind);
}

/** Pasting a link into a tab with the console open only changes the fragment, and loads nothing. */
addEventListener("hashchange", () => {
	if (!/^#(t=|invitation\?)/.test(location.hash))
		return;
	session.problem = null;
	stopStream();
	forgetAll();
	begin();
});

export async function begin() {
	const ticket = /^#t=([\w-]+)$/.exec(location.hash)?.[1];
	const invitation = /^#invitation\?(.+)$/.exec(location.hash)?.[1];
	if (ticket || invitation)
		history.replaceState(null, "", location.pathname + location.search); // keeps ticket and password out of the history
	session.invitation = invitation ? Object.fromEntries(new URLSearchParams(invitation)) : null;
	try {
		if (ticket)
			await session.enter({ticket});
		else if (invitation)
			setSession(null); // the sign-in page asks for the password, whoever was signed in here
		else
			setSession(await get("/session", {byUser: true}));
	} catch (problem) {
		if (problem instanceof Unreachable) {
			session.problem = problem;
			setTimeout(begin, 2000);
		} else {
			session.problem = ticket ? problem : null;
			setSession(null);
		}
	}
	touch();
}

/** If the menu is a single line, scrolls to the present page. */
function showCurrent() {
	const nav = document.querySelector("nav.side"), link = nav?.querySelector("[aria-current]");
	if (link && nav.scrollWidth > nav.clientWidth)
		nav.scrollLeft = link.offsetLeft - (nav.clientWidth - link.offsetWidth) / 2;
}

onRepaint(paint);
onArrival(() => {
	scrollTo(0, 0);
	document.querySelector("details.menu[open]")?.removeAttribute("open");
	requestAnimationFrame(() => {
		if (!hasDialog())
			document.getElementById("main")?.focus({preventScroll: true});
		showCurrent();
	});
});
onSessionLost(() => session.state === "in" && begin());
onEnd(begin);
session.onChange = () => {
	everybodys.clear();
	if (isOperator())
		everybodys.add("tickets");
	if (session.state === "in") {
		startStream(session.user.id + " " + (session.account?.id ?? ""));
	} else {
		stopStream();
		forgetAll();
	}
};
addEventListener("resize", touch);
setInterval(() => document.visibilityState === "visible" && touch(), 5000); // repaints the ages of states
listen({openPalette, isPaletteOpen});
applyTheme();
warm();
speakAsChosen().then(begin);

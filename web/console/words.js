// SPDX-License-Identifier: Apache-2.0
// Localisation. An English sentence is its own key; other languages have tables (words/). "{n}" is replaced by a value. Numbers, sizes, times and
// money are formatted for the language.
import {touch} from "./store.js";
import {plurals} from "./words/en.js";

const LANGUAGES = {en: "English", ko: "한국어"};
let table = null;
export let language = "en";
let rule = new Intl.PluralRules("en");

function kept(name) {
	try {
		return localStorage.getItem(name);
	} catch {
		return null;
	}
}

/** Stores a choice in this browser; if that is impossible, it is kept until the page is closed. */
export function keep(name, value) {
	try {
		localStorage.setItem(name, value);
	} catch { /* for example in a private window */ }
}

export function chosen(name, otherwise = "") {
	return kept(name) ?? otherwise;
}

export async function speak(wanted) {
	const name = LANGUAGES[wanted] ? wanted : "en";
	table = name === "en" ? null : (await import(`./words/${name}.js`)).words;
	language = name;
	rule = new Intl.PluralRules(name);
	formats.clear();
	document.documentElement.lang = name;
	touch();
}

export function speakAsChosen() {
	const wanted = kept("dari.language") ?? navigator.languages.map((l) => l.slice(0, 2)).find((l) => LANGUAGES[l]) ?? "en";
	return speak(wanted);
}

export function languages() {
	return LANGUAGES;
}

/** The sentence in the reader's language. A key with plural forms is chosen by {n}. */
export function t(key, values) {
	let text = table?.[key] ?? plurals[key] ?? key;
	if (typeof text === "object")
		text = text[rule.select(values?.n ?? 0)] ?? text.other;
	return values ? text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? format(values[name]) : whole)) : text;
}

const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;
function format(value) {
	if (typeof value === "number")
		return number(value);
	const text = String(value);
	return RIGHT_TO_LEFT.test(text) ? `\u2068${text}\u2069` : text; // isolates right-to-left text, so that it does not affect the sentence around it
}

const formats = new Map();
function formatter(kind, options) {
	const key = kind.name + JSON.stringify(options);
	let f = formats.get(key);
	if (!f)
		formats.set(key, (f = new kind(language, options)));
	return f;
}

export function number(n, options = {}) {
	return formatter(Intl.NumberFormat, options).format(n);
}

/** Formats bytes in a unit that needs few digits: "8 GiB". */
export function size(bytes) {
	const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
	let k = 0;
	for (let n = bytes ?? 0; n >= 1024 && k < units.length - 1; n /= 1024)
		k++;
	return `${number((bytes ?? 0) / 1024 ** k, {maximumFractionDigits: 1})} ${units[k]}`;
}

/** Formats microseconds since 1970, as a time of day if it is today. */
export function time(us) {
	if (!us)
		return "–";
	const at = new Date(us / 1000), isToday = at.toDateString() === new Date().toDateString();
	return formatter(Intl.DateTimeFormat, isToday ? {hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23"}
		: {year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23"}).format(at);
}

/** Formats milliseconds since 1970, as a time of day. */
export function clock(ms) {
	return formatter(Intl.DateTimeFormat, {hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23"}).format(ms);
}

/** Formats a duration in its largest unit: "3 min". */
export function span(us) {
	const s = Math.max(0, us / 1e6);
	const [n, unit] = s < 60 ? [s, "second"] : s < 3600 ? [s / 60, "minute"] : s < 172800 ? [s / 3600, "hour"] : [s / 86400, "day"];
	return formatter(Intl.NumberFormat, {style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 0}).format(Math.floor(n));
}

export function since(us) {
	return span(Date.now() * 1000 - us);
}

/** Formats integer micro-units of a currency. */
export function money(micro, currency) {
	return formatter(Intl.NumberFormat, {style: "currency", currency, maximumFractionDigits: micro && Math.abs(micro) < 1e6 ? 4 : 2}).format(micro / 1e6);
}

/** Formats an exact decimal of a currency, given as a string: only Intl rounds it. */
export function amount(text, currency) {
	const value = Number(text);
	return formatter(Intl.NumberFormat, {style: "currency", currency, ...(value && Math.abs(value) < 1 ? {maximumFractionDigits: 4} : {})}).format(text);
}

/** "November 2026" for "2026-11". */
export function monthName(month) {
	return formatter(Intl.DateTimeFormat, {year: "numeric", month: "long", timeZone: "UTC"}).format(new Date(month + "-01T00:00:00Z"));
}

export function day(ms) {
	return formatter(Intl.DateTimeFormat, {month: "short", day: "numeric", timeZone: "UTC"}).format(new Date(ms));
}

export function list(items) {
	return formatter(Intl.ListFormat, {type: "conjunction"}).format(items);
}

/** True if a text contains the needle: ignoring case, and in Korean also by initial consonants ("ㄷㄹ" finds "다리"). */
const INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ";
function initials(text) {
	let out = "";
	for (const c of text) {
		const k = c.charCodeAt(0) - 0xac00;
		out += k >= 0 && k < 11172 ? INITIALS[Math.floor(k / 588)] : c;
	}
	return out;
}
export function matches(text, needle) {
	if (!needle)
		return true;
	const folded = text.toLowerCase();
	return folded.includes(needle) || (/[ㄱ-ㅎ]/.test(needle) && initials(folded).includes(needle));
}

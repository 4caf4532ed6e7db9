// SPDX-License-Identifier: Apache-2.0
// Charts of an instance's or a host's usage: processors, memory, network, disks. While a chart is visible, its data are requested every ten seconds,
// not streamed. uPlot draws them, loaded with the first chart; text beside each chart has the newest values for screen readers.
import {html, nothing} from "./parts.js";
import {touch} from "./store.js";
import {get} from "./api.js";
import {t, number, size, language, chosen, keep} from "./words.js";

const ON_SCREEN_MS = 12_000; // a page is repainted at least every five seconds
const SPANS = [["15m", 900, () => t("15 minutes")], ["3h", 3 * 3600, () => t("3 hours")], ["1d", 86400, () => t("1 day")], ["30d", 30 * 86400, () => t("30 days")]];

let uplot = null, isAsked = false;
function load() {
	if (isAsked)
		return;
	isAsked = true;
	const sheet = document.createElement("link");
	sheet.rel = "stylesheet";
	sheet.href = new URL("./vendor/uplot/dist/uPlot.min.css", import.meta.url).href;
	document.head.append(sheet);
	import("./vendor/uplot/dist/uPlot.esm.js").then((m) => {
		uplot = m.default;
		touch();
	}, () => {
		isAsked = false;
	});
}

/** Steps of a byte axis: powers of two, so that labels are whole units. */
const BINARY_STEPS = Array.from({length: 52}, (_, k) => 2 ** k);

/** A custom element whose content lit-html leaves alone. Assigning its data draws it; colours come from the style sheet. */
class Chart extends HTMLElement {
	#plot = null;
	#made = "";
	#figures = null;
	#resized = new ResizeObserver(() => this.#plot?.setSize(this.#size()));

	set figures(figures) {
		if (this.#figures === figures || !figures)
			return;
		this.#figures = figures;
		this.#draw();
	}

	connectedCallback() {
		this.#resized.observe(this);
		this.#draw();
	}

	disconnectedCallback() {
		this.#resized.disconnect();
		this.#plot?.destroy();
		this.#plot = null;
	}

	#size() {
		return {width: Math.max(120, this.clientWidth), height: 140};
	}

	#draw() {
		const f = this.#figures;
		if (!uplot || !f || !this.isConnected)
			return;
		const made = language + f.data.length + document.documentElement.style.colorScheme;
		if (this.#plot && this.#made === made) {
			this.#plot.setData(f.data);
			this.#plot.setScale("x", {min: f.from, max: f.to});
			return;
		}
		this.#plot?.destroy();
		this.#made = made;
		const ink = () => getComputedStyle(this).color, line = () => getComputedStyle(this).borderTopColor, second = () => getComputedStyle(this).outlineColor;
		const axis = {stroke: ink, grid: {stroke: line, width: 0.5}, ticks: {show: false}};
		this.#plot = new uplot({
			...this.#size(), legend: {show: false}, cursor: {show: false}, scales: {x: {time: true, range: () => [this.#figures.from, this.#figures.to]}, y: {range: (u, min, max) => [0, Math.max(f.most ?? 0, (max || 1) * 1.1)]}},
			axes: [{...axis, size: 26, values: (u, at) => at.map((s) => new Date(s * 1000).toLocaleString(language, f.to - f.from > 2 * 86400 ? {month: "numeric", day: "numeric"} : {hour: "2-digit", minute: "2-digit", hourCycle: "h23"}))},
				{...axis, size: 74, values: (u, at) => at.map(f.say), ...(f.isBytes ? {incrs: BINARY_STEPS} : {})}],
			series: [{}, {stroke: second, width: 1.5, spanGaps: false}, {stroke: ink, width: 1.5, dash: [4, 3], spanGaps: false}].slice(0, f.data.length),
		}, f.data, this);
	}
}
customElements.define("dari-chart", Chart);

// ---- data ----

let known = {path: "", span: "", data: null, problem: null}, asked = "", timer = 0, seenAt = 0;

function fetchFigures(path, [name, seconds]) {
	clearTimeout(timer);
	asked = path + name + language; // the data contain words
	const mine = asked, to = Date.now();
	get(`${path}/metrics?from=${(to - seconds * 1000) * 1000}&to=${to * 1000}`).then((said) => ({path, span: name, data: shape(said, seconds, to / 1000), problem: null}),
		(problem) => ({...known, path, span: name, data: known.path === path && known.span === name ? known.data : null, problem}))
		.then((value) => {
			if (asked !== mine)
				return;
			known = value;
			timer = setTimeout(() => performance.now() - seenAt < ON_SCREEN_MS && asked === mine && document.visibilityState === "visible" ? fetchFigures(path, [name, seconds]) : (asked = ""), 10_000);
			touch();
		});
}

/** Converts the server's columns; a gap between two points stays a gap. */
function shape({columns, points, step_s}, seconds, to) {
	const at = Object.fromEntries(columns.map((c, k) => [c.name, k])), rows = [];
	for (const p of points) {
		const last = rows.at(-1);
		if (last && p[0] - last[0] > step_s * 2.5e6)
			rows.push([last[0] + step_s * 1e6]);
		rows.push(p);
	}
	const column = (name) => rows.map((r) => r[at[name]] ?? null);
	const data = (...names) => ({data: [rows.map((r) => r[0] / 1e6), ...names.map(column)], from: to - seconds, to});
	const rate = (v) => t("{size}/s", {size: size(v)});
	const percent = (v) => number(v / 100, {style: "percent", maximumFractionDigits: 1});
	return {
		count: points.length, charts: [
			{title: t("CPU utilization"), say: percent, most: 10, names: [t("used")], ...data("cpu")},
			{title: t("Memory used"), say: size, isBytes: true, most: 1024, names: [t("used")], ...data("memory")},
			{title: t("Network"), say: rate, isBytes: true, most: 1024, names: [t("received"), t("sent")], ...data("received", "sent")},
			{title: t("Disk read/write"), say: rate, isBytes: true, most: 1024, names: [t("read"), t("written")], ...data("read", "written")},
		],
	};
}

function newest(chart) {
	return chart.names.map((name, k) => `${name} ${chart.say(chart.data[k + 1].findLast((v) => v !== null) ?? 0)}`).join(", ");
}

/** Four charts of the resource at the path: "/instances/…", "/hosts/…". isOn: false if the resource is stopped, so that no new values come. */
export function chartsCard(path, isOn = true) {
	load();
	seenAt = performance.now();
	const span = SPANS.find(([name]) => name === chosen("dari.span", "15m")) ?? SPANS[0];
	if (asked !== path + span[0] + language)
		fetchFigures(path, span);
	const mine = known.path === path && known.span === span[0] ? known : {data: null, problem: null};
	return html`<div class="card charts"><div class="head"><h2>${t("Monitoring")}</h2><span class="sp"></span><div class="bar" role="group" aria-label=${t("Time range")}>${SPANS.map(([name, , title]) => html`<button type="button" class="chip" aria-pressed=${name === span[0] ? "true" : "false"} @click=${() => { keep("dari.span", name); touch(); }}>${title()}</button>`)}</div></div>
		${mine.data?.count ? html`<div class="half">${mine.data.charts.map((c) => html`<figure><figcaption><strong>${c.title}</strong> <span class="dim num">${newest(c)}</span></figcaption><dari-chart role="img" aria-label=${`${c.title}: ${newest(c)}`} .figures=${uplot ? c : null}></dari-chart></figure>`)}</div>`
		: mine.problem ? html`<p class="dim">${mine.problem.message}</p>` : html`<p class="dim">${mine.data ? isOn ? t("No data yet. The first values appear within a few seconds.") : t("No data in this time range: the instance is stopped.") : t("Checking…")}</p>`}${nothing}</div>`;
}

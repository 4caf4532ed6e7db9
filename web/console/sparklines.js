// SPDX-License-Identifier: Apache-2.0
// Sparklines in a list: processor usage of instances in the last minutes. One request every ten seconds asks for the visible rows that run; without a
// visible list nothing is requested.
import {html, nothing} from "./parts.js";
import {touch} from "./store.js";
import {get} from "./api.js";
import {t, number} from "./words.js";

const EVERY_MS = 10_000, SOON_MS = 150, ON_SCREEN_MS = 6_000; // a page is repainted at least every five seconds
const AT_ONCE = 100; // instances in one answer, a limit of /api/v1
const KEPT_MAX = 2000;
const WIDTH = 56, HEIGHT = 18, SPAN_S = 900, LEAST_PERCENT = 10;

/** id → {path, now: percent} */
const lines = new Map();
let ids = [], timer = 0, seenAt = -Infinity, asksFor = "", isAsking = false, isSoon = false;

function pathOf(points) {
	const to = points.at(-1)[0], most = Math.max(LEAST_PERCENT, ...points.map((p) => p[1]));
	const x = (us) => (WIDTH * (1 - (to - us) / 1e6 / SPAN_S)).toFixed(1), y = (v) => ((HEIGHT - 2) * (1 - v / most) + 1).toFixed(1);
	return points.map(([us, v], k) => `${k && us - points[k - 1][0] < 25e6 ? "L" : "M"}${x(us)} ${y(v)}`).join("");
}

function take({items}) {
	if (lines.size > KEPT_MAX)
		lines.clear();
	for (const {id, points} of items)
		if (points.length)
			lines.set(id, {path: pathOf(points), now: points.at(-1)[1]});
}

function look() {
	clearTimeout(timer);
	timer = 0;
	isSoon = false;
	if (!ids.length || document.visibilityState !== "visible" || performance.now() - seenAt > ON_SCREEN_MS)
		return;
	isAsking = true;
	asksFor = ids.join();
	get(`/instances/metrics?ids=${asksFor}`).then(take, () => {}).then(() => {
		isAsking = false;
		timer = setTimeout(look, EVERY_MS);
		touch();
	});
}

/** Called by a list at each repaint with its visible rows. Waits while the user scrolls. */
export function watch(rows) {
	seenAt = performance.now();
	ids = rows.filter((r) => r.state === "running").slice(0, AT_ONCE).map((r) => r.id);
	if (isAsking || isSoon || (timer && ids.every((id) => lines.has(id) || asksFor.includes(id))))
		return;
	clearTimeout(timer);
	isSoon = true;
	timer = setTimeout(look, SOON_MS);
}

export function sparkline(row) {
	const line = row.state === "running" ? lines.get(row.id) : null;
	if (!line)
		return nothing;
	const words = number(line.now / 100, {style: "percent", maximumFractionDigits: line.now < 10 ? 1 : 0});
	return html`<svg class="spark" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label=${t("CPU {used}", {used: words})}><path d=${line.path}></path></svg> <span class="num" aria-hidden="true">${words}</span>`;
}

// SPDX-License-Identifier: Apache-2.0
// The region, for operators: problems first, then usage, zone by zone.
import {html, nothing, nameOf, shortId, mark, gauge, waiting, refName} from "../parts.js";
import {rows, need, isReady} from "../store.js";
import {href} from "../router.js";
import {t, size, number, time} from "../words.js";
import {session} from "../session.js";
import {offerCommand} from "../command_bar.js";
import {healthCheckCard} from "../health_check.js";

const use = (hosts, name) => hosts.reduce((s, h) => s + (h.usage?.[name] ?? 0), 0);

export function view() {
	for (const k of ["hosts", "zones", "instances", "instance-types", "storage-pools"])
		need(k);
	offerCommand("hosts.list", {});
	if (!isReady("hosts", "zones"))
		return html`<h1>${t("Region")}</h1>${waiting()}`;
	const hosts = rows("hosts"), bad = hosts.filter((h) => h.state === "down" || h.conditions?.length), up = hosts.filter((h) => h.state === "up");
	const zones = rows("zones").toSorted((a, b) => a.name.localeCompare(b.name));
	const free = up.filter((h) => h.enabled !== false && !h.maintenance_us);
	const room = rows("instance-types").filter((x) => /^(t3\.(micro|medium)|m5\.(large|2xlarge|4xlarge))$/.test(x.name)).toSorted((a, b) => a.memory - b.memory).map((x) => [x, free.reduce((s, h) => s + Math.max(0, Math.floor(Math.min(
		((h.seen_memory ?? 0) - (h.reserved_memory ?? 0) - (h.usage?.memory ?? 0)) / x.memory, ((h.seen_cpus ?? 0) * (h.overcommit_percent || 100) / 100 - (h.usage?.vcpus ?? 0)) / x.vcpus))), 0)]);
	return html`<div class="head"><h1>${t("Region {name}", {name: session.region})}</h1>${bad.length ? mark("bad", t("{n} need attention", {n: bad.length})) : mark("ok", t("all hosts online"))}</div>
		${bad.map((h) => html`<div class="card why"><h2><span aria-hidden="true">▲</span> ${h.state === "down" ? t("{name} is offline since {time}", {name: h.name, time: time(h.seen_since_us)}) : `${h.name}: ${t(h.conditions[0].name)}`}</h2>
			${(h.conditions ?? []).map((c) => html`<p>${c.message}</p>${c.advice ? html`<p><strong>${t("Recommended action:")}</strong> ${c.advice}</p>` : nothing}`)}
			<p>${t("{n} instances are on this host. They were not restarted elsewhere: the host is not confirmed to be off.", {n: h.usage?.instances ?? 0})}</p><a class="b" href=${href("hosts", shortId(h))}>${t("View host")}</a></div>`)}
		<div class="grid4">${zones.map((z) => {
			const own = hosts.filter((h) => h.zone === z.id);
			const cpus = own.reduce((s, h) => s + Math.floor((h.seen_cpus ?? 0) * (h.overcommit_percent || 100) / 100), 0), memory = own.reduce((s, h) => s + (h.seen_memory ?? 0) - (h.reserved_memory ?? 0), 0);
			return html`<div class="card"><h2>${z.name}</h2><p class="hint">${t("{up} of {n} hosts online", {up: own.filter((h) => h.state === "up").length, n: own.length})}, ${t("{n} instances", {n: use(own, "instances")})}</p>
				${gauge(t("vCPUs"), use(own, "vcpus"), cpus, number)}${gauge(t("Memory"), use(own, "memory"), memory, size)}${gauge(t("Disk"), use(own, "disk"), own.reduce((s, h) => s + (h.seen_disk ?? 0), 0), size)}</div>`;
		})}
		<div class="card"><h2>${t("Available capacity")}</h2>${room.length ? html`<dl class="kv">${room.map(([x, n]) => html`<dt>${x.name}</dt><dd class=${n ? "" : "bad"}>${n ? t("{n} more", {n}) : html`▲ ${t("none")}`}</dd>`)}</dl>` : waiting()}</div></div>
		<div class="card"><h2>${t("Hosts")}</h2><div class="heat">${hosts.toSorted((a, b) => a.name.localeCompare(b.name, undefined, {numeric: true})).map((h) => {
			const share = (h.seen_memory ?? 0) > 0 ? (h.usage?.memory ?? 0) / h.seen_memory : 0;
			return html`<a href=${href("hosts", shortId(h))} class=${h.state !== "up" ? "bad" : share > 0.9 ? "go" : "ok"} title=${`${nameOf(h)} · ${refName("zones", h.zone)}`}><span aria-hidden="true">${h.state === "up" ? "●" : "▲"}</span> ${nameOf(h)} <span class="dim num">${Math.round(share * 100)} %</span></a>`;
		})}</div></div>${healthCheckCard()}`;
}

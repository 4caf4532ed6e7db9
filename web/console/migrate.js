// SPDX-License-Identifier: Apache-2.0
// Live migration of single instances, for operators: the dialog with the hosts that have capacity, and the progress of a migration.
import {html, nothing, nameOf, mark, gauge, ask, note, report, problemCard, refName} from "./parts.js";
import {need, row as byId, touch} from "./store.js";
import {t, size, time, number} from "./words.js";
import {get, post} from "./api.js";
import {showCommand} from "./command_bar.js";

/** Like report(), for a read: nothing is told of success. */
async function look(work) {
	try {
		return await work();
	} catch (problem) {
		ask({title: t("Request failed"), label: null, body: () => problemCard(problem)});
		return null;
	}
}
/** EC2 id of an instance, which may belong to another account. */
const idOf = (id) => byId("instances", id)?.ec2 ?? `i-${id.replaceAll("-", "").slice(0, 17)}`;
const hostName = (id) => nameOf(byId("hosts", id)) || id.slice(0, 8);
const free = (h) => Math.max(0, (h?.seen_memory ?? 0) - (h?.reserved_memory ?? 0) - (h?.usage?.memory ?? 0));

/** Chooses a target host for the instance, which may belong to any account. */
export async function migrate([r]) {
	const asked = await look(async () => ({hosts: await need("hosts").loading, said: await get(`/instances/${r.id}/migration-targets`, {byUser: true})}));
	if (!asked)
		return;
	const {items, problem} = asked.said, able = items.filter((i) => i.fits), others = items.filter((i) => !i.fits);
	const preview = (id) => showCommand("instances.migrate", {ids: [r], host: byId("hosts", id)});
	ask({title: t("Live-migrate {name}", {name: nameOf(r)}), label: able.length ? t("Live-migrate") : null,
		body: () => html`${able.length ? html`<p>${t("The instance keeps running. It pauses for a moment when it arrives.")}</p>
			<label class="f">${t("Target host")}<select name="host" autofocus @change=${(e) => preview(e.target.value)}><option value="">${t("Automatic: the host with the most capacity")}</option>${able.map((i) => html`<option value=${i.host}>${hostName(i.host)}: ${t("{size} memory free", {size: size(free(byId("hosts", i.host)))})}</option>`)}</select></label>`
			: html`<p>${problem ? html`<span lang="en">${problem}</span>` : t("There is no other host.")}</p>`}
			${others.length ? html`<details><summary>${t("Hosts that cannot take it: {n}", {n: others.length})}</summary><ul class="plainlist">${others.map((i) => html`<li><strong>${hostName(i.host)}</strong> <span class="dim" lang="en">${i.problem}</span></li>`)}</ul></details>` : nothing}`,
		submit: async (form) => {
			const host = form.get("host");
			const said = await post(`/instances/${r.id}/migrate`, host ? {host} : {});
			last.delete(`instance=${r.id}`);
			note(t("Migrating {name} to {host}", {name: nameOf(r), host: hostName(said.target ?? host)}));
		}});
	preview("");
}

/** Chooses an instance on the host: of any account. */
export async function migrateFrom([h]) {
	const found = await look(() => get(`/instances?all=1&host=${h.id}&state=running&fields=name,state,tags,host&limit=1000`, {byUser: true}));
	if (!found)
		return;
	const able = found.items;
	ask({title: t("Live-migrate an instance from {name}", {name: nameOf(h)}), label: able.length ? t("Choose target host") : null,
		body: () => (able.length ? html`<label class="f">${t("Instance")}<select name="instance" autofocus>${able.map((r) => html`<option value=${r.id}>${nameOf(r)}${nameOf(r) === r.ec2 ? "" : ` (${r.ec2})`}</option>`)}</select></label>` : html`<p>${t("No instance runs on this host.")}</p>`),
		submit: (form) => migrate(able.filter((r) => r.id === form.get("instance"))).then(() => true)});
}

// ---- progress ----

const AGAIN_MS = 2000, SHOWN_US = 15 * 60e6;
/** query → {items, at}: latest migrations of an instance, from a host or to a host. Those of other accounts are not streamed, so they are requested
 * again. */
const last = new Map();
function latest(query) {
	const known = last.get(query) ?? {items: null, at: -Infinity}, isBusy = known.items?.some((m) => !m.ended_us);
	if (performance.now() - known.at > (isBusy || !known.items ? AGAIN_MS : 5 * AGAIN_MS)) {
		last.set(query, {...known, at: performance.now()});
		get(`/migrations?all=1&${query}&method=live&fields=*&order=-created&limit=20`).then(({items}) => {
			last.set(query, {items, at: performance.now()});
			touch();
		}, () => {});
		setTimeout(touch, AGAIN_MS + 50);
	}
	return known.items;
}

const STAGES = {preparing: () => t("Preparing"), moving: () => t("Copying memory and disks"), settling: () => t("Switching the network")};

function end(m, verb, words) {
	const args = {ids: [{id: m.instance}], verb};
	showCommand(`instances.${verb}-migration`, args);
	ask({title: words.title, label: words.label, danger: verb === "cancel", body: () => html`<p>${words.effect}</p>`,
		submit: () => report(words.done, () => post(`/instances/${m.instance}/${verb}-migration`, {})).then(() => false)});
}

const cancel = (m, name) => end(m, "cancel", {title: t("Cancel the migration of {name}?", {name}), label: t("Cancel migration"), effect: t("The instance stays where it is."), done: t("Cancellation requested")});
const complete = (m, name) => end(m, "complete", {title: t("Complete the migration of {name} now?", {name}), label: t("Complete migration"), effect: t("Pauses the guest until all of its memory is copied."), done: t("Completion requested")});

function oneMigration(m, name) {
	const isOver = Boolean(m.ended_us), from = hostName(m.host), to = m.target ? hostName(m.target) : "–";
	const state = !isOver ? mark("go", (STAGES[m.stage] ?? STAGES.preparing)()) : m.outcome === "completed" ? mark("ok", t("Migrated")) : m.outcome === "cancelled" ? mark("off", t("Cancelled")) : mark("bad", t("Not migrated"));
	return html`<li class="migration"><p>${name ? html`<strong><bdi>${name}</bdi></strong> ` : nothing}${from} → ${to} ${state} <span class="dim">${isOver ? time(m.ended_us) : time(m.created_us)}${m.pause_ms ? `, ${t("paused for {time}", {time: `${number(m.pause_ms)} ms`})}` : ""}</span></p>
		${!isOver && m.memory_size ? gauge(t("Memory"), Math.max(0, m.memory_size - m.memory_left), m.memory_size, size) : nothing}${!isOver && m.disk_size ? gauge(t("Disks"), Math.max(0, m.disk_size - m.disk_left), m.disk_size, size) : nothing}
		${m.problem ? html`<p lang="en">${m.problem}</p>` : nothing}
		${isOver ? nothing : html`<div class="bar"><button type="button" @click=${() => complete(m, name ?? idOf(m.instance))}>${t("Complete migration")}…</button><button type="button" class="danger-text" @click=${() => cancel(m, name ?? idOf(m.instance))}>${t("Cancel migration")}…</button></div>`}</li>`;
}

/** Migrations under way, and those that ended in the last quarter of an hour. about: {instance} or {host}: a row. */
export function migrationCard({instance, host}) {
	need("hosts");
	const found = (instance ? latest(`instance=${instance.id}`) ?? [] : [...latest(`host=${host.id}`) ?? [], ...latest(`target=${host.id}`) ?? []]).toSorted((a, b) => b.created_us - a.created_us);
	const shown = found.filter((m) => !m.ended_us || Date.now() * 1000 - m.ended_us < SHOWN_US).slice(0, instance ? 1 : 10);
	if (!shown.length)
		return nothing;
	return html`<div class="card" role="status"><h2>${t("Live migration")}</h2><ul class="plainlist">${shown.map((m) => oneMigration(m, instance ? nameOf(instance) : byId("instances", m.instance) ? refName("instances", m.instance) : idOf(m.instance)))}</ul></div>`;
}

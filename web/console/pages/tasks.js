// SPDX-License-Identifier: Apache-2.0
// Tasks of the region, for operators: what runs now and what has ended lately, with who asked for it. A task is a row with a beginning and an end
// (migrations, imports, exports, consistency checks, jobs of CloudStack's clients), or a resource whose state is changing.
import {html, nothing, mark, nameOf, waiting, problemCard, when} from "../parts.js";
import {need, row as byId, touch} from "../store.js";
import {here, href, say} from "../router.js";
import {matches, t, since, span} from "../words.js";
import {get} from "../api.js";
import {offerCommand} from "../command_bar.js";
import {live} from "../vendor/lit-html/directives/live.js";

const AGAIN_MS = 3000, LIMIT = 100;
const hostName = (id) => (id ? nameOf(byId("hosts", id)) || id.slice(0, 8) : "–");
const short = (id) => (id ? id.slice(0, 8) : "");
/** Name of an instance of this account, EC2 id of another's. */
const instanceName = (id) => nameOf(byId("instances", id)) || `i-${id.replaceAll("-", "").slice(0, 17)}`;
const METHODS = {live: () => t("Live migration"), cold: () => t("Cold migration"), resize: () => t("Resize"), evacuate: () => t("Evacuation")};
const percent = (done, all) => (all ? ` ${Math.floor(100 * done / all)} %` : "");

/** Rows as tasks: {id, what, about, account, user, state: [tone, word], from_us, to_us, problem}. */
const SOURCES = [
	{path: "/migrations?all=1&order=-created", task: (m) => ({what: (METHODS[m.method] ?? METHODS.live)(), about: m.target ? `${instanceName(m.instance)}: ${hostName(m.host)} → ${hostName(m.target)}` : instanceName(m.instance), page: byId("instances", m.instance) ? "instances" : "", link: m.instance, to_us: m.ended_us || (m.method !== "live" && m.outcome !== "asked" ? m.created_us : 0),
		problem: m.problem, failed: ["failed"].includes(m.outcome), cancelled: ["cancelled", "reverted"].includes(m.outcome), progress: percent(m.memory_size - m.memory_left, m.memory_size)})},
	{path: "/jobs?all=1&order=-created", task: (j) => ({what: j.command, about: short(j.subject), to_us: j.ended_us, problem: j.problem, failed: j.ended === "failed"})},
	{path: "/export-image-tasks?all=1&order=-created", task: (x) => ({what: t("Image export"), about: x.description || short(x.image), to_us: x.ended_us, problem: x.problem || x.licence_note, failed: x.ended === "failed", cancelled: x.ended === "cancelled"})},
	{path: "/import-image-tasks?all=1&order=-created", task: (i) => ({what: t("Image import"), about: i.description || short(i.image), to_us: i.ended_us, problem: i.problem, failed: i.ended === "failed", cancelled: i.ended === "cancelled"})},
	{path: "/import-snapshot-tasks?all=1&order=-created", task: (i) => ({what: t("Snapshot import"), about: i.description || short(i.snapshot), to_us: i.ended_us, problem: i.problem, failed: i.ended === "failed", cancelled: i.ended === "cancelled"})},
	{path: "/audits?order=-created", task: (a) => ({what: t("Consistency check"), about: t("Region"), user: a.asked_by, from_us: a.begun_us, to_us: a.ended_us, page: "audit", link: ""})},
	...[["instances", "pending,stopping,shutting-down,suspending", () => t("Instance")], ["volumes", "creating,deleting", () => t("Volume")], ["snapshots", "pending,deleting", () => t("Snapshot")],
		["backups", "creating,deleting", () => t("Backup")], ["images", "pending", () => t("Image")]].map(([kind, states, word]) => ({path: `/${kind}?all=1&state=${states}`, isChange: true, task: (r) => ({what: t("{kind}: {state}", {kind: word(), state: t(r.state)}), about: nameOf(r), page: kind, link: r.ec2 ?? r.id, from_us: r.state_since_us || r.created_us})})),
];

let found = null, problem = null, at = -Infinity, isAsking = false;

async function load() {
	isAsking = true;
	const faults = [];
	const lists = await Promise.all(SOURCES.map((source) => get(`${source.path}&fields=*&limit=${LIMIT}`).then(({items}) => items.map((row) => ({source, row})), (p) => { faults.push(p); return []; })));
	found = lists.flat();
	problem = faults[0] ?? null;
	at = performance.now();
	isAsking = false;
	touch();
}

/** Names are of rows that may be loaded later than the tasks. */
function asTask({source, row}) {
	const task = {id: row.id, account: row.account, user: row.made_by, from_us: row.created_us, ...source.task(row)}, isRunning = source.isChange || !task.to_us;
	const state = isRunning ? ["go", `${t("running")}${task.progress ?? ""}`] : task.failed ? ["bad", t("failed")] : task.cancelled ? ["off", t("cancelled")] : ["ok", t("completed")];
	return {...task, isRunning, state};
}

/** Tasks of all accounts are not streamed to this session: they are requested again while the page is visible. */
function look() {
	if (isAsking || document.hidden || performance.now() - at < AGAIN_MS)
		return;
	load();
	setTimeout(touch, AGAIN_MS + 50);
}

const userName = (x) => (x.user ? byId("users", x.user)?.name ?? (x.user.includes("-") ? short(x.user) : x.user) : "–");
const accountName = (x) => (x.account ? nameOf(byId("accounts", x.account)) || short(x.account) : t("region"));
const aboutCell = (x) => (x.link !== undefined && x.page && (x.page !== "instances" || byId("instances", x.link) || byId("instances", x.id)) ? html`<a href=${href(x.page, x.link ?? "")}><bdi>${x.about}</bdi></a>` : html`<bdi>${x.about}</bdi>`);

export function view() {
	for (const kind of ["hosts", "accounts", "users", "instances"])
		need(kind);
	look();
	offerCommand("tasks.list", {});
	const q = (here.query.get("q") ?? "").toLowerCase(), which = here.query.get("state") ?? "";
	const isShown = (x) => (!which || (which === "running" ? x.isRunning : which === "failed" ? x.state[0] === "bad" : !x.isRunning)) && (!q || q.split(/\s+/).every((w) => matches([x.what, x.about, x.id, userName(x), accountName(x), x.problem].join(" ").toLowerCase(), w)));
	const tasks = (found ?? []).map(asTask).toSorted((a, b) => b.isRunning - a.isRunning || b.from_us - a.from_us), shown = tasks.filter(isShown);
	const chip = (value, word) => html`<button type="button" class="chip" aria-pressed=${which === value ? "true" : "false"} @click=${() => say({state: value})}>${word} <span class="num">${tasks.filter((x) => !value || (value === "running" ? x.isRunning : x.state[0] === "bad")).length}</span></button>`;
	return html`<h1>${t("Tasks")}</h1>${problemCard(problem)}<div class="bar"><label class="sr" for="q">${t("Filter")}</label><input id="q" type="search" size="28" placeholder=${t("Task, resource or account")} .value=${live(here.query.get("q") ?? "")} @input=${(e) => say({q: e.target.value})}>
		${chip("", t("all"))}${chip("running", t("running"))}${chip("failed", t("failed"))}</div>
		${!found ? waiting() : shown.length ? html`<div class="scroll" tabindex="0" role="region" aria-label=${t("Tasks")}><table class="simple tasks"><thead><tr><th scope="col">${t("State")}</th><th scope="col">${t("Task")}</th><th scope="col">${t("Resource")}</th><th scope="col">${t("Account")}</th><th scope="col">${t("User")}</th><th scope="col">${t("Started")}</th><th scope="col">${t("Duration")}</th></tr></thead>
			<tbody>${shown.slice(0, 300).map((x) => html`<tr><td>${mark(...x.state)}</td><td>${x.what}${x.problem ? html`<div class="dim" lang="en">${x.problem}</div>` : nothing}</td><td>${aboutCell(x)}</td><td><bdi>${accountName(x)}</bdi></td><td><bdi>${userName(x)}</bdi></td><td class="num">${when(x.from_us)}</td><td class="num">${x.isRunning ? since(x.from_us) : x.to_us > x.from_us ? span(x.to_us - x.from_us) : "–"}</td></tr>`)}</tbody></table></div>`
			: html`<p class="dim">${tasks.length ? t("No task matches.") : t("Nothing runs, and nothing has run lately.")}</p>`}`;
}

// SPDX-License-Identifier: Apache-2.0
// Costs of a month: by day, by group, and a forecast; invoices; for operators all accounts, and price lists. Amounts are the server's exact decimals;
// only Intl rounds them.
import {html, nothing, ask, emptyCard, problemCard, waiting, pairs} from "../parts.js";
import {rows, need, touch} from "../store.js";
import {here, href, say} from "../router.js";
import {t, amount, day, monthName, number, time} from "../words.js";
import {get, BASE} from "../api.js";
import {costsOf} from "../costs.js";
import {offerCommand} from "../command_bar.js";
import {isOperator, session} from "../session.js";

const MONTHS = 15, DAY_MS = 86_400_000;
const SERVICES = {instance: () => t("Instances (running)"), held: () => t("Instances (allocated)"), volume: () => t("Volumes"), iops: () => t("IOPS of volumes"), rate: () => t("Throughput of volumes"), snapshot: () => t("Snapshots"),
	image: () => t("Images"), backup: () => t("Backups"), address: () => t("Public IPs"), "net.in": () => t("Traffic in"), "net.out": () => t("Traffic out"), "nat-gateway": () => t("NAT gateways"), lb: () => t("Load balancers"),
	"dedicated-host": () => t("Dedicated hosts"), licence: () => t("Licences"), commitment: () => t("Commitments")};
const GROUPS = {service: () => t("By service"), resource: () => t("By resource"), zone: () => t("By Availability Zone"), account: () => t("By account"), tag: () => t("By tag")};
const STANDINGS = {overdue: () => t("An invoice is overdue."), limited: () => t("Invoices are overdue: resources cannot be created, started or enlarged."), suspended: () => t("Invoices are overdue: instances were stopped, and changes are blocked."),
	closed: () => t("Invoices are overdue: the account is disabled.")};

function months() {
	const now = new Date();
	return Array.from({length: MONTHS}, (_, k) => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - k, 1)).toISOString().slice(0, 7));
}

/** Tag keys in use, as options for grouping. */
function tagKeys() {
	return [...new Set(["instances", "volumes"].flatMap((kind) => rows(kind)).flatMap((r) => Object.keys(r.tags ?? {})))].sort();
}

// ---- query ----

function question() {
	const q = here.query, isAll = isOperator() && q.get("all") === "1";
	const kind = GROUPS[q.get("group")] ? q.get("group") : isAll ? "account" : "service";
	const tag = q.get("tag") || tagKeys()[0] || "";
	const group = kind !== "tag" ? kind : tag ? "tag:" + tag : "service";
	const known = months(), month = known.includes(q.get("month")) ? q.get("month") : known[0];
	return {isAll, kind, tag, group, month, isNow: month === known[0]};
}

const queryOf = (q, group, more = "") => `?month=${q.month}&group=${encodeURIComponent(group)}${q.isAll ? "&all=1" : ""}${more}`;

function controls(q) {
	return html`<div class="bar" role="group" aria-label=${t("Filters")}><label class="sr" for="month">${t("Month")}</label><select id="month" @change=${(e) => say({month: e.target.value === months()[0] ? "" : e.target.value})}>${months().map((m) => html`<option value=${m} ?selected=${m === q.month}>${monthName(m)}</option>`)}</select>
		${Object.entries(GROUPS).filter(([kind]) => kind !== "account" || q.isAll).map(([kind, title]) => html`<button type="button" class="chip" aria-pressed=${q.kind === kind ? "true" : "false"} @click=${() => say({group: kind})}>${title()}</button>`)}
		${q.kind === "tag" ? html`<label class="sr" for="tag">${t("Tag")}</label><select id="tag" @change=${(e) => say({tag: e.target.value})}>${tagKeys().map((key) => html`<option value=${key} ?selected=${key === q.tag}>${key}</option>`)}</select>` : nothing}
		<span class="sp"></span>${isOperator() ? html`<label class="check"><input type="checkbox" .checked=${q.isAll} @change=${(e) => say({all: e.target.checked ? "1" : "", group: ""})}> ${t("All accounts")}</label>` : nothing}
		<a class="b" download=${`focus-${q.month}.csv`} href=${`${BASE}/costs/focus?month=${q.month}${q.isAll ? "&all=1" : ""}`}>${t("Export (FOCUS CSV)")}</a></div>`;
}

// ---- bars by day ----

const W = 620, H = 150, TOP = 8, FOOT = 20;

function bars(data, sum, isNow) {
	const values = sum.days.map(Number), last = isNow ? new Date(data.as_of_us / 1000).getUTCDate() - 1 : values.length - 1;
	const left = values.length - 1 - last, each = isNow && left > 0 ? Math.max(0, (Number(sum.forecast) - Number(sum.total)) / (left + 0.5)) : 0;
	const most = Math.max(...values, each, 1e-9), w = W / values.length, y = (v) => (H - TOP - FOOT) * Math.max(0, v) / most;
	const dayOf = (k) => data.from_us / 1000 + k * DAY_MS;
	const bar = (v, k, name) => html`<svg x=${k * w} y=${H - FOOT - y(v)} width=${w} height=${y(v)}><rect class=${name} x=${w * 0.12} width=${w * 0.76} height=${y(v)}><title>${day(dayOf(k))}: ${amount(k > last ? String(each.toFixed(6)) : sum.days[k], sum.currency)}</title></rect></svg>`;
	const words = t("{n} days, {total} total", {n: last + 1, total: amount(sum.total, sum.currency)});
	return html`<figure class="days"><svg viewBox="0 0 ${W} ${H}" role="img" aria-label=${words}>
		${values.map((v, k) => (k <= last ? bar(v, k, "day") : each ? bar(each, k, "day likely") : nothing))}
		<line class="wire" x1="0" x2=${W} y1=${H - FOOT} y2=${H - FOOT}></line></svg>
		<figcaption class="row dim"><span>${day(dayOf(0))}</span><span>${day(dayOf(values.length - 1))}</span></figcaption></figure>`;
}

const figure = (title, value, hint) => html`<div class="card"><h2 class="dim">${title}</h2><p class="big">${value}</p>${hint ? html`<p class="hint">${hint}</p>` : nothing}</div>`;

function sumCards(data, sum, q) {
	return html`<div class="grid4">${figure(q.isNow ? t("This month so far") : monthName(q.month), amount(sum.total, sum.currency), data.is_closed ? t("This month is closed: amounts are final.") : q.isNow ? t("as of {time}", {time: time(data.as_of_us)}) : t("This month is still open: amounts may change."))}
		${q.isNow ? html`${figure(t("Today"), amount(sum.today, sum.currency), t("since midnight UTC"))}${figure(t("Forecast"), amount(sum.forecast, sum.currency), t("for the whole month"))}` : nothing}</div>
		<div class="card"><h2>${t("By day")}</h2>${bars(data, sum, q.isNow)}</div>`;
}

// ---- groups ----

function nameOfGroup(g, q) {
	if (q.group === "service")
		return SERVICES[g.key]?.() ?? g.key;
	if (q.group.startsWith("tag:"))
		return g.is_absent ? html`<span class="dim">${t("without this tag")}</span>` : g.key || html`<span class="dim">${t("empty")}</span>`;
	if (q.group === "zone")
		return g.key || html`<span class="dim">${t("no Availability Zone")}</span>`;
	if (q.group === "account")
		return html`${g.id ? html`<a href=${href("accounts", g.id)}>${g.name || g.key}</a>` : g.name || g.key} <span class="dim m">${g.name ? g.key : ""}</span>`;
	return resourceName(g, q.isAll);
}

const PAGE_OF = {instances: "instances", volumes: "volumes", snapshots: "snapshots", images: "images", addresses: "addresses", routers: "networks"};
/** A resource of another account is not listed here, so its absence says nothing. */
function resourceName(g, isAll) {
	const words = g.name || g.ec2 || g.id || g.key, page = PAGE_OF[g.path], isHere = page && rows(g.path).some((r) => r.id === g.id);
	return html`${isHere ? html`<a href=${href(page, g.ec2 ?? g.id)}>${words}</a>` : words} <span class="dim m">${g.name ? g.ec2 ?? "" : ""}</span>${page && !isHere && !isAll ? html` <span class="dim">${t("deleted")}</span>` : nothing}`;
}

function groupTable(items, sums, q, title, more) {
	if (!items.length)
		return nothing;
	const total = Object.fromEntries(sums.map((s) => [s.currency, Number(s.total)]));
	return html`<div class="card"><h2>${title}</h2><div class="scroll" tabindex="0" role="region" aria-label=${title}><table class="simple"><thead><tr><th scope="col">${t("Item")}</th><th scope="col" class="n">${t("Share")}</th><th scope="col" class="n">${t("Cost")}</th></tr></thead><tbody>
		${items.map((g) => html`<tr><td>${nameOfGroup(g, q)}</td><td class="n">${total[g.currency] > 0 ? number(Number(g.cost) / total[g.currency], {style: "percent", maximumFractionDigits: 1}) : "–"}</td><td class="n">${amount(g.cost, g.currency)}</td></tr>`)}</tbody></table></div>
		${more > 0 ? html`<p class="hint">${t("and {n} more", {n: more})}</p>` : nothing}</div>`;
}

// ---- invoices: requested once a visit, and again for another account or month ----

let papers = {key: "", invoices: null, problem: null, at: 0};

function fetchPapers(isAll) {
	const key = `${session.account?.id} ${isAll}`;
	if (papers.key === key && performance.now() - papers.at < 300_000)
		return;
	const mine = {key, invoices: null, problem: null, at: performance.now()};
	papers = mine;
	get(`/invoices${isAll ? "?all=1" : ""}`).then((a) => { mine.invoices = a.items; }, (problem) => { mine.problem = problem; }).finally(touch);
}

async function showInvoice(one, isAll) {
	const {item} = await get(`/invoices/${encodeURIComponent(one.number)}${isAll ? "?all=1" : ""}`, {byUser: true});
	const cost = (value) => amount(value, item.currency);
	ask({title: t("Invoice {number}", {number: item.number}), label: null, wide: true,
		body: () => html`${pairs([[t("Month"), monthName(item.month)], [t("Issuer"), item.issuer], [t("Recipient"), item.payer], [t("Issued"), item.issued], [t("Due date"), item.due], [t("Credits invoice"), item.reference]])}
			<div class="scroll" tabindex="0" role="region" aria-label=${t("Line items")}><table class="simple"><thead><tr><th scope="col">${t("Account")}</th><th scope="col">${t("Item")}</th><th scope="col" class="n">${t("Quantity")}</th><th scope="col" class="n">${t("Price")}</th><th scope="col" class="n">${t("Cost")}</th></tr></thead><tbody>
			${item.lines.map((l) => html`<tr><td>${l.account_name || l.account || ""}</td><td>${l.text}${l.commitment ? html` <span class="dim">${l.commitment}</span>` : nothing}</td><td class="n">${l.quantity} ${l.unit}</td><td class="n">${l.price}</td><td class="n">${cost(l.amount)}</td></tr>`)}
			<tr><td></td><td>${item.is_whole ? t("Subtotal") : t("Line items of this account")}</td><td></td><td></td><td class="n">${cost(item.net)}</td></tr>
			${(item.taxes ?? []).map((tax) => html`<tr><td></td><td>${tax.name} ${tax.percent}% <span class="dim">${tax.words ?? ""}</span></td><td></td><td></td><td class="n">${cost(tax.amount)}</td></tr>`)}
			${item.total === undefined ? nothing : html`<tr><td></td><td><strong>${t("Amount due")}</strong></td><td></td><td></td><td class="n"><strong>${cost(item.total)}</strong></td></tr>`}</tbody></table></div>`});
}

function invoicesCard(isAll) {
	const items = papers.invoices;
	return html`<div class="card"><h2>${t("Invoices")}</h2>${papers.problem ? html`<p class="dim">${papers.problem.message}</p>` : !items ? waiting() : !items.length ? html`<p class="dim">${t("No invoices. The operator issues invoices when a month is closed.")}</p>`
		: html`<div class="scroll" tabindex="0" role="region" aria-label=${t("Invoices")}><table class="simple"><thead><tr><th scope="col">${t("Number")}</th><th scope="col">${t("Month")}</th>${isAll ? html`<th scope="col">${t("Recipient")}</th>` : nothing}<th scope="col">${t("Due date")}</th><th scope="col" class="n">${t("Cost")}</th></tr></thead><tbody>
		${items.slice(0, 50).map((i) => html`<tr><td><button type="button" class="plain" @click=${() => showInvoice(i, isAll)}>${i.number}</button></td><td>${monthName(i.month)}</td>${isAll ? html`<td>${i.payer}</td>` : nothing}<td>${i.due ?? "–"}</td><td class="n">${amount(i.total ?? i.net, i.currency)}</td></tr>`)}</tbody></table></div>`}</div>`;
}

// ---- the page ----

function costsView(q) {
	const {data, problem} = costsOf(queryOf(q, q.group));
	if (!data)
		return problem ? problemCard(problem) : waiting();
	if (!data.sums.length)
		return emptyCard(t("No charges"), q.isAll ? t("No billable usage this month.") : t("No billable usage this month, or no price list is active for this account."));
	const dear = q.group === "resource" ? null : costsOf(queryOf(q, "resource", "&limit=10&is_plain=true")).data;
	return html`${problem ? problemCard(problem) : nothing}${data.sums.map((sum) => sumCards(data, sum, q))}
		<div class="half">${groupTable(data.items, data.sums, q, GROUPS[q.kind](), data.total - data.items.length)}
		${dear ? groupTable(dear.items, dear.sums, {...q, group: "resource"}, t("Top resources"), 0) : nothing}</div>`;
}

export function view() {
	for (const k of ["instances", "volumes", "snapshots", "addresses", "images"])
		need(k);
	const q = question(), standing = costsOf(queryOf(q, q.group)).data?.standing;
	offerCommand("costs.list", {month: q.month, group: q.group, isAll: q.isAll});
	fetchPapers(q.isAll);
	return html`<h1>${t("Usage and cost")}</h1>${controls(q)}
		${STANDINGS[standing] && !q.isAll ? html`<div class="card why"><h2><span aria-hidden="true">▲</span> ${STANDINGS[standing]()}</h2></div>` : nothing}
		${costsView(q)}${invoicesCard(q.isAll)}`;
}

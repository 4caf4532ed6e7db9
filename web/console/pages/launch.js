// SPDX-License-Identifier: Apache-2.0
// The launch form, on one page. All fields have defaults, so Ctrl Enter launches at once. At each change the server is asked about capacity,
// permissions and cost, and the answer is shown at the side. The choices are remembered for the next time. The form has its own state: changed rows
// change the options, never the choices.
import {html, nothing, nameOf, refName, problemCard, gauge, mark, waiting, note, report} from "../parts.js";
import {byName} from "../forms.js";
import {rows, isReady, need, touch, row as byId, applyRow} from "../store.js";
import {go, href, here} from "../router.js";
import {t, size, money, number, keep, chosen} from "../words.js";
import {post, intent} from "../api.js";
import {offerCommand, showCommand} from "../command_bar.js";
import {session} from "../session.js";
import {mayAll} from "../may.js";
import {ruleWords} from "../net/parts.js";
import {createKeyPair, importKeyPair} from "../key_dialogs.js";
import {live} from "../vendor/lit-html/directives/live.js";
import {quotaWord, sayOf} from "../quota_words.js";

const KINDS = ["images", "instance-types", "subnets", "routers", "security-groups", "key-pairs", "zones"];
const GIB = 2 ** 30, DISKS_MAX = 10;
let form = null, tried = null, timer = 0, problem = null, isBusy = false, key = "";

const usable = () => rows("images").filter((i) => (i.state ?? "available") === "available" && !i.is_deactivated).toSorted((a, b) => nameOf(a).localeCompare(nameOf(b)));
const sizes = () => rows("instance-types").toSorted((a, b) => a.vcpus - b.vcpus || a.memory - b.memory);
const subnets = () => rows("subnets").filter((s) => s.router).toSorted((a, b) => Number(b.is_default) - Number(a.is_default) || refName("zones", a.zone).localeCompare(refName("zones", b.zone)));

/** A default VPC seldom has a name of its own, and its id says nothing. */
function networkName(id) {
	const router = byId("routers", id);
	return router?.is_default && nameOf(router) === router.ec2 ? t("default VPC") : refName("routers", id);
}

function suggestName() {
	const taken = new Set(rows("instances").map(nameOf));
	for (let k = 1; ; k++)
		if (!taken.has(`web-${k}`))
			return `web-${k}`;
}

function begin() {
	let last = {};
	try {
		last = JSON.parse(chosen("dari.launch", "{}"));
	} catch { /* the stored value is not the form's */ }
	const has = (kind, id) => (id && byId(kind, id) ? id : "");
	const small = sizes().find((s) => s.name === "t3.micro") ?? sizes()[0];
	form = {
		image: has("images", here.query.get("image")) || has("images", last.image) || (usable().find((i) => /debian/i.test(nameOf(i))) ?? usable()[0])?.id || "",
		type: has("instance-types", last.type) || small?.id || "",
		allSizes: false, name: suggestName(), count: 1,
		key: last.key && rows("key-pairs").some((k) => k.name === last.key) ? last.key : byName("key-pairs")[0]?.name ?? "",
		subnet: has("subnets", last.subnet) || subnets()[0]?.id || "",
		groups: [], publicIp: "", disk: "", rootType: "", isEncrypted: false, disks: [], profile: "", tags: "", userData: "", protect: false, hasTokens: false, terminates: false,
	};
	key = intent();
}

/** "env=prod", one a line. */
const tagsOfForm = () => Object.fromEntries(form.tags.split("\n").map((line) => line.trim()).filter(Boolean).map((line) => (line.includes("=") ? [line.slice(0, line.indexOf("=")).trim(), line.slice(line.indexOf("=") + 1).trim()] : [line, ""])));

function body() {
	const b = {image: form.image, type: form.type, count: Number(form.count) || 1};
	if (form.name)
		b.tags = {Name: form.name};
	if (form.key)
		b.key = form.key;
	if (form.subnet)
		b.subnet = form.subnet;
	if (form.groups.length)
		b.groups = form.groups;
	if (form.publicIp)
		b.public_ip = form.publicIp === "yes";
	const tags = tagsOfForm();
	if (Object.keys(tags).length)
		b.tags = {...tags, ...b.tags};
	if (form.disk)
		b.root_size = Number(form.disk) * GIB;
	if (form.rootType)
		b.root_type = form.rootType;
	if (form.isEncrypted)
		b.root_encrypted = true;
	if (form.disks.length)
		b.disks = form.disks.map((d) => ({size: (Number(d.size) || 1) * GIB, ...(d.type ? {type: d.type} : {}), ...(d.isEncrypted ? {is_encrypted: true} : {}), ...(d.stays ? {delete_on_termination: false} : {})}));
	if (form.profile)
		b.instance_profile = form.profile;
	if (form.hasTokens)
		b.metadata_tokens_required = true;
	if (form.terminates)
		b.shutdown_terminates = true;
	if (form.userData)
		b.user_data = form.userData;
	if (form.protect)
		b.protect_terminate = true;
	return b;
}

function ask1() {
	clearTimeout(timer);
	timer = setTimeout(async () => {
		const mine = form, asked = mine && JSON.stringify(body());
		if (!mine)
			return; // launched meanwhile
		try {
			const would = (await post("/instances?dry=1", body())).would ?? {};
			if (form === mine)
				tried = {asked, would};
		} catch (p) {
			if (form === mine)
				tried = {asked, problem: p};
		}
		touch();
	}, 150);
}

function set(name, value) {
	form[name] = value;
	touch();
	ask1();
}

async function submit(event) {
	event.preventDefault();
	if (isBusy)
		return;
	isBusy = true;
	problem = null;
	clearTimeout(timer);
	touch();
	try {
		const {image, type, key: pair, subnet} = form;
		const answer = await post("/instances", body(), {"Idempotency-Key": key});
		keep("dari.launch", JSON.stringify({image, type, key: pair, subnet}));
		for (const row of answer.items ?? [])
			applyRow("instances", row);
		note(t("Launching {n} instances", {n: answer.items?.length ?? 1}));
		form = null;
		tried = null;
		go(answer.items?.length === 1 ? href("instances", answer.items[0].ec2 ?? answer.items[0].id) : href("instances"));
	} catch (p) {
		problem = p;
		if (p.status)
			key = intent(); // refused, and nothing was created: the next press is a new intent
	}
	isBusy = false;
	touch();
}

const takeKey = (name) => set("key", name);
const typeOptions = (now) => html`<option value="">${t("default")}</option>${byName("volume-types").filter((x) => x.name && !x.name.startsWith("__")).map((x) => html`<option value=${x.name} ?selected=${x.name === now}>${x.name}</option>`)}`;

/** A further disk: a row of the form's own list. */
function diskView(disk, k) {
	const change = (name) => (e) => set("disks", form.disks.map((d, i) => (i === k ? {...d, [name]: e.target.type === "checkbox" ? e.target.checked : e.target.value} : d)));
	return html`<fieldset><legend>${t("Disk {n}", {n: k + 1})}</legend><div class="grid2"><label class="f">${t("Size in GiB")}<input name="disk-size-${k}" type="number" min="1" max="65536" .value=${live(String(disk.size))} @input=${change("size")}></label>
		<label class="f">${t("Volume type")}<select name="disk-type-${k}" @change=${change("type")}>${typeOptions(disk.type)}</select></label>
		<label class="check"><input name="disk-encrypted-${k}" type="checkbox" .checked=${live(disk.isEncrypted)} @change=${change("isEncrypted")}> ${t("Encrypted")}</label>
		<label class="check"><input name="disk-stays-${k}" type="checkbox" .checked=${live(disk.stays)} @change=${change("stays")}> ${t("Keep on termination")}</label></div>
		<button type="button" @click=${() => set("disks", form.disks.filter((_, i) => i !== k))}>${t("Remove disk {n}", {n: k + 1})}</button></fieldset>`;
}

function moreView() {
	const summary = [form.disk ? `${form.disk} GiB` : t("image default disk"), form.disks.length ? t("further disks: {n}", {n: form.disks.length}) : "", form.userData ? t("with user data") : t("no user data"), form.protect ? t("termination protection") : ""].filter(Boolean).join(", ");
	const profiles = byName("instance-profiles");
	return html`<details class="card"><summary>${t("Storage, role, tags, user data, protection")}: ${summary}</summary><h3>${t("Storage")}</h3><div class="grid2"><label class="f">${t("Root volume, GiB (empty: image default)")}<input name="root-size" type="number" min="1" max="65536" .value=${live(form.disk)} @input=${(e) => set("disk", e.target.value)}></label>
			<label class="f">${t("Volume type")}<select name="root-type" @change=${(e) => set("rootType", e.target.value)}>${typeOptions(form.rootType)}</select></label>
			<label class="check"><input name="root-encrypted" type="checkbox" .checked=${live(form.isEncrypted)} @change=${(e) => set("isEncrypted", e.target.checked)}> ${t("Encrypted")}</label></div>
		${form.disks.map(diskView)}${form.disks.length < DISKS_MAX ? html`<button type="button" @click=${() => set("disks", [...form.disks, {size: 8, type: "", isEncrypted: false, stays: false}])}>${t("Add disk")}</button>` : nothing}
		<h3>${t("Role and tags")}</h3><div class="grid2">${profiles.length ? html`<label class="f">${t("IAM role (instance profile)")}<select name="profile" @change=${(e) => set("profile", e.target.value)}><option value="">${t("none")}</option>${profiles.map((p) => html`<option value=${p.id} ?selected=${p.id === form.profile}>${p.name}</option>`)}</select></label>` : nothing}
			<label class="f">${t("Tags (key=value, one a line)")}<textarea name="tags" rows="2" spellcheck="false" placeholder="env=prod" .value=${live(form.tags)} @input=${(e) => set("tags", e.target.value)}></textarea></label></div>
		<h3>${t("Protection")}</h3><div class="grid2"><label class="check"><input name="protect" type="checkbox" .checked=${live(form.protect)} @change=${(e) => set("protect", e.target.checked)}> ${t("Termination protection")}</label>
			<label class="check"><input name="tokens" type="checkbox" .checked=${live(form.hasTokens)} @change=${(e) => set("hasTokens", e.target.checked)}> ${t("IMDSv2 required")}</label>
			<label class="check"><input name="terminates" type="checkbox" .checked=${live(form.terminates)} @change=${(e) => set("terminates", e.target.checked)}> ${t("Shutdown behavior: Terminate")}</label></div>
		<label class="f">${t("User data")}<textarea name="user-data" rows="5" spellcheck="false" placeholder="#cloud-config" .value=${live(form.userData)} @input=${(e) => set("userData", e.target.value)}></textarea></label></details>`;
}

function groupWords(g) {
	const rules = rows("security-group-rules").filter((r) => r.group === g.id && r.direction === "ingress");
	const says = rules.slice(0, 4).map(ruleWords);
	return says.length ? says.join(", ") : t("no inbound rules");
}

/** Says if no group rule allows port 22, and offers one. */
function sshView(image, groups) {
	const chosenGroups = form.groups.length ? groups.filter((g) => form.groups.includes(g.id)) : groups.filter((g) => g.is_default);
	const isSsh = (r) => r.direction === "ingress" && !r.peer_group && [undefined, -1, 6].includes(r.protocol) && ((r.from_port ?? -1) < 0 || (r.from_port <= 22 && r.to_port >= 22));
	const isOpen = rows("security-group-rules").some((r) => chosenGroups.some((g) => g.id === r.group) && isSsh(r));
	const mine = session.address ? `${session.address}/${session.address.includes(":") ? 128 : 32}` : "", group = chosenGroups[0];
	return isOpen || !group || image?.platform === "windows" ? nothing
		: html`<p class="hint">${t("No inbound rule allows SSH (port 22).")} ${mine && mayAll("security_group.authorize_ingress") ? html`<button type="button" @click=${() => allowSsh(group, mine)}>${t("Allow SSH from my IP ({block})", {block: mine})}</button>` : nothing}</p>`;
}

async function allowSsh(group, block) {
	const wanted = {group: group.id, protocol: 6, from_port: 22, to_port: 22, peer_block: block};
	showCommand("rules.add", {group, direction: "ingress", protocol: "tcp", ports: "22", block, body: wanted});
	const answer = await report(t("{n} rules added", {n: 1}), () => post("/security-group-rules/ingress", wanted));
	for (const row of answer?.items ?? [])
		applyRow("security-group-rules", row);
}

function sideView(image, type) {
	const count = Number(form.count) || 1, would = tried?.would, price = would?.price, placement = would?.placement;
	return html`<div class="card"><h2>${count} × ${type?.name ?? "–"}, ${image ? nameOf(image) : "–"}</h2>
		${price?.month_micro || price?.month ? html`<p class="big">${t("{money} a month", {money: money(price.month_micro ?? price.month, price.currency)})}</p><p class="hint">${t("{money} an hour", {money: money(price.hour_micro ?? price.hour ?? 0, price.currency)})}</p>` : html`<p class="hint">${t("{n} vCPUs", {n: (type?.vcpus ?? 0) * count})}, ${size((type?.memory ?? 0) * count)}. ${t("No price list is active for this account.")}</p>`}</div>
		<div class="card" role="status"><h2>${t("Launch check")}</h2>${!tried ? html`<p class="dim">${t("Checking…")}</p>` : tried.problem ? html`<p>${mark("bad", t("The launch would fail"))}</p><p>${tried.problem.message}</p>${tried.problem.advice ? html`<p><strong>${t("Recommended action:")}</strong> ${tried.problem.advice}</p>` : nothing}
			${(tried.problem.body?.reasons ?? []).length ? html`<ul>${tried.problem.body.reasons.map((r) => html`<li>${r.hosts ? t("{n} hosts: {why}", {n: r.hosts, why: r.why}) : r.why}</li>`)}</ul>` : nothing}`
		: html`<p>${placement ? mark(placement.fits ? "ok" : "bad", t("{n} of {hosts} hosts have capacity", {n: placement.fits, hosts: placement.hosts})) : mark("ok", t("Capacity available"))}</p><p>${mark("ok", t("You may launch instances"))}</p>
			${(would?.quota ?? []).map((line) => gauge(quotaWord(line.name), line.would_use ?? line.used ?? 0, line.limit ?? -1, sayOf(line.name)))}`}</div>
		<div class="bar"><button class="b1" ?disabled=${isBusy || !form.image || !form.type}>${t("Launch {n} instances", {n: count})}</button><kbd>Ctrl Enter</kbd></div>`;
}

export function view() {
	for (const k of [...KINDS, "security-group-rules", "instances", "volume-types", "instance-profiles"])
		need(k);
	if (!isReady(...KINDS))
		return html`<h1>${t("Launch instance")}</h1>${KINDS.map((k) => need(k).problem).filter(Boolean).slice(0, 1).map((p) => problemCard(p))}${waiting()}`;
	if (!form) {
		begin();
		ask1();
	}
	const image = byId("images", form.image), type = byId("instance-types", form.type), subnet = byId("subnets", form.subnet);
	const groups = rows("security-groups").filter((g) => !subnet || g.router === subnet.router);
	offerCommand("instances.launch", {image, type, count: Number(form.count), name: form.name, key: form.key ? {name: form.key} : null, subnet, groups: form.groups.map((id) => byId("security-groups", id)).filter(Boolean),
		publicIp: form.publicIp ? form.publicIp === "yes" : undefined, hasUserData: Boolean(form.userData), profile: byId("instance-profiles", form.profile), body: body()});
	const few = form.allSizes ? sizes() : sizes().filter((s) => /^(t3\.(micro|small|medium|large)|m5\.(large|xlarge|2xlarge|4xlarge))$/.test(s.name) || s.id === form.type);
	const shownSizes = few.length >= 3 ? few : sizes().slice(0, form.allSizes ? undefined : 12);
	return html`<h1>${t("Launch instance")}</h1><p class="hint">${t("Every field has a default: press Ctrl+Enter to launch. Your choices are remembered.")}</p>
	${problemCard(problem, t("Launch failed"))}
	<form class="two" @submit=${submit}><div>
		<fieldset><legend>${t("Image")}</legend>${usable().length ? html`<div class="opts">${usable().slice(0, 24).map((i) => html`<label class="opt"><input type="radio" name="image" .checked=${live(i.id === form.image)} @change=${() => set("image", i.id)}><span>${nameOf(i)}<small>${[i.platform === "windows" ? "Windows" : "Linux", i.boot_mode?.startsWith("uefi") ? "UEFI" : "", i.min_disk ? size(i.min_disk) : ""].filter(Boolean).join(" · ")}</small></span></label>`)}</div>` : html`<p>${t("No image available.")}</p>`}</fieldset>
		<fieldset><legend>${t("Instance type")}</legend><div class="opts">${shownSizes.map((s) => html`<label class="opt"><input type="radio" name="type" .checked=${live(s.id === form.type)} @change=${() => set("type", s.id)}><span>${s.name}<small>${t("{n} vCPUs", {n: s.vcpus})} · ${size(s.memory)}</small></span></label>`)}</div>
			${shownSizes.length < sizes().length ? html`<button type="button" class="plain" @click=${() => { form.allSizes = true; touch(); }}>${t("All {n} instance types", {n: sizes().length})}</button>` : nothing}</fieldset>
		<fieldset><legend>${t("Name, key pair, count")}</legend><div class="grid4"><label class="f">${t("Name")}<input name="name" maxlength="255" .value=${live(form.name)} @input=${(e) => set("name", e.target.value)}></label>
			<div><label class="f">${t("Key pair")}<select name="key" @change=${(e) => set("key", e.target.value)}>${byName("key-pairs").map((k) => html`<option value=${k.name} ?selected=${k.name === form.key}>${k.name}</option>`)}<option value="" ?selected=${!form.key}>${t("none")}</option></select></label>
				<button type="button" class="plain" @click=${() => createKeyPair(takeKey)}>${t("Create key pair")}…</button><button type="button" class="plain" @click=${() => importKeyPair(takeKey)}>${t("Import key pair")}…</button></div>
			<label class="f">${t("Number of instances")}<input name="count" type="number" min="1" max="100" .value=${live(String(form.count))} @input=${(e) => set("count", e.target.value)}></label></div>${image && image.platform !== "windows" && !form.key ? html`<p class="bad">▲ ${t("Without a key pair you cannot connect to the instance by SSH.")}</p>` : nothing}</fieldset>
		<fieldset><legend>${t("Network")}</legend><div class="grid2"><label class="f">${t("Subnet")}<select @change=${(e) => { form.groups = []; set("subnet", e.target.value); }}>${subnets().length ? nothing : html`<option value="">${t("default VPC (created on launch)")}</option>`}${subnets().map((s) => html`<option value=${s.id} ?selected=${s.id === form.subnet}>${networkName(s.router)} / ${refName("zones", s.zone)} / ${s.block}</option>`)}</select></label>
			<label class="f">${t("Public address")}<select @change=${(e) => set("publicIp", e.target.value)}><option value="">${t("Subnet default")}</option><option value="yes" ?selected=${form.publicIp === "yes"}>${t("yes")}</option><option value="no" ?selected=${form.publicIp === "no"}>${t("no")}</option></select></label></div>
			${groups.length ? html`<h3>${t("Security groups")}</h3><div class="opts">${groups.slice(0, 30).map((g) => html`<label class="opt"><input type="checkbox" .checked=${live(form.groups.includes(g.id) || (!form.groups.length && g.is_default))} @change=${(e) => {
				const now = form.groups.length ? form.groups : groups.filter((x) => x.is_default).map((x) => x.id);
				set("groups", e.target.checked ? [...now, g.id] : now.filter((x) => x !== g.id));
			}}><span>${nameOf(g)}<small>${groupWords(g)}</small></span></label>`)}</div>` : nothing}${sshView(image, groups)}</fieldset>
		${moreView()}</div>
		<aside aria-label=${t("Summary")}>${sideView(image, type)}</aside></form>`;
}

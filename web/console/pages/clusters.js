// SPDX-License-Identifier: Apache-2.0
// Kubernetes clusters: creation, scaling, kubeconfigs and deletion. A kubeconfig has a private key, which is shown once and stored nowhere.
import {html, nothing, nameOf, mark, pairs, copyable, copy, refLink, when, emptyCard, ask, report, oneByOne, SUPPORT} from "../parts.js";
import {resourcePage} from "../resource.js";
import {askFor, byName, make} from "../forms.js";
import {rows, row as byId, applyRow, reload} from "../store.js";
import {t, number, time, list as words} from "../words.js";
import {post, patch, remove} from "../api.js";
import {showCommand} from "../command_bar.js";
import {saveFile} from "../save_file.js";

const WORKERS_MAX = 100, HOURS_MAX = 8760;
const TONES = {active: "ok", failed: "bad"};
const stateOfCluster = (c) => mark(TONES[c.status] ?? "go", t(c.status ?? "creating"));
const apiOf = (c) => (c.address ? `https://${c.address}:6443` : "");
const isThere = (c) => c.status !== "deleting";
const versionOf = (c) => (c.is_checked ? c.version : t("{version} (image not checked)", {version: c.version}));

// ---- creation ----

const TAG = "kubernetes-version";
/** Images for Linux. The default types are x86_64, so images for arm64 come last. */
const imagesOf = () => byName("images").filter((i) => i.state === "available" && i.platform !== "windows").toSorted((a, b) => (a.arch === "arm64") - (b.arch === "arm64"));
const imageWords = (i) => [nameOf(i), i.arch === "arm64" ? "arm64" : "", i.tags?.[TAG] ?? ""].filter(Boolean).join(", ");
const typeField = (name, word, least) => html`<label class="f">${word}<select name=${name}>${byName("instance-types").filter((y) => y.vcpus >= least && y.memory >= least * 850 * 2 ** 20).map((y) => html`<option ?selected=${y.name === "t3.medium"}>${y.name}</option>`)}</select></label>`;

function readCluster(form) {
	const text = (name) => (form.get(name) ?? "").trim(), list = (name) => text(name).split(/\s+/).filter(Boolean);
	return {body: {name: text("name"), control_count: Number(form.get("control_count")), workers: Number(form.get("workers")), control_type: form.get("control_type"), worker_type: form.get("worker_type"),
		...Object.fromEntries(["image", "version", "key_pair"].filter(text).map((name) => [name, text(name)])), ...Object.fromEntries(["sources", "manifests"].filter((name) => list(name).length).map((name) => [name, list(name)])),
		...(form.get("is_internal") ? {is_internal: true} : {})}};
}

function create() {
	const images = imagesOf(), tagged = images.filter((i) => i.tags?.[TAG]);
	askFor({title: t("Create Kubernetes cluster"), label: t("Create"), wide: true, verb: "clusters.create", read: readCluster, send: async ({body}) => { await make("clusters", body); },
		fields: () => html`<div class="grid2">
			<label class="f">${t("Name")}<input name="name" required maxlength="28" pattern="[a-z]([a-z0-9\\-]*[a-z0-9])?" autofocus spellcheck="false"></label>
			<label class="f">${t("Workers")}<input name="workers" type="number" min="0" max=${WORKERS_MAX} required value="3"></label>
			<label class="f">${t("Image")}<select name="image">${tagged.length ? html`<option value="">${t("newest with the tag {tag}", {tag: TAG})}</option>` : nothing}${images.map((i) => html`<option value=${i.id}>${imageWords(i)}</option>`)}</select></label>
			<label class="f">${t("Kubernetes version")}<input name="version" maxlength="16" pattern="1\\.\\d+\\.\\d+" placeholder=${tagged.length ? t("of the image") : "1.37.2"} ?required=${!tagged.length} spellcheck="false"></label>
			<label class="f">${t("Control plane")}<select name="control_count"><option value="1">${t("1 machine")}</option><option value="3">${t("3 machines")}</option></select></label>
			${typeField("control_type", t("Control plane's instance type"), 2)}${typeField("worker_type", t("Workers' instance type"), 1)}
			<label class="f">${t("Key pair")}<select name="key_pair"><option value="">${t("none")}</option>${byName("key-pairs").map((k) => html`<option>${nameOf(k)}</option>`)}</select></label>
			<label class="f">${t("Clients of the API (blocks; empty: all)")}<input name="sources" maxlength="512" placeholder="192.0.2.0/24" spellcheck="false"></label>
			<label class="f">${t("Manifests to apply (URLs, such as a network plug-in's)")}<input name="manifests" maxlength="4096" spellcheck="false"></label></div>
			<label class="check"><input type="checkbox" name="is_internal"> ${t("The API has a private address only")}</label>
			<p class="hint">${t("A VPC, a load balancer and the machines are made. The image needs cloud-init, containerd and kubeadm.")}</p>`});
}

// ---- actions ----

function scale([c]) {
	askFor({title: t("Scale {name}", {name: nameOf(c)}), label: t("Save"), verb: "clusters.scale", read: (form) => ({ids: [c], workers: Number(form.get("workers"))}),
		fields: () => html`<label class="f">${t("Workers")}<input name="workers" type="number" min="0" max=${WORKERS_MAX} required autofocus value=${c.workers ?? 0}></label>`,
		send: async ({workers}) => { applyRow("clusters", (await patch(`/clusters/${c.id}`, {workers})).items?.[0]); }});
}

function showKubeconfig(c, text) {
	const file = `${c.name}.kubeconfig`;
	ask({title: t("Save this now: it is shown only once"), label: null, keeps: true, wide: true,
		body: () => html`<div class="block"><pre tabindex="0" aria-label=${t("Kubeconfig")}>${text}</pre><button type="button" @click=${() => copy(text)}>${t("Copy")}</button></div>
			<p><button type="button" class="b1" @click=${() => saveFile(file, text, "application/yaml")}>${t("Download {name}", {name: file})}</button></p>
			<p class="hint">${t("It is the key of an administrator of the cluster: give the file to nobody.")}</p>`});
}

function kubeconfig([c]) {
	askFor({title: t("Kubeconfig of {name}", {name: nameOf(c)}), label: t("Issue"), verb: "clusters.kubeconfig", read: (form) => ({ids: [c], hours: Number(form.get("hours"))}),
		fields: () => html`<label class="f">${t("Valid for hours")}<input name="hours" type="number" min="1" max=${HOURS_MAX} required autofocus value="24"></label><p class="hint">${t("A client certificate of the cluster's administrators is issued. It cannot be taken back before it expires.")}</p>`,
		send: async ({hours}) => {
			showKubeconfig(c, (await post(`/clusters/${c.id}/kubeconfig`, {hours})).kubeconfig);
			return true;
		}});
}

function drop(chosen) {
	showCommand("clusters.delete", {ids: chosen});
	ask({title: t("Delete {names}?", {names: words(chosen.map(nameOf))}), danger: true, label: t("Delete"), typed: chosen.length === 1 ? nameOf(chosen[0]) : chosen.length,
		body: () => html`<p>${t("All machines of the cluster are terminated, and its network is deleted. Delete Services of type LoadBalancer and volume claims before: what Kubernetes made is not part of the cluster.")}</p>`,
		submit: () => report(t("Deletion requested"), () => oneByOne(chosen, (c) => remove(`/clusters/${c.id}`))).then(() => reload("clusters")).then(() => false)});
}

// ---- one cluster ----

const workersOf = (c) => rows("scaling-members").filter((m) => m.scaling_group === c.scaling_group).map((m) => m.instance);
const machine = (id, role) => html`<li>${refLink("instances", id)} ${mark(byId("instances", id)?.state === "running" ? "ok" : "go", t(byId("instances", id)?.state ?? "pending"))} <span class="dim">${role}</span></li>`;

function more(c) {
	const workers = workersOf(c);
	return html`${c.problem ? html`<div class="card why"><h2>${t("Problem")}</h2><p lang="en">${c.problem}</p></div>` : nothing}
		<div class="card"><h2>${t("Machines")}</h2><ul class="plainlist">${(c.machines ?? []).map((id) => machine(id, t("Control plane")))}${workers.map((id) => machine(id, t("Worker")))}</ul></div>`;
}

export const view = resourcePage({
	name: "clusters", kind: "clusters", kinds: ["instances", "scaling-members", "images", "instance-types", "key-pairs"], command: "clusters.list", title: () => t("Kubernetes clusters"), state: stateOfCluster,
	search: (c) => [c.version, c.address], keys: {state: (c) => c.status},
	columns: [
		{key: "name", title: () => t("Name"), width: "24%", sort: nameOf},
		{key: "state", title: () => t("State"), width: "16%", text: (c) => c.status, cell: stateOfCluster},
		{key: "version", title: () => t("Version"), width: "14%", text: (c) => c.version},
		{key: "workers", title: () => t("Workers"), width: "12%", sort: (c) => c.workers ?? 0, text: (c) => number(c.workers ?? 0)},
		{key: "api", title: () => t("API address"), wide: true, width: "20%", text: apiOf},
		{key: "made", title: () => t("Created"), wide: true, sort: (c) => c.created_us, text: (c) => time(c.created_us)},
	],
	actions: [{id: "delete", asks: true, permission: "cluster.delete", title: () => t("Delete"), may: isThere, run: drop, danger: true}],
	oneActions: [{id: "kubeconfig", asks: true, permission: "cluster.get_kubeconfig", title: () => t("Get kubeconfig"), may: isThere, run: kubeconfig},
		{id: "scale", asks: true, permission: "cluster.scale", title: () => t("Scale"), may: isThere, run: scale}, SUPPORT],
	lead: () => html`<button type="button" class="b1" @click=${create}>${t("Create Kubernetes cluster")}</button>`,
	empty: () => emptyCard(t("No Kubernetes clusters"), t("A cluster is made from a template: a network, a load balancer for the API, a control plane and workers."), html`<button type="button" class="b1" @click=${create}>${t("Create Kubernetes cluster")}</button>`),
	more,
	facts: (c) => pairs([[t("State"), stateOfCluster(c)], [t("Version"), versionOf(c)], [t("API address"), apiOf(c) ? copyable(apiOf(c)) : ""], [t("Name inside the VPC"), c.endpoint ? copyable(c.endpoint) : ""], [t("Control plane"), number(c.control_count ?? 0)], [t("Workers"), number(c.workers ?? 0)],
		[t("Image"), refLink("images", c.image)], [t("VPC"), refLink("routers", c.router, "networks")], [t("Load balancer"), refLink("elastic-load-balancers", c.balancer, "load-balancers")], [t("Auto Scaling group"), refLink("scaling-groups", c.scaling_group)],
		[t("Network of the pods"), c.pod_block], [t("Network of the Services"), c.service_block], [t("Created"), when(c.created_us)]]),
});

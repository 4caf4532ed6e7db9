// SPDX-License-Identifier: Apache-2.0
// What can be done to instances, from the list, the page of one, the palette and by keys alike.
import {post, patch, remove, get, intent} from "./api.js";
import {rows as allRows, touch} from "./store.js";
import {ask, report, nameOf, html, nothing, SUPPORT} from "./parts.js";
import {showCommand} from "./command_bar.js";
import {go, href} from "./router.js";
import {t, list as words, size} from "./words.js";

const ON = new Set(["running", "paused", "rescued"]);

function many(verb, body = {}) {
	return (chosen) => post(`/instances/${verb}`, {ids: chosen.map((r) => r.id), ...body}, {"Idempotency-Key": intent()});
}

function simple(verb, done) {
	const send = many(verb);
	return (chosen) => {
		showCommand("instances." + verb, {ids: chosen});
		return report(done(chosen.length), () => send(chosen));
	};
}

/** What goes with instances that are terminated: disks and addresses that are theirs alone. */
function goesWith(chosen) {
	const ids = new Set(chosen.map((r) => r.id));
	const disks = allRows("volumes").filter((v) => ids.has(v.instance));
	return {gone: disks.filter((v) => v.delete_on_termination), kept: disks.filter((v) => !v.delete_on_termination),
		addresses: allRows("addresses").filter((a) => ids.has(a.instance) && a.is_elastic)};
}

function terminate(chosen) {
	showCommand("instances.terminate", {ids: chosen});
	ask({
		title: chosen.length === 1 ? t("Terminate {name}?", {name: nameOf(chosen[0])}) : t("Terminate {n} instances?", {n: chosen.length}),
		danger: true, label: t("Terminate"), typed: chosen.length > 5 ? chosen.length : "",
		body: () => {
			const {gone, kept, addresses} = goesWith(chosen);
			return html`${chosen.length > 1 ? html`<p>${words(chosen.slice(0, 12).map(nameOf))}${chosen.length > 12 ? " …" : ""}</p>` : nothing}
				<ul>${gone.length ? html`<li>${t("{n} disks go with them, {size} in all.", {n: gone.length, size: size(gone.reduce((s, v) => s + v.size, 0))})}</li>` : nothing}
				${kept.length ? html`<li>${t("{n} volumes stay: {names}.", {n: kept.length, names: words(kept.slice(0, 6).map(nameOf))})}</li>` : nothing}
				${addresses.length ? html`<li>${t("{n} addresses stay yours: {names}.", {n: addresses.length, names: words(addresses.map((a) => a.ip))})}</li>` : nothing}
				<li>${t("It cannot be undone.")}</li></ul>`;
		},
		submit: () => report(t("{n} instances are being terminated", {n: chosen.length}), () => many("delete")(chosen)).then(() => false),
	});
}

/** In a window of its own: it stays while somebody goes on here. */
async function openSerial(row) {
	const w = window.open("about:blank", "_blank");
	const answer = await report(t("The console is open"), () => post(`/instances/${row.id}/console`, {type: "serial"}));
	if (answer?.url && w) {
		w.opener = null;
		w.location.replace(new URL(new URL(answer.url).pathname + new URL(answer.url).search, location.origin));
	} else {
		w?.close();
	}
}

async function resize(chosen) {
	const types = allRows("instance-types");
	const row = chosen[0];
	ask({title: t("Another size for {name}", {name: nameOf(row)}), label: t("Change"),
		body: () => html`<p class="hint">${row.state === "stopped" ? t("It takes effect at the next start.") : t("Stop it first: a size is changed while it is off.")}</p>
			<label class="f">${t("Size")}<select name="type">${types.toSorted((a, b) => a.vcpus - b.vcpus || a.memory - b.memory).map((type) => html`<option value=${type.id} ?selected=${type.id === row.type}>${type.name}: ${t("{n} vCPUs", {n: type.vcpus})}, ${size(type.memory)}</option>`)}</select></label>`,
		submit: async (form) => {
			showCommand("instances.resize", {ids: chosen, type: types.find((x) => x.id === form.get("type"))?.name});
			await patch(`/instances/${row.id}`, {type: form.get("type")}, row.gen);
		}});
}

/** {id, key: letter, title, may(row), run(rows), danger, one: of one alone} */
export const INSTANCE_ACTIONS = [
	{id: "start", key: "s", title: () => t("Start"), may: (r) => ["stopped", "suspended"].includes(r.state), run: simple("start", (n) => t("{n} instances are being started", {n}))},
	{id: "stop", key: "x", title: () => t("Stop"), may: (r) => ON.has(r.state) || r.state === "pending", run: simple("stop", (n) => t("{n} instances are being stopped", {n}))},
	{id: "reboot", key: "r", title: () => t("Restart"), may: (r) => ON.has(r.state), run: simple("reboot", (n) => t("{n} instances are being restarted", {n}))},
	{id: "terminate", key: "", title: () => t("Terminate"), may: (r) => !["terminated", "shutting-down"].includes(r.state), run: terminate, danger: true},
];

export const ONE_ACTIONS = [
	{id: "resize", title: () => t("Resize"), may: (r) => r.state === "stopped", run: resize},
	{id: "display", title: () => t("Screen"), may: (r) => ON.has(r.state), run: ([r]) => go(href("screen", r.ec2 || r.id))},
	{id: "serial", title: () => t("Serial console"), may: (r) => ON.has(r.state), run: ([r]) => openSerial(r)},
	{...SUPPORT, may: () => true},
];

export {get, remove, touch};

// SPDX-License-Identifier: Apache-2.0
// Fencing of hosts: how a host that does not answer is powered off or cut off, before its instances start elsewhere.
import {html, nothing, nameOf, ask, report} from "./parts.js";
import {showCommand} from "./command_bar.js";
import {t} from "./words.js";
import {post, put, remove} from "./api.js";

const BY_HAND = -1; // seconds after which it is fenced automatically: never
const AFTER_MIN = 15, AFTER_MAX = 86400; // seconds

export const hasFence = (h) => Boolean(h.fence_command || h.fence_addresses?.length);

export function fenceOf(h) {
	if (!hasFence(h))
		return t("none");
	const after = h.fence_after_s === BY_HAND ? t("on request only") : h.fence_after_s ? t("after {seconds} s without an answer", {seconds: h.fence_after_s}) : "";
	return html`${h.fence_command ? html`<code>${h.fence_command}</code>` : t("Ceph blocks {addresses}", {addresses: h.fence_addresses.join(", ")})}${after ? html` <span class="dim">${after}</span>` : nothing}`;
}

const addressesOf = (form) => form.get("addresses").split(/[\s,]+/).filter(Boolean);
const afterOf = (form) => (form.get("manual") ? BY_HAND : form.get("after") ? Number(form.get("after")) : 0);

function removeDevice(h) {
	showCommand("hosts.set-fence", {host: h, addresses: []});
	ask({title: t("Fencing of {name}", {name: nameOf(h)}), danger: true, label: t("Remove fence device"),
		body: () => html`<p>${t("Fence agent:")} <code>${h.fence_command}</code></p><p>${t("Without a fence device, instances of a host that fails wait until an operator confirms that the host is off.")}</p>`,
		submit: () => report(t("Fence device removed"), () => remove(`/hosts/${h.id}/fence-device`)).then(() => false)});
}

export function setFencing([h]) {
	if (h.fence_command) {
		removeDevice(h);
		return;
	}
	const preview = (form) => showCommand("hosts.set-fence", form ? {host: h, addresses: addressesOf(new FormData(form)), after: afterOf(new FormData(form))} : {host: h, addresses: h.fence_addresses ?? [], after: h.fence_after_s ?? 0, isAgentShown: true});
	const isAfter = h.fence_after_s > 0;
	ask({title: t("Fencing of {name}", {name: nameOf(h)}), label: t("Save"), wide: true,
		body: () => html`<div @input=${(e) => preview(e.target.form)}><p>${t("A host that does not answer is fenced before its instances start elsewhere. A fence agent, such as fence_ipmilan, is set on the server, by the command below. A host whose volumes are all in Ceph can be blocked there instead.")}</p>
			<label class="f">${t("Addresses from which its guests reach Ceph (empty: no fence device)")}<input name="addresses" maxlength="1024" spellcheck="false" autofocus .value=${(h.fence_addresses ?? []).join(" ")}></label>
			<label class="f">${t("Seconds without an answer until it is fenced (empty: region default)")}<input name="after" type="number" min=${AFTER_MIN} max=${AFTER_MAX} .value=${isAfter ? String(h.fence_after_s) : ""}></label>
			<label class="check"><input type="checkbox" name="manual" ?checked=${h.fence_after_s === BY_HAND}> ${t("Fence on request only")}</label></div>`,
		submit: (form) => {
			const addresses = addressesOf(form), after = afterOf(form);
			return addresses.length
				? report(t("Fence device set"), () => put(`/hosts/${h.id}/fence-device`, {addresses, ...(after ? {after_s: after} : {})})).then(() => false)
				: report(t("Fence device removed"), () => remove(`/hosts/${h.id}/fence-device`)).then(() => false);
		}});
	preview(null);
}

export function fence([h]) {
	showCommand("hosts.fence", {ids: [h]});
	ask({title: t("Fence {name}?", {name: nameOf(h)}), danger: true, label: t("Fence"), typed: nameOf(h),
		body: () => html`<p>${t("The host is powered off or cut off by its fence device. Its instances then start on other hosts.")}</p><label class="f">${t("Reason")}<input name="reason" maxlength="255"></label>`,
		submit: (form) => report(t("Fencing requested"), () => post(`/hosts/${h.id}/fence`, form.get("reason") ? {reason: form.get("reason")} : {})).then(() => false)});
}

export function confirmOff([h]) {
	showCommand("hosts.fenced", {ids: [h]});
	ask({title: t("Confirm that {name} is off?", {name: nameOf(h)}), danger: true, label: t("Confirm"), typed: nameOf(h),
		body: () => html`<p>${t("Confirm only if you have seen that the host is off and stays off. Its instances start on other hosts; if the host runs on, they run twice and damage their volumes.")}</p>`,
		submit: () => report(t("Host confirmed as off"), () => post(`/hosts/${h.id}/vouch`, {i_have_seen_it_off: true})).then(() => false)});
}

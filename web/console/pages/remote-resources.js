// SPDX-License-Identifier: Apache-2.0
// Remote resources: images, networks, volumes and other resources, in one form and only listed.
import {html, nothing, nameOf, refName, pairs, copyable, emptyCard} from "../parts.js";
import {resourcePage} from "../resource.js";
import {rows} from "../store.js";
import {href} from "../router.js";
import {t, size, since} from "../words.js";

const TYPES = {image: () => t("image"), network: () => t("network"), subnet: () => t("subnet"), security_group: () => t("security group"), volume: () => t("volume"), snapshot: () => t("snapshot"), instance_type: () => t("instance type"), key_pair: () => t("key pair"), address: () => t("address"), host: () => t("host"), cluster: () => t("cluster"), datastore: () => t("datastore"), stack: () => t("stack"), stack_resource: () => t("stack resource")};
const typeOf = (r) => TYPES[r.type]?.() ?? r.type;
const providerOf = (r) => refName("providers", r.provider);
const freshness = (r) => (r.refreshed_us ? t("{age} ago", {age: since(r.refreshed_us)}) : t("never"));
const lines = (object) => Object.entries(object ?? {}).map(([key, value]) => html`<div><bdi>${key}</bdi>: <bdi>${value}</bdi></div>`);

/** Link to the machine or the other resource that this one belongs to; plain text if it is not listed. */
function parentLink(r) {
	const machine = r.parent && rows("remote-machines").find((m) => m.provider === r.provider && m.ref === r.parent);
	const other = r.parent && !machine && rows("remote-resources").find((o) => o.provider === r.provider && o.ref === r.parent);
	return machine ? html`<a href=${href("machines", machine.id)}><bdi>${nameOf(machine)}</bdi></a>` : other ? html`<a href=${href("remote-resources", other.id)}><bdi>${nameOf(other)}</bdi></a>` : r.parent ?? "";
}

export const view = resourcePage({
	name: "remote-resources", kind: "remote-resources", kinds: ["providers"], alsoNeeds: ["remote-machines"], command: "remote-resources.list", title: () => t("Remote resources"),
	state: (r) => (r.state ? html`<span lang="en">${r.state}</span>` : nothing),
	search: (r) => [r.ref, r.parent, r.zone, r.state, typeOf(r), providerOf(r), ...Object.values(r.attributes ?? {}), ...Object.entries(r.remote_tags ?? {}).flat()],
	keys: {type: (r) => r.type, provider: providerOf, state: (r) => r.state},
	columns: [
		{key: "name", title: () => t("Name"), width: "24%", sort: nameOf},
		{key: "type", title: () => t("Type"), width: "15%", text: typeOf},
		{key: "provider", title: () => t("Cloud"), width: "15%", text: providerOf},
		{key: "state", title: () => t("State"), width: "12%", text: (r) => r.state ?? ""},
		{key: "size", title: () => t("Size"), wide: true, num: true, width: "11%", sort: (r) => r.size ?? 0, text: (r) => (r.size ? size(r.size) : "")},
		{key: "listed", title: () => t("Listed"), wide: true, sort: (r) => r.refreshed_us ?? 0, cell: freshness},
	],
	chips: [{title: () => t("all"), query: ""}, ...Object.keys(TYPES).map((type) => ({title: TYPES[type], query: `type:${type}`}))],
	empty: () => emptyCard(t("No remote resources"), t("Images, networks, volumes and other resources of your cloud providers are listed here."), html`<a class="b b1" href=${href("providers")}>${t("Cloud providers")}</a>`),
	facts: (r) => pairs([[t("Type"), typeOf(r)], [t("Cloud"), html`<a href=${href("providers", r.provider)}><bdi>${providerOf(r)}</bdi></a>`], [t("ID"), copyable(r.ref)], [t("Belongs to"), parentLink(r)], [t("Size"), r.size ? size(r.size) : ""], [t("Zone"), r.zone],
		[t("Attributes"), lines(r.attributes)], [t("Tags"), lines(r.remote_tags)], [t("Listed"), freshness(r)]]),
});

// SPDX-License-Identifier: Apache-2.0
// An event as a line: time, text, resource, user.
import {html, nothing, when, nameOf} from "./parts.js";
import {row as byId} from "./store.js";
import {href} from "./router.js";
import {eventWords} from "./event_words.js";

const PAGE_OF = {instance: ["instances", "instances"], volume: ["volumes", "volumes"], snapshot: ["snapshots", "snapshots"], backup: ["backups", "backups"], storage_pool: ["storage-pools", "storage-pools"], image: ["images", "images"], address: ["addresses", "addresses"], transit_gateway: ["transit-gateways", "transit-gateways"], fleet: ["fleets", "fleets"], spot_request: ["spot-requests", "spot-requests"], key_pair: ["key-pairs", "keys"],
	security_group: ["security-groups", "security-groups"], router: ["routers", "networks"], subnet: ["subnets", "networks"], host: ["hosts", "hosts"], support_ticket: ["tickets", "tickets"]};

/** The resource of an event: its name if it is loaded. */
export function eventSubject(e) {
	const [kind, page] = PAGE_OF[e.kind] ?? [];
	const row = kind ? byId(kind, e.id) : null;
	return row ? html`<a href=${href(page, row.ec2 ?? row.id)}><bdi>${nameOf(row)}</bdi></a>` : html`<span class="dim">${e.kind} ${String(e.id ?? "").slice(0, 8)}</span>`;
}

export {eventWords};

export function eventLine(e) {
	return html`<li>${when(e.at_us)}<span>${eventSubject(e)} ${eventWords(e)}${e.action ? html` <code class="dim">${e.action}</code>` : nothing}</span></li>`;
}

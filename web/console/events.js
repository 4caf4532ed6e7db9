// SPDX-License-Identifier: Apache-2.0
// An event as a line: time, text, resource, user.
import {html, nothing, when, nameOf} from "./parts.js";
import {row as byId} from "./store.js";
import {href} from "./router.js";
import {t} from "./words.js";
import {eventWords} from "./event_words.js";

const PAGE_OF = {instance: ["instances", "instances"], volume: ["volumes", "volumes"], snapshot: ["snapshots", "snapshots"], backup: ["backups", "backups"], storage_pool: ["storage-pools", "storage-pools"], image: ["images", "images"], address: ["addresses", "addresses"], transit_gateway: ["transit-gateways", "transit-gateways"], fleet: ["fleets", "fleets"], elastic_load_balancer: ["elastic-load-balancers", "load-balancers"], target_group: ["target-groups", "target-groups"], scaling_group: ["scaling-groups", "scaling-groups"], cluster: ["clusters", "clusters"], capacity_reservation: ["capacity-reservations", "reservations"], cloud_migration: ["cloud-migrations", "migrations"], machine_backup: ["machine-backups", "machine-backups"], backup_plan: ["backup-plans", "backup-plans"], external_network: ["external-networks", "external-networks"], spot_request: ["spot-requests", "spot-requests"], key_pair: ["key-pairs", "keys"],
	security_group: ["security-groups", "security-groups"], router: ["routers", "networks"], subnet: ["subnets", "networks"], host: ["hosts", "hosts"], support_ticket: ["tickets", "tickets"], provider: ["providers", "providers"], machine_policy: ["machine-policies", "machine-policies"], remote_machine: ["remote-machines", "machines"], remote_resource: ["remote-resources", "remote-resources"]};

/** "launch_template" as the reader's words. */
const ACRONYMS = {router: "VPC", port: "network interface", iam_role: "role", nat_gateway: "NAT gateway", dhcp_options: "DHCP options", mfa_device: "MFA device", oidc_provider: "OpenID Connect provider", saml_provider: "SAML provider", address: "public IP", region_audit: "consistency check", elastic_load_balancer: "load balancer", cloud_migration: "migration", support_ticket: "ticket"};
export function kindWords(kind) {
	const key = `kind:${kind}`, words = t(key);
	return words === key ? ACRONYMS[kind] ?? kind.replaceAll("_", " ") : words;
}

/** The resource of an event: its name if it is loaded. */
export function eventSubject(e) {
	const [kind, page] = PAGE_OF[e.kind] ?? [];
	const row = kind ? byId(kind, e.id) : null;
	return row ? html`<a href=${href(page, row.ec2 ?? row.id)}><bdi>${nameOf(row)}</bdi></a>` : html`<span class="dim">${kindWords(e.kind)} ${String(e.id ?? "").slice(0, 8)}</span>`;
}

export {eventWords};

/** The permission by which it happened; the region's own changes have none. */
export const eventAction = (e) => (e.action && e.action !== "reconcile" ? html` <code class="dim">${e.action}</code>` : nothing);

export function eventLine(e) {
	return html`<li>${when(e.at_us)}<span>${eventSubject(e)} ${eventWords(e)}${eventAction(e)}</span></li>`;
}

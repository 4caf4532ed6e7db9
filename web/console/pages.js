// SPDX-License-Identifier: Apache-2.0
// The pages, in the order of the menu. A page is a file of pages/, loaded on navigation.
import {t} from "./words.js";
import {countIf} from "./store.js";

export const PAGES = [
	{name: "overview", group: "main", key: "o", title: () => t("Overview")},
	{name: "instances", group: "main", key: "i", kind: "instances", counts: true, count: () => countIf("instances", (r) => r.state !== "terminated"), title: () => t("Instances")},
	{name: "launch", group: "hidden", key: "", title: () => t("Launch instance")},
	{name: "screen", group: "hidden", key: "", title: () => t("Console (VNC)")},
	{name: "images", group: "main", key: "m", kind: "images", counts: true, title: () => t("Images")},
	{name: "volumes", group: "main", key: "v", kind: "volumes", counts: true, title: () => t("Volumes")},
	{name: "snapshots", group: "main", key: "p", title: () => t("Snapshots")},
	{name: "backups", group: "main", key: "7", title: () => t("Backups")},
	{name: "backup-plans", group: "main", title: () => t("Backup plans")},
	{name: "machine-backups", group: "main", title: () => t("Machine backups")},
	{name: "schedules", group: "main", key: "0", title: () => t("Snapshot schedules")},
	{name: "networks", group: "main", key: "n", title: () => t("VPCs")},
	{name: "reach", group: "main", key: "r", title: () => t("Reachability Analyzer")},
	{name: "security-groups", group: "main", key: "s", title: () => t("Security groups")},
	{name: "interfaces", group: "main", key: "f", title: () => t("Network interfaces")},
	{name: "addresses", group: "main", key: "a", title: () => t("Public IPs")},
	{name: "transit-gateways", group: "main", key: "4", title: () => t("Transit gateways")},
	{name: "fleets", group: "main", key: "5", title: () => t("Fleets")},
	{name: "spot-requests", group: "main", key: "6", title: () => t("Spot requests")},
	{name: "keys", group: "main", key: "k", title: () => t("Key pairs")},
	{name: "usage", group: "account", key: "b", title: () => t("Usage and cost")},
	{name: "tickets", group: "account", key: "h", title: () => t("Tickets")},
	{name: "activity", group: "account", key: "t", title: () => t("Activity")},
	{name: "connect", group: "account", key: "c", title: () => t("CLI & SDK setup")},
	{name: "people", group: "account", key: "u", title: () => t("Users")},
	{name: "user-groups", group: "account", key: "g", title: () => t("User groups")},
	{name: "roles", group: "account", key: "l", title: () => t("Roles")},
	{name: "policies", group: "account", key: "x", title: () => t("Policies")},
	{name: "who-may", group: "account", key: "w", title: () => t("Policy simulator")},
	{name: "quotas", group: "account", key: "q", title: () => t("Quotas")},
	{name: "you", group: "account", key: "y", title: () => t("My account")},
	{name: "region", group: "region", key: "z", title: () => t("Region")},
	{name: "hosts", group: "region", key: "1", kind: "hosts", counts: true, title: () => t("Hosts")},
	{name: "storage-pools", group: "region", key: "8", title: () => t("Storage pools")},
	{name: "tasks", group: "region", key: "9", title: () => t("Tasks")},
	{name: "audit-log", group: "region", title: () => t("Audit log")},
	{name: "instance-types", group: "region", title: () => t("Instance types")},
	{name: "volume-types", group: "region", title: () => t("Volume types")},
	{name: "external-networks", group: "region", title: () => t("External networks")},
	{name: "webhooks", group: "region", title: () => t("Webhooks")},
	{name: "capacity", group: "region", key: "2", title: () => t("Capacity")},
	{name: "audit", group: "region", key: "3", title: () => t("Consistency check")},
	{name: "accounts", group: "region", key: "d", title: () => t("Accounts")},
	{name: "domains", group: "region", key: "e", title: () => t("Domains")},
	{name: "prices", group: "region", key: "j", title: () => t("Prices")},
	{name: "sign-in", group: "hidden", key: "", title: () => t("Sign in")},
];

export function pageOf(name) {
	return PAGES.find((p) => p.name === name);
}

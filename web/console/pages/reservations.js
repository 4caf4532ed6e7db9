// SPDX-License-Identifier: Apache-2.0
// Capacity reservations: room on hosts for instances of one type. EC2's calls change them; this page only shows them.
import {nothing, nameOf, mark, pairs, copyable, refName, when, emptyCard, SUPPORT} from "../parts.js";
import {resourcePage} from "../resource.js";
import {t, number, size, time} from "../words.js";

const stage = (r) => (r.ended_us ? mark("off", r.has_expired ? t("expired") : t("cancelled")) : r.conditions?.length ? mark("bad", t(r.conditions[0].name)) : mark("ok", t("active")));
const match = (r) => (r.is_targeted ? t("targeted") : t("open to matching instances"));
const ends = (r) => (r.end_us ? time(r.end_us) : t("until it is cancelled"));

export const view = resourcePage({
	name: "reservations", kind: "capacity-reservations", kinds: ["zones"], command: "reservations.list", title: () => t("Capacity reservations"), state: stage, sort: "type",
	search: (r) => [r.type, refName("zones", r.zone)], keys: {type: (r) => r.type, zone: (r) => refName("zones", r.zone)},
	columns: [
		{key: "name", title: () => t("Name"), width: "26%", sort: nameOf},
		{key: "state", title: () => t("State"), width: "14%", cell: stage},
		{key: "type", title: () => t("Instance type"), width: "16%", text: (r) => r.type ?? ""},
		{key: "count", title: () => t("Instances"), num: true, width: "10%", sort: (r) => r.count ?? 0, text: (r) => number(r.count ?? 0)},
		{key: "zone", title: () => t("Availability Zone"), wide: true, width: "14%", text: (r) => refName("zones", r.zone)},
		{key: "ends", title: () => t("Ends"), wide: true, width: "20%", sort: (r) => r.end_us ?? Infinity, text: ends},
	],
	empty: () => emptyCard(t("No capacity reservations"), t("A capacity reservation keeps room for instances of a type. Create one with aws ec2 create-capacity-reservation."), nothing),
	oneActions: [SUPPORT],
	facts: (r) => pairs([[t("State"), stage(r)], [t("Instance type"), r.type], [t("Instances"), number(r.count ?? 0)], [t("Memory"), size((r.memory ?? 0) * (r.count ?? 0))], [t("vCPUs"), number((r.vcpus ?? 0) * (r.count ?? 0))], [t("Matching"), match(r)], [t("Availability Zone"), refName("zones", r.zone)], [t("Ends"), ends(r)], [t("Created"), when(r.created_us)], ["EC2", r.ec2 ? copyable(r.ec2) : ""]]),
});
